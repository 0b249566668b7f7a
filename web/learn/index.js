// The learning room: tour, exhibits, broken variants. What the page mounts.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */

import { belongsTo } from "../keys.js";
import { challengeCard } from "./challenge.js";
import { guide } from "./guide.js";
import { list, readVariants } from "./list.js";
import { placesOf } from "./guides.js";
import { followed, guided, learnOf, learned, left, predicted, mayGoOn, turned } from "./state.js";
import { variantStage } from "./variant.js";
import { storyOf } from "./variants.js";

export { challengeField } from "./challenges.js";
export { learnDrawn } from "./drawn.js";
export { readVariants } from "./list.js";
export { learnPanel } from "./panel.js";
export { LEARN_FIRST, hidesFuture, learnHash, left } from "./state.js";

/** What stands across the page: a caption, the list of variants, one of them, or a challenge. @param {App} app @param {Acts} acts */
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
      return challengeCard(app, acts);
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
 * @returns {Promise<boolean>} whether it was; of the variants once they have been read
 */
export async function follow(fields, acts) {
  if (followed(acts.get(), fields) === null) {
    if (learnOf(acts.get()).room !== null) acts.update(left);
    if (fields.has("sandbox")) acts.update((now) => learned(now, { challenge: fields.get("challenge") ?? "" }));
    return false;
  }
  acts.update((now) => followed(now, fields) ?? now);
  if (["variants", "variant"].includes(learnOf(acts.get()).room ?? "")) await readVariants(acts);
  return true;
}

/** Whether the room that is open brings no run of its own: something else has to stand behind it. @param {App} app */
export function bare(app) {
  const { room } = learnOf(app);
  return room === "variants" || (room === "variant" && storyOf(app) === null);
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
