// From the bytes of a log to its index, piece by piece: for the worker that
// indexes a dropped file, and for tests.

/** @import {Catalogue} from "./types.d.ts" */

import { LogError } from "./files.js";
import { Indexer, smallOf } from "./indexer.js";
import { TooLarge } from "./codes.js";
import { checker } from "./lines.js";
import { encodeColumns } from "./columns.js";
import { words } from "../words.js";
import { logWords } from "./words.js";

const NEWLINE = 10;

export class LogReader {
  /** @param {Catalogue} catalogue @param {string} name of the file @param {string[]} members */
  constructor(catalogue, name, members) {
    this.name = name;
    this.check = checker(catalogue);
    this.indexer = new Indexer(catalogue, members);
    this.count = 0;
    this.torn = false;
    /** What came behind the last newline. @type {Uint8Array} */
    this.rest = new Uint8Array(0);
    /** The lines that concern everybody. @type {Uint8Array[]} */
    this.shared = [];
    this.strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  }

  /** @param {Uint8Array} bytes */
  take(bytes) {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.rest = joined(this.rest, bytes);
      return;
    }
    this.#lines(joined(this.rest, bytes.subarray(0, end)));
    this.rest = bytes.slice(end);
  }

  /** Whole lines. @param {Uint8Array} bytes */
  #lines(bytes) {
    const text = this.#decoded(bytes);
    if (text !== null && text.length === bytes.length) {
      // Only ASCII: every character is a byte.
      let from = 0;
      for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
        this.#line(text.slice(from, to), to + 1 - from, () => bytes.slice(from, to + 1));
        from = to + 1;
      }
      return;
    }
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      const row = bytes.subarray(from, to);
      this.#line(this.#decoded(row), to + 1 - from, () => bytes.slice(from, to + 1));
      from = to + 1;
    }
  }

  /** @param {Uint8Array} bytes @returns {string | null} null when it is no UTF-8 */
  #decoded(bytes) {
    try {
      return this.strict.decode(bytes);
    } catch {
      return null;
    }
  }

  /** @param {string | null} row @param {number} size @param {() => Uint8Array} bytes */
  #line(row, size, bytes) {
    const [line, wrong] = this.#parsed(row);
    if (wrong !== null) throw new LogError(words.badLine(this.name, this.count + 1, wrong, this.count === 0));
    this.#add(line, size, bytes);
  }

  /** @param {any} line @param {number} size @param {() => Uint8Array} bytes */
  #add(line, size, bytes) {
    const { shared, lines } = this.indexer.tables;
    try {
      if (this.indexer.add(line, size)) {
        const place = shared.add();
        shared.columns.at[place] = lines.count - 1;
        this.shared.push(bytes());
      }
    } catch (error) {
      if (error instanceof TooLarge) throw new LogError(words.badLine(this.name, this.count + 1, error.message, false));
      // Lines that fit the format may still contradict each other.
      throw new LogError(logWords.contradicts(this.name, this.count + 1));
    }
    this.count += 1;
  }

  /** @param {string | null} row @returns {[any, string | null]} */
  #parsed(row) {
    let line;
    try {
      line = row === null ? undefined : JSON.parse(row);
    } catch {
      line = undefined;
    }
    return [line, line === undefined ? words.notJson : this.check(line)];
  }

  /**
   * The index of what was read.
   * @param {number} size of the file in bytes @param {string} digest of its samples
   * @returns {ArrayBuffer}
   */
  end(size, digest) {
    if (this.rest.length > 0) {
      // A line ends in a newline: what follows the last one was never finished.
      const [line, wrong] = this.#parsed(this.#decoded(this.rest));
      if (wrong === null) this.#add(line, this.rest.length, () => joined(this.rest, new Uint8Array([NEWLINE])));
      else if (this.count === 0) throw new LogError(words.badLine(this.name, 1, wrong, true));
      else this.torn = true;
    }
    if (this.count === 0) throw new LogError(words.emptyLog(this.name));
    const text = this.indexer.tables.sharedText;
    for (const bytes of this.shared) {
      for (const byte of bytes) {
        const place = text.add();
        text.columns.byte[place] = byte;
      }
    }
    return encodeColumns(this.indexer.tables, smallOf(this.indexer, { size, digest, torn: this.torn }));
  }
}

/** @param {Uint8Array} one @param {Uint8Array} other */
function joined(one, other) {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
