"""A scenario, played in virtual time from its first line to its last."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paxos.events import Line, closing_fields
from paxos.scenario import Scenario
from paxos.scenario.model import Measure
from paxos.simulator.clients import Operation
from paxos.simulator.conditions import CALM, Conditions, shown
from paxos.simulator.parts import CORRECT, Parts
from paxos.simulator.stage import Stage, StepFailed
from paxos.simulator.world import World

WORLD = "sim"
"""What this world is called on the command line and in a run's table."""


@dataclass(slots=True)
class Played:
    """What is left when the steps are done, well or badly.

    Attributes:
        scenario: what was played.
        world: where.
        instances: the scenario's names of instances, and their numbers.
        starts: for each node, incarnation and number of the run's first line.
        settings: those of each node when the run began, by name.
        lines: the run's lines, in the order in which they were written.
        operations: what clients asked for.
        rows: the operations of each measured row.
        failure: why it stopped early; ``None`` when every step came to its end.
    """

    scenario: Scenario
    world: World
    instances: dict[str, int]
    starts: dict[str, tuple[int, int]]
    settings: dict[str, dict[str, object]]
    lines: list[Line]
    operations: list[Operation]
    rows: dict[str, list[Operation]] = field(default_factory=dict)
    failure: str | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """The nodes, by name."""
        return tuple(node.name for node in self.world.nodes.values())

    @property
    def elapsed_s(self) -> float:
        """How much virtual time has passed."""
        return self.world.now_ns / 1e9


def play(
    scenario: Scenario,
    node_count: int,
    seed: int,
    parts: Parts = CORRECT,
    conditions: Conditions = CALM,
) -> Played:
    """Play a scenario.

    Args:
        scenario: what to play.
        node_count: on how many nodes.
        seed: decides whatever chance decides.
        parts: what runs; the variant that the scenario names, if it names one.
        conditions: what network and disk are like.
    """
    assert parts.name == scenario.variant, f"{scenario.name} is for {scenario.variant}"
    world = World(
        seed,
        node_count,
        parts.core_settings(),
        conditions,
        parts.roles,
        keeping=parts.keeping,
        variant=parts.name,
        manual=scenario.manual,
    )
    # The run begins when every node serves and every link is ready, as in any world.
    world.run()
    first = len(world.lines)
    starts = {node.name: (node.incarnation, node.seq + 1) for node in world.nodes.values()}
    settings = {node.name: shown(world.settings) for node in world.nodes.values()}
    rows = {measure.row: row_names(measure) for measure in scenario.measurements()}
    names = [*scenario.instances, *(name for row in rows.values() for name in row)]
    instances = {name: number for number, name in enumerate(names, start=1)}
    stage = Stage(world, instances, rows)
    _tell_start(world, scenario, instances, seed, begin_fields(world, starts, settings))
    for node in world.running():
        # The piece of a node's log begins with a line, however soon the node is killed.
        node.write({"event": "gate_changed", "rules": []})
    if scenario.settings:
        stage.configure(dict(scenario.settings))
    failure = _perform(world, scenario, stage)
    world.read_disks()
    world.tell(closing_fields(world.lines[first:], starts, instances))
    return Played(
        scenario=scenario,
        world=world,
        instances=instances,
        starts=starts,
        settings=settings,
        lines=world.lines[first:],
        operations=stage.clients.all,
        rows=stage.measured,
        failure=failure,
    )


def row_names(measure: Measure) -> list[str]:
    """The names of a measured row's instances."""
    return [f"{measure.row} {number}" for number in range(1, measure.proposals + 1)]


def begin_fields(
    world: World,
    starts: Mapping[str, tuple[int, int]],
    settings: Mapping[str, Mapping[str, object]],
) -> dict[str, object]:
    """What ``run_started`` says for the log to be whole without a table: how each node begins.

    Args:
        world: where.
        starts: for each node, incarnation and number of the run's first line.
        settings: those of each node, by name.
    """
    begins = {node: f"{node}/{place[0]}/{place[1]}" for node, place in starts.items()}
    told: dict[str, object] = {"begins": begins, "settings": dict(settings)}
    return told if world.variant is None else {**told, "variant": world.variant}


def _tell_start(
    world: World,
    scenario: Scenario,
    instances: Mapping[str, int],
    seed: int,
    begin: Mapping[str, object],
) -> None:
    world.tell(
        {
            "event": "run_started",
            # No clock in it: the same seed and commands are the same bytes.
            "run": f"{scenario.name}-{len(world.members)}-seed-{seed}",
            "scenario": scenario.name,
            "title": scenario.title,
            "world": WORLD,
            "members": [node.name for node in world.nodes.values()],
            "instances": dict(instances),
            "predict": scenario.predict,
            **begin,
        }
    )


def _perform(world: World, scenario: Scenario, stage: Stage) -> str | None:
    failure = None
    try:
        for number, step in enumerate(scenario.steps, start=1):
            if step.say:
                world.tick()
                world.tell({"event": "step_started", "step": number, "say": step.say})
            stage.perform(number, step)
    except StepFailed as failed:
        failure = str(failed)
    world.tick()
    stage.faults.undo_all()
    world.tick()
    stage.clients.give_up()
    world.tell({"event": "run_finished", "completed": failure is None, "reason": failure or ""})
    return failure
