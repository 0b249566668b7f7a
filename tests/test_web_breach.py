"""From which line on the page counts a rule as broken: from the one that the checker calls the breach."""

import itertools
from typing import Any

import pytest

from orchestrator.parts import parts_of
from orchestrator.stories import story_files
from paxos.checker import check_lines, merge
from paxos.events import Line, decode, line_id, narrate
from paxos.simulator.fuzz import run_seed
from tests.web_node import ask_node

REPLY_FIRST = (
    "broken--reply-before-write",
    "broken--reply-before-write-by-hand",
    "broken--reply-before-write-shortest",
)


def asked(lines: list[Line], verdict: Any) -> Any:
    """What the page makes of a verdict: points, rules per line, and where playing stops."""
    return ask_node("web_breach.mjs", {"lines": lines, "verdict": verdict})


def story(name: str) -> list[Line]:
    """Its lines."""
    return [decode(row) for row in story_files(name)["events.jsonl"].splitlines()]


def broken_so_far(lines: list[Line]) -> list[str]:
    """The rules that are broken in a log that ends there."""
    verdict = check_lines(lines, trusted=True)
    return sorted({violation.rule for violation in verdict.violations})


@pytest.mark.parametrize("name", REPLY_FIRST)
def test_a_reply_before_its_write_is_the_breach_and_not_the_write(name: str) -> None:
    """What is said must be on disk before it is said: the late write is innocent."""
    lines = story(name)
    verdict = check_lines(lines, trusted=True)
    page = asked(lines, verdict.as_json())
    first = next(at for at in range(len(lines)) if broken_so_far(lines[: at + 1]))
    assert lines[first]["event"] == "promise_sent"
    assert [page["points"][0], page["stops"], page["opens"]] == [first] * 3
    before: list[list[str]] = [[] for _ in range(first)]
    assert page["upTo"][: first + 1] == page["marks"][: first + 1] == [*before, ["R6"]]
    # The write stands beside it, as what came later.
    write = verdict.violations[0].lines[-1]
    assert write["event"] == "state_persisted"
    assert f"Afterwards: {narrate(write)}" in page["judged"]
    assert f"Afterwards: {narrate(lines[first])}" not in page["judged"]


@pytest.mark.parametrize(
    ("seed", "variant"),
    [
        *itertools.product((1, 2, 3), ("reply-before-write", "promise-forgotten")),
        (4, "ignore-accepted"),
        (5, "small-quorum"),
    ],
)
def test_at_every_cut_the_page_says_what_the_checker_says_of_the_log_up_to_there(
    seed: int, variant: str
) -> None:
    """Before each breach, at it, and one line later."""
    lines = list(merge(run_seed(seed, parts_of(variant)).lines))
    verdict = check_lines(lines, trusted=True)
    page = asked(lines, verdict.as_json())
    assert page["upTo"] == page["marks"]
    place = {line_id(line): at for at, line in enumerate(lines)}
    breaches = sorted({place[line_id(one.at)] for one in verdict.violations})[:6]
    cuts = {at + more for at in breaches for more in (-1, 0, 1)} | {0, len(lines) - 1}
    for cut in sorted(cuts & set(range(len(lines)))):
        assert page["upTo"][cut] == broken_so_far(lines[: cut + 1])


def test_a_verdict_that_names_no_breach_counts_from_the_last_event_that_proves_it() -> None:
    """Another program may have written it."""
    lines = story(REPLY_FIRST[-1])
    verdict = check_lines(lines, trusted=True).as_json()
    (one,) = verdict["violations"]
    late = next(at for at, line in enumerate(lines) if line_id(line) == one["lines"][-1])
    for named in ({}, {"at": 5}, {"at": "n9/1/1"}):
        old = {name: value for name, value in one.items() if name != "at"} | named
        page = asked(lines, verdict | {"violations": [old]})
        assert page["points"] == [late]
        assert page["upTo"][late - 1 : late + 1] == [[], ["R6"]]


def test_a_cluster_that_nobody_has_asked_yet_is_not_called_doubtful() -> None:
    """Live as in the sandbox; but of a recorded log that holds nothing some may be missing."""
    lines = story("basic")
    begun = lines[: next(at for at, line in enumerate(lines) if "instance" in line)]
    verdict = check_lines(begun, trusted=True).as_json()
    assert (verdict["verdict"], verdict["events"]) == ("unknown", 0)
    chips = asked(begun, verdict)["chips"]
    assert chips["live"] == chips["sandbox"] == "nothing to judge yet"
    assert "?" in chips["story"]


def test_a_live_run_that_has_been_asked_since_the_last_verdict_is_not_judged_yet() -> None:
    """That verdict was of nothing; what it said is neither doubt nor that nobody has asked."""
    lines = story("basic")
    begun = lines[: next(at for at, line in enumerate(lines) if "instance" in line)]
    verdict = check_lines(begun, trusted=True).as_json()
    assert asked(lines, verdict)["chips"]["live"] == "not judged"
