// What led to a line and what followed from it: each node's own order, and
// from a message to its receipt. By columns, so that a long run is quick.

/** @import {Timeline} from "./timeline.js" */

import { FATES } from "./columns.js";

/** In a long run causality is looked for among so many lines on either side. */
const REACH = 50_000;
/** How many consequences are told. */
const CONSEQUENCES = 12;

/**
 * What happened before a line and because of it, and what followed from it.
 * @param {Timeline} timeline @param {number} at
 * @returns {Uint8Array} per line: 1 in the past, 2 in the future, 3 itself, 0 unrelated
 */
export function causality({ core, length }, at) {
  const { node, cause } = core.tables.lines.columns;
  const related = new Uint8Array(length);
  related[at] = 3;
  /** Nodes whose earlier lines all belong to the past; lines quoted as a cause. */
  const nodes = new Set([node[at]]);
  const causes = new Set([cause[at]]);
  for (let earlier = at - 1; earlier >= Math.max(0, at - REACH); earlier -= 1) {
    if (nodes.has(node[earlier]) || causes.has(earlier)) {
      related[earlier] = 1;
      nodes.add(node[earlier]);
      causes.add(cause[earlier]);
    }
  }
  const later = new Set([node[at]]);
  for (let next = at + 1; next < Math.min(length, at + REACH); next += 1) {
    if (later.has(node[next]) || (cause[next] >= 0 && related[cause[next]] >= 2)) {
      related[next] = 2;
      later.add(node[next]);
    }
  }
  return related;
}

/**
 * The line's immediate reasons and consequences, for "because of" and "leads to".
 * @param {Timeline} timeline @param {number} at
 */
export function neighbours(timeline, at) {
  const { core, length } = timeline;
  const { node, cause, instance, incarnation, flight, rank } = core.tables.lines.columns;
  const input = isInput(timeline.eventOf(at));
  const same = (/** @type {number} */ other) => node[other] === node[at] && instance[other] === instance[at];
  let because = cause[at];
  if (because < 0 && !input) {
    // An effect follows from the input that its node took last in this instance.
    for (because = at - 1; because >= 0; because -= 1) if (same(because) && isInput(timeline.eventOf(because))) break;
  }
  /** @type {number[]} */
  const leadsTo = [];
  const place = flight[at];
  if (timeline.eventOf(at).endsWith("_sent")) {
    const { fate, ended } = core.tables.flights.columns;
    if (place >= 0 && FATES[fate[place]] !== "open") leadsTo.push(ended[place]);
  } else if (input) {
    for (let next = at + 1; next < length && leadsTo.length < CONSEQUENCES; next += 1) {
      if (!same(next)) continue;
      if (isInput(timeline.eventOf(next)) || incarnation[next] !== incarnation[at]) break;
      if (rank[next] < 2) leadsTo.push(next);
    }
  }
  return { because, leadsTo };
}

/** @param {string} event */
function isInput(event) {
  return event.endsWith("_received") || event === "timeout_fired" || event === "instance_resumed";
}
