// The times that the page writes, for tests/test_web_times.py. Takes {lines} as
// JSON on standard input and answers with the time of each, as the list of
// events and the report say it.
import { readFileSync } from "node:fs";

// What the templates ask of a browser when they are loaded; none is drawn here.
globalThis.document = { createTreeWalker: () => ({}), createComment: () => ({}), addEventListener() {}, documentElement: {} };
globalThis.window = globalThis;

const { buildTimeline } = await import("../web/log/timeline.js");
const { reportOf } = await import("../web/share/report.js");
const { timeOf } = await import("../web/view/time.js");

const { lines } = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));
const timeline = buildTimeline(catalogue, { lines, meta: null, verdict: null });
const report = await reportOf({ name: "run", timeline, cursor: 0, instance: 1, meta: null, pictures: [], theme: "light" });
const story = report.slice(report.indexOf('class="story"'));

process.stdout.write(
  JSON.stringify({
    events: lines.map((_, at) => timeOf(timeline, at)),
    report: [...story.matchAll(/<tr[^>]*><td>([^<]*)<\/td>/g)].map(([, time]) => time),
  }),
);
