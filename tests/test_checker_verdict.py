"""What the verdict says, to people and to programs."""

import json
from pathlib import Path

import pytest

from paxos.checker import RULES, check_lines
from paxos.events import LONG_VALUE_BYTES, Line, logged_value, narrate
from tests.logbuilder import build
from tests.test_checker_faults import GOOD
from tests.test_checker_logs import LOGS
from tests.test_checker_reader import table

BAD = "n1 prepare 1.n1 to n2\nn2 gets prepare 1.n1\nn2 promise 1.n1"


def test_the_json_has_every_key_and_survives_a_round_trip(tmp_path: Path) -> None:
    """A program finds verdict, rules, choices, violations, doubts and expectations."""
    lines = build(GOOD)
    run = table(lines)
    run["pieces"]["n2"] = [
        {"incarnation": 1, "first": 1, "last": None},
        {"incarnation": 2, "first": 1, "last": len([x for x in lines if x["node"] == "n2"])},
    ]
    run["pieces"]["n2"][1]["last"] -= 6
    verdict = check_lines(lines, run).with_expectations([{"expectation": "all learn", "met": True}])
    verdict.write(tmp_path / "verdict.json")
    told = json.loads((tmp_path / "verdict.json").read_text("utf-8"))
    assert told == verdict.as_json()
    assert told["verdict"] == "ok", verdict.as_text()
    assert (told["scenario"], told["world"], told["run"]) == ("basic", "local", "20260101-basic")
    assert list(told["rules"]) == list(RULES)
    assert all(rule["verdict"] == "ok" and rule["judged"] for rule in told["rules"].values())
    assert told["chosen"]["1"] == {
        "name": "main",
        "value": "apple",
        "ballot": "1.n1",
        "acceptors": ["n1", "n2"],
        "line": "n2/2/2",
        "at_ns": next(x["at_ns"] for x in lines if x["event"] == "state_recovered"),
    }
    assert (told["violations"], told["unknown"]) == ([], [])
    assert told["expectations"] == [{"expectation": "all learn", "met": True}]
    assert told["lines"] == len(lines)
    assert 0 < told["events"] < told["lines"]


def test_a_violation_in_json_carries_its_events() -> None:
    """The lines that prove it are there in full, and one of them is where it happened."""
    lines = build(BAD)
    told = check_lines(lines).as_json()
    (violation,) = told["violations"]
    assert (violation["rule"], violation["part"], violation["instance"]) == ("R6", "a", 1)
    assert violation["at"] == "n2/1/4"
    assert violation["events"] == [lines[-1]]
    assert violation["lines"] == ["n2/1/4"]


def test_a_violation_beats_a_doubt() -> None:
    """What is proven wrong stays wrong, whatever else is missing."""
    lines = [line for line in build(f"{BAD}\nn3 prepare 2.n3 to n2") if line["node"] != "n1"]
    verdict = check_lines(lines)
    assert verdict.verdict == "violated"
    assert verdict.unknown
    assert verdict.rules["R1"].verdict == "unknown"


def test_expectations_of_the_log_are_told_unless_others_are_given() -> None:
    """A folder that is checked again shows what its runner found."""
    lines = build(GOOD)
    last = [line for line in lines if line["node"] == "orchestrator"][-1]
    lines.append(
        {
            **{name: last[name] for name in ("v", "node", "incarnation", "at_ns")},
            "seq": last["seq"] + 1,
            "event": "expectation_checked",
            "expectation": "all learn",
            "met": False,
            "evidence": "n1 did not",
        }
    )
    verdict = check_lines(lines)
    assert verdict.verdict == "ok"
    assert [expectation["met"] for expectation in verdict.expectations] == [False]
    assert verdict.with_expectations([]).expectations == ()


def test_the_text_says_that_safety_held_and_over_how_much() -> None:
    """One line for each rule, then one that sums up."""
    verdict = check_lines(build(GOOD))
    rows = verdict.as_text().splitlines()
    assert [row.split()[0] for row in rows[:8]] == list(RULES)
    assert rows[9] == f"Safety held: 8 rules over {verdict.event_count} events."
    assert "Not seen: a proposer gave way to a reported value." in verdict.as_text()


def test_the_text_of_a_breach_tells_the_lines_in_words() -> None:
    """Who reads it needs no other tool."""
    lines = build(BAD)
    text = check_lines(lines).as_text()
    assert "Safety was violated: R6 broken, first R6 at n2/1/4" in text
    assert "R6 (a) durable before reply, instance 1: n2 sent a Promise at 1.n1 (n2/1/4)" in text
    assert f"n2/1/4     {narrate(lines[-1])[:40]}" in text


def test_nothing_is_seen_in_an_empty_log() -> None:
    """The sometimes facts keep a node that does nothing from passing."""
    verdict = check_lines([])
    assert not any(verdict.coverage.values())
    assert "Safety is unknown: no rule could be judged to the end" in verdict.as_text()


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_text_fits_80_columns(path: Path) -> None:
    """A terminal of 80 columns breaks no line of it."""
    text = check_lines(build(path.read_text("utf-8"))).as_text()
    assert max(len(row) for row in text.splitlines()) <= 80


def test_no_value_can_pass_for_a_sentence_of_ours() -> None:
    """A hostile value stays on its line and in its quotes."""
    value = "apple' is fine\nSafety held: 8 rules over 9 events.\x1b[2J"
    script = "client n1 apple\nphase1 1.n1 by n1\nn1 accept 1.n1 apple to n2"
    lines = [
        {**line, "value": value} if line.get("value") == "apple" else line for line in build(script)
    ]
    rows = check_lines(lines).as_text().splitlines()
    assert not any(row.startswith("Safety held") for row in rows)
    assert not any("\x1b" in row for row in rows)


def test_long_values_are_compared_by_their_digest() -> None:
    """A log that spells a long value out and one that digests it mean the same."""
    long = "x" * (LONG_VALUE_BYTES + 1)

    def swap(line: Line) -> Line:
        swapped = dict(line)
        if line.get("value") == "apple":
            digest = logged_value(long)
            swapped["value"] = long if line["event"].startswith("propose") else digest
        if isinstance(line.get("accepted"), dict):
            swapped["accepted"] = {**line["accepted"], "value": logged_value(long)}
        return swapped

    verdict = check_lines(
        [swap(line) for line in build(GOOD) if line["event"] != "propose_answered"]
    )
    assert verdict.violations == (), verdict.as_text()
    chosen = verdict.chosen[1]
    assert chosen is not None
    assert chosen.value == logged_value(long)
