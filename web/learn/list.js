// The list of broken variants, and its filter.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Variant} from "./variants.js" */

import { getJson } from "../log/source.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { learnOf, learned, left } from "./state.js";
import { filtered } from "./variants.js";
import { words } from "./words.js";

/** Open the list; read it if it has not been read. @param {Acts} acts */
export function openVariants(acts) {
  acts.update((now) => learned(now, { room: "variants", arrived: "", trouble: null }));
  void readVariants(acts);
}

/** Read the variants once. @param {Acts} acts */
export async function readVariants(acts) {
  if (learnOf(acts.get()).variants !== null) return;
  try {
    const table = await getJson("variants.json");
    const found = /** @type {unknown} */ (table?.variants);
    if (!Array.isArray(found)) throw new Error(words.noVariants);
    acts.update((now) => learned(now, { variants: found, trouble: null }));
  } catch (error) {
    const sentence = error instanceof Error && error.message !== "" ? error.message : words.noVariants;
    acts.update((now) => learned(now, { trouble: sentence }));
  }
}

/** Open one of them. @param {Acts} acts @param {string} variant @param {string} [story] */
export function openVariant(acts, variant, story = "") {
  acts.update((now) => {
    const { repair } = learnOf(now);
    return learned(now, { room: "variant", variant, story, arrived: "", trouble: null, repair: { ...repair, answer: null, error: null } });
  });
  // It stands above what led here.
  scrollTo({ top: 0 });
  void readVariants(acts);
}

/** @param {App} app @param {Acts} acts */
export function list(app, acts) {
  const { variants, filter, trouble } = learnOf(app);
  const shown = variants === null ? [] : filtered(variants, filter);
  return html`
    <section class="card stage variants" aria-labelledby="guide-title">
      <div class="guide-head">
        <h2 id="guide-title" tabindex="-1"><span class="guide-name">${words.variantsTitle}</span></h2>
        <span class="spacer"></span>
        <button class="guide-close" @click=${() => acts.update(left)}>${words.leave}</button>
      </div>
      <p class="muted">${words.variantsIntro}</p>
      ${trouble === null ? nothing : html`<p class="reveal warn" role="alert">${trouble}</p>`}
      ${variants === null
        ? trouble === null
          ? html`<p role="status">${words.loadingVariants}</p>`
          : nothing
        : html`${filters(app, acts, variants)}
            <p class="small muted" role="status">${words.variantCount(shown.length, variants.length)}</p>
            ${shown.length === 0
              ? html`<p>${words.noVariant}</p>`
              : offered(shown, acts)}`}
    </section>
  `;
}

/** @param {App} app @param {Acts} acts @param {Variant[]} variants */
function filters(app, acts, variants) {
  const { filter } = learnOf(app);
  const set = (/** @type {Partial<typeof filter>} */ part) =>
    acts.update((now) => learned(now, { filter: { ...learnOf(now).filter, ...part } }));
  const valueOf = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
  const choices = (/** @type {"breaks" | "insight"} */ field) => [...new Set(variants.map((one) => one[field]))];
  return html`
    <div class="variant-filter">
      <span class="field">
        <label for="variant-text">${words.findVariant}</label>
        <input
          id="variant-text"
          type="search"
          placeholder=${words.findVariantHint}
          .value=${filter.text}
          @input=${(/** @type {Event} */ event) => set({ text: valueOf(event) })}
        />
      </span>
      <span class="field">
        <label for="variant-rule">${words.breaksFilter}</label>
        <select id="variant-rule" @change=${(/** @type {Event} */ event) => set({ rule: valueOf(event) })}>
          <option value="" ?selected=${filter.rule === ""}>${words.any}</option>
          ${choices("breaks").sort().map((rule) => html`<option value=${rule} ?selected=${filter.rule === rule}>${rule}</option>`)}
        </select>
      </span>
      <span class="field">
        <label for="variant-insight">${words.insightFilter}</label>
        <select id="variant-insight" @change=${(/** @type {Event} */ event) => set({ insight: valueOf(event) })}>
          <option value="" ?selected=${filter.insight === ""}>${words.any}</option>
          ${choices("insight").map((one) => html`<option value=${one} ?selected=${filter.insight === one}>${one}</option>`)}
        </select>
      </span>
    </div>
  `;
}

/** Some of them, to choose from. @param {Variant[]} variants @param {Acts} acts */
export function offered(variants, acts) {
  return html`<ul class="plain variant-list">
    ${variants.map((one) => entry(one, acts))}
  </ul>`;
}

/** @param {Variant} variant @param {Acts} acts */
function entry(variant, acts) {
  return html`<li>
    <button class="run variant" @click=${() => openVariant(acts, variant.name)}>
      <strong>${variant.name}</strong>
      <span>${variant.change}</span>
      <span class="small">
        <span class="chip violation">${variant.breaks === "liveness" ? words.liveness : variant.breaks}</span>
        <span class="chip">${stepsOf(variant)}</span>
        ${(variant.safe_ballots ?? 0) > 1 ? html`<span class="chip">${words.stillSafe(variant.safe_ballots ?? 0)}</span>` : nothing}
      </span>
      <span class="small muted">${words.seenIn} ${variant.seen_in}</span>
    </button>
  </li>`;
}

/** How far it is to the violation and within which bound, in a few words. @param {Variant} variant */
export function stepsOf(variant) {
  if (variant.steps !== null) return [words.steps(variant.steps), ...(variant.bounds === null ? [] : [words.bounds(variant.bounds)])].join(" · ");
  if (variant.breaks !== "liveness") return words.notReached;
  return variant.bounds === null ? words.noSchedule : words.neverChosen;
}
