// What the page's share, compare and find rooms make of runs, for the tests
// that check it in Python. Takes a request as JSON on standard input and
// answers it as JSON.
import { readFileSync } from "node:fs";
import { aligned, keysOf, lineAtRow, matched, nextHunk } from "../web/compare/align.js";
import { differing } from "../web/compare/differing.js";
import { figuresOf } from "../web/compare/figures.js";
import { shownSide } from "../web/compare/sides.js";
import { shared } from "../web/compare/view.js";
import { formatQuery, parseQuery } from "../web/find/query.js";
import { matches } from "../web/find/search.js";
import { findWords } from "../web/find/words.js";
import { lineOf } from "../web/log/memory.js";
import { openTexts } from "../web/log/open.js";
import { buildTimeline, extended, withVerdict } from "../web/log/timeline.js";
import { partsOf } from "../web/share/log.js";
import { svgPicture, svgRows } from "../web/share/picture.js";
import { reportOf } from "../web/share/report.js";
import { REPORT_PALETTE } from "../web/share/report_style.js";
import { scenarioFile } from "../web/share/scenario.js";
import { shivizLog } from "../web/share/shiviz.js";
import { SvgContext } from "../web/share/svg.js";
import { traceParts } from "../web/share/trace.js";
import { toYaml } from "../web/share/yaml.js";
import { layout } from "../web/view/layout.js";

const request = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));

/** Colours that no two things share, so that a test can tell what was drawn. */
const palette = Object.fromEntries(
  ["ink", "muted", "card", "line", "lane", "cursor", "prepare", "accept", "accepted", "nack", "learn", "quiet", "wall", "bad"].map(
    (name, place) => [name, `#0000${(place + 16).toString(16)}`],
  ),
);
palette.fillAlpha = 0.5;
Object.assign(palette, request.palette ?? {});

const timelineOf = ({ lines, meta = null, verdict = null, why = null }) => buildTimeline(catalogue, { lines, meta, verdict, why });

function viewOf(timeline, change) {
  const first = { name: "run", timeline, cursor: timeline.lines.length - 1, future: true, node: null, selected: -1, axis: "order" };
  return { ...first, left: 0, scale: 17, width: 1000, instance: 0, ...change };
}

function pictureOf(timeline, { change = {}, whole = true, related = null, ids }) {
  const lit = { instance: timeline.instances[0] ?? 0, related: related === null ? null : Uint8Array.from(related) };
  return svgPicture(viewOf(timeline, change), lit, palette, { whole, ids });
}

/** Call the methods of a recording canvas that a test names. */
function drawn(calls) {
  const svg = new SvgContext(100, 80);
  for (const [name, ...args] of calls) {
    if (typeof svg[name] === "function") svg[name](...args);
    else svg[name] = args[0];
  }
  return svg.toSvg({ title: "a & b", description: "", background: "#fff", tell: (name) => `tells <${name}>` });
}

const answers = {
  picture: () => pictureOf(timelineOf(request), request),
  palette: () => palette,
  flights: () => timelineOf(request).flights.map(({ kind, fate, sent, ended }) => ({ kind, fate, sent, ended })),
  drawn: () => drawn(request.calls),
  /** Where lines stand on the axis, by time. */
  axis: () => [...layout(timelineOf(request), 0, "time").place],
  report() {
    const timeline = timelineOf(request);
    const cursor = request.cursor ?? timeline.lines.length - 1;
    const pictures = svgRows(viewOf(timeline, {}), REPORT_PALETTE, { ids: "picture-" });
    return reportOf({ name: request.name ?? "run", timeline, cursor, instance: timeline.instances[0] ?? 0, meta: request.meta ?? null, pictures, theme: "light" });
  },
  /** The log of files, as it is exported; judged in between, as it is in a tab. */
  async exported() {
    const { timeline } = openTexts(catalogue, new Map(Object.entries(request.files)), "run");
    return (await partsOf(withVerdict(timeline, request.verdict))).join("");
  },
  /** The log of a run that has come in pieces of so many rows, as it is exported; and as ShiViz gets it. */
  async grown() {
    const { rows, step } = request;
    const lines = (from) => rows.slice(from, from + step).map(lineOf);
    let timeline = buildTimeline(catalogue, { lines: lines(0), meta: null, verdict: null });
    for (let at = step; at < rows.length; at += step) timeline = extended(timeline, lines(at));
    return { log: (await partsOf(timeline)).join(""), shiviz: await shivizLog(timeline) };
  },
  /** Logs for ShiViz, one for each list of lines. */
  shiviz: () => Promise.all(request.runs.map((lines) => shivizLog(timelineOf({ lines })))),
  traces: () => Promise.all(request.runs.map(async (lines) => JSON.parse((await traceParts(timelineOf({ lines }), { title: "run" })).join("")))),
  /** Logs for ShiViz as ShiViz takes them apart: by the expression in the first line. */
  taken: () =>
    request.texts.map((text) => {
      const [expression, delimiter] = text.split("\n", 2);
      const rest = text.slice(expression.length + delimiter.length + 2);
      const events = [...rest.matchAll(new RegExp(expression, "gm"))].map(({ groups }) => [groups.host, groups.clock, groups.event]);
      return { delimiter, events, left: rest.replace(new RegExp(expression, "gm"), "").replace(/\n/g, "") };
    }),
  /** Of each text: the query without its places, that query as text, and what is wrong. */
  queries: () =>
    request.texts.map((text) => {
      const { query, error } = parseQuery(text);
      const bare = query && { ...query, shapes: query.shapes.map((one) => ({ ...one, terms: one.terms.map(({ at, length, ...term }) => term) })) };
      return { query: bare, text: query && formatQuery(query), error };
    }),
  find() {
    const timeline = timelineOf(request);
    return request.texts.map((text) => {
      const { error, hits, mask, stopped } = matches(timeline, text);
      const named = hits.map((hit) => hit.map((place) => timeline.flight(place).id));
      return { error, hits: named, mask: mask && [...mask].flatMap((one, at) => (one ? [at] : [])), stopped };
    });
  },
  matched: () => matched(request.a, request.b),
  /** Two logs beside each other: rows of [line, line, same], what differs, and whether what matches stands at one place. */
  async compare() {
    const { by = "lines", exact = false } = request;
    const sides = [request.a, request.b].map((lines) => timelineOf({ lines }));
    const rows = [request.a, request.b].map((lines) => lines.map((line) => JSON.stringify(line)));
    const keys = await Promise.all(rows.map((own, side) => keysOf(own, sides[side].instances, by, exact)));
    const diff = aligned(keys[0], keys[1], by);
    const places = shared(diff, sides[0], sides[1]);
    const pairs = [...diff.a].map((one, row) => [one, diff.b[row], diff.same[row] === 1]);
    const apart = pairs.filter(([one, other, same]) => same && places.a.place[one] !== places.b.place[other]);
    const back = [...places.x].some((x, row) => row > 0 && x < places.x[row - 1]);
    const next = diff.hunks.map((hunk) => nextHunk(diff, hunk.from, 1)?.from ?? null);
    return { pairs, hunks: diff.hunks, apart: apart.length, back, next, last: lineAtRow(diff.a, pairs.length - 1) };
  },
  /** In what two lines differ. */
  differing: () => differing(request.a, request.b, request.by ?? "lines", request.exact ?? false),
  /** What is shown, as a side of a comparison: by kind, name and title. */
  async shown_side() {
    const timeline = timelineOf(request);
    const branches = request.branches.map(({ id, name }) => ({ id, name, timeline }));
    const app = { timeline, name: "run", meta: null, source: request.source, sandbox: { branches, current: request.current } };
    const { kind, name, title } = await shownSide({ get: () => app, texts: async () => new Map() });
    return { kind, name, title };
  },
  figures: () => figuresOf(timelineOf(request)),
  patterns: () => findWords.patterns,
  /** The scenario's file, or why there is none. */
  scenario: () =>
    scenarioFile(
      { source: request.source, sandbox: request.sandbox ?? { branches: [], current: -1 }, timeline: request.lines ? timelineOf(request) : null },
      async (path) => request.served?.[path] ?? null,
    ).then(
      (file) => ({ file }),
      (error) => ({ error: error.message }),
    ),
  yaml: () => request.scenarios.map(toYaml),
};

process.stdout.write(JSON.stringify(await answers[request.ask]()));
