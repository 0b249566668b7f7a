// The lines of a run that is in memory. Of one that grows without end only the
// newest stay as they are; older ones go to the shelf as text, and come back
// when they are looked at. Those that concern every instance always stay: any
// state is made with them.

/** @import {Line} from "./types.d.ts" */

import { Chunks } from "./chunks.js";
import { shelf } from "./shelf.js";

/** Lines per chunk; how many chunks stay, and how many of those that came back. */
const CHUNK = 1_024;
const NEWEST = 32;
const LOOKED_AT = 24;

/** Where a line carries the text that it was read from. */
const TEXT = Symbol("text");

/**
 * A line that remembers its text, so that nobody needs to write it anew.
 * @param {string} row JSON, without a newline @returns {Line}
 */
export function lineOf(row) {
  const line = JSON.parse(row);
  if (typeof line === "object" && line !== null) line[TEXT] = row;
  return line;
}

/** @param {any} line @returns {string} with its newline */
function rowOf(line) {
  return `${line[TEXT] ?? JSON.stringify(line)}\n`;
}

export class MemoryLines {
  /** @param {import("./shelf.js").Shelf} [old] where the text of old lines goes */
  constructor(old = shelf()) {
    this.length = 0;
    this.old = old;
    /** Each a chunk of lines, or null: its text is on the shelf. @type {(Line[] | null)[]} */
    this.chunks = [];
    /** The first chunk that is not on the shelf. */
    this.first = 0;
    /** Lines that stay whatever becomes of their chunk. @type {Map<number, Line>} */
    this.staying = new Map();
    /** Called when lines have come back, or could not: why, as a sentence. @type {(trouble: string | null) => void} */
    this.changed = () => {};
    /** Chunks that came back. @type {Chunks<Line[]>} */
    this.back = new Chunks(LOOKED_AT, (number) => this.#fetched(number), (trouble) => this.changed(trouble));
  }

  /** @param {Line} line @param {boolean} [stays] whether it must always be at hand */
  push(line, stays = false) {
    if (this.length % CHUNK === 0) this.#begin();
    /** @type {Line[]} */ (this.chunks[this.chunks.length - 1]).push(line);
    if (stays) this.staying.set(this.length, line);
    this.length += 1;
  }

  /** A new chunk; the oldest of the newest becomes text. */
  #begin() {
    this.chunks.push([]);
    if (this.chunks.length - this.first <= NEWEST) return;
    this.old.put(this.first, /** @type {Line[]} */ (this.chunks[this.first]).map(rowOf).join(""));
    this.chunks[this.first] = null;
    this.first += 1;
  }

  /** A line, or undefined while it comes back. @param {number} at @returns {Line | undefined} */
  get(at) {
    const number = Math.floor(at / CHUNK);
    const chunk = this.chunks[number];
    if (chunk) return chunk[at % CHUNK];
    return this.staying.get(at) ?? (number < this.first ? this.back.get(number)?.[at % CHUNK] : undefined);
  }

  /**
   * Wait for lines; they can be had when it returns, until the caller lets
   * others run. Fails where one cannot be brought back.
   * @param {Iterable<number>} places
   */
  async want(places) {
    const numbers = [...new Set([...places].map((at) => Math.floor(at / CHUNK)))];
    let first = -1;
    // Lines that come meanwhile may send one that was here to the shelf.
    while (first !== this.first) {
      first = this.first;
      await this.back.want(numbers.filter((number) => number < first));
    }
  }

  /** @param {number} number @returns {Promise<Line[]>} */
  async #fetched(number) {
    const text = await this.old.get(number);
    return text.trimEnd().split("\n").map((row) => JSON.parse(row));
  }

  /** The text of lines: from `from` up to but not including `to`. @param {number} from @param {number} to @returns {Promise<string>} */
  async text(from, to) {
    const last = Math.min(to, this.length);
    const begin = Math.floor(from / CHUNK);
    const parts = await Promise.all(
      this.chunks.slice(begin, Math.ceil(last / CHUNK)).map(async (chunk, index) => (chunk === null ? this.old.get(begin + index) : chunk.map(rowOf).join(""))),
    );
    const rows = parts.join("").split("\n");
    const skipped = begin * CHUNK;
    return rows.slice(from - skipped, last - skipped).map((row) => `${row}\n`).join("");
  }
}
