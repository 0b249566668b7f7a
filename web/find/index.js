// The search by message shape: the side panel "Find".

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Timeline, Flight} from "../log/timeline.js" */
/** @import {Wrong} from "./query.js" */
/** @import {Find} from "./state.js" */
/** @import {Found} from "./search.js" */

import { shortText, styleOf } from "../log/values.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { timeOf } from "../view/time.js";
import { words as base } from "../words.js";
import { edited, queryForm } from "./form.js";
import { parseQuery } from "./query.js";
import { matches } from "./search.js";
import { SHOWN_FIRST } from "./state.js";
import { findWords as words } from "./words.js";

export { findMask, matches } from "./search.js";
export { FIND_FIRST } from "./state.js";

/** @param {Partial<Find>} part @returns {(app: App) => App} */
const changed = (part) => (app) => ({ ...app, find: { ...app.find, ...part } });

/** @param {App} app @param {Acts} acts @returns {unknown} */
export function findPanel(app, acts) {
  const { timeline } = app;
  /** @type {Find} */
  const find = app.find;
  if (timeline === null) return html`<p class="muted">${words.openFirst}</p>`;
  const write = (/** @type {string} */ text) => acts.update(changed({ text, shown: SHOWN_FIRST }));
  const found = matches(timeline, find.text);
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;
  return html`
    <section class="find" aria-labelledby="find-title">
      <h2 id="find-title">${words.title}</h2>
      <label class="visually-hidden" for="find-text">${words.query}</label>
      <input
        id="find-text"
        type="search"
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        placeholder=${words.hint}
        aria-describedby="find-error find-how"
        aria-invalid=${found.error === null ? "false" : "true"}
        .value=${find.text}
        @input=${(/** @type {Event} */ event) => write(value(event))}
        @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && step(app, acts, found, event.shiftKey ? -1 : 1)}
      />
      <div id="find-error" role="status">${found.error === null ? nothing : wrong(find.text, found.error)}</div>
      <label class="find-preset"
        ><span class="muted">${words.presets}</span>
        <select @change=${(/** @type {Event} */ event) => value(event) !== "" && write(value(event))}>
          <option value="" .selected=${!words.patterns.some(({ query }) => query === find.text)}>${words.choosePreset}</option>
          ${words.patterns.map(({ name, query }) => html`<option value=${query} .selected=${query === find.text}>${name}</option>`)}
        </select>
      </label>
      ${teaches(find.text)}
      <details .open=${find.form} @toggle=${(/** @type {Event} */ event) => toggled(event, find, acts)}>
        <summary>${words.form}</summary>
        <p class="small muted" id="find-how">${words.how}</p>
        ${find.form ? queryForm(timeline, parseQuery(find.text).query, (change) => write(edited(acts.get().find.text, change))) : nothing}
      </details>
      ${found.active ? results(app, acts, found) : nothing}
    </section>
  `;
}

/** @param {Event} event @param {Find} find @param {Acts} acts */
function toggled(event, find, acts) {
  const { open } = /** @type {HTMLDetailsElement} */ (event.target);
  if (open !== find.form) acts.update(changed({ form: open }));
}

/** What a known pattern is there to show. @param {string} text */
function teaches(text) {
  const known = words.patterns.find(({ query }) => query === text);
  return known === undefined ? nothing : html`<p class="find-teaches">${known.teaches}</p>`;
}

/** What is wrong with the query, and where it stands. @param {string} text @param {Wrong} error */
function wrong(text, { at, length, text: reason }) {
  const part = text.slice(at, at + length);
  return html`<p class="find-wrong">${words.errorAt(at, reason)}</p>
    <p class="find-where" aria-hidden="true">${text.slice(0, at)}<mark>${part === "" ? "␣" : part}</mark>${text.slice(at + length)}</p>`;
}

/** @param {App} app @param {Acts} acts @param {Found} found @param {1 | -1} direction */
function step(app, acts, found, direction) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const places = found.hits.map((hit) => timeline.flight(hit[0]).sent);
  const next = direction > 0 ? places.find((at) => at > app.cursor) : places.findLast((at) => at < app.cursor);
  if (next !== undefined) acts.go(next);
}

/** @param {App} app @param {Acts} acts @param {Found} found */
function results(app, acts, found) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  /** @type {Find} */
  const find = app.find;
  const { hits } = found;
  const shown = hits.slice(0, find.shown);
  return html`
    <p class="find-count" role="status">${words.found(hits.length, found.stopped)}</p>
    ${hits.length === 0
      ? nothing
      : html`
          <div class="find-steps">
            <button @click=${() => step(app, acts, found, -1)}>${words.previous}</button>
            <button @click=${() => step(app, acts, found, 1)}>${words.next}</button>
          </div>
          <label class="field"
            ><input
              type="checkbox"
              .checked=${find.only}
              @change=${(/** @type {Event} */ event) => acts.update(changed({ only: /** @type {HTMLInputElement} */ (event.target).checked }))}
            />
            ${words.only}</label
          >
          <ol class="plain find-hits" aria-label=${words.results}>
            ${shown.map((hit) => html`<li>${hit.map((place) => message(timeline, timeline.flight(place), app.cursor, acts.go))}</li>`)}
          </ol>
          ${hits.length > shown.length
            ? html`<button class="link" @click=${() => acts.update(changed({ shown: find.shown + 200 }))}>${words.more(hits.length - shown.length)}</button>`
            : nothing}
        `}
  `;
}

/** @param {Timeline} timeline @param {Flight} flight @param {number} cursor @param {(at: number) => void} go */
function message(timeline, flight, cursor, go) {
  const style = flight.value === null ? null : styleOf(timeline.values, flight.value);
  const report = flight.accepted;
  const old = report === null ? null : styleOf(timeline.values, report.value);
  return html`
    <button class="find-hit kind-${flight.kind}" aria-current=${flight.sent === cursor ? "true" : "false"} @click=${() => go(flight.sent)}>
      <span class="find-time">${timeOf(timeline, flight.sent)}</span>
      <span>
        <strong>${base.kinds[flight.kind]}</strong> ${flight.ballot ?? ""}
        <span class="visually-hidden">${words.from}</span> ${flight.source} <span aria-hidden="true">→</span>
        <span class="visually-hidden">${words.to}</span> ${flight.to}
        ${style === null ? nothing : html`<span class="swatch v${style.index}" aria-hidden="true">${style.letter}</span> ${words.carries(shortText(/** @type {any} */ (flight.value)))}`}
        ${report === null || old === null
          ? nothing
          : html`<span class="swatch v${old.index}" aria-hidden="true">${old.letter}</span> ${words.reports(shortText(report.value), report.ballot)}`}
        ${flight.promised === null ? nothing : words.promised(flight.promised)}
        ${flight.fate === "received" ? nothing : html`<span class="find-fate">✕ ${base.fates[flight.fate]}</span>`}
      </span>
    </button>
  `;
}
