// A moment of a story, found by what happens at it and never by the number of
// its line, so that it is found again in a story that was recorded anew.

/** @import {Line} from "../log/types.d.ts" */
/** @import {Timeline} from "../log/timeline.js" */

/**
 * Conditions on one line: `event`, `node` and other fields by their path
 * ("accepted.value"). A condition is a text, a number, true, false, null (not
 * there), "*" (there) or a list (one of these). `instance` goes by its name.
 *
 * Besides: `nth` (the first unless given; -1 is the last), and `only: true`
 * for one message of a fan-out, whose last one is meant otherwise.
 *
 * @typedef {Record<string, unknown>} Pattern
 */

/**
 * A turning point: `point` is its kind ("chosen", "violation", ...).
 * @typedef {{point: string, instance?: string, nth?: number, only?: boolean}} Turn
 */

/**
 * One pattern, or several that follow one another: the last one's line is meant.
 * @typedef {Pattern | Turn | (Pattern | Turn)[]} Moment
 */

const NO_CONDITIONS = new Set(["nth", "only"]);

/**
 * Where a moment is.
 * @param {Timeline} timeline @param {Moment} moment
 * @returns {number} the place of its line; -1 when the story has no such moment
 */
export function find(timeline, moment) {
  let at = -1;
  for (const pattern of Array.isArray(moment) ? moment : [moment]) {
    at = after(timeline, pattern, at);
    if (at < 0) return -1;
  }
  return at;
}

/**
 * The first place behind `from` that fits, or the nth.
 * @param {Timeline} timeline @param {Pattern | Turn} pattern @param {number} from
 */
function after(timeline, pattern, from) {
  const places = "point" in pattern ? turns(timeline, /** @type {Turn} */ (pattern), from) : lines(timeline, pattern, from);
  const nth = /** @type {number | undefined} */ (pattern.nth) ?? 1;
  const at = places.at(nth < 0 ? nth : nth - 1) ?? -1;
  return at < 0 || ("only" in pattern && pattern.only === true) ? at : whole(timeline, at);
}

/** @param {Timeline} timeline @param {Turn} turn @param {number} from */
function turns(timeline, { point, instance }, from) {
  const number = instance === undefined ? undefined : numberOf(timeline, instance);
  // A second choice is a violation among the turning points, and a choice here.
  const found = point === "chosen" ? timeline.chosen : timeline.points.filter((one) => one.kind === point);
  return found.filter((one) => one.at > from && (number === undefined || one.instance === number)).map((one) => one.at);
}

/** @param {Timeline} timeline @param {Pattern} pattern @param {number} from */
function lines(timeline, pattern, from) {
  const conditions = Object.entries(pattern).filter(([field]) => !NO_CONDITIONS.has(field));
  const found = [];
  for (let at = from + 1; at < timeline.length; at += 1) {
    const line = timeline.line(at);
    if (conditions.every(([path, wanted]) => fits(timeline, line, path, wanted))) found.push(at);
  }
  return found;
}

/** @param {Timeline} timeline @param {Line} line @param {string} path @param {unknown} wanted */
function fits(timeline, line, path, wanted) {
  let field = /** @type {any} */ (line);
  for (const part of path.split(".")) field = field?.[part];
  if (wanted === null) return field === undefined || field === null;
  if (wanted === "*") return field !== undefined && field !== null;
  if (path === "instance") return field === numberOf(timeline, /** @type {string} */ (wanted));
  return Array.isArray(wanted) ? wanted.includes(field) : field === wanted;
}

/**
 * The number of an instance by its name in the story's table.
 * @param {Timeline} timeline @param {string} name
 * @returns {number} 0 when there is none of that name
 */
export function numberOf(timeline, name) {
  for (const [number, one] of timeline.instanceNames) if (one === name) return number;
  return 0;
}

/** The last line of the fan-out that a line begins or belongs to. @param {Timeline} timeline @param {number} at */
function whole(timeline, at) {
  let last = at;
  for (let next = at + 1; next < timeline.length && next <= at + 16; next += 1) {
    if (timeline.head[next] === timeline.head[at]) last = next;
  }
  return last;
}
