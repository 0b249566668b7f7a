// The rooms that the shell mounts: what each keeps in the state, what it
// shows, and what it has to say about links, keys and the drawing.

/** @import {App} from "../state.js" */
/** @import {Acts} from "./acts.js" */

import * as compare from "../compare/index.js";
import * as find from "../find/index.js";
import * as learn from "../learn/index.js";
import * as share from "../share/index.js";

/** What the rooms keep in the state, to begin with. */
export const ROOMS_FIRST = {
  learn: learn.LEARN_FIRST,
  share: share.SHARE_FIRST,
  compare: compare.COMPARE_FIRST,
  find: find.FIND_FIRST,
};

/** What a room may offer beyond its panel. @type {{learn: any, compare: any, find: any}} */
const more = { learn, compare, find };

export const { learnPanel, startTour } = learn;
export const { comparePanel } = compare;
export const { findPanel } = find;
export const { shareMenu } = share;

/** What the learning room shows across the page, such as a step of the tour. @param {App} app @param {Acts} acts @returns {unknown} */
export function learnStage(app, acts) {
  return more.learn.learnStage?.(app, acts) ?? "";
}

/**
 * Let the rooms follow what a link says to them.
 * @param {URLSearchParams} fields @param {Acts} acts
 * @returns {Promise<boolean>} whether one of them was meant
 */
export async function roomsFollow(fields, acts) {
  return ((await more.learn.follow?.(fields, acts)) || (await more.compare.compareFollow?.(fields, acts))) ?? false;
}

/** The whole hash, without its sign, where a room is what a link leads to; else nothing. @param {App} app @returns {string} */
export function roomsHash(app) {
  return more.learn.learnHash?.(app) || more.compare.compareHash?.(app) || "";
}

/** What a room adds to a link to the sandbox's run: fields, or nothing. @param {App} app @returns {string} */
export function roomsFields(app) {
  return more.learn.challengeField?.(app) ?? "";
}

/** Leave what a room shows across the page: it speaks of one run, and another is wanted. @param {App} app @returns {App} */
export function roomsLeft(app) {
  return more.learn.left?.(app) ?? app;
}

/** Whether a room is open that brings no run of its own. @param {App} app @returns {boolean} */
export function roomsBare(app) {
  return more.learn.bare?.(app) ?? false;
}

/** Whether what is to come must stay hidden now. @param {App} app @returns {boolean} */
export function hidesFuture(app) {
  return more.learn.hidesFuture?.(app) ?? false;
}

/** Per line, whether it is part of what is looked for; null while nothing is. @param {App} app @returns {Uint8Array | null} */
export function findMask(app) {
  return more.find.findMask?.(app) ?? null;
}

/** @param {App} app @param {Acts} acts @param {KeyboardEvent} event @returns {boolean} whether a room took the key */
export function roomsKey(app, acts, event) {
  return more.learn.learnKey?.(app, acts, event) ?? false;
}

/** After each drawing. @param {App} app @param {Acts} acts */
export function roomsDrawn(app, acts) {
  more.learn.learnDrawn?.(app, acts);
  more.compare.compareDrawn?.(app, acts);
}

/** Read, once, what each broken variant does. @param {Acts} acts */
export function knowVariants(acts) {
  void learn.readVariants(acts);
}

/** Put something beside what is shown. @param {App} app @param {Acts} acts @param {any} source */
export function compareWith(app, acts, source) {
  more.compare.compareWith?.(app, acts, source);
}
