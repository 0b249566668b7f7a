// The tour: six steps over one run (scenarios/tour.yaml), and the same run
// with one line changed. Its words are in tour_words.js, by the names used here.

/** @import {Beat} from "./scenes.js" */
/** @import {Moment} from "./moments.js" */

/** @typedef {{id: string, beats: Beat[]}} Step */

const RUN = "tour";
const BROKEN = "tour--ignore-accepted";

const FRUIT = { story: RUN, instance: "fruit" };

/** The ballots of the run, as the rounds give them. */
const [APPLE, PEAR, APPLE_AGAIN, PEAR_AGAIN, CHERRY] = ["1.n1", "1.n5", "2.n1", "3.n5", "4.n4"];

/** @type {[Moment, Moment]} */
const ALONE = [
  { event: "propose_received", instance: "first" },
  { point: "all_learned", instance: "first" },
];
/** @type {[Moment, Moment]} */
const DUEL = [
  { event: "propose_received", instance: "fruit", node: "n1" },
  { point: "chosen", instance: "fruit" },
];
/** @type {[Moment, Moment]} */
const MUST_PUSH = [
  { event: "accept_sent", instance: "fruit", ballot: APPLE_AGAIN },
  { event: "accept_sent", instance: "fruit", ballot: PEAR_AGAIN },
];
/** @type {[Moment, Moment]} */
const WALL = [
  { event: "prepare_sent", instance: "fruit", ballot: PEAR_AGAIN },
  { event: "propose_answered", instance: "fruit", node: "n5" },
];
/** @type {[Moment, Moment]} */
const LATE = [
  { event: "propose_received", instance: "fruit", value: "cherry" },
  { event: "propose_answered", instance: "fruit", node: "n4" },
];

/** @type {Step[]} */
export const TOUR = [
  {
    id: "alone",
    beats: [
      {
        story: RUN,
        instance: "first",
        at: { event: "propose_received", instance: "first", value: "lemon" },
        window: ALONE,
        node: "n2",
        lit: ["ring", "spacetime"],
      },
      {
        story: RUN,
        instance: "first",
        at: { point: "quorum", instance: "first" },
        window: ALONE,
        node: "n2",
        lit: ["meters", "acceptors"],
      },
      {
        story: RUN,
        instance: "first",
        at: { point: "chosen", instance: "first" },
        window: ALONE,
        node: "n2",
        lit: ["acceptors", "choice"],
      },
      {
        story: RUN,
        instance: "first",
        at: { point: "all_learned", instance: "first" },
        window: ALONE,
        lit: ["choice", "spacetime"],
      },
    ],
  },
  {
    id: "duel",
    beats: [
      { ...FRUIT, at: { event: "accept_sent", instance: "fruit", ballot: APPLE }, window: DUEL, node: "n1", lit: ["spacetime", "meters"] },
      { ...FRUIT, at: { event: "accept_sent", instance: "fruit", ballot: PEAR }, window: DUEL, node: "n5", lit: ["spacetime", "acceptors"] },
      {
        ...FRUIT,
        at: { event: "nack_received", instance: "fruit", node: "n1", ballot: APPLE, hopeless: true },
        window: DUEL,
        node: "n1",
        lit: ["spacetime", "meters"],
      },
      { ...FRUIT, at: { point: "chosen", instance: "fruit" }, window: DUEL, node: "n3", lit: ["choice", "acceptors"] },
    ],
  },
  {
    id: "must-push",
    beats: [
      {
        ...FRUIT,
        // With this one it has a quorum; n3's, which reports apple, came just before.
        at: { event: "promise_received", instance: "fruit", node: "n5", source: "n4", ballot: PEAR_AGAIN },
        window: MUST_PUSH,
        node: "n5",
        lit: ["spacetime", "acceptors"],
        figure: "must-push",
        question: {
          answers: 3,
          right: 1,
          then: { at: { event: "accept_sent", instance: "fruit", node: "n5", value: "apple", wanted: "pear" }, lit: ["happening", "spacetime"] },
        },
      },
    ],
  },
  {
    id: "wall",
    beats: [
      { ...FRUIT, at: { event: "fault_applied", fault: "partition" }, window: WALL, lit: ["ring", "spacetime"] },
      { ...FRUIT, at: { event: "fault_applied", fault: "kill" }, window: WALL, node: "n3", lit: ["acceptors", "ring"] },
      {
        ...FRUIT,
        at: { event: "accepted_received", instance: "fruit", node: "n5", ballot: PEAR_AGAIN, nth: 2 },
        window: WALL,
        node: "n5",
        lit: ["meters"],
      },
      { ...FRUIT, at: { event: "state_recovered", instance: "fruit", node: "n3" }, window: WALL, node: "n3", lit: ["acceptors"] },
      { ...FRUIT, at: { event: "value_learned", instance: "fruit", node: "n5" }, window: WALL, node: "n5", lit: ["meters", "choice"] },
    ],
  },
  {
    id: "late",
    beats: [
      {
        ...FRUIT,
        at: { event: "prepare_sent", instance: "fruit", ballot: CHERRY },
        window: LATE,
        node: "n4",
        lit: ["acceptors", "spacetime"],
        question: {
          answers: 3,
          right: 2,
          then: { at: { event: "propose_answered", instance: "fruit", node: "n4" }, lit: ["spacetime", "choice"] },
        },
      },
    ],
  },
  {
    id: "break",
    beats: [
      {
        story: BROKEN,
        instance: "fruit",
        at: { event: "accept_sent", instance: "fruit", node: "n5", value: "pear", ballot: PEAR_AGAIN },
        window: [
          { event: "accept_sent", instance: "fruit", ballot: APPLE_AGAIN },
          { event: "accept_sent", instance: "fruit", ballot: PEAR_AGAIN },
        ],
        node: "n5",
        lit: ["happening", "spacetime"],
      },
      {
        story: BROKEN,
        instance: "fruit",
        at: { point: "chosen", instance: "fruit", nth: 2 },
        window: [{ event: "accept_sent", instance: "fruit", ballot: APPLE_AGAIN }, { event: "value_learned", instance: "fruit" }],
        lit: ["choice", "acceptors"],
        open: {
          recipe: { v: 1, seed: 7, nodes: 5, variant: "ignore-accepted", manual: false, scenario: "tour", settings: {}, commands: [] },
          story: BROKEN,
        },
      },
    ],
  },
];
