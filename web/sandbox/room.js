// The sandbox: a cluster in this tab. A run is a recipe; a command given in
// its past makes another recipe, and so another branch beside it.

/** @import {App} from "../state.js" */
/** @import {Catalogue} from "../log/types.d.ts" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Store} from "../shell/store.js" */
/** @import {Step} from "../command/state.js" */
/** @import {Branch, Recipe, Sandbox} from "./state.js" */

import { withVerdict, withWhy } from "../log/timeline.js";
import { readRun } from "../shell/open.js";
import { sentenceOf } from "../shell/acts.js";
import { compareWith } from "../shell/rooms.js";
import { verbOf } from "../command/steps.js";
import * as change from "../state.js";
import { branchRows } from "./branches.js";
import { makeEngine } from "./engine-room.js";
import { BOUNDS, exploration } from "./explore.js";
import { heldList, messageSteps } from "./hand.js";
import { recipeOf } from "./recipes.js";
import { branched, currentBranch, divergence, dropped, forked } from "./state.js";
import { sandboxBeside, sandboxStage } from "./view.js";
import { sandbox as said } from "./words.js";

/** Lines that confirm a command, and how soon after its first trace they come. */
const CONFIRMS = new Set(["fault_applied", "fault_undone", "propose_received"]);
const SEEN_WITHIN = 60;
/** Steps that command nothing. */
const WAITS = new Set(["wait", "learned", "await", "exits", "refuses", "measure"]);
/** More branches than this are no help to anyone, and each keeps a whole log. */
const MOST_BRANCHES = 12;

/**
 * @param {Store} store @param {Omit<Acts, "engine" | "fork" | "openSandbox" | "judge" | "link">} acts @param {() => Catalogue} catalogue
 */
export function makeSandbox(store, acts, catalogue) {
  const { get, update } = store;
  const { engine, offered } = makeEngine(store);
  let nextId = 0;

  /** @param {Partial<Sandbox>} part */
  const set = (part) => update((now) => ({ ...now, sandbox: { ...now.sandbox, ...part } }));

  /**
   * Let the engine make a run.
   * @param {Recipe} recipe @param {string} busy what to say meanwhile
   * @param {Pick<Branch, "parent" | "at"> & {name: string}} place
   * @returns {Promise<{branch: Branch, refused: {command: number, sentence: string}[]}>}
   */
  async function made(recipe, busy, { parent, at, name }) {
    set({ busy });
    try {
      const result = await (await engine()).run(recipe);
      const files = new Map([["events.jsonl", result.lines]]);
      for (const part of ["run", "verdict", "why"]) if (result[part]) files.set(`${part}.json`, JSON.stringify(result[part]));
      const read = readRun(catalogue(), files, name);
      const old = get().sandbox.branches.find((one) => one.id === parent);
      nextId += 1;
      const branch = {
        ...{ id: nextId, name, title: name, parent, at, recipe, timeline: read.timeline, text: result.lines, meta: read.meta },
        divergence: old === undefined ? -1 : divergence(old.text, result.lines),
        ...{ verdict: result.verdict, why: result.why, held: result.held ?? [], stopped: result.stopped_why ?? "", ended: result.stopped ?? "" },
        ...{ closing: result.closing ?? 0, sha256: result.sha256, scenario: result.scenario ?? null, scenarioWhy: result.scenario_why ?? "" },
        faults: result.faults ?? [],
      };
      return { branch, refused: result.refused ?? [] };
    } finally {
      set({ busy: null });
    }
  }

  /** @param {Branch} branch @param {number} cursor @param {boolean} [keepView] */
  function show(branch, cursor, keepView = false) {
    update((now) => {
      const source = { kind: /** @type {const} */ ("sandbox"), name: branch.name };
      const run = { timeline: branch.timeline, name: branch.name, source, notice: null, meta: branch.meta, recipe: branch.recipe };
      const { left, scale, panel, instance, node } = now;
      const opened = change.moved(change.opened(now, run), cursor);
      const view = keepView ? { left, scale, panel, instance, node } : { panel: /** @type {const} */ ("do") };
      return change.moved({ ...opened, ...view, sandbox: { ...opened.sandbox, current: branch.id, whatif: null } }, cursor);
    });
  }

  /**
   * Open a run of its own: what was there before is dropped.
   * @param {Recipe} recipe @param {string | number} [at]
   */
  async function open(recipe, at) {
    update((now) => ({ ...change.modeChanged(now, "sandbox"), trouble: null }));
    set({ making: false });
    try {
      const { branch } = await made(recipe, said.running, { parent: null, at: -1, name: said.first });
      update((now) => ({ ...now, sandbox: { ...now.sandbox, branches: [], current: -1 } }));
      update((now) => ({ ...now, sandbox: branched(now.sandbox, branch) }));
      const place = typeof at === "string" ? Math.max(branch.timeline.at(at), 0) : at;
      show(branch, place ?? firstMoment(branch));
      if (recipe.scenario === null && recipe.commands.length === 0) update(invited);
    } catch (error) {
      acts.trouble(sentenceOf(error));
    }
  }

  /** A cluster that rests waits for a client: have the form for it open. @param {App} now @returns {App} */
  function invited(now) {
    return { ...now, node: "n1", command: { ...now.command, form: "propose" } };
  }

  /** @param {Branch} branch */
  function firstMoment({ timeline, recipe }) {
    const violation = timeline.points.find((point) => point.kind === "violation");
    if (violation !== undefined) return violation.at;
    // A cluster that rests is shown as it is now; a story from its start.
    return recipe.scenario === null ? timeline.length - 1 : 0;
  }

  /** After how many lines a command is given that is given at the cursor. @param {Branch} branch @param {number} cursor */
  function afterOf({ timeline, closing }, cursor) {
    return Math.min(cursor + 1, timeline.length - closing);
  }

  /**
   * Give a command at the cursor, or at another moment.
   * @param {Step} step @param {number} [cursor]
   * @returns {Promise<{ok: boolean, sentence: string}>}
   */
  async function command(step, cursor = get().cursor) {
    const parent = currentBranch(get().sandbox);
    if (parent === null) return { ok: false, sentence: said.wantsSandbox };
    const after = afterOf(parent, cursor);
    const last = after >= parent.timeline.length - parent.closing;
    const { branches } = get().sandbox;
    if (!last && branches.length >= MOST_BRANCHES) return { ok: false, sentence: said.tooManyBranches };
    const recipe = forked(parent.recipe, after, step);
    const name = last ? parent.name : said.branch(branches.length);
    const place = last ? { parent: parent.parent, at: parent.at } : { parent: parent.id, at: after - 1 };
    const { branch, refused } = await made(recipe, last ? said.running : said.forking, { ...place, name });
    const no = refused.find((one) => one.command === recipe.commands.length - 1);
    if (no !== undefined) return { ok: false, sentence: no.sentence };
    if (last) extend(parent, branch);
    else update((now) => ({ ...now, sandbox: branched(now.sandbox, branch) }));
    // Where the command shows first: what was under way at that moment comes before it.
    const shows = last ? divergence(parent.text, branch.text) : branch.divergence;
    // By hand one delivers message after message: the list of what waits stands at the end.
    const seen = recipe.manual ? branch.timeline.length - 1 - branch.closing : seenAt(branch.timeline, Math.max(after, shows));
    show(last ? { ...branch, id: parent.id } : branch, seen, true);
    return { ok: true, sentence: said.wentOn(branch.stopped) };
  }

  /**
   * Where a command is seen: at the line that confirms it. Some that only
   * follow from it, such as links that go down, may come before.
   * @param {import("../log/timeline.js").Timeline} timeline @param {number} from
   */
  function seenAt(timeline, from) {
    const last = timeline.length - 1;
    for (let at = from; at <= Math.min(from + SEEN_WITHIN, last); at += 1) if (CONFIRMS.has(timeline.eventOf(at))) return at;
    return Math.min(from, last);
  }

  /** At its end a run goes on, and is no other branch. @param {Branch} parent @param {Branch} branch */
  function extend(parent, branch) {
    const longer = { ...branch, id: parent.id };
    const swap = (/** @type {Branch} */ one) => (one.id === parent.id ? longer : one);
    update((now) => ({ ...now, sandbox: { ...now.sandbox, branches: now.sandbox.branches.map(swap), current: parent.id } }));
  }

  /** Bring what is shown into the sandbox, at its moment; and command something there. @param {Step} [step] */
  async function fork(step) {
    const app = get();
    if (app.mode !== "sandbox") {
      const recipe = recipeOf(app);
      if (recipe === null) return acts.trouble(said.recordedHow);
      await open(recipe, Math.max(app.cursor, 0));
      if (get().trouble !== null) return;
    }
    if (step === undefined) return;
    const answer = await command(step).catch((error) => ({ ok: false, sentence: sentenceOf(error) }));
    if (!answer.ok) acts.trouble(answer.sentence);
  }

  /** Take another turn here without a command yet: what waits at this moment becomes what waits. */
  async function rewind() {
    const parent = currentBranch(get().sandbox);
    if (parent === null) return;
    const after = afterOf(parent, get().cursor);
    const recipe = { ...parent.recipe, commands: parent.recipe.commands.filter((one) => one.after < after) };
    const name = said.branch(get().sandbox.branches.length);
    try {
      const { branch } = await made(recipe, said.forking, { parent: parent.id, at: after - 1, name });
      update((now) => ({ ...now, sandbox: branched(now.sandbox, branch) }));
      show(branch, branch.timeline.length - 1 - branch.closing, true);
    } catch (error) {
      acts.trouble(sentenceOf(error));
    }
  }

  /** What can still come of this moment. */
  async function explore() {
    const app = get();
    const branch = currentBranch(app.sandbox);
    const lines = acts.texts().get("events.jsonl");
    if (app.timeline === null || lines === undefined) return;
    set({ busy: said.exploring, whatif: null });
    try {
      const at = app.cursor + 1;
      const bounds = Object.fromEntries(BOUNDS.map(([name, usual]) => [name, Number(app.sandbox.form[name] ?? usual[0])]));
      const request = { ...(app.recipe === null ? { jsonl: lines, run: app.meta } : { recipe: app.recipe }), at, ...bounds };
      const answer = await (await engine()).whatif(request);
      set({ busy: null, whatif: { at: app.cursor, branch: branch?.id ?? -1, answer } });
    } catch (error) {
      set({ busy: null });
      if (!(/** @type {any} */ (error).cancelled)) acts.trouble(sentenceOf(error));
    }
  }

  /** The shortest way to what goes wrong, as a branch. */
  async function takeWay() {
    const { whatif, branches } = get().sandbox;
    const parent = branches.find((one) => one.id === whatif?.branch);
    if (whatif === null || parent === undefined) return;
    const after = afterOf(parent, whatif.at);
    const kept = parent.recipe.commands.filter((one) => one.after <= after);
    const more = whatif.answer.steps.filter((/** @type {Step} */ step) => !WAITS.has(verbOf(step)));
    const recipe = { ...parent.recipe, commands: [...kept, ...more.map((/** @type {Step} */ step) => ({ after, do: step }))] };
    try {
      const { branch, refused } = await made(recipe, said.forking, { parent: parent.id, at: after - 1, name: said.wayName });
      if (refused.length > 0) acts.announce(refused[0].sentence);
      update((now) => ({ ...now, sandbox: branched(now.sandbox, branch) }));
      show(branch, Math.min(after, branch.timeline.length - 1), true);
    } catch (error) {
      acts.trouble(sentenceOf(error));
    }
  }

  /** Judge what is shown: a log that came without a verdict. */
  async function judge() {
    const { timeline, meta } = get();
    const lines = acts.texts().get("events.jsonl") ?? [...acts.texts()].find(([name]) => name.endsWith(".jsonl"))?.[1];
    if (timeline === null || lines === undefined) return;
    set({ busy: said.judging });
    try {
      const { verdict, why } = await (await engine()).judge(lines, meta);
      // Whatever is shown by now, this belongs to what was asked about.
      update((now) => (now.timeline === timeline ? change.judged(now, withWhy(withVerdict(timeline, verdict), why)) : now));
    } catch (error) {
      acts.trouble(sentenceOf(error));
    } finally {
      set({ busy: null });
    }
  }

  /** @param {number} id */
  function switchTo(id) {
    const branch = get().sandbox.branches.find((one) => one.id === id);
    if (branch === undefined) return;
    show(branch, Math.min(get().cursor, branch.timeline.length - 1), true);
  }

  /** @param {number} id */
  function drop(id) {
    update((now) => ({ ...now, sandbox: dropped(now.sandbox, id) }));
    const branch = currentBranch(get().sandbox);
    if (branch !== null && branch.timeline !== get().timeline) switchTo(branch.id);
  }

  /** @param {number} id @param {string} name */
  function rename(id, name) {
    const renamed = (/** @type {Branch} */ one) => (one.id === id && name.trim() !== "" ? { ...one, name: name.trim(), title: name.trim() } : one);
    update((now) => ({ ...now, sandbox: { ...now.sandbox, naming: null, branches: now.sandbox.branches.map(renamed) } }));
  }

  /** @param {number} id */
  function compare(id) {
    const branch = get().sandbox.branches.find((one) => one.id === id);
    if (branch === undefined) return;
    compareWith(get(), /** @type {any} */ (acts), { kind: "branch", name: branch.name, timeline: branch.timeline, text: branch.text });
    acts.sheet("compare");
  }

  const viewActs = {
    start: () => void engine().catch(() => {}),
    open: (/** @type {Recipe} */ recipe) => void open(recipe),
    making: () => update((now) => ({ ...now, sandbox: { ...now.sandbox, making: !now.sandbox.making } })),
    fill: (/** @type {string} */ name, /** @type {string} */ value) =>
      update((now) => ({ ...now, sandbox: { ...now.sandbox, form: { ...now.sandbox.form, [name]: value } } })),
  };
  const branchActs = { show: switchTo, drop, rename, compare, go: acts.go, naming: (/** @type {number | null} */ naming) => set({ naming }) };

  /** @param {Step} step @param {number} [cursor] */
  const give = (step, cursor) => void giver(step, cursor);
  /** Commands are given by the panel, which tells what became of them. @type {(step: Step, cursor?: number) => void} */
  let giver = () => {};

  return {
    engine,
    open,
    fork,
    command,
    explore,
    judge,
    /** Judge what has just been opened without a verdict, if that costs no start of the engine. */
    judgeIfReady() {
      const { sandbox, timeline } = get();
      if (sandbox.engine === "ready" && timeline !== null && timeline.verdict === null) void judge();
    },
    /** @param {(step: Step, cursor?: number) => void} by */
    givenBy(by) {
      giver = by;
    },
    /** Sandbox mode has been chosen. */
    async enter() {
      const { sandbox } = get();
      if (sandbox.engine === "off" || sandbox.engine === "failed") await engine().catch(() => {});
    },
    /** Say early where there is none. */
    async prepare() {
      await offered();
    },
    /** @param {App} app */
    beside: (app) => sandboxBeside(app, viewActs),
    /** @param {App} app */
    stage: (app) => sandboxStage(app, viewActs),
    /** @param {App} app */
    branches: (app) => branchRows(app, branchActs),
    /** @param {App} app */
    held: (app) => heldList(app, { give, rewind: () => void rewind() }),
    /** @param {App} app @param {number} flight */
    messageActs: (app, flight) => messageSteps(app, flight, give),
    /** @param {App} app */
    exploration: (app) => exploration(app, {
        explore: () => void explore(),
        take: () => void takeWay(),
        fill: viewActs.fill,
        cancel: () => void engine().then((one) => one.cancel()),
      }),
  };
}
