// The language in which messages are looked for: from text to a query, and
// back. Pure; search.js finds what a query means.
//
//   query := shape (link shape){0,2}
//   shape := (kind | flag | term)*        link := then | answered-by | leads-to
//   term  := field op value               op := : = != < <= > >=
//   value := word | "text" | $name | a list with commas
//
// `$name` stands for whatever the first term that has it finds, and later terms
// compare with that: `promise reports:$v then accept value!=$v`.

import { findWords as words } from "./words.js";

/** @typedef {":" | "!=" | "<" | "<=" | ">" | ">="} Op */
/** @typedef {{field: string, op: Op, values: string[], quoted: boolean, variable: string | null, at: number, length: number}} Term */
/** @typedef {{kinds: string[], terms: Term[]}} Shape */
/** @typedef {"then" | "answered-by" | "leads-to"} Link */
/** @typedef {{shapes: Shape[], links: Link[]}} Query */
/** @typedef {{at: number, length: number, text: string}} Wrong where in the text, and what */

export const KINDS = ["prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status"];
export const GROUPS = /** @type {Record<string, string[]>} */ ({
  request: ["prepare", "accept", "learn", "status"],
  reply: ["promise", "accepted", "nack", "learned"],
  message: [],
});
export const LINKS = /** @type {Link[]} */ (["then", "answered-by", "leads-to"]);
export const FATES = ["received", "lost", "wall", "dropped", "failed", "died", "open"];
export const ANSWERS = ["none", "any", "nack", "promise", "accepted", "learned", "learn"];
const SHAPES_MOST = 3;

/** Words that are short for a term. @type {Record<string, [string, string]>} */
const FLAGS = {
  lost: ["fate", "lost"],
  received: ["fate", "received"],
  open: ["fate", "open"],
  unanswered: ["answer", "none"],
  answered: ["answer", "any"],
  refused: ["answer", "nack"],
  held: ["held", "yes"],
};

const NODE = /^(?:n[1-9]\d*|g[1-9])$/;
const BALLOT = /^(?:0|[1-9]\d*)\.(?:n\d+|g[1-9])$/;

/**
 * @typedef {object} Field
 * @property {"node" | "ballot" | "value" | "word"} type what a variable in it stands for
 * @property {(value: string) => boolean} fits
 */

const oneOf = (/** @type {string[]} */ choices) => (/** @type {string} */ value) => choices.includes(value);
/** @type {Record<string, Field>} */
export const FIELDS = {
  from: { type: "node", fits: (value) => NODE.test(value) },
  to: { type: "node", fits: (value) => NODE.test(value) },
  with: { type: "node", fits: (value) => NODE.test(value) },
  ballot: { type: "ballot", fits: (value) => BALLOT.test(value) },
  promised: { type: "ballot", fits: (value) => BALLOT.test(value) },
  value: { type: "value", fits: () => true },
  reports: { type: "value", fits: () => true },
  fate: { type: "word", fits: oneOf(FATES) },
  answer: { type: "word", fits: oneOf(ANSWERS) },
  held: { type: "word", fits: oneOf(["yes", "no"]) },
  instance: { type: "word", fits: () => true },
  rule: { type: "word", fits: () => true },
  why: { type: "word", fits: () => true },
};

/** What went wrong, and where. */
class QueryError extends Error {
  /** @param {number} at @param {number} length @param {string} text */
  constructor(at, length, text) {
    super(text);
    this.at = at;
    this.length = length;
  }
}

/* --- reading ------------------------------------------------------------------------------ */

const SPACE = /\s*/y;
const TERM = /([A-Za-z-]+)(:|=|!=|<=|>=|<|>)/y;
const WORD = /[^\s:=!<>",]+/y;
const BARE = /[^\s",]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * @param {string} text
 * @returns {{query: Query | null, error: Wrong | null}} neither for a text of nothing but space
 */
export function parseQuery(text) {
  try {
    return { query: new Reader(text).query(), error: null };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { query: null, error: { at: error.at, length: Math.max(error.length, 1), text: error.message } };
  }
}

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.place = 0;
    /** @type {Map<string, string>} what each variable stands for */
    this.bound = new Map();
  }

  /** @param {RegExp} form */
  take(form) {
    form.lastIndex = this.place;
    const found = form.exec(this.text);
    if (found !== null) this.place = form.lastIndex;
    return found;
  }

  /** @returns {Query | null} */
  query() {
    /** @type {Query} */
    const query = { shapes: [{ kinds: [], terms: [] }], links: [] };
    let [parts, began] = [0, 0];
    for (this.take(SPACE); this.place < this.text.length; this.take(SPACE)) {
      const at = this.place;
      const shape = query.shapes[query.shapes.length - 1];
      const term = this.take(TERM);
      if (term !== null) {
        shape.terms.push(this.term(term[1].toLowerCase(), /** @type {Op} */ (term[2] === "=" ? ":" : term[2]), at));
        parts += 1;
        continue;
      }
      const word = this.take(WORD)?.[0];
      if (word === undefined) throw new QueryError(at, 1, words.errors.sign(this.text[at]));
      if (oneOf(LINKS)(word.toLowerCase())) {
        if (parts === 0) throw new QueryError(at, word.length, words.errors.nothingBefore(word));
        if (query.shapes.length === SHAPES_MOST) throw new QueryError(at, word.length, words.errors.tooMany(SHAPES_MOST));
        query.links.push(/** @type {Link} */ (word.toLowerCase()));
        query.shapes.push({ kinds: [], terms: [] });
        [parts, began] = [0, at];
        continue;
      }
      this.word(shape, word, at);
      parts += 1;
    }
    if (query.links.length > 0 && parts === 0) {
      throw new QueryError(began, this.text.length - began, words.errors.nothingAfter(query.links[query.links.length - 1]));
    }
    return parts === 0 ? null : query;
  }

  /** @param {Shape} shape @param {string} word @param {number} at */
  word(shape, word, at) {
    const name = word.toLowerCase();
    const flag = own(FLAGS, name);
    if (flag !== undefined) {
      const [field, value] = flag;
      shape.terms.push({ field, op: ":", values: [value], quoted: false, variable: null, at, length: word.length });
      return;
    }
    const kinds = KINDS.includes(name) ? [name] : own(GROUPS, name);
    if (kinds === undefined) {
      throw new QueryError(at, word.length, words.errors.word(word, near(name, [...KINDS, ...Object.keys(GROUPS), ...Object.keys(FLAGS), ...LINKS])));
    }
    shape.kinds.push(...kinds);
  }

  /** @param {string} field @param {Op} op @param {number} at @returns {Term} */
  term(field, op, at) {
    const known = own(FIELDS, field);
    if (known === undefined) throw new QueryError(at, field.length, words.errors.field(field, near(field, Object.keys(FIELDS))));
    if (op !== ":" && op !== "!=" && known.type !== "ballot") throw new QueryError(at, this.place - at, words.errors.order(field, op));
    const { values, quoted, from } = this.values(field);
    const length = this.place - at;
    const variable = !quoted && values.length === 1 && values[0].startsWith("$") ? values[0] : null;
    if (variable !== null) this.bind(variable, known.type, op, from);
    else if (!quoted) {
      for (const value of values) {
        if (!known.fits(value)) throw new QueryError(from, this.place - from, words.errors.value(field, value));
      }
    }
    if (op !== ":" && op !== "!=" && values.length > 1) throw new QueryError(from, this.place - from, words.errors.oneBallot(op));
    return { field, op, values, quoted, variable, at, length };
  }

  /** @param {string} field */
  values(field) {
    const from = this.place;
    /** @type {string[]} */
    const values = [];
    let quoted = false;
    do {
      const at = this.place;
      const whole = this.take(QUOTED);
      if (whole !== null) {
        values.push(whole[1].replace(/\\(.)/g, "$1"));
        quoted = true;
        continue;
      }
      if (this.text[at] === '"') throw new QueryError(at, this.text.length - at, words.errors.quote);
      const bare = this.take(BARE);
      if (bare === null) throw new QueryError(at, 1, words.errors.noValue(field));
      values.push(bare[0]);
    } while (this.take(/,/y) !== null);
    return { values, quoted, from };
  }

  /** @param {string} name @param {string} type @param {Op} op @param {number} at */
  bind(name, type, op, at) {
    if (name === "$") throw new QueryError(at, 1, words.errors.noName);
    if (type === "word") throw new QueryError(at, name.length, words.errors.noVariable);
    const before = this.bound.get(name);
    if (before === undefined && op !== ":") throw new QueryError(at, name.length, words.errors.unbound(name));
    if (before !== undefined && before !== type) throw new QueryError(at, name.length, words.errors.otherType(name, before, type));
    this.bound.set(name, type);
  }
}

/** What a table of ours holds, and not what every object has: "constructor" is a text too. @template T @param {Record<string, T>} table @param {string} name @returns {T | undefined} */
function own(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The word that was probably meant, or nothing. @param {string} word @param {string[]} known @returns {string | undefined} */
function near(word, known) {
  const scored = known.map((one) => /** @type {[number, string]} */ ([distance(word, one), one])).sort((one, other) => one[0] - other[0]);
  return scored[0][0] <= (word.length < 4 ? 1 : 2) ? scored[0][1] : undefined;
}

/** How many letters must change. @param {string} one @param {string} other */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[other.length];
}

/* --- writing ------------------------------------------------------------------------------- */

/** A query as text; reading it gives the query again. @param {Query} query @returns {string} */
export function formatQuery({ shapes, links }) {
  return shapes.map((shape, place) => (place === 0 ? "" : ` ${links[place - 1]} `) + formatShape(shape)).join("");
}

/** @param {Shape} shape */
function formatShape({ kinds, terms }) {
  const group = Object.keys(GROUPS).find((name) => GROUPS[name].length > 0 && GROUPS[name].join() === kinds.join());
  const parts = [...(group === undefined ? kinds : [group]), ...terms.map(formatTerm)];
  return parts.length === 0 ? "message" : parts.join(" ");
}

/** @param {Term} term */
function formatTerm({ field, op, values, quoted }) {
  return `${field}${op}${values.map((value) => valueAsText(value, quoted)).join(",")}`;
}

/** @param {string} value @param {boolean} quoted whether its quotes tell it from a word of the language */
function valueAsText(value, quoted) {
  return quoted || value === "" || /[\s",]/.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : value;
}

/**
 * A shape with one term set anew, or taken out.
 * @param {Shape} shape @param {string} field @param {Op} op @param {string} value empty to take it out
 * @returns {Shape}
 */
export function withTerm(shape, field, op, value) {
  const kept = shape.terms.filter((term) => term.field !== field);
  if (value === "") return { ...shape, terms: kept };
  const text = FIELDS[field].type === "value" && !["any", "none"].includes(value) && !value.startsWith("$");
  const values = text ? [value] : value.split(",").map((one) => one.trim()).filter((one) => one !== "");
  const quoted = text && /[\s",]/.test(value);
  const variable = !text && values.length === 1 && values[0].startsWith("$") ? values[0] : null;
  return { ...shape, terms: [...kept, { field, op, values, quoted, variable, at: 0, length: 0 }] };
}
