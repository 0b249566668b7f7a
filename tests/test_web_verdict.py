"""The verdict of a recorded run: at each moment, with the events that prove it, and why there may be none."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from orchestrator.stories import story_files
from paxos.events import line_id, narrate
from tests.web_page import Visit, settled
from tests.web_replay import place, run
from tests.web_rooms import BROKEN, PARTITION
from tests.web_server import recorded, write_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestVerdict:
    def test_a_violated_run_opens_where_it_is_violated(self, visit: Visit) -> None:
        """With the events that prove it quoted, each a way to its moment."""
        page = visit(run(BROKEN))
        expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
        expect(page.locator(".chip.point.violation").first).to_be_visible()
        violations = page.locator(".violations > li")
        expect(violations.first).to_contain_text("R4")
        quotes = violations.first.locator("button")
        assert quotes.count() >= 2
        text = quotes.first.inner_text()
        expect(page.locator(".rules .rule-violated")).to_have_count(1)
        quotes.first.click()
        expect(page.locator(".sentence")).to_have_text(text, use_inner_text=True)
        page.keyboard.press("End")
        expect(page.locator(".rules .rule-violated")).to_have_count(2)

    def test_the_verdict_is_that_of_the_moment(self, visit: Visit) -> None:
        """Safe so far before it is broken, broken from then on; and the way to it is one click."""
        page = visit(run(BROKEN))
        settled(page)
        violated = page.locator(".happening h2").inner_text()
        expect(page.locator(".verdict > h3 .verdict-violated")).to_be_visible()
        expect(page.locator("#tab-verdict")).to_contain_text("✗")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".verdict > h3").first).to_contain_text("safe so far")
        expect(page.locator(".rules .rule-violated")).to_have_count(0)
        expect(page.locator("#tab-verdict")).to_contain_text("✓")
        page.get_by_role("button", name="Go to the next of 2 violations").click()
        expect(page.locator(".happening h2")).to_have_text(violated, use_inner_text=True)
        expect(page.locator(".rules .rule-violated")).to_contain_text("R4")

    def test_a_run_that_could_not_be_judged_says_why(self, visit: Visit) -> None:
        """Unknown is not ok."""
        page = visit(run(PARTITION))
        # Beside the question that the run opens with no verdict is shown.
        page.keyboard.press("ArrowRight")
        expect(page.locator(".run-bar .verdict-unknown")).to_be_visible()
        expect(page.locator(".verdict")).to_contain_text("What is unknown")

    def test_expectations_name_the_lines_that_met_them(self, visit: Visit, tmp_path: Path) -> None:
        """A line that is named is a way to its moment."""
        lines = recorded("local-late-proposer")
        folder = write_run(tmp_path, "expected", lines)
        path = folder / "verdict.json"
        verdict = json.loads(path.read_text("utf-8"))
        at = place(lines, "value_learned")
        met = {"expectation": "it was learned", "met": True, "evidence": line_id(lines[at])}
        missed = {"expectation": "it rained", "met": False, "evidence": "the sun shone"}
        verdict["expectations"] = [
            {**met, "kind": "must_happen"},
            {**missed, "kind": "expectation"},
        ]
        path.write_text(json.dumps(verdict), encoding="utf-8")
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
        items = page.locator(".expectations li")
        # Before the end they would spoil it.
        expect(page.locator(".run-bar")).to_contain_text("real processes")
        expect(items).to_have_count(0)
        page.keyboard.press("End")
        expect(items.nth(0)).to_contain_text("must happen")
        expect(items.nth(1).get_by_role("img", name="not met")).to_be_visible()
        items.nth(0).get_by_role("button").click()
        expect(page.locator(".sentence")).to_have_text(narrate(lines[at]), use_inner_text=True)

    def test_a_recorded_run_leads_to_the_shortest_that_breaks_the_same(
        self, visit: Visit, tmp_path: Path
    ) -> None:
        """Of the same variant, whichever scenario it was; a run of none has no such link."""
        files = story_files("broken--accept-below-promise")
        for name in ("events.jsonl", "run.json", "verdict.json", "why.json"):
            (tmp_path / name).write_bytes(files[name])
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").set_input_files(sorted(tmp_path.iterdir()))
        expect(page.locator(".violations")).to_contain_text("R1")
        expect(page.locator(".run-bar .run-title")).to_have_text(
            "An acceptor accepts whatever it is asked to"
        )
        page.get_by_role("button", name="See the shortest run that breaks the same").click()
        expect(page).to_have_url(re.compile("#story=broken--accept-below-promise-shortest"))
        expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
        page.evaluate("hash => { location.hash = hash; }", run(BROKEN))
        expect(page.locator(".violations")).to_contain_text("R4")
        expect(page.get_by_role("button", name="See the shortest run")).to_have_count(0)
