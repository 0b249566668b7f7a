// What a room may ask of the page. main.js makes one such object, and hands
// the same one to every room.

/** @import {App, Panel, Sheet} from "../state.js" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Step} from "../command/state.js" */
/** @import {Recipe} from "../sandbox/state.js" */
/** @import {Store} from "./store.js" */

import { words } from "../words.js";

/**
 * @typedef {object} Acts
 * @property {() => App} get the present state
 * @property {(step: (app: App) => App) => void} update
 * @property {(at: number) => void} go to a moment, and stop playing
 * @property {(name: string, at?: string | number, instance?: number) => Promise<void>} openStory at a line's name or its place
 * @property {(name: string, at?: string | number, instance?: number) => Promise<void>} openRun
 * @property {(recipe: Recipe, at?: string | number) => Promise<void>} openSandbox
 * @property {(step?: Step) => Promise<void>} fork bring what is shown into the sandbox, and command something at the cursor
 * @property {() => Promise<any>} engine the sandbox's engine, started if need be; an Error's message is a sentence
 * @property {() => void} judge let the engine judge what is shown, where nobody has
 * @property {(name: string, type: string, content: string | Blob) => void} download
 * @property {(text: string) => void} announce say something to everyone: a screen reader hears it, others see it
 * @property {(sentence: string) => void} trouble
 * @property {(panel: Panel) => void} panel open a side panel
 * @property {(sheet: Sheet | null) => void} sheet open a sheet, or close it
 * @property {() => Promise<Map<string, string>>} texts the files of what is shown, as they were read; its log is `events.jsonl`
 * @property {() => Promise<string>} link the address of this moment
 * @property {(kind: "run" | "story", name: string) => Promise<{timeline: Timeline, meta: any, name: string}>} load a run without showing it
 */

/** How long a short answer stays on the screen. */
const TOAST_MS = 6000;

/**
 * Hand something to the person as a file.
 * @param {string} name @param {string} type @param {string | Blob} content
 */
export function download(name, type, content) {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken hold of the blob once the click has been handled.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * The acts that need nothing but the state.
 * @param {Store} store
 */
export function plainActs({ get, update }) {
  /** @type {number | undefined} */
  let fading;
  return {
    get,
    update,
    download,
    /** @param {string} text */
    announce(text) {
      update((now) => ({ ...now, toast: text }));
      window.clearTimeout(fading);
      fading = window.setTimeout(() => update((now) => (now.toast === text ? { ...now, toast: null } : now)), TOAST_MS);
    },
    /** @param {string} sentence */
    trouble: (sentence) => update((now) => ({ ...now, busy: null, trouble: sentence })),
    /** @param {Panel} panel */
    panel: (panel) => update((now) => ({ ...now, panel })),
    /** @param {Sheet | null} sheet */
    sheet: (sheet) => update((now) => ({ ...now, sheet, trouble: null })),
  };
}

/** A failure as a sentence. @param {unknown} error */
export function sentenceOf(error) {
  return error instanceof Error ? error.message : words.wentWrong(String(error));
}
