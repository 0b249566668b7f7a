"""The log of a live run: the file is the queue, and a reader is a cursor.

Lines are only ever appended, whole, and counted; a cursor is the number of
lines that its reader has had. So a reader that was cut off goes on exactly
where it was, a slow one delays nobody and costs no memory, and whoever comes
late reads from the start.
"""

import asyncio
import os
import secrets
import threading
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Final

BATCH_BYTES: Final = 262_144
"""How much of the log is handed out at once, at most, but for one longer line."""


class Bell:
    """Wakes one reader, which lives on an event loop, from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._rung = False

    def ring(self) -> None:
        """Wake the reader; rung again before it looked, this does nothing more."""
        if not self._rung:
            self._rung = True
            try:
                self._loop.call_soon_threadsafe(self._event.set)
            except RuntimeError:
                # The loop has ended, and with it the reader.
                self._rung = False

    async def wait(self, limit_s: float) -> bool:
        """Wait until it rings; whether it did in time."""
        try:
            await asyncio.wait_for(self._event.wait(), limit_s)
        except TimeoutError:
            return False
        # Before the reader looks: what comes from now on rings again.
        self._event.clear()
        self._rung = False
        return True


class Bells:
    """All who are to be woken when there is something new. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Bell] = []

    def add(self, bell: Bell) -> None:
        """Wake this one, too, from now on."""
        with self._lock:
            self._all.append(bell)

    def remove(self, bell: Bell) -> None:
        """Wake this one no more."""
        with self._lock:
            self._all.remove(bell)

    def ring(self) -> None:
        """Wake everybody."""
        with self._lock:
            for bell in self._all:
                bell.ring()

    def __len__(self) -> int:
        with self._lock:
            return len(self._all)


class Feed:
    """One live run's lines: appended by the lab, read from any place. Safe to use from any thread.

    Attributes:
        epoch: names this feed: a cursor of another one means nothing here.
        count: how many lines are published.
        failure: why no more lines can be kept; empty while they can.
    """

    def __init__(self, path: Path, bells: Bells) -> None:
        self._bells = bells
        self._lock = threading.Lock()
        # Read and written by offset: the folder may be renamed meanwhile.
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file: int | None = os.open(path, flags, 0o644)
        # The offset behind each line.
        self._ends = array("Q")
        self.epoch = secrets.token_urlsafe(6)
        self.count = 0
        self.failure = ""

    @property
    def size(self) -> int:
        """How many bytes the published lines take in the file."""
        with self._lock:
            return self._ends[-1] if self._ends else 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Add whole lines, each with its newline; readers see them once they are in the file."""
        with self._lock:
            if self._file is None or self.failure or not lines:
                return
            at = self._ends[-1] if self._ends else 0
            try:
                _write_all(self._file, b"".join(lines))
            except OSError as error:
                # Part of a line may be there: nothing behind it is ever published.
                self.failure = f"the log cannot be written: {error.strerror}"
            else:
                for line in lines:
                    at += len(line)
                    self._ends.append(at)
                self.count = len(self._ends)
        self._bells.ring()

    def read(self, after: int, limit_bytes: int = BATCH_BYTES) -> tuple[bytes, int]:
        """The lines behind a cursor, and the cursor behind those.

        Args:
            after: how many lines the reader has had.
            limit_bytes: no more than this, but always one line where there is one.

        Returns:
            Whole lines, and how many lines the reader has had with them.
        """
        with self._lock:
            if self._file is None or after >= self.count:
                return b"", after
            start = self._ends[after - 1] if after else 0
            last = bisect_right(self._ends, start + limit_bytes, after, self.count)
            last = max(last, after + 1)
            return os.pread(self._file, self._ends[last - 1] - start, start), last

    def close(self) -> None:
        """Keep and hand out no more lines."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
        self._bells.ring()


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
