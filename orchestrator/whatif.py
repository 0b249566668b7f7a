"""``paxos-lab whatif RUN --at EVENT``: can it still go wrong from there, and what can be chosen."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from orchestrator.cluster import LabError
from orchestrator.explore import accused_of, write_scenario
from orchestrator.narrate import WIDTH, make_console
from orchestrator.parts import parts_of
from orchestrator.places import Places
from orchestrator.show import paragraph
from paxos.checker import LogFormatError, check_lines, log_files, torn_ends, whole_lines
from paxos.events import Line, line_id, narrate
from paxos.scenario import ScenarioError, parse
from paxos.simulator.player import play
from paxos.whatif import WhatIfError, variant_of, whatif
from paxos.whatif.bounds import ALREADY, SAFE, WRONG, counted

_CODES: Final = {SAFE: 0, WRONG: 1, ALREADY: 1}
_STYLES: Final = {SAFE: "green", WRONG: "bold red", ALREADY: "bold red"}
_UNKNOWN: Final = 3


def run_whatif(
    given: str,
    at: str,
    bounds: Mapping[str, Any],
    variant: str | None = None,
    save: Path | None = None,
    *,
    as_json: bool,
) -> int:
    """Ask the explorer what can happen from a line of a run on, and tell it.

    Args:
        given: a run's name, its folder, or a file of lines.
        at: as ``--at``.
        bounds: ``instance``, ``ballots``, ``crashes``, ``disk_faults``, ``limit``;
            ``None`` for those that were not given.
        variant: the broken variant that ran, where the log does not say so.
        save: where to write the way as a scenario.
        as_json: whether one JSON object is all that is printed.

    Returns:
        0 it is safe within the bounds; 1 it can go wrong, or has; 3 unknown.

    Raises:
        LabError: there is no such run, or no such line in it.
    """
    lines, table, torn = _read(given)
    named = variant or variant_of(lines, table)
    known = {name: number for name, number in bounds.items() if number is not None}
    try:
        found = whatif(lines, at, run=table, accused=accused_of(named), torn=torn, **known)
    except WhatIfError as error:
        raise LabError(str(error)) from error
    played = _played(found)
    if save is not None:
        if found["scenario"] is None:
            reason = found["no_scenario"] or "nothing was found that goes wrong"
            raise LabError(f"there is no way to be saved: {reason}")
        write_scenario(save, found["scenario"])
    if as_json:
        click.echo(json.dumps(found | {"played": played}, ensure_ascii=False, indent=1))
    else:
        line = next(line for line in lines if line_id(line) == found["at"])
        _tell(make_console(), line, found, played)
        if save is not None:
            click.echo(f"The way is in {Places.shown(save)}.")
    return _CODES.get(found["verdict"], _UNKNOWN)


def _read(given: str) -> tuple[list[Line], Mapping[str, Any] | None, dict[str, str]]:
    """The lines of a run, its table if there is one, and which files are torn at their end."""
    path = Path(given)
    if not path.exists():
        path = Places.from_environment().logs / given
    if not path.exists():
        raise LabError(f"there is no run {given!r}: give its name, its folder, or a .jsonl file")
    try:
        files = log_files(path)
        lines = list(whole_lines(files))
        torn = torn_ends(files)
    except LogFormatError as error:
        raise LabError(str(error)) from error
    tables = sorted({file.parent / "run.json" for file in files})
    for table in tables:
        if table.is_file():
            try:
                content = json.loads(table.read_bytes())
            except RecursionError as error:
                raise LabError(f"{table} is no runner's table: it is nested too deeply") from error
            except ValueError as error:
                raise LabError(f"{table} is no runner's table: {error}") from error
            if not isinstance(content, dict):
                raise LabError(f"{table} is no runner's table: it holds no object")
            return lines, content, torn
    return lines, None, torn


def _played(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The way, played on the simulator's real objects: what the log's checker says of it."""
    if found["scenario"] is None:
        return None
    try:
        story = parse("whatif", found["scenario"])
    except ScenarioError as error:
        return {"failure": str(error), "first_broken": None}
    done = play(story, story.node_counts[0], 1, parts_of(story.variant))
    violations = check_lines(done.world.lines, trusted=True).violations
    return {
        "failure": done.failure,
        "first_broken": violations[0].rule if violations else None,
        "sentence": violations[0].sentence if violations else None,
    }


def _tell(
    console: Console, line: Line, found: Mapping[str, Any], played: Mapping[str, Any] | None
) -> None:
    paragraph(console, f"{found['at']}, instance {found['instance']}: {narrate(line)}")
    verdict = found["verdict"]
    sentence = found["sentence"]
    paragraph(console, f"{verdict}: {sentence}.", _STYLES.get(verdict, "bold yellow"))
    console.print()
    for node in found["nodes"]:
        console.print(Text(_node_row(node)[:WIDTH]))
    console.print()
    bounds = found["bounds"]
    who = ", ".join(bounds["may_begin"]) or "nobody"
    parts = [
        f"{counted(bounds['ballots'], 'further ballot')} ({who} may begin one)",
        f"{bounds['crashes'] or 'no'} {'crash' if bounds['crashes'] == 1 else 'crashes'}",
    ]
    if bounds["disk_faults"]:
        parts.append(f"{counted(bounds['disk_faults'], 'fault')} of a disk")
    states = f"{found['states']:,} states, which are {'' if found['complete'] else 'not '}all"
    if found["states"]:
        paragraph(console, f"Bounds: {', '.join(parts)}; {states}.")
    for name, of in found["properties"].items():
        if of in {"broken", "holds"}:
            console.print(Text(f"  {name:<10} {of}", "bold red" if of == "broken" else ""))
    if found["way"]:
        console.print()
        console.print(Text("The shortest way there:", "bold"))
        for number, move in enumerate(found["way"], start=1):
            paragraph(console, f"{number:3} {move}")
    _tell_played(console, found, played)
    for kind in ("abstracts", "assumed"):
        if found[kind]:
            console.print()
            what = "It is searched as if" if kind == "abstracts" else "It is assumed that"
            paragraph(console, f"{what}: {'; '.join(found[kind])}.", "dim")


def _tell_played(
    console: Console, found: Mapping[str, Any], played: Mapping[str, Any] | None
) -> None:
    reason = found["not_playable"] or found["no_scenario"]
    if reason:
        paragraph(console, f"No world can play it from the beginning: {reason}.")
    if played is None:
        return
    console.print()
    if played["first_broken"] is None:
        paragraph(
            console,
            "Played on the simulator, nothing is broken: explorer and checker disagree, which "
            "is a bug of the lab.",
            "bold red",
        )
        return
    paragraph(
        console,
        f"Played on the simulator, message by message, the log's checker says {found_rule(played)}",
    )


def found_rule(played: Mapping[str, Any]) -> str:
    """The first breach of a played way, as a clause."""
    return f"{played['first_broken']}: {played['sentence']}."


def _node_row(node: Mapping[str, Any]) -> str:
    memory, disk = node["memory"], node["disk"]
    row = f"  {node['node']:<3} {node['status']:<8}"
    shown = memory or disk
    where = "" if memory is not None else "on disk "
    row += f"{where}promised {shown['promised']}, accepted {_pair(shown['accepted'])}"
    if memory is not None:
        row += f", {memory['phase']}"
        if memory["learned"] is not None:
            row += ", has learned"
    return row


def _pair(pair: Mapping[str, Any] | None) -> str:
    if pair is None:
        return "nothing"
    value = pair["value"]
    text = value if isinstance(value, str) else f"{value['bytes']} bytes"
    return f"{_printable(text)!r} at {pair['ballot']}"


def _printable(text: str) -> str:
    """A stranger's value on one line, and harmless to a terminal."""
    short = text if len(text) <= 24 else f"{text[:23]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short)


@click.command("whatif")
@click.argument("run")
@click.option(
    "--at", required=True, metavar="EVENT", help="A line (n1/1/20), its number, chosen, or end."
)
@click.option("--instance", help="Its number or name, where it is not plain.")
@click.option("--ballots", type=int, help="How many further ballots. Default: 2.")
@click.option("--crashes", type=int, help="How many kills and power losses.")
@click.option("--disk-faults", type=int, help="How many faults of a disk.")
@click.option("--limit", type=click.IntRange(min=1), help="States; then it stops.")
@click.option("--variant", help="The broken protocol that ran, where the log does not say so.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the run up to there and the way on as a scenario.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def whatif_command(
    run: str,
    at: str,
    variant: str | None,
    save: Path | None,
    *,
    as_json: bool,
    **bounds: Any,
) -> None:
    """Can a run still go wrong from one of its lines on? See docs/exploring.md.

    RUN is a run's name, its folder, or a .jsonl file.

    Exit codes: 0 safe within the bounds, 1 it can go wrong or has, 3 unknown.
    """
    sys.exit(run_whatif(run, at, bounds, variant, save, as_json=as_json))
