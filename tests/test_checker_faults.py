"""Faults planted in one good run, and lines taken out of it.

The run has a late proposer that must push what it hears of, a nack, an
acceptor killed between write and sync, and a learner that is told. Each
planted fault is one change of its script, and the named rule must break first.
A line that is missing proves nothing: no cut may turn the run into a breach,
and none may leave it ``ok``.
"""

import pytest

from paxos.checker import check_lines, merge
from paxos.events import Line, line_id
from tests.logbuilder import build

GOOD = """
client n1 apple
client n3 pear
n1 prepare 1.n1 to n1 n2 n3
n1 gets prepare 1.n1
n1 disk 1.n1
n1 promise 1.n1
n2 gets prepare 1.n1
n2 disk 1.n1
n2 promise 1.n1
n1 gets promise 1.n1 from n1
n1 gets promise 1.n1 from n2
n1 accept 1.n1 apple to n1 n2 n3
n1 gets accept 1.n1 apple
n1 disk 1.n1 with 1.n1 apple
n1 accepted 1.n1 apple
n2 gets accept 1.n1 apple
n2 killed
n2 back 1.n1 with 1.n1 apple
n3 prepare 2.n3 to n1 n2 n3
n2 gets prepare 2.n3
n2 disk 2.n3 with 1.n1 apple
n2 promise 2.n3 with 1.n1 apple
n3 gets prepare 2.n3
n3 disk 2.n3
n3 promise 2.n3
n3 gets promise 2.n3 from n2
n3 gets promise 2.n3 from n3
n1 accept 1.n1 apple to n2
n2 gets accept 1.n1 apple
n2 nack 1.n1 for 2.n3
n1 gets nack 1.n1 from n2
n3 accept 2.n3 apple to n1 n2 n3
n2 gets accept 2.n3 apple
n2 disk 2.n3 with 2.n3 apple
n2 accepted 2.n3 apple
n3 gets accept 2.n3 apple
n3 disk 2.n3 with 2.n3 apple
n3 accepted 2.n3 apple
n3 gets accepted 2.n3 from n2
n3 gets accepted 2.n3 from n3
n3 learns 2.n3 apple by n2 n3
n3 answers apple
n3 learn 2.n3 apple by n2 n3 to n1
n1 gets learn 2.n3 from n3
n1 learns 2.n3 apple by n2 n3
n1 answers apple
"""

# (the rule that must break first, what is replaced in the script, by what)
NACK = "n2 nack 1.n1 for 2.n3\nn1 gets nack 1.n1 from n2"

FAULTS = [
    ("R1", NACK, "n2 disk 2.n3 with 1.n1 apple\nn2 accepted 1.n1 apple"),
    ("R1", NACK, "n2 promise 1.n1 with 1.n1 apple"),
    ("R2", "n2 promise 2.n3 with 1.n1 apple", "n2 promise 2.n3"),
    ("R2", "n2 promise 2.n3 with 1.n1 apple", "n2 promise 2.n3 with 2.n3 apple"),
    ("R2", "n2 promise 2.n3 with 1.n1 apple", "n2 promise 2.n3 with 1.n1 pear"),
    ("R2", "n3 promise 2.n3\n", "n3 promise 2.n3 with 1.n1 apple\n"),
    ("R3", "n1 accept 1.n1 apple to n2", "n1 accept 1.n1 pear to n2"),
    (
        "R3",
        "n1 accept 1.n1 apple to n2",
        "n1 killed\nn1 back 1.n1 with 1.n1 apple\nn1 prepare 1.n1 to n2",
    ),
    ("R3", "n3 prepare 2.n3 to n1 n2 n3", "n3 prepare 1.n1 to n2\nn3 prepare 2.n3 to n1 n2 n3"),
    ("R4", "n1 gets promise 1.n1 from n2\n", ""),
    ("R4", "n1 gets promise 1.n1 from n2\n", "n1 gets promise 1.n1 from n1\n"),
    ("R4", "n3 gets promise 2.n3 from n2\n", "n3 gets promise 2.n3 from n2 with nothing\n"),
    ("R4", "n3 gets promise 2.n3 from n2\n", "n3 gets promise 1.n1 from n2\n"),
    ("R4", "n3 accept 2.n3 apple to n1 n2 n3", "n3 accept 2.n3 pear to n1 n2 n3"),
    ("R4", "n3 accept 2.n3 apple to n1 n2 n3", "n3 accept 2.n3 plum to n1 n2 n3"),
    ("R5", "n3 learns 2.n3 apple by n2 n3", "n3 learns 2.n3 apple by n3"),
    ("R5", "n3 learns 2.n3 apple by n2 n3", "n3 learns 2.n3 apple by n1 n3"),
    ("R5", "n3 learns 2.n3 apple by n2 n3", "n3 learns 1.n1 apple by n1 n3"),
    ("R5", "n3 gets accepted 2.n3 from n2\n", ""),
    ("R5", "n1 learns 2.n3 apple by n2 n3", "n1 learns 2.n3 apple by n1 n2 n3"),
    ("R6", "n1 disk 1.n1\n", ""),
    ("R6", "n2 disk 1.n1\n", ""),
    ("R6", "n1 disk 1.n1 with 1.n1 apple\n", ""),
    ("R6", "n2 disk 2.n3 with 1.n1 apple\n", ""),
    ("R6", "n3 disk 2.n3\n", ""),
    ("R6", "n2 disk 2.n3 with 2.n3 apple\n", ""),
    ("R6", "n3 disk 2.n3 with 2.n3 apple\n", ""),
    ("R6", "n2 back 1.n1 with 1.n1 apple", "n2 back"),
    ("R6", "n2 back 1.n1 with 1.n1 apple", "n2 back 0.n0 with 1.n1 apple"),
    ("R6", "n2 back 1.n1 with 1.n1 apple", "n2 back 1.n1 with 1.n1 pear"),
    ("R6", "n2 back 1.n1 with 1.n1 apple", "n2 back 5.n2 with 1.n1 apple"),
    ("agreement", "n1 answers apple", "n1 answers pear"),
    # Nobody's value breaks R4 at the request already, unless somebody wishes for it later.
    ("R4", "client n1 apple\n", ""),
    ("validity", GOOD, f"{GOOD.replace('client n1 apple', '')}\nclient n1 apple"),
]


def test_the_run_is_good() -> None:
    """Nothing is wrong with the run, and every sometimes fact is seen in it."""
    verdict = check_lines(build(GOOD))
    assert verdict.verdict == "ok", verdict.as_text()
    chosen = verdict.chosen[1]
    assert chosen is not None
    assert (chosen.value, chosen.ballot, sorted(chosen.acceptances)) == (
        "apple",
        "1.n1",
        ["n1", "n2"],
    )
    # Chosen at two ballots, and one value all the same.
    assert verdict.rules["validity"].judged == 1
    assert [fact for fact, count in verdict.coverage.items() if not count] == [
        # The script does not say whose wish had to yield.
        "a proposer gave way to a reported value"
    ]


@pytest.mark.parametrize(("rule", "sound", "faulty"), FAULTS)
def test_a_planted_fault_is_caught_by_its_rule_first(rule: str, sound: str, faulty: str) -> None:
    """One change of the script, one rule that breaks before any other."""
    script = GOOD.replace(sound, faulty, 1)
    assert script != GOOD
    verdict = check_lines(build(script))
    assert verdict.verdict == "violated"
    assert verdict.violations[0].rule == rule, verdict.as_text()


def without(lines: list[Line], *gone: Line) -> list[Line]:
    """The lines but these."""
    return [line for line in lines if all(line is not other for other in gone)]


def inner_lines(lines: list[Line]) -> list[Line]:
    """What nodes wrote, but the end of each life: nobody can tell that this is missing."""
    ends = {(line["node"], line["incarnation"]): line for line in lines}
    return [
        line
        for line in lines
        if line["node"] != "orchestrator" and line is not ends[line["node"], line["incarnation"]]
    ]


@pytest.mark.parametrize("name", [line_id(line) for line in inner_lines(build(GOOD))])
def test_a_missing_line_makes_the_verdict_unknown(name: str) -> None:
    """Whichever line is missing: it is neither a breach, nor can it go unnoticed."""
    lines = build(GOOD)
    verdict = check_lines([line for line in lines if line_id(line) != name])
    assert verdict.verdict == "unknown", verdict.as_text()
    assert verdict.unknown[0].node == name.partition("/")[0]


@pytest.mark.parametrize("node", ["n1", "n2", "n3"])
def test_a_missing_log_makes_the_verdict_unknown(node: str) -> None:
    """A member without a log may have done anything."""
    verdict = check_lines([line for line in build(GOOD) if line["node"] != node])
    assert verdict.verdict == "unknown", verdict.as_text()
    assert f"the log of {node} is missing" in verdict.as_text()


def test_no_beginning_of_a_good_run_is_a_breach() -> None:
    """Rules are safety: what holds in a run holds at every moment of it."""
    lines = merge(build(GOOD))
    for count in range(len(lines)):
        verdict = check_lines(lines[:count])
        assert verdict.verdict != "violated", (count, verdict.as_text())


@pytest.mark.parametrize(("rule", "sound", "faulty"), FAULTS)
def test_a_breach_is_never_blamed_on_a_missing_line(rule: str, sound: str, faulty: str) -> None:
    """Lines taken from a faulty run may hide its fault, but never bring up a new rule's first."""
    script = GOOD.replace(sound, faulty, 1)
    lines = build(script)
    whole = {violation.rule for violation in check_lines(lines).violations}
    for line in inner_lines(lines):
        cut = check_lines(without(lines, line))
        assert {violation.rule for violation in cut.violations} <= whole, (rule, line_id(line))


@pytest.mark.parametrize("order", ["reversed", "by writer"])
def test_the_order_in_which_lines_come_does_not_matter(order: str) -> None:
    """The verdict depends on each writer's numbers and on causes alone."""
    lines = build(GOOD)
    shuffled = lines[::-1] if order == "reversed" else sorted(lines, key=lambda line: line["node"])
    assert check_lines(shuffled).as_json() == check_lines(lines).as_json()


def test_clocks_do_not_matter() -> None:
    """The same run with each node's clock hours apart has the same verdict."""
    hours = {"n1": 5, "n2": 0, "n3": 9, "orchestrator": 2}
    lines = [
        {**line, "at_ns": line["at_ns"] + hours[line["node"]] * 3_600_000_000_000}
        for line in build(GOOD)
    ]
    verdict = check_lines(lines)
    assert verdict.verdict == "ok", verdict.as_text()
    assert verdict.chosen[1] is not None


def test_an_acceptance_that_is_only_seen_later_is_no_late_one() -> None:
    """n2 accepts, n1 learns, n2 accepts again; without the first, nothing is proven."""
    script = """
    client n1 apple
    phase1 1.n1 by n1 n2
    phase2 1.n1 apple by n1 n2
    n1 learns 1.n1 apple by n1 n2
    n1 accept 1.n1 apple to n2
    n2 gets accept 1.n1 apple
    n2 accepted 1.n1 apple
    """
    lines = build(script)
    first = [line for line in lines if line["node"] == "n2" and "value" in str(line)][1:3]
    assert [line["event"] for line in first] == ["state_persisted", "accepted_sent"]
    assert check_lines(lines).verdict == "ok"
    verdict = check_lines(without(lines, *first))
    assert verdict.verdict == "unknown", verdict.as_text()


def test_a_recovery_that_a_missing_request_explains_is_not_made_up() -> None:
    """n2 comes back with a promise that it wrote; the line of the request is lost."""
    lines = build(
        """
        n3 prepare 2.n3 to n2
        n2 gets prepare 2.n3
        n1 prepare 1.n1 to n2
        n2 gets prepare 1.n1
        n2 nack 1.n1 for 2.n3
        n2 killed
        n2 back 2.n3
        """
    )
    assert check_lines(lines).verdict == "ok"
    asked = next(line for line in lines if line["event"] == "prepare_received")
    verdict = check_lines(without(lines, asked))
    assert verdict.verdict == "unknown", verdict.as_text()


def test_an_acceptance_whose_lines_are_missing_is_not_denied() -> None:
    """n1 learns from n2 what n2's log no longer shows."""
    lines = build(GOOD)
    gone = [
        line
        for line in lines
        if line["node"] == "n2" and line["incarnation"] == 2 and "2.n3" in str(line.get("accepted"))
    ]
    gone += [line for line in lines if line["node"] == "n2" and line["event"] == "accepted_sent"]
    assert len(gone) == 2
    lines.append({**lines[-1], "node": "n2", "incarnation": 2, "seq": 12})
    verdict = check_lines(without(lines, *gone))
    assert verdict.verdict == "unknown", verdict.as_text()


@pytest.mark.parametrize("event", ["prepare_received", "state_persisted", "nack_sent"])
def test_a_promise_that_names_another_line_for_its_cause_does_not_count(event: str) -> None:
    """A cause must be the Promise that was received, whatever kind of line it names."""
    lines = build(GOOD)
    other = next(line for line in lines if line["node"] == "n2" and line["event"] == event)
    received = next(
        line for line in lines if line["event"] == "promise_received" and line["source"] == "n2"
    )
    received["cause"] = line_id(other)
    verdict = check_lines(lines)
    assert verdict.violations[0].rule == "R4", verdict.as_text()
