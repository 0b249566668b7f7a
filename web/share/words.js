// Every English word of the share sheet and of the files that it makes, but the
// sentences about events, which are in paxos/events/catalogue.json.

import { words } from "../words.js";

const { counted, joined } = words;

export const shareWords = {
  about: "Everything is made in this tab; nothing leaves it.",
  moment: /** @param {string} moment */ (moment) => `At ${moment}.`,
  nothingOpen: "Open a run first: there is nothing to share yet.",

  // The picture
  pictureTitle: "Picture of the space-time view",
  pictureHow: "As it is shown now: theme, axis, what is lit, and whether what is to come is drawn.",
  inSight: "what is in sight",
  wholeRun: "the whole run",
  whatPart: "What it shows",
  svg: "SVG picture",
  svgHow: "Text stays text; each message says what it is.",
  png: "PNG picture",
  pngHow: "Twice as fine as on the screen.",
  /** @param {string} run @param {string} moment */
  pictureOf: (run, moment) => `Space-time view of ${run} at ${moment}`,
  /** @param {string} title @param {number} row @param {number} count */
  rowOf: (title, row, count) => (count === 1 ? title : `${title}, row ${row} of ${count}`),
  pictureSays: "Each node is a lane. Each message is an arrow; where arrows would lie too close, each ballot is one sign. Made by Paxos Lab.",
  /** @param {number} width */
  narrowed: (width) => `The whole run is ${counted(width, "pixel")} wide: more is drawn closer together.`,

  // Files
  filesTitle: "The run in other forms",
  report: "HTML report",
  reportHow: "One file that opens anywhere, also without a network: verdict, picture, acceptors and story. Can be printed.",
  shiviz: "ShiViz log",
  shivizHow: "With vector clocks. Its first line is the expression by which ShiViz takes it apart: choose the file there.",
  trace: "Chrome trace",
  traceHow: "Opens in Perfetto: a process for each node, a track for each role, an arrow for each message.",
  scenario: "Scenario",
  scenarioHow: "The story as YAML: “paxos-lab scenario FILE” plays it. What a sandbox made waits for exact lines: add “--world sim” and the seed that the file names.",
  log: "Log",
  logHow: "The .jsonl itself, as it was read. Drop it on this page, or give it to “paxos-lab check”.",
  formats: { report: "report", shiviz: "ShiViz log", trace: "trace" },
  /** @param {string} what */
  making: (what) => `Making the ${what}…`,
  /** @param {string} name @param {number} bytes */
  made: (name, bytes) => `${name} is made: ${size(bytes)}.`,
  /** @param {string} what @param {number} count @param {number} most */
  tooManyFor: (what, count, most) =>
    `This run has ${counted(count, "event")}; a ${what} of more than ${most.toLocaleString("en")} could not be opened by what reads it. The log (.jsonl) has no limit.`,
  /** @param {string} why */
  noScenarioOf: (why) => `No scenario says the same as this run: ${why}`,
  liveScenario: "What was commanded in a live run stands in its folder, as scenario.yaml, once it has ended.",
  noScenario: "No scenario stands behind what is shown: it is a log alone. A run of the sandbox has one, and so has a story.",
  noLogHere: "The log of what is shown is not in this tab any more.",
  /** @param {string} reason */
  failed: (reason) => `That went wrong, and nothing was made: ${reason}.`,
  noPicture: "The browser made no picture of this. Try the SVG, or a smaller part.",

  // The link
  linkTitle: "Link to this moment",
  linkHow: "It opens this page at this run and this event.",
  getLink: "Make the link",
  copyLink: "Copy",
  link: "Link",
  copied: "The link is copied.",
  notCopied: "The browser does not let this page copy: take the link from the field, it is selected.",

  // The report
  /** @param {string} title */
  reportTitle: (title) => `${title} · Paxos Lab`,
  madeBy: "A run of Paxos Lab, told from its log.",
  facts: /** @type {Record<string, string>} */ ({
    run: "Run",
    scenario: "Scenario",
    world: "World",
    seed: "Seed",
    variant: "Variant",
    members: "Members",
    events: "Events",
    lasted: "Lasted",
    moment: "Shown moment",
  }),
  verdict: "Verdict",
  notJudged: "This run was not judged.",
  rules: "Rules",
  rule: "rule",
  says: "what it says",
  violations: "What was broken",
  because: "Why",
  unknownWhy: "What is unknown",
  expectations: "Expectations",
  picture: "Space and time",
  /** @param {number} rows */
  inRows: (rows) => (rows === 1 ? "" : `The run goes on from row to row, as a text does: ${rows} rows.`),
  legend:
    "Prepare and Promise are blue and thin, Accept orange and Accepted green, both thick; a Nack is dotted red. Requests are solid, replies dashed. A square on a Promise is the value that it reports. × ends a message that was lost, hatching is a wall. A diamond is a promise, a square an accept: hollow in memory, filled on disk.",
  /** @param {string} moment @param {string} instance */
  acceptors: (moment, instance) => `Acceptors at ${moment}${instance === "" ? "" : `, instance ${instance}`}`,
  memory: "memory",
  disk: "disk",
  node: "node",
  promised: "promised",
  accepted: "accepted",
  knows: "knows",
  lost: "lost",
  none: "–",
  story: "The story",
  /** @param {number} left */
  storyCut: (left) => `${counted(left, "further event")} are left out here; the log has them all.`,
  storyOnly: "Of a run of this length the main events alone are told.",
  time: "time",
  what: "what happens",

  // The trace
  orchestratorThread: "scenario and faults",
  /** @param {string} event */
  eventName: (event) => event.replaceAll("_", " "),
  /** @param {string} kind @param {string} ballot */
  messageName: (kind, ballot) => `${words.kinds[kind] ?? kind}${ballot === "" ? "" : ` ${ballot}`}`,
  /** @param {string} kind @param {string} to @param {string} fate */
  lostMessage: (kind, to, fate) => `${words.kinds[kind] ?? kind} to ${to}: ${(words.fates[fate] ?? fate).toLowerCase()}`,
  /** @param {string} value @param {string} ballot @param {string[]} by */
  chosen: (value, ballot, by) => `chosen: ${value} at ${ballot}, by ${joined(by)}`,
  /** @param {string} ballot @param {string} end */
  ballotSlice: (ballot, end) => `ballot ${ballot}${end === "open" ? "" : `: ${end}`}`,
  /** @param {string} status @param {string | null} how */
  absence: (status, how) => (status === "paused" ? "paused" : (words.endings[how ?? ""] ?? "down")),
  traceOrder: "Lines of one instant are set a microsecond apart, in their order; no other time is changed.",
};

/** @param {number} bytes */
function size(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
