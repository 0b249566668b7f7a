"""Logs and tables that somebody else wrote: read alike everywhere, or refused with a sentence."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.types import ASGIApp, Message, Scope

import orchestrator.web.app
from orchestrator.__main__ import app as command_line
from orchestrator.cluster import LabError
from orchestrator.columns import ColumnsError, encode_columns
from orchestrator.explore import accused_of
from orchestrator.stories import story_files
from orchestrator.web.app import create_app
from orchestrator.web.desk import Desk, NoWorld
from orchestrator.whatif import run_whatif
from paxos.checker import LogFormatError, check_lines, check_path
from paxos.events import Line, decode, problems
from paxos.events.fold import NO_BALLOT, empty, fold
from paxos.explorer import Accused
from paxos.sandbox.handler import repaired_parts
from paxos.sandbox.judging import read_lines
from paxos.sandbox.recipe import SandboxError
from paxos.variants import load
from paxos.whatif import WhatIfError, whatif
from paxos.whatif.by_hand import NotByHand, scenario_of
from paxos.whatif.moment import find_moment
from paxos.whatif.present import reconstruct
from tests.test_columns import theirs
from tests.web_node import ask_node

FIXTURES = Path(__file__).parent / "fixtures"
RUN = FIXTURES / "whatif" / "local-late-proposer.jsonl"
LAST_INT = 2**63 - 513
"""The last integer that is below 2^63 in a double, too."""


def recorded() -> list[Line]:
    """A run on real nodes."""
    return [decode(row) for row in RUN.read_bytes().splitlines()]


def written(lines: list[Line]) -> str:
    """Lines as a file, whether they are of the format or not."""
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def story(name: str) -> tuple[list[Line], dict[str, Any]]:
    """The lines and the table of a recorded story, to be changed."""
    files = story_files(name)
    lines = [json.loads(row) for row in files["events.jsonl"].splitlines()]
    return lines, json.loads(files["run.json"])


def changed(event: str, **fields: Any) -> list[Line]:
    """The run with the first such line changed."""
    lines = recorded()
    place = next(n for n, line in enumerate(lines) if line["event"] == event)
    lines[place] = {**lines[place], **fields}
    return lines


def fault(**detail: Any) -> Line:
    """A wall, told as somebody tells it."""
    return {
        "v": 1,
        "node": "orchestrator",
        "incarnation": 1,
        "seq": 1,
        "at_ns": 5,
        "event": "fault_applied",
        "fault": detail.pop("verb", "partition"),
        "targets": ["n1"],
        "mechanism": "gate",
        "detail": detail,
        "evidence": "it was seen",
        "elapsed_ms": 1,
    }


def gate(*rules: Any) -> Line:
    """What a node's gate was told."""
    header = {"v": 1, "node": "n1", "incarnation": 1, "seq": 2, "at_ns": 6}
    return {**header, "event": "gate_changed", "rules": list(rules)}


def run_started(**fields: Any) -> Line:
    """The runner's first line."""
    line = next(line for line in recorded() if line["event"] == "run_started")
    return {**line, **fields}


GOOD: list[Line] = [
    fault(),
    fault(pairs=[["n1", "n2"], ["g1", "n3"]], any=[None]),
    fault(verb="cut one way", ways=[["n2", "n1"]], rule="deaf", action="cut"),
    fault(verb="cut one way", **{"from": ["n3", "n1"], "to": []}),
    fault(sides=[["n3", "n1"], []], groups=[["n1"], ["n2"]]),
    fault(verb="cut one way", kinds=["learn"]),
    fault(verb="disk_fault", fault="lose"),
    gate(),
    gate({"name": "x", "action": "cut", "source": "n4", "to": 1}, {"action": "cut", "to": None}),
    gate({"kinds": ["learn"], "first_instance": 3, "percent": 50}),
    gate({}),
    run_started(instances={}),
    run_started(instances={"fruit": LAST_INT}),
    run_started(at_ns=LAST_INT),
    run_started(at_ns=-LAST_INT),
]
BAD: list[Line] = [
    fault() | {"detail": []},
    fault(pairs=5),
    fault(pairs=None),
    fault(pairs=[["n1"]]),
    fault(pairs=[["n1", "n2", "n3"]]),
    fault(ways=[["n1", "x"]]),
    fault(ways=[["n1", ["n2"]]]),
    fault(ways="n1"),
    fault(sides=[["n1"], 5]),
    fault(sides={"n1": 1}),
    fault(groups=[[None]]),
    fault(**{"from": 5}),
    fault(**{"from": "n1"}),
    fault(to=False),
    fault(to=[1]),
    fault(kinds="learn"),
    fault(kinds=[{"toString": 1}]),
    fault(fault=["x"]),
    fault(fault=None),
    gate("n1"),
    gate([]),
    gate(None),
    gate({"action": ["cut"]}),
    gate({"action": "cut", "source": []}),
    gate({"action": "cut", "source": True}),
    gate({"action": "cut", "to": "x"}),
    gate({"action": "cut", "kinds": 5}),
    gate({"action": "cut", "first_instance": {}}),
    gate() | {"rules": {}},
    run_started(instances=[]),
    run_started(instances={"fruit": {}}),
    run_started(instances={"fruit": 0}),
    run_started(instances={"fruit": True}),
    run_started(instances={"fruit": "1"}),
    run_started(at_ns=LAST_INT + 1),
    run_started(at_ns=-LAST_INT - 1),
    run_started(at_ns=10**300),
    run_started(instances={"fruit": LAST_INT + 1}),
    run_started(seq=2**70),
]


class TestTheFormat:
    def test_what_readers_rely_on_is_checked_alike_in_both_languages(self) -> None:
        """Faults, rules of a gate, numbers of instances, and how large an integer may be."""
        told = ask_node("web_fold.mjs", {"ask": "problem", "lines": [*GOOD, *BAD]})
        assert [problems(line) for line in GOOD] == [[] for _ in GOOD]
        assert told[: len(GOOD)] == [None for _ in GOOD]
        for line in BAD:
            with pytest.raises(ColumnsError, match="line 1: "):
                encode_columns(written([line]).encode(), [], "events.jsonl")
        for line, theirs_ in zip(BAD, told[len(GOOD) :], strict=True):
            (ours,) = problems(line)
            assert theirs_ is not None, line
            assert ours.startswith(theirs_), "the same field, for the same reason"

    def test_what_passes_folds_alike(self) -> None:
        """So no reader of the fold needs to guess."""
        state = empty(["n1", "n2", "n3"])
        states = []
        for line in GOOD:
            state = fold(state, line)
            states.append(state)
        request = {"ask": "fold", "lines": GOOD, "members": ["n1", "n2", "n3"]}
        # The page's integers are doubles.
        assert json.loads(json.dumps(states)) == ask_node("web_fold.mjs", request)

    def test_a_member_that_is_no_node_of_a_cluster_folds(self) -> None:
        """A list of nodes may name the runner, which no rule of a gate is about."""
        state = fold(empty(["orchestrator", "n1", "n2"]), gate({"action": "cut", "source": 2}))
        assert state["cuts"] == ["n2>n1"]

    @pytest.mark.parametrize("depth", [900, 3_000, 100_000])
    def test_what_is_nested_deeply_gets_a_sentence(self, depth: int) -> None:
        """Of rules that nobody could look into."""
        row = json.dumps(gate()).replace("[]", "[" * depth + "]" * depth)
        with pytest.raises(LogFormatError) as refused:
            decode(row)
        assert len(str(refused.value)) < 200

    def test_a_blank_line_is_no_line_for_anybody(self, tmp_path: Path) -> None:
        """Command line, judge in the tab, index and page agree, and all say where it is."""
        rows = written(recorded()).splitlines(keepends=True)
        text = "".join([*rows[:3], "\n", *rows[3:]])
        log = tmp_path / "events.jsonl"
        log.write_text(text)
        with pytest.raises(LogFormatError, match=r"events\.jsonl:4 is no line .*it is blank"):
            check_path(tmp_path)
        with pytest.raises(LabError, match=r"events\.jsonl:4 is no line .*it is blank"):
            run_whatif(str(tmp_path), "end", {}, as_json=True)
        with pytest.raises(SandboxError, match="line 4 is no line of a log: it is blank"):
            read_lines(text)
        with pytest.raises(ColumnsError, match="line 4"):
            encode_columns(text.encode(), [], "events.jsonl")
        said = theirs(text.encode(), tmp_path)
        assert isinstance(said, str)
        assert "4" in said

    def test_a_time_that_no_clock_tells_is_refused_in_every_line(self, tmp_path: Path) -> None:
        """Also in one that no rule looks at."""
        (tmp_path / "events.jsonl").write_text(written(changed("gate_changed", at_ns=10**300)))
        with pytest.raises(LogFormatError, match=r"gate_changed\.at_ns is no int"):
            check_path(tmp_path)


class TestWhatIf:
    def test_a_record_may_leave_out_that_nothing_was_promised(self) -> None:
        """As the fold has it: that is a log of another program, and a right one."""
        lines, run = story("late-proposer")
        place = next(n for n, line in enumerate(lines) if line.get("record") == "acceptor")
        promised = lines[place].pop("promised")
        node = lines[place]["node"]
        assert promised != NO_BALLOT
        assert problems(lines[place]) == []
        moment = find_moment(lines, place + 1, run)
        (now,) = (one for one in reconstruct(moment, Accused()).nodes if one.name == node)
        assert str(now.start.local.disk.durable.promised) == NO_BALLOT
        # The core writes what it promised, so that is what the replay says.
        assert "departs from the core" in whatif(lines, place + 1, run=run, limit=50)["sentence"]

    def test_a_record_without_its_round_says_nothing(self) -> None:
        """The replay finds that it is not the core's, and says so."""
        lines, run = story("late-proposer")
        place = next(n for n, line in enumerate(lines) if line.get("record") == "round")
        del lines[place]["round"]
        answer = whatif(lines, place + 1, run=run, limit=50)
        assert answer["verdict"] == "unknown"
        assert "departs from the core" in answer["sentence"]

    def test_a_record_of_another_kind_changes_no_disk(self) -> None:
        """Only an acceptor's and a round are known."""
        lines, run = story("late-proposer")
        place = next(n for n, line in enumerate(lines) if line.get("record") == "acceptor")
        lines[place]["record"] = "x"
        node = lines[place]["node"]
        moment = find_moment(lines, place + 1, run)
        (now,) = (one for one in reconstruct(moment, Accused()).nodes if one.name == node)
        assert str(now.start.local.disk.durable.promised) == NO_BALLOT

    @pytest.mark.parametrize("detail", [{"sides": [["n1"], 5]}, [], {"fault": {}}])
    def test_a_garbled_fault_is_told(self, detail: Any) -> None:
        """Where lines are handed over that nobody has checked."""
        with pytest.raises(WhatIfError, match=r"fault_applied\.detail is no fault"):
            whatif(changed("fault_applied", detail=detail), "end", instance=1)

    def test_a_disk_fault_that_says_nothing_is_not_played_by_hand(self) -> None:
        """It hurts no disk that the explorer knows, and no world could repeat it."""
        lines = changed("fault_applied", fault="disk_fault", detail={}, mechanism="disk")
        moment = find_moment(lines, "end", instance=1)
        now = reconstruct(moment, Accused())
        with pytest.raises(NotByHand, match="does not say what the disk did"):
            scenario_of(moment, now, [], "agreement")

    @pytest.mark.parametrize(
        ("name", "at"), [("late-proposer", 15), ("broken--number-reused-shortest", 20)]
    )
    def test_a_table_of_fewer_members_than_the_nodes_know_is_doubted(
        self, name: str, at: int
    ) -> None:
        """Of one member it would be safe; and a model of one has nobody to send to."""
        lines, run = story(name)
        everybody = ", ".join(run["members"])
        accused = accused_of(run.get("variant"))
        answer = whatif(lines, at, run={**run, "members": ["n1"]}, limit=50, accused=accused)
        assert answer["verdict"] == "unknown"
        assert f"names the members {everybody}, and the run is one of n1" in answer["sentence"]


class TestTables:
    def test_members_that_are_no_list_are_refused(self) -> None:
        """An object is none, whatever its names."""
        run = {"members": {"n1": 1}, "instances": {"fruit": 1}, "pieces": {}}
        with pytest.raises(LogFormatError, match="its members are no list"):
            check_lines(recorded(), run)
        with pytest.raises(WhatIfError, match=r"^run\.json is no runner's table"):
            whatif(recorded(), "end", run=run)

    def test_a_table_that_is_nested_deeply_gets_a_sentence(self, tmp_path: Path) -> None:
        """From `check` and from `whatif`; both end with 2."""
        (tmp_path / "events.jsonl").write_text(written(recorded()))
        (tmp_path / "run.json").write_text('{"members":' + "[" * 100_000 + "]" * 100_000 + "}")
        with pytest.raises(LogFormatError, match=r"run\.json is no .*: it is nested too deeply"):
            check_path(tmp_path)
        with pytest.raises(LabError, match=r"run\.json is no .*: it is nested too deeply"):
            run_whatif(str(tmp_path), "end", {}, as_json=True)

    def test_instances_that_are_no_numbers_get_a_sentence(self, tmp_path: Path) -> None:
        """A name's number cannot be an object."""
        lines = changed("run_started", instances={"a": {}})
        (tmp_path / "events.jsonl").write_text(written(lines))
        told = CliRunner().invoke(command_line, ["check", str(tmp_path)])
        assert "run_started.instances is no numbers" in f"{told.output} {told.exception}"
        with pytest.raises(LogFormatError, match=r"run_started\.instances is no numbers"):
            check_lines(lines)


def test_a_handler_of_which_python_names_no_line_gets_a_sentence() -> None:
    """As of one that holds a NUL."""
    with pytest.raises(SandboxError, match=r"^this is no Python: .*null"):
        repaired_parts(load("promise-not-raised"), "\0")


def answered(app: ASGIApp, path: str) -> tuple[int, dict[str, str], bytes]:
    """What an application answers to a GET, where no server stands between."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    failure: BaseException | None = None

    async def ask() -> None:
        nonlocal failure
        try:
            await app(scope, receive, send)
        except RuntimeError as error:
            # It is told on, for the server to write it down.
            failure = error

    # A browser of another test may have left a loop running in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(ask())).result()
    start, *rest = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert (failure is not None) == (start["status"] == 500)
    return start["status"], headers, b"".join(message.get("body", b"") for message in rest)


class TestServer:
    @pytest.fixture
    def logs(self, tmp_path: Path) -> Path:
        """Runs of strangers: a time of 400 digits, members of any kind, a line too many."""
        rows = written(recorded())
        runs = {
            "clock": {"events.jsonl": written(changed("gate_changed", at_ns=10**300))},
            "members": {"events.jsonl": rows, "run.json": '{"members": [1, {"a": 2}, null]}'},
            "blank": {"events.jsonl": f"{rows}\n"},
            "table": {"events.jsonl": rows, "run.json": '{"members":' + "[" * 100_000},
            "empty": {"history.jsonl": "{}\n"},
        }
        for run, files in runs.items():
            (tmp_path / "logs" / run).mkdir(parents=True)
            for file, text in files.items():
                (tmp_path / "logs" / run / file).write_text(text)
        return tmp_path / "logs"

    def test_what_cannot_be_made_gets_a_sentence_without_a_path(self, logs: Path) -> None:
        """422, never 500; where on this machine the logs lie is nobody's business."""
        app = create_app(logs)
        for run, file, words in (
            ("clock", "columns.bin", "gate_changed.at_ns is no int"),
            ("clock", "why.json", "run: events.jsonl:"),
            ("members", "why.json", "run: run.json is no runner's table: 1 is no member"),
            ("blank", "columns.bin", "it is no JSON"),
            ("blank", "why.json", "it is blank"),
            ("table", "why.json", "run: run.json is no runner's table: it is nested too deeply"),
            ("empty", "why.json", "run: this folder holds no log"),
        ):
            status, headers, body = answered(app, f"/runs/{run}/{file}")
            assert (status, words in body.decode()) == (422, True), (run, file, body)
            assert str(logs) not in body.decode()
            assert headers["content-security-policy"].startswith("default-src 'none'")

    def test_an_odd_table_does_not_keep_a_log_from_its_index(self, logs: Path) -> None:
        """It is made of the log's own lines."""
        status, _, body = answered(create_app(logs), "/runs/members/columns.bin")
        assert (status, body[:8]) == (200, b"PXLCOL01")
        alone = encode_columns((logs / "members" / "events.jsonl").read_bytes(), [], "x")
        assert body == alone

    def test_a_failure_carries_the_safe_headers_too(
        self, logs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its answer comes from outside of every layer, and says nothing of its cause."""

        def fails(_logs: Path) -> list[Any]:
            raise RuntimeError("a secret")

        monkeypatch.setattr(orchestrator.web.app, "list_runs", fails)
        app = create_app(logs)
        status, headers, body = answered(app, "/runs.json")
        assert status == 500
        assert b"bug of the lab" in body
        assert b"secret" not in body
        _, right, _ = answered(app, "/live.json")
        safe = set(right) - {"content-length", "content-type", "vary"}
        assert "content-security-policy" in safe
        assert {name: headers[name] for name in safe} == {name: right[name] for name in safe}

    def test_the_last_words_carry_them_too(
        self, logs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who still waits when the server ends is answered like everybody."""
        desk = Desk(NoWorld("This server has no cluster to show."))
        app = create_app(logs, desk)

        def cancelled() -> dict[str, Any]:
            raise asyncio.CancelledError

        monkeypatch.setattr(desk, "state", cancelled)
        desk.send_away()
        status, headers, body = answered(app, "/live.json")
        assert (status, body) == (503, b"The server is ending.\n")
        assert headers["x-content-type-options"] == "nosniff"
