"""Following what containers write to their standard output.

The engine's streams block, so each node has a thread. A stream may begin a
moment late and, on some engines, end a moment early; but the engine keeps all
that was written, and lines are numbered without gaps. So whatever a stream
left out shows, and is fetched.
"""

import contextlib
import threading
from collections.abc import Mapping
from typing import Final

import docker
from docker.types import CancellableStream

from orchestrator.clients import at_once
from orchestrator.cluster import LabError, Sink
from orchestrator.engine import doing
from orchestrator.tail import read_lines
from paxos.events import Line

_LOOK_EVERY_S: Final = 0.1
_CLOSE_LIMIT_S: Final = 5.0
# How far to look back for the last line that is known; the last means: to the start.
_LOOK_BACK_COUNTS: Final = (500, 5_000, 50_000, 0)


class ContainerFollower:
    """Brings the lines of each node from now on, over all its starts.

    Args:
        api: the engine.
        containers: each node's container; it is there, but need not run.
        sink: gets the lines.
        last_count: how many of the lines that are there already come first;
            a few are always wanted, because a stream begins a moment late.
    """

    def __init__(
        self,
        api: docker.APIClient,
        containers: Mapping[str, str],
        sink: Sink,
        last_count: int = 100,
    ) -> None:
        self._closed = threading.Event()
        self._streams = [
            _NodeStream(api, node, container, sink, last_count, self._closed)
            for node, container in containers.items()
        ]
        at_once(_NodeStream.open, self._streams)
        for stream in self._streams:
            stream.thread.start()

    def drain(self, node: str, limit_s: float) -> bool:
        """Bring what a node that has ended has left; the engine has it all by then.

        Whether that came true: the engine may be gone, or have thrown old lines away.
        """
        del limit_s  # The engine's answer has a limit of its own.
        found = next(stream for stream in self._streams if stream.node == node)
        with contextlib.suppress(LabError):
            return found.catch_up()
        return False

    def close(self) -> None:
        """Bring no more lines."""
        self._closed.set()
        for stream in self._streams:
            stream.close()
        for stream in self._streams:
            # One that the engine does not let go ends with the process.
            stream.thread.join(_CLOSE_LIMIT_S)


class _NodeStream:
    """One node's lines, in their order and each once."""

    def __init__(
        self,
        api: docker.APIClient,
        node: str,
        container: str,
        sink: Sink,
        last_count: int,
        closed: threading.Event,
    ) -> None:
        self.node = node
        self.thread = threading.Thread(target=self._run, name=f"follow {node}", daemon=True)
        self._api = api
        self._container = container
        self._sink = sink
        self._last_count = last_count
        self._closed = closed
        self._stream: CancellableStream[bytes] | None = None
        self._lock = threading.Lock()
        self._known: tuple[int, int] | None = None

    def open(self) -> None:
        """Begin a stream, with the last few lines that are there already.

        Raises:
            LabError: the engine refused.
        """
        with doing(f"following the lines of {self._container}"):
            self._stream = self._api.logs(
                self._container,
                stdout=True,
                stderr=False,
                stream=True,
                follow=True,
                tail=self._last_count,
            )

    def close(self) -> None:
        """End the stream that is open, whoever reads it."""
        if self._stream is not None:
            # What was closed by the engine at this moment need not be closed again.
            with contextlib.suppress(OSError, AttributeError):
                self._stream.close()

    def catch_up(self) -> bool:
        """Fetch what was written after the last line that is known.

        Returns:
            Whether nothing is missing between that line and what was fetched.

        Raises:
            LabError: the engine refused.
        """
        with self._lock:
            return self._catch_up()

    def _run(self) -> None:
        while not self._closed.is_set():
            # An engine that goes away, or a container, ends the stream alone: who
            # waits for a line runs into a limit, and says what is missing.
            with contextlib.suppress(LabError):
                if self._stream is None:
                    self.open()
                if self._closed.is_set():
                    # Closed while it was being opened: nobody else closes it.
                    self.close()
                self._read()
                if not self._closed.is_set():
                    self.catch_up()
            self._stream = None
            while not self._closed.wait(_LOOK_EVERY_S) and not self._runs():
                pass

    def _read(self) -> None:
        assert self._stream is not None, "a stream is opened before it is read"
        rest = b""
        for data in self._stream:
            # Docker cuts what is long into pieces.
            whole, newline, rest = (rest + data).rpartition(b"\n")
            if newline:
                with self._lock:
                    self._take(read_lines(self.node, whole))

    def _runs(self) -> bool:
        with contextlib.suppress(LabError), doing(f"looking at {self._container}"):
            return bool(self._api.inspect_container(self._container)["State"]["Running"])
        return False

    def _take(self, lines: list[Line]) -> None:
        fresh: list[Line] = []
        known = self._known
        for line in lines:
            if known is not None and _at(line) > known and not _follows(_at(line), known):
                self._put(fresh)
                fresh = []
                self._catch_up()
                known = self._known
            if known is None or _at(line) > known:
                fresh.append(line)
                known = _at(line)
        self._put(fresh)

    def _catch_up(self) -> bool:
        known = self._known
        # With nothing known all that was asked for is wanted.
        least = self._last_count if known is None else 0
        for count in (max(least, _LOOK_BACK_COUNTS[0]), *_LOOK_BACK_COUNTS[1:]):
            with doing(f"reading the lines of {self._container}"):
                data = self._api.logs(
                    self._container, stdout=True, stderr=False, tail=count or "all"
                )
            whole = data[: data.rfind(b"\n") + 1]
            lines = read_lines(self.node, whole)
            reaches_back = known is None or any(_at(line) <= known for line in lines)
            if reaches_back or not count:
                self._put([line for line in lines if known is None or _at(line) > known])
                return reaches_back
        raise AssertionError("the last of the counts looks back to the start")

    def _put(self, lines: list[Line]) -> None:
        if lines:
            self._known = _at(lines[-1])
            self._sink(lines)


def _at(line: Line) -> tuple[int, int]:
    return line["incarnation"], line["seq"]


def _follows(at: tuple[int, int], known: tuple[int, int]) -> bool:
    """Whether a line can be the next one: the node's next number, or the first of a start."""
    same_start = at == (known[0], known[1] + 1)
    return same_start or at == (known[0] + 1, 1)
