// What the checker says of the run at the moment of the cursor: each rule,
// what has broken one with the events that prove it, and a way to the shortest
// run that breaks the same.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Quoted, Verdict, Violation} from "../log/verdict.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { narrate } from "../log/narration.js";
import { violationAfter, violationsUpTo } from "../log/timeline.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/** @typedef {"ok" | "violated" | "unknown"} Mark */

/**
 * What holds at the cursor. A rule counts as broken from the violation on;
 * agreement also where two values are chosen and nobody has judged yet.
 * @param {App} app
 * @returns {{mark: Mark | "", broken: Map<string, Violation>, violations: Violation[], disagree: boolean, over: boolean}}
 */
export function marksAt({ timeline, cursor, mode, live }) {
  const now = /** @type {Timeline} */ (timeline);
  const verdict = verdictOf({ timeline: now, mode });
  const violations = violationsUpTo(now, cursor);
  const broken = new Map(violations.toReversed().map((violation) => [violation.rule, violation]));
  const disagree = disagreedBy(now, cursor);
  // A live run is not over before it has been ended, whatever its last line is.
  const over = cursor >= now.length - 1 && (mode !== "live" || live.ended !== null);
  const bad = violations.length > 0 || disagree;
  const mark = bad ? "violated" : verdict === null || nothingYet({ timeline: now, mode }) ? "" : verdict.verdict === "unknown" ? "unknown" : "ok";
  return { mark, broken, violations, disagree, over };
}

/**
 * Whether this is a cluster in which nobody has asked anything yet: the log
 * holds no event that a rule could judge. A recorded run that holds none may
 * have lost them; one that goes on has only begun.
 * @param {Pick<App, "timeline" | "mode">} app
 */
export function nothingYet({ timeline, mode }) {
  if (timeline === null || timeline.verdict === null || !isOfNothing(timeline.verdict)) return false;
  return mode === "sandbox" || (mode === "live" && timeline.core.known.values.length === 0);
}

/** Whether a verdict looked at lines of which no rule is about any. @param {Verdict} verdict */
const isOfNothing = ({ verdict, events }) => verdict === "unknown" && events === 0;

/**
 * What has been judged. A live run's verdict comes some lines behind: what it
 * said while there was nothing to judge is none of what has been asked since.
 * @param {Pick<App, "timeline" | "mode">} app @returns {Verdict | null}
 */
function verdictOf({ timeline, mode }) {
  const verdict = timeline?.verdict ?? null;
  return mode === "live" && verdict !== null && isOfNothing(verdict) ? null : verdict;
}

/** When two values had been chosen in one instance, if they ever were. @type {WeakMap<object, {count: number, at: number, values: Map<number, string>}>} */
const disagreements = new WeakMap();

/** Whether two values were chosen in one instance by then. @param {Timeline} timeline @param {number} cursor */
function disagreedBy({ core, chosen }, cursor) {
  const known = disagreements.get(core) ?? { count: 0, at: Infinity, values: new Map() };
  // Choices are in the order of the log, and only ever added.
  for (; known.count < chosen.length; known.count += 1) {
    const { instance, value, at } = chosen[known.count];
    const [text, other] = [JSON.stringify(value), known.values.get(instance)];
    if (other === undefined) known.values.set(instance, text);
    else if (other !== text) known.at = Math.min(known.at, at);
  }
  disagreements.set(core, known);
  return known.at <= cursor;
}

/** @param {App} app @param {Acts} acts */
export function judgement(app, acts) {
  const timeline = app.timeline;
  if (timeline === null) return nothing;
  const verdict = verdictOf(app);
  return html`
    <div class="verdict">
      <h3>${words.verdictNow} ${stateChip(app)}</h3>
      ${nothingYet(app) ? html`<p>${words.nothingYetWhy}</p>` : verdict === null ? unjudged(app, acts) : judged(app, timeline, verdict, acts)}
    </div>
  `;
}

/** What holds at the cursor, as a chip. @param {App} app */
export function stateChip(app) {
  const { mark, over } = marksAt(app);
  if (mark === "") return html`<span class="chip">${nothingYet(app) ? words.nothingYet : words.noVerdict}</span>`;
  const text = mark === "ok" ? (over ? words.verdicts.ok : words.soFar) : words.verdicts[mark];
  return html`<span class="chip verdict-${mark}">${words.ruleMarks[mark]} ${text}</span>`;
}

/** @param {Verdict | null} verdict */
export function verdictChip(verdict) {
  if (verdict === null) return html`<span class="chip">${words.noVerdict}</span>`;
  return html`<span class="chip verdict-${verdict.verdict}">${words.ruleMarks[verdict.verdict]} ${words.verdicts[verdict.verdict]}</span>`;
}

/** @param {App} app @param {Acts} acts */
function unjudged(app, acts) {
  const { disagree } = marksAt(app);
  const can = app.mode !== "live" && app.sandbox.engine !== "missing";
  return html`
    ${disagree ? html`<p class="bad">${words.disagree}</p>` : nothing}
    <p class="muted small">${app.mode === "live" ? words.judgedLater : words.noVerdictYet}</p>
    ${can ? html`<p><button ?disabled=${app.sandbox.busy !== null} @click=${acts.judge}>${app.sandbox.busy ?? words.judgeHere}</button></p>` : nothing}
  `;
}

/** @param {App} app @param {Timeline} timeline @param {Verdict} verdict @param {Acts} acts */
function judged(app, timeline, verdict, acts) {
  const { violations, broken, over, disagree } = marksAt(app);
  const later = verdict.violations.length - violations.length;
  return html`
    ${violations.length === 0 ? nothing : broke(app, timeline, violations, acts)}
    ${later > 0 ? next(timeline, app.cursor, later, acts) : nothing}
    <ul class="plain rules">
      ${verdict.rules.map(({ rule, title, verdict: final }) => {
        const one = broken.has(rule) || (rule === "agreement" && disagree) ? "violated" : final === "violated" ? "ok" : final;
        return html`<li class="rule-${one}">
          <span class="mark" role="img" aria-label=${words.ruleVerdicts[one] ?? one}>${words.ruleMarks[one] ?? "?"}</span>
          <strong>${words.ruleNames[rule] ?? rule}</strong> <span class="muted">${title}</span>
        </li>`;
      })}
    </ul>
    <p class="small muted">${over ? words.verdictSentence(verdict.verdict, verdict.rules.length, verdict.events) : words.upToHere}</p>
    ${app.mode === "live" && verdict.lines !== null ? html`<p class="small muted">${words.judgedSoFar(verdict.lines, timeline.length)}</p>` : nothing}
    ${unknown(verdict)} ${over ? expectations(verdict, acts) : nothing}
  `;
}

/** @param {App} app @param {Timeline} timeline @param {Violation[]} violations @param {Acts} acts */
function broke(app, timeline, violations, acts) {
  const story = shortestOf(app);
  return html`
    <ul class="plain violations">
      ${violations.map(
        (violation) => html`<li>
          <strong>${words.ruleNames[violation.rule] ?? violation.rule}</strong> ${violation.text}
          <ol class="plain">
            ${ends(violation).map(
              (event) => html`<li>
                ${event.at > violation.at ? html`<span class="muted">${words.afterwards}</span> ` : nothing}${quote(timeline, event, acts.go)}
              </li>`,
            )}
          </ol>
        </li>`,
      )}
    </ul>
    ${story === null ? nothing : html`<p><button class="link" @click=${() => acts.openStory(story)}>${words.shortest}</button></p>`}
  `;
}

/**
 * The two events that contradict each other: the first and the last of those
 * that prove it. The ones between them are the way from one to the other; but
 * the breach itself is always among those that are told.
 * @param {Violation} violation
 */
function ends({ at, events }) {
  const found = events.filter((event) => event.at >= 0).sort((one, other) => one.at - other.at);
  if (found.length === 0) return events.slice(0, 2);
  return found.filter((event, place) => place === 0 || place === found.length - 1 || event.at === at);
}

/** @param {Timeline} timeline @param {number} cursor @param {number} count how many are to come @param {Acts} acts */
function next(timeline, cursor, count, acts) {
  const first = violationAfter(timeline, cursor, 0);
  return html`<p class="small"><button class="link" @click=${() => acts.go(first)}>${words.nextViolation(count)}</button></p>`;
}

/** How the shortest way of a variant is called. */
const SHORTEST = "-shortest";

/** The story that breaks the same in the fewest steps, if this one is another. @param {App} app @returns {string | null} */
function shortestOf(app) {
  const own = app.stories?.find((story) => app.source?.kind === "story" && story.name === app.source.name);
  const variant = own?.variant ?? app.recipe?.variant ?? app.meta?.variant ?? null;
  const scenario = own?.scenario ?? app.meta?.scenario ?? "";
  const same = (app.stories ?? []).filter(
    (story) => story.kind === "counterexample" && (variant === null ? scenario !== "" && story.scenario === `${scenario}-shortest` : story.variant === variant),
  );
  // Of some variants another way is told beside the shortest.
  const found = same.find((story) => story.name.endsWith(SHORTEST)) ?? same[0];
  return found === undefined || found.name === own?.name ? null : found.name;
}

/** @param {Verdict} verdict */
function unknown(verdict) {
  if (verdict.unknown.length === 0) return nothing;
  return html`<h3>${words.unknownWhy}</h3>
    <ul class="plain small">
      ${verdict.unknown.map(({ rule, reason }) => html`<li><strong>${rule}</strong> ${reason}</li>`)}
    </ul>`;
}

/** At the end only: before it they would tell how it ends. @param {Verdict} verdict @param {Acts} acts */
function expectations(verdict, acts) {
  if (verdict.expectations.length === 0) return nothing;
  return html`<h3>${words.expectations}</h3>
    <ul class="plain expectations">
      ${verdict.expectations.map(
        (one) => html`<li class="rule-${one.met ? "ok" : "violated"}">
          <span class="mark" role="img" aria-label=${one.met ? words.met : words.notMet}>${one.met ? "✓" : "✗"}</span>
          ${one.text}
          <span class="muted small evidence">
            ${one.mustHappen ? `${words.mustHappen} · ` : ""}${one.evidence.map((part) =>
              typeof part === "string" ? part : html`<button class="link" @click=${() => acts.go(part.at)}>${part.name}</button>`,
            )}
          </span>
        </li>`,
      )}
    </ul>`;
}

/** @param {Timeline} timeline @param {Quoted} event @param {(at: number) => void} go */
function quote(timeline, event, go) {
  if (event.at < 0) return html`<span class="muted">${words.seeEvent(event.name)}</span>`;
  return html`<button class="link" @click=${() => go(event.at)}>${narrate(timeline.catalogue, timeline.line(event.at))}</button>
    <span class="muted small">${event.name}</span>`;
}
