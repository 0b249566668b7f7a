"""Headings, tables and last words of runs, for a terminal of 80 columns."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.collect import Result
from orchestrator.measure import Figures
from orchestrator.narrate import WIDTH
from orchestrator.places import Places
from paxos.checker import OK, UNKNOWN, VIOLATED
from paxos.scenario import Scenario

_STYLES: Final = {OK: "green", VIOLATED: "bold red", UNKNOWN: "yellow"}

_FIGURE_HEADINGS: Final = {
    "ok": "ok",
    "failed": "failed",
    "unknown": "unknown",
    "success_percent": "success\n%",
    "p50_ms": "p50\nms",
    "windows_percent": "windows\n%",
    "messages_per_decision": "messages",
    "syncs_per_decision": "syncs",
}


def paragraph(console: Console, text: str, style: str = "", indent: str = "") -> None:
    """Print a text in lines of at most 80 columns."""
    for row in textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ):
        console.print(Text(row, style))


def show_opening(console: Console, scenario: Scenario, world: str, node_count: int) -> None:
    """The title of a scenario and its question, before anything happens."""
    console.print()
    console.rule(Text(f"{scenario.name}, {node_count} nodes, {world}", "bold"), align="left")
    paragraph(console, scenario.title + ".", "bold")
    if scenario.variant is not None:
        paragraph(
            console,
            f"UNSAFE: every node runs the broken variant {scenario.variant}, "
            f"to see {scenario.breaks} broken.",
            "bold red",
        )
    if scenario.manual:
        paragraph(console, "UNSAFE: every message and every timer is handed over.", "bold red")
    if scenario.predict:
        paragraph(console, "Predict: " + scenario.predict, "italic")


def show_closing(
    console: Console, scenario: Scenario, result: Result, *, in_full: bool = False
) -> None:
    """What was expected, what to notice, and the verdict: in a sentence, or rule by rule."""
    console.print()
    for finding in result.findings:
        mark = ("  yes  ", "green") if finding.met else ("  NO   ", "bold red")
        told = finding.expectation if finding.met else f"{finding.expectation}: {finding.evidence}"
        for number, row in enumerate(textwrap.wrap(told, WIDTH - 7, break_on_hyphens=False)):
            console.print(Text.assemble(mark if number == 0 else " " * 7, row))
    if result.figures:
        console.print()
        console.print(figures_table(result.figures))
    console.print()
    paragraph(console, "Notice: " + scenario.notice, "italic")
    console.print()
    verdict = result.verdict
    if in_full or verdict.violations or verdict.departed:
        console.print(Text(verdict.as_text(), _STYLES[verdict.verdict]), soft_wrap=True)
    else:
        sentence = verdict.summary()
        paragraph(console, sentence[0].upper() + sentence[1:] + ".", _STYLES[verdict.verdict])
        for doubt in verdict.unknown[:3]:
            paragraph(console, f"- {doubt.reason}", "yellow")
    if scenario.breaks is not None:
        console.print()
        first = result.first_broken or "no rule"
        caught = f"Caught: {first} was broken first, as {scenario.variant} was to."
        missed = f"NOT caught: {scenario.breaks} was to be broken first, and {first} was."
        paragraph(console, caught if result.caught else missed, "bold")


def show_results(console: Console, results: Sequence[Result]) -> None:
    """One table of verdicts, a row a run, and the evidence of what was violated."""
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, pad_edge=False)
    table.add_column("scenario", no_wrap=True)
    table.add_column("safety")
    table.add_column("rules", justify="right")
    table.add_column("events", justify="right")
    table.add_column("as expected", justify="right")
    table.add_column("time", justify="right")
    for result in results:
        verdict = result.verdict
        held = sum(rule.verdict == OK for rule in verdict.rules.values())
        met = len(result.findings) - len(result.unmet)
        safety = {OK: "held", VIOLATED: "VIOLATED", UNKNOWN: "unknown"}[verdict.verdict]
        table.add_row(
            _name(result, results),
            Text(safety, _STYLES[verdict.verdict]),
            f"{held} of {len(verdict.rules)}",
            f"{verdict.event_count:,}",
            Text(f"{met} of {len(result.findings)}", "red" if result.unmet else "green"),
            f"{result.elapsed_s:.1f} s",
        )
    console.print()
    console.print(table)
    by_size = {
        _name(result, results) + (f", {row}" if len(result.figures) > 1 else ""): found
        for result in results
        for row, found in result.figures.items()
        if _name(result, results) != result.scenario
    }
    if by_size:
        console.print(figures_table(by_size))
    for result in results:
        for finding in result.unmet:
            paragraph(
                console,
                f"{result.scenario}: NOT as expected: {finding.expectation}: {finding.evidence}",
                "red",
            )


def show_caught(console: Console, results: Sequence[Result]) -> None:
    """Which scenario of a broken variant broke which rule first."""
    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, pad_edge=False)
    for heading in ("scenario", "to break", "broke first", "agreement", "caught"):
        table.add_column(heading, no_wrap=True)
    for result in results:
        agreement = result.verdict.rules["agreement"].verdict
        table.add_row(
            result.scenario,
            result.breaks,
            result.first_broken or "none",
            "held" if agreement == OK else agreement,
            Text("yes", "green") if result.caught else Text("NO", "bold red"),
        )
    console.print()
    console.print(table)
    caught = sum(result.caught for result in results)
    console.print(f"{caught} of {len(results)} caught.")


def _name(result: Result, results: Sequence[Result]) -> str:
    """A scenario's name, with the number of nodes where it ran on several."""
    sizes = {other.node_count for other in results if other.scenario == result.scenario}
    return result.scenario if len(sizes) == 1 else f"{result.scenario} ({result.node_count})"


def show_sum(console: Console, results: Sequence[Result]) -> None:
    """The verdict over all runs, in a sentence."""
    events = sum(result.verdict.event_count for result in results)
    verdicts = {result.verdict.verdict for result in results}
    rules = max((len(result.verdict.rules) for result in results), default=0)
    if VIOLATED in verdicts:
        broken = [r.scenario for r in results if r.verdict.verdict == VIOLATED]
        paragraph(console, f"Safety was VIOLATED in {', '.join(broken)}.", "bold red")
    elif UNKNOWN in verdicts:
        unknown = [r.scenario for r in results if r.verdict.verdict == UNKNOWN]
        paragraph(console, f"Whether safety held is unknown in {', '.join(unknown)}.", "yellow")
    else:
        paragraph(console, f"Safety held: {rules} rules over {events:,} events.", "bold green")
    departed = [result.scenario for result in results if result.verdict.departed]
    if departed:
        paragraph(console, f"The log DEPARTS from the core in {', '.join(departed)}.", "bold red")
    unmet = sum(len(result.unmet) for result in results)
    if unmet:
        paragraph(console, f"{unmet} expectations were NOT met.", "bold red")


def figures_table(figures: Mapping[str, Figures]) -> Table:
    """The measured rows of a run."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in _FIGURE_HEADINGS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row, found in figures.items():
        table.add_row(row, *(_figure(name, found[name]) for name in _FIGURE_HEADINGS))
    return table


def _figure(name: str, found: float | None) -> str:
    if found is None:
        return "-"
    return f"{found:.1f}" if name.endswith("_ms") else f"{found:g}"


def show_places(console: Console, results: Sequence[Result], state_places: Sequence[str]) -> None:
    """Where the logs and the disks are."""
    if results:
        folder = results[-1].folder
        logs = Places.shown(folder.parent if len(results) > 1 else folder)
        paragraph(console, f"Logs: {logs} (the last run: {Places.shown(folder.parent / 'latest')})")
    for place in dict.fromkeys(state_places):
        paragraph(console, f"Disks: {place}; `make state` reads them.")
