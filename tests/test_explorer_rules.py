"""Each rule of the explorer has something to catch, and lets what is legal pass."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from paxos.explorer import ALWAYS, VALUES, Accused, Explored, Model, explore
from paxos.explorer.node import Disk, Ghost, Local
from paxos.explorer.rules import Facts, Outbox, broken_by_sending, broken_by_starting, judge
from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    AcceptorRecord,
    Ballot,
    Effect,
    Ignore,
    Instance,
    LearnedRecord,
    Learner,
    Message,
    Nack,
    NodeId,
    Persist,
    Phase,
    Prepare,
    Promise,
    Proposal,
    Proposer,
    Report,
    Roles,
    Send,
    Settings,
    Stored,
)
from paxos.protocol.proposer import Wish
from tests.explorer_cases import accused_of, visited
from tests.paxos_cases import accept, accepted, ballot, learned, nack, prepare, promise, proposal

MEMBERS = (1, 2, 3, 4, 5)


# Planted faults: one small change each, in a role or between roles and driver.


class PromisesBelow(Acceptor):
    """It promises whatever is asked."""

    __slots__ = ()

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple[Acceptor, list[Effect]]:
        """Promise below a promise, too."""
        if message.ballot < self.promised:
            return self, [Send(source, Promise(self.instance, message.ballot, self.accepted))]
        return super().on_prepare(source, message)


class KeepsPromises(Proposer):
    """It begins the next ballot with the promises of the one before."""

    __slots__ = ()

    def begin(self) -> tuple[Proposer, list[Effect]]:
        """Forget nothing."""
        begun, effects = super().begin()
        return replace(begun, promises=self.promises), effects


class Alters(Acceptor):
    """It accepts another value than the one it was asked to accept."""

    __slots__ = ()

    def on_accept(self, source: NodeId, message: Accept) -> tuple[Acceptor, list[Effect]]:
        """Accept it in capitals."""
        return super().on_accept(source, replace(message, value=message.value.upper()))


def test_promises_kept_from_the_ballot_before_are_not_heard_in_this_one() -> None:
    """R4: what is left over when the next ballot begins was never promised to it."""
    accused = Accused(Roles(proposer=KeepsPromises))
    found = explore(Model(3, 1, 1, 2, whole_steps=True), accused, until=ALWAYS)
    assert found.first_broken == "R4"


def test_a_chosen_value_that_no_client_can_have_wished_for_is_not_valid() -> None:
    """Validity is judged by what is chosen, too: an acceptor may be who invents."""
    found = explore(Model(3, 1, 1, 1), Accused(Roles(acceptor=Alters)), until=("validity",))
    assert found.verdicts["validity"] == "broken"


class Invents(Acceptor):
    """It reports a pair that it never accepted."""

    __slots__ = ()

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple[Acceptor, list[Effect]]:
        """Promise with a report out of thin air."""
        after, effects = super().on_prepare(source, message)
        pair = Proposal(Ballot(0, 1), "quince")
        return after, [
            Send(effect.to, replace(effect.message, accepted=pair))
            if isinstance(effect, Send) and isinstance(effect.message, Promise)
            else effect
            for effect in effects
        ]


class NeverRefuses(Acceptor):
    """It says nothing where it should refuse."""

    __slots__ = ()

    def on_prepare(self, source: NodeId, message: Prepare) -> tuple[Acceptor, list[Effect]]:
        """Promise, or keep silent."""
        return self._silent(*super().on_prepare(source, message))

    def on_accept(self, source: NodeId, message: Accept) -> tuple[Acceptor, list[Effect]]:
        """Accept, or keep silent."""
        return self._silent(*super().on_accept(source, message))

    @staticmethod
    def _silent(after: Acceptor, effects: list[Effect]) -> tuple[Acceptor, list[Effect]]:
        refused = any(isinstance(e, Send) and isinstance(e.message, Nack) for e in effects)
        return after, [Ignore("it is below its promise")] if refused else effects


class PushesTwoValues(Proposer):
    """It asks each acceptor for a value of its own."""

    __slots__ = ()

    def _push(self) -> tuple[Proposer, list[Effect]]:
        pushed, effects = super()._push()
        return pushed, [
            Send(2, replace(effect.message, value="pear"))
            if isinstance(effect, Send) and effect.to == 2 and isinstance(effect.message, Accept)
            else effect
            for effect in effects
        ]


class PushesNobodysValue(Proposer):
    """It asks for a value that no client wished for."""

    __slots__ = ()

    def _push(self) -> tuple[Proposer, list[Effect]]:
        pushed, effects = super()._push()
        return pushed, [
            Send(effect.to, replace(effect.message, value="quince"))
            if isinstance(effect, Send) and isinstance(effect.message, Accept)
            else effect
            for effect in effects
        ]


class Mishears(Learner):
    """It learns something else than what was accepted."""

    __slots__ = ()

    def on_accepted(self, source: NodeId, message: Accepted) -> tuple[Learner, list[Effect]]:
        """Learn a value that nobody accepted."""
        return super().on_accepted(source, replace(message, value="pear"))


class DoesNothing(Proposer):
    """It never begins."""

    __slots__ = ()

    def begin(self) -> tuple[Proposer, list[Effect]]:
        """Begin nothing."""
        return self, []


def without_records(kind: Callable[[AcceptorRecord], bool]) -> Accused:
    """A driver that leaves some of an acceptor's records unwritten."""

    def arrange(effects: list[Effect]) -> list[Effect]:
        return [
            effect
            for effect in effects
            if not (
                isinstance(effect, Persist)
                and isinstance(effect.record, AcceptorRecord)
                and kind(effect.record)
            )
        ]

    return Accused(Roles(arrange=arrange))


def forget_all(_: Stored) -> Stored:
    """A start from nothing."""
    return Stored()


TINY = Model(3, 1, 1, 1, whole_steps=True)
PLANTED: dict[str, tuple[Accused, Model, str]] = {
    "promises below": (
        Accused(Roles(acceptor=PromisesBelow)),
        Model(2, 1, 1, 2, whole_steps=True),
        "R1",
    ),
    "accepts below": (
        accused_of("accept-below-promise"),
        Model(3, 1, 1, 2, whole_steps=True),
        "R1",
    ),
    "omits what it accepted": (accused_of("promise-omits-accepted"), TINY, "R2"),
    "reports what it never had": (Accused(Roles(acceptor=Invents)), TINY, "R2"),
    "begins a ballot twice": (
        accused_of("number-reused"),
        Model(3, 1, 1, 2, crashes=1, whole_steps=True),
        "R3",
    ),
    "begins another's ballot": (
        accused_of("number-shared"),
        Model(3, 2, 1, 1, whole_steps=True),
        "R3",
    ),
    "pushes two values": (Accused(Roles(proposer=PushesTwoValues)), TINY, "R3"),
    "needs no quorum": (accused_of("one-promise"), TINY, "R4"),
    "ignores what is reported": (
        accused_of("ignore-accepted"),
        Model(2, 2, 2, 2, whole_steps=True),
        "R4",
    ),
    "learns too early": (accused_of("small-quorum"), TINY, "R5"),
    "learns something else": (Accused(Roles(learner=Mishears)), TINY, "R5"),
    "never writes": (without_records(lambda _: True), TINY, "R6"),
    "never writes what it accepts": (
        without_records(lambda record: record.accepted is not None),
        TINY,
        "R6",
    ),
    "starts from nothing": (
        Accused(Roles(recover=forget_all)),
        Model(3, 1, 1, 1, crashes=1, whole_steps=True),
        "R6",
    ),
    "pushes nobody's value": (Accused(Roles(proposer=PushesNobodysValue)), TINY, "validity"),
}


def explored(accused: Accused, model: Model) -> Explored:
    """What a search finds that stops at the first violation."""
    return explore(model, accused, until=ALWAYS)


class TestPlanted:
    @pytest.mark.parametrize("fault", PLANTED)
    def test_a_planted_fault_is_caught_by_its_rule(self, fault: str) -> None:
        """No other breaks before it; the correct protocol is not flagged there."""
        accused, model, rule = PLANTED[fault]
        traces = explored(accused, model).traces
        shortest = min(len(trace) for name, trace in traces.items() if name in ALWAYS)
        assert len(traces[rule]) == shortest
        correct = explored(Accused(), replace(model, ballots=1))
        assert correct.complete
        assert correct.first_broken is None

    def test_every_rule_has_a_planted_fault(self) -> None:
        """All but agreement, which no fault breaks before it breaks a rule."""
        assert {rule for _, _, rule in PLANTED.values()} == {*ALWAYS} - {"agreement"}

    def test_agreement_breaks_in_the_end(self) -> None:
        """What all the rules are for: a number used twice lets two values be chosen."""
        model = Model(1, 1, 2, 2, crashes=1, whole_steps=True)
        found = explore(model, accused_of("number-reused"))
        assert found.complete
        assert found.verdicts["R3"] == found.verdicts["agreement"] == "broken"
        assert len(found.traces["R3"]) < len(found.traces["agreement"])
        assert {found.verdicts[rule] for rule in ("R1", "R2", "R4", "R5", "R6", "validity")} == {
            "holds"
        }


# One sender, put together by hand.


def sender(
    *,
    disk: Stored | None = None,
    memory: Stored | None = None,
    promises: tuple[Report, ...] = (),
    wishes: tuple[str, ...] = ("apple",),
    ghost: Ghost | None = None,
    members: tuple[NodeId, ...] = MEMBERS,
) -> Local:
    """Node 1, up, with this on its disk and these promises in its proposer."""
    disk = disk or Stored()
    node = Instance.recovered(1, 1, members, Settings(), memory or disk)
    proposer = replace(
        node.proposer,
        phase=Phase.PREPARING,
        promises=promises,
        wishes=tuple(Wish(number, value) for number, value in enumerate(wishes, 1)),
    )
    return Local(replace(node, proposer=proposer), disk=Disk(disk, disk), ghost=ghost or Ghost())


def by_sending(
    local: Local,
    message: Message,
    *before: Message,
    to: NodeId = 2,
    members: tuple[NodeId, ...] = MEMBERS,
) -> tuple[str, ...]:
    """The rules that node 1 breaks by this message, having sent those before."""
    outbox = Outbox()
    for earlier in before:
        outbox = outbox.plus(to, earlier)
    return broken_by_sending(local, outbox, Send(to, message), 1, members)


def disk(promised: str, pair: str | None = None) -> Stored:
    """What an acceptor wrote."""
    return Stored(ballot(promised), None if pair is None else proposal(pair))


def reports(*told: str | None) -> tuple[Report, ...]:
    """Promises of nodes 1, 2, ..., with what each reports."""
    return tuple(
        Report(node, None if pair is None else proposal(pair)) for node, pair in enumerate(told, 1)
    )


class TestReplies:
    def test_r1_an_equal_ballot_may_be_answered_again(self) -> None:
        """A lost reply may be asked for again; below it nothing may be sent."""
        local = sender(disk=disk("2.n2"))
        assert by_sending(local, promise("2.n2"), promise("2.n2")) == ()
        assert by_sending(local, promise("1.n1"), promise("2.n2")) == ("R1",)

    def test_r1_an_acceptance_is_a_promise(self) -> None:
        """Both of them bind, and both can break it."""
        local = sender(disk=disk("2.n2", "2.n2 pear"))
        assert by_sending(local, accepted("2.n2 pear"), accepted("2.n2 pear")) == ()
        late = sender(disk=disk("2.n2", "1.n1 apple"))
        assert by_sending(late, accepted("1.n1 apple"), accepted("2.n2 pear")) == ("R1",)
        assert by_sending(late, accepted("1.n1 apple"), promise("2.n2")) == ("R1",)

    def test_r2_a_promise_reports_the_highest_pair_or_none(self) -> None:
        """Of what is durable, what was durable once, and what was told."""
        blank, holds = sender(disk=disk("3.n3")), sender(disk=disk("3.n3", "2.n2 pear"))
        assert by_sending(blank, promise("3.n3")) == ()
        assert by_sending(holds, promise("3.n3", "2.n2 pear")) == ()
        assert by_sending(holds, promise("3.n3")) == ("R2",)
        assert by_sending(holds, promise("3.n3", "2.n2 apple")) == ("R2",)
        assert by_sending(holds, promise("3.n3", "1.n1 pear")) == ("R2",)
        assert by_sending(blank, promise("3.n3", "1.n1 pear")) == ("R2",)
        assert by_sending(blank, promise("3.n3"), accepted("1.n1 apple")) == ("R2",)
        once = sender(disk=disk("3.n3"), ghost=Ghost(frozenset({(ballot("1.n1"), "apple")})))
        assert by_sending(once, promise("3.n3")) == ("R2",)

    def test_r6_what_a_reply_states_is_durable(self) -> None:
        """A promise, what it reports, and an acceptance."""
        ahead = sender(disk=disk("1.n1"), memory=disk("2.n2", "2.n2 pear"))
        assert by_sending(ahead, promise("2.n2")) == ("R6",)
        assert by_sending(ahead, accepted("2.n2 pear")) == ("R6",)
        assert by_sending(ahead, promise("1.n1")) == ()
        told = sender(disk=disk("2.n2"), memory=disk("2.n2", "1.n1 pear"))
        assert by_sending(told, promise("2.n2", "1.n1 pear")) == ("R2", "R6")

    def test_r6_a_start_recovers_what_was_durable(self) -> None:
        """Newer is legal, for a kill keeps the page cache; older in either part is not."""
        before = sender(disk=disk("2.n2", "1.n1 apple"))
        assert broken_by_starting(before, disk("2.n2", "1.n1 apple")) == ()
        assert broken_by_starting(before, disk("3.n3", "3.n3 pear")) == ()
        assert broken_by_starting(before, disk("1.n1", "1.n1 apple")) == ("R6",)
        assert broken_by_starting(before, disk("2.n2")) == ("R6",)
        # A fault took it from the disk, and nothing else binds the rule.
        lost = replace(before, disk=Disk(), ghost=Ghost(kept=disk("2.n2", "1.n1 apple")))
        assert broken_by_starting(lost, Stored()) == ("R6",)


class TestRequests:
    def test_r3_a_ballot_is_begun_once_and_by_its_owner(self) -> None:
        """To another acceptor it goes out, too; to the same once."""
        assert by_sending(sender(), prepare("1.n1")) == ()
        assert by_sending(sender(), prepare("2.n1"), prepare("1.n1")) == ()
        assert by_sending(sender(), prepare("1.n1"), prepare("1.n1")) == ("R3",)
        assert by_sending(sender(), prepare("1.n2")) == ("R3",)

    def test_r3_a_ballot_carries_one_value(self) -> None:
        """The same request again is no second use."""
        assert by_sending(sender(), accept("1.n1 apple"), accept("1.n1 apple")) == ()
        assert by_sending(sender(), accept("2.n1 apple"), accept("1.n1 apple")) == ("R4",)
        assert by_sending(sender(), accept("1.n1 pear"), accept("1.n1 apple")) == ("R3",)
        quorum = sender(promises=reports(None, None, None))
        assert by_sending(quorum, accept("1.n2 apple")) == ("R3",)

    def test_r4_needs_a_quorum(self) -> None:
        """Of distinct acceptors."""
        assert by_sending(sender(promises=reports(None, None, None)), accept("9.n1 apple")) == ()
        assert by_sending(sender(promises=reports(None, None)), accept("9.n1 apple")) == ("R4",)
        twice = (Report(1, None), Report(2, None), Report(2, proposal("1.n2 apple")))
        assert by_sending(sender(promises=twice), accept("9.n1 apple")) == ("R4",)

    def test_r4_half_of_an_even_number_is_no_quorum(self) -> None:
        """Three of four, and not two."""
        four = (1, 2, 3, 4)
        two = sender(promises=reports(None, None), members=four)
        three = sender(promises=reports(None, None, None), members=four)
        assert by_sending(two, accept("9.n1 apple"), members=four) == ("R4",)
        assert by_sending(three, accept("9.n1 apple"), members=four) == ()

    def test_r4_the_highest_report_dictates_the_value(self) -> None:
        """Any client's only when none was reported."""
        heard = sender(promises=reports("1.n1 apple", "2.n2 pear", None), wishes=("fig",))
        assert by_sending(heard, accept("9.n1 pear")) == ()
        assert by_sending(heard, accept("9.n1 apple")) == ("R4",)
        assert by_sending(heard, accept("9.n1 fig")) == ("R4",)

    def test_r4_some_quorum_is_enough(self) -> None:
        """Of four that promised, three may justify what the fourth contradicts."""
        heard = sender(promises=reports(None, None, None, "2.n2 pear"))
        assert by_sending(heard, accept("9.n1 apple")) == ()
        assert by_sending(heard, accept("9.n1 pear")) == ()
        below = sender(promises=reports(None, None, "1.n1 plum", "2.n2 pear"))
        assert by_sending(below, accept("9.n1 plum")) == ()
        assert by_sending(below, accept("9.n1 apple")) == ("R4",)

    def test_r4_what_arrived_counts_and_not_what_the_proposer_believes(self) -> None:
        """Promises that it does not count were heard; those that it made up were not."""
        unheard = sender(
            promises=reports(None, None, None), ghost=Ghost(unheard=frozenset({Report(3, None)}))
        )
        assert by_sending(unheard, accept("9.n1 apple")) == ("R4",)
        unheeded = sender(
            promises=reports(None, None), ghost=Ghost(unheeded=frozenset({Report(3, None)}))
        )
        assert by_sending(unheeded, accept("9.n1 apple")) == ()

    def test_a_first_accept_alone_is_justified(self) -> None:
        """What comes after it at its ballot needs no promise any more."""
        assert by_sending(sender(promises=()), accept("9.n1 fig"), accept("9.n1 fig")) == ()

    def test_validity_is_of_wishes_and_of_reports(self) -> None:
        """A value out of nowhere breaks it, and R4 as well."""
        heard = sender(promises=reports(None, None, None))
        assert by_sending(heard, accept("9.n1 quince")) == ("R4", "validity")
        assert by_sending(sender(), accept("9.n1 quince")) == ("R4", "validity")
        assert by_sending(sender(), accept("9.n1 apple")) == ("R4",)

    def test_no_rule_is_about_refusals(self) -> None:
        """A nack can hurt liveness alone."""
        assert by_sending(sender(), nack("1.n1", "2.n2")) == ()


# Whole states.


def facts(pairs: str = "", chosen: LearnedRecord | None = None, *, refused: bool = False) -> Facts:
    """A node that accepted these pairs, and learned this."""
    held = [proposal(pair) for pair in pairs.split(", ") if pair]
    return Facts(
        frozenset((pair.ballot, pair.value) for pair in held),
        frozenset() if chosen is None else frozenset({(chosen.ballot, chosen.value)}),
        refused,
    )


class TestStates:
    APPLE = learned("1.n1 apple", 1, 2)

    def test_chosen_is_a_quorum_at_one_ballot(self) -> None:
        """Not across ballots, and not of two values."""
        one, two = facts("1.n1 apple"), facts("2.n2 apple")
        assert judge([one, one, facts()], VALUES) == ((), ("chosen",))
        assert judge([one, two, facts()], VALUES) == ((), ())
        assert judge([one, one, facts(), facts()], VALUES) == ((), ())
        assert judge([facts("1.n1 apple, 2.n2 apple"), two, facts()], VALUES) == ((), ("chosen",))

    def test_two_values_chosen_break_agreement(self) -> None:
        """One value at two ballots does not."""
        both = facts("1.n1 apple, 2.n2 pear")
        assert judge([both, both, facts()], VALUES)[0] == ("agreement",)
        same = facts("1.n1 apple, 2.n2 apple")
        assert judge([same, same, facts()], VALUES)[0] == ()

    def test_r5_learning_needs_a_choice(self) -> None:
        """Of the very value that is learned."""
        one = facts("1.n1 apple")
        assert judge([facts("1.n1 apple", self.APPLE), one, facts()], VALUES)[0] == ()
        assert judge([facts("1.n1 apple", self.APPLE), facts(), facts()], VALUES)[0] == ("R5",)
        wrong = facts("", learned("1.n1 pear", 1, 2))
        assert judge([one, one, wrong], VALUES)[0] == ("R5", "agreement")

    def test_everyone_can_learn_and_two_can_duel(self) -> None:
        """A refusal counts until something is chosen."""
        knows = facts("1.n1 apple", self.APPLE)
        assert judge([knows, knows, knows], VALUES)[1] == ("chosen", "learned")
        assert judge([facts(refused=True), facts(), facts()], VALUES)[1] == ("duel",)
        assert judge([replace(knows, refused=True), knows, facts()], VALUES)[1] == ("chosen",)


class TestSometimes:
    def test_a_protocol_that_does_nothing_cannot_pass(self) -> None:
        """It breaks no rule, and shows nothing."""
        found = explore(Model(3, 2, 2, 2), Accused(Roles(proposer=DoesNothing)))
        assert found.complete
        assert found.distinct == 1
        assert found.first_broken is None
        assert {found.verdicts[name] for name in ("chosen", "learned", "duel")} == {"never"}

    def test_strict_accept_never_chooses(self) -> None:
        """Greater than, where it should be at least: safe, and useless at its first ballot."""
        found = explore(TINY, accused_of("strict-accept"))
        assert found.first_broken is None
        assert found.verdicts["chosen"] == found.verdicts["learned"] == "never"

    def test_no_duel_without_refusals(self) -> None:
        """The property is about what is said, so an acceptor that is silent takes it away."""
        model = Model(2, 2, 1, 2, whole_steps=True)
        found = explore(model, Accused(Roles(acceptor=NeverRefuses)))
        assert found.verdicts["duel"] == "never"
        assert found.verdicts["chosen"] == "seen"
        assert explore(model).verdicts["duel"] == "seen"

    def test_a_model_with_one_ballot_asks_for_no_duel(self) -> None:
        """What cannot be is not asked for."""
        assert "duel" not in explore(TINY).verdicts


class TestGhosts:
    @pytest.mark.parametrize(
        "model",
        [
            Model(3, 1, 1, 1, crashes=1, whole_steps=True),
            Model(2, 1, 1, 1, crashes=1, disk_faults=1),
            Model(1, 1, 2, 2, crashes=1),
            Model(1, 1, 1, 2, crashes=2, disk_faults=1),
        ],
        ids=str,
    )
    def test_the_correct_protocol_needs_hardly_any(self, model: Model) -> None:
        """It counts what it hears, and its disk keeps what was durable.

        One part is left: a pair that was durable, whose node died before it
        said so, and that a later one has replaced.
        """
        ghosts = [
            (local.ghost, local.disk)
            for table in visited(model).tables.nodes
            for local in table.locals.items
        ]
        assert {replace(ghost, accepted=frozenset()) for ghost, _ in ghosts} == {Ghost()}
        remembered = [(ghost.accepted, on) for ghost, on in ghosts if ghost.accepted]
        assert bool(remembered) == (model.ballots > 1)
        for pairs, on in remembered:
            assert on.durable.accepted is not None
            assert all(at <= on.durable.accepted.ballot for at, _ in pairs)

    def test_without_a_crash_there_is_none(self) -> None:
        """Then all that was durable has been told, or is on the disk."""
        for table in visited(Model(2, 2, 1, 2, whole_steps=True)).tables.nodes:
            parts = {part.local for part in table.parts.items}
            assert {table.locals.items[number].ghost for number in parts} == {Ghost()}
