"""Proposers that push the wrong value, count the wrong promises, or give up."""

from dataclasses import replace

from paxos.protocol import (
    Ballot,
    Effect,
    Nack,
    NodeId,
    Persist,
    Phase,
    Prepare,
    Promise,
    Proposer,
    Report,
    Send,
)


class SkipsPhase1(Proposer):
    """Phase 2 alone."""

    __slots__ = ()

    def begin(self) -> tuple[Proposer, list[Effect]]:
        """Choose a number and ask for acceptance at once."""
        begun, effects = super().begin()
        if begun.phase is not Phase.PREPARING or not self.wishes:
            return begun, effects
        pushed, accepts = begun._push()
        return pushed, [*(e for e in effects if isinstance(e, Persist)), *accepts]


class SharesNumbers(Proposer):
    """Phase 1(a) with numbers that are not its own."""

    __slots__ = ()

    def begin(self) -> tuple[Proposer, list[Effect]]:
        """Number ballots by their round alone: two proposers may use one number."""
        begun, effects = super().begin()
        if begun.phase is not Phase.PREPARING:
            return begun, effects
        ballot = Ballot(begun.ballot.round, self.config.members[0])
        return replace(begun, ballot=ballot), [
            Send(effect.to, replace(effect.message, ballot=ballot))
            if isinstance(effect, Send) and isinstance(effect.message, Prepare)
            else effect
            for effect in effects
        ]


class IgnoresReports(Proposer):
    """Phase 2(a) with the client's value always."""

    __slots__ = ()

    def highest_report(self) -> Report | None:
        """Pretend that no promise reports anything, if a client has a wish."""
        return None if self.wishes else super().highest_report()


class TakesLowestReport(Proposer):
    """Phase 2(a) with < where it should be >."""

    __slots__ = ()

    def highest_report(self) -> Report | None:
        """The promise that reports the lowest-numbered proposal."""
        highest: Report | None = None
        for report in self.promises:
            if report.accepted is None:
                continue
            if (
                highest is None
                or highest.accepted is None
                or report.accepted.ballot < highest.accepted.ballot
            ):
                highest = report
        return highest


class NeedsOnePromise(Proposer):
    """Phase 2(a) with a quorum of one."""

    __slots__ = ()

    def on_promise(self, source: NodeId, message: Promise) -> tuple[Proposer, list[Effect]]:
        """Ask for acceptance as soon as one acceptor has promised."""
        counted, effects = super().on_promise(source, message)
        if counted.phase is Phase.PREPARING and counted.promises:
            return counted._push()
        return counted, effects


class CountsStalePromises(Proposer):
    """Phase 2(a) without a look at what was promised."""

    __slots__ = ()

    def on_promise(self, source: NodeId, message: Promise) -> tuple[Proposer, list[Effect]]:
        """Count a promise of whatever ballot for the one under way."""
        return super().on_promise(source, replace(message, ballot=self.ballot))


class CountsPromisesTwice(Proposer):
    """Phase 2(a) that counts replies, and not acceptors."""

    __slots__ = ()

    def on_promise(self, source: NodeId, message: Promise) -> tuple[Proposer, list[Effect]]:
        """Count the promise of an acceptor that is counted already once more."""
        is_repeated = (
            message.ballot == self.ballot
            and self.phase is Phase.PREPARING
            and Report(source, message.accepted) in self.promises
        )
        if is_repeated and len(self.promises) + 1 >= self.config.quorum:
            return self._push()
        return super().on_promise(source, message)


class ReopensPhase2(Proposer):
    """Phase 2(a) that is never settled."""

    __slots__ = ()

    def on_promise(self, source: NodeId, message: Promise) -> tuple[Proposer, list[Effect]]:
        """Begin phase 2 anew, at the same ballot, with every promise that comes late."""
        if self.phase is not Phase.ACCEPTING or message.ballot != self.ballot:
            return super().on_promise(source, message)
        unsettled = replace(self, phase=Phase.PREPARING)
        pushed, effects = Proposer.on_promise(unsettled, source, message)
        return (pushed if pushed.phase is Phase.ACCEPTING else self), effects


class HeedsStaleNacks(Proposer):
    """A refusal is a refusal."""

    __slots__ = ()

    def on_nack(self, source: NodeId, message: Nack) -> tuple[Proposer, list[Effect]]:
        """Let a refusal of an older ballot end the phase 2 that is under way."""
        if message.ballot < self.ballot and self.phase is Phase.ACCEPTING:
            return replace(self, phase=Phase.IDLE), [self._cancel_patience()]
        return super().on_nack(source, message)


class NeverRetries(Proposer):
    """One attempt."""

    __slots__ = ()

    def _back_off(self) -> tuple[Proposer, list[Effect]]:
        """Wait for promises that will not come."""
        return replace(self, phase=Phase.IDLE), []
