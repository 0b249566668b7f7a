"""The verdict of a run that goes on: of which lines, by which process, and the same as afterwards."""

import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.journal import NODE as LAB
from orchestrator.web.closed import At, ClosedPart, pieces_of
from orchestrator.web.feed import Bells, Feed
from orchestrator.web.judge import Judge
from orchestrator.web.judge_process import Judgement, serve
from paxos.checker import check_lines, explain
from paxos.events import Line, encode
from tests.web_server import recorded, scripted

LATE_NS = 10**12


def closed(
    lines: Iterable[Line],
    now_ns: int,
    members: Iterable[str] = (),
    starts: Mapping[str, At] | None = None,
) -> list[Line]:
    """The closed part of lines that came all at once."""
    part = ClosedPart(members)
    part.add(lines)
    return part.advance(now_ns, starts)


def table_of(lines: list[Line]) -> dict[str, Any]:
    """A runner's table of a log that begins with every node's first line."""
    nodes = sorted({line["node"] for line in lines} - {LAB})
    members = [node for node in nodes if node.startswith("n")]
    numbers = sorted({line["instance"] for line in lines if "instance" in line})
    return {
        "run": "r",
        "members": members,
        "instances": {f"i{number}": number for number in numbers},
        "pieces": {},
    }


def shuffled(lines: list[Line], seed: int) -> list[Line]:
    """The same lines as they may arrive: those of each writer in their order, else at random."""
    chance = random.Random(seed)
    own: dict[str, list[Line]] = {}
    for line in lines:
        own.setdefault(line["node"], []).append(line)
    writers = [line["node"] for line in lines]
    chance.shuffle(writers)
    queues = {node: iter(found) for node, found in own.items()}
    return [next(queues[node]) for node in writers]


def without_states(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict without the states that nodes claim: who judges while it goes on keeps none."""
    for violation in verdict["violations"]:
        for line in violation["events"]:
            line.pop("before", None)
            line.pop("after", None)
    return verdict


LOGS = ("R4-ignores-reported-values", "R6b-promise-forgotten", "agreement-two-values-learned")


def log(name: str) -> list[Line]:
    """A log by its name, hand-made or recorded."""
    return recorded(name) if name.startswith("local-") else scripted(name)


class TestJudgement:
    @pytest.mark.parametrize("name", [*LOGS, "legal-stays-down", "local-partition"])
    def test_at_every_moment_it_says_what_the_checker_says_of_the_same_lines(
        self, name: str, tmp_path: Path
    ) -> None:
        """Read piece by piece from a file that grows, against the whole-log checker at each step."""
        whole = log(name)
        lines = shuffled(whole, seed=1)
        table = table_of(whole)
        now_ns = max(line["at_ns"] for line in lines) + LATE_NS
        path = tmp_path / "feed.jsonl"
        step = max(1, len(lines) // 25)
        compared, verdicts, part = 0, set(), list[Line]()
        with path.open("ab") as feed, path.open("rb") as read:
            judgement = Judgement(read, tuple(table["members"]))
            for first in range(0, len(lines), step):
                end = min(first + step, len(lines))
                feed.write(b"".join(map(encode, lines[first:end])))
                feed.flush()
                judgement.read(feed.tell())
                found = judgement.judge(table, now_ns)
                part = closed(lines[:end], now_ns, table["members"])
                assert found["judged_count"] == len(part)
                assert found["has_more"] is (len(part) < end)
                if "verdict" not in found:
                    continue
                compared += 1
                own = {**table, "pieces": pieces_of(part)}
                spoken_of = {"line_count": len(part), "feed_count": end}
                expected = check_lines(part, own, trusted=True).as_json() | spoken_of
                assert without_states(found["verdict"]) == without_states(expected)
                assert found["why"] == explain(part, own, trusted=True) | spoken_of
                verdicts.add(expected["verdict"])
        assert compared > 3
        assert len(part) == len(lines)
        assert ("violated" in verdicts) is (name in LOGS)


class TestProcess:
    def test_it_answers_one_request_after_another(self, tmp_path: Path) -> None:
        """A line of JSON, then what it says how long that is; nothing twice of the same lines."""
        lines = recorded("local-partition")
        path = tmp_path / "feed.jsonl"
        path.write_bytes(b"".join(map(encode, lines)))
        now_ns = lines[-1]["at_ns"] + LATE_NS
        asked = {"size": path.stat().st_size, "now_ns": now_ns, "table": table_of(lines)}
        row = json.dumps(asked).encode() + b"\n"
        answers = io.BytesIO()
        with path.open("rb") as feed:
            serve(feed, io.BytesIO(row * 2), answers)
        answers.seek(0)
        head = json.loads(answers.readline())
        verdict, why = (json.loads(answers.read(head[name])) for name in ("verdict", "why"))
        assert verdict["chosen"]
        assert verdict["line_count"] == why["feed_count"] == len(lines)
        again = json.loads(answers.readline())
        assert (again["judged_count"], again["verdict"], again["why"]) == (len(lines), 0, 0)
        assert answers.read() == b""


class TestJudge:
    @pytest.fixture
    def feed(self, tmp_path: Path) -> Iterator[Feed]:
        """A feed that is kept in ``events.jsonl``."""
        with contextlib.closing(Feed(tmp_path / "events.jsonl", Bells())) as found:
            yield found

    def test_it_speaks_again_when_there_are_more_lines(self, feed: Feed, tmp_path: Path) -> None:
        """Each time of all that came so far; nothing is left behind when it is closed."""
        lines = recorded("local-partition")
        said: list[dict[str, Any]] = []
        heard = threading.Semaphore(0)

        def publish(found: dict[str, bytes]) -> None:
            said.append(json.loads(found["verdict"]))
            heard.release()

        table = table_of(lines)
        judge = Judge(tmp_path / "events.jsonl", lambda: feed.size, lambda: table, publish)
        with contextlib.closing(judge):
            for part in (lines[:200], lines[200:]):
                feed.append([encode(line) for line in part])
                judge.notice()
                assert heard.acquire(timeout=60)
        assert [one["feed_count"] for one in said] == [200, len(lines)]
        assert said[1]["line_count"] == len(lines)
        assert judge._process.returncode == -signal.SIGKILL
        assert not judge._thread.is_alive()

    def test_a_run_goes_on_without_it(
        self, feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Its process is killed, for want of memory say: that is told once."""
        judge = Judge(tmp_path / "events.jsonl", lambda: feed.size, dict, lambda _found: None)
        with contextlib.closing(judge):
            os.kill(judge._process.pid, signal.SIGKILL)
            judge._process.wait()
            judge.notice()
            judge._thread.join(60)
        assert capsys.readouterr().err.startswith("The verdict comes when the run ends: ")

    def test_half_an_answer_is_none(
        self,
        feed: Feed,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Its process ends while it writes a verdict: readers keep the one before."""
        head = json.dumps({"judged_count": 1, "has_more": False, "verdict": 20, "why": 10})
        text = f"input(); print({head!r}); print('{{\"verdict\": ', end='')"

        def begin(_feed: Path) -> "subprocess.Popen[bytes]":
            pipe = subprocess.PIPE
            return subprocess.Popen([sys.executable, "-c", text], stdin=pipe, stdout=pipe)

        monkeypatch.setattr("orchestrator.web.judge._begin", begin)
        said: list[dict[str, bytes]] = []
        judge = Judge(tmp_path / "events.jsonl", lambda: feed.size, dict, said.append)
        with contextlib.closing(judge):
            judge.notice()
            judge._thread.join(60)
            assert not judge._thread.is_alive()
        assert said == []
        assert "the judge has ended in the midst of an answer" in capsys.readouterr().err


class TestClosedPart:
    @pytest.mark.parametrize("seed", range(3))
    def test_it_is_the_same_whether_lines_come_one_by_one_or_at_once(self, seed: int) -> None:
        """After every single line."""
        lines = shuffled(recorded("local-partition"), seed)
        now_ns = lines[0]["at_ns"] + LATE_NS
        members = ["n1", "n2", "n3", "n4", "n5"]
        growing = ClosedPart(members)
        for end, line in enumerate(lines, 1):
            growing.add([line])
            found = growing.advance(now_ns)
            assert growing.count == len(found)
            if end % 7 == 0:
                whole = closed(lines[:end], now_ns, members)
                assert sorted(map(encode, found)) == sorted(map(encode, whole))

    def test_an_effect_waits_for_its_cause(self) -> None:
        """Any prefix of what arrived, in any order between nodes, gives a part that is closed."""
        lines = recorded("local-partition")
        now = max(line["at_ns"] for line in lines) + 10**12
        late = [line for line in lines if line["node"] != "n1"]
        part = closed(late + [line for line in lines if line["node"] == "n1"][:3], now)
        names = {f"{x['node']}/{x['incarnation']}/{x['seq']}" for x in part}
        writers = {line["node"] for line in part}
        assert 0 < len(part) < len(late)
        for line in part:
            cause = line.get("cause")
            if cause is not None and cause.split("/")[0] in writers:
                assert cause in names, line
        assert len(closed(lines, now)) == len(lines)

    def test_a_member_whose_first_lines_are_late_is_waited_for(self) -> None:
        """Its promise was sent, though nothing of it is here; what was before its start is not."""
        lines: list[Line] = [
            {"node": "n1", "incarnation": 1, "seq": seq, "at_ns": 0, "event": "x", "cause": cause}
            for seq, cause in ((1, None), (2, "n2/1/5"), (3, None))
        ]
        assert len(closed(lines, 0, ["n1", "n2"])) == 1
        assert len(closed(lines, 0, ["n1", "n2"], {"n2": (1, 5)})) == 1
        assert len(closed(lines, 0, ["n1", "n2"], {"n2": (1, 6)})) == 3
        # A stranger's lines never come.
        assert len(closed(lines, 0, ["n1"])) == 3

    def test_a_line_of_the_lab_counts_when_the_nodes_have_caught_up(self) -> None:
        """Its own line comes by no detour; the nodes' lines from before it may be late."""
        lines = recorded("local-partition")
        own = [line for line in lines if line["node"] == "orchestrator"]
        part = closed(lines, own[0]["at_ns"])
        assert not [line for line in part if line["node"] == "orchestrator"]

    def test_a_node_that_was_seen_to_end_has_no_last_line(self) -> None:
        """Then the checker asks how its last batch ended."""
        lines = [
            {"node": "n1", "incarnation": 1, "seq": 4, "event": "prepare_sent"},
            {
                "node": "orchestrator",
                "incarnation": 1,
                "seq": 1,
                "event": "node_exited",
                "of": "n1",
            },
        ]
        assert pieces_of(lines[:1])["n1"] == [{"incarnation": 1, "first": 4, "last": 4}]
        assert pieces_of(lines)["n1"] == [{"incarnation": 1, "first": 4, "last": None}]
        lines.append({"node": "n1", "incarnation": 2, "seq": 1, "event": "node_started"})
        assert pieces_of(lines)["n1"] == [
            {"incarnation": 1, "first": 4, "last": None},
            {"incarnation": 2, "first": 1, "last": 1},
        ]
