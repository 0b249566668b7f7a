"""The whole judgement of a log: by the rules, and by a replay through the core."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.aside import CONFORMANCE, begun
from paxos.checker import Verdict, check_path, load_run, log_files, whole_lines
from paxos.checker.reader import load
from paxos.checker.verdict import judge
from paxos.checker.why import ALSO, explain_log
from paxos.conformance import OutOfOrder, conform, conform_in_any_order
from paxos.judging import replay_table


def judge_path(*paths: str | Path) -> Verdict:
    """Judge a run's folder, or one or more files of lines.

    Raises:
        LogFormatError: it is no log; the text says which file and line.
    """
    return check_path(*paths).with_conformance(conformance_of(*paths))


def conformance_of(*paths: str | Path) -> dict[str, Any]:
    """What a replay of a log through the core finds, as ``verdict.json`` has it.

    Raises:
        LogFormatError: it is no log; the text says which file and line.
    """
    files = log_files(*paths)
    table = replay_table(load_run(files))
    try:
        found = conform(whole_lines(files), table)
    except OutOfOrder:
        found = conform_in_any_order(whole_lines(files), table)
    return found.as_json()


def judge_and_explain(folder: Path, *, is_long: bool) -> tuple[Verdict, dict[str, Any]]:
    """Judge a run's folder, and say why: its lines are read once for both.

    Args:
        folder: the run's.
        is_long: the replay is worth a process of its own.

    Returns:
        What :func:`judge_path` and ``explain_path`` return for it.

    Raises:
        LogFormatError: it is no log; the text says which file and line.
    """
    if not is_long:
        verdict, whys = _by_the_rules(folder)
        return verdict.with_conformance(conformance_of(folder)), whys
    with begun(CONFORMANCE, folder) as replay:
        verdict, whys = _by_the_rules(folder)
        found: Mapping[str, Any] | None = replay.result()
    return verdict.with_conformance(found or conformance_of(folder)), whys


def _by_the_rules(folder: Path) -> tuple[Verdict, dict[str, Any]]:
    log = load(folder, also=ALSO)
    return judge(log.without(ALSO)), explain_log(log)
