"""How a run of the sandbox begins: from the first screen, by the form for a new one, at rest; and its settings."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_page import visiting
from tests.web_sandbox import (
    branches,
    do,
    done,
    open_recipe,
    place,
    propose,
    recipe,
    select,
    wish,
)

pytestmark = pytest.mark.browser


class TestFirstSteps:
    def test_break_it_yourself_leads_to_a_cluster_that_waits_for_a_client(
        self, browser: Browser, sandbox_address: str
    ) -> None:
        """From the page's first screen, without a form to fill in."""
        with visiting(browser, sandbox_address) as visit:
            page = visit()
            page.get_by_role("button", name="Break it yourself").click()
            expect(page.locator(".opening")).to_contain_text("Seed 7, 5 nodes")
            # A second engine starts beside the one of the shared page.
            expect(page.locator(".sentence")).to_contain_text(
                "has just started, and rests", timeout=90_000
            )
            expect(page.locator(".form").get_by_label("Value")).to_be_visible()


class TestNewRun:
    def test_a_form_makes_a_run_and_invites_a_proposal(self, sandbox: Page) -> None:
        """Seed, nodes, numbers, variant and conditions are a choice."""
        page = sandbox
        page.get_by_role("button", name="New run…").click()
        page.locator(".new-run").get_by_label("Seed").fill("33")
        page.locator(".new-run").get_by_label("Nodes").select_option("3")
        page.locator(".new-run").get_by_label("Numbers").select_option("interleaved")
        page.locator(".new-run").get_by_label("Network").select_option("slow")
        page.get_by_role("button", name="Run it").click()
        expect(page.locator(".run-bar")).to_contain_text("Seed 33")
        expect(page.locator(".ring .node")).to_have_count(3)
        expect(page.locator(".ring .warn")).to_contain_text("delay")
        select(page, "n2")
        wish(page)
        page.locator(".form").get_by_label("Value").fill("apple")
        do(page, "Do it")
        done(page, "apple")
        page.keyboard.press("End")
        expect(page.locator(".choice")).to_contain_text("apple")

    def test_a_cluster_that_rests_is_told_as_one(self, sandbox: Page) -> None:
        """Nothing has happened, so nothing is unknown, and no gate is news."""
        page = open_recipe(sandbox, recipe(seed=34, nodes=5))
        expect(page.locator(".run-bar")).to_contain_text("nothing to judge yet")
        expect(page.locator(".sentence")).to_contain_text("has just started, and rests")
        page.get_by_role("tab", name="Verdict").click()
        expect(page.locator("#panel")).to_contain_text("Propose something")
        expect(page.locator("#panel")).not_to_contain_text("?")
        page.get_by_role("tab", name="Do").click()
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        done(page, "ask n1")
        page.keyboard.press("End")
        expect(page.locator(".run-bar")).not_to_contain_text("nothing to judge yet")

    def test_the_run_before_stays_at_hand(self, sandbox: Page) -> None:
        """A new run drops no branch that somebody has made."""
        page = open_recipe(sandbox, recipe(seed=35, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        select(page, "n2")
        do(page, "Kill")
        expect(branches(page)).to_have_count(2)
        at = place(page)
        page.get_by_role("button", name="New run…").click()
        page.locator(".new-run").get_by_label("Seed").fill("36")
        page.get_by_role("button", name="Run it").click()
        expect(page.locator(".run-bar")).to_contain_text("Seed 36")
        expect(branches(page)).to_have_count(0)
        page.get_by_role("button", name="Back to seed 35").click()
        expect(branches(page)).to_have_count(2)
        expect(page.locator(".ring .node.down")).to_have_count(1)
        assert place(page) == at
        page.get_by_role("button", name="Back to seed 36").click()
        expect(page.locator(".run-bar")).to_contain_text("Seed 36")

    def test_a_broken_variant_is_offered_by_what_it_does(self, sandbox: Page) -> None:
        """In a sentence; its name stands small beside the one that is chosen."""
        page = sandbox
        page.get_by_role("button", name="New run…").click()
        choice = page.locator(".new-run").get_by_label("Protocol")
        sentence = "An acceptor accepts whatever it is asked to, also below its promise."
        expect(choice.locator("option", has_text=sentence)).to_have_count(1)
        choice.select_option(label=sentence)
        expect(page.locator(".chosen-variant")).to_have_text(f"{sentence} accept-below-promise")
        choice.select_option(index=0)
        expect(page.locator(".chosen-variant")).to_have_count(0)
        page.get_by_role("button", name="New run…").click()

    def test_settings_are_changed_at_every_node(self, sandbox: Page) -> None:
        """Those that were filled in, and no other."""
        page = open_recipe(sandbox, recipe(seed=37, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("End")
        do(page, "Settings…")
        expect(page.get_by_role("button", name="Do it")).to_be_disabled()
        page.get_by_label("Patience").fill("90")
        page.get_by_label("Back off").select_option("no")
        do(page, "Do it")
        done(page, "set patience to 90 ms and back off to no")
        page.get_by_label("Show", exact=True).select_option("quiet")
        expect(page.locator(".event-rows")).to_contain_text("takes new settings")
        do(page, "Settings…")
        expect(page.get_by_label("Patience")).to_have_value("")
