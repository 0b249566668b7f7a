"""The learner, sentence by sentence of "Paxos Made Simple" §2.3."""

import pytest

from paxos.protocol import (
    Accept,
    CancelTimer,
    Learned,
    Phase,
    Prepare,
    Proposal,
    SetTimer,
    Settings,
    Status,
    Stored,
    Timer,
)
from tests.paxos_cases import (
    INSTANCE,
    Node,
    accept,
    accepted,
    ballot,
    learn,
    learned,
    prepare,
    promise,
    stored,
)

CONFIRMED = Learned(INSTANCE)
QUESTION = Status(INSTANCE)


def told(*peers: int, count: int = 3) -> Node:
    """n1 has learned apple from its acceptors; these peers have confirmed."""
    quorum = range(1, count // 2 + 2)
    return Node(1, count).hears_all(accepted("1.n1 apple"), *quorum).hears_all(CONFIRMED, *peers)


class TestCounting:
    def test_a_majority_at_one_ballot_is_a_choice(self) -> None:
        """§2.3: it "must find out that a proposal has been accepted by a majority of acceptors"."""
        node = Node(1, 5).hears_all(accepted("1.n1 apple"), 4, 2)
        assert node.state.learner.learned is None
        node.hears(5, accepted("1.n1 apple")).assert_learned("1.n1 apple", 2, 4, 5)

    def test_the_same_acceptor_counts_once(self) -> None:
        """A network may duplicate an Accepted."""
        node = Node(1).hears_all(accepted("1.n1 apple"), 2, 2)
        node.assert_ignores("its acceptance is counted already")
        assert node.state.learner.learned is None

    def test_acceptors_are_not_counted_across_ballots(self) -> None:
        """Chosen means a quorum at *one* ballot: the same value at two ballots is no choice."""
        node = Node(1, 5).hears(1, accepted("1.n1 apple")).hears(2, accepted("1.n1 apple"))
        node.hears_all(accepted("2.n3 apple"), 3, 4)
        assert node.state.learner.learned is None
        assert node.state.learner.counted(Proposal(ballot("2.n3"), "apple")) == (3, 4)

    def test_an_acceptor_may_count_at_several_ballots(self) -> None:
        """§2.2: an acceptor accepts more than one proposal; each is counted by itself."""
        node = Node(1).hears(2, accepted("1.n1 apple")).hears(2, accepted("2.n3 pear"))
        node.hears(3, accepted("2.n3 pear")).assert_learned("2.n3 pear", 2, 3)

    def test_two_values_at_one_ballot_are_two_proposals(self) -> None:
        """Should a proposer break R3, its acceptances are not thrown together."""
        node = Node(1).hears(2, accepted("1.n1 apple")).hears(3, accepted("1.n1 pear"))
        assert node.state.learner.learned is None

    def test_an_old_ballot_may_still_be_completed(self) -> None:
        """§2.2: responses "may arrive at their destinations long after the proposal was abandoned"."""
        node = Node(1, 5).hears_all(accepted("1.n1 apple"), 2, 3).hears(4, accepted("2.n3 apple"))
        node.hears(5, accepted("1.n1 apple")).assert_learned("1.n1 apple", 2, 3, 5)

    @pytest.mark.parametrize("stranger", [4, 101])
    def test_only_acceptors_count(self, stranger: int) -> None:
        """A guest has no acceptor, and a stranger none of this cluster."""
        node = Node(1).hears(2, accepted("1.n1 apple")).hears(stranger, accepted("1.n1 apple"))
        node.assert_ignores("no acceptor of this cluster")

    def test_what_is_learned_is_recorded_without_a_sync(self) -> None:
        """Losing it costs only asking again: that node asks its peers."""
        node = Node(1).hears_all(accepted("1.n1 apple"), 1, 2)
        node.assert_persists(learned("1.n1 apple", 1, 2))
        assert node.disk.learned == learned("1.n1 apple", 1, 2)

    def test_later_acceptances_change_nothing(self) -> None:
        """Only one value can ever be chosen; it need not be learned twice."""
        told().hears(3, accepted("1.n1 apple")).assert_ignores("learned already")

    def test_one_node_alone_is_a_majority_of_one(self) -> None:
        """N = 1 has nobody to tell, and no timer for it."""
        node = Node(1, 1).hears(1, accepted("1.n1 apple"))
        node.assert_learned("1.n1 apple", 1)
        node.assert_sends_nothing()
        assert node.state.settled


class TestTelling:
    def test_the_distinguished_learner_tells_the_others(self) -> None:
        """§2.3: it "in turn informs the other learners when a value has been chosen"."""
        node = Node(1, 5).hears_all(accepted("1.n1 apple"), 3, 1, 5)
        node.assert_sends(learn("1.n1 apple", 1, 3, 5), 2, 3, 4, 5)

    def test_it_tells_again_who_has_not_answered(self) -> None:
        """To each again, every ``learn_interval_ms``, while its link is up."""
        node = told(2, count=5)
        node.assert_waits(Timer.RESEND, 500, 500)
        node.fires(Timer.RESEND, 0, (2, 3, 5)).assert_sends(learn("1.n1 apple", 1, 2, 3), 3, 5)
        node.assert_waits(Timer.RESEND, 500, 500)

    def test_it_rests_when_nobody_can_be_reached(self) -> None:
        """Nothing is sent into a void; the link's return wakes it."""
        node = told(2).fires(Timer.RESEND, 0, (2,))
        node.assert_ignores("nobody who can be reached")
        assert not node.timers.running
        node.sees(3).assert_sends(learn("1.n1 apple", 1, 2), 3)
        node.assert_waits(Timer.RESEND, 500, 500)

    def test_the_last_confirmation_ends_the_telling(self) -> None:
        """All have learned: the timer is cancelled and nothing is left to be done."""
        assert not told(2).state.settled
        node = told(2).hears(3, CONFIRMED)
        assert CancelTimer(INSTANCE, Timer.RESEND, 0) in node.effects
        assert node.state.settled
        node.sees(3).assert_ignores("need not be told")

    def test_a_confirmation_counts_once(self) -> None:
        """Nor one by somebody who was not told."""
        told(2).hears(2, CONFIRMED).assert_ignores("nothing was asked")
        Node(1).hears(2, CONFIRMED).assert_ignores("nothing was asked")


class TestBeingTold:
    def test_a_quorum_is_evidence_enough(self) -> None:
        """Four fields: instance, ballot, value, and the acceptors; they are recorded and confirmed."""
        node = Node(2, 5).hears(1, learn("1.n1 apple", 1, 3, 5))
        node.assert_persists(learned("1.n1 apple", 1, 3, 5))
        node.assert_sends(CONFIRMED, 1)

    @pytest.mark.parametrize(
        ("acceptors", "reason"),
        [
            ((), "no quorum"),
            ((1, 2), "no quorum"),
            ((1, 1, 2), "no distinct acceptors"),
            ((1, 2, 6), "no distinct acceptors"),
            ((1, 2, 101), "no distinct acceptors"),
        ],
    )
    def test_less_is_not(self, acceptors: tuple[int, ...], reason: str) -> None:
        """The named must be distinct acceptors of this cluster and a quorum."""
        node = Node(2, 5).hears(1, learn("1.n1 apple", *acceptors))
        node.assert_ignores(reason)
        node.assert_sends_nothing()
        assert node.state.learner.learned is None

    def test_evidence_in_any_order_is_recorded_in_one(self) -> None:
        """No unsorted set reaches a record."""
        node = Node(2).hears(1, learn("1.n1 apple", 3, 1))
        node.assert_persists(learned("1.n1 apple", 1, 3))

    def test_it_confirms_each_time_it_is_told(self) -> None:
        """The first confirmation may have been lost."""
        node = Node(2).hears(1, learn("1.n1 apple", 1, 2)).hears(1, learn("1.n1 apple", 1, 2))
        node.assert_ignores("learned already")
        node.assert_sends(CONFIRMED, 1)
        node.assert_persists()

    def test_another_value_is_ignored_in_plain_words(self) -> None:
        """Only a broken protocol can send it: what is learned stays, and the log says what came."""
        node = Node(2).hears(1, learn("1.n1 apple", 1, 2)).hears(3, learn("2.n3 pear", 2, 3))
        node.assert_ignores("it has learned another value")
        node.assert_learned("1.n1 apple", 1, 2)

    def test_who_is_told_need_not_tell_the_others(self) -> None:
        """The distinguished learner does; the others ask if they miss it."""
        node = Node(2).hears(1, learn("1.n1 apple", 1, 2))
        assert node.state.settled

    def test_a_chosen_value_sets_the_proposer_at_rest(self) -> None:
        """Its clients are told, and its timers end."""
        node = Node(2).wishes("pear").hears(1, learn("1.n1 apple", 1, 3))
        node.assert_phase(Phase.DONE, "1.n2")
        assert not node.timers.running
        node.hears_all(promise("1.n2"), 1, 3).assert_ignores("phase 1 of this ballot is over")


class TestAsking:
    def test_who_knows_answers(self) -> None:
        """§2.3: "a value could be chosen with no learner ever finding out": so learners ask."""
        told().hears(3, QUESTION).assert_sends(learn("1.n1 apple", 1, 2), 3)

    def test_who_does_not_know_says_nothing(self) -> None:
        """There is no message for it."""
        node = Node(1).hears(3, QUESTION)
        node.assert_ignores("it has not learned")
        node.assert_sends_nothing()

    def test_an_answer_is_not_confirmed(self) -> None:
        """Nobody waits for it: its sender keeps no list."""
        node = Node(3).hears(1, learn("1.n1 apple", 1, 2), answer=True)
        node.assert_learned("1.n1 apple", 1, 2)
        node.assert_sends_nothing()
        node.hears(2, learn("1.n1 apple", 1, 2), answer=True).assert_ignores("learned already")

    @pytest.mark.parametrize("involved", [prepare("1.n1"), accept("1.n1 apple")])
    def test_an_acceptor_that_was_involved_asks(self, involved: Prepare | Accept) -> None:
        """About an instance in which it has promised or accepted it will want to know."""
        node = Node(2).hears(1, involved)
        node.assert_waits(Timer.ASK, 500, 500)

    def test_who_was_asked_to_propose_asks_too(self) -> None:
        """Its client may be gone when the value is chosen."""
        Node(1).wishes("apple").assert_waits(Timer.ASK, 500, 500)

    @pytest.mark.parametrize("disk", [stored("1.n1"), stored(round=1), stored("1.n1", "1.n1 x")])
    def test_after_a_start_it_asks_again(self, disk: Stored) -> None:
        """What was promised, accepted or begun before the crash still matters."""
        node = Node(2, disk=disk).restarts()
        node.assert_waits(Timer.ASK, 500, 500)

    @pytest.mark.parametrize("disk", [stored(), stored("1.n1", learned=learned("1.n1 x", 1, 2))])
    def test_after_a_start_with_nothing_to_find_out_it_rests(self, disk: Stored) -> None:
        """Not involved, or it knows."""
        node = Node(2, disk=disk).restarts()
        node.assert_ignores("nothing to find out")
        assert not node.timers.running

    def test_it_asks_everyone_it_can_reach(self) -> None:
        """And nobody else."""
        node = Node(2, 5).hears(1, prepare("1.n1")).fires(Timer.ASK, 0, (1, 3, 5))
        node.assert_sends(QUESTION, 1, 3, 5)

    def test_the_intervals_double_up_to_a_minute(self) -> None:
        """A node alone for an hour does not flood its log."""
        node = Node(2).hears(1, prepare("1.n1"))
        waits = []
        for _ in range(9):
            waits.append(node.timer(Timer.ASK).least_ms)
            node.fires(Timer.ASK)
        assert waits == [500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]

    def test_being_involved_again_does_not_put_the_question_off(self) -> None:
        """A lively rival must not keep it from asking."""
        node = Node(2).hears(1, prepare("1.n1")).hears(3, prepare("1.n3"))
        assert not any(isinstance(effect, SetTimer) for effect in node.effects)

    def test_who_has_learned_stops_asking(self) -> None:
        """Both plans end: the question and the ballot of its own."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(1, learn("1.n1 apple", 1, 2))
        assert not node.timers.running
        node.fires(Timer.ASK, 0, (1, 3)).assert_ignores("learned already")
        node.fires(Timer.OWN_BALLOT).assert_ignores("learned already")

    @pytest.mark.parametrize("timer", [Timer.ASK, Timer.OWN_BALLOT, Timer.RESEND])
    def test_a_timer_of_an_earlier_incarnation_starts_nothing(self, timer: Timer) -> None:
        """Handed back after a restart (by hand, say), it must not begin a loop of its own."""
        node = Node(2).fires(timer, 0, (1, 3))
        node.assert_ignores("planned|waits to be told")
        assert not node.timers.running


class TestOwnBallot:
    def involved(self, *, settings: Settings | None = None) -> Node:
        """n2 has accepted, and n1, whose proposal it was, is dead."""
        return Node(2, settings=settings).hears(1, accept("1.n1 apple"))

    def test_who_cannot_find_out_has_a_proposal_issued(self) -> None:
        """§2.3: "it can have a proposer issue a proposal, using the algorithm described above"."""
        node = self.involved()
        node.assert_waits(Timer.OWN_BALLOT, 3_000, 6_000)
        node.fires(Timer.OWN_BALLOT).assert_sends(prepare("1.n2"), 1, 2, 3)
        node.hears(2, promise("1.n2", "1.n1 apple")).hears(3, promise("1.n2"))
        node.assert_sends(accept("1.n2 apple"), 1, 2, 3)
        node.hears_all(accepted("1.n2 apple"), 2, 3).assert_learned("1.n2 apple", 2, 3)

    def test_a_promise_alone_is_no_reason(self) -> None:
        """Who holds no accepted pair has nothing to push: its peers will find out."""
        node = Node(2).hears(1, prepare("1.n1"))
        assert (Timer.OWN_BALLOT, 0) not in node.timers.running
        assert (Timer.OWN_BALLOT, 0) in node.hears(1, accept("1.n1 apple")).timers.running

    def test_a_busy_proposer_will_find_out_without_it(self) -> None:
        """Nothing is begun twice; the timer stays, in case."""
        node = self.involved().wishes("pear").fires(Timer.OWN_BALLOT)
        node.assert_ignores("its proposer is at work")
        node.assert_sends_nothing()
        node.assert_waits(Timer.OWN_BALLOT, 3_000, 6_000)

    def test_one_that_fails_is_tried_again_later(self) -> None:
        """Without a quorum it gives up at once and waits for its timer, jittered: no duel."""
        node = self.involved().fires(Timer.OWN_BALLOT).loses_patience()
        node.assert_phase(Phase.IDLE, "1.n2")
        node.fires(Timer.OWN_BALLOT).assert_sends(prepare("2.n2"), 1, 2, 3)

    def test_switched_off_it_is_never_planned(self) -> None:
        """In manual mode nobody begins a ballot that nobody asked for."""
        node = self.involved(settings=Settings(own_ballots=False))
        assert (Timer.OWN_BALLOT, 0) not in node.timers.running

    def test_switched_off_later_it_is_dropped(self) -> None:
        """The plan ends when its timer comes; switched on again, the next message makes a new one."""
        node = self.involved()
        node.state = node.state.with_settings(Settings(own_ballots=False))
        node.fires(Timer.OWN_BALLOT).assert_ignores("own ballots are off")
        assert (Timer.OWN_BALLOT, 0) not in node.timers.running
        node.state = node.state.with_settings(Settings())
        node.hears(3, prepare("2.n3"))
        node.assert_waits(Timer.OWN_BALLOT, 3_000, 6_000)


def test_tallies_stand_in_the_order_of_their_ballots() -> None:
    """What comes in in any order is printed in one."""
    node = Node(1, 5)
    for pushed in ("2.n3 pear", "1.n1 fig", "1.n1 apple"):
        node.hears(4, accepted(pushed))
    assert [
        (str(tally.proposal.ballot), tally.proposal.value) for tally in node.state.learner.tallies
    ] == [("1.n1", "apple"), ("1.n1", "fig"), ("2.n3", "pear")]


def test_a_learner_that_has_not_learned_tells_nothing() -> None:
    """Telling what one does not know would be our bug: an assertion ends it."""
    node = Node(1)
    with pytest.raises(AssertionError, match="only a learned value"):
        node.state.learner._tell((2,))
