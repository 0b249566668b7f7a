"""A broken variant before its three judges: explorer, log checker, simulator."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from orchestrator.explore import accused_of
from orchestrator.parts import parts_of
from paxos.checker import check_lines
from paxos.explorer import ALWAYS, Explored, Model, explore
from paxos.explorer.messages import Trace, explore_messages
from paxos.explorer.schedule import NotPlayable, scenario
from paxos.scenario import ScenarioError, parse
from paxos.simulator.fuzz import Outcome, find
from paxos.simulator.player import play
from paxos.variants import Size, Variant

LIMIT: Final = 60_000_000
"""States after which the explorer gives up; the correct protocol needs fewer at every size here."""

CORRECT_SIZES: Final = (
    Size(proposing=1, values=1, ballots=2),
    Size(proposing=1, values=1, ballots=1, crashes=1, disk_faults=1),
)
"""Where the correct protocol is explored to the end: most variants are caught at no more."""

CORRECT_SEEDS: Final = 200
"""How many seeds of the correct protocol are looked at."""

NEVER: Final = "chosen"
"""The *sometimes* that a variant may fail: a value can be chosen."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the judges said of one variant, or of the correct protocol.

    Attributes:
        name: the variant's; empty for the correct protocol.
        breaks: what it should break; empty for the correct protocol.
        explored: the property that breaks first in the explorer, or
            :data:`NEVER`; ``None`` if none does, or it was not asked.
        steps: the length of the shortest schedule to it.
        logged: the rule that is broken first in that schedule's log.
        fuzzed: what the first seed that finds anything breaks first.
        seed: that seed.
        is_explored: whether the explorer was asked.
    """

    name: str
    breaks: str
    explored: str | None
    steps: int | None
    logged: str | None
    fuzzed: str | None
    seed: int | None
    is_explored: bool

    @property
    def caught(self) -> bool:
        """Whether every judge that was asked has found something, and the right thing in a log."""
        if self.is_explored and self.explored is None:
            return False
        if self.logged is not None and self.logged != self.breaks:
            return False
        return self.fuzzed == self.breaks

    @property
    def as_it_should_be(self) -> bool:
        """A variant is caught; the correct protocol is not flagged."""
        if self.name:
            return self.caught
        return self.explored is None and self.fuzzed is None


def try_variant(variant: Variant) -> Tried:
    """Put a variant before its judges."""
    explored = steps = logged = None
    if variant.exposed_by is not None:
        found = explore_size(variant.name, variant.exposed_by)
        explored = first_found(found)
        if explored is not None and explored != NEVER:
            steps = len(found.traces[explored])
            logged = replayed(variant.name, found)
    elif variant.in_messages is not None:
        trace = in_messages(variant)
        if trace is not None:
            explored, steps = trace.what, len(trace.steps)
    outcome = fuzz(variant, variant.seeds)
    return Tried(
        variant.name,
        variant.breaks,
        explored,
        steps,
        logged,
        None if outcome is None else outcome.rule,
        None if outcome is None else outcome.plan.seed,
        variant.exposed_by is not None or variant.in_messages is not None,
    )


def try_correct() -> Tried:
    """Put the correct protocol before the same judges."""
    explored = None
    for size in CORRECT_SIZES:
        explored = explored or first_found(explore_size(None, size))
    outcome = fuzz(None, CORRECT_SEEDS)
    return Tried(
        "",
        "",
        explored,
        None,
        None,
        None if outcome is None else outcome.rule,
        None if outcome is None else outcome.plan.seed,
        is_explored=True,
    )


def model_of(size: Size) -> Model:
    """The explorer's model of a size: an input with all of its effects is one step."""
    return Model(**{part.name: getattr(size, part.name) for part in fields(Size)}, whole_steps=True)


def explore_size(
    variant: str | None, size: Size, until: Sequence[str] = ALWAYS, limit: int = LIMIT
) -> Explored:
    """Every schedule of a size, until something is found."""
    return explore(model_of(size), accused_of(variant), until=until, limit=limit)


def in_messages(variant: Variant) -> Trace | None:
    """The shortest way to break a rule in the message-set model."""
    bounds = variant.in_messages
    assert bounds is not None, f"{variant.name} shows nothing there"
    return explore_messages(
        bounds.acceptors,
        bounds.values,
        bounds.ballots,
        variant.roles,
        until=frozenset({bounds.rule}),
    ).first_broken


def first_found(found: Explored) -> str | None:
    """The property that is broken first, or :data:`NEVER` if no schedule chooses a value."""
    if found.first_broken is not None:
        return found.first_broken
    return NEVER if found.verdicts.get(NEVER) == "never" else None


def replayed(variant: str | None, found: Explored) -> str | None:
    """The rule that the checker reports first of the shortest schedule's log.

    ``None`` if no world can play it.
    """
    name = found.first_broken
    assert name is not None, "something was found"
    try:
        data = scenario(
            found.traces[name], found.model, accused_of(variant), title="shortest", breaks=name
        )
        story = parse("shortest", data)
    except (NotPlayable, ScenarioError):
        return None
    played = play(story, found.model.nodes, 1, parts_of(variant))
    violations = check_lines(played.world.lines).violations
    return violations[0].rule if violations else "nothing"


def fuzz(variant: Variant | None, seeds: int) -> Outcome | None:
    """What the first seed of so many that finds anything found."""
    return find(range(1, seeds + 1), parts_of(None if variant is None else variant.name))
