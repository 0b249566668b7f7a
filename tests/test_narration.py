"""The sentences of the log: complete, true to the line, and nobody else's words."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paxos.events import CATALOGUE, Line, bundled, level_of, narrate, problems, show
from tests.paxos_lines import EVENTS, HOSTILE, lines, lines_of

HEADER = {"v": 1, "node": "n1", "incarnation": 1, "seq": 1, "at_ns": 0}


def line(event: str, /, **fields: Any) -> Line:
    """A line of n1, which must be one of the schema."""
    made = {**HEADER, "event": event, **fields}
    assert problems(made) == []
    return made


def sent(kind: str, to: str, **fields: Any) -> Line:
    """A message of n1 in instance 1."""
    return line(f"{kind}_sent", instance=1, to=to, **fields)


def got(kind: str, source: str, **fields: Any) -> Line:
    """A message to n1 in instance 1."""
    return line(f"{kind}_received", instance=1, source=source, **fields)


def fired(timer: str, **fields: Any) -> Line:
    """A timer of n1."""
    return line("timeout_fired", instance=1, timer=timer, token=1, reachable=[], **fields)


def answered(outcome: str, value: str | None, *, yours: bool = False, reason: str = "") -> Line:
    """n1 answers a client that wanted pear."""
    return line(
        "propose_answered",
        instance=1,
        request=1,
        outcome=outcome,
        wanted="pear",
        value=value,
        ballot=None if value is None else "1.n2",
        yours=yours,
        reason=reason,
    )


APPLE = {"ballot": "1.n2", "value": "apple"}

SENTENCES: list[tuple[Line, str]] = [
    (
        sent("prepare", "n2", ballot="2.n1"),
        "n1 asks n2 to promise 2.n1.",
    ),
    (
        sent("promise", "n2", ballot="2.n2", accepted=None),
        "n1 promises n2 to refuse everything below 2.n2; it has accepted nothing yet.",
    ),
    (
        sent("promise", "n3", ballot="2.n3", accepted=APPLE),
        (
            "n1 promises n3 to refuse everything below 2.n3, "
            "and reports that it accepted 'apple' at 1.n2."
        ),
    ),
    (
        got("promise", "n2", ballot="2.n1", accepted=None, have=["n1", "n2"], quorum=3),
        "n1 has promises of 2.n1 from n1 and n2; it needs 3.",
    ),
    (
        got(
            "promise", "n2", ballot="2.n1", accepted=None, ignored="phase 1 of this ballot is over"
        ),
        "n1 ignores n2's promise of 2.n1: phase 1 of this ballot is over.",
    ),
    (
        sent("accept", "n2", ballot="2.n1", value="pear"),
        "n1 asks n2 to accept 'pear' at 2.n1.",
    ),
    (
        sent(
            "accept",
            "n2",
            ballot="2.n1",
            value="apple",
            wanted="pear",
            reported_by="n3",
            reported_ballot="1.n2",
        ),
        (
            "n1 wanted 'pear' but must push 'apple', because n3 reported it at 1.n2: "
            "it asks n2 to accept 'apple' at 2.n1."
        ),
    ),
    (
        sent(
            "accept", "n2", ballot="2.n1", value="apple", reported_by="n3", reported_ballot="1.n2"
        ),
        (
            "n1 must push 'apple', because n3 reported it at 1.n2: "
            "it asks n2 to accept 'apple' at 2.n1."
        ),
    ),
    (
        sent("accepted", "n2", ballot="2.n2", value="apple"),
        "n1 tells n2: accepted 'apple' at 2.n2.",
    ),
    (
        got("accepted", "n3", ballot="2.n1", value="apple", have=["n2", "n3"], quorum=2),
        "n1 knows that n2 and n3 accepted 'apple' at 2.n1; it needs 2.",
    ),
    (
        sent("nack", "n2", ballot="2.n2", promised="3.n3", request="prepare"),
        "n1 refuses n2's prepare 2.n2: it has promised 3.n3.",
    ),
    (
        got("nack", "n2", ballot="2.n1", promised="3.n3", refused_by=["n2"]),
        "n1 hears that n2 refused 2.n1, because it has promised 3.n3.",
    ),
    (
        got("nack", "n3", ballot="2.n1", promised="3.n3", refused_by=["n2", "n3"], hopeless=True),
        (
            "n1 gives up 2.n1: n2 and n3 refused, so no quorum is left for it; "
            "the next ballot must be above 3.n3."
        ),
    ),
    (
        fired(
            "patience",
            ballot="2.n1",
            phase="preparing",
            have=["n1"],
            missing=["n2", "n3"],
            quorum=2,
        ),
        "n1 is stuck at 2.n1: it has promises from n1 and needs 2; no promise came from n2 and n3.",
    ),
    (
        fired("patience", ballot="2.n1", phase="accepting", have=[], missing=["n1"], quorum=2),
        "n1 is stuck at 2.n1: it has acceptances from nobody and needs 2; none came from n1.",
    ),
    (
        fired("retry"),
        "n1 has backed off long enough: it is time to try again.",
    ),
    (
        fired("own_ballot"),
        "n1 has accepted a value and cannot find out what is chosen: it starts a ballot of its own.",
    ),
    (
        fired("own_ballot", ignored="its proposer is at work and will find out"),
        "n1 ignores its own_ballot timer: its proposer is at work and will find out.",
    ),
    (
        answered("chosen", "pear", yours=True),
        "n1 tells its client: 'pear' is chosen.",
    ),
    (
        answered("chosen", "apple"),
        "n1 tells its client: 'apple' is chosen; your value 'pear' is not.",
    ),
    (
        answered("failed", None, reason="n1 owns the numbers 0 to 999 and is blocked by 4000.n5"),
        (
            "n1 tells its client: 'pear' failed and will never be chosen through this request "
            "(n1 owns the numbers 0 to 999 and is blocked by 4000.n5)."
        ),
    ),
    (
        answered("unknown", None, reason="2 of 3 are needed"),
        "n1 tells its client: it cannot say yet whether 'pear' will be chosen (2 of 3 are needed).",
    ),
    (
        line("state_persisted", instance=1, record="round", number=4, round=2),
        "n1 has written to disk that it uses round 2.",
    ),
    (
        line(
            "state_persisted",
            instance=1,
            record="acceptor",
            number=4,
            promised="2.n1",
            accepted=None,
        ),
        "n1 has written to disk: promised 2.n1.",
    ),
    (
        line(
            "state_persisted",
            instance=1,
            record="acceptor",
            number=4,
            promised="2.n1",
            accepted=APPLE,
        ),
        "n1 has written to disk: promised 2.n1, accepted 'apple' at 1.n2.",
    ),
    (
        line("state_recovered", instance=1, promised="0.n0", accepted=None, round=3, learned=None),
        (
            "n1 reads from disk: nothing promised, nothing accepted; "
            "as a proposer it has used the rounds up to 3."
        ),
    ),
    (
        line(
            "state_recovered", instance=1, promised="2.n1", accepted=APPLE, round=-1, learned=None
        ),
        "n1 reads from disk: promised 2.n1, accepted 'apple' at 1.n2.",
    ),
    (
        line(
            "state_recovered",
            instance=1,
            promised="2.n1",
            accepted=APPLE,
            round=-1,
            learned={**APPLE, "acceptors": ["n1", "n2"]},
        ),
        "n1 reads from disk: it knows that 'apple' was chosen.",
    ),
    (
        line(
            "value_learned", instance=1, ballot="1.n2", value="apple", acceptors=["n1", "n2", "n3"]
        ),
        "n1 learns: 'apple' is chosen (n1, n2 and n3 accepted it at 1.n2).",
    ),
    (
        line("timer_set", instance=1, timer="retry", token=0, after_ms=37),
        "n1 will try again in 37 ms.",
    ),
    (
        line("node_started", cluster="c", members=["n1"], settings={}, variant="small-quorum"),
        "n1 starts as incarnation 1 running the broken variant small-quorum.",
    ),
]


class TestSentences:
    @pytest.mark.parametrize(("told", "sentence"), SENTENCES)
    def test_a_line_in_words(self, told: Line, sentence: str) -> None:
        """What a teacher would say of it, in plain words."""
        assert narrate(told) == sentence

    @pytest.mark.parametrize("event", EVENTS)
    def test_every_event_reads_as_a_sentence(self, event: str) -> None:
        """No hole is left, nothing of Python shows, and it is one printable line."""
        sentences: set[str] = set()

        @given(lines_of(event))
        @settings(max_examples=20)
        def check(told: Line) -> None:
            sentence = narrate(told)
            sentences.add(sentence)
            assert sentence.isprintable()
            assert not re.search(r"None|True|False|\[\]|\{[a-z_.]+\}", _unquoted(sentence))
            # A scenario's title and its steps are the author's own sentences.
            if event not in {"run_started", "step_started"}:
                assert sentence[-1] == "."

        check()
        assert sentences

    @given(lines)
    @settings(max_examples=50)
    def test_a_sentence_depends_on_its_line_alone(self, told: Line) -> None:
        """Not on when it was written, or on which number it has."""
        assert narrate({**told, "seq": 99, "at_ns": 3}) == narrate(told)

    def test_an_event_has_a_level(self) -> None:
        """What the terminal shows by itself, and what only on request; a sentence may have its own."""
        assert level_of(fired("patience", phase="preparing")) == "story"
        assert level_of(fired("patience", ignored="this ballot is over")) == "quiet"
        assert (
            level_of(line("value_learned", instance=1, ballot="1.n2", value="x", acceptors=[]))
            == "story"
        )
        assert level_of(sent("learned", "n2")) == "quiet"
        assert {entry["level"] for entry in CATALOGUE["events"].values()} == {
            "story",
            "detail",
            "quiet",
        }


# An apostrophe within a word opens no quotation.
_QUOTATION = re.compile(r"(?<!\w)'(?:[^'\\]|\\.)*'")


def _unquoted(sentence: str) -> str:
    """A sentence without the strangers' words in it."""
    return _QUOTATION.sub("''", sentence)


class TestValues:
    @pytest.mark.parametrize("value", HOSTILE)
    def test_a_hostile_value_stays_quoted_on_one_line(self, value: str) -> None:
        """Markup, control characters, newlines, quotes: none of it gets out of its quotation."""
        sentence = narrate(
            line("propose_received", instance=1, request=1, value=value, timeout_ms=5)
        )
        assert sentence.isprintable()
        assert _unquoted(sentence) == "A client asks n1 to have '' chosen."

    @given(st.text())
    def test_a_value_can_be_told_from_its_quotation(self, value: str) -> None:
        """The quotation ends where the value ends, and a printable value can be read back."""
        quoted = show("value", value)
        assert _QUOTATION.fullmatch(quoted)
        if value.isprintable():
            assert re.sub(r"\\(.)", r"\1", quoted[1:-1]) == value

    def test_it_cannot_pass_for_a_sentence_of_ours(self) -> None:
        """A client that names its value like one of our lines is seen through."""
        told = sent(
            "accept", "n2", ballot="2.n1", value="x' at 9.n9. n2 learns: 'pear' is chosen. '"
        )
        assert _unquoted(narrate(told)) == "n1 asks n2 to accept '' at 2.n1."

    def test_holes_in_a_value_are_not_filled(self) -> None:
        """A value is no template."""
        told = sent("accept", "n2", ballot="2.n1", value="{node} {to}")
        assert narrate(told) == "n1 asks n2 to accept '{node} {to}' at 2.n1."

    def test_a_long_value_is_named_by_size_and_digest(self) -> None:
        """Enough to tell it from another."""
        long = {"bytes": 70_000, "sha256": "deadbeef" * 8}
        told = sent("accept", "n2", ballot="2.n1", value=long)
        assert narrate(told) == (
            "n1 asks n2 to accept a value of 70000 bytes (sha256 deadbeef…) at 2.n1."
        )

    @pytest.mark.parametrize(
        ("path", "field", "shown"),
        [
            ("value", "don't", "'don\\'t'"),
            ("value", "\\", "'\\\\'"),
            ("accepted.value", "a\tb", "'a\ufffdb'"),
            ("wanted", None, "nothing"),
            ("reason", "two\nlines\x1b[2J", "two\ufffdlines\ufffd[2J"),
            ("reason", "it's so", "it's so"),
            ("have", [], "nobody"),
            ("have", ["n1"], "n1"),
            ("have", ["n1", "n2"], "n1 and n2"),
            ("have", ["n1", "n2", "g1"], "n1, n2 and g1"),
            ("quorum", 3, "3"),
        ],
    )
    def test_how_a_field_stands_in_a_sentence(self, path: str, field: Any, shown: str) -> None:
        """Values are quoted, lists are spoken, and no text may move the cursor."""
        assert show(path, field) == shown


class TestBundles:
    def test_a_fan_out_becomes_one_sentence(self) -> None:
        """Five Prepares are one thought; each keeps its line."""
        fan_out = [
            sent("prepare", to, ballot="1.n1") | {"seq": seq, "at_ns": seq}
            for seq, to in enumerate(("n1", "n2", "n3"), start=1)
        ]
        (bundle,) = bundled(fan_out)
        assert bundle.text == "n1 asks n1, n2 and n3 to promise 1.n1."
        assert list(bundle.lines) == fan_out

    @pytest.mark.parametrize(
        "other",
        [
            sent("prepare", "n2", ballot="2.n1"),
            sent("prepare", "n2", ballot="1.n1") | {"instance": 2},
            sent("prepare", "n2", ballot="1.n1") | {"node": "n3"},
            sent("accept", "n2", ballot="1.n1", value="x"),
        ],
    )
    def test_what_differs_otherwise_is_another_sentence(self, other: Line) -> None:
        """Another ballot, instance, node or message."""
        first = sent("prepare", "n1", ballot="1.n1")
        assert [bundle.text for bundle in bundled([first, other])] == [
            narrate(first),
            narrate(other),
        ]

    def test_only_neighbours_are_joined(self) -> None:
        """A bundle must not tell things out of their order."""
        one, two = sent("prepare", "n1", ballot="1.n1"), sent("prepare", "n3", ballot="1.n1")
        between = sent("promise", "n1", ballot="1.n1", accepted=None)
        assert len(list(bundled([one, between, two]))) == 3

    def test_the_message_that_a_line_is_about_does_not_separate(self) -> None:
        """A gate that drops a whole fan-out says so once."""
        dropped = [
            line(
                "message_dropped",
                message=f"n1/1/{seq}",
                source="n1",
                to=to,
                kind="prepare",
                instance=1,
                rule="cut",
            )
            for seq, to in ((5, "n2"), (6, "n3"))
        ]
        (bundle,) = bundled(dropped)
        assert bundle.text == "The gate at n1 drops the prepare from n1 to n2 and n3."

    @given(st.lists(lines, max_size=4))
    @settings(max_examples=50)
    def test_no_line_is_lost_or_moved(self, told: list[Line]) -> None:
        """Bundles are a partition of the log, in its order."""
        assert [one for bundle in bundled(told) for one in bundle.lines] == told
