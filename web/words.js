// Every English word of the page but the sentences about events, which are in
// paxos/events/catalogue.json.

/** @param {number} count @param {string} one @param {string} [many] */
const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** @param {string[]} names */
const joined = (names) =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;

/** Digits of a millisecond: a log knows no more. */
const NANOSECONDS = 6;

export const words = {
  title: "Paxos Lab",
  counted,
  joined,

  // What a newcomer meets
  welcome: "How machines agree, though messages are lost and machines crash",
  welcomeHow: "This is Paxos at work, in a run that you can play, stop and take back: a client asks n2 for lemon, and each message is drawn. Lemon is chosen once a majority has it on disk.",
  takeTour: "Take the tour (5 minutes)",
  breakIt: "Break it yourself",
  closeWelcome: "Close this and look around",

  // Header and sheets
  modes: "Modes",
  modeNames: { replay: "Replay", live: "Live", sandbox: "Sandbox" },
  tour: "Tour",
  openRun: "Open a run",
  share: "Share",
  compare: "Compare",
  find: "Find",
  help: "Keys and signs",
  dark: "Dark theme",
  light: "Light theme",
  close: "Close",
  sheets: { runs: "Choose a run", share: "Share this moment", compare: "Two runs side by side", help: "Keys and signs" },
  panels: { do: "Do", verdict: "Verdict", learn: "Learn", find: "Find" },
  panelsLabel: "Panels",
  worlds: /** @type {Record<string, string>} */ ({
    docker: "real containers",
    local: "real processes",
    sim: "virtual time",
    simulator: "virtual time",
    explorer: "every schedule",
  }),
  /** @param {string} what */
  wentWrong: (what) => `Something went wrong: ${what}.`,

  // The choice of a run
  instance: "Instance",
  allInstances: "all",
  /** @param {number} number @param {string | undefined} name */
  instanceName: (number, name) => (name === undefined ? String(number) : `${number} · ${name}`),
  chooseHow: "Drop a run's folder, its files, or a .jsonl log anywhere on this page. Or",
  runsTitle: "Runs of this lab",
  storiesTitle: "Stories in virtual time",
  counterexamplesTitle: "Shortest ways to go wrong, of broken variants",
  pickFiles: "Pick files…",
  noRuns: "There is no recorded run here yet. In a clone of the project “make demo” makes some.",
  noServer: "No server of runs answers here. Drop a run's folder or a .jsonl log on this page, or start “make web”.",
  /** @param {string} what */
  loading: (what) => (what === "tour" ? "Loading the run of the tour…" : `Loading ${what.replace("--", "/")}…`),
  loadingPage: "Loading the page's sentences…",
  loadingProgress: "How much has been loaded",
  verdicts: /** @type {Record<string, string>} */ ({ ok: "safety held", violated: "violated", unknown: "unknown" }),
  noVerdict: "not judged",
  nothingYet: "nothing to judge yet",
  nothingYetWhy: "Nobody has asked anything of this cluster yet, so there is nothing to judge. Propose something: from then on each rule is judged here.",
  atRest: "The cluster has just started, and rests. Ask one of its nodes to propose a value, and watch what happens.",
  dropHere: "Drop it: a run's folder, or .jsonl files",

  // Files that cannot be shown
  notJson: "it is not JSON",
  /** @param {string} file @param {number} line @param {string} wrong @param {boolean} first */
  badLine: (file, line, wrong, first) =>
    first
      ? `${file} is no log of Paxos Lab: its line ${line} does not fit the format (${wrong}). Drop a run's folder or one of its .jsonl files.`
      : `${file} is broken at line ${line}: ${wrong}. Nothing of it is shown, for a log with a hole would tell a false story.`,
  /** @param {string} name */
  noLog: (name) => `${name === "" ? "What was dropped" : name} holds no log: a .jsonl file is needed, such as events.jsonl of a run's folder.`,
  /** @param {string} name */
  emptyLog: (name) => `${name} is empty: no line has been written yet.`,
  /** @param {string} name */
  badCompanion: (name) => `${name} is not JSON, so what it says about the run cannot be shown. Run “paxos-lab check” on the folder to write it anew.`,
  /** @param {string} name */
  oddMembers: (name) => `${name} does not fit a log: its members are no names of nodes, such as n1. Take it away, and the log is read without it.`,
  /** @param {string} what @param {string} reason */
  notOpened: (what, reason) => `${what} could not be opened: ${reason}. The mistake is this page’s own.`,
  /** @param {string} path @param {number} status */
  notServed: (path, status) => `The server does not have ${path} (${status}). It may have been cleaned away: choose another run.`,
  /** @param {string} run */
  noSuchRun: (run) => `There is no run ${run} here: it may have been cleaned away. Choose another one.`,
  /** @param {string} name */
  noSuchStory: (name) => `There is no story ${name.replace("--", "/")} here. Choose another one.`,
  nothingToLink: "Nothing is shown yet that a link could lead to.",
  noLinkToFile: "A file that was dropped here is on this machine alone, so no link leads to it.",
  brokenLink: "This link leads nowhere: it names no run, story or moment that this page knows. Choose from the list.",
  /** @param {string} name */
  noSuchMoment: (name) => `The run has no event ${name}, so it is shown from its start.`,
  /** @param {number} bytes */
  tooLarge: (bytes) => `${Math.round(bytes / 1e6).toLocaleString("en")} MB are more than this page can show. Drop a single run.`,
  /** @param {string} reason */
  damaged: (reason) => `Each line fits the format, but together they tell no run that can be replayed: ${reason}.`,
  /** @param {number} count @param {string[]} nodes @param {string} first the first of them, by name */
  gap: (count, nodes, first) =>
    count === 1
      ? `One line of this log is missing, ${first}. The page shows what the others tell, and what it shows may be wrong from there on.`
      : `${counted(count, "line")} of this log are missing, of those that ${joined(nodes)} wrote; the first is ${first}. The page shows what the others tell, and what it shows may be wrong from there on.`,
  /** @param {number} count @param {string} first the first of them, by name */
  twice: (count, first) =>
    count === 1 ? `One line stands twice in this log: ${first}. What it tells is shown twice.` : `${counted(count, "line")} stand twice in this log; the first is ${first}. What they tell is shown twice.`,
  tornLog: "The last line was never finished and is left out: the run may still be going on, or was killed.",
  /** @param {number} count */
  droppedLogs: (count) => `${count} dropped files`,

  // Cluster
  clusterNow: "Cluster now",
  /** @param {string} node @param {string} status @param {string} promised */
  nodeLabel: (node, status, promised) => `${node}, ${status}${promised === "" ? "" : `, has promised ${promised}`}`,
  statuses: /** @type {Record<string, string>} */ ({ up: "up", down: "down", paused: "paused", unseen: "not heard of yet" }),
  endings: /** @type {Record<string, string>} */ ({
    kill: "killed",
    stop: "stopped",
    power_loss: "power lost",
    failpoint: "killed at a failpoint",
    exit: "ended",
  }),
  /** @param {string} ballot */
  atLeast: (ballot) => `≥ ${ballot}`,
  kinds: /** @type {Record<string, string>} */ ({
    prepare: "Prepare",
    promise: "Promise",
    accept: "Accept",
    accepted: "Accepted",
    nack: "Nack",
    learn: "Learn",
    learned: "Learned",
    status: "Status",
  }),
  letters: /** @type {Record<string, string>} */ ({
    prepare: "P?",
    promise: "P",
    accept: "A?",
    accepted: "A",
    nack: "N",
    learn: "L",
    learned: "l",
    status: "S",
  }),
  /** @param {number} flying @param {number} held @param {number} lost */
  flights: (flying, held, lost) =>
    `${counted(flying, "message")} in flight${held > 0 ? `, ${held} held` : ""} · ${lost.toLocaleString("en")} lost so far`,
  faultsInForce: "In force:",
  /** @param {string} fault @param {string[]} targets @param {any} detail */
  faultOf: (fault, targets, detail) => {
    const verb = fault.replace("_", " ");
    // What is left of a network without a node or a cable has sides that overlap, and tells nobody anything.
    const groups = ["isolate", "cut"].includes(fault) ? undefined : (detail.groups ?? detail.sides);
    if (Array.isArray(groups)) return `${verb} ${groups.map((group) => [group].flat().join(" ")).join(" | ")}`;
    if (detail.kinds === undefined && detail.from === undefined && detail.to === undefined) return `${verb} ${joined(targets)}`;
    if (detail.from === undefined && detail.to === undefined) return `${verb} ${[detail.kinds].flat().join(", ")}`;
    const way = [detail.from, detail.to].map((nodes) => (nodes === undefined ? "any" : [nodes].flat().join(" ")));
    return `${verb} ${[detail.kinds ?? "all"].flat().join(", ")}: ${way.join(" → ")}`;
  },
  /** @param {number} bytes @param {string} sha256 */
  longValue: (bytes, sha256) => `${counted(bytes, "byte")} (${sha256.slice(0, 8)}…)`,
  ringLabel: "Ring of the nodes, with walls and messages in flight; the table beside it says the same of each node",

  dragToSplit: "Drag a line across the ring to part the network.",
  crossToSplit: "The line must have nodes on both its sides.",
  /** @param {string[]} one @param {string[]} other */
  splitWouldBe: (one, other) => `Let go to part ${one.join(" ")} from ${other.join(" ")}.`,
  /** @param {string[]} one @param {string[]} other */
  pressToSplit: (one, other) => `Press x to part ${one.join(" ")} from ${other.join(" ")}.`,

  // What is happening
  /** @param {string} ms */
  happening: (ms) => `What is happening at ${ms}`,
  /**
   * A time, with as many digits as tell it from another.
   * @param {number} ms @param {number} [apart] how far that other is, in milliseconds
   */
  ms: (ms, apart = Infinity) => {
    const needed = Math.min(Math.ceil(-Math.log10(apart) - 1e-9), NANOSECONDS);
    if (ms >= 10_000) return `${(ms / 1000).toFixed(Math.max(1, needed + 3))} s`;
    return `${ms.toFixed(Math.max(ms < 10 ? 2 : ms < 100 ? 1 : 0, needed))} ms`;
  },
  /** @param {number} at @param {number} count */
  eventOf: (at, count) => `event ${(at + 1).toLocaleString("en")} of ${count.toLocaleString("en")}`,
  predict: "Predict:",
  hiddenFirst: "What is to come is hidden until you go on.",
  guessFirst: "Hide what is to come, and guess",
  so: "So",
  why: "Why?",
  whyNot: "Not justified:",
  /** Rules that no single step is bound by. */
  whyBroken: /** @type {Record<string, string>} */ ({ agreement: "Agreement is broken:", validity: "Validity is broken:" }),
  whyBeside: "Also here:",
  because: "Because",
  leadsTo: "Leads to",
  nothingChanged: "nothing",
  changed: "Changes in memory",
  points: /** @type {Record<string, string>} */ ({
    propose: "A client proposes",
    quorum: "Quorum of promises",
    yield: "Must push another's value",
    chosen: "Chosen",
    learned: "The first node learns",
    all_learned: "Every node has learned",
    kill: "A node goes down",
    restart: "A node comes back",
    wall: "A wall goes up",
    heal: "The wall is gone",
    pause: "A node is paused",
    resume: "A node goes on",
    violation: "Violation",
  }),
  roles: /** @type {Record<string, string>} */ ({
    "acceptor.promised": "promised",
    "acceptor.accepted": "accepted",
    "proposer.phase": "proposer's phase",
    "proposer.ballot": "proposer's ballot",
    "proposer.promises": "promises in",
    "proposer.refused_by": "refused by",
    "learner.learned": "learned",
    "learner.tallies": "acceptances counted",
  }),

  // A message
  /** @param {string} kind @param {string} source @param {string} to */
  messageTitle: (kind, source, to) => `${kind} from ${source} to ${to}`,
  /** @param {string[]} names @param {boolean} held */
  pile: (names, held) => `${names.length > 1 || held ? `${names.length.toLocaleString("en")} ${held ? "held" : "under way"}: ` : ""}${names.join("; ")}`,
  sent: "Sent",
  fates: /** @type {Record<string, string>} */ ({
    received: "Received",
    walled: "Lost at the wall",
    dropped: "Dropped by a gate",
    failed: "Its call failed",
    died: "Lost with a process",
    open: "Never seen to arrive in this log",
  }),
  closeMessage: "Close the message",
  before: "before",
  after: "after",
  phase: "proposer",

  // Acceptors
  acceptors: "Acceptors: memory beside disk",
  node: "node",
  promised: "promised",
  accepted: "accepted",
  memory: "memory",
  disk: "disk",
  knows: "knows",
  lost: "lost",
  none: "–",
  unsaved: "in memory only, not yet on disk",
  maybeLost: "synced, as its disk said; whether it outlived the power loss shows when the disk is read",
  tableLabel: "Acceptors' memory beside their disk",
  detailLabel: "Why it happens, and what it leads to",

  // Quorums and the choice
  /** @param {number} quorum @param {number} members */
  quorums: (quorum, members) => `Quorum: ${quorum} of ${members}`,
  meterHeads: { done: "done", heard: "heard" },
  meterHelp: "How many acceptors have promised or accepted, and of how many of them the proposer has heard.",
  ballot: "ballot",
  pushesValue: "pushes",
  promises: "promises",
  accepts: "accepts",
  /** @param {number} count */
  earlierBallots: (count) => `and ${counted(count, "earlier ballot")}`,
  noBallots: "No ballot has begun.",
  /** @param {string[]} done @param {string[]} heard @param {string[]} refused */
  meterLabel: (done, heard, refused) =>
    `${done.length === 0 ? "nobody" : joined(done)}; the proposer has heard ${heard.length === 0 ? "nobody" : joined(heard)}${
      refused.length === 0 ? "" : `; refused by ${joined(refused)}`
    }`,
  choice: "The moment of choice",
  notChosen: "Nothing is chosen yet.",
  notChosenWhy: /** @param {number} quorum */ (quorum) => `It takes ${quorum} acceptors that have accepted one ballot.`,
  /** @param {string} ballot */
  at: (ballot) => `at ${ballot}`,
  /** @param {string[]} acceptors */
  byAcceptors: (acceptors) => `accepted by ${joined(acceptors)}`,
  /** @param {string[]} nodes */
  byWord: (nodes) => `✗ by word only: ${joined(nodes)} had said so before ${nodes.length === 1 ? "its disk" : "their disks"} had it`,
  said: "said:",
  saidAhead: "it has said that it accepted this, and its disk does not have it",
  chosenNow: "chosen",
  learnedBy: "learned by",
  /** @param {string} node */
  learns: (node) => `${node} learns`,
  /** @param {string} ms */
  later: (ms) => `+${ms}`,
  /** @param {string} ms */
  soonerByClock: (ms) => `−${ms} by the clocks`,
  /** @param {string} ms */
  learnedEarly: (ms) => `✗ ${ms} before it was chosen`,
  /** @param {string} ms since the run began */
  learnedUnchosen: (ms) => `✗ at ${ms}, and it is not chosen`,
  notLearned: /** @param {string[]} nodes */ (nodes) => `Not yet: ${joined(nodes)}`,
  disagree: "Two values are chosen: agreement is broken.",
  /** @param {string} value @param {string} ballot */
  chosenAt: (value, ballot) => `chosen: ${value} at ${ballot}`,
  /** @param {string} value */
  chosenBriefly: (value) => `chosen: ${value}`,

  // Space and time
  spacetime: "Space and time",
  canvasLabel: "Space-time view: a lane for each node, an arrow for each message. The list of events below says the same in words.",
  wall: "wall",
  /** @param {string[][]} sides */
  wallOf: (sides) => `wall: ${sides.map((side) => side.join(" ")).join(" | ")}`,
  /** @param {string[]} from @param {string[]} to @param {boolean} both */
  noWay: (from, to, both) => `no way ${from.join(" ")} ${both ? "↔" : "→"} ${to.join(" ")}`,
  /** @param {number} count */
  cutCables: (count) => `${counted(count, "direction")} cut`,
  /** @param {string} value */
  wishes: (value) => `wants ${value}`,
  /** @param {string} value @param {boolean} yields */
  pushes: (value, yields) => (yields ? `must push ${value}` : `pushes ${value}`),
  stuck: "stuck",
  /** @param {string} ballot */
  ballotOf: (ballot) => ballot,
  violation: "violation",
  /** @param {number} past @param {number} future */
  related: (past, future) => `${counted(past, "event")} led to this, ${counted(future, "event")} followed from it`,
  legend: "Signs",
  legendOfStrip: "Turning points on the strip above the view",
  legendAfar: "From far out",

  // Time
  play: "Play",
  pause: "Pause",
  next: "Next event",
  previous: "Previous event",
  nextPoint: "Next turning point",
  previousPoint: "Previous turning point",
  scrubber: "Event",
  speed: "Speed",
  /** @param {number} factor */
  times: (factor) => `${factor}×`,
  byOrder: "by order",
  byTime: "by time",
  axis: "Axis",
  future: "Show what is to come",
  causes: "Light causes",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  fit: "Fit",

  // Verdict
  verdictNow: "At this moment",
  soFar: "safe so far",
  /** @param {number} judged @param {number} all */
  judgedSoFar: (judged, all) => (judged >= all ? `The checker has judged every event that has come, ${counted(all, "event")}.` : `The checker has judged ${judged.toLocaleString("en")} of the ${counted(all, "event")} that have come; the rest follows.`),
  upToHere: "As far as this moment. At the end stand the verdict on the whole run and what was expected of it.",
  judgeHere: "Judge it in this tab",
  judgedLater: "The checker looks at the run as it goes on; its first word is on the way.",
  shortest: "See the shortest run that breaks the same",
  afterwards: "Afterwards:",
  /** @param {number} count */
  nextViolation: (count) => (count === 1 ? "Go to the violation that is to come" : `Go to the next of ${count} violations to come`),
  ruleNames: /** @type {Record<string, string>} */ ({ agreement: "Agreement", validity: "Validity" }),
  ruleMarks: /** @type {Record<string, string>} */ ({ ok: "✓", violated: "✗", unknown: "?" }),
  ruleVerdicts: /** @type {Record<string, string>} */ ({ ok: "holds", violated: "broken", unknown: "unknown" }),
  unknownWhy: "What is unknown",
  expectations: "Expectations",
  met: "met",
  notMet: "not met",
  mustHappen: "must happen",
  seeEvent: /** @param {string} name */ (name) => `${name} is not in this log`,
  noVerdictYet: "No verdict is beside this log. “paxos-lab check” on its folder writes one.",
  /** @param {string} verdict @param {number} rules @param {number} events */
  verdictSentence: (verdict, rules, events) => {
    const over = events === 0 ? "" : ` over ${counted(events, "event")}`;
    if (verdict === "ok") return `${counted(rules, "rule")}${over}: each one holds.`;
    if (verdict === "violated") return `${counted(rules, "rule")}${over}. What broke one is quoted here.`;
    return `${counted(rules, "rule")}${over}. The log does not tell enough to judge each.`;
  },

  // Events
  events: "Events",
  filterNode: "Node",
  everyNode: "every node",
  filterLevel: "Show",
  levels: { story: "the story", detail: "with details", quiet: "everything" },
  filterText: "Find",
  filterHint: "a word, a ballot, a value",
  noEvents: "No event fits this filter.",
  /** @param {number} entries @param {number} events */
  eventCount: (entries, events) => `${counted(entries, "entry", "entries")} for ${counted(events, "event")}`,
  entriesWhy: "Events that belong together are one entry; which of them are shown is chosen beside “Show”.",
  /** @param {number} count */
  earlier: (count) => `Show ${counted(count, "earlier entry", "earlier entries")}`,
  /** @param {number} count */
  more: (count) => `Show ${counted(count, "later entry", "later entries")}`,
  /** @param {number} count */
  bundle: (count) => `${count} lines`,

  // Help
  keys: /** @type {[string, string][]} */ ([
    ["Space", "play or pause"],
    ["← →", "previous or next event"],
    ["Shift + ← →", "previous or next turning point"],
    ["Home, End", "to the start, to where the run rests; once more to the last line"],
    ["+ −, wheel", "zoom"],
    [", . or drag", "move the view to the left or right"],
    ["f", "fit the whole run"],
    ["1 – 9", "select a node"],
    ["c", "light what led to this event and what followed"],
    ["m", "open the message of this event, with both its ends"],
    ["h", "hide or show what is to come"],
    ["t", "axis by order or by time"],
    ["Shift + 1 – 9", "mark a node for one side of a partition"],
    ["x", "part the marked nodes from the others"],
    ["p", "propose something at the selected node"],
    ["k", "kill the selected node, or start it again"],
    ["g", "go live: back to now"],
    ["/", "find"],
    ["n, Page ↓", "in the tour and in exhibits: next"],
    ["b, Page ↑", "in the tour and in exhibits: back"],
    ["Shift + A – C", "in the tour and in exhibits: answer what is asked"],
    ["?", "show or hide these keys and signs"],
    ["Esc", "close, select nothing"],
  ]),
  signs: /** @type {Record<string, string>} */ ({
    prepare: "Prepare: solid, thin",
    promise: "Promise: dashed, thin",
    reported: "a Promise that reports an accepted value",
    accept: "Accept: solid, thick",
    accepted: "Accepted: dashed, thick",
    nack: "Nack: dotted, with the higher ballot",
    learn: "Learn",
    lost: "lost on its way",
    promiseMark: "promise in memory, then on disk",
    acceptMark: "accept in memory, then on disk",
    learnMark: "a node learns: its lane fills",
    wish: "a client's wish, and its answer",
    stuck: "stuck without a quorum",
    down: "down, then started again",
    paused: "paused",
    wall: "a wall",
    meter: "an acceptor of a quorum: not yet, has done so, and its proposer has heard",
    chosen: "chosen",
    openBallot: "a ballot: phase 1 thin, phase 2 hollow",
    chosenBallot: "a ballot that got its value chosen: filled",
    density: "how much was sent and received: phase 1 as thin lines, phase 2 as a surface, learning in between, refusals dotted",
  }),
};
