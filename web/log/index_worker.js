// Indexes a log outside the page's own thread, so that the page does not stop
// while it is read. One request per worker: it ends by itself.
//
// In: {blob, name, catalogue, members}. Out: {part} from 0 to 1 now and then,
// at last {columns: ArrayBuffer} or {trouble: sentence}.

import { digestOf, samplePlaces } from "./columns.js";
import { LogError } from "./files.js";
import { LogReader } from "./reading.js";

const PIECE_BYTES = 4 << 20;

addEventListener("message", (event) => {
  indexed(event.data).then(
    (columns) => postMessage({ columns }, { transfer: [columns] }),
    (error) => {
      postMessage({ trouble: error instanceof LogError ? error.message : `${error}` });
    },
  );
});

/** @param {{blob: Blob, name: string, catalogue: import("./types.d.ts").Catalogue, members: string[]}} request */
async function indexed({ blob, name, catalogue, members }) {
  const reader = new LogReader(catalogue, name, members);
  const piece = (/** @type {number} */ from) => blob.slice(from, from + PIECE_BYTES).arrayBuffer();
  // The next piece is read from the disk while this one is indexed.
  let next = piece(0);
  for (let from = 0; from < blob.size; from += PIECE_BYTES) {
    const bytes = new Uint8Array(await next);
    next = piece(from + PIECE_BYTES);
    reader.take(bytes);
    postMessage({ part: Math.min((from + PIECE_BYTES) / blob.size, 1) });
  }
  await next;
  const samples = await Promise.all(samplePlaces(blob.size).map(async ([from, to]) => new Uint8Array(await blob.slice(from, to).arrayBuffer())));
  return reader.end(blob.size, digestOf(samples));
}
