"""Reading a node's state directory, wherever it came from."""

from pathlib import Path
from typing import Any

from node.directories import read_directory
from orchestrator.cluster import LabError
from paxos.storage import StorageError


def read_state_directory(folder: Path) -> dict[str, Any]:
    """What a state directory holds, ready for JSON.

    Raises:
        LabError: it is no state directory, or is damaged.
    """
    try:
        return read_directory(folder)
    except (OSError, StorageError) as error:
        raise LabError(f"the disk of {folder.name} cannot be read: {error}") from error
