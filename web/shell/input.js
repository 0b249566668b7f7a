// Keys and dropped files.

/** @import {Acts} from "./acts.js" */
/** @import {Command} from "../keys.js" */

import { commandOf } from "../keys.js";
import { nodeMarked } from "../state.js";
import { roomsKey } from "./rooms.js";

/** Commands that mean something where no run is shown. */
const ALWAYS = new Set(["help", "close", "now"]);

/** @param {Acts} acts @param {{obey: (command: Command) => void, node: (node: string) => void}} act */
export function listenToKeys(acts, { obey, node }) {
  document.addEventListener("keydown", (event) => {
    const app = acts.get();
    if (roomsKey(app, acts, event)) return event.preventDefault();
    const command = commandOf(event);
    if (command === null) return;
    if (typeof command === "string") {
      if (app.timeline === null && !ALWAYS.has(command)) return;
      event.preventDefault();
      return obey(command);
    }
    const marking = "mark" in command;
    const name = `n${marking ? command.mark : command.node}`;
    if (!app.timeline?.lanes.includes(name)) return;
    event.preventDefault();
    if (marking) acts.update((now) => nodeMarked(now, name));
    else node(name);
  });
}

/** @param {(transfer: DataTransfer) => void} open */
export function listenToFiles(open) {
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    if (event.dataTransfer !== null) open(event.dataTransfer);
  });
}
