// A whole run, indexed once when it is opened: what became of every message,
// when nodes were up, where walls stood, when a value was chosen and by whom
// it was learned. indexer.js derives it from the lines, columns.js keeps it.
//
// A timeline may grow (`extended`): the newer one has an identity of its own
// and shares the buffers of the older one, which must not be used after that.

/** @import {Catalogue, Level, Line, Proposal, State, Value} from "./types.d.ts" */
/** @import {Verdict, Violation} from "./verdict.js" */
/** @import {Why} from "./why.js" */

import { Core } from "./core.js";
import { LEVELS, OPEN } from "./columns.js";
import { Indexer } from "./indexer.js";
import { MemoryLines } from "./memory.js";
import { compareNodes } from "./lines.js";
import { SHORT } from "./states.js";
import { readVerdict } from "./verdict.js";
import { readWhys } from "./why.js";

export { OPEN };
export { causality, neighbours } from "./causes.js";

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
 * @property {{node: string, from: number, to: number}[]} holds when a gate held it; `to` may be OPEN
 */

/** @typedef {{node: string, status: string, how: string | null, from: number, to: number}} NodeSpan `to` may be OPEN */
/** @typedef {{cuts: string[], from: number, to: number}} WallSpan `to` may be OPEN */
/** @typedef {{instance: number, ballot: string, value: Value, acceptors: string[], at: number}} Choice */
/** @typedef {{at: number, kind: string, instance: number | null}} Point */
/** @typedef {{instance: number, node: string, value: Value, from: number, to: number}} LearnedSpan `to` may be OPEN */
/** @typedef {{instance: number, ballot: string, proposer: string, from: number, to: number, quorumAt: number, end: "chosen" | "refused" | "open"}} BallotSpan */

export class Timeline {
  /**
   * @param {Core} core @param {{verdict: Verdict | null, why: Map<number, Why[]>, rawVerdict: any, rawWhy: any}} said
   * @param {{indexer: Indexer, kept: MemoryLines} | null} growing
   */
  constructor(core, said, growing) {
    this.core = core;
    this.catalogue = core.catalogue;
    this.length = core.count;
    this.verdict = said.verdict;
    /** Per line: why it was so. */
    this.why = said.why;
    this.said = said;
    this.growing = growing;
    this.points = withViolations(core.points, said.verdict);
    this.members = core.known.members;
    /** By number, for the whole run: whoever looks must not lose which node is which. */
    this.lanes = [...[...this.members].sort(compareNodes), ...core.known.nodes.filter((node) => node.startsWith("g")).sort(compareNodes)];
    /** The run's own instances, ascending. */
    this.instances = core.instances;
    this.instanceNames = core.instanceNames;
    this.nodeSpans = core.known.nodeSpans;
    this.walls = core.known.walls;
    this.chosen = core.chosen;
    this.values = core.values;
    /** Where steps of the scenario begin, and what each says. */
    this.steps = core.known.steps.map((step) => step.at);
    this.stepTexts = core.known.steps.map(({ say }) => say);
    const { columns } = core.tables.lines;
    const cut = (/** @type {any} */ column) => column.subarray(0, this.length);
    /** Since the first line. @type {Float64Array} */
    this.ms = cut(columns.ms);
    /** For a line of a fan-out its first line, else the line itself. @type {Int32Array} */
    this.head = cut(columns.head);
    /** The message that a line sends, receives or loses, or -1. @type {Int32Array} */
    this.flightAt = cut(columns.flight);
    /** How much a line matters: 0 story, 1 detail, 2 quiet. @type {Uint8Array} */
    this.rank = cut(columns.rank);
    /** Whether a line is about the run's own instances, or about none. */
    this.ours = core.ours.subarray(0, this.length);
    /** The own instance that was spoken of last at each line; 0 before the first. */
    this.current = core.current.subarray(0, this.length);
    this.flightCount = core.tables.flights.count;
    /** From a line's name to its place. @type {{get(name: string): number | undefined, has(name: string): boolean}} */
    this.index = {
      get: (name) => (this.at(name) < 0 ? undefined : this.at(name)),
      has: (name) => this.at(name) >= 0,
    };
  }

  /** The place of a line, by its name; -1 for none. @param {string} name */
  at(name) {
    const at = this.core.known.names.get(name);
    return at < this.length ? at : -1;
  }

  /**
   * A line; while its bytes are on their way what the columns tell, with `pending: true`.
   * @param {number} at @returns {Line}
   */
  line(at) {
    return this.core.lineAt(at) ?? this.core.stub(at);
  }

  /** @param {number} at */
  nameOf(at) {
    return this.core.nameOf(at);
  }

  /** @param {number} at */
  nodeOf(at) {
    return this.core.nodeAt(at);
  }

  /** @param {number} at */
  eventOf(at) {
    return this.core.eventAt(at);
  }

  /** What a line is about; 0 for none. @param {number} at @returns {number} */
  instanceOf(at) {
    return this.core.tables.lines.columns.instance[at];
  }

  /** @param {number} at @returns {Level} */
  level(at) {
    return LEVELS[this.rank[at]];
  }

  /** @param {number} place */
  flight(place) {
    return this.core.flightOf(place);
  }

  /**
   * The text of lines, as JSON: from `from` up to but not including `to`.
   * @param {number} [from] @param {number} [to] @returns {Promise<string>}
   */
  text(from = 0, to = this.length) {
    const source = this.growing?.kept ?? this.core.store;
    return source === null ? Promise.resolve("") : source.text(from, Math.min(to, this.length));
  }

  /** The first line of the run's runner, if it is known. */
  get run() {
    return this.core.run;
  }

  /* --- slower views of the same, one object per entry ------------------------------- */

  /** @returns {Line[]} */
  get lines() {
    return arrayLike(this.length, (at) => this.line(at));
  }

  /** @returns {Flight[]} */
  get flights() {
    return arrayLike(this.flightCount, (place) => this.flight(place));
  }

  /** @returns {BallotSpan[]} */
  get ballots() {
    const { core } = this;
    const all = Array.from({ length: core.tables.ballots.count }, (_, place) => core.ballotOf(place));
    return all.filter((span) => core.isMine(span.instance));
  }

  /** @returns {LearnedSpan[]} */
  get learned() {
    return Array.from({ length: this.core.tables.learned.count }, (_, place) => this.core.learnedOf(place));
  }

  /** @returns {Level[]} */
  get levels() {
    return arrayLike(this.length, (at) => this.level(at));
  }
}

/**
 * Index a run that is in memory.
 * @param {Catalogue} catalogue
 * @param {{lines: Line[], meta: any, verdict: any, why?: any}} run
 * @returns {Timeline}
 */
export function buildTimeline(catalogue, { lines, meta, verdict, why }) {
  const members = Array.isArray(meta?.members) ? meta.members : [];
  const indexer = new Indexer(catalogue, members);
  const kept = new MemoryLines();
  const known = knownOf(indexer);
  const core = new Core(catalogue, known, (at) => kept.get(at), { members, instances: meta?.instances ?? null, cause: null });
  kept.changed = (trouble) => core.loaded(trouble);
  return grown(core, { indexer, kept }, lines, verdict, why ?? null);
}

/**
 * The same run with more lines: what they cost depends on how many they are,
 * not on how long the run is.
 * @param {Timeline} timeline of lines in memory; not to be used any more @param {Line[]} lines
 * @returns {Timeline}
 */
export function extended(timeline, lines) {
  const { core, growing, said } = timeline;
  if (growing === null) throw new Error("a run that was read from an index does not grow");
  return grown(core, growing, lines, said.rawVerdict, said.rawWhy, said);
}

/**
 * @param {Core} core @param {{indexer: Indexer, kept: MemoryLines}} growing @param {Line[]} lines
 * @param {any} verdict @param {any} why @param {Timeline["said"]} [said] as far as it is known
 */
function grown(core, growing, lines, verdict, why, said) {
  for (const line of lines) {
    const at = growing.kept.length;
    const isShared = growing.indexer.add(line);
    if (isShared) {
      const place = core.tables.shared.add();
      core.tables.shared.columns.at[place] = at;
    }
    growing.kept.push(line, isShared);
  }
  core.known.members = growing.indexer.world.members;
  core.extend();
  return new Timeline(core, said ?? readSaid(core, verdict, why), growing);
}

/**
 * A run of columns that were read, its lines elsewhere.
 * @param {Core} core @param {any} verdict @param {any} why
 */
export function indexedTimeline(core, verdict, why) {
  core.extend();
  return new Timeline(core, readSaid(core, verdict, why), null);
}

/** @param {Indexer} indexer @returns {import("./core.js").Known} */
function knownOf(indexer) {
  const { tables, events, nodes, ballots, values, quorums, nodeSpans, walls, steps, names } = indexer;
  return { tables, events, nodes, ballots, values, quorums, nodeSpans, walls, steps, names, members: indexer.world.members };
}

/**
 * The same run with another verdict.
 * @param {Timeline} timeline @param {any} verdict verdict.json's content, or null
 */
export function withVerdict(timeline, verdict) {
  const { core, growing, said } = timeline;
  return new Timeline(core, { ...readSaid(core, verdict, null), why: said.why, rawWhy: said.rawWhy }, growing);
}

/**
 * The same run with other answers to why.
 * @param {Timeline} timeline @param {any} why why.json's content, or null
 */
export function withWhy(timeline, why) {
  const { core, growing, said } = timeline;
  return new Timeline(core, { ...said, why: readWhys(why, core.known.names), rawWhy: why }, growing);
}

/** @param {Core} core @param {any} verdict @param {any} why @returns {Timeline["said"]} */
function readSaid(core, verdict, why) {
  const { names } = core.known;
  const index = {
    get: (/** @type {string} */ name) => (names.get(name) < 0 ? undefined : names.get(name)),
    has: (/** @type {string} */ name) => names.get(name) >= 0,
  };
  const read = verdict === null || verdict === undefined ? null : readVerdict(verdict, index);
  return { verdict: read, why: readWhys(why, names), rawVerdict: verdict ?? null, rawWhy: why ?? null };
}

/**
 * The state after the line at `at`; -1 is before the first. Of a long run only
 * one instance is in it, with all that concerns every instance.
 * @param {Timeline} timeline @param {number} at @param {number} [instance] the one that is shown
 * @returns {State}
 */
export function stateAt(timeline, at, instance = timeline.current[Math.max(at, 0)] || (timeline.instances[0] ?? 0)) {
  const { core, length } = timeline;
  return core.states.at(core, length, at, length <= SHORT ? 0 : instance || OPEN);
}

/** What only closes the log, and tells nothing that happened in the cluster. */
const CLOSES = new Set(["disk_read", "log_closed"]);

/**
 * The last line that tells what happened. Those behind it only read the disks
 * of nodes that are down, some time later, and say that the log is complete.
 * @param {Timeline} timeline
 */
export function restOf(timeline) {
  let at = timeline.length - 1;
  while (at > 0 && CLOSES.has(timeline.eventOf(at))) at -= 1;
  return at;
}

/** So many lines of one time are looked past for another time. */
const SAME_TIME = 64;

/**
 * How far the nearest other time is, in milliseconds, among the lines around
 * one: its time must be told from theirs. Infinity where there is no other.
 * @param {Timeline} timeline @param {number} at
 */
export function apartAt({ ms, length }, at) {
  let apart = Infinity;
  for (const step of [-1, 1]) {
    let other = at + step;
    while (other >= 0 && other < length && ms[other] === ms[at] && Math.abs(other - at) < SAME_TIME) other += step;
    if (other >= 0 && other < length && ms[other] !== ms[at]) apart = Math.min(apart, Math.abs(ms[other] - ms[at]));
  }
  return apart;
}

/** Whether every moment of it is at hand at once. @param {Timeline} timeline */
export function isShort({ length }) {
  return length <= SHORT;
}

/**
 * The violations that have happened at a line: those that broke their rule there or before.
 * @param {Timeline} timeline @param {number} at @returns {Violation[]}
 */
export function violationsUpTo(timeline, at) {
  return (timeline.verdict?.violations ?? []).filter((one) => one.at <= at);
}

/**
 * Where the next violation behind a line happens; Infinity where none follows.
 * @param {Timeline} timeline @param {number} at @param {number} instance 0 for all
 */
export function violationAfter(timeline, at, instance) {
  const coming = (timeline.verdict?.violations ?? []).filter(
    (one) => one.at > at && (instance === 0 || one.instance === null || one.instance === instance),
  );
  return Math.min(...coming.map((one) => one.at));
}

/**
 * The next or previous turning point of what is shown.
 * @param {Timeline} timeline @param {number} at @param {number} instance 0 for all @param {1 | -1} direction
 * @returns {number} -1 for none
 */
export function pointAfter({ points }, at, instance, direction) {
  const fits = (/** @type {Point} */ point) => instance === 0 || point.instance === null || point.instance === instance;
  let place = pointsUpTo(points, direction > 0 ? at : at - 1) - (direction > 0 ? 0 : 1);
  for (; place >= 0 && place < points.length; place += direction) if (fits(points[place])) return points[place].at;
  return -1;
}

/** How many points are at or before a line. @param {Point[]} points @param {number} at */
function pointsUpTo(points, at) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The fold's points, and where the checker found something that the fold did not. @param {Point[]} points @param {Verdict | null} verdict */
function withViolations(points, verdict) {
  /** @type {Point[]} */
  const more = [];
  for (const { at, instance } of verdict?.violations ?? []) {
    const first = pointsUpTo(points, at - 1);
    const here = points.slice(first, pointsUpTo(points, at));
    if (at >= 0 && ![...here, ...more].some((point) => point.at === at && point.kind === "violation")) {
      more.push({ at, kind: "violation", instance });
    }
  }
  return more.length === 0 ? points : [...points, ...more].sort((one, other) => one.at - other.at);
}

/**
 * An array that makes its entries when they are asked for.
 * @template T @param {number} length @param {(place: number) => T} make @returns {T[]}
 */
function arrayLike(length, make) {
  return new Proxy(/** @type {T[]} */ ([]), {
    get: (target, name) => {
      if (name === "length") return length;
      if (typeof name === "string" && /^\d+$/.test(name)) return Number(name) < length ? make(Number(name)) : undefined;
      return Reflect.get(target, name);
    },
    has: (target, name) => (typeof name === "string" && /^\d+$/.test(name) ? Number(name) < length : Reflect.has(target, name)),
  });
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

