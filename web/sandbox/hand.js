// Delivering by hand: what waits, and what can be done to one message.

/** @import {App} from "../state.js" */
/** @import {Step} from "../command/state.js" */
/** @import {Branch} from "./state.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { isByHand } from "./recipe.js";
import { currentBranch } from "./state.js";
import { sandbox as said } from "./words.js";

const DELAY_MS = 50;

/** Whether the cursor is where the run has come to rest. @param {App} app */
export function atRest(app) {
  const branch = currentBranch(app.sandbox);
  return branch !== null && app.cursor + 1 >= branch.timeline.length - branch.closing;
}

/** @param {App} app @param {{give: (step: Step, cursor?: number) => void, rewind: () => void}} act */
export function heldList(app, act) {
  const branch = currentBranch(app.sandbox);
  if (branch === null || (!isByHand(branch.recipe) && branch.held.length === 0)) return nothing;
  return html`
    <section class="held" aria-labelledby="held-title">
      <h3 id="held-title">${said.held}</h3>
      ${atRest(app) ? waiting(branch.held, act) : past(branch, act)}
    </section>
  `;
}

/** @param {any[]} held @param {{give: (step: Step, cursor?: number) => void}} act */
function waiting(held, act) {
  const can = held.filter((one) => one.step !== null && one.step !== undefined);
  if (can.length === 0) return html`<p class="small muted">${said.heldNone}</p>`;
  return html`
    <p class="small muted">${said.heldHow}</p>
    <ul class="plain">
      ${can.map(
        (one) => html`<li class="held-${one.what} ${one.kind ?? ""}">
          <span>${one.what === "timer" ? said.heldTimer(one) : said.heldMessage(one)}</span>
          <button @click=${() => act.give(one.step)}>${one.what === "timer" ? said.fire : said.deliver}</button>
        </li>`,
      )}
    </ul>
  `;
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
  if (isByHand(branch.recipe, app.cursor + 1)) {
    const held = branch.held.find((one) => one.line === flight.id && one.step);
    if (held === undefined || !atRest(app)) return nothing;
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
