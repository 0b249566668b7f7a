// Two runs side by side: where they first differ, and what came of it.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Compare, Side} from "./state.js" */
/** @import {Diff, Hunk} from "./align.js" */

import { sentence } from "../log/narration.js";
import { apartAt } from "../log/timeline.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { laneWidth } from "../view/layout.js";
import { words as base } from "../words.js";
import { changed, compare, moved, panned, take, toFirst, toHunk, zoomed } from "./acts.js";
import { lineAtRow } from "./align.js";
import { differing } from "./differing.js";
import { drawBoth, rowNear } from "./draw.js";
import { figuresOf } from "./figures.js";
import { choicesOf, fileSide, nameOf, sideOf } from "./sides.js";
import { compareWords as words } from "./words.js";

export { compareFollow, compareHash, compareWith } from "./acts.js";
export { COMPARE_FIRST } from "./state.js";

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;

/** Paint both views: after each drawing. @param {App} app @param {Acts} acts */
export function compareDrawn(app, acts) {
  if (app.sheet === "compare") drawBoth(app, (width) => acts.update((now) => panned(changed({ width })(now), 0)));
}

/** @param {App} app @param {Acts} acts @returns {unknown} */
export function comparePanel(app, acts) {
  /** @type {Compare} */
  const now = app.compare;
  return html`
    <div class="compare" @dragover=${(/** @type {DragEvent} */ event) => event.preventDefault()} @drop=${(/** @type {DragEvent} */ event) => dropped(event, app, acts)}>
      <div class="compare-sides">
        ${chooser(app, acts, "a", words.first)} ${chooser(app, acts, "b", words.second)}
        <button ?disabled=${now.a === null && now.b === null} @click=${() => swap(acts)}>⇅ ${words.swap}</button>
      </div>
      ${notions(now, acts)}
      <div role="status">
        ${now.busy === null ? nothing : html`<p class="muted">${now.busy}</p>`}
        ${now.trouble === null ? nothing : html`<p class="bad">${now.trouble}</p>`}
      </div>
      ${now.a !== null && now.b !== null && now.diff !== null ? compared(now, now.a, now.b, now.diff, acts) : html`<p class="muted">${words.openFirst}</p>`}
    </div>
  `;
}

/* --- choosing ------------------------------------------------------------------------------ */

/** @param {App} app @param {Acts} acts @param {"a" | "b"} which @param {string} title */
function chooser(app, acts, which, title) {
  /** @type {Side | null} */
  const side = app.compare[which];
  const chosen = side === null ? "" : nameOf(side);
  const groups = choicesOf(app);
  const listed = groups.some(({ choices }) => choices.some(({ value }) => value === chosen));
  const pick = (/** @type {Event} */ event) => {
    const value = valueOf(event);
    if (value !== "" && value !== chosen) void take(acts, which, value.replace(/^\w+:/, "") || title, () => sideOf(value, acts));
  };
  return html`
    <div class="compare-side">
      <label for="compare-pick-${which}">${title}</label>
      <select id="compare-pick-${which}" @change=${pick}>
        ${side === null ? html`<option value="" .selected=${true}>${words.choose}</option>` : nothing}
        ${side === null || listed ? nothing : html`<option value=${chosen} .selected=${true}>${side.title}</option>`}
        ${groups.map(
          ({ kind, choices }) => html`<optgroup label=${words.kinds[kind]}>
            ${choices.map(({ value, text }) => html`<option value=${value} .selected=${value === chosen}>${kind === "own" ? words.shown(text) : text}</option>`)}
          </optgroup>`,
        )}
      </select>
      <label class="button"
        >${words.pickFile}<input
          type="file"
          multiple
          accept=".jsonl,.json"
          class="visually-hidden"
          aria-label=${words.pickFor(title)}
          @change=${(/** @type {Event} */ event) => {
            const input = /** @type {HTMLInputElement} */ (event.target);
            takeFiles(app, acts, which, [...(input.files ?? [])]);
            input.value = "";
          }}
      /></label>
    </div>
  `;
}

/** @param {App} app @param {Acts} acts @param {"a" | "b"} which @param {File[]} files */
function takeFiles(app, acts, which, files) {
  const catalogue = (app.timeline ?? app.compare.a?.timeline ?? app.compare.b?.timeline)?.catalogue;
  if (files.length > 0 && catalogue !== undefined) void take(acts, which, files[0].name, () => fileSide(catalogue, files));
}

/** A log that is dropped here is compared, not opened. @param {DragEvent} event @param {App} app @param {Acts} acts */
function dropped(event, app, acts) {
  event.preventDefault();
  event.stopPropagation();
  document.body.classList.remove("dropping");
  takeFiles(app, acts, app.compare.a === null ? "a" : "b", [...(event.dataTransfer?.files ?? [])]);
}

/** @param {Acts} acts */
function swap(acts) {
  acts.update((app) => changed({ a: app.compare.b, b: app.compare.a, diff: null })(app));
  void compare(acts);
}

/** By which notion lines are the same. @param {Compare} now @param {Acts} acts */
function notions({ by, exact }, acts) {
  const set = (/** @type {Partial<Compare>} */ part) => {
    acts.update(changed(part));
    void compare(acts);
  };
  return html`
    <div class="compare-notions">
      <label class="field"
        ><span class="muted">${words.beside}</span>
        <select id="compare-by" @change=${(/** @type {Event} */ event) => set({ by: /** @type {"order" | "lines"} */ (valueOf(event)) })}>
          <option value="lines" .selected=${by === "lines"}>${words.by.lines}</option>
          <option value="order" .selected=${by === "order"}>${words.by.order}</option>
        </select></label
      >
      <label class="field"
        ><input type="checkbox" .checked=${exact} @change=${(/** @type {Event} */ event) => set({ exact: /** @type {HTMLInputElement} */ (event.target).checked })} />
        ${words.exactly}</label
      >
      <span class="small muted">${words.notion(by, exact)}</span>
    </div>
  `;
}

/* --- what differs ---------------------------------------------------------------------------- */

/** @param {Compare} now @param {Side} a @param {Side} b @param {Diff} diff @param {Acts} acts */
function compared(now, a, b, diff, acts) {
  const count = diff.same.length;
  const go = (/** @type {(app: App) => App} */ step) => () => acts.update(step);
  return html`
    ${told(now, a, b, diff)}
    <div class="compare-steps">
      <div class="group">
        <button @click=${go((app) => toHunk(app, -1))}>${words.previous}</button>
        <button class="primary" @click=${go(toFirst)}>${words.toFirst}</button>
        <button @click=${go((app) => toHunk(app, 1))}>${words.next}</button>
      </div>
      <div class="group">
        <button aria-label=${words.back} title=${words.back} @click=${go((app) => moved(app, app.compare.row - 1))}>◀</button>
        <button aria-label=${words.forward} title=${words.forward} @click=${go((app) => moved(app, app.compare.row + 1))}>▶</button>
        <button aria-label=${words.zoomOut} title=${words.zoomOut} @click=${go((app) => zoomed(app, 1 / 1.35))}>−</button>
        <button aria-label=${words.zoomIn} title=${words.zoomIn} @click=${go((app) => zoomed(app, 1.35))}>+</button>
      </div>
      <input
        class="scrubber"
        type="range"
        min="0"
        max=${count - 1}
        aria-label=${words.cursor}
        aria-valuetext=${words.rowOf(now.row, count)}
        .value=${String(now.row)}
        @input=${(/** @type {Event} */ event) => acts.update((app) => moved(app, Number(valueOf(event))))}
      />
    </div>
    ${view(now, "a", a, words.first, diff, acts)} ${view(now, "b", b, words.second, diff, acts)} ${figures(a, b)}
  `;
}

/** The first difference in a sentence. @param {Compare} now @param {Side} a @param {Side} b @param {Diff} diff */
function told(now, a, b, diff) {
  const { hunks } = diff;
  if (hunks.length === 0) return html`<p class="compare-told">${words.same}</p>`;
  const [hunk] = hunks;
  return html`<div class="compare-told">
    <p>${words.alikeUntil(hunk.from)} ${firstApart(now, a, b, diff, hunk)}. ${words.movedOnly(hunk.moved)}</p>
    <p class="muted">${words.differences(hunks.length, hunks.filter((one) => one.moved).length)}</p>
  </div>`;
}

/** So many fields are told where two lines differ in more. */
const MOST_FIELDS = 3;

/** @param {Compare} now @param {Side} a @param {Side} b @param {Diff} diff @param {Hunk} hunk @returns {string} */
function firstApart(now, a, b, diff, hunk) {
  const lines = /** @type {[number, number]} */ ([lineWithin(diff.a, hunk), lineWithin(diff.b, hunk)]);
  const apart = apartIn(a, b, ...lines);
  const [one, other] = [saidAt(a, lines[0], apart), saidAt(b, lines[1], apart)];
  if (one.line === null || other.line === null || one.what !== other.what) return `${words.inFirst(one.what, one.moment)}; ${words.inSecond(other.what, other.moment)}`;
  const found = differing(one.line, other.line, now.by, now.exact).slice(0, MOST_FIELDS);
  return `${words.inBoth(one.what, one.moment, other.moment)}, ${found.length === 0 ? words.onceMore : words.differIn(found)}`;
}

/**
 * A run's first line within a difference, or the next one; -1 where it has ended.
 * @param {Int32Array} lines @param {Hunk} hunk
 */
function lineWithin(lines, hunk) {
  // A difference may be that the one says something and the other goes on as it would have anyway.
  let row = hunk.from;
  while (row < lines.length && lines[row] < 0) row += 1;
  return row < lines.length ? lines[row] : -1;
}

/**
 * How close the nearest other lines are to one of each run, in milliseconds: equal times are told alike on both sides.
 * @param {Side} a @param {Side} b @param {number} one -1 for none @param {number} other
 */
function apartIn(a, b, one, other) {
  return Math.min(one < 0 ? Infinity : apartAt(a.timeline, one), other < 0 ? Infinity : apartAt(b.timeline, other));
}

/**
 * What a run says at a line.
 * @param {Side} side @param {number} at @param {number} apart
 * @returns {{what: string, moment: string, line: import("../log/types.d.ts").Line | null}} `line` is null where it has ended
 */
function saidAt({ timeline, rows }, at, apart) {
  if (at < 0) return { what: words.ended, moment: words.none, line: null };
  const line = JSON.parse(rows[at]);
  return { what: sentence(timeline.catalogue, [line]), moment: base.ms(timeline.ms[at], apart), line };
}

/**
 * What two lines at the cursor keep that differs, where their sentences don't tell it.
 * @param {Compare} now @param {Diff} diff
 */
function keptApart({ a, b, row, by, exact }, diff) {
  const [one, other] = [diff.a[row], diff.b[row]];
  if (a === null || b === null || one < 0 || other < 0 || diff.same[row] === 1) return [];
  const [left, right] = [JSON.parse(a.rows[one]), JSON.parse(b.rows[other])];
  const { catalogue } = a.timeline;
  return sentence(catalogue, [left]) === sentence(catalogue, [right]) ? differing(left, right, by, exact).slice(0, MOST_FIELDS) : [];
}

/** @param {Compare} now @param {"a" | "b"} which @param {Side} side @param {string} title @param {Diff} diff @param {Acts} acts */
function view(now, which, side, title, diff, acts) {
  const at = diff[which][now.row];
  const kept = keptApart(now, diff).map((one) => words.keeps(one.name, one[which]));
  const shown = at >= 0 ? at : lineAtRow(diff[which], now.row);
  const same = diff.same[now.row] === 1;
  const apart = now.a === null || now.b === null ? Infinity : apartIn(now.a, now.b, diff.a[now.row], diff.b[now.row]);
  return html`
    <section class="compare-view" aria-labelledby="compare-title-${which}">
      <h3 id="compare-title-${which}">${title}: ${side.title}</h3>
      <p class="compare-here ${same ? "" : "differs"}">
        <span class="chip">${same ? `= ${words.sameHere}` : `≠ ${words.differsHere}`}</span>
        ${at < 0
          ? html`<span class="muted">${words.nothingHere}</span>`
          : html`${sentence(side.timeline.catalogue, [JSON.parse(side.rows[at])])} ${kept.map((text) => html`<span class="kept">${text}</span> `)}
              <span class="muted small">${base.ms(side.timeline.ms[shown], apart)}, ${side.timeline.nameOf(at)}</span>`}
      </p>
      <div class="compare-canvas">
        <canvas
          id="compare-${which}"
          role="img"
          aria-label=${words.canvasLabel(title, side.title)}
          @pointerdown=${(/** @type {PointerEvent} */ event) => grabbed(event, acts)}
          @wheel=${{ handleEvent: (/** @type {WheelEvent} */ event) => wheeled(event, acts), passive: false }}
        ></canvas>
      </div>
    </section>
  `;
}

/** Drag pans, a click sets the cursor. @param {PointerEvent} event @param {Acts} acts */
function grabbed(event, acts) {
  const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
  const box = canvas.getBoundingClientRect();
  let [x, dragged] = [event.clientX, false];
  canvas.setPointerCapture(event.pointerId);
  const move = (/** @type {PointerEvent} */ moving) => {
    const by = x - moving.clientX;
    if (!dragged && Math.abs(by) < 4) return;
    [x, dragged] = [moving.clientX, true];
    acts.update((app) => panned(app, by));
  };
  const end = (/** @type {PointerEvent} */ ending) => {
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", end);
    canvas.removeEventListener("pointercancel", end);
    if (dragged || ending.type === "pointercancel") return;
    acts.update((app) => moved(app, rowNear(app.compare, box.width, ending.clientX - box.left)));
  };
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
}

/** @param {WheelEvent} event @param {Acts} acts */
function wheeled(event, acts) {
  event.preventDefault();
  const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return acts.update((app) => panned(app, event.deltaX));
  const px = event.clientX - box.left - (box.width - laneWidth(box.width) - 14);
  acts.update((app) => zoomed(app, Math.exp(-event.deltaY / 500), px));
}

/* --- figures ----------------------------------------------------------------------------------- */

/** @type {WeakMap<object, [string, string][]>} */
const known = new WeakMap();

/** @param {Side} side */
function figuresFor({ timeline }) {
  const found = known.get(timeline) ?? figuresOf(timeline);
  known.set(timeline, found);
  return found;
}

/** @param {Side} a @param {Side} b */
function figures(a, b) {
  const [own, other] = [figuresFor(a), figuresFor(b)];
  return html`
    <div class="scroll-x" role="region" tabindex="0" aria-label=${words.figures}>
      <table class="compare-figures">
        <caption>
          ${words.figures}
        </caption>
        <thead>
          <tr>
            <th scope="col">${words.figure}</th>
            <th scope="col">${words.first}</th>
            <th scope="col">${words.second}</th>
          </tr>
        </thead>
        <tbody>
          ${own.map(([name, value], place) => {
            const differs = value !== other[place][1];
            return html`<tr class=${differs ? "differs" : ""}>
              <th scope="row">${name}</th>
              <td>${value}</td>
              <td>${other[place][1]} ${differs ? html`<span role="img" aria-label=${words.differs}>≠</span>` : nothing}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  `;
}
