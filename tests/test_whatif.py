"""From a moment of a run on: what each node is there, what can be chosen, what can go wrong."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestrator.explore import accused_of
from orchestrator.parts import parts_of
from orchestrator.places import PROJECT
from orchestrator.stories import story_files
from orchestrator.yaml_file import broken_names
from paxos.checker import check_lines, merge
from paxos.conformance.inputs import INPUTS, body_of, comparable, input_of
from paxos.events import Line, decode, line_id
from paxos.explorer import Accused, Model, Tables
from paxos.explorer import node as nodes
from paxos.explorer.from_here import CHOSEN, Onward, search_from
from paxos.explorer.plain import PlainSearch
from paxos.explorer.tables import Start
from paxos.protocol import Instance
from paxos.recorder import record
from paxos.sandbox import SandboxError, run
from paxos.sandbox.whatif import whatif as whatif_in_a_tab
from paxos.scenario import parse
from paxos.simulator import World
from paxos.simulator.player import play
from paxos.variants import VARIANTS
from paxos.whatif import MOST, WhatIfError, reconstruct, whatif
from paxos.whatif.bounds import ALREADY, SAFE, UNKNOWN, WRONG, Bounds, beginners, fresh_values
from paxos.whatif.correct import search_choices
from paxos.whatif.moment import find_moment

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "whatif").glob("*.jsonl"))

Log = tuple[list[Line], Any]


@cache
def story(name: str) -> Log:
    """A story's lines and its table."""
    files = story_files(name)
    lines = [decode(raw) for raw in files["events.jsonl"].splitlines()]
    return lines, json.loads(files["run.json"])


@cache
def fixture(name: str) -> Log:
    """A run that was recorded on real processes, or on containers."""
    path = next(path for path in FIXTURES if path.stem == name)
    lines = [decode(raw) for raw in path.read_bytes().splitlines()]
    return lines, json.loads(path.with_suffix(".json").read_bytes())


def ask(log: Log, at: str | int, **options: Any) -> dict[str, Any]:
    """Ask about a log, with whatever ran in it."""
    lines, run = log
    options.setdefault("accused", accused_of(run["variant"]))
    found = whatif(lines, at, run=run, **options)
    assert json.loads(json.dumps(found)) == found
    return found


def first(log: Log, **fields: Any) -> str:
    """The name of the first line with these fields."""
    return next(
        line_id(line)
        for line in merge(log[0])
        if all(line.get(name) == value for name, value in fields.items())
    )


def before_violation(name: str, lines: int) -> tuple[dict[str, Any], int]:
    """The first violation of a story, and the number of the line so many before it."""
    verdict = json.loads(story_files(name)["verdict.json"])
    violation = verdict["violations"][0]
    names = [line_id(line) for line in story(name)[0]]
    return violation, max(names.index(violation["at"]) + 1 - lines, 1)


class TestChoices:
    """The correct protocol: which values can still be chosen."""

    @pytest.mark.parametrize("name", [path.stem for path in FIXTURES])
    def test_of_a_recorded_run_before_the_choice_and_after_it(self, name: str) -> None:
        """Real processes and containers: apple or any other at first, then apple alone."""
        log = fixture(name)
        before = ask(log, first(log, event="prepare_sent"), ballots=1)
        assert before["verdict"] == SAFE
        assert (before["can_choose"], before["any_other"]) == (["apple"], True)
        assert before["chosen"] is None
        for at in ("chosen", first(log, event="prepare_sent", node="n5"), "end"):
            after = ask(log, at)
            assert (after["verdict"], after["complete"]) == (SAFE, True)
            assert (after["can_choose"], after["any_other"]) == (["apple"], False)
            assert after["chosen"] == "apple"
            assert after["properties"] == {"agreement": "holds", "chosen": "seen"}

    @pytest.mark.parametrize("name", ["competing", "tour"])
    def test_of_a_simulated_run_with_rivals(self, name: str) -> None:
        """Both values can be chosen until one is, though n5 asks with a higher number."""
        log, options = story(name), {"instance": 1 if name == "competing" else "fruit"}
        before = ask(log, first(log, event="nack_sent"), **options)
        assert set(before["can_choose"]) == {"apple", "pear"}
        assert before["verdict"] == SAFE
        assert before["any_other"]
        after = ask(log, "chosen", **options)
        assert after["can_choose"] == [after["chosen"]]
        assert not after["any_other"]

    def test_a_minority_s_acceptance_binds_nobody_yet(self) -> None:
        """One acceptance of five: apple may be chosen, or may be lost."""
        log = story("broken--ignore-accepted")
        lines = [line for line in log[0] if line["event"] == "accepted_sent"]
        found = ask(log, line_id(lines[0]), accused=Accused())
        assert found["can_choose"] == ["apple"]
        assert found["any_other"]

    def test_a_majority_s_promise_leaves_no_room_below(self) -> None:
        """With no further ballot n1's old Accepts are refused, and only pear is left."""
        log = story("competing")
        at = first(log, event="accept_sent", node="n5")
        assert ask(log, at, instance=1, ballots=0)["can_choose"] == ["pear"]

    def test_nobody_learned_is_told_apart_from_all_learned(self) -> None:
        """Whoever has learned begins no ballot."""
        log = story("basic")
        assert ask(log, "end")["bounds"]["may_begin"] == []
        assert ask(log, 20)["bounds"]["may_begin"] != []

    def test_a_limit_is_said_to_be_one(self) -> None:
        """What fewer ballots show is told; with none at all nothing is."""
        log = story("late-proposer")
        at = first(log, event="prepare_sent")
        some = ask(log, at, limit=2_000)
        assert (some["verdict"], some["complete"], some["ballots_searched"]) == (SAFE, False, 1)
        assert "; all was searched with 1 further ballot, and with 2 " in some["sentence"]
        assert (
            f"the limit was reached, for {some['states']:,} states were not all" in some["sentence"]
        )
        none = ask(log, at, limit=1)
        assert (none["verdict"], none["complete"]) == (UNKNOWN, False)
        assert none["ballots_searched"] is None
        assert "as far as was searched nothing can be" in none["sentence"]
        assert "; even with no further ballot the limit was reached" in none["sentence"]

    @pytest.mark.parametrize("at", ["early", "chosen"])
    def test_what_was_not_searched_is_not_said_to_be_impossible(self, at: str) -> None:
        """What cannot be chosen is told as far as it is known, behind a choice as well."""
        log = story("late-proposer")
        place = at if at == "chosen" else first(log, event="accept_received")
        cut = ask(log, place, limit=1)
        assert not cut["complete"]
        assert "as far as was searched" in cut["sentence"]
        assert "as far as was searched" not in ask(log, "end")["sentence"]

    def test_a_wish_on_its_way_can_be_chosen_where_a_new_client_s_can(self) -> None:
        """No node has received it, or it may be asked again: it is as good as a new client's."""
        log = self.wish_on_its_way(3)
        found = whatif(log, "end", ballots=1)
        assert found["any_other"]
        assert found["can_choose"] == ["apple"]
        assert "'apple' or any other client's value" in found["sentence"]
        assert whatif(log, "end", ballots=0)["can_choose"] == []

    def test_so_it_can_in_a_search_of_whole_nodes(self) -> None:
        """Which begins ballots for new values only, too."""
        found = whatif(self.wish_on_its_way(2), "end", ballots=1, disk_faults=1, limit=40_000)
        assert found["any_other"]
        assert "apple" in found["can_choose"]

    @staticmethod
    def wish_on_its_way(node_count: int) -> list[Line]:
        """New nodes, and a client that has just asked one of them."""
        world = World(3, node_count)
        world.run(50)
        world.propose(60, 1, "apple")
        world.run_until(lambda line: line["event"] == "propose_invoked")
        lines = merge(world.lines)
        asked = next(i for i, line in enumerate(lines) if line["event"] == "propose_invoked")
        assert not any(line["event"] == "propose_received" for line in lines[: asked + 1])
        return lines[: asked + 1]

    def test_whoever_watches_can_stop_it(self) -> None:
        """Then it is not complete."""
        log = story("late-proposer")
        lines, run = log
        found = whatif(lines, 30, run=run, watch=lambda _states: False)
        assert not found["complete"]


class TestAgainstWholeNodes:
    """The small search leaves much out; that of whole nodes leaves nothing out."""

    @staticmethod
    def moments() -> Iterator[tuple[list[Line], int]]:
        """A duel of two proposers on three nodes, cut at several places."""
        world = World(3, 3)
        world.run(50)
        world.propose(60, 1, "apple")
        world.propose(60, 2, "pear")
        world.run(400)
        lines = merge(world.lines)
        begun = next(i for i, line in enumerate(lines) if line["event"] == "prepare_sent")
        for place in range(begun + 4, begun + 50, 15):
            yield lines, place + 1

    @pytest.mark.parametrize("ballots", [0, 1])
    def test_they_find_the_same_values(self, ballots: int) -> None:
        """Without a further ballot exactly; with one the small search may allow more, never less."""
        count = 0
        for lines, at in self.moments():
            moment = find_moment(lines, at)
            now = reconstruct(moment, Accused())
            bounds = Bounds(ballots, 0, 0, 60_000, beginners(now), ("plum",))
            small = search_choices(moment, now, bounds, None)
            assert small["complete"]
            values = {*small["can_choose"], *(["plum"] if small["any_other"] else [])}
            model = Onward(
                nodes=3,
                proposing=1,
                values=1,
                ballots=1,
                whole_steps=True,
                client_values=("plum",),
                known_values=now.values,
                beginners=bounds.beginners if ballots else (),
            )
            starts = [node.start for node in now.nodes]
            whole = search_from(starts, model, now.accused).run((), 60_000, None)
            assert whole.first_broken is None
            seen = {name.removeprefix(CHOSEN) for name in whole.traces if name.startswith(CHOSEN)}
            assert seen <= values, lines[at - 1]
            if whole.complete and not ballots:
                count += 1
                assert seen == values, lines[at - 1]
        assert ballots or count >= 2

    def test_a_search_from_new_nodes_is_the_search(self) -> None:
        """The same states, level by level, as one that begins with nothing."""
        model = Model(3, 1, 1, 1, 1, whole_steps=True)
        starts = [Start(nodes.newborn(model, Accused(), member)) for member in model.members]
        alone = PlainSearch(Tables(model, Accused())).run((), 10**6, None)
        begun = PlainSearch(Tables(model, Accused(), starts)).run((), 10**6, None)
        assert (alone.distinct, alone.progress.generated) == (
            begun.distinct,
            begun.progress.generated,
        )


BROKEN = [*(f"broken--{name}" for name in broken_names()), "tour--ignore-accepted"]


class TestVariants:
    """A broken protocol, shortly before it breaks a rule."""

    @pytest.mark.parametrize("name", BROKEN)
    def test_it_is_found_and_the_way_convicts(self, name: str) -> None:
        """Played on the simulator from the beginning, message by message, as the log was."""
        violation, at = before_violation(name, 8)
        found = ask(story(name), at, instance=violation["instance"])
        assert found["verdict"] == WRONG, found["sentence"]
        assert len(found["way"]) >= 1
        scenario = parse("way", json.loads(json.dumps(found["scenario"])))
        assert scenario.manual
        played = play(scenario, scenario.node_counts[0], 1, parts_of(scenario.variant))
        assert played.failure is None
        rules = [one.rule for one in check_lines(played.world.lines).violations]
        assert rules[0] == violation["rule"]
        assert found["properties"][rules[0]] == "broken"

    @pytest.mark.parametrize(
        "name", ["ignore-accepted", "promise-omits-accepted", "small-quorum", "number-reused"]
    )
    def test_the_way_gets_shorter_as_the_violation_comes_nearer(self, name: str) -> None:
        """And it takes one step at the least."""
        ways = []
        for back in (12, 8, 4, 1):
            violation, at = before_violation(f"broken--{name}-shortest", back)
            found = ask(story(f"broken--{name}-shortest"), at, instance=violation["instance"])
            ways.append(len(found["way"]))
        assert ways == sorted(ways, reverse=True)
        assert ways[-1] == 1

    @pytest.mark.parametrize(
        "name",
        [
            name
            for name, variant in VARIANTS.items()
            if variant.steps is not None
            and variant.steps <= 5
            and f"broken--{name}-shortest" in BROKEN
        ],
    )
    def test_from_a_fresh_cluster_it_is_as_short_as_the_gallery_says(self, name: str) -> None:
        """The search of whole nodes knows the shortest way of each variant."""
        variant = VARIANTS[name]
        shortest = f"broken--{name}-shortest"
        lines, run = story(shortest)
        begun = next(i for i, line in enumerate(lines) if line["event"] == "propose_invoked")
        found = ask((lines[:begun], run), "end", instance=1)
        assert found["verdict"] == WRONG
        assert len(found["way"]) == variant.steps

    def test_the_correct_protocol_at_the_same_place_is_safe(self) -> None:
        """n5 has heard apple and wants pear: the broken one pushes pear, the correct one cannot."""
        log = story("broken--ignore-accepted")
        _, at = before_violation("broken--ignore-accepted", 6)
        assert ask(log, at)["verdict"] == WRONG
        correct = ask(log, at, accused=Accused())
        assert (correct["verdict"], correct["can_choose"]) == (SAFE, ["apple"])
        assert not correct["any_other"]

    def test_behind_the_violation_it_has_gone_wrong(self) -> None:
        """With the checker's own sentence."""
        violation, at = before_violation("broken--small-quorum", 0)
        found = ask(story("broken--small-quorum"), at)
        assert found["verdict"] == ALREADY
        assert violation["sentence"] in found["sentence"]
        assert found["properties"]["R5"] == "broken"

    def test_without_the_crash_that_it_takes_nothing_is_found(self) -> None:
        """A bound is a bound, and is told."""
        name = "broken--promise-forgotten-shortest"
        _, at = before_violation(name, 8)
        assert ask(story(name), at)["bounds"]["crashes"] == 1
        assert ask(story(name), at, crashes=0, limit=20_000)["verdict"] == UNKNOWN


# --- the reconstruction ------------------------------------------------------------------------


def audit(log: Log, cut: int, instance: int, accused: Accused) -> int:
    """Go on from the reconstructed memories with the run's own inputs.

    Each state that a node logs afterwards must be the one that the memory comes to.

    Returns:
        How many states were compared.

    Raises:
        AssertionError: one is another.
    """
    lines = merge(log[0])
    moment = find_moment(lines, cut, log[1], instance)
    now = reconstruct(moment, accused)
    assert not now.doubts, now.doubts
    memories: dict[str, Instance | None] = {node.name: node.memory for node in now.nodes}
    compared = 0
    for line in moment.after:
        name = line["node"]
        if line["event"] == "node_started":
            # A new life begins with what is on the disk; that is audited apart.
            memories[name] = None
        memory = memories.get(name)
        if line["event"] == "settings_changed" or memory is None:
            continue
        if line["event"] in INPUTS and line.get("instance") == instance:
            body = body_of(line)
            given = input_of(body)
            after, effects = memory.step(given)
            expected = record(given, memory, effects, after, body.get("cause")).given
            assert comparable(expected) == body, line_id(line)
            memories[name] = after
            compared += 1
    return compared


def audit_disks(log: Log, cut: int, instance: int, accused: Accused) -> int:
    """What a start behind a cut finds on its disk must be what the reconstruction says.

    Looked at for nodes that are down at the cut, or that do nothing between it and their end.
    """
    lines = merge(log[0])
    moment = find_moment(lines, cut, log[1], instance)
    now = reconstruct(moment, accused)
    compared = 0
    for node in now.nodes:
        if node.status != "down":
            continue
        later = next((line for line in moment.after if line["node"] == node.name), None)
        if later is None or later["event"] != "node_started":
            continue
        recovered = next(
            (
                line
                for line in moment.after
                if line["node"] == node.name
                and (
                    (line["event"] == "state_recovered" and line["instance"] == instance)
                    or line["event"] == "node_ready"
                )
            ),
            None,
        )
        if recovered is None:
            continue
        stored = node.start.local.disk.cached
        if recovered["event"] == "node_ready":
            assert str(stored.promised) == "0.n0", line_id(recovered)
        else:
            assert str(stored.promised) == recovered["promised"], line_id(recovered)
            pair = recovered["accepted"]
            accepted = stored.accepted
            assert (pair is None) == (accepted is None), line_id(recovered)
            if pair is not None and accepted is not None:
                assert (str(accepted.ballot), accepted.value) == (pair["ballot"], pair["value"])
            assert stored.round == recovered["round"], line_id(recovered)
        compared += 1
    return compared


class TestReconstruction:
    @pytest.mark.parametrize(
        ("name", "instance"),
        [
            ("late-proposer", 1),
            ("competing", 1),
            ("crash-proposer", 1),
            ("partition", 1),
            ("pause", 1),
            ("power-loss", 1),
            ("tour", 2),
            ("broken--ignore-accepted", 1),
            ("broken--reply-before-write", 1),
        ],
    )
    def test_going_on_from_any_place_leads_to_the_runs_own_states(
        self, name: str, instance: int
    ) -> None:
        """The run's remaining inputs, given to what was reconstructed."""
        log = story(name)
        accused = accused_of(log[1]["variant"])
        compared = sum(audit(log, cut, instance, accused) for cut in range(12, len(log[0]) - 5, 17))
        assert compared > 70

    @pytest.mark.parametrize("name", [path.stem for path in FIXTURES])
    def test_so_it_does_on_real_nodes(self, name: str) -> None:
        """Recorded on processes and containers."""
        log = fixture(name)
        number = next(iter(log[1]["instances"].values()))
        assert sum(audit(log, cut, number, Accused()) for cut in range(20, 180, 23)) > 100

    @pytest.mark.parametrize("name", ["crash-after-promise", "restart-all", "power-loss"])
    def test_a_start_finds_the_disk_that_was_reconstructed(self, name: str) -> None:
        """Killed, without power, in the midst of a step: what comes back was there."""
        log = story(name)
        compared = 0
        for instance in log[1]["instances"].values():
            for cut, line in enumerate(merge(log[0])):
                if line["event"] == "node_started" and line["incarnation"] > 1:
                    compared += audit_disks(log, cut, instance, Accused())
        assert compared >= 3

    def test_the_audit_notices_a_memory_that_is_not_the_nodes(self) -> None:
        """The planted fault: an input is lost on the way, so the memory is an older one."""
        lines, run = story("late-proposer")
        lost = first((lines, run), event="promise_received", node="n5")
        cut = next(i for i, line in enumerate(merge(lines), 1) if line_id(line) == lost)
        moment = find_moment(lines, cut, run, 1)
        memory = reconstruct(moment, Accused()).nodes[4].memory
        earlier = reconstruct(find_moment(lines, cut - 1, run, 1), Accused()).nodes[4].memory
        assert memory != earlier
        assert memory is not None
        assert earlier is not None
        with pytest.raises(AssertionError):
            audit_from(moment.after, "n5", earlier)
        audit_from(moment.after, "n5", memory)

    def test_the_audit_of_disks_notices_a_record_that_is_missing(self) -> None:
        """The planted fault: what was synced is not in the log."""
        lines, run = story("restart-all")
        killed = first((lines, run), event="node_exited")
        cut = next(i for i, line in enumerate(merge(lines), 1) if line_id(line) == killed)
        assert audit_disks((lines, run), cut, 1, Accused()) or cut
        node = next(line["of"] for line in lines if line["event"] == "node_exited")
        last = [
            line
            for line in lines
            if line["event"] == "state_persisted" and line["node"] == node and "promised" in line
        ][-1]
        changed = [
            {**line, "promised": "0.n0", "accepted": None} if line is last else line
            for line in lines
        ]
        now = reconstruct(find_moment(changed, cut, run, 1), Accused())
        assert now.doubts or any(
            node_now.start.local.disk != other.start.local.disk
            for node_now, other in zip(
                now.nodes,
                reconstruct(find_moment(lines, cut, run, 1), Accused()).nodes,
                strict=True,
            )
        )

    def test_a_missing_line_makes_the_answer_unknown(self) -> None:
        """Nobody knows what a node remembers behind it."""
        lines, run = story("late-proposer")
        gone = first((lines, run), event="prepare_received", node="n3")
        found = ask(([line for line in lines if line_id(line) != gone], run), "chosen")
        assert found["verdict"] == UNKNOWN
        assert f"line {gone} is missing" in found["sentence"]

    def test_another_programs_states_are_not_relied_on(self) -> None:
        """A log that departs from the core is told as one."""
        lines, run = story("late-proposer")
        changed = [
            {**line, "quorum": 2} if line["event"] == "promise_received" and "have" in line
            else line
            for line in lines
        ]  # fmt: skip
        found = ask((changed, run), "chosen")
        assert found["verdict"] == UNKNOWN
        assert "departs from the core" in found["sentence"]

    def test_who_is_down_paused_and_up(self) -> None:
        """And a node that reads its disk is as good as down."""
        log = story("crash-majority")
        status = [
            {node["node"]: node["status"] for node in ask(log, at, limit=1)["nodes"]}
            for at in (first(log, event="prepare_sent"), first(log, node="n3", incarnation=2))
        ]
        assert status[0] == {"n1": "up", "n2": "up", "n3": "down", "n4": "down", "n5": "down"}
        assert status[1]["n3"] == "down"
        log = story("pause")
        paused = first(log, event="fault_applied", fault="pause")
        assert "paused" in {node["status"] for node in ask(log, paused, limit=1)["nodes"]}

    def test_a_disk_that_is_lost_keeps_its_node_down(self) -> None:
        """It refuses to start, so it answers never again, and still counts as an acceptor."""
        log = story("disk-faults")
        lost = [
            line_id(line)
            for line in log[0]
            if line["event"] == "fault_applied"
            and line["detail"].get("fault") in {"lose", "corrupt"}
        ]
        found = ask(log, lost[-1], instance=1)
        assert "refused" in {node["status"] for node in found["nodes"]}
        assert found["verdict"] == SAFE

    def test_a_power_loss_takes_what_was_not_synced(self) -> None:
        """A kill does not."""
        for verb, kept in (("kill", True), ("power_loss", False)):
            world = World(5, 3)
            world.run(50)
            world.propose(60, 1, "apple")
            world.run_until(lambda line: line["event"] == "value_learned" and line["node"] == "n2")
            getattr(world, verb)(0, 2)
            world.run_until(lambda line: line["event"] == "fault_applied")
            found = reconstruct(find_moment(world.lines, "end"), Accused())
            learned = found.nodes[1].start.local.disk.cached.learned
            assert (learned is not None) == kept, verb

    def test_what_a_cut_step_left_is_assumed_or_told_later(self) -> None:
        """Killed between two lines of a step: a later start tells, else it is said to be assumed."""
        lines, run = story("crash-after-promise")
        lines = merge(lines)
        hit = next(i for i, line in enumerate(lines) if line["event"] == "failpoint_hit")
        assert lines[hit]["failpoint"].startswith("after the sync")
        told = reconstruct(find_moment(lines, hit + 1, run, 1), Accused())
        assert told.assumed == ()
        written = next(
            i for i in range(hit, 0, -1)
            if lines[i]["event"] == "state_persisted" and lines[i]["node"] == "n3"
        )  # fmt: skip
        torn = [*lines[:written], *lines[written + 1 : hit], lines[hit]]
        alone = reconstruct(find_moment(torn, "end", None, 1), Accused())
        assert alone.doubts or alone.assumed

    def test_messages_that_were_sent_may_still_arrive(self) -> None:
        """All of them, once more each, and none that was not sent."""
        log = story("basic")
        now = reconstruct(find_moment(log[0], "end", log[1], 1), Accused())
        sent = [
            line for line in log[0]
            if line["event"] in {"prepare_sent", "promise_sent", "accept_sent", "accepted_sent",
                                 "nack_sent", "learn_sent"}
        ]  # fmt: skip
        assert sum(len(node.start.told) for node in now.nodes) == len(sent)


def audit_from(after: tuple[Line, ...], name: str, memory: Instance) -> None:
    """Go on with one node's remaining inputs; each state must be the log's."""
    for line in after:
        if line["node"] == name and line["event"] in INPUTS and line.get("instance") == 1:
            body = body_of(line)
            given = input_of(body)
            stepped, effects = memory.step(given)
            found = record(given, memory, effects, stepped, body.get("cause")).given
            assert comparable(found) == body, line_id(line)
            memory = stepped


def by_hand(*steps: dict[str, Any]) -> Log:
    """Three nodes; n1 asks n1 and n3 for apple, is promised, and then these steps."""

    def deliver(kind: str, source: str, to: str) -> dict[str, Any]:
        return {"deliver": {"kind": kind, "from": source, "to": to, "ballot": "1.n1"}}

    begun: list[dict[str, Any]] = [
        {"propose": {"at": "n1", "value": "apple"}},
        deliver("prepare", "n1", "n1"),
        deliver("prepare", "n1", "n3"),
        deliver("promise", "n1", "n1"),
        deliver("promise", "n3", "n1"),
    ]
    recipe: dict[str, Any] = {
        "v": 1, "seed": 7, "nodes": 3, "variant": None, "manual": True, "scenario": None,
        "settings": {},
        "commands": [
            {"after": 100 * place, "do": step} for place, step in enumerate([*begun, *steps])
        ],
    }  # fmt: skip
    played = run(recipe)
    return [decode(raw.encode()) for raw in played["lines"].splitlines()], played["run"]


def without(log: Log, **fields: Any) -> Log:
    """A log without the lines that have one of these values in each of these fields."""
    lines, table = log
    kept = [
        line for line in lines if not all(line.get(name) in found for name, found in fields.items())
    ]
    assert len(kept) < len(lines)
    return kept, table


class TestMissingLines:
    """What the checker calls unknown for missing lines cannot be answered from."""

    def test_of_an_acceptor_that_is_down(self) -> None:
        """n1 and n3 have accepted apple; without n3's lines nobody knows that it is chosen."""
        accepts = [
            {"deliver": {"kind": "accept", "from": "n1", "to": to, "ballot": "1.n1"}}
            for to in ("n1", "n3")
        ]
        log = by_hand(*accepts, {"kill": "n3"})
        assert ask(log, "end")["chosen"] == "apple"
        log = without(log, event={"disk_read"})
        accepted = [
            line["seq"]
            for line in log[0]
            if line["node"] == "n3"
            and (line["event"] in {"accept_received", "accepted_sent"} or line.get("accepted"))
        ]
        torn = without(log, node={"n3"}, seq=set(accepted))
        assert check_lines(*torn).verdict == UNKNOWN
        found = ask(torn, "end")
        assert (found["verdict"], found["can_choose"]) == (UNKNOWN, [])
        assert f"lines {accepted[0]} to {accepted[-1]} of n3's incarnation 1" in found["sentence"]

    def test_of_an_incarnation_that_is_over(self) -> None:
        """What it sent may still arrive, so it counts."""
        log = by_hand({"kill": "n1"}, {"start": "n1"})
        assert ask(log, "end")["can_choose"] == ["apple"]
        found = ask(without(log, node={"n1"}, event={"accept_sent"}), "end")
        assert found["verdict"] == UNKNOWN
        assert "of n1's incarnation 1 are missing" in found["sentence"]

    def test_of_a_whole_node_that_ran(self) -> None:
        """The table has a piece of its log, or another's line is of a message from it."""
        log = without(by_hand(), node={"n3"})
        found = ask(log, "end")
        assert found["verdict"] == UNKNOWN
        assert "the log of n3 holds no line of its incarnation 1" in found["sentence"]
        world = World(3, 3)
        world.run(50)
        world.propose(60, 1, "apple")
        world.run_until(lambda line: line.get("source") == "n3" and line["node"] != "n3")
        lines = [line for line in world.lines if line["node"] != "n3"]
        alone = whatif(lines, "end")
        assert alone["verdict"] == UNKNOWN
        assert "the log of n3 is missing, and n" in alone["sentence"]

    def test_a_node_of_which_nothing_is_told_is_taken_for_new(self) -> None:
        """No line of it, no piece, and no line of another by which it ran."""
        lines, table = by_hand()
        sent = next(i for i, line in enumerate(lines) if line["event"] == "prepare_sent")
        log = [line for line in lines[: sent + 1] if line["node"] != "n3"]
        table["pieces"]["n3"] = []
        found = ask((log, table), "end", ballots=1)
        assert found["verdict"] == SAFE
        assert found["assumed"] == ["n3 is taken for new, for the log holds no line of it"]

    def test_at_the_end_of_one_log_alone(self) -> None:
        """The others go on to the end that the table names, or quote what is not there."""
        lines, table = story("late-proposer")
        last = [line for line in merge(lines) if line["node"] == "n3"]
        kept = [line for line in lines if line not in last[-3:]]
        assert "and the run saw it until" in ask((kept, table), "end", instance=1)["sentence"]
        sent = [line["seq"] for line in last if line["event"] == "accepted_sent"]
        kept = [line for line in lines if line["node"] != "n3" or line["seq"] < sent[0]]
        found = ask((kept, table | {"pieces": {}}), "end", instance=1)
        assert found["verdict"] == UNKNOWN

    def test_what_is_missing_behind_the_moment_does_not_matter(self) -> None:
        """Just before a node's next line it may be of the past, though."""
        lines, table = story("late-proposer")
        own = [line for line in merge(lines) if line["node"] == "n3"]
        torn = [line for line in lines if line is not own[-5]], table
        names = [line_id(line) for line in merge(torn[0])]
        early = names[names.index(line_id(own[-6])) - 1]
        assert reconstruct(find_moment(*torn_at(torn, early)), Accused()).doubts == ()
        between = reconstruct(find_moment(*torn_at(torn, line_id(own[-6]))), Accused())
        assert between.doubts == (f"line {line_id(own[-5])} is missing",)

    @pytest.mark.parametrize("name", ["crash-majority", "restart-all", "partition", "docker"])
    def test_a_log_up_to_the_present_lacks_nothing(self, name: str) -> None:
        """Whoever hands in its beginning only, with the table of the whole run, gets an answer."""
        log = fixture("docker-late-proposer") if name == "docker" else story(name)
        lines = merge(log[0])
        members = set(log[1]["members"])
        begun = max(
            next(i for i, line in enumerate(lines) if line["node"] == node) for node in members
        )
        number = next(iter(log[1]["instances"].values()))
        for count in range(begun + 1, len(lines) - 20, 29):
            moment = find_moment(lines[:count], "end", log[1], number)
            assert moment.missing == (), count
            assert find_moment(lines, count, log[1], number).missing == (), count


def torn_at(log: Log, at: str) -> tuple[list[Line], str, Any, int]:
    """What a moment is found by."""
    return log[0], at, log[1], 1


class TestQuestions:
    @pytest.mark.parametrize(
        ("at", "options", "sentence"),
        [
            ("n9/1/1", {}, "there is no line 'n9/1/1' in the log"),
            ("nonsense", {}, "give a line's name"),
            (0, {}, "there is no line 0: the log has 116"),
            ("117", {}, "there is no line 117"),
            ("end", {"instance": 7}, "there is no instance 7; the run has 1 (fruit)"),
            ("end", {"instance": "melon"}, "there is no instance melon"),
            ("end", {"ballots": 9}, "ballots is 9, and may be 0 to 4"),
            ("end", {"crashes": -1}, "crashes is -1"),
            ("end", {"disk_faults": 5}, "disk_faults is 5"),
            ("end", {"limit": 0}, "the limit is 0"),
        ],
    )
    def test_a_bad_one_gets_a_sentence(
        self, at: str | int, options: dict[str, Any], sentence: str
    ) -> None:
        """Which says what would be right."""
        with pytest.raises(WhatIfError) as error:
            ask(story("basic"), at, **options)
        assert sentence in str(error.value)

    def test_of_several_instances_one_must_be_meant(self) -> None:
        """The line tells where it is of one."""
        log = story("competing")
        with pytest.raises(WhatIfError, match="say which instance: the run has 1 "):
            ask(log, "end")
        assert ask(log, first(log, event="prepare_sent"), limit=1)["instance"] == 1

    def test_nothing_chosen_has_no_moment(self) -> None:
        """A log in which nothing is chosen."""
        with pytest.raises(WhatIfError, match="no value is chosen in this log"):
            ask(story("basic--strict-accept"), "chosen")

    @pytest.mark.parametrize(
        ("lines", "sentence"),
        [
            ([], "the log is empty"),
            ([{"event": "nonsense"}], "that is no log"),
            (
                [
                    {
                        "v": 1, "node": "n1", "incarnation": 1, "seq": 1, "at_ns": 0,
                        "event": "prepare_sent", "instance": 1, "to": "n2", "ballot": "1.n1",
                    }
                ],
                "no line says who the members are",
            ),
        ],
    )  # fmt: skip
    def test_no_log_gets_a_sentence(self, lines: list[Line], sentence: str) -> None:
        """Whatever is dropped on the page."""
        with pytest.raises(WhatIfError) as error:
            whatif(lines, "end")
        assert sentence in str(error.value)

    def test_long_values_stand_as_in_the_log(self) -> None:
        """By length and digest."""
        world = World(1, 3)
        world.run(50)
        world.propose(60, 1, "x" * 300)
        world.run(5_000)
        found = whatif(world.lines, "chosen")
        (value,) = found["can_choose"]
        assert value["bytes"] == 300
        assert value == found["chosen"]

    def test_a_tab_may_ask_for_as_much_as_anybody(self) -> None:
        """Its bounds are the question's own; only how many states is bounded there besides."""
        for name, most in MOST.items():
            request = {"jsonl": "", name: most + 1}
            with pytest.raises(SandboxError, match=f"{name} is from 0 to {most}, not {most + 1}"):
                whatif_in_a_tab(request)

    def test_fresh_values_are_nobodys(self) -> None:
        """One at least, and two where nobody has wished for anything."""
        assert len(fresh_values(())) == 2
        assert len(fresh_values(("apple",))) == 1
        assert not set(fresh_values(("apple", "pear", "plum", "fig"))) & {"apple", "fig"}

    def test_it_runs_in_a_tab(self) -> None:
        """No numpy, and no variant but one that is handed in."""
        program = (
            "import sys\nimport paxos.whatif\nimport paxos.checker.why\n"
            "bad = [name for name in ('numpy', 'paxos.variants') if name in sys.modules]\n"
            "sys.exit(', '.join(bad) or 0)\n"
        )
        subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True)
