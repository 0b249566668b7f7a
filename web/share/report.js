// A run as one HTML file: no script, nothing to load, opens anywhere.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Memory, Proposal, State, Value} from "../log/types.d.ts" */
/** @import {Markup} from "./markup.js" */

import { NO_BALLOT, equal, lineId } from "../log/lines.js";
import { bundled, narrate } from "../log/narration.js";
import { instanceOf } from "../log/reducer.js";
import { restOf, stateAt } from "../log/timeline.js";
import { shortText, styleOf } from "../log/values.js";
import { timeOf } from "../view/time.js";
import { words as base } from "../words.js";
import { Markup as Written, markup } from "./markup.js";
import { momentText, titleOf } from "./names.js";
import { lineOf, linesHere, pace } from "./pace.js";
import { REPORT_STYLE, REPORT_STYLE_HASH } from "./report_style.js";
import { shareWords as words } from "./words.js";

/** Longer runs are told by their main events, and no story has more rows than the second. */
const DETAILS_MOST = 4_000;
const ROWS_MOST = 6_000;
/** Of more instances only the one that is spoken of is shown at the end. */
const INSTANCES_MOST = 4;
/** So many lines of a long run fit into memory at once. */
const PIECE = 8_192;

/**
 * @typedef {object} Reported
 * @property {string} name of the run
 * @property {Timeline} timeline
 * @property {number} cursor the moment whose acceptors are shown, beside those at the end
 * @property {number} instance whose acceptors they are
 * @property {any} meta what `run.json` says, or null
 * @property {string[]} pictures rows of the space-time view: SVG markup, ready to stand in the page
 * @property {"light" | "dark"} theme
 */

/** @param {Reported} about @returns {Promise<string>} an HTML file */
export async function reportOf(about) {
  const title = titleOf(about);
  // What the verdict quotes is in memory when it is written down.
  for (const { events } of about.timeline.verdict?.violations ?? []) {
    for (const { at } of events) if (at >= 0) await lineOf(about.timeline, at);
  }
  const policy = `default-src 'none'; style-src '${REPORT_STYLE_HASH}'; base-uri 'none'; form-action 'none'`;
  const page = markup`<!doctype html>
<html lang="en" data-theme="${about.theme}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words.reportTitle(title)}</title>
<style>${new Written(REPORT_STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="muted">${words.madeBy}</p>
${facts(about)}
</header>
<main>
${verdictPart(about.timeline)}
<section><h2>${words.picture}</h2>
<p class="small muted">${words.inRows(about.pictures.length)} ${words.legend}</p>
<div class="wide" tabindex="0" role="region" aria-label="${words.picture}">
${about.pictures.map((row) => new Written(row))}
</div></section>
${await acceptors(about, about.cursor)}
${await atTheEnd(about)}
${await story(about)}
</main>
<footer>${words.madeBy}</footer>
</body>
</html>
`;
  return page.text;
}

/** @param {Reported} about */
function facts({ name, timeline, cursor, meta }) {
  const run = timeline.run;
  const count = timeline.length;
  /** @type {[string, unknown][]} */
  const told = [
    ["run", name],
    ["scenario", run?.scenario ?? meta?.scenario],
    ["world", run?.world ?? meta?.world],
    ["seed", meta?.seed],
    ["variant", meta?.variant],
    ["members", base.joined(timeline.members)],
    ["events", count.toLocaleString("en")],
    ["lasted", base.ms(timeline.ms[restOf(timeline)])],
    ["moment", momentText(timeline, cursor)],
  ];
  const known = told.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return markup`<dl>${known.map(([key, value]) => markup`<div><dt>${words.facts[key]}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/* --- the verdict ---------------------------------------------------------------------- */

/** @param {Timeline} timeline */
function verdictPart(timeline) {
  const { verdict } = timeline;
  if (verdict === null) return markup`<section><h2>${words.verdict}</h2><p>${words.notJudged}</p></section>`;
  return markup`<section><h2>${words.verdict}</h2>
<p><span class="verdict ${verdict.verdict}">${base.ruleMarks[verdict.verdict]} ${base.verdicts[verdict.verdict]}</span>
${base.verdictSentence(verdict.verdict, verdict.rules.length, verdict.events)}</p>
${verdict.violations.length > 0 && markup`<h3>${words.violations}</h3>
${verdict.violations.map(
  (one) => markup`<div class="violation"><p><strong class="violated">${one.rule}</strong> ${one.text}</p>
<ol>${one.events.map((event) => quoted(timeline, event))}</ol></div>`,
)}`}
<table><caption class="small muted">${words.rules}</caption>
<thead><tr><th scope="col">${words.rule}</th><th scope="col">${words.says}</th><th scope="col">${words.verdict}</th></tr></thead>
<tbody>${verdict.rules.map(
    ({ rule, title, verdict: one }) => markup`<tr><th scope="row">${rule}</th><td>${title}</td>
<td class="${one}">${base.ruleMarks[one] ?? "?"} ${base.ruleVerdicts[one] ?? one}</td></tr>`,
  )}</tbody></table>
${verdict.unknown.length > 0 && markup`<h3>${words.unknownWhy}</h3>
<ul>${verdict.unknown.map(({ rule, reason }) => markup`<li><strong>${rule}</strong> ${reason}</li>`)}</ul>`}
${verdict.expectations.length > 0 && markup`<h3>${words.expectations}</h3>
<ul class="plain">${verdict.expectations.map(
    (one) => markup`<li><strong class="${one.met ? "ok" : "violated"}">${one.met ? "✓" : "✗"} ${one.met ? base.met : base.notMet}</strong>
${one.text} <span class="small muted">${one.mustHappen && `${base.mustHappen} · `}${one.evidence.map((part) => (typeof part === "string" ? part : part.name))}</span></li>`,
  )}</ul>`}</section>`;
}

/** A line that proves something: its sentence, its name, and the answers to why. @param {Timeline} timeline @param {{name: string, at: number}} event */
function quoted(timeline, { name, at }) {
  if (at < 0) return markup`<li class="muted">${base.seeEvent(name)}</li>`;
  return markup`<li>${narrate(timeline.catalogue, timeline.line(at))}
<span class="small muted">${timeOf(timeline, at)}, ${name}</span>
${(timeline.why.get(at) ?? []).map((why) => markup`<br><span class="small"><strong class="${why.ok ? "ok" : "violated"}">${words.because}</strong> ${why.sentence}</span>`)}</li>`;
}

/* --- the acceptors ---------------------------------------------------------------------- */

/** @param {Reported} about @param {number} at */
async function acceptors({ timeline, instance }, at) {
  const state = await wholeState(timeline, at, instance);
  const name = timeline.instances.length > 1 ? (timeline.instanceNames.get(instance) ?? String(instance)) : "";
  return markup`<section><h2>${words.acceptors(momentText(timeline, at), name)}</h2>
<table><thead>
<tr><th scope="col" rowspan="2">${words.node}</th><th scope="colgroup" colspan="2">${words.promised}</th><th scope="colgroup" colspan="2">${words.accepted}</th><th scope="col" rowspan="2">${words.knows}</th></tr>
<tr><th scope="col">${words.memory}</th><th scope="col">${words.disk}</th><th scope="col">${words.memory}</th><th scope="col">${words.disk}</th></tr>
</thead><tbody>${state.members.map((/** @type {string} */ node) => row(timeline, state, instance, node))}</tbody></table></section>`;
}

/** How the acceptors ended: of each instance, where there are few. @param {Reported} about */
async function atTheEnd(about) {
  const { timeline, cursor, instance } = about;
  const last = timeline.length - 1;
  const all = timeline.instances.length <= INSTANCES_MOST ? timeline.instances : [instance];
  const tables = [];
  for (const one of all) if (cursor < last || one !== instance) tables.push(await acceptors({ ...about, instance: one }, last));
  return tables;
}

/** A state of which no line is missing. @param {Timeline} timeline @param {number} at @param {number} instance */
async function wholeState(timeline, at, instance) {
  stateAt(timeline, at, instance);
  // Of a long run an instance's lines are found by then, and come when they are asked for.
  const places = (timeline.core.states.folded.get(instance)?.places ?? []).filter((place) => place <= at);
  for (let from = 0; from < places.length; from += PIECE) {
    const piece = places.slice(from, from + PIECE);
    await linesHere(timeline, piece);
    stateAt(timeline, piece[piece.length - 1], instance);
  }
  return stateAt(timeline, at, instance);
}

/** @param {Timeline} timeline @param {State} state @param {number} instance @param {string} node */
function row(timeline, state, instance, node) {
  const view = instanceOf(state, instance);
  const acceptor = view.acceptors[node];
  const status = state.nodes[node]?.status ?? "up";
  const disk = acceptor?.disk ?? { promised: NO_BALLOT, accepted: null };
  const memory = status === "down" ? null : acceptor === undefined ? disk : acceptor.memory;
  const known = view.learned[node];
  const knows = known === undefined ? (status === "down" ? markup`<span class="lost">${words.lost}</span>` : words.none) : value(timeline, known.value);
  const how = status === "up" || status === "unseen" ? "" : (base.endings[state.nodes[node]?.ended_by ?? ""] ?? base.statuses[status]);
  return markup`<tr><th scope="row">${node} <span class="small muted">${how}</span></th>
${cell(memory, (one) => ballot(one.promised), memory?.promised === disk.promised)}<td>${ballot(disk.promised)}</td>
${cell(memory, (one) => pair(timeline, one.accepted), equal(memory?.accepted, disk.accepted))}<td>${pair(timeline, disk.accepted)}</td>
<td>${knows}</td></tr>
`;
}

/** @param {Memory | null} memory @param {(one: Memory) => unknown} show @param {boolean} saved */
function cell(memory, show, saved) {
  if (memory === null) return markup`<td class="lost">${words.lost}</td>`;
  return saved ? markup`<td>${show(memory)}</td>` : markup`<td><span class="unsaved" title="${base.unsaved}">${show(memory)}</span></td>`;
}

/** @param {string} name */
function ballot(name) {
  return name === NO_BALLOT ? words.none : name;
}

/** @param {Timeline} timeline @param {Proposal | null} accepted */
function pair(timeline, accepted) {
  return accepted === null ? words.none : markup`${value(timeline, accepted.value)} <span class="muted">${accepted.ballot}</span>`;
}

/** @param {Timeline} timeline @param {Value} one */
function value(timeline, one) {
  const style = styleOf(timeline.values, one);
  return markup`<span class="swatch v${style.index}">${style.letter}</span> ${shortText(one, 40)}`;
}

/* --- the story ---------------------------------------------------------------------------- */

/** @param {Reported} about @returns {Promise<Markup>} */
async function story({ timeline, cursor }) {
  const breathe = pace();
  const count = timeline.length;
  const details = count <= DETAILS_MOST;
  /** @type {number[]} */
  const places = [];
  for (let at = 0; at < count; at += 1) {
    const level = timeline.level(at);
    if (timeline.ours[at] && (level === "story" || (details && level === "detail"))) places.push(at);
  }
  const told = places.slice(0, ROWS_MOST);
  const lines = [];
  for (const at of told) lines.push(await lineOf(timeline, at));
  const rows = bundled(timeline.catalogue, lines);
  const broken = new Set(timeline.points.filter((point) => point.kind === "violation").map((point) => point.at));
  const now = rows.findLastIndex(({ first }) => told[first] <= cursor);
  /** @type {Markup[]} */
  const written = [];
  for (const [index, { first, count: size, text }] of rows.entries()) {
    const [at, end] = [told[first], told[first + size - 1]];
    const line = lines[first];
    const bad = [...broken].some((one) => one >= at && one <= end);
    const kind = `${line.event === "step_started" ? "step" : ""} ${bad ? "bad" : ""} ${index === now ? "now" : ""}`.trim().replace(/ +/g, " ");
    const name = line.node === "orchestrator" ? "·" : line.node;
    written.push(markup`<tr class="${kind}" title="${lineId(line)}"><td>${timeOf(timeline, at)}</td><td>${name}</td><td>${text}${bad && ` (${base.violation})`}</td></tr>
`);
    await breathe();
  }
  return markup`<section><h2>${words.story}</h2>
${!details && markup`<p class="muted">${words.storyOnly}</p>`}
<table class="story"><thead><tr><th scope="col">${words.time}</th><th scope="col">${words.node}</th><th scope="col">${words.what}</th></tr></thead>
<tbody>${written}</tbody></table>
${places.length > told.length && markup`<p class="muted">${words.storyCut(places.length - told.length)}</p>`}</section>`;
}
