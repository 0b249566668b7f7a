"""The world of containers: real cuts, kills and pauses, each confirmed, confined and undone."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import grpc
import pytest

from node.wire import paxos_pb2, paxos_pb2_grpc
from orchestrator.clients import Clients
from orchestrator.cluster import Condition, LabError
from orchestrator.clusters import bring_up
from orchestrator.docker_world import DockerCluster, clusters_up
from orchestrator.faults import Faults
from orchestrator.journal import Journal
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.runner import make_whole
from orchestrator.yaml_file import FOLDER, read_scenario, scenario_names
from paxos.checker import OK
from paxos.events import Line
from paxos.scenario.model import Cut
from tests.docker_lab import Lab, lab_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

LIMIT_S: Final = 240.0
# For probes that may have to be answered: a busy machine may take long. One that is lost
# costs as long only until the signs of life are missed.
PROBE_MS: Final = 4_000
SPLIT: Final = Cut("partition", "split", (("n1", "n2", "n3"), ("n4", "n5")))
PAIRS: Final = tuple(itertools.combinations(["n1", "n2", "n3", "n4", "n5"], 2))
CROSSING: Final = {
    ("n1", "n4"),
    ("n1", "n5"),
    ("n2", "n4"),
    ("n2", "n5"),
    ("n3", "n4"),
    ("n3", "n5"),
}

WAITS: Final = """\
version: 1
title: A scenario that hurts the cluster and waits for what never comes
predict: what is left when it is interrupted?
nodes: 5
steps:
  - partition: [[n1, n2, n3], [n4, n5]]
  - kill: n3
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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Five nodes in containers."""
    with lab_of(5, tmp_path_factory.mktemp("home")) as found:
        bring_up(Places(found.home), 5, print)
        yield found


@pytest.fixture
def cluster(lab: Lab) -> Iterator[DockerCluster]:
    """The cluster, kept from other runs while a test has it."""
    with contextlib.closing(DockerCluster(Places(lab.home), 5)) as found:
        yield found


@pytest.fixture
def clients(cluster: DockerCluster) -> Iterator[Clients]:
    """Channels to its nodes, which are sound."""
    with contextlib.closing(Clients(cluster)) as found:
        make_whole(cluster, found)
        yield found


class Told(list[Line]):
    """The lab's lines, as a run would take them."""

    def of(self, event: str) -> list[Line]:
        """The lines of one event."""
        return [line for line in self if line["event"] == event]


@pytest.fixture
def told() -> Told:
    """What the lab says."""
    return Told()


@pytest.fixture
def faults(cluster: DockerCluster, clients: Clients, told: Told) -> Faults:
    """The faults of a run."""
    return Faults(cluster, clients, Journal(told.extend), {"fruit": 1}, lambda _node: None)


def lost(clients: Clients) -> set[tuple[str, str]]:
    """The pairs of which neither end reaches the other; no pair is cut one way alone."""
    ways = {
        (source, to): clients.probe(source, to, PROBE_MS).answered
        for pair in PAIRS
        for source, to in (pair, pair[::-1])
    }
    for low, high in PAIRS:
        assert ways[low, high] == ways[high, low], f"{low} and {high} are cut one way alone"
    return {pair for pair in PAIRS if not ways[pair]}


def is_sound(cluster: DockerCluster, clients: Clients) -> bool:
    """Whether every node runs, every link is up, and nothing is in force."""
    for node in cluster.members:
        if cluster.condition(node) is not Condition.RUNNING:
            return False
        info = clients.info(node)
        if len(info.links_up) != 4 or info.gate or info.failpoints:
            return False
    return True


def promise(cluster: DockerCluster, node: str, instance: int, round_: int) -> None:
    """Have an acceptor promise a ballot of the guest g1."""
    with grpc.insecure_channel(cluster.endpoints(node).paxos) as channel:
        request = paxos_pb2.PrepareRequest(
            instance=instance, source=101, ballot=paxos_pb2.Ballot(round=round_, node_id=101)
        )
        reply = paxos_pb2_grpc.PaxosStub(channel).Prepare(
            request, timeout=LIMIT_S, wait_for_ready=True
        )
    assert reply.WhichOneof("reply") == "promise"


def test_a_killed_acceptor_comes_back_with_its_promise(
    cluster: DockerCluster, clients: Clients, faults: Faults, told: Told
) -> None:
    """SIGKILL, exit code 137, a new incarnation, the same promise ("Paxos Made Simple" §2.5)."""
    instance = clients.info("n3").highest_instance + 1
    promise(cluster, "n3", instance, 7)
    before = clients.info("n3").incarnation
    with faults:
        faults.kill(["n3"])
        assert cluster.condition("n3") is Condition.EXITED
        # Also while it is down, its volume can be read.
        (on_disk,) = (
            found for found in cluster.read_disk("n3")["instances"] if found["instance"] == instance
        )
        assert on_disk["promised"] == "7.g1"
        faults.start(["n3"])
    (exited,) = told.of("node_exited")
    assert (exited["exit_code"], exited["reason"]) == (137, "SIGKILL")
    assert clients.info("n3").incarnation == before + 1
    (in_memory,) = clients.status("n3", instance)
    assert (in_memory.promised.round, in_memory.promised.node_id) == (7, 101)


def test_a_stop_ends_a_node_by_its_own_decision(
    cluster: DockerCluster, clients: Clients, faults: Faults, told: Told
) -> None:
    """SIGTERM is no kill: the exit code is 0, and the node says so in its last line."""
    lines: list[Line] = []
    with faults, contextlib.closing(cluster.follow(lines.extend)) as follower:
        faults.stop(["n2"])
        assert follower.drain("n2", LIMIT_S)
        assert [line for line in lines if line["node"] == "n2"][-1]["event"] == "node_stopped"
        faults.start(["n2"])
    assert [line["exit_code"] for line in told.of("node_exited")] == [0]
    assert is_sound(cluster, clients)


def test_a_partition_cuts_what_crosses_it_and_nothing_else(
    lab: Lab, clients: Clients, faults: Faults, told: Told
) -> None:
    """Confirmed by probes over every cable; the heal gives back address and name."""
    before = lab.addresses()
    with faults:
        faults.network.cut(SPLIT)
        assert lost(clients) == CROSSING
        faults.network.heal(["split"])
        assert lost(clients) == set()
    assert lab.addresses() == before
    (applied,) = told.of("fault_applied")
    assert applied["mechanism"] == "cable"
    assert applied["evidence"].endswith("all 12 probes over it failed")
    (undone,) = told.of("fault_undone")
    assert "all 12 probes over it answered" in undone["evidence"]


def test_a_cable_that_is_out_stays_out_and_one_that_is_in_stays_in(
    lab: Lab, cluster: DockerCluster, clients: Clients
) -> None:
    """So a fault that was applied in part can be applied, and undone, as a whole."""
    before = lab.addresses()
    assert cluster.cables is not None
    cluster.cables.unplug([("n1", "n2")])
    cluster.cables.unplug([("n1", "n2"), ("n1", "n3")])
    assert lost(clients) == {("n1", "n2"), ("n1", "n3")}
    cluster.cables.plug([("n1", "n2")])
    cluster.cables.plug([("n1", "n2")])
    assert cluster.cables.replug() == [("n1", "n3")]
    assert cluster.cables.replug() == []
    assert lab.addresses() == before


def test_a_bridge_is_no_clean_partition(clients: Clients, faults: Faults) -> None:
    """Each pair has a cable of its own: n3 sees both sides, which do not see each other."""
    with faults:
        faults.network.cut(Cut("partition", "bridge", (("n1", "n2", "n3"), ("n3", "n4", "n5"))))
        assert lost(clients) == {pair for pair in CROSSING if "n3" not in pair}
    assert lost(clients) == set()


def test_two_cuts_overlap_and_a_heal_gives_back_only_what_no_other_holds(
    clients: Clients, faults: Faults
) -> None:
    """The cable n1-n4 is in both."""
    with faults:
        faults.network.cut(Cut("cut", "one", (("n1", "n2", "n3", "n5"), ("n2", "n3", "n4", "n5"))))
        faults.network.cut(SPLIT)
        faults.network.heal(["split"])
        assert lost(clients) == {("n1", "n4")}
    assert lost(clients) == set()


def test_a_node_that_starts_while_its_cable_is_out_is_heard_when_it_is_back(
    cluster: DockerCluster, clients: Clients, faults: Faults
) -> None:
    """It listens on an address that it does not have yet."""
    with faults:
        faults.network.cut(Cut("isolate", "alone", (("n5",), ("n1", "n2", "n3", "n4"))))
        faults.kill(["n5"])
        faults.start(["n5"])
        assert lost(clients) == {pair for pair in PAIRS if "n5" in pair}
    assert is_sound(cluster, clients)


def test_a_pause_is_no_crash(
    lab: Lab, cluster: DockerCluster, clients: Clients, faults: Faults, told: Told
) -> None:
    """The same incarnation goes on where it was, and nothing was lost."""
    before = clients.info("n2").incarnation
    with faults:
        faults.pause(["n2"])
        assert cluster.condition("n2") is Condition.PAUSED
        assert lab.inspect(2)["State"]["Paused"]
        assert not clients.probe("n1", "n2", 300).answered
        assert cluster.wait_exit("n2", 0.2) is None
    assert cluster.condition("n2") is Condition.RUNNING
    assert clients.info("n2").incarnation == before
    assert [line["mechanism"] for line in told.of("fault_applied")] == ["docker"]
    assert is_sound(cluster, clients)


def test_no_line_is_lost_over_kills_and_starts(
    cluster: DockerCluster, clients: Clients, faults: Faults
) -> None:
    """Each incarnation's lines are without a gap, up to the last that the engine has."""
    lines: list[Line] = []
    first = clients.info("n4")
    with contextlib.closing(cluster.follow(lines.extend)) as follower, faults:
        for _ in range(2):
            clients.set_gate("n4", [])
            faults.kill(["n4"])
            assert follower.drain("n4", LIMIT_S)
            faults.start(["n4"])
        faults.kill(["n4"])
        assert follower.drain("n4", LIMIT_S)
        seen = [
            (line["incarnation"], line["seq"])
            for line in lines
            if line["node"] == "n4" and line["incarnation"] >= first.incarnation
        ]
    assert {incarnation for incarnation, _ in seen} == {first.incarnation + n for n in range(3)}
    assert (first.incarnation, first.seq) in seen
    for one, other in itertools.pairwise(seen):
        assert other in {(one[0], one[1] + 1), (one[0] + 1, 1)}


def test_a_cluster_serves_one_run_at_a_time(lab: Lab, cluster: DockerCluster) -> None:
    """The second is refused before it touches anything; to look is always allowed."""
    assert cluster.members[0] == "n1"
    with pytest.raises(LabError, match="another run uses the cluster paxos-test-5"):
        DockerCluster(Places(lab.home), 5)
    assert len(lab.json("status")["links"]["ready"]) == 10


def test_faults_of_every_kind_are_seen_from_outside(lab: Lab, faults: Faults) -> None:
    """``status`` finds them by looking, not by being told."""
    with faults:
        faults.network.cut(Cut("cut", "one", (("n1", "n2", "n3", "n5"), ("n2", "n3", "n4", "n5"))))
        faults.pause(["n2"])
        faults.kill(["n3"])
        found = lab.json("status")["faults"]
    assert {"fault": "unplugged", "cable": "n1-n4"} in found
    assert {"fault": "paused", "node": "n2"} in found
    assert {"fault": "down", "node": "n3", "exit_code": 137} in found
    assert lab.json("status")["faults"] == []


def begin_waiting(lab: Lab) -> "subprocess.Popen[str]":
    """A lab that has cut, killed and paused, and waits for ever."""
    file = lab.home / "waits.yaml"
    file.write_text(WAITS, encoding="utf-8")
    words = ["scenario", str(file), "--world", "docker"]
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None, "its output is piped"
    for row in process.stdout:
        if "now it waits" in row:
            return process
    _, complaint = process.communicate(timeout=LIMIT_S)
    pytest.fail(f"the lab ended early: {complaint}")


def test_an_interrupt_gives_everything_back(lab: Lab) -> None:
    """Ctrl-C in a scenario: cables are plugged in, the paused goes on, the killed is started."""
    before = lab.addresses()
    process = begin_waiting(lab)
    assert len(lab.addresses()["n5"]) == 2
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert "every fault was undone" in complaint
    assert lab.addresses() == before
    status = lab.json("status")
    assert status["faults"] == []
    assert len(status["links"]["ready"]) == 10


def test_what_a_killed_lab_left_is_undone_before_the_next_run(lab: Lab) -> None:
    """SIGKILL lets a lab undo nothing; the next one finds out by looking, and says so."""
    before = lab.addresses()
    process = begin_waiting(lab)
    process.kill()
    process.communicate(timeout=LIMIT_S)
    said = lab.done("scenario", "basic", "--world", "docker")
    assert "n2 was paused and runs again" in said
    assert "n3 was down and is started" in said
    assert "the cable n1-n4 is plugged in" in said
    assert lab.addresses() == before


def test_a_cluster_that_is_up_is_found(lab: Lab) -> None:
    """Then a scenario is played on it, when no world was named."""
    assert clusters_up() == [5]
    said = lab.done("scenario", "basic")
    assert "World: docker (a cluster of 5 is up)" in said


@pytest.fixture(scope="module")
def session(lab: Lab) -> Iterator[Session]:
    """Plays on the one cluster, which is never wiped."""
    with contextlib.closing(Session(Places(lab.home), silent=True)) as found:
        yield found


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_shows_on_containers_what_it_is_to_show(session: Session, name: str) -> None:
    """The same story and the same expectations; the faults are Docker's and the cables'."""
    scenario = read_scenario(FOLDER / f"{name}.yaml")
    result = session.play(scenario, "docker", 5)
    unmet = [f"{finding.expectation}: {finding.evidence}" for finding in result.unmet]
    assert result.verdict.verdict == OK, result.verdict.as_text()
    assert not unmet, "\n".join([*unmet, str(result.folder)])
    # Message by message, it was the core that ran in the containers.
    told = result.verdict.as_json()["conformance"]
    assert told["verdict"] == "ok", result.verdict.as_text()
