// What the checker said (verdict.json), made safe to show.

/** @typedef {{name: string, at: number}} Quoted a line that proves something; -1 when it is not in this log */
/**
 * @typedef {object} Violation
 * @property {string} rule
 * @property {number | null} instance
 * @property {string} text
 * @property {number} at the line at which the rule was broken: from there on it counts. -1 when it is not in this log
 * @property {Quoted[]} events that prove it; some may come after the breach, as the write that came too late
 */
/** @typedef {{text: string, met: boolean, evidence: (string | Quoted)[], mustHappen: boolean}} Expectation */

/**
 * @typedef {object} Verdict
 * @property {"ok" | "violated" | "unknown"} verdict
 * @property {number} events how many events were judged; 0 when it does not say
 * @property {number | null} lines how many lines of a run that goes on it speaks of; null where it speaks of all
 * @property {{rule: string, title: string, verdict: string}[]} rules
 * @property {Violation[]} violations
 * @property {{rule: string, reason: string}[]} unknown
 * @property {Expectation[]} expectations
 */

/**
 * Read `verdict.json` of whatever shape, taking nothing of it on trust.
 * @param {any} raw
 * @param {{get(name: string): number | undefined, has(name: string): boolean}} index from a line's name to its place
 * @returns {Verdict}
 */
export function readVerdict(raw, index) {
  const verdict = ["ok", "violated", "unknown"].includes(raw.verdict) ? raw.verdict : "unknown";
  return {
    verdict,
    events: Number.isInteger(raw.events) ? raw.events : 0,
    lines: Number.isInteger(raw.line_count) ? raw.line_count : null,
    rules: pairs(raw.rules).map(([rule, entry]) => ({
      rule,
      title: text(entry?.title),
      verdict: text(entry?.verdict ?? entry),
    })),
    violations: list(raw.violations).map((entry) => violation(entry, index)),
    unknown: list(raw.unknown).map((entry) => ({
      rule: list(entry?.rules).map(text).join(", "),
      reason: text(entry?.reason),
    })),
    expectations: list(raw.expectations).map((entry) => ({
      text: text(entry?.expectation),
      met: entry?.met === true,
      evidence: evidenceOf(text(entry?.evidence), index),
      mustHappen: entry?.kind === "must_happen",
    })),
  };
}

/**
 * @param {any} entry @param {{get(name: string): number | undefined, has(name: string): boolean}} index
 * @returns {Violation}
 */
function violation(entry, index) {
  const events = list(entry?.events).map((event) => quoted(event, index));
  // The checker names the breach. Where a verdict does not, the last event is the one that completed the proof.
  const named = typeof entry?.at === "string" ? index.get(entry.at) : undefined;
  return {
    rule: text(entry?.rule),
    instance: Number.isInteger(entry?.instance) ? entry.instance : null,
    text: text(entry?.sentence),
    at: named ?? events.reduce((latest, event) => Math.max(latest, event.at), -1),
    events,
  };
}

/** @param {any} event a line, or its name @param {{get(name: string): number | undefined, has(name: string): boolean}} index @returns {Quoted} */
function quoted(event, index) {
  const name = typeof event === "string" ? event : `${event?.node}/${event?.incarnation}/${event?.seq}`;
  return { name, at: index.get(name) ?? -1 };
}

/**
 * A text, with the lines that it names picked out.
 * @param {string} evidence @param {{get(name: string): number | undefined, has(name: string): boolean}} index
 */
function evidenceOf(evidence, index) {
  const parts = evidence.split(/((?:n\d+|g\d|orchestrator)\/\d+\/\d+)/);
  return parts.filter((part) => part !== "").map((part) => (index.has(part) ? quoted(part, index) : part));
}

/** @param {any} value @returns {any[]} */
function list(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {any} value @returns {[string, any][]} */
function pairs(value) {
  if (Array.isArray(value)) return value.map((entry) => [text(entry?.rule ?? entry?.name), entry]);
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** @param {any} value */
function text(value) {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
