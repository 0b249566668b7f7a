"""What a power loss takes from a real directory: the same as from the virtual one."""

import contextlib
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.files import LOCK, Loss, RealFiles
from paxos.protocol import AcceptorRecord, Ballot
from paxos.storage import StorageFailed, format_directory, open_storage, read_storage
from paxos.storage.virtual import Verb, VirtualFiles

NAMES = ("a", "b", "c")

names = st.sampled_from(NAMES)
data = st.binary(min_size=1, max_size=6)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), names, st.integers(0, 8), data),
        st.tuples(st.just("sync"), names),
        st.tuples(st.just("failing sync"), names),
        st.tuples(st.just("rename"), names, names),
        st.tuples(st.just("sync_directory")),
    ),
    max_size=14,
)


def play(files: Any, step: tuple[Any, ...], fail: Callable[[], None]) -> None:
    """One verb; what cannot be done raises OSError in both worlds."""
    verb, *given_ = step
    if verb == "failing sync":
        if given_[0] not in files.names():
            return
        fail()
        verb = "sync"
    if verb == "rename" and given_[0] == given_[1]:
        return
    if verb in {"sync", "rename"} and given_[0] not in files.names():
        return
    with contextlib.suppress(OSError):
        getattr(files, verb)(*given_)


@settings(max_examples=300, deadline=None)
@given(steps=steps, before=st.dictionaries(names, data))
def test_it_takes_what_the_virtual_disk_loses(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[Any, ...]],
    before: dict[str, bytes],
) -> None:
    """A law over all verbs: one model of a disk serves the simulator and the nodes."""
    folder = tmp_path_factory.mktemp("disk")
    for name, content in before.items():
        (folder / name).write_bytes(content)
    real, virtual = RealFiles(folder), VirtualFiles(before)
    for step in steps:
        play(real, step, real.fail_sync)
        play(virtual, step, lambda: virtual.fail(Verb.SYNC))
    real.lose_power(lambda _: None)
    virtual.power_loss()
    real.close()
    left = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert left == {name: virtual.read(name) for name in virtual.names()}


def test_it_says_first_what_it_will_take(tmp_path: Path) -> None:
    """The line is written ahead: bytes of content, and changes of the directory."""
    files = RealFiles(tmp_path)
    files.write("kept", 0, b"hello")
    files.sync("kept")
    files.sync_directory()
    files.write("kept", 5, b", disk")
    files.write("new", 0, b"x")
    told: list[tuple[Loss, bytes]] = []
    files.lose_power(lambda loss: told.append((loss, (tmp_path / "kept").read_bytes())))
    assert told == [(Loss(byte_count=7, name_count=1), b"hello, disk")]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"kept": b"hello"}
    files.close()


def test_what_another_process_has_written_stays(tmp_path: Path) -> None:
    """After a kill the bytes are in the page cache; the next process did not write them."""
    killed = RealFiles(tmp_path)
    killed.write("file", 0, b"unsynced")
    killed.close()
    files = RealFiles(tmp_path)
    files.write("file", 0, b"UN")
    files.lose_power(lambda _: None)
    assert (tmp_path / "file").read_bytes() == b"unsynced"
    files.close()


def test_records_that_were_synced_are_there_and_others_are_not(tmp_path: Path) -> None:
    """Under the real storage code, which begins with renames at every start."""
    files = RealFiles(tmp_path)
    files.lock()
    format_directory(files, "lab", 1, (1, 2, 3))
    storage, _ = open_storage(files, "lab", 1, (1, 2, 3))
    storage.append([AcceptorRecord(1, Ballot(1, 2), None)])
    storage.sync()
    storage.append([AcceptorRecord(1, Ballot(7, 2), None)])
    files.lose_power(lambda _: None)
    files.close()
    found = read_storage(RealFiles(tmp_path))
    assert (found.instances[1].promised, found.torn) == (Ballot(1, 2), None)
    assert {path.name for path in tmp_path.iterdir()} == {LOCK, "segment-000001.jsonl"}


def test_a_torn_write_leaves_its_first_byte(tmp_path: Path) -> None:
    """All else that was written since the last sync is gone; a file that is gone has none."""
    for folder in ("there", "gone"):
        (tmp_path / folder).mkdir()
    files = RealFiles(tmp_path / "there")
    files.write("file", 0, b"____")
    files.sync("file")
    files.sync_directory()
    files.tear()
    files.write("file", 1, b"ab")
    files.write("file", 3, b"cd")
    files.lose_power(lambda _: None)
    assert (tmp_path / "there" / "file").read_bytes() == b"_a__"
    new = RealFiles(tmp_path / "gone")
    new.tear()
    new.write("file", 0, b"ab")
    new.lose_power(lambda _: None)
    assert list((tmp_path / "gone").iterdir()) == []
    for one in (files, new):
        one.close()


def test_a_sync_that_fails_is_final_and_its_bytes_are_lost(tmp_path: Path) -> None:
    """The file still shows them, and a power loss takes them: nothing was durable."""
    files = RealFiles(tmp_path)
    format_directory(files, "lab", 1, (1, 2, 3))
    storage, _ = open_storage(files, "lab", 1, (1, 2, 3))
    files.fail_sync()
    storage.append([AcceptorRecord(1, Ballot(1, 2), None)])
    with pytest.raises(StorageFailed) as failed:
        storage.sync()
    assert isinstance(failed.value.__cause__, OSError)
    assert failed.value.__cause__.errno == errno.EIO
    assert read_storage(RealFiles(tmp_path)).instances[1].promised == Ballot(1, 2)
    files.lose_power(lambda _: None)
    files.close()
    assert read_storage(RealFiles(tmp_path)).instances == {}
