"""The local world: faults on real processes, confirmed, undone, and no process left behind."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from orchestrator.__main__ import main
from orchestrator.clients import Clients
from orchestrator.cluster import Condition, LabError
from orchestrator.collect import collect
from orchestrator.faults import Faults
from orchestrator.gate import GateTable
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.local import LocalCluster
from orchestrator.places import HOME_VARIABLE, Places
from orchestrator.runner import Runner, make_whole
from orchestrator.tail import FileFollower
from orchestrator.yaml_file import read_scenario
from paxos.checker import check_path
from paxos.events import Line, problems
from paxos.scenario.model import Cut, Failpoint, GateRule, Release

LIMIT_S: Final = 120.0
# For a probe that must be answered: a busy machine may take long.
PROBE_MS: Final = 4_000

WAITS: Final = """\
version: 1
title: A scenario that waits for what never comes
predict: when does it end?
nodes: 3
steps:
  - pause: n2
  - say: now it waits
    wait: {event: nack_sent}
    limit_s: 600
expectations: []
must_happen:
  - fact: it ends
    lines: {event: run_finished}
notice: nothing.
"""


LEAVES_ONE_DOWN: Final = """\
version: 1
title: A node is killed and stays down
predict: what can be said of it?
nodes: 3
instances: [fruit]
steps:
  - propose: {name: apple, at: n1, value: apple}
  - learned: {by: all, value: apple}
  - kill: n3
expectations: []
must_happen:
  - fact: it was killed
    lines: {event: node_exited, of: n3, exit_code: 137}
notice: nothing.
"""


class Boom(Exception):
    """Something unforeseen in the middle of a step."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three real nodes."""
    local = LocalCluster(Places(tmp_path_factory.mktemp("a home with blanks")), 3)
    with contextlib.closing(local):
        local.open()
        yield local


@pytest.fixture(scope="module")
def clients(cluster: LocalCluster) -> Iterator[Clients]:
    """Channels to them, once they serve."""
    found = Clients(cluster)
    with contextlib.closing(found):
        make_whole(cluster, found)
        yield found


class Told:
    """The lab's lines, as a run would take them."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def __call__(self, lines: list[Line]) -> None:
        """Take lines."""
        self.lines.extend(lines)

    def of(self, event: str) -> list[Line]:
        """The lines of one event."""
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def told() -> Told:
    """What the lab says."""
    return Told()


@pytest.fixture
def faults(cluster: LocalCluster, clients: Clients, told: Told) -> Faults:
    """The faults of a run on three sound nodes."""
    make_whole(cluster, clients)
    return Faults(cluster, clients, Journal(told), {"fruit": 1}, lambda _node: None)


def hurt_and_raise(faults: Faults) -> None:
    """Apply a fault of every kind, and then meet something unforeseen."""
    faults.network.rule(GateRule("hold", "late", sources=("n1",), kinds=("accept",)))
    faults.network.rule(GateRule("delay", "slow", delay_ms=5, delay_most_ms=9))
    faults.network.cut(Cut("partition", "split", (("n1",), ("n2", "n3"))))
    faults.failpoint(Failpoint("n1", "after_sync", "prepare", "fruit"))
    faults.kill(["n3"])
    faults.pause(["n2"])
    raise Boom


def is_sound(cluster: LocalCluster, clients: Clients) -> bool:
    """Whether every node runs, every link is up, and nothing is in force."""
    for node in cluster.members:
        if cluster.condition(node) is not Condition.RUNNING:
            return False
        info = clients.info(node)
        if len(info.links_up) != 2 or info.gate or info.failpoints:
            return False
    return True


def test_a_kill_is_claimed_with_its_exit_code_and_undone_with_the_next_incarnation(
    cluster: LocalCluster, clients: Clients, faults: Faults, told: Told
) -> None:
    """137 comes from the kernel; the end of the fault is told when the node serves again."""
    before = clients.info("n3").incarnation
    with faults:
        faults.kill(["n3"])
        assert cluster.condition("n3") is Condition.EXITED
        faults.start(["n3"])
    (exited,) = told.of("node_exited")
    assert (exited["of"], exited["exit_code"], exited["reason"]) == ("n3", 137, "SIGKILL")
    (applied,) = told.of("fault_applied")
    assert applied["mechanism"] == "signal"
    assert applied["evidence"] == "exit code 137 (SIGKILL)"
    assert applied["elapsed_ms"] >= 0
    (undone,) = told.of("fault_undone")
    assert f"incarnation {before + 1}" in undone["evidence"]
    assert is_sound(cluster, clients)


def test_a_stop_ends_a_node_by_its_own_decision(
    cluster: LocalCluster, clients: Clients, faults: Faults, told: Told
) -> None:
    """SIGTERM is no kill: the exit code is 0."""
    with faults:
        faults.stop(["n2"])
        faults.start(["n2"])
    assert [line["exit_code"] for line in told.of("node_exited")] == [0]
    assert [line["fault"] for line in told.of("fault_undone")] == ["stop"]
    assert is_sound(cluster, clients)


def test_every_fault_is_undone_when_a_step_raises(
    cluster: LocalCluster,
    clients: Clients,
    faults: Faults,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kill, pause, cut, hold, delay and a failpoint that never struck: all at once."""
    # As on containers, which run on when the lab ends.
    monkeypatch.setattr(cluster, "outlives_run", True)
    with pytest.raises(Boom), faults:
        hurt_and_raise(faults)
    assert is_sound(cluster, clients)
    applied = [line["fault"] for line in told.of("fault_applied")]
    undone = [line["fault"] for line in told.of("fault_undone")]
    assert applied == ["hold", "delay", "partition", "kill", "pause"]
    # The last one first.
    assert undone == ["pause", "kill", "partition", "delay", "hold"]
    assert [problems(line) for line in told.lines] == [[] for _ in told.lines]


def test_whatever_one_undoing_meets_the_others_are_done() -> None:
    """Also what nobody foresaw; all that is left is named in the end."""
    undone: list[str] = []

    def fails() -> None:
        raise KeyError("\ud800")

    def is_silent() -> None:
        raise LabError("no answer")

    ledger = Ledger(Journal(Told()))
    ledger.enter("first", lambda: undone.append("first"))
    ledger.enter("second", fails)
    ledger.enter("third", is_silent)
    ledger.enter("fourth", lambda: undone.append("fourth"))
    with pytest.raises(LabError, match=r"third \(no answer\); second \(KeyError"):
        ledger.undo_all()
    assert undone == ["fourth", "first"]


def test_a_rule_that_no_gate_can_be_told_is_never_in_force(
    cluster: LocalCluster, clients: Clients, faults: Faults
) -> None:
    """It leaves nothing to undo, and what was before is undone."""
    with faults:
        faults.pause(["n3"])
        with pytest.raises(ValueError, match=r"(?i)surrogate|utf-8"):
            faults.network.rule(GateRule("hold", "\ud800"))
    assert is_sound(cluster, clients)


def test_no_name_of_a_fault_takes_the_place_of_another(
    cluster: LocalCluster, clients: Clients, faults: Faults
) -> None:
    """Names are anybody's choice, also the one under which the lab notes a pause."""
    with faults:
        faults.pause(["n3"])
        faults.network.rule(GateRule("drop", "the pause of n3", percent=1))
        faults.network.heal(["the pause of n3"])
    assert is_sound(cluster, clients)


def test_a_heal_that_is_broken_off_is_done_again_at_the_end(
    cluster: LocalCluster,
    clients: Clients,
    faults: Faults,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C in the middle of a heal, of a cut and of a rule: both are over at the exit."""

    def interrupted(_nodes: object) -> None:
        raise KeyboardInterrupt

    with faults:
        faults.network.cut(Cut("partition", "split", (("n1",), ("n2", "n3"))))
        faults.network.rule(GateRule("hold", "late", kinds=("accept",)))
        with monkeypatch.context() as patch:
            patch.setattr(GateTable, "set_at", lambda _self, nodes: interrupted(nodes))
            for name in ("split", "late"):
                with pytest.raises(KeyboardInterrupt):
                    faults.network.heal([name])
        assert not is_sound(cluster, clients)
    assert is_sound(cluster, clients)
    assert [line["fault"] for line in told.of("fault_undone")] == ["hold", "partition"]


@pytest.mark.parametrize(("drained", "verdict"), [(True, "ok"), (False, "unknown")])
def test_a_node_that_stays_down_is_judged_only_if_all_its_lines_came(
    cluster: LocalCluster,
    clients: Clients,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    drained: bool,
    verdict: str,
) -> None:
    """Its disk tells how its last batch ended, and nothing of lines that were not read."""
    make_whole(cluster, clients)
    file = tmp_path / "leaves-one-down.yaml"
    file.write_text(LEAVES_ONE_DOWN, encoding="utf-8")
    if not drained:
        monkeypatch.setattr(FileFollower, "drain", lambda *_: False)
    played = Runner(cluster, clients).play(read_scenario(file), "run")
    assert collect(Places(tmp_path), cluster, played).verdict.verdict == verdict


def test_each_fault_is_told_once_when_it_begins_and_once_when_it_ends(
    faults: Faults, told: Told
) -> None:
    """With the same name, targets and detail: a reader knows which of several is over."""
    with faults:
        faults.network.rule(GateRule("hold", "one", sources=("n1",), kinds=("accept",)))
        faults.network.rule(GateRule("hold", "two", sources=("n1",), kinds=("learn",)))
        faults.network.cut(Cut.isolation("isolate", "n2", ("n1", "n2", "n3")))
        faults.pause(["n1", "n3"])

    def named(event: str) -> list[tuple[Any, ...]]:
        return [(f["fault"], f["targets"], f["detail"]) for f in told.of(event)]

    assert len(named("fault_applied")) == 5
    assert sorted(named("fault_applied"), key=str) == sorted(named("fault_undone"), key=str)


def test_a_cut_is_claimed_only_after_probes_over_it_failed(
    clients: Clients, faults: Faults, told: Told
) -> None:
    """And healed only after they were answered; links that are not cut stay up."""
    with faults:
        faults.network.cut(Cut("partition", "partition", (("n1", "n2"), ("n3",))))
        assert not clients.probe("n1", "n3", 200).answered
        assert not clients.probe("n3", "n2", 200).answered
        assert clients.probe("n1", "n2", PROBE_MS).answered
        faults.network.heal(["partition"])
        assert clients.probe("n1", "n3", PROBE_MS).answered
    (applied,) = told.of("fault_applied")
    assert applied["mechanism"] == "gate"
    assert applied["detail"]["pairs"] == [["n1", "n3"], ["n2", "n3"]]
    assert "all 4 probes over it failed" in applied["evidence"]
    (undone,) = told.of("fault_undone")
    assert "all 4 probes over it answered" in undone["evidence"]


def test_a_one_way_cut_leaves_the_other_way_open(clients: Clients, faults: Faults) -> None:
    """What no cable can do, the gate can: n1's requests are lost, n2's arrive."""
    with faults:
        faults.network.rule(GateRule("cut", "deaf", sources=("n1",), to=("n2",)))
        probe = clients.probe("n1", "n2", 200)
        assert not probe.answered
        assert "gate" in probe.status


def test_releasing_more_than_is_held_is_refused(faults: Faults) -> None:
    """A step that releases a message which isn't there has not done what it says."""
    with faults:
        faults.network.rule(GateRule("hold", "late", kinds=("accept",)))
        with pytest.raises(LabError, match="1 messages were to be released, but 1"):
            faults.network.release(Release("late", first=1))


def test_a_pause_is_claimed_when_the_kernel_shows_it(
    cluster: LocalCluster, clients: Clients, faults: Faults, told: Told
) -> None:
    """Paused is no crash: the incarnation stays the same."""
    before = clients.info("n2").incarnation
    with faults:
        faults.pause(["n2"])
        assert cluster.condition("n2") is Condition.PAUSED
        assert "state T" in told.of("fault_applied")[0]["evidence"]
    assert cluster.condition("n2") is Condition.RUNNING
    assert clients.info("n2").incarnation == before


def test_a_node_that_does_not_come_up_is_named_with_its_own_words(tmp_path: Path) -> None:
    """A state directory that is damaged: the node's sentence reaches the user."""
    local = LocalCluster(Places(tmp_path), 3)
    with contextlib.closing(local):
        local.open()
    segment = next((tmp_path / "state" / "local" / "3" / "n2").glob("*segment*"), None)
    assert segment is not None, "a formatted directory has a segment"
    data = bytearray(segment.read_bytes())
    data[5] ^= 1
    segment.write_bytes(data)
    again = LocalCluster(Places(tmp_path), 3)
    with contextlib.closing(again), pytest.raises(LabError, match="n2"):
        again.open()


def test_a_lost_disk_is_refused_and_never_made_anew(tmp_path: Path) -> None:
    """An acceptor that forgot what it promised must not come back empty."""
    first = LocalCluster(Places(tmp_path), 3)
    with contextlib.closing(first):
        first.open()
    folder = tmp_path / "state" / "local" / "3" / "n3"
    folder.rename(tmp_path / "taken away")
    second = LocalCluster(Places(tmp_path), 3)
    with contextlib.closing(second), pytest.raises(LabError, match="n3 lost the disk"):
        second.open()


def test_a_place_that_cannot_be_written_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 says that a rule was violated: the machine's own faults end with 2."""
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv(HOME_VARIABLE, str(file))
    with pytest.raises(SystemExit) as ended:
        main(["scenario", "basic", "--world", "local"])
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"error: {file}")
    assert complaint.count("\n") == 1


def test_two_labs_do_not_share_the_disks_of_one_cluster(cluster: LocalCluster) -> None:
    """The second is refused in a sentence, before it touches anything."""
    home = cluster._folder.parents[2]
    other = LocalCluster(Places(home), 3)
    with contextlib.closing(other), pytest.raises(LabError, match="another run uses"):
        other.open()


def begin_waiting(home: Path) -> "subprocess.Popen[str]":
    """A lab that has paused n2 and waits for ever."""
    file = home / "waits.yaml"
    file.write_text(WAITS, encoding="utf-8")
    lab = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "scenario", str(file), "--world", "local"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PAXOS_LAB_HOME": str(home)},
    )
    assert lab.stdout is not None, "its output is piped"
    for row in lab.stdout:
        if "now it waits" in row:
            return lab
    _, complaint = lab.communicate(timeout=LIMIT_S)
    pytest.fail(f"the lab ended early: {complaint}")


def nodes_of(lab: int) -> list[int]:
    """The processes that were started by a lab, alive or paused."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_bytes().split(b"\0")
            if b"orchestrator.tether" in words and str(lab).encode() in words:
                found.append(int(entry.parent.name))
    return found


def all_end(processes: list[int], limit_s: float) -> bool:
    """Whether these processes end in time; they need not be our children."""
    for process in processes:
        try:
            handle = os.pidfd_open(process)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([handle], [], [], limit_s)
        os.close(handle)
        if not ready:
            return False
    return True


needs_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks at processes through /proc"
)


@needs_linux
def test_the_death_of_the_lab_leaves_no_node_behind_not_even_a_paused_one(tmp_path: Path) -> None:
    """SIGKILL gives the lab no time to undo anything: the kernel ends its nodes."""
    lab = begin_waiting(tmp_path)
    nodes = nodes_of(lab.pid)
    assert len(nodes) == 3
    lab.kill()
    assert all_end(nodes, LIMIT_S)
    lab.communicate(timeout=LIMIT_S)
    assert nodes_of(lab.pid) == []


@needs_linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_undoes_the_faults_and_ends_the_nodes(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C, a terminal that closes, a polite end: each resumes n2 before it goes."""
    lab = begin_waiting(tmp_path)
    nodes = nodes_of(lab.pid)
    lab.send_signal(number)
    out, complaint = lab.communicate(timeout=LIMIT_S)
    assert lab.returncode == 130
    assert re.search(r"n2 resumed: SIGCONT", out)
    assert "every fault was undone" in complaint
    assert all_end(nodes, LIMIT_S)
    # What had happened is a run like any other, and says why it is short.
    (folder,) = (path for path in (tmp_path / "logs").iterdir() if not path.is_symlink())
    lines = [json.loads(row) for row in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    (finished,) = (line for line in lines if line["event"] == "run_finished")
    assert (finished["completed"], finished["reason"]) == (False, "it was interrupted")
    alone = tmp_path / "alone.jsonl"
    alone.write_bytes((folder / "events.jsonl").read_bytes())
    # Nothing was asked for, and no line is missing.
    (doubt,) = check_path(folder).unknown
    assert check_path(alone).unknown == (doubt,)
    assert doubt.reason.startswith("the log holds no line of any instance")
    assert folder.name in "".join(out[out.index("What had happened is in") :].split())


def test_line_headers_count_the_lines_of_the_lab(faults: Faults, told: Told) -> None:
    """Its log is as gapless as a node's: the checker asks for it."""
    with faults:
        faults.network.rule(GateRule("hold", "late", kinds=("accept",)))
    sequence: list[Any] = [line["seq"] for line in told.lines]
    assert sequence == list(range(1, len(sequence) + 1))
