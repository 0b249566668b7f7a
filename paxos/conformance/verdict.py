"""What becomes of a whole log: does it depart from the core, and where first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paxos.conformance.replay import Departure, NodeReplay, Place
from paxos.events import Line, line_id, narrate, node_key
from paxos.protocol import ROLES, Roles

OK: Final = "ok"
DEPARTED: Final = "departed"
UNKNOWN: Final = "unknown"
SKIPPED: Final = "skipped"

_ORCHESTRATOR: Final = "orchestrator"
# Whoever wants more replays the log.
_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Table:
    """What a run's ``run.json`` says, as far as it is needed here.

    Attributes:
        members: the acceptors, by name.
        instances: the numbers of the run's instances.
        begins: each node's first line of the run.
        settings: with which settings each node began it.
        variant: the broken variant that the run was of, if it was.
    """

    members: tuple[str, ...]
    instances: frozenset[int]
    begins: Mapping[str, Place]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Conformance:
    """Whether a log is one that the core would have written.

    Attributes:
        verdict: ``departed`` if a line is not the core's; else ``unknown`` if
            something could not be followed; else ``ok``. ``skipped`` where the
            question makes no sense: a broken variant departs by design.
        reasons: why it is unknown or skipped, in sentences.
        node_count, step_count, effect_count: what was compared.
        departures: the first of each instance in each incarnation, by node.
    """

    verdict: str
    reasons: tuple[str, ...]
    node_count: int
    step_count: int
    effect_count: int
    departures: tuple[Departure, ...]

    def sentence(self) -> str:
        """The finding in one sentence, without a full stop."""
        compared = (
            f"{self.step_count:,} step{'s' * (self.step_count != 1)} of "
            f"{self.node_count} node{'s' * (self.node_count != 1)} replayed through the core"
        )
        count = len(self.departures)
        places = f"{count} place{'s' * (count != 1)}"
        match self.verdict:
            case "ok":
                return f"{compared}: every state, record and message is the core's"
            case "departed":
                return f"{compared}: the log departs from it at {places}"
            case "skipped":
                found = f"; it departs from the core at {places}" if count else ""
                return f"not judged: {self.reasons[0]}{found}"
            case _:
                return f"{compared}, and not to the end: {self.reasons[0]}"

    def as_json(self) -> dict[str, Any]:
        """The key ``conformance`` of ``verdict.json``."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "reasons": list(self.reasons),
            "nodes": self.node_count,
            "steps": self.step_count,
            "effects": self.effect_count,
            "departure_count": len(self.departures),
            "departures": [_departure_json(found) for found in self.departures[:_TOLD]],
        }


def conform(lines: Iterable[Line], table: Table | None = None) -> Conformance:
    """Replay a log through the core.

    Args:
        lines: of all nodes; those of one node in their order. What the runner
            wrote is passed over.
        table: of the run; without one, each log begins with line 1.

    Raises:
        OutOfOrder: a line comes behind one that its node wrote later.
    """
    replays: dict[str, NodeReplay] = {}
    for line in lines:
        node = line["node"]
        if node == _ORCHESTRATOR:
            continue
        replay = replays.get(node)
        if replay is None:
            replay = replays[node] = replay_of(node, table)
        replay.take(line)
    ordered = [replays[node] for node in sorted(replays, key=node_key)]
    departures = tuple(departure for replay in ordered for departure in replay.finish())
    verdict, reasons = _judge(ordered, departures, table)
    return Conformance(
        verdict,
        tuple(reasons),
        node_count=len(ordered),
        step_count=sum(replay.step_count for replay in ordered),
        effect_count=sum(replay.effect_count for replay in ordered),
        departures=departures,
    )


def conform_in_any_order(lines: Iterable[Line], table: Table | None = None) -> Conformance:
    """The same for lines in any order, which takes room for all of them."""
    return conform(sorted(lines, key=lambda line: (line["incarnation"], line["seq"])), table)


def replay_of(
    node: str, table: Table | None, roles: Roles = ROLES, *, any_disk: bool = False
) -> NodeReplay:
    """A replay of a node's lines that none were given to yet.

    Args:
        node: whose.
        table: of the run, if there is one.
        roles: what plays the roles.
        any_disk: whether a start may find anything on its disk.
    """
    if table is None:
        return NodeReplay(node, roles=roles, any_disk=any_disk)
    return NodeReplay(
        node,
        tuple(sorted(node_key(member) for member in table.members)),
        table.instances,
        table.begins.get(node),
        table.settings.get(node),
        roles,
        any_disk=any_disk,
    )


def _judge(
    replays: list[NodeReplay], departures: tuple[Departure, ...], table: Table | None
) -> tuple[str, list[str]]:
    variants = {variant for replay in replays for variant in replay.variants}
    if table is not None and table.variant is not None:
        variants.add(table.variant)
    if variants:
        return SKIPPED, [f"the nodes ran the broken variant {', '.join(sorted(variants))}"]
    doubts = [doubt for replay in replays for doubt in replay.doubts]
    if not any(replay.step_count for replay in replays):
        return (UNKNOWN, doubts) if doubts else (SKIPPED, ["the log holds no step of any node"])
    if not any(replay.shows_states for replay in replays):
        return SKIPPED, ["no line tells a state, so the log is not of this program's nodes"]
    if departures:
        return DEPARTED, doubts
    return (UNKNOWN, doubts) if doubts else (OK, [])


def _departure_json(departure: Departure) -> dict[str, Any]:
    line = departure.line
    return {
        "node": line["node"],
        "instance": departure.instance,
        "line": line_id(line),
        "sentence": f"{narrate(line)} But {departure.sentence}",
        "found": line,
        "expected": departure.expected,
    }
