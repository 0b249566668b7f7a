"""Manual mode: messages and timers of real nodes wait for a hand, and nothing else moves them."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, cast

import grpc
import pytest

from node.driver import Arrival, Driver, Reply
from node.ending import EXIT_DISK_FAILED
from node.hand import Hand as NodeHand
from node.hand import message_in, message_out
from node.log import LineName
from node.wire import control_pb2, paxos_pb2
from paxos.events import line_id
from paxos.protocol import (
    Accept,
    Accepted,
    Ballot,
    Learn,
    Learned,
    Message,
    Nack,
    Prepare,
    Promise,
    Proposal,
    Status,
)
from tests.node_cluster import PATIENCE_S, Cluster, Node, cluster, prepare

ARM: Final = control_pb2.ArmFailpointRequest
CHOSEN: Final = paxos_pb2.ProposeReply.CHOSEN
FIRST: Final = Ballot(1, 1)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    """Three nodes in manual mode, whose timers would all be due at once."""
    with cluster(
        tmp_path,
        PAXOS_UNSAFE_MANUAL="yes",
        PAXOS_PATIENCE_MS="1",
        PAXOS_LEARN_INTERVAL_MS="1",
    ) as made:
        made.start()
        yield made


class Hand:
    """Takes what nodes send; the test gives it on."""

    def __init__(self, nodes: Cluster) -> None:
        self._nodes = nodes
        self._taken: dict[str, int] = {}

    def settle(self, name: str) -> list[control_pb2.HandedMessage]:
        """All that a node has sent, once it has nothing more to do."""
        found: list[control_pb2.HandedMessage] = []
        while True:
            reply = ask_to_settle(self._nodes[name], self._taken.get(name, 0))
            found.extend(reply.messages)
            if reply.messages:
                self._taken[name] = reply.messages[-1].number
            if reply.at_rest:
                return found

    def deliver(self, message: control_pb2.HandedMessage) -> list[control_pb2.HandedMessage]:
        """Give a message to its addressee: what that sends then."""
        node = self._nodes[f"n{message.to}"]
        deliver(node, message)
        return self.settle(node.name)


def ask_to_settle(node: Node, taken: int) -> control_pb2.SettleReply:
    """One call; it may bring a part."""
    return node.control.Settle(control_pb2.SettleRequest(taken=taken), timeout=PATIENCE_S)


def deliver(node: Node, message: control_pb2.HandedMessage) -> None:
    """Give a message to a node."""
    node.control.Deliver(control_pb2.DeliverRequest(message=message), timeout=PATIENCE_S)


def kinds(messages: Sequence[control_pb2.HandedMessage]) -> list[tuple[str, int]]:
    """What these are, and for whom."""
    return [(message.kind, message.to) for message in messages]


def test_a_value_is_chosen_message_by_message(three: Cluster) -> None:
    """Each waits, a node's to itself too; each line is the one that a node always writes."""
    hand, n1 = Hand(three), three["n1"]
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(n1.propose, 1, "apple")
        n1.wait_for("propose_received", instance=1)
        prepares = hand.settle("n1")
        assert kinds(prepares) == [("prepare", 1), ("prepare", 2), ("prepare", 3)]
        promises = [*hand.deliver(prepares[1]), *hand.deliver(prepares[0])]
        assert kinds(promises) == [("promise", 1), ("promise", 1)]
        assert hand.deliver(promises[0]) == []
        accepts = hand.deliver(promises[1])
        assert kinds(accepts) == [("accept", 1), ("accept", 2), ("accept", 3)]
        replies = [*hand.deliver(accepts[1]), *hand.deliver(accepts[0])]
        assert hand.deliver(replies[0]) == []
        learns = hand.deliver(replies[1])
        assert kinds(learns) == [("learn", 2), ("learn", 3)]
        reply = asked.result(PATIENCE_S)
    assert (reply.outcome, reply.value) == (CHOSEN, b"apple")
    sent = n1.events("accept_sent", to="n2")[0]
    received = three["n2"].events("accept_received")
    assert [line["cause"] for line in received] == [line_id(sent)]
    assert not three["n3"].events("prepare_received")
    for node in three.nodes.values():
        assert not node.events("timeout_fired")
        assert not node.events("status_sent")


def test_a_message_outlives_its_sender_and_may_come_twice(three: Cluster) -> None:
    """The hand is the network: what was sent is under way, whoever has died since."""
    hand, n1, n2 = Hand(three), three["n1"], three["n2"]
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(n1.propose, 1, "apple")
        n1.wait_for("propose_received", instance=1)
        prepares = hand.settle("n1")
        n1.kill()
        with pytest.raises(grpc.RpcError):
            asked.result(PATIENCE_S)
    first, second = hand.deliver(prepares[1]), hand.deliver(prepares[1])
    assert kinds([*first, *second]) == [("promise", 1), ("promise", 1)]
    causes = [line["cause"] for line in n2.events("prepare_received")]
    assert causes == [prepares[1].line] * 2
    assert len(n2.events("state_persisted")) == 1


class Finishing:
    """A driver that answers and comes to rest in one turn of the loop, the worst one."""

    def __init__(self) -> None:
        self.at_rest = False

    def put(self, arrival: Arrival) -> None:
        """Answer in the turn in which whoever settles looks whether there is something."""
        loop = asyncio.get_running_loop()
        loop.call_soon(self._answer, arrival)

    def _answer(self, arrival: Arrival) -> None:
        assert arrival.reply is not None
        arrival.reply.set_result(Reply(Promise(1, FIRST, None), LineName("n2", 1, 7)))
        self.at_rest = True


def test_nothing_is_at_rest_before_its_answer_is_handed_over() -> None:
    """Whoever asks right after a delivery is not told that there is nothing more."""
    message = message_out(Prepare(1, FIRST))
    message.source, message.to, message.line = 1, 2, "n1/1/1"

    async def deliver_and_settle() -> tuple[list[control_pb2.HandedMessage], bool]:
        kept = NodeHand(2, (1, 2, 3))
        kept.serve(cast(Driver, Finishing()))
        kept.deliver(message)
        return await kept.settle(0)

    messages, at_rest = asyncio.run(deliver_and_settle())
    assert kinds(messages) == [("promise", 1)]
    assert not at_rest


def test_a_timer_runs_out_when_it_is_told_to(three: Cluster) -> None:
    """The patience of n1 is over: it gives up its ballot and plans another."""
    hand, n1 = Hand(three), three["n1"]
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(n1.propose, 1, "apple")
        n1.wait_for("propose_received", instance=1)
        hand.settle("n1")
        timers = {timer.timer: timer for timer in ask_to_settle(n1, 3).timers}
        fire = control_pb2.FireRequest(timer=timers["patience"])
        n1.control.Fire(fire, timeout=PATIENCE_S)
        hand.settle("n1")
        fired = n1.wait_for("timeout_fired", timer="patience")
        assert fired["reachable"] == ["n2", "n3"]
        with pytest.raises(grpc.RpcError) as again:
            n1.control.Fire(fire, timeout=PATIENCE_S)
        assert "no timer 'patience' 1 of instance 1 is set" in (again.value.details() or "")
        retry = next(t for t in ask_to_settle(n1, 3).timers if t.timer == "retry")
        n1.control.Fire(control_pb2.FireRequest(timer=retry), timeout=PATIENCE_S)
        again_asked = hand.settle("n1")
        assert {(m.kind, m.ballot.round) for m in again_asked} == {("prepare", 2)}
        n1.kill()
        with pytest.raises(grpc.RpcError):
            asked.result(PATIENCE_S)


def test_a_failpoint_waits_until_what_was_sent_is_taken(three: Cluster) -> None:
    """The reply is out, so it must not die with the process that sent it."""
    hand, n1, n2 = Hand(three), three["n1"], three["n2"]
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(n1.propose, 1, "apple")
        n1.wait_for("propose_received", instance=1)
        prepares = hand.settle("n1")
        n2.arm(ARM.AFTER_REPLY, "prepare", power=True)
        deliver(n2, prepares[1])
        promises = ask_to_settle(n2, 0).messages
        assert kinds(promises) == [("promise", 1)]
        assert not n2.events("failpoint_hit")
        with pytest.raises(grpc.RpcError):
            ask_to_settle(n2, promises[0].number)
        assert n2.ended() == -signal.SIGKILL
        assert n2.lines[-1]["event"] == "failpoint_hit"
        assert n2.lines[-1]["power"]
        assert hand.deliver(promises[0]) == []
        n1.wait_for("promise_received", source="n2")
        n1.kill()
        with pytest.raises(grpc.RpcError):
            asked.result(PATIENCE_S)


def test_a_manual_node_hears_nobody_but_the_hand(three: Cluster) -> None:
    """A stranger's message would move something."""
    with pytest.raises(grpc.RpcError) as refused:
        prepare(three["n1"], 1, 3)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert not three["n1"].events("prepare_received")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"to": 2}, "the message is for 2, not for this node"),
        ({"source": 9}, "source is 9, which is no member"),
        ({"kind": "probe"}, "no message is of the kind 'probe'"),
        ({"line": "n2/0/1"}, "line is 'n2/0/1'"),
        ({"instance": 0}, "instance is 0"),
    ],
)
def test_what_is_no_message_is_refused(
    three: Cluster, changed: dict[str, object], sentence: str
) -> None:
    """The hand may forge a message; it must be one."""
    message = control_pb2.HandedMessage(
        **{"source": 2, "to": 1, "kind": "learned", "instance": 1, "line": "n2/1/1", **changed}  # type: ignore[arg-type] # They fit by name.
    )
    with pytest.raises(grpc.RpcError) as refused:
        deliver(three["n1"], message)
    assert (refused.value.details() or "").startswith(sentence)


@pytest.mark.parametrize(
    "message",
    [
        Prepare(1, FIRST),
        Promise(1, FIRST, None),
        Promise(1, FIRST, Proposal(Ballot(0, 2), "apple")),
        Accept(1, FIRST, "apple"),
        Accepted(1, FIRST, ""),
        Nack(1, FIRST, Ballot(2, 3)),
        Learn(1, FIRST, "täglich", (1, 2)),
        Learned(1),
        Status(1),
    ],
)
def test_a_message_comes_back_as_it_went(message: Message) -> None:
    """Through the hand and back it is the same, whatever it holds."""
    assert message_in(message_out(message)) == message


def test_a_node_that_is_not_marked_unsafe_gives_nothing_away(tmp_path: Path) -> None:
    """Neither messages nor timers nor syncs: every such call is refused."""
    with cluster(tmp_path) as made:
        control = made["n1"].start().control
        for call, request in (
            (control.Settle, control_pb2.SettleRequest()),
            (control.Deliver, control_pb2.DeliverRequest()),
            (control.Fire, control_pb2.FireRequest()),
            (control.FailDisk, control_pb2.FailDiskRequest()),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                call(request, timeout=PATIENCE_S)  # type: ignore[arg-type] # Each takes its own.
            assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert "was not started with PAXOS_UNSAFE_" in (refused.value.details() or "")


def test_a_sync_that_fails_ends_the_node(tmp_path: Path) -> None:
    """It is never tried again, and no reply speaks of what it was to bring to the disk."""
    with cluster(tmp_path, PAXOS_UNSAFE_FAULTS="yes") as made:
        n1 = made["n1"].start()
        assert prepare(n1, 1, 3).HasField("promise")
        n1.control.FailDisk(
            control_pb2.FailDiskRequest(fault=control_pb2.FailDiskRequest.FAIL_SYNC),
            timeout=PATIENCE_S,
        )
        with pytest.raises(grpc.RpcError):
            prepare(n1, 1, 5)
        assert n1.ended() == EXIT_DISK_FAILED
        assert not n1.events("promise_sent", ballot="5.g1")


def test_a_torn_record_is_cut_off_at_the_next_start(tmp_path: Path) -> None:
    """Nobody was told of it: the node tells that it cuts it, and goes on with what was synced."""
    with cluster(tmp_path, PAXOS_UNSAFE_FAULTS="yes") as made:
        n1 = made["n1"].start()
        assert prepare(n1, 1, 3).HasField("promise")
        n1.control.FailDisk(
            control_pb2.FailDiskRequest(fault=control_pb2.FailDiskRequest.TEAR),
            timeout=PATIENCE_S,
        )
        n1.arm(ARM.BEFORE_SYNC, "prepare", power=True)
        with pytest.raises(grpc.RpcError):
            prepare(n1, 1, 5)
        assert n1.ended() == -signal.SIGKILL
        n1.start()
        assert n1.wait_for("tail_cut")["bytes"] == 1
        assert n1.wait_for("state_recovered", instance=1)["promised"] == "3.g1"
