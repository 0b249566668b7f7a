// What a person is about to command, and what became of what was commanded.

/** @typedef {Record<string, any>} Step one step of a scenario, as docs/scenarios.md has it */

/**
 * @typedef {object} Sent a command that was given
 * @property {number} id
 * @property {Step} step
 * @property {string} text the command in words
 * @property {"pending" | "done" | "refused"} state
 * @property {string} answer what the world said to it
 */

/**
 * @typedef {object} Commanding
 * @property {string | null} form the verb whose form is open
 * @property {Record<string, string>} fields what has been filled in, by name
 * @property {{step: Step, text: string} | null} asking what waits for a yes, because it hits real containers
 * @property {Sent[]} sent the newest first
 * @property {{from: [number, number], to: [number, number]} | null} line that is being drawn across the ring
 */

/** @type {Commanding} */
export const COMMAND_FIRST = { form: null, fields: {}, asking: null, sent: [], line: null };

/** How many answers stay in sight. */
const KEPT = 6;

/** Open the form of a verb, or close it when it is open. @param {Commanding} now @param {string | null} form @returns {Commanding} */
export function formToggled(now, form) {
  return { ...now, form: now.form === form ? null : form, asking: null };
}

/** @param {Commanding} now @param {string} name @param {string} value @returns {Commanding} */
export function filled(now, name, value) {
  return { ...now, fields: { ...now.fields, [name]: value } };
}

/** @param {Commanding} now @param {Pick<Sent, "id" | "step" | "text">} one @returns {Commanding} */
export function given(now, one) {
  const sent = /** @type {Sent} */ ({ ...one, state: "pending", answer: "" });
  return { ...now, asking: null, form: null, sent: [sent, ...now.sent].slice(0, KEPT) };
}

/** @param {Commanding} now @param {number} id @param {boolean} ok @param {string} answer @returns {Commanding} */
export function answered(now, id, ok, answer) {
  const sent = now.sent.map((one) => (one.id === id ? { ...one, state: /** @type {Sent["state"]} */ (ok ? "done" : "refused"), answer } : one));
  return { ...now, sent };
}
