"""The nodes' lines as they are written, merged: told in plain words, or raw for a program."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Final, TypeVar

from rich.console import Console
from rich.text import Text

from orchestrator.clients import at_once
from orchestrator.cluster import Follower, LabError, Sink
from orchestrator.container_logs import ContainerFollower
from orchestrator.engine import connect
from orchestrator.inside import Found, inside
from orchestrator.places import Places
from orchestrator.tail import FileFollower, read_lines
from paxos.events import Line, bundled, encode, level_of, node_key

_Entry = TypeVar("_Entry")

_WAIT_S: Final = 0.1
_DRAIN_LIMIT_S: Final = 10.0
_LINES_PER_SENTENCE: Final = 10
_FEW_LINES: Final = 100
_LEVELS: Final = {"story": 0, "detail": 1, "quiet": 2}


class Printer:
    """Prints lines of several nodes in the order in which they were written.

    Args:
        console: where to.
        detail: 0 tells the story, 1 the details, too, 2 everything.
        raw: print the lines themselves instead.
    """

    def __init__(self, console: Console, detail: int, *, raw: bool) -> None:
        self._console = console
        self._detail = detail
        self._raw = raw
        self._lock = threading.Lock()
        self._waiting: list[Line] = []

    def put(self, lines: list[Line]) -> None:
        """Take lines, from any thread."""
        with self._lock:
            self._waiting.extend(lines)

    def print_all(self, last_count: int | None = None) -> None:
        """Print what came since the last call, or the last few of it."""
        with self._lock:
            lines, self._waiting = self._waiting, []
        lines.sort(key=lambda line: (line["at_ns"], node_key(line["node"]), line["seq"]))
        if self._raw:
            for line in _last(lines, last_count):
                print(encode(line).decode("utf-8"), end="", flush=True)
            return
        told = [line for line in lines if _LEVELS[level_of(line)] <= self._detail]
        for bundle in _last(list(bundled(told)), last_count):
            self._tell(bundle.lines[0], bundle.text)

    def _tell(self, line: Line, sentence: str) -> None:
        at = time.strftime("%H:%M:%S", time.localtime(line["at_ns"] // 1_000_000_000))
        part = line["at_ns"] // 1_000_000 % 1000
        instance = line.get("instance")
        about = f"[{instance}]" if instance is not None else ""
        self._console.print(
            Text(f"{at}.{part:03} {about:>6} ", "dim") + Text(sentence), soft_wrap=True
        )


def follow(places: Places, found: Found, printer: Printer, last_count: int, *, on: bool) -> None:
    """Print the last lines, then, when ``on``, those that come until Ctrl-C.

    Args:
        places: where the logs of local nodes are.
        found: which cluster.
        printer: prints them.
        last_count: how many of what is there already come first.
        on: whether to go on.

    Raises:
        LabError: there is nothing to follow.
    """
    opened = _of_docker if found.world == "docker" else _of_local
    # A sentence is not every line's: look further back than that many lines.
    looked_at = last_count * _LINES_PER_SENTENCE + _FEW_LINES
    with contextlib.suppress(KeyboardInterrupt), opened(places, found, printer.put, looked_at):
        printer.print_all(last_count)
        while on:
            time.sleep(_WAIT_S)
            printer.print_all()


@contextlib.contextmanager
def _of_docker(_places: Places, found: Found, sink: Sink, last_count: int) -> Iterator[Follower]:
    with inside(found.node_count) as cluster:
        containers = {
            node: entry["Name"].removeprefix("/") for node, entry in cluster.containers.items()
        }
    if not containers:
        raise LabError("no node has a container: `make up` makes them")
    with (
        contextlib.closing(connect()) as api,
        contextlib.closing(ContainerFollower(api, containers, sink, last_count)) as follower,
    ):
        # What is there already must be here before it is put in order, however late
        # a stream begins.
        at_once(lambda node: follower.drain(node, _DRAIN_LIMIT_S), containers)
        yield follower


@contextlib.contextmanager
def _of_local(places: Places, found: Found, sink: Sink, last_count: int) -> Iterator[Follower]:
    folder = places.state / "local" / str(found.node_count)
    paths = {path.stem: path for path in sorted(folder.glob("n*.log"))}
    if not paths:
        raise LabError(f"no node has written a line in {Places.shown(folder)}")
    with contextlib.closing(FileFollower(paths, sink)) as follower:
        for node, path in paths.items():
            written = path.read_bytes()
            whole = written[: written.rfind(b"\n") + 1]
            sink(read_lines(node, whole)[-last_count:])
        yield follower


def _last(entries: list[_Entry], count: int | None) -> list[_Entry]:
    return entries if count is None else entries[max(0, len(entries) - count) :]
