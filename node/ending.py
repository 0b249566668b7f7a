"""How a node's process ends: by a signal, by request, or because it must not go on."""

import asyncio
import contextlib
import os
import sys
import traceback
from collections.abc import Coroutine
from typing import Any, Final, NoReturn

from node.log import Log, LogBroken
from paxos.storage import StorageError

EXIT_STOPPED: Final = 0
"""Asked to stop: SIGTERM, SIGINT or Shutdown."""
EXIT_CONFIGURATION: Final = 2
"""A setting or a command line that will not do; nothing was touched."""
EXIT_STATE_REFUSED: Final = 3
"""The state directory is damaged, foreign, missing or in use; nothing was changed."""
EXIT_DISK_FAILED: Final = 4
"""A write or a sync failed, of the state or of the log. Never tried again."""
EXIT_BUG: Final = 5
"""An assertion failed. What the node promised is on disk; report the traceback."""


class Tasks:
    """The tasks of a node: kept until they are done, and none fails unseen.

    Args:
        log: takes ``node_stopped`` when the process must end.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a task that nobody waits for. If it raises, the process ends."""
        self.begin(work)  # type: ignore[unused-awaitable] # Nobody waits for it.

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a task that can be waited for. If it raises, the process ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def cancel_all(self) -> None:
        """End all tasks but the one that asks."""
        rest = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.end_for(error)

    def end_for(self, error: BaseException) -> NoReturn:
        """End the process at once: what failed must not be followed by anything.

        A failed sync is not repeated, for the kernel may have dropped the
        bytes and call them clean. A broken invariant is not survived, for
        nobody knows what state it left.
        """
        match error:
            case StorageError() | LogBroken():
                code, reason = EXIT_DISK_FAILED, str(error)
            case AssertionError():
                code, reason = EXIT_BUG, f"a bug of this program: {error}"
            case _:
                code, reason = EXIT_BUG, f"a bug of this program: {error!r}"
        try:
            # Both may be on the disk that failed, or have lost their reader.
            with contextlib.suppress(OSError, ValueError):
                if code == EXIT_BUG:
                    traceback.print_exception(error, file=sys.stderr)
                else:
                    print(f"error: {reason}", file=sys.stderr)  # noqa: T201 - the last word
                sys.stderr.flush()
            with contextlib.suppress(LogBroken):
                self._log.write_last({"event": "node_stopped", "reason": reason})
        finally:
            os._exit(code)

    def on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the process for an error in a callback, which no task would report."""
        error = context.get("exception")
        self.end_for(error or AssertionError(context["message"]))
