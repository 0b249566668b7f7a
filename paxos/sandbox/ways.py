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

_UNPLAYABLE: Final = (
    "the way holds a step that the explorer's model can take and no cluster can be made to "
    "take: {}. Ask again from a later line, or allow other crashes and faults of a disk"
)
_NOT_HANDED_OVER: Final = (
    "a log without a recipe is handed over message by message from its beginning, and this one "
    "cannot be: {}. Play the story in the sandbox, and ask there"
)
_TOO_LONG: Final = (
    "a recipe has at most {} commands, and with this way there are {}. Ask from an earlier line"
)
_NO_RECIPE: Final = (
    "a recipe has bounds, for it may come from a stranger's link, and this way is beyond them: {}"
)
_PLAYED_IN_VAIN: Final = (
    "it was played, and did not lead there: {}. {}Ask again from a line a little earlier or later"
)
_MORE_OF_A_DISK: Final = (
    "The explorer allows a disk more than a cluster does: there any record may be damaged, "
    "and any promise that was ever sent be copied. "
)
UNDER_WAY: Final = (
    "what is under way at this line comes to its end before a hand can act, and this way is not "
    "open any more then. Ask again from a line a little earlier or later"
)
BY_ITSELF: Final = "what is under way at this line breaks a rule before a hand can act. Look at the lines behind it"

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
            from there on; ``None`` for a log.
        after: up to how many lines it is that run.
        stories: the scenarios that it may begin with.

    Returns:
        The way, or ``None`` and a sentence that says why there is none.
    """
    if found["not_playable"] is not None:
        return None, _UNPLAYABLE.format(found["not_playable"])
    first = 0
    rule = next(name for name in ALWAYS if found["properties"].get(name) == "broken")
    if begun is None:
        if found["scenario"] is None:
            return None, _NOT_HANDED_OVER.format(found["no_scenario"])
        asked, after = _of_its_own(found["scenario"]), 0
    else:
        asked = _gone_on(found, begun, stories)
        first = len(begun["commands"])
    count = len(asked["commands"])
    if count > MOST_COMMANDS:
        return None, _TOO_LONG.format(MOST_COMMANDS, count)
    try:
        way = _gone(asked, first, after, rule, found["instance"], stories)
    except SandboxError as error:
        # A log may hold longer texts than a recipe, which anyone may write.
        return None, _NO_RECIPE.format(error)
    if way.breaks:
        return way, None
    why = f"{rule} did not break" if way.refused is None else way.refused
    is_of_disk = any("disk_fault" in step for step in found["steps"])
    return None, _PLAYED_IN_VAIN.format(why, _MORE_OF_A_DISK if is_of_disk else "")


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


def _gone_on(
    found: Mapping[str, Any], begun: Mapping[str, Any], stories: Stories
) -> dict[str, Any]:
    """A recipe that waits for a hand, and the steps of the way."""
    numbers = Play(read_recipe(begun, stories)).instances
    name = next((name for name, number in numbers.items() if number == found["instance"]), None)
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


def _gone(
    asked: dict[str, Any], first: int, after: int, rule: str, instance: int, stories: Stories
) -> Way:
    """Play a way; its commands then name the lines behind which they came.

    Args:
        asked: the recipe.
        first: the number of the way's first command.
        after: how many lines it shares with the run that was asked about.
        rule: what is to break.
        instance: the number of the instance in which it is to.
        stories: the scenarios that it may begin with.
    """
    play = played(read_recipe(asked, stories))
    commands = [
        {**command, "after": min(command["after"], given)}
        for command, given in zip(asked["commands"], play.given, strict=False)
    ]
    recipe = {**asked, "commands": [*commands, *asked["commands"][len(commands) :]]}
    verdict = check_lines(play.lines, table_of(play), trusted=True)
    # A command of the run itself was refused there as well.
    refused = next((one.sentence for one in play.refused if one.command >= first), None)
    # What was broken before, or by what the run did anyway, is not the way's doing.
    behind = {line_id(line) for line in play.lines[after:]}
    breaks = refused is None and any(
        (one.rule, one.instance) == (rule, instance) and line_id(one.at) in behind
        for one in verdict.violations
    )
    return Way(recipe, after, play, breaks, refused)
