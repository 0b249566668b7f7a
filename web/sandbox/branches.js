// The branches of a run, a row each: where it left its parent, where it first
// differs, what was chosen and what went wrong. All rows share one axis.

/** @import {App} from "../state.js" */
/** @import {Branch} from "./state.js" */

import { styleOf } from "../log/values.js";
import { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
import { sandbox as said } from "./words.js";

const WIDTH = 1000;
const HEIGHT = 22;

/**
 * @typedef {object} BranchActs
 * @property {(id: number) => void} show
 * @property {(id: number) => void} drop
 * @property {(id: number, name: string) => void} rename
 * @property {(id: number) => void} compare
 * @property {(at: number) => void} go
 * @property {(id: number | null) => void} naming
 */

/** @param {App} app @param {BranchActs} act */
export function branchRows(app, act) {
  const { branches } = app.sandbox;
  if (branches.length < 2) return nothing;
  const most = Math.max(...branches.map((branch) => branch.timeline.length));
  return html`
    <section class="branches" aria-label=${said.branches}>
      <ol class="plain">
        ${ordered(branches).map(([branch, depth]) => row(app, branch, depth, most, act))}
      </ol>
    </section>
  `;
}

/** Each branch below the one that it left. @param {Branch[]} branches @returns {[Branch, number][]} */
function ordered(branches) {
  /** @type {(parent: number | null, depth: number) => [Branch, number][]} */
  const under = (parent, depth) =>
    branches.filter((branch) => branch.parent === parent).flatMap((branch) => [/** @type {[Branch, number]} */ ([branch, depth]), ...under(branch.id, depth + 1)]);
  return under(null, 0);
}

/** @param {App} app @param {Branch} branch @param {number} depth @param {number} most @param {BranchActs} act */
function row(app, branch, depth, most, act) {
  const { sandbox } = app;
  const current = branch.id === sandbox.current;
  const parent = sandbox.branches.find((one) => one.id === branch.parent);
  return html`
    <li class=${current ? "current" : ""}>
      <span class="branch-name depth-${Math.min(depth, 4)}">
        ${sandbox.naming === branch.id ? naming(branch, act) : html`<button class="link" aria-current=${current} title=${said.show(branch.name, branch.timeline.length)} @click=${() => act.show(branch.id)}>${branch.name}</button>`}
      </span>
      ${picture(app, branch, most, current)}
      <span class="branch-acts">
        <button class="small-button" aria-label=${said.renameOne(branch.name)} title=${said.rename} @click=${() => act.naming(branch.id)}>✎</button>
        ${current ? nothing : html`<button class="small-button" aria-label=${said.compareOne(branch.name)} title=${said.compare} @click=${() => act.compare(branch.id)}>⇄</button>`}
        <button class="small-button" aria-label=${said.dropOne(branch.name)} title=${said.drop} @click=${() => act.drop(branch.id)}>✕</button>
      </span>
      ${current && parent !== undefined ? origin(branch, parent, act) : nothing}
    </li>
  `;
}

/** @param {Branch} branch @param {BranchActs} act */
function naming(branch, act) {
  const done = (/** @type {Event} */ event) => {
    event.preventDefault();
    const field = /** @type {HTMLFormElement} */ (event.target).elements.namedItem("name");
    act.rename(branch.id, /** @type {HTMLInputElement} */ (field).value);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") act.naming(null);
  };
  return html`<form @submit=${done} @keydown=${key}><input name="name" type="text" maxlength="40" aria-label=${said.name} .value=${branch.name} autofocus /></form>`;
}

/** In words, and as links, what the row draws. @param {Branch} branch @param {Branch} parent @param {BranchActs} act */
function origin(branch, parent, act) {
  return html`<p class="small muted branch-origin">
    ${said.forkText(branch.at, branch.divergence, parent.name)}
    <button class="link" @click=${() => act.go(Math.max(branch.at, 0))}>${said.goFork}</button>
    ${branch.divergence < 0 ? nothing : html` · <button class="link" @click=${() => act.go(branch.divergence)}>${said.goDifference}</button>`}
  </p>`;
}

/** @param {App} app @param {Branch} branch @param {number} most @param {boolean} current */
function picture(app, branch, most, current) {
  const { timeline } = branch;
  const x = (/** @type {number} */ at) => (at / Math.max(most - 1, 1)) * (WIDTH - 12) + 6;
  const end = x(timeline.length - 1);
  const from = branch.parent === null ? x(0) : x(Math.max(branch.at, 0));
  const violated = timeline.points.filter((point) => point.kind === "violation").map((point) => x(point.at));
  return html`
    <svg class="branch-picture" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
      ${branch.parent === null ? nothing : svg`<line class="shared" x1=${x(0)} x2=${from} y1="11" y2="11" />`}
      <line class="own" x1=${from} x2=${end} y1="11" y2="11" />
      ${branch.parent === null ? nothing : svg`<line class="fork" x1=${from} x2=${from} y1="1" y2="21" />`}
      ${branch.divergence < 0 ? nothing : svg`<path class="differs" d="M${x(branch.divergence)} 4 l5 7 l-5 7 l-5 -7 z" />`}
      ${timeline.chosen.map(({ at, value }) => svg`<rect class="v${styleOf(timeline.values, value).index} chosen-mark" x=${x(at) - 5} y="5" width="10" height="12" />`)}
      ${violated.map((at) => svg`<path class="violation-mark" d="M${at - 5} 5 l10 12 M${at + 5} 5 l-10 12" />`)}
      ${current ? svg`<line class="cursor" x1=${x(app.cursor)} x2=${x(app.cursor)} y1="0" y2=${HEIGHT} />` : nothing}
    </svg>
  `;
}
