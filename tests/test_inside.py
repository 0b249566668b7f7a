"""Looking inside without touching: state, status and logs of local nodes, and the words for faults."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from node.wire import control_pb2
from orchestrator.__main__ import app
from orchestrator.clients import Clients
from orchestrator.cluster import LabError
from orchestrator.clusters import everything, remove
from orchestrator.compose import PROJECT_VARIABLE
from orchestrator.follow import Printer
from orchestrator.inside import Found, find
from orchestrator.local import LocalCluster
from orchestrator.places import HOME_VARIABLE, Places
from orchestrator.runner import make_whole
from orchestrator.state import read_cluster, show_state
from orchestrator.status import read_status, rule_in_words
from paxos.events import Line, decode

FOUND = Found("local", 3, "")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A home in which three nodes have chosen a value, have ended, and left their disks."""
    found = Places(tmp_path_factory.mktemp("home"))
    cluster = LocalCluster(found, 3)
    with contextlib.closing(cluster), contextlib.closing(Clients(cluster)) as clients:
        cluster.open()
        make_whole(cluster, clients)
        assert clients.propose("n1", 1, "apple", 20_000, None).outcome == "ok"
        # While they run, only the run can ask them.
        assert {node.condition for node in read_cluster(found, FOUND).nodes} == {"in a run"}
        with pytest.raises(LabError, match="a run uses"):
            remove(found, [3], everything(found, [3], engine=False, images=False), print)
    return found


def test_the_disks_of_nodes_that_ended_are_shown(places: Places) -> None:
    """What a majority accepted is there, and no memory is claimed to be."""
    state = read_cluster(places, FOUND)
    accepted = {node.node: node.disk[1]["accepted"] for node in state.nodes if 1 in node.disk}
    assert [one["value"] for one in accepted.values() if one].count("apple") >= 2
    assert [node.memory for node in state.nodes] == [None] * 3
    out = Console(file=io.StringIO(), width=80)
    show_state(out, state, [1])
    assert isinstance(out.file, io.StringIO)
    told = " ".join(out.file.getvalue().split())
    assert "n1, n2, n3: no process; memory is gone" in told
    assert re.search(rf"n1 .*{re.escape(accepted['n1']['ballot'])} .*'apple'", told)


def test_a_status_of_local_nodes_tells_what_their_disks_tell(places: Places) -> None:
    """Each has started once, and the one instance is known."""
    nodes = read_status(places, FOUND)["nodes"]
    assert [node["condition"] for node in nodes] == ["no process"] * 3
    assert [node["incarnation"] for node in nodes] == [1] * 3
    assert max(node["highest_instance"] for node in nodes) == 1


def test_logs_of_local_nodes_are_merged(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a program, as they are; the last of each node is its end."""
    monkeypatch.setenv(HOME_VARIABLE, str(places.home))
    words = ["logs", "--world", "local", "--no-follow", "--last", "30"]
    app.main([*words, "--json"], standalone_mode=False)
    lines = [decode(row.encode()) for row in capsys.readouterr().out.splitlines()]
    assert len(lines) == 30
    ends = {line["node"]: line["event"] for line in lines}
    assert ends == dict.fromkeys(["n1", "n2", "n3"], "node_stopped")
    app.main(words, standalone_mode=False)
    assert capsys.readouterr().out.count("stops") == 3


def test_without_any_cluster_a_sentence_says_how_to_get_one(tmp_path: Path) -> None:
    """Both ways are named."""
    with pytest.raises(LabError, match=r"`make demo` .* `make up`"):
        find(Places(tmp_path), "local", None)


def test_clean_without_an_engine_removes_local_state_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so; runs are kept, and so is what it does not know."""
    (tmp_path / "state" / "local" / "5" / "n1").mkdir(parents=True)
    (tmp_path / "state" / "notes").mkdir()
    (tmp_path / "logs" / "run").mkdir(parents=True)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(PROJECT_VARIABLE, "nobodys")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    app.main(["clean", "--force"], standalone_mode=False)
    out = capsys.readouterr().out
    assert "No Docker engine answers" in out
    assert "1 folder:" in out
    assert not (tmp_path / "state" / "local" / "5").exists()
    assert (tmp_path / "state" / "notes").is_dir()
    assert (tmp_path / "logs" / "run").is_dir()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            control_pb2.GateRule(action=control_pb2.GateRule.HOLD, kinds=["accept"], source=1),
            "hold accept from n1",
        ),
        (
            control_pb2.GateRule(action=control_pb2.GateRule.DROP, percent=20),
            "drop 20 % of everything",
        ),
        (
            control_pb2.GateRule(
                action=control_pb2.GateRule.DELAY,
                kinds=["learn", "learned"],
                to=5,
                delay_ms=10,
                delay_most_ms=30,
                first_instance=4,
                last_instance=4,
            ),
            "delay learn and learned to n5 by 10 to 30 ms of instance 4",
        ),
    ],
)
def test_a_rule_of_a_gate_is_told_in_words(rule: control_pb2.GateRule, words: str) -> None:
    """``status`` speaks as scenarios do."""
    assert rule_in_words(rule) == words


def line(node: str, seq: int, at_ns: int) -> Line:
    """A line that is told."""
    return {
        "v": 1,
        "node": node,
        "incarnation": 1,
        "seq": seq,
        "at_ns": at_ns,
        "event": "node_stopped",
        "reason": "received SIGTERM",
    }


def test_lines_of_several_nodes_are_printed_in_the_order_of_their_writing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They arrive node by node; only the last few are asked for."""
    printer = Printer(Console(), 0, raw=True)
    printer.put([line("n1", 1, 10), line("n1", 2, 30)])
    printer.put([line("n2", 1, 20)])
    printer.print_all(2)
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [(row["node"], row["seq"]) for row in rows] == [("n2", 1), ("n1", 2)]
