// Messages as arrows: request solid with a filled head, reply dashed with a
// hollow one, and what a message carries.

/** @import {Flight} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */
/** @import {Palette} from "./palette.js" */
/** @import {Scene} from "./spacetime.js" */

import { FAINT, FUTURE, split, visible } from "./time.js";
import { arrow, cross, label, square } from "./shapes.js";
import { styleOf } from "../log/values.js";
import { restOf } from "../log/timeline.js";
import { wayOf } from "./layout.js";
import { words } from "../words.js";

/** How each kind of message is drawn: request solid with a filled head, reply dashed with a hollow one. */
export const STROKES = /** @satisfies {Record<string, {colour: keyof Palette, width: number, dash: number[], filled: boolean}>} */ ({
  prepare: { colour: "prepare", width: 1.5, dash: [], filled: true },
  promise: { colour: "prepare", width: 1.5, dash: [6, 4], filled: false },
  accept: { colour: "accept", width: 3, dash: [], filled: true },
  accepted: { colour: "accepted", width: 3, dash: [7, 4], filled: false },
  nack: { colour: "nack", width: 1.8, dash: [1.5, 3.5], filled: false },
  learn: { colour: "learn", width: 1.8, dash: [], filled: true },
  learned: { colour: "quiet", width: 1, dash: [4, 4], filled: false },
  status: { colour: "quiet", width: 1, dash: [], filled: true },
});

/** Below this many pixels per slot the arms of a broadcast lie so close that they are drawn as one fan. */
const SCALE_OF_FANS = 13;
/** A broadcast to fewer is no fan. */
const FAN_LEAST = 3;
const FAN_ALPHA = 0.16;

/** @typedef {{place: number, flight: Flight, way: NonNullable<ReturnType<typeof wayOf>>, alpha: number, fan: number}} Drawn `fan`: the first line of its broadcast, -1 where it stands alone */

/** What matters most lies on top. */
const RANK = /** @type {Record<string, number>} */ ({ status: 0, learned: 0, learn: 1, nack: 2, prepare: 3, promise: 3, accept: 4, accepted: 4 });

/**
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now
 * @param {number[]} places of the messages that may be in sight
 */
export function arrows(ctx, geo, scene, palette, now, places) {
  const drawn = inSight(geo, scene, places);
  drawn.sort((one, other) => RANK[one.flight.kind] - RANK[other.flight.kind] || one.place - other.place);
  if (geo.scale < SCALE_OF_FANS) fans(ctx, geo, scene, palette, now, drawn);
  // A picture that is written as text tells which message a shape belongs to.
  const about = /** @type {{about?: (id: string | null) => void}} */ (/** @type {unknown} */ (ctx));
  for (const one of drawn) {
    about.about?.(one.flight.id);
    message(ctx, geo, scene, palette, now, one);
  }
  about.about?.(null);
  for (const { flight, way, alpha } of drawn) decorate(ctx, geo, scene, palette, now, flight, way.points, alpha);
  ctx.globalAlpha = 1;
}

/** @param {Geometry} geo @param {Scene} scene @param {number[]} places */
function inSight(geo, scene, places) {
  const { timeline, related } = scene;
  /** @type {Drawn[]} */
  const drawn = [];
  for (const place of places) {
    const flight = timeline.flight(place);
    const way = wayOf(timeline, geo, flight);
    if (way === null || !visible(geo, way.points[0][0], way.points[way.points.length - 1][0])) continue;
    const other = scene.instance !== 0 && flight.instance !== null && flight.instance !== scene.instance;
    const lit = related === null || (related[flight.sent] > 0 && (flight.fate !== "received" || related[flight.ended] > 0));
    drawn.push({ place, flight, way, alpha: (lit ? 1 : 0.12) * (other ? 0.35 : 1), fan: -1 });
  }
  return drawn;
}

/**
 * The arms of a broadcast as one fan: a wedge, with thin arms on it.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now @param {Drawn[]} drawn
 */
function fans(ctx, geo, scene, palette, now, drawn) {
  /** @type {Map<number, Drawn[]>} */
  const byHead = new Map();
  for (const one of drawn) {
    const head = scene.timeline.head[one.flight.sent];
    byHead.set(head, [...(byHead.get(head) ?? []), one]);
  }
  for (const [head, arms] of byHead) {
    if (arms.length < FAN_LEAST) continue;
    for (const arm of arms) arm.fan = head;
    const ends = arms.filter(({ flight, way }) => flight.fate === "received" && way.points.length === 2 && way.points[1][1] !== way.points[0][1]).map(({ way }) => way.points[1]);
    if (ends.length < 2) continue;
    const from = arms[0].way.points[0];
    const most = Math.max(...ends.map(([x]) => x));
    split(ctx, geo, from[0], most, now, scene.future, (base) => {
      ctx.globalAlpha = base * FAN_ALPHA * arms[0].alpha;
      ctx.fillStyle = String(palette[STROKES[/** @type {keyof typeof STROKES} */ (arms[0].flight.kind)].colour]);
      for (const side of [ends.filter(([, y]) => y < from[1]), ends.filter(([, y]) => y > from[1])]) {
        if (side.length < 2) continue;
        ctx.beginPath();
        ctx.moveTo(...from);
        for (const end of side.sort((one, other) => Math.abs(one[1] - from[1]) - Math.abs(other[1] - from[1]))) ctx.lineTo(...end);
        ctx.closePath();
        ctx.fill();
      }
    });
  }
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now @param {Drawn} one
 */
function message(ctx, geo, scene, palette, now, { place, flight, way, alpha, fan }) {
  const stroke = STROKES[/** @type {keyof typeof STROKES} */ (flight.kind)];
  const picked = place === scene.selected;
  const style = {
    ...stroke,
    colour: String(palette[stroke.colour]),
    width: (fan >= 0 && !picked ? stroke.width * 0.55 : stroke.width) + (picked ? 2 : 0),
    hole: palette.card,
  };
  const crossed = () => {
    arrow(ctx, way.points, style, way.lost === Infinity);
    if (way.lost === Infinity) return;
    const end = way.points[way.points.length - 1];
    cross(ctx, ...end, 5.5, palette.card, 6);
    cross(ctx, ...end, 5, style.colour, 2.6);
  };
  ctx.globalAlpha = alpha;
  if (endOf(scene, flight, way) <= scene.cursor) return crossed();
  // That a message gets lost is told when it is lost, and not when it is sent:
  // until then it is under way as any other.
  const draw = way.lost === Infinity ? crossed : () => arrow(ctx, way.under, style, true);
  const [from, to] = [way.points[0][0], way.points[way.points.length - 1][0]];
  split(ctx, geo, from, to, now, way.lost === Infinity && scene.future, (base) => {
    ctx.globalAlpha = base * alpha;
    draw();
  });
  if (way.lost === Infinity || !scene.future) return;
  ctx.globalAlpha = FUTURE * alpha;
  crossed();
}

/**
 * The line at which a message has its end, or the last word about it is said.
 * @param {Scene} scene @param {Flight} flight @param {Drawn["way"]} way
 */
function endOf({ timeline }, flight, way) {
  if (flight.fate === "received") return flight.ended;
  return Math.min(way.lost, Math.max(restOf(timeline), flight.sent));
}

/**
 * What a message carries: the value that a Promise reports, biggest of all,
 * and the higher ballot of a refusal. It is seen once the message has got so
 * far: hung beyond the cursor it would tell where the message is to arrive.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now
 * @param {Flight} flight @param {[number, number][]} points @param {number} alpha
 */
function decorate(ctx, geo, scene, palette, now, flight, points, alpha) {
  const [from, to] = [points[0], points[points.length - 1]];
  const place = (/** @type {number} */ part) => /** @type {[number, number]} */ ([from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part]);
  const flat = from[1] === to[1];
  const told = flight.kind === "promise" ? flight.accepted : flight.kind === "nack" && geo.scale >= 9 ? flight.promised : null;
  if (told === null) return;
  // A value stands between the lanes, where nothing else does.
  const [x, y] = flat ? place(0.5) : place(typeof told === "string" ? 0.45 : (geo.gap * 0.5) / Math.abs(to[1] - from[1]));
  const reached = flight.ended <= scene.cursor || (flight.sent <= scene.cursor && x <= now);
  if (!reached && !scene.future) return;
  ctx.globalAlpha = alpha * (reached ? 1 : FAINT + 0.1);
  if (typeof told === "string") {
    label(ctx, words.atLeast(told), x, y - (flat ? 10 : 0), palette.nack, palette.card, "center");
  } else {
    const style = styleOf(scene.timeline.values, told.value);
    square(ctx, x, y - (flat ? 16 : 0), 10, style.colour, palette.ink, style.letter);
  }
}
