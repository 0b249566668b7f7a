"""Being interrupted: every way to end the lab undoes its faults, and none breaks that off."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], Any]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handling(handler: Handler) -> Iterator[None]:
    # Only the main thread may set handlers, and only it is interrupted.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _ENDING}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the lab as Ctrl-C does."""
    with _handling(_interrupt):
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Finish what is begun: an interrupt that comes meanwhile is raised at the end.

    Whoever presses Ctrl-C twice must not be left with half of the faults.
    """
    came: list[int] = []
    with _handling(lambda number, _frame: came.append(number)):
        yield
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def at_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` at the first interrupt, and let the second one interrupt."""
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            _interrupt(number, frame)
        stop()

    with _handling(handle):
        yield
