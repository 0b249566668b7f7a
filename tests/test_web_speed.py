"""What keeps the page quick: what it does not draw, does not read and does not keep.

How quick it is tests/page_bench.py measures; here stands what that rests on.
"""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from orchestrator.web.serve import listening
from tests.big_log import log_lines
from tests.test_columns import page
from tests.web_page import Visit, awaited, visiting
from tests.web_server import recorded, serving, write_run

RUN = "20260101-short"


def panels(*frames: dict[str, Any]) -> list[str]:
    """What becomes of the panels with each frame, the first one left out."""
    found: list[str] = page("panels", frames=[{"ms": 0}, *frames])
    assert found[0] == "drawn"
    return found[1:]


class TestPanels:
    def test_panning_and_zooming_draw_the_canvases_alone(self) -> None:
        """Only what is in sight has changed."""
        assert panels({"ms": 20, "left": 3}, {"ms": 200, "scale": 2}) == ["not", "not"]

    def test_anything_else_that_changes_is_drawn_at_once(self) -> None:
        """A step, a line under the pointer, and a redrawing that was asked for."""
        frames = [{"ms": 1, "left": 5, "cursor": 7}, {"ms": 1, "hover": 3}, {"ms": 1}]
        assert panels(*frames) == ["drawn"] * 3

    def test_lines_that_have_come_from_the_disk_are_drawn_while_one_pans(self) -> None:
        """Whoever has something new to show says so."""
        assert panels({"ms": 1, "left": 5, "spoil": True}, {"ms": 1, "left": 6}) == ["drawn", "not"]

    def test_panels_rest_while_lines_rush_in_and_show_the_last_of_them(self) -> None:
        """Within 100 ms of a drawing they wait, and another frame is asked for."""
        frames = [{"ms": 16, "lines": 80, "cursor": 80}, {"ms": 100, "lines": 80, "cursor": 160}]
        assert panels(*frames) == ["later", "drawn"]

    def test_a_line_after_a_quiet_moment_is_shown_at_once(self) -> None:
        """An ordinary live run has none of these rests."""
        assert panels({"ms": 150, "lines": 1, "cursor": 1}) == ["drawn"]

    @pytest.mark.parametrize("part", [{"following": False}, {"feed": "lost"}])
    def test_what_a_person_must_know_does_not_rest(self, part: dict[str, Any]) -> None:
        """Looking back, and a connection that is lost."""
        assert panels({"ms": 16, "lines": 80, "live": part}) == ["drawn"]


def test_an_instance_that_has_just_begun_costs_its_own_lines() -> None:
    """What concerns every instance is folded once for all of them."""
    found = page("asked", lines=list(log_lines(30_000)))
    assert found["own"] > 0
    assert found["first"] == found["own"] + found["meanwhile"]
    assert found["meanwhile"] < found["shared"], "only then is something saved"
    assert found["again"] == 0


def test_small_answers_are_sent_at_once() -> None:
    """A page is a hundred modules: none waits for the one before it to be acknowledged."""

    async def accepted(listener: socket.socket) -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def met(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken = writer.get_extra_info("socket")
            told.set_result(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(met, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            async with asyncio.timeout(60):
                found = await told
            writer.close()
        return found

    # In a thread of its own: a browser's loop runs in this one.
    with listening(0) as (listener, _), ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, accepted(listener.dup())).result() != 0


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """The page with one short run."""
    write_run(tmp_path, RUN, recorded("local-partition"), title="Three here, two there")
    with serving(tmp_path) as address, visiting(browser, address) as visit:
        yield visit


_SHELVED = """async () => {
  const { shelf } = await import("./log/shelf.js");
  const texts = Array.from({ length: 3 }, (_, run) => `${"so ".repeat(40_000)}${run} ä\\n`);
  const shelves = [shelf(), shelf()];
  texts.forEach((text, number) => shelves[number % 2].put(number, text));
  const at_once = await shelves[0].get(2);
  while (shelves.some((one) => one.waitingCount() > 0)) await new Promise(requestAnimationFrame);
  const packed = await Promise.all(texts.map((_, number) => shelves[number % 2].get(number)));
  const twice = await Promise.all([shelves[0].get(2), shelves[0].get(2)]);
  const same = twice.every((text) => text === texts[2]);
  return [at_once === texts[2], packed.every((text, number) => text === texts[number]), same];
}"""


@pytest.mark.browser
def test_the_text_of_old_lines_lies_packed(visit: Visit) -> None:
    """It can be had before the worker has packed it, and after, of several runs, and nothing else."""
    tab = visit(f"#run={RUN}")
    assert tab.evaluate(_SHELVED) == [True, True, True]


@pytest.mark.browser
def test_the_page_marks_when_a_run_stands_there_first(visit: Visit) -> None:
    """The measure of how soon something can be seen; to move in the run is no new run."""
    tab = visit(f"#run={RUN}")
    marks = "performance.getEntriesByName('run drawn').length"
    awaited(tab, f"{marks} === 1")
    tab.keyboard.press("End")
    awaited(tab, "location.hash.includes('at=')")
    assert tab.evaluate(marks) == 1
