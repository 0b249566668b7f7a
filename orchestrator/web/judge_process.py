"""The judge's own process: ``python -m orchestrator.web.judge_process FEED``.

It reads what is new in the feed's file whenever it is asked, so a long run is
parsed once, and neither the server nor the lab stands still while it judges.
A request is a line of JSON on the standard input, ``{"size", "now_ns",
"table"}``; the answer on the standard output is such a line, ``{"judged_count",
"has_more", "verdict", "why"}``, whose last two say how many bytes of each
follow. It ends with its input.
"""

import gc
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from orchestrator.web.closed import At, ClosedPart, pieces_of
from paxos.checker.reader import USED, collect
from paxos.checker.table import Run
from paxos.checker.verdict import judge
from paxos.checker.why import ALSO, explain_log
from paxos.events import HEADER, Line, LogFormatError

_NICE: Final = 5
"""The nodes' own time comes first."""
_READ_BYTES: Final = 1 << 24
_LEAST: Final = frozenset({*HEADER, "cause", "message"})
"""What is kept of a line that no rule looks at: who wrote it, and what it relies on."""


class Judgement:
    """The lines of one run so far, and what is said of them.

    Args:
        feed: their file, which grows by whole lines.
        members: whose lines come.
    """

    def __init__(self, feed: BinaryIO, members: tuple[str, ...]) -> None:
        self._feed = feed
        self._part = ClosedPart(members)
        self._at = 0
        self._line_count = 0
        self._judged_count = 0

    def read(self, size: int) -> None:
        """Take in the feed up to so many bytes, where a line ends."""
        while self._at < size:
            want = min(_READ_BYTES, size - self._at)
            data = os.pread(self._feed.fileno(), want, self._at)
            whole = data[: data.rfind(b"\n") + 1]
            if not whole:
                # One line that is longer than a piece; or a file that was cut.
                whole = os.pread(self._feed.fileno(), size - self._at, self._at)
                whole = whole[: whole.rfind(b"\n") + 1]
            if not whole:
                return
            self._at += len(whole)
            lines = [_needed(json.loads(row)) for row in whole.splitlines()]
            self._line_count += len(lines)
            self._part.add(lines)
        # They stay: who looks for garbage need not look through them again.
        gc.freeze()

    def judge(self, table: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
        """What is to be said now; only counts where nothing is new.

        Args:
            table: the runner's, with where the run begins as its pieces.
            now_ns: wall time.
        """
        lines = self._part.advance(now_ns, _starts(table["pieces"]))
        found: dict[str, Any] = {
            "judged_count": len(lines),
            "has_more": len(lines) < self._line_count,
        }
        if len(lines) == self._judged_count:
            return found
        self._judged_count = len(lines)
        run = Run.parse({**table, "pieces": pieces_of(lines)})
        try:
            log = collect(lines, run, trusted=True, also=ALSO)
        except LogFormatError:
            return found
        spoken_of = {"line_count": len(lines), "feed_count": self._line_count}
        found["verdict"] = {**judge(log.without(ALSO)).as_json(), **spoken_of}
        found["why"] = {**explain_log(log), **spoken_of}
        return found


def _needed(line: Line) -> Line:
    event = line["event"]
    if event in USED or event in ALSO:
        # Rules judge what nodes did, not the states that they claim.
        line.pop("before", None)
        line.pop("after", None)
        return line
    return {name: line[name] for name in _LEAST if name in line}


def _starts(pieces: Mapping[str, Any]) -> dict[str, At]:
    return {node: (own[0]["incarnation"], own[0]["first"]) for node, own in pieces.items()}


def serve(feed: BinaryIO, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    judgement: Judgement | None = None
    for row in requests:
        asked = json.loads(row)
        table = asked["table"]
        judgement = judgement or Judgement(feed, tuple(table["members"]))
        judgement.read(asked["size"])
        found = judgement.judge(table, asked["now_ns"])
        parts = [_encoded(found[name]) if name in found else b"" for name in ("verdict", "why")]
        found |= {"verdict": len(parts[0]), "why": len(parts[1])}
        answers.write(_encoded(found) + b"\n" + b"".join(parts))
        answers.flush()


def _encoded(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def main() -> None:
    """Judge the feed whose path is given."""
    os.nice(_NICE)
    with Path(sys.argv[1]).open("rb") as feed:
        try:
            serve(feed, sys.stdin.buffer, sys.stdout.buffer)
        except BrokenPipeError:
            # The lab was killed: nobody listens, and nothing is to be said of it.
            os._exit(0)


if __name__ == "__main__":
    main()
