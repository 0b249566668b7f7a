// The lines of a run that is in memory. Of one that grows without end only the
// newest stay as they are; older ones go as text into blobs, which the browser
// keeps outside the page's memory, and come back when they are looked at.

/** @import {Line} from "./types.d.ts" */

/** Lines per chunk; how many chunks stay, and how many of those that came back. */
const CHUNK = 1_024;
const NEWEST = 64;
const LOOKED_AT = 24;

export class MemoryLines {
  constructor() {
    this.length = 0;
    /** Each a chunk of lines, or the text of one. @type {(Line[] | Blob)[]} */
    this.chunks = [];
    /** The first chunk that is not a blob. */
    this.first = 0;
    /** Chunks that came back, the one used last at the end. @type {Map<number, Line[]>} */
    this.back = new Map();
    /** @type {Set<number>} */
    this.coming = new Set();
    /** Called when lines have come back. */
    this.loaded = () => {};
  }

  /** @param {Line} line */
  push(line) {
    if (this.length % CHUNK === 0) this.#begin();
    /** @type {Line[]} */ (this.chunks[this.chunks.length - 1]).push(line);
    this.length += 1;
  }

  /** A new chunk; the oldest of the newest becomes text. */
  #begin() {
    this.chunks.push([]);
    if (this.chunks.length - this.first <= NEWEST) return;
    const oldest = /** @type {Line[]} */ (this.chunks[this.first]);
    this.chunks[this.first] = new Blob([oldest.map((line) => `${JSON.stringify(line)}\n`).join("")]);
    this.first += 1;
  }

  /** A line, or undefined while it comes back. @param {number} at @returns {Line | undefined} */
  get(at) {
    const number = Math.floor(at / CHUNK);
    const chunk = this.chunks[number];
    if (Array.isArray(chunk)) return chunk[at % CHUNK];
    const back = this.back.get(number);
    if (back !== undefined) return back[at % CHUNK];
    if (chunk !== undefined && !this.coming.has(number)) void this.#ask(number, chunk);
    return undefined;
  }

  /** @param {number} number @param {Blob} chunk */
  async #ask(number, chunk) {
    this.coming.add(number);
    const text = await chunk.text();
    this.back.set(number, text.trimEnd().split("\n").map((row) => JSON.parse(row)));
    const [oldest] = this.back.keys();
    if (this.back.size > LOOKED_AT) this.back.delete(oldest);
    this.coming.delete(number);
    this.loaded();
  }

  /** The text of lines: from `from` up to but not including `to`. @param {number} from @param {number} to @returns {Promise<string>} */
  async text(from, to) {
    const last = Math.min(to, this.length);
    const parts = await Promise.all(
      this.chunks.slice(Math.floor(from / CHUNK), Math.ceil(last / CHUNK)).map(async (chunk) =>
        Array.isArray(chunk) ? chunk.map((line) => `${JSON.stringify(line)}\n`).join("") : chunk.text(),
      ),
    );
    const rows = parts.join("").trimEnd().split("\n");
    const skipped = Math.floor(from / CHUNK) * CHUNK;
    return rows.slice(from - skipped, last - skipped).map((row) => `${row}\n`).join("");
  }
}
