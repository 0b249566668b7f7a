"""Failpoints: the process kills itself, or loses power, at an exact point of the protocol, once.

They are armed through the control service only. Given by the environment, a
failpoint would strike again at every start.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from node.files import RealFiles
from paxos.events import Line

EXIT_KILLED: Final = 137
"""What a shell or a container says of a process that SIGKILL ended."""


class Failpoint(StrEnum):
    """Where. The text goes on from "n2 is killed"."""

    BEFORE_WRITE = "before the write"
    BEFORE_SYNC = "between the write and its sync"
    AFTER_SYNC = "after the sync, before any reply"
    BETWEEN_SENDS = "between two sends"
    AFTER_REPLY = "after the last message of a step"


@dataclass(frozen=True, slots=True)
class Armed:
    """A failpoint that waits for its moment.

    Attributes:
        failpoint: where in the protocol.
        instance: 0 for whichever comes first.
        kind: of the input whose record is meant, or of the messages sent;
            empty for any.
        power: it is a power loss, not a kill.
    """

    failpoint: Failpoint
    instance: int = 0
    kind: str = ""
    power: bool = False

    def fits(self, failpoint: Failpoint, instance: int, kind: str) -> bool:
        """Whether this is the moment."""
        return (
            self.failpoint is failpoint
            and self.instance in (0, instance)
            and self.kind in ("", kind)
        )


class Failpoints:
    """The armed ones.

    Args:
        write: takes a line without its header.
        write_last: takes the line that ends the incarnation.
        files: what a power loss takes from.
    """

    def __init__(
        self,
        write: Callable[[Line], object],
        write_last: Callable[[Line], object],
        files: RealFiles,
    ) -> None:
        self._write = write
        self._write_last = write_last
        self._files = files
        self._armed: list[Armed] = []

    @property
    def armed(self) -> tuple[Armed, ...]:
        """In the order in which they were armed."""
        return tuple(self._armed)

    def arm(self, armed: Armed) -> None:
        """Arm one, for once: the process ends there."""
        self._armed.append(armed)
        line: Line = {"event": "failpoint_armed", "failpoint": str(armed.failpoint)}
        if armed.instance:
            line["instance"] = armed.instance
        if armed.kind:
            line["message_kind"] = armed.kind
        if armed.power:
            line["power"] = True
        self._write(line)

    def disarm(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def due(self, failpoint: Failpoint, instance: int, kind: str) -> Armed | None:
        """The one that must end the process at this point, if there is one."""
        for armed in self._armed:
            if armed.fits(failpoint, instance, kind):
                return armed
        return None

    def strike(self, armed: Armed, instance: int) -> NoReturn:
        """Write ``failpoint_hit`` and end as SIGKILL ends a process: nothing is cleaned up."""
        line: Line = {
            "event": "failpoint_hit",
            "failpoint": str(armed.failpoint),
            "instance": instance,
        }
        if armed.power:
            line["power"] = True
            self._files.lose_power(lambda _: self._write_last(line))
        else:
            self._write_last(line)
        _end()

    def lose_power(self) -> NoReturn:
        """Write ``power_lost``, undo what was not synced, and end at once."""
        self._files.lose_power(
            lambda loss: self._write_last(
                {"event": "power_lost", "bytes": loss.byte_count, "names": loss.name_count}
            )
        )
        _end()


def _end() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    # The kernel spares the first process of a container.
    os._exit(EXIT_KILLED)
