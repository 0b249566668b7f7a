"""A node's state on disk: readable with ``cat`` and ``jq``, and never older than its word.

"An acceptor records its intended response in stable storage before actually
sending the response" ("Paxos Made Simple" §2.5). Everything here serves that
one sentence: what was synced is read back at the next start, or the start is
refused. There is no third way, for an acceptor that comes back with less than
it promised can let two values be chosen.

**The format.** A directory of ``segment-000001.jsonl``, ``-000002``, ...; a
segment is lines, then padding, then a newline::

    {"number":17,"crc":"a1b2c3d4","record":{"kind":"acceptor","instance":7,...}}

Numbers count from 1 through all segments. ``crc`` is the CRC-32 of the record's
own bytes, from its brace to its brace. The kinds: ``format`` (record 1: cluster, node, members),
``incarnation`` (a start), ``acceptor`` (all that an acceptor knows of an
instance; the last one counts), ``round`` (what its proposer may have used),
``learned``, and ``sealed`` (the last of a segment: go on in the next).

**Why nothing is lost.** A record is written over padding, so its bytes are all
that a sync has to bring to the disk. All else (a new segment; at each start
the last one, without a torn record and with the new incarnation) is made
beside its place, synced, renamed into it, and the directory synced: the place
holds the old or the new. A segment gets its first record only when the one
before is sealed and synced, and is sealed only when the next one exists. So
of all that was written a crash leaves a first part, in the order of writing,
with everything synced in it.

**Why damage is not taken for a crash.** A crash leaves whole records, then at
most one proper beginning of a record, then padding, in the last segment that
has any. A line with its newline is whole and must verify. A line that lacks
the newline alone is kept if it verifies. Padding cannot occur in a record, nor
a segment end without it, so bytes behind padding and files cut short show; so
do gaps, by number, and lost files, by the seal before them. All of that is
refused by a :class:`StorageError` and left as it is. What nobody can tell: an
acknowledged last record that turned into just such a beginning, and a whole
directory put back from an older copy.

**Whose job is what.** This package is pure over the verbs of :class:`Files`.
A driver appends, syncs, and only then lets anyone know; on
:class:`StorageFailed` it ends, and never tries again.

``files`` the protocol · ``records`` a line · ``segments`` a file · ``recovery``
reading · ``storage`` writing · ``keeping`` the verbs as a driver gets them ·
``errors`` · ``virtual`` a disk for tests.
"""

from paxos.storage.errors import (
    Damaged,
    ForeignDirectory,
    NotEmpty,
    NotFormatted,
    StorageError,
    StorageFailed,
    Unsupported,
)
from paxos.storage.files import Files
from paxos.storage.keeping import (
    KEEPING,
    CorruptRecord,
    DiskFaults,
    FailedSync,
    Keeping,
    LostDisk,
    Synced,
    TornRecord,
)
from paxos.storage.recovery import Recovered, Torn, read_storage
from paxos.storage.storage import Storage, format_directory, open_storage

__all__ = [
    "KEEPING",
    "CorruptRecord",
    "Damaged",
    "DiskFaults",
    "FailedSync",
    "Files",
    "ForeignDirectory",
    "Keeping",
    "LostDisk",
    "NotEmpty",
    "NotFormatted",
    "Recovered",
    "Storage",
    "StorageError",
    "StorageFailed",
    "Synced",
    "Torn",
    "TornRecord",
    "Unsupported",
    "format_directory",
    "open_storage",
    "read_storage",
]
