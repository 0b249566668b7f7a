"""Ballots (proposal numbers) and the three schemes that choose the next one.

A ballot is a pair, ordered by round and then by node, so two proposers never
share one ("different proposers choose their numbers from disjoint sets of
numbers", "Paxos Made Simple" §2.5). A scheme only chooses the next *round*;
ballots are compared in one way whatever the scheme.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

NodeId = int
"""1 to 99 for members, 101 to 109 for guests (proposers without an acceptor)."""

GUESTS: Final = range(101, 110)
RANGE_SIZE: Final = 1000
"""How many rounds a proposer owns under :attr:`NumberScheme.RANGES`."""
MOST_ROUND: Final = 2**53 - 1
"""The highest round: who reads the log may count in doubles."""


def node_name(node_id: NodeId) -> str:
    """How a node is shown: 5 is ``n5``, 101 is the guest ``g1``."""
    return f"g{node_id - 100}" if node_id in GUESTS else f"n{node_id}"


@dataclass(frozen=True, slots=True, order=True)
class Ballot:
    """A proposal number: unique to its proposer, totally ordered, never reused."""

    round: int
    node_id: NodeId

    ZERO: ClassVar["Ballot"]

    def __post_init__(self) -> None:
        assert self.round >= 0, f"a round counts from 0, not {self.round}"
        assert self.node_id >= 0, f"a node id is not negative: {self.node_id}"

    def __str__(self) -> str:
        return f"{self.round}.{node_name(self.node_id)}"


Ballot.ZERO = Ballot(0, 0)
"""Below every ballot that a proposer can use: "no promise yet"."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value bound to a ballot."""

    ballot: Ballot
    value: str


class NumberScheme(StrEnum):
    """How a proposer chooses its next round. All three are safe; one is not live."""

    ROUNDS = "rounds"
    """The next higher round, whoever used the last one."""

    INTERLEAVED = "interleaved"
    """n = k·N + id: every round belongs to one proposer."""

    RANGES = "ranges"
    """One block of 1,000 rounds per proposer: 0-999 for n1, 1000-1999 for n2, ...

    The classic teaching scheme. Numbers never collide, and that is all: when
    a majority has promised a number of the highest block and its proposer is
    gone, nobody else can ever win the instance.
    """


class RangeExhausted(Exception):
    """A proposer has no number above those it met; the text names the one that blocks it.

    Under ``RANGES`` it names the proposer's block, too.
    """


def next_round(
    scheme: NumberScheme, node_id: NodeId, member_count: int, last_round: int, highest: Ballot
) -> int:
    """The round of a proposer's next ballot.

    Args:
        scheme: how rounds are chosen. A guest always uses ``ROUNDS``.
        node_id: whose ballot it will be.
        member_count: N, the number of acceptors.
        last_round: the highest round this proposer ever used in the instance,
            -1 for none. The next is above it, so no ballot is begun twice.
        highest: the highest ballot it has heard of; the next is above it.

    Raises:
        RangeExhausted: no such number is left: under ``RANGES`` in its block
            (it never takes a number of the next one, for that would collide),
            else up to ``MOST_ROUND``, which a guest may have used.
    """
    # Above `highest` as a pair: its round will do for a node of a higher id,
    # but a round of its own is easier to follow, and costs nothing.
    least = max(last_round, highest.round) + 1
    blocker = str(highest)
    if last_round > highest.round:
        blocker = f"its own {Ballot(last_round, node_id)}"
    if scheme is NumberScheme.RANGES and node_id not in GUESTS:
        first = (node_id - 1) * RANGE_SIZE
        last = first + RANGE_SIZE - 1
        # Round 0 belongs to n1's block, and is above `Ballot.ZERO` for it.
        round_ = first if last_round < 0 and highest == Ballot.ZERO else max(least, first)
        if round_ > last:
            raise RangeExhausted(
                f"{node_name(node_id)} owns the numbers {first} to {last} "
                f"and is blocked by {blocker}"
            )
        return round_
    round_ = least
    if scheme is NumberScheme.INTERLEAVED and node_id not in GUESTS:
        round_ += (node_id - least) % member_count
    if round_ > MOST_ROUND:
        raise RangeExhausted(f"{node_name(node_id)} has no number left above {blocker}")
    return round_
