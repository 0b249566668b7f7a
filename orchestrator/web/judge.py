"""Verdict and whys while a run goes on: of the lines that fit together so far.

Lines of several nodes arrive each by its own way, so what is here at some
moment may hold an effect without its cause. Judged is the largest part that is
closed: every line in it has what it relies on in it, too. Such a part is a
moment in which the cluster could have stood still, so no rule is called broken
because a line is late.
"""

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from orchestrator.journal import NODE as LAB
from paxos.checker import check_lines, merge
from paxos.events import Line, LogFormatError

LAB_LATE_NS: Final = 1_000_000_000
"""How old a line of the lab is when the nodes' lines from before it are sure to be here."""

_LEAST_PAUSE_S: Final = 0.4
_PAUSE_FACTOR: Final = 9.0
"""After each judgement it rests so many times as long: a tenth of the time at most is spent."""
_MOST_LINES: Final = 100_000
"""Longer logs are judged when the run ends."""

At = tuple[int, int]


def closed_part(
    lines: Sequence[Line],
    now_ns: int,
    members: Iterable[str] = (),
    starts: Mapping[str, At] | None = None,
) -> list[Line]:
    """The largest part of some lines in which no effect stands without its cause.

    Args:
        lines: as they arrived; those of each writer in their order.
        now_ns: wall time now. The lab's own lines come by no detour, so they
            count when they are a second old and the nodes' have caught up.
        members: whose lines come, though none may have come yet.
        starts: where the run begins in a member's log: what was before holds
            nothing up. Of one that is not named, its first line here.
    """
    own: dict[str, list[Line]] = {}
    for line in lines:
        if line["node"] != LAB or line["at_ns"] <= now_ns - LAB_LATE_NS:
            own.setdefault(line["node"], []).append(line)
    taken = dict.fromkeys(own, 0)
    last: dict[str, At] = {}
    # A member's first lines may be late, too: until they come it begins with its start.
    begins = {
        **dict.fromkeys(members, (0, 0)),
        **{node: _at(found[0]) for node, found in own.items()},
        **(starts or {}),
    }
    moved = True
    while moved:
        moved = False
        for node, found in own.items():
            place = taken[node]
            while place < len(found) and _stands(found[place], last, begins):
                last[node] = _at(found[place])
                place += 1
            moved = moved or place > taken[node]
            taken[node] = place
    return [line for node, found in own.items() for line in found[: taken[node]]]


def _stands(line: Line, last: Mapping[str, At], begins: Mapping[str, At]) -> bool:
    for name in (line.get("cause"), line.get("message")):
        if name is None:
            continue
        node, incarnation, seq = name.split("/")
        at = (int(incarnation), int(seq))
        # What a run does not hold (it was before its start, or a stranger's) holds nothing up.
        held = node != line["node"] and (node == LAB or node in begins)
        if held and at >= begins.get(node, at) and last.get(node, (0, 0)) < at:
            return False
    return True


def pieces_of(lines: Sequence[Line]) -> dict[str, list[dict[str, int | None]]]:
    """Which stretch of each node's log some lines are, as a runner's table has it.

    The present incarnation of a node counts as whole up to its last line,
    unless the lab saw it end: then the checker asks for the proof of its end.
    """
    pieces: dict[str, list[dict[str, int | None]]] = {}
    for line in lines:
        node = line["node"]
        if node == LAB:
            continue
        found = pieces.setdefault(node, [])
        if not found or found[-1]["incarnation"] != line["incarnation"]:
            if found:
                found[-1]["last"] = None
            first = 1 if found else line["seq"]
            found.append({"incarnation": line["incarnation"], "first": first, "last": None})
        found[-1]["last"] = line["seq"]
    exits: dict[str, int] = {}
    for line in lines:
        if line["event"] == "node_exited":
            exits[line["of"]] = exits.get(line["of"], 0) + 1
    for node, count in exits.items():
        if node in pieces and count >= len(pieces[node]):
            pieces[node][-1]["last"] = None
    return pieces


class Judge:
    """Judges a run that goes on, on a thread of its own, and not more often than it can afford.

    Args:
        lines: gives the lines so far, as they arrived.
        table: gives the runner's table, without its pieces.
        publish: takes ``verdict`` and ``why`` with their content, as JSON.
    """

    def __init__(
        self,
        lines: Callable[[], list[Line]],
        table: Callable[[], dict[str, Any]],
        publish: Callable[[dict[str, bytes]], None],
    ) -> None:
        self._lines = lines
        self._table = table
        self._publish = publish
        self._new = threading.Event()
        self._closed = threading.Event()
        self._judged_count = 0
        self._thread = threading.Thread(target=self._run, name="judge", daemon=True)
        self._thread.start()

    def notice(self) -> None:
        """There are more lines."""
        self._new.set()

    def close(self) -> None:
        """Judge no more; what is begun is not waited for."""
        self._closed.set()
        self._new.set()

    def _run(self) -> None:
        pause_s = _LEAST_PAUSE_S
        while not self._closed.wait(pause_s):
            self._new.wait()
            self._new.clear()
            began = time.monotonic()
            try:
                waits = self._judge()
            except Exception:  # The root of a thread: the run goes on without.
                traceback.print_exc(file=sys.stderr)
                return
            pause_s = max(_LEAST_PAUSE_S, _PAUSE_FACTOR * (time.monotonic() - began))
            if waits:
                self._new.set()

    def _judge(self) -> bool:
        """Judge what fits together; whether there is more, which is not old enough."""
        lines = self._lines()
        if len(lines) > _MOST_LINES:
            return False
        table = self._table()
        part = closed_part(lines, time.time_ns(), table["members"], _starts(table["pieces"]))
        if len(part) == self._judged_count or self._closed.is_set():
            return len(part) < len(lines)
        self._judged_count = len(part)
        part = merge(part)
        table = {**table, "pieces": pieces_of(part)}
        found: dict[str, bytes] = {}
        with suppress(LogFormatError):
            verdict = check_lines(part, table, trusted=True).as_json()
            found["verdict"] = _json({**verdict, "line_count": len(part)})
        from paxos.checker.why import explain  # noqa: PLC0415 - loaded when first asked for

        found["why"] = _json({**explain(part, table), "line_count": len(part)})
        if not self._closed.is_set():
            self._publish(found)
        return len(part) < len(lines)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _starts(pieces: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, At]:
    # Of a copy: the run's beginning enters them on another thread.
    return {node: (own[0]["incarnation"], own[0]["first"]) for node, own in dict(pieces).items()}


def _at(line: Line) -> At:
    return line["incarnation"], line["seq"]
