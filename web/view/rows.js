// The entries of the list of events, found as the log is scanned: a long log
// is scanned in slices, and one that grows goes on where it was.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { roomier } from "../log/columns.js";
import { findMask } from "../find/search.js";
import { sameFanOut, sentence } from "../log/narration.js";

const RANKS = { story: 0, detail: 1, quiet: 2 };
/** So long is scanned at once, in milliseconds: a frame must not wait. */
const SLICE_MS = 8;
/** The clock is looked at after so many lines. */
const CLOCK_EVERY = 256;
/** How long a list that grows with every frame stands still, in milliseconds. */
const REST_MS = 250;
/** Lists for so many filters are kept. */
const LISTS = 3;

/** @typedef {{at: number, end: number, count: number}} Row `at` is its first line, `end` its last */

export class Rows {
  /** @param {Timeline} timeline @param {App["filter"]} filter @param {number} instance @param {Uint8Array | null} mask */
  constructor(timeline, filter, instance, mask) {
    this.core = timeline.core;
    this.key = [timeline.core, filter.node, filter.level, filter.text, instance, mask];
    this.rank = RANKS[filter.level];
    this.quiet = filter.level === "quiet";
    this.instance = instance;
    this.mask = mask;
    this.node = filter.node;
    this.text = filter.text.trim().toLowerCase();
    this.length = 0;
    this.at = new Int32Array(0);
    this.end = new Int32Array(0);
    this.count = new Int32Array(0);
    this.scanned = 0;
    this.total = timeline.length;
    /** The entry that the next line may still join. @type {Row | null} */
    this.open = null;
    /** Whether the last entry is the open one, as far as it is known. */
    this.tentative = false;
    this.grewAt = -Infinity;
    /** What the list shows while it rests. @type {{place: number, length: number, until: number} | null} */
    this.rest = null;
  }

  /**
   * The place of the last entry that has begun at the cursor, and how many
   * entries there are. A list that grows with every frame rests in between:
   * nobody reads it at that speed, and to write it anew costs more than to draw.
   * @param {number} cursor @param {boolean} follows whether the cursor goes with the end
   */
  standing(cursor, follows) {
    const now = performance.now();
    if (follows && this.rest !== null && now < this.rest.until && this.rest.length <= this.length) return this.rest;
    this.rest = { place: placeAt(this, cursor), length: this.length, until: now + REST_MS };
    return this.rest;
  }

  /** Whether lines have come a moment ago. */
  get grows() {
    return performance.now() - this.grewAt < REST_MS;
  }

  /** Scan on, for a slice of time. @param {Timeline} timeline */
  extend(timeline) {
    const now = performance.now();
    // It grows while lines keep coming: a recorded run does so only once.
    if (timeline.length > this.total && this.total > 0) this.grewAt = now;
    this.total = timeline.length;
    if (this.scanned === this.total) return;
    if (this.tentative) this.length -= 1;
    this.tentative = false;
    const until = now + SLICE_MS;
    for (; this.scanned < this.total; this.scanned += 1) {
      if (this.scanned % CLOCK_EVERY === 0 && performance.now() > until) return;
      if (!this.#fits(timeline, this.scanned)) continue;
      if (this.open !== null && this.#joins(timeline, this.open, this.scanned)) {
        this.open.end = this.scanned;
        this.open.count += 1;
        continue;
      }
      this.#close(timeline);
      this.open = { at: this.scanned, end: this.scanned, count: 1 };
    }
    const open = this.open;
    const before = this.length;
    this.#close(timeline);
    this.open = open;
    this.tentative = this.length > before;
  }

  /** @param {Timeline} timeline @param {number} at */
  #fits(timeline, at) {
    const { node, instance } = this.core.tables.lines.columns;
    if (timeline.rank[at] > this.rank || (!this.quiet && timeline.ours[at] === 0)) return false;
    if (this.instance !== 0 && instance[at] !== 0 && instance[at] !== this.instance) return false;
    if (this.node === "" || this.core.known.nodes[node[at]] === this.node) return true;
    if (this.core.known.nodes[node[at]] !== "orchestrator") return false;
    // What was done to a node is told by the runner.
    const line = this.core.lineAt(at);
    return line !== undefined && (line.of === this.node || line.targets?.includes(this.node) === true);
  }

  /** @param {Timeline} timeline @param {Row} open @param {number} at */
  #joins(timeline, open, at) {
    // Of a long log the lines are not here: a fan-out that nothing has slipped into is told by the columns.
    const [last, line] = timeline.growing === null ? [] : [this.core.lineAt(open.end), this.core.lineAt(at)];
    if (last === undefined || line === undefined) return timeline.head[at] !== at && timeline.head[at] === timeline.head[open.at];
    return sameFanOut(timeline.catalogue, last, line);
  }

  /** @param {Timeline} timeline */
  #close(timeline) {
    const { open } = this;
    this.open = null;
    if (open === null || !this.#keeps(timeline, open)) return;
    if (this.length === this.at.length) {
      for (const name of /** @type {const} */ (["at", "end", "count"])) {
        const wider = new Int32Array(roomier(this.length));
        wider.set(this[name]);
        this[name] = wider;
      }
    }
    this.at[this.length] = open.at;
    this.end[this.length] = open.end;
    this.count[this.length] = open.count;
    this.length += 1;
  }

  /** @param {Timeline} timeline @param {Row} row */
  #keeps(timeline, row) {
    if (this.mask !== null && !this.lines(timeline, row).some((at) => /** @type {Uint8Array} */ (this.mask)[at] > 0)) return false;
    if (this.text === "") return true;
    return timeline.eventOf(row.at).includes(this.text) || this.sentence(timeline, row).toLowerCase().includes(this.text);
  }

  /** @param {number} place @returns {Row} */
  row(place) {
    return { at: this.at[place], end: this.end[place], count: this.count[place] };
  }

  /** The places of an entry's lines. @param {Timeline} timeline @param {Row} row */
  lines(timeline, { at, end, count }) {
    if (count === 1) return [at];
    const places = [];
    for (let place = at; place <= end; place += 1) if (this.#fits(timeline, place)) places.push(place);
    return places;
  }

  /** @param {Timeline} timeline @param {Row} row */
  sentence(timeline, row) {
    return sentence(timeline.catalogue, this.lines(timeline, row).map((at) => timeline.line(at)));
  }
}

/** @type {Rows[]} */
let made = [];

/** @type {number | undefined} */
let waiting;
/** @type {number | undefined} */
let resting;

/**
 * The entries that a filter leaves, neighbours of one fan-out joined; as many
 * as have been found yet. While there is more to scan, the page is drawn again.
 * @param {App} app @returns {Rows | null}
 */
export function rowsOf(app) {
  const { timeline, filter, instance } = app;
  if (timeline === null) return null;
  const mask = app.find?.only === true ? findMask(app) : null;
  const key = [timeline.core, filter.node, filter.level, filter.text, instance, mask];
  let rows = made.find((one) => key.every((part, place) => part === one.key[place]));
  if (rows === undefined) {
    rows = new Rows(timeline, filter, instance, mask);
    made = [rows, ...made.slice(0, LISTS - 1)];
  }
  rows.extend(timeline);
  // What has come while the list stood still is shown when no more comes.
  if (rows.grows && resting === undefined) {
    resting = window.setTimeout(() => {
      resting = undefined;
      timeline.core.onLoaded();
    }, REST_MS);
  }
  if (rows.scanned < rows.total && waiting === undefined) {
    waiting = requestAnimationFrame(() => {
      waiting = undefined;
      timeline.core.onLoaded();
    });
  }
  return rows;
}

/**
 * The place of the entry that the list shows as the current one; -1 for none.
 * @param {Rows | null} rows @param {number} cursor
 */
export function rowAt(rows, cursor) {
  if (rows === null) return -1;
  return rows.standing(cursor, cursor === rows.total - 1 && rows.grows).place;
}

/** @param {Rows} rows @param {number} cursor */
function placeAt(rows, cursor) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.at[middle] <= cursor) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
