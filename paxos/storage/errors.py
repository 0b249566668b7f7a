"""What can be wrong with a state directory. Each text says what, where, and what to do."""

from typing import Final

STAY_DOWN: Final = (
    "Leave this node down and keep the directory as it is: an acceptor that forgets a promise "
    "can let two values be chosen. A majority of the others goes on without it; to have it "
    "back, format all nodes of the cluster anew, together"
)
SEE_TO_IT: Final = (
    "see to the disk (full? failing? read-only?), then start the node again: it goes on from "
    "what is durable"
)


class StorageError(Exception):
    """A state directory that will not do. The text begins with the directory's name."""


class NotFormatted(StorageError):
    """The directory holds no state: nobody formatted it, or it was lost."""


class NotEmpty(StorageError):
    """A directory that should be formatted holds something."""


class ForeignDirectory(StorageError):
    """The state of another cluster, of another node, or of another list of members."""


class Unsupported(StorageError):
    """Whole and well-formed, but of a version or kind that this program does not know."""


class Damaged(StorageError):
    """What no crash explains: refused, never repaired, nothing changed."""


class StorageFailed(StorageError):
    """The directory could not be read, written or synced. Final: never try again.

    After a failed sync the kernel may have dropped the bytes and call them
    clean, so that a second sync succeeds over nothing.
    """
