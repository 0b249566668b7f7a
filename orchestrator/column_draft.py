"""An index while it is written: its tables, the numbers of what they name, and the cluster.

All parts of the indexer write into it: what becomes of messages
(``column_flights``), of instances (``column_notes``), of nodes and walls
(``column_cluster``). The twin of ``web/log/draft.js``.
"""

from typing import Any

from orchestrator.column_tables import POINT, SHAPE, TABLES, Codes, Table
from paxos.events.fold import empty


class Draft(Codes):
    """What has been written so far.

    Args:
        members: the acceptors, where something else than the log names them.

    Attributes:
        tables: by name.
        lines: the columns of the table of lines.
        flights: those of the table of messages.
        places: from a line's name to its place.
        world: nodes, faults and walls, as the fold has them, without its turning points.
    """

    def __init__(self, members: list[str]) -> None:
        """Before the first line."""
        super().__init__()
        self.tables = {name: Table(types) for name, types in TABLES.items()}
        self.lines = self.tables["lines"].columns
        self.flights = self.tables["flights"].columns
        self.places: dict[str, int] = {}
        self.world = empty(members)
        for node in self.world["members"]:
            self.node_of(node)

    def quorum(self) -> int:
        """The least size of a quorum, as far as members are known."""
        return len(self.world["members"]) // 2 + 1

    def sent_by(self, at: int) -> int:
        """The message that a line sent; -1 for none."""
        place = self.lines["flight"][at] if at >= 0 else -1
        return place if place >= 0 and self.flights["sent"][place] == at else -1

    def is_cut(self, place: int) -> bool:
        """Whether a wall stands on the way of a message."""
        cuts = self.world["cuts"]
        if not cuts:
            return False
        source, to = self.flights["source"][place], self.flights["to"][place]
        return f"{self.nodes[source]}>{self.nodes[to]}" in cuts

    def mark(self, at: int, shape: str, value: Any) -> None:
        """Give a line its sign, and the value that the sign wears; ``None`` for none."""
        self.lines["shape"][at] = SHAPE[shape]
        self.lines["value"][at] = -1 if value is None else self.value_of(value)

    def point(self, at: int, kind: str, instance: int) -> None:
        """A line is a turning point; of instance 0 where it concerns all."""
        self.tables["points"].add(at, instance, POINT[kind])
