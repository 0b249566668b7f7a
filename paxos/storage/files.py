"""The one directory that a node keeps its state in, as storage sees it.

Everything of :mod:`paxos.storage` runs over this protocol, so the same code
meets a real disk (``node/files.py``), a virtual one that loses what it may
lose (:mod:`paxos.storage.virtual`), and those that lie (``paxos.variants``).
"""

from typing import Protocol


class Files(Protocol):
    """One flat directory: five verbs, and a list of names.

    The list is needed because a reader that only tries ``segment-000003``,
    ``-000004``, ... until one is missing takes a lost middle segment for the
    end, and forgets in silence all that stands behind it. There is no verb to
    remove, to cut or to lengthen: storage never does any of that.

    Every method raises ``OSError`` when it fails, and has then done any part
    of its work. One caller at a time. ``str(files)`` is how a message names
    the directory: its path.
    """

    def names(self) -> list[str]:
        """The names of all that is in the directory, in any order.

        What the implementation keeps there for itself (a lock) is left out.

        Raises:
            OSError: also when the directory does not exist.
        """
        ...

    def read(self, name: str) -> bytes:
        """The whole content of a file, written bytes included, synced or not.

        Raises:
            OSError: also when there is no such file.
        """
        ...

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Write all of ``data`` at a byte offset; the file is made if it is missing.

        Never shortens a file and never returns after a part: after a short
        write an implementation goes on, or raises.
        """
        ...

    def sync(self, name: str) -> None:
        """Return once the content and length of the file are durable (``fdatasync`` will do).

        Does not make the *name* of a new file durable: :meth:`sync_directory` does.
        """
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step; a file that had it is gone."""
        ...

    def sync_directory(self) -> None:
        """Return once all names are durable, those of new files and renames included."""
        ...
