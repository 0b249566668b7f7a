"""Take the pictures of the page that stand in ``docs/pictures``; run by hand.

``python -m tests.page_pictures`` opens each mode in Chromium, light and dark.
The live one is of local processes, so its times differ from one day to the next.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web_page import settled, visiting
from tests.web_sandbox import packed, propose, recipe
from tests.web_server import lab_web

PICTURES: Final = Path(__file__).parent.parent / "docs" / "pictures"
_SIZE: Final = {"width": 1360, "height": 900}
_TALL: Final = {"replay", "live", "sandbox"}
"""Those whose lanes are to be seen whole."""
_NUMBER: Final = re.compile(r"event [\d,]+ of")


def replay(page: Page) -> None:
    """A wall, and the moment at which the larger side chooses."""
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")


def tour(page: Page) -> None:
    """The third step, with its question."""
    expect(page.locator(".guide")).to_contain_text("must push apple")
    expect(page.locator(".sentence")).to_contain_text("n5 has promises")


def exhibit(page: Page) -> None:
    """A word that ran ahead of its disk."""
    expect(page.locator(".by-word")).to_contain_text("n2")


def variant(page: Page) -> None:
    """What was changed, beside the run that it breaks."""
    expect(page.locator(".sheet, .stage").first).to_contain_text("Seen in")
    expect(page.locator(".chip.verdict-violated").first).to_be_visible()


def sandbox(page: Page) -> None:
    """Forked in the past: two branches beside each other."""
    expect(page.locator(".run-bar")).to_contain_text("Seed 7")
    page.get_by_role("tab", name="Do").click()
    page.locator("h1").click()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.locator(".commands > .pick-node").get_by_role("button", name="n3", exact=True).click()
    page.locator(".commands").get_by_role("button", name="Kill", exact=True).click()
    expect(page.locator(".branches li")).to_have_count(2)
    expect(page.locator(".happening")).to_contain_text(_NUMBER)


def compare(page: Page) -> None:
    """The correct run and the broken one, at their first difference."""
    expect(page.locator(".compare canvas").first).to_be_visible()


def live(page: Page) -> None:
    """A wish, then a wall, on processes that run."""
    expect(page.locator(".sentence")).not_to_be_empty()
    page.get_by_role("tab", name="Do").click()
    page.locator(".commands > .pick-node").get_by_role("button", name="n2", exact=True).click()
    page.locator(".commands").get_by_role("button", name="Propose…", exact=True).click()
    page.get_by_label("Value").fill("pear")
    page.locator(".commands").get_by_role("button", name="Do it", exact=True).click()
    expect(page.locator(".choice")).to_contain_text("pear")
    page.locator(".commands > .pick-node").get_by_role("button", name="n4", exact=True).click()
    page.locator(".commands").get_by_role("button", name="Kill", exact=True).click()
    expect(page.locator(".ring .node", has_text="n4")).to_contain_text("✕")
    # The checker is some lines behind.
    expect(page.locator(".run-bar .verdict-ok")).to_be_visible()
    expect(page.locator(".whys")).to_be_visible()


_SCENES: Final[dict[str, tuple[str, Callable[[Page], None]]]] = {
    "replay": ("#story=partition", replay),
    "tour": ("#tour=3", tour),
    "exhibit": ("#exhibit=persistence.3", exhibit),
    "variant": ("#variant=ignore-accepted", variant),
    "sandbox": (
        f"#sandbox={packed(recipe(nodes=5, commands=[propose('apple'), propose('pear', 'n4', 30)]))}",
        sandbox,
    ),
    "compare": ("#compare=story:tour,story:tour--ignore-accepted", compare),
}


def main() -> None:
    """Take all of them anew."""
    PICTURES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        with lab_web(Path(home), "--world", "local") as (site, _):
            for theme in ("light", "dark"):
                for name, (hash_, act) in _SCENES.items():
                    take(browser, site.url, hash_, f"{name}-{theme}", act)
                site.post("live/begin", {})
                take(browser, site.url, f"#live&token={site.token}", f"live-{theme}", live)
                site.post("live/end", {})


def take(browser: Browser, url: str, hash_: str, name: str, act: Callable[[Page], None]) -> None:
    """Open the page, do something, and keep how it looks."""
    with visiting(browser, url, complains=False) as visit:
        page = visit(
            hash_,
            viewport=_SIZE | ({"height": 1010} if name.partition("-")[0] in _TALL else {}),
            color_scheme=name.rpartition("-")[2],
            reduced_motion="reduce",
        )
        act(page)
        page.mouse.move(680, 60)
        settled(page)
        page.screenshot(path=PICTURES / f"{name}.png")
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
