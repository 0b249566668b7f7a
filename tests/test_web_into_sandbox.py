"""The ways from elsewhere into the sandbox, and what its engine does for runs of elsewhere."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.stories import story_files, variants_json
from paxos.events import Line, line_id
from tests.web_learn import VISIT, stage
from tests.web_page import drop
from tests.web_sandbox import answer, link_of, need_engine, played, sandbox_page, unpacked
from tests.web_server import scripted, text_of

pytestmark = pytest.mark.browser
__all__ = ["VISIT"]

SERVED = "20260101-120000-broken"
WAY_OUT = "broken--ignore-accepted-shortest"
"""A story whose recording stands for a run that nobody here has played."""
AT = 12
"""The event from which it can still go wrong, and has not."""
MISSING = {"available": False, "why": "Pyodide is not there.", "pyodide": None}


@pytest.fixture(scope="module")
def shared(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One page whose engine has started, with a recorded run that breaks a rule."""
    logs = tmp_path_factory.mktemp("logs")
    (logs / SERVED).mkdir()
    for name, content in story_files(WAY_OUT).items():
        (logs / SERVED / name).write_bytes(content)
    (logs / SERVED / "history.jsonl").write_text("", encoding="utf-8")
    with sandbox_page(browser, logs, reduced_motion="reduce") as page:
        yield page


def lines_of(story: str) -> list[Line]:
    """The lines of a story."""
    return [json.loads(row) for row in story_files(story)["events.jsonl"].splitlines()]


def moment(line: Line) -> tuple[str, str, int]:
    """What happened where and when."""
    return line["node"], line["event"], line["at_ns"]


def in_the_sandbox(page: Page) -> None:
    """The sandbox is the mode that is shown."""
    expect(page.locator(".modes [aria-current=page]")).to_have_text("Sandbox")


def made_anew(page: Page) -> None:
    """The sandbox shows what was asked for last, and no run of an earlier test."""
    in_the_sandbox(page)
    expect(page.locator(".busy-chip")).to_have_count(0)
    expect(page.locator(".run-bar")).to_contain_text("Seed")


def without_engine(page: Page) -> None:
    """As on a server that has no Pyodide."""
    page.route("**/sandbox.json", lambda route: route.fulfill(json=MISSING))


# --- a variant's own way ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "way", "story"),
    [
        ("number-reused", "the shortest way", "broken--number-reused-shortest"),
        ("number-reused", "by hand, to two values", "broken--number-reused-by-hand"),
        ("promise-omits-accepted", "as a story", "broken--promise-omits-accepted"),
        ("accepts-once", "bridge", "bridge--accepts-once"),
    ],
)
def test_a_variants_run_is_played_again_in_the_sandbox(
    shared: Page, variant: str, way: str, story: str
) -> None:
    """The very run that its page shows: as many lines, and the same verdict."""
    shared.evaluate(f"location.hash = '#variant={variant}'")
    expect(stage(shared).locator(".guide-name")).to_have_text(variant)
    stage(shared).get_by_role("button", name=way, exact=True).click()
    lines = lines_of(story)
    expect(shared.locator("#now-title")).to_contain_text(f"of {len(lines):,}")
    # What was expected of it is told behind a recording's end, by whoever recorded it.
    lines = [line for line in lines if line["event"] != "expectation_checked"]
    stage(shared).get_by_role("button", name="Fork it into the sandbox").click()
    made_anew(shared)
    expect(shared.locator(".run-bar")).to_contain_text(f"{len(lines):,} events")
    expect(stage(shared)).to_have_count(0)
    verdict = json.loads(story_files(story)["verdict.json"])["verdict"]
    expect(shared.locator(f".run-bar .verdict-{verdict}")).to_be_visible()
    made = unpacked(link_of(shared))
    assert made["variant"] == variant
    result, again = played(made)
    assert result["verdict"]["verdict"] == verdict
    assert [moment(line) for line in again] == [moment(line) for line in lines]


def test_a_variant_without_a_run_begins_at_rest(shared: Page) -> None:
    """Its cluster runs with the variant, and whoever opens it proposes."""
    names = [one["name"] for one in variants_json()["variants"] if not one["stories"]]
    assert names, "there is a variant that no story shows"
    shared.evaluate(f"location.hash = '#variant={names[0]}'")
    expect(stage(shared).locator(".guide-name")).to_have_text(names[0])
    stage(shared).get_by_role("button", name="Fork it into the sandbox").click()
    made_anew(shared)
    expect(shared.locator(".sentence")).to_contain_text("has just started, and rests")
    made = unpacked(link_of(shared))
    assert (made["variant"], made["scenario"], made["commands"]) == (names[0], None, [])


# --- begin there ------------------------------------------------------------------------


def test_a_newcomer_breaks_it(visit: Callable[..., Page]) -> None:
    """From the first page into a cluster that rests, where one click has a value chosen."""
    need_engine()
    page = visit()
    page.get_by_role("button", name="Break it yourself").click()
    in_the_sandbox(page)
    title = page.locator(".run-title")
    expect(title).to_have_text("A sandbox of 5 nodes", timeout=180_000)
    page.locator(".commands").get_by_role("button", name="Do it", exact=True).click()
    expect(answer(page)).to_have_class("done")
    expect(page.locator(".choice")).to_contain_text("accepted by")


def test_without_an_engine_the_newcomer_is_told(visit: Callable[..., Page]) -> None:
    """And everything else is as it was."""
    page = visit(prepare=without_engine)
    page.get_by_role("button", name="Break it yourself").click()
    expect(page.get_by_text("Pyodide is not there.").first).to_be_visible()
    page.locator(".modes").get_by_role("button", name="Replay").click()
    expect(page.locator(".run-title")).to_have_text("Six steps over one run")


# --- judging ----------------------------------------------------------------------------


def test_a_log_is_judged_where_the_engine_has_not_started(visit: Callable[..., Page]) -> None:
    """By the button alone: to start the engine unasked would cost seconds."""
    need_engine()
    page = visit("#story=basic")
    drop(page, {"mine.jsonl": text_of(scripted("R4-ignores-reported-values"))})
    expect(page.locator(".run-title")).to_have_text("mine.jsonl")
    page.get_by_role("tab", name="Verdict").click()
    expect(page.locator(".verdict")).to_contain_text("No verdict is beside this log")
    page.get_by_role("button", name="Judge it in this tab").click()
    expect(page.locator(".run-bar .verdict-violated")).to_be_visible(timeout=180_000)
    page.locator("h1").click()
    page.keyboard.press("End")
    expect(page.locator(".violations")).to_contain_text("R4")
    expect(page.get_by_role("button", name="Judge it in this tab")).to_have_count(0)


def test_without_an_engine_no_button_promises_a_verdict(visit: Callable[..., Page]) -> None:
    """The page says that there is none, and offers nothing that it has not."""
    page = visit("#story=basic", prepare=without_engine)
    drop(page, {"mine.jsonl": text_of(scripted("R4-ignores-reported-values"))})
    expect(page.locator(".run-title")).to_have_text("mine.jsonl")
    page.get_by_role("tab", name="Verdict").click()
    expect(page.locator(".verdict")).to_contain_text("No verdict is beside this log")
    expect(page.get_by_role("button", name="Judge it in this tab")).to_have_count(0)


# --- exploring what was recorded ----------------------------------------------------------


def served(page: Page) -> None:
    """Open the run of the server's list, at the event."""
    at = line_id(lines_of(WAY_OUT)[AT - 1])
    page.evaluate("hash => { location.hash = hash; }", f"#run={SERVED}&at={at}")


def dropped(page: Page) -> None:
    """Drop its log alone, and go to the event."""
    drop(page, {"mine.jsonl": story_files(WAY_OUT)["events.jsonl"].decode()})
    expect(page).not_to_have_url(re.compile("#"))
    page.get_by_role("slider", name="Event", exact=True).fill(str(AT - 1))


@pytest.mark.parametrize("opens", [served, dropped], ids=["served", "dropped"])
def test_what_a_recorded_run_can_come_to_is_played_in_the_sandbox(
    shared: Page, opens: Callable[[Page], None]
) -> None:
    """From the page to the way that breaks it: the tab plays it, and convicts it."""
    opens(shared)
    expect(shared.locator("#now-title")).to_contain_text(f"event {AT} of")
    shared.get_by_role("tab", name="Do").click()
    expect(shared.locator("#panel")).to_contain_text("This run is recorded")
    shared.get_by_role("button", name=f"Explore from event {AT}").click()
    told = shared.locator(".explore .answer")
    expect(told).to_contain_text("It can go wrong", timeout=180_000)
    shared.get_by_role("button", name="Take the shortest way, in the sandbox").click()
    made_anew(shared)
    shared.locator("h1").click()
    shared.keyboard.press("End")
    expect(shared.locator("#tab-verdict")).to_contain_text("✗")
    result, _ = played(unpacked(link_of(shared)))
    assert result["verdict"]["verdict"] == "violated"
