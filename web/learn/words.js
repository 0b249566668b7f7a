// The English of the learning room. The names of steps and exhibits are those
// of tour.js and exhibits.js.

import { words as base } from "../words.js";

const { counted, joined } = base;

/**
 * @typedef {object} Asked
 * @property {string} ask
 * @property {string[]} answers
 * @property {string[]} why for each answer, what to say to it
 * @property {string} then what is seen now
 */

/**
 * @typedef {object} StepWords
 * @property {string} title
 * @property {string} [insight]
 * @property {string[]} beats a caption for each
 * @property {Asked} [question] the first beat with a question asks it
 * @property {string} [section] of "Paxos Made Simple"
 * @property {string} [challenge] what to try in the sandbox
 */

/** @type {Record<string, StepWords>} */
const tour = {
  alone: {
    title: "One proposer, two phases",
    beats: [
      "Five nodes must agree on one value, though any of them may fail and any message may be lost or late. A client asks n2 to have lemon chosen.",
      "Phase 1. n2 picks a number, 1.n2, and asks everybody to promise it: refuse every lower number from now on. Three of five have promised. That is a majority, and enough.",
      "Phase 2. n2 asks them to accept lemon at 1.n2. At this very moment the third disk has it: lemon is chosen. A majority of disks is the whole of it, and not one node knows yet.",
      "n2 hears of the third acceptance and is the first to know. It tells the others, and lanes fill with the value as each one learns. Chosen comes first, learned comes later.",
    ],
  },
  duel: {
    title: "A duel",
    beats: [
      "A new decision. n1 wants apple, has a majority of promises for 1.n1, and asks everybody to accept apple. Its requests are slow: none has arrived.",
      "Meanwhile n5 wants pear and prepares 1.n5. That is above 1.n1, so the same nodes promise again. A majority of promises is a permission, and any higher number takes it away.",
      "n1's requests arrive, too late: each acceptor refuses them for the number it has promised since. n1 gives up 1.n1 and comes back at once, with 2.n1. So it could go on for ever, and nothing wrong would be chosen.",
      "This time n1's requests reach n1, n2 and n3 before n5 can outbid it. Apple is on three disks, so apple is chosen. The answers are still under way: nobody has noticed, not even n1.",
    ],
  },
  "must-push": {
    title: "Wanted pear, must push apple",
    beats: ["n5 has been refused and is back with 3.n5, the highest number of all. It has promises from n4, from itself, and from n3. Its client wants pear."],
    question: {
      ask: "Which value does n5 ask everybody to accept?",
      answers: ["pear: its number is the highest", "apple: n3 reported it", "neither: it must first find out whether apple was chosen"],
      why: [
        "A higher number is no right to a value of one's own. It only means that n5 must listen first, and n3 told it of apple.",
        "This rule is the heart of Paxos.",
        "It cannot find out: n1 and n2 do not answer. It need not, either. Pushing apple is right if apple was chosen, and harmless if it was not.",
      ],
      then: "A promise reports what its acceptor has accepted, and whoever is told of a value must push that one: of several, the one with the highest number. n5 cannot know that apple was chosen. But any majority shares a node with the one that chose it. Here that node is n3.",
    },
  },
  wall: {
    title: "A wall, a crash, and a disk",
    beats: [
      "A wall goes up: n1 and n2 on one side, n3, n4 and n5 on the other. Nothing gets through. The larger side is still a majority.",
      "Then n3 is killed. What was in its memory is lost; what it had written to disk stays. On this side, n3's disk was the only one with apple.",
      "n5 has acceptances from n4 and itself. Two of five are no majority, so n5 waits. It concludes nothing from silence: nobody can tell dead from slow.",
      "n3 comes back and reads its disk: the promise of 3.n5, and apple accepted at 2.n1. It was written before it was said, so a restart takes back nothing that others rely on.",
      "n5's request reaches n3, and a third disk has apple at 3.n5. n5 learns that apple is chosen, behind a wall and after a crash, and tells its client: apple, not your pear.",
    ],
  },
  late: {
    title: "Late, and it changes nothing",
    beats: ["The wall is gone. n4 has not heard that anything is chosen. A new client asks it for cherry, and n4 prepares 4.n4, above every number so far."],
    question: {
      ask: "What will n4's client be told?",
      answers: ["cherry is chosen: nobody has a higher number", "it failed: a value is chosen already", "apple is chosen, and its cherry is not"],
      why: [
        "n4 gets its promises, and every one of them reports apple.",
        "Nobody tells n4 so. It goes through both phases like everybody else, and they work.",
        "The late client is answered as well as the first one.",
      ],
      then: "Every promise wore an apple, so n4 pushed apple, and apple was chosen once more, at 4.n4. A higher number is not more power: whoever comes later can only choose the same value again.",
    },
  },
  break: {
    title: "Now break it",
    beats: [
      "The same run, the same seed, with one line of the proposer changed: it does not heed what promises report. n3 told n5 of apple, as before. Look at what n5 asks for.",
      "n3 came back from its disk, a majority accepted, every promise was kept. And two values are chosen, and two clients will be told different things. Only that one line kept it from happening.",
    ],
    challenge: "Take the run into the sandbox: put faults where you like, or go back to the unbroken protocol and try to get two values chosen.",
  },
};

/** @type {Record<string, StepWords>} */
const exhibits = {
  "two-phases": {
    title: "Two phases",
    insight: "Prepare and promise, then accept and accepted",
    beats: [
      "n1 wants apple. Nobody is in its way.",
      "n1 is the first to know. Its client has its answer after four messages in a row: Prepare, Promise, Accept, Accepted.",
      "Here a proposer skips phase 1 and asks for acceptance at once. It is faster, and rule R4 is broken in its first step: it pushes a value without knowing what others may have chosen.",
      "Phase 1 is no courtesy. It does two things that phase 2 cannot: it stops lower numbers, and it asks what they may have chosen. Only then is it safe to push a value.",
    ],
    question: {
      ask: "How often must n1 ask a majority before apple is chosen?",
      answers: ["once: accept apple", "twice: promise, then accept", "three times: promise, accept, then commit"],
      why: [
        "Then nobody would have stopped a rival with a lower number, and n1 would not know what it may push.",
        "Once for promises, once for acceptance.",
        "There is no commit. Once a majority has accepted, the value is chosen; what follows only spreads the news.",
      ],
      then: "Three of five promised, then three of five had apple on disk. That was the moment: chosen, before anybody knew.",
    },
    section: "§2.2, Choosing a value",
    challenge: "Nobody hears what is chosen, for the news is held. Let n1 get apple chosen, then ask n5 for pear. Try to get two values chosen.",
  },
  "one-value": {
    title: "Only one value",
    insight: "Only one value can ever be chosen",
    beats: [
      "n1 has a majority of promises for apple. n5 has one for pear, at a higher number. Now n1's requests to accept apple arrive.",
      "Pear is chosen, and n1's client is told so: not apple. It was not refused an answer; it was told what everybody else is told.",
      "Here acceptors accept whatever they are asked to. Pear was chosen, then apple's old requests came, and nobody refused them. Two values are chosen.",
      "A promise is worth what it makes an acceptor refuse. Two majorities always share a node; a kept promise lets that node take part in only one of the two.",
    ],
    question: {
      ask: "What do the acceptors do with n1's requests?",
      answers: ["accept apple: n1 had its promises first", "accept both: the higher number wins later", "refuse: they have promised a higher number"],
      why: [
        "First is nothing here. There is no common clock, and the promise to n5 says: nothing below its number.",
        "Then both could be chosen, and two clients be told two values.",
        "Every one of them does, and the refusal names the number to beat.",
      ],
      then: "n1 hears enough refusals to know that no majority is left for its number. It gives it up.",
    },
    section: "§2.2: P1a, and phase 2 (b) of the algorithm",
    challenge: "These acceptors forget what a promise is for, and n1's requests are held. Get pear chosen at n5, then let them go.",
  },
  binding: {
    title: "A chosen value binds",
    insight: "A chosen value binds every later proposal",
    beats: [
      "n1 alone has accepted apple, at a low number. n2 alone has accepted pear, at a higher one. Nothing is chosen. n5 wants cherry, and hears from both.",
      "The same with a value that was chosen: n5 wants pear, is told of apple, and pushes apple.",
      "Here promises leave out what was accepted. n5 follows its rule, on what it was told, and pushes pear. All it takes is one report that is missing.",
      "Nobody can see whether a value was chosen. So a proposer takes the reported value with the highest number: whatever was chosen below, the induction of the proof ends up there. And what nobody reported cannot have been chosen.",
    ],
    question: {
      ask: "Which of the three values does n5 push?",
      answers: ["apple: it was first", "pear: it has the higher number", "cherry: nothing is chosen, so n5 is free"],
      why: [
        "Had pear been chosen at its higher number, apple would undo it.",
        "It is the only one that is safe whatever happened elsewhere.",
        "n5 does not know that. With what n3 and n4 may have accepted, either could be chosen.",
      ],
      then: "n5 pushes pear, because n2 reported it at the higher number. Apple can never be chosen any more.",
    },
    section: "§2.2: P2c",
    challenge: "This proposer hears the reports and does not heed them; the news is held. Get two values chosen with two proposals.",
  },
  majorities: {
    title: "Majorities intersect",
    insight: "Any two majorities share a node, so N ≥ 2F + 1",
    beats: [
      "n1 and n2 cannot reach n4 and n5. n3 reaches all, so each side has a majority with n3 in it. Apple is chosen on n1's side. Now n5 wants pear.",
      "With two of five killed the other three decide as before. Five nodes stand two failures, three stand one: N must be at least 2F + 1.",
      "Here half is taken for enough: two of four. n1 has two promises and goes on. The other two may do the same, and need not share a node with it.",
      "That any two majorities meet is all that Paxos asks of them. One node in common carries the value from one to the next; with halves there may be none.",
    ],
    question: {
      ask: "Can pear be chosen, too?",
      answers: ["yes: n3, n4 and n5 are a majority of their own", "no: n3 is in both, and reports apple", "no: nothing can be chosen while links are cut"],
      why: [
        "They are, but one of them, n3, was part of the other majority.",
        "One node in common is enough.",
        "A majority that can talk decides, whatever else is cut.",
      ],
      then: "n3's promise reports apple, and n5 must push it. The wall stands, and apple is chosen on both sides.",
    },
    section: "§2.2: any two majorities have an acceptor in common",
    challenge: "Four nodes, two on each side of a wall, and half counts as a quorum. Ask n1 for apple and n4 for pear.",
  },
  minority: {
    title: "A minority loses nothing",
    insight: "A minority cannot decide, and loses nothing",
    beats: [
      "Three nodes here, two there, and nothing gets through. On the smaller side a client asks n5 for pear.",
      "The wall is gone, and n5's client is answered at last: apple is chosen, your pear is not. The smaller side decided nothing, and has nothing to undo.",
      "Here two of five are taken for a quorum. n1 calls apple chosen on the word of n1 and n2.",
      "And n5 calls pear chosen on the word of two others. Two clients are told two values: that is split brain. Counting to a true majority is what prevents it, and waiting is its price.",
    ],
    question: {
      ask: "What becomes of pear while the wall stands?",
      answers: ["it is chosen on the smaller side, until the network heals", "n5 waits, tries again, and waits", "n5 tells its client at once that it failed"],
      why: [
        "Two promises are no majority. n5 may not even ask for acceptance.",
        "It says what it lacks, and tries a higher number.",
        "It cannot know that. The wall may be gone in a moment, and a majority answer.",
      ],
      then: "n5 has promises from n4 and n5 and needs three. It is stuck, and safe.",
    },
    section: "§2.4, Progress: if enough of the system is working",
    challenge: "Two acceptances count as enough, and n1's apple reaches n1 and n2 only. Wall n1 and n2 off and ask n5 for pear.",
  },
  persistence: {
    title: "Persist before you reply",
    insight: "What is said must be on disk before it is said",
    beats: [
      "n3 has written down that it promises n5's number, and is killed before it says so. Nobody has heard the promise. n3 will come back, and an old request of n1, below that number, will reach it.",
      "All five were killed here, and n1, who alone knew, stays away. Four disks remember apple. n5 wants pear and must push apple: who has its disk is the same acceptor.",
      "Here acceptors answer first and write afterwards. n2 has said that it accepted apple, and the power fails before the write. n1 counts on a record that does not exist.",
      "n2 came back as an acceptor that never heard of apple, and helped to choose pear. Between the word and the disk there must be no gap: write, sync, then speak. A kill is no test of that, for it keeps what was written; a power loss is.",
    ],
    question: {
      ask: "May n3 accept that old request?",
      answers: ["no: its promise is on its disk", "yes: nobody has heard its promise", "yes: a restart begins anew"],
      why: [
        "It may know more than it has said, never less.",
        "n3 cannot know whether anybody has. It does what its disk says.",
        "A restart with the disk is the same acceptor. One that begins anew is another one under the same name.",
      ],
      then: "n3 is back, and refuses: it has promised more. The disk decides, not what was said.",
    },
    section: "§2.5: an acceptor records its response in stable storage before it sends it",
    challenge: "These acceptors forget their promises at a restart. Kill and start n1, n2 and n3, then let the held requests go: first n4's, then n5's.",
  },
  numbers: {
    title: "Numbers are used once",
    insight: "Proposal numbers are unique, and rise",
    beats: [
      "n1 has used 1.n1 for apple, and was killed when one of its five requests had been sent. It is back, and a client asks it for pear.",
      "Here n1 forgets at a restart which numbers it has used, and begins 1.n1 once more. An equal number is no lower one, so everybody promises again.",
      "One number has carried two values, and two majorities have accepted it. No acceptor did anything wrong. From now on no report can tell which of the two was chosen at 1.n1.",
    ],
    question: {
      ask: "Which number does n1 use, and which value does it push?",
      answers: ["1.n1 once more, and pear", "2.n1, and pear", "2.n1, and apple"],
      why: [
        "The round is written to disk before it is used. It is never used twice.",
        "The number is right. But its own acceptor had accepted apple, and says so.",
        "The disk makes its number new, and its value old.",
      ],
      then: "A new number, and the old value: n1's own acceptor reports apple to n1.",
    },
    section: "§2.5: a higher number than any that it has already used",
    challenge: "n1's apple reaches n2 only; the other requests are held. Kill n1, start it, ask it for pear, and see how many values one number carries.",
  },
  schemes: {
    title: "How numbers are made",
    insight: "How numbers are made decides liveness",
    beats: [
      "Each proposer owns a thousand numbers: n1 those from 0, n2 from 1,000, n5 from 4,000. They never collide. A majority has promised 4000.n5, and n5 is killed. Four of five nodes are alive.",
      "With the scheme of this lab, rounds, it is otherwise: n4 was refused for 3.n5, and just went higher, to 4.n4. Numbers are ordered by round, then by node, so everybody always has a higher one.",
      "n5 is back, and is the only one that can win. Unique numbers keep it safe; only numbers without an end for everybody keep it alive. Many texts stop at the first.",
    ],
    question: {
      ask: "Which of the four can get a value chosen?",
      answers: ["each of them: a majority is alive", "n4: its block is the highest of the four", "none of them"],
      why: [
        "A majority is alive, and has promised to refuse everything below 4000.n5. Nobody alive owns a number above it.",
        "n4's numbers end at 3999.",
        "None of them, until n5 is back. Safe, and not live.",
      ],
      then: "One after another they fail, and each names the number that blocks it.",
    },
    section: "§2.5: disjoint sets of numbers (and what it leaves to the reader)",
    challenge: "The blocks are in force, and n5 is killed with a majority of promises. Try to get any value chosen without starting n5.",
  },
  retries: {
    title: "Timeouts, retries, back-off",
    insight: "Safety needs no luck; progress does",
    beats: [
      "n1 and n5 outbid each other: each time one's requests to accept arrive, the other has a majority of promises at a higher number. Whoever is refused is back at once.",
      "Now both wait before they try again, for a time that chance decides and that grows with each failure. One gets through. No protocol can promise that on a network that may always be slower than the rival; jitter makes it likely.",
      "Here a proposer never tries again. Three of five are down, its patience ends with two promises, and that was that: even if they came back, nothing would follow. Its client is told that the outcome is unknown, which is true.",
    ],
    question: {
      ask: "When will a value be chosen?",
      answers: ["at the latest when one of them runs out of numbers", "soon: the acceptors prefer one of the two in the end", "perhaps never"],
      why: [
        "Numbers have no end.",
        "An acceptor prefers nobody. It goes by the number.",
        "Nothing forces it to end.",
      ],
      then: "Ten numbers have been given up, and nobody has learned anything. Nothing wrong was chosen either: not one rule is broken.",
    },
    section: "§2.4, Progress",
    challenge: "Back-off is switched off and requests to accept are held. Make two proposers outbid each other three times.",
  },
  degradation: {
    title: "A cliff, not a slope",
    insight: "Graceful degradation, and where it ends",
    beats: [
      "Two of five nodes have been killed, and a client asks n1 for apple.",
      "Now three are down. n1 has two promises and needs three: it says so, tries again, and nothing can come of it.",
      "One node comes back, and the decision is made at once. Measured over 20 clients each (the scenario degrade): with none, one or two nodes down 20 of 20 succeed; with three or four down, none.",
    ],
    question: {
      ask: "Nodes fail one by one. How does success fall?",
      answers: ["a little with each node", "not at all until a majority is gone, then to nothing", "to nothing with the first node"],
      why: [
        "A majority is there or it is not. There is no in between.",
        "A cliff, not a slope.",
        "Nobody waits for all five. Three answers are enough.",
      ],
      then: "Chosen, with two of five dead, and no later than with all five.",
    },
    section: "§2.4, Progress: if enough of the system is working",
    challenge: "Kill one node after another, with a proposal between. Where is the edge? Then start one again.",
  },
};

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
  brokenSoFar: "Broken at this moment:",
  seen: "seen",
  predict: "Predict",
  right: "Right.",
  wrong: "Not so.",
  chosenAnswer: "you said",
  rightAnswer: "the answer",
  show: "Show me the answer",
  keysHint: "Keys: n next, b back, Esc leaves.",
  keysToAnswer: "Keys: Shift and a letter answer, b back, Esc leaves.",
  paper: "Paxos Made Simple,",
  challenge: "Your turn",
  openSandbox: "Open it in the sandbox",
  openBroken: "See the broken run",
  seeChange: "See the change in the code",
  sandboxLater: "The sandbox is not ready: it starts in the background, or is not part of this page. The broken run can be seen meanwhile.",
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
  repairIntro: "This is the broken handler. Change it; then the run that broke it is played again with yours, and every schedule of a small model is searched.",
  repairStart: "Repair it",
  repairClose: "Close the editor",
  editor: "The handler's source",
  editorHelp: "Tab indents. Press Esc, then Tab, to leave the editor.",
  run: "Run",
  running: "Running…",
  engineStarts: "The sandbox starts; the first time takes some seconds.",
  engineSearches: "The run is played again, and every schedule is searched.",
  reset: "Reset to the broken one",
  showCorrect: "Show the correct one",
  hideCorrect: "Hide the correct one",
  correctStands: "As it stands in the core, under another name:",
  noRepair: "This change is no handler's: it is a setting, or lies in the driver, and cannot be edited here.",
  needsSandbox: "The repair runs in the sandbox, and that is not ready. All else on this page works without it.",
  answerTitle: "What came of it",
  repaired: "Repaired",
  notRepaired: "Not repaired",
  checks: {
    counterexample: "The run that broke it",
    gone: "plays again without a violation",
    /** @param {string} sentence */
    otherWay: (sentence) => `breaks nothing; it goes another way now: ${sentence}`,
    /** @param {string} rule */
    still: (rule) => `still breaks ${rule}`,
    model: "Every schedule of a small model",
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
