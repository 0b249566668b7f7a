// How values are told apart: by a colour of the Okabe-Ito palette, and always
// by a letter and their text as well.

/** @import {Value} from "./types.d.ts" */

import { valueKey } from "./lines.js";
import { words } from "../words.js";

/** @typedef {{index: number, colour: string, letter: string, text: string}} ValueStyle */
/** @typedef {Map<string, ValueStyle>} ValueStyles */

/** Okabe and Ito's colours that black text can stand on, in both themes. */
export const VALUE_COLOURS = ["#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#1FB58F", "#E8783A"];
/** When so many letters are taken there is no use in looking for a free one. */
const LETTERS = 200;

/** Gives every value its colour and letter, in the order of appearance. */
export class ValueColours {
  constructor() {
    /** @type {ValueStyles} */
    this.styles = new Map();
    this.letters = new Set();
    this.count = 0;
  }

  /** Take in the values that are new. @param {Value[]} values all of them, each once */
  add(values) {
    for (; this.count < values.length; this.count += 1) {
      const text = valueText(values[this.count]);
      const free =
        this.letters.size >= LETTERS
          ? undefined
          : [...text.toLowerCase()].find((letter) => /[a-z0-9]/.test(letter) && !this.letters.has(letter));
      const letter = free ?? String((this.styles.size + 1) % 100);
      this.letters.add(letter);
      const index = this.styles.size % VALUE_COLOURS.length;
      this.styles.set(valueKey(values[this.count]), { index, colour: VALUE_COLOURS[index], letter, text });
    }
  }
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
