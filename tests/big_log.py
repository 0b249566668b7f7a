"""Long simulated logs, for measuring and for comparing the two indexers.

Proposals come one after another, each in an instance of its own; now and then
two meet, a node is killed and comes back, a node stands still, or a wall
stands for a while. The same size and seed give the same bytes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from paxos.chance import Chance
from paxos.events import Line, encode
from paxos.simulator import World
from paxos.simulator.conditions import Conditions

_WORDS: Final = ("apple", "pear", "kiwi", "plum", "fig", "lime", "date", "quince")
_EVERY_MS: Final = 25
_BATCH_MS: Final = 2_000
_MEMBERS: Final = (1, 2, 3, 4, 5)
_STORMY: Final = Conditions(duplicate_percent=1)


def log_lines(line_count: int, seed: int = 7) -> Iterator[Line]:
    """So many lines of a simulated run of five nodes."""
    world = World(seed, conditions=_STORMY)
    chance = Chance(seed + 1)
    instance = 0
    told = 0
    for begin_ms in range(10, 100_000_000, _BATCH_MS):
        instance = _plan(world, chance, begin_ms, instance)
        world.run(begin_ms + _BATCH_MS)
        for line in world.lines:
            if told == line_count:
                return
            yield line
            told += 1
        # The last line stays, for whoever asks which it is.
        world.lines.clear()


def _plan(world: World, chance: Chance, begin_ms: int, instance: int) -> int:
    """Ask for what happens in the next two seconds; return the last instance used."""
    end_ms = begin_ms + _BATCH_MS
    for at_ms in range(begin_ms, end_ms, _EVERY_MS):
        instance += 1
        first = chance.between(0, 4)
        world.propose(at_ms, 1 + first, _value(chance, instance), instance=instance)
        if chance.between(0, 3) == 0:
            other = 1 + (first + 1 + chance.between(0, 3)) % 5
            world.propose(at_ms + 1, other, _value(chance, instance + 1), instance=instance)
    what = chance.between(0, 5)
    node = 1 + chance.between(0, 4)
    if what == 0:
        world.kill(begin_ms + 300, node)
        world.start(begin_ms + 1_100, node)
    elif what == 1:
        rest = [one for one in _MEMBERS if one not in (node, 1 + node % 5)]
        world.partition(begin_ms + 400, [node, 1 + node % 5], rest)
        world.heal(begin_ms + 1_300)
    elif what == 2:
        world.pause(begin_ms + 500, node)
        world.resume(begin_ms + 900, node)
    return instance


def _value(chance: Chance, number: int) -> str:
    return f"{_WORDS[chance.between(0, len(_WORDS) - 1)]}-{number % 50}"


def write_log(path: Path, line_count: int, seed: int = 7) -> Path:
    """Write a log of so many lines, unless there is one already."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            for line in log_lines(line_count, seed):
                out.write(encode(line))
        part.replace(path)
    return path
