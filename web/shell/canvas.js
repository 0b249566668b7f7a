// The two canvases of the space-time view: painted once a frame, and the
// pointer on them. What is drawn is view/spacetime.js's; what it means to
// point at it is view/pointing.js's.

/** @import {App} from "../state.js" */
/** @import {Acts} from "./acts.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { causality } from "../log/timeline.js";
import * as change from "../state.js";
import { seesFuture } from "../view/happening.js";
import { geometry, laneWidth, layout } from "../view/layout.js";
import { paintOverview } from "../view/overview.js";
import { readPalette } from "../view/palette.js";
import { pointed } from "../view/pointing.js";
import { paint } from "../view/spacetime.js";
import { findMask, hidesFuture } from "./rooms.js";

const OVERVIEW_HEIGHT = 34;
/** A pointer that moved less than this was a click. */
const CLICK_PX = 4;

let palette = readPalette();

/** The colours of the theme have changed. */
export function themeChanged() {
  palette = readPalette();
}

/* --- what is lit ------------------------------------------------------------------- */

/** The line whose causes and consequences are lit, if any. @param {App} app */
export function litLine(app) {
  return app.hover >= 0 ? app.hover : app.causes ? app.cursor : -1;
}

/** `counts`: how many lines led to it, and how many followed. @type {{timeline: unknown, at: number, related: Uint8Array | null, counts: [number, number]}} */
let lit = { timeline: null, at: -1, related: null, counts: [0, 0] };

/** Per line: 1 led to the lit one, 2 followed from it, 3 itself. @param {App} app */
export function relatedOf(app) {
  const at = litLine(app);
  if (at < 0 || app.timeline === null) return null;
  if (lit.timeline !== app.timeline || lit.at !== at) {
    const related = causality(app.timeline, at);
    lit = { timeline: app.timeline, at, related, counts: countsOf(related) };
  }
  return lit.related;
}

/** How many lines led to the lit one, and how many followed from it. @param {App} app @returns {[number, number] | null} */
export function relatedCounts(app) {
  return relatedOf(app) === null ? null : lit.counts;
}

/** @param {Uint8Array} related @returns {[number, number]} */
function countsOf(related) {
  const counts = [0, 0, 0, 0];
  for (let at = 0; at < related.length; at += 1) counts[related[at]] += 1;
  return [counts[1], counts[2]];
}

/* --- painting ------------------------------------------------------------------------ */

/** What is to come is drawn faint, or not at all. @param {App} app @returns {App} */
function asSeen(app) {
  return app.future && (hidesFuture(app) || !seesFuture(app)) ? { ...app, future: false } : app;
}

/** @param {App} app @param {(width: number) => void} resized */
export function paintCanvases(app, resized) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const canvas = /** @type {HTMLCanvasElement | null} */ (document.getElementById("spacetime"));
  if (canvas === null) return;
  watch(/** @type {HTMLElement} */ (canvas.parentElement), resized);
  const seen = asSeen(app);
  const geo = geometry(timeline, seen, app.width);
  const ctx = sized(canvas, geo.width, geo.height);
  const instance = change.currentInstance(app);
  paint(ctx, geo, { ...seen, timeline, instance, related: relatedOf(app) ?? findMask(app) }, palette);
  const strip = /** @type {HTMLCanvasElement} */ (document.getElementById("overview"));
  paintOverview(sized(strip, app.width, OVERVIEW_HEIGHT), seen, timeline, palette);
  markFirst(timeline.core);
}

/** The run that was drawn last. @type {WeakRef<object> | null} */
let drawn = null;

/** Leave a mark when a run stands there for the first time: tests/page_bench.py reads it. @param {object} run */
function markFirst(run) {
  if (drawn?.deref() === run) return;
  drawn = new WeakRef(run);
  performance.mark("run drawn");
}

/** @type {HTMLElement | null} */
let watched = null;
/** @type {(width: number) => void} */
let tell = () => {};
const sizes = new ResizeObserver(([entry]) => {
  const width = Math.round(entry.contentRect.width);
  if (width > 0) tell(width);
});

/** @param {HTMLElement} box @param {(width: number) => void} resized */
function watch(box, resized) {
  tell = resized;
  if (watched === box) return;
  watched = box;
  sizes.disconnect();
  sizes.observe(box);
}

/** A context whose units are CSS pixels. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}

/* --- the pointer ----------------------------------------------------------------------- */

/**
 * @typedef {object} CanvasActs
 * @property {(event: WheelEvent) => void} wheel
 * @property {(event: PointerEvent) => void} down
 * @property {(event: PointerEvent) => void} move
 * @property {() => void} leave
 * @property {(event: PointerEvent) => void} overview
 */

/** @param {Pick<Acts, "get" | "update" | "go">} acts @param {(flight: number) => void} pickMessage @returns {CanvasActs} */
export function canvasActs({ get, update, go }, pickMessage) {
  /** @type {{x: number, moved: boolean} | null} */
  let dragging = null;

  /** @param {[number, number]} at */
  function under(at) {
    const app = asSeen(get());
    if (app.timeline === null) return null;
    return pointed(app.timeline, geometry(app.timeline, app, app.width), app, at);
  }

  /** @param {[number, number]} at */
  function pickAt(at) {
    const found = under(at);
    if (found === null) return;
    if (found.line >= 0) return go(found.line);
    if (found.flight >= 0) return pickMessage(found.flight);
    go(found.near);
  }

  /** @param {PointerEvent} event */
  function down(event) {
    const canvas = /** @type {HTMLElement} */ (event.currentTarget);
    const at = placeOn(event);
    dragging = { x: event.clientX, moved: false };
    canvas.setPointerCapture(event.pointerId);
    const finish = () => {
      canvas.removeEventListener("pointerup", release);
      canvas.removeEventListener("pointercancel", finish);
      dragging = null;
    };
    const release = () => {
      if (dragging !== null && !dragging.moved) pickAt(at);
      finish();
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", finish);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    if (dragging !== null) {
      const by = dragging.x - event.clientX;
      if (!dragging.moved && Math.abs(by) < CLICK_PX) return;
      dragging = { x: event.clientX, moved: true };
      return update((now) => change.panned(now, by));
    }
    if (event.pointerType === "touch") return;
    const found = under(placeOn(event));
    if (found === null) return;
    const { timeline } = get();
    const hover = found.line >= 0 ? found.line : found.flight >= 0 && timeline !== null ? timeline.flight(found.flight).sent : -1;
    if (hover !== get().hover) update((now) => ({ ...now, hover }));
  }

  return {
    down,
    move,
    wheel: (event) => onWheel(event, update),
    leave: () => update((now) => (now.hover < 0 ? now : { ...now, hover: -1 })),
    overview: (event) => dragOverview(event, update),
  };
}

/** @param {PointerEvent} event @returns {[number, number]} */
function placeOn(event) {
  const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** @param {WheelEvent} event @param {Acts["update"]} update */
function onWheel(event, update) {
  event.preventDefault();
  const box = /** @type {HTMLElement} */ (event.target).getBoundingClientRect();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return update((now) => change.panned(now, event.deltaX));
  update((now) => {
    const px = event.clientX - box.left - (box.width - laneWidth(now.width)) / 2;
    return change.zoomed(now, Math.exp(-event.deltaY / 500), px);
  });
}

/** Show the place of the run that is pointed at. @param {PointerEvent} event @param {Acts["update"]} update */
function dragOverview(event, update) {
  const canvas = /** @type {HTMLElement} */ (event.currentTarget);
  const show = (/** @type {PointerEvent} */ moved) =>
    update((now) => {
      if (now.timeline === null) return now;
      const where = layout(now.timeline, now.instance, now.axis);
      const box = canvas.getBoundingClientRect();
      const part = (moved.clientX - box.left) / box.width;
      const left = part * where.width - laneWidth(now.width) / now.scale / 2;
      return change.panned({ ...now, left }, 0);
    });
  show(event);
  canvas.setPointerCapture(event.pointerId);
  canvas.addEventListener("pointermove", show);
  canvas.addEventListener("pointerup", () => canvas.removeEventListener("pointermove", show), { once: true });
}
