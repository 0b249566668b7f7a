// The engine of the sandbox: started once, in the background, when somebody
// first needs it. The page never waits for it.

/** @import {Store} from "../shell/store.js" */
/** @import {Sandbox} from "./state.js" */

import { sandbox as said } from "./words.js";

/** How much of the start each stage takes, roughly. @type {Record<string, [number, number]>} */
const PARTS = { pyodide: [0, 0.5], core: [0.5, 0.05], python: [0.55, 0.45], ready: [1, 0] };

/** @param {Store} store */
export function makeEngine({ get, update }) {
  /** @type {Promise<any> | null} */
  let starting = null;

  /** @param {Partial<Sandbox>} part */
  const set = (part) => update((now) => ({ ...now, sandbox: { ...now.sandbox, ...part } }));

  /** Whether the server offers one; where not, why. */
  async function offered() {
    const response = await fetch("sandbox.json").catch(() => null);
    const offer = response !== null && response.ok ? await response.json() : { available: false, why: said.missing };
    if (!offer.available) set({ engine: "missing", stage: offer.why });
    return offer.available === true;
  }

  async function start() {
    if (!(await offered())) throw new Error(get().sandbox.stage);
    set({ engine: "starting", progress: 0, stage: "pyodide" });
    try {
      const { Engine } = await import("./engine.js");
      const engine = await Engine.start(progress);
      set({ engine: "ready", progress: 1, stage: "ready" });
      return engine;
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      set({ engine: "failed", stage: sentence });
      throw new Error(sentence);
    }
  }

  /** @param {{stage: string, loaded?: number, total?: number}} seen */
  function progress({ stage, loaded = 0, total = 0 }) {
    const [begin, part] = PARTS[stage] ?? [0, 0];
    const done = total > 0 ? Math.min(loaded / total, 1) : 0;
    set({ engine: stage === "ready" ? "ready" : "starting", stage, progress: begin + part * done });
  }

  return {
    offered,
    /** @returns {Promise<any>} an Error's message is a sentence */
    engine() {
      starting ??= start().catch((error) => {
        // It may be tried again: a server may have been started meanwhile.
        starting = null;
        throw error;
      });
      return starting;
    },
  };
}
