"""A node's state directory seen from outside, wherever it came from: read, or hurt."""

from pathlib import Path
from typing import Any

from node.directories import read_directory
from node.files import LOCK, RealFiles
from orchestrator.cluster import LabError
from paxos.storage import StorageError
from paxos.storage.damage import corrupt, emptied


def read_state_directory(folder: Path) -> dict[str, Any]:
    """What a state directory holds, ready for JSON.

    Raises:
        LabError: it is no state directory, or is damaged.
    """
    try:
        return read_directory(folder)
    except (OSError, StorageError) as error:
        raise LabError(f"the disk of {folder.name} cannot be read: {error}") from error


def corrupt_directory(folder: Path) -> str:
    """Change one byte of the last record of what an acceptor knows; where.

    Raises:
        LabError: there is no such record.
    """
    files = RealFiles(folder)
    try:
        place = corrupt(files)
    except (OSError, StorageError, LookupError) as error:
        raise LabError(f"the disk of {folder.name} cannot be corrupted: {error}") from error
    finally:
        files.close()
    return f"one byte of its last record is another: {place}"


def empty_directory(folder: Path) -> str:
    """Take everything away that a node has written; what is gone.

    Raises:
        LabError: it held no state.
    """
    try:
        kept = emptied(RealFiles(folder))
        lost = sorted(path for path in folder.iterdir() if path.name != LOCK)
        for path in lost:
            path.unlink()
        for name, content in kept.items():
            (folder / name).write_bytes(content)
    except (OSError, StorageError) as error:
        raise LabError(f"the disk of {folder.name} cannot be emptied: {error}") from error
    return f"its directory is empty; gone are {', '.join(path.name for path in lost)}"
