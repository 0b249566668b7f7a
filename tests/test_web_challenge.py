"""The challenge of an exhibit stays beside the run in the sandbox that it is about."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.web_learn import EXHIBITS, stage, with_engine
from tests.web_node import ask_node
from tests.web_page import awaited

PEAR = {"after": 400, "do": {"propose": {"name": "pear", "at": "n5", "value": "pear"}}}


def ask(*about: dict[str, Any]) -> dict[str, Any]:
    """Each guide's challenge, and which one is shown where."""
    found: dict[str, Any] = ask_node("web_challenge.mjs", about)
    return found


def sandbox(challenge: str, *recipes: Any, opening: Any = None, mode: str = "sandbox") -> Any:
    """What the page holds: the guide that was left, and the runs of its sandbox."""
    return {"challenge": challenge, "mode": mode, "opening": opening, "recipes": recipes}


def recipe_of(challenge: str) -> dict[str, Any]:
    """The run that a challenge is about."""
    recipe: dict[str, Any] = ask()["challenges"][challenge]["recipe"]
    return recipe


@pytest.mark.parametrize("challenge", ["tour", *EXHIBITS])
def test_a_challenge_is_shown_beside_its_run_and_whatever_becomes_of_it(challenge: str) -> None:
    """While the run is made, when it is there, and after commands at its end or in its past."""
    recipe = recipe_of(challenge)
    moved = [{**command, "after": command["after"] // 2} for command in recipe["commands"]]
    grown = {**recipe, "commands": [*moved, PEAR]}
    turned = {**recipe, "commands": [*recipe["commands"][:1], PEAR]}
    found = ask(
        sandbox(challenge, opening=recipe),
        sandbox(challenge, recipe),
        sandbox(challenge, grown),
        sandbox(challenge, grown, turned),
    )
    wanted = {"id": challenge, "field": f"&challenge={challenge}"}
    assert found["shown"] == [wanted] * 4


def test_a_challenge_is_not_shown_beside_another_run() -> None:
    """It would ask for what cannot be tried there."""
    recipe = recipe_of("binding")
    other = {**recipe, "variant": None}
    found = ask(
        sandbox("binding", other),
        sandbox("binding", {**recipe, "seed": 8}),
        sandbox("binding", {**recipe, "commands": []}),
        sandbox("binding", recipe, opening=other),
        sandbox("binding", recipe, mode="story"),
        sandbox("", recipe),
        sandbox("no such exhibit", recipe),
        sandbox("binding"),
    )
    assert found["shown"] == [{"id": None, "field": ""}] * 8


@pytest.mark.browser
def test_your_turn_stays_in_sight_and_leads_back(browser: Browser, address: str) -> None:
    """It survives a command and a reload, is put away with a button, and leads to the exhibit."""
    with with_engine(browser, f"{address}#exhibit=two-phases.4") as page:
        text = stage(page).locator(".challenge p").first.inner_text()
        assert text.startswith("Your turn:")
        stage(page).locator("[data-learn=sandbox]").click()
        card = page.get_by_role("region", name="Your turn")
        expect(card).to_contain_text(text.removeprefix("Your turn:").strip())
        expect(page.locator("#now-title")).to_contain_text("event 17 of", timeout=120_000)
        expect(card).to_be_visible()
        page.get_by_role("button", name="n1", exact=True).click()
        page.get_by_role("button", name="Kill", exact=True).click()
        expect(page.locator(".sent .done")).to_contain_text("kill n1")
        expect(card).to_be_visible()
        awaited(page, "location.hash.includes('challenge=two-phases')")
        page.reload()
        expect(page.locator("#now-title")).to_be_visible(timeout=120_000)
        expect(card).to_be_visible()
        card.get_by_role("button", name="Back to the exhibit").click()
        expect(stage(page).locator(".challenge")).to_be_visible()
        expect(card).to_have_count(0)
        page.get_by_role("button", name="Sandbox", exact=True).click()
        expect(card).to_be_visible()
        card.get_by_role("button", name="Put the challenge away").click()
        expect(card).to_have_count(0)


@pytest.mark.browser
def test_the_whole_run_of_a_last_caption_opens_without_the_caption(
    browser: Browser, address: str
) -> None:
    """It begins at its start, where what the caption says has not happened yet."""
    with with_engine(browser, f"{address}#exhibit=degradation.3") as page:
        stage(page).get_by_role("button", name="See the whole run").click()
        expect(stage(page)).to_have_count(0)
        expect(page.locator("#now-title")).to_contain_text("event 1 of")
        expect(page.locator(".lit")).to_have_count(0)
