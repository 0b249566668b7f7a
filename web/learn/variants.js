// The broken variants as the page reads them, and what is asked of their list.

/** @import {App} from "../state.js" */

import { learnOf } from "./state.js";

/** @typedef {["same" | "add" | "del", string]} DiffRow */
/** @typedef {{nodes: number, proposing: number, values: number, ballots: number, crashes: number, disk_faults: number}} Bounds */
/** @typedef {{name: string, class: string | null, source: string, correct?: {where: string, class: string | null, name: string, source: string} | null}} Handler */

/**
 * @typedef {object} Variant
 * @property {string} name
 * @property {string} change
 * @property {string} breaks a rule, or `liveness`
 * @property {string} insight
 * @property {string} seen_in
 * @property {string} story how it came about there
 * @property {DiffRow[]} diff
 * @property {string[]} [smallest] sentences: where it shows, and where it does not show yet
 * @property {string | null} where
 * @property {string | null} handler what the editor begins with: the broken source, or the settings
 * @property {string} [repair] what repairs it in its place
 * @property {Handler[]} [handlers]
 * @property {number | null} steps
 * @property {Bounds | null} bounds
 * @property {number | null} [safe_ballots] with so many ballots every schedule of the message model keeps agreement
 * @property {string[]} stories
 */

/** The variant that is open; undefined until the list is there, or when there is none of that name. @param {App} app */
export function variantOf(app) {
  const { variants, variant } = learnOf(app);
  return variants?.find((one) => one.name === variant);
}

/** Which story of it is to be shown; null when it has none. @param {App} app @returns {string | null} */
export function storyOf(app) {
  const { story } = learnOf(app);
  const stories = variantOf(app)?.stories ?? [];
  return stories.includes(story) ? story : (best(stories) ?? null);
}

/** A story by hand goes on to two values; the shortest one is the next best. @param {string[]} stories */
function best(stories) {
  return stories.find((name) => name.endsWith("-shortest")) ?? stories[0];
}

/**
 * The variants that fit a filter.
 * @param {Variant[]} variants @param {{text: string, rule: string, insight: string}} filter
 */
export function filtered(variants, { text, rule, insight }) {
  const wanted = text.trim().toLowerCase();
  return variants.filter(
    (one) =>
      (rule === "" || one.breaks === rule) &&
      (insight === "" || one.insight === insight) &&
      (wanted === "" || [one.name, one.change, one.seen_in, one.story, one.insight].some((part) => part.toLowerCase().includes(wanted))),
  );
}

/** What the editor begins with. @param {Variant} variant */
export function brokenSource(variant) {
  return variant.handler ?? "";
}

/** The correct handlers under the names of the broken ones, so that they may take their place as they are. @param {Variant} variant */
export function correctSource(variant) {
  return variant.repair ?? "";
}

/** Whether it is a setting that was changed, and no handler. @param {Variant} variant */
export function isSetting(variant) {
  return variant.handlers?.length === 0;
}

/** Whether there is something to edit. @param {Variant} variant */
export function repairable(variant) {
  return brokenSource(variant).trim() !== "" && correctSource(variant) !== "";
}
