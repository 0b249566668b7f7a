// What a run and a moment are called: in titles, and in the names of files.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { timeOf } from "../view/time.js";
import { words } from "../words.js";

/** What the run calls itself in its log or its `run.json`, else its name. @param {{timeline: Timeline | null, name: string, meta?: any}} app @returns {string} */
export function titleOf({ timeline, name, meta }) {
  const told = [timeline?.run?.title, meta?.title].find((title) => typeof title === "string" && title !== "");
  return told ?? name;
}

/** A moment in words: event and time. @param {Timeline} timeline @param {number} cursor */
export function momentText(timeline, cursor) {
  const at = Math.max(cursor, 0);
  return `${words.eventOf(at, timeline.length)}, ${timeOf(timeline, at)}`;
}

/**
 * A file's name that says run and moment, of letters that any system takes.
 * @param {Pick<App, "name" | "timeline" | "cursor">} app @param {string} extension
 * @param {boolean} [whole] whether it is about the run, whatever the moment
 */
export function fileName({ name, timeline, cursor }, extension, whole = false) {
  const run = name.replace(/\.jsonl?$/, "");
  const moment = timeline === null || whole ? "" : `-at-${timeline.nameOf(Math.max(cursor, 0))}`;
  const plain = `${run}${moment}`.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|-+$/g, "");
  return `${plain.slice(0, 120) || "run"}.${extension}`;
}
