"""What no correct peer sends: each case is refused with a sentence, and changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import Codec, Question, WireError
from node.log import LineName
from node.wire import control_pb2, paxos_pb2
from node.wire.generate import differing
from paxos.protocol import (
    Accept,
    Accepted,
    Ballot,
    Learn,
    Message,
    Nack,
    Prepare,
    Promise,
    Proposal,
)
from tests.node_cluster import PATIENCE_S, Node, cluster

BIG = 2**53
CODEC = Codec(1, (1, 2, 3))


def ballot(round_: int = 1, node_id: int = 101) -> paxos_pb2.Ballot:
    """g1's, unless told otherwise."""
    return paxos_pb2.Ballot(round=round_, node_id=node_id)


def prepare(**changed: Any) -> paxos_pb2.PrepareRequest:
    """A good Prepare but for what is changed."""
    fields: dict[str, Any] = {"instance": 1, "source": 101, "ballot": ballot(), **changed}
    return paxos_pb2.PrepareRequest(**fields)


def accept(**changed: Any) -> paxos_pb2.AcceptRequest:
    """A good Accept but for what is changed."""
    fields: dict[str, Any] = {
        "instance": 1,
        "source": 101,
        "ballot": ballot(),
        "value": b"apple",
        **changed,
    }
    return paxos_pb2.AcceptRequest(**fields)


def learn(**changed: Any) -> paxos_pb2.LearnRequest:
    """A good Learn but for what is changed."""
    fields: dict[str, Any] = {
        "instance": 1,
        "source": 101,
        "ballot": ballot(),
        "value": b"apple",
        "acceptors": [1, 2],
        **changed,
    }
    return paxos_pb2.LearnRequest(**fields)


def propose(**changed: Any) -> paxos_pb2.ProposeRequest:
    """A good Propose but for what is changed."""
    return paxos_pb2.ProposeRequest(**{"instance": 1, "value": b"apple", **changed})


def status(**changed: Any) -> paxos_pb2.StatusRequest:
    """A Status with what is given."""
    return paxos_pb2.StatusRequest(**changed)


RANGE = paxos_pb2.InstanceRange
RULE = control_pb2.GateRule


def gate(**changed: Any) -> control_pb2.SetGateRequest:
    """A rule that is good but for what is changed."""
    return control_pb2.SetGateRequest(rules=[RULE(**{"name": "r", "action": RULE.CUT, **changed})])


def configure(first: int = 1, last: int = 1, **settings: Any) -> control_pb2.ConfigureRequest:
    """Settings for a range."""
    return control_pb2.ConfigureRequest(
        first_instance=first, last_instance=last, settings=control_pb2.Settings(**settings)
    )


@dataclass(frozen=True)
class Case:
    """A request, and the sentence that must come back."""

    method: str
    request: Any
    sentence: str


CASES = [
    Case("Prepare", prepare(instance=0), "instance is 0: instances count from 1"),
    Case("Prepare", prepare(instance=BIG), f"instance is {BIG}: instances count"),
    Case("Prepare", prepare(source=0), "source is 0: it must be a peer of this node, 2, 3,"),
    Case("Prepare", prepare(source=4, ballot=ballot(1, 4)), "source is 4: it must be a peer"),
    Case("Prepare", prepare(source=110, ballot=ballot(1, 110)), "source is 110: it must be"),
    Case("Prepare", prepare(source=1, ballot=ballot(1, 1)), "source is 1: n1 is this node"),
    Case("Prepare", prepare(ballot=None), "ballot is missing"),
    Case("Prepare", prepare(ballot=ballot(1, 102)), "ballot 1.g2 belongs to g2, and g1 asks"),
    Case("Prepare", prepare(ballot=ballot(1, 0)), "ballot.node_id is 0: neither a member"),
    Case("Prepare", prepare(ballot=ballot(BIG)), f"ballot.round is {BIG}, above 2^53 - 1"),
    Case(
        "Prepare",
        prepare(source=2, ballot=ballot(1, 2), line=paxos_pb2.LogLine(incarnation=1)),
        "line is 1/0: incarnations and lines count from 1",
    ),
    Case("Prepare", b"\xff\xff", "the request is no paxos.v1.PrepareRequest"),
    Case("Accept", accept(instance=0), "instance is 0"),
    Case("Accept", accept(value=b"x" * 65537), "value has 65537 bytes; the most is 65536"),
    Case("Accept", accept(value=b"a\xff"), "value is not UTF-8: invalid start byte at byte 1"),
    Case("Accept", accept(value=b"\xed\xa0\x80"), "value is not UTF-8"),
    Case("Accept", accept(ballot=ballot(1, 2)), "ballot 1.n2 belongs to n2, and g1 asks"),
    Case("Learn", learn(acceptors=[1]), "acceptors names 1 of 3; a quorum of 2 must have"),
    Case("Learn", learn(acceptors=[]), "acceptors names 0 of 3"),
    Case("Learn", learn(acceptors=[1, 1]), "acceptors names one acceptor twice"),
    Case("Learn", learn(acceptors=[1, 101]), "acceptors names 101, which is no acceptor"),
    Case("Learn", learn(acceptors=[1, 2, 3, 4]), "acceptors names 4, which is no acceptor"),
    Case("Learn", learn(ballot=ballot(1, 9)), "ballot.node_id is 9"),
    Case("Propose", propose(instance=0), "instance is 0"),
    Case("Propose", propose(value=b"x" * 70000), "value has 70000 bytes"),
    Case("Propose", propose(value=b"\xc3"), "value is not UTF-8"),
    Case("Propose", propose(timeout_ms=600_001), "timeout_ms is 600001; a client waits 600000"),
    Case("Status", status(instance=BIG), f"instance is {BIG}"),
    Case("Status", status(source=101), "source is 101: a node that asks is a peer"),
    Case("Status", status(source=1), "source is 1: a node that asks is a peer"),
    Case("Status", status(after=BIG), f"after is {BIG}, above 2^53 - 1"),
    Case("Status", status(skip=[RANGE(first=0, last=2)]), "skip names 0 to 2: a range begins"),
    Case("Status", status(skip=[RANGE(first=3, last=2)]), "skip names 3 to 2: a range begins"),
    Case("Status", status(skip=[RANGE(first=1, last=1)] * 1001), "skip names 1001 ranges; 1000"),
    Case("SetGate", gate(name=""), "a rule needs a printable name"),
    Case("SetGate", gate(name="a\nb"), "a rule needs a printable name"),
    Case("SetGate", gate(action=0), "rule 'r' has no action"),
    Case("SetGate", gate(source=77), "rule 'r' names 77, no node"),
    Case("SetGate", gate(kinds=["vote"]), "rule 'r' names the kind 'vote'; known are accept,"),
    Case("SetGate", gate(first_instance=3, last_instance=2), "first_instance of rule 'r' is 3"),
    Case("SetGate", gate(last_instance=2), "first_instance of rule 'r' is 0"),
    Case("SetGate", gate(action=RULE.DROP), "rule 'r' drops 0 %: it must be 1 to 100"),
    Case("SetGate", gate(action=RULE.DROP, percent=101), "rule 'r' drops 101 %"),
    Case("SetGate", gate(action=RULE.DELAY, delay_ms=2), "rule 'r' delays by 2 to 0 ms"),
    Case("SetGate", gate(action=RULE.DUPLICATE, copies=1), "rule 'r' duplicates 0 %: it must be"),
    Case("SetGate", gate(action=RULE.DUPLICATE, percent=9), "rule 'r' makes 0 copies: it must be"),
    Case("SetGate", gate(action=RULE.REORDER, percent=0), "rule 'r' reorders 0 %"),
    Case("SetGate", gate(action=RULE.REORDER, percent=9), "rule 'r' lets messages wait 0 ms to"),
    Case(
        "SetGate",
        control_pb2.SetGateRequest(
            rules=[RULE(name="r", action=RULE.CUT), RULE(name="r", action=RULE.HOLD)]
        ),
        "two rules are named 'r'",
    ),
    Case("Release", control_pb2.ReleaseRequest(), "name either the numbers of held messages"),
    Case("Release", control_pb2.ReleaseRequest(numbers=[1, 1]), "a message is named twice"),
    Case("ArmFailpoint", control_pb2.ArmFailpointRequest(), "no failpoint is 0"),
    Case(
        "ArmFailpoint",
        control_pb2.ArmFailpointRequest(
            failpoint=control_pb2.ArmFailpointRequest.BEFORE_WRITE, kind="probe"
        ),
        "kind is 'probe'; known are accept,",
    ),
    Case("Configure", configure(0, 1), "first_instance is 0 and last_instance 1"),
    Case("Configure", configure(2, 1), "first_instance is 2 and last_instance 1"),
    Case("Configure", configure(number_scheme="odd"), "number_scheme is 'odd'; known are"),
    Case("Configure", configure(patience_ms=0), "patience_ms is 0: it must be 1 to 600000"),
    Case("Configure", configure(learn_timeout_ms=0), "learn_timeout_ms is 0: it must be 1 to"),
    Case("Configure", configure(attempt_limit_count=0), "attempt_limit_count is 0: it must be"),
    Case("Configure", configure(backoff_base_ms=9000), "backoff_base_ms must not be more than"),
    Case("Probe", control_pb2.ProbeRequest(to=1, timeout_ms=1), "to is 1, which is no peer"),
    Case("Probe", control_pb2.ProbeRequest(to=2), "timeout_ms is 0: it must be 1 to"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """n1 of three; the others are down."""
    with cluster(tmp_path_factory.mktemp("refusals")) as made:
        yield made["n1"].start()


def call(node: Node, method: str, request: Any) -> bytes:
    """Send what no stub would send."""
    control = method in control_pb2.DESCRIPTOR.services_by_name["Control"].methods_by_name
    data = request if isinstance(request, bytes) else request.SerializeToString()
    service = "paxos.v1.Control" if control else "paxos.v1.Paxos"
    channel = node.channel(node.control_address)
    invoke: Callable[..., bytes] = channel.unary_unary(f"/{service}/{method}")
    return invoke(data, timeout=PATIENCE_S, wait_for_ready=True)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.method} {place}" for place, case in enumerate(CASES)]
)
def test_nonsense_is_refused_with_a_sentence_and_changes_nothing(node: Node, case: Case) -> None:
    """INVALID_ARGUMENT; no instance is begun, nothing is written, the node goes on."""
    with pytest.raises(grpc.RpcError) as caught:
        call(node, case.method, case.request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(case.sentence)
    info = node.control.Info(control_pb2.InfoRequest(), timeout=PATIENCE_S)
    assert (info.highest_instance, list(info.gate), list(info.failpoints)) == (0, [], [])
    node.read_on()
    told = {line["event"] for line in node.lines}
    assert told <= {"node_started", "node_ready", "request_refused"}


def test_a_message_that_is_not_held_cannot_be_released(node: Node) -> None:
    """NOT_FOUND, and none of the others is released."""
    with pytest.raises(grpc.RpcError) as caught:
        call(node, "Release", control_pb2.ReleaseRequest(numbers=[7]))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_flood_of_refusals_does_not_flood_the_log(tmp_path: Path) -> None:
    """Three hundred bad requests of one kind are two lines, and none is forgotten."""
    with cluster(tmp_path) as made:
        n1 = made["n1"].start(PAXOS_REFUSAL_INTERVAL_MS="600000")
        stub = n1.paxos
        for size in range(300):
            with pytest.raises(grpc.RpcError):
                stub.Accept(accept(value=b"x" * (65537 + size)), timeout=PATIENCE_S)
        assert n1.terminate() == 0
        told = n1.events("request_refused")
        assert [(line["count"], line["status"]) for line in told] == [
            (1, "INVALID_ARGUMENT"),
            (299, "INVALID_ARGUMENT"),
        ]
        assert told[1]["method"] == "Accept"


def test_a_message_far_too_large_is_refused_by_its_size(node: Node) -> None:
    """GRPC itself stops at message_limit_bytes; below that the sentence is ours."""
    with pytest.raises(grpc.RpcError) as caught:
        call(node, "Accept", accept(value=b"x" * 4_300_000))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_stubs_are_what_proto_gives() -> None:
    """`python -m node.wire.generate --check`."""
    assert differing() == []


def ballots() -> st.SearchStrategy[Ballot]:
    """Ballots of members and guests."""
    return st.builds(Ballot, st.integers(0, BIG - 1), st.sampled_from([1, 2, 3, 101, 109]))


INSTANCES = st.integers(1, BIG - 1)
PROPOSALS = st.builds(Proposal, ballots(), st.text(max_size=20))
LINE = LineName("n2", 3, 4)


@given(
    asked=st.one_of(
        st.builds(Prepare, INSTANCES, st.builds(Ballot, st.integers(0, BIG - 1), st.just(2))),
        st.builds(
            Accept,
            INSTANCES,
            st.builds(Ballot, st.integers(0, BIG - 1), st.just(2)),
            st.text(max_size=20),
        ),
        st.builds(Learn, INSTANCES, ballots(), st.text(max_size=20), st.just((1, 3))),
    )
)
def test_a_request_is_read_as_it_was_written(asked: Prepare | Accept | Learn) -> None:
    """n2 writes it, n1 reads it, with its sender and the line that sent it."""
    request = Codec(2, (1, 2, 3)).request(asked, LINE)
    assert not isinstance(request, paxos_pb2.StatusRequest)
    read = CODEC.asked(request)
    assert (read.message, read.source, read.cause) == (asked, 2, LINE)


@given(
    reply=st.one_of(
        st.builds(Promise, st.just(7), ballots(), st.none() | PROPOSALS),
        st.builds(Nack, st.just(7), ballots(), ballots()),
    )
)
def test_a_reply_to_a_prepare_is_read_as_it_was_written(reply: Message) -> None:
    """Promise with or without a pair, and Nack."""
    written = Codec.prepare_reply(reply, LINE)
    (read,) = CODEC.answers(Prepare(7, Ballot(1, 1)), 2, written)
    assert (read.message, read.cause) == (reply, LINE)


@given(
    reply=st.one_of(
        st.builds(Accepted, st.just(7), ballots(), st.text(max_size=20)),
        st.builds(Nack, st.just(7), ballots(), ballots()),
    )
)
def test_a_reply_to_an_accept_is_read_as_it_was_written(reply: Message) -> None:
    """Accepted and Nack."""
    written = Codec.accept_reply(reply, LINE)
    (read,) = CODEC.answers(Accept(7, Ballot(1, 1), "apple"), 2, written)
    assert (read.message, read.cause) == (reply, LINE)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (paxos_pb2.PrepareReply(), "the reply holds no answer"),
        (paxos_pb2.AcceptReply(), "the reply holds no answer"),
        (paxos_pb2.PrepareReply(promise=paxos_pb2.Promise()), "ballot is missing"),
        (
            paxos_pb2.StatusReply(
                instances=[paxos_pb2.InstanceStatus(instance=1, learned=paxos_pb2.LearnedValue())]
            ),
            "ballot is missing",
        ),
    ],
)
def test_a_nonsensical_reply_is_no_message_of_the_core(reply: Any, sentence: str) -> None:
    """The call counts as failed; the core never meets it."""
    with pytest.raises(WireError, match=sentence):
        CODEC.answers(Prepare(7, Ballot(1, 1)), 2, reply)


@given(
    skip=st.lists(
        st.tuples(st.integers(1, 30), st.integers(0, 6)).map(lambda r: (r[0], r[0] + r[1])),
        max_size=8,
    ),
    after=st.integers(0, 10),
)
def test_a_question_skips_what_it_says(skip: list[tuple[int, int]], after: int) -> None:
    """Ranges may overlap and come in any order."""
    request = paxos_pb2.StatusRequest(
        after=after, skip=[RANGE(first=first, last=last) for first, last in skip]
    )
    question: Question = CODEC.question(request)
    for number in range(1, 40):
        skipped = any(first <= number <= last for first, last in skip)
        assert question.wants(number) == (number > after and not skipped)
