// Where the present state is kept, and how a change of it reaches the screen.

/** @import {App} from "../state.js" */

/**
 * @typedef {object} Store
 * @property {() => App} get the present state
 * @property {(step: (app: App) => App) => void} update change it; it is drawn with the next frame
 */

/**
 * @param {App} first @param {(app: App) => void} draw called once a frame at most, and not while nothing changes
 * @returns {Store}
 */
export function makeStore(first, draw) {
  let app = first;
  let waiting = false;
  return {
    get: () => app,
    update(step) {
      app = step(app);
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        draw(app);
      });
    },
  };
}
