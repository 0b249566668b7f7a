"""Whether a run, as it stands at some line, can still go wrong: handed to the explorer."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from paxos.checker import merge
from paxos.events import Line, line_id
from paxos.parts import accused_of, parts_of
from paxos.sandbox.judging import read_lines, table_of
from paxos.sandbox.play import Play
from paxos.sandbox.recipe import SandboxError, Stories, quoted, read_recipe, rewound
from paxos.sandbox.running import commanded, played
from paxos.sandbox.stories import bundled_stories
from paxos.sandbox.ways import BY_ITSELF, UNDER_WAY, Way, as_branch
from paxos.variants import UnknownVariant
from paxos.whatif import MOST, WhatIfError, variant_of
from paxos.whatif import whatif as explore_from
from paxos.whatif.bounds import ALREADY, WRONG

_BOUNDS: Final = {**MOST, "limit": 500_000}
"""The most that may be asked for: in a tab there is also an end to how many states."""
SETTLES: Final = "what is under way is carried out to its end"


def whatif(request: Mapping[str, Any], stories: Stories | None = None) -> dict[str, Any]:
    """Explore from a line of a run.

    Args:
        request: ``recipe``, or ``jsonl`` and maybe ``run`` (the content of its
            ``run.json``); ``at``, a line's name or number; maybe ``instance``,
            ``ballots``, ``crashes``, ``disk_faults`` and ``limit``.
        stories: the scenarios that a recipe may begin with.

    Returns:
        As ``paxos.whatif.whatif``; and where it can go wrong, ``branch``: the
        way as a ``recipe`` that was played and broke what was promised, and that
        shares its first ``after`` lines with the run that was asked about; null
        where there is none, and ``no_branch`` says why.

    Raises:
        SandboxError: that cannot be explored; the sentence says why.
    """
    known = bundled_stories() if stories is None else stories
    play, lines, table = _log(request, known)
    bounds = _bounds(request)
    at = request.get("at", "end")
    if not isinstance(at, str | int) or isinstance(at, bool):
        raise SandboxError(f"at is a line's name or number, not {quoted(at)}")
    found = _explored(lines, table, at, bounds)
    if found["verdict"] == WRONG:
        found |= _branch(found, request, play, bounds, known)
    return found


def _bounds(request: Mapping[str, Any]) -> dict[str, Any]:
    """How far to look, and in which instance."""
    bounds = {name: request[name] for name in _BOUNDS if request.get(name) is not None}
    for name, number in bounds.items():
        least = int(name == "limit")
        is_whole = isinstance(number, int) and not isinstance(number, bool)
        if not is_whole or not least <= number <= _BOUNDS[name]:
            raise SandboxError(f"{name} is from {least} to {_BOUNDS[name]:,}, not {quoted(number)}")
    instance = request.get("instance")
    if isinstance(instance, bool) or not isinstance(instance, str | int | None):
        raise SandboxError(f"instance is a name or a number, not {quoted(instance)}")
    bounds["instance"] = instance
    return bounds


def _explored(
    lines: Sequence[Line], table: Mapping[str, Any] | None, at: Any, bounds: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        accused = accused_of(parts_of(variant_of(lines, table)))
        found: dict[str, Any] = explore_from(lines, at, run=table, accused=accused, **bounds)
    except (UnknownVariant, WhatIfError) as error:
        raise SandboxError(str(error)) from error
    return found


def _branch(
    found: Mapping[str, Any],
    request: Mapping[str, Any],
    play: Play | None,
    bounds: Mapping[str, Any],
    stories: Stories,
) -> dict[str, Any]:
    """The way of an answer as a recipe that was played, or why there is none.

    Returns:
        ``branch`` and ``no_branch``; and ``way`` and ``steps``, where the branch goes
        another way.
    """
    if play is None:
        return _told(*as_branch(found, None, 0, stories))
    merged = merge(play.lines)
    names = [line_id(line) for line in merged]
    count = min(names.index(found["at"]) + 1, len(names) - play.closing)
    told, is_manual = commanded(play, merged), play.recipe.manual
    begun = rewound(request["recipe"], told, count, is_manual=is_manual)
    way, why = as_branch(found, begun, count, stories)
    if way is not None or found["not_playable"] is not None:
        return _told(way, why)
    # A hand comes between two steps, and the line may lie within one: then the way
    # is looked for from where that step has ended.
    there = played(read_recipe(begun, stories))
    later = _explored(there.lines, table_of(there), "end", bounds)
    if later["verdict"] != WRONG:
        return _told(None, BY_ITSELF if later["verdict"] == ALREADY else UNDER_WAY)
    way, why = as_branch(later, begun, count, stories)
    if way is None:
        return _told(None, why)
    return _told(way, None) | {"way": [SETTLES, *later["way"]], "steps": later["steps"]}


def _told(way: Way | None, why: str | None) -> dict[str, Any]:
    """A way as the answer has it."""
    branch = None if way is None else {"recipe": way.recipe, "after": way.after}
    return {"branch": branch, "no_branch": why}


def _log(
    request: Mapping[str, Any], stories: Stories
) -> tuple[Play | None, Sequence[Line], Mapping[str, Any] | None]:
    if request.get("recipe") is not None:
        play = played(read_recipe(request["recipe"], stories))
        return play, play.lines, table_of(play)
    jsonl = request.get("jsonl")
    if not isinstance(jsonl, str):
        raise SandboxError("give a recipe, or the lines of a log")
    table = request.get("run")
    if not isinstance(table, Mapping | None):
        raise SandboxError(f"run is the content of a run.json, not {quoted(table)}")
    return None, read_lines(jsonl), table
