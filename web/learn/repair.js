// Try to repair it: an editor with the broken handler, and what the sandbox
// makes of it. The source is what a person typed here, never what a link says.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Variant} from "./variants.js" */
/** @import {Repair} from "./state.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { learnOf, learned } from "./state.js";
import { brokenSource, correctSource, isSetting, repairable } from "./variants.js";
import { words } from "./words.js";

const INDENT = "    ";

/** @param {Acts} acts @param {(repair: Repair) => Partial<Repair>} step */
function change(acts, step) {
  acts.update((now) => {
    const { repair: was } = learnOf(now);
    return learned(now, { repair: { ...was, ...step(was) } });
  });
}

/** @param {App} app @param {Acts} acts @param {Variant} variant */
export function repairButton(app, acts, variant) {
  if (!repairable(variant)) return html`<p class="small muted">${words.noRepair}</p>`;
  const { open } = learnOf(app).repair;
  return html`<p class="guide-ways">
    <button aria-expanded=${open} @click=${() => change(acts, (was) => ({ open: !was.open, answer: null, error: null }))}>
      ${open ? words.repairClose : words.repairStart}
    </button>
  </p>`;
}

/** @param {App} app @param {Acts} acts @param {Variant} variant */
export function repair(app, acts, variant) {
  const { repair: now } = learnOf(app);
  if (!now.open || !repairable(variant)) return nothing;
  const source = now.sources[variant.name] ?? brokenSource(variant);
  const setting = isSetting(variant);
  // What was found is about another source from now on.
  const put = (/** @type {string} */ text) =>
    change(acts, (was) => ({ sources: { ...was.sources, [variant.name]: text }, answer: null, error: null }));
  return html`
    <section class="repair" aria-labelledby="repair-title">
      <h3 id="repair-title">${words.repairTitle}</h3>
      <p class="small">${setting ? words.settingIntro : words.repairIntro}</p>
      <label for="repair-source">${setting ? words.settingEditor : words.editor}</label>
      <textarea
        id="repair-source"
        class="editor"
        rows=${Math.min(Math.max(source.split("\n").length + 1, setting ? 2 : 8), 26)}
        spellcheck="false"
        autocapitalize="off"
        autocomplete="off"
        wrap="off"
        aria-describedby="repair-help"
        .value=${source}
        @input=${(/** @type {Event} */ event) => put(/** @type {HTMLTextAreaElement} */ (event.target).value)}
        @keydown=${onKey}
        @blur=${() => (free = false)}
      ></textarea>
      <p id="repair-help" class="small muted">${words.editorHelp}</p>
      <p class="guide-ways">
        <button class="primary" aria-disabled=${now.running} @click=${() => now.running || void run(acts, variant, source)}>${now.running ? words.running : words.run}</button>
        ${now.running ? html`<button @click=${() => stopping?.abort()}>${words.stopRepair}</button>` : nothing}
        <button @click=${() => put(brokenSource(variant))}>${words.reset}</button>
        <button @click=${() => put(correctSource(variant))}>${words.showCorrect}</button>
      </p>
      <div role="status" aria-live="polite">
        ${now.running && now.progress !== "" ? html`<p class="small muted">${now.progress}</p>` : nothing}
        ${now.error === null ? nothing : html`<p class="reveal bad">${now.error}</p>`} ${now.answer === null ? nothing : answer(now.answer)}
      </div>
    </section>
  `;
}

/** Ends the try that is under way. @type {AbortController | null} */
let stopping = null;

/** Whether the next Tab leaves the editor: Esc was pressed in it. */
let free = false;

/** Tab indents, and Shift+Tab takes an indent away, unless Esc came before. @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key === "Escape") {
    free = true;
    event.stopPropagation();
    return;
  }
  if (event.key !== "Tab" || free) {
    if (event.key !== "Shift" && event.key !== "Tab") free = false;
    return;
  }
  event.preventDefault();
  const editor = /** @type {HTMLTextAreaElement} */ (event.target);
  const { selectionStart: at, value } = editor;
  const line = value.lastIndexOf("\n", at - 1) + 1;
  if (!event.shiftKey) editor.setRangeText(INDENT, at, editor.selectionEnd, "end");
  else if (value.startsWith(INDENT, line)) {
    editor.setRangeText("", line, line + INDENT.length, "preserve");
  }
  editor.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * Bring what came of it into sight: it stands below the button, which is often
 * at the lower edge. The focus stays on the button, for the next try.
 */
function showAnswer() {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  requestAnimationFrame(() => document.querySelector(".repair [role=status]")?.scrollIntoView({ block: "nearest", behavior }));
}

/** @param {Acts} acts @param {Variant} variant @param {string} source */
async function run(acts, variant, source) {
  stopping = new AbortController();
  const { signal } = stopping;
  change(acts, () => ({ running: true, progress: words.engineStarts, answer: null, error: null }));
  showAnswer();
  try {
    const engine = await acts.engine();
    change(acts, () => ({ progress: words.engineSearches }));
    const found = await engine.repair(variant.name, source, signal);
    told(acts, variant, source, found.error === undefined ? { answer: found } : { error: found.error });
  } catch (error) {
    const sentence = error instanceof Error && error.message !== "" ? error.message : words.needsSandbox;
    told(acts, variant, source, { error: signal.aborted ? words.repairStopped : sentence });
  }
  showAnswer();
}

/**
 * Show what came of a source; but not beside another one, if somebody has
 * typed on, or gone to another variant, meanwhile.
 * @param {Acts} acts @param {Variant} variant @param {string} source @param {Partial<Repair>} what
 */
function told(acts, variant, source, what) {
  acts.update((now) => {
    const { repair: was, variant: open } = learnOf(now);
    const about = open === variant.name && (was.sources[open] ?? brokenSource(variant)) === source;
    return learned(now, { repair: { ...was, running: false, progress: "", ...(about ? what : {}) } });
  });
}

/** What the engine found. @param {any} found */
function answer(found) {
  const { counterexample, model, seeds } = found;
  return html`
    <div class="answer-card ${found.repaired ? "ok" : "violated"}">
      <h4>${words.answerTitle}: <span class=${found.repaired ? "good" : "bad"}>${found.repaired ? `✓ ${model?.complete === false ? words.repairedSoFar : words.repaired}` : `✗ ${words.notRepaired}`}</span></h4>
      <p>${found.sentence}</p>
      <dl class="checks">
        ${counterexample ? row(words.checks.counterexample, played(counterexample)) : nothing}
        ${model ? row(model.complete === false ? words.checks.modelPart : words.checks.model, searched(model)) : nothing}
        ${typeof found.can_choose === "boolean" ? row(words.checks.choose, [found.can_choose ? words.checks.chosen : words.checks.neverChosen, found.can_choose]) : nothing}
        ${seeds ? row(words.checks.seeds, seeds.found ? [words.checks.found(seeds.seed, seeds.found), false] : [words.checks.quiet(seeds.count), true]) : nothing}
      </dl>
    </div>
  `;
}

/** @param {string} name @param {[string, boolean]} found what was found, and whether it is as it should be */
function row(name, [text, good]) {
  return html`<div>
    <dt>${name}</dt>
    <dd><span class=${good ? "good" : "bad"} aria-hidden="true">${good ? "✓" : "✗"}</span> ${text}</dd>
  </div>`;
}

/** @param {any} counterexample @returns {[string, boolean]} */
function played({ violation, stopped }) {
  if (violation) return [words.checks.still(violation.rule), false];
  return [stopped ? words.checks.otherWay(stopped) : words.checks.gone, true];
}

/** @param {any} model @returns {[string, boolean]} */
function searched({ bounds, distinct, complete, broken }) {
  const told = typeof bounds === "string" ? bounds : Object.entries(bounds ?? {}).map(([name, count]) => `${count} ${name.replace("_", " ")}`).join(", ");
  const found = broken.length === 0 ? words.checks.clean : words.checks.broken(broken);
  const whole = complete === false ? `; ${words.checks.incomplete}` : "";
  return [`${words.checks.explored(told, distinct)}: ${found}${whole}`, broken.length === 0];
}
