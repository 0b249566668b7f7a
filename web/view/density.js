// A long run from afar: how much happened where. Counts per lane and kind in
// bins along the axis, kept beside the layout, so that a frame costs the same
// however long the run is.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Geometry, Layout} from "./layout.js" */
/** @import {Palette} from "./palette.js" */
/** @import {Scene} from "./spacetime.js" */

import { choicesIn } from "./seen.js";
import { styleOf } from "../log/values.js";

/** So many bins are kept, whatever the length; when they are full they grow twice as wide. */
const BINS = 16_384;
/** Up to so many lines in sight they are counted one by one. */
const DIRECT = 60_000;
/** In pixels. */
const BAR = 3;

/** What is told apart from afar, and in which colours; from the lane outwards. @type {(keyof Palette)[]} */
export const GROUPS = ["prepare", "accepted", "learn", "nack"];
/** @type {Record<string, number>} */
const GROUP_OF = { prepare: 0, promise: 0, accept: 1, accepted: 1, learn: 2, learned: 2, nack: 3 };

/** How wide each group's bars are, in pixels: as lines, phase 1 is thin and phase 2 a surface. */
const WIDTHS = [1, BAR, 1.8];
/** Refusals are dots. */
const DOTTED = GROUPS.indexOf("nack");
const DOT = 1.3;

/** Counts by bin, node and group. */
class Bins {
  /** @param {number} nodeCount */
  constructor(nodeCount) {
    this.nodeCount = nodeCount;
    this.wide = nodeCount * GROUPS.length;
    this.counts = new Uint32Array(BINS * this.wide);
    /** Slots per bin. */
    this.step = 1 / 8;
    this.lineCount = 0;
  }

  /** @param {number} slot @param {number} node @param {number} group */
  add(slot, node, group) {
    while (slot >= this.step * BINS) this.#fold();
    this.counts[Math.floor(slot / this.step) * this.wide + node * GROUPS.length + group] += 1;
  }

  #fold() {
    const { counts, wide } = this;
    for (let bin = 0; bin < BINS; bin += 1) {
      for (let place = 0; place < wide; place += 1) {
        const count = counts[bin * wide + place];
        counts[bin * wide + place] = 0;
        counts[(bin >> 1) * wide + place] += count;
      }
    }
    this.step *= 2;
  }
}

/** @type {WeakMap<ArrayBufferLike, Bins>} */
const made = new WeakMap();

/** The bins of a layout, as far as it has grown. @param {Timeline} timeline @param {Layout} where */
export function binsOf({ core, length }, where) {
  let bins = made.get(where.x.buffer);
  if (bins === undefined || bins.nodeCount !== core.known.nodes.length) {
    bins = new Bins(core.known.nodes.length);
    made.set(where.x.buffer, bins);
  }
  const { x, shown } = where;
  const { event, node } = core.tables.lines.columns;
  const groups = groupsOf(core.known.events);
  for (let at = bins.lineCount; at < length; at += 1) {
    if (shown[at] && groups[event[at]] < GROUPS.length) bins.add(x[at], node[at], groups[event[at]]);
  }
  bins.lineCount = length;
  return bins;
}

/** @type {WeakMap<string[], Uint8Array>} */
const groupsMade = new WeakMap();

/** The group of every event, by its number. @param {string[]} events */
function groupsOf(events) {
  let groups = groupsMade.get(events);
  if (groups === undefined) {
    groups = Uint8Array.from(events, (event) => GROUP_OF[event.replace(/_(sent|received)$/, "")] ?? GROUPS.length);
    groupsMade.set(events, groups);
  }
  return groups;
}

/**
 * Counts per bar on the screen, by node and group.
 * @param {Timeline} timeline @param {Geometry} geo @param {number} bars
 */
function countsInSight(timeline, geo, bars) {
  const nodeCount = timeline.core.known.nodes.length;
  const wide = nodeCount * GROUPS.length;
  const counts = new Uint32Array(bars * wide);
  const barOf = (/** @type {number} */ slot) => Math.floor(((slot - geo.left) * geo.scale + 14) / BAR);
  const [first, end] = geo.span;
  if (end - first <= DIRECT) {
    const { x, shown } = geo.layout;
    const { event, node } = timeline.core.tables.lines.columns;
    const groups = groupsOf(timeline.core.known.events);
    for (let at = first; at < end; at += 1) {
      const bar = barOf(x[at]);
      if (shown[at] && bar >= 0 && bar < bars && groups[event[at]] < GROUPS.length) {
        counts[bar * wide + node[at] * GROUPS.length + groups[event[at]]] += 1;
      }
    }
    return counts;
  }
  const bins = binsOf(timeline, geo.layout);
  const last = Math.min(Math.ceil((geo.left + geo.width / geo.scale) / bins.step), BINS);
  for (let bin = Math.max(Math.floor(geo.left / bins.step), 0); bin < last; bin += 1) {
    const bar = barOf((bin + 0.5) * bins.step);
    if (bar < 0 || bar >= bars) continue;
    for (let place = 0; place < wide; place += 1) counts[bar * wide + place] += bins.counts[bin * wide + place];
  }
  return counts;
}

/**
 * A strip per lane: what lies above and below the lane tells how much was sent
 * and received there, of which kind.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now
 * @param {number} faint how visible the future is
 */
export function density(ctx, geo, scene, palette, now, faint) {
  const { timeline, future } = scene;
  const bars = Math.ceil((geo.width - geo.gutter) / BAR) + 1;
  const counts = countsInSight(timeline, geo, bars);
  const nodes = timeline.core.known.nodes.length;
  let most = 1;
  for (let place = 0; place < bars * nodes; place += 1) {
    let sum = 0;
    for (let group = 0; group < GROUPS.length; group += 1) sum += counts[place * GROUPS.length + group];
    if (sum > most) most = sum;
  }
  const room = geo.gap * 0.4;
  for (let group = 0; group < GROUPS.length; group += 1) {
    ctx.fillStyle = String(palette[GROUPS[group]]);
    for (let bar = 0; bar < bars; bar += 1) {
      const x = geo.gutter + bar * BAR;
      if (x > now && !future) break;
      ctx.globalAlpha = x <= now ? 0.9 : faint;
      for (let node = 0; node < nodes; node += 1) {
        const y = geo.laneOf[node];
        const place = (bar * nodes + node) * GROUPS.length;
        const count = counts[place + group];
        if (count === 0 || Number.isNaN(y)) continue;
        let [below, sum] = [0, 0];
        for (let other = 0; other < GROUPS.length; other += 1) {
          if (other < group) below += counts[place + other];
          sum += counts[place + other];
        }
        const high = Math.max(room * Math.sqrt(sum / most), 2);
        const from = (below / sum) * high;
        const to = Math.max(((below + count) / sum) * high, from + 0.8);
        if (group === DOTTED) {
          dots(ctx, x, y, from, to);
          continue;
        }
        ctx.fillRect(x, y - to, WIDTHS[group], to - from);
        ctx.fillRect(x, y + from, WIDTHS[group], to - from);
      }
    }
  }
  ctx.globalAlpha = 1;
  choiceTicks(ctx, geo, scene, palette, faint);
}

/** A dotted bar on both sides of a lane. @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} from @param {number} to */
function dots(ctx, x, y, from, to) {
  for (let at = from; at < to; at += DOT * 2) {
    const high = Math.min(DOT, to - at);
    ctx.fillRect(x, y - at - high, DOT, high);
    ctx.fillRect(x, y + at, DOT, high);
  }
}

/** Where values were chosen, of every instance: a tick in the value's colour. @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} faint */
export function choiceTicks(ctx, geo, { timeline, cursor, future, instance }, palette, faint) {
  let free = 0;
  for (const choice of choicesIn(timeline, geo)) {
    const x = geo.gutter + 14 + (geo.layout.x[choice.at] - geo.left) * geo.scale;
    if (x < free || (choice.at > cursor && !future) || !geo.layout.shown[choice.at] || choice.instance === instance) continue;
    ctx.globalAlpha = choice.at <= cursor ? 1 : faint + 0.2;
    ctx.fillStyle = styleOf(timeline.values, choice.value).colour;
    ctx.fillRect(x - 1, geo.top - 30, 3, 7);
    ctx.fillStyle = palette.ink;
    ctx.fillRect(x - 1, geo.top - 23, 3, 1.2);
    free = x + 3;
  }
  ctx.globalAlpha = 1;
}
