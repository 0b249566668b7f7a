"""A log that lacks lines is shown, and the page says at its top that it lacks them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orchestrator.stories import stories_json, story_files
from tests.web_node import ask_node
from tests.web_page import drop

Row = dict[str, Any]


def story(name: str) -> list[Row]:
    """The log of a story."""
    return [json.loads(row) for row in story_files(name)["events.jsonl"].splitlines()]


def named(row: Row) -> str:
    """The name of a line."""
    return f"{row['node']}/{row['incarnation']}/{row['seq']}"


def text(rows: list[Row]) -> str:
    """The bytes of a log."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def notices(*logs: list[Row]) -> list[str | None]:
    """What the page says at its top about each."""
    found: list[str | None] = ask_node("web_gaps.mjs", [text(log) for log in logs])
    return found


def without(rows: list[Row], *names: str) -> list[Row]:
    """The log without some of its lines."""
    left = [row for row in rows if named(row) not in names]
    assert len(left) == len(rows) - len(names)
    return left


def test_a_whole_log_is_said_nothing_about() -> None:
    """Also one whose nodes were killed, restarted, or never began at their first line."""
    names = [one["name"] for one in stories_json()["stories"]]
    assert {"partition", "restart-all", "tour"} <= set(names)
    assert notices(*map(story, names)) == [None] * len(names)


def test_lines_that_were_cut_out_are_counted_and_the_first_is_named() -> None:
    """Of one node or of several, in the middle or at an end that the log itself tells."""
    rows = story("partition")
    own = [named(row) for row in rows if row["node"] == "n3"]
    other = [named(row) for row in rows if row["node"] == "n5"]
    one, three, both, tail, whole = notices(
        without(rows, own[5]),
        without(rows, *own[5:8]),
        without(rows, own[5], other[-1]),
        without(rows, *own[-4:]),
        without(rows, *own),
    )
    assert one is not None
    assert one.startswith(f"One line of this log is missing, {own[5]}.")
    about = "lines of this log are missing, of those that"
    assert three is not None
    assert three.startswith(f"3 {about} n3 wrote; the first is {own[5]}.")
    assert both is not None
    assert both.startswith(f"2 {about} n3 and n5 wrote; the first is {own[5]}.")
    assert tail is not None
    assert tail.startswith(f"4 {about} n3 wrote; the first is {own[-4]}.")
    assert whole is not None
    assert whole.startswith(f"{len(own)} {about} n3 wrote; the first is {own[0]}.")


def test_the_runner_numbers_its_lines_from_the_first() -> None:
    """No line tells where its part begins: a run does not begin in its middle."""
    rows = story("partition")
    own = [named(row) for row in rows if row["node"] == "orchestrator"]
    (notice,) = notices(without(rows, *own[:2]))
    assert notice is not None
    assert notice.startswith(
        f"2 lines of this log are missing, of those that orchestrator wrote; the first is {own[0]}."
    )


def test_a_log_that_has_no_end_yet_lacks_only_what_its_numbers_skip() -> None:
    """Nobody says where a node's part ends: what follows may be still to come."""
    rows = story("partition")[:120]
    own = [named(row) for row in rows if row["node"] == "n3"]
    tail, hole = notices(without(rows, own[-1]), without(rows, own[-2]))
    assert tail is None
    assert hole is not None
    assert own[-2] in hole


def test_a_line_that_stands_twice_is_named_and_hides_no_hole() -> None:
    """Counted alone, one line more and one less would make a whole."""
    rows = story("partition")
    own = [named(row) for row in rows if row["node"] == "n3"]
    at = next(place for place, row in enumerate(rows) if named(row) == own[9])
    doubled = [*rows[: at + 1], *rows[at:]]
    once, both, two = notices(doubled, without(doubled, own[5]), [*doubled, rows[-2]])
    assert once == (f"One line stands twice in this log: {own[9]}. What it tells is shown twice.")
    assert both is not None
    assert both.startswith(f"One line of this log is missing, {own[5]}.")
    assert both.endswith(once)
    assert two is not None
    assert two.startswith("2 lines stand twice in this log; the first is ")


def test_a_strangers_closing_line_may_say_anything() -> None:
    """It is read as far as it makes sense."""
    rows = story("partition")
    close = next(at for at, row in enumerate(rows) if row["event"] == "log_closed")
    strange: list[Any] = [
        {"n1": 5},
        {"n1": [{}]},
        {"n1": [{"incarnation": 1, "first": 9, "last": "x"}]},
    ]
    for pieces in strange:
        changed = [*rows[:close], {**rows[close], "pieces": pieces}, *rows[close + 1 :]]
        assert notices(changed) == [None]


@pytest.mark.browser
def test_a_dropped_log_with_a_hole_says_so_at_its_top(visit: Callable[..., Page]) -> None:
    """It is opened all the same."""
    page = visit("#story=basic")
    rows = story("partition")
    own = [named(row) for row in rows if row["node"] == "n3"]
    drop(page, {"mine.jsonl": text(without(rows, *own[5:8]))})
    expect(page.locator(".notice")).to_contain_text("3 lines of this log are missing")
    expect(page.locator("#now-title")).to_contain_text(f"of {len(rows) - 3}")
