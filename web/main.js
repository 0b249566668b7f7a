// The page's only mutable things: the current state, its timers and its
// canvases. Whatever happens becomes a new state (state.js), and one function
// draws it.

/** @import {App, RunEntry} from "./state.js" */
/** @import {Catalogue} from "./log/types.d.ts" */
/** @import {Command} from "./keys.js" */

import { acceptors, choice, meters } from "./view/acceptors.js";
import { controls } from "./view/controls.js";
import { events, rowAt, rowsOf } from "./view/events.js";
import { chooser, header, help, legend } from "./view/frame.js";
import { happening, sentenceAt } from "./view/happening.js";
import { judgement } from "./view/judgement.js";
import { commandOf } from "./keys.js";
import { geometry, laneWidth, layout } from "./view/layout.js";
import { hashOf, momentOf } from "./link.js";
import { LogError, openFiles } from "./log/files.js";
import { paintOverview } from "./view/overview.js";
import { readPalette } from "./view/palette.js";
import { pointed } from "./view/pointing.js";
import { ring } from "./view/ring.js";
import { droppedFiles, fetchRun, getJson, listRuns, readFiles } from "./log/source.js";
import { paint } from "./view/spacetime.js";
import * as change from "./state.js";
import { buildTimeline, causality, stateAt } from "./log/timeline.js";
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { words } from "./words.js";

/** Between two events, at speed 1; between two turning points where motion is unwelcome. */
const PLAY_MS = 260;
const PLAY_CALM_MS = 2500;
/** A screen reader is told at most this often. */
const LIVE_MS = 900;

const root = /** @type {HTMLElement} */ (document.getElementById("page"));
const live = /** @type {HTMLElement} */ (document.getElementById("live"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");

let app = { ...change.FIRST, theme: firstTheme(), choosing: momentOf(location.hash).run === null };
/** @type {Catalogue} */
let catalogue;
let palette = readPalette();
let drawn = false;

/** @param {(app: App) => App} step */
function update(step) {
  app = step(app);
  if (drawn) return;
  drawn = true;
  requestAnimationFrame(() => {
    drawn = false;
    draw();
  });
}

/* --- drawing --------------------------------------------------------------------- */

function draw() {
  render(page(app), root);
  if (app.timeline === null) return;
  paintCanvases(app);
  revealRow(app);
  tell(app);
  const hash = hashOf(app);
  if (hash !== location.hash && hash !== "") history.replaceState(null, "", hash);
}

/** @param {App} app */
function page(app) {
  return html`
    ${header(app, {
      instance: (instance) => update((now) => change.narrowed(now, instance)),
      choose: () => update((now) => ({ ...now, choosing: !now.choosing, trouble: null })),
      help: () => update((now) => ({ ...now, help: !now.help })),
      theme: switchTheme,
    })}
    <main>
      ${app.trouble === null ? nothing : html`<p class="card trouble" role="alert">${app.trouble}</p>`}
      ${app.busy === null ? nothing : html`<p class="card" role="status">${app.busy}</p>`}
      ${app.notice === null ? nothing : html`<p class="card notice" role="status">${app.notice}</p>`}
      ${app.help ? help(() => update((now) => ({ ...now, help: false }))) : nothing}
      ${app.choosing ? chooser(app, { open: openServed, files: openPicked }) : nothing}
      ${app.timeline === null ? nothing : replay(app)}
    </main>
  `;
}

/** @param {App} app */
function replay(app) {
  const timeline = /** @type {import("./log/timeline.js").Timeline} */ (app.timeline);
  const state = stateAt(timeline, app.cursor);
  const instance = change.currentInstance(app);
  return html`
    <div class="top">
      <div class="card column">
        ${ring(app, state, instance, { node: pickNode, message: pickMessage })} ${meters(app, state, instance)}
      </div>
      <div class="card middle">
        ${happening(app, { go, unselect: () => update((now) => ({ ...now, selected: -1 })) })}
        ${acceptors(app, state, instance, pickNode)} ${choice(app, state, instance, go)}
      </div>
      ${judgement(app, go)}
    </div>
    <section class="card spacetime" aria-labelledby="spacetime-title">
      <h2 id="spacetime-title" class="visually-hidden">${words.spacetime}</h2>
      ${controls(app, {
        command: obey,
        go,
        speed: (speed) => update((now) => ({ ...now, speed })),
        axis: (axis) => update((now) => change.axisChanged(now, axis)),
      })}
      <canvas id="overview" aria-hidden="true" @pointerdown=${dragOverview}></canvas>
      <div class="canvas-box">
        <canvas
          id="spacetime"
          role="img"
          aria-label=${words.canvasLabel}
          @wheel=${{ handleEvent: onWheel, passive: false }}
          @pointerdown=${onPointerDown}
          @pointermove=${onPointerMove}
          @pointerleave=${() => update((now) => (now.hover < 0 ? now : { ...now, hover: -1 }))}
        ></canvas>
      </div>
      ${relatedText(app)} ${legend()}
    </section>
    ${events(app, { go, filter: (part) => update((now) => ({ ...now, filter: { ...now.filter, ...part } })) })}
  `;
}

/** The line whose causes and consequences are lit, if any. @param {App} app */
function litLine(app) {
  return app.hover >= 0 ? app.hover : app.causes ? app.cursor : -1;
}

/** @type {{timeline: unknown, at: number, related: Uint8Array | null}} */
let lit = { timeline: null, at: -1, related: null };

/** @param {App} app */
function relatedOf(app) {
  const at = litLine(app);
  if (at < 0 || app.timeline === null) return null;
  if (lit.timeline !== app.timeline || lit.at !== at) {
    lit = { timeline: app.timeline, at, related: causality(app.timeline, at) };
  }
  return lit.related;
}

/** @param {App} app */
function relatedText(app) {
  const related = relatedOf(app);
  if (related === null) return html`<p class="related small muted">&nbsp;</p>`;
  const count = (/** @type {number} */ kind) => related.reduce((sum, one) => sum + (one === kind ? 1 : 0), 0);
  const timeline = /** @type {import("./log/timeline.js").Timeline} */ (app.timeline);
  return html`<p class="related small">${sentenceAt(timeline, litLine(app))} <span class="muted">${words.related(count(1), count(2))}.</span></p>`;
}

/** @param {App} app */
function paintCanvases(app) {
  const timeline = /** @type {import("./log/timeline.js").Timeline} */ (app.timeline);
  const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("spacetime"));
  const box = /** @type {HTMLElement} */ (canvas.parentElement);
  if (watched !== box) {
    watched = box;
    sizes.disconnect();
    sizes.observe(box);
  }
  const geo = geometry(timeline, app, app.width);
  const ctx = sized(canvas, geo.width, geo.height);
  const instance = change.currentInstance(app);
  paint(ctx, geo, { ...app, timeline, instance, related: relatedOf(app) }, palette);
  const strip = /** @type {HTMLCanvasElement} */ (document.getElementById("overview"));
  paintOverview(sized(strip, app.width, 34), app, timeline, palette);
}

/** @type {HTMLElement | null} */
let watched = null;
const sizes = new ResizeObserver(([entry]) => {
  const width = Math.round(entry.contentRect.width);
  if (width > 0) update((now) => change.resized(now, width));
});

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

let revealed = -2;

/** Keep the current entry of the list in sight, without moving the page. @param {App} app */
function revealRow(app) {
  const place = rowAt(rowsOf(app), app.cursor);
  if (place === revealed) return;
  revealed = place;
  const box = document.getElementById("event-rows");
  const row = /** @type {HTMLElement | null | undefined} */ (box?.querySelector("li.current"));
  if (!box || !row) return;
  const [top, bottom] = [row.offsetTop - box.offsetTop, row.offsetTop - box.offsetTop + row.offsetHeight];
  if (top < box.scrollTop + 40 || bottom > box.scrollTop + box.clientHeight - 60) {
    box.scrollTop = top - box.clientHeight / 2;
  }
}

/** @type {number | undefined} */
let telling;

/** @param {App} app */
function tell(app) {
  const timeline = /** @type {import("./log/timeline.js").Timeline} */ (app.timeline);
  if (telling !== undefined || live.dataset.at === String(app.cursor)) return;
  live.dataset.at = String(app.cursor);
  live.textContent = sentenceAt(timeline, app.cursor);
  telling = window.setTimeout(() => {
    telling = undefined;
    if (app.timeline !== null) tell(currentApp());
  }, LIVE_MS);
}

function currentApp() {
  return app;
}

/* --- what a person does ------------------------------------------------------------- */

/** @param {number} at */
function go(at) {
  update((now) => change.moved({ ...now, playing: false }, at));
}

/** @param {string} node */
function pickNode(node) {
  update((now) => {
    const picked = now.node === node ? null : node;
    return { ...now, node: picked, filter: { ...now.filter, node: picked ?? "" } };
  });
}

/** @param {number} place */
function pickMessage(place) {
  update((now) => ({ ...now, selected: now.selected === place ? -1 : place }));
}

/** @param {Command} command */
function obey(command) {
  if (command === "play") return togglePlay();
  update((now) => COMMANDS[command]({ ...now, playing: command === "close" ? now.playing : now.playing && !STEPS.has(command) }));
}

const STEPS = new Set(["next", "previous", "nextPoint", "previousPoint", "first", "last"]);

/** @type {Record<Exclude<Command, "play">, (now: App) => App>} */
const COMMANDS = {
  next: (now) => change.stepped(now, 1),
  previous: (now) => change.stepped(now, -1),
  nextPoint: (now) => change.turned(now, 1),
  previousPoint: (now) => change.turned(now, -1),
  first: (now) => change.moved(now, 0),
  last: (now) => change.moved(now, Infinity),
  fit: change.fitted,
  in: (now) => change.zoomed(now, 1.35),
  out: (now) => change.zoomed(now, 1 / 1.35),
  future: (now) => ({ ...now, future: !now.future }),
  causes: (now) => ({ ...now, causes: !now.causes }),
  axis: (now) => change.axisChanged(now, now.axis === "order" ? "time" : "order"),
  help: (now) => ({ ...now, help: !now.help }),
  message: (now) => ({ ...now, selected: now.timeline === null || now.selected >= 0 ? -1 : now.timeline.flightAt[now.cursor] }),
  close: (now) => ({ ...now, help: false, selected: -1, node: null, causes: false, choosing: now.timeline === null, filter: { ...now.filter, node: "" } }),
};

/** @type {number | undefined} */
let ticking;

function togglePlay() {
  update((now) => {
    if (now.timeline === null) return now;
    const atEnd = now.cursor >= now.timeline.lines.length - 1;
    return { ...(atEnd && !now.playing ? change.moved(now, 0) : now), playing: !now.playing };
  });
  window.clearTimeout(ticking);
  tick();
}

function tick() {
  const wait = (calm.matches ? PLAY_CALM_MS : PLAY_MS) / app.speed;
  ticking = window.setTimeout(() => {
    if (!app.playing) return;
    update((now) => change.played(now, calm.matches));
    tick();
  }, wait);
}

document.addEventListener("keydown", (event) => {
  const command = commandOf(event);
  if (command === null || (app.timeline === null && command !== "help" && command !== "close")) return;
  event.preventDefault();
  if (typeof command !== "object") return obey(command);
  const node = `n${command.node}`;
  if (app.timeline?.lanes.includes(node)) pickNode(node);
});

/* --- the pointer on the canvas -------------------------------------------------------- */

/** @param {WheelEvent} event */
function onWheel(event) {
  event.preventDefault();
  const box = /** @type {HTMLElement} */ (event.target).getBoundingClientRect();
  const px = event.clientX - box.left - (box.width - laneWidth(app.width)) / 2;
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return update((now) => change.panned(now, event.deltaX));
  update((now) => change.zoomed(now, Math.exp(-event.deltaY / 500), px));
}

/** @param {PointerEvent} event @returns {[number, number]} */
function onCanvas(event) {
  const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** @type {{x: number, moved: boolean} | null} */
let dragging = null;

/** @param {PointerEvent} event */
function onPointerDown(event) {
  const canvas = /** @type {HTMLElement} */ (event.currentTarget);
  const at = onCanvas(event);
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
function onPointerMove(event) {
  if (dragging !== null) {
    const by = dragging.x - event.clientX;
    if (!dragging.moved && Math.abs(by) < 4) return;
    dragging = { x: event.clientX, moved: true };
    return update((now) => change.panned(now, by));
  }
  if (event.pointerType === "touch" || app.timeline === null) return;
  const { line, flight } = pointed(app.timeline, geometry(app.timeline, app, app.width), app, onCanvas(event));
  const hover = line >= 0 ? line : flight >= 0 ? app.timeline.flights[flight].sent : -1;
  if (hover !== app.hover) update((now) => ({ ...now, hover }));
}

/** @param {[number, number]} at */
function pickAt(at) {
  if (app.timeline === null) return;
  const { line, flight, near } = pointed(app.timeline, geometry(app.timeline, app, app.width), app, at);
  if (line >= 0) return go(line);
  if (flight >= 0) return pickMessage(flight);
  go(near);
}

/** @param {PointerEvent} event */
function dragOverview(event) {
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

/* --- runs ------------------------------------------------------------------------------- */

/**
 * Load something; whatever is wrong with it becomes a sentence on the page.
 * @param {string} what @param {() => Promise<{files: Map<string, string>, name: string}>} load
 * @param {boolean} linked @param {{at?: string, instance?: number}} [moment]
 */
async function open(what, load, linked, moment) {
  update((now) => ({ ...now, busy: words.loading(what), trouble: null }));
  try {
    const { files, name } = await load();
    const run = openFiles(catalogue, files, name);
    const timeline = indexed(run);
    revealed = -2;
    update((now) => change.opened(now, { timeline, name, linked, notice: run.notice }, moment));
    if (!linked) history.replaceState(null, "", location.pathname);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    update((now) => ({ ...now, busy: null, trouble: error.message, choosing: true }));
  }
}

/** @param {ReturnType<typeof openFiles>} run */
function indexed(run) {
  try {
    return buildTimeline(catalogue, run);
  } catch (error) {
    // Lines that fit the format may still contradict each other: say so, and
    // leave the details to whoever opens the console.
    console.warn(error);
    throw new LogError(words.damaged(error instanceof Error ? error.message : String(error)));
  }
}

/** @param {RunEntry} entry @param {{at?: string, instance?: number}} [moment] */
function openServed(entry, moment) {
  return open(entry.run, async () => ({ files: await fetchRun(entry), name: entry.run }), true, moment);
}

/** @param {File[]} files */
function openPicked(files) {
  if (files.length === 0) return;
  const name = files.length === 1 ? files[0].name : words.droppedLogs(files.length);
  void open(name, async () => ({ files: await readFiles(files), name }), false);
}

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const { dataTransfer } = event;
  if (dataTransfer === null) return;
  const dropped = droppedFiles(dataTransfer);
  void open(
    words.droppedLogs(dataTransfer.items.length),
    async () => {
      const { files, name } = await dropped;
      return { files: await readFiles(files), name };
    },
    false,
  );
});

/** Open what the address names. */
async function follow() {
  const { run, ...moment } = momentOf(location.hash);
  if (run === null || app.runs === null) return;
  if (run === app.name && app.linked && app.timeline !== null) {
    const place = moment.at === undefined ? 0 : (app.timeline.index.get(moment.at) ?? 0);
    update((now) => change.moved(change.narrowed(now, moment.instance ?? 0), place));
    return;
  }
  const entry = app.runs.find((one) => one.run === run);
  if (entry === undefined) update((now) => ({ ...now, trouble: words.noSuchRun(run), choosing: true }));
  else await openServed(entry, moment);
}

window.addEventListener("hashchange", () => {
  if (location.hash !== hashOf(app)) void follow();
});

/* --- theme, and the beginning --------------------------------------------------------------- */

/** @returns {"light" | "dark"} */
function firstTheme() {
  const kept = localStorage.getItem("theme");
  return kept === "light" || kept === "dark" ? kept : dark.matches ? "dark" : "light";
}

function switchTheme() {
  const theme = app.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme);
  wear(theme);
}

/** @param {"light" | "dark"} theme */
function wear(theme) {
  document.documentElement.dataset.theme = theme;
  palette = readPalette();
  update((now) => ({ ...now, theme }));
}

dark.addEventListener("change", () => {
  if (localStorage.getItem("theme") === null) wear(dark.matches ? "dark" : "light");
});

async function begin() {
  root.replaceChildren();
  document.body.dataset.drop = words.dropHere;
  wear(app.theme);
  draw();
  try {
    catalogue = await getJson("catalogue.json");
    const runs = await listRuns();
    update((now) => ({ ...now, runs }));
    await follow();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    update((now) => ({ ...now, trouble: error.message, choosing: true }));
  }
}

void begin();
