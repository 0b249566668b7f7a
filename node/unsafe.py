"""The only door to the broken variants; nothing comes through it by accident."""

import importlib

from node.config import BadConfiguration
from paxos.protocol import Roles


def load_roles(name: str) -> Roles:
    """The roles of a broken variant.

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
    roles: Roles = variants.load(name)
    return roles
