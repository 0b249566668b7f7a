"""A recipe in a link comes from a stranger: what it holds is shown as text, and never becomes markup."""

import pytest
from playwright.sync_api import Page, expect

from tests.web_page import MARKUP
from tests.web_sandbox import (
    answer,
    branches,
    do,
    nothing_ran,
    open_recipe,
    played,
    recipe,
    select,
)

pytestmark = pytest.mark.browser

NAME = "<img src=x onerror='document.title=3'>"


def test_values_faults_answers_and_names_of_branches_are_text(sandbox: Page) -> None:
    """Wherever they stand: table, list, forms, what was commanded, the rows of branches."""
    made = recipe(
        {"hold": {"name": NAME, "kinds": ["learned"]}},
        {"propose": {"at": "n1", "value": MARKUP, "name": NAME}},
        seed=60,
    )
    played(made)
    page = open_recipe(sandbox, made)
    expect(page.locator(".choice .value").first).to_have_attribute("title", MARKUP)
    expect(page.locator(".event-rows")).to_contain_text("<img")
    do(page, "Release…")
    expect(page.locator(".form")).to_contain_text(NAME)
    nothing_ran(page)

    # In the past: a branch, whose name a person gives.
    page.locator("h1").click()
    page.keyboard.press("Home")
    select(page, "n2")
    do(page, "Propose…")
    page.get_by_label("Value").fill(MARKUP)
    page.locator(".form").get_by_role("button", name="Do it").click()
    expect(answer(page)).to_contain_text("<img")
    expect(branches(page)).to_have_count(2)
    page.get_by_role("button", name="Rename branch 1").click()
    page.get_by_label("Name of the branch").fill(NAME)
    page.keyboard.press("Enter")
    expect(page.locator(".branches")).to_contain_text(NAME)
    nothing_ran(page)
