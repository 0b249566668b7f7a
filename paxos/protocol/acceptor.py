"""The acceptor: two numbers and a value, and two questions that it answers.

All of Paxos's safety rests here. An acceptor keeps its promise, tells the
truth about what it accepted, and does both across crashes.
"""

from dataclasses import dataclass, replace

from paxos.protocol.ballot import Ballot, NodeId, Proposal
from paxos.protocol.effects import AcceptorRecord, Effect, Persist, Send
from paxos.protocol.messages import Accept, Accepted, Nack, Prepare, Promise


@dataclass(frozen=True, slots=True)
class Acceptor:
    """What one acceptor remembers of one instance.

    Attributes:
        instance: which run of Paxos this is.
        promised: it answers nothing below this (``maxBal`` of ``Paxos.tla``).
        accepted: the highest-numbered proposal that it has accepted
            (``maxVBal`` and ``maxVal``), if any.
    """

    instance: int
    promised: Ballot = Ballot.ZERO
    accepted: Proposal | None = None

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple["Acceptor", list[Effect]]:
        """Promise to ignore every ballot below ``message.ballot``.

        Phase 1(b) of "Paxos Made Simple" §2.2. The promise is persisted before
        the reply is sent (§2.5): an acceptor that forgets a promise can let two
        values be chosen.

        A ballot equal to the one promised is answered again, so that a lost
        reply may be asked for twice; nothing changes, so nothing is written.
        Once it has accepted at this ballot it answers with that pair: the
        proposer is past phase 1 and ignores it. (The paper has it
        "ignore a prepare request for a proposal it has already accepted",
        which only spares a message.)

        Returns:
            The next state, then the effects in the order they must happen:
            ``Persist`` (only when the state changed), then one ``Send`` of a
            ``Promise`` or a ``Nack``.
        """
        if message.ballot < self.promised:
            return self, [self._nack(source, message.ballot)]
        # "If an acceptor receives a prepare request with number n greater than
        # that of any prepare request to which it has already responded, then it
        # responds to the request with a promise not to accept any more proposals
        # numbered less than n and with the highest-numbered proposal (if any)
        # that it has accepted."
        reply = Send(source, Promise(self.instance, message.ballot, self.accepted))
        if message.ballot == self.promised:
            return self, [reply]
        promised = replace(self, promised=message.ballot)
        return promised, [promised._persist(), reply]

    def on_accept(self, source: NodeId, message: Accept) -> tuple["Acceptor", list[Effect]]:
        """Accept the proposal unless a higher ballot has been promised.

        Phase 2(b) of §2.2: "it accepts the proposal unless it has already
        responded to a prepare request having a number greater than n". What
        is accepted is persisted before the reply is sent (§2.5).

        It does not look whether it accepted another value at this ballot: the
        paper's acceptor doesn't either, for a ballot carries one value because
        its proposer sees to that (rule R3), and a defence here would only hide
        a proposer that doesn't.

        Returns:
            The next state, then ``Persist`` (only when the state changed) and
            one ``Send`` of an ``Accepted`` or a ``Nack``.
        """
        if message.ballot < self.promised:
            return self, [self._nack(source, message.ballot)]
        # Accepting at b is also a promise at b, as in Phase2b of Paxos.tla. Were
        # `promised` left below b, a delayed Accept from a ballot in between could
        # overwrite this one with an older proposal.
        accepted = replace(
            self, promised=message.ballot, accepted=Proposal(message.ballot, message.value)
        )
        reply = Send(source, Accepted(self.instance, message.ballot, message.value))
        if accepted == self:
            return self, [reply]
        return accepted, [accepted._persist(), reply]

    def _nack(self, source: NodeId, ballot: Ballot) -> Send:
        # "It is probably a good idea to abandon a proposal if some proposer has
        # begun trying to issue a higher-numbered one. Therefore, if an acceptor
        # ignores a prepare or accept request because it has already received a
        # prepare request with a higher number, then it should probably inform
        # the proposer" (end of §2.2): liveness, not safety.
        return Send(source, Nack(self.instance, ballot, self.promised))

    def _persist(self) -> Persist:
        return Persist(AcceptorRecord(self.instance, self.promised, self.accepted))
