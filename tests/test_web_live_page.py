"""Live mode in a real browser: a run that goes on, watched and commanded.

Most of it on local processes, which a page of ``paxos-lab web`` starts and
ends; the exact resume on simulated lines, of which every one is counted; and
the one thing that matters most on real containers: *kill* kills, and the page
says so.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, expect
from playwright.sync_api import Page as Tab

from paxos.protocol.config import Settings
from tests.docker_lab import Lab, lab_that_is_up
from tests.feed_load import serving_feed
from tests.web_page import Visit, in_both_themes, line_begun, settled, visiting
from tests.web_sandbox import answer, do, done, refused, select
from tests.web_server import Page, lab_web

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """``paxos-lab web`` beside local processes."""
    home = tmp_path_factory.mktemp("home")
    with lab_web(home, "--world", "local") as (found, _):
        yield found


@pytest.fixture(scope="module")
def going(site: Page) -> Page:
    """The same, with a live run that goes on."""
    status, told = site.post("live/begin", {})
    assert status == 200, told
    return site


@pytest.fixture
def visit(browser: Browser, site: Page) -> Iterator[Visit]:
    """Open the page at a hash; its console must stay empty."""
    with visiting(browser, site.url) as open_page:
        yield open_page


@pytest.fixture
def tab(visit: Visit, going: Page) -> Iterator[Tab]:
    """The live run, watched by somebody who may command; nothing stays hurt."""
    yield watched(visit, going)
    going.post("live/commands", {"heal": "all"})
    live = going.live()
    for verb, nodes in (("resume", live["paused"]), ("start", live["down"])):
        if nodes:
            going.command(**{verb: nodes})


@pytest.fixture
def settings_set_back(going: Page) -> Iterator[None]:
    """What a test changes of them at every node is as it was for the next one."""
    yield
    usual = Settings()
    going.command(configure={"patience_ms": usual.patience_ms, "backoff": usual.backoff})


def watched(visit: Visit, site: Page, **settings: object) -> Tab:
    """The live view, once its first lines have come."""
    page = visit(f"#live&token={site.token}", **settings)
    expect(page.locator(".run-bar .now")).to_be_visible()
    expect(page.locator(".sentence")).not_to_be_empty()
    return page


def node(page: Tab, name: str) -> Locator:
    """A node of the ring."""
    return page.locator(".ring .node", has_text=name)


def events(page: Tab) -> int:
    """How many events are shown."""
    settled(page)
    text = page.locator(".run-bar").inner_text()
    found = re.search(r"([\d,]+) events?", text)
    assert found is not None, text
    return int(found[1].replace(",", ""))


class TestCommands:
    def test_a_proposal_is_chosen_before_the_eyes(self, tab: Tab) -> None:
        """The answer says that the node was asked; the table then fills by itself."""
        select(tab, "n2")
        do(tab, "Propose…")
        tab.get_by_label("Instance").last.select_option("new")
        tab.get_by_label("Value").fill("a pear")
        do(tab, "Do it")
        done(tab, "asked n2 for 'a pear'")
        expect(tab.locator(".acceptors tbody")).to_contain_text("a pear")
        expect(tab.locator(".choice")).to_contain_text("accepted by")

    def test_kill_and_start_end_and_begin_a_process(self, tab: Tab, going: Page) -> None:
        """The ring shows it once it has been confirmed; memory is lost, and the disk stays."""
        select(tab, "n3")
        do(tab, "Kill")
        expect(answer(tab)).to_contain_text("exit code 137")
        assert going.live()["down"] == ["n3"]
        expect(node(tab, "n3")).to_have_class(re.compile(r"\bdown\b"))
        expect(tab.locator(".acceptors tr.down")).to_contain_text("lost")
        expect(tab.locator(".commands").get_by_role("button", name="Kill")).to_have_count(0)
        do(tab, "Start")
        done(tab, "start n3")
        expect(node(tab, "n3")).not_to_have_class(re.compile(r"\bdown\b"))

    def test_the_keyboard_kills_proposes_and_parts(self, tab: Tab, going: Page) -> None:
        """Keys for the same: k, p, and x for the nodes that were marked."""
        tab.keyboard.press("4")
        tab.keyboard.press("k")
        done(tab, "kill n4")
        expect(node(tab, "n4")).to_have_class(re.compile(r"\bdown\b"))
        tab.keyboard.press("k")
        done(tab, "start n4")
        tab.keyboard.press("p")
        expect(tab.get_by_label("Value")).to_be_focused()
        tab.keyboard.press("Enter")
        done(tab, "ask n4 to have 'pear' chosen")
        tab.locator("h1").click()
        for key in ("Shift+Digit1", "Shift+Digit2"):
            tab.keyboard.press(key)
        expect(tab.locator(".split-hint")).to_contain_text("Press x to part n1 n2 from n3 n4 n5")
        tab.keyboard.press("x")
        done(tab, "part n1 n2 | n3 n4 n5")
        expect(tab.locator(".ring path.wall")).to_have_count(1)
        assert [fault["verb"] for fault in going.live()["faults"]] == ["partition"]
        do(tab, "Heal all")
        expect(tab.locator(".ring path.wall")).to_have_count(0)

    def test_a_line_across_the_ring_parts_the_network(self, tab: Tab, going: Page) -> None:
        """While it is drawn the two sides are shown; a line too short parts nothing."""
        end = line_begun(tab)
        expect(tab.locator(".split-hint")).to_contain_text("must have nodes on both its sides")
        tab.mouse.move(*end, steps=6)
        expect(tab.locator(".split-hint")).to_contain_text(
            re.compile(r"Let go to part n\d n\d from")
        )
        # Which nodes the line parts from which is what the hint has said.
        one, other = re.findall(
            r"((?:n\d ?)+)(?: from|\.)", tab.locator(".split-hint").inner_text()
        )
        expect(tab.locator(".ring .halo")).to_have_count(2)
        tab.mouse.up()
        done(tab, f"part {one.strip()} | {other.strip()}")
        expect(tab.locator(".ring path.wall")).to_have_count(1)
        expect(tab.locator(".ring .split-line")).to_have_count(0)
        assert going.live()["faults"][0]["verb"] == "partition"

    def test_pause_is_no_crash_and_resume_ends_it(self, tab: Tab) -> None:
        """A paused node keeps its memory."""
        select(tab, "n5")
        do(tab, "Pause")
        expect(node(tab, "n5")).to_have_class(re.compile(r"\bpaused\b"))
        expect(tab.locator(".acceptors tr.paused")).not_to_contain_text("lost")
        do(tab, "Resume")
        done(tab, "resume n5")
        expect(node(tab, "n5")).not_to_have_class(re.compile(r"\bpaused\b"))

    def test_rules_for_messages_are_made_and_released(self, tab: Tab, going: Page) -> None:
        """Each has a name, and is in the list of what is in force."""
        do(tab, "Messages…")
        tab.locator(".form").get_by_label("What").select_option("hold")
        tab.locator(".form").get_by_label("Kind").select_option("learn")
        do(tab, "Do it")
        done(tab, "hold learn")
        do(tab, "Messages…")
        tab.locator(".form").get_by_label("What").select_option("drop")
        tab.locator(".form").get_by_label("Percent").fill("30")
        tab.locator(".form").get_by_label("To", exact=True).select_option("n1")
        do(tab, "Do it")
        done(tab, "drop 30 % of learn to n1")
        assert {fault["name"] for fault in going.live()["faults"]} == {"hold-1", "drop-1"}
        do(tab, "Release…")
        do(tab, "Release hold-1")
        done(tab, "release hold-1")
        do(tab, "Release…")
        do(tab, "Heal drop-1")
        done(tab, "heal drop-1")
        assert going.live()["faults"] == []

    @pytest.mark.usefixtures("settings_set_back")
    def test_settings_are_changed_at_every_node(self, tab: Tab, going: Page) -> None:
        """Those that were filled in; each node's own log says that it has taken them."""
        do(tab, "Settings…")
        expect(tab.locator(".form").get_by_role("button", name="Do it")).to_be_disabled()
        tab.get_by_label("Patience").fill("1500")
        tab.get_by_label("Back off").select_option("no")
        do(tab, "Do it")
        done(tab, "set patience to 1500 ms and back off to no")
        tab.get_by_label("Show", exact=True).select_option("quiet")
        for name in going.live()["members"]:
            row = tab.locator(".event-rows li", has_text=re.compile(f"^{name}.*takes new settings"))
            expect(
                row.or_(tab.locator(".event-rows li", has_text=f"{name} takes new settings")).first
            ).to_be_visible()
        do(tab, "Settings…")
        expect(tab.get_by_label("Patience")).to_have_value("")

    def test_a_refused_command_is_a_sentence(self, tab: Tab) -> None:
        """A disk can be damaged while its node is down only."""
        select(tab, "n1")
        do(tab, "Disk…")
        do(tab, "Corrupt a byte")
        refused(tab, "Cannot hurt the disk of n1: it runs.")
        expect(tab.get_by_role("alert")).to_have_count(0)

    @pytest.mark.parametrize("step", ["deliver", "fire"])
    def test_what_only_a_hand_can_do_is_refused_in_a_sentence(self, tab: Tab, step: str) -> None:
        """There is no button for it here; what the server says to it stands where answers stand."""
        tab.route(
            "**/live/commands",
            lambda route: route.continue_(
                post_data=json.dumps(
                    {"deliver": {"kind": "accept", "from": "n1", "to": "n2"}}
                    if step == "deliver"
                    else {"fire": {"node": "n1", "timer": "attempt"}}
                )
            ),
        )
        select(tab, "n1")
        do(tab, "Pause")
        refused(tab, "hold")
        expect(answer(tab)).to_contain_text(re.compile(r"\.\s*$"))
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


class TestTime:
    def test_looking_back_detaches_and_going_live_comes_back(self, tab: Tab, going: Page) -> None:
        """The run goes on meanwhile; the button and the key g lead back to now."""
        for key in ("Home", "Shift+ArrowRight"):
            tab.keyboard.press(key)
        expect(tab.locator(".run-bar")).to_contain_text("looking back at")
        settled(tab)
        moment = tab.locator(".happening h2").inner_text().split("of")[0]
        before = events(tab)
        going.command(propose={"at": "n1", "value": "kiwi", "instance": "new"})
        expect(tab.locator(".run-bar")).not_to_contain_text(f"{before:,} events")
        assert tab.locator(".happening h2").inner_text().split("of")[0] == moment
        tab.get_by_role("button", name="Go live").click()
        expect(tab.locator(".run-bar .now")).to_be_visible()
        expect(tab.locator(".acceptors tbody")).to_contain_text("kiwi")
        tab.keyboard.press("ArrowLeft")
        expect(tab.get_by_role("button", name="Go live")).to_be_visible()
        tab.keyboard.press("g")
        expect(tab.locator(".run-bar .now")).to_be_visible()

    def test_other_modes_keep_the_live_run(self, tab: Tab) -> None:
        """Coming back finds it as it is by then."""
        before = events(tab)
        tab.locator(".modes").get_by_role("button", name="Replay").click()
        expect(tab.locator(".run-bar .run-title")).to_contain_text("Six steps")
        tab.locator(".modes").get_by_role("button", name="Live").click()
        expect(tab.locator(".run-bar .now")).to_be_visible()
        assert events(tab) >= before

    def test_the_verdict_goes_along(self, tab: Tab, going: Page) -> None:
        """The checker judges what there is so far."""
        going.command(propose={"at": "n3", "value": "plum", "instance": "new"})
        tab.get_by_role("tab", name="Verdict").click()
        expect(tab.locator(".verdict > h3").first).to_contain_text("safe so far")
        expect(tab.locator(".rules .rule-ok")).to_have_count(8)
        expect(tab.locator(".verdict")).to_contain_text("The checker has judged every event")


class TestToken:
    def test_the_token_leaves_the_address_at_once(self, tab: Tab, going: Page) -> None:
        """A copied link or a picture of the screen must not give it away."""
        assert going.token not in tab.evaluate("location.href")
        tab.reload()
        expect(tab.locator(".run-bar .now")).to_be_visible()
        select(tab, "n1")
        expect(tab.locator(".commands").get_by_role("button", name="Kill")).to_be_visible()

    def test_without_it_one_may_watch(self, visit: Visit, going: Page) -> None:
        """And is told what to do."""
        page = visit("#live")
        expect(page.locator(".run-bar .now")).to_be_visible()
        expect(page.locator("main")).to_contain_text("It ends in #token=")
        expect(page.locator(".commands")).to_have_count(0)
        expect(page.get_by_role("button", name="End the run")).to_have_count(0)
        assert going.live()["run"]


class TestAccess:
    @pytest.mark.parametrize("width", [1360, 390])
    def test_axe_finds_nothing(self, visit: Visit, going: Page, width: int) -> None:
        """With a node chosen and a form open."""
        page = watched(
            visit,
            going,
            reduced_motion="reduce",
            viewport={"width": width, "height": 900},
        )
        select(page, "n2")
        do(page, "Messages…")
        # Lines that come while it looks would change what it looks at.
        page.keyboard.press("Home")
        for _ in in_both_themes(page):
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_run_is_begun_and_ended_from_the_page(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is an ordinary run then, with a verdict."""
    home = tmp_path_factory.mktemp("home")
    with (
        lab_web(home, "--world", "local", "--nodes", "3") as (site, _),
        visiting(browser, site.url) as visit,
    ):
        page = visit(f"#token={site.token}")
        page.locator(".modes").get_by_role("button", name="Live").click()
        expect(page.locator(".start")).to_contain_text("A live run starts 3 local processes")
        page.get_by_role("button", name="Begin a live run").click()
        expect(page.locator(".run-bar .now")).to_be_visible()
        expect(page.locator(".run-bar .run-title")).to_have_text("A live run of 3 processes")
        select(page, "n1")
        do(page, "Propose…")
        do(page, "Do it")
        expect(page.locator(".choice")).to_contain_text("accepted by")
        page.get_by_role("button", name="End the run").click()
        expect(page.locator(".ended")).to_contain_text("The run has ended and is kept as")
        page.get_by_role("button", name="Open it as a replay").click()
        # Its first line asks for a guess, and the verdict would be the answer.
        expect(page.locator(".predict")).to_be_visible()
        page.locator("h1").click()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".run-bar .verdict-ok")).to_be_visible()
        assert page.evaluate("location.hash").startswith("#run=")
        page.get_by_role("tab", name="Do").click()
        expect(page.locator("#panel")).to_contain_text("This run is recorded")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulated lines are kept."""
    return tmp_path_factory.mktemp("lines")


STREAM_AT_HAND = """
    window.EventSource = class extends EventSource {
        constructor(...settings) {
            super(...settings);
            window.stream = this;
        }
    };
"""


@pytest.mark.parametrize("how", ["hidden", "offline"])
def test_no_line_is_lost_or_doubled_over_a_cut(browser: Browser, lines: Path, how: str) -> None:
    """A hidden page closes its stream; it and one whose network went go on exactly where they were."""
    count = 3_000
    with (
        serving_feed(lines, 0, count) as (site, feed),
        visiting(browser, site.url, complains=how == "hidden") as visit,
    ):
        feed.bring(400)
        page = visit("#live", prepare=lambda page: page.add_init_script(STREAM_AT_HAND))
        expect(page.locator(".run-bar")).to_contain_text("400 events")
        if how == "hidden":
            veil(page, hidden=True)
        else:
            page.context.set_offline(True)
            # A browser that is set offline keeps the streams that are open.
            page.evaluate(
                """() => {
                    window.stream.close();
                    window.stream.dispatchEvent(new Event("error"));
                }"""
            )
            expect(page.locator(".run-bar .now")).to_have_count(0)
        feed.bring(1_000)
        assert events(page) == 400
        if how == "hidden":
            veil(page, hidden=False)
        else:
            page.context.set_offline(False)
        expect(page.locator(".run-bar")).to_contain_text("1,400 events")
        feed.bring(count)
        expect(page.locator(".run-bar")).to_contain_text(f"{count:,} events")


def test_a_page_that_is_cut_off_says_so_beside_its_buttons(browser: Browser, going: Page) -> None:
    """A command that is given all the same says that nobody answered; then it goes on by itself."""
    # The browser writes each try that failed to its console.
    with visiting(browser, going.url, complains=False) as visit:
        page = watched(visit, going, prepare=lambda page: page.add_init_script(STREAM_AT_HAND))
        expect(page.locator("#panel .hit")).to_contain_text("These act on real processes")
        page.context.set_offline(True)
        page.evaluate(
            """() => {
                window.stream.close();
                window.stream.dispatchEvent(new Event("error"));
            }"""
        )
        expect(page.locator(".run-bar")).to_contain_text("connection lost, trying again")
        expect(page.locator("#panel .hit")).to_contain_text("no command arrives")
        select(page, "n2")
        do(page, "Pause")
        refused(page, "The page's server does not answer")
        page.context.set_offline(False)
        expect(page.locator(".run-bar .now")).to_be_visible()
        expect(page.locator("#panel .hit")).to_contain_text("These act on real processes")
        assert going.live()["paused"] == []


def test_another_run_that_began_meanwhile_is_shown_from_its_start(
    browser: Browser, going: Page
) -> None:
    """The lines that a hidden page has had are another run's, and its cursor means nothing here."""
    # A browser writes the refusal of that cursor to its console.
    with visiting(browser, going.url, complains=False) as visit:
        page = watched(visit, going)
        going.command(propose={"at": "n1", "value": "of the first", "instance": "new"})
        expect(page.locator(".choice")).to_contain_text("of the first")
        first = going.live()["run"]
        veil(page, hidden=True)
        assert going.post("live/end", {})[0] == 200
        assert going.post("live/begin", {})[0] == 200
        veil(page, hidden=False)
        expect(page.locator(".choice")).not_to_contain_text("of the first")
        expect(page.locator(".run-bar .now")).to_be_visible()
        assert going.live()["run"] != first
        going.command(propose={"at": "n2", "value": "of the second", "instance": "new"})
        expect(page.locator(".choice")).to_contain_text("of the second")


def veil(page: Tab, *, hidden: bool) -> None:
    """Hide the page as a browser does when another tab comes to the front, or show it."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


NODE_COUNT = 3


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three nodes in containers."""
    with lab_that_is_up(NODE_COUNT, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.mark.docker
def test_kill_kills_a_container_and_the_page_says_so(browser: Browser, lab: Lab) -> None:
    """A person is told what will be hit, says yes, and the container is dead."""
    with (
        lab_web(lab.home, "--nodes", str(NODE_COUNT)) as (site, _),
        visiting(browser, site.url) as visit,
    ):
        page = visit(f"#token={site.token}")
        page.locator(".modes").get_by_role("button", name="Live").click()
        page.get_by_role("button", name="Begin a live run").click()
        expect(page.locator(".run-bar .run-title")).to_have_text("A live run of 3 containers")
        expect(page.locator("#panel")).to_contain_text("real containers")
        select(page, "n1")
        do(page, "Kill")
        expect(page.get_by_role("alertdialog")).to_contain_text("the container of n1")
        assert lab.inspect(1)["State"]["Running"]
        do(page, "Leave it")
        expect(page.get_by_role("alertdialog")).to_have_count(0)
        page.keyboard.press("k")
        expect(page.locator("#confirm")).to_be_focused()
        page.keyboard.press("Enter")
        expect(answer(page)).to_contain_text("exit code 137")
        state = lab.inspect(1)["State"]
        assert (state["Running"], state["ExitCode"]) == (False, 137)
        expect(node(page, "n1")).to_have_class(re.compile(r"\bdown\b"))
        expect(page.locator(".acceptors tr.down th")).to_contain_text("n1")
        do(page, "Start")
        done(page, "start n1")
        assert lab.inspect(1)["State"]["Running"]
        page.get_by_role("button", name="End the run").click()
        expect(page.locator(".ended")).to_be_visible()
