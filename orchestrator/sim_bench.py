"""How fast virtual time passes, on one core: with log and checks, with a log, without.

An *event* is a step of the core or an effect carried out, a start, a link or
a gate: whatever has a line in the log, whether it is kept or not. Time is
that of the process, so that another one's load does not count.

Two kinds of work are measured apart. In *rivals* three proposers of five meet
under new seeds: a step that was met under an earlier one is not computed
again. In *fuzz* every seed has settings, faults and an order of its own, and
most steps are new.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from paxos.checker import check_lines
from paxos.simulator import World
from paxos.simulator.fuzz import rare_collections, run_seed

_WARM_UP: Final = 400
_RIVALS: Final = ((1, "apple"), (3, "pear"), (5, "kiwi"))
_UNTIL_MS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured of one kind of work.

    Attributes:
        work: what was done.
        seed_count: how many worlds.
        event_count: how many events in all of them.
        seconds: of the process.
        seeds_per_s, events_per_s: the rates.
    """

    work: str
    seed_count: int
    event_count: int
    seconds: float
    seeds_per_s: int
    events_per_s: int

    def as_json(self) -> dict[str, object]:
        """All figures, for a program."""
        return asdict(self)


def measure(seed_count: int, progress: Callable[[int], None]) -> list[Rate]:
    """Measure each kind of work over so many seeds."""
    return [
        _rate("rivals, no log", seed_count, lambda seed: _rivals(seed, keeps_log=False), progress),
        _rate("rivals, log", seed_count, lambda seed: _rivals(seed, keeps_log=True), progress),
        _rate("rivals, log and checks", seed_count, _checked, progress),
        _rate("fuzz, log and checks", seed_count, lambda seed: len(run_seed(seed).lines), progress),
    ]


def _rate(
    work: str, seed_count: int, run: Callable[[int], int], progress: Callable[[int], None]
) -> Rate:
    with rare_collections() as run_done:
        for seed in range(_WARM_UP):
            run(seed)
        events = 0
        began = time.process_time()
        for seed in range(_WARM_UP, _WARM_UP + seed_count):
            events += run(seed)
            run_done()
        seconds = time.process_time() - began
    progress(seed_count)
    return Rate(
        work,
        seed_count,
        events,
        round(seconds, 3),
        round(seed_count / seconds),
        round(events / seconds),
    )


def _rivals(seed: int, *, keeps_log: bool) -> int:
    return _world(seed, keeps_log=keeps_log).line_count


def _checked(seed: int) -> int:
    world = _world(seed, keeps_log=True)
    verdict = check_lines(world.lines, trusted=True)
    assert verdict.verdict == "ok", f"seed {seed}: {verdict.summary()}"
    return world.line_count


def _world(seed: int, *, keeps_log: bool) -> World:
    world = World(seed, keeps_log=keeps_log)
    for node, value in _RIVALS:
        world.propose(2, node, value)
    world.run(_UNTIL_MS)
    return world
