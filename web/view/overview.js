// The strip above the space-time view: the whole run at a glance, its turning
// points, and which part of it is in sight.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Palette} from "./palette.js" */

import { laneWidth, layout } from "./layout.js";
import { pointsOf } from "../state.js";

const HEIGHT = 34;
/** @type {Record<string, keyof Palette>} */
const COLOURS = {
  chosen: "accepted",
  learned: "learn",
  all_learned: "learn",
  kill: "nack",
  restart: "accepted",
  wall: "wall",
  heal: "wall",
  violation: "bad",
  yield: "accept",
  propose: "accept",
  quorum: "prepare",
  pause: "accept",
  resume: "accept",
};

/** Of so many turning points only the rare kinds can be told apart. */
const MANY = 150;
const RARE = new Set(["kill", "restart", "wall", "heal", "pause", "violation"]);

/** @param {CanvasRenderingContext2D} ctx @param {App} app @param {Timeline} timeline @param {Palette} palette */
export function paintOverview(ctx, app, timeline, palette) {
  const where = layout(timeline, app.instance, app.axis);
  const width = app.width;
  const px = (/** @type {number} */ slot) => 4 + (slot / where.width) * (width - 8);
  ctx.clearRect(0, 0, width, HEIGHT);
  ctx.fillStyle = palette.line;
  ctx.fillRect(0, 12, width, 12);

  const counts = new Float64Array(Math.ceil(width / 3) + 1);
  timeline.flights.forEach((flight) => {
    if (where.shown[flight.sent]) counts[Math.floor(px(where.x[flight.sent]) / 3)] += 1;
  });
  const most = counts.reduce((one, other) => Math.max(one, other), 1);
  ctx.fillStyle = palette.muted;
  ctx.globalAlpha = 0.55;
  counts.forEach((count, index) => ctx.fillRect(index * 3, 24 - 12 * Math.sqrt(count / most), 2.4, 12 * Math.sqrt(count / most)));
  ctx.globalAlpha = 1;

  const points = pointsOf(app);
  for (const point of points) {
    if (point.at > app.cursor && !app.future) continue;
    if (points.length > MANY && !RARE.has(point.kind)) continue;
    ctx.globalAlpha = point.at <= app.cursor ? 1 : 0.45;
    ctx.fillStyle = String(palette[COLOURS[point.kind] ?? "ink"]);
    const x = px(where.x[point.at]);
    ctx.beginPath();
    ctx.arc(x, 6, 3.2, 0, Math.PI * 2);
    ctx.fill();
    ctx.fillRect(x - 0.75, 6, 1.5, 18);
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
