"""Every scenario in virtual time: played, judged and kept as in the other worlds."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.__main__ import app
from orchestrator.collect import Result
from orchestrator.parts import parts_of
from orchestrator.places import HOME_VARIABLE, PROJECT, Places
from orchestrator.play import Session
from orchestrator.yaml_file import BROKEN, FOLDER, broken_names, read_scenario, scenario_names
from paxos.checker import OK, check_path, merge
from paxos.events import encode, problems
from paxos.scenario import Lines, Run, judge, parse
from paxos.simulator.player import Played, play

SEEDS = range(1, 4)


def played(name: str, seed: int, folder: Path = FOLDER) -> Played:
    """A scenario, played on the first size that it is for."""
    scenario = read_scenario(folder / f"{name}.yaml")
    return play(scenario, scenario.node_counts[0], seed, parts_of(scenario.variant))


def log_of(run: Played) -> bytes:
    """The bytes of a run's merged log."""
    return b"".join(encode(line) for line in merge(run.lines))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs are kept."""
    return tmp_path_factory.mktemp("home")


def told(result: Result) -> str:
    """What is said of a run that went wrong."""
    unmet = [f"{finding.expectation}: {finding.evidence}" for finding in result.unmet]
    return "\n".join([result.verdict.as_text(), *unmet, str(result.folder)])


@contextlib.contextmanager
def session(home: Path, seed: int) -> Iterator[Session]:
    """One that plays in virtual time."""
    with contextlib.closing(Session(Places(home), silent=True, seed=seed)) as found:
        yield found


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_shows_in_virtual_time_what_it_is_to_show(home: Path, name: str) -> None:
    """Whatever the seed: safety holds, every expectation is met, and what must happen did."""
    scenario = read_scenario(FOLDER / f"{name}.yaml")
    for seed in SEEDS:
        with session(home, seed) as found:
            for count in scenario.node_counts:
                result = found.play(scenario, "sim", count)
                assert result.verdict.verdict == OK, told(result)
                assert not result.unmet, told(result)
                assert result.exit_code == 0, told(result)


@pytest.mark.parametrize("name", broken_names())
def test_a_broken_variant_breaks_its_rule_first_in_virtual_time(home: Path, name: str) -> None:
    """By hand or not: the same rule as on real nodes, and the checker says so from the log."""
    scenario = read_scenario(BROKEN / f"{name}.yaml")
    for seed in SEEDS:
        with session(home, seed) as found:
            result = found.play(scenario, "sim", scenario.node_counts[0])
        assert result.failure is None, told(result)
        assert result.caught, told(result)


def test_every_line_of_every_scenario_is_of_the_schema() -> None:
    """Runner's lines and gates' included."""
    for name in scenario_names():
        for line in played(name, 1).lines:
            assert problems(line) == [], name


def test_a_run_leaves_the_folder_of_any_world(home: Path) -> None:
    """Each node's log, the merged one, the clients' history, the verdict, and the latest."""
    with session(home, 7) as found:
        result = found.play(read_scenario(FOLDER / "crash-minority.yaml"), "sim", 5)
    names = {path.name for path in result.folder.iterdir()}
    assert names == {
        *(f"n{number}.jsonl" for number in range(1, 6)),
        "orchestrator.jsonl",
        "events.jsonl",
        "history.jsonl",
        "run.json",
        "verdict.json",
        "why.json",
    }
    assert (home / "logs" / "latest").resolve() == result.folder.resolve()
    table = json.loads((result.folder / "run.json").read_text(encoding="utf-8"))
    assert table["world"] == "sim"
    assert table["pieces"]["n4"][-1]["incarnation"] == 2
    assert check_path(result.folder).verdict == OK


def test_equal_seeds_give_equal_bytes_whatever_the_clock_and_the_hash_seed(home: Path) -> None:
    """Runs are named by the clock; nothing in their logs is."""
    program = (
        "import hashlib\n"
        "from tests.test_sim_scenarios import log_of, played\n"
        "for name in ('lossy', 'crash-after-accept', 'duel'):\n"
        "    print(hashlib.sha256(log_of(played(name, 5))).hexdigest())\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "4711")
    }
    assert len(told) == 1
    bytes_of = []
    for _ in range(2):
        with session(home, 5) as found:
            result = found.play(read_scenario(FOLDER / "lossy.yaml"), "sim", 5)
        bytes_of.append((result.folder / "events.jsonl").read_bytes())
        bytes_of.append((result.folder / "history.jsonl").read_bytes())
    assert bytes_of[:2] == bytes_of[2:]


def test_another_seed_is_another_run() -> None:
    """Chance decides something."""
    assert log_of(played("basic", 1)) != log_of(played("basic", 2))


def test_the_command_line_tells_the_seed_first_and_the_replay_last(home: Path) -> None:
    """What is told, and how it ends, can be had again."""
    runner = CliRunner(env={HOME_VARIABLE: str(home)})
    first = runner.invoke(app, ["scenario", "basic", "--world", "sim"])
    assert first.exit_code == 0, first.output
    lines = first.output.splitlines()
    seed = lines[0].removeprefix("Seed ").removesuffix(".")
    assert lines[-1] == f"Again: paxos-lab scenario basic --world sim --seed {seed}"
    again = runner.invoke(app, lines[-1].split()[2:])
    story = [line for line in lines if " ms " in line]
    assert story == [line for line in again.output.splitlines() if " ms " in line]
    assert len(story) > 10


def test_only_virtual_time_has_a_seed() -> None:
    """A seed decides nothing about real processes."""
    result = CliRunner().invoke(app, ["scenario", "basic", "--world", "local", "--seed", "1"])
    assert result.exit_code != 0
    assert "only virtual time has a seed" in str(result.exception)


WAITS = """\
version: 1
title: It waits for what does not come
predict: how long does it wait?
nodes: 3
steps:
  - propose: {name: apple, at: n1, value: apple}
  - wait: {event: nack_sent}
    limit_s: 600
expectations: []
must_happen:
  - fact: a client asked
    lines: {event: propose_invoked}
notice: nothing.
"""


def test_to_wait_in_vain_takes_virtual_time_only() -> None:
    """Ten minutes pass at once; the step says what it lacked."""
    from ruamel.yaml import YAML  # noqa: PLC0415

    run = play(parse("waits", YAML(typ="safe").load(WAITS)), 3, 1)
    assert run.failure == "step 2: waited 600 s in vain for nack_sent"
    assert run.elapsed_s > 600


def test_a_row_is_measured_in_virtual_time() -> None:
    """The clock of figures is the world's."""
    run = played("sizes", 1)
    (row,) = run.rows.values()
    assert [operation.outcome for operation in row] == ["ok"] * 10
    latencies_ms = [((one.ended_ns or 0) - one.invoked_ns) / 1e6 for one in row]
    assert all(1 < latency < 60 for latency in latencies_ms)


def test_expectations_are_judged_from_the_lines_alone() -> None:
    """The same judge as in the other worlds."""
    run = played("partition", 3)
    lines = Lines(run.instances)
    lines.extend(merge(run.lines))
    numbers = {operation.name: operation.number for operation in run.operations}
    findings = judge(run.scenario, Run(run.members, lines, numbers))
    assert all(finding.met for finding in findings), findings
