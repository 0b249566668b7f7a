"""The words of the space-time view: what is chosen is told where there is room, and no word lies on a sign."""

import itertools
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from paxos.events import Line
from tests.logbuilder import build
from tests.web_drawing import Drawing, drawn, folded, place_of
from tests.web_learn import VISIT

__all__ = ["VISIT"]

TWO_CHOSEN = """
    client n1 apple
    client n3 pear
    phase1 1.n1 by n1 n2
    phase2 1.n1 apple by n1 n2
    n3 prepare 1.n3 to n2 n3
    n3 accept 1.n3 pear to n2 n3
    n2 gets accept 1.n3 pear
    n2 disk 1.n3 with 1.n3 pear
    n2 accepted 1.n3 pear
    n3 gets accept 1.n3 pear
    n3 disk 1.n3 with 1.n3 pear
    n3 accepted 1.n3 pear
"""


def chosen(drawing: Drawing) -> list[str]:
    """What is written above the lanes."""
    return [
        one["text"]
        for one in drawing.items
        if one["how"] == "text" and one["y"] < 24 and len(one["text"]) > 1
    ]


class TestChosen:
    def test_each_of_two_values_is_told_in_full_where_there_is_room(self) -> None:
        """Both, with the ballot."""
        drawing = drawn(build(TWO_CHOSEN), scale=40, width=2400)
        assert chosen(drawing) == ["chosen: apple at 1.n1", "chosen: pear at 1.n3"]

    def test_the_first_makes_room_for_the_second(self) -> None:
        """Its words stand on the left of its line where they would cover the next one's."""
        lines = build(TWO_CHOSEN)
        drawing = drawn(lines, scale=10)
        first, second = (
            drawing.x[place_of(lines, one["line"])]
            for one in folded(lines)["instances"]["1"]["chosen"]
        )
        assert second - first < len("chosen: apple at 1.n1") * 6
        assert chosen(drawing) == ["chosen: apple at 1.n1", "chosen: pear at 1.n3"]
        apple, pear = (
            one["x"] for one in drawing.items if str(one.get("text")).startswith("chosen")
        )
        assert apple + len("chosen: apple at 1.n1") * 6 < first
        assert second < pear

    def test_at_the_edge_it_is_told_in_fewer_words_or_covers_the_next_line(self) -> None:
        """On its left there is no room."""
        lines = build(TWO_CHOSEN)
        whole = drawn(lines)
        choice = folded(lines)["instances"]["1"]["chosen"][0]
        left = whole.slots[place_of(lines, choice["line"])] - 1
        both = chosen(drawn(lines, scale=10, left=left))
        assert both == ["apple", "chosen: pear at 1.n3"]
        assert chosen(drawn(lines, scale=5, left=left))[0] == "chosen: apple at 1.n1"

    @pytest.mark.parametrize(
        ("room", "told"),
        [(115, "chosen: pear"), (60, "pear"), (30, None)],
    )
    def test_with_less_room_fewer_words_tell_it(self, room: int, told: str | None) -> None:
        """The value at least, before only its letter is left; never on another's words, nor cut off."""
        lines = build(TWO_CHOSEN)
        first, second = (
            place_of(lines, one["line"]) for one in folded(lines)["instances"]["1"]["chosen"]
        )
        x = drawn(lines, scale=10).x
        # The first one's words just end before the second one's line.
        scale = 1_600 / (x[second] - x[first])
        width = round(drawn(lines, scale=scale).x[second]) + room
        drawing = drawn(lines, scale=scale, width=width)
        assert chosen(drawing) == ["chosen: apple at 1.n1", *([] if told is None else [told])]
        placed = [one for one in drawing.items if one["how"] == "text" and one["y"] < 24]
        for one, other in itertools.pairwise(placed):
            assert one["x"] + len(one["text"]) * 6 <= other["x"] + 6
        assert all(one["x"] + len(one["text"]) * 6 <= width for one in placed)


ANSWERED = """
    client n1 apple
    n1 answers apple
"""


class TestWishes:
    @staticmethod
    def told(lines: list[Line]) -> tuple[float, float]:
        """How high above its lane a wish is told, and how high the sign of an answer reaches."""
        drawing = drawn(lines)
        (wish,) = [one for one in drawing.items if one.get("text") == "wants apple"]
        return drawing.lanes["n1"] - wish["y"], 15

    def test_a_wish_is_told_above_an_answer_that_follows_at_once(self) -> None:
        """Its words would lie on the answer's triangle; without one they stand beside their own."""
        high, sign = self.told(build(ANSWERED))
        assert high > sign
        high, sign = self.told(build("client n1 apple"))
        assert high < sign


@pytest.mark.browser
class TestTheMomentOfChoice:
    def test_a_value_that_is_not_chosen_has_no_time_since_its_choice(
        self, visit: Callable[..., Page]
    ) -> None:
        """n1 takes apple for chosen, and nothing is: the time is that of the run."""
        page = visit("#exhibit=minority.3")
        expect(page.locator(".choice")).to_contain_text("Nothing is chosen yet")
        one = page.locator(".choice .moments li", has_text="n1")
        expect(one).to_contain_text(re.compile(r"apple\s*\S at \d+\.\d+ ms, and it is not chosen"))
        expect(page.locator(".choice")).not_to_contain_text("+")

    def test_each_node_is_told_with_the_value_that_it_learned_where_they_differ(
        self, visit: Callable[..., Page]
    ) -> None:
        """Pear is chosen; n1 had learned apple long before, and n5 pear after it."""
        page = visit("#exhibit=minority.4")
        expect(page.locator(".choice .chosen")).to_contain_text("pear at 1.n5")
        learned = page.locator(".choice .moments li:not(.chosen)")
        expect(learned.filter(has_text="n1")).to_contain_text("apple")
        expect(learned.filter(has_text="n1")).to_contain_text("not chosen")
        expect(learned.filter(has_text="n5")).to_contain_text(re.compile(r"pear\s+\+\d"))

    def test_of_two_chosen_values_each_has_its_own_moment(self, visit: Callable[..., Page]) -> None:
        """It is said which one a node has learned; where one value is about, it is not repeated."""
        page = visit("#exhibit=one-value.3")
        expect(page.locator(".choice .chosen")).to_have_count(2)
        learned = page.locator(".choice .moments li:not(.chosen)", has_text=re.compile(r"n\d"))
        expect(learned).to_contain_text([re.compile(r"pear\s+\+\d")] * 3)
        page = visit("#exhibit=one-value.2")
        expect(page.locator(".choice .chosen")).to_have_count(1)
        expect(page.locator(".choice .moments li:not(.chosen)").nth(1)).to_contain_text("+")
        expect(page.locator(".choice .moments li:not(.chosen) .value")).to_have_count(0)
