// Commands as steps of a scenario (docs/scenarios.md), made of what a form
// holds. Pure: the live server and the sandbox read the very same steps.

/** @import {Step} from "./state.js" */

export const MESSAGE_KINDS = ["prepare", "promise", "accept", "accepted", "nack", "learn"];
export const RULES = /** @type {const} */ (["drop", "delay", "duplicate", "reorder", "hold", "cut_one_way"]);
export const DISK_FAULTS = /** @type {const} */ (["fail_sync", "tear", "corrupt", "lose"]);
export const FAILPOINTS = /** @type {const} */ (["before_write", "before_sync", "after_sync", "between_sends", "after_reply"]);
/** A damaged disk is one of a node that is down. */
export const FOR_NODES_THAT_ARE_DOWN = new Set(["corrupt", "lose"]);
/** What ends a process or touches its disk: on real containers it is done only after a yes. */
const DESTRUCTIVE = new Set(["kill", "stop", "restart", "power_loss", "disk_fault"]);

/** @param {Step} step */
export function verbOf(step) {
  return Object.keys(step).find((name) => name !== "say" && name !== "limit_s") ?? "";
}

/** @param {Step} step */
export function isDestructive(step) {
  return DESTRUCTIVE.has(verbOf(step));
}

/** The nodes that a step acts on, as far as it names any. @param {Step} step @returns {string[]} */
export function targetsOf(step) {
  const body = step[verbOf(step)];
  if (typeof body === "string") return [body];
  if (Array.isArray(body)) return body.flat().filter((one) => typeof one === "string");
  return [body?.node ?? body?.at].filter((one) => typeof one === "string");
}

/**
 * @param {string} at @param {string} value
 * @param {string} [instance] the current one when left out
 * @returns {Step}
 */
export function proposeStep(at, value, instance) {
  return { propose: { at, value, background: true, ...(instance ? { instance } : {}) } };
}

/** @param {string[]} side @param {string[]} members @returns {Step | null} null when one side is empty */
export function partitionStep(side, members) {
  const [one, other] = [members.filter((node) => side.includes(node)), members.filter((node) => !side.includes(node))];
  return one.length === 0 || other.length === 0 ? null : { partition: [one, other] };
}

/** @param {string[]} ends @returns {Step | null} null where they are not the two ends of a cable */
export function cutStep(ends) {
  return ends.length === 2 ? { cut: ends } : null;
}

/**
 * A rule of the gates.
 * @param {string} verb one of `RULES`
 * @param {Record<string, string>} fields kinds, from, to; percent, delay_ms, copies
 * @param {string} name no other rule has it
 * @returns {Step}
 */
export function ruleStep(verb, fields, name) {
  /** @type {Record<string, any>} */
  const rule = { name };
  if (fields.kinds) rule.kinds = [fields.kinds];
  if (fields.from) rule.from = [fields.from];
  if (fields.to) rule.to = [fields.to];
  if (["drop", "duplicate", "reorder"].includes(verb)) rule.percent = whole(fields.percent, 100, 1, 100);
  if (verb === "delay") rule.delay_ms = whole(fields.delay_ms, 50, 1, 600_000);
  if (verb === "reorder") rule.delay_most_ms = whole(fields.delay_ms, 50, 1, 600_000);
  return { [verb]: rule };
}

/** Settings of instances, as a scenario has them: what each can be; a number is one of milliseconds. */
export const SETTINGS = /** @type {const} */ ([
  ["number_scheme", ["rounds", "interleaved", "ranges"]],
  ["patience_ms", "number"],
  ["backoff", ["yes", "no"]],
  ["backoff_base_ms", "number"],
  ["backoff_most_ms", "number"],
  ["own_ballots", ["yes", "no"]],
]);
const SETTING_MOST_MS = 600_000;

/**
 * Other settings at every node: of those that are left empty none.
 * @param {Record<string, string>} fields by the name of the setting @returns {Step | null} null where nothing is to be changed
 */
export function configureStep(fields) {
  /** @type {Record<string, any>} */
  const settings = {};
  for (const [name, options] of SETTINGS) {
    const text = (fields[name] ?? "").trim();
    if (text === "") continue;
    if (options === "number") settings[name] = whole(text, 1, 1, SETTING_MOST_MS);
    else settings[name] = name === "number_scheme" ? text : text === "yes";
  }
  return Object.keys(settings).length === 0 ? null : { configure: settings };
}

/** @param {string | undefined} text @param {number} usual @param {number} least @param {number} most */
function whole(text, usual, least, most) {
  const number = Number.parseInt(text ?? "", 10);
  return Number.isInteger(number) ? Math.min(Math.max(number, least), most) : usual;
}

/**
 * A name for a rule that nobody else has: `drop-1`, `drop-2`, ...
 * @param {string} verb @param {string[]} taken
 */
export function freeName(verb, taken) {
  let count = 1;
  while (taken.includes(`${verb}-${count}`)) count += 1;
  return `${verb}-${count}`;
}
