// Every English word of the comparison of two runs.

import { words } from "../words.js";

const { counted } = words;

export const compareWords = {
  first: "First run",
  second: "Second run",
  choose: "Choose…",
  shown: /** @param {string} name */ (name) => `what is shown: ${name}`,
  kinds: /** @type {Record<string, string>} */ ({ run: "Runs", story: "Stories", branch: "Branches", own: "Open here" }),
  pickFile: "File…",
  /** @param {string} which */
  pickFor: (which) => `${which}: pick a log (.jsonl)`,
  noBranch: "That branch is gone: choose another one.",
  swap: "Swap",
  badLink: "This link names no two runs: it must say compare=run:NAME,story:NAME.",
  openFirst: "Choose two runs: from the list, or by dropping a log here.",
  /** @param {string} name */
  loading: (name) => `Loading ${name}…`,
  comparing: "Comparing line by line…",
  /** @param {number} most */
  tooLong: (most) => `Runs of more than ${counted(most, "line")} are not compared here.`,

  // Which notion of a difference
  beside: "Lines stand beside each other",
  by: { lines: "where they match", order: "in their order" },
  exactly: "Count differences of time, too (exact bytes)",
  /** @param {"lines" | "order"} by @param {boolean} exact */
  notion: (by, exact) => {
    if (exact) return "Two lines are the same when their bytes are.";
    if (by === "order") return "Two lines are the same when they differ in times alone, whatever the runs are called.";
    return "Two lines are the same when they differ only in times, and in numbers that count lines, starts and instances, whatever the runs are called.";
  },

  // The differences
  same: "No difference: the two runs tell the same.",
  /** @param {number} count @param {number} moved */
  differences: (count, moved) =>
    `${counted(count, "difference")}${moved === 0 ? "" : `, ${moved === count ? (count === 1 ? "which is" : "all of them") : `${moved.toLocaleString("en")} of them`} in order only`}.`,
  /** @param {number} row */
  alikeUntil: (row) => (row === 0 ? "The two runs differ from the first line on." : `The first ${counted(row, "line")} ${row === 1 ? "is" : "are"} the same.`),
  /** @param {string} what @param {string} moment */
  inFirst: (what, moment) => `The first run then says: “${what}” (${moment})`,
  /** @param {string} what @param {string} moment */
  inSecond: (what, moment) => `the second: “${what}” (${moment})`,
  /** Where their sentences are the same. @param {string} what @param {string} moment @param {string} other the second's moment */
  inBoth: (what, moment, other) => `Both runs then say: “${what}” (${moment === other ? moment : `${moment}, and ${other} in the second`})`,
  /** @param {{name: string, a: string, b: string}[]} found */
  differIn: (found) => `but they differ: ${found.map(({ name, a, b }) => `${name}: “${a}” in the first, “${b}” in the second`).join("; ")}`,
  /** Of one of them. @param {string} name @param {string} held */
  keeps: (name, held) => `(${name}: ${held})`,
  onceMore: "but one of them says it once more than the other, or at another place",
  /** Fields of a node's memory, beside those that are named elsewhere. */
  memory: /** @type {Record<string, string>} */ ({
    ...words.roles,
    "proposer.pushing": "what the proposer pushes",
    "proposer.highest": "the highest number that the proposer knows",
    "proposer.last_round": "the round that the proposer used last",
    "proposer.attempt": "the proposer's attempt",
    "proposer.wishes": "clients' wishes",
  }),
  inMemory: {
    /** @param {string} name */
    after: (name) => `${name} then`,
    /** @param {string} name */
    before: (name) => `${name} before`,
  },
  ended: "it has ended",
  /** @param {boolean} moved */
  movedOnly: (moved) => (moved ? "Both runs have these lines, at different places." : ""),
  firstDifference: "first difference",
  difference: "difference",
  toFirst: "First difference",
  previous: "Previous difference",
  next: "Next difference",
  back: "Step back",
  forward: "Step on",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  cursor: "Line",
  /** @param {number} row @param {number} count */
  rowOf: (row, count) => `row ${(row + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`,
  /** @param {string} which @param {string} title */
  canvasLabel: (which, title) => `Space-time view of the ${which.toLowerCase()}, ${title}. The sentences and the table below say what differs.`,
  nothingHere: "nothing at this place",
  sameHere: "the same here",
  differsHere: "different here",

  // Figures
  figures: "Figures",
  figure: "figure",
  verdict: "Verdict",
  broken: "Broken",
  chosen: "Chosen",
  nothing: "nothing",
  none: "–",
  /** @param {string} value @param {string} ballot */
  chosenAt: (value, ballot) => `${value} at ${ballot}`,
  /** @param {number} count */
  andMore: (count) => `${count.toLocaleString("en")} more`,
  timeToChoice: "From the first wish to the choice",
  lasted: "Lasted",
  events: "Events",
  ballots: "Ballots",
  messages: "Messages",
  /** @param {string} kind */
  ofKind: (kind) => `– ${kind}`,
  lost: "Lost messages",
  differs: "differs",
};
