"""Storages that heal in silence what they should refuse, or lose what they said was safe.

They change the real storage and work on its real files. How the explorer,
whose disk is a model, is to see each stands in ``faults`` of its ``Keeping``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from paxos.protocol import AcceptorRecord, Ballot, NodeId, Record, Stored
from paxos.storage import (
    CorruptRecord,
    Damaged,
    DiskFaults,
    FailedSync,
    Files,
    Keeping,
    LostDisk,
    Recovered,
    Storage,
    StorageFailed,
    Synced,
    TornRecord,
    open_storage,
)
from paxos.storage.damage import STARTS
from paxos.storage.records import (
    BadRecord,
    FormatRecord,
    IncarnationRecord,
    decode_line,
    encode_line,
)
from paxos.storage.recovery import located, read_disk
from paxos.storage.segments import list_segments, make_segment, segment_name

_FIRST: Final = segment_name(1)


class NeverSyncs(Storage):
    """What is written is in the page cache, and looks as if it were on the disk."""

    def sync(self) -> None:
        """Report success."""


class RetriesSync(Storage):
    """After a failed sync the kernel calls the bytes clean: the second one syncs nothing."""

    def sync(self) -> None:
        """Try a sync that failed once more."""
        try:
            super().sync()
        except StorageFailed:
            self._failure = None
            super().sync()


class WritesInPlace(Storage):
    """``open(name, "w")``: the old state is gone before the new one is there."""

    def append(self, records: Sequence[Record]) -> list[int]:
        """Empty the file, and write all that it held, and the records, into it again."""
        name = segment_name(self._index)
        held = self._files.read(name)
        _truncate(self._files, name)
        self._files.write(name, 0, held)
        return super().append(records)


def open_or_format(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> tuple[Storage, Recovered]:
    """Begin the next incarnation; take a directory without state for that of a new node."""
    with located(files):
        if _FIRST not in files.names():
            _format_again(files, cluster, node_id, members)
    return open_storage(files, cluster, node_id, members)


def copy_promises(
    storage: Storage, recovered: Recovered, peers: Sequence[Mapping[int, Stored]]
) -> Recovered:
    """Make up for a lost disk: take the highest promise that a peer holds for one's own."""
    if recovered.instances:
        return recovered
    promises: dict[int, Ballot] = {}
    for held in peers:
        for number, stored in held.items():
            promises[number] = max(stored.promised, promises.get(number, Ballot.ZERO))
    storage.append([AcceptorRecord(number, at, None) for number, at in sorted(promises.items())])
    storage.sync()
    copied = {number: Stored(promised=at) for number, at in sorted(promises.items())}
    return replace(recovered, instances=copied)


def open_leaving_out(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> tuple[Storage, Recovered]:
    """Begin the next incarnation; leave out records that do not verify."""
    try:
        return open_storage(files, cluster, node_id, members)
    except Damaged:
        with located(files):
            _leave_out(files)
        return open_storage(files, cluster, node_id, members)


def open_lying(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> tuple[Storage, Recovered]:
    """Begin the next incarnation, with a sync that does nothing."""
    _, recovered = open_storage(files, cluster, node_id, members)
    return NeverSyncs(files, read_disk(files)), recovered


def open_retrying(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> tuple[Storage, Recovered]:
    """Begin the next incarnation, with a sync that is tried again."""
    _, recovered = open_storage(files, cluster, node_id, members)
    return RetriesSync(files, read_disk(files)), recovered


def open_in_place(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> tuple[Storage, Recovered]:
    """Begin the next incarnation; take an empty file, or a first part of one, for a new one."""
    with located(files):
        if _FIRST in files.names() and not files.read(_FIRST).endswith(b"\t\n"):
            _format_again(files, cluster, node_id, members)
    _, recovered = open_storage(files, cluster, node_id, members)
    with located(files):
        files.write(STARTS, 0, b"%d\n" % recovered.incarnation)
        files.sync(STARTS)
        files.sync_directory()
    return WritesInPlace(files, read_disk(files)), recovered


def _format_again(files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]) -> None:
    """Format, but count the starts on: else lines of the log would share their names."""
    starts = int(files.read(STARTS)) if STARTS in files.names() else 0
    entries: list[FormatRecord | IncarnationRecord] = [
        FormatRecord(cluster, node_id, tuple(sorted(members))),
        *(IncarnationRecord(start) for start in range(1, starts + 1)),
    ]
    lines = [encode_line(number, entry) for number, entry in enumerate(entries, 1)]
    make_segment(files, _FIRST, b"".join(lines))


def _leave_out(files: Files) -> None:
    """Write every segment anew without what does not verify, and number the records again."""
    found = kept = 0
    for name in list_segments(files.names()):
        lines: list[bytes] = []
        data = files.read(name).rstrip(b"\t\n")
        for line in data.split(b"\n") if data else []:
            found += 1
            try:
                entry = decode_line(line, found)
            except BadRecord:
                continue
            kept += 1
            lines.append(encode_line(kept, entry))
        make_segment(files, name, b"".join(lines))


def _truncate(files: Files, name: str) -> None:
    # Storage has no verb that shortens a file, for it never does that. An
    # empty one under the same name is what a truncated one looks like.
    files.write("truncated", 0, b"")
    files.rename("truncated", name)
    files.sync_directory()


LIES: Final = Keeping(open=open_lying, faults=DiskFaults(synced=Synced.CACHED))
REFORMATS: Final = Keeping(open=open_or_format, faults=DiskFaults(lost=LostDisk.EMPTY))
COPIES: Final = Keeping(
    open=open_or_format, copy=copy_promises, faults=DiskFaults(lost=LostDisk.COPIES)
)
LEAVES_OUT: Final = Keeping(open=open_leaving_out, faults=DiskFaults(corrupt=CorruptRecord.OLDER))
RETRIES: Final = Keeping(open=open_retrying, faults=DiskFaults(failed_sync=FailedSync.GOES_ON))
IN_PLACE: Final = Keeping(open=open_in_place, faults=DiskFaults(torn=TornRecord.EMPTY))
