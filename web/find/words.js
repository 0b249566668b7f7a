// Every English word of the search by message shape.

import { words } from "../words.js";

const { counted } = words;
/** @param {string | undefined} meant */
const perhaps = (meant) => (meant === undefined ? "" : ` Did you mean “${meant}”?`);

const FIELD_FORMS = /** @type {Record<string, string>} */ ({
  from: "a node, such as n3",
  to: "a node, such as n3",
  with: "a node, such as n3",
  ballot: "a ballot, round and node, such as 2.n3",
  promised: "a ballot, round and node, such as 2.n3",
  fate: "received, lost, wall, dropped, failed, died or open",
  answer: "none, any, nack, promise, accepted, learned or learn",
  held: "yes or no",
});
const TYPES = /** @type {Record<string, string>} */ ({ node: "a node", ballot: "a ballot", value: "a value" });

export const findWords = {
  title: "Find messages by their shape",
  query: "Query",
  hint: "promise reports:any",
  clear: "Clear",
  openFirst: "Open a run first.",
  how: "A kind and terms, such as accept from:n1 ballot>2.n3. Up to three messages are joined by then, answered-by or leads-to; $v stands for what an earlier term found.",
  presets: "Try one",
  choosePreset: "Choose a pattern…",
  form: "How to ask, and a form",
  only: "Only these in the list of events",
  /** @param {number} count @param {boolean} stopped */
  found: (count, stopped) => `${count === 0 ? "No match" : counted(count, "match", "matches")}${stopped ? " before the search was stopped: it would have taken too long. Narrow the first message." : "."}`,
  previous: "Previous match",
  next: "Next match",
  results: "Matches",
  /** @param {number} count */
  more: (count) => `Show ${counted(count, "more match", "more matches")}`,
  /** @param {number} at @param {string} text */
  errorAt: (at, text) => `At character ${at + 1}: ${text}`,
  here: "here",

  // What a result says
  /** @param {string} value */
  carries: (value) => `'${value}'`,
  /** @param {string} value @param {string} ballot */
  reports: (value, ballot) => `reports '${value}' at ${ballot}`,
  /** @param {string} ballot */
  promised: (ballot) => `has promised ${ballot}`,
  to: "to",

  // The form
  messageNumber: ["First message", "Second message", "Third message"],
  links: /** @type {Record<string, string>} */ ({
    then: "then (later, in the same instance)",
    "answered-by": "answered by",
    "leads-to": "leads to (sent by whom it reached)",
  }),
  linkName: "Joined by",
  addMessage: "Add a message",
  removeMessage: "Remove this message",
  kind: "Kind",
  anyKind: "any message",
  request: "any request",
  reply: "any reply",
  from: "From",
  toNode: "To",
  anyNode: "any",
  ballot: "Ballot",
  value: "Value",
  reported: "Reports",
  fate: "What became of it",
  answer: "Its answer",
  any: "any",
  comparison: "compared how",
  ops: /** @type {Record<string, string>} */ ({ ":": "is", "!=": "is not", "<": "below", "<=": "at most", ">": "above", ">=": "at least" }),
  fates: /** @type {Record<string, string>} */ ({
    received: "received",
    lost: "lost, in whatever way",
    wall: "lost at a wall",
    dropped: "dropped by a gate",
    failed: "its call failed",
    died: "lost with a process",
    open: "never seen to arrive",
  }),
  answers: /** @type {Record<string, string>} */ ({
    none: "none came back",
    any: "any came back",
    nack: "a Nack (refused)",
    promise: "a Promise",
    accepted: "an Accepted",
    learned: "a Learned",
    learn: "a Learn",
  }),
  valueHint: "any, none, apple, $v",
  ballotHint: "2.n3 or $b",

  errors: {
    /** @param {string} sign */
    sign: (sign) => `“${sign}” has no place here. A query is made of words such as accept, and of terms such as from:n1.`,
    /** @param {string} word @param {string | undefined} meant */
    word: (word, meant) => `“${word}” is no kind of message and no word of a query.${perhaps(meant)}`,
    /** @param {string} field @param {string | undefined} meant */
    field: (field, meant) => `there is no field “${field}”.${perhaps(meant)}`,
    /** @param {string} field @param {string} op */
    order: (field, op) => `“${field}” has no order, so “${op}” says nothing: use : or !=.`,
    /** @param {string} field @param {string} value */
    value: (field, value) => `“${value}” is not what ${field} takes: ${FIELD_FORMS[field] ?? "a word"}.`,
    /** @param {string} field */
    noValue: (field) => `${field} lacks what it is to be compared with${FIELD_FORMS[field] === undefined ? "" : `: ${FIELD_FORMS[field]}`}.`,
    /** @param {string} op */
    oneBallot: (op) => `“${op}” compares with one ballot, not with a list.`,
    quote: "this quotation does not end.",
    noName: "“$” needs a name, such as $v.",
    noVariable: "only nodes, ballots and values can be given a $name.",
    /** @param {string} name */
    unbound: (name) => `${name} stands for nothing yet: an earlier term must find it, such as value:${name}.`,
    /** @param {string} name @param {string} was @param {string} is */
    otherType: (name, was, is) => `${name} stands for ${TYPES[was]} already, and here it would be ${TYPES[is]}.`,
    /** @param {string} link */
    nothingBefore: (link) => `“${link}” joins two messages, and there is none before it.`,
    /** @param {string} link */
    nothingAfter: (link) => `“${link}” joins two messages, and none follows it.`,
    /** @param {number} most */
    tooMany: (most) => `at most ${most} messages can be joined.`,
  },

  /** Patterns that teach: a name, the query, and what to look at. */
  patterns: /** @type {{name: string, query: string, teaches: string}[]} */ ([
    {
      name: "A Promise that reports a value",
      query: "promise reports:any",
      teaches: "The idea of Paxos: whoever hears this must push that value, not its own.",
    },
    {
      name: "A Promise reports a value, an Accept pushes another",
      query: "promise reports:$v ballot:$b then accept ballot:$b value!=$v",
      teaches: "Right only where another Promise reported a value at a higher ballot. Else R4 is broken.",
    },
    {
      name: "An Accept refused by a Nack",
      query: "accept answered-by nack",
      teaches: "Between its Prepare and its Accept a rival got this acceptor's promise.",
    },
    {
      name: "An Accept at or above what was promised, refused",
      query: "accept ballot:$b answered-by nack promised<=$b",
      teaches: "An acceptor never refuses what it may accept: there should be no match.",
    },
    {
      name: "A request that got no answer",
      query: "request unanswered",
      teaches: "Lost, or its reply was, or the acceptor is down: the proposer cannot tell which.",
    },
    {
      name: "Accepted, but the proposer never heard",
      query: "accept received answered-by accepted lost",
      teaches: "The value may be chosen and nobody knows it. The next proposer finds it by its Promises.",
    },
    {
      name: "Refused, then a higher ballot",
      query: "nack promised:$p leads-to prepare ballot>$p",
      teaches: "A Nack says how high to go.",
    },
    {
      name: "A rival's Prepare comes in between",
      query: "prepare ballot:$b from:$p then prepare ballot>$b from!=$p then accept ballot:$b",
      teaches: "A duel: where the rival's Prepare arrived first, this Accept comes too late.",
    },
    {
      name: "A second value is pushed",
      query: "accept value:$v ballot:$b then accept ballot>$b value!=$v",
      teaches: "Fine as long as the first value was not chosen. Look at what the Promises in between reported.",
    },
    { name: "Lost at a wall", query: "fate:wall", teaches: "What a partition swallowed." },
    { name: "Part of what broke a rule", query: "rule:any", teaches: "Messages that the verdict quotes." },
  ]),
};
