// Whether the panels need to be drawn with this frame, or the canvases alone.
// To pan or zoom moves nothing but the canvases; and while lines rush in,
// nobody reads panels that change with every frame.

/** @import {App} from "../state.js" */

/** What only the canvases show. */
const VIEW = new Set(["left", "scale"]);
/** What changes beside it as lines come. */
const GROWTH = new Set([...VIEW, "timeline", "cursor", "live"]);
/** So long panels rest between two drawings while a run grows, in milliseconds. */
const REST_MS = 100;

/**
 * @param {() => void} redraw asks for another frame
 * @returns {{due: (app: App) => boolean, spoil: () => void}} `due`: whether to draw the panels of this state, asked once a frame;
 *   `spoil`: draw them with the next frame, whatever has changed
 */
export function makePanels(redraw) {
  /** What they show now. @type {App | null} */
  let shown = null;
  let at = 0;
  /** @type {number | undefined} */
  let later;

  /** @param {App} app */
  function due(app) {
    const now = performance.now();
    if (shown !== null) {
      const changed = changedIn(shown, app);
      if (changed.length > 0 && changed.every((name) => VIEW.has(name))) return false;
      const rest = at + REST_MS - now;
      if (rest > 0 && changed.every((name) => GROWTH.has(name)) && hasGrown(shown, app)) {
        later ??= window.setTimeout(redraw, rest);
        return false;
      }
    }
    window.clearTimeout(later);
    later = undefined;
    shown = app;
    at = now;
    return true;
  }

  return { due, spoil: () => (shown = null) };
}

/** @param {App} one @param {App} other */
function changedIn(one, other) {
  return /** @type {(keyof App)[]} */ (Object.keys(other)).filter((name) => one[name] !== other[name]);
}

/** Whether lines have come, and that is all. @param {App} before @param {App} after */
export function hasGrown(before, after) {
  const [was, is] = [before.timeline, after.timeline];
  if (was === null || is === null || was.core !== is.core || was.said !== is.said || is.length <= was.length) return false;
  // A person who looks back sees their step at once.
  if (!after.live.following && before.cursor !== after.cursor) return false;
  return Object.entries(after.live).every(([name, value]) => name === "received" || value === before.live[/** @type {keyof App["live"]} */ (name)]);
}
