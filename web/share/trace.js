// A run in the trace-event format, which Perfetto and chrome://tracing open.
//
// A node is a process, its roles are threads. Each line is a slice on the
// thread of the role that it concerns, each message that arrived an arrow from
// slice to slice, each ballot a slice of its own, and what matters to everyone
// (a value chosen, a fault) an instant across all processes.
//
// The format's times are microseconds. In virtual time many lines share one
// instant, and slices of one thread must not overlap: a slice is a microsecond
// long and begins no sooner than what comes before it at its node, and than the
// sending of what it receives, has ended. So times may be late by as many
// microseconds as there are lines at that instant, and order is never lost.
//
// Perfetto reads events one after another: an arrow belongs to the slice that
// came last on its thread, so each stands right behind its own; a thread is
// named by its number alone, so no two of the file have the same, and that of
// a node's own process is the process's, which makes it the first. It looks
// for `ts` before it reads anything else, and older ones take no escape on the
// way there: `ts` stands before whatever a stranger wrote.

/** @import {Timeline, Flight} from "../log/timeline.js" */
/** @import {Line} from "../log/types.d.ts" */

import { ORCHESTRATOR, compareNodes, lineId } from "../log/lines.js";
import { narrate } from "../log/narration.js";
import { shortText } from "../log/values.js";
import { ShareError, lineOf, pace } from "./pace.js";
import { shareWords as words } from "./words.js";

/** More than this and the file has hundreds of megabytes. */
export const TRACE_MOST = 300_000;
const SLICE_US = 1;
/** Numbers of processes are so far apart, and threads have those between. */
const THREADS_MOST = 10;

/** @typedef {{timeline: Timeline, pids: Map<string, number>, starts: Float64Array, tids: Uint8Array}} Placed where each line's slice is */

/** The threads of a node, in the order in which they are shown. */
export const THREADS = ["process", "proposer", "acceptor", "learner"];
const PROPOSERS = THREADS.indexOf("proposer");
const PROPOSER = new Set(["propose_received", "propose_answered", "prepare_sent", "promise_received", "accept_sent", "nack_received"]);
const ACCEPTOR = new Set(["prepare_received", "promise_sent", "accept_received", "accepted_sent", "nack_sent"]);
const LEARNER = new Set([
  "accepted_received",
  "value_learned",
  "learn_sent",
  "learn_received",
  "learned_sent",
  "learned_received",
  "status_sent",
  "status_received",
  "instance_resumed",
]);
const LEARNERS_TIMERS = new Set(["resend", "ask"]);

/** The role that a line concerns. @param {Line} line @returns {string} */
export function threadOf(line) {
  if (PROPOSER.has(line.event)) return "proposer";
  if (ACCEPTOR.has(line.event)) return "acceptor";
  if (LEARNER.has(line.event)) return "learner";
  if (line.event === "state_persisted") return line.record === "acceptor" ? "acceptor" : "proposer";
  if (line.timer !== undefined) return LEARNERS_TIMERS.has(line.timer) ? "learner" : "proposer";
  return "process";
}

/**
 * @param {Timeline} timeline
 * @param {{title: string}} about
 * @returns {Promise<{traceEvents: any[], displayTimeUnit: string, otherData: any}>}
 */
export async function traceOf(timeline, { title }) {
  const count = timeline.length;
  if (count > TRACE_MOST) throw new ShareError(words.tooManyFor(words.formats.trace, count, TRACE_MOST));
  const breathe = pace();
  const pids = processesOf(timeline);
  const starts = await startsOf(timeline, breathe);
  const tids = new Uint8Array(count);
  /** @type {Placed} */
  const placed = { timeline, pids, starts, tids };
  /** @type {any[]} */
  const events = [...pids].flatMap(([node, pid]) => named(node, pid));
  for (let at = 0; at < count; at += 1) {
    const line = await lineOf(timeline, at);
    tids[at] = line.node === ORCHESTRATOR ? 0 : THREADS.indexOf(threadOf(line));
    const slice = { ...spot(placed, at), name: nameOf(line), cat: line.event };
    const args = { line: lineId(line), tells: narrate(timeline.catalogue, line), ...(line.cause === undefined ? {} : { cause: line.cause }) };
    events.push({ ph: "X", ...slice, dur: SLICE_US, args });
    if (line.event === "fault_applied" || line.event === "fault_undone") events.push(instant(line.event, args.tells, slice, "g"));
    if (line.event === "value_learned") events.push(instant("learned", args.tells, slice, "p"));
    await breathe();
  }
  for (let place = 0; place < timeline.flightCount; place += 1) {
    events.push(...flowOf(placed, timeline.flight(place), place));
    await breathe();
  }
  events.push(...choicesOf(placed), ...ballotsOf(placed), ...absencesOf(placed));
  // Readers take events as they come; in order of time, metadata first, none has to sort.
  events.sort((one, other) => (one.ts ?? -1) - (other.ts ?? -1) || ORDER[one.ph] - ORDER[other.ph]);
  return { traceEvents: events, displayTimeUnit: "ms", otherData: { title, order: words.traceOrder } };
}

/** So many events are written down at once. */
const PIECE = 1000;

/**
 * The trace as the parts of a file.
 * @param {Timeline} timeline @param {{title: string}} about
 * @returns {Promise<string[]>}
 */
export async function traceParts(timeline, about) {
  const { traceEvents, ...rest } = await traceOf(timeline, about);
  const breathe = pace();
  const parts = [`{${JSON.stringify(rest).slice(1, -1)},"traceEvents":[`];
  for (let at = 0; at < traceEvents.length; at += PIECE) {
    parts.push(at === 0 ? "\n" : ",\n", JSON.stringify(traceEvents.slice(at, at + PIECE)).slice(1, -1));
    await breathe();
  }
  return [...parts, "\n]}\n"];
}

/** At one instant: names, ends of what is over, slices, then what refers to them. @type {Record<string, number>} */
const ORDER = { M: 0, e: 1, b: 2, X: 3, i: 4, s: 5, f: 6 };

/** @param {Timeline} timeline @returns {Map<string, number>} by node */
function processesOf(timeline) {
  const nodes = new Set([...timeline.lanes]);
  for (let at = 0; at < timeline.length; at += 1) nodes.add(timeline.nodeOf(at));
  return new Map([...nodes].sort(compareNodes).map((node, place) => [node, (place + 1) * THREADS_MOST]));
}

/** @param {string} node @param {number} pid */
function named(node, pid) {
  const about = { ph: "M", pid, tid: pid };
  const threads = node === ORCHESTRATOR ? [words.orchestratorThread] : THREADS;
  return [
    { ...about, name: "process_name", args: { name: node } },
    { ...about, name: "process_sort_index", args: { sort_index: pid } },
    ...threads.flatMap((name, place) => [
      { ...about, tid: pid + place, name: "thread_name", args: { name } },
      { ...about, tid: pid + place, name: "thread_sort_index", args: { sort_index: place } },
    ]),
  ];
}

/**
 * When each line's slice begins, in microseconds since the first line.
 * @param {Timeline} timeline @param {() => Promise<void> | undefined} breathe
 */
async function startsOf(timeline, breathe) {
  const starts = new Float64Array(timeline.length);
  /** @type {Map<string, number>} when the last slice of a node ends */
  const free = new Map();
  for (let at = 0; at < starts.length; at += 1) {
    const node = timeline.nodeOf(at);
    const place = timeline.flightAt[at];
    const flight = place < 0 ? null : timeline.flight(place);
    const sent = flight !== null && flight.fate === "received" && flight.ended === at ? starts[flight.sent] + SLICE_US : 0;
    // Whole microseconds: sums of them are exact.
    starts[at] = Math.max(Math.round(timeline.ms[at] * 1000), free.get(node) ?? 0, sent);
    free.set(node, starts[at] + SLICE_US);
    await breathe();
  }
  return starts;
}

/** A line in two or three words. @param {Line} line */
function nameOf(line) {
  const kind = words.eventName(line.event);
  const about = line.ballot ?? line.timer ?? line.fault ?? line.of ?? "";
  return about === "" ? kind : `${kind} ${about}`;
}

/** @param {string} cat @param {string} name @param {any} slice @param {"g" | "p"} scope across everything, or one process */
function instant(cat, name, slice, scope) {
  return { ph: "i", ts: slice.ts, pid: slice.pid, tid: slice.tid, s: scope, name, cat };
}

/** Where a line's slice is. @param {Placed} placed @param {number} at */
function spot({ timeline, pids, starts, tids }, at) {
  const pid = /** @type {number} */ (pids.get(timeline.nodeOf(at)));
  return { ts: starts[at], pid, tid: pid + tids[at] };
}

/** @param {Placed} placed @param {Flight} flight @param {number} place */
function flowOf(placed, flight, place) {
  const name = words.messageName(flight.kind, flight.ballot ?? "");
  if (flight.fate !== "received") {
    return [instant("lost", words.lostMessage(flight.kind, flight.to, flight.fate), spot(placed, flight.sent), "p")];
  }
  const flow = { cat: "message", name, id: place + 1 };
  return [
    { ph: "s", ...spot(placed, flight.sent), ...flow },
    { ph: "f", ...spot(placed, flight.ended), bp: "e", ...flow },
  ];
}

/** @param {Placed} placed */
function choicesOf(placed) {
  return placed.timeline.chosen.map(({ at, value, ballot, acceptors }) =>
    instant("chosen", words.chosen(shortText(value), ballot, acceptors), spot(placed, at), "g"),
  );
}

/** @param {Placed} placed */
function ballotsOf({ timeline, pids, starts }) {
  return timeline.ballots.flatMap((span, place) => {
    const pid = /** @type {number} */ (pids.get(span.proposer));
    const about = { pid, tid: pid + PROPOSERS, cat: "ballot", id: `ballot ${place + 1}`, name: words.ballotSlice(span.ballot, span.end) };
    const [from, to] = reach(starts, span);
    return [
      { ph: "b", ts: from, ...about, args: { instance: span.instance } },
      { ph: "e", ts: to, ...about },
    ];
  });
}

/** When a node was down or paused. @param {Placed} placed */
function absencesOf({ timeline, pids, starts }) {
  return timeline.nodeSpans
    .filter((span) => span.status === "down" || span.status === "paused")
    .flatMap((span, place) => {
      const pid = pids.get(span.node);
      const about = { pid, tid: pid, cat: "node", id: `absence ${place + 1}`, name: words.absence(span.status, span.how) };
      const [from, to] = reach(starts, span);
      return [
        { ph: "b", ts: from, ...about },
        { ph: "e", ts: to, ...about },
      ];
    });
}

/** From when to when; what is still so when the log ends lasts until then. @param {Float64Array} starts @param {{from: number, to: number}} span */
function reach(starts, span) {
  return [starts[span.from], Math.max(starts[Math.min(span.to, starts.length - 1)], starts[span.from]) + SLICE_US];
}
