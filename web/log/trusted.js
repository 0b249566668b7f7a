// Workers of this page: their addresses are scripts, so the page's policy wants
// them made by a named policy that knows what it lets through.

const NAME = "paxos-lab-worker";

/** @type {{createScriptURL: (address: string) => any} | null} */
let policy = null;

/** Only the page's own files. @param {string} address */
function own(address) {
  const url = new URL(address);
  if (url.origin !== location.origin || !url.pathname.endsWith(".js")) throw new TypeError(`not a worker of this page: ${address}`);
  return url.href;
}

/**
 * The address of a worker, in the form that `new Worker` takes.
 * @param {string | URL} address absolute
 */
export function workerUrl(address) {
  const factory = /** @type {any} */ (window).trustedTypes;
  if (factory === undefined) return own(String(address));
  policy ??= /** @type {NonNullable<typeof policy>} */ (factory.createPolicy(NAME, { createScriptURL: own }));
  return policy.createScriptURL(String(address));
}
