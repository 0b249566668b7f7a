"""What the page does alike wherever the events come from.

A served run, a dropped log, a story, a counterexample, a live run and the
sandbox are watched, searched, compared and shared by the same buttons and
keys. What each source alone can do has its own tests.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.pyodide import sandbox_json
from orchestrator.stories import story_files
from orchestrator.yaml_file import read_scenario
from paxos.events import Line, line_id, narrate
from paxos.sandbox import run as run_in_python
from tests.big_log import log_lines
from tests.export_rules import shiviz_events, shiviz_faults, trace_faults
from tests.feed_load import serving_feed
from tests.web_node import without
from tests.web_page import Visit, drop, settled, visiting
from tests.web_rooms import PARTITION, on_a_real_day, write_runs
from tests.web_sandbox import packed, propose, recipe
from tests.web_server import recorded, scripted, text_of, write_run

pytestmark = pytest.mark.browser

LIVE_COUNT = 700
STORY = "competing"
COUNTEREXAMPLE = "broken--number-reused"
RECIPE = recipe(seed=81, nodes=5, commands=[propose("apple"), propose("pear", at="n3", after=30)])
SOURCES = ("run", "file", "story", "counterexample", "live", "sandbox")


@dataclass(frozen=True, slots=True)
class Shown:
    """A run on the page.

    Attributes:
        source: where it comes from, as in ``SOURCES``.
        page: shows it.
        lines: its log.
        has_scenario: whether a scenario stands behind it.
        has_link: whether a link may lead to it.
    """

    source: str
    page: Page
    lines: list[Line]
    has_scenario: bool = True
    has_link: bool = True

    def at(self) -> int:
        """Which event the cursor stands at, from 1."""
        settled(self.page)
        found = re.search(r"event ([\d,]+) of", self.page.locator(".happening").inner_text())
        assert found is not None
        return int(found[1].replace(",", ""))

    def view(self) -> str:
        """The pixels of the space-time view."""
        settled(self.page)
        data: str = self.page.evaluate("document.getElementById('spacetime').toDataURL()")
        return data


def of_story(name: str) -> list[Line]:
    """The lines of a story."""
    return [json.loads(row) for row in story_files(name)["events.jsonl"].splitlines()]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with runs, stories, a live run that rests, and the engine."""
    folder = tmp_path_factory.mktemp("feed")
    write_runs(folder / "logs")
    log = folder / f"simulated-{LIVE_COUNT}.jsonl"
    log.write_text(text_of(on_a_real_day(log_lines(LIVE_COUNT))), "utf-8")
    with serving_feed(folder, 0, LIVE_COUNT, folder / "logs") as (site, feed):
        feed.bring(LIVE_COUNT)
        yield site.url


def show(source: str, visit: Visit) -> Shown:
    """Open a source as a person would."""
    if source == "run":
        return Shown(source, visit(f"#run={PARTITION}"), recorded("local-partition"))
    if source == "file":
        lines = on_a_real_day(of_story("late-proposer"))
        # A log alone: nobody says which scenario it was.
        lines = [
            {**line, "scenario": "mine"} if line["event"] == "run_started" else line
            for line in lines
        ]
        page = visit(f"#run={PARTITION}")
        drop(page, {"mine.jsonl": text_of(lines)})
        expect(page.locator(".happening")).to_contain_text(f"of {len(lines)}")
        return Shown(source, page, lines, has_scenario=False, has_link=False)
    if source in ("story", "counterexample"):
        name = STORY if source == "story" else COUNTEREXAMPLE
        return Shown(source, visit(f"#story={name}"), of_story(name))
    if source == "live":
        page = visit("#live")
        expect(page.locator(".run-bar")).to_contain_text(f"{LIVE_COUNT} events")
        lines = on_a_real_day(log_lines(LIVE_COUNT))
        return Shown(source, page, lines, has_scenario=False)
    offered = sandbox_json()
    if not offered["available"]:
        without(str(offered["why"]))
    page = visit(f"#sandbox={packed(RECIPE)}")
    # Python starts in a tab of a busy machine.
    expect(page.locator(".run-bar")).to_contain_text("Seed 81", timeout=180_000)
    lines = [json.loads(row) for row in run_in_python(RECIPE)["lines"].splitlines()]
    return Shown(source, page, lines)


@pytest.fixture(scope="module", params=SOURCES)
def opened(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Shown]:
    """A run of each source, one after another; nothing goes wrong on its page."""
    with ExitStack() as stack:
        yield show(request.param, stack.enter_context(visiting(browser, address)))


@pytest.fixture
def shown(opened: Shown) -> Shown:
    """It, with no sheet open, nothing picked and nothing searched for."""
    for _ in range(2):
        opened.page.keyboard.press("Escape")
    opened.page.get_by_role("tab", name="Verdict").click()
    opened.page.locator("h1").click()
    opened.page.keyboard.press("Home")
    return opened


def test_one_goes_through_it_forwards_and_backwards(shown: Shown) -> None:
    """By event, by turning point, to both ends; and back shows what was seen before."""
    page = shown.page
    assert shown.at() == 1
    seen = []
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
        settled(page)
        seen.append((shown.at(), page.locator(".sentence").inner_text()))
    assert [at for at, _ in seen] == sorted({at for at, _ in seen})
    page.keyboard.press("ArrowRight")
    assert shown.at() > seen[-1][0]
    page.keyboard.press("ArrowLeft")
    for expected in reversed(seen[:-1]):
        page.keyboard.press("Shift+ArrowLeft")
        settled(page)
        assert (shown.at(), page.locator(".sentence").inner_text()) == expected
    page.keyboard.press("End")
    # What only closes the log, with nothing after it, lies behind the end of what happened.
    closing = ("disk_read", "log_closed")
    ends = [at for at, line in enumerate(shown.lines, 1) if line["event"] not in closing]
    assert shown.at() == ends[-1]
    page.keyboard.press("Home")
    assert shown.at() == 1


def test_its_messages_are_found_and_opened(shown: Shown) -> None:
    """As many as the log has; a match leads to its event, and its message says where it went."""
    page = shown.page
    page.keyboard.press("/")
    expect(page.locator("#find-text")).to_be_focused()
    page.locator("#find-text").fill("accept")
    sent = [line for line in shown.lines if line["event"] == "accept_sent"]
    expect(page.locator(".find-count")).to_contain_text(f"{len(sent)} matches")
    page.locator("#find-text").press("Enter")
    expect(page.locator(".find-hit").first).to_have_attribute("aria-current", "true")
    assert line_id(shown.lines[shown.at() - 1]) == line_id(sent[0])
    page.locator("h1").click()
    page.keyboard.press("m")
    expect(page.locator(".message h3")).to_contain_text(
        f"Accept from {sent[0]['node']} to {sent[0]['to']}"
    )
    page.get_by_role("tab", name="Find").click()
    page.locator("#find-text").fill("")


def test_its_events_are_listed_and_filtered(shown: Shown) -> None:
    """By node; an entry leads to its moment."""
    page = shown.page
    page.get_by_label("Node", exact=True).last.select_option("n2")
    settled(page)
    assert set(page.locator(".event-rows .who").all_text_contents()) <= {"n2", "·"}
    page.locator(".event-rows li button").last.click()
    said = shown.lines[shown.at() - 1]
    assert said["node"] in ("n2", "orchestrator")
    page.get_by_label("Node", exact=True).last.select_option(index=0)


def test_the_view_zooms_and_the_minimap_moves_it(shown: Shown) -> None:
    """Where somebody presses is in sight then; what happens stays what it was."""
    page = shown.page
    # A line that asks for a guess hides what follows it; nothing follows the last one.
    page.keyboard.press("End")
    page.keyboard.press("f")
    whole = shown.view()
    for _ in range(6):
        page.keyboard.press("+")
    near = shown.view()
    assert near != whole
    at = shown.at()
    strip = page.locator("#overview")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    moved = shown.view()
    assert moved not in (near, whole)
    assert shown.at() == at
    page.keyboard.press("t")
    assert shown.view() != moved
    page.keyboard.press("t")
    page.keyboard.press("f")


def test_what_is_to_come_can_be_hidden_and_causes_lit(shown: Shown) -> None:
    """Each by a key, and each is seen in the drawing."""
    page = shown.page
    # Far out there are signs of ballots, and no arrows that could be lit.
    for key in ("f", *["+"] * 8, *["Shift+ArrowRight"] * 6):
        page.keyboard.press(key)
    before = shown.view()
    page.keyboard.press("h")
    hidden = shown.view()
    assert hidden != before
    page.keyboard.press("h")
    page.keyboard.press("c")
    lit = shown.view()
    assert lit not in (before, hidden)
    page.keyboard.press("c")
    assert shown.view() == before


def made(shown: Shown, button: str) -> bytes:
    """Press a button of the share sheet, and take what it hands over."""
    with shown.page.expect_download() as download:
        shown.page.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path()).read_bytes()


def share(shown: Shown) -> Page:
    """Its page with the sheet open."""
    shown.page.get_by_role("button", name="Share").first.click()
    expect(shown.page.locator(".share")).to_be_visible()
    return shown.page


def test_it_is_shared_as_picture_and_report(shown: Shown) -> None:
    """A report tells the story; a picture is well-formed, or pixels."""
    share(shown)
    report = made(shown, "HTML report").decode()
    assert "<h2>The story</h2>" in report
    # One drawing for each row that the run is cut into.
    assert 1 <= report.count("<svg ") <= 8
    root = ET.fromstring(made(shown, "SVG picture"))  # noqa: S314 - it is ours
    assert {"n1", "n2", "n3"} <= {element.text for element in root.iter()}
    assert made(shown, "PNG picture").startswith(b"\x89PNG")


def test_it_is_shared_as_log_and_for_other_programs(shown: Shown) -> None:
    """The log is the very bytes; what others get keeps their rules."""
    share(shown)
    assert made(shown, "Log").decode() == text_of(shown.lines)
    events = shiviz_events(made(shown, "ShiViz log").decode())
    assert [event for _, _, event in events] == [
        f"{narrate(line)} [{line_id(line)}]" for line in shown.lines
    ]
    assert shiviz_faults(events) == []
    trace: Any = json.loads(made(shown, "Chrome trace"))
    assert trace_faults(trace) == []
    assert sum(event["ph"] == "X" for event in trace["traceEvents"]) == len(shown.lines)


def test_it_is_shared_as_scenario_and_link_where_it_has_them(shown: Shown, tmp_path: Path) -> None:
    """The lab reads the one; where there is none a sentence says why."""
    page = share(shown)
    if shown.has_scenario:
        path = tmp_path / "shared.yaml"
        path.write_bytes(made(shown, "Scenario"))
        assert read_scenario(path).steps
    else:
        button = page.get_by_role("button", name="Scenario", exact=True)
        if shown.source == "live":
            expect(button).to_be_disabled()
            expect(page.locator("#share-scenario")).to_contain_text("in its folder")
        else:
            button.click()
            expect(page.locator(".share-said")).to_contain_text("a log alone")
    page.get_by_role("button", name="Make the link").click()
    if shown.has_link:
        hash_ = {"counterexample": "story"}.get(shown.source, shown.source)
        expect(page.get_by_role("textbox", name="Link")).to_have_value(re.compile(f"#{hash_}"))
    else:
        expect(page.locator(".share-said")).to_contain_text("file")


def test_it_is_compared_with_a_story(shown: Shown) -> None:
    """What is shown stands on one side, and where they part is told."""
    page = shown.page
    page.get_by_role("button", name="Compare").first.click()
    page.get_by_label("First run", exact=True).select_option("shown:")
    page.get_by_label("Second run", exact=True).select_option("story:basic")
    expect(page.locator(".compare-told")).to_contain_text("difference")
    expect(page.locator(".compare-here.differs")).to_have_count(2)
    count = page.locator(".compare-figures").get_by_role("row", name="Events")
    expect(count.get_by_role("cell").first).to_have_text(f"{len(shown.lines):,}")


def test_it_plays_and_stops(shown: Shown) -> None:
    """With Space, and with Space again."""
    page = shown.page
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause").first).to_be_visible()
    expect(page.locator(".happening")).not_to_contain_text("event 1 of")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play").first).to_be_visible()
    at = shown.at()
    settled(page)
    assert shown.at() == at


class TestStories:
    @pytest.fixture
    def of(self, visit: Visit) -> Callable[[str], Page]:
        """Open a story with its verdict."""

        def open_story(name: str) -> Page:
            page = visit(f"#story={name}")
            page.get_by_role("tab", name="Verdict").click()
            return page

        return open_story

    def test_why_is_answered_without_an_engine(self, of: Callable[[str], Page]) -> None:
        """From the answers that came with it: who reported what had to be pushed."""
        page = of("late-proposer")
        page.get_by_label("Find", exact=True).last.fill("must push 'apple'")
        first = page.locator(".event-rows li button").first
        expect(first).to_contain_text("must push 'apple'")
        first.click()
        expect(page.locator(".whys")).to_contain_text("reported")
        evidence = page.locator(".whys .evidence-link").first
        name = evidence.inner_text()
        evidence.click()
        expect(page).to_have_url(re.compile(f"at={name}"))

    def test_a_counterexample_quotes_what_broke(self, of: Callable[[str], Page]) -> None:
        """It opens at the violation; each quoted event is a way to its moment."""
        page = of(COUNTEREXAMPLE)
        expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
        expect(page.locator(".violations")).to_be_visible()
        page.keyboard.press("Home")
        expect(page.locator(".violations")).to_have_count(0)

    def test_a_counterexample_is_forked_into_the_sandbox(self, of: Callable[[str], Page]) -> None:
        """The same run, in the tab, with the same verdict; another turn can be taken there."""
        offered = sandbox_json()
        if not offered["available"]:
            without(str(offered["why"]))
        page = of(COUNTEREXAMPLE)
        settled(page)
        said = page.locator(".sentence").inner_text()
        page.get_by_role("button", name="Fork into the sandbox").first.click()
        # Python starts in a tab of a busy machine.
        expect(page.get_by_role("button", name="New run…")).to_be_visible(timeout=180_000)
        expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
        expect(page.locator(".sentence")).to_have_text(said, use_inner_text=True)
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("1")
        page.keyboard.press("k")
        expect(page.locator(".branches tr, .branches li").nth(1)).to_be_visible()


def test_a_folder_is_dropped_with_its_verdict(visit: Visit, address: str, tmp_path: Path) -> None:
    """As a file manager hands it over: the log and what stands beside it are read."""
    assert address
    lines = scripted("R4-ignores-reported-values")
    folder = write_run(tmp_path, "20260101-mine", lines)
    page = visit(f"#run={PARTITION}")
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": 400,
                "y": 400,
                "data": {"items": [], "files": [str(folder)], "dragOperationsMask": 1},
            },
        )
    expect(page.locator(".happening")).to_contain_text(f"of {len(lines)}")
    expect(page.locator(".run-bar .verdict-violated")).to_be_visible()
