"""From a plan that shows something wrong to the least of it that still does.

Delta debugging (Zeller, Hildebrandt: "Simplifying and Isolating Failure-
Inducing Input", 2002) over the list of commands: ever smaller pieces are left
out, as long as the same rule breaks first. Then what is around the commands:
settings, weather, and the lines between them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from paxos.checker import check_lines
from paxos.scenario import parse
from paxos.simulator.fuzz import LIVENESS, Outcome, rare_collections, run_plan
from paxos.simulator.parts import CORRECT, Parts
from paxos.simulator.plan import Command, Plan
from paxos.simulator.player import Played, play
from paxos.simulator.saved import as_scenario

RUN_LIMIT: Final = 2_000
"""How many plans are tried at most."""

_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The least that was found.

    Attributes:
        outcome: of the smaller plan.
        run_count: how many plans were tried.
        complete: whether nothing more can be left out, one thing at a time.
    """

    outcome: Outcome
    run_count: int
    complete: bool


class _Limit(Exception):
    """No more plans may be tried."""


def shrink(
    found: Outcome,
    parts: Parts = CORRECT,
    progress: Callable[[int, int], None] = lambda _runs, _commands: None,
    run_limit: int = RUN_LIMIT,
) -> Shrunk:
    """Leave out of a plan whatever its violation does not need.

    Args:
        found: what was found; its rule is not ``None``.
        parts: what ran.
        progress: told how many plans were tried and how many commands are left.
        run_limit: how many plans are tried at most.
    """
    assert found.rule is not None, "there is something to shrink"
    tried = _Tried(found, parts, progress, run_limit)
    with rare_collections() as run_done:
        tried.run_done = run_done
        try:
            size = -1
            while size != len(tried.best.plan.commands):
                size = len(tried.best.plan.commands)
                _ddmin(tried.best.plan.commands, tried.commands)
                tried.conditions()
        except _Limit:
            return Shrunk(tried.best, tried.run_count, complete=False)
    return Shrunk(tried.best, tried.run_count, complete=True)


def replayed(outcome: Outcome, parts: Parts) -> Played:
    """The saved form of a run, played as anybody would play it."""
    scenario = parse("found", as_scenario(outcome, parts))
    return play(scenario, outcome.plan.node_count, outcome.plan.seed, parts)


def reproduces(outcome: Outcome, parts: Parts) -> bool:
    """Whether the saved form of a run ends as the run did.

    It seldom does not: where a command came when nothing happened any more,
    but a paused node still had something to do, the saved one comes sooner.
    """
    played = replayed(outcome, parts)
    if outcome.rule == LIVENESS:
        return played.failure is not None
    violations = check_lines(played.world.lines, trusted=True).violations
    return bool(violations) and violations[0].rule == outcome.rule


class _Tried:
    """Tries plans, and keeps the smallest that breaks the same rule."""

    def __init__(
        self,
        found: Outcome,
        parts: Parts,
        progress: Callable[[int, int], None],
        run_limit: int,
    ) -> None:
        self.best = found
        self.run_count = 0
        self.run_done: Callable[[], None] = lambda: None
        self._parts = parts
        self._progress = progress
        self._run_limit = run_limit

    def plan(self, plan: Plan) -> bool:
        """Whether a plan breaks the same rule first; then it is the best."""
        if self.run_count >= self._run_limit:
            raise _Limit
        self.run_count += 1
        outcome = run_plan(plan, self._parts)
        self.run_done()
        breaks = outcome.rule == self.best.rule and reproduces(outcome, self._parts)
        if breaks:
            self.best = outcome
        self._progress(self.run_count, len(self.best.plan.commands))
        return breaks

    def commands(self, commands: Sequence[Command]) -> bool:
        """The same for the plan with these commands."""
        return self.plan(replace(self.best.plan, commands=tuple(commands)))

    def conditions(self) -> None:
        """Leave out settings, one by one, and lines between commands."""
        for setting in self.best.plan.settings:
            left = tuple(one for one in self.best.plan.settings if one != setting)
            self.plan(replace(self.best.plan, settings=left))
        for place in range(len(self.best.plan.commands)):
            commands = list(self.best.plan.commands)
            if commands[place].after:
                commands[place] = replace(commands[place], after=0)
                self.commands(commands)


def _ddmin(things: Sequence[_Thing], fails: Callable[[Sequence[_Thing]], bool]) -> Sequence[_Thing]:
    """The part of some things of which nothing can be left out, so that it still fails."""
    pieces = 2
    while len(things) >= 1:
        size = max(1, len(things) // pieces)
        for start in range(0, len(things), size):
            rest = [*things[:start], *things[start + size :]]
            if fails(rest):
                things, pieces = rest, max(2, pieces - 1)
                break
        else:
            if size == 1:
                break
            pieces = min(len(things), pieces * 2)
    return things
