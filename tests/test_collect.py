"""A run's folder: made beside and renamed, and for a long run by several processes."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator import collect as collecting
from orchestrator.aside import COLUMNS, CONFORMANCE, Work, begun
from orchestrator.collect import Result, collect
from orchestrator.judging import judge_and_explain, judge_path
from orchestrator.leftovers import aside_of, clear_leftovers, held, made, part_of
from orchestrator.places import Places
from orchestrator.sim import play_sim
from orchestrator.yaml_file import find_scenario, read_scenario
from paxos.checker import explain_path

RUN = "20261128-010203-live"


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def collected(home: Path, told: Callable[[str], None] = lambda _: None) -> Result:
    """A run in virtual time, judged and written."""
    place, played = play_sim(read_scenario(find_scenario("disk-faults")), 5, 7, RUN)
    return collect(Places(home), place, played, told)


class TestLongRun:
    def test_its_folder_is_the_same_as_if_one_process_had_made_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Byte for byte, and an index beside it."""
        told: list[str] = []
        short = collected(tmp_path / "short", told.append).folder
        monkeypatch.setattr(collecting, "_LONG_COUNT", 1)
        long = collected(tmp_path / "long").folder
        names = {path.name for path in short.iterdir()}
        assert {path.name for path in long.iterdir()} == {*names, "columns.bin"}
        for name in names:
            assert (long / name).read_bytes() == (short / name).read_bytes(), name
        assert [sentence.partition(" lines are ")[2] for sentence in told] == [
            "put in one order and written.",
            "judged by the rules, and replayed through the core.",
        ]

    def test_a_folder_is_judged_as_its_files_are(self, tmp_path: Path) -> None:
        """Reading it once for both verdict and whys changes neither."""
        folder = collected(tmp_path).folder
        verdict, whys = judge_and_explain(folder, is_long=False)
        assert verdict.as_json() == judge_path(folder).as_json()
        assert whys == explain_path(folder)

    def test_work_that_failed_is_done_by_who_asked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For want of memory, say: the verdict is the same."""
        folder = collected(tmp_path).folder
        monkeypatch.setattr(Work, "result", lambda _work: None)
        verdict, _ = judge_and_explain(folder, is_long=True)
        assert verdict.as_json() == judge_path(folder).as_json()

    def test_work_ends_with_its_context(self, tmp_path: Path) -> None:
        """Nobody waits for what nobody wants any more; and what fails has no result."""
        with begun(CONFORMANCE, tmp_path) as work:
            assert work.result() is None
        with pytest.raises(RuntimeError), begun(COLUMNS, collected(tmp_path).folder) as work:
            raise RuntimeError
        assert work._process.returncode is not None


class TestLeftovers:
    @pytest.fixture
    def logs(self, tmp_path: Path) -> Path:
        """An empty folder of runs."""
        return tmp_path

    def test_what_a_process_that_is_gone_left_half_made_is_removed(
        self, logs: Path, gone: int
    ) -> None:
        """And what it had of a live run's lines is a run again, unless that was written."""
        (logs / f".{RUN}.lab-part.{gone}").mkdir()
        (logs / f".{RUN}.lab-feed.{gone}").mkdir()
        (logs / f".{RUN}.lab-feed.{gone}" / "events.jsonl").write_text("{}")
        (logs / f".{RUN}-2.lab-feed.{gone}").mkdir()
        (logs / f"{RUN}-2").mkdir()
        (logs / f".latest-{gone}").symlink_to(RUN)
        clear_leftovers(logs)
        assert sorted(path.name for path in logs.iterdir()) == [RUN, f"{RUN}-2"]
        assert (logs / RUN / "events.jsonl").exists()

    def test_what_somebody_writes_or_is_not_ours_stays(self, logs: Path, gone: int) -> None:
        """A living process, a lock that is held, another name, a link that leads elsewhere."""
        elsewhere = logs / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "kept").touch()
        part_of(logs, RUN).mkdir()
        aside_of(logs, RUN).mkdir()
        for name in (
            f".cache.{gone}",
            f"{RUN}.lab-part.{gone}",
            f".{RUN}.lab-part.mine",
            f".{RUN}.lab-part.{gone}.x",
            # A person's own, which merely looks alike.
            f".{RUN}.{gone}",
            f".{RUN}.feed.{gone}",
            f".{RUN}-my.notes.{gone}",
        ):
            (logs / name).mkdir()
        (logs / f".latest-{gone}").symlink_to(elsewhere)
        (logs / f".{RUN}-2.lab-part.{gone}").symlink_to(elsewhere)
        (logs / f".{RUN}-3.lab-part.{gone}").write_text("a file")
        locked = logs / f".{RUN}-4.lab-part.{gone}"
        locked.mkdir()
        before = sorted(logs.iterdir())
        with held(locked):
            clear_leftovers(logs)
        assert sorted(logs.iterdir()) == before
        assert (elsewhere / "kept").exists()
        clear_leftovers(logs)
        assert not locked.exists()

    def test_a_folder_is_held_under_its_new_name_too(self, logs: Path) -> None:
        """It is renamed while its writer still holds it."""
        (logs / "a").mkdir()
        with held(logs / "a"):
            (logs / "a").rename(logs / "b")
            handle = os.open(logs / "b", os.O_RDONLY)
            with pytest.raises(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(handle)

    def test_a_folder_that_is_removed_before_it_is_held_is_made_again(
        self, logs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another lab comes between the making and the lock, or while the lock is waited for."""
        flock, removals = fcntl.flock, iter([True, False])

        def flock_late(handle: int, how: int) -> None:
            if how == fcntl.LOCK_SH and next(removals):
                (logs / "part").rmdir()
            flock(handle, how)

        monkeypatch.setattr(fcntl, "flock", flock_late)
        with made(logs / "part"):
            assert (logs / "part").is_dir()
            handle = os.open(logs / "part", os.O_RDONLY)
            with pytest.raises(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(handle)
        with pytest.raises(FileExistsError), made(logs / "part"):
            pass

    def test_so_is_one_that_is_gone_before_it_is_opened(
        self, logs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A moment earlier, it is the same."""
        opened, removals = os.open, iter([True, False])

        def open_late(path: Path, flags: int) -> int:
            if next(removals):
                path.rmdir()
            return opened(path, flags)

        monkeypatch.setattr(os, "open", open_late)
        with made(logs / "part"):
            assert (logs / "part").is_dir()

    def test_a_run_clears_them_before_it_is_written(self, tmp_path: Path, gone: int) -> None:
        """A folder of runs that is not there yet has none."""
        clear_leftovers(tmp_path / "nowhere")
        left = tmp_path / "logs" / f".{RUN}-9.lab-part.{gone}"
        left.mkdir(parents=True)
        collected(tmp_path)
        assert not left.exists()
