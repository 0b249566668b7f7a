"""When nodes were up, and where walls stood: what concerns every instance.

A part of the indexer, and the one that folds with the reducer itself
(``paxos/events/fold.py``). The twin of ``web/log/cluster.js``.
"""

from typing import Any, Final

from orchestrator.column_draft import Draft
from orchestrator.column_flights import Flights
from orchestrator.column_notes import Notes
from orchestrator.column_tables import OPEN, SHAPE
from paxos.events import Line
from paxos.events.fold import empty, fold

_SHARED: Final = frozenset(
    {
        "run_started",
        "node_started",
        "node_ready",
        "node_stopped",
        "failpoint_hit",
        "power_lost",
        "node_exited",
        "disk_read",
        "gate_changed",
        "fault_applied",
        "fault_undone",
    }
)
"""What these say concerns every instance."""

_WALLS: Final = frozenset({"isolate", "partition", "cut", "cut one way"})


class Cluster:
    """The nodes of a log, and the walls between them.

    Attributes:
        node_spans: since when each node was in which status, and until when.
        walls: the cuts that stood, from where to where.
    """

    def __init__(self, draft: Draft, flights: Flights, notes: Notes) -> None:
        """Before the first line."""
        self._draft = draft
        self._flights = flights
        self._notes = notes
        self.node_spans: list[dict[str, Any]] = []
        self.walls: list[dict[str, Any]] = []
        self._open_node: dict[str, int] = {}
        self._heard: set[int] = set()
        self._see_nodes(empty([]), 0)

    def see(self, line: Line, at: int, node: int) -> bool:
        """What a line says about nodes and walls; whether it concerns every instance."""
        event = line["event"]
        known = node in self._heard or line["node"] == "orchestrator"
        if known and event not in _SHARED:
            return False
        self._heard.add(node)
        before = self._draft.world
        # A disk that was read is about instances; of the first line of a node
        # only counts that it is there.
        folds = event in _SHARED and event != "disk_read"
        heard = {name: line[name] for name in ("v", "node", "incarnation", "seq", "at_ns")}
        after = fold(before, line if folds else {**heard, "event": "timer_set"})
        for point in after["turning_points"]:
            self._draft.point(at, point["kind"], 0)
        self._draft.world = {**after, "turning_points": []}
        for member in after["members"]:
            self._draft.node_of(member)
        self._see_nodes(before, at)
        if before["cuts"] != after["cuts"]:
            if self.walls and before["cuts"]:
                self.walls[-1]["to"] = at
            if after["cuts"]:
                self.walls.append({"cuts": after["cuts"], "from": at, "to": OPEN})
        for name, view in after["nodes"].items():
            was = before["nodes"].get(name)
            if view["status"] == "down" and (was is None or was["status"] != "down"):
                self._lose_process(name, line, at)
        if event == "node_started":
            self._lose_process(line["node"], line, at)
            self._flights.lose_earlier(line, at, node)
            self._draft.lines["shape"][at] = SHAPE[
                "restart" if line["incarnation"] > 1 else "start"
            ]
        if event == "fault_applied" and line["fault"] in _WALLS:
            self._flights.lose_at_walls(line, at)
        return True

    def _see_nodes(self, before: dict[str, Any], at: int) -> None:
        for node, view in self._draft.world["nodes"].items():
            was = before["nodes"].get(node)
            if was is not None and was["status"] == view["status"]:
                continue
            known = self._open_node.get(node)
            if known is not None:
                self.node_spans[known]["to"] = at
            self._open_node[node] = len(self.node_spans)
            self.node_spans.append(
                {
                    "node": node,
                    "status": view["status"],
                    "how": view["ended_by"],
                    "from": 0 if known is None else at,
                    "to": OPEN,
                }
            )

    def _lose_process(self, name: str, line: Line, at: int) -> None:
        """Memory goes with its process, and so does what is held there or on its way to it."""
        node = self._draft.node_of(name)
        self._notes.lose_process(node, at)
        self._flights.lose_with_process(node, line, at)
