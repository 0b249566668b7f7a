"""The parts of a node by themselves: log, gate, refusals, files, directories."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar
from unittest import mock

import grpc
import pytest

from node.catchup import ranges
from node.directories import DiskLost, format_all, format_one, read_directory
from node.ending import EXIT_DISK_FAILED
from node.files import InUse, RealFiles
from node.gate import Action, Gate, Passage, Rule
from node.log import LineName, Log, LogBroken, Output
from node.refusals import Refusals, Refused
from paxos.chance import Chance
from paxos.events import SCHEMA_VERSION, Line, encode, problems
from paxos.storage import ForeignDirectory, NotEmpty, StorageError

Result = TypeVar("Result")
MEMBERS = (1, 2, 3)


def run(work: Awaitable[Result]) -> Result:
    """Run one coroutine on a loop of its own."""

    async def bounded() -> Result:
        return await asyncio.wait_for(work, 30)

    return asyncio.run(bounded())


class TestLog:
    def test_its_bytes_are_those_of_the_schemas_encoder(self, tmp_path: Path) -> None:
        """Structlog adds and removes nothing: every world writes the same bytes."""
        log, file = _log(tmp_path)
        log.write({"event": "link_up", "peer": "n2"})
        log.write({"reason": "täglich\n", "event": "node_stopped"})
        head = {"v": SCHEMA_VERSION, "node": "n1", "incarnation": 4, "at_ns": 77}
        assert file.read_bytes() == encode(
            {**head, "seq": 1, "event": "link_up", "peer": "n2"}
        ) + encode({**head, "seq": 2, "event": "node_stopped", "reason": "täglich\n"})

    def test_a_line_is_on_its_way_when_write_returns(self, tmp_path: Path) -> None:
        """Nothing is held back in memory that a SIGKILL could take."""
        log, file = _log(tmp_path)
        name = log.write({"event": "link_up", "peer": "n2"})
        assert str(name) == "n1/4/1"
        assert file.read_bytes().endswith(b'"peer":"n2"}\n')

    def test_nothing_comes_behind_the_last_line(self, tmp_path: Path) -> None:
        """node_stopped and failpoint_hit end an incarnation, once."""
        log, file = _log(tmp_path)
        log.write_last({"event": "node_stopped", "reason": "first"})
        log.write_last({"event": "node_stopped", "reason": "second"})
        with pytest.raises(AssertionError, match="behind the last one"):
            log.write({"event": "link_up", "peer": "n2"})
        assert len(file.read_bytes().splitlines()) == 1

    def test_a_log_that_cannot_be_written_is_an_error(self) -> None:
        """The disk of whoever reads it is full."""
        descriptor = os.open("/dev/full", os.O_WRONLY)
        try:
            log = Log(1, 1, Output(descriptor))
            with pytest.raises(LogBroken, match="cannot write the log"):
                log.write({"event": "link_up", "peer": "n2"})
        finally:
            os.close(descriptor)


ENDING = """
import asyncio
from node.ending import Tasks
from node.log import Log, Output
from paxos.storage import StorageFailed

async def fail():
    raise StorageFailed("no space")

async def main():
    tasks = Tasks(Log(1, 1, Output(1)))
    asyncio.get_running_loop().set_exception_handler(tasks.on_loop_error)
    tasks.spawn(fail())
    await asyncio.Event().wait()

asyncio.run(main())
"""


class TestEnding:
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
    def test_a_failed_disk_ends_the_process_though_nothing_can_be_told_of_it(self) -> None:
        """Log and standard error are on the same full disk: the node must not go on."""
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-c", ENDING], stdout=full, stderr=full, timeout=120, check=False
            )
        assert done.returncode == EXIT_DISK_FAILED


class TestGate:
    def test_a_cut_loses_one_direction_only(self) -> None:
        """A rule from n1 to n2 says nothing about n2 to n1."""
        gate, lines = _gate(Rule("one way", Action.CUT, source=1, to=2))
        assert not run(gate.admits(_passage(1, 2)))
        assert run(gate.admits(_passage(2, 1)))
        assert [line["event"] for line in lines] == ["gate_changed", "message_dropped"]
        assert (gate.unplugged(1, 2), gate.unplugged(2, 1)) == ("one way", None)

    def test_a_rule_about_some_messages_does_not_unplug_the_link(self) -> None:
        """The link is up as long as anything gets through."""
        gate, _ = _gate(
            Rule("kind", Action.CUT, source=1, to=2, kinds=("accept",)),
            Rule("range", Action.CUT, source=1, to=2, first_instance=1, last_instance=5),
            Rule("half", Action.DROP, source=1, to=2, percent=100),
        )
        assert gate.unplugged(1, 2) is None

    def test_a_range_fits_its_instances_and_no_message_of_none(self) -> None:
        """A question about everything has instance 0."""
        rule = Rule("range", Action.CUT, first_instance=5, last_instance=6)
        fitting = [number for number in range(9) if rule.fits(_passage(1, 2, instance=number))]
        assert fitting == [5, 6]

    def test_a_percentage_is_drawn_for_each_message(self) -> None:
        """Of many messages, about so many are lost, and each is told of."""
        gate, lines = _gate(Rule("lossy", Action.DROP, percent=30))

        async def send_many() -> int:
            return sum([await gate.admits(_passage(1, 2)) for _ in range(1000)])

        passed = run(send_many())
        assert 600 < passed < 800
        assert len(lines) == 1 + 1000 - passed

    def test_held_messages_go_in_the_order_of_their_release(self) -> None:
        """The order is the orchestrator's, not that of their arrival."""
        gate, lines = _gate(Rule("hold", Action.HOLD))

        async def hold_and_release() -> list[int]:
            gone: list[int] = []

            async def send(instance: int) -> None:
                assert await gate.admits(_passage(1, 2, instance=instance))
                gone.append(instance)

            sent = [asyncio.create_task(send(number)) for number in (1, 2, 3)]
            await asyncio.sleep(0)  # Each runs until it is held.
            gate.set_rules([])
            assert [held.passage.instance for held in gate.held()] == [1, 2, 3]
            gate.release([3, 1])
            gate.release([2])
            await asyncio.gather(*sent)
            return gone

        assert run(hold_and_release()) == [3, 1, 2]
        assert [line["event"] for line in lines].count("message_released") == 3

    def test_a_message_that_one_rule_loses_is_not_held_by_another(self) -> None:
        """All rules are asked; loss is stronger than hold, hold than delay."""
        gate, _ = _gate(Rule("hold", Action.HOLD), Rule("cut", Action.CUT))
        assert not run(gate.admits(_passage(1, 2)))
        assert gate.held() == ()

    def test_a_full_gate_drops(self) -> None:
        """What it holds is bounded, and it says so."""
        gate, lines = _gate(Rule("hold", Action.HOLD), limit=1)

        async def send_two() -> bool:
            first = asyncio.create_task(gate.admits(_passage(1, 2)))
            await asyncio.sleep(0)  # It runs until it is held.
            second = await gate.admits(_passage(1, 3))
            gate.release([1])
            return bool(await first) and not second

        assert run(send_two())
        assert lines[-2]["rule"] == "hold (it holds no more messages)"

    def test_a_duplicate_passes_several_times_and_only_so_many_of_a_hundred(self) -> None:
        """The share is drawn for each message; a probe, no message of the protocol, is spared."""
        gate, lines = _gate(Rule("echo", Action.DUPLICATE, percent=30, copies=2))

        async def send_many() -> list[int]:
            return [await gate.admits(_passage(1, 2)) for _ in range(1000)]

        times = run(send_many())
        assert set(times) == {1, 3}
        assert 200 < times.count(3) < 400
        assert len(lines) == 1 + times.count(3)
        always, told = _gate(Rule("echo", Action.DUPLICATE, percent=100, copies=2))
        assert run(always.admits(_passage(1, 2, "probe"))) == 1
        assert len(told) == 1

    def test_a_message_that_is_held_passes_as_often_when_it_is_released(self) -> None:
        """Both rules hold: first it waits, then it passes twice."""
        gate, _ = _gate(
            Rule("hold", Action.HOLD), Rule("echo", Action.DUPLICATE, percent=100, copies=1)
        )

        async def hold_and_release() -> int:
            sent = asyncio.create_task(gate.admits(_passage(1, 2)))
            await asyncio.sleep(0)  # It runs until it is held.
            gate.release([1])
            return await sent

        assert run(hold_and_release()) == 2

    def test_a_message_waits_for_the_next_one_on_its_way_and_follows_it(self) -> None:
        """The second overtakes the first, the fourth the third; another way is another matter."""
        gate, lines = _gate(Rule("mix", Action.REORDER, percent=100, delay_most_ms=60_000))

        async def send_all() -> list[tuple[int, int]]:
            gone: list[tuple[int, int]] = []

            async def send(to: int, instance: int) -> None:
                assert await gate.admits(_passage(1, to, instance=instance)) == 1
                gone.append((to, instance))

            sent = []
            for to, instance in ((2, 1), (3, 1), (2, 2), (2, 3), (2, 4), (3, 2)):
                sent.append(asyncio.create_task(send(to, instance)))
                await asyncio.sleep(0)  # It runs until it waits or is gone.
            await asyncio.gather(*sent)
            return gone

        gone = run(send_all())
        assert [instance for to, instance in gone if to == 2] == [2, 1, 4, 3]
        assert [instance for to, instance in gone if to == 3] == [2, 1]
        told = [line["behind"] for line in lines if line["event"] == "message_reordered"]
        assert told == ["n1/1/1"] * 3

    def test_a_message_that_none_overtakes_goes_on_when_its_time_is_up(self) -> None:
        """It was delayed and nothing else, and the line says so; a probe never waits."""
        gate, lines = _gate(Rule("mix", Action.REORDER, percent=100, delay_most_ms=1))
        assert run(gate.admits(_passage(1, 2))) == 1
        assert (lines[-1]["event"], lines[-1]["behind"]) == ("message_reordered", None)
        assert run(gate.admits(_passage(1, 2, "probe"))) == 1
        assert len(lines) == 2


class TestRefusals:
    def test_a_flood_costs_one_line_and_then_a_count(self, tmp_path: Path) -> None:
        """The first of a kind is told at once, the others by number."""
        log, file = _log(tmp_path)

        async def flood() -> None:
            refusals = Refusals(log, interval_ms=60_000)
            for size in range(500):
                refusals.note("Accept", _refused("value too long", f"{size} bytes"))
            refusals.note("Accept", _refused("unknown node", "9"))
            refusals.flush()

        run(flood())
        lines = [json.loads(data) for data in file.read_bytes().splitlines()]
        told = [(line["reason"], line["count"]) for line in lines]
        assert told == [("0 bytes", 1), ("9", 1), ("499 bytes", 499)]
        assert [problems(line) for line in lines] == [[], [], []]

    def test_what_was_counted_is_told_when_the_interval_is_over(self, tmp_path: Path) -> None:
        """Not only when the next one comes."""
        log, file = _log(tmp_path)

        async def two() -> None:
            second = asyncio.Event()
            written = log.write

            def write(line: Line) -> LineName:
                second.set()
                return written(line)

            with mock.patch.object(log, "write", write):
                refusals = Refusals(log, interval_ms=10)
                refusals.note("Accept", _refused("unknown node", "8"))
                second.clear()
                refusals.note("Accept", _refused("unknown node", "9"))
                await second.wait()

        run(two())
        assert json.loads(file.read_bytes().splitlines()[1])["count"] == 1


class TestFiles:
    def test_what_is_written_is_read_back_under_its_new_name(self, tmp_path: Path) -> None:
        """The five verbs over a real directory; the lock is no file of the state."""
        files = RealFiles(tmp_path)
        files.lock()
        files.write("new", 0, b"hello      ")
        files.write("new", 5, b", disk")
        files.sync("new")
        files.write("old", 0, b"gone")
        files.rename("new", "old")
        files.sync_directory()
        files.write("old", 0, b"H")
        files.sync("old")
        assert files.names() == ["old"]
        assert files.read("old") == b"Hello, disk"
        files.close()

    def test_a_lock_is_free_again_when_its_process_is_gone(self, tmp_path: Path) -> None:
        """However it ended: the kernel lets go of it."""
        command = (
            "import sys, os; from pathlib import Path; from node.files import RealFiles; "
            "RealFiles(Path(sys.argv[1])).lock(); print('locked', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", command, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"locked\n"
            with pytest.raises(InUse, match="another process"):
                RealFiles(tmp_path).lock()
            process.kill()
        files = RealFiles(tmp_path)
        files.lock()
        files.close()

    def test_no_more_files_are_kept_open_than_named(self, tmp_path: Path) -> None:
        """A long life has many segments."""
        files = RealFiles(tmp_path)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for number in range(50):
            files.write(f"segment-{number}", 0, b"x")
        assert len(list(Path("/proc/self/fd").iterdir())) - before <= 8
        files.close()


class TestDirectories:
    def test_a_new_cluster_is_formatted_once(self, tmp_path: Path) -> None:
        """The second time does nothing, though a node wrote meanwhile."""
        assert format_all(tmp_path, "lab", MEMBERS)
        before = {path: path.read_bytes() for path in tmp_path.rglob("segment*")}
        assert len(before) == 3
        assert not format_all(tmp_path, "lab", MEMBERS)
        assert {path: path.read_bytes() for path in tmp_path.rglob("segment*")} == before
        told = read_directory(tmp_path / "n2")
        assert (told["cluster"], told["node"], told["incarnation"]) == ("lab", "n2", 0)

    def test_a_node_that_lost_its_disk_is_named(self, tmp_path: Path) -> None:
        """A mixture is refused, and the empty one stays empty."""
        format_all(tmp_path, "lab", MEMBERS)
        for path in (tmp_path / "n2").iterdir():
            path.unlink()
        with pytest.raises(DiskLost, match=r"^n2 lost the disk, and n1 and n3 still have one"):
            format_all(tmp_path, "lab", MEMBERS)
        assert list((tmp_path / "n2").iterdir()) == []

    def test_directories_of_another_cluster_are_left_alone(self, tmp_path: Path) -> None:
        """Neither its name nor its members may differ."""
        format_all(tmp_path, "lab", MEMBERS)
        with pytest.raises(ForeignDirectory, match="'lab'"):
            format_all(tmp_path, "other", MEMBERS)
        with pytest.raises(ForeignDirectory, match="n1, n2, n3"):
            format_all(tmp_path, "lab", (1, 2))

    def test_only_an_empty_directory_is_formatted(self, tmp_path: Path) -> None:
        """What is there may be somebody's promises."""
        format_one(tmp_path, "lab", 1, MEMBERS)
        with pytest.raises(NotEmpty):
            format_one(tmp_path, "lab", 1, MEMBERS)

    def test_a_directory_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        """The sentence says where."""
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError, match="file/n1 can't be made"):
            format_one(tmp_path / "file" / "n1", "lab", 1, MEMBERS)


def test_ranges_are_as_few_as_can_be() -> None:
    """Numbers that follow each other are one range."""
    assert ranges([]) == []
    assert ranges([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]


def _log(folder: Path) -> tuple[Log, Path]:
    file = folder / "log.jsonl"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    return Log(1, 4, Output(descriptor), now_ns=lambda: 77), file


def _gate(*rules: Rule, limit: int = 100) -> tuple[Gate, list[Line]]:
    lines: list[Line] = []
    gate = Gate(lines.append, Chance(1), limit)
    gate.set_rules(rules)
    return gate, lines


def _passage(source: int, to: int, kind: str = "prepare", instance: int = 1) -> Passage:
    return Passage(source, to, kind, instance, f"n{source}/1/1")


def _refused(rule: str, sentence: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, rule, sentence)
