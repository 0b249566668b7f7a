"""Being interrupted: every way to end the lab undoes its faults, and none breaks that off."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any, Final

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], Any]

_is_undisturbed: ContextVar[bool] = ContextVar("is_undisturbed", default=False)
"""Whether a block of this thread that must be finished holds back what comes."""


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
    with _handling(_interrupt), _marked(undisturbed=False):
        yield


@contextlib.contextmanager
def interruptible_once() -> Iterator[None]:
    """Let the first interrupt end what is done here; those that follow are for the end itself.

    For the inside of :func:`undisturbed`: on the way from here to its end
    there is no moment in which an interrupt breaks anything off.
    """
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            _interrupt(number, frame)

    with _handling(handle), _marked(undisturbed=False):
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Finish what is begun: an interrupt that comes meanwhile is raised at the end.

    Whoever presses Ctrl-C twice must not be left with half of the faults. A
    block within another one leaves what comes to that one, which must be
    finished, too.
    """
    if _is_undisturbed.get():
        yield
        return
    came: list[int] = []
    with _handling(lambda number, _frame: came.append(number)), _marked(undisturbed=True):
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

    with _handling(handle), _marked(undisturbed=False):
        yield


@contextlib.contextmanager
def _marked(*, undisturbed: bool) -> Iterator[None]:
    token = _is_undisturbed.set(undisturbed)
    try:
        yield
    finally:
        _is_undisturbed.reset(token)
