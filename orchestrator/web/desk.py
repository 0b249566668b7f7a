"""The live run: at most one, and what the page may do to it, one thing after another.

Requests come on the server's threads; whatever touches a cluster is done on
one thread, the lab's (:meth:`Desk.work`), in the order in which it was asked
for. Local processes live only as long as the thread that started them, and
faults are undone by the thread that an interrupt reaches: so that thread is
the process's main one (see ``serve``).
"""

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from orchestrator.cluster import LabError
from orchestrator.interrupts import undisturbed
from orchestrator.web.feed import Bell, Bells, Feed
from orchestrator.web.safety import Refusal, sentence

STREAM_LIMIT_COUNT: Final = 12
"""How many clients may listen at once; a browser has one for each tab."""

_QUEUE_LIMIT_COUNT: Final = 16
_LOOK_EVERY_S: Final = 1.0
_ASK_AGAIN_S: Final = 2.0
_NO_RUN: Final = "No live run goes on: begin one first."
_CLOSING: Final = "The server is ending."


@dataclass(slots=True)
class Live:
    """What listeners see of one live run.

    Attributes:
        run: its name.
        feed: its lines.
        judged: the newest ``verdict`` and ``why``, as JSON, by those names.
        progress: what its end is about, in a sentence; empty before.
        ended: what it became, once it has ended.
    """

    run: str
    feed: Feed
    judged: dict[str, bytes] = field(default_factory=dict)
    progress: str = ""
    ended: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What there is to attach to.

    Attributes:
        available: whether a live run can be begun.
        why: a sentence: what is there, or what is missing and what to do.
        world: ``docker`` or ``local``; ``None`` where there is neither.
        members: its nodes.
    """

    available: bool
    why: str
    world: str | None = None
    members: tuple[str, ...] = ()


class AtWork(Protocol):
    """A live run in the lab's hands. Used by the lab's thread alone."""

    live: Live

    def state(self) -> dict[str, Any]:
        """The part of ``live.json`` that is this run's own."""

    def command(self, data: Mapping[str, Any]) -> str:
        """Carry out one step; what was done, in a sentence.

        Raises:
            Refusal: it was not, or not wholly; the text says why.
        """

    def look(self) -> bool:
        """Notice what happened by itself; whether anything did."""

    def end(self) -> dict[str, Any]:
        """Undo every fault, write the run's folder.

        Returns:
            ``run``, ``verdict`` and ``sentence``; ``is_undone``, whether nothing
            that outlives the run is hurt still.
        """


class World(Protocol):
    """Where live runs are."""

    def offer(self) -> Offer:
        """What there is; may take a moment. Safe to use from any thread."""

    def begin(self, bells: Bells) -> AtWork:
        """Begin a live run.

        Raises:
            LabError: the cluster is not as it must be.
        """


class NoWorld:
    """Where nothing can be live."""

    def __init__(self, why: str) -> None:
        self._why = why

    def offer(self) -> Offer:
        """Nothing."""
        return Offer(available=False, why=self._why)

    def begin(self, _bells: Bells) -> AtWork:
        """There is nothing to begin."""
        raise LabError(self._why)


@dataclass(slots=True)
class _Job:
    do: Callable[[], dict[str, Any]]
    answer: "Future[dict[str, Any]]" = field(default_factory=Future)


class Desk:
    """One live run at most, its listeners, and the queue of what is to be done to it.

    Args:
        world: where live runs are.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_QUEUE_LIMIT_COUNT)
        self._lock = threading.Lock()
        self._offer: tuple[float, Offer] | None = None
        self._at_work: AtWork | None = None
        self._state: dict[str, Any] = {}
        self._phase = "none"
        self._closing = False
        self._stop_bells = Bells()
        self._stopped = False
        self.bells = Bells()
        self.live: Live | None = None
        """The run that goes on, or the one that ended last."""

    # --- for the server's threads -------------------------------------------

    def state(self) -> dict[str, Any]:
        """The content of ``live.json``. May ask an engine, so it may take a moment."""
        if self._phase != "none" and self.live is not None and self.live.ended is None:
            return self.state_of(self.live)
        offer = self._offered()
        return {
            "v": 1,
            "available": offer.available,
            "why": offer.why,
            "world": offer.world,
            "members": list(offer.members),
            "run": None,
            "state": self._phase,
            "line_count": 0,
            "epoch": None,
            "instances": {},
            "instance": None,
            "down": [],
            "paused": [],
            "faults": [],
            "commands": [],
        }

    def state_of(self, live: Live) -> dict[str, Any]:
        """The content of ``live.json`` while a run goes on; asks nobody."""
        return {
            **self._state,
            **({"why": live.progress} if live.progress else {}),
            "run": live.run if live.ended is None else None,
            "state": self._phase if live is self.live else "none",
            "line_count": live.feed.count,
            "epoch": live.feed.epoch,
        }

    def ask(self, verb: str, data: Mapping[str, Any]) -> "Future[dict[str, Any]]":
        """Have something done on the lab's thread: ``begin``, ``commands`` or ``end``.

        Returns:
            Becomes the answer to the page, or raises :class:`Refusal`.

        Raises:
            Refusal: it cannot be taken on.
        """
        do: dict[str, Callable[[], dict[str, Any]]] = {
            "begin": self._begin,
            "commands": lambda: self._command(data),
            "end": self._end,
        }
        job = _Job(do[verb])
        if self._closing:
            raise Refusal(503, _CLOSING)
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Refusal(429, "Too many commands wait already: see what they do first.") from None
        return job.answer

    async def stopping(self) -> None:
        """Wait until listeners are to go."""
        bell = Bell()
        self._stop_bells.add(bell)
        try:
            while not self._stopped:
                await bell.wait(60.0)
        finally:
            self._stop_bells.remove(bell)

    @property
    def is_stopping(self) -> bool:
        """Whether the server stops."""
        return self._stopped

    def send_away(self) -> None:
        """End every stream: the server stops."""
        self._stopped = True
        self._stop_bells.ring()

    def _offered(self) -> Offer:
        with self._lock:
            now = time.monotonic()
            if self._offer is None or now > self._offer[0]:
                self._offer = (now + _ASK_AGAIN_S, self._world.offer())
            return self._offer[1]

    # --- for the lab's thread -----------------------------------------------

    def work(self) -> None:
        """Do what is asked for until :meth:`stop`, or an interrupt."""
        while True:
            job = None
            try:
                job = self._jobs.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._look()
            else:
                if job is None:
                    return
                self._carry_out(job)

    def stop(self) -> None:
        """Let :meth:`work` return once it has done what it is doing."""
        self._closing = True
        with suppress(queue.Full):
            self._jobs.put_nowait(None)

    def close(self) -> None:
        """End the live run, if one goes on, and refuse whatever waits."""
        self._closing = True
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is not None and job.answer.set_running_or_notify_cancel():
                job.answer.set_exception(Refusal(503, _CLOSING))
        try:
            if self._at_work is not None:
                self._end()
        except Refusal as refused:
            raise LabError(refused.sentence) from refused
        except Exception as error:  # The root of a task: the server must still end.
            traceback.print_exc(file=sys.stderr)
            raise LabError(f"the run broke off, by our own fault: {error!r}") from error
        finally:
            if self.live is not None:
                self.live.feed.close()

    def _carry_out(self, job: _Job) -> None:
        if not job.answer.set_running_or_notify_cancel():
            return
        try:
            answer = job.do()
        except Refusal as refused:
            job.answer.set_exception(refused)
        except Exception as error:  # The root of a task: the desk goes on.
            traceback.print_exc(file=sys.stderr)
            job.answer.set_exception(Refusal(500, f"That broke off, by our own fault: {error}"))
        except BaseException:
            job.answer.set_exception(Refusal(503, _CLOSING))
            raise
        else:
            job.answer.set_result(answer)

    def _begin(self) -> dict[str, Any]:
        if self._at_work is not None:
            raise Refusal(409, f"The live run {self._at_work.live.run} goes on: attach to it.")
        self._move("beginning")
        try:
            self._at_work = self._world.begin(self.bells)
        except LabError as error:
            raise Refusal(503, sentence(f"No live run can be begun: {error}")) from error
        finally:
            self._offer = None
            if self._at_work is None:
                self._move("none")
        if self.live is not None:
            self.live.feed.close()
        self._state = self._at_work.state()
        self.live = self._at_work.live
        self._move("running")
        told = f"The live run {self.live.run} has begun."
        return {"sentence": told, "run": self.live.run, "live": self.state()}

    def _command(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if self._at_work is None:
            raise Refusal(409, _NO_RUN)
        try:
            told = self._at_work.command(data)
        finally:
            # Also what was done in part has changed it.
            self._state = self._at_work.state()
            self.bells.ring()
        return {"sentence": told, "live": self.state()}

    def _end(self) -> dict[str, Any]:
        at_work = self._at_work
        if at_work is None:
            raise Refusal(409, _NO_RUN)
        # Between letting go of it and its end no interrupt may drop it.
        with undisturbed():
            return self._end_of(at_work)

    def _end_of(self, at_work: AtWork) -> dict[str, Any]:
        self._move("ending")
        # Whatever happens, it is over: a run that cannot be collected is not begun on.
        self._at_work = None
        run = at_work.live.run
        told: dict[str, Any] = {"run": run, "sentence": "The run broke off."}
        try:
            told = at_work.end()
        except LabError as error:
            why = sentence(f"The run broke off: {error}")
            told = {"run": run, "sentence": f"{why} Its folder holds what had come."}
            raise Refusal(500, told["sentence"]) from error
        finally:
            at_work.live.ended = told
            self._offer = None
            self._move("none")
        return told

    def _look(self) -> None:
        if self._at_work is None:
            return
        try:
            if self._at_work.look():
                self._state = self._at_work.state()
                self.bells.ring()
        except LabError as error:
            # The engine is gone, say: whoever commands is told, and the run can be ended.
            print(f"The live run cannot be looked at: {error}", file=sys.stderr)
        except Exception:  # The root of a task: the desk goes on.
            traceback.print_exc(file=sys.stderr)

    def _move(self, phase: str) -> None:
        self._phase = phase
        self.bells.ring()
