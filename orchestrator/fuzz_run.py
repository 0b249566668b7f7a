"""A fuzz from the command line: told as it goes, reduced, saved, and told again."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from orchestrator.cluster import LabError
from orchestrator.explore import write_scenario
from orchestrator.fuzzing import Found, Wish, fuzz
from orchestrator.narrate import make_console
from orchestrator.parts import MOST_SEED, new_seed, parts_of
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.show import paragraph
from paxos.scenario import parse
from paxos.simulator.fuzz import LIVENESS, LIVENESS_S, SOMETIMES, Outcome, run_seed
from paxos.simulator.parts import Parts
from paxos.simulator.plan import NODE_COUNTS
from paxos.simulator.saved import as_scenario
from paxos.simulator.shrink import reproduces, shrink

DEFAULT_COUNT: Final = 1_000
EXIT_INTERRUPTED: Final = 130


def run_fuzz(wish: Wish, places: Places, *, as_json: bool) -> int:
    """Fuzz, and tell what came of it; the exit code.

    Raises:
        LabError: there is no such variant.
    """
    parts = parts_of(wish.variant)
    console = make_console(stderr=as_json)
    last = "" if wish.seconds is not None else f" to {wish.first + wish.count - 1}"
    _say(console, as_json, f"Seeds {wish.first}{last}.")
    with _shown(console, wish) as progress:
        found = fuzz(wish, progress)
    told = _as_json(found)
    saved: dict[str, Any] | None = None
    if found.seed is not None:
        outcome = run_seed(found.seed, parts, wish.node_counts or NODE_COUNTS)
        _say(console, as_json, f"Seed {found.seed} {_what(outcome)}.", "bold red")
        saved = _save(console, places, outcome, parts)
    if as_json:
        click.echo(json.dumps({**told, "found": saved}, ensure_ascii=False, indent=1))
    else:
        _tell_tally(console, found)
        _tell_end(console, wish, found, saved)
    if found.seed is not None:
        return 1
    if found.interrupted:
        return EXIT_INTERRUPTED
    return 3 if _shows_nothing(found) else 0


# --- which seeds ------------------------------------------------------------------------


def seed_range(seeds: str | None, *, bounded: bool) -> tuple[int, int]:
    """The first seed and how many there are.

    Raises:
        LabError: that is no range.
    """
    if seeds is None:
        return new_seed(), MOST_SEED if bounded else DEFAULT_COUNT
    first, dots, last = seeds.partition("..")
    try:
        if not dots:
            count = int(first)
            start = new_seed()
        else:
            start = int(first)
            count = int(last) - start + 1
    except ValueError as error:
        raise LabError(f"--seeds is A..B or a number, 1..300 say, and not {seeds!r}") from error
    if count < 1 or start < 0:
        raise LabError(f"--seeds {seeds} names no seed")
    return start, count


# --- progress ---------------------------------------------------------------------------


@contextmanager
def _shown(console: Console, wish: Wish) -> Iterator[Callable[[Found], None]]:
    """Show how far it has come, on a terminal."""
    if not console.is_terminal:
        yield lambda _found: None
        return
    total = None if wish.seconds is not None else wish.count
    columns = (
        TextColumn("seeds"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("seeds", total=total, told="")

        def update(found: Found) -> None:
            tally, seconds = found.tally, max(found.seconds, 0.001)
            told = f"{tally.seed_count / seconds:,.0f}/s, {tally.line_count / seconds:,.0f} lines/s"
            bar.update(task, completed=tally.seed_count, told=told)

        yield update


@contextmanager
def _shrinking(console: Console) -> Iterator[Callable[[int, int], None]]:
    if not console.is_terminal:
        yield lambda _runs, _commands: None
        return
    with console.status("") as status:
        yield lambda runs, commands: status.update(
            f"Reducing: {runs} plans tried, {commands} commands left"
        )


# --- what was found ---------------------------------------------------------------------


def _what(outcome: Outcome) -> str:
    if outcome.rule == LIVENESS:
        return (
            f"did not decide within {LIVENESS_S} s of virtual time after everything was put right"
        )
    return f"breaks {outcome.rule}"


def _save(console: Console, places: Places, found: Outcome, parts: Parts) -> dict[str, Any]:
    """Reduce a finding, play it again, and keep it: what a program is told of it."""
    with _shrinking(console) as progress:
        shrunk = shrink(found, parts, progress)
    least = shrunk.outcome
    name = f"fuzz-{parts.name or 'correct'}-seed-{least.plan.seed}"
    data = as_scenario(least, parts)
    session = Session(places, 0, silent=True, seed=least.plan.seed)
    result = session.play(parse(name, data), "sim", least.plan.node_count)
    path = result.folder / f"{name}.yaml"
    write_scenario(path, data)
    return {
        "seed": least.plan.seed,
        "rule": found.rule,
        "nodes": least.plan.node_count,
        "commands_before": len(found.plan.commands),
        "commands": len(least.plan.commands),
        "plans_tried": shrunk.run_count,
        "least": shrunk.complete,
        "reproduces": reproduces(least, parts),
        "scenario": str(path),
        "folder": str(result.folder),
        "evidence": _evidence(least) or result.failure,
        "steps": [_step_text(step) for step in data["steps"]],
    }


def _evidence(outcome: Outcome) -> str:
    """The first violation, and what else the rules say; empty if there is none."""
    verdict = outcome.verdict
    if not verdict.violations:
        return ""
    return replace(verdict, violations=verdict.violations[:1]).as_text()


def _step_text(step: dict[str, Any]) -> str:
    (verb, data), *_ = step.items()
    return f"{verb}: {json.dumps(data, ensure_ascii=False)}".replace('"', "")


def _tell_tally(console: Console, found: Found) -> None:
    tally, seconds = found.tally, max(found.seconds, 0.001)
    paragraph(
        console,
        f"{tally.seed_count:,} seeds, {tally.line_count:,} lines judged in {seconds:.1f} s: "
        f"{tally.seed_count / seconds:,.0f} seeds/s, {tally.line_count / seconds:,.0f} lines/s.",
    )
    for fact in SOMETIMES:
        console.print(f"  {fact:<42} in {tally.seen[fact]:>9,} seeds", style="dim")
    if tally.slowest_s:
        paragraph(
            console,
            f"Once everything was put right, the slowest took {tally.slowest_s:.1f} s of virtual "
            f"time to decide; {LIVENESS_S} s are allowed.",
        )
    if tally.unseen:
        paragraph(
            console,
            f"NOT seen in any seed: {'; '.join(tally.unseen)}. More seeds show more.",
            "yellow",
        )


def _tell_end(console: Console, wish: Wish, found: Found, saved: dict[str, Any] | None) -> None:
    tally = found.tally
    if found.interrupted:
        paragraph(console, "Interrupted: this is what is known so far.", "yellow")
    if tally.unknown_count:
        paragraph(console, f"Not judged to the end: {tally.unknown_count} seeds.", "yellow")
    if saved is None:
        if _shows_nothing(found):
            paragraph(console, "Nothing was broken, and nothing is shown by that.", "yellow")
        else:
            text = (
                f"Nothing found in {tally.seed_count:,} seeds: safety held, and where a client asked "
                "when all was put right, every node that ran learned in time."
            )
            paragraph(console, text, "bold green")
        count = f"{wish.first}..{wish.first + max(tally.seed_count, 1) - 1}"
        again = f"paxos-lab fuzz --seeds {count}"
        again += "" if wish.variant is None else f" --variant {wish.variant}"
        console.print(f"Again: {again}", soft_wrap=True)
        return
    console.print()
    paragraph(
        console,
        f"Reduced from {saved['commands_before']} commands to {saved['commands']}, in "
        f"{saved['plans_tried']} plans. What is left:",
        "bold",
    )
    for step in saved["steps"]:
        console.print(f"  {step}", soft_wrap=True, markup=False)
    console.print()
    console.print(saved["evidence"], soft_wrap=True, style="red", markup=False)
    console.print()
    if not saved["reproduces"]:
        paragraph(console, "The saved scenario does NOT end in the same way: a bug of the lab.")
    path = Places.shown(Path(saved["scenario"]))
    paragraph(console, f"Log: {Places.shown(Path(saved['folder']))}")
    console.print(
        f"Again: paxos-lab scenario {path} --world sim --seed {saved['seed']}",
        soft_wrap=True,
        markup=False,
    )


def _shows_nothing(found: Found) -> bool:
    return found.tally.unknown_count > 0 or not found.tally.seen[SOMETIMES[0]]


def _as_json(found: Found) -> dict[str, Any]:
    tally = found.tally
    return {
        "first": found.first,
        "seeds": tally.seed_count,
        "lines": tally.line_count,
        "seconds": round(found.seconds, 3),
        "unknown": tally.unknown_count,
        "seen": {fact: tally.seen[fact] for fact in SOMETIMES},
        "unseen": list(tally.unseen),
        "slowest_s": round(tally.slowest_s, 3),
        "liveness_s": LIVENESS_S,
        "interrupted": found.interrupted,
    }


def _say(console: Console, as_json: bool, text: str, style: str = "") -> None:
    if not as_json:
        paragraph(console, text, style)
