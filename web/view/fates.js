// What is under way, and when a message counts as lost. The log may tell it late, or never: nobody
// writes a line about what was sent to a node that is down.

/** @import {State} from "../log/types.d.ts" */
/** @import {Flight, Timeline} from "../log/timeline.js" */

import { spansOf } from "./seen.js";

/** A message that was lost in silence is taken for lost after so many lines. */
const PATIENCE_LINES = 40;

/** @typedef {{place: number, flight: Flight, held: string | null}} Flying `held`: the node whose gate holds it */

/**
 * The line at which a message is lost: where the log tells it, and at once
 * where it leaves for a node that is down, however long its sender waits.
 * @param {Timeline} timeline @param {Flight} flight
 * @returns {number} Infinity for what arrives, and for what is still under way
 */
export function lostAt(timeline, flight) {
  if (flight.fate === "received") return Infinity;
  const told = flight.fate === "open" ? Infinity : flight.ended;
  // What a gate holds has not left yet.
  const left = flight.holds.reduce((latest, hold) => Math.max(latest, hold.to), flight.sent);
  const down = spansOf(timeline, flight.to, "down").some((span) => span.from <= left && left < span.to);
  return down ? Math.min(left, told) : told;
}

/**
 * What is under way at the cursor, and how many messages are lost: those of
 * the state, and those of which no line has told it so far.
 * @param {Timeline} timeline @param {State} state @param {number} cursor
 * @returns {{flying: Flying[], lost: number}}
 */
export function flightsNow(timeline, state, cursor) {
  let lost = state.lost_count - givenUp(timeline, cursor);
  const flying = state.messages.flatMap(({ line, held_at }) => {
    const place = timeline.flightAt[timeline.at(line)] ?? -1;
    if (place < 0) return [];
    const flight = timeline.flight(place);
    if (lostAt(timeline, flight) <= cursor) {
      lost += 1;
      return [];
    }
    const silent = flight.fate !== "received" && cursor - flight.sent > PATIENCE_LINES;
    return silent && held_at === null ? [] : [{ place, flight, held: held_at }];
  });
  return { flying, lost };
}

/**
 * How many messages were taken for lost up to the cursor, and arrive all the
 * same: at a node that had just started, for one.
 * @param {Timeline} timeline @param {number} cursor
 */
function givenUp(timeline, cursor) {
  const { late } = timeline.core.tables;
  // What is received once more is no loss.
  return late.columns.at.subarray(0, late.count).filter((/** @type {number} */ at) => at <= cursor && !timeline.eventOf(at).endsWith("_received")).length;
}
