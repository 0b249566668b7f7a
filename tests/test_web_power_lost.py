"""What a power loss leaves on a disk is no line's to say before the disk is read."""

import json

import pytest
from playwright.sync_api import Page, expect

from orchestrator.stories import story_files
from paxos.events import Line, line_id
from tests.web_page import Visit

pytestmark = pytest.mark.browser

VISIT = {"reduced_motion": "reduce"}
STORY = "broken--sync-lies-by-hand"


def unsure(page: Page, lines: list[Line], event: str, node: str) -> list[str]:
    """What is marked in a node's row at the line at which it starts, or loses its power."""
    name = [line_id(one) for one in lines if (one["event"], one["node"]) == (event, node)][-1]
    page.evaluate("hash => { location.hash = hash; }", f"#story={STORY}&at={name}")
    place = [line_id(one) for one in lines].index(name)
    expect(page.locator("#now-title")).to_contain_text(f"event {place + 1:,} of {len(lines):,}")
    row = page.locator(".acceptors tbody tr").filter(has_text=node)
    return [text.split("?")[0].strip() for text in row.locator(".unsure").all_inner_texts()]


def test_the_disk_of_a_node_without_power_is_not_claimed(visit: Visit) -> None:
    """It said that it had synced; a disk that lies has nothing, as its start shows."""
    lines = [json.loads(row) for row in story_files(STORY)["events.jsonl"].splitlines()]
    page = visit(f"#story={STORY}")
    promised, accepted = unsure(page, lines, "power_lost", "n2")
    assert promised == "1.n1"
    assert "apple" in accepted
    assert "outlived the power loss" in page.locator(".acceptors .unsure").first.inner_text()
    assert unsure(page, lines, "node_started", "n2") == []
    # A kill takes nothing from a disk.
    page.evaluate("hash => { location.hash = hash; }", f"#story={STORY}")
    killed = next(line_id(one) for one in lines if one["event"] == "node_exited")
    page.evaluate("hash => { location.hash = hash; }", f"#story={STORY}&at={killed}")
    place = [line_id(one) for one in lines].index(killed)
    expect(page.locator("#now-title")).to_contain_text(f"event {place + 1:,} of {len(lines):,}")
    expect(page.locator(".acceptors tr.down")).to_contain_text("apple")
    expect(page.locator(".acceptors .unsure")).to_have_count(0)
