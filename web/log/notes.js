// What is so in every instance: what acceptors remember and have on disk, how
// far ballots are, what is chosen, and who has learned it. A part of the indexer.

/** @import {Line, Proposal, Value} from "./types.d.ts" */
/** @import {Draft} from "./draft.js" */

import { ENDS, OPEN, codesOf } from "./columns.js";
import { SHAPE } from "./draft.js";
import { NO_BALLOT } from "./lines.js";

const END = codesOf(ENDS);

/**
 * What is so in one instance, as far as the columns need it. Nodes, ballots and
 * values are numbers. An acceptor: has it its memory; promised, accepted ballot
 * and value in memory; the same three on disk.
 * @typedef {object} InstanceNotes
 * @property {number} instance
 * @property {Map<number, [boolean, number, number, number, number, number, number]>} acceptors
 * @property {Map<number, BallotNotes>} ballots
 * @property {Map<number, number>} learned by node: its open span
 * @property {number[]} learnedBy nodes, in the order in which each learned first
 * @property {number[]} learnedValues those that it learned
 * @property {number[]} chosen values
 * @property {Map<number, string>} answering by node: the message that it took last
 */
/** @typedef {{span: number, pushed: boolean, heard: string[], refused: number[], tallies: {value: number, acceptors: number[]}[]}} BallotNotes */

export class Notes {
  /** @param {Draft} draft */
  constructor(draft) {
    this.draft = draft;
    /** By instance. @type {Map<number, InstanceNotes>} */ this.all = new Map();
    /** The ballots that the present line is about. @type {Set<BallotNotes>} */ this.touched = new Set();
  }

  /** The line has been seen: how far its ballots are now. @param {number} at */
  seen(at) {
    for (const notes of this.touched) this.#seeBallot(notes, at);
    this.touched.clear();
  }

  /** The message that a node took last in an instance; nothing if none. @param {number | undefined} instance @param {number} node */
  answering(instance, node) {
    return (instance === undefined ? undefined : this.all.get(instance)?.answering.get(node)) ?? "";
  }

  /** A node has taken a message. @param {number} instance @param {number} node @param {string} message */
  took(instance, node, message) {
    this.#notesOf(instance).answering.set(node, message);
  }

  /** What a node knew in memory is gone. @param {number} node @param {number} at */
  loseProcess(node, at) {
    for (const notes of this.all.values()) {
      const acceptor = notes.acceptors.get(node);
      if (acceptor !== undefined) acceptor[0] = false;
      const span = notes.learned.get(node);
      if (span !== undefined) this.draft.tables.learned.columns.to[span] = at;
      notes.learned.delete(node);
      notes.answering.delete(node);
    }
  }

  /** What a message that was sent says about its ballot. @param {Line} line @param {number} at @param {number} node @param {string} kind */
  sent(line, at, node, kind) {
    const { instance, ballot } = line;
    if (kind === "prepare" || kind === "promise") this.#touch(instance, ballot, at);
    else if (kind === "nack") {
      const notes = this.#touch(instance, ballot, at);
      if (!notes.refused.includes(node)) notes.refused.push(node);
    } else if (kind === "accept") {
      const notes = this.#touch(instance, ballot, at);
      if (!notes.pushed && line.wanted !== undefined) this.draft.point(at, "yield", instance);
      notes.pushed = true;
    } else if (kind === "accepted") this.#accepted(this.#notesOf(instance), node, ballot, line.value, at);
  }

  /** Whether an acceptor's step was a promise or an accept. @param {Line} line @param {number} at @param {number} node */
  seeStep(line, at, node) {
    const before = this.all.get(line.instance)?.acceptors.get(node);
    const [was, ballot, value] = before?.[0] ? before.slice(1) : [-1, -1, -1];
    this.remember(line, node);
    const after = line.after === undefined ? undefined : this.all.get(line.instance)?.acceptors.get(node);
    if (after === undefined || line.after.acceptor === undefined) return;
    if (after[2] !== ballot || after[3] !== value) this.draft.mark(at, SHAPE.accept, line.after.acceptor.accepted?.value);
    else if (after[1] !== was) this.draft.lines.columns.shape[at] = SHAPE.promise;
  }

  /** How far a proposer's quorum has come with a reply. @param {Line} line @param {number} at */
  heardReply(line, at) {
    const { instance, ballot, source } = line;
    if (line.event === "accepted_received") this.#touch(instance, ballot, at);
    if (line.event !== "promise_received") return;
    const notes = this.#touch(instance, ballot, at);
    const before = notes.heard.length;
    notes.heard = line.have ?? (notes.heard.includes(source) ? notes.heard : [...notes.heard, source]);
    const need = line.quorum ?? this.draft.quorum();
    if (before < need && notes.heard.length >= need) this.draft.point(at, "quorum", instance);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  recovered(line, at, node) {
    const notes = this.#notesOf(line.instance);
    const disk = this.#stateOf(line.promised, line.accepted);
    notes.acceptors.set(node, [true, ...disk, ...disk]);
    if (line.accepted !== null) this.#accepted(notes, node, line.accepted.ballot, line.accepted.value, at);
    // It knew this before, so this is no moment of learning.
    if (line.learned !== null && !notes.learned.has(node)) this.#openLearned(notes, node, line.learned.value, at);
  }

  /** What was not recovered was not on disk. @param {number} node */
  ready(node) {
    for (const { acceptors } of this.all.values()) {
      if (acceptors.get(node)?.[0] === false) acceptors.set(node, [true, 0, -1, -1, 0, -1, -1]);
    }
  }

  /** @param {Line} line @param {number} at */
  diskRead(line, at) {
    const node = this.draft.nodeOf(line.of);
    for (const { instance, promised, accepted } of line.instances) {
      const notes = this.#notesOf(instance);
      const known = notes.acceptors.get(node);
      const memory = known?.[0] ? /** @type {[number, number, number]} */ (known.slice(1, 4)) : null;
      notes.acceptors.set(node, [memory !== null, ...(memory ?? [-1, -1, -1]), ...this.#stateOf(promised, accepted)]);
      if (accepted !== null) this.#accepted(notes, node, accepted.ballot, accepted.value, at);
    }
  }

  /** @param {Line} line @param {number} at @param {number} node */
  persisted(line, at, node) {
    if (line.record !== "acceptor") {
      this.draft.lines.columns.shape[at] = SHAPE.round;
      return;
    }
    const notes = this.#notesOf(line.instance);
    const known = notes.acceptors.get(node) ?? [true, 0, -1, -1, 0, -1, -1];
    // A log of another program may leave out that nothing was promised.
    const disk = this.#stateOf(line.promised ?? NO_BALLOT, line.accepted ?? null);
    if (line.accepted && (known[5] !== disk[1] || known[6] !== disk[2])) this.draft.mark(at, SHAPE["accept-disk"], line.accepted.value);
    else this.draft.lines.columns.shape[at] = SHAPE["promise-disk"];
    notes.acceptors.set(node, [known[0], known[1], known[2], known[3], ...disk]);
    if (line.accepted) this.#accepted(notes, node, line.accepted.ballot, line.accepted.value, at);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  learned(line, at, node) {
    const { instance } = line;
    const notes = this.#notesOf(instance);
    if (!notes.learned.has(node)) this.#openLearned(notes, node, line.value, at);
    if (notes.learnedBy.includes(node)) return;
    const value = this.draft.valueOf(line.value);
    notes.learnedBy.push(node);
    notes.learnedValues.push(value);
    const same = notes.learnedValues.every((one) => one === value) && (notes.chosen.length === 0 || notes.chosen.includes(value));
    if (!same) this.draft.point(at, "violation", instance);
    else if (notes.learnedBy.length === 1) this.draft.point(at, "learned", instance);
    else if (notes.learnedBy.length === this.draft.world.members.length) this.draft.point(at, "all_learned", instance);
  }

  /** @param {InstanceNotes} notes @param {number} node @param {Value} value @param {number} at */
  #openLearned(notes, node, value, at) {
    const span = this.draft.tables.learned.add();
    const columns = this.draft.tables.learned.columns;
    columns.instance[span] = notes.instance;
    columns.node[span] = node;
    columns.value[span] = this.draft.valueOf(value);
    columns.from[span] = at;
    columns.to[span] = OPEN;
    notes.learned.set(node, span);
  }

  /** Adopt the state that a step left in an acceptor's memory. @param {Line} line @param {number} node */
  remember(line, node) {
    const acceptor = line.instance === undefined ? undefined : line.after?.acceptor;
    if (acceptor === undefined) return;
    const { acceptors } = this.#notesOf(line.instance);
    const known = acceptors.get(node);
    acceptors.set(node, [true, ...this.#stateOf(acceptor.promised, acceptor.accepted), known?.[4] ?? 0, known?.[5] ?? -1, known?.[6] ?? -1]);
  }

  /** @param {string} promised @param {Proposal | null} accepted @returns {[number, number, number]} */
  #stateOf(promised, accepted) {
    if (accepted === null) return [this.draft.ballotOf(promised), -1, -1];
    return [this.draft.ballotOf(promised), this.draft.ballotOf(accepted.ballot), this.draft.valueOf(accepted.value)];
  }

  /** @param {InstanceNotes} notes @param {number} node @param {string} ballot @param {Value} chosenValue @param {number} at */
  #accepted(notes, node, ballot, chosenValue, at) {
    const value = this.draft.valueOf(chosenValue);
    const known = notes.ballots.get(this.draft.ballotOf(ballot));
    let tally = known?.tallies.find((one) => one.value === value);
    if (tally?.acceptors.includes(node)) return;
    const { tallies } = this.#touch(notes.instance, ballot, at);
    if (tally === undefined) {
      tally = { value, acceptors: [] };
      tallies.push(tally);
    }
    tally.acceptors.push(node);
    if (tally.acceptors.length < this.draft.quorum() || notes.chosen.includes(value)) return;
    notes.chosen.push(value);
    const choice = this.draft.tables.chosen.add();
    const columns = this.draft.tables.chosen.columns;
    columns.instance[choice] = notes.instance;
    columns.ballot[choice] = this.draft.ballotOf(ballot);
    columns.value[choice] = value;
    columns.quorum[choice] = this.draft.quorumOf(tally.acceptors);
    columns.at[choice] = at;
    this.draft.point(at, notes.chosen.length === 1 ? "chosen" : "violation", notes.instance);
  }

  /** @param {number} instance @param {string} ballot @param {number} at @returns {BallotNotes} */
  #touch(instance, ballot, at) {
    const { ballots } = this.#notesOf(instance);
    const code = this.draft.ballotOf(ballot);
    let notes = ballots.get(code);
    if (notes === undefined) {
      const span = this.draft.tables.ballots.add();
      const columns = this.draft.tables.ballots.columns;
      columns.instance[span] = instance;
      columns.ballot[span] = code;
      columns.from[span] = columns.to[span] = at;
      columns.quorumAt[span] = -1;
      columns.proposer[span] = this.draft.nodeOf(ballot.slice(ballot.indexOf(".") + 1));
      columns.end[span] = END.open;
      notes = { span, pushed: false, heard: [], refused: [], tallies: [] };
      ballots.set(code, notes);
    }
    this.touched.add(notes);
    return notes;
  }

  /** @param {BallotNotes} notes @param {number} at */
  #seeBallot({ span, heard, refused, tallies }, at) {
    const columns = this.draft.tables.ballots.columns;
    const quorum = this.draft.quorum();
    columns.to[span] = at;
    if (columns.quorumAt[span] < 0 && heard.length >= quorum) columns.quorumAt[span] = at;
    if (tallies.some((tally) => tally.acceptors.length >= quorum)) columns.end[span] = END.chosen;
    else if (this.draft.world.members.length - refused.length < quorum) columns.end[span] = END.refused;
  }

  /** @param {number} instance @returns {InstanceNotes} */
  #notesOf(instance) {
    let notes = this.all.get(instance);
    if (notes === undefined) {
      notes = { instance, acceptors: new Map(), ballots: new Map(), learned: new Map(), learnedBy: [], learnedValues: [], chosen: [], answering: new Map() };
      this.all.set(instance, notes);
    }
    return notes;
  }
}
