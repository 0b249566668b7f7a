"""The sandbox in light and dark, wide and narrow: axe finds nothing, and nothing is too wide."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web_page import settled
from tests.web_sandbox import branches, do, open_recipe, propose, recipe

pytestmark = pytest.mark.browser


class TestAccess:
    @pytest.mark.parametrize("width", [1360, 390])
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(
        self, sandbox: Page, theme: Literal["light", "dark"], width: int
    ) -> None:
        """With two branches, a form and an open message."""
        seed = 80 + width % 7 + (theme == "dark")
        page = open_recipe(sandbox, recipe(seed=seed, nodes=5, commands=[propose("apple")]))
        # A button that is changing its colour would be judged half-way.
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("2")
        page.keyboard.press("k")
        expect(branches(page)).to_have_count(2)
        page.locator(".event-rows .what", has_text=re.compile("^n1 asks")).first.click()
        page.keyboard.press("m")
        do(page, "Messages…")
        settled(page)
        results = Axe().run(page)
        scroll = page.evaluate("document.documentElement.scrollWidth")
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size({"width": 1360, "height": 1000})
        assert results.violations_count == 0, results.generate_report()
        assert scroll <= width
