"""The sandbox's engine, Python in a tab: it writes Python's very log, judges what is dropped, and may be missing."""

import hashlib

import pytest
from playwright.sync_api import Browser, Page, expect

from paxos.sandbox import run as run_in_python
from tests.web_page import drop, visiting
from tests.web_sandbox import open_recipe, propose, recipe
from tests.web_server import scripted, text_of

pytestmark = pytest.mark.browser


class TestEngine:
    def test_the_tab_writes_the_very_same_log(self, sandbox: Page) -> None:
        """Byte for byte what Python writes outside of it."""
        made = recipe(seed=21, nodes=5, commands=[propose("apple"), propose("pear", "n4", 30)])
        page = open_recipe(sandbox, made)
        expected = run_in_python(made)
        page.get_by_role("button", name="Share").click()
        expect(page.locator(".sheet")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".run-bar")).to_contain_text(f"{expected['line_count']} events")
        digest = page.evaluate(
            """async (recipe) => {
                const { Engine } = await import("./sandbox/engine.js");
                const engine = await Engine.start();
                const { lines } = await engine.run(recipe);
                engine.close();
                const bytes = new TextEncoder().encode(lines);
                const hash = await crypto.subtle.digest("SHA-256", bytes);
                return [...new Uint8Array(hash)].map((one) => one.toString(16).padStart(2, "0")).join("");
            }""",
            made,
        )
        assert (
            digest == expected["sha256"] == hashlib.sha256(expected["lines"].encode()).hexdigest()
        )

    def test_the_page_is_of_use_before_the_engine_is(
        self, browser: Browser, sandbox_address: str
    ) -> None:
        """A story plays meanwhile, and how far the start has come is shown."""
        with visiting(browser, sandbox_address) as visit:
            page = visit()
            expect(page.locator(".sentence")).to_be_visible()
            page.locator(".modes").get_by_role("button", name="Sandbox").click()
            expect(page.get_by_role("progressbar")).to_be_visible()
            page.locator(".modes").get_by_role("button", name="Replay").click()
            page.keyboard.press("Shift+ArrowRight")
            expect(page.locator(".chip.point").first).to_be_visible()

    def test_what_is_missing_is_said(self, browser: Browser, sandbox_address: str) -> None:
        """All but the sandbox works without Pyodide."""
        with visiting(browser, sandbox_address) as visit:
            missing = {"available": False, "why": "Pyodide is not there.", "pyodide": None}

            def without(page: Page) -> None:
                page.route("**/sandbox.json", lambda route: route.fulfill(json=missing))

            page = visit(prepare=without)
            page.locator(".modes").get_by_role("button", name="Sandbox").click()
            expect(page.locator(".start")).to_contain_text("Pyodide is not there.")
            expect(page.get_by_role("button", name="Run it")).to_have_count(0)


class TestDropped:
    def test_a_dropped_log_is_judged_in_the_tab(self, sandbox: Page) -> None:
        """It came without a verdict; the engine is there already."""
        lines = scripted("R4-ignores-reported-values")
        drop(sandbox, {"mine.jsonl": text_of(lines)})
        expect(sandbox.locator(".run-bar .verdict-violated")).to_be_visible()
        sandbox.get_by_role("tab", name="Verdict").click()
        sandbox.keyboard.press("End")
        expect(sandbox.locator(".violations")).to_contain_text("R4")
        sandbox.locator(".modes").get_by_role("button", name="Sandbox").click()

    def test_logs_of_single_nodes_are_judged_together(self, sandbox: Page) -> None:
        """What breaks the rule stands in two of them; each alone has nothing against it."""
        lines = scripted("R4-ignores-reported-values")
        files = {
            f"{node}.jsonl": text_of(line for line in lines if line["node"] == node)
            for node in {line["node"] for line in lines}
        }
        drop(sandbox, files)
        expect(sandbox.locator(".happening")).to_contain_text(f"of {len(lines)}")
        expect(sandbox.locator(".run-bar .verdict-violated")).to_be_visible()
        sandbox.locator(".modes").get_by_role("button", name="Sandbox").click()
