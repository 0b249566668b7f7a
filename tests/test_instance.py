"""One node's three roles together, whole clusters of them, and the laws of every step."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from paxos.protocol import (
    Accept,
    Answer,
    Ballot,
    Config,
    Effect,
    Input,
    Instance,
    Learned,
    NumberScheme,
    Outcome,
    Persist,
    Phase,
    Prepare,
    Promise,
    ProposeRequested,
    Received,
    Send,
    Settings,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)
from tests.paxos_cases import (
    INSTANCE,
    Node,
    Timers,
    accept,
    accepted,
    check_step,
    disks,
    inputs,
    instances,
    is_plain,
    learn,
    learned,
    prepare,
    promise,
    stored,
    tunings,
    written,
)
from tests.paxos_chaos import Chaos


class TestOneNode:
    def test_each_process_plays_all_three_roles(self) -> None:
        """§2.5: "each process plays the role of proposer, acceptor, and learner"."""
        node = Node(1, 1).wishes("apple")
        node.hears(1, prepare("1.n1")).hears(1, promise("1.n1"))
        node.hears(1, accept("1.n1 apple")).hears(1, accepted("1.n1 apple"))
        node.assert_learned("1.n1 apple", 1)
        node.assert_answers((1, Outcome.CHOSEN, "apple"))

    def test_a_node_speaks_to_itself_as_to_any_other(self) -> None:
        """Its own acceptor gets a Prepare like the others, and is no sooner promised."""
        node = Node(2).wishes("apple")
        node.assert_sends(prepare("1.n2"), 1, 2, 3)
        assert node.state.acceptor.promised == Ballot.ZERO

    def test_the_disk_says_where_a_recovered_node_stands(self) -> None:
        """Four things outlive a crash, and nothing else does."""
        disk = stored("3.n3", "2.n2 apple", 4, learned("2.n2 apple", 1, 2))
        node = Node(1, disk=disk).state
        assert node.acceptor.promised == disk.promised
        assert node.acceptor.accepted == disk.accepted
        assert node.proposer.last_round == 4
        assert node.proposer.phase is Phase.IDLE
        assert node.learner.learned == disk.learned

    def test_an_unheard_of_instance_is_a_blank_disk(self) -> None:
        """``new`` is ``recovered`` from nothing."""
        arguments = (INSTANCE, 1, (1, 2, 3), Settings())
        assert Instance.new(*arguments) == Instance.recovered(*arguments, Stored())

    def test_settings_change_without_a_change_of_state(self) -> None:
        """What is under way goes on, under the new settings."""
        node = Node(1).wishes("apple")
        tuned = node.state.with_settings(Settings(patience_ms=7))
        assert tuned.proposer.phase is Phase.PREPARING
        assert tuned.with_settings(Settings()) == node.state

    @pytest.mark.parametrize(
        ("number", "node", "members", "text"),
        [
            (0, 1, (1, 2), "count from 1"),
            (1, 3, (1, 2), "no member"),
            (1, 1, (2, 1), "distinct and in order"),
            (1, 1, (1, 1), "distinct and in order"),
        ],
    )
    def test_an_impossible_configuration_is_our_bug(
        self, number: int, node: int, members: tuple[int, ...], text: str
    ) -> None:
        """An assertion with words ends the process."""
        with pytest.raises(AssertionError, match=text):
            Config(number, node, members)


class TestLaws:
    @given(instances(), st.data())
    @settings(max_examples=400)
    def test_every_law_holds_of_every_step(
        self, reached: tuple[Instance, int], data: st.DataObject
    ) -> None:
        """Over (state, input) pairs: any message from anyone, any timer, any wish, any start.

        ``check_step`` lists the laws: nothing raises; promised and accepted
        never decrease; a Persist precedes each Send that relies on it; what is
        ignored says so and changes nothing; no set, dict or float is in sight;
        equal inputs give equal steps.
        """
        node, request = reached
        given_ = data.draw(inputs(node, request))
        after, effects = node.step(given_)
        check_step(node, given_, effects, after)

    def test_a_plain_value_is_told_from_one_without_order(self) -> None:
        """The law about sets and floats can fail."""
        assert is_plain((1, "a", None, Timer.ASK, Ballot(1, 1), (True,)))
        for value in ({1}, frozenset({1}), {"a": 1}, [1], 1.5, (1, {2})):
            assert not is_plain(value)

    def test_a_broken_order_of_effects_is_told_from_a_sound_one(self) -> None:
        """The law about Persist and Send can fail."""
        before = Node(2).state
        given_ = Received(1, prepare("1.n1"))
        after, effects = before.step(given_)
        check_step(before, given_, effects, after)
        persist, send, *rest = effects
        assert isinstance(persist, Persist)
        with pytest.raises(AssertionError, match="runs ahead of the disk"):
            check_step(before, given_, (send, persist, *rest), after)

    def test_a_fall_through_is_told_from_a_reasoned_ignore(self) -> None:
        """The law about reasons can fail."""
        node = Node(1).state
        with pytest.raises(AssertionError, match="falls through"):
            check_step(node, Received(2, Learned(INSTANCE)), (), node)


class OneInstance(RuleBasedStateMachine):
    """One node, fed anything at all, killed between any two effects.

    Whatever comes: each client is answered at most once, and exactly once if
    the node lives until its time is up; FAILED is certain; exactly the timers
    run that are waited for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.disk = Stored()
        self.open: dict[int, str] = {}
        self.answered: Counter[int] = Counter()
        self.failed: set[str] = set()
        self.sent: set[str] = set()
        self.requests = 0
        self.timers = Timers()
        self.config = Config(INSTANCE, 1, (1, 2, 3))
        self.node = Instance.new(INSTANCE, 1, (1, 2, 3), Settings())

    @initialize(disk=st.just(Stored()) | disks(), tuned=tunings)
    def begin(self, disk: Stored, tuned: Settings) -> None:
        """Any disk, any settings."""
        self.disk = disk
        self.config = Config(INSTANCE, 1, (1, 2, 3), tuned)
        self._recover()

    def _recover(self) -> None:
        config = self.config
        self.node = Instance.recovered(
            INSTANCE, config.node_id, config.members, config.settings, self.disk
        )
        self.timers = Timers()
        # A client whose node died has no answer, and nobody to give it one.
        self.open.clear()
        self.take(Started(INSTANCE))

    def take(self, given_: Input, cut: int | None = None) -> None:
        """A step; with ``cut``, a kill after that many effects, and a start."""
        before = self.node
        self.node, effects = before.step(given_)
        check_step(before, given_, effects, self.node)
        for effect in effects[:cut]:
            self._carry_out(effect)
        if cut is not None:
            self._recover()
            return
        self.timers.take(given_, effects)
        self.timers.check(self.node)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Persist(record, _):
                self.disk = written(self.disk, record)
            case Send(_, Accept(_, _, value)):
                assert value not in self.failed, "a client was told that it failed"
                self.sent.add(value)
            case Answer(_, request, outcome, wanted, known, reason):
                self.answered[request] += 1
                assert self.answered[request] == 1, f"{request} is answered twice"
                assert self.open.pop(request) == wanted, "the answer names what was wanted"
                assert (known is not None) == (outcome is Outcome.CHOSEN), str(effect)
                assert bool(reason) == (outcome is not Outcome.CHOSEN), "say what is missing"
                if outcome is Outcome.FAILED:
                    assert wanted not in self.sent, "an Accept was sent for it"
                    self.failed.add(wanted)
                if outcome is Outcome.UNKNOWN:
                    assert wanted in self.sent, "no Accept was sent: it is certain"
            case _:
                pass

    @rule(data=st.data(), cut=st.sampled_from((None,) * 9 + (0, 1, 2, 3, 5, 8)))
    def anything(self, data: st.DataObject, cut: int | None) -> None:
        """A message, a timer, a link, a start."""
        given_ = data.draw(inputs(self.node, 0))
        if not isinstance(given_, ProposeRequested):
            self.take(given_, cut)

    @rule(data=st.data())
    def something_that_runs(self, data: st.DataObject) -> None:
        """A timer that is really running."""
        if self.timers.running:
            timer, token = data.draw(st.sampled_from(sorted(self.timers.running)))
            reachable = data.draw(st.sampled_from(((), (2,), (2, 3))))
            self.take(TimeoutFired(INSTANCE, timer, token, reachable))

    @rule()
    def client(self) -> None:
        """A wish for a value that nobody else wants."""
        self.requests += 1
        value = f"wish {self.requests}"
        self.open[self.requests] = value
        self.take(ProposeRequested(INSTANCE, self.requests, value, 500))

    @rule()
    def phase_1_succeeds(self) -> None:
        """All acceptors promise the ballot under way, and report nothing."""
        for member in self.config.members:
            self.take(Received(member, Promise(INSTANCE, self.node.proposer.ballot, None)))

    @rule()
    def restart(self) -> None:
        """A kill between two steps."""
        self._recover()

    @invariant()
    def every_open_request_has_its_timer(self) -> None:
        """So each will be answered: by GIVE_UP if by nothing else."""
        waiting = {token for timer, token in self.timers.running if timer is Timer.GIVE_UP}
        assert waiting == set(self.open)

    def teardown(self) -> None:
        """In the end every client's time is up, and each has had exactly one answer."""
        for request in sorted(self.open):
            self.take(TimeoutFired(INSTANCE, Timer.GIVE_UP, request, ()))
        assert not self.open


TestOneInstance = OneInstance.TestCase
TestOneInstance.settings = settings(max_examples=80, stateful_step_count=40)


# How many schedules, of how many moves; checked ones assert every law of every step, too.
SCHEDULES = {3: (1_000, 150), 5: (300, 250)}
SOMETIMES = {
    "a value was chosen",
    "two proposers duelled",
    "a proposer had to push another's value",
    "a reported value was pushed",
    "a nack",
    "a kill within a step",
    "a node began a ballot of its own",
    "a client was told chosen",
    "a client was told that another value is chosen",
    "a client was told failed",
    "a client was told unknown",
}


def check_end(chaos: Chaos) -> None:
    """After a heal: everyone has learned the one value, if anyone had accepted anything."""
    held = {disk.accepted.value for disk in chaos.disks.values() if disk.accepted is not None}
    known = chaos.known()
    assert len(known) == 1, f"they know {known}"
    assert known <= held if held else known == {None}, f"they know {known}, of {held}"
    for node, process in chaos.running.items():
        assert not process.state.proposer.wishes, f"n{node} owes its clients an answer"
        assert set(process.answered) == set(range(1, process.requests + 1)), node
        process.timers.check(process.state)


class TestCluster:
    @pytest.mark.parametrize("count", SCHEDULES)
    def test_safety_holds_and_everyone_learns_after_a_heal(self, count: int) -> None:
        """*Always*, against loss, duplicates, any order, and kills within a step: §2.1.

        "Only a value that has been proposed may be chosen", "only a single
        value is chosen", and "a process never learns that a value has been
        chosen unless it actually has been": the judge raises when one of them
        is broken. *Sometimes*: what a cluster that does nothing never shows.
        """
        schedules, moves = SCHEDULES[count]
        seen: Counter[str] = Counter()
        for seed in range(schedules):
            chaos = Chaos(seed, count)
            chaos.run(moves)
            chaos.heal()
            check_end(chaos)
            seen.update(chaos.seen.keys())
        assert seen.keys() >= SOMETIMES

    @pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
    def test_every_law_holds_in_every_cluster(self, count: int) -> None:
        """The laws of a step, over states that only whole clusters reach."""
        for seed in range(15):
            chaos = Chaos(10_000 + seed, count, checked=True)
            chaos.run(100)
            chaos.heal()
            check_end(chaos)

    def test_equal_seeds_give_equal_clusters(self) -> None:
        """Replaying the same inputs gives equal states: nothing hides outside them."""
        one, other = Chaos(7, 5), Chaos(7, 5)
        one.run(200)
        other.run(200)
        assert one.flight == other.flight
        assert one.disks == other.disks
        assert [p.state for p in one.running.values()] == [p.state for p in other.running.values()]
        assert one.flight


class TestProgress:
    @pytest.mark.parametrize(
        ("count", "up"), [(3, (1, 2)), (5, (1, 2, 3)), (5, (2, 4, 5)), (4, (1, 2, 3))]
    )
    def test_a_majority_makes_progress(self, count: int, up: tuple[int, ...]) -> None:
        """§2.2: "a value to be chosen even if only one value is proposed by a single proposer"."""
        chaos = Chaos(1, count)
        chaos.propose(up[-1])
        chaos.heal(*up)
        assert chaos.known(*up) == {"v1"}
        assert chaos.seen["a client was told chosen"] == 1

    @pytest.mark.parametrize(("count", "up"), [(3, (1,)), (5, (4, 5)), (4, (1, 2)), (2, (1,))])
    def test_a_minority_does_not_and_loses_nothing(self, count: int, up: tuple[int, ...]) -> None:
        """It cannot decide, says so, and when the others come back everyone learns one value."""
        chaos = Chaos(1, count)
        chaos.propose(up[-1])
        chaos.heal(*up)
        assert chaos.known(*up) == {None}
        assert not chaos.judge.chosen
        assert chaos.seen["a client was told failed"] == 1
        value = chaos.propose(up[-1])
        chaos.heal()
        assert chaos.known() == {value}

    @pytest.mark.parametrize("scheme", NumberScheme)
    def test_ranges_starve_a_majority_and_the_other_schemes_do_not(
        self, scheme: NumberScheme
    ) -> None:
        """n5 dies between its quorum of promises and its first Accept; four of five live on.

        All schemes are safe. Under ``ranges`` 4000.n5 blocks all the others for ever.
        """
        chaos = Chaos(1, 5, settings=Settings(scheme=scheme))
        chaos.propose(5)
        chaos.deliver(Prepare, 1, 2, 3)
        chaos.deliver(Promise, 5, 5)
        chaos.deliver(Promise, 5, cut=0)
        chaos.propose(1)
        chaos.heal(1, 2, 3, 4)
        starved = scheme is NumberScheme.RANGES
        assert chaos.known(1, 2, 3, 4) == {None if starved else "v2"}
        assert chaos.seen["a client was told failed"] == (1 if starved else 0)

    def test_ranges_are_safe_under_the_adversary(self) -> None:
        """What they cost is progress, never agreement: the judge finds nothing."""
        seen: Counter[str] = Counter()
        for seed in range(100):
            chaos = Chaos(seed, 3, settings=Settings(scheme=NumberScheme.RANGES))
            chaos.run(150)
            seen.update(chaos.seen.keys())
        assert seen["a value was chosen"] > 10

    def test_two_rivals_that_back_off_both_get_their_answer(self) -> None:
        """§2.4: two proposers could go on for ever; with jitter one of them gets through."""
        for seed in range(20):
            chaos = Chaos(seed, 3)
            chaos.propose(1)
            chaos.propose(3)
            chaos.heal()
            assert len(chaos.known()) == 1
            assert chaos.seen["a client was told chosen"] == 2

    def test_a_duel_can_go_on_for_as_long_as_the_network_likes(self) -> None:
        """§2.4: "increasing numbers, none of which are ever chosen": so back-off, not safety, ends it."""
        chaos = Chaos(1, 3)
        chaos.propose(1)
        chaos.propose(3)
        chaos.flight = [
            flying for flying in chaos.flight if not isinstance(flying[1].message, Status)
        ]
        for _ in range(10):
            for node in (1, 3):
                # Its promises arrive, and its Accepts only after the rival's Prepares.
                chaos.deliver(Prepare, 1, 2, 3)
                chaos.deliver(Promise, node, node)
                for key in sorted(chaos.running[4 - node].timers.running):
                    if key[0] in {Timer.PATIENCE, Timer.RETRY}:
                        chaos.fire(4 - node, *key)
        assert not chaos.judge.chosen
        assert len(chaos.judge.begun) >= 10
        chaos.heal()
        assert len(chaos.known()) == 1
        assert None not in chaos.known()


def test_a_learn_reaches_a_node_that_was_down_all_the_time() -> None:
    """After a heal every node learns, though the first proposer is dead."""
    node = Node(3).hears(2, learn("1.n1 apple", 1, 2), answer=True)
    node.assert_learned("1.n1 apple", 1, 2)
    assert node.state.settled
