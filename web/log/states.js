// The state at a moment, by the reducer. A short log is folded whole. Of a
// long one only what concerns the instance that is asked for: its own lines,
// and those that concern every instance (SHARED in cluster.js). What that
// leaves out, the messages of other instances, is known from the columns.
//
// Before the first line of an instance only the shared lines count, and they
// are folded once for all instances: however long a run is, an instance that
// has just begun costs no more than its own few lines.

/** @import {Message, State} from "./types.d.ts" */
/** @import {Core} from "./core.js" */

import { BLOCK, OPEN } from "./columns.js";
import { empty, fold } from "./reducer.js";

/** Up to so many lines a log is folded whole. */
export const SHORT = 20_000;
/** A state is kept for every so many lines that are folded. */
const STRIDE = 128;
/** For so many instances states are kept. */
const INSTANCES = 12;

/**
 * What has been folded: the places of the lines, the first state, and those
 * after every STRIDE lines. `scanned` tells how far the log was searched.
 * @typedef {{places: number[], kept: State[], scanned: number, tip: {count: number, state: State}}} Folded
 */
/** @typedef {{core: Core, length: number, at: number, instance: number, state: State}} Told */

export class States {
  /** @param {string[]} members */
  constructor(members) {
    this.first = empty(members);
    /** By instance, the one used last at the end. @type {Map<number, Folded>} */
    this.folded = new Map();
    this.whole = folding(this.first, 0);
    this.shared = folding(this.first, 0);
    /** The last answer: several parts of a frame ask the same. @type {Told | null} */
    this.told = null;
  }

  /**
   * The state after the line at `at`; -1 is before the first.
   * @param {Core} core @param {number} length @param {number} at @param {number} instance 0: the whole log
   * @returns {State}
   */
  at(core, length, at, instance) {
    const { told } = this;
    if (told !== null && told.core === core && told.length === length && told.at === at && told.instance === instance) return told.state;
    const [state, isWhole] = instance === 0 ? this.#reached(core, this.whole, at + 1, (place) => place) : this.#ofInstance(core, length, at, instance);
    const found = instance === 0 ? state : completed(core, state, at);
    // It will be drawn again when the line has come.
    if (isWhole) this.told = { core, length, at, instance, state: found };
    return found;
  }

  /** @param {Core} core @param {number} length @param {number} at @param {number} instance @returns {[State, boolean]} */
  #ofInstance(core, length, at, instance) {
    const first = core.firstAt.get(instance);
    if (first === undefined || first >= length || at < first) return this.#ofAll(core, at);
    let folded = this.folded.get(instance);
    if (folded === undefined) {
      const [before, isWhole] = this.#ofAll(core, first - 1);
      if (!isWhole) return [before, false];
      folded = folding(before, first);
      const [oldest] = this.folded.keys();
      if (this.folded.size >= INSTANCES) this.folded.delete(oldest);
    } else this.folded.delete(instance);
    this.folded.set(instance, folded);
    scan(core, folded, length, instance);
    const { places } = folded;
    return this.#reached(core, folded, countUpTo(places, at), (place) => places[place]);
  }

  /** What concerns every instance. @param {Core} core @param {number} at @returns {[State, boolean]} */
  #ofAll(core, at) {
    const places = core.tables.shared.columns.at;
    return this.#reached(core, this.shared, countUpTo(places, at, core.tables.shared.count), (place) => places[place]);
  }

  /**
   * The state after so many of the lines that are folded.
   * @param {Core} core @param {Folded} folded @param {number} count @param {(place: number) => number} placeOf
   * @returns {[State, boolean]} the second: all of these lines were at hand
   */
  #reached(core, folded, count, placeOf) {
    const near = Math.min(Math.floor(count / STRIDE), folded.kept.length - 1);
    let [place, state] = [near * STRIDE, folded.kept[near]];
    if (folded.tip.count <= count && folded.tip.count >= place) [place, state] = [folded.tip.count, folded.tip.state];
    for (; place < count; place += 1) {
      const line = core.lineAt(placeOf(place));
      if (line === undefined) break;
      state = fold(state, line);
      if ((place + 1) % STRIDE === 0 && folded.kept.length === (place + 1) / STRIDE) folded.kept.push(state);
    }
    folded.tip = { count: place, state };
    return [state, place >= count];
  }
}

/** @param {State} first @param {number} scanned @returns {Folded} */
function folding(first, scanned) {
  return { places: [], kept: [first], scanned, tip: { count: 0, state: first } };
}

/** Find an instance's lines among those that are new. @param {Core} core @param {Folded} folded @param {number} length @param {number} instance */
function scan(core, folded, length, instance) {
  const of = core.tables.lines.columns.instance;
  const shared = core.tables.shared.columns.at;
  const sharedCount = core.tables.shared.count;
  let next = countUpTo(shared, folded.scanned - 1, sharedCount);
  for (let at = folded.scanned; at < length; at += 1) {
    const isShared = next < sharedCount && shared[next] === at;
    if (isShared) next += 1;
    if (isShared || of[at] === instance) folded.places.push(at);
  }
  folded.scanned = Math.max(folded.scanned, length);
}

/**
 * How many of ascending places are at most `at`.
 * @param {ArrayLike<number>} places @param {number} at @param {number} [count]
 */
export function countUpTo(places, at, count = places.length) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the columns know of the whole log at this moment. @param {Core} core @param {State} state @param {number} at @returns {State} */
function completed(core, state, at) {
  const messages = flying(core, at).map((place) => messageOf(core, place, at));
  const lost_count = countUpTo(core.tables.lost.columns.at, at, core.tables.lost.count);
  return { ...state, line_count: at + 1, last: at < 0 ? null : core.nameOf(at), messages, lost_count };
}

/**
 * The messages under way after a line.
 * @param {Core} core @param {number} at @returns {number[]}
 */
export function flying(core, at) {
  const { sent, ended } = core.tables.flights.columns;
  const count = countUpTo(sent, at, core.tables.flights.count);
  /** @type {number[]} */
  const found = [];
  core.endings.each(count, at + 1, (place) => {
    if (ended[place] > at && (core.late.get(place) ?? OPEN) > at) found.push(place);
  });
  return found;
}

/** @param {Core} core @param {number} place @param {number} at @returns {Message} */
function messageOf(core, place, at) {
  const flight = core.flightOf(place);
  const { id, kind, source, to, instance, ballot, value, accepted, promised } = flight;
  const hold = flight.holds.find((one) => one.from <= at && at < one.to);
  return { line: id, kind, source, to, instance, ballot, value, accepted, promised, in_reply_to: null, held_at: hold?.node ?? null };
}

/**
 * The greatest end of every block of messages, to pass over what ended long
 * ago. Where a message has not ended its block is looked at anew.
 */
export class Endings {
  /** @param {(place: number) => number} end @param {(place: number) => boolean} unsettled */
  constructor(end, unsettled) {
    this.end = end;
    this.unsettled = unsettled;
    this.count = 0;
    this.blocks = new Float64Array(16);
    /** @type {Set<number>} */ this.open = new Set();
  }

  /** Look at what is new. @param {number} count @param {Iterable<number>} [changed] messages that ended anew */
  extend(count, changed = []) {
    if (Math.ceil(count / BLOCK) > this.blocks.length) {
      const wider = new Float64Array(Math.ceil(count / BLOCK) * 2);
      wider.set(this.blocks);
      this.blocks = wider;
    }
    const again = [...this.open];
    for (const place of changed) again.push(Math.floor(place / BLOCK));
    for (const block of again) this.#look(block, count);
    for (let block = Math.floor(this.count / BLOCK); block * BLOCK < count; block += 1) this.#look(block, count);
    this.count = count;
  }

  /** @param {number} block @param {number} count */
  #look(block, count) {
    let [most, open] = [-1, false];
    for (let place = block * BLOCK; place < Math.min((block + 1) * BLOCK, count); place += 1) {
      most = Math.max(most, this.end(place));
      open ||= this.unsettled(place);
    }
    this.blocks[block] = most;
    if (open) this.open.add(block);
    else this.open.delete(block);
  }

  /**
   * Call with every message below `count` in blocks that reach `at`.
   * @param {number} count @param {number} at @param {(place: number) => void} take
   */
  each(count, at, take) {
    for (let block = 0; block * BLOCK < count; block += 1) {
      if (this.blocks[block] < at) continue;
      for (let place = block * BLOCK; place < Math.min((block + 1) * BLOCK, count); place += 1) take(place);
    }
  }
}
