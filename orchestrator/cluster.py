"""What the lab needs of a world: five processes somewhere, and ways to hurt them.

A world makes nodes run, stop and start, says where they can be asked, and
brings their lines. It knows nothing of Paxos, of scenarios or of how a fault
is told; :mod:`orchestrator.faults` turns its verbs into faults that are
confirmed and undone. Nodes go by their names in the log (``n1``).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from paxos.events import Line
from paxos.scenario import Scenario
from paxos.scenario.model import DiskFault

Pair = tuple[str, str]
"""The two ends of a link, lower node first."""

Sink = Callable[[list[Line]], None]
"""Takes lines as they arrive, from any thread; those of one node in their order."""


@dataclass(frozen=True, slots=True)
class Unsafe:
    """What makes the nodes of a run unfit for data; nothing, for most runs.

    Such nodes have a cluster of their own, with disks that are made for it.

    Attributes:
        variant: the broken variant that they run; empty: the correct protocol.
        manual: no message and no timer moves by itself.
        faults: their syncs can be made to fail.
        apart: names the only run whose cluster this is: its disks are hurt.
    """

    variant: str = ""
    manual: bool = False
    faults: bool = False
    apart: str = ""

    @classmethod
    def of(cls, scenario: Scenario) -> "Unsafe":
        """What a scenario asks for."""
        faults = any(isinstance(step.action, DiskFault) for step in scenario.steps)
        return cls(scenario.variant or "", scenario.manual, faults, scenario.name if faults else "")

    def __bool__(self) -> bool:
        return self != SAFE

    @property
    def name(self) -> str:
        """What goes into the names of such a cluster and of its disks."""
        parts = [self.variant or "correct", "manual" if self.manual else "", self.apart]
        return "-".join(part for part in parts if part)

    @property
    def environment(self) -> dict[str, str]:
        """What its nodes are told."""
        told = {
            "PAXOS_UNSAFE_VARIANT": self.variant,
            "PAXOS_UNSAFE_MANUAL": "yes" if self.manual else "",
            "PAXOS_UNSAFE_FAULTS": "yes" if self.faults else "",
        }
        return {name: text for name, text in told.items() if text}


SAFE = Unsafe()


class LabError(Exception):
    """The machine or the call is not as it must be; the text says what to do. Exit code 2."""


class Condition(StrEnum):
    """How a node's process is, seen from outside."""

    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a node is asked, as ``host:port``: by clients, and by the lab."""

    paxos: str
    control: str


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: 137 is SIGKILL, as shells and Docker count."""

    code: int
    reason: str


class Follower(Protocol):
    """Brings the lines that nodes write from its making on, over all their starts."""

    def drain(self, node: str, limit_s: float) -> bool:
        """Wait until a node that has ended has no line left to bring; whether that came true."""

    def close(self) -> None:
        """Bring no more lines."""


class Cables(Protocol):
    """Links that can be unplugged for real."""

    def unplug(self, pairs: Iterable[Pair]) -> None:
        """Take these links away.

        Raises:
            LabError: one could not be taken away.
        """

    def plug(self, pairs: Iterable[Pair]) -> None:
        """Give these links back, with the addresses that they had.

        Raises:
            LabError: one could not be given back.
        """

    def replug(self) -> list[Pair]:
        """Give back every link that is not there; which ones these were."""


class Cluster(Protocol):
    """A cluster of one world.

    Attributes:
        world: ``local`` or ``docker``.
        members: its nodes, in order.
        outlives_run: whether it runs on when the lab ends, so that a node that
            was killed must be started again before.
        cables: real links, or ``None`` where only the gate can cut.
        state_place: where a person finds the nodes' disks, for the last words.
        process_mechanism: what kills and pauses: ``signal`` or ``docker``.
    """

    world: str
    members: tuple[str, ...]
    outlives_run: bool
    cables: Cables | None
    state_place: str
    process_mechanism: str

    def endpoints(self, node: str) -> Endpoints:
        """Where a node is asked."""

    def condition(self, node: str) -> Condition:
        """How a node's process is now."""

    def kill(self, node: str) -> Exit:
        """SIGKILL, and wait for the end."""

    def stop(self, node: str) -> Exit:
        """SIGTERM, and wait for the end.

        Raises:
            LabError: it did not end in time.
        """

    def start(self, nodes: Sequence[str]) -> None:
        """Start processes that have ended. Returns at once: ask them to see when they serve."""

    def pause(self, node: str) -> str:
        """Let no instruction of it run; what proves it.

        Raises:
            LabError: it could not be confirmed.
        """

    def resume(self, node: str) -> str:
        """End a pause; what proves it."""

    def wait_exit(self, node: str, limit_s: float) -> Exit | None:
        """Wait until the process has ended by itself; ``None`` when it did not."""

    def complaint(self, node: str) -> str:
        """The last that a node that ended has said on its standard error; may be empty."""

    def follow(self, sink: Sink) -> Follower:
        """Bring every line that the nodes write from now on (and perhaps some from just before)."""

    def read_disk(self, node: str) -> dict[str, Any]:
        """What the disk of a node holds, whether it runs or not.

        Returns:
            What ``python -m node read`` prints: ``incarnation`` and
            ``instances`` among others, ready for JSON.

        Raises:
            LabError: it cannot be read.
        """

    def hurt_disk(self, node: str, hurt: Callable[[Path], str]) -> str:
        """Do something to the state directory of a node that is down.

        Args:
            node: whose.
            hurt: is given the directory; says what it did.

        Returns:
            What it did.

        Raises:
            LabError: the node runs, or this world cannot do it.
        """

    def close(self) -> None:
        """Let go of the cluster; ends nodes that don't outlive the lab."""
