"""The log's format: the catalogue, its canonical bytes, and what is refused."""

import hashlib
import json
import math
import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paxos.events import (
    CATALOGUE,
    HEADER,
    LONG_VALUE_BYTES,
    LogFormatError,
    ballot_key,
    decode,
    encode,
    line_id,
    logged_value,
    node_key,
    problems,
)
from paxos.protocol import GUESTS, Ballot, node_name
from tests.paxos_cases import ballots
from tests.paxos_lines import EVENTS, KINDS, lines, lines_of

PREPARE: dict[str, Any] = {
    "v": 1,
    "node": "n1",
    "incarnation": 2,
    "seq": 41,
    "at_ns": 5,
    "event": "prepare_sent",
    "instance": 7,
    "to": "n5",
    "ballot": "3.n5",
}


class TestCatalogue:
    @pytest.mark.parametrize("event", EVENTS)
    def test_an_entry_is_complete(self, event: str) -> None:
        """What it means, who writes it, how much it matters, its fields and its sentences."""
        entry = CATALOGUE["events"][event]
        assert re.fullmatch("[a-z]+(_[a-z]+)*", event)
        assert entry["means"].endswith("."), "a meaning is a sentence"
        assert entry["by"] in {"node", "orchestrator"}
        assert entry["level"] in {"story", "detail", "quiet"}
        assert entry.keys() <= {"means", "by", "level", "bundle", "fields", "say"}
        for name, kind in entry["fields"].items():
            assert name.removesuffix("?") not in HEADER, "a field must not hide the header's"
            assert kind.removesuffix("?") in CATALOGUE["types"]

    @pytest.mark.parametrize("event", EVENTS)
    def test_its_sentences_speak_of_its_own_fields(self, event: str) -> None:
        """Every hole and every condition names a field, and the last sentence has no condition."""
        entry = CATALOGUE["events"][event]
        known = {name.removesuffix("?") for name in entry["fields"]} | set(HEADER)
        for choice in entry["say"]:
            assert choice.keys() <= {"when", "text", "level"}
            assert choice.get("level", entry["level"]) in {"story", "detail", "quiet"}
            holes = re.findall(r"\{([^}]*)\}", choice["text"])
            for path in (*holes, *choice.get("when", {})):
                assert path.split(".")[0] in known
        assert "when" not in entry["say"][-1]
        assert all("when" in choice for choice in entry["say"][:-1])

    @pytest.mark.parametrize("event", EVENTS)
    def test_no_sentence_hides_another(self, event: str) -> None:
        """The first condition that fits wins: a later one must not ask for the same and more."""
        conditions = [choice.get("when", {}) for choice in CATALOGUE["events"][event]["say"]]
        for earlier, later in combinations(conditions, 2):
            assert not earlier.items() <= later.items(), f"{later} is never reached"

    @pytest.mark.parametrize("event", EVENTS)
    def test_what_is_bundled_is_named_in_every_sentence(self, event: str) -> None:
        """Five lines become one sentence only if it says whom they were for."""
        field = CATALOGUE["events"][event].get("bundle")
        if field is not None:
            assert field in CATALOGUE["events"][event]["fields"]
            assert all(f"{{{field}}}" in say["text"] for say in CATALOGUE["events"][event]["say"])

    def test_every_type_is_explained_and_used(self) -> None:
        """The document lists them; the strategies of these tests know them all."""
        used = {
            kind.removesuffix("?")
            for entry in (*CATALOGUE["events"].values(), {"fields": CATALOGUE["header"]})
            for kind in entry["fields"].values()
        }
        assert used == set(CATALOGUE["types"]) == set(KINDS)


class TestEncoding:
    @given(lines)
    @settings(max_examples=200)
    def test_a_line_that_is_written_can_be_read(self, line: dict[str, Any]) -> None:
        """Whatever the catalogue allows survives the round trip."""
        assert problems(line) == []
        assert decode(encode(line)) == line

    @given(lines, st.randoms(use_true_random=False))
    def test_equal_lines_are_equal_bytes(self, line: dict[str, Any], chance: Any) -> None:
        """The order in which a driver fills in the fields does not show."""
        names = list(line)
        chance.shuffle(names)
        assert encode({name: line[name] for name in names}) == encode(line)

    @given(lines)
    def test_the_bytes_are_canonical(self, line: dict[str, Any]) -> None:
        """One line, no spaces, fields in the catalogue's order, header first, UTF-8 as it is."""
        data = encode(line)
        assert data.endswith(b"\n")
        assert b"\n" not in data[:-1]
        order = [
            *HEADER,
            *(n.removesuffix("?") for n in CATALOGUE["events"][line["event"]]["fields"]),
        ]
        names = list(json.loads(data))
        assert names == [name for name in order if name in line]
        assert (
            data
            == (
                json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":")) + "\n"
            ).encode()
        )

    def test_the_example_of_the_document(self) -> None:
        """As ``docs/log-format.md`` shows it."""
        assert encode({**PREPARE}) == (
            b'{"v":1,"node":"n1","incarnation":2,"seq":41,"at_ns":5,"event":"prepare_sent",'
            b'"instance":7,"to":"n5","ballot":"3.n5"}\n'
        )

    def test_text_is_written_as_it_is(self) -> None:
        """UTF-8, and only what JSON demands is escaped: ``cat`` can read it."""
        line = {**PREPARE, "event": "accept_sent", "value": "größe\n🍏"}
        assert '"value":"größe\\n🍏"'.encode() in encode(line)

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ({}, "no such event: None"),
            ({"event": "prepare_lost"}, "no such event: 'prepare_lost'"),
            ({**PREPARE, "colour": "red", "size": 1}, "prepare_sent has no field colour, size"),
            ({**PREPARE, "ballot": "\ud800"}, "prepare_sent cannot be written"),
            ({**PREPARE, "at_ns": math.nan}, "prepare_sent cannot be written"),
        ],
    )
    def test_what_is_not_of_the_catalogue_is_not_written(
        self, line: dict[str, Any], text: str
    ) -> None:
        """A driver that forgets to document a field finds out at once."""
        with pytest.raises(LogFormatError, match=text):
            encode(line)


BAD = [
    ([], "a line must be a JSON object"),
    ({"event": 3}, "no such event: 3"),
    ({**PREPARE, "v": 2}, "version 2 is not 1"),
    ({**PREPARE, "node": "n0"}, "node is no node"),
    ({**PREPARE, "node": "g10"}, "node is no node"),
    ({**PREPARE, "incarnation": 0}, "count from 1"),
    ({**PREPARE, "seq": 0}, "count from 1"),
    ({**PREPARE, "seq": True}, "seq is no int"),
    ({**PREPARE, "at_ns": 1.5}, "at_ns is no int"),
    ({**PREPARE, "instance": 0}, "instance is no instance"),
    ({**PREPARE, "ballot": "3"}, "ballot is no ballot"),
    ({**PREPARE, "ballot": "03.n5"}, "ballot is no ballot"),
    ({**PREPARE, "ballot": "-1.n5"}, "ballot is no ballot"),
    ({**PREPARE, "ballot": "3.n05"}, "ballot is no ballot"),
    ({**PREPARE, "ballot": "3.n5\n"}, "ballot is no ballot"),
    ({**PREPARE, "ballot": "٣.n5"}, "ballot is no ballot"),
    ({**PREPARE, "ballot": "9" * 5000 + ".n5"}, "ballot is no ballot"),
    ({**PREPARE, "to": None}, "to is no node"),
    ({**PREPARE, "extra": 1}, "has no field extra"),
    ({name: PREPARE[name] for name in PREPARE if name != "to"}, "lacks to"),
    ({name: PREPARE[name] for name in PREPARE if name != "seq"}, "lacks seq"),
]


class TestReading:
    @pytest.mark.parametrize(("line", "text"), BAD)
    def test_a_bad_line_is_refused_with_what_is_wrong(self, line: Any, text: str) -> None:
        """A log of somebody else's making gets sentences, not a traceback."""
        with pytest.raises(LogFormatError, match=text):
            decode(json.dumps(line))

    @pytest.mark.parametrize(
        ("nodes", "sound"),
        [
            ([], True),
            (["n1", "n2", "n10", "g1"], True),
            (["n10", "n2"], False),
            (["g1", "n1"], False),
            (["n1", "n1"], False),
            (["n1", 2], False),
            ("n1", False),
            (["n" + "1" * 5000], False),
        ],
    )
    def test_node_lists_are_sorted_by_number(self, nodes: Any, sound: bool) -> None:
        """n10 comes after n2, guests after members, nobody twice: equal sets are equal bytes."""
        line = {**PREPARE, "event": "learn_sent", "value": "x", "acceptors": nodes}
        assert (problems(line) == []) is sound

    @pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000, "nul"])
    def test_what_is_no_json_is_refused(self, data: bytes | str) -> None:
        """Whatever bytes a file holds."""
        with pytest.raises(LogFormatError):
            decode(data)

    @pytest.mark.parametrize("spelt", [r"\ud800", r"\uDFFF", r"x\udc00\ud83c"])
    def test_half_a_character_is_refused(self, spelt: str) -> None:
        """JSON can spell one, and nobody could print or write what was read."""
        text = json.dumps({**PREPARE, "event": "step_started", "say": "@"}).replace("@", spelt)
        for data in (text, text.encode()):
            with pytest.raises(LogFormatError, match="half a character"):
                decode(data)

    def test_a_character_in_two_halves_is_a_text(self) -> None:
        """That is how JSON spells what lies beyond the first 65,536 characters."""
        line = {**PREPARE, "event": "learn_sent", "value": "\N{CHERRIES}", "acceptors": ["n1"]}
        assert "\\ud83c" in json.dumps(line)
        assert decode(json.dumps(line)) == line

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        )
    )
    def test_nothing_that_json_can_say_raises_anything_else(self, thing: object) -> None:
        """``problems`` finds words for everything."""
        assert problems(thing)

    @given(lines, st.data())
    @settings(max_examples=100)
    def test_a_line_with_one_wrong_field_is_refused(
        self, line: dict[str, Any], data: st.DataObject
    ) -> None:
        """No field is let through unchecked: none may be a float."""
        name = data.draw(st.sampled_from(sorted(line)))
        assert problems({**line, name: 0.5})

    @given(st.sampled_from(EVENTS).flatmap(lines_of), st.data())
    def test_a_line_that_lacks_a_required_field_is_refused(
        self, line: dict[str, Any], data: st.DataObject
    ) -> None:
        """Only a field whose name ends in ``?`` in the catalogue may be absent."""
        fields = CATALOGUE["events"][line["event"]]["fields"]
        required = [*HEADER, *(name for name in fields if not name.endswith("?"))]
        name = data.draw(st.sampled_from(required))
        assert problems({key: value for key, value in line.items() if key != name})

    def test_a_state_is_checked_where_a_rule_reads_it(self) -> None:
        """The acceptor's part in full; another role's name is refused."""
        line = {**PREPARE, "event": "prepare_received", "source": "n5"}
        del line["to"]
        sound = {"acceptor": {"promised": "3.n5", "accepted": None}}
        assert problems({**line, "before": {}, "after": sound}) == []
        bad: list[object] = [
            {"leader": {}},
            {"acceptor": {"promised": "3.n5"}},
            {"acceptor": []},
            [],
        ]
        assert all(problems({**line, "after": state}) for state in bad)


class TestNames:
    def test_a_line_has_a_name(self) -> None:
        """As other lines quote it in ``cause``."""
        assert line_id(PREPARE) == "n1/2/41"

    @given(ballots, ballots)
    def test_ballots_are_ordered_as_in_the_core(self, one: Ballot, other: Ballot) -> None:
        """The checker shares no code with the core, but it means the same by "higher"."""
        assert (ballot_key(str(one)) < ballot_key(str(other))) == (one < other)
        assert (ballot_key(str(one)) == ballot_key(str(other))) == (one == other)

    @pytest.mark.parametrize("node", [1, 9, 99, *GUESTS])
    def test_nodes_are_ordered_as_in_the_core(self, node: int) -> None:
        """n5 is 5, g1 is 101."""
        assert node_key(node_name(node)) == node

    def test_the_orchestrator_comes_first(self) -> None:
        """It is no node of the cluster."""
        assert node_key("orchestrator") == 0

    @pytest.mark.parametrize("name", ["", "n", "x1", "n01", "g0", "1", "n1 "])
    def test_what_is_no_name_is_refused(self, name: str) -> None:
        """And a ballot of such a node, too."""
        with pytest.raises(LogFormatError, match="no node's name"):
            node_key(name)
        with pytest.raises(LogFormatError, match="no ballot"):
            ballot_key(f"1.{name}")


class TestValues:
    @pytest.mark.parametrize("value", ["", "apple", "x" * LONG_VALUE_BYTES, "ö" * 128])
    def test_a_short_value_stands_as_it_is(self, value: str) -> None:
        """Up to 256 bytes of UTF-8."""
        assert logged_value(value) == value

    @pytest.mark.parametrize("value", ["x" * (LONG_VALUE_BYTES + 1), "ö" * 128 + "x"])
    def test_a_long_value_stands_as_length_and_digest(self, value: str) -> None:
        """Bytes are counted, not characters; equal values stay equal, others differ."""
        data = value.encode()
        digest = hashlib.sha256(data).hexdigest()
        assert logged_value(value) == {"bytes": 257, "sha256": digest}

    @pytest.mark.parametrize(
        "value",
        [
            3,
            None,
            {"bytes": 300},
            {"bytes": 300, "sha256": "ab"},
            {"bytes": "300", "sha256": "ab" * 32},
        ],
    )
    def test_nothing_else_is_a_value(self, value: Any) -> None:
        """A digest is 64 hex digits and comes with its length."""
        line = {**PREPARE, "event": "accept_sent", "value": value}
        assert problems(line)
