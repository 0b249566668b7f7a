// What the page says of odd files, for tests/test_web_odd.py. Takes a request
// as JSON on standard input and answers it as JSON.
import { readFileSync } from "node:fs";

// What the templates ask of a browser when they are loaded; none is drawn here.
globalThis.document = { createTreeWalker: () => ({}), createComment: () => ({}), addEventListener() {}, documentElement: {} };
globalThis.window = globalThis;
globalThis.location = { origin: "null" };
globalThis.requestAnimationFrame = () => 0;
console.warn = () => {};

const { LogError } = await import("../web/log/files.js");
const { openAt, openTexts } = await import("../web/log/open.js");
const { digestOf, samplePlaces } = await import("../web/log/columns.js");
const { LogReader } = await import("../web/log/reading.js");
const { makeOpener } = await import("../web/shell/open.js");
const { makeStore } = await import("../web/shell/store.js");
const { FIRST, opened } = await import("../web/state.js");
const { happening } = await import("../web/view/happening.js");

const request = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));

/** All text of a template, its parts included. */
function textOf(part) {
  if (Array.isArray(part)) return part.map(textOf).join("");
  if (part?.strings === undefined) return ["string", "number"].includes(typeof part) ? String(part) : "";
  return part.strings.map((string, place) => string + textOf(part.values[place])).join("");
}

/** An index is made in this thread. */
globalThis.Worker = class {
  async postMessage({ blob, name, catalogue: format, members }) {
    const reader = new LogReader(format, name, members);
    reader.take(new Uint8Array(await blob.arrayBuffer()));
    const samples = await Promise.all(samplePlaces(blob.size).map(async ([from, to]) => new Uint8Array(await blob.slice(from, to).arrayBuffer())));
    this.onmessage({ data: { columns: reader.end(blob.size, digestOf(samples)) } });
  }

  terminate() {}
};

const answers = {
  /** What is happening at a line of a log, and with a message of it open. */
  happening({ text, at }) {
    const { timeline } = openTexts(catalogue, new Map([["events.jsonl", text]]), "run");
    const run = { timeline, name: "run", source: { kind: "file", name: "run" }, notice: null, meta: null };
    const shown = { ...opened({ ...FIRST, welcome: null }, run), cursor: at };
    const selected = Math.max(timeline.flightAt[at], 0);
    const acts = { go() {}, unselect() {}, hush() {}, message: () => "" };
    return [shown, { ...shown, selected }].map((app) => textOf(happening(app, acts)).replace(/<[^>]*>/g, " ").replace(/\s+/g, " "));
  },
  /** What comes of opening these files: the sentence, or null. */
  files({ files }) {
    try {
      openTexts(catalogue, new Map(Object.entries(files)), "run");
      return null;
    } catch (error) {
      return error instanceof LogError ? error.message : `threw ${error}`;
    }
  },
  /** What the page's state says when opening files throws what nobody foresaw. */
  async thrown({ message }) {
    const store = makeStore(FIRST, () => {});
    const file = { name: "mine.jsonl", get size() { throw new TypeError(message); } };
    await makeOpener(store, () => catalogue).openPicked([file]);
    const { busy, trouble } = store.get();
    return { busy, trouble };
  },
  /** A long log that is served with this index: what its lines say. `index` and `log` are in base64. */
  async served({ index, log }) {
    const [bytes, columns] = [log, index].map((text) => Buffer.from(text, "base64"));
    globalThis.fetch = async (path, { headers } = {}) => {
      const body = path.endsWith("columns.bin") ? columns : bytes;
      const range = /bytes=(\d+)-(\d+)/.exec(headers?.Range ?? "");
      if (range === null) return new Response(body, { headers: { "Content-Length": String(body.length) } });
      return new Response(body.subarray(Number(range[1]), Number(range[2]) + 1), { status: 206 });
    };
    const { timeline } = await openAt(catalogue, "runs/x", ["events.jsonl"], "x", {}, bytes.length);
    const events = Array.from({ length: 60 }, (_, at) => timeline.eventOf(at) ?? null);
    return { events, count: timeline.length, chosen: timeline.chosen.length, same: (await timeline.text()) === bytes.toString() };
  },
};

process.stdout.write(JSON.stringify(await answers[request.ask](request)));
