"""Why: the answers that the rules hand out, over scripted logs, stories and recorded runs.

Each kind of answer has a log in which it is given and one in which a planted
fault turns it round; no answer may quote a line that is not there.
"""

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestrator.stories import list_stories, story_files
from paxos.checker import RULES, Run, check_lines, explain, explain_path
from paxos.checker.facts import Fact
from paxos.checker.history import History
from paxos.checker.reader import collect
from paxos.checker.why import KINDS
from paxos.events import Line, LogFormatError, decode, line_id
from paxos.simulator import World
from tests.logbuilder import build
from tests.test_checker_logs import LOGS, head

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "fold").glob("*.jsonl"))

Why = dict[str, Any]


@cache
def story(name: str) -> tuple[list[Line], Any]:
    """A story's lines and its table."""
    files = story_files(name)
    lines = [decode(raw) for raw in files["events.jsonl"].splitlines()]
    return lines, json.loads(files["run.json"])


@cache
def whys(name: str) -> list[Why]:
    """The answers of a story, by calling; the file is compared elsewhere."""
    lines, run = story(name)
    found: list[Why] = explain(lines, run)["whys"]
    return found


def scripted(script: str) -> list[Why]:
    """The answers of a script of ``logbuilder``."""
    found: list[Why] = explain(build(script))["whys"]
    return found


def only(found: list[Why], kind: str, **fields: Any) -> Why:
    """The one answer of a kind that has these fields."""
    fitting = [
        why
        for why in found
        if why["kind"] == kind and all(why[name] == value for name, value in fields.items())
    ]
    assert len(fitting) == 1, [why["sentence"] for why in fitting]
    return fitting[0]


def sentences(found: list[Why], kind: str) -> list[str]:
    """What is said of a kind, in order."""
    return [why["sentence"] for why in found if why["kind"] == kind]


def line_of(name: str, **fields: Any) -> str:
    """The name of a story's first line with these fields."""
    return next(
        line_id(line)
        for line in story(name)[0]
        if all(line.get(field) == value for field, value in fields.items())
    )


def assert_sound(found: dict[str, Any], lines: list[Line]) -> None:
    """Answers are JSON, quote lines that exist, and are in the order of the merged log."""
    names = {line_id(line) for line in lines}
    assert json.loads(json.dumps(found)) == found
    for why in found["whys"]:
        assert why.keys() == {
            "line", "also", "kind", "rule", "instance", "sentence", "events", "ok",
        }  # fmt: skip
        assert {why["line"], *why["also"], *why["events"]} <= names, why
        assert why["line"] not in [*why["also"], *why["events"]], why
        assert why["kind"] in KINDS, why
        assert why["rule"] in {None, *RULES}, why
        assert why["sentence"], why


class TestEveryLog:
    @pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
    def test_is_told_not_ok_exactly_where_a_rule_is_broken(self, path: Path) -> None:
        """Every violation is an answer in its own words; a legal log has none of them."""
        lines = build(path.read_text("utf-8"))
        found = explain(lines)
        assert_sound(found, lines)
        broken = {(why["line"], why["sentence"]) for why in found["whys"] if not why["ok"]}
        verdict = check_lines(lines)
        assert broken >= {(line_id(one.at), one.sentence) for one in verdict.violations}
        rules = {why["rule"] for why in found["whys"] if not why["ok"]}
        # Behind the first breach of a node further ones are told, of the same rules only.
        assert rules == {one.rule for one in verdict.violations}
        assert bool(rules) == (head(path)[0] == "violated")

    @pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
    def test_of_real_processes_can_be_explained(self, path: Path) -> None:
        """Recorded on local processes: nothing is broken there."""
        lines = [decode(raw) for raw in path.read_bytes().splitlines()]
        found = explain(lines)
        assert_sound(found, lines)
        assert {"accept", "promise", "ballot", "learned"} <= {why["kind"] for why in found["whys"]}
        assert all(why["ok"] for why in found["whys"])

    def test_of_every_story_is_the_file_beside_the_verdict(self) -> None:
        """The runner writes what a caller would get, and every kind is met somewhere."""
        kinds: set[tuple[str, bool]] = set()
        for entry in list_stories():
            lines, run = story(entry["name"])
            found = json.loads(story_files(entry["name"])["why.json"])
            assert found == explain(lines, run), entry["name"]
            assert_sound(found, lines)
            broken = {why["rule"] for why in found["whys"] if not why["ok"]}
            assert broken == {one.rule for one in check_lines(lines, run).violations}
            kinds |= {(why["kind"], why["ok"]) for why in found["whys"]}
        assert {kind for kind, _ in kinds} == set(KINDS)
        told_broken = {kind for kind, is_ok in kinds if not is_ok}
        assert told_broken == set(KINDS) - {"stuck", "refusal", "nack", "ignored"}

    @pytest.mark.parametrize("name", ["late-proposer", "broken--promise-forgotten"])
    def test_in_any_order_of_its_lines_gives_the_same_answers(self, name: str) -> None:
        """As the verdict does."""
        lines, run = story(name)
        assert explain(lines[::-1], run)["whys"] == whys(name)

    def test_of_a_folder_is_explained_as_its_lines_are(self, tmp_path: Path) -> None:
        """States that nodes claim are left away, and change nothing."""
        files = story_files("duel")
        for name in ("events.jsonl", "run.json"):
            (tmp_path / name).write_bytes(files[name])
        assert explain_path(tmp_path)["whys"] == whys("duel")


@pytest.mark.parametrize("name", ["duel", "partition", "broken--ignore-accepted", "tour"])
def test_rules_say_the_same_whether_somebody_asks_why_or_not(name: str) -> None:
    """A verdict asks nobody, and must not depend on it."""
    lines, run = story(name)
    for _, rule in RULES.values():
        facts: list[Fact] = []
        alone = rule(History(collect(lines, Run.parse(run))))
        asked = rule(History(collect(lines, Run.parse(run))), facts.append)
        assert alone.judged <= asked.judged
        first = [(one.sentence, line_id(one.at)) for one in alone.violations]
        told = [(one.sentence, line_id(one.at)) for one in asked.violations]
        assert set(first) <= set(told)
        assert bool(first) == bool(told)


@pytest.mark.parametrize("rule", ["R2", "R4", "R5"])
def test_a_rule_tells_of_each_thing_that_it_judged(rule: str) -> None:
    """Either that it is in order, with a reason, or that it is not."""
    for name in ("competing", "tour", "broken--ignore-accepted", "broken--small-quorum"):
        facts: list[Fact] = []
        lines, run = story(name)
        asked = RULES[rule][1](History(collect(lines, Run.parse(run))), facts.append)
        told = [fact for fact in facts if fact.rule == rule]
        assert len(told) + len(asked.violations) == asked.judged > 0, name


class TestAccept:
    def test_with_a_report_only_its_value_may_be_pushed(self) -> None:
        """Paxos Made Simple §2.2: the value of the highest-numbered proposal reported."""
        why = only(whys("late-proposer"), "accept", line=line_of(
            "late-proposer", node="n5", event="accept_sent"
        ))  # fmt: skip
        assert why["sentence"].startswith("n5 may push only 'apple': ")
        assert "reported it at 1.n1" in why["sentence"]
        assert why["sentence"].endswith("its own 'pear' must yield")
        assert (why["rule"], why["ok"], len(why["also"])) == ("R4", True, 4)
        assert line_of("late-proposer", event="promise_received", node="n5") in why["events"]

    def test_without_a_report_any_value_may_be_pushed(self) -> None:
        """Then the proposer is free."""
        why = only(scripted("client n1 apple\nphase1 1.n1 by n1 n2\nphase2 1.n1 apple by n1 n2"),
                   "accept")  # fmt: skip
        assert why["sentence"] == (
            "n1 may push any client's value: n1 and n2 promised 1.n1 and reported nothing"
        )

    def test_of_two_reports_the_higher_counts(self) -> None:
        """And is said to."""
        name = "convergence"
        told = [text for text in sentences(whys(name), "accept") if "highest" in text]
        assert told
        assert all("'pear'" in text for text in told)

    def test_two_quorums_may_leave_two_choices(self) -> None:
        """All three answered; n2 and n3 alone would have left it free."""
        why = scripted(
            "client n1 apple\nclient n2 pear\nphase1 1.n1 by n1 n2 n3\n"
            "phase2 1.n1 apple by n1\nphase1 2.n2 by n1 n2 n3\nphase2 2.n2 apple by n2 n3"
        )
        second = [one for one in why if one["kind"] == "accept"][1]
        assert second["sentence"] == (
            "n2 may push 'apple': n1 reported it at 1.n1 (another quorum of its Promises would "
            "have left it another choice)"
        )

    def test_another_value_is_told_with_the_violation(self) -> None:
        """The planted fault: the report is not heeded."""
        found = whys("broken--ignore-accepted")
        why = only(found, "accept", ok=False, rule="R4")
        assert why["sentence"].startswith("n5 asks to accept 'pear' at 1.n5")
        assert "'apple' at 1.n1" in why["sentence"]


class TestRefusal:
    def test_a_promise_binds(self) -> None:
        """With the line that promised, which the acceptor wrote before."""
        told = [why for why in whys("duel") if why["kind"] == "refusal"]
        promised = [why for why in told if "it has promised" in why["sentence"]]
        assert len(promised) > 20
        for why in promised:
            node, (promise,) = why["line"].split("/")[0], why["events"]
            assert promise.startswith(f"{node}/")
            bound = f"it has promised {_ballot_at('duel', promise)} ({promise})"
            assert why["sentence"].startswith(f"{node} refuses to accept at ")
            assert why["sentence"].endswith(bound)

    def test_an_acceptance_binds_as_well(self) -> None:
        """Phase 2(b) is a promise, too."""
        found = [text for text in sentences(whys("tour"), "refusal") if "accepted at" in text]
        assert found
        assert all(" has accepted at " in text for text in found)

    def test_a_promise_that_nobody_heard_binds_from_the_disk(self) -> None:
        """Killed between the promise's record and its reply."""
        (why,) = [
            one for one in whys("crash-after-promise") if "nobody was told" in one["sentence"]
        ]
        assert why["kind"] == "refusal"
        assert why["events"] == [line_of("crash-after-promise", node="n3", event="state_recovered")]

    def test_a_refusal_without_a_reason_is_told_as_one(self) -> None:
        """The planted fault: accept only above the promise."""
        found = sentences(whys("basic--strict-accept"), "refusal")
        assert found
        assert all(text.endswith("that breaks no rule, and may stall for ever") for text in found)

    def test_whose_the_higher_ballot_is(self) -> None:
        """At the line where the refusal arrives."""
        why = next(one for one in whys("duel") if one["kind"] == "nack")
        begun = line_of("duel", node="n5", event="prepare_sent")
        assert why["sentence"] == f"n1 refused n1's 1.n1 for 1.n5, which n5 began ({begun})"
        assert why["events"] == [begun]


def _ballot_at(name: str, line: str) -> str:
    ballot: str = next(one["ballot"] for one in story(name)[0] if line_id(one) == line)
    return ballot


class TestPromise:
    def test_reports_since_when(self) -> None:
        """The record or the reply, whichever came first."""
        why = next(
            one for one in whys("late-proposer") if one["kind"] == "promise" and one["events"]
        )
        (accepted,) = why["events"]
        assert f"it has accepted that ({accepted}), and nothing higher" in why["sentence"]
        assert why["ok"]

    def test_reports_nothing(self) -> None:
        """As long as nothing was accepted."""
        found = sentences(whys("basic"), "promise")
        assert len(found) == 5
        assert all(text.endswith("reports nothing: it has accepted nothing") for text in found)

    def test_that_omits_a_pair_is_no_honest_one(self) -> None:
        """The planted fault, told at each such Promise and not at the first alone."""
        found = [one for one in whys("broken--promise-omits-accepted") if not one["ok"]]
        promises = [one for one in found if one["kind"] == "promise"]
        assert len(promises) >= 3
        assert {one["rule"] for one in promises} == {"R2"}


class TestOthers:
    def test_a_ballot_is_above_those_before(self) -> None:
        """Numbers rise."""
        name = "crash-proposer"
        again = line_of(name, node="n1", incarnation=2, event="prepare_sent")
        why = only(whys(name), "ballot", line=again)
        assert "which it used before (n1/1/" in why["sentence"]

    def test_a_ballot_that_is_begun_again_is_broken(self) -> None:
        """The planted fault: the round is forgotten."""
        why = only(whys("broken--number-reused"), "ballot", ok=False)
        assert why["rule"] == "R3"
        assert "begins it again after a restart" in why["sentence"]

    def test_by_which_quorum_somebody_learns(self) -> None:
        """Each acceptance is quoted."""
        for why in whys("basic"):
            if why["kind"] == "learned":
                assert "may take 'apple' as chosen: " in why["sentence"]
                assert len(why["events"]) == 3

    def test_too_small_a_quorum_is_broken(self) -> None:
        """The planted fault: two of five."""
        broken = [one for one in whys("broken--small-quorum") if one["kind"] == "learned"]
        assert {one["rule"] for one in broken if not one["ok"]} == {"R5"}

    def test_the_moment_of_choice(self) -> None:
        """And the client's wish that began it."""
        chosen = [one for one in whys("basic") if one["kind"] == "chosen"]
        assert {one["rule"] for one in chosen} == {"agreement", "validity"}
        assert any("with this line 'apple' is chosen at 1.n1" in one["sentence"] for one in chosen)

    def test_replies_and_the_records_before_them(self) -> None:
        """Each reply quotes an earlier record of its own node."""
        durable = [one for one in whys("basic") if one["kind"] == "durable"]
        assert len(durable) == 10
        for one in durable:
            (record,) = one["events"]
            node, seq = one["line"].split("/")[0], int(one["line"].rsplit("/", 1)[1])
            assert record.startswith(f"{node}/")
            assert int(record.rsplit("/", 1)[1]) < seq

    def test_a_reply_before_its_record_is_broken(self) -> None:
        """The planted fault, at every reply of the run."""
        found = [one for one in whys("broken--reply-before-write") if one["kind"] == "durable"]
        assert found
        assert not any(one["ok"] for one in found)

    def test_what_a_start_has_back(self) -> None:
        """As much as was durable, or what a kill left in the page cache."""
        found = sentences(whys("restart-all"), "recovered")
        assert any("has back what it had made durable" in text for text in found)
        broken = [one for one in whys("broken--promise-forgotten") if one["kind"] == "recovered"]
        assert {one["rule"] for one in broken if not one["ok"]} == {"R6"}

    def test_why_a_message_is_ignored(self) -> None:
        """In the node's words, with the line that sent it."""
        why = next(one for one in whys("basic") if one["kind"] == "ignored")
        assert why["sentence"] == (
            f"n1 ignores {why['events'][0].split('/')[0]}'s Promise of 1.n1: phase 1 of this "
            "ballot is over"
        )


class TestStuck:
    def test_two_of_three_promises_and_three_nodes_down(self) -> None:
        """Who is there, and why each other one is not."""
        told = sentences(whys("crash-majority"), "stuck")
        assert told[0] == (
            "n1 has 2 of the 3 promises that 1.n1 needs (n1 and n2); n3 is down (killed); "
            "n4 is down (killed); n5 is down (killed)"
        )
        assert len(told) == 2

    def test_a_minority_behind_a_wall(self) -> None:
        """Cut off, and not down."""
        told = sentences(whys("partition"), "stuck")
        assert told
        for text in told:
            assert "2 of the 3 promises" in text
            assert "n1 is cut off from n5" in text
            assert "down" not in text

    def test_held_dropped_paused_refused_and_on_the_way(self) -> None:
        """Each is told apart, where the log ends."""
        world = World(1, 7)
        world.run(50)
        world.pause(60, 3)
        world.kill(60, 4)
        world.partition(60, [5], [1, 2, 3, 4, 6, 7])
        world.propose(70, 2, "pear")
        world.run_until(lambda line: line["event"] == "accept_sent" and line["node"] == "n2")
        lines = world.lines
        (why,) = [one for one in explain(lines)["whys"] if one["kind"] == "stuck"]
        assert why["line"].startswith("n2/")
        # It is told at the wish, and none of it was so then.
        assert why["sentence"].startswith(
            "where the log ends, n2's client, who wished for 'pear', has no answer: n2 has 0 of the 4"
        )
        assert "n4 is down (killed)" in why["sentence"]
        assert "n3 is paused" in why["sentence"]
        assert "n5 is cut off from n2" in why["sentence"]
        assert "(n2/1/" in why["sentence"]

    def test_by_hand_each_message_is_named(self) -> None:
        """What waits for a hand has not arrived."""
        found = [one for one in whys("broken--ignore-accepted-shortest") if one["kind"] == "stuck"]
        assert len(found) == 2
        assert "n2's Accepted (n2/1/18) has not arrived" in found[0]["sentence"]

    def test_held_at_a_gate(self) -> None:
        """A rule of a scenario holds it, and nobody released it at that moment."""
        lines, run = story("tour")
        end = next(
            place
            for place, line in enumerate(lines)
            if line["event"] == "message_held" and line["kind"] == "accept" and line["node"] == "n1"
        )
        found = explain(lines[: end + 5], {**run, "pieces": {}})["whys"]
        (why,) = [one for one in found if one["kind"] == "stuck" and "apple" in one["sentence"]]
        assert "is held at a gate" in why["sentence"]

    def test_an_answered_client_is_not_stuck(self) -> None:
        """Nor is anybody in a run that went well."""
        assert sentences(whys("basic"), "stuck") == []
        assert sentences(whys("competing"), "stuck") == []

    @pytest.mark.parametrize(
        "garbled",
        [
            {"event": "gate_changed", "rules": ["n1"]},
            {"event": "gate_changed", "rules": [{"action": "cut", "source": []}]},
            {"event": "fault_applied", "detail": {"sides": 7}},
            {"event": "fault_applied", "detail": {"pairs": [["n1"]]}},
        ],
    )
    def test_a_gate_and_a_fault_in_words_of_another_program_get_a_sentence(
        self, garbled: dict[str, Any]
    ) -> None:
        """The catalogue says what readers rely on, so that none of them needs to guess."""
        lines, run = story("partition")
        place = next(n for n, line in enumerate(lines) if line["event"] == garbled["event"])
        changed = [{**line, **garbled} if n == place else line for n, line in enumerate(lines)]
        with pytest.raises(LogFormatError, match=f"{garbled['event']}.[a-z]+ is no"):
            explain(changed, run)


class TestBounds:
    def test_the_most_telling_kinds_are_kept_and_the_rest_is_counted(self) -> None:
        """What is broken comes first of all."""
        lines, run = story("broken--promise-omits-accepted")
        everything = explain(lines, run)
        few = explain(lines, run, limit=6)
        assert everything["left_out"] == {}
        assert len(few["whys"]) == 6
        assert sum(few["left_out"].values()) == len(everything["whys"]) - 6
        broken = [why for why in everything["whys"] if not why["ok"]]
        assert [why for why in few["whys"] if not why["ok"]] == broken[:6]
        assert all(why in everything["whys"] for why in few["whys"])

    def test_time_is_linear_in_the_lines(self) -> None:
        """Counted in calls, which no other load changes: twice the log, twice the calls."""
        one, two = _calls(lambda: explain(_many(20))), _calls(lambda: explain(_many(40)))
        assert two < 2.3 * one


@cache
def _many(instances: int) -> tuple[Line, ...]:
    world = World(5)
    for number in range(1, instances + 1):
        world.propose(number * 5, number % 5 + 1, f"value {number}", instance=number)
        world.propose(number * 5 + 1, (number + 2) % 5 + 1, f"other {number}", instance=number)
    world.partition(instances * 2, [1, 2], [3, 4, 5])
    world.heal(instances * 4)
    world.run(instances * 5 + 2_000)
    return tuple(world.lines)


def _calls(action: Callable[[], object]) -> int:
    count = 0

    def counting(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    action()  # what is cached is cached
    sys.setprofile(counting)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count
