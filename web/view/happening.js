// What is happening at the cursor: the sentence, what it changes, why it
// happens and what it leads to; and a message with both its ends.

/** @import {App} from "../state.js" */
/** @import {Line, State} from "../log/types.d.ts" */
/** @import {Timeline, Flight} from "../log/timeline.js" */

import { equal } from "../log/lines.js";
import { sentence } from "../log/narration.js";
import { instanceOf } from "../log/reducer.js";
import { pointsAt } from "../state.js";
import { neighbours, restOf, stateAt } from "../log/timeline.js";
import { shortText } from "../log/values.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { nothingYet } from "./judgement.js";
import { wordPicture } from "./signs.js";
import { timeOf } from "./time.js";
import { words } from "../words.js";

/** @typedef {{go: (at: number) => void, unselect: () => void, hush: () => void, message: (flight: number) => unknown}} HappeningActs `hush`: hide again what is to come */

/** Whether the run asks, at the cursor, what will come of it. @param {App} app */
export function asksNow({ timeline, cursor, mode }) {
  return mode !== "live" && mode !== "sandbox" && timeline !== null && Boolean(timeline.run?.predict) && timeline.eventOf(Math.max(cursor, 0)) === "run_started";
}

/** Whether what is to come is drawn: not beside a question that it answers, unless somebody wants it so. @param {App} app */
export function seesFuture(app) {
  return app.future && (app.peeked || !asksNow(app));
}

/** @param {App} app @param {HappeningActs} act */
export function happening(app, act) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const at = toldAt(app);
  const line = timeline.line(at);
  const points = pointsAt(app, at);
  const { run } = timeline;
  return html`
    <section class="happening" aria-labelledby="now-title">
      <h2 id="now-title">
        ${words.happening(timeOf(timeline, at))}
        <span class="muted">${words.eventOf(at, timeline.length)}</span>
        ${points.map((kind) => html`<span class="chip point ${kind}">${wordPicture(kind)} ${words.points[kind]}</span> `)}
      </h2>
      <p class="sentence">${told(app)}</p>
      ${app.selected < 0 ? nothing : message(app, timeline.flight(app.selected), act)}
      <div class="detail" role="region" aria-label=${words.detailLabel} tabindex="0">
        ${consequence(timeline, at)} ${whys(timeline, at, act.go)}
        ${line.event === "run_started" && run?.predict
          ? html`<p class="predict">
              <strong>${words.predict}</strong> ${run.predict}
              ${!asksNow(app) ? nothing : seesFuture(app) ? html`<button class="link" @click=${act.hush}>${words.guessFirst}</button>` : html`<span class="muted">${words.hiddenFirst}</span>`}
            </p>`
          : nothing}
        ${reasons(timeline, at, act.go)}
      </div>
    </section>
  `;
}

/** How far back a live view looks for something worth telling. */
const LOOK_BACK = 400;

/**
 * The line that is told: the cursor's. While a live run is followed that is
 * the newest one that is more than a timer or a write.
 * @param {App} app
 */
export function toldAt({ timeline, cursor, mode, live }) {
  if (mode !== "live" || !live.following || timeline === null) return cursor;
  for (let at = cursor; at > Math.max(cursor - LOOK_BACK, -1); at -= 1) if (timeline.level(at) !== "quiet") return at;
  return cursor;
}

/**
 * What is told of the cursor. At the end of a start without a command, that
 * every gate is open would be the last event, and mean nothing to anyone.
 * @param {App} app
 */
export function told(app) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const at = toldAt(app);
  const started = at >= restOf(timeline) && ["gate_changed", "log_closed"].includes(timeline.eventOf(at)) && nothingYet(app);
  return started ? words.atRest : sentenceAt(timeline, at);
}

/**
 * The sentence of a line; of a fan-out, that of all its lines that have happened.
 * @param {Timeline} timeline @param {number} at
 */
export function sentenceAt(timeline, at) {
  const head = timeline.head[at];
  const run = [];
  for (let other = head; other <= at; other += 1) if (timeline.head[other] === head) run.push(timeline.line(other));
  return sentence(timeline.catalogue, run);
}

/** The first thing worth telling that a received message makes its node do. @param {Timeline} timeline @param {number} at */
function decisionOf(timeline, at) {
  if (!timeline.eventOf(at).endsWith("_received")) return undefined;
  return neighbours(timeline, at).leadsTo.find((next) => timeline.level(next) !== "quiet");
}

/**
 * What a received message makes its node do, in the words of what it then did:
 * "receives a message" alone would tell a newcomer nothing.
 * @param {Timeline} timeline @param {number} at
 */
function consequence(timeline, at) {
  const decided = decisionOf(timeline, at);
  if (decided === undefined) return nothing;
  return html`<p class="so"><span class="muted">${words.so}</span> ${sentenceAt(timeline, decided)}</p>`;
}

/**
 * Why a line is as it is, from the rules' own evidence.
 * @param {Timeline} timeline @param {number} at @param {(at: number) => void} go
 */
function whys(timeline, at, go) {
  const found = timeline.why?.get(at) ?? [];
  if (found.length === 0) return nothing;
  // Where one rule is broken, that another is kept is no answer to "why?".
  const broken = found.filter((why) => !why.ok);
  const justified = broken.length === 0 ? words.why : words.whyBeside;
  return html`
    <ul class="plain whys">
      ${[...broken, ...found.filter((why) => why.ok)].map(
        (why) => html`<li class=${why.ok ? (broken.length === 0 ? "" : "beside") : "unjustified"}>
          <span class="why-mark">${why.ok ? justified : (words.whyBroken[why.rule ?? ""] ?? words.whyNot)}</span> ${why.sentence}
          ${why.events.map((name) => {
            const place = timeline.at(name);
            return place < 0 || place === at ? nothing : html` <button class="link evidence-link" title=${sentenceAt(timeline, place)} @click=${() => go(place)}>${name}</button>`;
          })}
        </li>`,
      )}
    </ul>
  `;
}

/** @param {Line} line */
function changes(line) {
  const changed = differences(line);
  if (changed.length === 0 && line.ignored === undefined) return nothing;
  return html`<div class="changes">
    <h3>${words.changed}</h3>
    <ul class="plain">
      ${line.ignored === undefined ? nothing : html`<li>${words.nothingChanged}: ${line.ignored}</li>`}
      ${changed.map(([name, was, is]) => html`<li>${name} ${was} → <strong>${is}</strong></li>`)}
    </ul>
  </div>`;
}

/**
 * What a step changed in its node's memory.
 * @param {Line} line @returns {[string, string, string][]}
 */
function differences(line) {
  /** @type {[string, string, string][]} */
  const found = [];
  for (const [path, name] of Object.entries(words.roles)) {
    const [role, field] = path.split(".");
    const [was, is] = [line.before?.[role]?.[field], line.after?.[role]?.[field]];
    if (line.after?.[role] === undefined || equal(was, is)) continue;
    found.push([name, shown(was), shown(is)]);
  }
  return found;
}

/** So deep are foreign fields told, and no deeper. */
const DEEPEST = 4;

/**
 * A field of a node's memory. What a proposer or a learner keeps, the format
 * leaves to the program that wrote the log: whatever shape it has is told.
 * @param {any} field @param {number} [depth] @returns {string}
 */
function shown(field, depth = 0) {
  if (field === null || field === undefined || field === "0.n0") return words.none;
  if (typeof field !== "object") return String(field);
  if (depth >= DEEPEST) return "…";
  if (Array.isArray(field)) return field.length === 0 ? words.none : field.map((one) => shown(one, depth + 1)).join(", ");
  if (typeof field.node === "string") return field.node;
  if (isValue(field)) return shortText(field);
  if (isValue(field.value) && typeof field.ballot === "string") {
    const by = isNames(field.acceptors) ? ` (${words.joined(field.acceptors)})` : "";
    return `${shortText(field.value)} ${words.at(field.ballot)}${by}`;
  }
  return Object.entries(field)
    .map(([name, one]) => `${name}: ${shown(one, depth + 1)}`)
    .join(", ");
}

/** @param {any} field @returns {field is import("../log/types.d.ts").Value} */
function isValue(field) {
  return typeof field === "string" || (Number.isInteger(field?.bytes) && typeof field.sha256 === "string");
}

/** @param {any} field @returns {field is string[]} */
function isNames(field) {
  return Array.isArray(field) && field.every((one) => typeof one === "string");
}

/** @param {Timeline} timeline @param {number} cursor @param {(at: number) => void} go */
function reasons(timeline, cursor, go) {
  const { because, leadsTo } = neighbours(timeline, cursor);
  /** One entry for each fan-out. */
  const decided = decisionOf(timeline, cursor);
  const told = decided === undefined ? -1 : timeline.head[decided];
  const heads = [...new Map(leadsTo.map((at) => [timeline.head[at], at])).values()].filter((at) => timeline.head[at] !== told);
  const link = (/** @type {number} */ at) =>
    html`<li><button class="link" @click=${() => go(at)}>${sentenceAt(timeline, at)}</button></li>`;
  return html`
    <div class="reasons">
      ${changes(timeline.line(cursor))}
      ${because < 0 ? nothing : html`<div><h3>${words.because}</h3><ul class="plain">${link(because)}</ul></div>`}
      ${heads.length === 0 ? nothing : html`<div><h3>${words.leadsTo}</h3><ul class="plain">${heads.slice(0, 4).map(link)}</ul></div>`}
    </div>
  `;
}

/** @param {App} app @param {Flight} flight @param {HappeningActs} act */
function message(app, flight, act) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const ended = flight.fate === "open" ? -1 : flight.ended;
  return html`
    <section class="message" aria-labelledby="message-title">
      <h3 id="message-title">
        ${words.messageTitle(words.kinds[flight.kind], flight.source, flight.to)}
        <span class="muted">${flight.ballot ?? ""} ${flight.id}</span>
      </h3>
      <button class="close" aria-label=${words.closeMessage} @click=${act.unselect}>✕</button>
      <div class="ends">
        ${end(timeline, words.sent, flight.source, flight.sent, flight, act.go)}
        ${ended < 0
          ? html`<p class="muted">${words.fates.open}.</p>`
          : end(timeline, words.fates[flight.fate], flight.to, ended, flight, act.go)}
      </div>
      ${act.message(app.selected)}
    </section>
  `;
}

/**
 * One end of a message: its line, and the node's state before and after.
 * @param {Timeline} timeline @param {string} title @param {string} node @param {number} at
 * @param {Flight} flight @param {(at: number) => void} go
 */
function end(timeline, title, node, at, flight, go) {
  // What a reply's sender did is told by the input that it answers.
  const cause = title === words.sent ? neighbours(timeline, at).because : at;
  const [before, after] = [stateAt(timeline, (cause < 0 ? at : cause) - 1), stateAt(timeline, at)];
  const rows = /** @type {[string, (state: State) => string][]} */ ([
    [words.promised, (state) => shown(memoryOf(state, flight.instance, node)?.promised)],
    [words.accepted, (state) => shown(memoryOf(state, flight.instance, node)?.accepted)],
    [words.phase, (state) => shown(proposerOf(state, flight.instance, node))],
  ]);
  return html`
    <div>
      <button class="link" @click=${() => go(at)}>${title}</button>
      <span class="muted">${words.eventOf(at, timeline.length)}, ${timeOf(timeline, at)}</span>
      <table class="small">
        <thead>
          <tr><th scope="col">${node}</th><th scope="col">${words.before}</th><th scope="col">${words.after}</th></tr>
        </thead>
        <tbody>
          ${rows.map(([name, show]) => {
            const [was, is] = [show(before), show(after)];
            return html`<tr><th scope="row">${name}</th><td>${was}</td><td>${was === is ? is : html`<strong>${is}</strong>`}</td></tr>`;
          })}
        </tbody>
      </table>
      <p class="small muted">${timeline.nameOf(at)}</p>
    </div>
  `;
}

/** @param {State} state @param {number | null} instance @param {string} node */
function memoryOf(state, instance, node) {
  return instance === null ? null : instanceOf(state, instance).acceptors[node]?.memory;
}

/** @param {State} state @param {number | null} instance @param {string} node */
function proposerOf(state, instance, node) {
  const view = instance === null ? undefined : instanceOf(state, instance).proposers[node];
  return view === undefined ? null : `${shown(view.phase)} ${view.ballot === "0.n0" ? "" : shown(view.ballot)}`;
}
