// Draws the space-time view on a canvas: a pure function of the page's state,
// but for the pixels. layout.js says where things stand, palette.js in which
// colours; the encodings (weight, dash, head, shape) are listed in legend.js.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */
/** @import {Palette} from "./palette.js" */

import { FIRST_SIGN, SHAPES } from "../log/columns.js";
import { arrows } from "./arrows.js";
import { ballots } from "./afar.js";
import { choiceTicks, density } from "./density.js";
import { FAINT, endX, split, visible } from "./time.js";
import { SCALE_OF_BALLOTS, eachFlight, firstAt, xOf } from "./layout.js";
import { choicesIn, spansOf } from "./seen.js";
import { LABEL_FONT, cross, label, mark, square } from "./shapes.js";
import { violationBands, violationNames, violationsShown } from "./violations.js";
import { walls } from "./walls.js";
import { shortText, styleOf } from "../log/values.js";
import { words } from "../words.js";

/**
 * What of the page's state the drawing depends on.
 * @typedef {object} Scene
 * @property {Timeline} timeline
 * @property {number} cursor
 * @property {boolean} future whether what comes after the cursor is shown, faintly
 * @property {number} instance the one whose learning fills the lanes
 * @property {string | null} node the selected one
 * @property {number} selected a message, -1 for none
 * @property {Uint8Array | null} related what is lit, by causality
 */

/** Of more arrows, or of so many lines, only their density can be seen. */
const ARROWS_MOST = 4_000;
const LINES_MOST = 40_000;
const CHOICE_FONT = "600 12.5px system-ui, sans-serif";
/** Fewer letters of a chapter tell nothing. */
const CHAPTER_LEAST = 14;

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Geometry} geo
 * @param {Scene} scene
 * @param {Palette} palette
 */
export function paint(ctx, geo, scene, palette) {
  ctx.clearRect(0, 0, geo.width, geo.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(geo.gutter, 0, geo.width - geo.gutter, geo.height);
  ctx.clip();
  const now = nowX(geo, scene.cursor);
  axis(ctx, geo, scene, palette);
  steps(ctx, geo, scene, palette);
  learnedFills(ctx, geo, scene, palette, now);
  walls(ctx, geo, scene, palette, now);
  lanes(ctx, geo, scene, palette, now);
  choices(ctx, geo, scene, palette);
  const broken = violationsShown(geo, scene);
  // Behind what proves it, which must stay legible.
  violationBands(ctx, geo, palette, broken);
  const places = flightsInSight(geo, scene);
  if (places === null) {
    density(ctx, geo, scene, palette, now, FAINT);
  } else if (geo.scale < SCALE_OF_BALLOTS) {
    ballots(ctx, geo, scene, palette, now);
    choiceTicks(ctx, geo, scene, palette, FAINT);
  } else {
    arrows(ctx, geo, scene, palette, now, places);
    marks(ctx, geo, scene, palette);
  }
  violationNames(ctx, geo, palette, broken);
  cursorLine(ctx, geo, palette, now);
  ctx.restore();
  names(ctx, geo, scene, palette);
}

/**
 * The messages that can be drawn one by one; null where there are too many.
 * @param {Geometry} geo @param {Scene} scene @returns {number[] | null}
 */
function flightsInSight(geo, { timeline, cursor, future }) {
  const { sent } = timeline.core.tables.flights.columns;
  /** @type {number[]} */
  const places = [];
  if (geo.span[1] - geo.span[0] > LINES_MOST) return null;
  eachFlight(timeline, geo, (place) => {
    if (geo.layout.shown[sent[place]] && (sent[place] <= cursor || future)) places.push(place);
  });
  return places.length > ARROWS_MOST ? null : places;
}

/** The cursor stands just behind its line. @param {Geometry} geo @param {number} cursor */
export function nowX(geo, cursor) {
  return cursor < 0 ? geo.gutter + 4 : xOf(geo, cursor) + Math.min(8, Math.max(2, geo.scale * 0.4));
}

/**
 * How visible something of the line at `at` is.
 * @param {Scene} scene @param {number} at
 */
function weight(scene, at) {
  const time = at <= scene.cursor ? 1 : scene.future ? FAINT : 0;
  return scene.related === null || scene.related[at] > 0 ? time : time * 0.14;
}

/* --- behind everything ------------------------------------------------------------ */

/** From one label of the axis to the next, in pixels: the longest is shorter. */
const LABEL_ROOM = 110;

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function axis(ctx, geo, { timeline, cursor, future }, palette) {
  const y = geo.height - 8;
  ctx.font = "11px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.fillStyle = palette.muted;
  /** @type {{at: number, x: number}[]} */
  const labels = [];
  let free = geo.gutter;
  for (let px = geo.gutter + 40; px < geo.width - 30; px += 20) {
    if (px < free) continue;
    const at = nearestAt(geo, px);
    if (at < 0 || (at > cursor && !future)) continue;
    const x = xOf(geo, at);
    if (x < free) continue;
    labels.push({ at, x });
    free = x + LABEL_ROOM;
  }
  // One number of digits for all of them: so many that each differs from the next one.
  const apart = labels.slice(1).map(({ at }, place) => Math.abs(timeline.ms[at] - timeline.ms[labels[place].at]));
  const least = Math.min(...apart.filter((ms) => ms > 0));
  for (const { at, x } of labels) {
    ctx.fillRect(x - 0.5, y - 16, 1, 4);
    ctx.fillText(words.ms(timeline.ms[at], least), x, y);
  }
}

/**
 * The scenario's steps, as chapters.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette
 */
function steps(ctx, geo, { timeline, cursor, future }, palette) {
  const { stepTexts, steps: places } = timeline;
  ctx.font = "italic 12px system-ui, sans-serif";
  ctx.textAlign = "left";
  places.forEach((at, index) => {
    if (at > cursor && !future) return;
    const next = places[index + 1];
    const x = xOf(geo, at);
    const end = Math.min(next === undefined ? geo.width : xOf(geo, next), geo.width) - 10;
    if (end < geo.gutter || x > geo.width) return;
    ctx.globalAlpha = at <= cursor ? 1 : 0.45;
    ctx.fillStyle = palette.line;
    ctx.fillRect(x, 28, 1, geo.height - geo.bottom - 28);
    const left = Math.max(x, geo.gutter) + 5;
    const text = cutTo(ctx, stepTexts[index], end - left);
    ctx.fillStyle = palette.muted;
    if (text !== "") ctx.fillText(text, left, 38);
  });
  ctx.globalAlpha = 1;
}

/**
 * As much of a text as there is room for.
 * @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} room
 */
function cutTo(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  const most = Math.floor((text.length * room) / ctx.measureText(text).width) - 1;
  return most < CHAPTER_LEAST ? "" : `${text.slice(0, most).trimEnd()}…`;
}

/** @param {Geometry} geo @param {number} px */
function nearestAt(geo, px) {
  const { place } = geo.layout;
  const slot = (px - geo.gutter - 14) / geo.scale + geo.left;
  if (place.length === 0 || slot < 0 || slot > place[place.length - 1]) return -1;
  return firstAt(place, slot);
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function learnedFills(ctx, geo, { timeline, instance, future }, palette, now) {
  const half = Math.min(10, geo.gap / 5);
  for (const span of learnedOf(timeline, instance)) {
    const y = geo.lane.get(span.node);
    const [from, to] = [xOf(geo, span.from), endX(timeline, geo, span.to)];
    if (y === undefined || !visible(geo, from, to)) continue;
    const style = styleOf(timeline.values, span.value);
    split(ctx, geo, from, to, now, future, (alpha) => {
      ctx.globalAlpha = alpha * palette.fillAlpha;
      ctx.fillStyle = style.colour;
      ctx.fillRect(from, y - half, to - from, half * 2);
      ctx.globalAlpha = alpha;
    });
  }
}

/** @type {{core: unknown, instance: number, count: number, places: number[]}} */
let learnedPlaces = { core: null, instance: 0, count: 0, places: [] };

/** Where learners of one instance know its value. @param {Timeline} timeline @param {number} instance */
function learnedOf({ core }, instance) {
  if (learnedPlaces.core !== core || learnedPlaces.instance !== instance) learnedPlaces = { core, instance, count: 0, places: [] };
  const of = core.tables.learned.columns.instance;
  for (; learnedPlaces.count < core.tables.learned.count; learnedPlaces.count += 1) {
    if (of[learnedPlaces.count] === instance) learnedPlaces.places.push(learnedPlaces.count);
  }
  return learnedPlaces.places.map((place) => core.learnedOf(place));
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette @param {number} now */
function lanes(ctx, geo, { timeline, node: chosen, future }, palette, now) {
  const edge = endX(timeline, geo, timeline.length - 1);
  for (const [node, y] of geo.lane) {
    const spans = spansOf(timeline, node, "");
    const drawn = spans.length > 0 ? spans : [{ node, status: "unseen", how: null, from: 0, to: timeline.length - 1 }];
    for (const span of drawn) {
      const [from, to] = [span.from === 0 ? geo.gutter : xOf(geo, span.from), span.to >= timeline.length - 1 ? edge : xOf(geo, span.to)];
      if (!visible(geo, from, to)) continue;
      split(ctx, geo, from, to, now, future || span.from === 0, () => {
        ctx.strokeStyle = span.status === "unseen" ? palette.line : node === chosen ? palette.cursor : palette.lane;
        ctx.lineWidth = node === chosen ? 2.4 : 1.4;
        ctx.setLineDash({ down: [1.5, 5], paused: [9, 6], unseen: [2, 6], up: [] }[span.status] ?? []);
        ctx.beginPath();
        ctx.moveTo(from, y);
        ctx.lineTo(to, y);
        ctx.stroke();
        ctx.setLineDash([]);
        if (span.status === "down") cross(ctx, from, y, 7, palette.nack, 3);
        if (span.status === "paused") mark(ctx, "pause", from, y, palette, null);
      });
    }
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function choices(ctx, geo, scene, palette) {
  let free = geo.gutter;
  const seen = choicesIn(scene.timeline, geo)
    .map((choice) => ({ ...choice, x: xOf(geo, choice.at), shown: choice.instance === scene.instance }))
    .filter(({ x, at, shown }) => visible(geo, x, x) && (shown || geo.scale >= 8) && (at <= scene.cursor || scene.future));
  seen.forEach(({ x, at, value, ballot, shown }, place) => {
    ctx.globalAlpha = weight({ ...scene, related: null }, at) * (shown ? 1 : 0.4);
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = 2;
    ctx.setLineDash([7, 5]);
    ctx.beginPath();
    ctx.moveTo(x, 24);
    ctx.lineTo(x, geo.height - geo.bottom);
    ctx.stroke();
    ctx.setLineDash([]);
    if (x < geo.gutter) return;
    const style = styleOf(scene.timeline.values, value);
    const text = shortText(value);
    const next = seen[place + 1]?.x ?? Infinity;
    ctx.font = CHOICE_FONT;
    const told = choiceRoom(ctx, geo, [words.chosenAt(text, ballot), words.chosenBriefly(text), text], x, free, next);
    square(ctx, told.left + 8, 15, 7, style.colour, palette.ink, style.letter);
    free = told.left + told.wide + 4;
    ctx.font = CHOICE_FONT;
    ctx.textAlign = "left";
    ctx.fillStyle = palette.ink;
    if (told.text !== "") ctx.fillText(told.text, told.left + 20, 19);
  });
  ctx.globalAlpha = 1;
}

/** The room of a letter alone, and what a text takes beside its own. */
const LETTER_WIDE = 18;
const TEXT_MORE = 24;

/**
 * Where a choice is told, and in how many words: at its line, where nothing is
 * told yet and nothing is cut off; on its left where it would cover the line of
 * the next choice, which is to be told, too; by its letter alone if there is no room.
 * @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {string[]} texts the longest first
 * @param {number} x @param {number} free where words may begin @param {number} next the line of the next choice
 */
function choiceRoom(ctx, geo, texts, x, free, next) {
  const rooms = texts.flatMap((text) => {
    const wide = ctx.measureText(text).width + TEXT_MORE;
    return [Math.min(x + 2, geo.width - wide - 4), x - wide - 6].map((left) => ({ text, wide, left }));
  });
  const fitting = rooms.filter(({ left, wide }) => left >= free && left + wide >= x - 6);
  const alone = { text: "", wide: LETTER_WIDE, left: Math.min(Math.max(x + 2, free), geo.width - LETTER_WIDE) };
  return fitting.find(({ left, wide }) => left + wide <= next) ?? fitting[0] ?? alone;
}

/* --- what happens at a node ---------------------------------------------------------- */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function marks(ctx, geo, scene, palette) {
  const { timeline } = scene;
  /** @type {Map<number, number>} */
  const free = new Map();
  const { shape: shapes, value: worn, instance: of, node: nodes } = timeline.core.tables.lines.columns;
  for (let [at, end] = geo.span; at < end; at += 1) {
    if (!geo.layout.shown[at]) continue;
    const x = xOf(geo, at);
    if (x < geo.gutter - 20 || x > geo.width + 20) continue;
    const alpha = weight(scene, at);
    if (alpha === 0) continue;
    const y = geo.laneOf[nodes[at]];
    if (Number.isNaN(y)) continue;
    const other = of[at] !== 0 && scene.instance !== 0 && of[at] !== scene.instance;
    ctx.globalAlpha = alpha * (other ? 0.35 : 1);
    const shape = SHAPES[shapes[at]];
    const style = worn[at] < 0 ? null : styleOf(timeline.values, timeline.core.known.values[worn[at]]);
    if (shapes[at] >= FIRST_SIGN) mark(ctx, shape, x, y, palette, style);
    if (at === scene.cursor) {
      ctx.strokeStyle = palette.cursor;
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(x, y, 12, 0, Math.PI * 2);
      ctx.stroke();
    }
    const text = caption(timeline, at);
    if (text !== "" && geo.scale >= 7 && x > (free.get(nodes[at]) ?? 0)) {
      const pushed = shape === "pushes" || shape === "yields" ? style : null;
      const wish = shape === "wish";
      ctx.font = LABEL_FONT;
      const wide = ctx.measureText(text).width;
      // What is told last is told at the edge: it moves in rather than being cut.
      const wanted = pushed !== null ? x + 11 : wish ? x + 10 : x - 4;
      const left = Math.max(Math.min(wanted, geo.width - wide - 6), geo.gutter + (pushed !== null ? 18 : 2));
      if (pushed !== null) square(ctx, left - 10, y - 20, 6, pushed.colour, palette.ink, pushed.letter);
      const raised = wish && answersWithin(scene, geo, at, left + wide) ? WISH_RAISED : WISH_UP;
      label(ctx, text, left, wish ? y - raised : y - 16, pushed === null ? palette.muted : palette.ink, palette.card, "left");
      free.set(nodes[at], left + wide + 24);
    }
  }
  ctx.globalAlpha = 1;
}

/** How far above its lane a wish is told: beside its triangle, or above an answer's. */
const WISH_UP = 10;
const WISH_RAISED = 19;
/** Half of an answer's triangle, in pixels. */
const ANSWER_HALF = 8;

/**
 * Whether the client's answer stands where its wish would be written.
 * @param {Scene} scene @param {Geometry} geo @param {number} at of the wish @param {number} end of its words, in pixels
 */
function answersWithin({ timeline, cursor, future }, geo, at, end) {
  const { shape, node } = timeline.core.tables.lines.columns;
  for (let next = at + 1; next < geo.span[1] && (next <= cursor || future); next += 1) {
    if (xOf(geo, next) - ANSWER_HALF > end) return false;
    if (node[next] === node[at] && SHAPES[shape[next]] === "answer" && geo.layout.shown[next]) return true;
  }
  return false;
}

/**
 * The few words that a mark wears: a ballot where one begins, a value where it is pushed or wished for.
 * @param {Timeline} timeline @param {number} at
 */
function caption(timeline, at) {
  if (timeline.head[at] !== at) return "";
  const { shape, value, flight } = timeline.core.tables.lines.columns;
  const text = () => shortText(timeline.core.known.values[value[at]], 12);
  switch (SHAPES[shape[at]]) {
    case "wish":
      return words.wishes(text());
    case "begins":
      return timeline.flight(flight[at]).ballot ?? "";
    case "pushes":
      return words.pushes(text(), false);
    case "yields":
      return words.pushes(text(), true);
    case "learn":
      return text();
    case "stuck":
      return words.stuck;
    default:
      return "";
  }
}

/* --- over everything --------------------------------------------------------------------- */

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Palette} palette @param {number} now */
function cursorLine(ctx, geo, palette, now) {
  ctx.strokeStyle = palette.cursor;
  ctx.fillStyle = palette.cursor;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(now, 24);
  ctx.lineTo(now, geo.height - geo.bottom + 4);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(now - 6, 24);
  ctx.lineTo(now + 6, 24);
  ctx.lineTo(now, 32);
  ctx.fill();
}

/** @param {CanvasRenderingContext2D} ctx @param {Geometry} geo @param {Scene} scene @param {Palette} palette */
function names(ctx, geo, { node: chosen }, palette) {
  ctx.textAlign = "left";
  ctx.font = "600 14px system-ui, sans-serif";
  for (const [node, y] of geo.lane) {
    ctx.fillStyle = node === chosen ? palette.cursor : palette.ink;
    ctx.fillText(node, geo.gutter > 40 ? 14 : 6, y + 5);
  }
}
