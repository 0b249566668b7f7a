"""A recorded run in light and dark, wide and narrow, and for those who cannot see: axe finds nothing."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from paxos.events import level_of, line_id
from tests.web_page import Visit, awaited, in_both_themes, settled
from tests.web_replay import picture, place, run, said
from tests.web_rooms import BROKEN, CRASH, PARTITION
from tests.web_server import recorded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestAccess:
    @pytest.mark.parametrize(
        ("view", "width"),
        [
            *((view, 1360) for view in ("list", "run", "help", "violated", "message", "crash")),
            *((view, 390) for view in ("list", "message")),
        ],
    )
    def test_axe_finds_nothing(self, visit: Visit, view: str, width: int) -> None:
        """In light and dark, on a screen and on a phone."""
        lines, parted = recorded("local-crash-after-promise"), recorded("local-partition")
        moments = {
            "list": "",
            "violated": run(BROKEN),
            "crash": run(CRASH, at=line_id(lines[place(lines, "failpoint_hit")])),
            "message": run(PARTITION, at=line_id(parted[place(parted, "promise_received")])),
        }
        # What plays, or glides, would change under the eyes of who judges it.
        page = visit(
            moments.get(view, run(PARTITION)),
            reduced_motion="reduce",
            viewport={"width": width, "height": 900},
        )
        expect(page.locator("h2").first).to_be_visible()
        if view == "list":
            page.get_by_role("button", name="Open a run").click()
            expect(page.locator(".runs .run")).to_have_count(3)
        if view == "help":
            page.keyboard.press("?")
            expect(page.locator(".sheet-help .legend").first).to_be_visible()
        if view == "message":
            for key in ("c", "2", "m"):
                page.keyboard.press(key)
            expect(page.locator("#message-title")).to_be_visible()
        for _ in in_both_themes(page):
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()

    def test_nothing_is_wider_than_the_screen(self, visit: Visit) -> None:
        """What is wide scrolls within its own box."""
        page = visit(run(CRASH))
        page.keyboard.press("End")
        expect(page.locator(".sentence")).to_be_visible()
        for width in (1920, 1240, 1024, 768, 390, 360):
            page.set_viewport_size({"width": width, "height": 800})
            awaited(page, f"innerWidth === {width}")
            # The view is told of its width, and drawn anew.
            settled(page)
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            canvas = page.locator("#spacetime").bounding_box()
            assert canvas is not None
            assert canvas["width"] <= width

    def test_the_theme_follows_the_system_until_one_is_chosen(self, visit: Visit) -> None:
        """The choice is kept."""
        page = visit(run(PARTITION), color_scheme="dark")
        theme = "document.documentElement.dataset.theme"
        assert page.evaluate(theme) == "dark"
        dark = picture(page)
        page.get_by_role("button", name="Light theme").click()
        expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
        assert page.evaluate(theme) == "light"
        assert picture(page) != dark
        page.reload()
        expect(page.locator(".sentence")).to_be_visible()
        assert page.evaluate(theme) == "light"

    def test_what_happens_is_told_to_those_who_cannot_see(self, visit: Visit) -> None:
        """One polite sentence, not too often, and the last one always."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        for _ in range(30):
            page.keyboard.press("ArrowRight")
        stops = [at for at, line in enumerate(lines) if level_of(line) != "quiet"]
        expect(page.locator("#live")).to_have_text(said(lines, stops[30]), use_inner_text=False)

    def test_keys_belong_to_the_field_that_has_the_focus(self, visit: Visit) -> None:
        """Typing into the search is no command."""
        page = visit(run(PARTITION))
        settled(page)
        before = page.locator(".happening h2").inner_text()
        page.get_by_label("Find").focus()
        page.keyboard.type("f h1 ?")
        expect(page.get_by_label("Find")).to_have_value("f h1 ?")
        expect(page.locator(".help")).to_have_count(0)
        settled(page)
        assert page.locator(".happening h2").inner_text() == before
