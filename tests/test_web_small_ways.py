"""Small things that a newcomer looks for: a hint, a sentence, a way in."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web_learn import VISIT
from tests.web_page import settled
from tests.web_sandbox import answer, need_engine, open_recipe, propose, recipe

pytestmark = pytest.mark.browser
__all__ = ["VISIT"]


def test_what_waits_is_in_sight_where_one_delivers_by_hand(sandbox: Page) -> None:
    """It is all that one does there: it stands above the buttons, and needs no scrolling."""
    made = recipe(seed=191, nodes=5, manual=True, commands=[propose("pear")])
    page = open_recipe(sandbox, made)
    page.set_viewport_size({"width": 1360, "height": 900})
    page.keyboard.press("End")
    settled(page)
    deliver = page.locator(".held li").first.get_by_role("button", name="Deliver")
    expect(deliver).to_be_in_viewport(ratio=1)
    deliver.click()
    expect(answer(page)).to_have_class("done")
    expect(deliver).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1360, "height": 1000})


def test_without_a_node_the_panel_says_what_to_do_first(sandbox: Page) -> None:
    """Below the nodes; and nothing more once one is chosen."""
    page = open_recipe(sandbox, recipe(seed=192, nodes=3, commands=[propose("pear")]))
    hint = page.locator(".commands").get_by_text("Choose a node, and what can be done")
    nodes = page.locator(".commands > .pick-node")
    if nodes.locator("[aria-pressed=true]").count() > 0:
        nodes.locator("[aria-pressed=true]").click()
    expect(hint).to_be_visible()
    nodes.get_by_role("button", name="n2").click()
    expect(hint).to_have_count(0)


@pytest.mark.parametrize("key", ["k", "p", "x"])
def test_a_key_that_commands_says_that_a_recorded_run_is_none(
    visit: Callable[..., Page], key: str
) -> None:
    """Else it would seem to be dead."""
    page = visit("#story=basic")
    page.keyboard.press("2")
    page.keyboard.press(key)
    expect(page.get_by_text("This run is recorded: what happened, happened.").first).to_be_visible()


def test_sandbox_alone_leads_into_it(visit: Callable[..., Page]) -> None:
    """As #live leads to the live run."""
    need_engine()
    page = visit("#sandbox")
    expect(page.locator(".modes [aria-current=page]")).to_have_text("Sandbox")
    expect(page.locator(".run-title")).to_have_text("A sandbox of 5 nodes", timeout=180_000)
    expect(page).to_have_url(re.compile("#sandbox=."))


def test_no_button_offers_the_scenario_of_a_live_run(visit: Callable[..., Page]) -> None:
    """It stands in the run's folder, and that is said."""
    page = visit("#story=basic")
    found = page.evaluate(
        """async () => {
            const { hasNoScenario } = await import("./share/scenario.js");
            const timeline = { run: { scenario: "live" } };
            return [
                hasNoScenario({ source: { kind: "run", name: "x" }, timeline }),
                hasNoScenario({ source: { kind: "live", name: "x" }, timeline: null }),
                hasNoScenario({ source: { kind: "sandbox", name: "x" }, timeline }),
                hasNoScenario({ source: { kind: "run", name: "x" }, timeline: { run: { scenario: "partition" } } }),
            ];
        }"""
    )
    assert found == [True, True, False, False]
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_role("button", name="Scenario", exact=True)).to_be_enabled()
