"""Stories: what the page's list holds, and that each story is what it says it is."""

import json
import re
from typing import Any

import pytest

from orchestrator.places import PROJECT
from orchestrator.stories import (
    FILES,
    UnknownStory,
    _played,
    list_stories,
    scenarios_json,
    story_files,
    variants_json,
)
from orchestrator.variants_told import diff
from orchestrator.yaml_file import BROKEN, FOLDER, broken_names, read_scenario, scenario_names
from paxos.checker import check_lines
from paxos.events import decode
from paxos.scenario import parse
from paxos.variants import LIVENESS, VARIANTS

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@pytest.fixture(scope="module")
def stories() -> dict[str, dict[str, Any]]:
    """The list, by name."""
    return {entry["name"]: entry for entry in list_stories()}


def lines_of(name: str) -> list[dict[str, Any]]:
    """The log of a story."""
    return [decode(raw) for raw in story_files(name)["events.jsonl"].splitlines()]


def test_every_scenario_is_a_story(stories: dict[str, dict[str, Any]]) -> None:
    """None is left out, and names can stand in an address."""
    assert stories.keys() >= {*scenario_names(), *(f"broken--{name}" for name in broken_names())}
    assert all(_NAME.fullmatch(name) for name in stories)


def test_the_list_says_what_the_files_hold(stories: dict[str, dict[str, Any]]) -> None:
    """Nothing was played for the list; its verdicts are the checker's, and files are all there."""
    for name, entry in stories.items():
        files = story_files(name)
        assert sorted(files) == sorted(FILES) == sorted(entry["files"])
        assert files["events.jsonl"]
        assert json.loads(files["verdict.json"])["verdict"] == entry["verdict"]
        assert json.loads(files["run.json"])["members"] == [
            f"n{number}" for number in range(1, entry["nodes"] + 1)
        ]


def test_a_story_of_the_correct_protocol_shows_what_it_is_to_show(
    stories: dict[str, dict[str, Any]],
) -> None:
    """With this very seed: nothing is violated, and every expectation is met."""
    for name in scenario_names():
        verdict = json.loads(story_files(name)["verdict.json"])
        assert stories[name]["verdict"] == "ok", name
        assert verdict["expectations"], name
        assert all(found["met"] for found in verdict["expectations"]), name


def test_a_broken_story_breaks_what_it_says_first(stories: dict[str, dict[str, Any]]) -> None:
    """Those that break liveness violate no rule, and somebody's wish stays open or fails."""
    broken = [entry for entry in stories.values() if entry["variant"] is not None]
    assert len(broken) > len(broken_names())
    for entry in broken:
        verdict = json.loads(story_files(entry["name"])["verdict.json"])
        if entry["breaks"] == LIVENESS:
            assert entry["verdict"] == "ok", entry["name"]
            assert not all(found["met"] for found in verdict["expectations"]), entry["name"]
        else:
            assert verdict["violations"][0]["rule"] == entry["breaks"], entry["name"]


def test_a_story_is_the_same_bytes_whenever_it_is_played() -> None:
    """What was kept is what is made anew."""
    names = ("lossy", "broken--number-reused")
    before = {name: story_files(name) for name in names}
    _played.cache_clear()
    assert {name: story_files(name) for name in names} == before


def test_a_story_can_be_played_from_its_scenario(stories: dict[str, dict[str, Any]]) -> None:
    """The file holds what the scenario's reader takes, and says which variant ran."""
    for name, entry in stories.items():
        scenario = parse(name, json.loads(story_files(name)["scenario.json"]))
        assert (scenario.title, scenario.variant) == (entry["title"], entry["variant"])
        assert entry["nodes"] in scenario.node_counts


@pytest.mark.parametrize("name", ["", "nothing", "../basic", "basic/../basic", "broken/ignore"])
def test_another_name_is_refused_in_a_sentence(name: str) -> None:
    """And nothing is read for it."""
    with pytest.raises(UnknownStory, match=r"^there is no story '"):
        story_files(name)


def test_scenarios_as_plain_data_are_those_of_the_files() -> None:
    """Two readers of YAML, one scenario."""
    plain = scenarios_json()["scenarios"]
    paths = {name: FOLDER / f"{name}.yaml" for name in scenario_names()}
    paths |= {f"broken/{name}": BROKEN / f"{name}.yaml" for name in broken_names()}
    assert list(plain) == list(paths)
    for name, path in paths.items():
        data = json.loads(json.dumps(plain[name]))
        assert parse(path.stem, data) == read_scenario(path), name


class TestVariants:
    def test_all_of_the_gallery(self) -> None:
        """In its order, as JSON."""
        found = variants_json()
        assert [one["name"] for one in found["variants"]] == list(VARIANTS)
        assert json.loads(json.dumps(found)) == found

    def test_the_change_is_the_one_that_the_command_line_shows(self) -> None:
        """Row by row."""
        signs = {"add": "+", "del": "-", "same": " "}
        for one in variants_json()["variants"]:
            rows = [signs[kind] + text for kind, text in one["diff"]]
            assert rows == diff(VARIANTS[one["name"]])
            assert any(kind != "same" for kind, _ in one["diff"]), one["name"]

    def test_handlers_stand_in_the_files_that_are_named(self) -> None:
        """Broken and correct ones, whatever their indentation there."""
        for one in variants_json()["variants"]:
            assert one["handler"], one["name"]
            for handler in one["handlers"]:
                for side in filter(None, (handler, handler["correct"])):
                    source = (PROJECT / side["where"]).read_text(encoding="utf-8")
                    rows = [row.strip() for row in source.splitlines()]
                    first = side["source"].splitlines()[0].strip()
                    assert first in rows, (one["name"], side["name"])
                    assert side["name"] in side["source"]
                    if side["class"] is not None:
                        assert re.search(rf"^class {side['class']}\b", source, re.MULTILINE)

    def test_a_broken_handler_is_valid_source(self) -> None:
        """An editor can begin with it."""
        for one in variants_json()["variants"]:
            for handler in one["handlers"]:
                compile(handler["source"], handler["where"], "exec")

    def test_stories_of_a_variant_run_it(self, stories: dict[str, dict[str, Any]]) -> None:
        """Or set what it is made of."""
        for one in variants_json()["variants"]:
            for name in one["stories"]:
                shown = stories[name]
                assert shown["variant"] == one["name"] or one["settings"], (one["name"], name)

    def test_all_but_one_have_a_story(self) -> None:
        """A stale refusal that is heeded shows in rare seeds only."""
        without = [one["name"] for one in variants_json()["variants"] if not one["stories"]]
        assert without == ["stale-nack"]


def test_a_story_judged_anew_gets_the_same_verdict() -> None:
    """The files are enough: lines and the runner's table."""
    files = story_files("broken--ignore-accepted")
    verdict = check_lines(lines_of("broken--ignore-accepted"), json.loads(files["run.json"]))
    assert verdict.verdict == "violated"
    told = json.loads(files["verdict.json"])["violations"]
    assert [found["sentence"] for found in told] == [one.sentence for one in verdict.violations]
