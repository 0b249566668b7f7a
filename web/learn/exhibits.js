// The exhibits: one for each insight. Predict, see it hold, see what breaks
// without it, and why; then try it in the sandbox. Their words are in exhibit_words.js.

/** @import {Step} from "./tour.js" */

/** So much virtual time passes behind each command: enough for all that follows from it. */
const LIMITS = { lines: 20_000, ms: 3_000 };

/** A recipe for the sandbox. @param {any} part */
const recipe = (part) => ({ v: 1, seed: 7, nodes: 5, variant: null, manual: false, scenario: null, settings: {}, limits: LIMITS, commands: [], ...part });

/** Whoever waits goes on waiting while a person thinks, and nobody acts unasked. */
const CALM = { patience_ms: 600_000, own_ballots: false };

/** What is given at the very beginning. @param {any[]} steps */
const given = (...steps) => steps.map((step) => ({ after: 0, do: step }));

/** Nodes don't hear what is chosen. */
const NO_NEWS = { hold: { name: "news", kinds: "learn" } };

/** @type {Step[]} */
export const EXHIBITS = [
  {
    id: "two-phases",
    beats: [
      {
        story: "basic",
        at: { event: "propose_received", node: "n1" },
        node: "n1",
        lit: ["spacetime"],
        question: { answers: 3, right: 1, then: { at: { point: "chosen" }, lit: ["meters", "acceptors"] } },
      },
      { story: "basic", at: { event: "value_learned", node: "n1" }, node: "n1", lit: ["choice"] },
      { story: "broken--skips-phase-1-by-hand", at: { point: "violation" }, node: "n1", lit: ["spacetime", "happening"] },
      {
        story: "broken--skips-phase-1-by-hand",
        at: { point: "chosen", nth: 2 },
        lit: ["choice", "acceptors"],
        open: { recipe: recipe({ variant: "skips-phase-1", settings: CALM, commands: given(NO_NEWS) }), story: "broken--skips-phase-1-by-hand" },
      },
    ],
  },
  {
    id: "one-value",
    beats: [
      {
        story: "competing",
        instance: "two",
        at: { event: "accept_sent", instance: "two", node: "n5" },
        window: [{ event: "propose_received", instance: "two", node: "n1" }, { point: "chosen", instance: "two" }],
        node: "n1",
        lit: ["acceptors", "spacetime"],
        question: {
          answers: 3,
          right: 2,
          then: { at: { event: "nack_received", instance: "two", node: "n1", hopeless: true }, lit: ["meters", "spacetime"] },
        },
      },
      {
        story: "competing",
        instance: "two",
        at: { event: "propose_answered", instance: "two", node: "n1" },
        window: [{ event: "propose_received", instance: "two", node: "n1" }, { event: "propose_answered", instance: "two", node: "n1" }],
        node: "n1",
        lit: ["choice"],
      },
      {
        story: "broken--accept-below-promise",
        at: { point: "chosen", nth: 2 },
        lit: ["choice", "acceptors"],
      },
      {
        story: "broken--accept-below-promise",
        at: { point: "chosen", nth: 2 },
        lit: ["choice"],
        open: {
          recipe: recipe({
            variant: "accept-below-promise",
            settings: CALM,
            commands: given(NO_NEWS, { hold: { name: "accepts", from: "n1", kinds: "accept" } }, { propose: { name: "apple", at: "n1", value: "apple" } }),
          }),
          story: "broken--accept-below-promise",
        },
      },
    ],
  },
  {
    id: "binding",
    beats: [
      {
        story: "convergence",
        at: [{ event: "propose_received", node: "n5" }, { event: "promise_received", node: "n5", "accepted.value": ["apple", "pear"], nth: 2 }],
        window: [{ event: "accepted_sent", node: "n1" }, { event: "accept_sent", node: "n5" }],
        node: "n5",
        lit: ["acceptors", "spacetime"],
        question: { answers: 3, right: 1, then: { at: { event: "accept_sent", node: "n5", wanted: "cherry" }, lit: ["happening", "spacetime"] } },
      },
      {
        story: "late-proposer",
        at: { event: "accept_sent", node: "n5", wanted: "pear" },
        window: [{ event: "propose_received", node: "n5" }, { event: "value_learned", node: "n5" }],
        node: "n5",
        lit: ["happening", "acceptors"],
      },
      {
        story: "broken--promise-omits-accepted",
        at: { event: "accept_sent", node: "n5", value: "pear" },
        window: [{ event: "propose_received", node: "n5" }, { point: "chosen", nth: 2 }],
        node: "n5",
        lit: ["spacetime", "happening"],
      },
      {
        story: "broken--promise-omits-accepted",
        at: { point: "chosen", nth: 2 },
        lit: ["choice", "acceptors"],
        open: { recipe: recipe({ variant: "ignore-accepted", settings: CALM, commands: given(NO_NEWS) }), story: "broken--ignore-accepted" },
      },
    ],
  },
  {
    id: "majorities",
    beats: [
      {
        story: "bridge",
        at: { event: "propose_received", node: "n5" },
        node: "n3",
        lit: ["ring", "acceptors"],
        question: {
          answers: 3,
          right: 1,
          then: { at: { event: "accept_sent", node: "n5", wanted: "pear" }, lit: ["happening", "spacetime"] },
        },
      },
      { story: "crash-minority", at: { point: "chosen" }, lit: ["meters", "ring"] },
      { story: "broken--half-quorum-by-hand", at: { point: "violation" }, lit: ["meters", "happening"] },
      {
        story: "broken--half-quorum-by-hand",
        at: { event: "value_learned", value: "pear" },
        lit: ["acceptors", "happening"],
        open: {
          recipe: recipe({ variant: "half-quorum", nodes: 4, settings: CALM, commands: given({ partition: [["n1", "n2"], ["n3", "n4"]] }) }),
          story: "broken--half-quorum-by-hand",
        },
      },
    ],
  },
  {
    id: "minority",
    beats: [
      {
        story: "partition",
        at: { event: "propose_received", node: "n5" },
        node: "n5",
        lit: ["ring", "spacetime"],
        question: {
          answers: 3,
          right: 1,
          then: { at: { event: "timeout_fired", node: "n5", timer: "patience" }, lit: ["meters", "happening"] },
        },
      },
      { story: "partition", at: { event: "propose_answered", node: "n5" }, node: "n5", lit: ["happening", "choice"] },
      { story: "broken--small-quorum", at: { event: "value_learned", node: "n1" }, node: "n1", lit: ["meters", "happening"] },
      {
        story: "broken--small-quorum",
        at: { event: "value_learned", value: "pear" },
        lit: ["choice", "acceptors"],
        open: {
          recipe: recipe({
            variant: "small-quorum",
            settings: CALM,
            commands: given(NO_NEWS, { hold: { name: "accepts", from: "n1", to: ["n3", "n4", "n5"], kinds: "accept" } }, { propose: { name: "apple", at: "n1", value: "apple" } }),
          }),
          story: "broken--small-quorum",
        },
      },
    ],
  },
  {
    id: "persistence",
    beats: [
      {
        story: "crash-after-promise",
        instance: "synced",
        at: { event: "node_exited", of: "n3" },
        window: [{ event: "propose_received", instance: "synced", node: "n5" }, { event: "nack_sent", instance: "synced", node: "n3" }],
        node: "n3",
        lit: ["acceptors"],
        question: {
          answers: 3,
          right: 0,
          then: { at: { event: "nack_sent", instance: "synced", node: "n3", to: "n1" }, lit: ["acceptors", "spacetime"] },
        },
      },
      {
        story: "restart-all",
        at: { event: "accept_sent", node: "n5", wanted: "pear" },
        window: [{ event: "fault_applied", fault: "kill" }, { event: "accept_sent", node: "n5" }],
        node: "n5",
        lit: ["acceptors", "happening"],
      },
      {
        story: "broken--reply-before-write-by-hand",
        at: { event: "fault_applied", fault: "power_loss" },
        node: "n2",
        lit: ["acceptors", "choice"],
        figure: "durable",
      },
      {
        story: "broken--reply-before-write-by-hand",
        at: { point: "chosen", nth: 2 },
        lit: ["choice", "acceptors"],
        open: {
          recipe: recipe({
            variant: "promise-forgotten",
            settings: CALM,
            commands: [
              ...given(NO_NEWS, { hold: { name: "accepts", from: ["n4", "n5"], kinds: "accept" } }, { propose: { name: "apple", at: "n4", value: "apple" } }),
              { after: 60, do: { propose: { name: "pear", at: "n5", value: "pear" } } },
            ],
          }),
          story: "broken--promise-forgotten",
        },
      },
    ],
  },
  {
    id: "numbers",
    beats: [
      {
        story: "crash-proposer",
        at: { event: "propose_received", node: "n1", value: "pear" },
        window: [{ event: "propose_received", node: "n1" }, { event: "accept_sent", node: "n1", wanted: "pear" }],
        node: "n1",
        lit: ["acceptors", "spacetime"],
        question: {
          answers: 3,
          right: 2,
          then: { at: { event: "accept_sent", node: "n1", wanted: "pear" }, lit: ["happening", "spacetime"] },
        },
      },
      { story: "broken--number-reused-by-hand", at: { point: "violation" }, node: "n1", lit: ["spacetime", "happening"] },
      {
        story: "broken--number-reused-by-hand",
        at: { point: "chosen", nth: 2 },
        lit: ["choice", "acceptors"],
        open: {
          recipe: recipe({
            variant: "number-reused",
            nodes: 3,
            settings: CALM,
            commands: given({ hold: { name: "accepts", from: "n1", to: ["n1", "n3"], kinds: "accept" } }, { propose: { name: "apple", at: "n1", value: "apple" } }),
          }),
          story: "broken--number-reused-by-hand",
        },
      },
    ],
  },
  {
    id: "schemes",
    beats: [
      {
        story: "ranges",
        instance: "starved",
        at: { event: "fault_applied", fault: "kill" },
        window: [{ event: "propose_received", instance: "starved" }, { event: "propose_answered", instance: "starved", node: "n4" }],
        lit: ["acceptors", "ring"],
        question: {
          answers: 3,
          right: 2,
          then: { at: { event: "propose_answered", instance: "starved", node: "n4" }, lit: ["happening", "acceptors"] },
        },
      },
      {
        story: "tour",
        instance: "fruit",
        at: { event: "prepare_sent", instance: "fruit", ballot: "4.n4" },
        window: [{ event: "propose_received", instance: "fruit", value: "cherry" }, { event: "accept_sent", instance: "fruit", ballot: "4.n4" }],
        node: "n4",
        lit: ["happening", "spacetime"],
      },
      {
        story: "ranges",
        instance: "starved",
        at: { event: "value_learned", instance: "starved", node: "n5" },
        window: [{ event: "propose_answered", instance: "starved", node: "n4" }, { event: "value_learned", instance: "starved", nth: -1 }],
        node: "n5",
        lit: ["choice"],
        open: {
          recipe: recipe({
            settings: { ...CALM, number_scheme: "ranges" },
            commands: [
              ...given({ hold: { name: "last-accepts", from: "n5", kinds: "accept" } }, { propose: { name: "kiwi", at: "n5", value: "kiwi" } }),
              { after: 70, do: { kill: "n5" } },
            ],
          }),
          story: "ranges",
        },
      },
    ],
  },
  {
    id: "retries",
    beats: [
      {
        story: "duel",
        at: { event: "nack_received", hopeless: true, nth: 2 },
        window: [{ event: "propose_received", node: "n1" }, { event: "nack_received", hopeless: true, nth: 4 }],
        lit: ["spacetime"],
        question: {
          answers: 3,
          right: 2,
          then: {
            at: { event: "nack_received", hopeless: true, nth: 10 },
            window: [{ event: "propose_received", node: "n1" }, { event: "settings_changed" }],
            lit: ["meters", "spacetime"],
          },
        },
      },
      {
        story: "duel",
        at: { point: "chosen" },
        window: [{ event: "timeout_fired", node: "n1", timer: "retry", nth: -1 }, { point: "all_learned" }],
        lit: ["choice", "spacetime"],
      },
      {
        story: "crash-majority--never-retries",
        at: { event: "propose_completed", outcome: "unknown" },
        node: "n1",
        lit: ["happening", "meters"],
        open: {
          recipe: recipe({ settings: { ...CALM, backoff: false }, commands: given({ hold: { name: "slow", kinds: "accept" } }) }),
          story: "crash-majority--never-retries",
        },
      },
    ],
  },
  {
    id: "degradation",
    beats: [
      {
        story: "crash-minority",
        at: { event: "propose_received" },
        lit: ["ring"],
        question: { answers: 3, right: 1, then: { at: { point: "chosen" }, lit: ["meters", "choice"] } },
      },
      { story: "crash-majority", at: { event: "timeout_fired", node: "n1", timer: "patience" }, node: "n1", lit: ["happening", "meters"] },
      {
        story: "crash-majority",
        at: { point: "chosen" },
        lit: ["choice", "ring"],
        open: { recipe: recipe({}), story: "crash-majority" },
      },
    ],
  },
];
