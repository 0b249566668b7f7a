"""Laws of one step over all states that are well formed, not only those that a run comes to.

``paxos_cases.check_step`` has the laws of every step, and ``test_instance``
holds them of states that inputs lead to. Here the states are put together
field by field, so that no handler can lean on what another one always leaves
behind; and here are the laws that the explorer relies on: a message that comes
twice does nothing the second time, each is one role's affair, and nobody looks
into a value.
"""

from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    Answer,
    Ballot,
    Config,
    Effect,
    Ignore,
    Input,
    Instance,
    LearnedRecord,
    Learner,
    Nack,
    Persist,
    Phase,
    Prepare,
    Promise,
    Proposal,
    Proposer,
    ProposeRequested,
    Received,
    Report,
    Send,
)
from paxos.protocol.learner import Tally
from paxos.protocol.proposer import Wish
from tests.paxos_cases import (
    INSTANCE,
    ballots,
    check_step,
    inputs,
    messages,
    proposals,
    received,
    reports,
    tunings,
    values,
)

T = TypeVar("T")
NEXT_REQUEST = 9
"""The number of a new wish; those that wait have lower ones."""


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Node 1 of one, three or five, with any settings."""
    count = draw(st.sampled_from((1, 3, 5)))
    return Config(INSTANCE, 1, tuple(range(1, count + 1)), draw(tunings))


@st.composite
def some_of(draw: st.DrawFn, members: tuple[int, ...], most: int) -> tuple[int, ...]:
    """At most so many of the members, in order."""
    return tuple(sorted(draw(st.sets(st.sampled_from(members), max_size=most))))


@st.composite
def acceptors(draw: st.DrawFn) -> Acceptor:
    """What it accepted it has promised."""
    promised, pair = draw(ballots), draw(st.none() | proposals)
    return Acceptor(INSTANCE, promised if pair is None else max(promised, pair.ballot), pair)


@st.composite
def proposers(draw: st.DrawFn, config: Config, *, has_learned: bool) -> Proposer:
    """Any phase, with whatever can be known in it.

    The ballot under way is the last that was begun, a quorum of promises ends
    phase 1, and a ballot without hope is over: all else is possible.
    """
    work = [Phase.PREPARING, Phase.ACCEPTING, Phase.BACKING_OFF]
    # A node that learned and started again is idle.
    phase = draw(st.sampled_from([Phase.DONE, Phase.IDLE] if has_learned else [Phase.IDLE, *work]))
    last, highest = draw(st.sampled_from((-1, 0, 1, 3, 998))), draw(ballots)
    if phase not in work:
        return Proposer(config, phase, last_round=last, highest=highest)
    ballot = Ballot(draw(st.integers(1, 5)), config.node_id)
    count, quorum = len(config.members), config.quorum
    wishes = tuple(
        Wish(number, draw(values), sent=draw(st.booleans()))
        for number in range(1, draw(st.integers(0, 3)) + 1)
    )
    wishes = tuple(replace(wish, answered=wish.sent and draw(st.booleans())) for wish in wishes)
    if phase is Phase.BACKING_OFF and not wishes:
        phase = Phase.PREPARING
    nodes = draw(some_of(config.members, quorum - 1 if phase is Phase.PREPARING else count))
    pushing = None
    if phase is Phase.ACCEPTING or (phase is Phase.BACKING_OFF and draw(st.booleans())):
        pushing = Proposal(ballot, draw(values))
    hopeful = count - quorum if phase is not Phase.BACKING_OFF else count
    return Proposer(
        config,
        phase,
        ballot,
        ballot.round,
        highest,
        draw(st.integers(1, 60)),
        tuple(Report(node, draw(reports)) for node in nodes),
        draw(some_of(config.members, hopeful)),
        wishes,
        pushing,
    )


@st.composite
def learners(draw: st.DrawFn, config: Config) -> Learner:
    """It counts, or knows; it tells, or asks."""
    if draw(st.booleans()):
        known = draw(proposals)
        quorum = config.members[: config.quorum]
        record = LearnedRecord(INSTANCE, known.ballot, known.value, quorum)
        untold = draw(some_of(config.peers, len(config.peers))) if config.peers else ()
        return Learner(config, record, unanswered=untold)
    counted = draw(st.lists(proposals, max_size=3, unique=True)) if config.quorum > 1 else []
    counted.sort(key=lambda proposal: (proposal.ballot, proposal.value))
    tallies = []
    for proposal in counted:
        nodes = draw(some_of(config.members, config.quorum - 1))
        if nodes:
            tallies.append(Tally(proposal, nodes))
    asks = draw(st.sampled_from((0, 500, 60_000)))
    return Learner(config, None, tuple(tallies), (), asks, draw(st.booleans()))


@st.composite
def states(draw: st.DrawFn) -> Instance:
    """Any well-formed state: three roles that know nothing of each other."""
    config = draw(configs())
    learner = draw(learners(config))
    proposer = draw(proposers(config, has_learned=learner.learned is not None))
    return Instance(config, draw(acceptors()), proposer, learner)


class TestAllStates:
    @given(states(), st.data())
    @settings(max_examples=200)
    def test_every_law_of_a_step_holds(self, state: Instance, data: st.DataObject) -> None:
        """Nothing raises, nothing falls, and nothing is said before it is durable."""
        one = data.draw(inputs(state, NEXT_REQUEST))
        after, effects = state.step(one)
        check_step(state, one, effects, after)

    @given(states(), received)
    @settings(max_examples=200)
    def test_a_message_that_comes_twice_does_nothing_the_second_time(
        self, state: Instance, one: Received
    ) -> None:
        """So a network may duplicate, and the explorer's network may be a set.

        Neither state nor disk changes, no timer does, and what is said was
        said the first time.
        """
        once, first = state.step(one)
        twice, second = once.step(one)
        assert twice == once
        assert all(isinstance(effect, Send | Ignore) for effect in second)
        assert {e for e in second if isinstance(e, Send)} <= set(first)

    @given(states(), messages, st.data())
    def test_a_message_from_whomever_is_one_roles_affair(
        self, state: Instance, message: object, data: st.DataObject
    ) -> None:
        """Requests are the acceptor's, replies to them the proposer's; the rest is learning.

        Two facts cross over, which ``Instance`` names: who promised wants to
        find out, and who learned rests.
        """
        source = data.draw(st.sampled_from((*state.config.members, 6, 101)))
        after, _ = state.step(Received(source, message))  # type: ignore[arg-type]
        match message:
            case Prepare() | Accept():
                assert after.proposer == state.proposer
                asks, plans = state.learner.ask_ms, state.learner.own_ballot_planned
                learner = replace(after.learner, ask_ms=asks, own_ballot_planned=plans)
                assert learner == state.learner
            case Promise() | Nack():
                assert (after.acceptor, after.learner) == (state.acceptor, state.learner)
            case _:
                assert after.acceptor == state.acceptor
                if after.learner.learned == state.learner.learned:
                    assert after.proposer == state.proposer

    @given(states(), st.data())
    def test_what_is_sent_goes_to_members_or_to_who_asked(
        self, state: Instance, data: st.DataObject
    ) -> None:
        """And a reply goes to its asker alone."""
        one = data.draw(inputs(state, NEXT_REQUEST))
        asker = {one.source} if isinstance(one, Received) else set()
        for effect in state.step(one)[1]:
            if isinstance(effect, Send):
                assert effect.to in {*state.config.members, *asker, *reachable(one)}
                if isinstance(effect.message, Promise | Accepted | Nack):
                    assert {effect.to} == asker

    @given(states(), st.data())
    def test_only_those_are_answered_who_wait(self, state: Instance, data: st.DataObject) -> None:
        """Each at most once in a step, and with the value that it wanted."""
        one = data.draw(inputs(state, NEXT_REQUEST))
        waiting = {wish.request: wish.value for wish in state.proposer.wishes if not wish.answered}
        if isinstance(one, ProposeRequested):
            waiting[one.request] = one.value
        answers = [effect for effect in state.step(one)[1] if isinstance(effect, Answer)]
        assert len({answer.request for answer in answers}) == len(answers)
        for answer in answers:
            assert waiting[answer.request] == answer.wanted

    @given(states(), st.data())
    @settings(max_examples=200)
    def test_nobody_looks_into_a_value(self, state: Instance, data: st.DataObject) -> None:
        """Other values in the same order make the same step: so two or three stand for all.

        That is why a long value may stand in a log as its digest, and why a
        model with few values says something of every client's.
        """
        one: Input = data.draw(inputs(state, NEXT_REQUEST))
        after, effects = state.step(one)
        renamed, told = rename(state).step(rename(one))
        assert renamed == rename(after)
        assert told == rename(effects)

    def test_renaming_renames(self) -> None:
        """The law about values can fail."""
        pair = Proposal(Ballot(1, 1), "apple")
        renamed = rename((Report(2, pair), Wish(1, "fig"), pair.ballot))
        assert renamed == (
            Report(2, replace(pair, value="no apple")),
            Wish(1, "no fig"),
            pair.ballot,
        )


def reachable(one: Input) -> tuple[int, ...]:
    """The peers that an input names."""
    named: tuple[int, ...] = getattr(one, "reachable", ())
    peer: int | None = getattr(one, "peer", None)
    return named if peer is None else (peer,)


def rename(thing: T) -> T:
    """The same with other values, in the same order."""
    if isinstance(thing, tuple):
        return tuple(rename(item) for item in thing)  # type: ignore[return-value]
    if not is_dataclass(thing) or isinstance(thing, type | Config):
        return thing
    changes = {}
    for part in fields(thing):
        value = getattr(thing, part.name)
        is_value = part.name in {"value", "wanted"}
        changes[part.name] = f"no {value}" if is_value else rename(value)
    return replace(thing, **changes)


def test_effects_are_what_a_driver_knows() -> None:
    """No strategy above is empty: among a few steps every kind of effect comes up."""
    seen: set[type[Effect | Persist]] = set()

    @settings(max_examples=150, derandomize=True, database=None)
    @given(states(), st.data())
    def collect(state: Instance, data: st.DataObject) -> None:
        one = data.draw(inputs(state, NEXT_REQUEST))
        seen.update(type(effect) for effect in state.step(one)[1])

    collect()
    assert {kind.__name__ for kind in seen} == {
        "Persist",
        "Send",
        "SetTimer",
        "CancelTimer",
        "Answer",
        "Ignore",
    }
