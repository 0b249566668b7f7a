// A step of the tour or a beat of an exhibit: its caption, its question and
// the way on. The page around it shows the scene.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Place} from "./guides.js" */

import { violationsUpTo } from "../log/timeline.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { durable, mustPush } from "./figure.js";
import { exhibitAfter, placesOf } from "./guides.js";
import { openVariant } from "./list.js";
import { guided, learnOf, learned, left, mayGoOn, placeOf, predicted, sceneOf, turned, wentOn } from "./state.js";
import { TOUR } from "./tour.js";
import { words } from "./words.js";

const LETTERS = ["A", "B", "C", "D"];

/** @param {App} app @param {Acts} acts */
export function guide(app, acts) {
  const here = placeOf(app);
  if (here === null) return nothing;
  const { room } = learnOf(app);
  const answered = here.beat.question === undefined ? undefined : learnOf(app).answers[here.key];
  const text = wordsOf(room, here);
  const big = here.beat.figure === "must-push";
  const asks = here.beat.question !== undefined && answered === undefined;
  const { folded } = learnOf(app);
  return html`
    <section class="card stage guide ${big ? "big" : ""} ${asks ? "asks" : ""} ${folded ? "folded" : ""}" aria-labelledby="guide-title">
      <div class="guide-head">
        <h2 id="guide-title" tabindex="-1">
          <span class="muted">${room === "tour" ? words.step(here.stepNumber, TOUR.length) : words.exhibit}</span>
          <span class="guide-name">${text.title}</span>
          ${here.beatCount > 1 ? html`<span class="muted small">${words.beat(here.beatNumber, here.beatCount)}</span>` : nothing}
        </h2>
        <button class="guide-fold" aria-expanded=${!folded} aria-controls="guide-text" @click=${() => acts.update((now) => learned(now, { folded: !folded }))}>
          ${folded ? words.unfold : words.fold}
        </button>
        <button class="guide-close" aria-label=${room === "tour" ? words.leaveTour : words.leaveExhibit} title=${words.leaveTitle} @click=${() => acts.update(left)}>
          ✕
        </button>
      </div>
      ${room === "tour" ? steps(acts, here) : nothing}
      <div class="guide-text" id="guide-text">
        <p class="caption" aria-live="polite">${text.beats[here.beatNumber - 1]}</p>
        ${here.beat.figure === "must-push" ? mustPush(app, answered !== undefined) : nothing}
        ${here.beat.figure === "durable" ? durable() : nothing}
        ${here.beat.question === undefined || text.question === undefined ? nothing : question(app, acts, here, text.question)}
        <div role="status">
          ${answered === undefined ? nothing : revealed(here, text, answered)} ${trouble(app)} ${brokenSoFar(app)}
        </div>
        ${here.beat.open === undefined ? nothing : opening(acts, here, text, room === "tour" ? room : here.id)}
      </div>
      ${lookAt(app, asks)} ${ways(app, acts, here)}
    </section>
  `;
}

/** @param {string | null} room @param {Place} place */
export function wordsOf(room, { id }) {
  return room === "tour" ? words.tour[id] : words.exhibits[id];
}

/** The tour's steps as a row of buttons. @param {Acts} acts @param {Place} here */
function steps(acts, here) {
  const first = (/** @type {number} */ step) => placesOf("tour", "").findIndex((one) => one.stepNumber === step);
  return html`
    <ol class="plain guide-steps" aria-label=${words.progress}>
      ${TOUR.map(({ id }, index) => {
        const number = index + 1;
        const title = words.goToStep(number, words.tour[id].title);
        return html`<li>
          <button
            class=${number < here.stepNumber ? "past" : ""}
            aria-label=${title}
            title=${title}
            aria-current=${number === here.stepNumber ? "step" : "false"}
            @click=${() => acts.update((now) => guided(now, "tour", "", first(number)))}
          >
            ${number}
          </button>
        </li>`;
      })}
    </ol>
  `;
}

/** @param {App} app @param {Acts} acts @param {Place} here @param {import("./tour_words.js").Asked} asked */
function question(app, acts, here, asked) {
  const answer = learnOf(app).answers[here.key];
  const right = /** @type {import("./scenes.js").Question} */ (here.beat.question).right;
  return html`
    <fieldset class="question">
      <legend><strong>${words.predict}:</strong> ${asked.ask}</legend>
      ${asked.answers.map((text, index) => {
        const mark = answer === undefined ? "" : index === right ? "right" : "wrong";
        return html`<button
          class="guess ${mark}"
          aria-pressed=${answer === index}
          aria-disabled=${answer !== undefined}
          @click=${() => acts.update((now) => predicted(now, index))}
        >
          <span class="letter" aria-hidden="true">${mark === "right" ? "✓" : mark === "wrong" ? "✗" : LETTERS[index]}</span>
          <span>${text}</span>
          ${mark === "right" ? html`<span class="muted small">${words.rightAnswer}</span>` : nothing}
          ${answer === index ? html`<span class="muted small">${words.chosenAnswer}</span>` : nothing}
        </button>
        ${answer === undefined ? nothing : html`<p class="reason">${asked.why[index]}</p>`}`;
      })}
    </fieldset>
  `;
}

/** @param {Place} here @param {import("./tour_words.js").StepWords} text @param {number} answer */
function revealed(here, text, answer) {
  const { question: asked } = text;
  if (asked === undefined) return nothing;
  const right = here.beat.question?.right;
  const judged = html`<strong class=${right === answer ? "good" : "bad"}>${right === answer ? `✓ ${words.right}` : `✗ ${words.wrong}`}</strong>`;
  // Whoever would not guess is not judged. The reason stands below each answer; here it is for whoever listens.
  return html`<p class="reveal">
    ${answer < 0 ? nothing : html`${judged} <span class="visually-hidden">${asked.why[answer]}</span>`} ${asked.then}
  </p>`;
}

/** What is wrong with the scene, if anything. @param {App} app */
function trouble(app) {
  const { trouble: sentence } = learnOf(app);
  return sentence === null ? nothing : html`<p class="reveal warn">${sentence}</p>`;
}

/** Which rules are broken at this moment. @param {App} app */
function brokenSoFar(app) {
  if (app.timeline === null || learnOf(app).arrived === "") return nothing;
  const broken = [...new Set(violationsUpTo(app.timeline, app.cursor).map((one) => one.rule))];
  if (broken.length === 0) return nothing;
  return html`<p class="broken">${words.brokenSoFar} ${broken.map((rule) => html`<span class="chip violation">✗ ${rule}</span> `)}</p>`;
}

/** Which regions are lit, in words; and the keys. @param {App} app @param {boolean} asked whether an answer is wanted first */
function lookAt(app, asked) {
  const lit = sceneOf(app)?.scene.lit ?? [];
  if (lit.length === 0) return nothing;
  return html`<p class="small muted look">
    ${words.sectionsLit} ${words.joined(lit.map((region) => words.regions[region]))}. <span class="keys-hint">${asked ? words.keysToAnswer : words.keysHint}</span>
  </p>`;
}

/** Why, and the way into the sandbox. @param {Acts} acts @param {Place} here @param {import("./tour_words.js").StepWords} text @param {string} challenge whose it is */
function opening(acts, here, text, challenge) {
  const { recipe, story } = /** @type {import("./scenes.js").Opening} */ (here.beat.open);
  return html`
    ${text.section === undefined ? nothing : html`<p class="small muted">${words.paper} ${text.section}</p>`}
    <div class="challenge">
      <p><strong>${words.challenge}:</strong> ${text.challenge}</p>
      <p class="guide-ways">
        <button class="primary" data-learn="sandbox" @click=${() => intoSandbox(acts, recipe, challenge)}>${words.openSandbox}</button>
        ${recipe.variant === null
          ? html`<button @click=${() => whole(acts, story)}>${words.openWhole}</button>`
          : html`<button @click=${() => openVariant(acts, recipe.variant)}>${words.seeChange}</button>`}
      </p>
    </div>
  `;
}

/** Leave the guide for the run that it speaks of: from its start, where no caption fits. @param {Acts} acts @param {string} story */
function whole(acts, story) {
  acts.update(left);
  void acts.openStory(story, 0);
}

/**
 * Leave the guide for the sandbox; if there is none, stay and say so.
 * @param {Acts} acts @param {any} recipe @param {string} [challenge] of which guide it is
 */
export async function intoSandbox(acts, recipe, challenge = "") {
  const before = learnOf(acts.get());
  acts.update((now) => learned(left(now), { challenge }));
  try {
    await acts.openSandbox(recipe);
  } catch (error) {
    const sentence = error instanceof Error ? error.message : words.sandboxLater;
    acts.update((now) => learned(now, { ...before, trouble: sentence }));
  }
}

/** @param {App} app @param {Acts} acts @param {Place} here */
function ways(app, acts, here) {
  const { room, exhibit } = learnOf(app);
  const places = placesOf(room ?? "", exhibit);
  const at = places.indexOf(here);
  const next = places[at + 1];
  const goesOn = mayGoOn(app);
  return html`
    <div class="guide-ways">
      <button ?disabled=${at === 0} @click=${() => acts.update((now) => turned(now, -1))}>← ${words.back}</button>
      ${!goesOn
        ? html`<button @click=${() => acts.update((now) => predicted(now, -1))}>${words.show}</button>`
        : next === undefined
          ? last(acts, room, exhibit)
          : html`<button class="primary next" @click=${() => acts.update((now) => turned(now, 1))}>
              ${room === "tour" && next.stepNumber !== here.stepNumber ? words.nextStep(words.tour[next.id].title) : words.next} →
            </button>`}
    </div>
  `;
}

/** The way on from the end of a guide. @param {Acts} acts @param {string | null} room @param {string} exhibit */
function last(acts, room, exhibit) {
  const after = exhibitAfter(room, exhibit);
  if (after === undefined) return html`<button class="primary" @click=${() => acts.update(wentOn)}>${words.done}</button>`;
  return html`<button class="next" @click=${() => acts.update(wentOn)}>
    ${words.nextExhibit(words.exhibits[after.id].title)} →
  </button>`;
}
