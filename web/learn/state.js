// What the learning room keeps in the page's state, and how that changes.

/** @import {App} from "../state.js" */
/** @import {Scene} from "./scenes.js" */
/** @import {Variant} from "./variants.js" */

import { exhibitAfter, exhibitOf, placesOf } from "./guides.js";

/** @typedef {"tour" | "exhibit" | "variants" | "variant"} Room */

/**
 * @typedef {object} Repair the editor of one variant
 * @property {boolean} open
 * @property {Record<string, string>} sources what was typed, by variant
 * @property {boolean} running
 * @property {string} progress what the engine is doing
 * @property {any} answer the engine's, or null
 * @property {string | null} error a sentence
 */

/**
 * @typedef {object} Learn
 * @property {Room | null} room which room is open
 * @property {string} exhibit
 * @property {number} place of a guide: in the tour or in the exhibit that is open
 * @property {Record<string, number>} answers what was predicted: by question, the number of the answer
 * @property {string} arrived the scene that was last brought to the screen
 * @property {boolean} folded whether its text is out of the way, on a phone
 * @property {string} challenge the guide whose challenge was taken to the sandbox: "tour", or an exhibit's; empty for none
 * @property {string | null} trouble
 * @property {Variant[] | null} variants null until they have been read
 * @property {{text: string, rule: string, insight: string}} filter of the list of variants
 * @property {string} variant the one that is open
 * @property {string} story of that variant: which of its stories is shown
 * @property {Repair} repair
 */

/** @type {Learn} */
export const LEARN_FIRST = {
  room: null,
  exhibit: "",
  place: 0,
  answers: {},
  arrived: "",
  folded: false,
  challenge: "",
  trouble: null,
  variants: null,
  filter: { text: "", rule: "", insight: "" },
  variant: "",
  story: "",
  repair: { open: false, sources: {}, running: false, progress: "", answer: null, error: null },
};

/** @param {App} app @returns {Learn} */
export function learnOf(app) {
  return app.learn;
}

/** @param {App} app @param {Partial<Learn>} part @returns {App} */
export function learned(app, part) {
  return { ...app, learn: { ...app.learn, ...part } };
}

/** Open a guide at a place. @param {App} app @param {"tour" | "exhibit"} room @param {string} exhibit @param {number} place @returns {App} */
export function guided(app, room, exhibit, place) {
  const was = learnOf(app);
  const to = Math.min(Math.max(place, 0), placesOf(room, exhibit).length - 1);
  // Who asks for the place where they are wants to see its scene again.
  const here = was.room === room && was.exhibit === exhibit && was.place === to;
  return learned({ ...app, playing: false }, { room, exhibit, place: to, arrived: here ? "" : was.arrived, folded: false, trouble: null });
}

/** Leave the room. What was predicted and typed is kept. @param {App} app @returns {App} */
export function left(app) {
  return learned(app, { room: null, arrived: "", trouble: null });
}

/** From the end of a guide to the next exhibit; from the last one out. @param {App} app @returns {App} */
export function wentOn(app) {
  const { room, exhibit } = learnOf(app);
  const after = exhibitAfter(room, exhibit);
  return after === undefined ? left(app) : guided(app, "exhibit", after.id, 0);
}

/** Go to the guide's next or previous place; from its last one on, as its button does. @param {App} app @param {1 | -1} direction @returns {App} */
export function turned(app, direction) {
  const { room, exhibit, place } = learnOf(app);
  if (room !== "tour" && room !== "exhibit") return app;
  if (direction > 0 && !mayGoOn(app)) return app;
  if (direction > 0 && place + 1 >= placesOf(room, exhibit).length) return wentOn(app);
  return guided(app, room, exhibit, place + direction);
}

/** Whether the question at this place, if there is one, has been answered. @param {App} app */
export function mayGoOn(app) {
  const here = placeOf(app);
  return here === null || here.beat.question === undefined || learnOf(app).answers[here.key] !== undefined;
}

/** Predict; -1 would rather be shown. Only the first answer counts. @param {App} app @param {number} answer @returns {App} */
export function predicted(app, answer) {
  const here = placeOf(app);
  const { answers } = learnOf(app);
  if (here === null || here.beat.question === undefined || answers[here.key] !== undefined) return app;
  if (answer >= here.beat.question.answers) return app;
  return learned(app, { answers: { ...answers, [here.key]: answer } });
}

/** Where the guide that is open stands. @param {App} app */
export function placeOf(app) {
  const { room, exhibit, place } = learnOf(app);
  if (room !== "tour" && room !== "exhibit") return null;
  return placesOf(room, exhibit)[place] ?? null;
}

/**
 * The scene that should be on the screen, and a name that changes with it.
 * @param {App} app
 * @returns {{key: string, scene: Scene} | null}
 */
export function sceneOf(app) {
  const here = placeOf(app);
  if (here === null) return null;
  const { question } = here.beat;
  const answered = question !== undefined && learnOf(app).answers[here.key] !== undefined;
  if (answered && question.then !== undefined) return { key: `${here.key}!`, scene: { ...here.beat, ...question.then } };
  return { key: here.key, scene: here.beat };
}

/** Whether what is to come must stay hidden. @param {App} app */
export function hidesFuture(app) {
  return placeOf(app) !== null;
}

/** What a link to the open room says; empty when none is open. @param {App} app */
export function learnHash(app) {
  const { room, exhibit, variant } = learnOf(app);
  if (room === "variants") return "variants";
  if (room === "variant") return `variant=${variant}`;
  const here = placeOf(app);
  if (here === null) return "";
  const beat = here.beatNumber > 1 ? `.${here.beatNumber}` : "";
  return room === "tour" ? `tour=${here.stepNumber}${beat}` : `exhibit=${exhibit}${beat}`;
}

/**
 * What a link asks for.
 * @param {App} app @param {URLSearchParams} fields
 * @returns {App | null} null when the link is not for this room
 */
export function followed(app, fields) {
  const tour = fields.get("tour");
  if (tour !== null) {
    const [step, beat] = tour.split(".").map(Number);
    const at = placesOf("tour", "").findIndex((one) => one.stepNumber === step && one.beatNumber === (beat || 1));
    return guided(app, "tour", "", at);
  }
  const [exhibit, beat] = (fields.get("exhibit") ?? "").split(".");
  if (exhibitOf(exhibit) !== undefined) return guided(app, "exhibit", exhibit, Number(beat || 1) - 1);
  if (fields.has("variants")) return learned(app, { room: "variants", trouble: null });
  const variant = fields.get("variant");
  if (variant === null) return null;
  // What was found out about one variant is said of no other.
  const repair = { ...learnOf(app).repair, answer: null, error: null };
  return learned(app, { room: "variant", variant, story: "", arrived: "", trouble: null, repair });
}
