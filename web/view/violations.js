// Violations in the space-time view: a red band behind what proves them, and a
// name below the lanes.

/** @import {Geometry} from "./layout.js" */
/** @import {Palette} from "./palette.js" */
/** @import {Scene} from "./spacetime.js" */

import { words } from "../words.js";
import { xOf } from "./layout.js";
import { violationsIn } from "./seen.js";
import { LABEL_FONT, hatch, label } from "./shapes.js";
import { visible } from "./time.js";

/** Where violations in sight are, in pixels, in their order. @param {Geometry} geo @param {Scene} scene @returns {{x: number, past: boolean}[]} */
export function violationsShown(geo, { timeline, cursor, future }) {
  return violationsIn(timeline, geo)
    .filter((point) => point.at <= cursor || future)
    .map((point) => ({ x: xOf(geo, point.at), past: point.at <= cursor }))
    .filter(({ x }) => visible(geo, x, x));
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Palette} palette @param {{x: number, past: boolean}[]} broken */
export function violationBands(ctx, geo, palette, broken) {
  for (const { x, past } of broken) {
    ctx.globalAlpha = past ? 1 : 0.3;
    hatch(ctx, x - 6, 42, 12, geo.height - geo.bottom - 42, palette.bad, false);
  }
  ctx.globalAlpha = 1;
}

/**
 * Below the lanes: above them stand chapters, choices and what is pushed.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Palette} palette @param {{x: number, past: boolean}[]} broken
 */
export function violationNames(ctx, geo, palette, broken) {
  ctx.font = LABEL_FONT;
  const half = ctx.measureText(words.violation).width / 2;
  let free = geo.gutter + 2;
  for (const { x, past } of broken) {
    const middle = Math.min(Math.max(x, geo.gutter + 2 + half), geo.width - half - 4);
    if (middle - half < free) continue;
    ctx.globalAlpha = past ? 1 : 0.3;
    label(ctx, words.violation, middle, geo.height - geo.bottom + 4, palette.bad, palette.card, "center");
    free = middle + half + 8;
  }
  ctx.globalAlpha = 1;
}
