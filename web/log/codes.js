// Numbers for what the columns name: nodes, ballots, values and quorums, in the
// order in which they appear.

/** @import {Value} from "./types.d.ts" */

import { NO_BALLOT, compareNodes } from "./lines.js";
import { logWords } from "./words.js";

/** Nodes fit into 8 bits. */
const NODE_LIMIT = 255;

/** A log that is of this format, but too large in some number. */
export class TooLarge extends Error {}

export class Codes {
  constructor() {
    /** @type {string[]} */ this.nodes = [];
    /** @type {Map<string, number>} */ this.nodeCode = new Map();
    /** @type {string[]} */ this.ballots = [];
    /** @type {Map<string, number>} */ this.ballotCode = new Map();
    /** @type {Value[]} */ this.values = [];
    /** @type {Map<string, number>} */ this.textCode = new Map();
    /** @type {Map<string, number>} */ this.longCode = new Map();
    /** @type {string[][]} */ this.quorums = [];
    /** @type {Map<string, number>} */ this.quorumCode = new Map();
    this.ballotOf(NO_BALLOT);
  }

  /** @param {string} name */
  nodeOf(name) {
    const known = this.nodeCode.get(name);
    if (known !== undefined) return known;
    if (this.nodes.length === NODE_LIMIT) throw new TooLarge(logWords.tooManyNodes(NODE_LIMIT));
    this.nodeCode.set(name, this.nodes.length);
    return this.nodes.push(name) - 1;
  }

  /** @param {string} ballot */
  ballotOf(ballot) {
    const known = this.ballotCode.get(ballot);
    if (known !== undefined) return known;
    this.ballotCode.set(ballot, this.ballots.length);
    return this.ballots.push(ballot) - 1;
  }

  /** @param {Value} value */
  valueOf(value) {
    const [codes, key] = typeof value === "string" ? [this.textCode, value] : [this.longCode, `${value.bytes} ${value.sha256}`];
    const known = codes.get(key);
    if (known !== undefined) return known;
    codes.set(key, this.values.length);
    return this.values.push(value) - 1;
  }

  /** @param {number[]} acceptors */
  quorumOf(acceptors) {
    const names = acceptors.map((node) => this.nodes[node]).sort(compareNodes);
    const key = names.join(" ");
    const known = this.quorumCode.get(key);
    if (known !== undefined) return known;
    this.quorumCode.set(key, this.quorums.length);
    return this.quorums.push(names) - 1;
  }
}
