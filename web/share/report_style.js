// The look of the HTML report. It stands in the file as it stands here, and the
// file's own policy allows these very bytes and nothing else: a test holds the
// digest to the text. Its pictures are drawn in names of these colours, so that
// paper is white whatever the page wears; they are those of style.css.

/** @import {Palette} from "../view/palette.js" */

/** The colours of a report's pictures. @type {Palette} */
export const REPORT_PALETTE = {
  ink: "var(--ink)",
  muted: "var(--muted)",
  card: "var(--card)",
  line: "var(--line)",
  lane: "var(--lane)",
  cursor: "var(--cursor)",
  prepare: "var(--prepare)",
  accept: "var(--accept)",
  accepted: "var(--accepted)",
  nack: "var(--nack)",
  learn: "var(--learn)",
  quiet: "var(--quiet)",
  wall: "var(--wall)",
  bad: "var(--bad)",
  fillAlpha: 0.45,
};

export const REPORT_STYLE = `
:root { color-scheme: light; --page: #fff; --ink: #182030; --muted: #566172; --line: #dce1e8; --good: #00694f; --bad: #c0102c; --warn: #b95d00; --tint: #f4f6f8;
  --card: #ffffff; --lane: #7c8798; --cursor: #0b5cab; --prepare: #0072b2; --accept: #b95d00; --accepted: #00775a; --nack: #b3234a; --learn: #84489c; --quiet: #97a1af; --wall: #7d3a34; }
:root[data-theme="dark"] { color-scheme: dark; --page: #171d25; --ink: #e7ecf3; --muted: #a2aebf; --line: #2d3743; --good: #55d6ab; --bad: #ff6077; --warn: #f3ab48; --tint: #20304a;
  --card: #171d25; --lane: #8794a6; --cursor: #80b9ff; --prepare: #64b5f0; --accept: #f3ab48; --accepted: #43cf9f; --nack: #ff7c9a; --learn: #d2a0ef; --quiet: #6f7b8b; --wall: #d98c84; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1010px; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 32px 0 8px; }
h3 { font-size: 15px; margin: 16px 0 4px; }
p { margin: 4px 0; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px 20px; margin: 16px 0; }
dt { color: var(--muted); font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; }
ul, ol { margin: 4px 0; padding-left: 22px; }
li { overflow-wrap: anywhere; }
.plain { list-style: none; padding: 0; }
.muted { color: var(--muted); }
.small { font-size: 13px; }
.verdict { display: inline-block; border: 2px solid; border-radius: 99px; padding: 2px 14px; font-weight: 700; }
.ok { color: var(--good); }
.violated { color: var(--bad); }
.unknown { color: var(--warn); }
.violation { border-left: 5px solid var(--bad); padding: 4px 0 4px 14px; margin: 12px 0; }
.wide { overflow-x: auto; }
.wide svg { display: block; margin: 8px 0; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 3px 12px 3px 4px; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--muted); font-size: 13px; }
tbody th { font-weight: 600; }
.lost { color: var(--bad); font-style: italic; }
.unsaved { border-bottom: 2px dashed var(--warn); }
.swatch { display: inline-block; min-width: 18px; border: 1px solid #0008; border-radius: 4px; text-align: center; font-size: 12px; font-weight: 700; line-height: 16px; color: #000; }
.v0 { background: #e69f00; } .v1 { background: #56b4e9; } .v2 { background: #cc79a7; } .v3 { background: #f0e442; } .v4 { background: #009e73; } .v5 { background: #d55e00; }
.story td:first-child { white-space: nowrap; text-align: right; color: var(--muted); font-variant-numeric: tabular-nums; }
.story td:nth-child(2) { white-space: nowrap; font-weight: 600; }
.story tr.step td { font-weight: 700; padding-top: 12px; }
.story tr.now { background: var(--tint); }
.story tr.bad td { color: var(--bad); }
footer { margin-top: 32px; color: var(--muted); font-size: 13px; }
@page { size: A4; margin: 14mm 12mm; }
@media print {
  :root, :root[data-theme="dark"] { color-scheme: light; --page: #fff; --ink: #182030; --muted: #566172; --line: #dce1e8; --good: #00694f; --bad: #c0102c; --warn: #b95d00; --tint: #f4f6f8;
    --card: #ffffff; --lane: #7c8798; --cursor: #0b5cab; --prepare: #0072b2; --accept: #b95d00; --accepted: #00775a; --nack: #b3234a; --learn: #84489c; --quiet: #97a1af; --wall: #7d3a34; }
  .swatch { print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  h2 { break-after: avoid; }
  tr, .violation, table:not(.story) { break-inside: avoid; }
  .wide { overflow: visible; }
  .wide svg { width: 100%; height: auto; break-inside: avoid; print-color-adjust: exact; }
}
`;

export const REPORT_STYLE_HASH = "sha256-3qQteBGOnwWQv9k+aq9AwHt0GC/ZAWxfo62dKwtm4Gg=";
