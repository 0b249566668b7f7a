"""The page around a run: how it is loaded, its modes, tabs and sheets, and how its sentences are written."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.web_page import MARKUP, Visit, settled, visiting
from tests.web_replay import run, sentence
from tests.web_rooms import PARTITION

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestLoading:
    """A browser drops what it loads when the machine's networks change."""

    @pytest.mark.parametrize("lost", ["main.js", "shell/page.js", "style.css"])
    def test_what_was_dropped_is_asked_for_again(
        self, browser: Browser, address: str, lost: str
    ) -> None:
        """A module, one that it imports, or a style sheet: the page comes whole."""
        asked: list[str] = []

        def drop_once(page: Page) -> None:
            def answer(route: Route) -> None:
                asked.append(route.request.url)
                if len(asked) == 1:
                    route.abort("failed")
                else:
                    route.continue_()

            page.route(f"**/{lost}", answer)

        with visiting(browser, address, complains=False) as open_page:
            page = open_page(run(PARTITION), prepare=drop_once)
            expect(page.locator(".sentence")).to_be_visible()
            assert len(asked) == 2
            expect(page.locator("body")).to_have_css("margin", "0px")

    def test_what_does_not_come_at_all_is_said(self, browser: Browser, address: str) -> None:
        """With what to do; and then it works."""
        with visiting(browser, address, complains=False) as open_page:
            page = open_page(
                prepare=lambda page: page.route("**/main.js", lambda route: route.abort())
            )
            expect(page.get_by_role("alert")).to_contain_text("load the page again")
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
            page.unroute_all()
            page.get_by_role("button", name="Load it again").click()
            expect(page.locator(".sentence")).to_be_visible()

    def test_a_file_that_does_not_fit_is_told_apart(self, browser: Browser, address: str) -> None:
        """Waiting does not help then."""
        with visiting(browser, address, complains=False) as open_page:
            body = "export const header = 1;"
            page = open_page(
                prepare=lambda page: page.route(
                    "**/view/frame.js",
                    lambda route: route.fulfill(body=body, content_type="text/javascript"),
                )
            )
            expect(page.get_by_role("alert")).to_contain_text("files may be of two versions")


class TestShell:
    def test_without_a_link_a_story_is_shown_at_once(self, visit: Visit) -> None:
        """And the address leads to it, once a person has begun to go through it."""
        page = visit()
        expect(page.locator(".run-bar .run-title")).to_have_text("Six steps over one run")
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Replay")
        assert page.evaluate("location.hash") == ""
        page.keyboard.press("End")
        expect(page).to_have_url(re.compile("#story=tour"))

    def test_a_mode_keeps_what_it_showed(self, visit: Visit) -> None:
        """Going to another one and back loses nothing."""
        page = visit(run(PARTITION))
        for _ in range(4):
            page.keyboard.press("Shift+ArrowRight")
        settled(page)
        said_then = sentence(page)
        page.locator(".modes").get_by_role("button", name="Live").click()
        expect(page.locator(".start")).to_contain_text("Watch a live cluster")
        page.locator(".modes").get_by_role("button", name="Replay").click()
        expect(page.locator(".sentence")).to_have_text(said_then, use_inner_text=True)

    def test_the_side_panels_are_tabs(self, visit: Visit) -> None:
        """One at a time; the arrows go from one to the next."""
        page = visit(run(PARTITION))
        for name in ("Do", "Learn", "Find", "Verdict"):
            page.get_by_role("tab", name=name).click()
            expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("tab", name="Do")).to_be_focused()

    def test_sheets_open_one_at_a_time_and_close_with_escape(self, visit: Visit) -> None:
        """Runs, share, compare, help."""
        page = visit(run(PARTITION))
        for name in ("Open a run", "Share", "Compare", "Keys and signs"):
            page.locator(".tools").get_by_role("button", name=name, exact=True).click()
            expect(page.locator(".sheet")).to_have_count(1)
        expect(page.locator(".sheet")).to_contain_text("part the marked nodes from the others")
        page.keyboard.press("Escape")
        expect(page.locator(".sheet")).to_have_count(0)

    def test_a_recorded_run_cannot_be_commanded(self, visit: Visit) -> None:
        """It says so, and what can be asked about it."""
        page = visit(run(PARTITION))
        page.get_by_role("tab", name="Do").click()
        expect(page.locator("#panel")).to_contain_text("This run is recorded")
        expect(page.locator("#panel pre")).to_contain_text(f"paxos-lab whatif {PARTITION} --at ")


SENTENCES = {
    "Run `make up` first.": ["make up"],
    "`make up`, else `make demo`": ["make up", "make demo"],
    "a lone ` is one": [],
    "``": [""],
    f"`{MARKUP}`": [MARKUP],
}
"""Sentences, and what of each is code."""
AS_SHOWN = """async (text) => {
    const { prose } = await import("./shell/prose.js");
    const { render } = await import("./vendor/lit-html/lit-html.js");
    const place = document.createElement("p");
    render(prose(text), place);
    const codes = [...place.querySelectorAll("code")].map((one) => one.textContent);
    const tags = [...place.querySelectorAll("*")].map((one) => one.localName);
    return [codes, place.textContent, tags];
}"""


class TestSentences:
    def test_commands_in_them_are_shown_as_code(self, visit: Visit) -> None:
        """What stands between backticks; and only text ever comes of it."""
        page = visit(run(PARTITION))
        for text, shown in SENTENCES.items():
            codes, whole, tags = page.evaluate(AS_SHOWN, text)
            assert codes == shown
            assert whole == (text.replace("`", "") if shown else text)
            assert set(tags) <= {"code"}
