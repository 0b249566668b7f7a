// Places in a branch: where one looks first, after which line a command is
// given, and where it is seen.

/** @import {Branch} from "./state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { restOf } from "../log/timeline.js";

/** Lines that confirm a command, and how soon after its first trace they come. */
const CONFIRMS = new Set(["fault_applied", "fault_undone", "propose_received"]);
const SEEN_WITHIN = 60;

/** Where a run opens that no link leads into. @param {Branch} branch */
export function firstMoment({ timeline, recipe }) {
  const violation = timeline.points.find((point) => point.kind === "violation");
  if (violation !== undefined) return violation.at;
  // A cluster that rests is shown as it is now; a story from its start.
  return recipe.scenario === null ? restOf(timeline) : 0;
}

/** The lines of a run without those that only close it. @param {Branch} branch */
export function lengthOf({ timeline, closing }) {
  return timeline.length - closing;
}

/** After how many lines a command is given that is given at the cursor. @param {Branch} branch @param {number} cursor */
export function afterOf(branch, cursor) {
  return Math.min(cursor + 1, lengthOf(branch));
}

/**
 * Where a command is seen: at the line that confirms it. Some that only
 * follow from it, such as links that go down, may come before.
 * @param {Timeline} timeline @param {number} from
 */
export function seenAt(timeline, from) {
  const last = timeline.length - 1;
  for (let at = from; at <= Math.min(from + SEEN_WITHIN, last); at += 1) if (CONFIRMS.has(timeline.eventOf(at))) return at;
  return Math.min(from, last);
}
