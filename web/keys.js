// The keyboard: every gesture of the pointer has a key.

/**
 * @typedef {"play" | "next" | "previous" | "nextPoint" | "previousPoint" | "first" | "last" | "fit" | "in" | "out"
 *   | "future" | "causes" | "axis" | "help" | "close" | "message" | "now" | "split" | "propose" | "kill" | "find"} Command
 */

/** @type {Record<string, Command>} */
const KEYS = {
  " ": "play",
  ArrowRight: "next",
  ArrowLeft: "previous",
  Home: "first",
  End: "last",
  f: "fit",
  "+": "in",
  "=": "in",
  "-": "out",
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

/**
 * What a key asks for; null when it belongs to what has the focus.
 * @param {KeyboardEvent} event
 * @returns {Command | {node: number} | {mark: number} | null}
 */
export function commandOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea");
  const scrubbing = target.matches("input[type=range]");
  if (typing !== null && event.key !== "Escape" && !(scrubbing && event.shiftKey)) return null;
  if (event.key === " " && target.closest("button, a, summary, input") !== null) return null;
  // The arrows of a row of tabs go from tab to tab.
  if (/^Arrow/.test(event.key) && !event.shiftKey && target.closest("[role=tablist]") !== null) return null;
  if (event.shiftKey && event.key === "ArrowRight") return "nextPoint";
  if (event.shiftKey && event.key === "ArrowLeft") return "previousPoint";
  const digit = DIGIT.exec(event.code);
  if (event.shiftKey && digit !== null && !/^[1-9]$/.test(event.key)) return { mark: Number(digit[1]) };
  if (/^[1-9]$/.test(event.key)) return event.shiftKey ? { mark: Number(event.key) } : { node: Number(event.key) };
  return KEYS[event.key] ?? null;
}
