// The signs of turning points in the page's text and legend.

import { POINT_SIGNS, pathOf } from "./points.js";
import { html, svg } from "../vendor/lit-html/lit-html.js";

/** In the colour that it has on the strip. @param {string} kind @param {number} x @param {number} y */
export function pointPicture(kind, x, y) {
  const { colour, parts } = POINT_SIGNS[kind];
  return parts.map((part) => svg`<path class="${part.filled ? "fill" : "stroke"} ${colour}" d=${pathOf(part, x, y)} />`);
}

/** Beside words, in their colour. @param {string} kind */
export function wordPicture(kind) {
  const pictures = POINT_SIGNS[kind].parts.map((part) =>
    part.filled
      ? svg`<path fill="currentColor" d=${pathOf(part, 0, 0)} />`
      : svg`<path fill="none" stroke="currentColor" stroke-width="1.6" d=${pathOf(part, 0, 0)} />`,
  );
  return html`<svg viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">${pictures}</svg>`;
}
