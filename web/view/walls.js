// Walls in the space-time view. Lanes keep their order for the whole run, so a
// wall may stand in several places, and its text says who is on which side.

/** @import {WallSpan} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */
/** @import {Palette} from "./palette.js" */
/** @import {Scene} from "./spacetime.js" */

import { compareNodes } from "../log/lines.js";
import { sidesOf } from "../log/timeline.js";
import { words } from "../words.js";
import { wallsBetween, xOf } from "./layout.js";
import { LABEL_FONT, hatch, label } from "./shapes.js";
import { FAINT, endX, split, visible } from "./time.js";

/** Below this many pixels a wall is a stroke. */
const HATCH_LEAST = 8;
/** In pixels: a wall that is shorter than this is on its way up or down. */
const WALL_LEAST = 24;
/** More ways than these are counted, not named. */
const NAMED = 2;

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
export function walls(ctx, geo, { timeline, cursor, future }, palette, now) {
  let free = geo.gutter + 4;
  for (const wall of timeline.walls) {
    const [from, to] = [xOf(geo, wall.from), endX(timeline, geo, wall.to)];
    if (!visible(geo, from, to)) continue;
    const between = wallsBetween(timeline.lanes, wall.cuts).map(({ above, oneWay }) => ({
      y: geo.top + geo.gap * (above + 0.5),
      oneWay,
    }));
    // Gates are set one after another, and each step has its own cuts for a
    // moment: what is no wall yet is not worth a sign of its own.
    if (between.length === 0 && to - from < WALL_LEAST) continue;
    // Cables that are no neighbours in the drawing still show that something is cut.
    const bands = between.length > 0 ? between : [{ y: geo.top + geo.gap * (timeline.lanes.length - 1) + 16, oneWay: true }];
    split(ctx, geo, from, to, now, future, () => {
      ctx.fillStyle = palette.wall;
      for (const { y, oneWay } of bands) {
        if (to - from < HATCH_LEAST) ctx.fillRect(from, y - 5, Math.max(to - from, 1.5), 10);
        else hatch(ctx, from, y - 5, to - from, 10, palette.wall, oneWay);
      }
    });
    if (wall.from > cursor && !future) continue;
    ctx.globalAlpha = wall.from > cursor ? FAINT : 1;
    free = wallName(ctx, geo, wallText(timeline.members, wall), Math.max(from, free), to, bands[0].y + (between.length > 0 ? -9 : 4), palette);
    ctx.globalAlpha = 1;
  }
}

/**
 * Who is parted from whom, where there is room; else that there is a wall.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {string} text @param {number} left
 * @param {number} to where the wall ends @param {number} y @param {Palette} palette
 * @returns {number} where the next one may begin
 */
function wallName(ctx, geo, text, left, to, y, palette) {
  ctx.font = LABEL_FONT;
  // A wall that has just gone up is as narrow as its first moment: its name may reach over it.
  const room = Math.max(to - left, WALL_LEAST * 8);
  const shown = to - left < WALL_LEAST ? undefined : [text, words.wall].find((one) => ctx.measureText(one).width <= room);
  if (shown === undefined) return left;
  const wide = ctx.measureText(shown).width;
  const x = Math.max(Math.min(left, geo.width - wide - 6), geo.gutter + 4);
  // It may stand on the hatching itself.
  ctx.fillStyle = palette.card;
  ctx.fillRect(x - 3, y - 10, wide + 6, 13);
  label(ctx, shown, x, y, palette.wall, palette.card, "left");
  return x + wide + 10;
}

/* --- in words --------------------------------------------------------------------- */

/** @type {WeakMap<WallSpan, string>} */
const known = new WeakMap();

/** @param {string[]} members @param {WallSpan} wall */
function wallText(members, wall) {
  const text = known.get(wall) ?? cutText(members, wall.cuts);
  known.set(wall, text);
  return text;
}

/**
 * Who cannot reach whom: the sides of a wall, or the ways that are cut where
 * there is a way round.
 * @param {string[]} members @param {string[]} cuts
 */
export function cutText(members, cuts) {
  const sides = sidesOf(members, cuts);
  if (sides.length > 1) return words.wallOf(sides.sort((one, other) => compareNodes(one[0], other[0])));
  const ways = waysOf(cuts);
  return ways.length > NAMED ? words.cutCables(cuts.length) : ways.map(({ from, to, both }) => words.noWay(from, to, both)).join(", ");
}

/** @typedef {{from: string[], to: string[], both: boolean}} Way */

/** The cut directions, put together by who is cut off from the same nodes. @param {string[]} cuts @returns {Way[]} */
function waysOf(cuts) {
  const cut = new Set(cuts);
  /** @type {Map<string, Way>} by the nodes that cannot be reached */
  const ways = new Map();
  const sources = [...new Set(cuts.map((one) => one.split(">")[0]))].sort(compareNodes);
  for (const from of sources) {
    for (const both of [true, false]) {
      const to = cuts
        .map((one) => one.split(">"))
        .filter(([source, end]) => source === from && cut.has(`${end}>${from}`) === both && (!both || compareNodes(from, end) < 0))
        .map(([, end]) => end)
        .sort(compareNodes);
      if (to.length === 0) continue;
      const name = `${both} ${to.join()}`;
      const way = ways.get(name) ?? { from: [], to, both };
      way.from.push(from);
      ways.set(name, way);
    }
  }
  return [...ways.values()];
}
