"""The sandbox in a real browser: Python's core in a tab, forked, delivered by hand and explored.

One page with one engine serves all of these tests: it takes some seconds to
start. Each test opens a run of its own by a link, as a person may.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from orchestrator.pyodide import sandbox_json
from paxos.sandbox import run as run_in_python
from tests.web_page import drop, settled, visiting
from tests.web_server import scripted, serving, text_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
# A limit, not a wait: the engine starts in a tab of a busy machine.
expect.set_options(timeout=25_000)

Recipe = dict[str, Any]


def recipe(**part: Any) -> Recipe:
    """A recipe as the page writes it."""
    return {
        "v": 1,
        "seed": 7,
        "nodes": 5,
        "variant": None,
        "manual": False,
        "scenario": None,
        "settings": {},
        "commands": [],
        **part,
    }


def propose(value: str, at: str = "n1", after: int = 0) -> dict[str, Any]:
    """A command of a recipe."""
    return {"after": after, "do": {"propose": {"at": at, "value": value, "background": True}}}


def packed(made: Recipe) -> str:
    """A recipe as it stands in a link."""
    squeeze = zlib.compressobj(wbits=-15)
    raw = squeeze.compress(json.dumps(made).encode()) + squeeze.flush()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with the engine beside it."""
    offered = sandbox_json()
    if not offered["available"]:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true, and {offered['why']}", pytrace=False)
        pytest.skip(str(offered["why"]))
    with serving(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture(scope="session")
def shared(browser: Browser, address: str) -> Iterator[Page]:
    """One page whose engine has started."""
    with visiting(browser, address) as visit:
        page = visit(f"#sandbox={packed(recipe())}")
        expect(page.locator(".sentence")).to_be_visible()
        yield page


@pytest.fixture
def opened(shared: Page) -> Callable[[Recipe], Page]:
    """Open a recipe in the shared page: each with a seed of its own, which tells it from the last."""

    def open_recipe(made: Recipe) -> Page:
        shared.keyboard.press("Escape")
        shared.evaluate("hash => { location.hash = hash; }", f"#sandbox={packed(made)}")
        expect(shared.locator(".run-bar")).to_contain_text(f"Seed {made['seed']}")
        shared.get_by_role("tab", name="Do").click()
        # The arrows go from tab to tab while one has the focus.
        shared.locator("h1").click()
        return shared

    return open_recipe


def select(page: Page, node: str) -> None:
    """Choose a node for the buttons."""
    button = page.locator(".commands > .pick-node").get_by_role("button", name=node, exact=True)
    if button.get_attribute("aria-pressed") != "true":
        button.click()


def do(page: Page, name: str) -> None:
    """Press a button of the panel."""
    page.locator(".commands").get_by_role("button", name=name, exact=True).click()


def wish(page: Page) -> None:
    """Have the form for a proposal open; a cluster that rests opens it by itself."""
    settled(page)
    if page.locator(".form").count() == 0:
        do(page, "Propose…")


def answer(page: Page) -> Locator:
    """What became of the last command."""
    return page.locator(".commands > .sent li")


@contextlib.contextmanager
def slow_engine(page: Page) -> Iterator[Callable[[], None]]:
    """While this lasts the engine gets nothing to do, until what comes with it is called."""
    page.evaluate(
        """() => {
            const post = Worker.prototype.postMessage;
            const held = [];
            window.asked = new Promise((asked) => {
                Worker.prototype.postMessage = function (...message) {
                    held.push(() => post.apply(this, message));
                    asked();
                };
            });
            window.letGo = () => {
                Worker.prototype.postMessage = post;
                for (const one of held.splice(0)) one();
            };
        }"""
    )

    def let_go() -> None:
        page.evaluate("window.asked")
        page.evaluate("window.letGo()")

    yield let_go
    page.evaluate("window.letGo()")


def place(page: Page) -> int:
    """The number of the event at the cursor."""
    settled(page)
    found = re.search(r"event ([\d,]+) of", page.locator(".happening h2").inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def rows(page: Page) -> Locator:
    """The branches."""
    return page.locator(".branches li")


class TestEngine:
    def test_the_tab_writes_the_very_same_log(self, opened: Callable[[Recipe], Page]) -> None:
        """Byte for byte what Python writes outside of it."""
        made = recipe(seed=21, commands=[propose("apple"), propose("pear", "n4", 30)])
        page = opened(made)
        expected = run_in_python(made)
        page.get_by_role("button", name="Share").click()
        expect(page.locator(".sheet")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_label("Show", exact=True).select_option("quiet")
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

    def test_the_page_is_of_use_before_the_engine_is(self, browser: Browser, address: str) -> None:
        """A story plays meanwhile, and how far the start has come is shown."""
        with visiting(browser, address) as visit:
            page = visit()
            expect(page.locator(".sentence")).to_be_visible()
            page.locator(".modes").get_by_role("button", name="Sandbox").click()
            expect(page.get_by_role("progressbar")).to_be_visible()
            page.locator(".modes").get_by_role("button", name="Replay").click()
            page.keyboard.press("Shift+ArrowRight")
            expect(page.locator(".chip.point").first).to_be_visible()

    def test_what_is_missing_is_said(self, browser: Browser, address: str) -> None:
        """All but the sandbox works without Pyodide."""
        with visiting(browser, address) as visit:
            missing = {"available": False, "why": "Pyodide is not there.", "pyodide": None}

            def without(page: Page) -> None:
                page.route("**/sandbox.json", lambda route: route.fulfill(json=missing))

            page = visit(prepare=without)
            page.locator(".modes").get_by_role("button", name="Sandbox").click()
            expect(page.locator(".start")).to_contain_text("Pyodide is not there.")
            expect(page.get_by_role("button", name="Run it")).to_have_count(0)


class TestFirstSteps:
    def test_break_it_yourself_leads_to_a_cluster_that_waits_for_a_client(
        self, browser: Browser, address: str
    ) -> None:
        """From the page's first screen, without a form to fill in."""
        with visiting(browser, address) as visit:
            page = visit()
            page.get_by_role("button", name="Break it yourself").click()
            expect(page.locator(".opening")).to_contain_text("Seed 7, 5 nodes")
            # A second engine starts beside the one of the shared page.
            expect(page.locator(".sentence")).to_contain_text(
                "has just started, and rests", timeout=90_000
            )
            expect(page.locator(".form").get_by_label("Value")).to_be_visible()


class TestNewRun:
    def test_a_form_makes_a_run_and_invites_a_proposal(self, shared: Page) -> None:
        """Seed, nodes, numbers, variant and conditions are a choice."""
        page = shared
        page.get_by_role("button", name="New run…").click()
        page.locator(".new-run").get_by_label("Seed").fill("33")
        page.locator(".new-run").get_by_label("Nodes").select_option("3")
        page.locator(".new-run").get_by_label("Numbers").select_option("interleaved")
        page.locator(".new-run").get_by_label("Network").select_option("slow")
        page.get_by_role("button", name="Run it").click()
        expect(page.locator(".run-bar")).to_contain_text("Seed 33")
        expect(page.locator(".ring .node")).to_have_count(3)
        expect(page.locator(".ring .warn")).to_contain_text("delay")
        select(page, "n2")
        wish(page)
        page.locator(".form").get_by_label("Value").fill("apple")
        do(page, "Do it")
        expect(answer(page)).to_contain_text("apple")
        expect(answer(page)).to_have_class("done")
        page.keyboard.press("End")
        expect(page.locator(".choice")).to_contain_text("apple")

    def test_a_cluster_that_rests_is_told_as_one(self, opened: Callable[[Recipe], Page]) -> None:
        """Nothing has happened, so nothing is unknown, and no gate is news."""
        page = opened(recipe(seed=34))
        expect(page.locator(".run-bar")).to_contain_text("nothing to judge yet")
        expect(page.locator(".sentence")).to_contain_text("has just started, and rests")
        page.get_by_role("tab", name="Verdict").click()
        expect(page.locator("#panel")).to_contain_text("Propose something")
        expect(page.locator("#panel")).not_to_contain_text("?")
        page.get_by_role("tab", name="Do").click()
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        expect(answer(page)).to_have_class("done")
        page.keyboard.press("End")
        expect(page.locator(".run-bar")).not_to_contain_text("nothing to judge yet")

    def test_the_run_before_stays_at_hand(self, opened: Callable[[Recipe], Page]) -> None:
        """A new run drops no branch that somebody has made."""
        page = opened(recipe(seed=35, commands=[propose("apple")]))
        page.keyboard.press("Home")
        select(page, "n2")
        do(page, "Kill")
        expect(rows(page)).to_have_count(2)
        at = place(page)
        page.get_by_role("button", name="New run…").click()
        page.locator(".new-run").get_by_label("Seed").fill("36")
        page.get_by_role("button", name="Run it").click()
        expect(page.locator(".run-bar")).to_contain_text("Seed 36")
        expect(rows(page)).to_have_count(0)
        page.get_by_role("button", name="Back to seed 35").click()
        expect(rows(page)).to_have_count(2)
        expect(page.locator(".ring .node.down")).to_have_count(1)
        assert place(page) == at
        page.get_by_role("button", name="Back to seed 36").click()
        expect(page.locator(".run-bar")).to_contain_text("Seed 36")

    def test_a_broken_variant_is_offered_by_what_it_does(self, shared: Page) -> None:
        """In a sentence; its name stands small beside the one that is chosen."""
        page = shared
        page.get_by_role("button", name="New run…").click()
        choice = page.locator(".new-run").get_by_label("Protocol")
        sentence = "An acceptor accepts whatever it is asked to, also below its promise."
        expect(choice.locator("option", has_text=sentence)).to_have_count(1)
        choice.select_option(label=sentence)
        expect(page.locator(".chosen-variant")).to_have_text(f"{sentence} accept-below-promise")
        choice.select_option(index=0)
        expect(page.locator(".chosen-variant")).to_have_count(0)
        page.get_by_role("button", name="New run…").click()

    def test_settings_are_changed_at_every_node(self, opened: Callable[[Recipe], Page]) -> None:
        """Those that were filled in, and no other."""
        page = opened(recipe(seed=37, commands=[propose("apple")]))
        page.keyboard.press("End")
        do(page, "Settings…")
        expect(page.get_by_role("button", name="Do it")).to_be_disabled()
        page.get_by_label("Patience").fill("90")
        page.get_by_label("Back off").select_option("no")
        do(page, "Do it")
        expect(answer(page)).to_contain_text("set patience to 90 ms and back off to no")
        expect(answer(page)).to_have_class("done")
        page.get_by_label("Show", exact=True).select_option("quiet")
        expect(page.locator(".event-rows")).to_contain_text("takes new settings")
        do(page, "Settings…")
        expect(page.get_by_label("Patience")).to_have_value("")


class TestStopped:
    def test_a_violation_stops_play_and_leaves_the_commands(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """It is told beside them; the next command is given in the end, and makes no branch."""
        page = opened(
            recipe(seed=44, variant="skips-phase-1", settings={"own_ballots": False}, commands=[])
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


class TestBranches:
    def test_a_command_in_the_past_forks_the_run(self, opened: Callable[[Recipe], Page]) -> None:
        """Both stay: where one left the other and where it first differs are marked and linked."""
        page = opened(recipe(seed=41, commands=[propose("apple")]))
        expect(rows(page)).to_have_count(0)
        page.keyboard.press("Home")
        for _ in range(2):
            page.keyboard.press("Shift+ArrowRight")
        at = place(page)
        expect(page.locator("#panel")).to_contain_text("a command here starts a branch")
        page.keyboard.press("3")
        page.keyboard.press("k")
        expect(rows(page)).to_have_count(2)
        expect(rows(page).nth(1)).to_have_class("current")
        expect(page.locator(".branch-origin")).to_contain_text(f"after event {at};")
        expect(rows(page).nth(1).locator(".fork")).to_have_count(1)
        expect(rows(page).nth(1).locator(".differs")).to_have_count(1)
        page.get_by_role("button", name="Go to the first difference").click()
        expect(page.locator(".sentence")).to_contain_text("n3")
        # The links of a node may go down before its exit is told.
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".ring .node.down")).to_have_count(1)
        page.get_by_role("button", name="as it ran", exact=True).click()
        expect(page.locator(".ring .node.down")).to_have_count(0)

    def test_branches_are_named_compared_and_dropped(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """A branch that is dropped leaves the others."""
        page = opened(recipe(seed=42, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        select(page, "n2")
        do(page, "Pause")
        expect(rows(page)).to_have_count(2)
        page.get_by_role("button", name="Rename branch 1").click()
        page.get_by_label("Name of the branch").fill("n2 sleeps")
        page.keyboard.press("Enter")
        expect(rows(page).nth(1)).to_contain_text("n2 sleeps")
        page.get_by_role("button", name="Compare as it ran").click()
        expect(page.locator(".sheet")).to_contain_text("n2 sleeps")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Drop n2 sleeps").click()
        expect(rows(page)).to_have_count(0)
        expect(page.locator(".ring .node.paused")).to_have_count(0)

    def test_two_branches_are_compared_at_their_first_difference(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The line before is the same in both; then each side says what it alone has."""
        page = opened(recipe(seed=45, commands=[propose("apple")]))
        page.keyboard.press("Home")
        for _ in range(2):
            page.keyboard.press("Shift+ArrowRight")
        select(page, "n3")
        do(page, "Kill")
        expect(rows(page)).to_have_count(2)
        origin = re.search(
            r"first difference is event (\d+)", page.locator(".branch-origin").inner_text()
        )
        assert origin is not None
        alike = int(origin[1]) - 1
        page.get_by_role("button", name="Compare as it ran with what is shown").click()
        told = page.locator(".compare-told")
        expect(told).to_contain_text(f"The first {alike} lines are the same.")
        expect(told).to_contain_text("n1 has lost its link to n3")
        slider = page.get_by_role("slider", name="Line", exact=True)
        expect(slider).to_have_value(str(alike))
        here = page.locator(".compare-here")
        expect(page.locator(".compare-here.differs")).to_have_count(2)
        slider.press("ArrowLeft")
        expect(page.locator(".compare-here.differs")).to_have_count(0)
        settled(page)
        same = here.all_inner_texts()
        assert same[0] == same[1]
        assert "= the same here" in same[0]
        slider.press("ArrowRight")
        settled(page)
        one, other = here.all_inner_texts()
        assert ("lost its link to n3" in one) != ("lost its link to n3" in other)
        assert "≠ different here" in one
        assert "≠ different here" in other
        # Both are offered in the lists, and another choice is compared at once.
        first = page.get_by_label("First run", exact=True)
        expect(first.locator("optgroup[label=Branches] option")).to_have_count(2)
        first.select_option(label=page.locator("#compare-title-b").inner_text().split(": ")[1])
        expect(told).to_contain_text("No difference")
        page.keyboard.press("Escape")

    def test_a_story_is_forked_at_its_moment(self, browser: Browser, address: str) -> None:
        """The same run is played in the tab, and goes on from there."""
        with visiting(browser, address) as visit:
            page = visit("#story=partition")
            for _ in range(3):
                page.keyboard.press("Shift+ArrowRight")
            settled(page)
            said = page.locator(".sentence").inner_text()
            page.get_by_role("button", name="Fork into the sandbox").first.click()
            expect(page.locator(".run-bar")).to_contain_text("Seed 7")
            expect(page.locator(".sentence")).to_have_text(said, use_inner_text=True)
            page.keyboard.press("1")
            page.keyboard.press("k")
            expect(rows(page)).to_have_count(2)
            expect(page.locator(".ring .node.down")).to_have_count(1)

    def test_a_line_across_the_ring_parts_this_network_too(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """And its keyboard twin."""
        page = opened(recipe(seed=43, commands=[propose("apple")]))
        for key in ("Shift+Digit4", "Shift+Digit5", "x"):
            page.keyboard.press(key)
        expect(answer(page)).to_contain_text("part n4 n5 | n1 n2 n3")
        expect(page.locator(".ring path.wall")).to_have_count(1)
        do(page, "Heal all")
        expect(page.locator(".ring path.wall")).to_have_count(0)

    def test_every_fault_is_at_hand(self, opened: Callable[[Recipe], Page]) -> None:
        """Power loss and a crash at a point; what is impossible is refused in a sentence."""
        page = opened(recipe(seed=44, commands=[propose("apple")]))
        select(page, "n5")
        do(page, "Disk…")
        do(page, "Corrupt a byte")
        expect(answer(page)).to_have_class("refused")
        do(page, "Power loss")
        expect(answer(page)).to_contain_text("cut the power of n5")
        expect(page.locator(".ring .node.down")).to_have_count(1)
        do(page, "Start")
        expect(page.locator(".ring .node.down")).to_have_count(0)
        do(page, "Crash at…")
        do(page, "Do it")
        expect(answer(page)).to_contain_text("kill n5 before its next write")
        expect(answer(page)).to_have_class("done")


class TestWhereOneStands:
    """After a command: at the end it goes on with the run, in the past it takes another turn."""

    def test_a_run_plays_on_and_the_next_command_goes_on_with_it(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """No branch comes of commands that follow each other, by mouse or by keys."""
        page = opened(recipe(seed=91, nodes=3))
        page.get_by_label("Speed").select_option("0.25")
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        expect(page.locator(".hit")).to_contain_text("The run plays on to its end")
        expect(page.locator(".controls .primary", has_text="Pause")).to_be_visible()
        select(page, "n2")
        do(page, "Kill")
        expect(answer(page)).to_contain_text("kill n2")
        expect(answer(page)).to_have_class("done")
        # It was given at the end: n2 is still up where the run is seen to play.
        expect(page.locator(".ring .node.down")).to_have_count(0)
        expect(page.locator(".commands").get_by_role("button", name="Start")).to_be_visible()
        page.keyboard.press("k")
        expect(answer(page)).to_contain_text("start n2")
        expect(answer(page)).to_have_class("done")
        page.get_by_label("Speed").select_option("4")
        expect(page.locator(".hit")).to_have_count(0)
        page.get_by_label("Speed").select_option("1")
        page.locator("h1").click()
        page.keyboard.press("p")
        expect(page.get_by_label("Value")).to_be_focused()
        page.keyboard.press("Enter")
        expect(answer(page)).to_contain_text("ask n2")
        expect(answer(page)).to_have_class("done")
        expect(rows(page)).to_have_count(0)

    def test_who_stops_it_looks_back(self, opened: Callable[[Recipe], Page]) -> None:
        """A command that is given there is meant for there, and starts a branch."""
        page = opened(recipe(seed=92, nodes=3))
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
        expect(answer(page)).to_have_class("done")
        expect(rows(page)).to_have_count(2)

    def test_at_one_place_of_the_past_commands_make_one_turn(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """Whoever has gone on from there and commands again takes another one."""
        page = opened(recipe(seed=93, commands=[propose("apple")]))
        page.keyboard.press("Home")
        for _ in range(2):
            page.keyboard.press("Shift+ArrowRight")
        select(page, "n2")
        do(page, "Kill")
        expect(page.locator(".hit")).to_contain_text("belongs to the same branch")
        expect(rows(page)).to_have_count(2)
        page.keyboard.press("3")
        page.keyboard.press("k")
        expect(answer(page)).to_contain_text("kill n3")
        expect(answer(page)).to_have_class("done")
        # What is said of its end is said of an end that lies ahead.
        expect(answer(page)).to_contain_text(re.compile(r"as far as event \d+\. Nothing is left"))
        expect(page.locator(".ring .node.down")).to_have_count(2)
        expect(rows(page)).to_have_count(2)
        expect(rows(page).nth(1).locator(".fork")).to_have_count(1)
        here = place(page)
        page.keyboard.press("ArrowRight")
        expect(page.locator(".hit")).to_contain_text("a command here starts a branch")
        page.keyboard.press("ArrowLeft")
        assert place(page) <= here
        page.keyboard.press("k")
        expect(answer(page)).to_contain_text("start n3")
        expect(rows(page)).to_have_count(3)

    def test_two_orders_at_once_in_the_past_are_one_turn(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The second was meant for the same moment as the first."""
        page = opened(recipe(seed=94, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        with slow_engine(page) as let_go:
            for key in ("2", "k", "3", "k"):
                page.keyboard.press(key)
            let_go()
            expect(page.locator(".ring .node.down")).to_have_count(2)
        expect(rows(page)).to_have_count(2)

    def test_a_command_goes_to_the_lines_that_were_on_the_screen(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The branch was made anew meanwhile, by a command that one had not seen come."""
        page = opened(recipe(seed=96, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        for key in ("2", "k"):
            page.keyboard.press(key)
        expect(answer(page)).to_have_class("done")
        expect(rows(page)).to_have_count(2)
        with slow_engine(page) as let_go:
            for key in ("3", "k", "Shift+ArrowRight", "4", "k"):
                page.keyboard.press(key)
            let_go()
            expect(rows(page)).to_have_count(3)
        expect(answer(page)).to_contain_text("kill n4")
        expect(answer(page)).to_have_class("done")
        # n3 was killed in the branch that this one does not come from.
        expect(page.locator(".ring .node.down")).to_have_count(2)

    def test_where_motion_is_unwelcome_one_is_at_the_end_at_once(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """Nothing plays by itself then."""
        page = opened(recipe(seed=95, nodes=3))
        page.emulate_media(reduced_motion="reduce")
        select(page, "n1")
        wish(page)
        do(page, "Do it")
        expect(answer(page)).to_have_class("done")
        settled(page)
        expect(page.locator(".hit")).to_have_count(0)
        expect(page.locator(".choice")).to_contain_text("accepted by")
        page.emulate_media(reduced_motion="no-preference")

    def test_a_run_that_ends_with_a_dead_node_opens_where_it_rests(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """Its closing line only reads a disk, and tells of nothing that happened."""
        kill = {"after": 9_999, "do": {"kill": "n2"}}
        made = recipe(seed=96, nodes=3, commands=[propose("apple"), kill])
        expected = run_in_python(made)
        page = opened(made)
        assert place(page) == expected["line_count"] - expected["closing"]
        assert expected["closing"] > 0


class TestMessages:
    @pytest.mark.parametrize(
        ("name", "seed"),
        [("Drop it", 51), ("Delay it by 50 ms", 52), ("Double it", 53), ("Deliver it now", 54)],
    )
    def test_one_message_in_flight_takes_another_fate(
        self, opened: Callable[[Recipe], Page], name: str, seed: int
    ) -> None:
        """Opened at its line with m, as a click on it does."""
        page = opened(recipe(seed=seed, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.locator(".event-rows .what", has_text=re.compile("^n1 asks")).first.click()
        page.keyboard.press("m")
        expect(page.locator(".message")).to_be_visible()
        page.locator(".message-acts").get_by_role("button", name=name).click()
        expect(rows(page)).to_have_count(2)
        expect(page.locator(".branch-origin")).to_contain_text("first difference")

    def test_by_hand_nothing_moves_until_it_is_let(self, opened: Callable[[Recipe], Page]) -> None:
        """What waits is listed; a click delivers it, and looking back forks."""
        page = opened(recipe(seed=55, nodes=3, manual=True, commands=[propose("apple")]))
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        expect(waiting.first).to_contain_text("Prepare n1 → n1")
        before = place(page)
        waiting.filter(has_text="Prepare n1 → n2").get_by_role("button", name="Deliver").click()
        expect(answer(page)).to_contain_text("deliver the prepare from n1 to n2")
        expect(answer(page)).to_have_class("done")
        # The list stays where it was, for the next one.
        expect(waiting.filter(has_text="Promise n2 → n1")).to_have_count(1)
        assert place(page) > before
        waiting.filter(has_text="timer").first.get_by_role("button", name="Let it run out").click()
        # What answered the command before speaks of timers that run out, too.
        expect(answer(page)).to_contain_text("let n1's timer")
        expect(answer(page)).to_have_class("done")
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
        page.get_by_role("button", name="Take another turn from here").click()
        expect(rows(page)).to_have_count(2)
        # Faults of the network have nothing to act on here.
        expect(page.get_by_role("button", name="Partition…")).to_have_count(0)

    def test_what_cannot_be_delivered_says_why(self, opened: Callable[[Recipe], Page]) -> None:
        """A node that is down hears nothing: its row is marked, and a click gives no command."""
        kill = {"after": 9_999, "do": {"kill": "n2"}}
        page = opened(recipe(seed=70, nodes=3, manual=True, commands=[propose("apple"), kill]))
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

    def test_what_a_gate_holds_tells_what_it_carries(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The rest of the run moves by itself, so nothing else is said of it."""
        hold = {"hold": {"name": "wait", "kinds": ["accept"], "to": ["n2"]}}
        commands = [{"after": 0, "do": hold}, propose("apple", after=4)]
        page = opened(recipe(seed=71, nodes=3, commands=commands))
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        expect(waiting).to_have_count(1)
        expect(waiting).to_contain_text("Accept n1 → n2, 1.n1, 'apple'")
        expect(page.locator(".held")).to_contain_text("A gate holds these")
        expect(page.locator(".held")).not_to_contain_text("Nothing moves")
        waiting.get_by_role("button", name="Deliver").click()
        expect(answer(page)).to_have_class("done")

    def test_of_what_looks_alike_to_a_gate_the_older_one_goes_first(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The younger ones say so and give no command; when the first has gone the next is the oldest."""
        hold = {"hold": {"name": "wait", "kinds": ["prepare"], "to": ["n2"]}}
        commands = [{"after": 0, "do": hold}, {"after": 0, "do": {"kill": "n3"}}]
        page = opened(recipe(seed=73, nodes=3, commands=[*commands, propose("apple", after=12)]))
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
        expect(answer(page)).to_have_class("done")
        page.keyboard.press("End")
        expect(waiting).not_to_have_count(count)

    def test_the_end_is_where_the_run_rests(self, opened: Callable[[Recipe], Page]) -> None:
        """The lines that only read disks come after it: a second key goes there."""
        kill = {"after": 9_999, "do": {"kill": "n2"}}
        made = recipe(seed=72, nodes=3, commands=[propose("apple"), kill])
        expected = run_in_python(made)
        rest = expected["line_count"] - expected["closing"]
        assert expected["closing"] == 2
        page = opened(made)
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

    def test_what_moves_by_itself_can_be_taken_over_by_hand(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """From a moment on nothing moves until it is let; before it all stays as it was."""
        page = opened(recipe(seed=64, nodes=3, commands=[propose("apple")]))
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        do(page, "By hand")
        expect(answer(page)).to_have_class("done")
        expect(rows(page)).to_have_count(2)
        page.keyboard.press("End")
        expect(page.locator(".held li").first).to_contain_text("Prepare n1")
        expect(page.get_by_role("button", name="By hand")).to_have_count(0)

    def test_whoever_looks_back_meanwhile_stays_there(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The run goes on at its end; that is no reason to take somebody there."""
        page = opened(recipe(seed=57, nodes=3, manual=True, commands=[propose("apple")]))
        page.keyboard.press("End")
        before = place(page)
        with slow_engine(page) as let_go:
            page.locator(".held li").first.get_by_role("button", name="Deliver").click()
            for _ in range(3):
                page.keyboard.press("ArrowLeft")
            looked_at = place(page)
            let_go()
            expect(answer(page)).to_have_class("done")
        assert place(page) == looked_at < before
        expect(page.get_by_role("button", name="Take another turn from here")).to_be_visible()
        page.keyboard.press("End")
        assert place(page) > before

    def test_two_orders_at_once_are_both_carried_out(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The second builds on what the first has made."""
        page = opened(recipe(seed=58, nodes=3, manual=True, commands=[propose("apple")]))
        page.keyboard.press("End")
        waiting = page.locator(".held li")
        with slow_engine(page) as let_go:
            for node in ("n2", "n3"):
                one = waiting.filter(has_text=f"Prepare n1 → {node}")
                one.get_by_role("button", name="Deliver").click()
            let_go()
            expect(waiting.filter(has_text="Promise n2 → n1")).to_have_count(1)
            expect(waiting.filter(has_text="Promise n3 → n1")).to_have_count(1)

    def test_whoever_has_gone_elsewhere_stays_there(self, opened: Callable[[Recipe], Page]) -> None:
        """And finds what was commanded on coming back."""
        page = opened(recipe(seed=59, commands=[propose("apple")]))
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
        expect(rows(page)).to_have_count(2)
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Sandbox")
        expect(page.locator(".ring .node.down")).to_have_count(1)

    def test_a_double_click_is_one_order(self, opened: Callable[[Recipe], Page]) -> None:
        """The form closes under it, and what moves there is not meant."""
        page = opened(recipe(seed=56))
        page.keyboard.press("End")
        select(page, "n2")
        wish(page)
        page.locator(".form").get_by_label("Value").fill("fig")
        page.locator(".commands").get_by_role("button", name="Do it", exact=True).dblclick()
        expect(answer(page)).to_contain_text("fig")
        expect(answer(page)).to_have_class("done")
        page.keyboard.press("End")
        expect(page.locator(".ring .node", has_text="✕")).to_have_count(0)


class TestQuestions:
    def test_why_is_answered_with_its_evidence(self, opened: Callable[[Recipe], Page]) -> None:
        """The rules' own evidence, each a way to its moment."""
        page = opened(recipe(seed=61, commands=[propose("apple")]))
        page.get_by_label("Find", exact=True).last.fill("to accept 'apple'")
        page.locator(".event-rows li button").first.click()
        page.get_by_label("Find", exact=True).last.fill("")
        expect(page.locator(".whys")).to_contain_text("may push any client's value")
        evidence = page.locator(".whys .evidence-link").first
        name = evidence.inner_text()
        evidence.click()
        expect(page).to_have_url(re.compile(f"at={name}"))

    def test_explore_from_here_says_what_can_still_come(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """Of a sound protocol: nothing bad, within bounds; and which values."""
        page = opened(recipe(seed=62, nodes=3, commands=[propose("apple")]))
        page.keyboard.press("End")
        page.get_by_label("Further ballots").select_option("1")
        page.get_by_role("button", name="Explore from event").click()
        expect(page.locator(".explore .answer")).to_contain_text("It cannot go wrong")
        expect(page.locator(".explore .answer")).to_contain_text("Chosen already")
        expect(page.locator(".explore .answer")).to_contain_text("apple")

    def test_a_broken_protocol_can_go_wrong_and_the_way_is_a_branch(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """Taken step by step, it ends in the violation."""
        page = opened(
            recipe(
                seed=63,
                nodes=3,
                manual=True,
                variant="accept-below-promise",
                commands=[propose("apple")],
            )
        )
        page.keyboard.press("End")
        page.get_by_role("button", name="Explore from event").click()
        expect(page.locator(".explore .answer")).to_contain_text("It can go wrong")
        page.get_by_role("button", name="Take the shortest way").click()
        expect(rows(page)).to_have_count(2)
        page.keyboard.press("End")
        expect(page.locator("#tab-verdict")).to_contain_text("✗")

    def test_in_a_run_that_moves_by_itself_the_way_is_a_branch_too(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """The run stays as it is up to there, and goes on by hand."""
        made = recipe(seed=64, nodes=3, variant="small-quorum", commands=[propose("apple")])
        page = opened(made)
        page.keyboard.press("Home")
        for _ in range(16):
            page.keyboard.press("ArrowRight")
        page.get_by_role("button", name="Explore from event").click()
        expect(page.locator(".explore .answer")).to_contain_text("It can go wrong")
        page.get_by_role("button", name="Take the shortest way").click()
        expect(rows(page)).to_have_count(2)
        page.keyboard.press("End")
        expect(page.locator("#tab-verdict")).to_contain_text("✗")
        page.get_by_role("tab", name="Do").click()
        # By hand it goes on from there, message by message, and is no further branch.
        page.locator(".held li").first.get_by_role("button").click()
        expect(answer(page)).to_have_class("done")
        expect(rows(page)).to_have_count(2)

    def test_before_anybody_has_asked_any_client_s_value_can_be_chosen(
        self, opened: Callable[[Recipe], Page]
    ) -> None:
        """There is no client yet that another one could be another one than."""
        page = opened(recipe(seed=65, nodes=3))
        page.get_by_label("Further ballots").select_option("1")
        page.get_by_role("button", name="Explore from event").click()
        told = page.locator(".explore .answer")
        expect(told.locator("dd").first).to_have_text("any client's")
        expect(told).to_contain_text("any client's value can still be, and never two")

    @pytest.mark.parametrize("width", [1360, 390])
    def test_why_there_is_no_branch_may_be_long_and_is_only_text(
        self, opened: Callable[[Recipe], Page], width: int
    ) -> None:
        """It may quote a value of a log, which is as long and as strange as its client wanted."""
        page = opened(recipe(seed=66 + width % 2, nodes=3))
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

    def test_a_dropped_log_is_judged_in_the_tab(self, shared: Page) -> None:
        """It came without a verdict; the engine is there already."""
        lines = scripted("R4-ignores-reported-values")
        drop(shared, {"mine.jsonl": text_of(lines)})
        expect(shared.locator(".run-bar .verdict-violated")).to_be_visible()
        shared.get_by_role("tab", name="Verdict").click()
        shared.keyboard.press("End")
        expect(shared.locator(".violations")).to_contain_text("R4")
        shared.locator(".modes").get_by_role("button", name="Sandbox").click()

    def test_logs_of_single_nodes_are_judged_together(self, shared: Page) -> None:
        """What breaks the rule stands in two of them; each alone has nothing against it."""
        lines = scripted("R4-ignores-reported-values")
        files = {
            f"{node}.jsonl": text_of(line for line in lines if line["node"] == node)
            for node in {line["node"] for line in lines}
        }
        drop(shared, files)
        expect(shared.locator(".happening")).to_contain_text(f"of {len(lines)}")
        expect(shared.locator(".run-bar .verdict-violated")).to_be_visible()
        shared.locator(".modes").get_by_role("button", name="Sandbox").click()


class TestLinks:
    def test_a_link_is_the_run(
        self, opened: Callable[[Recipe], Page], browser: Browser, address: str
    ) -> None:
        """Whoever opens it sees the same moment."""
        page = opened(
            recipe(seed=71, commands=[propose("apple"), {"after": 40, "do": {"kill": "n2"}}])
        )
        page.keyboard.press("End")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        settled(page)
        said = page.locator(".sentence").inner_text()
        expect(page).to_have_url(re.compile("at="))
        link = page.evaluate("location.hash")
        with visiting(browser, address) as visit:
            other = visit(link)
            expect(other.locator(".sentence")).to_have_text(said, use_inner_text=True)

    def test_meanwhile_it_says_what_is_being_made(self, browser: Browser, address: str) -> None:
        """Python takes some seconds to come, and an empty form would be no answer to a link."""
        with visiting(browser, address) as visit:
            made = recipe(seed=72, nodes=3, commands=[propose("apple")])
            page = visit(
                f"#sandbox={packed(made)}",
                prepare=lambda page: page.add_init_script(
                    "Worker.prototype.postMessage = () => {};"
                ),
            )
            expect(page.locator(".opening")).to_contain_text("Seed 72, 3 nodes, 1 command")
            expect(page.get_by_role("progressbar")).to_be_visible()
            expect(page.get_by_role("button", name="Run it")).to_have_count(0)
            expect(page.locator(".opening")).to_contain_text("Computing the run")

    @pytest.mark.parametrize("text", ["x", "AAAA", base64.urlsafe_b64encode(b"{}").decode()])
    def test_a_damaged_link_gets_a_sentence(
        self, browser: Browser, address: str, text: str
    ) -> None:
        """And nothing of it is run."""
        with visiting(browser, address) as visit:
            page = visit(f"#sandbox={text}")
            expect(page.get_by_role("alert")).to_contain_text("This link to a sandbox is damaged")

    def test_a_run_too_long_for_a_link_says_so(self, shared: Page) -> None:
        """What was commanded can be kept as a scenario then."""
        said = shared.evaluate(
            """async () => {
                const { packRecipe } = await import("./sandbox/recipe.js");
                const noise = () => Array.from(crypto.getRandomValues(new Uint8Array(60)), String).join("");
                const commands = Array.from({ length: 200 }, (_, at) => ({ after: at, do: { propose: { at: "n1", value: noise() } } }));
                const recipe = { v: 1, seed: 1, nodes: 5, variant: null, manual: false, scenario: null, settings: {}, commands };
                return packRecipe(recipe).then(() => "", (error) => error.message);
            }"""
        )
        assert "A link cannot hold 200 commands" in said


class TestAccess:
    @pytest.mark.parametrize("width", [1360, 390])
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(
        self, opened: Callable[[Recipe], Page], theme: str, width: int
    ) -> None:
        """With two branches, a form and an open message."""
        seed = 80 + width % 7 + (theme == "dark")
        page = opened(recipe(seed=seed, commands=[propose("apple")]))
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("2")
        page.keyboard.press("k")
        expect(rows(page)).to_have_count(2)
        page.locator(".event-rows .what", has_text=re.compile("^n1 asks")).first.click()
        page.keyboard.press("m")
        do(page, "Messages…")
        settled(page)
        results = Axe().run(page)
        scroll = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size({"width": 1360, "height": 1000})
        assert results.violations_count == 0, results.generate_report()
        assert scroll <= width
