// What can still come of a moment: the explorer is asked, and the way that it
// has found can be taken.

/** @import {Acts} from "../shell/acts.js" */
/** @import {Branch, Recipe, Sandbox} from "./state.js" */

import { sentenceOf } from "../shell/acts.js";
import { BOUNDS, showAnswer } from "./explore.js";
import { currentBranch } from "./state.js";
import { sandbox as said } from "./words.js";

/**
 * @typedef {object} RoomActs what the sandbox's room can do
 * @property {(part: Partial<Sandbox>) => void} set
 * @property {(parent: Branch, recipe: Recipe, after: number, as: {name: string, seen: (branch: Branch) => number}) => Promise<void>} turn
 * @property {(recipe: Recipe) => Promise<void>} open
 */

/** @param {Pick<Acts, "get" | "texts" | "trouble" | "engine"> & RoomActs} act */
export function makeWays({ get, texts, trouble, engine, set, turn, open }) {
  async function explore() {
    const app = get();
    const branch = currentBranch(app.sandbox);
    if (app.timeline === null) return;
    set({ busy: said.exploring, whatif: null });
    try {
      const lines = (await texts()).get("events.jsonl");
      const at = app.cursor + 1;
      const bounds = Object.fromEntries(BOUNDS.map(([name, usual]) => [name, Number(app.sandbox.form[name] ?? usual[0])]));
      const request = { ...(app.recipe === null ? { jsonl: lines, run: app.meta } : { recipe: app.recipe }), at, ...bounds };
      const answer = await (await engine()).whatif(request);
      set({ busy: null, whatif: { at: app.cursor, branch: branch?.id ?? -1, answer } });
      showAnswer();
    } catch (error) {
      set({ busy: null });
      if (!(/** @type {any} */ (error).cancelled)) trouble(sentenceOf(error));
    }
  }

  /** The shortest way to what goes wrong: a branch of the run, or a run of its own for a log without a recipe. */
  function take() {
    const { whatif, branches } = get().sandbox;
    /** @type {{recipe: Recipe, after: number} | null | undefined} */
    const way = whatif?.answer.branch;
    if (whatif === null || !way) return;
    const parent = branches.find((one) => one.id === whatif.branch);
    if (parent === undefined || way.after === 0) return void open(way.recipe);
    void turn(parent, way.recipe, way.after, { name: said.wayName, seen: (branch) => Math.min(way.after, branch.timeline.length - 1) });
  }

  return { explore, take };
}
