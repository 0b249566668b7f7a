"""Following files that grow by lines of the log."""

import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.cluster import Sink
from paxos.events import Line, LogFormatError, decode

_LOOK_EVERY_S: Final = 0.008
_CHUNK_BYTES: Final = 1 << 20


def read_lines(node: str, data: bytes) -> list[Line]:
    """The lines in some whole lines of bytes; what is no line of the log is complained of.

    A line that is left out leaves a gap, so that the checker calls the run
    unknown: nothing is lost in silence.
    """
    found = []
    for raw in data.splitlines():
        try:
            found.append(decode(raw))
        except LogFormatError as error:
            print(f"{node} wrote a line that is none of the log's: {error}", file=sys.stderr)
    return found


@dataclass(slots=True)
class _Place:
    path: Path
    offset: int
    rest: bytes = b""


class FileFollower:
    """Brings what is appended to each node's file, on a thread of its own.

    Args:
        paths: each node's file; it is there already, and only grows.
        sink: gets the lines.
    """

    def __init__(self, paths: Mapping[str, Path], sink: Sink) -> None:
        self._sink = sink
        self._places = {node: _Place(path, path.stat().st_size) for node, path in paths.items()}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follow files", daemon=True)
        self._thread.start()

    def drain(self, node: str, limit_s: float) -> bool:
        """Read on until the end of a file that no process writes to any more."""
        deadline = time.monotonic() + limit_s
        place = self._places[node]
        while time.monotonic() < deadline:
            self._look()
            # What the other thread has read it has also handed on, once it lets go.
            with self._lock:
                if place.offset == place.path.stat().st_size:
                    return True
        return False

    def close(self) -> None:
        """Bring no more lines."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(_LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        # One reader at a time, so that a node's lines keep their order.
        with self._lock:
            # All files first, and what takes time after: so lines of one moment
            # come together, whichever node wrote them.
            chunks = [(node, place, self._read(place)) for node, place in self._places.items()]
            for node, place, data in chunks:
                # The last line may be there in part only.
                whole, newline, place.rest = (place.rest + data).rpartition(b"\n")
                if newline:
                    self._sink(read_lines(node, whole))

    @staticmethod
    def _read(place: _Place) -> bytes:
        with place.path.open("rb") as file:
            file.seek(place.offset)
            data = file.read(_CHUNK_BYTES)
        place.offset += len(data)
        return data
