"""The driver alone: a core, a disk that waits to be told, and a transport that takes notes."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from node.disk import Disk
from node.driver import Arrival, Driver, Reply
from node.failpoints import Failpoints
from node.files import RealFiles
from node.log import LineName, Log, Output
from paxos.chance import Chance
from paxos.events import Line, decode
from paxos.protocol import (
    ROLES,
    Accept,
    Accepted,
    Ballot,
    Learn,
    Learned,
    Message,
    Nack,
    NodeId,
    Outcome,
    Prepare,
    Promise,
    Proposal,
    Received,
    Record,
    Roles,
    Settings,
    Stored,
    Timer,
)
from paxos.variants import load

GUEST = 101
SETTINGS = Settings(own_ballots=False)


class SlowDisk:
    """A disk whose syncs return when the test says so."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.synced: list[Record] = []
        self.asked = asyncio.Event()
        self._may_return: asyncio.Queue[None] = asyncio.Queue()

    async def append(self, records: Sequence[Record]) -> list[int]:
        """Return at once."""
        self.records += records
        return [0] * len(records)

    async def append_durably(self, records: Sequence[Record]) -> list[int]:
        """Return when the test lets it."""
        self.records += records
        self.asked.set()
        await self._may_return.get()
        self.synced = list(self.records)
        return [0] * len(records)

    async def wait_until_asked(self) -> None:
        """Wait until a sync has begun."""
        await self.asked.wait()
        self.asked.clear()

    def let_sync_return(self) -> None:
        """Let one sync return, the present or the next."""
        self._may_return.put_nowait(None)


class Notes:
    """A transport that delivers nothing."""

    def __init__(self) -> None:
        self.sent: list[tuple[NodeId, Message]] = []

    def send(self, to: NodeId, message: Message, _line: LineName) -> asyncio.Future[None]:
        """Note what was sent."""
        self.sent.append((to, message))
        return asyncio.get_running_loop().create_future()

    async def settled(self) -> None:
        """Nothing is lost that nobody delivers."""

    def reachable(self) -> tuple[NodeId, ...]:
        """Everybody."""
        return (2, 3)


class Bench:
    """A driver of n1 in a cluster of three, with all that it touches."""

    def __init__(self, folder: Path, roles: Roles = ROLES, settings: Settings = SETTINGS) -> None:
        self._file = folder / "log.jsonl"
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        log = Log(1, 1, Output(descriptor))
        self.disk = SlowDisk()
        self.notes = Notes()
        self.driver = Driver(
            1,
            (1, 2, 3),
            settings,
            log,
            cast(Disk, self.disk),
            Failpoints(log.write, log.write_last, RealFiles(folder)),
            Chance(7),
            self.notes,
            batch_limit_count=16,
            queue_limit_count=4,
            roles=roles,
        )

    def lines(self) -> list[Line]:
        """All lines written so far."""
        return [decode(data) for data in self._file.read_bytes().splitlines()]

    def events(self) -> list[str]:
        """Their events."""
        return [line["event"] for line in self.lines()]

    def ask(self, message: Message, source: NodeId = GUEST) -> asyncio.Task[Reply]:
        """Ask as an RPC handler does."""
        return asyncio.create_task(self.driver.ask(source, message, None))

    async def settle(self) -> None:
        """Let everything run that can run without the disk."""
        for _ in range(20):
            await asyncio.sleep(0)


def drive(
    folder: Path,
    play: Callable[[Bench], Awaitable[None]],
    roles: Roles = ROLES,
    settings: Settings = SETTINGS,
) -> Bench:
    """Run a driver while ``play`` lasts; what was left behind."""

    async def run() -> Bench:
        bench = Bench(folder, roles, settings)
        driving = asyncio.create_task(bench.driver.run())
        playing = asyncio.ensure_future(play(bench))
        done, _ = await asyncio.wait(
            {driving, playing}, timeout=30, return_when=asyncio.FIRST_COMPLETED
        )
        assert done, "nothing happens any more"
        for task in done:
            await task
        bench.driver.stop()
        await asyncio.wait_for(driving, 30)
        return bench

    return asyncio.run(run())


def prepare(round_: int, instance: int = 1) -> Prepare:
    """A guest's phase 1 request."""
    return Prepare(instance, Ballot(round_, GUEST))


def test_a_promise_leaves_after_its_sync(tmp_path: Path) -> None:
    """§2.5: the input is told first, then it is durable, then the reply goes."""

    async def play(bench: Bench) -> None:
        asked = bench.ask(prepare(3))
        await bench.disk.wait_until_asked()
        await bench.settle()
        assert bench.events() == ["prepare_received"]
        assert not asked.done()
        bench.disk.let_sync_return()
        assert (await asked).message == Promise(1, Ballot(3, GUEST), None)
        assert bench.events() == [
            "prepare_received",
            "state_persisted",
            "promise_sent",
            "timer_set",
        ]

    drive(tmp_path, play)


def test_a_repeated_prepare_waits_for_the_sync_of_the_first(tmp_path: Path) -> None:
    """Its bare Send would publish a promise whose sync is still running."""

    async def play(bench: Bench) -> None:
        first = bench.ask(prepare(3))
        await bench.disk.wait_until_asked()
        second = bench.ask(prepare(3))
        await bench.settle()
        assert not second.done()
        assert len(bench.lines()) == 1
        bench.disk.let_sync_return()
        assert (await second).message == (await first).message

    drive(tmp_path, play)


def test_a_batch_takes_one_input_of_each_instance(tmp_path: Path) -> None:
    """A Promise made before an Accept of the same batch would leave after it is on disk (R2)."""

    async def play(bench: Bench) -> None:
        busy = bench.ask(prepare(1, instance=9))
        await bench.disk.wait_until_asked()
        asked = [
            bench.ask(prepare(3)),
            bench.ask(Accept(1, Ballot(3, GUEST), "apple")),
            bench.ask(prepare(5, instance=2)),
        ]
        await bench.settle()
        bench.disk.let_sync_return()
        await busy
        await bench.disk.wait_until_asked()
        assert [record.instance for record in bench.disk.records] == [9, 1, 2]
        bench.disk.let_sync_return()
        assert (await asked[0]).message == Promise(1, Ballot(3, GUEST), None)
        await bench.disk.wait_until_asked()
        bench.disk.let_sync_return()
        assert (await asked[1]).message == Accepted(1, Ballot(3, GUEST), "apple")
        await asked[2]

    drive(tmp_path, play)


def test_a_refusal_waits_for_the_sync_of_its_batch(tmp_path: Path) -> None:
    """It speaks of what another input of the batch may have made."""

    async def play(bench: Bench) -> None:
        bench.driver.recover({1: Stored(promised=Ballot(9, GUEST))})
        bench.disk.let_sync_return()
        await bench.settle()
        busy = bench.ask(prepare(1, instance=9))
        await bench.settle()
        bench.disk.asked.clear()
        refused, promised = bench.ask(prepare(3)), bench.ask(prepare(3, instance=2))
        await bench.disk.wait_until_asked()
        await bench.settle()
        assert "prepare_received" in bench.events()
        assert not refused.done()
        bench.disk.let_sync_return()
        assert isinstance((await refused).message, Nack)
        await promised
        await busy

    drive(tmp_path, play)


def test_a_client_that_goes_takes_no_step_with_it(tmp_path: Path) -> None:
    """Its handler is cancelled in mid-sync; the promise is adopted, durable and told."""

    async def play(bench: Bench) -> None:
        asked = bench.ask(prepare(3))
        await bench.disk.wait_until_asked()
        asked.cancel()
        await bench.settle()
        assert asked.cancelled()
        bench.disk.let_sync_return()
        await bench.settle()
        assert bench.events()[-2:] == ["promise_sent", "timer_set"]
        assert bench.driver.instances[1].acceptor.promised == Ballot(3, GUEST)
        assert len(bench.disk.synced) == 1

    drive(tmp_path, play)


def test_an_early_reply_of_a_broken_variant_is_out_before_the_write(tmp_path: Path) -> None:
    """Otherwise the program would quietly mend the variant."""

    async def play(bench: Bench) -> None:
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asked = asyncio.create_task(bench.driver.ask(GUEST, prepare(3), None, left))
        await bench.settle()
        assert (await asked).message == Promise(1, Ballot(3, GUEST), None)
        assert bench.disk.records == []
        left.set_result(None)
        await bench.disk.wait_until_asked()
        assert len(bench.disk.records) == 1
        bench.disk.let_sync_return()
        await bench.settle()
        assert bench.events() == [
            "prepare_received",
            "promise_sent",
            "timer_set",
            "state_persisted",
        ]

    drive(tmp_path, play, roles=load("reply-before-write").roles)


def test_a_timer_that_was_cancelled_after_it_fired_is_not_fed(tmp_path: Path) -> None:
    """It waits in the queue behind the message that makes it moot."""

    async def play(bench: Bench) -> None:
        asked = bench.ask(prepare(3))
        await bench.disk.wait_until_asked()
        bench.disk.let_sync_return()
        await asked
        learn = Learn(1, Ballot(3, GUEST), "apple", (2, 3))
        bench.driver.put(Arrival(Received(2, learn, answer=True)))
        bench.driver._fire(1, Timer.ASK, 0)
        await bench.settle()
        assert bench.events()[-3:] == ["learn_received", "value_learned", "timer_cancelled"]
        bench.driver._fire(1, Timer.ASK, 0)
        await bench.settle()
        assert bench.events()[-1] == "timeout_fired"

    drive(tmp_path, play)


def test_what_is_learned_is_written_without_waiting_for_a_sync(tmp_path: Path) -> None:
    """Losing it costs only asking again; its line comes before its write."""

    async def play(bench: Bench) -> None:
        asked = bench.ask(Learn(1, Ballot(3, GUEST), "apple", (2, 3)), source=2)
        assert (await asked).message == Learned(1)
        assert bench.events() == ["learn_received", "value_learned", "learned_sent"]
        assert len(bench.disk.records) == 1

    drive(tmp_path, play)


def test_a_question_alone_takes_no_memory(tmp_path: Path) -> None:
    """A refused or ignored input leaves no instance behind."""

    async def play(bench: Bench) -> None:
        stray = Promise(1, Ballot(1, 1), None)
        bench.driver.put(Arrival(Received(2, stray)))
        await bench.settle()
        assert bench.events() == ["promise_received"]
        assert bench.lines()[0]["ignored"]

    bench = drive(tmp_path, play)
    assert bench.driver.instances == {}


def test_a_stopping_driver_finishes_its_batch_and_refuses_the_rest(tmp_path: Path) -> None:
    """Who waits is told so: the promise in hand is kept, the others were never made."""

    async def play(bench: Bench) -> None:
        in_hand = bench.ask(prepare(3))
        await bench.disk.wait_until_asked()
        waiting = bench.ask(prepare(5))
        client = asyncio.create_task(bench.driver.propose(2, "apple", 1000, None))
        await bench.settle()
        bench.driver.stop()
        late = bench.ask(prepare(7))
        bench.disk.let_sync_return()
        assert (await in_hand).message == Promise(1, Ballot(3, GUEST), None)
        assert (await waiting).stopping
        assert (await late).stopping
        assert await client is None

    bench = drive(tmp_path, play)
    assert bench.driver.instances[1].acceptor.promised == Ballot(3, GUEST)


def test_a_client_is_answered_with_the_outcome(tmp_path: Path) -> None:
    """A learned instance answers at once, with another's value."""

    async def play(bench: Bench) -> None:
        await bench.ask(Learn(1, Ballot(3, GUEST), "apple", (2, 3)), source=2)
        answer = await bench.driver.propose(1, "pear", 1000, None)
        assert answer is not None
        assert answer.outcome is Outcome.CHOSEN
        assert answer.learned == Proposal(Ballot(3, GUEST), "apple")
        assert bench.lines()[-1]["yours"] is False

    drive(tmp_path, play)


def test_settings_of_a_range_reach_instances_old_and_new(tmp_path: Path) -> None:
    """The last change wins where ranges overlap."""

    async def play(bench: Bench) -> None:
        await bench.ask(Learn(5, Ballot(3, GUEST), "apple", (2, 3)), source=2)
        bench.driver.configure(4, 6, lambda settings: replace(settings, patience_ms=77))
        bench.driver.configure(6, 9, lambda settings: replace(settings, patience_ms=88))
        assert bench.driver.instances[5].config.settings.patience_ms == 77
        told = [bench.driver.settings_of(number).patience_ms for number in (3, 4, 6, 9)]
        assert told == [SETTINGS.patience_ms, 77, 88, 88]

    drive(tmp_path, play)


def test_a_full_queue_says_so(tmp_path: Path) -> None:
    """Requests are refused then; timers and replies always find room."""

    async def play(bench: Bench) -> None:
        for _ in range(4):
            assert not bench.driver.full
            bench.driver.put(Arrival(Received(2, Promise(1, Ballot(1, 1), None))))
        assert bench.driver.full
        await bench.settle()
        assert not bench.driver.full

    drive(tmp_path, play)


def test_an_error_of_the_disk_ends_the_driver(tmp_path: Path) -> None:
    """It is never tried again; the task's root ends the process."""

    class Broken(SlowDisk):
        async def append_durably(self, records: Sequence[Record]) -> list[int]:
            raise OSError(f"{len(records)} records lost")

    async def run() -> None:
        bench = Bench(tmp_path)
        bench.driver._disk = cast(Disk, Broken())
        asked = bench.ask(prepare(3))
        with pytest.raises(OSError, match="lost"):
            await asyncio.wait_for(bench.driver.run(), 30)
        assert not asked.done()
        assert "promise_sent" not in bench.events()
        asked.cancel()

    asyncio.run(run())
