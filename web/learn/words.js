// The English of the learning room; tour_words.js and exhibit_words.js hold what
// its guides say.

import { words as base } from "../words.js";
import { exhibits } from "./exhibit_words.js";
import { tour } from "./tour_words.js";

const { counted, joined } = base;

export const words = {
  joined,
  tour,
  exhibits,

  // What stands around them
  tourTitle: "The tour",
  tourIntro: "Paxos in five minutes: six steps over one recorded run, and two questions.",
  exhibitsTitle: "Exhibits",
  exhibitsIntro: "One for each insight: predict, run, see, change.",
  variantsTitle: "Broken variants",
  variantsIntro: "Protocols that are wrong by one small change, with the real bug behind each.",
  openVariants: "See the broken variants",
  /** @param {number} step @param {number} count */
  step: (step, count) => `Step ${step} of ${count}`,
  exhibit: "Exhibit",
  /** @param {number} beat @param {number} count */
  beat: (beat, count) => `${beat} of ${count}`,
  progress: "Steps of the tour",
  /** @param {number} step @param {string} title */
  goToStep: (step, title) => `${step}. ${title}`,
  back: "Back",
  next: "Next",
  /** @param {string} title */
  nextStep: (title) => `Next: ${title}`,
  /** @param {string} title */
  nextExhibit: (title) => `Exhibit: ${title}`,
  done: "Done",
  leave: "Close",
  leaveTour: "Leave the tour",
  leaveExhibit: "Close the exhibit",
  leaveTitle: "Close (Esc)",
  fold: "Look behind",
  unfold: "Read on",
  brokenSoFar: "Broken at this moment:",
  seen: "seen",
  predict: "Predict",
  right: "Right.",
  wrong: "Not so.",
  chosenAnswer: "you said this",
  rightAnswer: "the answer",
  show: "Show me the answer",
  keysHint: "Keys: n next, b back, Esc leaves.",
  keysToAnswer: "Keys: Shift and a letter answer, b back, Esc leaves.",
  paper: "Paxos Made Simple,",
  challenge: "Your turn",
  openSandbox: "Open it in the sandbox",
  backToExhibit: "Back to the exhibit",
  backToTour: "Back to the tour",
  closeChallenge: "Put the challenge away",
  openWhole: "See the whole run",
  seeChange: "See the change in the code",
  sandboxLater: "The sandbox is not ready: it starts in the background, or is not part of this page. All else works meanwhile.",
  /** @param {string} story */
  noStory: (story) => `The run “${story}” could not be opened.`,
  /** @param {string} story */
  noMoment: (story) => `The run “${story}” has no such moment: it was recorded by another version of the lab. The caption still holds.`,
  sectionsLit: "Look at:",
  regions: /** @type {Record<string, string>} */ ({
    ring: "the ring",
    acceptors: "memory beside disk",
    meters: "the quorums",
    choice: "the moment of choice",
    happening: "what is happening",
    spacetime: "space and time",
  }),
  figure: {
    label: "n5's client wants pear. n3's promise reports apple at 2.n1; the promises of n4 and n5 report nothing.",
    answered: "n5 wanted pear and asks everybody to accept apple.",
    wants: "wants",
    promise: "Promise",
    nothing: "nothing accepted",
    pushes: "pushes",
    at: "at 2.n1",
  },

  table: {
    title: "What is left of what n2 has accepted",
    where: "where it is",
    faults: ["after a kill", "after a power loss"],
    maySpeak: "may n2 say it?",
    marks: { kept: ["kept", "lost"], speak: ["yes", "not yet"] },
    /** @type {{where: string, kept: boolean[], speak: boolean, here?: string}[]} */
    rows: [
      { where: "in memory only", kept: [false, false], speak: false, here: "here n2 said it" },
      { where: "written, not synced", kept: [true, false], speak: false },
      { where: "synced to disk", kept: [true, true], speak: true },
    ],
  },

  // Variants
  /** @param {number} shown @param {number} all */
  variantCount: (shown, all) => (shown === all ? `${all} variants` : `${shown} of ${all} variants`),
  findVariant: "Find",
  findVariantHint: "a word, a system, a name",
  breaksFilter: "Breaks",
  insightFilter: "Takes away",
  any: "any",
  noVariant: "No variant fits this filter.",
  loadingVariants: "Reading the variants…",
  noVariants: "The list of variants is not here: the server did not give it.",
  /** @param {string} name */
  unknownVariant: (name) => `There is no variant named “${name}”. Choose one of these.`,
  /** @param {string} rule */
  breaksFirst: (rule) => (rule === "liveness" ? "breaks liveness: safe, and perhaps never done" : `breaks ${rule} first`),
  liveness: "liveness",
  takesAway: "It takes away:",
  seenIn: "Seen in",
  /** @param {number} steps */
  steps: (steps) => counted(steps, "step"),
  /** @param {{nodes: number, ballots: number, crashes: number, disk_faults: number}} bounds */
  bounds: ({ nodes, ballots, crashes, disk_faults }) =>
    [
      counted(nodes, "node"),
      counted(ballots, "ballot"),
      crashes > 0 ? counted(crashes, "crash", "crashes") : "",
      disk_faults > 0 ? counted(disk_faults, "fault of a disk", "faults of a disk") : "",
    ]
      .filter((part) => part !== "")
      .join(", "),
  /** @param {number} ballots */
  stillSafe: (ballots) => `still safe with ${counted(ballots, "ballot")}`,
  neverChosen: "no schedule chooses a value",
  noSchedule: "no finite schedule shows it",
  notReached: "its shortest schedule is out of reach",
  backToVariants: "All variants",
  changeTitle: "What changed",
  sameAs: "unchanged",
  removed: "removed",
  added: "added",
  /** @param {number} added @param {number} removed */
  diffLabel: (added, removed) => `Change in the handler: ${counted(removed, "line")} removed, ${counted(added, "line")} added`,
  in: "in",
  boundTitle: "The smallest place where it shows",
  storiesTitle: "Its runs",
  /** What a run is called beside its variant's name. @param {string} name */
  storyName: (name) => {
    const story = name.replace(/^broken--/, "");
    if (story.endsWith("-shortest")) return "the shortest way";
    if (story.endsWith("-by-hand")) return "by hand, to two values";
    return name.startsWith("broken--") ? "as a story" : story.split("--")[0];
  },
  atViolation: "To the violation",
  atStart: "From the start",
  quotedTitle: "The events that prove it",
  noViolation: "No rule is broken in this run. What is missing is a decision.",
  noStories: "No run is kept for this one. Try it in the sandbox.",
  stepThrough: "Step through with the arrow keys; Shift goes by turning points.",
  forkIt: "Fork it into the sandbox",

  // Repair
  repairTitle: "Try to repair it",
  repairIntro: "This is the broken handler. Change it; then the run that broke it is played again with yours, and the schedules of a small model are searched, every one where the limit of states allows.",
  repairStart: "Repair it",
  repairClose: "Close the editor",
  editor: "The handler's source",
  settingIntro: "This variant changes no handler, only this setting. It breaks no rule, but with it a run may never end. Give it another value; then seeds in which it starves are played again.",
  settingEditor: "The setting",
  editorHelp: "Tab indents. Press Esc, then Tab, to leave the editor.",
  run: "Run",
  running: "Running…",
  stopRepair: "Stop",
  repairStopped: "Stopped: your handler had not come to an end, or the search had not. Nothing was found out about it.",
  engineStarts: "The sandbox starts; the first time takes some seconds.",
  engineSearches: "The run is played again, and the schedules of a small model are searched.",
  reset: "Reset to the broken one",
  showCorrect: "Show the correct one",
  noRepair: "This change has nothing that could be edited here.",
  needsSandbox: "The repair runs in the sandbox, and that is not ready. All else on this page works without it.",
  answerTitle: "What came of it",
  repaired: "Repaired",
  repairedSoFar: "Repaired, as far as was searched",
  notRepaired: "Not repaired",
  checks: {
    counterexample: "The run that broke it",
    gone: "plays again without a violation",
    /** @param {string} sentence */
    otherWay: (sentence) => `breaks nothing; it goes another way now: ${sentence}`,
    /** @param {string} rule */
    still: (rule) => `still breaks ${rule}`,
    model: "Every schedule of a small model",
    modelPart: "Schedules of a small model",
    /** @param {string} bounds @param {number} distinct */
    explored: (bounds, distinct) => `${distinct.toLocaleString("en")} states (${bounds})`,
    clean: "no rule broken",
    /** @param {string[]} rules */
    broken: (rules) => `broken: ${rules.join(", ")}`,
    incomplete: "not all of it was searched",
    choose: "A value can still be chosen",
    chosen: "yes",
    neverChosen: "no: what refuses everything is safe, and useless",
    seeds: "Chance",
    /** @param {number} count */
    quiet: (count) => `${counted(count, "seed")}, and nothing broken`,
    /** @param {number} seed @param {string} rule */
    found: (seed, rule) => `seed ${seed} breaks ${rule}`,
  },
};
