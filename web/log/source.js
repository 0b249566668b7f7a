// Where runs come from: the server that serves this page, or files that were
// dropped on it. A live feed would be a third one.

/** @import {RunEntry} from "../state.js" */

import { LogError } from "./files.js";
import { words } from "../words.js";

/** More than this is no run of this lab, and would only stall the page. */
const FILE_LIMIT_BYTES = 300_000_000;

/** How often a request is tried, and how long to wait before the next. */
const TRIES = 4;
const TRY_AGAIN_MS = 250;

/**
 * Ask the server; whatever is wrong becomes a sentence.
 * @param {string} path @param {RequestInit} [request] @param {number[]} [allowed] answers beside success
 * @returns {Promise<Response>}
 */
export async function get(path, request, allowed = []) {
  let response;
  for (let left = TRIES - 1; response === undefined; left -= 1) {
    try {
      response = await fetch(path, request);
    } catch (error) {
      if (request?.signal?.aborted) throw error;
      // A browser drops what is under way when the machine's networks change,
      // as they do while containers start: ask again.
      if (left === 0) throw new LogError(words.noServer);
      await new Promise((done) => setTimeout(done, TRY_AGAIN_MS));
    }
  }
  if (response.ok || allowed.includes(response.status)) return response;
  // The log itself is at fault: the server says how.
  if (response.status === 422) throw new LogError(await response.text());
  throw new LogError(words.notServed(path, response.status));
}

/** @param {string} path */
export async function getJson(path) {
  return (await get(path)).json();
}

/** @returns {Promise<RunEntry[]>} */
export async function listRuns() {
  return (await getJson("runs.json")).runs;
}

/**
 * The files of a run in a folder of the server: the merged log where there is
 * one, else each node's own, and what stands beside it.
 * @param {string} address of the folder @param {string[]} files in it
 * @returns {Promise<Map<string, string>>}
 */
export async function fetchFiles(address, files) {
  const logs = files.includes("events.jsonl") ? ["events.jsonl"] : files.filter((file) => file.endsWith(".jsonl"));
  const wanted = [...logs, ...files.filter((file) => ["run.json", "verdict.json", "why.json"].includes(file))];
  const texts = await Promise.all(wanted.map(async (file) => (await get(`${address}/${file}`)).text()));
  return new Map(wanted.map((file, index) => [file, texts[index]]));
}

/** The files of a run that is offered. @param {{run: string, files: string[]}} entry */
export function fetchRun(entry) {
  return fetchFiles(`runs/${encodeURIComponent(entry.run)}`, entry.files);
}

/**
 * The texts of dropped or picked files.
 * @param {File[]} files @param {boolean} [maybeNone]
 * @returns {Promise<Map<string, string>>}
 */
export async function readFiles(files, maybeNone = false) {
  const wanted = files.filter((file) => /\.jsonl?$/.test(file.name));
  if (wanted.length === 0 && !maybeNone) throw new LogError(words.noLog(files[0]?.name ?? ""));
  const total = wanted.reduce((sum, file) => sum + file.size, 0);
  if (total > FILE_LIMIT_BYTES) throw new LogError(words.tooLarge(total));
  const texts = await Promise.all(wanted.map((file) => file.text()));
  return new Map(wanted.map((file, index) => [file.name, texts[index]]));
}

/**
 * What was dropped, folders opened one level deep.
 * @param {DataTransfer} transfer
 * @returns {Promise<{files: File[], name: string}>}
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const folder = entries.find((entry) => entry !== null && entry.isDirectory);
  if (folder) {
    const files = await filesIn(/** @type {FileSystemDirectoryEntry} */ (folder));
    return { files, name: folder.name };
  }
  const files = [...transfer.files];
  return { files, name: files.length === 1 ? files[0].name : words.droppedLogs(files.length) };
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesIn(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) break;
    entries.push(...batch);
  }
  const files = entries.filter((entry) => entry.isFile);
  return Promise.all(
    files.map((entry) => new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))),
  );
}
