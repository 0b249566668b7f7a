// The run's own log, byte for byte as it was read.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { ShareError, pace } from "./pace.js";
import { shareWords as words } from "./words.js";

/** A long log is read in parts of so many lines. */
const PART = 20_480;

/**
 * @param {Pick<App, "source" | "timeline">} app
 * @param {(path: string) => Promise<Blob | null>} load
 * @returns {Promise<Blob>}
 */
export async function logOf({ source, timeline }, load) {
  if (timeline === null) throw new ShareError(words.noLogHere);
  // Of a long run the index is in memory, and the log is where it came from.
  if (timeline.core.store !== null && (source?.kind === "run" || source?.kind === "story")) {
    const folder = source.kind === "run" ? "runs" : "stories";
    const served = await load(`${folder}/${encodeURIComponent(source.name)}/events.jsonl`);
    if (served !== null) return served;
  }
  return new Blob(await partsOf(timeline), { type: "application/x-ndjson" });
}

/**
 * The text of a log in parts: each row as it was read, in the order of the
 * page, which has merged the logs of single nodes.
 * @param {Timeline} timeline @returns {Promise<string[]>}
 */
export async function partsOf(timeline) {
  const breathe = pace();
  /** @type {string[]} */
  const parts = [];
  for (let at = 0; at < timeline.length; at += PART) {
    parts.push(await timeline.text(at, at + PART));
    await breathe();
  }
  return parts;
}
