// Long work in short pieces, so that the page stays alive.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Line} from "../log/types.d.ts" */

/** Less than a frame. */
const PIECE_MS = 12;

/**
 * A function to await often: it returns at once, and every few milliseconds
 * lets the page do what else it has to do.
 * @returns {() => Promise<void> | undefined}
 */
export function pace() {
  let until = performance.now() + PIECE_MS;
  return () => {
    if (performance.now() < until) return undefined;
    return new Promise((resume) =>
      setTimeout(() => {
        until = performance.now() + PIECE_MS;
        resume();
      }),
    );
  };
}

/**
 * A line, at once where it is in memory, else when its bytes have come.
 * @param {Timeline} timeline @param {number} at @returns {Line | Promise<Line>}
 */
export function lineOf(timeline, at) {
  const line = timeline.line(at);
  if (line.pending !== true) return line;
  return linesHere(timeline, [at]).then(() => timeline.line(at));
}

/** Wait until lines are in memory. @param {Timeline} timeline @param {number[]} places of lines that fit there */
export async function linesHere(timeline, places) {
  try {
    await (timeline.growing?.kept ?? timeline.core.store)?.want(places);
  } catch (error) {
    throw new ShareError(error instanceof Error ? error.message : String(error));
  }
}

/** What cannot be exported; the message is a sentence for the person who asked. */
export class ShareError extends Error {}
