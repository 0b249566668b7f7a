// What the live server is asked: what there is, and to do something. Each
// command carries the token that only the printed address had.

/** @import {LiveInfo} from "./state.js" */

import { keptToken } from "../link.js";
import { live as said } from "./words.js";

/** @returns {Promise<LiveInfo>} */
export async function askLive() {
  const response = await fetch("live.json").catch(() => null);
  if (response === null || !response.ok) return { available: false, why: response === null ? said.noAnswer : said.unavailable };
  return response.json();
}

/** @typedef {{ok: boolean, sentence: string, run?: string | null, live?: LiveInfo}} Answer */

/**
 * @param {"begin" | "commands" | "end"} what @param {any} body
 * @returns {Promise<Answer>} a refusal is an answer, too
 */
export async function post(what, body) {
  const token = keptToken();
  if (token === null) return { ok: false, sentence: said.noToken };
  const response = await fetch(`live/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Paxos-Lab-Token": token },
    body: JSON.stringify(body),
  }).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response === null || typeof answer?.sentence !== "string") return { ok: false, sentence: said.noAnswer };
  return { ...answer, ok: response.ok && answer.ok === true };
}
