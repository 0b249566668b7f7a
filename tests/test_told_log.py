"""One merged file is a whole log: ``run_started`` says where it begins, without ``run.json``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orchestrator.__main__ import app
from orchestrator.core_archive import scenario_data
from paxos.chance import Chance
from paxos.checker import Run, check_lines, check_path, load_run, run_told
from paxos.events import Line, LogFormatError, line_id
from paxos.sandbox import judge, run, whatif
from tests.sandbox_recipes import MANY, PEAR, played, recipe

FIG = {"propose": {"at": "n1", "value": "fig"}}
EMPTY = {"rest"}
"""Recipes in whose runs nothing happens that could be judged."""


SHORTEST = sorted(name for name in scenario_data() if name.endswith("-shortest"))
"""For each broken variant the shortest run in which it breaks a rule."""


def closing_name(line: Line) -> str:
    """The name of a closing line, as sentences have it."""
    assert line["event"] == "log_closed"
    return line_id(line)


def lines_of(result: dict[str, Any]) -> list[Line]:
    """The lines of a run of the sandbox."""
    return [json.loads(line) for line in result["lines"].splitlines()]


def saved(result: dict[str, Any], folder: Path) -> str:
    """The log alone, as the page exports it."""
    path = folder / "events.jsonl"
    path.write_text(result["lines"], encoding="utf-8")
    return str(path)


def ask(*words: str) -> tuple[int, str]:
    """Exit code and output of the command line."""
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


class TestSandbox:
    @pytest.mark.parametrize("name", MANY)
    def test_an_exported_log_gets_the_verdict_of_its_run(self, name: str) -> None:
        """What a student sees in the tab is what the log alone proves."""
        result = run(MANY[name], scenario_data())
        alone = judge(result["lines"])["verdict"]
        assert alone == result["verdict"]
        if name not in EMPTY:
            assert alone["verdict"] in {"ok", "violated"}

    @pytest.mark.parametrize("at", [0, 31, 90, 300])
    def test_so_does_that_of_a_fork(self, at: int) -> None:
        """The first lines of a fork are those of its parent."""
        result = played((at, {"kill": "n5"}), scenario="partition")
        assert judge(result["lines"])["verdict"] == result["verdict"]

    def test_the_command_line_finds_it_safe(self, tmp_path: Path) -> None:
        """Export, then ``paxos-lab check FILE``."""
        code, output = ask("check", saved(played((6, PEAR)), tmp_path))
        assert code == 0
        assert "Safety held: 8 rules" in output
        assert "every state, record and message is the core's" in " ".join(output.split())

    def test_the_command_line_finds_a_planted_violation(self, tmp_path: Path) -> None:
        """A sync that lies loses what an acceptor had said."""
        moments = (6, PEAR), (60, {"power_loss": "all"}), (60, {"start": "all"})
        code, output = ask("check", saved(played(*moments, variant="sync-lies"), tmp_path))
        assert code == 1
        assert "Safety was violated: R6 broken" in output

    def test_whatif_answers(self, tmp_path: Path) -> None:
        """The state of every node is known from the log alone."""
        code, output = ask(
            "whatif", saved(played((6, PEAR)), tmp_path), "--at", "40", "--ballots=1"
        )
        assert code == 0, output
        assert "safe within bounds" in output

    def test_whatif_knows_the_variant(self, tmp_path: Path) -> None:
        """No node says in this log what it runs, so the runner does."""
        result = played((6, PEAR), (60, FIG), nodes=3, variant="ignore-accepted")
        assert not any(line["event"] == "node_started" for line in lines_of(result))
        code, output = ask("whatif", saved(result, tmp_path), "--at", "chosen", "--json")
        assert json.loads(output)["variant"] == "ignore-accepted"
        assert code == 1

    def test_the_tab_answers_for_a_log_that_was_dropped_on_it(self) -> None:
        """The answer is that of the recipe."""
        made = recipe((6, PEAR))
        lines = run(made, scenario_data())["lines"]
        dropped = whatif({"jsonl": lines, "at": 40, "ballots": 1}, scenario_data())
        assert dropped == whatif({"recipe": made, "at": 40, "ballots": 1}, scenario_data())


class TestHonesty:
    """The first line says where logs begin, and nothing else is believed for it."""

    def test_a_line_that_is_missing_behind_the_begin_still_counts(self) -> None:
        """Only what lies before the run may be absent."""
        lines = lines_of(played((6, PEAR)))
        lost = next(n for n, line in enumerate(lines) if line["event"] == "prepare_received")
        verdict = check_lines(lines[:lost] + lines[lost + 1 :])
        assert verdict.verdict == "unknown"
        assert "is missing" in verdict.unknown[0].reason

    def test_the_first_line_of_a_node_counts_too(self) -> None:
        """Else any beginning of a log could be cut off unseen."""
        lines = [line for line in lines_of(played((6, PEAR))) if line["event"] != "gate_changed"]
        verdict = check_lines(lines)
        assert verdict.verdict == "unknown"
        assert "is missing" in verdict.unknown[0].reason

    def test_a_node_without_a_line_is_missing(self) -> None:
        """It is said to have begun."""
        lines = [line for line in lines_of(played((6, PEAR))) if line["node"] != "n4"]
        assert "the log of n4 is missing" in {one.reason for one in check_lines(lines).unknown}

    def test_a_lost_incarnation_is_missing(self) -> None:
        """Each start follows the one before it."""
        result = played((6, PEAR), (60, {"restart": "n3"}), (60, {"restart": "n3"}))
        lines = [
            line for line in lines_of(result) if (line["node"], line["incarnation"]) != ("n3", 2)
        ]
        assert check_lines(lines).verdict == "unknown"
        reasons = {one.reason for one in check_lines(lines).unknown}
        assert "the log of n3 holds no line of its incarnation 2" in reasons

    def test_the_closing_line_names_every_end(self) -> None:
        """Nobody quotes the last lines of a node, so nobody else could miss them."""
        lines = lines_of(played((6, PEAR), (60, FIG), nodes=3))
        last = max(n for n, line in enumerate(lines) if line["node"] == "n2")
        verdict = check_lines(lines[:last] + lines[last + 1 :])
        assert any("and the run saw it until n2/" in one.reason for one in verdict.unknown)

    def test_the_end_of_each_incarnation_is_named(self) -> None:
        """What was lost at a kill looks like any other end."""
        lines = lines_of(played((6, PEAR), (60, {"restart": "n3"})))
        assert check_lines(lines).verdict == "ok"
        first = [line for line in lines if (line["node"], line["incarnation"]) == ("n3", 1)]
        verdict = check_lines([line for line in lines if line != first[-1]])
        assert any("and the run saw it until n3/1/" in one.reason for one in verdict.unknown)

    @pytest.mark.parametrize("scenario", [None, "partition"])
    def test_a_log_that_no_line_closes_may_go_on(self, scenario: str | None) -> None:
        """So what it shows is in order so far, and that is not all."""
        lines = lines_of(played((6, PEAR)) if scenario is None else played(scenario=scenario))
        verdict = check_lines([line for line in lines if line["event"] != "log_closed"])
        assert verdict.verdict == "unknown"
        assert "no line closes this log" in verdict.unknown[0].reason

    def test_the_runner_s_lines_count_too(self) -> None:
        """A disk that was read and a client's answer are told by them alone."""
        lines = lines_of(played((6, PEAR), (60, {"kill": "n3"})))
        assert check_lines(lines).verdict == "ok"
        for place, line in enumerate(lines):
            if line["node"] == "orchestrator":
                verdict = check_lines(lines[:place] + lines[place + 1 :])
                assert verdict.verdict == "unknown", line["event"]

    def test_a_line_before_its_node_s_begin_is_of_an_earlier_run(self) -> None:
        """Every run takes fresh instances, so a line of this one is not from before."""
        lines = lines_of(played((6, PEAR)))
        late = next(line for line in lines if line["event"] == "promise_sent")
        begins = {**lines[0]["begins"], late["node"]: line_id(late)}
        # The closing line agrees, as if it had been forged with the first.
        (closing,) = (line for line in lines if line["event"] == "log_closed")
        closing["pieces"][late["node"]][0]["first"] = late["seq"]
        verdict = check_lines([{**lines[0], "begins": begins}, *lines[1:]])
        assert any("says that it began later" in one.reason for one in verdict.unknown)
        # Nor does it help to cut them: other nodes quote what was cut.
        later = next(
            line
            for line in lines
            if line["node"] == late["node"] and line["seq"] > late["seq"] and "cause" in line
        )
        closing["pieces"][late["node"]][0]["first"] = later["seq"]
        begins[late["node"]] = line_id(later)
        cut = [
            line
            for line in lines[1:]
            if line["node"] != late["node"] or line["seq"] >= later["seq"]
        ]
        verdict = check_lines([{**lines[0], "begins": begins}, *cut])
        assert any(" quotes " in one.reason for one in verdict.unknown)

    def test_the_first_and_the_closing_line_must_agree(self) -> None:
        """Whoever changes one of them is found out by the other."""
        lines = lines_of(played((6, PEAR), (60, FIG), nodes=3))
        (closing,) = (line for line in lines if line["event"] == "log_closed")
        later = {**lines[0]["begins"], "n1": f"n1/1/{closing['pieces']['n1'][0]['last']}"}
        fewer = {node: at for node, at in later.items() if node != "n2"}
        forged: list[dict[str, Any]] = [
            {"begins": later},
            {"begins": fewer},
            {"instances": {"other": 7}},
            {"members": ["n1"]},
            {"begins": {}},
        ]
        for change in forged:
            verdict = check_lines([{**lines[0], **change}, *lines[1:]])
            reasons = {one.reason for one in verdict.unknown}
            assert any(closing_name(closing) in reason for reason in reasons), change
            assert verdict.verdict in {"unknown", "violated"}

    def test_the_closing_line_names_every_instance_in_which_a_client_asked(self) -> None:
        """A live run begins instances that its first line cannot know, and one may be broken."""
        lines = lines_of(
            played(
                (6, PEAR),
                (60, {"propose": {**FIG["propose"], "instance": "b"}}),
                instances=["a", "b"],
                variant="small-quorum",
            )
        )
        lines[0]["instances"] = {"a": 1}
        (closing,) = (line for line in lines if line["event"] == "log_closed")
        assert closing["instances"] == {"a": 1, "b": 2}
        whole = check_lines(lines)
        assert {one.instance for one in whole.violations} == {1, 2}
        for instances in ({"a": 1}, {"a": 1, "b": 3}):
            closing["instances"] = instances
            (asked,) = (
                line
                for line in lines
                if line["event"] == "propose_invoked" and line["instance"] == 2
            )
            reason = (
                f"{line_id(asked)} is of an instance that {closing_name(closing)} does not name"
            )
            assert reason in {one.reason for one in check_lines(lines).unknown}
        # Nor does it help to cut what was asked: the runner's lines are counted.
        kept = [
            line for line in lines if line["node"] != "orchestrator" or line.get("instance") != 2
        ]
        assert check_lines(kept).unknown

    def test_two_closing_lines_close_nothing(self) -> None:
        """Which of them is the run's it cannot be told."""
        lines = lines_of(played((6, PEAR)))
        verdict = check_lines([*lines, {**lines[-1], "seq": 9999, "instances": {}}])
        assert "both close this log" in verdict.unknown[0].reason
        assert check_lines([*lines, lines[-1]]).verdict == "ok"

    def test_an_event_may_be_spelled_with_escapes(self, tmp_path: Path) -> None:
        """A line says what its JSON says, in a file as in memory."""
        lines = lines_of(played((6, PEAR)))
        path = tmp_path / "events.jsonl"
        rows = [json.dumps(line) for line in lines]
        assert '"log_closed"' in rows[-1]
        rows[-1] = rows[-1].replace('"log_closed"', '"log_cl\\u006fsed"')
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        assert check_path(path).verdict == "ok"
        second = json.dumps({**lines[0], "seq": 9999, "run": "other"})
        rows.append(second.replace('"run_started"', '"run_st\\u0061rted"'))
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        assert load_run([path]) is None
        assert check_path(path).verdict == "unknown"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"pieces": []},
            {"pieces": {"n1": []}},
            {"pieces": {"n1": [{"incarnation": 1, "first": 15, "last": None}]}},
            {"pieces": {"n1": [{"incarnation": 1, "first": 15}]}},
            {"pieces": {"n1": [{"incarnation": 1, "first": 1 << 70, "last": 1 << 70}]}},
            {"instances": {"fruit": 0}},
            {"instances": []},
        ],
    )
    def test_a_wrong_closing_line_gets_a_sentence(self, wrong: dict[str, Any]) -> None:
        """The log may be a stranger's."""
        lines = lines_of(played((6, PEAR)))
        lines[-1] |= wrong
        with pytest.raises(LogFormatError, match=f"{closing_name(lines[-1])} names no lines"):
            check_lines(lines)

    def test_an_end_that_another_node_quotes_is_missing(self) -> None:
        """Where a log ends the first line cannot say, but the others' can."""
        lines = lines_of(played((6, PEAR)))
        last = next(n for n, line in enumerate(lines) if line["event"] == "prepare_sent")
        cut = [line for n, line in enumerate(lines) if line["node"] != "n2" or n < last]
        assert any("holds nothing behind" in one.reason for one in check_lines(cut).unknown)

    def test_an_end_by_a_kill_needs_what_its_disk_holds(self) -> None:
        """A record on its way may be there or not."""
        result = played((6, PEAR), (60, {"kill": "n3"}))
        lines = [line for line in lines_of(result) if line["event"] != "disk_read"]
        assert any("without a disk_read" in one.reason for one in check_lines(lines).unknown)

    def test_an_older_log_is_as_unknown_as_it_was(self) -> None:
        """A log that says nothing of its begin must begin with the first line ever."""
        lines = lines_of(played((6, PEAR)))
        del lines[0]["begins"]
        assert run_told(lines) is None
        assert check_lines(lines).verdict == "unknown"

    def test_two_runs_in_one_log_say_nothing(self) -> None:
        """Which of them begins it cannot be told."""
        lines = lines_of(played((6, PEAR)))
        assert run_told([*lines, {**lines[0], "seq": 9999}]) is None
        assert run_told([*lines, lines[0]]) is not None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"n1": "n2/1/15"},
            {"n1": "n1/1"},
            {"n1": 15},
            {"n1": "n1/1/0"},
            {"n1": f"n1/1/{1 << 70}"},
            {"nobody": "nobody/1/1"},
            ["n1/1/15"],
        ],
    )
    def test_a_wrong_begin_gets_a_sentence(self, wrong: Any) -> None:
        """The log may be a stranger's."""
        lines = lines_of(played((6, PEAR)))
        lines[0]["begins"] = wrong
        with pytest.raises(LogFormatError, match="orchestrator/1/1"):
            check_lines(lines)

    def test_what_it_says_is_what_the_table_says(self) -> None:
        """But for the ends, which nobody knows when a run begins."""
        result = played((6, PEAR), (60, {"restart": "n3"}))
        told, table = run_told(lines_of(result)), Run.parse(result["run"])
        assert told is not None
        assert told.is_told
        assert not table.is_told
        for name in ("run", "members", "instances", "settings", "variant", "world"):
            assert getattr(told, name) == getattr(table, name)
        for node, (piece, *_) in told.pieces.items():
            known = table.pieces[node][0]
            assert (piece.incarnation, piece.first) == (known.incarnation, known.first)


def _worse(lines: list[Line], rng: Chance) -> Iterator[tuple[str, list[Line]]]:
    """A log, cut or changed in one way each that a person could think of."""
    head, rest = lines[0], lines[1:]
    for node in head["begins"]:
        own = [line for line in rest if line["node"] == node]
        for _ in range(6):
            at = rng.between(0, len(own) - 1)
            kept = {line_id(line) for line in own[:at]}
            name = line_id(own[at])
            begins = {**head["begins"], node: name}
            others = [line for line in rest if line["node"] != node]
            before = [line for line in own if line_id(line) in kept]
            behind = own[at:]
            yield f"{node}'s lines from {name} on are cut", [head, *others, *before]
            yield f"{node}'s lines before {name} are cut", [head, *others, *behind]
            yield f"{name} is cut", [line for line in lines if line != own[at]]
            yield f"{node} begins with {name}", [{**head, "begins": begins}, *rest]
            yield (
                f"{node} begins with {name}, and what was before is cut",
                [{**head, "begins": begins}, *others, *behind],
            )


@pytest.mark.parametrize("name", SHORTEST)
def test_no_cut_makes_a_broken_log_safe(name: str) -> None:
    """Of a log on which a rule is broken, no part and no forged begin is found to be in order."""
    nodes = scenario_data()[name]["nodes"]
    count = nodes if isinstance(nodes, int) else nodes[0]
    result = run(recipe(scenario=name, nodes=count), scenario_data())
    lines = lines_of(result)
    assert check_lines(lines).verdict == "violated"
    for what, worse in _worse(lines, Chance(7)):
        assert check_lines(worse).verdict in {"violated", "unknown"}, what
    for place in range(1, len(lines), 3):
        assert check_lines(lines[:place]).verdict in {"violated", "unknown"}, place


@pytest.mark.parametrize("name", ["proposals", "restarts", "partition"])
def test_no_cut_makes_a_safe_log_broken(name: str) -> None:
    """Nor does it break a rule: what is missing is a doubt."""
    result = {
        "proposals": lambda: played((6, PEAR), (16, FIG)),
        "restarts": lambda: played((6, PEAR), (40, {"restart": "n3"}), (60, {"kill": "n2"})),
        "partition": lambda: played(scenario="partition"),
    }[name]()
    lines = lines_of(result)
    assert check_lines(lines).verdict == "ok"
    found = [check_lines(worse).verdict for _, worse in _worse(lines, Chance(3))]
    assert "unknown" in found
    assert set(found) <= {"ok", "unknown"}
