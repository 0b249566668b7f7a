// The page's one state object, and every way in which it changes: functions
// from state to state. main.js keeps the current one and draws it; a source of
// live events or a sandbox would add lines to a timeline and change nothing
// else here.

/** @import {Timeline} from "./log/timeline.js" */

import { SCALE_LEAST, SCALE_MOST, fitScale, laneWidth, layout } from "./view/layout.js";

/** @typedef {{node: string, level: "story" | "detail" | "quiet", text: string}} Filter */
/** @typedef {{run: string, title: string, scenario: string, world: string, verdict: string | null, files: string[]}} RunEntry */

/**
 * @typedef {object} App
 * @property {RunEntry[] | null} runs what the server offers; null until it has answered, or when nobody serves
 * @property {boolean} choosing whether the list of runs is open
 * @property {string | null} busy what is being loaded
 * @property {string | null} trouble why something cannot be shown
 * @property {string | null} notice what to know about the run that is shown
 * @property {string} name of the run that is shown
 * @property {boolean} linked whether a link can lead to it: it is one of the server's
 * @property {Timeline | null} timeline
 * @property {number} cursor the last line that has happened; -1 before the first
 * @property {number} instance what is shown; 0 for all
 * @property {boolean} playing
 * @property {number} speed
 * @property {"order" | "time"} axis
 * @property {number} left the slot at the left edge
 * @property {number} scale pixels per slot
 * @property {number} width of the space-time view in pixels
 * @property {boolean} future whether what comes after the cursor is drawn
 * @property {boolean} causes whether the cursor's past and future are lit
 * @property {number} hover a line under the pointer, -1 for none
 * @property {number} selected a message, -1 for none
 * @property {string | null} node
 * @property {Filter} filter
 * @property {boolean} help
 * @property {"light" | "dark"} theme
 */

/** @type {App} */
export const FIRST = {
  runs: null,
  choosing: true,
  busy: null,
  trouble: null,
  notice: null,
  name: "",
  linked: false,
  timeline: null,
  cursor: -1,
  instance: 0,
  playing: false,
  speed: 1,
  axis: "order",
  left: 0,
  scale: 16,
  width: 1000,
  future: true,
  causes: false,
  hover: -1,
  selected: -1,
  node: null,
  filter: { node: "", level: "detail", text: "" },
  help: false,
  theme: "light",
};

const RANK = { story: 0, detail: 1, quiet: 2 };
/** A comfortable distance between events; a whole run is shown when it fits with no less than the second. */
const SCALE_USUAL = 17;
const SCALE_FITS = 11;

/**
 * Show a run.
 * @param {App} app
 * @param {{timeline: Timeline, name: string, linked: boolean, notice: string | null}} run
 * @param {{at?: string, instance?: number}} [moment] as a link names it
 * @returns {App}
 */
export function opened(app, { timeline, name, linked, notice }, moment = {}) {
  const instance = timeline.instances.includes(moment.instance ?? 0) ? (moment.instance ?? 0) : 0;
  const place = moment.at === undefined ? undefined : timeline.index.get(moment.at);
  // A run that is not as it should be opens where that shows.
  const violation = timeline.points.find((point) => point.kind === "violation");
  const first = timeline.levels.indexOf("story");
  const cursor = place ?? violation?.at ?? Math.max(first, 0);
  const shown = { ...app, timeline, name, linked, notice, instance, cursor, choosing: false, busy: null, trouble: null };
  const clean = { ...shown, playing: false, hover: -1, selected: -1, node: null, causes: false };
  return followed(refitted({ ...clean, filter: { ...app.filter, node: "", text: "" } }));
}

/** @param {App} app @param {number} cursor @returns {App} */
export function moved(app, cursor) {
  if (app.timeline === null) return app;
  const last = app.timeline.lines.length - 1;
  return followed({ ...app, cursor: Math.min(Math.max(cursor, 0), last) });
}

/**
 * Go to the next or previous event, passing over what the filter's level leaves out.
 * @param {App} app @param {1 | -1} direction @returns {App}
 */
export function stepped(app, direction) {
  if (app.timeline === null) return app;
  const { lines } = app.timeline;
  let at = app.cursor + direction;
  while (at > 0 && at < lines.length - 1 && !stopsAt(app, at)) at += direction;
  return moved(app, at);
}

/** @param {App} app @param {number} at */
function stopsAt({ timeline, filter, instance }, at) {
  if (timeline === null) return false;
  const line = timeline.lines[at];
  if (!timeline.ours[at]) return false;
  return RANK[timeline.levels[at]] <= RANK[filter.level] && (instance === 0 || line.instance === undefined || line.instance === instance);
}

/**
 * Go to the next or previous turning point.
 * @param {App} app @param {1 | -1} direction @returns {App}
 */
export function turned(app, direction) {
  const points = pointsOf(app).map((point) => point.at);
  const next = direction > 0 ? points.find((at) => at > app.cursor) : points.findLast((at) => at < app.cursor);
  if (app.timeline === null) return app;
  return moved(app, next ?? (direction > 0 ? app.timeline.lines.length - 1 : 0));
}

/** The turning points of what is shown. @param {App} app */
export function pointsOf({ timeline, instance }) {
  const points = timeline?.points ?? [];
  return points.filter((point) => instance === 0 || point.instance === null || point.instance === instance);
}

/**
 * One tick of playing. It stops at the end and at a violation.
 * @param {App} app @param {boolean} jump whether to go by turning points
 * @returns {App}
 */
export function played(app, jump) {
  const next = jump ? turned(app, 1) : stepped(app, 1);
  const over = app.timeline === null || next.cursor >= app.timeline.lines.length - 1;
  const wrong = pointsOf(next).some((point) => point.kind === "violation" && point.at > app.cursor && point.at <= next.cursor);
  return over || wrong ? { ...next, playing: false } : next;
}

/** @param {App} app @param {number} instance @returns {App} */
export function narrowed(app, instance) {
  return followed(refitted({ ...app, instance, selected: -1, hover: -1 }));
}

/** @param {App} app @param {"order" | "time"} axis @returns {App} */
export function axisChanged(app, axis) {
  return followed({ ...app, axis });
}

/** @param {App} app @param {number} width @returns {App} */
export function resized(app, width) {
  if (width === app.width) return app;
  const wasWhole = app.timeline !== null && isWhole(app);
  const next = { ...app, width };
  return followed(wasWhole ? refitted(next) : next);
}

/** @param {App} app */
function isWhole(app) {
  if (app.timeline === null) return false;
  const where = layout(app.timeline, app.instance, app.axis);
  return app.left === 0 && where.width * app.scale <= laneWidth(app.width) + 1;
}

/** A scale to begin with. @param {App} app @returns {App} */
function refitted(app) {
  if (app.timeline === null) return app;
  const fit = fitScale(layout(app.timeline, app.instance, app.axis), app.width);
  return { ...app, left: 0, scale: fit >= SCALE_FITS ? Math.min(fit, 34) : SCALE_USUAL };
}

/** Show the whole run. @param {App} app @returns {App} */
export function fitted(app) {
  if (app.timeline === null) return app;
  return { ...app, left: 0, scale: fitScale(layout(app.timeline, app.instance, app.axis), app.width) };
}

/**
 * Zoom about a place on the screen.
 * @param {App} app @param {number} factor @param {number} [px] from the left of the lanes; the middle if absent
 * @returns {App}
 */
export function zoomed(app, factor, px = laneWidth(app.width) / 2) {
  if (app.timeline === null) return app;
  const least = Math.min(fitScale(layout(app.timeline, app.instance, app.axis), app.width), SCALE_MOST);
  const scale = Math.min(Math.max(app.scale * factor, least, SCALE_LEAST), SCALE_MOST);
  return panned({ ...app, scale, left: app.left + px / app.scale - px / scale }, 0);
}

/** @param {App} app @param {number} px to the right @returns {App} */
export function panned(app, px) {
  if (app.timeline === null) return app;
  const where = layout(app.timeline, app.instance, app.axis);
  const most = Math.max(where.width - laneWidth(app.width) / app.scale, 0);
  return { ...app, left: Math.min(Math.max(app.left + px / app.scale, 0), most) };
}

/** Keep the cursor in sight. @param {App} app @returns {App} */
function followed(app) {
  if (app.timeline === null) return app;
  const wide = laneWidth(app.width) / app.scale;
  const x = layout(app.timeline, app.instance, app.axis).x[Math.max(app.cursor, 0)];
  if (x >= app.left + wide * 0.02 && x <= app.left + wide * 0.94) return panned(app, 0);
  return panned({ ...app, left: x - wide * 0.45 }, 0);
}

/** @type {WeakMap<Timeline, Int32Array>} */
const lastInstance = new WeakMap();

/**
 * The instance that the table and the meters speak of: the one chosen, else
 * the one that the cursor's line, or the last before it, is about.
 * @param {App} app
 */
export function currentInstance({ timeline, instance, cursor }) {
  if (instance !== 0 || timeline === null) return instance;
  let known = lastInstance.get(timeline);
  if (known === undefined) {
    let last = timeline.instances[0] ?? 0;
    known = Int32Array.from(timeline.lines, (line, at) => (last = timeline.ours[at] ? (line.instance ?? last) : last));
    lastInstance.set(timeline, known);
  }
  return known[Math.max(cursor, 0)];
}
