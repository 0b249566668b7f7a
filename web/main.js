// The page's start: it keeps the state, draws it, and joins the rooms. What
// can be done is in shell/, live/, sandbox/ and command/; how the state
// changes is in state.js.

/** @import {App} from "./state.js" */
/** @import {Catalogue} from "./log/types.d.ts" */

import * as change from "./state.js";
import { makeLive } from "./live/room.js";
import { LogError } from "./log/files.js";
import { getJson, listRuns } from "./log/source.js";
import { takeToken } from "./link.js";
import { recipe } from "./sandbox/recipes.js";
import { makeSandbox } from "./sandbox/room.js";
import { plainActs, sentenceOf } from "./shell/acts.js";
import { canvasActs, paintCanvases, themeChanged } from "./shell/canvas.js";
import { makeCommands } from "./shell/commands.js";
import { listenToKeys, listenToFiles } from "./shell/input.js";
import { makeAddress } from "./shell/address.js";
import { makeOpener, shownTexts } from "./shell/open.js";
import { page } from "./shell/page.js";
import { CHANGES, STEPS, makePlayer } from "./shell/playing.js";
import { ROOMS_FIRST, roomsDrawn, roomsLeft, startTour } from "./shell/rooms.js";
import { makePanels } from "./shell/panels.js";
import { makeStore } from "./shell/store.js";
import { revealRow, tell } from "./shell/telling.js";
import { touched, welcome, welcomed } from "./shell/welcome.js";
import { firstTheme, followSystem, keepTheme, wearTheme } from "./shell/theme.js";
import { render } from "./vendor/lit-html/lit-html.js";
import { words } from "./words.js";

const root = /** @type {HTMLElement} */ (document.getElementById("page"));

takeToken();
const store = makeStore({ ...change.FIRST, ...ROOMS_FIRST, theme: firstTheme() }, draw);
const { get, update } = store;
/** @type {Catalogue} */
let catalogue;
/** Done when each list has come. */
let offers = { runs: Promise.resolve(), stories: Promise.resolve() };

const opener = makeOpener(store, () => catalogue);
const plain = plainActs(store);
const base = {
  ...plain,
  openRun: opener.openRun,
  openStory: opener.openStory,
  load: opener.load,
  texts: () => shownTexts(get()),
  go: (/** @type {number} */ at) => {
    live.look();
    update((now) => change.moved({ ...touched(now), playing: false }, at));
  },
};
const player = makePlayer(store);
const live = makeLive(store, base, () => catalogue);
const sandbox = makeSandbox(store, { ...base, playOn: player.on }, () => catalogue);
const address = makeAddress(store, () => acts, live, { runs: () => offers.runs, stories: () => offers.stories }, () => welcome(store, player.on));
/** @type {import("./shell/acts.js").Acts} */
const acts = { ...base, engine: sandbox.engine, fork: sandbox.fork, openSandbox: sandbox.open, judge: () => void sandbox.judge(), link: address.link };
const commands = makeCommands(acts, live, sandbox);

/* --- drawing --------------------------------------------------------------------- */

/** @type {import("./shell/page.js").PageActs} */
const pageActs = {
  acts,
  mode,
  tour: () => update((now) => ({ ...startTour(welcomed(now)), panel: "learn" })),
  breakIt: () => void acts.openSandbox(recipe({})),
  theme: switchTheme,
  choose: {
    run: (name) => void elsewhere(() => acts.openRun(name)),
    story: (name) => void elsewhere(() => acts.openStory(name)),
    files: (files) => void elsewhere(() => opener.openPicked(files)).then(sandbox.judgeIfReady),
  },
  obey,
  node: (node) => update((now) => change.nodePicked(now, node)),
  message: (flight) => update((now) => change.messagePicked(now, flight)),
  split: commands.split,
  canvas: canvasActs(acts, (flight) => update((now) => change.messagePicked(now, flight))),
  beside: (app) => (app.mode === "live" ? live.beside(app) : app.mode === "sandbox" ? sandbox.beside(app) : commands.forkOffer(app)),
  stage: (app) => (app.mode === "live" ? live.stage(app) : app.mode === "sandbox" ? sandbox.stage(app) : ""),
  doing: commands.panel,
  messageActs: (app, flight) => (app.mode === "sandbox" ? sandbox.messageActs(app, flight) : ""),
  branches: (app) => (app.mode === "sandbox" ? sandbox.branches(app) : ""),
  splits: commands.splits,
};

/** What a guide says is about the run that it has opened. @param {() => Promise<void>} open another one */
function elsewhere(open) {
  update(roomsLeft);
  return open();
}

const redraw = () => {
  panels.spoil();
  update((now) => ({ ...now }));
};
const panels = makePanels(redraw);

/** @param {App} app */
function draw(app) {
  const due = panels.due(app);
  if (due) render(page(app, pageActs), root);
  if (app.timeline !== null) {
    // Of a long run lines come when they are looked at; then they are drawn.
    app.timeline.core.onLoaded = redraw;
    paintCanvases(app, (width) => update((now) => change.resized(now, width)));
    if (due) {
      revealRow(app);
      // The welcome is to be read; what plays behind it would talk over it.
      if (app.welcome !== "fresh") tell(app, get);
    }
  }
  roomsDrawn(app, acts);
  sandbox.drawn(app);
  if (due) address.keep(app);
}

/* --- what a person does ------------------------------------------------------------- */

/** @param {import("./keys.js").Command} command */
function obey(command) {
  update(touched);
  if (command === "play") return player.toggle();
  if (STEPS.has(command)) live.look();
  const step = CHANGES[command];
  if (step === undefined) return commands.obey(command);
  update((now) => step({ ...now, playing: now.playing && !STEPS.has(command) }));
  if (command === "last") live.atEnd();
  // The field is there once the panel has been drawn.
  if (command === "find") requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById("find-text")?.focus()));
}

/** @param {"replay" | "live" | "sandbox"} tab */
function mode(tab) {
  update((now) => ({ ...change.modeChanged(change.tabOf(now.mode) === tab ? now : roomsLeft(now), tab), sheet: null }));
  live.modeChanged(tab === "live");
  if (tab === "sandbox") void sandbox.enter();
  if (tab === "replay" && get().timeline === null) void address.showFirst();
}

function switchTheme() {
  const theme = get().theme === "dark" ? "light" : "dark";
  keepTheme(theme);
  wear(theme);
}

/** @param {"light" | "dark"} theme */
function wear(theme) {
  wearTheme(theme);
  themeChanged();
  update((now) => ({ ...now, theme }));
}

/* --- the beginning -------------------------------------------------------------------- */

async function begin() {
  root.replaceChildren();
  document.body.dataset.drop = words.dropHere;
  wear(get().theme);
  followSystem(wear);
  listenToKeys(acts, { obey, node: pageActs.node });
  listenToFiles((transfer) => void elsewhere(() => opener.openDropped(transfer)).then(sandbox.judgeIfReady));
  update((now) => ({ ...now, busy: words.loadingPage }));
  draw(get());
  try {
    catalogue = await getJson("catalogue.json");
    offers = fetchOffers();
    await address.follow();
    void live.ask();
    void sandbox.prepare();
    await Promise.all([offers.runs, offers.stories]);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    update((now) => ({ ...now, busy: null, trouble: sentenceOf(error), sheet: "runs" }));
  }
}

/** What there is to choose from. Stories may take a moment: what is opened first does not wait for them. */
function fetchOffers() {
  const offers = {
    runs: listRuns().then((found) => update((now) => ({ ...now, runs: found }))),
    stories: getJson("stories.json").then((found) => update((now) => ({ ...now, stories: found.stories }))),
  };
  // Whoever waits for one is told of its failure; that nobody waits yet is none.
  for (const list of Object.values(offers)) list.catch(() => {});
  return offers;
}

void begin();
