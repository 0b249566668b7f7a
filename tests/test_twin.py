"""The explorer beside TLC: two programs, two languages, one number of states.

``docs/spec/PaxosNodes.tla`` tells the node model once more and shares nothing
with the core. A state that either lacks, or holds twice, makes a difference.
"""

import os
from pathlib import Path

import pytest

from orchestrator import tlc
from paxos.explorer import Model, explore

# Pinned, so that both cannot change together unseen: a changed count is a changed protocol.
DISTINCT: dict[tlc.Bounds, int] = {
    # nodes, proposing, values, ballots, crashes, faults of a disk
    (2, 1, 1, 1, 1, 0): 798,
    (1, 1, 2, 2, 2, 0): 6_033,
    (3, 1, 1, 1, 0, 0): 16_006,
    (2, 2, 1, 2, 0, 0): 109_468,
    (2, 1, 1, 1, 1, 1): 2_207,
    (1, 1, 1, 2, 2, 2): 10_311,
}


@pytest.fixture(autouse=True)
def _needs_tlc() -> None:
    reason = tlc.missing()
    if reason is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.parametrize("bounds", DISTINCT, ids=str)
def test_tlc_and_the_explorer_visit_equally_many_states(bounds: tlc.Bounds, tmp_path: Path) -> None:
    """As many, in as many levels; and agreement holds in all of them, says each."""
    explored = explore(Model(*bounds))
    assert explored.complete
    assert explored.distinct == DISTINCT[bounds]
    assert explored.first_broken is None
    told = tlc.check(tmp_path, bounds)
    assert told.distinct == explored.distinct
    assert told.depth == explored.progress.depth


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        # A promise that is not written before it is sent.
        ("Step(n, after, <<AcceptorRecord(after), promise>>)", "Step(n, after, <<promise>>)"),
        # A learned value whose write is synced.
        ('IF record.of = "learned"', "IF FALSE"),
        # A proposer that forgets its number.
        ("lastRound |-> disk.round", "lastRound |-> -1"),
    ],
)
def test_a_small_change_of_the_twin_is_another_number(
    right: str, wrong: str, tmp_path: Path
) -> None:
    """So an equal number says something."""
    text = tlc.SPEC.read_text(encoding="utf-8")
    assert right in text
    bounds: tlc.Bounds = (1, 1, 1, 2, 2, 0)
    told = tlc.check(tmp_path, bounds, text.replace(right, wrong))
    assert told.distinct != explore(Model(*bounds)).distinct
