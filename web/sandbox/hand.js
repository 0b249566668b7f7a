// Delivering by hand: what waits, and what can be done to one message.

/** @import {App} from "../state.js" */
/** @import {Step} from "../command/state.js" */
/** @import {Branch} from "./state.js" */

import { stateAt } from "../log/timeline.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { isByHand, isByHandAt } from "./recipe.js";
import { atEnd, currentBranch } from "./state.js";
import { sandbox as said } from "./words.js";

const DELAY_MS = 50;

/** @param {App} app @param {{give: (step: Step, cursor?: number) => void, rewind: () => void}} act */
export function heldList(app, act) {
  const branch = currentBranch(app.sandbox);
  if (branch === null || (!isByHand(branch.recipe) && branch.held.length === 0)) return nothing;
  return html`
    <section class="held" aria-labelledby="held-title">
      <h3 id="held-title">${said.held}</h3>
      ${atEnd(app) ? waiting(branch, act) : past(branch, act)}
    </section>
  `;
}

/** @param {Branch} branch @param {{give: (step: Step, cursor?: number) => void}} act */
function waiting(branch, act) {
  const can = branch.held.filter((one) => one.step !== null && one.step !== undefined);
  if (can.length === 0) return html`<p class="small muted">${said.heldNone}</p>`;
  const { nodes } = stateAt(branch.timeline, branch.timeline.length - 1);
  /** @type {Set<string>} */
  const steps = new Set();
  return html`
    <p class="small muted">${isByHand(branch.recipe) ? said.heldHow : said.heldByGate}</p>
    <ul class="plain">
      ${can.map((one) => {
        const why = whyNot(one, nodes, steps);
        return html`<li class="held-${one.what} ${one.kind ?? ""}">
          <span>${one.what === "timer" ? said.heldTimer(one) : said.heldMessage(carrying(branch.timeline, one))}${why === "" ? nothing : html` <span class="muted small">(${why})</span>`}</span>
          <button aria-disabled=${why !== ""} @click=${() => why === "" && act.give(one.step)}>${one.what === "timer" ? said.fire : said.deliver}</button>
        </li>`;
      })}
    </ul>
  `;
}

/**
 * Why what waits cannot be let go now; "" where it can. A gate lets go the
 * oldest that fits, so of two that look alike to it the younger one waits.
 * @param {any} one @param {import("../log/types.d.ts").State["nodes"]} nodes @param {Set<string>} steps of the rows above; this one's is added
 */
function whyNot({ what, rule, step, to }, nodes, steps) {
  const key = JSON.stringify(step);
  const second = rule != null && steps.has(key);
  steps.add(key);
  if (what === "message" && nodes[to]?.status === "down") return said.receiverDown(to);
  return second ? said.olderFirst : "";
}

/** A gate does not tell what a message carries; its line in the log does. @param {import("../log/timeline.js").Timeline} timeline @param {any} one */
function carrying(timeline, one) {
  const at = timeline.at(one.line);
  if (one.ballot || at < 0 || timeline.flightAt[at] < 0) return one;
  const { ballot, value, accepted } = timeline.flight(timeline.flightAt[at]);
  return { ...one, ballot, value: value ?? accepted?.value ?? null, accepted: accepted?.ballot ?? null };
}

/** @param {Branch} branch @param {{rewind: () => void}} act */
function past(branch, act) {
  if (!isByHand(branch.recipe)) return html`<p class="small muted">${said.heldPast}</p>`;
  return html`<p class="small muted">${said.heldPast}</p>
    <button @click=${act.rewind}>${said.goBackHere}</button>`;
}

/**
 * What can be done to a message in flight.
 * @param {App} app @param {number} place @param {(step: Step, cursor?: number) => void} give
 */
export function messageSteps(app, place, give) {
  const branch = currentBranch(app.sandbox);
  if (branch === null || app.timeline === null) return nothing;
  const flight = app.timeline.flight(place);
  if (isByHandAt(branch, app.cursor + 1)) {
    const held = branch.held.find((one) => one.line === flight.id && one.step);
    if (held === undefined || !atEnd(app)) return nothing;
    return buttons([[said.deliverMessage, () => give(held.step)]]);
  }
  // While it is in the air: at the cursor if it is then, else right after it was sent.
  const cursor = app.cursor >= flight.sent && app.cursor < flight.ended ? app.cursor : flight.sent;
  return buttons([
    [said.dropMessage, () => give({ drop_message: flight.id }, cursor)],
    [said.delayMessage, () => give({ delay_message: { message: flight.id, delay_ms: DELAY_MS } }, cursor)],
    [said.duplicateMessage, () => give({ duplicate_message: flight.id }, cursor)],
    [said.deliverMessage, () => give({ deliver_message: flight.id }, cursor)],
  ]);
}

/** @param {[string, () => void][]} list */
function buttons(list) {
  return html`<div class="message-acts" role="group" aria-label=${said.messageTitle}>
    ${list.map(([name, does]) => html`<button @click=${does}>${name}</button>`)}
  </div>`;
}
