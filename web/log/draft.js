// An index while it is written: its tables, the numbers of what they name, and
// the cluster as it is now. All parts of the indexer write into it: what becomes
// of messages (flights.js), of instances (notes.js), of nodes and walls
// (cluster.js).

/** @import {Catalogue, State, Value} from "./types.d.ts" */

import { POINTS, SHAPES, codesOf, emptyTables } from "./columns.js";
import { Codes } from "./codes.js";
import { Names } from "./names.js";
import { empty } from "./copies.js";

export const SHAPE = codesOf(SHAPES);
const POINT = codesOf(POINTS);

export class Draft extends Codes {
  /** @param {Catalogue} catalogue @param {string[]} members where something else than the log names them */
  constructor(catalogue, members) {
    super();
    this.catalogue = catalogue;
    this.tables = emptyTables();
    this.lines = this.tables.lines;
    this.flights = this.tables.flights;
    this.names = new Names();
    /** Nodes, faults and walls, without the turning points. @type {State} */
    this.world = empty(members);
    for (const node of this.world.members) this.nodeOf(node);
  }

  quorum() {
    return Math.floor(this.world.members.length / 2) + 1;
  }

  /** @param {number} at @param {number} shape @param {Value | null | undefined} value */
  mark(at, shape, value) {
    this.lines.columns.shape[at] = shape;
    this.lines.columns.value[at] = value === null || value === undefined ? -1 : this.valueOf(value);
  }

  /** @param {number} at @param {string} kind @param {number} instance */
  point(at, kind, instance) {
    const point = this.tables.points.add();
    this.tables.points.columns.at[point] = at;
    this.tables.points.columns.instance[point] = instance;
    this.tables.points.columns.kind[point] = POINT[kind];
  }

  /** The message that a line sent, -1 for none. @param {number} at */
  sentBy(at) {
    if (at < 0) return -1;
    const place = this.lines.columns.flight[at];
    return place >= 0 && this.flights.columns.sent[place] === at ? place : -1;
  }

  /** @param {number} place */
  isCut(place) {
    if (this.world.cuts.length === 0) return false;
    const { source, to } = this.flights.columns;
    return this.world.cuts.includes(`${this.nodes[source[place]]}>${this.nodes[to[place]]}`);
  }
}
