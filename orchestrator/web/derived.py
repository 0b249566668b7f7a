"""What is made of a run's log when the page asks for it: ``why.json`` and ``columns.bin``.

Made once, on a thread of the server's, and kept beside the log; made again
when the log is newer. A folder that cannot be written to costs only that it is
made again each time.
"""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from paxos.checker import LogFormatError

NAMES: Final = ("why.json", "columns.bin")
_WHY_LIMIT_BYTES: Final = 100_000_000
"""Of longer logs no reasons are given: they would take minutes."""
_COLUMNS_LIMIT_BYTES: Final = 1_000_000_000
"""Of longer logs, four million lines, no index is made: it is made in memory."""


class CannotMake(Exception):
    """The log gives no such file; the text says why."""


class Derived:
    """Makes files of runs, each one once at a time. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By the file: who makes it, and how many wait for that or do it.
        self._making: dict[Path, tuple[threading.Lock, int]] = {}

    def find(self, folder: Path, name: str) -> Path | bytes:
        """A file of a run, made when it is missing or older than the log.

        Args:
            folder: the run's.
            name: one of :data:`NAMES`.

        Returns:
            Its path, or its content where it cannot be kept.

        Raises:
            CannotMake: the folder holds no log that can be read, too long a one,
                or what is no plain file.
        """
        path = folder / name
        for used in (path, folder / "run.json", *folder.glob("*.jsonl")):
            if used.is_symlink():
                raise CannotMake(f"{used.name} of this run is a link, and links are not followed")
            # Whoever opens a pipe waits for ever.
            if used.exists() and not used.is_file():
                raise CannotMake(f"{used.name} of this run is no plain file")
        with self._lock:
            making, count = self._making.get(path, (threading.Lock(), 0))
            self._making[path] = (making, count + 1)
        try:
            with making:
                return _columns(folder) if name == "columns.bin" else _why(path)
        except (LogFormatError, OSError, RecursionError) as error:
            raise CannotMake(f"there is no {name} of this run: {_told(error, folder)}") from error
        finally:
            with self._lock:
                _, count = self._making.pop(path)
                if count > 1:
                    self._making[path] = (making, count - 1)


def _told(error: Exception, folder: Path) -> str:
    """An error in words for the page, which need not learn where on this machine the run lies."""
    if isinstance(error, OSError):
        return error.strerror or "a file of it cannot be read"
    if isinstance(error, RecursionError):
        return "something in it is nested too deeply"
    return str(error).replace(f"{folder}/", "").replace(str(folder), "this folder")


def _columns(folder: Path) -> Path:
    from orchestrator.columns import (  # noqa: PLC0415 - loaded when first asked for
        ColumnsError,
        is_current,
        write_columns,
    )

    if is_current(folder):
        return folder / "columns.bin"
    log = folder / "events.jsonl"
    size = log.stat().st_size if log.exists() else 0
    if size > _COLUMNS_LIMIT_BYTES:
        raise CannotMake(
            f"the log has {size // 1_000_000} MB, and an index is made of up to "
            f"{_COLUMNS_LIMIT_BYTES // 1_000_000} MB"
        )
    try:
        return write_columns(folder)
    except ColumnsError as error:
        raise CannotMake(str(error)) from error


def _why(path: Path) -> Path | bytes:
    from paxos.checker.why import explain_path  # noqa: PLC0415 - loaded when first asked for

    folder = path.parent
    if _is_fresh(path):
        return path
    merged = folder / "events.jsonl"
    logs = [merged] if merged.is_file() else [folder]
    size = sum(log.stat().st_size for log in folder.glob("*.jsonl"))
    if size > 2 * _WHY_LIMIT_BYTES:
        raise CannotMake(
            f"the log has {size // 2_000_000} MB, and reasons are given up to "
            f"{_WHY_LIMIT_BYTES // 1_000_000} MB: ask a shorter run"
        )
    found: Any = explain_path(*logs)
    return _keep(path, json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())


def _is_fresh(path: Path) -> bool:
    """Whether a file is there and no log beside it is newer."""
    try:
        made = path.stat().st_mtime_ns
        logs = [log.stat().st_mtime_ns for log in path.parent.glob("*.jsonl")]
    except OSError:
        return False
    return all(log <= made for log in logs)


def _keep(path: Path, content: bytes) -> Path | bytes:
    """Write a file beside and rename it, so that a reader finds a whole one or none."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        return content
    return path
