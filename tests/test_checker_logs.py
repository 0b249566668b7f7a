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


def broken(verdict: Verdict) -> list[str]:
    """The broken rules, in the order in which they were broken."""
    return list(dict.fromkeys(violation.rule for violation in verdict.violations))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_hand_made_log_is_judged_as_its_head_says(path: Path) -> None:
    """The named rules are broken (or in doubt), in this order, and no other."""
    expected, rules = head(path)
    verdict = check_lines(build(path.read_text("utf-8")))
    assert verdict.verdict == expected, verdict.as_text()
    doubted = [name for name, rule in verdict.rules.items() if rule.verdict == "unknown"]
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
    (path,) = [path for path in LOGS if path.stem == "R4-ignores-reported-values"]
    violation = check_lines(build(path.read_text("utf-8"))).violations[0]
    told = sorted((line["event"], line["node"]) for line in violation.lines)
    assert told == [
        ("accept_sent", "n3"),
        ("promise_received", "n3"),
        ("promise_received", "n3"),
        ("promise_sent", "n2"),
        ("promise_sent", "n3"),
    ]
