"""The proposer: it wishes for a value, and pushes the one that it must.

It begins a ballot with a number that it never used before, asks for promises
(phase 1), and when a quorum has promised, asks for acceptance (phase 2) of
the highest-numbered value reported to it, or of its own client's value only
when none was reported. When a quorum is out of reach it tries again above
every number that it has met.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from paxos.protocol.ballot import (
    Ballot,
    NodeId,
    Proposal,
    RangeExhausted,
    next_round,
    node_name,
)
from paxos.protocol.config import Config
from paxos.protocol.effects import (
    Answer,
    CancelTimer,
    Effect,
    Ignore,
    Outcome,
    Persist,
    ProposeRequested,
    RoundRecord,
    Send,
    SetTimer,
    Timer,
)
from paxos.protocol.messages import Accept, Nack, Prepare, Promise


class Phase(StrEnum):
    """Where a proposer stands."""

    IDLE = "idle"
    PREPARING = "preparing"
    ACCEPTING = "accepting"
    BACKING_OFF = "backing_off"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Wish:
    """A client's value.

    Attributes:
        request: the driver's number for the client's call.
        value: what the client wants chosen.
        sent: whether an Accept request was ever sent for this value. From
            then on nobody can say that it will never be chosen.
        answered: whether the client's time ran out and it was told
            ``UNKNOWN``; the value is still pushed.
    """

    request: int
    value: str
    sent: bool = False
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A promise of the current ballot: who made it, and what it had accepted."""

    node: NodeId
    accepted: Proposal | None


@dataclass(frozen=True, slots=True)
class Proposer:
    """What one proposer remembers of one instance. Only ``last_round`` outlives a crash.

    Attributes:
        config: the instance, who I am, who the acceptors are, my settings.
        phase: where the current ballot stands.
        ballot: the current or last ballot begun since the start; ``Ballot.ZERO`` for none.
        last_round: the highest round ever used here, -1 for none.
        highest: the highest ballot met in a nack.
        attempt: how many ballots were begun for the present wishes.
        promises: promises of ``ballot``, one an acceptor, by node.
        refused_by: acceptors that refused ``ballot``, by node.
        wishes: what clients want, oldest first. Empty for a ballot begun only
            to find out what is chosen.
        pushing: the proposal of phase 2, if it has begun.
        reported: the promise that dictated the value of ``pushing``;
            ``None`` when the choice was free.
    """

    config: Config
    phase: Phase = Phase.IDLE
    ballot: Ballot = Ballot.ZERO
    last_round: int = -1
    highest: Ballot = Ballot.ZERO
    attempt: int = 0
    promises: tuple[Report, ...] = ()
    refused_by: tuple[NodeId, ...] = ()
    wishes: tuple[Wish, ...] = ()
    pushing: Proposal | None = None
    reported: Report | None = None

    def on_propose(self, wish: ProposeRequested) -> tuple["Proposer", list[Effect]]:
        """A client wishes for a value: begin a ballot, or join the wish to the one under way.

        Phase 1(a) of "Paxos Made Simple" §2.2, by way of :meth:`begin`.

        Returns:
            The next state, then the client's ``SetTimer`` and, when no ballot
            is under way, those of :meth:`begin`.
        """
        # A value that is under way for somebody else is under way for this client too.
        sent = any(w.sent and w.value == wish.value for w in self.wishes) or (
            self.pushing is not None and self.pushing.value == wish.value
        )
        joined = replace(self, wishes=(*self.wishes, Wish(wish.request, wish.value, sent)))
        timer = SetTimer(
            wish.instance, Timer.GIVE_UP, wish.request, wish.timeout_ms, wish.timeout_ms
        )
        if self.phase is not Phase.IDLE:
            return joined, [timer]
        begun, effects = replace(joined, attempt=0).begin()
        return begun, [timer, *effects]

    def begin(self) -> tuple["Proposer", list[Effect]]:
        """Begin a ballot above everything used and met.

        Phase 1(a): "a proposer selects a proposal number n and sends a prepare
        request with number n to a majority of acceptors". We send it to all:
        then any majority will do.

        The round is persisted before it is used: a proposer that forgets its
        number uses it again, and two values at one ballot can both be chosen
        (§2.5: it "remembers (in stable storage) the highest-numbered proposal
        it has tried to issue").

        Returns:
            The next state, then ``Persist`` of the round, a ``Prepare`` to
            every acceptor in order of node id, and the patience timer. Under
            ``ranges``, when its block is used up: an ``Answer`` to every client.
        """
        try:
            round_ = next_round(
                self.config.settings.scheme,
                self.config.node_id,
                len(self.config.members),
                self.last_round,
                self.highest,
            )
        except RangeExhausted as exhausted:
            return self._end_wishes(str(exhausted))
        ballot = Ballot(round_, self.config.node_id)
        begun = replace(
            self,
            phase=Phase.PREPARING,
            ballot=ballot,
            last_round=round_,
            attempt=self.attempt + 1,
            promises=(),
            refused_by=(),
            pushing=None,
            reported=None,
        )
        instance = self.config.instance
        return begun, [
            Persist(RoundRecord(instance, round_)),
            *(Send(member, Prepare(instance, ballot)) for member in self.config.members),
            begun._patience(),
        ]

    def on_promise(self, source: NodeId, message: Promise) -> tuple["Proposer", list[Effect]]:
        """Count a promise; with a quorum, ask for acceptance.

        Phase 2(a) of §2.2: "If the proposer receives a response to its prepare
        requests (numbered n) from a majority of acceptors, then it sends an
        accept request to each of those acceptors for a proposal numbered n
        with a value v, where v is the value of the highest-numbered proposal
        among the responses, or is any value if the responses reported no
        proposals." (It may send it to any acceptors; we send it to all.)

        Only promises of the current ballot count, one an acceptor, and only
        until phase 2 has begun: the value of a ballot is settled once.

        Returns:
            The next state, then nothing until there is a quorum (and, without
            a client, a report); then an ``Accept`` to every acceptor and the
            patience timer, anew.
        """
        if message.ballot != self.ballot:
            return self, [Ignore(f"the ballot under way is {self.ballot}")]
        if self.phase is not Phase.PREPARING:
            return self, [Ignore("phase 1 of this ballot is over")]
        if source not in self.config.members:
            return self, [Ignore("it is no acceptor of this cluster")]
        report = Report(source, message.accepted)
        if report in self.promises:
            return self, [Ignore("its promise is counted already")]
        # An acceptor that answers twice is one acceptor: its answer replaces
        # the earlier one and adds nothing to the quorum.
        promises = {known.node: known for known in self.promises} | {source: report}
        counted = replace(self, promises=tuple(promises[node] for node in sorted(promises)))
        if len(counted.promises) < self.config.quorum:
            return counted, []
        return counted._push()

    def _push(self) -> tuple["Proposer", list[Effect]]:
        reported = self.highest_report()
        if reported is not None and reported.accepted is not None:
            # The step that makes Paxos safe. If some value was chosen at a lower
            # ballot, a quorum accepted it, and ours shares an acceptor with that
            # one, which has reported it or something newer; by induction all
            # that is newer carries the same value. So the highest reported value
            # is the only one that cannot contradict a choice already made.
            value = reported.accepted.value
        elif self.wishes:
            # Nobody in a quorum has accepted anything below this ballot, and
            # each has promised not to: nothing was or will be chosen below it.
            value = self.wishes[0].value
        else:
            # A ballot begun only to find out, and there is nothing to find yet.
            # A further promise may report something: that of our own acceptor,
            # say, whose accepted pair is why we ask. Patience ends the waiting.
            return self, []
        pushing = Proposal(self.ballot, value)
        pushed = replace(
            self,
            phase=Phase.ACCEPTING,
            pushing=pushing,
            reported=reported,
            wishes=tuple(
                replace(wish, sent=True) if wish.value == value else wish for wish in self.wishes
            ),
        )
        accept = Accept(self.config.instance, self.ballot, value)
        return pushed, [
            *(Send(member, accept) for member in self.config.members),
            pushed._patience(),
        ]

    def highest_report(self) -> Report | None:
        """The promise that reports the highest-numbered proposal; ``None`` if none reports one."""
        highest: Report | None = None
        for report in self.promises:
            if report.accepted is None:
                continue
            if (
                highest is None
                or highest.accepted is None
                or report.accepted.ballot > highest.accepted.ballot
            ):
                highest = report
        return highest

    def on_nack(self, source: NodeId, message: Nack) -> tuple["Proposer", list[Effect]]:
        """An acceptor refuses: remember how high to go, and give up a ballot without hope.

        End of §2.2. One refusal decides nothing: the others may still be a
        quorum. Only when they cannot, the ballot is given up before its time.
        A refusal of an older ballot says nothing about this one.

        Returns:
            The next state, then, without hope, the back-off's ``SetTimer``.
        """
        if message.ballot != self.ballot:
            return self, [Ignore(f"the ballot under way is {self.ballot}")]
        if self.phase not in (Phase.PREPARING, Phase.ACCEPTING):
            return self, [Ignore("this ballot is over")]
        if source not in self.config.members:
            return self, [Ignore("it is no acceptor of this cluster")]
        refused = replace(
            self,
            highest=max(self.highest, message.promised),
            refused_by=tuple(sorted({*self.refused_by, source})),
        )
        if refused == self:
            return self, [Ignore("its refusal is counted already")]
        if len(self.config.members) - len(refused.refused_by) >= self.config.quorum:
            return refused, []
        backed_off, effects = refused._back_off()
        return backed_off, [self._cancel_patience(), *effects]

    def on_patience(self, token: int) -> tuple["Proposer", list[Effect]]:
        """No quorum in time: back off, then try again.

        A time-out proves nothing about the acceptors, which may have promised
        or accepted; so the next ballot begins with phase 1 like any other.
        """
        if token != self.ballot.round or self.phase not in (Phase.PREPARING, Phase.ACCEPTING):
            return self, [Ignore("this ballot is over")]
        return self._back_off()

    def on_retry(self) -> tuple["Proposer", list[Effect]]:
        """The back-off is over: begin the next ballot."""
        if self.phase is not Phase.BACKING_OFF:
            return self, [Ignore("it is not waiting to try again")]
        return self.begin()

    def on_give_up(self, request: int) -> tuple["Proposer", list[Effect]]:
        """A client's time is up: answer ``FAILED`` if that is certain, else ``UNKNOWN``.

        It is certain only when no Accept was ever sent for the value; then the
        value is dropped before the answer is given. Else the value is pushed on.

        Returns:
            The next state, then the ``Answer``, and ``CancelTimer`` if nothing
            is left to be done.
        """
        wish = next((w for w in self.wishes if w.request == request and not w.answered), None)
        if wish is None:
            return self, [Ignore("the client has its answer")]
        instance = self.config.instance
        if wish.sent:
            told = tuple(replace(w, answered=True) if w is wish else w for w in self.wishes)
            return replace(self, wishes=told), [
                Answer(instance, request, Outcome.UNKNOWN, wish.value, None, self.lacking())
            ]
        dropped = replace(self, wishes=tuple(w for w in self.wishes if w is not wish))
        answer = Answer(instance, request, Outcome.FAILED, wish.value, None, self.lacking())
        if dropped.wishes or self.phase not in (Phase.PREPARING, Phase.BACKING_OFF):
            return dropped, [answer]
        stop = (
            self._cancel_patience()
            if self.phase is Phase.PREPARING
            else CancelTimer(instance, Timer.RETRY, 0)
        )
        return replace(dropped, phase=Phase.IDLE), [answer, stop]

    def on_learned(self, learned: Proposal) -> tuple["Proposer", list[Effect]]:
        """A value is chosen: tell every client which, and rest.

        Returns:
            The next state, then a ``CancelTimer`` for each running timer and
            an ``Answer`` for each client that still waits.
        """
        instance = self.config.instance
        effects: list[Effect] = []
        if self.phase in (Phase.PREPARING, Phase.ACCEPTING):
            effects.append(self._cancel_patience())
        if self.phase is Phase.BACKING_OFF:
            effects.append(CancelTimer(instance, Timer.RETRY, 0))
        for wish in self.wishes:
            if not wish.answered:
                effects.append(CancelTimer(instance, Timer.GIVE_UP, wish.request))
                effects.append(
                    Answer(instance, wish.request, Outcome.CHOSEN, wish.value, learned, "")
                )
        return replace(self, phase=Phase.DONE, wishes=()), effects

    def lacking(self) -> str:
        """What keeps the current ballot from success, as a sentence for the client."""
        if self.ballot == Ballot.ZERO:
            return "no ballot was begun"
        needed = f"{self.config.quorum} of {len(self.config.members)} are needed"
        if self.refused_by:
            return f"{_names(self.refused_by)} refused {self.ballot}, having promised up to {self.highest}; {needed}"
        if self.pushing is not None:
            return f"no quorum was known to have accepted {self.ballot}; {needed}"
        have = tuple(report.node for report in self.promises)
        missing = tuple(member for member in self.config.members if member not in have)
        return f"promises of {self.ballot} came from {_names(have)}, none from {_names(missing)}; {needed}"

    def _back_off(self) -> tuple["Proposer", list[Effect]]:
        settings = self.config.settings
        if not self.wishes or (
            self.attempt >= settings.attempt_limit and all(wish.answered for wish in self.wishes)
        ):
            # Nobody waits. A node that has accepted something will ask again,
            # and start another ballot in its own time (see the learner).
            return replace(self, phase=Phase.IDLE, wishes=()), []
        most_ms = 0
        if settings.backoff:
            doublings = min(self.attempt - 1, 20)
            most_ms = min(settings.backoff_base_ms << doublings, settings.backoff_most_ms)
        # Jitter lets rivals that met once miss each other the next time.
        timer = SetTimer(self.config.instance, Timer.RETRY, 0, most_ms // 2, most_ms)
        return replace(self, phase=Phase.BACKING_OFF), [timer]

    def _end_wishes(self, reason: str) -> tuple["Proposer", list[Effect]]:
        instance = self.config.instance
        effects: list[Effect] = []
        for wish in self.wishes:
            if not wish.answered:
                outcome = Outcome.UNKNOWN if wish.sent else Outcome.FAILED
                effects.append(CancelTimer(instance, Timer.GIVE_UP, wish.request))
                effects.append(Answer(instance, wish.request, outcome, wish.value, None, reason))
        return replace(self, phase=Phase.IDLE, wishes=()), effects or [Ignore(reason)]

    def _patience(self) -> SetTimer:
        patience_ms = self.config.settings.patience_ms
        return SetTimer(
            self.config.instance, Timer.PATIENCE, self.ballot.round, patience_ms, patience_ms
        )

    def _cancel_patience(self) -> CancelTimer:
        return CancelTimer(self.config.instance, Timer.PATIENCE, self.ballot.round)


def _names(nodes: tuple[NodeId, ...]) -> str:
    return ", ".join(node_name(node) for node in nodes) or "nobody"
