// The sandbox's engine: the page's side of the worker, as promises.
//
// Requests are answered one at a time, in their order, by a worker, so that
// the page never waits. JSON and bytes cross the border, no proxies. A request
// that takes too long is cancelled by ending the worker and starting another.

import { workerUrl } from "../log/trusted.js";
import { ENGINE_WORDS as WORDS } from "./engine-words.js";

/**
 * @typedef {{stage: "pyodide" | "core" | "python" | "ready", loaded: number, total: number}} Progress
 *   How far the start is; `loaded` and `total` in bytes, `total` 0 where unknown.
 * @typedef {{commands?: {after: number, do: object}[]} & Record<string, unknown>} Recipe
 * @typedef {Record<string, any> & {lines: string, bytes: Uint8Array}} Run
 *   What paxos/sandbox/running.py tells of a run; `bytes` are the UTF-8 of `lines`.
 */

/** What the sandbox says instead of an answer: `message` is a sentence for a person. */
export class EngineError extends Error {
  /** @param {string} sentence @param {boolean} [cancelled] */
  constructor(sentence, cancelled = false) {
    super(sentence);
    this.name = "EngineError";
    this.cancelled = cancelled;
  }
}

/** One request that waits for its answer, and what became of it. */
class Asked {
  /** @param {number} id @param {string} request JSON @param {boolean} spends */
  constructor(id, request, spends) {
    this.id = id;
    this.request = request;
    /** Whether the worker is not to be used again after it. */
    this.spends = spends;
    /** @type {(result: any) => void} */
    this.resolve = () => {};
    /** @type {(error: Error) => void} */
    this.reject = () => {};
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

export class Engine {
  /** @type {Worker | null} */
  #worker = null;
  #ready = false;
  #closed = false;
  #count = 0;
  /** @type {Asked[]} those that wait, the one under way first */
  #queue = [];
  /** @type {Asked | null} */
  #underWay = null;
  /** @type {(progress: Progress) => void} */
  #onProgress;
  /** @type {(() => void) | null} */
  #started = null;
  /** @type {((error: Error) => void) | null} */
  #notStarted = null;

  /** @param {(progress: Progress) => void} onProgress */
  constructor(onProgress) {
    this.#onProgress = onProgress;
  }

  /**
   * Start the worker; done when it can be asked.
   *
   * @param {(progress: Progress) => void} [onProgress]
   * @returns {Promise<Engine>} rejects with an EngineError
   */
  static async start(onProgress = () => {}) {
    const engine = new Engine(onProgress);
    await engine.#begin();
    return engine;
  }

  /** Whether a request is under way or waits. */
  get busy() {
    return this.#underWay !== null || this.#queue.length > 0;
  }

  /**
   * Play a recipe.
   *
   * @param {Recipe} recipe
   * @returns {Promise<Run>}
   */
  run(recipe) {
    return this.#ask({ do: "run", recipe });
  }

  /**
   * Explore from a line of a run: `{recipe, at, ...}` or `{jsonl, run, at, ...}`.
   *
   * @param {Record<string, unknown>} request
   * @returns {Promise<any>}
   */
  whatif(request) {
    return this.#ask({ ...request, do: "whatif" });
  }

  /**
   * Judge a log that was dropped on the page.
   *
   * @param {string} jsonl
   * @param {object | null} [run] the content of its run.json
   * @returns {Promise<{verdict: any, why: any, line_count: number}>}
   */
  judge(jsonl, run = null) {
    return this.#ask({ do: "judge", jsonl, run });
  }

  /** @returns {Promise<{variants: any[]}>} */
  variants() {
    return this.#ask({ do: "variants" });
  }

  /**
   * Try an edited handler; it is what the person typed, never out of a link.
   * It may have changed anything in its worker, the rules included: whatever
   * is asked next is asked of another one.
   *
   * @param {string} variant
   * @param {string} source
   * @param {AbortSignal} [signal] ends it, even where it never comes to an end
   * @returns {Promise<any>}
   */
  repair(variant, source, signal) {
    return this.#ask({ do: "repair", variant, source }, true, signal);
  }

  /** End the request that is under way, and start the worker anew; the others wait for it. */
  cancel() {
    const ended = this.#underWay;
    if (ended === null) return;
    this.#underWay = null;
    this.#restart();
    ended.reject(new EngineError(WORDS.cancelled, true));
  }

  /** End the worker, and with it whatever was asked. */
  close() {
    this.#closed = true;
    this.#worker?.terminate();
    this.#worker = null;
    this.#rejectAll(new EngineError(WORDS.closed, true));
  }

  /** @returns {Promise<void>} */
  #begin() {
    return new Promise((resolve, reject) => {
      this.#started = resolve;
      this.#notStarted = reject;
      try {
        const address = workerUrl(new URL("worker.js", import.meta.url));
        this.#worker = new Worker(address, { type: "module" });
      } catch {
        reject(new EngineError(WORDS.noWorker));
        return;
      }
      this.#worker.onmessage = (event) => this.#take(event.data);
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.#broke(event.message ?? "");
      };
    });
  }

  #restart() {
    this.#worker?.terminate();
    this.#ready = false;
    this.#begin().catch((error) => this.#rejectAll(error));
  }

  /** @param {string} why */
  #broke(why) {
    if (!this.#ready) {
      this.#fail(new EngineError(WORDS.notLoaded("sandbox/worker.js", why)));
      return;
    }
    const ended = this.#underWay;
    this.#underWay = null;
    this.#restart();
    ended?.reject(new EngineError(WORDS.broke(why)));
  }

  /** @param {EngineError} error the start has failed, and so has all that waits for it */
  #fail(error) {
    this.#worker?.terminate();
    this.#notStarted?.(error);
    this.#rejectAll(error);
  }

  /** @param {Error} error */
  #rejectAll(error) {
    const ended = this.#underWay === null ? this.#queue : [this.#underWay, ...this.#queue];
    this.#underWay = null;
    this.#queue = [];
    for (const asked of ended) asked.reject(error);
  }

  /** @param {{kind: string} & Record<string, any>} message of the worker */
  #take(message) {
    switch (message.kind) {
      case "progress":
        this.#onProgress({ stage: message.stage, loaded: message.loaded, total: message.total });
        break;
      case "ready":
        this.#ready = true;
        this.#onProgress({ stage: "ready", loaded: 0, total: 0 });
        this.#started?.();
        this.#next();
        break;
      case "failed":
        this.#fail(new EngineError(message.sentence));
        break;
      default:
        this.#answered(/** @type {any} */ (message));
    }
  }

  /** @param {{id: number, answer: string, lines: ArrayBuffer}} message */
  #answered({ id, answer, lines }) {
    const asked = this.#underWay;
    if (asked === null || asked.id !== id) return;
    this.#underWay = null;
    if (asked.spends) this.#restart();
    const told = JSON.parse(answer);
    if (!told.ok) {
      asked.reject(new EngineError(told.error));
    } else if (lines.byteLength > 0) {
      const bytes = new Uint8Array(lines);
      asked.resolve({ ...told.result, bytes, lines: new TextDecoder().decode(bytes) });
    } else {
      asked.resolve(told.result);
    }
    this.#next();
  }

  /**
   * @param {Record<string, unknown>} request
   * @param {boolean} [spends]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  #ask(request, spends = false, signal) {
    if (this.#closed || signal?.aborted) return Promise.reject(new EngineError(this.#closed ? WORDS.closed : WORDS.cancelled, true));
    this.#count += 1;
    const asked = new Asked(this.#count, JSON.stringify(request), spends);
    this.#queue.push(asked);
    signal?.addEventListener("abort", () => this.#callOff(asked), { once: true });
    this.#next();
    return asked.promise;
  }

  /** End one request and no other, whether it is under way or waits. @param {Asked} asked */
  #callOff(asked) {
    if (asked === this.#underWay) return this.cancel();
    this.#queue = this.#queue.filter((one) => one !== asked);
    asked.reject(new EngineError(WORDS.cancelled, true));
  }

  #next() {
    if (!this.#ready || this.#underWay !== null || this.#queue.length === 0) return;
    this.#underWay = /** @type {Asked} */ (this.#queue.shift());
    this.#worker?.postMessage({ id: this.#underWay.id, request: this.#underWay.request });
  }
}
