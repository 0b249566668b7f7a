// What a newcomer meets: no link led here, so the page says what it is, plays
// the simplest run there is once, and says where to begin.

/** @import {App} from "../state.js" */

import { framed } from "../learn/scenes.js";
import { find } from "../learn/moments.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { words } from "../words.js";

/** One proposer, and nobody in its way: it gives none of the tour's riddles away. */
const INSTANCE = "first";
/** So much more than what is played is in sight, as a part of it: at the edge the view would follow the cursor. */
const MARGIN = 0.25;

/** The first and the last line of what is played; null where the run has no such. @param {App} app @returns {[number, number] | null} */
function played({ timeline }) {
  if (timeline === null) return null;
  const from = find(timeline, { event: "propose_received", instance: INSTANCE });
  const to = find(timeline, { point: "all_learned", instance: INSTANCE });
  return from < 0 || to < from ? null : [from, to];
}

/** The first run, at the moment where it begins; what is to come stays hidden. @param {App} app @returns {App} */
function begun(app) {
  const window = played(app);
  if (window === null) return app;
  const [from, to] = window;
  return framed({ ...app, welcome: "fresh", future: false, cursor: from }, [from, to + Math.round((to - from) * MARGIN)]);
}

/**
 * Welcome whoever came without a link to the run that is shown now.
 * @param {import("./store.js").Store} store @param {(to: number) => void} playOn
 */
export function welcome({ get, update }, playOn) {
  update(begun);
  if (get().welcome !== "fresh") return;
  // How wide the view is shows when it has been drawn.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const app = get();
      const window = played(app);
      if (app.welcome !== "fresh" || window === null) return;
      update(begun);
      playOn(window[1]);
    }),
  );
}

/**
 * @param {App} app
 * @param {{tour: () => void, breakIt: () => void, close: () => void}} act
 */
export function welcomeCard(app, act) {
  if (app.welcome !== "fresh" && app.welcome !== "touched") return nothing;
  // A guide that is open says what to look at; and a sheet covers what this speaks of.
  if (app.mode !== "story" || app.learn.room !== null || app.sheet !== null) return nothing;
  return html`
    <section class="card welcome" aria-labelledby="welcome-title">
      <div>
        <h2 id="welcome-title">${words.welcome}</h2>
        <p>${words.welcomeHow}</p>
      </div>
      <div class="welcome-acts">
        <button class="primary" @click=${act.tour}>${words.takeTour}</button>
        <button @click=${act.breakIt}>${words.breakIt}</button>
        <button class="close" aria-label=${words.closeWelcome} title=${words.closeWelcome} @click=${act.close}>✕</button>
      </div>
    </section>
  `;
}

/** The tour begins, and shows what is to come in its own way. @param {App} app @returns {App} */
export function welcomed(app) {
  return app.welcome === null ? app : { ...app, welcome: null, future: true };
}

/** A person goes through the run by themselves. @param {App} app @returns {App} */
export function touched(app) {
  return app.welcome === "fresh" ? { ...app, welcome: "touched" } : app;
}

