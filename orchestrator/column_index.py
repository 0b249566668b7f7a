"""From the lines of a log to its columns, one line after another and each but once.

What becomes of messages stands in ``column_flights``, of instances in
``column_notes``, of nodes and walls in ``column_cluster``; all write into one
draft. The twin of ``web/log/indexer.js`` and of the files of those names beside
it: tests hold both to the same bytes, and the page's half to the fold, so
change them together.
"""

from typing import Any, Final

from orchestrator.column_cluster import Cluster
from orchestrator.column_draft import Draft
from orchestrator.column_flights import Flights
from orchestrator.column_notes import Notes
from orchestrator.column_tables import EVENT, NUMBER_LIMIT, RANKS, SHAPE, TooLarge
from paxos.events import CATALOGUE, Line, level_of
from paxos.events.lines import node_key

_REPLIES: Final = frozenset({"promise", "accepted", "nack", "learned"})

_FIXED: Final = {
    event: -1 if any("level" in choice for choice in entry["say"]) else RANKS[entry["level"]]
    for event, entry in CATALOGUE["events"].items()
}
"""The level of an event; -1 where it depends on the line."""
_BUNDLE: Final = {event: entry.get("bundle") for event, entry in CATALOGUE["events"].items()}
_APART: Final = frozenset({"seq", "at_ns", "message"})


class Indexer(Draft):
    """Takes the lines of a log in their order.

    Args:
        members: the acceptors, where something else than the log names them.

    Attributes:
        steps: where steps of the scenario begin, and what each says.
        count: how many lines there are.
    """

    def __init__(self, members: list[str]) -> None:
        """Before the first line."""
        super().__init__(members)
        self.steps: list[dict[str, Any]] = []
        self.count = 0
        self._origin = 0.0
        self._last_of: dict[int, Line] = {}
        self._last_at: dict[int, int] = {}
        self._starts: dict[int, str] = {}
        self._messages = Flights(self)
        self._notes = Notes(self)
        self._cluster = Cluster(self, self._messages, self._notes)
        self.node_spans = self._cluster.node_spans
        self.walls = self._cluster.walls

    def add(self, line: Line, size: int) -> bool:
        """Take the next line; return whether it concerns every instance.

        Args:
            line: one that is of this format.
            size: its bytes, newline included.

        Raises:
            TooLarge: a number that the columns have no room for.
        """
        seq, incarnation = line["seq"], line["incarnation"]
        instance = line.get("instance", 0)
        if seq > NUMBER_LIMIT or incarnation > NUMBER_LIMIT or instance > NUMBER_LIMIT:
            raise TooLarge("a number above 2147483647")
        at = self.count
        event, name = line["event"], line["node"]
        node = self.node_of(name)
        if at == 0:
            self._origin = float(line["at_ns"])
        cause = line.get("cause")
        last = self._last_of.get(node)
        if last is None or last["incarnation"] != incarnation:
            self._starts[node] = f"{name}/{incarnation}/"
        if "source" in line:
            self.node_of(line["source"])
        if "to" in line:
            self.node_of(line["to"])
        if "wanted" in line:
            self.value_of(line["wanted"])
        value = line.get("value")
        if value is not None:
            self.value_of(value)
        if line.get("accepted") is not None:
            self.value_of(line["accepted"]["value"])
        sent = event.endswith("_sent")
        joins = sent and last is not None and _same_fan_out(last, line)
        lines = self.lines
        rank = _FIXED[event]
        lines["ms"].append((float(line["at_ns"]) - self._origin) / 1e6)
        lines["size"].append(size)
        lines["seq"].append(seq)
        lines["incarnation"].append(incarnation)
        lines["instance"].append(instance)
        lines["head"].append(lines["head"][self._last_at[node]] if joins else at)
        lines["flight"].append(-1)
        lines["value"].append(-1)
        lines["cause"].append(-1 if cause is None else self.places.get(cause, -1))
        lines["event"].append(EVENT[event])
        lines["node"].append(node)
        lines["rank"].append(RANKS[level_of(line)] if rank < 0 else rank)
        lines["shape"].append(0)
        self.places[self._starts[node] + str(seq)] = at
        self._last_of[node] = line
        self._last_at[node] = at
        self.count = at + 1
        shared = self._cluster.see(line, at, node)
        if sent:
            self._on_sent(line, at, node)
        elif event.endswith("_received"):
            self._on_received(line, at, node)
        else:
            self._on_other(line, at, node)
        self._notes.seen(at)
        return shared

    def _on_sent(self, line: Line, at: int, node: int) -> None:
        kind = line["event"][: -len("_sent")]
        instance = line.get("instance", 0)
        answers = self._notes.answering(instance, node) if kind in _REPLIES else ""
        self._messages.sent(line, at, node, kind, answers)
        if kind == "nack":
            self.lines["shape"][at] = SHAPE["refuse"]
        elif kind == "prepare":
            self.lines["shape"][at] = SHAPE["begins"]
        elif kind == "accept":
            self.mark(at, "yields" if "wanted" in line else "pushes", line["value"])
        if instance:
            self._notes.sent(line, at, node, kind)

    def _on_received(self, line: Line, at: int, node: int) -> None:
        arrived = self.sent_by(self.lines["cause"][at])
        if arrived >= 0:
            self._messages.arrive(arrived, at)
        event = line["event"]
        if event == "propose_received":
            self._notes.remember(line, node)
            self.mark(at, "wish", line["value"])
            self.point(at, "propose", line["instance"])
            return
        self.lines["shape"][at] = SHAPE["dot"]
        if "instance" not in line:
            return
        if event in {"prepare_received", "accept_received"}:
            self._notes.see_step(line, at, node)
        else:
            self._notes.remember(line, node)
        if "cause" in line:
            self._notes.took(line["instance"], node, line["cause"])
        if "ignored" not in line:
            self._notes.heard_reply(line, at)

    def _on_other(self, line: Line, at: int, node: int) -> None:
        message = line.get("message")
        named = self.sent_by(self.places.get(message, -1)) if isinstance(message, str) else -1
        if named >= 0:
            self.lines["flight"][at] = named
        match line["event"]:
            case "state_recovered":
                self._notes.recovered(line, at, node)
            case "node_ready":
                self._notes.ready(node)
            case "disk_read":
                self._notes.disk_read(line, at)
            case "state_persisted":
                self._notes.persisted(line, at, node)
            case "value_learned":
                self._notes.learned(line, at, node)
            case "propose_answered":
                self.mark(at, "answer", line["value"])
            case "timeout_fired":
                self.lines["shape"][at] = SHAPE["stuck" if "have" in line else "timer"]
                self._notes.remember(line, node)
            case "step_started":
                self.steps.append({"at": at, "step": line["step"], "say": line["say"]})
            case "call_failed" | "message_dropped" | "message_held" | "message_released":
                self._on_way(line, at, node, named)
            case _:
                self._notes.remember(line, node)

    def _on_way(self, line: Line, at: int, node: int, named: int) -> None:
        """What a line says of a message that is under way; ``named`` is its place, -1 for none."""
        messages = self._messages
        event = line["event"]
        if event == "call_failed":
            messages.call_failed(line, at, named)
        elif event == "message_released":
            messages.end_hold(named, at)
        elif named not in messages.flying:
            return
        elif event == "message_dropped":
            messages.lose(named, line, at)
        else:
            messages.hold(named, at, node)


def _same_fan_out(one: Line, other: Line) -> bool:
    """Whether two lines of one node differ only in whom they speak of."""
    event = other["event"]
    field = _BUNDLE[event]
    if field is None or one["event"] != event or len(one) != len(other):
        return False
    if node_key(one[field]) >= node_key(other[field]):
        return False
    return all(
        one.get(name) == known
        for name, known in other.items()
        if name not in _APART and name != field
    )
