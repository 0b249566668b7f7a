// How values are told apart: by a colour of the Okabe-Ito palette, and always
// by a letter and their text as well.

/** @import {Line, Value} from "./types.d.ts" */

import { valueKey } from "./lines.js";
import { words } from "../words.js";

/** @typedef {{index: number, colour: string, letter: string, text: string}} ValueStyle */
/** @typedef {Map<string, ValueStyle>} ValueStyles */

/** Okabe and Ito's colours that black text can stand on, in both themes. */
export const VALUE_COLOURS = ["#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#1FB58F", "#E8783A"];

/**
 * Give every value of a log its colour and letter, in the order of appearance.
 * @param {Line[]} lines
 * @returns {ValueStyles}
 */
export function colourValues(lines) {
  /** @type {ValueStyles} */
  const styles = new Map();
  const letters = new Set();
  for (const { value, wanted, accepted } of lines) {
    for (const one of [wanted, value, accepted?.value]) {
      if (one === undefined || one === null || styles.has(valueKey(one))) continue;
      const text = valueText(one);
      const free = [...text.toLowerCase()].find((letter) => /[a-z0-9]/.test(letter) && !letters.has(letter));
      const letter = free ?? String((styles.size + 1) % 100);
      letters.add(letter);
      const index = styles.size % VALUE_COLOURS.length;
      styles.set(valueKey(one), { index, colour: VALUE_COLOURS[index], letter, text });
    }
  }
  return styles;
}

/** @param {ValueStyles} styles @param {Value} value @returns {ValueStyle} */
export function styleOf(styles, value) {
  return styles.get(valueKey(value)) ?? { index: 0, colour: VALUE_COLOURS[0], letter: "?", text: valueText(value) };
}

/** @param {Value} value */
export function valueText(value) {
  return typeof value === "string" ? value : words.longValue(value.bytes, value.sha256);
}

/**
 * A value that fits beside other things.
 * @param {Value} value @param {number} [most]
 */
export function shortText(value, most = 16) {
  const letters = [...valueText(value)];
  return letters.length <= most ? letters.join("") : `${letters.slice(0, most - 1).join("")}…`;
}
