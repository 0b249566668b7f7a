"""What is told of a broken variant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from paxos.protocol import ROLES, Roles
from paxos.storage import KEEPING, Keeping

LIVENESS: Final = "liveness"
"""What a variant breaks that is safe, and may never get a value chosen."""


class Insight(StrEnum):
    """What the lab exists to show, and a variant takes away."""

    PHASES = "Two phases: prepare and promise, then accept and accepted"
    ONE_VALUE = "Only one value can ever be chosen"
    BINDING = "A chosen value binds every later proposal"
    QUORUMS = "Majorities intersect: N ≥ 2F + 1"
    MINORITY = "A minority cannot decide, and loses nothing"
    PERSISTENCE = "Persist before you reply"
    NUMBERS = "Proposal numbers are unique, and rise"
    SCHEMES = "How numbers are made decides liveness"
    RETRIES = "Timeouts, retries, back-off"


@dataclass(frozen=True, slots=True)
class Size:
    """The bounds of a model of the explorer.

    Attributes:
        nodes: how many, each with an acceptor, a proposer and a learner.
        proposing: how many of them begin ballots.
        values: how many values clients wish for.
        ballots: how many ballots may be begun in all.
        crashes: how many kills and power losses there may be in all.
        disk_faults: how many faults of a disk.
    """

    nodes: int = 3
    proposing: int = 2
    values: int = 2
    ballots: int = 2
    crashes: int = 0
    disk_faults: int = 0


@dataclass(frozen=True, slots=True)
class InMessages:
    """What the explorer's message-set model shows, which has acceptors and no nodes.

    Attributes:
        acceptors, values, ballots: its bounds.
        rule: the rule that breaks first.
        steps: the length of the shortest way to that.
        two_values_steps: and of that to two values chosen, or learned; ``None``
            if there is none within the bounds.
        safe_ballots: with so many ballots every schedule keeps agreement.
    """

    rule: str
    steps: int
    two_values_steps: int | None
    acceptors: int = 3
    values: int = 2
    ballots: int = 2
    safe_ballots: int = 1


@dataclass(frozen=True, slots=True)
class Variant:
    """A broken protocol, storage or driver: the correct one with one small change.

    Steps are those of the explorer with whole steps: an input with all of its
    effects is one, and so is a crash.

    Attributes:
        name: its name on the command line.
        change: what was changed, in a sentence.
        breaks: the rule that it breaks first in a log, or ``liveness``.
        insight: what it takes away.
        seen_in: a real system that had it, or where it is taught.
        story: how that came about there, or why it is tempting.
        seeds: within how many seeds, from 1 on, the simulator finds it.
        exposed_by: the smallest size at which the explorer finds a violation;
            ``None`` for what no finite schedule shows, or none within reach.
        steps: the length of the shortest schedule that breaks a rule there.
        two_values_at: a size at which the explorer finds two values chosen, or
            learned; ``None`` where that is not within its reach.
        two_values_steps: the length of the shortest schedule to that.
        in_messages: what its message-set model shows; ``None`` if nothing.
        roles: the roles with the change in them.
        keeping: the storage with the change in it.
        settings: the fields of ``Settings`` that the change is made of.
        shown: for a change of storage, what was there (if anything) and what
            is there instead.
    """

    name: str
    change: str
    breaks: str
    insight: Insight
    seen_in: str
    story: str
    seeds: int
    exposed_by: Size | None = None
    steps: int | None = None
    two_values_at: Size | None = None
    two_values_steps: int | None = None
    in_messages: InMessages | None = None
    roles: Roles = ROLES
    keeping: Keeping = KEEPING
    settings: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[Callable[..., object] | None, Callable[..., object]] | None = None
