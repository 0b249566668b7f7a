"""The only door to the broken variants; nothing comes through it by accident."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from node.config import BadConfiguration
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


def load_variant(name: str) -> Played:
    """What a broken variant plays.

    Raises:
        BadConfiguration: there is none of this name, or this installation has
            none at all.
    """
    try:
        variants = importlib.import_module("paxos.variants")
    except ModuleNotFoundError as error:
        raise BadConfiguration(
            "PAXOS_UNSAFE_VARIANT is given, and this installation holds no broken "
            "variants: use the image that is built with the target unsafe"
        ) from error
    if name not in variants.VARIANTS:
        raise BadConfiguration(
            f"PAXOS_UNSAFE_VARIANT is {name!r}; known are {', '.join(variants.VARIANTS)}"
        )
    variant = variants.load(name)
    return Played(variant.roles, variant.keeping, variant.settings)
