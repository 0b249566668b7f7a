// When the page counts a rule as broken, for tests/test_web_breach.py. Takes
// {lines, verdict} as JSON on standard input and answers with the moments, by
// each of those who tell them.
import { readFileSync } from "node:fs";

// What the templates ask of a browser when they are loaded; none is drawn here.
globalThis.document = { createTreeWalker: () => ({}), createComment: () => ({}), addEventListener() {}, documentElement: {} };
globalThis.window = globalThis;

const { buildTimeline, violationsUpTo } = await import("../web/log/timeline.js");
const { FIRST, opened, played } = await import("../web/state.js");
const { judgement, marksAt, stateChip } = await import("../web/view/judgement.js");

/** All text of a template, its parts included. */
function textOf(part) {
  if (Array.isArray(part)) return part.map(textOf).join("");
  if (part?.strings === undefined) return ["string", "number"].includes(typeof part) ? String(part) : "";
  return part.strings.map((string, place) => string + textOf(part.values[place])).join("");
}

const { lines, verdict } = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));
const timeline = buildTimeline(catalogue, { lines, meta: null, verdict });
const first = opened({ ...FIRST, welcome: null }, { timeline, name: "run", source: { kind: "file", name: "run" }, notice: null, meta: null });
const rules = (found) => [...new Set(found.map(({ rule }) => rule))].sort();
let playing = { ...first, cursor: 0, playing: true };
while (playing.playing) playing = played(playing, false);
const judged = (at) => textOf(judgement({ ...first, cursor: at }, { go() {} }));

process.stdout.write(
  JSON.stringify({
    points: timeline.points.filter(({ kind }) => kind === "violation").map(({ at }) => at),
    upTo: lines.map((_, at) => rules(violationsUpTo(timeline, at))),
    marks: lines.map((_, at) => rules(marksAt({ ...first, cursor: at }).violations)),
    chips: Object.fromEntries(["sandbox", "live", "story"].map((mode) => [mode, textOf(stateChip({ ...first, mode })).replace(/<[^>]*>/g, "").trim()])),
    opens: first.cursor,
    stops: playing.cursor,
    judged: judged(playing.cursor).replace(/<[^>]*>/g, " ").replace(/\s+/g, " "),
  }),
);
