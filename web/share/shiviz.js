// A run as a log for ShiViz, with vector clocks.
//
// The clocks are derived from what the log itself knows of before and after:
// each node's own order, and the line that a receiver quotes as its cause. No
// time is used. A node's entry counts its lines over all its incarnations, for
// a restart comes after what was before it.

/** @import {Timeline} from "../log/timeline.js" */

import { lineId } from "../log/lines.js";
import { narrate } from "../log/narration.js";
import { ShareError, lineOf, pace } from "./pace.js";
import { shareWords as words } from "./words.js";

/** The expression by which ShiViz takes a log apart; it reads it from the first line of a file. */
export const SHIVIZ_EXPRESSION = String.raw`(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`;

/** ShiViz keeps every event in its page. */
export const SHIVIZ_MOST = 100_000;

/**
 * The vector clock of every line.
 * @param {Timeline} timeline
 * @param {() => Promise<void> | undefined} [breathe]
 * @returns {Promise<{hosts: string[], clocks: Int32Array[]}>} per line its clock, an entry for each host
 */
export async function vectorClocks(timeline, breathe = pace()) {
  const count = timeline.length;
  /** @type {Map<string, number>} */
  const places = new Map();
  for (let at = 0; at < count; at += 1) {
    const node = timeline.nodeOf(at);
    if (!places.has(node)) places.set(node, places.size);
  }
  const hosts = [...places.keys()];
  /** @type {Int32Array[]} */
  const clocks = [];
  const now = hosts.map(() => new Int32Array(hosts.length));
  for (let at = 0; at < count; at += 1) {
    const line = await lineOf(timeline, at);
    const host = /** @type {number} */ (places.get(line.node));
    const clock = now[host];
    clock[host] += 1;
    const cause = line.cause === undefined ? -1 : timeline.at(line.cause);
    // A cause stands before what it caused; a damaged log may say otherwise.
    if (cause >= 0 && cause < at) clocks[cause].forEach((value, other) => (clock[other] = Math.max(clock[other], value)));
    clocks.push(clock.slice());
    await breathe();
  }
  return { hosts, clocks };
}

/**
 * @param {Timeline} timeline
 * @returns {Promise<string>} the expression, an empty line (there is one execution), then two lines an event
 */
export async function shivizLog(timeline) {
  const count = timeline.length;
  if (count > SHIVIZ_MOST) throw new ShareError(words.tooManyFor(words.formats.shiviz, count, SHIVIZ_MOST));
  const breathe = pace();
  const { hosts, clocks } = await vectorClocks(timeline, breathe);
  const out = [SHIVIZ_EXPRESSION, ""];
  for (let at = 0; at < count; at += 1) {
    const line = await lineOf(timeline, at);
    /** @type {Record<string, number>} */
    const clock = {};
    hosts.forEach((host, place) => {
      if (clocks[at][place] > 0) clock[host] = clocks[at][place];
    });
    // A sentence holds no line break: narration shows what cannot be printed as one sign.
    out.push(`${line.node} ${JSON.stringify(clock)}`, `${narrate(timeline.catalogue, line)} [${lineId(line)}]`);
    await breathe();
  }
  return `${out.join("\n")}\n`;
}
