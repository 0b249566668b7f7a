// A run as columns: typed arrays that grow, one entry per line, per message,
// per span. Drawing a frame touches only the entries in sight, and a long run
// is kept as one file, `columns.bin`, whose arrays are used as they lie there.
//
// The file: 8 bytes of magic; two 32-bit counts, the length of a JSON text and
// zero; that text, padded with spaces to a multiple of 8; then the arrays, each
// beginning at a multiple of 8. All numbers are little-endian. The text names
// every array with its type, count and place behind the text, and holds what is
// small: names, values, walls. orchestrator/columns.py writes the same bytes.

export const MAGIC = "PXLCOL01";
/** As an end: it has not ended in this log. */
export const OPEN = 0x7fffffff;
/** How many messages share one entry of the tables by which drawing skips them. */
export const BLOCK = 64;

export const FATES = /** @type {const} */ (["received", "walled", "dropped", "failed", "died", "open"]);
export const LEVELS = /** @type {const} */ (["story", "detail", "quiet"]);
export const ENDS = /** @type {const} */ (["open", "refused", "chosen"]);
/** How lines are marked on their lane; the first four have no sign, only words. */
export const SHAPES = /** @type {const} */ ([
  "none", "begins", "pushes", "yields", "dot", "wish", "answer", "accept", "promise", "accept-disk", "promise-disk", "round",
  "learn", "timer", "stuck", "refuse", "start", "restart",
]);
export const FIRST_SIGN = 4;
export const KINDS = /** @type {const} */ (["prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status"]);
export const POINTS = /** @type {const} */ ([
  "propose", "quorum", "yield", "chosen", "learned", "all_learned", "kill", "restart", "pause", "resume", "wall", "heal", "violation",
]);

/** @typedef {"u8" | "i32" | "u32" | "f64"} NumberType */
/** @typedef {Uint8Array | Int32Array | Uint32Array | Float64Array} Numbers */

const ARRAYS = { u8: Uint8Array, i32: Int32Array, u32: Uint32Array, f64: Float64Array };

/**
 * The tables and the types of their columns, in the order of the file. -1 is none.
 * @type {Record<string, Record<string, NumberType>>}
 */
export const TABLES = {
  // One entry per line. `size` in bytes, newline included; `head` is the first
  // line of its fan-out; `flight` the message that it sends, receives or loses;
  // `value` what its mark wears; `instance` 0 for none.
  lines: {
    ms: "f64", size: "u32", seq: "i32", incarnation: "i32", instance: "i32", head: "i32", flight: "i32", value: "i32",
    cause: "i32", event: "u8", node: "u8", rank: "u8", shape: "u8",
  },
  // One entry per message, in the order in which they were sent.
  flights: {
    sent: "i32", ended: "i32", instance: "i32", ballot: "i32", value: "i32", acceptedBallot: "i32", acceptedValue: "i32",
    promised: "i32", hold: "i32", kind: "u8", source: "u8", to: "u8", fate: "u8",
  },
  // When messages were lost; those that arrived though they were lost, or once
  // more, and since when they were under way no more.
  lost: { at: "i32" },
  late: { flight: "i32", at: "i32" },
  holds: { flight: "i32", from: "i32", to: "i32", next: "i32", node: "u8" },
  learned: { instance: "i32", value: "i32", from: "i32", to: "i32", node: "u8" },
  chosen: { instance: "i32", ballot: "i32", value: "i32", quorum: "i32", at: "i32" },
  ballots: { instance: "i32", ballot: "i32", from: "i32", to: "i32", quorumAt: "i32", proposer: "u8", end: "u8" },
  points: { at: "i32", instance: "i32", kind: "u8" },
  // The lines that concern every instance, and their text.
  shared: { at: "i32" },
  sharedText: { byte: "u8" },
};

/** From each name to its number. @param {readonly string[]} names @returns {Record<string, number>} */
export function codesOf(names) {
  return Object.fromEntries(names.map((name, code) => [name, code]));
}

/** Up to so many entries room is doubled; beyond that a quarter is added, so that little of a long run's room is empty. */
const DOUBLED = 262_144;

/** The next larger room for entries that come one by one. @param {number} room @returns {number} */
export function roomier(room) {
  return Math.max(256, room < DOUBLED ? room * 2 : Math.ceil(room * 1.25));
}

/** A table of columns that grows at its end. */
export class Table {
  /** @param {Record<string, NumberType>} types */
  constructor(types) {
    this.types = types;
    this.count = 0;
    this.room = 0;
    /** @type {Record<string, any>} */
    this.columns = {};
    for (const name of Object.keys(types)) this.columns[name] = new ARRAYS[types[name]](0);
  }

  /** Make room for one more entry, and return its place: the caller fills every column. */
  add() {
    if (this.count === this.room) this.#grow();
    return this.count++;
  }

  #grow() {
    this.room = roomier(this.room);
    for (const [name, type] of Object.entries(this.types)) {
      const wider = new ARRAYS[type](this.room);
      wider.set(this.columns[name]);
      this.columns[name] = wider;
    }
  }

  /** One column, cut to what is filled. @param {string} name */
  full(name) {
    return this.columns[name].subarray(0, this.count);
  }
}

/**
 * Write an index.
 * @param {Record<string, Table>} tables
 * @param {Record<string, any>} small what goes into the text
 * @returns {ArrayBuffer}
 */
export function encodeColumns(tables, small) {
  /** @type {[string, NumberType, number, number][]} */
  const columns = [];
  let end = 0;
  for (const [table, types] of Object.entries(TABLES)) {
    for (const [name, type] of Object.entries(types)) {
      columns.push([`${table}.${name}`, type, tables[table].count, end]);
      end += padded(tables[table].count * ARRAYS[type].BYTES_PER_ELEMENT);
    }
  }
  const text = new TextEncoder().encode(ascii(JSON.stringify({ ...small, columns })));
  const begin = 16 + padded(text.length);
  const bytes = new Uint8Array(begin + end);
  bytes.set(new TextEncoder().encode(MAGIC));
  new DataView(bytes.buffer).setUint32(8, padded(text.length), true);
  bytes.fill(0x20, 16, begin);
  bytes.set(text, 16);
  for (const [path, , , offset] of columns) {
    const [table, name] = path.split(".");
    const full = tables[table].full(name);
    bytes.set(new Uint8Array(full.buffer, full.byteOffset, full.byteLength), begin + offset);
  }
  return bytes.buffer;
}

/**
 * Read an index; its columns are views of the buffer.
 * @param {ArrayBuffer} buffer
 * @returns {{tables: Record<string, Table>, small: Record<string, any>} | null} null where it is none, or of another version
 */
export function decodeColumns(buffer) {
  if (buffer.byteLength < 16 || new TextDecoder().decode(new Uint8Array(buffer, 0, 8)) !== MAGIC) return null;
  const length = new DataView(buffer).getUint32(8, true);
  if (16 + length > buffer.byteLength) return null;
  const { columns, ...small } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 16, length)));
  /** @type {Record<string, Table>} */
  const tables = {};
  for (const [path, type, count, offset] of columns) {
    const [table, name] = path.split(".");
    if (TABLES[table]?.[name] !== type) return null;
    tables[table] ??= new Table(TABLES[table]);
    const from = 16 + length + offset;
    if (from + count * ARRAYS[/** @type {NumberType} */ (type)].BYTES_PER_ELEMENT > buffer.byteLength) return null;
    tables[table].columns[name] = new ARRAYS[/** @type {NumberType} */ (type)](buffer, from, count);
    tables[table].count = tables[table].room = count;
  }
  return Object.keys(TABLES).every((name) => tables[name] !== undefined) ? { tables, small } : null;
}

/** Empty tables. @returns {Record<string, Table>} */
export function emptyTables() {
  return Object.fromEntries(Object.entries(TABLES).map(([name, types]) => [name, new Table(types)]));
}

/** @param {number} length */
function padded(length) {
  return (length + 7) & ~7;
}

/** JSON in ASCII: the same text in every language, half characters included. @param {string} json */
function ascii(json) {
  return json.replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/* --- is it still the index of its log? ------------------------------------------- */

const SAMPLE_BYTES = 4096;
const SAMPLE_COUNT = 16;

/**
 * The places whose bytes stand for a whole file.
 * @param {number} size @returns {[number, number][]} from, to
 */
export function samplePlaces(size) {
  if (size <= SAMPLE_BYTES * SAMPLE_COUNT) return [[0, size]];
  return Array.from({ length: SAMPLE_COUNT }, (_, index) => {
    const from = Math.floor(((size - SAMPLE_BYTES) * index) / (SAMPLE_COUNT - 1));
    return [from, from + SAMPLE_BYTES];
  });
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** CRC-32 of pieces in their order. @param {Uint8Array[]} pieces */
export function digestOf(pieces) {
  let rest = 0xffffffff;
  for (const piece of pieces) for (const byte of piece) rest = CRC[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return ((rest ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}
