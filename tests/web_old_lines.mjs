// How old lines come back, for tests/test_web_old_lines.py: with workers that
// do their work, refuse it, or die. Takes a request as JSON on standard input
// and answers it as JSON.
import { readFileSync } from "node:fs";
import { packed } from "../web/log/packing.js";

const request = JSON.parse(readFileSync(0, "utf-8"));
const CHUNK = 1_024;

globalThis.window = {};
globalThis.location = { origin: "null" };
console.warn = () => {};
/** The worker that was begun last, and what it was given. */
let begun = null;
/** Lives until it has done so many jobs; "refuses" says of each that it failed. */
globalThis.Worker = class {
  constructor() {
    begun = this;
    this.given = [];
    this.left = request.worker === "dies" ? (request.done ?? 0) : Infinity;
  }

  async postMessage({ job, text }) {
    this.given.push(text);
    if (this.left <= 0) return;
    this.left -= 1;
    const bytes = request.worker === "refuses" ? undefined : await packed(text);
    this.onmessage({ data: { job, bytes } });
  }

  terminate() {}
};
if (request.worker === "none") delete globalThis.Worker;
const { shelf } = await import("../web/log/shelf.js");
const { MemoryLines, lineOf } = await import("../web/log/memory.js");
const { LineStore } = await import("../web/log/store.js");

const until = async (holds) => {
  while (!holds()) await new Promise((done) => setTimeout(done, 1));
};

/** A run of so many chunks in memory. */
function grown(chunks, old) {
  const kept = new MemoryLines(old);
  for (let at = 0; at < chunks * CHUNK; at += 1) kept.push(lineOf(JSON.stringify({ seq: at })));
  return kept;
}

/** The same lines at a server. */
function served(chunks, read) {
  const rows = Array.from({ length: chunks * CHUNK }, (_, at) => `${JSON.stringify({ seq: at })}\n`);
  const text = rows.join("");
  const store = new LineStore(Int32Array.from(rows, (row) => row.length), rows.length, read ?? (async (from, to) => text.slice(from, to)), () => {});
  return { want: (places) => store.want(places), get: (at) => store.line(at) };
}

const answers = {
  /** Texts that are put on a shelf, and what of them can be had when its worker is done or dead. */
  async shelf({ texts, worker }) {
    const old = shelf();
    texts.forEach((text, number) => old.put(number, text));
    const atOnce = await Promise.all(texts.map((_, number) => old.get(number)));
    if (worker === "dies") {
      await until(() => old.waitingCount() === texts.length - request.done);
      begun.onerror({});
    }
    if (worker !== "refuses") await until(() => old.waitingCount() === 0);
    texts.forEach((text, number) => old.put(texts.length + number, `${text} later`));
    const later = await Promise.all(texts.map((_, number) => old.get(texts.length + number)));
    return { atOnce, packed: await Promise.all(texts.map((_, number) => old.get(number))), later, waiting: old.waitingCount(), given: begun?.given.length ?? 0 };
  },
  /** Which of many lines that were waited for are missing then, and how many chunks stay in the end. */
  async want({ chunks, source }) {
    const kept = source === "memory" ? grown(chunks + 40) : served(chunks);
    const places = Array.from({ length: chunks }, (_, number) => number * CHUNK + 3);
    // One has been here for long; whoever waits for it must not lose it to the others.
    await kept.want([places[0]]);
    const [first] = await Promise.all([kept.want(places).then(() => places.filter((at) => kept.get(at)?.seq !== at)), kept.want(places.slice(-2))]);
    await new Promise((done) => setTimeout(done));
    const cache = kept.back ?? null;
    return { missing: first, here: cache === null ? null : cache.here.size, held: cache === null ? null : cache.held.size };
  },
  /** A line that goes to the shelf while somebody waits for it beside older ones. */
  async moved() {
    const kept = grown(40);
    const last = kept.length - 32 * CHUNK;
    const waited = kept.want([5, last]);
    for (let at = 0; at < 3 * CHUNK; at += 1) kept.push(lineOf(JSON.stringify({ seq: kept.length })));
    await waited;
    return [kept.get(5)?.seq, kept.get(last)?.seq === last, kept.first > last / CHUNK];
  },
  /** A text that is damaged: what all who ask are told, how often it is asked for, and that others are at hand. */
  async broken() {
    let asked = 0;
    const texts = new Map();
    const old = { put: (number, text) => texts.set(number, text), get: async (number) => ((asked += number === 0), number === 0 ? Promise.reject(new Error("It is torn.")) : texts.get(number)), waitingCount: () => 0 };
    const kept = grown(40, old);
    const told = [];
    kept.changed = (trouble) => told.push(trouble);
    const refused = async (promise) => promise.then(() => "came", (error) => error.message);
    const waited = await Promise.all([refused(kept.want([1])), refused(kept.want([2, 2_000])), refused(kept.text(0, 10))]);
    const askedOnce = asked;
    for (let drawing = 0; drawing < 5; drawing += 1) kept.get(3);
    await new Promise((done) => setTimeout(done));
    const rested = asked === askedOnce;
    texts.delete(0);
    await kept.want([3 * CHUNK]);
    return { waited, told: [...new Set(told)], rested, other: kept.get(3 * CHUNK).seq };
  },
  /** A server that does not answer, and then does: it is asked again by itself. */
  async again() {
    let fails = true;
    const kept = served(2, async () => (fails ? Promise.reject(new Error("Nobody answers.")) : `${Array.from({ length: 512 }, (_, at) => JSON.stringify({ seq: at })).join("\n")}\n`));
    const first = await kept.want([1]).then(() => "came", (error) => error.message);
    fails = false;
    await until(() => kept.get(1) !== undefined);
    return [first, kept.get(1).seq];
  },
};

// What cannot be had is asked for again after a while: nobody waits for that here.
process.stdout.write(JSON.stringify(await answers[request.ask](request)), () => process.exit(0));
