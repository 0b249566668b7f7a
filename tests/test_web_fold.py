"""Python and the page make the same of a log: states, sentences, complaints.

``paxos/events/fold.py`` and ``web/log/reducer.js`` are twins, and so are
``narration.py``, ``lines.py`` and their namesakes in ``web/``. The page's
half runs in Node here; where that is missing these tests are skipped, and
under CI=true they fail instead.
"""

import json
import os
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from paxos.events import (
    CATALOGUE,
    SCHEMA_VERSION,
    Line,
    bundled,
    level_of,
    line_id,
    narrate,
    problems,
)
from paxos.events.fold import empty, fold, quorum
from paxos.events.narration import _choice
from tests.logbuilder import ORCHESTRATOR, LogBuilder, build
from tests.web_node import ask_node

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "fixtures" / "fold").glob("*.jsonl"))
SCRIPTS = sorted((HERE / "logs").glob("*.txt"))
FIVE = ["n1", "n2", "n3", "n4", "n5"]


def page(ask: str, lines: list[Any]) -> Any:
    """What the page's modules answer, run in Node."""
    return ask_node("web_fold.mjs", {"ask": ask, "lines": lines})


def recorded(path: Path) -> list[Line]:
    """The lines of a fixture."""
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


def after(lines: list[Line]) -> dict[str, Any]:
    """The state after all lines."""
    return reduce(fold, lines, empty())


def kinds(state: dict[str, Any]) -> list[str]:
    """The turning points so far."""
    return [point["kind"] for point in state["turning_points"]]


def fault(builder: LogBuilder, event: str, verb: str, targets: list[str], **detail: Any) -> None:
    """A line of the runner about a fault."""
    builder.write(
        ORCHESTRATOR,
        event,
        fault=verb,
        targets=targets,
        mechanism="gate",
        detail=detail,
        evidence="it was seen",
        elapsed_ms=1,
    )


def ends(builder: LogBuilder) -> None:
    """Every way in which a process may end."""
    for sentence in ("n2 loses power", "read n2 2.n1", "n2 back 2.n1", "n4 stops", "n4 back"):
        builder.say(*sentence.split())
    builder.write("n3", "failpoint_hit", failpoint="after the sync", instance=1)
    builder.write(ORCHESTRATOR, "node_exited", of="n3", exit_code=137, reason="SIGKILL")
    fault(builder, "fault_applied", "kill", ["n3"])
    builder.say(*["n3", "back", "1.n1"])
    builder.write("n3", "failpoint_hit", failpoint="after the sync", instance=1, power=True)
    builder.say(*["n3", "back", "1.n1"])
    builder.write("n4", "power_lost", bytes=132, names=0)
    fault(builder, "fault_applied", "power_loss", ["n4"])
    builder.say(*["n4", "back"])
    builder.write(ORCHESTRATOR, "node_exited", of="n5", exit_code=1, reason="a failed sync")


def walls() -> list[Line]:
    """A log with what the recorded runs don't have: every kind of wall, loss, crash and guest."""
    builder = LogBuilder()
    builder.start(5)

    def say(*sentences: str) -> None:
        for sentence in sentences:
            builder.say(*sentence.split())

    def gate(event: str, message: Line, **fields: Any) -> None:
        about = {"source": "n1", "to": message["to"], "kind": "prepare", "instance": 1}
        builder.write("n1", event, message=line_id(message), rule="r", **about, **fields)

    bridge = [["n1", "n4"], ["n1", "n5"], ["n2", "n4"], ["n2", "n5"]]
    fault(builder, "fault_applied", "partition", FIVE, pairs=bridge)
    say("client n1 apple", "n1 prepare 1.n1 to n1 n2 n3 n4 n5", "n3 gets prepare 1.n1")
    say("n3 disk 1.n1", "n3 promise 1.n1", "n1 gets promise 1.n1 from n3")
    fault(builder, "fault_undone", "partition", FIVE)
    deaf = {"action": "cut", "from": ["n1"], "to": ["n2"]}
    fault(builder, "fault_applied", "cut one way", ["n1", "n2"], **deaf)
    fault(builder, "fault_applied", "isolate", ["n5"])
    fault(builder, "fault_applied", "partition", FIVE, sides=[FIVE[:3], FIVE[3:]])
    few = {"action": "cut", "kinds": ["learn"]}
    rules = [{"name": "x", "action": "cut", "source": "n4", "to": "n1"}, {"name": "y", **few}]
    builder.write("n4", "gate_changed", rules=rules)
    builder.write("n5", "gate_changed", rules=[{"name": "all", "action": "cut"}])
    fault(builder, "fault_applied", "cut one way", ["n1"], **few)
    builder.write("n5", "gate_changed", rules=[])
    builder.write("n4", "gate_changed", rules=[])
    for verb, targets in (("partition", FIVE), ("isolate", ["n5"]), ("cut one way", ["n1"])):
        fault(builder, "fault_undone", verb, targets)
    fault(builder, "fault_undone", "cut one way", ["n1", "n2"])

    sent = [
        builder.write("n1", "prepare_sent", instance=1, to=to, ballot="2.n1") for to in FIVE[1:]
    ]
    gate("message_held", sent[0])
    gate("message_delayed", sent[1], delay_ms=5)
    gate("message_duplicated", sent[1], copies=1)
    gate("message_reordered", sent[1], behind=line_id(sent[2]))
    gate("message_dropped", sent[2])
    fault(builder, "fault_applied", "pause", ["n5"])
    failed = {"message": line_id(sent[3]), "kind": "prepare", "status": "DEADLINE_EXCEEDED"}
    builder.write("n1", "call_failed", to="n5", instance=1, **failed)
    fault(builder, "fault_undone", "pause", ["n5"])
    late = {"instance": 1, "ballot": "2.n1"}
    builder.write("n5", "prepare_received", source="n1", cause=line_id(sent[3]), **late)
    builder.write("n5", "promise_sent", to="n1", accepted=None, **late)
    gate("message_released", sent[0])
    say("n2 gets prepare 2.n1", "n2 disk 2.n1", "n2 promise 2.n1", "n1 gets promise 2.n1 from n2")

    ends(builder)

    say("instance 2", "stranger n1 plum")
    guest = {"instance": 2, "ballot": "1.g1"}
    long = {"bytes": 300, "sha256": "ab" * 32}
    builder.write("n1", "prepare_received", source="g1", **guest)
    builder.write("n1", "promise_sent", to="g1", accepted=None, **guest)
    builder.write("n1", "accept_received", source="g1", value=long, **guest)
    builder.write("n1", "accepted_sent", to="g1", value=long, **guest)
    # As another program's acceptor may write it: it need not say that nothing is promised.
    alone = {"record": "acceptor", "number": 9, "accepted": {"ballot": "1.g1", "value": long}}
    builder.write("n3", "state_persisted", instance=2, **alone)
    asked = builder.write("n2", "status_sent", to="n1")
    builder.write("n1", "status_received", source="n2", cause=line_id(asked))

    say("instance 3", "phase1 1.n1 by n1 n2 n3", "phase2 1.n1 apple by n1 n2 n3")
    say("phase1 2.n2 by n2 n4 n1", "phase2 2.n2 pear by n2 n4 n1")
    say("n1 learns 1.n1 apple by n1 n2 n3", "n2 learns 2.n2 pear by n1 n2 n4")
    return builder.lines


LOGS = [
    *(pytest.param(recorded(path), id=path.stem) for path in FIXTURES),
    pytest.param(walls(), id="walls"),
]


class TestTwins:
    @pytest.mark.parametrize("lines", LOGS)
    def test_python_and_the_page_fold_every_line_to_the_same_state(self, lines: list[Line]) -> None:
        """After each line of a log, both have the same JSON."""
        assert [problem for line in lines for problem in problems(line)] == []
        state = empty()
        for line, theirs in zip(lines, page("fold", lines), strict=True):
            state = fold(state, line)
            assert json.loads(json.dumps(state)) == theirs, line

    def test_they_agree_about_every_hand_made_log_of_the_checker(self) -> None:
        """Broken protocols and legal oddities fold to the same last states, too."""
        lines = [build(path.read_text("utf-8")) for path in SCRIPTS]
        assert len(lines) > 20
        together = [line for log in lines for line in log]
        states = page("fold", together)
        state = empty()
        for line in together:
            state = fold(state, line)
        assert json.loads(json.dumps(state)) == states[-1]

    @pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
    def test_a_recorded_run_folds_to_its_recorded_state(self, path: Path) -> None:
        """What is so at the end of a real run is written down; RECORD=1 writes it anew."""
        state = after(recorded(path))
        expected = path.with_suffix(".json")
        if os.environ.get("RECORD") == "1":
            text = json.dumps(state, ensure_ascii=False, indent=1)
            expected.write_text(text + "\n", encoding="utf-8")
        assert state == json.loads(expected.read_text("utf-8"))

    @pytest.mark.parametrize("lines", LOGS)
    def test_both_bundle_the_same_lines_to_the_same_sentences(self, lines: list[Line]) -> None:
        """A fan-out is one sentence, in the terminal and on the page."""
        ours = [[len(bundle.lines), bundle.text] for bundle in bundled(lines)]
        assert ours == page("bundled", lines)
        assert any(len(bundle.lines) > 1 for bundle in bundled(lines))

    def test_every_sentence_of_the_catalogue_is_the_same_in_both(self) -> None:
        """Each event is narrated with each of its sentences, odd values included."""
        lines = list(samples())
        assert {line["event"] for line in lines} == set(CATALOGUE["events"])
        ours = [[level_of(line), narrate(line)] for line in lines]
        assert ours == page("narrate", lines)
        used = [_choice(line) for line in lines]
        assert used == [choice for entry in CATALOGUE["events"].values() for choice in entry["say"]]

    def test_both_find_fault_with_the_same_lines(self) -> None:
        """A line that one refuses is refused by the other: missing, extra and ill-typed fields."""
        lines = list(spoiled())
        assert all(problems(line) for line in lines)
        assert all(page("problem", lines))
        assert page("problem", list(samples())) == [None] * len(list(samples()))


class TestFold:
    def test_a_state_is_never_changed_by_a_later_line(self) -> None:
        """The page keeps states and goes back to them."""
        states, texts = [empty()], []
        for line in walls():
            texts.append(json.dumps(states[-1]))
            states.append(fold(states[-1], line))
        assert [json.dumps(state) for state in states[:-1]] == texts

    def test_a_value_is_chosen_when_a_majority_has_it_on_disk(self) -> None:
        """The second of three disks makes the choice, before any reply."""
        lines = build(
            "phase1 1.n1 by n1 n2\nn1 accept 1.n1 apple to n1 n2\n"
            "n1 gets accept 1.n1 apple\nn1 disk 1.n1 with 1.n1 apple\n"
            "n2 gets accept 1.n1 apple\nn2 disk 1.n1 with 1.n1 apple\n"
        )
        assert after(lines[:-1])["instances"]["1"]["chosen"] == []
        (choice,) = after(lines)["instances"]["1"]["chosen"]
        assert (choice["acceptors"], choice["line"]) == (["n1", "n2"], line_id(lines[-1]))

    def test_a_reply_that_runs_ahead_of_the_disk_makes_the_choice(self) -> None:
        """An acceptor that has said so has accepted: nobody can take it back."""
        lines = build(
            "phase1 1.n1 by n1 n2\nn1 accept 1.n1 apple to n1 n2\n"
            "n1 gets accept 1.n1 apple\nn1 accepted 1.n1 apple\n"
            "n2 gets accept 1.n1 apple\nn2 accepted 1.n1 apple\n"
        )
        (choice,) = after(lines)["instances"]["1"]["chosen"]
        assert choice["line"] == line_id(lines[-1])

    def test_a_kill_takes_the_memory_and_leaves_the_disk(self) -> None:
        """Until the node is back, its memory is lost; then it is what the disk says."""
        script = "phase1 1.n1 by n1 n2\nn2 killed\n"
        down = after(build(script))
        assert down["nodes"]["n2"]["status"] == "down"
        acceptor = down["instances"]["1"]["acceptors"]["n2"]
        assert acceptor == {"memory": None, "disk": {"promised": "1.n1", "accepted": None}}
        back = after(build(script + "n2 back 1.n1\n"))
        assert back["instances"]["1"]["acceptors"]["n2"]["memory"] == acceptor["disk"]
        assert kinds(back)[-2:] == ["kill", "restart"]

    def test_a_disk_without_a_record_is_blank_after_a_restart(self) -> None:
        """A node that lost its disk has promised nothing, as far as it knows."""
        state = after(build("phase1 1.n1 by n1 n2\nn2 killed\nn2 back\n"))
        acceptor = state["instances"]["1"]["acceptors"]["n2"]
        assert acceptor["disk"] == acceptor["memory"] == {"promised": "0.n0", "accepted": None}

    def test_a_pause_is_no_crash(self) -> None:
        """A paused node keeps its memory."""
        builder = LogBuilder()
        builder.say("phase1", "1.n1", "by", "n1", "n2")
        fault(builder, "fault_applied", "pause", ["n2"])
        state = after(builder.lines)
        assert state["nodes"]["n2"]["status"] == "paused"
        assert state["instances"]["1"]["acceptors"]["n2"]["memory"] is not None

    def test_what_is_sent_over_a_wall_is_lost(self) -> None:
        """Nothing crosses a cut cable, and everything does once it is healed."""
        builder = LogBuilder()
        builder.start(5)
        fault(builder, "fault_applied", "isolate", ["n5"])
        builder.say("n1", "prepare", "1.n1", "to", "n2", "n5")
        state = after(builder.lines)
        assert [message["to"] for message in state["messages"]] == ["n2"]
        assert (state["lost_count"], len(state["cuts"])) == (1, 8)
        fault(builder, "fault_undone", "isolate", ["n5"])
        assert after(builder.lines)["cuts"] == []

    def test_a_bridge_is_cut_pair_by_pair(self) -> None:
        """n3 still sees both sides, so no pair with it is cut."""
        builder = LogBuilder()
        builder.start(5)
        pairs = [["n1", "n4"], ["n1", "n5"], ["n2", "n4"], ["n2", "n5"]]
        fault(builder, "fault_applied", "partition", FIVE, pairs=pairs)
        cuts = after(builder.lines)["cuts"]
        assert len(cuts) == 8
        assert not any("n3" in cut for cut in cuts)

    def test_a_cut_one_way_stops_one_direction(self) -> None:
        """n2 is heard by n1, and does not hear it."""
        builder = LogBuilder()
        builder.start(3)
        way = {"from": ["n1"], "to": ["n2"]}
        fault(builder, "fault_applied", "cut one way", ["n1", "n2"], **way)
        assert after(builder.lines)["cuts"] == ["n1>n2"]

    def test_a_second_chosen_value_is_a_violation(self) -> None:
        """The fold shows what the log says, also what must not be."""
        state = after(walls())
        values = [choice["value"] for choice in state["instances"]["3"]["chosen"]]
        assert values == ["apple", "pear"]
        assert kinds(state).count("violation") == 2

    def test_the_turning_points_of_one_decision_stand_in_their_order(self) -> None:
        """A proposal, a quorum of promises, the choice, the first to learn, the last."""
        lines = build(
            "client n1 apple\nphase1 1.n1 by n1 n2\nphase2 1.n1 apple by n1 n2\n"
            "n1 learns 1.n1 apple by n1 n2\nn2 learns 1.n1 apple by n1 n2\n"
            "n3 learns 1.n1 apple by n1 n2\n"
        )
        expected = ["propose", "quorum", "chosen", "learned", "all_learned"]
        assert kinds(after(lines)) == expected

    def test_members_can_be_named_by_something_else_than_the_log(self) -> None:
        """A piece of a log may begin after its nodes have started."""
        assert quorum(empty(FIVE)) == 3
        assert empty(FIVE)["nodes"]["n5"]["status"] == "unseen"


# --- a sample of everything --------------------------------------------------

_OF_KIND: dict[str, Any] = {
    "int": 7,
    "instance": 3,
    "bool": True,
    "text": "some text",
    "node": "n2",
    "nodes": ["n1", "n2", "g1"],
    "ballot": "3.n5",
    "value": "it's <b>\u202eodd\x07\u00a0\u2028 \N{PEAR}</b>",
    "proposal": {"ballot": "1.n1", "value": {"bytes": 300, "sha256": "0f" * 32}},
    "learned": {"ballot": "1.n1", "value": "apple", "acceptors": ["n1"]},
    "line": "n1/2/417",
    "state": {"acceptor": {"promised": "1.n1", "accepted": None}},
    "fault": {"sides": [["n1"], ["n2", "n3"]], "any": ["thing"]},
    "rules": [{"name": "slow", "action": "delay", "source": "n1", "delay_ms": 50}],
    "numbers": {"fruit": 3},
    "object": {"any": ["thing"]},
}


def samples() -> Iterator[Line]:
    """Each event with all its fields, once for each of its sentences."""
    for event, entry in CATALOGUE["events"].items():
        fields = {name.removesuffix("?"): kind for name, kind in entry["fields"].items()}
        line = {
            "v": SCHEMA_VERSION,
            "node": ORCHESTRATOR if entry["by"] == "orchestrator" else "n1",
            "incarnation": 2,
            "seq": 5,
            "at_ns": 10,
            "event": event,
            **{name: _OF_KIND[kind.removesuffix("?")] for name, kind in fields.items()},
        }
        for choice in entry["say"]:
            wanted = choice.get("when", {}).items()
            fitting = {**line, **{path: want for path, want in wanted if want != "*"}}
            # Conditions of earlier sentences must not hold for a later one.
            for other in entry["say"]:
                if other is choice:
                    break
                for path, want in other.get("when", {}).items():
                    if want is True and path not in choice.get("when", {}):
                        fitting[path] = False
                    if want == "*" and path not in choice.get("when", {}):
                        if f"{path}?" in entry["fields"]:
                            fitting.pop(path, None)
                        elif fields.get(path, "").endswith("?"):
                            fitting[path] = None
            yield fitting


def spoiled() -> Iterator[object]:
    """Lines that are not of this format, each in one way."""
    yield from ([], 5, "text", None, {}, {"event": "no_such_event"})
    for line in samples():
        entry = CATALOGUE["events"][line["event"]]
        for name in [*CATALOGUE["header"], *entry["fields"]]:
            if not name.endswith("?"):
                yield {key: value for key, value in line.items() if key != name}
        yield {**line, "surprise": 1}
        yield {**line, "v": SCHEMA_VERSION + 1}
        yield {**line, "seq": 0}
        for name, kind in entry["fields"].items():
            wrong: Any = 1.5 if kind.removesuffix("?") != "object" else "no object"
            yield {**line, name.removesuffix("?"): wrong}
            if kind == "nodes":
                yield {**line, name.removesuffix("?"): ["n2", "n1"]}
