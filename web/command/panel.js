// The panel of commands: the same for real containers, processes and the
// sandbox. A button makes a step; who carries it out is the caller's.

/** @import {App} from "../state.js" */
/** @import {State} from "../log/types.d.ts" */
/** @import {Step} from "./state.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { prose } from "../shell/prose.js";
import { forms } from "./forms.js";
import { isDestructive, targetsOf } from "./steps.js";
import { command as said } from "./words.js";

/**
 * @typedef {object} World what can be commanded here
 * @property {string[]} members
 * @property {(verb: string) => boolean} knows whether it can be done here
 * @property {boolean} real whether it hits something outside of this page
 * @property {string} kind "docker", "local" or "sandbox"
 * @property {string[]} instances names that a proposal may go to; empty when there is only one
 * @property {{name: string, text: string, held: boolean}[]} faults in force
 * @property {boolean} manual whether every message waits for a hand
 */

/**
 * @typedef {object} CommandActs
 * @property {() => App} now the present state, which may not be drawn yet
 * @property {(step: Step) => void} give
 * @property {(step: Step) => void} ask give it once it has been confirmed
 * @property {() => void} confirm
 * @property {() => void} leave
 * @property {(form: string | null) => void} open a form
 * @property {(name: string, value: string) => void} fill
 * @property {(node: string) => void} node select it
 * @property {(node: string) => void} mark put it on the other side
 */

/** Forms that stand below the buttons of a node; the others stand below those of the network. */
const NODE_FORMS = new Set(["propose", "disk", "failpoint"]);

/**
 * @param {App} app @param {State | null} state @param {World} world @param {CommandActs} act
 * @param {unknown} [held] what waits for a hand, where that is what one does: it stands above all else
 */
export function commandPanel(app, state, world, act, held = nothing) {
  const node = app.node !== null && world.members.includes(app.node) ? app.node : null;
  const below = new Set([...NODE_FORMS, "configure"]);
  return html`
    <div class="commands">
      <h3>${node === null ? said.title : said.titleTo(node)}</h3>
      ${picker(app, world, act)} ${node === null && !world.manual ? html`<p class="small muted">${said.chooseFirst}</p>` : nothing}
      ${answers(app)} ${asking(app, world, act)} ${held} ${node === null ? nothing : toNode(app, state, world, node, act)}
      ${NODE_FORMS.has(app.command.form ?? "") ? forms(app, world, node, act) : nothing} ${world.manual ? nothing : toNetwork(app, world, act)}
      ${below.has(app.command.form ?? "") ? nothing : forms(app, world, node, act)} ${toAll(app, world, act)}
      ${app.command.form === "configure" ? forms(app, world, node, act) : nothing}
    </div>
  `;
}

/** @param {App} app @param {World} world @param {CommandActs} act */
function picker(app, world, act) {
  return html`
    <div class="pick-node" role="group" aria-label=${said.chooseNode}>
      ${world.members.map(
        (node) => html`<button aria-pressed=${app.node === node} @click=${() => act.node(node)}>${node}</button>`,
      )}
    </div>
  `;
}

/** @param {App} app @param {State | null} state @param {World} world @param {string} node @param {CommandActs} act */
function toNode(app, state, world, node, act) {
  const status = state?.nodes[node]?.status ?? "up";
  const down = status === "down";
  /** @type {(verb: string, name: string, form?: string) => unknown} */
  const button = (verb, name, form) => {
    if (!world.knows(verb)) return nothing;
    const hint = said.hints[verb] ?? "";
    if (form !== undefined) return html`<button aria-expanded=${app.command.form === form} @click=${() => act.open(form)}>${name}</button>`;
    // A form that closes moves these buttons: the second half of a double click is no order.
    const click = (/** @type {MouseEvent} */ event) => (event.detail < 2 ? order({ [verb]: node }, world, act) : undefined);
    return html`<button title=${hint} @click=${click}>${name}</button>`;
  };
  return html`
    <div class="buttons">
      ${down ? nothing : button("propose", said.propose, "propose")}
      ${down ? button("start", said.start) : button("kill", said.kill)}
      ${down ? nothing : status === "paused" ? button("resume", said.resume) : button("pause", said.pause)}
      ${down ? nothing : button("stop", said.stop)} ${down ? nothing : button("restart", said.restart)}
      ${down ? nothing : button("power_loss", said.powerLoss)} ${world.manual ? nothing : button("isolate", said.isolate)}
      ${button("disk_fault", said.disk, "disk")} ${down ? nothing : button("failpoint", said.failpoint, "failpoint")}
    </div>
  `;
}

/** @param {App} app @param {World} world @param {CommandActs} act */
function toNetwork(app, world, act) {
  const open = (/** @type {string} */ form, /** @type {string} */ name) =>
    html`<button aria-expanded=${app.command.form === form} @click=${() => act.open(form)}>${name}</button>`;
  return html`
    <h3>${said.toCluster}</h3>
    <div class="buttons">
      ${world.knows("partition") ? open("partition", said.partition) : nothing}
      ${world.knows("cut") ? open("cut", said.cut) : nothing}
      ${world.knows("heal") ? html`<button ?disabled=${world.faults.length === 0} @click=${() => act.give({ heal: "all" })}>${said.heal}</button>` : nothing}
      ${world.knows("drop") ? open("rule", said.rule) : nothing}
      ${world.knows("release") ? html`<button ?disabled=${world.faults.length === 0} aria-expanded=${app.command.form === "release"} @click=${() => act.open("release")}>${said.release}</button>` : nothing}
    </div>
  `;
}

/** What holds for every node. @param {App} app @param {World} world @param {CommandActs} act */
function toAll(app, world, act) {
  if (!world.knows("configure")) return nothing;
  return html`
    <h3>${said.toAll}</h3>
    <div class="buttons">
      <button aria-expanded=${app.command.form === "configure"} @click=${() => act.open("configure")}>${said.configure}</button>
      ${world.kind !== "sandbox" || world.manual ? nothing : html`<button title=${said.hints.by_hand} @click=${() => act.give({ by_hand: true })}>${said.byHand}</button>`}
    </div>
  `;
}

/** Do it, or ask first when it would hit something real. @param {Step} step @param {World} world @param {CommandActs} act */
export function order(step, world, act) {
  if (world.real && isDestructive(step)) act.ask(step);
  else act.give(step);
}

/** @param {App} app @param {World} world @param {CommandActs} act */
function asking(app, world, act) {
  const { asking: one } = app.command;
  if (one === null) return nothing;
  const verb = Object.keys(one.step)[0];
  return html`
    <div class="asking" role="alertdialog" aria-labelledby="asking-text">
      <p id="asking-text">${said.hits(one.step, said.hitsWhere(world.kind, targetsOf(one.step)))} ${said.hints[verb] ?? ""}</p>
      <div class="group">
        <button class="danger" id="confirm" @click=${act.confirm}>${said.give}</button>
        <button @click=${act.leave}>${said.leave}</button>
      </div>
    </div>
  `;
}

/** What became of the last commands: the newest in full, the others behind a click. @param {App} app */
function answers({ command }) {
  const [last, ...earlier] = command.sent;
  return html`
    <ul class="plain sent" aria-live="polite">
      ${last === undefined ? nothing : answer(last)}
    </ul>
    ${earlier.length === 0
      ? nothing
      : html`<details class="earlier">
          <summary class="small muted">${said.earlier(earlier.length)}</summary>
          <ul class="plain sent">
            ${earlier.map(answer)}
          </ul>
        </details>`}
  `;
}

const SIGNS = { pending: "…", done: "✓", refused: "✕" };

/** @param {import("./state.js").Sent} sent */
function answer({ text, state, answer: reply }) {
  return html`<li class=${state}>
    <span class="mark" aria-hidden="true">${SIGNS[state]}</span>
    <span class="text">${text}</span>
    <span class="muted small">${state === "pending" ? said.pending : prose(reply)}</span>
  </li>`;
}
