"""Links to a sandbox: the whole run stands in them; damaged ones get a sentence."""

import base64
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_page import settled, visiting
from tests.web_sandbox import link_of, open_recipe, packed, propose, recipe

pytestmark = pytest.mark.browser


class TestLinks:
    def test_a_link_is_the_run(self, sandbox: Page, browser: Browser, sandbox_address: str) -> None:
        """Whoever opens it sees the same moment."""
        page = open_recipe(
            sandbox,
            recipe(
                seed=75, nodes=5, commands=[propose("apple"), {"after": 40, "do": {"kill": "n2"}}]
            ),
        )
        page.keyboard.press("End")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        settled(page)
        said = page.locator(".sentence").inner_text()
        # The address names this run once its recipe has been packed.
        link = "#" + link_of(page).split("#")[1]
        assert "&at=" in link
        expect(page).to_have_url(re.compile(re.escape(link) + "$"))
        with visiting(browser, sandbox_address) as visit:
            other = visit(link)
            expect(other.locator(".sentence")).to_have_text(said, use_inner_text=True)

    def test_meanwhile_it_says_what_is_being_made(
        self, browser: Browser, sandbox_address: str
    ) -> None:
        """Python takes some seconds to come, and an empty form would be no answer to a link."""
        with visiting(browser, sandbox_address) as visit:
            made = recipe(seed=76, nodes=3, commands=[propose("apple")])
            page = visit(
                f"#sandbox={packed(made)}",
                prepare=lambda page: page.add_init_script(
                    "Worker.prototype.postMessage = () => {};"
                ),
            )
            expect(page.locator(".opening")).to_contain_text("Seed 76, 3 nodes, 1 command")
            expect(page.get_by_role("progressbar")).to_be_visible()
            expect(page.get_by_role("button", name="Run it")).to_have_count(0)
            expect(page.locator(".opening")).to_contain_text("Computing the run")

    @pytest.mark.parametrize("text", ["x", "AAAA", base64.urlsafe_b64encode(b"{}").decode()])
    def test_a_damaged_link_gets_a_sentence(
        self, browser: Browser, sandbox_address: str, text: str
    ) -> None:
        """And nothing of it is run."""
        with visiting(browser, sandbox_address) as visit:
            page = visit(f"#sandbox={text}")
            expect(page.get_by_role("alert")).to_contain_text("This link to a sandbox is damaged")

    def test_a_run_too_long_for_a_link_says_so(self, sandbox: Page) -> None:
        """What was commanded can be kept as a scenario then."""
        said = sandbox.evaluate(
            """async () => {
                const { packRecipe } = await import("./sandbox/recipe.js");
                const noise = () => Array.from(crypto.getRandomValues(new Uint8Array(60)), String).join("");
                const commands = Array.from({ length: 200 }, (_, at) => ({ after: at, do: { propose: { at: "n1", value: noise() } } }));
                const recipe = { v: 1, seed: 1, nodes: 5, variant: null, manual: false, scenario: null, settings: {}, commands };
                return packRecipe(recipe).then(() => "", (error) => error.message);
            }"""
        )
        assert "A link cannot hold 200 commands" in said
