"""Every hand-made log in ``tests/logs`` is judged as its head says, and no further.

A log is a script of ``logbuilder``. Its first line says what happens, its
second what the verdict must be: ``ok``; ``broken:`` with the rules in the
order in which they are broken; ``unknown:`` with the rules in doubt.
"""

from pathlib import Path

import pytest

from paxos.checker import RULES, Verdict, check_lines
from tests.logbuilder import build

LOGS = sorted((Path(__file__).parent / "logs").glob("*.txt"))

# Each must be legal, in the words of the rules.
ODDITIES = [
    "legal-kill-between-write-and-sync",
    "legal-lower-promise-after-power-loss",
    "legal-prepare-answered-again-after-accept",
    "legal-late-promise-reports-higher-pair",
    "legal-resent-accept",
    "legal-duplicated-accepted",
]


def head(path: Path) -> tuple[str, list[str]]:
    """What a log's second line expects: a verdict, and the rules in question."""
    kind, _, rules = path.read_text("utf-8").splitlines()[1].removeprefix("# ").partition(": ")
    return {"broken": "violated"}.get(kind, kind), rules.split()


def judged(name: str) -> Verdict:
    """The verdict on the log of this name."""
    (path,) = [path for path in LOGS if path.stem == name]
    return check_lines(build(path.read_text("utf-8")))


def broken(verdict: Verdict) -> list[str]:
    """The broken rules, in the order in which they were broken."""
    return list(dict.fromkeys(violation.rule for violation in verdict.violations))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_hand_made_log_is_judged_as_its_head_says(path: Path) -> None:
    """The named rules are broken (or in doubt), in this order, and no other."""
    expected, rules = head(path)
    verdict = check_lines(build(path.read_text("utf-8")))
    assert verdict.verdict == expected, verdict.as_text()
    doubted = [
        name
        for name, rule in verdict.rules.items()
        if rule.verdict == "unknown" and expected != "violated"
    ]
    assert broken(verdict) == (rules if expected == "violated" else []), verdict.as_text()
    assert doubted == (rules if expected == "unknown" else []), verdict.as_text()


@pytest.mark.parametrize("name", ODDITIES)
def test_a_legal_oddity_is_in_the_set_and_chooses_a_value(name: str) -> None:
    """The six oddities are there, and each log goes on to a choice that is learned."""
    path = next(path for path in LOGS if path.stem == name)
    assert head(path) == ("ok", [])
    verdict = check_lines(build(path.read_text("utf-8")))
    assert verdict.coverage["a value was chosen"] == 1
    assert verdict.coverage["a node learned"] >= 1


def test_every_rule_has_a_log_that_breaks_it_first() -> None:
    """No rule is without a bad log of its own."""
    first = {head(path)[1][0] for path in LOGS if head(path)[0] == "violated"}
    assert first == set(RULES)


@pytest.mark.parametrize(
    "path", [path for path in LOGS if head(path)[0] == "violated"], ids=lambda path: path.stem
)
def test_a_violation_carries_the_lines_that_prove_it(path: Path) -> None:
    """The sentence names the line at which the rule broke, and that line is in the evidence."""
    lines = build(path.read_text("utf-8"))
    for violation in check_lines(lines).violations:
        assert violation.at in violation.lines
        assert all(line in lines for line in violation.lines)
        told = "{node}/{incarnation}/{seq}".format_map(violation.at)
        assert told in violation.sentence


def test_a_breach_of_r4_shows_the_promises_as_sent_and_as_received() -> None:
    """Who reads the evidence sees both ends of each Promise that was counted."""
    violation = judged("R4-ignores-reported-values").violations[0]
    told = sorted((line["event"], line["node"]) for line in violation.lines)
    assert told == [
        ("accept_sent", "n3"),
        ("promise_received", "n3"),
        ("promise_received", "n3"),
        ("promise_sent", "n2"),
        ("promise_sent", "n3"),
    ]


def test_a_breach_of_r6_shows_the_record_that_came_too_late() -> None:
    """The record before the reply and the one behind it are the evidence."""
    (violation,) = judged("R6a-accepted-before-durable").violations
    told = [(line["event"], line["seq"]) for line in violation.lines]
    assert told == [("state_persisted", 4), ("accepted_sent", 7), ("state_persisted", 8)]
    assert violation.sentence.endswith("its disk did not hold 'apple' at 1.n1 until n2/1/8")


def test_a_promise_that_does_not_count_is_named() -> None:
    """The one that n2 did not send so is named, and n1's own is not."""
    (violation,) = judged("R4-a-promise-that-nobody-sent").violations
    assert "(not counted, because no acceptor sent it so: n1/1/10)" in violation.sentence


def test_a_rule_is_told_once_for_each_acceptor_and_instance() -> None:
    """What follows from the same bug at the same place adds nothing."""
    assert len(judged("R1-again-and-again").violations) == 1


def test_a_recovery_of_nothing_ever_heard_has_no_line_to_show_but_its_own() -> None:
    """n2 had nothing on disk before; what it made up is all the evidence there is."""
    verdict = check_lines(
        build("n1 prepare 1.n1 to n2\nn2 gets prepare 1.n1\nn2 killed\nn2 back 9.n3")
    )
    (violation,) = verdict.violations
    assert (violation.rule, violation.part) == ("R6", "b")
    assert [line["event"] for line in violation.lines] == ["state_recovered"]
