"""Which of a running cluster's lines fit together so far.

Lines of several nodes arrive each by its own way, so what is here at some
moment may hold an effect without its cause. The largest part that is closed
has with every line what that line relies on. Such a part is a moment in which
the cluster could have stood still, so no rule is called broken because a line
is late.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from orchestrator.journal import NODE as LAB
from paxos.events import Line

LAB_LATE_NS: Final = 1_000_000_000
"""How old a line of the lab is when the nodes' lines from before it are sure to be here."""

At = tuple[int, int]


class ClosedPart:
    """The closed part, kept up to date as lines come.

    Args:
        members: whose lines come, though none may have come yet.
    """

    def __init__(self, members: Iterable[str] = ()) -> None:
        self._members = tuple(members)
        self._own: dict[str, list[Line]] = {}
        self._taken: dict[str, int] = {}
        self._last: dict[str, At] = {}
        self.count = 0

    def add(self, lines: Iterable[Line]) -> None:
        """Take lines; those of each writer in their order."""
        for line in lines:
            self._own.setdefault(line["node"], []).append(line)

    def advance(self, now_ns: int, starts: Mapping[str, At] | None = None) -> list[Line]:
        """The part as it is now, by writer.

        Args:
            now_ns: wall time now. The lab's own lines come by no detour, so they
                count when they are a second old and the nodes' have caught up.
            starts: where the run begins in a member's log: what was before holds
                nothing up. Of one that is not named, its first line here.
        """
        # A member's first lines may be late, too: until they come it begins with its start.
        begins = {
            **dict.fromkeys(self._members, (0, 0)),
            **{node: _at(found[0]) for node, found in self._own.items()},
            **(starts or {}),
        }
        moved = True
        while moved:
            moved = False
            for node, found in self._own.items():
                first = place = self._taken.get(node, 0)
                latest_ns = now_ns - LAB_LATE_NS if node == LAB else None
                while (
                    place < len(found)
                    and (latest_ns is None or found[place]["at_ns"] <= latest_ns)
                    and _stands(found[place], self._last, begins)
                ):
                    self._last[node] = _at(found[place])
                    place += 1
                self._taken[node] = place
                self.count += place - first
                moved = moved or place > first
        return [line for node, found in self._own.items() for line in found[: self._taken[node]]]


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


def _at(line: Line) -> At:
    return line["incarnation"], line["seq"]
