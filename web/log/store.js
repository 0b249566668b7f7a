// The lines of a long log, fetched in chunks around what is looked at. Their
// bytes lie elsewhere: at a server, or in a file; the newest chunks are kept.

/** @import {Line} from "./types.d.ts" */

import { Chunks } from "./chunks.js";

/** Lines per chunk, and how many chunks are kept. */
const CHUNK = 512;
const KEPT = 96;

/**
 * Gives bytes of the log.
 * @typedef {(from: number, to: number) => Promise<string>} Reader
 */

export class LineStore {
  /**
   * @param {Uint32Array | Int32Array} sizes of the lines in bytes
   * @param {number} count
   * @param {Reader} read
   * @param {(trouble: string | null) => void} changed called when lines have come, or cannot be had: why, as a sentence
   */
  constructor(sizes, count, read, changed) {
    this.count = count;
    this.read = read;
    /** Where each chunk begins in the file. */
    this.begins = new Float64Array(Math.ceil(count / CHUNK) + 1);
    let place = 0;
    for (let at = 0; at < count; at += 1) {
      if (at % CHUNK === 0) this.begins[at / CHUNK] = place;
      place += sizes[at];
    }
    this.begins[this.begins.length - 1] = place;
    /** The chunks that are here; a row becomes a line when it is looked at. @type {Chunks<(string | Line)[]>} */
    this.chunks = new Chunks(KEPT, (number) => this.#fetched(number), changed);
  }

  /**
   * A line, or undefined when it is not here yet: it is asked for then.
   * @param {number} at @returns {Line | undefined}
   */
  line(at) {
    const chunk = this.chunks.get(Math.floor(at / CHUNK));
    if (chunk === undefined) return undefined;
    const row = chunk[at % CHUNK];
    if (typeof row !== "string") return row;
    return (chunk[at % CHUNK] = /** @type {Line} */ (JSON.parse(row)));
  }

  /**
   * Wait for lines; they can be had when it returns, until the caller lets
   * others run. Fails where one cannot be had.
   * @param {Iterable<number>} places
   */
  want(places) {
    return this.chunks.want(new Set([...places].map((at) => Math.floor(at / CHUNK))));
  }

  /** The text of lines: from `from` up to but not including `to`. @param {number} from @param {number} to */
  async text(from, to) {
    const [first, last] = [Math.floor(from / CHUNK), Math.ceil(to / CHUNK)];
    const rows = (await this.read(this.begins[first], this.begins[last])).split("\n");
    return rows.slice(from - first * CHUNK, to - first * CHUNK).map((row) => `${row}\n`).join("");
  }

  /** @param {number} number @returns {Promise<string[]>} */
  async #fetched(number) {
    return (await this.read(this.begins[number], this.begins[number + 1])).split("\n", CHUNK);
  }
}
