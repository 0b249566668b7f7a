// Where the lines of two runs stand, so that what matches stands at the same
// place in both. Pure geometry.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Geometry, Layout} from "../view/layout.js" */
/** @import {Diff} from "./align.js" */

import { firstAt, geometry, layout } from "../view/layout.js";

/** @typedef {{x: Float64Array, a: Layout, b: Layout, width: number}} Shared `x` per row, in slots */

/** @type {WeakMap<Diff, Shared>} */
const made = new WeakMap();

/** @param {Diff} diff @param {Timeline} a @param {Timeline} b @returns {Shared} */
export function shared(diff, a, b) {
  const known = made.get(diff);
  if (known !== undefined) return known;
  const [own, other] = [layout(a, 0, "order"), layout(b, 0, "order")];
  const x = new Float64Array(diff.same.length);
  let [place, seenA, seenB] = [0, 0, 0];
  for (let row = 0; row < x.length; row += 1) {
    // A row takes the room that the wider of its two lines needs behind what is before it.
    const [i, j] = [diff.a[row], diff.b[row]];
    const [stepA, stepB] = [i < 0 ? 0 : own.place[i] - seenA, j < 0 ? 0 : other.place[j] - seenB];
    place += Math.max(stepA, stepB, 0);
    if (i >= 0) seenA = own.place[i];
    if (j >= 0) seenB = other.place[j];
    x[row] = place;
  }
  const width = place + 1;
  const found = { x, a: placed(own, a, diff.rowOfA, x, width), b: placed(other, b, diff.rowOfB, x, width), width };
  made.set(diff, found);
  return found;
}

/** @param {Layout} own @param {Timeline} timeline @param {Int32Array} rowOf @param {Float64Array} x @param {number} width @returns {Layout} */
function placed(own, timeline, rowOf, x, width) {
  const place = Float64Array.from(own.x, (_, at) => x[rowOf[at]]);
  // Lines of one fan-out leave from one place.
  return { ...own, place, x: Float64Array.from(own.x, (_, at) => place[timeline.head[at]]), width };
}

/** Lines this far behind the last one in sight may belong to a fan-out that is in sight. */
const REACH = 256;

/** @param {Timeline} timeline @param {Layout} where @param {{left: number, scale: number}} view @param {number} width @returns {Geometry} */
export function geometryOf(timeline, where, view, width) {
  const geo = geometry(timeline, { instance: 0, axis: "order", ...view }, width);
  const slot = (/** @type {number} */ px) => view.left + (px - geo.gutter - 14) / view.scale;
  const first = firstAt(where.place, slot(geo.gutter - 40));
  const end = Math.min(firstAt(where.place, slot(width + 40)) + REACH, timeline.length);
  return { ...geo, layout: where, span: [first, end] };
}
