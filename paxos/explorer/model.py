"""What is explored: how many nodes, what they may do, and how often."""

from dataclasses import dataclass, field
from typing import Final

from paxos.protocol import ROLES, NodeId, Roles, Settings
from paxos.storage import DiskFaults

VALUES: Final = ("apple", "pear", "plum", "fig")
INSTANCE: Final = 1


class ModelError(Exception):
    """A model that cannot be explored; the text says which bound is wrong and what is possible."""


@dataclass(frozen=True, slots=True)
class Model:
    """A bounded model: everything that a schedule may do, and how often.

    Attributes:
        nodes: how many nodes there are; each is acceptor and learner.
        proposing: how many of them, from n1 on, may begin ballots.
        values: how many values a client may wish for.
        ballots: how many ballots may be begun in all.
        crashes: how many kills and power losses there may be in all.
        disk_faults: how many faults of a disk there may be in all.
        whole_steps: whether the effects of a step are carried out together,
            and a crash may still cut them anywhere (a reduction: the network
            and the disk of every state between two steps stay the same).
        reduced: whether messages that can do nothing any more are dropped
            (another reduction, see ``reduced``; with whole steps only).
        name: for people; empty for a model that was put together by bounds.
    """

    nodes: int = 3
    proposing: int = 2
    values: int = 2
    ballots: int = 2
    crashes: int = 0
    disk_faults: int = 0
    whole_steps: bool = False
    reduced: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        for what, number, least, most in (
            ("nodes", self.nodes, 1, 9),
            ("proposing", self.proposing, 1, self.nodes),
            ("values", self.values, 1, len(VALUES)),
            ("ballots", self.ballots, 1, 7),
            ("crashes", self.crashes, 0, 7),
            ("disk_faults", self.disk_faults, 0, 3),
        ):
            if not least <= number <= most:
                raise ModelError(f"{what} is {number}, and may be {least} to {most}")
        if self.reduced and not self.whole_steps:
            raise ModelError("dead messages are dropped between whole steps only: add those")

    @property
    def members(self) -> tuple[NodeId, ...]:
        """The ids of the nodes."""
        return tuple(range(1, self.nodes + 1))

    @property
    def wishes(self) -> tuple[str, ...]:
        """The values that a client may wish for."""
        return VALUES[: self.values]

    @property
    def wished(self) -> tuple[str, ...]:
        """Every value that a client has wished for, or may: none else may be chosen."""
        return self.wishes

    def may_begin(self, node_id: NodeId) -> bool:
        """Whether a node may begin ballots."""
        return node_id <= self.proposing

    @property
    def sometimes(self) -> tuple[str, ...]:
        """What some state must show, else the model has shown nothing."""
        duel = ("duel",) if self.proposing > 1 and self.ballots > 1 else ()
        return ("chosen", "learned", *duel)

    @property
    def bounds(self) -> str:
        """The bounds in a few words."""
        parts = [
            f"{self.nodes} nodes",
            f"{self.proposing} proposing",
            f"{self.values} {'value' if self.values == 1 else 'values'}",
            f"{self.ballots} {'ballot' if self.ballots == 1 else 'ballots'}",
            f"{self.crashes} {'crash' if self.crashes == 1 else 'crashes'}",
        ]
        if self.disk_faults:
            faults = "fault" if self.disk_faults == 1 else "faults"
            parts.append(f"{self.disk_faults} {faults} of a disk")
        if self.whole_steps:
            parts.append("whole steps")
        if self.reduced:
            parts.append("without dead messages")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Accused:
    """What is put to the test: the roles, their settings, and how storage meets a fault.

    The correct protocol is the default; a broken variant is handed in by the
    caller, and the explorer knows no variant by name.
    """

    roles: Roles = ROLES
    settings: Settings = field(default_factory=Settings)
    faults: DiskFaults = field(default_factory=DiskFaults)
    name: str = ""


MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (
        Model(3, 1, 1, 1, name="tiny"),
        Model(3, 1, 1, 1, 1, name="crash"),
        Model(2, 2, 2, 2, name="pair"),
        Model(3, 1, 1, 1, 1, 1, name="disk"),
        Model(3, 1, 1, 2, whole_steps=True, name="again"),
        Model(3, 2, 1, 2, whole_steps=True, reduced=True, name="duel"),
    )
}
"""The named models, smallest first."""
