"""``paxos-lab bench-explorer``: the explorer's speed and memory beside TLC's, in one run."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from orchestrator import tlc
from orchestrator.cluster import LabError

BESIDE_TLC: Final[tlc.Bounds] = (3, 1, 1, 1, 1, 1)
"""Small enough for TLC, and more than half a million states."""
LARGE: Final[tlc.Bounds] = (3, 1, 1, 2, 0, 0)
"""More states than one would wait for: it is cut at a number of them."""
LARGE_STATES: Final = 25_000_000
_TLC_LIMIT_S: Final = 1_800.0
_NAMES: Final = ("nodes", "proposing", "values", "ballots", "crashes", "disk-faults")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured search."""

    engine: str
    model: str
    distinct: int
    seconds: float
    cpu_seconds: float | None
    bytes_a_state: float | None
    core_calls: int | None

    @property
    def rate(self) -> float:
        """Distinct states a second, by the clock on the wall."""
        return self.distinct / self.seconds


@click.command("bench-explorer")
@click.option("--states", default=LARGE_STATES, show_default=True, help="Of the large model.")
@click.option("--no-tlc", is_flag=True, help="Leave TLC and its model out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
def bench_explorer(states: int, *, no_tlc: bool, as_json: bool) -> None:
    """Measure the explorer beside TLC on the twin, and on a large model."""
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        if not as_json:
            click.echo(_told(row))

    if not no_tlc:
        reason = tlc.missing()
        if reason is not None:
            raise LabError(f"{reason}; or leave it out: --no-tlc")
        add(_with_tlc(BESIDE_TLC))
        for engine in ("plain", "arrays"):
            add(_explored(BESIDE_TLC, engine, 10 * states))
    add(_explored(LARGE, "arrays", states))
    ratio = None
    if not no_tlc:
        # On the same states first; then what it is for, on many.
        ratio = rows[2].rate / rows[0].rate
        large = rows[3].rate / rows[0].rate
        if not as_json:
            click.echo(
                f"arrays beside TLC: {ratio:.0f} times its states a second on the same model, "
                f"{large:.0f} times on the large one"
            )
    if as_json:
        entries: list[dict[str, Any]] = [
            {name: getattr(row, name) for name in Row.__slots__} for row in rows
        ]
        click.echo(json.dumps({"rows": entries, "times_tlc": ratio}, indent=1))


def _told(row: Row) -> str:
    text = (
        f"{row.engine:<7} {row.model}: {row.distinct:>11,} states, {row.seconds:7.1f} s, "
        f"{row.rate:>11,.0f}/s"
    )
    if row.cpu_seconds is not None:
        text += f"\n        {row.cpu_seconds:.1f} s of CPU"
    if row.bytes_a_state is not None:
        text += f", {row.bytes_a_state:.1f} bytes a state at peak"
    if row.core_calls is not None:
        text += f", {row.core_calls:,} calls of the core"
    return text


def _model(bounds: tlc.Bounds) -> str:
    return "/".join(str(bound) for bound in bounds)


def _with_tlc(bounds: tlc.Bounds) -> Row:
    with tempfile.TemporaryDirectory(prefix="paxos-tlc-") as folder:
        found = tlc.check(Path(folder), bounds, limit_s=_TLC_LIMIT_S)
    return Row("TLC", _model(bounds), found.distinct, found.seconds, None, None, None)


def _explored(bounds: tlc.Bounds, engine: str, states: int) -> Row:
    """Search in a process of its own, whose peak of memory is then the search's."""
    words = [sys.executable, "-m", "orchestrator", "explore", "--json", "--until", "nothing"]
    words += ["--engine", engine, "--limit", str(states)]
    for name, bound in zip(_NAMES, bounds, strict=True):
        words += [f"--{name}", str(bound)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 3}:
        raise LabError(f"the explorer ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Row(
        engine,
        _model(bounds),
        told["distinct"],
        told["seconds"],
        told["cpu_seconds"],
        told["peak_mib"] * 1024 * 1024 / told["distinct"],
        told["core_calls"],
    )
