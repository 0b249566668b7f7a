// The live room's part of the state: what the server can do, and how far the feed has come.

/**
 * @typedef {object} LiveInfo what `live.json` says
 * @property {boolean} available
 * @property {string} why not, or with what; while a run ends, what is done
 * @property {string} [state] "none", "beginning", "running" or "ending"
 * @property {string} [world] "docker" or "local"
 * @property {string[]} [members]
 * @property {string | null} [run] the run that is going on
 * @property {string | null} [epoch] names its feed
 * @property {number} [line_count]
 * @property {string[]} [commands] the verbs that this world knows
 * @property {string[]} [down] nodes that are down, as far as the lab knows
 * @property {Record<string, number>} [instances] by name, in the order of making
 * @property {{name: string, verb: string, text: string}[]} [faults] of the network, in force
 */

/**
 * @typedef {object} Live
 * @property {LiveInfo | null} info null until the server has answered
 * @property {"off" | "connecting" | "open" | "lost"} feed
 * @property {boolean} following whether the cursor stays at the newest line
 * @property {number} received lines so far
 * @property {string | null} busy what was asked of the server and not answered yet
 * @property {string | null} ended the name of the run that has just ended
 * @property {boolean} token whether this page may command
 */

/** @type {Live} */
export const LIVE_FIRST = { info: null, feed: "off", following: true, received: 0, busy: null, ended: null, token: false };

/** @param {Live} now @param {LiveInfo} info @returns {Live} */
export function informed(now, info) {
  return { ...now, info };
}
