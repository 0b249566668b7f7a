// How values are told apart: by a colour of the Okabe-Ito palette, and always
// by a letter and their text as well. The colour comes from the text, so that a
// value looks the same in every run; only where two values of one run would
// share a colour does the later one take the next that is free.

/** @import {Value} from "./types.d.ts" */

import { valueKey } from "./lines.js";
import { words } from "../words.js";

/** @typedef {{index: number, colour: string, letter: string, text: string}} ValueStyle */
/** @typedef {Map<string, ValueStyle>} ValueStyles */

/** Okabe and Ito's colours that black text can stand on, in both themes. */
export const VALUE_COLOURS = ["#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#009E73", "#D55E00"];
/** When so many letters are taken there is no use in looking for a free one. */
const LETTERS = 200;

/** With this start the values of the scenarios (apple, pear, cherry, lemon, plum, kiwi) have a colour each. */
const HASH_START = 146626;

/** Which colour a value wants: the same in every run. @param {string} text @returns {number} a place in `VALUE_COLOURS` */
function colourOf(text) {
  let hash = HASH_START;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return ((hash ^ (hash >>> 15)) >>> 0) % VALUE_COLOURS.length;
}

/** Gives every value of a run its colour and letter: where several want the same, in the order of appearance. */
export class ValueColours {
  constructor() {
    /** @type {ValueStyles} */
    this.styles = new Map();
    this.letters = new Set();
    /** @type {Set<number>} the colours that are taken */
    this.taken = new Set();
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
      const index = this.#freeFrom(colourOf(text));
      this.styles.set(valueKey(values[this.count]), { index, colour: VALUE_COLOURS[index], letter, text });
    }
  }

  /** The colour that is wanted, or the next that is free; of more values than colours some share one. @param {number} wanted */
  #freeFrom(wanted) {
    const all = VALUE_COLOURS.map((_, step) => (wanted + step) % VALUE_COLOURS.length);
    const index = all.find((one) => !this.taken.has(one)) ?? wanted;
    this.taken.add(index);
    return index;
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
