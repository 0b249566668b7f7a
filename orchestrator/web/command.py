"""``paxos-lab web``: what is told when the page is served."""

import textwrap
from pathlib import Path
from typing import Final

import click

from orchestrator.cluster import LabError
from orchestrator.leftovers import clear_leftovers
from orchestrator.places import Places
from orchestrator.web.desk import Desk
from orchestrator.web.files import list_runs
from orchestrator.web.made import sandbox_state
from orchestrator.web.serve import serve
from orchestrator.web.world import LabWorld

_WIDTH: Final = 80
_INDENT: Final = 9


def run_web(
    places: Places,
    port: int,
    world: str | None,
    node_count: int | None,
    *,
    disk_faults: bool = False,
) -> None:
    """Serve the page until Ctrl-C; see :class:`LabWorld` for what is live.

    Raises:
        PageError: the port cannot be had, or the page's files are missing.
        LabError: the last live run could not be ended as it should, or left a
            fault in force.
    """
    clear_leftovers(places.logs)
    desk = Desk(LabWorld(places, world, node_count, disk_faults=disk_faults))

    def tell(address: str, _desk: Desk) -> None:
        # First of all, whole and on a row of its own: it is copied.
        click.echo(f"The page is at {address}")
        for head, sentence in (
            ("Runs", _runs(places.logs)),
            ("Live", desk.state()["why"]),
            ("Sandbox", str(sandbox_state()["why"])),
            ("", "Ctrl-C ends it, and gives back whatever a live run has hurt."),
        ):
            click.echo(_row(head, sentence))

    serve(places.logs, port, desk, tell)
    ended = desk.live
    if ended is not None and ended.ended is not None:
        if "verdict" not in ended.ended or not ended.ended.get("is_undone", True):
            raise LabError(str(ended.ended["sentence"]))
        click.echo(_row("", str(ended.ended["sentence"])))


def _runs(logs: Path) -> str:
    count = len(list_runs(logs))
    shown = Places.shown(logs)
    if not count:
        return f"None in {shown} yet; `make demo` makes some."
    return f"{count} in {shown}." if count > 1 else f"One in {shown}."


def _row(head: str, sentence: str) -> str:
    return textwrap.fill(
        sentence,
        width=_WIDTH,
        initial_indent=f"{head:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
