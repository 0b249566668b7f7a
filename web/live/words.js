// The English of the live room.

import { words } from "../words.js";

export const live = {
  /** @param {number} count as the server calls it */
  instance: (count) => `live-${count}`,
  begin: "Begin a live run",
  end: "End the run",
  goLive: "Go live",
  live: "Live",
  /** @param {string | null | undefined} world @param {string[]} members */
  title: (world, members) => `A live run of ${members.length} ${world === "docker" ? "containers" : "processes"}`,
  /** @param {string} ms */
  behind: (ms) => `looking back at ${ms}`,
  connecting: "connecting…",
  lost: "connection lost, trying again…",
  off: "not connected",
  cutOff: "The page's server does not answer: what you see may be old, and no command arrives. The page tries again by itself.",
  beginning: "Beginning a live run: every node names where its log stands…",
  ending: "Ending the run: logs are collected and judged…",
  asking: "Asking what can be watched here…",
  startTitle: "Watch a live cluster",
  startHow: "A live run shows each event of the cluster as it happens. You can kill, part and heal while you watch, scrub back while it goes on, and keep the whole as a run at the end.",
  waiting: "The run has begun. Its first events are on their way.",
  noToken: "This page may watch, and not command: open the address that was printed when the page was started. It ends in #token=…",
  noAnswer: "The page's server does not answer. Is “make web” still running?",
  unavailable: "Nothing live is offered here.",
  /** @param {string} run */
  ended: (run) => `The run has ended and is kept as ${run}.`,
  endedBadly: "The run has ended.",
  open: "Open it as a replay",
  /** @param {string | null | undefined} world @param {string[]} members */
  where: (world, members) => `${members.length === 0 ? "the cluster" : words.joined(members)} (${world === "docker" ? "containers" : "processes"})`,
  /** @param {number} count */
  events: (count) => words.counted(count, "event"),
};
