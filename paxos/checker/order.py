"""Happened-before: one order for the lines of many writers, without a common clock.

Two lines are ordered when one node wrote both, or when one is the ``cause`` of
the other, or through a chain of such steps (Lamport, "Time, Clocks, and the
Ordering of Events", 1978). :func:`merge` lays all lines out in one sequence
that respects this; :class:`Order` answers whether one line happened before
another. Wall time only chooses among sequences that are equally right.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from paxos.events import Line, node_key

Key = int
"""Where a line stands among its writer's: incarnation, then ``seq``, in one integer."""

_SEQ_BITS: Final = 40

START: Final[Key] = 0
"""Before every line."""


def key_at(incarnation: int, seq: int) -> Key:
    """The key of the line with these numbers."""
    return incarnation << _SEQ_BITS | seq


def key_of(line: Line) -> Key:
    """Where a line stands among its writer's."""
    key: Key = line["incarnation"] << _SEQ_BITS | line["seq"]
    return key


def incarnation_of(key: Key) -> int:
    """The incarnation that a key is of."""
    return key >> _SEQ_BITS


def named(name: str) -> tuple[str, Key]:
    """The writer and the key behind the name of a line: ``n1/2/417``."""
    node, incarnation, seq = name.split("/")
    return node, key_at(int(incarnation), int(seq))


def name_at(node: str, key: Key) -> str:
    """The name of a line: the reverse of :func:`named`."""
    return f"{node}/{key >> _SEQ_BITS}/{key & (1 << _SEQ_BITS) - 1}"


def by_writer(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Each writer's lines, in its own order, whatever order they came in."""
    writers: dict[str, list[Line]] = {}
    for line in lines:
        writers.setdefault(line["node"], []).append(line)
    for own in writers.values():
        own.sort(key=key_of)
    return writers


def merge(lines: Iterable[Line]) -> list[Line]:
    """All lines in one sequence: each writer's order kept, causes before what they caused.

    Among lines of which neither has to come first, the one with the smaller
    ``at_ns`` does, then the writer of the smaller number: equal lines give
    equal sequences, whatever order they came in.

    A cause that is not there holds nothing up, but the lines that its writer
    wrote before it still come first. Causes that run in a circle, which no
    real log holds, are cut at the earliest line.
    """
    return _Merge(by_writer(lines)).run()


def _dependencies(line: Line) -> Iterator[tuple[str, Key]]:
    """What must stand before a line: up to this key of this other writer."""
    cause = line.get("cause")
    if cause is not None:
        yield named(cause)
    # A gate's line names the message that it holds: of another node, if a reply.
    message = line.get("message")
    if message is not None:
        yield named(message)
    if line["event"] == "disk_read":
        yield line["of"], key_at(line["incarnation_read"] + 1, 0)


class _Merge:
    """Kahn's algorithm over the writers' queues, with a heap of those that can go on."""

    def __init__(self, writers: dict[str, list[Line]]) -> None:
        self._queues = writers
        self._next = dict.fromkeys(writers, 0)
        self._rank = {node: node_key(node) for node in writers}
        self._ready: list[tuple[int, int, str]] = []
        # By the writer waited for: (up to this key, who waits, with which of its lines).
        self._waiting: dict[str, list[tuple[Key, str, int]]] = {node: [] for node in writers}
        self._merged: list[Line] = []

    def run(self) -> list[Line]:
        total = sum(len(queue) for queue in self._queues.values())
        for node in self._queues:
            self._offer(node)
        while len(self._merged) < total:
            if not self._ready:
                self._cut_circle()
            node = heapq.heappop(self._ready)[2]
            self._merged.append(self._queues[node][self._next[node]])
            self._next[node] += 1
            if self._waiting[node]:
                self._wake(node)
            self._offer(node)
        return self._merged

    def _offer(self, node: str) -> None:
        """Let a writer's next line compete, or wait for what must stand before it."""
        at = self._next[node]
        queue = self._queues[node]
        if at == len(queue):
            return
        line = queue[at]
        for other, key in _dependencies(line):
            if other != node and other in self._queues and self._is_pending(other, key):
                self._waiting[other].append((key, node, at))
                return
        heapq.heappush(self._ready, (line["at_ns"], self._rank[node], node))

    def _is_pending(self, node: str, key: Key) -> bool:
        """Whether a writer still has lines up to this key to come."""
        at = self._next[node]
        queue = self._queues[node]
        return at < len(queue) and key_of(queue[at]) <= key

    def _wake(self, node: str) -> None:
        waiting, self._waiting[node] = self._waiting[node], []
        for entry in waiting:
            key, waiter, at = entry
            if self._is_pending(node, key):
                self._waiting[node].append(entry)
            # One that was let go to cut a circle has moved on meanwhile.
            elif self._next[waiter] == at:
                self._offer(waiter)

    def _cut_circle(self) -> None:
        stuck = [node for node, at in self._next.items() if at < len(self._queues[node])]
        first = min(
            stuck,
            key=lambda node: (
                self._queues[node][self._next[node]]["at_ns"],
                self._rank[node],
            ),
        )
        self._ready.append((0, 0, first))


class Order:
    """Who can have known of what: vector clocks over merged lines.

    A clock changes only where a message is received, so it is kept only there.

    Attributes:
        lines: all lines, merged.
    """

    def __init__(self, writers: dict[str, list[Line]]) -> None:
        self.lines: Final = _Merge(writers).run()
        self._place = {id(line): place for place, line in enumerate(self.lines)}
        self._index: dict[str, int] = {node: index for index, node in enumerate(writers)}
        # Per writer: the keys at which its clock changed, and the clocks from there on.
        self._changes: dict[str, tuple[list[Key], list[tuple[Key, ...]]]] = {
            node: ([], []) for node in writers
        }
        self._run_clocks()

    def _run_clocks(self) -> None:
        for line in self.lines:
            if "cause" not in line:
                continue
            sender, sent = named(line["cause"])
            node = line["node"]
            if sender == node:
                continue
            index = self._index.setdefault(sender, len(self._index))
            known = list(self._clock(node, key_of(line)))
            theirs = self._clock(sender, sent)
            known += [START] * (max(index + 1, len(theirs)) - len(known))
            for place, key in enumerate(theirs):
                known[place] = max(known[place], key)
            known[index] = max(known[index], sent)
            keys, clocks = self._changes[node]
            keys.append(key_of(line))
            clocks.append(tuple(known))

    def _clock(self, node: str, key: Key) -> tuple[Key, ...]:
        """What a writer had heard of the others by one of its lines, that line included."""
        if node not in self._changes:
            return ()
        keys, clocks = self._changes[node]
        at = bisect_right(keys, key)
        return clocks[at - 1] if at else ()

    def place(self, line: Line) -> int:
        """Where a line stands in the merged sequence."""
        return self._place[id(line)]

    def reach(self, line: Line, node: str) -> Key:
        """The last line of ``node`` that happened before ``line`` or is it, as far as causes tell."""
        return self.reach_from(line["node"], key_of(line), node)

    def reach_from(self, writer: str, key: Key, node: str) -> Key:
        """The last line of ``node`` that a writer had heard of by one of its own lines."""
        if writer == node:
            return key
        clock = self._clock(writer, key)
        index = self._index.get(node, len(clock))
        return clock[index] if index < len(clock) else START

    def before(self, earlier: Line, later: Line) -> bool:
        """Whether one line happened before another, or is it."""
        return self.reach(later, earlier["node"]) >= key_of(earlier)
