"""One run as it goes: what it is made of, and what is left when its steps are done."""

from dataclasses import dataclass, field
from typing import Any

from orchestrator.journal import Journal
from orchestrator.operations import Operation, Operations
from orchestrator.watch import Watch
from paxos.scenario import Scenario
from paxos.scenario.model import Measure


@dataclass(slots=True)
class Played:
    """What is left when the steps are done, well or badly.

    Attributes:
        scenario: what was played.
        run: the run's name.
        instances: the scenario's names of instances, and their numbers.
        watch: every line.
        operations: what clients asked for.
        pieces: for each node, the stretches of its log that belong to the run.
        settings: with which settings each node began it, as ``node_started`` names them.
        command_count: how many commands a person gave, where no scenario was played.
        rows: the operations of each measured row, by its name.
        failure: why it stopped early; ``None`` when every step came to its end.
        left: what is in force still of what a person commanded, each in a clause.
        is_interrupted: a person broke it off; what had happened is a run nevertheless.
        elapsed_s: from the first line to the last.
    """

    scenario: Scenario
    run: str
    instances: dict[str, int]
    watch: Watch
    journal: Journal
    operations: Operations
    pieces: dict[str, list[dict[str, int | None]]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    command_count: int | None = None
    rows: dict[str, list[Operation]] = field(default_factory=dict)
    failure: str | None = None
    left: tuple[str, ...] = ()
    is_interrupted: bool = False
    elapsed_s: float = 0.0


def number_instances(scenario: Scenario, first: int) -> dict[str, int]:
    """Fresh instances: those that the scenario names, then one for each measured proposal."""
    names = list(scenario.instances)
    for measure in scenario.measurements():
        names.extend(row_names(measure))
    return {name: number for number, name in enumerate(names, start=first)}


def row_names(measure: Measure) -> list[str]:
    """The names of a measured row's instances."""
    return [f"{measure.row} {number}" for number in range(1, measure.proposals + 1)]
