// The share sheet: pictures, a report, logs for other programs, the scenario,
// the link. Everything is made in the tab, when it is asked for.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Share} from "./state.js" */
/** @import {Timeline} from "../log/timeline.js" */

import { findMask } from "../find/search.js";
import { LogError } from "../log/files.js";
import { causality } from "../log/timeline.js";
import { currentInstance } from "../state.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { readPalette } from "../view/palette.js";
import { logOf } from "./log.js";
import { fileName, momentText, titleOf } from "./names.js";
import { ShareError } from "./pace.js";
import { WIDTH_MOST, framed, pngPicture, screenMeasure, svgPicture, svgRows } from "./picture.js";
import { reportOf } from "./report.js";
import { REPORT_PALETTE } from "./report_style.js";
import { hasNoScenario, jsonOrNull, scenarioFile } from "./scenario.js";
import { shivizLog } from "./shiviz.js";
import { traceParts } from "./trace.js";
import { shareWords as words } from "./words.js";

export { SHARE_FIRST } from "./state.js";

/** @typedef {{name: string, type: string, content: string | Blob}} Made */
/** @typedef {(app: App, acts: Acts) => Promise<Made>} Maker */

/** @param {Partial<Share>} part @returns {(app: App) => App} */
const changed = (part) => (app) => ({ ...app, share: { ...app.share, ...part } });

/* --- what can be made -------------------------------------------------------------------- */

/** What is spoken of, and what is lit, as on the screen. @param {App} app */
function litNow(app) {
  const timeline = /** @type {Timeline} */ (app.timeline);
  const related = app.causes ? causality(timeline, app.cursor) : findMask(app);
  return { instance: currentInstance(app), related };
}

/** @type {Record<string, Maker>} */
const MAKERS = {
  async svg(app) {
    const picture = svgPicture(app, litNow(app), readPalette(), { whole: app.share.whole, measure: screenMeasure() });
    return { name: fileName(app, "svg"), type: "image/svg+xml", content: picture };
  },
  async png(app) {
    const content = await pngPicture(app, litNow(app), readPalette(), app.share.whole);
    return { name: fileName(app, "png"), type: "image/png", content };
  },
  async report(app) {
    const lit = litNow(app);
    const { name, cursor, meta, theme } = app;
    const timeline = /** @type {Timeline} */ (app.timeline);
    // Seen from its end nothing of the run is still to come.
    const past = { ...app, cursor: timeline.length - 1, selected: -1 };
    const pictures = svgRows(past, REPORT_PALETTE, { measure: screenMeasure(), ids: "picture-" });
    const content = await reportOf({ name, timeline, cursor, instance: lit.instance, meta, pictures, theme });
    return { name: fileName(app, "html"), type: "text/html", content };
  },
  async shiviz(app) {
    return { name: fileName(app, "shiviz.log", true), type: "text/plain", content: await shivizLog(/** @type {Timeline} */ (app.timeline)) };
  },
  async trace(app) {
    const parts = await traceParts(/** @type {Timeline} */ (app.timeline), { title: titleOf(app) });
    return { name: fileName(app, "trace.json", true), type: "application/json", content: new Blob(parts, { type: "application/json" }) };
  },
  async scenario(app) {
    return { name: fileName(app, "yaml", true), type: "application/yaml", content: await scenarioFile(app, jsonOrNull) };
  },
  async log(app) {
    const blob = async (/** @type {string} */ path) => {
      try {
        const response = await fetch(path);
        return response.ok ? await response.blob() : null;
      } catch {
        // The lines are asked for one by one then, which says in a sentence what is missing.
        return null;
      }
    };
    return { name: fileName(app, "jsonl", true), type: "application/x-ndjson", content: await logOf(app, blob) };
  },
};

/**
 * Make a file and hand it over; say what became of it.
 * @param {string} what @param {Acts} acts
 */
async function make(what, acts) {
  const app = acts.get();
  if (app.timeline === null || app.share.busy !== null) return;
  acts.update(changed({ busy: what, done: null, failed: false }));
  // Let the page say that it is at work before the work begins.
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  try {
    const { name, type, content } = await MAKERS[what](app, acts);
    acts.download(name, type, content);
    const bytes = typeof content === "string" ? new Blob([content]).size : content.size;
    acts.update(changed({ busy: null, done: words.made(name, bytes) }));
  } catch (error) {
    // What a log cannot give is a sentence already; anything else is a fault of the page.
    const said = error instanceof ShareError || error instanceof LogError;
    acts.update(changed({ busy: null, failed: true, done: said ? error.message : words.failed(String(error)) }));
    if (!said) console.warn(error);
  }
}

/** @param {Acts} acts */
async function makeLink(acts) {
  try {
    const { source, cursor, instance } = acts.get();
    const link = { text: await acts.link(), source, cursor, instance };
    acts.update(changed({ link, done: null, failed: false }));
  } catch (error) {
    acts.update(changed({ link: null, failed: true, done: error instanceof Error ? error.message : String(error) }));
  }
}

/** The address that was made, if it is that of this moment: whoever has gone on asks for another. @param {App} app @returns {string | null} */
function linkNow({ share: { link }, source, cursor, instance, mode }) {
  if (link === null || link.source !== source || link.instance !== instance) return null;
  // What happens now has one address.
  return link.cursor === cursor || mode === "live" ? link.text : null;
}

/** @param {Event} event @param {Acts} acts */
async function copyLink(event, acts) {
  const box = /** @type {HTMLElement} */ (event.target).closest(".share-link");
  const field = /** @type {HTMLInputElement} */ (box?.querySelector("input"));
  try {
    await navigator.clipboard.writeText(field.value);
    acts.update(changed({ done: words.copied, failed: false }));
  } catch {
    // Copying is a matter of permission, and of a safe address: a plain http server has none.
    field.focus();
    field.select();
    acts.update(changed({ done: words.notCopied, failed: false }));
  }
}

/* --- what it looks like -------------------------------------------------------------------- */

/** @param {App} app @param {Acts} acts @returns {unknown} */
export function shareMenu(app, acts) {
  const { timeline } = app;
  /** @type {Share} */
  const share = app.share;
  if (timeline === null) return html`<p class="muted">${words.nothingOpen}</p>`;
  return html`
    <div class="share">
      <p class="muted">${words.moment(momentText(timeline, app.cursor))} ${words.about}</p>
      <div class="share-parts">
        ${linkPart(app, acts)} ${picturePart(app, acts)}
        <section aria-labelledby="share-files">
          <h3 id="share-files">${words.filesTitle}</h3>
          <ul class="plain share-files">
            ${["report", "log", "scenario", "shiviz", "trace"].map((what) => html`<li>${maker(share, what, acts, what === "scenario" && hasNoScenario(app) ? words.liveScenario : "")}</li>`)}
          </ul>
        </section>
      </div>
      <p class="share-said ${share.failed ? "bad" : ""}" role="status">
        ${share.busy !== null ? words.making(/** @type {any} */ (words)[share.busy]) : (share.done ?? nothing)}
      </p>
    </div>
  `;
}

/** A button that makes a file, and what that is good for. @param {Share} share @param {string} what @param {Acts} acts @param {string} [missing] why there is no such file */
function maker(share, what, acts, missing = "") {
  const name = /** @type {any} */ (words)[what];
  return html`<button ?disabled=${share.busy !== null || missing !== ""} aria-describedby="share-${what}" @click=${() => void make(what, acts)}>${name}</button>
    <span class="small muted" id="share-${what}">${missing === "" ? /** @type {any} */ (words)[`${what}How`] : missing}</span>`;
}

/** @param {App} app @param {Acts} acts */
function picturePart(app, acts) {
  const { share } = app;
  const choice = (/** @type {boolean} */ whole, /** @type {string} */ name) =>
    html`<label class="field">
      <input type="radio" name="share-part" .checked=${share.whole === whole} @change=${() => acts.update(changed({ whole }))} />
      ${name}
    </label>`;
  const tight = share.whole && framed(app, true).width >= WIDTH_MOST - 1;
  return html`<section aria-labelledby="share-picture">
    <h3 id="share-picture">${words.pictureTitle}</h3>
    <p class="small muted">${words.pictureHow}</p>
    <fieldset class="share-choice">
      <legend class="visually-hidden">${words.whatPart}</legend>
      ${choice(false, words.inSight)} ${choice(true, words.wholeRun)}
    </fieldset>
    ${tight ? html`<p class="small">${words.narrowed(WIDTH_MOST)}</p>` : nothing}
    <ul class="plain share-files">
      <li>${maker(share, "svg", acts)}</li>
      <li>${maker(share, "png", acts)}</li>
    </ul>
  </section>`;
}

/** @param {App} app @param {Acts} acts */
function linkPart(app, acts) {
  const link = linkNow(app);
  return html`<section aria-labelledby="share-link">
    <h3 id="share-link">${words.linkTitle}</h3>
    <p class="small muted">${words.linkHow}</p>
    <p class="share-link">
      <button @click=${() => void makeLink(acts)}>${words.getLink}</button>
      ${link === null
        ? nothing
        : html`<input
              type="text"
              readonly
              aria-label=${words.link}
              .value=${link}
              @focus=${(/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).select()}
            />
            <button @click=${(/** @type {Event} */ event) => void copyLink(event, acts)}>${words.copyLink}</button>`}
    </p>
  </section>`;
}
