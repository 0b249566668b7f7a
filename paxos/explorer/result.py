"""A search: what it tells while it runs and in the end, and what both engines share."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paxos.explorer.model import Model, ModelError
from paxos.explorer.rules import ALWAYS
from paxos.explorer.tables import Action, Tables
from paxos.protocol import NodeId


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a schedule: what happens, and at which node."""

    node: NodeId
    action: Action


Trace = tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is.

    Attributes:
        distinct: states seen.
        generated: how often a state was reached, the first one included.
        depth: levels so far; the first state is level 1.
        frontier: states of the last level, from which it goes on.
        seconds: since it began.
    """

    distinct: int
    generated: int
    depth: int
    frontier: int
    seconds: float


Watch = Callable[[Progress], bool]
"""Called now and then; the search stops when it returns false."""


class Ended(StrEnum):
    """Why a search ended."""

    COMPLETE = "complete"
    """Every state of the model was visited."""
    FOUND = "found"
    """It found what it was to stop at."""
    LIMIT = "limit"
    """It met its limit of states."""
    TOO_LARGE = "too large"
    """Its states no longer fit the engine."""
    STOPPED = "stopped"
    """Whoever watched it stopped it."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search found.

    Attributes:
        model: what was explored.
        ended: why it ended.
        why: a sentence about that, where there is more to say.
        progress: the counts at the end.
        call_count: how often the core was called.
        most_used: the most ballots, crashes and faults of a disk that a state has.
        traces: for each property that was broken, or seen, the shortest way there.
    """

    model: Model
    ended: Ended
    why: str
    progress: Progress
    call_count: int
    most_used: tuple[int, int, int]
    traces: Mapping[str, Trace]

    @property
    def distinct(self) -> int:
        """How many states there are, as far as it came."""
        return self.progress.distinct

    @property
    def complete(self) -> bool:
        """Whether every state was visited."""
        return self.ended is Ended.COMPLETE

    @property
    def met_bounds(self) -> tuple[str, ...]:
        """The bounds that some schedule used up, so that a larger one would have more states."""
        model = self.model
        bounds = (
            ("ballots", model.ballots),
            ("crashes", model.crashes),
            ("disk_faults", model.disk_faults),
        )
        return tuple(
            name
            for (name, bound), used in zip(bounds, self.most_used, strict=True)
            if used >= bound > 0
        )

    @property
    def verdicts(self) -> dict[str, str]:
        """For each property: ``holds`` or ``broken``; for each *sometimes*: ``seen`` or ``never``.

        ``unknown`` where the search ended before it could tell.
        """
        found = {}
        for name in ALWAYS:
            found[name] = "broken" if name in self.traces else self._unless_complete("holds")
        for name in self.model.sometimes:
            found[name] = "seen" if name in self.traces else self._unless_complete("never")
        return found

    @property
    def first_broken(self) -> str | None:
        """The *always* property that breaks first; of two at one depth the one told first."""
        broken = [name for name in ALWAYS if name in self.traces]
        return min(broken, key=lambda name: len(self.traces[name]), default=None)

    def _unless_complete(self, verdict: str) -> str:
        return verdict if self.complete else "unknown"


class Search(ABC):
    """What both engines have in common: level after level until something ends it."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.model = tables.model
        self.generated = 1
        self.most_used = (0, 0, 0)
        self.traces: dict[str, Trace] = {}

    @property
    @abstractmethod
    def distinct(self) -> int:
        """How many states were seen."""

    @property
    @abstractmethod
    def frontier(self) -> int:
        """How many states the last level has."""

    @abstractmethod
    def expand(self) -> Iterator[None]:
        """Go on by one level, and yield now and then, so that one can look and stop."""

    def run(self, until: Collection[str], limit: int, watch: Watch | None) -> Explored:
        """Search; see :func:`paxos.explorer.explore`."""
        began, depth, ended, why = time.monotonic(), 0, Ended.COMPLETE, ""

        def progress() -> Progress:
            seconds = time.monotonic() - began
            return Progress(self.distinct, self.generated, depth, self.frontier, seconds)

        while self.frontier:
            depth += 1
            if any(name in self.traces for name in until):
                ended = Ended.FOUND
                break
            if self.distinct > limit:
                ended = Ended.LIMIT
                break
            try:
                if not all(watch is None or watch(progress()) for _ in self.expand()):
                    ended = Ended.STOPPED
                    break
            except ModelError as error:
                # What was found so far is none the worse.
                ended, why = Ended.TOO_LARGE, str(error)
                break
        return Explored(
            self.model,
            ended,
            why,
            progress(),
            self.tables.call_count,
            self.most_used,
            dict(self.traces),
        )

    def use(self, used: Sequence[int]) -> None:
        """Note what a state has used up."""
        ballots, crashes, faults = (max(pair) for pair in zip(self.most_used, used, strict=True))
        self.most_used = ballots, crashes, faults
