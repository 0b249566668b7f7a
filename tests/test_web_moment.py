"""What the page shows of a moment: memory beside disk, the choice, walls, messages and their causes."""

import json
import re

import pytest
from playwright.sync_api import expect

from paxos.events import line_id, narrate
from tests.web_page import MARKUP, Visit, click_an_arrow, drop, settled
from tests.web_replay import ink, picture, place, run
from tests.web_rooms import CRASH, PARTITION
from tests.web_server import recorded, text_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestViews:
    def test_memory_stands_beside_disk(self, visit: Visit) -> None:
        """In memory only until the sync has returned; lost with a kill while the disk stays."""
        lines = recorded("local-crash-after-promise")
        heard, killed = place(lines, "prepare_received"), place(lines, "failpoint_hit")
        page = visit(run(CRASH, at=line_id(lines[heard])))
        row = page.locator(".acceptors tbody tr", has_text=lines[heard]["node"]).first
        expect(row.locator(".unsaved")).to_have_text(lines[heard]["ballot"])
        page = visit(run(CRASH, at=line_id(lines[killed])))
        cells = page.locator(".acceptors tr.down td")
        expect(cells.nth(0)).to_have_text("lost")
        expect(cells.nth(1)).to_have_text(re.compile(r"\d+\.n\d"))
        expect(page.locator(".ring .node.down")).to_have_count(1)

    def test_the_choice_stands_beside_who_learned_when(self, visit: Visit) -> None:
        """Chosen is a fact about the cluster; learned is one node's."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        expect(page.locator(".choice")).to_contain_text("Nothing is chosen yet")
        page.keyboard.press("End")
        expect(page.locator(".moments button")).to_have_count(6)
        page.locator(".choice").get_by_role("button", name="chosen").click()
        expect(page.locator(".chip.point")).to_have_text("Chosen")
        page.keyboard.press("End")
        page.get_by_role("button", name="n5 learns", exact=True).click()
        learned = [line for line in lines if line["event"] == "value_learned"]
        (last,) = (narrate(line) for line in learned if line["node"] == "n5")
        expect(page.locator(".sentence")).to_have_text(last, use_inner_text=True)

    def test_a_wall_and_its_fault_are_shown_while_they_last(self, visit: Visit) -> None:
        """From the line that confirms it to the one that says it is over."""
        lines = recorded("local-partition")
        during, over = place(lines, "fault_applied"), place(lines, "fault_undone")
        page = visit(run(PARTITION, at=line_id(lines[during])))
        expect(page.locator(".ring path.wall")).to_have_count(1)
        expect(page.locator(".ring .warn")).to_have_text("partition n1 n2 n3 | n4 n5")
        page = visit(run(PARTITION, at=line_id(lines[over])))
        expect(page.locator(".ring path.wall")).to_have_count(0)
        expect(page.locator(".ring .warn")).to_have_count(0)

    def test_a_message_shows_both_its_ends(self, visit: Visit) -> None:
        """By the keyboard at its line, and by the pointer on its arrow."""
        lines = recorded("local-partition")
        sent = place(lines, "accept_sent")
        page = visit(run(PARTITION, at=line_id(lines[sent])))
        page.keyboard.press("m")
        expect(page.locator(".message h3")).to_contain_text("Accept from n1 to n1")
        expect(page.locator(".message .ends table")).to_have_count(2)
        expect(page.locator(".message")).to_contain_text("apple at 1.n1")
        page.get_by_role("button", name="Close the message").click()
        expect(page.locator(".message")).to_have_count(0)
        click_an_arrow(page, 95, apart=9)
        expect(page.locator(".message")).to_be_visible()

    def test_causes_and_consequences_are_lit_and_linked(self, visit: Visit) -> None:
        """What led to a promise is the Prepare that its node had heard."""
        lines = recorded("local-partition")
        sent = place(lines, "promise_sent")
        page = visit(run(PARTITION, at=line_id(lines[sent])))
        page.keyboard.press("c")
        expect(page.locator(".related")).to_contain_text("led to this")
        page.locator(".reasons li button").first.click()
        expect(page.locator(".sentence")).to_contain_text("Prepare")

    def test_the_drawing_shows_less_where_the_future_is_hidden(self, visit: Visit) -> None:
        """What is to come is faint, or gone."""
        page = visit(run(PARTITION))
        # The first line asks for a guess, and hides it by itself.
        page.keyboard.press("ArrowRight")
        expect(page.locator("#now-title")).not_to_contain_text("event 1 of ")
        with_future = ink(page)
        page.keyboard.press("h")
        expect(page.get_by_role("button", name="Show what is to come")).to_have_attribute(
            "aria-pressed", "false"
        )
        assert ink(page) < with_future * 0.7

    def test_the_axis_changes_what_is_drawn(self, visit: Visit) -> None:
        """By time or by order, and back again; tests/test_web_keys.py has the other gestures."""
        page = visit(run(CRASH))
        pictures = []
        for key in ("f", "t", "t"):
            page.keyboard.press(key)
            settled(page)
            pictures.append(picture(page))
        assert pictures[0] == pictures[2] != pictures[1]

    def test_text_of_a_log_never_becomes_markup(self, visit: Visit) -> None:
        """A stranger may propose anything; it is shown as it is."""
        lines = json.loads(
            json.dumps(recorded("local-partition")).replace('"apple"', json.dumps(MARKUP))
        )
        lines[place(lines, "run_started")]["title"] = MARKUP
        page = visit()
        drop(page, {"mine.jsonl": text_of(lines)})
        expect(page.locator(".run-title")).to_have_text(MARKUP)
        page.keyboard.press("End")
        expect(page.locator(".choice .value").first).to_have_attribute("title", MARKUP)
        expect(page.locator(".event-rows")).to_contain_text("<img")
        assert page.locator("#page img, #page script").count() == 0
        assert page.title() == "Paxos Lab"
