// The run's own log, byte for byte as it was read.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { lineId } from "../log/lines.js";
import { ShareError, pace } from "./pace.js";
import { shareWords as words } from "./words.js";

/** A long log is read in parts of so many lines. */
const PART = 20_480;

/**
 * @param {Pick<App, "source" | "timeline">} app
 * @param {Map<string, string>} texts the files of what is shown, as they were read
 * @param {(path: string) => Promise<Blob | null>} load
 * @returns {Promise<string | Blob>}
 */
export async function logOf({ source, timeline }, texts, load) {
  if (timeline === null) throw new ShareError(words.noLogHere);
  if (timeline.core.store === null) return inMemory(timeline, texts);
  // Of a long run the index is in memory, and the log is where it came from.
  if (source?.kind === "run" || source?.kind === "story") {
    const folder = source.kind === "run" ? "runs" : "stories";
    const served = await load(`${folder}/${encodeURIComponent(source.name)}/events.jsonl`);
    if (served !== null) return served;
  }
  return new Blob(await partsOf(timeline), { type: "application/x-ndjson" });
}

/** The bytes of a long log, in parts. @param {Timeline} timeline @returns {Promise<string[]>} */
export async function partsOf(timeline) {
  const store = /** @type {import("../log/store.js").LineStore} */ (timeline.core.store);
  /** @type {string[]} */
  const parts = [];
  for (let at = 0; at < timeline.length; at += PART) parts.push(await store.text(at, Math.min(at + PART, timeline.length)));
  return parts;
}

/** @param {Timeline} timeline @param {Map<string, string>} texts @returns {string | Promise<string>} */
function inMemory(timeline, texts) {
  const logs = [...texts.keys()].filter((name) => name.endsWith(".jsonl") && name !== "history.jsonl");
  const whole = texts.get("events.jsonl") ?? (logs.length === 1 ? texts.get(logs[0]) : undefined);
  if (whole !== undefined) return whole;
  if (logs.length === 0) throw new ShareError(words.noLogHere);
  return merged(timeline, logs.map((name) => /** @type {string} */ (texts.get(name))));
}

/**
 * Logs of single nodes in the order in which the page merged them. The rows are
 * taken as they are: a time in nanoseconds is more than a number of this
 * language holds exactly.
 * @param {Timeline} timeline @param {string[]} logs
 */
async function merged(timeline, logs) {
  const breathe = pace();
  /** @type {Map<string, string>} */
  const rows = new Map();
  for (const log of logs) {
    for (const row of log.split("\n")) {
      if (row !== "") rows.set(nameIn(row), row);
      await breathe();
    }
  }
  const out = [];
  for (let at = 0; at < timeline.length; at += 1) out.push(rows.get(timeline.nameOf(at)) ?? "");
  return `${out.join("\n")}\n`;
}

/** @param {string} row @returns {string} empty for a row that was never finished */
function nameIn(row) {
  try {
    return lineId(JSON.parse(row));
  } catch {
    return "";
  }
}
