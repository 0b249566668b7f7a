"""The page in a browser, for tests of whatever room: how it is opened, and what it must not say."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

Visit = Callable[..., Page]
VIEWPORT = {"width": 1360, "height": 1000}
PICTURES = Path(__file__).parent.parent / "test-results" / "pictures"
MARKUP = '<img src="x" onerror="document.title = 1"><script>document.title = 2</script>'
"""What a stranger may propose, or call something; it must stay text."""
LIMIT_MS: Final = 60_000
"""A limit, not a wait: a busy machine may take long to open a browser's page."""
_SHOWN = ".sentence, .start, .compare, .stage, [role=alert]"
_TRIES = 4
_COMMANDS = "live/commands"
_NETWORK_CHANGED = "ERR_NETWORK_CHANGED"


@contextlib.contextmanager
def visiting(browser: Browser, address: str, *, complains: bool = True) -> Iterator[Visit]:
    """Open the page at a hash, in a context of its own, as often as wanted.

    Args:
        browser: opens it.
        address: the page's, without a hash.
        complains: fail in the end if it wrote an error or a warning to its
            console. A script that throws, a missing file and a breach of the
            content security policy all do.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        hash_: str = "", *, prepare: Callable[[Page], None] | None = None, **settings: Any
    ) -> Page:
        context = browser.new_context(**{"viewport": VIEWPORT, **settings})
        contexts.append(context)
        hear(context, complaints)
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        if prepare is not None:
            prepare(page)
        _load(page, address + hash_)
        # What is shown, what waits for somebody to begin, or why there is neither.
        expect(page.locator(_SHOWN).first).to_be_visible()
        return page

    try:
        yield open_page
    finally:
        # Also where a test has failed: what stays open goes on playing beside the next ones.
        for number, context in enumerate(contexts):
            _keep_pictures(context, number)
            context.close()
    assert not complains or complaints == [], complaints


def hear(context: BrowserContext, complaints: list[str]) -> None:
    """Note every error and warning that the pages of a context and their workers write.

    Args:
        context: before its first page.
        complaints: grows by the text of each, and of each error that nobody caught.
    """

    def note(text: str) -> None:
        # The machine's networks change while containers start; the page asks again.
        if _NETWORK_CHANGED not in text:
            complaints.append(text)

    def listen(message: ConsoleMessage) -> None:
        # A browser reports each refusal; the page says it in a sentence.
        refused = message.location.get("url", "").endswith(_COMMANDS)
        if message.type in {"error", "warning"} and not refused:
            note(message.text)

    context.on("console", listen)
    context.on("weberror", lambda error: note(str(error.error)))


def _load(page: Page, address: str) -> None:
    """Open an address; again where the browser dropped a script.

    It drops what is under way when the machine's networks change, as they do
    while containers start, and a script that is missing ends the page.
    """
    dropped: list[str] = []
    page.on(
        "requestfailed",
        lambda request: (
            dropped.append(request.url) if _NETWORK_CHANGED in (request.failure or "") else None
        ),
    )
    for _ in range(_TRIES):
        dropped.clear()
        # To go where one is but for the hash would load nothing.
        page.goto("about:blank")
        page.goto(address)
        if not dropped:
            return


def _keep_pictures(context: BrowserContext, number: int) -> None:
    """Under CI, keep how each page looked in the end, for people to look at."""
    if os.environ.get("CI") != "true":
        return
    test = re.sub(r"[^A-Za-z0-9_-]+", "-", os.environ.get("PYTEST_CURRENT_TEST", "page"))[:150]
    for place, page in enumerate(context.pages):
        page.screenshot(path=PICTURES / f"{test}-{number}-{place}.png")


def awaited(page: Page, condition: str) -> None:
    """Wait until an expression holds in the page.

    Playwright's own wait evaluates text again and again, which the page's
    content security policy forbids.
    """
    page.evaluate(
        f"new Promise(done => {{ const look = () => ({condition}) ? done()"
        " : requestAnimationFrame(look); look(); })"
    )


def in_both_themes(page: Page) -> Iterator[str]:
    """Show the page in light, then in dark: a page that is loaded once is judged in both."""
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        awaited(page, f"document.documentElement.dataset.theme === '{theme}'")
        settled(page)
        yield theme


def settled(page: Page) -> None:
    """Wait until what was asked for has been drawn."""
    page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
    )


_RECORD = """selector => {
    window.recorded = [];
    const look = () => {
        const text = document.querySelector(selector)?.textContent.trim().replace(/\\s+/g, " ");
        if (text !== undefined && text !== window.recorded.at(-1)) window.recorded.push(text);
        requestAnimationFrame(look);
    };
    look();
}"""


def recording(page: Page, selector: str) -> None:
    """Keep each text that a part of the page shows, frame by frame; to be done before it is loaded.

    What is shown for a moment only may be gone before a test looks.
    """
    page.add_init_script(f"({_RECORD})({json.dumps(selector)})")


def recorded_texts(page: Page) -> list[str]:
    """All that was shown since, in order."""
    settled(page)
    found: list[str] = page.evaluate("window.recorded")
    return found


def click_an_arrow(page: Page, below: int, *, apart: int = 6) -> None:
    """Find an arrow of the drawing by hovering, as a person would, and click it.

    Args:
        page: with a run that has arrows there.
        below: how many pixels below the drawing's upper edge to look.
        apart: how many pixels to go on at a time.
    """
    canvas = page.locator("#spacetime")
    # A drawing that is due might move it.
    settled(page)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    for step in range(1200 // apart):
        x, y = box["x"] + 60 + step * apart, box["y"] + below
        page.mouse.move(x, y)
        settled(page)
        if "led to" in (page.locator(".related").text_content() or ""):
            page.mouse.click(x, y)
            return
    raise AssertionError(f"no arrow was found {below} pixels below the upper edge")


def line_begun(page: Page) -> tuple[float, float]:
    """Press at the left of the ring and draw a line too short to part anything.

    Returns:
        Where a line from there must end to part the network: x and y.
    """
    ring = page.locator(".ring svg")
    # A drawing that is due might move it.
    settled(page)
    ring.scroll_into_view_if_needed()
    box = ring.bounding_box()
    assert box is not None
    left, middle = box["x"] + box["width"] * 0.04, box["y"] + box["height"] * 0.57
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + 4, middle)
    return box["x"] + box["width"] * 0.96, middle


def drop(page: Page, files: dict[str, str], on: str = "body") -> None:
    """Drop files on a part of the page, as a browser would.

    Args:
        page: with a run, or none yet.
        files: their texts, by name.
        on: where, as a selector.
    """
    page.evaluate(
        """([files, on]) => {
            const transfer = new DataTransfer();
            for (const [name, text] of Object.entries(files)) {
                transfer.items.add(new File([text], name));
            }
            const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
            document.querySelector(on).dispatchEvent(event);
        }""",
        [files, on],
    )


_SIGHT = """() => {
    const draw = CanvasRenderingContext2D.prototype;
    const { strokeRect } = draw;
    draw.strokeRect = function (x, y, wide, high) {
        if (this.canvas.id === "overview") window.sight = [x, wide];
        strokeRect.call(this, x, y, wide, high);
    };
}"""
"""Keeps which part of the strip is framed: the part of the run that the view shows."""


def watching_sight(page: Page) -> None:
    """Keep what is in sight, for :func:`sight`; to be done before the page is loaded."""
    page.add_init_script(f"({_SIGHT})()")


def sight(page: Page) -> tuple[float, float]:
    """Where the part that is in sight begins, and how wide it is, in pixels of the strip."""
    settled(page)
    left, wide = page.evaluate("window.sight")
    return left, wide
