// Time passes by itself while a run is played; and what each command of the
// keyboard changes.

/** @import {App} from "../state.js" */
/** @import {Command} from "../keys.js" */
/** @import {Store} from "./store.js" */

import * as change from "../state.js";
import { seesFuture } from "../view/happening.js";
import { laneWidth } from "../view/layout.js";

/** Between two events, at speed 1; between two turning points where motion is unwelcome. */
const PLAY_MS = 260;
const PLAY_CALM_MS = 2500;
/** What the page plays by itself takes no longer than this, as long as a step still takes the least. */
const BY_ITSELF_MS = 8000;
const STEP_LEAST_MS = 40;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {Store} store */
export function makePlayer({ get, update }) {
  /** @type {number | undefined} */
  let ticking;
  let pace = PLAY_MS;

  function tick() {
    const wait = (calm.matches ? PLAY_CALM_MS : pace) / get().speed;
    ticking = window.setTimeout(() => {
      if (!get().playing) return;
      update((now) => change.played(now, calm.matches));
      tick();
    }, wait);
  }

  return {
    toggle() {
      pace = PLAY_MS;
      update(change.playToggled);
      window.clearTimeout(ticking);
      tick();
    },
    /** Play up to a line because of what a person has done; where motion is unwelcome, be there at once. @param {number} to */
    on(to) {
      window.clearTimeout(ticking);
      if (calm.matches) return update((now) => change.rushed(now, to));
      const stops = change.stopsTo(get(), to);
      pace = Math.min(PLAY_MS, Math.max(BY_ITSELF_MS / Math.max(stops, 1), STEP_LEAST_MS));
      update((now) => ({ ...now, playing: stops > 0, playTo: to }));
      tick();
    },
  };
}

/** Commands that stop a run that plays: the person goes by hand. */
export const STEPS = new Set(["next", "previous", "nextPoint", "previousPoint", "first", "last"]);

/** Of what is in sight, so much goes with one press. */
const PAN_PART = 1 / 3;

/** In pixels. @param {App} app */
const panStep = ({ width }) => laneWidth(width) * PAN_PART;

/** What a command changes by itself. @type {Partial<Record<Command, (now: App) => App>>} */
export const CHANGES = {
  next: (now) => change.stepped(now, 1),
  previous: (now) => change.stepped(now, -1),
  nextPoint: (now) => change.turned(now, 1),
  previousPoint: (now) => change.turned(now, -1),
  first: (now) => change.moved(now, 0),
  last: change.ended,
  fit: change.fitted,
  in: (now) => change.zoomed(now, 1.35),
  out: (now) => change.zoomed(now, 1 / 1.35),
  panLeft: (now) => change.panned(now, -panStep(now)),
  panRight: (now) => change.panned(now, panStep(now)),
  future: (now) => (seesFuture(now) ? { ...now, future: false, peeked: false } : { ...now, future: true, peeked: true }),
  causes: (now) => ({ ...now, causes: !now.causes }),
  axis: (now) => change.axisChanged(now, now.axis === "order" ? "time" : "order"),
  help: (now) => change.sheetToggled(now, "help"),
  message: change.messageToggled,
  find: (now) => ({ ...now, panel: "find" }),
  close: change.closed,
};
