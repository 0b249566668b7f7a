// What the share sheet remembers. No imports: the page's state reads this first.

/**
 * @typedef {object} Share
 * @property {boolean} whole whether a picture shows the whole run, not only what is in sight
 * @property {string | null} busy what is being made
 * @property {string | null} done what was made, or why it could not be
 * @property {boolean} failed whether `done` says why not
 * @property {Link | null} link the address to a moment, once asked for
 */

/**
 * @typedef {object} Link
 * @property {string} text the address
 * @property {unknown} source what it leads to
 * @property {number} cursor the line at which it was made
 * @property {number} instance
 */

/** @type {Share} */
export const SHARE_FIRST = { whole: false, busy: null, done: null, failed: false, link: null };
