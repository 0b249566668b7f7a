// What the comparison remembers. No imports: the page's state reads this first.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Diff} from "./align.js" */

/**
 * @typedef {object} Side one of the two runs
 * @property {"run" | "story" | "branch" | "file" | "sandbox" | "live"} kind
 * @property {string} name
 * @property {string} title
 * @property {Timeline} timeline
 * @property {string[]} rows its log, a line each, as it was read
 */

/**
 * @typedef {object} Compare
 * @property {Side | null} a
 * @property {Side | null} b
 * @property {"order" | "lines"} by how lines are put beside each other
 * @property {boolean} exact whether times count as differences, too
 * @property {Diff | null} diff null while there are not two sides, or it is being made
 * @property {number} row the row of the table at the cursor
 * @property {number} scale pixels per slot
 * @property {number} left the slot at the left edge
 * @property {number} width of the views in pixels
 * @property {string | null} link by which both are being opened
 * @property {string | null} busy
 * @property {string | null} trouble
 */

/** @type {Compare} */
export const COMPARE_FIRST = {
  a: null,
  b: null,
  by: "lines",
  exact: false,
  diff: null,
  row: 0,
  scale: 14,
  left: 0,
  width: 1000,
  link: null,
  busy: null,
  trouble: null,
};
