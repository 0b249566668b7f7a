"""Writing: a directory is formatted once, opened at each start, and only appended to."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from paxos.protocol import NodeId, Record, node_name
from paxos.storage.errors import SEE_TO_IT, ForeignDirectory, NotEmpty, StorageFailed
from paxos.storage.files import Files
from paxos.storage.records import (
    Entry,
    FormatRecord,
    IncarnationRecord,
    SealedRecord,
    encode_line,
)
from paxos.storage.recovery import Disk, Recovered, located, read_disk
from paxos.storage.segments import (
    RESERVE_BYTES,
    TEMPORARY,
    make_segment,
    segment_name,
)


class Storage:
    """The open state of a node: records are appended, then made durable.

    The two are apart so that a driver can stop between them. One caller at a
    time. After any failure every call raises :class:`StorageFailed`: what is
    in the file is then unknown, and only a new start can find out.
    """

    def __init__(self, files: Files, disk: Disk) -> None:
        self._files = files
        self._index = disk.index
        self._end = len(disk.segment.content)
        self._byte_count = disk.segment.byte_count
        self._record_count = disk.recovered.record_count
        self._failure: str | None = None

    def append(self, records: Sequence[Record]) -> list[int]:
        """Write a batch, in one write, behind all earlier ones.

        It survives a kill from now on, and a power loss after :meth:`sync`.
        Of what was not synced a power loss leaves some first part.

        Returns:
            The records' numbers.

        Raises:
            ValueError: a record could not be read back, because of a lone
                surrogate in its value, say. Nothing was written.
            StorageFailed: the write failed, or something did before. The
                process must end.
        """
        lines = self._encode(records)
        size = sum(map(len, lines))
        with self._single_try():
            # A batch is never split: it goes where there is room for all of it.
            if self._end + size + RESERVE_BYTES > self._byte_count:
                # The seal takes a number, so each of these may grow by a digit.
                self._next_segment(size + len(lines))
                lines = self._encode(records)
            first = self._record_count + 1
            self._write(lines)
        return list(range(first, first + len(lines)))

    def sync(self) -> None:
        """Return once all that was appended is durable. Only then may anyone be told of it.

        Raises:
            StorageFailed: the sync failed, or something did before. The
                process must end.
        """
        with self._single_try():
            self._files.sync(segment_name(self._index))

    def _encode(self, entries: Sequence[Entry]) -> list[bytes]:
        first = self._record_count + 1
        return [encode_line(number, entry) for number, entry in enumerate(entries, first)]

    def _write(self, lines: Sequence[bytes]) -> None:
        data = b"".join(lines)
        assert self._end + len(data) <= self._byte_count - 2, (
            "a record must not lengthen its segment"
        )
        if data:
            self._files.write(segment_name(self._index), self._end, data)
        self._end += len(data)
        self._record_count += len(lines)

    def _next_segment(self, size: int) -> None:
        """Go on in a new segment with room for ``size`` bytes.

        First the new one is durable, then the seal that says so, and with it
        all that stands before the seal; only then is the new one written to.
        So a sealed segment without a next one was no crash, and what is lost
        in a power loss is never older than what survives.
        """
        name = segment_name(self._index + 1)
        byte_count = make_segment(self._files, name, b"", size)
        self._write(self._encode([SealedRecord(name)]))
        self._files.sync(segment_name(self._index))
        self._index, self._end, self._byte_count = self._index + 1, 0, byte_count

    @contextmanager
    def _single_try(self) -> Iterator[None]:
        if self._failure is not None:
            raise StorageFailed(self._failure)
        # Also when it ends in another way than by an error of the disk, an
        # interrupt say: how much was done is unknown then.
        self._failure = f"{self._files}: an earlier write or sync did not end well; {SEE_TO_IT}."
        with located(self._files):
            yield
        self._failure = None


def format_directory(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> None:
    """Make an empty directory the state of a node that never promised anything.

    Whole or not at all, and durable when it returns. A node never does this
    at its start: a directory that was lost would pass for one that is new.

    Raises:
        NotEmpty: the directory holds something.
        ValueError: the node is no member, or the cluster's id no text.
        StorageFailed: it could not be read or written.
    """
    record = FormatRecord(cluster, node_id, tuple(sorted(members)))
    content = encode_line(1, record)
    with located(files):
        # A crash of an earlier format may have left the temporary file.
        if found := sorted(set(files.names()) - {TEMPORARY}):
            raise NotEmpty(
                f"{found[0]} is there, and only an empty directory may be formatted. Another "
                "directory, or another volume, will do. Should this be the state of a node, "
                "then start that: it needs no format."
            )
        make_segment(files, segment_name(1), content)


def open_storage(
    files: Files, cluster: str, node_id: NodeId, members: Collection[NodeId]
) -> tuple[Storage, Recovered]:
    """Begin the next incarnation of a node.

    Reads and verifies everything. Then, in one step, the last segment is
    written anew beside itself, without a torn record at its end, and with the
    new incarnation. So when this returns all that was read is durable, which
    it was not before: after a kill it may have been in the page cache only,
    and after a failed sync even there as if it were clean. Before it returns
    nothing may be answered.

    Raises:
        NotFormatted: there is no state here.
        ForeignDirectory: it is that of another cluster, node or list of members.
        Unsupported: another version of the program wrote it.
        Damaged: it holds what no crash leaves.
        StorageFailed: it could not be read, written or synced.
    """
    with located(files):
        disk = read_disk(files)
        found, segment = disk.recovered, disk.segment
        _verify(found, cluster, node_id, tuple(sorted(members)))
        # Older ones were durable before this one got its first record, and
        # not earlier.
        if disk.previous is not None and not segment.entries:
            make_segment(files, disk.previous.name, disk.previous.content)
        begun = IncarnationRecord(found.incarnation + 1)
        line = encode_line(found.record_count + 1, begun)
        make_segment(files, segment.name, segment.content + line)
        disk = read_disk(files)
    expected = replace(
        found,
        incarnation=found.incarnation + 1,
        record_count=found.record_count + 1,
        torn=None,
    )
    assert disk.recovered == expected, f"read back {disk.recovered}, not {expected}"
    return Storage(files, disk), replace(expected, torn=found.torn)


def _verify(found: Recovered, cluster: str, node_id: NodeId, members: tuple[NodeId, ...]) -> None:
    for what, theirs, ours in (
        ("cluster", found.cluster, cluster),
        ("node", node_name(found.node_id), node_name(node_id)),
        ("members", _list(found.members), _list(members)),
    ):
        if theirs != ours:
            raise ForeignDirectory(
                f"this is the state of {what} {theirs!r}, and the configuration says {ours!r}. "
                "Give the node its own directory, or the configuration that it was formatted for: "
                "with other members, two majorities need not share a node."
            )


def _list(members: Collection[NodeId]) -> str:
    return ", ".join(node_name(member) for member in members)
