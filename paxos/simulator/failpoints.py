"""Failpoints: where exactly a process ends, as on a real node."""

from dataclasses import dataclass
from typing import Final

FAILPOINTS: Final = {
    "before_write": "before the write",
    "before_sync": "between the write and its sync",
    "after_sync": "after the sync, before any reply",
    "between_sends": "between two sends",
    "after_reply": "after the reply",
}
"""Each point by its name in a scenario, with its words in the log."""


@dataclass(frozen=True, slots=True)
class Armed:
    """A failpoint that waits for its moment.

    Attributes:
        point: where in the protocol, one of :data:`FAILPOINTS`.
        instance: 0 for whichever comes first.
        kind: of the input whose record or reply is meant, or for
            ``between_sends`` of the messages sent; empty for any.
        power: whether it is the power that is lost.
    """

    point: str
    instance: int = 0
    kind: str = ""
    power: bool = False

    def fits(self, point: str, instance: int, kind: str) -> bool:
        """Whether this is the moment."""
        return self.point == point and self.instance in (0, instance) and self.kind in ("", kind)
