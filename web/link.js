// A link is a moment: the hash holds what is shown (a run, a story or the
// sandbox's recipe), the line at the cursor and the instance.

/** @import {App} from "./state.js" */

/** The token that allows commands comes in the first address; it must not stay there. */
const TOKEN = "paxos-lab-token";

/**
 * @param {App} app
 * @returns {string} empty when no link can lead here, or when making it takes time (the sandbox's)
 */
export function hashOf(app) {
  const { source, timeline, cursor } = app;
  if (source?.kind === "live") return "#live";
  if (source === null || timeline === null || (source.kind !== "run" && source.kind !== "story")) return "";
  const parts = [`${source.kind}=${encodeURIComponent(source.name)}`];
  if (cursor > 0) parts.push(`at=${timeline.nameOf(cursor)}`);
  return `#${[...parts, ...instanceOf(app)].join("&")}`;
}

/** @param {App} app @param {string} recipe as it stands in a link */
export function sandboxHash(app, recipe) {
  const { timeline, cursor } = app;
  const at = timeline !== null && cursor > 0 ? [`at=${timeline.nameOf(cursor)}`] : [];
  return `#${[`sandbox=${recipe}`, ...at, ...instanceOf(app)].join("&")}`;
}

/** @param {App} app */
function instanceOf({ instance }) {
  return instance === 0 ? [] : [`instance=${instance}`];
}

/**
 * @param {string} hash
 * @returns {{fields: URLSearchParams, run: string | null, story: string | null, sandbox: string | null, live: boolean, at?: string, instance?: number}}
 */
export function momentOf(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const instance = Number(fields.get("instance") ?? "");
  return {
    fields,
    run: fields.get("run"),
    story: fields.get("story"),
    sandbox: fields.get("sandbox"),
    live: fields.has("live"),
    at: fields.get("at") ?? undefined,
    instance: Number.isInteger(instance) && instance > 0 ? instance : undefined,
  };
}

/**
 * Take the token out of the address, where a picture of the screen or a copied
 * link would give it away, and keep it for this tab.
 */
export function takeToken() {
  const fields = new URLSearchParams(location.hash.replace(/^#/, ""));
  const token = fields.get("token");
  if (token === null) return;
  sessionStorage.setItem(TOKEN, token);
  fields.delete("token");
  const rest = [...fields].map(([name, value]) => (value === "" ? name : `${name}=${encodeURIComponent(value)}`)).join("&");
  history.replaceState(null, "", `${location.pathname}${location.search}${rest === "" ? "" : `#${rest}`}`);
}

/** @returns {string | null} */
export function keptToken() {
  return sessionStorage.getItem(TOKEN);
}
