// What the pointer points at in the space-time view.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Geometry} from "./layout.js" */

import { SCALE_OF_BALLOTS, eachFlight, hasSign, lineNear, wayOf, xOf } from "./layout.js";

const MARK_REACH = 10;
const ARROW_REACH = 6;

/**
 * @param {Timeline} timeline @param {Geometry} geo
 * @param {{cursor: number, future: boolean}} app
 * @param {[number, number]} at
 * @returns {{line: number, flight: number, near: number}} -1 for none; `near` is the line nearest in time
 */
export function pointed(timeline, geo, { cursor, future }, [px, py]) {
  const near = lineNear(geo, px);
  if (geo.scale < SCALE_OF_BALLOTS || px < geo.gutter) return { line: -1, flight: -1, near };
  const last = future ? timeline.length - 1 : cursor;
  const { node } = timeline.core.tables.lines.columns;
  let [line, reach] = [-1, MARK_REACH];
  for (let at = Math.max(0, near - 60); at <= Math.min(last, near + 60); at += 1) {
    if (!geo.layout.shown[at] || !hasSign(timeline, at)) continue;
    const distance = Math.hypot(xOf(geo, at) - px, geo.laneOf[node[at]] - py);
    if (distance < reach) [line, reach] = [at, distance];
  }
  if (line >= 0) return { line, flight: -1, near };
  let [flight, close] = [-1, ARROW_REACH];
  const { sent } = timeline.core.tables.flights.columns;
  eachFlight(timeline, geo, (place) => {
    if (!geo.layout.shown[sent[place]] || sent[place] > last) return;
    const one = timeline.flight(place);
    const way = wayOf(timeline, geo, one);
    if (way === null) return;
    for (let step = 1; step < way.points.length; step += 1) {
      const distance = toSegment(px, py, way.points[step - 1], way.points[step]);
      if (distance < close) [flight, close] = [place, distance];
    }
  });
  return { line: -1, flight, near };
}

/** @param {number} x @param {number} y @param {[number, number]} from @param {[number, number]} to */
function toSegment(x, y, from, to) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(Math.max(((x - from[0]) * dx + (y - from[1]) * dy) / length, 0), 1);
  return Math.hypot(x - from[0] - part * dx, y - from[1] - part * dy);
}
