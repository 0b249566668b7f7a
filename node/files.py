"""The state directory on a real disk: what :mod:`paxos.storage` runs over.

Nothing here knows what a record is. What a call promises about durability is
the kernel's word: content by fdatasync, names by fsync of the directory.
"""

import fcntl
import os
from collections import OrderedDict
from pathlib import Path
from typing import Final

from paxos.storage import StorageError

LOCK: Final = "lock"
"""Held by the process that owns the directory; no state is in it."""

OPEN_LIMIT_COUNT: Final = 8
"""How many files are kept open: a sync should meet the descriptor that wrote."""


class InUse(StorageError):
    """Another process owns the directory."""


class RealFiles:
    """One flat directory; implements :class:`paxos.storage.Files`.

    Args:
        folder: the directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, int] = OrderedDict()
        self._lock: int | None = None

    def __str__(self) -> str:
        return str(self._folder)

    def make(self) -> None:
        """Make the directory, with those above it, and their names durable."""
        missing = [
            folder for folder in (self._folder, *self._folder.parents) if not folder.exists()
        ]
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _sync_folder(folder.parent)

    def lock(self) -> None:
        """Own the directory until this process ends, however it ends.

        Raises:
            InUse: another process owns it.
            OSError: the directory is missing or not writable.
        """
        descriptor = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise InUse(
                f"{self._folder} is in use by another process: two nodes on one directory "
                "would overwrite each other's promises. Stop the other one first"
            ) from error
        self._lock = descriptor

    def close(self) -> None:
        """Give the directory back."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def names(self) -> list[str]:
        """The names of all that is in the directory but the lock."""
        return [path.name for path in self._folder.iterdir() if path.name != LOCK]

    def read(self, name: str) -> bytes:
        """The whole content of a file."""
        return (self._folder / name).read_bytes()

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Write all of ``data`` at a byte offset; the file is made if it is missing."""
        descriptor = self._descriptor(name)
        rest = memoryview(data)
        while rest:
            written = os.pwrite(descriptor, rest, offset)
            offset += written
            rest = rest[written:]

    def sync(self, name: str) -> None:
        """Return once content and length of the file are durable."""
        os.fdatasync(self._descriptor(name))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step; a file that had it is gone."""
        (self._folder / old).rename(self._folder / new)
        # Descriptors follow the file, not the name.
        if (gone := self._open.pop(new, None)) is not None:
            os.close(gone)
        if (moved := self._open.pop(old, None)) is not None:
            self._open[new] = moved

    def sync_directory(self) -> None:
        """Return once all names are durable."""
        _sync_folder(self._folder)

    def _descriptor(self, name: str) -> int:
        descriptor = self._open.get(name)
        if descriptor is None:
            if len(self._open) >= OPEN_LIMIT_COUNT:
                os.close(self._open.popitem(last=False)[1])
            descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._open[name] = descriptor
        self._open.move_to_end(name)
        return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
