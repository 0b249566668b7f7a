// The keyboard: every gesture of the pointer has a key.

/** @typedef {"play" | "next" | "previous" | "nextPoint" | "previousPoint" | "first" | "last" | "fit" | "in" | "out" | "future" | "causes" | "axis" | "help" | "close" | "message"} Command */

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
  "?": "help",
  Escape: "close",
};

/**
 * What a key asks for; null when it belongs to what has the focus.
 * @param {KeyboardEvent} event
 * @returns {Command | {node: number} | null}
 */
export function commandOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea");
  const scrubbing = target.matches("input[type=range]");
  if (typing !== null && event.key !== "Escape" && !(scrubbing && event.shiftKey)) return null;
  if (event.key === " " && target.closest("button, a, summary, input") !== null) return null;
  if (event.shiftKey && event.key === "ArrowRight") return "nextPoint";
  if (event.shiftKey && event.key === "ArrowLeft") return "previousPoint";
  if (/^[1-9]$/.test(event.key)) return { node: Number(event.key) };
  return KEYS[event.key] ?? null;
}
