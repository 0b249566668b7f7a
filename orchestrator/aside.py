"""Work on a run's folder in a process of its own, beside what the lab does meanwhile.

A long run is judged twice over (by the rules, and by a replay through the
core) and indexed; none of these needs another, so each takes a processor where
there are several. ``python -m orchestrator.aside WORK FOLDER`` is the process.
"""

import contextlib
import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

CONFORMANCE: Final = "conformance"
COLUMNS: Final = "columns"


class Work:
    """One piece of work that goes on.

    Args:
        what: :data:`CONFORMANCE` or :data:`COLUMNS`.
        folder: the run's; its lines and its table are written.
    """

    def __init__(self, what: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.aside", what, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            # Ctrl-C is for the lab, which finishes what it has begun.
            start_new_session=True,
        )

    def result(self) -> Mapping[str, Any] | None:
        """Wait for what it found; ``None`` if it failed: then somebody else must do it."""
        told, _ = self._process.communicate()
        found: Mapping[str, Any] | None = (
            json.loads(told) if self._process.returncode == 0 else None
        )
        return found

    def stop(self) -> None:
        """Break it off, unless it is done."""
        self._process.kill()
        with self._process:
            pass


@contextlib.contextmanager
def begun(what: str, folder: Path) -> Iterator[Work]:
    """Let a piece of work go on; when the context is left it is over, done or not."""
    work = Work(what, folder)
    try:
        yield work
    finally:
        work.stop()


def main() -> None:
    """Do one piece of work, and print what it found as JSON."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    # It ends soon, and whoever looks for garbage meanwhile looks through every line.
    gc.disable()
    if what == COLUMNS:
        from orchestrator.columns import ColumnsError, write_columns  # noqa: PLC0415 - one is loaded

        # The page's first visitor is told what is wrong where it cannot be made.
        with contextlib.suppress(ColumnsError):
            write_columns(folder)
        print("{}")
        return
    from orchestrator.judging import conformance_of  # noqa: PLC0415

    print(json.dumps(conformance_of(folder)))


if __name__ == "__main__":
    main()
