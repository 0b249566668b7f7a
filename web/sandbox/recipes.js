// Recipes: of a form, and of a story that is shown.

/** @import {App} from "../state.js" */
/** @import {Recipe} from "./state.js" */

/** What the network is like, as commands given before anything else. @type {Record<string, any[]>} */
const CONDITIONS = {
  calm: [],
  lossy: [{ drop: { name: "lossy", percent: 10 } }],
  slow: [{ delay: { name: "slow", delay_ms: 5, delay_most_ms: 40 } }],
  doubled: [{ duplicate: { name: "doubled", percent: 20 } }],
};

export const CONDITION_NAMES = Object.keys(CONDITIONS);
export const SIZES = [3, 4, 5, 7, 9];
const SEED_MOST = 999_999;

/** @param {Partial<Recipe>} part @returns {Recipe} */
export function recipe(part) {
  return { v: 1, seed: 7, nodes: 5, variant: null, manual: false, scenario: null, settings: {}, commands: [], ...part };
}

/** @param {Record<string, string>} form @returns {Recipe} */
export function recipeOfForm(form) {
  const seed = Math.min(Math.max(Number.parseInt(form.seed ?? "7", 10) || 0, 0), SEED_MOST);
  const manual = form.manual === "yes";
  const conditions = manual ? [] : (CONDITIONS[form.conditions ?? "calm"] ?? []);
  return recipe({
    seed,
    nodes: SIZES.includes(Number(form.nodes)) ? Number(form.nodes) : 5,
    variant: form.variant ? form.variant : null,
    manual,
    settings: form.scheme && form.scheme !== "rounds" ? { number_scheme: form.scheme } : {},
    commands: conditions.map((step) => ({ after: 0, do: step })),
  });
}

/**
 * The recipe of what is shown, where the sandbox can play it again.
 * @param {App} app @returns {Recipe | null}
 */
export function recipeOf({ source, stories, recipe: known }) {
  if (source?.kind === "sandbox") return known;
  const story = source?.kind === "story" ? stories?.find((one) => one.name === source.name) : undefined;
  if (story === undefined) return null;
  /** @type {any} */
  const { scenario, seed = 7, nodes = 5, variant = null, manual = false } = story;
  return recipe({ scenario: scenario ?? null, seed, nodes, variant, manual });
}
