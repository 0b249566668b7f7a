// From files to lines: reading, checking, merging.
//
// A run is a folder; `events.jsonl` in it is the merged log. Where that is
// missing, the nodes' own logs are merged here, each node's order kept and
// causes before what they caused.

/** @import {Catalogue, Line} from "./types.d.ts" */

import { compareNodes, lineId, problem } from "./lines.js";
import { lineOf } from "./memory.js";
import { words } from "../words.js";

/** A file that cannot be shown; the text says what, where, and what to do. */
export class LogError extends Error {}

/** What is not a log of a node, though it ends in .jsonl. */
const NOT_A_LOG = new Set(["history.jsonl"]);

/**
 * Read the text of one log file.
 * @param {Catalogue} catalogue @param {string} name @param {string} text
 * @returns {{lines: Line[], torn: boolean}} `torn`: an unfinished last line was left out
 */
export function readLog(catalogue, name, text) {
  const rows = text.split("\n");
  // A line ends in a newline: what follows the last one was never finished.
  const tail = rows.pop() ?? "";
  /** @type {Line[]} */
  const lines = [];
  rows.forEach((row, index) => {
    const line = parsed(row, lineOf);
    const wrong = line === undefined ? words.notJson : problem(catalogue, line);
    if (wrong !== null) throw new LogError(words.badLine(name, index + 1, wrong, index === 0));
    lines.push(/** @type {Line} */ (line));
  });
  if (tail === "") return { lines, torn: false };
  const last = parsed(tail, lineOf);
  if (last === undefined || problem(catalogue, last) !== null) {
    if (lines.length === 0) throw new LogError(words.badLine(name, 1, words.notJson, true));
    return { lines, torn: true };
  }
  return { lines: [...lines, last], torn: false };
}

/** @param {string} row @param {(row: string) => any} [parse] @returns {any} undefined when it is no JSON */
function parsed(row, parse = JSON.parse) {
  try {
    return parse(row);
  } catch {
    return undefined;
  }
}

/**
 * Merge logs of single nodes by time, but never a line before its cause.
 * @param {Line[][]} logs each in its own order
 * @returns {Line[]}
 */
export function merge(logs) {
  const queues = logs.filter((log) => log.length > 0).map((lines) => ({ lines, next: 0 }));
  const known = new Set(logs.flat().map(lineId));
  const out = new Set();
  /** @type {Line[]} */
  const merged = [];
  for (;;) {
    const open = queues.filter((queue) => queue.next < queue.lines.length);
    if (open.length === 0) return merged;
    const head = (/** @type {typeof queues[0]} */ queue) => queue.lines[queue.next];
    const ready = open.filter((queue) => {
      const { cause } = head(queue);
      return cause === undefined || out.has(cause) || !known.has(cause);
    });
    // In a damaged set of logs everyone may wait for everyone: go on by time.
    const queue = (ready.length > 0 ? ready : open).reduce((one, other) => (before(head(other), head(one)) ? other : one));
    merged.push(head(queue));
    out.add(lineId(head(queue)));
    queue.next += 1;
  }
}

/** @param {Line} one @param {Line} other */
function before(one, other) {
  return (one.at_ns - other.at_ns || compareNodes(one.node, other.node)) < 0;
}

/**
 * Make a run of the files of a folder, or of single logs.
 * @param {Catalogue} catalogue
 * @param {Map<string, string>} files texts by name
 * @param {string} name how the run is called when no file says so
 */
export function openFiles(catalogue, files, name) {
  const logs = [...files.keys()].filter((file) => file.endsWith(".jsonl") && !NOT_A_LOG.has(file)).sort();
  if (logs.length === 0) throw new LogError(words.noLog(name));
  const merged = logs.find((file) => file === "events.jsonl") ?? (logs.length === 1 ? logs[0] : undefined);
  const read = (merged === undefined ? logs : [merged]).map((file) =>
    readLog(catalogue, file, /** @type {string} */ (files.get(file))),
  );
  const lines = merged === undefined ? merge(read.map((log) => log.lines)) : read[0].lines;
  if (lines.length === 0) throw new LogError(words.emptyLog(name));
  return {
    name,
    lines,
    notice: read.some((log) => log.torn) ? words.tornLog : null,
    meta: runTable(files),
    verdict: companion(files, "verdict.json"),
    why: companion(files, "why.json"),
  };
}

const TABLE = "run.json";
const MEMBER = /^n[1-9][0-9]{0,15}$/;

/**
 * The table of the run that stands beside a log. Whoever breaks there must be
 * told that it is the table: the log may be a right one.
 * @param {Map<string, string>} files @returns {any} null when there is none
 */
export function runTable(files) {
  const table = companion(files, TABLE);
  const members = Array.isArray(table?.members) ? table.members : [];
  const odd = members.find((/** @type {any} */ one) => typeof one !== "string" || !MEMBER.test(one));
  if (odd !== undefined) throw new LogError(words.oddMembers(TABLE));
  return table;
}

/**
 * What stands beside a log, such as run.json.
 * @param {Map<string, string>} files @param {string} name @returns {any} null when there is none
 */
export function companion(files, name) {
  const text = files.get(name);
  if (text === undefined) return null;
  const object = parsed(text);
  if (typeof object !== "object" || object === null) throw new LogError(words.badCompanion(name));
  return object;
}
