// A scenario as YAML. It writes what JSON can hold, in the shape that the
// files in scenarios/ have: one key a line, short lists and objects in one
// line. Whatever could be read as something else than text is quoted.

/** A line that is longer than this is broken up. */
const WIDTH = 96;
/** Words and names that YAML 1.2, or an older reader, takes for nothing but text. */
const PLAIN = /^[A-Za-z][A-Za-z0-9_/-]*(?:[ .][A-Za-z0-9_/-]+)*$/;
const NOT_TEXT = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
// JSON leaves these as they are, and YAML does not take them.
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/gu;

/**
 * @param {any} data an object of strings, whole numbers, booleans, nulls, lists and objects
 * @returns {string}
 */
export function toYaml(data) {
  return `${block(data, 0).join("\n")}\n`;
}

/** @param {string} text */
function quoted(text) {
  if (PLAIN.test(text) && !NOT_TEXT.test(text)) return text;
  const code = (/** @type {string} */ one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(UNPRINTABLE, code);
}

/** In one line. @param {any} data @returns {string} */
function flow(data) {
  if (typeof data === "string") return quoted(data);
  if (Array.isArray(data)) return `[${data.map(flow).join(", ")}]`;
  if (data !== null && typeof data === "object") {
    return `{${Object.entries(data).map(([key, entry]) => `${quoted(key)}: ${flow(entry)}`).join(", ")}}`;
  }
  if (typeof data === "number" && !Number.isSafeInteger(data)) throw new Error(`no whole number: ${data}`);
  return String(data);
}

/** @param {any} data */
const isNest = (data) => typeof data === "object" && data !== null && Object.keys(data).length > 0;

/** Whether it stands in one line: simple inside, and short. @param {any} data @param {number} room */
function fits(data, room) {
  if (!isNest(data)) return true;
  const parts = /** @type {any[]} */ (Object.values(data));
  const simple = Array.isArray(data)
    ? parts.every((part) => !isNest(part) || (Array.isArray(part) && !part.some(isNest)))
    : parts.every((part) => !isNest(part) || !Object.values(part).some(isNest));
  return simple && flow(data).length <= room;
}

/**
 * Over several lines.
 * @param {any} data @param {number} indent @returns {string[]}
 */
function block(data, indent) {
  const pad = " ".repeat(indent);
  if (!isNest(data)) return [pad + flow(data)];
  if (Array.isArray(data)) {
    return data.flatMap((entry) => {
      if (!isNest(entry) || (Array.isArray(entry) && fits(entry, WIDTH - indent - 2))) return [`${pad}- ${flow(entry)}`];
      // The first line of what it holds begins behind the dash.
      const [first, ...rest] = block(entry, indent + 2);
      return [`${pad}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(data).flatMap(([key, entry]) => {
    const name = `${pad}${quoted(key)}:`;
    if (fits(entry, WIDTH - name.length - 1)) return [`${name} ${flow(entry)}`];
    return [name, ...block(entry, indent + 2)];
  });
}
