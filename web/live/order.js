// Lines come in the order in which they arrive: node after node, and a receipt
// may arrive before the line that sent it. Here those of a moment are put in the
// order of their time, and each waits for its cause, for a moment at most: what
// is shown is what the merged log will say, and never runs against what led to it.

/** @import {Line} from "../log/types.d.ts" */

/** A cause that has not come by then is taken for lost: its node may have been killed. */
const PATIENCE_MS = 800;

/** The incarnation that a line belongs to. @param {Line} line */
const homeOf = ({ node, incarnation }) => `${node}/${incarnation}`;

/**
 * Lines that arrived together, in the order of their time; each node's order is
 * kept, also where its clock was set back.
 * @param {Line[]} lines
 */
function inTime(lines) {
  /** @type {Map<string, number>} */
  const latest = new Map();
  const timed = lines.map((line) => {
    const at = Math.max(line.at_ns, latest.get(line.node) ?? -Infinity);
    latest.set(line.node, at);
    return { line, at };
  });
  return timed.sort((one, other) => one.at - other.at).map(({ line }) => line);
}

export class CausalOrder {
  constructor() {
    /** The last line of each incarnation that has gone through: they come in their own order. @type {Map<string, number>} */
    this.last = new Map();
    /** Per node, in its own order, the lines that wait. @type {Map<string, {line: Line, since: number}[]>} */
    this.waiting = new Map();
    /** Per incarnation, the nodes whose next line waits for one of its lines. @type {Map<string, Set<string>>} */
    this.blocked = new Map();
    /** Nodes to look at again. @type {string[]} */
    this.again = [];
  }

  /** Whether something still waits. */
  get isWaiting() {
    return this.waiting.size > 0;
  }

  /**
   * @param {Line[]} lines that have arrived @param {number} now in milliseconds
   * @returns {Line[]} what may be shown now, each node's order kept
   */
  pass(lines, now) {
    /** @type {Line[]} */
    const out = [];
    for (const line of inTime(lines)) {
      const queue = this.waiting.get(line.node);
      if (queue !== undefined) queue.push({ line, since: now });
      else if (this.#ready(line)) this.#let(line, out);
      else {
        this.waiting.set(line.node, [{ line, since: now }]);
        this.#blockOn(line);
      }
      this.#drain(out);
    }
    for (let queue = this.#late(now); queue !== undefined; queue = this.#late(now)) {
      const { line } = /** @type {{line: Line}} */ (queue.shift());
      this.again.push(line.node);
      this.#let(line, out);
      this.#drain(out);
    }
    return out;
  }

  /**
   * Whose next line has waited long enough; of several the one of the earliest.
   * Those behind it that have waited as long are next: where a node's lines are
   * lost for good, a line for each frame would never catch up with the others.
   * @param {number} now
   */
  #late(now) {
    const late = [...this.waiting.values()].filter((queue) => queue.length > 0 && now - queue[0].since > PATIENCE_MS);
    return late.length === 0 ? undefined : late.reduce((one, other) => (other[0].line.at_ns < one[0].line.at_ns ? other : one));
  }

  /** @param {Line} line */
  #ready({ cause }) {
    if (typeof cause !== "string") return true;
    const cut = cause.lastIndexOf("/");
    return (this.last.get(cause.slice(0, cut)) ?? 0) >= Number(cause.slice(cut + 1));
  }

  /** @param {Line} line */
  #blockOn({ node, cause }) {
    const home = cause.slice(0, cause.lastIndexOf("/"));
    const nodes = this.blocked.get(home) ?? new Set();
    nodes.add(node);
    this.blocked.set(home, nodes);
  }

  /** @param {Line} line @param {Line[]} out */
  #let(line, out) {
    const home = homeOf(line);
    this.last.set(home, line.seq);
    out.push(line);
    const nodes = this.blocked.get(home);
    if (nodes === undefined) return;
    for (const node of nodes) this.again.push(node);
    this.blocked.delete(home);
  }

  /** Let through what the last lines have set free, and what that sets free. @param {Line[]} out */
  #drain(out) {
    for (let node = this.again.pop(); node !== undefined; node = this.again.pop()) {
      const queue = this.waiting.get(node);
      if (queue === undefined) continue;
      while (queue.length > 0 && this.#ready(queue[0].line)) this.#let(/** @type {{line: Line}} */ (queue.shift()).line, out);
      if (queue.length === 0) this.waiting.delete(node);
      else this.#blockOn(queue[0].line);
    }
  }
}
