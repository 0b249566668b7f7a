"""Ballots: their order, their names, and how each scheme chooses the next one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxos.protocol import (
    GUESTS,
    RANGE_SIZE,
    Ballot,
    NumberScheme,
    RangeExhausted,
    next_round,
    node_name,
)
from tests.paxos_cases import ballot, ballots

ROUNDS, INTERLEAVED, RANGES = NumberScheme


class TestOrder:
    def test_the_round_comes_before_the_node(self) -> None:
        """A higher round wins, whoever holds it; among equal rounds the higher node does."""
        in_order = ["0.n0", "0.n1", "1.n1", "1.n2", "1.n10", "1.g1", "2.n1", "10.n1"]
        assert sorted(map(ballot, reversed(in_order))) == list(map(ballot, in_order))

    def test_nothing_is_below_zero(self) -> None:
        """It means "no promise yet", and is below every ballot that a proposer can use."""
        assert min(Ballot(0, 1), Ballot.ZERO) is Ballot.ZERO

    @given(ballots, ballots)
    def test_two_ballots_are_equal_or_ordered(self, one: Ballot, other: Ballot) -> None:
        """Numbers are totally ordered (§2.2), and equal only when both parts are."""
        assert (one < other) + (one == other) + (one > other) == 1
        assert (one == other) == (str(one) == str(other))

    def test_different_proposers_never_share_a_number(self) -> None:
        """§2.5: "Different proposers choose their numbers from disjoint sets of numbers"."""
        assert Ballot(3, 1) != Ballot(3, 2)

    def test_guests_are_above_all_members(self) -> None:
        """A guest's ballot beats a member's of the same round."""
        assert min(GUESTS) > 99
        assert node_name(99) == "n99"
        assert [node_name(guest) for guest in GUESTS] == [f"g{n}" for n in range(1, 10)]

    @pytest.mark.parametrize(("round_", "node"), [(-1, 1), (1, -1)])
    def test_a_negative_part_is_our_bug(self, round_: int, node: int) -> None:
        """The wire refuses it; if it gets here an assertion with words ends the process."""
        with pytest.raises(AssertionError, match=r"round counts from 0|not negative"):
            Ballot(round_, node)


# scheme, node, members, last round used, highest ballot met, next round
NEXT = [
    (ROUNDS, 1, 5, -1, "0.n0", 1),
    (ROUNDS, 5, 5, -1, "0.n0", 1),
    (ROUNDS, 2, 5, 3, "0.n0", 4),
    (ROUNDS, 2, 5, 3, "7.n5", 8),
    (ROUNDS, 2, 5, 7, "3.n5", 8),
    (ROUNDS, 5, 5, -1, "3.n1", 4),
    # Every fifth number (or third, or ninth) belongs to one proposer.
    (INTERLEAVED, 1, 5, -1, "0.n0", 1),
    (INTERLEAVED, 3, 5, -1, "0.n0", 3),
    (INTERLEAVED, 5, 5, -1, "0.n0", 5),
    (INTERLEAVED, 1, 5, 1, "0.n0", 6),
    (INTERLEAVED, 3, 5, 3, "5.n5", 8),
    (INTERLEAVED, 2, 5, -1, "7.n2", 12),
    (INTERLEAVED, 5, 5, 5, "9.n4", 10),
    (INTERLEAVED, 1, 3, 1, "3.n3", 4),
    (INTERLEAVED, 4, 9, 4, "8.g1", 13),
    # one block of 1,000 each
    (RANGES, 1, 5, -1, "0.n0", 0),
    (RANGES, 1, 5, 0, "0.n0", 1),
    (RANGES, 2, 5, -1, "0.n0", 1000),
    (RANGES, 5, 5, -1, "0.n0", 4000),
    (RANGES, 3, 5, -1, "1000.n2", 2000),
    (RANGES, 3, 5, 2000, "1000.n2", 2001),
    (RANGES, 3, 5, 2000, "2500.n3", 2501),
    (RANGES, 1, 5, 998, "0.n0", 999),
    (RANGES, 1, 5, -1, "998.g1", 999),
    # met its own round 0 (another start used it), and a guest's round
    (RANGES, 1, 5, -1, "0.n1", 1),
    (RANGES, 2, 5, -1, "3.g1", 1000),
    # a guest owns no block and no residue
    (ROUNDS, 101, 5, -1, "0.n0", 1),
    (INTERLEAVED, 101, 5, -1, "0.n0", 1),
    (RANGES, 101, 5, -1, "0.n0", 1),
    (RANGES, 101, 5, 1, "4000.n5", 4001),
]

EXHAUSTED = [
    (RANGES, 1, -1, "4000.n5", "n1 owns the numbers 0 to 999 and is blocked by 4000.n5"),
    (RANGES, 1, 5, "1000.n2", "n1 owns the numbers 0 to 999 and is blocked by 1000.n2"),
    (RANGES, 4, 3000, "4000.n5", "n4 owns the numbers 3000 to 3999 and is blocked by 4000.n5"),
    (RANGES, 2, 1000, "1999.g1", "n2 owns the numbers 1000 to 1999 and is blocked by 1999.g1"),
    (RANGES, 1, 999, "0.n0", "n1 owns the numbers 0 to 999 and is blocked by its own 999.n1"),
    (RANGES, 1, 1500, "3.n2", "n1 owns the numbers 0 to 999 and is blocked by its own 1500.n1"),
    (
        ROUNDS,
        3,
        4,
        "9007199254740991.g1",
        "n3 has no number left above 9007199254740991.g1",
    ),
    (
        INTERLEAVED,
        2,
        2,
        "9007199254740990.g1",
        "n2 has no number left above 9007199254740990.g1",
    ),
    (
        RANGES,
        101,
        2**53 - 1,
        "4000.n5",
        "g1 has no number left above its own 9007199254740991.g1",
    ),
]


class TestSchemes:
    @pytest.mark.parametrize(("scheme", "node", "members", "last", "highest", "expected"), NEXT)
    def test_the_next_round(
        self,
        scheme: NumberScheme,
        node: int,
        members: int,
        last: int,
        highest: str,
        expected: int,
    ) -> None:
        """The table of all three schemes."""
        assert next_round(scheme, node, members, last, ballot(highest)) == expected

    @pytest.mark.parametrize(("scheme", "node", "last", "highest", "text"), EXHAUSTED)
    def test_no_number_left_is_a_clear_error(
        self, scheme: NumberScheme, node: int, last: int, highest: str, text: str
    ) -> None:
        """It names the block and what blocks it; it is never a number of the next block."""
        with pytest.raises(RangeExhausted) as error:
            next_round(scheme, node, 5, last, ballot(highest))
        assert str(error.value) == text

    @given(
        st.sampled_from(tuple(NumberScheme)),
        st.integers(1, 5) | st.sampled_from(GUESTS),
        st.integers(-1, 5200),
        ballots,
    )
    def test_the_next_ballot_is_above_all_used_and_met(
        self, scheme: NumberScheme, node: int, last: int, highest: Ballot
    ) -> None:
        """§2.5: it "begins phase 1 with a higher proposal number than any it has already used"."""
        try:
            round_ = next_round(scheme, node, 5, last, highest)
        except RangeExhausted:
            return
        assert round_ > last
        assert Ballot(round_, node) > highest

    @given(st.integers(1, 5), st.integers(-1, 5200), ballots)
    def test_an_interleaved_round_belongs_to_one_proposer(
        self, node: int, last: int, highest: Ballot
    ) -> None:
        """It is k·N + id, and the lowest such number will do."""
        try:
            round_ = next_round(INTERLEAVED, node, 5, last, highest)
        except RangeExhausted:
            return
        assert round_ % 5 == node % 5
        assert round_ - 5 <= max(last, highest.round)

    @given(st.integers(1, 5), st.integers(-1, 5200), ballots)
    def test_a_range_is_never_left(self, node: int, last: int, highest: Ballot) -> None:
        """A number from another's block would collide with it; the block or nothing."""
        try:
            round_ = next_round(RANGES, node, 5, last, highest)
        except RangeExhausted:
            return
        assert round_ in range((node - 1) * RANGE_SIZE, node * RANGE_SIZE)

    def test_ranges_starve_all_below_the_highest_block(self) -> None:
        """The lesson: 4000.n5 blocks n1 to n4, a majority, for ever. n5 alone goes on."""
        blocker = ballot("4000.n5")
        for node in (1, 2, 3, 4):
            with pytest.raises(RangeExhausted, match=r"4000\.n5"):
                next_round(RANGES, node, 5, -1, blocker)
        assert next_round(RANGES, 5, 5, 4000, blocker) == 4001

    def test_the_other_schemes_do_not_starve(self) -> None:
        """The same ballot keeps nobody from going on under ``rounds`` and ``interleaved``."""
        blocker = ballot("4000.n5")
        for node in (1, 2, 3, 4):
            assert next_round(ROUNDS, node, 5, -1, blocker) == 4001
            assert next_round(INTERLEAVED, node, 5, -1, blocker) == 4000 + node
