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
 * @property {string | null} handler the broken source; null or empty where the change is none of a handler
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

/**
 * The correct handlers, as they stand in the core.
 * @param {Variant} variant
 * @returns {{source: string, fits: boolean}} fits: they may take the place of the broken ones as they are, for they have their names
 */
export function correctSource({ handlers = [] }) {
  const pairs = handlers.flatMap(({ name, correct }) => (correct ? [{ name, correct }] : []));
  return {
    source: pairs.map(({ correct }) => correct.source).join("\n\n"),
    fits: pairs.length === handlers.length && pairs.every(({ name, correct }) => correct.name === name),
  };
}

/** Whether there is a handler to edit: some changes are settings. @param {Variant} variant */
export function repairable(variant) {
  return brokenSource(variant).trim() !== "" && variant.handlers?.length !== 0;
}
