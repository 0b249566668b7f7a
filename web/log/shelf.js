// Where the text of old lines lies while nobody looks at them: packed, with a
// worker, about a tenth of its size. Until the worker has said that it keeps a
// text, and where there is no worker, the text stays here.

import { workerUrl } from "./trusted.js";

/**
 * Texts by number; each is put there once.
 * @typedef {object} Shelf
 * @property {(number: number, text: string) => void} put
 * @property {(number: number) => Promise<string>} get
 */

/** Texts by run and number, until the worker keeps them: "3 17". @type {Map<string, string>} */
const here = new Map();
/** Who waits for a text. @type {Map<string, (text: string) => void>} */
const waiting = new Map();
/** @type {Worker | null} */
let worker = null;
let failed = typeof Worker === "undefined";
let shelves = 0;

/** A run that nobody shows any more needs no texts. */
const gone = new FinalizationRegistry((/** @type {number} */ run) => {
  for (const name of here.keys()) if (name.startsWith(`${run} `)) here.delete(name);
  worker?.postMessage({ forget: run });
});

/** How many texts no worker keeps yet. */
export function waitingCount() {
  return here.size;
}

/** A shelf of its own for one run; the worker begins with the first text. @returns {Shelf} */
export function shelf() {
  shelves += 1;
  const run = shelves;
  const made = {
    put(/** @type {number} */ number, /** @type {string} */ text) {
      here.set(`${run} ${number}`, text);
      begun()?.postMessage({ run, number, text });
    },
    async get(/** @type {number} */ number) {
      const name = `${run} ${number}`;
      const text = here.get(name);
      if (text !== undefined) return text;
      return new Promise((/** @type {(text: string) => void} */ done) => {
        const first = waiting.get(name);
        // The worker answers once, and all who asked meanwhile are told.
        waiting.set(name, first === undefined ? done : (found) => (first(found), done(found)));
        if (first === undefined) worker?.postMessage({ run, number });
      });
    },
  };
  gone.register(made, run);
  return made;
}

/** The worker; null where there is none. */
function begun() {
  if (worker !== null || failed) return worker;
  worker = new Worker(/** @type {any} */ (workerUrl(new URL("./shelf_worker.js", import.meta.url))), { type: "module" });
  worker.onmessage = ({ data: { run, number, text } }) => {
    const name = `${run} ${number}`;
    if (text === undefined) return here.delete(name);
    waiting.get(name)?.(text);
    return waiting.delete(name);
  };
  // It could not be started: what it was given is still here.
  worker.onerror = () => {
    worker = null;
    failed = true;
  };
  return worker;
}
