"""The first screen, without a link: what this is, that it moves, and where to begin."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.web_page import Visit, in_both_themes, recorded_texts, recording, settled
from tests.web_replay import run
from tests.web_rooms import PARTITION

pytestmark = pytest.mark.browser
PLAY = ".controls .primary"
STORY = "**/stories/tour/events.jsonl"


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestWelcome:
    def test_the_simplest_run_plays_once_and_rests_where_it_is_done(self, visit: Visit) -> None:
        """It ends when every node has learned, and gives no riddle of the tour away."""
        page = visit(prepare=lambda page: recording(page, PLAY))
        expect(page.locator(".welcome")).to_contain_text("This is Paxos at work")
        expect(page.locator(".chip.point", has_text="Every node has learned")).to_be_visible()
        expect(page.locator(PLAY)).to_have_text("▶ Play")
        # Whoever looks late sees the end of it alone; what was shown meanwhile is kept.
        assert recorded_texts(page)[-2:] == ["❚❚ Pause", "▶ Play"]
        expect(page.locator(".acceptors tbody")).to_contain_text("lemon")
        hidden = page.get_by_role("button", name="Show what is to come")
        expect(hidden).to_have_attribute("aria-pressed", "false")
        # Whoever loads it again has seen nothing else, and is met again.
        assert page.evaluate("location.hash") == ""

    def test_where_motion_is_unwelcome_it_rests_there_at_once(self, visit: Visit) -> None:
        """Nothing plays by itself."""
        page = visit(reduced_motion="reduce", prepare=lambda page: recording(page, PLAY))
        expect(page.locator(".chip.point", has_text="Every node has learned")).to_be_visible()
        assert recorded_texts(page) == ["▶ Play"]

    def test_the_tour_begins_there(self, visit: Visit) -> None:
        """Its first step is shown, and the card is gone for good."""
        page = visit()
        page.get_by_role("button", name="Take the tour (5 minutes)").click()
        expect(page).to_have_url(re.compile("#tour=1"))
        expect(page.locator(".guide")).to_contain_text("1")
        expect(page.locator(".welcome")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.locator(".guide")).to_have_count(0)
        expect(page.locator(".welcome")).to_have_count(0)
        shown = page.get_by_role("button", name="Show what is to come")
        expect(shown).to_have_attribute("aria-pressed", "true")

    def test_a_step_by_hand_stops_it_and_escape_closes_the_card(self, visit: Visit) -> None:
        """What is to come stays hidden until it is asked for, or another run is opened."""
        page = visit()
        expect(page.locator(".welcome")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".controls .primary", has_text="Play")).to_be_visible()
        expect(page).to_have_url(re.compile("#story=tour"))
        page.keyboard.press("Escape")
        expect(page.locator(".welcome")).to_have_count(0)
        shown = page.get_by_role("button", name="Show what is to come")
        expect(shown).to_have_attribute("aria-pressed", "false")
        page.evaluate("hash => { location.hash = hash; }", run(PARTITION))
        expect(page.locator(".run-bar .run-title")).to_contain_text("both sides propose")
        # Its first line asks for a guess; from the next on all is shown.
        page.keyboard.press("ArrowRight")
        expect(shown).to_have_attribute("aria-pressed", "true")

    def test_whoever_follows_a_link_is_not_met(self, visit: Visit) -> None:
        """They came for that very run, and nothing moves by itself."""
        page = visit("#story=tour")
        expect(page.locator(".sentence")).to_be_visible()
        # It would be welcomed with the first drawing, and play two frames after it.
        settled(page)
        settled(page)
        expect(page.locator(".welcome")).to_have_count(0)
        expect(page.locator(PLAY)).to_have_text("▶ Play")

    @pytest.mark.parametrize("width", [1360, 390])
    def test_axe_finds_nothing(self, visit: Visit, width: int) -> None:
        """Once it rests; and both ways to begin are in sight without scrolling."""
        page = visit(
            reduced_motion="reduce",
            viewport={"width": width, "height": 900},
        )
        expect(page.locator(".chip.point", has_text="Every node has learned")).to_be_visible()
        for name in ("Take the tour (5 minutes)", "Break it yourself"):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        expect(page.locator(".ring svg")).to_be_in_viewport(ratio=0.9)
        for _ in in_both_themes(page):
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_whoever_goes_elsewhere_before_it_has_come_stays_there(self, visit: Visit) -> None:
        """And finds it on coming back."""
        held: list[Route] = []
        let_go: list[bool] = []

        def hold(page: Page) -> None:
            page.route(STORY, lambda route: route.continue_() if let_go else held.insert(0, route))

        page = visit("#variants", prepare=hold)
        page.keyboard.press("Escape")
        # Whether it was asked for behind the list, too, is a matter of when that was closed.
        with page.expect_request(STORY):
            page.evaluate("location.hash = '#'")
        expect(page.locator(".busy")).to_contain_text("the run of the tour")
        page.locator(".modes").get_by_role("button", name="Live").click()
        expect(page.locator(".start")).to_contain_text("Watch a live cluster")
        with page.expect_response(STORY) as come:
            let_go.append(True)
            for route in held:
                route.continue_()
        come.value.finished()
        settled(page)
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Live")
        page.locator(".modes").get_by_role("button", name="Replay").click()
        expect(page.locator(".run-bar .run-title")).to_have_text("Six steps over one run")

    def test_break_it_yourself_leads_to_a_cluster_that_waits_for_a_client(
        self, visit: Visit
    ) -> None:
        """Where there is no Pyodide the page says what is missing."""
        missing = {"available": False, "why": "Pyodide is not there.", "pyodide": None}

        def without(page: Page) -> None:
            page.route("**/sandbox.json", lambda route: route.fulfill(json=missing))

        page = visit(prepare=without)
        page.get_by_role("button", name="Break it yourself").click()
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Sandbox")
        expect(page.get_by_role("alert")).to_contain_text("Pyodide is not there.")
        expect(page.locator(".welcome")).to_have_count(0)
