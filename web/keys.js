// The keyboard: every gesture of the pointer has a key.

/**
 * @typedef {"play" | "next" | "previous" | "nextPoint" | "previousPoint" | "first" | "last" | "fit" | "in" | "out" | "panLeft" | "panRight"
 *   | "future" | "causes" | "axis" | "help" | "close" | "message" | "now" | "split" | "propose" | "kill" | "find"} Command
 */

/** @type {Record<string, Command>} */
export const KEYS = {
  " ": "play",
  ArrowRight: "next",
  ArrowLeft: "previous",
  Home: "first",
  End: "last",
  f: "fit",
  "+": "in",
  "=": "in",
  "-": "out",
  ",": "panLeft",
  ".": "panRight",
  h: "future",
  c: "causes",
  t: "axis",
  m: "message",
  g: "now",
  x: "split",
  p: "propose",
  k: "kill",
  "/": "find",
  "?": "help",
  Escape: "close",
};

/** Keys that a run of the keyboard's layout may hide behind Shift are read by their place. */
const DIGIT = /^Digit([1-9])$/;

/** What moves the knob of a scrubber, and the choice of a list. */
const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

/**
 * Whether a key means something to the field that has the focus. All keys do
 * to a text; a scrubber and a list know few, and whoever has just used one
 * with the pointer goes on with the page's own.
 * @param {HTMLElement} target @param {KeyboardEvent} event
 */
export function belongsTo(target, { key, shiftKey }) {
  const field = /** @type {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement | null} */ (target.closest("input, select, textarea"));
  switch (field?.type) {
    case undefined:
    case "checkbox":
      return false;
    case "range":
      return MOVES.has(key) && !shiftKey;
    case "radio":
      return key.startsWith("Arrow");
    case "select-one":
      // Whoever types the text of an option is led to it.
      return MOVES.has(key) || key === " " || key === "Enter" || writes(/** @type {HTMLSelectElement} */ (field), key);
    default:
      return true;
  }
}

/** Whether a key is a letter of one of a list's options. @param {HTMLSelectElement} list @param {string} key */
function writes(list, key) {
  return key.length === 1 && [...list.options].some((option) => option.text.toLowerCase().includes(key.toLowerCase()));
}

/**
 * What a key asks for; null when it belongs to what has the focus.
 * @param {KeyboardEvent} event
 * @returns {Command | {node: number} | {mark: number} | null}
 */
export function commandOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key !== "Escape" && belongsTo(target, event)) return null;
  if (event.key === " " && target.closest("button, a, summary, input:not([type=range])") !== null) return null;
  // The arrows of a row of tabs go from tab to tab.
  if (/^Arrow/.test(event.key) && !event.shiftKey && target.closest("[role=tablist]") !== null) return null;
  if (event.shiftKey && event.key === "ArrowRight") return "nextPoint";
  if (event.shiftKey && event.key === "ArrowLeft") return "previousPoint";
  const digit = DIGIT.exec(event.code);
  if (event.shiftKey && digit !== null && !/^[1-9]$/.test(event.key)) return { mark: Number(digit[1]) };
  if (/^[1-9]$/.test(event.key)) return event.shiftKey ? { mark: Number(event.key) } : { node: Number(event.key) };
  return KEYS[event.key] ?? null;
}
