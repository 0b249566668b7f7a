// Sentences for lines, from the catalogue that Python reads too.
// The twin of paxos/events/narration.py; tests hold both to the same sentences.

/** @import {Line, Catalogue} from "./types.d.ts" */

import { equal } from "./lines.js";
import { logWords } from "./words.js";

const HOLE = /\{([a-z_.]+)\}/g;
// Values are quoted wherever they appear: they come from strangers, and a
// sentence must not be able to pass for one of ours.
const QUOTED = new Set(["value", "wanted"]);
const UNPRINTABLE = /\p{C}|(?! )\p{Z}/gu;

/**
 * How much a line matters to someone who watches. It is the event's level,
 * unless the chosen sentence has one of its own.
 * @param {Catalogue} catalogue @param {Line} line
 */
export function levelOf(catalogue, line) {
  return choiceFor(catalogue, line).level ?? catalogue.events[line.event].level;
}

/**
 * The sentence of one line, in plain words and without markup.
 * @param {Catalogue} catalogue @param {Line} line @returns {string}
 */
export function narrate(catalogue, line) {
  return choiceFor(catalogue, line).text.replace(HOLE, (_, path) => show(path, at(line, path)));
}

/** @param {Catalogue} catalogue @param {Line} line */
function choiceFor(catalogue, line) {
  for (const choice of catalogue.events[line.event].say) {
    if (Object.entries(choice.when ?? {}).every(([path, want]) => fits(at(line, path), want))) return choice;
  }
  throw new Error(`${line.event} has no sentence without a condition`);
}

/**
 * A field as it stands in a sentence; `path` tells whether it is a value.
 * @param {string} path @param {any} field @returns {string}
 */
export function show(path, field) {
  if (QUOTED.has(path.slice(path.lastIndexOf(".") + 1)) && field !== null) {
    if (typeof field === "object") return logWords.longValue(field.bytes, field.sha256.slice(0, 8));
    // A quote within must not be able to end the quotation.
    return `'${printable(field.replace(/[\\']/g, "\\$&"))}'`;
  }
  if (field === null) return logWords.nothing;
  if (Array.isArray(field)) {
    if (field.length === 0) return logWords.nobody;
    const names = field.map(String);
    return names.length === 1 ? names[0] : logWords.both(names.slice(0, -1).join(", "), names[names.length - 1]);
  }
  return printable(String(field));
}

/**
 * The text on one line.
 * @param {string} text
 */
function printable(text) {
  return text.replace(UNPRINTABLE, "\uFFFD");
}

/**
 * Join neighbouring lines of one fan-out (five `prepare_sent`) to one sentence.
 * @param {Catalogue} catalogue
 * @param {Line[]} lines
 * @returns {{first: number, count: number, text: string}[]} indices into `lines`
 */
export function bundled(catalogue, lines) {
  /** @type {{first: number, count: number, text: string}[]} */
  const bundles = [];
  let first = 0;
  for (let next = 1; next <= lines.length; next += 1) {
    if (next < lines.length && sameFanOut(catalogue, lines[next - 1], lines[next])) continue;
    bundles.push({ first, count: next - first, text: sentence(catalogue, lines.slice(first, next)) });
    first = next;
  }
  return lines.length === 0 ? [] : bundles;
}

/**
 * The sentence of lines that differ only in whom they speak of.
 * @param {Catalogue} catalogue @param {Line[]} run
 */
export function sentence(catalogue, run) {
  if (run.length === 1) return narrate(catalogue, run[0]);
  const field = /** @type {string} */ (catalogue.events[run[0].event].bundle);
  return narrate(catalogue, { ...run[0], [field]: run.map((line) => line[field]) });
}

/**
 * Whether two neighbouring lines belong to one fan-out.
 * @param {Catalogue} catalogue @param {Line} one @param {Line} other
 */
export function sameFanOut(catalogue, one, other) {
  const field = catalogue.events[one.event].bundle;
  if (field === undefined || one.event !== other.event) return false;
  // A fan-out goes up the node ids; whoever comes again begins another one.
  if (order(one[field]) >= order(other[field])) return false;
  // `message` names the single line that each of them is about.
  const own = new Set([field, "seq", "at_ns", "message"]);
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  for (const name of names) {
    if (own.has(name)) continue;
    if (Object.hasOwn(one, name) !== Object.hasOwn(other, name) || !equal(one[name], other[name])) return false;
  }
  return true;
}

/** The integer behind a node's name: guests come after members. @param {string} name */
function order(name) {
  return Number(name.slice(1)) + (name.startsWith("g") ? 100 : 0);
}

/** @param {any} line @param {string} path */
function at(line, path) {
  for (const name of path.split(".")) {
    if (typeof line !== "object" || line === null || !Object.hasOwn(line, name)) return null;
    line = line[name];
  }
  return line;
}

/** @param {any} field @param {any} want */
function fits(field, want) {
  return want === "*" ? field !== null : field === want;
}
