"""The ways into a run by a click, and the small acts beside it: lists, links, guessing, the strip."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from paxos.events import Line
from tests.web_learn import VISIT, stage
from tests.web_page import drop, settled
from tests.web_sandbox import played, recipe
from tests.web_server import scripted, text_of

pytestmark = pytest.mark.browser
__all__ = ["VISIT"]

Visits = Callable[..., Page]


def choose(page: Page, text: str) -> None:
    """Open the list of runs and click the entry with this name."""
    settled(page)
    page.get_by_role("button", name="Open a run").click()
    page.locator(".chooser .story", has=page.get_by_text(text, exact=True)).click()
    expect(page.locator(".sheet")).to_have_count(0)


class TestLists:
    @pytest.mark.parametrize(
        ("entry", "hash_", "title"),
        [
            ("partition", "#story=partition", "Three nodes here, two there"),
            ("broken/number-reused-shortest", "#story=broken--number-reused", "number-reused"),
        ],
    )
    def test_an_entry_opens_its_story(
        self, visit: Visits, entry: str, hash_: str, title: str
    ) -> None:
        """A story, and a counterexample; the address names it."""
        page = visit("#story=basic")
        expect(page.locator(".run-title")).to_contain_text("nobody in its way")
        choose(page, entry)
        expect(page.locator(".run-title")).to_contain_text(title)
        expect(page).to_have_url(re.compile(re.escape(hash_)))

    def test_an_entry_of_the_variants_opens_it(self, visit: Visits) -> None:
        """With its change, its run and its own address."""
        page = visit("#variants")
        stage(page).locator(".variant", has_text="number-reused").first.click()
        expect(stage(page).locator(".guide-name")).to_have_text("number-reused")
        expect(stage(page).locator(".diff-row.add").first).to_be_visible()
        expect(page).to_have_url(re.compile("#variant=number-reused$"))
        expect(page.locator("#now-title")).to_contain_text("Violation")

    @pytest.mark.parametrize("hash_", ["#tour=2", "#exhibit=binding", "#variants"])
    def test_whoever_chooses_another_run_leaves_the_guide(self, visit: Visits, hash_: str) -> None:
        """Its caption would speak of a run that is no longer shown."""
        page = visit(hash_)
        expect(stage(page)).to_be_visible()
        if hash_ != "#variants":
            # Only a scene that has come can be left.
            expect(page.locator(".lit").first).to_be_visible()
        choose(page, "partition")
        expect(page.locator(".run-title")).to_contain_text("Three nodes here")
        expect(stage(page)).to_have_count(0)
        expect(page).to_have_url(re.compile("#story=partition"))

    def test_so_does_whoever_drops_a_file_or_goes_to_another_mode(self, visit: Visits) -> None:
        """And whoever follows a link to another run."""
        page = visit("#tour=2")
        expect(stage(page)).to_be_visible()
        drop(page, {"mine.jsonl": text_of(scripted("R4-ignores-reported-values"))})
        expect(page.locator(".run-title")).to_have_text("mine.jsonl")
        expect(stage(page)).to_have_count(0)
        for leaves in (
            lambda: page.evaluate("location.hash = '#story=basic'"),
            lambda: page.locator(".modes").get_by_role("button", name="Live").click(),
        ):
            page.evaluate("location.hash = '#tour=3'")
            expect(stage(page)).to_be_visible()
            expect(page.locator(".guess").first).to_be_visible()
            leaves()
            expect(stage(page)).to_have_count(0)


class TestTour:
    def test_it_goes_on_where_one_left(self, visit: Visits) -> None:
        """At the step and the caption at which it was left."""
        page = visit("#tour=2")
        expect(stage(page)).to_contain_text("2 of 6")
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(r"#tour=2\.2$"))
        page.keyboard.press("Escape")
        expect(stage(page)).to_have_count(0)
        page.get_by_role("button", name="Tour", exact=True).click()
        expect(page).to_have_url(re.compile(r"#tour=2\.2$"))
        expect(stage(page)).to_contain_text("2 of 6")


class TestGuessing:
    def test_what_is_to_come_can_be_hidden_first(self, visit: Visits) -> None:
        """Where a run asks for a guess; the verdict is hidden, too, and the button is used up."""
        page = visit("#story=partition")
        page.keyboard.press("Home")
        shown = page.get_by_role("button", name="Show what is to come")
        expect(shown).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("h")
        expect(shown).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".predict")).to_contain_text(
            "Who is answered, and what does the smaller side lose?"
        )
        page.get_by_role("button", name="Hide what is to come, and guess").click()
        expect(shown).to_have_attribute("aria-pressed", "false")
        expect(page.get_by_role("button", name="Hide what is to come")).to_have_count(0)
        expect(page.locator(".run-bar .verdict-ok")).to_have_count(0)
        page.keyboard.press("End")
        expect(page.locator(".run-bar .verdict-ok")).to_be_visible()


CLIPBOARD: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}


class TestLink:
    def test_it_is_copied(self, visit: Visits) -> None:
        """What the clipboard holds then leads to this moment."""
        page = visit("#story=basic", **CLIPBOARD)
        page.keyboard.press("End")
        page.get_by_role("button", name="Share", exact=True).click()
        page.get_by_role("button", name="Make the link").click()
        field = page.get_by_label("Link", exact=True)
        expect(field).to_have_value(re.compile("#story=basic&at="))
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.locator(".share-said")).to_have_text("The link is copied.")
        assert page.evaluate("navigator.clipboard.readText()") == field.input_value()

    def test_it_is_that_of_its_own_moment_only(self, visit: Visits) -> None:
        """Whoever goes on, or opens another run, is not offered the old one."""
        page = visit("#story=basic")
        share = page.get_by_role("button", name="Share", exact=True)
        share.click()
        page.get_by_role("button", name="Make the link").click()
        expect(page.get_by_label("Link", exact=True)).to_be_visible()
        share.click()
        page.keyboard.press("ArrowRight")
        share.click()
        expect(page.get_by_role("button", name="Make the link")).to_be_visible()
        expect(page.get_by_label("Link", exact=True)).to_have_count(0)


def many_instances(count: int) -> list[Line]:
    """A log in which one node is asked for a value in each of so many instances."""
    _, lines = played(recipe({"propose": {"at": "n1", "value": "wish-1"}}))
    first = next(place for place, line in enumerate(lines) if line["event"] == "propose_received")
    named = {f"wish-{number}": number for number in range(1, count + 1)}
    found = [{**lines[0], "instances": named}, *lines[1 : first + 1]]
    asked = {name: value for name, value in lines[first].items() if name != "cause"}
    for number in range(2, count + 1):
        own = {"instance": number, "seq": asked["seq"] + number, "value": f"wish-{number}"}
        found.append({**asked, **own})
    return found


class TestManyInstances:
    def test_one_is_asked_for_by_its_number(self, visit: Visits) -> None:
        """A list of three hundred would be no help; a number that no instance has shows all."""
        page = visit("#story=basic")
        drop(page, {"many.jsonl": text_of(many_instances(310))})
        expect(page.locator(".run-title")).to_have_text("A sandbox of 3 nodes")
        number = page.get_by_role("spinbutton", name="Instance")
        rows = page.locator(".event-rows li")
        number.fill("250")
        number.press("Enter")
        expect(rows.filter(has_text="wish-250")).to_have_count(1)
        expect(rows.filter(has_text="wish-")).to_have_count(1)
        number.fill("9999")
        number.press("Enter")
        expect(rows.filter(has_text="wish-1'")).to_have_count(1)
        expect(rows.filter(has_text="wish-2'")).to_have_count(1)


class TestStrip:
    def test_the_part_in_sight_is_dragged_along_the_strip(self, visit: Visits) -> None:
        """It follows the pointer while the button is down, and no longer."""
        page = visit("#story=partition")
        page.locator("h1").click()
        # The first line asks for a guess, and hides what follows it.
        page.keyboard.press("ArrowRight")
        for _ in range(6):
            page.keyboard.press("+")
        settled(page)
        strip = page.locator("#overview").bounding_box()
        assert strip is not None

        def at(part: float) -> tuple[float, float]:
            return strip["x"] + strip["width"] * part, strip["y"] + strip["height"] / 2

        def picture() -> str:
            settled(page)
            drawn: str = page.evaluate("document.getElementById('spacetime').toDataURL()")
            return drawn

        page.mouse.move(*at(0.2))
        page.mouse.down()
        early = picture()
        page.mouse.move(*at(0.8), steps=4)
        late = picture()
        assert late != early
        page.mouse.move(*at(0.2), steps=4)
        assert picture() == early
        page.mouse.move(*at(0.8))
        page.mouse.up()
        page.mouse.move(*at(0.2), steps=4)
        assert picture() == late
