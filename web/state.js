// The page's one state object, and how it changes: functions from state to
// state. main.js keeps the current one and draws it. Here is what concerns
// every run, whatever its source: the cursor, the view, what is open. Each room
// keeps its own part (live/state.js, sandbox/state.js, command/state.js, ...).

/** @import {Timeline} from "./log/timeline.js" */
/** @import {Live} from "./live/state.js" */
/** @import {Sandbox} from "./sandbox/state.js" */
/** @import {Commanding} from "./command/state.js" */

import { COMMAND_FIRST } from "./command/state.js";
import { LIVE_FIRST } from "./live/state.js";
import { SANDBOX_FIRST } from "./sandbox/state.js";
import { pointAfter, restOf, violationAfter } from "./log/timeline.js";
import { SCALE_LEAST, SCALE_MOST, fitScale, laneWidth, layout } from "./view/layout.js";

/** @typedef {{node: string, level: "story" | "detail" | "quiet", text: string}} Filter */
/** @typedef {{run: string, title: string, scenario: string, world: string, verdict: string | null, files: string[], bytes?: number}} RunEntry `bytes` of the merged log */
/**
 * @typedef {object} StoryEntry a run in virtual time that the page can always show
 * @property {string} name
 * @property {string} title
 * @property {"scenario" | "counterexample" | "exhibit"} kind
 * @property {string | null} [variant]
 * @property {string} [scenario]
 * @property {number} [seed]
 * @property {number} [nodes]
 * @property {string} [verdict]
 * @property {string[]} [files]
 */
/** @typedef {"replay" | "live" | "sandbox" | "story"} Mode */
/** @typedef {"do" | "verdict" | "learn" | "find"} Panel */
/** @typedef {"runs" | "share" | "compare" | "help"} Sheet */
/** @typedef {{kind: "run" | "story" | "file" | "live" | "sandbox", name: string}} Source */
/** @typedef {{at?: string, instance?: number}} Moment as a link names it */

/**
 * @typedef {object} App
 * @property {Mode} mode
 * @property {Source | null} source of what is shown
 * @property {any} meta what `run.json` says of it, or null
 * @property {any} recipe the sandbox's recipe of it, or null
 * @property {Record<string, Partial<App>>} parked what the other modes have shown, to come back to
 * @property {Panel} panel which side panel is open
 * @property {Sheet | null} sheet which sheet under the header is open
 * @property {"fresh" | "touched" | "closed" | null} welcome whether the run is shown because no link led to another: its card
 *   is open and nobody has moved yet; somebody has; the card is closed; null for any other run
 * @property {string | null} toast a short answer to what was done last
 * @property {RunEntry[] | null} runs what the server offers; null until it has answered, or when nobody serves
 * @property {StoryEntry[] | null} stories
 * @property {string | null} busy what is being loaded
 * @property {number} progress how much of it, from 0 to 1; 0 where that is not known
 * @property {string | null} trouble why something cannot be shown
 * @property {string | null} notice what to know about the run that is shown
 * @property {string} name of the run that is shown
 * @property {Timeline | null} timeline
 * @property {number} cursor the last line that has happened; -1 before the first
 * @property {number} instance what is shown; 0 for all
 * @property {boolean} playing
 * @property {number} playTo where playing stops by itself; Infinity for the end
 * @property {number} speed
 * @property {"order" | "time"} axis
 * @property {number} left the slot at the left edge
 * @property {number} scale pixels per slot
 * @property {number} width of the space-time view in pixels
 * @property {boolean} future whether what comes after the cursor is drawn
 * @property {boolean} peeked the same where the run asks for a guess first
 * @property {boolean} causes whether the cursor's past and future are lit
 * @property {number} hover a line under the pointer, -1 for none
 * @property {number} selected a message, -1 for none
 * @property {string | null} node
 * @property {string[]} picked nodes marked for one side of a partition
 * @property {Filter} filter
 * @property {"light" | "dark"} theme
 * @property {Live} live
 * @property {Sandbox} sandbox
 * @property {Commanding} command
 * @property {any} learn
 * @property {any} share
 * @property {any} compare
 * @property {any} find
 */

/** @type {App} */
export const FIRST = {
  mode: "replay",
  source: null,
  meta: null,
  recipe: null,
  parked: {},
  panel: "verdict",
  sheet: null,
  welcome: null,
  toast: null,
  runs: null,
  stories: null,
  busy: null,
  progress: 0,
  trouble: null,
  notice: null,
  name: "",
  timeline: null,
  cursor: -1,
  instance: 0,
  playing: false,
  playTo: Infinity,
  speed: 1,
  axis: "order",
  left: 0,
  scale: 16,
  width: 1000,
  future: true,
  peeked: false,
  causes: false,
  hover: -1,
  selected: -1,
  node: null,
  picked: [],
  filter: { node: "", level: "detail", text: "" },
  theme: "light",
  live: LIVE_FIRST,
  sandbox: SANDBOX_FIRST,
  command: COMMAND_FIRST,
  // The rooms bring their own (shell/rooms.js).
  learn: {},
  share: {},
  compare: {},
  find: {},
};

const RANK = { story: 0, detail: 1, quiet: 2 };
/** A comfortable distance between events; a whole run is shown when it fits with no less than the second. */
const SCALE_USUAL = 17;
const SCALE_FITS = 11;

/**
 * @typedef {object} Opened a run that has been read and indexed
 * @property {Timeline} timeline
 * @property {string} name
 * @property {Source} source
 * @property {string | null} notice
 * @property {any} meta
 * @property {any} [recipe]
 */

/** Where the page stands when it shows something of this kind. @type {Record<Source["kind"], Mode>} */
const MODE_OF = { run: "replay", file: "replay", story: "story", live: "live", sandbox: "sandbox" };

/** What belongs to a run that is shown, and comes back with it. @type {(keyof App)[]} */
const OF_A_RUN = ["source", "meta", "recipe", "name", "notice", "timeline", "cursor", "instance", "left", "scale", "axis", "panel", "selected"];

/** The tab of the header that a mode belongs to. @param {Mode} mode @returns {"replay" | "live" | "sandbox"} */
export function tabOf(mode) {
  return mode === "story" ? "replay" : mode;
}

/**
 * Go to another mode, and find there what was left there.
 * @param {App} app @param {"replay" | "live" | "sandbox"} tab @returns {App}
 */
export function modeChanged(app, tab) {
  if (tabOf(app.mode) === tab) return app;
  const left = Object.fromEntries([...OF_A_RUN, /** @type {const} */ ("mode")].map((name) => [name, app[name]]));
  const parked = { ...app.parked, [tabOf(app.mode)]: left };
  const panel = tab === "replay" ? "verdict" : "do";
  /** @type {Partial<App>} */
  const bare = { source: null, meta: null, recipe: null, name: "", notice: null, timeline: null, cursor: -1, instance: 0, panel };
  const still = { playing: false, hover: -1, selected: -1, node: null, picked: [], causes: false, busy: null, trouble: null };
  return { ...app, ...still, mode: tab, ...bare, ...parked[tab], parked };
}

/**
 * Show a run.
 * @param {App} app @param {Opened} run @param {Moment} [moment]
 * @returns {App}
 */
export function opened(app, { timeline, name, source, notice, meta, recipe = null }, moment = {}) {
  const instance = timeline.instances.includes(moment.instance ?? 0) ? (moment.instance ?? 0) : 0;
  const mode = MODE_OF[source.kind];
  const shown = { ...modeChanged(app, tabOf(mode)), mode, timeline, name, source, meta, recipe, notice, instance, busy: null, trouble: null };
  const clean = { ...shown, sheet: app.sheet === "runs" ? null : app.sheet, playing: false, hover: -1, selected: -1, node: null };
  const hushed = { welcome: null, future: app.welcome === null ? app.future : true, peeked: false };
  const fresh = { ...clean, ...hushed, picked: [], causes: false, filter: { ...app.filter, node: "", text: "" } };
  return followed(refitted({ ...fresh, cursor: firstCursor(timeline, moment) }));
}

/** The place of a line, if there is such a line. @param {Timeline} timeline @param {string} name */
function found(timeline, name) {
  const at = timeline.at(name);
  return at < 0 ? undefined : at;
}

/**
 * Where a run opens: where the link says, else where it is not as it should
 * be, else at its first event that matters.
 * @param {Timeline} timeline @param {Moment} moment
 */
function firstCursor(timeline, moment) {
  const place = moment.at === undefined ? undefined : found(timeline, moment.at);
  const violation = timeline.points.find((point) => point.kind === "violation");
  return place ?? violation?.at ?? Math.max(timeline.rank.indexOf(0), 0);
}

/** Where now stands in the view while a live run is followed, from the left. */
const NOW_PART = 0.86;

/**
 * The same run with more lines.
 * @param {App} app @param {Timeline} timeline @param {number} cursor
 * @param {boolean} following whether the view goes along with the cursor
 * @returns {App}
 */
export function regrown(app, timeline, cursor, following) {
  const next = { ...app, timeline, cursor };
  if (!following) return next;
  const wide = laneWidth(app.width) / app.scale;
  const x = layout(timeline, app.instance, app.axis).x[Math.max(cursor, 0)];
  return panned({ ...next, left: x - wide * NOW_PART }, 0);
}

/** What is shown has been judged. @param {App} app @param {Timeline} timeline the same run, with its verdict @returns {App} */
export function judged(app, timeline) {
  return { ...app, timeline };
}

/** Play, or stop; from the start again where it has ended. @param {App} app @returns {App} */
export function playToggled(app) {
  if (app.timeline === null) return app;
  const atEnd = app.cursor >= app.timeline.length - 1;
  return { ...(atEnd && !app.playing ? moved(app, 0) : app), playing: !app.playing, playTo: Infinity };
}

/** Be at a line at once; but at a violation on the way, where playing would have stopped. @param {App} app @param {number} to @returns {App} */
export function rushed(app, to) {
  const wrong = app.timeline === null ? Infinity : violationAfter(app.timeline, app.cursor, app.instance);
  return wrong <= to ? { ...moved(app, wrong), panel: panelOfWrong(app) } : moved(app, to);
}

/** What stands beside a violation: what proves it; but whoever gives commands keeps them, and is led there. @param {App} app @returns {Panel} */
function panelOfWrong({ mode, panel }) {
  return mode === "sandbox" && panel === "do" ? panel : "verdict";
}

/** How many events playing stops at on its way to a line. @param {App} app @param {number} to */
export function stopsTo(app, to) {
  let count = 0;
  for (let at = app.cursor + 1; at <= to; at += 1) if (stopsAt(app, at)) count += 1;
  return count;
}

/** Open the message of the cursor's line, or close the one that is open. @param {App} app @returns {App} */
export function messageToggled(app) {
  return { ...app, selected: app.timeline === null || app.selected >= 0 ? -1 : app.timeline.flightAt[app.cursor] };
}

/** Select nothing, and close what is open. @param {App} app @returns {App} */
export function closed(app) {
  const clear = { selected: -1, node: null, picked: [], causes: false, sheet: null, trouble: null };
  const command = { ...app.command, form: null, asking: null, line: null };
  const sandbox = { ...app.sandbox, making: false };
  return { ...app, ...clear, command, sandbox, filter: { ...app.filter, node: "" }, welcome: app.welcome === null ? null : "closed" };
}

/** @param {App} app @param {string} node @returns {App} */
export function nodePicked(app, node) {
  const picked = app.node === node ? null : node;
  return { ...app, node: picked, filter: { ...app.filter, node: picked ?? "" } };
}

/** @param {App} app @param {number} flight @returns {App} */
export function messagePicked(app, flight) {
  return { ...app, selected: app.selected === flight ? -1 : flight };
}

/** Open a sheet, or close it when it is open. @param {App} app @param {Sheet} sheet @returns {App} */
export function sheetToggled(app, sheet) {
  return { ...app, sheet: app.sheet === sheet ? null : sheet, trouble: null };
}

/** Mark a node for one side of a partition, or unmark it. @param {App} app @param {string} node @returns {App} */
export function nodeMarked(app, node) {
  const picked = app.picked.includes(node) ? app.picked.filter((one) => one !== node) : [...app.picked, node];
  return { ...app, picked };
}

/** @param {App} app @param {number} cursor @returns {App} */
export function moved(app, cursor) {
  if (app.timeline === null) return app;
  const last = app.timeline.length - 1;
  return followed({ ...app, cursor: Math.min(Math.max(cursor, 0), last) });
}

/**
 * Go to where the run rests; from there to the very last line, which may only
 * close the log. A live run has no last line yet.
 * @param {App} app @returns {App}
 */
export function ended(app) {
  if (app.timeline === null) return app;
  const rest = restOf(app.timeline);
  return moved(app, app.mode !== "live" && app.cursor < rest ? rest : app.timeline.length - 1);
}

/**
 * Go to the next or previous event, passing over what the filter's level leaves out.
 * @param {App} app @param {1 | -1} direction @returns {App}
 */
export function stepped(app, direction) {
  if (app.timeline === null) return app;
  const last = app.timeline.length - 1;
  let at = app.cursor + direction;
  while (at > 0 && at < last && !stopsAt(app, at)) at += direction;
  return moved(app, at);
}

/** @param {App} app @param {number} at */
function stopsAt({ timeline, filter, instance }, at) {
  if (timeline === null || !timeline.ours[at]) return false;
  const about = timeline.instanceOf(at);
  return timeline.rank[at] <= RANK[filter.level] && (instance === 0 || about === 0 || about === instance);
}

/**
 * Go to the next or previous turning point.
 * @param {App} app @param {1 | -1} direction @returns {App}
 */
export function turned(app, direction) {
  if (app.timeline === null) return app;
  const at = pointAfter(app.timeline, app.cursor, app.instance, direction);
  return moved(app, at >= 0 ? at : direction > 0 ? app.timeline.length - 1 : 0);
}

/** The turning points of what is shown. @param {Pick<App, "timeline" | "instance">} app */
export function pointsOf({ timeline, instance }) {
  const points = timeline?.points ?? [];
  return points.filter((point) => instance === 0 || point.instance === null || point.instance === instance);
}

/** What kinds of turning points a line is. @param {App} app @param {number} at @returns {string[]} */
export function pointsAt({ timeline, instance }, at) {
  if (timeline === null) return [];
  const points = timeline.points;
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].at < at) low = middle + 1;
    else high = middle;
  }
  /** @type {string[]} */
  const kinds = [];
  for (; low < points.length && points[low].at === at; low += 1) {
    const about = points[low].instance;
    if (instance === 0 || about === null || about === instance) kinds.push(points[low].kind);
  }
  return kinds;
}

/**
 * One tick of playing. It stops at the end, where it was to stop, and at a violation.
 * @param {App} app @param {boolean} jump whether to go by turning points
 * @returns {App}
 */
export function played(app, jump) {
  const next = jump ? turned(app, 1) : stepped(app, 1);
  const over = app.timeline === null || next.cursor >= Math.min(app.timeline.length - 1, app.playTo);
  const wrong = app.timeline !== null && violationAfter(app.timeline, app.cursor, next.instance) <= next.cursor;
  if (wrong) return { ...next, playing: false, panel: panelOfWrong(app) };
  return over ? { ...next, playing: false } : next;
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

/**
 * The instance that the table and the meters speak of: the one chosen, else
 * the one that the cursor's line, or the last before it, is about.
 * @param {App} app
 */
export function currentInstance({ timeline, instance, cursor }) {
  if (instance !== 0 || timeline === null) return instance;
  return timeline.current[Math.max(cursor, 0)] || (timeline.instances[0] ?? 0);
}
