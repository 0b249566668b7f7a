// What the page draws of a run, for the tests that look at it in Python: the
// strokes, fills and texts of the space-time view and of the strip above it,
// on a canvas that only writes down. Takes a request as JSON on standard input
// and answers it as JSON.
import { readFileSync } from "node:fs";
import { commandOf } from "../web/keys.js";
import { buildTimeline, stateAt } from "../web/log/timeline.js";
import { VALUE_COLOURS, ValueColours } from "../web/log/values.js";
import { FIRST, closed } from "../web/state.js";
import { flightsNow } from "../web/view/fates.js";
import { geometry, layout, wayOf, xOf } from "../web/view/layout.js";
import { paintOverview } from "../web/view/overview.js";
import { POINT_SIGNS } from "../web/view/points.js";
import { paint } from "../web/view/spacetime.js";
import { words } from "../web/words.js";

const request = JSON.parse(readFileSync(0, "utf-8"));
const catalogue = JSON.parse(readFileSync(new URL("../paxos/events/catalogue.json", import.meta.url), "utf-8"));

/** Each colour is its own name, so that a test reads what was drawn in which. */
const palette = Object.fromEntries(
  ["ink", "muted", "card", "line", "lane", "cursor", "prepare", "accept", "accepted", "nack", "learn", "quiet", "wall", "bad"].map((name) => [name, name]),
);
palette.fillAlpha = 0.5;

/** A 2D context that writes down what is drawn, in order. */
class Recorder {
  globalAlpha = 1;
  fillStyle = "black";
  strokeStyle = "black";
  lineWidth = 1;
  font = "10px sans-serif";
  textAlign = "start";
  items = [];
  stack = [];
  path = [];
  dash = [];
  clipped = null;
  subject = null;

  about(name) {
    this.subject = name;
  }
  save() {
    const { globalAlpha, fillStyle, strokeStyle, lineWidth, font, textAlign, dash, clipped } = this;
    this.stack.push({ globalAlpha, fillStyle, strokeStyle, lineWidth, font, textAlign, dash, clipped });
  }
  restore() {
    Object.assign(this, this.stack.pop());
  }
  setLineDash(dash) {
    this.dash = [...dash];
  }
  beginPath() {
    this.path = [];
  }
  moveTo(x, y) {
    this.path.push(["M", x, y]);
  }
  lineTo(x, y) {
    this.path.push(["L", x, y]);
  }
  quadraticCurveTo(cx, cy, x, y) {
    this.path.push(["Q", x, y]);
  }
  arc(x, y, radius, from, to) {
    this.path.push(["A", x, y, radius, to - from]);
  }
  rect(x, y, width, height) {
    this.path.push(["R", x, y, width, height]);
  }
  closePath() {
    this.path.push(["Z"]);
  }
  clip() {
    this.clipped = this.path[0].slice(1);
  }
  #add(how, more) {
    const { globalAlpha: alpha, clipped, subject } = this;
    this.items.push({ how, alpha, clip: clipped, about: subject, ...more });
  }
  fill() {
    this.#add("fill", { colour: this.fillStyle, path: [...this.path] });
  }
  stroke() {
    this.#add("stroke", { colour: this.strokeStyle, width: this.lineWidth, dash: this.dash, path: [...this.path] });
  }
  clearRect() {
    this.items = [];
  }
  fillRect(...box) {
    this.#add("box", { colour: this.fillStyle, box });
  }
  strokeRect(...box) {
    this.#add("frame", { colour: this.strokeStyle, box });
  }
  measureText(text) {
    return { width: [...text].length * 6 };
  }
  fillText(text, x, y) {
    this.#add("text", { colour: this.fillStyle, text, x, y });
  }
  strokeText() {}
}

const timelineOf = ({ lines, meta = null, verdict = null }) => buildTimeline(catalogue, { lines, meta, verdict });

/** The state of a page that shows this moment. */
function appOf(timeline, change) {
  const first = { timeline, cursor: timeline.length - 1, future: false, node: null, selected: -1, axis: "order", left: 0, scale: 17 };
  return { ...first, width: 1400, instance: 0, related: null, ...change };
}

/** What has the focus: a field of some type with options, or nothing that takes keys. */
const focused = (on) => ({ closest: (selector) => (on !== null && selector === "input, select, textarea" ? on : null) });
const press = { code: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

const answers = {
  /** The space-time view: what was drawn, and where lines and messages are. */
  view() {
    const timeline = timelineOf(request);
    const app = appOf(timeline, request.change);
    const geo = geometry(timeline, app, app.width);
    const ctx = new Recorder();
    paint(ctx, geo, { ...app, instance: app.instance || (timeline.instances[0] ?? 0) }, palette);
    return {
      items: ctx.items,
      lanes: Object.fromEntries(geo.lane),
      top: geo.top,
      gap: geo.gap,
      gutter: geo.gutter,
      x: Array.from({ length: timeline.length }, (_, at) => xOf(geo, at)),
      slots: [...geo.layout.x],
      shown: [...geo.layout.shown],
      flights: request.flights === false ? [] : timeline.flights.map((flight) => ({ ...flight, way: wayOf(timeline, geo, flight) })),
      colours: Object.fromEntries([...timeline.values.values()].map(({ text, colour }) => [text, colour])),
    };
  },
  /** The strip above it, and where on it each line is. */
  strip() {
    const timeline = timelineOf(request);
    const app = { ...appOf(timeline, request.change), find: {}, learn: {} };
    const where = layout(timeline, app.instance, app.axis);
    const ctx = new Recorder();
    paintOverview(ctx, app, timeline, palette);
    return { items: ctx.items, x: Array.from(where.x, (slot) => 4 + (slot / where.width) * (app.width - 8)) };
  },
  /** After each line: the messages that fly on the ring, and how many are lost. */
  flying() {
    const timeline = timelineOf(request);
    return Array.from({ length: timeline.length }, (_, at) => {
      const { flying, lost } = flightsNow(timeline, stateAt(timeline, at, 1), at);
      return { flying: flying.map(({ flight }) => `${flight.kind} to ${flight.to}`), lost };
    });
  },
  signs: () => POINT_SIGNS,
  kinds: () => Object.keys(words.points),
  /** Of each run: how its values are told apart. */
  values: () => ({
    all: VALUE_COLOURS,
    runs: request.runs.map((values) => {
      const colours = new ValueColours();
      colours.add(values);
      return [...colours.styles.values()];
    }),
  }),
  /** What is still open after Escape, of all that can be. */
  closed() {
    const open = { sheet: "help", selected: 3, node: "n1", command: { form: "propose" }, sandbox: { ...FIRST.sandbox, making: true } };
    const { sheet, selected, node, command, sandbox } = closed({ ...FIRST, ...open });
    return { sheet, selected, node, form: command.form, making: sandbox.making };
  },
  /** What a key asks for while a field has the focus. */
  pressed: () => request.presses.map(({ on, ...given }) => commandOf({ ...press, ...given, target: focused(on) })),
};

process.stdout.write(JSON.stringify(await answers[request.ask]()));
