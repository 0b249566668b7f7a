// The cluster now, as a ring: who is up, who has promised and learned what,
// which messages are under way and where walls stand.

/** @import {App} from "../state.js" */
/** @import {State} from "../log/types.d.ts" */
/** @import {Timeline} from "../log/timeline.js" */

import { sidesOf } from "../log/timeline.js";
import { styleOf } from "../log/values.js";
import { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";
import { flightsNow } from "./fates.js";
import { HEIGHT, NODE, RADIUS, WIDTH, along, lostHere, messages } from "./flights.js";

/** Where the wall of nodes that are no neighbours begins: the middle stays open, for they still talk across it. */
const STUB = 0.52;

/**
 * @typedef {object} SplitActs a line that is drawn across the ring parts the network
 * @property {(line: Line | null) => void} line the line has moved, or is gone
 * @property {(side: string[]) => void} done it has been drawn: who stands on one side
 */
/** @typedef {{from: [number, number], to: [number, number]}} Line in the ring's own units */

/**
 * @param {App} app @param {State} state @param {number} instance
 * @param {{node: (name: string) => void, message: (place: number) => void, split: SplitActs | null}} act
 */
export function ring(app, state, instance, act) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const spot = places(timeline.lanes);
  const { flying, lost } = flightsNow(timeline, state, app.cursor);
  const held = state.messages.filter((message) => message.held_at !== null).length;
  const faults = state.faults.filter((fault) => !["kill", "stop", "power_loss", "pause"].includes(fault.fault));
  return html`
    <section class="ring" aria-labelledby="ring-title">
      <h2 id="ring-title">${words.clusterNow}</h2>
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        role="group"
        class=${act.split === null ? "" : "splits"}
        aria-label=${words.ringLabel}
        @pointerdown=${act.split === null ? nothing : (/** @type {PointerEvent} */ event) => drawLine(event, spot, state.members, /** @type {SplitActs} */ (act.split))}
      >
        ${sides(app, state, spot)} ${walls(timeline, state, spot)} ${lostHere(app, timeline, spot)}
        ${timeline.lanes.map((node) => circle(app, state, instance, node, spot, act))} ${messages(app, timeline, flying, spot, act.message)}
      </svg>
      ${act.split === null ? nothing : html`<p class="small muted split-hint">${splitHint(app, state, spot)}</p>`}
      <p class="small muted">${words.flights(flying.length, held, lost)}</p>
      ${faults.length === 0
        ? nothing
        : html`<p class="small">
            ${words.faultsInForce}
            ${faults.map((fault) => html`<span class="chip warn">${words.faultOf(fault.fault, fault.targets, fault.detail)}</span> `)}
          </p>`}
    </section>
  `;
}

/* --- parting the network by a line -------------------------------------------------- */

/** A line shorter than this was no line. */
const LINE_LEAST = 40;

/**
 * Who stands on one side of a line.
 * @param {Line} line @param {Map<string, [number, number]>} spot @param {string[]} members
 */
export function sideOf({ from, to }, spot, members) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  if (Math.hypot(dx, dy) < LINE_LEAST) return [];
  return members.filter((node) => {
    const [x, y] = spot.get(node) ?? [0, 0];
    return dx * (y - from[1]) - dy * (x - from[0]) > 0;
  });
}

/** @param {PointerEvent} event @param {Map<string, [number, number]>} spot @param {string[]} members @param {SplitActs} act */
function drawLine(event, spot, members, act) {
  const svgElement = /** @type {SVGSVGElement} */ (event.currentTarget);
  if (/** @type {Element} */ (event.target).closest(".node, .flight") !== null) return;
  const from = placeOn(svgElement, event);
  /** @type {Line | null} */
  let line = null;
  const move = (/** @type {PointerEvent} */ moved) => {
    line = { from, to: placeOn(svgElement, moved) };
    act.line(line);
  };
  const end = () => {
    svgElement.removeEventListener("pointermove", move);
    svgElement.removeEventListener("pointerup", up);
    svgElement.removeEventListener("pointercancel", end);
    act.line(null);
  };
  const up = () => {
    const side = line === null ? [] : sideOf(line, spot, members);
    end();
    if (side.length > 0 && side.length < members.length) act.done(side);
  };
  svgElement.setPointerCapture(event.pointerId);
  svgElement.addEventListener("pointermove", move);
  svgElement.addEventListener("pointerup", up);
  svgElement.addEventListener("pointercancel", end);
}

/** @param {SVGSVGElement} element @param {PointerEvent} event @returns {[number, number]} */
function placeOn(element, event) {
  const box = element.getBoundingClientRect();
  const scale = Math.max(WIDTH / box.width, HEIGHT / box.height);
  const [left, top] = [(box.width - WIDTH / scale) / 2, (box.height - HEIGHT / scale) / 2];
  return [(event.clientX - box.left - left) * scale, (event.clientY - box.top - top) * scale];
}

/** The line that is being drawn, and the two sides that it would make. @param {App} app @param {State} state @param {Map<string, [number, number]>} spot */
function sides(app, state, spot) {
  const { line } = app.command;
  const marked = line === null ? app.picked : sideOf(line, spot, state.members);
  const halo = (/** @type {string} */ node) => {
    const [x, y] = spot.get(node) ?? [0, 0];
    return svg`<circle class="halo" cx=${x} cy=${y} r=${NODE + 7} />`;
  };
  return svg`
    ${marked.map(halo)}
    ${line === null ? nothing : svg`<line class="split-line" x1=${line.from[0]} y1=${line.from[1]} x2=${line.to[0]} y2=${line.to[1]} />`}`;
}

/** @param {App} app @param {State} state @param {Map<string, [number, number]>} spot */
function splitHint(app, state, spot) {
  const { line } = app.command;
  const side = line === null ? app.picked : sideOf(line, spot, state.members);
  const other = state.members.filter((node) => !side.includes(node));
  if (line === null && side.length === 0) return words.dragToSplit;
  if (side.length === 0 || other.length === 0) return words.crossToSplit;
  return line === null ? words.pressToSplit(side, other) : words.splitWouldBe(side, other);
}

/** @param {string[]} nodes @returns {Map<string, [number, number]>} */
function places(nodes) {
  const radius = nodes.length > 7 ? RADIUS + 8 : RADIUS;
  return new Map(
    nodes.map((node, index) => {
      const angle = (index / nodes.length) * 2 * Math.PI - Math.PI / 2;
      return [node, [WIDTH / 2 + radius * Math.cos(angle), HEIGHT / 2 + radius * Math.sin(angle)]];
    }),
  );
}

/**
 * @param {App} app @param {State} state @param {number} instance @param {string} node
 * @param {Map<string, [number, number]>} spot @param {{node: (name: string) => void}} act
 */
function circle(app, state, instance, node, spot, act) {
  const [x, y] = /** @type {[number, number]} */ (spot.get(node));
  const view = state.nodes[node];
  const status = view?.status ?? "up";
  const acceptor = state.instances[instance]?.acceptors[node];
  const promised = (acceptor?.memory ?? acceptor?.disk)?.promised ?? "0.n0";
  const learned = state.instances[instance]?.learned[node];
  const accepted = acceptor?.disk.accepted ?? null;
  const timeline = /** @type {Timeline} */ (app.timeline);
  const fill = learned === undefined ? "" : `v${styleOf(timeline.values, learned.value).index}`;
  const badge = accepted === null ? null : styleOf(timeline.values, accepted.value);
  const sign = { down: "✕ ", paused: "❚❚ ", up: "", unseen: "" }[status];
  const text = promised === "0.n0" ? "" : words.atLeast(promised);
  return svg`
    <g class="node ${status} ${app.node === node ? "picked" : ""}" role="button" tabindex="0"
      aria-pressed=${app.node === node}
      aria-label=${words.nodeLabel(node, words.statuses[status], promised === "0.n0" ? "" : promised)}
      @click=${() => act.node(node)}
      @keydown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        act.node(node);
      }}>
      <circle class="body ${fill}" cx=${x} cy=${y} r=${NODE} />
      <text class="name ${fill === "" ? "" : "on-value"}" x=${x} y=${text === "" ? y + 5 : y - 1}>${sign}${node}</text>
      <text class="ballot ${fill === "" ? "" : "on-value"}" x=${x} y=${y + 14}>${text}</text>
      ${
        badge === null
          ? nothing
          : svg`<rect class="badge v${badge.index}" x=${x + NODE - 12} y=${y - NODE - 2} width="15" height="15" rx="2" />
                <text class="letter" x=${x + NODE - 4.5} y=${y - NODE + 9.2}>${badge.letter}</text>`
      }
    </g>`;
}

/**
 * A wall where neighbours on the ring are on different sides; where nothing
 * but single cables is cut, a bar across each. Nobody changes seats for it.
 * @param {Timeline} timeline @param {State} state @param {Map<string, [number, number]>} spot
 */
function walls(timeline, state, spot) {
  if (state.cuts.length === 0) return nothing;
  const ringed = timeline.lanes.filter((node) => state.members.includes(node));
  const sides = sidesOf(ringed, state.cuts);
  const sideOf = (/** @type {string} */ node) => sides.findIndex((side) => side.includes(node));
  const gaps = ringed.flatMap((node, index) => {
    const next = ringed[(index + 1) % ringed.length];
    return sideOf(node) === sideOf(next) ? [] : [between(spot, node, next)];
  });
  if (gaps.length === 2) return wall(gaps[0], gaps[1]);
  const begin = gaps.length > sides.length ? STUB : 0;
  if (gaps.length > 2) return gaps.map((gap) => wall(along([WIDTH / 2, HEIGHT / 2], gap, begin), gap));
  return state.cuts.map((cut) => bar(cut, state.cuts, spot));
}

/** @param {Map<string, [number, number]>} spot @param {string} one @param {string} other @returns {[number, number]} */
function between(spot, one, other) {
  const [a, b] = [spot.get(one) ?? [0, 0], spot.get(other) ?? [0, 0]];
  const [dx, dy] = [(a[0] + b[0]) / 2 - WIDTH / 2, (a[1] + b[1]) / 2 - HEIGHT / 2];
  const length = Math.hypot(dx, dy) || 1;
  const reach = Math.max(length + 30, RADIUS + 14);
  return [WIDTH / 2 + (dx / length) * reach, HEIGHT / 2 + (dy / length) * reach];
}

/** @param {number[]} from @param {number[]} to */
function wall(from, to) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const angle = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
  const strokes = Array.from({ length: Math.floor(length / 8) }, (_, index) => `M${index * 8} 5 l7 -10`).join(" ");
  return svg`<path class="wall" transform="translate(${from[0]} ${from[1]}) rotate(${angle})" d=${strokes} />`;
}

/** @param {string} cut @param {string[]} cuts @param {Map<string, [number, number]>} spot */
function bar(cut, cuts, spot) {
  const [source, to] = cut.split(">");
  const both = cuts.includes(`${to}>${source}`);
  const [a, b] = [spot.get(source), spot.get(to)];
  if (a === undefined || b === undefined || (both && source > to)) return nothing;
  const [x, y] = along(a, b, both ? 0.5 : 0.66);
  const angle = (Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI;
  return svg`
    <g class="cut">
      <line x1=${a[0]} y1=${a[1]} x2=${b[0]} y2=${b[1]} />
      <path class="wall" transform="translate(${x} ${y}) rotate(${angle})" d="M-5 -9 v18 M0 -9 v18 M5 -9 v18" />
    </g>`;
}
