"""What the server promises beside its answers: what a GET leaves behind, tokens, its pace, its offers."""

import asyncio
import selectors
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from orchestrator.compose import Layout
from orchestrator.containers import up
from orchestrator.web import serve
from orchestrator.web.commands import _WAITS
from orchestrator.web.desk import Desk, Live, NoWorld
from orchestrator.web.feed import Feed
from orchestrator.web.made import Made
from orchestrator.web.stream import BATCH_S, EventStream
from paxos.scenario.steps import VERBS
from tests.web_server import Page, lab_web, live_run, recorded, serving, write_run

RUN: Final = "20260101-a-run"
MADE: Final = ("why.json", "columns.bin")


class TestGet:
    @pytest.fixture
    def kept(self, tmp_path: Path) -> Iterator[tuple[Page, Path]]:
        """A server of one run, of which nothing has been made yet, and its folder."""
        folder = write_run(tmp_path, RUN, recorded("local-partition"))
        with serving(tmp_path) as url:
            yield Page(url), folder

    @pytest.mark.parametrize(
        ("status", "headers"),
        [
            (403, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
            (403, {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}),
            (400, {"Host": "evil.example"}),
        ],
    )
    @pytest.mark.parametrize("name", MADE)
    def test_what_is_refused_makes_nothing(
        self, kept: tuple[Page, Path], name: str, status: int, headers: dict[str, str]
    ) -> None:
        """A stranger's picture costs no minute of this machine, and leaves no file in a run."""
        site, folder = kept
        before = contents(folder)
        assert site.get(f"runs/{RUN}/{name}", **headers)[0] == status
        assert contents(folder) == before

    def test_nothing_that_was_there_is_changed(self, kept: tuple[Page, Path]) -> None:
        """All that a GET leaves behind is what was made of the log, beside it."""
        site, folder = kept
        before = contents(folder)
        for name in (*before, *MADE):
            assert site.get(f"runs/{RUN}/{name}")[0] == 200, name
        for path in ("", "runs.json", "live.json", "sandbox.json", "catalogue.json"):
            assert site.get(path)[0] == 200, path
        after = contents(folder)
        assert after.keys() - before.keys() == set(MADE)
        assert {name: after[name] for name in before} == before


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of each file of a folder, by its name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestToken:
    def test_each_start_has_one_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of 24 bytes that nobody can guess; that of an earlier start commands nothing."""
        printed: list[str] = []
        monkeypatch.setattr(Desk, "work", lambda _: None)
        monkeypatch.setattr(Made, "warm", lambda _: None)
        for _ in range(2):
            serve(tmp_path, 0, None, lambda address, _: printed.append(address))
        first, second = (address.partition("#token=")[2] for address in printed)
        assert first != second
        # Base 64 holds six bits in a letter.
        assert all(len(token) * 6 >= 24 * 8 for token in (first, second))

    @pytest.mark.parametrize("token", ["", None])
    def test_an_application_that_is_given_none_makes_one_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
    ) -> None:
        """So an empty header, or none, never fits."""
        monkeypatch.setattr("tests.web_server.TOKEN", "")
        with serving(tmp_path) as url:
            status, told = Page(url).post("live/begin", {}, X_Paxos_Lab_Token=token)
        assert (status, "The token is missing" in told["sentence"]) == (403, True)


class _Leaping(selectors.DefaultSelector):
    """Waits for no clock: where nothing is ready its time is later at once."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; without anything, the time that was asked for has passed."""
        found = super().select(0 if timeout is not None else None)
        if not found and timeout:
            self.now_s += timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while anything happens."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since the start of the loop."""
        return self._leaping.now_s


class TestPace:
    def test_lines_that_come_one_by_one_go_in_a_batch_every_16_ms(self, tmp_path: Path) -> None:
        """The first at once; then what came in 16 ms, together; every line once, in order."""
        lines = [b'{"line":%d}\n' % number for number in range(100)]
        sent = stream(tmp_path, lines, every_s=0.001)
        moments = [at for at, _ in sent]
        # A message before has told of the state of the run.
        assert moments[0] == pytest.approx(0.0, abs=0.002)
        gaps = [after - before for before, after in pairwise(moments)]
        assert min(gaps) >= BATCH_S - 1e-9
        assert max(gaps) <= BATCH_S + 0.002
        assert 100 / 16 <= len(sent) <= 100 / 16 + 2
        assert b"".join(rows for _, rows in sent) == b"".join(lines)

    def test_a_line_after_a_silence_goes_at_once(self, tmp_path: Path) -> None:
        """Nobody waits for a batch that is not full."""
        lines = [b'{"line":%d}\n' % number for number in range(5)]
        sent = stream(tmp_path, lines, every_s=0.5)
        assert [rows for _, rows in sent] == lines
        assert [at for at, _ in sent] == pytest.approx([0.5 * number for number in range(5)])


def stream(folder: Path, lines: list[bytes], every_s: float) -> list[tuple[float, bytes]]:
    """What a listener is sent while lines come at a rate, by a clock that leaps.

    Returns:
        For each message with lines: when it was sent, in seconds, and those lines.
    """
    desk = Desk(NoWorld("Nothing is up."))
    live = Live("a run", Feed(folder / "feed.jsonl", desk.bells))
    sent: list[tuple[float, bytes]] = []

    async def send(told: Any) -> None:
        body = told.get("body", b"")
        rows = [
            row[6:] for row in body.split(b"\n") if row.startswith(b"data: {") and b'"line"' in row
        ]
        if rows:
            now = asyncio.get_running_loop().time()
            sent.append((now, b"".join(row + b"\n" for row in rows)))

    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        raise AssertionError("nobody goes")

    async def bring() -> None:
        for line in lines:
            live.feed.append([line])
            await asyncio.sleep(every_s)
        live.ended = {"run": None}
        desk.bells.ring()

    async def both() -> None:
        await asyncio.gather(EventStream(desk, live, 0)({"type": "http"}, receive, send), bring())

    def run() -> None:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            runner.run(both())

    # On a thread of its own: a browser of other tests may have a loop on this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result(60)
    live.feed.close()
    return sent


@pytest.mark.timeout(300)
def test_a_live_run_waits_for_nothing(tmp_path: Path) -> None:
    """Each verb that waits is refused by its name, whatever it says; the run goes on untouched."""
    waits: dict[str, Any] = {
        "wait": {"event": "nack_sent"},
        "await": ["a proposal"],
        "learned": {"value": "apple"},
        "measure": {},
        "exits": {"node": "n1"},
        "refuses": {"start": "n1"},
    }
    assert set(waits) == set(_WAITS)
    assert set(waits) <= set(VERBS)
    with lab_web(tmp_path, "--world", "local", "--nodes", "3") as (site, _), live_run(site):
        before = site.live()
        for verb, fields in waits.items():
            status, told = site.post("live/commands", {verb: fields})
            assert status == 400, verb
            assert f"waits for nothing, so there is no {verb}: watch the lines." in told["sentence"]
            assert verb not in site.live()["commands"]
        assert {**site.live(), "line_count": before["line_count"]} == before


@pytest.mark.parametrize(("count", "sized"), [(5, "make web "), (3, "make web NODES=3 ")])
def test_up_offers_the_page(monkeypatch: pytest.MonkeyPatch, count: int, sized: str) -> None:
    """Whoever has a cluster is told how to see it, at its size."""
    monkeypatch.setattr("orchestrator.clusters.bring_up", lambda *_: Layout(count))
    done = CliRunner().invoke(up, ["--nodes", str(count)])
    assert done.exit_code == 0, done.output
    (row,) = [row for row in done.output.splitlines() if "make web" in row]
    assert sized in row
    assert "a page" in row
