// What sandbox mode shows beside the title and where there is no run yet: the
// engine's start, and the form for a new run.

/** @import {App} from "../state.js" */
/** @import {Recipe} from "./state.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { prose } from "../shell/prose.js";
import { words } from "../words.js";
import { CONDITION_NAMES, SIZES, recipeOfForm } from "./recipes.js";
import { currentBranch } from "./state.js";
import { sandbox as said } from "./words.js";

/**
 * @typedef {object} SandboxActs
 * @property {() => void} start the engine
 * @property {(recipe: Recipe) => void} open
 * @property {() => void} making open the form for a new run, or close it
 * @property {() => void} back to the run that was open before this one
 * @property {(name: string, value: string) => void} fill
 */

/** @param {App} app @param {SandboxActs} act */
export function sandboxBeside(app, act) {
  const branch = currentBranch(app.sandbox);
  if (app.timeline === null || branch === null) return nothing;
  const { recipe } = branch;
  return html`
    <span class="chip">${said.seed} ${recipe.seed}</span>
    ${recipe.variant === null ? nothing : html`<span class="chip warn" title=${doingOf(app, recipe.variant)}>${recipe.variant}</span>`}
    <span class="chip">${words.counted(app.timeline.length, "event")}</span>
    ${app.sandbox.busy === null ? nothing : html`<span class="chip busy-chip" role="status">${app.sandbox.busy}</span>`}
    ${back(app, act)}
    <button aria-expanded=${app.sandbox.making} @click=${act.making}>${said.newRun}</button>
  `;
}

/** The run that this one has replaced. @param {App} app @param {SandboxActs} act */
function back({ sandbox: { before, busy } }, act) {
  if (before === null) return nothing;
  const { branches } = before;
  return html`<button class="back" title=${said.backHint(branches.length)} ?disabled=${busy !== null} @click=${act.back}>${said.back(branches[0].recipe.seed)}</button>`;
}

/** @param {App} app @param {SandboxActs} act */
export function sandboxStage(app, act) {
  const { sandbox, timeline } = app;
  if (timeline !== null) return sandbox.making ? html`<section class="card start" aria-label=${said.newRun}>${form(app, act)}</section>` : nothing;
  if (sandbox.opening !== null) return opening(app, sandbox.opening, act);
  return html`
    <section class="card start" aria-labelledby="sandbox-title">
      <h2 id="sandbox-title">${said.title}</h2>
      <p>${said.how}</p>
      ${engineState(app, act)} ${sandbox.engine === "missing" ? nothing : form(app, act)}
    </section>
  `;
}

/** A link or a form leads to a run that is not there yet. @param {App} app @param {Recipe} recipe @param {SandboxActs} act */
function opening(app, { seed, nodes, commands, scenario }, act) {
  return html`
    <section class="card start opening" aria-labelledby="sandbox-title">
      <h2 id="sandbox-title">${said.openingTitle}</h2>
      <p>${said.openingWhat(seed, nodes, commands.length, scenario)}</p>
      ${app.sandbox.engine === "off" ? html`<p class="muted" role="status">${app.sandbox.busy}</p>` : engineState(app, act)}
    </section>
  `;
}

/** @param {App} app @param {SandboxActs} act */
export function engineState({ sandbox }, act) {
  switch (sandbox.engine) {
    case "starting":
      return html`<p class="engine" role="status">
        <progress aria-label=${said.progress} max="1" .value=${sandbox.progress}></progress>
        <span class="muted">${said.starting(sandbox.stage, Math.round(sandbox.progress * 100))}</span>
      </p>`;
    case "missing":
      return html`<p class="notice"><strong>${prose(sandbox.stage)}</strong></p>`;
    case "failed":
      return html`<p class="trouble" role="alert">${sandbox.stage} <button @click=${act.start}>${said.startNow}</button></p>`;
    case "off":
      return html`<p class="muted">${said.off} <button class="link" @click=${act.start}>${said.startNow}</button></p>`;
    default:
      return sandbox.busy === null ? nothing : html`<p class="muted" role="status">${sandbox.busy}</p>`;
  }
}

/** @param {App} app @param {SandboxActs} act */
function form(app, act) {
  const { form: filled } = app.sandbox;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    act.open(recipeOfForm(filled));
  };
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;
  /** @type {(name: string, label: string, usual: string, options: [string, string][]) => unknown} */
  const select = (name, label, usual, options) => html`<span class="field">
    <label class="muted" for="new-${name}">${label}</label>
    <select id="new-${name}" @change=${(/** @type {Event} */ event) => act.fill(name, value(event))}>
      ${options.map(([key, text]) => html`<option value=${key} ?selected=${key === (filled[name] ?? usual)}>${text}</option>`)}
    </select>
  </span>`;
  return html`
    <form class="form new-run" @submit=${submit}>
      <span class="field">
        <label class="muted" for="new-seed">${said.seed}</label>
        <input id="new-seed" type="number" min="0" max="999999" .value=${filled.seed ?? "7"} @input=${(/** @type {Event} */ event) => act.fill("seed", value(event))} />
      </span>
      ${select("nodes", said.nodes, "5", SIZES.map((size) => [String(size), String(size)]))}
      ${select("manual", said.by, "no", [["no", said.byItself], ["yes", said.byHand]])}
      ${filled.manual === "yes" ? nothing : select("conditions", said.conditions, "calm", CONDITION_NAMES.map((name) => [name, /** @type {any} */ (said.conditionNames)[name]]))}
      ${select("scheme", said.scheme, "rounds", Object.entries(said.schemes))} ${select("variant", said.variant, "", [["", said.correct], ...variants(app)])}
      <button class="primary">${said.make}</button> ${chosenVariant(app)}
    </form>
  `;
}

/**
 * The broken variants that stories know of: what each does, as far as that has
 * been read, and else its name.
 * @param {App} app @returns {[string, string][]}
 */
function variants(app) {
  const names = new Set((app.stories ?? []).map((story) => story.variant).filter((name) => typeof name === "string"));
  const titled = [...names].map((name) => /** @type {[string, string]} */ ([name, doingOf(app, /** @type {string} */ (name)) || name]));
  return titled.sort((one, other) => (one[1] < other[1] ? -1 : 1));
}

/** What a broken variant does, in a sentence; "" where that is not known. @param {App} app @param {string} variant @returns {string} */
export function doingOf({ learn }, variant) {
  const found = /** @type {{name: string, change: string}[]} */ (learn.variants ?? []).find(({ name }) => name === variant);
  return found?.change ?? "";
}

/** The variant that is chosen, in full: a field has no room for it on a phone. @param {App} app */
function chosenVariant(app) {
  const { variant } = app.sandbox.form;
  if (!variant) return nothing;
  return html`<p class="small chosen-variant">${doingOf(app, variant)} <code class="muted">${variant}</code></p>`;
}
