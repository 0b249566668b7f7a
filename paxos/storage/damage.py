"""What may happen to a directory while its node is down: a corrupt record, a lost disk.

Not for nodes: for whoever injects such faults, over real files or virtual ones.
"""

import re
from typing import Final

from paxos.storage.files import Files
from paxos.storage.segments import list_segments

STARTS: Final = "starts"
"""A file that stands in for what is known beside a lost disk: how often its node was started.

A start counts from it, if it starts at all, and so gives none of its lines a
name that was given before. It makes no directory less empty.
"""

_INCARNATION: Final = re.compile(rb'\{"kind":"incarnation","incarnation":([0-9]+)\}')
_PROMISED: Final = re.compile(
    rb'"record":\{"kind":"acceptor","instance":[0-9]+,"promised":"([0-9])'
)


def corrupt(files: Files) -> str:
    """Change one byte of the last acceptor record: the first digit of its promise.

    Returns:
        Where: the name of the file and the offset of the byte.

    Raises:
        LookupError: the directory holds no acceptor record.
        StorageError, OSError: it could not be read or written.
    """
    for name in reversed(list_segments(files.names())):
        found = [match.start(1) for match in _PROMISED.finditer(files.read(name))]
        if found:
            offset = found[-1]
            digit = files.read(name)[offset]
            files.write(name, offset, bytes([digit ^ 1]))
            files.sync(name)
            return f"{name}, offset {offset}"
    raise LookupError(f"{files} holds no acceptor record that could be corrupted")


def emptied(files: Files) -> dict[str, bytes]:
    """What the empty disk holds that takes the place of a lost one: :data:`STARTS`.

    Whatever state the lost one was in: its starts are counted by what can be
    read of them.

    Raises:
        OSError: it could not be read.
    """
    starts = [0]
    for name in files.names():
        content = files.read(name)
        starts += map(int, _INCARNATION.findall(content))
        if name == STARTS:
            starts.append(int(content))
    return {STARTS: b"%d\n" % max(starts)}
