"""One recipe in, everything that the page shows of its run out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from paxos.checker import merge
from paxos.checker.why import explain
from paxos.events import Line, encode, line_id
from paxos.judging import judge_lines
from paxos.sandbox.export import as_scenario
from paxos.sandbox.held import waiting
from paxos.sandbox.judging import table_of
from paxos.sandbox.play import LINES, REST, TIME, Play
from paxos.sandbox.recipe import VERSION, Recipe, Stories, forked, read_recipe
from paxos.scenario import model as do
from paxos.simulator.faults import as_text

WAITS: Final = "waits"

_MOST_PLAYS: Final = 4

_STOPPED: Final = {
    REST: "Nothing is left to happen.",
    WAITS: "Nothing moves by itself: deliver a message, or let a timer run out.",
    LINES: "The log has reached its limit of {lines:,} lines.",
    TIME: "It would go on: it is cut off {seconds:g} s of its own time after the last command.",
}


def run(recipe: object, stories: Stories) -> tuple[dict[str, Any], bytes]:
    """Play a recipe, and judge what happened.

    Args:
        recipe: in plain data.
        stories: the scenarios that it may begin with.

    Returns:
        What ``docs/sandbox.md`` lists, but for the lines; and those, merged, in
        their canonical bytes.

    Raises:
        SandboxError: the recipe cannot be read.
    """
    checked = read_recipe(recipe, stories)
    play = played(checked)
    merged = merge(play.lines)
    data = b"".join(map(encode, merged))
    table = table_of(play)
    held = waiting(play)
    stopped = WAITS if play.stopped == REST and held else play.stopped
    scenario, why_not_exact = as_scenario(play, stories)
    told = {
        "v": VERSION,
        "line_count": len(merged),
        "closing": play.closing,
        "sha256": hashlib.sha256(data).hexdigest(),
        "run": table,
        "verdict": judge_lines(merged, table, trusted=True).as_json(),
        "why": explain(merged, table, trusted=True),
        "stopped": stopped,
        "stopped_why": _STOPPED[stopped].format(
            lines=checked.most_lines, seconds=checked.most_ms / 1000
        ),
        "held": held,
        "refused": [
            {"command": one.command, "after": one.after, "sentence": f"{one.sentence}."}
            for one in play.refused
        ],
        **commanded(play, merged),
        "failure": play.failure,
        "faults": _faults(play),
        "down": [node.name for node in play.world.nodes.values() if not node.up],
        "paused": [node.name for node in play.world.nodes.values() if node.paused],
        "scenario": scenario,
        "scenario_why": why_not_exact,
        "seed": checked.seed,
    }
    return told, data


def fork(
    recipe: Mapping[str, Any], at: int, step: Mapping[str, Any], stories: Stories
) -> dict[str, Any]:
    """The recipe of a fork: what a run shows up to a line, then one thing more.

    Args:
        recipe: whose run is forked, in plain data. It is played, to see what it shows.
        at: how many lines of its log stay.
        step: what is done then.
        stories: the scenarios that it may begin with.

    Raises:
        SandboxError: the recipe cannot be read.
    """
    play = played(read_recipe(recipe, stories))
    return forked(recipe, commanded(play, merge(play.lines)), at, step)


def played(recipe: Recipe) -> Play:
    """Play a recipe; a command that wants more lines than come is given behind the last one.

    That can only be known once nothing is left to happen, at a later time; so
    such a recipe is played again, from its beginning.
    """
    for count in range(1, _MOST_PLAYS + 1):
        play = Play(recipe)
        play.perform(is_last=count == _MOST_PLAYS)
        if not play.is_early or count == _MOST_PLAYS:
            return play
        commands = tuple(
            replace(command, after=min(command.after, given))
            for command, given in zip(recipe.commands, play.given, strict=False)
        )
        recipe = replace(recipe, commands=(*commands, *recipe.commands[len(commands) :]))
    raise AssertionError("the last play is always shown")


def commanded(play: Play, merged: Sequence[Line]) -> dict[str, list[int]]:
    """Where the commands of a run stand in its log.

    Args:
        play: the run, done.
        merged: its lines as the page counts them.

    Returns:
        ``given``: for each command, how many lines there were when it was given;
        ``stood``: how many lines stand before the first that it may have changed.
    """
    places = {line_id(line): place for place, line in enumerate(merged)}
    # The first place of all lines that were written from one on, the last one first.
    first = len(merged) - play.closing
    firsts = [first]
    for line in reversed(play.lines):
        first = min(first, places[line_id(line)])
        firsts.append(first)
    firsts.reverse()
    return {"given": play.given, "stood": [firsts[count] for count in play.acted]}


def _faults(play: Play) -> list[Mapping[str, str]]:
    """The faults of the network in force at the end; ``name`` is what heals each."""
    faults = play.stage.faults
    cuts = [
        {"name": name, "verb": cut.fault, "text": _shape(cut)} for name, cut in faults._cuts.items()
    ]
    rules = [
        {"name": name, "verb": _verb(rule), "text": as_text(rule)}
        for name, rule in faults._rules.items()
    ]
    return [*cuts, *rules]


def _shape(cut: do.Cut) -> str:
    if cut.fault == "cut":
        # Each group is one end of the cable and all whom both still reach.
        return "-".join(group[0] for group in cut.groups)
    return " | ".join(", ".join(group) for group in cut.groups)


def _verb(rule: do.GateRule) -> str:
    return "cut_one_way" if rule.action == "cut" else rule.action
