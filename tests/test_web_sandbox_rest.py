"""Commands right after a command belong to the same run; and what the explorer says is what it searched."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web_page import line_begun, settled
from tests.web_sandbox import (
    answer,
    at_rest,
    branches,
    do,
    link_of,
    open_recipe,
    place,
    propose,
    recipe,
    unpacked,
    wish,
)
from tests.web_sandbox import select as select_node

pytestmark = pytest.mark.browser


def part(page: Page) -> None:
    """Drag a line over the ring."""
    x, y = line_begun(page)
    page.mouse.move(x, y, steps=8)
    page.mouse.up()
    expect(answer(page)).to_have_class("done")
    at_rest(page)
    expect(page.locator(".sentence")).to_contain_text("partition")


@pytest.fixture(autouse=True)
def usual_level(sandbox: Page) -> None:
    """Who has every event told has more to stop at behind a command."""
    if sandbox.locator("#filter-level").count() > 0:
        sandbox.locator("#filter-level").select_option("detail")


class TestAfterACommand:
    def test_a_wish_right_after_a_wall_belongs_to_the_run(self, sandbox: Page) -> None:
        """Nobody looked back: what follows the wall is nothing to stop at."""
        page = open_recipe(sandbox, recipe(seed=171, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("End")
        part(page)
        # It stays at the command, and that is no look back.
        expect(page.locator("#panel")).not_to_contain_text("You look back")
        select_node(page, "n4")
        wish(page)
        do(page, "Do it")
        expect(answer(page)).to_contain_text("n4")
        expect(answer(page)).to_have_class("done")
        expect(branches(page)).to_have_count(0)
        commands = unpacked(link_of(page))["commands"]
        assert [next(iter(one["do"])) for one in commands] == ["propose", "partition", "propose"]

    def test_so_do_commands_after_a_start(self, sandbox: Page) -> None:
        """Kill, start, part: one run of three commands."""
        page = open_recipe(sandbox, recipe(seed=172, nodes=5))
        select_node(page, "n1")
        for name in ("Kill", "Start"):
            do(page, name)
            expect(page.locator(".commands > .sent li .text")).to_contain_text(name.lower())
            expect(answer(page)).to_have_class("done")
        expect(page.locator("#panel")).not_to_contain_text("You look back")
        part(page)
        expect(branches(page)).to_have_count(0)

    def test_who_goes_back_by_hand_takes_another_turn(self, sandbox: Page) -> None:
        """Even to where the command had put them: that is a look back then."""
        page = open_recipe(sandbox, recipe(seed=173, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("End")
        part(page)
        page.locator("h1").click()
        at = place(page)
        page.keyboard.press("End")
        settled(page)
        assert place(page) > at
        page.keyboard.press("ArrowLeft")
        settled(page)
        assert place(page) == at
        expect(page.locator("#panel")).to_contain_text("a command here starts a branch")
        page.keyboard.press("3")
        page.keyboard.press("k")
        expect(branches(page)).to_have_count(2)


class TestExplore:
    @pytest.mark.parametrize(("ballots", "is_whole"), [("1", True), ("3", False)])
    def test_the_headline_names_what_was_searched(
        self, sandbox: Page, ballots: str, *, is_whole: bool
    ) -> None:
        """It claims nothing of ballots that were not all searched; and the answer is in sight."""
        page = open_recipe(sandbox, recipe(seed=174 + is_whole, nodes=5, commands=[propose("fig")]))
        page.set_viewport_size({"width": 1360, "height": 900})
        page.keyboard.press("Home")
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        page.get_by_label("Further ballots").select_option(ballots)
        page.get_by_role("button", name="Explore from event").click()
        told = page.locator(".explore .answer")
        head = told.locator("strong")
        if is_whole:
            expect(head).to_have_text("✓ It cannot go wrong within these bounds.", timeout=120_000)
        else:
            expect(head).to_have_text(
                re.compile(
                    r"^✓ It cannot go wrong with (\d) further ballots?; \d were not all searched\.$"
                ),
                timeout=180_000,
            )
            expect(told).to_contain_text("the limit was reached")
        settled(page)
        panel, sentence = page.locator("#panel").bounding_box(), head.bounding_box()
        assert panel is not None
        assert sentence is not None
        assert sentence["y"] + sentence["height"] <= panel["y"] + panel["height"]
        page.set_viewport_size({"width": 1360, "height": 1000})
