"""What runs, by its name: the one door from a name to a variant for whoever plays or explores."""

from dataclasses import replace

from paxos.explorer import Accused
from paxos.protocol import Settings
from paxos.simulator.parts import CORRECT, Parts
from paxos.variants import load


def parts_of(variant: str | None) -> Parts:
    """The correct protocol, or a broken variant by its name.

    Raises:
        UnknownVariant: there is no such variant.
    """
    if variant is None:
        return CORRECT
    found = load(variant)
    return Parts(found.roles, found.keeping, dict(found.settings), found.name)


def accused_of(parts: Parts) -> Accused:
    """What the explorer explores: the same parts, by the settings of its model."""
    settings = replace(Settings(), own_ballots=False, **parts.settings)
    return Accused(parts.roles, settings, parts.keeping.faults, parts.name or "")
