// The address: what it names is opened, and it follows what is shown.

/** @import {App} from "../state.js" */
/** @import {Store} from "./store.js" */
/** @import {Acts} from "./acts.js" */

import { hashOf, momentOf, sandboxHash } from "../link.js";
import { packRecipe, unpackRecipe } from "../sandbox/recipe.js";
import { recipeOfForm } from "../sandbox/recipes.js";
import * as change from "../state.js";
import { words } from "../words.js";
import { sentenceOf } from "./acts.js";
import { FIRST_STORY } from "./open.js";
import { roomsBare, roomsFields, roomsFollow, roomsHash } from "./rooms.js";

/**
 * @param {Store} store @param {() => Acts} acts
 * @param {ReturnType<typeof import("../live/room.js").makeLive>} live
 * @param {{runs: () => Promise<void>, stories: () => Promise<void>}} lists done when each has come
 * @param {() => void} welcome what to do once the first story is shown because nothing else was asked for
 */
export function makeAddress(store, acts, live, lists, welcome) {
  const { get, update } = store;
  /** The sandbox's hash is made apart, because packing takes a moment. */
  let packed = { recipe: /** @type {unknown} */ (null), text: "" };
  /** Counts what was followed; what is followed last is what counts. */
  let latest = 0;
  let settled = false;
  /** The hash that this page has read or written last. Another one was entered by a person, and is not answered yet. */
  let known = location.hash;

  /** Open what the address names, or something to begin with. */
  async function follow() {
    latest += 1;
    const ticket = latest;
    const hash = location.hash;
    known = hash;
    settled = false;
    try {
      await followed(momentOf(hash), () => ticket === latest);
    } catch (error) {
      // What went wrong with an address that is no longer wanted concerns nobody.
      if (ticket !== latest) return;
      update((now) => ({ ...now, busy: null, trouble: sentenceOf(error), sheet: now.timeline === null ? "runs" : now.sheet }));
    }
    if (ticket === latest) settled = true;
  }

  /** @param {ReturnType<typeof momentOf>} moment @param {() => boolean} wanting whether nobody has asked for something else since */
  async function followed({ fields, run, story, sandbox: recipe, live: isLive, at, instance }, wanting) {
    // A sheet belongs to what was shown; a link to a comparison opens its own.
    update((now) => ({ ...now, sheet: null }));
    // What is compared may be any run that is offered.
    if (fields.has("compare")) await lists.runs();
    if (!wanting()) return;
    if (await roomsFollow(fields, acts())) return wanting() ? standBehind(wanting) : undefined;
    if (!wanting()) return;
    if (recipe === "") return acts().openSandbox(recipeOfForm({}));
    if (recipe !== null) {
      const unpacked = await unpackRecipe(recipe);
      return wanting() ? acts().openSandbox(unpacked, at) : undefined;
    }
    if (isLive) return live.enter();
    if (run === null && story === null) {
      if (fields.size > 0) update((now) => ({ ...now, trouble: words.brokenLink }));
      return showFirst(wanting);
    }
    const [kind, name] = run === null ? [/** @type {const} */ ("story"), /** @type {string} */ (story)] : [/** @type {const} */ ("run"), run];
    const { source, timeline } = get();
    if (source?.kind === kind && source.name === name && timeline !== null) {
      const place = at === undefined ? 0 : Math.max(timeline.at(at), 0);
      return update((now) => change.moved(change.narrowed(now, instance ?? 0), place));
    }
    if (kind === "run") await lists.runs();
    if (!wanting()) return;
    const open = kind === "run" ? acts().openRun : acts().openStory;
    await open(name, at, instance);
    if (!wanting()) return;
    const shown = get();
    if (shown.trouble !== null) return update((now) => ({ ...now, sheet: "runs" }));
    if (at !== undefined && shown.timeline !== null && shown.timeline.at(at) < 0) update((now) => ({ ...now, notice: words.noSuchMoment(at) }));
  }

  /**
   * A list of variants needs no run; but whoever closes it should find one.
   * @param {() => boolean} wanting as above
   */
  async function standBehind(wanting) {
    const empty = () => change.tabOf(get().mode) === "replay" && get().timeline === null && roomsBare(get());
    // Whoever has chosen a variant meanwhile is shown that one's run.
    if (empty()) await showFirst(() => wanting() && empty(), () => {});
  }

  /**
   * Something to see at once: a story, else the newest run, else the choice.
   * @param {() => boolean} [wanting] as above
   * @param {() => void} [greet] what to do once the first story is shown
   */
  async function showFirst(wanting = () => true, greet = welcome) {
    const { trouble } = get();
    await acts().openStory(FIRST_STORY);
    // Whoever has gone to another mode meanwhile finds it on coming back.
    if (change.tabOf(get().mode) !== "replay") return;
    if (wanting() && get().timeline === null) await Promise.all([lists.runs(), lists.stories()]);
    if (!wanting()) return;
    const { runs, stories } = get();
    if (get().timeline !== null) {
      update((now) => ({ ...now, trouble }));
      if (get().source?.name === FIRST_STORY) greet();
    } else if (stories !== null && stories.length > 0) await acts().openStory(stories[0].name);
    else if (runs !== null && runs.length > 0) await acts().openRun(runs[0].run);
    else update((now) => ({ ...now, sheet: "runs" }));
  }

  /** Let the address name what is shown; but never write over what a person has entered. @param {App} app */
  function keep(app) {
    if (!settled || location.hash !== known) return;
    const hash = wanted(app);
    if (hash === null || hash === known) return;
    history.replaceState(null, "", hash === "" ? location.pathname : hash);
    known = location.hash;
  }

  /** @param {App} app @returns {string | null} null while it is not known yet */
  function wanted(app) {
    const rooms = roomsHash(app);
    if (rooms !== "") return `#${rooms}`;
    if (app.timeline === null) return app.mode === "live" ? "#live" : null;
    // Whoever has done nothing yet and loads the page again is as new to it.
    if (app.welcome === "fresh") return "";
    if (app.mode !== "sandbox") return hashOf(app);
    if (packed.recipe !== app.recipe) void pack(app.recipe);
    return packed.recipe === app.recipe && packed.text !== "" ? sandboxHash(app, packed.text) + roomsFields(app) : null;
  }

  /** @param {any} recipe */
  async function pack(recipe) {
    packed = { recipe, text: "" };
    if (recipe === null) return;
    // A recipe that is too long for a link leaves the address alone.
    const text = await packRecipe(recipe).catch(() => "");
    if (packed.recipe !== recipe) return;
    packed = { recipe, text };
    if (text !== "") update((now) => ({ ...now }));
  }

  /** @returns {Promise<string>} */
  async function link() {
    const app = get();
    const bare = location.href.replace(/#.*$/, "");
    const rooms = roomsHash(app);
    if (rooms !== "") return `${bare}#${rooms}`;
    if (app.timeline === null) throw new Error(words.nothingToLink);
    if (app.mode === "sandbox" && app.recipe !== null) return bare + sandboxHash(app, await packRecipe(app.recipe)) + roomsFields(app);
    const hash = hashOf(app);
    if (hash === "") throw new Error(words.noLinkToFile);
    return bare + hash;
  }

  window.addEventListener("hashchange", () => {
    // Of two changes at once, both events come when the second has been made.
    if (location.hash !== known) void follow();
  });

  return { follow, showFirst, keep, link };
}
