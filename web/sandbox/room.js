// The sandbox: a cluster in this tab. A run is a recipe; a command given in
// its past makes another recipe, and so another branch beside it.

/** @import {App} from "../state.js" */
/** @import {Catalogue} from "../log/types.d.ts" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Store} from "../shell/store.js" */
/** @import {Step} from "../command/state.js" */
/** @import {Branch, Recipe, Sandbox} from "./state.js" */

import { restOf, withVerdict, withWhy } from "../log/timeline.js";
import { readRun } from "../shell/open.js";
import { sentenceOf } from "../shell/acts.js";
import { compareWith, knowVariants } from "../shell/rooms.js";
import * as change from "../state.js";
import { branchRows } from "./branches.js";
import { makeEngine } from "./engine-room.js";
import { exploration } from "./explore.js";
import { heldList, messageSteps } from "./hand.js";
import { afterOf, firstMoment, lengthOf, seenAt } from "./places.js";
import { forked, isByHand, rewound } from "./recipe.js";
import { recipeOf } from "./recipes.js";
import { atEnd, broughtBack, currentBranch, divergence, dropped, goesOn, grown, inRest, inTurn, joined, replaced, sharedLines } from "./state.js";
import { sandboxBeside, sandboxStage } from "./view.js";
import { makeWays } from "./ways.js";
import { sandbox as said } from "./words.js";

/** More branches than this are no help to anyone, and each keeps a whole log. */
const MOST_BRANCHES = 12;

/**
 * @param {Store} store @param {Omit<Acts, "engine" | "fork" | "openSandbox" | "judge" | "link"> & {playOn: (to: number) => void}} acts @param {() => Catalogue} catalogue
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
        ...{ faults: result.faults ?? [], given: result.given ?? [], stood: result.stood ?? [] },
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
    return change.moved({ ...opened, ...view, sandbox: { ...opened.sandbox, current: branch.id, whatif: null, turn: null } }, cursor);
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
   * @returns {boolean} whether it is shown
   */
  function arrive(branch, cursor, from) {
    const { mode, sandbox, sheet, filter } = get();
    if (sandbox.current !== from) return false;
    if (mode === "sandbox") show(branch, cursor, true);
    else update((now) => ({ ...change.modeChanged(showing(now, branch, cursor, true), change.tabOf(mode)), sheet, filter }));
    return mode === "sandbox";
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
      if (mode !== "sandbox") return void arrive(branch, cursor, branch.id);
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

  /**
   * Give a command: where the run rests if one stands there or it plays on to
   * there, else at the cursor, or at another moment. Commands are carried out
   * one after the other: each builds on what the one before it has made.
   * @param {Step} step @param {number} [moment]
   * @returns {Promise<{ok: boolean, sentence: string}>}
   */
  function command(step, moment) {
    const now = get();
    const parent = currentBranch(now.sandbox);
    if (parent === null) return Promise.resolve({ ok: false, sentence: said.wantsSandbox });
    const cursor = moment ?? now.cursor;
    const after = afterOf(parent, cursor);
    const last = moment === undefined ? atEnd(now) : after >= lengthOf(parent);
    // A run that plays would leave the moment that this is about.
    if (!last) update((now) => ({ ...now, playing: false }));
    const order = { parent: parent.id, shown: parent, cursor, after: last ? Infinity : after, joins: cursor === now.cursor && inTurn(now), watched: goesOn(now) };
    const answer = before.then(() => carriedOut(step, order));
    before = answer.catch(() => {});
    return answer;
  }

  /**
   * @typedef {object} Order
   * @property {number} parent the id of the branch that was shown
   * @property {Branch} shown that branch as it was
   * @property {number} cursor the moment that was meant
   * @property {number} after in lines; Infinity for the end
   * @property {boolean} joins whether it belongs to the turn that was taken there
   * @property {boolean} watched whether the run was playing on to its end
   */

  /** @param {Step} step @param {Order} order */
  async function carriedOut(step, order) {
    const { branches } = get().sandbox;
    const { parent: id, after: wanted, last, joins } = placeOf(order);
    const parent = branches.find((one) => one.id === id);
    if (parent === undefined) return { ok: false, sentence: said.gone };
    const after = last ? lengthOf(parent) : wanted;
    const same = last || joins;
    if (!same && branches.length >= MOST_BRANCHES) return { ok: false, sentence: said.tooManyBranches };
    // A branch may have been made anew meanwhile: what was looked at is what is forked.
    const shared = same ? after : sharedLines(parent.text, order.shown.text, after);
    const recipe = forked(shared < after ? order.shown : parent, after, step);
    const place = same ? { parent: parent.parent, at: parent.at, name: parent.name } : { parent: parent.id, at: shared - 1, name: said.branch(branches.length) };
    const { branch, refused } = await made(recipe, same ? said.running : said.forking, place);
    const no = refused.find((one) => one.command === recipe.commands.length - 1);
    if (no !== undefined) return { ok: false, sentence: no.sentence };
    if (!get().sandbox.branches.some((one) => one.id === parent.id)) return { ok: false, sentence: said.gone };
    const result = same ? { ...branch, id: parent.id } : branch;
    // Where the command shows first: what was under way at that moment comes before it.
    const shows = same ? divergence(parent.text, branch.text) : branch.divergence;
    // By hand one delivers message after message: the list of what waits stands at the end.
    const byHand = isByHand(recipe);
    const seen = byHand ? lengthOf(branch) - 1 : seenAt(branch.timeline, Math.max(after, shows));
    const lookedBack = last && hasLookedBack(order.cursor);
    update((now) => ({ ...now, sandbox: same ? grown(now.sandbox, result) : joined(now.sandbox, result) }));
    if (!last) tookTurn(result, seen, parent.id, order);
    // A run that only went on leaves alone who has begun to look back meanwhile.
    else if (lookedBack) arrive(result, get().cursor, parent.id);
    else if (arrive(result, order.watched || goesOn(get()) ? Math.min(get().cursor, seen) : seen, parent.id) && !byHand) goOn(result);
    return { ok: true, sentence: said.wentOn(lengthOf(branch), branch.stopped) };
  }

  /**
   * Play on to where a run rests. Where nothing on the way is worth a stop one
   * stays at the command itself, and has not looked back for that.
   * @param {Branch} branch
   */
  function goOn({ id, timeline }) {
    acts.playOn(restOf(timeline));
    const { playing, cursor } = get();
    set({ rest: playing ? null : { branch: id, cursor } });
  }

  /**
   * Where an order is carried out: what was meant for a moment at which a
   * turn has been taken since belongs to that turn.
   * @param {Order} order @returns {{parent: number, after: number, last: boolean, joins: boolean}}
   */
  function placeOf({ parent, cursor, after, joins }) {
    const { turn, branches } = get().sandbox;
    const last = after === Infinity;
    const taken = turn !== null && turn.from === parent && turn.given === cursor ? branches.find((one) => one.id === turn.branch) : undefined;
    if (last || turn === null || taken === undefined) return { parent, after, last, joins };
    return { parent: turn.branch, after: afterOf(taken, turn.cursor), last, joins: true };
  }

  /**
   * Stand where a command in the past shows. As long as one does, a further
   * one belongs to the same turn.
   * @param {Branch} branch @param {number} cursor @param {number} from @param {Order} order
   */
  function tookTurn(branch, cursor, from, { parent, cursor: given }) {
    if (!arrive(branch, cursor, from)) return;
    const turn = { branch: branch.id, cursor: get().cursor, from: parent, given };
    update((now) => ({ ...now, sandbox: { ...now.sandbox, turn } }));
  }

  /** Whether the person, and not this room, has left the end for another moment. @param {number} cursor as it stood */
  function hasLookedBack(cursor) {
    const now = get();
    return now.mode === "sandbox" && !atEnd(now) && now.cursor !== cursor && now.cursor !== placed;
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
    void turn(parent, rewound(parent, after), after, { name: said.branch(get().sandbox.branches.length), seen: (branch) => lengthOf(branch) - 1 });
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
    compareWith(get(), /** @type {any} */ (acts), { kind: "branch", id, name: branch.name, timeline: branch.timeline, text: branch.text });
    acts.sheet("compare");
  }

  const viewActs = {
    start: () => void engine().catch(() => {}),
    open: (/** @type {Recipe} */ recipe) => void open(recipe),
    making() {
      knowVariants(/** @type {any} */ (acts));
      update((now) => ({ ...now, sandbox: { ...now.sandbox, making: !now.sandbox.making } }));
    },
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
    /** After each drawing: whoever has gone on from where a command put them has left that turn, and that rest. @param {App} app */
    drawn(app) {
      if (app.mode === "sandbox" && app.sandbox.rest !== null && !inRest(app)) set({ rest: null });
      if (app.mode === "sandbox" && app.sandbox.turn !== null && !inTurn(app)) set({ turn: null });
    },
    /** Sandbox mode has been chosen. */
    async enter() {
      knowVariants(/** @type {any} */ (acts));
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
