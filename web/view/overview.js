// The strip above the space-time view: the whole run at a glance, its turning
// points, and which part of it is in sight.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Layout} from "./layout.js" */
/** @import {Palette} from "./palette.js" */

import { findMask } from "../find/search.js";
import { binsOf } from "./density.js";
import { laneWidth, layout } from "./layout.js";
import { pointSign } from "./points.js";
import { pointsOfKind } from "./seen.js";

const HEIGHT = 34;
/** Of so many turning points only the rare kinds can be told apart. */
const MANY = 150;
const RARE = new Set(["kill", "restart", "wall", "heal", "pause", "violation"]);

/** Where a search has found something. @param {CanvasRenderingContext2D} ctx @param {App} app @param {Timeline} timeline @param {Layout} where @param {(slot: number) => number} px @param {Palette} palette */
function foundTicks(ctx, app, timeline, where, px, palette) {
  const mask = findMask(app);
  if (mask === null) return;
  ctx.fillStyle = palette.cursor;
  let free = -1;
  for (let at = 0; at < Math.min(mask.length, timeline.length); at += 1) {
    if (!mask[at] || !where.shown[at]) continue;
    const x = px(where.x[at]);
    if (x < free) continue;
    ctx.fillRect(x - 0.5, 24, 1.5, 5);
    free = x + 2;
  }
}

/** How long counts hold while lines come, in milliseconds. */
const REST_MS = 150;

/** @type {{buffer: unknown, count: number, at: number, width: number, counts: Float64Array}} */
let counted = { buffer: null, count: 0, at: 0, width: 0, counts: new Float64Array(0) };

/** How much happened in each bar of the strip. @param {Timeline} timeline @param {Layout} where @param {number} width */
function countsOf(timeline, where, width) {
  const same = counted.buffer === where.x.buffer && counted.width === width;
  const now = performance.now();
  // Of a run that grows the strip changes too little to be counted in every frame.
  if (same && (counted.count === timeline.length || now - counted.at < REST_MS)) return counted.counts;
  const counts = new Float64Array(Math.ceil(width / 3) + 1);
  const bins = binsOf(timeline, where);
  const last = Math.ceil(where.width / bins.step);
  for (let bin = 0; bin < last; bin += 1) {
    const bar = Math.floor((4 + (((bin + 0.5) * bins.step) / where.width) * (width - 8)) / 3);
    for (let place = 0; place < bins.wide; place += 1) counts[bar] += bins.counts[bin * bins.wide + place];
  }
  counted = { buffer: where.x.buffer, count: timeline.length, at: now, width, counts };
  return counts;
}

/** @param {CanvasRenderingContext2D} ctx @param {App} app @param {Timeline} timeline @param {Palette} palette */
export function paintOverview(ctx, app, timeline, palette) {
  const where = layout(timeline, app.instance, app.axis);
  const width = app.width;
  const px = (/** @type {number} */ slot) => 4 + (slot / where.width) * (width - 8);
  ctx.clearRect(0, 0, width, HEIGHT);
  ctx.fillStyle = palette.line;
  ctx.fillRect(0, 12, width, 12);

  const counts = countsOf(timeline, where, width);
  const most = counts.reduce((one, other) => Math.max(one, other), 1);
  ctx.fillStyle = palette.muted;
  ctx.globalAlpha = 0.55;
  counts.forEach((count, index) => ctx.fillRect(index * 3, 24 - 12 * Math.sqrt(count / most), 2.4, 12 * Math.sqrt(count / most)));
  ctx.globalAlpha = 1;
  foundTicks(ctx, app, timeline, where, px, palette);

  const many = timeline.points.length > MANY;
  let free = -1;
  for (const point of many ? pointsOfKind(timeline, RARE) : timeline.points) {
    if (point.at > app.cursor && !app.future) break;
    if (app.instance !== 0 && point.instance !== null && point.instance !== app.instance) continue;
    const x = px(where.x[point.at]);
    // Of a long run many fall on one place; a violation is always shown.
    if (many && x < free && point.kind !== "violation") continue;
    free = x + 2;
    ctx.globalAlpha = point.at <= app.cursor ? 1 : 0.45;
    pointSign(ctx, point.kind, x, 6, palette);
    ctx.fillRect(x - 0.5, 12, 1, 12);
  }
  ctx.globalAlpha = 1;

  const [left, right] = [px(app.left), px(Math.min(app.left + laneWidth(width) / app.scale, where.width))];
  ctx.strokeStyle = palette.cursor;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(left + 0.75, 10.75, right - left - 1.5, 14.5);
  const now = px(where.x[Math.max(app.cursor, 0)]);
  ctx.fillStyle = palette.cursor;
  ctx.beginPath();
  ctx.moveTo(now, 24);
  ctx.lineTo(now - 5, 32);
  ctx.lineTo(now + 5, 32);
  ctx.fill();
  ctx.fillRect(now - 1, 10, 2, 16);
}
