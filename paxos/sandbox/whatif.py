"""Whether a run, as it stands at some line, can still go wrong: handed to the explorer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from paxos.events import Line
from paxos.explorer import Accused
from paxos.protocol import Settings
from paxos.sandbox.judging import read_lines, table_of
from paxos.sandbox.recipe import SandboxError, Stories, parts_of, read_recipe
from paxos.sandbox.running import played
from paxos.sandbox.stories import bundled_stories
from paxos.whatif import MOST, WhatIfError
from paxos.whatif import whatif as explore_from

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
        As ``paxos.whatif.whatif``.

    Raises:
        SandboxError: that cannot be explored; the sentence says why.
    """
    lines, table = _log(request, bundled_stories() if stories is None else stories)
    bounds = {name: request[name] for name in _BOUNDS if request.get(name) is not None}
    for name, number in bounds.items():
        if not isinstance(number, int) or not 0 <= number <= _BOUNDS[name]:
            raise SandboxError(f"{name} is from 0 to {_BOUNDS[name]:,}, not {number!r}")
    variant = None if table is None else table.get("variant")
    parts = parts_of(variant)
    settings = replace(Settings(), own_ballots=False, **parts.settings)
    accused = Accused(parts.roles, settings, parts.keeping.faults, parts.name or "")
    try:
        found: dict[str, Any] = explore_from(
            lines,
            request.get("at", "end"),
            run=table,
            instance=request.get("instance"),
            accused=accused,
            **bounds,
        )
    except WhatIfError as error:
        raise SandboxError(str(error)) from error
    return found


def _log(
    request: Mapping[str, Any], stories: Stories
) -> tuple[list[Line], Mapping[str, Any] | None]:
    if "recipe" in request:
        play = played(read_recipe(request["recipe"], stories))
        return play.lines, table_of(play)
    jsonl = request.get("jsonl")
    if not isinstance(jsonl, str):
        raise SandboxError("give a recipe, or the lines of a log")
    return read_lines(jsonl), request.get("run")
