"""What is told of a broken variant."""

from collections.abc import Mapping
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
    """A bounded model of the explorer.

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
class Variant:
    """A broken protocol, storage or driver: the correct one with one small change.

    Attributes:
        name: its name on the command line.
        change: what was changed, in a sentence.
        breaks: the rule that it breaks first in a log, or ``liveness``.
        insight: what it takes away.
        seen_in: a real system that had it, or where it is taught.
        story: how that came about there, or why it is tempting: a sentence or two.
        exposed_by: the smallest size at which the explorer finds a violation.
        steps: the length of the shortest trace there; ``None`` if the explorer
            cannot find it.
        seeds: within how many seeds the simulator finds it.
        breaks_in_model: the rule that breaks first in the explorer, where that
            is another one.
        agreement_at: the smallest size at which two values can be chosen (or
            learned), and the steps to it; ``None`` where nobody found one.
        safe_at: a larger size than one would think at which nothing is wrong yet.
        roles: the roles with the change in them.
        keeping: the storage with the change in it.
        settings: the fields of ``Settings`` that the change is made of.
    """

    name: str
    change: str
    breaks: str
    insight: Insight
    seen_in: str
    story: str
    exposed_by: Size
    seeds: int
    steps: int | None = None
    breaks_in_model: str | None = None
    safe_at: Size | None = None
    roles: Roles = ROLES
    keeping: Keeping = KEEPING
    settings: Mapping[str, Any] = field(default_factory=dict)
