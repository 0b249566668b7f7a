"""What a lab that was killed while it wrote a run has left behind in ``logs/``.

A run's folder is written under a hidden name that nobody else gives,
``.<run>.lab-part.<process>``, and renamed when it is whole. Whoever writes it
holds a lock on it: so one is left over only when its process is gone and the
lock is free, for the number of a process says little by itself (a container
counts its own).
"""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PART: Final = "lab-part"
_FEED: Final = "lab-feed"
_RUN: Final = r"\d{8}-\d{6}-.+"
_OURS: Final = re.compile(rf"\.({_RUN})\.({_PART}|{_FEED})\.(\d{{1,10}})")
_LATEST: Final = re.compile(r"\.latest-(\d{1,10})")


def part_of(logs: Path, run: str) -> Path:
    """Where this process writes a run's folder."""
    return logs / f".{run}.{_PART}.{os.getpid()}"


def aside_of(logs: Path, run: str) -> Path:
    """Where this process keeps the lines of a live run while its folder is written."""
    return logs / f".{run}.{_FEED}.{os.getpid()}"


@contextlib.contextmanager
def made(folder: Path) -> Iterator[None]:
    """Make a folder and hold it.

    Before it is held another lab, which cannot see this process from its own
    container, may take it for left over: then it is made once more.

    Raises:
        OSError: it is there already, or cannot be made.
    """
    while True:
        folder.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(held(folder))
            except FileNotFoundError:
                continue
            if folder.is_dir():
                yield
                return


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Let nobody take a folder for left over, under whatever name it is meanwhile."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def clear_leftovers(logs: Path) -> None:
    """Remove what a killed lab has left half-made, and give a live run its lines back.

    What cannot be removed stays: whoever starts next tries again.
    """
    with contextlib.suppress(OSError):
        for path in sorted(logs.glob(".*")):
            with contextlib.suppress(OSError):
                _clear(path)


def _clear(path: Path) -> None:
    latest = _LATEST.fullmatch(path.name)
    if latest is not None and path.is_symlink() and not _lives(int(latest[1])):
        _clear_link(path)
    found = _OURS.fullmatch(path.name)
    if found is None or path.is_symlink() or not path.is_dir() or _lives(int(found[3])):
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run = path.with_name(found[1])
        if found[2] == _FEED and not run.exists():
            # They are all that there is of that run.
            path.rename(run)
        else:
            shutil.rmtree(path)
    finally:
        os.close(handle)


def _clear_link(path: Path) -> None:
    if re.fullmatch(_RUN, str(path.readlink())):
        path.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
