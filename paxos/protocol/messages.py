"""The messages of the protocol, as in "Paxos Made Simple" §2.2 and §2.3.

All are frozen: a message in flight can be shared, compared and hashed. Every
one names its instance. Who sent it stands beside it, never inside.
"""

from dataclasses import dataclass

from paxos.protocol.ballot import Ballot, NodeId, Proposal


@dataclass(frozen=True, slots=True)
class Prepare:
    """Phase 1(a): promise to refuse every ballot below this one (1a in ``Paxos.tla``)."""

    instance: int
    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Promise:
    """Phase 1(b): the promise, with the highest-numbered pair accepted so far (1b)."""

    instance: int
    ballot: Ballot
    accepted: Proposal | None


@dataclass(frozen=True, slots=True)
class Accept:
    """Phase 2(a): accept this value at this ballot (2a)."""

    instance: int
    ballot: Ballot
    value: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Phase 2(b): it is accepted (2b)."""

    instance: int
    ballot: Ballot
    value: str


@dataclass(frozen=True, slots=True)
class Nack:
    """A refusal of a Prepare or an Accept at ``ballot``; try above ``promised`` (end of §2.2)."""

    instance: int
    ballot: Ballot
    promised: Ballot


@dataclass(frozen=True, slots=True)
class Learn:
    """§2.3: this value is chosen, because these acceptors accepted it at this ballot."""

    instance: int
    ballot: Ballot
    value: str
    acceptors: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """The answer to a :class:`Learn`: its sender need not tell us again."""

    instance: int


@dataclass(frozen=True, slots=True)
class Status:
    """A node's question whether a value is known to be chosen; answered with :class:`Learn`."""

    instance: int


Message = Prepare | Promise | Accept | Accepted | Nack | Learn | Learned | Status
