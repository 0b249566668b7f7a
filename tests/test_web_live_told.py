"""A live run as it is told: one that goes wrong, and one that is full of strangers' texts."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from orchestrator.web.desk import Desk, Offer
from orchestrator.web.feed import Bells
from paxos.checker import VIOLATED, check_lines
from paxos.events import Line, encode, line_id, narrate
from tests.feed_load import Simulated, serving_desk
from tests.logbuilder import build
from tests.web_page import MARKUP, visiting
from tests.web_sandbox import do, done, nothing_ran, select
from tests.web_server import Page, scripted

pytestmark = pytest.mark.browser


class Told(Simulated):
    """A live run of three nodes that says of itself what it is made to say."""

    said: Mapping[str, Any] = {}

    def state(self) -> dict[str, Any]:
        """Three nodes, and what is to be said."""
        return {**super().state(), "members": ["n1", "n2", "n3"], **self.said}


class World:
    """Where one such run is. Implements ``orchestrator.web.desk.World``."""

    def __init__(self, folder: Path, lines: list[Line], said: Mapping[str, Any]) -> None:
        self._folder = folder
        self._lines = list(map(encode, lines))
        self._said = said
        self.runs: list[Told] = []

    def offer(self) -> Offer:
        """Always there."""
        return Offer(available=True, why="A cluster that is told.", world="local")

    def begin(self, bells: Bells) -> Told:
        """Begin; lines come by hand."""
        run = Told(self._folder, self._lines, 0, bells)
        run.said = self._said
        self.runs.append(run)
        return run


@contextmanager
def going(folder: Path, lines: list[Line], **said: Any) -> Iterator[tuple[Page, Told]]:
    """A live run that has begun, brings these lines by hand, and says this of itself."""
    world = World(folder, lines, said)
    with serving_desk(folder / "logs", Desk(world)) as site:
        status, told = site.post("live/begin", {})
        assert status == 200, told
        yield site, world.runs[0]


def judge(run: Told, lines: list[Line]) -> list[dict[str, Any]]:
    """Say what the checker says of these lines, as the judge of a live run does.

    Returns:
        The violations that it found.
    """
    verdict = check_lines(lines)
    counts = {"line_count": len(lines), "feed_count": len(lines)}
    content = {**verdict.as_json(), **counts}
    run.live.judged["verdict"] = json.dumps(content).encode()
    violations: list[dict[str, Any]] = content["violations"]
    return violations


def test_a_run_that_goes_wrong_is_told_at_once(browser: Browser, tmp_path: Path) -> None:
    """The rule, the two events, the way to them; before it all was well, and play stops at it."""
    lines = scripted("R4-ignores-reported-values")
    by_name = {line_id(line): place for place, line in enumerate(lines)}
    (broken, _) = check_lines(lines).as_json()["violations"]
    proof = sorted(by_name[name] for name in broken["lines"])
    safe = proof[-1]
    with going(tmp_path, lines) as (site, run), visiting(browser, site.url) as visit:
        assert judge(run, lines[:safe]) == []
        run.bring(safe)
        page = visit(f"#live&token={site.token}", reduced_motion="reduce")
        expect(page.locator(".run-bar")).to_contain_text(f"{safe} events")
        page.get_by_role("tab", name="Verdict").click()
        expect(page.locator(".verdict > h3").first).to_contain_text("safe so far")
        expect(page.locator(".rules .rule-violated")).to_have_count(0)
        expect(page.locator(".violations")).to_have_count(0)

        found = judge(run, lines)
        assert check_lines(lines).verdict == VIOLATED
        run.bring(len(lines))
        expect(page.locator(".run-bar .verdict-violated")).to_contain_text("violated")
        expect(page.locator(".verdict > h3 .verdict-violated")).to_be_visible()
        expect(page.locator(".rules .rule-violated")).to_have_count(len(found))
        first = page.locator(".violations > li").first
        expect(first).to_contain_text("R4")
        # Of all that prove it, those that contradict each other, in the words of the terminal.
        quotes = first.locator("button")
        expect(quotes).to_have_text([narrate(lines[proof[0]]), narrate(lines[proof[-1]])])

        quotes.last.click()
        expect(page.locator("#now-title")).to_contain_text(f"event {proof[-1] + 1} of")
        expect(page.locator("#now-title .point.violation")).to_be_visible()
        expect(page.locator(".sentence")).to_have_text(narrate(lines[proof[-1]]))
        stops_there(page, proof[-1])
        page.keyboard.press("g")
        expect(page.locator(".run-bar .now")).to_be_visible()
        expect(page.locator(".verdict > h3 .verdict-violated")).to_be_visible()


def stops_there(page: Tab, place: int) -> None:
    """From the beginning all is well, and playing ends where it is not."""
    page.locator("h1").click()
    page.keyboard.press("Home")
    expect(page.locator("#now-title")).to_contain_text("event 1 of")
    expect(page.locator(".rules .rule-violated")).to_have_count(0)
    expect(page.get_by_role("button", name="Go to the next of 2 violations")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator("#now-title")).to_contain_text(f"event {place + 1} of")
    expect(page.get_by_role("button", name="▶ Play")).to_be_visible()
    expect(page.locator(".rules .rule-violated").first).to_be_visible()


STRANGE: dict[str, Any] = {
    "why": MARKUP,
    "faults": [{"name": MARKUP, "verb": "hold", "text": f"hold accept {MARKUP}"}],
    "commands": ["propose", "kill", "heal", "hold", "drop", "release"],
    "instances": {MARKUP: 1},
    "instance": MARKUP,
}
"""All that a live run may say of itself, from a stranger."""


def test_what_strangers_wrote_is_text(browser: Browser, tmp_path: Path) -> None:
    """Values, reasons, names of faults, answers and refusals: shown as they are, and no markup."""
    lines = json.loads(
        json.dumps(scripted("R4-ignores-reported-values")).replace('"apple"', json.dumps(MARKUP))
    )
    with (
        going(tmp_path, lines, **STRANGE) as (site, run),
        visiting(browser, site.url) as visit,
    ):
        judge(run, lines)
        accept = next(line for line in lines if line["event"] == "accept_sent")
        why = {"line": line_id(accept), "kind": "accept", "sentence": MARKUP, "events": []}
        run.live.judged["why"] = json.dumps({"v": 1, "whys": [why]}).encode()
        run.bring(len(lines))
        page = visit(f"#live&token={site.token}", reduced_motion="reduce")
        expect(page.locator(".run-bar .now")).to_be_visible()
        expect(page.locator(".choice .value").first).to_have_attribute("title", MARKUP)
        expect(page.locator(".event-rows")).to_contain_text("<img")

        do(page, "Release…")
        expect(page.locator(".form")).to_contain_text(MARKUP)
        select(page, "n2")
        do(page, "Propose…")
        page.get_by_label("Value").fill(MARKUP)
        page.locator(".form").get_by_role("button", name="Do it").click()
        done(page, "<img")
        nothing_ran(page)

        place = lines.index(accept)
        page.locator(".controls input[type=range]").fill(str(place))
        expect(page.locator(".whys")).to_contain_text(MARKUP)
        nothing_ran(page)
        assert run.commands[-1]["propose"]["value"] == MARKUP


def test_the_key_for_a_node_that_is_down_starts_it(browser: Browser, tmp_path: Path) -> None:
    """As soon as the ring shows it, though the server has not said yet that it knows."""
    lines = build("client n1 apple\nn2 killed")
    commands = ["kill", "start"]
    with (
        going(tmp_path, lines, commands=commands, down=[]) as (site, run),
        visiting(browser, site.url) as visit,
    ):
        run.bring(len(lines))
        page = visit(f"#live&token={site.token}")
        expect(page.locator(".ring .node.down")).to_have_count(1)
        page.keyboard.press("2")
        page.keyboard.press("k")
        done(page, "start n2")
        assert run.commands == [{"start": "n2"}]
