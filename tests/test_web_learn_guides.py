"""Tour and exhibits, in a real browser."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from orchestrator.core_archive import scenario_data
from paxos.sandbox import run
from tests.web_learn import (
    EXHIBITS,
    VISIT,
    at_event,
    places_of,
    stage,
    told,
    with_engine,
    write_stories,
)
from tests.web_page import awaited, in_both_themes, settled

browsed = pytest.mark.browser
__all__ = ["VISIT"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All that it says, with the places of its moments."""
    return told(write_stories(tmp_path_factory.mktemp("stories")))


def walk(page: Page, places: list[dict[str, Any]]) -> None:
    """Go through a guide by keyboard, predicting right; each scene must come."""
    for number, place in enumerate(places):
        if number:
            page.keyboard.press("n")
        at_event(page, place["scene"]["at"])
        if place["question"] is not None:
            page.keyboard.press("n")  # not before one has predicted
            page.keyboard.press("ABCD"[place["question"]["right"]])
            expect(stage(page).locator(".reveal").first).to_contain_text("Right.")
            at_event(page, place["then"]["at"])


@browsed
def test_the_tour_goes_from_moment_to_moment_by_keyboard(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """Six steps, each with its moment on the screen; Back leads back, Escape leaves."""
    page = visit("#tour=1")
    walk(page, places_of(room, "tour"))
    expect(page).to_have_url(re.compile(r"#tour=6\.2$"))
    expect(stage(page)).to_contain_text("Step 6 of 6")
    expect(stage(page).locator(".broken")).to_contain_text("R4")
    expect(stage(page).locator(".broken")).to_contain_text("agreement")
    page.keyboard.press("b")
    expect(page).to_have_url(page.url.split("#")[0] + "#tour=6")
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)


@browsed
@pytest.mark.parametrize("exhibit", EXHIBITS)
def test_an_exhibit_goes_from_question_to_challenge(
    visit: Callable[..., Page], room: dict[str, Any], exhibit: str
) -> None:
    """Predict, run, see, change."""
    page = visit(f"#exhibit={exhibit}")
    walk(page, places_of(room, f"exhibit/{exhibit}"))
    (words,) = [one for one in room["exhibits"] if one["id"] == exhibit]
    expect(stage(page)).to_contain_text(words["section"])
    expect(stage(page).locator(".challenge")).to_contain_text(words["challenge"])
    expect(stage(page).locator("[data-learn=sandbox]")).to_be_visible()


@browsed
def test_a_prediction_is_judged_once_and_then_explained(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """Every answer stays, marked and with its reason; a second try is ignored."""
    page = visit("#tour=3")
    (place,) = places_of(room, "tour/must-push")
    at_event(page, place["scene"]["at"])
    expect(stage(page).locator(".next")).to_have_count(0)
    expect(stage(page).locator(".reveal")).to_have_count(0)
    stage(page).locator(".guess").nth(0).click()
    expect(stage(page).locator(".reveal").first).to_contain_text("Not so.")
    expect(stage(page).locator(".guess.right")).to_contain_text("apple")
    expect(stage(page).locator(".guess")).to_have_count(3)
    expect(stage(page).locator(".guess.wrong")).to_have_count(2)
    expect(stage(page).locator(".guess", has_text="you said this")).to_contain_text("pear")
    (words,) = [one for one in room["tour"] if one["id"] == "must-push"]
    expect(stage(page).locator(".reason").filter(visible=True)).to_have_text(words["asked"]["why"])
    at_event(page, place["then"]["at"])
    expect(page.locator(".sentence")).to_contain_text("must push 'apple'")
    stage(page).locator(".guess.right").click(force=True)
    settled(page)
    expect(stage(page).locator(".reveal").first).to_contain_text("Not so.")
    expect(stage(page).locator(".next")).to_contain_text("A wall, a crash, and a disk")
    # What was predicted is kept when one comes back to it.
    page.keyboard.press("n")
    page.keyboard.press("b")
    expect(stage(page).locator(".guess", has_text="you said this")).to_be_visible()


@browsed
def test_whoever_will_not_guess_is_shown_the_answer_and_not_judged(
    visit: Callable[..., Page],
) -> None:
    """The way on is never barred."""
    page = visit("#tour=5")
    stage(page).get_by_role("button", name="Show me the answer").click()
    expect(stage(page).locator(".guess.right")).to_be_visible()
    expect(stage(page).locator(".reveal")).not_to_contain_text(["Right."])
    expect(stage(page).locator(".next")).to_be_visible()


ON_TOP = """answers => answers.map(answer => {
    const { left, top, width, height } = answer.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height - 4);
    return answer === hit || answer.contains(hit);
})"""


@browsed
@pytest.mark.parametrize("hash_", ["#tour=3", "#tour=5", *(f"#exhibit={one}" for one in EXHIBITS)])
def test_on_a_phone_nothing_covers_the_answers(visit: Callable[..., Page], hash_: str) -> None:
    """All of them are in sight, where a finger meets them, before anything is scrolled."""
    page = visit(hash_, viewport={"width": 390, "height": 844})
    expect(page.locator("#now-title")).to_be_visible()
    expect(stage(page).locator(".guess")).to_have_count(3)
    for height in (844, 667):
        page.set_viewport_size({"width": 390, "height": height})
        awaited(page, f"innerHeight === {height}")
        settled(page)
        assert stage(page).locator(".guess").evaluate_all(ON_TOP) == [True] * 3


UNCOVERED = """ring => {
    const edge = document.querySelector(".guide").getBoundingClientRect().top;
    const { top, bottom } = ring.getBoundingClientRect();
    return [top > -1, bottom < edge + 1];
}"""


@browsed
@pytest.mark.parametrize(
    ("hash_", "place", "region"),
    [
        ("#tour=1", "tour/alone/0", ".ring"),
        ("#tour=4", "tour/wall/0", ".ring"),
        ("#exhibit=minority", "exhibit/minority/0", ".ring"),
        ("#exhibit=majorities.2", "exhibit/majorities/1", ".meters"),
    ],
)
def test_on_a_phone_the_text_does_not_cover_what_it_speaks_of(
    visit: Callable[..., Page], room: dict[str, Any], hash_: str, place: str, region: str
) -> None:
    """What is lit first stands between the screen's upper edge and the caption's."""
    page = visit("#tour=3", viewport={"width": 390, "height": 844})
    expect(stage(page).locator(".caption")).to_contain_text("n5 has been refused")
    # It comes with the list of stories, and moves what lies below it.
    expect(page.locator(".fork")).to_be_attached()
    page.evaluate(f"location.hash = '{hash_}'")
    # It is lit at once; that the page scrolls to it comes with the scene.
    (wanted,) = [one for one in room["places"] if one["key"] == place]
    at_event(page, wanted["scene"]["at"])
    expect(page.locator(f"{region}.lit")).to_be_visible()
    settled(page)
    settled(page)
    assert page.locator(f"{region}.lit").evaluate(UNCOVERED) == [True, True]


STICKY = """async guide => {
    const before = guide.getBoundingClientRect().top;
    scrollTo(0, 400);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const { top, bottom } = guide.getBoundingClientRect();
    return [scrollY > 300, before > 0, top >= 0 && top <= before, bottom <= innerHeight];
}"""


@browsed
@pytest.mark.parametrize("hash_", ["#tour=2", "#tour=4.5", "#exhibit=persistence.3"])
def test_the_caption_stays_in_sight_while_one_scrolls(
    visit: Callable[..., Page], hash_: str
) -> None:
    """Whoever looks further down still reads what to look for, and can go on."""
    page = visit(hash_)
    expect(page.locator(".lit").first).to_be_visible()
    settled(page)
    assert stage(page).evaluate(STICKY) == [True] * 4
    expect(stage(page).get_by_role("button", name="Next")).to_be_in_viewport()


@browsed
def test_each_caption_of_the_tour_is_the_one_of_its_moment(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """The numbers that a caption names stand on the page beside it."""
    page = visit("#tour=2.4")
    at_event(page, places_of(room, "tour/duel")[3]["scene"]["at"])
    expect(stage(page).locator(".caption")).to_contain_text("Apple is on three disks")
    meter = page.locator(".meters li").first
    expect(meter).to_contain_text("apple")
    # Chosen, though its proposer has heard of none: both numbers are told.
    expect(meter.locator(".dots.accepted .count")).to_have_text(["3", "0"])
    expect(meter.locator(".dots.accepted .count.full")).to_have_text("3")
    expect(page.locator(".meters h3")).to_contain_text("Quorum: 3 of 5")
    page.evaluate("location.hash = '#tour=4.3'")
    expect(stage(page).locator(".caption")).to_contain_text("Two of five are no majority")
    expect(page.locator(".meters li").first.locator(".dots.accepted .count")).to_have_text(
        ["2", "2"]
    )


@browsed
def test_on_a_phone_the_text_can_be_put_out_of_the_way(visit: Callable[..., Page]) -> None:
    """To look behind it; the next place brings it back. A wide page has no such button."""
    page = visit("#tour=1", viewport={"width": 390, "height": 844})
    expect(stage(page).locator(".caption")).to_be_visible()
    stage(page).get_by_role("button", name="Look behind").click()
    expect(stage(page).locator(".caption")).to_be_hidden()
    stage(page).get_by_role("button", name="Next").click()
    expect(stage(page).locator(".caption")).to_contain_text("Phase 1.")
    page.set_viewport_size({"width": 1360, "height": 900})
    expect(stage(page).get_by_role("button", name="Look behind")).to_have_count(0)


@browsed
def test_a_word_that_no_disk_keeps_is_told_as_such(visit: Callable[..., Page]) -> None:
    """Chosen by what was said is not chosen by what is on disk, and the exhibit says which."""
    page = visit("#exhibit=persistence.3")
    row = page.locator(".acceptors tbody tr", has_text="n2")
    expect(row).to_contain_text("power lost")
    expect(row.locator(".ahead")).to_contain_text("apple")
    expect(page.locator(".ahead")).to_have_count(1)
    expect(page.locator(".choice .by-word")).to_contain_text("n2 had said so before its disk")
    kept = stage(page).locator("table.durable tbody tr")
    expect(kept).to_contain_text(["in memory only", "written, not synced", "synced to disk"])
    expect(kept.nth(1).locator("td")).to_have_text(["✓ kept", "✗ lost", "✗ not yet"])
    # Where everybody writes first there is nothing to tell.
    page.evaluate("location.hash = '#tour=1.3'")
    expect(page.locator(".choice li.chosen")).to_contain_text("lemon")
    expect(page.locator(".by-word, .ahead")).to_have_count(0)


@browsed
def test_what_is_to_come_stays_hidden_in_the_tour(visit: Callable[..., Page]) -> None:
    """No arrow is drawn right of the cursor; out of the tour there are some."""
    ink = """() => {
        const canvas = document.getElementById("spacetime");
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(width * 0.6, height * 0.2, width * 0.38, height * 0.6);
        const seen = new Set();
        for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 3).join());
        return seen.size;
    }"""
    page = visit("#tour=1")
    at_event(page, 13)
    settled(page)
    hidden = page.evaluate(ink)
    # Nor do words tell it: neither the list nor "leads to".
    for place in (".events li.future", ".reasons", ".so"):
        expect(page.locator(place).filter(visible=True)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)
    expect(page.locator(".events li.future").first).to_be_visible()
    settled(page)
    assert page.evaluate(ink) > hidden + 20
    assert hidden < 5, "more than lanes and background"


@browsed
def test_a_link_leads_back_into_tour_exhibit_and_variant(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """The address follows, and is followed; nonsense leads to the beginning."""
    page = visit("#tour=4.2")
    at_event(page, places_of(room, "tour/wall")[1]["scene"]["at"])
    page.keyboard.press("n")
    expect(page).to_have_url(page.url.split("#")[0] + "#tour=4.3")
    page.reload()
    expect(stage(page)).to_contain_text("3 of 5")
    at_event(page, places_of(room, "tour/wall")[2]["scene"]["at"])
    page.evaluate("location.hash = '#exhibit=numbers'")
    expect(stage(page)).to_contain_text("Numbers are used once")
    at_event(page, places_of(room, "exhibit/numbers")[0]["scene"]["at"])
    page.evaluate("location.hash = '#variants'")
    expect(stage(page)).to_contain_text("32 variants")
    page.evaluate("location.hash = '#tour=99'")
    expect(stage(page)).to_contain_text("Step 1 of 6")
    page.evaluate("location.hash = '#variant=no-such'")
    expect(stage(page)).to_contain_text("There is no variant named “no-such”")


RECORD = """() => {
    window.places = [];
    const look = () => {
        const now = document.querySelector(".scrubber").value;
        if (window.places.at(-1) !== now) window.places.push(now);
        requestAnimationFrame(look);
    };
    look();
}"""


@browsed
@pytest.mark.parametrize(("motion", "jumps"), [("reduce", True), ("no-preference", False)])
def test_the_cursor_jumps_where_motion_is_unwelcome(
    visit: Callable[..., Page], room: dict[str, Any], motion: str, jumps: bool
) -> None:
    """And else goes line by line, so that one sees what led there."""
    first, second = places_of(room, "tour/alone")[:2]
    page = visit("#tour=1", reduced_motion=motion)
    at_event(page, first["scene"]["at"])
    page.evaluate(RECORD)
    page.keyboard.press("n")
    at_event(page, second["scene"]["at"])
    # The frame that keeps it may be the next one.
    page.wait_for_function("window.places.at(-1) === document.querySelector('.scrubber').value")
    seen = page.evaluate("window.places.length")
    # From there to there at once; or past lines between, however few frames there are.
    assert (seen == 2) == jumps, seen


@browsed
def test_each_caption_is_announced(visit: Callable[..., Page]) -> None:
    """In a live region that stays where it is, so that a screen reader reads each new one."""
    page = visit("#tour=1")
    caption = stage(page).locator(".caption[aria-live=polite]")
    expect(caption).to_contain_text("A client asks n2")
    page.evaluate("window.kept = document.querySelector('.caption')")
    page.keyboard.press("n")
    expect(caption).to_contain_text("Phase 1.")
    assert page.evaluate("window.kept === document.querySelector('.caption')")


@browsed
def test_a_story_that_is_not_there_gets_a_sentence(visit: Callable[..., Page]) -> None:
    """The caption stays, and nothing is asked for again and again."""
    page = visit("#tour=1")
    at_event(page, 13)
    asked: list[str] = []

    def refuse(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, body="{}")

    page.route("**/stories/bridge/**", refuse)
    page.evaluate("location.hash = '#exhibit=majorities'")
    expect(page.get_by_role("alert").or_(stage(page).locator(".warn")).first).to_be_visible()
    settled(page)
    count = len(asked)
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)
    settled(page)
    assert len(asked) == count


@browsed
def test_the_sandbox_opens_with_the_recipe_of_the_exhibit(
    browser: Browser, address: str, room: dict[str, Any]
) -> None:
    """What is handed over is what stands in the exhibit, and its run is shown."""
    (recipe,) = [
        place["open"]["recipe"]
        for place in places_of(room, "exhibit/one-value")
        if place["open"] is not None
    ]
    with with_engine(browser, f"{address}#exhibit=one-value.4") as page:
        stage(page).locator("[data-learn=sandbox]").click()
        expect(stage(page)).to_have_count(0)
        expect(page.locator("main")).to_have_class("mode-sandbox", timeout=120_000)
        count = run(recipe, scenario_data())["line_count"]
        expect(page.locator("#now-title")).to_contain_text(f"of {count:,}", timeout=120_000)


# --- for everybody ---------------------------------------------------------------------------


STICKS_OUT = """stage => {
    const { right } = stage.getBoundingClientRect();
    if (stage.scrollWidth <= stage.clientWidth) return [];
    const wide = [...stage.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > right);
    return [`${stage.scrollWidth} > ${stage.clientWidth}`, ...wide.map((one) => one.outerHTML.slice(0, 120))];
}"""


@browsed
@pytest.mark.parametrize("look", ["wide", "phone"])
@pytest.mark.parametrize(
    "hash_", ["#tour=3", "#tour=6.2", "#exhibit=persistence", "#variants", "#variant=number-reused"]
)
def test_axe_finds_nothing(visit: Callable[..., Page], hash_: str, look: str) -> None:
    """Labels, contrast, roles and order, in light and in dark; nothing sticks out on a phone."""
    settings = {"viewport": {"width": 390, "height": 844}} if look == "phone" else {}
    page = visit(hash_, **settings)
    expect(page.locator("#now-title, .variant-list").first).to_be_visible()
    if hash_ == "#tour=3":
        stage(page).locator(".guess").first.click()
        expect(stage(page).locator(".reveal").first).to_be_visible()
    if hash_ == "#variant=number-reused":
        stage(page).get_by_role("button", name="Repair it").click()
        stage(page).get_by_role("button", name="Show the correct one").click()
    for theme in in_both_themes(page):
        found = Axe().run(page).response["violations"]
        assert found == [], theme + json.dumps(found, indent=1)[:4000]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert stage(page).evaluate(STICKS_OUT) == []


@browsed
def test_the_tour_is_taken_with_the_keyboard_alone(visit: Callable[..., Page]) -> None:
    """From the button Tour to the first prediction, with Tab and Enter."""
    page = visit("")
    page.get_by_role("button", name="Tour", exact=True).focus()
    page.keyboard.press("Enter")
    expect(stage(page)).to_contain_text("Step 1 of 6")
    button = stage(page).get_by_role("button", name="Next")
    for _ in range(40):
        if button.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage(page)).to_contain_text("Phase 1.")
    # The focus stays where it is: Enter goes on.
    expect(stage(page).get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage(page)).to_contain_text("Phase 2.")


@browsed
def test_the_side_tab_lists_tour_exhibits_and_variants(visit: Callable[..., Page]) -> None:
    """A table of contents, which opens each."""
    page = visit("#story=basic")
    page.get_by_role("tab", name="Learn").click()
    contents = page.locator(".contents")
    expect(contents.get_by_role("list").nth(0).get_by_role("listitem")).to_have_count(6)
    expect(contents.get_by_role("list").nth(1).get_by_role("listitem")).to_have_count(10)
    contents.get_by_role("button", name="How numbers are made").click()
    expect(stage(page)).to_contain_text("Each proposer owns a thousand numbers")
    page.keyboard.press("Escape")
    contents.get_by_role("button", name="See the broken variants").click()
    expect(stage(page)).to_contain_text("32 variants")
