// What opening a log has to say, beside words.js.

export const logWords = {
  contradicts: (/** @type {string} */ name, /** @type {number} */ number) =>
    `${name}, line ${number}: this line contradicts the ones before it, so the log cannot be shown.`,
  notIndexed: "The index of this log is of another version or damaged. Reload the page; if that does not help, delete columns.bin from the run's folder.",
  changed: "The log has changed since it was opened: open it again.",
  /** @param {string} why a sentence */
  notHere: (why) => `Some events are shown without their details until they can be read. ${why}`,
  serverGone: "The server does not answer; it is asked again.",
  notUnpacked: "The browser could not unpack their text.",
  workerFailed: "The log could not be indexed: the browser did not start the worker.",
  // Fields of a line as they stand in a sentence
  nothing: "nothing",
  nobody: "nobody",
  /** @param {string} some @param {string} last */
  both: (some, last) => `${some} and ${last}`,

  /** @param {number} most */
  tooManyNodes: (most) => `more than ${most} nodes`,
  /** A value that was too long for the log. @param {number} bytes @param {string} digest */
  longValue: (bytes, digest) => `a value of ${bytes} bytes (sha256 ${digest}…)`,

  /** What is wrong with a line, in the words of paxos/events/lines.py. */
  format: {
    noObject: "a line must be a JSON object",
    /** @param {string | undefined} event as JSON */
    noEvent: (event) => `no such event: ${event ?? "none is named"}`,
    /** @param {unknown} found @param {number} read */
    otherVersion: (found, read) => `version ${found} is not ${read}, the one read here`,
    /** @param {string} event */
    noCount: (event) => `${event}: incarnation and seq count from 1`,
    /** @param {string} event @param {string} field */
    lacks: (event, field) => `${event} lacks ${field}`,
    /** @param {string} event @param {string} field @param {string} kind */
    otherKind: (event, field, kind) => `${event}.${field} is no ${kind}`,
    /** @param {string} event @param {string} field */
    unknown: (event, field) => `${event} has no field ${field}`,
  },
};
