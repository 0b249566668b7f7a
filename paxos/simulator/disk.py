"""The disk of a simulated node: the real storage code over files in memory."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import lru_cache

from paxos.chance import Chance
from paxos.protocol import Ballot, NodeId, Stored
from paxos.storage import KEEPING, Keeping, Recovered, Storage, StorageError, read_storage
from paxos.storage.damage import corrupt, emptied
from paxos.storage.records import Entry, encode_line
from paxos.storage.virtual import Verb, VirtualFiles

CLUSTER = "simulated"
"""The cluster that the disks of a world are formatted for."""

PeersHold = Callable[[], list[Mapping[int, Stored]]]
"""Reads what the peers that can be reached hold, by instance."""


@lru_cache(maxsize=256)
def _formatted(
    keeping: Keeping, node_id: NodeId, members: tuple[NodeId, ...]
) -> tuple[tuple[str, bytes], ...]:
    """What a directory holds that was formatted and never used: always the same."""
    files = VirtualFiles()
    keeping.format(files, CLUSTER, node_id, members)
    return tuple((name, files.read(name)) for name in files.names())


_encode_once = lru_cache(maxsize=20_000)(encode_line)
"""A record's bytes are a function of its number and what it says."""


class _Remembering(Storage):
    """The real storage, which encodes a record that some world has written before only once."""

    def _encode(self, entries: Sequence[Entry]) -> list[bytes]:
        first = self._record_count + 1
        return [_encode_once(number, entry) for number, entry in enumerate(entries, first)]


@lru_cache(maxsize=256)
def _first_open(
    node_id: NodeId, members: tuple[NodeId, ...]
) -> tuple[tuple[tuple[str, bytes], ...], Storage, Recovered]:
    """What the first start of a node makes of its disk: always the same, as with every handler."""
    files = VirtualFiles(dict(_formatted(KEEPING, node_id, members)))
    storage, recovered = KEEPING.open(files, CLUSTER, node_id, members)
    storage.__class__ = _Remembering
    return tuple((name, files.read(name)) for name in files.names()), storage, recovered


class Disk:
    """What outlives a node's process, and what may happen to it.

    Args:
        keeping: how state is formatted and opened; a broken variant's, maybe.
        node_id: whose disk it is.
        members: the nodes that it was formatted for.
        chance: decides what a power loss leaves of a write.

    Attributes:
        tears: whether the next power loss leaves some first part of what was
            not synced, and not nothing.
        sync_fails: whether the next sync fails.
        lost_byte_count: how many bytes power losses have taken.
    """

    def __init__(
        self, keeping: Keeping, node_id: NodeId, members: tuple[NodeId, ...], chance: Chance
    ) -> None:
        self._files: VirtualFiles | None = None
        self.tears = False
        self.sync_fails = False
        self.lost_byte_count = 0
        self._keeping = keeping
        self._node_id = node_id
        self._members = members
        self._chance = chance

    @property
    def files(self) -> VirtualFiles:
        """The directory; as it was formatted until something happens to it."""
        if self._files is None:
            formatted = _formatted(self._keeping, self._node_id, self._members)
            self._files = VirtualFiles(dict(formatted), self._name)
        return self._files

    @property
    def _name(self) -> str:
        return f"n{self._node_id}'s disk"

    def open(self, peers_hold: PeersHold) -> tuple[Storage, Recovered]:
        """Begin the next incarnation.

        Raises:
            StorageError: the state is refused, or could not be read or written.
        """
        if self._files is None and self._keeping is KEEPING:
            return self._open_first()
        storage, recovered = self._keeping.open(self.files, CLUSTER, self._node_id, self._members)
        if type(storage) is Storage:
            storage.__class__ = _Remembering
        if self._keeping.copy is not None:
            recovered = self._keeping.copy(storage, recovered, peers_hold())
        return storage, recovered

    def _open_first(self) -> tuple[Storage, Recovered]:
        """The first start, as it was computed once for all worlds of this process."""
        contents, opened, recovered = _first_open(self._node_id, self._members)
        self._files = VirtualFiles(dict(contents), self._name)
        storage = copy(opened)
        storage._files = self._files
        return storage, recovered

    def read(self) -> Recovered:
        """What it holds.

        Raises:
            StorageError: it cannot be read.
        """
        return read_storage(self.files)

    def is_sound(self, *, with_promise: bool) -> bool:
        """Whether it can be read, and holds a promise if it is to."""
        try:
            instances = self.read().instances
        except StorageError:
            return False
        return not with_promise or any(
            stored.promised != Ballot.ZERO for stored in instances.values()
        )

    def lose_power(self) -> int:
        """Undo what was not synced; how many bytes that were."""
        lost = 0

        def keep(count: int) -> int:
            nonlocal lost
            kept = self._chance.between(0, count) if self.tears else 0
            lost += count - kept
            return kept

        self.files.power_loss(keep)
        self.tears = False
        self.lost_byte_count += lost
        return lost

    def end_process(self) -> None:
        """The process that used it is gone; what it wrote stays."""
        self.files.kill()
        self.sync_fails = False

    def fail_sync(self) -> None:
        """Let the next sync fail, and take for clean what it should have written."""
        self.files.fail(Verb.SYNC)
        self.sync_fails = True

    def corrupt(self) -> str:
        """Change a byte of the last acceptor record; where.

        Raises:
            LookupError: there is no such record.
        """
        return corrupt(self.files)

    def lose(self) -> None:
        """Put an empty disk in its place."""
        self.files.lose(emptied(self.files))
