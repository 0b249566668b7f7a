// What the drawing and the list of events have to say, beside words.js.

export const viewWords = {
  scanning: (/** @type {string} */ found, /** @type {number} */ part) => `${found} so far, ${Math.floor(part * 100)} % searched`,
};
