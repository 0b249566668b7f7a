"""Whether a run, as it stands at some line, can still go wrong: handed to the explorer."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from paxos.checker import merge
from paxos.events import Line, line_id
from paxos.parts import accused_of, parts_of
from paxos.sandbox.judging import read_lines, table_of
from paxos.sandbox.play import Play
from paxos.sandbox.recipe import SandboxError, Stories, read_recipe
from paxos.sandbox.running import played
from paxos.sandbox.stories import bundled_stories
from paxos.sandbox.ways import Way, as_branch, taken_over
from paxos.variants import UnknownVariant
from paxos.whatif import MOST, WhatIfError, variant_of
from paxos.whatif import whatif as explore_from
from paxos.whatif.bounds import WRONG

_BOUNDS: Final = {**MOST, "limit": 500_000}
"""The most that may be asked for: in a tab there is also an end to how many states."""


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
    bounds = {name: request[name] for name in _BOUNDS if request.get(name) is not None}
    for name, number in bounds.items():
        if not isinstance(number, int) or not 0 <= number <= _BOUNDS[name]:
            raise SandboxError(f"{name} is from 0 to {_BOUNDS[name]:,}, not {number!r}")
    bounds["instance"] = request.get("instance")
    found = _explored(lines, table, request.get("at", "end"), bounds)
    if found["verdict"] == WRONG:
        way, why = _way(found, request, play, bounds, known)
        branch = None if way is None else {"recipe": way.recipe, "after": way.after}
        found |= {"branch": branch, "no_branch": why}
    return found


def _explored(
    lines: Sequence[Line], table: Mapping[str, Any] | None, at: Any, bounds: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        accused = accused_of(parts_of(variant_of(lines, table)))
        found: dict[str, Any] = explore_from(lines, at, run=table, accused=accused, **bounds)
    except (UnknownVariant, WhatIfError) as error:
        raise SandboxError(str(error)) from error
    return found


def _way(
    found: Mapping[str, Any],
    request: Mapping[str, Any],
    play: Play | None,
    bounds: Mapping[str, Any],
    stories: Stories,
) -> tuple[Way | None, str | None]:
    """The way of an answer as a recipe that was played, or why there is none."""
    if play is None:
        return as_branch(found, None, 0, stories)
    names = [line_id(line) for line in merge(play.lines)]
    count = min(names.index(found["at"]) + 1, len(names) - play.closing)
    begun = taken_over(request["recipe"], play, count)
    way, why = as_branch(found, begun, count, stories)
    if way is None and found["not_playable"] is None:
        # A hand comes between two steps, and the line may lie within one: then the way
        # is looked for from where that step has ended.
        there = played(read_recipe(begun, stories))
        later = _explored(there.lines, table_of(there), "end", bounds)
        if later["verdict"] == WRONG:
            way, why = as_branch(later, begun, count, stories)
    return way, why


def _log(
    request: Mapping[str, Any], stories: Stories
) -> tuple[Play | None, Sequence[Line], Mapping[str, Any] | None]:
    if "recipe" in request:
        play = played(read_recipe(request["recipe"], stories))
        return play, play.lines, table_of(play)
    jsonl = request.get("jsonl")
    if not isinstance(jsonl, str):
        raise SandboxError("give a recipe, or the lines of a log")
    return None, read_lines(jsonl), request.get("run")
