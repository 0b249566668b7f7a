"""What became of every message: when it was sent, held, received or lost.

A part of the indexer; the twin of ``web/log/flights.js``.
"""

from orchestrator.column_draft import Draft
from orchestrator.column_tables import FATE, KIND, OPEN
from paxos.events import Line


class Flights:
    """The messages of a log.

    Attributes:
        flying: those under way, by their place: the name of the message that each answers, or "".
    """

    def __init__(self, draft: Draft) -> None:
        """Before the first line."""
        self._draft = draft
        self.flying: dict[int, str] = {}
        self._replies: dict[str, list[int]] = {}
        self._failed_calls: set[str] = set()
        self._held: dict[int, int] = {}

    def sent(self, line: Line, at: int, node: int, kind: str, answers: str) -> None:
        """A message is sent; ``answers`` names the one that it answers, or nothing."""
        instance = line.get("instance", 0)
        accepted = line.get("accepted")
        row = self._draft.flights
        place = len(row["sent"])
        row["sent"].append(at)
        row["ended"].append(at)
        row["instance"].append(instance)
        row["ballot"].append(self._draft.ballot_of(line["ballot"]) if "ballot" in line else -1)
        row["value"].append(self._draft.value_of(line["value"]) if "value" in line else -1)
        row["acceptedBallot"].append(
            -1 if accepted is None else self._draft.ballot_of(accepted["ballot"])
        )
        row["acceptedValue"].append(
            -1 if accepted is None else self._draft.value_of(accepted["value"])
        )
        row["promised"].append(
            self._draft.ballot_of(line["promised"]) if "promised" in line else -1
        )
        row["hold"].append(-1)
        row["kind"].append(KIND[kind])
        row["source"].append(node)
        row["to"].append(self._draft.node_of(line["to"]))
        row["fate"].append(FATE["open"])
        self._draft.lines["flight"][at] = place
        # A guest keeps no log; whoever waited for this reply may have given up;
        # and nothing gets through a wall.
        cut = self._draft.is_cut(place)
        if cut or line["to"].startswith("g") or answers in self._failed_calls:
            row["fate"][place] = FATE["walled" if cut else "died"]
            self._draft.tables["lost"].columns["at"].append(at)
            return
        row["ended"][place] = OPEN
        self.flying[place] = answers
        if answers:
            self._replies.setdefault(answers, []).append(place)

    def arrive(self, place: int, at: int) -> None:
        """A message has arrived."""
        # It may have been given up for lost, or be a copy: its arrival knows better.
        if place not in self.flying:
            self._draft.tables["late"].add(place, self._draft.flights["ended"][place])
        self._leave(place, at)
        self._draft.flights["ended"][place] = at
        self._draft.flights["fate"][place] = FATE["received"]
        self._draft.lines["flight"][at] = place

    def lose(self, place: int, line: Line, at: int) -> None:
        """A message is lost, as a line tells."""
        self._leave(place, at)
        self._draft.flights["ended"][place] = at
        if self._draft.is_cut(place):
            fate = "walled"
        else:
            fate = {"message_dropped": "dropped", "call_failed": "failed"}.get(
                line["event"], "died"
            )
        self._draft.flights["fate"][place] = FATE[fate]
        self._draft.tables["lost"].columns["at"].append(at)

    def _leave(self, place: int, at: int) -> None:
        """A message is under way no more."""
        answers = self.flying.pop(place, "")
        self.end_hold(place, at)
        if answers:
            others = [other for other in self._replies.get(answers, []) if other != place]
            if others:
                self._replies[answers] = others
            else:
                self._replies.pop(answers, None)

    def end_hold(self, place: int, at: int) -> None:
        """No gate holds a message any more."""
        hold = self._held.pop(place, None)
        if hold is not None:
            self._draft.tables["holds"].columns["to"][hold] = at

    def hold(self, place: int, at: int, node: int) -> None:
        """The gate of a node holds a message."""
        self.end_hold(place, at)
        columns = self._draft.tables["holds"].columns
        hold = self._draft.tables["holds"].add(place, at, OPEN, -1, node)
        self._held[place] = hold
        last = self._draft.flights["hold"][place]
        if last < 0:
            self._draft.flights["hold"][place] = hold
            return
        while columns["next"][last] >= 0:
            last = columns["next"][last]
        columns["next"][last] = hold

    def lose_earlier(self, line: Line, at: int, node: int) -> None:
        """What an earlier incarnation sent and nobody has received died with its connections."""
        source, sent = self._draft.flights["source"], self._draft.flights["sent"]
        incarnations = self._draft.lines["incarnation"]
        for place in list(self.flying):
            if source[place] == node and incarnations[sent[place]] < line["incarnation"]:
                self.lose(place, line, at)

    def lose_at_walls(self, line: Line, at: int) -> None:
        """Nothing gets through a wall that has just gone up."""
        for place in list(self.flying):
            if place not in self._held and self._draft.is_cut(place):
                self.lose(place, line, at)

    def lose_with_process(self, node: int, line: Line, at: int) -> None:
        """What waits at the gate of a process that has ended, or is on its way to it."""
        to, holders = self._draft.flights["to"], self._draft.tables["holds"].columns["node"]
        for place in list(self.flying):
            hold = self._held.get(place)
            if (to[place] if hold is None else holders[hold]) == node:
                self.lose(place, line, at)

    def call_failed(self, line: Line, at: int, named: int) -> None:
        """A call has failed, and with it all that would have answered it."""
        self._failed_calls.add(line["message"])
        if named in self.flying:
            self.lose(named, line, at)
        for place in self._replies.get(line["message"], []):
            self.lose(place, line, at)
