// Time: play, step, turning points, the scrubber, and how the view is laid out.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { html } from "../vendor/lit-html/lit-html.js";
import { seesFuture } from "./happening.js";
import { words } from "../words.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

/**
 * @typedef {object} Acts
 * @property {(command: import("../keys.js").Command) => void} command
 * @property {(at: number) => void} go
 * @property {(speed: number) => void} speed
 * @property {(axis: "order" | "time") => void} axis
 */

/** @param {App} app @param {Acts} act */
export function controls(app, act) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const last = timeline.length - 1;
  /** @type {(command: import("../keys.js").Command, sign: string, name: string) => unknown} */
  const button = (command, sign, name) =>
    html`<button aria-label=${name} title=${name} @click=${() => act.command(command)}>${sign}</button>`;
  return html`
    <div class="controls">
      <div class="group">
        <button class="primary" @click=${() => act.command("play")}>
          ${app.playing ? `❚❚ ${words.pause}` : `▶ ${words.play}`}
        </button>
        ${button("previousPoint", "◀◀", words.previousPoint)} ${button("previous", "◀", words.previous)}
        ${button("next", "▶", words.next)} ${button("nextPoint", "▶▶", words.nextPoint)}
      </div>
      <span class="field">
        <label class="muted" for="speed">${words.speed}</label>
        <select id="speed" @change=${(/** @type {Event} */ event) => act.speed(Number(/** @type {HTMLSelectElement} */ (event.target).value))}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === app.speed}>${words.times(speed)}</option>`)}
        </select>
      </span>
      <input
        class="scrubber"
        type="range"
        aria-label=${words.scrubber}
        aria-valuetext=${words.eventOf(app.cursor, timeline.length)}
        min="0"
        max=${last}
        .value=${String(app.cursor)}
        @input=${(/** @type {Event} */ event) => act.go(Number(/** @type {HTMLInputElement} */ (event.target).value))}
      />
      <div class="group" role="group" aria-label=${words.axis}>
        ${/** @type {const} */ (["order", "time"]).map(
          (axis) =>
            html`<button aria-pressed=${app.axis === axis} @click=${() => act.axis(axis)}>
              ${axis === "order" ? words.byOrder : words.byTime}
            </button>`,
        )}
      </div>
      <div class="group">
        <button aria-pressed=${seesFuture(app)} @click=${() => act.command("future")}>${words.future}</button>
        <button aria-pressed=${app.causes} @click=${() => act.command("causes")}>${words.causes}</button>
      </div>
      <div class="group">
        ${button("out", "−", words.zoomOut)} ${button("in", "+", words.zoomIn)}
        <button @click=${() => act.command("fit")}>${words.fit}</button>
      </div>
    </div>
  `;
}
