"""The sandbox for tests of the page: recipes in links, and a page whose engine has started."""

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Iterator
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
    """One page whose engine has started; its console must stay empty."""
    need_engine()
    with serving(logs) as address, visiting(browser, address) as visit:
        page = visit(f"#sandbox={packed(recipe())}", **settings)
        # Python starts in a tab of a busy machine.
        expect(page.locator(".sentence")).to_be_visible(timeout=180_000)
        yield page


def open_recipe(page: Page, made: Recipe, at: str = "") -> None:
    """Open a recipe, whose seed tells it from the last one, at a line or where its run rests."""
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


def link_of(page: Page) -> str:
    """The address once it names what is shown; a command changes it a moment after its answer."""
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
