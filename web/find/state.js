// What the search remembers. No imports: the page's state reads this first.

/**
 * @typedef {object} Find
 * @property {string} text the query as it was typed
 * @property {boolean} only whether the list of events is narrowed to what was found
 * @property {boolean} form whether the form is open
 * @property {number} shown how many results are listed
 */

/** How many results are listed at first. */
export const SHOWN_FIRST = 60;

/** @type {Find} */
export const FIND_FIRST = { text: "", only: false, form: false, shown: SHOWN_FIRST };
