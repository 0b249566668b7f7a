"""The page's address: a link leads to a run and its moment, and what is entered last is what is shown."""

import re

import pytest
from playwright.sync_api import Route, expect

from paxos.events import line_id, narrate
from tests.web_page import Visit, settled
from tests.web_replay import moment, place, run, sentence
from tests.web_rooms import CRASH, PARTITION
from tests.web_server import recorded

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(three_runs: str) -> str:
    """The page, with the three runs that these tests share."""
    return three_runs


class TestAddress:
    def test_a_link_restores_the_moment(self, visit: Visit) -> None:
        """Run, line and instance are in the address."""
        page = visit(run(CRASH))
        for _ in range(5):
            page.keyboard.press("Shift+ArrowRight")
        options = page.get_by_label("Instance").locator("option")
        assert options.count() > 2
        page.get_by_label("Instance").select_option(index=1)
        expect(page).to_have_url(re.compile("instance="))
        other = visit(page.evaluate("location.hash"))
        expect(other.locator(".sentence")).to_have_text(sentence(page), use_inner_text=True)
        assert moment(other) == moment(page)
        chosen = "element => element.value"
        assert other.get_by_label("Instance").evaluate(chosen) != "0"

    def test_a_changed_address_is_followed(self, visit: Visit) -> None:
        """Someone pastes a link into the open page."""
        lines = recorded("local-partition")
        at = place(lines, "value_learned")
        page = visit(run(CRASH))
        expect(page.locator(".sentence")).to_be_visible()
        page.evaluate("hash => { location.hash = hash; }", run(PARTITION, at=line_id(lines[at])))
        expect(page.locator(".sentence")).to_have_text(narrate(lines[at]), use_inner_text=True)

    def test_an_address_that_was_just_entered_is_not_written_over(self, visit: Visit) -> None:
        """The page may be drawn before the browser tells it of the new address."""
        late = """
            window.toldOf = new Promise((told) => {
                window.addEventListener("hashchange", (event) => {
                    if (event.isTrusted) event.stopImmediatePropagation();
                    told();
                });
            });
        """
        page = visit(run(CRASH), prepare=lambda page: page.add_init_script(late))
        expect(page).to_have_url(re.compile("#run="))
        entered = run(PARTITION)
        page.evaluate("hash => { location.hash = hash; }", entered)
        page.evaluate("window.toldOf")
        page.keyboard.press("ArrowRight")
        settled(page)
        assert page.evaluate("location.hash") == entered
        page.evaluate("() => { window.dispatchEvent(new HashChangeEvent('hashchange')); }")
        expect(page.locator(".run-title")).to_contain_text("Three nodes here, two there")
        page.keyboard.press("End")
        expect(page).to_have_url(re.compile(f"{entered}&at="))

    def test_the_address_that_was_entered_last_is_what_is_shown(self, visit: Visit) -> None:
        """A run waits for the list of runs; whoever goes elsewhere meanwhile stays there."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page = visit("#story=tour", prepare=lambda page: page.route("**/runs.json", hold))
        page.evaluate("hash => { location.hash = hash; }", run(CRASH))
        settled(page)
        title = page.locator(".run-title").inner_text()
        page.evaluate("() => { location.hash = '#story=tour&instance=1'; }")
        settled(page)
        assert len(held) == 1
        with page.expect_response("**/runs.json"):
            held[0].continue_()
        # What it leads to is asked for at once, if at all.
        page.evaluate("async () => { await fetch('catalogue.json'); }")
        settled(page)
        expect(page.locator(".busy")).to_have_count(0)
        assert page.locator(".run-title").inner_text() == title
        assert page.evaluate("location.hash").startswith("#story=tour")

    def test_a_sheet_closes_when_a_link_or_a_choice_leads_elsewhere(self, visit: Visit) -> None:
        """It was about what was shown, and its own link would hide the new one."""
        page = visit(run(CRASH))
        sheet = page.locator(".sheet")
        for name in ("Compare", "Share", "Keys and signs"):
            page.get_by_role("button", name=name, exact=True).click()
            expect(sheet).to_have_count(1)
            page.evaluate("hash => { location.hash = hash; }", run(PARTITION))
            expect(page.locator(".run-title")).to_contain_text("Three nodes here, two there")
            expect(sheet).to_have_count(0)
            page.evaluate("hash => { location.hash = hash; }", run(CRASH))
            expect(page.locator(".run-title")).to_contain_text("An acceptor is killed")
        lines = recorded("local-crash-after-promise")
        page.get_by_role("button", name="Compare", exact=True).click()
        page.evaluate("hash => { location.hash = hash; }", run(CRASH, at=line_id(lines[9])))
        expect(page.locator(".sentence")).to_have_text(narrate(lines[9]), use_inner_text=True)
        expect(sheet).to_have_count(0)
        page.get_by_role("button", name="Compare", exact=True).click()
        page.locator(".modes").get_by_role("button", name="Sandbox").click()
        expect(page.locator(".start")).to_be_visible()
        expect(sheet).to_have_count(0)

    def test_a_broken_link_gets_a_sentence_and_something_to_see(self, visit: Visit) -> None:
        """Nobody is left before an empty page."""
        page = visit("#nonsense=1")
        expect(page.get_by_role("alert")).to_contain_text("This link leads nowhere")
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_moment_that_is_not_in_the_run_is_named(self, visit: Visit) -> None:
        """The run is shown all the same."""
        page = visit(run(PARTITION, at="n9/1/1"))
        expect(page.locator(".notice")).to_contain_text("has no event n9/1/1")
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_link_to_a_run_that_is_gone_says_so(self, visit: Visit) -> None:
        """And offers the others."""
        page = visit(run("20200101-gone"))
        expect(page.get_by_role("alert")).to_contain_text("There is no run 20200101-gone here")
        expect(page.locator(".runs .run")).to_have_count(3)
