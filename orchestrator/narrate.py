"""The story of a run on a terminal, line by line as the lines arrive.

A sentence is printed once its line is here, never before. Lines of several
nodes arrive in bursts; each waits for a moment, so that a cause of another
node's can be told first, and a fan-out (five Prepares) as one sentence.
"""

import contextlib
import heapq
import textwrap
import threading
import time
from collections.abc import Collection, Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

from paxos.events import Line, bundled, level_of, node_key

WIDTH: Final = 80
_WAIT_NS: Final = 60_000_000
_LEVELS: Final = {"story": 0, "detail": 1, "quiet": 2}
_INDENT: Final = " " * 11

_STYLES: Final = {
    "value_learned": "green",
    "nack_sent": "red",
    "nack_received": "red",
    "message_dropped": "red",
    "message_held": "magenta",
    "message_released": "magenta",
    "message_duplicated": "magenta",
    "message_reordered": "magenta",
    "fault_applied": "bold yellow",
    "fault_undone": "yellow",
    "failpoint_hit": "bold yellow",
    "power_lost": "bold yellow",
    "timeout_fired": "magenta",
    "state_persisted": "cyan",
    "propose_answered": "bold",
    "expectation_checked": "dim",
}

_CLAIMED_EXITS: Final = frozenset({0, 137})
# Told by headings of their own, at the right moment and in another form.
_TOLD_ELSEWHERE: Final = frozenset(
    {"run_started", "run_finished", "log_closed", "expectation_checked"}
)


def make_console(*, stderr: bool = False) -> Console:
    """A console of 80 columns at most: colour only on a terminal that wants it."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    console.width = min(WIDTH, console.width) if console.is_terminal else WIDTH
    return console


class Narrator:
    """Prints a run's lines. A thread of its own does, so that no step waits for the terminal.

    Args:
        console: where to.
        detail: 0 tells the story, 1 the details, too, 2 everything.
    """

    def __init__(self, console: Console, detail: int = 0) -> None:
        self._console = console
        self._detail = detail
        self._told: Collection[int] = ()
        self._began_ns = 0
        self._heap: list[tuple[int, int, int, int, Line]] = []
        self._count = 0
        self._changed = threading.Condition()
        self._flushing = 0
        self._printing = False
        self._thread = threading.Thread(target=self._run, name="narrator", daemon=True)
        self._thread.start()

    def begin(self, instances: Collection[int], began_ns: int | None = None) -> None:
        """Tell of these instances, and count the time from now, or from a world's own clock."""
        with self._changed:
            self._told = frozenset(instances)
            self._began_ns = time.time_ns() if began_ns is None else began_ns

    def put(self, lines: list[Line]) -> None:
        """Take lines, from any thread."""
        with self._changed:
            for line in lines:
                if self._is_told(line):
                    self._count += 1
                    if "rule" in line:
                        # Each way has a rule of its own name; a fan-out is one sentence.
                        line = {**line, "rule": ""}  # noqa: PLW2901 - a copy for the story
                    key = (line["at_ns"], node_key(line["node"]), line["seq"], self._count)
                    heapq.heappush(self._heap, (*key, line))
            self._changed.notify_all()

    def flush(self) -> None:
        """Return when everything that was taken is printed."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            while self._heap or self._printing:
                self._changed.wait()
            self._flushing -= 1

    def _is_told(self, line: Line) -> bool:
        # What changes nothing belongs to the details, and so do the lab's own probes,
        # and exits that are claimed as faults, with their code.
        minor = (
            "ignored" in line
            or line.get("kind") == "probe"
            or (line["event"] == "node_exited" and line["exit_code"] in _CLAIMED_EXITS)
        )
        level = max(_LEVELS[level_of(line)], 1 if minor else 0)
        if line["event"] in _TOLD_ELSEWHERE or level > self._detail:
            return False
        instance = line.get("instance")
        return instance is None or instance in self._told

    def _run(self) -> None:
        while True:
            with self._changed:
                self._printing = False
                self._changed.notify_all()
                while not self._heap:
                    self._changed.wait()
                age_ns = time.time_ns() - self._heap[0][0]
                if age_ns < _WAIT_NS and not self._flushing:
                    self._changed.wait((_WAIT_NS - age_ns) / 1e9)
                    continue
                ripe = list(self._take())
                self._printing = True
            # A reader that has gone (`| head`) must not keep a run from its end: rich
            # ends the thread then, and whoever flushes would wait for ever.
            with contextlib.suppress(OSError, SystemExit):
                for bundle in bundled(ripe):
                    self._print(bundle.lines[0], bundle.text)

    def _take(self) -> Iterator[Line]:
        """The lines that are ripe, each with all of its fan-out that is here."""
        until_ns = time.time_ns() - (0 if self._flushing else _WAIT_NS)
        ripe: list[Line] = []
        later: list[tuple[int, int, int, int, Line]] = []
        while self._heap:
            entry = heapq.heappop(self._heap)
            if entry[0] <= until_ns:
                ripe.append(entry[-1])
            else:
                later.append(entry)
        waiting = [entry[-1] for entry in later]
        while ripe:
            line = ripe.pop(0)
            yield line
            yield from _rest_of_fan_out(line, ripe)
            if not ripe:
                yield from _rest_of_fan_out(line, waiting)
        self._heap = [entry for entry in later if any(entry[-1] is line for line in waiting)]
        heapq.heapify(self._heap)

    def _print(self, line: Line, sentence: str) -> None:
        if line["event"] == "step_started":
            self._console.print()
            heading = textwrap.wrap(sentence, WIDTH - 4)
            for number, row in enumerate(heading):
                self._console.print(Text(("> " if number == 0 else "  ") + row, "bold"))
            return
        milliseconds = max(0, line["at_ns"] - self._began_ns) // 1_000_000
        rows = textwrap.wrap(sentence, WIDTH - len(_INDENT), break_on_hyphens=False) or [""]
        style = _STYLES.get(line["event"], "")
        for number, row in enumerate(rows):
            margin = f"{milliseconds:>7} ms " if number == 0 else _INDENT
            self._console.print(Text.assemble((margin, "dim"), (row, style)))


def _rest_of_fan_out(line: Line, following: list[Line]) -> Iterator[Line]:
    """Take out of ``following`` what goes on with the fan-out that ``line`` began.

    Only as long as the node's own next line belongs to it: the order of a
    node's lines is never changed.
    """
    for other in list(following):
        if other["node"] != line["node"]:
            continue
        if len(list(bundled([line, other]))) != 1:
            return
        following[:] = [kept for kept in following if kept is not other]
        yield other
