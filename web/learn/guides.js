// The tour and the exhibits as one thing: guides, which are rows of places.

/** @import {Beat} from "./scenes.js" */

import { EXHIBITS } from "./exhibits.js";
import { TOUR } from "./tour.js";

/**
 * @typedef {object} Place
 * @property {string} key names it, and its question
 * @property {string} id of its step or exhibit: where its words are
 * @property {Beat} beat
 * @property {number} stepNumber from 1
 * @property {number} beatNumber from 1 in its step
 * @property {number} beatCount of its step
 */

/** @type {Map<string, Place[]>} */
const made = new Map();

/**
 * The places of a guide, in order.
 * @param {string} room @param {string} exhibit
 * @returns {Place[]}
 */
export function placesOf(room, exhibit) {
  const name = room === "tour" ? "tour" : exhibit;
  let places = made.get(name);
  if (places === undefined) {
    const steps = room === "tour" ? TOUR : EXHIBITS.filter((one) => one.id === exhibit);
    places = steps.flatMap(({ id, beats }, step) =>
      beats.map((beat, index) => ({
        key: `${room}/${id}/${index}`,
        id,
        beat,
        stepNumber: step + 1,
        beatNumber: index + 1,
        beatCount: beats.length,
      })),
    );
    made.set(name, places);
  }
  return places;
}

/** @param {string} id */
export function exhibitOf(id) {
  return EXHIBITS.find((one) => one.id === id);
}

/** The exhibit that comes after a guide; undefined after the last one. @param {string | null} room @param {string} exhibit */
export function exhibitAfter(room, exhibit) {
  return room === "tour" ? EXHIBITS[0] : EXHIBITS[EXHIBITS.findIndex((one) => one.id === exhibit) + 1];
}

/** Every place of every guide: what a test walks. @returns {Place[]} */
export function allPlaces() {
  return [...placesOf("tour", ""), ...EXHIBITS.flatMap(({ id }) => placesOf("exhibit", id))];
}
