// A recipe in a link: JSON, deflated, in the letters that an address may hold.
// It holds what a person did and no code: a link can command, but never run
// anything that somebody wrote.

/** @import {Step} from "../command/state.js" */
/** @import {Recipe} from "./state.js" */

import { sandbox as said } from "./words.js";

/** Longer links are cut off by the programs that people send them with. */
const LINK_LIMIT = 6000;
/** More than this is no recipe, however well it was packed. */
const TEXT_LIMIT = 200_000;
/** A command's fields are nested a few deep; what is deeper breaks whoever walks it. */
const DEPTH_LIMIT = 20;

/**
 * @param {Recipe} recipe
 * @returns {Promise<string>}
 * @throws {Error} it is too long; the message says so
 */
export async function packRecipe(recipe) {
  const bytes = new TextEncoder().encode(JSON.stringify(recipe));
  const packed = await through(bytes, new CompressionStream("deflate-raw"));
  const text = toLetters(packed);
  if (text.length > LINK_LIMIT) throw new Error(said.tooLong(recipe.commands.length));
  return text;
}

/**
 * @param {string} text
 * @returns {Promise<Recipe>}
 * @throws {Error} it is no recipe; the message says so
 */
export async function unpackRecipe(text) {
  try {
    if (text.length > LINK_LIMIT) throw new Error("too long");
    const bytes = await through(fromLetters(text), new DecompressionStream("deflate-raw"), TEXT_LIMIT);
    return checked(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    throw new Error(said.noRecipe);
  }
}

/** Only what a recipe has; the engine checks what stands in it. @param {any} raw @returns {Recipe} */
function checked(raw) {
  if (raw?.v !== 1 || !Number.isInteger(raw.seed) || !Array.isArray(raw.commands)) throw new Error("no recipe");
  if (!isShallow(raw, DEPTH_LIMIT)) throw new Error("too deep");
  const { v, seed, nodes, variant = null, manual = false, scenario = null, settings = {}, commands } = raw;
  const more = { ...(raw.instances === undefined ? {} : { instances: raw.instances }), ...(raw.limits === undefined ? {} : { limits: raw.limits }) };
  return { v, seed, nodes, variant, manual, scenario, settings, commands, ...more };
}

/** @param {unknown} value @param {number} most @returns {boolean} */
function isShallow(value, most) {
  if (typeof value !== "object" || value === null) return true;
  return most > 0 && Object.values(value).every((inner) => isShallow(inner, most - 1));
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {CompressionStream | DecompressionStream} way @param {number} [most] */
async function through(bytes, way, most = Infinity) {
  const stream = new Blob([bytes]).stream().pipeThrough(way);
  const reader = stream.getReader();
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) throw new Error("too much");
    parts.push(value);
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** @param {Uint8Array} bytes */
function toLetters(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text */
function fromLetters(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** @typedef {{recipe: Recipe, given: number[], stood: number[]}} Run a recipe, and what its run tells of each command */
/** @typedef {Recipe["commands"][number]} Command */

/**
 * The commands of which the first lines of a log show something, each where it
 * was given: as in paxos/sandbox/recipe.py.
 * @param {Run} run @param {number} at how many lines are looked at @returns {Command[]}
 */
export function kept({ recipe, given, stood }, at) {
  const commands = recipe.commands.slice(0, given.length);
  return commands.filter((_, place) => stood[place] < at).map((command, place) => ({ ...command, after: Math.min(command.after, given[place]) }));
}

/**
 * The recipe of a run that takes another turn: what was commanded up to a
 * line, then one command more.
 * @param {Run} run @param {number} at how many lines of its log stay @param {Step} step @returns {Recipe}
 */
export function forked(run, at, step) {
  return { ...run.recipe, commands: [...kept(run, at), { after: at, do: step }] };
}

/**
 * The recipe of a run up to a line; from there on everything waits for a hand.
 * @param {Run} run @param {number} at how many lines of its log stay @returns {Recipe}
 */
export function rewound(run, at) {
  const commands = kept(run, at);
  // By hand nothing moves behind the line but a scenario, which the first command ends.
  const goesOn = run.recipe.scenario !== null && commands.length === 0;
  if (goesOn || !isByHandAt(run, at)) commands.push({ after: at, do: { by_hand: true } });
  return { ...run.recipe, commands };
}

/** Whether every message and timer waits for a hand when all is done. @param {Recipe} recipe */
export function isByHand(recipe) {
  return recipe.manual || recipe.commands.some(takesOver);
}

/** The same of a run, at a line of its log. @param {Run} run @param {number} at how many lines there are by then */
export function isByHandAt(run, at) {
  return run.recipe.manual || kept(run, at).some(takesOver);
}

/** @param {Command} command */
function takesOver(command) {
  return command.do.by_hand === true;
}
