// From a line's name (n1/2/417) to its place, without a string per line.

import { roomier } from "./columns.js";

/** A list that may be this much longer than it is full; what is sparser goes into a map. */
const SPARE = 100_000;

export class Names {
  constructor() {
    /** @type {Map<string, {base: number, places: Int32Array, count: number, rest: Map<number, number>}>} */
    this.lists = new Map();
  }

  /**
   * @param {string} start node and incarnation: "n1/2" @param {number} seq @param {number} at
   */
  set(start, seq, at) {
    let list = this.lists.get(start);
    if (list === undefined) {
      // The log of a run may begin in the middle of a node's life.
      list = { base: seq, places: new Int32Array(64).fill(-1), count: 0, rest: new Map() };
      this.lists.set(start, list);
    }
    const place = seq - list.base;
    if (place < 0 || place > list.count * 4 + SPARE) return list.rest.set(seq, at);
    if (place >= list.places.length) {
      const wider = new Int32Array(Math.max(place + 1, roomier(list.places.length))).fill(-1);
      wider.set(list.places);
      list.places = wider;
    }
    list.places[place] = at;
    list.count += 1;
    return undefined;
  }

  /** @param {string} name @returns {number} -1 for none */
  get(name) {
    const cut = name.lastIndexOf("/");
    const list = this.lists.get(name.slice(0, cut));
    if (list === undefined) return -1;
    const seq = Number(name.slice(cut + 1));
    const place = seq - list.base;
    if (place >= 0 && place < list.places.length && list.places[place] >= 0) return list.places[place];
    return list.rest.get(seq) ?? -1;
  }
}
