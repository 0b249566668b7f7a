"""The state directory on a real disk: what :mod:`paxos.storage` runs over.

Nothing here knows what a record is. What a call promises about durability is
the kernel's word: content by fdatasync, names by fsync of the directory.

A killed process loses no write, for the page cache outlives it. What a power
loss takes can only be shown by undoing it: whatever is written is remembered
with what was there before, until a sync has made it durable
(:class:`Unsynced`), and :meth:`RealFiles.lose_power` puts that back.
"""

import errno
import fcntl
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from paxos.storage import StorageError

LOCK: Final = "lock"
"""Held by the process that owns the directory; no state is in it."""

OPEN_LIMIT_COUNT: Final = 8
"""How many files are kept open: a sync should meet the descriptor that wrote."""


class InUse(StorageError):
    """Another process owns the directory."""


class _File:
    """A file, whatever its name is."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A write that no sync has made durable.

    Attributes:
        file: which file.
        offset: where, in bytes.
        old: what was there before; less than was written where the file ended.
        old_byte_count: how long the file was.
        byte_count: how much was written.
        lost: a sync of it failed. It counts as clean, and is on no disk.
    """

    file: _File
    offset: int
    old: bytes
    old_byte_count: int
    byte_count: int
    lost: bool = False

    def below(self, offset: int, content: bytes) -> "_Written":
        """The same, once what was written later at ``offset`` is durable."""
        before = bytearray(self.old.ljust(self.old_byte_count - self.offset, b"\0"))
        start, skipped = max(0, offset - self.offset), max(0, self.offset - offset)
        seen = content[skipped : skipped + max(0, self.byte_count - start)]
        before.extend(bytes(max(0, start - len(before))))
        before[start : start + len(seen)] = seen
        byte_count = max(self.old_byte_count, offset + len(content))
        return replace(self, old=bytes(before[: self.byte_count]), old_byte_count=byte_count)


@dataclass(frozen=True, slots=True)
class _Named:
    """A new name, or a file's second one, that no sync of the directory has made durable.

    Attributes:
        old: the name that the file had; ``None`` for a new file.
        new: the name that it got.
        replaced: the file that had this name, and its content.
    """

    old: str | None
    new: str
    replaced: tuple[_File, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """What a power loss takes: bytes written, and changes of the directory."""

    byte_count: int
    name_count: int


class Unsynced:
    """What a process has done to its directory and not synced, in order, so that it can be undone.

    Args:
        folder: the directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}
        self._changes: list[_Written | _Named] = []

    def written(self, name: str, offset: int, byte_count: int, descriptor: int) -> None:
        """Remember what a write is about to replace."""
        old = os.pread(descriptor, byte_count, offset)
        old_byte_count = os.fstat(descriptor).st_size
        self._changes.append(_Written(self._file(name), offset, old, old_byte_count, byte_count))

    def created(self, name: str) -> None:
        """Remember that a file was made."""
        self._changes.append(_Named(None, name))

    def renamed(self, old: str, new: str) -> None:
        """Remember what a rename is about to replace."""
        place = self._folder / new
        replaced = (self._file(new), place.read_bytes()) if place.exists() else None
        self._changes.append(_Named(old, new, replaced))
        self._files[new] = self._file(old)
        del self._files[old]

    def synced(self, name: str) -> None:
        """The content of a file is durable, but for what a failed sync has lost."""
        file = self._files.get(name)
        kept: list[_Written | _Named] = []
        for change in self._changes:
            if not isinstance(change, _Written) or change.file is not file or change.lost:
                kept.append(change)
            else:
                kept = [self._below(one, change, name) for one in kept]
        self._changes = kept

    def _below(self, one: _Written | _Named, durable: _Written, name: str) -> _Written | _Named:
        """What was lost before does not take with it what was written over it later."""
        if not isinstance(one, _Written) or one.file is not durable.file:
            return one
        with (self._folder / name).open("rb") as file:
            file.seek(durable.offset)
            return one.below(durable.offset, file.read(durable.byte_count))

    def sync_failed(self, name: str) -> None:
        """The kernel may call the pages clean now: no later sync brings them to the disk."""
        file = self._files.get(name)
        self._changes = [
            replace(one, lost=True) if isinstance(one, _Written) and one.file is file else one
            for one in self._changes
        ]

    def synced_directory(self) -> None:
        """All names are durable; a file that has none any more is of no interest."""
        named = set(self._files.values())
        self._changes = [
            one for one in self._changes if isinstance(one, _Written) and one.file in named
        ]

    def loss(self) -> Loss:
        """What there is to undo."""
        written = [one for one in self._changes if isinstance(one, _Written)]
        return Loss(sum(one.byte_count for one in written), len(self._changes) - len(written))

    def undo(self, *, tear: bool = False) -> None:
        """Undo all of it, the last first.

        Args:
            tear: all but the first byte that was written, if the file is still there.
        """
        torn = next((one for one in self._changes if isinstance(one, _Written)), None)
        byte = self._byte_of(torn) if tear and torn is not None else b""
        while self._changes:
            change = self._changes.pop()
            if isinstance(change, _Written):
                self._unwrite(change)
            else:
                self._unname(change)

        if torn is not None and byte and torn.file in self._files.values():
            with self._place_of(torn).open("r+b") as file:
                file.seek(torn.offset)
                file.write(byte)

    def _place_of(self, change: _Written) -> Path:
        return self._folder / next(
            name for name, file in self._files.items() if file is change.file
        )

    def _byte_of(self, change: _Written) -> bytes:
        with self._place_of(change).open("rb") as file:
            file.seek(change.offset)
            return file.read(1)

    def _unwrite(self, change: _Written) -> None:
        with self._place_of(change).open("r+b") as file:
            file.seek(change.offset)
            file.write(change.old)
            file.truncate(change.old_byte_count)

    def _unname(self, change: _Named) -> None:
        place = self._folder / change.new
        file = self._file(change.new)
        del self._files[change.new]
        if change.old is None:
            place.unlink()
        else:
            place.rename(self._folder / change.old)
            self._files[change.old] = file
        if change.replaced is not None:
            self._files[change.new], content = change.replaced
            place.write_bytes(content)

    def _file(self, name: str) -> _File:
        return self._files.setdefault(name, _File())


class RealFiles:
    """One flat directory; implements :class:`paxos.storage.Files`.

    Args:
        folder: the directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, int] = OrderedDict()
        self._lock: int | None = None
        self._unsynced = Unsynced(folder)
        self._sync_fails = False
        self._tears = False
        # A power loss comes from another thread than that of the disk, and
        # meets no write or sync half-way. It is never let go again.
        self._busy = threading.Lock()

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
        with self._busy:
            descriptor = self._descriptor(name)
            rest = memoryview(data)
            self._unsynced.written(name, offset, len(rest), descriptor)
            while rest:
                written = os.pwrite(descriptor, rest, offset)
                offset += written
                rest = rest[written:]

    def sync(self, name: str) -> None:
        """Return once content and length of the file are durable."""
        with self._busy:
            try:
                self._sync_once(name)
            except OSError:
                self._unsynced.sync_failed(name)
                raise
            self._unsynced.synced(name)

    def _sync_once(self, name: str) -> None:
        if self._sync_fails:
            self._sync_fails = False
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(self._descriptor(name))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step; a file that had it is gone."""
        with self._busy:
            self._unsynced.renamed(old, new)
            (self._folder / old).rename(self._folder / new)
            # Descriptors follow the file, not the name.
            if (gone := self._open.pop(new, None)) is not None:
                os.close(gone)
            if (moved := self._open.pop(old, None)) is not None:
                self._open[new] = moved

    def sync_directory(self) -> None:
        """Return once all names are durable."""
        with self._busy:
            _sync_folder(self._folder)
            self._unsynced.synced_directory()

    def fail_sync(self) -> None:
        """Let the next sync of a file fail, as a disk may: what it was to bring there is lost."""
        self._sync_fails = True

    def tear(self) -> None:
        """Let the next power loss fall into a write: its first byte reaches the disk."""
        self._tears = True

    def lose_power(self, tell: Callable[[Loss], object]) -> None:
        """Undo what was not synced; no verb begins or goes on any more. The process must end.

        Args:
            tell: told what will be undone, before it is.
        """
        # Not let go: the thread of the disk must not write over what is put back.
        self._busy.acquire()
        tell(self._unsynced.loss())
        self._unsynced.undo(tear=self._tears)

    def _descriptor(self, name: str) -> int:
        descriptor = self._open.get(name)
        if descriptor is None:
            if len(self._open) >= OPEN_LIMIT_COUNT:
                os.close(self._open.popitem(last=False)[1])
            try:
                descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                descriptor = os.open(self._folder / name, flags, 0o644)
                self._unsynced.created(name)
            self._open[name] = descriptor
        self._open.move_to_end(name)
        return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
