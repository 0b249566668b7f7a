// States and their small copies: the next state is made of the one before it and
// shares with it what has not changed. See reducer.js.

/** @import {AcceptorView, BallotView, InstanceView, Memory, NodeView, State} from "./types.d.ts" */

import { NO_BALLOT, compareNodes } from "./lines.js";

/** @type {Memory} */
export const BLANK = { promised: NO_BALLOT, accepted: null };

/**
 * The state before the first line.
 * @param {string[]} [members] the acceptors, where something else than the log has named them
 * @returns {State}
 */
export function empty(members = []) {
  /** @type {State} */
  const state = {
    line_count: 0,
    last: null,
    run: null,
    members: [],
    nodes: {},
    instances: {},
    messages: [],
    failed_calls: [],
    lost_count: 0,
    faults: [],
    cuts: [],
    turning_points: [],
  };
  return withMembers(state, members);
}

/**
 * How many acceptors make a quorum.
 * @param {State} state
 */
export function quorum(state) {
  return Math.floor(state.members.length / 2) + 1;
}

/** @param {State} state @param {string[]} members @returns {State} */
export function withMembers(state, members) {
  const missing = members.filter((node) => !state.members.includes(node));
  if (missing.length === 0) return state;
  const all = [...state.members, ...missing].sort(compareNodes);
  const unseen = { status: "unseen", incarnation: 1, ended_by: null, gate: [] };
  const nodes = Object.fromEntries(all.map((node) => [node, state.nodes[node] ?? unseen]));
  return { ...state, members: all, nodes: { ...state.nodes, ...nodes } };
}

/** @param {State} state @param {string} node @param {Partial<NodeView>} change @returns {State} */
export function withNode(state, node, change) {
  /** @type {NodeView} */
  const unseen = { status: "unseen", incarnation: 1, ended_by: null, gate: [] };
  return { ...state, nodes: { ...state.nodes, [node]: { ...(state.nodes[node] ?? unseen), ...change } } };
}

/**
 * What is so in one instance; the state of one that nobody has touched, if so.
 * @param {State} state @param {number | string} instance @returns {InstanceView}
 */
export function instanceOf(state, instance) {
  return (
    state.instances[instance] ?? {
      acceptors: {},
      proposers: {},
      ballots: {},
      learned: {},
      learned_at: [],
      chosen: [],
      answering: {},
    }
  );
}

/** @param {State} state @param {number | string} instance @param {Partial<InstanceView>} change @returns {State} */
export function withInstance(state, instance, change) {
  return { ...state, instances: { ...state.instances, [instance]: { ...instanceOf(state, instance), ...change } } };
}

/** @param {State} state @param {number | string} instance @param {string} node @returns {AcceptorView} */
export function acceptorOf(state, instance, node) {
  return instanceOf(state, instance).acceptors[node] ?? { memory: BLANK, disk: BLANK };
}

/** @param {State} state @param {number | string} instance @param {string} node @param {AcceptorView} view */
export function withAcceptor(state, instance, node, view) {
  return withInstance(state, instance, { acceptors: { ...instanceOf(state, instance).acceptors, [node]: view } });
}

/** @param {State} state @param {number | string} instance @param {string} ballot @returns {BallotView} */
export function ballotOf(state, instance, ballot) {
  return (
    instanceOf(state, instance).ballots[ballot] ?? {
      proposer: ballot.slice(ballot.indexOf(".") + 1),
      value: null,
      reported_by: null,
      wanted: null,
      promised: [],
      promises_heard: [],
      accepted: [],
      accepts_heard: [],
      refused_by: [],
    }
  );
}

/** @param {State} state @param {number | string} instance @param {string} ballot @param {Partial<BallotView>} change */
export function withBallot(state, instance, ballot, change) {
  const ballots = { ...instanceOf(state, instance).ballots, [ballot]: { ...ballotOf(state, instance, ballot), ...change } };
  return withInstance(state, instance, { ballots });
}

/** @param {State} state @param {string} line @param {string} kind @param {number | null} instance @returns {State} */
export function turned(state, line, kind, instance) {
  return { ...state, turning_points: [...state.turning_points, { line, kind, instance }] };
}

/** @param {string[]} nodes @param {string} node */
export function added(nodes, node) {
  return nodes.includes(node) ? nodes : [...nodes, node].sort(compareNodes);
}

/** @template T @param {Record<string, T>} record @param {string} key @returns {Record<string, T>} */
export function without(record, key) {
  const { [key]: _, ...rest } = record;
  return rest;
}
