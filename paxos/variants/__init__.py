"""Broken protocols, by name: what each rule prevents, shown by breaking it.

Each variant is the correct protocol with one small change, and a real system
that once had it. They exist so that every rule of the checker has something
real to catch. Nothing but ``node/unsafe.py`` and tests may import this
package; the container image does not contain it.
"""

from paxos.variants.gallery import VARIANTS, UnknownVariant, Variant, load

__all__ = ["VARIANTS", "UnknownVariant", "Variant", "load"]
