// Which lines a log lacks, and which it holds twice: each node numbers its own, so a hole shows; and the
// line that closes a log says where each node's part of it begins and ends.

/** @import {Timeline} from "./timeline.js" */

import { words } from "../words.js";
import { ORCHESTRATOR } from "./lines.js";

/**
 * @typedef {object} Part the lines of one start of a node
 * @property {string} node
 * @property {number} incarnation
 * @property {number} first the number of the first line that must be there
 * @property {number} last
 * @property {number} count how many are there, each once
 * @property {boolean} mixed whether they stand in another order than that of their numbers, or some twice
 * @property {string[]} twice the names of lines that stand there again
 */

/** @typedef {{node: string, count: number, first: string}} Gap how many lines a part lacks, and the first of them by name */

/**
 * What a log lacks, in the order in which its parts begin.
 * @param {Timeline} timeline @param {Part[]} parts @returns {Gap[]}
 */
function gapsOf(timeline, parts) {
  return parts
    .map((part) => ({ part, count: part.last - part.first + 1 - part.count }))
    .filter(({ count }) => count > 0)
    .map(({ part, count }) => ({ node: part.node, count, first: firstMissing(timeline, part) }));
}

/** Both as sentences; null where each line is there once. @param {Timeline} timeline of the whole log @returns {string | null} */
export function gapNotice(timeline) {
  const parts = [...partsOf(timeline).values()];
  const gaps = gapsOf(timeline, parts);
  const twice = parts.flatMap((part) => part.twice);
  const said = [
    ...(gaps.length === 0 ? [] : [words.gap(gaps.reduce((sum, { count }) => sum + count, 0), [...new Set(gaps.map(({ node }) => node))], gaps[0].first)]),
    ...(twice.length === 0 ? [] : [words.twice(twice.length, twice[0])]),
  ];
  return said.length === 0 ? null : said.join(" ");
}

/** @param {Timeline} timeline @returns {Map<string, Part>} by the start's name */
function partsOf(timeline) {
  const { core } = timeline;
  const { node, incarnation, seq } = core.tables.lines.columns;
  /** @type {Map<number, Part>} */
  const seen = new Map();
  let closed = -1;
  for (let at = 0; at < core.tables.lines.count; at += 1) {
    const code = node[at] * 0x80000000 + incarnation[at];
    const part = seen.get(code);
    if (part === undefined) seen.set(code, { node: core.nodeAt(at), incarnation: incarnation[at], first: seq[at], last: seq[at], count: 1, mixed: false, twice: [] });
    else {
      part.mixed ||= seq[at] <= part.last;
      part.first = Math.min(part.first, seq[at]);
      part.last = Math.max(part.last, seq[at]);
      part.count += 1;
    }
    if (timeline.eventOf(at) === "log_closed") closed = at;
  }
  for (const part of seen.values()) if (part.mixed) recount(timeline, part);
  const parts = new Map([...seen.values()].map((part) => [`${part.node}/${part.incarnation}`, part]));
  if (closed >= 0) told(parts, timeline.line(closed).pieces);
  // Nobody tells of the runner's own part: it begins with the run.
  for (const part of parts.values()) if (part.node === ORCHESTRATOR) part.first = Math.min(part.first, 1);
  return parts;
}

/** Count each line of a part once. @param {Timeline} timeline @param {Part} part */
function recount({ core }, part) {
  const { incarnation, seq } = core.tables.lines.columns;
  const found = new Set();
  for (let at = 0; at < core.tables.lines.count; at += 1) {
    if (incarnation[at] !== part.incarnation || core.nodeAt(at) !== part.node) continue;
    if (found.has(seq[at])) part.twice.push(`${part.node}/${part.incarnation}/${seq[at]}`);
    found.add(seq[at]);
  }
  part.count = found.size;
}

/**
 * Widen the parts to what the log's last line tells of them.
 * @param {Map<string, Part>} parts @param {any} pieces by node; of a stranger's log whatever it is
 */
function told(parts, pieces) {
  for (const [node, own] of Object.entries(pieces ?? {})) {
    for (const { incarnation, first, last } of Array.isArray(own) ? own : []) {
      if (![incarnation, first, last].every(Number.isSafeInteger) || last < first) continue;
      const name = `${node}/${incarnation}`;
      const part = parts.get(name) ?? { node, incarnation, first, last, count: 0, mixed: false, twice: [] };
      parts.set(name, { ...part, first: Math.min(part.first, first), last: Math.max(part.last, last) });
    }
  }
}

/** The name of the first line that a part lacks. @param {Timeline} timeline @param {Part} part */
function firstMissing(timeline, { node, incarnation, first }) {
  let seq = first;
  while (timeline.at(`${node}/${incarnation}/${seq}`) >= 0) seq += 1;
  return `${node}/${incarnation}/${seq}`;
}
