// What stands around a run: the header, the choice of a run, help and legend.

/** @import {App, RunEntry, Sheet, StoryEntry} from "../state.js" */

import { nothingYet, stateChip, verdictChip } from "./judgement.js";
import { asksNow } from "./happening.js";
import { POINT_SIGNS } from "./points.js";
import { pointPicture } from "./signs.js";
import { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/**
 * @typedef {object} HeaderActs
 * @property {(mode: "replay" | "live" | "sandbox") => void} mode
 * @property {(instance: number) => void} instance
 * @property {(sheet: Sheet) => void} sheet
 * @property {() => void} tour
 * @property {() => void} find
 * @property {() => void} theme
 */

const MODES = /** @type {const} */ (["replay", "live", "sandbox"]);

/** @param {App} app @param {HeaderActs} act */
export function header(app, act) {
  const mode = app.mode === "story" ? "replay" : app.mode;
  const sheet = (/** @type {Sheet} */ name, /** @type {string} */ label) =>
    html`<button aria-expanded=${app.sheet === name} @click=${() => act.sheet(name)}>${label}</button>`;
  return html`
    <header class="bar">
      <h1>${words.title}</h1>
      <nav class="modes" aria-label=${words.modes}>
        ${MODES.map(
          (one) => html`<button aria-current=${one === mode ? "page" : "false"} @click=${() => act.mode(one)}>${words.modeNames[one]}</button>`,
        )}
      </nav>
      <span class="spacer"></span>
      <div class="tools">
        <button class="tour" @click=${act.tour}>${words.tour}</button>
        ${sheet("runs", words.openRun)} ${sheet("share", words.share)} ${sheet("compare", words.compare)}
        <button @click=${act.find}>${words.find}</button>
        <button aria-expanded=${app.sheet === "help"} aria-label=${words.help} title=${words.help} @click=${() => act.sheet("help")}>?</button>
        <button class="theme" aria-label=${app.theme === "dark" ? words.light : words.dark} title=${app.theme === "dark" ? words.light : words.dark} @click=${act.theme}>
          ${app.theme === "dark" ? "☀" : "☾"}
        </button>
      </div>
    </header>
  `;
}

/**
 * What is shown: its title, where it comes from, the verdict, and what this
 * mode has to say and to offer beside it.
 * @param {App} app @param {HeaderActs} act @param {unknown} beside
 */
export function runBar(app, act, beside) {
  const { timeline, meta } = app;
  if (timeline === null) return html`<div class="run-bar">${beside}</div>`;
  const scenario = text(meta?.scenario);
  const world = text(meta?.world);
  return html`
    <div class="run-bar">
      <h2 class="run-title">${titleOf(app)}</h2>
      ${scenario === "" || scenario === titleOf(app) ? nothing : html`<span class="chip">${scenario}</span>`}
      ${world === "" ? nothing : html`<span class="chip">${words.worlds[world] ?? world}</span>`} ${app.mode === "live" || nothingYet(app) ? stateChip(app) : asksNow(app) ? nothing : verdictChip(timeline.verdict)}
      ${timeline.instances.length > 1 ? instances(app, act) : nothing} <span class="spacer"></span>
      ${beside}
    </div>
  `;
}

/** @param {App} app */
function titleOf({ timeline, meta, name, mode }) {
  if (mode === "live") return text(meta?.title);
  const started = timeline?.run;
  return text(started?.title) || text(meta?.title) || name;
}

/** Files hold what strangers wrote: only text is shown. @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}

/** More instances than these are asked for by number. */
const LISTED = 300;

/** @param {App} app @param {number[]} numbers @param {HeaderActs} act */
function instanceNumber(app, numbers, act) {
  const change = (/** @type {Event} */ event) => {
    const number = Number.parseInt(/** @type {HTMLInputElement} */ (event.target).value, 10);
    act.instance(numbers.includes(number) ? number : 0);
  };
  return html`
    <span class="field">
      <label class="muted" for="instance">${words.instance}</label>
      <input
        id="instance"
        type="number"
        min=${numbers[0]}
        max=${numbers[numbers.length - 1]}
        placeholder=${words.allInstances}
        .value=${app.instance === 0 ? "" : String(app.instance)}
        @change=${change}
      />
    </span>
  `;
}

/** @param {App} app @param {HeaderActs} act */
function instances(app, act) {
  const timeline = /** @type {import("../log/timeline.js").Timeline} */ (app.timeline);
  if (timeline.instances.length > LISTED) return instanceNumber(app, timeline.instances, act);
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

/**
 * @typedef {object} ChooserActs
 * @property {(run: string) => void} run
 * @property {(story: string) => void} story
 * @property {(files: File[]) => void} files
 */

/** The lists of runs and stories. @param {App} app @param {ChooserActs} act */
export function chooser(app, act) {
  const stories = (app.stories ?? []).filter((story) => story.kind !== "counterexample");
  const found = (app.stories ?? []).filter((story) => story.kind === "counterexample");
  return html`
    <div class="chooser">
      ${files(act)}
      <h3>${words.runsTitle}</h3>
      ${app.runs === null || app.runs.length === 0
        ? html`<p class="muted">${app.runs === null ? (app.trouble === null ? words.noServer : nothing) : words.noRuns}</p>`
        : html`<ul class="plain runs">
            ${app.runs.map((entry) => html`<li>${runCard(entry, act)}</li>`)}
          </ul>`}
      ${stories.length === 0 ? nothing : storyList(words.storiesTitle, stories, act)}
      ${found.length === 0 ? nothing : storyList(words.counterexamplesTitle, found, act)}
    </div>
  `;
}

/** @param {ChooserActs} act */
function files(act) {
  return html`
    <p class="muted">
      ${words.chooseHow}
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
    </p>
  `;
}

/** @param {RunEntry} entry @param {ChooserActs} act */
function runCard(entry, act) {
  return html`
    <button class="run" @click=${() => act.run(entry.run)}>
      <strong>${entry.title === "" ? entry.run : entry.title}</strong>
      <span class="muted">${entry.run}</span>
      <span>
        ${entry.scenario === "" ? nothing : html`<span class="chip">${entry.scenario}</span>`}
        ${entry.world === "" ? nothing : html`<span class="chip">${words.worlds[entry.world] ?? entry.world}</span>`}
        ${entry.verdict === null ? html`<span class="chip">${words.noVerdict}</span>` : verdictText(entry.verdict)}
      </span>
    </button>
  `;
}

/** @param {string} title @param {StoryEntry[]} stories @param {ChooserActs} act */
function storyList(title, stories, act) {
  return html`
    <h3>${title}</h3>
    <ul class="plain stories">
      ${stories.map(
        (story) => html`<li>
          <button class="run story" @click=${() => act.story(story.name)}>
            <strong>${story.title}</strong>
            <span>${story.verdict === undefined ? nothing : verdictText(story.verdict)} <span class="muted">${story.name.replace("--", "/")}</span></span>
          </button>
        </li>`,
      )}
    </ul>
  `;
}

/** @param {string} verdict */
function verdictText(verdict) {
  return html`<span class="chip verdict-${verdict}">${words.ruleMarks[verdict] ?? "?"} ${words.verdicts[verdict] ?? verdict}</span>`;
}

/** The keys. */
export function help() {
  return html`
    <div class="help">
      <dl>
        ${words.keys.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}
      </dl>
      <h3>${words.legend}</h3>
      ${legend()}
      <h3>${words.legendOfStrip}</h3>
      ${signList(words.legendOfStrip, Object.keys(POINT_SIGNS).map((kind) => [pointPicture(kind, 17, 8), words.points[kind]]))}
      <h3>${words.legendAfar}</h3>
      ${signList(words.legendAfar, AFAR.map(([name, picture]) => [picture, words.signs[name]]))}
    </div>
  `;
}

/**
 * A sheet: something that needs the page's whole width for a while.
 * @param {Sheet} name @param {unknown} body @param {() => void} close
 */
export function sheetCard(name, body, close) {
  return html`
    <section class="card sheet sheet-${name}" aria-labelledby="sheet-title">
      <h2 id="sheet-title" tabindex="-1">${words.sheets[name]}</h2>
      <button class="close" @click=${close}>${words.close}</button>
      ${body}
    </section>
  `;
}

/** The signs of the space-time view, drawn as they are drawn there. */
export function legend() {
  return signList(words.legend, SIGNS.map(([name, picture]) => [picture, words.signs[name]]));
}

/** @param {string} name @param {[unknown, string][]} signs each with what it means */
function signList(name, signs) {
  return html`
    <ul class="legend plain" aria-label=${name}>
      ${signs.map(([picture, text]) => html`<li><svg viewBox="0 0 34 16" width="34" height="16" aria-hidden="true">${picture}</svg> ${text}</li>`)}
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
  [
    "meter",
    svg`<circle class="hollow prepare" cx="6" cy="8" r="4.5" /><circle class="hollow prepare" cx="17" cy="8" r="4.5" /><path class="fill prepare" d="M17 3.5 a4.5 4.5 0 0 0 0 9 z" /><circle class="fill prepare" cx="28" cy="8" r="4.5" />`,
  ],
  ["chosen", svg`<path class="stroke ink dashed" d="M17 0 V16" />`],
];

/** How a run looks from far out. @type {[string, unknown][]} */
const AFAR = [
  ["openBallot", svg`<rect class="fill prepare" x="1" y="5.5" width="14" height="5" /><rect class="stroke accept" x="16" y="3" width="16" height="10" />`],
  ["chosenBallot", svg`<rect class="fill prepare" x="1" y="5.5" width="14" height="5" /><rect class="fill accepted" x="15" y="2" width="18" height="12" />`],
  ["density", svg`<path class="stroke prepare thin" d="M3 3 V13 M6 1 V15 M9 5 V11" /><rect class="fill accepted" x="12" y="3" width="10" height="10" /><path class="stroke nack dotted" d="M27 1 V15 M31 3 V13" />`],
];
