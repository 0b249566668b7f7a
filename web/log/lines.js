// Lines of the log: their names, their order, and what is wrong with them.
// The twin of paxos/events/lines.py.

/** @import {Line, Value, Catalogue} from "./types.d.ts" */

import { logWords } from "./words.js";

const { format } = logWords;

const NODE = /^(?:n[1-9][0-9]{0,15}|g[1-9]|orchestrator)$/;
const BALLOT = /^(0|[1-9][0-9]{0,15})\.(n(?:0|[1-9][0-9]{0,15})|g[1-9])$/;
const LINE = /^(?:n[1-9][0-9]{0,15}|g[1-9]|orchestrator)\/[1-9][0-9]{0,15}\/[1-9][0-9]{0,15}$/;

export const NO_BALLOT = "0.n0";
export const ORCHESTRATOR = "orchestrator";

/**
 * The name of a line, as other lines quote it in `cause`: `n1/2/417`.
 * @param {Line} line
 */
export function lineId(line) {
  return `${line.node}/${line.incarnation}/${line.seq}`;
}

/**
 * The number by which nodes are ordered: n5 is 5, g1 is 101, the orchestrator 0.
 * @param {string} name
 */
export function nodeKey(name) {
  return name === ORCHESTRATOR ? 0 : Number(name.slice(1)) + (name[0] === "g" ? 100 : 0);
}

/** @param {string} one @param {string} other */
export function compareNodes(one, other) {
  return nodeKey(one) - nodeKey(other);
}

/**
 * Ballots are ordered by round, then by node.
 * @param {string} one @param {string} other
 */
export function compareBallots(one, other) {
  const [a, b] = [BALLOT.exec(one), BALLOT.exec(other)];
  if (a === null || b === null) throw new Error(`no ballots: ${one}, ${other}`);
  return Number(a[1]) - Number(b[1]) || nodeKey(a[2]) - nodeKey(b[2]);
}

/**
 * A text that is equal for equal values, and only for those.
 * @param {Value} value
 */
export function valueKey(value) {
  return typeof value === "string" ? `text ${value}` : `long ${value.bytes} ${value.sha256}`;
}

/** @param {Value | null} one @param {Value | null} other */
export function sameValue(one, other) {
  if (one === null || other === null) return one === other;
  return valueKey(one) === valueKey(other);
}

/**
 * Equality of what JSON can hold.
 * @param {any} one @param {any} other @returns {boolean}
 */
export function equal(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]))
  );
}

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @param {any} value @param {...string} keys */
const hasExactly = (value, ...keys) =>
  isObject(value) && Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key));

/** @param {any} field */
const isText = (field) => typeof field === "string";
/** Whether something is a list of what fits. @type {(fits: (item: any) => boolean) => (field: any) => boolean} */
const lists = (fits) => (field) => Array.isArray(field) && field.every(fits);
/** @param {any} field */
const isNode = (field) => typeof field === "string" && NODE.test(field);
/** @param {any} field */
const isWay = (field) => Array.isArray(field) && field.length === 2 && field.every(isNode);
/** Whom a rule of a gate is about: a node by its name or number, or anybody. @param {any} field */
const isEnd = (field) => field === null || KINDS.int(field) || isNode(field);

/** @type {Record<string, (field: any) => boolean>} */
const OF_A_FAULT = {
  pairs: lists(isWay),
  ways: lists(isWay),
  groups: lists(lists(isNode)),
  sides: lists(lists(isNode)),
  from: lists(isNode),
  to: lists(isNode),
  kinds: lists(isText),
  fault: isText,
};
/** @type {Record<string, (field: any) => boolean>} */
const OF_A_RULE = {
  action: isText,
  source: isEnd,
  to: isEnd,
  kinds: lists(isText),
  first_instance: (field) => KINDS.int(field),
};
/**
 * Whether this is an object whose parts, as far as it has them, are as readers expect.
 * @param {Record<string, (field: any) => boolean>} parts @param {any} field
 */
const has = (parts, field) =>
  isObject(field) && Object.entries(parts).every(([name, fits]) => !Object.hasOwn(field, name) || fits(field[name]));

/** @type {Record<string, (field: any) => boolean>} */
const KINDS = {
  // What 63 bits hold; of a larger one a double keeps too little to be called an integer.
  int: (field) => Number.isInteger(field) && Math.abs(field) < 2 ** 63,
  instance: (field) => KINDS.int(field) && field >= 1,
  bool: (field) => typeof field === "boolean",
  text: isText,
  node: isNode,
  nodes: (field) =>
    Array.isArray(field) &&
    field.every(KINDS.node) &&
    field.every((name, index) => index === 0 || compareNodes(field[index - 1], name) < 0),
  ballot: (field) => typeof field === "string" && BALLOT.test(field),
  value: (field) =>
    typeof field === "string" ||
    (hasExactly(field, "bytes", "sha256") && KINDS.int(field.bytes) && /^[0-9a-f]{64}$/.test(field.sha256)),
  proposal: (field) => hasExactly(field, "ballot", "value") && KINDS.ballot(field.ballot) && KINDS.value(field.value),
  learned: (field) =>
    hasExactly(field, "ballot", "value", "acceptors") &&
    KINDS.ballot(field.ballot) &&
    KINDS.value(field.value) &&
    KINDS.nodes(field.acceptors),
  state: (field) =>
    isObject(field) &&
    Object.keys(field).every((role) => ["acceptor", "proposer", "learner"].includes(role)) &&
    (field.acceptor === undefined ||
      (hasExactly(field.acceptor, "promised", "accepted") &&
        KINDS.ballot(field.acceptor.promised) &&
        (field.acceptor.accepted === null || KINDS.proposal(field.acceptor.accepted)))),
  line: (field) => typeof field === "string" && LINE.test(field),
  fault: (field) => has(OF_A_FAULT, field),
  rules: lists((rule) => has(OF_A_RULE, rule)),
  numbers: (field) => isObject(field) && Object.values(field).every(KINDS.instance),
  object: (field) => typeof field === "object" && field !== null,
};

/** @param {string} kind @param {any} field */
function is(kind, field) {
  return kind.endsWith("?") ? field === null || KINDS[kind.slice(0, -1)](field) : KINDS[kind](field);
}

/**
 * The first thing that is wrong with a line by the catalogue, or null.
 * @param {Catalogue} catalogue
 * @param {any} line
 * @returns {string | null}
 */
export function problem(catalogue, line) {
  if (!isObject(line)) return format.noObject;
  if (typeof line.event !== "string" || !Object.hasOwn(catalogue.events, line.event)) {
    return format.noEvent(JSON.stringify(line.event));
  }
  const event = line.event;
  for (const [name, kind] of Object.entries(catalogue.header)) {
    if (!Object.hasOwn(line, name)) return format.lacks(event, name);
    if (!is(kind, line[name])) return format.otherKind(event, name, kind);
  }
  if (line.v !== catalogue.version) return format.otherVersion(line.v, catalogue.version);
  if (line.incarnation < 1 || line.seq < 1) return format.noCount(event);
  const fields = catalogue.events[event].fields;
  let known = Object.keys(catalogue.header).length;
  for (const [field, kind] of Object.entries(fields)) {
    const name = field.endsWith("?") ? field.slice(0, -1) : field;
    if (!Object.hasOwn(line, name)) {
      if (name === field) return format.lacks(event, name);
      continue;
    }
    known += 1;
    if (!is(kind, line[name])) return format.otherKind(event, name, kind);
  }
  if (known === Object.keys(line).length) return null;
  const names = new Set([...Object.keys(catalogue.header), ...Object.keys(fields).map((name) => name.replace("?", ""))]);
  return format.unknown(event, String(Object.keys(line).find((name) => !names.has(name))));
}

/**
 * The same question as `problem`, asked of many lines: a line that is right is
 * passed quickly, and of one that is not `problem` tells what is wrong.
 * @param {Catalogue} catalogue @returns {(line: any) => string | null}
 */
export function checker(catalogue) {
  const good = { node: new Set(), ballot: new Set() };
  /** @type {(known: Set<string>, kind: string) => (field: any) => boolean} */
  const remembering = (known, kind) => (field) => {
    if (known.has(field)) return true;
    if (!KINDS[kind](field)) return false;
    if (known.size < 10_000) known.add(field);
    return true;
  };
  /** @type {Record<string, (field: any) => boolean>} */
  const quick = { ...KINDS, node: remembering(good.node, "node"), ballot: remembering(good.ballot, "ballot") };
  const of = (/** @type {string} */ kind) => {
    const plain = quick[kind.replace("?", "")];
    return kind.endsWith("?") ? (/** @type {any} */ field) => field === null || plain(field) : plain;
  };
  const header = Object.entries(catalogue.header).map(([name, kind]) => /** @type {const} */ ([name, of(kind)]));
  const fields = new Map(
    Object.entries(catalogue.events).map(([event, entry]) => [
      event,
      Object.entries(entry.fields).map(([name, kind]) => /** @type {const} */ ([name.replace("?", ""), name.endsWith("?"), of(kind)])),
    ]),
  );
  /** @param {any} line */
  const passes = (line) => {
    const wanted = fields.get(line?.event);
    if (wanted === undefined || line.v !== catalogue.version || !(line.incarnation >= 1) || !(line.seq >= 1)) return false;
    for (const [name, fits] of header) if (!fits(line[name])) return false;
    let known = header.length;
    for (const [name, optional, fits] of wanted) {
      const field = line[name];
      if (field === undefined) {
        if (!optional) return false;
        continue;
      }
      if (!fits(field)) return false;
      known += 1;
    }
    for (const _ in line) known -= 1;
    return known === 0;
  };
  return (line) => (passes(line) ? null : problem(catalogue, line));
}
