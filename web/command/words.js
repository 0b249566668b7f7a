// The English of commands: what can be done, and what was done.

/** @import {Step} from "./state.js" */

import { words } from "../words.js";

const { joined } = words;

/** @param {unknown} nodes */
const list = (nodes) => (nodes === "all" ? "every node" : Array.isArray(nodes) ? joined(nodes) : String(nodes));

/** @param {any} rule */
const way = ({ kinds, from, to }) =>
  [kinds ? [kinds].flat().join(", ") : "messages", from ? `from ${list(from)}` : "", to ? `to ${list(to)}` : ""].filter((part) => part !== "").join(" ");

/** @param {string} name @param {unknown} value */
const setting = (name, value) => {
  const what = (command.settings[name] ?? name).replace(" (ms)", "").toLowerCase();
  return `${what} to ${typeof value === "number" ? `${value} ms` : typeof value === "boolean" ? (value ? "yes" : "no") : (command.settingOptions[String(value)] ?? String(value))}`;
};

/** @type {Record<string, (body: any) => string>} */
const SAID = {
  propose: ({ value, at }) => `ask ${at} to have '${value}' chosen`,
  kill: (nodes) => `kill ${list(nodes)}`,
  start: (nodes) => `start ${list(nodes)}`,
  stop: (nodes) => `stop ${list(nodes)}`,
  restart: (nodes) => `restart ${list(nodes)}`,
  pause: (nodes) => `pause ${list(nodes)}`,
  resume: (nodes) => `resume ${list(nodes)}`,
  power_loss: (nodes) => `cut the power of ${list(nodes)}`,
  isolate: (node) => `isolate ${list(node)}`,
  partition: (sides) => `part ${sides.map((/** @type {string[]} */ side) => side.join(" ")).join(" | ")}`,
  cut: (ends) => `cut the cable between ${list(ends)}`,
  heal: (names) => (names === "all" ? "heal the network" : `heal ${list(names)}`),
  drop: (rule) => `drop ${rule.percent ?? 100} % of ${way(rule)}`,
  delay: (rule) => `delay ${way(rule)} by ${rule.delay_ms} ms`,
  duplicate: (rule) => `duplicate ${rule.percent ?? 100} % of ${way(rule)}`,
  reorder: (rule) => `reorder ${rule.percent ?? 100} % of ${way(rule)}`,
  hold: (rule) => `hold ${way(rule)}`,
  cut_one_way: (rule) => `lose ${way(rule)}`,
  release: ({ name, first }) => (first === undefined ? `release ${name}` : `let ${first} of ${name} go`),
  disk_fault: ({ node, fault }) => `${command.diskFaults[fault]?.toLowerCase() ?? fault} at ${node}`,
  failpoint: ({ node, point, kind, power }) => `${power ? "cut the power of" : "kill"} ${node} ${(command.failpoints[point] ?? point).toLowerCase()}${kind ? ` of a ${kind}` : ""}`,
  deliver: ({ kind, from, to, again }) => `deliver the ${kind} from ${from} to ${to}${again ? " again" : ""}`,
  fire: ({ node, timer }) => `let ${node}'s timer '${timer.replace("_", " ")}' run out`,
  drop_message: (name) => `drop the message ${name}`,
  duplicate_message: (name) => `duplicate the message ${name}`,
  deliver_message: (name) => `deliver the message ${name} now`,
  delay_message: ({ message, delay_ms }) => `delay the message ${message} by ${delay_ms} ms`,
  by_hand: () => "let every message and every timer wait for a hand",
  configure: (settings) => `set ${joined(Object.entries(settings).map(([name, value]) => setting(name, value)))} at every node`,
};

export const command = {
  /** A step in words. @param {Step} step */
  said: (step) => {
    const verb = Object.keys(step).find((name) => name in SAID);
    return verb === undefined ? JSON.stringify(step) : SAID[verb](step[verb]);
  },
  title: "Do something",
  /** @param {string} node */
  titleTo: (node) => `Do something to ${node}`,
  chooseFirst: "Choose a node, and what can be done to it stands here.",
  chooseNode: "Choose a node, here or on the ring:",
  toCluster: "To the network",
  toNode: "To a node",
  toAll: "To every node",
  configure: "Settings…",
  byHand: "By hand",
  configureHow: "What is left empty stays as it is.",
  asItIs: "as it is",
  settings: /** @type {Record<string, string>} */ ({
    number_scheme: "Numbers",
    patience_ms: "Patience (ms)",
    backoff: "Back off",
    backoff_base_ms: "First wait (ms)",
    backoff_most_ms: "Longest wait (ms)",
    own_ballots: "Own ballots",
  }),
  settingHints: /** @type {Record<string, string>} */ ({
    patience_ms: "How long a proposer waits for a quorum in either phase.",
    backoff_base_ms: "The longest wait before its second attempt; it doubles with every further one.",
    backoff_most_ms: "Where the doubling ends.",
  }),
  settingOptions: /** @type {Record<string, string>} */ ({ rounds: "round and node", interleaved: "interleaved", ranges: "a range for each", yes: "yes", no: "no" }),
  propose: "Propose…",
  kill: "Kill",
  start: "Start",
  stop: "Stop",
  restart: "Restart",
  pause: "Pause",
  resume: "Resume",
  powerLoss: "Power loss",
  isolate: "Isolate",
  disk: "Disk…",
  failpoint: "Crash at…",
  partition: "Partition…",
  cut: "Cut a cable…",
  heal: "Heal all",
  rule: "Messages…",
  release: "Release…",
  give: "Do it",
  leave: "Leave it",
  value: "Value",
  valueHint: "pear",
  instance: "Instance",
  instanceCurrent: "the current one",
  instanceNew: "a new one",
  what: "What",
  kinds: "Kind",
  anyKind: "every kind",
  from: "From",
  to: "To",
  anyone: "any node",
  percent: "Percent",
  delay: "Milliseconds",
  sides: "Choose who stands on one side. Or drag a line across the ring.",
  /** @param {string[]} one @param {string[]} other */
  sidesAre: (one, other) => (one.length === 0 || other.length === 0 ? "Both sides need a node." : `${one.join(" ")} | ${other.join(" ")}`),
  split: "Part them",
  ends: "Choose the two nodes at its ends.",
  /** @param {string[]} ends */
  endsAre: (ends) => (ends.length === 2 ? `${ends[0]} – ${ends[1]}` : "A cable has two ends."),
  cutIt: "Cut it",
  point: "When",
  crash: "How",
  crashes: { kill: "kill", power: "power loss" },
  rules: /** @type {Record<string, string>} */ ({
    drop: "Drop",
    delay: "Delay",
    duplicate: "Duplicate",
    reorder: "Reorder",
    hold: "Hold",
    cut_one_way: "Cut one way",
  }),
  diskFaults: /** @type {Record<string, string>} */ ({
    fail_sync: "Fail its next sync",
    tear: "Tear its last write",
    corrupt: "Corrupt a byte",
    lose: "Lose its disk",
  }),
  diskFaultHints: /** @type {Record<string, string>} */ ({
    fail_sync: "The next fdatasync fails, and the node must end.",
    tear: "Of what its next power loss takes, a first part stays.",
    corrupt: "A byte of its last record is another. The node must be down.",
    lose: "Its directory is empty. The node must be down.",
  }),
  failpoints: /** @type {Record<string, string>} */ ({
    before_write: "Before its next write",
    before_sync: "Before its next sync",
    after_sync: "After its next sync",
    between_sends: "Between two messages",
    after_reply: "After its next reply",
  }),
  hints: /** @type {Record<string, string>} */ ({
    kill: "Its memory is lost, its disk stays.",
    stop: "It may finish what it does, then its memory is lost.",
    restart: "It is stopped and started again: its memory is lost.",
    pause: "It stands still and keeps its memory. This is no crash.",
    power_loss: "Its memory is lost, and what was not synced to its disk.",
    isolate: "Every cable of it is cut.",
    by_hand: "From here on every message and every timer waits until you let it go.",
  }),
  nothingInForce: "Nothing is in force.",
  releaseOne: /** @param {string} name */ (name) => `Release ${name}`,
  releaseFirst: /** @param {string} name */ (name) => `Let the first of ${name} go`,
  healOne: /** @param {string} name */ (name) => `Heal ${name}`,
  /** @param {number} count */
  earlier: (count) => `${words.counted(count, "earlier command")}`,
  pending: "under way…",
  /** @param {string} world @param {string} what */
  liveNow: (world, what) => `These act on ${world === "docker" ? "real containers" : "real processes"}, now: ${what}`,
  /** What is hit, before it is done. @param {Step} step @param {string} where */
  hits: (step, where) => `This will ${command.said(step)} ${where}.`,
  /** @param {string} world @param {string[]} nodes */
  hitsWhere: (world, nodes) => (world === "docker" ? `(the container${nodes.length > 1 ? "s" : ""} of ${joined(nodes)})` : `(the process${nodes.length > 1 ? "es" : ""} of ${joined(nodes)})`),
  /** @param {number} at */
  forks: (at) => `You look back at event ${at.toLocaleString("en")}: a command here starts a branch, and the run stays beside it.`,
  goesOn: "The run plays on to its end, and what you command now is given there. Pause it to command something in between.",
  /** @param {number} at */
  inTurn: (at) => `You stand at event ${at.toLocaleString("en")}, where your command shows: a further one here belongs to the same branch. Play on to see what comes of it.`,
  toEnd: "Go to the end",
  /** @param {string[]} rules */
  brokenHere: (rules) => `✗ Here ${joined(rules)} ${rules.length === 1 ? "is" : "are"} broken. The run goes on all the same.`,
  toVerdict: "See what proves it",
};
