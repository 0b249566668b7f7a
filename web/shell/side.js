// The right-hand column: one panel at a time, chosen by tabs.

/** @import {App, Panel} from "../state.js" */
/** @import {PageActs} from "./page.js" */
/** @import {State} from "../log/types.d.ts" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { judgement, marksAt } from "../view/judgement.js";
import { words } from "../words.js";
import { findPanel, learnPanel } from "./rooms.js";

const PANELS = /** @type {const} */ (["do", "verdict", "learn", "find"]);

/** @param {App} app @param {State | null} state @param {PageActs} act */
export function sidePanels(app, state, act) {
  const { acts } = act;
  return html`
    <section class="card side" aria-label=${words.panelsLabel}>
      <div class="tabs" role="tablist" aria-label=${words.panelsLabel} @keydown=${(/** @type {KeyboardEvent} */ event) => walk(event, app, acts.panel)}>
        ${PANELS.map((panel) => tab(app, panel, acts.panel))}
      </div>
      <div class="panel panel-${app.panel}" id="panel" role="tabpanel" aria-labelledby="tab-${app.panel}" tabindex="0">
        ${content(app, state, act)}
      </div>
    </section>
  `;
}

/** @param {App} app @param {Panel} panel @param {(panel: Panel) => void} open */
function tab(app, panel, open) {
  const selected = app.panel === panel;
  const mark = panel === "verdict" && app.timeline !== null ? marksAt(app).mark : "";
  return html`<button
    id="tab-${panel}"
    role="tab"
    aria-selected=${selected}
    aria-controls="panel"
    tabindex=${selected ? 0 : -1}
    @click=${() => open(panel)}
  >
    ${words.panels[panel]}${mark === "" ? nothing : html` <span class="mark mark-${mark}" aria-hidden="true">${words.ruleMarks[mark]}</span>`}
  </button>`;
}

/** The arrows go from tab to tab, as is usual. @param {KeyboardEvent} event @param {App} app @param {(panel: Panel) => void} open */
function walk(event, app, open) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  const next = PANELS[(PANELS.indexOf(app.panel) + by + PANELS.length) % PANELS.length];
  open(next);
  document.getElementById(`tab-${next}`)?.focus();
}

/** @param {App} app @param {State | null} state @param {PageActs} act @returns {unknown} */
function content(app, state, act) {
  switch (app.panel) {
    case "do":
      return act.doing(app, state);
    case "learn":
      return learnPanel(app, act.acts);
    case "find":
      return findPanel(app, act.acts);
    default:
      return judgement(app, act.acts);
  }
}
