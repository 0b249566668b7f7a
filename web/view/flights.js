// Messages on the ring: each goes on the right of its cable, and those that
// wait at one place are one pile with a number.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Flying} from "./fates.js" */

import { styleOf } from "../log/values.js";
import { nothing, svg } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

export const WIDTH = 320;
export const HEIGHT = 256;
export const RADIUS = 92;
/** The radius of a node. */
export const NODE = 29;
/** How far from a node's middle its messages begin and end. */
const RIM = NODE + 13;
/** How far to the right of its cable a message goes: the other way is on the other side. */
const ASIDE = 8;
/** Messages of one cable that are nearer to each other than this are a pile. */
const PILE = 19;
/** In radians: between broadcasts that wait at one node; from the middle to the side on which messages leave; from outward to a node's messages to itself. */
const SPREAD = 0.7;
const OUTGOING = 0.3;
const SELF = 1.25;
const BADGE = -Math.PI / 4;
/** A message has just left until it has this part of its way behind it. */
const LEAVING = 0.1;

/** @typedef {{x: number, y: number, items: Flying[]}} Pile in the order in which they were sent */

/**
 * @param {App} app @param {Timeline} timeline @param {Flying[]} flying @param {Map<string, [number, number]>} spot
 * @param {(place: number) => void} open
 */
export function messages(app, timeline, flying, spot, open) {
  return pilesOf(flying, spot, app.cursor).map((pile) => message(app, timeline, pile, spot, open));
}

/**
 * What is under way, put together where it would overlap: the messages of one
 * broadcast while they are at their sender, and neighbours on one cable.
 * @param {Flying[]} flying @param {Map<string, [number, number]>} spot @param {number} cursor
 * @returns {Pile[]}
 */
export function pilesOf(flying, spot, cursor) {
  const drawn = flying.filter(({ flight }) => spot.has(flight.source) && spot.has(flight.to));
  const broadcasts = broadcastsLeaving(drawn, cursor);
  const single = new Set(drawn);
  /** @type {Map<string, number>} */
  const count = new Map();
  /** @type {Pile[]} */
  const piles = [];
  for (const items of broadcasts) {
    const { source } = items[0].flight;
    const before = count.get(source) ?? 0;
    count.set(source, before + 1);
    const [x, y] = within(/** @type {[number, number]} */ (spot.get(source)), before);
    piles.push({ x, y, items });
    for (const item of items) single.delete(item);
  }
  return [...piles, ...pilesOnCables([...single], spot, cursor)];
}

/** Messages of one broadcast that wait at their sender or have just left it, if there are several. @param {Flying[]} flying @param {number} cursor */
function broadcastsLeaving(flying, cursor) {
  /** @type {Map<string, Flying[]>} */
  const groups = new Map();
  for (const item of flying) {
    const { source, kind, ballot } = item.flight;
    if (item.held !== source && (item.held !== null || partOf(item, cursor) > LEAVING)) continue;
    const name = `${source} ${kind} ${ballot} ${item.held}`;
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups.values()].filter((items) => items.length > 1);
}

/** @param {Flying[]} flying @param {Map<string, [number, number]>} spot @param {number} cursor @returns {Pile[]} */
function pilesOnCables(flying, spot, cursor) {
  /** @type {Map<string, Pile[]>} */
  const cables = new Map();
  for (const item of flying) {
    const { source, to } = item.flight;
    const [from, end] = /** @type {[number, number][]} */ ([spot.get(source), spot.get(to)]);
    const [x, y] = source === to ? beside(from) : on(from, end, partOf(item, cursor));
    const piles = cables.get(`${source}>${to}`) ?? [];
    cables.set(`${source}>${to}`, piles);
    const near = piles.find((pile) => Math.hypot(pile.x - x, pile.y - y) < PILE && (pile.items[0].held === null) === (item.held === null));
    if (near === undefined) piles.push({ x, y, items: [item] });
    else near.items.push(item);
  }
  return [...cables.values()].flat();
}

/** How much of its way is behind it. @param {Flying} item @param {number} cursor */
function partOf({ flight, held }, cursor) {
  if (held !== null) return held === flight.source ? 0 : 1;
  return Math.min((cursor - flight.sent + 1) / Math.max(flight.ended - flight.sent, 1), 1);
}

/**
 * @param {App} app @param {Timeline} timeline @param {Pile} pile
 * @param {Map<string, [number, number]>} spot @param {(place: number) => void} open
 */
function message(app, timeline, { x, y, items }, spot, open) {
  const places = items.map(({ place }) => place);
  const chosen = places.indexOf(app.selected);
  const { flight, held } = items[Math.max(chosen, 0)];
  const [from, to] = /** @type {[number, number][]} */ ([spot.get(flight.source), spot.get(flight.to)]);
  const value = flight.accepted?.value ?? (flight.kind === "accept" ? flight.value : null);
  const style = value === null ? null : styleOf(timeline.values, value);
  // A broadcast that waits goes several ways: none is drawn.
  const oneWay = flight.source !== flight.to && items.every((one) => one.flight.to === flight.to);
  const [left, top] = oneWay ? on(from, to, 0, NODE) : from;
  const names = items.map((one) => words.messageTitle(words.kinds[one.flight.kind], one.flight.source, one.flight.to));
  // A pile is gone through click by click.
  const next = places[(chosen + 1) % places.length];
  return svg`
    <g class="flight ${flight.kind} ${chosen >= 0 ? "picked" : ""}" @click=${() => open(next)}>
      <title>${words.pile(names, held !== null)}</title>
      ${!oneWay ? nothing : svg`<line x1=${left} y1=${top} x2=${x} y2=${y} />`}
      ${items.length === 1 ? nothing : svg`<circle class="under" cx=${x + 3} cy=${y + 3} r="10" />`}
      <circle cx=${x} cy=${y} r="10" />
      <text x=${x} y=${y + 3.5}>${words.letters[flight.kind]}</text>
      ${held === null ? nothing : svg`<path class="hold" d="M${x - 3} ${y - 19} v8 M${x + 3} ${y - 19} v8" />`}
      ${style === null ? nothing : svg`<rect class="v${style.index}" x=${x + 5} y=${y - 15} width="11" height="11" /><text class="letter" x=${x + 10.5} y=${y - 6.2}>${style.letter}</text>`}
      ${items.length === 1 ? nothing : svg`<text class="count" x=${x} y=${y + 21}>×${items.length}</text>`}
    </g>`;
}

/** A message that is lost at this very line leaves a cross. @param {App} app @param {Timeline} timeline @param {Map<string, [number, number]>} spot */
export function lostHere(app, timeline, spot) {
  const place = timeline.flightAt[app.cursor] ?? -1;
  if (place < 0) return nothing;
  const flight = timeline.flight(place);
  if (flight.fate === "received" || flight.fate === "open") return nothing;
  if (flight.ended !== app.cursor || flight.source === flight.to) return nothing;
  const [from, to] = [spot.get(flight.source), spot.get(flight.to)];
  if (from === undefined || to === undefined) return nothing;
  const [x, y] = along(from, to, flight.fate === "walled" ? 0.5 : 0.7);
  return svg`
    <g class="flight nack">
      <line x1=${from[0]} y1=${from[1]} x2=${x} y2=${y} />
      <path class="cross" d="M${x - 6} ${y - 6} l12 12 M${x + 6} ${y - 6} l-12 12" />
    </g>`;
}

/* --- where things are -------------------------------------------------------------- */

/** @param {number[]} from @param {number[]} to @param {number} part @returns {[number, number]} */
export function along(from, to, part) {
  return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
}

/**
 * A place on the way between two nodes, on the right of it.
 * @param {number[]} from @param {number[]} to @param {number} part of the way between their rims
 * @param {number} [rim] how far from a node's middle the way begins
 * @returns {[number, number]}
 */
function on(from, to, part, rim = RIM) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy) || 1;
  const [x, y] = along(from, to, (rim + (length - 2 * rim) * part) / length);
  return [x - (dy / length) * ASIDE, y + (dx / length) * ASIDE];
}

/** Where a node's nth broadcast waits: beside it, toward the middle. @param {number[]} at @param {number} nth @returns {[number, number]} */
function within(at, nth) {
  const angle = Math.atan2(HEIGHT / 2 - at[1], WIDTH / 2 - at[0]) + OUTGOING + Math.ceil(nth / 2) * SPREAD * (nth % 2 === 0 ? -1 : 1);
  return [at[0] + RIM * Math.cos(angle), at[1] + RIM * Math.sin(angle)];
}

/** Where a node's messages to itself are: beside it, off the ways to others and off its badge. @param {number[]} at @returns {[number, number]} */
function beside(at) {
  const out = Math.atan2(at[1] - HEIGHT / 2, at[0] - WIDTH / 2);
  // Of both sides of outward the one that is farther from the top right corner, where the badge is.
  const [angle] = [out - SELF, out + SELF].sort((one, other) => Math.cos(one - BADGE) - Math.cos(other - BADGE));
  return [at[0] + (NODE + 10) * Math.cos(angle), at[1] + (NODE + 10) * Math.sin(angle)];
}
