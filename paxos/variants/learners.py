"""Learners, and a notion of quorums, that see a quorum where there is none."""

from dataclasses import replace

from paxos.protocol import Accepted, Config, Effect, LearnedRecord, Learner, NodeId, Proposal


class LearnsTooEarly(Learner):
    """§2.3 with a quorum that is too small."""

    __slots__ = ()

    def on_accepted(self, source: NodeId, message: Accepted) -> tuple[Learner, list[Effect]]:
        """Learn as soon as 2·acceptances ≥ n - 1: of five, two are enough."""
        proposal = Proposal(message.ballot, message.value)
        acceptors = tuple(sorted({*self.counted(proposal), source}))
        if self.learned is not None or 2 * len(acceptors) < len(self.config.members) - 1:
            return super().on_accepted(source, message)
        # The others ask for a quorum as evidence and ignore this one; the node
        # itself and its client are deceived.
        return _learn_and_tell(self, proposal, acceptors)


class CountsAcceptedTwice(Learner):
    """§2.3 that counts replies, and not acceptors."""

    __slots__ = ()

    def on_accepted(self, source: NodeId, message: Accepted) -> tuple[Learner, list[Effect]]:
        """Count the acceptance of an acceptor that is counted already once more."""
        proposal = Proposal(message.ballot, message.value)
        counted = self.counted(proposal)
        if self.learned is None and source in counted and len(counted) + 1 >= self.config.quorum:
            return _learn_and_tell(self, proposal, counted)
        return super().on_accepted(source, message)


class CountsAcrossBallots(Learner):
    """§2.3 that asks who accepted the value, and not at which ballot."""

    __slots__ = ()

    def counted(self, proposal: Proposal) -> tuple[NodeId, ...]:
        """The acceptors known to have accepted this value at any ballot."""
        return tuple(
            sorted(
                {
                    acceptor
                    for tally in self.tallies
                    if tally.proposal.value == proposal.value
                    for acceptor in tally.acceptors
                }
            )
        )


class HalfIsEnough(Config):
    """Quorums that need not meet when the number of acceptors is even."""

    __slots__ = ()

    @property
    def quorum(self) -> int:
        """Half of the acceptors, rounded up."""
        return (len(self.members) + 1) // 2


def _learn_and_tell(
    learner: Learner, proposal: Proposal, acceptors: tuple[NodeId, ...]
) -> tuple[Learner, list[Effect]]:
    record = LearnedRecord(learner.config.instance, proposal.ballot, proposal.value, acceptors)
    learned, effects = learner._learn(record)
    told = replace(learned, unanswered=learner.config.peers)
    return told, [*effects, *told._tell(learner.config.peers), told._resend_timer()]
