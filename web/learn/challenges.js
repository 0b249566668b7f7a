// What the guides set at their end, to be tried in the sandbox: which challenge
// the run that is shown there belongs to, and what a link says of it.

/** @import {App} from "../state.js" */
/** @import {Recipe} from "../sandbox/state.js" */

import { equal } from "../log/lines.js";
import { placesOf } from "./guides.js";
import { learnOf } from "./state.js";

/**
 * @typedef {object} Challenge what a guide sets at its end, to be tried in the sandbox
 * @property {string} id "tour", or the exhibit's
 * @property {"tour" | "exhibit"} room
 * @property {string} exhibit of which step or exhibit its words are
 * @property {number} place of the guide, where it is set
 * @property {Recipe} recipe of the run that it is about
 */

/**
 * The challenge of a guide.
 * @param {string} id "tour", or an exhibit's
 * @returns {Challenge | undefined} undefined where there is no such guide
 */
export function challengeOf(id) {
  const room = id === "tour" ? "tour" : "exhibit";
  const places = placesOf(room, id);
  const place = places.findIndex(({ beat }) => beat.open !== undefined);
  if (place < 0) return undefined;
  return { id, room, exhibit: places[place].id, place, recipe: places[place].beat.open?.recipe };
}

/** What makes two runs begin alike, beside what was commanded. */
const BEGINNING = /** @type {const} */ (["seed", "nodes", "variant", "manual", "scenario", "settings"]);

/**
 * The challenge that the sandbox's run is about; undefined where it is none, or was put away.
 * @param {App} app
 */
export function shownChallenge(app) {
  const challenge = challengeOf(learnOf(app).challenge);
  if (challenge === undefined || app.mode !== "sandbox") return undefined;
  const { opening, branches } = app.sandbox;
  const recipes = opening === null ? branches.map((branch) => branch.recipe) : [opening];
  return recipes.some((recipe) => beginsLike(recipe, challenge.recipe)) ? challenge : undefined;
}

/**
 * Whether a run has grown from a recipe: whatever has been commanded since came later.
 * @param {Recipe} recipe @param {Recipe} first
 */
export function beginsLike(recipe, first) {
  // When a command was given is told anew with each that follows; what it was is not.
  const given = recipe.commands.slice(0, first.commands.length).map((command) => command.do);
  return BEGINNING.every((field) => equal(recipe[field], first[field])) && equal(given, first.commands.map((command) => command.do));
}

/** What a link to the sandbox's run says of its challenge; empty where there is none. @param {App} app */
export function challengeField(app) {
  const challenge = shownChallenge(app);
  return challenge === undefined ? "" : `&challenge=${challenge.id}`;
}
