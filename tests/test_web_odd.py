"""Odd files: whatever stands in them the page shows, or says in a sentence, and blames the right one."""

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from orchestrator.columns import encode_columns
from orchestrator.stories import story_files
from paxos.events import Line, decode, encode, line_id
from tests.web_drawing import long_run
from tests.web_node import ask_node
from tests.web_page import drop

LINES: Final = [decode(row) for row in story_files("basic")["events.jsonl"].splitlines()]
DEEP: Final[Any] = json.loads("[" * 40 + "]" * 40)
ODD: Final[list[dict[str, Any]]] = [
    {"phase": {"name": "waiting"}},
    {"phase": {"toString": 1}},
    {"ballot": {"bytes": "many", "sha256": 7}},
    {"promises": {"ballot": "1.n1", "value": "x", "acceptors": "n1"}},
    {"promises": [{"ballot": 3, "value": {"of": [1, None, True]}, "acceptors": [[]]}]},
    {"refused_by": {"node": {"node": 1}}},
    {"refused_by": DEEP},
    {"phase": 12, "ballot": False, "promises": "all"},
]


def ask(what: str, **more: Any) -> Any:
    """An answer of the page's modules."""
    return ask_node("web_odd.mjs", {"ask": what, **more})


def text_of(lines: list[Line]) -> str:
    """The lines as a file."""
    return b"".join(map(encode, lines)).decode()


def with_proposer(odd: dict[str, Any]) -> tuple[list[Line], int]:
    """A run one of whose proposers remembers otherwise, and at which line."""
    at = next(
        at
        for at, line in enumerate(LINES)
        if at > 20 and line["event"].endswith("_received") and "proposer" in line.get("after", {})
    )
    after = LINES[at]["after"]
    line = {**LINES[at], "after": {**after, "proposer": {**after["proposer"], **odd}}}
    return [*LINES[:at], line, *LINES[at + 1 :]], at


class TestProposersOfOthers:
    @pytest.mark.parametrize("odd", ODD)
    def test_whatever_a_proposer_remembers_is_told(self, odd: dict[str, Any]) -> None:
        """The format leaves it to the program that wrote the log."""
        lines, at = with_proposer(odd)
        for told in ask("happening", text=text_of(lines), at=at):
            assert "Changes in memory" in told
            assert "undefined" not in told
            assert "[object" not in told

    def test_a_foreign_field_is_told_by_its_names(self) -> None:
        """What it holds, to a depth at which a person still reads it."""
        lines, at = with_proposer(ODD[0])
        assert "name: waiting" in ask("happening", text=text_of(lines), at=at)[0]

    @pytest.mark.browser
    def test_the_page_steps_onto_such_a_line(self, visit: Callable[..., Page]) -> None:
        """And off it again; nothing stays at the moment before."""
        lines, at = with_proposer(ODD[1])
        page = visit("#story=basic")
        drop(page, {"mine.jsonl": text_of(lines)})
        expect(page.locator("#now-title")).to_contain_text(f"of {len(lines)}")
        page.get_by_label("Event", exact=True).fill(str(at))
        expect(page.locator("#now-title")).to_contain_text(f"event {at + 1} of")
        expect(page.locator(".detail")).to_contain_text("toString: 1")


def test_what_nobody_foresaw_becomes_a_sentence_and_the_page_waits_no_more() -> None:
    """“Loading …” for ever would say that something is still to come."""
    said = ask("thrown", message="this.odd is not a function")
    assert said["busy"] is None
    assert said["trouble"].startswith("mine.jsonl could not be opened: this.odd is not a function.")


@pytest.mark.parametrize(
    "members", [[1, {"a": 2}, None], ["n1", "x", "constructor", "__proto__"], [[["n1"]]], ["n0"]]
)
def test_a_garbled_table_of_the_run_is_blamed_itself(members: list[Any]) -> None:
    """The log beside it is a right one."""
    files = {"events.jsonl": text_of(LINES)}
    assert ask("files", files=files) is None
    assert ask("files", files={**files, "run.json": '{"members": ["n1", "n2"]}'}) is None
    said = ask("files", files={**files, "run.json": json.dumps({"members": members})})
    assert said.startswith("run.json does not fit a log")
    assert "line" not in said


@pytest.fixture(scope="module")
def log() -> bytes:
    """A log so long that its index is asked for."""
    found = b"".join(map(encode, long_run(22_000)))
    assert len(found) > 5_000_000
    return found


@pytest.fixture(scope="module")
def right(log: bytes) -> bytes:
    """Its index."""
    return encode_columns(log, [], "events.jsonl")


class TestDamagedIndexes:
    """A log of more than five megabytes comes with an index that the server keeps beside it."""

    @staticmethod
    def served(log: bytes, index: bytes) -> Any:
        """What the page makes of both."""
        parts = {"log": log, "index": index}
        return ask(
            "served", **{name: base64.b64encode(part).decode() for name, part in parts.items()}
        )

    @pytest.mark.parametrize(
        ("part", "other"),
        [
            (b'"members"', b'"nembers"'),
            (b'"columns":[[', b'"dolumns":[['),
            (b'"steps":[', b'"stops":['),
            (b'"nodes":[', b'"modes":['),
        ],
    )
    def test_the_log_is_read_instead(
        self, log: bytes, right: bytes, part: bytes, other: bytes
    ) -> None:
        """It says all that the index says."""
        wanted = self.served(log, right)
        assert wanted["count"] == log.count(b"\n")
        assert wanted["chosen"] > 0
        assert wanted["same"]
        damaged = right.replace(part, other, 1)
        assert damaged != right
        assert len(damaged) == len(right)
        assert self.served(log, damaged) == wanted

    def test_a_number_that_leads_out_of_its_table_is_damage_too(
        self, log: bytes, right: bytes
    ) -> None:
        """Else the page would break at that line, at whatever moment somebody steps there."""
        begin = 16 + int.from_bytes(right[8:12], "little")
        columns = json.loads(right[16:begin])["columns"]
        offset = next(place for name, _, _, place in columns if name == "lines.event")
        damaged = right[: begin + offset] + b"\xff" * 40 + right[begin + offset + 40 :]
        assert self.served(log, damaged) == self.served(log, right)


def test_the_odd_logs_are_within_the_format() -> None:
    """Else the page would rightly refuse them."""
    for odd in ODD:
        lines, at = with_proposer(odd)
        assert decode(encode(lines[at]))["after"]["proposer"].items() >= odd.items()
        assert line_id(lines[at]) == line_id(LINES[at])
