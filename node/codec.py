"""The border between the wire and the core.

What comes in is either a message that a correct peer could have sent, in the
core's own types, or a :class:`WireError` whose text says what is wrong with
it; the core never meets anything else. What goes out is never checked: it
comes from the core.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message as Protobuf

from node.log import LineName
from node.wire import paxos_pb2 as wire
from paxos.protocol import (
    GUESTS,
    Accept,
    Accepted,
    Answer,
    Ballot,
    Instance,
    Learn,
    Learned,
    LearnedRecord,
    Message,
    Nack,
    NodeId,
    Outcome,
    Prepare,
    Promise,
    Proposal,
    Status,
    majority,
    node_name,
)

VALUE_LIMIT_BYTES: Final = 64 * 1024
"""The longest value. Part of the wire contract: all nodes must agree on it."""

NUMBER_LIMIT: Final = 2**53 - 1
"""The highest instance, round or line: those who read the log may count in doubles."""

SKIP_LIMIT_COUNT: Final = 1000
"""How many ranges a ``Status`` may ask to leave out."""

_OUTCOMES: Final = {
    Outcome.CHOSEN: wire.ProposeReply.CHOSEN,
    Outcome.FAILED: wire.ProposeReply.FAILED,
    Outcome.UNKNOWN: wire.ProposeReply.UNKNOWN,
}


class WireError(Exception):
    """A message that no correct peer sends; the text says why.

    Attributes:
        rule: a short name of the rule that is broken. There are few of them,
            whatever a stranger sends: refusals are counted by it.
    """

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the protocol, with its sender and the line that sent it."""

    source: NodeId
    message: Message
    cause: LineName | None


@dataclass(frozen=True, slots=True)
class Wish:
    """A client's ``Propose``."""

    instance: int
    value: str
    timeout_ms: int
    cause: LineName | None


@dataclass(frozen=True, slots=True)
class Question:
    """A ``Status`` request.

    Attributes:
        source: who asks; 0 is a client.
        instance: what about; 0 is every instance.
        after: only instances above this one.
        skip: ranges that need not be answered, in order and apart.
        cause: the line that sent it.
    """

    source: NodeId
    instance: int
    after: int
    skip: tuple[tuple[int, int], ...]
    cause: LineName | None

    def wants(self, instance: int) -> bool:
        """Whether an instance should be in the answer."""
        if instance <= self.after or self.instance not in (0, instance):
            return False
        # The last range that begins at or before the instance.
        place = bisect_right(self.skip, instance, key=lambda skipped: skipped[0]) - 1
        return place < 0 or self.skip[place][1] < instance


@dataclass(frozen=True, slots=True)
class Answered:
    """A message that came in a reply, and the line that sent it."""

    message: Message
    cause: LineName | None


class Codec:
    """Reads and writes messages as one node of one cluster sees them.

    Args:
        node_id: whose border this is.
        members: the acceptors of the cluster.
    """

    def __init__(self, node_id: NodeId, members: tuple[NodeId, ...]) -> None:
        self._node_id = node_id
        self._members = members

    # --- requests that come in ------------------------------------------------

    def asked(self, request: wire.PrepareRequest | wire.AcceptRequest | wire.LearnRequest) -> Asked:
        """Read a request of the protocol.

        Raises:
            WireError: it is none that a correct peer sends.
        """
        instance = _instance(request.instance)
        source = self._source(request.source)
        cause = _line(request, source)
        match request:
            case wire.PrepareRequest():
                ballot = self._own_ballot(request, source)
                return Asked(source, Prepare(instance, ballot), cause)
            case wire.AcceptRequest():
                ballot = self._own_ballot(request, source)
                value = _value(request.value)
                return Asked(source, Accept(instance, ballot, value), cause)
            case wire.LearnRequest():
                return Asked(source, self._learn(instance, request), cause)

    def wish(self, request: wire.ProposeRequest, default_timeout_ms: int, most_ms: int) -> Wish:
        """Read a client's wish.

        Args:
            request: what came in.
            default_timeout_ms: for a client that names no timeout.
            most_ms: the longest timeout that is allowed.

        Raises:
            WireError: it can't be carried out.
        """
        if request.timeout_ms > most_ms:
            raise WireError(
                "timeout too long",
                f"timeout_ms is {request.timeout_ms}; a client waits {most_ms} at most",
            )
        return Wish(
            _instance(request.instance),
            _value(request.value),
            request.timeout_ms or default_timeout_ms,
            _line(request, 0),
        )

    def question(self, request: wire.StatusRequest) -> Question:
        """Read a ``Status`` request.

        Raises:
            WireError: it is malformed.
        """
        source = request.source
        if source and (source not in self._members or source == self._node_id):
            raise WireError(
                "unknown node",
                f"source is {source}: a node that asks is a peer of this one, "
                f"{self._peers()}; a client leaves source out",
            )
        if request.instance:
            _instance(request.instance)
        if request.after > NUMBER_LIMIT:
            raise WireError("instance out of range", f"after is {request.after}, above 2^53 - 1")
        if len(request.skip) > SKIP_LIMIT_COUNT:
            raise WireError(
                "too many ranges",
                f"skip names {len(request.skip)} ranges; {SKIP_LIMIT_COUNT} are allowed",
            )
        for skipped in request.skip:
            if not 1 <= skipped.first <= skipped.last <= NUMBER_LIMIT:
                raise WireError(
                    "impossible range",
                    f"skip names {skipped.first} to {skipped.last}: a range begins at 1 or "
                    "later and doesn't end before it begins",
                )
        skip = _merged((skipped.first, skipped.last) for skipped in request.skip)
        cause = _line(request, source) if source else None
        return Question(source, request.instance, request.after, skip, cause)

    # --- replies that go out --------------------------------------------------

    @staticmethod
    def prepare_reply(message: Message, line: LineName) -> wire.PrepareReply:
        """What answers a ``Prepare``."""
        match message:
            case Promise():
                promise = wire.Promise(
                    ballot=_ballot_out(message.ballot),
                    accepted=_proposal_out(message.accepted),
                )
                return wire.PrepareReply(promise=promise, line=_line_out(line))
            case Nack():
                return wire.PrepareReply(nack=_nack_out(message), line=_line_out(line))
            case _:
                raise AssertionError(f"{message} answers no Prepare")

    @staticmethod
    def accept_reply(message: Message, line: LineName) -> wire.AcceptReply:
        """What answers an ``Accept``."""
        match message:
            case Accepted(_, ballot, value):
                accepted = wire.Accepted(ballot=_ballot_out(ballot), value=value.encode())
                return wire.AcceptReply(accepted=accepted, line=_line_out(line))
            case Nack():
                return wire.AcceptReply(nack=_nack_out(message), line=_line_out(line))
            case _:
                raise AssertionError(f"{message} answers no Accept")

    @staticmethod
    def learn_reply(message: Message, line: LineName) -> wire.LearnReply:
        """What answers a ``Learn``."""
        assert isinstance(message, Learned), f"{message} answers no Learn"
        return wire.LearnReply(line=_line_out(line))

    @staticmethod
    def learned_status(message: Message, line: LineName) -> wire.InstanceStatus:
        """What answers a node's ``Status`` about one instance."""
        assert isinstance(message, Learn), f"{message} answers no Status"
        return wire.InstanceStatus(
            instance=message.instance,
            learned=_learned_out(message),
            line=_line_out(line),
        )

    @staticmethod
    def memory_status(instance: Instance) -> wire.InstanceStatus:
        """What answers a client's ``Status`` about one instance: all that memory holds."""
        known = instance.learner.learned
        return wire.InstanceStatus(
            instance=instance.config.instance,
            promised=_ballot_out(instance.acceptor.promised),
            accepted=_proposal_out(instance.acceptor.accepted),
            learned=None if known is None else _learned_out(known),
        )

    @staticmethod
    def propose_reply(answer: Answer) -> wire.ProposeReply:
        """What answers a client's ``Propose``."""
        chosen = answer.learned
        if chosen is None:
            return wire.ProposeReply(outcome=_OUTCOMES[answer.outcome], reason=answer.reason)
        return wire.ProposeReply(
            outcome=_OUTCOMES[answer.outcome],
            yours=chosen.value == answer.wanted,
            value=chosen.value.encode(),
            ballot=_ballot_out(chosen.ballot),
            reason=answer.reason,
        )

    # --- requests that go out -------------------------------------------------

    def request(
        self, message: Message, line: LineName
    ) -> wire.PrepareRequest | wire.AcceptRequest | wire.LearnRequest | wire.StatusRequest:
        """What carries a request of the core to a peer."""
        match message:
            case Prepare(instance, ballot):
                return wire.PrepareRequest(
                    instance=instance,
                    source=self._node_id,
                    ballot=_ballot_out(ballot),
                    line=_line_out(line),
                )
            case Accept(instance, ballot, value):
                return wire.AcceptRequest(
                    instance=instance,
                    source=self._node_id,
                    ballot=_ballot_out(ballot),
                    value=value.encode(),
                    line=_line_out(line),
                )
            case Learn(instance, ballot, value, acceptors):
                return wire.LearnRequest(
                    instance=instance,
                    source=self._node_id,
                    ballot=_ballot_out(ballot),
                    value=value.encode(),
                    acceptors=acceptors,
                    line=_line_out(line),
                )
            case Status(instance):
                return self.status_request(line, instance=instance)
            case _:
                raise AssertionError(f"{message} is a reply and belongs to a request")

    def status_request(
        self,
        line: LineName,
        *,
        instance: int = 0,
        after: int = 0,
        skip: Iterable[tuple[int, int]] = (),
    ) -> wire.StatusRequest:
        """A node's question what its peer has learned."""
        return wire.StatusRequest(
            instance=instance,
            after=after,
            skip=[wire.InstanceRange(first=first, last=last) for first, last in skip],
            source=self._node_id,
            line=_line_out(line),
        )

    # --- replies that come in -------------------------------------------------

    def answers(self, asked: Message, source: NodeId, reply: Protobuf) -> list[Answered]:
        """Read a peer's reply.

        Args:
            asked: the request that it answers.
            source: the peer.
            reply: what came back.

        Raises:
            WireError: it is none that a correct peer sends.
        """
        instance = asked.instance
        match reply:
            case wire.PrepareReply():
                cause = _line(reply, source)
                if reply.WhichOneof("reply") == "promise":
                    accepted = None
                    if reply.promise.HasField("accepted"):
                        accepted = Proposal(
                            self._ballot(reply.promise.accepted),
                            _value(reply.promise.accepted.value),
                        )
                    ballot = self._ballot(reply.promise)
                    return [Answered(Promise(instance, ballot, accepted), cause)]
                return [Answered(self._nack(instance, reply), cause)]
            case wire.AcceptReply():
                cause = _line(reply, source)
                if reply.WhichOneof("reply") == "accepted":
                    ballot = self._ballot(reply.accepted)
                    value = _value(reply.accepted.value)
                    return [Answered(Accepted(instance, ballot, value), cause)]
                return [Answered(self._nack(instance, reply), cause)]
            case wire.LearnReply():
                return [Answered(Learned(instance), _line(reply, source))]
            case wire.StatusReply():
                return self.learned_answers(source, reply)
            case _:
                raise AssertionError(f"no reply of the protocol: {type(reply)}")

    def learned_answers(self, source: NodeId, reply: wire.StatusReply) -> list[Answered]:
        """Read the learned values out of a peer's answer to a ``Status``.

        Raises:
            WireError: it is none that a correct peer sends.
        """
        return [
            Answered(
                self._learn(_instance(status.instance), status.learned),
                _line(status, source),
            )
            for status in reply.instances
            if status.HasField("learned")
        ]

    # --- pieces ---------------------------------------------------------------

    def _peers(self) -> str:
        return ", ".join(str(node) for node in self._members if node != self._node_id)

    def _source(self, source: NodeId) -> NodeId:
        if source == self._node_id:
            raise WireError(
                "own id", f"source is {source}: {node_name(source)} is this node itself"
            )
        if source not in self._members and source not in GUESTS:
            raise WireError(
                "unknown node",
                f"source is {source}: it must be a peer of this node, {self._peers()}, "
                f"or a guest, {GUESTS[0]} to {GUESTS[-1]}",
            )
        return source

    def _ballot(
        self,
        holder: wire.PrepareRequest
        | wire.AcceptRequest
        | wire.LearnRequest
        | wire.LearnedValue
        | wire.Promise
        | wire.Accepted
        | wire.Nack
        | wire.Proposal,
    ) -> Ballot:
        if not holder.HasField("ballot"):
            raise WireError("no ballot", "ballot is missing")
        return self._checked_ballot(holder.ballot)

    def _checked_ballot(self, ballot: wire.Ballot) -> Ballot:
        if ballot.round > NUMBER_LIMIT:
            raise WireError("impossible ballot", f"ballot.round is {ballot.round}, above 2^53 - 1")
        if ballot.node_id not in self._members and ballot.node_id not in GUESTS:
            raise WireError(
                "impossible ballot",
                f"ballot.node_id is {ballot.node_id}: neither a member of this cluster nor a guest",
            )
        return Ballot(ballot.round, ballot.node_id)

    def _own_ballot(
        self, request: wire.PrepareRequest | wire.AcceptRequest, source: NodeId
    ) -> Ballot:
        ballot = self._ballot(request)
        if ballot.node_id != source:
            raise WireError(
                "another's ballot",
                f"ballot {ballot} belongs to {node_name(ballot.node_id)}, and "
                f"{node_name(source)} asks: a proposer uses ballots of its own only",
            )
        return ballot

    def _nack(self, instance: int, reply: wire.PrepareReply | wire.AcceptReply) -> Nack:
        if reply.WhichOneof("reply") != "nack":
            raise WireError("empty reply", "the reply holds no answer")
        ballot = self._ballot(reply.nack)
        return Nack(instance, ballot, self._checked_ballot(reply.nack.promised))

    def _learn(self, instance: int, learned: wire.LearnRequest | wire.LearnedValue) -> Learn:
        ballot = self._ballot(learned)
        value = _value(learned.value)
        acceptors = tuple(sorted(set(learned.acceptors)))
        if len(acceptors) != len(learned.acceptors):
            raise WireError("no quorum", "acceptors names one acceptor twice")
        strangers = [node for node in acceptors if node not in self._members]
        if strangers:
            raise WireError(
                "no quorum",
                f"acceptors names {strangers[0]}, which is no acceptor of this cluster",
            )
        quorum = majority(len(self._members))
        if len(acceptors) < quorum:
            raise WireError(
                "no quorum",
                f"acceptors names {len(acceptors)} of {len(self._members)}; "
                f"a quorum of {quorum} must have accepted the value",
            )
        return Learn(instance, ballot, value, acceptors)


def _instance(number: int) -> int:
    if not 1 <= number <= NUMBER_LIMIT:
        raise WireError(
            "instance out of range",
            f"instance is {number}: instances count from 1 to 2^53 - 1",
        )
    return number


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _value(data: bytes) -> str:
    if len(data) > VALUE_LIMIT_BYTES:
        raise WireError(
            "value too long",
            f"value has {len(data)} bytes; the most is {VALUE_LIMIT_BYTES} (64 KiB)",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError(
            "value is no text",
            f"value is not UTF-8: {error.reason} at byte {error.start}",
        ) from error


def _line(
    holder: wire.PrepareRequest
    | wire.AcceptRequest
    | wire.LearnRequest
    | wire.ProposeRequest
    | wire.StatusRequest
    | wire.PrepareReply
    | wire.AcceptReply
    | wire.LearnReply
    | wire.InstanceStatus,
    source: NodeId,
) -> LineName | None:
    """The line that sent a message; ``source`` 0 is the orchestrator as a client."""
    # A guest keeps no log: a line that it names is nowhere to be found.
    if not holder.HasField("line") or source in GUESTS:
        return None
    incarnation, seq = holder.line.incarnation, holder.line.seq
    if incarnation < 1 or not 1 <= seq <= NUMBER_LIMIT:
        raise WireError(
            "impossible line",
            f"line is {incarnation}/{seq}: incarnations and lines count from 1",
        )
    return LineName(node_name(source) if source else "orchestrator", incarnation, seq)


def _line_out(line: LineName) -> wire.LogLine:
    return wire.LogLine(incarnation=line.incarnation, seq=line.seq)


def _ballot_out(ballot: Ballot) -> wire.Ballot:
    return wire.Ballot(round=ballot.round, node_id=ballot.node_id)


def _proposal_out(proposal: Proposal | None) -> wire.Proposal | None:
    if proposal is None:
        return None
    return wire.Proposal(ballot=_ballot_out(proposal.ballot), value=proposal.value.encode())


def _nack_out(nack: Nack) -> wire.Nack:
    return wire.Nack(ballot=_ballot_out(nack.ballot), promised=_ballot_out(nack.promised))


def _learned_out(known: Learn | LearnedRecord) -> wire.LearnedValue:
    return wire.LearnedValue(
        ballot=_ballot_out(known.ballot),
        value=known.value.encode(),
        acceptors=known.acceptors,
    )
