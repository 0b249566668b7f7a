// Commands, whoever carries them out: live mode sends them to the server, the
// sandbox gives them to its engine, and a recorded run has none.

/** @import {App} from "../state.js" */
/** @import {State} from "../log/types.d.ts" */
/** @import {Step} from "../command/state.js" */
/** @import {World} from "../command/panel.js" */
/** @import {Acts} from "./acts.js" */

import { answered, filled, formToggled, given } from "../command/state.js";
import { commandPanel, order } from "../command/panel.js";
import { partitionStep } from "../command/steps.js";
import { command as said } from "../command/words.js";
import { live as liveSaid } from "../live/words.js";
import { stateAt } from "../log/timeline.js";
import { isByHandAt } from "../sandbox/recipe.js";
import { recipeOf } from "../sandbox/recipes.js";
import { atEnd, currentBranch, goesOn, inRest, inTurn } from "../sandbox/state.js";
import { sandbox as sandboxSaid } from "../sandbox/words.js";
import * as change from "../state.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { marksAt } from "../view/judgement.js";
import { sentenceOf } from "./acts.js";
import { prose } from "./prose.js";

/** What the sandbox's engine does not do, by itself or by hand. */
const NOT_BY_HAND = new Set(["partition", "isolate", "cut", "heal", "drop", "delay", "duplicate", "reorder", "hold", "release", "cut_one_way"]);

/**
 * @param {Acts} acts
 * @param {ReturnType<typeof import("../live/room.js").makeLive>} live
 * @param {ReturnType<typeof import("../sandbox/room.js").makeSandbox>} sandbox
 */
export function makeCommands(acts, live, sandbox) {
  const { get, update } = acts;
  let nextId = 0;

  /** @param {(now: App["command"]) => App["command"]} step */
  const set = (step) => update((now) => ({ ...now, command: step(now.command) }));

  /** Give a command, and tell what became of it. @param {Step} step @param {number} [cursor] */
  async function give(step, cursor) {
    const { mode } = get();
    if (mode !== "live" && mode !== "sandbox") return acts.announce(sandboxSaid.recorded);
    nextId += 1;
    const id = nextId;
    const text = said.said(step);
    set((now) => given(now, { id, step, text }));
    // The panel tells what becomes of it, to a screen reader too.
    update((now) => ({ ...now, picked: [], panel: "do" }));
    const answer = await (mode === "live" ? live.command(step) : sandbox.command(step, cursor)).catch((error) => ({ ok: false, sentence: sentenceOf(error) }));
    set((now) => answered(now, id, answer.ok, answer.sentence));
    // Whoever pressed a button further down sees what became of it; who used a key looks elsewhere.
    if (document.activeElement?.closest("#panel")) {
      requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(".commands > .sent")?.scrollIntoView({ block: "nearest" })));
    }
  }
  sandbox.givenBy((step, cursor) => void give(step, cursor));

  const act = {
    now: get,
    give: (/** @type {Step} */ step) => void give(step),
    ask(/** @type {Step} */ step) {
      set((now) => ({ ...now, asking: { step, text: said.said(step) }, form: null }));
      update((now) => ({ ...now, panel: "do" }));
      // Enter then does it; Escape leaves it.
      requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById("confirm")?.focus()));
    },
    confirm() {
      const { asking } = get().command;
      if (asking !== null) void give(asking.step);
    },
    leave: () => set((now) => ({ ...now, asking: null })),
    open: (/** @type {string | null} */ form) => set((now) => formToggled(now, form)),
    fill: (/** @type {string} */ name, /** @type {string} */ value) => set((now) => filled(now, name, value)),
    node: (/** @type {string} */ node) => update((now) => change.nodePicked(now, node)),
    mark: (/** @type {string} */ node) => update((now) => change.nodeMarked(now, node)),
  };

  /** @param {import("../keys.js").Command} key */
  function obey(key) {
    if (key === "now") return live.goLive();
    const app = get();
    const world = worldOf(app);
    if (world === null) return app.mode === "live" || app.timeline === null ? undefined : acts.announce(sandboxSaid.recorded);
    if (key === "split") return split(app, world, act);
    if (app.node === null || !world.members.includes(app.node)) return acts.announce(said.chooseNode);
    if (key === "propose") {
      update((now) => ({ ...now, panel: "do", command: { ...now.command, form: "propose" } }));
      requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById("command-value")?.focus()));
    }
    if (key === "kill") order({ [statusOf(app, app.node) === "down" ? "start" : "kill"]: app.node }, world, act);
  }

  return {
    obey,
    split: {
      line: (/** @type {App["command"]["line"]} */ line) => set((now) => ({ ...now, line })),
      done: (/** @type {string[]} */ side) => {
        const world = worldOf(get());
        const step = world === null ? null : partitionStep(side, world.members);
        if (step !== null) void give(step);
      },
    },
    /** @param {App} app */
    splits: (app) => worldOf(app)?.knows("partition") ?? false,
    /** @param {App} app @param {State | null} state */
    panel: (app, state) => panel(app, state, act, sandbox, acts),
    /** @param {App} app */
    forkOffer: (app) =>
      app.timeline === null || recipeOf(app) === null
        ? nothing
        : html`<button class="fork" title=${sandboxSaid.forkHint} @click=${() => void acts.fork()}>${sandboxSaid.fork}</button>`,
  };
}

/** Part the marked nodes from the others; without marks, ask who stands where. @param {App} app @param {World} world @param {any} act */
function split(app, world, act) {
  const step = partitionStep(app.picked, world.members);
  if (step !== null) return act.give(step);
  act.open("partition");
}

/** As the ring and the buttons tell it: a key must do what they promise. @param {App} app @param {string} node */
function statusOf(app, node) {
  return (app.timeline === null ? null : shownState(app, stateAt(app.timeline, app.cursor)))?.nodes[node]?.status ?? "up";
}

/** What can be commanded now; null where nothing can. @param {App} app @returns {World | null} */
export function worldOf(app) {
  if (app.mode === "live") {
    const { info, token, ended } = app.live;
    if (!info?.run || !token || ended !== null) return null;
    const { members = [], commands = [], world = "local", instances = {}, faults = [] } = info;
    return {
      ...{ members, real: world === "docker", kind: world ?? "local", instances: Object.keys(instances), manual: false },
      knows: (verb) => commands.includes(verb),
      faults: faults.map(asFault),
    };
  }
  const branch = app.mode === "sandbox" ? currentBranch(app.sandbox) : null;
  if (branch === null || app.timeline === null) return null;
  const manual = isByHandAt(branch, atEnd(app) ? Infinity : app.cursor + 1);
  return {
    ...{ members: app.timeline.members, real: false, kind: "sandbox", instances: [], manual },
    knows: (verb) => !manual || !NOT_BY_HAND.has(verb),
    faults: atEnd(app) ? branch.faults.map(asFault) : faultsIn(app),
  };
}

/** @param {{name: string, verb: string, text: string}} fault */
function asFault({ name, text, verb }) {
  return { name, text, held: verb === "hold" };
}

/** The faults of the network in force at the cursor. @param {App} app */
function faultsIn({ timeline, cursor }) {
  if (timeline === null) return [];
  return stateAt(timeline, cursor).faults.flatMap(({ fault, detail }) => {
    const name = detail?.rule ?? (["partition", "isolate", "cut"].includes(fault) ? fault : null);
    return typeof name === "string" ? [{ name, text: fault, held: fault === "hold" }] : [];
  });
}

/**
 * @param {App} app @param {State | null} state @param {any} act
 * @param {ReturnType<typeof import("../sandbox/room.js").makeSandbox>} sandbox @param {Acts} acts
 */
function panel(app, state, act, sandbox, acts) {
  const world = worldOf(app);
  if (world !== null) {
    const held = app.mode === "sandbox" ? sandbox.held(app) : nothing;
    return html`${banner(app, world, acts)} ${commandPanel(app, shownState(app, state), world, act, world.manual ? held : nothing)}
    ${world.manual ? nothing : held} ${app.mode === "sandbox" ? sandbox.exploration(app) : nothing}`;
  }
  if (app.mode === "live") return html`<p class="muted small">${app.live.token ? prose(app.live.info?.why ?? "") : liveSaid.noToken}</p>`;
  if (app.mode === "sandbox") return html`<p class="muted small">${sandboxSaid.how}</p>`;
  return recorded(app, sandbox, acts);
}

/** What goes on is commanded as it is now, or in the end, and not as it is at the cursor. @param {App} app @param {State | null} state */
function shownState(app, state) {
  return app.timeline !== null && (app.mode === "live" || goesOn(app)) ? stateAt(app.timeline, app.timeline.length - 1) : state;
}

/** What the buttons hit. @param {App} app @param {World} world @param {Acts} acts */
function banner(app, world, acts) {
  if (app.mode === "live" && app.live.feed === "lost") return html`<p class="small hit cut-off" role="status">${liveSaid.cutOff}</p>`;
  if (app.mode === "live") return html`<p class="small hit">${said.liveNow(world.kind, liveSaid.where(world.kind, world.members))}.</p>`;
  const branch = currentBranch(app.sandbox);
  const end = branch === null ? 0 : branch.timeline.length - branch.closing;
  const wrong = brokenHere(app, acts);
  if (app.cursor + 1 >= end || inRest(app)) return wrong;
  const where = goesOn(app) ? said.goesOn : inTurn(app) ? said.inTurn(app.cursor + 1) : said.forks(app.cursor + 1);
  return html`${wrong}<p class="small hit">${where} <button class="primary" @click=${() => acts.go(end - 1)}>${said.toEnd}</button></p>`;
}

/** Play stops at a violation, and the commands stay: where it is told, and that it is no end. @param {App} app @param {Acts} acts */
function brokenHere(app, acts) {
  const here = app.timeline === null ? [] : marksAt(app).violations.filter((violation) => violation.at === app.cursor);
  if (here.length === 0) return nothing;
  const rules = [...new Set(here.map((violation) => violation.rule))];
  return html`<p class="small hit wrong" role="status">${said.brokenHere(rules)} <button @click=${() => acts.panel("verdict")}>${said.toVerdict}</button></p>`;
}

/** @param {App} app @param {ReturnType<typeof import("../sandbox/room.js").makeSandbox>} sandbox @param {Acts} acts */
function recorded(app, sandbox, acts) {
  const can = recipeOf(app) !== null;
  return html`
    <div class="commands">
      <p>${sandboxSaid.recorded}</p>
      ${can
        ? html`<p class="muted small">${sandboxSaid.forkHint}</p>
            <button class="primary" @click=${() => void acts.fork()}>${sandboxSaid.fork}</button>`
        : html`<p class="muted small">${sandboxSaid.recordedHow}</p>
            <pre class="shell">paxos-lab whatif ${app.source?.kind === "run" ? app.source.name : "RUN"} --at ${nameAt(app)}</pre>`}
      ${sandbox.exploration(app)}
    </div>
  `;
}

/** @param {App} app */
function nameAt({ timeline, cursor }) {
  return timeline === null ? "EVENT" : timeline.nameOf(Math.max(cursor, 0));
}
