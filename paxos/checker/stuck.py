"""Why a proposal is stuck: which quorum is missing, who is lacking, and what keeps them.

A proposal counts as stuck where its proposer's patience ran out, and where the
log ends before its client was answered. What is told is what the lines say up
to that moment: what each acceptor was asked, what it answered, where the
message is, and who is down, paused or cut off.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from paxos.checker.history import History, order_of
from paxos.events import Line, line_id, node_key, show
from paxos.events.fold import State, everybody_up, fold

_WORLD: Final = frozenset(
    {
        "run_started",
        "node_started",
        "node_stopped",
        "failpoint_hit",
        "power_lost",
        "node_exited",
        "gate_changed",
        "fault_applied",
        "fault_undone",
    }
)
"""Lines that say who is up and what passes between whom."""

AT_THE_END: Final = "where the log ends,"
"""Begins what is told at a wish and is so much later: none of it was so when the client asked."""
_AT_THE_GATE: Final = frozenset({"message_held", "message_dropped", "message_released"})
_REQUESTS: Final = {"preparing": "prepare_sent", "accepting": "accept_sent"}
_REPLIES: Final = {"preparing": "promise", "accepting": "accepted"}
_REPLY_NAMES: Final = {"preparing": "Promise", "accepting": "Accepted"}
_REQUEST_NAMES: Final = {"preparing": "Prepare", "accepting": "Accept"}
_ENDS: Final = {
    "kill": "killed",
    "power_loss": "without power",
    "stop": "stopped",
    "failpoint": "killed by a failpoint",
}
_MESSAGES: Final = frozenset(
    {
        "prepare_sent",
        "accept_sent",
        "promise_sent",
        "accepted_sent",
        "nack_sent",
        "promise_received",
        "accepted_received",
    }
)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A proposal that is stuck.

    Attributes:
        line: where: the timer that ran out, or the wish that is still open.
        instance: of which instance.
        place: up to which place of the merged lines it is told.
        sentence: what is lacking.
        events: the lines that show it.
    """

    line: Line
    instance: int
    place: int
    sentence: str
    events: tuple[Line, ...]


Key = tuple[int, str, str, str]
"""Instance, event, the node that wrote the line, the ballot."""


@dataclass(slots=True)
class _Trail:
    """All lines by which one can follow a request and its answer.

    Attributes:
        messages: by event, writer and ballot, in merged order.
        received: by the name of a message: the line that received it.
        gated: by the name of a message: what gates did with it, in order.
        worlds: the states of the world, and from which places on they hold.
        used: by instance and node: the requests that it sent, in order.
    """

    messages: dict[Key, list[Line]] = field(default_factory=dict)
    received: dict[str, Line] = field(default_factory=dict)
    gated: dict[str, list[Line]] = field(default_factory=dict)
    worlds: list[State] = field(default_factory=list)
    since: list[int] = field(default_factory=list)
    used: dict[tuple[int, str], list[Line]] = field(default_factory=dict)


def find_stuck(history: History) -> Iterator[Stuck]:
    """Every proposal that is stuck, in the order of the lines that they are told at."""
    if not history.quorum:
        return
    ran_out = [line for line in history.order.lines if _ran_out(line)]
    waiting = [line for instance in history.instances.values() for line in instance.wishes]
    still_open = list(_still_open(history, waiting))
    if ran_out or still_open:
        yield from _Judge(history, ran_out, still_open).run()


def _ran_out(line: Line) -> bool:
    return (
        line["event"] == "timeout_fired"
        and line["timer"] == "patience"
        and line.get("phase") in _REQUESTS
        and "ballot" in line
        and "ignored" not in line
    )


def _still_open(history: History, wishes: Iterable[Line]) -> Iterator[Line]:
    """Wishes that reached a node and were never answered there."""
    answered = {
        (line["node"], line["incarnation"], line["instance"], line["request"])
        for instance in history.instances.values()
        for line in instance.learned
        if line["event"] == "propose_answered"
    }
    for line in wishes:
        if line["event"] == "propose_received" and "ignored" not in line:
            key = line["node"], line["incarnation"], line["instance"], line["request"]
            if key not in answered:
                yield line


class _Judge:
    """Tells of each stuck proposal what it lacks."""

    def __init__(self, history: History, ran_out: list[Line], still_open: list[Line]) -> None:
        self._history = history
        self._ran_out = ran_out
        self._open = still_open
        self._members = sorted(history.members, key=node_key)
        self._place = history.order.place
        self._end = len(history.order.lines) - 1
        self._trail = self._follow({line["instance"] for line in (*ran_out, *still_open)})

    def run(self) -> Iterator[Stuck]:
        for line in self._ran_out:
            yield self._lacking(
                line, self._place(line), line["node"], line["ballot"], line["phase"]
            )
        for line in self._open:
            yield self._unanswered(line)

    def _follow(self, instances: set[int]) -> _Trail:
        trail = _Trail()
        world = everybody_up(self._members)
        trail.worlds.append(world)
        trail.since.append(-1)
        for place, line in enumerate(self._history.order.lines):
            event = line["event"]
            if event in _WORLD:
                world = fold(world, line)
                trail.worlds.append(world)
                trail.since.append(place)
            elif event in _AT_THE_GATE:
                if line.get("message") is not None:
                    trail.gated.setdefault(line["message"], []).append(line)
            elif line.get("instance") in instances:
                if event in _MESSAGES:
                    key = line["instance"], event, line["node"], line["ballot"]
                    trail.messages.setdefault(key, []).append(line)
                    if event in _REQUESTS.values():
                        trail.used.setdefault((line["instance"], line["node"]), []).append(line)
                if "cause" in line:
                    trail.received.setdefault(line["cause"], line)
        return trail

    def _unanswered(self, wish: Line) -> Stuck:
        """A wish that is still open where the log ends."""
        node, instance = wish["node"], wish["instance"]
        value = show("value", wish["value"])
        world = self._trail.worlds[-1]
        view = world["nodes"].get(node, {})
        if view.get("status") == "down" or view.get("incarnation", 1) > wish["incarnation"]:
            sentence = f"{node} ended before it answered its client, who wished for {value}"
            return Stuck(wish, instance, self._end, sentence, ())
        requests = [
            line
            for line in self._trail.used.get((instance, node), ())
            if line["incarnation"] == wish["incarnation"]
        ]
        if not requests:
            reason = f"{AT_THE_END} {node} has begun no ballot for {value}"
            if view.get("status") == "paused":
                reason += ", and it is paused"
            return Stuck(wish, instance, self._end, reason, ())
        last = requests[-1]
        phase = "preparing" if last["event"] == "prepare_sent" else "accepting"
        found = self._lacking(wish, self._end, node, last["ballot"], phase)
        client = f"{node}'s client, who wished for {value}, has no answer"
        sentence = f"{AT_THE_END} {client}: {found.sentence}"
        return Stuck(wish, instance, self._end, sentence, found.events)

    def _lacking(self, line: Line, place: int, node: str, ballot: str, phase: str) -> Stuck:
        instance = line["instance"]
        reply = _REPLIES[phase]
        heard = {
            found["source"]: found
            for found in self._up_to(place, instance, f"{reply}_received", node, ballot)
            if "ignored" not in found
        }
        have = [member for member in self._members if member in heard]
        word = "promises" if phase == "preparing" else "acceptances"
        quorum = self._history.quorum
        count = f"{len(have)} of the {quorum} {word} that {ballot} needs"
        sentence = f"{node} has {count}" + (f" ({show('have', have)})" if have else "")
        events = list(heard.values())
        if len(have) < quorum:
            for member in self._members:
                if member not in heard:
                    clause, shown = self._clause(place, instance, node, member, ballot, phase)
                    sentence += f"; {clause}"
                    events += shown
        return Stuck(line, instance, place, sentence, tuple(events))

    def _up_to(
        self, place: int, instance: int, event: str, node: str, ballot: str
    ) -> Iterator[Line]:
        for line in self._trail.messages.get((instance, event, node, ballot), ()):
            if self._place(line) <= place:
                yield line

    def _clause(
        self, place: int, instance: int, node: str, member: str, ballot: str, phase: str
    ) -> tuple[str, list[Line]]:
        """What keeps one acceptor's answer away, with the lines that show it."""
        for nack in self._up_to(place, instance, "nack_sent", member, ballot):
            if nack["to"] == node and order_of(nack["promised"]) >= order_of(ballot):
                return f"{member} refused it for {nack['promised']}", [nack]
        reply = f"{_REPLIES[phase]}_sent"
        for line in self._up_to(place, instance, reply, member, ballot):
            if line["to"] == node:
                what = f"{member}'s {_REPLY_NAMES[phase]} ({line_id(line)})"
                return self._travel(place, line, what)
        asked = [
            line
            for line in self._up_to(place, instance, _REQUESTS[phase], node, ballot)
            if line["to"] == member
        ]
        if not asked:
            return f"{member} was not asked", []
        received = self._trail.received.get(line_id(asked[0]))
        if received is not None and self._place(received) <= place:
            return f"{member} was asked and has not answered{self._state(place, member)}", [
                received
            ]
        what = f"the {_REQUEST_NAMES[phase]} to {member} ({line_id(asked[0])})"
        return self._travel(place, asked[0], what)

    def _travel(self, place: int, message: Line, what: str) -> tuple[str, list[Line]]:
        """Where a message is that has not arrived."""
        name, source, to = line_id(message), message["node"], message["to"]
        gated = [line for line in self._trail.gated.get(name, ()) if self._place(line) <= place]
        if gated and gated[-1]["event"] == "message_dropped":
            return f"{what} was dropped", [message, gated[-1]]
        world = self._world(place)
        view = world["nodes"].get(to, {})
        if view.get("status") == "down":
            how = _ENDS.get(view.get("ended_by"), "down")
            return f"{to} is down ({how})" if how != "down" else f"{to} is down", [message]
        if gated and gated[-1]["event"] == "message_held":
            return f"{what} is held at a gate", [message, gated[-1]]
        if f"{source}>{to}" in world["cuts"]:
            return f"{to} is cut off from {source}", [message]
        if view.get("status") == "paused":
            return f"{to} is paused", [message]
        return f"{what} has not arrived", [message]

    def _state(self, place: int, node: str) -> str:
        status: Mapping[str, str] = self._world(place)["nodes"].get(node, {})
        return {"down": ": it is down", "paused": ": it is paused"}.get(
            status.get("status", ""), ""
        )

    def _world(self, place: int) -> State:
        """How the world is at a place."""
        return self._trail.worlds[bisect_right(self._trail.since, place) - 1]
