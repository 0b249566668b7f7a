"""The acceptor, sentence by sentence of "Paxos Made Simple" §2.2 and §2.5."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    AcceptorRecord,
    Ballot,
    Effect,
    Nack,
    Persist,
    Prepare,
    Promise,
    Proposal,
    Send,
)
from tests.paxos_cases import (
    INSTANCE,
    Node,
    accept,
    accepted,
    ballot,
    ballots,
    nack,
    prepare,
    promise,
    proposal,
    proposals,
    stored,
    values,
)


def record(promised: str, pair: str | None = None) -> AcceptorRecord:
    """What an acceptor writes."""
    return AcceptorRecord(INSTANCE, ballot(promised), None if pair is None else proposal(pair))


class TestPhase1:
    def test_it_promises_a_number_above_all_that_it_answered(self) -> None:
        """§2.2, 1(b): "with number n greater than that of any prepare request ... it responds"."""
        node = Node(2, disk=stored("1.n1")).hears(3, prepare("1.n3"))
        node.assert_sends(promise("1.n3"), 3)
        node.assert_persists(record("1.n3"))

    def test_a_promise_reports_the_highest_accepted_proposal(self) -> None:
        """§2.2, 1(b): "and with the highest-numbered proposal (if any) that it has accepted"."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(3, accept("2.n3 pear"))
        node.hears(1, prepare("3.n1")).assert_sends(promise("3.n1", "2.n3 pear"), 1)

    def test_a_promise_reports_nothing_if_nothing_was_accepted(self) -> None:
        """§2.2, 1(b): "(if any)". An earlier promise is no acceptance."""
        node = Node(2, disk=stored("1.n1")).hears(3, prepare("2.n3"))
        node.assert_sends(promise("2.n3"), 3)

    def test_a_promise_keeps_what_was_accepted(self) -> None:
        """A promise forgets nothing: the pair stays on disk beside it."""
        node = Node(2, disk=stored("1.n1", "1.n1 apple")).hears(3, prepare("2.n3"))
        node.assert_persists(record("2.n3", "1.n1 apple"))

    def test_a_lower_number_is_refused(self) -> None:
        """§2.2: "There is then no reason for the acceptor to respond to the new prepare request"."""
        node = Node(2, disk=stored("3.n5", "1.n1 apple")).hears(1, prepare("2.n1"))
        node.assert_sends(nack("2.n1", "3.n5"), 1)
        node.assert_persists()

    def test_a_refusal_says_how_high_to_go(self) -> None:
        """§2.2: "then it should probably inform the proposer"."""
        node = Node(2, disk=stored("3.n5")).hears(1, prepare("3.n1"))
        node.assert_sends(nack("3.n1", "3.n5"), 1)

    def test_an_equal_number_is_answered_again_without_a_write(self) -> None:
        """A lost promise may be asked for again; nothing changes, so nothing is written."""
        node = Node(2).hears(3, prepare("1.n3")).hears(3, prepare("1.n3"))
        node.assert_sends(promise("1.n3"), 3)
        node.assert_persists()

    def test_a_number_it_has_accepted_at_is_answered_with_that_pair(self) -> None:
        """§2.2 would "ignore a prepare request for a proposal it has already accepted".

        Ours answers, truthfully (R2): its proposer is past phase 1 and ignores it.
        """
        node = Node(2).hears(3, accept("1.n3 pear")).hears(3, prepare("1.n3"))
        node.assert_sends(promise("1.n3", "1.n3 pear"), 3)

    def test_it_can_always_promise(self) -> None:
        """§2.2: "It can always respond to a prepare request", also after it has accepted."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(3, prepare("9.n3"))
        node.assert_sends(promise("9.n3", "1.n1 apple"), 3)


class TestPhase2:
    def test_the_first_proposal_is_accepted(self) -> None:
        """§2.2, P1: "An acceptor must accept the first proposal that it receives"."""
        node = Node(2).hears(1, accept("1.n1 apple"))
        node.assert_sends(accepted("1.n1 apple"), 1)
        node.assert_persists(record("1.n1", "1.n1 apple"))

    def test_it_accepts_at_the_number_it_promised(self) -> None:
        """§2.2, P1a: "iff it has not responded to a prepare request having a number greater than n".

        Equal is not greater: an acceptor that asked for more would never choose anything.
        """
        node = Node(2).hears(1, prepare("1.n1")).hears(1, accept("1.n1 apple"))
        node.assert_sends(accepted("1.n1 apple"), 1)

    def test_it_accepts_above_the_number_it_promised(self) -> None:
        """§2.2, P1a: it need not have promised the proposal that it accepts."""
        node = Node(2, disk=stored("1.n1")).hears(3, accept("2.n3 pear"))
        node.assert_sends(accepted("2.n3 pear"), 3)

    def test_it_accepts_nothing_below_its_promise(self) -> None:
        """§2.2, 2(b): "unless it has already responded to a prepare request ... greater than n"."""
        node = Node(2, disk=stored("2.n3")).hears(1, accept("1.n1 apple"))
        node.assert_sends(nack("1.n1", "2.n3"), 1)
        node.assert_persists()

    def test_it_can_accept_several_proposals(self) -> None:
        """§2.2: "we must allow an acceptor to accept more than one proposal"."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(3, accept("2.n3 pear"))
        node.assert_sends(accepted("2.n3 pear"), 3)
        assert node.disk.accepted == proposal("2.n3 pear")

    def test_accepting_is_promising(self) -> None:
        """An Accept in between two ballots must not overwrite the newer proposal (ScyllaDB #6139)."""
        node = Node(2).hears(3, accept("3.n3 pear")).hears(1, accept("2.n1 apple"))
        node.assert_sends(nack("2.n1", "3.n3"), 1)
        node.hears(1, prepare("2.n1")).assert_sends(nack("2.n1", "3.n3"), 1)

    def test_a_repeated_accept_is_answered_again_without_a_write(self) -> None:
        """A lost reply may be asked for again."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(1, accept("1.n1 apple"))
        node.assert_sends(accepted("1.n1 apple"), 1)
        node.assert_persists()

    def test_it_has_no_defence_that_the_paper_has_not(self) -> None:
        """A second value at one ballot is accepted: to see to that is the proposer's part (R3)."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(1, accept("1.n1 pear"))
        node.assert_sends(accepted("1.n1 pear"), 1)

    def test_it_answers_guests_like_members(self) -> None:
        """A guest proposes without an acceptor of its own."""
        node = Node(2).hears(101, prepare("1.g1"))
        node.assert_sends(promise("1.g1"), 101)
        node.hears(101, accept("1.g1 fig")).assert_sends(accepted("1.g1 fig"), 101)


class TestStableStorage:
    def test_the_reply_follows_the_write(self) -> None:
        """§2.5: it "records its intended response in stable storage before actually sending" it."""
        promised = Node(2).hears(1, prepare("1.n1"))
        assert [type(e) for e in promised.effects][:2] == [Persist, Send]
        promised.hears(1, accept("1.n1 apple"))
        assert [type(e) for e in promised.effects][:2] == [Persist, Send]

    def test_what_was_promised_and_accepted_survives_a_restart(self) -> None:
        """§2.2: it "must remember this information even if it fails and then restarts"."""
        node = Node(2).hears(1, accept("1.n1 apple")).hears(3, prepare("2.n3")).restarts()
        node.hears(1, accept("1.n1 apple")).assert_sends(nack("1.n1", "2.n3"), 1)
        node.hears(1, prepare("3.n1")).assert_sends(promise("3.n1", "1.n1 apple"), 1)

    def test_it_remembers_two_things_and_no_more(self) -> None:
        """§2.2: "only the highest-numbered proposal ... and the number of the highest-numbered prepare"."""
        many = Node(2)
        for at in ("1.n1", "2.n3", "4.n1"):
            many.hears(1, accept(f"{at} apple")).hears(3, prepare(at))
        few = Node(2).hears(1, accept("4.n1 apple"))
        assert many.disk == few.disk

    def test_another_instance_is_another_memory(self) -> None:
        """All state is per instance (§3): every reply and record names its own."""
        acceptor = Acceptor(7)
        promised, effects = acceptor.on_prepare(1, Prepare(7, ballot("1.n1")))
        assert effects == [
            Persist(AcceptorRecord(7, ballot("1.n1"), None)),
            Send(1, Promise(7, ballot("1.n1"), None)),
        ]
        assert promised.instance == 7


@st.composite
def acceptors(draw: st.DrawFn) -> Acceptor:
    """Any memory that an acceptor can have: what it accepted it has promised."""
    promised, pair = draw(ballots), draw(st.none() | proposals)
    return Acceptor(INSTANCE, promised if pair is None else max(promised, pair.ballot), pair)


def requests() -> st.SearchStrategy[Prepare | Accept]:
    """Any request to an acceptor."""
    return st.builds(Prepare, st.just(INSTANCE), ballots) | st.builds(
        Accept, st.just(INSTANCE), ballots, values
    )


def answer(acceptor: Acceptor, request: Prepare | Accept) -> tuple[Acceptor, list[Effect]]:
    """Hand a request to its handler."""
    if isinstance(request, Prepare):
        return acceptor.on_prepare(4, request)
    return acceptor.on_accept(4, request)


class TestLaws:
    @given(acceptors(), requests())
    def test_promised_and_accepted_never_decrease(
        self, acceptor: Acceptor, request: Prepare | Accept
    ) -> None:
        """§2.2: a promise is "not to accept any more proposals numbered less than n", for ever."""
        after, _ = answer(acceptor, request)
        assert after.promised >= acceptor.promised
        if acceptor.accepted is not None:
            assert after.accepted is not None
            assert after.accepted.ballot >= acceptor.accepted.ballot

    @given(acceptors(), requests())
    def test_every_request_is_answered_once_and_to_its_sender(
        self, acceptor: Acceptor, request: Prepare | Accept
    ) -> None:
        """A yes at the request's ballot or a refusal that quotes it; the reply comes last."""
        _, effects = answer(acceptor, request)
        *writes, reply = effects
        assert isinstance(reply, Send)
        assert reply.to == 4
        assert isinstance(reply.message, Promise | Accepted | Nack)
        assert reply.message.ballot == request.ballot
        assert all(isinstance(write, Persist) for write in writes)
        assert isinstance(reply.message, Nack) == (request.ballot < acceptor.promised)

    @given(acceptors(), requests())
    def test_it_writes_exactly_when_it_changes(
        self, acceptor: Acceptor, request: Prepare | Accept
    ) -> None:
        """A write per change, with the whole of the new memory, and synced."""
        after, effects = answer(acceptor, request)
        writes = [effect for effect in effects if isinstance(effect, Persist)]
        memory = Persist(AcceptorRecord(INSTANCE, after.promised, after.accepted), sync=True)
        assert writes == ([] if after == acceptor else [memory])

    @given(acceptors(), requests())
    def test_asking_again_changes_nothing_and_gets_the_same_answer(
        self, acceptor: Acceptor, request: Prepare | Accept
    ) -> None:
        """A network may duplicate: the second time nothing is written."""
        once, first = answer(acceptor, request)
        twice, second = answer(once, request)
        assert twice == once
        assert second == first[-1:]

    @given(acceptors(), st.lists(requests(), max_size=6))
    def test_no_promise_is_ever_broken(
        self, acceptor: Acceptor, asked: list[Prepare | Accept]
    ) -> None:
        """R1: once it has said yes at b, it never says yes below b."""
        highest = Ballot.ZERO
        for request in asked:
            acceptor, effects = answer(acceptor, request)
            reply = effects[-1]
            assert isinstance(reply, Send)
            if not isinstance(reply.message, Nack):
                assert request.ballot >= highest
                highest = request.ballot

    @given(acceptors(), st.lists(requests(), max_size=6))
    def test_a_promise_reports_the_highest_of_all_that_was_accepted(
        self, acceptor: Acceptor, asked: list[Prepare | Accept]
    ) -> None:
        """R2, with the acceptances counted from the replies alone."""
        highest: Proposal | None = acceptor.accepted
        for request in asked:
            acceptor, effects = answer(acceptor, request)
            match effects[-1]:
                case Send(_, Accepted(_, at, value)):
                    assert highest is None or at >= highest.ballot
                    highest = Proposal(at, value)
                case Send(_, Promise(_, _, reported)):
                    assert reported == highest
                case _:
                    pass

    @given(acceptors())
    def test_a_state_cannot_be_changed(self, acceptor: Acceptor) -> None:
        """States are frozen and slotted: a handler can only return a new one."""
        assert replace(acceptor) == acceptor
        assert hash(replace(acceptor)) == hash(acceptor)
        assert not hasattr(acceptor, "__dict__")
