// The page's first script. A browser that loses its network for a moment, as
// it does when another network comes up, drops what it was loading. Then the
// page would stand at its first sentence for ever; so what did not come is
// asked for again, and when that is in vain, too, the page says what to do.
// It stands alone: whatever it imported might not come either.

/** How long to wait before each further try, in milliseconds. */
const PAUSES_MS = [300, 1000, 3000];
const words = {
  lost: "Paxos Lab did not load: the connection was lost on the way, or its server has stopped. When both are back, load the page again.",
  /** @param {string} what */
  broken: (what) => `Paxos Lab did not start (${what}). Its files may be of two versions: load the page again.`,
  again: "Load it again",
};

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Style sheets that did not come are asked for again: by now each has come or failed. */
function styleAgain() {
  for (const link of /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll("link[rel=stylesheet]"))) {
    if (!hasCome(link)) link.replaceWith(link.cloneNode());
  }
}

/** @param {HTMLLinkElement} link */
function hasCome({ sheet }) {
  try {
    return sheet !== null && sheet.cssRules !== null;
  } catch {
    // Of one that did not come a browser may show an empty shell that must not be read.
    return false;
  }
}

/** A file that did not come, and not one that came and is wrong. @param {unknown} error */
const isLost = (error) => error instanceof TypeError;

/** Say that the page did not come, and what to do. @param {unknown} error */
function giveUp(error) {
  const sentence = document.createElement("p");
  sentence.setAttribute("role", "alert");
  sentence.textContent = isLost(error) ? words.lost : words.broken(String(error));
  const button = document.createElement("button");
  button.textContent = words.again;
  button.className = "primary";
  button.addEventListener("click", () => location.reload());
  const card = document.createElement("main");
  card.className = "card start";
  const heading = document.createElement("h1");
  heading.textContent = document.title;
  card.append(heading, sentence, button);
  document.getElementById("page")?.replaceChildren(card);
}

async function begin() {
  styleAgain();
  for (const ms of PAUSES_MS) {
    try {
      return await import("./main.js");
    } catch (error) {
      if (!isLost(error)) break;
      await pause(ms);
    }
    styleAgain();
  }
  return import("./main.js").catch((error) => {
    giveUp(error);
    // The console has the reason.
    throw error;
  });
}

void begin();
