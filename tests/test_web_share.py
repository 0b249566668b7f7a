"""What the share sheet makes of a run: pictures, a report, logs for others, YAML, the link.

The files are checked for what they are for: a picture has an arrow for each
message, clocks tell exactly what happened before what, a trace keeps the rules
of its format, a scenario is read by the lab's own reader. Each check is shown
to fail on a file with a planted fault.
"""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect
from ruamel.yaml import YAML

from orchestrator.yaml_file import BROKEN as BROKEN_FOLDER
from orchestrator.yaml_file import FOLDER, _plain, read_scenario
from paxos.events import Line, encode, line_id, narrate
from paxos.sandbox import run as play
from paxos.scenario import parse
from tests.big_log import log_lines
from tests.web_page import visiting
from tests.web_rooms import (
    BROKEN,
    CRASH,
    LATE,
    PARTITION,
    ask,
    judged,
    served,
    simulated,
    words,
    write_runs,
)
from tests.web_server import recorded, scripted

SVG = "{http://www.w3.org/2000/svg}"
MARKUP = "<img src=x onerror=alert(1)> & 'so' \"on\""

# How each kind is drawn: colour of the palette, width, dash. As STROKES in web/view/spacetime.js.
STROKES = {
    "prepare": ("prepare", "1.5", None),
    "promise": ("prepare", "1.5", "6 4"),
    "accept": ("accept", "3", None),
    "accepted": ("accepted", "3", "7 4"),
    "nack": ("nack", "1.8", "1.5 3.5"),
    "learn": ("learn", "1.8", None),
}


def arrows(picture: str) -> Counter[str]:
    """How many arrows of each kind a picture has, told by their strokes."""
    palette = ask("palette")
    kinds = {(palette[name], width, dash): kind for kind, (name, width, dash) in STROKES.items()}
    counts: Counter[str] = Counter()
    for path in ET.fromstring(picture).iter(f"{SVG}path"):  # noqa: S314 - it is ours
        stroke = (path.get("stroke"), path.get("stroke-width"), path.get("stroke-dasharray"))
        # A hollow head is stroked, too, and closed.
        if stroke in kinds and not path.get("d", "").endswith("Z"):
            counts[kinds[stroke]] += 1
    return counts


class TestPicture:
    @pytest.mark.parametrize("name", ["local-partition", "local-late-proposer"])
    def test_it_has_an_arrow_for_each_message(self, name: str) -> None:
        """Told by colour, weight and dash of their strokes."""
        lines = recorded(name)
        sent = Counter(line["event"][:-5] for line in lines if line["event"].endswith("_sent"))
        wanted = {kind: sent[kind] for kind in STROKES if sent[kind]}
        picture = ask("picture", lines=lines)
        assert arrows(picture) == wanted
        # The count notices an arrow that is missing.
        assert (
            arrows(re.sub(r"<path[^>]*stroke-dasharray=\"6 4\"[^>]*/>", "", picture, count=1))
            != wanted
        )

    def test_text_stays_text_and_a_halo_is_no_second_one(self) -> None:
        """Whoever searches the picture finds a word once."""
        root = ET.fromstring(ask("picture", lines=recorded("local-partition")))  # noqa: S314
        texts = [element.text for element in root.iter(f"{SVG}text")]
        assert texts.count("wants pear") == 1
        assert {"n1", "n2", "n3", "n4", "n5"} <= set(texts)
        (label,) = [one for one in root.iter(f"{SVG}text") if one.text == "wants pear"]
        assert label.get("paint-order") == "stroke"
        assert label.get("stroke") is not None

    def test_each_message_says_what_it_is(self) -> None:
        """Its shapes are a group with its line's name, and its sentence as title."""
        lines = recorded("local-late-proposer")
        root = ET.fromstring(ask("picture", lines=lines))  # noqa: S314
        titles = {
            group.get("data-line"): group.findtext(f"{SVG}title")
            for group in root.iter(f"{SVG}g")
            if group.get("data-line")
        }
        sent = [line for line in lines if line["event"].endswith("_sent")]
        assert titles == {line_id(line): narrate(line) for line in sent}

    def test_what_is_to_come_is_faint_as_on_the_screen(self) -> None:
        """And is left out where the screen leaves it out."""
        lines = recorded("local-partition")
        now = arrows(ask("picture", lines=lines, change={"cursor": 120, "future": False}))
        faint = ask("picture", lines=lines, change={"cursor": 120, "future": True})
        assert sum(now.values()) < sum(arrows(faint).values())
        assert 'stroke-opacity="' in faint

    def test_in_sight_is_as_wide_as_the_screen_and_the_whole_has_a_limit(self) -> None:
        """A run of thousands of lines is drawn closer together."""
        lines = recorded("local-partition")
        seen = ET.fromstring(ask("picture", lines=lines, whole=False))  # noqa: S314
        assert seen.get("width") == "1000"
        whole = ET.fromstring(ask("picture", lines=lines, change={"scale": 60}))  # noqa: S314
        assert float(whole.get("width", "0")) <= 6000

    def test_clips_are_known_and_names_are_safe(self) -> None:
        """Every clip that is used is defined; what strangers wrote is text."""
        lines = recorded("local-partition")
        evil = [
            {**line, "value": MARKUP} if line.get("value") == "pear" else line for line in lines
        ]
        picture = ask("picture", lines=evil)
        used = set(re.findall(r"clip-path=\"url\(#([^)]+)\)\"", picture))
        assert used
        assert used <= set(re.findall(r"<clipPath id=\"([^\"]+)\"", picture))
        assert "<img" not in picture
        ET.fromstring(picture)  # noqa: S314

    def test_a_control_character_of_a_stranger_does_not_break_the_file(self) -> None:
        """XML has no way to write them, so a sign stands in their place."""
        lines = [
            {**line, "value": "a\x00b\ud800"} if line.get("value") == "pear" else line
            for line in recorded("local-partition")
        ]
        ET.fromstring(ask("picture", lines=lines))  # noqa: S314


class TestCanvas:
    """The object that writes down what is drawn on it."""

    def drawn(self, *calls: list[Any]) -> ET.Element:
        """The picture of these calls and settings."""
        root: ET.Element = ET.fromstring(ask("drawn", calls=calls))  # noqa: S314
        return root

    def test_what_was_saved_comes_back(self) -> None:
        """Colours, dashes and clips are put back by restore."""
        root = self.drawn(
            ["strokeStyle", "#111111"],
            ["save"],
            ["strokeStyle", "#222222"],
            ["setLineDash", [1, 2]],
            ["beginPath"],
            ["rect", 1, 2, 30, 40],
            ["clip"],
            ["strokeRect", 0, 0, 5, 5],
            ["restore"],
            ["strokeRect", 0, 0, 5, 5],
        )
        first, second = root.iter(f"{SVG}path"), None
        paths = list(first)
        second = paths[-1]
        assert (paths[-2].get("stroke"), paths[-2].get("stroke-dasharray")) == ("#222222", "1 2")
        assert (second.get("stroke"), second.get("stroke-dasharray")) == ("#111111", None)
        (group,) = root.findall(f"{SVG}g")
        assert group.get("clip-path") == "url(#clip1)"
        assert second not in list(group)

    def test_a_clip_in_a_clip_is_what_both_show(self) -> None:
        """Rectangles meet in one rectangle."""
        root = self.drawn(
            ["beginPath"], ["rect", 0, 0, 50, 50], ["clip"],
            ["beginPath"], ["rect", 30, 10, 50, 20], ["clip"],
            ["fillRect", 0, 0, 99, 99],
        )  # fmt: skip
        last = root.findall(f".//{SVG}clipPath/{SVG}rect")[-1]
        box = [last.get(name) for name in ("x", "y", "width", "height")]
        assert box == ["30", "10", "20", "20"]

    def test_fill_and_stroke_of_one_path_are_one_shape(self) -> None:
        """And a stroke before its fill stays below it."""
        root = self.drawn(["beginPath"], ["rect", 0, 0, 5, 5], ["fill"], ["stroke"])
        (path,) = root.iter(f"{SVG}path")
        assert path.get("fill") == path.get("stroke") == "#000"
        root = self.drawn(["beginPath"], ["rect", 0, 0, 5, 5], ["stroke"], ["fill"])
        assert len(list(root.iter(f"{SVG}path"))) == 2

    def test_alpha_belongs_to_what_is_drawn_with_it(self) -> None:
        """What is drawn with none at all is not drawn."""
        root = self.drawn(
            ["globalAlpha", 0.25], ["fillRect", 0, 0, 1, 1],
            ["globalAlpha", 0], ["fillRect", 0, 0, 1, 1],
        )  # fmt: skip
        (path,) = root.iter(f"{SVG}path")
        assert path.get("fill-opacity") == "0.25"

    def test_a_whole_circle_is_drawn_in_two_halves(self) -> None:
        """One arc that ends where it begins would be nothing."""
        root = self.drawn(["beginPath"], ["arc", 10, 10, 5, 0, 6.283185307179586], ["fill"])
        (path,) = root.iter(f"{SVG}path")
        assert re.findall(r"A5 5 0 0 1 (\S+) (\S+?)(?=A|$)", path.get("d", "")) == [
            ("5", "10"),
            ("15", "10"),
        ]

    def test_moved_and_scaled_is_where_it_is_seen(self) -> None:
        """Transforms go into the numbers; so does the width of a line."""
        root = self.drawn(["translate", 10, 20], ["scale", 2, 2], ["strokeRect", 1, 1, 3, 3])
        (path,) = root.iter(f"{SVG}path")
        assert path.get("d") == "M12 22L18 22L18 28L12 28Z"
        assert path.get("stroke-width") == "2"

    def test_fonts_are_taken_apart(self) -> None:
        """Style, weight, size and family."""
        root = self.drawn(
            ["font", "italic 600 12.5px system-ui, sans-serif"],
            ["textAlign", "center"],
            ["fillText", "a < b", 3, 4],
        )
        (text,) = root.iter(f"{SVG}text")
        names = ("font-style", "font-weight", "font-size", "font-family", "text-anchor")
        assert [text.get(name) for name in names] == [
            "italic", "600", "12.5", "system-ui, sans-serif", "middle",
        ]  # fmt: skip
        assert text.text == "a < b"

    def test_a_message_says_what_it_is(self) -> None:
        """What is drawn about one stands in a group with its sentence as title."""
        root = self.drawn(
            ["about", "n1/1/2"], ["fillRect", 0, 0, 1, 1], ["about", None], ["fillRect", 1, 1, 1, 1]
        )
        (group,) = root.findall(f"{SVG}g")
        assert group.get("data-line") == "n1/1/2"
        assert group.findtext(f"{SVG}title") == "tells <n1/1/2>"
        assert len(list(group.iter(f"{SVG}path"))) == 1


class TestReport:
    def test_it_has_no_script_and_asks_for_nothing(self) -> None:
        """Its own policy would refuse both, and allows the very style that is in it."""
        lines = scripted("R4-ignores-reported-values")
        report = ask("report", lines=lines, verdict=judged(lines))
        assert "<script" not in report
        assert not re.search(r"(?:src|href)=|@import|url\((?!#)", report)
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', report)
        assert "default-src &#39;none&#39;" in policy
        (style,) = re.findall(r"<style>(.*?)</style>", report, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy

    def test_it_quotes_what_broke_a_rule_and_tells_the_story(self) -> None:
        """With the sentences that every reader of the log uses."""
        lines = scripted("R4-ignores-reported-values")
        verdict = judged(lines)
        report = ask("report", lines=lines, verdict=verdict)
        assert "✗ violated" in report
        for violation in verdict["violations"]:
            assert escape(violation["sentence"]) in report
        accept = next(
            line for line in lines if line["event"] == "accept_sent" and line["value"] == "pear"
        )
        assert escape(narrate(accept)) in report
        assert report.count("<svg ") == 1

    def test_it_holds_the_whys_of_what_it_quotes(self) -> None:
        """As why.json tells them."""
        lines = scripted("R4-ignores-reported-values")
        verdict = judged(lines)
        named = line_id(verdict["violations"][0]["events"][-1])
        why = {
            "line": named,
            "kind": "accept",
            "rule": "R4",
            "instance": 1,
            "events": [],
            "ok": False,
        }
        whys = {"v": 1, "whys": [{**why, "sentence": "n3 had to push apple & said pear"}]}
        report = ask("report", lines=lines, verdict=verdict, why=whys)
        assert "n3 had to push apple &amp; said pear" in report
        assert "n3 had to push" not in ask("report", lines=lines, verdict=verdict)

    def test_what_strangers_wrote_is_text(self) -> None:
        """In the title, in values, in the run's name."""
        lines = [
            {**line, "value": MARKUP} if line.get("value") == "pear" else line
            for line in recorded("local-partition")
        ]
        report = ask("report", lines=lines, name=MARKUP)
        assert "<img" not in report
        assert "&lt;img" in report

    def test_memory_stands_beside_disk(self) -> None:
        """Of a node that is down the memory is lost, and the disk stays."""
        lines = recorded("local-crash-after-promise")
        at = next(i for i, line in enumerate(lines) if line["event"] == "failpoint_hit")
        report = ask("report", lines=lines, cursor=at)
        (row,) = re.findall(r'<tr><th scope="row">n3.*?</tr>', report, re.DOTALL)
        assert row.count('class="lost"') >= 2
        assert "killed at a failpoint" in row


def escape(text: str) -> str:
    """As the report writes it."""
    for sign, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(sign, entity)
    return text


def parsed_shiviz(text: str) -> list[tuple[str, dict[str, int], str]]:
    """The events as ShiViz reads them: by the expression in the first line."""
    first, second, rest = text.split("\n", 2)
    assert second == "", "one execution: no delimiter"
    # The same syntax but for how a group is named.
    expression = re.compile(first.replace("(?<", "(?P<"))
    events = [
        (found["host"], json.loads(found["clock"]), found["event"])
        for found in expression.finditer(rest)
    ]
    assert len(events) == rest.count("\n") // 2, "no line is left over"
    return events


def happened_before(lines: list[Line]) -> list[int]:
    """Per line, the lines before it, as bits: its node's earlier ones, and its cause's."""
    place: dict[str, int] = {}
    last: dict[str, int] = {}
    before: list[int] = []
    for at, line in enumerate(lines):
        past = 0
        for other in (last.get(line["node"]), place.get(line.get("cause", ""))):
            if other is not None:
                past |= before[other] | 1 << other
        before.append(past)
        last[line["node"]] = place[line_id(line)] = at
    return before


def clocks_tell(lines: list[Line], clocks: list[dict[str, int]]) -> bool:
    """Whether one clock is below another exactly where the one happened before the other."""

    def below(one: dict[str, int], other: dict[str, int]) -> bool:
        return one != other and all(other.get(host, 0) >= count for host, count in one.items())

    before = happened_before(lines)
    return all(
        below(clocks[one], clocks[other]) == bool(before[other] >> one & 1)
        for other in range(len(lines))
        for one in range(other)
    )


class TestShiViz:
    @settings(max_examples=6)
    @given(seed=st.integers(0, 10_000))
    def test_clocks_tell_what_happened_before_what(self, seed: int) -> None:
        """For every two lines: clocks are ordered if, and only if, the lines are."""
        lines = simulated(seed)[:260]
        events = parsed_shiviz(ask("shiviz", lines=lines))
        assert [host for host, _, _ in events] == [line["node"] for line in lines]
        clocks = [clock for _, clock, _ in events]
        assert clocks_tell(lines, clocks)
        # A host counts its own events from 1, without a gap: ShiViz insists.
        counts: Counter[str] = Counter()
        for host, clock, _ in events:
            counts[host] += 1
            assert clock[host] == counts[host]

    def test_the_check_notices_a_clock_that_forgot_its_cause(self) -> None:
        """And one that knows of the future."""
        lines = recorded("local-partition")
        clocks = [clock for _, clock, _ in parsed_shiviz(ask("shiviz", lines=lines))]
        assert clocks_tell(lines, clocks)
        at = next(i for i, line in enumerate(lines) if line.get("cause"))
        node = lines[at]["node"]
        assert not clocks_tell(lines, [*clocks[:at], {node: clocks[at][node]}, *clocks[at + 1 :]])
        assert not clocks_tell(lines, [clocks[-1], *clocks[1:]])

    def test_an_event_is_a_sentence_and_the_name_of_its_line(self) -> None:
        """So that what is seen there is found again here."""
        lines = recorded("local-late-proposer")
        events = parsed_shiviz(ask("shiviz", lines=lines))
        assert [event for _, _, event in events] == [
            f"{narrate(line)} [{line_id(line)}]" for line in lines
        ]


def trace_faults(trace: dict[str, Any]) -> list[str]:
    """What is wrong with a trace by its format."""
    wrong = []
    flows: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    spans: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    free: dict[tuple[int, int], float] = defaultdict(float)
    slices: dict[tuple[int, int], set[float]] = defaultdict(set)
    named = {(e["pid"], e["tid"]) for e in trace["traceEvents"] if e.get("name") == "thread_name"}
    for event in trace["traceEvents"]:
        track = (event["pid"], event["tid"])
        if track not in named:
            wrong.append(f"track {track} has no name")
        if event["ph"] == "M":
            continue
        if not isinstance(event["ts"], int | float) or event["ts"] < 0:
            wrong.append(f"no time: {event}")
        if event["ph"] == "X":
            if event["ts"] < free[track]:
                wrong.append(f"{event['name']} begins within the slice before it")
            free[track] = event["ts"] + event["dur"]
            slices[track].add(event["ts"])
        elif event["ph"] in {"s", "f"}:
            flows[event["id"]].append(event)
        elif event["ph"] in {"b", "e"}:
            spans[event["cat"], event["id"]].append(event)
        elif event["ph"] != "i" or event["s"] not in {"g", "p", "t"}:
            wrong.append(f"no such phase: {event}")
    for pairs, phases in ((flows, ["s", "f"]), (spans, ["b", "e"])):
        for name, ends in pairs.items():
            if [end["ph"] for end in ends] != phases:
                wrong.append(f"{name} does not begin and end once")
            elif ends[0]["ts"] > ends[1]["ts"]:
                wrong.append(f"{name} ends before it begins")
    wrong += [
        f"an arrow of {end['name']} is bound to no slice"
        for ends in flows.values()
        for end in ends
        if end["ts"] not in slices[end["pid"], end["tid"]]
    ]
    return wrong


class TestTrace:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_it_keeps_the_rules_of_its_format(self, seed: int) -> None:
        """In virtual time, where many lines share an instant, as in real time."""
        lines = simulated(seed)
        trace = ask("trace", lines=lines)
        assert trace_faults(trace) == []
        assert sum(event["ph"] == "X" for event in trace["traceEvents"]) == len(lines)

    def test_there_is_an_arrow_for_each_message_that_arrived(self) -> None:
        """And an instant for each that did not; for what was chosen, and what was learned."""
        lines = recorded("local-partition")
        events = ask("trace", lines=lines)["traceEvents"]
        assert trace_faults({"traceEvents": events}) == []
        received = {line["cause"] for line in lines if "cause" in line}
        flows = [event for event in events if event["ph"] == "s"]
        known = {line_id(line) for line in lines if line["event"].endswith("_sent")}
        assert len(flows) == len(received & known)
        instants = Counter(event["cat"] for event in events if event["ph"] == "i")
        assert instants["lost"] > 0
        assert instants["chosen"] == 1
        assert instants["learned"] == sum(line["event"] == "value_learned" for line in lines)

    def test_a_node_is_a_process_and_a_role_a_track(self) -> None:
        """Named, so that a reader finds them."""
        events = ask("trace", lines=recorded("local-partition"))["traceEvents"]
        names = [event["args"]["name"] for event in events if event["name"] == "process_name"]
        assert names == ["orchestrator", "n1", "n2", "n3", "n4", "n5"]
        threads = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
        assert {"proposer", "acceptor", "learner", "process"} <= threads

    def test_a_node_s_lines_keep_their_order(self) -> None:
        """Also where the clock of the machine says otherwise."""
        lines = recorded("local-partition")
        back = [
            {**line, "at_ns": line["at_ns"] - 40_000_000 * (at % 3)}
            for at, line in enumerate(lines)
        ]
        trace = ask("trace", lines=back)
        assert trace_faults(trace) == []
        for node in ("n1", "n5"):
            told = [
                e["args"]["line"]
                for e in trace["traceEvents"]
                if e["ph"] == "X" and e["args"]["line"].startswith(f"{node}/")
            ]
            assert told == [line_id(line) for line in lines if line["node"] == node]

    @pytest.mark.parametrize("fault", ["lose an end", "go back", "bind to nothing", "unname"])
    def test_the_check_notices_a_planted_fault(self, fault: str) -> None:
        """An arrow without an end, a slice in another, an arrow beside its slice, a nameless track."""
        trace = ask("trace", lines=recorded("local-partition"))
        events = trace["traceEvents"]
        if fault == "lose an end":
            events.remove(next(event for event in events if event["ph"] == "f"))
        elif fault == "go back":
            slices = [event for event in events if event["ph"] == "X" and event["pid"] == 2]
            slices[5]["ts"] = slices[4]["ts"]
            slices[5]["tid"] = slices[4]["tid"]
        elif fault == "bind to nothing":
            next(event for event in events if event["ph"] == "s")["ts"] += 0.5
        else:
            events.remove(next(event for event in events if event["name"] == "thread_name"))
        assert trace_faults(trace) != []


def plain(path: Path) -> Any:
    """A scenario file as plain data."""
    return _plain(YAML(typ="rt").load(path.read_text("utf-8")))


# What YAML, of one version or another, takes for something else, or not at all.
NO_PLAIN_TEXTS = [
    *("yes", "no", "null", "~", "1.0", "3.n5", "$b", "a: b", "- a", "#x", "a #x", "", " ", "a "),
    *("[", "{a}", "&a", "*a", "!x", "%y", "@z", "`", "0x1f", "1e3", "off", "true", "Null", "="),
    *("<<", "\x7f", "\x85", "\u2028", "\ufeff", "\t", "a\nb", "2026-01-01"),
]


class TestYaml:
    def test_every_scenario_comes_back_as_it_was(self, tmp_path: Path) -> None:
        """Read by the lab's own reader: the same scenario."""
        files = sorted(FOLDER.glob("*.yaml")) + sorted(BROKEN_FOLDER.glob("*.yaml"))
        texts = ask("yaml", scenarios=[plain(path) for path in files])
        assert len(files) > 40
        for path, text in zip(files, texts, strict=True):
            copy = tmp_path / path.name
            copy.write_text(text, "utf-8")
            assert read_scenario(copy) == read_scenario(path), path
            assert max(map(len, text.splitlines())) < 600

    @settings(max_examples=12)
    @given(
        texts=st.lists(
            st.one_of(
                st.text(st.characters(exclude_categories=["Cs"])),
                st.sampled_from(NO_PLAIN_TEXTS),
            ),
            min_size=8,
        )
    )
    def test_any_text_stays_text(self, texts: list[str]) -> None:
        """As a value, in a list, and as a key."""
        data = {
            "list": texts,
            "keys": dict.fromkeys(texts, 1),
            "nest": [{"a": {"b": {"c": texts}}}],
        }
        (text,) = ask("yaml", scenarios=[data])
        assert _plain(YAML(typ="safe", pure=True).load(text)) == data

    def test_what_is_no_text_stays_what_it_is(self) -> None:
        """Numbers, booleans, nothing, and what is empty."""
        data: dict[str, Any] = {
            "a": 1,
            "b": True,
            "c": None,
            "d": [],
            "e": {},
            "f": [[1, 2], [3]],
            "g": [{"h": []}],
        }
        (text,) = ask("yaml", scenarios=[data])
        assert _plain(YAML(typ="safe", pure=True).load(text)) == data
        assert "'1'" not in text


class TestScenario:
    def test_a_run_of_the_sandbox_is_a_scenario(self, tmp_path: Path) -> None:
        """What was commanded there, as a file that the lab reads."""
        commands = [{"after": 0, "do": {"propose": {"name": "a", "at": "n1", "value": "apple"}}}]
        recipe = {"v": 1, "seed": 7, "nodes": 3, "variant": None, "manual": False}
        made = play({**recipe, "scenario": None, "settings": {}, "commands": commands})
        branch = {"id": 4, "scenario": made["scenario"], "scenarioWhy": made["scenario_why"]}
        sandbox = {"branches": [branch], "current": 4}
        source = {"kind": "sandbox", "name": "sandbox"}
        path = tmp_path / "sandbox.yaml"
        path.write_text(ask("scenario", source=source, sandbox=sandbox)["file"], "utf-8")
        assert read_scenario(path) == parse(path.stem, made["scenario"])
        branch |= {"scenario": None, "scenarioWhy": "it drops one message"}
        told = ask("scenario", source=source, sandbox=sandbox)
        assert told["error"].endswith("it drops one message")

    def test_a_run_s_scenario_is_found_by_its_name(self) -> None:
        """In the table that is served; a name that is no scenario's finds nothing."""
        lines = recorded("local-partition")
        source = {"kind": "run", "name": "r"}
        table = {"scenarios.json": {"scenarios": {"partition": {"version": 1}}}}
        assert ask("scenario", source=source, lines=lines, served=table) == {"file": "version: 1\n"}
        for name in ("constructor", "gone"):
            other = [
                {**line, "scenario": name} if line["event"] == "run_started" else line
                for line in lines
            ]
            told = ask("scenario", source=source, lines=other, served=table)
            assert "a log alone" in told["error"]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs."""
    folder = tmp_path_factory.mktemp("logs")
    write_runs(folder)
    return folder


@pytest.fixture(scope="module")
def address(logs: Path) -> Iterator[str]:
    """The page with those runs."""
    with served(logs) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page at a hash; its console must stay empty."""
    with visiting(browser, address) as open_page:
        yield open_page


def shared(visit: Callable[..., Page], run: str = LATE, at: str = "", **how: Any) -> Page:
    """The page with its share sheet open."""
    page = visit(f"#run={run}" + (f"&at={at}" if at else ""), **how)
    page.get_by_role("button", name="Share").first.click()
    expect(page.locator(".share")).to_be_visible()
    return page


def made(page: Page, button: str) -> tuple[str, bytes]:
    """Press a button, and take what the page hands over: its name and its content."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.mark.browser
class TestSheet:
    def test_a_picture_is_what_is_seen(self, visit: Callable[..., Page]) -> None:
        """Its name says run and moment; the whole run is wider."""
        page = shared(visit, at="n1/4/225")
        name, picture = made(page, "SVG picture")
        assert name == f"{LATE}-at-n1-4-225.svg"
        seen = ET.fromstring(picture)  # noqa: S314
        canvas = page.locator("#spacetime").bounding_box()
        assert canvas is not None
        assert float(seen.get("width", "0")) == pytest.approx(canvas["width"], abs=1)
        page.get_by_label("the whole run").check()
        whole = ET.fromstring(made(page, "SVG picture")[1])  # noqa: S314
        assert float(whole.get("width", "0")) > float(seen.get("width", "0"))
        assert "chosen: apple at 1.n1" in [text.text for text in whole.iter(f"{SVG}text")]

    def test_a_picture_wears_the_theme(self, visit: Callable[..., Page]) -> None:
        """Light or dark as shown."""
        light = made(shared(visit, color_scheme="light"), "SVG picture")[1].decode()
        dark = made(shared(visit, color_scheme="dark"), "SVG picture")[1].decode()
        assert '<rect width="' in light
        assert 'fill="#ffffff"' in light
        assert 'fill="#171d25"' in dark
        assert 'fill="#ffffff"' not in dark

    def test_a_png_is_twice_as_fine(self, visit: Callable[..., Page]) -> None:
        """Twice the pixels of the screen each way, and not empty."""
        page = shared(visit)
        canvas = page.locator("#spacetime").bounding_box()
        assert canvas is not None
        name, png = made(page, "PNG picture")
        assert name.endswith(".png")
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        size = [int.from_bytes(png[at : at + 4]) for at in (16, 20)]
        assert size[0] == pytest.approx(canvas["width"] * 2, abs=2)
        assert size[1] == pytest.approx(canvas["height"] * 2, abs=2)
        assert len(png) > 10_000

    def test_the_report_opens_without_a_network(
        self, visit: Callable[..., Page], browser: Browser, tmp_path: Path
    ) -> None:
        """From a file, in a browser without scripts, with nothing refused and nothing asked for."""
        page = shared(visit, BROKEN)
        name, report = made(page, "HTML report")
        path = tmp_path / name
        path.write_bytes(report)
        context = browser.new_context(offline=True)
        try:
            opened = context.new_page()
            complaints: list[str] = []
            asked: list[str] = []
            opened.on("console", lambda message: complaints.append(message.text))
            opened.on("request", lambda request: asked.append(request.url))
            opened.goto(path.as_uri())
            expect(opened.get_by_role("heading", name="Verdict")).to_be_visible()
            expect(opened.locator(".violation").first).to_contain_text("R4")
            expect(opened.locator(".wide svg")).to_be_visible()
            findings = Axe().run(opened)
            assert findings.violations_count == 0, findings.generate_report()
            opened.emulate_media(media="print")
            box = opened.locator(".wide svg").bounding_box()
            assert box is not None
            assert box["width"] <= 1280
            assert complaints == []
            assert asked == [path.as_uri()]
        finally:
            context.close()

    def test_the_log_is_the_log_byte_for_byte(self, visit: Callable[..., Page], logs: Path) -> None:
        """Though its times are numbers that a browser cannot hold exactly."""
        name, log = made(shared(visit, PARTITION), "Log")
        assert name == f"{PARTITION}.jsonl"
        assert log == (logs / PARTITION / "events.jsonl").read_bytes()

    def test_single_nodes_logs_are_merged_and_every_row_is_as_it_was(
        self, visit: Callable[..., Page]
    ) -> None:
        """Dropped as files of nodes; times in nanoseconds survive."""
        lines = recorded("local-partition")
        page = visit()
        files = {
            f"{node}.jsonl": b"".join(
                encode(line) for line in lines if line["node"] == node
            ).decode()
            for node in sorted({line["node"] for line in lines})
        }
        page.evaluate(
            """(files) => {
                const transfer = new DataTransfer();
                for (const [name, text] of Object.entries(files)) transfer.items.add(new File([text], name));
                document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
            }""",
            files,
        )
        expect(page.locator(".sentence")).to_be_visible()
        page.get_by_role("button", name="Share").first.click()
        expect(page.locator(".share")).to_contain_text(f"of {len(lines)}")
        log = made(page, "Log")[1]
        assert sorted(log.splitlines(keepends=True)) == sorted(map(encode, lines))

    def test_of_a_long_run_the_bytes_come_from_where_they_lie(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """Its index alone is in memory; lines are read again for what is made of them."""
        path = tmp_path / "long.jsonl"
        path.write_bytes(b"".join(map(encode, log_lines(26_000))))
        assert path.stat().st_size > 5_000_000
        page = visit(f"#run={PARTITION}")
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").first.set_input_files(path)
        expect(page.locator(".happening")).to_contain_text("of 26,000")
        page.get_by_role("button", name="Share").first.click()
        assert made(page, "Log")[1] == path.read_bytes()
        events = parsed_shiviz(made(page, "ShiViz log")[1].decode())
        assert [event for _, _, event in events] == [
            f"{narrate(line)} [{line_id(line)}]" for line in log_lines(26_000)
        ]

    def test_other_programs_get_their_forms(self, visit: Callable[..., Page]) -> None:
        """ShiViz and Perfetto, named after the run."""
        page = shared(visit, CRASH)
        name, text = made(page, "ShiViz log")
        assert name == f"{CRASH}.shiviz.log"
        assert len(parsed_shiviz(text.decode())) == len(recorded("local-crash-after-promise"))
        name, trace = made(page, "Chrome trace")
        assert name == f"{CRASH}.trace.json"
        assert trace_faults(json.loads(trace)) == []

    def test_a_story_has_a_scenario_and_a_bare_log_says_that_it_has_none(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """The file is read by the lab's own reader."""
        page = visit("#story=basic")
        expect(page.locator(".run-title")).to_be_visible()
        page.get_by_role("button", name="Share").first.click()
        name, text = made(page, "Scenario")
        assert name.endswith(".yaml")
        path = tmp_path / "basic.yaml"
        path.write_bytes(text)
        assert read_scenario(path).title == read_scenario(FOLDER / "basic.yaml").title
        page = shared(visit, BROKEN)
        page.get_by_role("button", name="Scenario", exact=True).click()
        expect(page.locator(".share-said")).to_contain_text("a log alone")

    def test_the_link_leads_to_the_moment(self, visit: Callable[..., Page]) -> None:
        """In a field that can be copied from; the page that it opens shows the same."""
        page = shared(visit, at="n1/4/225")
        page.get_by_role("button", name="Make the link").click()
        link = page.get_by_role("textbox", name="Link")
        expect(link).to_have_value(re.compile(f"#run={LATE}&at=n1/4/225$"))
        said = words(page.locator(".sentence").inner_text())
        other = visit(link.input_value()[link.input_value().index("#") :])
        expect(other.locator(".sentence")).to_have_text(said)

    def test_where_copying_is_refused_the_field_is_selected(
        self, visit: Callable[..., Page]
    ) -> None:
        """And the page says what to do."""
        page = shared(visit)
        page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
        )
        page.get_by_role("button", name="Make the link").click()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.locator(".share-said")).to_contain_text("it is selected")
        selected = """() => {
            const { value, selectionStart, selectionEnd } = document.activeElement;
            return value.slice(selectionStart, selectionEnd);
        }"""
        assert page.evaluate(selected) == page.get_by_label("Link", exact=True).input_value()

    def test_the_keyboard_is_enough(self, visit: Callable[..., Page]) -> None:
        """Tab to a button, Enter, and the file is there."""
        page = shared(visit)
        page.get_by_role("button", name="HTML report").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Log"
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == f"{LATE}.jsonl"
        expect(page.locator(".share-said")).to_contain_text("is made")

    @pytest.mark.parametrize(
        ("scheme", "width"), [("light", 1360), ("dark", 1360), ("light", 390), ("dark", 390)]
    )
    def test_axe_finds_nothing_and_nothing_sticks_out(
        self, visit: Callable[..., Page], scheme: Any, width: int
    ) -> None:
        """In light and dark, at the width of a phone, too."""
        page = shared(visit, BROKEN, color_scheme=scheme, viewport={"width": width, "height": 844})
        page.get_by_role("button", name="Make the link").click()
        expect(page.get_by_role("textbox", name="Link")).to_be_visible()
        findings = Axe().run(page)
        assert findings.violations_count == 0, findings.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
