// What a person does in the comparison: choose runs, go about.

/** @import {App} from "../state.js" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Compare, Side} from "./state.js" */
/** @import {Diff} from "./align.js" */

import { LogError } from "../log/files.js";
import { ShareError } from "../share/pace.js";
import { FIRST_STORY } from "../shell/open.js";
import { laneWidth } from "../view/layout.js";
import { aligned, keysOf, nextHunk } from "./align.js";
import { LINES_MOST, branchSide, nameOf, shownSide, sideOf } from "./sides.js";
import { shared } from "./view.js";
import { compareWords as words } from "./words.js";

const SCALE_LEAST = 0.02;
const SCALE_MOST = 60;

/** @param {Partial<Compare>} part @returns {(app: App) => App} */
export const changed = (part) => (app) => ({ ...app, compare: { ...app.compare, ...part } });

/**
 * Take something for one of the two sides; whatever is wrong with it becomes a sentence.
 * @param {Acts} acts @param {"a" | "b"} which @param {string} name @param {() => Promise<Side> | Side} load
 */
export async function take(acts, which, name, load) {
  acts.update(changed({ busy: words.loading(name), trouble: null }));
  try {
    const side = await load();
    if (side.timeline.length > LINES_MOST) throw new ShareError(words.tooLong(LINES_MOST));
    acts.update(changed({ [which]: side, diff: null, row: 0, left: 0 }));
    await compare(acts);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (!(error instanceof LogError || error instanceof ShareError)) console.warn(error);
    acts.update(changed({ busy: null, trouble: error.message }));
  }
}

/** Put the two beside each other, and go to where they first differ. @param {Acts} acts */
export async function compare(acts) {
  /** @type {Compare} */
  const { a, b, by, exact } = acts.get().compare;
  if (a === null || b === null) return acts.update(changed({ busy: null }));
  acts.update(changed({ busy: words.comparing, diff: null }));
  const [keysA, keysB] = [await keysOf(a.rows, a.timeline.instances, by, exact), await keysOf(b.rows, b.timeline.instances, by, exact)];
  const diff = aligned(keysA, keysB, by);
  acts.update((app) => {
    const now = /** @type {Compare} */ (app.compare);
    // Another choice may have been made meanwhile: its own comparison is under way.
    if (now.a !== a || now.b !== b || now.by !== by || now.exact !== exact) return app;
    const first = diff.hunks.find((hunk) => !hunk.moved) ?? diff.hunks[0];
    return moved(changed({ diff, busy: null })(app), first?.from ?? 0);
  });
}

/** @param {Compare} compare */
function placesOf({ diff, a, b }) {
  return shared(/** @type {Diff} */ (diff), /** @type {Side} */ (a).timeline, /** @type {Side} */ (b).timeline);
}

/** Go to a row, and keep it in sight. @param {App} app @param {number} row @returns {App} */
export function moved(app, row) {
  /** @type {Compare} */
  const now = app.compare;
  if (now.diff === null) return app;
  const at = Math.min(Math.max(row, 0), now.diff.same.length - 1);
  const wide = laneWidth(now.width) / now.scale;
  const slot = placesOf(now).x[at] ?? 0;
  const seen = slot >= now.left + wide * 0.04 && slot <= now.left + wide * 0.92;
  return panned(changed({ row: at, left: seen ? now.left : slot - wide * 0.35 })(app), 0);
}

/** @param {App} app @param {1 | -1} direction @returns {App} */
export function toHunk(app, direction) {
  /** @type {Compare} */
  const { diff, row } = app.compare;
  const hunk = diff === null ? undefined : nextHunk(diff, row, direction);
  return hunk === undefined ? app : moved(app, hunk.from);
}

/** @param {App} app @returns {App} */
export function toFirst(app) {
  /** @type {Compare} */
  const { diff } = app.compare;
  return diff === null || diff.hunks.length === 0 ? app : moved(app, diff.hunks[0].from);
}

/** @param {App} app @param {number} px @returns {App} */
export function panned(app, px) {
  /** @type {Compare} */
  const now = app.compare;
  if (now.diff === null) return app;
  const most = Math.max(placesOf(now).width - laneWidth(now.width) / now.scale, 0);
  return changed({ left: Math.min(Math.max(now.left + px / now.scale, 0), most) })(app);
}

/** @param {App} app @param {number} factor @param {number} [px] from the left of the lanes; else the cursor stays where it is @returns {App} */
export function zoomed(app, factor, px) {
  /** @type {Compare} */
  const now = app.compare;
  if (now.diff === null) return app;
  const scale = Math.min(Math.max(now.scale * factor, SCALE_LEAST), SCALE_MOST);
  const fixed = px ?? (placesOf(now).x[now.row] - now.left) * now.scale;
  return panned(changed({ scale, left: now.left + fixed / now.scale - fixed / scale })(app), 0);
}

/* --- links, and other rooms -------------------------------------------------------------------- */

const LINKABLE = new Set(["run", "story"]);

/** @param {App} app @returns {string} the whole hash without its sign, while a comparison is open that a link can lead to */
export function compareHash(app) {
  /** @type {Compare} */
  const { a, b, by, exact, link } = app.compare;
  if (app.sheet === "compare" && link !== null) return link;
  if (app.sheet !== "compare" || a === null || b === null || !LINKABLE.has(a.kind) || !LINKABLE.has(b.kind)) return "";
  const sides = [a, b].map(({ kind, name }) => `${kind}:${encodeURIComponent(name)}`).join(",");
  return `compare=${sides}${by === "order" ? "&by=order" : ""}${exact ? "&exact=1" : ""}`;
}

/** @param {URLSearchParams} fields @param {Acts} acts @returns {boolean} whether it is about a comparison */
export function compareFollow(fields, acts) {
  const wanted = fields.get("compare");
  if (wanted === null) return false;
  const sides = wanted.split(",");
  /** @type {Compare} */
  const now = acts.get().compare;
  acts.sheet("compare");
  if (sides.length !== 2 || !sides.every((side) => /^(run|story):./.test(side))) {
    // The page opens something else then, under the sheet that says why.
    acts.update(changed({ trouble: words.badLink }));
    return false;
  }
  const [a, b] = sides;
  const [by, exact] = [/** @type {"order" | "lines"} */ (fields.get("by") === "order" ? "order" : "lines"), fields.get("exact") === "1"];
  // The page writes the hash, too: what it says may be open already.
  const open = now.a !== null && now.b !== null && nameOf(now.a) === a && nameOf(now.b) === b;
  if (open && now.by === by && now.exact === exact) return true;
  // Until both are here the link stays as it came.
  acts.update(changed({ a: null, b: null, diff: null, by, exact, link: String(fields) }));
  void followed(acts, a, b);
  return true;
}

/** @param {Acts} acts @param {string} a @param {string} b */
async function followed(acts, a, b) {
  await take(acts, "a", a, () => sideOf(a, acts));
  if (acts.get().compare.trouble === null) await take(acts, "b", b, () => sideOf(b, acts));
  acts.update(changed({ link: null }));
  if (acts.get().timeline !== null) return;
  // Behind the sheet stands the first of the two.
  const shown = acts.get().compare.a;
  if (shown === null) await acts.openStory(FIRST_STORY);
  else await (shown.kind === "run" ? acts.openRun : acts.openStory)(shown.name);
}

/**
 * Put something beside what is shown.
 * @param {App} _app @param {Acts} acts
 * @param {{kind: "run" | "story", name: string} | {kind: "branch", id?: number, name: string, timeline: import("../log/timeline.js").Timeline, text: string}} source
 */
export async function compareWith(_app, acts, source) {
  acts.sheet("compare");
  await take(acts, "a", words.first, () => shownSide(acts));
  if (source.kind === "branch") await take(acts, "b", source.name, () => branchSide(source));
  else await take(acts, "b", source.name, () => sideOf(`${source.kind}:${source.name}`, acts));
}
