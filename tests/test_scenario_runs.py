"""Every scenario, played on local nodes again and again without wiping their disks."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.collect import Result
from orchestrator.judging import judge_path
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.yaml_file import BROKEN, FOLDER, broken_names, read_scenario, scenario_names
from paxos.checker import OK, VIOLATED

STAYS_DOWN = """\
version: 1
title: Two are killed and stay down
predict: is that known?
nodes: 5
steps:
  - kill: [n4, n5]
  - propose: {name: apple, at: n1, value: apple}
expectations:
  - answer: {of: apple, outcome: ok}
must_happen:
  - fact: two were killed
    lines: {event: node_exited, exit_code: 137, count: 2, each: of}
notice: nothing.
"""


def told(result: Result) -> str:
    """What is said of a run that went wrong."""
    unmet = [f"{finding.expectation}: {finding.evidence}" for finding in result.unmet]
    return "\n".join([result.verdict.as_text(), *unmet, str(result.folder)])


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One cluster at a time, kept from test to test."""
    found = Session(Places(tmp_path_factory.mktemp("home")), silent=True)
    with contextlib.closing(found):
        yield found


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_shows_on_local_processes_what_it_is_to_show(
    session: Session, name: str
) -> None:
    """Safety holds by every rule, every expectation is met, and what must happen did."""
    scenario = read_scenario(FOLDER / f"{name}.yaml")
    for count in scenario.node_counts:
        result = session.play(scenario, "local", count)
        assert result.verdict.verdict == OK, told(result)
        assert not result.unmet, told(result)
        # Message by message, it was the core that ran.
        conformance = result.verdict.as_json()["conformance"]
        assert conformance["verdict"] == "ok", told(result)
        assert conformance["steps"] > 20


@pytest.mark.parametrize("name", broken_names())
def test_a_broken_variant_breaks_its_rule_first_and_is_caught(session: Session, name: str) -> None:
    """The rule that its author named, not one that follows from it."""
    scenario = read_scenario(BROKEN / f"{name}.yaml")
    result = session.play(scenario, "local", scenario.node_counts[0])
    assert result.verdict.verdict == VIOLATED, told(result)
    assert result.first_broken == scenario.breaks, told(result)
    assert result.verdict.violations[0].lines, "a violation comes with the lines that prove it"
    assert not result.unmet, told(result)
    assert result.exit_code == 1
    # Where the broken part acted, the log departs from the core.
    conformance = result.verdict.as_json()["conformance"]
    assert conformance["verdict"] == "skipped"
    assert conformance["departure_count"] > 0, told(result)


def test_a_run_leaves_a_folder_that_can_be_judged_again(session: Session) -> None:
    """All that the log format names is there, and `latest` points at it."""
    result = session.play(read_scenario(FOLDER / "crash-proposer.yaml"), "local", 5)
    folder = result.folder
    names = {path.name for path in folder.iterdir()}
    nodes = {f"n{number}.jsonl" for number in range(1, 6)}
    assert names >= nodes | {
        "run.json",
        "orchestrator.jsonl",
        "events.jsonl",
        "history.jsonl",
        "verdict.json",
        "why.json",
    }
    assert (folder.parent / "latest").resolve() == folder.resolve()
    assert judge_path(folder).as_json() == {
        **result.verdict.as_json(),
        "expectations": judge_path(folder).as_json()["expectations"],
    }
    table = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    # n1 was killed: its first piece has no end, its second begins with line 1.
    first, second = table["pieces"]["n1"]
    assert first["last"] is None
    assert (second["incarnation"], second["first"]) == (first["incarnation"] + 1, 1)
    assert second["last"] is not None
    history = [json.loads(row) for row in (folder / "history.jsonl").read_text().splitlines()]
    assert [entry["type"] for entry in history] == ["invoked", "unknown", "invoked", "ok"]
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    kinds = {entry["kind"] for entry in verdict["expectations"]}
    assert kinds == {"expectation", "must_happen"}
    assert verdict["scenario"] == "crash-proposer"
    assert verdict["world"] == "local"


def test_a_node_that_stays_down_is_told_by_its_disk(session: Session, tmp_path: Path) -> None:
    """How its last batch ended is read from the disk: the verdict is no `unknown`."""
    file = tmp_path / "stays-down.yaml"
    file.write_text(STAYS_DOWN, encoding="utf-8")
    result = session.play(read_scenario(file), "local", 5)
    assert result.verdict.verdict == OK, told(result)
    lines = [
        json.loads(row) for row in (result.folder / "orchestrator.jsonl").read_text().splitlines()
    ]
    assert {one["of"] for one in lines if one["event"] == "disk_read"} == {"n4", "n5"}


def test_a_step_that_waits_in_vain_fails_the_run_and_says_for_what(
    session: Session, tmp_path: Path
) -> None:
    """The limit is reached, the faults are undone, and the run counts as not as expected."""
    file = tmp_path / "vain.yaml"
    text = (FOLDER / "basic.yaml").read_text(encoding="utf-8")
    vain = "steps:\n  - pause: n3\n  - wait: {event: nack_sent, node: n2}\n    limit_s: 1\n"
    file.write_text(text.replace("steps:\n", vain), encoding="utf-8")
    result = session.play(read_scenario(file), "local", 5)
    assert result.exit_code == 1
    assert result.failure is not None
    assert "step 2: waited 1 s in vain for nack_sent (node n2)" in result.failure
    # The cluster is whole again: the next run needs nothing.
    again = session.play(read_scenario(FOLDER / "basic.yaml"), "local", 5)
    assert again.exit_code == 0, told(again)
