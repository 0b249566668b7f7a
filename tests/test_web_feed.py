"""The file is the queue, and a client is a cursor: no line is lost, and none comes twice."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.cluster import LabError
from orchestrator.web.desk import Desk
from orchestrator.web.feed import BATCH_BYTES, Bells, Feed
from orchestrator.web.stream import EventStream, message
from tests.feed_load import Simulated, SimulatedWorld, serving_desk, serving_feed
from tests.web_server import Listener

LINES = [b'{"line":%d}\n' % number for number in range(1, 1001)]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A feed that holds nothing yet."""
    found = Feed(tmp_path / "feed.jsonl", Bells())
    yield found
    found.close()


class TestFeed:
    def test_a_cursor_goes_on_where_it_was(self, feed: Feed) -> None:
        """From any place, and behind the last line there is nothing."""
        feed.append(LINES[:3])
        feed.append(LINES[3:5])
        assert feed.read(0) == (b"".join(LINES[:5]), 5)
        assert feed.read(2) == (b"".join(LINES[2:5]), 5)
        assert feed.read(4) == (LINES[4], 5)
        assert feed.read(5) == (b"", 5)
        assert feed.read(99) == (b"", 99)

    @pytest.mark.parametrize("limit", [1, 13, 14, 100, 1_000])
    def test_a_batch_is_whole_lines_and_bounded(self, feed: Feed, limit: int) -> None:
        """But for one line that is longer than the bound, which comes by itself."""
        feed.append(LINES)
        found, cursor = b"", 0
        while cursor < len(LINES):
            data, after = feed.read(cursor, limit)
            assert data.endswith(b"\n")
            assert data.count(b"\n") == after - cursor
            assert len(data) <= limit or after == cursor + 1
            found, cursor = found + data, after
        assert found == b"".join(LINES)

    def test_the_file_is_the_log(self, feed: Feed, tmp_path: Path) -> None:
        """Whole lines, in their order, for whoever finds it after a crash."""
        feed.append(LINES)
        assert (tmp_path / "feed.jsonl").read_bytes() == b"".join(LINES)

    def test_a_folder_that_is_renamed_takes_nothing_away(self, tmp_path: Path) -> None:
        """The run's folder is made of the feed's while clients still read it."""
        folder = tmp_path / "run"
        folder.mkdir()
        feed = Feed(folder / "feed.jsonl", Bells())
        feed.append(LINES[:2])
        folder.rename(tmp_path / "aside")
        assert feed.read(0) == (b"".join(LINES[:2]), 2)
        feed.close()
        assert feed.read(0) == (b"", 0)

    def test_a_line_that_cannot_be_written_is_never_published(
        self, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A full disk: half of a line may be in the file, and nothing behind it is told."""
        feed.append(LINES[:2])
        write = os.write

        def full(file: int, data: bytes) -> int:
            write(file, bytes(data)[:5])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        feed.append(LINES[2:3])
        monkeypatch.undo()
        feed.append(LINES[3:4])
        assert (feed.count, feed.read(0)) == (2, (b"".join(LINES[:2]), 2))
        assert "No space left" in feed.failure


class TestMessage:
    def test_several_lines_are_one_message(self) -> None:
        """Rows of one message, behind which a client's cursor stands."""
        assert message("lines", b"one\ntwo", 7) == b"event: lines\nid: 7\ndata: one\ndata: two\n\n"

    def test_what_is_no_line_moves_no_cursor(self) -> None:
        """A browser keeps the last number that it was given."""
        assert message("verdict", b"{}") == b"event: verdict\ndata: {}\n\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where simulated lines are kept."""
    return tmp_path_factory.mktemp("feed")


class TestStream:
    def test_sixty_thousand_lines_over_cuts_come_each_once(self, folder: Path) -> None:
        """A client that reads, is cut off anywhere, and goes on by ``Last-Event-ID``."""
        count = 60_000
        with serving_feed(folder, 0, count) as (site, run):
            writer = threading.Thread(target=_bring_all, args=(run, count))
            writer.start()
            got: list[str] = []
            cursor, connections = 0, 0
            while cursor < count:
                connections += 1
                with Listener(site, cursor, resumed=connections > 1) as listener:
                    for found in listener:
                        if found.event != "lines":
                            continue
                        rows = found.data.split("\n")
                        assert found.cursor == cursor + len(rows)
                        got.extend(rows)
                        cursor = found.cursor
                        if cursor >= min(count, connections * 5_000):
                            break
            writer.join()
        written = (folder / f"simulated-{count}.jsonl").read_text("utf-8").splitlines()
        assert connections > 5
        assert got == written

    def test_two_clients_have_the_same(self, folder: Path) -> None:
        """One from the start, one that came late."""
        with serving_feed(folder, 0, 100) as (site, run), Listener(site) as first:
            run.bring(40)
            with Listener(site, 10) as late:
                run.bring(60)
                early_lines, late_lines = _read(first, 100), _read(late, 100)
        assert len(early_lines) == 100
        assert late_lines == early_lines[10:]

    @pytest.mark.parametrize("after", ["-1", "x", "101", "1e3", "9" * 40, "٣"])
    def test_a_cursor_that_is_none_of_this_run_is_refused(self, folder: Path, after: str) -> None:
        """Nothing is guessed."""
        with serving_feed(folder, 0, 100) as (site, run):
            run.bring(100)
            quoted = after.encode().hex()
            path = "live/events?after=" + "".join(
                f"%{quoted[at : at + 2]}" for at in range(0, len(quoted), 2)
            )
            assert site.get(path)[0] == 409

    def test_a_cursor_of_another_run_is_refused(self, folder: Path) -> None:
        """Its number would mean other lines here."""
        with serving_feed(folder, 0, 100) as (site, run):
            epoch = run.live.feed.epoch
            with Listener(site) as listener:
                assert listener.message("live").content["epoch"] == epoch
            assert site.get("live/events?after=0&epoch=another")[0] == 409

    def test_a_client_that_was_cut_off_just_before_the_end_misses_nothing(
        self, folder: Path
    ) -> None:
        """The last run is told to its end until another one begins."""
        with serving_feed(folder, 0, 100) as (site, run):
            run.bring(100)
            with Listener(site) as listener:
                _read(listener, 30)
            assert site.post("live/end", {})[0] == 200
            with Listener(site, 30, resumed=True) as again:
                messages = list(again)
            lines = [row for m in messages if m.event == "lines" for row in m.data.split("\n")]
            assert len(lines) == 70
            assert messages[-1].event == "ended"
            assert messages[-1].content["sentence"] == "The simulated run has ended."

    def test_verdict_and_whys_come_when_they_changed(self, folder: Path) -> None:
        """Also to who comes later, and not twice to who had them."""
        with serving_feed(folder, 0, 100) as (site, run), Listener(site) as listener:
            run.live.judged["verdict"] = b'{"verdict":"ok"}'
            run.bring(10)
            assert listener.message("verdict").content == {"verdict": "ok"}
            run.bring(10)
            run.live.judged["why"] = b'{"whys":[]}'
            run.bring(10)
            events = []
            while (found := listener.next()) is not None and found.event != "why":
                events.append(found.event)
            assert "verdict" not in events
            with Listener(site) as late:
                assert late.message("verdict").content == {"verdict": "ok"}

    def test_the_state_of_the_run_comes_first_and_whenever_it_changed(self, folder: Path) -> None:
        """What ``live.json`` says, without asking again and again."""
        with serving_feed(folder, 0, 100) as (site, _), Listener(site) as listener:
            first = listener.next()
            assert first is not None
            assert (first.event, first.content["state"]) == ("live", "running")
            assert first.content["members"] == site.live()["members"]
            site.post("live/end", {})
            assert listener.message("ended").content["run"] is None

    def test_the_server_ends_though_somebody_listens(self, folder: Path) -> None:
        """Nobody's stream keeps it up; ``serving`` fails when the server does not end."""
        with contextlib.ExitStack() as left_open:
            with serving_feed(folder, 0, 100) as (site, run):
                run.bring(10)
                listener = left_open.enter_context(Listener(site))
                _read(listener, 10)
            assert list(listener) == []

    def test_a_stream_ends_with_its_client_though_nothing_happens(self, tmp_path: Path) -> None:
        """A generator that waits for lines alone would wait for ever."""
        desk = Desk(SimulatedWorld(tmp_path, [], 0))

        async def listen() -> list[str]:
            told: list[str] = []
            gone = asyncio.Event()

            async def receive() -> dict[str, str]:
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(sent: object) -> None:
                assert isinstance(sent, dict)
                told.append(sent["type"])
                if len(told) == 2:
                    gone.set()

            assert desk.live is not None
            stream = EventStream(desk, desk.live, 0)
            await asyncio.wait_for(stream({"type": "http"}, receive, send), 60)
            return told

        with serving_desk(tmp_path, desk) as site:
            site.post("live/begin", {})
            # On a thread of its own: a browser of other tests may have a loop on this one.
            with ThreadPoolExecutor(1) as pool:
                told = pool.submit(lambda: asyncio.run(listen())).result()
            assert told[0] == "http.response.start"
            assert len(desk.bells) == 0

    def test_a_look_that_breaks_off_ends_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Our own fault is printed, and the desk goes on: the run must still be ended by it."""
        looked = threading.Event()

        def look(_run: Simulated) -> bool:
            if looked.is_set():
                return False
            looked.set()
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(Simulated, "look", look)
        with serving_feed(folder, 0, 100) as (site, _):
            assert looked.wait(60)
            assert site.post("live/end", {})[0] == 200
        assert "RuntimeError: unforeseen" in capsys.readouterr().err

    def test_an_interrupt_waits_for_the_end_of_a_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Once the desk has let go of the run nobody else would end it."""
        real = Simulated.end

        def end(run: Simulated) -> dict[str, object]:
            os.kill(os.getpid(), signal.SIGINT)
            return real(run)

        monkeypatch.setattr(Simulated, "end", end)
        desk = Desk(SimulatedWorld(tmp_path, [], 0))
        for verb in ("begin", "end"):
            desk.ask(verb, {})
        with pytest.raises(KeyboardInterrupt):
            desk.work()
        assert desk.live is not None
        assert desk.live.ended == {
            "run": None,
            "verdict": "unknown",
            "sentence": "The simulated run has ended.",
        }
        desk.close()

    def test_a_run_that_cannot_be_ended_is_told_by_whoever_closes_the_desk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Also when it is our own fault: the command must end with a sentence, and no success."""

        def end(_run: Simulated) -> dict[str, object]:
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(Simulated, "end", end)
        desk = Desk(SimulatedWorld(tmp_path, [], 0))
        desk.ask("begin", {})
        desk.stop()
        desk.work()
        with pytest.raises(LabError, match="broke off, by our own fault"):
            desk.close()
        assert "RuntimeError: unforeseen" in capsys.readouterr().err

    def test_a_client_that_reads_nothing_costs_nothing_and_delays_nobody(
        self, folder: Path
    ) -> None:
        """Its cursor stands still; whoever reads has every line meanwhile."""
        count = 60_000
        with serving_feed(folder, 0, count) as (site, run), Listener(site):
            with Listener(site) as reader:
                _bring_all(run, count)
                assert len(_read(reader, count)) == count
            assert (folder / f"simulated-{count}.jsonl").stat().st_size > 20 * BATCH_BYTES


def _bring_all(run: Simulated, count: int) -> None:
    while run.bring(137) < count:
        pass


def _read(listener: Listener, until: int) -> list[str]:
    rows: list[str] = []
    for found in listener:
        if found.event == "lines":
            rows.extend(found.data.split("\n"))
            if listener.cursor >= until:
                break
    return rows
