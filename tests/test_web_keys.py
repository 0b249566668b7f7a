"""Keys, wheel, drag and touch: what each gesture does, and whom a key belongs to."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.web_drawing import SCRIPT
from tests.web_node import ask_node
from tests.web_page import settled, sight, watching_sight
from tests.web_server import recorded, serving, write_run

RUN: Final = "20260101-partition"
RANGE: Final = {"type": "range"}
LIST: Final = {
    "type": "select-one",
    "options": [{"text": "the story"}, {"text": "with details"}],
}
_MOVES: Final = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with one run."""
    logs = tmp_path_factory.mktemp("logs")
    write_run(logs, RUN, recorded("local-partition"), title="Three here, two there")
    with serving(logs) as url:
        yield url


@pytest.mark.parametrize(
    ("on", "own", "others"),
    [
        (RANGE, _MOVES, " fpkmhct,.+?"),
        (LIST, [*_MOVES, " ", "Enter", *"thesorywidal"], "fpkmcg,.+?"),
        ({"type": "text"}, [*_MOVES, " ", *"fpkmhct,.+?19"], ""),
        ({"type": "textarea"}, [*_MOVES, " ", *"fpk"], ""),
        ({"type": "number"}, [*_MOVES, *"19"], ""),
        ({"type": "radio"}, ["ArrowLeft", "ArrowDown"], "fpk,"),
        ({"type": "checkbox"}, [], "fpk,"),
    ],
)
def test_a_field_keeps_its_own_keys_and_no_others(on: Any, own: list[str], others: str) -> None:
    """A scrubber that was dragged leaves Space, f, p and k to the page; Escape is always the page's."""
    presses = [{"on": on, "key": key} for key in [*own, *others, "Escape"]]
    found = ask_node(SCRIPT, {"ask": "pressed", "presses": presses})
    assert found[: len(own)] == [None] * len(own)
    assert None not in found[len(own) :]


def test_escape_closes_all_that_is_open() -> None:
    """A sheet, a message, a node, a command's form, and the form for a new run."""
    closed = {"sheet": None, "selected": -1, "node": None, "form": None, "making": False}
    assert ask_node(SCRIPT, {"ask": "closed"}) == closed


_BOUND: Final = """async () => {
    const { commandOf } = await import("/keys.js");
    const { learnKey } = await import("/learn/index.js");
    const letters = Array.from({ length: 95 }, (_, place) => String.fromCharCode(place + 32));
    const named = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown",
        "Escape", "Enter", "Tab", "Delete", "Backspace", "Insert", ...Array.from({ length: 12 }, (_, at) => `F${at + 1}`)];
    const press = (key, shiftKey) => ({ key, shiftKey, code: "", target: document.body, preventDefault() {} });
    const acts = { update() {} };
    const taken = (key, shift) =>
        commandOf(press(key, shift)) !== null || learnKey({ learn: { room: "tour" } }, acts, press(key, shift));
    return [...letters, ...named].flatMap((key) => [
        ...(taken(key, false) ? [key] : []),
        ...(/^Arrow|^[1-9]$/.test(key) && taken(key, true) ? [`Shift + ${key}`] : []),
    ]);
}"""
"""Every key that means something to the page or to its tour, whatever table it stands in."""

_SIGNS: Final = {
    " ": "Space", "ArrowLeft": "←", "ArrowRight": "→", "PageDown": "Page ↓", "PageUp": "Page ↑",
    "Escape": "Esc", "-": "\N{MINUS SIGN}", "=": "+",
}  # fmt: skip


def told_keys(labels: list[str]) -> set[str]:
    """The keys that a help sheet's labels name: from one to another is each between."""
    found: set[str] = set()
    for label in labels:
        shift = "Shift + " if label.startswith("Shift + ") else ""
        rest = label.removeprefix(shift)
        if spread := re.fullmatch("(.) \N{EN DASH} (.)", rest):
            first, last = map(ord, spread.groups())
            found |= {shift + chr(one) for one in range(first, last + 1)}
            continue
        for part in rest.split(", ") if len(rest) > 1 and not rest.startswith(",") else [rest]:
            found |= {shift + part} | {shift + one for one in part.split()}
    return found


@pytest.mark.browser
class TestHelp:
    def test_every_key_that_is_bound_stands_in_the_help(self, visit: Callable[..., Page]) -> None:
        """Also those of the tour; the sheet opens by one of them, and closes by another."""
        page = visit(f"#run={RUN}")
        bound = page.evaluate(_BOUND)
        assert {" ", "?", "n", "b", "A", ",", "k", "Shift + ArrowLeft", "Shift + 3"} <= set(bound)
        expect(page.locator(".sheet-help")).to_have_count(0)
        page.keyboard.press("?")
        expect(page.locator(".sheet-help")).to_be_visible()
        told = told_keys(page.locator(".sheet-help kbd").all_inner_texts())
        for key in bound:
            bare = key.removeprefix("Shift + ")
            sign = _SIGNS.get(bare, bare)
            shifted = key != bare or bare in "ABC"
            assert ("Shift + " if shifted else "") + sign in told, key
        page.keyboard.press("Escape")
        expect(page.locator(".sheet-help")).to_have_count(0)

    def test_every_sign_of_the_strip_is_in_the_legend(self, visit: Callable[..., Page]) -> None:
        """Beside its words; and what is seen from far out."""
        page = visit(f"#run={RUN}")
        page.keyboard.press("?")
        strip = page.get_by_role("list", name="Turning points on the strip above the view")
        expect(strip.locator("li")).to_have_count(13)
        pictures = strip.locator("li svg").evaluate_all("all => all.map(one => one.innerHTML)")
        assert len(set(pictures)) == 13
        expect(strip).to_contain_text("Quorum of promises")
        expect(page.get_by_role("list", name="From far out").locator("li")).to_have_count(3)


@pytest.mark.browser
class TestFocus:
    def test_keys_go_on_after_the_scrubber_was_dragged(self, visit: Callable[..., Page]) -> None:
        """It has the focus then, and keeps its arrows; the rest is the page's."""
        page = visit(f"#run={RUN}")
        scrubber = page.get_by_role("slider", name="Event")
        settled(page)
        box = scrubber.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
        expect(scrubber).to_be_focused()
        settled(page)
        value = int(scrubber.input_value())
        page.keyboard.press("ArrowRight")
        expect(scrubber).to_have_value(str(value + 1))
        page.keyboard.press("t")
        expect(page.get_by_role("button", name="by time")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("3")
        expect(page.get_by_role("button", name=re.compile("^n3"))).to_have_attribute(
            "aria-pressed", "true"
        )
        page.keyboard.press("m")
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="▶ Play", exact=True)).to_be_visible()

    def test_the_tour_goes_on_from_the_scrubber(self, visit: Callable[..., Page]) -> None:
        """Its keys are the page's, too."""
        page = visit("#tour=1")
        expect(page.locator(".guide")).to_be_visible()
        before = page.evaluate("location.hash")
        page.get_by_role("slider", name="Event").focus()
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(r"#tour=1\.2"))
        page.keyboard.press("b")
        expect(page).to_have_url(re.compile(f"{re.escape(before)}$"))

    def test_a_list_keeps_what_leads_to_its_options(self, visit: Callable[..., Page]) -> None:
        """Typing “t” chooses “the story” and leaves the axis; a key that no option has goes to the page."""
        page = visit(f"#run={RUN}")
        shown = page.get_by_label("Show", exact=True)
        shown.focus()
        page.keyboard.press("t")
        expect(shown).to_have_value("story")
        by_order = page.get_by_role("button", name="by order")
        expect(by_order).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("c")
        expect(page.get_by_role("button", name="Light causes")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(shown).to_have_value("story")
        expect(shown).to_be_focused()


@pytest.fixture
def viewed(visit: Callable[..., Page]) -> Page:
    """A run at its start, zoomed in so that about a half of it is in sight."""
    page = visit(f"#run={RUN}", prepare=watching_sight)
    page.keyboard.press("f")
    for _ in range(2):
        page.keyboard.press("+")
    page.locator("#spacetime").scroll_into_view_if_needed()
    return page


def turned(page: Page, dx: float, dy: float) -> tuple[float, float]:
    """Turn the wheel; what is in sight once that has been drawn, or after ten seconds of frames."""
    before = sight(page)
    page.mouse.wheel(dx, dy)
    page.evaluate(
        """([left, wide]) => new Promise((done) => {
            let frames = 600;
            const look = () => {
                const [x, w] = window.sight;
                frames -= 1;
                if (Math.abs(x - left) + Math.abs(w - wide) > 1 || frames === 0) done();
                else requestAnimationFrame(look);
            };
            look();
        })""",
        list(before),
    )
    return sight(page)


def on_canvas(page: Page, part: float = 0.5) -> tuple[float, float]:
    """A place in the space-time view, so far from the left of its lanes."""
    box = page.locator("#spacetime").bounding_box()
    assert box is not None
    return box["x"] + 62 + (box["width"] - 76) * part, box["y"] + box["height"] / 2


@pytest.mark.browser
class TestView:
    def test_f_fits_and_plus_and_minus_zoom(self, viewed: Page) -> None:
        """In and out by the same step, about the middle."""
        page = viewed
        left, wide = sight(page)
        page.keyboard.press("+")
        nearer = sight(page)
        assert nearer[1] < wide * 0.8
        assert nearer[0] > left
        page.keyboard.press("-")
        assert sight(page) == pytest.approx((left, wide), abs=2)
        page.keyboard.press("f")
        whole = sight(page)
        assert whole[0] < 6
        assert whole[1] > wide * 1.5

    def test_the_wheel_zooms_about_the_pointer_and_pans_sideways(self, viewed: Page) -> None:
        """What is under the pointer stays there."""
        page = viewed
        page.mouse.move(*on_canvas(page, 0.25))
        left, wide = sight(page)
        nearer = turned(page, 0, -200)
        assert nearer[1] < wide * 0.8
        assert nearer[0] + nearer[1] / 4 == pytest.approx(left + wide / 4, abs=wide * 0.02)
        assert turned(page, 0, 200) == pytest.approx((left, wide), abs=2)
        there = turned(page, 150, 0)
        assert there[0] > left + 5
        assert there[1] == pytest.approx(wide, abs=1)

    def test_a_drag_pans_and_back_again(self, viewed: Page) -> None:
        """The run goes along with the hand, at the same scale."""
        page = viewed
        x, y = on_canvas(page)
        left, wide = sight(page)
        for begin, end in ((x, x - 200), (x - 200, x)):
            page.mouse.move(begin, y)
            page.mouse.down()
            page.mouse.move(end, y, steps=4)
            page.mouse.up()
            there = sight(page)
            assert there[1] == pytest.approx(wide, abs=1)
            assert (there[0] > left + 5) == (end < begin)
        assert sight(page) == pytest.approx((left, wide), abs=1)

    def test_comma_and_full_stop_pan_as_a_drag_does(self, viewed: Page) -> None:
        """By a third of what is in sight, and no further than the run goes."""
        page = viewed
        page.keyboard.press(",")
        for _ in range(12):
            page.keyboard.press(",")
        first, wide = sight(page)
        assert first < 6
        page.keyboard.press(".")
        assert sight(page) == pytest.approx((first + (wide + 1.5) / 3, wide), abs=2)
        page.keyboard.press(",")
        assert sight(page) == pytest.approx((first, wide), abs=1)
        for _ in range(12):
            page.keyboard.press(".")
        last, same = sight(page)
        assert same == pytest.approx(wide, abs=1)
        width = page.locator("#overview").bounding_box()
        assert width is not None
        assert last + wide == pytest.approx(width["width"] - 4, abs=4)


@pytest.mark.browser
class TestTelling:
    def test_a_screen_reader_is_told_politely_and_not_too_often(
        self, visit: Callable[..., Page]
    ) -> None:
        """Between two sentences lies the pause that is promised; of what came between, the last is told."""
        page = visit(f"#run={RUN}")
        live = page.locator("#live")
        expect(live).to_have_attribute("aria-live", "polite")
        page.evaluate(
            """() => {
                window.told = [];
                new MutationObserver(() => window.told.push(performance.now()))
                    .observe(document.getElementById("live"), { childList: true, characterData: true, subtree: true });
            }"""
        )
        page.evaluate(
            """() => new Promise((done) => {
                const until = performance.now() + 1500;
                const step = () => {
                    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
                    if (performance.now() < until) requestAnimationFrame(step);
                    else done();
                };
                step();
            })"""
        )
        settled(page)
        # The entry of the list that is current is what the last sentence says.
        last = page.locator(".sentence").inner_text()
        expect(live).to_contain_text(last)
        times = page.evaluate("window.told")
        # That took longer than one pause, so there is a second sentence at least.
        assert len(times) >= 2
        assert all(later - earlier >= 880 for earlier, later in pairwise(times))
