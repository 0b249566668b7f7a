// The pictures of tour and exhibits: a client's wish, what promises report, and
// what must be pushed, in the colours that the values have in the run itself;
// and what is left of a record after a kill and after a power loss.

/** @import {App} from "../state.js" */

import { styleOf } from "../log/values.js";
import { html, svg } from "../vendor/lit-html/lit-html.js";
import { words } from "./words.js";

/** @param {App} app @param {boolean} answered */
export function mustPush(app, answered) {
  const { figure } = words;
  const of = (/** @type {string} */ value) => (app.timeline === null ? 0 : styleOf(app.timeline.values, value).index);
  const [apple, pear] = [of("apple"), of("pear")];
  return html`
    <svg class="figure" viewBox="0 0 420 190" role="img" aria-label=${answered ? `${figure.label} ${figure.answered}` : figure.label}>
      ${promise(14, "n3", value(124, 14, 44, apple, "apple"), figure.at)} ${promise(74, "n4", none(), "")} ${promise(134, "n5", none(), "")}
      <circle class="body" cx="268" cy="95" r="27" />
      <text class="name" x="268" y="100">n5</text>
      <text class="small" x="268" y="30">${figure.wants}</text>
      ${value(252, 36, 32, pear, "pear")}
      ${answered ? svg`<path class="crossed" d="M246 30 L290 74 M290 30 L246 74" />` : ""}
      <path class="stroke accept thick" d="M298 95 H340" />
      <path class="fill accept" d="M354 95 l-14 -7 v14 z" />
      ${answered
        ? value(360, 69, 52, apple, "apple")
        : svg`<rect class="unknown" x="360" y="69" width="52" height="52" /><text class="big" x="386" y="106">?</text>`}
      <text class="small" x="386" y="142">${figure.pushes}</text>
    </svg>
  `;
}

/** A promise on its way to n5. @param {number} y @param {string} node @param {unknown} reported @param {string} at */
function promise(y, node, reported, at) {
  const middle = y + 22;
  return svg`
    <text class="name" x="24" y=${middle + 5}>${node}</text>
    <path class="stroke prepare thin dashed" d="M44 ${middle} C 130 ${middle}, 180 ${middle + (95 - middle) * 0.1}, 238 ${95 + (middle - 95) * 0.22}" />
    <g transform="translate(0 ${y - 14})">${reported}</g>
    ${at === "" ? "" : svg`<text class="small" x="198" y=${y + 6}>${at}</text>`}
  `;
}

function none() {
  return svg`<rect class="unknown" x="136" y="26" width="20" height="20" /><text class="small" x="146" y="40">–</text>`;
}

/** @param {number} x @param {number} y @param {number} size @param {number} index @param {string} text */
function value(x, y, size, index, text) {
  return svg`<rect class="v${index} edge" x=${x} y=${y} width=${size} height=${size} /><text class="value" x=${x + size / 2} y=${y + size / 2 + 4}>${text}</text>`;
}

/** Where a record may be, and what a kill and a power loss leave of it. */
export function durable() {
  const { table } = words;
  return html`
    <table class="durable small">
      <caption>${table.title}</caption>
      <thead>
        <tr><th scope="col">${table.where}</th>${table.faults.map((fault) => html`<th scope="col">${fault}</th>`)}<th scope="col">${table.maySpeak}</th></tr>
      </thead>
      <tbody>
        ${table.rows.map(
          ({ where, kept, speak, here }) => html`<tr class=${here === undefined ? "" : "here"}>
            <th scope="row">${where}${here === undefined ? "" : html`<span class="muted">${here}</span>`}</th>
            ${[...kept, speak].map((yes, index) => html`<td class=${yes ? "good" : "bad"}>${yes ? "✓" : "✗"} ${table.marks[index < kept.length ? "kept" : "speak"][yes ? 0 : 1]}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  `;
}
