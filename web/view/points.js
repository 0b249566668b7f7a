// The signs of turning points on the strip above the space-time view. Each
// kind has a shape of its own: colour only helps. The legend draws the same
// shapes, from the same points.

/** @import {Palette} from "./palette.js" */

/** @typedef {{points: [number, number][], closed: boolean, filled: boolean}} Part in units of which a sign is about eight wide, around 0, 0 */
/** @typedef {{colour: keyof Palette, parts: Part[]}} PointSign */

/** @param {...[number, number]} points @returns {Part} */
const line = (...points) => ({ points, closed: false, filled: false });
/** @param {...[number, number]} points @returns {Part} */
const solid = (...points) => ({ points, closed: true, filled: true });
/** @param {...[number, number]} points @returns {Part} */
const hollow = (...points) => ({ points, closed: true, filled: false });

/** Part of a circle. @param {number} radius @param {number} from @param {number} to in turns, clockwise from the right @returns {[number, number][]} */
function round(radius, from = 0, to = 1) {
  const steps = 16;
  return Array.from({ length: steps + 1 }, (_, step) => {
    const angle = 2 * Math.PI * (from + ((to - from) * step) / steps);
    return [Math.round(radius * Math.cos(angle) * 100) / 100, Math.round(radius * Math.sin(angle) * 100) / 100];
  });
}

/** @type {[number, number][]} */
const BOX = [[-3.2, -3.2], [3.2, -3.2], [3.2, 3.2], [-3.2, 3.2]];

/** By kind of turning point; where the space-time view has a sign for it, that one. @type {Record<string, PointSign>} */
export const POINT_SIGNS = {
  propose: { colour: "accept", parts: [solid([-4, -3], [4, -3], [0, 4])] },
  quorum: { colour: "prepare", parts: [solid([0, -4.4], [4.4, 0], [0, 4.4], [-4.4, 0])] },
  yield: { colour: "accept", parts: [hollow(...BOX), solid([0, -3.2], [3.2, -3.2], [3.2, 3.2], [0, 3.2])] },
  chosen: { colour: "accepted", parts: [solid(...BOX)] },
  learned: { colour: "learn", parts: [hollow(...round(3.4))] },
  all_learned: { colour: "learn", parts: [solid(...round(3.8))] },
  kill: { colour: "nack", parts: [line([-3.2, -3.2], [3.2, 3.2]), line([3.2, -3.2], [-3.2, 3.2])] },
  restart: { colour: "accepted", parts: [line(...round(3.4, 0.1, 0.85)), solid([0.6, -3.4], [5, -4.6], [4.4, -0.4])] },
  wall: { colour: "wall", parts: [line([-5, 3.5], [-2, -3.5]), line([-1.5, 3.5], [1.5, -3.5]), line([2, 3.5], [5, -3.5])] },
  heal: { colour: "wall", parts: [line([-5.4, 3.5], [-2.4, -3.5]), line([-1.4, 0], [1.4, 0]), line([2.4, 3.5], [5.4, -3.5])] },
  pause: { colour: "accept", parts: [line([-2, -3.5], [-2, 3.5]), line([2, -3.5], [2, 3.5])] },
  resume: { colour: "accept", parts: [solid([-3, -4], [4, 0], [-3, 4])] },
  violation: { colour: "bad", parts: [solid([-2.2, -5], [2.2, -5], [1, 1.4], [-1, 1.4]), solid([-1.5, 2.4], [1.5, 2.4], [1.5, 5.2], [-1.5, 5.2])] },
};

/**
 * @param {CanvasRenderingContext2D} ctx @param {string} kind @param {number} x @param {number} y @param {Palette} palette
 */
export function pointSign(ctx, kind, x, y, palette) {
  const { colour, parts } = POINT_SIGNS[kind];
  ctx.strokeStyle = ctx.fillStyle = String(palette[colour]);
  ctx.lineWidth = 1.6;
  ctx.setLineDash([]);
  for (const { points, closed, filled } of parts) {
    ctx.beginPath();
    points.forEach(([dx, dy], place) => (place === 0 ? ctx.moveTo(x + dx, y + dy) : ctx.lineTo(x + dx, y + dy)));
    if (closed) ctx.closePath();
    if (filled) ctx.fill();
    else ctx.stroke();
  }
}

/** The same as the path of an SVG. @param {Part} part @param {number} x @param {number} y */
export function pathOf({ points, closed }, x, y) {
  return `M${points.map(([dx, dy]) => `${x + dx} ${y + dy}`).join(" L")}${closed ? " Z" : ""}`;
}
