// What became of every message: when it was sent, held, received or lost. A part
// of the indexer.

/** @import {Line} from "./types.d.ts" */
/** @import {Draft} from "./draft.js" */

import { FATES, KINDS, OPEN, codesOf } from "./columns.js";

const KIND = codesOf(KINDS);
const FATE = codesOf(FATES);

export class Flights {
  /** @param {Draft} draft */
  constructor(draft) {
    this.draft = draft;
    /** Messages under way, and what each answers. @type {Map<number, string>} */ this.flying = new Map();
    /** @type {Map<string, number[]>} */ this.replies = new Map();
    /** @type {Set<string>} */ this.failedCalls = new Set();
    /** Where a gate holds a message: its open hold. @type {Map<number, number>} */ this.held = new Map();
  }

  /**
   * A message is sent.
   * @param {Line} line @param {number} at @param {number} node @param {string} kind
   * @param {string} answers the name of the message that it answers, or nothing
   */
  sent(line, at, node, kind, answers) {
    const to = this.draft.nodeOf(line.to);
    const place = this.draft.flights.add();
    const flight = this.draft.flights.columns;
    flight.sent[place] = at;
    flight.ended[place] = at;
    flight.instance[place] = line.instance ?? 0;
    flight.ballot[place] = line.ballot === undefined ? -1 : this.draft.ballotOf(line.ballot);
    flight.value[place] = line.value === undefined ? -1 : this.draft.valueOf(line.value);
    flight.acceptedBallot[place] = line.accepted ? this.draft.ballotOf(line.accepted.ballot) : -1;
    flight.acceptedValue[place] = line.accepted ? this.draft.valueOf(line.accepted.value) : -1;
    flight.promised[place] = line.promised === undefined ? -1 : this.draft.ballotOf(line.promised);
    flight.hold[place] = -1;
    flight.kind[place] = KIND[kind];
    flight.source[place] = node;
    flight.to[place] = to;
    this.draft.lines.columns.flight[at] = place;
    // A guest keeps no log; whoever waited for this reply may have given up;
    // and nothing gets through a wall.
    const cut = this.draft.isCut(place);
    if (cut || line.to.startsWith("g") || this.failedCalls.has(answers)) {
      flight.fate[place] = cut ? FATE.walled : FATE.died;
      this.#countLost(at);
      return;
    }
    flight.fate[place] = FATE.open;
    flight.ended[place] = OPEN;
    this.flying.set(place, answers);
    if (answers === "") return;
    const others = this.replies.get(answers);
    if (others === undefined) this.replies.set(answers, [place]);
    else others.push(place);
  }

  /** A message has arrived. @param {number} place @param {number} at */
  arrive(place, at) {
    const flight = this.draft.flights.columns;
    // It may have been given up for lost, or be a copy: its arrival knows better.
    if (!this.flying.has(place)) {
      const late = this.draft.tables.late.add();
      this.draft.tables.late.columns.flight[late] = place;
      this.draft.tables.late.columns.at[late] = flight.ended[place];
    }
    this.#leave(place, at);
    flight.ended[place] = at;
    flight.fate[place] = FATE.received;
    this.draft.lines.columns.flight[at] = place;
  }

  /** A message is lost. @param {number} place @param {Line} line that tells of it @param {number} at */
  lose(place, line, at) {
    const flight = this.draft.flights.columns;
    this.#leave(place, at);
    flight.ended[place] = at;
    flight.fate[place] = this.draft.isCut(place) ? FATE.walled : line.event === "message_dropped" ? FATE.dropped : line.event === "call_failed" ? FATE.failed : FATE.died;
    this.#countLost(at);
  }

  /** @param {number} at */
  #countLost(at) {
    const loss = this.draft.tables.lost.add();
    this.draft.tables.lost.columns.at[loss] = at;
  }

  /** A message is under way no more. @param {number} place @param {number} at */
  #leave(place, at) {
    const answers = this.flying.get(place);
    this.flying.delete(place);
    this.endHold(place, at);
    if (answers === undefined || answers === "") return;
    const others = (this.replies.get(answers) ?? []).filter((other) => other !== place);
    if (others.length === 0) this.replies.delete(answers);
    else this.replies.set(answers, others);
  }

  /** No gate holds a message any more. @param {number} place @param {number} at */
  endHold(place, at) {
    const hold = this.held.get(place);
    if (hold === undefined) return;
    this.draft.tables.holds.columns.to[hold] = at;
    this.held.delete(place);
  }

  /** The gate of a node holds a message. @param {number} place @param {number} at @param {number} node */
  hold(place, at, node) {
    this.endHold(place, at);
    const hold = this.draft.tables.holds.add();
    const columns = this.draft.tables.holds.columns;
    columns.flight[hold] = place;
    columns.node[hold] = node;
    columns.from[hold] = at;
    columns.to[hold] = OPEN;
    columns.next[hold] = -1;
    this.held.set(place, hold);
    let last = this.draft.flights.columns.hold[place];
    if (last < 0) this.draft.flights.columns.hold[place] = hold;
    else {
      while (columns.next[last] >= 0) last = columns.next[last];
      columns.next[last] = hold;
    }
  }

  /** A call has failed, and with it all that would have answered it. @param {Line} line @param {number} at @param {number} named the message, -1 for none */
  callFailed(line, at, named) {
    this.failedCalls.add(line.message);
    if (this.flying.has(named)) this.lose(named, line, at);
    for (const place of this.replies.get(line.message) ?? []) this.lose(place, line, at);
  }

  /** What waits at the gate of a process that has ended, or is on its way to it. @param {number} node @param {Line} line @param {number} at */
  loseWithProcess(node, line, at) {
    const { to } = this.draft.flights.columns;
    for (const place of [...this.flying.keys()]) {
      const hold = this.held.get(place);
      if (hold === undefined ? to[place] === node : this.draft.tables.holds.columns.node[hold] === node) this.lose(place, line, at);
    }
  }

  /** What an earlier incarnation sent and nobody has received died with its connections. @param {Line} line @param {number} at @param {number} node */
  loseEarlier(line, at, node) {
    const { source, sent } = this.draft.flights.columns;
    for (const place of [...this.flying.keys()]) {
      if (source[place] === node && this.draft.lines.columns.incarnation[sent[place]] < line.incarnation) this.lose(place, line, at);
    }
  }

  /** Nothing gets through a wall that has just gone up. @param {Line} line @param {number} at */
  loseAtWalls(line, at) {
    for (const place of [...this.flying.keys()]) {
      if (!this.held.has(place) && this.draft.isCut(place)) this.lose(place, line, at);
    }
  }
}
