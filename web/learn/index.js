// The learning room: tour, exhibits, broken variants. What the page mounts.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */

import { belongsTo } from "../keys.js";
import { nothing } from "../vendor/lit-html/lit-html.js";
import { guide } from "./guide.js";
import { list, readVariants } from "./list.js";
import { placesOf } from "./guides.js";
import { followed, guided, learnOf, left, predicted, mayGoOn, turned } from "./state.js";
import { variantStage } from "./variant.js";

export { learnDrawn } from "./drawn.js";
export { readVariants } from "./list.js";
export { learnPanel } from "./panel.js";
export { LEARN_FIRST, hidesFuture, learnHash } from "./state.js";

/** What stands across the page: a caption, the list of variants, or one of them. @param {App} app @param {Acts} acts */
export function learnStage(app, acts) {
  switch (learnOf(app).room) {
    case "tour":
    case "exhibit":
      return guide(app, acts);
    case "variants":
      return list(app, acts);
    case "variant":
      return variantStage(app, acts);
    default:
      return nothing;
  }
}

/** Begin the tour, or go on where it was left. @param {App} app @returns {App} */
export function startTour(app) {
  const { room, place, exhibit } = learnOf(app);
  const goesOn = room === null && exhibit === "" && place > 0 && place < placesOf("tour", "").length - 1;
  return guided({ ...app, sheet: null }, "tour", "", goesOn ? place : 0);
}

/**
 * Follow a link that is meant for this room; one that leads elsewhere leads out of it.
 * @param {URLSearchParams} fields of the hash
 * @param {Acts} acts
 * @returns {boolean} whether it was
 */
export function follow(fields, acts) {
  if (followed(acts.get(), fields) === null) {
    if (learnOf(acts.get()).room !== null) acts.update(left);
    return false;
  }
  acts.update((now) => followed(now, fields) ?? now);
  if (["variants", "variant"].includes(learnOf(acts.get()).room ?? "")) void readVariants(acts);
  return true;
}

/**
 * The keys of the room. To be asked before the page's own.
 * @param {App} app @param {Acts} acts @param {KeyboardEvent} event
 * @returns {boolean} whether the key was taken
 */
export function learnKey(app, acts, event) {
  const { room } = learnOf(app);
  if (room === null || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = /** @type {HTMLElement} */ (event.target);
  if (belongsTo(target, event)) return false;
  const step = keyOf(event.key, room === "tour" || room === "exhibit");
  if (step === null) return false;
  event.preventDefault();
  acts.update(step);
  return true;
}

/** @param {string} key @param {boolean} guiding @returns {((app: App) => App) | null} */
function keyOf(key, guiding) {
  if (key === "Escape") return left;
  if (!guiding) return null;
  if (key === "n" || key === "PageDown") return (app) => turned(app, 1);
  if (key === "b" || key === "PageUp") return (app) => turned(app, -1);
  const answer = "ABC".indexOf(key);
  return answer >= 0 ? (app) => (mayGoOn(app) ? app : predicted(app, answer)) : null;
}
