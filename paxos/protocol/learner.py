"""The learner: it finds out that a value is chosen, and sees that everyone does.

"To learn that a value has been chosen, a learner must find out that a
proposal has been accepted by a majority of acceptors" ("Paxos Made Simple"
§2.3). Acceptors answer the proposer, whose node is the distinguished learner:
it counts, and tells the others, with the quorum as evidence, until each has
answered. Who missed it asks; and who can find nobody that knows starts a
ballot ("have a proposer issue a proposal", §2.3).
"""

from dataclasses import dataclass, replace

from paxos.protocol.ballot import NodeId, Proposal
from paxos.protocol.config import Config
from paxos.protocol.effects import (
    CancelTimer,
    Effect,
    Ignore,
    LearnedRecord,
    Persist,
    Send,
    SetTimer,
    Timer,
)
from paxos.protocol.messages import Accepted, Learn, Learned, Status

ASK_MOST_MS = 60_000
"""Where the doubling of the intervals between questions ends."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Who is known to have accepted one proposal, by node."""

    proposal: Proposal
    acceptors: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class Learner:
    """What one learner knows of one instance. Losing all of it costs only asking again.

    Attributes:
        config: the instance, who I am, who the acceptors are, my settings.
        learned: the chosen value with its evidence, once it is known.
        tallies: acceptances counted so far, by ballot; empty once learned.
        unanswered: peers that were told and have not answered, by node.
        ask_ms: the interval to the next question; 0 while none is planned.
        own_ballot_planned: whether the timer of an own ballot runs.
    """

    config: Config
    learned: LearnedRecord | None = None
    tallies: tuple[Tally, ...] = ()
    unanswered: tuple[NodeId, ...] = ()
    ask_ms: int = 0
    own_ballot_planned: bool = False

    def on_accepted(self, source: NodeId, message: Accepted) -> tuple["Learner", list[Effect]]:
        """Count an acceptance; with a quorum at one ballot, learn and tell the others.

        §2.3. Acceptances are counted for each proposal apart: acceptors that
        accepted the same value at different ballots are no quorum.

        Returns:
            The next state, then nothing until there is a quorum; then
            ``Persist`` (without a sync), a ``Learn`` to every peer, and timers.
        """
        if self.learned is not None:
            return self, [Ignore("it has learned already")]
        if source not in self.config.members:
            return self, [Ignore("it is no acceptor of this cluster")]
        proposal = Proposal(message.ballot, message.value)
        if source in self.counted(proposal):
            return self, [Ignore("its acceptance is counted already")]
        acceptors = tuple(sorted((*self.counted(proposal), source)))
        if len(acceptors) < self.config.quorum:
            others = [tally for tally in self.tallies if tally.proposal != proposal]
            tallies = [*others, Tally(proposal, acceptors)]
            tallies.sort(key=lambda tally: (tally.proposal.ballot, tally.proposal.value))
            return replace(self, tallies=tuple(tallies)), []
        record = LearnedRecord(message.instance, message.ballot, message.value, acceptors)
        learned, effects = self._learn(record)
        peers = self.config.peers
        told = replace(learned, unanswered=peers)
        return told, [*effects, *told._tell(peers), *([told._resend_timer()] if peers else [])]

    def counted(self, proposal: Proposal) -> tuple[NodeId, ...]:
        """The acceptors known to have accepted this proposal."""
        for tally in self.tallies:
            if tally.proposal == proposal:
                return tally.acceptors
        return ()

    def on_learn(
        self, source: NodeId, message: Learn, *, answer: bool
    ) -> tuple["Learner", list[Effect]]:
        """Take a value as chosen when a quorum is named as evidence.

        Args:
            source: who says so.
            message: the value and the acceptors that accepted it.
            answer: whether it answers a ``Status``, so that nobody waits for a
                confirmation.

        Returns:
            The next state, then ``Persist`` (without a sync) if it is news,
            and the confirming ``Learned`` unless ``answer``.
        """
        distinct = set(message.acceptors)
        if len(distinct) != len(message.acceptors) or not distinct <= set(self.config.members):
            return self, [Ignore("its evidence names no distinct acceptors of this cluster")]
        if len(distinct) < self.config.quorum:
            return self, [Ignore("its evidence is no quorum")]
        confirm: list[Effect] = [] if answer else [Send(source, Learned(message.instance))]
        if self.learned is not None:
            # Two values are chosen: some broken protocol's doing, for the log to tell.
            news = message.value != self.learned.value
            known = "it has learned another value" if news else "it has learned already"
            return self, [Ignore(known), *confirm]
        acceptors = tuple(sorted(distinct))
        record = LearnedRecord(message.instance, message.ballot, message.value, acceptors)
        learned, effects = self._learn(record)
        return learned, [*effects, *confirm]

    def _learn(self, record: LearnedRecord) -> tuple["Learner", list[Effect]]:
        effects: list[Effect] = [Persist(record, sync=False)]
        if self.ask_ms:
            effects.append(CancelTimer(self.config.instance, Timer.ASK, 0))
        if self.own_ballot_planned:
            effects.append(CancelTimer(self.config.instance, Timer.OWN_BALLOT, 0))
        learned = replace(self, learned=record, tallies=(), ask_ms=0, own_ballot_planned=False)
        return learned, effects

    def on_learned(self, source: NodeId) -> tuple["Learner", list[Effect]]:
        """A peer has confirmed; the last one ends the re-sending."""
        if source not in self.unanswered:
            return self, [Ignore("nothing was asked of it")]
        left = tuple(node for node in self.unanswered if node != source)
        effects: list[Effect] = []
        if not left:
            effects.append(CancelTimer(self.config.instance, Timer.RESEND, 0))
        return replace(self, unanswered=left), effects

    def on_resend(self, reachable: tuple[NodeId, ...]) -> tuple["Learner", list[Effect]]:
        """Tell again whoever has not answered and can be reached.

        When none can, the timer rests until a link comes back.
        """
        targets = tuple(node for node in self.unanswered if node in reachable)
        if not targets:
            return self, [Ignore("nobody who can be reached waits to be told")]
        return self, [*self._tell(targets), self._resend_timer()]

    def on_status(self, source: NodeId) -> tuple["Learner", list[Effect]]:
        """A peer asks: answer with the learned value, if there is one."""
        if self.learned is None:
            return self, [Ignore("it has not learned")]
        return self, self._tell((source,))

    def on_link_up(self, peer: NodeId) -> tuple["Learner", list[Effect]]:
        """A link is back: tell its peer what it missed."""
        if peer not in self.unanswered:
            return self, [Ignore("it need not be told")]
        return self, [*self._tell((peer,)), self._resend_timer()]

    def on_involved(self, *, accepted: bool) -> tuple["Learner", list[Effect]]:
        """This node has promised, accepted or was asked to propose: plan how it will find out.

        Args:
            accepted: whether its acceptor holds an accepted pair, so that it
                may have to find out by a ballot of its own.

        Returns:
            The next state, then ``SetTimer`` for what was not planned yet.
        """
        if self.learned is not None:
            return self, []
        settings, involved = self.config.settings, self
        effects: list[Effect] = []
        if not self.ask_ms:
            involved = replace(involved, ask_ms=settings.learn_interval_ms)
            effects.append(involved._ask_timer())
        if accepted and settings.own_ballots and not self.own_ballot_planned:
            involved = replace(involved, own_ballot_planned=True)
            effects.append(involved._own_ballot_timer())
        return involved, effects

    def on_ask(self, reachable: tuple[NodeId, ...]) -> tuple["Learner", list[Effect]]:
        """Ask every peer that can be reached, and plan the next question later than this one."""
        if self.learned is not None:
            return self, [Ignore("it has learned already")]
        if not self.ask_ms:
            # Set before the last crash, say, and handed back by hand after it.
            return self, [Ignore("no question is planned")]
        asking = replace(self, ask_ms=min(self.ask_ms * 2, ASK_MOST_MS))
        question = Status(self.config.instance)
        return asking, [*(Send(node, question) for node in reachable), asking._ask_timer()]

    def on_own_ballot(self) -> tuple["Learner", list[Effect]]:
        """It is time for a ballot of one's own; plan the next in case this one fails.

        The ballot itself is the proposer's (see ``Instance``).
        """
        if self.learned is not None:
            return self, [Ignore("it has learned already")]
        if not self.own_ballot_planned:
            return self, [Ignore("no ballot of its own is planned")]
        if not self.config.settings.own_ballots:
            return replace(self, own_ballot_planned=False), [Ignore("own ballots are off")]
        return self, [self._own_ballot_timer()]

    def _tell(self, nodes: tuple[NodeId, ...]) -> list[Effect]:
        assert self.learned is not None, "only a learned value is told"
        known = self.learned
        message = Learn(known.instance, known.ballot, known.value, known.acceptors)
        return [Send(node, message) for node in nodes]

    def _resend_timer(self) -> SetTimer:
        interval_ms = self.config.settings.learn_interval_ms
        return SetTimer(self.config.instance, Timer.RESEND, 0, interval_ms, interval_ms)

    def _ask_timer(self) -> SetTimer:
        return SetTimer(self.config.instance, Timer.ASK, 0, self.ask_ms, self.ask_ms)

    def _own_ballot_timer(self) -> SetTimer:
        # Jitter, for all that accepted run out of patience at about the same time.
        least_ms = self.config.settings.learn_timeout_ms
        return SetTimer(self.config.instance, Timer.OWN_BALLOT, 0, least_ms, 2 * least_ms)
