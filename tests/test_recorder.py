"""What a step looks like in the log: every input and every effect, in every state."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paxos.chance import Chance
from paxos.events import CATALOGUE, SCHEMA_VERSION, Line, decode, encode, problems
from paxos.protocol import (
    Ignore,
    Input,
    Instance,
    Learn,
    Learned,
    LinkUp,
    Message,
    Outcome,
    ProposeRequested,
    Received,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
    node_name,
)
from paxos.recorder import Recorded, message_kind, record, recovered_line, stored_fields
from tests.paxos_cases import (
    INSTANCE,
    Node,
    accept,
    accepted,
    disks,
    inputs,
    instances,
    learn,
    learned,
    nack,
    prepare,
    promise,
    stored,
)


def recorded(node: Node, given_: Input, cause: str | None = None) -> Recorded:
    """Feed an input and record the step."""
    before = node.state
    node.takes(given_)
    return record(given_, before, node.effects, node.state, cause)


def heard(node: Node, source: int, message: Message, cause: str | None = None) -> Line:
    """The line of a message that comes in."""
    return recorded(node, Received(source, message), cause).given


def sends(node: Node, given_: Input) -> list[Line]:
    """The lines of what a step sends."""
    lines = recorded(node, given_).effects
    return [line for line in lines if line is not None and line["event"].endswith("_sent")]


def finished(line: Line, node: int = 1) -> Line:
    """A line with its header, and with what only the driver knows."""
    header = {
        "v": SCHEMA_VERSION,
        "node": node_name(node),
        "incarnation": 1,
        "seq": 1,
        "at_ns": 0,
    }
    driver: dict[str, Any] = {}
    if line["event"] == "state_persisted":
        driver["number"] = 7
    if line["event"] == "timer_set":
        driver["after_ms"] = 50
    return {**header, **line, **driver}


class TestEveryStep:
    @given(instances(), st.data(), st.sampled_from((None, "n2/1/17", "orchestrator/1/3")))
    @settings(max_examples=250)
    def test_its_lines_are_of_the_schema(
        self, reached: tuple[Instance, int], data: st.DataObject, cause: str | None
    ) -> None:
        """Whatever the state and the input: the input's line, and one entry per effect."""
        node, request = reached
        given_ = data.draw(inputs(node, request))
        after, effects = node.step(given_)
        if not isinstance(given_, Received | ProposeRequested):
            cause = None
        step = record(given_, node, effects, after, cause)
        assert len(step.effects) == len(effects)
        for line in (step.given, *step.effects):
            if line is not None:
                assert problems(finished(line)) == []
                assert decode(encode(finished(line))) == finished(line)
        for effect, line in zip(effects, step.effects, strict=True):
            assert (line is None) == isinstance(effect, Ignore)

    @given(instances(), st.data())
    def test_what_changed_is_shown_and_nothing_else(
        self, reached: tuple[Instance, int], data: st.DataObject
    ) -> None:
        """``before`` and ``after`` hold the roles that changed, as they were and as they are."""
        node, request = reached
        given_ = data.draw(inputs(node, request))
        after, effects = node.step(given_)
        line = record(given_, node, effects, after).given
        assert ("before" in line) == ("after" in line)
        shown = line.get("after", {})
        assert ("acceptor" in shown) == (node.acceptor != after.acceptor)
        assert set(line.get("before", {})) == set(shown)
        for role, state in shown.items():
            assert state != line["before"][role]
        # `attempt` and the like are in the line; `reported` stands in accept_sent.
        if "proposer" not in shown:
            assert node.proposer.phase == after.proposer.phase
            assert node.proposer.wishes == after.proposer.wishes
        if "learner" not in shown:
            assert node.learner.learned == after.learner.learned
            assert node.learner.tallies == after.learner.tallies

    @given(st.integers(0, 10**6), disks())
    def test_a_recovered_instance_is_of_the_schema(self, number: int, disk: Stored) -> None:
        """Also as an item of ``disk_read``."""
        line = recovered_line(number + 1, disk)
        assert problems(finished(line)) == []
        assert line == {"event": "state_recovered", **stored_fields(number + 1, disk)}

    def test_every_event_of_the_core_is_written_by_some_step(self) -> None:
        """*Sometimes*: the laws above have met every kind of line that steps can make."""
        seen: Counter[str] = Counter()
        for seed in range(200):
            _walk(Chance(seed), seen)
        assert set(seen) == {
            event
            for event in CATALOGUE["events"]
            if event.endswith(("_sent", "_received"))
            or event
            in {
                "instance_resumed",
                "link_up",
                "propose_answered",
                "state_persisted",
                "timeout_fired",
                "timer_cancelled",
                "timer_set",
                "value_learned",
            }
        }


def _walk(chance: Chance, seen: Counter[str]) -> None:
    """A node on a random way, with sensible replies; counts the events of its lines."""
    node = Node(1)
    for _ in range(16):
        at = node.state.proposer.ballot
        source = chance.between(1, 3)
        choices: list[Input] = [
            ProposeRequested(INSTANCE, node.requests + 1, "apple", 500),
            *[Received(source, promise(str(at)))] * 4,
            Received(source, accepted(f"{at} apple")),
            Received(source, nack(str(at), "9.n3")),
            Received(source, prepare(f"{chance.between(1, 3)}.n{source}")),
            Received(source, accept(f"{chance.between(1, 3)}.n{source} apple")),
            Received(source, learn("1.n2 apple", 2, 3)),
            Received(source, Learned(INSTANCE)),
            Received(source, Status(INSTANCE)),
            LinkUp(INSTANCE, 2),
            Started(INSTANCE),
        ]
        choices += [TimeoutFired(INSTANCE, *key, (2,)) for key in sorted(node.timers.running)]
        given_ = choices[chance.between(0, len(choices) - 1)]
        node.requests += isinstance(given_, ProposeRequested)
        step = recorded(node, given_)
        seen.update(line["event"] for line in (step.given, *step.effects) if line is not None)


class TestInputs:
    def test_a_message(self) -> None:
        """Who sent it, what it says, what caused it, and what it changed."""
        line = heard(Node(2), 1, prepare("1.n1"), "n1/1/5")
        assert line == {
            "event": "prepare_received",
            "instance": 1,
            "source": "n1",
            "ballot": "1.n1",
            "cause": "n1/1/5",
            "before": {"acceptor": {"promised": "0.n0", "accepted": None}},
            "after": {"acceptor": {"promised": "1.n1", "accepted": None}},
        }

    def test_an_ignored_message_says_why(self) -> None:
        """And shows no change, for there is none."""
        line = heard(Node(1), 2, promise("4.n1"))
        assert line["ignored"] == "the ballot under way is 0.n0"
        assert "before" not in line

    def test_a_promise_shows_how_far_the_quorum_is(self) -> None:
        """For a meter: who has promised, and how many it takes."""
        node = Node(1, 5).wishes("apple")
        line = heard(node, 4, promise("1.n1", "0.n2 pear"))
        assert (line["have"], line["quorum"]) == (["n4"], 3)
        assert line["accepted"] == {"ballot": "0.n2", "value": "pear"}
        assert heard(node, 2, promise("1.n1"))["have"] == ["n2", "n4"]

    def test_an_acceptance_shows_how_far_the_quorum_is(self) -> None:
        """Also the one that completes it, and the one that comes after."""
        node = Node(1)
        have = [heard(node, source, accepted("1.n1 apple"))["have"] for source in (3, 1, 2)]
        assert have == [["n3"], ["n1", "n3"], ["n1", "n3"]]

    def test_a_refusal_shows_who_refused_and_when_it_is_hopeless(self) -> None:
        """Two of three: no quorum is left."""
        node = Node(1).wishes("apple")
        first = heard(node, 3, nack("1.n1", "4.n3"))
        assert (first["refused_by"], "hopeless" in first) == (["n3"], False)
        second = heard(node, 2, nack("1.n1", "4.n3"))
        assert (second["refused_by"], second["hopeless"]) == (["n2", "n3"], True)

    def test_a_stuck_ballot_shows_what_it_lacks(self) -> None:
        """In either phase: who has answered, who has not, and what was needed."""
        node = Node(1).wishes("apple").hears(2, promise("1.n1"))
        patience = TimeoutFired(INSTANCE, Timer.PATIENCE, 1, (2, 3))
        line = recorded(node, patience).given
        assert (line["phase"], line["have"], line["missing"]) == ("preparing", ["n2"], ["n1", "n3"])
        assert (line["ballot"], line["quorum"], line["reachable"]) == ("1.n1", 2, ["n2", "n3"])
        node = Node(1).wishes("apple").hears_all(promise("1.n1"), 1, 2)
        line = recorded(node.hears(1, accepted("1.n1 apple")), patience).given
        assert (line["phase"], line["have"], line["missing"]) == ("accepting", ["n1"], ["n2", "n3"])

    def test_a_late_timer_shows_nothing_of_another_ballot(self) -> None:
        """It is ignored; what is under way is not what it was for."""
        line = recorded(
            Node(1).wishes("apple"), TimeoutFired(INSTANCE, Timer.PATIENCE, 9, ())
        ).given
        assert line["ignored"] == "this ballot is over"
        assert "ballot" not in line

    def test_a_wish(self) -> None:
        """What the client wants, and how long it waits."""
        line = recorded(
            Node(1), ProposeRequested(INSTANCE, 3, "apple", 700), "orchestrator/1/4"
        ).given
        assert (line["event"], line["request"], line["value"]) == ("propose_received", 3, "apple")
        assert (line["timeout_ms"], line["cause"]) == (700, "orchestrator/1/4")

    def test_an_answer_to_a_status_is_marked(self) -> None:
        """Nobody waits for its confirmation, and the log says so."""
        marked = recorded(Node(3), Received(1, learn("1.n1 apple", 1, 2), answer=True)).given
        assert marked["answer"] is True
        assert "answer" not in heard(Node(3), 1, learn("1.n1 apple", 1, 2))

    def test_evidence_that_is_refused_is_a_line_all_the_same(self) -> None:
        """Named twice, out of order: the learner ignores it, and the log can be read."""
        for acceptors, shown in (((2, 2), ["n2"]), ((3, 1), ["n1", "n3"])):
            line = heard(Node(2), 1, learn("1.n1 apple", *acceptors))
            assert line["acceptors"] == shown
            assert problems(finished(line)) == []

    def test_a_link_and_a_start(self) -> None:
        """The two inputs that are no message and no timer."""
        link = recorded(Node(1), LinkUp(INSTANCE, 2)).given
        assert (link["event"], link["peer"], link["instance"]) == ("link_up", "n2", 1)
        start = recorded(Node(1), Started(INSTANCE)).given
        assert (start["event"], start["ignored"]) == (
            "instance_resumed",
            "there is nothing to find out",
        )

    def test_a_plan_alone_is_no_change(self) -> None:
        """Timers have lines of their own; a question planned shows no learner."""
        line = heard(Node(2), 1, prepare("1.n1"))
        assert set(line["after"]) == {"acceptor"}


class TestEffects:
    def test_effects_stand_in_the_order_in_which_they_happen(self) -> None:
        """Persist, then the reply, then timers."""
        node = Node(2)
        step = recorded(node, Received(1, accept("1.n1 apple")))
        assert [line and line["event"] for line in step.effects] == [
            "state_persisted",
            "accepted_sent",
            "timer_set",
            "timer_set",
        ]

    def test_a_synced_record_leaves_its_number_to_the_driver(self) -> None:
        """The acceptor's record in full; a round's has its round."""
        persisted, *_ = recorded(Node(2), Received(1, accept("1.n1 apple"))).effects
        assert persisted == {
            "event": "state_persisted",
            "instance": 1,
            "record": "acceptor",
            "promised": "1.n1",
            "accepted": {"ballot": "1.n1", "value": "apple"},
        }
        lines = recorded(Node(2), ProposeRequested(INSTANCE, 1, "apple", 5)).effects
        assert {"event": "state_persisted", "instance": 1, "record": "round", "round": 1} in lines

    def test_an_unsynced_record_is_what_was_learned(self) -> None:
        """With its evidence; its line is written before the record."""
        node = Node(1).hears(2, accepted("1.n1 apple"))
        line, *_ = recorded(node, Received(1, accepted("1.n1 apple"))).effects
        assert line == {
            "event": "value_learned",
            "instance": 1,
            "ballot": "1.n1",
            "value": "apple",
            "acceptors": ["n1", "n2"],
        }

    def test_a_forced_value_says_who_forced_it(self) -> None:
        """Wanted pear, must push apple, because n2 reported it at 1.n2."""
        node = Node(1, disk=stored(round=1)).wishes("pear").hears(1, promise("2.n1"))
        line, *_ = sends(node, Received(2, promise("2.n1", "1.n2 apple")))
        assert (line["value"], line["wanted"]) == ("apple", "pear")
        assert (line["reported_by"], line["reported_ballot"]) == ("n2", "1.n2")

    def test_a_free_choice_says_nothing_of_the_kind(self) -> None:
        """Nor does a report of the very value that was wanted speak of a wish that yielded."""
        line, *_ = sends(
            Node(1).wishes("pear").hears(1, promise("1.n1")), Received(2, promise("1.n1"))
        )
        assert not {"wanted", "reported_by", "reported_ballot"} & line.keys()
        node = Node(1, disk=stored(round=1)).wishes("apple").hears(1, promise("2.n1"))
        line, *_ = sends(node, Received(2, promise("2.n1", "1.n2 apple")))
        assert line["reported_by"] == "n2"
        assert "wanted" not in line

    @pytest.mark.parametrize(
        ("request_", "kind"), [(prepare("1.n1"), "prepare"), (accept("1.n1 x"), "accept")]
    )
    def test_a_refusal_names_what_it_refuses(self, request_: Message, kind: str) -> None:
        """A Nack looks the same for both; its line does not."""
        (line,) = sends(Node(2, disk=stored("2.n3")), Received(1, request_))
        assert (line["request"], line["promised"]) == (kind, "2.n3")

    def test_an_answer_says_whose_value_it_is(self) -> None:
        """Chosen is not the same as yours."""
        for wanted, yours in (("apple", True), ("pear", False)):
            node = Node(1).wishes(wanted)
            step = recorded(node, Received(2, learn("1.n2 apple", 2, 3)))
            (answer,) = [
                line for line in step.effects if line and line["event"] == "propose_answered"
            ]
            assert (answer["wanted"], answer["value"], answer["yours"]) == (wanted, "apple", yours)
            assert (answer["outcome"], answer["ballot"]) == (Outcome.CHOSEN, "1.n2")

    def test_an_answer_without_a_value_has_a_reason(self) -> None:
        """Null stands for what is not known."""
        node = Node(1).wishes("apple")
        step = recorded(node, TimeoutFired(INSTANCE, Timer.GIVE_UP, 1, ()))
        answer = step.effects[0]
        assert answer is not None
        assert (answer["value"], answer["ballot"], answer["yours"]) == (None, None, False)
        assert answer["reason"].endswith("2 of 3 are needed")

    def test_timers_leave_what_chance_makes_of_them_to_the_driver(self) -> None:
        """``after_ms`` is the driver's."""
        step = recorded(Node(1), ProposeRequested(INSTANCE, 4, "apple", 700))
        assert step.effects[0] == {
            "event": "timer_set",
            "instance": 1,
            "timer": "give_up",
            "token": 4,
        }

    def test_long_values_appear_as_length_and_digest_everywhere(self) -> None:
        """In messages, records, states and answers alike: a line stays short."""
        value = "x" * 60_000
        node = Node(1)
        steps = [
            recorded(node, ProposeRequested(INSTANCE, 1, value, 500)),
            *(recorded(node, Received(source, promise("1.n1"))) for source in (1, 2)),
            recorded(node, Received(1, accept(f"1.n1 {value}"))),
            *(recorded(node, Received(source, accepted(f"1.n1 {value}"))) for source in (1, 2)),
        ]
        lines = [line for step in steps for line in (step.given, *step.effects) if line]
        assert {"accept_sent", "state_persisted", "value_learned", "propose_answered"} <= {
            line["event"] for line in lines
        }
        assert all(len(encode(finished(line))) < 1_500 for line in lines)

    def test_hostile_values_stay_on_their_line(self) -> None:
        """Whatever a client sends: one line, valid, and read back as it was."""
        for value in ("a\nb", '"}', "\x00\x1b[2J", "\u2028", "<b>", "🍏"):
            line = finished(recorded(Node(1), ProposeRequested(INSTANCE, 1, value, 5)).given)
            data = encode(line)
            assert data.count(b"\n") == 1
            assert decode(data)["value"] == value

    def test_equal_steps_give_equal_bytes(self) -> None:
        """Canonical order: nothing depends on how a step came about."""
        bytes_ = {
            encode(finished(recorded(Node(2), Received(1, learn("1.n1 x", *named))).given))
            for named in ((1, 2), (1, 2))
        }
        assert len(bytes_) == 1


def test_a_message_has_a_name_for_the_gate() -> None:
    """Lower case, as in ``prepare_sent``."""
    known = Learn(INSTANCE, prepare("1.n1").ballot, "x", (1, 2))
    names = [
        message_kind(message)
        for message in (
            prepare("1.n1"),
            promise("1.n1"),
            accept("1.n1 x"),
            accepted("1.n1 x"),
            nack("1.n1", "2.n2"),
            known,
            Learned(INSTANCE),
            Status(INSTANCE),
        )
    ]
    assert names == [
        "prepare",
        "promise",
        "accept",
        "accepted",
        "nack",
        "learn",
        "learned",
        "status",
    ]


def test_a_disk_with_a_learned_value_shows_its_evidence() -> None:
    """As ``state_recovered`` and ``disk_read`` list it."""
    disk = stored("3.n3", "2.n2 apple", 4, learned("2.n2 apple", 1, 2))
    assert stored_fields(7, disk) == {
        "instance": 7,
        "promised": "3.n3",
        "accepted": {"ballot": "2.n2", "value": "apple"},
        "round": 4,
        "learned": {"ballot": "2.n2", "value": "apple", "acceptors": ["n1", "n2"]},
    }
