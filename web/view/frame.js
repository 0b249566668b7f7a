// What stands around a run: the header, the choice of a run, help and legend.

/** @import {App, RunEntry} from "../state.js" */

import { verdictChip } from "./judgement.js";
import { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/**
 * @typedef {object} HeaderActs
 * @property {(instance: number) => void} instance
 * @property {() => void} choose
 * @property {() => void} help
 * @property {() => void} theme
 */

/** @param {App} app @param {HeaderActs} act */
export function header(app, act) {
  const { timeline } = app;
  const run = timeline?.lines.find((line) => line.event === "run_started");
  return html`
    <header class="bar">
      <h1>${words.title}</h1>
      <span class="chip">${words.replay}</span>
      ${timeline === null
        ? nothing
        : html`
            <span class="run-title">${run?.title ?? app.name}</span>
            ${run === undefined ? nothing : html`<span class="chip">${run.scenario}</span><span class="chip">${run.world}</span>`}
            ${verdictChip(timeline.verdict)} ${timeline.instances.length > 1 ? instances(app, act) : nothing}
          `}
      <span class="spacer"></span>
      <button aria-expanded=${app.choosing} @click=${act.choose}>${words.openRun}</button>
      <button aria-expanded=${app.help} aria-label=${words.help} title=${words.help} @click=${act.help}>?</button>
      <button @click=${act.theme}>${app.theme === "dark" ? `☀ ${words.light}` : `☾ ${words.dark}`}</button>
    </header>
  `;
}

/** @param {App} app @param {HeaderActs} act */
function instances(app, act) {
  const timeline = /** @type {import("../log/timeline.js").Timeline} */ (app.timeline);
  return html`
    <span class="field">
      <label class="muted" for="instance">${words.instance}</label>
      <select id="instance" @change=${(/** @type {Event} */ event) => act.instance(Number(/** @type {HTMLSelectElement} */ (event.target).value))}>
        <option value="0" ?selected=${app.instance === 0}>${words.allInstances}</option>
        ${timeline.instances.map(
          (number) =>
            html`<option value=${number} ?selected=${app.instance === number}>
              ${words.instanceName(number, timeline.instanceNames.get(number))}
            </option>`,
        )}
      </select>
    </span>
  `;
}

/** @param {App} app @param {{open: (entry: RunEntry) => void, files: (files: File[]) => void}} act */
export function chooser(app, act) {
  return html`
    <section class="card chooser" aria-labelledby="choose-title">
      <h2 id="choose-title">${words.chooseTitle}</h2>
      ${app.runs === null || app.runs.length === 0
        ? html`<p class="muted">${app.runs === null ? (app.trouble === null ? words.noServer : nothing) : words.noRuns}</p>`
        : html`<ul class="plain runs">
            ${app.runs.map(
              (entry) => html`<li>
                <button class="run" @click=${() => act.open(entry)}>
                  <strong>${entry.title === "" ? entry.run : entry.title}</strong>
                  <span class="muted">${entry.run}</span>
                  <span>
                    ${entry.scenario === "" ? nothing : html`<span class="chip">${entry.scenario}</span>`}
                    ${entry.world === "" ? nothing : html`<span class="chip">${entry.world}</span>`}
                    ${entry.verdict === null
                      ? html`<span class="chip">${words.noVerdict}</span>`
                      : html`<span class="chip verdict-${entry.verdict}"
                          >${words.ruleMarks[entry.verdict] ?? "?"} ${words.verdicts[entry.verdict] ?? entry.verdict}</span
                        >`}
                  </span>
                </button>
              </li>`,
            )}
          </ul>`}
      <p class="muted">${words.chooseHow}</p>
      <label class="button">
        ${words.pickFiles}
        <input
          type="file"
          multiple
          accept=".jsonl,.json"
          class="visually-hidden"
          @change=${(/** @type {Event} */ event) => {
            const input = /** @type {HTMLInputElement} */ (event.target);
            act.files([...(input.files ?? [])]);
            input.value = "";
          }}
        />
      </label>
    </section>
  `;
}

/** @param {() => void} close */
export function help(close) {
  return html`
    <section class="card help" aria-labelledby="help-title">
      <h2 id="help-title">${words.helpTitle}</h2>
      <button class="close" @click=${close}>${words.closeHelp}</button>
      <dl>
        ${words.keys.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}
      </dl>
    </section>
  `;
}

/** The signs of the space-time view, drawn as they are drawn there. */
export function legend() {
  return html`
    <ul class="legend plain" aria-label=${words.legend}>
      ${SIGNS.map(([name, picture]) => html`<li><svg viewBox="0 0 34 16" width="34" height="16" aria-hidden="true">${picture}</svg> ${words.signs[name]}</li>`)}
    </ul>
  `;
}

/** @type {[string, unknown][]} */
const SIGNS = [
  ["prepare", svg`<path class="stroke prepare thin" d="M1 8 H26" /><path class="fill prepare" d="M33 8 l-9 -4 v8 z" />`],
  ["promise", svg`<path class="stroke prepare thin dashed" d="M1 8 H24" /><path class="hollow prepare" d="M32 8 l-8 -4 v8 z" />`],
  ["reported", svg`<path class="stroke prepare thin dashed" d="M1 8 H33" /><rect class="v0 edge" x="9" y="1" width="14" height="14" />`],
  ["accept", svg`<path class="stroke accept thick" d="M1 8 H24" /><path class="fill accept" d="M33 8 l-10 -5 v10 z" />`],
  ["accepted", svg`<path class="stroke accepted thick dashed" d="M1 8 H22" /><path class="hollow accepted" d="M32 8 l-9 -5 v10 z" />`],
  ["nack", svg`<path class="stroke nack dotted" d="M1 8 H24" /><path class="hollow nack" d="M32 8 l-8 -4 v8 z" />`],
  ["learn", svg`<path class="stroke learn thin" d="M1 8 H26" /><path class="fill learn" d="M33 8 l-9 -4 v8 z" />`],
  ["lost", svg`<path class="stroke accept thick" d="M1 8 H18" /><path class="stroke accept" d="M15 4 l8 8 M23 4 l-8 8" />`],
  ["promiseMark", svg`<path class="hollow prepare" d="M9 2 l6 6 l-6 6 l-6 -6 z" /><path class="fill prepare" d="M25 2 l6 6 l-6 6 l-6 -6 z" />`],
  ["acceptMark", svg`<rect class="hollow edge" x="3" y="2" width="12" height="12" /><rect class="v0 edge" x="19" y="2" width="12" height="12" />`],
  ["learnMark", svg`<rect class="v0" opacity="0.5" x="10" y="4" width="24" height="8" /><circle class="v0 edge" cx="10" cy="8" r="6" />`],
  ["wish", svg`<path class="v0 edge" d="M2 3 h12 l-6 10 z" /><path class="v0 edge" d="M20 13 h12 l-6 -10 z" />`],
  ["stuck", svg`<circle class="hollow nack" cx="17" cy="8" r="6" /><path class="stroke nack thin" d="M17 4 V8 L20 9" />`],
  ["down", svg`<path class="stroke nack" d="M3 3 l10 10 M13 3 l-10 10" /><path class="stroke accepted thin" d="M30 6 a5 5 0 1 0 0 5" />`],
  ["paused", svg`<path class="stroke accept thick" d="M14 3 V13 M20 3 V13" />`],
  ["wall", svg`<path class="stroke wall" d="M1 13 l6 -10 M8 13 l6 -10 M15 13 l6 -10 M22 13 l6 -10" />`],
  ["chosen", svg`<path class="stroke ink dashed" d="M17 0 V16" />`],
];
