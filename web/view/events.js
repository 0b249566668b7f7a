// The list of events: every line in words, filterable; the accessible twin of
// the space-time view.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { bundled } from "../log/narration.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/** How many entries stand in the page at once, around the cursor. */
const WINDOW = 160;
const RANK = { story: 0, detail: 1, quiet: 2 };

/** @typedef {{at: number, count: number, text: string}} Entry `at` is its first line; its last one is `end` */
/** @typedef {Entry & {end: number}} Row */

/** @type {{key: unknown[], rows: Row[]}} */
let made = { key: [], rows: [] };

/**
 * The entries that a filter leaves, neighbours of one fan-out joined.
 * @param {App} app @returns {Row[]}
 */
export function rowsOf({ timeline, filter, instance }) {
  if (timeline === null) return [];
  const key = [timeline, filter, instance];
  if (key.every((part, index) => part === made.key[index])) return made.rows;
  const { lines, catalogue } = timeline;
  /** @type {number[]} */
  const places = [];
  lines.forEach((line, at) => {
    if (RANK[timeline.levels[at]] > RANK[filter.level]) return;
    if (!timeline.ours[at] && filter.level !== "quiet") return;
    if (filter.node !== "" && ![line.node, line.of].includes(filter.node) && !line.targets?.includes(filter.node)) return;
    if (instance !== 0 && line.instance !== undefined && line.instance !== instance) return;
    places.push(at);
  });
  const wanted = filter.text.trim().toLowerCase();
  const rows = bundled(catalogue, places.map((at) => lines[at]))
    .map(({ first, count, text }) => ({ at: places[first], end: places[first + count - 1], count, text }))
    .filter(({ text, at }) => wanted === "" || text.toLowerCase().includes(wanted) || lines[at].event.includes(wanted));
  made = { key, rows };
  return rows;
}

/**
 * The place of the last entry that has begun at the cursor.
 * @param {Row[]} rows @param {number} cursor
 */
export function rowAt(rows, cursor) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].at <= cursor) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * @param {App} app
 * @param {{go: (at: number) => void, filter: (change: Partial<App["filter"]>) => void}} act
 */
export function events(app, act) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const rows = rowsOf(app);
  const current = rowAt(rows, app.cursor);
  // The window moves in half steps, so that it rarely changes under a reader.
  const half = WINDOW / 2;
  const start = Math.max(0, (Math.floor(current / half) - 1) * half);
  const shown = rows.slice(start, start + WINDOW);
  const later = rows.length - start - shown.length;
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;
  return html`
    <section class="card events" aria-labelledby="events-title">
      <div class="events-head">
        <h2 id="events-title">${words.events} <span class="muted">${words.eventCount(rows.length, rows.length)}</span></h2>
        <span class="field">
          <label class="muted" for="filter-node">${words.filterNode}</label>
          <select id="filter-node" @change=${(/** @type {Event} */ event) => act.filter({ node: value(event) })}>
            <option value="" ?selected=${app.filter.node === ""}>${words.everyNode}</option>
            ${[...timeline.lanes, "orchestrator"].map(
              (node) => html`<option value=${node} ?selected=${app.filter.node === node}>${node}</option>`,
            )}
          </select>
        </span>
        <span class="field">
          <label class="muted" for="filter-level">${words.filterLevel}</label>
          <select id="filter-level" @change=${(/** @type {Event} */ event) => act.filter({ level: /** @type {any} */ (value(event)) })}>
            ${Object.entries(words.levels).map(
              ([level, name]) => html`<option value=${level} ?selected=${app.filter.level === level}>${name}</option>`,
            )}
          </select>
        </span>
        <span class="field">
          <label class="muted" for="filter-text">${words.filterText}</label>
          <input
            id="filter-text"
            type="search"
            placeholder=${words.filterHint}
            .value=${app.filter.text}
            @input=${(/** @type {Event} */ event) => act.filter({ text: value(event) })}
          />
        </span>
      </div>
      <div class="event-rows" id="event-rows">
        ${start === 0
          ? nothing
          : html`<button class="link more" @click=${() => act.go(rows[start - 1].at)}>${words.earlier(start)}</button>`}
        ${shown.length === 0 ? html`<p class="muted">${words.noEvents}</p>` : nothing}
        <ol class="plain" start=${start + 1}>
          ${shown.map((row, index) => entry(timeline, row, start + index === current, row.at > app.cursor, act.go))}
        </ol>
        ${later === 0
          ? nothing
          : html`<button class="link more" @click=${() => act.go(rows[start + shown.length].at)}>${words.more(later)}</button>`}
      </div>
    </section>
  `;
}

/** @param {Timeline} timeline @param {Row} row @param {boolean} current @param {boolean} future @param {(at: number) => void} go */
function entry(timeline, row, current, future, go) {
  const line = timeline.lines[row.at];
  const kind = line.event.replace(/_(sent|received)$/, "");
  return html`
    <li class="${future ? "future" : ""} ${current ? "current" : ""} level-${timeline.levels[row.at]} kind-${kind}">
      <button aria-current=${current ? "true" : "false"} @click=${() => go(row.end)}>
        <span class="time">${words.ms(timeline.ms[row.at])}</span>
        <span class="who">${line.node === "orchestrator" ? "·" : line.node}</span>
        <span class="what">${row.text}</span>
        ${row.count > 1 ? html`<span class="muted small">${words.bundle(row.count)}</span>` : nothing}
      </button>
    </li>
  `;
}
