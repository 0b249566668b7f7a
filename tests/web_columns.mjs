// What the page's indexer makes of logs, for tests/test_columns.py.
// Takes a request as JSON on standard input and answers it as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { POINTS, SHAPES, digestOf, samplePlaces } from "../web/log/columns.js";
import { checker, equal, problem } from "../web/log/lines.js";
import { LogReader } from "../web/log/reading.js";
import { empty, fold } from "../web/log/reducer.js";
import { buildTimeline, extended, stateAt } from "../web/log/timeline.js";
import { LineStore } from "../web/log/store.js";
import { MemoryLines } from "../web/log/memory.js";
import { makePanels } from "../web/shell/panels.js";

const request = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));

const answers = {
  /** Index a file, read in pieces of some size; the index is written to `to`. */
  index({ from, to, piece, members }) {
    const data = readFileSync(from);
    const reader = new LogReader(catalogue, "events.jsonl", members ?? []);
    try {
      for (let at = 0; at < data.length; at += piece) reader.take(new Uint8Array(data.subarray(at, at + piece)));
      const samples = samplePlaces(data.length).map(([begin, end]) => data.subarray(begin, end));
      writeFileSync(to, Buffer.from(reader.end(data.length, digestOf(samples))));
      return null;
    } catch (error) {
      return error.message;
    }
  },
  /** What differs between the columns and a fold of the whole log, as sentences. */
  differences({ lines, step, members, spoil }) {
    let timeline = buildTimeline(catalogue, { lines: lines.slice(0, step), meta: members === undefined ? null : { members }, verdict: null });
    for (let at = step; at < lines.length; at += step) timeline = extended(timeline, lines.slice(at, at + step));
    // A planted fault: one number of one column is another.
    if (spoil !== undefined) timeline.core.tables[spoil[0]].columns[spoil[1]][spoil[2]] += 1;
    return [...compare(timeline, lines, members ?? [])];
  },
  /** A run that grows for long: which of its lines are at hand, and that all of them come back. */
  async memory({ count }) {
    const kept = new MemoryLines();
    const line = (at) => ({ v: 1, node: "n1", incarnation: 1, seq: at + 1, at_ns: at, event: "node_ready", instance_count: 0 });
    for (let at = 0; at < count; at += 1) kept.push(line(at), at === 7);
    const atHand = [0, 7, count - 1].map((at) => kept.get(at)?.seq ?? null);
    await new Promise((done) => ((kept.changed = done), kept.get(0)));
    const text = await kept.text(1_020, 1_030);
    return { atHand, back: kept.get(0).seq, text: text.trimEnd().split("\n").map((row) => JSON.parse(row).seq) };
  },
  /** How many lines are read for the state of the newest instance, once that of the one before is known; how many are its own, and how many concern every instance. */
  asked({ lines }) {
    const { core, length } = buildTimeline(catalogue, { lines, meta: null, verdict: null });
    const [before, newest] = core.instances.slice(-2);
    core.states.at(core, length, core.firstAt.get(newest), before);
    const lineAt = core.lineAt;
    let asked = 0;
    core.lineAt = (at) => ((asked += 1), lineAt(at));
    core.states.at(core, length, length - 1, newest);
    const first = asked;
    core.states.at(core, length, length - 1, newest);
    const begin = core.firstAt.get(newest);
    const own = lines.slice(begin).filter(({ instance }) => instance === newest).length;
    const shared = [...core.tables.shared.full("at")];
    return { first, again: asked - first, own, shared: shared.length, meanwhile: shared.filter((at) => at >= begin).length };
  },
  /** What the panels are drawn for, frame by frame: each frame is what has changed, and how much later it is. */
  panels({ frames }) {
    let [now, later] = [0, 0];
    globalThis.window = { setTimeout: () => (later += 1), clearTimeout() {} };
    globalThis.performance = { now: () => now };
    const panels = makePanels(() => {});
    let app = { left: 0, scale: 1, cursor: 0, hover: -1, timeline: { core: 1, said: 1, length: 1 }, live: { received: 1, following: true, feed: "open" } };
    return frames.map(({ ms, spoil, lines, live, ...change }) => {
      now += ms;
      if (spoil) panels.spoil();
      const timeline = { ...app.timeline, length: app.timeline.length + (lines ?? 0) };
      const grown = lines === undefined ? {} : { timeline, live: { ...app.live, received: timeline.length, ...live } };
      app = { ...app, ...grown, ...change };
      const due = panels.due(app);
      return due ? "drawn" : later > 0 ? "later" : "not";
    });
  },
  /** Lines of a long log, by their places: what is there at once, and after it was waited for. */
  async store({ file, places }) {
    const data = readFileSync(file);
    const sizes = Int32Array.from(data.toString("utf-8").trimEnd().split("\n"), (row) => Buffer.byteLength(row) + 1);
    let reads = 0;
    const read = async (from, to) => ((reads += 1), data.subarray(from, to).toString("utf-8"));
    const store = new LineStore(sizes, sizes.length, read, () => {});
    const first = store.line(places[0]) ?? null;
    await store.want(places);
    return { first, reads, lines: places.map((at) => store.line(at)), text: await store.text(500, 520) };
  },
  /** Lines of which the quick check says something else than the thorough one. */
  checks: ({ lines }) => lines.filter((line) => checker(catalogue)(line) !== problem(catalogue, line)),
};

/** @param {import("../web/log/timeline.js").Timeline} timeline @param {any[]} lines @param {string[]} members */
function* compare(timeline, lines, members) {
  const { core } = timeline;
  const { shape, value, flight } = core.tables.lines.columns;
  // Of every instance, also of those that earlier runs have left on the disks.
  const points = rowsOf(core.tables.points).map((row) => [timeline.nameOf(row.at), POINTS[row.kind], row.instance || null].join(" "));
  const spans = rowsOf(core.tables.ballots).map((_, place) => core.ballotOf(place));
  let before = empty(members);
  for (let at = 0; at < lines.length; at += 1) {
    const state = fold(before, lines[at]);
    const [sign, worn] = markOf(before, state, lines[at]);
    const mine = SHAPES[shape[at]].replace(/^(begins|pushes|yields)$/, "none");
    if (mine !== sign) yield `line ${at} is marked ${mine}, not ${sign}`;
    const carried = value[at] < 0 ? null : core.known.values[value[at]];
    if (sign !== "none" && !equal(carried, worn)) yield `line ${at} wears ${JSON.stringify(carried)}, not ${JSON.stringify(worn)}`;
    if (lines[at].event.endsWith("_sent") && timeline.flight(flight[at]).id !== timeline.nameOf(at)) yield `line ${at} sends another message`;
    yield* compareStates(timeline, state, at);
    for (const { line, kind, instance } of state.turning_points.slice(before.turning_points.length)) {
      if (!points.includes([line, kind, instance].join(" "))) yield `line ${at} is no ${kind}`;
    }
    before = state;
  }
  if (points.length !== before.turning_points.length) yield `${points.length} turning points, not ${before.turning_points.length}`;
  for (const [instance, view] of Object.entries(before.instances)) {
    const { ballots, values, quorums } = core.known;
    const chosen = rowsOf(core.tables.chosen).filter((choice) => choice.instance === Number(instance));
    const same = chosen.map(({ ballot, value, quorum, at }) => ({
      ballot: ballots[ballot],
      value: values[value],
      acceptors: quorums[quorum],
      line: timeline.nameOf(at),
    }));
    if (!equal(same, view.chosen)) yield `instance ${instance} chose ${JSON.stringify(same)}`;
    for (const [ballot, { proposer }] of Object.entries(view.ballots)) {
      const span = spans.find((one) => one.instance === Number(instance) && one.ballot === ballot);
      if (span?.proposer !== proposer) yield `instance ${instance} has no ballot ${ballot} of ${proposer}`;
    }
  }
}

/** @param {import("../web/log/columns.js").Table} table */
function rowsOf(table) {
  return Array.from({ length: table.count }, (_, place) =>
    Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, column[place]])),
  );
}

/** What the page shows of one instance, from its own lines and those that concern everybody. */
function* compareStates(timeline, full, at) {
  const { core } = timeline;
  for (const instance of new Set([timeline.current[at], timeline.instances[at % timeline.instances.length]])) {
    if (!instance) continue;
    const part = core.states.at(core, timeline.length, at, instance);
    for (const name of ["line_count", "last", "run", "members", "nodes", "faults", "cuts", "lost_count"]) {
      if (!equal(part[name], full[name])) yield `line ${at}: ${name} is ${JSON.stringify(part[name])}, not ${JSON.stringify(full[name])}`;
    }
    if (!equal(part.instances[instance], full.instances[instance])) yield `line ${at}: instance ${instance} is another`;
    const shown = ({ in_reply_to, ...message }) => message;
    if (!equal(part.messages.map(shown), full.messages.map(shown))) yield `line ${at}: other messages are under way`;
  }
  if (!equal(stateAt(timeline, at), full)) yield `line ${at}: the whole state is another`;
}

/** How a line must be marked, from the states around it. */
function markOf(before, after, line) {
  const acceptor = (state) => state.instances[line.instance]?.acceptors[line.node];
  switch (line.event) {
    case "propose_received":
      return ["wish", line.value];
    case "propose_answered":
      return ["answer", line.value];
    case "prepare_received":
    case "accept_received": {
      const [was, is] = [acceptor(before)?.memory, acceptor(after)?.memory];
      if (is && !equal(was?.accepted ?? null, is.accepted)) return ["accept", is.accepted?.value ?? null];
      return [is && was?.promised !== is.promised ? "promise" : "dot", null];
    }
    case "state_persisted":
      if (line.record !== "acceptor") return ["round", null];
      if (line.accepted && !equal(acceptor(before)?.disk.accepted ?? null, line.accepted)) return ["accept-disk", line.accepted.value];
      return ["promise-disk", null];
    case "value_learned":
      return ["learn", line.value];
    case "timeout_fired":
      return [line.have === undefined ? "timer" : "stuck", null];
    case "nack_sent":
      return ["refuse", null];
    case "node_started":
      return [line.incarnation > 1 ? "restart" : "start", null];
    default:
      return [line.event.endsWith("_received") ? "dot" : "none", null];
  }
}

process.stdout.write(JSON.stringify(await answers[request.ask](request)));
