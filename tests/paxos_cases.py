"""Shorthand for tests of the core: nodes driven by hand, laws of every step, strategies.

A :class:`Node` is one instance at one node with a disk under it. Whatever it
is fed, the laws that hold of every step are checked on the way, so a test
says only what is special about it::

    node = Node(1)
    node.wishes("apple").hears(1, promise("1.n1")).hears(2, promise("1.n1"))
    node.assert_sends(accept("1.n1 apple"), 1, 2, 3)
"""

import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Self

from hypothesis import strategies as st

from paxos.protocol import (
    Accept,
    Accepted,
    AcceptorRecord,
    Answer,
    Ballot,
    CancelTimer,
    Effect,
    Ignore,
    Input,
    Instance,
    Learn,
    Learned,
    LearnedRecord,
    LinkUp,
    Message,
    Nack,
    NodeId,
    NumberScheme,
    Outcome,
    Persist,
    Phase,
    Prepare,
    Promise,
    Proposal,
    ProposeRequested,
    Received,
    Record,
    Roles,
    RoundRecord,
    Send,
    SetTimer,
    Settings,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)

INSTANCE = 1

# Shorthand. A ballot is written as the log shows it, a proposal as "1.n1 apple".


def ballot(text: str) -> Ballot:
    """``3.n5`` or ``2.g1``."""
    round_, node = text.split(".")
    return Ballot(int(round_), int(node[1:]) + (100 if node[0] == "g" else 0))


def proposal(text: str) -> Proposal:
    """``3.n5 apple``."""
    at, value = text.split(" ", 1)
    return Proposal(ballot(at), value)


def prepare(at: str) -> Prepare:
    """Phase 1(a)."""
    return Prepare(INSTANCE, ballot(at))


def promise(at: str, accepted: str | None = None) -> Promise:
    """Phase 1(b), with what was accepted, if anything."""
    return Promise(INSTANCE, ballot(at), None if accepted is None else proposal(accepted))


def accept(pushed: str) -> Accept:
    """Phase 2(a)."""
    at, value = pushed.split(" ", 1)
    return Accept(INSTANCE, ballot(at), value)


def accepted(pushed: str) -> Accepted:
    """Phase 2(b)."""
    at, value = pushed.split(" ", 1)
    return Accepted(INSTANCE, ballot(at), value)


def nack(at: str, promised: str) -> Nack:
    """A refusal of ``at``."""
    return Nack(INSTANCE, ballot(at), ballot(promised))


def learn(chosen: str, *acceptors: NodeId) -> Learn:
    """A chosen value with its evidence."""
    at, value = chosen.split(" ", 1)
    return Learn(INSTANCE, ballot(at), value, acceptors)


def stored(
    promised: str | None = None,
    accepted: str | None = None,
    round: int = -1,  # noqa: A002 - the field's name.
    learned: LearnedRecord | None = None,
) -> Stored:
    """What a disk holds."""
    return Stored(
        Ballot.ZERO if promised is None else ballot(promised),
        None if accepted is None else proposal(accepted),
        round,
        learned,
    )


def learned(chosen: str, *acceptors: NodeId) -> LearnedRecord:
    """What a learner records."""
    known = learn(chosen, *acceptors)
    return LearnedRecord(INSTANCE, known.ballot, known.value, acceptors)


def written(disk: Stored, record: Record) -> Stored:
    """What a disk holds after one more record."""
    match record:
        case AcceptorRecord(_, promised, pair):
            return replace(disk, promised=promised, accepted=pair)
        case RoundRecord(_, round_):
            return replace(disk, round=round_)
        case LearnedRecord():
            return replace(disk, learned=record)


# The laws of every step.


class Timers:
    """The timers that run, as a driver keeps them."""

    def __init__(self) -> None:
        self.running: dict[tuple[Timer, int], SetTimer] = {}

    def take(self, given: Input, effects: tuple[Effect, ...]) -> None:
        """One step: a timer that fired no longer runs; then come the effects."""
        if isinstance(given, TimeoutFired):
            self.running.pop((given.timer, given.token), None)
        for effect in effects:
            match effect:
                case SetTimer(_, timer, token):
                    self.running[timer, token] = effect
                case CancelTimer(_, timer, token):
                    self.running.pop((timer, token), None)
                case _:
                    pass

    def check(self, node: Instance) -> None:
        """Exactly those timers run that the state is waiting for: none is lost, none left over."""
        proposer, learner = node.proposer, node.learner
        at_work = proposer.phase in {Phase.PREPARING, Phase.ACCEPTING}
        due = {
            Timer.PATIENCE: {proposer.ballot.round} if at_work else set(),
            Timer.RETRY: {0} if proposer.phase is Phase.BACKING_OFF else set(),
            Timer.GIVE_UP: {wish.request for wish in proposer.wishes if not wish.answered},
            Timer.ASK: {0} if learner.ask_ms else set(),
            Timer.OWN_BALLOT: {0} if learner.own_ballot_planned else set(),
        }
        for timer, tokens in due.items():
            running = {token for kind, token in self.running if kind is timer}
            assert running == tokens, f"{timer} timers {running} run, and {tokens} are waited for"
        if (Timer.RESEND, 0) in self.running:
            assert learner.unanswered, "nobody is left to be told again"


def check_step(
    before: Instance, given: Input, effects: tuple[Effect, ...], after: Instance
) -> None:
    """Assert everything that holds of every step of the correct protocol."""
    _check_acceptor(before, after)
    _check_persist_precedes_send(before, effects)
    _check_ignored(before, given, effects, after)
    _check_order(effects)
    assert is_plain(effects), f"only plain, ordered values may be effects: {effects}"
    assert is_plain(replace(after, roles=before.roles), roles=True), "a state is plain values"
    again, same = before.step(given)
    assert (again, same) == (after, effects), "equal inputs give equal steps"
    assert hash(again) == hash(after), "equal states have equal hashes"
    assert after.config == before.config, "a step changes no configuration"
    idle = after.proposer.phase in {Phase.IDLE, Phase.DONE}
    assert not (idle and after.proposer.wishes), "a wish is pursued until it is answered"
    assert (after.learner.learned is None) or not after.proposer.wishes, "all clients are told"


def _check_acceptor(before: Instance, after: Instance) -> None:
    was, now = before.acceptor, after.acceptor
    assert now.promised >= was.promised, f"promised fell from {was.promised} to {now.promised}"
    if was.accepted is not None:
        assert now.accepted is not None, "what was accepted is kept"
        assert now.accepted.ballot >= was.accepted.ballot, "the accepted ballot fell"
    if now.accepted is not None:
        assert now.accepted.ballot <= now.promised, "accepting is promising"
    if before.learner.learned is not None:
        assert after.learner.learned == before.learner.learned, "what is learned stays"
    assert after.proposer.last_round >= before.proposer.last_round, "rounds are never used again"


def _check_persist_precedes_send(before: Instance, effects: tuple[Effect, ...]) -> None:
    """Each Send states only what is durable when its turn comes ("Paxos Made Simple" §2.5)."""
    disk = stored()
    disk = replace(
        disk,
        promised=before.acceptor.promised,
        accepted=before.acceptor.accepted,
        round=before.proposer.last_round,
        learned=before.learner.learned,
    )
    for effect in effects:
        match effect:
            case Persist(record, sync):
                assert sync is not isinstance(record, LearnedRecord), f"sync or not: {effect}"
                disk = written(disk, record)
            case Send(_, Promise(_, at, reported)):
                assert disk.promised == at, f"{effect} runs ahead of the disk: {disk}"
                assert disk.accepted == reported, f"{effect} is not what the disk holds: {disk}"
            case Send(_, Accepted(_, at, value)):
                assert disk.accepted == Proposal(at, value), f"{effect} runs ahead of {disk}"
                assert disk.promised == at, f"{effect} is not promised on {disk}"
            case Send(_, Nack(_, at, promised)):
                assert disk.promised == promised > at, f"{effect} has no reason on {disk}"
            case Send(_, Prepare(_, at)) | Send(_, Accept(_, at, _)):
                assert disk.round == at.round, f"{effect} uses a round that {disk} lacks"
            case Send(_, Learn(_, at, value, acceptors)):
                known = LearnedRecord(before.config.instance, at, value, acceptors)
                assert disk.learned == known, f"{effect} tells what is not recorded"
            case _:
                pass


def _check_ignored(
    before: Instance, given: Input, effects: tuple[Effect, ...], after: Instance
) -> None:
    reasons = [effect.reason for effect in effects if isinstance(effect, Ignore)]
    assert len(reasons) <= 1, f"one reason is enough: {reasons}"
    if before == after and not effects:
        raise AssertionError(f"{given} falls through: it is neither taken nor ignored")
    if not reasons or before == after:
        return
    # The two exceptions that `Ignore` names: a plan of own ballots that are
    # off, and what a proposer pursued when no number is left for it.
    plan = replace(before.learner, own_ballot_planned=after.learner.own_ballot_planned)
    assert isinstance(given, TimeoutFired), f"{given} is ignored and changes the state: {reasons}"
    assert (after.acceptor, after.learner) == (before.acceptor, plan), f"{given}: {reasons}"
    if after.proposer != before.proposer:
        assert re.search("is blocked by|no number left", reasons[0]), f"{given}: {reasons}"
        rest = replace(before.proposer, phase=Phase.IDLE, wishes=(), attempt=0)
        assert replace(after.proposer, attempt=0) == rest, f"{given}: {reasons}"


def _check_order(effects: tuple[Effect, ...]) -> None:
    """A fan-out goes out in the order of node ids: two runs print the same bytes."""
    sends = [effect for effect in effects if isinstance(effect, Send)]
    for one, other in pairwise(sends):
        if one.message == other.message:
            assert one.to < other.to, f"{one} stands before {other}"


def is_plain(value: object, *, roles: bool = False) -> bool:
    """Whether a value has one order and one spelling: no set, no dict, no float."""
    if roles and isinstance(value, Roles):
        return True
    if value is None or isinstance(value, bool | int | str | Enum):
        return True
    if isinstance(value, tuple):
        return all(is_plain(item, roles=roles) for item in value)
    return is_dataclass(value) and all(
        is_plain(getattr(value, part.name), roles=roles) for part in fields(value)
    )


# One node, driven by hand.


class Node:
    """One node's part in an instance, with a disk, its timers, and the laws checked.

    Attributes:
        state: the instance as it is now.
        effects: those of the last step.
        disk: what a crash would leave.
        timers: those that run.
    """

    def __init__(
        self,
        node_id: NodeId = 1,
        count: int = 3,
        *,
        disk: Stored | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.disk = disk or Stored()
        members = tuple(range(1, count + 1))
        self.state = Instance.recovered(
            INSTANCE, node_id, members, settings or Settings(), self.disk
        )
        self.effects: tuple[Effect, ...] = ()
        self.timers = Timers()
        self.requests = 0

    def takes(self, given: Input) -> Self:
        """Feed one input and carry its effects out."""
        before = self.state
        self.state, self.effects = before.step(given)
        check_step(before, given, self.effects, self.state)
        for effect in self.effects:
            if isinstance(effect, Persist):
                self.disk = written(self.disk, effect.record)
        self.timers.take(given, self.effects)
        self.timers.check(self.state)
        return self

    def hears(self, source: NodeId, message: Message, *, answer: bool = False) -> Self:
        """A message comes in."""
        return self.takes(Received(source, message, answer))

    def hears_all(self, message: Message, *sources: NodeId) -> Self:
        """The same message from several nodes, in this order."""
        for source in sources:
            self.hears(source, message)
        return self

    def wishes(self, value: str, timeout_ms: int = 1_000) -> Self:
        """A client asks; its requests count from 1."""
        self.requests += 1
        return self.takes(ProposeRequested(INSTANCE, self.requests, value, timeout_ms))

    def fires(self, timer: Timer, token: int = 0, reachable: tuple[NodeId, ...] = ()) -> Self:
        """A timer runs out, or one that was handed back late."""
        return self.takes(TimeoutFired(INSTANCE, timer, token, reachable))

    def loses_patience(self) -> Self:
        """The patience with the present ballot is at its end."""
        return self.fires(Timer.PATIENCE, self.state.proposer.ballot.round)

    def gives_up(self, request: int) -> Self:
        """A client's time is up."""
        return self.fires(Timer.GIVE_UP, request)

    def sees(self, peer: NodeId) -> Self:
        """The link to a peer comes up."""
        return self.takes(LinkUp(INSTANCE, peer))

    def restarts(self) -> Self:
        """A crash between two steps, and a start from the disk."""
        config = self.state.config
        self.state = Instance.recovered(
            INSTANCE, config.node_id, config.members, config.settings, self.disk
        )
        self.timers = Timers()
        return self.takes(Started(INSTANCE))

    # What the last step did.

    @property
    def sent(self) -> list[Send]:
        """The messages, in order."""
        return [effect for effect in self.effects if isinstance(effect, Send)]

    @property
    def answers(self) -> list[Answer]:
        """What clients were told."""
        return [effect for effect in self.effects if isinstance(effect, Answer)]

    def timer(self, timer: Timer) -> SetTimer:
        """The timer of this kind that runs; there is exactly one."""
        (found,) = (running for (kind, _), running in self.timers.running.items() if kind is timer)
        return found

    def assert_waits(self, timer: Timer, least_ms: int, most_ms: int) -> None:
        """A timer of this kind runs, within this range."""
        running = self.timer(timer)
        assert (running.least_ms, running.most_ms) == (least_ms, most_ms)

    def assert_sends(self, message: Message, *to: NodeId) -> None:
        """The last step sent this message to these nodes, in this order, and no other."""
        assert self.sent == [Send(node, message) for node in to], self.effects

    def assert_sends_nothing(self) -> None:
        """The last step sent nothing."""
        assert not self.sent, self.effects

    def assert_persists(self, *records: Record) -> None:
        """The last step wrote these records, in this order, and no others."""
        found = [effect.record for effect in self.effects if isinstance(effect, Persist)]
        assert found == list(records), self.effects

    def assert_ignores(self, reason: str) -> None:
        """The last input was ignored, for this reason."""
        reasons = [effect.reason for effect in self.effects if isinstance(effect, Ignore)]
        assert len(reasons) == 1, self.effects
        assert re.search(reason, reasons[0]), reasons

    def assert_answers(self, *outcomes: tuple[int, Outcome, str | None]) -> None:
        """The last step told these (request, outcome, chosen value), in this order."""
        found = [
            (answer.request, answer.outcome, answer.learned and answer.learned.value)
            for answer in self.answers
        ]
        assert found == list(outcomes), self.effects

    def assert_learned(self, chosen: str, *acceptors: NodeId) -> None:
        """It knows this value to be chosen, on this evidence."""
        assert self.state.learner.learned == learned(chosen, *acceptors)

    def assert_phase(self, phase: Phase, at: str) -> None:
        """Its proposer stands here."""
        proposer = self.state.proposer
        assert (proposer.phase, str(proposer.ballot)) == (phase, at)


# Strategies. Small domains, so that things meet; made once, for they are drawn from often.

SOURCES = (1, 2, 3, 4, 5, 6, 101)
VALUES = ("apple", "pear", "fig")

ballots = st.sampled_from(
    (
        Ballot.ZERO,
        *(Ballot(round_, node) for round_ in range(5) for node in (1, 2, 3, 5, 101)),
        *(Ballot(round_, node) for round_ in (999, 1000, 2**53 - 1) for node in (1, 5, 101)),
    )
)
values = st.sampled_from(VALUES)
proposals = st.builds(Proposal, ballots, values)
reports = st.none() | proposals
# Sound evidence, too little, a stranger's, somebody named twice, and out of order.
evidence = st.sampled_from(
    ((1, 2), (1, 2, 3), (2, 3), (2,), (), (1, 6), (2, 2), (1, 2, 101), (3, 1))
)
here = st.just(INSTANCE)

messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Prepare, here, ballots),
    st.builds(Promise, here, ballots, reports),
    st.builds(Accept, here, ballots, values),
    st.builds(Accepted, here, ballots, values),
    st.builds(Nack, here, ballots, ballots),
    st.builds(Learn, here, ballots, values, evidence),
    st.sampled_from((Learned(INSTANCE), Status(INSTANCE))),
)
"""Any message, sensible or not."""

received = st.builds(Received, st.sampled_from(SOURCES), messages)
"""Any message from anyone."""

answers = st.builds(
    Received,
    st.sampled_from((2, 3)),
    st.builds(Learn, here, ballots, values, evidence),
    st.just(True),
)
"""What answers a ``Status``."""

peers = st.sampled_from(((), (2,), (3,), (2, 3), (2, 3, 4, 5)))
timeouts = st.builds(TimeoutFired, here, st.sampled_from(tuple(Timer)), st.integers(0, 5), peers)
"""Any timer, running or not."""

links = st.builds(LinkUp, here, st.sampled_from((2, 3, 4, 5)))
patience = st.sampled_from((1, 500))
choice = st.integers(0, 9)
small = st.integers(0, 3)


@st.composite
def inputs(draw: st.DrawFn, node: Instance, request: int) -> Input:
    """Anything that a driver may feed to this node; ``request`` is the number of a new wish.

    Half of it is what a node in this state is likely to care for.
    """
    kind = draw(choice)
    if kind >= 5:
        return draw(_relevant(node))
    if kind == 4:
        return ProposeRequested(INSTANCE, request, draw(values), draw(patience))
    if kind == 3:
        return draw(timeouts)
    if kind == 2:
        return draw(st.one_of(links, answers, st.just(Started(INSTANCE))))
    return draw(received)


@st.composite
def _relevant(draw: st.DrawFn, node: Instance) -> Received:
    """A reply at the node's own ballot, from a member."""
    at, pushed = node.proposer.ballot, node.proposer.pushing
    value = VALUES[draw(small) % 3] if pushed is None else pushed.value
    source = node.config.members[draw(choice) % len(node.config.members)]
    kind, step = draw(small), draw(small)
    if kind == 0:
        return Received(source, Nack(INSTANCE, at, Ballot(at.round + step, 5)))
    if kind == 1:
        return Received(source, Accepted(INSTANCE, at, value))
    lower = None if step == 0 else Proposal(Ballot(at.round // step, 1), value)
    return Received(source, Promise(INSTANCE, at, lower))


@st.composite
def disks(draw: st.DrawFn) -> Stored:
    """What a disk may hold of an instance."""
    pair, promised, known = draw(reports), draw(ballots), draw(reports)
    return Stored(
        promised if pair is None else max(promised, pair.ballot),
        pair,
        draw(st.sampled_from((-1, 0, 1, 3, 998, 2**53 - 1))),
        None if known is None else LearnedRecord(INSTANCE, known.ballot, known.value, (1, 2)),
    )


tunings = st.builds(
    Settings,
    scheme=st.sampled_from(tuple(NumberScheme)),
    backoff=st.booleans(),
    own_ballots=st.booleans(),
    attempt_limit=st.sampled_from((1, 2, 50)),
)
"""Settings that matter to the course of things."""


@st.composite
def instances(draw: st.DrawFn, most_steps: int = 10) -> tuple[Instance, int]:
    """A state that inputs can lead to, and the number of its next request."""
    disk = draw(st.just(Stored()) | disks())
    members = tuple(range(1, (1, 3, 5)[draw(choice) % 3] + 1))
    node = Instance.recovered(INSTANCE, 1, members, draw(tunings), disk)
    steps = draw(st.integers(0, most_steps))
    for request in range(1, steps + 1):
        node, _ = node.step(draw(inputs(node, request)))
    return node, steps + 1
