// A scene: what the page shows while a caption stands beside it. How a scene
// becomes the page's state is pure; drawn.js brings it to the screen.

/** @import {App} from "../state.js" */
/** @import {Moment} from "./moments.js" */

import { SCALE_LEAST, SCALE_MOST, laneWidth, layout } from "../view/layout.js";
import { find, numberOf } from "./moments.js";

/** Regions of the page that a scene can light. @typedef {"ring" | "acceptors" | "meters" | "choice" | "happening" | "spacetime"} Region */

/**
 * @typedef {object} Scene
 * @property {string} story
 * @property {string} [instance] by name; all of them when not given
 * @property {Moment} at the cursor
 * @property {[Moment, Moment]} [window] what the space-time view shows; all when not given
 * @property {string} [node] selected
 * @property {Region[]} [lit]
 * @property {boolean} [message] whether the message of the cursor's line is opened
 */

/**
 * @typedef {object} Question its words are beside the caption's
 * @property {number} answers how many
 * @property {number} right which is right, from 0
 * @property {Partial<Scene>} [then] what is shown once it has been answered
 */

/**
 * @typedef {Scene & {question?: Question, figure?: "must-push" | "durable", open?: Opening}} Beat
 */

/**
 * Where a beat leads on: a recipe for the sandbox, and a story for where there is none.
 * @typedef {{recipe: any, story: string}} Opening
 */

/** Room left and right of what is shown, in slots. */
const MARGIN = 1.2;
const SCALE_COMFORT = 40;

/** Whether a story is on the screen. @param {App} app @param {string} story */
export function isShown(app, story) {
  return app.timeline !== null && app.source?.kind === "story" && app.source.name === story;
}

/**
 * The page with a scene on it, but for the cursor.
 * @param {App} app its story is shown
 * @param {Scene} scene
 * @returns {{app: App, cursor: number}} cursor -1: the story has no such moment
 */
export function staged(app, scene) {
  const timeline = /** @type {import("../log/timeline.js").Timeline} */ (app.timeline);
  const cursor = find(timeline, scene.at);
  if (cursor < 0) return { app, cursor };
  const instance = scene.instance === undefined ? 0 : numberOf(timeline, scene.instance);
  const shown = { ...app, instance, node: scene.node ?? null, selected: -1, hover: -1, causes: false, playing: false };
  const picked = { ...shown, axis: /** @type {const} */ ("order"), filter: { ...app.filter, node: "", text: "" } };
  const message = scene.message ? timeline.flightAt[cursor] : -1;
  return { app: framed({ ...picked, selected: message }, windowOf(app, scene, cursor)), cursor };
}

/** The page with a scene's window fitted anew, and nothing else changed. @param {App} app its story is shown @param {Scene} scene @returns {App} */
export function refitted(app, scene) {
  if (app.timeline === null) return app;
  const cursor = find(app.timeline, scene.at);
  return cursor < 0 ? app : framed(app, windowOf(app, scene, cursor));
}

/** @param {App} app @param {Scene} scene @param {number} cursor @returns {[number, number]} */
function windowOf(app, scene, cursor) {
  const timeline = /** @type {import("../log/timeline.js").Timeline} */ (app.timeline);
  if (scene.window === undefined) return [0, timeline.length - 1];
  const [from, to] = scene.window.map((moment) => find(timeline, moment));
  return [from < 0 ? cursor : Math.min(from, cursor), to < 0 ? cursor : Math.max(to, cursor)];
}

/**
 * Show these lines and nothing else.
 * @param {App} app @param {[number, number]} window places of lines
 * @returns {App}
 */
export function framed(app, [from, to]) {
  if (app.timeline === null) return app;
  const where = layout(app.timeline, app.instance, app.axis);
  const [x0, x1] = [Math.max(where.x[from] - MARGIN, 0), where.x[to] + MARGIN];
  const fit = laneWidth(app.width) / Math.max(x1 - x0, 1);
  const scale = Math.min(Math.max(fit, SCALE_LEAST), SCALE_COMFORT, SCALE_MOST);
  return { ...app, scale, left: x0 };
}
