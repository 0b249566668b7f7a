// What the drawing leaves to do: the list follows the cursor, and a screen
// reader is told what happens, not too often and the last of it always.

/** @import {App} from "../state.js" */

import { rowAt, rowsOf } from "../view/events.js";
import { told, toldAt } from "../view/happening.js";

/** A screen reader is told at most this often. */
const LIVE_MS = 900;

const live = /** @type {HTMLElement} */ (document.getElementById("live"));

/** @type {{timeline: unknown, place: number}} */
let revealed = { timeline: null, place: -2 };

/** Keep the current entry of the list in sight, without moving the page. @param {App} app */
export function revealRow(app) {
  const place = rowAt(rowsOf(app), app.cursor);
  if (place === revealed.place && revealed.timeline === app.source) return;
  revealed = { timeline: app.source, place };
  const box = document.getElementById("event-rows");
  const row = /** @type {HTMLElement | null | undefined} */ (box?.querySelector("li.current"));
  if (!box || !row) return;
  const [top, bottom] = [row.offsetTop - box.offsetTop, row.offsetTop - box.offsetTop + row.offsetHeight];
  if (top < box.scrollTop + 40 || bottom > box.scrollTop + box.clientHeight - 60) {
    box.scrollTop = top - box.clientHeight / 2;
  }
}

/** @type {number | undefined} */
let telling;

/** @param {App} app @param {() => App} get */
export function tell(app, get) {
  const at = toldAt(app);
  if (telling !== undefined || live.dataset.at === `${app.name} ${at}`) return;
  live.dataset.at = `${app.name} ${at}`;
  live.textContent = told(app);
  telling = window.setTimeout(() => {
    telling = undefined;
    const now = get();
    if (now.timeline !== null) tell(now, get);
  }, LIVE_MS);
}
