// A whole run, indexed once when it is opened: what became of every message,
// when nodes were up, where walls stood, when a value was chosen and by whom
// it was learned. All of it is derived by folding the log once with the
// reducer and looking at what each line changed.

/** @import {Catalogue, Line, Proposal, State, Value} from "./types.d.ts" */

import { ORCHESTRATOR, compareNodes, equal, lineId } from "./lines.js";
import { levelOf, sameFanOut } from "./narration.js";
import { empty, fold } from "./reducer.js";
import { colourValues } from "./values.js";
import { readVerdict } from "./verdict.js";

/** A state is kept for every so many lines; the ones between are folded again. */
const STRIDE = 128;

/**
 * @typedef {object} Flight what became of one message; numbers are indices of lines, -1 for none
 * @property {string} id
 * @property {string} kind
 * @property {string} source
 * @property {string} to
 * @property {number | null} instance
 * @property {string | null} ballot
 * @property {Value | null} value
 * @property {Proposal | null} accepted
 * @property {string | null} promised
 * @property {number} sent
 * @property {number} ended when it arrived or was lost; the end of the log while it is under way
 * @property {"received" | "walled" | "dropped" | "failed" | "died" | "open"} fate
 * @property {{node: string, from: number, to: number}[]} holds when a gate held it
 */

/** @typedef {{node: string, status: string, how: string | null, from: number, to: number}} NodeSpan */
/** @typedef {{cuts: string[], from: number, to: number}} WallSpan */
/** @typedef {{instance: number, node: string, value: Value, from: number, to: number}} LearnedSpan */
/** @typedef {{instance: number, ballot: string, value: Value, acceptors: string[], at: number}} Choice */
/** @typedef {{at: number, kind: string, instance: number | null}} Point */
/** @typedef {{instance: number, ballot: string, proposer: string, from: number, to: number, quorumAt: number, end: "chosen" | "refused" | "open"}} BallotSpan */

/**
 * How a line is marked on its lane.
 * @typedef {{shape: string, value: Value | null}} Mark
 */

/**
 * @typedef {object} Timeline
 * @property {Catalogue} catalogue
 * @property {Line[]} lines
 * @property {Map<string, number>} index from a line's name to its place
 * @property {State[]} kept
 * @property {string[]} lanes
 * @property {string[]} members
 * @property {number[]} instances the run's own
 * @property {Uint8Array} ours per line: whether it is about the run's own instances, or about none
 * @property {Map<number, string>} instanceNames
 * @property {import("./types.d.ts").Level[]} levels per line: how much it matters
 * @property {Float64Array} ms since the first line
 * @property {Int32Array} head for a line of a fan-out its first line, else the line itself
 * @property {Flight[]} flights
 * @property {Int32Array} flightAt per line: the message that it sends, receives or loses, or -1
 * @property {Mark[]} marks
 * @property {NodeSpan[]} nodeSpans
 * @property {WallSpan[]} walls
 * @property {LearnedSpan[]} learned
 * @property {Choice[]} chosen
 * @property {BallotSpan[]} ballots
 * @property {Point[]} points
 * @property {number[]} steps where a step of the scenario begins
 * @property {import("./verdict.js").Verdict | null} verdict
 * @property {import("./values.js").ValueStyles} values
 */

/**
 * Index a run.
 * @param {Catalogue} catalogue
 * @param {{lines: Line[], meta: any, verdict: any}} run
 * @returns {Timeline}
 */
export function buildTimeline(catalogue, { lines, meta, verdict }) {
  const members = Array.isArray(meta?.members) ? meta.members : [];
  const watch = new Watch(lines);
  /** @type {State[]} */
  const kept = [];
  let state = empty(members);
  kept.push(state);
  lines.forEach((line, at) => {
    const next = fold(state, line);
    watch.see(state, next, line, at);
    state = next;
    if ((at + 1) % STRIDE === 0) kept.push(state);
  });
  watch.end(state);

  const index = new Map(lines.map((line, at) => [lineId(line), at]));
  const judged = verdict === null ? null : readVerdict(verdict, index);
  const points = state.turning_points.map(({ line, kind, instance }) => ({
    at: /** @type {number} */ (index.get(line)),
    kind,
    instance,
  }));
  for (const { events, instance } of judged?.violations ?? []) {
    const at = Math.max(...events.map((event) => event.at));
    if (at >= 0 && !points.some((point) => point.at === at && point.kind === "violation")) {
      points.push({ at, kind: "violation", instance });
    }
  }
  const names = namesOf(meta?.instances ?? lines.find((line) => line.event === "run_started")?.instances);
  const mine = (/** @type {number | null | undefined} */ instance) => !instance || names.size === 0 || names.has(instance);
  points.sort((one, other) => one.at - other.at);
  const guests = Object.keys(state.nodes).filter((node) => node.startsWith("g"));
  for (const line of lines) {
    for (const name of [line.source, line.to]) {
      if (typeof name === "string" && name.startsWith("g") && !guests.includes(name)) guests.push(name);
    }
  }
  return {
    catalogue,
    lines,
    index,
    kept,
    lanes: [...laneOrder(state.members, watch.walls), ...guests.sort(compareNodes)],
    members: state.members,
    // Nodes know no runs: a restart reads what earlier runs have left on the disk, too.
    instances: Object.keys(state.instances).map(Number).filter(mine),
    ours: Uint8Array.from(lines, (line) => (mine(line.instance) ? 1 : 0)),
    instanceNames: names,
    levels: lines.map((line) => levelOf(catalogue, line)),
    ms: Float64Array.from(lines, (line) => (line.at_ns - lines[0].at_ns) / 1e6),
    head: fanOuts(catalogue, lines),
    flights: watch.flights,
    flightAt: watch.flightAt,
    marks: watch.marks,
    nodeSpans: watch.nodeSpans,
    walls: watch.walls,
    learned: watch.learned,
    chosen: watch.chosen.filter((choice) => mine(choice.instance)),
    ballots: watch.ballots.filter((ballot) => mine(ballot.instance)),
    points: points.filter((point) => mine(point.instance)),
    steps: lines.flatMap((line, at) => (line.event === "step_started" ? [at] : [])),
    verdict: judged,
    values: colourValues(lines),
  };
}

/**
 * The state after the line at `at`; -1 is before the first.
 * @param {Timeline} timeline @param {number} at
 */
export function stateAt(timeline, at) {
  const count = at + 1;
  let place = Math.min(Math.floor(count / STRIDE), timeline.kept.length - 1);
  let state = timeline.kept[place];
  for (place *= STRIDE; place < count; place += 1) state = fold(state, timeline.lines[place]);
  return state;
}

/**
 * What happened before a line and because of it, and what followed from it:
 * each node's own order, and from a message to its receipt.
 * @param {Timeline} timeline @param {number} at
 * @returns {Uint8Array} per line: 1 in the past, 2 in the future, 3 itself, 0 unrelated
 */
export function causality(timeline, at) {
  const { lines, index } = timeline;
  const related = new Uint8Array(lines.length);
  related[at] = 3;
  /** Nodes whose earlier lines all belong to the past; lines quoted as a cause. */
  const nodes = new Set([lines[at].node]);
  const causes = new Set([lines[at].cause]);
  for (let earlier = at - 1; earlier >= 0; earlier -= 1) {
    const line = lines[earlier];
    if (nodes.has(line.node) || causes.has(lineId(line))) {
      related[earlier] = 1;
      nodes.add(line.node);
      causes.add(line.cause);
    }
  }
  const later = new Set([lines[at].node]);
  for (let next = at + 1; next < lines.length; next += 1) {
    const line = lines[next];
    const cause = line.cause === undefined ? undefined : index.get(line.cause);
    if (later.has(line.node) || (cause !== undefined && related[cause] >= 2)) {
      related[next] = 2;
      later.add(line.node);
    }
  }
  return related;
}

/**
 * The line's immediate reasons and consequences, for "because of" and "leads to".
 * @param {Timeline} timeline @param {number} at
 */
export function neighbours(timeline, at) {
  const { lines, index } = timeline;
  const line = lines[at];
  const quoted = line.cause === undefined ? undefined : index.get(line.cause);
  let because = quoted ?? -1;
  if (because < 0 && !isInput(line)) {
    // An effect follows from the input that its node took last in this instance.
    for (because = at - 1; because >= 0; because -= 1) {
      const earlier = lines[because];
      if (earlier.node === line.node && isInput(earlier) && sameInstance(earlier, line)) break;
    }
  }
  /** @type {number[]} */
  const leadsTo = [];
  const flight = timeline.flightAt[at];
  if (line.event.endsWith("_sent")) {
    if (flight >= 0 && timeline.flights[flight].fate !== "open") leadsTo.push(timeline.flights[flight].ended);
  } else if (isInput(line)) {
    for (let next = at + 1; next < lines.length && leadsTo.length < 12; next += 1) {
      const later = lines[next];
      if (later.node !== line.node || !sameInstance(later, line)) continue;
      if (isInput(later) || later.incarnation !== line.incarnation) break;
      if (timeline.levels[next] !== "quiet") leadsTo.push(next);
    }
  }
  return { because, leadsTo };
}

/** @param {Line} line */
function isInput(line) {
  return line.event.endsWith("_received") || line.event === "timeout_fired" || line.event === "instance_resumed";
}

/** @param {Line} one @param {Line} other */
function sameInstance(one, other) {
  return (one.instance ?? null) === (other.instance ?? null);
}

/** @param {any} instances @returns {Map<number, string>} */
function namesOf(instances) {
  const pairs = Object.entries(instances ?? {}).filter(([, number]) => Number.isInteger(number));
  return new Map(pairs.map(([name, number]) => [/** @type {number} */ (number), name]));
}

/**
 * Members in an order in which the sides of the first wall are contiguous.
 * @param {string[]} members @param {WallSpan[]} walls
 */
function laneOrder(members, walls) {
  for (const { cuts } of walls) {
    const sides = sidesOf(members, cuts);
    if (sides.length > 1) return sides.flat();
  }
  return members;
}

/**
 * Groups of nodes that can still reach each other; larger groups first.
 * @param {string[]} members @param {string[]} cuts
 */
export function sidesOf(members, cuts) {
  const cut = new Set(cuts);
  const left = new Set(members);
  /** @type {string[][]} */
  const sides = [];
  for (const first of members) {
    if (!left.delete(first)) continue;
    const side = [first];
    for (const node of side) {
      for (const other of members) {
        if (left.has(other) && !(cut.has(`${node}>${other}`) && cut.has(`${other}>${node}`))) {
          left.delete(other);
          side.push(other);
        }
      }
    }
    sides.push(side.sort(compareNodes));
  }
  return sides.sort((one, other) => other.length - one.length || compareNodes(one[0], other[0]));
}

/**
 * Lines of one fan-out share a place in the drawing, even where another
 * node's line has slipped between them in the merged log.
 * @param {Catalogue} catalogue @param {Line[]} lines
 */
function fanOuts(catalogue, lines) {
  const head = Int32Array.from(lines, (_, at) => at);
  /** @type {Map<string, number>} */
  const last = new Map();
  lines.forEach((line, at) => {
    const previous = last.get(line.node);
    if (previous !== undefined && line.event.endsWith("_sent") && sameFanOut(catalogue, lines[previous], line)) {
      head[at] = head[previous];
    }
    last.set(line.node, at);
  });
  return head;
}

/** Watches the fold of a whole run and notes when what began and ended. */
class Watch {
  /** @param {Line[]} lines */
  constructor(lines) {
    this.length = lines.length;
    /** @type {Flight[]} */ this.flights = [];
    this.flightAt = new Int32Array(lines.length).fill(-1);
    /** @type {Mark[]} */ this.marks = [];
    /** @type {NodeSpan[]} */ this.nodeSpans = [];
    /** @type {WallSpan[]} */ this.walls = [];
    /** @type {LearnedSpan[]} */ this.learned = [];
    /** @type {Choice[]} */ this.chosen = [];
    /** @type {BallotSpan[]} */ this.ballots = [];
    /** @type {Map<string, number>} */ this.flightOf = new Map();
    /** @type {Map<string, NodeSpan>} */ this.openNode = new Map();
    /** @type {Map<string, LearnedSpan>} */ this.openLearned = new Map();
    /** @type {Map<string, BallotSpan>} */ this.openBallot = new Map();
  }

  /** @param {State} before @param {State} after @param {Line} line @param {number} at */
  see(before, after, line, at) {
    this.#seeMessages(before, after, line, at);
    if (before.nodes !== after.nodes) this.#seeNodes(before, after, at);
    if (before.cuts !== after.cuts) {
      if (this.walls.length > 0 && before.cuts.length > 0) this.walls[this.walls.length - 1].to = at;
      if (after.cuts.length > 0) this.walls.push({ cuts: after.cuts, from: at, to: this.length - 1 });
    }
    if (before.instances !== after.instances) this.#seeInstances(before, after, line, at);
    this.marks.push(markOf(before, after, line));
  }

  /** @param {State} state the last one */
  end(state) {
    for (const message of state.messages) {
      const flight = this.flights[/** @type {number} */ (this.flightOf.get(message.line))];
      flight.fate = "open";
      flight.ended = this.length - 1;
    }
  }

  /** @param {State} before @param {State} after @param {Line} line @param {number} at */
  #seeMessages(before, after, line, at) {
    if (line.event.endsWith("_sent")) {
      const lane = `${line.node}>${line.to}`;
      this.flightOf.set(lineId(line), this.flights.length);
      this.flightAt[at] = this.flights.length;
      this.flights.push({
        id: lineId(line),
        kind: line.event.slice(0, -"_sent".length),
        source: line.node,
        to: line.to,
        instance: line.instance ?? null,
        ballot: line.ballot ?? null,
        value: line.value ?? null,
        accepted: line.accepted ?? null,
        promised: line.promised ?? null,
        sent: at,
        ended: at,
        fate: before.cuts.includes(lane) ? "walled" : "died",
        holds: [],
      });
    }
    const arrived = this.flightOf.get(line.cause ?? "");
    if (arrived !== undefined) {
      // It may have been given up for lost: its arrival knows better.
      this.flights[arrived].ended = at;
      this.flights[arrived].fate = "received";
      this.flightAt[at] = arrived;
    }
    const named = this.flightOf.get(line.message ?? "");
    if (named !== undefined) this.flightAt[at] = named;
    if (before.messages === after.messages) return;
    const left = new Map(after.messages.map((message) => [message.line, message]));
    for (const message of before.messages) {
      const now = left.get(message.line);
      if (now === message) continue;
      const place = /** @type {number} */ (this.flightOf.get(message.line));
      const flight = this.flights[place];
      if (now === undefined) {
        if (place === arrived) continue;
        flight.ended = at;
        flight.fate = fateAt(line, after.cuts.includes(`${flight.source}>${flight.to}`));
      } else if (now.held_at !== null) {
        flight.holds.push({ node: now.held_at, from: at, to: this.length - 1 });
      } else if (flight.holds.length > 0) {
        flight.holds[flight.holds.length - 1].to = at;
      }
    }
  }

  /** @param {State} before @param {State} after @param {number} at */
  #seeNodes(before, after, at) {
    for (const [node, view] of Object.entries(after.nodes)) {
      if (before.nodes[node]?.status === view.status) continue;
      const open = this.openNode.get(node);
      if (open !== undefined) open.to = at;
      const span = { node, status: view.status, how: view.ended_by, from: open === undefined ? 0 : at, to: this.length - 1 };
      this.openNode.set(node, span);
      this.nodeSpans.push(span);
    }
  }

  /** @param {State} before @param {State} after @param {Line} line @param {number} at */
  #seeInstances(before, after, line, at) {
    for (const key of line.instance === undefined ? Object.keys(after.instances) : [String(line.instance)]) {
      const [was, is] = [before.instances[key], after.instances[key]];
      if (was === is || is === undefined) continue;
      const instance = Number(key);
      if (was?.learned !== is.learned) this.#seeLearned(was?.learned ?? {}, is.learned, instance, at);
      for (const choice of is.chosen.slice(was?.chosen.length ?? 0)) {
        this.chosen.push({ instance, ballot: choice.ballot, value: choice.value, acceptors: choice.acceptors, at });
      }
      if (was?.ballots !== is.ballots) this.#seeBallots(was?.ballots ?? {}, is, after.members.length, instance, at);
    }
  }

  /**
   * @param {Record<string, any>} was @param {Record<string, import("./types.d.ts").Learned>} is
   * @param {number} instance @param {number} at
   */
  #seeLearned(was, is, instance, at) {
    for (const [node, known] of Object.entries(is)) {
      if (was[node] !== undefined) continue;
      const span = { instance, node, value: known.value, from: at, to: this.length - 1 };
      this.openLearned.set(`${instance} ${node}`, span);
      this.learned.push(span);
    }
    for (const node of Object.keys(was)) {
      const span = this.openLearned.get(`${instance} ${node}`);
      if (is[node] === undefined && span !== undefined) span.to = at;
    }
  }

  /**
   * @param {Record<string, any>} was @param {import("./types.d.ts").InstanceView} view
   * @param {number} memberCount @param {number} instance @param {number} at
   */
  #seeBallots(was, view, memberCount, instance, at) {
    const quorum = Math.floor(memberCount / 2) + 1;
    for (const [ballot, one] of Object.entries(view.ballots)) {
      if (was[ballot] === one) continue;
      const name = `${instance} ${ballot}`;
      let span = this.openBallot.get(name);
      if (span === undefined) {
        span = { instance, ballot, proposer: one.proposer, from: at, to: at, quorumAt: -1, end: "open" };
        this.openBallot.set(name, span);
        this.ballots.push(span);
      }
      span.to = at;
      if (span.quorumAt < 0 && one.promises_heard.length >= quorum) span.quorumAt = at;
      if (one.accepted.some((tally) => tally.acceptors.length >= quorum)) span.end = "chosen";
      else if (memberCount - one.refused_by.length < quorum) span.end = "refused";
    }
  }
}

/**
 * Why a message left the air at this line without arriving.
 * @param {Line} line @param {boolean} cut @returns {Flight["fate"]}
 */
function fateAt(line, cut) {
  if (cut) return "walled";
  if (line.event === "message_dropped") return "dropped";
  return line.event === "call_failed" ? "failed" : "died";
}

/**
 * What a line looks like on its lane.
 * @param {State} before @param {State} after @param {Line} line @returns {Mark}
 */
function markOf(before, after, line) {
  const acceptor = (/** @type {State} */ state) => state.instances[line.instance]?.acceptors[line.node];
  switch (line.event) {
    case "propose_received":
      return { shape: "wish", value: line.value };
    case "propose_answered":
      return { shape: "answer", value: line.value };
    case "prepare_received":
    case "accept_received": {
      const [was, is] = [acceptor(before)?.memory, acceptor(after)?.memory];
      if (is && !equal(was?.accepted ?? null, is.accepted)) return { shape: "accept", value: is.accepted?.value ?? null };
      if (is && was?.promised !== is.promised) return { shape: "promise", value: null };
      return { shape: "dot", value: null };
    }
    case "state_persisted": {
      if (line.record !== "acceptor") return { shape: "round", value: null };
      const pair = acceptor(before)?.disk.accepted ?? null;
      if (line.accepted && !equal(pair, line.accepted)) return { shape: "accept-disk", value: line.accepted.value };
      return { shape: "promise-disk", value: null };
    }
    case "value_learned":
      return { shape: "learn", value: line.value };
    case "timeout_fired":
      return { shape: line.have === undefined ? "timer" : "stuck", value: null };
    case "nack_sent":
      return { shape: "refuse", value: null };
    case "node_started":
      return { shape: line.incarnation > 1 ? "restart" : "start", value: null };
    default:
      if (line.node === ORCHESTRATOR) return { shape: "none", value: null };
      return { shape: line.event.endsWith("_received") ? "dot" : "none", value: null };
  }
}
