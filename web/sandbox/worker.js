// The sandbox's worker: CPython in WebAssembly, with the core of Paxos Lab in it.
//
// It loads only from the page's own origin: Pyodide from `pyodide/`, the core
// from `core.zip`. It answers one request after the other. A request and an
// answer are JSON; the lines of a run go beside the answer as bytes, copied
// out of Python's memory once and then handed over.
//
// In:  {id, request}                      JSON of {do, ...}, see paxos/sandbox/border.py
// Out: {kind: "progress", stage, loaded, total}
//      {kind: "ready"} | {kind: "failed", sentence}
//      {kind: "answer", id, answer, lines: ArrayBuffer}

import { ENGINE_WORDS as WORDS } from "./engine-words.js";

/**
 * @typedef {{destroy(): void}} Proxy_
 * @typedef {Proxy_ & {getBuffer(): {data: Uint8Array, release(): void}}} Bytes
 * @typedef {Proxy_ & {get(at: number): any}} Pair
 * @typedef {{answer(request: string): Pair}} Border
 * @typedef {{
 *   unpackArchive(buffer: ArrayBuffer, format: string): void,
 *   pyimport(name: string): any,
 * }} Python
 */

const port =
  /** @type {{postMessage(message: unknown, transfer?: Transferable[]): void, onmessage: unknown}} */ (
    /** @type {unknown} */ (globalThis)
  );

/** The smallest WebAssembly module: whether any may be compiled here at all. */
const SMALLEST = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);

/** The two files that make up nearly all of what is loaded. */
const LARGE = /\/(?:pyodide\.asm\.wasm|python_stdlib\.zip)$/;

/** @param {string} stage @param {number} loaded @param {number} total in bytes; 0 where unknown */
function progress(stage, loaded = 0, total = 0) {
  port.postMessage({ kind: "progress", stage, loaded, total });
}

class NotLoaded extends Error {}

/**
 * Let fetch tell how much of the large files has come, and which could not be had.
 *
 * @param {(error: NotLoaded) => void} lose told of a file that is not there: Pyodide waits for it for ever
 */
function watchFetch(lose) {
  const plain = globalThis.fetch.bind(globalThis);
  let loaded = 0;
  let total = 0;
  /** @param {RequestInfo | URL} input @param {RequestInit} [options] */
  globalThis.fetch = async (input, options) => {
    const address = new URL(input instanceof Request ? input.url : String(input), import.meta.url);
    const name = address.pathname.split("/").slice(-2).join("/");
    const response = await plain(input, options).catch((error) => {
      lose(new NotLoaded(WORDS.notLoaded(name, reason(error))));
      throw error;
    });
    if (!response.ok) lose(new NotLoaded(WORDS.notLoaded(name, String(response.status))));
    if (!LARGE.test(address.pathname) || !response.ok || response.body === null) return response;
    total += Number(response.headers.get("content-length") ?? 0);
    const counted = response.body.pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          loaded += chunk.byteLength;
          progress("pyodide", loaded, total);
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, { status: response.status, headers: response.headers });
  };
}

/**
 * Start Python and import the core.
 *
 * @returns {Promise<Border>}
 */
async function start() {
  if (!WebAssembly.validate(SMALLEST)) throw new NotLoaded(WORDS.noWasm);
  try {
    new WebAssembly.Module(SMALLEST);
  } catch {
    throw new NotLoaded(WORDS.noWasm);
  }
  /** @type {Promise<never>} */
  const lost = new Promise((_, reject) => watchFetch(reject));
  progress("pyodide");
  const core = fetch(new URL("../core.zip", import.meta.url));
  // Looked at below; should something else fail first, it is not to be reported twice.
  lost.catch(() => {});
  core.catch(() => {});
  const python = await Promise.race([loadPython(), lost]);
  progress("core");
  const archive = await Promise.race([core.then((response) => response.arrayBuffer()), lost]);
  python.unpackArchive(archive, "zip");
  progress("python");
  const border = python.pyimport("paxos.sandbox.border");
  return /** @type {Border} */ (border);
}

/** @returns {Promise<Python>} */
async function loadPython() {
  const folder = new URL("../pyodide/", import.meta.url).href;
  /** @type {{loadPyodide(options: {indexURL: string}): Promise<Python>}} */
  let pyodide;
  try {
    pyodide = await import(`${folder}pyodide.mjs`);
  } catch (error) {
    throw new NotLoaded(WORDS.notLoaded("pyodide/pyodide.mjs", reason(error)));
  }
  return pyodide.loadPyodide({ indexURL: folder });
}

/** @param {unknown} error */
function reason(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {Border} border @param {{id: number, request: string}} asked */
function answer(border, { id, request }) {
  const pair = border.answer(request);
  const bytes = /** @type {Bytes} */ (pair.get(1));
  const view = bytes.getBuffer();
  const lines = view.data.slice();
  view.release();
  bytes.destroy();
  const text = /** @type {string} */ (pair.get(0));
  pair.destroy();
  port.postMessage({ kind: "answer", id, answer: text, lines: lines.buffer }, [lines.buffer]);
}

// An edited handler is a person's own code, and Python lends it what this worker
// has: one that closed it would be waited for in vain, for nobody is told of that.
Object.defineProperty(globalThis, "close", {
  value: () => {
    throw new Error(WORDS.noClose);
  },
});

try {
  const border = await start();
  port.onmessage = (/** @type {MessageEvent} */ event) => answer(border, event.data);
  port.postMessage({ kind: "ready" });
} catch (error) {
  const sentence = error instanceof NotLoaded ? error.message : WORDS.notStarted(reason(error));
  port.postMessage({ kind: "failed", sentence });
}
