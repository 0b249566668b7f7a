"""Messages in flight and the ring, in the sandbox: each way to a message, and each fate's own effect."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from paxos.events import Line, line_id
from tests.web_faults import applied, missing
from tests.web_page import click_an_arrow, line_begun, settled
from tests.web_sandbox import answer, link_of, open_recipe, played, recipe, sandbox_page, unpacked

pytestmark = pytest.mark.browser

APPLE = {"propose": {"at": "n1", "value": "apple", "background": True}}
MS = 1_000_000


@pytest.fixture(scope="module")
def shared(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One page whose engine has started; nothing plays by itself."""
    logs = tmp_path_factory.mktemp("logs")
    with sandbox_page(browser, logs, reduced_motion="reduce") as page:
        yield page


def received(lines: list[Line], message: str) -> list[int]:
    """When a message came, each time that it came."""
    return [
        line["at_ns"]
        for line in lines
        if line.get("cause") == message and line["event"].endswith("_received")
    ]


def by_key(page: Page) -> None:
    """Open the message of the line at the cursor."""
    page.keyboard.press("m")


def on_the_ring(page: Page) -> None:
    """Click what flies on the ring; what lies in a pile comes one after another."""
    page.locator(".ring .flight").first.click()


def on_the_canvas(page: Page) -> None:
    """Click an arrow below the first lane."""
    click_an_arrow(page, 85)


def dropped(before: int, after: list[int], _at: int) -> bool:
    """It never comes."""
    return before > 0 and after == []


def delayed(before: int, after: list[int], _at: int) -> bool:
    """It comes 50 ms later, to the nanosecond."""
    return after == [before + 50 * MS]


def doubled(before: int, after: list[int], _at: int) -> bool:
    """It comes as before, and once more."""
    return len(after) == 2 and before in after


def delivered(before: int, after: list[int], at: int) -> bool:
    """It comes right after the line of the command, before it would have, and no second time."""
    return len(after) == 1 and at <= after[0] < min(before, at + MS // 100)


@pytest.mark.parametrize(
    ("seed", "opens", "name", "verb", "more", "holds"),
    [
        (201, by_key, "Drop it", "drop_message", {}, dropped),
        (202, on_the_ring, "Delay it by 50 ms", "delay_message", {"delay_ms": 50}, delayed),
        (203, on_the_canvas, "Double it", "duplicate_message", {}, doubled),
        (204, by_key, "Deliver it now", "deliver_message", {}, delivered),
        (205, on_the_ring, "Deliver it now", "deliver_message", {}, delivered),
        (206, on_the_canvas, "Drop it", "drop_message", {}, dropped),
    ],
)
def test_each_fate_of_a_message_does_what_its_button_says(
    shared: Page,
    seed: int,
    opens: Callable[[Page], None],
    name: str,
    verb: str,
    more: dict[str, int],
    holds: Callable[[int, list[int], int], bool],
) -> None:
    """Opened by a key, on the ring or on the canvas; the branch's own log shows what became of it."""
    made = recipe(APPLE, seed=seed)
    _, lines = played(made)
    sent = next(line for line in lines if line["event"] == "prepare_sent" and line["to"] == "n3")
    open_recipe(shared, made, line_id(sent))
    expect(shared.locator("#now-title")).to_contain_text(f"event {lines.index(sent) + 1} of")
    settled(shared)
    opens(shared)
    title = shared.locator("#message-title")
    expect(title).to_be_visible()
    message = title.inner_text().split()[-1]
    (before,) = received(lines, message)
    shared.locator(".message-acts").get_by_role("button", name=name, exact=True).click()
    expect(answer(shared)).to_contain_text(re.compile(rf"\b{message}\b"))
    expect(answer(shared)).to_have_class("done")
    expect(shared.locator(".branches li")).to_have_count(2)
    linked = unpacked(link_of(shared))
    step = {"message": message, **more} if more else message
    assert linked["commands"][-1]["do"] == {verb: step}
    result, later = played(linked)
    at = later[result["given"][-1] - 1]["at_ns"]
    assert holds(before, received(later, message), at), (before, received(later, message), at)


def test_a_line_drawn_across_the_ring_parts_the_network(shared: Page) -> None:
    """With the mouse: both sides are told while it is drawn, and a line too short parts nothing."""
    open_recipe(shared, recipe(seed=210, nodes=5))
    line_begun(shared)
    hint = shared.locator(".split-hint")
    expect(hint).to_contain_text("must have nodes on both its sides")
    shared.mouse.up()
    settled(shared)
    expect(shared.locator(".ring path.wall")).to_have_count(0)
    shared.mouse.move(*line_begun(shared), steps=6)
    expect(hint).to_contain_text(re.compile(r"Let go to part n\d n\d from n\d n\d n\d"))
    expect(shared.locator(".ring .halo")).to_have_count(2)
    one, other = (side.split() for side in re.findall(r"((?:n\d ?)+)", hint.inner_text()))
    shared.mouse.up()
    expect(answer(shared)).to_contain_text(f"part {' '.join(one)} | {' '.join(other)}")
    expect(answer(shared)).to_have_class("done")
    expect(shared.locator(".ring path.wall")).to_have_count(1)
    expect(shared.locator(".ring .split-line")).to_have_count(0)
    linked = unpacked(link_of(shared))
    assert [command["do"] for command in linked["commands"]] == [{"partition": [one, other]}]
    _, lines = played(linked)
    assert missing([applied("partition", groups=[one, other])], lines) == []
