"""What is read, and what is missing: folders, files, pieces, ends."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from paxos.checker import LogFormatError, Run, Verdict, check_lines, check_path, merge
from paxos.events import Line, encode, line_id
from tests.logbuilder import build

RUN = """
client n1 apple
phase1 1.n1 by n1 n2 n3
phase2 1.n1 apple by n1 n2 n3
n1 learns 1.n1 apple by n1 n2
n1 learn 1.n1 apple by n1 n2 to n2
n2 gets learn 1.n1 from n1
n2 learns 1.n1 apple by n1 n2
"""


def write(folder: Path, lines: Iterable[Line]) -> Path:
    """Each writer's lines in a file of its own."""
    for line in lines:
        with (folder / f"{line['node']}.jsonl").open("ab") as file:
            file.write(encode(line))
    return folder


def last_seq(lines: list[Line], node: str, incarnation: int = 1) -> int:
    """The number of a node's last line in an incarnation."""
    own = [line for line in lines if (line["node"], line["incarnation"]) == (node, incarnation)]
    return int(own[-1]["seq"]) if own else 1


def table(lines: list[Line], **changes: Any) -> dict[str, Any]:
    """The runner's table of a run that saw all these lines, of one life of each node."""
    return {
        "v": 1,
        "run": "20260101-basic",
        "scenario": "basic",
        "title": "One proposer",
        "world": "local",
        "members": ["n1", "n2", "n3"],
        "guests": [],
        "instances": {"main": 1},
        "pieces": {
            node: [{"incarnation": 1, "first": 1, "last": last_seq(lines, node)}]
            for node in ("n1", "n2", "n3")
        },
        **changes,
    }


def reasons(verdict: Verdict) -> str:
    """Why the verdict is unknown."""
    return "\n".join(doubt.reason for doubt in verdict.unknown)


class TestFolders:
    def test_a_run_folder_is_judged_by_its_table(self, tmp_path: Path) -> None:
        """Names come from run.json, and only its instances are judged."""
        lines = build(f"{RUN}\ninstance 2\nn1 accept 1.n1 plum to n2")
        assert check_lines(lines).verdict == "violated"
        write(tmp_path, lines)
        (tmp_path / "run.json").write_text(json.dumps(table(lines)))
        verdict = check_path(tmp_path)
        assert verdict.verdict == "ok", verdict.as_text()
        assert (verdict.scenario, verdict.world) == ("basic", "local")
        assert list(verdict.chosen) == [1]

    def test_a_merged_file_gives_the_same_verdict(self, tmp_path: Path) -> None:
        """One file of all lines, whatever its name, is as good as one of each node."""
        lines = build(RUN)
        merged = tmp_path / "mine.jsonl"
        merged.write_bytes(b"".join(encode(line) for line in merge(lines)))
        folder = tmp_path / "folder"
        folder.mkdir()
        assert check_path(merged).as_json() == check_path(write(folder, lines)).as_json()

    def test_events_are_read_where_nodes_have_no_files(self, tmp_path: Path) -> None:
        """A folder that keeps only the merged log can be checked."""
        lines = build(RUN)
        (tmp_path / "events.jsonl").write_bytes(b"".join(encode(line) for line in lines))
        (tmp_path / "history.jsonl").write_text('{"operation": 1}\n')
        assert check_path(tmp_path).verdict == "ok"

    def test_several_files_are_one_log(self, tmp_path: Path) -> None:
        """Nodes' files may come from anywhere."""
        write(tmp_path, build(RUN))
        files = sorted(tmp_path.glob("*.jsonl"))
        assert check_path(*files).verdict == "ok"
        assert check_path(files[0]).verdict == "unknown"

    def test_a_line_that_is_there_twice_counts_once(self, tmp_path: Path) -> None:
        """The nodes' files and the merged one may be given together."""
        lines = build(RUN)
        write(tmp_path, lines)
        (tmp_path / "events.jsonl").write_bytes(b"".join(encode(line) for line in lines))
        assert check_path(*sorted(tmp_path.glob("*.jsonl"))).verdict == "ok"

    def test_evidence_is_whole_although_states_are_not_kept(self, tmp_path: Path) -> None:
        """A violation carries its lines as they stand in the file."""
        lines = build("client n1 apple\nphase1 1.n1 by n1\nn1 accept 1.n1 apple to n2")
        received = next(line for line in lines if line["event"] == "promise_received")
        received["before"] = received["after"] = {"learner": {}}
        violation = check_path(write(tmp_path, lines)).violations[0]
        assert violation.rule == "R4"
        assert received in violation.lines
        assert all(line in lines for line in violation.lines)

    def test_the_runners_file_alone_is_no_log_of_nodes(self, tmp_path: Path) -> None:
        """With the merged log beside it, that is what is read."""
        lines = build(RUN)
        write(tmp_path, [line for line in lines if line["node"] == "orchestrator"])
        assert check_path(tmp_path).verdict == "unknown"
        (tmp_path / "events.jsonl").write_bytes(b"".join(encode(line) for line in lines))
        assert check_path(tmp_path).verdict == "ok"


class TestNoLogs:
    def test_a_path_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """The sentence names the path."""
        with pytest.raises(LogFormatError, match="nowhere: there is no such file"):
            check_path(tmp_path / "nowhere")

    def test_a_folder_of_runs_names_the_runs(self, tmp_path: Path) -> None:
        """Who gives the folder above is told what is in it."""
        inner = tmp_path / "20260101-basic"
        inner.mkdir()
        write(inner, build(RUN))
        with pytest.raises(LogFormatError, match="choose one of the folders in it: 20260101-basic"):
            check_path(tmp_path)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("hello\n", "not JSON"),
            ("[1, 2]\n", "a line must be a JSON object"),
            ('{"event": "won"}\n', "no such event"),
            ('{"event": []}\n', "no such event"),
            ('{"event": "timer_set"}\n', "lacks node"),
            ("\0\0\0\0\n", "not JSON"),
            ("\xff\n", "not JSON"),
            ("[" * 100_000 + "\n", "not JSON"),
            ('{"event": "step_started", "say": "\\ud800"}\n', "half a character"),
        ],
    )
    def test_another_kind_of_file_is_refused_with_its_line(
        self, tmp_path: Path, text: str, why: str
    ) -> None:
        """The sentence says which file, which line, and what is wrong."""
        good = build(RUN)[0]
        path = tmp_path / "n1.jsonl"
        path.write_bytes(encode(good) + text.encode("latin-1") + encode(good))
        with pytest.raises(LogFormatError, match=rf"n1\.jsonl:2 is no line of a log: .*{why}"):
            check_path(tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            {"v": 2},
            {"seq": 0},
            {"seq": 1 << 60},
            {"incarnation": 1 << 70},
            {"node": "n"},
            {"cause": f"n1/1/{'9' * 5000}"},
            {"ballot": f"{'9' * 5000}.n1"},
            {"accepted": {"ballot": f"{'9' * 5000}.n1", "value": "apple"}},
            {"source": f"n{'9' * 5000}"},
        ],
    )
    def test_impossible_numbers_are_refused(self, change: dict[str, Any]) -> None:
        """A hostile line ends in a sentence, never in a traceback of arithmetic."""
        lines = build(RUN)
        at = next(n for n, line in enumerate(lines) if line["event"] == "promise_received")
        lines[at] = {**lines[at], **change}
        with pytest.raises(LogFormatError, match=rf"^line {at + 1} of those given: "):
            check_lines(lines)

    def test_numbers_in_lines_that_are_only_counted_are_checked(self, tmp_path: Path) -> None:
        """A timer's line with a seq beyond all counts is refused like any other."""
        line = {
            **build(RUN)[0],
            "event": "timer_set",
            "seq": 1 << 50,
            "instance": 1,
            "timer": "ask",
            "token": 0,
            "after_ms": 5,
        }
        del line["cluster"], line["members"], line["settings"], line["variant"]
        (tmp_path / "n1.jsonl").write_bytes(encode(line))
        with pytest.raises(LogFormatError, match=r"n1\.jsonl:1 .*too large"):
            check_path(tmp_path)

    @pytest.mark.parametrize(
        "instances",
        [[1], {"1": 2}, [{"instance": 1}], [{"instance": 1, "promised": "x", "accepted": None}]],
    )
    def test_a_disk_read_of_another_shape_is_refused(self, instances: object) -> None:
        """Its items have no kind in the catalogue, so they are checked here."""
        lines = build(f"{RUN}\nn3 killed\nread n3 1.n1 with 1.n1 apple")
        lines[-1]["instances"] = instances
        with pytest.raises(LogFormatError, match="disk_read"):
            check_lines(lines)

    @pytest.mark.parametrize(
        "changes",
        [
            {"members": ["x"]},
            {"members": 3},
            {"instances": {"main": 0}},
            {"instances": None},
            {"pieces": {"n1": [{"incarnation": 1}]}},
            {"pieces": {"n1": [{"incarnation": 1, "first": "1", "last": None}]}},
        ],
    )
    def test_a_wrong_table_is_refused(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        """The sentence names the table."""
        lines = build(RUN)
        write(tmp_path, lines)
        (tmp_path / "run.json").write_text(json.dumps(table(lines, **changes)))
        with pytest.raises(LogFormatError, match=r"run\.json is no runner's table"):
            check_path(tmp_path)

    def test_a_table_without_members_is_refused(self, tmp_path: Path) -> None:
        """What is lacking is named."""
        lines = build(RUN)
        write(tmp_path, lines)
        whole = table(lines)
        del whole["members"]
        (tmp_path / "run.json").write_text(json.dumps(whole))
        with pytest.raises(LogFormatError, match="it lacks 'members'"):
            check_path(tmp_path)

    def test_logs_of_two_runs_are_not_one(self, tmp_path: Path) -> None:
        """Files from beside two tables are refused."""
        lines = build(RUN)
        paths = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "run.json").write_text(json.dumps(table(lines)))
            paths.append(write(folder, lines))
        with pytest.raises(LogFormatError, match="several runs"):
            check_path(*paths)


def tear(path: Path) -> None:
    """Cut a file off in the middle of its last line."""
    path.write_bytes(path.read_bytes()[:-20])


class TestTornLines:
    def test_half_a_line_at_the_end_leaves_the_end_unknown(self, tmp_path: Path) -> None:
        """It is no other kind of file, but what followed is lost."""
        tear(write(tmp_path, build(RUN)) / "n2.jsonl")
        verdict = check_path(tmp_path)
        assert verdict.verdict == "unknown"
        assert "the last line of n2.jsonl is torn" in reasons(verdict)

    def test_half_a_line_of_a_merged_log_may_hide_any_node(self, tmp_path: Path) -> None:
        """A merged file that was cut off lacks lines of every node."""
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"".join(encode(line) for line in build(RUN)))
        tear(path)
        verdict = check_path(tmp_path)
        assert {doubt.node for doubt in verdict.unknown} == {"n1", "n2", "n3"}

    def test_half_a_line_beyond_the_end_that_the_run_saw_is_nothing(self, tmp_path: Path) -> None:
        """What the run saw is all there."""
        lines = build(RUN)
        write(tmp_path, lines)
        tear(tmp_path / "n3.jsonl")
        pieces = table(lines)["pieces"]
        pieces["n3"][0]["last"] -= 1
        (tmp_path / "run.json").write_text(json.dumps(table(lines, pieces=pieces)))
        assert check_path(tmp_path).verdict == "ok"

    def test_half_a_line_of_a_killed_node_whose_disk_was_read_is_nothing(
        self, tmp_path: Path
    ) -> None:
        """Lines are written ahead: what it would have said, it has not done."""
        write(
            tmp_path,
            build(f"{RUN}\nn3 nack 1.n1 for 2.n2\nn3 killed\nread n3 1.n1 with 1.n1 apple"),
        )
        tear(tmp_path / "n3.jsonl")
        assert check_path(tmp_path).verdict == "ok"

    def test_half_a_line_in_the_middle_is_refused(self, tmp_path: Path) -> None:
        """Only a file's end can be torn."""
        write(tmp_path, build(RUN))
        path = tmp_path / "n2.jsonl"
        first, rest = path.read_bytes().split(b"\n", 1)
        path.write_bytes(first[:40] + b"\n" + rest)
        with pytest.raises(LogFormatError, match=r"n2\.jsonl:1 is no line"):
            check_path(tmp_path)


def judge(script: str, **changes: Any) -> Verdict:
    """The verdict on a script, with a table that saw all of it but for the changes."""
    lines = build(script)
    return check_lines(lines, table(lines, **changes))


def judge_lines(lines: list[Line], pieces: dict[str, Any]) -> str:
    """The verdict on lines of which the runner saw these pieces."""
    return check_lines(lines, table(lines, pieces=pieces)).verdict


def shift(line: Line, by: int) -> Line:
    """The same line as it would be if its node had written more before."""
    shifted = {**line, "seq": line["seq"] + by}
    node, _, seq = line.get("cause", "orchestrator/1/1").split("/")
    if node != "orchestrator":
        shifted["cause"] = f"{node}/1/{int(seq) + by}"
    return shifted


class TestPieces:
    def test_an_end_that_is_not_reached_makes_the_verdict_unknown(self) -> None:
        """The runner saw more of n2 than there is."""
        lines = build(RUN)
        pieces = table(lines)["pieces"]
        pieces["n2"][0]["last"] += 3
        verdict = check_lines(lines, table(lines, pieces=pieces))
        assert verdict.verdict == "unknown"
        assert "the log of n2 ends at n2/1/" in reasons(verdict)

    def test_lines_before_the_piece_are_of_no_interest(self) -> None:
        """A running cluster's log begins long before the run."""
        lines = build(RUN)
        shifted = [line if line["node"] == "orchestrator" else shift(line, 100) for line in lines]
        pieces = {
            node: [{"incarnation": 1, "first": 101, "last": 100 + last_seq(lines, node)}]
            for node in ("n1", "n2", "n3")
        }
        run = table(lines, pieces=pieces)
        assert check_lines(shifted, run).verdict == "ok"
        assert check_lines(shifted).verdict == "unknown"
        # What stands before the piece may be anything, gaps included.
        earlier = shift(lines[0], 41)
        assert check_lines([earlier, *shifted], run).verdict == "ok"

    def test_a_node_that_was_killed_and_came_back_is_whole(self) -> None:
        """Its next start tells how its last batch ended."""
        script = f"{RUN}\nn3 killed\nn3 back 1.n1 with 1.n1 apple"
        lines = build(script)
        pieces = table(lines)["pieces"]
        pieces["n3"] = [
            {"incarnation": 1, "first": 1, "last": None},
            {"incarnation": 2, "first": 1, "last": 3},
        ]
        assert judge(script, pieces=pieces).verdict == "ok"

    @pytest.mark.parametrize("ended", [True, False])
    def test_what_a_later_run_left_in_the_file_is_of_no_interest(self, ended: bool) -> None:
        """Files hold whole incarnations: what follows the piece may be anything.

        Only what the next start recovered tells how a killed one ended.
        """
        script = f"{RUN}\nn3 killed\nn3 back 1.n1 with 1.n1 apple\n" + "n3 nack 1.n1 for 2.n2\n" * 3
        lines = [line for line in build(script) if line_id(line) != "n3/2/5"]
        assert check_lines(lines).verdict == "unknown"
        pieces = table(lines)["pieces"]
        pieces["n3"][0]["last"] = None if ended else pieces["n3"][0]["last"] - 1
        assert judge_lines(lines, pieces) == "ok"
        if ended:
            unread = [line for line in lines if line_id(line) != "n3/2/3"]
            assert judge_lines(unread, pieces) == "unknown"
            forgot = [line for line in lines if line["event"] != "state_recovered"]
            forgot[-3] = {**forgot[-3], "seq": 2}
            assert forgot[-3]["event"] == "node_ready"
            assert judge_lines(forgot, pieces) == "violated"

    def test_a_node_that_stayed_down_unread_is_unknown(self) -> None:
        """Nobody knows what its last batch left on disk: R6 (b), and what may be chosen."""
        script = f"{RUN}\nn3 killed"
        pieces = table(build(script))["pieces"]
        pieces["n3"] = [{"incarnation": 1, "first": 1, "last": None}]
        verdict = judge(script, pieces=pieces)
        assert verdict.verdict == "unknown"
        doubted = [name for name, rule in verdict.rules.items() if rule.verdict == "unknown"]
        assert doubted == ["R6", "agreement", "validity"]

    @pytest.mark.parametrize("end", ["n3 killed\nread n3 1.n1 with 1.n1 apple", "n3 stops"])
    def test_a_node_whose_end_is_told_is_whole(self, end: str) -> None:
        """A disk_read, or its own word that it stops, closes the last incarnation."""
        script = f"{RUN}\n{end}"
        pieces = table(build(script))["pieces"]
        pieces["n3"] = [{"incarnation": 1, "first": 1, "last": None}]
        assert judge(script, pieces=pieces).verdict == "ok"

    def test_a_node_that_was_down_all_the_time_has_nothing_to_show(self) -> None:
        """No line of it belongs to the run, and none is missing."""
        script = """
        client n1 apple
        phase1 1.n1 by n1 n2
        phase2 1.n1 apple by n1 n2
        """
        lines = build(script)
        pieces = {**table(lines)["pieces"], "n3": []}
        assert judge(script, pieces=pieces).verdict == "ok"
        without = [line for line in lines if line["node"] != "n3"]
        assert check_lines(without, table(lines, pieces=pieces)).verdict == "ok"

    def test_what_a_node_brings_along_is_no_recovery(self) -> None:
        """n3 was down when the run began: what it had on disk before is nobody's breach."""
        script = f"n3 killed\nn3 back 4.n2 with 3.n2 plum\n{RUN}".replace("n1 n2 n3", "n1 n2")
        lines = [line for line in build(script) if (line["node"], line["incarnation"]) != ("n3", 1)]
        pieces = {
            **table(lines)["pieces"],
            "n3": [{"incarnation": 2, "first": 1, "last": 3}],
        }
        assert judge_lines(lines, pieces) == "ok"

    def test_a_start_that_died_before_its_first_line_leaves_no_gap(self) -> None:
        """The runner never met incarnation 2, and the next one goes on from the same disk."""
        script = f"{RUN}\nn3 killed\nn3 back 1.n1 with 1.n1 apple"
        lines = [
            {**line, "incarnation": 3} if line["incarnation"] == 2 else line
            for line in build(script)
        ]
        pieces = table(lines)["pieces"]
        pieces["n3"] = [
            {"incarnation": 1, "first": 1, "last": None},
            {"incarnation": 3, "first": 1, "last": 3},
        ]
        assert check_lines(lines, table(lines, pieces=pieces)).verdict == "ok"
        verdict = check_lines(lines)
        assert verdict.verdict == "unknown"
        assert "holds no line of its incarnation 2" in reasons(verdict)

    def test_a_learner_seen_for_longer_than_an_acceptor_is_unknown(self) -> None:
        """n1 learns from a line of n2 that lies beyond the end the runner saw of n2."""
        lines = build(RUN)
        kept = [line for line in lines if line["node"] != "n2"]
        own = [line for line in lines if line["node"] == "n2"]
        asked = next(n for n, line in enumerate(own) if line["event"] == "accept_received")
        kept += own[:asked]
        pieces = table(kept)["pieces"]
        verdict = check_lines(kept, table(kept, pieces=pieces))
        assert verdict.verdict == "unknown", verdict.as_text()
        doubted = [name for name, rule in verdict.rules.items() if rule.verdict == "unknown"]
        assert doubted == ["R5"]

    def test_a_piece_without_a_line_is_missing(self) -> None:
        """The table names a piece of n3's log, and nobody has it."""
        lines = build(RUN)
        verdict = check_lines([line for line in lines if line["node"] != "n3"], table(lines))
        assert verdict.verdict == "unknown"
        assert "the log of n3 holds no line of its incarnation 1" in reasons(verdict)

    def test_a_piece_that_the_table_does_not_name_is_missing(self) -> None:
        """Every member has its piece, if an empty one."""
        pieces = table(build(RUN))["pieces"]
        del pieces["n2"]
        verdict = judge(RUN, pieces=pieces)
        assert "the run's table names no piece of n2's log" in reasons(verdict)


class TestWithoutTable:
    def test_a_log_that_begins_later_is_unknown(self) -> None:
        """What came before its first line might matter."""
        lines = [line for line in build(RUN) if line_id(line) != "n2/1/1"]
        verdict = check_lines(lines)
        assert verdict.verdict == "unknown"
        assert "line n2/1/1 is missing" in reasons(verdict)

    def test_an_end_that_others_have_heard_of_is_not_reached(self) -> None:
        """n1 quotes a line of n2 behind the end of n2's log."""
        lines = build(RUN)
        sent = next(
            line for line in lines if line["node"] == "n2" and line["event"] == "accepted_sent"
        )
        cut = [line for line in lines if line["node"] != "n2" or line["seq"] < sent["seq"]]
        verdict = check_lines(cut)
        assert verdict.verdict == "unknown", verdict.as_text()
        assert f"quotes {line_id(sent)}" in reasons(verdict)

    def test_a_node_that_runs_on_makes_nothing_unknown(self) -> None:
        """No line says that it ended, and nobody has heard more of it."""
        assert check_lines(build(RUN)).verdict == "ok"

    def test_two_different_lines_of_one_name_are_no_log(self) -> None:
        """Whichever is right, this node's log cannot be trusted."""
        lines = build(RUN)
        at = next(n for n, line in enumerate(lines) if line["event"] == "promise_sent")
        lines.append({**lines[at], "ballot": "7.n3", "to": "n3"})
        verdict = check_lines(lines)
        assert verdict.verdict == "unknown", verdict.as_text()
        assert f"two different lines are named {line_id(lines[at])}" in reasons(verdict)

    def test_a_node_file_with_another_nodes_line_is_not_trusted(self, tmp_path: Path) -> None:
        """Somebody has mixed up files."""
        lines = build(RUN)
        write(tmp_path, lines)
        (tmp_path / "n2.jsonl").write_bytes(
            (tmp_path / "n2.jsonl").read_bytes()
            + encode(next(x for x in lines if x["node"] == "n1"))
        )
        verdict = check_path(tmp_path)
        assert verdict.verdict == "unknown"
        assert "is a line of n1, not of n2" in reasons(verdict)

    @pytest.mark.parametrize(
        ("field", "value", "what"),
        [("members", ["n1", "n2"], "members"), ("cluster", "another", "clusters")],
    )
    def test_lines_of_two_clusters_are_no_log(self, field: str, value: object, what: str) -> None:
        """Nodes that name different members or clusters were not one cluster."""
        lines = build(RUN)
        lines[2] = {**lines[2], field: value}
        verdict = check_lines(lines)
        assert verdict.verdict == "unknown"
        assert f"are of different {what}" in reasons(verdict)

    def test_without_members_no_quorum_is_known(self) -> None:
        """Rules that count acceptors cannot be judged."""
        lines = [
            {**line, "seq": line["seq"] - 2} if line["node"] != "orchestrator" else line
            for line in build("n1 prepare 1.n1 to n2\nn2 gets prepare 1.n1")
            if line["event"] not in {"node_started", "node_ready"}
        ]
        verdict = check_lines(lines)
        assert "no line says who the members are" in reasons(verdict)
        assert verdict.rules["R4"].verdict == "unknown"


class TestEmptyLogs:
    def test_an_empty_file_is_not_safe(self, tmp_path: Path) -> None:
        """Nothing happened, or nothing was written: that is unknown."""
        (tmp_path / "n1.jsonl").touch()
        verdict = check_path(tmp_path)
        assert verdict.verdict == "unknown"
        assert {rule.verdict for rule in verdict.rules.values()} == {"unknown"}
        assert "the log is empty" in reasons(verdict)

    def test_nodes_that_did_nothing_are_not_safe(self) -> None:
        """A cluster that only started has shown nothing."""
        verdict = check_lines(build("nodes 3"))
        assert verdict.verdict == "unknown"
        assert "no line of any instance that is to be judged" in reasons(verdict)

    def test_a_run_whose_instances_have_no_line_is_not_safe(self) -> None:
        """The table names instance 9, and nothing happened there."""
        lines = build(RUN)
        verdict = check_lines(lines, table(lines, instances={"main": 9}))
        assert verdict.verdict == "unknown"
        assert verdict.chosen == {9: None}


def test_a_sentence_about_a_long_name_is_short() -> None:
    """A stranger's table may hold anything, and its sentence stands on a page."""
    with pytest.raises(LogFormatError, match="no node's name") as raised:
        Run.parse({"members": ["n1", "9" * 5_000], "instances": {}, "pieces": {}})
    assert len(str(raised.value)) < 200
