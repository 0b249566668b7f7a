"""``paxos-lab explore``: every schedule of a bounded model, and the shortest way to go wrong."""

import contextlib
import json
import resource
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.cluster import LabError
from orchestrator.interrupts import at_interrupt, interruptible
from orchestrator.narrate import WIDTH
from orchestrator.parts import parts_of
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.show import paragraph
from paxos.explorer import (
    ALWAYS,
    MODELS,
    TITLES,
    VALUES,
    Accused,
    Ended,
    Explored,
    Model,
    ModelError,
    NotReducible,
    explore,
)
from paxos.explorer.messages import MOST_ACCEPTORS, explore_messages
from paxos.explorer.schedule import NotPlayable, scenario, told_move
from paxos.parts import accused_of as accused_by
from paxos.scenario import ScenarioError, parse
from paxos.variants import load

_BOUND_NAMES: Final = {
    "ballots": "ballots",
    "crashes": "crashes",
    "disk_faults": "faults of a disk",
}
_BAD: Final = {"broken", "never"}
_STYLES: Final = {
    "holds": "green",
    "seen": "green",
    "broken": "bold red",
    "never": "bold red",
    "unknown": "yellow",
}
MESSAGES: Final = "messages"
"""The name of the model that is explored in another way: the messages of ``Paxos.tla``."""


def accused_of(variant: str | None) -> Accused:
    """The correct protocol, or a broken variant by its name.

    Raises:
        LabError: there is no such variant.
    """
    return accused_by(parts_of(variant))


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    model: Model
    accused: Accused
    engine: str
    limit: int
    until: tuple[str, ...]
    as_json: bool


def run_explore(wish: Wish) -> int:
    """Explore a model, tell what was found, and play the shortest counterexample.

    Returns:
        0 if everything holds that should; 1 if a property is broken, or what
        must happen sometimes never does; 3 if the search was cut short.
    """
    console = Console(width=WIDTH, highlight=False, quiet=wish.as_json)
    subject = f"the broken variant {wish.accused.name}" if wish.accused.name else "the protocol"
    paragraph(console, f"Every schedule of {subject} with {wish.model.bounds}.", "bold")
    with _watched(quiet=wish.as_json) as progress:
        try:
            found = explore(
                wish.model,
                wish.accused,
                engine=wish.engine,
                until=wish.until,
                limit=wish.limit,
                watch=progress,
            )
        except (ModelError, NotReducible) as error:
            raise LabError(str(error)) from error
    _show(console, found)
    played = _play_counterexample(console, found, wish)
    if wish.as_json:
        click.echo(json.dumps(_as_json(found, wish) | played))
    verdicts = set(found.verdicts.values())
    if verdicts & _BAD:
        return 1
    return 3 if "unknown" in verdicts else 0


def run_messages(acceptors: int, values: int, ballots: int, *, as_json: bool) -> int:
    """Explore the message-set model, whose counts others published; the exit code."""
    console = Console(width=WIDTH, highlight=False, quiet=as_json)
    with _watched(quiet=as_json) as progress:
        found = explore_messages(acceptors, values, ballots, watch=progress)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "model": MESSAGES,
                    "acceptors": acceptors,
                    "values": values,
                    "ballots": ballots,
                    "distinct": found.distinct,
                    "generated": found.generated,
                    "depth": found.depth,
                    "complete": found.complete,
                    "verdicts": found.verdicts,
                }
            )
        )
    paragraph(
        console,
        f"{found.distinct:,} distinct states, {found.generated:,} generated, "
        f"depth {found.depth}" + ("." if found.complete else ", and then it was stopped."),
        "bold",
    )
    for name, verdict in found.verdicts.items():
        console.print(f"  {name:<26} {verdict}")
    verdicts = set(found.verdicts.values())
    if verdicts & {"violated", "never"}:
        return 1
    return 0 if found.complete else 3


class _Counts(Protocol):
    @property
    def distinct(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def frontier(self) -> int: ...


class _Progress:
    """Tells how far a search is, on a terminal; stops it when asked to."""

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self.stopped = False
        self._status = None if console is None else console.status("begins")
        if self._status is not None:
            self._status.start()

    def __call__(self, counts: _Counts) -> bool:
        if self._status is not None:
            rate = ""
            seconds = getattr(counts, "seconds", 0.0)
            if seconds > 0:
                rate = f", {counts.distinct / seconds:,.0f} a second"
            self._status.update(
                f"level {counts.depth}: {counts.distinct:,} states{rate}, "
                f"{counts.frontier:,} at the front, {_memory_mib()} MiB"
            )
        return not self.stopped

    def stop(self) -> None:
        """Let the search end at its next look."""
        self.stopped = True

    def close(self) -> None:
        """Take the line off the terminal."""
        if self._status is not None:
            self._status.stop()


@contextlib.contextmanager
def _watched(*, quiet: bool) -> Iterator[_Progress]:
    console = Console(stderr=True) if sys.stderr.isatty() and not quiet else None
    progress = _Progress(console)
    with at_interrupt(progress.stop):
        try:
            yield progress
        finally:
            progress.close()


def _memory_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# What was found.


def _show(console: Console, found: Explored) -> None:
    progress = found.progress
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, verdict in found.verdicts.items():
        trace = found.traces.get(name)
        steps = "" if trace is None else f"after {len(trace)} steps"
        table.add_row(f"  {name}", TITLES[name], Text(verdict, _STYLES[verdict]), steps)
    console.print(table)
    rate = progress.distinct / progress.seconds if progress.seconds else 0
    paragraph(
        console,
        f"{progress.distinct:,} distinct states, {progress.generated:,} generated, depth "
        f"{progress.depth}, in {progress.seconds:.1f} s: {rate:,.0f} a second. The core was "
        f"called {found.call_count:,} times.",
    )
    paragraph(console, _how_it_ended(found))


def _how_it_ended(found: Explored) -> str:
    match found.ended:
        case Ended.COMPLETE:
            names = [_BOUND_NAMES[name] for name in found.met_bounds]
            met = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
            beyond = f" The bound on {met} was met: beyond it nothing is known." if met else ""
            return f"That is every state within the bounds.{beyond}"
        case Ended.FOUND:
            return "It stopped at the level at which it found what it looked for."
        case Ended.LIMIT:
            return (
                f"It met its limit, with {found.progress.frontier:,} states at the front: what "
                "is not broken so far is unknown. A higher --limit goes on."
            )
        case Ended.TOO_LARGE:
            return f"It ended early: {found.why}. What is not broken so far is unknown."
        case Ended.STOPPED:
            return (
                f"It was stopped, with {found.progress.frontier:,} states at the front: what is "
                "not broken so far is unknown."
            )


def _as_json(found: Explored, wish: Wish) -> dict[str, Any]:
    model, progress = found.model, found.progress
    return {
        "model": model.name,
        "nodes": model.nodes,
        "proposing": model.proposing,
        "values": model.values,
        "ballots": model.ballots,
        "crashes": model.crashes,
        "disk_faults": model.disk_faults,
        "whole_steps": model.whole_steps,
        "reduced": model.reduced,
        "variant": wish.accused.name or None,
        "ended": str(found.ended),
        "met_bounds": list(found.met_bounds),
        "distinct": progress.distinct,
        "generated": progress.generated,
        "depth": progress.depth,
        "seconds": round(progress.seconds, 3),
        "cpu_seconds": round(_cpu_seconds(), 3),
        "core_calls": found.call_count,
        "peak_mib": _memory_mib(),
        "verdicts": found.verdicts,
        "steps": {name: len(trace) for name, trace in found.traces.items()},
    }


# The counterexample.


def _play_counterexample(console: Console, found: Explored, wish: Wish) -> dict[str, Any]:
    """Play the shortest way to what was looked for on the simulator's real objects.

    That is the first broken property, or agreement where that was asked for.
    """
    first = found.first_broken
    if first is None:
        return {}
    name = wish.until[0] if len(wish.until) == 1 and wish.until[0] in found.traces else first
    title = f"The shortest way to break {name}"
    if wish.accused.name:
        title += f" with {wish.accused.name}"
    told: dict[str, Any] = {"first_broken": first, "played": name}
    try:
        data = scenario(found.traces[name], found.model, wish.accused, title=title, breaks=first)
        ending = "shortest" if name == first else name
        story = parse(f"{wish.accused.name or 'counterexample'}-{ending}", data)
    except (NotPlayable, ScenarioError) as error:
        paragraph(console, f"No world can play the schedule ({error}), so here it is in moves:")
        moves = [told_move(move) for move in found.traces[name]]
        for number, move in enumerate(moves, start=1):
            paragraph(console, f"{number:3} {move}")
        return told | {"not_played": str(error), "moves": moves}
    session = Session(Places.from_environment(), 1, silent=wish.as_json, in_full=True, seed=1)
    with interruptible(), contextlib.closing(session):
        session.play(story, "sim", found.model.nodes)
    result = session.results[-1]
    path = result.folder / f"{story.name}.yaml"
    write_scenario(path, data)
    if name not in {violation.rule for violation in result.verdict.violations}:
        paragraph(
            console,
            f"The log's checker does not say that {name} was broken there: explorer and "
            "checker disagree, which is a bug of the lab.",
            "bold red",
        )
    console.print(f"The schedule: {shlex.quote(Places.shown(path))}", soft_wrap=True)
    console.print(f"The log: {shlex.quote(Places.shown(result.folder))}", soft_wrap=True)
    return told | {
        "scenario": str(path),
        "folder": str(result.folder),
        "verdict": result.verdict.verdict,
        "first_broken_in_log": result.first_broken,
    }


def write_scenario(path: Path, data: dict[str, Any]) -> None:
    """Write a scenario as YAML, a step a line."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - the command line answers faster without
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415

    yaml = YAML()
    yaml.width = 100
    top = CommentedMap(data)
    for key in ("instances", "settings"):
        if key in top:
            top[key] = _in_one_line(top[key])
    top["steps"] = [{verb: _in_one_line(step[verb]) for verb in step} for step in data["steps"]]
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(top, file)


def _in_one_line(value: Any) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq  # noqa: PLC0415

    if isinstance(value, dict):
        found = CommentedMap(value)
        found.fa.set_flow_style()
        return found
    if isinstance(value, list):
        items = CommentedSeq(value)
        items.fa.set_flow_style()
        return items
    return value


# The command.


def _complete_model(_context: Any, _parameter: Any, incomplete: str) -> list[str]:
    return [name for name in (*MODELS, MESSAGES) if name.startswith(incomplete)]


_LIMIT: Final = 50_000_000
_UNTIL: Final = {"nothing": (), "broken": ALWAYS, "agreement": ("agreement",)}


@click.command("explore")
@click.argument("model", required=False, shell_complete=_complete_model)
@click.option("--nodes", type=int, help="How many nodes; each is acceptor and learner.")
@click.option("--proposing", type=int, help="How many of them begin ballots.")
@click.option("--values", type=int, help="How many values clients may wish for.")
@click.option("--ballots", type=int, help="How many ballots may be begun in all.")
@click.option("--crashes", type=int, help="How many kills and power losses in all.")
@click.option("--disk-faults", type=int, help="How many faults of a disk in all.")
@click.option("--acceptors", type=int, help="Of the model `messages`: up to 5.")
@click.option("--variant", help="A broken protocol instead of the correct one.")
@click.option("--whole-steps", is_flag=True, help="All effects of a step are one move.")
@click.option("--reduce", "reduced", is_flag=True, help="Drop messages that can do nothing.")
@click.option("--engine", type=click.Choice(["plain", "arrays"]), help="Default: arrays.")
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"States; then it stops. Default: {_LIMIT:,}."
)
@click.option(
    "--until",
    type=click.Choice(list(_UNTIL)),
    help="Stop at the first level that shows it. Default: broken.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object in the end.")
def explore_command(
    model: str | None,
    acceptors: int | None,
    variant: str | None,
    engine: str | None,
    limit: int | None,
    until: str | None,
    *,
    whole_steps: bool,
    reduced: bool,
    as_json: bool,
    **bounds: int | None,
) -> None:
    """Visit every schedule of a bounded model; see docs/exploring.md.

    MODEL is tiny, crash (the default), pair, disk, again, duel, or messages.
    Bounds that are given change it. With a variant and nothing else it is the
    smallest one that shows its bug.
    """
    given = {name: value for name, value in bounds.items() if value is not None}
    if model == MESSAGES:
        others: dict[str, object] = {
            "variant": variant,
            "engine": engine,
            "limit": limit,
            "until": until,
            "whole_steps": whole_steps or None,
            "reduce": reduced or None,
        }
        _refuse_for_messages({**given, **others})
        sys.exit(_explore_messages(acceptors, given, as_json=as_json))
    if acceptors is not None:
        raise LabError("--acceptors is for the model `messages`; here it is --nodes")
    accused = accused_of(variant)
    try:
        chosen = _chosen(model, variant if not given else None)
        # Changed by a bound, it is no longer the model of that name.
        name = "" if given or reduced or whole_steps else chosen.name
        chosen = replace(chosen, name=name, **given)  # type: ignore[arg-type]
        chosen = replace(
            chosen,
            whole_steps=whole_steps or reduced or chosen.whole_steps,
            reduced=reduced or chosen.reduced,
        )
    except ModelError as error:
        raise LabError(str(error)) from error
    wish = Wish(
        model=chosen,
        accused=accused,
        engine=engine or "",
        limit=_LIMIT if limit is None else limit,
        until=_UNTIL[until or "broken"],
        as_json=as_json,
    )
    sys.exit(run_explore(wish))


def _chosen(model: str | None, variant: str | None) -> Model:
    """The model that is named, or else the one that is meant."""
    if model is not None:
        if model not in MODELS:
            raise LabError(
                f"there is no model {model!r}; there are: {', '.join((*MODELS, MESSAGES))}"
            )
        return MODELS[model]
    if variant is None:
        return MODELS["crash"]
    size = load(variant).exposed_by
    if size is None:
        raise LabError(
            f"no model of whole nodes that can be searched shows {variant}; see `paxos-lab variant "
            f"{variant}`, `paxos-lab fuzz --variant {variant}`, or give bounds"
        )
    return Model(**asdict(size), whole_steps=True)


def _refuse_for_messages(given: dict[str, object]) -> None:
    wrong = [
        f"--{name.replace('_', '-')}"
        for name, value in given.items()
        if value is not None and name not in {"values", "ballots"}
    ]
    if wrong:
        raise LabError(
            f"the model `messages` has --acceptors, --values and --ballots, not {', '.join(wrong)}"
        )


def _explore_messages(acceptors: int | None, given: dict[str, int], *, as_json: bool) -> int:
    bounds = {"acceptors": acceptors, **given}
    chosen = {"acceptors": 3, "values": 2, "ballots": 2} | {
        name: value for name, value in bounds.items() if value is not None
    }
    most = {"acceptors": MOST_ACCEPTORS, "values": len(VALUES), "ballots": 7}
    for name, value in chosen.items():
        if not 1 <= value <= most[name]:
            raise LabError(f"{name} is {value}, and may be 1 to {most[name]}")
    return run_messages(chosen["acceptors"], chosen["values"], chosen["ballots"], as_json=as_json)
