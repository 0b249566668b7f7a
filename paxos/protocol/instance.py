"""One node's part in one instance: acceptor, proposer and learner together.

This is what a driver drives. It hands each input to the role that it is for,
and carries the two facts that cross from one role to another: an acceptor
that got involved makes its learner curious, and a learner that has learned
sets its proposer at rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from paxos.protocol.acceptor import Acceptor
from paxos.protocol.ballot import Ballot, NodeId, Proposal
from paxos.protocol.config import Config, Settings
from paxos.protocol.effects import (
    AcceptorRecord,
    Answer,
    Effect,
    Ignore,
    Input,
    LearnedRecord,
    LinkUp,
    Outcome,
    ProposeRequested,
    Received,
    Record,
    RoundRecord,
    Started,
    TimeoutFired,
    Timer,
)
from paxos.protocol.learner import Learner
from paxos.protocol.messages import (
    Accept,
    Accepted,
    Learn,
    Learned,
    Message,
    Nack,
    Prepare,
    Promise,
    Status,
)
from paxos.protocol.proposer import Phase, Proposer


@dataclass(frozen=True, slots=True)
class Stored:
    """What a disk holds of one instance.

    Attributes:
        promised: the acceptor's promise; ``Ballot.ZERO`` for none.
        accepted: what the acceptor accepted, if anything.
        round: the highest round that the proposer may have used, -1 for none.
        learned: the chosen value, if it was recorded.
    """

    promised: Ballot = Ballot.ZERO
    accepted: Proposal | None = None
    round: int = -1
    learned: LearnedRecord | None = None

    def with_record(self, record: Record) -> "Stored":
        """What the disk holds once a record is on it."""
        match record:
            case AcceptorRecord(_, promised, accepted):
                return replace(self, promised=promised, accepted=accepted)
            case RoundRecord(_, round_):
                return replace(self, round=round_)
            case LearnedRecord():
                return replace(self, learned=record)


@dataclass(frozen=True, slots=True)
class Roles:
    """The classes that play the roles, and what happens between them and the driver.

    The correct ones are the defaults; a broken variant replaces one of them.

    Attributes:
        acceptor, proposer, learner: the classes.
        config: the class of what they know of their surroundings: what a quorum is.
        recover: what becomes of the state of an instance when it is read from
            the disk; the driver applies it.
        arrange: what becomes of the order of effects.
    """

    acceptor: type[Acceptor] = Acceptor
    proposer: type[Proposer] = Proposer
    learner: type[Learner] = Learner
    config: type[Config] = Config
    recover: Callable[[Stored], Stored] = lambda stored: stored
    arrange: Callable[[list[Effect]], list[Effect]] = lambda effects: effects


ROLES = Roles()


@dataclass(frozen=True, slots=True)
class Instance:
    """All that one node remembers of one instance, and what it does next.

    Driver's contract: feed one input at a time to :meth:`step`, adopt the
    state that it returns, carry out the effects in their order, and only then
    feed the next input of this instance.
    """

    config: Config
    acceptor: Acceptor
    proposer: Proposer
    learner: Learner
    roles: Roles = ROLES

    @classmethod
    def new(
        cls,
        number: int,
        node_id: NodeId,
        members: tuple[NodeId, ...],
        settings: Settings,
        roles: Roles = ROLES,
    ) -> "Instance":
        """An instance that this node has not heard of yet."""
        return cls.recovered(number, node_id, members, settings, Stored(), roles)

    @classmethod
    def recovered(
        cls,
        number: int,
        node_id: NodeId,
        members: tuple[NodeId, ...],
        settings: Settings,
        stored: Stored,
        roles: Roles = ROLES,
    ) -> "Instance":
        """An instance as a disk remembers it. Feed ``Started`` once the node serves.

        ``stored`` has gone through ``roles.recover`` before, so that the log
        shows what the roles begin with.
        """
        config = roles.config(number, node_id, members, settings)
        return cls(
            config,
            roles.acceptor(number, stored.promised, stored.accepted),
            roles.proposer(config, last_round=stored.round),
            roles.learner(config, learned=stored.learned),
            roles,
        )

    def with_settings(self, settings: Settings) -> "Instance":
        """The same state under other settings; timers that run keep their time."""
        config = replace(self.config, settings=settings)
        return replace(
            self,
            config=config,
            proposer=replace(self.proposer, config=config),
            learner=replace(self.learner, config=config),
        )

    @property
    def settled(self) -> bool:
        """Whether it has learned and nobody is left to be told: a ``LinkUp`` would do nothing."""
        return self.learner.learned is not None and not self.learner.unanswered

    def step(self, given: Input) -> tuple["Instance", tuple[Effect, ...]]:
        """Take one input: the next state, and the effects in the order they must happen.

        It never raises because of what a peer sent: an input that changes
        nothing returns ``Ignore`` with the reason.
        """
        after, effects = self._dispatch(given)
        return after, tuple(self.roles.arrange(effects))

    def _dispatch(self, given: Input) -> tuple["Instance", list[Effect]]:
        match given:
            case Received(source, message, answer):
                return self._on_message(source, message, answer=answer)
            case ProposeRequested():
                return self._on_propose(given)
            case TimeoutFired():
                return self._on_timeout(given)
            case LinkUp(_, peer):
                return self._learned(self.learner.on_link_up(peer))
            case Started():
                return self._on_started()

    def _on_message(
        self, source: NodeId, message: Message, *, answer: bool
    ) -> tuple["Instance", list[Effect]]:
        match message:
            case Prepare():
                return self._involved(*self.acceptor.on_prepare(source, message))
            case Accept():
                return self._involved(*self.acceptor.on_accept(source, message))
            case Promise():
                return self._proposed(self.proposer.on_promise(source, message))
            case Nack():
                return self._proposed(self.proposer.on_nack(source, message))
            case Accepted():
                return self._learned(self.learner.on_accepted(source, message))
            case Learn():
                return self._learned(self.learner.on_learn(source, message, answer=answer))
            case Learned():
                return self._learned(self.learner.on_learned(source))
            case Status():
                return self._learned(self.learner.on_status(source))

    def _on_propose(self, wish: ProposeRequested) -> tuple["Instance", list[Effect]]:
        known = self.learner.learned
        if known is not None:
            chosen = Proposal(known.ballot, known.value)
            return self, [
                Answer(wish.instance, wish.request, Outcome.CHOSEN, wish.value, chosen, "")
            ]
        proposer, effects = self.proposer.on_propose(wish)
        learner, plans = self.learner.on_involved(accepted=self.acceptor.accepted is not None)
        return replace(self, proposer=proposer, learner=learner), [*effects, *plans]

    def _on_timeout(self, timeout: TimeoutFired) -> tuple["Instance", list[Effect]]:
        match timeout.timer:
            case Timer.PATIENCE:
                return self._proposed(self.proposer.on_patience(timeout.token))
            case Timer.RETRY:
                return self._proposed(self.proposer.on_retry())
            case Timer.GIVE_UP:
                return self._proposed(self.proposer.on_give_up(timeout.token))
            case Timer.RESEND:
                return self._learned(self.learner.on_resend(timeout.reachable))
            case Timer.ASK:
                return self._learned(self.learner.on_ask(timeout.reachable))
            case Timer.OWN_BALLOT:
                return self._on_own_ballot()

    def _on_own_ballot(self) -> tuple["Instance", list[Effect]]:
        learner, effects = self.learner.on_own_ballot()
        asked = replace(self, learner=learner)
        if not learner.own_ballot_planned:
            return asked, effects
        if self.proposer.phase is not Phase.IDLE:
            return asked, [Ignore("its proposer is at work and will find out"), *effects]
        proposer, ballot = replace(self.proposer, attempt=0).begin()
        return replace(asked, proposer=proposer), [*ballot, *effects]

    def _on_started(self) -> tuple["Instance", list[Effect]]:
        involved = self.acceptor.promised != Ballot.ZERO or self.proposer.last_round >= 0
        if self.learner.learned is not None or not involved:
            return self, [Ignore("there is nothing to find out")]
        curious, plans = self._involved(self.acceptor, [])
        return curious, plans or [Ignore("its questions are planned already")]

    def _involved(
        self, acceptor: Acceptor, effects: list[Effect]
    ) -> tuple["Instance", list[Effect]]:
        learner, plans = self.learner, list[Effect]()
        if acceptor.promised != Ballot.ZERO or self.proposer.last_round >= 0:
            learner, plans = self.learner.on_involved(accepted=acceptor.accepted is not None)
        return replace(self, acceptor=acceptor, learner=learner), [*effects, *plans]

    def _proposed(self, step: tuple[Proposer, list[Effect]]) -> tuple["Instance", list[Effect]]:
        proposer, effects = step
        return replace(self, proposer=proposer), effects

    def _learned(self, step: tuple[Learner, list[Effect]]) -> tuple["Instance", list[Effect]]:
        learner, effects = step
        if learner.learned is None or self.learner.learned is not None:
            return replace(self, learner=learner), effects
        known = learner.learned
        proposer, answers = self.proposer.on_learned(Proposal(known.ballot, known.value))
        return replace(self, proposer=proposer, learner=learner), [*effects, *answers]
