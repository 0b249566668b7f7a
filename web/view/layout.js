// Where things stand in the space-time view: lanes, places along the axis,
// and the way of every message. Pure geometry; spacetime.js draws it.

/** @import {Timeline, Flight} from "../log/timeline.js" */

/** How far lines stand apart, in slots. */
const STEP = 1;
const STEP_SAME_NODE = 0.62;
const STEP_QUIET = 0.14;
/** The first start of a node is no news. */
const STEP_FIRST_START = 0.3;
/** How far a message that never arrives is drawn. */
const LOST_SLOTS = 2.4;

/**
 * @typedef {object} Layout
 * @property {Float64Array} x per line, in slots
 * @property {Uint8Array} shown per line: whether it belongs to what is shown
 * @property {number} width in slots
 */

/** @type {WeakMap<Timeline, Map<string, Layout>>} */
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
  const known = made.get(timeline) ?? new Map();
  made.set(timeline, known);
  const name = `${instance} ${axis}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const order = byOrder(timeline, instance);
  const last = timeline.ms[timeline.ms.length - 1];
  const fitted =
    axis === "order" || last <= 0 ? order : { ...order, x: timeline.ms.map((ms) => (ms / last) * order.width) };
  known.set(name, fitted);
  return fitted;
}

/** @param {Timeline} timeline @param {number} instance @returns {Layout} */
function byOrder({ lines, head, levels, marks, ours }, instance) {
  const x = new Float64Array(lines.length);
  const shown = new Uint8Array(lines.length);
  let place = 0;
  let previous = "";
  lines.forEach((line, at) => {
    shown[at] = ours[at] && (instance === 0 || line.instance === undefined || line.instance === instance) ? 1 : 0;
    if (head[at] !== at) {
      x[at] = x[head[at]];
      return;
    }
    if (shown[at]) {
      const quiet = levels[at] === "quiet" || (marks[at].shape === "none" && !line.event.endsWith("_sent"));
      const step = line.node === previous ? STEP_SAME_NODE : STEP;
      place += quiet ? STEP_QUIET : marks[at].shape === "start" ? STEP_FIRST_START : step;
      if (!quiet) previous = line.node;
    }
    x[at] = place;
  });
  return { x, shown, width: place + STEP };
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
 */

export const SCALE_LEAST = 0.02;
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
  return {
    width,
    height: top + gap * (timeline.lanes.length - 1) + 22 + bottom,
    gutter,
    top,
    bottom,
    gap,
    left,
    scale,
    layout: layout(timeline, instance, axis),
    lane: new Map(timeline.lanes.map((node, index) => [node, top + gap * index])),
  };
}

/** @param {Geometry} geo @param {number} at */
export function xOf(geo, at) {
  return geo.gutter + 14 + (geo.layout.x[at] - geo.left) * geo.scale;
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
  const { x, shown } = geo.layout;
  const place = (px - geo.gutter - 14) / geo.scale + geo.left;
  let [low, high] = [0, x.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < place) low = middle + 1;
    else high = middle;
  }
  let best = low;
  for (let at = Math.max(0, low - 8); at <= Math.min(x.length - 1, low + 8); at += 1) {
    if (shown[at] && (!shown[best] || Math.abs(x[at] - place) < Math.abs(x[best] - place))) best = at;
  }
  return best;
}

/**
 * The way of a message: from its sender's lane to where it ends. It runs along
 * a lane where a gate holds it or where a paused node lets it wait.
 * @param {Timeline} timeline @param {Geometry} geo @param {Flight} flight
 * @returns {{points: [number, number][], lost: boolean} | null} null when a lane is missing
 */
export function wayOf(timeline, geo, flight) {
  const [y0, y1] = [geo.lane.get(flight.source), geo.lane.get(flight.to)];
  if (y0 === undefined || y1 === undefined) return null;
  const x0 = xOf(geo, flight.sent);
  const toward = Math.sign(y1 - y0);
  if (flight.fate !== "received") return { points: lostWay(timeline, geo, flight, x0, y0, y1), lost: true };
  const x1 = xOf(geo, flight.ended);
  if (toward === 0) return { points: [[x0, y0], [x1, y1]], lost: false };
  /** @type {[number, number][]} */
  const points = [[x0, y0]];
  const hold = flight.holds[0];
  if (hold !== undefined) {
    const [from, to] = [xOf(geo, hold.from), xOf(geo, hold.to)];
    const y = hold.node === flight.source ? y0 + toward * 9 : y1 - toward * 9;
    points.push([hold.node === flight.source ? x0 + 3 : from, y], [to, y]);
  } else {
    const asleep = timeline.nodeSpans.find(
      (span) => span.node === flight.to && span.status === "paused" && span.to <= flight.ended && span.to > flight.sent,
    );
    if (asleep !== undefined) {
      const reached = Math.min(Math.max(x0 + LOST_SLOTS * geo.scale, xOf(geo, asleep.from)), x1);
      points.push([reached, y1 - toward * 8], [xOf(geo, asleep.to), y1 - toward * 8]);
    }
  }
  points.push([x1, y1]);
  return { points, lost: false };
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

/**
 * @param {Timeline} timeline @param {Geometry} geo @param {Flight} flight
 * @param {number} x0 @param {number} y0 @param {number} y1 @returns {[number, number][]}
 */
function lostWay(timeline, geo, flight, x0, y0, y1) {
  // A request is dropped at its sender's gate, a reply at its addressee's; a
  // wall is not crossed; a dead lane is reached.
  const request = ["prepare", "accept", "learn", "status"].includes(flight.kind);
  const reach = { walled: 0.5, dropped: request ? 0.22 : 0.78, failed: 0.86, died: 0.94, open: 0.7, received: 1 };
  const dead = timeline.nodeSpans.some(
    (span) => span.node === flight.to && span.status === "down" && span.from <= flight.ended && span.to >= flight.sent,
  );
  const part = flight.fate === "walled" ? wallPart(timeline, geo, flight, y0, y1) : dead ? 0.97 : reach[flight.fate];
  const run = Math.max(LOST_SLOTS * geo.scale, 10) * part;
  if (y0 === y1) return [[x0, y0], [x0 + run, y0]];
  return [[x0, y0], [x0 + run, y0 + (y1 - y0) * part]];
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
  return parts.length === 0 ? 0.5 : Math.min(...parts);
}
