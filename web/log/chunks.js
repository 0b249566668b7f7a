// Chunks of lines that lie elsewhere: those that are here, and those that are
// asked for. The ones used last stay, and so does what somebody waits for.

import { logWords } from "./words.js";

/** What cannot be had is asked for again so much later. */
const AGAIN_MS = 2_000;

/** @template T what a chunk is while it is here */
export class Chunks {
  /**
   * @param {number} most how many stay, beside those that are waited for
   * @param {(number: number) => Promise<T>} fetch brings one
   * @param {(trouble: string | null) => void} changed called when a chunk has come, or cannot be had: why, as a sentence
   */
  constructor(most, fetch, changed) {
    this.most = most;
    this.fetch = fetch;
    this.changed = changed;
    /** The one used last at the end. @type {Map<number, T>} */
    this.here = new Map();
    this.last = -1;
    /** One that could not be had stays here for a while. @type {Map<number, Promise<void>>} */
    this.coming = new Map();
    /** How many wait for a chunk, or are about to read it. @type {Map<number, number>} */
    this.held = new Map();
  }

  /** A chunk, or undefined when it is not here yet: it is asked for then. @param {number} number @returns {T | undefined} */
  get(number) {
    const chunk = this.here.get(number);
    if (chunk === undefined) {
      // Whoever only looks is told by `changed`.
      this.#ask(number).catch(() => {});
      return undefined;
    }
    if (number !== this.last) {
      this.here.delete(number);
      this.here.set(number, chunk);
      this.last = number;
    }
    return chunk;
  }

  /**
   * Wait for chunks, however many; all of them are here when it returns, until
   * the caller lets others run. Fails with the first that cannot be had.
   * @param {Iterable<number>} numbers each once
   */
  async want(numbers) {
    const wanted = [...numbers];
    for (const number of wanted) this.held.set(number, (this.held.get(number) ?? 0) + 1);
    try {
      await Promise.all(wanted.map((number) => (this.here.has(number) ? undefined : this.#ask(number))));
    } finally {
      setTimeout(() => this.#release(wanted));
    }
  }

  /** @param {number} number @returns {Promise<void>} */
  #ask(number) {
    let coming = this.coming.get(number);
    if (coming === undefined) this.coming.set(number, (coming = this.#fetched(number)));
    return coming;
  }

  /** @param {number} number */
  async #fetched(number) {
    let chunk;
    try {
      chunk = await this.fetch(number);
    } catch (error) {
      const trouble = logWords.notHere(error instanceof Error ? error.message : String(error));
      // Each drawing looks at it: asked for at once, it would never rest.
      setTimeout(() => {
        this.coming.delete(number);
        this.changed(trouble);
      }, AGAIN_MS);
      this.changed(trouble);
      throw error;
    }
    this.coming.delete(number);
    this.here.set(number, chunk);
    this.last = number;
    this.#trim();
    this.changed(null);
  }

  /** @param {number[]} numbers */
  #release(numbers) {
    for (const number of numbers) {
      const left = (this.held.get(number) ?? 1) - 1;
      if (left === 0) this.held.delete(number);
      else this.held.set(number, left);
    }
    this.#trim();
  }

  /** Let go of what was used longest ago. */
  #trim() {
    for (const number of this.here.keys()) {
      if (this.here.size <= this.most) return;
      if (number !== this.last && !this.held.has(number)) this.here.delete(number);
    }
  }
}
