"""A recipe in a link comes from a stranger: what it holds is shown as text, and never becomes markup."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_sandbox import answer, open_recipe, played, recipe, sandbox_page

pytestmark = pytest.mark.browser

MARKUP = '<img src="x" onerror="document.title = 1"><script>document.title = 2</script>'
NAME = "<img src=x onerror='document.title=3'>"


def nothing_ran(page: Page) -> None:
    """No element came of any text."""
    assert page.locator("#page img, #page script").count() == 0
    assert page.title() == "Paxos Lab"


def test_values_faults_answers_and_names_of_branches_are_text(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Wherever they stand: table, list, forms, what was commanded, the rows of branches."""
    made = recipe(
        {"hold": {"name": NAME, "kinds": ["learned"]}},
        {"propose": {"at": "n1", "value": MARKUP, "name": NAME}},
        seed=61,
    )
    played(made)
    with sandbox_page(browser, tmp_path_factory.mktemp("logs")) as page:
        open_recipe(page, made)
        expect(page.locator(".choice .value").first).to_have_attribute("title", MARKUP)
        expect(page.locator(".event-rows")).to_contain_text("<img")
        page.locator(".commands").get_by_role("button", name="Release…").click()
        expect(page.locator(".form")).to_contain_text(NAME)
        nothing_ran(page)

        # In the past: a branch, whose name a person gives.
        page.locator("h1").click()
        page.keyboard.press("Home")
        page.locator(".pick-node").get_by_role("button", name="n2", exact=True).click()
        page.locator(".commands").get_by_role("button", name="Propose…").click()
        page.get_by_label("Value").fill(MARKUP)
        page.locator(".form").get_by_role("button", name="Do it").click()
        expect(answer(page)).to_contain_text("<img")
        expect(page.locator(".branches li")).to_have_count(2)
        page.get_by_role("button", name="Rename branch 1").click()
        page.get_by_label("Name of the branch").fill(NAME)
        page.keyboard.press("Enter")
        expect(page.locator(".branches")).to_contain_text(NAME)
        nothing_ran(page)
