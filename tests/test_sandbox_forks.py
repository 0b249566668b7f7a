"""Forks at every line: the log up to there stays, and nothing of the parent happens behind it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core_archive import scenario_data
from paxos.sandbox import SandboxError, run
from paxos.sandbox.recipe import forked, kept, read_recipe, rewound
from tests.sandbox_recipes import APPLE, MANY, PEAR, recipe
from tests.web_node import ask_node

QUINCE: Final = {"propose": {"at": "n1", "value": "quince"}}
CRASHES: Final = recipe(
    (6, PEAR),
    (12, {"kill": ["n1", "n4"]}),
    (30, {"start": "all"}),
    (30, {"partition": [["n1", "n2"], ["n3", "n4", "n5"]]}),
    (60, APPLE),
    (75, {"restart": "n3"}),
    (75, {"heal": "all"}),
    (110, {"power_loss": "all"}),
    (110, {"start": "all"}),
)
EARLY: Final = recipe((6, PEAR), (10_000, {"kill": "n3"}), (20_000, APPLE))
NOT_DONE: Final = recipe((6, {"start": "n1"}), (9, PEAR), (20, {"resume": "n2"}), (40, APPLE))
RECIPES: Final = {**MANY, "crashes": CRASHES, "early": EARLY, "not done": NOT_DONE}
# By nobody but who plays a story; a client is answered in its own time.
OF_A_STORY: Final = frozenset({"step_started", "propose_invoked", "run_finished"})


def story_recipes() -> dict[str, dict[str, Any]]:
    """A recipe of each scenario that the sandbox plays."""
    found: dict[str, dict[str, Any]] = {}
    for name, data in scenario_data().items():
        counts = data["nodes"] if isinstance(data["nodes"], list) else [data["nodes"]]
        made = recipe(scenario=name, nodes=counts[0])
        try:
            read_recipe(made, scenario_data())
        except SandboxError:
            continue
        found[f"story {name}"] = made
    return found


STORIES: Final = story_recipes()
ALL: Final = RECIPES | STORIES
COUNTEREXAMPLE: Final = "story broken/number-reused-shortest"


@cache
def whole(name: str) -> dict[str, Any]:
    """The run of a recipe or of a story, by its name."""
    return run(ALL[name], scenario_data())


def length(result: Mapping[str, Any]) -> int:
    """How many lines a run has without those that only close it."""
    return int(result["line_count"] - result["closing"])


def cut(name: str, at: int) -> tuple[list[str], dict[str, Any]]:
    """A run's first lines, and its fork behind those."""
    made = ALL[name]
    parent = whole(name)
    fork = run(forked(made, parent, at, QUINCE), scenario_data())
    return parent["lines"].splitlines()[:at], fork


def between(fork: Mapping[str, Any], at: int) -> Iterator[dict[str, Any]]:
    """The lines behind a cut that stand before those of the fork's own command."""
    for line in fork["lines"].splitlines()[at : fork["stood"][-1]]:
        yield json.loads(line)


class TestEveryLine:
    @pytest.mark.parametrize("name", RECIPES)
    def test_a_fork_of_a_recipe_begins_with_its_bytes(self, name: str) -> None:
        """A command that shows behind the line is not given, and one that shows is."""
        told = whole(name)
        end = length(told)
        near = {at + more for at in (*told["given"], *told["stood"]) for more in (-1, 0, 1, 2)}
        for at in sorted(
            {at for at in {*near, *range(1, end, end // 6 + 1), end} if 0 < at <= end}
        ):
            before, fork = cut(name, at)
            assert fork["lines"].splitlines()[:at] == before, f"at {at}"

    @pytest.mark.parametrize("name", sorted(set(STORIES) - {"story degrade"}))
    def test_a_fork_of_a_story_begins_with_its_bytes(self, name: str) -> None:
        """In each of its quarters, and right behind its first lines."""
        end = length(whole(name))
        for at in {1, end // 4, end // 2, end * 3 // 4, end - 1, end}:
            before, fork = cut(name, max(at, 1))
            assert fork["lines"].splitlines()[: max(at, 1)] == before, f"at {at}"

    @settings(max_examples=40, deadline=None)
    @given(
        name=st.sampled_from(sorted(STORIES)),
        part=st.integers(1, 9_999),
    )
    def test_no_step_of_a_story_begins_behind_the_line(self, name: str, part: int) -> None:
        """At any line of any story: what comes before the command was under way, or due."""
        at = max(1, length(whole(name)) * part // 10_000)
        before, fork = cut(name, at)
        assert fork["lines"].splitlines()[:at] == before
        moment = max(json.loads(line)["at_ns"] for line in before)
        # In the very moment of the line a step may still begin, for it may stand before it.
        late = [x for x in between(fork, at) if x["at_ns"] > moment and x["event"] in OF_A_STORY]
        assert late == []

    def test_a_step_of_a_story_begins_in_the_moment_of_the_line_and_not_later(self) -> None:
        """A client comes in the very microsecond in which the one before it gives up."""
        lines = [json.loads(line) for line in whole("story degrade")["lines"].splitlines()]
        moments = {x["at_ns"] for x in lines if x["event"] == "timeout_fired"}
        asked = {n: x for n, x in enumerate(lines) if x["event"] == "propose_invoked"}
        together = next(n for n, x in asked.items() if x["at_ns"] in moments)
        at = next(n for n in range(together, len(lines)) if lines[n]["event"] == "timeout_fired")
        for count in range(together, at + 3):
            before, fork = cut("story degrade", count)
            assert fork["lines"].splitlines()[:count] == before, f"at {count}"

    def test_of_several_nodes_those_whose_turn_has_not_come_are_spared(self) -> None:
        """A story that kills all is cut between them."""
        name = "story restart-all"
        lines = [json.loads(line) for line in whole(name)["lines"].splitlines()]
        exits = [n for n, x in enumerate(lines) if x["event"] == "node_exited"]
        _, fork = cut(name, exits[0] + 2)
        ended = [json.loads(x)["of"] for x in fork["lines"].splitlines() if '"node_exited"' in x]
        assert ended == [lines[exits[0]]["of"]]

    def test_a_story_that_was_over_is_put_right_up_to_the_line(self) -> None:
        """Behind its last step, each line of its end is a moment as well."""
        name = "story partition"
        end = length(whole(name))
        for at in range(end - 12, end + 1):
            before, fork = cut(name, at)
            assert fork["lines"].splitlines()[:at] == before
            assert [x for x in between(fork, at) if x["event"] == "run_finished"] == []


class TestKeptCommands:
    def test_one_that_does_not_show_yet_is_dropped(self) -> None:
        """It was given behind the cursor, whatever line it had waited for."""
        made = recipe((6, PEAR), (20, {"kill": "n3"}))
        parent = run(made, scenario_data())
        shows = parent["stood"][1]
        assert shows >= 20
        kept = [len(forked(made, parent, at, APPLE)["commands"]) for at in (shows, shows + 1)]
        assert kept == [2, 3]

    def test_one_that_came_early_is_kept_where_it_came(self) -> None:
        """It wanted more lines than there were."""
        parent = whole("early")
        fork = forked(EARLY, parent, length(parent), APPLE)
        assert [one["after"] for one in fork["commands"]][1:3] == parent["given"][1:]
        assert parent["given"][1] < 10_000
        again = run({**fork, "commands": fork["commands"][:-1]}, scenario_data())
        assert again["lines"] == parent["lines"]

    def test_a_story_by_hand_can_be_wound_back(self) -> None:
        """Its first command ends it, also one that does nothing else and leaves no line."""
        made, parent = STORIES[COUNTEREXAMPLE], whole(COUNTEREXAMPLE)
        back = rewound(made, parent, 16, is_manual=True)
        result = run(back, scenario_data())
        assert result["refused"] == []
        lines = result["lines"].splitlines()
        assert lines[:16] == parent["lines"].splitlines()[:16]
        assert not any("node_started" in line for line in lines[16:])

    def test_the_page_keeps_the_same_commands(self) -> None:
        """Forks and windings back of every recipe at many lines, made by the page and here."""
        asked: list[dict[str, Any]] = []
        expected: list[list[dict[str, Any]]] = []
        for name in (*RECIPES, "story partition", COUNTEREXAMPLE):
            told = whole(name)
            is_manual = read_recipe(ALL[name], scenario_data()).manual
            made = {"scenario": None, **ALL[name], "manual": is_manual}
            cuts = list(range(1, length(told) + 2, 2))
            page = {"recipe": made, "given": told["given"], "stood": told["stood"]}
            asked.append({"run": page, "cuts": cuts})
            expected.append([])
            for at in cuts:
                takes_over = ("by_hand" in one["do"] for one in kept(made, told, at))
                expected[-1].append(
                    {
                        "forked": forked(made, told, at, QUINCE),
                        "rewound": rewound(made, told, at, is_manual=is_manual),
                        "byHand": is_manual or any(takes_over),
                    }
                )
        found = ask_node("web_recipes.mjs", {"runs": asked, "step": QUINCE})
        assert found == expected
