"""What the space-time view draws: each sign of docs/page.md, and that it is absent where its cause is.

Each sign is looked for in a log that has its cause, and missed in the same
log or moment without it.
"""

from typing import Final

import pytest

from paxos.events import Line, line_id
from tests.logbuilder import ORCHESTRATOR, LogBuilder, build
from tests.web_drawing import Drawing, Item, drawn, folded, is_cross, is_head, middle, place_of
from tests.web_rooms import judged
from tests.web_server import recorded, scripted

APPLE: Final = "apple"

# What page.md says of each kind: colour, width, dash, and whether the head is filled.
ARROWS: Final = {
    "prepare": ("prepare", "thin", False, True),
    "promise": ("prepare", "thin", True, False),
    "accept": ("accept", "thick", False, True),
    "accepted": ("accepted", "thick", True, False),
    "nack": ("nack", "thin", True, False),
    "learn": ("learn", "thin", False, True),
}
ALL_KINDS: Final = """
    client n1 apple
    phase1 1.n1 by n1 n2
    phase2 1.n1 apple by n1 n2
    n1 learns 1.n1 apple by n1 n2
    n1 learn 1.n1 apple by n1 n2 to n3
    n3 gets learn 1.n1 from n1
    n3 learns 1.n1 apple by n1 n2
    n3 prepare 1.n3 to n2
    n2 gets prepare 1.n3
    n2 disk 1.n3 with 1.n1 apple
    n2 promise 1.n3 with 1.n1 apple
    n3 gets promise 1.n3 from n2
    n1 prepare 1.n1 to n2
    n2 gets prepare 1.n1
    n2 nack 1.n1 for 1.n3
    n1 gets nack 1.n1 from n2
"""
"""One message of each kind at least, a Promise with a report and some without."""


class TestMessages:
    @pytest.mark.parametrize("kind", ARROWS)
    def test_each_kind_has_its_colour_weight_dash_and_head(self, kind: str) -> None:
        """A request solid with a filled head, a reply dashed with a hollow one."""
        colour, weight, dashed, filled = ARROWS[kind]
        drawing = drawn(build(ALL_KINDS))
        to = {"promise": "n1", "accepted": "n1", "nack": "n1", "learn": "n3"}.get(kind, "n2")
        line, *head = drawing.about(drawing.flight(kind, to, "received"))
        assert (line["how"], line["colour"]) == ("stroke", colour)
        assert (line["width"] >= 3) == (weight == "thick")
        assert (line["dash"] != []) == dashed
        assert all(is_head(one) for one in head)
        # A hollow head shows what is behind it within an edge of its colour.
        assert [(one["how"], one["colour"]) for one in head] == (
            [("fill", colour)] if filled else [("fill", "card"), ("stroke", colour)]
        )

    def test_a_nack_is_dotted_and_wears_the_higher_ballot(self) -> None:
        """Without a Nack no ballot is told in its colour; too small to be read, neither."""
        lines = build(ALL_KINDS)
        drawing = drawn(lines)
        (nack,) = [one for one in drawing.flights if one["kind"] == "nack"]
        dots, gaps = drawing.about(nack)[0]["dash"]
        assert dots < 2 < gaps
        (told,) = drawing.of("text", "nack")
        assert told["text"] == "≥ 1.n3"
        (x0, y0), (x1, y1) = nack["way"]["points"]
        assert x0 <= told["x"] <= x1
        assert min(y0, y1) < told["y"] < max(y0, y1)
        before = drawing.at("nack_sent", "n2") - 1
        assert drawn(lines, cursor=before).of("text", "nack") == []
        assert drawn(lines, scale=6).of("text", "nack") == []

    def test_a_promise_that_reports_wears_the_value_biggest_of_all(self) -> None:
        """A square between the lanes, in the value's colour, with its letter; a bare Promise has none."""
        lines = build(ALL_KINDS)
        drawing = drawn(lines)
        colour = drawing.colours[APPLE]

        def squares(drawing: Drawing) -> list[Item]:
            return [
                one
                for one in drawing.of("fill", colour)
                if [part[0] for part in one["path"]] == ["R"]
            ]

        def between(one: Item) -> bool:
            _, _, y, _, high = one["path"][0]
            return all(abs(y + high / 2 - lane) > 15 for lane in drawing.lanes.values())

        reported = [
            one for one in squares(drawing) if between(one) and one["path"][0][2] > drawing.top
        ]
        (square,) = reported
        x, y, wide, high = square["path"][0][1:]
        (flight,) = [one for one in drawing.flights if one["kind"] == "promise" and one["accepted"]]
        (x0, _), (x1, _) = flight["way"]["points"]
        assert x0 < x + wide / 2 < x1
        assert all(wide > one["path"][0][3] for one in squares(drawing) if one is not square)
        letters = [one for one in drawing.items if one["how"] == "text" and one["text"] == "a"]
        assert any(x < one["x"] < x + wide and y < one["y"] < y + high for one in letters)
        bare = drawn(lines, cursor=drawing.at("promise_sent", "n2", 2) - 1)
        assert [one for one in squares(bare) if between(one) and one["path"][0][2] > bare.top] == []


def gated(event: str, kind: str) -> list[Line]:
    """A log in which a gate stops the first message of a kind from n1 to n3, or n3's reply."""
    builder = LogBuilder()
    for sentence in ("client n1 apple", "n1 prepare 1.n1 to n2 n3"):
        builder.say(*sentence.split())
    source, to = "n1", "n3"
    if kind == "promise":
        builder.say("n3", "gets", "prepare", "1.n1")
        builder.say("n3", "promise", "1.n1")
        source, to = "n3", "n1"
    message = next(
        line for line in builder.lines if line["event"] == f"{kind}_sent" and line["to"] == to
    )
    about = {"message": line_id(message), "kind": kind, "instance": 1}
    gate = source if kind == "prepare" else to
    builder.write(gate, event, rule="r", source=source, to=to, **about)
    return builder.lines


def parted(*, wall: bool) -> list[Line]:
    """n1 asks n2 and n3; with a wall between n2 and n3 what n3 is asked is lost there."""
    builder = LogBuilder()
    builder.start()
    about = {"mechanism": "gate", "evidence": "seen", "elapsed_ms": 1}
    groups = {
        "fault": "partition",
        "targets": ["n1", "n2", "n3"],
        "detail": {"sides": [["n1", "n2"], ["n3"]]},
    }
    if wall:
        builder.write(ORCHESTRATOR, "fault_applied", **groups, **about)
    for sentence in ("client n1 apple", "n1 prepare 1.n1 to n2 n3", "n2 gets prepare 1.n1"):
        builder.say(*sentence.split())
    if wall:
        message = next(
            line
            for line in builder.lines
            if line.get("to") == "n3" and line["event"] == "prepare_sent"
        )
        builder.write(
            "n1",
            "call_failed",
            to="n3",
            instance=1,
            message=line_id(message),
            kind="prepare",
            status="UNAVAILABLE",
        )
        builder.write(ORCHESTRATOR, "fault_undone", **groups, **about)
    builder.say("n2", "promise", "1.n1")
    return builder.lines


class TestLost:
    @staticmethod
    def end(drawing: Drawing, kind: str, to: str) -> tuple[float, float]:
        """Where a lost message ends: its cross stands there, and it has no head."""
        (flight,) = [
            one
            for one in drawing.flights
            if (one["kind"], one["to"]) == (kind, to) and one["fate"] not in {"received", "open"}
        ]
        line, halo, cross = drawing.about(flight)
        assert [is_cross(one) for one in (line, halo, cross)] == [False, True, True]
        assert cross["colour"] == line["colour"]
        assert middle(cross) == pytest.approx(tuple(line["path"][-1][1:]))
        return middle(cross)

    def test_a_message_that_arrives_has_no_cross(self) -> None:
        """And one under way at the end of the log has neither cross nor loss."""
        drawing = drawn(build("client n1 apple\nn1 prepare 1.n1 to n2 n3\nn2 gets prepare 1.n1"))
        for flight in drawing.flights:
            assert not any(is_cross(one) for one in drawing.about(flight))
        assert {one["fate"] for one in drawing.flights} == {"received", "open"}

    def test_a_request_that_a_gate_drops_ends_at_its_sender(self) -> None:
        """And a reply at its addressee: before the lane in both cases."""
        drawing = drawn(gated("message_dropped", "prepare"))
        _, y = self.end(drawing, "prepare", "n3")
        one, three = drawing.lanes["n1"], drawing.lanes["n3"]
        assert one < y < one + (three - one) * 0.3
        drawing = drawn(gated("message_dropped", "promise"))
        _, y = self.end(drawing, "promise", "n1")
        assert one < y < one + (three - one) * 0.3

    def test_a_message_ends_at_the_wall(self) -> None:
        """Which stands between the lanes of its sides."""
        drawing = drawn(parted(wall=True))
        _, y = self.end(drawing, "prepare", "n3")
        assert y == pytest.approx((drawing.lanes["n2"] + drawing.lanes["n3"]) / 2)

    def test_a_message_ends_at_a_dead_lane(self) -> None:
        """It gets all the way, and nobody is there."""
        lines = build("client n1 apple\nn2 killed\nn1 prepare 1.n1 to n2 n3\nn2 back")
        drawing = drawn(lines)
        _, y = self.end(drawing, "prepare", "n2")
        one, two = drawing.lanes["n1"], drawing.lanes["n2"]
        assert two - (two - one) * 0.05 < y <= two


def lane_strokes(drawing: Drawing, node: str) -> list[tuple[list[float], float, float]]:
    """The parts of a node's lane: dash, from, to."""
    y = drawing.lanes[node]
    found = []
    for one in drawing.items:
        if one["how"] != "stroke" or one["colour"] not in {"lane", "line"} or one["about"]:
            continue
        match one["path"]:
            case [["M", x0, y0], ["L", x1, y1]] if y0 == y1 == y:
                found.append((one["dash"], x0, x1))
    return found


class TestLanes:
    def test_a_killed_nodes_lane_is_dotted_from_its_cross_to_its_restart(self) -> None:
        """Others' stay solid."""
        lines = build(
            "client n1 apple\nn2 killed\nn1 prepare 1.n1 to n3\nn3 gets prepare 1.n1\nn2 back"
        )
        drawing = drawn(lines)
        killed = next(at for at, line in enumerate(lines) if line["event"] == "fault_applied")
        back = drawing.at("node_started", "n2", 2)
        dashes = {tuple(dash): (x0, x1) for dash, x0, x1 in lane_strokes(drawing, "n2")}
        (dotted,) = [dash for dash in dashes if dash and dash[0] < 2]
        assert dashes[dotted] == (drawing.x[killed], drawing.x[back])
        y = drawing.lanes["n2"]
        crosses = [one for one in drawing.of("stroke", "nack") if is_cross(one)]
        assert [middle(one) for one in crosses] == [pytest.approx((drawing.x[killed], y))]
        (turned,) = drawing.of("stroke", "accepted")
        assert turned["path"][0][:3] == ["A", drawing.x[back], y]
        for node in ("n1", "n3"):
            assert {
                tuple(dash) for dash, _, _ in lane_strokes(drawing, node) if dash != [2, 6]
            } == {()}

    def test_a_paused_nodes_lane_turns_to_dashes_and_messages_wait_on_it(self) -> None:
        """Until it goes on; a node that runs receives at once."""
        lines = paused()
        drawing = drawn(lines)
        begin, end = (
            next(at for at, line in enumerate(lines) if line["event"] == event)
            for event in ("fault_applied", "fault_undone")
        )
        (dashed,) = [one for one in lane_strokes(drawing, "n3") if one[0] and one[0][0] > 5]
        assert dashed[1:] == (drawing.x[begin], drawing.x[end])
        bars = drawing.of("box", "accept")
        assert len(bars) == 2
        assert all(abs(one["box"][0] - drawing.x[begin]) < 8 for one in bars)
        y = drawing.lanes["n3"]
        waits = drawing.flight("prepare", "n3", "received")["way"]["points"]
        # It reaches the lane, waits along it until the node goes on, and only then arrives.
        assert len(waits) == 4
        assert waits[1][1] == waits[2][1] == y - 8
        assert waits[2][0] == drawing.x[end]
        assert waits[3] == [drawing.x[drawing.at("prepare_received", "n3")], y]
        assert len(drawing.flight("prepare", "n2", "received")["way"]["points"]) == 2
        assert [one for one in lane_strokes(drawing, "n2") if one[0] and one[0] != [2, 6]] == []

    def test_a_lane_fills_only_when_its_node_learns(self) -> None:
        """Before, it does not, however much is chosen; one that never learns stays empty."""
        lines = build(ALL_KINDS)
        drawing = drawn(lines)
        colour = drawing.colours[APPLE]
        fills = {
            one["box"][1] + one["box"][3] / 2: one
            for one in drawing.of("box", colour)
            if one["alpha"] == 0.5
        }
        assert set(fills) == {drawing.lanes["n1"], drawing.lanes["n3"]}
        for node in ("n1", "n3"):
            learned = drawing.at("value_learned", node)
            assert fills[drawing.lanes[node]]["box"][0] == drawing.x[learned]
        before = drawn(lines, cursor=drawing.at("value_learned", "n1") - 1)
        assert [one for one in before.of("box", colour) if one["alpha"] == 0.5] == []
        assert "chosen: apple at 1.n1" in before.texts()


def paused() -> list[Line]:
    """n3 is paused while n1 asks n2 and n3, and receives when it goes on."""
    builder = LogBuilder()
    builder.start()
    about = {"fault": "pause", "targets": ["n3"], "mechanism": "signal", "detail": {}}
    seen = {"evidence": "seen", "elapsed_ms": 1}
    builder.write(ORCHESTRATOR, "fault_applied", **about, **seen)
    for sentence in ("client n1 apple", "n1 prepare 1.n1 to n2 n3", "n2 gets prepare 1.n1"):
        builder.say(*sentence.split())
    builder.write(ORCHESTRATOR, "fault_undone", **about, **seen)
    builder.say("n3", "gets", "prepare", "1.n1")
    return builder.lines


def changing(lines: list[Line], request: str) -> int:
    """The first line at which a request changes what an acceptor remembers."""
    return next(
        at
        for at, line in enumerate(lines)
        if line["event"] == f"{request}_received" and "acceptor" in line.get("after", {})
    )


class TestMemoryAndDisk:
    @pytest.mark.parametrize(("request_", "corners"), [("prepare", "MLLLZ"), ("accept", "R")])
    def test_a_sign_is_hollow_in_memory_and_filled_once_on_disk(
        self, request_: str, corners: str
    ) -> None:
        """◇ for a promise, □ for an acceptance; and it is on disk before the reply leaves."""
        lines = recorded("local-partition")
        at = changing(lines, request_)
        node = lines[at]["node"]
        saved = next(
            place
            for place in range(at, len(lines))
            if lines[place]["node"] == node and lines[place]["event"] == "state_persisted"
        )
        replied = next(
            place
            for place in range(at, len(lines))
            if lines[place]["node"] == node
            and lines[place]["event"] in {"promise_sent", "accepted_sent"}
        )
        assert at < saved < replied

        def signs(cursor: int, place: int) -> list[str]:
            # A circle marks the cursor itself; a letter stands in a filled square.
            drawing = drawn(lines, cursor=cursor)
            assert drawing.x[at] < drawing.x[saved] < drawing.x[replied]
            return [
                one["colour"]
                for one in drawing.on_lane(place, near=7)
                if one["how"] == "fill" and "".join(part[0] for part in one["path"]) == corners
            ]

        assert signs(at, at) == ["card"]
        assert signs(at, saved) == []
        (filled,) = signs(saved, saved)
        assert filled == ("prepare" if request_ == "prepare" else drawn(lines).colours[APPLE])


class TestTheCluster:
    def test_the_moment_of_choice_is_a_dashed_line(self) -> None:
        """Where a quorum has it on disk, as Python folds it; a minority's acceptance draws none."""
        lines = build(ALL_KINDS)
        (choice,) = folded(lines)["instances"]["1"]["chosen"]
        drawing = drawn(lines)

        def uprights(drawing: Drawing) -> list[float]:
            return [
                one["path"][0][1]
                for one in drawing.of("stroke", "ink")
                if one["dash"] and one["path"][0][1] == one["path"][1][1]
            ]

        assert uprights(drawing) == [drawing.x[place_of(lines, choice["line"])]]
        few = build("client n1 apple\nphase1 1.n1 by n1 n2\nphase2 1.n1 apple by n1")
        assert folded(few)["instances"]["1"]["chosen"] == []
        assert uprights(drawn(few)) == []
        assert uprights(drawn(lines, cursor=place_of(lines, choice["line"]) - 1)) == []

    def test_a_wall_is_hatched_between_its_sides_as_long_as_it_lasts(self) -> None:
        """Slanted strokes within its band, and its name; without a wall nothing of its colour."""
        lines = parted(wall=True)
        drawing = drawn(lines)
        begin, end = (
            next(at for at, line in enumerate(lines) if line["event"] == event)
            for event in ("fault_applied", "fault_undone")
        )
        (hatching,) = drawing.of("stroke", "wall")
        left, top, wide, high = hatching["clip"]
        assert (left, left + wide) == (drawing.x[begin], pytest.approx(drawing.x[end]))
        assert top + high / 2 == (drawing.lanes["n2"] + drawing.lanes["n3"]) / 2
        strokes = list(zip(hatching["path"][::2], hatching["path"][1::2], strict=True))
        assert len(strokes) > 5
        assert all(start[1] < stop[1] and start[2] > stop[2] for start, stop in strokes)
        assert "wall: n1 n2 | n3" in drawing.texts()
        without = drawn(parted(wall=False))
        assert [one for one in without.items if one["colour"] == "wall"] == []

    def test_a_violation_is_a_red_band_with_its_name(self) -> None:
        """At the last event that proves it; the same log unjudged has none."""
        lines = scripted("R1-accepts-below-its-promise")
        verdict = judged(lines)
        ends = [
            max(place_of(lines, name) for name in violation["lines"])
            for violation in verdict["violations"]
        ]
        drawing = drawn(lines, verdict=verdict)
        bands = [one for one in drawing.of("stroke", "bad") if one["clip"]]
        assert sorted({one["clip"][0] + one["clip"][2] / 2 for one in bands}) == pytest.approx(
            sorted({drawing.x[at] for at in ends})
        )
        lanes = sorted(drawing.lanes.values())
        assert all(
            one["clip"][1] < lanes[0] and one["clip"][1] + one["clip"][3] > lanes[-1]
            for one in bands
        )
        assert "violation" in drawing.texts()
        assert drawn(lines).of("stroke", "bad") == []
        assert drawn(lines, verdict=verdict, cursor=min(ends) - 1).of("stroke", "bad") == []
