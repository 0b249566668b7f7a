"""From the lines of a log to its columns, one line after another and each but once.

The twin of ``web/log/indexer.js``: what became of every message, when nodes
were up, where walls stood, when a value was chosen and by whom it was learned.
Tests hold both to the same bytes, and the page's half to the fold, so change
them together. What concerns nodes and walls is folded with the reducer itself
(``paxos/events/fold.py``).
"""

from collections.abc import Callable
from typing import Any, Final

from orchestrator.column_tables import (
    END,
    EVENT,
    FATE,
    KIND,
    NUMBER_LIMIT,
    OPEN,
    POINT,
    RANKS,
    SHAPE,
    TABLES,
    Codes,
    Table,
    TooLarge,
)
from paxos.events import CATALOGUE, Line, level_of
from paxos.events.fold import empty, fold
from paxos.events.lines import node_key

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

_REPLIES: Final = frozenset({"promise", "accepted", "nack", "learned"})
_WALLS: Final = frozenset({"isolate", "partition", "cut", "cut one way"})

_FIXED: Final = {
    event: -1 if any("level" in choice for choice in entry["say"]) else RANKS[entry["level"]]
    for event, entry in CATALOGUE["events"].items()
}
"""The level of an event; -1 where it depends on the line."""
_BUNDLE: Final = {event: entry.get("bundle") for event, entry in CATALOGUE["events"].items()}
_APART: Final = frozenset({"seq", "at_ns", "message"})

_State = list[Any]
"""An acceptor: has it its memory; promised, accepted ballot and value there; the same on disk."""


class _Ballot:
    """What the columns need to know of a ballot of one instance."""

    __slots__ = ("heard", "pushed", "refused", "span", "tallies")

    def __init__(self, span: int) -> None:
        self.span = span
        self.pushed = False
        self.heard: list[str] = []
        self.refused: list[int] = []
        self.tallies: dict[int, list[int]] = {}


class _Notes:
    """What is so in one instance."""

    __slots__ = (
        "acceptors",
        "answering",
        "ballots",
        "chosen",
        "instance",
        "learned",
        "learned_by",
        "learned_values",
    )

    def __init__(self, instance: int) -> None:
        self.instance = instance
        self.acceptors: dict[int, _State] = {}
        self.ballots: dict[int, _Ballot] = {}
        self.learned: dict[int, int] = {}
        self.learned_by: list[int] = []
        self.learned_values: list[int] = []
        self.chosen: list[int] = []
        self.answering: dict[int, str] = {}


class Indexer(Codes):
    """Takes the lines of a log in their order.

    Args:
        members: the acceptors, where something else than the log names them.
    """

    def __init__(self, members: list[str]) -> None:
        """Before the first line."""
        super().__init__()
        self.tables = {name: Table(types) for name, types in TABLES.items()}
        self.world = empty(members)
        self.node_spans: list[dict[str, Any]] = []
        self.walls: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.count = 0
        self._lines = self.tables["lines"].columns
        self._flights = self.tables["flights"].columns
        self._open_node: dict[str, int] = {}
        self._origin = 0.0
        self._names: dict[str, int] = {}
        self._heard: set[int] = set()
        self._last_of: dict[int, Line] = {}
        self._last_at: dict[int, int] = {}
        self._starts: dict[int, str] = {}
        self._notes: dict[int, _Notes] = {}
        self._flying: dict[int, str] = {}
        self._replies: dict[str, list[int]] = {}
        self._failed_calls: set[str] = set()
        self._held: dict[int, int] = {}
        self._touched: dict[int, _Ballot] = {}
        self._others: dict[str, Callable[[Line, int, int, int], None]] = {
            "state_recovered": self._on_recovered,
            "node_ready": self._on_ready,
            "disk_read": self._on_disk_read,
            "state_persisted": self._on_persisted,
            "value_learned": self._on_learned,
            "propose_answered": self._on_answered,
            "timeout_fired": self._on_timeout,
            "call_failed": self._on_call_failed,
            "message_dropped": self._on_dropped,
            "message_held": self._on_held,
            "message_released": self._on_released,
            "step_started": self._on_step,
        }
        for node in self.world["members"]:
            self.node_of(node)
        self._see_nodes(empty([]), 0)

    # --- one line -----------------------------------------------------------------

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
        lines = self._lines
        rank = _FIXED[event]
        lines["ms"].append((float(line["at_ns"]) - self._origin) / 1e6)
        lines["size"].append(size)
        lines["seq"].append(seq)
        lines["incarnation"].append(incarnation)
        lines["instance"].append(instance)
        lines["head"].append(lines["head"][self._last_at[node]] if joins else at)
        lines["flight"].append(-1)
        lines["value"].append(-1)
        lines["cause"].append(-1 if cause is None else self._names.get(cause, -1))
        lines["event"].append(EVENT[event])
        lines["node"].append(node)
        lines["rank"].append(RANKS[level_of(line)] if rank < 0 else rank)
        lines["shape"].append(0)
        self._names[self._starts[node] + str(seq)] = at
        self._last_of[node] = line
        self._last_at[node] = at
        self.count = at + 1
        shared = self._see_world(line, at, node)
        if sent:
            self._on_sent(line, at, node)
        elif event.endswith("_received"):
            self._on_received(line, at, node)
        else:
            self._on_other(line, at, node)
        if self._touched:
            self._see_ballots(at)
        return shared

    # --- nodes and walls: what concerns every instance ------------------------------

    def _see_world(self, line: Line, at: int, node: int) -> bool:
        event = line["event"]
        known = node in self._heard or line["node"] == "orchestrator"
        if known and event not in _SHARED:
            return False
        self._heard.add(node)
        before = self.world
        # A disk that was read is about instances; of the first line of a node
        # only counts that it is there.
        folds = event in _SHARED and event != "disk_read"
        heard = {name: line[name] for name in ("v", "node", "incarnation", "seq", "at_ns")}
        after = fold(before, line if folds else {**heard, "event": "timer_set"})
        for point in after["turning_points"]:
            self._point(at, point["kind"], 0)
        self.world = {**after, "turning_points": []}
        for member in after["members"]:
            self.node_of(member)
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
            self._lose_earlier(line, at, node)
            self._lines["shape"][at] = SHAPE["restart" if line["incarnation"] > 1 else "start"]
        if event == "fault_applied" and line["fault"] in _WALLS:
            self._lose_at_walls(line, at)
        return True

    def _see_nodes(self, before: dict[str, Any], at: int) -> None:
        for node, view in self.world["nodes"].items():
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
        node = self.node_of(name)
        ends = self.tables["learned"].columns["to"]
        for notes in self._notes.values():
            acceptor = notes.acceptors.get(node)
            if acceptor is not None:
                acceptor[0] = False
            span = notes.learned.pop(node, None)
            if span is not None:
                ends[span] = at
            notes.answering.pop(node, None)
        to, holders = self._flights["to"], self.tables["holds"].columns["node"]
        for place in list(self._flying):
            hold = self._held.get(place)
            if (to[place] if hold is None else holders[hold]) == node:
                self._lose(place, line, at)

    def _lose_earlier(self, line: Line, at: int, node: int) -> None:
        """What an earlier incarnation sent and nobody has received died with its connections."""
        source, sent = self._flights["source"], self._flights["sent"]
        incarnations = self._lines["incarnation"]
        for place in list(self._flying):
            if source[place] == node and incarnations[sent[place]] < line["incarnation"]:
                self._lose(place, line, at)

    def _lose_at_walls(self, line: Line, at: int) -> None:
        for place in list(self._flying):
            if place not in self._held and self._is_cut(place):
                self._lose(place, line, at)

    # --- messages -------------------------------------------------------------------

    def _on_sent(self, line: Line, at: int, node: int) -> None:
        kind = line["event"][: -len("_sent")]
        instance = line.get("instance", 0)
        accepted = line.get("accepted")
        row = self._flights
        place = len(row["sent"])
        row["sent"].append(at)
        row["ended"].append(at)
        row["instance"].append(instance)
        row["ballot"].append(self.ballot_of(line["ballot"]) if "ballot" in line else -1)
        row["value"].append(self.value_of(line["value"]) if "value" in line else -1)
        row["acceptedBallot"].append(-1 if accepted is None else self.ballot_of(accepted["ballot"]))
        row["acceptedValue"].append(-1 if accepted is None else self.value_of(accepted["value"]))
        row["promised"].append(self.ballot_of(line["promised"]) if "promised" in line else -1)
        row["hold"].append(-1)
        row["kind"].append(KIND[kind])
        row["source"].append(node)
        row["to"].append(self.node_of(line["to"]))
        row["fate"].append(FATE["open"])
        self._lines["flight"][at] = place
        if kind == "nack":
            self._lines["shape"][at] = SHAPE["refuse"]
        elif kind == "prepare":
            self._lines["shape"][at] = SHAPE["begins"]
        elif kind == "accept":
            self._mark(at, "yields" if "wanted" in line else "pushes", line["value"])
        answers = ""
        if instance:
            notes = self._notes.get(instance)
            if kind in _REPLIES and notes is not None:
                answers = notes.answering.get(node, "")
            self._see_ballot_of(line, at, node, kind)
        # A guest keeps no log; whoever waited for this reply may have given up;
        # and nothing gets through a wall.
        cut = self._is_cut(place)
        if cut or line["to"].startswith("g") or answers in self._failed_calls:
            row["fate"][place] = FATE["walled" if cut else "died"]
            self.tables["lost"].columns["at"].append(at)
            return
        row["ended"][place] = OPEN
        self._flying[place] = answers
        if answers:
            self._replies.setdefault(answers, []).append(place)

    def _see_ballot_of(self, line: Line, at: int, node: int, kind: str) -> None:
        if kind in {"prepare", "promise"}:
            self._touch(line["instance"], line["ballot"], at)
        elif kind == "nack":
            ballot = self._touch(line["instance"], line["ballot"], at)
            if node not in ballot.refused:
                ballot.refused.append(node)
        elif kind == "accept":
            ballot = self._touch(line["instance"], line["ballot"], at)
            if not ballot.pushed and "wanted" in line:
                self._point(at, "yield", line["instance"])
            ballot.pushed = True
        elif kind == "accepted":
            notes = self._notes_of(line["instance"])
            self._accepted(notes, node, line["ballot"], line["value"], at)

    def _on_received(self, line: Line, at: int, node: int) -> None:
        arrived = self._sent_by(self._lines["cause"][at])
        if arrived >= 0:
            self._arrive(arrived, at)
        event = line["event"]
        if event == "propose_received":
            self._remember(line, node)
            self._mark(at, "wish", line["value"])
            self._point(at, "propose", line["instance"])
            return
        self._lines["shape"][at] = SHAPE["dot"]
        if "instance" not in line:
            return
        if event in {"prepare_received", "accept_received"}:
            self._see_step(line, at, node)
        else:
            self._remember(line, node)
        if "cause" in line:
            self._notes_of(line["instance"]).answering[node] = line["cause"]
        if "ignored" not in line:
            self._heard_reply(line, at)

    def _see_step(self, line: Line, at: int, node: int) -> None:
        """Whether an acceptor's step was a promise or an accept."""
        notes = self._notes.get(line["instance"])
        before = None if notes is None else notes.acceptors.get(node)
        was = before[1:4] if before is not None and before[0] else [-1, -1, -1]
        self._remember(line, node)
        acceptor = line["after"].get("acceptor") if "after" in line else None
        if acceptor is None:
            return
        after = self._notes[line["instance"]].acceptors[node]
        if after[2:4] != was[1:]:
            pair = acceptor["accepted"]
            self._mark(at, "accept", None if pair is None else pair["value"])
        elif after[1] != was[0]:
            self._lines["shape"][at] = SHAPE["promise"]

    def _heard_reply(self, line: Line, at: int) -> None:
        """How far a proposer's quorum has come with a reply."""
        if line["event"] == "accepted_received":
            self._touch(line["instance"], line["ballot"], at)
        if line["event"] != "promise_received":
            return
        ballot = self._touch(line["instance"], line["ballot"], at)
        before = len(ballot.heard)
        if "have" in line:
            ballot.heard = line["have"]
        elif line["source"] not in ballot.heard:
            ballot.heard = [*ballot.heard, line["source"]]
        need = line.get("quorum", self._quorum())
        if before < need <= len(ballot.heard):
            self._point(at, "quorum", line["instance"])

    def _arrive(self, place: int, at: int) -> None:
        # It may have been given up for lost, or be a copy: its arrival knows better.
        if place not in self._flying:
            self.tables["late"].add(place, self._flights["ended"][place])
        self._leave(place, at)
        self._flights["ended"][place] = at
        self._flights["fate"][place] = FATE["received"]
        self._lines["flight"][at] = place

    def _lose(self, place: int, line: Line, at: int) -> None:
        self._leave(place, at)
        self._flights["ended"][place] = at
        if self._is_cut(place):
            fate = "walled"
        else:
            fate = {"message_dropped": "dropped", "call_failed": "failed"}.get(
                line["event"], "died"
            )
        self._flights["fate"][place] = FATE[fate]
        self.tables["lost"].columns["at"].append(at)

    def _leave(self, place: int, at: int) -> None:
        """A message is under way no more."""
        answers = self._flying.pop(place, "")
        self._end_hold(place, at)
        if answers:
            others = [other for other in self._replies.get(answers, []) if other != place]
            if others:
                self._replies[answers] = others
            else:
                self._replies.pop(answers, None)

    def _end_hold(self, place: int, at: int) -> None:
        hold = self._held.pop(place, None)
        if hold is not None:
            self.tables["holds"].columns["to"][hold] = at

    def _hold(self, place: int, at: int, node: int) -> None:
        self._end_hold(place, at)
        columns = self.tables["holds"].columns
        hold = self.tables["holds"].add(place, at, OPEN, -1, node)
        self._held[place] = hold
        last = self._flights["hold"][place]
        if last < 0:
            self._flights["hold"][place] = hold
            return
        while columns["next"][last] >= 0:
            last = columns["next"][last]
        columns["next"][last] = hold

    def _sent_by(self, at: int) -> int:
        """The message that a line sent; -1 for none."""
        place = self._lines["flight"][at] if at >= 0 else -1
        return place if place >= 0 and self._flights["sent"][place] == at else -1

    def _is_cut(self, place: int) -> bool:
        cuts = self.world["cuts"]
        if not cuts:
            return False
        source, to = self._flights["source"][place], self._flights["to"][place]
        return f"{self.nodes[source]}>{self.nodes[to]}" in cuts

    # --- everything else --------------------------------------------------------------

    def _on_other(self, line: Line, at: int, node: int) -> None:
        message = line.get("message")
        named = self._sent_by(self._names.get(message, -1)) if isinstance(message, str) else -1
        if named >= 0:
            self._lines["flight"][at] = named
        handler = self._others.get(line["event"])
        if handler is None:
            self._remember(line, node)
        else:
            handler(line, at, node, named)

    def _on_answered(self, line: Line, at: int, _node: int, _named: int) -> None:
        self._mark(at, "answer", line["value"])

    def _on_timeout(self, line: Line, at: int, node: int, _named: int) -> None:
        self._lines["shape"][at] = SHAPE["stuck" if "have" in line else "timer"]
        self._remember(line, node)

    def _on_call_failed(self, line: Line, at: int, _node: int, named: int) -> None:
        self._failed_calls.add(line["message"])
        if named in self._flying:
            self._lose(named, line, at)
        for place in self._replies.get(line["message"], []):
            self._lose(place, line, at)

    def _on_dropped(self, line: Line, at: int, _node: int, named: int) -> None:
        if named in self._flying:
            self._lose(named, line, at)

    def _on_held(self, _line: Line, at: int, node: int, named: int) -> None:
        if named in self._flying:
            self._hold(named, at, node)

    def _on_released(self, _line: Line, at: int, _node: int, named: int) -> None:
        self._end_hold(named, at)

    def _on_step(self, line: Line, at: int, _node: int, _named: int) -> None:
        self.steps.append({"at": at, "step": line["step"], "say": line["say"]})

    def _on_recovered(self, line: Line, at: int, node: int, _named: int) -> None:
        notes = self._notes_of(line["instance"])
        pair = line["accepted"]
        disk = self._state_of(line["promised"], pair)
        notes.acceptors[node] = [True, *disk, *disk]
        if pair is not None:
            self._accepted(notes, node, pair["ballot"], pair["value"], at)
        # It knew this before, so this is no moment of learning.
        if line["learned"] is not None and node not in notes.learned:
            self._open_learned(notes, node, line["learned"]["value"], at)

    def _on_ready(self, _line: Line, _at: int, node: int, _named: int) -> None:
        # What was not recovered was not on disk.
        for notes in self._notes.values():
            acceptor = notes.acceptors.get(node)
            if acceptor is not None and not acceptor[0]:
                notes.acceptors[node] = [True, 0, -1, -1, 0, -1, -1]

    def _on_disk_read(self, line: Line, at: int, _node: int, _named: int) -> None:
        node = self.node_of(line["of"])
        for entry in line["instances"]:
            notes = self._notes_of(entry["instance"])
            known = notes.acceptors.get(node)
            has = known is not None and known[0]
            memory = known[1:4] if known is not None and has else [-1, -1, -1]
            pair = entry["accepted"]
            notes.acceptors[node] = [has, *memory, *self._state_of(entry["promised"], pair)]
            if pair is not None:
                self._accepted(notes, node, pair["ballot"], pair["value"], at)

    def _on_persisted(self, line: Line, at: int, node: int, _named: int) -> None:
        if line["record"] != "acceptor":
            self._lines["shape"][at] = SHAPE["round"]
            return
        notes = self._notes_of(line["instance"])
        known = notes.acceptors.get(node, [True, 0, -1, -1, 0, -1, -1])
        pair = line.get("accepted")
        disk = self._state_of(line["promised"], pair)
        if pair is not None and known[5:] != disk[1:]:
            self._mark(at, "accept-disk", pair["value"])
        else:
            self._lines["shape"][at] = SHAPE["promise-disk"]
        notes.acceptors[node] = [*known[:4], *disk]
        if pair is not None:
            self._accepted(notes, node, pair["ballot"], pair["value"], at)

    def _on_learned(self, line: Line, at: int, node: int, _named: int) -> None:
        self._mark(at, "learn", line["value"])
        instance = line["instance"]
        notes = self._notes_of(instance)
        if node not in notes.learned:
            self._open_learned(notes, node, line["value"], at)
        if node in notes.learned_by:
            return
        value = self.value_of(line["value"])
        notes.learned_by.append(node)
        notes.learned_values.append(value)
        same = all(one == value for one in notes.learned_values) and (
            not notes.chosen or value in notes.chosen
        )
        if not same:
            self._point(at, "violation", instance)
        elif len(notes.learned_by) == 1:
            self._point(at, "learned", instance)
        elif len(notes.learned_by) == len(self.world["members"]):
            self._point(at, "all_learned", instance)

    def _open_learned(self, notes: _Notes, node: int, value: Any, at: int) -> None:
        row = (notes.instance, self.value_of(value), at, OPEN, node)
        notes.learned[node] = self.tables["learned"].add(*row)

    def _remember(self, line: Line, node: int) -> None:
        """Adopt the state that a step left in an acceptor's memory."""
        if "after" not in line or "instance" not in line:
            return
        acceptor = line["after"].get("acceptor")
        if acceptor is None:
            return
        acceptors = self._notes_of(line["instance"]).acceptors
        memory = self._state_of(acceptor["promised"], acceptor["accepted"])
        known = acceptors.get(node)
        disk = [0, -1, -1] if known is None else known[4:]
        acceptors[node] = [True, *memory, *disk]

    def _state_of(self, promised: str, pair: dict[str, Any] | None) -> list[int]:
        if pair is None:
            return [self.ballot_of(promised), -1, -1]
        return [
            self.ballot_of(promised),
            self.ballot_of(pair["ballot"]),
            self.value_of(pair["value"]),
        ]

    # --- ballots and choices ------------------------------------------------------------

    def _accepted(self, notes: _Notes, node: int, ballot: str, accepted: Any, at: int) -> None:
        value = self.value_of(accepted)
        known = notes.ballots.get(self.ballot_of(ballot))
        if known is not None and node in known.tallies.get(value, ()):
            return
        tally = self._touch(notes.instance, ballot, at).tallies.setdefault(value, [])
        tally.append(node)
        if len(tally) < self._quorum() or value in notes.chosen:
            return
        notes.chosen.append(value)
        self.tables["chosen"].add(
            notes.instance, self.ballot_of(ballot), value, self.quorum_of(tally), at
        )
        kind = "chosen" if len(notes.chosen) == 1 else "violation"
        self._point(at, kind, notes.instance)

    def _touch(self, instance: int, ballot: str, at: int) -> _Ballot:
        ballots = self._notes_of(instance).ballots
        code = self.ballot_of(ballot)
        found = ballots.get(code)
        if found is None:
            proposer = self.node_of(ballot[ballot.index(".") + 1 :])
            row = (instance, code, at, at, -1, proposer, END["open"])
            found = ballots[code] = _Ballot(self.tables["ballots"].add(*row))
        self._touched[found.span] = found
        return found

    def _see_ballots(self, at: int) -> None:
        columns = self.tables["ballots"].columns
        quorum, member_count = self._quorum(), len(self.world["members"])
        for span, ballot in self._touched.items():
            columns["to"][span] = at
            if columns["quorumAt"][span] < 0 and len(ballot.heard) >= quorum:
                columns["quorumAt"][span] = at
            if any(len(tally) >= quorum for tally in ballot.tallies.values()):
                columns["end"][span] = END["chosen"]
            elif member_count - len(ballot.refused) < quorum:
                columns["end"][span] = END["refused"]
        self._touched.clear()

    def _quorum(self) -> int:
        return len(self.world["members"]) // 2 + 1

    def _notes_of(self, instance: int) -> _Notes:
        notes = self._notes.get(instance)
        if notes is None:
            notes = self._notes[instance] = _Notes(instance)
        return notes

    def _mark(self, at: int, shape: str, value: Any) -> None:
        self._lines["shape"][at] = SHAPE[shape]
        self._lines["value"][at] = -1 if value is None else self.value_of(value)

    def _point(self, at: int, kind: str, instance: int) -> None:
        self.tables["points"].add(at, instance, POINT[kind])


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
