// The English of the tour. The names of its steps are those of tour.js.

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
export const tour = {
  alone: {
    title: "One proposer, two phases",
    beats: [
      "Five nodes must agree on one value, though any of them may fail and any message may be lost or late. A client asks n2 to have lemon chosen.",
      "Phase 1. n2 picks a number, 1.n2, and asks everybody to promise it: refuse every lower number from now on. n2 has heard three promises of five. That is a majority, and enough.",
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
      "Then n3 is killed. What was in its memory is lost; what it had written to disk stays. On this side, n3's disk is the only one with apple.",
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
      "n3 came back from its disk, a majority accepted, every promise was kept. And two values are chosen, and two clients will be told different things. That one line was all that kept it from happening.",
    ],
    challenge: "Take the run into the sandbox: put faults where you like, or go back to the unbroken protocol and try to get two values chosen.",
  },
};
