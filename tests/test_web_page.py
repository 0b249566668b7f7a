"""The replay page in a real browser: what a person sees and does.

Every test also fails on anything that the page writes to the browser's
console as an error or a warning, so a script that throws, a file that is
missing and a breach of the content security policy are never overlooked.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from orchestrator.stories import story_files
from paxos.events import Line, bundled, level_of, line_id, narrate
from paxos.events.fold import empty, fold
from paxos.simulator import World
from tests.web_page import click_an_arrow, drop, settled, visiting
from tests.web_server import recorded, scripted, serving, text_of, write_run

pytestmark = pytest.mark.browser
# A limit, not a wait: a busy machine may take long to open a browser's page.
expect.set_options(timeout=20_000)

PARTITION = "20260101-partition"
BROKEN = "20260102-broken"
CRASH = "20260103-crash"
MARKUP = '<img src="x" onerror="document.title = 1"><script>document.title = 2</script>'


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with a good run, a violated one and one with crashes and two instances."""
    logs = tmp_path_factory.mktemp("logs")
    write_run(logs, PARTITION, recorded("local-partition"), title="Three here, two there")
    write_run(logs, BROKEN, scripted("R4-ignores-reported-values"), title="It ignores reports")
    write_run(logs, CRASH, recorded("local-crash-after-promise"), title="A node is killed")
    with serving(logs) as url:
        yield url


def words(text: str | None) -> str:
    """A text as it reads, whatever white space its markup has."""
    return " ".join((text or "").split())


def run(name: str, **moment: str | int) -> str:
    """The hash that leads to a run."""
    return "#" + "&".join(f"{key}={value}" for key, value in {"run": name, **moment}.items())


def sentence(page: Page) -> str:
    """What the page says is happening."""
    settled(page)
    return page.locator(".sentence").inner_text()


def said(lines: list[Line], at: int) -> str:
    """What Python says at that line; of a fan-out, of all of it that has happened."""
    first = at
    while first and len(list(bundled(lines[first - 1 : at + 1]))) == 1:
        first -= 1
    (bundle,) = bundled(lines[first : at + 1])
    return bundle.text


def place(lines: list[Line], event: str, count: int = 1) -> int:
    """The place of the count-th line of an event."""
    return [index for index, line in enumerate(lines) if line["event"] == event][count - 1]


def points(lines: list[Line]) -> list[int]:
    """The places of the turning points, each once."""
    state = empty()
    for line in lines:
        state = fold(state, line)
    index = {line_id(line): at for at, line in enumerate(lines)}
    return sorted({index[point["line"]] for point in state["turning_points"]})


class TestChoosing:
    def test_a_run_is_chosen_from_the_list(self, visit: Callable[..., Page]) -> None:
        """Each with its title and verdict; then the address leads to it."""
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        expect(page.locator(".runs .run")).to_have_count(3)
        page.locator(".runs").get_by_role("button", name="Three here, two there").click()
        expect(page.locator(".run-bar .run-title")).to_contain_text("both sides propose")
        expect(page.locator(".chooser")).to_have_count(0)
        assert page.evaluate("location.hash").startswith(run(PARTITION))

    def test_another_run_can_be_chosen_afterwards(self, visit: Callable[..., Page]) -> None:
        """The list opens again, and going back is one press of Escape."""
        page = visit(run(PARTITION))
        page.get_by_role("button", name="Open a run").click()
        page.keyboard.press("Escape")
        expect(page.locator(".chooser")).to_have_count(0)
        page.get_by_role("button", name="Open a run").click()
        page.locator(".runs").get_by_role("button", name="A node is killed").click()
        expect(page.locator(".run-bar .run-title")).to_contain_text("killed")

    def test_a_log_can_be_dropped(self, visit: Callable[..., Page]) -> None:
        """It needs no server's knowledge, so no link leads to it."""
        lines = recorded("local-late-proposer")
        page = visit()
        drop(page, {"mine.jsonl": text_of(lines)})
        expect(page.locator(".run-bar .run-title")).to_contain_text("late proposer")
        expect(page.locator(".verdict .chip")).to_have_text("not judged")
        assert page.evaluate("location.hash") == ""

    def test_the_nodes_own_logs_are_merged(self, visit: Callable[..., Page]) -> None:
        """Each node's order kept, and no line before its cause."""
        lines = recorded("local-late-proposer")
        nodes = {line["node"] for line in lines}
        files = {
            f"{node}.jsonl": text_of([line for line in lines if line["node"] == node])
            for node in nodes
        }
        page = visit()
        drop(page, files)
        expect(page.locator(".happening h2")).to_contain_text(f"of {len(lines)}")
        page.keyboard.press("End")
        expect(page.locator(".acceptors tbody tr").first).to_contain_text("apple")
        expect(page.locator(".choice")).to_contain_text("accepted by")

    def test_files_can_be_picked_verdict_and_all(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """The keyboard's way to drop a run."""
        folder = write_run(tmp_path, "picked", scripted("R4-ignores-reported-values"))
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
        expect(page.locator(".verdict > h3").first).to_contain_text("violated")

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("photo.jsonl", "GIF89a\n", "photo.jsonl is no log of Paxos Lab"),
            ("other.jsonl", '{"level":"info"}\n', "no such event"),
            ("notes.md", "# Notes\n", "notes.md holds no log"),
            ("empty.jsonl", "", "empty.jsonl is empty"),
            ("history.jsonl", "{}\n", "history.jsonl holds no log"),
        ],
    )
    def test_a_foreign_file_gets_a_sentence(
        self, visit: Callable[..., Page], name: str, text: str, expected: str
    ) -> None:
        """It says what is wrong, and leaves what was shown in place."""
        page = visit(run(PARTITION))
        expect(page.locator(".sentence")).to_be_visible()
        drop(page, {name: text})
        expect(page.get_by_role("alert")).to_contain_text(expected)
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_broken_line_is_named(self, visit: Callable[..., Page]) -> None:
        """A log with a hole would tell a false story, so nothing of it is shown."""
        rows = text_of(recorded("local-late-proposer")).splitlines()
        rows[16] = rows[16][:40]
        page = visit()
        drop(page, {"mine.jsonl": "\n".join(rows) + "\n"})
        expect(page.get_by_role("alert")).to_contain_text("mine.jsonl is broken at line 17")

    def test_an_unfinished_last_line_is_left_out(self, visit: Callable[..., Page]) -> None:
        """A run that goes on, or was killed, can be watched as far as it has come."""
        text = text_of(recorded("local-late-proposer"))
        page = visit()
        drop(page, {"mine.jsonl": text[:-30]})
        expect(page.locator(".notice")).to_contain_text("never finished")
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_link_to_a_run_that_is_gone_says_so(self, visit: Callable[..., Page]) -> None:
        """And offers the others."""
        page = visit(run("20200101-gone"))
        expect(page.get_by_role("alert")).to_contain_text("There is no run 20200101-gone here")
        expect(page.locator(".runs .run")).to_have_count(3)


class TestShell:
    def test_without_a_link_a_story_is_shown_at_once(self, visit: Callable[..., Page]) -> None:
        """And the address leads to it, once a person has begun to go through it."""
        page = visit()
        expect(page.locator(".run-bar .run-title")).to_have_text("Six steps over one run")
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Replay")
        assert page.evaluate("location.hash") == ""
        page.keyboard.press("End")
        expect(page).to_have_url(re.compile("#story=tour"))

    def test_a_broken_link_gets_a_sentence_and_something_to_see(
        self, visit: Callable[..., Page]
    ) -> None:
        """Nobody is left before an empty page."""
        page = visit("#nonsense=1")
        expect(page.get_by_role("alert")).to_contain_text("This link leads nowhere")
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_moment_that_is_not_in_the_run_is_named(self, visit: Callable[..., Page]) -> None:
        """The run is shown all the same."""
        page = visit(run(PARTITION, at="n9/1/1"))
        expect(page.locator(".notice")).to_contain_text("has no event n9/1/1")
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_mode_keeps_what_it_showed(self, visit: Callable[..., Page]) -> None:
        """Going to another one and back loses nothing."""
        page = visit(run(PARTITION))
        for _ in range(4):
            page.keyboard.press("Shift+ArrowRight")
        settled(page)
        said_then = sentence(page)
        page.locator(".modes").get_by_role("button", name="Live").click()
        expect(page.locator(".start")).to_contain_text("Watch a live cluster")
        page.locator(".modes").get_by_role("button", name="Replay").click()
        expect(page.locator(".sentence")).to_have_text(said_then, use_inner_text=True)

    def test_the_side_panels_are_tabs(self, visit: Callable[..., Page]) -> None:
        """One at a time; the arrows go from one to the next."""
        page = visit(run(PARTITION))
        for name in ("Do", "Learn", "Find", "Verdict"):
            page.get_by_role("tab", name=name).click()
            expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("tab", name="Do")).to_be_focused()

    def test_sheets_open_one_at_a_time_and_close_with_escape(
        self, visit: Callable[..., Page]
    ) -> None:
        """Runs, share, compare, help."""
        page = visit(run(PARTITION))
        for name in ("Open a run", "Share", "Compare", "Keys and signs"):
            page.locator(".tools").get_by_role("button", name=name, exact=True).click()
            expect(page.locator(".sheet")).to_have_count(1)
        expect(page.locator(".sheet")).to_contain_text("part the marked nodes from the others")
        page.keyboard.press("Escape")
        expect(page.locator(".sheet")).to_have_count(0)

    def test_a_recorded_run_cannot_be_commanded(self, visit: Callable[..., Page]) -> None:
        """It says so, and what can be asked about it."""
        page = visit(run(PARTITION))
        page.get_by_role("tab", name="Do").click()
        expect(page.locator("#panel")).to_contain_text("This run is recorded")
        expect(page.locator("#panel pre")).to_contain_text(f"paxos-lab whatif {PARTITION} --at ")


class TestWelcome:
    """Without a link: what this is, that it moves, and where to begin."""

    def test_the_simplest_run_plays_once_and_rests_where_it_is_done(
        self, visit: Callable[..., Page]
    ) -> None:
        """It ends when every node has learned, and gives no riddle of the tour away."""
        page = visit()
        expect(page.locator(".welcome")).to_contain_text("This is Paxos at work")
        expect(page.locator(".controls .primary", has_text="Pause")).to_be_visible()
        expect(page.locator(".chip.point", has_text="Every node has learned")).to_be_visible()
        expect(page.locator(".controls .primary", has_text="Play")).to_be_visible()
        expect(page.locator(".acceptors tbody")).to_contain_text("lemon")
        hidden = page.get_by_role("button", name="Show what is to come")
        expect(hidden).to_have_attribute("aria-pressed", "false")
        # Whoever loads it again has seen nothing else, and is met again.
        assert page.evaluate("location.hash") == ""

    def test_where_motion_is_unwelcome_it_rests_there_at_once(
        self, visit: Callable[..., Page]
    ) -> None:
        """Nothing plays by itself."""
        page = visit(reduced_motion="reduce")
        expect(page.locator(".chip.point", has_text="Every node has learned")).to_be_visible()
        expect(page.locator(".controls .primary", has_text="Pause")).to_have_count(0)

    def test_the_tour_begins_there(self, visit: Callable[..., Page]) -> None:
        """Its first step is shown, and the card is gone for good."""
        page = visit()
        page.get_by_role("button", name="Take the tour (5 minutes)").click()
        expect(page).to_have_url(re.compile("#tour=1"))
        expect(page.locator(".guide")).to_contain_text("1")
        expect(page.locator(".welcome")).to_have_count(0)
        page.keyboard.press("Escape")
        expect(page.locator(".guide")).to_have_count(0)
        expect(page.locator(".welcome")).to_have_count(0)
        shown = page.get_by_role("button", name="Show what is to come")
        expect(shown).to_have_attribute("aria-pressed", "true")

    def test_a_step_by_hand_stops_it_and_escape_closes_the_card(
        self, visit: Callable[..., Page]
    ) -> None:
        """What is to come stays hidden until it is asked for, or another run is opened."""
        page = visit()
        expect(page.locator(".welcome")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".controls .primary", has_text="Play")).to_be_visible()
        expect(page).to_have_url(re.compile("#story=tour"))
        page.keyboard.press("Escape")
        expect(page.locator(".welcome")).to_have_count(0)
        shown = page.get_by_role("button", name="Show what is to come")
        expect(shown).to_have_attribute("aria-pressed", "false")
        page.evaluate("hash => { location.hash = hash; }", run(PARTITION))
        expect(page.locator(".run-bar .run-title")).to_contain_text("both sides propose")
        # Its first line asks for a guess; from the next on all is shown.
        page.keyboard.press("ArrowRight")
        expect(shown).to_have_attribute("aria-pressed", "true")

    def test_whoever_follows_a_link_is_not_met(self, visit: Callable[..., Page]) -> None:
        """They came for that very run, and nothing moves by itself."""
        page = visit("#story=tour")
        expect(page.locator(".sentence")).to_be_visible()
        expect(page.locator(".welcome")).to_have_count(0)
        expect(page.locator(".controls .primary", has_text="Pause")).to_have_count(0)

    @pytest.mark.parametrize("width", [1360, 390])
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(self, visit: Callable[..., Page], theme: str, width: int) -> None:
        """Once it rests; and both ways to begin are in sight without scrolling."""
        page = visit(
            color_scheme=theme,
            reduced_motion="reduce",
            viewport={"width": width, "height": 900},
        )
        for name in ("Take the tour (5 minutes)", "Break it yourself"):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        expect(page.locator(".ring svg")).to_be_in_viewport(ratio=0.9)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_whoever_goes_elsewhere_before_it_has_come_stays_there(
        self, visit: Callable[..., Page]
    ) -> None:
        """And finds it on coming back."""
        held: list[Route] = []

        def hold(page: Page) -> None:
            page.route("**/stories/tour/events.jsonl", lambda route: held.insert(0, route))

        page = visit("#variants", prepare=hold)
        page.keyboard.press("Escape")
        page.evaluate("location.hash = '#'")
        expect(page.locator(".busy")).to_contain_text("the run of the tour")
        page.locator(".modes").get_by_role("button", name="Live").click()
        expect(page.locator(".start")).to_contain_text("Watch a live cluster")
        with page.expect_response("**/stories/tour/events.jsonl"):
            for route in held:
                route.continue_()
        settled(page)
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Live")
        page.locator(".modes").get_by_role("button", name="Replay").click()
        expect(page.locator(".run-bar .run-title")).to_have_text("Six steps over one run")

    def test_break_it_yourself_leads_to_a_cluster_that_waits_for_a_client(
        self, visit: Callable[..., Page]
    ) -> None:
        """Where there is no Pyodide the page says what is missing."""
        missing = {"available": False, "why": "Pyodide is not there.", "pyodide": None}

        def without(page: Page) -> None:
            page.route("**/sandbox.json", lambda route: route.fulfill(json=missing))

        page = visit(prepare=without)
        page.get_by_role("button", name="Break it yourself").click()
        expect(page.locator(".modes [aria-current=page]")).to_have_text("Sandbox")
        expect(page.get_by_role("alert")).to_contain_text("Pyodide is not there.")
        expect(page.locator(".welcome")).to_have_count(0)


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Run `make up` first.", ["make up"]),
            ("`make up`, else `make demo`", ["make up", "make demo"]),
            ("a lone ` is one", []),
            ("``", [""]),
            (f"`{MARKUP}`", [MARKUP]),
        ],
    )
    def test_commands_in_them_are_shown_as_code(
        self, visit: Callable[..., Page], text: str, shown: list[str]
    ) -> None:
        """What stands between backticks; and only text ever comes of it."""
        page = visit(run(PARTITION))
        codes, whole, tags = page.evaluate(
            """async (text) => {
                const { prose } = await import("./shell/prose.js");
                const { render } = await import("./vendor/lit-html/lit-html.js");
                const place = document.createElement("p");
                render(prose(text), place);
                const codes = [...place.querySelectorAll("code")].map((one) => one.textContent);
                const tags = [...place.querySelectorAll("*")].map((one) => one.localName);
                return [codes, place.textContent, tags];
            }""",
            text,
        )
        assert codes == shown
        assert whole == (text.replace("`", "") if shown else text)
        assert set(tags) <= {"code"}


class TestLoading:
    """A browser drops what it loads when the machine's networks change."""

    @pytest.mark.parametrize("lost", ["main.js", "shell/page.js", "style.css"])
    def test_what_was_dropped_is_asked_for_again(
        self, browser: Browser, address: str, lost: str
    ) -> None:
        """A module, one that it imports, or a style sheet: the page comes whole."""
        asked: list[str] = []

        def drop_once(page: Page) -> None:
            def answer(route: Route) -> None:
                asked.append(route.request.url)
                if len(asked) == 1:
                    route.abort("failed")
                else:
                    route.continue_()

            page.route(f"**/{lost}", answer)

        with visiting(browser, address, complains=False) as open_page:
            page = open_page(run(PARTITION), prepare=drop_once)
            expect(page.locator(".sentence")).to_be_visible()
            assert len(asked) == 2
            expect(page.locator("body")).to_have_css("margin", "0px")

    def test_what_does_not_come_at_all_is_said(self, browser: Browser, address: str) -> None:
        """With what to do; and then it works."""
        with visiting(browser, address, complains=False) as open_page:
            page = open_page(
                prepare=lambda page: page.route("**/main.js", lambda route: route.abort())
            )
            expect(page.get_by_role("alert")).to_contain_text("load the page again")
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
            page.unroute_all()
            page.get_by_role("button", name="Load it again").click()
            expect(page.locator(".sentence")).to_be_visible()

    def test_a_file_that_does_not_fit_is_told_apart(self, browser: Browser, address: str) -> None:
        """Waiting does not help then."""
        with visiting(browser, address, complains=False) as open_page:
            body = "export const header = 1;"
            page = open_page(
                prepare=lambda page: page.route(
                    "**/view/frame.js",
                    lambda route: route.fulfill(body=body, content_type="text/javascript"),
                )
            )
            expect(page.get_by_role("alert")).to_contain_text("files may be of two versions")


class TestTime:
    def test_the_sentence_at_each_step_is_the_terminals(self, visit: Callable[..., Page]) -> None:
        """Forwards by event, over what the level of detail shows."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        stops = [at for at, line in enumerate(lines) if level_of(line) != "quiet"]
        assert sentence(page) == said(lines, stops[0]) == lines[stops[0]]["title"]
        for at in stops[1:40]:
            page.keyboard.press("ArrowRight")
            expect(page.locator(".sentence")).to_have_text(said(lines, at), use_inner_text=True)

    def test_backwards_shows_what_forwards_showed(self, visit: Callable[..., Page]) -> None:
        """The table, the meters and the ring at a moment do not depend on the way there."""
        page = visit(run(PARTITION))
        seen = []
        for _ in range(8):
            page.keyboard.press("Shift+ArrowRight")
            settled(page)
            seen.append(moment(page))
        assert len(set(seen)) == 8
        for expected in reversed(seen[:-1]):
            page.keyboard.press("Shift+ArrowLeft")
            expect(page.locator(".sentence")).to_have_text(expected[0], use_inner_text=True)
            assert moment(page) == expected

    def test_turning_points_are_those_of_the_fold(self, visit: Callable[..., Page]) -> None:
        """Shift and an arrow go from one to the next; the last step goes to the end."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        for at in points(lines):
            page.keyboard.press("Shift+ArrowRight")
            expect(page.locator(".happening h2")).to_contain_text(f"event {at + 1} of")
            expect(page.locator(".chip.point").first).to_be_visible()
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".happening h2")).to_contain_text(f"event {len(lines)} of")

    def test_home_end_and_the_scrubber(self, visit: Callable[..., Page]) -> None:
        """To both ends, and anywhere between."""
        page = visit(run(PARTITION))
        page.keyboard.press("End")
        expect(page.locator(".happening h2")).to_contain_text("event 244 of 244")
        page.keyboard.press("Home")
        expect(page.locator(".happening h2")).to_contain_text("event 1 of 244")
        page.get_by_label("Event", exact=True).fill("99")
        expect(page.locator(".happening h2")).to_contain_text("event 100 of 244")

    def test_play_goes_on_and_stops_at_a_violation(self, visit: Callable[..., Page]) -> None:
        """It does not run past what a person came to see."""
        page = visit(run(BROKEN))
        settled(page)
        violated = page.locator(".happening h2").inner_text()
        page.keyboard.press("Home")
        page.get_by_label("Speed").select_option("4")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="▶ Play").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        expect(page.get_by_role("button", name="▶ Play")).to_be_visible()
        settled(page)
        assert page.locator(".happening h2").inner_text() == violated

    def test_where_motion_is_unwelcome_play_jumps_between_turning_points(
        self, visit: Callable[..., Page]
    ) -> None:
        """Nothing moves in between."""
        at = points(recorded("local-partition"))[0]
        page = visit(run(PARTITION), reduced_motion="reduce")
        page.get_by_label("Speed").select_option("4")
        page.locator("h1").click()
        page.keyboard.press("Space")
        expect(page.locator(".happening h2")).to_contain_text(f"event {at + 1} of")

    def test_a_link_restores_the_moment(self, visit: Callable[..., Page]) -> None:
        """Run, line and instance are in the address."""
        page = visit(run(CRASH))
        for _ in range(5):
            page.keyboard.press("Shift+ArrowRight")
        options = page.get_by_label("Instance").locator("option")
        assert options.count() > 2
        page.get_by_label("Instance").select_option(index=1)
        expect(page).to_have_url(re.compile("instance="))
        other = visit(page.evaluate("location.hash"))
        expect(other.locator(".sentence")).to_have_text(sentence(page), use_inner_text=True)
        assert moment(other) == moment(page)
        chosen = "element => element.value"
        assert other.get_by_label("Instance").evaluate(chosen) != "0"

    def test_a_changed_address_is_followed(self, visit: Callable[..., Page]) -> None:
        """Someone pastes a link into the open page."""
        lines = recorded("local-partition")
        at = place(lines, "value_learned")
        page = visit(run(CRASH))
        expect(page.locator(".sentence")).to_be_visible()
        page.evaluate("hash => { location.hash = hash; }", run(PARTITION, at=line_id(lines[at])))
        expect(page.locator(".sentence")).to_have_text(narrate(lines[at]), use_inner_text=True)

    def test_an_address_that_was_just_entered_is_not_written_over(
        self, visit: Callable[..., Page]
    ) -> None:
        """The page may be drawn before the browser tells it of the new address."""
        late = """
            window.toldOf = new Promise((told) => {
                window.addEventListener("hashchange", (event) => {
                    if (event.isTrusted) event.stopImmediatePropagation();
                    told();
                });
            });
        """
        page = visit(run(CRASH), prepare=lambda page: page.add_init_script(late))
        expect(page).to_have_url(re.compile("#run="))
        entered = run(PARTITION)
        page.evaluate("hash => { location.hash = hash; }", entered)
        page.evaluate("window.toldOf")
        page.keyboard.press("ArrowRight")
        settled(page)
        assert page.evaluate("location.hash") == entered
        page.evaluate("() => { window.dispatchEvent(new HashChangeEvent('hashchange')); }")
        expect(page.locator(".run-title")).to_contain_text("Three nodes here, two there")
        page.keyboard.press("End")
        expect(page).to_have_url(re.compile(f"{entered}&at="))

    def test_the_address_that_was_entered_last_is_what_is_shown(
        self, visit: Callable[..., Page]
    ) -> None:
        """A run waits for the list of runs; whoever goes elsewhere meanwhile stays there."""
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page = visit("#story=tour", prepare=lambda page: page.route("**/runs.json", hold))
        page.evaluate("hash => { location.hash = hash; }", run(CRASH))
        settled(page)
        title = page.locator(".run-title").inner_text()
        page.evaluate("() => { location.hash = '#story=tour&instance=1'; }")
        settled(page)
        assert len(held) == 1
        with page.expect_response("**/runs.json"):
            held[0].continue_()
        # What it leads to is asked for at once, if at all.
        page.evaluate("async () => { await fetch('catalogue.json'); }")
        settled(page)
        expect(page.locator(".busy")).to_have_count(0)
        assert page.locator(".run-title").inner_text() == title
        assert page.evaluate("location.hash").startswith("#story=tour")

    def test_a_sheet_closes_when_a_link_or_a_choice_leads_elsewhere(
        self, visit: Callable[..., Page]
    ) -> None:
        """It was about what was shown, and its own link would hide the new one."""
        page = visit(run(CRASH))
        sheet = page.locator(".sheet")
        for name in ("Compare", "Share", "Keys and signs"):
            page.get_by_role("button", name=name, exact=True).click()
            expect(sheet).to_have_count(1)
            page.evaluate("hash => { location.hash = hash; }", run(PARTITION))
            expect(page.locator(".run-title")).to_contain_text("Three nodes here, two there")
            expect(sheet).to_have_count(0)
            page.evaluate("hash => { location.hash = hash; }", run(CRASH))
            expect(page.locator(".run-title")).to_contain_text("An acceptor is killed")
        lines = recorded("local-crash-after-promise")
        page.get_by_role("button", name="Compare", exact=True).click()
        page.evaluate("hash => { location.hash = hash; }", run(CRASH, at=line_id(lines[9])))
        expect(page.locator(".sentence")).to_have_text(narrate(lines[9]), use_inner_text=True)
        expect(sheet).to_have_count(0)
        page.get_by_role("button", name="Compare", exact=True).click()
        page.locator(".modes").get_by_role("button", name="Sandbox").click()
        expect(page.locator(".start")).to_be_visible()
        expect(sheet).to_have_count(0)


def moment(page: Page) -> tuple[str, ...]:
    """All that the page says of a moment."""
    parts = [".sentence", ".acceptors tbody", ".meters", ".choice", ".ring p >> nth=0"]
    settled(page)
    return tuple(page.locator(part).inner_text() for part in parts)


class TestViews:
    def test_memory_stands_beside_disk(self, visit: Callable[..., Page]) -> None:
        """In memory only until the sync has returned; lost with a kill while the disk stays."""
        lines = recorded("local-crash-after-promise")
        heard, killed = place(lines, "prepare_received"), place(lines, "failpoint_hit")
        page = visit(run(CRASH, at=line_id(lines[heard])))
        row = page.locator(".acceptors tbody tr", has_text=lines[heard]["node"]).first
        expect(row.locator(".unsaved")).to_have_text(lines[heard]["ballot"])
        page = visit(run(CRASH, at=line_id(lines[killed])))
        cells = page.locator(".acceptors tr.down td")
        expect(cells.nth(0)).to_have_text("lost")
        expect(cells.nth(1)).to_have_text(re.compile(r"\d+\.n\d"))
        expect(page.locator(".ring .node.down")).to_have_count(1)

    def test_the_choice_stands_beside_who_learned_when(self, visit: Callable[..., Page]) -> None:
        """Chosen is a fact about the cluster; learned is one node's."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        expect(page.locator(".choice")).to_contain_text("Nothing is chosen yet")
        page.keyboard.press("End")
        expect(page.locator(".moments button")).to_have_count(6)
        page.locator(".choice").get_by_role("button", name="chosen").click()
        expect(page.locator(".chip.point")).to_have_text("Chosen")
        page.keyboard.press("End")
        page.get_by_role("button", name="n5 learns", exact=True).click()
        learned = [line for line in lines if line["event"] == "value_learned"]
        (last,) = (narrate(line) for line in learned if line["node"] == "n5")
        expect(page.locator(".sentence")).to_have_text(last, use_inner_text=True)

    def test_a_wall_and_its_fault_are_shown_while_they_last(
        self, visit: Callable[..., Page]
    ) -> None:
        """From the line that confirms it to the one that says it is over."""
        lines = recorded("local-partition")
        during, over = place(lines, "fault_applied"), place(lines, "fault_undone")
        page = visit(run(PARTITION, at=line_id(lines[during])))
        expect(page.locator(".ring path.wall")).to_have_count(1)
        expect(page.locator(".ring .warn")).to_have_text("partition n1 n2 n3 | n4 n5")
        page = visit(run(PARTITION, at=line_id(lines[over])))
        expect(page.locator(".ring path.wall")).to_have_count(0)
        expect(page.locator(".ring .warn")).to_have_count(0)

    def test_a_message_shows_both_its_ends(self, visit: Callable[..., Page]) -> None:
        """By the keyboard at its line, and by the pointer on its arrow."""
        lines = recorded("local-partition")
        sent = place(lines, "accept_sent")
        page = visit(run(PARTITION, at=line_id(lines[sent])))
        page.keyboard.press("m")
        expect(page.locator(".message h3")).to_contain_text("Accept from n1 to n1")
        expect(page.locator(".message .ends table")).to_have_count(2)
        expect(page.locator(".message")).to_contain_text("apple at 1.n1")
        page.get_by_role("button", name="Close the message").click()
        expect(page.locator(".message")).to_have_count(0)
        click_an_arrow(page, 95, apart=9)
        expect(page.locator(".message")).to_be_visible()

    def test_causes_and_consequences_are_lit_and_linked(self, visit: Callable[..., Page]) -> None:
        """What led to a promise is the Prepare that its node had heard."""
        lines = recorded("local-partition")
        sent = place(lines, "promise_sent")
        page = visit(run(PARTITION, at=line_id(lines[sent])))
        page.keyboard.press("c")
        expect(page.locator(".related")).to_contain_text("led to this")
        page.locator(".reasons li button").first.click()
        expect(page.locator(".sentence")).to_contain_text("Prepare")

    def test_the_drawing_shows_less_where_the_future_is_hidden(
        self, visit: Callable[..., Page]
    ) -> None:
        """What is to come is faint, or gone."""
        page = visit(run(PARTITION))
        # The first line asks for a guess, and hides it by itself.
        page.keyboard.press("ArrowRight")
        expect(page.locator("#now-title")).not_to_contain_text("event 1 of ")
        with_future = ink(page)
        page.keyboard.press("h")
        expect(page.get_by_role("button", name="Show what is to come")).to_have_attribute(
            "aria-pressed", "false"
        )
        assert ink(page) < with_future * 0.7

    def test_the_axis_changes_what_is_drawn(self, visit: Callable[..., Page]) -> None:
        """By time or by order, and back again; tests/test_web_keys.py has the other gestures."""
        page = visit(run(CRASH))
        pictures = []
        for key in ("f", "t", "t"):
            page.keyboard.press(key)
            settled(page)
            pictures.append(picture(page))
        assert pictures[0] == pictures[2] != pictures[1]

    def test_text_of_a_log_never_becomes_markup(self, visit: Callable[..., Page]) -> None:
        """A stranger may propose anything; it is shown as it is."""
        lines = json.loads(
            json.dumps(recorded("local-partition")).replace('"apple"', json.dumps(MARKUP))
        )
        lines[place(lines, "run_started")]["title"] = MARKUP
        page = visit()
        drop(page, {"mine.jsonl": text_of(lines)})
        expect(page.locator(".run-title")).to_have_text(MARKUP)
        page.keyboard.press("End")
        expect(page.locator(".choice .value").first).to_have_attribute("title", MARKUP)
        expect(page.locator(".event-rows")).to_contain_text("<img")
        assert page.locator("#page img, #page script").count() == 0
        assert page.title() == "Paxos Lab"

    def test_twenty_thousand_events_can_be_watched(self, visit: Callable[..., Page]) -> None:
        """A long run opens, is stepped through, searched and seen whole."""
        lines = long_run(20_000)
        page = visit()
        drop(page, {"long.jsonl": text_of(lines)})
        expect(page.locator(".happening h2")).to_contain_text("of 20,")
        page.keyboard.press("End")
        expect(page.locator(".choice")).to_contain_text("accepted by")
        for key in ("ArrowLeft", "Shift+ArrowLeft", "f", "ArrowLeft", "+"):
            page.keyboard.press(key)
        last = max(line["instance"] for line in lines if "instance" in line)
        page.get_by_label("Find").fill(f"'value {last}'")
        expect(page.locator(".event-rows li").first).to_contain_text(f"value {last}")


def long_run(count: int) -> list[Line]:
    """At least so many lines of a simulated run: one instance after another."""
    world = World(1)
    instance = 0
    while len(world.lines) < count:
        instance += 1
        now_ms = world.now_ns // 1_000_000
        node = instance % 5 + 1
        world.propose(now_ms + 1, node, f"value {instance}", instance=instance)
        world.run(now_ms + 40)
    return world.lines


def picture(page: Page) -> str:
    """The pixels of the space-time view."""
    data: str = page.evaluate("document.getElementById('spacetime').toDataURL()")
    return data


def ink(page: Page) -> int:
    """How much of the space-time view is drawn on, in summed opacity."""
    settled(page)
    amount: int = page.evaluate(
        """async () => {
            const canvas = document.getElementById("spacetime");
            const copy = new OffscreenCanvas(canvas.width, canvas.height);
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
            let sum = 0;
            for (let at = 3; at < data.length; at += 4) sum += data[at];
            return sum;
        }"""
    )
    return amount


class TestEvents:
    @pytest.mark.parametrize("level", ["story", "detail", "quiet"])
    def test_the_list_has_the_terminals_sentences(
        self, visit: Callable[..., Page], level: str
    ) -> None:
        """Bundled in the same way, at each level of detail."""
        rank = {"story": 0, "detail": 1, "quiet": 2}
        lines = recorded("local-partition")
        wanted = [line for line in lines if rank[level_of(line)] <= rank[level]]
        expected = [bundle.text for bundle in bundled(wanted)]
        page = visit(run(PARTITION))
        page.get_by_label("Show", exact=True).select_option(level)
        expect(page.locator(".events-head h2")).to_contain_text(f"{len(expected)} entries")
        shown = [words(text) for text in page.locator(".event-rows .what").all_text_contents()]
        assert shown == expected[: len(shown)]
        assert len(shown) >= min(len(expected), 100)

    def test_it_can_be_filtered_by_node_and_text(self, visit: Callable[..., Page]) -> None:
        """Selecting a node with its key filters, too."""
        page = visit(run(PARTITION))
        page.get_by_label("Node", exact=True).select_option("n5")
        whos = set(page.locator(".event-rows .who").all_text_contents())
        assert whos <= {"n5", "·"}
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("4")
        expect(page.get_by_label("Node", exact=True)).to_have_value("n4")
        page.keyboard.press("4")
        page.get_by_label("Find").fill("refuse everything below 1.n5")
        expect(page.locator(".events-head h2")).to_contain_text(re.compile(r"\b\d entr"))
        texts = page.locator(".event-rows .what").all_text_contents()
        assert texts
        assert all("refuse everything below 1.n5" in text for text in texts)
        page.get_by_label("Find").fill("no such words")
        expect(page.locator(".event-rows")).to_contain_text("No event fits")

    def test_an_entry_leads_to_its_moment(self, visit: Callable[..., Page]) -> None:
        """And is marked as the current one, as is the one that steps lead to."""
        page = visit(run(PARTITION))
        entry = page.locator(".event-rows li button").nth(12)
        text = words(entry.locator(".what").text_content())
        entry.click()
        expect(page.locator(".sentence")).to_have_text(text, use_inner_text=True)
        expect(page.locator(".event-rows [aria-current=true] .what")).to_have_text(text)

    def test_every_entry_can_be_reached_in_a_long_list(self, visit: Callable[..., Page]) -> None:
        """The list shows a window of it, which moves on."""
        page = visit(run(CRASH))
        page.get_by_label("Show", exact=True).select_option("quiet")
        expect(page.get_by_role("button", name="earlier entr")).to_have_count(0)
        while (later := page.get_by_role("button", name="later entr")).count():
            last = words(page.locator(".event-rows .what").last.text_content())
            later.click()
            # What stood last is still there: nothing is passed over.
            expect(page.locator(".event-rows .what", has_text=last).first).to_be_attached()
            expect(page.locator(".event-rows .what").last).not_to_have_text(last)
        expect(page.get_by_role("button", name="earlier entr")).to_be_visible()
        last = narrate(recorded("local-crash-after-promise")[-1])
        expect(page.locator(".event-rows .what").last).to_have_text(last)


class TestVerdict:
    def test_a_violated_run_opens_where_it_is_violated(self, visit: Callable[..., Page]) -> None:
        """With the events that prove it quoted, each a way to its moment."""
        page = visit(run(BROKEN))
        expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
        expect(page.locator(".chip.point.violation").first).to_be_visible()
        violations = page.locator(".violations > li")
        expect(violations.first).to_contain_text("R4")
        quotes = violations.first.locator("button")
        assert quotes.count() >= 2
        text = quotes.first.inner_text()
        expect(page.locator(".rules .rule-violated")).to_have_count(1)
        quotes.first.click()
        expect(page.locator(".sentence")).to_have_text(text, use_inner_text=True)
        page.keyboard.press("End")
        expect(page.locator(".rules .rule-violated")).to_have_count(2)

    def test_the_verdict_is_that_of_the_moment(self, visit: Callable[..., Page]) -> None:
        """Safe so far before it is broken, broken from then on; and the way to it is one click."""
        page = visit(run(BROKEN))
        settled(page)
        violated = page.locator(".happening h2").inner_text()
        expect(page.locator(".verdict > h3 .verdict-violated")).to_be_visible()
        expect(page.locator("#tab-verdict")).to_contain_text("✗")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".verdict > h3").first).to_contain_text("safe so far")
        expect(page.locator(".rules .rule-violated")).to_have_count(0)
        expect(page.locator("#tab-verdict")).to_contain_text("✓")
        page.get_by_role("button", name="Go to the next of 2 violations").click()
        expect(page.locator(".happening h2")).to_have_text(violated, use_inner_text=True)
        expect(page.locator(".rules .rule-violated")).to_contain_text("R4")

    def test_a_run_that_could_not_be_judged_says_why(self, visit: Callable[..., Page]) -> None:
        """Unknown is not ok."""
        page = visit(run(PARTITION))
        # Beside the question that the run opens with no verdict is shown.
        page.keyboard.press("ArrowRight")
        expect(page.locator(".run-bar .verdict-unknown")).to_be_visible()
        expect(page.locator(".verdict")).to_contain_text("What is unknown")

    def test_expectations_name_the_lines_that_met_them(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """A line that is named is a way to its moment."""
        lines = recorded("local-late-proposer")
        folder = write_run(tmp_path, "expected", lines)
        path = folder / "verdict.json"
        verdict = json.loads(path.read_text("utf-8"))
        at = place(lines, "value_learned")
        met = {"expectation": "it was learned", "met": True, "evidence": line_id(lines[at])}
        missed = {"expectation": "it rained", "met": False, "evidence": "the sun shone"}
        verdict["expectations"] = [
            {**met, "kind": "must_happen"},
            {**missed, "kind": "expectation"},
        ]
        path.write_text(json.dumps(verdict), encoding="utf-8")
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
        items = page.locator(".expectations li")
        # Before the end they would spoil it.
        expect(page.locator(".run-bar")).to_contain_text("real processes")
        expect(items).to_have_count(0)
        page.keyboard.press("End")
        expect(items.nth(0)).to_contain_text("must happen")
        expect(items.nth(1).get_by_role("img", name="not met")).to_be_visible()
        items.nth(0).get_by_role("button").click()
        expect(page.locator(".sentence")).to_have_text(narrate(lines[at]), use_inner_text=True)

    def test_a_recorded_run_leads_to_the_shortest_that_breaks_the_same(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """Of the same variant, whichever scenario it was; a run of none has no such link."""
        files = story_files("broken--accept-below-promise")
        for name in ("events.jsonl", "run.json", "verdict.json", "why.json"):
            (tmp_path / name).write_bytes(files[name])
        page = visit()
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").set_input_files(sorted(tmp_path.iterdir()))
        expect(page.locator(".violations")).to_contain_text("R1")
        expect(page.locator(".run-bar .run-title")).to_have_text(
            "An acceptor accepts whatever it is asked to"
        )
        page.get_by_role("button", name="See the shortest run that breaks the same").click()
        expect(page).to_have_url(re.compile("#story=broken--accept-below-promise-shortest"))
        expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
        page.evaluate("hash => { location.hash = hash; }", run(BROKEN))
        expect(page.locator(".violations")).to_contain_text("R4")
        expect(page.get_by_role("button", name="See the shortest run")).to_have_count(0)


class TestAccess:
    @pytest.mark.parametrize(
        ("view", "width"),
        [
            *((view, 1360) for view in ("list", "run", "help", "violated", "message", "crash")),
            *((view, 390) for view in ("list", "message")),
        ],
    )
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_axe_finds_nothing(
        self, visit: Callable[..., Page], view: str, width: int, theme: str
    ) -> None:
        """In light and dark, on a screen and on a phone."""
        lines, parted = recorded("local-crash-after-promise"), recorded("local-partition")
        moments = {
            "list": "",
            "violated": run(BROKEN),
            "crash": run(CRASH, at=line_id(lines[place(lines, "failpoint_hit")])),
            "message": run(PARTITION, at=line_id(parted[place(parted, "promise_received")])),
        }
        page = visit(
            moments.get(view, run(PARTITION)),
            color_scheme=theme,
            viewport={"width": width, "height": 900},
        )
        expect(page.locator("h2").first).to_be_visible()
        if view == "help":
            page.keyboard.press("?")
            expect(page.locator(".sheet-help .legend").first).to_be_visible()
        if view == "message":
            for key in ("c", "2", "m"):
                page.keyboard.press(key)
            expect(page.locator("#message-title")).to_be_visible()
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()

    @pytest.mark.parametrize("width", [360, 390, 768, 1024, 1240, 1920])
    def test_nothing_is_wider_than_the_screen(self, visit: Callable[..., Page], width: int) -> None:
        """What is wide scrolls within its own box."""
        page = visit(run(CRASH), viewport={"width": width, "height": 800})
        page.keyboard.press("End")
        expect(page.locator(".sentence")).to_be_visible()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        canvas = page.locator("#spacetime").bounding_box()
        assert canvas is not None
        assert canvas["width"] <= width

    def test_the_theme_follows_the_system_until_one_is_chosen(
        self, visit: Callable[..., Page]
    ) -> None:
        """The choice is kept."""
        page = visit(run(PARTITION), color_scheme="dark")
        theme = "document.documentElement.dataset.theme"
        assert page.evaluate(theme) == "dark"
        dark = picture(page)
        page.get_by_role("button", name="Light theme").click()
        expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
        assert page.evaluate(theme) == "light"
        assert picture(page) != dark
        page.reload()
        expect(page.locator(".sentence")).to_be_visible()
        assert page.evaluate(theme) == "light"

    def test_what_happens_is_told_to_those_who_cannot_see(self, visit: Callable[..., Page]) -> None:
        """One polite sentence, not too often, and the last one always."""
        lines = recorded("local-partition")
        page = visit(run(PARTITION))
        for _ in range(30):
            page.keyboard.press("ArrowRight")
        stops = [at for at, line in enumerate(lines) if level_of(line) != "quiet"]
        expect(page.locator("#live")).to_have_text(said(lines, stops[30]), use_inner_text=False)

    def test_keys_belong_to_the_field_that_has_the_focus(self, visit: Callable[..., Page]) -> None:
        """Typing into the search is no command."""
        page = visit(run(PARTITION))
        settled(page)
        before = page.locator(".happening h2").inner_text()
        page.get_by_label("Find").focus()
        page.keyboard.type("f h1 ?")
        expect(page.get_by_label("Find")).to_have_value("f h1 ?")
        expect(page.locator(".help")).to_have_count(0)
        settled(page)
        assert page.locator(".happening h2").inner_text() == before
