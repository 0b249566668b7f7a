"""The space-time view from far out, and the strip above it: ballots, fans, density, turning points."""

import math
from itertools import combinations
from typing import Any, Final

import pytest

from tests.logbuilder import build
from tests.web_drawing import (
    SCRIPT,
    Drawing,
    Item,
    drawn,
    folded,
    is_cross,
    long_run,
    middle,
    place_of,
)
from tests.web_node import ask_node
from tests.web_server import recorded

DUEL: Final = """
    client n1 apple
    client n3 pear
    phase1 1.n1 by n1 n2
    phase1 2.n3 by n2 n3
    n1 accept 1.n1 apple to n1 n2 n3
    n2 gets accept 1.n1 apple
    n2 nack 1.n1 for 2.n3
    n1 gets nack 1.n1 from n2
    n3 gets accept 1.n1 apple
    n3 nack 1.n1 for 2.n3
    n1 gets nack 1.n1 from n3
    phase1 3.n1 by n1 n2
    phase2 3.n1 apple by n1 n2
"""
"""Three ballots: one refused in phase 2, one that never gets so far, one with a choice."""


class TestFarOut:
    def test_ballots_are_bars_where_arrows_would_stand_upright(self) -> None:
        """Phase 1 thin, phase 2 hollow, filled where it got a value chosen, crossed where it was refused."""
        lines = build(DUEL)
        near, far = drawn(lines), drawn(lines, scale=3.5)
        assert all(near.about(one) for one in near.flights)
        assert not any(far.about(one) for one in far.flights)
        ballots = folded(lines)["instances"]["1"]["ballots"]
        assert set(ballots) == {"1.n1", "2.n3", "3.n1"}
        bars = {one["box"][0]: one["box"] for one in far.of("box", "prepare")}
        begins = {
            far.x[far.at("prepare_sent", node, count)]
            for node, count in (("n1", 1), ("n3", 1), ("n1", 4))
        }
        assert set(bars) == begins
        assert {box[3] for box in bars.values()} == {5}
        (chosen,) = far.of("box", "accepted")
        (choice,) = folded(lines)["instances"]["1"]["chosen"]
        assert chosen["box"][0] < far.x[place_of(lines, choice["line"])]
        assert chosen["box"][3] == 12
        # One is open for a while; the other ends where its quorum is complete, too soon to be hollow.
        assert len(far.of("frame", "accept")) == 1
        (short,) = far.of("box", "accept")
        assert short["box"][3] < chosen["box"][3]
        (refused,) = [one for one in far.of("stroke", "nack") if is_cross(one)]
        assert middle(refused) == pytest.approx(
            (far.x[far.at("nack_sent", "n3")], far.lanes["n1"]), abs=1
        )
        assert {"1.n1", "2.n3"} <= set(far.texts())

    def test_the_arms_of_a_broadcast_become_a_fan(self) -> None:
        """Where they lie close; nearer they are arrows alone, and two arms are no fan."""
        wide = build("nodes 5\nclient n3 apple\nphase1 1.n3 by n1 n2 n3 n4 n5")
        few = build(
            "nodes 5\nclient n3 apple\nn3 prepare 1.n3 to n1 n2\nn1 gets prepare 1.n3\nn2 gets prepare 1.n3"
        )

        def wedges(drawing: Drawing) -> list[Item]:
            return [one for one in drawing.of("fill", "prepare") if one["alpha"] < 0.2]

        drawing = drawn(wide, scale=10)
        head = [drawing.x[drawing.at("prepare_sent", "n3")], drawing.lanes["n3"]]
        found = wedges(drawing)
        # One wedge above the sender's lane, one below.
        assert [one["path"][0][1:] for one in found] == [head, head]
        assert wedges(drawn(wide, scale=17)) == []
        assert wedges(drawn(few, scale=10)) == []
        near = drawn(wide, scale=17)
        for one, other in zip(drawing.flights, near.flights, strict=True):
            thin, full = drawing.about(one)[0]["width"], near.about(other)[0]["width"]
            assert (thin < full) == (one["kind"] == "prepare")

    def test_density_shows_where_how_much_of_which_kind_happened(self) -> None:
        """A bar at each place and lane with messages and nowhere else; kinds by width, refusals as dots."""
        lines = long_run(16_000)
        drawing = drawn(lines, scale=0.1, flights=False)
        groups = {
            "prepare": 0,
            "promise": 0,
            "accept": 1,
            "accepted": 1,
            "learn": 2,
            "learned": 2,
            "nack": 3,
        }
        colours = ["prepare", "accepted", "learn", "nack"]
        wanted = set()
        for at, line in enumerate(lines):
            kind = line["event"].removesuffix("_sent").removesuffix("_received")
            if kind in groups and kind != line["event"] and drawing.shown[at]:
                bar = math.floor((drawing.slots[at] * 0.1 + 14) / 3)
                wanted.add((bar, drawing.lanes[line["node"]], colours[groups[kind]]))
        assert len({colour for _, _, colour in wanted}) == 4
        lanes = set(drawing.lanes.values())
        found: set[tuple[int, float, str]] = set()
        widths: dict[str, set[float]] = {colour: set() for colour in colours}
        for colour in colours:
            for one in drawing.of("box", colour):
                x, y, wide, high = one["box"]
                _, lane = min((abs(y + high / 2 - lane), lane) for lane in lanes)
                found.add((round((x - drawing.gutter) / 3), lane, colour))
                widths[colour].add(wide)
        assert found == {one for one in wanted if 0 <= one[0] < (1400 - drawing.gutter) / 3 + 1}
        assert {colour: widths[colour] for colour in colours[:3]} == {
            "prepare": {1},
            "accepted": {3},
            "learn": {1.8},
        }
        # However many, refusals are dots one above the other.
        assert all(max(one["box"][2:]) < 1.5 for one in drawing.of("box", "nack"))
        # Not an arrow is left.
        assert [one for one in drawing.items if one["about"]] == []


class TestStrip:
    def test_each_turning_point_has_its_sign_at_its_place(self) -> None:
        """All that Python finds, and nothing that is still to come."""
        lines = recorded("local-crash-after-promise")
        state = folded(lines)
        wanted = [(place_of(lines, one["line"]), one["kind"]) for one in state["turning_points"]]
        assert {"propose", "quorum", "chosen", "kill", "restart"} <= {kind for _, kind in wanted}
        signs = ask_node(SCRIPT, {"ask": "signs"})
        for cursor in (len(lines) - 1, wanted[len(wanted) // 2][0]):
            strip = ask_node(SCRIPT, {"ask": "strip", "lines": lines, "change": {"cursor": cursor}})
            told = {(round(strip["x"][at], 3), kind) for at, kind in wanted if at <= cursor}
            assert pictured(strip["items"], signs) == told

    def test_no_two_kinds_share_a_shape(self) -> None:
        """Whoever sees no colour tells them apart, too; and every kind has its words and its sign."""
        signs = ask_node(SCRIPT, {"ask": "signs"})
        assert set(signs) == set(ask_node(SCRIPT, {"ask": "kinds"}))
        for one, other in combinations(signs, 2):
            assert signs[one]["parts"] != signs[other]["parts"], (one, other)
        outlines = [str([part["points"] for part in sign["parts"]]) for sign in signs.values()]
        # Filled or not is all that tells no two of them apart but by size.
        assert len(set(outlines)) == len(outlines)


def pictured(items: list[Item], signs: Any) -> set[tuple[float, str]]:
    """Which signs stand where on the strip, told by their shapes alone."""
    paths = [one for one in items if one["how"] in {"fill", "stroke"} and one["path"]]
    found = set()
    for kind, sign in signs.items():
        parts = sign["parts"]
        for first in range(len(paths) - len(parts) + 1):
            x = paths[first]["path"][0][1] - parts[0]["points"][0][0]
            if all(
                same(drawn_part, part, x, 6)
                for drawn_part, part in zip(paths[first : first + len(parts)], parts, strict=True)
            ):
                found.add((round(x, 3), kind))
    return found


def same(item: Item, part: Any, x: float, y: float) -> bool:
    """Whether what was drawn is this part of a sign, at a place."""
    corners = [one[1:] for one in item["path"] if one[0] in "ML"]
    return (
        item["how"] == ("fill" if part["filled"] else "stroke")
        and (["Z"] in item["path"]) == part["closed"]
        and len(corners) == len(part["points"])
        and all(
            abs(px - x - dx) < 0.01 and abs(py - y - dy) < 0.01
            for (px, py), (dx, dy) in zip(corners, part["points"], strict=True)
        )
    )
