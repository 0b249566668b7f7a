// Past and future in the space-time view, and what is in sight at all.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */

import { apartAt } from "../log/timeline.js";
import { words } from "../words.js";
import { xOf } from "./layout.js";

/** How visible the future is. */
export const FAINT = 0.17;
/** The same for what is clipped at the cursor. */
export const FUTURE = FAINT + 0.05;

/** When a line was written, told apart from the lines around it. @param {Timeline} timeline @param {number} at */
export function timeOf(timeline, at) {
  return words.ms(timeline.ms[at], apartAt(timeline, at));
}

/** @param {Geometry} geo @param {number} from @param {number} to */
export function visible(geo, from, to) {
  return to >= geo.gutter - 40 && from <= geo.width + 40;
}

/**
 * Draw what lies before the cursor in full, and faintly what lies after it.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo
 * @param {number} from @param {number} to @param {number} now @param {boolean} future
 * @param {(alpha: number) => void} draw
 */
export function split(ctx, geo, from, to, now, future, draw) {
  const clipped = (/** @type {number} */ left, /** @type {number} */ right, /** @type {number} */ alpha) => {
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, 0, right - left, geo.height);
    ctx.clip();
    ctx.globalAlpha = alpha;
    draw(alpha);
    ctx.restore();
  };
  // Clipping is slow: what lies on one side of the cursor goes without.
  if (to <= now || (from >= now && future)) {
    const alpha = to <= now ? 1 : FUTURE;
    ctx.globalAlpha = alpha;
    draw(alpha);
  } else {
    if (from < now) clipped(0, now, 1);
    if (to > now && future) clipped(now, geo.width, FUTURE);
  }
  ctx.globalAlpha = 1;
}

/** The log's end runs on to the edge. @param {Timeline} timeline @param {Geometry} geo @param {number} at */
export function endX(timeline, geo, at) {
  return at >= timeline.length - 1 ? xOf(geo, at) + 14 : xOf(geo, at);
}
