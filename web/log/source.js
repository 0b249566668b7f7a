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

/** @param {string} path @returns {Promise<Response>} */
async function get(path) {
  let response;
  for (let left = TRIES - 1; response === undefined; left -= 1) {
    try {
      response = await fetch(path);
    } catch {
      // A browser drops what is under way when the machine's networks change,
      // as they do while containers start: ask again.
      if (left === 0) throw new LogError(words.noServer);
      await new Promise((done) => setTimeout(done, TRY_AGAIN_MS));
    }
  }
  if (!response.ok) throw new LogError(words.notServed(path, response.status));
  return response;
}

/** @param {string} path */
export async function getJson(path) {
  return (await get(path)).json();
}

/** @returns {Promise<RunEntry[]>} */
export async function listRuns() {
  return (await getJson("runs")).runs;
}

/**
 * The files of a served run: the merged log where there is one, else each node's own.
 * @param {RunEntry} entry
 * @returns {Promise<Map<string, string>>}
 */
export async function fetchRun(entry) {
  const logs = entry.files.includes("events.jsonl")
    ? ["events.jsonl"]
    : entry.files.filter((file) => file.endsWith(".jsonl"));
  const wanted = [...logs, ...entry.files.filter((file) => file === "run.json" || file === "verdict.json")];
  const texts = await Promise.all(
    wanted.map(async (file) => (await get(`runs/${encodeURIComponent(entry.run)}/${file}`)).text()),
  );
  return new Map(wanted.map((file, index) => [file, texts[index]]));
}

/**
 * The texts of dropped or picked files.
 * @param {File[]} files
 * @returns {Promise<Map<string, string>>}
 */
export async function readFiles(files) {
  const wanted = files.filter((file) => /\.jsonl?$/.test(file.name));
  if (wanted.length === 0) throw new LogError(words.noLog(files[0]?.name ?? ""));
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
