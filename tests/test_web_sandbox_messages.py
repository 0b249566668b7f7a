"""Single messages in the sandbox: other fates in flight, delivery by hand, and what a gate holds."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web_page import settled
from tests.web_sandbox import branches, do, done, open_recipe, place, propose, recipe

pytestmark = pytest.mark.browser


class TestMessages:
    @pytest.mark.parametrize(
        ("name", "seed"),
        [("Drop it", 51), ("Delay it by 50 ms", 52), ("Double it", 53), ("Deliver it now", 54)],
    )
    def test_one_message_in_flight_takes_another_fate(
        self, sandbox: Page, name: str, seed: int
    ) -> None:
        """Opened at its line with m, as a click on it does."""
        page = open_recipe(sandbox, recipe(seed=seed, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.locator(".event-rows .what", has_text=re.compile("^n1 asks")).first.click()
        page.keyboard.press("m")
        expect(page.locator(".message")).to_be_visible()
        page.locator(".message-acts").get_by_role("button", name=name).click()
        expect(branches(page)).to_have_count(2)
        expect(page.locator(".branch-origin")).to_contain_text("first difference")

    def test_by_hand_nothing_moves_until_it_is_let(self, sandbox: Page) -> None:
        """What waits is listed; a click delivers it, and looking back forks."""
        page = open_recipe(
            sandbox, recipe(seed=55, nodes=3, manual=True, commands=[propose("apple")])
        )
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        expect(waiting.first).to_contain_text("Prepare n1 → n1")
        before = place(page)
        waiting.filter(has_text="Prepare n1 → n2").get_by_role("button", name="Deliver").click()
        done(page, "deliver the prepare from n1 to n2")
        # The list stays where it was, for the next one.
        expect(waiting.filter(has_text="Promise n2 → n1")).to_have_count(1)
        assert place(page) > before
        waiting.filter(has_text="timer").first.get_by_role("button", name="Let it run out").click()
        # What answered the command before speaks of timers that run out, too.
        done(page, "let n1's timer")
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
        page.get_by_role("button", name="Take another turn from here").click()
        expect(branches(page)).to_have_count(2)
        # Faults of the network have nothing to act on here.
        expect(page.get_by_role("button", name="Partition…")).to_have_count(0)

    def test_what_cannot_be_delivered_says_why(self, sandbox: Page) -> None:
        """A node that is down hears nothing: its row is marked, and a click gives no command."""
        kill = {"after": 9_999, "do": {"kill": "n2"}}
        page = open_recipe(
            sandbox, recipe(seed=70, nodes=3, manual=True, commands=[propose("apple"), kill])
        )
        page.keyboard.press("End")
        to_down = page.locator(".held li", has_text="Prepare n1 → n2")
        expect(to_down).to_contain_text("n2 is down")
        button = to_down.get_by_role("button", name="Deliver")
        expect(button).to_be_disabled()
        told = page.locator(".commands").inner_text()
        button.click(force=True)
        # An order is shown as under way at once, before it is carried out.
        settled(page)
        assert page.locator(".commands").inner_text() == told
        to_up = page.locator(".held li", has_text="Prepare n1 → n3")
        expect(to_up).not_to_contain_text("down")
        expect(to_up.get_by_role("button", name="Deliver")).to_be_enabled()
        assert not Axe().run(page, context=".held").response["violations"]

    def test_what_a_gate_holds_tells_what_it_carries(self, sandbox: Page) -> None:
        """The rest of the run moves by itself, so nothing else is said of it."""
        hold = {"hold": {"name": "wait", "kinds": ["accept"], "to": ["n2"]}}
        commands = [{"after": 0, "do": hold}, propose("apple", after=4)]
        page = open_recipe(sandbox, recipe(seed=71, nodes=3, commands=commands))
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        expect(waiting).to_have_count(1)
        expect(waiting).to_contain_text("Accept n1 → n2, 1.n1, 'apple'")
        expect(page.locator(".held")).to_contain_text("A gate holds these")
        expect(page.locator(".held")).not_to_contain_text("Nothing moves")
        waiting.get_by_role("button", name="Deliver").click()
        done(page)

    def test_of_what_looks_alike_to_a_gate_the_older_one_goes_first(self, sandbox: Page) -> None:
        """The younger ones say so and give no command; when the first has gone the next is the oldest."""
        hold = {"hold": {"name": "wait", "kinds": ["prepare"], "to": ["n2"]}}
        commands = [{"after": 0, "do": hold}, {"after": 0, "do": {"kill": "n3"}}]
        page = open_recipe(
            sandbox, recipe(seed=73, nodes=3, commands=[*commands, propose("apple", after=12)])
        )
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        expect(waiting.nth(1)).to_contain_text("Prepare n1 → n2")
        first = waiting.nth(0).inner_text()
        second = waiting.nth(1).inner_text()
        assert "older one goes first" not in first
        assert "(the older one goes first)" in second
        expect(waiting.nth(0).get_by_role("button", name="Deliver")).to_be_enabled()
        younger = waiting.nth(1).get_by_role("button", name="Deliver")
        expect(younger).to_be_disabled()
        told = page.locator(".commands").inner_text()
        younger.click(force=True)
        settled(page)
        assert page.locator(".commands").inner_text() == told
        count = waiting.count()
        waiting.nth(0).get_by_role("button", name="Deliver").click()
        done(page)
        page.keyboard.press("End")
        expect(waiting).not_to_have_count(count)

    def test_what_moves_by_itself_can_be_taken_over_by_hand(self, sandbox: Page) -> None:
        """From a moment on nothing moves until it is let; before it all stays as it was."""
        page = open_recipe(sandbox, recipe(seed=74, nodes=3, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        do(page, "By hand")
        done(page, "wait for a hand")
        expect(branches(page)).to_have_count(2)
        page.keyboard.press("End")
        expect(page.locator(".held li").first).to_contain_text("Prepare n1")
        expect(page.get_by_role("button", name="By hand")).to_have_count(0)
