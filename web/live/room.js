// Live mode: a run that is going on. Lines come from the feed, commands go to
// the server; scrubbing back leaves now, and goes back to it at will.

/** @import {App} from "../state.js" */
/** @import {Catalogue, Line} from "../log/types.d.ts" */
/** @import {Acts} from "../shell/acts.js" */
/** @import {Timeline} from "../log/timeline.js" */
/** @import {Store} from "../shell/store.js" */
/** @import {Step} from "../command/state.js" */
/** @import {Answer} from "./api.js" */
/** @import {Live, LiveInfo} from "./state.js" */

import { keptToken } from "../link.js";
import { buildTimeline, extended, withVerdict, withWhy } from "../log/timeline.js";
import { getJson } from "../log/source.js";
import * as change from "../state.js";
import { askLive, post } from "./api.js";
import { Feed } from "./feed.js";
import { informed } from "./state.js";
import { liveBeside, liveStage } from "./view.js";
import { live as said } from "./words.js";

/**
 * @param {Store} store @param {Pick<Acts, "announce" | "trouble" | "openRun">} acts @param {() => Catalogue} catalogue
 */
export function makeLive(store, acts, catalogue) {
  const { get, update } = store;
  /** What has been told before the first line gave it something to belong to. @type {Record<string, any>} */
  let early = {};

  /** @param {Partial<Live>} part */
  const set = (part) => update((now) => ({ ...now, live: { ...now.live, ...part } }));

  const feed = new Feed({
    state: (state) => set({ feed: state }),
    lines: (lines) => update((now) => grown(now, lines)),
    told,
    refused: () => void again(),
  });

  /** @param {App} now @param {Line[]} lines @returns {App} */
  function grown(now, lines) {
    if (now.mode !== "live") return now;
    const received = now.live.received + lines.length;
    const live = { ...now.live, received };
    if (now.timeline !== null && now.source?.kind === "live") {
      known(now.timeline, lines);
      const { length } = now.timeline;
      const timeline = caughtUp(extended(now.timeline, lines), length);
      return change.regrown({ ...now, live }, timeline, live.following ? received - 1 : now.cursor, live.following);
    }
    const { info } = now.live;
    const meta = { members: info?.members ?? [], world: info?.world, title: said.title(info?.world, info?.members ?? []) };
    const timeline = buildTimeline(catalogue(), { lines, meta, verdict: early.verdict ?? null, why: early.why ?? null });
    const source = { kind: /** @type {const} */ ("live"), name: info?.run ?? "live" };
    const opened = change.opened({ ...now, live }, { timeline, name: source.name, source, notice: null, meta });
    return change.regrown(opened, timeline, received - 1, true);
  }

  /**
   * Verdict and whys may speak of lines that had not come yet when they were
   * told: then what they say is looked up again.
   * @param {Timeline} timeline @param {number} before how many lines it had
   */
  function caughtUp(timeline, before) {
    const { verdict, why } = early;
    const judged = verdict?.feed_count > before ? withVerdict(timeline, verdict) : timeline;
    return why?.feed_count > before ? withWhy(judged, why) : judged;
  }

  /**
   * A live run may begin further instances. Each is announced by the runner's
   * own line before any node speaks of it.
   * @param {Timeline} timeline @param {Line[]} lines
   */
  function known(timeline, lines) {
    const names = timeline.core.instanceNames;
    if (names.size === 0) return;
    const given = Object.entries(get().live.info?.instances ?? {});
    for (const { event, instance } of lines) {
      if (event !== "propose_invoked" || names.has(instance)) continue;
      names.set(instance, given.find(([, number]) => number === instance)?.[0] ?? said.instance(names.size + 1));
    }
  }

  /** @param {"live" | "verdict" | "why" | "ended"} name @param {any} content */
  function told(name, content) {
    if (name === "live") return update((now) => ({ ...now, live: informed(now.live, content) }));
    if (name === "ended") return void ended(content);
    early = { ...early, [name]: content };
    update((now) => {
      if (now.timeline === null || now.source?.kind !== "live") return now;
      const timeline = name === "verdict" ? withVerdict(now.timeline, content) : withWhy(now.timeline, content);
      return { ...now, timeline };
    });
  }

  /** @param {{run: string | null, sentence?: string}} content */
  async function ended({ run, sentence }) {
    set({ ended: run, feed: "off", busy: null });
    acts.announce(run === null ? (sentence ?? said.endedBadly) : said.ended(run));
    const [info, offers] = await Promise.all([askLive(), getJson("runs.json").catch(() => null)]);
    update((now) => ({ ...now, runs: offers?.runs ?? now.runs, live: informed(now.live, info) }));
  }

  /** What can be watched here. */
  async function ask() {
    const info = await askLive();
    update((now) => ({ ...now, live: { ...informed(now.live, info), token: keptToken() !== null } }));
    return info;
  }

  /** Go to live mode, and watch what goes on. */
  async function enter() {
    update((now) => change.modeChanged(now, "live"));
    await attach();
  }

  async function attach() {
    const info = await ask();
    if (get().mode === "live" && info.run) listen(info);
  }

  /** Go on with the run that is shown, or begin with another one. @param {LiveInfo} info */
  function listen({ run, epoch }) {
    const { source } = get();
    if (source?.kind === "live" && source.name === run) return feed.resume();
    forget();
    feed.open(epoch ?? "");
  }

  /** The feed was refused: another run may have begun while this page was hidden. */
  async function again() {
    const info = await askLive();
    if (get().mode !== "live") return;
    // Without an answer, or a run, what was shown stays, and is tried again.
    if (!info.run) return feed.resume();
    update((now) => ({ ...now, live: informed(now.live, info) }));
    listen(info);
  }

  /** What was shown belongs to another run. */
  function forget() {
    early = {};
    update((now) => ({ ...now, timeline: null, source: null, cursor: -1, live: { ...now.live, received: 0, following: true, ended: null } }));
  }

  /** @param {"begin" | "end"} what @param {string} busy */
  async function run(what, busy) {
    set({ busy });
    const answer = await post(what, {});
    set({ busy: null });
    if (!answer.ok && !(what === "begin" && answer.run)) return acts.trouble(answer.sentence);
    acts.announce(answer.sentence);
    if (what === "begin") await attach();
  }

  function begin() {
    forget();
    void run("begin", said.beginning);
  }

  function end() {
    void run("end", said.ending);
  }

  /** Back to now. */
  function goLive() {
    update((now) => {
      if (now.mode !== "live" || now.timeline === null) return now;
      const live = { ...now.live, following: true };
      return change.regrown({ ...now, live, playing: false }, now.timeline, now.timeline.length - 1, true);
    });
  }

  return {
    ask,
    enter,
    goLive,
    /** The mode has been chosen, or left. @param {boolean} here */
    modeChanged(here) {
      if (here) void attach();
      else feed.close();
    },
    /** A person looks at another moment: now goes on without them. */
    look() {
      if (get().mode === "live" && get().live.following) set({ following: false });
    },
    /** The last event has been asked for: in live mode that is now. */
    atEnd() {
      if (get().mode === "live") set({ following: true });
    },
    /** @param {Step} step @returns {Promise<Answer>} */
    async command(step) {
      const answer = await post("commands", step);
      const info = answer.live;
      if (info !== undefined) update((now) => ({ ...now, live: informed(now.live, info) }));
      return answer;
    },
    /** @param {App} app */
    beside: (app) => liveBeside(app, { begin, end, goLive }),
    /** @param {App} app */
    stage: (app) => liveStage(app, { begin, open: (run) => void acts.openRun(run) }),
  };
}
