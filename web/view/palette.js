// The colours of the canvas, read from style.css so that each stands in one place.

/**
 * @typedef {object} Palette
 * @property {string} ink
 * @property {string} muted
 * @property {string} card
 * @property {string} line
 * @property {string} lane
 * @property {string} cursor
 * @property {string} prepare
 * @property {string} accept
 * @property {string} accepted
 * @property {string} nack
 * @property {string} learn
 * @property {string} quiet
 * @property {string} wall
 * @property {string} bad
 * @property {number} fillAlpha
 */

/**
 * The palette of the theme in force.
 * @returns {Palette}
 */
export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour("ink"),
    muted: colour("muted"),
    card: colour("card"),
    line: colour("line"),
    lane: colour("lane"),
    cursor: colour("cursor"),
    prepare: colour("prepare"),
    accept: colour("accept"),
    accepted: colour("accepted"),
    nack: colour("nack"),
    learn: colour("learn"),
    quiet: colour("quiet"),
    wall: colour("wall"),
    bad: colour("bad"),
    fillAlpha: Number(colour("fill-alpha")),
  };
}
