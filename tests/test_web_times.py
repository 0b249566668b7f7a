"""Times on the page: however late a run begins, what happens at two times reads as two times."""

import itertools
import re
from typing import Any, Final

import pytest

from orchestrator.stories import story_files
from paxos.events import Line, decode
from tests.web_drawing import drawn
from tests.web_node import ask_node

LINES: Final = [decode(row) for row in story_files("partition")["events.jsonl"].splitlines()]
TIME: Final = re.compile(r"(\d+(?:\.\d+)?) (ms|s)")


def later(seconds: int) -> list[Line]:
    """The run, but nobody did anything for so long after its first line."""
    return [LINES[0], *({**line, "at_ns": line["at_ns"] + seconds * 10**9} for line in LINES[1:])]


def ms_of(text: str) -> float:
    """What a time says, in milliseconds."""
    found = TIME.fullmatch(text)
    assert found is not None, text
    return float(found[1]) * (1000 if found[2] == "s" else 1)


@pytest.mark.parametrize("seconds", [0, 3, 31, 4_000])
def test_neighbours_of_two_times_are_told_apart_in_the_list_and_in_the_report(seconds: int) -> None:
    """And each is right to its last digit."""
    lines = later(seconds)
    told: Any = ask_node("web_times.mjs", {"lines": lines})
    since = [(line["at_ns"] - lines[0]["at_ns"]) / 1e6 for line in lines]
    assert len({*since}) > 50
    for (one, here), (other, there) in itertools.pairwise(zip(since, told["events"], strict=True)):
        assert (here == there) == (one == other), (one, other)
        assert ms_of(there) == pytest.approx(other, abs=100 if seconds >= 10 else 1)
    assert set(told["report"]) <= set(told["events"])
    assert len(set(told["report"])) > 20


def test_no_more_digits_than_are_needed() -> None:
    """Where the next thing happens a second later, its microseconds tell nobody anything."""
    spread = [{**line, "at_ns": at * 2 * 10**9} for at, line in enumerate(LINES)]
    told = ask_node("web_times.mjs", {"lines": spread})["events"]
    assert told[:7] == ["0.00 ms", "2000 ms", "4000 ms", "6000 ms", "8000 ms", "10.0 s", "12.0 s"]


@pytest.mark.parametrize("seconds", [0, 3, 31, 4_000])
def test_labels_of_one_axis_differ_where_times_differ(seconds: int) -> None:
    """Nine times “31.7 s” would say that nothing moves."""
    lines = later(seconds)
    found = drawn(lines, axis="order", scale=17, left=12)
    labels = [text for text in found.texts() if TIME.fullmatch(text)]
    assert len(labels) > 5
    assert len(set(labels)) == len(labels)
