// Puts the lines of two logs beside each other, and says where they differ.
// Pure.

import { pace } from "../share/pace.js";

/** Fields that tell when, or how long it took: they differ between any two runs in real time. */
const TIMES = ["at_ns", "elapsed_ms", "after_ms"];
/** Fields that count or name lines and starts: one more earlier changes them all, and says nothing new. */
const COUNTS = ["incarnation", "seq", "cause", "message", "behind", "number", "token", "request", "operation", "evidence"];
/** Each run takes fresh instances: the first of one is beside the first of the other. */
const INSTANCES = ["instance", "first_instance", "last_instance"];

/**
 * How a run is called and which lines belong to it, in its first line and in the one that closes it.
 * @type {Record<string, string[]>}
 */
const TABLES = {
  run_started: ["run", "scenario", "title", "predict", "begins", "settings", "variant", "instances"],
  log_closed: ["pieces", "instances"],
};

/** @typedef {"order" | "lines"} By */
/** @typedef {{from: number, to: number, moved: boolean}} Hunk rows from–to (the last one included) that differ; `moved`: all of them stand elsewhere in the other run */
/**
 * @typedef {object} Diff
 * @property {Int32Array} a per row: which line of the first run stands there; -1 for none
 * @property {Int32Array} b the same of the second
 * @property {Uint8Array} same per row
 * @property {Hunk[]} hunks
 * @property {Int32Array} rowOfA per line of the first run: its row
 * @property {Int32Array} rowOfB
 */

/** Which fields are set aside where bytes are not asked for. @param {By} by */
export function asideOf(by) {
  return new Set(by === "order" ? TIMES : [...TIMES, ...COUNTS]);
}

/**
 * By what lines are told apart.
 * @param {string[]} rows the log, a line each
 * @param {number[]} instances of the run, in order
 * @param {By} by @param {boolean} exact
 * @returns {Promise<string[]>}
 */
export async function keysOf(rows, instances, by, exact) {
  if (exact) return rows;
  const strict = by === "order";
  const aside = asideOf(by);
  const rank = new Map(instances.map((instance, place) => [instance, `#${place + 1}`]));
  const breathe = pace();
  /** @type {string[]} */
  const keys = [];
  for (const row of rows) {
    const line = JSON.parse(row);
    // What a run is called is no event of it; its table of instances is told by the lines about them.
    const own = (TABLES[line.event] ?? []).filter((field) => !strict || field !== "instances");
    const told = Object.entries(line).filter(([field]) => !aside.has(field) && !own.includes(field));
    keys.push(JSON.stringify(strict ? told : told.map(([field, value]) => [field, INSTANCES.includes(field) ? (rank.get(value) ?? value) : value])));
    await breathe();
  }
  return keys;
}

/**
 * @param {string[]} a keys of the first run's lines @param {string[]} b
 * @param {By} by
 * @returns {Diff}
 */
export function aligned(a, b, by) {
  const pairs = by === "order" ? inOrder(a, b) : matched(a, b);
  const rows = pairs.length;
  const diff = {
    a: Int32Array.from(pairs, ([one]) => one),
    b: Int32Array.from(pairs, ([, other]) => other),
    same: Uint8Array.from(pairs, ([one, other]) => (one >= 0 && other >= 0 && a[one] === b[other] ? 1 : 0)),
    rowOfA: new Int32Array(a.length),
    rowOfB: new Int32Array(b.length),
  };
  for (let row = 0; row < rows; row += 1) {
    if (diff.a[row] >= 0) diff.rowOfA[diff.a[row]] = row;
    if (diff.b[row] >= 0) diff.rowOfB[diff.b[row]] = row;
  }
  return { ...diff, hunks: hunksOf(diff, a, b) };
}

/** @param {string[]} a @param {string[]} b @returns {[number, number][]} */
function inOrder(a, b) {
  const rows = Math.max(a.length, b.length);
  return Array.from({ length: rows }, (_, row) => [row < a.length ? row : -1, row < b.length ? row : -1]);
}

/** @param {Pick<Diff, "a" | "b" | "same">} diff @param {string[]} keysA @param {string[]} keysB @returns {Hunk[]} */
function hunksOf({ a, b, same }, keysA, keysB) {
  /** How often a key stands unmatched in the one run more than in the other. @type {Map<string, number>} */
  const left = new Map();
  const count = (/** @type {string} */ key, /** @type {number} */ by) => left.set(key, (left.get(key) ?? 0) + by);
  same.forEach((equal, row) => {
    if (equal) return;
    if (a[row] >= 0) count(keysA[a[row]], 1);
    if (b[row] >= 0) count(keysB[b[row]], -1);
  });
  const elsewhere = (/** @type {number} */ row) =>
    (a[row] < 0 || (left.get(keysA[a[row]]) ?? 0) === 0) && (b[row] < 0 || (left.get(keysB[b[row]]) ?? 0) === 0);
  /** @type {Hunk[]} */
  const hunks = [];
  same.forEach((equal, row) => {
    if (equal) return;
    const last = hunks[hunks.length - 1];
    if (last !== undefined && last.to === row - 1) {
      last.to = row;
      last.moved &&= elsewhere(row);
    } else hunks.push({ from: row, to: row, moved: elsewhere(row) });
  });
  return hunks;
}

/* --- matching lines ------------------------------------------------------------------------- */

/** Stretches without a line that both have once are compared line by line up to this many pairs. */
const PAIRS_MOST = 1_000_000;

/**
 * Lines that are equal beside each other, in the order of both: what begins and
 * ends alike first, then lines that each has once (patience), and what is left
 * between them by the longest common sequence.
 * @param {string[]} a @param {string[]} b @returns {[number, number][]}
 */
export function matched(a, b) {
  /** @type {[number, number][]} */
  const anchors = [];
  /** @type {[number, number, number, number][]} */
  const open = [[0, a.length, 0, b.length]];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    let [from, to, start, end] = part;
    for (; from < to && start < end && a[from] === b[start]; from += 1, start += 1) anchors.push([from, start]);
    for (; from < to && start < end && a[to - 1] === b[end - 1]; to -= 1, end -= 1) anchors.push([to - 1, end - 1]);
    if (from === to || start === end) continue;
    const once = uniqueIn(a, from, to, b, start, end);
    if (once.length > 0) {
      let [i, j] = [from, start];
      for (const [one, other] of [...once, /** @type {[number, number]} */ ([to, end])]) {
        open.push([i, one, j, other]);
        if (one < to) anchors.push([one, other]);
        [i, j] = [one + 1, other + 1];
      }
    } else if ((to - from) * (end - start) <= PAIRS_MOST) anchors.push(...longest(a, from, to, b, start, end));
  }
  anchors.sort((one, other) => one[0] - other[0]);
  return woven(anchors, a.length, b.length);
}

/**
 * What matches, with what is between: that stands side by side as it comes.
 * @param {[number, number][]} anchors @param {number} countA @param {number} countB @returns {[number, number][]}
 */
function woven(anchors, countA, countB) {
  /** @type {[number, number][]} */
  const rows = [];
  let [i, j] = [0, 0];
  for (const [one, other] of [...anchors, /** @type {[number, number]} */ ([countA, countB])]) {
    while (i < one || j < other) rows.push([i < one ? i++ : -1, j < other ? j++ : -1]);
    if (one < countA) rows.push([one, other]);
    [i, j] = [one + 1, other + 1];
  }
  return rows;
}

/**
 * Lines that each has once, as many as stand in the same order in both.
 * @param {string[]} a @param {number} from @param {number} to @param {string[]} b @param {number} start @param {number} end
 * @returns {[number, number][]}
 */
function uniqueIn(a, from, to, b, start, end) {
  /** @type {Map<string, number>} its place; -1 when there are more */
  const inA = new Map();
  const inB = new Map();
  for (let at = from; at < to; at += 1) inA.set(a[at], inA.has(a[at]) ? -1 : at);
  for (let at = start; at < end; at += 1) inB.set(b[at], inB.has(b[at]) ? -1 : at);
  /** @type {[number, number][]} */
  const both = [];
  for (const [key, at] of inA) if (at >= 0 && (inB.get(key) ?? -1) >= 0) both.push([at, inB.get(key)]);
  both.sort((one, other) => one[0] - other[0]);
  return rising(both);
}

/** The longest part in which the second numbers rise, too. @param {[number, number][]} pairs @returns {[number, number][]} */
function rising(pairs) {
  /** Ends of the best rows of each length, and who came before whom. @type {number[]} */
  const ends = [];
  const before = new Int32Array(pairs.length).fill(-1);
  pairs.forEach(([, value], index) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[ends[middle]][1] < value) low = middle + 1;
      else high = middle;
    }
    before[index] = low === 0 ? -1 : ends[low - 1];
    ends[low] = index;
  });
  /** @type {[number, number][]} */
  const row = [];
  for (let at = ends.length === 0 ? -1 : ends[ends.length - 1]; at >= 0; at = before[at]) row.push(pairs[at]);
  return row.reverse();
}

/**
 * The longest common sequence of two short stretches.
 * @param {string[]} a @param {number} from @param {number} to @param {string[]} b @param {number} start @param {number} end
 * @returns {[number, number][]}
 */
function longest(a, from, to, b, start, end) {
  const wide = end - start + 1;
  const best = new Uint32Array((to - from + 1) * wide);
  for (let i = to - from - 1; i >= 0; i -= 1) {
    for (let j = end - start - 1; j >= 0; j -= 1) {
      best[i * wide + j] =
        a[from + i] === b[start + j] ? best[(i + 1) * wide + j + 1] + 1 : Math.max(best[(i + 1) * wide + j], best[i * wide + j + 1]);
    }
  }
  /** @type {[number, number][]} */
  const pairs = [];
  for (let i = 0, j = 0; from + i < to && start + j < end; ) {
    if (a[from + i] === b[start + j]) pairs.push([from + i++, start + j++]);
    else if (best[(i + 1) * wide + j] >= best[i * wide + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

/* --- going about ------------------------------------------------------------------------------ */

/** The last line of a run at or above a row; -1 for none. @param {Int32Array} lines per row @param {number} row */
export function lineAtRow(lines, row) {
  for (let at = Math.min(row, lines.length - 1); at >= 0; at -= 1) if (lines[at] >= 0) return lines[at];
  return -1;
}

/** The next difference after a row, or the last before it. @param {Diff} diff @param {number} row @param {1 | -1} direction @returns {Hunk | undefined} */
export function nextHunk({ hunks }, row, direction) {
  return direction > 0 ? hunks.find((hunk) => hunk.from > row) : hunks.findLast((hunk) => hunk.from < row);
}
