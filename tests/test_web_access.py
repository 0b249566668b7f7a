"""Who has only a finger, a phone, a dark screen or a screen reader: the views that other tests leave out."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Page, expect

from paxos.events import line_id
from tests.web_drawing import long_run
from tests.web_page import awaited, drop, in_both_themes, settled, sight, watching_sight
from tests.web_server import recorded, scripted, serving, text_of, write_run

pytestmark = pytest.mark.browser

CRASH: Final = "20260101-crash"
LATE: Final = "20260102-late"
BROKEN: Final = "20260103-broken"
PHONE: Final = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with two good runs and a violated one."""
    logs = tmp_path_factory.mktemp("logs")
    write_run(logs, CRASH, recorded("local-crash-after-promise"), title="A node is killed")
    write_run(logs, LATE, recorded("local-late-proposer"), title="Wanted pear, pushes apple")
    write_run(logs, BROKEN, scripted("R4-ignores-reported-values"), title="It ignores reports")
    with serving(logs) as url:
        yield url


def crashed() -> str:
    """The line at which a node has crashed."""
    return next(
        line_id(line)
        for line in recorded("local-crash-after-promise")
        if line["event"] == "failpoint_hit"
    )


class TestAxe:
    @pytest.mark.parametrize(
        ("hash_", "keys", "seen"),
        [
            (f"#run={CRASH}&at={crashed()}", "", ".ring .node.down"),
            (f"#run={BROKEN}", "", ".violations"),
            (f"#run={CRASH}", "?", ".sheet-help .legend"),
            (f"#compare=run:{CRASH},run:{LATE}", "", ".compare-told"),
            (f"#run={CRASH}", "/", "#find-text"),
        ],
        ids=["crash", "violated", "help", "compare", "find"],
    )
    def test_on_a_phone(self, visit: Callable[..., Page], hash_: str, keys: str, seen: str) -> None:
        """Each view stands there before it is judged, and is no wider than the screen."""
        page = visit(hash_, reduced_motion="reduce", **PHONE)
        expect(page.locator("h2").first).to_be_visible()
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator(seen).first).to_be_visible()
        for _ in in_both_themes(page):
            findings = Axe().run(page)
            assert findings.violations_count == 0, findings.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_from_far_out(self, visit: Callable[..., Page]) -> None:
        """Where single messages can no longer be told apart."""
        page = visit(reduced_motion="reduce")
        drop(page, {"long.jsonl": text_of(long_run(16_000))})
        expect(page.locator(".happening h2")).to_contain_text("of 16,")
        page.keyboard.press("f")
        for _ in in_both_themes(page):
            findings = Axe().run(page)
            assert findings.violations_count == 0, findings.generate_report()


def swiped(page: Page, places: list[tuple[float, float]]) -> None:
    """A finger goes down, from place to place, and up."""
    client = page.context.new_cdp_session(page)
    (first, *rest) = [{"x": x, "y": y} for x, y in places]
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [first]})
    for place in rest:
        client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def box_of(page: Page, selector: str) -> FloatRect:
    """Where something is, once it has been scrolled to."""
    found = page.locator(selector).first
    # A drawing that is due might move it.
    settled(page)
    found.scroll_into_view_if_needed()
    box = found.bounding_box()
    assert box is not None
    return box


class TestTouch:
    @pytest.fixture
    def touched(self, visit: Callable[..., Page]) -> Page:
        """A run on a phone that knows fingers only."""
        return visit(
            f"#run={CRASH}", prepare=watching_sight, has_touch=True, is_mobile=True, **PHONE
        )

    def test_a_finger_scrubs(self, touched: Page) -> None:
        """A tap leads to a moment, and a finger that is drawn along to a later one."""
        page = touched
        scrubber = page.get_by_role("slider", name="Event")
        box = box_of(page, ".scrubber")
        y = box["y"] + box["height"] / 2
        most = int(scrubber.get_attribute("max") or 0)
        before = scrubber.input_value()
        page.touchscreen.tap(box["x"] + box["width"] * 0.4, y)
        expect(scrubber).not_to_have_value(before)
        settled(page)
        there = int(scrubber.input_value())
        assert there == pytest.approx(most * 0.4, abs=most * 0.08)
        expect(page.locator("#now-title")).to_contain_text(f"event {there + 1} of")
        # What is told of the moment is longer or shorter than before, and moves what lies below.
        box = box_of(page, ".scrubber")
        y, knob = box["y"] + box["height"] / 2, box["x"] + box["width"] * 0.4
        swiped(page, [(knob + step * box["width"] * 0.1, y) for step in range(4)])
        awaited(page, f"Number(document.querySelector('.scrubber').value) > {there + most * 0.15}")

    def test_a_finger_drags_the_view(self, touched: Page) -> None:
        """To the left and back, at the same scale."""
        page = touched
        page.keyboard.press("Home")
        box = box_of(page, "#spacetime")
        y, right = box["y"] + box["height"] / 2, box["x"] + box["width"] * 0.8
        left, wide = sight(page)
        way = [(right - step * 30, y) for step in range(7)]
        swiped(page, way)
        awaited(page, f"window.sight[0] > {left + 2}")
        there = sight(page)
        assert there[1] == pytest.approx(wide, abs=1)
        swiped(page, way[::-1])
        awaited(page, f"window.sight[0] < {there[0] - 2}")

    def test_a_finger_selects_a_node_on_the_ring_and_an_event_in_the_view(
        self, touched: Page
    ) -> None:
        """A tap is a click."""
        page = touched
        box = box_of(page, ".ring .node:nth-of-type(3) .body")
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".ring .node[aria-pressed=true]")).to_have_count(1)
        before = page.locator("#now-title").inner_text()
        canvas = box_of(page, "#spacetime")
        page.touchscreen.tap(canvas["x"] + canvas["width"] * 0.8, canvas["y"] + 68)
        expect(page.locator("#now-title")).not_to_have_text(before, use_inner_text=True)
