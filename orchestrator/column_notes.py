"""What is so in every instance: acceptors and disks, ballots, choices, learners.

A part of the indexer; the twin of ``web/log/notes.js``.
"""

from typing import Any

from orchestrator.column_draft import Draft
from orchestrator.column_tables import END, OPEN, SHAPE
from paxos.events import Line
from paxos.events.fold import NO_BALLOT

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


class _Instance:
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


class Notes:
    """The instances of a log."""

    def __init__(self, draft: Draft) -> None:
        """Before the first line."""
        self._draft = draft
        self._all: dict[int, _Instance] = {}
        self._touched: dict[int, _Ballot] = {}

    def answering(self, instance: int, node: int) -> str:
        """The message that a node took last in an instance; nothing if none."""
        notes = self._all.get(instance)
        return "" if notes is None else notes.answering.get(node, "")

    def took(self, instance: int, node: int, message: str) -> None:
        """A node has taken a message."""
        self._notes_of(instance).answering[node] = message

    def lose_process(self, node: int, at: int) -> None:
        """What a node knew in memory is gone."""
        ends = self._draft.tables["learned"].columns["to"]
        for notes in self._all.values():
            acceptor = notes.acceptors.get(node)
            if acceptor is not None:
                acceptor[0] = False
            span = notes.learned.pop(node, None)
            if span is not None:
                ends[span] = at
            notes.answering.pop(node, None)

    def sent(self, line: Line, at: int, node: int, kind: str) -> None:
        """What a message that was sent says about its ballot."""
        if kind in {"prepare", "promise"}:
            self._touch(line["instance"], line["ballot"], at)
        elif kind == "nack":
            ballot = self._touch(line["instance"], line["ballot"], at)
            if node not in ballot.refused:
                ballot.refused.append(node)
        elif kind == "accept":
            ballot = self._touch(line["instance"], line["ballot"], at)
            if not ballot.pushed and "wanted" in line:
                self._draft.point(at, "yield", line["instance"])
            ballot.pushed = True
        elif kind == "accepted":
            notes = self._notes_of(line["instance"])
            self._accepted(notes, node, line["ballot"], line["value"], at)

    def see_step(self, line: Line, at: int, node: int) -> None:
        """Whether an acceptor's step was a promise or an accept."""
        notes = self._all.get(line["instance"])
        before = None if notes is None else notes.acceptors.get(node)
        was = before[1:4] if before is not None and before[0] else [-1, -1, -1]
        self.remember(line, node)
        acceptor = line["after"].get("acceptor") if "after" in line else None
        if acceptor is None:
            return
        after = self._all[line["instance"]].acceptors[node]
        if after[2:4] != was[1:]:
            pair = acceptor["accepted"]
            self._draft.mark(at, "accept", None if pair is None else pair["value"])
        elif after[1] != was[0]:
            self._draft.lines["shape"][at] = SHAPE["promise"]

    def heard_reply(self, line: Line, at: int) -> None:
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
        need = line.get("quorum", self._draft.quorum())
        if before < need <= len(ballot.heard):
            self._draft.point(at, "quorum", line["instance"])

    def recovered(self, line: Line, at: int, node: int) -> None:
        """A node has read an instance from its disk."""
        notes = self._notes_of(line["instance"])
        pair = line["accepted"]
        disk = self._state_of(line["promised"], pair)
        notes.acceptors[node] = [True, *disk, *disk]
        if pair is not None:
            self._accepted(notes, node, pair["ballot"], pair["value"], at)
        # It knew this before, so this is no moment of learning.
        if line["learned"] is not None and node not in notes.learned:
            self._open_learned(notes, node, line["learned"]["value"], at)

    def ready(self, node: int) -> None:
        """What was not recovered was not on disk."""
        for notes in self._all.values():
            acceptor = notes.acceptors.get(node)
            if acceptor is not None and not acceptor[0]:
                notes.acceptors[node] = [True, 0, -1, -1, 0, -1, -1]

    def disk_read(self, line: Line, at: int) -> None:
        """The disk of a node that is down was read."""
        node = self._draft.node_of(line["of"])
        for entry in line["instances"]:
            notes = self._notes_of(entry["instance"])
            known = notes.acceptors.get(node)
            has = known is not None and known[0]
            memory = known[1:4] if known is not None and has else [-1, -1, -1]
            pair = entry["accepted"]
            notes.acceptors[node] = [has, *memory, *self._state_of(entry["promised"], pair)]
            if pair is not None:
                self._accepted(notes, node, pair["ballot"], pair["value"], at)

    def persisted(self, line: Line, at: int, node: int) -> None:
        """A record is on disk."""
        if line["record"] != "acceptor":
            self._draft.lines["shape"][at] = SHAPE["round"]
            return
        notes = self._notes_of(line["instance"])
        known = notes.acceptors.get(node, [True, 0, -1, -1, 0, -1, -1])
        pair = line.get("accepted")
        # A log of another program may leave out that nothing was promised.
        disk = self._state_of(line.get("promised", NO_BALLOT), pair)
        if pair is not None and known[5:] != disk[1:]:
            self._draft.mark(at, "accept-disk", pair["value"])
        else:
            self._draft.lines["shape"][at] = SHAPE["promise-disk"]
        notes.acceptors[node] = [*known[:4], *disk]
        if pair is not None:
            self._accepted(notes, node, pair["ballot"], pair["value"], at)

    def learned(self, line: Line, at: int, node: int) -> None:
        """A node has learned a value."""
        self._draft.mark(at, "learn", line["value"])
        instance = line["instance"]
        notes = self._notes_of(instance)
        if node not in notes.learned:
            self._open_learned(notes, node, line["value"], at)
        if node in notes.learned_by:
            return
        value = self._draft.value_of(line["value"])
        notes.learned_by.append(node)
        notes.learned_values.append(value)
        same = all(one == value for one in notes.learned_values) and (
            not notes.chosen or value in notes.chosen
        )
        if not same:
            self._draft.point(at, "violation", instance)
        elif len(notes.learned_by) == 1:
            self._draft.point(at, "learned", instance)
        elif len(notes.learned_by) == len(self._draft.world["members"]):
            self._draft.point(at, "all_learned", instance)

    def _open_learned(self, notes: _Instance, node: int, value: Any, at: int) -> None:
        row = (notes.instance, self._draft.value_of(value), at, OPEN, node)
        notes.learned[node] = self._draft.tables["learned"].add(*row)

    def remember(self, line: Line, node: int) -> None:
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
            return [self._draft.ballot_of(promised), -1, -1]
        return [
            self._draft.ballot_of(promised),
            self._draft.ballot_of(pair["ballot"]),
            self._draft.value_of(pair["value"]),
        ]

    def _accepted(self, notes: _Instance, node: int, ballot: str, accepted: Any, at: int) -> None:
        value = self._draft.value_of(accepted)
        known = notes.ballots.get(self._draft.ballot_of(ballot))
        if known is not None and node in known.tallies.get(value, ()):
            return
        tally = self._touch(notes.instance, ballot, at).tallies.setdefault(value, [])
        tally.append(node)
        if len(tally) < self._draft.quorum() or value in notes.chosen:
            return
        notes.chosen.append(value)
        self._draft.tables["chosen"].add(
            notes.instance, self._draft.ballot_of(ballot), value, self._draft.quorum_of(tally), at
        )
        kind = "chosen" if len(notes.chosen) == 1 else "violation"
        self._draft.point(at, kind, notes.instance)

    def _touch(self, instance: int, ballot: str, at: int) -> _Ballot:
        ballots = self._notes_of(instance).ballots
        code = self._draft.ballot_of(ballot)
        found = ballots.get(code)
        if found is None:
            proposer = self._draft.node_of(ballot[ballot.index(".") + 1 :])
            row = (instance, code, at, at, -1, proposer, END["open"])
            found = ballots[code] = _Ballot(self._draft.tables["ballots"].add(*row))
        self._touched[found.span] = found
        return found

    def seen(self, at: int) -> None:
        """The line has been seen: how far the ballots are that it is about."""
        if not self._touched:
            return
        columns = self._draft.tables["ballots"].columns
        quorum, member_count = self._draft.quorum(), len(self._draft.world["members"])
        for span, ballot in self._touched.items():
            columns["to"][span] = at
            if columns["quorumAt"][span] < 0 and len(ballot.heard) >= quorum:
                columns["quorumAt"][span] = at
            if any(len(tally) >= quorum for tally in ballot.tallies.values()):
                columns["end"][span] = END["chosen"]
            elif member_count - len(ballot.refused) < quorum:
                columns["end"][span] = END["refused"]
        self._touched.clear()

    def _notes_of(self, instance: int) -> _Instance:
        notes = self._all.get(instance)
        if notes is None:
            notes = self._all[instance] = _Instance(instance)
        return notes
