"""What a role must know of its surroundings, and the settings that may be tuned."""

from dataclasses import dataclass, field

from paxos.protocol.ballot import NodeId, NumberScheme
from paxos.protocol.quorum import majority


@dataclass(frozen=True, slots=True)
class Settings:
    """How patient a node is. Nothing here can affect safety; all of it affects liveness.

    Attributes:
        scheme: how the proposer chooses rounds.
        patience_ms: how long it waits for a quorum in either phase.
        backoff: whether it waits before it tries again. Without, two
            proposers can go on outbidding each other for ever.
        backoff_base_ms: the most it waits before the second attempt; doubles
            with every further one. Chance takes between half and all of it.
        backoff_most_ms: where the doubling ends.
        attempt_limit: how many attempts it makes when no client waits any more.
        learn_interval_ms: how often a peer is told again until it has
            answered, and how soon an involved node first asks its peers.
        learn_timeout_ms: after how long (up to twice that, by chance) a node
            that has accepted and cannot find out starts a ballot of its own.
        own_ballots: whether it does so.
    """

    scheme: NumberScheme = NumberScheme.ROUNDS
    patience_ms: int = 400
    backoff: bool = True
    backoff_base_ms: int = 50
    backoff_most_ms: int = 2_000
    attempt_limit: int = 50
    learn_interval_ms: int = 500
    learn_timeout_ms: int = 3_000
    own_ballots: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """One instance as one node sees it: which, who I am, who the acceptors are."""

    instance: int
    node_id: NodeId
    members: tuple[NodeId, ...]
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        assert self.instance >= 1, f"instances count from 1, not {self.instance}"
        assert self.node_id in self.members, f"node {self.node_id} is no member of {self.members}"
        assert self.members == tuple(sorted(set(self.members))), (
            f"members are distinct and in order: {self.members}"
        )

    @property
    def quorum(self) -> int:
        """The least number of acceptors that make a quorum."""
        return majority(len(self.members))

    @property
    def peers(self) -> tuple[NodeId, ...]:
        """The members but for this node, in order."""
        return tuple(member for member in self.members if member != self.node_id)
