"""The page in a browser, for tests of whatever room: how it is opened, and what it must not say."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

Visit = Callable[..., Page]
_STREAM = "live/events"
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

    def note(text: str) -> None:
        # The machine's networks change while containers start; the page asks again.
        if _NETWORK_CHANGED not in text:
            complaints.append(text)

    def listen(message: ConsoleMessage) -> None:
        # A browser reports each refusal; the page says it in a sentence.
        refused = message.location.get("url", "").endswith(_COMMANDS)
        if message.type in {"error", "warning"} and not refused:
            note(message.text)

    def open_page(
        hash_: str = "", *, prepare: Callable[[Page], None] | None = None, **settings: Any
    ) -> Page:
        settings.setdefault("viewport", {"width": 1360, "height": 1000})
        context = browser.new_context(**settings)
        contexts.append(context)
        # A browser drops its requests when the machine's networks change, and
        # a script that is missing ends the page. What asks here in its stead
        # does not drop them. A stream has no end to wait for.
        context.route(
            lambda url: _STREAM not in url, lambda route: route.fulfill(response=route.fetch())
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: note(str(error)))
        if prepare is not None:
            prepare(page)
        page.goto(address + hash_)
        # A run that is shown, a mode that waits for one, or why there is none.
        expect(page.locator(".sentence, .start, [role=alert]").first).to_be_visible()
        context.unroute_all(behavior="wait")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complains or complaints == []


def settled(page: Page) -> None:
    """Wait until what was asked for has been drawn."""
    page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
    )
