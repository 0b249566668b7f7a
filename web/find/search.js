// Finds the messages of a run that a query describes.

/** @import {App} from "../state.js" */
/** @import {Timeline, Flight} from "../log/timeline.js" */
/** @import {Proposal, Value} from "../log/types.d.ts" */
/** @import {Query, Shape, Term, Wrong} from "./query.js" */

import { compareBallots, sameValue } from "../log/lines.js";
import { valueText } from "../log/values.js";
import { parseQuery } from "./query.js";

/** @typedef {Record<string, any>} Bound what variables stand for */
/**
 * @typedef {object} Found
 * @property {Wrong | null} error
 * @property {boolean} active whether anything is looked for
 * @property {number[][]} hits each a message, or two or three: their places among the flights
 * @property {Uint8Array | null} mask per line: 1 where a found message is sent or ends
 * @property {boolean} stopped whether the search gave up before the end
 */

/** How many messages a search looks at before it gives up: about a second. */
export const LOOKS_MOST = 2_000_000;
/** A search that took longer is not made anew for every new line of a live run. */
const SLOW_MS = 6;
const AGAIN_MS = 1000;

/** @type {Found} */
const NOTHING = { error: null, active: false, hits: [], mask: null, stopped: false };
/** @type {{timeline: Timeline | null, text: string, found: Found, made: number, took: number}} */
let last = { timeline: null, text: "", found: NOTHING, made: 0, took: 0 };

/**
 * What a query finds. Asking again for the same costs nothing.
 * @param {Timeline} timeline @param {string} text
 * @returns {Found}
 */
export function matches(timeline, text) {
  const began = performance.now();
  if (last.text === text) {
    if (last.timeline === timeline) return last.found;
    // A live run is another timeline after each batch, and grows: the old answer does for a moment.
    if (last.took > SLOW_MS && began - last.made < AGAIN_MS && sameRun(last.timeline, timeline)) return last.found;
  }
  const { query, error } = parseQuery(text);
  const found = query === null ? { ...NOTHING, error } : searched(timeline, query);
  last = { timeline, text, found, made: began, took: performance.now() - began };
  return found;
}

/** @param {Timeline | null} one @param {Timeline} other */
function sameRun(one, other) {
  return one !== null && one.catalogue === other.catalogue && one.length <= other.length && one.ms[0] === other.ms[0];
}

/**
 * Per line, whether it belongs to what is looked for; null while nothing is.
 * @param {Pick<App, "timeline" | "find">} app @returns {Uint8Array | null}
 */
export function findMask({ timeline, find }) {
  return timeline === null || !find?.text ? null : matches(timeline, find.text).mask;
}

/** @param {Timeline} timeline @param {Query} query @returns {Found} */
function searched(timeline, query) {
  const search = new Search(timeline, query);
  const count = timeline.flightCount;
  for (let place = 0; place < count && search.looks < LOOKS_MOST; place += 1) {
    const hit = search.from(0, place, {});
    if (hit !== null) search.hits.push(hit);
  }
  const mask = new Uint8Array(timeline.length);
  for (const place of new Set(search.hits.flat())) {
    const flight = timeline.flight(place);
    mask[flight.sent] = 1;
    if (flight.fate !== "open" && flight.ended < mask.length) mask[flight.ended] = 1;
  }
  return { error: null, active: true, hits: search.hits, mask, stopped: search.looks >= LOOKS_MOST };
}

class Search {
  /** @param {Timeline} timeline @param {Query} query */
  constructor(timeline, query) {
    this.timeline = timeline;
    this.query = query;
    this.looks = 0;
    /** @type {number[][]} */
    this.hits = [];
    this.quoted = quotedIn(timeline, query);
  }

  /**
   * The motif that begins with a message.
   * @param {number} step which shape @param {number} place which message @param {Bound} bound
   * @returns {number[] | null}
   */
  from(step, place, bound) {
    this.looks += 1;
    const now = this.fits(this.query.shapes[step], place, bound);
    if (now === null) return null;
    if (step === this.query.shapes.length - 1) return [place];
    for (const next of this.followers(this.query.links[step], place)) {
      if (this.looks >= LOOKS_MOST) return null;
      const rest = this.from(step + 1, next, now);
      if (rest !== null) return [place, ...rest];
    }
    return null;
  }

  /** Messages that may come next, the nearest first. @param {string} link @param {number} place @returns {Iterable<number>} */
  *followers(link, place) {
    const flight = this.timeline.flight(place);
    if (link === "answered-by") {
      yield* repliesOf(this.timeline).get(place) ?? [];
      return;
    }
    if (link === "leads-to" && flight.fate !== "received") return;
    // Of one instance, and for what a node's receipt leads to, of that node's own.
    const { byInstance, bySender } = placesOf(this.timeline);
    const all = (link === "then" ? byInstance.get(`${flight.instance}`) : bySender.get(`${flight.instance} ${flight.to}`)) ?? [];
    for (let next = firstBehind(all, place); next < all.length; next += 1) {
      if (link === "then" || this.timeline.flight(all[next]).sent > flight.ended) yield all[next];
    }
  }

  /**
   * What the variables stand for where a message has this shape; else null.
   * @param {Shape} shape @param {number} place @param {Bound} bound @returns {Bound | null}
   */
  fits({ kinds, terms }, place, bound) {
    const flight = this.timeline.flight(place);
    if (kinds.length > 0 && !kinds.includes(flight.kind)) return null;
    let now = bound;
    for (const term of terms) {
      if (term.variable !== null && now[term.variable] === undefined) {
        const first = subjectOf(term.field, flight);
        if (first === null) return null;
        now = { ...now, [term.variable]: first };
      } else if (!this.holds(term, flight, place, now)) return null;
    }
    return now;
  }

  /** @param {Term} term @param {Flight} flight @param {number} place @param {Bound} bound */
  holds(term, flight, place, bound) {
    const equal = term.op !== "!=";
    switch (term.field) {
      case "from":
      case "to":
        return wanted(term, bound).includes(subjectOf(term.field, flight)) === equal;
      case "with":
        return wanted(term, bound).some((node) => node === flight.source || node === flight.to) === equal;
      case "ballot":
      case "promised":
        return compared(term, subjectOf(term.field, flight), bound);
      case "value":
      case "reports":
        return saysValue(term, subjectOf(term.field, flight), bound);
      case "fate":
        return term.values.some((fate) => hasFate(flight, fate)) === equal;
      case "held":
        return (flight.holds.length > 0 === (term.values[0] === "yes")) === equal;
      case "answer":
        return term.values.some((kind) => this.isAnswered(place, kind)) === equal;
      case "instance":
        return term.values.some((name) => String(flight.instance) === name || this.timeline.instanceNames.get(flight.instance ?? -1) === name) === equal;
      case "rule":
        return term.values.some((rule) => this.quoted.get(rule.toLowerCase())?.has(place) === true) === equal;
      default:
        return term.values.some((word) => this.isExplained(flight, word.toLowerCase())) === equal;
    }
  }

  /** @param {number} place @param {string} kind */
  isAnswered(place, kind) {
    const heard = (repliesOf(this.timeline).get(place) ?? []).filter((one) => this.timeline.flight(one).fate === "received");
    if (kind === "none") return heard.length === 0;
    return kind === "any" ? heard.length > 0 : heard.some((one) => this.timeline.flight(one).kind === kind);
  }

  /** Whether an answer to "why?" about either end is of this kind, rule, or has the word. @param {Flight} flight @param {string} word */
  isExplained(flight, word) {
    const ends = flight.fate === "received" ? [flight.sent, flight.ended] : [flight.sent];
    return ends.some((at) =>
      (this.timeline.why.get(at) ?? []).some((why) => why.kind === word || (word === "wrong" && !why.ok) || why.sentence.toLowerCase().includes(word)),
    );
  }
}

/* --- parts of a message ---------------------------------------------------------------------- */

/** @param {string} field @param {Flight} flight @returns {any} null where it has none */
function subjectOf(field, flight) {
  switch (field) {
    case "from":
      return flight.source;
    case "to":
      return flight.to;
    case "ballot":
      return flight.ballot;
    case "promised":
      return flight.promised;
    case "value":
      return flight.value;
    case "reports":
      return flight.kind === "promise" ? (/** @type {Proposal | null} */ (flight.accepted)?.value ?? null) : null;
    default:
      return null;
  }
}

/** @param {Term} term @param {Bound} bound @returns {any[]} */
function wanted(term, bound) {
  return term.variable === null ? term.values : [bound[term.variable]];
}

/** @param {Term} term @param {string | null} ballot @param {Bound} bound */
function compared(term, ballot, bound) {
  if (ballot === null) return false;
  const signs = wanted(term, bound).map((one) => Math.sign(compareBallots(ballot, one)));
  switch (term.op) {
    case ":":
      return signs.includes(0);
    case "!=":
      return !signs.includes(0);
    case "<":
      return signs[0] < 0;
    case "<=":
      return signs[0] <= 0;
    case ">":
      return signs[0] > 0;
    default:
      return signs[0] >= 0;
  }
}

/** @param {Term} term @param {Value | null} value @param {Bound} bound */
function saysValue(term, value, bound) {
  if (term.variable !== null) return value !== null && sameValue(value, bound[term.variable]) === (term.op !== "!=");
  const one = (/** @type {string} */ text) => {
    if (!term.quoted && text === "any") return value !== null;
    if (!term.quoted && text === "none") return value === null;
    return value !== null && valueText(value) === text;
  };
  // "Not apple" is said of a message that has a value; "not none" is "any".
  const named = term.values.some((text) => term.quoted || !["any", "none"].includes(text));
  return term.values.some(one) === (term.op !== "!=") && !(term.op === "!=" && named && value === null);
}

/** @param {Flight} flight @param {string} fate */
function hasFate({ fate: is }, fate) {
  if (fate === "lost") return is !== "received" && is !== "open";
  return is === (fate === "wall" ? "walled" : fate);
}

/** Per rule, the messages that its violations quote. @param {Timeline} timeline @param {Query} query */
function quotedIn({ verdict, flightAt: flightOf }, query) {
  /** @type {Map<string, Set<number>>} */
  const quoted = new Map();
  if (!query.shapes.some((shape) => shape.terms.some((term) => term.field === "rule"))) return quoted;
  for (const { rule, events } of verdict?.violations ?? []) {
    for (const { at } of events) {
      if (at < 0 || flightOf[at] < 0) continue;
      for (const name of [rule.toLowerCase(), "any"]) {
        const places = quoted.get(name) ?? new Set();
        places.add(flightOf[at]);
        quoted.set(name, places);
      }
    }
  }
  return quoted;
}

/* --- what answers what ------------------------------------------------------------------------ */

/** @typedef {{byInstance: Map<string, number[]>, bySender: Map<string, number[]>}} Places where messages are, in the order in which they were sent */
/** @type {WeakMap<Timeline, Places>} */
const places = new WeakMap();

/** @param {Timeline} timeline @returns {Places} */
function placesOf(timeline) {
  const known = places.get(timeline);
  if (known !== undefined) return known;
  /** @type {Places} */
  const found = { byInstance: new Map(), bySender: new Map() };
  const add = (/** @type {Map<string, number[]>} */ map, /** @type {string} */ name, /** @type {number} */ place) => {
    const list = map.get(name);
    if (list === undefined) map.set(name, [place]);
    else list.push(place);
  };
  for (let place = 0; place < timeline.flightCount; place += 1) {
    const { instance, source } = timeline.flight(place);
    add(found.byInstance, `${instance}`, place);
    add(found.bySender, `${instance} ${source}`, place);
  }
  places.set(timeline, found);
  return found;
}

/** The index of the first number above another one. @param {number[]} rising @param {number} than */
function firstBehind(rising, than) {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] <= than) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What answers each kind of request. @type {Record<string, string[]>} */
const ANSWERED_BY = {
  prepare: ["promise", "nack"],
  accept: ["accepted", "nack"],
  learn: ["learned"],
  status: ["learn"],
};

/** @type {WeakMap<Timeline, Map<number, number[]>>} */
const replies = new WeakMap();

/**
 * Per request its replies: a node answers the request that it took last from
 * whom it answers, in the same instance.
 * @param {Timeline} timeline
 */
export function repliesOf(timeline) {
  const known = replies.get(timeline);
  if (known !== undefined) return known;
  /** @type {Map<number, number[]>} */
  const found = new Map();
  /** @type {Map<string, number>} */
  const taken = new Map();
  const count = timeline.length;
  for (let at = 0; at < count; at += 1) {
    const place = timeline.flightAt[at];
    if (place < 0) continue;
    const flight = timeline.flight(place);
    if (flight.sent === at) {
      const request = answeredBy(timeline, taken, flight);
      if (request >= 0) found.set(request, [...(found.get(request) ?? []), place]);
    } else if (flight.ended === at && flight.fate === "received" && ANSWERED_BY[flight.kind] !== undefined) {
      taken.set(`${flight.kind} ${flight.to} ${flight.source} ${flight.instance} ${ballotIn(flight.kind, flight)}`, place);
    }
  }
  replies.set(timeline, found);
  return found;
}

/**
 * The request that a message answers: of those that fit, the one taken last.
 * @param {Timeline} timeline @param {Map<string, number>} taken @param {Flight} flight @returns {number} -1 for none
 */
function answeredBy(timeline, taken, flight) {
  let [best, since] = [-1, -1];
  for (const kind of Object.keys(ANSWERED_BY)) {
    if (!ANSWERED_BY[kind].includes(flight.kind)) continue;
    // A Status may ask about all instances; what it is told is told of one.
    for (const instance of kind === "status" ? [flight.instance, null] : [flight.instance]) {
      const place = taken.get(`${kind} ${flight.source} ${flight.to} ${instance} ${ballotIn(kind, flight)}`);
      if (place !== undefined && timeline.flight(place).ended > since) [best, since] = [place, timeline.flight(place).ended];
    }
  }
  return best;
}

/** Replies of the two phases carry the ballot that they answer; the others have none of their own. @param {string} kind @param {Flight} flight */
function ballotIn(kind, flight) {
  return kind === "prepare" || kind === "accept" ? flight.ballot : "";
}
