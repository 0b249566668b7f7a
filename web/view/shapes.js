// The few shapes that the space-time view is made of.

/** @import {Palette} from "./palette.js" */
/** @import {ValueStyle} from "../log/values.js" */

/**
 * @typedef {object} Stroke
 * @property {string} colour
 * @property {number} width
 * @property {number[]} dash
 * @property {boolean} filled whether the head is
 * @property {string} hole what shows through a hollow head
 */

/**
 * A line through points, with a head where it arrives. Between two points of
 * one lane it bows, so that a node's message to itself can be seen.
 * @param {CanvasRenderingContext2D} ctx @param {[number, number][]} points @param {Stroke} stroke @param {boolean} headed
 */
export function arrow(ctx, points, stroke, headed) {
  const last = points[points.length - 1];
  let before = points[points.length - 2];
  ctx.strokeStyle = stroke.colour;
  ctx.fillStyle = stroke.colour;
  ctx.lineWidth = stroke.width;
  ctx.lineJoin = "round";
  ctx.setLineDash(stroke.dash);
  ctx.beginPath();
  ctx.moveTo(...points[0]);
  if (points.length === 2 && before[1] === last[1]) {
    const bow = [(before[0] + last[0]) / 2, last[1] - 18];
    ctx.quadraticCurveTo(bow[0], bow[1], ...last);
    before = [bow[0], bow[1]];
  } else {
    for (const point of points.slice(1)) ctx.lineTo(...point);
  }
  ctx.stroke();
  ctx.setLineDash([]);
  if (headed) head(ctx, before, last, stroke);
}

/** @param {CanvasRenderingContext2D} ctx @param {[number, number]} from @param {[number, number]} to @param {Stroke} stroke */
function head(ctx, from, to, stroke) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const size = 6 + stroke.width * 1.5;
  const corner = (/** @type {number} */ turn) => /** @type {[number, number]} */ ([to[0] - size * Math.cos(angle + turn), to[1] - size * Math.sin(angle + turn)]);
  ctx.beginPath();
  ctx.moveTo(...to);
  ctx.lineTo(...corner(0.42));
  ctx.lineTo(...corner(-0.42));
  ctx.closePath();
  if (stroke.filled) {
    ctx.fill();
  } else {
    ctx.save();
    ctx.fillStyle = stroke.hole;
    ctx.fill();
    ctx.restore();
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} size @param {string} colour @param {number} width */
export function cross(ctx, x, y, size, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x + size, y - size);
  ctx.lineTo(x - size, y + size);
  ctx.stroke();
}

/**
 * A hatched band.
 * @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} width @param {number} height
 * @param {string} colour @param {boolean} sparse
 */
export function hatch(ctx, x, y, width, height, colour, sparse) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2.2;
  ctx.setLineDash([]);
  const step = sparse ? 13 : 6;
  // Only what can be seen: a wall may be much longer than the screen is wide.
  const [first, last] = [Math.max(x, -20), Math.min(x + width, 6000)];
  ctx.beginPath();
  for (let at = first - height - (first % step); at < last; at += step) {
    ctx.moveTo(at, y + height);
    ctx.lineTo(at + height, y);
  }
  ctx.stroke();
  ctx.restore();
}

/**
 * A value's square with its letter.
 * @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} half
 * @param {string} colour @param {string} edge @param {string} letter
 */
export function square(ctx, x, y, half, colour, edge, letter) {
  ctx.setLineDash([]);
  ctx.fillStyle = colour;
  ctx.strokeStyle = edge;
  ctx.lineWidth = half > 6 ? 1.8 : 1.2;
  ctx.beginPath();
  ctx.rect(x - half, y - half, half * 2, half * 2);
  ctx.fill();
  ctx.stroke();
  if (letter === "") return;
  ctx.fillStyle = "#000";
  ctx.font = `700 ${Math.round(half * 1.5)}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.fillText(letter, x, y + half * 0.53);
}

/** Whoever measures a label measures it in this. */
export const LABEL_FONT = "600 11px system-ui, sans-serif";

/**
 * Text that stays readable over lines.
 * @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} x @param {number} y
 * @param {string} colour @param {string} halo @param {CanvasTextAlign} align
 */
export function label(ctx, text, x, y, colour, halo, align) {
  ctx.font = LABEL_FONT;
  ctx.textAlign = align;
  ctx.lineJoin = "round";
  ctx.lineWidth = 3.5;
  ctx.strokeStyle = halo;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

/**
 * What happens on a lane.
 * @param {CanvasRenderingContext2D} ctx @param {string} shape @param {number} x @param {number} y
 * @param {Palette} palette @param {ValueStyle | null} value
 */
export function mark(ctx, shape, x, y, palette, value) {
  ctx.setLineDash([]);
  ctx.lineWidth = 1.8;
  ctx.strokeStyle = palette.ink;
  const colour = value?.colour ?? palette.muted;
  switch (shape) {
    case "promise":
      return diamond(ctx, x, y, 6.5, palette.card, palette.prepare);
    case "promise-disk":
      return diamond(ctx, x, y, 6.5, palette.prepare, palette.prepare);
    case "accept":
      return square(ctx, x, y, 6, palette.card, palette.ink, "");
    case "accept-disk":
      return square(ctx, x, y, 6, colour, palette.ink, value?.letter ?? "");
    case "round":
      return diamond(ctx, x, y, 3, palette.muted, palette.muted);
    case "learn":
      return disc(ctx, x, y, 8, colour, palette.ink, value?.letter ?? "");
    case "wish":
      return triangle(ctx, x, y - 9, 7, colour, palette.ink, 1);
    case "answer":
      return triangle(ctx, x, y - 9, 6, colour, palette.ink, -1);
    case "stuck":
      disc(ctx, x, y, 6, palette.card, palette.nack, "");
      return clockHands(ctx, x, y, palette.nack);
    case "timer":
      disc(ctx, x, y, 5, palette.card, palette.muted, "");
      return clockHands(ctx, x, y, palette.muted);
    case "refuse":
      return cross(ctx, x, y, 3.5, palette.nack, 2);
    case "restart":
      return turn(ctx, x, y, palette.accepted);
    case "start":
      return disc(ctx, x, y, 3.5, palette.card, palette.muted, "");
    case "pause":
      ctx.fillStyle = palette.accept;
      ctx.fillRect(x - 5, y - 7, 4, 14);
      ctx.fillRect(x + 1, y - 7, 4, 14);
      return undefined;
    default:
      return disc(ctx, x, y, 2.5, palette.lane, palette.lane, "");
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} half @param {string} fill @param {string} edge */
function diamond(ctx, x, y, half, fill, edge) {
  ctx.fillStyle = fill;
  ctx.strokeStyle = edge;
  ctx.beginPath();
  ctx.moveTo(x, y - half);
  ctx.lineTo(x + half, y);
  ctx.lineTo(x, y + half);
  ctx.lineTo(x - half, y);
  ctx.closePath();
  ctx.fill();
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} radius @param {string} fill @param {string} edge @param {string} letter */
function disc(ctx, x, y, radius, fill, edge, letter) {
  ctx.fillStyle = fill;
  ctx.strokeStyle = edge;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, Math.PI * 2);
  ctx.fill();
  ctx.stroke();
  if (letter === "") return;
  ctx.fillStyle = "#000";
  ctx.font = "700 11px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.fillText(letter, x, y + 4);
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} half @param {string} fill @param {string} edge @param {1 | -1} down */
function triangle(ctx, x, y, half, fill, edge, down) {
  ctx.fillStyle = fill;
  ctx.strokeStyle = edge;
  ctx.beginPath();
  ctx.moveTo(x - half, y - half * down);
  ctx.lineTo(x + half, y - half * down);
  ctx.lineTo(x, y + half * down);
  ctx.closePath();
  ctx.fill();
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {string} colour */
function clockHands(ctx, x, y, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  ctx.moveTo(x, y - 3.5);
  ctx.lineTo(x, y);
  ctx.lineTo(x + 2.5, y + 1);
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {string} colour */
function turn(ctx, x, y, colour) {
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 2.2;
  ctx.beginPath();
  ctx.arc(x, y, 6, 0.4, Math.PI * 1.75);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x + 8, y - 7);
  ctx.lineTo(x + 7.5, y + 1);
  ctx.lineTo(x + 1.5, y - 4.5);
  ctx.fill();
}
