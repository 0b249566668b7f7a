// The list of events: every line in words, filterable; the accessible twin of
// the space-time view.

/** @import {App} from "../state.js" */
/** @import {Rows} from "./rows.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { rowAt, rowsOf } from "./rows.js";
import { timeOf } from "./time.js";
import { viewWords } from "./words.js";
import { words } from "../words.js";

export { rowAt, rowsOf };

/** How many entries stand in the page at once, around the cursor. */
const WINDOW = 160;

/**
 * @param {App} app
 * @param {{go: (at: number) => void, filter: (change: Partial<App["filter"]>) => void}} act
 */
export function events(app, act) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const rows = /** @type {Rows} */ (rowsOf(app));
  const { place: current, length } = rows.standing(app.cursor, app.cursor === timeline.length - 1 && rows.grows);
  // The window moves in half steps, so that it rarely changes under a reader.
  const half = WINDOW / 2;
  const start = Math.max(0, (Math.floor(current / half) - 1) * half);
  const shown = Math.max(Math.min(WINDOW, length - start), 0);
  const later = length - start - shown;
  const places = Array.from({ length: shown }, (_, index) => start + index);
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;
  return html`
    <section class="card events" aria-labelledby="events-title">
      <div class="events-head">
        <h2 id="events-title">${words.events} <span class="muted" title=${words.entriesWhy}>${counted(rows, length, timeline.length)}</span></h2>
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
          : html`<button class="link more" @click=${() => act.go(rows.at[start - 1])}>${words.earlier(start)}</button>`}
        ${shown === 0 && rows.scanned === rows.total ? html`<p class="muted">${words.noEvents}</p>` : nothing}
        <ol class="plain" start=${start + 1}>
          ${places.map((place) => entry(timeline, rows, place, place === current, rows.at[place] > app.cursor && !(current === length - 1 && rows.grows), act.go))}
        </ol>
        ${later === 0
          ? nothing
          : html`<button class="link more" @click=${() => act.go(rows.at[start + shown])}>${words.more(later)}</button>`}
      </div>
    </section>
  `;
}

/** How many entries there are for how many events, and how far the log has been searched. @param {Rows} rows @param {number} length @param {number} events */
function counted(rows, length, events) {
  const count = words.eventCount(length, events);
  return rows.scanned === rows.total ? count : viewWords.scanning(count, rows.scanned / rows.total);
}

/** @type {{rows: Rows | null, entries: Map<string, unknown>}} */
let kept = { rows: null, entries: new Map() };
/** So many entries are kept as they were written. */
const KEPT = 1_000;

/**
 * @param {Timeline} timeline @param {Rows} rows @param {number} place @param {boolean} current @param {boolean} future
 * @param {(at: number) => void} go
 */
function entry(timeline, rows, place, current, future, go) {
  const row = rows.row(place);
  if (kept.rows !== rows || kept.entries.size > KEPT) kept = { rows, entries: new Map() };
  // Of a run that goes on, a line that comes next may ask for another digit.
  const time = timeOf(timeline, row.at);
  const key = `${row.at} ${row.count} ${time} ${current ? 1 : 0} ${future ? 1 : 0}`;
  const known = kept.entries.get(key);
  if (known !== undefined) return known;
  const line = timeline.line(row.at);
  const kind = line.event.replace(/_(sent|received)$/, "");
  const written = html`
    <li class="${future ? "future" : ""} ${current ? "current" : ""} level-${timeline.level(row.at)} kind-${kind}">
      <button aria-current=${current ? "true" : "false"} @click=${() => go(row.end)}>
        <span class="time">${time}</span>
        <span class="who">${line.node === "orchestrator" ? "·" : line.node}</span>
        <span class="what">${rows.sentence(timeline, row)}</span>
        ${row.count > 1 ? html`<span class="muted small">${words.bundle(row.count)}</span>` : nothing}
      </button>
    </li>
  `;
  if (!line.pending) kept.entries.set(key, written);
  return written;
}
