// Brings a scene to the screen once the page has been drawn: opens its story,
// goes to its moment, lights the regions that its caption speaks of. The only
// part of the room that acts by itself.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Region} from "./scenes.js" */

import { framed, isShown, refitted, staged } from "./scenes.js";
import { find } from "./moments.js";
import { learnOf, learned, sceneOf } from "./state.js";
import { storyOf, variantOf } from "./variants.js";
import { words } from "./words.js";

/** The cursor's way to a moment takes no longer. */
const GLIDE_MS = 1400;
/** And spends no longer on a line. */
const LINE_MS = 45;

/** Where each region is. @type {Record<Region, string>} */
const PLACES = {
  ring: ".ring",
  acceptors: ".scroll-x:has(table.acceptors)",
  meters: ".meters",
  choice: ".choice",
  happening: ".happening",
  spacetime: ".spacetime",
};

const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** Where a caption stands at the bottom of the screen, and the page behind it (learn.css). */
const narrow = matchMedia("(max-width: 700px)");

/** What this module is doing: the story it has asked for, and the cursor's way. */
let opening = "";
/** @type {number | undefined} */
let gliding;
/** How wide the view was when its scene was fitted into it. */
let fitted = 0;

/**
 * To be called after each drawing of the page.
 * @param {App} app @param {Acts} acts
 */
export function learnDrawn(app, acts) {
  light(app);
  const { room, arrived } = learnOf(app);
  if (room === null) {
    opening = "";
    return;
  }
  if (room === "variant") return showVariant(app, acts);
  const wanted = sceneOf(app);
  if (wanted === null || opening !== "") return;
  const { key, scene } = wanted;
  if (key === arrived) {
    // The caption's own column, or a window that is made wider, changes the room.
    if (app.width === fitted || !isShown(app, scene.story)) return;
    fitted = app.width;
    acts.update((now) => refitted(now, scene));
    return;
  }
  if (!isShown(app, scene.story)) return open(acts, scene.story, key);
  const { app: shown, cursor } = staged(app, scene);
  if (cursor < 0) {
    acts.update((now) => learned(now, { arrived: key, trouble: words.noMoment(scene.story) }));
    return;
  }
  fitted = app.width;
  const from = arrived !== "" && app.cursor < cursor && shown.instance === app.instance ? app.cursor : cursor;
  acts.update((now) => learned({ ...staged(now, scene).app, cursor: from }, { arrived: key, trouble: null }));
  if (from !== cursor) glide(acts, key, from, cursor);
  requestAnimationFrame(() => reveal(scene.lit ?? [], key.endsWith("!")));
}

/**
 * Scroll to the answer; and on a phone to what is lit first, where it is not in sight.
 * @param {Region[]} lit @param {boolean} answered
 */
function reveal(lit, answered) {
  const behavior = calm.matches ? "auto" : "smooth";
  if (answered) document.querySelector(".guide [role=status]")?.scrollIntoView({ block: "nearest", behavior });
  if (!narrow.matches) return;
  const region = lit.length === 0 ? null : document.querySelector(PLACES[lit[0]]);
  if (region === null) return;
  // What lies below the caption's upper edge is covered by it.
  const edge = document.querySelector(".guide")?.getBoundingClientRect().top ?? innerHeight;
  const { top, bottom } = region.getBoundingClientRect();
  if (top < 0 || bottom > edge) region.scrollIntoView({ block: "start", behavior });
}

/** @param {Acts} acts @param {string} story @param {string} key */
function open(acts, story, key) {
  opening = story;
  acts
    .openStory(story)
    .then(() => (isShown(acts.get(), story) ? null : words.noStory(story)))
    .catch((/** @type {unknown} */ error) => (error instanceof Error ? error.message : words.noStory(story)))
    .then((trouble) => {
      opening = "";
      // A story that does not come is not asked for again and again.
      acts.update((now) => (trouble === null ? learned(now, {}) : learned(now, { arrived: key, trouble })));
    });
}

/**
 * Let the cursor go to a moment line by line, so that one sees what led there.
 * It stops when anything else moves it.
 * @param {Acts} acts @param {string} key @param {number} from @param {number} to
 */
function glide(acts, key, from, to) {
  cancelAnimationFrame(gliding ?? 0);
  const whole = Math.min(GLIDE_MS, (to - from) * LINE_MS);
  const begun = performance.now();
  let last = from;
  const step = (/** @type {number} */ now) => {
    const app = acts.get();
    if (learnOf(app).arrived !== key || app.cursor !== last) return;
    const part = calm.matches ? 1 : Math.min((now - begun) / whole, 1);
    last = Math.round(from + (to - from) * Math.max(part, 0));
    const at = last;
    acts.update((current) => ({ ...current, cursor: at, selected: at === to ? current.selected : -1 }));
    if (at < to) gliding = requestAnimationFrame(step);
  };
  gliding = requestAnimationFrame(step);
}

/** A variant that has been opened is shown at its violation. @param {App} app @param {Acts} acts */
function showVariant(app, acts) {
  const { arrived, variant } = learnOf(app);
  const story = storyOf(app);
  const key = `variant/${variant}/${story ?? ""}`;
  if (arrived === key || opening !== "" || variantOf(app) === undefined || story === null) return;
  if (!isShown(app, story)) return open(acts, story, key);
  acts.update((now) => {
    if (now.timeline === null) return now;
    const at = find(now.timeline, { point: "violation", only: true });
    const last = now.timeline.length - 1;
    const moved = { ...now, cursor: at < 0 ? last : at, instance: 0, playing: false };
    return learned(framed(moved, [0, last]), { arrived: key, trouble: null });
  });
}

/** Whether regions are lit: with none lit and none wanted there is nothing to look for. */
let lighting = false;

/** Light the regions of the scene. @param {App} app */
function light(app) {
  const lit = sceneOf(app)?.scene.lit ?? [];
  const { room } = learnOf(app);
  const place = room === null ? "" : room === "tour" || room === "exhibit" ? "guide" : "sheet";
  if (document.body.dataset.learn !== place) document.body.dataset.learn = place;
  if (!lighting && lit.length === 0) return;
  lighting = lit.length > 0;
  for (const [region, selector] of Object.entries(PLACES)) {
    const wanted = lit.includes(/** @type {Region} */ (region));
    for (const element of document.querySelectorAll(selector)) element.classList.toggle("lit", wanted);
  }
}
