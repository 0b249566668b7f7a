// Keeps the text of old lines packed, outside the page's own thread.
//
// In: {run, number, text} to keep, {run, number} to ask, {forget: run}.
// Out: {run, number} once a text is kept, {run, number, text} as an answer.

/** By run, then by number. @type {Map<number, Map<number, ArrayBuffer>>} */
const kept = new Map();

addEventListener("message", ({ data }) => {
  if (data.forget !== undefined) kept.delete(data.forget);
  else if (data.text !== undefined) void keep(data);
  else void answer(data);
});

/** @param {{run: number, number: number, text: string}} what */
async function keep({ run, number, text }) {
  const packed = await through(text, new CompressionStream("deflate-raw"));
  let texts = kept.get(run);
  if (texts === undefined) kept.set(run, (texts = new Map()));
  texts.set(number, packed);
  postMessage({ run, number });
}

/** @param {{run: number, number: number}} what */
async function answer({ run, number }) {
  const packed = kept.get(run)?.get(number) ?? new ArrayBuffer(0);
  postMessage({ run, number, text: new TextDecoder().decode(await through(packed, new DecompressionStream("deflate-raw"))) });
}

/** @param {string | ArrayBuffer} content @param {CompressionStream | DecompressionStream} way @returns {Promise<ArrayBuffer>} */
function through(content, way) {
  return new Response(new Blob([content]).stream().pipeThrough(/** @type {any} */ (way))).arrayBuffer();
}
