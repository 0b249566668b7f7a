"""What the page opens, and how it leaves a room: a log of containers, links, a log that is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.big_log import log_lines
from tests.web_page import Visit, drop, settled, visiting
from tests.web_server import HERE, recorded, serving, write_run

pytestmark = pytest.mark.browser

VISIT = {"reduced_motion": "reduce"}
RUN = "20260101-a-run"
LONG = "20260102-a-long-one"
DOCKER = HERE / "fixtures" / "whatif" / "docker-late-proposer"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with one short run."""
    logs = tmp_path_factory.mktemp("logs")
    write_run(logs, RUN, recorded("local-partition"))
    with serving(logs) as url:
        yield url


@pytest.mark.parametrize("beside", [True, False])
def test_a_log_of_containers_is_dropped(visit: Visit, beside: bool) -> None:
    """It says that it is one where its table lies beside it; the run is read by itself."""
    log = DOCKER.with_suffix(".jsonl").read_text("utf-8")
    files = {"events.jsonl": log}
    if beside:
        files["run.json"] = DOCKER.with_suffix(".json").read_text("utf-8")
    page = visit()
    drop(page, files)
    expect(page.locator("#now-title")).to_contain_text(f"of {len(log.splitlines())}")
    expect(page.locator(".run-title")).to_contain_text("late")
    expect(page.locator(".run-bar").get_by_text("real containers")).to_have_count(int(beside))
    page.locator("h1").click()
    page.keyboard.press("End")
    expect(page.locator(".choice .value").first).to_have_attribute("title", "apple")
    expect(page.locator(".acceptors tbody tr")).to_have_count(5)


@pytest.mark.parametrize(
    ("room", "link", "title"),
    [
        ("variants", f"run={RUN}", "Three nodes here"),
        ("variants", "story=basic", "One proposer"),
        ("tour=2", "story=basic", "One proposer"),
    ],
)
def test_a_link_to_a_run_leads_out_of_a_room(
    visit: Visit, room: str, link: str, title: str
) -> None:
    """The room closes, and the address stays the one that was entered."""
    page = visit(f"#{room}")
    expect(page.locator(".stage")).to_be_visible()
    page.evaluate("hash => { location.hash = hash; }", f"#{link}")
    expect(page.locator(".run-title")).to_contain_text(title)
    expect(page.locator(".stage")).to_have_count(0)
    expect(page.locator(".sentence")).to_be_visible()
    settled(page)
    assert page.evaluate("location.hash").startswith(f"#{link}")


@pytest.mark.parametrize("what", ["Log", "ShiViz log"])
def test_a_log_that_is_gone_is_said_by_whoever_exports_it(
    browser: Browser, tmp_path: Path, what: str
) -> None:
    """In a sentence, and as no fault of the page; nothing is saved, and it may be asked again."""
    write_run(tmp_path, LONG, list(log_lines(25_000)), title="A long one")
    # The browser writes each answer that does not come to its console.
    with serving(tmp_path) as address, visiting(browser, address, complains=False) as visit:
        page = visit(f"#run={LONG}")
        expect(page.locator("#now-title")).to_contain_text("of 25,000")
        page.route("**/events.jsonl", lambda route: route.abort())
        saved: list[str] = []
        page.on("download", lambda download: saved.append(download.suggested_filename))
        export(page, what)
        said = page.locator(".share-said")
        expect(said).to_have_text("The server does not answer; it is asked again.")
        expect(said).to_have_class("share-said bad")
        assert saved == []
        page.unroute("**/events.jsonl")
        if what == "Log":
            # Of single lines none is asked for again before a moment has passed.
            with page.expect_download() as come:
                export(page, what)
            assert come.value.suggested_filename
            expect(said).to_contain_text("is made")


def export(page: Page, what: str) -> None:
    """Ask for a file in the share sheet."""
    if page.locator(".share").count() == 0:
        page.get_by_role("button", name="Share", exact=True).click()
    page.locator(".share-files").get_by_role("button", name=what, exact=True).click()
