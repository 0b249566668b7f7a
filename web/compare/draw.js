// Draws the two space-time views of a comparison, one cursor in both.

/** @import {App} from "../state.js" */
/** @import {Palette} from "../view/palette.js" */
/** @import {Compare, Side} from "./state.js" */
/** @import {Diff} from "./align.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { valueKey } from "../log/lines.js";
import { ValueColours } from "../log/values.js";
import { laneWidth } from "../view/layout.js";
import { readPalette } from "../view/palette.js";
import { label } from "../view/shapes.js";
import { paint } from "../view/spacetime.js";
import { lineAtRow } from "./align.js";
import { geometryOf, shared } from "./view.js";
import { compareWords as words } from "./words.js";

/** What was drawn last on each canvas, so that a frame without news costs nothing. @type {WeakMap<HTMLCanvasElement, unknown[]>} */
const drawn = new WeakMap();

/** @param {App} app @param {(width: number) => void} resized */
export function drawBoth(app, resized) {
  /** @type {Compare} */
  const compare = app.compare;
  if (compare.diff === null || compare.a === null || compare.b === null) return;
  for (const which of /** @type {const} */ (["a", "b"])) {
    const canvas = /** @type {HTMLCanvasElement | null} */ (document.getElementById(`compare-${which}`));
    if (canvas === null) continue;
    const width = /** @type {HTMLElement} */ (canvas.parentElement).clientWidth;
    if (which === "a" && width > 0 && width !== compare.width) resized(width);
    const key = [compare.diff, compare.row, compare.left, compare.scale, width, app.theme, window.devicePixelRatio];
    if (drawn.get(canvas)?.every((part, place) => part === key[place])) continue;
    drawn.set(canvas, key);
    drawOne(canvas, compare, which, width);
  }
}

/** @type {WeakMap<Timeline, {other: Timeline, a: Timeline, b: Timeline}>} */
const dressedUp = new WeakMap();

/**
 * Both runs as they are, but for one thing: a value has the same colour and letter in both.
 * @param {Timeline} a @param {Timeline} b
 */
function dressed(a, b) {
  const known = dressedUp.get(a);
  if (known?.other === b) return known;
  const colours = new ValueColours();
  const all = new Map([...a.core.known.values, ...b.core.known.values].map((value) => [valueKey(value), value]));
  colours.add([...all.values()]);
  const worn = (/** @type {Timeline} */ timeline) => /** @type {Timeline} */ (Object.create(timeline, { values: { value: colours.styles } }));
  const made = { other: b, a: worn(a), b: worn(b) };
  dressedUp.set(a, made);
  return made;
}

/** @param {HTMLCanvasElement} canvas @param {Compare} compare @param {"a" | "b"} which @param {number} width */
function drawOne(canvas, compare, which, width) {
  const diff = /** @type {Diff} */ (compare.diff);
  const timeline = dressed(/** @type {Side} */ (compare.a).timeline, /** @type {Side} */ (compare.b).timeline)[which];
  const placed = shared(diff, /** @type {Side} */ (compare.a).timeline, /** @type {Side} */ (compare.b).timeline);
  const geo = geometryOf(timeline, placed[which], compare, width);
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(geo.height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    [canvas.width, canvas.height] = [w, h];
    canvas.style.height = `${geo.height}px`;
  }
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  const palette = readPalette();
  const here = lineAtRow(diff[which], compare.row);
  const instance = timeline.current[Math.max(here, 0)];
  // All of both runs is drawn in full: what is to come is what may differ. So
  // the view's own cursor stands at the end, and looks like nothing but that.
  const cursor = timeline.length - 1;
  const quiet = { ...palette, cursor: palette.line };
  paint(ctx, geo, { timeline, cursor, future: true, instance, node: null, selected: -1, related: null }, quiet);
  differences(ctx, geo, diff, placed.x, compare, palette);
  cursorLine(ctx, geo, placed.x[compare.row] ?? 0, compare, palette);
}

/**
 * What differs, under the lanes of both: a bar for each difference, and a line
 * across all lanes where the first begins.
 * @param {CanvasRenderingContext2D} ctx @param {import("../view/layout.js").Geometry} geo @param {Diff} diff
 * @param {Float64Array} x per row @param {{left: number, scale: number}} view @param {Palette} palette
 */
function differences(ctx, geo, diff, x, { left, scale }, palette) {
  const px = (/** @type {number} */ row) => geo.gutter + 14 + (x[row] - left) * scale;
  const bottom = geo.height - geo.bottom;
  ctx.save();
  ctx.beginPath();
  ctx.rect(geo.gutter, 0, geo.width - geo.gutter, geo.height);
  ctx.clip();
  for (const [place, hunk] of diff.hunks.entries()) {
    const [from, to] = [px(hunk.from) - 4, px(hunk.to) + 4];
    if (to < geo.gutter || from > geo.width) continue;
    ctx.fillStyle = hunk.moved ? palette.muted : palette.bad;
    // Only in order: a thin bar. Else a thick one.
    ctx.fillRect(from, bottom + (hunk.moved ? 2 : 0), to - from, hunk.moved ? 3 : 6);
    if (place > 0) continue;
    ctx.strokeStyle = ctx.fillStyle;
    ctx.lineWidth = 2;
    ctx.setLineDash([3, 4]);
    ctx.beginPath();
    ctx.moveTo(from, 44);
    ctx.lineTo(from, bottom + 6);
    ctx.stroke();
    ctx.setLineDash([]);
    const right = from + 100 > geo.width;
    label(ctx, words.firstDifference, right ? from - 4 : from + 4, bottom - 5, String(ctx.fillStyle), palette.card, right ? "right" : "left");
  }
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {import("../view/layout.js").Geometry} geo @param {number} slot @param {{left: number, scale: number}} view @param {Palette} palette */
function cursorLine(ctx, geo, slot, { left, scale }, palette) {
  const x = geo.gutter + 14 + (slot - left) * scale;
  if (x < geo.gutter || x > geo.width) return;
  ctx.strokeStyle = palette.cursor;
  ctx.fillStyle = palette.cursor;
  ctx.globalAlpha = 1;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x, 24);
  ctx.lineTo(x, geo.height - geo.bottom + 10);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x - 6, 24);
  ctx.lineTo(x + 6, 24);
  ctx.lineTo(x, 32);
  ctx.fill();
}

/**
 * The row nearest to an x of the canvas.
 * @param {Compare} compare @param {number} width @param {number} px
 */
export function rowNear(compare, width, px) {
  const diff = /** @type {Diff} */ (compare.diff);
  const { x } = shared(diff, /** @type {Side} */ (compare.a).timeline, /** @type {Side} */ (compare.b).timeline);
  const slot = compare.left + (px - (width - laneWidth(width) - 14)) / compare.scale;
  let [low, high] = [0, x.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < slot) low = middle + 1;
    else high = middle;
  }
  return low > 0 && slot - x[low - 1] < x[low] - slot ? low - 1 : low;
}
