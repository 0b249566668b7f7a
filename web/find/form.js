// The form beside the query: the same query, field by field.

/** @import {Timeline} from "../log/timeline.js" */
/** @import {Query, Shape, Op, Link} from "./query.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { words as base } from "../words.js";
import { ANSWERS, FATES, GROUPS, KINDS, LINKS, formatQuery, parseQuery, withTerm } from "./query.js";
import { findWords as words } from "./words.js";

/** @type {Query} */
const EMPTY = { shapes: [{ kinds: [], terms: [] }], links: [] };
const ORDERED = /** @type {Op[]} */ ([":", "!=", "<", "<=", ">", ">="]);
const EQUAL = /** @type {Op[]} */ ([":", "!="]);

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;

/**
 * @param {Timeline} timeline @param {Query | null} query what stands in the text, if it can be read
 * @param {(change: (query: Query) => Query) => void} edit the query as it stands when something is changed
 */
export function queryForm(timeline, query, edit) {
  const { shapes, links } = query ?? EMPTY;
  return html`
    <div class="find-form">
      ${shapes.map(
        (shape, place) => html`
          <fieldset>
            <legend>${words.messageNumber[place]}</legend>
            ${place === 0 ? nothing : linkField(place, links, (link) => edit((now) => ({ ...now, links: replaced(now.links, place - 1, () => link) })))}
            ${shapeFields(timeline, shape, place, (change) => edit((now) => ({ ...now, shapes: replaced(now.shapes, place, change) })))}
            ${place === 0 || place < shapes.length - 1 ? nothing : html`<button @click=${() => edit(shorter)}>${words.removeMessage}</button>`}
          </fieldset>
        `,
      )}
      ${shapes.length === 3 ? nothing : html`<button @click=${() => edit(longer)}>${words.addMessage}</button>`}
    </div>
  `;
}

/** @template T @param {T[]} all @param {number} place @param {(one: T) => T} change */
function replaced(all, place, change) {
  return all.map((one, index) => (index === place ? change(one) : one));
}

/** @param {Query} query @returns {Query} */
function longer({ shapes, links }) {
  return { shapes: [...shapes, { kinds: [], terms: [] }], links: [...links, "then"] };
}

/** @param {Query} query @returns {Query} */
function shorter({ shapes, links }) {
  return { shapes: shapes.slice(0, -1), links: links.slice(0, -1) };
}

/** The text with a change made in the form; where it cannot be read, the form begins anew. @param {string} text @param {(query: Query) => Query} change */
export function edited(text, change) {
  return formatQuery(change(parseQuery(text).query ?? EMPTY));
}

/** @param {number} place @param {Link[]} links @param {(link: Link) => void} set */
function linkField(place, links, set) {
  return choice(`find-link-${place}`, words.linkName, links[place - 1], LINKS.map((link) => [link, words.links[link]]), (value) => set(/** @type {Link} */ (value)));
}

/** @param {Timeline} timeline @param {Shape} shape @param {number} place @param {(change: (shape: Shape) => Shape) => void} set */
function shapeFields(timeline, shape, place, set) {
  const group = Object.keys(GROUPS).find((name) => GROUPS[name].join() === shape.kinds.join());
  const kind = group === "message" ? "" : (group ?? shape.kinds[0]);
  const kinds = /** @type {[string, string][]} */ ([
    ["", words.anyKind],
    ["request", words.request],
    ["reply", words.reply],
    ...KINDS.map((name) => [name, base.kinds[name]]),
  ]);
  const nodes = /** @type {[string, string][]} */ ([["", words.anyNode], ...timeline.lanes.map((node) => [node, node])]);
  const simple = (/** @type {string} */ field, /** @type {string} */ name, /** @type {[string, string][]} */ choices) =>
    choice(`find-${field}-${place}`, name, valueIn(shape, field), withOwn(choices, valueIn(shape, field)), (value) =>
      set((now) => withTerm(now, field, opIn(now, field), value)),
    );
  const told = (/** @type {string[]} */ names, /** @type {Record<string, string>} */ said) =>
    /** @type {[string, string][]} */ ([["", words.any], ...names.map((name) => [name, said[name]])]);
  return html`
    ${choice(`find-kind-${place}`, words.kind, kind, kinds, (value) => set((now) => ({ ...now, kinds: value === "" ? [] : (GROUPS[value] ?? [value]) })))}
    ${simple("from", words.from, nodes)} ${simple("to", words.toNode, nodes)}
    ${compared(shape, "ballot", words.ballot, place, ORDERED, words.ballotHint, set)}
    ${compared(shape, "value", words.value, place, EQUAL, words.valueHint, set)}
    ${compared(shape, "reports", words.reported, place, EQUAL, words.valueHint, set)}
    ${simple("fate", words.fate, told(FATES, words.fates))} ${simple("answer", words.answer, told(ANSWERS, words.answers))}
  `;
}

/** @param {Shape} shape @param {string} field */
function valueIn(shape, field) {
  return shape.terms.find((term) => term.field === field)?.values.join(",") ?? "";
}

/** @param {Shape} shape @param {string} field @returns {Op} */
function opIn(shape, field) {
  return shape.terms.find((term) => term.field === field)?.op ?? ":";
}

/** What the text says stays in the choice, also where it is no simple one. @param {[string, string][]} choices @param {string} own @returns {[string, string][]} */
function withOwn(choices, own) {
  return choices.some(([value]) => value === own) ? choices : [...choices, [own, own]];
}

/** @param {string} id @param {string} name @param {string} now @param {[string, string][]} choices @param {(value: string) => void} set */
function choice(id, name, now, choices, set) {
  return html`<label for=${id}>${name}</label>
    <select id=${id} @change=${(/** @type {Event} */ event) => set(valueOf(event))}>
      ${choices.map(([value, text]) => html`<option value=${value} .selected=${value === now}>${text}</option>`)}
    </select>`;
}

/**
 * @param {Shape} shape @param {string} field @param {string} name @param {number} place @param {Op[]} ops @param {string} hint
 * @param {(change: (shape: Shape) => Shape) => void} set
 */
function compared(shape, field, name, place, ops, hint, set) {
  const id = `find-${field}-${place}`;
  const [op, value] = [opIn(shape, field), valueIn(shape, field)];
  return html`<label for=${id}>${name}</label>
    <span class="find-pair">
      <select
        aria-label="${name}, ${words.comparison}"
        @change=${(/** @type {Event} */ event) => value !== "" && set((now) => withTerm(now, field, /** @type {Op} */ (valueOf(event)), valueIn(now, field)))}
      >
        ${ops.map((one) => html`<option value=${one} .selected=${one === op}>${words.ops[one]}</option>`)}
      </select>
      <input
        id=${id}
        type="text"
        placeholder=${hint}
        .value=${value}
        @change=${(/** @type {Event} */ event) => {
          const select = /** @type {HTMLSelectElement} */ (/** @type {HTMLElement} */ (event.target).previousElementSibling);
          set((now) => withTerm(now, field, /** @type {Op} */ (select.value), valueOf(event).trim()));
        }}
      />
    </span>`;
}
