// "Explore from here": what the explorer says can still come of a moment.

/** @import {App} from "../state.js" */
/** @import {Value} from "../log/types.d.ts" */

import { valueText } from "../log/values.js";
import { prose } from "../shell/prose.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { sandbox as said } from "./words.js";

/** How far it may look, by name: the usual first. @type {[string, string[]][]} */
export const BOUNDS = [
  ["ballots", ["2", "1", "3", "4"]],
  ["crashes", ["0", "1", "2"]],
  ["disk_faults", ["0", "1"]],
];

/**
 * @typedef {object} ExploreActs
 * @property {() => void} explore
 * @property {() => void} take the shortest way, as a branch
 * @property {(name: string, value: string) => void} fill
 * @property {() => void} cancel
 */

/** @param {App} app @param {ExploreActs} act */
export function exploration(app, act) {
  const { whatif, busy, engine, form } = app.sandbox;
  if (engine === "missing") return nothing;
  const exploring = busy === said.exploring;
  return html`
    <section class="explore" aria-labelledby="explore-title">
      <h3 id="explore-title">${said.explore}</h3>
      <p class="small muted">${said.exploreHow}</p>
      <div class="bounds">
        ${BOUNDS.map(
          ([name, options]) => html`<span class="field">
            <label class="muted small" for="bound-${name}">${said.bounds[name]}</label>
            <select id="bound-${name}" @change=${(/** @type {Event} */ event) => act.fill(name, /** @type {HTMLSelectElement} */ (event.target).value)}>
              ${options.toSorted().map((option) => html`<option value=${option} ?selected=${option === (form[name] ?? options[0])}>${option}</option>`)}
            </select>
          </span>`,
        )}
      </div>
      ${exploring
        ? html`<p class="small" role="status">${said.exploring} <button class="link" @click=${act.cancel}>${said.stop}</button></p>`
        : html`<button class="primary" ?disabled=${busy !== null} @click=${act.explore}>${said.exploreNow(app.cursor + 1)}</button>`}
      ${whatif === null || exploring ? nothing : answer(whatif.answer, whatif.at, act)}
    </section>
  `;
}

/** @param {any} found what paxos/whatif says @param {number} at @param {ExploreActs} act */
function answer(found, at, act) {
  const bad = found.verdict === "can go wrong" || found.verdict === "already wrong";
  const mark = bad ? "violated" : found.verdict === "unknown" ? "unknown" : "ok";
  const values = /** @type {Value[]} */ (found.can_choose ?? []).map(valueText);
  return html`
    <div class="answer answer-${mark}" role="status">
      <p class="muted small">${said.answerAt(at + 1)}</p>
      <p><strong>${headline(found)}</strong></p>
      <p>${capital(found.sentence ?? "")}</p>
      <dl class="small">
        ${found.chosen == null ? nothing : html`<div><dt>${said.already}</dt><dd>${valueText(found.chosen)}</dd></div>`}
        <div><dt>${found.complete ? said.can : said.canSeen}</dt><dd>${values.length === 0 && !found.any_other ? (found.complete ? said.none : said.noneSeen) : [...values, ...(found.any_other ? [values.length === 0 ? said.any : said.anyOther] : [])].join(", ")}</dd></div>
        <div><dt>${said.looked}</dt><dd>${said.states(found.states ?? 0)}${found.complete ? `, ${said.complete}` : `, ${said.notComplete}`}</dd></div>
      </dl>
      ${way(found, act)}
    </div>
  `;
}

/**
 * The answer in a sentence. Where the limit came before all bounds were
 * searched, it names those that were.
 * @param {any} found
 */
function headline({ verdict, complete, ballots_searched: searched }) {
  if (verdict === "safe within bounds" && !complete) return said.safeWith(searched);
  return said.verdicts[verdict] ?? verdict;
}

/** Have the answer in sight: it opens below the button, and the panel may end there. */
export function showAnswer() {
  requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(".explore .answer")?.scrollIntoView({ block: "nearest" })));
}

/** The shortest way to what goes wrong. @param {any} found @param {ExploreActs} act */
function way(found, act) {
  if (!Array.isArray(found.way) || found.way.length === 0) return nothing;
  return html`
    <h4>${said.way}</h4>
    <ol class="small way">
      ${found.way.map((/** @type {unknown} */ step) => html`<li>${String(step)}</li>`)}
    </ol>
    ${found.branch
      ? html`<p class="small muted">${found.branch.after > 0 ? said.takeHow : said.takeAlone}</p>
          <button @click=${act.take}>${found.branch.after > 0 ? said.openShortest : said.openAlone}</button>`
      : html`<p class="small muted">${said.noWay} ${prose(capital(found.no_branch ?? ""))}</p>`}
  `;
}

/** @param {string} text */
function capital(text) {
  return text === "" ? "" : `${text[0].toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}
