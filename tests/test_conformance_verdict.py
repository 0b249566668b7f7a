"""What a run's verdict says of conformance: in verdict.json, in the text, in the exit code."""

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.__main__ import app
from orchestrator.judging import judge_path
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.yaml_file import BROKEN, FOLDER, broken_names, read_scenario, scenario_names
from paxos.checker import OK
from paxos.events import Line, encode, line_id
from tests.test_checker_worlds import rough_world

SEED = 11


def write(folder: Path, lines: list[Line]) -> Path:
    """A folder with each node's own file."""
    for node in {line["node"] for line in lines}:
        own = b"".join(encode(line) for line in lines if line["node"] == node)
        (folder / f"{node}.jsonl").write_bytes(own)
    return folder


@pytest.fixture
def lines() -> list[Line]:
    """A correct world's."""
    return copy.deepcopy(rough_world(SEED).lines)


def plant(lines: list[Line]) -> Line:
    """Let a proposer claim a quorum that it does not have, which no rule looks at."""
    line = next(line for line in lines if line["event"] == "promise_received")
    line["have"] = ["n1", "n2", "n3", "n4"]
    return line


def test_a_log_of_the_core_is_told_to_conform(tmp_path: Path, lines: list[Line]) -> None:
    """Beside the rules, with how much was compared."""
    verdict = judge_path(write(tmp_path, lines))
    told = verdict.as_json()["conformance"]
    assert (verdict.verdict, told["verdict"], verdict.departed) == (OK, "ok", False)
    assert told["steps"] > 100
    assert "steps of 5 nodes replayed through the core" in verdict.as_text()
    assert all(len(row) <= 80 for row in verdict.as_text().splitlines())


def test_a_departure_is_a_finding_of_its_own(tmp_path: Path, lines: list[Line]) -> None:
    """Every rule holds, and yet this was not the core: node, line, and what the core does."""
    planted = plant(lines)
    verdict = judge_path(write(tmp_path, lines))
    assert verdict.verdict == OK
    assert verdict.departed
    (departure,) = verdict.as_json()["conformance"]["departures"]
    assert departure["node"] == planted["node"]
    assert departure["line"] == line_id(planted)
    assert departure["found"] == planted
    assert departure["expected"]["have"] != planted["have"]
    assert "But have is n1, n2, n3 and n4; the core's is" in departure["sentence"]
    assert "departs from it at 1 place" in " ".join(verdict.as_text().split())
    assert line_id(planted) in verdict.as_text()


def test_the_command_ends_with_1_when_the_log_departs(tmp_path: Path, lines: list[Line]) -> None:
    """As for a rule that is violated; without the departure it ends with 0."""
    write(tmp_path, lines)
    assert CliRunner().invoke(app, ["check", str(tmp_path)]).exit_code == 0
    plant(lines)
    write(tmp_path, lines)
    told = CliRunner().invoke(app, ["check", str(tmp_path), "--json"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["conformance"]["verdict"] == "departed"


def test_a_broken_variant_that_departs_does_not_fail_for_that(
    tmp_path: Path, lines: list[Line]
) -> None:
    """Its rules decide."""
    plant(lines)
    for line in lines:
        if line["event"] == "node_started":
            line["variant"] = "small-quorum"
    verdict = judge_path(write(tmp_path, lines))
    assert not verdict.departed
    assert verdict.as_json()["conformance"]["verdict"] == "skipped"
    assert CliRunner().invoke(app, ["check", str(tmp_path)]).exit_code == 0


def test_a_merged_file_and_one_in_disorder_say_the_same(tmp_path: Path, lines: list[Line]) -> None:
    """The checker reads lines in any order, and so does the replay."""
    told = []
    for name, order in (("merged", lines), ("backwards", lines[::-1])):
        file = tmp_path / f"{name}.jsonl"
        file.write_bytes(b"".join(encode(line) for line in order))
        told.append(judge_path(file).as_json()["conformance"])
    assert told[0] == told[1]
    assert told[0]["verdict"] == "ok"


def test_a_torn_last_line_is_no_departure(tmp_path: Path, lines: list[Line]) -> None:
    """What is there is compared; the rules say what is missing."""
    file = write(tmp_path, lines) / "n1.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert not judge_path(tmp_path).departed


def test_a_runs_table_names_its_instances_and_settings(tmp_path: Path, lines: list[Line]) -> None:
    """A run that begins in the middle of an incarnation is replayed from there."""
    start = {line["node"]: line for line in lines if line["event"] == "node_started"}
    nodes = [node for node in start if start[node]["incarnation"] == 1]
    kept = [line for line in lines if line["node"] in nodes and line["event"] != "node_started"]
    table = {
        "members": start[nodes[0]]["members"],
        "instances": {"fruit": 1},
        "pieces": {node: [{"incarnation": 1, "first": 2, "last": None}] for node in nodes},
        "settings": {node: start[node]["settings"] for node in nodes},
        "variant": None,
    }
    write(tmp_path, kept)
    (tmp_path / "run.json").write_text(json.dumps(table))
    told = judge_path(tmp_path).as_json()["conformance"]
    assert (told["verdict"], told["nodes"]) == ("ok", len(nodes))
    del table["settings"]
    (tmp_path / "run.json").write_text(json.dumps(table))
    told = judge_path(tmp_path).as_json()["conformance"]
    assert told["verdict"] == "unknown"
    assert "nothing says with which settings" in told["reasons"][0]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Plays in virtual time."""
    with contextlib.closing(Session(Places(tmp_path_factory.mktemp("home")), silent=True)) as found:
        yield found


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_conforms_in_virtual_time(session: Session, name: str) -> None:
    """As on processes and in containers, where other tests say the same."""
    scenario = read_scenario(FOLDER / f"{name}.yaml")
    result = session.play(scenario, "sim", scenario.node_counts[0])
    told = result.verdict.as_json()["conformance"]
    assert told["verdict"] == "ok", result.verdict.as_text()
    assert told["steps"] > 20


@pytest.mark.parametrize("name", broken_names())
def test_every_broken_scenario_departs(session: Session, name: str) -> None:
    """There it is expected; it is counted, and no finding."""
    scenario = read_scenario(BROKEN / f"{name}.yaml")
    result = session.play(scenario, "sim", scenario.node_counts[0])
    told = result.verdict.as_json()["conformance"]
    assert told["verdict"] == "skipped"
    assert told["departure_count"] > 0, result.verdict.as_text()
