// Between which nodes nothing gets through, from the faults that stand and the
// rules of the nodes' gates. See reducer.js.

/** @import {Fault, Line, State} from "./types.d.ts" */

import { compareNodes, equal } from "./lines.js";

/** Faults that build a wall. */
export const WALLS = new Set(["isolate", "partition", "cut", "cut one way"]);

/**
 * The fault that a `fault_undone` ends: the last one that fits it best.
 * @param {Fault[]} faults @param {Line} line
 */
export function lastFault(faults, line) {
  const same = (/** @type {Fault} */ one) => one.fault === line.fault && equal(one.targets, line.targets);
  const exact = faults.findLastIndex((one) => same(one) && equal(one.detail, line.detail));
  return exact >= 0 ? exact : faults.findLastIndex(same);
}

/**
 * Work out anew between which nodes nothing gets through.
 * @param {State} state @returns {State}
 */
export function withCuts(state) {
  /** @type {Set<string>} */
  const cuts = new Set();
  for (const fault of state.faults) {
    if (!WALLS.has(fault.fault)) continue;
    if (fault.fault === "cut one way") {
      for (const [source, to] of oneWay(fault, state.members)) cuts.add(`${source}>${to}`);
    } else {
      for (const [one, other] of bothWays(fault, state.members)) cuts.add(`${one}>${other}`).add(`${other}>${one}`);
    }
  }
  for (const [node, { gate }] of Object.entries(state.nodes)) {
    for (const rule of gate) cutByRule(state.members, node, rule, cuts);
  }
  const sorted = [...cuts].sort((one, other) => {
    const [a, b] = [one.split(">"), other.split(">")];
    return compareNodes(a[0], b[0]) || compareNodes(a[1], b[1]);
  });
  return equal(sorted, state.cuts) ? state : { ...state, cuts: sorted };
}

/**
 * The pairs between which nothing passes in either direction.
 * @param {Fault} fault @param {string[]} members @returns {string[][]}
 */
function bothWays({ fault, targets, detail }, members) {
  if (detail.pairs !== undefined) return detail.pairs;
  const rest = members.filter((node) => !targets.includes(node));
  if (fault === "isolate") return across([...targets.map((node) => [node]), rest]);
  return fault === "partition" ? across(detail.sides ?? [targets, rest]) : [];
}

/**
 * The pairs (source, addressee) of which the first cannot be heard by the second.
 * @param {Fault} fault @param {string[]} members @returns {string[][]}
 */
function oneWay({ detail }, members) {
  // A rule about some kinds of message only is no wall.
  if (detail.kinds !== undefined) return [];
  if (detail.ways !== undefined) return detail.ways;
  const targets = detail.to ?? members;
  return (detail.from ?? members).flatMap((/** @type {string} */ source) =>
    targets.filter((/** @type {string} */ to) => to !== source).map((/** @type {string} */ to) => [source, to]),
  );
}

/** @param {string[][]} sides @returns {string[][]} */
function across(sides) {
  return sides.flatMap((side, index) =>
    sides.slice(index + 1).flatMap((other) => side.flatMap((one) => other.map((another) => [one, another]))),
  );
}

/**
 * A rule of a node's gate that loses every message of every kind is a cut, too.
 * @param {string[]} members @param {string} node @param {any} rule @param {Set<string>} cuts
 */
function cutByRule(members, node, rule, cuts) {
  if (rule.action !== "cut" || (rule.kinds ?? []).length > 0 || rule.first_instance) return;
  const fits = (/** @type {any} */ wanted, /** @type {string} */ name) =>
    wanted === undefined || wanted === null || wanted === 0 || wanted === name || wanted === Number(name.slice(1));
  for (const other of members) {
    if (other === node) continue;
    if (fits(rule.source, node) && fits(rule.to, other)) cuts.add(`${node}>${other}`);
    if (fits(rule.source, other) && fits(rule.to, node)) cuts.add(`${other}>${node}`);
  }
}
