"""The shortest way to what goes wrong, as a recipe: one that was played, and went wrong.

A run whose messages move by themselves goes on by hand from the moment in
question, so its lines up to there stay as they were. A log without a recipe
is handed over message by message from its beginning, and becomes a recipe.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paxos.checker import check_lines
from paxos.events import line_id
from paxos.explorer import ALWAYS
from paxos.sandbox.judging import table_of
from paxos.sandbox.play import Play
from paxos.sandbox.recipe import (
    BY_HAND,
    MOST_COMMANDS,
    MOST_LINES,
    VERSION,
    WAITS,
    SandboxError,
    Stories,
    read_recipe,
)
from paxos.sandbox.running import played

SEED: Final = 7
"""Of a run that is made from a log: by hand, chance decides how long a sync takes, and little else."""

Step = Mapping[str, Any]
_OF_AN_INSTANCE: Final = frozenset({"propose", "deliver", "fire", "failpoint"})


@dataclass(frozen=True, slots=True)
class Way:
    """A way that was gone.

    Attributes:
        recipe: in plain data.
        after: how many lines it shares with the run that was asked about.
        play: the run that it is.
        breaks: whether what was promised is broken in it, behind the shared lines and
            with every step done.
        refused: why a step of it was not possible, if one was not.
    """

    recipe: dict[str, Any]
    after: int
    play: Play
    breaks: bool
    refused: str | None


def as_branch(
    found: Mapping[str, Any], begun: Mapping[str, Any] | None, after: int, stories: Stories
) -> tuple[Way | None, str | None]:
    """The way of an answer as a recipe.

    Args:
        found: the answer, with a way.
        begun: the recipe of the run that was asked about, up to the moment and by hand
            from there on (:func:`taken_over`); ``None`` for a log.
        after: up to how many lines it is that run.
        stories: the scenarios that it may begin with.

    Returns:
        The way, or ``None`` and a sentence that says why there is none.
    """
    if found["not_playable"] is not None:
        return None, found["not_playable"]
    rule = next(name for name in ALWAYS if found["properties"].get(name) == "broken")
    if begun is None:
        if found["scenario"] is None:
            return None, found["no_scenario"]
        asked, after = _of_its_own(found["scenario"]), 0
    else:
        asked = _gone_on(found, begun, stories)
    if len(asked["commands"]) > MOST_COMMANDS:
        return None, f"a recipe has at most {MOST_COMMANDS} commands, and this way takes more"
    try:
        way = _gone(asked, after, rule, found["instance"], stories)
    except SandboxError as error:
        # A log may hold longer texts than a recipe, which anyone may write.
        return None, str(error)
    if way.breaks:
        return way, None
    return None, way.refused or f"played, it did not break {rule}"


def _of_its_own(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario that is played by hand, as a recipe."""
    return {
        "v": VERSION,
        "seed": SEED,
        "nodes": scenario["nodes"],
        "variant": scenario.get("variant"),
        "manual": True,
        "scenario": None,
        "settings": dict(scenario["settings"]),
        "instances": list(scenario["instances"]),
        "commands": list(_commands(scenario["steps"], None)),
    }


def taken_over(recipe: Mapping[str, Any], play: Play, count: int) -> dict[str, Any]:
    """The recipe of a run up to a line; by hand from there on, if it was not yet.

    Args:
        recipe: in plain data.
        play: its run.
        count: how many lines stay.
    """
    given = zip(recipe.get("commands", ()), play.given, strict=False)
    # What was given behind the line is not in the log up to it, whatever it waited for.
    kept = [
        {**command, "after": min(command["after"], lines)}
        for command, lines in given
        if lines < count
    ]
    commands = play.recipe.commands[: len(kept)]
    if not play.recipe.manual and not any(command.takes_over for command in commands):
        kept.append({"after": count, "do": {BY_HAND: True}})
    return {**recipe, "commands": kept}


def _gone_on(
    found: Mapping[str, Any], begun: Mapping[str, Any], stories: Stories
) -> dict[str, Any]:
    """A recipe that waits for a hand, and the steps of the way."""
    numbers = enumerate(read_recipe(begun, stories).instances, start=1)
    name = next((name for number, name in numbers if number == found["instance"]), None)
    paused = [node["node"] for node in found["nodes"] if node["status"] == "paused"]
    steps = [*({"resume": node} for node in paused), *found["steps"]]
    return {**begun, "commands": [*begun["commands"], *_commands(steps, name)]}


def _commands(steps: Sequence[Step], instance: str | None) -> Iterator[dict[str, Any]]:
    """Steps as commands, each once all has happened that the ones before it brought about."""
    for step in steps:
        verb, content = next(iter(step.items()))
        if verb in WAITS:
            continue
        if instance is not None and verb in _OF_AN_INSTANCE:
            content = {**content, "instance": instance}
        yield {"after": MOST_LINES, "do": {verb: content}}


def _gone(asked: dict[str, Any], after: int, rule: str, instance: int, stories: Stories) -> Way:
    """Play a way; its commands then name the lines behind which they came."""
    play = played(read_recipe(asked, stories))
    commands = [
        {**command, "after": min(command["after"], given)}
        for command, given in zip(asked["commands"], play.given, strict=False)
    ]
    recipe = {**asked, "commands": [*commands, *asked["commands"][len(commands) :]]}
    verdict = check_lines(play.lines, table_of(play), trusted=True)
    refused = next((one.sentence for one in play.refused), None)
    # What was broken before, or by what the run did anyway, is not the way's doing.
    behind = {line_id(line) for line in play.lines[after:]}
    breaks = refused is None and any(
        (one.rule, one.instance) == (rule, instance) and line_id(one.at) in behind
        for one in verdict.violations
    )
    return Way(recipe, after, play, breaks, refused)
