"""What is made of a run for other programs: ShiViz, Perfetto, the lab itself.

The files are checked for what they are for: clocks tell exactly what happened
before what, a trace keeps the rules of its format, a scenario is read by the
lab's own reader, a log is the bytes that were read. Each check is shown to
fail on a file with a planted fault.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestrator.core_archive import scenario_data
from orchestrator.stories import stories_json, story_files
from orchestrator.yaml_file import BROKEN as BROKEN_FOLDER
from orchestrator.yaml_file import FOLDER, _plain, read_scenario
from paxos.events import Line, line_id, narrate
from paxos.sandbox import run as play
from paxos.scenario import parse
from tests.big_log import log_lines
from tests.export_rules import (
    causes_are_below,
    clocks_tell,
    shiviz_events,
    shiviz_faults,
    trace_faults,
)
from tests.web_rooms import ask, judged, on_a_real_day, simulated
from tests.web_server import recorded, text_of


@pytest.fixture(scope="module")
def stories() -> dict[str, list[Line]]:
    """The lines of every story that the page offers."""
    names = [story["name"] for story in stories_json()["stories"]]
    texts = {name: story_files(name)["events.jsonl"].splitlines() for name in names}
    return {name: [json.loads(row) for row in rows] for name, rows in texts.items()}


class TestShiViz:
    @settings(max_examples=6)
    @given(seed=st.integers(0, 10_000))
    def test_clocks_tell_what_happened_before_what(self, seed: int) -> None:
        """For every two lines: clocks are ordered if, and only if, the lines are."""
        lines = simulated(seed)[:260]
        (text,) = ask("shiviz", runs=[lines])
        events = shiviz_events(text)
        assert [host for host, _, _ in events] == [line["node"] for line in lines]
        assert clocks_tell(lines, [clock for _, clock, _ in events])
        assert shiviz_faults(events) == []

    def test_every_story_is_one_that_it_takes(self, stories: dict[str, list[Line]]) -> None:
        """All its lines, one event each, with clocks that ShiViz has nothing against."""
        texts = ask("shiviz", runs=list(stories.values()))
        assert len(texts) > 60
        for (name, lines), text in zip(stories.items(), texts, strict=True):
            events = shiviz_events(text)
            told = [f"{narrate(line)} [{line_id(line)}]" for line in lines]
            assert [event for _, _, event in events] == told, name
            assert shiviz_faults(events) == [], name
            assert causes_are_below(lines, [clock for _, clock, _ in events]), name

    @pytest.mark.parametrize("run", ["local-partition", "local-crash-after-promise"])
    def test_a_recorded_run_is_one_that_it_takes(self, run: str) -> None:
        """Of real processes, nodes that come back among them."""
        lines = recorded(run)
        (text,) = ask("shiviz", runs=[lines])
        events = shiviz_events(text)
        assert len(events) == len(lines)
        assert shiviz_faults(events) == []
        assert causes_are_below(lines, [clock for _, clock, _ in events])

    def test_the_check_notices_a_clock_that_forgot_its_cause(self) -> None:
        """And one that knows of the future, skips a number, or names nobody."""
        lines = recorded("local-partition")
        (text,) = ask("shiviz", runs=[lines])
        events = shiviz_events(text)
        clocks = [clock for _, clock, _ in events]
        assert clocks_tell(lines, clocks)
        at = next(
            i
            for i, line in enumerate(lines)
            if line.get("cause") and not line["cause"].startswith(f"{line['node']}/")
        )
        node = lines[at]["node"]
        assert not clocks_tell(lines, [*clocks[:at], {node: clocks[at][node]}, *clocks[at + 1 :]])
        assert not clocks_tell(lines, [clocks[-1], *clocks[1:]])
        assert not causes_are_below(
            lines, [*clocks[:at], {node: clocks[at][node]}, *clocks[at + 1 :]]
        )
        host, clock, told = events[at]
        for spoiled in (
            {**clock, host: clock[host] + 1},
            {**clock, "n9": 1},
            {**clock, "n2": 10_000},
        ):
            spoiled_events = [*events[:at], (host, spoiled, told), *events[at + 1 :]]
            assert shiviz_faults(spoiled_events) != []

    def test_a_separator_of_a_stranger_does_not_cut_an_event(self) -> None:
        """A dot of the expression takes neither of them."""
        lines = [
            {**line, "value": "a\u2028n1 {}\rb"} if line.get("value") == "pear" else line
            for line in recorded("local-partition")
        ]
        (text,) = ask("shiviz", runs=[lines])
        assert len(shiviz_events(text)) == len(lines)
        cut = text.replace("\N{REPLACEMENT CHARACTER}", "\u2028", 1)
        with pytest.raises(AssertionError, match="left over"):
            shiviz_events(cut)


def trace_of(lines: list[Line]) -> dict[str, Any]:
    """The trace of one run."""
    (trace,) = ask("traces", runs=[lines])
    made: dict[str, Any] = trace
    return made


class TestTrace:
    def test_every_story_keeps_the_rules_of_the_format(
        self, stories: dict[str, list[Line]]
    ) -> None:
        """In virtual time, where many lines share an instant."""
        traces = ask("traces", runs=list(stories.values()))
        for (name, lines), trace in zip(stories.items(), traces, strict=True):
            assert trace_faults(trace) == [], name
            told = [e["args"]["line"] for e in trace["traceEvents"] if e["ph"] == "X"]
            assert sorted(told) == sorted(map(line_id, lines)), name

    def test_there_is_an_arrow_for_each_message_that_arrived(self) -> None:
        """And an instant for each that did not; for what was chosen, and what was learned."""
        lines = recorded("local-partition")
        events = trace_of(lines)["traceEvents"]
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
        """Named, so that a reader finds them; the node's own comes first."""
        events = trace_of(recorded("local-partition"))["traceEvents"]
        names = [event["args"]["name"] for event in events if event["name"] == "process_name"]
        assert names == ["orchestrator", "n1", "n2", "n3", "n4", "n5"]
        threads = {
            (e["pid"], e["args"]["name"]): e["tid"] for e in events if e["name"] == "thread_name"
        }
        assert {"proposer", "acceptor", "learner", "process"} <= {name for _, name in threads}
        assert all(tid == pid for (pid, name), tid in threads.items() if name == "process")

    def test_a_node_s_lines_keep_their_order(self) -> None:
        """Also where the clock of the machine says otherwise."""
        lines = recorded("local-partition")
        back = [
            {**line, "at_ns": line["at_ns"] - 40_000_000 * (at % 3)}
            for at, line in enumerate(lines)
        ]
        trace = trace_of(back)
        assert trace_faults(trace) == []
        for node in ("n1", "n5"):
            told = [
                e["args"]["line"]
                for e in trace["traceEvents"]
                if e["ph"] == "X" and e["args"]["line"].startswith(f"{node}/")
            ]
            assert told == [line_id(line) for line in lines if line["node"] == node]

    @pytest.mark.parametrize(
        "fault",
        [
            "lose an end",
            "go back",
            "bind to nothing",
            "bind to another",
            "unname",
            "share a number",
            "rename an end",
            "hide the time",
        ],
    )
    def test_the_check_notices_a_planted_fault(self, fault: str) -> None:
        """Arrows, slices, names, numbers and times: one of each is made wrong."""
        trace = trace_of(recorded("local-partition"))
        events = trace["traceEvents"]
        slices = [event for event in events if event["ph"] == "X" and event["pid"] == 20]
        begin = next(event for event in events if event["ph"] == "s")
        if fault == "lose an end":
            events.remove(next(event for event in events if event["ph"] == "f"))
        elif fault == "go back":
            slices[5]["ts"] = slices[4]["ts"]
            slices[5]["tid"] = slices[4]["tid"]
        elif fault == "bind to nothing":
            begin["tid"] = 20
        elif fault == "bind to another":
            other = next(e for e in events if e["ph"] == "s" and e["pid"] != begin["pid"])
            begin["id"], other["id"] = other["id"], begin["id"]
        elif fault == "unname":
            events.remove(next(event for event in events if event["name"] == "thread_name"))
        elif fault == "share a number":
            for event in events:
                event["tid"] -= event["pid"]
        elif fault == "rename an end":
            begin["name"] += "!"
        else:
            slices[5]["ts"] = slices[5].pop("ts")
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
        # Nobody has asked anything of it; one that goes on from a scenario keeps its question.
        assert "predict" not in made["scenario"]
        story: dict[str, Any] = {**recipe, "nodes": 5, "scenario": "basic", "settings": {}}
        went_on = play(
            {**story, "commands": [{"after": 9_999, "do": {"kill": "n2"}}]}, scenario_data()
        )
        assert went_on["scenario"]["predict"] == scenario_data()["basic"]["predict"]
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


class TestLog:
    def test_a_log_that_was_judged_in_the_tab_is_still_itself(self) -> None:
        """Another verdict makes another timeline, and the rows stay as they were read."""
        lines = on_a_real_day(simulated(3)[:300])
        text = text_of(lines)
        told = ask("exported", files={"mine.jsonl": text}, verdict=judged(lines))
        assert told == text

    def test_logs_of_nodes_are_merged_with_their_own_rows(self) -> None:
        """Each node's order kept, causes before what they caused, each row as it was."""
        lines = on_a_real_day(simulated(4)[:300])
        files = {
            f"{node}.jsonl": text_of(line for line in lines if line["node"] == node)
            for node in {line["node"] for line in lines}
        }
        rows = ask("exported", files=files, verdict=None).splitlines(keepends=True)
        assert sorted(rows) == sorted(text_of(lines).splitlines(keepends=True))
        merged = [json.loads(row) for row in rows]
        places = {line_id(line): place for place, line in enumerate(merged)}
        assert all(
            places[line["cause"]] < place
            for place, line in enumerate(merged)
            if line.get("cause") in places
        )

    def test_whatever_a_row_looks_like_it_is_not_written_anew(self) -> None:
        """White space, an escape that need not be one, a number with an exponent."""
        rows = text_of(on_a_real_day(simulated(5)[:40])).splitlines()
        rows[3] = rows[3].replace('"v":1', '"v" : 1e0').replace('"n', '"\\u006e', 1)
        text = "\n".join(rows) + "\n"
        assert ask("exported", files={"events.jsonl": text}, verdict=None) == text

    @pytest.mark.parametrize("step", [700, 40_000])
    def test_a_run_that_grew_is_the_rows_that_came(self, step: int) -> None:
        """Also those that lie on the shelf meanwhile, and what is made of them."""
        lines = on_a_real_day(log_lines(36_000))
        rows = text_of(lines).splitlines()
        grown = ask("grown", rows=rows, step=step)
        assert grown["log"].splitlines() == rows
        told = grown["shiviz"].splitlines()[3::2]
        assert told == [f"{narrate(line)} [{line_id(line)}]" for line in lines]
