"""The lines of a live run are shown in the order of time and cause, however they arrive."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from orchestrator.stories import story_files
from paxos.checker.order import merge
from paxos.events import Line, decode, encode
from tests.web_node import ask_node
from tests.web_page import drop

STORY = [decode(row) for row in story_files("partition")["events.jsonl"].splitlines()]
PATIENCE_MS = 800


def shown(*moments: list[Line]) -> list[list[Line]]:
    """What is shown when so many lines arrive at each moment, one millisecond after the other."""
    asked = [{"at": at, "lines": lines} for at, lines in enumerate(moments)]
    found: list[list[Line]] = ask_node("web_order.mjs", asked)
    return found


def line(node: str, seq: int, at_ns: int, **more: Any) -> Line:
    """Some line."""
    return {"node": node, "incarnation": 1, "seq": seq, "at_ns": at_ns, **more}


def named(lines: list[Line]) -> list[str]:
    """The lines' names."""
    return [f"{line['node']}/{line['seq']}" for line in lines]


def test_what_arrives_node_after_node_is_shown_as_the_merged_log_has_it() -> None:
    """All at once, as for a page that opens late; of lines of one time any may be the first."""
    by_node = sorted(STORY, key=lambda line: line["node"])
    times = [line["at_ns"] for line in merge(STORY)]
    assert [line["at_ns"] for line in by_node] != times
    assert [[line["at_ns"] for line in lines] for lines in shown(by_node)] == [times]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, len(STORY)), max_size=12), st.permutations(range(6)))
def test_however_it_arrives_each_line_is_shown_once_and_causes_first(
    cuts: list[int], ranks: list[int]
) -> None:
    """In pieces, and in each of them one node after the other."""
    ends = [0, *sorted(cuts), len(STORY)]
    nodes = sorted({line["node"] for line in STORY})
    rank = dict(zip(nodes, ranks, strict=False))
    pieces = [
        sorted(STORY[first:last], key=lambda line: rank[line["node"]])
        for first, last in itertools.pairwise(ends)
    ]
    out = [line for lines in shown(*pieces) for line in lines]
    assert sorted(map(str, out)) == sorted(map(str, STORY))
    seen: set[str] = set()
    for one in out:
        cause = one.get("cause")
        assert cause is None or cause in seen
        seen.add(f"{one['node']}/{one['incarnation']}/{one['seq']}")


def test_a_receipt_waits_for_what_was_sent_and_not_for_ever() -> None:
    """Its sender may have been killed before the line left it."""
    receipt = line("n2", 1, 5, cause="n1/1/1")
    assert [named(part) for part in shown([receipt], [line("n1", 1, 4)])] == [[], ["n1/1", "n2/1"]]
    waited: list[list[Line]] = [[receipt], *([[]] * (PATIENCE_MS + 1))]
    assert [named(part) for part in shown(*waited)][-2:] == [[], ["n2/1"]]


def test_a_clock_that_is_set_back_does_not_turn_a_node_s_lines_round() -> None:
    """Its own order is the surer one."""
    lines = [line("n1", 1, 10), line("n1", 2, 3), line("n2", 1, 5), line("n1", 3, 12)]
    assert [named(part) for part in shown(lines)] == [["n2/1", "n1/1", "n1/2", "n1/3"]]


@pytest.mark.browser
def test_a_node_whose_clock_is_behind_learns_sooner_by_the_clocks(
    visit: Callable[..., Page],
) -> None:
    """It is no sign of a word that ran ahead: the order of causes is whole."""
    rows = [
        {**line, "at_ns": line["at_ns"] - 5_000_000_000} if line["node"] == "n4" else line
        for line in STORY
    ]
    page = visit("#story=basic")
    drop(page, {"mine.jsonl": b"".join(map(encode, rows)).decode()})
    expect(page.locator("#now-title")).to_contain_text(f"of {len(rows)}")
    page.keyboard.press("End")
    expect(page.locator(".choice")).to_contain_text("by the clocks")
    expect(page.locator(".choice")).not_to_contain_text("+-")
    expect(page.locator(".choice .bad")).to_have_count(0)
