// Where the two runs come from.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Catalogue} from "../log/types.d.ts" */
/** @import {Branch} from "../sandbox/state.js" */
/** @import {Side} from "./state.js" */

import { openDropped, openTexts } from "../log/open.js";
import { partsOf } from "../share/log.js";
import { currentBranch } from "../sandbox/state.js";
import { titleOf } from "../share/names.js";
import { ShareError } from "../share/pace.js";
import { compareWords as words } from "./words.js";

/** @typedef {{value: string, text: string}} Choice */

/** Both logs are in memory, and so is a table of all their lines. */
export const LINES_MOST = 200_000;

/**
 * What can be chosen, by kind. A choice is `run:NAME`, `story:NAME`, `branch:ID` or `shown:`.
 * @param {App} app @returns {{kind: "own" | "run" | "story" | "branch", choices: Choice[]}[]}
 */
export function choicesOf(app) {
  return [
    { kind: /** @type {const} */ ("own"), choices: app.timeline === null ? [] : [{ value: "shown:", text: shownBranch(app)?.name ?? titleOf(app) }] },
    { kind: /** @type {const} */ ("branch"), choices: app.sandbox.branches.map((one) => ({ value: `branch:${one.id}`, text: one.name })) },
    { kind: /** @type {const} */ ("run"), choices: (app.runs ?? []).map((one) => ({ value: `run:${one.run}`, text: one.title === "" ? one.run : `${one.title} (${one.run})` })) },
    { kind: /** @type {const} */ ("story"), choices: (app.stories ?? []).map((one) => ({ value: `story:${one.name}`, text: one.title === "" ? one.name : `${one.title} (${one.name})` })) },
  ].filter(({ choices }) => choices.length > 0);
}

/** How a side is named in a choice and in a link. @param {Side} side */
export function nameOf({ kind, name }) {
  return `${kind}:${name}`;
}

/** @param {string} choice as `choicesOf` names it @param {Acts} acts @returns {Promise<Side>} */
export async function sideOf(choice, acts) {
  const [kind, name] = [choice.slice(0, choice.indexOf(":")), choice.slice(choice.indexOf(":") + 1)];
  if (kind === "shown") return shownSide(acts);
  if (kind === "branch") {
    const branch = acts.get().sandbox.branches.find(({ id }) => String(id) === name);
    if (branch === undefined) throw new ShareError(words.noBranch);
    return branchSide(branch);
  }
  const { timeline, meta } = await acts.load(/** @type {"run" | "story"} */ (kind), name);
  return { kind: /** @type {"run" | "story"} */ (kind), name, title: titleOf({ timeline, name, meta }), timeline, rows: await rowsOf(timeline) };
}

/** What the page shows. @param {Acts} acts @returns {Promise<Side>} */
export async function shownSide(acts) {
  const app = acts.get();
  const timeline = /** @type {import("../log/timeline.js").Timeline} */ (app.timeline);
  const kind = app.source?.kind ?? "file";
  const name = app.source?.name ?? app.name;
  const branch = shownBranch(app);
  if (branch !== null) return branchSide({ ...branch, timeline });
  if (kind === "live") {
    // It grows, and grown it is another timeline: what is compared is the log so far.
    const copy = openTexts(timeline.catalogue, await acts.texts(), name);
    return { kind, name, title: titleOf(copy), timeline: copy.timeline, rows: await rowsOf(copy.timeline) };
  }
  return { kind, name, title: titleOf(app), timeline, rows: await rowsOf(timeline) };
}

/** The branch of the sandbox that is shown; all of them are titled alike. @param {App} app */
function shownBranch(app) {
  return app.source?.kind === "sandbox" ? currentBranch(app.sandbox) : null;
}

/** A branch of the sandbox. @param {Pick<Branch, "name" | "timeline"> & {id?: number}} branch @returns {Promise<Side>} */
export async function branchSide({ id, name, timeline }) {
  return { kind: "branch", name: String(id ?? name), title: name, timeline, rows: await rowsOf(timeline) };
}

/** @param {Catalogue} catalogue @param {File[]} files @returns {Promise<Side>} */
export async function fileSide(catalogue, files) {
  const name = files.map((file) => file.name).join(", ");
  const { timeline, meta } = await openDropped(catalogue, files, name);
  return { kind: "file", name, title: titleOf({ timeline, name, meta }), timeline, rows: await rowsOf(timeline) };
}

/**
 * A log, a line each, as it was read.
 * @param {import("../log/timeline.js").Timeline} timeline
 * @returns {Promise<string[]>}
 */
async function rowsOf(timeline) {
  // Nothing is read that is not compared.
  return timeline.length > LINES_MOST ? [] : (await partsOf(timeline)).join("").split("\n").slice(0, -1);
}
