// Which challenge the page shows beside a run in the sandbox, for the tests.
// Takes the guide that was left, the mode and the recipes of the sandbox as
// JSON on standard input.
import { readFileSync } from "node:fs";
import { challengeField, challengeOf, shownChallenge } from "../web/learn/challenges.js";
import { EXHIBITS } from "../web/learn/exhibits.js";
import { LEARN_FIRST } from "../web/learn/state.js";

/** @param {{challenge: string, mode: string, opening: any, recipes: any[]}} about */
function shown({ challenge, mode, opening, recipes }) {
  const sandbox = { opening, branches: recipes.map((recipe) => ({ recipe })) };
  const app = /** @type {any} */ ({ mode, sandbox, learn: { ...LEARN_FIRST, challenge } });
  return { id: shownChallenge(app)?.id ?? null, field: challengeField(app) };
}

const request = JSON.parse(readFileSync(0, "utf-8"));
const ids = ["tour", ...EXHIBITS.map(({ id }) => id)];
process.stdout.write(
  JSON.stringify({
    challenges: Object.fromEntries(ids.map((id) => [id, challengeOf(id) ?? null])),
    shown: request.map(shown),
  }),
);
