// Answers to "why?" (why.json), taken by place; nothing of it is trusted.

/** @import {Names} from "./names.js" */

/**
 * @typedef {object} Why
 * @property {string} line the one that it is about
 * @property {string} kind
 * @property {string | null} rule
 * @property {number | null} instance
 * @property {string} sentence
 * @property {string[]} events the names of the lines that prove it
 * @property {boolean} ok false where a rule is broken
 */

/**
 * @param {any} raw why.json's content, or null @param {Names} names
 * @returns {Map<number, Why[]>}
 */
export function readWhys(raw, names) {
  /** @type {Map<number, Why[]>} */
  const whys = new Map();
  for (const entry of Array.isArray(raw?.whys) ? raw.whys : []) {
    if (typeof entry?.line !== "string" || typeof entry.sentence !== "string") continue;
    const why = {
      line: entry.line,
      kind: String(entry.kind ?? ""),
      rule: typeof entry.rule === "string" ? entry.rule : null,
      instance: Number.isInteger(entry.instance) ? entry.instance : null,
      sentence: entry.sentence,
      events: texts(entry.events),
      ok: entry.ok !== false,
    };
    // The rest of a broadcast has the same answer.
    for (const name of [entry.line, ...texts(entry.also)]) {
      const at = names.get(name);
      if (at >= 0) whys.set(at, [...(whys.get(at) ?? []), why]);
    }
  }
  return whys;
}

/** @param {any} value @returns {string[]} */
function texts(value) {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
