"""Manual mode: nothing moves by itself, the orchestrator is the network and the clock.

Every message that the core sends, one to this very node included, is kept
until the orchestrator has taken it (``Settle``), and comes to its addressee
when the orchestrator says so (``Deliver``). Every timer that the core sets
waits for ``Fire``. No call is open while a message waits, and one that was
taken outlives this process. So a schedule can be played on real nodes, line
by line as the explorer found it; and who can inject can forge, which is why a
node does this only when it is marked unsafe.

The driver sees a transport like any other: it writes the same lines, and a
reply reaches the core whenever the hand delivers it, once, twice or never.
"""

import asyncio
import contextlib
import re
from typing import Final

from node.codec import NUMBER_LIMIT, WireError
from node.driver import Arrival, Driver, Reply
from node.log import LineName
from node.wire import control_pb2 as wire
from node.wire import paxos_pb2
from paxos.protocol import (
    Accept,
    Accepted,
    Ballot,
    Learn,
    Learned,
    Message,
    Nack,
    NodeId,
    Prepare,
    Promise,
    Proposal,
    Received,
    Status,
    Timer,
)
from paxos.recorder import message_kind

_LINE: Final = re.compile(r"(n[1-9][0-9]*)/([1-9][0-9]*)/([1-9][0-9]*)")
_REQUESTS: Final = (Prepare, Accept, Learn, Status)


class Hand:
    """What the core has sent and the orchestrator has not taken yet; the way in for both.

    Implements :class:`node.driver.Transport`.

    Args:
        node_id: this node.
        members: the acceptors of the cluster.
    """

    def __init__(self, node_id: NodeId, members: tuple[NodeId, ...]) -> None:
        self._node_id = node_id
        self._members = members
        self._driver: Driver | None = None
        self._sent_count = 0
        self._sent: dict[int, tuple[wire.HandedMessage, asyncio.Future[None]]] = {}
        self._news = asyncio.Event()

    def serve(self, driver: Driver) -> None:
        """Say who takes what is delivered."""
        self._driver = driver

    def reachable(self) -> tuple[NodeId, ...]:
        """All other members: the hand reaches everybody."""
        return tuple(member for member in self._members if member != self._node_id)

    def send(self, to: NodeId, message: Message, line: LineName) -> asyncio.Future[None]:
        """Keep a message for the orchestrator.

        Returns:
            Done when it has taken it.
        """
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keep(to, message, line, taken, answer=False)
        return taken

    async def settled(self) -> None:
        """Return once the orchestrator has taken all that was sent."""
        # An answer is kept in the turn of the loop after the one that made it.
        await asyncio.sleep(0)
        while self._sent:
            await asyncio.wait([taken for _, taken in self._sent.values()])

    async def settle(self, taken: int) -> tuple[list[wire.HandedMessage], bool]:
        """Hand over what was not taken; wait until there is some, or nothing is left to do.

        Args:
            taken: the number of the last message that the orchestrator has.

        Returns:
            The messages, in the order in which they were sent, and whether
            the core is at rest and has sent nothing that was not taken.
        """
        driver = self._the_driver
        for number in [number for number in self._sent if number <= taken]:
            _, future = self._sent.pop(number)
            future.set_result(None)
        # Whoever waited for that has its turn first: a failpoint, say.
        await asyncio.sleep(0)
        self._news.clear()
        if not self._sent and not driver.at_rest:
            ends = [asyncio.ensure_future(wait) for wait in (self._news.wait(), driver.rest())]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        # An answer is kept in the turn of the loop after the one that made it.
        await asyncio.sleep(0)
        messages = [message for message, _ in self._sent.values()]
        return messages, driver.at_rest and not messages

    def deliver(self, handed: wire.HandedMessage) -> None:
        """Give a message to the core; returns before its effects are carried out.

        Raises:
            WireError: it is no message to this node.
        """
        if handed.to != self._node_id:
            raise WireError("not ours", f"the message is for {handed.to}, not for this node")
        if handed.source not in self._members:
            raise WireError("unknown node", f"source is {handed.source}, which is no member")
        message, cause = message_in(handed), _line_in(handed.line)
        arrival = Arrival(Received(handed.source, message, answer=handed.answer), cause)
        if isinstance(message, _REQUESTS):
            loop = asyncio.get_running_loop()
            arrival.reply, arrival.left = loop.create_future(), loop.create_future()
            arrival.reply.add_done_callback(
                lambda reply: self._keep_reply(arrival, message, reply.result())
            )
        self._the_driver.put(arrival)

    def fire(self, instance: int, timer: str, token: int) -> None:
        """Let a timer run out.

        Raises:
            WireError: it is not set.
        """
        with contextlib.suppress(ValueError):
            if self._the_driver.fire(instance, Timer(timer), token):
                return
        raise WireError("no timer", f"no timer {timer!r} {token} of instance {instance} is set")

    @property
    def timers(self) -> list[wire.HandedTimer]:
        """The timers that are set, in the order in which they were set."""
        return [
            wire.HandedTimer(instance=instance, timer=timer, token=token)
            for instance, timer, token in self._the_driver.waiting_timers
        ]

    @property
    def _the_driver(self) -> Driver:
        assert self._driver is not None, "the driver is there before any message"
        return self._driver

    def _keep_reply(self, arrival: Arrival, request: Message, reply: Reply) -> None:
        assert isinstance(arrival.given, Received), "only messages are answered"
        assert arrival.left is not None, "who asked waits for the answer to leave"
        if reply.message is None or reply.line is None:
            arrival.left.set_result(None)
            return
        to, answer = arrival.given.source, isinstance(request, Status)
        self._keep(to, reply.message, reply.line, arrival.left, answer=answer)

    def _keep(
        self,
        to: NodeId,
        message: Message,
        line: LineName,
        taken: asyncio.Future[None],
        *,
        answer: bool,
    ) -> None:
        self._sent_count += 1
        handed = message_out(message)
        handed.number, handed.line, handed.answer = self._sent_count, str(line), answer
        handed.source, handed.to = self._node_id, to
        self._sent[self._sent_count] = (handed, taken)
        self._news.set()


def message_out(message: Message) -> wire.HandedMessage:
    """A message of the core as the hand has it, without its way."""
    handed = wire.HandedMessage(kind=message_kind(message), instance=message.instance)
    match message:
        case Prepare(_, ballot):
            handed.ballot.CopyFrom(_ballot_out(ballot))
        case Promise(_, ballot, accepted):
            handed.ballot.CopyFrom(_ballot_out(ballot))
            if accepted is not None:
                handed.accepted.ballot.CopyFrom(_ballot_out(accepted.ballot))
                handed.accepted.value = accepted.value.encode()
        case Accept(_, ballot, value) | Accepted(_, ballot, value):
            handed.ballot.CopyFrom(_ballot_out(ballot))
            handed.value = value.encode()
        case Nack(_, ballot, promised):
            handed.ballot.CopyFrom(_ballot_out(ballot))
            handed.promised.CopyFrom(_ballot_out(promised))
        case Learn(_, ballot, value, acceptors):
            handed.ballot.CopyFrom(_ballot_out(ballot))
            handed.value = value.encode()
            handed.acceptors.extend(acceptors)
        case Learned() | Status():
            pass
    return handed


def message_in(handed: wire.HandedMessage) -> Message:
    """A message of the core from what the hand has.

    Whether a correct node would have sent it is not asked: a broken one did.

    Raises:
        WireError: it is no message at all.
    """
    instance, ballot, value = handed.instance, _ballot_in(handed.ballot), _text(handed.value)
    if not 1 <= instance <= NUMBER_LIMIT:
        raise WireError("instance out of range", f"instance is {instance}")
    match handed.kind:
        case "prepare":
            return Prepare(instance, ballot)
        case "promise":
            accepted = None
            if handed.HasField("accepted"):
                pair = handed.accepted
                accepted = Proposal(_ballot_in(pair.ballot), _text(pair.value))
            return Promise(instance, ballot, accepted)
        case "accept":
            return Accept(instance, ballot, value)
        case "accepted":
            return Accepted(instance, ballot, value)
        case "nack":
            return Nack(instance, ballot, _ballot_in(handed.promised))
        case "learn":
            return Learn(instance, ballot, value, tuple(handed.acceptors))
        case "learned":
            return Learned(instance)
        case "status":
            return Status(instance)
        case kind:
            raise WireError("no message", f"no message is of the kind {kind!r}")


def _ballot_out(ballot: Ballot) -> paxos_pb2.Ballot:
    return paxos_pb2.Ballot(round=ballot.round, node_id=ballot.node_id)


def _ballot_in(ballot: paxos_pb2.Ballot) -> Ballot:
    if ballot.round > NUMBER_LIMIT:
        raise WireError("impossible ballot", f"ballot.round is {ballot.round}, above 2^53 - 1")
    return Ballot(ballot.round, ballot.node_id)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError("value is no text", f"value is not UTF-8: {error.reason}") from error


def _line_in(text: str) -> LineName | None:
    """The line that sent a message, which no handed message lacks."""
    match = _LINE.fullmatch(text)
    if match is None:
        raise WireError("impossible line", f"line is {text!r}: it must be as n1/2/417")
    return LineName(match[1], int(match[2]), int(match[3]))
