"""The only door to what makes a node unfit for data; nothing comes through it by accident.

Broken variants, manual mode and disks that fail on command need a setting that
says unsafe and an installation that holds the variants: the image that
`make up` starts is none.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from node.config import BadConfiguration, Config
from paxos.protocol import ROLES, Roles
from paxos.storage import KEEPING, Keeping


@dataclass(frozen=True, slots=True)
class Played:
    """What a node is made of beside its own code.

    Attributes:
        roles: what plays the roles.
        keeping: how the state is opened.
        settings: fields of the core's settings that differ.
    """

    roles: Roles = ROLES
    keeping: Keeping = KEEPING
    settings: Mapping[str, Any] = field(default_factory=dict)


CORRECT: Final = Played()
_VARIANTS: Final = "paxos.variants"


def played_by(config: Config) -> Played:
    """What a node plays under these settings: the correct protocol, unless they say unsafe.

    Raises:
        BadConfiguration: they do, and this installation is not for that; or
            there is no such variant.
    """
    asked = {
        "PAXOS_UNSAFE_VARIANT": config.unsafe_variant,
        "PAXOS_UNSAFE_MANUAL": config.unsafe_manual,
        "PAXOS_UNSAFE_FAULTS": config.unsafe_faults,
    }
    given = [name for name, text in asked.items() if text]
    if given and importlib.util.find_spec(_VARIANTS) is None:
        raise BadConfiguration(
            f"{given[0]} is given, and this installation is not for that: use the image "
            "that is built with the target unsafe"
        )
    return _load(config.unsafe_variant) if config.unsafe_variant else CORRECT


def _load(name: str) -> Played:
    variants = importlib.import_module(_VARIANTS)
    if name not in variants.VARIANTS:
        raise BadConfiguration(
            f"PAXOS_UNSAFE_VARIANT is {name!r}; known are {', '.join(variants.VARIANTS)}"
        )
    variant = variants.load(name)
    return Played(variant.roles, variant.keeping, variant.settings)
