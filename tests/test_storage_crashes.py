"""What survives a crash at every point: kill, power loss, failed write, failed sync.

The law, for all of it: read in order, the records on the disk are a first
part of those that were handed over, with every synced one in it. A kill leaves
all whose append had returned. A start makes durable what it read.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from paxos.protocol import AcceptorRecord, Ballot, Proposal, Stored
from paxos.storage import (
    Damaged,
    NotFormatted,
    Storage,
    StorageFailed,
    format_directory,
    open_storage,
    read_storage,
)
from paxos.storage.virtual import Killed, Verb, VirtualFiles

FIRST = "segment-000001.jsonl"
Keep = Callable[[int], int]
KEEPS: dict[str, Keep] = {
    "nothing": lambda _: 0,
    "half": lambda count: count // 2,
    "all but one": lambda count: count - 1,
    "all": lambda count: count,
}


def record(number: int, size: int) -> AcceptorRecord:
    """A record that no other equals, with a value of so many characters."""
    ballot = Ballot(number, 1 + number % 5)
    value = ('ä\t "\\' * size)[:size]
    return AcceptorRecord(1 + number % 3, ballot, Proposal(ballot, value))


def on_disk(files: VirtualFiles) -> list[Any]:
    """The acceptors' records in the files, as ``jq`` would read them."""
    found = []
    for name in files.names():
        if name != "segment.new":
            lines = files.read(name).decode().split("\n")
            found += [json.loads(line)["record"] for line in lines if line.strip("\t")]
    return [each for each in found if each["kind"] == "acceptor"]


def as_json(records: list[AcceptorRecord]) -> list[Any]:
    """What :func:`on_disk` should find."""
    return [
        {
            "kind": "acceptor",
            "instance": each.instance,
            "promised": str(each.promised),
            "accepted": {"ballot": str(each.promised), "value": each.accepted.value},
        }
        for each in records
        if each.accepted is not None
    ]


@dataclass
class Node:
    """A node that writes, and the memory of what it was promised."""

    files: VirtualFiles = field(default_factory=VirtualFiles)
    handed_over: list[AcceptorRecord] = field(default_factory=list)
    appended: int = 0
    """How many of these an append has returned for."""
    durable: int = 0
    """How many a sync, or a start, has returned for."""
    incarnation: int = 0
    storage: Storage | None = None

    def append(self, *sizes: int) -> None:
        """Hand over a batch."""
        assert self.storage is not None
        first = len(self.handed_over)
        batch = [record(first + index, size) for index, size in enumerate(sizes)]
        self.handed_over += batch
        self.storage.append(batch)
        self.appended = len(self.handed_over)

    def sync(self) -> None:
        """Make all of it durable."""
        assert self.storage is not None
        self.storage.sync()
        self.durable = self.appended

    def start(self) -> None:
        """Recover, and hold the law."""
        self.storage, recovered = open_storage(self.files, "lab", 1, (1, 2, 3))
        survivors = on_disk(self.files)
        count = len(survivors)
        assert survivors == as_json(self.handed_over[:count])
        assert self.durable <= count <= len(self.handed_over)
        expected = {each.instance: each for each in self.handed_over[:count]}
        assert recovered.instances == {
            instance: Stored(promised=each.promised, accepted=each.accepted)
            for instance, each in sorted(expected.items())
        }
        # A start that a crash cut off may count, for it may be on the disk.
        assert recovered.incarnation > self.incarnation
        self.incarnation = recovered.incarnation
        del self.handed_over[count:]
        self.appended = self.durable = count

    def format(self) -> None:
        """Make the directory."""
        format_directory(self.files, "lab", 1, (1, 2, 3))


def formatted() -> Node:
    """A node that was started once."""
    node = Node()
    node.format()
    node.start()
    return node


def life(node: Node) -> None:
    """All that a disk sees: batches, new segments, large ones, a start after a kill."""
    node.append(10, 2_000)
    node.sync()
    for _ in range(4):
        node.append(6_000)
    node.sync()
    node.append(20_000, 5)
    node.append(3)
    node.start()
    node.append(7_000)
    node.sync()
    node.append(30)
    node.append(40, 50)


class TestEveryPoint:
    @pytest.mark.parametrize("keep", KEEPS.values(), ids=KEEPS)
    @pytest.mark.parametrize("part", [0, 70, 5_000])
    def test_power_lost_at_any_verb_takes_only_what_was_not_synced(
        self, keep: Keep, part: int
    ) -> None:
        """Whatever chance keeps of the unsynced, and however much of a write was done."""
        for node in killed_at_every_verb(part):
            node.files.power_loss(keep)
            node.start()
            node.files.power_loss()
            node.start()

    @pytest.mark.parametrize("part", [0, 70, 5_000])
    def test_a_kill_at_any_verb_takes_nothing_that_was_appended(self, part: int) -> None:
        """The page cache outlives the process; and the next start syncs it."""
        for node in killed_at_every_verb(part):
            node.files.kill()
            node.durable = node.appended
            node.start()
            node.files.power_loss()
            node.start()

    @pytest.mark.parametrize("keep", KEEPS.values(), ids=KEEPS)
    def test_a_start_that_is_cut_off_can_be_repeated(self, keep: Keep) -> None:
        """At every verb of a start that cuts a torn record, by a power loss."""
        crashes = 0
        for verb in range(1, 100):
            node = formatted()
            node.append(10)
            node.sync()
            node.append(1_000)
            node.files.power_loss(lambda count: count // 2)
            assert read_storage(node.files).torn is not None
            node.files.kill_at(node.files.verb_count + verb)
            try:
                node.start()
            except Killed:
                crashes += 1
            else:
                break
            node.files.power_loss(keep)
            node.start()
            assert read_storage(node.files).torn is None
            assert len(node.handed_over) == 1
        assert crashes == 4

    @pytest.mark.parametrize("keep", KEEPS.values(), ids=KEEPS)
    @pytest.mark.parametrize("part", [0, 70, 5_000])
    def test_a_format_that_is_cut_off_left_all_or_nothing(self, keep: Keep, part: int) -> None:
        """The directory can be started, or formatted: never neither, never by halves."""
        for verb in range(1, 6):
            node = Node()
            node.files.kill_at(verb, part)
            if verb < 5:
                with pytest.raises(Killed):
                    node.format()
            else:
                node.format()
            node.files.power_loss(keep)
            try:
                read_storage(node.files)
            except NotFormatted:
                assert verb < 5
                node.format()
            node.start()
            assert node.incarnation == 1


def killed_at_every_verb(part: int) -> Iterator[Node]:
    """One node for each verb of a life at which the process can end."""
    whole = formatted()
    first = whole.files.verb_count
    life(whole)
    last = whole.files.verb_count
    assert last - first > 30
    for verb in range(first + 1, last + 1):
        node = formatted()
        node.files.kill_at(verb, part)
        with pytest.raises(Killed):
            life(node)
        yield node


class TestFailure:
    @pytest.mark.parametrize("verb", list(Verb))
    @pytest.mark.parametrize("part", [0, 10])
    def test_a_failed_write_or_sync_is_final(self, verb: Verb, part: int) -> None:
        """Nothing is tried again, not even what might work: the process must end."""
        node = formatted()
        node.append(9_000)
        node.files.fail(verb, part)
        with pytest.raises(StorageFailed, match=r"Input/output error.*start the node again"):
            life_with_a_new_segment(node)
        assert node.storage is not None
        before = node.files.verb_count
        for call in (node.storage.sync, lambda: node.append(1)):
            with pytest.raises(StorageFailed, match="earlier write or sync"):
                call()
        assert node.files.verb_count == before

    @pytest.mark.parametrize("verb", list(Verb))
    def test_a_start_or_format_that_fails_says_so(self, verb: Verb) -> None:
        """A full or failing disk is told from a damaged one; a later start goes on."""
        node = Node()
        node.files.fail(verb)
        with pytest.raises(StorageFailed, match=r"^disk: .*Input/output error"):
            node.format()
        node = formatted()
        node.append(10)
        node.sync()
        node.files.fail(verb)
        with pytest.raises(StorageFailed, match=r"^disk: .*Input/output error"):
            node.start()
        node.files.power_loss()
        node.start()

    def test_what_a_failed_sync_left_in_the_cache_is_made_durable_by_a_start(self) -> None:
        """The kernel calls the bytes clean, so a sync alone would do nothing for them."""
        node = formatted()
        node.append(10)
        node.files.fail(Verb.SYNC)
        with pytest.raises(StorageFailed):
            node.sync()
        node.files.kill()
        node.start()
        assert node.durable == 1
        node.files.power_loss()
        node.start()

    def test_the_same_holds_for_a_failed_sync_of_a_seal(self) -> None:
        """The sealed segment is written anew too, before the next one gets a record."""
        node = formatted()
        node.append(9_000)
        # The first sync is that of the new segment.
        node.files.fail(Verb.SYNC, after=1)
        with pytest.raises(StorageFailed):
            node.append(9_000)
        node.files.kill()
        node.durable = node.appended
        node.start()
        node.files.power_loss()
        node.start()
        assert len(node.handed_over) == 1

    def test_an_interrupted_write_is_final_too(self) -> None:
        """Whoever catches what ended a write cannot go on as if it had been done."""
        node = formatted()
        node.files.kill_at(node.files.verb_count + 1, part=5)
        with pytest.raises(Killed):
            node.append(10)
        node.files.kill()
        assert node.storage is not None
        with pytest.raises(StorageFailed):
            node.storage.sync()

    def test_blocks_out_of_order_are_recovered_as_a_first_part_or_refused(self) -> None:
        """A disk may write later blocks first: that looks like damage, and is never guessed at."""
        node = formatted()
        node.append(10)
        node.sync()
        durable = node.files.read(FIRST)
        node.append(300, 300, 900)
        cached = node.files.read(FIRST)
        blocks = [
            at for at in range(0, len(cached), 512) if cached[at:][:512] != durable[at:][:512]
        ]
        refused = 0
        for kept in product((False, True), repeat=len(blocks)):
            data = bytearray(durable)
            for at, is_kept in zip(blocks, kept, strict=True):
                if is_kept:
                    data[at : at + 512] = cached[at : at + 512]
            other = Node(VirtualFiles({FIRST: bytes(data)}), list(node.handed_over), durable=1)
            try:
                other.start()
            except Damaged:
                refused += 1
                # Never when they are in order: that is a torn write.
                assert sorted(kept, reverse=True) != list(kept)
        assert refused > len(blocks)

    def test_a_longer_leftover_does_not_show_through(self) -> None:
        """What an interrupted format or start left is written over to its end."""
        leftover = b"rubbish\n" * 10_000
        files = VirtualFiles({"segment.new": leftover})
        format_directory(files, "lab", 1, (1, 2, 3))
        assert files.names() == [FIRST]
        files.write("segment.new", 0, leftover)
        open_storage(files, "lab", 1, (1, 2, 3))
        assert b"rubbish" not in files.read(FIRST)
        assert read_storage(files).incarnation == 1


def life_with_a_new_segment(node: Node) -> None:
    """Every verb once at least."""
    node.append(9_000)
    node.sync()


class Life(RuleBasedStateMachine):
    """Lives by chance, with crashes and failures in the middle of anything."""

    SIZES = st.lists(st.sampled_from([0, 1, 30, 3_000, 9_000, 40_000]), max_size=4)

    def __init__(self) -> None:
        super().__init__()
        self.node = formatted()

    @rule(sizes=SIZES)
    def append(self, sizes: list[int]) -> None:
        """Hand over a batch."""
        self.node.append(*sizes)

    @rule()
    def sync(self) -> None:
        """Sync."""
        self.node.sync()

    @rule()
    def kill(self) -> None:
        """Kill the node: all that was appended must be there."""
        self.node.files.kill()
        self.node.durable = self.node.appended
        self.node.start()

    @rule(data=st.data())
    def power_loss(self, data: st.DataObject) -> None:
        """Cut the power, and let chance keep what it likes."""
        self.node.files.power_loss(lambda count: data.draw(st.integers(0, count)))
        self.node.start()

    @rule(
        sizes=SIZES,
        verb=st.integers(1, 8),
        part=st.integers(0, 3_000),
        starts=st.booleans(),
        data=st.data(),
    )
    def crash(self, sizes: list[int], verb: int, part: int, starts: bool, data: Any) -> None:
        """Kill in the middle of a start, an append or a sync, or cut the power there."""
        files = self.node.files
        files.kill_at(files.verb_count + verb, part)
        try:
            if starts:
                self.node.start()
            self.node.append(*sizes)
            self.node.sync()
        except Killed:
            pass
        if data.draw(st.booleans()):
            self.kill()
        else:
            self.power_loss(data)

    @rule(
        sizes=SIZES,
        verb=st.sampled_from(Verb),
        part=st.integers(0, 3_000),
        after=st.integers(0, 3),
        starts=st.booleans(),
    )
    def fail(self, sizes: list[int], verb: Verb, part: int, after: int, starts: bool) -> None:
        """Let the disk fail in the middle; the process ends, and starts again."""
        self.node.files.fail(verb, part, after)
        try:
            if starts:
                self.node.start()
            self.node.append(*sizes)
            self.node.sync()
        except StorageFailed:
            pass
        self.kill()


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
TestLife = Life.TestCase


class TestVirtualFiles:
    """The virtual disk is as bad as a real one, or these tests prove nothing."""

    def test_a_sync_makes_content_durable_but_no_name(self) -> None:
        """A file whose directory was not synced is gone."""
        files = VirtualFiles()
        files.write("a", 0, b"x")
        files.sync("a")
        files.power_loss()
        assert files.names() == []

    def test_a_rename_may_be_lost_or_come_before_the_content(self) -> None:
        """Names and contents reach the disk independently."""
        for keep, content in ((0, b"old"), (2, b"")):
            files = VirtualFiles({"a": b"old"})
            files.write("new", 0, b"longer")
            files.rename("new", "a")
            # Two changes of the directory: the name, and then the other.
            files.power_loss({2: keep, 6: 0}.__getitem__)
            assert (files.names(), files.read("a")) == (["a"], content)

    def test_a_kill_keeps_what_a_power_loss_takes(self) -> None:
        """Unsynced bytes are in the page cache."""
        files = VirtualFiles({"a": b"12345"})
        files.write("a", 2, b"xyz!")
        files.kill()
        assert files.read("a") == b"12xyz!"
        files.power_loss(lambda count: count - 2)
        assert files.read("a") == b"12xy5"

    def test_a_failed_sync_leaves_bytes_that_the_next_one_does_not_save(self) -> None:
        """As Linux does: the error is told once, and the bytes count as clean."""
        files = VirtualFiles({"a": b""})
        files.write("a", 0, b"x")
        files.fail(Verb.SYNC)
        with pytest.raises(OSError, match="Input/output"):
            files.sync("a")
        files.sync("a")
        assert files.read("a") == b"x"
        files.power_loss()
        assert files.read("a") == b""

    def test_a_failed_write_has_done_a_part(self) -> None:
        """Which a later sync makes durable."""
        files = VirtualFiles({"a": b""})
        files.fail(Verb.WRITE, part=2)
        with pytest.raises(OSError, match="Input/output"):
            files.write("a", 0, b"xyz")
        files.sync("a")
        files.power_loss()
        assert files.read("a") == b"xy"
