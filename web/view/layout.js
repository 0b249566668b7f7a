// Where things stand in the space-time view: lanes, places along the axis,
// and the way of every message. Pure geometry; spacetime.js draws it.

/** @import {Timeline, Flight} from "../log/timeline.js" */
/** @import {Core} from "../log/core.js" */

import { FIRST_SIGN, SHAPES, roomier } from "../log/columns.js";
import { restOf } from "../log/timeline.js";
import { lostAt } from "./fates.js";
import { spansOf } from "./seen.js";

/** How far lines stand apart, in slots. */
const STEP = 1;
const STEP_SAME_NODE = 0.62;
const STEP_QUIET = 0.14;
/** The first start of a node is no news. */
const STEP_FIRST_START = 0.3;
/** How far a message that never arrives is drawn. */
export const LOST_SLOTS = 2.4;
/** Of so many layouts the columns are kept. */
const LAYOUTS = 4;
/** The lines of a fan-out share a place, and others may slip between them: at most so many. */
const FAN_REACH = 256;

const START = SHAPES.indexOf("start");

/**
 * @typedef {object} Layout
 * @property {Float64Array} x per line, in slots
 * @property {Float64Array} place the same before fan-outs were put together: it never goes back
 * @property {Uint8Array} shown per line: whether it belongs to what is shown
 * @property {number} width in slots
 */

/**
 * A layout that goes on as its timeline grows.
 * @typedef {object} Growing
 * @property {string} name
 * @property {number} count
 * @property {Float64Array} x
 * @property {Float64Array} place
 * @property {Uint8Array} shown
 * @property {number} last the place reached
 * @property {number} previous the node of the last line that was shown
 * @property {number} slotsPerMs 0: by order
 * @property {Layout | null} cut
 */

/** @type {WeakMap<Core, Map<string, Growing>>} */
const made = new WeakMap();

/**
 * Lines along the axis: in the order of the log, where every line has its
 * place and dense moments don't overlap, or by time.
 * @param {Timeline} timeline
 * @param {number} instance 0 for all
 * @param {"order" | "time"} axis
 * @returns {Layout}
 */
export function layout(timeline, instance, axis) {
  const order = extendedLayout(timeline, `${instance}`, instance, 0);
  if (axis === "order" || timeline.length === 0) return cutOf(order, timeline.length);
  // Lines that only close the log come long after all else: they would leave no room for it.
  const last = timeline.ms[restOf(timeline)];
  if (last <= 0) return cutOf(order, timeline.length);
  // A run that grows keeps its scale, until it no longer fits at all.
  const known = made.get(timeline.core)?.get(`${instance} time`);
  const wanted = order.last / last;
  const ratio = known === undefined ? 0 : wanted / known.slotsPerMs;
  const fits = known !== undefined && (known.count === timeline.length || (ratio > 0.25 && ratio < 4));
  if (!fits) made.get(timeline.core)?.delete(`${instance} time`);
  return cutOf(extendedLayout(timeline, `${instance} time`, instance, fits ? known.slotsPerMs : wanted), timeline.length);
}

/** @param {Timeline} timeline @param {string} name @param {number} instance @param {number} slotsPerMs @returns {Growing} */
function extendedLayout(timeline, name, instance, slotsPerMs) {
  const known = made.get(timeline.core) ?? new Map();
  made.set(timeline.core, known);
  let grown = known.get(name);
  if (grown === undefined) {
    const none = new Float64Array(0);
    grown = { name, count: 0, x: none, place: none, shown: new Uint8Array(0), last: 0, previous: -1, slotsPerMs, cut: null };
    if (known.size >= LAYOUTS) known.delete(known.keys().next().value);
    known.set(name, grown);
  }
  if (grown.count < timeline.length) extend(timeline, grown, instance, restOf(timeline));
  return grown;
}

/** @param {Timeline} timeline @param {Growing} grown @param {number} instance @param {number} rest the last line that does not only close the log */
function extend({ core, length, ours, ms }, grown, instance, rest) {
  if (length > grown.x.length) {
    const room = Math.max(length, roomier(grown.x.length));
    for (const name of /** @type {const} */ (["x", "place"])) {
      const wider = new Float64Array(room);
      wider.set(grown[name]);
      grown[name] = wider;
    }
    const wider = new Uint8Array(room);
    wider.set(grown.shown);
    grown.shown = wider;
  }
  const { instance: of, head, rank, shape, node } = core.tables.lines.columns;
  const { x, place, shown, slotsPerMs } = grown;
  const mostX = slotsPerMs > 0 ? ms[rest] * slotsPerMs + STEP : 0;
  for (let at = grown.count; at < length; at += 1) {
    const seen = ours[at] === 1 && (instance === 0 || of[at] === 0 || of[at] === instance);
    shown[at] = seen ? 1 : 0;
    if (slotsPerMs > 0) {
      x[at] = place[at] = Math.min(ms[at] * slotsPerMs, mostX);
      grown.last = Math.max(grown.last, x[at]);
      continue;
    }
    if (seen && head[at] === at) {
      const quiet = rank[at] === 2 || (shape[at] === 0 && !isSent(core, at));
      if (quiet) grown.last += STEP_QUIET;
      else {
        grown.last += shape[at] === START ? STEP_FIRST_START : node[at] === grown.previous ? STEP_SAME_NODE : STEP;
        grown.previous = node[at];
      }
    }
    place[at] = grown.last;
    x[at] = place[head[at]];
  }
  grown.count = length;
  grown.cut = null;
}

/** @param {Core} core @param {number} at */
function isSent(core, at) {
  const flight = core.tables.lines.columns.flight[at];
  return flight >= 0 && core.tables.flights.columns.sent[flight] === at;
}

/** @param {Growing} grown @param {number} length @returns {Layout} */
function cutOf(grown, length) {
  grown.cut ??= {
    x: grown.x.subarray(0, length),
    place: grown.place.subarray(0, length),
    shown: grown.shown.subarray(0, length),
    width: grown.last + STEP,
  };
  return grown.cut;
}

/**
 * @typedef {object} Geometry
 * @property {number} width
 * @property {number} height
 * @property {number} gutter left of the lanes, for names
 * @property {number} top above the lanes, for what concerns all of them
 * @property {number} bottom below them, for the axis
 * @property {number} gap between lanes
 * @property {number} left the slot at the left edge
 * @property {number} scale pixels per slot
 * @property {Layout} layout
 * @property {Map<string, number>} lane y of each node
 * @property {Float64Array} laneOf y by a node's number in the columns; NaN where it has no lane
 * @property {[number, number]} span the lines in sight: the first, and the one after the last
 */

export const SCALE_LEAST = 0.0002;
export const SCALE_MOST = 60;
/** Below this many pixels per slot arrows would stand upright: ballots are drawn instead. */
export const SCALE_OF_BALLOTS = 4;

/**
 * @param {Timeline} timeline
 * @param {{instance: number, axis: "order" | "time", left: number, scale: number}} view
 * @param {number} width in pixels
 * @returns {Geometry}
 */
export function geometry(timeline, { instance, axis, left, scale }, width) {
  const gap = timeline.lanes.length > 7 ? 42 : timeline.lanes.length > 5 ? 48 : 55;
  const narrow = width < 600;
  const [gutter, top, bottom] = [narrow ? 34 : 48, 68, 26];
  const lane = new Map(timeline.lanes.map((node, index) => [node, top + gap * index]));
  const where = layout(timeline, instance, axis);
  const slots = (/** @type {number} */ px) => left + (px - gutter - 14) / scale;
  // A little more than what is in sight: signs have a width, and the lines of a fan-out stand at its first.
  const first = firstAt(where.place, slots(gutter - 40));
  const end = firstAt(where.place, slots(width + 40));
  return {
    width,
    height: top + gap * (timeline.lanes.length - 1) + 22 + bottom,
    gutter,
    top,
    bottom,
    gap,
    left,
    scale,
    layout: where,
    lane,
    laneOf: Float64Array.from(timeline.core.known.nodes, (node) => lane.get(node) ?? NaN),
    span: [first, Math.min(end + FAN_REACH, timeline.length)],
  };
}

/** The first line at or behind a place. @param {Float64Array} place @param {number} slot */
export function firstAt(place, slot) {
  let [low, high] = [0, place.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (place[middle] < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {Geometry} geo @param {number} at */
export function xOf(geo, at) {
  const { x } = geo.layout;
  return geo.gutter + 14 + (x[at < x.length ? at : x.length - 1] - geo.left) * geo.scale;
}

/** The room for lanes in pixels. @param {number} width */
export function laneWidth(width) {
  return width - (width < 600 ? 34 : 48) - 28;
}

/**
 * The scale at which a whole run fits.
 * @param {Layout} where @param {number} width
 */
export function fitScale(where, width) {
  return Math.min(Math.max(laneWidth(width) / Math.max(where.width, 1), SCALE_LEAST), SCALE_MOST);
}

/**
 * The line whose place is nearest to an x, among those that are shown.
 * @param {Geometry} geo @param {number} px
 */
export function lineNear(geo, px) {
  const { x, place, shown } = geo.layout;
  const slot = (px - geo.gutter - 14) / geo.scale + geo.left;
  const low = Math.min(firstAt(place, slot), place.length - 1);
  let best = low;
  // Of one instance only some lines are shown, and they may lie apart.
  const reach = shown[low] ? 8 : 4_000;
  for (let at = Math.max(0, low - reach); at <= Math.min(x.length - 1, low + reach); at += 1) {
    if (shown[at] && (!shown[best] || Math.abs(x[at] - slot) < Math.abs(x[best] - slot))) best = at;
  }
  return best;
}

/**
 * @typedef {object} Way
 * @property {[number, number][]} points from its sender's lane to where it ends
 * @property {number} lost the line at which it is lost; Infinity for what arrives or is still under way
 * @property {[number, number][]} under what is drawn of it before it is lost
 */

/**
 * The way of a message: from its sender's lane to where it ends. It runs along
 * a lane where a gate holds it or where a paused node lets it wait.
 * @param {Timeline} timeline @param {Geometry} geo @param {Flight} flight
 * @returns {Way | null} null when a lane is missing
 */
export function wayOf(timeline, geo, flight) {
  const [y0, y1] = [geo.lane.get(flight.source), geo.lane.get(flight.to)];
  if (y0 === undefined || y1 === undefined) return null;
  const x0 = xOf(geo, flight.sent);
  const toward = Math.sign(y1 - y0);
  if (flight.fate !== "received") return stub(timeline, geo, flight, x0, y0, y1);
  const x1 = xOf(geo, flight.ended);
  /** @type {[number, number][]} */
  const points = [[x0, y0]];
  if (toward === 0) {
    points.push([x1, y1]);
    return { points, lost: Infinity, under: points };
  }
  const hold = flight.holds[0];
  if (hold !== undefined) {
    const [from, to] = [xOf(geo, hold.from), xOf(geo, hold.to)];
    const y = hold.node === flight.source ? y0 + toward * 9 : y1 - toward * 9;
    points.push([hold.node === flight.source ? x0 + 3 : from, y], [to, y]);
  } else {
    const asleep = spansOf(timeline, flight.to, "paused").find((span) => span.to <= flight.ended && span.to > flight.sent);
    if (asleep !== undefined) {
      const reached = Math.min(Math.max(x0 + LOST_SLOTS * geo.scale, xOf(geo, asleep.from)), x1);
      points.push([reached, y1 - toward * 8], [xOf(geo, asleep.to), y1 - toward * 8]);
    }
  }
  points.push([x1, y1]);
  return { points, lost: Infinity, under: points };
}

/**
 * Between which neighbouring lanes a wall stands, and whether it stops one direction only.
 * @param {string[]} lanes @param {string[]} cuts
 * @returns {{above: number, oneWay: boolean}[]} `above` is the place of the upper lane
 */
export function wallsBetween(lanes, cuts) {
  const cut = new Set(cuts);
  return lanes.slice(1).flatMap((node, above) => {
    const [down, up] = [cut.has(`${lanes[above]}>${node}`), cut.has(`${node}>${lanes[above]}`)];
    return down || up ? [{ above, oneWay: down !== up }] : [];
  });
}

/** The kinds of message that ask or tell; the others answer. */
const REQUESTS = new Set(["prepare", "accept", "learn", "status"]);
/** How far from its addressee's lane something is lost or under way, in gaps between lanes. */
const OFF_LANE = { walled: 0.5, dropped: 0.35, failed: 0.35, died: 0.15, open: 0.5, received: 0 };
/** The same for what a node sends to itself: how much of its way it gets. */
const OF_LOOP = { walled: 0.5, dropped: 0.5, failed: 0.86, died: 0.94, open: 0.7, received: 1 };

/**
 * The way of what does not arrive, as far as it gets: straight, and as steep as
 * the lanes lie apart.
 * @param {Timeline} timeline @param {Geometry} geo @param {Flight} flight
 * @param {number} x0 @param {number} y0 @param {number} y1 @returns {Way}
 */
function stub(timeline, geo, flight, x0, y0, y1) {
  const run = Math.max(LOST_SLOTS * geo.scale, 10);
  const upTo = (/** @type {number} */ part) => /** @type {[number, number][]} */ ([[x0, y0], [x0 + run * part, y0 + (y1 - y0) * part]]);
  const part = lostPart(timeline, geo, flight, y0, y1);
  const open = lostPart(timeline, geo, { ...flight, fate: "open" }, y0, y1);
  return { points: upTo(part), lost: lostAt(timeline, flight), under: upTo(Math.min(part, open)) };
}

/**
 * Which part of its way a message gets that does not arrive. It never ends on
 * the lane of a third node: that would tell of something there.
 * @param {Timeline} timeline @param {Geometry} geo @param {Flight} flight
 * @param {number} y0 @param {number} y1
 */
function lostPart(timeline, geo, flight, y0, y1) {
  if (y0 === y1) return OF_LOOP[flight.fate];
  if (flight.fate === "walled") return wallPart(timeline, geo, flight, y0, y1);
  const off = (OFF_LANE[flight.fate] * geo.gap) / Math.abs(y1 - y0);
  // A request is dropped at its sender's gate, a reply at its addressee's.
  if (flight.fate === "dropped" && REQUESTS.has(flight.kind)) return off;
  const dead = lostAt(timeline, flight) < Infinity && spansOf(timeline, flight.to, "down").some((span) => span.from <= flight.ended && span.to >= flight.sent);
  return dead ? 0.97 : 1 - off;
}

/**
 * How far a message gets before the first wall on its way.
 * @param {Timeline} timeline @param {Geometry} geo @param {Flight} flight @param {number} y0 @param {number} y1
 */
function wallPart(timeline, geo, flight, y0, y1) {
  const span = timeline.walls.find((wall) => wall.from <= flight.ended && wall.to >= flight.ended);
  const parts = wallsBetween(timeline.lanes, span?.cuts ?? [])
    .map(({ above }) => (geo.top + geo.gap * (above + 0.5) - y0) / (y1 - y0))
    .filter((part) => part > 0 && part < 1);
  // Where there is a way round for others no wall stands between two lanes.
  return parts.length === 0 ? 1 - (OFF_LANE.walled * geo.gap) / Math.abs(y1 - y0) : Math.min(...parts);
}

/** Whether a line wears a sign on its lane. @param {Timeline} timeline @param {number} at */
export function hasSign({ core }, at) {
  return core.tables.lines.columns.shape[at] >= FIRST_SIGN;
}

/** Call with every ballot that may be seen. @param {Timeline} timeline @param {Geometry} geo @param {(place: number) => void} take */
export function eachBallot({ core }, geo, take) {
  const { from } = core.tables.ballots.columns;
  const [first, end] = geo.span;
  core.ballotEnds.each(firstFrom(from, core.tables.ballots.count, end), first, take);
}

/** How many of the first `count` entries are below a line. @param {ArrayLike<number>} column @param {number} count @param {number} at */
function firstFrom(column, count, at) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Call with every message that may be seen. @param {Timeline} timeline @param {Geometry} geo @param {(place: number) => void} take */
export function eachFlight({ core }, geo, take) {
  const { sent } = core.tables.flights.columns;
  const [first, end] = geo.span;
  // What never arrives is drawn as a stub behind its beginning.
  const reached = firstAt(geo.layout.place, geo.layout.place[Math.min(first, geo.layout.place.length - 1)] - LOST_SLOTS - 12 / geo.scale);
  core.reaches.each(firstFrom(sent, core.tables.flights.count, end), reached, take);
}
