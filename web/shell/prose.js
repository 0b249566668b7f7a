// Sentences that name commands: what stands between backticks is shown as code.

import { html } from "../vendor/lit-html/lit-html.js";

/**
 * A sentence as it is shown; only text ever comes of it.
 * @param {string} text @returns {unknown}
 */
export function prose(text) {
  const parts = text.split("`");
  // A backtick without a partner is one.
  if (parts.length % 2 === 0) return text;
  return parts.map((part, at) => (at % 2 === 0 ? part : html`<code>${part}</code>`));
}
