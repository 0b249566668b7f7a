// Where the text of old lines lies while nobody looks at them: packed, in the
// page's own memory. A worker packs it; until that is done the text stays as it
// is, and where the worker has died the page packs by itself. So no text
// depends on a worker that lives.

import { LogError } from "./files.js";
import { packed, unpacked } from "./packing.js";
import { workerUrl } from "./trusted.js";
import { logWords } from "./words.js";

/**
 * Texts by number; each is put there once.
 * @typedef {object} Shelf
 * @property {(number: number, text: string) => void} put
 * @property {(number: number) => Promise<string>} get fails where the text cannot be unpacked, or was never put there
 * @property {() => number} waitingCount how many texts are not packed yet
 */

/** What the worker was asked to pack. @type {Map<number, {text: string, done: (bytes: ArrayBuffer) => void, failed: (reason: unknown) => void}>} */
const jobs = new Map();
let jobCount = 0;
/** @type {Worker | null} */
let worker = null;
let dead = typeof Worker === "undefined";

/** A shelf of its own for one run; the worker begins with the first text. @returns {Shelf} */
export function shelf() {
  /** Texts that are not packed yet. @type {Map<number, string>} */
  const waiting = new Map();
  /** @type {Map<number, ArrayBuffer>} */
  const kept = new Map();
  return {
    put(number, text) {
      waiting.set(number, text);
      // What cannot be packed stays as it is.
      packedAside(text).then((bytes) => (kept.set(number, bytes), waiting.delete(number)), console.warn);
    },
    async get(number) {
      const text = waiting.get(number);
      if (text !== undefined) return text;
      const bytes = kept.get(number);
      if (bytes === undefined) throw new Error(`no text ${number} was put on this shelf`);
      return unpacked(bytes).catch((error) => {
        throw new LogError(logWords.notUnpacked, { cause: error });
      });
    },
    waitingCount: () => waiting.size,
  };
}

/** @param {string} text @returns {Promise<ArrayBuffer>} */
function packedAside(text) {
  const packer = begun();
  if (packer === null) return packed(text);
  return new Promise((done, failed) => {
    jobCount += 1;
    jobs.set(jobCount, { text, done, failed });
    packer.postMessage({ job: jobCount, text });
  });
}

/** The worker; null where there is none. */
function begun() {
  if (worker !== null || dead) return worker;
  worker = new Worker(/** @type {any} */ (workerUrl(new URL("./shelf_worker.js", import.meta.url))), { type: "module" });
  worker.onmessage = ({ data: { job, bytes } }) => {
    const asked = jobs.get(job);
    jobs.delete(job);
    if (bytes === undefined) asked?.failed(new Error("the browser could not pack the text of old lines"));
    else asked?.done(bytes);
  };
  worker.onerror = worker.onmessageerror = () => void takeOver();
  return worker;
}

/** The worker could not be started, or has died: do what it has left, one text after another. */
async function takeOver() {
  dead = true;
  worker?.terminate();
  worker = null;
  for (const [job, { text, done, failed }] of jobs) {
    jobs.delete(job);
    await packed(text).then(done, failed);
  }
}
