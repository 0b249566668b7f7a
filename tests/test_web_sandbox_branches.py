"""The branches of the sandbox: a command in the past forks the run; they are named, compared and dropped."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_page import settled, visiting
from tests.web_sandbox import branches, do, open_recipe, place, propose, recipe, select

pytestmark = pytest.mark.browser


class TestBranches:
    def test_a_command_in_the_past_forks_the_run(self, sandbox: Page) -> None:
        """Both stay: where one left the other and where it first differs are marked and linked."""
        page = open_recipe(sandbox, recipe(seed=41, nodes=5, commands=[propose("apple")]))
        expect(branches(page)).to_have_count(0)
        page.keyboard.press("Home")
        for _ in range(2):
            page.keyboard.press("Shift+ArrowRight")
        at = place(page)
        expect(page.locator("#panel")).to_contain_text("a command here starts a branch")
        page.keyboard.press("3")
        page.keyboard.press("k")
        expect(branches(page)).to_have_count(2)
        expect(branches(page).nth(1)).to_have_class("current")
        expect(page.locator(".branch-origin")).to_contain_text(f"after event {at};")
        expect(branches(page).nth(1).locator(".fork")).to_have_count(1)
        expect(branches(page).nth(1).locator(".differs")).to_have_count(1)
        page.get_by_role("button", name="Go to the first difference").click()
        expect(page.locator(".sentence")).to_contain_text("n3")
        # The links of a node may go down before its exit is told.
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".ring .node.down")).to_have_count(1)
        page.get_by_role("button", name="as it ran", exact=True).click()
        expect(page.locator(".ring .node.down")).to_have_count(0)

    def test_branches_are_named_compared_and_dropped(self, sandbox: Page) -> None:
        """A branch that is dropped leaves the others."""
        page = open_recipe(sandbox, recipe(seed=42, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        select(page, "n2")
        do(page, "Pause")
        expect(branches(page)).to_have_count(2)
        page.get_by_role("button", name="Rename branch 1").click()
        page.get_by_label("Name of the branch").fill("n2 sleeps")
        page.keyboard.press("Enter")
        expect(branches(page).nth(1)).to_contain_text("n2 sleeps")
        page.get_by_role("button", name="Compare as it ran").click()
        expect(page.locator(".sheet")).to_contain_text("n2 sleeps")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Drop n2 sleeps").click()
        expect(branches(page)).to_have_count(0)
        expect(page.locator(".ring .node.paused")).to_have_count(0)

    def test_two_branches_are_compared_at_their_first_difference(self, sandbox: Page) -> None:
        """The line before is the same in both; then each side says what it alone has."""
        page = open_recipe(sandbox, recipe(seed=45, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        for _ in range(2):
            page.keyboard.press("Shift+ArrowRight")
        select(page, "n3")
        do(page, "Kill")
        expect(branches(page)).to_have_count(2)
        origin = re.search(
            r"first difference is event (\d+)", page.locator(".branch-origin").inner_text()
        )
        assert origin is not None
        alike = int(origin[1]) - 1
        page.get_by_role("button", name="Compare as it ran with what is shown").click()
        told = page.locator(".compare-told")
        expect(told).to_contain_text(f"The first {alike} lines are the same.")
        expect(told).to_contain_text("n1 has lost its link to n3")
        slider = page.get_by_role("slider", name="Line", exact=True)
        expect(slider).to_have_value(str(alike))
        here = page.locator(".compare-here")
        expect(page.locator(".compare-here.differs")).to_have_count(2)
        slider.press("ArrowLeft")
        expect(page.locator(".compare-here.differs")).to_have_count(0)
        settled(page)
        same = here.all_inner_texts()
        assert same[0] == same[1]
        assert "= the same here" in same[0]
        slider.press("ArrowRight")
        settled(page)
        one, other = here.all_inner_texts()
        assert ("lost its link to n3" in one) != ("lost its link to n3" in other)
        assert "≠ different here" in one
        assert "≠ different here" in other
        # Both are offered in the lists, and another choice is compared at once.
        first = page.get_by_label("First run", exact=True)
        expect(first.locator("optgroup[label=Branches] option")).to_have_count(2)
        first.select_option(label=page.locator("#compare-title-b").inner_text().split(": ")[1])
        expect(told).to_contain_text("No difference")
        page.keyboard.press("Escape")

    def test_a_story_is_forked_at_its_moment(self, browser: Browser, sandbox_address: str) -> None:
        """The same run is played in the tab, and goes on from there."""
        with visiting(browser, sandbox_address) as visit:
            page = visit("#story=partition")
            for _ in range(3):
                page.keyboard.press("Shift+ArrowRight")
            settled(page)
            said = page.locator(".sentence").inner_text()
            page.get_by_role("button", name="Fork into the sandbox").first.click()
            expect(page.locator(".run-bar")).to_contain_text("Seed 7")
            expect(page.locator(".sentence")).to_have_text(said, use_inner_text=True)
            page.keyboard.press("1")
            page.keyboard.press("k")
            expect(branches(page)).to_have_count(2)
            expect(page.locator(".ring .node.down")).to_have_count(1)
