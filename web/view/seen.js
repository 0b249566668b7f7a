// What of a run is in sight, found by searching instead of looking at all of it.

/** @import {Choice, NodeSpan, Point, Timeline} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */

/**
 * Entries in the order of lines, cut to those in sight.
 * @template {{at: number}} T @param {T[]} entries @param {Geometry} geo
 * @returns {T[]}
 */
function inSight(entries, { span: [first, end] }) {
  return entries.slice(before(entries, first), before(entries, end));
}

/** How many entries stand before a line. @param {{at: number}[]} entries @param {number} at */
export function before(entries, at) {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {Timeline} timeline @param {Geometry} geo @returns {Choice[]} */
export function choicesIn(timeline, geo) {
  return inSight(timeline.chosen, geo);
}

/** Points of some kinds, looked for once as they come. @typedef {{count: number, found: Point[]}} Found */
/** @type {WeakMap<Point[], Map<Set<string>, Found>>} */
const sorted = new WeakMap();

/**
 * The turning points of some kinds.
 * @param {Timeline} timeline @param {Set<string>} kinds always the same set for the same kinds
 * @returns {Point[]}
 */
export function pointsOfKind({ points }, kinds) {
  const known = sorted.get(points) ?? new Map();
  sorted.set(points, known);
  const found = known.get(kinds) ?? { count: 0, found: [] };
  known.set(kinds, found);
  for (; found.count < points.length; found.count += 1) {
    if (kinds.has(points[found.count].kind)) found.found.push(points[found.count]);
  }
  return found.found;
}

const VIOLATION = new Set(["violation"]);

/** @param {Timeline} timeline @param {Geometry} geo */
export function violationsIn(timeline, geo) {
  return inSight(pointsOfKind(timeline, VIOLATION), geo);
}

/** @typedef {{count: number, of: Map<string, NodeSpan[]>}} Spans */
/** @type {WeakMap<NodeSpan[], Spans>} */
const spans = new WeakMap();

/**
 * When a node had a status: its spans, in order.
 * @param {Timeline} timeline @param {string} node @param {string} status
 * @returns {NodeSpan[]}
 */
export function spansOf({ nodeSpans }, node, status) {
  const known = spans.get(nodeSpans) ?? { count: 0, of: new Map() };
  spans.set(nodeSpans, known);
  for (; known.count < nodeSpans.length; known.count += 1) {
    const span = nodeSpans[known.count];
    for (const key of [`${span.node} ${span.status}`, span.node]) {
      const list = known.of.get(key);
      if (list === undefined) known.of.set(key, [span]);
      else list.push(span);
    }
  }
  return known.of.get(status === "" ? node : `${node} ${status}`) ?? [];
}
