"""What the sandbox is asked: *Why?*, and what can still come from here."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web_sandbox import branches, done, open_recipe, propose, recipe

pytestmark = pytest.mark.browser


class TestQuestions:
    def test_why_is_answered_with_its_evidence(self, sandbox: Page) -> None:
        """The rules' own evidence, each a way to its moment."""
        page = open_recipe(sandbox, recipe(seed=61, nodes=5, commands=[propose("apple")]))
        page.get_by_label("Find", exact=True).last.fill("to accept 'apple'")
        first = page.locator(".event-rows li button").first
        # Until what was filled in is searched for, that is any entry.
        expect(first).to_contain_text("to accept 'apple'")
        first.click()
        page.get_by_label("Find", exact=True).last.fill("")
        expect(page.locator(".whys")).to_contain_text("may push any client's value")
        evidence = page.locator(".whys .evidence-link").first
        name = evidence.inner_text()
        evidence.click()
        expect(page).to_have_url(re.compile(f"at={name}"))

    def test_explore_from_here_says_what_can_still_come(self, sandbox: Page) -> None:
        """Of a sound protocol: nothing bad, within bounds; and which values."""
        page = open_recipe(sandbox, recipe(seed=62, nodes=3, commands=[propose("apple")]))
        page.keyboard.press("End")
        page.get_by_label("Further ballots").select_option("1")
        page.get_by_role("button", name="Explore from event").click()
        expect(page.locator(".explore .answer")).to_contain_text("It cannot go wrong")
        expect(page.locator(".explore .answer")).to_contain_text("Chosen already")
        expect(page.locator(".explore .answer")).to_contain_text("apple")

    def test_a_broken_protocol_can_go_wrong_and_the_way_is_a_branch(self, sandbox: Page) -> None:
        """Taken step by step, it ends in the violation."""
        page = open_recipe(
            sandbox,
            recipe(
                seed=63,
                nodes=3,
                manual=True,
                variant="accept-below-promise",
                commands=[propose("apple")],
            ),
        )
        page.keyboard.press("End")
        page.get_by_role("button", name="Explore from event").click()
        expect(page.locator(".explore .answer")).to_contain_text("It can go wrong")
        page.get_by_role("button", name="Take the shortest way").click()
        expect(branches(page)).to_have_count(2)
        page.keyboard.press("End")
        expect(page.locator("#tab-verdict")).to_contain_text("✗")

    def test_in_a_run_that_moves_by_itself_the_way_is_a_branch_too(self, sandbox: Page) -> None:
        """The run stays as it is up to there, and goes on by hand."""
        made = recipe(seed=64, nodes=3, variant="small-quorum", commands=[propose("apple")])
        page = open_recipe(sandbox, made)
        page.keyboard.press("Home")
        for _ in range(16):
            page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="Explore from event").click()
        expect(page.locator(".explore .answer")).to_contain_text("It can go wrong")
        page.get_by_role("button", name="Take the shortest way").click()
        expect(branches(page)).to_have_count(2)
        page.keyboard.press("End")
        expect(page.locator("#tab-verdict")).to_contain_text("✗")
        page.get_by_role("tab", name="Do").click()
        # By hand it goes on from there, message by message, and is no further branch.
        page.locator(".held li").first.get_by_role("button").click()
        done(page)
        expect(branches(page)).to_have_count(2)

    def test_before_anybody_has_asked_any_client_s_value_can_be_chosen(self, sandbox: Page) -> None:
        """There is no client yet that another one could be another one than."""
        page = open_recipe(sandbox, recipe(seed=65, nodes=3))
        page.get_by_label("Further ballots").select_option("1")
        page.get_by_role("button", name="Explore from event").click()
        told = page.locator(".explore .answer")
        expect(told.locator("dd").first).to_have_text("any client's")
        expect(told).to_contain_text("any client's value can still be, and never two")

    @pytest.mark.parametrize("width", [1360, 390])
    def test_why_there_is_no_branch_may_be_long_and_is_only_text(
        self, sandbox: Page, width: int
    ) -> None:
        """It may quote a value of a log, which is as long and as strange as its client wanted."""
        page = open_recipe(sandbox, recipe(seed=66 + (width == 390), nodes=3))
        page.set_viewport_size({"width": width, "height": 900})
        strange = "<img src=x onerror=alert(1)>" + "w" * 4_000
        reason = f"it proposes {strange}; ask `paxos-lab whatif`"
        told, codes, images, fits = page.evaluate(
            """async (reason) => {
                const { exploration } = await import("./sandbox/explore.js");
                const { render } = await import("./vendor/lit-html/lit-html.js");
                const { FIRST } = await import("./state.js");
                const answer = { verdict: "can go wrong", sentence: "", way: ["a step"], branch: null, no_branch: reason };
                const app = { ...FIRST, sandbox: { ...FIRST.sandbox, engine: "ready", whatif: { at: 0, branch: 1, answer } } };
                const place = document.createElement("div");
                document.querySelector("#panel").append(place);
                render(exploration(app, {}), place);
                const told = place.querySelector(".answer > p:last-child");
                const found = [told.textContent, [...told.querySelectorAll("code")].map((one) => one.textContent),
                    place.querySelectorAll("img").length, place.scrollWidth <= place.clientWidth];
                place.remove();
                return found;
            }""",
            reason,
        )
        page.set_viewport_size({"width": 1360, "height": 1000})
        assert strange in told
        assert told.startswith("It cannot be taken step by step here. It proposes")
        assert codes == ["paxos-lab whatif"]
        assert images == 0
        assert fits
