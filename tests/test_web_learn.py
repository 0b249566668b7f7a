"""What the learning room holds, without a browser: its moments, words and recipes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core_archive import scenario_data
from paxos.sandbox import run
from tests.web_learn import EXHIBITS, places_of, told, write_stories


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stories that the room opens."""
    return write_stories(tmp_path_factory.mktemp("stories"))


@pytest.fixture(scope="module")
def room(stories: Path) -> dict[str, Any]:
    """All that it says, with the places of its moments."""
    return told(stories)


def missing(room: dict[str, Any]) -> list[str]:
    """The places one of whose moments is not in its story."""
    return [
        place["key"]
        for place in room["places"]
        for scene in (place["scene"], place["then"])
        if scene is not None and min(scene["at"], *scene["window"], 0) < 0
    ]


def test_every_moment_of_tour_and_exhibits_is_found(room: dict[str, Any]) -> None:
    """By what happens at it: so a story may be recorded anew."""
    assert missing(room) == []
    assert all(place["scene"]["lane"] for place in room["places"])


def test_a_moment_that_is_gone_is_noticed(stories: Path, tmp_path: Path) -> None:
    """The test above can fail: the promise that makes n5's quorum comes from another node."""
    shutil.copytree(stories, tmp_path / "stories")
    log = tmp_path / "stories" / "tour" / "events.jsonl"
    lines = [json.loads(row) for row in log.read_text("utf-8").splitlines()]
    for line in lines:
        if line["event"] == "promise_received" and line["ballot"] == "3.n5":
            line["source"] = "n2"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    assert missing(told(tmp_path / "stories")) == ["tour/must-push/0"]


def test_the_tour_has_six_steps_and_asks_at_the_third_and_the_fifth(room: dict[str, Any]) -> None:
    """Predict, then reveal."""
    assert len(room["tour"]) == 6
    assert [step["questions"] for step in room["tour"]] == [0, 0, 1, 0, 1, 0]


def test_there_is_an_exhibit_for_each_insight(room: dict[str, Any]) -> None:
    """Each asks first, says why and where it is written, and sends one to the sandbox."""
    assert tuple(one["id"] for one in room["exhibits"]) == EXHIBITS
    for one in room["exhibits"]:
        assert one["questions"] == 1, one["id"]
        assert one["insight"], one["id"]
        assert one["section"].startswith("§"), one["id"]
        assert one["challenge"], one["id"]
    ends = [place for place in room["places"] if place["open"] is not None]
    assert len(ends) == len(EXHIBITS) + 1


def test_every_step_has_its_words(room: dict[str, Any]) -> None:
    """A caption for each beat, an answer to each answer."""
    for step in room["tour"] + room["exhibits"]:
        assert step["title"], step["id"]
        assert step["captions"] == step["beats"], step["id"]
    asked = {step["id"]: step.get("asked") for step in room["tour"] + room["exhibits"]}
    for place in room["places"]:
        if place["question"] is not None:
            words = asked[place["key"].split("/")[1]]
            count = place["question"]["answers"]
            assert len(words["answers"]) == len(words["why"]) == count, place["key"]
            assert 0 <= place["question"]["right"] < count, place["key"]
            # What is to be predicted lies ahead.
            assert place["then"]["at"] > place["scene"]["at"], place["key"]


def test_every_recipe_is_carried_out_as_it_stands(room: dict[str, Any]) -> None:
    """No sandbox that is opened from here begins with a refusal."""
    for place in room["places"]:
        if place["open"] is not None:
            result = run(place["open"]["recipe"], scenario_data())
            assert result["refused"] == [], place["key"]
            assert result["line_count"] > 5, place["key"]
            # A link to it says the same, its limits too.
            assert place["linked"] == place["open"]["recipe"], place["key"]


def wish(node: str, value: str) -> dict[str, Any]:
    """A client asks a node for a value."""
    return {"propose": {"name": value, "at": node, "value": value}}


def go(name: str, node: str) -> dict[str, Any]:
    """One round of a node's held requests, one to each acceptor, goes on."""
    return {"release": {"name": name, "first": 5, "from": node}}


RESTARTS = [{verb: node} for verb in ("kill", "start") for node in ("n1", "n2", "n3")]
FORGOTTEN = [*RESTARTS, go("accepts", "n4"), go("accepts", "n5")]
SPLIT = {"partition": [["n1", "n2"], ["n3", "n4", "n5"]]}
TURNS: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "two-phases": ([wish("n1", "apple"), wish("n5", "pear")], {"apple", "pear"}),
    "one-value": ([wish("n5", "pear"), {"release": {"name": "accepts"}}], {"apple", "pear"}),
    "binding": ([wish("n1", "apple"), wish("n5", "pear")], {"apple", "pear"}),
    "majorities": ([wish("n1", "apple"), wish("n4", "pear")], {"apple", "pear"}),
    "minority": ([SPLIT, wish("n5", "pear")], {"apple", "pear"}),
    "persistence": (FORGOTTEN, {"apple", "pear"}),
    "numbers": ([{"kill": "n1"}, {"start": "n1"}, wish("n1", "pear")], set()),
    "schemes": ([wish(f"n{number}", f"v{number}") for number in range(1, 5)], set()),
    "retries": (
        [wish("n1", "apple"), wish("n5", "pear"), *[go("slow", one) for one in ("n1", "n5") * 3]],
        set(),
    ),
    "degradation": (
        [{"kill": "n3"}, {"kill": "n4"}, {"kill": "n5"}, wish("n1", "apple"), {"start": "n3"}],
        {"apple"},
    ),
}
"""What each challenge asks for, given without haste, and the values that are learned then."""


def turned(room: dict[str, Any], exhibit: str, count: int | None = None) -> list[dict[str, Any]]:
    """The lines of a challenge's run after so many of its commands (all by default)."""
    (recipe,) = [
        place["open"]["recipe"]
        for place in room["places"]
        if place["open"] and place["key"].startswith(f"exhibit/{exhibit}/")
    ]
    # Each comes when the run has come to rest, as somebody's would who looks at it first.
    given = [{"after": 9_999, "do": one} for one in TURNS[exhibit][0][:count]]
    result = run({**recipe, "commands": [*recipe["commands"], *given]}, scenario_data())
    assert result["refused"] == []
    return [json.loads(row) for row in result["lines"].splitlines()]


def learned(lines: list[dict[str, Any]]) -> set[str]:
    """The values that anybody calls chosen."""
    return {line["value"] for line in lines if line["event"] == "value_learned"}


@pytest.mark.parametrize("exhibit", EXHIBITS)
def test_your_turn_reaches_what_its_text_promises(room: dict[str, Any], exhibit: str) -> None:
    """Where two values are to be chosen, two are learned; one command less is not enough."""
    steps, values = TURNS[exhibit]
    assert learned(turned(room, exhibit)) == values
    if values:
        assert learned(turned(room, exhibit, len(steps) - 1)) < values


def test_your_turn_with_numbers_makes_one_carry_two_values(room: dict[str, Any]) -> None:
    """n1 begins 1.n1 once more after its restart, with another value."""
    lines = turned(room, "numbers")
    asked = {(line["ballot"], line["value"]) for line in lines if line["event"] == "accept_sent"}
    assert asked == {("1.n1", "apple"), ("1.n1", "pear")}


def test_your_turn_with_schemes_is_blocked_for_all_four(room: dict[str, Any]) -> None:
    """Each client is told that its value failed, and which number blocks it."""
    answers = [line for line in turned(room, "schemes") if line["event"] == "propose_answered"]
    assert [line["node"] for line in answers] == ["n1", "n2", "n3", "n4"]
    assert all("is blocked by 4000.n5" in line["reason"] for line in answers)


def test_your_turn_with_retries_outbids_three_times_each(room: dict[str, Any]) -> None:
    """Six ballots are given up, in turn."""
    hopeless = [line for line in turned(room, "retries") if line.get("hopeless")]
    given_up = [line["node"] for line in hopeless if line["event"] == "nack_received"]
    assert given_up == ["n1", "n5"] * 3


def test_the_tours_run_breaks_when_one_line_is_changed(room: dict[str, Any]) -> None:
    """The sandbox shows what the last step shows: R4 broken, and agreement."""
    (recipe,) = [
        place["open"]["recipe"]
        for place in room["places"]
        if place["open"] and place["key"].startswith("tour/")
    ]
    broken = {one["rule"] for one in run(recipe, scenario_data())["verdict"]["violations"]}
    assert broken == {"R4", "agreement"}
    whole = run({**recipe, "variant": None}, scenario_data())["verdict"]
    assert whole["verdict"] == "ok"


def test_in_the_exhibit_of_retries_both_wait(room: dict[str, Any], stories: Path) -> None:
    """Its second part says so: n1's wait is over, n5's is not, and apple is chosen meanwhile."""
    log = (stories / "duel" / "events.jsonl").read_text("utf-8").splitlines()
    lines = [json.loads(row) for row in log]
    scene = places_of(room, "exhibit/retries")[1]["scene"]
    since = max(at for at, line in enumerate(lines) if line["event"] == "settings_changed")
    told_of = lines[since : scene["at"]]
    waits = [line for line in told_of if line.get("timer") == "retry"]
    assert [(line["event"], line["node"]) for line in waits] == [
        ("timer_set", "n1"),
        ("timeout_fired", "n1"),
        ("timer_set", "n5"),
    ]
    assert lines[scene["window"][0]] == waits[1]
    assert waits[0]["after_ms"] // 1000 == 2
    assert {line["value"] for line in lines if line["event"] == "value_learned"} == {"apple"}


# What becomes of it where nothing is broken, or where waiting is the harm.
HARMLESS = {"schemes", "retries", "degradation"}


def test_what_is_broken_is_shown_with_its_harm(room: dict[str, Any], stories: Path) -> None:
    """An exhibit that ends in a broken run ends where two values each had acceptances."""
    for exhibit in set(EXHIBITS) - HARMLESS:
        end = places_of(room, f"exhibit/{exhibit}")[-1]
        log = (stories / end["scene"]["story"] / "events.jsonl").read_text("utf-8").splitlines()
        lines = [json.loads(row) for row in log[: end["scene"]["at"] + 1]]
        by: dict[str, set[str]] = {}
        for line in lines:
            # Chosen with the write; but some say it before they write, or do not write it.
            said = {"accepted_sent": line, "state_persisted": line.get("accepted")}
            if (pair := said.get(line["event"])) is not None:
                by.setdefault(pair["value"], set()).add(line["node"])
        assert sum(len(nodes) > 1 for nodes in by.values()) == 2, (exhibit, by)
