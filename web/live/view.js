// What live mode shows beside the title, and where there is no run yet.

/** @import {App} from "../state.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { prose } from "../shell/prose.js";
import { timeOf } from "../view/time.js";
import { words } from "../words.js";
import { live as said } from "./words.js";

/** @param {App} app @param {{begin: () => void, end: () => void, goLive: () => void}} act */
export function liveBeside(app, act) {
  const { live, timeline } = app;
  if (timeline === null) return nothing;
  const going = live.info?.run != null && live.ended === null;
  // Of a long run the end takes a while, and every tab hears what it is about.
  const busy = live.info?.state === "ending" ? live.info.why : live.busy;
  return html`
    <span class="chip">${said.events(timeline.length)}</span>
    ${going ? now(app, act) : nothing}
    ${busy !== null
      ? html`<span class="muted small" role="status">${busy}</span>`
      : going
        ? live.token ? html`<button @click=${act.end}>${said.end}</button>` : nothing
        : live.info?.available && live.token ? html`<button class="primary" @click=${act.begin}>${said.begin}</button>` : nothing}
  `;
}

/** @param {App} app @param {{goLive: () => void}} act */
function now(app, act) {
  const { live, timeline } = app;
  if (live.feed === "connecting" || live.feed === "lost") {
    return html`<span class="chip warn" role="status">${live.feed === "lost" ? said.lost : said.connecting}</span>`;
  }
  if (live.following) return html`<span class="chip now"><span class="dot" aria-hidden="true"></span>${said.live}</span>`;
  return html`
    <span class="chip">${said.behind(timeline === null ? words.ms(0) : timeOf(timeline, Math.max(app.cursor, 0)))}</span>
    <button class="primary go-live" aria-keyshortcuts="g" @click=${act.goLive}>${said.goLive} <kbd>g</kbd></button>
  `;
}

/** @param {App} app @param {{begin: () => void, open: (run: string) => void}} act */
export function liveStage(app, act) {
  const { live, timeline } = app;
  if (live.ended !== null) return ended(live.ended, act.open);
  if (timeline !== null) return live.token ? nothing : html`<p class="card notice">${said.noToken}</p>`;
  return html`
    <section class="card start" aria-labelledby="live-title">
      <h2 id="live-title">${said.startTitle}</h2>
      <p>${said.startHow}</p>
      ${live.info === null ? html`<p class="muted" role="status">${said.asking}</p>` : html`<p><strong>${prose(live.info.why)}</strong></p>`}
      ${live.busy !== null
        ? html`<p class="muted" role="status">${live.busy}</p>`
        : live.info?.run
          ? html`<p class="muted" role="status">${said.waiting}</p>`
          : live.info?.available
            ? live.token ? html`<button class="primary" @click=${act.begin}>${said.begin}</button>` : html`<p class="notice">${said.noToken}</p>`
            : nothing}
    </section>
  `;
}

/** @param {string} run @param {(run: string) => void} open */
function ended(run, open) {
  return html`
    <p class="card ended" role="status">
      ${said.ended(run)} <button class="link" @click=${() => open(run)}>${said.open}</button>
    </p>
  `;
}
