"""What a person had seen of a live run, and what a scenario waits for in its place.

Only what is bound to come again is waited for: answers, what nodes learned,
wishes that arrived, messages that a rule held, and the tries of a proposer
that could not reach a majority. What chance decided (a rival's next ballot, a
message that was lost) may be otherwise in the next run, and a step that waits
for it would fail.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from orchestrator.cluster import Condition
from orchestrator.operations import Operation
from paxos.events import Line
from paxos.scenario import Lines
from paxos.scenario import model as do

_SLOW_MS: Final = 5_000.0
_LIMIT_S: Final = 60
"""How long the file waits for what was slow, or comes through a network that loses and delays."""
_MOST_TRIES: Final = 3
"""A proposer that cannot succeed has shown it by then."""

Place = tuple[str, str]
"""A node and the name of an instance."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was at some moment of a live run.

    Attributes:
        answered: clients' wishes that had been answered, by name; how long that took, in ms.
        waiting: those that had not: whom they asked, and of which instance.
        learned: by instance, the nodes that knew a value.
        received: how many wishes each node had taken in, by node and instance.
        held: how many messages each rule had held, by its name.
        tries: how often a proposer's patience had run out, by node and instance.
        cut_off: the nodes that reach no majority, whatever the network does with messages.
        has_rules: whether rules of the gates were in force.
    """

    answered: Mapping[str, float] = field(default_factory=dict)
    waiting: Mapping[str, Place] = field(default_factory=dict)
    learned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    received: Mapping[Place, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    tries: Mapping[Place, int] = field(default_factory=dict)
    cut_off: frozenset[str] = frozenset()
    has_rules: bool = False


class Sight:
    """Looks at the lines of a run that goes on: at each once, however often one looks."""

    def __init__(self) -> None:
        self._line_count = 0
        self._received: dict[Place, int] = {}
        self._tries: dict[Place, int] = {}
        self._held: dict[str, int] = {}
        self._learned: dict[str, frozenset[str]] = {}

    def look(
        self,
        lines: Lines,
        operations: Sequence[Operation],
        cut_off: frozenset[str],
        *,
        has_rules: bool,
    ) -> Seen:
        """What there is to be seen now.

        Args:
            lines: the run's lines so far; always of the same run.
            operations: what clients asked for.
            cut_off: see :class:`Seen`.
            has_rules: see :class:`Seen`.
        """
        names = {number: name for name, number in lines.instances.items()}
        for line in islice(lines.all, self._line_count, None):
            self._take(line, names)
        self._line_count = len(lines.all)
        return Seen(
            answered={one.name: one.latency_ms for one in operations if one.latency_ms is not None},
            waiting={
                one.name: (one.node, names[one.instance])
                for one in operations
                if one.latency_ms is None
            },
            learned=dict(self._learned),
            received=dict(self._received),
            held=dict(self._held),
            tries=dict(self._tries),
            cut_off=cut_off,
            has_rules=has_rules,
        )

    def _take(self, line: Line, names: Mapping[int, str]) -> None:
        match line["event"]:
            case "propose_received":
                place = line["node"], names[line["instance"]]
                self._received[place] = self._received.get(place, 0) + 1
            case "timeout_fired" if line["timer"] == "patience":
                place = line["node"], names[line["instance"]]
                self._tries[place] = self._tries.get(place, 0) + 1
            case "message_held":
                self._held[line["rule"]] = self._held.get(line["rule"], 0) + 1
            case "value_learned" | "state_recovered":
                # What ``paxos.scenario.learners`` says, of all instances at once.
                name, node = names[line["instance"]], {line["node"]}
                knows = line["event"] == "value_learned" or line.get("learned") is not None
                known = self._learned.get(name, frozenset())
                self._learned[name] = known | node if knows else known - node
            case _:
                pass


def cut_off(
    members: tuple[str, ...], conditions: Mapping[str, Condition], cuts: Sequence[do.Cut]
) -> frozenset[str]:
    """The nodes that reach no majority: others are down, paused, or behind a cut."""
    up = [node for node in members if conditions.get(node) is Condition.RUNNING]
    severed = {frozenset(pair) for cut in cuts for pair in cut.pairs(members)}
    return frozenset(
        node
        for node in members
        if sum(frozenset((node, other)) not in severed for other in up) <= len(members) // 2
    )


class Waits:
    """Turns what was seen into steps that wait for it, each once.

    Args:
        members: the nodes.
    """

    def __init__(self, members: tuple[str, ...]) -> None:
        self._members = members
        self._had = Seen()
        self._last: Place | None = None
        self._tries_before = 0

    def before(self, steps: Sequence[Mapping[str, Any]], seen: Seen) -> Iterator[dict[str, Any]]:
        """The steps that wait for what had been seen before others were commanded.

        Args:
            steps: what was commanded then; none at the end of the run.
            seen: what had been seen.
        """
        had, self._had = self._had, seen
        yield from self._answers(had, seen)
        yield from self._wishes(had, seen)
        yield from self._tries(seen)
        yield from _held(had, seen, steps)
        yield from self._learned(had, seen)

    def commanded(self, steps: Sequence[Mapping[str, Any]], seen: Seen) -> None:
        """Remember a wish: until the next command its proposer's tries are waited for."""
        self._last = None
        for step in steps:
            wish = step.get("propose")
            if wish is not None:
                place = self._last = wish["at"], wish["instance"]
                self._tries_before = seen.tries.get(place, 0)

    def _answers(self, had: Seen, seen: Seen) -> Iterator[dict[str, Any]]:
        fresh = {name: ms for name, ms in seen.answered.items() if name not in had.answered}
        if fresh:
            names = list(fresh)
            step: dict[str, Any] = {"await": names if len(names) > 1 else names[0]}
            yield _patient(step, is_slow=max(fresh.values()) > _SLOW_MS or seen.has_rules)

    def _wishes(self, had: Seen, seen: Seen) -> Iterator[dict[str, Any]]:
        """That a wish has arrived: a node that is killed before is another story."""
        for place in dict.fromkeys(seen.waiting.values()):
            count = seen.received.get(place, 0)
            if count > had.received.get(place, 0):
                yield {"wait": {"event": "propose_received", **_at(place), **_counted(count)}}

    def _tries(self, seen: Seen) -> Iterator[dict[str, Any]]:
        place = self._last
        if place is None or place not in seen.waiting.values() or place[0] not in seen.cut_off:
            return
        count = min(seen.tries.get(place, 0) - self._tries_before, _MOST_TRIES)
        if count > 0:
            sight = {"event": "timeout_fired", **_at(place), "timer": "patience"}
            yield _patient({"wait": {**sight, **_counted(count)}, "new": True}, is_slow=True)

    def _learned(self, had: Seen, seen: Seen) -> Iterator[dict[str, Any]]:
        for instance, nodes in seen.learned.items():
            if nodes - had.learned.get(instance, frozenset()):
                by = [node for node in self._members if node in nodes]
                step = {"by": "all" if len(by) == len(self._members) else by, "instance": instance}
                yield _patient({"learned": step}, is_slow=seen.has_rules)


def _held(had: Seen, seen: Seen, steps: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """That a rule has held something; all that is held, where some of that is let go."""
    if any("first" in step.get("release", {}) for step in steps):
        count = sum(seen.held.values())
        if count:
            yield {"wait": {"event": "message_held", **_counted(count)}}
        return
    for rule in seen.held:
        if rule not in had.held:
            yield {"wait": {"event": "message_held", "rule": rule}}


def _at(place: Place) -> dict[str, str]:
    return {"node": place[0], "instance": place[1]}


def _counted(count: int) -> dict[str, int]:
    return {"count": count} if count > 1 else {}


def _patient(step: dict[str, Any], *, is_slow: bool) -> dict[str, Any]:
    return {**step, "limit_s": _LIMIT_S} if is_slow else step
