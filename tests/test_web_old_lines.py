"""Old lines come back, whatever becomes of the worker that packs them or of the connection.

Of a live run only the newest lines stay as they are; older ones lie packed in
the page (``web/log/shelf.js``). Of a long recorded run the server has them.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from paxos.events import Line, line_id, narrate
from tests.big_log import log_lines
from tests.feed_load import serving_feed
from tests.web_node import ask_node
from tests.web_page import visiting
from tests.web_server import serving, write_run

# A test can end the stream.
STREAM_AT_HAND = """
    window.EventSource = class extends EventSource {
        constructor(...settings) {
            super(...settings);
            window.stream = this;
        }
    };
"""


TEXTS = [f"{'so ' * 4_000}{number} ä\n" for number in range(6)]


def page(ask: str, **request: Any) -> Any:
    """What the page's modules answer, run in Node."""
    return ask_node("web_old_lines.mjs", {"ask": ask, **request})


class TestShelf:
    @pytest.mark.parametrize(
        ("worker", "given"), [("works", 12), ("dies", 6), ("refuses", 12), ("none", 0)]
    )
    def test_no_text_is_lost_whatever_becomes_of_the_worker(self, worker: str, given: int) -> None:
        """What it has packed, what it was about to, and what comes after it has died."""
        found = page("shelf", texts=TEXTS, worker=worker, done=2)
        assert found["atOnce"] == found["packed"] == TEXTS
        assert found["later"] == [f"{text} later" for text in TEXTS]
        assert found["given"] == given
        assert (found["waiting"] > 0) or worker != "refuses", "what cannot be packed stays as it is"

    @pytest.mark.parametrize(("source", "chunks"), [("memory", 60), ("served", 120)])
    def test_all_that_is_waited_for_is_here_however_much(self, source: str, chunks: int) -> None:
        """More than otherwise stays, and afterwards no more than that."""
        found = page("want", source=source, chunks=chunks, worker="works")
        assert found["missing"] == []
        assert found["held"] in {0, None}
        assert found["here"] in {24, None}

    def test_a_line_may_go_to_the_shelf_while_it_is_waited_for(self) -> None:
        """Lines go on coming meanwhile."""
        assert page("moved", worker="works") == [5, True, True]

    def test_a_text_that_cannot_be_had_is_said_to_all_who_wait(self) -> None:
        """It is not asked for at each drawing, and the others are at hand."""
        found = page("broken", worker="works")
        assert found["waited"] == ["It is torn."] * 3
        sentence = "Some events are shown without their details until they can be read. It is torn."
        assert sentence in found["told"]
        assert found["rested"] is True
        assert found["other"] == 3 * 1_024

    def test_what_could_not_be_had_is_asked_for_again(self) -> None:
        """A server that was away for a moment."""
        assert page("again", worker="works") == ["Nobody answers.", 1]


COUNT = 34_000
"""More than stays as it is: 32 chunks of 1,024 lines and the one that is being filled."""

RUN = "20260101-long"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulated lines are kept between tests."""
    return tmp_path_factory.mktemp("lines")


def cut(tab: Tab) -> None:
    """End the connection. A browser that is set offline keeps the streams that are open."""
    tab.context.set_offline(True)
    tab.evaluate(
        "() => { window.stream.close(); window.stream.dispatchEvent(new Event('error')); }"
    )
    expect(tab.locator(".run-bar .now")).to_have_count(0)


def without_worker(tab: Tab) -> None:
    """Whatever packs the old lines does not even start."""
    tab.route("**/shelf_worker.js", lambda route: route.abort())


@pytest.mark.browser
@pytest.mark.parametrize("how", ["connected", "cut", "without worker"])
def test_an_old_line_of_a_live_run_tells_what_it_did_and_why(
    browser: Browser, lines: Path, how: str
) -> None:
    """Scrubbed back to it, it comes back from the shelf: nothing is asked of the server."""
    with (
        serving_feed(lines, 0, COUNT) as (site, feed),
        visiting(browser, site.url, complains=how == "connected") as visit,
    ):
        rows = (lines / f"simulated-{COUNT}.jsonl").read_text("utf-8").splitlines()
        told: list[Line] = [json.loads(row) for row in rows[:400]]
        events = [line["event"] for line in told]
        proof, at = events.index("promise_received"), events.index("accept_sent")
        why: dict[str, Any] = {"line": line_id(told[at]), "kind": "pushes", "sentence": "So it is."}
        why["events"] = [line_id(told[proof])]
        feed.bring(COUNT - 1)

        def prepare(tab: Tab) -> None:
            tab.add_init_script(STREAM_AT_HAND)
            if how == "without worker":
                without_worker(tab)

        tab = visit("#live", prepare=prepare)
        expect(tab.locator(".run-bar")).to_contain_text(f"{COUNT - 1:,} events")
        feed.live.judged["why"] = json.dumps({"v": 1, "whys": [why]}).encode()
        feed.bring(1)
        expect(tab.locator(".run-bar")).to_contain_text(f"{COUNT:,} events")
        if how == "cut":
            cut(tab)
        tab.locator(".controls input[type=range]").fill(str(at))
        expect(tab.locator(".happening h2")).to_contain_text(f"{at + 1} of")
        expect(tab.locator(".sentence")).to_have_text(narrate(told[at]))
        expect(tab.locator(".whys")).to_contain_text("So it is.")
        # The way to the proof is in the page, too.
        tab.locator(".whys button").first.click()
        expect(tab.locator(".sentence")).to_have_text(narrate(told[proof]))
        expect(tab.locator(".card.notice", has_text="without their details")).to_have_count(0)


@pytest.mark.browser
def test_the_page_says_that_lines_cannot_be_had_and_tries_again(
    browser: Browser, tmp_path: Path
) -> None:
    """The server of a long run is gone for a while; what the index knows is shown meanwhile."""
    told = list(log_lines(25_000))
    write_run(tmp_path, RUN, told, title="A long one")
    with serving(tmp_path) as address, visiting(browser, address, complains=False) as visit:
        tab = visit(f"#run={RUN}")
        expect(tab.locator(".happening h2")).to_contain_text("of 25,000")
        tab.route("**/events.jsonl", lambda route: route.abort())
        tab.keyboard.press("End")
        trouble = tab.locator(".card.notice", has_text="without their details")
        expect(trouble).to_be_visible()
        assert Axe().run(tab).response["violations"] == []
        tab.unroute("**/events.jsonl")
        expect(trouble).to_have_count(0)
        expect(tab.locator(".sentence")).to_have_text(narrate(told[-1]))
