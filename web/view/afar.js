// Ballots as bars, where arrows would stand upright.

/** @import {BallotSpan} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */
/** @import {Palette} from "./palette.js" */
/** @import {Scene} from "./spacetime.js" */

import { cross, label, square } from "./shapes.js";
import { choicesIn } from "./seen.js";
import { eachBallot, xOf } from "./layout.js";
import { split, visible } from "./time.js";
import { styleOf } from "../log/values.js";
import { words } from "../words.js";

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
export function ballots(ctx, geo, scene, palette, now) {
  const { timeline, future } = scene;
  /** @type {Map<string, number>} */
  const free = new Map();
  eachBallot(timeline, geo, (place) => {
    const span = timeline.core.ballotOf(place);
    const y = geo.lane.get(span.proposer);
    const [from, to] = [xOf(geo, span.from), Math.max(xOf(geo, span.to), xOf(geo, span.from) + 2)];
    if (y === undefined || !geo.layout.shown[span.from] || !visible(geo, from, to)) return;
    split(ctx, geo, from, to, now, future, () => ballotBar(ctx, geo, span, from, to, y, palette));
    const text = words.ballotOf(span.ballot);
    if (from > (free.get(span.proposer) ?? 0) && (span.from <= scene.cursor || future)) {
      ctx.globalAlpha = span.from <= scene.cursor ? 1 : 0.4;
      label(ctx, text, from, y - 15, palette.muted, palette.card, "left");
      free.set(span.proposer, from + ctx.measureText(text).width + 14);
      ctx.globalAlpha = 1;
    }
  });
  choicesOnBars(ctx, geo, scene, palette);
}

/** The value that a ballot has got chosen, on its bar. @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function choicesOnBars(ctx, geo, { timeline, cursor, future }, palette) {
  /** @type {Map<string, number>} */
  const free = new Map();
  for (const choice of choicesIn(timeline, geo)) {
    const proposer = choice.ballot.slice(choice.ballot.indexOf(".") + 1);
    const [x, y] = [xOf(geo, choice.at), geo.lane.get(proposer)];
    if (y === undefined || !geo.layout.shown[choice.at] || (choice.at > cursor && !future) || x < (free.get(proposer) ?? 0)) continue;
    const style = styleOf(timeline.values, choice.value);
    ctx.globalAlpha = choice.at <= cursor ? 1 : 0.35;
    square(ctx, x, y, 7, style.colour, palette.ink, style.letter);
    free.set(proposer, x + 16);
  }
  ctx.globalAlpha = 1;
}

/** How thick the edge of a hollow bar is, in pixels. */
const EDGE = 1.6;

/**
 * One ballot as a bar: phase 1 thin, phase 2 thick and hollow, filled where it
 * got its value chosen; and a cross at its head where it was refused.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {BallotSpan} span
 * @param {number} from @param {number} to @param {number} y @param {Palette} palette
 */
function ballotBar(ctx, geo, span, from, to, y, palette) {
  const turn = span.quorumAt < 0 ? to : xOf(geo, span.quorumAt);
  ctx.fillStyle = palette.prepare;
  ctx.fillRect(from, y - 2.5, Math.max(turn - from, 1), 5);
  if (span.quorumAt >= 0) {
    const wide = Math.max(to - turn, 1.5);
    if (span.end === "chosen") {
      ctx.fillStyle = palette.accepted;
      ctx.fillRect(turn, y - 6, wide, 12);
    } else if (wide > EDGE * 3) {
      ctx.strokeStyle = palette.accept;
      ctx.lineWidth = EDGE;
      ctx.setLineDash([]);
      ctx.strokeRect(turn + EDGE / 2, y - 6 + EDGE / 2, wide - EDGE, 12 - EDGE);
    } else {
      // Too narrow to be hollow: shorter than a chosen one.
      ctx.fillStyle = palette.accept;
      ctx.fillRect(turn, y - 4, wide, 8);
    }
  }
  if (span.end === "refused") cross(ctx, to, y, 4, palette.nack, 2);
}
