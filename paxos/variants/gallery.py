"""The broken variants: one changed handler each."""

from dataclasses import dataclass, replace
from typing import Final

from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    AcceptorRecord,
    Ballot,
    Effect,
    LearnedRecord,
    Learner,
    NodeId,
    Persist,
    Prepare,
    Promise,
    Proposal,
    Proposer,
    Report,
    Roles,
    Send,
    Stored,
)


class UnknownVariant(Exception):
    """No variant has this name; the text lists those that exist."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A broken protocol.

    Attributes:
        name: its name on the command line.
        change: what was changed, in a sentence.
        breaks: the rule that it breaks first.
        seen_in: a real system that had it, or where it is taught.
        roles: the roles with the change in them.
    """

    name: str
    change: str
    breaks: str
    seen_in: str
    roles: Roles


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
        return accepted, [
            accepted._persist(),
            Send(source, Accepted(self.instance, message.ballot, message.value)),
        ]


class OmitsAccepted(Acceptor):
    """Phase 1(b) without its second half."""

    __slots__ = ()

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple[Acceptor, list[Effect]]:
        """Promise, and say nothing of what was accepted."""
        after, effects = super().on_prepare(source, message)
        return after, [
            Send(effect.to, replace(effect.message, accepted=None))
            if isinstance(effect, Send) and isinstance(effect.message, Promise)
            else effect
            for effect in effects
        ]


class IgnoresReports(Proposer):
    """Phase 2(a) with the client's value always."""

    __slots__ = ()

    def highest_report(self) -> Report | None:
        """Pretend that no promise reports anything, if a client has a wish."""
        return None if self.wishes else super().highest_report()


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
        learned, effects = self._learn(
            LearnedRecord(message.instance, message.ballot, message.value, acceptors)
        )
        told = replace(learned, unanswered=self.config.peers)
        return told, [*effects, *told._tell(self.config.peers), told._resend_timer()]


def forget_round(stored: Stored) -> Stored:
    """A proposer that counts from the beginning after every start."""
    return replace(stored, round=-1)


def forget_promise(stored: Stored) -> Stored:
    """An acceptor that remembers what it accepted, but not what it promised."""
    accepted = stored.accepted
    return replace(stored, promised=Ballot.ZERO if accepted is None else accepted.ballot)


def reply_first(effects: list[Effect]) -> list[Effect]:
    """Every reply of an acceptor before the write that it relies on."""
    # A proposer still persists its round first: one change, and no number is reused.
    writes: list[Effect] = [
        effect
        for effect in effects
        if isinstance(effect, Persist) and isinstance(effect.record, AcceptorRecord)
    ]
    return [effect for effect in effects if effect not in writes] + writes


_ALL = (
    Variant(
        "accept-below-promise",
        "An acceptor accepts whatever it is asked to, also below its promise.",
        "R1",
        "the textbook mistake",
        Roles(acceptor=AcceptsBelowPromise),
    ),
    Variant(
        "promise-omits-accepted",
        "A promise never reports what its acceptor has accepted.",
        "R2",
        "EPaxos analysis",
        Roles(acceptor=OmitsAccepted),
    ),
    Variant(
        "number-reused",
        "A proposer forgets at a restart which rounds it has used.",
        "R3",
        "phxpaxos #145",
        Roles(recover=forget_round),
    ),
    Variant(
        "ignore-accepted",
        "A proposer pushes its client's value, whatever the promises report.",
        "R4",
        "NicolasT/paxos 4b144a1",
        Roles(proposer=IgnoresReports),
    ),
    Variant(
        "small-quorum",
        "A learner takes 2·acceptances ≥ n - 1 for a quorum: two of five.",
        "R5",
        "dslabs' deliberately wrong Paxos",
        Roles(learner=LearnsTooEarly),
    ),
    Variant(
        "promise-forgotten",
        "An acceptor forgets its promise at a restart.",
        "R6",
        "PySyncObj PR 202",
        Roles(recover=forget_promise),
    ),
    Variant(
        "reply-before-write",
        "An acceptor replies first and writes afterwards.",
        "R6",
        "PySyncObj #84, NATS #7567",
        Roles(arrange=reply_first),
    ),
)

VARIANTS: Final[dict[str, Variant]] = {variant.name: variant for variant in _ALL}


def load(name: str) -> Roles:
    """The roles of a variant.

    Raises:
        UnknownVariant: there is none of this name.
    """
    if name not in VARIANTS:
        raise UnknownVariant(f"no variant is called {name!r}; there are: {', '.join(VARIANTS)}")
    return VARIANTS[name].roles
