// What the checker says of the run: rules, what broke them with the events
// that prove it, and what the scenario expected.

/** @import {App} from "../state.js" */
/** @import {Quoted, Verdict} from "../log/verdict.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { narrate } from "../log/narration.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/** @param {App} app @param {(at: number) => void} go */
export function judgement(app, go) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const { verdict } = timeline;
  return html`
    <section class="card verdict" aria-labelledby="verdict-title" tabindex="0">
      <h2 id="verdict-title">${words.verdict} ${verdictChip(verdict)}</h2>
      ${verdict === null ? html`<p class="muted">${words.noVerdictYet}</p>` : judged(timeline, verdict, go)}
    </section>
  `;
}

/** @param {Verdict | null} verdict */
export function verdictChip(verdict) {
  if (verdict === null) return html`<span class="chip">${words.noVerdict}</span>`;
  return html`<span class="chip verdict-${verdict.verdict}">${words.ruleMarks[verdict.verdict]} ${words.verdicts[verdict.verdict]}</span>`;
}

/** @param {Timeline} timeline @param {Verdict} verdict @param {(at: number) => void} go */
function judged(timeline, verdict, go) {
  return html`
    <p class="small">${words.verdictSentence(verdict.verdict, verdict.rules.length, verdict.events)}</p>
    ${verdict.violations.length === 0
      ? nothing
      : html`<h3>${words.violations}</h3>
          <ul class="plain violations">
            ${verdict.violations.map(
              (violation) => html`<li>
                <strong>${violation.rule}</strong> ${violation.text}
                <ol class="plain">
                  ${violation.events.map((event) => html`<li>${quote(timeline, event, go)}</li>`)}
                </ol>
              </li>`,
            )}
          </ul>`}
    <ul class="plain rules">
      ${verdict.rules.map(
        ({ rule, title, verdict: one }) => html`<li class="rule-${one}">
          <span class="mark" role="img" aria-label=${words.ruleVerdicts[one] ?? one}>${words.ruleMarks[one] ?? "?"}</span>
          <strong>${rule}</strong> <span class="muted">${title}</span>
        </li>`,
      )}
    </ul>
    ${verdict.unknown.length === 0
      ? nothing
      : html`<h3>${words.unknownWhy}</h3>
          <ul class="plain small">
            ${verdict.unknown.map(({ rule, reason }) => html`<li><strong>${rule}</strong> ${reason}</li>`)}
          </ul>`}
    ${verdict.expectations.length === 0
      ? nothing
      : html`<h3>${words.expectations}</h3>
          <ul class="plain expectations">
            ${verdict.expectations.map(
              (one) => html`<li class="rule-${one.met ? "ok" : "violated"}">
                <span class="mark" role="img" aria-label=${one.met ? words.met : words.notMet}>${one.met ? "✓" : "✗"}</span>
                ${one.text}
                <span class="muted small evidence">
                  ${one.mustHappen ? `${words.mustHappen} · ` : ""}${one.evidence.map((part) =>
                    typeof part === "string"
                      ? part
                      : html`<button class="link" @click=${() => go(part.at)}>${part.name}</button>`,
                  )}
                </span>
              </li>`,
            )}
          </ul>`}
  `;
}

/** @param {Timeline} timeline @param {Quoted} event @param {(at: number) => void} go */
function quote(timeline, event, go) {
  if (event.at < 0) return html`<span class="muted">${words.seeEvent(event.name)}</span>`;
  return html`<button class="link" @click=${() => go(event.at)}>${narrate(timeline.catalogue, timeline.lines[event.at])}</button>
    <span class="muted small">${event.name}</span>`;
}
