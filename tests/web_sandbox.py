"""The sandbox for tests of the page: recipes in links, a page whose engine has started, and its panel.

A live run has the same panel.
"""

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from orchestrator.core_archive import scenario_data
from orchestrator.pyodide import sandbox_json
from paxos.events import Line
from paxos.sandbox import run
from tests.web_node import without
from tests.web_page import settled, visiting
from tests.web_server import serving

Recipe = dict[str, Any]
LINK = re.compile(r"#sandbox=([A-Za-z0-9_-]+)")


def recipe(*steps: dict[str, Any], **part: Any) -> Recipe:
    """A recipe of three nodes as the page writes it; each step comes when the run rests."""
    return {
        "v": 1,
        "seed": 7,
        "nodes": 3,
        "variant": None,
        "manual": False,
        "scenario": None,
        "settings": {},
        "commands": [{"after": 9_999, "do": step} for step in steps],
        **part,
    }


def propose(value: str, at: str = "n1", after: int = 0) -> dict[str, Any]:
    """A command of a recipe: a client's wish, which nobody waits for."""
    return {"after": after, "do": {"propose": {"at": at, "value": value, "background": True}}}


def packed(made: Recipe) -> str:
    """A recipe as it stands in a link."""
    squeeze = zlib.compressobj(wbits=-15)
    raw = squeeze.compress(json.dumps(made).encode()) + squeeze.flush()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpacked(link: str) -> Recipe:
    """The recipe of a link."""
    found = LINK.search(link)
    assert found is not None, link
    raw = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    made: Recipe = json.loads(zlib.decompress(raw, wbits=-15))
    return made


def played(made: Recipe) -> tuple[dict[str, Any], list[Line]]:
    """What Python makes of a recipe, and the lines of its log; nothing of it may be refused."""
    result = run(made, scenario_data())
    assert result["refused"] == []
    return result, [json.loads(row) for row in result["lines"].splitlines()]


def need_engine() -> None:
    """Skip where Pyodide is missing, and fail there under CI=true."""
    if not sandbox_json()["available"]:
        without(str(sandbox_json()["why"]))


@contextlib.contextmanager
def sandbox_page(browser: Browser, logs: Path, **settings: Any) -> Iterator[Page]:
    """One page whose engine has started, with runs of its own; its console must stay empty."""
    need_engine()
    with serving(logs) as address, engine_started(browser, address, **settings) as page:
        yield page


@contextlib.contextmanager
def engine_started(browser: Browser, address: str, **settings: Any) -> Iterator[Page]:
    """A page of a server that has Pyodide, once its engine has started."""
    with visiting(browser, address) as visit:
        page = visit(f"#sandbox={packed(recipe())}", **settings)
        # Python starts in a tab of a busy machine.
        expect(page.locator(".sentence")).to_be_visible(timeout=180_000)
        yield page


def open_recipe(page: Page, made: Recipe, at: str = "") -> Page:
    """Open a recipe, whose seed tells it from the last one, at a line or where its run rests.

    Returns:
        The same page, for tests that share one.
    """
    shown = " ".join(page.locator(".run-bar").all_inner_texts())
    # What is waited for would be there already.
    assert re.search(rf"Seed {made['seed']}\b", shown) is None, "the run before has the same seed"
    page.keyboard.press("Escape")
    page.evaluate(
        "hash => { location.hash = hash; }", f"#sandbox={packed(made)}{at and f'&at={at}'}"
    )
    count = run(made, scenario_data())["line_count"]
    expect(page.locator(".run-bar")).to_contain_text(f"Seed {made['seed']}")
    expect(page.locator(".run-bar")).to_contain_text(f"{count:,} events")
    page.get_by_role("tab", name="Do").click()
    # The arrows go from tab to tab while one has the focus.
    page.locator("h1").click()
    settled(page)
    return page


def at_rest(page: Page) -> None:
    """What comes of the last command has been played."""
    expect(page.locator(".commands > .sent li.pending")).to_have_count(0)
    settled(page)
    expect(page.locator(".controls button").first).to_contain_text("Play")
    settled(page)


def link_of(page: Page) -> str:
    """The address once it names what is shown; a command changes it a moment after its answer."""
    # A link goes when the page moves on.
    at_rest(page)
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Make the link").click()
    field = page.get_by_label("Link", exact=True)
    expect(field).to_have_value(LINK)
    link = field.input_value()
    # Escape would close more than the sheet.
    page.locator(".sheet > .close").click()
    expect(page.locator(".sheet")).to_have_count(0)
    return link


def answer(page: Page) -> Locator:
    """What became of the last command."""
    return page.locator(".commands > .sent li")


def done(page: Page, text: str = "") -> None:
    """The last command has been carried out, and this is in its words or in what was answered."""
    _became(page, "done", text)


def refused(page: Page, text: str = "") -> None:
    """The last command has been refused, and this is in its words or in what was answered."""
    _became(page, "refused", text)


def _became(page: Page, state: str, text: str) -> None:
    # Until the command is drawn, the answer in sight is the one before's.
    settled(page)
    expect(answer(page)).to_contain_text(text)
    expect(answer(page)).to_have_class(state)


def select(page: Page, node: str) -> None:
    """Choose a node for the buttons."""
    button = page.locator(".commands > .pick-node").get_by_role("button", name=node, exact=True)
    settled(page)
    if button.get_attribute("aria-pressed") != "true":
        button.click()
    # Until that is drawn the buttons are the ones of another node.
    expect(button).to_have_attribute("aria-pressed", "true")


def do(page: Page, name: str) -> None:
    """Press a button of the panel."""
    page.locator(".commands").get_by_role("button", name=name, exact=True).click()


def wish(page: Page) -> None:
    """Have the form for a proposal open; a cluster that rests opens it by itself."""
    settled(page)
    if page.locator(".form").count() == 0:
        do(page, "Propose…")


@contextlib.contextmanager
def slow_engine(page: Page) -> Iterator[Callable[[], None]]:
    """While this lasts the engine gets nothing to do, until what comes with it is called."""
    page.evaluate(
        """() => {
            const post = Worker.prototype.postMessage;
            const held = [];
            window.asked = new Promise((asked) => {
                Worker.prototype.postMessage = function (...message) {
                    held.push(() => post.apply(this, message));
                    asked();
                };
            });
            window.letGo = () => {
                Worker.prototype.postMessage = post;
                for (const one of held.splice(0)) one();
            };
        }"""
    )

    def let_go() -> None:
        page.evaluate("window.asked")
        page.evaluate("window.letGo()")

    yield let_go
    page.evaluate("window.letGo()")


def place(page: Page) -> int:
    """The number of the event at the cursor, as the page says it."""
    settled(page)
    found = re.search(r"event ([\d,]+) of", page.locator(".happening h2").inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def branches(page: Page) -> Locator:
    """The rows of the list of branches; there is none of a run with one alone."""
    return page.locator(".branches li")


def nothing_ran(page: Page) -> None:
    """No element came of any stranger's text."""
    assert page.locator("#page img, #page script").count() == 0
    assert page.title() == "Paxos Lab"
