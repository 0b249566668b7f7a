"""The lines of one run as they arrive: kept, searched, waited for, and told on."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from orchestrator.cluster import Sink
from orchestrator.journal import NODE as LAB
from paxos.events import Line
from paxos.scenario import Lines

_Got = TypeVar("_Got")

_LOOK_EVERY_S: Final = 0.25


@dataclass(slots=True)
class Start:
    """Where the run's log of a node begins: the last line that it had written before."""

    incarnation: int
    seq: int


class Watch:
    """Takes the lines of all nodes and of the lab, from any thread.

    Args:
        instances: the run's instances, by the scenario's names.
        tell: also gets every line of the run; the narrator.
    """

    def __init__(self, instances: Mapping[str, int], tell: Sink | None = None) -> None:
        self.lines = Lines(instances)
        self._by_node: dict[str, list[Line]] = {}
        self._starts: dict[str, Start] = {}
        self._early: list[Line] = []
        self._begun = False
        self._tell = tell
        self._changed = threading.Condition()

    def put(self, lines: list[Line]) -> None:
        """Take lines; those of one node must come in their order, repeats are left out."""
        with self._changed:
            if not self._begun:
                self._early.extend(lines)
                return
            self._take(lines)
            self._changed.notify_all()

    def begin(self, starts: Mapping[str, Start]) -> None:
        """Say where the run begins at each node; what came before is left out."""
        with self._changed:
            self._starts = dict(starts)
            self._begun = True
            self._take(self._early)
            self._early = []

    def wait_for(self, look: Callable[[Lines], _Got | None], limit_s: float) -> _Got | None:
        """Look at the run's lines until something is found or the time is up."""
        deadline = time.monotonic() + limit_s
        with self._changed:
            while True:
                found = look(self.lines)
                left_s = deadline - time.monotonic()
                if found is not None or left_s <= 0:
                    return found
                self._changed.wait(min(left_s, _LOOK_EVERY_S))

    def wait_until_at(self, node: str, incarnation: int, seq: int, limit_s: float) -> bool:
        """Wait until a node's lines up to this one are here; whether that came true."""

        def there(_lines: Lines) -> bool | None:
            own = self._by_node.get(node)
            at = (own[-1]["incarnation"], own[-1]["seq"]) if own else (0, 0)
            return True if at >= (incarnation, seq) else None

        return self.wait_for(there, limit_s) is not None

    def of_node(self, node: str) -> list[Line]:
        """The run's lines of one node so far."""
        with self._changed:
            return list(self._by_node.get(node, ()))

    def nodes(self) -> list[str]:
        """Who has written lines of this run."""
        with self._changed:
            return sorted(self._by_node)

    def _take(self, lines: list[Line]) -> None:
        fresh = []
        for line in lines:
            node, at = line["node"], (line["incarnation"], line["seq"])
            start = self._starts.get(node)
            if start is not None and at < (start.incarnation, start.seq):
                continue
            if start is None and node != LAB:
                continue
            own = self._by_node.setdefault(node, [])
            if own and at <= (own[-1]["incarnation"], own[-1]["seq"]):
                continue
            own.append(line)
            fresh.append(line)
        if fresh:
            self.lines.extend(fresh)
            if self._tell is not None:
                self._tell(fresh)
