"""The whole judgement of a log: by the rules, and by a replay through the core."""

from pathlib import Path

from paxos.checker import Run, Verdict, check_path, load_run, log_files, whole_lines
from paxos.conformance import (
    OutOfOrder,
    Table,
    conform,
    conform_in_any_order,
)


def judge_path(*paths: str | Path) -> Verdict:
    """Judge a run's folder, or one or more files of lines.

    Raises:
        LogFormatError: it is no log; the text says which file and line.
    """
    verdict = check_path(*paths)
    files = log_files(*paths)
    table = table_of(load_run(files))
    try:
        found = conform(whole_lines(files), table)
    except OutOfOrder:
        found = conform_in_any_order(whole_lines(files), table)
    return verdict.with_conformance(found.as_json())


def table_of(run: Run | None) -> Table | None:
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
