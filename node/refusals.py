"""Requests that are refused, and the lines that tell of them without flooding the log."""

import asyncio
from dataclasses import dataclass

import grpc

from node.log import Log


class Refused(Exception):
    """A request that is not carried out; the text tells its sender why.

    Attributes:
        status: the gRPC status that it gets.
        rule: a short name of the rule; there are few, whatever is sent.
        told: whether the log has told of it already, or need not.
    """

    def __init__(
        self, status: grpc.StatusCode, rule: str, sentence: str, *, told: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.rule = rule
        self.told = told


@dataclass(slots=True)
class _Kind:
    count: int
    last: Refused


class Refusals:
    """Writes ``request_refused``: the first of each kind at once, then counts.

    A kind is a method and a rule. After a line about a kind, the next one
    comes ``interval_ms`` later at the earliest and says how many there were.

    Args:
        log: takes the lines.
        interval_ms: how far apart lines of one kind are at least.
    """

    def __init__(self, log: Log, interval_ms: int) -> None:
        self._log = log
        self._interval_ms = interval_ms
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def note(self, method: str, refused: Refused) -> None:
        """One more request was refused."""
        if refused.told:
            return
        key = (method, refused.rule)
        kind = self._kinds.get(key)
        if kind is None:
            self._kinds[key] = _Kind(0, refused)
            self._write(method, refused, 1)
            self._look_later(key)
        else:
            kind.count += 1
            kind.last = refused

    def flush(self) -> None:
        """Write what was only counted so far: the node stops."""
        for (method, _), kind in self._kinds.items():
            if kind.count:
                self._write(method, kind.last, kind.count)
        self._kinds.clear()

    def _look_later(self, key: tuple[str, str]) -> None:
        asyncio.get_running_loop().call_later(self._interval_ms / 1000, self._interval_over, key)

    def _interval_over(self, key: tuple[str, str]) -> None:
        kind = self._kinds.get(key)
        if kind is None:
            return
        if kind.count:
            self._write(key[0], kind.last, kind.count)
            kind.count = 0
            self._look_later(key)
        else:
            del self._kinds[key]

    def _write(self, method: str, refused: Refused, count: int) -> None:
        self._log.write(
            {
                "event": "request_refused",
                "method": method,
                "status": refused.status.name,
                "reason": str(refused),
                "count": count,
            }
        )
