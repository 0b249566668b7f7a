"""Reading: what a state directory holds, by replay of all its records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from paxos.protocol import (
    AcceptorRecord,
    LearnedRecord,
    NodeId,
    RoundRecord,
    Stored,
)
from paxos.storage.errors import (
    SEE_TO_IT,
    STAY_DOWN,
    Damaged,
    NotFormatted,
    StorageError,
    StorageFailed,
)
from paxos.storage.files import Files
from paxos.storage.records import Entry, FormatRecord, IncarnationRecord, SealedRecord
from paxos.storage.segments import (
    Segment,
    is_blank,
    list_segments,
    read_segment,
    segment_name,
)

_NOT_FORMATTED = (
    "A new cluster is formatted once, all of its nodes together. If this node had a state, it is "
    "lost: leave the node down, for an acceptor that forgets a promise can let two values be chosen"
)


@dataclass(frozen=True, slots=True)
class Torn:
    """A record that a crash cut short before its sync, so that nobody was told of it.

    The fields of the event ``tail_cut``: the file's name, the number that the
    record would have had, and how many bytes of it were there.
    """

    segment: str
    number: int
    byte_count: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a state directory holds.

    Attributes:
        cluster: the id of the cluster that it was formatted for.
        node_id: the node whose state it is.
        members: all nodes with an acceptor, sorted.
        incarnation: how often the node was started. From ``open_storage`` it
            is the start that begins now, already durable; from
            ``read_storage`` the last one, 0 for none.
        instances: what is known of every instance with a record, in order.
        record_count: the number of the last record.
        torn: the torn record that was found (and by ``open_storage`` cut off).
    """

    cluster: str
    node_id: NodeId
    members: tuple[NodeId, ...]
    incarnation: int
    instances: dict[int, Stored]
    record_count: int
    torn: Torn | None


@dataclass(frozen=True, slots=True)
class Disk:
    """A directory read and found sound: its state, and the segment to go on with.

    ``previous`` is the sealed segment before it, if there is one.
    """

    recovered: Recovered
    previous: Segment | None
    segment: Segment
    index: int


def read_storage(files: Files) -> Recovered:
    """Read the directory of a node that is down, and change nothing.

    While a node writes to it, what is read may be refused, or lack what was
    written since; a second try will do.

    Raises:
        NotFormatted, Unsupported, Damaged, StorageFailed: as ``open_storage``.
    """
    with located(files):
        return read_disk(files).recovered


@contextmanager
def located(files: Files) -> Iterator[None]:
    """Let every error say which directory it is about."""
    try:
        yield
    except StorageError as error:
        error.args = (f"{files}: {error}",)
        raise
    except OSError as error:
        raise StorageFailed(f"{files}: {error}. Nothing is tried again; {SEE_TO_IT}.") from error


def read_disk(files: Files) -> Disk:
    """Read every segment, verify all of it and replay its records.

    Raises:
        StorageError, OSError: the directory cannot be used, or not be read.
    """
    segments = list_segments(names := _names(files))
    if not segments:
        found = f"{min(names)} is there, but no segment" if names else "the directory is empty"
        raise NotFormatted(f"{found}. {_NOT_FORMATTED}.")
    replay = Replay()
    previous: Segment | None = None
    active: Segment | None = None
    index = 0
    for position, name in enumerate(segments, 1):
        data = files.read(name)
        if active is None:
            segment = read_segment(name, data, replay.record_count + 1)
            for entry in segment.entries:
                replay.take(entry, name, segment_name(position + 1))
            if segment.sealed:
                previous = segment
            else:
                active, index = segment, position
        # A crash in the middle of a change of segments leaves the new one
        # behind, blank: nothing is written to it before the old one is sealed.
        elif position > index + 1 or not is_blank(data):
            raise Damaged(
                f"{name} follows {active.name}, whose last record, number {replay.record_count}, "
                f"is no seal. {STAY_DOWN}."
            )
    if active is None:
        next_name = segment_name(len(segments) + 1)
        raise Damaged(f"{next_name} is missing: {segments[-1]} is sealed. {STAY_DOWN}.")
    torn = None
    if active.torn:
        torn = Torn(active.name, replay.record_count + 1, len(active.torn))
    return Disk(replay.result(torn), previous, active, index)


def _names(files: Files) -> list[str]:
    try:
        return files.names()
    except FileNotFoundError as error:
        raise NotFormatted(f"there is no such directory. {_NOT_FORMATTED}.") from error


@dataclass(slots=True)
class Replay:
    """The state that records amount to, taken one by one in the order of their numbers.

    It does not judge what a protocol may do: an acceptor that breaks its
    promise is for the checker to find, and stays that way over a restart.
    """

    identity: FormatRecord | None = None
    incarnation: int = 0
    instances: dict[int, Stored] = field(default_factory=dict)
    record_count: int = 0

    def take(self, entry: Entry, segment: str, next_segment: str) -> None:
        """Take the record that comes next, and may only come where it does.

        Raises:
            Damaged: it may not.
        """
        self.record_count += 1
        fault = None
        match entry:
            case _ if isinstance(entry, FormatRecord) != (self.record_count == 1):
                fault = "a directory begins with its format record, and has one only"
            case FormatRecord():
                self.identity = entry
            case IncarnationRecord():
                if entry.incarnation != self.incarnation + 1:
                    fault = f"incarnation {entry.incarnation} follows {self.incarnation}"
                self.incarnation = entry.incarnation
            case SealedRecord():
                if entry.next != next_segment:
                    fault = f"it names {entry.next!r} as the next segment, not {next_segment}"
            case AcceptorRecord() | RoundRecord() | LearnedRecord():
                stored = self.instances.get(entry.instance, Stored())
                self.instances[entry.instance] = stored.with_record(entry)
        if fault:
            raise Damaged(f"{segment}, record {self.record_count}: {fault}. {STAY_DOWN}.")

    def result(self, torn: Torn | None) -> Recovered:
        """The state so far.

        Raises:
            Damaged: there was no record at all.
        """
        if self.identity is None:
            # Format puts record 1 in place together with its segment.
            raise Damaged(f"{segment_name(1)} lacks record 1. {STAY_DOWN}.")
        return Recovered(
            self.identity.cluster,
            self.identity.node_id,
            self.identity.members,
            self.incarnation,
            dict(sorted(self.instances.items())),
            self.record_count,
            torn,
        )
