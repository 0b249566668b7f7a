"""Chance from integers, so that a seed means the same on every Python and platform.

The generator is SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom
Number Generators", OOPSLA 2014): one 64-bit word of state, no floats. It is
for jitter and for simulated faults, never for secrets.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

_MASK: Final = (1 << 64) - 1

_Thing = TypeVar("_Thing")


class Chance:
    """A stream of chance that its seed decides."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        """Start the stream of ``seed``; seeds that are equal modulo 2**64 are the same."""
        self._state = seed & _MASK

    def word(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def between(self, least: int, most: int) -> int:
        """An integer from ``least`` to ``most``, both included, each as likely as the others."""
        assert least <= most, f"no integer lies between {least} and {most}"
        count = most - least + 1
        # The word, drawn in place: most of what chance is asked for comes this way.
        state = self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        word = mixed ^ (mixed >> 31)
        # Words from the last, incomplete stretch would favour small results.
        # That stretch is shorter than `count`: most words need no division.
        if word > _MASK - count:
            limit = _MASK + 1 - (_MASK + 1) % count
            while word >= limit:
                word = self.word()
        return least + word % count

    def percent(self, percent: int) -> bool:
        """True in ``percent`` of 100 cases."""
        return self.between(1, 100) <= percent

    def among(self, things: Sequence[_Thing]) -> _Thing:
        """One of some things, each as likely as the others."""
        return things[self.between(0, len(things) - 1)]
