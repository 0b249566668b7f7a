// What all versions of a timeline share: the columns, and what is found out
// from them once and goes on as lines are added.

/** @import {Catalogue, Line, Value} from "./types.d.ts" */
/** @import {Table} from "./columns.js" */
/** @import {BallotSpan, Choice, Flight, LearnedSpan, NodeSpan, Point, WallSpan} from "./timeline.js" */
/** @import {ValueStyles} from "./values.js" */

import { ENDS, FATES, KINDS, OPEN, POINTS, roomier } from "./columns.js";
import { Endings, States } from "./states.js";
import { Names } from "./names.js";
import { ValueColours } from "./values.js";

/**
 * What an index knows beside its columns: see `small` in indexer.js.
 * @typedef {object} Known
 * @property {Record<string, Table>} tables
 * @property {string[]} events
 * @property {string[]} nodes
 * @property {string[]} ballots
 * @property {Value[]} values
 * @property {string[][]} quorums
 * @property {string[]} members
 * @property {NodeSpan[]} nodeSpans
 * @property {WallSpan[]} walls
 * @property {{at: number, step: number, say: string}[]} steps
 * @property {Names} names
 */

export class Core {
  /**
   * @param {Catalogue} catalogue
   * @param {Known} known grows in place
   * @param {(at: number) => Line | undefined} lineAt undefined while it is on its way
   * @param {{members: string[], instances: any, cause: Line | null}} meta
   */
  constructor(catalogue, known, lineAt, { members, instances, cause }) {
    this.catalogue = catalogue;
    this.known = known;
    this.tables = known.tables;
    this.lineAt = lineAt;
    /** Called when lines that were asked for have come. @type {() => void} */
    this.onLoaded = () => {};
    /** Why lines that were asked for cannot be had; null while they can. @type {string | null} */
    this.trouble = null;
    /** Where the lines of a long run come from. @type {import("./store.js").LineStore | null} */
    this.store = null;
    this.run = cause;
    this.given = instances;
    this.states = new States(members);
    /** @type {Map<number, string>} */ this.instanceNames = namesOf(instances ?? cause?.instances);
    this.count = 0;
    /** @type {number[]} */ this.instances = [];
    /** Where each instance was spoken of first, others' too. @type {Map<number, number>} */ this.firstAt = new Map();
    this.ours = new Uint8Array(0);
    /** The last own instance at or before each line. */
    this.current = new Int32Array(0);
    /** @type {Point[]} */ this.points = [];
    this.pointCount = 0;
    /** @type {Choice[]} */ this.chosen = [];
    this.choiceCount = 0;
    /** Messages that arrived though they were under way no more: since when. @type {Map<number, number>} */ this.late = new Map();
    this.lateCount = 0;
    this.colours = new ValueColours();
    const { ended, fate, sent, hold } = lazily(this.tables.flights, ["ended", "fate", "sent", "hold"]);
    const open = FATES.indexOf("open");
    const received = FATES.indexOf("received");
    const unsettled = (/** @type {number} */ place) => fate()[place] === open;
    /** By when messages have ended. */
    this.endings = new Endings((place) => ended()[place], unsettled);
    /** How far they are drawn: what never arrives ends near its beginning. */
    this.reaches = new Endings(
      (place) => (fate()[place] === received || hold()[place] >= 0 ? ended()[place] : sent()[place]),
      (place) => unsettled(place),
    );
    const spans = lazily(this.tables.ballots, ["to", "end"]);
    this.ballotEnds = new Endings((place) => spans.to()[place], (place) => spans.end()[place] === ENDS.indexOf("open"));
  }

  /** Lines that were asked for have come, or cannot be had. @param {string | null} trouble why not, as a sentence */
  loaded(trouble) {
    this.trouble = trouble;
    this.onLoaded();
  }

  /** @returns {ValueStyles} */
  get values() {
    return this.colours.styles;
  }

  /** Take in what the columns have gained. */
  extend() {
    const { tables } = this;
    const count = tables.lines.count;
    this.run ??= this.#firstRun();
    if (count > this.ours.length) {
      this.ours = wider(this.ours, count);
      this.current = wider(this.current, count);
    }
    const of = tables.lines.columns.instance;
    const sorted = this.instances.length;
    for (let at = this.count; at < count; at += 1) {
      const instance = of[at];
      const mine = this.isMine(instance);
      this.ours[at] = mine ? 1 : 0;
      this.current[at] = instance !== 0 && mine ? instance : at === 0 ? 0 : this.current[at - 1];
      if (instance === 0 || this.firstAt.has(instance)) continue;
      this.firstAt.set(instance, at);
      if (mine) this.instances.push(instance);
    }
    if (this.instances.length > sorted) this.instances.sort((one, other) => one - other);
    this.count = count;
    this.#extendPoints();
    this.#extendChosen();
    this.colours.add(this.known.values);
    const changed = [];
    for (; this.lateCount < tables.late.count; this.lateCount += 1) {
      const place = tables.late.columns.flight[this.lateCount];
      if (!this.late.has(place)) this.late.set(place, tables.late.columns.at[this.lateCount]);
      changed.push(place);
    }
    this.endings.extend(tables.flights.count, changed);
    this.reaches.extend(tables.flights.count, changed);
    this.ballotEnds.extend(tables.ballots.count);
  }

  /** Nodes know no runs: a restart reads what earlier runs have left on the disk, too. @param {number} instance */
  isMine(instance) {
    return instance === 0 || this.instanceNames.size === 0 || this.instanceNames.has(instance);
  }

  #firstRun() {
    const { at } = this.tables.shared.columns;
    for (let place = 0; place < this.tables.shared.count; place += 1) {
      if (this.eventAt(at[place]) !== "run_started") continue;
      const run = this.lineAt(at[place]) ?? null;
      if (run !== null && (this.given ?? null) === null) {
        this.instanceNames = namesOf(run.instances);
        // What came before it was not known to be another run's.
        this.count = 0;
        this.firstAt.clear();
        this.instances.length = this.points.length = this.chosen.length = this.pointCount = this.choiceCount = 0;
      }
      return run;
    }
    return null;
  }

  #extendPoints() {
    const { at, instance, kind } = this.tables.points.columns;
    for (; this.pointCount < this.tables.points.count; this.pointCount += 1) {
      const place = this.pointCount;
      if (!this.isMine(instance[place])) continue;
      this.points.push({ at: at[place], kind: POINTS[kind[place]], instance: instance[place] || null });
    }
  }

  #extendChosen() {
    const { at, instance, ballot, value, quorum } = this.tables.chosen.columns;
    for (; this.choiceCount < this.tables.chosen.count; this.choiceCount += 1) {
      const place = this.choiceCount;
      if (!this.isMine(instance[place])) continue;
      const { ballots, values, quorums } = this.known;
      this.chosen.push({
        instance: instance[place],
        ballot: ballots[ballot[place]],
        value: values[value[place]],
        acceptors: quorums[quorum[place]],
        at: at[place],
      });
    }
  }

  /** @param {number} at */
  eventAt(at) {
    return this.known.events[this.tables.lines.columns.event[at]];
  }

  /** @param {number} at */
  nodeAt(at) {
    return this.known.nodes[this.tables.lines.columns.node[at]];
  }

  /** A line's name. @param {number} at */
  nameOf(at) {
    const { incarnation, seq } = this.tables.lines.columns;
    return `${this.nodeAt(at)}/${incarnation[at]}/${seq[at]}`;
  }

  /**
   * One message, made of the columns.
   * @param {number} place @returns {Flight}
   */
  flightOf(place) {
    const { known } = this;
    const columns = this.tables.flights.columns;
    const sent = columns.sent[place];
    const name = (/** @type {any[]} */ names, /** @type {string} */ column) => (columns[column][place] < 0 ? null : names[columns[column][place]]);
    const acceptedBallot = name(known.ballots, "acceptedBallot");
    /** @type {Flight["holds"]} */
    const holds = [];
    const held = this.tables.holds.columns;
    for (let hold = columns.hold[place]; hold >= 0; hold = held.next[hold]) {
      holds.push({ node: known.nodes[held.node[hold]], from: held.from[hold], to: held.to[hold] });
    }
    return {
      id: this.nameOf(sent),
      kind: KINDS[columns.kind[place]],
      source: known.nodes[columns.source[place]],
      to: known.nodes[columns.to[place]],
      instance: columns.instance[place] || null,
      ballot: name(known.ballots, "ballot"),
      value: name(known.values, "value"),
      accepted: acceptedBallot === null ? null : { ballot: acceptedBallot, value: name(known.values, "acceptedValue") },
      promised: name(known.ballots, "promised"),
      sent,
      ended: columns.ended[place] === OPEN ? this.count - 1 : columns.ended[place],
      fate: FATES[columns.fate[place]],
      holds,
    };
  }

  /** @param {number} place @returns {BallotSpan} */
  ballotOf(place) {
    const { instance, ballot, proposer, from, to, quorumAt, end } = this.tables.ballots.columns;
    return {
      instance: instance[place],
      ballot: this.known.ballots[ballot[place]],
      proposer: this.known.nodes[proposer[place]],
      from: from[place],
      to: to[place],
      quorumAt: quorumAt[place],
      end: ENDS[end[place]],
    };
  }

  /** @param {number} place @returns {LearnedSpan} */
  learnedOf(place) {
    const { instance, node, value, from, to } = this.tables.learned.columns;
    return { instance: instance[place], node: this.known.nodes[node[place]], value: this.known.values[value[place]], from: from[place], to: to[place] };
  }

  /** What can be said of a line before its bytes are here. @param {number} at @returns {Line} */
  stub(at) {
    const { incarnation, seq, instance, flight, ms } = this.tables.lines.columns;
    const event = this.eventAt(at);
    /** @type {Line} */
    const line = { v: 1, node: this.nodeAt(at), incarnation: incarnation[at], seq: seq[at], at_ns: ms[at] * 1e6, event, pending: true };
    if (instance[at] > 0) line.instance = instance[at];
    if (flight[at] < 0) return line;
    const { source, to, ballot, value, accepted, promised, kind } = this.flightOf(flight[at]);
    Object.assign(line, { kind, source, to, accepted }, ballot === null ? {} : { ballot }, value === null ? {} : { value });
    return promised === null ? line : Object.assign(line, { promised });
  }
}

/** @param {any} instances @returns {Map<number, string>} */
function namesOf(instances) {
  const pairs = Object.entries(instances ?? {}).filter(([, number]) => Number.isInteger(number));
  return new Map(pairs.map(([name, number]) => [/** @type {number} */ (number), name]));
}

/** @template {Uint8Array | Int32Array} T @param {T} array @param {number} count @returns {T} */
function wider(array, count) {
  const grown = new /** @type {any} */ (array.constructor)(Math.max(count, roomier(array.length)));
  grown.set(array);
  return grown;
}

/** Columns are replaced as they grow: look them up when they are used. @param {Table} table @param {string[]} names @returns {Record<string, () => any>} */
function lazily(table, names) {
  return Object.fromEntries(names.map((name) => [name, () => table.columns[name]]));
}

/** The names of an index's lines. @param {Record<string, Table>} tables @param {string[]} nodes */
export function namesIn({ lines }, nodes) {
  const names = new Names();
  const { node, incarnation, seq } = lines.columns;
  const starts = new Map();
  for (let at = 0; at < lines.count; at += 1) {
    const code = node[at] * 0x80000000 + incarnation[at];
    let start = starts.get(code);
    if (start === undefined) starts.set(code, (start = `${nodes[node[at]]}/${incarnation[at]}`));
    names.set(start, seq[at], at);
  }
  return names;
}
