"""Where things stand on the ring and in the space-time view, in a real browser."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_page import settled, visiting
from tests.web_server import serving

pytestmark = pytest.mark.browser

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


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with no runs but the stories that it always has."""
    with serving(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page at a hash, calmly."""
    with visiting(browser, address) as open_page:
        yield partial(open_page, viewport={"width": 1360, "height": 900}, reduced_motion="reduce")


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


@pytest.mark.parametrize(
    ("cuts", "told"),
    [
        (both("n1>n3", "n2>n3"), "wall: n1 n2 | n3"),
        (both("n1>n2", "n2>n3"), "wall: n1 n3 | n2"),
        (both("n1>n2", "n1>n3", "n2>n3"), "wall: n1 | n2 | n3"),
        (both("n1>n3"), "no way n1 ↔ n3"),
        (["n1>n3", "n2>n3"], "no way n1 n2 → n3"),
        ([*both("n1>n2"), "n1>n3"], "no way n1 ↔ n2, no way n1 → n3"),
    ],
)
def test_a_wall_says_who_is_parted_from_whom(
    visit: Callable[..., Page], cuts: list[str], told: str
) -> None:
    """Also where its sides are no neighbours, or where there is a way round it."""
    page = visit("#story=basic")
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
    expect(page.locator("#now-title")).to_contain_text("event 89 of 89")
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
