// The page: header, sheets, and what is shown of a run with its side panels.
// Templates only; what a click does is handed in.

/** @import {App} from "../state.js" */
/** @import {Acts} from "./acts.js" */
/** @import {CanvasActs} from "./canvas.js" */
/** @import {State} from "../log/types.d.ts" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Command} from "../keys.js" */

import { stateAt } from "../log/timeline.js";
import * as change from "../state.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { acceptors, choice, meters } from "../view/acceptors.js";
import { controls } from "../view/controls.js";
import { events } from "../view/events.js";
import { chooser, header, help, legend, runBar, sheetCard } from "../view/frame.js";
import { happening, sentenceAt } from "../view/happening.js";
import { ring } from "../view/ring.js";
import { words } from "../words.js";
import { litLine, relatedCounts } from "./canvas.js";
import { prose } from "./prose.js";
import { comparePanel, learnStage, shareMenu } from "./rooms.js";
import { sidePanels } from "./side.js";
import { welcomeCard } from "./welcome.js";

/**
 * @typedef {object} PageActs what the page itself can be asked for, beside what every room can
 * @property {Acts} acts
 * @property {(mode: "replay" | "live" | "sandbox") => void} mode
 * @property {() => void} tour
 * @property {() => void} breakIt begin in the sandbox
 * @property {() => void} theme
 * @property {import("../view/frame.js").ChooserActs} choose what is to be shown
 * @property {(command: Command) => void} obey
 * @property {(node: string) => void} node
 * @property {(flight: number) => void} message
 * @property {import("../view/ring.js").SplitActs} split
 * @property {CanvasActs} canvas
 * @property {(app: App) => unknown} beside what the mode has to say beside the title
 * @property {(app: App) => unknown} stage what the mode shows where it has no run yet, or below the title
 * @property {(app: App, state: State | null) => unknown} doing the panel of commands
 * @property {(app: App, flight: number) => unknown} messageActs what can be done to a message
 * @property {(app: App) => unknown} branches
 * @property {(app: App) => boolean} splits whether a line across the ring parts the network
 */

/** @param {App} app @param {PageActs} act */
export function page(app, act) {
  const { acts } = act;
  const headerActs = {
    mode: act.mode,
    tour: act.tour,
    theme: act.theme,
    find: () => acts.update((now) => ({ ...now, panel: "find" })),
    sheet: (/** @type {import("../state.js").Sheet} */ name) => acts.update((now) => change.sheetToggled(now, name)),
    instance: (/** @type {number} */ instance) => acts.update((now) => change.narrowed(now, instance)),
  };
  return html`
    ${header(app, headerActs)}
    <main class=${app.welcome === null ? `mode-${app.mode}` : `mode-${app.mode} greeted`}>
      ${app.trouble === null ? nothing : html`<p class="card trouble" role="alert">${prose(app.trouble)}</p>`}
      ${app.sheet === null ? nothing : sheetCard(app.sheet, sheetBody(app, act), () => acts.sheet(null))} ${learnStage(app, acts)}
      ${welcomeCard(app, { tour: act.tour, breakIt: act.breakIt, close: () => act.obey("close") })}
      ${runBar(app, headerActs, act.beside(app))}
      ${app.busy === null ? nothing : html`<p class="card busy" role="status">
            ${app.busy} ${app.progress > 0 ? html`<progress aria-label=${words.loadingProgress} max="1" .value=${app.progress}></progress>` : nothing}
          </p>`}
      ${app.notice === null ? nothing : html`<p class="card notice" role="status">${app.notice}</p>`}
      ${app.timeline === null || app.timeline.core.trouble === null ? nothing : html`<p class="card notice" role="status">${app.timeline.core.trouble}</p>`}
      ${act.stage(app)}
      ${app.timeline !== null ? run(app, act) : app.busy !== null && app.mode !== "live" && app.mode !== "sandbox" ? skeleton() : nothing}
    </main>
    <div class="toast-place" role="status">${app.toast === null ? nothing : html`<p class="toast">${app.toast}</p>`}</div>
  `;
}

/** @param {App} app @param {PageActs} act */
function sheetBody(app, act) {
  const { acts } = act;
  switch (app.sheet) {
    case "runs":
      return chooser(app, act.choose);
    case "share":
      return shareMenu(app, acts);
    case "compare":
      return comparePanel(app, acts);
    default:
      return help();
  }
}

/** The shape of what is about to come. */
function skeleton() {
  return html`
    <div class="top skeleton" aria-hidden="true"><div class="card"></div><div class="card"></div><div class="card"></div></div>
    <div class="card skeleton" aria-hidden="true"></div>
  `;
}

/** @param {App} app @param {PageActs} act */
function run(app, act) {
  const { acts } = act;
  const timeline = /** @type {Timeline} */ (app.timeline);
  const instance = change.currentInstance(app);
  const state = stateAt(timeline, app.cursor, instance);
  return html`
    <div class="top">
      <div class="card column">
        ${ring(app, state, instance, { node: act.node, message: act.message, split: act.splits(app) ? act.split : null })}
        ${meters(app, state, instance)}
      </div>
      <div class="card middle">
        ${happening(app, {
          go: acts.go,
          unselect: () => acts.update((now) => ({ ...now, selected: -1 })),
          hush: () => acts.update((now) => ({ ...now, peeked: false })),
          message: (flight) => act.messageActs(app, flight),
        })}
        <div class="facts">${acceptors(app, state, instance, act.node)} ${choice(app, state, instance, acts.go)}</div>
      </div>
      ${sidePanels(app, state, act)}
    </div>
    ${spacetime(app, act)} ${events(app, { go: acts.go, filter: (part) => acts.update((now) => ({ ...now, filter: { ...now.filter, ...part } })) })}
  `;
}

/** @param {App} app @param {PageActs} act */
function spacetime(app, act) {
  const { acts, canvas } = act;
  return html`
    <section class="card spacetime" aria-labelledby="spacetime-title">
      <h2 id="spacetime-title" class="visually-hidden">${words.spacetime}</h2>
      ${controls(app, {
        command: act.obey,
        go: acts.go,
        speed: (speed) => acts.update((now) => ({ ...now, speed })),
        axis: (axis) => acts.update((now) => change.axisChanged(now, axis)),
      })}
      ${act.branches(app)}
      <canvas id="overview" aria-hidden="true" @pointerdown=${canvas.overview}></canvas>
      <div class="canvas-box">
        <canvas
          id="spacetime"
          role="img"
          aria-label=${words.canvasLabel}
          @wheel=${{ handleEvent: canvas.wheel, passive: false }}
          @pointerdown=${canvas.down}
          @pointermove=${canvas.move}
          @pointerleave=${canvas.leave}
        ></canvas>
      </div>
      ${relatedText(app)} ${legend()}
    </section>
  `;
}

/** @param {App} app */
function relatedText(app) {
  const counts = relatedCounts(app);
  if (counts === null) return html`<p class="related small muted">&nbsp;</p>`;
  const timeline = /** @type {Timeline} */ (app.timeline);
  return html`<p class="related small">${sentenceAt(timeline, litLine(app))} <span class="muted">${words.related(...counts)}.</span></p>`;
}
