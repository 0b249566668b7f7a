"""One order for the lines of many writers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from paxos.checker import merge
from paxos.checker.order import Order, by_writer, key_of, name_at, named
from paxos.events import Line, line_id
from tests.logbuilder import build
from tests.test_checker_faults import GOOD


def assert_causal(merged: list[Line]) -> None:
    """Each writer's order is kept, and a cause stands before what it caused."""
    place = {line_id(line): at for at, line in enumerate(merged)}
    for own in by_writer(merged).values():
        assert all(place[line_id(a)] < place[line_id(b)] for a, b in pairwise(own))
    for line in merged:
        if line.get("cause") in place:
            assert place[line["cause"]] < place[line_id(line)]


@given(st.data())
def test_any_mixture_with_any_clocks_merges_causally(data: st.DataObject) -> None:
    """Whatever order lines come in and whatever their clocks say, causes come first."""
    lines = [{**line, "at_ns": data.draw(st.integers(0, 5), label="at_ns")} for line in build(GOOD)]
    mixed = data.draw(st.permutations(lines))
    merged = merge(mixed)
    assert len(merged) == len(lines)
    assert_causal(merged)
    assert merged == merge(lines)


@given(st.sets(st.integers(0, 60)))
def test_missing_causes_hold_nothing_up(gone: set[int]) -> None:
    """Every line that is there is in the merged log, whichever others are not."""
    lines = [line for at, line in enumerate(build(GOOD)) if at not in gone]
    merged = merge(lines)
    assert sorted(map(line_id, merged)) == sorted(map(line_id, lines))
    assert_causal(merged)


def test_ties_are_broken_by_time_and_then_by_writer() -> None:
    """Where causes leave it open, the earlier comes first, then the runner, n1, n2, ..."""
    lines = build("client n2 apple\nclient n1 pear")
    assert merge(lines) == lines
    same = [{**line, "at_ns": 7} for line in lines]
    assert [line["node"] for line in merge(same)[:2]] == ["orchestrator", "orchestrator"]


def test_a_circle_of_causes_is_cut() -> None:
    """No real log has one; a forged log must not hang the checker."""
    lines = build(
        "n1 prepare 1.n1 to n2\nn2 gets prepare 1.n1\nn2 promise 1.n1\nn1 gets promise 1.n1 from n2"
    )
    sent = next(line for line in lines if line["event"] == "prepare_sent")
    received = next(line for line in lines if line["event"] == "promise_received")
    sent["cause"], received["cause"] = line_id(received), line_id(received)
    merged = merge(lines)
    assert sorted(map(line_id, merged)) == sorted(map(line_id, lines))


def test_a_disk_is_read_after_its_nodes_last_line() -> None:
    """The runner's line stands behind the incarnation that it read, whatever its clock says."""
    lines = build("client n1 apple\nphase1 1.n1 by n1 n2\nn2 killed\nread n2 1.n1")
    lines[-1]["at_ns"] = 0
    merged = [line_id(line) for line in merge(lines)]
    last = max((line for line in lines if line["node"] == "n2"), key=lambda line: int(line["seq"]))
    assert merged.index(line_id(lines[-1])) > merged.index(line_id(last))


def test_happened_before_is_known_through_others() -> None:
    """n3 hears of n2's acceptance from n1 only, and that is enough."""
    lines = build(
        """
        client n1 apple
        phase1 1.n1 by n1 n2
        phase2 1.n1 apple by n1 n2
        n1 learn 1.n1 apple by n1 n2 to n3
        n3 gets learn 1.n1 from n1
        """
    )
    order = Order(by_writer(lines))
    accepted = next(
        line for line in lines if line["event"] == "accepted_sent" and line["node"] == "n2"
    )
    told = lines[-1]
    untold = next(line for line in lines if line["node"] == "n3")
    assert order.before(accepted, told)
    assert not order.before(told, accepted)
    assert not order.before(accepted, untold)
    assert order.reach(told, "n2") == key_of(accepted)
    assert order.reach(untold, "n2") == 0


def test_names_and_keys_are_each_others_inverse() -> None:
    """A line's key holds all that its name says."""
    line = build("client n1 apple")[-1]
    node, key = named(line_id(line))
    assert key == key_of(line)
    assert name_at(node, key) == line_id(line)
