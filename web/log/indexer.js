// From the lines of a log to its columns, one line after another and each but
// once. What becomes of messages stands in flights.js, of instances in notes.js,
// of nodes and walls in cluster.js; all write into one draft.
//
// It is the quick twin of folding the log with the reducer and looking at what
// each line changed: tests hold it to that. orchestrator/columns.py writes the
// same columns, byte for byte, in parts of the same names: change them together.

/** @import {Catalogue, Line} from "./types.d.ts" */

import { TooLarge } from "./codes.js";
import { Cluster } from "./cluster.js";
import { Draft, SHAPE } from "./draft.js";
import { Flights } from "./flights.js";
import { levelOf, sameFanOut } from "./narration.js";
import { Notes } from "./notes.js";

const REPLIES = new Set(["promise", "accepted", "nack", "learned"]);
const RANKS = { story: 0, detail: 1, quiet: 2 };
/** Numbers of lines and instances fit into 32 bits. */
const NUMBER_LIMIT = 0x7fffffff;

/**
 * What an index knows beside its columns, ready for the file.
 * @param {Indexer} indexer @param {{size: number, digest: string, torn: boolean}} log
 */
export function smallOf({ events, nodes, ballots, values, quorums, world, nodeSpans, walls, steps }, { size, digest, torn }) {
  return { size, digest, torn, events, nodes, ballots, values, quorums, members: world.members, nodeSpans, walls, steps };
}

export class Indexer extends Draft {
  /** @param {Catalogue} catalogue @param {string[]} [members] where something else than the log names them */
  constructor(catalogue, members = []) {
    super(catalogue, members);
    this.events = Object.keys(catalogue.events);
    this.eventCode = new Map(this.events.map((event, code) => [event, code]));
    /** The level of an event, -1 where it depends on the line. */
    this.ranks = this.events.map((event) => {
      const { level, say } = catalogue.events[event];
      return say.every((choice) => choice.level === undefined) ? RANKS[level] : -1;
    });
    /** @type {{at: number, step: number, say: string}[]} */ this.steps = [];
    this.originNs = 0;
    /** @type {(Line | undefined)[]} */ this.lastOf = [];
    /** @type {number[]} */ this.lastAt = [];
    /** @type {string[]} */ this.starts = [];
    this.messages = new Flights(this);
    this.notes = new Notes(this);
    this.cluster = new Cluster(this, this.messages, this.notes);
    this.nodeSpans = this.cluster.nodeSpans;
    this.walls = this.cluster.walls;
  }

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
    const shared = this.cluster.see(line, at, node);
    if (sent) this.#onSent(line, at, node);
    else if (line.event.endsWith("_received")) this.#onReceived(line, at, node);
    else this.#onOther(line, at, node);
    this.notes.seen(at);
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

  /** @param {Line} line @param {number} at @param {number} node */
  #onSent(line, at, node) {
    const kind = line.event.slice(0, -"_sent".length);
    const answers = REPLIES.has(kind) ? this.notes.answering(line.instance, node) : "";
    this.messages.sent(line, at, node, kind, answers);
    if (kind === "nack") this.lines.columns.shape[at] = SHAPE.refuse;
    if (kind === "prepare") this.lines.columns.shape[at] = SHAPE.begins;
    if (kind === "accept") this.mark(at, line.wanted === undefined ? SHAPE.pushes : SHAPE.yields, line.value);
    if (line.instance !== undefined) this.notes.sent(line, at, node, kind);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  #onReceived(line, at, node) {
    const columns = this.lines.columns;
    const arrived = this.sentBy(columns.cause[at]);
    if (arrived >= 0) this.messages.arrive(arrived, at);
    if (line.event === "propose_received") {
      this.notes.remember(line, node);
      this.mark(at, SHAPE.wish, line.value);
      this.point(at, "propose", line.instance);
      return;
    }
    columns.shape[at] = SHAPE.dot;
    if (line.instance === undefined) return;
    if (line.event === "prepare_received" || line.event === "accept_received") this.notes.seeStep(line, at, node);
    else this.notes.remember(line, node);
    if (line.cause !== undefined) this.notes.took(line.instance, node, line.cause);
    if (line.ignored === undefined) this.notes.heardReply(line, at);
  }

  /** @param {Line} line @param {number} at @param {number} node */
  #onOther(line, at, node) {
    const named = typeof line.message === "string" ? this.sentBy(this.names.get(line.message)) : -1;
    if (named >= 0) this.lines.columns.flight[at] = named;
    switch (line.event) {
      case "state_recovered":
        return this.notes.recovered(line, at, node);
      case "node_ready":
        return this.notes.ready(node);
      case "disk_read":
        return this.notes.diskRead(line, at);
      case "state_persisted":
        return this.notes.persisted(line, at, node);
      case "value_learned":
        this.mark(at, SHAPE.learn, line.value);
        return this.notes.learned(line, at, node);
      case "propose_answered":
        return this.mark(at, SHAPE.answer, line.value);
      case "timeout_fired":
        this.lines.columns.shape[at] = line.have === undefined ? SHAPE.timer : SHAPE.stuck;
        return this.notes.remember(line, node);
      case "call_failed":
        return this.messages.callFailed(line, at, named);
      case "message_dropped":
        return this.messages.flying.has(named) ? this.messages.lose(named, line, at) : undefined;
      case "message_held":
        return this.messages.flying.has(named) ? this.messages.hold(named, at, node) : undefined;
      case "message_released":
        return this.messages.endHold(named, at);
      case "step_started":
        this.steps.push({ at, step: line.step, say: line.say });
        return undefined;
      default:
        return this.notes.remember(line, node);
    }
  }
}
