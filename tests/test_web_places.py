"""What a moment has to say is there to be read, and what one presses stays in its place."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web_page import Visit, settled

pytestmark = pytest.mark.browser

DESK: Final = {"width": 1360, "height": 900}
PHONE: Final = {"width": 390, "height": 844}

_GO: Final = """at => {
    const scrubber = document.querySelector(".scrubber");
    scrubber.value = at;
    scrubber.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def go(page: Page, at: int) -> None:
    """Be at a line, as the scrubber leads there."""
    page.evaluate(_GO, at)
    settled(page)


def box(place: Locator) -> tuple[float, float, float]:
    """Where something is: its left, its top and its width."""
    found = place.bounding_box()
    assert found is not None
    return found["x"], found["y"], found["width"]


@pytest.mark.parametrize("hash_", ["", "#story=basic"])
def test_what_changes_in_memory_is_in_sight_on_a_desk(visit: Visit, hash_: str) -> None:
    """Nobody has to guess that its card scrolls: it is what the moment is about."""
    page = visit(hash_, viewport=DESK)
    seen = 0
    for at in range(10, 110):
        go(page, at)
        found = page.evaluate(
            """() => {
                const [changes, detail] = [".changes", ".detail"].map(one => document.querySelector(one));
                return changes && changes.getBoundingClientRect().bottom - detail.getBoundingClientRect().bottom;
            }"""
        )
        seen += found is not None
        assert found is None or found <= 1, at
    assert seen > 20


def test_play_stays_where_it_is_on_a_phone(visit: Visit) -> None:
    """Whatever sentence comes above it: the finger is there already."""
    page = visit("#story=partition", viewport=PHONE)
    play = page.locator(".controls .primary")
    heights, places = set(), set()
    for at in range(15, 160, 3):
        go(page, at)
        heights.add(page.evaluate("document.querySelector('.sentence').clientHeight"))
        places.add(
            page.evaluate(
                "document.querySelector('.controls .primary').getBoundingClientRect().top + scrollY"
            )
        )
    assert len(heights) > 1
    assert len(places) == 1
    expect(play).to_have_text(re.compile("Play"))


def test_the_ring_stays_where_it_is_when_the_welcome_is_closed(visit: Visit) -> None:
    """On a phone it stands first while a newcomer watches; it must not seem to vanish."""
    page = visit("", viewport=PHONE)
    expect(page.locator(".welcome")).to_be_visible()
    ring, sentence = page.locator(".top > .column"), page.locator(".top > .middle")
    assert box(ring)[1] < box(sentence)[1]
    page.locator(".welcome .close").click()
    expect(page.locator(".welcome")).to_have_count(0)
    settled(page)
    assert box(ring)[1] < box(sentence)[1]
    expect(ring).to_be_in_viewport()


def test_the_table_shows_that_it_goes_on_to_the_right(visit: Visit) -> None:
    """A shade at its edge, which is gone where it ends."""
    page = visit("#story=partition&at=n1/1/42", viewport=PHONE)
    settled(page)
    table = page.locator(".scroll-x")
    assert (
        page.evaluate(
            "(one => one.scrollWidth - one.clientWidth)(document.querySelector('.scroll-x'))"
        )
        > 20
    )

    def edge() -> bytes:
        # Beside the caption, where nothing is written.
        table.scroll_into_view_if_needed()
        left, top, width = box(table)
        return page.screenshot(clip={"x": left + width - 4, "y": top + 2, "width": 4, "height": 10})

    more = edge()
    page.evaluate("document.querySelector('.scroll-x').scrollLeft = 10_000")
    settled(page)
    assert more != edge()


@pytest.mark.parametrize(
    ("hash_", "field"), [("#story=basic", "#filter-text"), ("#variants", "#variant-text")]
)
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_hints_in_fields_are_read_to_their_end(
    visit: Visit, hash_: str, field: str, size: dict[str, Any]
) -> None:
    """What a hint leaves out nobody can ask for."""
    page = visit(hash_, viewport=size)
    expect(page.locator(field)).to_be_visible()
    room, wanted = page.evaluate(
        """selector => {
            const field = document.querySelector(selector);
            const style = getComputedStyle(field);
            const pen = new OffscreenCanvas(9, 9).getContext("2d");
            pen.font = style.font;
            const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return [room, pen.measureText(field.placeholder).width];
        }""",
        field,
    )
    assert room >= wanted


@pytest.mark.parametrize("height", [900, 1100])
def test_no_message_covers_the_title_of_the_ring(visit: Visit, height: int) -> None:
    """Nor does one that the topmost node sends to itself."""
    page = visit("#story=partition", viewport={"width": 1360, "height": height})
    flights = 0
    for at in range(10, 120):
        go(page, at)
        found = page.evaluate(
            """() => {
                const title = document.getElementById("ring-title").getBoundingClientRect();
                const discs = [...document.querySelectorAll(".ring .flight circle")].map(one => one.getBoundingClientRect());
                return [discs.length, discs.filter(one => one.left < title.right && one.top < title.bottom).length];
            }"""
        )
        flights += found[0]
        assert found[1] == 0, at
    assert flights > 50


def test_the_key_that_goes_on_goes_on_from_the_end_of_a_guide(visit: Visit) -> None:
    """As its button does: to the next exhibit, and out of the last one."""
    page = visit("#tour=6.2")
    guide = page.locator(".guide")
    expect(guide).to_contain_text("Step 6 of 6")
    expect(guide.locator(".keys-hint")).to_contain_text("n next")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("#exhibit=two-phases"))
    page.evaluate("location.hash = '#exhibit=degradation'")
    done = guide.get_by_role("button", name="Done")
    for _ in range(4):
        if done.is_visible():
            break
        if guide.locator(".guess").count():
            page.keyboard.press("A")
        page.keyboard.press("n")
        settled(page)
    expect(done).to_be_visible()
    page.keyboard.press("n")
    expect(guide).to_have_count(0)
