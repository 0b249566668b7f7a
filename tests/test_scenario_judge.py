"""Sights and expectations, held against lines."""

from typing import Any

import pytest

from paxos.events import Line
from paxos.scenario import Lines, Run, judge, learners, parse
from paxos.scenario.patterns import read_sight
from paxos.scenario.reading import Node

INSTANCES = {"fruit": 7, "other": 8}


def line(event: str, seq: int, node: str = "n1", **fields: Any) -> Line:
    """A line with its header; `seq` is its place, too."""
    header = {"v": 1, "node": node, "incarnation": 1, "seq": seq, "at_ns": seq, "event": event}
    return {**header, **fields}


def prepare(seq: int, ballot: str, node: str = "n1", instance: int = 7) -> Line:
    """A Prepare of n1 at a ballot."""
    return line("prepare_sent", seq, node, instance=instance, to="n2", ballot=ballot)


def learned(seq: int, node: str, value: str = "apple", instance: int = 7) -> Line:
    """A value that a node learned."""
    return line(
        "value_learned", seq, node, instance=instance, ballot="1.n1", value=value, acceptors=[]
    )


def seen(sight: object, *lines: Line) -> list[int] | None:
    """The places of the lines that fit a sight."""
    known = Lines(INSTANCES)
    known.extend(lines)
    found = known.find(read_sight(Node(sight), ("fruit", "other")))
    return None if found is None else [one["seq"] for one in found]


def test_lines_of_a_sight_stand_in_its_order() -> None:
    """What came before does not count as what came after."""
    sight = [{"event": "prepare_sent"}, {"event": "value_learned"}]
    assert seen(sight, prepare(1, "1.n1"), learned(2, "n1")) == [1, 2]
    assert seen(sight, learned(1, "n1"), prepare(2, "1.n1")) is None


def test_a_name_is_bound_by_the_first_line_and_compared_by_the_next() -> None:
    """Ballots compare by round, then by node: 2.n1 is above 1.n5, and 10.n1 above 9.n1."""
    sight = [
        {"event": "prepare_sent", "node": "n1", "ballot": "$first"},
        {"event": "prepare_sent", "ballot": {"above": "$first"}},
    ]
    assert seen(sight, prepare(1, "9.n1"), prepare(2, "10.n1")) == [1, 2]
    assert seen(sight, prepare(1, "1.n5"), prepare(2, "1.n5")) is None
    assert seen(sight, prepare(1, "1.n1"), prepare(2, "1.n5", "n5")) == [1, 2]


def test_a_binding_that_leads_nowhere_is_taken_back() -> None:
    """The first line that fits need not be the one that the others go with."""
    sight = [
        {"event": "prepare_sent", "ballot": "$b"},
        {"event": "value_learned", "ballot": "$b"},
    ]
    assert seen(sight, prepare(1, "5.n1"), prepare(2, "1.n1"), learned(3, "n1")) == [2, 3]


def test_count_and_each_ask_for_different_nodes() -> None:
    """Three lines of one node are not three nodes."""
    sight = {"event": "value_learned", "count": 3, "each": "node"}
    assert seen(sight, learned(1, "n1"), learned(2, "n1"), learned(3, "n2")) is None
    assert seen(sight, learned(1, "n1"), learned(2, "n1"), learned(3, "n2"), learned(4, "n3")) == [
        1,
        3,
        4,
    ]


def test_absent_lines_may_not_stand_between() -> None:
    """Before and after they may; at the end of a sight they may not come at all."""
    sight = [
        {"event": "prepare_sent"},
        {"absent": {"event": "value_learned", "node": "n5"}},
        {"event": "run_finished"},
    ]
    end = line("run_finished", 9, completed=True, reason="")
    assert seen(sight, prepare(1, "1.n1"), learned(2, "n4"), end) == [1, 9]
    assert seen(sight, prepare(1, "1.n1"), learned(2, "n5"), end) is None
    assert seen(sight, learned(1, "n5"), prepare(2, "1.n1"), end) == [2, 9]
    open_end = [{"event": "prepare_sent"}, {"absent": {"event": "value_learned"}}]
    assert seen(open_end, prepare(1, "1.n1")) == [1]
    assert seen(open_end, prepare(1, "1.n1"), learned(2, "n1")) is None


def test_fields_may_be_null_given_one_of_several_or_contain_something() -> None:
    """The five forms of a condition, on one event each."""
    promise = line("promise_sent", 1, instance=7, to="n5", ballot="1.n5", accepted=None)
    fault = line("fault_applied", 2, fault="kill", targets=["n3", "n4"], evidence="exit code 137")
    assert seen({"event": "promise_sent", "accepted": None}, promise) == [1]
    assert seen({"event": "promise_sent", "accepted": "*"}, promise) is None
    assert seen({"event": "promise_sent", "to": ["n4", "n5"]}, promise) == [1]
    assert seen({"event": "fault_applied", "targets": {"contains": "n4"}}, fault) == [2]
    assert seen({"event": "fault_applied", "targets": {"contains": "n5"}}, fault) is None
    assert seen({"event": "fault_applied", "targets": [["n3", "n4"]]}, fault) == [2]
    assert seen({"event": "fault_applied", "evidence": {"contains": "137"}}, fault) == [2]


def test_instances_are_spoken_of_by_name_and_others_are_not_seen() -> None:
    """A line of another run's instance is no line of this one."""
    sight = {"event": "prepare_sent", "instance": "other"}
    assert seen(sight, prepare(1, "1.n1", instance=7), prepare(2, "1.n1", instance=8)) == [2]
    assert seen({"event": "prepare_sent"}, prepare(1, "1.n1", instance=99)) is None


def test_a_learned_value_that_a_crash_took_is_known_no_more() -> None:
    """It is recorded without waiting for a sync: the recovery says whether it was kept."""
    lost = line("state_recovered", 2, "n2", instance=7, learned=None)
    kept = line("state_recovered", 3, "n3", instance=7, learned={"value": "apple"})
    lines = Lines(INSTANCES)
    lines.extend([learned(1, "n1"), learned(1, "n2"), lost, kept, learned(4, "n4", instance=8)])
    assert learners(lines, "fruit") == {"n1": "apple", "n3": "apple"}


def scenario(expectation: dict[str, Any]) -> Any:
    """A scenario with one expectation."""
    return parse(
        "x",
        {
            "version": 1,
            "title": "x",
            "predict": "x",
            "nodes": 3,
            "steps": [
                {"propose": {"name": "apple", "at": "n1", "value": "apple"}},
                {"measure": {"row": "many", "at": "n1", "proposals": 2}},
            ],
            "expectations": [expectation],
            "must_happen": [{"fact": "a fact", "lines": {"event": "run_finished"}}],
            "notice": "x",
        },
    )


def findings(expectation: dict[str, Any], *lines: Line) -> list[tuple[str, bool]]:
    """What is judged of that expectation, and of what must happen."""
    known = Lines({"fruit": 7})
    known.extend(lines)
    run = Run(("n1", "n2", "n3"), known, {"apple": 1}, {"many": {"ok": 2.0, "p50_ms": None}})
    return [(f.expectation, f.met) for f in judge(scenario(expectation), run)]


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        ({"outcome": "ok"}, True),
        ({"outcome": ["ok", "unknown"], "value": "apple", "yours": True}, True),
        ({"outcome": "failed"}, False),
        ({"outcome": "ok", "value": "pear"}, False),
        ({"outcome": "ok", "yours": False}, False),
        ({"outcome": "ok", "reason": "blocked"}, False),
    ],
)
def test_an_answer_is_judged_by_outcome_value_owner_and_reason(
    wanted: dict[str, Any], met: bool
) -> None:
    """Each of them can fail the expectation by itself."""
    answer = line(
        "propose_completed",
        1,
        instance=7,
        operation=1,
        outcome="ok",
        value="apple",
        yours=True,
        reason="",
    )
    assert findings({"answer": {"of": "apple", **wanted}}, answer)[0][1] is met


def test_what_must_happen_fails_a_run_that_did_not_show_it() -> None:
    """A scenario without its fact has shown nothing."""
    every = {"learned": {"by": "all", "value": "apple"}, "fact": "all know"}
    lines = [learned(1, "n1"), learned(2, "n2"), learned(3, "n3")]
    assert findings(every, *lines) == [("all know", True), ("a fact", False)]
    end = line("run_finished", 4, completed=True, reason="")
    assert findings(every, *lines, end) == [("all know", True), ("a fact", True)]


def test_learning_is_judged_for_each_node_and_value() -> None:
    """One that lacks it, and one that knows another value, fail it."""
    every = {"learned": {"by": "all", "value": "apple"}}
    assert findings(every, learned(1, "n1"), learned(2, "n2"))[0][1] is False
    lines = [learned(1, "n1"), learned(2, "n2"), learned(3, "n3", "pear")]
    assert findings(every, *lines)[0][1] is False
    assert findings({"learned": {"by": ["n1", "n2"], "value": "apple"}}, *lines)[0][1] is True


def test_figures_are_judged_by_their_bounds_and_a_missing_one_is_not_met() -> None:
    """A p50 of nothing is no small p50."""
    assert findings({"measured": {"row": "many", "figure": "ok", "least": 2}})[0][1] is True
    assert findings({"measured": {"row": "many", "figure": "ok", "most": 1}})[0][1] is False
    assert findings({"measured": {"row": "many", "figure": "p50_ms", "most": 9}})[0][1] is False
