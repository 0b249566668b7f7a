"""From a moment on by hand, and the shortest way to a violation as a branch of a run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core_archive import scenario_data
from orchestrator.stories import story_files
from paxos.sandbox import SandboxError, run, whatif
from paxos.sandbox.recipe import read_recipe
from paxos.sandbox.ways import BY_ITSELF, UNDER_WAY
from paxos.sandbox.whatif import SETTLES
from paxos.variants import VARIANTS
from tests.sandbox_recipes import APPLE, MANY, PEAR, fork, recipe

TAKE_OVER = {"by_hand": True}
MOVED_BY_HAND = {"counterexample", "by hand", "by hand from there"}
TIMED = {name: made for name, made in MANY.items() if name not in MOVED_BY_HAND}
FIG = {"propose": {"at": "n1", "value": "fig"}}
KIWI = {"propose": {"at": "n3", "value": "kiwi"}}
NOT_IN_A_TAB = {
    # Its violation is many steps away, and needs more states than these questions allow.
    *("lowest-report", "half-quorum", "stale-nack", "across-ballots"),
    # They break no rule: a cluster only does not come to an end.
    *("strict-accept", "accepts-once", "never-retries", "no-backoff", "ranges-starve"),
}
"""Variants without a way to a violation from the moments that are asked about here."""
ONLY_EXPLORED = {
    # Worlds damage records of a promise only, and there is none yet.
    ("corrupt-skipped", 4): "the disk of n1 holds no sound record to be damaged",
    # The explorer copies any promise that was ever sent; all peers hold a higher one by then.
    ("promises-copied", 40): "any promise that was ever sent be copied",
}
"""Ways that the explorer finds and a world cannot go; part of the sentence that says why."""


def shared(a: dict[str, Any], b: dict[str, Any]) -> int:
    """How many lines two runs begin with that are the same."""
    first, second = a["lines"].splitlines(), b["lines"].splitlines()
    pairs = zip(first, second, strict=False)
    return next((n for n, (x, y) in enumerate(pairs) if x != y), min(len(first), len(second)))


def told(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a run."""
    return [json.loads(line) for line in result["lines"].splitlines()]


def gone(answer: dict[str, Any]) -> dict[str, Any]:
    """The run that an answer's branch is."""
    assert answer["branch"] is not None, answer["no_branch"]
    return run(answer["branch"]["recipe"], scenario_data())


def promised(answer: dict[str, Any]) -> str:
    """The rule that an answer says to break."""
    return next(str(name) for name, state in answer["properties"].items() if state == "broken")


def broken(result: dict[str, Any]) -> set[str]:
    """The rules that are broken in a run."""
    return {one["rule"] for one in result["verdict"]["violations"]}


class TestTakingOver:
    @pytest.mark.parametrize("part", [1, 4, 7, 9])
    @pytest.mark.parametrize("name", TIMED)
    def test_a_run_stays_as_it_was_and_then_only_waits(self, name: str, part: int) -> None:
        """The lines before are the same bytes, and what comes behind is still the core's."""
        parent = run(TIMED[name], scenario_data())
        at = (parent["line_count"] - parent["closing"]) * part // 10
        result = run(fork(TIMED[name], at, TAKE_OVER), scenario_data())
        assert shared(parent, result) >= at
        assert result["refused"] == []
        assert result["stopped"] in {"waits", "rest"}
        assert result["faults"] == []
        assert result["verdict"]["conformance"]["verdict"] in {"ok", "skipped"}
        says = [line for line in told(result) if line["event"] == "step_started"]
        assert says[-1]["say"] == "From here on every message and every timer waits for a hand."
        behind = told(result)[told(result).index(says[-1]) :]
        # A step under way comes to its end; no message arrives, and no timer runs out.
        assert not any(line["event"].endswith("_received") for line in behind)
        assert not any(line["event"] == "timeout_fired" for line in behind)

    def test_what_was_under_way_can_be_delivered(self) -> None:
        """Each message that had not arrived waits, ready as a step."""
        made = fork(recipe((6, PEAR)), 24, TAKE_OVER)
        before = run(made, scenario_data())
        message = next(one for one in before["held"] if one["what"] == "message")
        after = run(fork(made, 10_000, message["step"]), scenario_data())
        assert after["refused"] == []
        arrived = [line.get("cause") for line in told(after) if line["event"].endswith("_received")]
        assert arrived.count(message["line"]) == 1

    def test_what_was_lost_can_be_delivered_too(self) -> None:
        """By hand no message is ever lost."""
        made = recipe((6, {"drop": {"name": "loss", "percent": 100}}), (8, PEAR))
        result = run(fork(made, 60, TAKE_OVER), scenario_data())
        lost = {line["message"] for line in told(result) if line["event"] == "message_dropped"}
        assert lost
        assert lost <= {one["line"] for one in result["held"] if one["what"] == "message"}

    def test_what_has_arrived_can_arrive_again(self) -> None:
        """The core must answer a repeated message as if it were the first."""
        made = fork(recipe((6, PEAR)), 60, TAKE_OVER)
        lines = told(run(made, scenario_data()))
        prepare = next(line for line in lines if line["event"] == "prepare_received")
        step = {"kind": "prepare", "from": prepare["source"], "to": prepare["node"]}
        step |= {"ballot": prepare["ballot"], "again": True}
        again = run(fork(made, 10_000, {"deliver": step}), scenario_data())
        assert again["refused"] == []
        causes = [line.get("cause") for line in told(again) if line["event"] == "prepare_received"]
        assert causes.count(prepare["cause"]) == 2

    def test_a_timer_that_was_set_can_run_out(self) -> None:
        """Of each node, as it stood."""
        made = fork(recipe((6, PEAR)), 30, TAKE_OVER)
        timer = next(o for o in run(made, scenario_data())["held"] if o["what"] == "timer")
        after = run(fork(made, 10_000, timer["step"]), scenario_data())
        assert after["refused"] == []
        assert any(line["event"] == "timeout_fired" for line in told(after))

    def test_a_paused_node_stays_paused_and_goes_on_empty_handed(self) -> None:
        """What had come to it waits for a hand, too."""
        made = recipe((6, {"pause": "n3"}), (8, PEAR))
        taken = fork(made, 60, TAKE_OVER)
        assert run(taken, scenario_data())["paused"] == ["n3"]
        result = run(fork(taken, 10_000, {"resume": "n3"}), scenario_data())
        assert result["paused"] == []
        assert not any(
            line["event"].endswith("_received") for line in told(result) if line["node"] == "n3"
        )

    def test_such_a_recipe_is_a_link_only(self) -> None:
        """A scenario is by hand from its first step."""
        result = run(fork(recipe((6, PEAR)), 30, TAKE_OVER), scenario_data())
        assert result["scenario"] is None
        assert "by hand from its beginning or not at all" in result["scenario_why"]

    @pytest.mark.parametrize(
        ("made", "sentence"),
        [
            (recipe((6, TAKE_OVER), manual=True), "waits for a hand already"),
            (recipe((6, TAKE_OVER), (9, TAKE_OVER)), "waits for a hand already"),
            (recipe((6, {"by_hand": False})), "it is written `by_hand: true`"),
            (recipe((6, TAKE_OVER), (9, {"partition": [["n1"], ["n2"]]})), "nothing to act on"),
            (recipe((6, {"fire": {"node": "n1", "timer": "patience"}}), (9, TAKE_OVER)), "by hand"),
            (recipe((6, TAKE_OVER), (9, {"drop_message": "n1/1/20"})), "waits for a hand"),
        ],
    )
    def test_what_makes_no_sense_gets_a_sentence(self, made: Any, sentence: str) -> None:
        """Before anything runs."""
        with pytest.raises(SandboxError, match=sentence):
            run(made, scenario_data())


def ways(**more: Any) -> Iterator[dict[str, Any]]:
    """Answers with a way, from a few moments of a run that moves by itself."""
    made = recipe((4, FIG), (14, KIWI), nodes=3, seed=3, **more)
    for at in (4, 20, 40, 60):
        found = whatif({"recipe": made, "at": at, "limit": 60_000}, scenario_data())
        if found["verdict"] == "can go wrong":
            yield found | {"made": made, "asked": at}


class TestBranches:
    @pytest.mark.parametrize("name", sorted(set(VARIANTS) - NOT_IN_A_TAB))
    def test_the_way_is_a_branch_that_breaks_what_was_promised(self, name: str) -> None:
        """In a run in which every message moves by itself, for each variant."""
        count = 0
        for found in ways(variant=name):
            if found["not_playable"] is not None:
                assert found["branch"] is None
                assert found["not_playable"] in found["no_branch"]
                continue
            if (name, found["asked"]) in ONLY_EXPLORED:
                assert ONLY_EXPLORED[name, found["asked"]] in found["no_branch"]
                continue
            result = gone(found)
            assert result["refused"] == []
            assert promised(found) in broken(result)
            parent = run(found["made"], scenario_data())
            assert shared(parent, result) >= found["branch"]["after"] == found["asked"]
            count += 1
        assert count

    @pytest.mark.parametrize("name", sorted(NOT_IN_A_TAB))
    def test_those_left_out_have_none(self, name: str) -> None:
        """Else they belong to the test above."""
        assert list(ways(variant=name)) == []

    @pytest.mark.parametrize(
        "fault",
        [
            {"pause": "n2"},
            {"partition": [["n1"], ["n2", "n3"]]},
            {"hold": {"name": "hold", "kinds": ["accepted"]}},
            {"drop": {"name": "loss", "percent": 100}},
            {"kill": "n2"},
        ],
        ids=lambda fault: next(iter(fault)),
    )
    def test_whatever_is_in_force(self, fault: dict[str, Any]) -> None:
        """The way begins with what brings a paused node back, and no cut stands in it."""
        made = recipe((4, fault), (6, FIG), (14, KIWI), nodes=3, variant="small-quorum")
        found = whatif({"recipe": made, "at": 30}, scenario_data())
        assert promised(found) in broken(gone(found))

    def test_by_hand_it_goes_on_by_hand(self) -> None:
        """Such a run has nothing to be taken over."""
        made = recipe((4, FIG), nodes=3, manual=True, variant="small-quorum")
        found = whatif({"recipe": made, "at": 10}, scenario_data())
        commands = found["branch"]["recipe"]["commands"]
        assert not any("by_hand" in command["do"] for command in commands)
        assert promised(found) in broken(gone(found))

    def test_a_scenario_is_cut_there(self) -> None:
        """A fork of a story is a branch as well."""
        made = recipe(nodes=5, scenario="partition", variant="small-quorum")
        found = whatif({"recipe": made, "at": 60}, scenario_data())
        result = gone(found)
        assert promised(found) in broken(result)
        assert shared(run(made, scenario_data()), result) >= 60

    def test_a_log_without_a_recipe_becomes_one(self) -> None:
        """Handed over message by message from its beginning: so does a run of containers."""
        files = story_files("broken--ignore-accepted-shortest")
        lines, table = files["events.jsonl"].decode(), json.loads(files["run.json"])
        for known in (table, None):
            found = whatif({"jsonl": lines, "run": known, "at": 12}, scenario_data())
            assert found["branch"]["after"] == 0
            result = gone(found)
            assert result["refused"] == []
            assert promised(found) in broken(result)

    def test_the_second_of_two_instances_is_the_one_that_breaks(self) -> None:
        """Steps of a way are of the instance that was asked about."""
        first = {"propose": {"at": "n1", "value": "fig", "instance": "fruit"}}
        second = {"propose": {"at": "n3", "value": "leek", "instance": "herb"}}
        made = recipe(
            (4, first), (6, second), nodes=3, variant="small-quorum", instances=["fruit", "herb"]
        )
        asked = {"recipe": made, "at": 12, "instance": "herb"}
        found = whatif(asked, scenario_data())
        violations = gone(found)["verdict"]["violations"]
        assert {"rule": promised(found), "instance": 2}.items() <= violations[0].items()

    def test_what_is_safe_has_none(self) -> None:
        """The correct protocol promises nothing that could be shown."""
        found = whatif({"recipe": recipe((6, APPLE)), "at": 40, "ballots": 1}, scenario_data())
        assert found["verdict"] == "safe within bounds"
        assert "branch" not in found

    @pytest.mark.parametrize("after", [4, 200_000])
    def test_a_command_that_came_early_stands_where_it_came(self, after: int) -> None:
        """Its recipe may wish it behind more lines than there were."""
        pear = {"propose": {"at": "n1", "value": "pear"}}
        made = recipe((after, pear), variant="ignore-accepted", nodes=3)
        found = whatif({"recipe": made, "at": 30, "ballots": 2}, scenario_data())
        assert promised(found) in broken(gone(found))

    @pytest.mark.parametrize("at", range(7, 27))
    def test_a_story_by_hand_is_cut_exactly_there(self, at: int) -> None:
        """From each moment of it there is a way, also from that of the exit of n1."""
        made = recipe(scenario="broken/number-reused-shortest", nodes=3)
        found = whatif({"recipe": made, "at": at}, scenario_data())
        assert found["verdict"] == "can go wrong"
        result = gone(found)
        assert found["branch"]["after"] == at
        assert result["refused"] == []
        assert promised(found) in broken(result)
        assert shared(run(made, scenario_data()), result) >= at
        # What the story does by itself behind the moment must not pass for the way.
        wishes = [line["event"] for line in told(result)[at:]].count("propose_invoked")
        assert wishes == len([step for step in found["steps"] if "propose" in step])

    def test_a_command_that_was_not_possible_in_the_run_is_none_of_the_way(self) -> None:
        """What was refused before the moment says nothing of the steps behind it."""
        made = recipe((4, {"start": "n1"}), (6, FIG), nodes=3, variant="small-quorum")
        assert run(made, scenario_data())["refused"]
        found = whatif({"recipe": made, "at": 30}, scenario_data())
        assert promised(found) in broken(gone(found))

    @pytest.mark.parametrize(
        ("variant", "seed", "command", "at"),
        [
            ("number-reused", 0, (15, {"restart": "n1"}), 24),
            ("ignore-accepted", 8, (26, {"power_loss": "all"}), 33),
            ("promise-forgotten", 3, (44, {"power_loss": "all"}), 49),
        ],
    )
    def test_where_a_command_is_under_way_the_way_begins_behind_it(
        self, variant: str, seed: int, command: tuple[int, dict[str, Any]], at: int
    ) -> None:
        """The steps that are told are those that the branch goes."""
        made = recipe((6, FIG), command, nodes=3, variant=variant, seed=seed)
        found = whatif({"recipe": made, "at": at, "limit": 30_000}, scenario_data())
        assert found["way"][0] == SETTLES
        assert promised(found) in broken(gone(found))

    @pytest.mark.parametrize(
        ("variant", "seed", "command", "at", "sentence"),
        [
            ("promise-forgotten", 1, (30, {"restart": "n2"}), 35, BY_ITSELF),
            ("ignore-accepted", 8, (19, {"power_loss": "all"}), 20, UNDER_WAY),
        ],
    )
    def test_where_that_leaves_no_way_a_sentence_says_so(
        self, variant: str, seed: int, command: tuple[int, Any], at: int, sentence: str
    ) -> None:
        """What it means, and what to do."""
        made = recipe((6, FIG), command, nodes=3, variant=variant, seed=seed)
        found = whatif({"recipe": made, "at": at, "limit": 30_000}, scenario_data())
        assert (found["branch"], found["no_branch"]) == (None, sentence)

    @pytest.mark.parametrize("story", ["degrade", "sizes"])
    def test_a_row_that_is_measured_can_be_played_on_by_hand(self, story: str) -> None:
        """Whatever waits can be given, and a way is of the instance that was asked about."""
        made = recipe(scenario=story, variant="ignore-accepted", nodes=5)
        taken = fork(made, 150, TAKE_OVER)
        result = run(taken, scenario_data())
        step = next(o["step"] for o in result["held"] if o["what"] == "message")
        (verb, content) = next(iter(step.items()))
        assert content["instance"] not in read_recipe(made, scenario_data()).instances
        given = run(fork(taken, result["line_count"], {verb: content}), scenario_data())
        assert given["refused"] == []
        assert given["scenario"] is None
        asked = {"recipe": made, "at": 150, "ballots": 1}
        found = whatif(asked, scenario_data())
        assert found["instance"] > 1
        assert {"instance": found["instance"], "rule": promised(found)}.items() <= (
            gone(found)["verdict"]["violations"][0].items()
        )
