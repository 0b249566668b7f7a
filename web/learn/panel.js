// The side tab: what there is to learn, as a table of contents.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { EXHIBITS } from "./exhibits.js";
import { placesOf } from "./guides.js";
import { guided, learnOf, placeOf } from "./state.js";
import { TOUR } from "./tour.js";
import { openVariants } from "./list.js";
import { words } from "./words.js";

/** @param {App} app @param {Acts} acts */
export function learnPanel(app, acts) {
  const { room, exhibit, answers } = learnOf(app);
  const here = room === "tour" ? placeOf(app) : null;
  const go = (/** @type {"tour" | "exhibit"} */ to, /** @type {string} */ id, /** @type {number} */ at) => () =>
    acts.update((now) => guided(now, to, id, at));
  const first = (/** @type {number} */ step) => placesOf("tour", "").findIndex((one) => one.stepNumber === step);
  const seen = (/** @type {string} */ prefix) => Object.keys(answers).some((key) => key.startsWith(prefix));
  return html`
    <div class="contents">
      <section aria-labelledby="contents-tour">
        <h3 id="contents-tour">${words.tourTitle}</h3>
        <p class="small muted">${words.tourIntro}</p>
        <ol class="plain contents-list">
          ${TOUR.map(({ id }, index) => {
            const current = here?.stepNumber === index + 1;
            return html`<li>
              <button class="link ${current ? "current" : ""}" aria-current=${current ? "step" : "false"} @click=${go("tour", "", first(index + 1))}>
                ${words.goToStep(index + 1, words.tour[id].title)}
              </button>
            </li>`;
          })}
        </ol>
      </section>
      <section aria-labelledby="contents-exhibits">
        <h3 id="contents-exhibits">${words.exhibitsTitle}</h3>
        <p class="small muted">${words.exhibitsIntro}</p>
        <ol class="plain contents-list">
          ${EXHIBITS.map(({ id }) => {
            const current = room === "exhibit" && exhibit === id;
            return html`<li>
              <button class="link ${current ? "current" : ""}" aria-current=${current ? "true" : "false"} @click=${go("exhibit", id, 0)}>
                ${words.exhibits[id].title}
              </button>
              ${seen(`exhibit/${id}/`) ? html`<span class="small good" title=${words.seen}>✓<span class="visually-hidden"> ${words.seen}</span></span>` : nothing}
              <span class="small muted">${words.exhibits[id].insight}</span>
            </li>`;
          })}
        </ol>
      </section>
      <section aria-labelledby="contents-variants">
        <h3 id="contents-variants">${words.variantsTitle}</h3>
        <p class="small muted">${words.variantsIntro}</p>
        <button aria-expanded=${room === "variants"} @click=${() => openVariants(acts)}>${words.openVariants}</button>
      </section>
    </div>
  `;
}
