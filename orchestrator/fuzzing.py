"""Seeds in bulk over all cores: blocks of them go to processes, and come back in order.

The order makes the result the same however many processes there are: the
first finding that is told is that of the lowest seed.
"""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

from orchestrator.parts import parts_of
from paxos.simulator.fuzz import Tally, find
from paxos.simulator.parts import CORRECT, Parts
from paxos.simulator.plan import NODE_COUNTS

BLOCK: Final = 10
"""How many seeds a process takes at a time: less than a second's work."""

_parts: Parts = CORRECT


@dataclass(slots=True)
class Found:
    """What a fuzz has shown so far.

    Attributes:
        first: the first seed.
        tally: what the seeds have shown.
        seed: the lowest seed that shows something wrong, if there is one.
        seconds: how long it took.
        interrupted: whether somebody ended it.
    """

    first: int
    tally: Tally = field(default_factory=Tally)
    seed: int | None = None
    seconds: float = 0.0
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What to fuzz.

    Attributes:
        first: the first seed.
        count: how many.
        node_counts: how many nodes there may be; empty: those of the plans.
        variant: the broken variant that runs, if one does.
        seconds: after how long no further block is begun; ``None``: never.
        jobs: how many processes; with 1 there is none but this.
    """

    first: int
    count: int
    node_counts: Sequence[int]
    variant: str | None
    seconds: float | None
    jobs: int


def fuzz(wish: Wish, progress: Callable[[Found], None]) -> Found:
    """Run the seeds until one shows something wrong, or all are run, or the time is up.

    Ctrl-C ends it, and what is known is returned.
    """
    found = Found(wish.first)
    began = time.monotonic()
    with ExitStack() as stack:
        try:
            for tally, seed in _results(wish, stack):
                found.tally.merge(tally)
                found.seconds = time.monotonic() - began
                found.seed = seed
                progress(found)
                if seed is not None:
                    break
        except KeyboardInterrupt:
            found.interrupted = True
    found.seconds = time.monotonic() - began
    return found


def _results(wish: Wish, stack: ExitStack) -> Iterator[tuple[Tally, int | None]]:
    """What the blocks of seeds have shown, in their order."""
    deadline = None if wish.seconds is None else time.monotonic() + wish.seconds
    last = wish.first + wish.count
    blocks = (
        (start, min(start + BLOCK, last), tuple(wish.node_counts) or NODE_COUNTS)
        for start in range(wish.first, last, BLOCK)
    )
    if wish.jobs == 1:
        _start(wish.variant)
        for block in blocks:
            if deadline is not None and time.monotonic() > deadline:
                return
            yield _run_block(*block)
        return
    # Spawned, so that it is the same on every platform, and no thread of this
    # process is copied half-way through something.
    pool = ProcessPoolExecutor(
        wish.jobs, get_context("spawn"), initializer=_start_process, initargs=(wish.variant,)
    )
    stack.callback(pool.shutdown, cancel_futures=True)
    waiting: deque[Future[tuple[Tally, int | None]]] = deque()
    for block in blocks:
        if deadline is not None and time.monotonic() > deadline:
            break
        waiting.append(pool.submit(_run_block, *block))
        # A few ahead, so that none is idle, and few are run in vain.
        if len(waiting) > 3 * wish.jobs:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _start_process(variant: str | None) -> None:
    # Ctrl-C reaches every process of the terminal; this one ends when its lab says so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _start(variant)


def _start(variant: str | None) -> None:
    global _parts  # noqa: PLW0603 - what a process is for, said once at its start
    _parts = parts_of(variant)


def _run_block(first: int, last: int, node_counts: Sequence[int]) -> tuple[Tally, int | None]:
    tally = Tally()
    outcome = find(range(first, last), _parts, node_counts, tally)
    return tally, None if outcome is None else outcome.plan.seed
