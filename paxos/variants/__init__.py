"""Broken protocols, by name: what each rule prevents, shown by breaking it.

Each variant is the correct protocol, storage or driver with one small change,
and a real system that once had it. They exist so that every rule of the
checker has something real to catch. Nothing but ``node/unsafe.py``, the
command line and tests may import this package; the container image does not
contain it.

``gallery`` the table · ``variant`` what is told of one · ``acceptors``,
``proposers``, ``learners``, ``drivers``, ``storages`` the changes.
"""

from paxos.variants.gallery import GROUPS, TOLD, VARIANTS, UnknownVariant, load
from paxos.variants.variant import LIVENESS, InMessages, Insight, Size, Variant

__all__ = [
    "GROUPS",
    "LIVENESS",
    "TOLD",
    "VARIANTS",
    "InMessages",
    "Insight",
    "Size",
    "UnknownVariant",
    "Variant",
    "load",
]
