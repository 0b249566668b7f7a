"""The message-set model against the published counts, the specification's text, and the gallery.

``specification`` below is ``Paxos.tla`` once more, action by action over sets
of tuples, and shares nothing with the core: sizes that nobody published are
compared with it.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from paxos.explorer.messages import AGREEMENT, CHOSEN, RULES, Progress, explore_messages
from paxos.protocol import Roles, Stored
from paxos.variants import VARIANTS

State = tuple[tuple[tuple[int, int, str], ...], frozenset[tuple[Any, ...]]]
"""For each acceptor (maxBal, maxVBal, maxVal), and the messages."""


def successors(state: State, values: range, ballots: range) -> Iterator[State]:
    """``Next`` of ``Paxos.tla``, once for each way to choose what it quantifies over."""
    acceptors, msgs = state
    count = len(acceptors)
    for b in ballots:
        yield acceptors, msgs | {("1a", b)}
        if not any(m[:2] == ("2a", b) for m in msgs):
            for quorum in combinations(range(count), count // 2 + 1):
                q1b = [m for m in msgs if m[0] == "1b" and m[1] in quorum and m[2] == b]
                if {m[1] for m in q1b} != set(quorum):
                    continue
                q1bv = [m for m in q1b if m[3] >= 0]
                highest = max((m[3] for m in q1bv), default=None)
                for v in (f"v{value}" for value in values):
                    ways = [m for m in q1bv if m[3] == highest and m[4] == v] if q1bv else [v]
                    for _ in ways:
                        yield acceptors, msgs | {("2a", b, v)}
    for a, (max_bal, max_vbal, max_val) in enumerate(acceptors):
        for m in msgs:
            if m[0] == "1a" and m[1] > max_bal:
                memory = (m[1], max_vbal, max_val)
                reply: tuple[Any, ...] = ("1b", a, m[1], max_vbal, max_val)
            elif m[0] == "2a" and m[1] >= max_bal:
                memory = (m[1], m[1], m[2])
                reply = ("2b", a, m[1], m[2])
            else:
                continue
            yield (*acceptors[:a], memory, *acceptors[a + 1 :]), msgs | {reply}


def specification(acceptors: int, values: int, ballots: int) -> tuple[int, int, int]:
    """Distinct, generated and depth, as TLC counts them."""
    initial: State = (((-1, -1, ""),) * acceptors, frozenset())
    seen, level, generated, depth = {initial}, [initial], 1, 0
    while level:
        depth += 1
        following = []
        for state in level:
            for after in successors(state, range(1, values + 1), range(ballots)):
                generated += 1
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        level = following
    return len(seen), generated, depth


def counts(acceptors: int, values: int, ballots: int) -> tuple[int, int, int]:
    """The same of the core's handlers; every rule holds on the way."""
    found = explore_messages(acceptors, values, ballots)
    assert found.complete
    assert found.verdicts == dict.fromkeys(RULES, "holds") | {CHOSEN: "reached"}
    return found.distinct, found.generated, found.depth


class TestCounts:
    @pytest.mark.parametrize(
        ("bounds", "published"),
        [
            ((1, 1, 2), (25, 82, 9)),
            ((3, 2, 2), (3_921, 23_563, 17)),
            ((3, 2, 3), (185_369, 1_361_380, 25)),
        ],
        ids=["MCPaxos", "MCPaxosTiny", "MCPaxosSmall"],
    )
    def test_they_are_those_of_the_tlaplus_examples(
        self, bounds: tuple[int, int, int], published: tuple[int, int, int]
    ) -> None:
        """The manifests of tlaplus/Examples: distinct, generated, depth."""
        assert counts(*bounds) == published

    @pytest.mark.parametrize(
        "bounds", [(1, 3, 2), (2, 2, 2), (3, 1, 2), (3, 3, 1), (4, 2, 1), (5, 1, 1), (1, 1, 4)]
    )
    def test_they_are_those_of_the_specification_at_other_sizes(
        self, bounds: tuple[int, int, int]
    ) -> None:
        """Any number of acceptors up to five, and any number of values and ballots."""
        assert counts(*bounds) == specification(*bounds)


# The table of variants in docs/variants.md: ballots, steps to two values, first rule, its steps.
TABLE = {
    "promise-forgotten": (2, 13, "R1", 5),
    "accepted-forgotten": (2, 13, "R2", 8),
    "number-reused": (1, 9, "R3", 5),
    "ignore-accepted": (2, 12, "R4", 9),
    "lowest-report": (3, 17, "R4", 14),
    "promise-omits-accepted": (2, 12, "R2", 7),
    "promised-as-accepted": (3, 18, "R2", 9),
    "promise-not-raised": (3, 17, "R1", 7),
    "accept-below-promise": (2, 12, "R1", 7),
    "one-promise": (2, 10, "R4", 3),
    "small-quorum": (2, 10, "R5", 5),
    "stale-promises": (2, 10, "R4", 5),
    "late-promise": (2, 15, "R3", 11),
}


class TestBrokenVariants:
    @pytest.mark.parametrize("name", TABLE)
    def test_the_shortest_traces_are_as_long_as_the_table_says(self, name: str) -> None:
        """On three acceptors and two values: the first rule, and two values chosen or learned."""
        ballots, steps, rule, rule_steps = TABLE[name]
        found = explore_messages(
            3, 2, ballots, VARIANTS[name].roles, until=frozenset({AGREEMENT, rule})
        )
        assert found.first_broken is not None
        assert (found.first_broken.what, len(found.first_broken.steps)) == (rule, rule_steps)
        assert len(found.traces[AGREEMENT].steps) == steps

    @pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row[0] > 1])
    def test_one_ballot_less_is_still_safe(self, name: str) -> None:
        """A bound shows what a bound shows: agreement holds, whatever rule breaks."""
        found = explore_messages(3, 2, TABLE[name][0] - 1, VARIANTS[name].roles)
        assert found.verdicts[AGREEMENT] == "holds"

    def test_half_a_quorum_of_four_lets_two_values_be_chosen(self) -> None:
        """n/2 is a majority of three in whole numbers, and half of four."""
        roles = VARIANTS["half-quorum"].roles
        assert explore_messages(3, 2, 2, roles).first_broken is None
        found = explore_messages(4, 2, 2, roles, until=frozenset({AGREEMENT}))
        assert found.first_broken is not None
        assert (found.first_broken.what, len(found.first_broken.steps)) == ("R4", 4)
        assert len(found.traces[AGREEMENT].steps) == 12

    def test_a_disk_that_is_lost_is_a_promise_forgotten(self) -> None:
        """All state lost, and votes again at once (PAR, FAST'18): 13 steps, R1 at the fifth."""
        lost = Roles(recover=lambda stored: Stored(round=stored.round))
        found = explore_messages(3, 2, 2, lost, until=frozenset({AGREEMENT}))
        assert found.first_broken is not None
        assert (found.first_broken.what, len(found.first_broken.steps)) == ("R1", 5)
        assert len(found.traces[AGREEMENT].steps) == 13

    def test_an_acceptor_that_accepts_only_above_its_promise_never_lets_a_value_be_chosen(
        self,
    ) -> None:
        """Every *always* holds, and the *sometimes* does not: strict accept is not live."""
        found = explore_messages(3, 2, 2, VARIANTS["strict-accept"].roles)
        assert found.first_broken is None
        assert found.verdicts[CHOSEN] == "never"


class TestTraces:
    def test_a_trace_is_told_in_sentences(self) -> None:
        """One a step, from the first Prepare to the breach."""
        found = explore_messages(3, 2, 2, VARIANTS["promise-omits-accepted"].roles)
        assert found.traces["R2"].steps == (
            "ballot 0 begins: Prepare to all",
            "ballot 1 begins: Prepare to all",
            "n1 promises 0 and reports nothing",
            "n2 promises 0 and reports nothing",
            "ballot 0 asks to accept v1",
            "n1 accepts v1 at 0",
            "n1 promises 1 and reports nothing",
        )

    def test_the_shortest_way_to_a_choice_is_six_steps(self) -> None:
        """A Prepare, two promises, an Accept, two acceptances."""
        assert len(explore_messages(3, 2, 2).traces[CHOSEN].steps) == 6


class TestStopping:
    def test_a_search_that_is_stopped_says_so(self) -> None:
        """A bound that was hit is no verdict."""
        told: list[Progress] = []

        def watch(progress: Progress) -> bool:
            told.append(progress)
            return progress.depth < 4

        found = explore_messages(3, 2, 2, watch=watch)
        assert not found.complete
        assert found.distinct == told[-1].distinct
        assert found.verdicts[AGREEMENT] == found.verdicts[CHOSEN] == "not found"

    def test_it_ends_when_all_that_was_asked_is_found(self) -> None:
        """What is known by then is known."""
        found = explore_messages(3, 2, 2, until=frozenset({CHOSEN}))
        assert not found.complete
        assert found.distinct < 3_921
        assert found.verdicts[CHOSEN] == "reached"
