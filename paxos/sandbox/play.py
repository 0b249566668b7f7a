"""A recipe, played: the scenario up to the first command, the commands, then time until rest.

The order of ticks is that of a scenario's player, so that the recipe written
as a scenario (:mod:`paxos.sandbox.export`) gives the same bytes again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from paxos.events import Line, closing_fields
from paxos.sandbox.possible import Possible
from paxos.sandbox.recipe import Command, OnMessage, Recipe
from paxos.sandbox.takeover import take_over
from paxos.sandbox.world import Cut, Full, SandboxStage, SandboxWorld
from paxos.scenario import Step
from paxos.scenario import model as do
from paxos.simulator.conditions import shown
from paxos.simulator.faults import NotPossible
from paxos.simulator.node import EXIT_STATE_REFUSED, Node
from paxos.simulator.player import WORLD, begin_fields
from paxos.simulator.stage import StepFailed

_MS: Final = 1_000_000
_S: Final = 1_000_000_000
_LONGEST_WAIT_S: Final = 600
PARTITION: Final = "partition"
NAME: Final = "sandbox"
"""What a run without a scenario is called."""

REST: Final = "rest"
LINES: Final = "lines"
TIME: Final = "time"


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that was not possible as things were.

    Attributes:
        command: which one, from 0.
        after: how many lines there were.
        sentence: why.
    """

    command: int
    after: int
    sentence: str


@dataclass(slots=True)
class Told:
    """What was done, for :mod:`paxos.sandbox.export`.

    Attributes:
        step_count: how many steps of the scenario came to their end.
        cut_step: the number of the step that was cut, from 0; ``None`` if none was.
        cut_wait: a wait for the line at which it was cut, when time had passed in it.
        cut_nodes: the nodes to which a step that was cut had been done.
        said: what was said of a step that did not begin any more; empty if nothing was.
        is_closed: whether the scenario came to its end and put everything right.
        done: the waits for lines and the steps behind the scenario, as plain data.
        inexact: why playing those gives other bytes; empty if it does not.
        link_only: why no scenario can do what was done; empty if one can.
    """

    step_count: int = 0
    cut_step: int | None = None
    cut_wait: Mapping[str, Any] | None = None
    cut_nodes: tuple[str, ...] = ()
    said: str = ""
    is_closed: bool = False
    done: list[Mapping[str, Any]] = field(default_factory=list)
    inexact: str = ""
    link_only: str = ""


class Play:
    """One run of a recipe.

    Args:
        recipe: what is to run.

    Attributes:
        world: where.
        stage: who carries out steps, with what is in force.
        instances: the names of instances, and their numbers.
        stopped: why it ended: ``rest``, ``lines`` or ``time``.
        refused: the commands that were not possible.
        given: for each command, how many lines there were when it was given.
        acted: and how many when it began to do something: what was due came in between.
        closing: how many of the last lines only close the log.
        is_early: whether a command came before the log had as many lines as it wanted.
        failure: why the scenario stopped early, if it did.
        told: what was done.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.world = world = SandboxWorld(recipe)
        self.starts = {n.name: (n.incarnation, n.seq + 1) for n in world.nodes.values()}
        self.settings = {node.name: shown(world.settings) for node in world.nodes.values()}
        rows = recipe.rows
        names = [*recipe.instances, *(name for row in rows.values() for name in row)]
        self.instances = {name: number for number, name in enumerate(names, start=1)}
        self._of_rows = frozenset(names[len(recipe.instances) :])
        self.stage = SandboxStage(world, self.instances, rows)
        self.stopped = REST
        self.refused: list[Refused] = []
        self.given: list[int] = []
        self.acted: list[int] = []
        self.closing = 0
        self.is_early = False
        self.failure: str | None = None
        self.told = Told()
        self._possible = Possible(world, self.stage.faults)
        self._known_down: set[str] = set()
        self._noticed = 0
        self._acts = False

    @property
    def title(self) -> str:
        """What the run is called in a sentence."""
        scenario = self.recipe.scenario
        if scenario is not None:
            return scenario.title
        count = self.recipe.node_count
        return f"A sandbox of {count} {'node' if count == 1 else 'nodes'}"

    @property
    def name(self) -> str:
        """The name of what is played."""
        return NAME if self.recipe.scenario is None else self.recipe.scenario.name

    @property
    def run_name(self) -> str:
        """The name of the run; no clock is in it."""
        return f"{self.name}-{self.recipe.node_count}-seed-{self.recipe.seed}"

    @property
    def lines(self) -> list[Line]:
        """The run's lines, in the order in which they were written."""
        return self.world.lines[self.world.first :]

    def perform(self, *, is_last: bool = True) -> None:
        """Play all of it; once.

        Args:
            is_last: whether this is the run that is shown, even if a command
                came early. Else such a run ends with its commands, for what
                follows them costs most and is not looked at.
        """
        self._tell_start()
        try:
            if self.recipe.scenario is not None:
                self._play_scenario()
            for number, command in enumerate(self.recipe.commands):
                self._give(number, command)
            if self.is_early and not is_last:
                return
            self._rest()
        except Full:
            self.stopped = LINES
        self._close()

    def _tell_start(self) -> None:
        world, scenario = self.world, self.recipe.scenario
        world.tell(
            {
                "event": "run_started",
                "run": self.run_name,
                "scenario": self.name,
                "title": self.title,
                "world": WORLD,
                "members": [node.name for node in world.nodes.values()],
                "instances": dict(self.instances),
                "predict": "" if scenario is None else scenario.predict,
                **begin_fields(world, self.starts, self.settings),
            }
        )
        for node in world.running():
            # The piece of a node's log begins with a line, however soon the node is killed.
            node.write({"event": "gate_changed", "rules": []})
        settings = self.recipe.settings if scenario is None else scenario.settings
        if settings:
            self.stage.configure(dict(settings))

    # --- the scenario -----------------------------------------------------------------

    def _play_scenario(self) -> None:
        """Play the scenario, up to the first command if there is one.

        It is cut behind the moment of the last line that the command waits for:
        what happens in that very moment still happens, and no step begins behind it.
        """
        world, scenario = self.world, self.recipe.scenario
        assert scenario is not None, "there is one to be played"
        if self.recipe.commands:
            world.cut_at = self.recipe.commands[0].after
        try:
            try:
                self._perform(scenario.steps)
            except StepFailed as failed:
                self.failure = str(failed)
            self._put_right()
        except Cut:
            if self.failure is not None:
                self.told.inexact = "It is not exact: a step of its scenario came to no end."
        finally:
            world.cut_at = None
            self._known_down = self._told_down()

    def _perform(self, steps: tuple[Step, ...]) -> None:
        world, told = self.world, self.told
        for number, step in enumerate(steps):
            if step.say:
                world.begin_step()
                world.tell({"event": "step_started", "step": number + 1, "say": step.say})
            told.said = step.say
            world.begin_step()
            told.said = ""
            before = world.wait_count
            try:
                self.stage.carry_out(number + 1, step)
            except Cut:
                told.cut_step = number
                told.cut_nodes = self.stage.done_to
                if world.wait_count > before:
                    told.cut_wait = self._wait_for_last()
                raise
            told.step_count = number + 1

    def _put_right(self) -> None:
        """End every fault, as a player does when the steps are done."""
        world, stage = self.world, self.stage
        world.begin_step()
        self.told.is_closed = True
        stage.faults.undo_all()
        world.begin_step()
        stage.clients.give_up()
        completed, reason = self.failure is None, self.failure or ""
        world.tell({"event": "run_finished", "completed": completed, "reason": reason})

    # --- commands ---------------------------------------------------------------------

    def _give(self, number: int, command: Command) -> None:
        self._let_pass(command.after)
        before = self.world.log_count
        self.given.append(before)
        self.acted.append(before)
        self._acts = False
        self.is_early = self.is_early or before < command.after
        try:
            if command.takes_over:
                self._take_over(number)
            if command.on_message is not None:
                self._on_message(number, command.on_message)
            for step, data in command.steps:
                self._do(number, step, data)
        except (NotPossible, StepFailed) as failed:
            sentence = str(failed).removeprefix(f"step {number + 1}: ")
            self.refused.append(Refused(number, before, sentence))

    def _note_act(self, number: int) -> None:
        """Note that a command does something now, if it has not begun already."""
        if not self._acts:
            self._acts = True
            self.acted[number] = self.world.log_count

    def _take_over(self, number: int) -> None:
        if self.world.manual:
            # The scenario before it was by hand, and has come to its end with this.
            return
        self.world.tick()
        self._notice_ends()
        self._note_act(number)
        say = "From here on every message and every timer waits for a hand."
        self.world.tell({"event": "step_started", "step": number + 1, "say": say})
        take_over(self.world, self.world.remembering, self.stage.faults)
        self.told.link_only = self.told.link_only or (
            "A scenario is by hand from its beginning or not at all, so this recipe is a link only."
        )

    def _on_message(self, number: int, on_message: OnMessage) -> None:
        self.world.tick()
        self._note_act(number)
        try:
            self.world.on_message(on_message)
        except NotPossible:
            # A player's clock must go the same, and a step that waits lets as much pass.
            self._note_wait()
            raise
        self.told.link_only = self.told.link_only or (
            "A scenario has no word for one message in flight, so this recipe is a link only."
        )

    def _do(self, number: int, step: Step, data: Mapping[str, Any]) -> None:
        action = self._possible.spelt_out(step.action)
        if isinstance(action, do.Command):
            data = {action.verb: list(action.nodes)}
            if action.verb == "start" and len(action.nodes) > 1:
                # One by one, for one of them may refuse its disk.
                for name in action.nodes:
                    one = do.Command("start", (name,))
                    self._do(number, replace(step, action=one), data)
                return
        if isinstance(action, do.Cut) and action.fault == action.name == PARTITION:
            self._end_partition(number)
        self.world.tick()
        self._notice_ends()
        self._note_act(number)
        try:
            action = self._possible.checked(action)
            # A delivery waits for nothing here: what is not there now does not come.
            limit_s = 0.0 if isinstance(action, do.Deliver) else step.limit_s
            self.stage.carry_out(number + 1, replace(step, action=action, limit_s=limit_s))
        except (NotPossible, StepFailed) as failed:
            self._note_failure(action, failed)
            raise
        self.told.done.append(data)
        if isinstance(action, do.Command):
            # What was commanded is told already; a node that serves again may end by itself.
            self._known_down -= set(action.nodes)
            self._known_down |= self._down() & set(action.nodes)
        if getattr(action, "instance", None) in self._of_rows:
            self.told.link_only = self.told.link_only or (
                "A scenario has no name for one instance of a row that is measured, "
                "so this recipe is a link only."
            )
        if isinstance(action, do.Cut) and action.name != action.fault:
            self.told.link_only = self.told.link_only or (
                f"A scenario has no name for a second {action.fault} beside the first, "
                f"so this recipe is a link only."
            )

    def _end_partition(self, number: int) -> None:
        """A new wall is instead of the one before it."""
        if PARTITION in self.stage.faults.in_force:
            self._do(number, Step(do.Heal((PARTITION,))), {"heal": [PARTITION]})

    def _note_failure(self, action: do.Action, failed: Exception) -> None:
        """Note what a player must do, for its clock to go the same: wait, or see a start refused."""
        if isinstance(failed, StepFailed) and isinstance(action, do.Command):
            node = self._node(action.nodes[0])
            if action.verb == "start" and node.exit and node.exit[0] == EXIT_STATE_REFUSED:
                self.told.done.append({"refuses": node.name})
                return
        self._note_wait()

    # --- time -------------------------------------------------------------------------

    def _let_pass(self, after: int) -> None:
        """Let time pass until the run has so many lines, and note the last as a wait."""
        world = self.world
        world.tick()
        self._notice_ends()
        began_ns = world.now_ns
        until_ns = began_ns + self.recipe.most_ms * _MS
        while world.log_count < after:
            next_ns = world.next_ns()
            if next_ns is None or next_ns > until_ns:
                break
            world.advance(next_ns)
            self._notice_ends()
        self._note_wait(began_ns)

    def _rest(self) -> None:
        """Let time pass until nothing is left to happen, or for as long as it may."""
        scenario_only = self.recipe.scenario is not None and not self.recipe.commands
        if scenario_only:
            return
        world = self.world
        world.tick()
        began_ns = world.now_ns
        until_ns = began_ns + self.recipe.most_ms * _MS
        self._notice_ends()
        while (next_ns := world.next_ns()) is not None:
            if next_ns > until_ns:
                self.stopped = TIME
                break
            world.advance(next_ns)
            self._notice_ends()
        self._note_wait(began_ns)

    def _notice_ends(self) -> None:
        """Tell of nodes that ended without a command: by a failpoint, or a sync that failed."""
        if self.world.end_count == self._noticed:
            return
        self._noticed = self.world.end_count
        for name in sorted(self._down() - self._known_down):
            node = self._node(name)
            assert node.exit is not None, f"{name} has ended"
            exits = do.Exits(name, node.exit[0])
            self.stage.faults.exits(name, exits.code)
            self.told.done.append(
                {"exits": {"node": name, "code": exits.code}, "limit_s": _LONGEST_WAIT_S}
            )
            self._known_down.add(name)
            self.world.tick()

    def _note_wait(self, began_ns: int | None = None) -> None:
        line = self.world.lines[-1]
        if began_ns is not None and line["at_ns"] - began_ns > _LONGEST_WAIT_S * _S:
            self.told.inexact = self.told.inexact or (
                f"A scenario waits for at most {_LONGEST_WAIT_S} seconds, and this run for longer."
            )
        self.told.done.append(self._wait_for_last())

    def _wait_for_last(self) -> Mapping[str, Any]:
        line = self.world.lines[-1]
        place = {name: line[name] for name in ("event", "node", "incarnation", "seq")}
        return {"wait": place, "limit_s": _LONGEST_WAIT_S}

    def _close(self) -> None:
        """Tell what the disks of nodes that are down hold, and that the log is complete."""
        before = self.world.log_count
        if self.recipe.scenario is None or self.recipe.commands:
            # Behind every other line, whatever happened in the same microsecond.
            self.world.now_ns += 1_000
            self._read_disks_left()
        else:
            self.world.read_disks()
        self.world.tell(closing_fields(self.lines, self.starts, self.instances))
        self.closing = self.world.log_count - before

    def _read_disks_left(self) -> None:
        """Tell what the disks hold that nobody has read since their nodes went down."""
        read = {line["of"]: line for line in self.lines if line["event"] == "disk_read"}
        for node in self.world.nodes.values():
            known = read.get(node.name)
            if not node.up and (known is None or known["incarnation_read"] != node.incarnation):
                self.world.read_disk(node)

    def _told_down(self) -> set[str]:
        """The nodes that are down, and of which a line says so."""
        told: set[str] = set()
        for line in self.lines:
            if line["event"] == "node_exited":
                told.add(line["of"])
            elif line["event"] == "node_started":
                told.discard(line["node"])
        return told & self._down()

    def _down(self) -> set[str]:
        return {node.name for node in self.world.nodes.values() if not node.up}

    def _node(self, name: str) -> Node:
        return next(node for node in self.world.nodes.values() if node.name == name)
