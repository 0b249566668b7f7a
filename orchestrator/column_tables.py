"""The columns of ``columns.bin``, and the numbers by which they name things.

The same tables, in the same order, as in ``web/log/columns.js``.
"""

from array import array
from typing import Any, Final

from paxos.events import CATALOGUE
from paxos.events.lines import node_key

OPEN: Final = 0x7FFFFFFF
"""As an end: it has not ended in this log."""

NUMBER_LIMIT: Final = 0x7FFFFFFF
_NODE_LIMIT: Final = 255

TYPES: Final = {"u8": "B", "i32": "i", "u32": "I", "f64": "d"}

TABLES: Final[dict[str, dict[str, str]]] = {
    "lines": {
        "ms": "f64",
        "size": "u32",
        **dict.fromkeys(
            ("seq", "incarnation", "instance", "head", "flight", "value", "cause"), "i32"
        ),
        **dict.fromkeys(("event", "node", "rank", "shape"), "u8"),
    },
    "flights": {
        **dict.fromkeys(
            (
                "sent",
                "ended",
                "instance",
                "ballot",
                "value",
                "acceptedBallot",
                "acceptedValue",
                "promised",
                "hold",
            ),
            "i32",
        ),
        **dict.fromkeys(("kind", "source", "to", "fate"), "u8"),
    },
    "lost": {"at": "i32"},
    "late": {"flight": "i32", "at": "i32"},
    "holds": {**dict.fromkeys(("flight", "from", "to", "next"), "i32"), "node": "u8"},
    "learned": {**dict.fromkeys(("instance", "value", "from", "to"), "i32"), "node": "u8"},
    "chosen": dict.fromkeys(("instance", "ballot", "value", "quorum", "at"), "i32"),
    "ballots": {
        **dict.fromkeys(("instance", "ballot", "from", "to", "quorumAt"), "i32"),
        "proposer": "u8",
        "end": "u8",
    },
    "points": {"at": "i32", "instance": "i32", "kind": "u8"},
    "shared": {"at": "i32"},
    "sharedText": {"byte": "u8"},
}
"""The tables and the types of their columns, in the order of the file; as in ``columns.js``."""

FATES: Final = ("received", "walled", "dropped", "failed", "died", "open")
ENDS: Final = ("open", "refused", "chosen")
SHAPES: Final = (
    *("none", "begins", "pushes", "yields", "dot", "wish", "answer", "accept", "promise"),
    *("accept-disk", "promise-disk", "round", "learn", "timer", "stuck", "refuse", "start"),
    "restart",
)
KINDS: Final = ("prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status")
POINTS: Final = (
    *("propose", "quorum", "yield", "chosen", "learned", "all_learned", "kill", "restart"),
    *("pause", "resume", "wall", "heal", "violation"),
)
FATE: Final = {name: code for code, name in enumerate(FATES)}
END: Final = {name: code for code, name in enumerate(ENDS)}
SHAPE: Final = {name: code for code, name in enumerate(SHAPES)}
KIND: Final = {name: code for code, name in enumerate(KINDS)}
POINT: Final = {name: code for code, name in enumerate(POINTS)}
RANKS: Final = {"story": 0, "detail": 1, "quiet": 2}

EVENTS: Final = list(CATALOGUE["events"])
EVENT: Final = {event: code for code, event in enumerate(EVENTS)}


class TooLarge(ValueError):
    """A log that is of this format, but too large in some number."""


class Table:
    """Columns that grow at their end."""

    def __init__(self, types: dict[str, str]) -> None:
        """Before the first row."""
        # Columns of whole numbers and of times alike.
        self.columns: dict[str, array[Any]] = {
            name: array(TYPES[kind]) for name, kind in types.items()
        }

    def add(self, *row: float) -> int:
        """Append a row, in the order of the columns; return its place."""
        for column, number in zip(self.columns.values(), row, strict=True):
            column.append(number)
        return len(column) - 1


class Codes:
    """Numbers for nodes, ballots, values and quorums, in the order in which they appear."""

    def __init__(self) -> None:
        """Nothing has a number but no ballot at all, which is 0."""
        self.nodes: list[str] = []
        self.ballots: list[str] = []
        self.values: list[Any] = []
        self.quorums: list[list[str]] = []
        self._node_code: dict[str, int] = {}
        self._ballot_code: dict[str, int] = {}
        self._value_code: dict[Any, int] = {}
        self._quorum_code: dict[str, int] = {}
        self.ballot_of("0.n0")

    def node_of(self, name: str) -> int:
        """The number of a node."""
        code = self._node_code.get(name)
        if code is None:
            if len(self.nodes) == _NODE_LIMIT:
                raise TooLarge(f"more than {_NODE_LIMIT} nodes")
            code = self._node_code[name] = len(self.nodes)
            self.nodes.append(name)
        return code

    def ballot_of(self, ballot: str) -> int:
        """The number of a ballot."""
        code = self._ballot_code.get(ballot)
        if code is None:
            code = self._ballot_code[ballot] = len(self.ballots)
            self.ballots.append(ballot)
        return code

    def value_of(self, value: Any) -> int:
        """The number of a value."""
        key = value if isinstance(value, str) else (value["bytes"], value["sha256"])
        code = self._value_code.get(key)
        if code is None:
            code = self._value_code[key] = len(self.values)
            self.values.append(value)
        return code

    def quorum_of(self, acceptors: list[int]) -> int:
        """The number of a set of acceptors."""
        names = sorted((self.nodes[node] for node in acceptors), key=node_key)
        key = " ".join(names)
        code = self._quorum_code.get(key)
        if code is None:
            code = self._quorum_code[key] = len(self.quorums)
            self.quorums.append(names)
        return code
