"""How a node keeps its state: formatted, opened, and what becomes of it when the disk fails.

The node and the simulator take the two verbs from a :class:`Keeping`, so that
a broken variant can bring its own; the explorer, whose disk is a model, takes
what such a variant does from :class:`DiskFaults`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paxos.protocol import NodeId, Stored
from paxos.storage.files import Files
from paxos.storage.recovery import Recovered
from paxos.storage.storage import Storage, format_directory, open_storage


class Synced(StrEnum):
    """What a sync that reports success has done."""

    DURABLE = "durable"
    CACHED = "cached"
    """Nothing: a power loss takes what was written since the start."""


class FailedSync(StrEnum):
    """What a sync that fails does to the process."""

    ENDS = "ends"
    """It ends, and never tries again."""
    GOES_ON = "goes_on"
    """It takes the sync for done; a power loss takes the bytes."""


class CorruptRecord(StrEnum):
    """What a start does about a whole record that does not verify."""

    REFUSES = "refuses"
    OLDER = "older"
    """It takes the record before the corrupt one, in silence."""


class LostDisk(StrEnum):
    """What a start does about a directory that is empty."""

    REFUSES = "refuses"
    EMPTY = "empty"
    """It starts as if newly formatted."""
    COPIES = "copies"
    """It takes a promise that some peer has sent for its own, and has accepted nothing."""


class TornRecord(StrEnum):
    """What a power loss leaves when it falls into a write."""

    CUT = "cut"
    """All that was synced; the unsynced record is gone."""
    EMPTY = "empty"
    """Nothing: the state is written in place."""


@dataclass(frozen=True, slots=True)
class DiskFaults:
    """How storage meets each fault of the disk, and whether it syncs at all, for a model of one."""

    synced: Synced = Synced.DURABLE
    failed_sync: FailedSync = FailedSync.ENDS
    corrupt: CorruptRecord = CorruptRecord.REFUSES
    lost: LostDisk = LostDisk.REFUSES
    torn: TornRecord = TornRecord.CUT


Format = Callable[[Files, str, NodeId, Collection[NodeId]], None]
Open = Callable[[Files, str, NodeId, Collection[NodeId]], tuple[Storage, Recovered]]
Copy = Callable[[Storage, Recovered, Sequence[Mapping[int, Stored]]], Recovered]


@dataclass(frozen=True, slots=True)
class Keeping:
    """The verbs of storage that a driver calls at a start. The defaults are the correct ones.

    Attributes:
        format: as :func:`format_directory`.
        open: as :func:`open_storage`. A broken one may return a subclass of
            :class:`Storage`.
        copy: what a start takes from its peers. When there is one, a driver
            that can read what its reachable peers hold (by instance) calls it
            after ``open``, and goes on with the ``Recovered`` that it returns.
        faults: the same for the explorer, whose disk has no bytes.
    """

    format: Format = format_directory
    open: Open = open_storage
    copy: Copy | None = None
    faults: DiskFaults = DiskFaults()


KEEPING: Final = Keeping()
