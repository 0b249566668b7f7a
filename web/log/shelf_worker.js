// Packs the text of old lines outside the page's own thread, and keeps nothing:
// what this worker has done is not lost with it.
//
// In: {job, text}. Out: {job, bytes: ArrayBuffer}, or {job} where that failed.

import { packed } from "./packing.js";

addEventListener("message", async ({ data: { job, text } }) => {
  try {
    const bytes = await packed(text);
    /** @type {any} */ (globalThis).postMessage({ job, bytes }, [bytes]);
  } catch {
    postMessage({ job });
  }
});
