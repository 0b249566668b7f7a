// The reducer: from a state and one line of the log to the next state.
//
// It is pure. A state is plain JSON, is never changed once it exists, and
// shares with its predecessor what a line did not touch, so that the page can
// keep many of them and go backwards. paxos/events/fold.py is its twin: tests
// hold both to the same states, line by line, so change them together.
//
// The state is omniscient: it tells what is so in the cluster as far as the
// lines say, not what any one node knows. What is *chosen* follows
// docs/log-format.md's words: a majority on disk at one ballot, or the reply
// where one runs ahead of the disk.
//
// How states are copied stands in copies.js, where walls are in walls.js.

/** @import {InstanceView, Line, Message, NodeView, Proposal, State} from "./types.d.ts" */

import {
  BLANK, acceptorOf, added, ballotOf, instanceOf, quorum, turned, withAcceptor, withBallot, withInstance, withMembers, withNode, without,
} from "./copies.js";
import { NO_BALLOT, ORCHESTRATOR, lineId, sameValue } from "./lines.js";
import { WALLS, lastFault, withCuts } from "./walls.js";

export { empty, instanceOf, quorum } from "./copies.js";

/** Kinds of message that answer another one. */
const REPLIES = new Set(["promise", "accepted", "nack", "learned"]);
/** Faults that end a process. */
const CRASHES = new Set(["kill", "stop", "power_loss"]);

/**
 * Fold one line.
 * @param {State} state
 * @param {Line} line
 * @returns {State}
 */
export function fold(state, line) {
  const id = lineId(line);
  const next = heard({ ...state, line_count: state.line_count + 1, last: id }, line);
  const handler = HANDLERS[line.event];
  if (handler !== undefined) return handler(next, line, id);
  if (line.event.endsWith("_sent")) return onSent(next, line, id);
  if (line.event.endsWith("_received")) return onReceived(next, line);
  return remembered(next, line);
}

/** @type {Record<string, (state: State, line: Line, id: string) => State>} */
const HANDLERS = {
  run_started: (state, line) => ({
    ...withMembers(state, line.members),
    run: { run: line.run, scenario: line.scenario, title: line.title, world: line.world },
  }),

  node_started(state, line, id) {
    const again = line.incarnation > 1;
    let next = lostWithProcess(withMembers(state, line.members), line.node);
    next = withNode(next, line.node, { status: "up", incarnation: line.incarnation, ended_by: null, gate: [] });
    // What an earlier incarnation sent and nobody has received died with its connections.
    const old = (/** @type {Message} */ message) =>
      message.source === line.node && Number(message.line.split("/")[1]) < line.incarnation;
    next = lost(withCuts(next), old);
    return again ? turned(next, id, "restart", null) : next;
  },

  state_recovered(state, line, id) {
    const disk = { promised: line.promised, accepted: line.accepted };
    let next = withAcceptor(state, line.instance, line.node, { memory: disk, disk });
    next = accepted(next, line.instance, line.node, line.accepted, id);
    if (line.learned === null) return next;
    // It knew this before, so this is no moment of learning.
    const known = { ...instanceOf(next, line.instance).learned, [line.node]: line.learned };
    return withInstance(next, line.instance, { learned: known });
  },

  node_ready(state, line) {
    // What was not recovered was not on disk.
    let next = state;
    for (const [instance, view] of Object.entries(state.instances)) {
      if (view.acceptors[line.node]?.memory === null) {
        next = withAcceptor(next, instance, line.node, { memory: BLANK, disk: BLANK });
      }
    }
    return next;
  },

  node_stopped: (state, line, id) => ended(state, line.node, "stop", id),
  failpoint_hit: (state, line, id) => ended(state, line.node, line.power === true ? "power_loss" : "failpoint", id),
  power_lost: (state, line, id) => ended(state, line.node, "power_loss", id),
  node_exited: (state, line, id) => ended(state, line.of, "exit", id),

  disk_read(state, line, id) {
    let next = state;
    for (const { instance, promised, accepted: pair } of line.instances) {
      const memory = next.instances[instance]?.acceptors[line.of]?.memory ?? null;
      next = withAcceptor(next, instance, line.of, { memory, disk: { promised, accepted: pair } });
      next = accepted(next, instance, line.of, pair, id);
    }
    return next;
  },

  propose_received: (state, line, id) => turned(remembered(state, line), id, "propose", line.instance),

  state_persisted(state, line, id) {
    if (line.record !== "acceptor") return state;
    // A log of another program may leave out that nothing was promised.
    const disk = { promised: line.promised ?? NO_BALLOT, accepted: line.accepted ?? null };
    const memory = acceptorOf(state, line.instance, line.node).memory;
    const next = withAcceptor(state, line.instance, line.node, { memory, disk });
    return accepted(next, line.instance, line.node, disk.accepted, id);
  },

  value_learned(state, line, id) {
    const known = { ballot: line.ballot, value: line.value, acceptors: line.acceptors };
    return learned(state, line.instance, line.node, known, id);
  },

  call_failed(state, line) {
    const { message } = line;
    const next = { ...state, failed_calls: [...state.failed_calls, message] };
    return lost(next, (flight) => flight.line === message || flight.in_reply_to === message);
  },

  message_dropped: (state, line) => lost(state, (flight) => flight.line === line.message),
  message_held: (state, line) => withHeld(state, line.message, line.node),
  message_released: (state, line) => withHeld(state, line.message, null),

  gate_changed: (state, line) =>
    withCuts(withNode(state, line.node, { gate: Array.isArray(line.rules) ? line.rules : [] })),

  fault_applied(state, line, id) {
    const { fault, targets, mechanism, detail } = line;
    const added = { ...state, faults: [...state.faults, { fault, targets, mechanism, detail, line: id }] };
    if (CRASHES.has(fault)) {
      return targets.reduce((/** @type {State} */ next, /** @type {string} */ node) => ended(next, node, fault, id), added);
    }
    if (fault === "pause") return turned(withStatus(added, targets, "up", "paused"), id, "pause", null);
    if (WALLS.has(fault)) return turned(lostAtWalls(withCuts(added)), id, "wall", null);
    return added;
  },

  fault_undone(state, line, id) {
    const index = lastFault(state.faults, line);
    const faults = state.faults.filter((_, position) => position !== index);
    const next = { ...state, faults };
    if (line.fault === "pause") return turned(withStatus(next, line.targets, "paused", "up"), id, "resume", null);
    if (WALLS.has(line.fault)) return turned(withCuts(next), id, "heal", null);
    return next;
  },
};

/* --- messages ------------------------------------------------------------------ */

/** @param {State} state @param {Line} line @param {string} id @returns {State} */
function onSent(state, line, id) {
  const kind = line.event.slice(0, -"_sent".length);
  const instance = line.instance ?? null;
  const answers = instance === null ? undefined : state.instances[instance]?.answering[line.node];
  const message = {
    line: id,
    kind,
    source: line.node,
    to: line.to,
    instance,
    ballot: line.ballot ?? null,
    value: line.value ?? null,
    accepted: line.accepted ?? null,
    promised: line.promised ?? null,
    in_reply_to: REPLIES.has(kind) ? (answers ?? null) : null,
    held_at: null,
  };
  const next = { ...state, messages: [...state.messages, message] };
  const marked = instance === null ? next : marks(next, kind, line, id);
  // A guest keeps no log: nothing will ever tell that it received this. Whoever
  // waited for this reply may have given up before it was sent. And nothing
  // gets through a wall.
  const hopeless =
    line.to.startsWith("g") ||
    state.failed_calls.includes(message.in_reply_to ?? "") ||
    state.cuts.includes(`${line.node}>${line.to}`);
  return hopeless ? lost(marked, (flight) => flight.line === id) : marked;
}

/**
 * What a message that was sent says about its ballot.
 * @param {State} state @param {string} kind @param {Line} line @param {string} id @returns {State}
 */
function marks(state, kind, line, id) {
  const { instance, node, ballot } = line;
  switch (kind) {
    case "prepare":
      return withBallot(state, instance, ballot, {});
    case "promise":
      return withBallot(state, instance, ballot, { promised: added(ballotOf(state, instance, ballot).promised, node) });
    case "nack":
      return withBallot(state, instance, ballot, {
        refused_by: added(ballotOf(state, instance, ballot).refused_by, node),
      });
    case "accept":
      return pushes(state, line, id);
    case "accepted":
      return accepted(state, instance, node, { ballot, value: line.value }, id);
    default:
      return state;
  }
}

/** @param {State} state @param {Line} line @param {string} id @returns {State} */
function pushes(state, line, id) {
  const { instance, ballot, value } = line;
  const first = ballotOf(state, instance, ballot).value === null;
  const next = withBallot(state, instance, ballot, {
    value,
    reported_by: line.reported_by ?? null,
    wanted: line.wanted ?? null,
  });
  return first && line.wanted !== undefined ? turned(next, id, "yield", instance) : next;
}

/** @param {State} state @param {Line} line @returns {State} */
function onReceived(state, line) {
  const { cause, instance } = line;
  let next = state;
  if (cause !== undefined) {
    const messages = state.messages.filter((message) => message.line !== cause);
    if (messages.length !== state.messages.length) next = { ...next, messages };
  }
  next = remembered(next, line);
  if (instance === undefined) return next;
  if (cause !== undefined) {
    const answering = { ...instanceOf(next, instance).answering, [line.node]: cause };
    next = withInstance(next, instance, { answering });
  }
  return line.ignored === undefined ? heardReply(next, line) : next;
}

/**
 * How far a proposer's quorum has come with a reply. The line tells; a log made
 * by others may not.
 * @param {State} state @param {Line} line @returns {State}
 */
function heardReply(state, line) {
  const { instance, ballot, source } = line;
  if (line.event === "promise_received") {
    const { promises_heard } = ballotOf(state, instance, ballot);
    const have = line.have ?? added(promises_heard, source);
    const need = line.quorum ?? quorum(state);
    const next = withBallot(state, instance, ballot, { promises_heard: have });
    const complete = promises_heard.length < need && have.length >= need;
    return complete ? turned(next, lineId(line), "quorum", instance) : next;
  }
  if (line.event !== "accepted_received") return state;
  const have = line.have ?? added(ballotOf(state, instance, ballot).accepts_heard, source);
  return withBallot(state, instance, ballot, { accepts_heard: have });
}

/**
 * Take messages out of flight that will never arrive.
 * @param {State} state @param {(message: Message) => boolean} fits @returns {State}
 */
function lost(state, fits) {
  const messages = state.messages.filter((message) => !fits(message));
  const count = state.messages.length - messages.length;
  return count === 0 ? state : { ...state, messages, lost_count: state.lost_count + count };
}

/** @param {State} state @returns {State} */
function lostAtWalls(state) {
  return lost(state, ({ source, to, held_at }) => held_at === null && state.cuts.includes(`${source}>${to}`));
}

/** @param {State} state @param {string | null} id @param {string | null} node @returns {State} */
function withHeld(state, id, node) {
  const messages = state.messages.map((message) => (message.line === id ? { ...message, held_at: node } : message));
  return { ...state, messages };
}

/* --- what acceptors, proposers and learners remember ----------------------------- */

/**
 * Adopt the state that a step left in memory.
 * @param {State} state @param {Line} line @returns {State}
 */
function remembered(state, line) {
  if (line.after === undefined || line.instance === undefined) return state;
  const { acceptor, proposer } = line.after;
  let next = state;
  if (acceptor !== undefined) {
    const { disk } = acceptorOf(state, line.instance, line.node);
    next = withAcceptor(next, line.instance, line.node, { memory: acceptor, disk });
  }
  if (proposer !== undefined) {
    const view = {
      phase: proposer.phase,
      ballot: proposer.ballot,
      attempt: proposer.attempt,
      wanted: proposer.wishes?.[0]?.value ?? null,
    };
    const proposers = { ...instanceOf(next, line.instance).proposers, [line.node]: view };
    next = withInstance(next, line.instance, { proposers });
  }
  return next;
}

/**
 * An acceptor has accepted a pair: it is durable, or the reply was sent. The
 * quorum's last one makes the value chosen.
 * @param {State} state @param {number | string} instance @param {string} node
 * @param {Proposal | null} pair @param {string} id @returns {State}
 */
function accepted(state, instance, node, pair, id) {
  if (pair === null) return state;
  const { ballot, value } = pair;
  const tallies = ballotOf(state, instance, ballot).accepted;
  const found = tallies.find((tally) => sameValue(tally.value, value));
  if (found?.acceptors.includes(node)) return state;
  const tally = { value, acceptors: added(found?.acceptors ?? [], node) };
  const next = withBallot(state, instance, ballot, {
    accepted: found === undefined ? [...tallies, tally] : tallies.map((one) => (one === found ? tally : one)),
  });
  const { chosen } = instanceOf(next, instance);
  if (tally.acceptors.length < quorum(state) || chosen.some((one) => sameValue(one.value, value))) return next;
  const choice = { ballot, value, acceptors: tally.acceptors, line: id };
  const kind = chosen.length === 0 ? "chosen" : "violation";
  return turned(withInstance(next, instance, { chosen: [...chosen, choice] }), id, kind, Number(instance));
}

/**
 * @param {State} state @param {number} instance @param {string} node
 * @param {import("./types.d.ts").Learned} known @param {string} id @returns {State}
 */
function learned(state, instance, node, known, id) {
  const view = instanceOf(state, instance);
  const next = withInstance(state, instance, { learned: { ...view.learned, [node]: known } });
  if (view.learned_at.some((one) => one.node === node)) return next;
  const learned_at = [...view.learned_at, { node, value: known.value, line: id }];
  const noted = withInstance(next, instance, { learned_at });
  const same = (/** @type {{value: import("./types.d.ts").Value}} */ one) => sameValue(one.value, known.value);
  if (!view.learned_at.every(same) || (view.chosen.length > 0 && !view.chosen.some(same))) {
    return turned(noted, id, "violation", instance);
  }
  if (learned_at.length === 1) return turned(noted, id, "learned", instance);
  return learned_at.length === state.members.length ? turned(noted, id, "all_learned", instance) : noted;
}

/* --- nodes, crashes, walls ------------------------------------------------------- */

/**
 * Any line tells that its node lives, and names nodes.
 * @param {State} state @param {Line} line @returns {State}
 */
function heard(state, line) {
  const { node } = line;
  if (node === ORCHESTRATOR) return state;
  const known = state.nodes[node];
  if (known !== undefined && known.status !== "unseen") return state;
  const next = state.members.length === 0 && node.startsWith("n") ? withMembers(state, [node]) : state;
  return withNode(next, node, { status: "up", incarnation: line.incarnation });
}

/** @param {State} state @param {string} node @param {string} how @param {string} id @returns {State} */
function ended(state, node, how, id) {
  const view = state.nodes[node];
  const already = view !== undefined && view.status === "down";
  // The first word is the vaguest where only the exit was seen from outside.
  if (already) return view.ended_by === "exit" ? withNode(state, node, { ended_by: how }) : state;
  const next = lostWithProcess(withNode(state, node, { status: "down", ended_by: how, gate: [] }), node);
  return turned(withCuts(next), id, "kill", null);
}

/**
 * Memory goes with its process, and so does what waits at its gate or is on its way to it.
 * @param {State} state @param {string} node @returns {State}
 */
function lostWithProcess(state, node) {
  let next = state;
  for (const [instance, view] of Object.entries(state.instances)) {
    /** @type {Partial<InstanceView>} */
    const change = {};
    const acceptor = view.acceptors[node];
    if (acceptor !== undefined && acceptor.memory !== null) {
      change.acceptors = { ...view.acceptors, [node]: { ...acceptor, memory: null } };
    }
    if (Object.hasOwn(view.proposers, node)) change.proposers = without(view.proposers, node);
    if (Object.hasOwn(view.learned, node)) change.learned = without(view.learned, node);
    if (Object.hasOwn(view.answering, node)) change.answering = without(view.answering, node);
    if (Object.keys(change).length > 0) next = withInstance(next, instance, change);
  }
  return lost(next, ({ to, held_at }) => held_at === node || (to === node && held_at === null));
}

/**
 * @param {State} state @param {string[]} targets @param {NodeView["status"]} from
 * @param {NodeView["status"]} status @returns {State}
 */
function withStatus(state, targets, from, status) {
  return targets.reduce(
    (next, node) => (next.nodes[node]?.status === from ? withNode(next, node, { status }) : next),
    state,
  );
}
