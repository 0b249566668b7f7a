// Which scenario stands behind what is shown, and its file.

/** @import {App} from "../state.js" */

import { currentBranch } from "../sandbox/state.js";
import { ShareError } from "./pace.js";
import { toYaml } from "./yaml.js";
import { shareWords as words } from "./words.js";

/**
 * The scenario of what is shown, as YAML.
 * @param {Pick<App, "source" | "timeline" | "sandbox">} app
 * @param {(path: string) => Promise<any>} load JSON from the page's own origin; null where there is none
 * @returns {Promise<string>}
 */
export async function scenarioFile({ source, timeline, sandbox }, load) {
  if (source?.kind === "sandbox") {
    const branch = currentBranch(sandbox);
    if (branch?.scenario) return toYaml(branch.scenario);
    throw new ShareError(branch?.scenarioWhy ? words.noScenarioOf(branch.scenarioWhy) : words.noScenario);
  }
  if (source?.kind === "story") {
    const own = await load(`stories/${encodeURIComponent(source.name)}/scenario.json`);
    if (own !== null) return toYaml(own);
  }
  const name = timeline?.run?.scenario;
  const all = name === undefined ? null : ((await load("scenarios.json"))?.scenarios ?? null);
  // A log may name anything: only what is in the table counts.
  const found = [name, `broken/${name}`].find((one) => all !== null && Object.hasOwn(all, one));
  if (found === undefined) throw new ShareError(words.noScenario);
  return toYaml(all[found]);
}

/**
 * Whether it is known beforehand that there is none: what a person commanded on
 * a real cluster is noted beside the run, and not told to the page.
 * @param {Pick<App, "source" | "timeline">} app
 */
export function hasNoScenario({ source, timeline }) {
  return source?.kind === "live" || (source?.kind !== "sandbox" && timeline?.run?.scenario === "live");
}

/** @param {string} path @returns {Promise<any>} */
export async function jsonOrNull(path) {
  const response = await fetch(path);
  return response.ok ? response.json() : null;
}
