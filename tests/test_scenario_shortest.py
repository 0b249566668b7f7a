"""The explorer's shortest counterexamples, as scenarios that real nodes play.

They are recorded with ``GOLDEN=record make test PYTEST_ARGS=tests/test_scenario_shortest.py``,
and only committed if one can say why a step changed.
"""

import os
from dataclasses import asdict
from typing import Final

import pytest

from orchestrator.explore import accused_of, write_scenario
from orchestrator.yaml_file import BROKEN, read_scenario
from paxos.explorer import ALWAYS, Model, explore
from paxos.explorer.schedule import scenario
from paxos.scenario import parse
from paxos.variants import VARIANTS

QUICK: Final = (
    "accept-below-promise",
    "accepted-counted-twice",
    "accepted-forgotten",
    "across-ballots",
    "corrupt-skipped",
    "disk-reformatted",
    "half-quorum",
    "ignore-accepted",
    "number-reused",
    "number-shared",
    "one-promise",
    "promise-counted-twice",
    "promise-forgotten",
    "promise-not-raised",
    "promise-omits-accepted",
    "promised-as-accepted",
    "reply-before-write",
    "skips-phase-1",
    "small-quorum",
    "stale-promises",
    "sync-lies",
    "sync-retried",
    "written-in-place",
)
SLOW: Final = ("late-promise",)
"""Those that take more than some seconds to find again: they are only recorded."""

RECORDING: Final = os.environ.get("GOLDEN") == "record"


@pytest.mark.parametrize("name", (*QUICK, *SLOW) if RECORDING else QUICK)
def test_a_recorded_counterexample_is_the_shortest_that_the_explorer_finds(name: str) -> None:
    """Step by step: a changed one is a changed protocol, model or variant."""
    variant = VARIANTS[name]
    assert variant.exposed_by is not None, "the explorer finds it at some size"
    model, accused = Model(**asdict(variant.exposed_by)), accused_of(name)
    found = explore(model, accused, until=ALWAYS)
    rule = found.first_broken
    assert rule is not None
    title = f"The shortest way to break {rule} with {name}"
    data = scenario(found.traces[rule], found.model, accused, title=title, breaks=rule)
    path = BROKEN / f"{name}-shortest.yaml"
    if RECORDING:
        write_scenario(path, data)
    recorded = read_scenario(path)
    assert recorded.steps == parse(path.stem, data).steps
    assert (recorded.variant, recorded.breaks) == (name, variant.breaks)


def test_every_recorded_counterexample_is_of_a_variant_that_can_be_recorded_anew() -> None:
    """No file is left behind that nothing holds true."""
    files = {path.stem.removesuffix("-shortest") for path in BROKEN.glob("*-shortest.yaml")}
    assert files == {*QUICK, *SLOW}
