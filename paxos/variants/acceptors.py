"""Acceptors that break a promise, hide what they accepted, or refuse too much."""

from dataclasses import replace

from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    Effect,
    NodeId,
    Prepare,
    Promise,
    Proposal,
    Send,
)


class AcceptsBelowPromise(Acceptor):
    """Phase 2(b) without its condition."""

    __slots__ = ()

    def on_accept(self, source: NodeId, message: Accept) -> tuple[Acceptor, list[Effect]]:
        """Accept whatever is asked."""
        accepted = replace(
            self,
            promised=max(self.promised, message.ballot),
            accepted=Proposal(message.ballot, message.value),
        )
        reply = Send(source, Accepted(self.instance, message.ballot, message.value))
        if accepted == self:
            return self, [reply]
        return accepted, [accepted._persist(), reply]


class KeepsPromiseLow(Acceptor):
    """Phase 2(b) that is no promise."""

    __slots__ = ()

    def on_accept(self, source: NodeId, message: Accept) -> tuple[Acceptor, list[Effect]]:
        """Accept, and go on answering ballots below."""
        if message.ballot < self.promised:
            return self, [self._nack(source, message.ballot)]
        accepted = replace(self, accepted=Proposal(message.ballot, message.value))
        reply = Send(source, Accepted(self.instance, message.ballot, message.value))
        if accepted == self:
            return self, [reply]
        return accepted, [accepted._persist(), reply]


class AcceptsOnlyAbovePromise(Acceptor):
    """Phase 2(b) with > where it should be ≥."""

    __slots__ = ()

    def on_accept(self, source: NodeId, message: Accept) -> tuple[Acceptor, list[Effect]]:
        """Refuse the very ballot that was promised."""
        if message.ballot <= self.promised:
            return self, [self._nack(source, message.ballot)]
        accepted = replace(
            self, promised=message.ballot, accepted=Proposal(message.ballot, message.value)
        )
        reply = Send(source, Accepted(self.instance, message.ballot, message.value))
        if accepted == self:
            return self, [reply]
        return accepted, [accepted._persist(), reply]


class AcceptsOnce(Acceptor):
    """Phase 2(b) with "once accepted, always accepted"."""

    __slots__ = ()

    def on_accept(self, source: NodeId, message: Accept) -> tuple[Acceptor, list[Effect]]:
        """Accept the first proposal, and never another."""
        if self.accepted is not None and message.ballot != self.accepted.ballot:
            return self, [self._nack(source, message.ballot)]
        return super().on_accept(source, message)


class OmitsAccepted(Acceptor):
    """Phase 1(b) without its second half."""

    __slots__ = ()

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple[Acceptor, list[Effect]]:
        """Promise, and say nothing of what was accepted."""
        if message.ballot < self.promised:
            return self, [self._nack(source, message.ballot)]
        reply = Send(source, Promise(self.instance, message.ballot, None))
        if message.ballot == self.promised:
            return self, [reply]
        promised = replace(self, promised=message.ballot)
        return promised, [promised._persist(), reply]


class ReportsPromised(Acceptor):
    """Phase 1(b) with the right value under the wrong number."""

    __slots__ = ()

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple[Acceptor, list[Effect]]:
        """Report the accepted value as if accepted at the last ballot promised."""
        if message.ballot < self.promised:
            return self, [self._nack(source, message.ballot)]
        accepted = self.accepted and Proposal(self.promised, self.accepted.value)
        reply = Send(source, Promise(self.instance, message.ballot, accepted))
        if message.ballot == self.promised:
            return self, [reply]
        promised = replace(self, promised=message.ballot)
        return promised, [promised._persist(), reply]
