// The small forms behind the buttons that need more than a click.

/** @import {App} from "../state.js" */
/** @import {World, CommandActs} from "./panel.js" */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { order } from "./panel.js";
import { DISK_FAULTS, FAILPOINTS, MESSAGE_KINDS, RULES, SETTINGS, configureStep, cutStep, freeName, partitionStep, proposeStep, ruleStep } from "./steps.js";
import { command as said } from "./words.js";

/** @param {App} app @param {World} world @param {string | null} node @param {CommandActs} act @returns {unknown} */
export function forms(app, world, node, act) {
  switch (app.command.form) {
    case "propose":
      return node === null ? html`<p class="muted small">${said.chooseNode}</p>` : propose(app, world, node, act);
    case "partition":
      return partition(app, world, act);
    case "cut":
      return cut(app, world, act);
    case "rule":
      return rule(app, world, act);
    case "release":
      return release(world, act);
    case "disk":
      return node === null ? nothing : disk(world, node, act);
    case "configure":
      return configure(app, act);
    case "failpoint":
      return node === null ? nothing : failpoint(app, node, act);
    default:
      return nothing;
  }
}

/** @param {() => void} submit it asks for what is filled in by then, for the last of it may not be drawn yet @param {unknown} body */
function form(submit, body) {
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
  };
  return html`<form class="form" @submit=${send}>${body}</form>`;
}

/** @param {import("./state.js").Step | null} step @param {CommandActs} act */
function giveIf(step, act) {
  if (step !== null) act.give(step);
}

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;

/**
 * @param {App} app @param {CommandActs} act @param {string} name @param {string} label
 * @param {[string, string][]} options
 */
function select(app, act, name, label, options) {
  const chosen = app.command.fields[name] ?? options[0][0];
  return html`<span class="field">
    <label class="muted" for="command-${name}">${label}</label>
    <select id="command-${name}" @change=${(/** @type {Event} */ event) => act.fill(name, valueOf(event))}>
      ${options.map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}
    </select>
  </span>`;
}

/** @param {App} app @param {CommandActs} act @param {string} name @param {string} label @param {string} usual */
function number(app, act, name, label, usual) {
  return html`<span class="field">
    <label class="muted" for="command-${name}">${label}</label>
    <input
      id="command-${name}"
      type="number"
      min="1"
      .value=${app.command.fields[name] ?? usual}
      @input=${(/** @type {Event} */ event) => act.fill(name, valueOf(event))}
    />
  </span>`;
}

/** @param {App} app @param {World} world @param {string} node @param {CommandActs} act */
function propose(app, world, node, act) {
  const { fields } = app.command;
  const value = fields.value ?? said.valueHint;
  return form(
    () => {
      const { value: wish = said.valueHint, instance } = act.now().command.fields;
      if (wish.trim() !== "") act.give(proposeStep(node, wish, instance));
    },
    html`
      <span class="field wide">
        <label class="muted" for="command-value">${said.value}</label>
        <input id="command-value" type="text" maxlength="200" autocomplete="off" .value=${value} @input=${(/** @type {Event} */ event) => act.fill("value", valueOf(event))} />
      </span>
      ${world.kind === "sandbox"
        ? nothing
        : select(app, act, "instance", said.instance, [
            ["", said.instanceCurrent],
            ["new", said.instanceNew],
            ...world.instances.map((name) => /** @type {[string, string]} */ ([name, name])),
          ])}
      <button class="primary">${said.give}</button>
    `,
  );
}

/** @param {App} app @param {World} world @param {CommandActs} act */
function partition(app, world, act) {
  const step = (/** @type {App} */ now) => partitionStep(now.picked, world.members);
  const other = world.members.filter((node) => !app.picked.includes(node));
  return form(
    () => giveIf(step(act.now()), act),
    html`
      ${marks(app, world, act, said.sides)}
      <p class="sides">${said.sidesAre(world.members.filter((node) => app.picked.includes(node)), other)}</p>
      <button class="primary" ?disabled=${step(app) === null}>${said.split}</button>
    `,
  );
}

/** @param {App} app @param {World} world @param {CommandActs} act */
function cut(app, world, act) {
  const endsOf = (/** @type {App} */ now) => world.members.filter((node) => now.picked.includes(node));
  const ends = endsOf(app);
  return form(
    () => giveIf(cutStep(endsOf(act.now())), act),
    html`
      ${marks(app, world, act, said.ends)}
      <p class="sides">${said.endsAre(ends)}</p>
      <button class="primary" ?disabled=${cutStep(ends) === null}>${said.cutIt}</button>
    `,
  );
}

/** Mark nodes, as Shift and a digit do. @param {App} app @param {World} world @param {CommandActs} act @param {string} how */
function marks(app, world, act, how) {
  return html`
    <p class="small muted">${how}</p>
    <div class="pick-node" role="group" aria-label=${how}>
      ${world.members.map(
        (node) => html`<button type="button" aria-pressed=${app.picked.includes(node)} @click=${() => act.mark(node)}>${node}</button>`,
      )}
    </div>
  `;
}

/** @param {App} app @param {World} world @param {CommandActs} act */
function rule(app, world, act) {
  const { fields } = app.command;
  const rules = RULES.filter((verb) => world.knows(verb));
  const verbOf = (/** @type {Record<string, string | undefined>} */ filled) => rules.find((one) => one === filled.rule) ?? rules[0];
  const verb = verbOf(fields);
  const nodes = world.members.map((node) => /** @type {[string, string]} */ ([node, node]));
  return form(
    () => {
      const filled = act.now().command.fields;
      const chosen = verbOf(filled);
      act.give(ruleStep(chosen, filled, freeName(chosen, world.faults.map((fault) => fault.name))));
    },
    html`
      ${select(app, act, "rule", said.what, rules.map((one) => [one, said.rules[one]]))}
      ${select(app, act, "kinds", said.kinds, [["", said.anyKind], ...MESSAGE_KINDS.map((kind) => /** @type {[string, string]} */ ([kind, kind]))])}
      ${select(app, act, "from", said.from, [["", said.anyone], ...nodes])} ${select(app, act, "to", said.to, [["", said.anyone], ...nodes])}
      ${["drop", "duplicate", "reorder"].includes(verb) ? number(app, act, "percent", said.percent, "100") : nothing}
      ${["delay", "reorder"].includes(verb) ? number(app, act, "delay_ms", said.delay, "50") : nothing}
      <button class="primary">${said.give}</button>
    `,
  );
}

/** @param {World} world @param {CommandActs} act */
function release(world, act) {
  if (world.faults.length === 0) return html`<p class="small muted">${said.nothingInForce}</p>`;
  return html`
    <ul class="plain form">
      ${world.faults.map(
        ({ name, text, held }) => html`<li>
          <button @click=${() => act.give(held ? { release: { name } } : { heal: [name] })}>${held ? said.releaseOne(name) : said.healOne(name)}</button>
          ${held ? html`<button @click=${() => act.give({ release: { name, first: 1 } })}>${said.releaseFirst(name)}</button>` : nothing}
          <span class="small muted">${text}</span>
        </li>`,
      )}
    </ul>
  `;
}

/** @param {World} world @param {string} node @param {CommandActs} act */
function disk(world, node, act) {
  return html`
    <ul class="plain form">
      ${DISK_FAULTS.map(
        (fault) => html`<li>
          <button @click=${() => order({ disk_fault: { node, fault } }, world, act)}>${said.diskFaults[fault]}</button>
          <span class="small muted">${said.diskFaultHints[fault]}</span>
        </li>`,
      )}
    </ul>
  `;
}

/** Settings, each as it is unless it is filled in. @param {App} app @param {CommandActs} act */
function configure(app, act) {
  const send = () => {
    const step = configureStep(act.now().command.fields);
    if (step === null) return;
    act.give(step);
    // They are in force now: the next change begins with none of them.
    for (const [name] of SETTINGS) act.fill(name, "");
  };
  return form(
    send,
    html`
      <p class="small muted wide">${said.configureHow}</p>
      ${SETTINGS.map(([name, options]) =>
        options === "number"
          ? html`<span class="field" title=${said.settingHints[name]}>
              <label class="muted" for="command-${name}">${said.settings[name]}</label>
              <input
                id="command-${name}"
                type="number"
                min="1"
                placeholder=${said.asItIs}
                .value=${app.command.fields[name] ?? ""}
                @input=${(/** @type {Event} */ event) => act.fill(name, valueOf(event))}
              />
            </span>`
          : select(app, act, name, said.settings[name], [["", said.asItIs], ...options.map((one) => /** @type {[string, string]} */ ([one, said.settingOptions[one]]))]),
      )}
      <button class="primary" ?disabled=${configureStep(app.command.fields) === null}>${said.give}</button>
    `,
  );
}

/** @param {App} app @param {string} node @param {CommandActs} act */
function failpoint(app, node, act) {
  return form(
    () => {
      const { point = FAILPOINTS[0], kind, crash } = act.now().command.fields;
      act.give({ failpoint: { node, point, ...(kind ? { kind } : {}), ...(crash === "power" ? { power: true } : {}) } });
    },
    html`
      ${select(app, act, "point", said.point, FAILPOINTS.map((point) => [point, said.failpoints[point]]))}
      ${select(app, act, "kind", said.kinds, [["", said.anyKind], ...MESSAGE_KINDS.map((kind) => /** @type {[string, string]} */ ([kind, kind]))])}
      ${select(app, act, "crash", said.crash, [["kill", said.crashes.kill], ["power", said.crashes.power]])}
      <button class="primary">${said.give}</button>
    `,
  );
}
