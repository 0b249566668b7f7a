"""The commands that bring containers up and down, and those that look inside."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, Self

import click

from orchestrator.compose import (
    DEFAULT_NODE_COUNT,
    NODE_COUNTS,
    ComposeError,
    ComposeSettings,
    Layout,
    compose_document,
    compose_path,
)
from orchestrator.places import PROJECT, Places

# What is slow to load is imported by the command that needs it: --help is fast.
# ruff: noqa: PLC0415

_NODES: Final = click.option(
    "--nodes",
    type=click.Choice([str(count) for count in NODE_COUNTS]),
    help="How many nodes the cluster has.",
)
_WORLD: Final = click.option(
    "--world",
    type=click.Choice(["docker", "local"]),
    envvar="WORLD",
    help="Containers or local processes; without it, docker where there is a cluster.",
)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


class _Progress:
    """Tells each step as it begins, and shows on a terminal that it goes on."""

    def __init__(self) -> None:
        from orchestrator.narrate import make_console

        self.console = make_console()
        self._began = time.monotonic()
        self._status = self.console.status("")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    @property
    def elapsed_s(self) -> float:
        """Since the first step."""
        return time.monotonic() - self._began

    def say(self, sentence: str) -> None:
        """A step begins."""
        self.console.print(f"{self.elapsed_s:6.1f} s  {sentence}", soft_wrap=True)
        self._status.update(sentence)


@click.command()
@_NODES
def up(nodes: str | None) -> None:
    """Start a cluster of containers; returns when every node and link is ready."""
    from orchestrator.clusters import bring_up

    with _Progress() as progress:
        layout = bring_up(Places.from_environment(), int(nodes or DEFAULT_NODE_COUNT), progress.say)
        elapsed_s = progress.elapsed_s
    _tell_what_next(layout, elapsed_s)


def _tell_what_next(layout: Layout, elapsed_s: float) -> None:
    count = layout.node_count
    sized = "" if count == DEFAULT_NODE_COUNT else f" NODES={count}"
    scenario = "partition" if count == DEFAULT_NODE_COUNT else "sizes"
    print(
        f"\n{layout.project} is up after {elapsed_s:.1f} s: {count} nodes are healthy, "
        f"{len(layout.cables)} links are ready.\n"
        f"Clients ask n1 to n{count} at 127.0.0.1:{layout.paxos_port(1)} to "
        f"{layout.paxos_port(count)}, the lab at {layout.control_port(1)} to "
        f"{layout.control_port(count)}.\n"
        f"\nTry next:\n"
        f"  make scenario-{scenario}{sized}\n"
        f"  make state{sized}      what each acceptor has on disk, beside its memory\n"
        f"  make status{sized}     nodes, links and faults\n"
        f"  make web{sized}       shows it: a page on which it is live, and can be hurt\n"
        f"  make down{sized}       stops it; what acceptors promised stays in the volumes"
    )


@click.command()
@_NODES
def down(nodes: str | None) -> None:
    """Remove containers and networks; what acceptors promised stays in the volumes."""
    from orchestrator.clusters import take_down

    with _Progress() as progress:
        removed = take_down(_counts(nodes), progress.say)
    if removed.containers or removed.networks:
        print(f"Removed {len(removed.containers)} containers, {len(removed.networks)} networks.")
    else:
        print("Nothing was up.")
    if removed.volumes:
        print(f"{len(removed.volumes)} volumes are kept: `make up` goes on with them.")


@click.command()
@_NODES
@click.option("--force", is_flag=True, help="Don't ask.")
def clean(nodes: str | None, *, force: bool) -> None:
    """Remove containers, networks, volumes, images and local state, after asking.

    With --nodes those of that size alone, and no images.
    """
    from orchestrator.clusters import everything, remove
    from orchestrator.worlds import engine_answers

    places = Places.from_environment()
    engine = engine_answers()
    if not engine:
        print("No Docker engine answers: only what is on this disk can be removed.")
    found = everything(places, _counts(nodes), engine=engine, images=nodes is None)
    if not found:
        print("There is nothing to remove.")
        return
    print("This removes for good:")
    for row in found.rows():
        print(f"  {row}")
    if found.volumes:
        print("With the volumes goes all that the acceptors ever promised and accepted.")
    if not force and not click.confirm("Remove it?"):
        print("Nothing was removed.")
        return
    with _Progress() as progress:
        remove(places, _counts(nodes), found, progress.say)
    print("Removed. Runs in logs/ are kept.")


@click.command()
@_WORLD
@_NODES
@_JSON
def status(world: str | None, nodes: str | None, *, as_json: bool) -> None:
    """Show nodes, links and the faults in force."""
    from orchestrator.inside import find
    from orchestrator.narrate import make_console
    from orchestrator.status import read_status, show_status

    places = Places.from_environment()
    found = find(places, world, _count(nodes))
    status = read_status(places, found)
    if as_json:
        _print_json(status)
        return
    print(found.why)
    show_status(make_console(), status)


@click.command()
@_WORLD
@_NODES
@click.option("--instance", type=click.IntRange(min=1), help="Show this instance alone.")
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Show this many instances; 0 shows all.",
)
@_JSON
def state(
    world: str | None, nodes: str | None, instance: int | None, last: int, *, as_json: bool
) -> None:
    """Show what each acceptor has on disk, beside its memory."""
    from orchestrator.inside import find
    from orchestrator.narrate import make_console
    from orchestrator.state import read_cluster, show_state

    places = Places.from_environment()
    found = find(places, world, _count(nodes))
    read = read_cluster(places, found)
    known = read.instances()
    shown = (
        known[-last:] if instance is None else [number for number in known if number == instance]
    )
    if as_json:
        _print_json(read.as_json(shown))
        return
    print(found.why)
    show_state(make_console(), read, shown)
    if instance is not None and not shown:
        print(f"No node knows anything of instance {instance}.")
    elif len(shown) < len(known) and instance is None:
        print(f"{len(known)} instances are known; --last 0 shows all, --instance one.")
    elif not known:
        print("No instance has begun: every disk is as it was made.")


@click.command()
@_WORLD
@_NODES
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Begin with this much of what is there already.",
)
@click.option("--follow/--no-follow", "on", default=True, help="Go on until Ctrl-C, the default.")
@click.option("-v", "--verbose", "detail", count=True, help="Tell details, too; twice: everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they are.")
def logs(
    world: str | None, nodes: str | None, last: int, detail: int, *, on: bool, as_json: bool
) -> None:
    """Follow the nodes' lines, merged and in plain words."""
    from orchestrator.follow import Printer, follow
    from orchestrator.inside import find
    from orchestrator.narrate import make_console

    places = Places.from_environment()
    found = find(places, world, _count(nodes))
    if not as_json:
        print(found.why)
    follow(places, found, Printer(make_console(), detail, raw=as_json), last, on=on)


@click.command("base-image")
def base_image() -> None:
    """Make the base image from Debian packages, without a registry."""
    from orchestrator.base_image import ImageError, make_base_image
    from orchestrator.cluster import LabError

    with _Progress() as progress:
        try:
            make_base_image(progress.say)
        except ImageError as error:
            raise LabError(str(error)) from error


@click.command()
@_NODES
def compose(nodes: str | None) -> None:
    """Write docker-compose.yml anew, or the file for another number of nodes."""
    from orchestrator.cluster import LabError

    count = int(nodes or DEFAULT_NODE_COUNT)
    try:
        settings = ComposeSettings.from_environment()
        path = compose_path(PROJECT, count, settings)
        context = "." if path.parent == PROJECT else "../.."
        text = compose_document(count, settings, context=context)
    except ComposeError as error:
        raise LabError(str(error)) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {Places.shown(path)}")


COMMANDS: Final = (up, down, clean, status, state, logs, base_image, compose)


def _counts(nodes: str | None) -> Sequence[int]:
    return NODE_COUNTS if nodes is None else (int(nodes),)


def _count(nodes: str | None) -> int | None:
    return None if nodes is None else int(nodes)


def _print_json(data: Any) -> None:
    json.dump(data, sys.stdout, ensure_ascii=False, indent=1)
    print()
