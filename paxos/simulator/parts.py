"""What a world runs: the correct protocol, or a broken variant of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paxos.protocol import ROLES, Roles, Settings
from paxos.simulator.conditions import changed
from paxos.storage import KEEPING, Keeping


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that a broken variant may replace; whoever runs one hands them in.

    Attributes:
        roles: what plays the roles.
        keeping: how state is kept.
        settings: settings that differ from the defaults, by name.
        name: the variant's; ``None`` for the correct protocol.
    """

    roles: Roles = ROLES
    keeping: Keeping = KEEPING
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None

    def core_settings(self, changes: Mapping[str, Any] | None = None) -> Settings:
        """The settings of its instances, with the changes of a scenario on top."""
        return changed(changed(Settings(), self.settings), changes or {})


CORRECT: Final = Parts()
"""The protocol as it should be."""
