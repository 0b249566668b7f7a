"""The proposer, sentence by sentence of "Paxos Made Simple" §2.2, §2.4 and §2.5."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paxos.protocol import (
    Accept,
    Ballot,
    CancelTimer,
    NumberScheme,
    Outcome,
    Phase,
    Promise,
    Proposal,
    RoundRecord,
    SetTimer,
    Settings,
    Timer,
)
from tests.paxos_cases import (
    INSTANCE,
    Node,
    accept,
    accepted,
    ballot,
    learn,
    nack,
    prepare,
    promise,
    proposal,
    stored,
)

CHOSEN, FAILED, UNKNOWN = Outcome


def preparing(value: str = "apple", count: int = 3, settings: Settings | None = None) -> Node:
    """n1 has sent its Prepare at 1.n1."""
    return Node(1, count, settings=settings).wishes(value)


def accepting(value: str = "apple", count: int = 3, settings: Settings | None = None) -> Node:
    """n1 has sent its Accept at 1.n1: the choice was free."""
    node = preparing(value, count, settings)
    return node.hears_all(promise("1.n1"), *range(1, count // 2 + 2))


class TestPhase1:
    def test_it_selects_a_number_and_asks_all_acceptors(self) -> None:
        """§2.2, 1(a): "selects a proposal number n and sends a prepare request with number n"."""
        preparing(count=5).assert_sends(prepare("1.n1"), 1, 2, 3, 4, 5)

    def test_it_remembers_its_number_before_it_uses_it(self) -> None:
        """§2.5: "remembers (in stable storage) the highest-numbered proposal it has tried to issue"."""
        node = preparing()
        node.assert_persists(RoundRecord(INSTANCE, 1))
        kinds = [type(e).__name__ for e in node.effects if not isinstance(e, SetTimer)]
        assert kinds == ["Persist", "Send", "Send", "Send"]

    def test_it_never_issues_a_number_again(self) -> None:
        """§2.5: "begins phase 1 with a higher proposal number than any it has already used"."""
        node = preparing().restarts().wishes("pear")
        node.assert_sends(prepare("2.n1"), 1, 2, 3)
        node.restarts().wishes("fig").assert_sends(prepare("3.n1"), 1, 2, 3)

    def test_less_than_a_majority_is_no_quorum(self) -> None:
        """§2.2, 2(a): "a response ... from a majority of acceptors"."""
        node = preparing(count=5).hears_all(promise("1.n1"), 1, 2)
        node.assert_sends_nothing()
        node.assert_phase(Phase.PREPARING, "1.n1")

    def test_the_same_acceptor_counts_once(self) -> None:
        """A quorum is of distinct acceptors (booth PR 47)."""
        node = preparing().hears_all(promise("1.n1"), 2, 2, 2)
        node.assert_ignores("its promise is counted already")
        node.assert_phase(Phase.PREPARING, "1.n1")

    def test_a_later_promise_of_an_acceptor_replaces_its_earlier_one(self) -> None:
        """Whatever it says, it is one acceptor; what it says last is the safer to heed."""
        node = preparing(count=5).hears(2, promise("1.n1")).hears(2, promise("1.n1", "0.n3 pear"))
        (report,) = node.state.proposer.promises
        assert report.accepted == proposal("0.n3 pear")

    def test_promises_of_an_older_ballot_do_not_count(self) -> None:
        """A promise is for one number (MyPaxos #18 counted stale ones)."""
        node = preparing().loses_patience().fires(Timer.RETRY)
        node.hears_all(promise("1.n1"), 1, 2).assert_ignores(r"the ballot under way is 2\.n1")

    def test_strangers_and_guests_do_not_count(self) -> None:
        """Only acceptors of this cluster make a quorum."""
        for stranger in (4, 101):
            preparing().hears(stranger, promise("1.n1")).assert_ignores("no acceptor")


class TestPhase2:
    def test_with_a_majority_it_asks_for_acceptance(self) -> None:
        """§2.2, 2(a): "then it sends an accept request to each of those acceptors"; ours, to all."""
        accepting().assert_sends(accept("1.n1 apple"), 1, 2, 3)

    def test_it_may_choose_freely_when_nothing_is_reported(self) -> None:
        """§2.2, 2(a): "or is any value if the responses reported no proposals"."""
        node = accepting("pear")
        assert node.state.proposer.pushing == proposal("1.n1 pear")
        assert node.state.proposer.reported is None

    def test_it_must_push_the_reported_value(self) -> None:
        """§2.2, 2(a): "the value of the highest-numbered proposal among the responses".

        Wanted pear, must push apple: were it free to choose, two values could be chosen.
        """
        node = Node(1, disk=stored(round=1)).wishes("pear")
        node.hears(1, promise("2.n1")).hears(2, promise("2.n1", "1.n2 apple"))
        node.assert_sends(accept("2.n1 apple"), 1, 2, 3)
        report = node.state.proposer.reported
        assert report is not None
        assert (report.node, report.accepted) == (2, proposal("1.n2 apple"))

    @pytest.mark.parametrize("order", [(2, 3, 4), (4, 3, 2), (3, 4, 2)])
    def test_the_highest_report_wins_in_any_order(self, order: tuple[int, ...]) -> None:
        """Neither the first, nor the last, nor the most frequent: the highest-numbered."""
        reports = {2: "1.n2 apple", 3: "3.n1 pear", 4: "2.n5 apple"}
        node = Node(1, 5, disk=stored(round=3)).wishes("fig")
        for source in order:
            node.hears(source, promise("4.n1", reports[source]))
        node.assert_sends(accept("4.n1 pear"), 1, 2, 3, 4, 5)

    def test_equal_rounds_are_ordered_by_node(self) -> None:
        """A ballot is a pair: 1.n3 is above 1.n2."""
        node = Node(1, 5, disk=stored(round=1)).wishes("fig")
        node.hears(2, promise("2.n1", "1.n3 pear")).hears(3, promise("2.n1", "1.n2 apple"))
        node.hears(4, promise("2.n1")).assert_sends(accept("2.n1 pear"), 1, 2, 3, 4, 5)

    def test_a_late_promise_does_not_reopen_phase_2(self) -> None:
        """R3: a ballot carries one value, though a higher pair be reported later."""
        node = accepting().hears(3, promise("1.n1", "0.n3 pear"))
        node.assert_ignores("phase 1 of this ballot is over")
        assert node.state.proposer.pushing == proposal("1.n1 apple")

    def test_the_oldest_wish_is_pushed(self) -> None:
        """Clients of one node queue up; its acceptor sees one value a ballot."""
        node = preparing("apple").wishes("pear").hears_all(promise("1.n1"), 1, 2)
        node.assert_sends(accept("1.n1 apple"), 1, 2, 3)

    def test_a_ballot_to_find_out_waits_for_a_report(self) -> None:
        """Without a client and a report there is no value yet; its own acceptor has one to report.

        Were the first quorum final, a node whose own promise comes last would
        ask for ever and never learn.
        """
        node = Node(1, disk=stored("0.n3", "0.n3 apple")).restarts().fires(Timer.OWN_BALLOT)
        node.assert_sends(prepare("1.n1"), 1, 2, 3)
        node.hears_all(promise("1.n1"), 2, 3).assert_sends_nothing()
        node.hears(1, promise("1.n1", "0.n3 apple"))
        node.assert_sends(accept("1.n1 apple"), 1, 2, 3)

    def test_a_ballot_to_find_out_ends_with_its_patience(self) -> None:
        """Nothing was reported: it rests, and the learner's timer begins the next one."""
        node = Node(1, disk=stored("0.n3", "0.n3 apple")).restarts().fires(Timer.OWN_BALLOT)
        node.hears_all(promise("1.n1"), 2, 3).loses_patience()
        node.assert_sends_nothing()
        node.assert_phase(Phase.IDLE, "1.n1")

    def test_a_client_that_joins_a_ballot_to_find_out_gives_it_a_value(self) -> None:
        """The next promise, or the next ballot, pushes what it wants."""
        node = Node(1, 5, disk=stored("0.n3", "0.n3 apple")).restarts().fires(Timer.OWN_BALLOT)
        node.hears_all(promise("1.n1"), 2, 3, 4).wishes("pear").hears(5, promise("1.n1"))
        node.assert_sends(accept("1.n1 pear"), 1, 2, 3, 4, 5)


class TestAbandoning:
    def test_it_can_abandon_a_proposal_at_any_time(self) -> None:
        """§2.2: "It can abandon a proposal in the middle of the protocol at any time"."""
        node = accepting().loses_patience().fires(Timer.RETRY)
        node.assert_sends(prepare("2.n1"), 1, 2, 3)

    def test_what_it_abandoned_may_still_succeed(self) -> None:
        """§2.2: "even though requests and/or responses ... may arrive ... long after"."""
        node = accepting().loses_patience().fires(Timer.RETRY)
        node.hears_all(accepted("1.n1 apple"), 2, 3)
        node.assert_learned("1.n1 apple", 2, 3)
        node.assert_answers((1, CHOSEN, "apple"))

    def test_a_new_ballot_begins_with_phase_1(self) -> None:
        """A time-out proves nothing: the next ballot heeds what the last one left behind."""
        node = accepting("apple").loses_patience().fires(Timer.RETRY)
        node.hears(2, promise("2.n1", "1.n3 pear")).hears(3, promise("2.n1", "1.n1 apple"))
        node.assert_sends(accept("2.n1 pear"), 1, 2, 3)

    def test_one_refusal_decides_nothing(self) -> None:
        """The others may still be a quorum: a single nack cannot abort a ballot."""
        node = accepting().hears(3, nack("1.n1", "4.n3"))
        node.assert_phase(Phase.ACCEPTING, "1.n1")
        node.hears_all(accepted("1.n1 apple"), 1, 2).assert_answers((1, CHOSEN, "apple"))

    def test_when_no_quorum_is_left_it_gives_the_ballot_up(self) -> None:
        """§2.2: the proposer "should then abandon its proposal"; it tries above what it met."""
        node = accepting().hears(3, nack("1.n1", "4.n3")).hears(2, nack("1.n1", "2.n2"))
        node.assert_phase(Phase.BACKING_OFF, "1.n1")
        node.fires(Timer.RETRY).assert_sends(prepare("5.n1"), 1, 2, 3)

    def test_the_same_refusal_counts_once(self) -> None:
        """A network may duplicate: two refusals of one acceptor leave a quorum."""
        node = preparing().hears_all(nack("1.n1", "4.n3"), 3, 3)
        node.assert_ignores("its refusal is counted already")
        node.assert_phase(Phase.PREPARING, "1.n1")

    def test_refusals_are_of_one_ballot(self) -> None:
        """A new ballot begins with nobody against it: one more refusal must not end it."""
        node = preparing().hears_all(nack("1.n1", "4.n3"), 2, 3).fires(Timer.RETRY)
        node.hears(2, nack("5.n1", "6.n2")).assert_phase(Phase.PREPARING, "5.n1")

    def test_a_stranger_cannot_refuse(self) -> None:
        """Refusals of those who are no acceptors say nothing about the quorum that is left."""
        node = preparing()
        for stranger in (4, 5, 101):
            node.hears(stranger, nack("1.n1", "4.n3")).assert_ignores("no acceptor")
        node.assert_phase(Phase.PREPARING, "1.n1")

    def test_a_stale_refusal_does_not_touch_a_later_ballot(self) -> None:
        """A proposer that has moved on ignores it: else it could abort phase 2 again and again."""
        node = preparing().loses_patience().fires(Timer.RETRY)
        for source in (1, 2, 3):
            node.hears(source, nack("1.n1", "4.n3")).assert_ignores(r"under way is 2\.n1")
        node.assert_phase(Phase.PREPARING, "2.n1")

    def test_a_refusal_after_the_end_is_ignored(self) -> None:
        """A ballot is given up once."""
        node = preparing().hears_all(nack("1.n1", "4.n3"), 2, 3)
        node.hears(1, nack("1.n1", "4.n3")).assert_ignores("this ballot is over")


class TestBackingOff:
    def test_the_wait_doubles_up_to_its_limit(self) -> None:
        """§2.4: two proposers can each "keep issuing a sequence of proposals": so they wait."""
        node = preparing(settings=Settings(backoff_base_ms=50, backoff_most_ms=300))
        waits = []
        for _ in range(5):
            node.loses_patience()
            waits.append((node.timer(Timer.RETRY).least_ms, node.timer(Timer.RETRY).most_ms))
            node.fires(Timer.RETRY)
        assert waits == [(25, 50), (50, 100), (100, 200), (150, 300), (150, 300)]

    def test_without_back_off_it_tries_again_at_once(self) -> None:
        """The setting that lets a duel go on for ever."""
        node = preparing(settings=Settings(backoff=False)).loses_patience()
        assert (node.timer(Timer.RETRY).least_ms, node.timer(Timer.RETRY).most_ms) == (0, 0)

    def test_a_very_long_duel_overflows_nothing(self) -> None:
        """The doubling has an end, whatever the number of attempts."""
        node = preparing()
        for _ in range(100):
            node.loses_patience().fires(Timer.RETRY)
        node.loses_patience()
        assert node.timer(Timer.RETRY).most_ms == 2_000
        node.assert_phase(Phase.BACKING_OFF, "101.n1")

    def test_patience_begins_anew_with_phase_2(self) -> None:
        """Each phase may take its time."""
        node = accepting(settings=Settings(patience_ms=123))
        assert SetTimer(INSTANCE, Timer.PATIENCE, 1, 123, 123) in node.effects

    @pytest.mark.parametrize("timer", [Timer.PATIENCE, Timer.RETRY])
    def test_a_timer_that_comes_too_late_is_ignored(self, timer: Timer) -> None:
        """A timer carries its ballot's round, or meets a proposer that does not wait."""
        accepting().fires(timer, 0).assert_ignores("over|not waiting")

    def test_it_gives_up_at_last_when_every_client_is_gone(self) -> None:
        """After ``attempt_limit`` ballots with nobody waiting; what it pushed stays pushed."""
        node = accepting(settings=Settings(attempt_limit=2)).gives_up(1)
        node.assert_answers((1, UNKNOWN, None))
        node.loses_patience().fires(Timer.RETRY).loses_patience()
        node.assert_phase(Phase.IDLE, "2.n1")

    def test_it_never_gives_up_on_a_client_that_waits(self) -> None:
        """The limit is for those who are gone."""
        node = accepting(settings=Settings(attempt_limit=1)).loses_patience()
        node.assert_phase(Phase.BACKING_OFF, "1.n1")


class TestAnswers:
    def test_chosen(self) -> None:
        """The client hears what is chosen, and its timer ends."""
        node = accepting().hears_all(accepted("1.n1 apple"), 1, 2)
        node.assert_answers((1, CHOSEN, "apple"))
        node.assert_phase(Phase.DONE, "1.n1")
        assert CancelTimer(INSTANCE, Timer.GIVE_UP, 1) in node.effects

    def test_chosen_but_not_yours(self) -> None:
        """A proposer whose value lost is told so: wanted and learned are both in the answer."""
        node = preparing("pear").hears(2, learn("1.n2 apple", 2, 3))
        (answer,) = node.answers
        assert (answer.outcome, answer.wanted) == (CHOSEN, "pear")
        assert answer.learned == proposal("1.n2 apple")

    def test_a_client_that_comes_later_is_told_at_once(self) -> None:
        """No ballot is begun for an instance whose value is known."""
        node = Node(1).hears(2, learn("1.n2 apple", 2, 3)).wishes("pear")
        node.assert_answers((1, CHOSEN, "apple"))
        node.assert_sends_nothing()
        assert not node.state.proposer.wishes

    def test_failed_when_no_accept_was_ever_sent(self) -> None:
        """Definite: "did not and never will happen". The value is dropped and the ballot ends."""
        node = preparing("pear").gives_up(1)
        node.assert_answers((1, FAILED, None))
        node.assert_phase(Phase.IDLE, "1.n1")
        node.hears_all(promise("1.n1"), 1, 2).assert_sends_nothing()

    def test_failed_while_backing_off(self) -> None:
        """Dropped there too: the retry is called off."""
        node = preparing("pear").loses_patience().gives_up(1)
        node.assert_answers((1, FAILED, None))
        assert CancelTimer(INSTANCE, Timer.RETRY, 0) in node.effects
        node.fires(Timer.RETRY).assert_ignores("not waiting")

    def test_failed_though_another_value_is_pushed(self) -> None:
        """Who had to push apple sent no Accept for pear: pear's failure is certain, apple goes on."""
        node = Node(1, disk=stored(round=1)).wishes("pear")
        node.hears(1, promise("2.n1")).hears(2, promise("2.n1", "1.n2 apple")).gives_up(1)
        node.assert_answers((1, FAILED, None))
        node.assert_phase(Phase.ACCEPTING, "2.n1")

    def test_unknown_once_an_accept_was_sent(self) -> None:
        """Indefinite: it may have been accepted, and the proposer goes on."""
        node = accepting().gives_up(1)
        node.assert_answers((1, UNKNOWN, None))
        node.assert_phase(Phase.ACCEPTING, "1.n1")
        node.hears_all(accepted("1.n1 apple"), 1, 2).assert_answers()
        node.assert_learned("1.n1 apple", 1, 2)

    def test_unknown_for_ever_after(self) -> None:
        """A new ballot does not make the old Accept unsent."""
        node = accepting().loses_patience().fires(Timer.RETRY).gives_up(1)
        node.assert_answers((1, UNKNOWN, None))

    def test_unknown_for_everyone_whose_value_is_under_way(self) -> None:
        """Two clients with one value: what is pushed for one is pushed for both."""
        node = accepting("apple").wishes("apple").gives_up(2)
        node.assert_answers((2, UNKNOWN, None))
        later = accepting("apple").loses_patience().fires(Timer.RETRY).wishes("apple").gives_up(2)
        later.assert_answers((2, UNKNOWN, None))

    def test_unknown_for_a_value_pushed_after_its_client_joined(self) -> None:
        """A value that was reported and happens to be the client's own was sent all the same."""
        node = Node(1, disk=stored(round=1)).wishes("apple")
        node.hears(1, promise("2.n1")).hears(2, promise("2.n1", "1.n2 apple")).gives_up(1)
        node.assert_answers((1, UNKNOWN, None))

    def test_a_client_is_answered_once(self) -> None:
        """Late timers of a client that has its answer are ignored."""
        node = accepting().gives_up(1).gives_up(1)
        node.assert_ignores("the client has its answer")
        node.gives_up(7).assert_ignores("the client has its answer")

    def test_one_client_leaves_and_the_other_goes_on(self) -> None:
        """Dropping a wish ends the ballot only if nobody else wants something."""
        node = preparing("apple").wishes("pear").gives_up(1)
        node.assert_answers((1, FAILED, None))
        node.hears_all(promise("1.n1"), 1, 2).assert_sends(accept("1.n1 pear"), 1, 2, 3)

    def test_a_value_chosen_answers_every_client(self) -> None:
        """Once each, in the order in which they came, but for the one that has left."""
        node = accepting("apple").wishes("pear").wishes("fig").gives_up(1)
        node.hears(2, learn("1.n1 apple", 1, 2))
        node.assert_answers((2, CHOSEN, "apple"), (3, CHOSEN, "apple"))


LACKING: list[tuple[Callable[[], Node], str]] = [
    (preparing, "promises of 1.n1 came from nobody, none from n1, n2, n3; 2 of 3 are needed"),
    (
        lambda: preparing().hears(2, promise("1.n1")),
        "promises of 1.n1 came from n2, none from n1, n3; 2 of 3 are needed",
    ),
    (
        lambda: preparing().hears_all(nack("1.n1", "4.n3"), 2, 3),
        "n2, n3 refused 1.n1, having promised up to 4.n3; 2 of 3 are needed",
    ),
    (accepting, "no quorum was known to have accepted 1.n1; 2 of 3 are needed"),
]


@pytest.mark.parametrize(("made", "sentence"), LACKING)
def test_an_answer_without_a_value_says_what_is_missing(
    made: Callable[[], Node], sentence: str
) -> None:
    """A client is told which quorum its proposal lacks."""
    node = made().gives_up(1)
    assert [answer.reason for answer in node.answers] == [sentence]


class TestRanges:
    RANGES = Settings(scheme=NumberScheme.RANGES)

    def test_a_block_that_is_used_up_fails_the_client(self) -> None:
        """Safe but not live: with a majority alive, n1 can never win again, and says why."""
        node = preparing("apple", 5, self.RANGES)
        node.assert_sends(prepare("0.n1"), 1, 2, 3, 4, 5)
        node.hears_all(nack("0.n1", "4000.n5"), 2, 3, 4).fires(Timer.RETRY)
        node.assert_answers((1, FAILED, None))
        assert node.answers[0].reason == ("n1 owns the numbers 0 to 999 and is blocked by 4000.n5")
        node.assert_sends_nothing()

    def test_those_who_come_later_fail_at_once(self) -> None:
        """It remembers the number that it met: nobody waits for nothing."""
        node = preparing("apple", 5, self.RANGES)
        node.hears_all(nack("0.n1", "4000.n5"), 2, 3, 4).fires(Timer.RETRY).wishes("pear")
        node.assert_answers((2, FAILED, None))
        node.assert_sends_nothing()
        assert not [timer for timer, _ in node.timers.running if timer is Timer.GIVE_UP]

    def test_a_value_that_was_sent_ends_unknown(self) -> None:
        """Blocked after phase 2: whether it was accepted, nobody here can say."""
        node = preparing("apple", 5, self.RANGES).hears_all(promise("0.n1"), 1, 2, 3)
        node.hears_all(nack("0.n1", "4000.n5"), 2, 3, 4).fires(Timer.RETRY)
        node.assert_answers((1, UNKNOWN, None))

    def test_the_last_block_is_blocked_by_nobody(self) -> None:
        """n5 goes on: above 4000 only its own numbers are used."""
        node = Node(5, 5, settings=self.RANGES).wishes("apple")
        node.assert_sends(prepare("4000.n5"), 1, 2, 3, 4, 5)
        node.loses_patience().fires(Timer.RETRY).assert_sends(prepare("4001.n5"), 1, 2, 3, 4, 5)

    def test_no_round_is_left_above_the_highest_that_a_guest_can_use(self) -> None:
        """Its answer is a sentence, not a number that no log reader can hold."""
        node = preparing().hears_all(nack("1.n1", "9007199254740991.g1"), 2, 3)
        node.fires(Timer.RETRY).assert_answers((1, FAILED, None))
        assert node.answers[0].reason == "n1 has no number left above 9007199254740991.g1"

    def test_a_ballot_of_its_own_is_refused_by_the_scheme(self) -> None:
        """Blocked and alone with its question, it says so once per timer and changes nothing."""
        disk = stored("4000.n5", "4000.n5 apple", 999)
        node = Node(1, 5, disk=disk, settings=self.RANGES).restarts().fires(Timer.OWN_BALLOT)
        node.assert_ignores("n1 owns the numbers 0 to 999 and is blocked by its own 999.n1")
        node.assert_sends_nothing()


class TestLaws:
    @given(
        st.dictionaries(
            st.integers(1, 5),
            st.none()
            | st.builds(
                Proposal,
                st.builds(Ballot, st.integers(0, 6), st.integers(1, 5)),
                st.sampled_from(("pear", "fig")),
            ),
            min_size=3,
            max_size=3,
        ),
        st.randoms(use_true_random=False),
    )
    def test_the_value_is_that_of_the_highest_report_of_the_quorum(
        self, reports: dict[int, Proposal | None], chance: Random
    ) -> None:
        """R4, computed here from the promises alone, in whatever order they come."""
        node = Node(1, 5, disk=stored(round=7)).wishes("apple")
        order = sorted(reports)
        chance.shuffle(order)
        for source in order:
            node.hears(source, Promise(INSTANCE, ballot("8.n1"), reports[source]))
        pairs = [pair for pair in reports.values() if pair is not None]
        top = max((pair.ballot for pair in pairs), default=None)
        allowed = {pair.value for pair in pairs if pair.ballot == top} or {"apple"}
        values = {send.message.value for send in node.sent if isinstance(send.message, Accept)}
        assert len(values) == 1
        assert values <= allowed
        assert [send.to for send in node.sent] == [1, 2, 3, 4, 5]
