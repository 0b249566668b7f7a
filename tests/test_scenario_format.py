"""Scenario files: what is read, what is refused, and where the fault is said to be."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.cluster import LabError
from orchestrator.yaml_file import (
    BROKEN,
    FOLDER,
    broken_names,
    find_scenario,
    read_scenario,
    scenario_names,
)
from paxos.scenario import ScenarioError, parse
from paxos.scenario.model import (
    Command,
    Cut,
    Deliver,
    DiskFault,
    Exits,
    Failpoint,
    Fire,
    GateRule,
    Measure,
    Propose,
    Refuses,
    Wait,
)
from paxos.variants import VARIANTS

SMALL: dict[str, Any] = {
    "version": 1,
    "title": "small",
    "predict": "what?",
    "nodes": 5,
    "steps": [
        {"propose": {"name": "apple", "at": "n1", "value": "apple"}},
        {"hold": {"name": "late", "from": "n1", "kinds": "accept"}},
    ],
    "expectations": [{"answer": {"of": "apple", "outcome": "ok"}}],
    "must_happen": [{"fact": "it was asked for", "lines": {"event": "propose_received"}}],
    "notice": "that.",
}

REQUIRED = (
    "basic",
    "competing",
    "late-proposer",
    "convergence",
    "crash-proposer",
    "crash-minority",
    "crash-majority",
    "crash-after-promise",
    "crash-after-accept",
    "restart-all",
    "power-loss",
    "disk-faults",
    "partition",
    "bridge",
    "isolate-proposer",
    "pause",
    "lossy",
    "duplicate",
    "reorder",
    "duel",
    "ranges",
    "degrade",
    "sizes",
)


def changed(**fields: Any) -> dict[str, Any]:
    """A small scenario with other fields."""
    return {**SMALL, **fields}


def with_step(step: dict[str, Any]) -> dict[str, Any]:
    """A small scenario with a third step."""
    return changed(steps=[*SMALL["steps"], step])


def by_hand(*steps: dict[str, Any]) -> dict[str, Any]:
    """A small scenario in which nothing moves by itself."""
    return changed(manual=True, steps=[SMALL["steps"][0], *steps])


def delivery(**fields: Any) -> dict[str, Any]:
    """A step that delivers n1's Prepare to n2, or another message."""
    return {"deliver": {"kind": "prepare", "from": "n1", "to": "n2", "ballot": "1.n1", **fields}}


@pytest.mark.parametrize("name", REQUIRED)
def test_every_scenario_of_the_lab_is_there_and_is_read(name: str) -> None:
    """A scenario has a question, steps, something that must happen, and something to notice."""
    scenario = read_scenario(FOLDER / f"{name}.yaml")
    assert scenario.name == name
    assert scenario.predict
    assert scenario.steps
    assert scenario.must_happen
    assert scenario.notice
    assert scenario.broken_by


def test_the_list_names_every_file_once_and_in_the_order_of_the_lesson() -> None:
    """`paxos-lab list` shows what is in the folder."""
    assert scenario_names()[: len(REQUIRED)] == list(REQUIRED)
    assert sorted(scenario_names()) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


def test_every_broken_scenario_names_the_rule_of_its_variant() -> None:
    """A broken scenario runs a variant that there is; each rule is broken by some."""
    scenarios = [read_scenario(BROKEN / f"{name}.yaml") for name in broken_names()]
    for scenario in scenarios:
        assert scenario.variant is not None
        assert scenario.breaks == VARIANTS[scenario.variant].breaks
    assert {s.breaks for s in scenarios} == {"R1", "R2", "R3", "R4", "R5", "R6"}


def test_scenarios_name_only_variants_that_exist() -> None:
    """`broken_by` leads somewhere."""
    for name in scenario_names():
        assert set(read_scenario(FOLDER / f"{name}.yaml").broken_by) <= set(VARIANTS)


def test_a_small_scenario_becomes_its_model() -> None:
    """Names stand for instances, and a hold has its sources and kinds."""
    scenario = parse("small", SMALL)
    assert scenario.instances == ("fruit",)
    assert scenario.steps[0].action == Propose("apple", "n1", "apple", "fruit")
    assert scenario.steps[1].action == GateRule("hold", "late", sources=("n1",), kinds=("accept",))


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (changed(version=2), ("version",), "2 is not from 1 to 1"),
        (changed(version=True), ("version",), "whole number"),
        (changed(nodes=6), ("nodes",), "3, 4, 5, 7 or 9"),
        (changed(nodes=[5, 5]), ("nodes",), "different ones"),
        (changed(titel="x"), ("titel",), "no field 'titel'"),
        (changed(steps=[]), ("steps",), "at least one step"),
        (changed(steps=[{}]), ("steps", 0), "here is none"),
        (changed(must_happen=[]), ("must_happen",), "a run without it fails"),
        (changed(instances=["a", "a"]), ("instances",), "one name"),
        (changed(settings={"patience_ms": 0}), ("settings", "patience_ms"), "0 is not from 1"),
        (changed(settings={"number_scheme": "odd"}), ("settings", "number_scheme"), "none of"),
        (changed(breaks="R1"), ("breaks",), "only a scenario with a `variant`"),
        (changed(variant="small-quorum"), (), "'breaks' is missing"),
        (with_step({"kill": "n6"}), ("steps", 2, "kill"), "'n6' is none of n1"),
        (with_step({"kill": []}), ("steps", 2, "kill"), "empty"),
        (with_step({"kill": "n1", "start": "n1"}), ("steps", 2), "not kill and start"),
        (with_step({"await": "pear"}), ("steps", 2), "begins an operation 'pear'"),
        (with_step({"release": {"name": "x"}}), ("steps", 2), "makes a rule 'x'"),
        (with_step({"heal": "x"}), ("steps", 2), "makes a fault 'x'"),
        (with_step({"wait": {"event": "voted"}}), ("steps", 2, "wait", "event"), "no such event"),
        (
            with_step({"wait": {"event": "nack_sent", "value": "x"}}),
            ("steps", 2, "wait", "value"),
            "has no field 'value'",
        ),
        (
            with_step({"wait": {"event": "nack_sent", "promised": {"above": "$x"}}}),
            ("steps", 2, "wait", "promised"),
            "no earlier line binds $x",
        ),
        (
            with_step({"wait": [{"absent": {"event": "nack_sent"}}]}),
            ("steps", 2, "wait"),
            "at least one line",
        ),
        (with_step({"kill": "n1", "new": True}), ("steps", 2, "new"), "only a `wait`"),
        (
            with_step({"repeat": {"times": 2, "steps": [{"kill": "n8"}]}}),
            ("steps", 2, "repeat", "steps", 0, "kill"),
            "'n8' is none of n1",
        ),
        (
            with_step({"release": {"name": "late", "to": "n2"}}),
            ("steps", 2, "release"),
            "give `first`, too",
        ),
        (with_step(delivery()), ("steps", 2, "deliver"), "only a scenario with `manual: true`"),
        (
            with_step({"fire": {"node": "n1", "timer": "patience"}}),
            ("steps", 2, "fire"),
            "only a scenario with `manual: true`",
        ),
        (changed(manual=True), ("steps", 1, "hold"), "no message moves by itself"),
        (by_hand({"isolate": "n1"}), ("steps", 1, "isolate"), "no message moves by itself"),
        (by_hand({"deliver": {}}), ("steps", 1, "deliver", "kind"), "must be a text"),
        (by_hand(delivery(kind="probe")), ("steps", 1, "deliver", "kind"), "none of prepare"),
        (by_hand(delivery(ballot=1)), ("steps", 1, "deliver", "ballot"), "must be a text"),
        (by_hand(delivery(ballot="1")), ("steps", 1, "deliver", "ballot"), "2.n1 say"),
        (by_hand(delivery(value="x")), ("steps", 1, "deliver", "value"), "no field 'value'"),
        (
            by_hand(delivery(kind="promise", accepted="apple")),
            ("steps", 1, "deliver", "accepted"),
            "2.n1 say",
        ),
        (
            by_hand({"fire": {"node": "n1", "timer": "alarm"}}),
            ("steps", 1, "fire", "timer"),
            "none of patience",
        ),
        (
            with_step({"disk_fault": {"node": "n1", "fault": "slow"}}),
            ("steps", 2, "disk_fault", "fault"),
            "none of fail_sync",
        ),
        (
            with_step({"duplicate": {"name": "x", "copies": 0}}),
            ("steps", 2, "duplicate", "copies"),
            "0 is not from 1",
        ),
        (with_step({"reorder": {"name": "x"}}), ("steps", 2, "reorder"), "'delay_most_ms' is m"),
        (with_step({"cut": ["n1", "n1"]}), ("steps", 2, "cut"), "two different nodes"),
        (with_step({"partition": [["n1"]]}), ("steps", 2, "partition"), "at least two groups"),
        (
            with_step({"propose": {"name": "p", "at": "n2", "value": "\ud800"}}),
            ("steps", 2, "propose", "value"),
            "half of a character",
        ),
        (with_step({"hold": {"name": "a\udc00"}}), ("steps", 2, "hold", "name"), "half of a char"),
        (with_step({"kill": "n1", "limit_s": 0}), ("steps", 2, "limit_s"), "0 is not from 1"),
        (
            with_step({"propose": {"name": "apple", "at": "n2", "value": "x"}}),
            ("steps", 2),
            "name each once",
        ),
        (
            changed(expectations=[{"answer": {"of": "pear", "outcome": "ok"}}]),
            ("expectations", 0, "answer", "of"),
            "no step begins",
        ),
        (
            changed(expectations=[{"answer": {"of": "apple", "outcome": "fine"}}]),
            ("expectations", 0, "answer", "outcome"),
            "none of ok, failed, unknown",
        ),
        (
            changed(expectations=[{"measured": {"row": "x", "figure": "ok", "least": 1}}]),
            ("expectations", 0, "measured", "row"),
            "no step measures",
        ),
    ],
)
def test_a_wrong_scenario_is_refused_with_place_and_reason(
    data: dict[str, Any], place: tuple[str | int, ...], reason: str
) -> None:
    """The place is the path of keys and positions; the reason says what would be right."""
    with pytest.raises(ScenarioError) as refused:
        parse("wrong", data)
    assert refused.value.path == place
    assert reason in refused.value.reason


def test_a_partition_cuts_exactly_the_links_between_its_groups() -> None:
    """A node in two groups is a bridge: it keeps every link."""
    members = ("n1", "n2", "n3", "n4", "n5")
    cut = Cut("partition", "partition", (("n1", "n2", "n3"), ("n3", "n4", "n5")))
    assert cut.pairs(members) == (("n1", "n4"), ("n1", "n5"), ("n2", "n4"), ("n2", "n5"))
    alone = Cut.isolation("isolate", "n2", members)
    assert alone.pairs(members) == (("n1", "n2"), ("n2", "n3"), ("n2", "n4"), ("n2", "n5"))
    link = Cut.link("cut", "n2", "n4", members)
    assert link.pairs(members) == (("n2", "n4"),)


def test_repeated_steps_become_as_many_steps_with_one_heading() -> None:
    """A repetition is told once; what it waits for is what each round brings about."""
    rounds = {
        "say": "twice",
        "repeat": {
            "times": 2,
            "steps": [
                {"release": {"name": "late", "first": 1, "from": "n1"}},
                {"wait": {"event": "nack_sent"}, "new": True},
            ],
        },
    }
    steps = parse("x", with_step(rounds)).steps[2:]
    assert [step.say for step in steps] == ["twice", "", "", ""]
    assert [isinstance(step.action, Wait) and step.action.new for step in steps] == [
        False,
        True,
        False,
        True,
    ]


def test_messages_and_timers_can_be_handed_over_one_by_one() -> None:
    """A message is named by what tells it from others; nobody waits for an answer meanwhile."""
    scenario = parse(
        "hand",
        by_hand(
            delivery(),
            delivery(again=True),
            delivery(kind="promise", ballot="2.n3", accepted="none"),
            delivery(kind="promise", ballot="2.n3", accepted="1.n1"),
            delivery(kind="nack", promised="3.n3"),
            delivery(kind="accepted", value="apple"),
            {"deliver": {"kind": "learned", "from": "n2", "to": "n1"}},
            {"fire": {"node": "n2", "timer": "own_ballot"}},
        ),
    )
    assert scenario.manual
    assert [step.action for step in scenario.steps] == [
        Propose("apple", "n1", "apple", "fruit", background=True),
        Deliver("prepare", "n1", "n2", "1.n1", instance="fruit"),
        Deliver("prepare", "n1", "n2", "1.n1", again=True, instance="fruit"),
        Deliver("promise", "n1", "n2", "2.n3", accepted="none", instance="fruit"),
        Deliver("promise", "n1", "n2", "2.n3", accepted="1.n1", instance="fruit"),
        Deliver("nack", "n1", "n2", "1.n1", promised="3.n3", instance="fruit"),
        Deliver("accepted", "n1", "n2", "1.n1", value="apple", instance="fruit"),
        Deliver("learned", "n2", "n1", None, instance="fruit"),
        Fire("n2", "own_ballot", "fruit"),
    ]


def test_a_power_loss_is_a_command_and_a_way_to_strike() -> None:
    """It takes what was not synced; a failpoint kills unless it says otherwise."""
    struck = {"node": "n1", "point": "after_reply", "kind": "accept"}
    steps = parse(
        "power",
        changed(
            steps=[
                {"power_loss": ["n2", "n3"]},
                {"failpoint": struck},
                {"failpoint": {**struck, "power": True}},
                {"exits": "n1"},
                {"disk_fault": {"node": "n1", "fault": "fail_sync"}},
                {"exits": {"node": "n1", "code": 4}},
                {"refuses": "n1"},
            ],
            expectations=[],
        ),
    ).steps
    assert [step.action for step in steps] == [
        Command("power_loss", ("n2", "n3")),
        Failpoint("n1", "after_reply", "accept", "fruit"),
        Failpoint("n1", "after_reply", "accept", "fruit", power=True),
        Exits("n1"),
        DiskFault("n1", "fail_sync"),
        Exits("n1", code=4),
        Refuses("n1"),
    ]


def test_gates_can_duplicate_and_reorder() -> None:
    """Every message, unless a share is given; once more, unless a number is."""
    steps = parse(
        "gates",
        changed(
            steps=[
                {"duplicate": {"name": "twice"}},
                {"duplicate": {"name": "often", "percent": 50, "copies": 3, "to": "n2"}},
                {"reorder": {"name": "mixed", "kinds": "accept", "delay_most_ms": 40}},
            ],
            expectations=[],
        ),
    ).steps
    assert [step.action for step in steps] == [
        GateRule("duplicate", "twice", percent=100, copies=1),
        GateRule("duplicate", "often", to=("n2",), percent=50, copies=3),
        GateRule("reorder", "mixed", kinds=("accept",), percent=100, delay_most_ms=40),
    ]


def test_measured_proposals_are_counted() -> None:
    """Each takes an instance of its own, so their number must be known before."""
    scenario = parse(
        "m",
        with_step({"measure": {"row": "some", "at": "n1", "proposals": 7}}),
    )
    assert scenario.measures == 7
    assert [m.row for m in scenario.measurements()] == ["some"]
    assert isinstance(scenario.steps[-1].action, Measure)


FILE = """\
version: 1
title: A file
predict: what?
nodes: 5
steps:
  - say: one
    propose: {name: apple, at: n1, value: apple}
  - say: two
    kill: [n1, n8]
expectations: []
must_happen:
  - fact: x
    lines: {event: propose_received}
notice: that.
"""


def test_a_wrong_file_is_refused_with_file_line_and_reason(tmp_path: Path) -> None:
    """The line is that of the very word that is wrong."""
    path = tmp_path / "wrong.yaml"
    path.write_text(FILE, encoding="utf-8")
    with pytest.raises(LabError) as refused:
        read_scenario(path)
    assert str(refused.value).startswith(f"{path}:9: steps[1].kill[1]: 'n8' is none of n1, n2")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (FILE.replace("notice:", "notise:"), 14, "no field 'notise'"),
        (FILE.replace("nodes: 5", "nodes: [5, 6]"), 4, "not 6"),
        (FILE.replace("kill: [n1, n8]", "kil: n1"), 9, "no field 'kil'"),
        (FILE.replace("title: A file", "title: [A"), 3, "this is no YAML"),
        (FILE + "nodes: 3\n", 15, "this is no YAML"),
        ("- a\n- b\n", 1, "must be a mapping"),
        ("", 1, "must be a mapping"),
        ("&all [*all]\n", 1, "holds itself"),
        ("[" * 5000, 1, "nested too deeply"),
    ],
)
def test_the_line_of_the_fault_is_named(tmp_path: Path, text: str, line: int, reason: str) -> None:
    """Also for what is no YAML, for a key that is there twice, and for an empty file."""
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError) as refused:
        read_scenario(path)
    assert str(refused.value).startswith(f"{path}:{line}: ")
    assert reason in str(refused.value)


def test_a_name_that_is_none_lists_those_that_there_are() -> None:
    """Whoever mistypes sees what to type."""
    with pytest.raises(LabError, match=r"there is no scenario 'partitoin'.*partition"):
        find_scenario("partitoin")


def test_a_file_that_is_missing_or_no_text_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """No traceback for what a user may do."""
    with pytest.raises(LabError, match="cannot be read"):
        read_scenario(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabError, match=r"binary\.yaml:1: this is no UTF-8 text"):
        read_scenario(tmp_path / "binary.yaml")
