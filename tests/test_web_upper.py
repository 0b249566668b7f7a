"""The cards above the lanes in a real browser: whatever they have to say, the lanes stay in sight and in place."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web_page import settled

pytestmark = pytest.mark.browser

DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
LANE_ROOM = 12
"""What is drawn around a lane, in pixels: the ring around the present event."""
DETAIL_LEAST = 40
"""Two lines of reasons, in pixels, are read without scrolling."""

_NAMES = """() => {
    const draw = CanvasRenderingContext2D.prototype;
    const { fillText } = draw;
    window.lanes = {};
    draw.fillText = function (text, x, y, ...rest) {
        if (this.canvas.id === "spacetime" && /^n[1-9]$/.test(text) && x < 48) window.lanes[text] = y;
        fillText.call(this, text, x, y, ...rest);
    };
}"""
"""Keeps how far below the canvas's top each lane's name is written."""


def watching_lanes(page: Page) -> None:
    """Keep where the lanes' names are written, for :func:`lanes`; before the page is loaded."""
    page.add_init_script(f"({_NAMES})()")


def top_of_lanes(page: Page) -> float:
    """Where the lanes' canvas begins, in pixels of the window."""
    settled(page)
    found: float = page.evaluate("document.getElementById('spacetime').getBoundingClientRect().top")
    return found


def lanes(page: Page) -> dict[str, float]:
    """Where each lane stands in the window, in pixels, by its node."""
    top = top_of_lanes(page)
    return {name: top + y for name, y in page.evaluate("window.lanes").items()}


@pytest.mark.parametrize(
    ("hash_", "count"),
    [
        ("", 5),
        ("#story=basic", 5),
        ("#story=partition", 5),
        ("#tour=3", 5),
        ("#exhibit=minority", 5),
        ("#variant=ignore-accepted", 3),
    ],
)
def test_all_lanes_are_in_the_window(visit: Callable[..., Page], hash_: str, count: int) -> None:
    """On a desk of 1360 by 900 pixels nobody has to scroll to see where a message goes."""
    page = visit(hash_, prepare=watching_lanes, viewport=DESK)
    expect(page.locator("#spacetime")).to_be_attached()
    expect(page.locator(".acceptors tbody tr")).to_have_count(count)
    found = lanes(page)
    assert len(found) == count
    assert page.evaluate("window.scrollY") == 0
    assert max(found.values()) + LANE_ROOM <= DESK["height"]


def _stepped(page: Page, count: int) -> list[dict[str, Any]]:
    """Go on event by event; after each where the lanes begin, and whether a card's text is cut off."""
    seen = []
    for _ in range(count):
        page.keyboard.press("ArrowRight")
        top = top_of_lanes(page)
        cut = page.evaluate(
            "[...document.querySelectorAll('.happening, .facts, .column, .detail, .choice')]"
            ".filter(one => one.scrollHeight > one.clientHeight + 1"
            " && getComputedStyle(one).overflowY !== 'auto'"
            f" || one.className === 'detail' && one.clientHeight < {DETAIL_LEAST}).map(one => one.className)"
        )
        seen.append({"top": top, "cut": cut})
    return seen


def test_the_lanes_stay_where_they_are_while_one_steps(visit: Callable[..., Page]) -> None:
    """Through a hundred moments: sentences, reasons and ballots come and go above them."""
    page = visit("#story=basic", viewport=DESK)
    before = top_of_lanes(page)
    told = page.locator(".sentence").inner_text()
    seen = _stepped(page, 100)
    assert page.locator(".sentence").inner_text() != told
    assert {one["top"] for one in seen} == {before}
    assert [one["cut"] for one in seen if one["cut"]] == []


def test_a_message_that_is_opened_moves_nothing(visit: Callable[..., Page]) -> None:
    """Both its ends are read by scrolling its card, down to the table."""
    page = visit("#story=tour&at=n4/1/22", viewport=DESK)
    before = top_of_lanes(page)
    page.locator(".flight").first.dispatch_event("click")
    expect(page.locator(".message")).to_be_visible()
    assert top_of_lanes(page) == before
    page.locator(".acceptors tbody tr").last.scroll_into_view_if_needed()
    expect(page.locator(".acceptors tbody tr").last).to_be_in_viewport()
    assert top_of_lanes(page) == before


def test_nothing_is_cut_off_on_a_phone(visit: Callable[..., Page]) -> None:
    """Its cards are as high as what they say, and no wider than the phone: only the table scrolls."""
    page = visit("#story=partition&at=n1/1/42", viewport=PHONE)
    settled(page)
    wide = page.evaluate(
        "[...document.querySelectorAll('.sentence, .detail, .facts, .choice')]"
        ".filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.className)"
    )
    assert wide == []
    assert page.evaluate("document.querySelector('.middle').scrollHeight") <= page.evaluate(
        "document.querySelector('.middle').clientHeight"
    )
