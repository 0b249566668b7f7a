"""The benchmark measures what it says; how fast is never asserted."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.bench_command import bench
from orchestrator.places import HOME_VARIABLE


def test_decisions_stand_beside_their_limit_and_faults_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three syncs and two round trips are the limit, taken in the same run."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    words = ["--nodes", "3", "--decisions", "3", "--rounds", "1", "--json"]
    result = CliRunner().invoke(bench, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    times = found["decisions"]
    limit_us = 3 * times["sync_p50_us"] + 2 * times["round_trip_p50_us"]
    assert abs(times["limit_us"] - limit_us) <= 5
    assert times["p99_us"] >= times["p50_us"] > 0
    # All three are rounded, which shows the more the slower the machine was.
    least = (times["p50_us"] - 0.5) / (times["limit_us"] + 0.5)
    most = (times["p50_us"] + 0.5) / (times["limit_us"] - 0.5)
    assert least - 0.006 < times["p50_ratio"] < most + 0.006
    faults = [fault["fault"] for fault in found["faults"]]
    assert faults == ["pause", "kill", "cut", "isolate", "partition"]
