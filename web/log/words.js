// What opening a log has to say, beside words.js.

export const logWords = {
  contradicts: (/** @type {string} */ name, /** @type {number} */ number) =>
    `${name}, line ${number}: this line contradicts the ones before it, so the log cannot be shown.`,
  notIndexed: "The index of this log is of another version or damaged. Reload the page; if that does not help, delete columns.bin from the run's folder.",
  changed: "The log has changed since it was opened: open it again.",
  workerFailed: "The log could not be indexed: the browser did not start the worker.",
};
