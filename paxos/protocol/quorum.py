"""Quorum arithmetic. It knows nothing of Paxos.

Any two majorities of one set of acceptors share at least one acceptor: that
is all that safety needs of a quorum ("Paxos Made Simple" §2.2). With N
acceptors, N ≥ 2F + 1, a majority is left when F have failed.
"""


def majority(acceptor_count: int) -> int:
    """The least number of acceptors of which any two groups must meet: N // 2 + 1."""
    assert acceptor_count >= 1, f"a cluster has at least one acceptor, not {acceptor_count}"
    return acceptor_count // 2 + 1


def tolerated(acceptor_count: int) -> int:
    """How many acceptors may fail while a majority is left: F in N ≥ 2F + 1."""
    return acceptor_count - majority(acceptor_count)
