"""Quorum arithmetic."""

from itertools import combinations

import pytest

from paxos.protocol import majority, tolerated


@pytest.mark.parametrize(
    ("acceptors", "quorum", "failures"),
    [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 3, 2), (6, 4, 2), (7, 4, 3), (9, 5, 4)],
)
def test_a_majority_and_the_failures_that_leave_one(
    acceptors: int, quorum: int, failures: int
) -> None:
    """N ≥ 2F + 1: one acceptor more than needed for F buys nothing."""
    assert majority(acceptors) == quorum
    assert tolerated(acceptors) == failures
    assert acceptors >= 2 * failures + 1


@pytest.mark.parametrize("acceptors", range(1, 10))
def test_any_two_majorities_share_an_acceptor(acceptors: int) -> None:
    """§2.2: "any two majorities have at least one acceptor in common"."""
    quorums = [set(q) for q in combinations(range(acceptors), majority(acceptors))]
    assert all(one & other for one in quorums for other in quorums)


@pytest.mark.parametrize("acceptors", range(2, 10))
def test_one_acceptor_less_is_not_enough(acceptors: int) -> None:
    """With one acceptor less, two quorums can miss each other: so it is the least number."""
    quorums = [set(q) for q in combinations(range(acceptors), majority(acceptors) - 1)]
    assert not all(one & other for one in quorums for other in quorums)


def test_no_acceptors_have_no_majority() -> None:
    """A cluster without acceptors is our bug."""
    with pytest.raises(AssertionError, match="at least one acceptor"):
        majority(0)
