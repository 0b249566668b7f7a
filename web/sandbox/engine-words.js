// The English of the sandbox's engine: what it says when it cannot start.

export const ENGINE_WORDS = {
  noWorker: "This browser, or the way the page was opened, allows no worker; serve the page with any web server.",
  noWasm: "The page's policy, or this browser, compiles no WebAssembly, so there is no Python here.",
  /** @param {string} file @param {string} why */
  notLoaded: (file, why) => `${file} could not be loaded (${why}), so there is no sandbox here.`,
  /** @param {string} why */
  notStarted: (why) => `Python did not start in this tab: ${why}`,
  /** @param {string} why */
  broke: (why) => `The sandbox broke down and was started anew: ${why}`,
  cancelled: "Cancelled.",
  noClose: "this worker is not to be closed",
  closed: "The sandbox is closed.",
};
