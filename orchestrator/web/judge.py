"""Verdict and whys while a run goes on: of the lines that fit together so far.

They are made by a process of its own (``judge_process``), at a rhythm: after
each judgement it rests as long as that took. So of one processor at most half
is spent, however long the run is, and what is said is at most two judgements
old; it says itself of how many lines it speaks.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_LEAST_PAUSE_S: Final = 0.4
_PAUSE_FACTOR: Final = 1.0
"""After each judgement it rests so many times as long."""


class Judge:
    """Judges a run that goes on, and not more often than it can afford.

    Args:
        feed: the file of the run's lines; read once it is asked for a judgement.
        size: gives how many bytes of it hold whole lines.
        table: gives the runner's table, with where the run begins as its pieces.
        publish: takes ``verdict`` and ``why`` with their content, as JSON.
    """

    def __init__(
        self,
        feed: Path,
        size: Callable[[], int],
        table: Callable[[], dict[str, Any]],
        publish: Callable[[dict[str, bytes]], None],
    ) -> None:
        self._size = size
        self._table = table
        self._publish = publish
        self._new = threading.Event()
        self._closed = threading.Event()
        self._process = _begin(feed)
        self._thread = threading.Thread(target=self._run, name="judge", daemon=True)
        self._thread.start()

    def notice(self) -> None:
        """There are more lines."""
        self._new.set()

    def close(self) -> None:
        """Judge no more; what is begun is broken off."""
        self._closed.set()
        self._new.set()
        self._process.kill()
        self._process.wait()
        # Its pipes belong to the thread until it has seen their end.
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None, "both are pipes"
            with contextlib.suppress(OSError):
                pipe.close()

    def _run(self) -> None:
        pause_s = _LEAST_PAUSE_S
        while not self._closed.wait(pause_s):
            self._new.wait()
            self._new.clear()
            began = time.monotonic()
            try:
                has_more = self._judge()
            except (OSError, ValueError) as error:
                if not self._closed.is_set():
                    print(f"The verdict comes when the run ends: {error}", file=sys.stderr)
                return
            except Exception:  # The root of a thread: the run goes on without.
                traceback.print_exc(file=sys.stderr)
                return
            pause_s = max(_LEAST_PAUSE_S, _PAUSE_FACTOR * (time.monotonic() - began))
            if has_more:
                self._new.set()

    def _judge(self) -> bool:
        """Have judged what fits together; whether there is more, which does not yet."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None, "its input is a pipe"
        assert answers is not None, "and so is its output"
        asked = {"size": self._size(), "now_ns": time.time_ns(), "table": self._table()}
        requests.write(json.dumps(asked).encode() + b"\n")
        requests.flush()
        head = answers.readline()
        if not head:
            raise ValueError(f"the judge has ended with exit code {self._process.wait()}")
        told = json.loads(head)
        found = {name: answers.read(told[name]) for name in ("verdict", "why") if told[name]}
        if any(len(content) < told[name] for name, content in found.items()):
            raise ValueError("the judge has ended in the midst of an answer")
        if found and not self._closed.is_set():
            self._publish(found)
        return bool(told["has_more"])


def _begin(feed: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator.web.judge_process", str(feed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        # Ctrl-C is for the lab, which ends it.
        start_new_session=True,
    )
