"""The whole judgement of lines: by the rules, and by a replay through the core."""

from collections.abc import Mapping, Sequence
from typing import Any

from paxos.checker import Run, Verdict, check_lines, run_told
from paxos.conformance import Table, conform
from paxos.events import Line


def judge_lines(
    lines: Sequence[Line], table: Mapping[str, Any] | None, *, trusted: bool = False
) -> Verdict:
    """Judge the lines of a run.

    Args:
        lines: merged.
        table: the content of ``run.json``; without one, what the log says of itself.
        trusted: the lines were made here, and are known to be of this format.

    Raises:
        LogFormatError: a line or the table is not of this format.
    """
    verdict = check_lines(lines, table, trusted=trusted)
    run = run_told(lines) if table is None else Run.parse(table)
    return verdict.with_conformance(conform(lines, replay_table(run)).as_json())


def replay_table(run: Run | None) -> Table | None:
    """What a replay must know of the runner's table."""
    if run is None:
        return None
    return Table(
        members=run.members,
        instances=frozenset(run.instances.values()),
        begins={
            node: (pieces[0].incarnation, pieces[0].first)
            for node, pieces in run.pieces.items()
            if pieces
        },
        settings=run.settings,
        variant=run.variant,
    )
