"""Which lines are missing of what a node did up to a moment.

Where lines are missing is what the checker finds (:mod:`paxos.checker.history`).
Here it is decided which of that is of the past. A log that is handed in only up
to the present lacks what was still to come, and nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from paxos.checker import Run, Verdict
from paxos.checker.history import History, NodeLog
from paxos.checker.order import Key, key_of, name_at, named
from paxos.checker.reader import collect
from paxos.events import Line, line_id

_LAST_WORDS: Final = frozenset({"run_finished", "log_closed"})
_ENDED: Final = frozenset({"node_exited", "disk_read"})
_NEEDS_A_PROCESS: Final = frozenset({"kill", "power_loss", "stop", "restart", "start", "pause"})


def missing_lines(
    merged: Sequence[Line], place: int, run: Run | None, known: Verdict
) -> tuple[str, ...]:
    """Why what the nodes did up to a moment is not known, in sentences; empty if it is.

    Args:
        merged: all lines, in merged order.
        place: which of them is the moment.
        run: the runner's table, if there is one.
        known: what the checker says of all lines.
    """
    quoted = _last_quoted(merged)
    latest: dict[str, Key] = {}
    for line in merged:
        latest[line["node"]] = max(latest.get(line["node"], 0), key_of(line))
    in_doubt = {doubt.node for doubt in known.unknown}
    doubtful = [
        node
        for node in known.members
        if node in in_doubt
        or node not in latest
        or (node in quoted and quoted[node][0] > latest[node])
    ]
    if not doubtful:
        return ()
    history = History(collect(merged, run, trusted=True))
    ahead: dict[str, Key] = {}
    for line in merged[place + 1 :]:
        ahead.setdefault(line["node"], key_of(line))
    is_finished = any(line["event"] in _LAST_WORDS for line in merged)
    found: list[str] = []
    for node in doubtful:
        own = history.nodes[node]
        if node not in latest:
            found += _of_no_line(node, own, merged, run)
            continue
        for key, reason in own.gaps:
            # Just before its next line it may be of the past or not: nobody knows.
            is_past = node not in ahead or key < ahead[node]
            # One log that ends early lost its end; where all do, that is the present.
            is_end = key > own.ends_at
            goes_on = is_finished or (node in quoted and quoted[node][0] > own.ends_at)
            if is_past and (goes_on or not is_end):
                found.append(reason)
        key, line = quoted.get(node, (0, merged[0]))
        if not own.gaps and own.last_named is None and key > own.ends_at:
            end = name_at(node, own.ends_at)
            found.append(
                f"{line_id(line)} quotes {line['cause']}, but the log of {node} "
                f"holds nothing behind {end}"
            )
    return tuple(dict.fromkeys(found))


def _last_quoted(merged: Sequence[Line]) -> dict[str, tuple[Key, Line]]:
    """The last line of each node that another line names as its cause, with that line."""
    quoted: dict[str, tuple[Key, Line]] = {}
    for line in merged:
        if "cause" in line:
            node, key = named(line["cause"])
            if node not in quoted or key > quoted[node][0]:
                quoted[node] = key, line
    return quoted


def _of_no_line(node: str, own: NodeLog, merged: Sequence[Line], run: Run | None) -> Iterator[str]:
    """A node of which there is no line at all is new, unless anything says that it ran."""
    if run is not None and run.pieces.get(node):
        # A piece begins where the run does, so no present lacks all of it.
        yield own.gaps[0][1]
        return
    for line in merged:
        if _tells_of(line, node):
            yield f"the log of {node} is missing, and {line_id(line)} tells that it ran"
            return


def _tells_of(line: Line, node: str) -> bool:
    """Whether somebody else's line says that a node ran."""
    if line["event"] == "fault_applied":
        return line["fault"] in _NEEDS_A_PROCESS and node in line["targets"]
    if line["event"] in _ENDED:
        return bool(line["of"] == node)
    return bool(line.get("source") == node or line.get("cause", "").startswith(f"{node}/"))
