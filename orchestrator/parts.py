"""Seeds, and what runs in virtual time: loaded by every process of a fuzz, so it loads little."""

import secrets
from typing import Final

from orchestrator.cluster import LabError
from paxos import parts
from paxos.simulator.parts import Parts
from paxos.variants import UnknownVariant

MOST_SEED: Final = 2**32 - 1
"""The largest seed that is chosen where none is given: short enough to be typed."""


def new_seed() -> int:
    """A seed that nobody has chosen."""
    return secrets.randbelow(MOST_SEED) + 1


def parts_of(variant: str | None) -> Parts:
    """What runs: the correct protocol, or a broken variant by its name.

    Raises:
        LabError: there is no such variant.
    """
    try:
        return parts.parts_of(variant)
    except UnknownVariant as unknown:
        raise LabError(str(unknown)) from unknown
