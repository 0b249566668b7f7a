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
import * as change from "../state.js";
import { branchRows } from "./branches.js";
import { makeEngine } from "./engine-room.js";
import { exploration } from "./explore.js";
import { heldList, messageSteps } from "./hand.js";
import { isByHand } from "./recipe.js";
import { recipeOf } from "./recipes.js";
import { broughtBack, currentBranch, divergence, dropped, forked, grown, joined, replaced } from "./state.js";
import { sandboxBeside, sandboxStage } from "./view.js";
import { makeWays } from "./ways.js";
import { sandbox as said } from "./words.js";

/** Lines that confirm a command, and how soon after its first trace they come. */
const CONFIRMS = new Set(["fault_applied", "fault_undone", "propose_received"]);
const SEEN_WITHIN = 60;
/** More branches than this are no help to anyone, and each keeps a whole log. */
const MOST_BRANCHES = 12;

/**
 * @param {Store} store @param {Omit<Acts, "engine" | "fork" | "openSandbox" | "judge" | "link">} acts @param {() => Catalogue} catalogue
 */
export function makeSandbox(store, acts, catalogue) {
  const { get, update } = store;
  const { engine, offered } = makeEngine(store);
  let nextId = 0;
  /** Counts the runs that were asked for. */
  let latest = 0;
  /** Where this room has put the cursor last. */
  let placed = -1;
  /** Done when the command before has been carried out. @type {Promise<unknown>} */
  let before = Promise.resolve();

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

  /**
   * Show a branch, from whatever mode.
   * @param {App} now @param {Branch} branch @param {number} cursor @param {boolean} keepView @returns {App}
   */
  function showing(now, branch, cursor, keepView) {
    const here = change.modeChanged(now, "sandbox");
    const source = { kind: /** @type {const} */ ("sandbox"), name: branch.name };
    const run = { timeline: branch.timeline, name: branch.name, source, notice: null, meta: branch.meta, recipe: branch.recipe };
    const { left, scale, panel, instance, node } = here;
    const opened = change.moved(change.opened(here, run), cursor);
    const view = keepView ? { left, scale, panel, instance, node } : { panel: /** @type {const} */ ("do") };
    return change.moved({ ...opened, ...view, sandbox: { ...opened.sandbox, current: branch.id, whatif: null } }, cursor);
  }

  /** @param {Branch} branch @param {number} cursor @param {boolean} [keepView] */
  function show(branch, cursor, keepView = false) {
    update((now) => showing(now, branch, cursor, keepView));
    placed = get().cursor;
  }

  /**
   * Show what a command has led to. Whoever has gone elsewhere while it was
   * computed stays there, and finds it on coming back.
   * @param {Branch} branch @param {number} cursor @param {number} from the branch that was shown when it was given
   */
  function arrive(branch, cursor, from) {
    const { mode, sandbox, sheet, filter } = get();
    if (sandbox.current !== from) return;
    if (mode === "sandbox") return show(branch, cursor, true);
    update((now) => ({ ...change.modeChanged(showing(now, branch, cursor, true), change.tabOf(mode)), sheet, filter }));
  }

  /**
   * Open a run of its own. The one before it stays at hand, with its branches.
   * @param {Recipe} recipe @param {string | number} [at]
   */
  async function open(recipe, at) {
    latest += 1;
    const ticket = latest;
    update((now) => ({ ...change.modeChanged(now, "sandbox"), trouble: null, sheet: null }));
    set({ making: false, opening: recipe });
    try {
      const { branch } = await made(recipe, said.running, { parent: null, at: -1, name: said.first });
      // Whoever has asked for another one meanwhile gets that.
      if (ticket !== latest) return;
      const { mode } = get();
      const left = mode === "sandbox" ? get().cursor : (get().parked.sandbox?.cursor ?? 0);
      update((now) => ({ ...now, sandbox: replaced(now.sandbox, branch, left) }));
      const place = typeof at === "string" ? Math.max(branch.timeline.at(at), 0) : at;
      const cursor = place ?? firstMoment(branch);
      if (mode !== "sandbox") return arrive(branch, cursor, branch.id);
      show(branch, cursor);
      if (recipe.scenario === null && recipe.commands.length === 0) update(invited);
    } catch (error) {
      if (ticket === latest) acts.trouble(sentenceOf(error));
    } finally {
      if (ticket === latest) set({ opening: null });
    }
  }

  /** Go back to the run that was open before this one. */
  function bringBack() {
    const { sandbox, cursor } = get();
    const next = broughtBack(sandbox, cursor);
    const branch = currentBranch(next);
    if (branch === null) return;
    update((now) => ({ ...now, sandbox: next }));
    show(branch, sandbox.before?.cursor ?? 0);
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

  /** The lines of a run without those that only close it. @param {Branch} branch */
  function lengthOf({ timeline, closing }) {
    return timeline.length - closing;
  }

  /**
   * Give a command at the cursor, or at another moment. Commands are carried
   * out one after the other: each builds on what the one before it has made.
   * @param {Step} step @param {number} [cursor]
   * @returns {Promise<{ok: boolean, sentence: string}>}
   */
  function command(step, cursor = get().cursor) {
    const parent = currentBranch(get().sandbox);
    if (parent === null) return Promise.resolve({ ok: false, sentence: said.wantsSandbox });
    // A run that plays would leave the moment that this is about.
    update((now) => ({ ...now, playing: false }));
    const after = afterOf(parent, cursor);
    const order = { parent: parent.id, cursor: get().cursor, after: after >= lengthOf(parent) ? Infinity : after };
    const answer = before.then(() => carriedOut(step, order));
    before = answer.catch(() => {});
    return answer;
  }

  /**
   * @param {Step} step
   * @param {{parent: number, cursor: number, after: number}} order `after` in lines, Infinity for the end; `cursor` as it stood then
   */
  async function carriedOut(step, order) {
    const { branches } = get().sandbox;
    const parent = branches.find((one) => one.id === order.parent);
    if (parent === undefined) return { ok: false, sentence: said.gone };
    const last = order.after === Infinity;
    const after = last ? lengthOf(parent) : order.after;
    if (!last && branches.length >= MOST_BRANCHES) return { ok: false, sentence: said.tooManyBranches };
    const recipe = forked(parent.recipe, after, step);
    const place = last ? { parent: parent.parent, at: parent.at, name: parent.name } : { parent: parent.id, at: after - 1, name: said.branch(branches.length) };
    const { branch, refused } = await made(recipe, last ? said.running : said.forking, place);
    const no = refused.find((one) => one.command === recipe.commands.length - 1);
    if (no !== undefined) return { ok: false, sentence: no.sentence };
    if (!get().sandbox.branches.some((one) => one.id === parent.id)) return { ok: false, sentence: said.gone };
    const result = last ? { ...branch, id: parent.id } : branch;
    update((now) => ({ ...now, sandbox: last ? grown(now.sandbox, result) : joined(now.sandbox, result) }));
    // Where the command shows first: what was under way at that moment comes before it.
    const shows = last ? divergence(parent.text, branch.text) : branch.divergence;
    // By hand one delivers message after message: the list of what waits stands at the end.
    const seen = isByHand(recipe) ? lengthOf(branch) - 1 : seenAt(branch.timeline, Math.max(after, shows));
    // A run that only went on leaves alone who has begun to look back meanwhile.
    arrive(result, last && movedSince(order.cursor) ? get().cursor : seen, parent.id);
    return { ok: true, sentence: said.wentOn(branch.stopped) };
  }

  /** Whether the person, and not this room, has moved the cursor. @param {number} cursor as it stood */
  function movedSince(cursor) {
    const now = get().cursor;
    return get().mode === "sandbox" && now !== cursor && now !== placed;
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

  /** Bring what is shown into the sandbox, at its moment; and command something there. @param {Step} [step] */
  async function fork(step) {
    const app = get();
    if (app.mode !== "sandbox") {
      const recipe = recipeOf(app);
      if (recipe === null) return acts.trouble(said.recordedHow);
      await open(recipe, Math.max(app.cursor, 0));
    }
    if (step === undefined || get().mode !== "sandbox" || get().trouble !== null) return;
    const answer = await command(step).catch((error) => ({ ok: false, sentence: sentenceOf(error) }));
    if (!answer.ok) acts.trouble(answer.sentence);
  }

  /**
   * Let the engine make another turn of a branch, and put it beside it.
   * @param {Branch} parent @param {Recipe} recipe @param {number} after how many lines they share
   * @param {{name: string, seen: (branch: Branch) => number}} as `seen` is the line to look at
   */
  async function turn(parent, recipe, after, { name, seen }) {
    if (get().sandbox.branches.length >= MOST_BRANCHES) return acts.trouble(said.tooManyBranches);
    try {
      const { branch, refused } = await made(recipe, said.forking, { parent: parent.id, at: after - 1, name });
      if (!get().sandbox.branches.some((one) => one.id === parent.id)) return;
      if (refused.length > 0) acts.announce(refused[0].sentence);
      update((now) => ({ ...now, sandbox: joined(now.sandbox, branch) }));
      arrive(branch, seen(branch), parent.id);
    } catch (error) {
      acts.trouble(sentenceOf(error));
    }
  }

  /** Take another turn here without a command yet: what waits at this moment becomes what waits. */
  function rewind() {
    const parent = currentBranch(get().sandbox);
    if (parent === null) return;
    const after = afterOf(parent, get().cursor);
    const recipe = { ...parent.recipe, commands: parent.recipe.commands.filter((one) => one.after < after) };
    void turn(parent, recipe, after, { name: said.branch(get().sandbox.branches.length), seen: (branch) => lengthOf(branch) - 1 });
  }

  const ways = makeWays({ ...acts, engine, set, turn, open });

  /** Judge what is shown: a log that came without a verdict. */
  async function judge() {
    const { timeline, meta } = get();
    if (timeline === null) return;
    set({ busy: said.judging });
    try {
      const lines = /** @type {string} */ ((await acts.texts()).get("events.jsonl"));
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
    back: bringBack,
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
    held: (app) => heldList(app, { give, rewind }),
    /** @param {App} app @param {number} flight */
    messageActs: (app, flight) => messageSteps(app, flight, give),
    /** @param {App} app */
    exploration: (app) => exploration(app, {
        explore: () => void ways.explore(),
        take: ways.take,
        fill: viewActs.fill,
        cancel: () => void engine().then((one) => one.cancel()),
      }),
  };
}
