// Time passes by itself while a run is played; and what each command of the
// keyboard changes.

/** @import {App} from "../state.js" */
/** @import {Command} from "../keys.js" */
/** @import {Store} from "./store.js" */

import * as change from "../state.js";

/** Between two events, at speed 1; between two turning points where motion is unwelcome. */
const PLAY_MS = 260;
const PLAY_CALM_MS = 2500;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** @param {Store} store */
export function makePlayer({ get, update }) {
  /** @type {number | undefined} */
  let ticking;

  function tick() {
    const wait = (calm.matches ? PLAY_CALM_MS : PLAY_MS) / get().speed;
    ticking = window.setTimeout(() => {
      if (!get().playing) return;
      update((now) => change.played(now, calm.matches));
      tick();
    }, wait);
  }

  return {
    toggle() {
      update(change.playToggled);
      window.clearTimeout(ticking);
      tick();
    },
  };
}

/** Commands that stop a run that plays: the person goes by hand. */
export const STEPS = new Set(["next", "previous", "nextPoint", "previousPoint", "first", "last"]);

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
  future: (now) => ({ ...now, future: !now.future }),
  causes: (now) => ({ ...now, causes: !now.causes }),
  axis: (now) => change.axisChanged(now, now.axis === "order" ? "time" : "order"),
  help: (now) => change.sheetToggled(now, "help"),
  message: change.messageToggled,
  find: (now) => ({ ...now, panel: "find" }),
  close: change.closed,
};
