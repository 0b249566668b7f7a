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
};
