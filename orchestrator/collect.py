"""From the lines of a run to its folder, and to what is said of it in the end."""

import contextlib
import gc
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from orchestrator.aside import COLUMNS, begun
from orchestrator.journal import NODE as LAB
from orchestrator.judging import judge_and_explain
from orchestrator.leftovers import clear_leftovers, made, part_of
from orchestrator.measure import Figures, figures
from orchestrator.places import Places
from orchestrator.played import Played
from paxos.checker import OK, RULES, VIOLATED, Verdict, merge
from paxos.events import Line, encode
from paxos.scenario import Finding, Lines, Run, judge

_ALL_STEPS: Final = "every step came to its end"
_ALL_UNDONE: Final = "every fault was undone in the end"
SCHEMA_VERSION: Final = 1
_LONG_COUNT: Final = 20_000
"""Shorter logs the page reads whole, and to judge them takes less than to begin a process."""


class Place(Protocol):
    """Where a run was played: a cluster of any world."""

    @property
    def world(self) -> str:
        """The world's name."""

    @property
    def members(self) -> tuple[str, ...]:
        """The nodes, in order."""


@dataclass(frozen=True, slots=True)
class Result:
    """A run and what became of it.

    Attributes:
        scenario: its name.
        node_count: how many nodes it ran on.
        folder: where its log is.
        verdict: what the rules say.
        findings: what became of the scenario's expectations.
        figures: the measured rows, by name.
        breaks: the rule that a broken variant was to break first, if any.
        failure: why the steps stopped early, if they did.
        elapsed_s: how long the steps took.
    """

    scenario: str
    node_count: int
    folder: Path
    verdict: Verdict
    findings: tuple[Finding, ...]
    figures: dict[str, Figures]
    breaks: str | None
    failure: str | None
    elapsed_s: float

    @property
    def unmet(self) -> list[Finding]:
        """The expectations that were not met."""
        return [finding for finding in self.findings if not finding.met]

    @property
    def first_broken(self) -> str | None:
        """The rule that was broken first; ``None`` if none was."""
        return self.verdict.violations[0].rule if self.verdict.violations else None

    @property
    def caught(self) -> bool:
        """Whether a broken variant broke the very rule that it was to break, and first."""
        return self.breaks is not None and self.first_broken == self.breaks and not self.unmet

    @property
    def exit_code(self) -> int:
        """0 ok; 1 a rule violated, an expectation not met, or not the core's; 3 unknown.

        A broken variant that broke nothing has not done what its scenario expects.
        """
        missed = self.breaks in RULES and self.verdict.verdict == OK
        if missed or self.verdict.verdict == VIOLATED or self.unmet or self.verdict.departed:
            return 1
        return 0 if self.verdict.verdict == OK else 3


def new_run_name(places: Places, scenario: str) -> str:
    """A name for a run that begins now, which no earlier run has."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    name = f"{stamp}-{scenario}"
    count = 1
    while (places.logs / name).exists():
        count += 1
        name = f"{stamp}-{scenario}-{count}"
    return name


def collect(
    places: Places, place: Place, played: Played, tell: Callable[[str], None] = lambda _: None
) -> Result:
    """Judge a run, write its folder and point ``logs/latest`` at it.

    The folder is written under another name and renamed, so that it is whole
    or not there.

    Args:
        places: where the folder is made.
        place: where it was played.
        played: the run.
        tell: is told in a sentence what is done next; a long run takes a while.
    """
    clear_leftovers(places.logs)
    lines = merge(line for node in played.watch.nodes() for line in played.watch.of_node(node))
    rows = {row: figures(operations, lines) for row, operations in played.rows.items()}
    findings = _judge(place, played, lines, rows)
    for finding in findings:
        played.journal.write(
            "expectation_checked",
            expectation=finding.expectation,
            met=finding.met,
            evidence=finding.evidence,
        )
    folder = places.logs / played.run
    part = part_of(places.logs, played.run)
    told = f"{len(lines):,} lines are"
    tell(f"{told} put in one order and written.")
    try:
        with made(part), _uncollected():
            _write_lines(part, played)
            tell(f"{told} judged by the rules, and replayed through the core.")
            is_long = len(lines) >= _LONG_COUNT
            verdict = _write_folder(part, place, played, findings, rows, is_long=is_long)
            part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    _point_latest(places.logs, played.run)
    return Result(
        scenario=played.scenario.name,
        node_count=len(place.members),
        folder=folder,
        verdict=verdict,
        findings=tuple(findings),
        figures=rows,
        breaks=played.scenario.breaks,
        failure=played.failure,
        elapsed_s=played.elapsed_s,
    )


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Do without the collector of cyclic garbage, which finds none and takes a quarter of the time.

    It looks through all that lives, again and again, and a long run's lines do.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _write_folder(
    folder: Path,
    place: Place,
    played: Played,
    findings: list[Finding],
    rows: dict[str, Figures],
    *,
    is_long: bool,
) -> Verdict:
    _write_json(folder / "run.json", _table(place, played))
    _write_json_lines(folder / "history.jsonl", played.operations.history())
    if rows:
        _write_json(folder / "figures.json", rows)
    # So that the page's first visitor does not wait for the index.
    with begun(COLUMNS, folder) if is_long else contextlib.nullcontext() as index:
        found, whys = judge_and_explain(folder, is_long=is_long)
        if index is not None:
            index.result()
    must_happen = {must.fact for must in played.scenario.must_happen}
    verdict = found.with_expectations(
        {
            "expectation": finding.expectation,
            "met": finding.met,
            "evidence": finding.evidence,
            "kind": "must_happen" if finding.expectation in must_happen else "expectation",
        }
        for finding in findings
    )
    verdict.write(folder / "verdict.json")
    # In one row: with an indentation the encoder is slower by far.
    row = json.dumps(whys, ensure_ascii=False, separators=(",", ":"))
    (folder / "why.json").write_text(row + "\n", encoding="utf-8")
    return verdict


def _judge(
    place: Place, played: Played, merged: list[Line], rows: dict[str, Figures]
) -> list[Finding]:
    lines = Lines(played.instances)
    lines.extend(merged)
    operations = {operation.name: operation.number for operation in played.operations.all}
    run = Run(place.members, lines, operations, rows)
    count, what, expected = len(played.scenario.steps), "step", _ALL_STEPS
    if played.command_count is not None:
        # Nobody said beforehand what was to come; that it is put right is what one may expect.
        count, what, expected = played.command_count, "command", _ALL_UNDONE
    wrong = [played.failure] if played.failure is not None else []
    wrong.extend(played.left)
    evidence = "; ".join(wrong) or f"{count} {what}{'' if count == 1 else 's'}"
    end = Finding(expected, met=not wrong, evidence=evidence)
    return [end, *judge(played.scenario, run)]


def _write_lines(folder: Path, played: Played) -> None:
    nodes = dict.fromkeys([*played.pieces, *played.watch.nodes()])
    everything: list[Line] = []
    rows: dict[int, bytes] = {}
    for node in nodes:
        lines = played.watch.of_node(node)
        everything.extend(lines)
        rows |= {id(line): encode(line) for line in lines}
        _write_bytes(folder / f"{node}.jsonl", (rows[id(line)] for line in lines))
    _write_bytes(folder / "events.jsonl", (rows[id(line)] for line in merge(everything)))


def _table(place: Place, played: Played) -> dict[str, Any]:
    nodes = [node for node in played.watch.nodes() if node != LAB]
    return {
        "v": SCHEMA_VERSION,
        "run": played.run,
        "scenario": played.scenario.name,
        "title": played.scenario.title,
        "world": place.world,
        "members": list(place.members),
        "guests": [node for node in nodes if node.startswith("g")],
        "instances": played.instances,
        "pieces": played.pieces,
        "settings": played.settings,
        "variant": played.scenario.variant,
    }


def _write_bytes(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_json_lines(path: Path, entries: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for entry in entries:
            file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")


def _point_latest(logs: Path, run: str) -> None:
    """Let ``logs/latest`` point at a run, in one step, so that a reader always finds one."""
    temporary = logs / f".latest-{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(run, target_is_directory=True)
    temporary.replace(logs / "latest")
