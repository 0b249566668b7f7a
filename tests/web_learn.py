"""The learning room for its tests: what it says, where its moments are, and how it is visited."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.pyodide import sandbox_json
from orchestrator.stories import story_files
from tests.conftest import no_browser_reason
from tests.web_node import ask_node, without
from tests.web_page import visiting

FILES = ("events.jsonl", "run.json", "verdict.json")

VISIT = {"viewport": {"width": 1360, "height": 900}, "reduced_motion": "reduce"}
"""How pages are opened where nothing should glide; see ``visit`` in conftest.py."""

EXHIBITS = (
    "two-phases",
    "one-value",
    "binding",
    "majorities",
    "minority",
    "persistence",
    "numbers",
    "schemes",
    "retries",
    "degradation",
)
"""One for each insight, in the order of docs/scenarios.md."""


STORIES = (
    "basic",
    "bridge",
    "competing",
    "convergence",
    "crash-after-promise",
    "crash-majority",
    "crash-majority--never-retries",
    "crash-minority",
    "crash-proposer",
    "duel",
    "late-proposer",
    "partition",
    "ranges",
    "restart-all",
    "tour",
    "tour--ignore-accepted",
    "broken--accept-below-promise",
    "broken--half-quorum-by-hand",
    "broken--number-reused-by-hand",
    "broken--promise-omits-accepted",
    "broken--reply-before-write-by-hand",
    "broken--skips-phase-1-by-hand",
    "broken--small-quorum",
)
"""The stories that the room opens."""


def told(folder: Path) -> dict[str, Any]:
    """What the room says, and where its moments are in the stories of a folder."""
    found: dict[str, Any] = ask_node("web_learn.mjs", {"folder": str(folder)})
    return found


def write_story(folder: Path, name: str) -> None:
    """Put a story's files into a folder."""
    files = story_files(name)
    (folder / name).mkdir(parents=True)
    for file in FILES:
        (folder / name / file).write_bytes(files[file])


def write_stories(folder: Path) -> Path:
    """Put the stories that the room opens into a folder."""
    for name in STORIES:
        write_story(folder, name)
    return folder


def stage(page: Page) -> Any:
    """The caption, the list or the variant that is open."""
    return page.locator(".stage")


def at_event(page: Page, place: int) -> None:
    """Wait until the page stands at a line of its story."""
    expect(page.locator("#now-title")).to_contain_text(f"event {place + 1:,} of ")


def places_of(room: dict[str, Any], guide: str) -> list[dict[str, Any]]:
    """The places of the tour or of one exhibit."""
    return [place for place in room["places"] if place["key"].startswith(f"{guide}/")]


@contextlib.contextmanager
def with_engine(browser: Browser, address: str, **settings: Any) -> Iterator[Page]:
    """One page for all that needs the engine, which takes some seconds to start.

    Its console must stay empty. Skips where the engine is missing, and fails
    instead under CI=true.

    Args:
        browser: opens it.
        address: the page's, with the hash to open.
        settings: of the browser's context, beside less motion.
    """
    if (reason := no_browser_reason()) is not None:
        pytest.skip(reason)
    if not sandbox_json()["available"]:
        without(sandbox_json()["why"])
    bare, _, hash_ = address.partition("#")
    with visiting(browser, bare) as visit:
        page = visit(f"#{hash_}", reduced_motion="reduce", **settings)
        page.set_default_timeout(60_000)
        yield page
