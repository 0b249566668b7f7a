// Text for HTML and SVG files. What stands in a hole of the template is escaped,
// unless it is markup itself: values and names come from strangers.

/** Text that is markup already. */
export class Markup {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
// What XML 1.0 has no way to write: controls, halves of pairs, and two that are no characters.
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** @param {unknown} text @returns {string} */
export function escaped(text) {
  return String(text)
    .replace(UNWRITABLE, "\uFFFD")
    .replace(/[&<>"']/g, (one) => ENTITIES[one]);
}

/** @param {unknown} part @returns {string} */
function written(part) {
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(written).join("");
  return part === null || part === undefined || part === false ? "" : escaped(part);
}

/** @param {TemplateStringsArray} texts @param {...unknown} parts @returns {Markup} */
export function markup(texts, ...parts) {
  return new Markup(texts.reduce((all, text, index) => all + written(parts[index - 1]) + text));
}
