// The live feed: lines of the log as they are written, each exactly once.
//
// The server's log is the queue and this is a cursor on it: a message's id is
// the number of lines so far, so whatever was cut off, hidden or lost is asked
// for again from the last line that was had. Lines are handed on once a frame,
// causes before what they caused.

/** @import {Line} from "../log/types.d.ts" */

import { lineOf } from "../log/memory.js";
import { CausalOrder } from "./order.js";

const EVENTS = "live/events";
/** A frame takes so many lines at most, so that catching up does not stop the page. */
const MOST_PER_FRAME = 3000;
/** After a refusal the browser does not try again by itself. */
const TRY_AGAIN_MS = 1500;

/**
 * @typedef {object} FeedActs
 * @property {(lines: Line[]) => void} lines once a frame at most, in order, without gap or doublet
 * @property {(state: "off" | "connecting" | "open" | "lost") => void} state
 * @property {(name: "live" | "verdict" | "why" | "ended", content: any) => void} told
 * @property {() => void} refused the server knows of no such cursor, or does not answer; `resume` or `open` goes on
 */

export class Feed {
  /** @param {FeedActs} act */
  constructor(act) {
    this.act = act;
    /** How many lines were had, waiting ones included. */
    this.had = 0;
    /** The feed that they are lines of; the cursor of another run means nothing. */
    this.epoch = "";
    /** @type {EventSource | null} */
    this.source = null;
    /** Rows that wait for a frame. @type {string[]} */
    this.rows = [];
    this.order = new CausalOrder();
    this.asked = false;
    this.wanted = false;
    /** @type {number | undefined} */
    this.retry = undefined;
    document.addEventListener("visibilitychange", () => this.#seen());
  }

  /** Begin at the first line, and go on until `close`. @param {string} [epoch] of the feed, as `live.json` names it */
  open(epoch = "") {
    this.close();
    this.epoch = epoch;
    this.had = 0;
    this.rows = [];
    this.order = new CausalOrder();
    this.resume();
  }

  /** Go on where `close` has stopped. */
  resume() {
    this.wanted = true;
    this.#connect();
    this.#ask();
  }

  close() {
    this.wanted = false;
    this.#disconnect();
    this.act.state("off");
  }

  /** A hidden page needs no stream, and browsers give an origin few of them. */
  #seen() {
    if (!this.wanted) return;
    if (document.hidden) this.#disconnect();
    else this.#connect();
  }

  #disconnect() {
    window.clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
  }

  #connect() {
    if (this.source !== null || document.hidden) return;
    this.act.state("connecting");
    const source = new EventSource(`${EVENTS}?after=${this.had}${this.epoch === "" ? "" : `&epoch=${encodeURIComponent(this.epoch)}`}`);
    this.source = source;
    source.addEventListener("open", () => this.act.state("open"));
    source.addEventListener("error", () => this.#failed(source));
    source.addEventListener("lines", (event) => this.#received(event));
    for (const name of /** @type {const} */ (["live", "verdict", "why"])) {
      source.addEventListener(name, (event) => this.act.told(name, JSON.parse(event.data)));
    }
    source.addEventListener("ended", (event) => {
      const content = JSON.parse(event.data);
      // What still waits for a frame comes before the end.
      this.#hand(Infinity);
      this.close();
      this.act.told("ended", content);
    });
  }

  /** @param {EventSource} source */
  #failed(source) {
    if (source !== this.source) return;
    this.act.state("lost");
    // While it is connecting the browser itself asks again, from the last id.
    if (source.readyState !== EventSource.CLOSED) return;
    this.#disconnect();
    this.retry = window.setTimeout(() => {
      if (this.wanted && !document.hidden) this.act.refused();
    }, TRY_AGAIN_MS);
  }

  /** @param {MessageEvent} event */
  #received(event) {
    const rows = event.data.split("\n");
    const first = Number(event.lastEventId) - rows.length;
    if (!(first <= this.had)) {
      // A gap: ask again from what was had.
      this.#disconnect();
      this.#connect();
      return;
    }
    const fresh = rows.slice(this.had - first);
    this.had += fresh.length;
    for (const row of fresh) this.rows.push(row);
    this.#ask();
  }

  #ask() {
    if (this.asked || !this.wanted || (this.rows.length === 0 && !this.order.isWaiting)) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (!this.wanted) return;
      this.#hand(MOST_PER_FRAME);
      this.#ask();
    });
  }

  /** @param {number} most */
  #hand(most) {
    const rows = this.rows.length <= most ? this.rows : this.rows.slice(0, most);
    this.rows = this.rows.length <= most ? [] : this.rows.slice(most);
    const now = most === Infinity ? Infinity : performance.now();
    const lines = this.order.pass(rows.map(lineOf), now);
    // At the end nothing more will come that a line could wait for.
    while (most === Infinity && this.order.isWaiting) lines.push(...this.order.pass([], now));
    if (lines.length > 0) this.act.lines(lines);
  }
}
