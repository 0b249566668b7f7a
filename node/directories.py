"""State directories while no node runs: made once, for all nodes together, and looked at."""

import time
from pathlib import Path
from typing import Any, Final

from node.files import RealFiles
from paxos.protocol import NodeId, node_name
from paxos.recorder import stored_fields
from paxos.storage import (
    Damaged,
    ForeignDirectory,
    NotFormatted,
    Recovered,
    StorageError,
    StorageFailed,
    format_directory,
    read_storage,
)

READ_ATTEMPT_COUNT: Final = 5
READ_PAUSE_S: Final = 0.05


class DiskLost(StorageError):
    """Some nodes have a state and others have none."""


def format_one(folder: Path, cluster: str, node_id: NodeId, members: tuple[NodeId, ...]) -> None:
    """Make one state directory.

    Raises:
        StorageError: it holds something already, or can't be written.
    """
    files = RealFiles(folder)
    try:
        files.make()
        files.lock()
        format_directory(files, cluster, node_id, members)
    except OSError as error:
        raise StorageFailed(f"{folder} can't be made: {error.strerror}") from error
    finally:
        files.close()


def format_all(root: Path, cluster: str, members: tuple[NodeId, ...]) -> bool:
    """Make the state directories of a new cluster; leave those of an old one alone.

    Args:
        root: holds a directory for each node, n1, n2, …
        cluster: the cluster's name.
        members: its nodes.

    Returns:
        Whether they were made now.

    Raises:
        DiskLost: some have a state and some have none. A node that lost what
            it promised must not come back empty: two values could be chosen.
        StorageError: a directory is another cluster's, or can't be used.
    """
    lost: list[str] = []
    kept: list[str] = []
    for member in members:
        name = node_name(member)
        found = _read_if_formatted(root / name)
        if found is None:
            lost.append(name)
            continue
        if (found.cluster, found.node_id, found.members) != (cluster, member, members):
            theirs = ", ".join(node_name(node) for node in found.members)
            raise ForeignDirectory(
                f"{root / name} is the state of {node_name(found.node_id)} of the cluster "
                f"{found.cluster!r} with the members {theirs}: give this cluster another place"
            )
        kept.append(name)
    if not lost:
        return False
    if kept:
        raise DiskLost(
            f"{_names(lost)} lost the disk, and {_names(kept)} still "
            f"{'has' if len(kept) == 1 else 'have'} one: a node that forgot its promises can "
            "let two values be chosen. Put the lost directory back, or give up all of them and "
            "format the cluster anew"
        )
    for member in members:
        format_one(root / node_name(member), cluster, member, members)
    return True


def read_directory(folder: Path) -> dict[str, Any]:
    """What a state directory holds, ready for JSON; nothing is changed.

    Raises:
        StorageError: it can't be read as a state.
    """
    if not folder.is_dir():
        raise NotFormatted(f"{folder}: there is no such directory")
    found = _read_steadily(RealFiles(folder))
    return {
        "cluster": found.cluster,
        "node": node_name(found.node_id),
        "members": [node_name(member) for member in found.members],
        "incarnation": found.incarnation,
        "record_count": found.record_count,
        "torn": None
        if found.torn is None
        else {
            "segment": found.torn.segment,
            "number": found.torn.number,
            "bytes": found.torn.byte_count,
        },
        "instances": [stored_fields(number, stored) for number, stored in found.instances.items()],
    }


def _read_if_formatted(folder: Path) -> Recovered | None:
    if not folder.is_dir():
        return None
    try:
        return _read_steadily(RealFiles(folder))
    except NotFormatted:
        return None


def _read_steadily(files: RealFiles) -> Recovered:
    """Read, again if need be: a node that runs may be writing."""
    for _ in range(READ_ATTEMPT_COUNT - 1):
        try:
            return read_storage(files)
        except Damaged:
            time.sleep(READ_PAUSE_S)
    return read_storage(files)


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
