// When nodes were up, and where walls stood: what concerns every instance. A part
// of the indexer, and the one that folds with the reducer itself.

/** @import {Line, State} from "./types.d.ts" */
/** @import {Draft} from "./draft.js" */
/** @import {Flights} from "./flights.js" */
/** @import {Notes} from "./notes.js" */

import { OPEN } from "./columns.js";
import { SHAPE } from "./draft.js";
import { ORCHESTRATOR } from "./lines.js";
import { empty, fold } from "./reducer.js";
import { WALLS } from "./walls.js";

/** What these say concerns every instance. */
const SHARED = new Set([
  "run_started", "node_started", "node_ready", "node_stopped", "failpoint_hit", "power_lost", "node_exited", "disk_read",
  "gate_changed", "fault_applied", "fault_undone",
]);

export class Cluster {
  /** @param {Draft} draft @param {Flights} flights @param {Notes} notes */
  constructor(draft, flights, notes) {
    this.draft = draft;
    this.flights = flights;
    this.notes = notes;
    /** @type {{node: string, status: string, how: string | null, from: number, to: number}[]} */ this.nodeSpans = [];
    /** @type {Map<string, number>} */ this.openNode = new Map();
    /** @type {{cuts: string[], from: number, to: number}[]} */ this.walls = [];
    /** Nodes that have been heard of. @type {Set<number>} */ this.heard = new Set();
    this.#seeNodes(empty(), 0);
  }

  /**
   * What a line says about nodes and walls.
   * @param {Line} line @param {number} at @param {number} node
   * @returns {boolean} whether it concerns every instance
   */
  see(line, at, node) {
    const known = this.heard.has(node) || line.node === ORCHESTRATOR;
    if (known && !SHARED.has(line.event)) return false;
    this.heard.add(node);
    const before = this.draft.world;
    // A disk that was read is about instances; of the first line of a node only counts that it is there.
    const folds = SHARED.has(line.event) && line.event !== "disk_read";
    const { v, incarnation, seq, at_ns } = line;
    const after = fold(before, folds ? line : { v, node: line.node, incarnation, seq, at_ns, event: "timer_set" });
    for (const { kind } of after.turning_points) this.draft.point(at, kind, 0);
    this.draft.world = { ...after, turning_points: [] };
    for (const member of after.members) this.draft.nodeOf(member);
    this.#seeNodes(before, at);
    if (before.cuts !== after.cuts) {
      if (this.walls.length > 0 && before.cuts.length > 0) this.walls[this.walls.length - 1].to = at;
      if (after.cuts.length > 0) this.walls.push({ cuts: after.cuts, from: at, to: OPEN });
    }
    for (const [name, view] of Object.entries(after.nodes)) {
      if (view.status === "down" && before.nodes[name]?.status !== "down") this.#loseProcess(name, line, at);
    }
    if (line.event === "node_started") {
      this.#loseProcess(line.node, line, at);
      this.flights.loseEarlier(line, at, node);
      this.draft.lines.columns.shape[at] = line.incarnation > 1 ? SHAPE.restart : SHAPE.start;
    }
    if (line.event === "fault_applied" && WALLS.has(line.fault)) this.flights.loseAtWalls(line, at);
    return true;
  }

  /** @param {State} before @param {number} at */
  #seeNodes(before, at) {
    for (const [node, view] of Object.entries(this.draft.world.nodes)) {
      if (before.nodes[node]?.status === view.status) continue;
      const open = this.openNode.get(node);
      if (open !== undefined) this.nodeSpans[open].to = at;
      this.openNode.set(node, this.nodeSpans.length);
      this.nodeSpans.push({ node, status: view.status, how: view.ended_by, from: open === undefined ? 0 : at, to: OPEN });
    }
  }

  /** Memory goes with its process, and so does what waits at its gate or is on its way to it. @param {string} name @param {Line} line @param {number} at */
  #loseProcess(name, line, at) {
    const node = this.draft.nodeOf(name);
    this.notes.loseProcess(node, at);
    this.flights.loseWithProcess(node, line, at);
  }
}
