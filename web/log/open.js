// Opening a run, whatever its size: a short one is kept in memory line by
// line; of a long one the index is, and lines come from the server or the file
// when they are looked at. A server has an index ready; that of a dropped file
// is made here, by a worker.

/** @import {Catalogue, Line} from "./types.d.ts" */
/** @import {RunEntry} from "../state.js" */
/** @import {Reader} from "./store.js" */
/** @import {Timeline} from "./timeline.js" */

import { Core, namesIn } from "./core.js";
import { LogError, companion, openFiles, runTable } from "./files.js";
import { LineStore } from "./store.js";
import { gapNotice } from "./gaps.js";
import { buildTimeline, indexedTimeline } from "./timeline.js";
import { decodeColumns } from "./columns.js";
import { fetchFiles, get, readFiles } from "./source.js";
import { logWords } from "./words.js";
import { words } from "../words.js";
import { workerUrl } from "./trusted.js";

/** Up to so many bytes a log is kept in memory. */
const MEMORY_BYTES = 5_000_000;
const MERGED = "events.jsonl";
const COMPANIONS = ["run.json", "verdict.json", "why.json"];

/** @typedef {{progress?: (part: number) => void, signal?: AbortSignal}} Hooks `progress` from 0 to 1 */
/** @typedef {{name: string, timeline: Timeline, notice: string | null, meta: any}} Opened */

/**
 * A run that the server offers.
 * @param {Catalogue} catalogue @param {RunEntry & {bytes?: number}} entry @param {Hooks} [hooks]
 * @returns {Promise<Opened>}
 */
export function openRun(catalogue, entry, hooks) {
  return openAt(catalogue, `runs/${encodeURIComponent(entry.run)}`, entry.files, entry.run, hooks, entry.bytes);
}

/**
 * The run in any folder of the server.
 * @param {Catalogue} catalogue @param {string} address relative to the page
 * @param {string[]} files in it @param {string} name @param {Hooks} [hooks] @param {number} [bytes] of the merged log, where known
 * @returns {Promise<Opened>}
 */
export async function openAt(catalogue, address, files, name, hooks = {}, bytes = 0) {
  if (bytes <= MEMORY_BYTES || !files.includes(MERGED)) return openTexts(catalogue, await fetchFiles(address, files), name);
  const given = await fetchFiles(address, files.filter((file) => COMPANIONS.includes(file)));
  const log = `${address}/${MERGED}`;
  const columns = await servedIndex(`${address}/columns.bin`, bytes, hooks);
  const indexed = columns === null ? null : servedRun(catalogue, columns, given, name, rangesOf(log, bytes));
  if (indexed !== null) return indexed;
  // No index is to be had, or a damaged one: make it here.
  const blob = await (await get(log, { signal: hooks.signal })).blob();
  return openBlob(catalogue, blob, MERGED, given, name, hooks);
}

/**
 * Files that were dropped or picked.
 * @param {Catalogue} catalogue @param {File[]} files @param {string} name @param {Hooks} [hooks]
 * @returns {Promise<Opened>}
 */
export async function openDropped(catalogue, files, name, hooks = {}) {
  const logs = files.filter((file) => file.name.endsWith(".jsonl") && file.name !== "history.jsonl");
  const log = logs.find((file) => file.name === MERGED) ?? (logs.length === 1 ? logs[0] : undefined);
  if (log === undefined || log.size <= MEMORY_BYTES) return openTexts(catalogue, await readFiles(files), name);
  const given = await readFiles(files.filter((file) => COMPANIONS.includes(file.name)), true);
  return openBlob(catalogue, log, log.name, given, name, hooks);
}

/**
 * A run whose files are in memory.
 * @param {Catalogue} catalogue @param {Map<string, string>} texts by file @param {string} name
 * @returns {Opened}
 */
export function openTexts(catalogue, texts, name) {
  const run = openFiles(catalogue, texts, name);
  try {
    const timeline = buildTimeline(catalogue, run);
    return { name, timeline, notice: noticed(run.notice, timeline), meta: run.meta };
  } catch (error) {
    // Lines that fit the format may still contradict each other: say so, and
    // leave the details to whoever opens the console.
    console.warn(error);
    throw new LogError(words.damaged(error instanceof Error ? error.message : String(error)));
  }
}

/** @param {Catalogue} catalogue @param {Blob} blob @param {string} file @param {Map<string, string>} given @param {string} name @param {Hooks} hooks */
async function openBlob(catalogue, blob, file, given, name, hooks) {
  const members = runTable(given)?.members;
  const columns = await madeIndex({ blob, name: file, catalogue, members: Array.isArray(members) ? members : [] }, hooks);
  return withColumns(catalogue, columns, given, name, (from, to) => blob.slice(from, to).text());
}

/**
 * @param {{blob: Blob, name: string, catalogue: Catalogue, members: string[]}} request @param {Hooks} hooks
 * @returns {Promise<ArrayBuffer>}
 */
function madeIndex(request, { progress, signal }) {
  const worker = new Worker(/** @type {any} */ (workerUrl(new URL("./index_worker.js", import.meta.url))), { type: "module" });
  const made = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.columns !== undefined) resolve(data.columns);
      else if (data.trouble !== undefined) reject(new LogError(data.trouble));
      else progress?.(data.part);
    };
    worker.onerror = () => reject(new LogError(logWords.workerFailed));
    signal?.addEventListener("abort", () => reject(signal.reason));
    worker.postMessage(request);
  });
  return made.finally(() => worker.terminate());
}

/**
 * @param {Catalogue} catalogue @param {ArrayBuffer} buffer @param {Map<string, string>} given @param {string} name @param {Reader} read
 * @returns {Opened}
 */
function withColumns(catalogue, buffer, given, name, read) {
  const decoded = decodeColumns(buffer);
  if (decoded === null) throw new LogError(logWords.notIndexed);
  const { tables, small } = decoded;
  if (!leadsNowhereElse(catalogue, decoded)) throw new Error("the index leads out of its tables");
  const meta = runTable(given);
  const known = /** @type {import("./core.js").Known} */ ({ ...small, tables, names: namesIn(tables, small.nodes) });
  const { count, columns } = tables.lines;
  const store = new LineStore(columns.size, count, read, (trouble) => core.loaded(trouble));
  const shared = sharedLines(tables);
  const members = Array.isArray(meta?.members) ? meta.members : [];
  const core = new Core(catalogue, known, (at) => shared.get(at) ?? store.line(at), { members, instances: meta?.instances ?? null, cause: null });
  core.store = store;
  const timeline = indexedTimeline(core, companion(given, "verdict.json"), companion(given, "why.json"));
  return { name, timeline, notice: noticed(small.torn ? words.tornLog : null, timeline), meta };
}

/**
 * A run by the index that the server has; null where that index is damaged, for
 * the log itself says the same.
 * @param {Catalogue} catalogue @param {ArrayBuffer} buffer @param {Map<string, string>} given @param {string} name @param {Reader} read
 */
function servedRun(catalogue, buffer, given, name, read) {
  try {
    return withColumns(catalogue, buffer, given, name, read);
  } catch (error) {
    // What is wrong with a file beside the log, no other index mends.
    if (error instanceof LogError) throw error;
    console.warn(error);
    return null;
  }
}

/**
 * Whether what every line of an index leads to is there: a damaged one would
 * break the page later, at whatever moment somebody steps there.
 * @param {Catalogue} catalogue @param {NonNullable<ReturnType<typeof decodeColumns>>} index
 */
function leadsNowhereElse(catalogue, { tables, small }) {
  const { event, node, head, flight } = tables.lines.columns;
  const known = small.events.every((/** @type {string} */ name) => Object.hasOwn(catalogue.events, name));
  for (let at = 0; at < tables.lines.count; at += 1) {
    if (event[at] >= small.events.length || node[at] >= small.nodes.length) return false;
    if (head[at] < 0 || head[at] > at || flight[at] < -1 || flight[at] >= tables.flights.count) return false;
  }
  return known;
}

/** What to say of a log that is not whole. @param {string | null} torn @param {Timeline} timeline @returns {string | null} */
function noticed(torn, timeline) {
  const found = [torn, gapNotice(timeline)].filter((sentence) => sentence !== null);
  return found.length === 0 ? null : found.join(" ");
}

/** The lines that concern every instance: an index holds them. @param {Record<string, import("./columns.js").Table>} tables */
function sharedLines({ shared, sharedText }) {
  const rows = new TextDecoder().decode(sharedText.full("byte")).split("\n");
  /** @type {Map<number, Line>} */
  const lines = new Map();
  for (let place = 0; place < shared.count; place += 1) lines.set(shared.columns.at[place], JSON.parse(rows[place]));
  return lines;
}

/**
 * The index that the server has or makes; null where there is none, or not of this log.
 * @param {string} address @param {number} size of the log in bytes @param {Hooks} hooks
 */
async function servedIndex(address, size, { progress, signal }) {
  const response = await get(address, { signal }, [404]);
  if (response.status === 404) return null;
  const total = Number(response.headers.get("Content-Length"));
  const buffer = total > 0 && response.body !== null ? await filled(response.body, total, progress) : await response.arrayBuffer();
  return isIndexOf(buffer, size) ? buffer : null;
}

/** Whether it is an index that can be read, and of a log of this size. @param {ArrayBuffer} buffer @param {number} size */
function isIndexOf(buffer, size) {
  try {
    return decodeColumns(buffer)?.small.size === size;
  } catch (error) {
    console.warn(error);
    return false;
  }
}

/** @param {ReadableStream<Uint8Array>} body @param {number} total @param {((part: number) => void) | undefined} progress */
async function filled(body, total, progress) {
  const bytes = new Uint8Array(total);
  let count = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (count + value.length > total) throw new LogError(logWords.notIndexed);
    bytes.set(value, count);
    count += value.length;
    progress?.(count / total);
  }
  return bytes.buffer;
}

/** Bytes of a served log. @param {string} address @param {number} size @returns {Reader} */
function rangesOf(address, size) {
  /** Where the server knows no ranges, the whole. @type {Promise<Blob> | null} */
  let whole = null;
  return async (from, to) => {
    if (whole !== null) return (await whole).slice(from, to).text();
    const response = await get(address, { headers: { Range: `bytes=${from}-${to - 1}` } }).catch((error) => {
      // There was a server, or nothing of this run would be here.
      throw error instanceof LogError && error.message === words.noServer ? new LogError(logWords.serverGone) : error;
    });
    if (response.status !== 206) {
      whole = response.blob();
      return (await whole).slice(from, to).text();
    }
    const total = response.headers.get("Content-Range")?.split("/")[1];
    if (total !== undefined && total !== "*" && Number(total) !== size) throw new LogError(logWords.changed);
    return response.text();
  };
}
