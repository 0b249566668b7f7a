// The English of the exhibits. Their names are those of exhibits.js.

/** @import {StepWords} from "./tour_words.js" */

/** @type {Record<string, StepWords>} */
export const exhibits = {
  "two-phases": {
    title: "Two phases",
    insight: "Prepare and promise, then accept and accepted",
    beats: [
      "n1 wants apple. Nobody is in its way.",
      "n1 is the first to know. Its client has its answer after four messages in a row: Prepare, Promise, Accept, Accepted.",
      "Here a proposer skips phase 1 and asks for acceptance at once. It is faster, and rule R4 is broken in its first step: it pushes a value without knowing what others may have chosen.",
      "Nobody told n3 of apple, for it did not ask: pear is chosen, too. Phase 1 is no courtesy. It does two things that phase 2 cannot: it stops lower numbers, and it asks what they may have chosen. Only then is it safe to push a value.",
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
      "A promise is worth what it makes an acceptor refuse. Two majorities always share a node. If it accepts at the lower number first, its promise to the higher one reports that value; if it promises first, it refuses the lower. A third way there is none.",
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
      "Here promises leave out what was accepted. n5 follows its rule, on what it was told, and pushes pear. Where two majorities share one node only, one missing report is enough.",
      "Nobody can see whether a value was chosen. So a proposer takes the reported value with the highest number: whatever was chosen below, the induction of the proof ends up there. And what nobody reported cannot have been chosen.",
    ],
    question: {
      ask: "Which of the three values does n5 push?",
      answers: ["apple: it was first", "pear: it has the higher number", "cherry: nothing is chosen, so n5 is free"],
      why: [
        "Had pear been chosen at its higher number, apple would undo it.",
        "It is the only one that is safe whatever happened elsewhere.",
        "n5 does not know that. If n3 and n4 have accepted pear, too, it is chosen.",
      ],
      then: "n5 pushes pear, because n2 reported it at the higher number. At 1.n1 apple cannot be chosen any more: the other four have promised to refuse it.",
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
      "Here half is taken for enough: two of four. n1 has promises from n1 and n2, and goes on. The other two, n3 and n4, may promise somebody else, and no node is in both.",
      "n1 called apple chosen on the word of n1 and n2, n4 calls pear chosen on that of n3 and n4: two clients are told two values. That any two majorities meet is all that Paxos asks of them. One node in common carries the value from one to the next; these halves have none.",
    ],
    question: {
      ask: "Can pear be chosen, too?",
      answers: ["yes: n3, n4 and n5 are a majority of their own", "no: n3 is in both, and reports apple", "no: nothing can be chosen while links are cut"],
      why: [
        "They are, but one of them, n3, was part of the other majority.",
        "One node in common is enough.",
        "A majority that can talk decides, whatever else is cut.",
      ],
      then: "n3's promise reports apple, so n5 must push it. The links stay cut, and n5's side will choose apple as well.",
    },
    section: "§2.2: any two majorities have an acceptor in common",
    challenge: "Four nodes, two on each side of a wall, and half counts as a quorum. Ask n1 for apple and n4 for pear: each side will choose its own.",
  },
  minority: {
    title: "A minority loses nothing",
    insight: "A minority cannot decide, and loses nothing",
    beats: [
      "Three nodes here, two there, and nothing gets through. On the smaller side a client asks n5 for pear.",
      "The wall is gone, and n5's client is answered at last: apple is chosen, your pear is not. The smaller side decided nothing, and has nothing to undo.",
      "Here two of five are taken for a quorum. n1 calls apple chosen on the word of n1 and n2.",
      "And n5 calls pear chosen on the word of n1 and n5; the promises that it heard came from nodes that had no apple. Two clients are told two values: that is split brain. Counting to a true majority is what prevents it, and waiting is its price.",
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
      "All five were killed here, and n1, who alone knew, stays away. Four disks remember apple. n5 wants pear and must push apple: a node that has its disk is the same acceptor as before.",
      "Here acceptors answer first and write afterwards. n2 has said that it accepted apple, and its power fails before the write. Its word is on its way, and n1 will count it: by what was said two of three have accepted apple, and it is called chosen. On disk only n1 has it.",
      "n2 came back as an acceptor that never heard of apple, and helped to choose pear. n1's client has been told apple, and n3's will be told pear. A word cannot be taken back, so it must not be said before the disk can keep it: write, sync, then speak.",
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
    challenge: "n4 wants apple and n5, at a higher number, wants pear. All have promised n5's number, and the requests of both to accept are held. But these acceptors forget their promises at a restart: kill n1, n2 and n3 and start them again. Then let n4's requests go, and after them n5's.",
  },
  numbers: {
    title: "Numbers are used once",
    insight: "Proposal numbers are unique, and rise",
    beats: [
      "n1 has used 1.n1 for apple, and was killed when one of its five requests had been sent. It is back, and a client asks it for pear.",
      "Here n1 forgets at a restart which numbers it has used, and begins 1.n1 once more. An equal number is no lower one, so n2 and n3 will promise it again.",
      "One number has carried two values, and a majority, n2 and n3, has accepted first the one and then the other. No acceptor did anything wrong. From now on no report can tell which of the two was chosen at 1.n1.",
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
      "Now whoever is refused waits before the next try, for a time that chance decides and that grows with each failure. n1 was refused, waited for two seconds, and outbid n5. While n5 waits in its turn, n1's requests arrive, and apple is chosen. No protocol can promise that on a network that may always be slower than the rival; waiting makes it likely.",
      "Here a proposer never tries again. Three of five are down, its patience ends with two promises, and that was that: even if they came back, nothing would follow. Its client gets no answer, and the run counts the outcome as unknown, which is true.",
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
    challenge: "Back-off is switched off and requests to accept are held. Ask n1 for apple and n5 for pear, then let go in turn the requests of whoever has been outbid: three times each.",
  },
  degradation: {
    title: "A cliff, not a slope",
    insight: "Graceful degradation, and where it ends",
    beats: [
      "Two of five nodes have been killed, and a client asks n1 for apple.",
      "Now three are down. n1 has two promises and needs three: it says so, tries again, and nothing can come of it.",
      "One node comes back, and n1's next try gets its majority. Measured over 20 clients each (the scenario degrade): with none, one or two nodes down 20 of 20 succeed; with three or four down, none.",
    ],
    question: {
      ask: "Nodes fail one by one. How does success fall?",
      answers: ["a little with each node", "not at all until a majority is gone, then to nothing", "to nothing with the first node"],
      why: [
        "A majority is there or it is not. There is no in between.",
        "A cliff, not a slope.",
        "Nobody waits for all five. Three answers are enough.",
      ],
      then: "Chosen, with two of five dead. Nobody had to wait for them.",
    },
    section: "§2.4, Progress: if enough of the system is working",
    challenge: "Kill three nodes, ask n1 for apple, and see that it is stuck. How many of them must come back before apple is chosen?",
  },
};
