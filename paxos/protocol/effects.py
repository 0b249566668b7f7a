"""What a handler asks its driver to do, and what a driver may put in.

A handler returns the next state and a list of effects. The driver carries
them out **in list order**. A ``Persist`` with ``sync`` is done when the sync
has returned, and only then may the effects behind it begin: "an acceptor
records its intended response in stable storage before actually sending the
response" ("Paxos Made Simple" §2.5). A crash may cut the list anywhere.
"""

from dataclasses import dataclass
from enum import StrEnum

from paxos.protocol.ballot import Ballot, NodeId, Proposal
from paxos.protocol.messages import Message


class Timer(StrEnum):
    """What a timer is for. A driver keeps one per (instance, timer, token)."""

    PATIENCE = "patience"
    """A proposer has waited long enough for a quorum. Token: the ballot's round."""
    RETRY = "retry"
    """A proposer's back-off is over. Token: 0."""
    GIVE_UP = "give_up"
    """A client's time is up. Token: the number of its request."""
    RESEND = "resend"
    """Some peer has not answered a Learn. Token: 0."""
    ASK = "ask"
    """Time to ask the peers what they know. Token: 0."""
    OWN_BALLOT = "own_ballot"
    """Nobody knows: time to find out by a ballot of one's own. Token: 0."""


class Outcome(StrEnum):
    """How a client's wish ended. ``FAILED`` is definite, ``UNKNOWN`` is not."""

    CHOSEN = "chosen"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AcceptorRecord:
    """The whole memory of an acceptor: ``maxBal``, ``maxVBal`` and ``maxVal`` of ``Paxos.tla``."""

    instance: int
    promised: Ballot
    accepted: Proposal | None


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """The highest round that this node's proposer may have used in the instance."""

    instance: int
    round: int


@dataclass(frozen=True, slots=True)
class LearnedRecord:
    """A learned value with its evidence. Losing it costs only asking again."""

    instance: int
    ballot: Ballot
    value: str
    acceptors: tuple[NodeId, ...]


Record = AcceptorRecord | RoundRecord | LearnedRecord


@dataclass(frozen=True, slots=True)
class Persist:
    """Write a record. With ``sync``, do nothing further of this list before it is durable."""

    record: Record
    sync: bool = True


@dataclass(frozen=True, slots=True)
class Send:
    """Hand a message to the transport; it may be lost, delayed or repeated on its way.

    ``to`` may be the node itself: such a message takes the same way through
    queue and gate as any other.
    """

    to: NodeId
    message: Message


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Feed ``on_timeout`` after ``least_ms`` to ``most_ms``, as chance has it.

    Chance is the driver's. A timer that is set again runs anew.
    """

    instance: int
    timer: Timer
    token: int
    least_ms: int
    most_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Drop a timer if it is running."""

    instance: int
    timer: Timer
    token: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a client's ``Propose``, once per request.

    ``learned`` is the chosen value, or ``None`` unless ``outcome`` is CHOSEN.
    It may be another's than ``wanted``: a client must be told which.
    """

    instance: int
    request: int
    outcome: Outcome
    wanted: str
    learned: Proposal | None
    reason: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """The input changes nothing, for this reason. For the log; there is nothing to do.

    Two exceptions, neither of them due to a message: the plan of an own
    ballot is dropped when they are off, and what a proposer pursued, when no
    number is left for it and no client waits.
    """

    reason: str


Effect = Persist | Send | SetTimer | CancelTimer | Answer | Ignore


@dataclass(frozen=True, slots=True)
class Received:
    """Input: a message from ``source`` (a member, a guest, or the node itself).

    ``answer`` tells that a ``Learn`` came as the answer to a ``Status``: then
    nobody waits for it to be confirmed.
    """

    source: NodeId
    message: Message
    answer: bool = False


@dataclass(frozen=True, slots=True)
class ProposeRequested:
    """Input: a client wishes that ``value`` be chosen, and waits for ``timeout_ms``.

    ``request`` is a number that the driver uses once per incarnation.
    """

    instance: int
    request: int
    value: str
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class TimeoutFired:
    """Input: a timer ran out. ``reachable`` are the peers whose link is up, sorted."""

    instance: int
    timer: Timer
    token: int
    reachable: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Input: the link to ``peer`` is ready (again)."""

    instance: int
    peer: NodeId


@dataclass(frozen=True, slots=True)
class Started:
    """Input: the node has recovered the instance from its disk and serves now."""

    instance: int


Input = Received | ProposeRequested | TimeoutFired | LinkUp | Started
