"""docs/scenarios.md says what is so."""

import re
from pathlib import Path

import pytest

from orchestrator.yaml_file import BROKEN, FOLDER, broken_names, read_scenario, scenario_names
from paxos.scenario import model
from paxos.scenario.steps import VERBS

DOCUMENT = (Path(__file__).parents[1] / "docs" / "scenarios.md").read_text(encoding="utf-8")

INSIGHTS = (
    "Two phases",
    "Only one value can ever be chosen",
    "A chosen value binds every later proposal",
    "Majorities intersect, and N ≥ 2F + 1",
    "A minority cannot decide, and loses nothing",
    "Persist before you reply",
    "Numbers must be unique and rising",
    "How numbers are made decides liveness",
    "Timeouts, retries, back-off",
    "Graceful degradation",
)


def section(heading: str) -> str:
    """The text under a heading that begins so, up to the next heading."""
    found = re.search(rf"^### {re.escape(heading)}.*?(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section begins with {heading!r}"
    return found[0]


@pytest.mark.parametrize("insight", INSIGHTS)
def test_every_insight_is_an_experiment(insight: str) -> None:
    """Predict, run, see; and what is to be run exists."""
    text = section(insight)
    for word in ("*Predict*", "*Run*", "*See*"):
        assert word in text
    run = re.findall(r"`make scenario-([a-z-]+)`", text)
    assert run
    assert set(run) <= set(scenario_names())


def test_every_scenario_is_run_for_some_insight() -> None:
    """None is left without a lesson."""
    run = set(re.findall(r"`make scenario-([a-z-]+)`", DOCUMENT))
    assert run == set(scenario_names())


@pytest.mark.parametrize("name", scenario_names())
def test_the_table_names_each_scenario_with_what_breaks_it(name: str) -> None:
    """As the files say it."""
    row = re.search(rf"^\| `{name}` \|.*\| (.*) \|$", DOCUMENT, re.MULTILINE)
    assert row is not None
    assert (
        tuple(re.findall(r"`([a-z-]+)`", row[1]))
        == read_scenario(FOLDER / f"{name}.yaml").broken_by
    )


@pytest.mark.parametrize("name", broken_names())
def test_every_broken_scenario_is_named_with_its_rule(name: str) -> None:
    """So that a reader finds what breaks R3."""
    rule = read_scenario(BROKEN / f"{name}.yaml").breaks
    listed = re.search(rf"`{name}`(?: and `[a-z-]+`)? \((R[1-6])\)", DOCUMENT)
    assert listed is not None
    assert listed[1] == rule


def test_every_verb_and_failpoint_is_explained() -> None:
    """The reference of the file format leaves none out."""
    for word in (*VERBS, "repeat", *model.FAILPOINTS):
        assert f"`{word}" in DOCUMENT, word
