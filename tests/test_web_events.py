"""The list of events, and a run of very many."""

import re

import pytest
from playwright.sync_api import expect

from paxos.events import bundled, level_of, narrate
from tests.web_drawing import long_run
from tests.web_page import Visit, drop, settled
from tests.web_replay import run
from tests.web_rooms import CRASH, PARTITION, words
from tests.web_server import recorded, text_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestEvents:
    @pytest.mark.parametrize("level", ["story", "detail", "quiet"])
    def test_the_list_has_the_terminals_sentences(self, visit: Visit, level: str) -> None:
        """Bundled in the same way, at each level of detail."""
        rank = {"story": 0, "detail": 1, "quiet": 2}
        lines = recorded("local-partition")
        wanted = [line for line in lines if rank[level_of(line)] <= rank[level]]
        expected = [bundle.text for bundle in bundled(wanted)]
        page = visit(run(PARTITION))
        page.get_by_label("Show", exact=True).select_option(level)
        expect(page.locator(".events-head h2")).to_contain_text(f"{len(expected)} entries")
        shown = [words(text) for text in page.locator(".event-rows .what").all_text_contents()]
        assert shown == expected[: len(shown)]
        assert len(shown) >= min(len(expected), 100)

    def test_it_can_be_filtered_by_node_and_text(self, visit: Visit) -> None:
        """Selecting a node with its key filters, too."""
        page = visit(run(PARTITION))
        page.get_by_label("Node", exact=True).select_option("n5")
        settled(page)
        whos = set(page.locator(".event-rows .who").all_text_contents())
        assert "n5" in whos
        assert whos <= {"n5", "·"}
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("4")
        expect(page.get_by_label("Node", exact=True)).to_have_value("n4")
        page.keyboard.press("4")
        page.get_by_label("Find").fill("refuse everything below 1.n5")
        expect(page.locator(".events-head h2")).to_contain_text(re.compile(r"\b\d entr"))
        texts = page.locator(".event-rows .what").all_text_contents()
        assert texts
        assert all("refuse everything below 1.n5" in text for text in texts)
        page.get_by_label("Find").fill("no such words")
        expect(page.locator(".event-rows")).to_contain_text("No event fits")

    def test_an_entry_leads_to_its_moment(self, visit: Visit) -> None:
        """And is marked as the current one, as is the one that steps lead to."""
        page = visit(run(PARTITION))
        entry = page.locator(".event-rows li button").nth(12)
        text = words(entry.locator(".what").text_content())
        entry.click()
        expect(page.locator(".sentence")).to_have_text(text, use_inner_text=True)
        expect(page.locator(".event-rows [aria-current=true] .what")).to_have_text(text)

    def test_every_entry_can_be_reached_in_a_long_list(self, visit: Visit) -> None:
        """The list shows a window of it, which moves on."""
        page = visit(run(CRASH))
        page.get_by_label("Show", exact=True).select_option("quiet")
        settled(page)
        expect(page.get_by_role("button", name="earlier entr")).to_have_count(0)
        while (later := page.get_by_role("button", name="later entr")).count():
            last = words(page.locator(".event-rows .what").last.text_content())
            later.click()
            # What stood last is still there: nothing is passed over.
            expect(page.locator(".event-rows .what", has_text=last).first).to_be_attached()
            expect(page.locator(".event-rows .what").last).not_to_have_text(last)
        expect(page.get_by_role("button", name="earlier entr")).to_be_visible()
        last = narrate(recorded("local-crash-after-promise")[-1])
        expect(page.locator(".event-rows .what").last).to_have_text(last)

    def test_twenty_thousand_events_can_be_watched(self, visit: Visit) -> None:
        """A long run opens, is stepped through, searched and seen whole."""
        lines = long_run(20_000)
        page = visit()
        drop(page, {"long.jsonl": text_of(lines)})
        expect(page.locator(".happening h2")).to_contain_text("of 20,")
        page.keyboard.press("End")
        expect(page.locator(".choice")).to_contain_text("accepted by")
        for key in ("ArrowLeft", "Shift+ArrowLeft", "f", "ArrowLeft", "+"):
            page.keyboard.press(key)
        last = max(line["instance"] for line in lines if "instance" in line)
        page.get_by_label("Find").fill(f"'value {last}'")
        expect(page.locator(".event-rows li").first).to_contain_text(f"value {last}")
