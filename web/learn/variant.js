// One broken variant: what changed, where it was seen, its runs, and the
// events that prove what it breaks, beside the run that the page shows.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Variant, DiffRow} from "./variants.js" */

import { narrate } from "../log/narration.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { intoSandbox } from "./guide.js";
import { offered, openVariant, openVariants, stepsOf } from "./list.js";
import { repair, repairButton } from "./repair.js";
import { isShown } from "./scenes.js";
import { learnOf, left } from "./state.js";
import { storyOf, variantOf } from "./variants.js";
import { words } from "./words.js";

/** @param {App} app @param {Acts} acts */
export function variantStage(app, acts) {
  const { variants, variant: name, trouble } = learnOf(app);
  const variant = variantOf(app);
  return html`
    <section class="card stage variant-stage" aria-labelledby="guide-title">
      <div class="guide-head">
        <button @click=${() => openVariants(acts)}>← ${words.backToVariants}</button>
        <h2 id="guide-title" tabindex="-1"><span class="guide-name">${variant?.name ?? name}</span></h2>
        ${variant === undefined ? nothing : chips(variant)}
        <span class="spacer"></span>
        <button class="guide-close" @click=${() => acts.update(left)}>${words.leave}</button>
      </div>
      ${trouble === null ? nothing : html`<p class="reveal warn" role="alert">${trouble}</p>`}
      ${variant === undefined
        ? html`<p role="status">${variants === null ? (trouble === null ? words.loadingVariants : "") : words.unknownVariant(name)}</p>
            ${variants === null ? nothing : offered(variants, acts)}`
        : told(app, acts, variant)}
    </section>
  `;
}

/** @param {Variant} variant */
function chips(variant) {
  return html`<span class="chip violation">${words.breaksFirst(variant.breaks)}</span> <span class="chip">${stepsOf(variant)}</span>`;
}

/** @param {App} app @param {Acts} acts @param {Variant} variant */
function told(app, acts, variant) {
  return html`
    <p class="caption">${variant.change} <span class="muted">${words.takesAway} ${variant.insight}.</span></p>
    <p class="small">${words.seenIn} <strong>${variant.seen_in}</strong>. ${variant.story}</p>
    <div class="variant-columns">
      <div>${change(variant)} ${repairButton(app, acts, variant)} ${bound(variant)}</div>
      <div>${stories(app, acts, variant)} ${quoted(app, acts)}</div>
    </div>
    ${repair(app, acts, variant)}
  `;
}

/** Marks that say without a colour what became of a line. @type {Record<DiffRow[0], [string, string]>} */
const MARKS = { same: [" ", words.sameAs], add: ["+", words.added], del: ["−", words.removed] };

/** @param {Variant} variant */
function change(variant) {
  const count = (/** @type {DiffRow[0]} */ kind) => variant.diff.filter(([one]) => one === kind).length;
  return html`
    <h3>${words.changeTitle} ${variant.where === null ? nothing : html`<span class="muted">${words.in} ${variant.where}</span>`}</h3>
    <div class="diff" role="region" tabindex="0" aria-label=${words.diffLabel(count("add"), count("del"))}>
      ${variant.diff.map(([kind, text]) => {
        const [mark, said] = MARKS[kind];
        return html`<div class="diff-row ${kind}"><span class="diff-mark" aria-hidden="true">${mark}</span>${kind === "same" ? nothing : html`<span class="visually-hidden">${said}: </span>`}<code>${text}</code></div>`;
      })}
    </div>
  `;
}

/** @param {Variant} variant */
function bound(variant) {
  const sentences = variant.smallest ?? [];
  if (sentences.length === 0) return nothing;
  return html`
    <h3>${words.boundTitle}</h3>
    <ul class="plain small bound">
      ${sentences.map((sentence) => html`<li>${sentence}</li>`)}
    </ul>
  `;
}

/** @param {App} app @param {Acts} acts @param {Variant} variant */
function stories(app, acts, variant) {
  const shown = storyOf(app);
  return html`
    <h3>${words.storiesTitle}</h3>
    ${variant.stories.length === 0
      ? html`<p class="small">${words.noStories}</p>`
      : html`<p class="guide-ways" role="group" aria-label=${words.storiesTitle}>
          ${variant.stories.map(
            (name) =>
              html`<button aria-pressed=${name === shown} @click=${() => openVariant(acts, variant.name, name)}>
                ${words.storyName(name)}
              </button>`,
          )}
        </p>`}
    <p class="guide-ways">
      ${shown === null || !isShown(app, shown)
        ? nothing
        : html`<button @click=${() => acts.go(0)}>${words.atStart}</button>
            <button @click=${() => acts.go(violationAt(app))}>${words.atViolation}</button>`}
      <button class="primary" data-learn="sandbox" ?disabled=${shown !== null && app.stories === null} @click=${() => void intoSandbox(acts, recipeOf(app, variant, shown))}>${words.forkIt}</button>
    </p>
    <p class="small muted">${words.stepThrough}</p>
  `;
}

/** Where the first rule breaks; the end, where none does. @param {App} app */
function violationAt({ timeline }) {
  if (timeline === null) return 0;
  return timeline.points.find((point) => point.kind === "violation")?.at ?? timeline.length - 1;
}

/**
 * What is handed to the sandbox: the run that is shown, as a recipe. Of how
 * many nodes it is, the list of stories knows, which may take a moment to come.
 * @param {App} app @param {Variant} variant @param {string | null} shown
 */
function recipeOf(app, variant, shown) {
  const story = app.stories?.find((one) => one.name === shown);
  const scenario = story?.scenario ?? (shown === null ? null : shown.replace("--", "/"));
  const manual = /** @type {any} */ (story)?.manual ?? shown?.match(/-(shortest|by-hand)$/) !== null;
  return {
    v: 1,
    seed: story?.seed ?? 7,
    nodes: story?.nodes ?? variant.bounds?.nodes ?? 5,
    variant: variant.name,
    manual: scenario === null ? false : manual,
    scenario,
    settings: {},
    commands: [],
  };
}

/** The events that prove what is broken. @param {App} app @param {Acts} acts */
function quoted(app, acts) {
  const { timeline } = app;
  const story = storyOf(app);
  if (timeline === null || story === null || !isShown(app, story)) return nothing;
  const violations = timeline.verdict?.violations ?? [];
  if (violations.length === 0) return html`<h3>${words.quotedTitle}</h3><p class="small">${words.noViolation}</p>`;
  return html`
    <h3>${words.quotedTitle}</h3>
    <ul class="plain violations">
      ${violations.slice(0, 3).map(
        (violation) => html`<li>
          <strong>${violation.rule}</strong> ${violation.text}
          <ol class="plain">
            ${violation.events.map(
              (event) => html`<li>
                ${event.at < 0
                  ? html`<span class="muted">${event.name}</span>`
                  : html`<button class="link ${event.at === app.cursor ? "current" : ""}" @click=${() => acts.go(event.at)}>
                      ${narrate(timeline.catalogue, timeline.line(event.at))}
                    </button>
                    <span class="muted small">${event.name}</span>`}
              </li>`,
            )}
          </ol>
        </li>`,
      )}
    </ul>
  `;
}
