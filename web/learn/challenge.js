// The challenge of an exhibit, beside the run in the sandbox that it is about:
// what is to be tried stays in sight, with the way back to where it was set.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { shownChallenge } from "./challenges.js";
import { guided, learned } from "./state.js";
import { words } from "./words.js";

/** @param {App} app @param {Acts} acts */
export function challengeCard(app, acts) {
  const challenge = shownChallenge(app);
  if (challenge === undefined) return nothing;
  const { room, exhibit, place, id } = challenge;
  const text = room === "tour" ? words.tour[exhibit] : words.exhibits[exhibit];
  return html`
    <section class="card challenge-card" aria-labelledby="challenge-title">
      <div>
        <h2 id="challenge-title">${words.challenge} <span class="muted small">${text.title}</span></h2>
        <p>${text.challenge}</p>
      </div>
      <button @click=${() => acts.update((now) => guided(now, room, room === "tour" ? "" : id, place))}>← ${room === "tour" ? words.backToTour : words.backToExhibit}</button>
      <button class="close" aria-label=${words.closeChallenge} title=${words.closeChallenge} @click=${() => acts.update((now) => learned(now, { challenge: "" }))}>✕</button>
    </section>
  `;
}
