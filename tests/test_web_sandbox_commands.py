"""Commands in the sandbox: where one stands when they are given, and where they leave one."""

import re

import pytest
from playwright.sync_api import Page, expect

from paxos.sandbox import run as run_in_python
from tests.web_page import settled
from tests.web_sandbox import (
    answer,
    branches,
    do,
    done,
    open_recipe,
    place,
    propose,
    recipe,
    refused,
    select,
    slow_engine,
    wish,
)

pytestmark = pytest.mark.browser


class TestStopped:
    def test_a_violation_stops_play_and_leaves_the_commands(self, sandbox: Page) -> None:
        """It is told beside them; the next command is given in the end, and makes no branch."""
        page = open_recipe(
            sandbox,
            recipe(
                seed=44,
                nodes=5,
                variant="skips-phase-1",
                settings={"own_ballots": False},
                commands=[],
            ),
        )
        select(page, "n1")
        wish(page)
        page.get_by_label("Value", exact=True).fill("apple")
        do(page, "Do it")
        stopped = page.locator("#panel .wrong")
        expect(stopped).to_contain_text("Here R4 is broken")
        expect(page.get_by_role("tab", name="Do")).to_have_attribute("aria-selected", "true")
        expect(page.locator("#panel")).to_contain_text("a command here starts a branch")
        page.get_by_role("button", name="Go to the end").click()
        expect(page.locator("#panel")).not_to_contain_text("a command here starts a branch")
        expect(stopped).to_have_count(0)
        page.keyboard.press("Home")
        page.locator("h1").click()
        page.keyboard.press(" ")
        expect(stopped).to_be_visible()
        stopped.get_by_role("button").click()
        expect(page.get_by_role("tab", name="Verdict")).to_have_attribute("aria-selected", "true")
        expect(page.locator(".violations")).to_contain_text("R4")


class TestWhereOneStands:
    """After a command: at the end it goes on with the run, in the past it takes another turn."""

    def test_a_run_plays_on_and_the_next_command_goes_on_with_it(self, sandbox: Page) -> None:
        """No branch comes of commands that follow each other, by mouse or by keys."""
        page = open_recipe(sandbox, recipe(seed=91, nodes=3))
        page.get_by_label("Speed").select_option("0.25")
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        expect(page.locator(".hit")).to_contain_text("The run plays on to its end")
        expect(page.locator(".controls .primary", has_text="Pause")).to_be_visible()
        select(page, "n2")
        do(page, "Kill")
        done(page, "kill n2")
        # It was given at the end: n2 is still up where the run is seen to play.
        expect(page.locator(".ring .node.down")).to_have_count(0)
        expect(page.locator(".commands").get_by_role("button", name="Start")).to_be_visible()
        page.keyboard.press("k")
        done(page, "start n2")
        page.get_by_label("Speed").select_option("4")
        expect(page.locator(".hit")).to_have_count(0)
        page.get_by_label("Speed").select_option("1")
        page.locator("h1").click()
        page.keyboard.press("p")
        expect(page.get_by_label("Value")).to_be_focused()
        page.keyboard.press("Enter")
        done(page, "ask n2")
        expect(branches(page)).to_have_count(0)

    def test_who_stops_it_looks_back(self, sandbox: Page) -> None:
        """A command that is given there is meant for there, and starts a branch."""
        page = open_recipe(sandbox, recipe(seed=92, nodes=3))
        page.get_by_label("Speed").select_option("0.25")
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        expect(page.locator(".hit")).to_contain_text("The run plays on to its end")
        page.locator("h1").click()
        page.keyboard.press("Space")
        expect(page.locator(".hit")).to_contain_text("a command here starts a branch")
        # To play from here is to look at what there is, and no going on.
        page.keyboard.press("Space")
        expect(page.locator(".hit")).to_contain_text("a command here starts a branch")
        page.get_by_label("Speed").select_option("1")
        page.locator("h1").click()
        page.keyboard.press("k")
        done(page, "kill n1")
        expect(branches(page)).to_have_count(2)

    def test_at_one_place_of_the_past_commands_make_one_turn(self, sandbox: Page) -> None:
        """Whoever has gone on from there and commands again takes another one."""
        page = open_recipe(sandbox, recipe(seed=93, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        for _ in range(2):
            page.keyboard.press("Shift+ArrowRight")
        select(page, "n2")
        do(page, "Kill")
        expect(page.locator(".hit")).to_contain_text("belongs to the same branch")
        expect(branches(page)).to_have_count(2)
        page.keyboard.press("3")
        page.keyboard.press("k")
        done(page, "kill n3")
        # What is said of its end is said of an end that lies ahead.
        expect(answer(page)).to_contain_text(re.compile(r"as far as event \d+\. Nothing is left"))
        expect(page.locator(".ring .node.down")).to_have_count(2)
        expect(branches(page)).to_have_count(2)
        expect(branches(page).nth(1).locator(".fork")).to_have_count(1)
        here = place(page)
        page.keyboard.press("ArrowRight")
        expect(page.locator(".hit")).to_contain_text("a command here starts a branch")
        page.keyboard.press("ArrowLeft")
        assert place(page) <= here
        page.keyboard.press("k")
        expect(answer(page)).to_contain_text("start n3")
        expect(branches(page)).to_have_count(3)

    def test_two_orders_at_once_in_the_past_are_one_turn(self, sandbox: Page) -> None:
        """The second was meant for the same moment as the first."""
        page = open_recipe(sandbox, recipe(seed=94, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        with slow_engine(page) as let_go:
            for key in ("2", "k", "3", "k"):
                page.keyboard.press(key)
            let_go()
            expect(page.locator(".ring .node.down")).to_have_count(2)
        expect(branches(page)).to_have_count(2)

    def test_a_command_goes_to_the_lines_that_were_on_the_screen(self, sandbox: Page) -> None:
        """The branch was made anew meanwhile, by a command that one had not seen come."""
        page = open_recipe(sandbox, recipe(seed=96, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        for key in ("2", "k"):
            page.keyboard.press(key)
        done(page, "kill n2")
        expect(branches(page)).to_have_count(2)
        with slow_engine(page) as let_go:
            for key in ("3", "k", "Shift+ArrowRight", "4", "k"):
                page.keyboard.press(key)
            let_go()
            expect(branches(page)).to_have_count(3)
        done(page, "kill n4")
        # n3 was killed in the branch that this one does not come from.
        expect(page.locator(".ring .node.down")).to_have_count(2)

    def test_where_motion_is_unwelcome_one_is_at_the_end_at_once(self, sandbox: Page) -> None:
        """Nothing plays by itself then."""
        page = open_recipe(sandbox, recipe(seed=95, nodes=3))
        page.emulate_media(reduced_motion="reduce")
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        done(page, "ask n1")
        settled(page)
        expect(page.locator(".hit")).to_have_count(0)
        expect(page.locator(".choice")).to_contain_text("accepted by")
        page.emulate_media(reduced_motion="no-preference")

    def test_a_run_that_ends_with_a_dead_node_opens_where_it_rests(self, sandbox: Page) -> None:
        """Its closing line only reads a disk, and tells of nothing that happened."""
        kill = {"after": 9_999, "do": {"kill": "n2"}}
        made = recipe(seed=97, nodes=3, commands=[propose("apple"), kill])
        expected = run_in_python(made)
        page = open_recipe(sandbox, made)
        assert place(page) == expected["line_count"] - expected["closing"]
        assert expected["closing"] > 0

    def test_the_end_is_where_the_run_rests(self, sandbox: Page) -> None:
        """The lines that only read disks come after it: a second key goes there."""
        kill = {"after": 9_999, "do": {"kill": "n2"}}
        made = recipe(seed=72, nodes=3, commands=[propose("apple"), kill])
        expected = run_in_python(made)
        rest = expected["line_count"] - expected["closing"]
        assert expected["closing"] == 2
        page = open_recipe(sandbox, made)
        page.keyboard.press("Home")
        expect(page.locator(".hit")).to_contain_text("You look back")
        page.locator(".hit").get_by_role("button", name="Go to the end").click()
        expect(page.locator(".hit")).to_have_count(0)
        assert place(page) == rest
        page.keyboard.press("Home")
        page.keyboard.press("End")
        assert place(page) == rest
        page.keyboard.press("End")
        assert place(page) == expected["line_count"]


class TestMeanwhile:
    """Before the engine has answered."""

    def test_whoever_looks_back_meanwhile_stays_there(self, sandbox: Page) -> None:
        """The run goes on at its end; that is no reason to take somebody there."""
        page = open_recipe(
            sandbox, recipe(seed=57, nodes=3, manual=True, commands=[propose("apple")])
        )
        page.keyboard.press("End")
        before = place(page)
        with slow_engine(page) as let_go:
            page.locator(".held li").first.get_by_role("button", name="Deliver").click()
            for _ in range(3):
                page.keyboard.press("ArrowLeft")
            looked_at = place(page)
            let_go()
            done(page)
        assert place(page) == looked_at < before
        expect(page.get_by_role("button", name="Take another turn from here")).to_be_visible()
        page.keyboard.press("End")
        assert place(page) > before

    def test_two_orders_at_once_are_both_carried_out(self, sandbox: Page) -> None:
        """The second builds on what the first has made."""
        page = open_recipe(
            sandbox, recipe(seed=58, nodes=3, manual=True, commands=[propose("apple")])
        )
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        with slow_engine(page) as let_go:
            for node in ("n2", "n3"):
                one = waiting.filter(has_text=f"Prepare n1 → {node}")
                one.get_by_role("button", name="Deliver").click()
            let_go()
            expect(waiting.filter(has_text="Promise n2 → n1")).to_have_count(1)
            expect(waiting.filter(has_text="Promise n3 → n1")).to_have_count(1)

    def test_whoever_has_gone_elsewhere_stays_there(self, sandbox: Page) -> None:
        """And finds what was commanded on coming back."""
        # No address leads to the replay's greeting, so it has a story to come back to.
        sandbox.evaluate("location.hash = '#story=basic'")
        expect(sandbox.locator(".run-title")).to_contain_text("nobody in its way")
        page = open_recipe(sandbox, recipe(seed=59, nodes=5, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        select(page, "n2")
        with slow_engine(page) as let_go:
            do(page, "Kill")
            page.locator(".modes").get_by_role("button", name="Replay").click()
            expect(page.locator(".run-bar")).not_to_contain_text("Seed")
            let_go()
            expect(page).to_have_url(re.compile("#story="))
            expect(page.locator(".sentence")).to_be_visible()
        page.locator(".modes").get_by_role("button", name="Sandbox").click()
        expect(branches(page)).to_have_count(2)
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Sandbox")
        expect(page.locator(".ring .node.down")).to_have_count(1)

    def test_a_double_click_is_one_order(self, sandbox: Page) -> None:
        """The form closes under it, and what moves there is not meant."""
        page = open_recipe(sandbox, recipe(seed=56, nodes=5))
        page.keyboard.press("End")
        select(page, "n2")
        wish(page)
        page.locator(".form").get_by_label("Value").fill("fig")
        page.locator(".commands").get_by_role("button", name="Do it", exact=True).dblclick()
        done(page, "fig")
        page.keyboard.press("End")
        expect(page.locator(".ring .node", has_text="✕")).to_have_count(0)


class TestFaults:
    def test_a_line_across_the_ring_parts_this_network_too(self, sandbox: Page) -> None:
        """And its keyboard twin."""
        page = open_recipe(sandbox, recipe(seed=43, nodes=5, commands=[propose("apple")]))
        for key in ("Shift+Digit4", "Shift+Digit5", "x"):
            page.keyboard.press(key)
        expect(answer(page)).to_contain_text("part n4 n5 | n1 n2 n3")
        expect(page.locator(".ring path.wall")).to_have_count(1)
        do(page, "Heal all")
        expect(page.locator(".ring path.wall")).to_have_count(0)

    def test_every_fault_is_at_hand(self, sandbox: Page) -> None:
        """Power loss and a crash at a point; what is impossible is refused in a sentence."""
        page = open_recipe(sandbox, recipe(seed=46, nodes=5, commands=[propose("apple")]))
        select(page, "n5")
        do(page, "Disk…")
        do(page, "Corrupt a byte")
        refused(page, "corrupt a byte at n5")
        do(page, "Power loss")
        expect(answer(page)).to_contain_text("cut the power of n5")
        expect(page.locator(".ring .node.down")).to_have_count(1)
        do(page, "Start")
        expect(page.locator(".ring .node.down")).to_have_count(0)
        do(page, "Crash at…")
        do(page, "Do it")
        done(page, "kill n5 before its next write")
