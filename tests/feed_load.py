"""A live run of simulated lines at a given rate, to measure the page and the server with.

``python -m tests.feed_load --rate 5000`` prints the address of a page whose
live run grows so fast; ``--measure`` reads it itself and prints what that cost.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orchestrator.web.desk import AtWork, Desk, Live, Offer
from orchestrator.web.feed import Bells, Feed
from orchestrator.web.safety import Refusal
from tests.big_log import write_log
from tests.web_server import Listener, Page, serving

MEMBERS: Final = ("n1", "n2", "n3", "n4", "n5")
_TICK_S: Final = 0.005


class Simulated:
    """A live run whose lines come from a file, so many a second. Implements ``AtWork``.

    Args:
        folder: where its feed is written.
        lines: what it brings, in order.
        rate: how many lines a second; 0: only by :meth:`bring`.
        bells: rung when there is more.
    """

    def __init__(self, folder: Path, lines: list[bytes], rate: float, bells: Bells) -> None:
        self.live = Live("20260101-000000-live", Feed(folder / "feed.jsonl", bells))
        self.commands: list[Mapping[str, Any]] = []
        self._lines = lines
        self._rate = rate
        self._brought = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if rate:
            self._thread.start()

    def bring(self, count: int) -> int:
        """Bring the next lines; how many there are by then."""
        until = min(self._brought + count, len(self._lines))
        self.live.feed.append(self._lines[self._brought : until])
        self._brought = until
        return until

    def state(self) -> dict[str, Any]:
        """A cluster on which all is well."""
        return {
            "v": 1,
            "available": True,
            "why": "A simulated live run goes on.",
            "world": "local",
            "members": list(MEMBERS),
            "instances": {"live-1": 1},
            "instance": "live-1",
            "down": [],
            "paused": [],
            "faults": [],
            "commands": ["propose", "kill", "start"],
        }

    def command(self, data: Mapping[str, Any]) -> str:
        """Note a command, and do nothing."""
        if "refuse" in data:
            raise Refusal(409, "Not now.")
        self.commands.append(data)
        return f"Noted: {json.dumps(data)}."

    def look(self) -> bool:
        """Nothing happens by itself."""
        return False

    def end(self) -> dict[str, Any]:
        """End it; it leaves no folder."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        return {"run": None, "verdict": "unknown", "sentence": "The simulated run has ended."}

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stopped.wait(_TICK_S) and self._brought < len(self._lines):
            due = int((time.monotonic() - began) * self._rate)
            self.bring(due - self._brought)


class SimulatedWorld:
    """Where simulated live runs are. Implements ``World``."""

    def __init__(self, folder: Path, lines: list[bytes], rate: float) -> None:
        self._folder = folder
        self._lines = lines
        self._rate = rate
        self.runs: list[Simulated] = []

    def offer(self) -> Offer:
        """Always there."""
        return Offer(available=True, why="A simulated cluster.", world="local", members=MEMBERS)

    def begin(self, bells: Bells) -> AtWork:
        """Begin to bring lines."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        self.runs.append(Simulated(folder, self._lines, self._rate, bells))
        return self.runs[-1]


@contextlib.contextmanager
def serving_desk(logs: Path, desk: Desk) -> Iterator[Page]:
    """A server whose desk is worked on a thread of its own."""
    thread = threading.Thread(target=desk.work, daemon=True)
    thread.start()
    try:
        with serving(logs, desk) as url:
            yield Page(url)
    finally:
        desk.stop()
        thread.join(timeout=60)
        desk.close()


@contextlib.contextmanager
def serving_feed(
    folder: Path, rate: float, count: int, logs: Path | None = None
) -> Iterator[tuple[Page, Simulated]]:
    """A page whose live run has begun, and grows by simulated lines.

    Args:
        folder: where the lines are kept between calls.
        rate: lines a second; 0: by hand (:meth:`Simulated.bring`).
        count: how many lines there are in all.
        logs: the runs that are offered beside; none without.
    """
    path = write_log(folder / f"simulated-{count}.jsonl", count)
    lines = path.read_bytes().splitlines(keepends=True)
    world = SimulatedWorld(folder, lines, rate)
    with serving_desk(logs or folder / "logs", Desk(world)) as page:
        status, told = page.post("live/begin", {})
        assert status == 200, told
        yield page, world.runs[0]


@dataclass(frozen=True, slots=True)
class Figures:
    """What it cost a server to feed one client.

    Attributes:
        seconds: how long the client read.
        lines: how many lines it had.
        batches: in how many messages.
        server_percent: of one core, by the server, the making of the lines included.
        lags_ms: by how much each message was later than the promptest one, sorted.
    """

    seconds: float
    lines: int
    batches: int
    server_percent: float
    lags_ms: list[float]

    def at(self, percent: int) -> float:
        """The lag that so many of a hundred messages do not exceed."""
        return self.lags_ms[min(len(self.lags_ms) - 1, len(self.lags_ms) * percent // 100)]

    def __str__(self) -> str:
        """One row."""
        return (
            f"{self.lines} lines in {self.seconds:.1f} s, {self.batches} messages; "
            f"server {self.server_percent:.1f} % of a core; later than the promptest by "
            f"{self.at(50):.1f} ms (p50), {self.at(95):.1f} ms (p95), {self.lags_ms[-1]:.1f} ms (most)"
        )


def measure(page: Page, server: int, rate: float, count: int) -> Figures:
    """Read a feed from another process, as one client.

    Args:
        page: the server's.
        server: its process id.
        rate: lines a second.
        count: how many lines there will be.
    """
    began, spent_s = time.monotonic(), _spent_s(server)
    at: list[tuple[float, int]] = []
    with Listener(page) as listener:
        for message in listener:
            if message.event == "lines":
                at.append((time.monotonic() - began, listener.cursor))
                if listener.cursor >= count:
                    break
    seconds = time.monotonic() - began
    percent = 100 * (_spent_s(server) - spent_s) / seconds
    behind = [moment - cursor / rate for moment, cursor in at]
    lags_ms = sorted(1000 * (one - min(behind)) for one in behind)
    return Figures(seconds, count, len(at), percent, lags_ms)


def _spent_s(process: int) -> float:
    """How long a process has computed so far."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Serve until Ctrl-C, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5_000, help="lines a second")
    parser.add_argument("--seconds", type=float, default=30, help="how long the lines last")
    parser.add_argument("--measure", action="store_true", help="read it, and say what that cost")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "paxos-feed")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    count = int(given.rate * given.seconds)
    if given.measure:
        write_log(given.folder / f"simulated-{count}.jsonl", count)
        words = ["--rate", str(given.rate), "--seconds", str(given.seconds)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.feed_load", *words, "--folder", str(given.folder)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None, "its output is piped"
                url, _, token = process.stdout.readline().strip().partition("#token=")
                page = Page(url, token)
                sys.stdout.write(f"{measure(page, process.pid, given.rate, count)}\n")
            finally:
                process.send_signal(signal.SIGINT)
        return
    with (
        serving_feed(given.folder, given.rate, count) as (page, _),
        contextlib.suppress(KeyboardInterrupt),
    ):
        sys.stdout.write(f"{page.opened}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
