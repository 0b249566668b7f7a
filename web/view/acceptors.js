// The acceptors of one instance, memory beside disk; the quorum meters of its
// ballots; and the moment of choice beside the moment each node learns.

/** @import {App} from "../state.js" */
/** @import {BallotView, InstanceView, Memory, Proposal, State, Value} from "../log/types.d.ts" */
/** @import {Timeline} from "../log/timeline.js" */

import { NO_BALLOT, compareBallots, equal, sameValue } from "../log/lines.js";
import { instanceOf, quorum } from "../log/reducer.js";
import { isShort, stateAt } from "../log/timeline.js";
import { shortText, styleOf } from "../log/values.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/** How many ballots the meters show; the latest are what matters. */
const BALLOTS_SHOWN = 3;

/**
 * @param {App} app @param {State} state @param {number} instance
 * @param {(name: string) => void} pick a node
 */
export function acceptors(app, state, instance, pick) {
  const view = instanceOf(state, instance);
  return html`
    <div class="scroll-x" role="region" aria-label=${words.tableLabel} tabindex="0">
      <table class="acceptors">
        <caption>
          ${words.acceptors}
        </caption>
        <thead>
          <tr>
            <th scope="col" rowspan="2">${words.node}</th>
            <th scope="colgroup" colspan="2">${words.promised}</th>
            <th scope="colgroup" colspan="2">${words.accepted}</th>
            <th scope="col" rowspan="2">${words.knows}</th>
          </tr>
          <tr>
            <th scope="col">${words.memory}</th>
            <th scope="col">${words.disk}</th>
            <th scope="col">${words.memory}</th>
            <th scope="col">${words.disk}</th>
          </tr>
        </thead>
        <tbody>
          ${state.members.map((node) => row(app, state, view, node, pick))}
        </tbody>
      </table>
    </div>
  `;
}

/** @param {App} app @param {State} state @param {InstanceView} view @param {string} node @param {(name: string) => void} pick */
function row(app, state, view, node, pick) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const acceptor = view.acceptors[node];
  const status = state.nodes[node]?.status ?? "up";
  const disk = acceptor?.disk ?? { promised: NO_BALLOT, accepted: null };
  // A node that is down remembers nothing, also of instances that it never met.
  const memory = status === "down" ? null : acceptor === undefined ? disk : acceptor.memory;
  const active = timeline.nodeOf(app.cursor) === node;
  const how = state.nodes[node]?.ended_by ?? "";
  const sign = { down: `✕ ${words.endings[how] ?? ""}`, paused: `❚❚ ${words.statuses.paused}`, up: "", unseen: "" }[status];
  const known = view.learned[node];
  const unsure = how === "power_loss" && status === "down" && !diskRead(timeline, app.cursor, node);
  return html`
    <tr class="${active ? "active" : ""} ${app.node === node ? "picked" : ""} ${status}" @click=${() => pick(node)}>
      <th scope="row">${node} ${sign === "" ? nothing : html`<span class="small muted">${sign}</span>`}</th>
      ${cell(memory, (one) => ballotText(one.promised), memory?.promised === disk.promised)}
      <td>${onDisk(ballotText(disk.promised), unsure && disk.promised !== NO_BALLOT)}</td>
      ${cell(memory, (one) => pairText(timeline, one.accepted), equal(memory?.accepted, disk.accepted))}
      <td>${onDisk(pairText(timeline, disk.accepted), unsure && disk.accepted !== null)} ${ahead(timeline, saidBeyond(view, node, disk))}</td>
      <td>${known === undefined ? (status === "down" ? html`<i>${words.lost}</i>` : words.none) : swatch(timeline, known.value)}</td>
    </tr>
  `;
}

/** @param {Memory | null} memory @param {(one: Memory) => unknown} show @param {boolean} saved whether the disk says the same */
function cell(memory, show, saved) {
  if (memory === null) return html`<td><i>${words.lost}</i></td>`;
  if (saved) return html`<td>${show(memory)}</td>`;
  return html`<td><span class="unsaved" title=${words.unsaved}>${show(memory)}</span></td>`;
}

/**
 * Whether somebody has looked at the disk of a node since it went down. What a
 * power loss took is in no line: it shows when the disk is read, then or at a start.
 * @param {Timeline} timeline @param {number} cursor @param {string} node that is down
 */
function diskRead(timeline, cursor, node) {
  for (let at = cursor; at >= 0 && timeline.nodeOf(at) !== node; at -= 1) {
    if (timeline.eventOf(at) === "disk_read" && timeline.line(at)?.of === node) return true;
  }
  return false;
}

/** @param {unknown} text of what was synced @param {boolean} unsure whether it may be gone */
function onDisk(text, unsure) {
  return unsure ? html`<span class="unsure" title=${words.maybeLost}>${text} ?<span class="visually-hidden"> ${words.maybeLost}</span></span>` : text;
}

/** @param {string} ballot */
function ballotText(ballot) {
  return ballot === NO_BALLOT ? words.none : ballot;
}

/** @param {Timeline} timeline @param {Proposal | null} pair */
function pairText(timeline, pair) {
  return pair === null ? words.none : html`${swatch(timeline, pair.value)} <span class="muted">${pair.ballot}</span>`;
}

/**
 * What an acceptor has said that it accepted, and its disk does not have: a
 * restart would take its word back.
 * @param {InstanceView} view @param {string} node @param {Memory} disk @returns {Proposal | null}
 */
function saidBeyond(view, node, disk) {
  const durable = disk.accepted?.ballot ?? NO_BALLOT;
  return Object.entries(view.ballots).reduce((/** @type {Proposal | null} */ found, [ballot, { accepted }]) => {
    const said = accepted.find((tally) => tally.acceptors.includes(node));
    return said === undefined || compareBallots(ballot, found?.ballot ?? durable) <= 0 ? found : { ballot, value: said.value };
  }, null);
}

/** @param {Timeline} timeline @param {Proposal | null} pair */
function ahead(timeline, pair) {
  return pair === null ? nothing : html`<span class="ahead" title=${words.saidAhead}>${words.said} ${pairText(timeline, pair)}</span>`;
}

/**
 * Those of a choice's acceptors whose disk did not have it at that moment. Of
 * a long run the moment is not at hand: there it is their disk of now.
 * @param {Timeline} timeline @param {State} state @param {number} instance @param {InstanceView["chosen"][number]} choice
 */
function byWord(timeline, state, instance, { ballot, acceptors: by, line }) {
  const then = isShort(timeline) ? stateAt(timeline, timeline.at(line), instance) : state;
  const { acceptors: of } = instanceOf(then, instance);
  return by.filter((node) => compareBallots(of[node]?.disk.accepted?.ballot ?? NO_BALLOT, ballot) < 0);
}

/**
 * A value with its colour and letter.
 * @param {Timeline} timeline @param {Value} value
 */
export function swatch(timeline, value) {
  const style = styleOf(timeline.values, value);
  return html`<span class="value" title=${style.text}
    ><span class="swatch v${style.index}" aria-hidden="true">${style.letter}</span> ${shortText(value)}</span
  >`;
}

/** @param {App} app @param {State} state @param {number} instance */
export function meters(app, state, instance) {
  const view = instanceOf(state, instance);
  const all = Object.keys(view.ballots).sort((one, other) => compareBallots(other, one));
  const shown = all.slice(0, BALLOTS_SHOWN);
  return html`
    <section class="meters" aria-labelledby="meters-title">
      <h3 id="meters-title">
        ${words.quorums(quorum(state), state.members.length)}
        ${shown.length === 0
          ? nothing
          : html`<span class="meter-heads" title=${words.meterHelp} aria-hidden="true"><span>${words.meterHeads.done}</span><span>${words.meterHeads.heard}</span></span>`}
      </h3>
      ${shown.length === 0
        ? html`<p class="muted">${words.noBallots}</p>`
        : html`<ul class="plain">
            ${shown.map((ballot) => meter(app, state, ballot, view.ballots[ballot]))}
          </ul>`}
      ${all.length > shown.length ? html`<p class="small muted">${words.earlierBallots(all.length - shown.length)}</p>` : nothing}
    </section>
  `;
}

/** @param {App} app @param {State} state @param {string} ballot @param {BallotView} view */
function meter(app, state, ballot, view) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const best = view.accepted.reduce((/** @type {string[]} */ most, tally) => (tally.acceptors.length > most.length ? tally.acceptors : most), []);
  return html`
    <li>
      <span class="ballot-name">
        ${ballot}
        ${view.value === null
          ? nothing
          : html`<span class="visually-hidden">${words.pushesValue}</span> <span class="pushing">${swatch(timeline, view.value)}</span>`}
      </span>
      ${dots(state, words.promises, "prepare", view.promised, view.promises_heard, view.refused_by)}
      ${dots(state, words.accepts, "accepted", best, view.accepts_heard, [])}
    </li>
  `;
}

/**
 * One dot for each acceptor: empty, half once it has promised or accepted,
 * full once the proposer has heard of it. Behind them the numbers of both: a
 * quorum that nobody has heard of yet is a quorum all the same.
 * @param {State} state @param {string} name @param {string} kind
 * @param {string[]} done @param {string[]} heard @param {string[]} refused
 */
function dots(state, name, kind, done, heard, refused) {
  const need = quorum(state);
  const sign = (/** @type {string} */ node) =>
    heard.includes(node) ? "●" : done.includes(node) ? "◐" : refused.includes(node) ? "✕" : "○";
  return html`
    <span class="dots ${kind}">
      <span class="muted">${name}</span>
      <span role="img" aria-label="${name}: ${words.meterLabel(done, heard, refused)}">${state.members.map(sign).join("")}</span>
      ${[state.members.filter((node) => done.includes(node) || heard.includes(node)).length, heard.length].map(
        (count) => html`<span class="count ${count >= need ? "full" : ""}">${count}</span>`,
      )}
    </span>
  `;
}

/**
 * When the value was chosen, and when each node came to know it.
 * @param {App} app @param {State} state @param {number} instance @param {(at: number) => void} go
 */
export function choice(app, state, instance, go) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const view = instanceOf(state, instance);
  const learned = view.learned_at.map(({ node, value, line }) => ({ node, value, at: timeline.at(line) }));
  const missing = state.members.filter((node) => view.learned[node] === undefined && !learned.some((one) => one.node === node));
  const first = view.chosen[0];
  // Where only one value is about, it need not be said whose it is.
  const told = [...view.chosen, ...learned].map(({ value }) => value);
  const several = first === undefined || told.some((value) => !sameValue(value, first.value));
  return html`
    <section class="choice" aria-labelledby="choice-title">
      <h3 id="choice-title">${words.choice}</h3>
      ${view.chosen.length > 1 ? html`<p class="bad">${words.disagree}</p>` : nothing}
      ${first === undefined ? html`<p><strong>${words.notChosen}</strong> ${words.notChosenWhy(quorum(state))}</p>` : nothing}
      <ol class="plain moments">
        ${view.chosen.map((one) => {
          const { value, ballot, acceptors: by, line } = one;
          const word = byWord(timeline, state, instance, one);
          return html`<li class="chosen">
            <button class="link" @click=${() => go(timeline.at(line))}>${words.chosenNow}</button>
            ${swatch(timeline, value)} ${words.at(ballot)} <span class="muted">${words.byAcceptors(by)}</span>
            ${word.length === 0 ? nothing : html`<span class="by-word">${words.byWord(word)}</span>`}
          </li>`;
        })}
        ${learned.length === 0 ? nothing : html`<li class="muted">${words.learnedBy}</li>`}
        ${learned.map(
          ({ node, value, at }) => html`<li>
            <button class="link" aria-label=${words.learns(node)} @click=${() => go(at)}>${node}</button>
            ${several ? swatch(timeline, value) : nothing} ${since(timeline, view, value, at)}
          </li>`,
        )}
      </ol>
      ${first === undefined || missing.length === 0 ? nothing : html`<p class="small muted">${words.notLearned(missing)}</p>`}
    </section>
  `;
}

/**
 * How long after its value was chosen a node learned it; a value that nobody
 * has chosen has no such moment.
 * @param {Timeline} timeline @param {InstanceView} view @param {Value} value that it learned @param {number} at
 */
function since(timeline, view, value, at) {
  const choice = view.chosen.find((one) => sameValue(one.value, value));
  const ms = timeline.ms[at];
  if (choice === undefined) return html`<span class="bad">${words.learnedUnchosen(words.ms(ms))}</span>`;
  const late = ms - timeline.ms[timeline.at(choice.line)];
  const early = at < timeline.at(choice.line);
  if (early) return html`<span class="bad">${words.learnedEarly(words.ms(-late))}</span>`;
  // The order is that of causes; clocks may say otherwise of what no message joins.
  return html`<span class="muted">${late < 0 ? words.soonerByClock(words.ms(-late)) : words.later(words.ms(late))}</span>`;
}
