"""What is under way and what is lost: the lanes and the ring say the same, at each moment."""

from typing import Any

import pytest

from paxos.events import Line, line_id
from tests.logbuilder import ORCHESTRATOR, LogBuilder, build
from tests.web_drawing import SCRIPT, Drawing, Item, drawn, folded, is_cross, is_head, middle
from tests.web_node import ask_node


def flying(lines: list[Line]) -> list[Any]:
    """After each line: the messages on the ring, and how many are lost."""
    found: list[Any] = ask_node(SCRIPT, {"ask": "flying", "lines": lines})
    return found


def of(drawing: Drawing, to: str) -> list[Item]:
    """What is drawn of the first Prepare to a node."""
    return drawing.about(next(one for one in drawing.flights if one["to"] == to))


def crosses(items: list[Item]) -> list[Item]:
    """Those of them that are crosses."""
    return [one for one in items if is_cross(one)]


TO_THE_DEAD = """
    client n1 apple
    n2 killed
    n1 prepare 1.n1 to n2 n3
    n3 gets prepare 1.n1
    n3 disk 1.n1
    n3 promise 1.n1
"""


class TestToADeadNode:
    def test_it_is_lost_at_once_though_no_line_says_so(self) -> None:
        """On the ring it does not fly for ever; one to a node that lives does fly."""
        lines = build(TO_THE_DEAD)
        sent = [at for at, line in enumerate(lines) if line["event"] == "prepare_sent"]
        moments = flying(lines)
        assert moments[sent[0]] == {"flying": [], "lost": 1}
        assert moments[sent[1]] == {"flying": ["prepare to n3"], "lost": 1}
        assert moments[-1] == {"flying": ["promise to n1"], "lost": 1}
        alive = flying(build(TO_THE_DEAD.replace("n2 killed", "")))
        assert {one["lost"] for one in alive} == {0}
        assert alive[-1]["flying"] == ["prepare to n2", "promise to n1"]

    def test_its_cross_stands_at_the_dead_lane(self) -> None:
        """Where nobody is; and it has no head."""
        drawing = drawn(build(TO_THE_DEAD))
        _, _, cross = of(drawing, "n2")
        one, two = drawing.lanes["n1"], drawing.lanes["n2"]
        assert is_cross(cross)
        assert two - (two - one) * 0.05 < middle(cross)[1] <= two

    def test_what_arrives_after_all_is_not_counted(self) -> None:
        """Sent to a node that is starting, it is taken for lost by its start; then it comes."""
        lines = build(f"{TO_THE_DEAD}\nn1 prepare 1.n1 to n2\nn2 back\nn2 gets prepare 1.n1")
        assert folded(lines)["lost_count"] == 2
        assert flying(lines)[-1]["lost"] == 1

    def test_what_arrives_twice_was_not_lost(self) -> None:
        """The network has doubled it."""
        twice = "client n1 apple\nn1 prepare 1.n1 to n2\nn2 gets prepare 1.n1\nn2 gets prepare 1.n1"
        assert flying(build(twice))[-1] == {"flying": [], "lost": 0}

    def test_what_a_gate_holds_back_is_not_lost_yet(self) -> None:
        """It has not left; it is lost when it is let go while its addressee is down."""
        builder = LogBuilder()
        for sentence in ("client n1 apple", "n2 killed", "n1 prepare 1.n1 to n2"):
            builder.say(*sentence.split())
        message = line_id(builder.lines[-1])
        about = {"message": message, "kind": "prepare", "instance": 1, "source": "n1", "to": "n2"}
        builder.write("n1", "message_held", rule="r", **about)
        held = len(builder.lines) - 1
        builder.write("n1", "message_released", rule="r", **about)
        moments = flying(builder.lines)
        assert moments[held] == {"flying": ["prepare to n2"], "lost": 0}
        assert moments[held + 1] == {"flying": [], "lost": 1}
        # The same, but for its addressee: it is up again when the message leaves.
        builder.lines.pop()
        builder.say("n2", "back")
        builder.write("n1", "message_released", rule="r", **about)
        assert flying(builder.lines)[-1] == {"flying": ["prepare to n2"], "lost": 0}


def lost_late() -> tuple[list[Line], int]:
    """n1 asks n2 and n3; much later the call to n3 fails: the lines, and where it does."""
    script = "client n1 apple\nn1 prepare 1.n1 to n3 n2\nn2 gets prepare 1.n1\nn2 disk 1.n1"
    builder = LogBuilder()
    for sentence in [*script.splitlines(), "n2 promise 1.n1", "n1 gets promise 1.n1 from n2"]:
        builder.say(*sentence.split())
    message = next(line for line in builder.lines if line["event"] == "prepare_sent")
    about = {"to": "n3", "instance": 1, "message": line_id(message), "kind": "prepare"}
    builder.write("n1", "call_failed", status="UNAVAILABLE", **about)
    return builder.lines, len(builder.lines) - 1


class TestLostLater:
    def test_no_cross_is_drawn_before_it_is_lost(self) -> None:
        """Until then it is under way, with a head, as the ring has it."""
        lines, at = lost_late()
        before = of(drawn(lines, cursor=at - 1), "n3")
        assert crosses(before) == []
        assert any(is_head(one) for one in before)
        assert "prepare to n3" in flying(lines)[at - 1]["flying"]
        after = of(drawn(lines, cursor=at), "n3")
        assert len(crosses(after)) == 2
        assert not any(is_head(one) for one in after)
        assert flying(lines)[at]["flying"] == []

    def test_its_cross_is_faint_where_what_is_to_come_is_shown(self) -> None:
        """The cross, and nothing else, tells of the end."""
        lines, at = lost_late()
        items = of(drawn(lines, cursor=at - 1, future=True), "n3")
        assert {one["alpha"] < 0.5 for one in crosses(items)} == {True}
        assert any(is_head(one) and one["alpha"] == 1 for one in items)


class TestUnderWay:
    SCRIPT = "client n1 apple\nn1 prepare 1.n1 to n2 n3\nn2 gets prepare 1.n1\nn2 disk 1.n1"

    def test_what_never_arrives_does_not_run_ahead_of_the_cursor(self) -> None:
        """It is cut there as any other; at the end of the log all that is known is drawn."""
        lines = build(self.SCRIPT)

        def seen(drawing: Drawing) -> float:
            """How far to the right the message to n3 is seen."""
            edge: float = min(one["clip"][0] + one["clip"][2] for one in of(drawing, "n3"))
            return edge

        drawing = drawn(lines)
        (way,) = [one["way"]["points"] for one in drawing.flights if one["to"] == "n3"]
        assert way[-1][0] < seen(drawing)
        # Also where it is the last that is told, and its way goes on beyond the cursor.
        short = drawn(build("client n1 apple\nn1 prepare 1.n1 to n2 n3"))
        (way,) = [one["way"]["points"] for one in short.flights if one["to"] == "n3"]
        assert short.x[-1] + 9 < way[-1][0] < seen(short)
        sent = drawing.at("prepare_sent", "n1", 2)
        assert drawing.x[sent] < seen(drawn(lines, cursor=sent)) < drawing.x[sent] + 9


def bridged() -> list[Line]:
    """n1 and n2 cannot reach n4 and n5, and n3 reaches all; n1 asks n4 and n5."""
    builder = LogBuilder()
    builder.say("nodes", "5")
    pairs = [["n1", "n4"], ["n1", "n5"], ["n2", "n4"], ["n2", "n5"]]
    builder.write(
        ORCHESTRATOR,
        "fault_applied",
        fault="partition",
        targets=["n1", "n2", "n3", "n4", "n5"],
        detail={"pairs": pairs},
        mechanism="gate",
        evidence="seen",
        elapsed_ms=1,
    )
    for sentence in ("client n1 apple", "n1 prepare 1.n1 to n4 n5"):
        builder.say(*sentence.split())
    return builder.lines


@pytest.mark.parametrize("kind", ["prepare", "promise"])
def test_nothing_is_lost_on_the_lane_of_a_third_node(kind: str) -> None:
    """There it would tell of something at that node: a cross stands between lanes, or at its addressee's."""
    if kind == "prepare":
        drawing = drawn(bridged())
        assert {one["fate"] for one in drawing.flights} == {"walled"}
    else:
        replies = "nodes 5\nclient n1 apple\nn1 prepare 1.n1 to n4 n5\nn4 gets prepare 1.n1\nn4 promise 1.n1\nn5 gets prepare 1.n1\nn5 promise 1.n1"
        drawing = drawn(build(replies))
    ends = [
        (one["to"], one["source"], one["way"]["points"][-1][1])
        for one in drawing.flights
        if one["fate"] != "received" and one["kind"] == kind
    ]
    assert len(ends) == 2
    for to, source, y in ends:
        assert all(
            abs(y - lane) > 12 for node, lane in drawing.lanes.items() if node not in {to, source}
        ), (source, to, y)


REFUSED = """
    client n1 apple
    phase1 1.n3 by n1 n3
    n1 prepare 1.n1 to n2 n3
    n3 gets prepare 1.n1
    n3 nack 1.n1 for 1.n3
    n2 gets prepare 1.n1
    n2 disk 1.n1
    n1 gets nack 1.n1 from n3
"""


def test_what_a_message_carries_is_told_once_it_has_got_so_far() -> None:
    """Beyond the cursor a ballot would tell where it is to arrive; faint, if that is shown."""
    lines = build(REFUSED)
    drawing = drawn(lines)
    assert "≥ 1.n3" in drawing.texts()
    sent = drawing.at("nack_sent", "n3")
    assert "≥ 1.n3" not in drawn(lines, cursor=sent).texts()
    (told,) = drawn(lines, cursor=sent, future=True).of("text", "nack")
    assert told["alpha"] < 0.5
    assert drawn(lines).of("text", "nack")[0]["alpha"] == 1
