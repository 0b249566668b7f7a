"""The disk of a simulated node: the real storage code over files in memory."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from paxos.chance import Chance
from paxos.protocol import Ballot, NodeId, Stored
from paxos.storage import Keeping, Recovered, Storage, StorageError, read_storage
from paxos.storage.damage import corrupt, emptied
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
        self.files = VirtualFiles(dict(_formatted(keeping, node_id, members)), f"n{node_id}'s disk")
        self.tears = False
        self.sync_fails = False
        self.lost_byte_count = 0
        self._keeping = keeping
        self._node_id = node_id
        self._members = members
        self._chance = chance

    def open(self, peers_hold: PeersHold) -> tuple[Storage, Recovered]:
        """Begin the next incarnation.

        Raises:
            StorageError: the state is refused, or could not be read or written.
        """
        storage, recovered = self._keeping.open(self.files, CLUSTER, self._node_id, self._members)
        if self._keeping.copy is not None:
            recovered = self._keeping.copy(storage, recovered, peers_hold())
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
