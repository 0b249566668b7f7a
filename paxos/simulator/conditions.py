"""What a world is like when nobody does anything to it, and what runs in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from paxos.protocol import NumberScheme, Settings

_TO_CORE: Final = {"number_scheme": "scheme", "attempt_limit_count": "attempt_limit"}
"""The names of settings outside of the core, where they differ from its own."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the network and the disk of a world are like.

    Each message takes a time of its own, so that one may overtake another.

    Attributes:
        latency_least_us, latency_most_us: how long a message travels.
        sync_least_us, sync_most_us: how long a sync takes.
        loss_percent: how many of 100 messages are lost.
        duplicate_percent: how many of 100 messages arrive twice.
    """

    latency_least_us: int = 400
    latency_most_us: int = 4_000
    sync_least_us: int = 200
    sync_most_us: int = 2_000
    loss_percent: int = 0
    duplicate_percent: int = 0


CALM: Final = Conditions()
"""The conditions that hold unless others are asked for."""


def shown(settings: Settings) -> dict[str, Any]:
    """Settings as ``node_started`` shows them, all of them, by the names of ``node``'s own."""
    return {
        "number_scheme": str(settings.scheme),
        "patience_ms": settings.patience_ms,
        "backoff": settings.backoff,
        "backoff_base_ms": settings.backoff_base_ms,
        "backoff_most_ms": settings.backoff_most_ms,
        "attempt_limit_count": settings.attempt_limit,
        "learn_interval_ms": settings.learn_interval_ms,
        "learn_timeout_ms": settings.learn_timeout_ms,
        "own_ballots": settings.own_ballots,
    }


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some of them changed.

    Args:
        settings: what they were.
        changes: by the names of :func:`shown`, or the core's own.
    """
    fields = {_TO_CORE.get(name, name): value for name, value in changes.items()}
    if "scheme" in fields:
        fields["scheme"] = NumberScheme(fields["scheme"])
    return replace(settings, **fields)
