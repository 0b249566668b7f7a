// In what two lines differ that say the same: a sentence tells what happened,
// and not all that the line keeps of it. Pure.

/** @import {Line} from "../log/types.d.ts" */

import { equal } from "../log/lines.js";
import { asideOf } from "./align.js";
import { compareWords as words } from "./words.js";

/** @typedef {{name: string, a: string, b: string}} Difference a field, and what it holds in the first and in the second */

/** A longer field would hide what is told beside it. */
const MOST_LETTERS = 80;

/**
 * Where two lines of different runs differ, beside what is set aside: their own
 * fields first, then the node's memory after and before.
 * @param {Line} a @param {Line} b @param {import("./align.js").By} by @param {boolean} exact
 * @returns {Difference[]}
 */
export function differing(a, b, by, exact) {
  const aside = exact ? new Set() : asideOf(by);
  const own = namesOf(a, b).filter((name) => name !== "before" && name !== "after" && !aside.has(name) && !equal(a[name], b[name]));
  return [...own.map((name) => ({ name, a: shown(a[name]), b: shown(b[name]) })), ...inMemory(a, b, "after"), ...inMemory(a, b, "before")];
}

/** @param {Line} a @param {Line} b @param {"before" | "after"} when @returns {Difference[]} */
function inMemory(a, b, when) {
  const [one, other] = [a[when] ?? {}, b[when] ?? {}];
  return namesOf(one, other).flatMap((role) =>
    namesOf(one[role] ?? {}, other[role] ?? {})
      .map((field) => ({ name: words.inMemory[when](words.memory[`${role}.${field}`] ?? `${role}.${field}`), a: one[role]?.[field], b: other[role]?.[field] }))
      .filter((found) => !equal(found.a, found.b))
      .map((found) => ({ ...found, a: shown(found.a), b: shown(found.b) })),
  );
}

/** The fields of either, in order. @param {object} a @param {object} b */
function namesOf(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

/** @param {any} field @returns {string} */
function shown(field) {
  if (field === null || field === undefined) return words.nothing;
  if (typeof field === "string") return cut(field);
  if (typeof field.value === "string" && typeof field.ballot === "string") return cut(words.chosenAt(field.value, field.ballot));
  return cut(JSON.stringify(field));
}

/** @param {string} text */
function cut(text) {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}
