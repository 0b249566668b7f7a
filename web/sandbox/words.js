// The English of the sandbox.

import { words } from "../words.js";

const { counted } = words;

export const sandbox = {
  title: "A cluster in this tab",
  how: "The sandbox runs the very same core in virtual time, in this tab. Every fault is allowed, and each command that you give in the past starts a branch beside what happened.",
  off: "The sandbox starts when you need it.",
  /** @param {string} stage @param {number} percent */
  starting: (stage, percent) => `${sandbox.stages[stage] ?? "Starting"}… ${percent} %`,
  stages: /** @type {Record<string, string>} */ ({
    pyodide: "Loading Python for this tab",
    core: "Loading the core",
    python: "Starting Python",
    ready: "Ready",
  }),
  ready: "ready",
  startNow: "Start the sandbox",
  missing: "The sandbox is not offered here.",
  progress: "How far the sandbox has started",
  running: "Computing the run…",
  forking: "Taking another turn…",
  exploring: "Looking at every way from here…",
  /** @param {number} last the number of its last event @param {string} stopped why there is none behind it */
  wentOn: (last, stopped) => `The run went on from there, as far as event ${last.toLocaleString("en")}. ${stopped}`,
  newRun: "New run…",
  /** @param {number} seed */
  back: (seed) => `Back to seed ${seed}`,
  /** @param {number} branches */
  backHint: (branches) => `Shows the run that was open before, ${branches > 1 ? `with its ${counted(branches, "branch", "branches")}` : "as you left it"}. This one is kept meanwhile.`,
  openingTitle: "Your run is being made",
  /** @param {number} seed @param {number} nodes @param {number} commands @param {string | null} scenario */
  openingWhat: (seed, nodes, commands, scenario) =>
    `Seed ${seed}, ${counted(nodes, "node")}${scenario === null ? "" : `, the scenario ${scenario}`}${commands === 0 ? "" : `, ${counted(commands, "command")}`}. It is computed anew in this tab, and comes out the same each time.`,
  make: "Run it",
  seed: "Seed",
  nodes: "Nodes",
  scheme: "Numbers",
  schemes: { rounds: "round and node", interleaved: "interleaved", ranges: "a range for each" },
  variant: "Protocol",
  correct: "as it should be",
  by: "Messages",
  byItself: "move freely",
  byHand: "go by hand",
  conditions: "Network",
  conditionNames: { calm: "calm", lossy: "loses 10 %", slow: "late by 5 to 40 ms", doubled: "doubles 20 %" },
  first: "as it ran",
  wayName: "shortest way",
  /** @param {number} count */
  branch: (count) => `branch ${count}`,
  branches: "Branches",
  /** @param {string} name @param {number} lines */
  show: (name, lines) => `Show ${name}, ${counted(lines, "event")}`,
  rename: "Rename",
  drop: "Drop",
  /** @param {string} name */
  renameOne: (name) => `Rename ${name}`,
  /** @param {string} name */
  dropOne: (name) => `Drop ${name}`,
  name: "Name of the branch",
  differs: "first difference",
  compare: "Compare",
  /** @param {string} name */
  compareOne: (name) => `Compare ${name} with what is shown`,
  /** @param {number} at @param {number} divergence @param {string} parent */
  forkText: (at, divergence, parent) =>
    `left ${parent} after event ${(at + 1).toLocaleString("en")}${divergence < 0 ? ", and differs in nothing" : `; the first difference is event ${(divergence + 1).toLocaleString("en")}`}`,
  goFork: "Go to where it left",
  goDifference: "Go to the first difference",
  held: "What waits",
  heldNone: "Nothing waits: the cluster rests.",
  heldHow: "Nothing moves until you let it. The oldest comes first.",
  heldByGate: "A gate holds these; everything else goes its way.",
  heldPast: "You look back. What waits at this moment can be handed over after going back to it.",
  goBackHere: "Take another turn from here",
  deliver: "Deliver",
  /** @param {string} node */
  receiverDown: (node) => `${node} is down`,
  olderFirst: "the older one goes first",
  fire: "Let it run out",
  /** @param {any} one */
  heldMessage: (one) =>
    `${words.kinds[one.kind] ?? one.kind} ${one.from} → ${one.to}${one.ballot ? `, ${one.ballot}` : ""}${one.value ? `, ${typeof one.value === "string" ? `'${one.value}'` : "a long value"}` : ""}${
      one.accepted ? `, reports ${one.accepted}` : ""
    }`,
  /** @param {any} one */
  heldTimer: (one) => `${one.node}'s timer '${one.timer.replace("_", " ")}'`,
  messageTitle: "Do something to this message",
  dropMessage: "Drop it",
  delayMessage: "Delay it by 50 ms",
  duplicateMessage: "Double it",
  deliverMessage: "Deliver it now",
  fork: "Fork into the sandbox",
  forkHint: "Plays the same run in this tab, so that you can take another turn from any moment of it.",
  recorded: "This run is recorded: what happened, happened.",
  recordedHow: "It ran outside of this tab, so the sandbox cannot play it again. This asks the explorer what can still come of this moment:",
  explore: "Explore from here",
  /** @param {number} at */
  exploreNow: (at) => `Explore from event ${at.toLocaleString("en")}`,
  exploreHow: "Hands this moment to the explorer: every order of messages that can still come.",
  bounds: /** @type {Record<string, string>} */ ({ ballots: "Further ballots", crashes: "Crashes", disk_faults: "Disk faults" }),
  stop: "Stop",
  /** @param {number} at */
  answerAt: (at) => `From event ${at.toLocaleString("en")} on`,
  verdicts: /** @type {Record<string, string>} */ ({
    "safe within bounds": "✓ It cannot go wrong within these bounds.",
    "can go wrong": "✗ It can go wrong.",
    "already wrong": "✗ It has gone wrong already.",
    unknown: "? It is not known.",
  }),
  /** @param {number} ballots how many further ones were searched whole */
  safeWith: (ballots) => `✓ It cannot go wrong with ${ballots === 0 ? "no further ballot" : counted(ballots, "further ballot")}; ${ballots + 1} ${ballots === 0 ? "was" : "were"} not all searched.`,
  can: "Can still be chosen",
  any: "any client's",
  anyOther: "any other client's",
  canSeen: "Seen so far that can still be chosen",
  none: "nothing",
  noneSeen: "none yet, for not each way was seen",
  already: "Chosen already",
  looked: "Looked at",
  complete: "each way seen",
  notComplete: "not each way seen",
  way: "The shortest way there",
  takeHow: "It was played and went wrong. As a branch the run stays as it is up to here; then every message and timer waits, and each step is taken by hand.",
  openShortest: "Take the shortest way, as a branch",
  takeAlone: "It was played and went wrong: this log, handed over message by message from its beginning, and then each step.",
  openAlone: "Take the shortest way, in the sandbox",
  noWay: "It cannot be taken step by step here.",
  /** @param {number} count */
  states: (count) => counted(count, "state"),
  tooManyBranches: "There are many branches already: drop one first.",
  /** @param {number} commands */
  tooLong: (commands) => `A link cannot hold ${counted(commands, "command")}: it would be too long. Export the scenario file instead.`,
  noRecipe: "This link to a sandbox is damaged: what it holds is no recipe of a run. Ask for it again, or start a new run.",
  judge: "Judge it in this tab",
  judging: "Judging…",
  gone: "The run that this was meant for is no longer open.",
  wantsSandbox: "In the sandbox every fault is possible, and nothing real is hit.",
};
