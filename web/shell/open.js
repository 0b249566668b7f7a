// Opening runs: served ones, stories, dropped files. Whatever is wrong with
// one becomes a sentence on the page, and what was shown stays.

/** @import {App, Moment, RunEntry, Source, StoryEntry} from "../state.js" */
/** @import {Catalogue} from "../log/types.d.ts" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Store} from "./store.js" */

import { LogError } from "../log/files.js";
import { openDropped, openRun, openTexts } from "../log/open.js";
import { droppedFiles, fetchFiles, fetchRun, getJson, readFiles } from "../log/source.js";
import { withWhy } from "../log/timeline.js";
import * as change from "../state.js";
import { words } from "../words.js";

/** The files that runs were read from; judged later, a run is another timeline with the same core. @type {WeakMap<Timeline["core"], Map<string, string>>} */
const texts = new WeakMap();

/**
 * The files of what is shown, its log among them as `events.jsonl`: the bytes
 * as they were read, for a time in nanoseconds is more than a number of this
 * language holds exactly. Of a feed, its lines so far.
 * @param {Pick<App, "timeline" | "meta">} app @returns {Promise<Map<string, string>>}
 */
export async function shownTexts({ timeline, meta }) {
  if (timeline === null) return new Map();
  const known = texts.get(timeline.core) ?? new Map(meta === null ? [] : [["run.json", JSON.stringify(meta)]]);
  return known.has(MERGED) ? known : new Map([...known, [MERGED, await timeline.text()]]);
}

/** @typedef {{timeline: Timeline, meta: any, name: string, notice: string | null}} Read */

/** Logs up to this size are kept as text, too, for whoever wants to keep or judge them. */
const TEXT_LIMIT_BYTES = 5_000_000;
/** What the page opens with: the idea of Paxos in one run. */
export const FIRST_STORY = "tour";
const MERGED = "events.jsonl";
const STORY_FILES = [MERGED, "run.json", "verdict.json", "why.json"];

/** @param {Catalogue} catalogue @param {Map<string, string>} files @param {string} name @returns {Read} */
export function readRun(catalogue, files, name) {
  const read = openTexts(catalogue, files, name);
  texts.set(read.timeline.core, files);
  return read;
}

/**
 * @param {Store} store @param {() => Catalogue} catalogue once it has come
 */
export function makeOpener(store, catalogue) {
  const { get, update } = store;
  /** Counts what was asked for. */
  let latest = 0;
  const hooks = { progress: (/** @type {number} */ part) => update((now) => ({ ...now, progress: part })) };

  /** @param {"run" | "story"} kind @param {string} name @returns {Promise<Read>} */
  async function load(kind, name) {
    if (kind === "story") {
      // What a link names is opened before the list of stories has come.
      const files = get().stories === null ? STORY_FILES : (servedStory(get(), name).files ?? STORY_FILES);
      return readRun(catalogue(), await fetchFiles(`stories/${encodeURIComponent(name)}`, files), name);
    }
    const entry = servedRun(get(), name);
    if (entry.bytes !== undefined && entry.bytes > TEXT_LIMIT_BYTES) return openRun(catalogue(), entry, hooks);
    return readRun(catalogue(), await fetchRun(entry), name);
  }

  /** @param {File[]} files @param {string} name @returns {Promise<Read>} */
  async function loadFiles(files, name) {
    const size = files.reduce((sum, file) => sum + file.size, 0);
    return size > TEXT_LIMIT_BYTES ? openDropped(catalogue(), files, name, hooks) : readRun(catalogue(), await readFiles(files), name);
  }

  /**
   * @param {string} what is being loaded @param {() => Promise<Read>} load
   * @param {Source["kind"]} kind @param {Moment} [moment]
   */
  async function show(what, load, kind, moment) {
    latest += 1;
    const [ticket, tab] = [latest, change.tabOf(get().mode)];
    // A sheet about what was shown does not fit what is chosen now; the choice itself stays until that is here.
    const kept = (/** @type {App} */ now) => (now.timeline === null || now.sheet === "runs" ? now.sheet : null);
    update((now) => ({ ...now, sheet: kept(now), busy: words.loading(what), progress: 0, trouble: null }));
    try {
      const read = await load();
      // Whoever has asked for something else meanwhile gets that.
      if (ticket !== latest) return;
      const source = { kind, name: read.name };
      update((now) => {
        const opened = change.opened(now, { ...read, source }, moment);
        // And whoever has gone elsewhere stays there, and finds this when they come back.
        return change.tabOf(now.mode) === tab ? opened : change.modeChanged(opened, change.tabOf(now.mode));
      });
    } catch (error) {
      // Whoever has asked for something else meanwhile waits for that, and not for this.
      if (ticket !== latest) return;
      update((now) => ({ ...now, busy: null, trouble: troubleOf(what, error), sheet: now.timeline === null ? "runs" : now.sheet }));
    }
  }

  /** @param {string} name @param {string | number} [at] @param {number} [instance] */
  async function openRunAt(name, at, instance) {
    await show(name, () => load("run", name), "run", { at: text(at), instance });
    settle(at);
    void explain(name);
  }
  /** @param {string} name @param {string | number} [at] @param {number} [instance] */
  const openStory = (name, at, instance) => show(name, () => load("story", name), "story", { at: text(at), instance }).then(() => settle(at));

  /**
   * Have the server say why, where a run's folder does not hold the answers yet:
   * it may be older than they are. The run is shown meanwhile.
   * @param {string} name of the run
   */
  async function explain(name) {
    const { source, timeline, runs } = get();
    const entry = runs?.find((one) => one.run === name);
    if (timeline === null || source?.kind !== "run" || source.name !== name) return;
    if (entry?.bytes === undefined || entry.bytes > TEXT_LIMIT_BYTES || entry.files.includes("why.json")) return;
    // Without them the page lacks nothing else.
    const why = await getJson(`runs/${encodeURIComponent(name)}/why.json`).catch(() => null);
    if (why === null) return;
    update((now) => (now.timeline?.core === timeline.core ? { ...now, timeline: withWhy(now.timeline, why) } : now));
  }

  /** A moment may be given by its place, too. @param {string | number | undefined} at */
  function settle(at) {
    if (typeof at === "number") update((now) => change.moved(now, at));
  }

  /** @param {File[]} files */
  function openPicked(files) {
    if (files.length === 0) return Promise.resolve();
    const name = files.length === 1 ? files[0].name : words.droppedLogs(files.length);
    return show(name, () => loadFiles(files, name), "file");
  }

  /** @param {DataTransfer} transfer */
  function openTransfer(transfer) {
    const dropped = droppedFiles(transfer);
    const load = async () => {
      const { files, name } = await dropped;
      return loadFiles(files, name);
    };
    return show(words.droppedLogs(transfer.items.length), load, "file");
  }

  return { load, openRun: openRunAt, openStory, openPicked, openDropped: openTransfer };
}

/**
 * What was wrong, as a sentence. That nobody foresaw it is the page's own fault:
 * it must not wait for ever for that, and whoever looks for it finds it in the console.
 * @param {string} what was to be opened @param {unknown} error
 */
export function troubleOf(what, error) {
  if (error instanceof LogError) return error.message;
  console.warn(error);
  return words.notOpened(what, error instanceof Error ? error.message : String(error));
}

/** @param {string | number | undefined} at */
const text = (at) => (typeof at === "string" ? at : undefined);

/** @param {App} app @param {string} name @returns {RunEntry} */
function servedRun(app, name) {
  const entry = app.runs?.find((one) => one.run === name);
  if (entry === undefined) throw new LogError(words.noSuchRun(name));
  return entry;
}

/** @param {App} app @param {string} name @returns {StoryEntry} */
function servedStory(app, name) {
  const entry = app.stories?.find((one) => one.name === name);
  if (entry === undefined) throw new LogError(words.noSuchStory(name));
  return entry;
}

