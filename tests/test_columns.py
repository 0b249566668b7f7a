"""The index of a run: Python and the page write the same bytes, and they tell what a fold tells.

``orchestrator/columns.py`` and ``web/log/{columns,indexer,reading}.js`` are
twins. The page's half runs in Node; where that is missing these tests are
skipped, and under CI=true they fail instead.
"""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from orchestrator.collect import collect
from orchestrator.columns import NAME, ColumnsError, encode_columns, is_current, write_columns
from orchestrator.places import Places
from orchestrator.sim import play_sim
from orchestrator.yaml_file import FOLDER, read_scenario
from paxos.events import Line, encode
from paxos.simulator.fuzz import run_seed
from tests.big_log import log_lines
from tests.logbuilder import build
from tests.test_web_fold import samples, spoiled, walls
from tests.web_node import ask_node

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "fixtures" / "fold").glob("*.jsonl"))
SCRIPTS = sorted((HERE / "logs").glob("*.txt"))
SEEDS = (3, 11, 15, 25, 59)


def page(ask: str, **request: Any) -> Any:
    """What the page's modules answer, run in Node."""
    return ask_node("web_columns.mjs", {"ask": ask, **request})


def odd() -> list[Line]:
    """Values that are hard to write: half a character, quotes, a long one, control characters."""
    values: list[Any] = [
        "plain",
        "\ud800 half",
        'a "quoted" \\ one',
        "\x00\x1f\x7f\u2028\N{PEAR}",
        "",
        {"bytes": 300, "sha256": "0f" * 32},
    ]
    return [
        {
            "v": 1,
            "node": "n1",
            "incarnation": 3,
            "seq": 90 + number,
            "at_ns": 1_764_000_000_123_456_789 + number,
            "event": "propose_received",
            "instance": 4,
            "request": 1,
            "value": value,
            "timeout_ms": 5,
        }
        for number, value in enumerate(values)
    ]


def written(lines: list[Line]) -> bytes:
    """A log, half characters included, which the canonical form has no bytes for."""
    rows = (json.dumps(line, separators=(",", ":")) for line in lines)
    return "".join(f"{row}\n" for row in rows).encode()


def recorded(path: Path) -> list[Line]:
    """The lines of a fixture."""
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


LOGS = [
    *(pytest.param(recorded(path), id=path.stem) for path in FIXTURES),
    *(pytest.param(list(run_seed(seed).lines), id=f"fuzz-{seed}") for seed in SEEDS),
    pytest.param(walls(), id="walls"),
    pytest.param(list(log_lines(4_000)), id="long"),
]


def theirs(data: bytes, folder: Path, piece: int = 1 << 20, members: Any = None) -> bytes | str:
    """The page's index of a log, or its sentence."""
    (folder / "log").write_bytes(data)
    request = {"from": str(folder / "log"), "to": str(folder / "index"), "piece": piece}
    sentence = page("index", **request, members=members)
    return str(sentence) if sentence is not None else (folder / "index").read_bytes()


class TestTwins:
    @pytest.mark.parametrize("lines", [*LOGS, pytest.param(odd(), id="odd")])
    def test_python_and_the_page_write_the_same_bytes(
        self, lines: list[Line], tmp_path: Path
    ) -> None:
        """However the log is cut into pieces on its way."""
        data = written(lines)
        ours = encode_columns(data, [], "events.jsonl")
        assert theirs(data, tmp_path) == ours
        assert theirs(data, tmp_path, piece=1_021) == ours

    def test_they_agree_about_every_hand_made_log_of_the_checker(self, tmp_path: Path) -> None:
        """Broken protocols and legal oddities, one after another."""
        lines = [line for path in SCRIPTS for line in build(path.read_text("utf-8"))]
        data = b"".join(encode(line) for line in lines)
        assert theirs(data, tmp_path) == encode_columns(data, [], "events.jsonl")

    def test_members_that_run_json_names_are_in_both(self, tmp_path: Path) -> None:
        """A piece of a log may begin after its nodes have started."""
        data = written(recorded(FIXTURES[0])[40:])
        members = ["n1", "n2", "n3", "n4", "n5", "n6", "n7"]
        ours = encode_columns(data, members, "events.jsonl")
        assert theirs(data, tmp_path, members=members) == ours
        assert ours != encode_columns(data, [], "events.jsonl")

    def test_an_unfinished_last_line_is_left_out_by_both(self, tmp_path: Path) -> None:
        """A log may be read while it is written; a whole line without its end counts."""
        data = written(recorded(FIXTURES[0]))
        whole = encode_columns(data, [], "events.jsonl")
        for cut in (data[:-1], data[:-9]):
            ours = encode_columns(cut, [], "events.jsonl")
            assert theirs(cut, tmp_path) == ours != whole

    @pytest.mark.parametrize(
        "broken",
        [
            b"no json",
            b'{"event":"no_such_event"}',
            b"[]",
            b'{"v":1,"node":"n1","incarnation":1,"seq":1,"at_ns":1,"event":"node_ready"}',
            b"\xff\xfe",
            (
                b'{"v":1,"node":"n1","incarnation":1,"seq":9999999999,"at_ns":1,'
                b'"event":"node_ready","instance_count":0}'
            ),
        ],
    )
    def test_both_say_which_line_is_broken(self, broken: bytes, tmp_path: Path) -> None:
        """A broken or foreign file gets a sentence with the line's number."""
        data = written(recorded(FIXTURES[0])[:5]) + broken + b"\n"
        said = theirs(data, tmp_path)
        assert isinstance(said, str)
        assert "6" in said
        with pytest.raises(ColumnsError, match=r"events\.jsonl, line 6: "):
            encode_columns(data, [], "events.jsonl")

    @pytest.mark.parametrize("data", [b"", b"not a log", b"\x00\x01"])
    def test_a_file_that_is_no_log_gets_a_sentence(self, data: bytes, tmp_path: Path) -> None:
        """Neither an empty index nor a crash."""
        assert isinstance(theirs(data, tmp_path), str)
        with pytest.raises(ColumnsError):
            encode_columns(data, [], "events.jsonl")

    def test_the_quick_check_of_lines_agrees_with_the_thorough_one(self) -> None:
        """It passes what is right, and what is wrong in one way fails it."""
        assert page("checks", lines=[*samples(), *spoiled()]) == []
        for line in spoiled():
            with pytest.raises(ColumnsError):
                encode_columns(written([line]), [], "x")  # type: ignore[list-item]


class TestColumns:
    @pytest.mark.parametrize("lines", LOGS)
    @pytest.mark.parametrize("step", [1_000_000, 7])
    def test_the_columns_tell_what_a_fold_of_the_whole_log_tells(
        self, lines: list[Line], step: int
    ) -> None:
        """Signs, turning points, choices, and the state of an instance at every line.

        So does a timeline that grew by a few lines at a time, and the state that
        is folded from the lines of one instance and those that concern all.
        """
        if step == 7 and len(lines) > 1_000:
            lines = lines[:1_000]
        assert page("differences", lines=lines, step=step) == []

    @pytest.mark.parametrize(
        ("table", "column"),
        [
            ("lines", "shape"),
            ("lines", "instance"),
            ("flights", "ended"),
            ("flights", "kind"),
            ("lost", "at"),
            ("points", "kind"),
            ("chosen", "quorum"),
            ("ballots", "proposer"),
            ("shared", "at"),
        ],
    )
    def test_one_wrong_number_makes_a_difference(self, table: str, column: str) -> None:
        """The comparison can fail: it looks at each of these columns."""
        lines = walls()
        events = [line["event"] for line in lines]
        place = events.index("state_persisted") if table == "lines" else 0
        assert page("differences", lines=lines, step=1_000, spoil=[table, column, place])

    def test_an_index_begins_with_its_magic_and_a_text_that_names_its_columns(self) -> None:
        """Every column lies at a multiple of eight, so that it can be used as it lies there."""
        index = encode_columns(written(walls()), [], "events.jsonl")
        assert index[:8] == b"PXLCOL01"
        (length,) = struct.unpack("<I", index[8:12])
        small = json.loads(index[16 : 16 + length])
        assert (16 + length) % 8 == 0
        assert all(offset % 8 == 0 for _, _, _, offset in small["columns"])
        assert small["columns"][0] == ["lines.ms", "f64", len(walls()), 0]
        assert small["members"] == ["n1", "n2", "n3", "n4", "n5"]


class TestFiles:
    def test_an_index_is_written_beside_its_log_and_is_current(self, tmp_path: Path) -> None:
        """Nothing else is left in the folder."""
        (tmp_path / "events.jsonl").write_bytes(written(walls()))
        assert not is_current(tmp_path)
        assert write_columns(tmp_path) == tmp_path / "columns.bin"
        assert is_current(tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["columns.bin", "events.jsonl"]

    @pytest.mark.parametrize("change", ["longer", "other bytes", "torn index", "other version"])
    def test_an_index_of_another_log_is_not_current(self, tmp_path: Path, change: str) -> None:
        """A log that grew or was replaced, an index that was cut off or is older."""
        log = tmp_path / "events.jsonl"
        log.write_bytes(written(walls()))
        path = write_columns(tmp_path)
        if change == "longer":
            log.write_bytes(log.read_bytes() + b"{")
        elif change == "other bytes":
            log.write_bytes(log.read_bytes().replace(b'"at_ns":1', b'"at_ns":2'))
        elif change == "torn index":
            path.write_bytes(path.read_bytes()[:20])
        else:
            path.write_bytes(b"PXLCOL00" + path.read_bytes()[8:])
        assert not is_current(tmp_path)

    def test_a_folder_without_a_log_is_said_so(self, tmp_path: Path) -> None:
        """There is a sentence, and no file."""
        with pytest.raises(ColumnsError, match=r"events\.jsonl cannot be read"):
            write_columns(tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestLines:
    def test_old_lines_of_a_run_that_grows_leave_the_memory_and_come_back(self) -> None:
        """The newest stay at hand, and what concerns every instance; the text of any can be had."""
        found = page("memory", count=80_000)
        assert found["atHand"] == [None, 8, 80_000]
        assert found["back"] == 1
        assert found["text"] == list(range(1_021, 1_031))

    def test_lines_of_a_long_log_are_fetched_in_chunks_when_they_are_looked_at(
        self, tmp_path: Path
    ) -> None:
        """Neighbours come together, also where characters are more than a byte."""
        lines = [*odd()[3:4] * 700, *log_lines(900)]
        rows = [json.dumps(line, ensure_ascii=False) for line in lines]
        path = tmp_path / "events.jsonl"
        path.write_text("".join(f"{row}\n" for row in rows), "utf-8")
        places = [3, 5, 699, 700, 1_599]
        found = page("store", file=str(path), places=places)
        assert found["first"] is None
        assert found["reads"] == 3
        told = [(line["seq"], line.get("value")) for line in found["lines"]]
        assert told == [(lines[at]["seq"], lines[at].get("value")) for at in places]
        assert found["text"] == "".join(f"{row}\n" for row in rows[500:520])


def test_a_long_run_is_indexed_when_it_is_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's first visitor does not wait for it; a short run needs no index."""
    place, played = play_sim(read_scenario(FOLDER / "basic.yaml"), 5, 7, "short")
    assert not (collect(Places(tmp_path), place, played).folder / NAME).exists()
    monkeypatch.setattr("orchestrator.collect._LONG_COUNT", 50)
    place, played = play_sim(read_scenario(FOLDER / "basic.yaml"), 5, 7, "long")
    assert is_current(collect(Places(tmp_path), place, played).folder)
