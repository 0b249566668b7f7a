"""The sandbox in CPython: recipes, forks, limits, refusals, export."""

import json
from typing import Any

import pytest

from orchestrator.core_archive import scenario_data
from paxos.checker import merge
from paxos.events import encode
from paxos.parts import parts_of
from paxos.sandbox import SandboxError, judge, run
from paxos.sandbox.border import answer
from paxos.sandbox.recipe import MOST_COMMANDS, read_recipe
from paxos.sandbox.world import Full, SandboxWorld
from paxos.scenario import parse
from paxos.simulator.player import play
from tests.sandbox_recipes import APPLE, MANY, PEAR, fork, played, recipe

LINK_ONLY = {"one message", "one", "by hand from there"}
"""Recipes that no scenario can tell."""


def told(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of a run."""
    return [json.loads(line) for line in result["lines"].splitlines()]


def names(result: dict[str, Any], event: str) -> list[str]:
    """The names of a run's lines of one event, in order."""
    return [
        f"{x['node']}/{x['incarnation']}/{x['seq']}" for x in told(result) if x["event"] == event
    ]


def shared(a: dict[str, Any], b: dict[str, Any]) -> int:
    """How many lines two runs begin with that are the same."""
    first, second = a["lines"].splitlines(), b["lines"].splitlines()
    pairs = zip(first, second, strict=False)
    return next((n for n, (x, y) in enumerate(pairs) if x != y), min(len(first), len(second)))


class TestRuns:
    @pytest.mark.parametrize("name", MANY)
    def test_the_same_recipe_gives_the_same_bytes(self, name: str) -> None:
        """A link shows to everybody what its sender saw."""
        first, second = (run(MANY[name], scenario_data()) for _ in range(2))
        assert first == second
        assert first["line_count"] == first["lines"].count("\n")

    def test_another_seed_gives_other_bytes(self) -> None:
        """Else the test above would hold for a sandbox that does nothing."""
        assert played((6, PEAR), seed=1)["sha256"] != played((6, PEAR), seed=2)["sha256"]

    def test_without_commands_the_cluster_rests(self) -> None:
        """Nodes serve, and nothing is left to happen."""
        result = played()
        assert result["stopped"] == "rest"
        assert result["closing"] == 1
        events = {line["event"] for line in told(result)[:-1]}
        assert events == {"run_started", "gate_changed"}

    def test_a_proposal_is_chosen_and_every_rule_holds(self) -> None:
        """The *sometimes* to every *always* below."""
        result = played((6, PEAR))
        assert result["verdict"]["verdict"] == "ok"
        assert result["verdict"]["conformance"]["verdict"] == "ok"
        assert result["verdict"]["chosen"]["1"]["value"] == "pear"
        assert len(names(result, "value_learned")) == 5

    def test_why_is_told(self) -> None:
        """The reasons come with the run, in the form of ``why.json``."""
        assert played((6, PEAR))["why"]["v"] == 1

    def test_a_scenario_gives_the_bytes_of_its_player(self) -> None:
        """What ``paxos-lab scenario --world sim`` plays is what the tab shows."""
        data = scenario_data()["partition"]
        lines = merge(play(parse("partition", data), 5, 7).lines)
        assert played(scenario="partition")["lines"].encode() == b"".join(map(encode, lines))

    def test_the_table_judges_the_log_to_the_end(self) -> None:
        """A node that stays down makes nothing unknown: its disk is read in closing."""
        result = played((6, PEAR), (60, {"kill": ["n3", "n4"]}))
        assert result["verdict"]["verdict"] == "ok"
        assert result["closing"] == 3
        ends = [line["event"] for line in told(result)[-3:]]
        assert ends == ["disk_read", "disk_read", "log_closed"]
        assert result["down"] == ["n3", "n4"]

    @pytest.mark.parametrize("lines", [20, 30, 40, 50, 60])
    def test_what_closes_a_log_stands_at_its_end(self, lines: int) -> None:
        """Also where the last lines were written at the same moment."""
        result = played((6, {"kill": "n1"}), (15, PEAR), limits={"lines": lines})
        assert result["closing"] == 2
        events = [line["event"] for line in told(result)]
        assert events[-2:] == ["disk_read", "log_closed"]
        assert events.count("disk_read") == 1


class TestForks:
    @pytest.mark.parametrize("at", [0, 6, 7, 31, 64, 100, 109])
    def test_a_fork_begins_with_the_bytes_of_its_parent(self, at: int) -> None:
        """What was seen before the fork stays as it was."""
        parent = recipe((6, PEAR))
        forked = fork(parent, at, {"kill": "n3"})
        a, b = (run(one, scenario_data()) for one in (parent, forked))
        assert shared(a, b) >= at
        assert a["sha256"] != b["sha256"]
        assert any(line.get("fault") == "kill" for line in told(b))

    @pytest.mark.parametrize("at", [1, 50, 117, 200])
    def test_a_fork_of_a_scenario_begins_with_its_bytes(self, at: int) -> None:
        """The first command cuts the scenario off where the page was."""
        parent = recipe(scenario="partition")
        a, b = (run(one, scenario_data()) for one in (parent, fork(parent, at, {"kill": "n5"})))
        assert shared(a, b) >= at
        assert a["sha256"] != b["sha256"]
        # What happens in one step happens together, and not much more.
        assert at <= b["given"][0] < at + 30

    def test_a_fork_drops_what_was_done_later(self) -> None:
        """A command behind the fork belongs to the other branch."""
        forked = fork(recipe((6, PEAR), (40, {"kill": "n1"})), 20, APPLE)
        assert [command["after"] for command in forked["commands"]] == [6, 20]

    def test_a_fork_behind_the_closing_lines_comes_when_nothing_is_left(self) -> None:
        """The lines that only close a log are no moment of the run."""
        parent = recipe((6, PEAR), (60, {"kill": "n3"}))
        a = run(parent, scenario_data())
        b = run(fork(parent, a["line_count"], {"start": "n3"}), scenario_data())
        assert shared(a, b) == a["line_count"] - a["closing"]
        assert b["given"][-1] == a["line_count"] - a["closing"]

    def test_time_stands_still_while_a_person_thinks(self) -> None:
        """A command at rest comes right behind the last line, not when the last timer was over."""
        result = played((6, PEAR), (10_000, APPLE))
        asked = [line["at_ns"] for line in told(result) if line["event"] == "propose_invoked"]
        assert asked[1] < 1_000_000_000


class TestFaults:
    def test_a_power_loss_convicts_a_lying_disk(self) -> None:
        """A sync that lies loses an acknowledged promise; the same run on honest disks does not."""
        moments = (6, PEAR), (60, {"power_loss": "all"}), (60, {"start": "all"})
        assert played(*moments, variant="sync-lies")["verdict"]["violations"][0]["rule"] == "R6"
        assert played(*moments)["verdict"]["verdict"] == "ok"

    def test_power_is_lost_between_a_write_and_its_sync(self) -> None:
        """At any moment, that one included: what was not synced is gone, and no rule broken."""
        armed = {"failpoint": {"node": "n1", "point": "before_sync", "power": True}}
        result = played((6, armed), (6, PEAR), (80, {"start": "n1"}))
        assert names(result, "failpoint_hit")
        assert any(line.get("exit_code") == 137 for line in told(result))
        assert result["verdict"]["verdict"] == "ok"

    def test_a_node_that_ends_by_itself_is_told_each_time(self) -> None:
        """Also one that was killed and started before."""
        armed = {"failpoint": {"node": "n1", "point": "before_sync"}}
        result = played(
            (6, {"restart": "n1"}),
            (30, armed),
            (31, PEAR),
            (90, {"start": "n1"}),
            (110, armed),
            (111, APPLE),
            (111, {"propose": {"at": "n1", "value": "fig", "instance": "other"}}),
            instances=["fruit", "other"],
        )
        assert len(names(result, "failpoint_hit")) == 2
        assert [line["of"] for line in told(result) if line["event"] == "node_exited"] == ["n1"] * 3

    def test_a_hurt_disk_is_refused_at_the_start(self) -> None:
        """It is told as a refusal with its reason, and the node stays down."""
        hurt = {"disk_fault": {"node": "n2", "fault": "corrupt"}}
        result = played((6, PEAR), (70, {"kill": "n2"}), (70, hurt), (70, {"start": "n2"}))
        assert [one["command"] for one in result["refused"]] == [3]
        assert "n2 did not start" in result["refused"][0]["sentence"]
        assert result["down"] == ["n2"]

    def test_a_command_to_several_nodes_is_whole_or_nothing(self) -> None:
        """Were one of them killed before another is found to be down, half would be done."""
        result = played((6, {"kill": "n3"}), (6, {"kill": ["n1", "n3"]}))
        assert result["down"] == ["n3"]
        assert result["refused"][0]["sentence"] == "n3 is down."

    def test_faults_in_force_are_named_for_healing(self) -> None:
        """Two isolations hold at once, and each can be healed by its name."""
        walls = (6, {"isolate": "n1"}), (6, {"isolate": "n2"})
        assert [fault["name"] for fault in played(*walls)["faults"]] == ["isolate", "isolate-2"]
        healed = played(*walls, (20, {"heal": ["isolate"]}))
        assert [fault["name"] for fault in healed["faults"]] == ["isolate-2"]

    def test_a_cable_in_force_is_told_by_its_two_ends(self) -> None:
        """And not by all whom they still reach."""
        cable = played((6, {"cut": ["n4", "n2"]}))["faults"]
        assert cable == [{"name": "cut", "verb": "cut", "text": "n4-n2"}]

    def test_a_new_wall_replaces_the_one_before_it(self) -> None:
        """A line drawn across the ring is the wall that holds."""
        walls = [[["n1"], ["n2", "n3", "n4", "n5"]], [["n1", "n2"], ["n3", "n4", "n5"]]]
        result = played(*((6, {"partition": wall}) for wall in walls))
        assert [fault["text"] for fault in result["faults"]] == ["n1, n2 | n3, n4, n5"]
        assert len(names(result, "fault_undone")) == 1

    @pytest.mark.parametrize(
        ("do", "sentence"),
        [
            ({"kill": "n3"}, "n3 is down."),
            ({"start": "n1"}, "n1 runs already."),
            ({"resume": "n1"}, "n1 is not paused."),
            ({"heal": "all"}, "no fault of the network is in force."),
            ({"release": {"name": "x"}}, "no fault of the network is in force."),
            ({"drop_message": "n1/1/999"}, "no message n1/1/999 is in flight now."),
            ({"resume": "all"}, "there is no node to resume."),
        ],
    )
    def test_what_is_not_possible_is_told_and_leaves_no_line(
        self, do: dict[str, Any], sentence: str
    ) -> None:
        """A fork may take away what a later command relied on: that is no error."""
        before = (6, PEAR), (60, {"kill": "n3"})
        without, result = played(*before), played(*before, (1_000, do))
        assert [one["sentence"] for one in result["refused"]] == [sentence]
        assert result["line_count"] == without["line_count"]


class TestOneMessage:
    def moment(self, event: str) -> tuple[str, int]:
        """The second message of a kind in a plain run: its name, and how many lines it takes."""
        lines = told(played((6, PEAR)))
        at = [number for number, line in enumerate(lines) if line["event"] == event][1]
        line = lines[at]
        return f"{line['node']}/{line['incarnation']}/{line['seq']}", at + 1

    def after(self, event: str, do: Any) -> tuple[str, list[dict[str, Any]]]:
        """A run in which something happens to that message: its name, and the lines."""
        name, at = self.moment(event)
        result = played((6, PEAR), (at, do(name)))
        assert not result["refused"]
        assert result["verdict"]["verdict"] == "ok"
        assert result["scenario"] is None
        assert "one message in flight" in result["scenario_why"]
        return name, told(result)

    @pytest.mark.parametrize("event", ["prepare_sent", "promise_sent", "accept_sent"])
    def test_a_dropped_one_never_arrives(self, event: str) -> None:
        """Its line says what became of it, and no line has it for a cause."""
        name, lines = self.after(event, lambda name: {"drop_message": name})
        assert [x["rule"] for x in lines if x["event"] == "message_dropped"] == ["by hand"]
        assert not [x for x in lines if x.get("cause") == name]

    def test_a_duplicated_one_arrives_twice(self) -> None:
        """And the protocol bears it."""
        name, lines = self.after("promise_sent", lambda name: {"duplicate_message": name})
        assert len([x for x in lines if x.get("cause") == name]) == 2
        assert [x["message"] for x in lines if x["event"] == "message_duplicated"] == [name]

    def test_a_delayed_one_arrives_so_much_later(self) -> None:
        """By exactly so many milliseconds of virtual time."""
        name, at = self.moment("promise_sent")
        plain = told(played((6, PEAR)))
        delay = {"delay_message": {"message": name, "delay_ms": 250}}
        late = told(played((6, PEAR), (at, delay)))
        times = [next(x["at_ns"] for x in run if x.get("cause") == name) for run in (plain, late)]
        assert times[1] - times[0] == 250_000_000

    def test_one_that_is_delivered_now_arrives_at_once(self) -> None:
        """Before whatever was to come before it."""
        name, at = self.moment("promise_sent")
        lines = told(played((6, PEAR), (at, {"deliver_message": name})))
        assert any(line.get("cause") == name for line in lines[at : at + 4])


class TestByHand:
    def test_what_waits_is_ready_as_a_step(self) -> None:
        """Delivering what is listed, again and again, gets a value chosen."""
        made = recipe((6, PEAR), manual=True)
        result: dict[str, Any] = {}
        for _ in range(200):
            result = run(made, scenario_data())
            messages = [one for one in result["held"] if one["what"] == "message"]
            if not messages:
                break
            made = fork(made, result["line_count"], messages[0]["step"])
        assert not result["refused"]
        assert result["verdict"]["chosen"]["1"]["value"] == "pear"
        assert result["verdict"]["verdict"] == "ok"

    def test_a_message_is_listed_with_what_it_carries(self) -> None:
        """Kind, ends, ballot; and a timer that is set beside it."""
        result = played((6, PEAR), manual=True)
        assert result["stopped"] == "waits"
        first = result["held"][0]
        assert (first["kind"], first["from"], first["ballot"]) == ("prepare", "n2", "1.n2")
        assert first["line"] in names(result, "prepare_sent")
        assert {"fire": {"node": "n2", "timer": "patience", "instance": "fruit"}} in [
            one["step"] for one in result["held"]
        ]

    def test_what_is_not_there_cannot_be_delivered(self) -> None:
        """And no time passes in looking for it."""
        ghost = {"kind": "accept", "from": "n1", "to": "n2", "ballot": "9.n1"}
        result = played((6, PEAR), (17, {"deliver": ghost}), manual=True)
        assert "no accept at 9.n1 from n1 to n2" in result["refused"][0]["sentence"]
        assert told(result)[-1]["at_ns"] < 1_000_000_000

    def test_what_a_gate_holds_is_listed_with_its_release(self) -> None:
        """In a run that moves by itself, a rule that holds is what makes messages wait."""
        hold = {"hold": {"name": "wait", "kinds": ["accept"], "to": ["n1", "n3"]}}
        made = recipe((6, hold), (11, PEAR))
        result = run(made, scenario_data())
        assert [one["to"] for one in result["held"]] == ["n1", "n3"]
        for held in result["held"]:
            made = fork(made, 10_000, held["step"])
        after = run(made, scenario_data())
        assert not after["held"]
        assert not after["refused"]
        assert len(names(after, "message_released")) == 2


class TestLimits:
    def test_a_run_stops_at_its_lines(self) -> None:
        """A duel without an end has one in a tab."""
        result = played((6, PEAR), (6, APPLE), limits={"lines": 50})
        assert result["stopped"] == "lines"
        assert result["stopped_why"] == "The log has reached its limit of 50 lines."
        assert 50 <= result["line_count"] < 80

    def test_a_run_stops_at_its_time(self) -> None:
        """A minority asks for ever."""
        wall = {"partition": [["n1", "n2"], ["n3", "n4", "n5"]]}
        result = played((6, wall), (20, PEAR), limits={"ms": 5_000})
        assert result["stopped"] == "time"
        assert told(result)[-1]["at_ns"] < 6_000_000_000

    def test_a_limit_cuts_commands_off(self) -> None:
        """Those that were not reached are not in ``given``."""
        result = played((6, PEAR), (60, {"kill": "n1"}), limits={"lines": 30})
        assert result["given"] == [6]

    def test_what_writes_no_line_has_an_end_too(self) -> None:
        """Lines are the measure of time, and an event without one is a part of a line."""
        world = SandboxWorld(read_recipe(recipe(limits={"lines": 50}), {}))

        def again() -> None:
            world.after(1, again)

        again()
        with pytest.raises(Full):
            world.run_until(lambda _line: False, until_ms=10**9)


BAD: list[tuple[Any, str]] = [
    ([], "the recipe: this must be a mapping of v, seed"),
    (recipe() | {"v": 2}, "v: this page reads recipes of version 1, not 2"),
    (recipe(seed=-1), "seed: -1 is not from 0 to"),
    (recipe(seed=2**53), "is not from 0 to 9007199254740991"),
    (recipe(seed="7"), "seed: this must be a whole number"),
    (recipe(nodes=10), "nodes: 10 is not from 1 to 9"),
    (recipe(nodes=0), "nodes: 0 is not from 1 to 9"),
    (recipe(variant="nonsense"), "no variant is called 'nonsense'"),
    (recipe(scenario="nonsense"), "there is no scenario 'nonsense'"),
    (recipe(scenario="../../etc/passwd"), "there is no scenario '../../etc/passwd'"),
    (recipe(scenario="partition", nodes=3), "nodes: partition is written for 5 nodes, not 3"),
    (recipe(scenario="partition", manual=True), "manual: partition says false"),
    (recipe(scenario="partition", settings={"backoff": False}), "settings: partition has its own"),
    (recipe(settings={"lies": True}), "there is no field 'lies' here"),
    (recipe(instances=["a", "a"]), "these are up to 9 different names"),
    (recipe(limits={"lines": 10**9}), "limits.lines: 1000000000 is not from 1 to 200000"),
    (recipe(extra=1), "there is no field 'extra' here"),
    (recipe((9, PEAR), (6, PEAR)), "commands[1]: it comes after line 6"),
    (recipe((-1, PEAR)), "commands[0].after: -1 is not from"),
    (recipe(*[(6, PEAR)] * (MOST_COMMANDS + 1)), "at most 500 commands, not 501"),
    (recipe((6, {"propose": {"at": "n9", "value": "x"}})), "do.propose.at: 'n9' is none of n1"),
    (recipe((6, {"propose": {"at": "n1", "value": "x" * 201}})), "a text of 201 characters"),
    (recipe((6, {"kill": "n1", "start": "n2"})), "a step has one verb of"),
    (recipe((6, {"wait": {"event": "node_started"}})), "wait waits for something"),
    (recipe((6, {"measure": {}})), "measure waits for something"),
    (recipe((6, {"deliver": {"kind": "accept"}})), "only a scenario with `manual: true`"),
    (recipe((6, {"isolate": "n1"}), manual=True), "isolate has nothing to act on"),
    (recipe((6, {"drop_message": "n1/1/2"}), manual=True), "there is no drop_message"),
    (recipe((6, {"delay_message": {"message": "n1/1/2", "delay_ms": 0}})), "0 is not from 1"),
    (
        recipe() | {"commands": [{"after": 6, "do": "kill n1"}]},
        "a command is one step of a scenario",
    ),
    (recipe((6, {"heal": [str(n) for n in range(70_000)]})), "it has more than 60,000 parts"),
]
_DEEP: Any = "x"
for _ in range(20):
    _DEEP = [_DEEP]
BAD.append((recipe((6, {"heal": _DEEP})), "nested more than 12 levels deep"))


class TestBadRecipes:
    @pytest.mark.parametrize(("bad", "sentence"), BAD)
    def test_each_is_refused_in_a_sentence(self, bad: Any, sentence: str) -> None:
        """A link comes from a stranger: nothing runs before all of it was read."""
        with pytest.raises(SandboxError) as refused:
            run(bad, scenario_data())
        assert sentence in str(refused.value)

    def test_a_link_with_every_bound_met_ends(self) -> None:
        """500 commands on nine nodes that lose, repeat and re-order, in bounded time."""
        rules: list[dict[str, Any]] = [
            {"duplicate": {"name": "echo", "percent": 100, "copies": 9}},
            {"reorder": {"name": "mix", "percent": 100, "delay_most_ms": 600_000}},
        ]
        asked: list[dict[str, Any]] = [
            {"propose": {"at": f"n{1 + n % 9}", "value": f"v{n}"}} for n in range(490)
        ]
        result = played(*((20, do) for do in [*rules, *asked]), nodes=9, limits={"lines": 3_000})
        assert result["stopped"] == "lines"

    def test_the_border_answers_with_sentences(self) -> None:
        """Whatever is asked, JSON comes back."""
        for request in ("[]", '{"do":"dance"}', '{"do":"judge"}', '{"do":"run"}', "[" * 5_000):
            text, lines = answer(request, scenario_data())
            told = json.loads(text)
            assert told["ok"] is False
            assert told["error"].endswith(".")
            assert lines == b""


class TestExport:
    def exact(self, made: dict[str, Any]) -> None:
        """Play a recipe as a scenario, and compare the lines."""
        result = run(made, scenario_data())
        assert result["scenario_why"] == ""
        scenario = parse("exported", result["scenario"])
        again = play(scenario, made["nodes"], made["seed"], parts_of(scenario.variant))
        assert again.failure is None
        lines = [encode(line) for line in merge(again.lines)]
        mine = result["lines"].encode().splitlines(keepends=True)
        end = result["line_count"] - result["closing"]
        # The first line names the scenario; what a player says in closing is its own.
        assert lines[1:end] == mine[1:end]

    @pytest.mark.parametrize("name", sorted(MANY.keys() - LINK_ONLY))
    def test_a_recipe_is_a_scenario_that_gives_the_same_bytes(self, name: str) -> None:
        """A branch that was played by clicking is a file that anybody can play."""
        self.exact(MANY[name])

    @pytest.mark.parametrize("name", ["basic", "partition", "crash-after-promise", "disk-faults"])
    def test_a_fork_of_a_scenario_is_one_wherever_it_is_cut(self, name: str) -> None:
        """Before a step, in its wait, or behind it."""
        for at in range(1, 90, 4):
            self.exact(recipe((at, {"kill": "n4"}), (at + 20, {"start": "n4"}), scenario=name))

    @pytest.mark.parametrize("verb", ["deliver_message", "drop_message", "duplicate_message"])
    def test_a_message_that_is_not_there_costs_a_scenario_no_time(self, verb: str) -> None:
        """A refused command lets a microsecond pass, and its scenario does, too."""
        made = recipe((6, PEAR), (20, {verb: "n1/1/999"}), (20, {"kill": "n3"}))
        assert "in flight" in run(made, scenario_data())["refused"][0]["sentence"]
        self.exact(made)

    def test_where_there_is_no_scenario_it_says_why(self) -> None:
        """A recipe of one node, or with a message taken out, is a link only."""
        assert run(MANY["one"], scenario_data())["scenario"] is None
        assert "not 1" in run(MANY["one"], scenario_data())["scenario_why"]
        twice = played((6, {"isolate": "n1"}), (6, {"isolate": "n2"}))
        assert twice["scenario"] is None
        assert "second isolate" in twice["scenario_why"]

    def test_a_recipe_behind_the_end_of_its_scenario_is_not_exact(self) -> None:
        """It says so, and is playable all the same."""
        whole = played(scenario="basic")
        result = played((whole["line_count"], {"kill": "n1"}), scenario="basic")
        assert result["scenario_why"].startswith("It is not exact")
        parse("exported", result["scenario"])


class TestJudge:
    def test_a_dropped_log_gets_the_verdict_of_its_run(self) -> None:
        """With its table, word for word that of the run."""
        result = played((6, PEAR), (60, {"kill": "n3"}))
        found = judge(result["lines"], result["run"])
        assert found["verdict"] == result["verdict"]
        assert found["line_count"] == result["line_count"]

    def test_a_violation_is_found(self) -> None:
        """In a log of a broken variant, as in any."""
        result = run(MANY["counterexample"], scenario_data())
        assert judge(result["lines"])["verdict"]["violations"][0]["rule"] == "R3"

    @pytest.mark.parametrize("bad", ["hello", '{"v":1}', '\n\n{"v":1,"event":5}'])
    def test_what_is_no_log_gets_a_sentence_with_the_line(self, bad: str) -> None:
        """The page shows it in place of a run."""
        with pytest.raises(SandboxError, match=r"line \d+ is no line of a log"):
            judge(bad)


class TestWhatIf:
    def asked(self, **request: Any) -> dict[str, Any]:
        """What the border answers."""
        text, _ = answer(json.dumps({"do": "whatif", **request}), scenario_data())
        told: dict[str, Any] = json.loads(text)
        return told

    def test_a_broken_variant_can_go_wrong_from_here(self) -> None:
        """The variant of the recipe is the one that goes on."""
        made = recipe((6, PEAR), variant="accept-below-promise", nodes=3)
        found = self.asked(recipe=made, at=30)["result"]
        assert found["verdict"] == "can go wrong"
        assert found["way"]

    def test_a_log_is_asked_as_its_recipe_is(self) -> None:
        """A dropped run with its table, and the recipe that made it."""
        made = recipe((6, PEAR), nodes=3)
        played = run(made, scenario_data())
        bounds = {"at": 40, "ballots": 1, "limit": 3_000}
        from_log = self.asked(jsonl=played["lines"], run=played["run"], **bounds)
        assert from_log == self.asked(recipe=made, **bounds)
        assert from_log["result"]["verdict"] == "safe within bounds"

    @pytest.mark.parametrize(
        ("request_", "sentence"),
        [
            ({"recipe": recipe(), "at": 1, "ballots": 99}, "from 0 to 4, not 99"),
            ({"recipe": recipe(), "at": "n1/9/9"}, "There is no line 'n1/9/9'"),
            ({"at": 1}, "Give a recipe, or the lines of a log"),
            ({"recipe": 5}, "must be a mapping"),
            ({"jsonl": "hello", "at": 1}, "Line 1 is no line of a log"),
            ({"recipe": recipe(), "at": [1]}, "At is a line's name or number, not [1]"),
            ({"recipe": recipe(), "at": True}, "At is a line's name or number, not True"),
            ({"recipe": recipe(), "at": "9" * 5000}, "There is no line '999"),
            ({"recipe": recipe(), "at": 1, "ballots": True}, "from 0 to 4, not True"),
            ({"recipe": recipe(), "at": 1, "limit": 0}, "from 1 to 500,000, not 0"),
            ({"recipe": recipe(), "at": 1, "instance": {}}, "a name or a number, not {}"),
            ({"recipe": recipe(), "at": 1, "instance": "9" * 5000}, "There is no instance 999"),
            ({"jsonl": "", "at": 1, "run": [1]}, "Run is the content of a run.json, not [1]"),
        ],
    )
    def test_what_cannot_be_asked_gets_a_sentence(
        self, request_: dict[str, Any], sentence: str
    ) -> None:
        """Bounds, places and logs are looked at before anything is explored."""
        assert sentence in self.asked(**request_)["error"]

    def test_half_of_a_character_is_in_no_log(self) -> None:
        """No UTF-8 holds it, so no node has written it."""
        lines = played((6, PEAR), nodes=3)["lines"]
        hurt = lines.replace('"pear"', '"\\ud800"', 1)
        assert "is no line of a log" in self.asked(jsonl=hurt, at="end")["error"]
        with pytest.raises(SandboxError, match="is no line of a log"):
            judge(hurt)

    def test_what_a_state_holds_may_be_anything(self) -> None:
        """No schema reaches that deep: the judge still says something."""
        lines = played((6, PEAR), nodes=3)["lines"]
        assert judge(lines.replace('"learned":null', '"learned":{"ballot":"1.n1","value":7}'))

    @pytest.mark.parametrize("member", ["orchestrator", "", None, 7])
    def test_who_cannot_be_a_member_gets_a_sentence(self, member: object) -> None:
        """In a table that somebody brought."""
        result = played((6, PEAR), nodes=3)
        with pytest.raises(SandboxError, match="no runner's table"):
            judge(result["lines"], {**result["run"], "members": ["n1", member, "n3"]})
