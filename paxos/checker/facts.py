"""What a rule found on the way to its verdict, for whoever asks why.

A rule hands a :class:`Fact` out for each thing that it judged and found in
order, if it was given somebody to tell. It makes them of what it judges by:
there is no second logic. What is *not* in order is a violation, which says
for itself why. :mod:`paxos.checker.why` turns both into sentences.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paxos.checker.history import Chosen, Durable, Pair
from paxos.events import Line


@dataclass(frozen=True, slots=True)
class Refused:
    """R1, at a ``nack_sent``: what the acceptor is bound by.

    Attributes:
        reply: its reply at the highest ballot, if it has sent one.
        disk: what its disk held, as far as the log has told.
    """

    reply: Line | None
    disk: Durable | None


@dataclass(frozen=True, slots=True)
class Reported:
    """R2, at a ``promise_sent``: the line by which the reported pair was accepted."""

    accepted: Line | None


@dataclass(frozen=True, slots=True)
class Begun:
    """R3, at the first ``prepare_sent`` of a ballot.

    Attributes:
        before: the first use of the highest ballot that the node used before, if any.
    """

    before: Line | None


@dataclass(frozen=True, slots=True)
class Outbid:
    """R3, at a ``nack_received``: where the higher ballot was begun, if the log shows it."""

    begun: Line | None


@dataclass(frozen=True, slots=True)
class Justified:
    """R4, at the first ``accept_sent`` of a ballot: what its proposer may push.

    Attributes:
        node: the proposer.
        promises: by acceptor, the Promise of this ballot that counts, as received
            (as sent, where the proposer keeps no log).
        allowed: the pairs that some quorum's reports dictate, highest first, each
            with the acceptors that make up that quorum.
        free: the acceptors that reported nothing, where they are a quorum.
    """

    node: str
    promises: Mapping[str, Sequence[Line]]
    allowed: Mapping[Pair, tuple[str, ...]]
    free: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learnt:
    """R5, at a ``value_learned`` or ``state_recovered``: the quorum's acceptances.

    Attributes:
        known: what was learned, with its ``ballot``, ``value`` and ``acceptors``.
        acceptances: by acceptor; those that the log does not show are left out.
    """

    known: Line
    acceptances: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class OnDisk:
    """R6 (a), at a reply: the record that held what it states."""

    record: Line | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """R6 (b), at what a start or the runner read from a disk: the last record before."""

    back: Durable
    record: Durable | None


@dataclass(frozen=True, slots=True)
class OneChosen:
    """Agreement, at the moment of a choice."""

    chosen: Chosen


@dataclass(frozen=True, slots=True)
class Wished:
    """Validity, at the first line that knows of a chosen value: the client's wish."""

    wish: Line
    value: str | Line


Found = (
    Refused
    | Reported
    | Begun
    | Outbid
    | Justified
    | Learnt
    | OnDisk
    | Recovered
    | OneChosen
    | Wished
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a rule found in order.

    Attributes:
        rule: its short name.
        instance: the number of the instance.
        line: where.
        found: what.
    """

    rule: str
    instance: int
    line: Line
    found: Found


Tell = Callable[[Fact], None]
"""Takes the facts, in whatever order the rules come upon them."""
