"""The broken variants: each is one change, and some by hand can let two values be chosen."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from paxos.protocol import ROLES, Accept, Accepted, Prepare, Promise, Roles, Settings
from paxos.storage import KEEPING, DiskFaults
from paxos.variants import LIVENESS, VARIANTS, Insight, UnknownVariant, Variant, load
from tests.paxos_chaos import Broken, Chaos


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Variant:
    """Each variant in turn."""
    return VARIANTS[request.param]


class TestGallery:
    def test_each_changes_one_thing(self, variant: Variant) -> None:
        """One role, what happens at a start, the storage or one setting; all else is correct."""
        changed = [
            part.name
            for part in fields(Roles)
            if getattr(variant.roles, part.name) != getattr(ROLES, part.name)
        ]
        changed += ["keeping"] if variant.keeping != KEEPING else []
        changed += list(variant.settings)
        assert len(changed) == 1

    def test_every_rule_has_a_variant_that_breaks_it_first(self) -> None:
        """R1 to R6, and liveness: each has something real to catch."""
        broken = {variant.breaks for variant in VARIANTS.values()}
        assert broken == {LIVENESS, *(f"R{n}" for n in range(1, 7))}

    def test_every_insight_has_a_variant_that_takes_it_away(self) -> None:
        """What the lab shows is shown by its absence, too."""
        assert {variant.insight for variant in VARIANTS.values()} == set(Insight)

    def test_a_storage_that_is_broken_says_how_a_model_of_it_is(self, variant: Variant) -> None:
        """The explorer has no bytes: it takes the storage's faults."""
        assert (variant.keeping.faults != DiskFaults()) == (variant.keeping != KEEPING)

    def test_each_says_what_was_changed_and_where_it_was_seen(self, variant: Variant) -> None:
        """For those who list them."""
        assert variant.change.endswith(".")
        assert variant.story.endswith(".")
        assert variant.seen_in
        assert variant is VARIANTS[variant.name]

    def test_they_are_loaded_by_name(self, variant: Variant) -> None:
        """The unsafe flag takes a name."""
        assert load(variant.name) is variant

    def test_an_unknown_name_is_refused_with_the_nearest_ones(self) -> None:
        """A typing error must not run the correct protocol as if it were broken."""
        with pytest.raises(
            UnknownVariant, match=r"'accept-promise'.*accept-below-promise"
        ) as found:
            load("accept-promise")
        assert len(str(found.value)) < 200, "a sentence, not the whole list"
        with pytest.raises(UnknownVariant) as long:
            load("typo" * 10_000)
        assert len(str(long.value)) < 300


def first_broken(roles: Roles, *, seeds: range, count: int) -> str | None:
    """The first rule that an adversary breaks, over these seeds."""
    for seed in seeds:
        chaos = Chaos(seed, count, roles)
        try:
            chaos.run(150)
            chaos.heal()
        except Broken as broken:
            return broken.rule
    return None


# Schedules at whose end two values are chosen (or learned). N = 3 but for the
# small quorum. A delivery that a protocol gives no occasion for is left out.


def number_reused(chaos: Chaos) -> None:
    """One ballot, two values: n1 begins 1.n1 again after a restart."""
    chaos.propose(1)
    chaos.deliver(Prepare, 2, 3)
    chaos.deliver(Promise, 1, 1)
    chaos.restart(1)
    chaos.propose(1)
    chaos.deliver(Prepare, 2, 3)
    chaos.deliver(Promise, 1, 1)
    # The first Accepts were only slow.
    chaos.deliver(Accept, 2, 3)
    chaos.deliver(Accept, 2, 3)


def two_ballots(chaos: Chaos, at_2: Callable[[], None]) -> None:
    """n1 and n3 each have promises of a quorum; n2 is in both, and then something happens to it."""
    chaos.propose(1)
    chaos.deliver(Prepare, 1, 2, 3)
    chaos.deliver(Promise, 1, 1)
    chaos.propose(3)
    chaos.deliver(Prepare, 3)
    at_2()
    chaos.deliver(Promise, 3, 3)


def accept_below_promise(chaos: Chaos) -> None:
    """n1's Accepts come late, below n2's promise."""
    two_ballots(chaos, lambda: chaos.deliver(Prepare, 2))
    chaos.flight.sort(
        key=lambda flying: isinstance(flying[1].message, Accept) and flying[1].source == 1
    )
    chaos.deliver(Accept, 3, 2)
    chaos.deliver(Accept, 1, 1, 2)


def promise_forgotten(chaos: Chaos) -> None:
    """n2 restarts between its promise to n3 and n1's late Accept."""
    two_ballots(chaos, lambda: chaos.deliver(Prepare, 2))
    chaos.restart(2)
    chaos.deliver(Accept, 1, 2)
    chaos.deliver(Accept, 2, 3, 3)


def reply_before_write(chaos: Chaos) -> None:
    """n2 is killed after the first effect of its promise to n3."""
    two_ballots(chaos, lambda: chaos.deliver(Prepare, 2, cut=1))
    chaos._start(2)
    chaos.deliver(Accept, 1, 2)
    chaos.deliver(Accept, 2, 3, 3)


def chosen_then_asked(chaos: Chaos) -> None:
    """A value is chosen by n1 and n2; then n3 asks n2 and itself."""
    chaos.propose(1)
    chaos.deliver(Prepare, 1, 2)
    chaos.deliver(Promise, 1, 1)
    chaos.deliver(Accept, 1, 2)
    chaos.propose(3)
    chaos.deliver(Prepare, 3, 3, 2)
    chaos.deliver(Promise, 3, 3)
    chaos.deliver(Accept, 3, 3, 2)


def small_quorum(chaos: Chaos) -> None:
    """n1 learns from two of five; the other three choose something else."""
    chaos.propose(1)
    chaos.deliver(Prepare, 1, 2, 3)
    chaos.deliver(Promise, 1, 1, 1)
    chaos.deliver(Accept, 1, 2)
    chaos.deliver(Accepted, 1, 1)
    chaos.propose(5)
    chaos.deliver(Prepare, 5, 5, 4, 4, 3)
    chaos.deliver(Promise, 5, 5, 5)
    chaos.deliver(Accept, 5, 5, 4, 4, 3, 3)


SCHEDULES: dict[str, tuple[int, Callable[[Chaos], None]]] = {
    "accept-below-promise": (3, accept_below_promise),
    "promise-omits-accepted": (3, chosen_then_asked),
    "number-reused": (3, number_reused),
    "ignore-accepted": (3, chosen_then_asked),
    "small-quorum": (5, small_quorum),
    "promise-forgotten": (3, promise_forgotten),
    "reply-before-write": (3, reply_before_write),
}


class TestRules:
    @pytest.mark.parametrize("count", [3, 5])
    @pytest.mark.parametrize("name", SCHEDULES)
    def test_the_rule_that_it_breaks_first(self, name: str, count: int) -> None:
        """The table of the gallery, found by the adversary and judged by messages and disks alone."""
        variant = VARIANTS[name]
        broken = {
            first_broken(variant.roles, seeds=range(start, start + 60), count=count)
            for start in (0, 1_000)
        }
        assert broken == {variant.breaks}


class TestAgreement:
    @pytest.mark.parametrize("name", SCHEDULES)
    def test_two_values_are_chosen(self, name: str) -> None:
        """What a rule prevents: a short story that ends in disagreement."""
        count, schedule = SCHEDULES[name]
        chaos = Chaos(1, count, VARIANTS[name].roles, rules=False)
        with pytest.raises(Broken, match=r"Agreement: .*v[12].*v[12]"):
            schedule(chaos)

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_the_correct_protocol_survives_the_same_schedule(self, name: str) -> None:
        """It is the change, and not the schedule, that lets two values be chosen."""
        count, schedule = SCHEDULES[name]
        chaos = Chaos(1, count, settings=Settings(), checked=True)
        schedule(chaos)
        chaos.heal()
        assert len(chaos.judge.chosen) == 1
        assert chaos.known() == chaos.judge.chosen
