// The sandbox's part of the state: the engine, the branches of the run, what waits.

/** @import {App} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Step} from "../command/state.js" */

/**
 * @typedef {object} Recipe what makes a run, and makes the same one each time
 * @property {1} v
 * @property {number} seed
 * @property {number} nodes
 * @property {string | null} variant
 * @property {boolean} manual
 * @property {string | null} scenario
 * @property {Record<string, any>} settings
 * @property {{after: number, do: Step}[]} commands
 */

/**
 * @typedef {object} Branch one ending of the run
 * @property {number} id
 * @property {string} name
 * @property {number | null} parent
 * @property {number} at the line after which it left its parent; -1 for the first
 * @property {number} divergence the first line that differs from the parent's, by bytes; -1 for none
 * @property {Recipe} recipe
 * @property {Timeline} timeline
 * @property {string} text its log
 * @property {any} meta
 * @property {any} verdict
 * @property {any} why
 * @property {any[]} held what waits to be delivered or fired
 * @property {string} title the same as its name
 * @property {string} stopped why the run went no further
 * @property {{name: string, verb: string, text: string}[]} faults of the network, in force at its end
 * @property {string} ended "rest", "waits", "lines" or "time"
 * @property {number[]} given for each command, how many lines there were when it was given
 * @property {number[]} stood for each command, how many lines stand before the first that it may have changed
 * @property {number} closing how many of its last lines only close the log
 * @property {string} scenarioWhy why there is no scenario that says the same; empty where there is one
 * @property {string} sha256 of its log
 * @property {any} scenario the recipe as a scenario
 */

/**
 * @typedef {object} Sandbox
 * @property {"off" | "starting" | "ready" | "missing" | "failed"} engine
 * @property {number} progress from 0 to 1, while it starts
 * @property {string} stage what it is doing, or why it cannot
 * @property {string | null} busy what the engine is computing
 * @property {Branch[]} branches
 * @property {number} current the id of the branch that is shown; -1 for none
 * @property {boolean} making whether the form for a new run is open
 * @property {Recipe | null} opening the run that is being made, to be shown instead of what is
 * @property {{branches: Branch[], current: number, cursor: number} | null} before the run that this one has replaced, to come back to
 * @property {Record<string, string>} form
 * @property {{at: number, branch: number, answer: any} | null} whatif
 * @property {number | null} naming the branch whose name is being written
 * @property {Turn | null} turn the turn that was taken last, while one still stands where it put one
 * @property {{branch: number, cursor: number} | null} rest where a command at the end has put one, while one stands there still: nothing that follows is worth a stop
 */

/**
 * @typedef {object} Turn a command in the past made a branch
 * @property {number} branch its id
 * @property {number} cursor where the command shows
 * @property {number} from the branch that it left
 * @property {number} given where the cursor stood there
 */

/** @type {Sandbox} */
export const SANDBOX_FIRST = {
  engine: "off",
  progress: 0,
  stage: "",
  busy: null,
  branches: [],
  current: -1,
  making: false,
  opening: null,
  before: null,
  form: {},
  whatif: null,
  naming: null,
  turn: null,
  rest: null,
};

/** Whether the page plays a run on to its end by itself, because of a command. @param {App} app */
export function goesOn({ mode, playing, playTo }) {
  return mode === "sandbox" && playing && playTo !== Infinity;
}

/** Whether a command that is given now is given at the end of the run, where it comes to rest. @param {App} app */
export function atEnd(app) {
  const branch = currentBranch(app.sandbox);
  return branch !== null && (goesOn(app) || inRest(app) || app.cursor + 1 >= branch.timeline.length - branch.closing);
}

/** Whether one stands where a command at the end has put one, with nothing to stop at behind it. @param {App} app */
export function inRest({ sandbox: { rest, current }, cursor }) {
  return rest !== null && rest.branch === current && rest.cursor === cursor;
}

/** Whether a command that is given now belongs to the turn that was taken last. @param {App} app */
export function inTurn({ sandbox: { turn, current }, cursor }) {
  return turn !== null && turn.branch === current && turn.cursor === cursor;
}

/** @param {Sandbox} now @returns {Branch | null} */
export function currentBranch(now) {
  return now.branches.find((branch) => branch.id === now.current) ?? null;
}

/**
 * The first line in which two logs differ, counted from 0; -1 where they are equal.
 * @param {string} one @param {string} other
 */
export function divergence(one, other) {
  if (one === other) return -1;
  const least = Math.min(one.length, other.length);
  let [at, line] = [0, 0];
  while (at < least && one.charCodeAt(at) === other.charCodeAt(at)) {
    if (one.charCodeAt(at) === 10) line += 1;
    at += 1;
  }
  return line;
}

/** How many of the first lines two logs share, of so many. @param {string} one @param {string} other @param {number} most */
export function sharedLines(one, other, most) {
  const first = divergence(one, other);
  return first < 0 ? most : Math.min(first, most);
}

/** A further branch, beside those that are there. @param {Sandbox} now @param {Branch} branch @returns {Sandbox} */
export function joined(now, branch) {
  return { ...now, branches: [...now.branches, branch] };
}

/** At its end a run goes on, and is no other branch. @param {Sandbox} now @param {Branch} longer it has the id of the one that it replaces @returns {Sandbox} */
export function grown(now, longer) {
  return { ...now, branches: now.branches.map((one) => (one.id === longer.id ? longer : one)) };
}

/**
 * A run of its own. Where somebody has worked on the one before, that is kept.
 * @param {Sandbox} now @param {Branch} branch @param {number} cursor where the one before is left @returns {Sandbox}
 */
export function replaced(now, branch, cursor) {
  const { branches, current, before } = now;
  const worked = branches.length > 1 || branches.some((one) => one.recipe.commands.length > 0);
  return { ...now, branches: [branch], current: branch.id, whatif: null, naming: null, before: worked ? { branches, current, cursor } : before };
}

/** The run before this one, and this one in its place. @param {Sandbox} now @param {number} cursor @returns {Sandbox} */
export function broughtBack(now, cursor) {
  const { branches, current, before } = now;
  return before === null ? now : { ...now, branches: before.branches, current: before.current, whatif: null, naming: null, before: { branches, current, cursor } };
}

/** Drop a branch; what grew from it hangs on its parent then. @param {Sandbox} now @param {number} id @returns {Sandbox} */
export function dropped(now, id) {
  const gone = now.branches.find((branch) => branch.id === id);
  const left = now.branches.filter((branch) => branch.id !== id);
  if (gone === undefined || left.length === 0) return now;
  const branches = left.map((branch) => (branch.parent === id ? { ...branch, parent: gone.parent } : branch));
  return { ...now, branches, current: now.current === id ? (gone.parent ?? branches[0].id) : now.current };
}
