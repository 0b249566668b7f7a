"""Every broken variant before its judges: explorer, log checker, simulator; and what is told of it."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator import variants as commands
from orchestrator import variants_trials as trials
from orchestrator.variants_told import diff, markdown
from paxos.explorer import Explored
from paxos.explorer.messages import AGREEMENT, explore_messages
from paxos.protocol import ROLES
from paxos.simulator.fuzz import find
from paxos.variants import LIVENESS, VARIANTS, Size, Variant

EXPOSED = [name for name, variant in VARIANTS.items() if variant.exposed_by is not None]
IN_MESSAGES = [name for name, variant in VARIANTS.items() if variant.in_messages is not None]
LEAST = {"ballots": 1, "crashes": 0, "disk_faults": 0}
REDUCIBLE = [
    (name, bound)
    for name in EXPOSED
    for bound, least in LEAST.items()
    if getattr(VARIANTS[name].exposed_by, bound) > least
]


def exposed_by(variant: Variant) -> Size:
    """The smallest size at which the explorer shows it."""
    assert variant.exposed_by is not None
    return variant.exposed_by


@cache
def shortest(name: str) -> Explored:
    """What the explorer finds at the smallest size."""
    return trials.explore_size(name, exposed_by(VARIANTS[name]))


class TestExplorer:
    @pytest.mark.parametrize("name", EXPOSED)
    def test_it_is_found_in_as_many_steps_as_the_gallery_says(self, name: str) -> None:
        """The figures are pinned: another count is another variant, or another model."""
        variant = VARIANTS[name]
        found = shortest(name)
        first = trials.first_found(found)
        if variant.breaks == LIVENESS:
            assert first == trials.NEVER
            assert found.complete
        else:
            assert first is not None
            assert (first, len(found.traces[first])) == (variant.breaks, variant.steps)

    @pytest.mark.parametrize(("name", "bound"), REDUCIBLE)
    def test_with_one_less_there_is_nothing_to_find(self, name: str, bound: str) -> None:
        """The smallest size is the smallest: that is what a bound is."""
        variant = VARIANTS[name]
        size = exposed_by(variant)
        smaller = replace(size, **{bound: getattr(size, bound) - 1})
        found = trials.explore_size(name, smaller)
        assert found.complete
        assert found.first_broken is None

    @pytest.mark.parametrize("name", ["skips-phase-1", "one-promise", "number-reused"])
    def test_two_values_are_chosen(self, name: str) -> None:
        """The figures of those with the fewest states; `explore --until agreement` has the others."""
        variant = VARIANTS[name]
        assert variant.two_values_at is not None
        found = trials.explore_size(name, variant.two_values_at, until=("agreement",))
        assert len(found.traces["agreement"]) == variant.two_values_steps

    @pytest.mark.parametrize("name", IN_MESSAGES)
    def test_what_messages_alone_show(self, name: str) -> None:
        """The figures that were found before there was any code; and what is still safe."""
        variant = VARIANTS[name]
        bounds = variant.in_messages
        assert bounds is not None
        found = explore_messages(
            bounds.acceptors,
            bounds.values,
            bounds.ballots,
            variant.roles,
            until=frozenset({bounds.rule, AGREEMENT}),
        )
        first = found.first_broken
        assert first is not None
        assert (first.what, len(first.steps)) == (bounds.rule, bounds.steps)
        two_values = found.traces.get(AGREEMENT)
        assert (None if two_values is None else len(two_values.steps)) == bounds.two_values_steps
        if 0 < bounds.safe_ballots < bounds.ballots:
            safe = explore_messages(
                bounds.acceptors, bounds.values, bounds.safe_ballots, variant.roles
            )
            assert safe.complete
            assert AGREEMENT not in safe.traces

    @pytest.mark.parametrize("name", [name for name in EXPOSED if VARIANTS[name].steps])
    def test_the_log_of_the_shortest_schedule_convicts_it(self, name: str) -> None:
        """What the explorer found on its model, the checker finds in the log of real objects."""
        assert trials.replayed(name, shortest(name)) == VARIANTS[name].breaks

    def test_the_correct_protocol_passes_where_variants_do_not(self) -> None:
        """It is the change, and not the size, nor the judges."""
        assert trials.try_correct().as_it_should_be


class TestSimulator:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_it_is_caught_within_its_seeds(self, name: str) -> None:
        """And the rule that breaks first in the log is the one that the gallery names."""
        variant = VARIANTS[name]
        outcome = trials.fuzz(variant, variant.seeds)
        assert outcome is not None
        assert outcome.rule == variant.breaks, outcome.verdict.as_text()

    def test_the_correct_protocol_is_not_flagged(self) -> None:
        """The same seeds, the same judges: nothing, not even in the time that it takes."""
        most = max(variant.seeds for variant in VARIANTS.values())
        outcome = find(range(1, most + 1))
        assert outcome is None, f"seed {outcome.plan.seed}: {outcome.rule}"


class TestCommands:
    def test_a_variant_that_is_caught_ends_well(self) -> None:
        """The table says so, and the exit code."""
        result = CliRunner().invoke(commands.variants_command, ["skips-phase-1", "strict-accept"])
        assert result.exit_code == 0
        assert "R4, 1 step " in result.output
        assert "never chosen" in result.output
        assert result.output.count("caught\n") == 2
        assert "2 of 2 caught" in result.output
        assert max(map(len, result.output.splitlines())) <= 80

    def test_a_variant_that_survives_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A judge that no longer finds it is as bad as a bug that was repaired by mistake."""
        harmless = replace(VARIANTS["skips-phase-1"], roles=ROLES)
        monkeypatch.setitem(VARIANTS, "skips-phase-1", harmless)
        result = CliRunner().invoke(commands.variants_command, ["skips-phase-1"])
        assert result.exit_code == 1
        assert "survived" in result.output

    def test_json_has_an_object_for_each(self) -> None:
        """For a program."""
        result = CliRunner().invoke(commands.variants_command, ["one-promise", "--json"])
        assert result.exit_code == 0
        (variant,) = json.loads(result.output)
        assert (variant["variant"], variant["steps"], variant["caught"]) == ("one-promise", 3, True)

    def test_the_story_of_one_by_messages_and_seed(self) -> None:
        """Where no world can play the shortest schedule, it is told in words."""
        result = CliRunner().invoke(commands.variant_command, ["lowest-report"])
        assert result.exit_code == 0
        assert "14  ballot 2 asks to accept v1." in result.output
        assert "Seed" in result.output
        assert "R4, for" in result.output

    def test_the_story_of_one_that_waits_for_ever(self) -> None:
        """Nothing is unsafe, and nothing is chosen."""
        result = CliRunner().invoke(commands.variant_command, ["strict-accept"])
        assert result.exit_code == 0
        assert "chosen     a value can be chosen" in result.output
        assert "never" in result.output


class TestTold:
    def test_the_document_is_true(self, root: Path) -> None:
        """Write it anew with: paxos-lab variants --docs > docs/variants.md."""
        assert (root / "docs" / "variants.md").read_text(encoding="utf-8") == markdown()

    @pytest.mark.parametrize(
        "name", ["strict-accept", "lowest-report", "half-quorum", "no-backoff"]
    )
    def test_one_line_is_one_line(self, name: str) -> None:
        """The change of a comparison is shown as that."""
        changed = [row for row in diff(VARIANTS[name]) if row[0] in "+-"]
        assert [row[0] for row in changed] == ["-", "+"]

    @pytest.mark.parametrize("name", VARIANTS)
    def test_a_diff_shows_the_change_and_no_prose(self, name: str) -> None:
        """Neither docstrings nor comments, and something new or gone."""
        rows = diff(VARIANTS[name])
        assert any(row[0] in "+-" for row in rows)
        assert not any('"""' in row or row[1:].lstrip().startswith("#") for row in rows)
