"""The sandbox: a recipe in, a run out, in a browser tab or anywhere else.

A *recipe* is a seed, a number of nodes, maybe a scenario or a broken variant,
and commands that each come when the log has so many lines. It is small enough
for a link, and the same recipe gives the same bytes on every Python. A fork is
another recipe: the commands up to some line, and then one thing more; so the
first lines of both runs are the same, byte for byte.

``recipe`` reading one, with its bounds · ``world`` a world that can be cut at
a line · ``takeover`` from a moment on by hand · ``play`` the run · ``possible``
whether a command is · ``held`` what waits for a hand · ``export`` the recipe as
a scenario · ``judging`` table and verdict · ``running`` all that the page shows ·
``whatif`` what can still happen · ``ways`` the way there as a recipe ·
``repair`` a broken variant with an edited handler · ``border`` JSON in, JSON
and bytes out, for the worker.
"""

from collections.abc import Mapping
from typing import Any

from paxos.sandbox.judging import judge
from paxos.sandbox.recipe import SandboxError, Stories
from paxos.sandbox.repair import repair, variants
from paxos.sandbox.running import fork as fork_among
from paxos.sandbox.running import run as run_to_bytes
from paxos.sandbox.stories import bundled_stories
from paxos.sandbox.whatif import whatif

__all__ = [
    "SandboxError",
    "Stories",
    "bundled_stories",
    "fork",
    "judge",
    "repair",
    "run",
    "run_to_bytes",
    "variants",
    "whatif",
]


def fork(
    recipe: Mapping[str, Any],
    at: int,
    step: Mapping[str, Any],
    stories: Stories | None = None,
) -> dict[str, Any]:
    """The recipe of a fork: what a run shows up to a line, then one thing more.

    Args:
        recipe: whose run is forked, in plain data. It is played, to see what it shows.
        at: how many lines of its log stay.
        step: what is done then.
        stories: the scenarios that it may begin with; those of the archive
            where none are given.

    Raises:
        SandboxError: the recipe cannot be read; the text is a sentence.
    """
    return fork_among(recipe, at, step, bundled_stories() if stories is None else stories)


def run(recipe: object, stories: Stories | None = None) -> dict[str, Any]:
    """Play a recipe, and judge what happened.

    Args:
        recipe: in plain data.
        stories: the scenarios that it may begin with; those of the archive
            where none are given.

    Raises:
        SandboxError: the recipe cannot be read; the text is a sentence.
    """
    told, data = run_to_bytes(recipe, bundled_stories() if stories is None else stories)
    return {"lines": data.decode("utf-8"), **told}
