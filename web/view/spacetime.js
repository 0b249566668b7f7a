// Draws the space-time view on a canvas: a pure function of the page's state,
// but for the pixels. layout.js says where things stand, palette.js in which
// colours; the encodings (weight, dash, head, shape) are listed in legend.js.

/** @import {Timeline, Flight, BallotSpan} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */
/** @import {Palette} from "./palette.js" */

import { SCALE_OF_BALLOTS, wallsBetween, wayOf, xOf } from "./layout.js";
import { arrow, cross, hatch, label, mark, square } from "./shapes.js";
import { shortText, styleOf } from "../log/values.js";
import { words } from "../words.js";

/** How each kind of message is drawn: request solid with a filled head, reply dashed with a hollow one. */
export const STROKES = {
  prepare: { colour: "prepare", width: 1.5, dash: [], filled: true },
  promise: { colour: "prepare", width: 1.5, dash: [6, 4], filled: false },
  accept: { colour: "accept", width: 3, dash: [], filled: true },
  accepted: { colour: "accepted", width: 3, dash: [7, 4], filled: false },
  nack: { colour: "nack", width: 1.8, dash: [1.5, 3.5], filled: false },
  learn: { colour: "learn", width: 1.8, dash: [], filled: true },
  learned: { colour: "quiet", width: 1, dash: [4, 4], filled: false },
  status: { colour: "quiet", width: 1, dash: [], filled: true },
};

/**
 * What of the page's state the drawing depends on.
 * @typedef {object} Scene
 * @property {Timeline} timeline
 * @property {number} cursor
 * @property {boolean} future whether what comes after the cursor is shown, faintly
 * @property {number} instance the one whose learning fills the lanes
 * @property {string | null} node the selected one
 * @property {number} selected a message, -1 for none
 * @property {Uint8Array | null} related what is lit, by causality
 */

const FAINT = 0.17;
/** In pixels: a wall that is shorter than this is on its way up or down. */
const WALL_LEAST = 24;

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Geometry} geo
 * @param {Scene} scene
 * @param {Palette} palette
 */
export function paint(ctx, geo, scene, palette) {
  ctx.clearRect(0, 0, geo.width, geo.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(geo.gutter, 0, geo.width - geo.gutter, geo.height);
  ctx.clip();
  const now = nowX(geo, scene.cursor);
  axis(ctx, geo, scene, palette);
  steps(ctx, geo, scene, palette);
  learnedFills(ctx, geo, scene, palette, now);
  walls(ctx, geo, scene, palette, now);
  lanes(ctx, geo, scene, palette, now);
  choices(ctx, geo, scene, palette);
  if (geo.scale < SCALE_OF_BALLOTS) {
    ballots(ctx, geo, scene, palette, now);
  } else {
    messages(ctx, geo, scene, palette, now);
    marks(ctx, geo, scene, palette);
  }
  violations(ctx, geo, scene, palette);
  cursorLine(ctx, geo, palette, now);
  ctx.restore();
  names(ctx, geo, scene, palette);
}

/** The cursor stands just behind its line. @param {Geometry} geo @param {number} cursor */
export function nowX(geo, cursor) {
  return cursor < 0 ? geo.gutter + 4 : xOf(geo, cursor) + Math.min(8, Math.max(2, geo.scale * 0.4));
}

/**
 * How visible something of the line at `at` is.
 * @param {Scene} scene @param {number} at
 */
function weight(scene, at) {
  const time = at <= scene.cursor ? 1 : scene.future ? FAINT : 0;
  return scene.related === null || scene.related[at] > 0 ? time : time * 0.14;
}

/** @param {Geometry} geo @param {number} from @param {number} to */
function visible(geo, from, to) {
  return to >= geo.gutter - 40 && from <= geo.width + 40;
}

/* --- behind everything ------------------------------------------------------------ */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function axis(ctx, geo, { timeline, cursor, future }, palette) {
  const y = geo.height - 8;
  ctx.font = "11px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.fillStyle = palette.muted;
  let free = geo.gutter;
  for (let px = geo.gutter + 40; px < geo.width - 30; px += 20) {
    if (px < free) continue;
    const at = nearestAt(geo, px);
    if (at < 0 || (at > cursor && !future)) continue;
    const x = xOf(geo, at);
    if (x < free) continue;
    const text = words.ms(timeline.ms[at]);
    ctx.fillRect(x - 0.5, y - 16, 1, 4);
    ctx.fillText(text, x, y);
    free = x + Math.max(110, ctx.measureText(text).width + 40);
  }
}

/**
 * The scenario's steps, as chapters.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette
 */
function steps(ctx, geo, { timeline, cursor, future }, palette) {
  const { lines, steps: places } = timeline;
  ctx.font = "italic 12px system-ui, sans-serif";
  ctx.textAlign = "left";
  places.forEach((at, index) => {
    if (at > cursor && !future) return;
    const next = places[index + 1];
    const x = xOf(geo, at);
    const end = Math.min(next === undefined ? geo.width : xOf(geo, next), geo.width) - 10;
    if (end < geo.gutter || x > geo.width) return;
    ctx.globalAlpha = at <= cursor ? 1 : 0.45;
    ctx.fillStyle = palette.line;
    ctx.fillRect(x, 28, 1, geo.height - geo.bottom - 28);
    const left = Math.max(x, geo.gutter) + 5;
    const text = cutTo(ctx, `${lines[at].step}. ${lines[at].say}`, end - left);
    ctx.fillStyle = palette.muted;
    if (text !== "") ctx.fillText(text, left, 38);
  });
  ctx.globalAlpha = 1;
}

/**
 * As much of a text as there is room for.
 * @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} room
 */
function cutTo(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  const most = Math.floor((text.length * room) / ctx.measureText(text).width) - 1;
  return most < 4 ? "" : `${text.slice(0, most).trimEnd()}…`;
}

/** @param {Geometry} geo @param {number} px */
function nearestAt(geo, px) {
  const { x } = geo.layout;
  const place = (px - geo.gutter - 14) / geo.scale + geo.left;
  if (x.length === 0 || place < 0 || place > x[x.length - 1]) return -1;
  let [low, high] = [0, x.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function learnedFills(ctx, geo, { timeline, instance, future }, palette, now) {
  const half = Math.min(10, geo.gap / 5);
  for (const span of timeline.learned) {
    if (span.instance !== instance) continue;
    const y = geo.lane.get(span.node);
    const [from, to] = [xOf(geo, span.from), endX(timeline, geo, span.to)];
    if (y === undefined || !visible(geo, from, to)) continue;
    const style = styleOf(timeline.values, span.value);
    split(ctx, geo, from, to, now, future, (alpha) => {
      ctx.globalAlpha = alpha * palette.fillAlpha;
      ctx.fillStyle = style.colour;
      ctx.fillRect(from, y - half, to - from, half * 2);
      ctx.globalAlpha = alpha;
    });
  }
}

/** The log's end runs on to the edge. @param {Timeline} timeline @param {Geometry} geo @param {number} at */
function endX(timeline, geo, at) {
  return at >= timeline.lines.length - 1 ? xOf(geo, at) + 14 : xOf(geo, at);
}

/**
 * Draw what lies before the cursor in full, and faintly what lies after it.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo
 * @param {number} from @param {number} to @param {number} now @param {boolean} future
 * @param {(alpha: number) => void} draw
 */
function split(ctx, geo, from, to, now, future, draw) {
  const clipped = (/** @type {number} */ left, /** @type {number} */ right, /** @type {number} */ alpha) => {
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, 0, right - left, geo.height);
    ctx.clip();
    ctx.globalAlpha = alpha;
    draw(alpha);
    ctx.restore();
  };
  if (from < now) clipped(0, now, 1);
  if (to > now && future) clipped(now, geo.width, FAINT + 0.05);
  ctx.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function walls(ctx, geo, { timeline, future }, palette, now) {
  for (const wall of timeline.walls) {
    const [from, to] = [xOf(geo, wall.from), endX(timeline, geo, wall.to)];
    if (!visible(geo, from, to)) continue;
    const between = wallsBetween(timeline.lanes, wall.cuts).map(({ above, oneWay }) => ({
      y: geo.top + geo.gap * (above + 0.5),
      oneWay,
    }));
    // Gates are set one after another, and each step has its own cuts for a
    // moment: what is no wall yet is not worth a sign of its own.
    if (between.length === 0 && to - from < WALL_LEAST) continue;
    // Cables that are no neighbours in the drawing still show that something is cut.
    const bands = between.length > 0 ? between : [{ y: geo.top + geo.gap * (timeline.lanes.length - 1) + 16, oneWay: true }];
    split(ctx, geo, from, to, now, future, () => {
      for (const { y, oneWay } of bands) hatch(ctx, from, y - 5, to - from, 10, palette.wall, oneWay);
      ctx.fillStyle = palette.wall;
      ctx.font = "600 11px system-ui, sans-serif";
      ctx.textAlign = "left";
      const text = between.length > 0 ? words.wall : words.cutCables(wall.cuts.length);
      if (to - from > ctx.measureText(text).width) ctx.fillText(text, Math.max(from, geo.gutter + 4), bands[0].y - 9);
    });
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function lanes(ctx, geo, { timeline, node: chosen, future }, palette, now) {
  const edge = endX(timeline, geo, timeline.lines.length - 1);
  for (const [node, y] of geo.lane) {
    const spans = timeline.nodeSpans.filter((span) => span.node === node);
    const drawn = spans.length > 0 ? spans : [{ node, status: "unseen", how: null, from: 0, to: timeline.lines.length - 1 }];
    for (const span of drawn) {
      const [from, to] = [span.from === 0 ? geo.gutter : xOf(geo, span.from), span.to >= timeline.lines.length - 1 ? edge : xOf(geo, span.to)];
      if (!visible(geo, from, to)) continue;
      split(ctx, geo, from, to, now, future || span.from === 0, () => {
        ctx.strokeStyle = span.status === "unseen" ? palette.line : node === chosen ? palette.cursor : palette.lane;
        ctx.lineWidth = node === chosen ? 2.4 : 1.4;
        ctx.setLineDash({ down: [1.5, 5], paused: [9, 6], unseen: [2, 6], up: [] }[span.status] ?? []);
        ctx.beginPath();
        ctx.moveTo(from, y);
        ctx.lineTo(to, y);
        ctx.stroke();
        ctx.setLineDash([]);
        if (span.status === "down") cross(ctx, from, y, 7, palette.nack, 3);
        if (span.status === "paused") mark(ctx, "pause", from, y, palette, null);
      });
    }
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function choices(ctx, geo, scene, palette) {
  for (const choice of scene.timeline.chosen) {
    const shown = choice.instance === scene.instance;
    const x = xOf(geo, choice.at);
    if (!visible(geo, x, x) || (!shown && geo.scale < 8)) continue;
    if (choice.at > scene.cursor && !scene.future) continue;
    ctx.globalAlpha = weight({ ...scene, related: null }, choice.at) * (shown ? 1 : 0.4);
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = 2;
    ctx.setLineDash([7, 5]);
    ctx.beginPath();
    ctx.moveTo(x, 24);
    ctx.lineTo(x, geo.height - geo.bottom);
    ctx.stroke();
    ctx.setLineDash([]);
    const style = styleOf(scene.timeline.values, choice.value);
    const text = words.chosenAt(shortText(choice.value), choice.ballot);
    ctx.font = "600 12.5px system-ui, sans-serif";
    const wide = ctx.measureText(text).width + 24;
    const left = x + wide + 8 > geo.width && x - wide > geo.gutter ? x - wide - 6 : x + 2;
    square(ctx, left + 8, 15, 7, style.colour, palette.ink, style.letter);
    ctx.textAlign = "left";
    ctx.fillStyle = palette.ink;
    ctx.fillText(text, left + 20, 19);
  }
  ctx.globalAlpha = 1;
}

/* --- messages ---------------------------------------------------------------------- */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function messages(ctx, geo, scene, palette, now) {
  const { timeline, cursor, future } = scene;
  /** @type {{flight: Flight, way: NonNullable<ReturnType<typeof wayOf>>, alpha: number, picked: boolean}[]} */
  const drawn = [];
  timeline.flights.forEach((flight, place) => {
    if (!geo.layout.shown[flight.sent] || (flight.sent > cursor && !future)) return;
    const way = wayOf(timeline, geo, flight);
    if (way === null || !visible(geo, way.points[0][0], way.points[way.points.length - 1][0])) return;
    const other = scene.instance !== 0 && flight.instance !== null && flight.instance !== scene.instance;
    const lit = scene.related === null || (scene.related[flight.sent] > 0 && (flight.fate !== "received" || scene.related[flight.ended] > 0));
    drawn.push({ flight, way, alpha: (lit ? 1 : 0.12) * (other ? 0.35 : 1), picked: place === scene.selected });
  });
  // What matters most lies on top.
  const rank = { status: 0, learned: 0, learn: 1, nack: 2, prepare: 3, promise: 3, accept: 4, accepted: 4 };
  drawn.sort((one, other) => rank[/** @type {keyof typeof rank} */ (one.flight.kind)] - rank[/** @type {keyof typeof rank} */ (other.flight.kind)]);
  for (const { flight, way, alpha, picked } of drawn) {
    const stroke = STROKES[/** @type {keyof typeof STROKES} */ (flight.kind)];
    const style = {
      ...stroke,
      colour: String(palette[/** @type {keyof Palette} */ (stroke.colour)]),
      width: stroke.width + (picked ? 2 : 0),
      hole: palette.card,
    };
    const draw = () => {
      arrow(ctx, way.points, style, !way.lost);
      if (!way.lost) return;
      const end = way.points[way.points.length - 1];
      cross(ctx, ...end, 5.5, palette.card, 6);
      cross(ctx, ...end, 5, style.colour, 2.6);
    };
    const over = flight.fate === "received" ? flight.ended <= cursor : flight.sent <= cursor;
    if (over) {
      ctx.globalAlpha = alpha;
      draw();
    } else {
      const [from, to] = [way.points[0][0], way.points[way.points.length - 1][0]];
      split(ctx, geo, from, to, now, future, (base) => {
        ctx.globalAlpha = base * alpha;
        draw();
      });
    }
  }
  for (const { flight, way, alpha } of drawn) decorate(ctx, geo, scene, palette, flight, way.points, alpha);
  ctx.globalAlpha = 1;
}

/**
 * What a message carries: the value that a Promise reports, biggest of all,
 * and the higher ballot of a refusal.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette
 * @param {Flight} flight @param {[number, number][]} points @param {number} alpha
 */
function decorate(ctx, geo, scene, palette, flight, points, alpha) {
  const [from, to] = [points[0], points[points.length - 1]];
  const place = (/** @type {number} */ part) => /** @type {[number, number]} */ ([from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part]);
  ctx.globalAlpha = alpha * (flight.sent <= scene.cursor ? 1 : FAINT + 0.1);
  if (flight.kind === "promise" && flight.accepted !== null) {
    const style = styleOf(scene.timeline.values, flight.accepted.value);
    // Between the lanes, where nothing else stands.
    const [x, y] = from[1] === to[1] ? [(from[0] + to[0]) / 2, from[1] - 16] : place((geo.gap * 0.5) / Math.abs(to[1] - from[1]));
    square(ctx, x, y, 10, style.colour, palette.ink, style.letter);
  } else if (flight.kind === "nack" && flight.promised !== null && geo.scale >= 9) {
    const [x, y] = place(from[1] === to[1] ? 0.5 : 0.45);
    label(ctx, words.atLeast(flight.promised), x, y - (from[1] === to[1] ? 10 : 0), palette.nack, palette.card, "center");
  }
}

/* --- what happens at a node ---------------------------------------------------------- */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function marks(ctx, geo, scene, palette) {
  const { timeline } = scene;
  /** @type {Map<string, number>} */
  const free = new Map();
  for (let at = 0; at < timeline.lines.length; at += 1) {
    if (!geo.layout.shown[at]) continue;
    const x = xOf(geo, at);
    if (x < geo.gutter - 20 || x > geo.width + 20) continue;
    const alpha = weight(scene, at);
    if (alpha === 0) continue;
    const line = timeline.lines[at];
    const y = geo.lane.get(line.node);
    if (y === undefined) continue;
    const other = line.instance !== undefined && scene.instance !== 0 && line.instance !== scene.instance;
    ctx.globalAlpha = alpha * (other ? 0.35 : 1);
    const { shape, value } = timeline.marks[at];
    const style = value === null ? null : styleOf(timeline.values, value);
    if (shape !== "none") mark(ctx, shape, x, y, palette, style);
    if (at === scene.cursor) {
      ctx.strokeStyle = palette.cursor;
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(x, y, 12, 0, Math.PI * 2);
      ctx.stroke();
    }
    const text = caption(timeline, at);
    if (text !== "" && geo.scale >= 7 && x > (free.get(line.node) ?? 0)) {
      const pushed = line.event === "accept_sent" ? styleOf(timeline.values, line.value) : null;
      if (pushed !== null) square(ctx, x + 1, y - 20, 6, pushed.colour, palette.ink, pushed.letter);
      const wish = timeline.marks[at].shape === "wish";
      label(ctx, text, pushed !== null ? x + 11 : wish ? x + 10 : x - 4, wish ? y - 10 : y - 16, pushed === null ? palette.muted : palette.ink, palette.card, "left");
      free.set(line.node, x + ctx.measureText(text).width + 24);
    }
  }
  ctx.globalAlpha = 1;
}

/**
 * The few words that a mark wears: a ballot where one begins, a value where it is pushed or wished for.
 * @param {Timeline} timeline @param {number} at
 */
function caption(timeline, at) {
  const line = timeline.lines[at];
  if (timeline.head[at] !== at) return "";
  switch (line.event) {
    case "propose_received":
      return words.wishes(shortText(line.value, 12));
    case "prepare_sent":
      return line.ballot;
    case "accept_sent":
      return words.pushes(shortText(line.value, 12), line.wanted !== undefined);
    case "value_learned":
      return shortText(line.value, 12);
    case "timeout_fired":
      return line.have === undefined || line.missing === undefined ? "" : words.stuck;
    default:
      return "";
  }
}

/* --- from afar ------------------------------------------------------------------------- */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function ballots(ctx, geo, scene, palette, now) {
  const { timeline, future } = scene;
  /** @type {Map<string, number>} */
  const free = new Map();
  for (const span of timeline.ballots) {
    const y = geo.lane.get(span.proposer);
    const [from, to] = [xOf(geo, span.from), Math.max(xOf(geo, span.to), xOf(geo, span.from) + 2)];
    if (y === undefined || !geo.layout.shown[span.from] || !visible(geo, from, to)) continue;
    split(ctx, geo, from, to, now, future, () => ballotBar(ctx, geo, span, from, to, y, palette));
    const text = words.ballotOf(span.ballot);
    if (from > (free.get(span.proposer) ?? 0) && (span.from <= scene.cursor || future)) {
      ctx.globalAlpha = span.from <= scene.cursor ? 1 : 0.4;
      label(ctx, text, from, y - 15, palette.muted, palette.card, "left");
      free.set(span.proposer, from + ctx.measureText(text).width + 14);
      ctx.globalAlpha = 1;
    }
  }
}

/**
 * One ballot as a bar: phase 1 thin, phase 2 thick, and how it ended at its head.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {BallotSpan} span
 * @param {number} from @param {number} to @param {number} y @param {Palette} palette
 */
function ballotBar(ctx, geo, span, from, to, y, palette) {
  const turn = span.quorumAt < 0 ? to : xOf(geo, span.quorumAt);
  ctx.fillStyle = palette.prepare;
  ctx.fillRect(from, y - 2.5, Math.max(turn - from, 1), 5);
  if (span.quorumAt >= 0) {
    ctx.fillStyle = span.end === "chosen" ? palette.accepted : palette.accept;
    ctx.fillRect(turn, y - 6, Math.max(to - turn, 1.5), 12);
  }
  if (span.end === "refused") cross(ctx, to, y, 4, palette.nack, 2);
}

/* --- over everything --------------------------------------------------------------------- */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function violations(ctx, geo, { timeline, cursor, future }, palette) {
  let free = 0;
  for (const point of timeline.points) {
    if (point.kind !== "violation" || (point.at > cursor && !future)) continue;
    const x = xOf(geo, point.at);
    if (!visible(geo, x, x)) continue;
    ctx.globalAlpha = point.at <= cursor ? 1 : 0.3;
    hatch(ctx, x - 6, 42, 12, geo.height - geo.bottom - 42, palette.bad, false);
    if (x > free) {
      label(ctx, words.violation, x, 38, palette.bad, palette.card, "center");
      free = x + 74;
    }
    ctx.globalAlpha = 1;
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Palette} palette @param {number} now */
function cursorLine(ctx, geo, palette, now) {
  ctx.strokeStyle = palette.cursor;
  ctx.fillStyle = palette.cursor;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(now, 24);
  ctx.lineTo(now, geo.height - geo.bottom + 4);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(now - 6, 24);
  ctx.lineTo(now + 6, 24);
  ctx.lineTo(now, 32);
  ctx.fill();
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function names(ctx, geo, { node: chosen }, palette) {
  ctx.textAlign = "left";
  ctx.font = "600 14px system-ui, sans-serif";
  for (const [node, y] of geo.lane) {
    ctx.fillStyle = node === chosen ? palette.cursor : palette.ink;
    ctx.fillText(node, geo.gutter > 40 ? 14 : 6, y + 5);
  }
}
