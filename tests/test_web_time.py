"""Time: steps forwards and backwards, turning points, the scrubber, and play."""

import re

import pytest
from playwright.sync_api import expect

from paxos.events import level_of
from tests.web_page import Visit, awaited, recorded_texts, recording, settled
from tests.web_replay import moment, points, run, said, sentence
from tests.web_rooms import BROKEN, PARTITION
from tests.web_server import recorded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestTime:
    def test_the_sentence_at_each_step_is_the_terminals(self, visit: Visit) -> None:
        """Forwards by event, over what the level of detail shows."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        stops = [at for at, line in enumerate(lines) if level_of(line) != "quiet"]
        assert sentence(page) == said(lines, stops[0]) == lines[stops[0]]["title"]
        for at in stops[1:40]:
            page.keyboard.press("ArrowRight")
            expect(page.locator(".sentence")).to_have_text(said(lines, at), use_inner_text=True)

    def test_backwards_shows_what_forwards_showed(self, visit: Visit) -> None:
        """The table, the meters and the ring at a moment do not depend on the way there."""
        page = visit(run(PARTITION))
        seen = []
        for _ in range(8):
            page.keyboard.press("Shift+ArrowRight")
            settled(page)
            seen.append(moment(page))
        assert len(set(seen)) == 8
        for expected in reversed(seen[:-1]):
            page.keyboard.press("Shift+ArrowLeft")
            expect(page.locator(".sentence")).to_have_text(expected[0], use_inner_text=True)
            assert moment(page) == expected

    def test_turning_points_are_those_of_the_fold(self, visit: Visit) -> None:
        """Shift and an arrow go from one to the next; the last step goes to the end."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        for at in points(lines):
            page.keyboard.press("Shift+ArrowRight")
            expect(page.locator(".happening h2")).to_contain_text(f"event {at + 1} of")
            expect(page.locator(".chip.point").first).to_be_visible()
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".happening h2")).to_contain_text(f"event {len(lines)} of")

    def test_home_end_and_the_scrubber(self, visit: Visit) -> None:
        """To both ends, and anywhere between."""
        page = visit(run(PARTITION))
        page.keyboard.press("End")
        expect(page.locator(".happening h2")).to_contain_text("event 244 of 244")
        page.keyboard.press("Home")
        expect(page.locator(".happening h2")).to_contain_text("event 1 of 244")
        page.get_by_label("Event", exact=True).fill("99")
        expect(page.locator(".happening h2")).to_contain_text("event 100 of 244")

    def test_play_goes_on_and_stops_at_a_violation(self, visit: Visit) -> None:
        """It does not run past what a person came to see."""
        page = visit(run(BROKEN))
        settled(page)
        violated = page.locator(".happening h2").inner_text()
        page.keyboard.press("Home")
        page.get_by_label("Speed").select_option("4")
        page.keyboard.press("Escape")
        expect(page.locator(".happening h2")).to_contain_text("event 1 of")
        page.get_by_role("button", name="▶ Play").click()
        expect(page.locator(".happening h2")).to_have_text(violated, use_inner_text=True)
        expect(page.get_by_role("button", name="▶ Play")).to_be_visible()
        assert page.locator(".happening h2").inner_text() == violated

    def test_where_motion_is_unwelcome_play_jumps_between_turning_points(
        self, visit: Visit
    ) -> None:
        """Nothing moves in between."""
        stops = points(recorded("local-partition"))[:3]
        page = visit(
            run(PARTITION),
            reduced_motion="reduce",
            prepare=lambda page: recording(page, ".happening h2 .muted"),
        )
        page.get_by_label("Speed").select_option("4")
        page.locator("h1").click()
        page.keyboard.press("Space")
        # It does not stay at any of them: whoever looks late is told by what was kept.
        awaited(page, f"window.recorded.length > {len(stops)}")
        at = [re.findall(r"\d+", text)[0] for text in recorded_texts(page)]
        assert at[1 : len(stops) + 1] == [str(stop + 1) for stop in stops]
