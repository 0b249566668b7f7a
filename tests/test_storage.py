"""What a state directory looks like, what is read from it, and what is refused."""

import json
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paxos.protocol import (
    AcceptorRecord,
    Ballot,
    LearnedRecord,
    Proposal,
    Record,
    RoundRecord,
    Stored,
)
from paxos.storage import (
    Damaged,
    Files,
    ForeignDirectory,
    NotEmpty,
    NotFormatted,
    Recovered,
    Storage,
    StorageError,
    Torn,
    Unsupported,
    format_directory,
    open_storage,
    read_storage,
)
from paxos.storage.records import decode_line, encode_line
from paxos.storage.virtual import VirtualFiles

MEMBERS = (1, 2, 3, 4, 5)
FIRST, SECOND, THIRD = (f"segment-{index:06}.jsonl" for index in (1, 2, 3))
LONG = "x" * 6_000
"""Two records with it have room in one segment, three do not."""

APPLE = Proposal(Ballot(1, 1), "apple")
BALLOTS = st.builds(Ballot, st.integers(0, 9999), st.sampled_from([*range(1, 100), 101, 109]))
TEXTS = st.text(max_size=40)
INSTANCES = st.integers(1, 3)
ACCEPTED = st.none() | st.builds(Proposal, BALLOTS, TEXTS)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(AcceptorRecord, INSTANCES, BALLOTS, ACCEPTED),
    st.builds(RoundRecord, INSTANCES, st.integers(0, 9999)),
    st.builds(
        LearnedRecord,
        INSTANCES,
        BALLOTS,
        TEXTS,
        st.lists(st.sampled_from(MEMBERS), unique=True).map(tuple),
    ),
)


def formatted() -> VirtualFiles:
    """The disk of a node that was never started."""
    files = VirtualFiles(name="state/n5")
    format_directory(files, "lab", 5, MEMBERS)
    return files


def opened(files: Files) -> tuple[Storage, Recovered]:
    """Start the node that the disk was formatted for."""
    return open_storage(files, "lab", 5, MEMBERS)


def disk_with(*records: Record) -> VirtualFiles:
    """The disk of a node that was started once and wrote these, one by one."""
    files = formatted()
    storage, _ = opened(files)
    for record in records:
        storage.append([record])
        storage.sync()
    return files


def three_segments() -> dict[str, bytes]:
    """Contents with two sealed segments and one in use."""
    files = disk_with(*(RoundRecord(1, round_) for round_ in range(3)))
    storage, _ = opened(files)
    for round_ in (1, 2, 3):
        storage.append(
            [AcceptorRecord(1, Ballot(round_, 1), Proposal(Ballot(round_, 1), LONG))] * 2
        )
        storage.sync()
    assert files.names() == [FIRST, SECOND, THIRD]
    return contents(files)


def contents(files: VirtualFiles) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {name: files.read(name) for name in files.names()}


def line(number: int, record: object) -> bytes:
    """A whole line with a right checksum, whatever the record says."""
    body = json.dumps(record, separators=(",", ":")).encode()
    return b'{"number":%d,"crc":"%08x","record":%b}\n' % (number, zlib.crc32(body), body)


def with_lines(files: VirtualFiles, *lines: bytes) -> VirtualFiles:
    """The same disk with lines put behind its last record."""
    data = files.read(FIRST)
    end = data.index(b"\t")
    joined = b"".join(lines)
    return VirtualFiles({FIRST: data[:end] + joined + data[end + len(joined) :]})


def refusal(files: VirtualFiles, error: type[StorageError]) -> str:
    """The text with which every way to read refuses the disk, which stays as it is."""
    before = contents(files)
    with pytest.raises(error) as read:
        read_storage(files)
    with pytest.raises(error) as start:
        opened(files)
    assert str(read.value) == str(start.value)
    assert contents(files) == before
    assert files.verb_count == 0 or not files.names()
    return str(start.value)


class TestFormat:
    def test_a_state_directory_is_readable(self) -> None:
        """These are the bytes on disk: JSON lines, then blanks, then a newline."""
        files = disk_with(
            RoundRecord(7, 1),
            AcceptorRecord(7, Ballot(3, 5), None),
            AcceptorRecord(7, Ballot(3, 5), Proposal(Ballot(1, 101), 'Äpfel & "Birnen"\t\x1b')),
            LearnedRecord(7, Ballot(1, 101), "🍐", (1, 2, 3)),
        )
        text = files.read(FIRST).decode()
        assert len(text.encode()) == 16 * 1024
        lines, padding = text[: text.index("\t")], text[text.index("\t") :]
        assert padding == "\t" * (len(padding) - 1) + "\n"
        assert lines == (
            '{"number":1,"crc":"b59c0b0a","record":{"kind":"format","version":1,"cluster":"lab",'
            '"node":"n5","members":["n1","n2","n3","n4","n5"]}}\n'
            '{"number":2,"crc":"190ca20e","record":{"kind":"incarnation","incarnation":1}}\n'
            '{"number":3,"crc":"d22cd612","record":{"kind":"round","instance":7,"round":1}}\n'
            '{"number":4,"crc":"3f5d9779","record":{"kind":"acceptor","instance":7,'
            '"promised":"3.n5","accepted":null}}\n'
            '{"number":5,"crc":"410087b0","record":{"kind":"acceptor","instance":7,'
            '"promised":"3.n5","accepted":'
            '{"ballot":"1.g1","value":"Äpfel & \\"Birnen\\"\\t\\u001b"}}}\n'
            '{"number":6,"crc":"9f5a95c6","record":{"kind":"learned","instance":7,'
            '"ballot":"1.g1","value":"🍐","acceptors":["n1","n2","n3"]}}\n'
        )
        assert all(json.loads(each) for each in lines.splitlines())

    @settings(deadline=None)
    @given(record=RECORDS, number=st.integers(1, 10**9))
    def test_a_line_reads_as_what_was_written(self, record: Record, number: int) -> None:
        """Every record has one spelling, on one line, without padding in it."""
        data = encode_line(number, record)
        assert decode_line(data[:-1], number) == record
        assert b"\t" not in data
        assert data.index(b"\n") == len(data) - 1

    def test_only_an_empty_directory_is_formatted(self) -> None:
        """Neither a state nor a stranger's file is ever written over."""
        files = formatted()
        before = contents(files)
        with pytest.raises(NotEmpty, match=r"^state/n5: segment-000001.jsonl is there, .* start"):
            format_directory(files, "lab", 5, MEMBERS)
        assert contents(files) == before
        with pytest.raises(NotEmpty, match=r"notes\.txt is there"):
            format_directory(VirtualFiles({"notes.txt": b""}), "lab", 5, MEMBERS)

    @pytest.mark.parametrize("members", [(1, 2, 3), (5, 5), ()])
    def test_a_directory_is_a_members(self, members: tuple[int, ...]) -> None:
        """Only a node of a list of distinct members has a state."""
        with pytest.raises(ValueError, match="sorted list of nodes with its own"):
            format_directory(VirtualFiles(), "lab", 5, members)


class TestRecovery:
    def test_a_start_counts_and_is_durable(self) -> None:
        """Each start has the next incarnation, on disk before it is known."""
        files = formatted()
        assert read_storage(files).incarnation == 0
        for incarnation in (1, 2, 3):
            assert opened(files)[1].incarnation == incarnation
            files.power_loss()
            assert read_storage(files).incarnation == incarnation

    def test_each_instance_is_recovered_from_its_last_records(self) -> None:
        """An acceptor's last record is its whole memory; round and learned stand beside it."""
        learned = LearnedRecord(9, Ballot(2, 3), "pear", (1, 2, 5))
        files = disk_with(
            RoundRecord(9, 1),
            AcceptorRecord(9, Ballot(1, 1), APPLE),
            AcceptorRecord(2, Ballot(4, 101), None),
            RoundRecord(9, 2),
            AcceptorRecord(9, Ballot(2, 3), APPLE),
            learned,
        )
        _, recovered = opened(files)
        assert recovered == Recovered(
            cluster="lab",
            node_id=5,
            members=MEMBERS,
            incarnation=2,
            instances={
                2: Stored(promised=Ballot(4, 101)),
                9: Stored(promised=Ballot(2, 3), accepted=APPLE, round=2, learned=learned),
            },
            record_count=9,
            torn=None,
        )
        assert list(recovered.instances) == [2, 9]
        assert read_storage(files) == recovered

    def test_the_last_record_counts_whatever_it_says(self) -> None:
        """Storage doesn't judge: a broken acceptor's lowered promise stays for the checker."""
        files = disk_with(
            AcceptorRecord(1, Ballot(5, 5), None), AcceptorRecord(1, Ballot.ZERO, APPLE)
        )
        assert opened(files)[1].instances == {1: Stored(promised=Ballot.ZERO, accepted=APPLE)}

    def test_records_are_numbered_without_a_gap(self) -> None:
        """Numbers go on over starts, and a seal has one too."""
        files = formatted()
        storage, _ = opened(files)
        assert storage.append([]) == []
        assert storage.append([RoundRecord(1, 1), RoundRecord(1, 2)]) == [3, 4]
        storage, recovered = opened(files)
        assert recovered.record_count == 5
        big = AcceptorRecord(1, Ballot(1, 1), Proposal(Ballot(1, 1), LONG))
        assert storage.append([big, big]) == [6, 7]
        assert storage.append([big]) == [9]
        assert opened(files)[1].record_count == 10

    def test_a_batch_is_one_write(self) -> None:
        """Records that are appended together need one write, and one sync for all."""
        files = formatted()
        storage, _ = opened(files)
        before = files.verb_count
        storage.append([RoundRecord(instance, 1) for instance in range(1, 51)])
        storage.sync()
        assert files.verb_count == before + 2

    @pytest.mark.parametrize("value", ["\x01" * 65_536, "🍐" * 16_384, '"' * 65_536])
    def test_a_record_larger_than_a_segment_has_a_larger_segment(self, value: str) -> None:
        """64 KiB of UTF-8 can be six times as long in JSON, and find room."""
        files = disk_with(AcceptorRecord(1, Ballot(1, 1), Proposal(Ballot(1, 1), value)))
        assert files.names() == [FIRST, SECOND]
        assert len(files.read(FIRST)) == 16 * 1024
        assert len(files.read(SECOND)) > len(value)
        accepted = opened(files)[1].instances[1].accepted
        assert accepted == Proposal(Ballot(1, 1), value)
        storage, _ = opened(files)
        storage.append([RoundRecord(1, 1)])
        assert opened(files)[1].instances[1].round == 1

    def test_old_segments_are_left_alone(self) -> None:
        """A segment that was followed by a record is never written again."""
        files = VirtualFiles(three_segments())
        before = contents(files)
        storage, _ = opened(files)
        storage.append([RoundRecord(1, 4)])
        assert [name for name in before if files.read(name) != before[name]] == [THIRD]

    @settings(max_examples=12, deadline=None)
    @given(record=RECORDS)
    def test_a_record_cut_at_any_byte_takes_nothing_with_it(self, record: Record) -> None:
        """What a torn write leaves is cut off, said, and all before it is recovered."""
        files = disk_with(AcceptorRecord(1, Ballot(2, 2), APPLE))
        before = read_storage(files)
        last = encode_line(4, record)
        for cut in range(len(last)):
            torn = with_lines(files, last[:cut])
            storage, recovered = opened(torn)
            if cut < len(last) - 1:
                assert recovered.instances == before.instances
                assert recovered.torn == (Torn(FIRST, 4, cut) if cut else None)
                assert last[:-1] not in torn.read(FIRST)
            else:
                # Nothing but its newline is missing: it is whole, and stays.
                assert recovered.torn is None
                assert recovered.instances == read_storage(with_lines(files, last)).instances
            assert storage.append([RoundRecord(8, 1)]) == [recovered.record_count + 1]
            assert opened(torn)[1].instances == recovered.instances | {8: Stored(round=1)}

    def test_reading_reports_a_torn_record_and_leaves_it(self) -> None:
        """The disk of a node that is down is read without a change."""
        files = with_lines(disk_with(RoundRecord(1, 1)), encode_line(4, RoundRecord(1, 2))[:50])
        before = contents(files)
        assert read_storage(files).torn == Torn(FIRST, 4, 50)
        assert read_storage(files).instances == {1: Stored(round=1)}
        assert contents(files) == before

    @pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
    def test_half_a_character_is_refused_before_it_is_written(self, value: str) -> None:
        """A lone surrogate is no text; the records around it are not lost with it."""
        files = formatted()
        storage, _ = opened(files)
        before = files.verb_count
        with pytest.raises(ValueError, match="lone surrogate"):
            storage.append([RoundRecord(1, 1), LearnedRecord(1, Ballot(1, 1), value, (1, 2, 3))])
        assert files.verb_count == before
        assert storage.append([RoundRecord(1, 1)]) == [3]

    @pytest.mark.parametrize(
        "record",
        [
            RoundRecord(0, 1),
            RoundRecord(1, -1),
            RoundRecord(1, True),
            AcceptorRecord(1, Ballot(1, 100), None),
            LearnedRecord(1, Ballot(1, 1), "", (0,)),
        ],
    )
    def test_what_could_not_be_read_back_is_not_written(self, record: Record) -> None:
        """A record that the next start would refuse never gets to the disk."""
        files = formatted()
        storage, _ = opened(files)
        before = files.verb_count
        with pytest.raises(ValueError, match=r"its|names"):
            storage.append([record])
        assert files.verb_count == before


class TestForeign:
    @pytest.mark.parametrize(
        ("cluster", "node_id", "members", "text"),
        [
            ("other", 5, MEMBERS, "of cluster 'lab', and the configuration says 'other'"),
            ("lab", 4, MEMBERS, "of node 'n5', and the configuration says 'n4'"),
            ("lab", 5, (*MEMBERS, 6, 7), "says 'n1, n2, n3, n4, n5, n6, n7'"),
            ("lab", 5, (1, 2, 5), "of members 'n1, n2, n3, n4, n5', .* says 'n1, n2, n5'"),
        ],
    )
    def test_anothers_state_is_refused(
        self, cluster: str, node_id: int, members: tuple[int, ...], text: str
    ) -> None:
        """A cluster of five that is started as seven could choose twice."""
        files = disk_with(RoundRecord(1, 1))
        before = contents(files)
        with pytest.raises(ForeignDirectory, match=text):
            open_storage(files, cluster, node_id, members)
        assert contents(files) == before

    def test_the_order_of_members_is_no_difference(self) -> None:
        """Members are a set."""
        assert open_storage(formatted(), "lab", 5, (5, 1, 4, 2, 3))[1].members == MEMBERS

    @pytest.mark.parametrize("found", [{}, {"segment.new": b"x"}, {"notes.txt": b""}])
    def test_an_empty_or_strange_directory_is_never_made_a_state(
        self, found: dict[str, bytes]
    ) -> None:
        """A node whose disk was lost must not come back as if it were new."""
        assert "lost: leave the node down" in refusal(VirtualFiles(found), NotFormatted)

    def test_a_missing_directory_is_refused(self) -> None:
        """As an empty one."""

        class Gone(VirtualFiles):
            def names(self) -> list[str]:
                raise FileNotFoundError

        with pytest.raises(NotFormatted, match="no such directory"):
            opened(Gone())

    def test_a_file_of_another_name_is_no_hindrance(self) -> None:
        """A note in the directory is left alone."""
        files = VirtualFiles(contents(disk_with(RoundRecord(1, 1))) | {"README": b"mine"})
        assert opened(files)[1].instances == {1: Stored(round=1)}
        assert files.read("README") == b"mine"


ROUND = {"kind": "round", "instance": 1, "round": 2}
GOOD = line(4, ROUND)
FORMAT = {"kind": "format", "version": 1, "cluster": "lab", "node": "n5", "members": ["n5"]}
BLANK = b"\t" * 99 + b"\n"
FOURTH = "segment-000004.jsonl"

MIXED_UP: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "a later one in its place": (
        lambda disk: disk.update({SECOND: disk[THIRD]}),
        "number 13, and 10 is due",
    ),
    "an older one in its place": (
        lambda disk: disk.update({SECOND: disk[FIRST]}),
        "number 1, and 10 is due",
    ),
    "the first blank": (lambda disk: disk.update({FIRST: BLANK}), f"{SECOND} follows {FIRST}"),
    "only a blank one": (
        lambda disk: [disk.pop(SECOND), disk.pop(THIRD), disk.update({FIRST: BLANK})],
        f"{FIRST} lacks record 1",
    ),
    "one blank": (lambda disk: disk.update({SECOND: BLANK}), f"{THIRD} follows {SECOND}"),
    "the last blank": (lambda disk: disk.update({THIRD: b"\t"}), f"{THIRD} is too short"),
    "a copy": (
        lambda disk: disk.update({FOURTH: disk[SECOND]}),
        f"{FOURTH} follows {THIRD}, whose last record, number 14, is no seal",
    ),
    "one too many": (
        lambda disk: disk.update({"segment-000005.jsonl": BLANK}),
        f"{FOURTH} is missing, and segment-000005.jsonl is there",
    ),
    "two blank ones": (
        lambda disk: disk.update({FOURTH: BLANK, "segment-000005.jsonl": BLANK}),
        f"segment-000005.jsonl follows {THIRD}",
    ),
    "renamed": (lambda disk: disk.update({f"{FOURTH}.bak": b""}), "not the name of a segment"),
    "short number": (lambda disk: disk.update({"segment-4.jsonl": b""}), "not the name of a segme"),
    "number 0": (lambda disk: disk.update({"segment-000000.jsonl": b""}), "not the name of a segm"),
}

NO_CRASH = {
    "wrong checksum": ([GOOD.replace(b"2}}", b"3}}")], "its checksum is"),
    "a gap": ([line(5, ROUND)], "it has the number 5, and 4 is due"),
    "a number again": ([line(3, ROUND)], "it has the number 3, and 4 is due"),
    "a record behind padding": ([b"\t", GOOD], "something stands behind the padding"),
    "a torn one behind padding": ([b"\t\t", GOOD[:30]], "something stands behind the padding"),
    "an empty line": ([b"\n", GOOD], "not of the form"),
    "the same record twice": ([GOOD, GOOD], "record 5 at offset"),
    "a line without its brace": ([GOOD[:-2], b"\n"], "its checksum is"),
    "a letter for a newline": ([GOOD[:-1], b"x"], "not of the form"),
    "a brace for a newline": ([GOOD[:-1], b"}"], "it is no JSON|its checksum"),
    "a space for a newline": ([GOOD[:-1], b" "], "not of the form"),
    "a zero for a newline": ([GOOD[:-1], b"\0"], "not of the form"),
    "garbage": ([b"garbage"], "not of the form"),
    "torn, and another form": ([b'{"number": 4'], "not of the form"),
    "torn, and no checksum": ([b'{"number":4,"crc":"XYZ'], "not of the form"),
    "torn, and another number": ([b'{"number":5,"crc":"'], "not of the form"),
    "torn, and another key": ([GOOD[:27], b'","value":'], "not of the form"),
    "torn, and no kind first": ([GOOD[:38], b'{"instance":1'], "not of the form"),
    "torn, and zeros": ([GOOD[:50], b"\0\0"], "not of the form"),
    "torn, and no UTF-8": ([GOOD[:50], b"\xff"], "not of the form"),
    "a record behind the seal": ([line(4, {"kind": "sealed", "next": SECOND}), GOOD], "the seal"),
    "another next segment": ([line(4, {"kind": "sealed", "next": THIRD})], "names 'segment-000003"),
    "a start left out": ([line(4, {"kind": "incarnation", "incarnation": 3})], "3 follows 1"),
    "a start counted twice": ([line(4, {"kind": "incarnation", "incarnation": 1})], "1 follows 1"),
    "formatted twice": ([line(4, FORMAT)], "has one only"),
}

PROMISE = {"kind": "acceptor", "instance": 1, "promised": "1.n1", "accepted": None}
LEARNED = {"kind": "learned", "instance": 1, "ballot": "1.n1", "value": "v", "acceptors": ["n1"]}
NO_RECORD = [
    ([], "no JSON object"),
    ({}, "it lacks kind"),
    ({"kind": 1}, "its kind is no text"),
    ({"kind": "round", "instance": 1}, "it lacks round"),
    (ROUND | {"extra": 0}, "canonical"),
    ({"kind": "round", "round": 1, "instance": 1}, "canonical"),
    (ROUND | {"instance": 0}, "its instance is no integer from 1 on"),
    (ROUND | {"instance": True}, "its instance is no integer"),
    (ROUND | {"instance": 1.0}, "its instance is no integer"),
    (ROUND | {"round": -1}, "its round is no integer from 0 on"),
    ({"kind": "acceptor", "instance": 1, "promised": "1.n5"}, "it lacks accepted"),
    (PROMISE | {"promised": 1}, "its promised is no text"),
    (PROMISE | {"promised": "01.n5"}, "its promised is no ballot: '01.n5'"),
    (PROMISE | {"promised": "1.n0"}, "a node that there cannot be: 'n0'"),
    (PROMISE | {"promised": "1.g10"}, "a node that there cannot be: 'g10'"),
    (PROMISE | {"accepted": {}}, "it lacks ballot"),
    (PROMISE | {"accepted": 0}, "its accepted is no proposal"),
    (PROMISE | {"accepted": {"ballot": "1.n1", "value": "\ud800"}}, "lone surrogate"),
    (LEARNED | {"acceptors": "n1"}, "its acceptors are no list of nodes"),
    (LEARNED | {"acceptors": ["n1", 2]}, "its acceptors are no list of nodes"),
    ({"kind": "incarnation", "incarnation": "2"}, "its incarnation is no integer"),
]


class TestDamage:
    def test_any_byte_changed_in_any_record_is_refused(self) -> None:
        """Never an older state, never a default: the whole state, or none.

        The one change that is not refused is a last newline that turned into
        padding: the record is whole, and kept.
        """
        files = disk_with(
            RoundRecord(1, 1), AcceptorRecord(1, Ballot(1, 1), Proposal(Ballot(1, 1), " a\\b "))
        )
        data = files.read(FIRST)
        state = read_storage(files)
        end = data.index(b"\t")
        refused = kept = 0
        for position in range(end):
            changed = {data[position] ^ 1 << bit for bit in range(8)} | set(b'\t\n {}"\x00')
            for byte in changed - {data[position]}:
                other = data[:position] + bytes([byte]) + data[position + 1 :]
                try:
                    assert read_storage(VirtualFiles({FIRST: other})) == state
                except Damaged:
                    refused += 1
                else:
                    assert (position, byte) == (end - 1, ord("\t"))
                    kept += 1
        assert (refused > 10 * end, kept) == (True, 1)

    @settings(deadline=None)
    @given(position=st.integers(0, 16 * 1024 - 1), byte=st.integers(0, 255))
    def test_no_byte_changed_anywhere_loses_a_record(self, position: int, byte: int) -> None:
        """In the padding too a changed byte is refused, or harmless."""
        files = disk_with(AcceptorRecord(1, Ballot(1, 1), APPLE))
        files.write(FIRST, position, bytes([byte]))
        try:
            recovered = opened(files)[1]
        except Damaged:
            return
        assert recovered.instances == {1: Stored(promised=Ballot(1, 1), accepted=APPLE)}

    def test_a_file_cut_short_at_any_byte_is_refused(self) -> None:
        """A segment has its full length before it has its name: no crash shortens it."""
        data = disk_with(RoundRecord(1, 1)).read(FIRST)
        for length in range(len(data)):
            with pytest.raises(Damaged, match=r"too short|lacks record 1"):
                read_storage(VirtualFiles({FIRST: data[:length]}))

    @pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
    def test_a_missing_segment_is_refused(self, name: str) -> None:
        """The first, one in the middle, and the last: the seal says that there is one."""
        found = three_segments()
        del found[name]
        assert f"{name} is missing" in refusal(VirtualFiles(found), Damaged)

    @pytest.mark.parametrize(("tamper", "text"), MIXED_UP.values(), ids=MIXED_UP)
    def test_segments_that_do_not_follow_each_other_are_refused(
        self, tamper: Callable[[dict[str, bytes]], Any], text: str
    ) -> None:
        """Copies, renamed files and blank ones are no crash's doing."""
        disk = three_segments()
        tamper(disk)
        assert text in refusal(VirtualFiles(disk), Damaged)

    @pytest.mark.parametrize(("lines", "text"), NO_CRASH.values(), ids=NO_CRASH)
    def test_what_no_crash_leaves_is_refused(self, lines: list[bytes], text: str) -> None:
        """Only a proper beginning of the next record is a torn write."""
        found = refusal(with_lines(disk_with(RoundRecord(1, 1)), *lines), Damaged)
        assert re.search(text, found)
        assert found.startswith(f"disk: {FIRST}, ")
        assert "Leave this node down" in found

    @pytest.mark.parametrize(("record", "text"), NO_RECORD)
    def test_a_record_with_a_right_checksum_must_make_sense_too(
        self, record: object, text: str
    ) -> None:
        """Such a record was not written by this program: it is not guessed at."""
        files = with_lines(disk_with(RoundRecord(1, 1)), line(4, record))
        assert text in refusal(files, Damaged)

    def test_another_version_or_kind_is_refused_as_such(self) -> None:
        """A newer program's state is no damage; and not ours to read."""
        found = with_lines(disk_with(RoundRecord(1, 1)), line(4, {"kind": "snapshot"}))
        assert "record 4 at offset" in refusal(found, Unsupported)
        assert "no record of kind 'snapshot'" in refusal(found, Unsupported)
        newer = line(1, {"kind": "format", "version": 2, "shards": 3}) + b"\t" * 99 + b"\n"
        text = refusal(VirtualFiles({FIRST: newer}), Unsupported)
        assert "it is of version 2, this program reads version 1" in text
