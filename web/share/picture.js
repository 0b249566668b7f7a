// Pictures of the space-time view, drawn by the very function that draws it on
// the screen.

/** @import {App} from "../state.js" */
/** @import {Palette} from "../view/palette.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { narrate } from "../log/narration.js";
import { firstAt, geometry, laneWidth, layout } from "../view/layout.js";
import { paint } from "../view/spacetime.js";
import { momentText, titleOf } from "./names.js";
import { ShareError } from "./pace.js";
import { SvgContext } from "./svg.js";
import { shareWords as words } from "./words.js";

/** Wider than this no picture is of use, and a canvas of twice the size cannot be made. */
export const WIDTH_MOST = 6000;
const WIDTH_LEAST = 360;
/** Behind the last event of a whole run, for what is written beside it. */
const END_ROOM = 90;
/** A whole run is drawn no closer than this, while there is room. */
const SCALE_USUAL = 17;
/** A row of a report: no wider than its text, and still legible on a sheet of A4. */
const ROW_WIDTH = 960;
/** Longer runs are drawn closer together. */
const ROWS_MOST = 8;

/** @typedef {Pick<App, "name" | "timeline" | "cursor" | "future" | "node" | "selected" | "axis" | "left" | "scale" | "width" | "instance">} View */
/** @typedef {{instance: number, related: Uint8Array | null}} Lit the instance that is spoken of, and what is lit */

/**
 * Which part of the run is drawn, and how large.
 * @param {View} view @param {boolean} whole
 * @returns {{view: View, width: number}}
 */
export function framed(view, whole) {
  if (!whole) return { view, width: Math.round(view.width) };
  const timeline = /** @type {Timeline} */ (view.timeline);
  const slots = layout(timeline, view.instance, view.axis).width;
  const margins = WIDTH_MOST - laneWidth(WIDTH_MOST) + END_ROOM;
  const scale = Math.min(Math.max(view.scale, SCALE_USUAL), (WIDTH_MOST - margins) / slots);
  const width = Math.max(Math.ceil(slots * scale + margins), WIDTH_LEAST);
  return { view: { ...view, left: 0, scale, width }, width };
}

/**
 * @param {View} app @param {Lit} lit @param {Palette} palette
 * @param {{whole: boolean, measure?: (font: string, text: string) => number, ids?: string}} how
 * @returns {string} an SVG file
 */
export function svgPicture(app, lit, palette, { whole, measure, ids }) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const title = words.pictureOf(titleOf(app), momentText(timeline, app.cursor));
  return drawn(framed(app, whole), lit, palette, { title, measure, ids });
}

/**
 * The whole run in rows that follow one another as lines of a text do: what
 * leaves one at its right edge comes in at the left of the next. Each row
 * speaks of the instance that most of its lines are about.
 * @param {View} app @param {Palette} palette
 * @param {{measure?: (font: string, text: string) => number, ids: string}} how
 * @returns {string[]} SVG files, each with ids of its own
 */
export function svgRows(app, palette, { measure, ids }) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const lanes = laneWidth(ROW_WIDTH);
  const { width: slots, place } = layout(timeline, app.instance, app.axis);
  const scale = Math.min(SCALE_USUAL, (ROWS_MOST * lanes - END_ROOM) / slots);
  const count = Math.ceil((slots * scale + END_ROOM) / lanes);
  const title = words.pictureOf(titleOf(app), momentText(timeline, app.cursor));
  return Array.from({ length: count }, (_, row) => {
    const left = (row * lanes) / scale;
    const view = { ...app, scale, left, width: ROW_WIDTH };
    const part = { title: words.rowOf(title, row + 1, count), measure, ids: `${ids}${row + 1}-` };
    const spoken = spokenOf(timeline, firstAt(place, left), firstAt(place, left + lanes / scale));
    const lit = { instance: app.instance || spoken, related: null };
    return drawn({ view, width: ROW_WIDTH }, lit, palette, part);
  });
}

/**
 * The instance that most of some lines are about.
 * @param {Timeline} timeline @param {number} first @param {number} end the line after the last
 * @returns {number} where none of them is about any, the first one of the run
 */
function spokenOf(timeline, first, end) {
  const { instance } = timeline.core.tables.lines.columns;
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (let at = first; at < end; at += 1) if (instance[at] > 0) counts.set(instance[at], (counts.get(instance[at]) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), [timeline.instances[0] ?? 0, 0])[0];
}

/**
 * @param {{view: View, width: number}} frame @param {Lit} lit @param {Palette} palette
 * @param {{title: string, measure?: (font: string, text: string) => number, ids?: string}} how
 */
function drawn({ view, width }, lit, palette, { title, measure, ids }) {
  const timeline = /** @type {Timeline} */ (view.timeline);
  const geo = geometry(timeline, view, width);
  const svg = new SvgContext(geo.width, geo.height, measure);
  paint(/** @type {CanvasRenderingContext2D} */ (/** @type {unknown} */ (svg)), geo, /** @type {any} */ ({ ...view, timeline, ...lit }), palette);
  const tell = (/** @type {string} */ name) => told(timeline, name);
  return svg.toSvg({ title, description: words.pictureSays, background: palette.card, tell, ids });
}

/** A message in words; while its line is on its way, its name. @param {Timeline} timeline @param {string} name */
function told(timeline, name) {
  const at = timeline.at(name);
  return at < 0 || timeline.line(at).pending === true ? name : narrate(timeline.catalogue, timeline.line(at));
}

/**
 * @param {View} app @param {Lit} lit @param {Palette} palette @param {boolean} whole
 * @returns {Promise<Blob>} a PNG file, twice as fine as the screen
 */
export async function pngPicture(app, lit, palette, whole) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const { view, width } = framed(app, whole);
  const geo = geometry(timeline, view, width);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [geo.width * 2, geo.height * 2];
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(2, 0, 0, 2, 0, 0);
  paint(ctx, geo, /** @type {any} */ ({ ...view, timeline, ...lit }), palette);
  // What was drawn stays on top: `paint` begins by wiping the sheet clean.
  ctx.globalCompositeOperation = "destination-over";
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette.card;
  ctx.fillRect(0, 0, geo.width, geo.height);
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob === null ? fail(new ShareError(words.noPicture)) : done(blob)), "image/png"),
  );
}

/** How wide the screen's own letters are. @returns {(font: string, text: string) => number} */
export function screenMeasure() {
  const ctx = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  return (font, text) => {
    ctx.font = font;
    return ctx.measureText(text).width;
  };
}
