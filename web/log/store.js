// The lines of a long log, fetched in chunks around what is looked at. Their
// bytes lie elsewhere: at a server, or in a file; the newest chunks are kept.

/** @import {Line} from "./types.d.ts" */

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
   * @param {() => void} loaded called when asked-for lines have come, or cannot be had
   */
  constructor(sizes, count, read, loaded) {
    this.count = count;
    this.read = read;
    this.loaded = loaded;
    /** Why lines cannot be had, if so. @type {string | null} */
    this.trouble = null;
    /** Where each chunk begins in the file. */
    this.begins = new Float64Array(Math.ceil(count / CHUNK) + 1);
    let place = 0;
    for (let at = 0; at < count; at += 1) {
      if (at % CHUNK === 0) this.begins[at / CHUNK] = place;
      place += sizes[at];
    }
    this.begins[this.begins.length - 1] = place;
    /** The chunks that are here, the one used last at the end. @type {Map<number, (string | Line)[]>} */
    this.chunks = new Map();
    /** @type {(string | Line)[] | undefined} */
    this.last = undefined;
    /** @type {Map<number, Promise<void>>} */
    this.coming = new Map();
  }

  /**
   * A line, or undefined when it is not here yet: it is asked for then.
   * @param {number} at @returns {Line | undefined}
   */
  line(at) {
    const number = Math.floor(at / CHUNK);
    const chunk = this.chunks.get(number);
    if (chunk === undefined) {
      void this.#ask(number);
      return undefined;
    }
    if (chunk !== this.last) {
      this.chunks.delete(number);
      this.chunks.set(number, chunk);
      this.last = chunk;
    }
    const row = chunk[at % CHUNK];
    if (typeof row !== "string") return row;
    return (chunk[at % CHUNK] = /** @type {Line} */ (JSON.parse(row)));
  }

  /** Wait for lines. @param {Iterable<number>} places */
  async want(places) {
    const numbers = new Set([...places].map((at) => Math.floor(at / CHUNK)));
    await Promise.all([...numbers].filter((number) => !this.chunks.has(number)).map((number) => this.#ask(number)));
  }

  /** The text of lines: from `from` up to but not including `to`. @param {number} from @param {number} to */
  async text(from, to) {
    const [first, last] = [Math.floor(from / CHUNK), Math.ceil(to / CHUNK)];
    const rows = (await this.read(this.begins[first], this.begins[last])).split("\n");
    return rows.slice(from - first * CHUNK, to - first * CHUNK).map((row) => `${row}\n`).join("");
  }

  /** @param {number} number @returns {Promise<void>} */
  #ask(number) {
    const coming = this.coming.get(number);
    if (coming !== undefined) return coming;
    const asked = this.#fetch(number).finally(() => {
      this.coming.delete(number);
      this.loaded();
    });
    this.coming.set(number, asked);
    return asked;
  }

  /** @param {number} number */
  async #fetch(number) {
    try {
      const text = await this.read(this.begins[number], this.begins[number + 1]);
      this.chunks.set(number, text.split("\n", CHUNK));
      const [oldest] = this.chunks.keys();
      if (this.chunks.size > KEPT) this.chunks.delete(oldest);
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
    }
  }
}
