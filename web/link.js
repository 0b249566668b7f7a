// A link is a moment: the hash holds the run, the line at the cursor and the instance.

/** @import {App} from "./state.js" */

import { lineId } from "./log/lines.js";

/**
 * @param {App} app
 * @returns {string} empty when no link can lead here
 */
export function hashOf({ linked, name, timeline, cursor, instance }) {
  if (!linked || timeline === null) return "";
  const parts = [`run=${encodeURIComponent(name)}`];
  if (cursor > 0) parts.push(`at=${lineId(timeline.lines[cursor])}`);
  if (instance !== 0) parts.push(`instance=${instance}`);
  return `#${parts.join("&")}`;
}

/**
 * @param {string} hash
 * @returns {{run: string | null, at?: string, instance?: number}}
 */
export function momentOf(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const instance = Number(fields.get("instance") ?? "");
  return {
    run: fields.get("run"),
    at: fields.get("at") ?? undefined,
    instance: Number.isInteger(instance) && instance > 0 ? instance : undefined,
  };
}
