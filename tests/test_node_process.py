"""One node and three, as real processes: what they do, and what a crash leaves."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from node.ending import (
    EXIT_CONFIGURATION,
    EXIT_DISK_FAILED,
    EXIT_STATE_REFUSED,
    EXIT_STOPPED,
)
from node.failpoints import Failpoint
from node.wire import control_pb2, control_pb2_grpc, paxos_pb2, paxos_pb2_grpc
from paxos.events import line_id
from tests.node_cluster import PATIENCE_S, Cluster, Node, accept, cluster, prepare, run_node

ARM = control_pb2.ArmFailpointRequest
RULE = control_pb2.GateRule
CHOSEN = paxos_pb2.ProposeReply.CHOSEN
_FRESH = itertools.count(1)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Node]:
    """n1 of a cluster of three; the others are down."""
    with cluster(tmp_path) as made:
        yield made["n1"].start()


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes that no test kills."""
    with cluster(tmp_path_factory.mktemp("shared")) as made:
        made.start()
        yield made


@pytest.fixture
def shared(unharmed: Cluster) -> Iterator[Cluster]:
    """Three nodes that no test kills, with their gates open and all links up."""
    for node in unharmed.nodes.values():
        node.wait_for_links()
    yield unharmed
    for node in unharmed.nodes.values():
        node.gate()


@pytest.fixture
def instance() -> int:
    """A hundred instances that no other test uses."""
    return 100 * next(_FRESH)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    """Three nodes with all links up."""
    with cluster(tmp_path) as made:
        made.start()
        yield made


class TestDecisions:
    def test_a_value_is_chosen_and_every_node_learns_it(
        self, shared: Cluster, instance: int
    ) -> None:
        """§2.2 and §2.3 end to end, over the wire and three disks."""
        reply = shared["n2"].propose(instance, "apple")
        assert (reply.outcome, reply.yours, reply.value) == (CHOSEN, True, b"apple")
        for node in shared.nodes.values():
            line = node.wait_for("value_learned", instance=instance, value="apple")
            assert len(line["acceptors"]) >= 2

    def test_a_client_whose_value_lost_is_told_which_value_won(
        self, shared: Cluster, instance: int
    ) -> None:
        """The chosen value binds every later proposal: wanted pear, must push apple."""
        shared["n1"].propose(instance, "apple")
        reply = shared["n3"].propose(instance, "pear")
        assert (reply.outcome, reply.yours, reply.value) == (CHOSEN, False, b"apple")

    def test_without_a_quorum_a_client_is_told_that_its_value_failed(self, one: Node) -> None:
        """No Accept was sent, so the failure is definite; the reason says what is lacking."""
        reply = one.propose(1, "apple", timeout_ms=600)
        assert reply.outcome == paxos_pb2.ProposeReply.FAILED
        assert "2 of 3 are needed" in reply.reason
        failed = one.wait_for("call_failed", kind="prepare", to="n2")
        assert failed["status"] == "UNAVAILABLE"

    def test_a_value_of_64_kib_is_chosen_and_logged_as_its_digest(
        self, shared: Cluster, instance: int
    ) -> None:
        """The longest value goes all the way; the log keeps its length and SHA-256."""
        value = "é" * 32768
        reply = shared["n1"].propose(instance, value)
        assert reply.value == value.encode()
        line = shared["n3"].wait_for("value_learned", instance=instance)
        assert line["value"]["bytes"] == 65536

    def test_a_node_that_was_down_learns_what_it_never_heard_of(self, three: Cluster) -> None:
        """It asks its peers for everything when their links come up, the proposer being dead."""
        assert three["n3"].kill() == -signal.SIGKILL
        for instance in range(1, 6):
            three["n1"].propose(instance, f"value {instance}")
        for instance in range(1, 6):
            three["n2"].wait_for("value_learned", instance=instance)
        three["n1"].kill()
        three["n3"].start()
        for instance in range(1, 6):
            three["n3"].wait_for("learn_received", instance=instance, source="n2", answer=True)
            three["n3"].wait_for("value_learned", instance=instance, value=f"value {instance}")

    def test_pages_of_status_bring_all_that_was_learned(self, tmp_path: Path) -> None:
        """A page holds two instances here; the question goes on where the last page ended."""
        with cluster(tmp_path, PAXOS_STATUS_LIMIT_COUNT="2") as made:
            made.start("n1", "n2")
            for instance in (1, 2, 3, 5, 8):
                made["n1"].propose(instance, f"value {instance}")
            for instance in (1, 2, 3, 5, 8):
                made["n2"].wait_for("value_learned", instance=instance)
            made["n1"].kill()
            made["n3"].start()
            for instance in (1, 2, 3, 5, 8):
                made["n3"].wait_for("value_learned", instance=instance)
            assert len(made["n3"].events("status_sent", to="n2")) >= 3

    def test_a_message_names_the_line_that_sent_it(self, shared: Cluster, instance: int) -> None:
        """Causes: each reception quotes the very line at the sender that announced it."""
        shared["n1"].propose(instance, "apple")
        for node in shared.nodes.values():
            node.wait_for("value_learned", instance=instance)
        received = [
            line
            for node in shared.nodes.values()
            for line in list(node.lines)
            if line["event"].endswith("_received") and line.get("instance") == instance
        ]
        # What was received was sent before, though its line may be read later.
        for node in shared.nodes.values():
            node.read_on()
        sent = {line_id(line): line for node in shared.nodes.values() for line in node.lines}
        assert {line["event"] for line in received} >= {"promise_received", "accept_received"}
        for line in received:
            if line["event"] != "propose_received":
                cause = sent[line["cause"]]
                assert cause["node"] == line["source"]
                assert cause["event"] == line["event"].replace("_received", "_sent")


class TestFailpoints:
    @pytest.mark.parametrize(
        ("failpoint", "recovered"),
        [
            (Failpoint.BEFORE_WRITE, "3.g1"),
            (Failpoint.BEFORE_SYNC, "5.g1"),
            (Failpoint.AFTER_SYNC, "5.g1"),
        ],
    )
    def test_a_promise_that_was_given_outlives_a_kill(
        self, one: Node, failpoint: Failpoint, recovered: str
    ) -> None:
        """§2.5. 3.g1 was promised; the kill hits the write of 5.g1, of which nobody heard."""
        assert prepare(one, 1, 3).HasField("promise")
        one.arm(ARM.Failpoint.Value(failpoint.name), "prepare")
        with pytest.raises(grpc.RpcError) as caught:
            prepare(one, 1, 5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert one.ended() == -signal.SIGKILL
        assert one.lines[-1]["event"] == "failpoint_hit"
        assert not one.events("promise_sent", ballot="5.g1")

        one.start()
        assert one.wait_for("state_recovered", instance=1)["promised"] == recovered
        assert prepare(one, 1, 2, source=102).nack.promised.round == int(recovered[0])

    @pytest.mark.parametrize(
        ("failpoint", "recovered"),
        [
            (Failpoint.BEFORE_WRITE, "3.g1"),
            (Failpoint.BEFORE_SYNC, "3.g1"),
            (Failpoint.AFTER_SYNC, "5.g1"),
        ],
    )
    def test_a_power_loss_takes_what_was_not_synced_and_nothing_else(
        self, one: Node, failpoint: Failpoint, recovered: str
    ) -> None:
        """§2.5. Between the write and its sync it differs from a kill, and nobody had heard."""
        assert prepare(one, 1, 3).HasField("promise")
        one.arm(ARM.Failpoint.Value(failpoint.name), "prepare", power=True)
        with pytest.raises(grpc.RpcError):
            prepare(one, 1, 5)
        assert one.ended() == -signal.SIGKILL
        assert one.lines[-1]["power"]
        assert not one.events("promise_sent", ballot="5.g1")

        one.start()
        assert not one.events("tail_cut")
        assert one.wait_for("state_recovered", instance=1)["promised"] == recovered

    def test_a_power_loss_on_command_leaves_what_was_promised(self, one: Node) -> None:
        """All that a reply spoke of was synced: the loss is told of, and takes nothing."""
        prepare(one, 1, 3)
        with pytest.raises(grpc.RpcError):
            one.control.LosePower(control_pb2.LosePowerRequest(), timeout=PATIENCE_S)
        assert one.ended() == -signal.SIGKILL
        assert (one.lines[-1]["event"], one.lines[-1]["bytes"]) == ("power_lost", 0)
        one.start()
        assert one.wait_for("state_recovered", instance=1)["promised"] == "3.g1"

    def test_after_the_reply_its_client_has_it(self, one: Node) -> None:
        """The process ends when the promise is out, and not before."""
        one.arm(ARM.AFTER_REPLY, "prepare")
        assert prepare(one, 1, 3).HasField("promise")
        assert one.ended() == -signal.SIGKILL
        assert [line["event"] for line in one.lines][-1] == "failpoint_hit"

    def test_an_accepted_value_outlives_a_kill_after_the_sync(self, one: Node) -> None:
        """The pair is on disk though no reply was ever sent; a later Prepare is told of it."""
        prepare(one, 1, 3)
        one.arm(ARM.AFTER_SYNC, "accept", instance=1)
        with pytest.raises(grpc.RpcError):
            accept(one, 1, 3, "apple")
        assert one.ended() == -signal.SIGKILL
        assert one.events("state_persisted", record="acceptor")[-1]["accepted"] is not None

        one.start()
        assert prepare(one, 1, 9).promise.accepted.value == b"apple"

    def test_a_failpoint_of_another_instance_or_kind_does_not_strike(self, one: Node) -> None:
        """It waits for its own moment, and can be disarmed."""
        one.arm(ARM.BEFORE_WRITE, "prepare", instance=2)
        one.arm(ARM.BEFORE_WRITE, "accept", instance=1)
        assert prepare(one, 1, 3).HasField("promise")
        info = one.control.Info(control_pb2.InfoRequest())
        assert list(info.failpoints) == ["BEFORE_WRITE", "BEFORE_WRITE"]
        one.control.DisarmFailpoints(control_pb2.DisarmFailpointsRequest())
        assert prepare(one, 2, 3).HasField("promise")

    def test_a_proposer_killed_between_two_sends_never_uses_its_number_again(
        self, three: Cluster
    ) -> None:
        """R3: the round is durable before it is used, so the next one is above it.

        The first Accept reached n1 itself, so its value must be pushed on.
        """
        n1 = three["n1"]
        n1.arm(ARM.BETWEEN_SENDS, "accept", instance=1)
        with pytest.raises(grpc.RpcError):
            n1.propose(1, "apple")
        assert n1.ended() == -signal.SIGKILL
        assert [line["to"] for line in n1.events("accept_sent")] == ["n1"]
        assert n1.events("accepted_sent", ballot="1.n1")

        # Without n3 no majority can do without n1's own acceptor.
        three["n3"].kill()
        n1.start()
        n1.wait_for("link_up", peer="n2")
        reply = n1.propose(1, "pear")
        assert (reply.outcome, reply.value) == (CHOSEN, b"apple")
        assert n1.events("prepare_sent")[0]["ballot"] == "2.n1"

    def test_the_first_of_two_sends_has_reached_its_addressee(self, three: Cluster) -> None:
        """n2 is told what was chosen, n3 is not, and the client has no answer."""
        n1 = three["n1"]
        n1.arm(ARM.BETWEEN_SENDS, "learn")
        with pytest.raises(grpc.RpcError):
            n1.propose(1, "apple")
        assert n1.ended() == -signal.SIGKILL
        three["n2"].wait_for("learn_received", source="n1")
        assert not three["n3"].events("learn_received", source="n1")


class TestStart:
    def test_an_incarnation_begins_with_what_was_on_disk(self, one: Node) -> None:
        """node_started, one state_recovered an instance, node_ready; then the rest."""
        prepare(one, 4, 3)
        accept(one, 4, 3, "apple")
        prepare(one, 2, 8)
        one.kill()
        one.start()
        assert [line["event"] for line in one.lines[:4]] == [
            "node_started",
            "state_recovered",
            "state_recovered",
            "node_ready",
        ]
        assert one.lines[0]["incarnation"] == 2
        assert {line["instance"]: line["promised"] for line in one.lines[1:3]} == {
            2: "8.g1",
            4: "3.g1",
        }
        one.wait_for("instance_resumed", instance=2)
        one.wait_for("instance_resumed", instance=4)

    def test_a_health_file_without_a_directory_is_refused_before_the_disk_is_touched(
        self, one: Node, tmp_path: Path
    ) -> None:
        """One sentence, and no incarnation is spent on it."""
        one.terminate()
        before = _content(one.state_dir)
        one.start("--health-file", str(tmp_path / "none" / "healthy"), ready=False)
        assert one.ended() == 2
        assert one.errors.startswith("error: PAXOS_HEALTH_FILE must be in a directory that exists")
        assert _content(one.state_dir) == before

    def test_two_processes_on_one_directory_are_refused(self, one: Node, tmp_path: Path) -> None:
        """The second would overwrite the promises of the first."""
        with cluster(tmp_path / "other") as other:
            second = other["n1"]
            second.start(ready=False, PAXOS_STATE_DIR=str(one.state_dir))
            assert second.ended() == EXIT_STATE_REFUSED
            assert "in use by another process" in second.errors

    def test_a_directory_of_another_cluster_is_refused(self, tmp_path: Path) -> None:
        """And it is left as it is: nothing is written, no incarnation begun."""
        with cluster(tmp_path) as made:
            n1 = made["n1"]
            before = _content(n1.state_dir)
            n1.start(ready=False, PAXOS_CLUSTER="another")
            assert n1.ended() == EXIT_STATE_REFUSED
            assert "'test'" in n1.errors
            assert "'another'" in n1.errors
            assert _content(n1.state_dir) == before

    def test_other_members_than_formatted_are_refused(self, tmp_path: Path) -> None:
        """A cluster of three restarted as five could choose twice."""
        with cluster(tmp_path, 5) as made:
            n1 = made["n1"]
            n1.start(
                ready=False,
                PAXOS_MEMBERS="n1,n2,n3",
                PAXOS_PEERS="n2=127.0.0.1:1,n3=127.0.0.1:1",
            )
            assert n1.ended() == EXIT_STATE_REFUSED
            assert "members" in n1.errors

    def test_an_empty_directory_is_refused(self, tmp_path: Path) -> None:
        """A node never formats: what is lost must not look like what is new."""
        with cluster(tmp_path) as made:
            n1 = made["n1"]
            empty = tmp_path / "empty"
            empty.mkdir()
            for directory in (empty, tmp_path / "missing"):
                n1.start(ready=False, PAXOS_STATE_DIR=str(directory))
                assert n1.ended() == EXIT_STATE_REFUSED
                assert str(directory) in n1.errors

    def test_a_damaged_file_is_refused(self, one: Node) -> None:
        """One changed byte in a whole record: it must not be read as anything."""
        prepare(one, 1, 3)
        one.kill()
        segment = one.state_dir / "segment-000001.jsonl"
        data = segment.read_bytes()
        assert b"3.g1" in data
        segment.write_bytes(data.replace(b"3.g1", b"1.g1"))
        one.start(ready=False)
        assert one.ended() == EXIT_STATE_REFUSED
        assert "segment-000001.jsonl" in one.errors
        assert one.lines == []

    def test_an_address_in_use_is_named_and_costs_no_incarnation(self, one: Node) -> None:
        """It is found out before the disk is touched."""
        one.kill()
        before = _content(one.state_dir)
        host, port = one.address.split(":")
        with socket.socket() as taken:
            taken.bind((host, int(port)))
            taken.listen()
            one.start(ready=False)
            assert one.ended() == EXIT_CONFIGURATION
        assert "PAXOS_LISTEN" in one.errors
        assert _content(one.state_dir) == before

    def test_read_prints_what_a_directory_holds(self, one: Node) -> None:
        """Also while the node runs; it changes nothing."""
        prepare(one, 1, 3)
        accept(one, 1, 3, "apple")
        told = json.loads(run_node("read", str(one.state_dir)).stdout)
        assert (told["node"], told["members"], told["incarnation"]) == (
            "n1",
            ["n1", "n2", "n3"],
            1,
        )
        assert told["instances"] == [
            {
                "instance": 1,
                "promised": "3.g1",
                "accepted": {"ballot": "3.g1", "value": "apple"},
                "round": -1,
                "learned": None,
            }
        ]


class TestStop:
    def test_sigterm_ends_a_node_in_order(self, one: Node) -> None:
        """Exit 0, and node_stopped is its last line."""
        assert one.terminate() == EXIT_STOPPED
        assert one.lines[-1]["event"] == "node_stopped"
        assert "SIGTERM" in one.lines[-1]["reason"]

    def test_shutdown_answers_and_then_ends_the_node(self, one: Node) -> None:
        """The orchestrator hears that it was understood."""
        one.control.Shutdown(control_pb2.ShutdownRequest(), timeout=PATIENCE_S)
        assert one.ended() == EXIT_STOPPED
        assert one.lines[-1]["event"] == "node_stopped"

    def test_a_waiting_client_is_told_that_nobody_knows(self, one: Node) -> None:
        """UNAVAILABLE with a sentence; the failure is indefinite."""
        call = one.paxos.Propose.future(
            paxos_pb2.ProposeRequest(instance=1, value=b"apple"), timeout=PATIENCE_S
        )
        one.wait_for("propose_received")
        assert one.terminate() == EXIT_STOPPED
        error = call.exception()
        assert isinstance(error, grpc.RpcError)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "unknown" in (error.details() or "")

    def test_a_node_that_cannot_log_ends(self, tmp_path: Path) -> None:
        """Nothing may happen that nobody can be told of."""
        with cluster(tmp_path) as made, Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "node", "serve"],
                env={**os.environ, **made["n1"].environment},
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=PATIENCE_S,
                check=False,
            )
        assert done.returncode == EXIT_DISK_FAILED
        assert b"cannot write the log" in done.stderr

    def test_the_health_file_is_fresh_while_the_node_serves(self, tmp_path: Path) -> None:
        """It is gone after an orderly stop."""
        file = tmp_path / "serving"
        with cluster(tmp_path / "state") as made:
            node = made["n1"].start(PAXOS_HEALTH_FILE=str(file), PAXOS_HEALTH_INTERVAL_MS="10")
            first = _touched(file, after_ns=0)
            _touched(file, after_ns=first)
            assert node.terminate() == EXIT_STOPPED
            assert not file.exists()


class TestGate:
    def test_a_one_way_cut_loses_requests_and_not_replies(
        self, shared: Cluster, instance: int
    ) -> None:
        """n1 cannot ask n2, and n2 can ask n1: no cut of a cable could show that."""
        n1, n2, n3 = shared.nodes.values()
        n1.gate(RULE(name="one way", action=RULE.CUT, source=1, to=2))
        n1.wait_for("link_down", peer="n2", reason="the gate's rule one way cuts it")
        assert n1.propose(instance, "apple").outcome == CHOSEN
        n1.wait_for("message_dropped", kind="prepare", to="n2", rule="one way")
        n3.wait_for("value_learned", instance=instance)
        assert not n2.events("prepare_received", source="n1", instance=instance)

        assert not _probe(n1, 2).answered
        assert _probe(n2, 1).status == "OK"

    def test_a_cut_that_ends_brings_the_link_back_and_with_it_what_was_missed(
        self, three: Cluster
    ) -> None:
        """After a heal every node learns, though the first proposer is dead."""
        n1, n2, n3 = three.nodes.values()
        for node in (n1, n2):
            node.gate(RULE(name="cut", action=RULE.CUT, source=node.id, to=3))
        n3.gate(
            RULE(name="from", action=RULE.CUT, to=3),
            RULE(name="to", action=RULE.CUT, source=3),
        )
        n1.propose(1, "apple")
        n2.wait_for("value_learned", instance=1)
        n1.kill()
        n2.gate()
        n3.gate()
        n3.wait_for("value_learned", instance=1, value="apple")

    def test_a_held_message_goes_when_it_is_released(self, shared: Cluster, instance: int) -> None:
        """It is listed meanwhile, and what a removed rule held stays held."""
        n1 = shared["n1"]
        n1.gate(RULE(name="accepts", action=RULE.HOLD, source=1, kinds=["accept"]))
        call = n1.paxos.Propose.future(
            paxos_pb2.ProposeRequest(instance=instance, value=b"apple", timeout_ms=20_000),
            timeout=PATIENCE_S,
        )
        held = n1.held(instance, 3)
        assert [(one.to, one.kind, one.rule) for one in held] == [
            (1, "accept", "accepts"),
            (2, "accept", "accepts"),
            (3, "accept", "accepts"),
        ]
        n1.gate()
        assert list(n1.held(instance, 3)) == list(held)
        n1.release(held[2].number, held[1].number)
        reply = call.result()
        assert (reply.outcome, reply.value) == (CHOSEN, b"apple")
        released = n1.events("message_released", instance=instance)
        assert [line["to"] for line in released] == ["n3", "n2"]

    def test_a_held_message_outlives_the_ballot_that_sent_it(
        self, shared: Cluster, instance: int
    ) -> None:
        """A stale Accept is refused for the rival's ballot (R1)."""
        n1, n2, _ = shared.nodes.values()
        n1.gate(RULE(name="hold", action=RULE.HOLD, source=1, to=2, kinds=["accept"]))
        n1.propose(instance, "apple")
        (held,) = n1.held(instance, 1)
        prepare(n2, instance, 40)
        n1.release(held.number)
        n2.wait_for("nack_sent", instance=instance, to="n1", ballot="1.n1", promised="40.g1")

    def test_dropped_and_delayed_messages_are_told_of(self, shared: Cluster, instance: int) -> None:
        """Loss costs a repetition, never a value."""
        n1 = shared["n1"]
        n1.gate(
            RULE(name="lossy", action=RULE.DROP, percent=50, source=1, to=2),
            RULE(name="slow", action=RULE.DELAY, delay_ms=1, delay_most_ms=5, source=3),
        )
        for number in range(instance, instance + 10):
            assert n1.propose(number, "apple", 20_000).outcome == CHOSEN
        n1.wait_for("message_dropped", rule="lossy", to="n2")
        # n3 is asked every time, and need not be in any majority: it may answer later.
        for kind in ("promise", "accepted"):
            n1.wait_for("message_delayed", rule="slow", source="n3", kind=kind)
        delayed = n1.events("message_delayed", rule="slow", source="n3")
        assert all(1 <= line["delay_ms"] <= 5 for line in delayed)

    def test_a_probe_says_how_it_ended(self, three: Cluster) -> None:
        """OK, the gate, or the status of a call to a process that is gone."""
        n1 = three["n1"]
        assert _probe(n1, 2).status == "OK"
        n1.gate(RULE(name="replies", action=RULE.CUT, source=2, to=1))
        assert _probe(n1, 2).status == "lost by a rule of the gate"
        n1.gate(RULE(name="still", action=RULE.HOLD, kinds=["probe"]))
        assert "still" in _probe(n1, 2).status
        n1.gate()
        three["n2"].kill()
        n1.wait_for("link_down", where=lambda line: "the connection is" in line["reason"])
        assert _probe(n1, 2).status == "UNAVAILABLE"


class TestControl:
    def test_info_says_who_this_is_and_what_is_in_force(
        self, shared: Cluster, instance: int
    ) -> None:
        """What the orchestrator needs before it begins a run."""
        n1 = shared["n1"]
        n1.propose(instance, "apple")
        rule = RULE(name="late", action=RULE.HOLD, to=2, first_instance=5, last_instance=9)
        n1.gate(rule)
        info = n1.control.Info(control_pb2.InfoRequest())
        assert (info.node_id, info.cluster, list(info.members)) == (1, "test", [1, 2, 3])
        assert (info.incarnation, info.highest_instance) == (1, instance)
        assert list(info.links_up) == [2, 3]
        assert list(info.gate) == [rule]
        assert info.variant == ""
        n1.wait_for("gate_changed", where=lambda line: line["rules"] and line["seq"] <= info.seq)

    def test_settings_hold_for_a_range_of_instances(self, shared: Cluster, instance: int) -> None:
        """The number scheme of one instance changes, that of the next doesn't."""
        n2 = shared["n2"]
        settings = control_pb2.Settings(number_scheme="ranges", backoff=False)
        n2.control.Configure(
            control_pb2.ConfigureRequest(
                first_instance=instance, last_instance=instance, settings=settings
            )
        )
        n2.wait_for(
            "settings_changed",
            first_instance=instance,
            settings={"number_scheme": "ranges", "backoff": False},
        )
        assert n2.propose(instance, "apple").ballot.round == 1000
        assert n2.propose(instance + 1, "apple").ballot.round == 1

    def test_control_is_not_served_where_peers_connect(self, shared: Cluster) -> None:
        """Otherwise any peer could kill any node."""
        channel = shared["n1"].channel(shared["n1"].address)
        stub = control_pb2_grpc.ControlStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Shutdown(control_pb2.ShutdownRequest(), timeout=PATIENCE_S)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    def test_clients_can_use_the_control_address(self, shared: Cluster, instance: int) -> None:
        """It is the one that no fault touches."""
        n1 = shared["n1"]
        stub = paxos_pb2_grpc.PaxosStub(n1.channel(n1.control_address))
        request = paxos_pb2.ProposeRequest(instance=instance, value=b"apple")
        assert stub.Propose(request, timeout=PATIENCE_S).outcome == CHOSEN


class TestVariants:
    def test_reply_before_write_really_replies_before_the_write(self, tmp_path: Path) -> None:
        """The promise reaches its proposer, and a kill before the write takes it back (R6)."""
        with cluster(tmp_path) as made:
            n1 = made["n1"].start("--unsafe-variant", "reply-before-write")
            assert n1.lines[0]["variant"] == "reply-before-write"
            n1.arm(ARM.BEFORE_WRITE, "prepare")
            assert prepare(n1, 1, 3).HasField("promise")
            assert n1.ended() == -signal.SIGKILL
            n1.start()
            assert prepare(n1, 1, 2, source=102).HasField("promise")

    def test_an_unknown_variant_is_named(self, tmp_path: Path) -> None:
        """Exit 2 and the list of those there are."""
        with cluster(tmp_path) as made:
            n1 = made["n1"].start(ready=False, PAXOS_UNSAFE_VARIANT="better")
            assert n1.ended() == EXIT_CONFIGURATION
            assert "PAXOS_UNSAFE_VARIANT" in n1.errors
            assert "reply-before-write" in n1.errors


class TestLimits:
    def test_a_client_that_goes_away_takes_nothing_with_it(
        self, shared: Cluster, instance: int
    ) -> None:
        """The end of its call cancels the handler; the driver is a task of its own."""
        n1 = shared["n1"]
        n1.gate(RULE(name="accepts", action=RULE.HOLD, source=1, kinds=["accept"]))
        request = paxos_pb2.ProposeRequest(instance=instance, value=b"apple")
        call = n1.paxos.Propose.future(request, timeout=PATIENCE_S)
        held = n1.held(instance, 3)
        call.cancel()
        n1.release(*(message.number for message in held))
        n1.wait_for("value_learned", instance=instance, value="apple")

    def test_no_more_clients_may_wait_than_configured(self, tmp_path: Path) -> None:
        """One more is told to come back, and the node is unharmed."""
        with cluster(tmp_path) as made:
            n1 = made["n1"].start(PAXOS_PROPOSE_LIMIT_COUNT="1")
            request = paxos_pb2.ProposeRequest(instance=1, value=b"apple", timeout_ms=20_000)
            waiting = n1.paxos.Propose.future(request, timeout=PATIENCE_S)
            n1.wait_for("propose_received")
            with pytest.raises(grpc.RpcError) as caught:
                n1.propose(1, "pear")
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            waiting.cancel()

    def test_no_more_instances_are_begun_than_configured(self, tmp_path: Path) -> None:
        """The old ones go on."""
        with cluster(tmp_path) as made:
            n1 = made["n1"].start(PAXOS_INSTANCE_LIMIT_COUNT="2")
            prepare(n1, 1, 1)
            prepare(n1, 2, 1)
            with pytest.raises(grpc.RpcError) as caught:
                prepare(n1, 3, 1)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert prepare(n1, 1, 2).HasField("promise")


def _probe(node: Node, to: int) -> control_pb2.ProbeReply:
    return node.control.Probe(
        control_pb2.ProbeRequest(to=to, timeout_ms=20_000), timeout=PATIENCE_S
    )


def _content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "lock"}


def _touched(file: Path, after_ns: int) -> int:
    """Wait until a file is newer than that; when it was touched."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            touched_ns = file.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if touched_ns > after_ns:
            return touched_ns
    raise AssertionError(f"{file} was not touched")
