"""Broken storages over real bytes, and the faults of a disk that show them."""

import pytest

from paxos.protocol import AcceptorRecord, Ballot, Proposal, Stored
from paxos.storage import (
    KEEPING,
    Damaged,
    Keeping,
    NotFormatted,
    Recovered,
    Storage,
    StorageFailed,
    read_storage,
)
from paxos.storage.damage import STARTS, corrupt, emptied
from paxos.storage.virtual import Verb, VirtualFiles
from paxos.variants import storages

MEMBERS = (1, 2, 3)
LOW, HIGH = Ballot(1, 1), Ballot(2, 3)
PAIR = Proposal(LOW, "apple")
BROKEN = {
    "lies": storages.LIES,
    "reformats": storages.REFORMATS,
    "copies": storages.COPIES,
    "leaves out": storages.LEAVES_OUT,
    "retries": storages.RETRIES,
    "in place": storages.IN_PLACE,
}


class Disk:
    """A node's directory under some keeping."""

    def __init__(self, keeping: Keeping = KEEPING) -> None:
        self.files = VirtualFiles()
        self.keeping = keeping
        keeping.format(self.files, "lab", 1, MEMBERS)

    def start(self) -> tuple[Storage, Recovered]:
        """The next incarnation."""
        return self.keeping.open(self.files, "lab", 1, MEMBERS)

    def used(self) -> Storage:
        """A first incarnation that has promised, accepted, and promised more; all of it synced."""
        storage, _ = self.start()
        for promised, accepted in ((LOW, None), (LOW, PAIR), (HIGH, PAIR)):
            storage.append([AcceptorRecord(1, promised, accepted)])
            storage.sync()
        return storage


@pytest.fixture(params=BROKEN)
def broken(request: pytest.FixtureRequest) -> Disk:
    """Each broken storage in turn."""
    return Disk(BROKEN[request.param])


def test_without_a_fault_nobody_sees_a_difference(broken: Disk) -> None:
    """That is why such bugs live long."""
    broken.used()
    broken.files.kill()
    _, recovered = broken.start()
    assert recovered.instances == {1: Stored(HIGH, PAIR)}
    assert recovered.incarnation == 2


class TestCorrect:
    def test_a_corrupt_record_is_refused(self) -> None:
        """A promise may stand in it."""
        disk = Disk()
        disk.used()
        place = corrupt(disk.files)
        assert place.startswith("segment-000001.jsonl, offset ")
        with pytest.raises(Damaged, match="checksum"):
            disk.start()

    def test_a_lost_disk_is_refused(self) -> None:
        """The count of starts that is left beside it makes it no less empty."""
        disk = Disk()
        disk.used()
        disk.files.lose(emptied(disk.files))
        with pytest.raises(NotFormatted):
            disk.start()

    def test_a_failed_sync_is_final(self) -> None:
        """No second try."""
        disk = Disk()
        storage = disk.used()
        disk.files.fail(Verb.SYNC)
        storage.append([AcceptorRecord(1, Ballot(3, 1), PAIR)])
        for _ in range(2):
            with pytest.raises(StorageFailed):
                storage.sync()


class TestBroken:
    def test_a_sync_that_lies_loses_everything_with_the_power(self) -> None:
        """And nothing with a kill."""
        disk = Disk(storages.LIES)
        disk.used()
        disk.files.power_loss()
        assert disk.start()[1].instances == {}

    def test_a_sync_that_is_tried_again_loses_what_failed_first(self) -> None:
        """The second one succeeds over nothing: the kernel calls the bytes clean."""
        disk = Disk(storages.RETRIES)
        storage = disk.used()
        disk.files.fail(Verb.SYNC)
        storage.append([AcceptorRecord(1, Ballot(3, 1), PAIR)])
        storage.sync()
        disk.files.power_loss()
        assert disk.start()[1].instances == {1: Stored(HIGH, PAIR)}

    def test_a_corrupt_record_is_left_out_and_the_one_before_counts(self) -> None:
        """A promise is gone, in silence."""
        disk = Disk(storages.LEAVES_OUT)
        disk.used()
        corrupt(disk.files)
        assert disk.start()[1].instances == {1: Stored(LOW, PAIR)}

    def test_a_lost_disk_starts_as_if_new(self) -> None:
        """But for the count of its starts, so that no line of a log has the name of another."""
        disk = Disk(storages.REFORMATS)
        disk.used()
        disk.files.lose(emptied(disk.files))
        _, recovered = disk.start()
        assert recovered.instances == {}
        assert recovered.incarnation == 2

    def test_a_lost_disk_takes_a_promise_of_a_peer(self) -> None:
        """The highest that it hears of, durably; and it has accepted nothing."""
        disk = Disk(storages.COPIES)
        disk.used()
        disk.files.lose(emptied(disk.files))
        storage, recovered = disk.start()
        assert disk.keeping.copy is not None
        copied = disk.keeping.copy(storage, recovered, [{1: Stored(LOW, PAIR)}, {1: Stored(HIGH)}])
        assert copied.instances == {1: Stored(HIGH)}
        disk.files.power_loss()
        assert read_storage(disk.files).instances == {1: Stored(HIGH)}

    def test_what_is_there_is_not_copied_over(self) -> None:
        """Only a start that finds nothing asks its peers."""
        disk = Disk(storages.COPIES)
        disk.used()
        disk.files.kill()
        storage, recovered = disk.start()
        assert disk.keeping.copy is not None
        assert disk.keeping.copy(storage, recovered, [{1: Stored(LOW)}]) is recovered

    @pytest.mark.parametrize("kept", [0, 100])
    def test_a_power_loss_in_a_write_in_place_leaves_nothing(self, kept: int) -> None:
        """Not even what was synced before; a first part of the file is as good as none."""
        disk = Disk(storages.IN_PLACE)
        storage = disk.used()
        storage.append([AcceptorRecord(1, Ballot(3, 1), PAIR)])
        disk.files.power_loss(lambda count: min(kept, count))
        _, recovered = disk.start()
        assert recovered.instances == {}
        assert recovered.incarnation == 2


class TestDamage:
    def test_nothing_to_corrupt(self) -> None:
        """A node that never promised has no such record."""
        with pytest.raises(LookupError, match="no acceptor record"):
            corrupt(Disk().files)

    def test_starts_are_counted_whatever_became_of_the_directory(self) -> None:
        """Lost once, damaged, or lost twice."""
        disk = Disk(storages.REFORMATS)
        disk.used()
        disk.start()
        corrupt(disk.files)
        assert emptied(disk.files) == {STARTS: b"2\n"}
        disk.files.lose(emptied(disk.files))
        assert emptied(disk.files) == {STARTS: b"2\n"}
