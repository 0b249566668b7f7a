// From the lines of a log to its columns, one line after another and each but
// once: what became of every message, when nodes were up, where walls stood,
// when a value was chosen and by whom it was learned.
//
// It is the quick twin of folding the log with the reducer and looking at what
// each line changed: tests hold it to that. What concerns nodes and walls is
// folded with the reducer itself. orchestrator/columns.py writes the same
// columns, byte for byte: change them together.

/** @import {Catalogue, Line, Proposal, State, Value} from "./types.d.ts" */

import { ENDS, FATES, KINDS, OPEN, POINTS, SHAPES, emptyTables } from "./columns.js";
import { Codes, TooLarge } from "./codes.js";
import { ORCHESTRATOR } from "./lines.js";
import { Names } from "./names.js";
import { levelOf, sameFanOut } from "./narration.js";
import { empty, fold } from "./reducer.js";

/** What these say concerns every instance. */
const SHARED = new Set([
  "run_started", "node_started", "node_ready", "node_stopped", "failpoint_hit", "power_lost", "node_exited", "disk_read",
  "gate_changed", "fault_applied", "fault_undone",
]);
const REPLIES = new Set(["promise", "accepted", "nack", "learned"]);
const WALLS = new Set(["isolate", "partition", "cut", "cut one way"]);
const RANKS = { story: 0, detail: 1, quiet: 2 };
/** Numbers of lines and instances fit into 32 bits. */
const NUMBER_LIMIT = 0x7fffffff;

const SHAPE = /** @type {Record<string, number>} */ (Object.fromEntries(SHAPES.map((name, code) => [name, code])));
const KIND = /** @type {Record<string, number>} */ (Object.fromEntries(KINDS.map((name, code) => [name, code])));
const FATE = /** @type {Record<string, number>} */ (Object.fromEntries(FATES.map((name, code) => [name, code])));
const POINT = /** @type {Record<string, number>} */ (Object.fromEntries(POINTS.map((name, code) => [name, code])));
const END = /** @type {Record<string, number>} */ (Object.fromEntries(ENDS.map((name, code) => [name, code])));

/**
 * What is so in one instance, as far as the columns need it. Nodes, ballots and
 * values are numbers. An acceptor: has it its memory; promised, accepted ballot
 * and value in memory; the same three on disk.
 * @typedef {object} Notes
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

/**
 * What an index knows beside its columns, ready for the file.
 * @param {Indexer} indexer @param {{size: number, digest: string, torn: boolean}} log
 */
export function smallOf({ events, nodes, ballots, values, quorums, world, nodeSpans, walls, steps }, { size, digest, torn }) {
  return { size, digest, torn, events, nodes, ballots, values, quorums, members: world.members, nodeSpans, walls, steps };
}

export class Indexer extends Codes {
  /** @param {Catalogue} catalogue @param {string[]} [members] where something else than the log names them */
  constructor(catalogue, members = []) {
    super();
    this.catalogue = catalogue;
    this.tables = emptyTables();
    this.lines = this.tables.lines;
    this.flights = this.tables.flights;
    this.names = new Names();
    /** @type {State} */
    this.world = empty(members);
    this.events = Object.keys(catalogue.events);
    this.eventCode = new Map(this.events.map((event, code) => [event, code]));
    /** The level of an event, -1 where it depends on the line. */
    this.ranks = this.events.map((event) => {
      const { level, say } = catalogue.events[event];
      return say.every((choice) => choice.level === undefined) ? RANKS[level] : -1;
    });
    /** @type {{node: string, status: string, how: string | null, from: number, to: number}[]} */ this.nodeSpans = [];
    /** @type {Map<string, number>} */ this.openNode = new Map();
    /** @type {{cuts: string[], from: number, to: number}[]} */ this.walls = [];
    /** @type {{at: number, step: number, say: string}[]} */ this.steps = [];
    /** @type {Line | null} */ this.run = null;
    this.originNs = 0;
    /** Nodes that have been heard of. @type {Set<number>} */ this.heard = new Set();
    /** @type {(Line | undefined)[]} */ this.lastOf = [];
    /** @type {number[]} */ this.lastAt = [];
    /** @type {string[]} */ this.starts = [];
    /** @type {Map<number, Notes>} */ this.notes = new Map();
    /** Messages under way, and what each answers. @type {Map<number, string>} */ this.flying = new Map();
    /** @type {Map<string, number[]>} */ this.replies = new Map();
    /** @type {Set<string>} */ this.failedCalls = new Set();
    /** Where a gate holds a message: its open hold. @type {Map<number, number>} */ this.held = new Map();
    /** @type {Set<BallotNotes>} */ this.touched = new Set();
    for (const node of this.world.members) this.nodeOf(node);
    this.#seeNodes(empty(), 0);
  }

  /* --- one line ------------------------------------------------------------------ */

  /**
   * Take the next line.
   * @param {Line} line
   * @param {number} [size] in bytes, newline included
   * @returns {boolean} whether it concerns every instance
   */
  add(line, size = 0) {
    if (line.seq > NUMBER_LIMIT || line.incarnation > NUMBER_LIMIT || (line.instance ?? 0) > NUMBER_LIMIT) {
      throw new TooLarge("a number above 2147483647");
    }
    const at = this.lines.add();
    const columns = this.lines.columns;
    const node = this.nodeOf(line.node);
    const code = /** @type {number} */ (this.eventCode.get(line.event));
    if (at === 0) this.originNs = line.at_ns;
    columns.ms[at] = (line.at_ns - this.originNs) / 1e6;
    columns.size[at] = size;
    columns.seq[at] = line.seq;
    columns.incarnation[at] = line.incarnation;
    columns.instance[at] = line.instance ?? 0;
    columns.event[at] = code;
    columns.node[at] = node;
    columns.rank[at] = this.ranks[code] < 0 ? RANKS[levelOf(this.catalogue, line)] : this.ranks[code];
    columns.flight[at] = -1;
    columns.cause[at] = line.cause === undefined ? -1 : this.names.get(line.cause);
    columns.shape[at] = SHAPE.none;
    columns.value[at] = -1;
    this.names.set(this.#startOf(line, node), line.seq, at);
    if (typeof line.source === "string") this.nodeOf(line.source);
    if (typeof line.to === "string") this.nodeOf(line.to);
    if (line.wanted !== undefined) this.valueOf(line.wanted);
    if (line.value !== undefined && line.value !== null) this.valueOf(line.value);
    if (line.accepted) this.valueOf(line.accepted.value);
    const sent = line.event.endsWith("_sent");
    this.#seeHead(line, at, node, sent);
    const shared = this.#seeWorld(line, at, node);
    if (sent) this.#onSent(line, at, node);
    else if (line.event.endsWith("_received")) this.#onReceived(line, at, node);
    else this.#onOther(line, at, node);
    for (const notes of this.touched) this.#seeBallot(notes, at);
    this.touched.clear();
    return shared;
  }

  /** @param {Line} line @param {number} node */
  #startOf(line, node) {
    if (this.lastOf[node]?.incarnation !== line.incarnation) this.starts[node] = `${line.node}/${line.incarnation}`;
    return this.starts[node];
  }

  /** @param {Line} line @param {number} at @param {number} node @param {boolean} sent */
  #seeHead(line, at, node, sent) {
    const { head } = this.lines.columns;
    const last = this.lastOf[node];
    head[at] = sent && last !== undefined && sameFanOut(this.catalogue, last, line) ? head[this.lastAt[node]] : at;
    this.lastOf[node] = line;
    this.lastAt[node] = at;
  }

  /* --- nodes and walls: what concerns every instance ------------------------------- */

  /** @param {Line} line @param {number} at @param {number} node */
  #seeWorld(line, at, node) {
    const known = this.heard.has(node) || line.node === ORCHESTRATOR;
    if (known && !SHARED.has(line.event)) return false;
    this.heard.add(node);
    const before = this.world;
    // A disk that was read is about instances; of the first line of a node only counts that it is there.
    const folds = SHARED.has(line.event) && line.event !== "disk_read";
    const { v, incarnation, seq, at_ns } = line;
    const after = fold(before, folds ? line : { v, node: line.node, incarnation, seq, at_ns, event: "timer_set" });
    for (const { kind } of after.turning_points) this.#point(at, kind, 0);
    this.world = { ...after, turning_points: [] };
    if (line.event === "run_started") this.run ??= line;
    for (const member of after.members) this.nodeOf(member);
    this.#seeNodes(before, at);
    if (before.cuts !== after.cuts) {
      if (this.walls.length > 0 && before.cuts.length > 0) this.walls[this.walls.length - 1].to = at;
      if (after.cuts.length > 0) this.walls.push({ cuts: after.cuts, from: at, to: OPEN });
    }
    for (const [name, view] of Object.entries(after.nodes)) {
      if (view.status === "down" && before.nodes[name]?.status !== "down") this.#loseProcess(name, line, at);
    }
    if (line.event === "node_started") {
      this.#loseProcess(line.node, line, at);
      this.#loseEarlier(line, at, node);
      this.lines.columns.shape[at] = line.incarnation > 1 ? SHAPE.restart : SHAPE.start;
    }
    if (line.event === "fault_applied" && WALLS.has(line.fault)) this.#loseAtWalls(line, at);
    return true;
  }

  /** @param {State} before @param {number} at */
  #seeNodes(before, at) {
    for (const [node, view] of Object.entries(this.world.nodes)) {
      if (before.nodes[node]?.status === view.status) continue;
      const open = this.openNode.get(node);
      if (open !== undefined) this.nodeSpans[open].to = at;
      this.openNode.set(node, this.nodeSpans.length);
      this.nodeSpans.push({ node, status: view.status, how: view.ended_by, from: open === undefined ? 0 : at, to: OPEN });
    }
  }

  /** Memory goes with its process, and so does what waits at its gate or is on its way to it. @param {string} name @param {Line} line @param {number} at */
  #loseProcess(name, line, at) {
    const node = this.nodeOf(name);
    for (const notes of this.notes.values()) {
      const acceptor = notes.acceptors.get(node);
      if (acceptor !== undefined) acceptor[0] = false;
      const span = notes.learned.get(node);
      if (span !== undefined) this.tables.learned.columns.to[span] = at;
      notes.learned.delete(node);
      notes.answering.delete(node);
    }
    const { to } = this.flights.columns;
    for (const place of [...this.flying.keys()]) {
      const hold = this.held.get(place);
      if (hold === undefined ? to[place] === node : this.tables.holds.columns.node[hold] === node) this.#lose(place, line, at);
    }
  }

  /** What an earlier incarnation sent and nobody has received died with its connections. @param {Line} line @param {number} at @param {number} node */
  #loseEarlier(line, at, node) {
    const { source, sent } = this.flights.columns;
    for (const place of [...this.flying.keys()]) {
      if (source[place] === node && this.lines.columns.incarnation[sent[place]] < line.incarnation) this.#lose(place, line, at);
    }
  }

  /** @param {Line} line @param {number} at */
  #loseAtWalls(line, at) {
    for (const place of [...this.flying.keys()]) {
      if (!this.held.has(place) && this.#isCut(place)) this.#lose(place, line, at);
    }
  }

  /* --- messages ----------------------------------------------------------------------- */

  /** @param {Line} line @param {number} at @param {number} node */
  #onSent(line, at, node) {
    const kind = line.event.slice(0, -"_sent".length);
    const to = this.nodeOf(line.to);
    const place = this.flights.add();
    const flight = this.flights.columns;
    flight.sent[place] = at;
    flight.ended[place] = at;
    flight.instance[place] = line.instance ?? 0;
    flight.ballot[place] = line.ballot === undefined ? -1 : this.ballotOf(line.ballot);
    flight.value[place] = line.value === undefined ? -1 : this.valueOf(line.value);
    flight.acceptedBallot[place] = line.accepted ? this.ballotOf(line.accepted.ballot) : -1;
    flight.acceptedValue[place] = line.accepted ? this.valueOf(line.accepted.value) : -1;
    flight.promised[place] = line.promised === undefined ? -1 : this.ballotOf(line.promised);
    flight.hold[place] = -1;
    flight.kind[place] = KIND[kind];
    flight.source[place] = node;
    flight.to[place] = to;
    this.lines.columns.flight[at] = place;
    if (kind === "nack") this.lines.columns.shape[at] = SHAPE.refuse;
    if (kind === "prepare") this.lines.columns.shape[at] = SHAPE.begins;
    if (kind === "accept") this.#mark(at, line.wanted === undefined ? SHAPE.pushes : SHAPE.yields, line.value);
    const notes = line.instance === undefined ? undefined : this.notes.get(line.instance);
    const answers = (REPLIES.has(kind) ? notes?.answering.get(node) : undefined) ?? "";
    if (line.instance !== undefined) this.#seeBallotOf(line, at, node, kind);
    // A guest keeps no log; whoever waited for this reply may have given up;
    // and nothing gets through a wall.
    const cut = this.#isCut(place);
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

  /** @param {Line} line @param {number} at @param {number} node @param {string} kind */
  #seeBallotOf(line, at, node, kind) {
    const { instance, ballot } = line;
    if (kind === "prepare" || kind === "promise") this.#touch(instance, ballot, at);
    else if (kind === "nack") {
      const notes = this.#touch(instance, ballot, at);
      if (!notes.refused.includes(node)) notes.refused.push(node);
    } else if (kind === "accept") {
      const notes = this.#touch(instance, ballot, at);
      if (!notes.pushed && line.wanted !== undefined) this.#point(at, "yield", instance);
      notes.pushed = true;
    } else if (kind === "accepted") this.#accepted(this.#notesOf(instance), node, ballot, line.value, at);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  #onReceived(line, at, node) {
    const columns = this.lines.columns;
    const arrived = this.#sentBy(columns.cause[at]);
    if (arrived >= 0) this.#arrive(arrived, at);
    if (line.event === "propose_received") {
      this.#remember(line, node);
      this.#mark(at, SHAPE.wish, line.value);
      this.#point(at, "propose", line.instance);
      return;
    }
    columns.shape[at] = SHAPE.dot;
    if (line.instance === undefined) return;
    if (line.event === "prepare_received" || line.event === "accept_received") this.#seeStep(line, at, node);
    else this.#remember(line, node);
    if (line.cause !== undefined) this.#notesOf(line.instance).answering.set(node, line.cause);
    if (line.ignored === undefined) this.#heardReply(line, at);
  }

  /** Whether an acceptor's step was a promise or an accept. @param {Line} line @param {number} at @param {number} node */
  #seeStep(line, at, node) {
    const before = this.notes.get(line.instance)?.acceptors.get(node);
    const [was, ballot, value] = before?.[0] ? before.slice(1) : [-1, -1, -1];
    this.#remember(line, node);
    const after = line.after === undefined ? undefined : this.notes.get(line.instance)?.acceptors.get(node);
    if (after === undefined || line.after.acceptor === undefined) return;
    if (after[2] !== ballot || after[3] !== value) this.#mark(at, SHAPE.accept, line.after.acceptor.accepted?.value);
    else if (after[1] !== was) this.lines.columns.shape[at] = SHAPE.promise;
  }

  /** How far a proposer's quorum has come with a reply. @param {Line} line @param {number} at */
  #heardReply(line, at) {
    const { instance, ballot, source } = line;
    if (line.event === "accepted_received") this.#touch(instance, ballot, at);
    if (line.event !== "promise_received") return;
    const notes = this.#touch(instance, ballot, at);
    const before = notes.heard.length;
    notes.heard = line.have ?? (notes.heard.includes(source) ? notes.heard : [...notes.heard, source]);
    const need = line.quorum ?? this.#quorum();
    if (before < need && notes.heard.length >= need) this.#point(at, "quorum", instance);
  }

  /** @param {number} place @param {number} at */
  #arrive(place, at) {
    const flight = this.flights.columns;
    // It may have been given up for lost, or be a copy: its arrival knows better.
    if (!this.flying.has(place)) {
      const late = this.tables.late.add();
      this.tables.late.columns.flight[late] = place;
      this.tables.late.columns.at[late] = flight.ended[place];
    }
    this.#leave(place, at);
    flight.ended[place] = at;
    flight.fate[place] = FATE.received;
    this.lines.columns.flight[at] = place;
  }

  /** @param {number} place @param {Line} line @param {number} at */
  #lose(place, line, at) {
    const flight = this.flights.columns;
    this.#leave(place, at);
    flight.ended[place] = at;
    flight.fate[place] = this.#isCut(place) ? FATE.walled : line.event === "message_dropped" ? FATE.dropped : line.event === "call_failed" ? FATE.failed : FATE.died;
    this.#countLost(at);
  }

  /** @param {number} at */
  #countLost(at) {
    const loss = this.tables.lost.add();
    this.tables.lost.columns.at[loss] = at;
  }

  /** A message is under way no more. @param {number} place @param {number} at */
  #leave(place, at) {
    const answers = this.flying.get(place);
    this.flying.delete(place);
    this.#endHold(place, at);
    if (answers === undefined || answers === "") return;
    const others = (this.replies.get(answers) ?? []).filter((other) => other !== place);
    if (others.length === 0) this.replies.delete(answers);
    else this.replies.set(answers, others);
  }

  /** @param {number} place @param {number} at */
  #endHold(place, at) {
    const hold = this.held.get(place);
    if (hold === undefined) return;
    this.tables.holds.columns.to[hold] = at;
    this.held.delete(place);
  }

  /** @param {number} place @param {number} at @param {number} node */
  #hold(place, at, node) {
    this.#endHold(place, at);
    const hold = this.tables.holds.add();
    const columns = this.tables.holds.columns;
    columns.flight[hold] = place;
    columns.node[hold] = node;
    columns.from[hold] = at;
    columns.to[hold] = OPEN;
    columns.next[hold] = -1;
    this.held.set(place, hold);
    let last = this.flights.columns.hold[place];
    if (last < 0) this.flights.columns.hold[place] = hold;
    else {
      while (columns.next[last] >= 0) last = columns.next[last];
      columns.next[last] = hold;
    }
  }

  /** The message that a line sent, -1 for none. @param {number} at */
  #sentBy(at) {
    if (at < 0) return -1;
    const place = this.lines.columns.flight[at];
    return place >= 0 && this.flights.columns.sent[place] === at ? place : -1;
  }

  /** @param {number} place */
  #isCut(place) {
    if (this.world.cuts.length === 0) return false;
    const { source, to } = this.flights.columns;
    return this.world.cuts.includes(`${this.nodes[source[place]]}>${this.nodes[to[place]]}`);
  }

  /* --- everything else ------------------------------------------------------------------ */

  /** @param {Line} line @param {number} at @param {number} node */
  #onOther(line, at, node) {
    const named = typeof line.message === "string" ? this.#sentBy(this.names.get(line.message)) : -1;
    if (named >= 0) this.lines.columns.flight[at] = named;
    switch (line.event) {
      case "state_recovered":
        return this.#onRecovered(line, at, node);
      case "node_ready":
        return this.#onReady(node);
      case "disk_read":
        return this.#onDiskRead(line, at);
      case "state_persisted":
        return this.#onPersisted(line, at, node);
      case "value_learned":
        this.#mark(at, SHAPE.learn, line.value);
        return this.#onLearned(line, at, node);
      case "propose_answered":
        return this.#mark(at, SHAPE.answer, line.value);
      case "timeout_fired":
        this.lines.columns.shape[at] = line.have === undefined ? SHAPE.timer : SHAPE.stuck;
        return this.#remember(line, node);
      case "call_failed":
        return this.#onCallFailed(line, at, named);
      case "message_dropped":
        return this.flying.has(named) ? this.#lose(named, line, at) : undefined;
      case "message_held":
        return this.flying.has(named) ? this.#hold(named, at, node) : undefined;
      case "message_released":
        return this.#endHold(named, at);
      case "step_started":
        this.steps.push({ at, step: line.step, say: line.say });
        return undefined;
      default:
        return this.#remember(line, node);
    }
  }

  /** @param {Line} line @param {number} at @param {number} named */
  #onCallFailed(line, at, named) {
    this.failedCalls.add(line.message);
    if (this.flying.has(named)) this.#lose(named, line, at);
    for (const place of this.replies.get(line.message) ?? []) this.#lose(place, line, at);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  #onRecovered(line, at, node) {
    const notes = this.#notesOf(line.instance);
    const disk = this.#stateOf(line.promised, line.accepted);
    notes.acceptors.set(node, [true, ...disk, ...disk]);
    if (line.accepted !== null) this.#accepted(notes, node, line.accepted.ballot, line.accepted.value, at);
    // It knew this before, so this is no moment of learning.
    if (line.learned !== null && !notes.learned.has(node)) this.#openLearned(notes, node, line.learned.value, at);
  }

  /** What was not recovered was not on disk. @param {number} node */
  #onReady(node) {
    for (const { acceptors } of this.notes.values()) {
      if (acceptors.get(node)?.[0] === false) acceptors.set(node, [true, 0, -1, -1, 0, -1, -1]);
    }
  }

  /** @param {Line} line @param {number} at */
  #onDiskRead(line, at) {
    const node = this.nodeOf(line.of);
    for (const { instance, promised, accepted } of line.instances) {
      const notes = this.#notesOf(instance);
      const known = notes.acceptors.get(node);
      const memory = known?.[0] ? /** @type {[number, number, number]} */ (known.slice(1, 4)) : null;
      notes.acceptors.set(node, [memory !== null, ...(memory ?? [-1, -1, -1]), ...this.#stateOf(promised, accepted)]);
      if (accepted !== null) this.#accepted(notes, node, accepted.ballot, accepted.value, at);
    }
  }

  /** @param {Line} line @param {number} at @param {number} node */
  #onPersisted(line, at, node) {
    if (line.record !== "acceptor") {
      this.lines.columns.shape[at] = SHAPE.round;
      return;
    }
    const notes = this.#notesOf(line.instance);
    const known = notes.acceptors.get(node) ?? [true, 0, -1, -1, 0, -1, -1];
    const disk = this.#stateOf(line.promised, line.accepted ?? null);
    if (line.accepted && (known[5] !== disk[1] || known[6] !== disk[2])) this.#mark(at, SHAPE["accept-disk"], line.accepted.value);
    else this.lines.columns.shape[at] = SHAPE["promise-disk"];
    notes.acceptors.set(node, [known[0], known[1], known[2], known[3], ...disk]);
    if (line.accepted) this.#accepted(notes, node, line.accepted.ballot, line.accepted.value, at);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  #onLearned(line, at, node) {
    const { instance } = line;
    const notes = this.#notesOf(instance);
    if (!notes.learned.has(node)) this.#openLearned(notes, node, line.value, at);
    if (notes.learnedBy.includes(node)) return;
    const value = this.valueOf(line.value);
    notes.learnedBy.push(node);
    notes.learnedValues.push(value);
    const same = notes.learnedValues.every((one) => one === value) && (notes.chosen.length === 0 || notes.chosen.includes(value));
    if (!same) this.#point(at, "violation", instance);
    else if (notes.learnedBy.length === 1) this.#point(at, "learned", instance);
    else if (notes.learnedBy.length === this.world.members.length) this.#point(at, "all_learned", instance);
  }

  /** @param {Notes} notes @param {number} node @param {Value} value @param {number} at */
  #openLearned(notes, node, value, at) {
    const span = this.tables.learned.add();
    const columns = this.tables.learned.columns;
    columns.instance[span] = notes.instance;
    columns.node[span] = node;
    columns.value[span] = this.valueOf(value);
    columns.from[span] = at;
    columns.to[span] = OPEN;
    notes.learned.set(node, span);
  }

  /** Adopt the state that a step left in an acceptor's memory. @param {Line} line @param {number} node */
  #remember(line, node) {
    const acceptor = line.instance === undefined ? undefined : line.after?.acceptor;
    if (acceptor === undefined) return;
    const { acceptors } = this.#notesOf(line.instance);
    const known = acceptors.get(node);
    acceptors.set(node, [true, ...this.#stateOf(acceptor.promised, acceptor.accepted), known?.[4] ?? 0, known?.[5] ?? -1, known?.[6] ?? -1]);
  }

  /** @param {string} promised @param {Proposal | null} accepted @returns {[number, number, number]} */
  #stateOf(promised, accepted) {
    if (accepted === null) return [this.ballotOf(promised), -1, -1];
    return [this.ballotOf(promised), this.ballotOf(accepted.ballot), this.valueOf(accepted.value)];
  }

  /* --- ballots and choices ---------------------------------------------------------------- */

  /** @param {Notes} notes @param {number} node @param {string} ballot @param {Value} chosenValue @param {number} at */
  #accepted(notes, node, ballot, chosenValue, at) {
    const value = this.valueOf(chosenValue);
    const known = notes.ballots.get(this.ballotOf(ballot));
    let tally = known?.tallies.find((one) => one.value === value);
    if (tally?.acceptors.includes(node)) return;
    const { tallies } = this.#touch(notes.instance, ballot, at);
    if (tally === undefined) {
      tally = { value, acceptors: [] };
      tallies.push(tally);
    }
    tally.acceptors.push(node);
    if (tally.acceptors.length < this.#quorum() || notes.chosen.includes(value)) return;
    notes.chosen.push(value);
    const choice = this.tables.chosen.add();
    const columns = this.tables.chosen.columns;
    columns.instance[choice] = notes.instance;
    columns.ballot[choice] = this.ballotOf(ballot);
    columns.value[choice] = value;
    columns.quorum[choice] = this.quorumOf(tally.acceptors);
    columns.at[choice] = at;
    this.#point(at, notes.chosen.length === 1 ? "chosen" : "violation", notes.instance);
  }

  /** @param {number} instance @param {string} ballot @param {number} at @returns {BallotNotes} */
  #touch(instance, ballot, at) {
    const { ballots } = this.#notesOf(instance);
    const code = this.ballotOf(ballot);
    let notes = ballots.get(code);
    if (notes === undefined) {
      const span = this.tables.ballots.add();
      const columns = this.tables.ballots.columns;
      columns.instance[span] = instance;
      columns.ballot[span] = code;
      columns.from[span] = columns.to[span] = at;
      columns.quorumAt[span] = -1;
      columns.proposer[span] = this.nodeOf(ballot.slice(ballot.indexOf(".") + 1));
      columns.end[span] = END.open;
      notes = { span, pushed: false, heard: [], refused: [], tallies: [] };
      ballots.set(code, notes);
    }
    this.touched.add(notes);
    return notes;
  }

  /** @param {BallotNotes} notes @param {number} at */
  #seeBallot({ span, heard, refused, tallies }, at) {
    const columns = this.tables.ballots.columns;
    const quorum = this.#quorum();
    columns.to[span] = at;
    if (columns.quorumAt[span] < 0 && heard.length >= quorum) columns.quorumAt[span] = at;
    if (tallies.some((tally) => tally.acceptors.length >= quorum)) columns.end[span] = END.chosen;
    else if (this.world.members.length - refused.length < quorum) columns.end[span] = END.refused;
  }

  #quorum() {
    return Math.floor(this.world.members.length / 2) + 1;
  }

  /** @param {number} instance @returns {Notes} */
  #notesOf(instance) {
    let notes = this.notes.get(instance);
    if (notes === undefined) {
      notes = { instance, acceptors: new Map(), ballots: new Map(), learned: new Map(), learnedBy: [], learnedValues: [], chosen: [], answering: new Map() };
      this.notes.set(instance, notes);
    }
    return notes;
  }

  /** @param {number} at @param {number} shape @param {Value | null | undefined} value */
  #mark(at, shape, value) {
    this.lines.columns.shape[at] = shape;
    this.lines.columns.value[at] = value === null || value === undefined ? -1 : this.valueOf(value);
  }

  /** @param {number} at @param {string} kind @param {number} instance */
  #point(at, kind, instance) {
    const point = this.tables.points.add();
    this.tables.points.columns.at[point] = at;
    this.tables.points.columns.instance[point] = instance;
    this.tables.points.columns.kind[point] = POINT[kind];
  }
}

