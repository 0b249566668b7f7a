"""The third world: scenarios in virtual time, judged and kept as those of the other two."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from orchestrator.clients import Told
from orchestrator.journal import Journal
from orchestrator.operations import Operation, Operations
from orchestrator.parts import parts_of
from orchestrator.played import Played
from orchestrator.watch import Start, Watch
from paxos.events import Line
from paxos.scenario import Scenario
from paxos.simulator import clients as virtual
from paxos.simulator.player import WORLD
from paxos.simulator.player import Played as PlayedInVirtualTime
from paxos.simulator.player import play as play_in_virtual_time
from paxos.simulator.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run in virtual time was played, as far as its folder tells."""

    members: tuple[str, ...]
    world: str = WORLD


class _VirtualJournal(Journal):
    """Goes on with the runner's lines of a world, by the world's own clock."""

    def __init__(self, world: World, sink: Callable[[list[Line]], None]) -> None:
        super().__init__(sink)
        self._world = world

    def write(self, event: str, **fields: Any) -> Line:
        """Write one line."""
        self._world.tell({"event": event, **fields})
        line = self._world.lines[-1]
        self._sink([line])
        return line


class _Ended(Operations):
    """Operations that nobody waits for any more."""

    def __init__(self, operations: list[Operation]) -> None:
        self.all = operations


def play_sim(scenario: Scenario, node_count: int, seed: int, run: str) -> tuple[Place, Played]:
    """Play a scenario in virtual time.

    Args:
        scenario: what to play.
        node_count: on how many nodes.
        seed: decides whatever chance decides.
        run: the name of the run's folder; no line speaks of it.

    Raises:
        LabError: there is no such variant.
    """
    played = play_in_virtual_time(scenario, node_count, seed, parts_of(scenario.variant))
    return Place(played.members), _as_played(played, run)


def _as_played(played: PlayedInVirtualTime, run: str) -> Played:
    """The same run in the form from which folders are made."""
    watch = Watch(played.instances)
    watch.begin({node: Start(*start) for node, start in played.starts.items()})
    watch.put(played.lines)
    journal = _VirtualJournal(played.world, watch.put)
    found = {id(one): _as_operation(one) for one in played.operations}
    pieces: dict[str, list[dict[str, int | None]]] = {}
    for node in played.world.nodes.values():
        first, number = played.starts[node.name]
        pieces[node.name] = [{"incarnation": first, "first": number, "last": None}]
        for line in watch.of_node(node.name):
            if line["incarnation"] != pieces[node.name][-1]["incarnation"]:
                later = {"incarnation": line["incarnation"], "first": 1, "last": None}
                pieces[node.name].append(later)
        if node.up:
            pieces[node.name][-1]["last"] = node.seq
    return Played(
        scenario=played.scenario,
        run=run,
        instances=played.instances,
        watch=watch,
        journal=journal,
        operations=_Ended(list(found.values())),
        pieces=pieces,
        settings=played.settings,
        rows={row: [found[id(one)] for one in ones] for row, ones in played.rows.items()},
        failure=played.failure,
        elapsed_s=played.elapsed_s,
    )


def _as_operation(one: virtual.Operation) -> Operation:
    operation = Operation(
        number=one.number,
        name=one.name,
        node=one.node,
        instance=one.instance,
        value=one.value,
        invoked_ns=one.invoked_ns,
        ended=Future(),
        ended_ns=one.ended_ns,
    )
    if one.ended_ns is not None:
        operation.ended.set_result(Told(one.outcome, one.told, one.yours, one.reason))
    return operation
