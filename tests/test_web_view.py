"""Where things stand on the ring and in the space-time view, in a real browser."""

import re
from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.web_learn import VISIT
from tests.web_page import awaited, settled

pytestmark = pytest.mark.browser
__all__ = ["VISIT"]

_CUT_TEXT: Final = """async ([members, cuts]) => {
    const { cutText } = await import("/view/walls.js");
    return cutText(members, cuts);
}"""
_SEATS: Final = """() => [...document.querySelectorAll(".ring .node")].map(node => {
    const body = node.querySelector(".body");
    return [node.querySelector(".name").textContent.trim(), body.cx.baseVal.value, body.cy.baseVal.value];
})"""
_MESSAGES: Final = """() => [...document.querySelectorAll(".ring .flight")].map(flight => {
    const circle = flight.querySelector("circle:not(.under)");
    return [circle.cx.baseVal.value, circle.cy.baseVal.value];
})"""
_WRITTEN: Final = """() => {
    const draw = CanvasRenderingContext2D.prototype;
    const { clearRect, fillText } = draw;
    window.written = [];
    draw.clearRect = function (...given) {
        if (this.canvas.id === "spacetime") window.written = [];
        clearRect.apply(this, given);
    };
    draw.fillText = function (text, x, y) {
        const wide = this.measureText(text).width;
        const left = x - { left: 0, start: 0, center: wide / 2, right: wide, end: wide }[this.textAlign];
        if (this.canvas.id === "spacetime") window.written.push({ text, left, right: left + wide, y });
        fillText.call(this, text, x, y);
    };
}"""
"""Keeps what the last drawing of the space-time view has written, and where."""


def written(page: Page) -> list[dict[str, Any]]:
    """What stands in the space-time view once it has been drawn."""
    settled(page)
    found: list[dict[str, Any]] = page.evaluate("window.written")
    assert found, "the view was drawn"
    return found


def test_seats_and_lanes_stay_by_number_whatever_wall_stands(visit: Callable[..., Page]) -> None:
    """Whoever looks must not lose which node is which: here a wall parts n1 and n2 from the rest."""
    page = visit("#tour=1", prepare=lambda page: page.add_init_script(f"({_WRITTEN})()"))
    expect(page.locator(".ring .node")).to_have_count(5)
    before = page.evaluate(_SEATS)
    assert [name for name, _, _ in before] == ["n1", "n2", "n3", "n4", "n5"]
    page.evaluate("location.hash = '#tour=4'")
    expect(page.locator(".sentence")).to_contain_text("The network is partitioned")
    assert page.evaluate(_SEATS) == before
    expect(page.locator(".ring .wall")).to_have_count(1)
    texts = written(page)
    lanes = sorted((one["y"], one["text"]) for one in texts if one["text"] in {"n1", "n2", "n3"})
    assert [name for _, name in lanes] == ["n1", "n2", "n3"]
    assert "wall: n1 n2 | n3 n4 n5" in {one["text"] for one in texts}


def both(*pairs: str) -> list[str]:
    """The cut directions of cables, as ``n1>n2`` and back."""
    return [way for pair in pairs for way in (pair, ">".join(reversed(pair.split(">"))))]


_WALLS: Final = (
    (both("n1>n3", "n2>n3"), "wall: n1 n2 | n3"),
    (both("n1>n2", "n2>n3"), "wall: n1 n3 | n2"),
    (both("n1>n2", "n1>n3", "n2>n3"), "wall: n1 | n2 | n3"),
    (both("n1>n3"), "no way n1 ↔ n3"),
    (["n1>n3", "n2>n3"], "no way n1 n2 → n3"),
    ([*both("n1>n2"), "n1>n3"], "no way n1 ↔ n2, no way n1 → n3"),
)


def test_a_wall_says_who_is_parted_from_whom(visit: Callable[..., Page]) -> None:
    """Also where its sides are no neighbours, or where there is a way round it."""
    page = visit("#story=basic")
    for cuts, told in _WALLS:
        assert page.evaluate(_CUT_TEXT, [["n1", "n2", "n3"], cuts]) == told


@pytest.mark.parametrize(
    "hash_", ["#tour=3", "#tour=4", "#tour=4.3", "#exhibit=numbers.3", "#exhibit=persistence.4"]
)
def test_messages_on_the_ring_do_not_lie_on_each_other(
    visit: Callable[..., Page], hash_: str
) -> None:
    """Those that wait together are one pile with their number."""
    page = visit(hash_)
    expect(page.locator(".ring p").first).to_contain_text("messages in flight")
    settled(page)
    places = page.evaluate(_MESSAGES)
    near = [
        (one, other)
        for one, other in combinations(places, 2)
        if (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 < 17**2
    ]
    assert near == []


def test_held_messages_are_counted_and_gone_through(visit: Callable[..., Page]) -> None:
    """A click opens one of the pile, the next click the next."""
    page = visit("#tour=4")
    pile = page.locator(".ring .flight", has_text="\N{MULTIPLICATION SIGN}5")
    expect(pile.locator("title")).to_contain_text("5 held: Accept from n5 to n1; Accept from n5")
    for target in ("n1", "n2"):
        pile.dispatch_event("click")
        expect(page.locator("#message-title")).to_contain_text(f"Accept from n5 to {target}")


def overlapping(texts: list[dict[str, Any]], words: list[str]) -> list[tuple[str, str]]:
    """Pairs of texts that lie on each other, one of which begins with one of these words."""
    return [
        (one["text"], other["text"])
        for one, other in combinations(texts, 2)
        if any(text["text"].startswith(word) for text in (one, other) for word in words)
        and abs(one["y"] - other["y"]) < 10
        and one["left"] < other["right"]
        and other["left"] < one["right"]
    ]


def test_no_word_lies_on_a_chapter_or_is_cut_at_the_edge(visit: Callable[..., Page]) -> None:
    """What broke a rule, what is chosen, and what must be pushed at the very end of what is shown."""

    def keep(page: Page) -> None:
        page.add_init_script(f"({_WRITTEN})()")

    page = visit("#story=broken--number-reused-by-hand", prepare=keep)
    page.keyboard.press("End")
    page.keyboard.press("f")
    expect(page.locator("#now-title")).not_to_contain_text("event 1 of")
    texts = written(page)
    assert [one["text"] for one in texts].count("violation") == 3
    assert "chosen: apple at 1.n1" in {one["text"] for one in texts}
    assert overlapping(texts, ["violation", "chosen"]) == []
    page = visit("#tour=3", prepare=keep)
    expect(page.locator(".guess")).to_have_count(3)
    page.keyboard.press("B")
    expect(page.locator(".sentence")).to_contain_text("must push")
    (pushed,) = [one for one in written(page) if one["text"] == "must push apple"]
    assert pushed["right"] <= page.evaluate("document.getElementById('spacetime').clientWidth")


_COLOURS: Final = """async runs => {
    const { ValueColours, styleOf } = await import("/log/values.js");
    return runs.map(values => {
        const colours = new ValueColours();
        colours.add(values);
        return Object.fromEntries(values.map(value => [value, styleOf(colours.styles, value).index]));
    });
}"""


def test_a_value_has_one_colour_in_every_run(visit: Callable[..., Page]) -> None:
    """It comes from the text; in one run two values share none while there are enough."""
    page = visit("#story=basic")
    fruits = ["apple", "pear", "cherry", "lemon", "plum", "kiwi"]
    alone = page.evaluate(_COLOURS, [[fruit] for fruit in fruits])
    everywhere = {fruit: colour for one in alone for fruit, colour in one.items()}
    assert len(set(everywhere.values())) == len(fruits)
    others = [f"value {number}" for number in range(40)]
    runs = [fruits, fruits[::-1], ["pear", "lemon"], others[:6], [*others[:5], "apple"], others]
    found = page.evaluate(_COLOURS, runs)
    assert found[0] == found[1] == everywhere
    assert found[2] == {"pear": everywhere["pear"], "lemon": everywhere["lemon"]}
    assert len(set(found[3].values())) == len(set(found[4].values())) == 6
    assert set(found[5].values()) == set(range(6))
    # What comes first keeps the colour that it wants.
    (first,) = page.evaluate(_COLOURS, [others[:1]])
    assert found[5]["value 0"] == first["value 0"]


def test_an_apple_looks_the_same_in_tour_and_exhibit(visit: Callable[..., Page]) -> None:
    """Though in the tour another value came before it."""
    seen = []
    for hash_ in ("#tour=2.4", "#exhibit=persistence.2"):
        page = visit(hash_)
        apple = page.locator(".choice .chosen .value", has_text="apple").locator(".swatch")
        seen.append(apple.get_attribute("class"))
    assert seen[0] == seen[1]


def test_the_list_says_for_how_many_events_it_stands(visit: Callable[..., Page]) -> None:
    """Its entries are fewer than the events that the moment is counted by, and both are told."""
    page = visit("#story=basic")
    expect(page.locator("#events-title")).to_contain_text(re.compile(r"\d+ entries for \d+ events"))
    count = page.locator("#now-title .muted").inner_text().split(" of ")[1]
    assert page.locator("#events-title").inner_text().endswith(f" for {count} events")


def test_a_riddle_is_not_answered_beside_it(visit: Callable[..., Page]) -> None:
    """The verdict on the whole run and what is to come wait until one goes on, or asks for it."""
    page = visit("#story=tour", prepare=lambda page: page.add_init_script(f"({_WRITTEN})()"))
    expect(page.locator(".predict")).to_contain_text("How many values will be chosen?")
    expect(page.locator(".predict")).to_contain_text("What is to come is hidden")
    expect(page.locator(".run-bar .verdict-ok")).to_have_count(0)
    shown = page.get_by_role("button", name="Show what is to come")
    expect(shown).to_have_attribute("aria-pressed", "false")
    assert [one for one in written(page) if one["text"].startswith("chosen")] == []
    shown.click()
    expect(shown).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".predict")).not_to_contain_text("What is to come is hidden")
    page.keyboard.press("f")
    assert [one for one in written(page) if one["text"].startswith("chosen")]
    page.get_by_role("button", name="Hide what is to come, and guess").click()
    expect(shown).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="Hide what is to come, and guess")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".run-bar .verdict-ok")).to_be_visible()
    expect(shown).to_have_attribute("aria-pressed", "true")


def test_a_scene_fills_the_room_that_it_has_in_the_end(visit: Callable[..., Page]) -> None:
    """Its caption takes a column of its own, once it is there; and the window may change."""
    page = visit("#tour=2.4", prepare=lambda page: page.add_init_script(f"({_WRITTEN})()"))
    expect(page.locator(".caption")).to_contain_text("Apple is on three disks")
    for width in (1360, 1700):
        page.set_viewport_size({"width": width, "height": 900})
        awaited(page, f"innerWidth === {width}")
        settled(page)
        settled(page)
        (chosen,) = [one for one in written(page) if one["text"] == "chosen: apple at 2.n1"]
        room = page.evaluate("document.getElementById('spacetime').clientWidth")
        # What is chosen last stands at the end of the scene.
        assert room * 0.9 < chosen["right"] <= room
