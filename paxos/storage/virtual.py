"""A directory in memory that loses what a real one may lose, and fails when told.

For tests, and for worlds in virtual time. What it is faithful about:

- A write changes the page cache. A sync makes the content of that file
  durable, and nothing else: not its name, not another file.
- Making or renaming a file changes the directory in the page cache;
  ``sync_directory`` makes that durable, and nothing else.
- A kill leaves the page cache alone. A power loss takes from each file, and
  from the directory, what was not synced, but for some first part of it, each
  its own: a new name may survive for a file whose content does not.
- A write that fails or is interrupted has done some first part of its bytes.
- After a failed sync the cache still shows the bytes, and they count as
  clean: the next sync succeeds, and a power loss takes them all the same.

What it leaves out: blocks of one file that reach the disk out of their order.
"""

import errno
import os
from collections.abc import Callable, Mapping
from enum import StrEnum


class Verb(StrEnum):
    """What changes the directory or makes it durable, and may fail."""

    WRITE = "write"
    SYNC = "sync"
    RENAME = "rename"
    SYNC_DIRECTORY = "sync_directory"


class Killed(Exception):
    """The process that used the directory is no more: :meth:`VirtualFiles.kill_at` came due.

    No ``OSError``: nobody is left to handle it.
    """


class _File:
    """The content of a file: as it is read, on disk, and the writes in between."""

    def __init__(self, content: bytes = b"") -> None:
        self.cached = bytearray(content)
        self.durable = bytearray(content)
        self.unsynced: list[tuple[int, bytes]] = []

    def write(self, offset: int, data: bytes) -> None:
        _overwrite(self.cached, offset, data)
        self.unsynced.append((offset, data))

    def sync(self) -> None:
        for offset, data in self.unsynced:
            _overwrite(self.durable, offset, data)
        self.unsynced.clear()

    def lose_power(self, keep: Callable[[int], int]) -> None:
        kept = keep(sum(len(data) for _, data in self.unsynced)) if self.unsynced else 0
        for offset, data in self.unsynced:
            _overwrite(self.durable, offset, data[:kept])
            kept -= min(kept, len(data))
        self.unsynced.clear()
        self.cached[:] = self.durable


def _overwrite(content: bytearray, offset: int, data: bytes) -> None:
    if data:
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(data)] = data


class VirtualFiles:
    """A :class:`paxos.storage.Files` in memory; ``contents`` is there, and durable, from the start."""

    def __init__(self, contents: Mapping[str, bytes] | None = None, name: str = "disk") -> None:
        self.name = name
        self.verb_count = 0
        """How many verbs were begun, for :meth:`kill_at`."""
        self._names = {file: _File(data) for file, data in (contents or {}).items()}
        self._durable_names = dict(self._names)
        # Each is a name's new file, and the name that it had before, if any.
        self._unsynced_names: list[tuple[str | None, str, _File]] = []
        self._failing: dict[Verb, tuple[int, int]] = {}
        self._killed_at: tuple[int, int] | None = None

    def __str__(self) -> str:
        return self.name

    # What storage may do: see :class:`paxos.storage.Files`.

    def names(self) -> list[str]:
        """The names, sorted."""
        return sorted(self._names)

    def read(self, name: str) -> bytes:
        """The page cache's view of a file."""
        return bytes(self._file(name).cached)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Change the page cache."""
        count, error = self._begin(Verb.WRITE, len(data))
        if name not in self._names:
            self._link(None, name, _File())
        self._names[name].write(offset, data[:count])
        if error:
            raise error

    def sync(self, name: str) -> None:
        """Make a file's content durable."""
        _, error = self._begin(Verb.SYNC)
        file = self._file(name)
        if isinstance(error, OSError):
            file.unsynced.clear()
        if error:
            raise error
        file.sync()

    def rename(self, old: str, new: str) -> None:
        """Change the directory in the page cache."""
        _, error = self._begin(Verb.RENAME)
        file = self._file(old)
        if error:
            raise error
        self._link(old, new, file)

    def sync_directory(self) -> None:
        """Make the directory durable."""
        _, error = self._begin(Verb.SYNC_DIRECTORY)
        if isinstance(error, OSError):
            self._unsynced_names.clear()
        if error:
            raise error
        self._keep_names(len(self._unsynced_names))

    # What a test or a world may do to it.

    def fail(self, verb: Verb, part: int = 0, after: int = 0) -> None:
        """Let a later call raise ``OSError``.

        Args:
            verb: which.
            part: how many bytes a write does before it fails.
            after: how many such calls succeed before.
        """
        self._failing[verb] = after, part

    def kill_at(self, verb: int, part: int = 0) -> None:
        """Let verb number ``verb`` of all raise :class:`Killed` before it does its work.

        A write does its first ``part`` bytes; the file is made even so.
        """
        self._killed_at = verb, part

    def kill(self) -> None:
        """End the process that uses the directory: the page cache stays as it is."""
        self._failing.clear()
        self._killed_at = None

    def power_loss(self, keep: Callable[[int], int] = lambda _: 0) -> None:
        """Lose what was not synced, and end the process too.

        Args:
            keep: how many of so many unsynced bytes of a file, or changes of
                the directory, made it to the disk by chance. Asked once for
                the directory and for each file with any, in a fixed order.
        """
        self.kill()
        files = [*self._durable_names.values(), *(file for _, _, file in self._unsynced_names)]
        if self._unsynced_names:
            self._keep_names(keep(len(self._unsynced_names)))
        for file in dict.fromkeys(files):
            file.lose_power(keep)
        self._names = dict(self._durable_names)

    def lose(self, left: Mapping[str, bytes]) -> None:
        """Put another disk in its place, which holds only what is ``left``."""
        self.kill()
        self._unsynced_names.clear()
        self._names = {file: _File(data) for file, data in left.items()}
        self._durable_names = dict(self._names)

    def _begin(self, verb: Verb, byte_count: int = 0) -> tuple[int, Exception | None]:
        """How a call ends: after how many bytes of its write, and with which error."""
        self.verb_count += 1
        if self._killed_at is not None and self.verb_count >= self._killed_at[0]:
            return min(self._killed_at[1], byte_count), Killed(f"killed at {verb}")
        if verb in self._failing:
            after, part = self._failing.pop(verb)
            if after == 0:
                return min(part, byte_count), OSError(errno.EIO, os.strerror(errno.EIO))
            self._failing[verb] = after - 1, part
        return byte_count, None

    def _file(self, name: str) -> _File:
        if name not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self._names[name]

    def _link(self, old: str | None, new: str, file: _File) -> None:
        _move(self._names, old, new, file)
        self._unsynced_names.append((old, new, file))

    def _keep_names(self, count: int) -> None:
        for old, new, file in self._unsynced_names[:count]:
            _move(self._durable_names, old, new, file)
        self._unsynced_names.clear()


def _move(names: dict[str, _File], old: str | None, new: str, file: _File) -> None:
    if old is not None:
        names.pop(old, None)
    names[new] = file
