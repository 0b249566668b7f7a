"""Logs replayed through the core: those that it wrote conform, and every departure is found.

The logs are simulated, so each is told again by its seed; what real processes
log is replayed in ``test_scenario_runs``. A departure is planted by changing a
log by hand.
"""

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from paxos.conformance import (
    DEPARTED,
    OK,
    SKIPPED,
    UNKNOWN,
    Conformance,
    OutOfOrder,
    Table,
    conform,
    conform_in_any_order,
)
from paxos.events import Line, line_id
from paxos.protocol import ROLES, Roles
from paxos.simulator import Conditions, World
from paxos.variants import VARIANTS
from tests.test_checker_worlds import rough_world

SEED = 11
"""Of a world with rivals, kills, refusals and long values."""


@pytest.fixture(scope="module")
def world_log() -> list[Line]:
    """The lines of a correct world; a test that changes them takes a copy."""
    return rough_world(SEED).lines


def nodes_of(lines: Iterable[Line]) -> list[Line]:
    """The lines without the runner's."""
    return [line for line in lines if line["node"] != "orchestrator"]


def find(lines: list[Line], event: str, **fields: Any) -> int:
    """Where the first line of an event stands that has these fields."""
    for place, line in enumerate(lines):
        if line["event"] == event and all(line.get(name) == fields[name] for name in fields):
            return place
    raise AssertionError(f"the log holds no {event} with {fields}")


def renumbered(lines: list[Line]) -> list[Line]:
    """The same with every incarnation counted from 1 again: no gap tells what was taken out."""
    seqs: dict[tuple[str, int], int] = {}
    found = []
    for line in lines:
        key = (line["node"], line["incarnation"])
        seqs[key] = seqs.get(key, 0) + 1
        found.append({**line, "seq": seqs[key]})
    return found


def departure(found: Conformance) -> str:
    """The sentence of the one departure of a log."""
    assert found.verdict == DEPARTED, found.sentence()
    first, *rest = found.departures
    assert not rest, [one.sentence for one in rest]
    return first.sentence


class TestWhatTheCoreWrote:
    @pytest.mark.parametrize("seed", range(40))
    def test_a_correct_world_conforms(self, seed: int) -> None:
        """Kills, power losses, pauses, cuts, loss and duplicates are no departure."""
        found = conform(rough_world(seed).lines)
        assert found.verdict == OK or not found.step_count, found.as_json()

    def test_a_log_may_end_anywhere(self, world_log: list[Line]) -> None:
        """A crash cuts a step's effects where it will."""
        lines = nodes_of(world_log)
        for end in range(1, len(lines), 3):
            found = conform(lines[:end])
            assert not found.departures, (end, found.as_json())

    def test_a_kill_may_leave_an_unsaid_record_on_the_disk(self) -> None:
        """Written and not said: the next start finds it. Neither state is a departure."""
        lines = nodes_of(rough_world(SEED).lines)
        place = find(lines, "state_persisted", record="acceptor", incarnation=1)
        node, number = lines[place]["node"], lines[place]["instance"]
        record = {name: lines[place][name] for name in ("promised", "accepted")}
        kept = [line for line in lines[:place] if line["node"] == node]
        start = {**kept[0], "incarnation": 2}
        states = [
            {**record, "round": -1, "learned": None},
            {"promised": "0.n0", "accepted": None, "round": -1, "learned": None},
        ]
        rounds = [line["round"] for line in kept if line["event"] == "state_persisted"]
        for state in states:
            back = {
                **{name: start[name] for name in ("v", "node", "incarnation", "at_ns")},
                "seq": 2,
                "event": "state_recovered",
                "instance": number,
                **state,
                "round": max(rounds, default=-1),
            }
            assert conform([*kept, start, back]).verdict == OK

    def test_a_kill_may_fall_into_a_start(self) -> None:
        """What that start had not told yet is on the disk as before."""
        lines, start = next(
            (lines, recovered)
            for lines in (nodes_of(rough_world(seed).lines) for seed in range(40))
            for recovered in lines
            if recovered["event"] == "state_recovered" and recovered["promised"] != "0.n0"
        )
        node, incarnation = start["node"], start["incarnation"]
        twice = []
        for line in (line for line in lines if line["node"] == node):
            if line["incarnation"] == incarnation and line["event"] == "node_started":
                twice.append(line)
            later = line["incarnation"] >= incarnation
            twice.append({**line, "incarnation": line["incarnation"] + 1} if later else line)
        found = conform_in_any_order(twice)
        assert found.verdict == OK, found.as_json()

    def test_lines_may_be_given_in_any_order_if_one_says_so(self, world_log: list[Line]) -> None:
        """In a stream they must be in their node's order."""
        backwards = list(reversed(world_log))
        with pytest.raises(OutOfOrder, match="comes behind"):
            conform(backwards)
        assert conform_in_any_order(backwards).as_json() == conform(world_log).as_json()

    def test_repeated_lines_count_once(self, world_log: list[Line]) -> None:
        """Merged files hold some twice."""
        twice = conform_in_any_order([*world_log, *world_log])
        assert twice.as_json() == conform(world_log).as_json()


def changed(event: str, change: Callable[[Line], object], **fields: Any) -> Callable[..., None]:
    """Plant: change the first such line."""

    def plant(lines: list[Line]) -> None:
        change(lines[find(lines, event, **fields)])

    return plant


def removed(event: str, **fields: Any) -> Callable[..., None]:
    """Plant: take the first such line out."""

    def plant(lines: list[Line]) -> None:
        del lines[find(lines, event, **fields)]

    return plant


def repeated(event: str, **fields: Any) -> Callable[..., None]:
    """Plant: write the first such line twice."""

    def plant(lines: list[Line]) -> None:
        place = find(lines, event, **fields)
        lines.insert(place + 1, dict(lines[place]))

    return plant


def swapped(event: str, **fields: Any) -> Callable[..., None]:
    """Plant: the first such line changes places with the next one of its node and instance."""

    def plant(lines: list[Line]) -> None:
        place = find(lines, event, **fields)
        line = lines[place]
        other = next(
            later
            for later in range(place + 1, len(lines))
            if lines[later]["node"] == line["node"]
            and lines[later].get("instance") == line["instance"]
        )
        lines[place], lines[other] = lines[other], lines[place]

    return plant


PLANTED: dict[str, tuple[Callable[[list[Line]], None], str]] = {
    "a state that the core would not be in": (
        changed(
            "prepare_received",
            lambda line: line["after"]["acceptor"].update(promised="9.n9"),
        ),
        r"after\.acceptor\.promised is 9\.n9; the core's is \d+\.n\d",
    ),
    "a state that is not told": (
        changed("prepare_received", lambda line: (line.pop("before"), line.pop("after"))),
        r"before is absent; the core's is ",
    ),
    "a reason of its own": (
        changed("accepted_received", lambda line: line.update(ignored="it is Monday")),
        r"ignored is it is Monday; the core's is absent",
    ),
    "a quorum that is counted wrong": (
        changed("promise_received", lambda line: line.update(have=["n1", "n2", "n3"])),
        r"have is n1, n2 and n3; the core's is n\d",
    ),
    "a promise of a lower ballot": (
        changed("promise_sent", lambda line: line.update(ballot="0.n1")),
        r"ballot is 0\.n1; the core's is \d+\.n\d",
    ),
    "a promise that reports another pair": (
        changed(
            "promise_sent",
            lambda line: line.update(accepted={"ballot": "1.n1", "value": "melon"}),
        ),
        r"accepted is .*melon.*; the core's is ",
    ),
    "a record that was not asked for": (
        changed("state_persisted", lambda line: line.update(promised="9.n9"), record="acceptor"),
        r"promised is 9\.n9; the core's is \d+\.n\d",
    ),
    "another reply": (
        changed(
            "promise_sent",
            lambda line: (
                line.pop("accepted"),
                line.update(event="nack_sent", promised="9.n9", request="prepare"),
            ),
        ),
        r"here the core has: n\d promises",
    ),
    "a record that is missing": (
        removed("state_persisted", record="acceptor"),
        r"here the core has: n\d has it on disk|here the core has: .*disk",
    ),
    "a message that is missing": (
        removed("prepare_sent"),
        r"here the core has: n\d asks n\d|to is n\d; the core's is n\d|here the core has: ",
    ),
    "a message too many": (
        repeated("accepted_sent"),
        r"the core does nothing here|here the core has: ",
    ),
    "a reply ahead of its record": (
        swapped("state_persisted", record="acceptor"),
        r"here the core has: ",
    ),
    "a timer beyond its range": (
        changed("timer_set", lambda line: line.update(after_ms=999_999), timer="patience"),
        r"after_ms is 999999; the core gave 400 to 400",
    ),
    "a timer that the core does not have": (
        changed("timeout_fired", lambda line: line.update(timer="tea")),
        r"the core knows no such input: 'tea'",
    ),
    "an effect without an input": (
        changed("learned_received", lambda line: line.update(event="learned_sent", to="n1")),
        r"the core does nothing here",
    ),
}


class TestPlantedDepartures:
    @pytest.mark.parametrize("what", PLANTED)
    def test_it_is_found_where_it_is(self, world_log: list[Line], what: str) -> None:
        """At its node, in its instance, and nowhere else."""
        plant, sentence = PLANTED[what]
        lines = copy.deepcopy(nodes_of(world_log))
        plant(lines)
        found = conform(renumbered(lines))
        assert re.search(sentence, departure(found)), departure(found)
        json = found.as_json()
        assert json["departure_count"] == 1
        assert json["departures"][0]["line"].startswith(json["departures"][0]["node"])

    def test_every_effect_that_is_missing_is_found(self, world_log: list[Line]) -> None:
        """Whichever it is, as long as the instance goes on behind it in that incarnation."""
        lines = nodes_of(world_log)
        tried = 0
        for place, line in enumerate(lines):
            if not line["event"].endswith(("_sent", "_persisted", "timer_set", "value_learned")):
                continue
            number = line.get("instance")
            goes_on = any(
                later["node"] == line["node"]
                and later["incarnation"] == line["incarnation"]
                and later.get("instance") == number
                and later["event"] != "failpoint_hit"
                for later in lines[place + 1 :]
            )
            if number is None or not goes_on:
                continue
            tried += 1
            found = conform(renumbered(lines[:place] + lines[place + 1 :]))
            assert found.verdict == DEPARTED, line
            assert found.departures[0].line["node"] == line["node"]
        assert tried > 100

    def test_a_node_that_stops_has_finished_what_it_began(self) -> None:
        """What a crash may take, a clean stop may not: the last effects are missed."""
        world = World(SEED, 3)
        world.propose(0, 1, "apple")
        world.run()
        world.nodes[2].ask_to_stop()
        lines = nodes_of(world.lines)
        assert conform(lines).verdict == OK
        (stopped,) = [line for line in lines if line["event"] == "node_stopped"]
        own = [line for line in lines if line["node"] == "n2"]
        last_input = max(
            place for place, line in enumerate(own) if line["event"] == "learn_received"
        )
        undone = own[last_input + 1 : own.index(stopped)]
        assert "learned_sent" in {line["event"] for line in undone}
        kept = renumbered([line for line in lines if line not in undone])
        assert departure(conform(kept)).startswith("before it stopped the core has: n2 ")

    def test_what_was_durable_must_come_back(self) -> None:
        """A node that recovers less than it had made durable departs, round or promise."""
        lines, place = next(
            (lines, place)
            for lines in (nodes_of(rough_world(seed).lines) for seed in range(40))
            for place, line in enumerate(lines)
            if line["event"] == "state_recovered" and line["promised"] != "0.n0"
        )
        forgot = [dict(line) for line in lines]
        forgot[place].update(promised="0.n0", accepted=None)
        found = conform(forgot)
        assert found.verdict == DEPARTED
        assert found.departures[0].line == forgot[place]
        gone = renumbered(lines[:place] + lines[place + 1 :])
        found = conform(gone)
        assert found.verdict == DEPARTED
        assert found.departures[0].line["event"] == "node_ready"

    def test_what_comes_behind_a_departure_counts_no_more(self, world_log: list[Line]) -> None:
        """From there on the node is in a state that the core is not in: one finding, not fifty."""
        lines = copy.deepcopy(nodes_of(world_log))
        for line in lines:
            if line["event"] == "promise_sent":
                line["ballot"] = "0.n1"
        found = conform(lines)
        keys = [
            (one.line["node"], one.line["incarnation"], one.instance) for one in found.departures
        ]
        assert len(keys) == len(set(keys)) > 1

    def test_the_rest_of_the_log_is_still_followed(self, world_log: list[Line]) -> None:
        """Other nodes and instances are compared to the end."""
        lines = copy.deepcopy(nodes_of(world_log))
        changed("promise_sent", lambda line: line.update(ballot="0.n1"))(lines)
        whole, departed = conform(world_log), conform(lines)
        assert departed.node_count == whole.node_count
        assert departed.step_count > whole.step_count // 2


def slow_world(seed: int, roles: Roles) -> World:
    """Two proposers, and messages that are slower than patience: replies come late."""
    world = World(
        seed,
        node_count=3,
        roles=roles,
        conditions=Conditions(latency_least_us=1_000, latency_most_us=900_000),
    )
    world.propose(0, 1, "apple")
    world.propose(300, 3, "pear")
    world.run(6_000)
    return world


LATE = {"stale-nack", "stale-promises"}
"""These are about replies to an older ballot."""
BY_ROLES = [name for name, variant in VARIANTS.items() if variant.roles != ROLES]


class TestBrokenVariants:
    @pytest.mark.parametrize("name", BY_ROLES)
    def test_a_broken_role_departs(self, name: str) -> None:
        """What it changes is seen, whether a rule breaks or not."""
        make = slow_world if name in LATE else rough_world
        roles = VARIANTS[name].roles
        assert any(conform(make(seed, roles).lines).departures for seed in range(60))
        assert not any(conform(make(seed, ROLES).lines).departures for seed in range(5))

    def test_it_is_reported_and_no_finding(self, world_log: list[Line]) -> None:
        """There it is expected: the verdict says how often, and that it was not judged."""
        lines = copy.deepcopy(nodes_of(world_log))
        for line in lines:
            if line["event"] == "node_started":
                line["variant"] = "small-quorum"
        changed("promise_sent", lambda line: line.update(ballot="0.n1"))(lines)
        found = conform(lines)
        assert found.verdict == SKIPPED
        assert found.sentence() == (
            "not judged: the nodes ran the broken variant small-quorum; "
            "it departs from the core at 1 place"
        )


class TestWhatIsNotKnown:
    def test_a_gap_ends_what_can_be_followed(self, world_log: list[Line]) -> None:
        """No departure is made of lines that are missing."""
        lines = nodes_of(world_log)
        place = find(lines, "promise_sent")
        found = conform(lines[:place] + lines[place + 1 :])
        assert found.verdict == UNKNOWN
        assert "lines are missing between" in found.reasons[0]
        assert not found.departures

    def test_a_departure_before_a_gap_is_a_departure(self, world_log: list[Line]) -> None:
        """What is there speaks for itself."""
        lines = copy.deepcopy(nodes_of(world_log))
        place = find(lines, "prepare_received")
        lines[place]["ignored"] = "it is Monday"
        node = lines[place]["node"]
        last = max(number for number, line in enumerate(lines) if line["node"] == node)
        del lines[last - 1]
        assert conform(lines).verdict == DEPARTED

    def test_a_log_that_tells_no_states_is_another_programs(self, world_log: list[Line]) -> None:
        """Whoever wrote it, the rules judge it; it need not be this core."""
        lines = [
            {name: line[name] for name in line if name not in {"before", "after"}}
            for line in world_log
        ]
        found = conform(lines)
        assert found.verdict == SKIPPED
        assert "no line tells a state" in found.reasons[0]

    def test_an_empty_log_is_no_conformance(self) -> None:
        """Nothing was compared."""
        assert conform([]).verdict == SKIPPED


class TestPieces:
    """A run may begin in the middle of an incarnation."""

    def test_it_begins_where_the_table_says_with_the_settings_that_it_names(self) -> None:
        """Lines before it are passed over, and instances of other runs."""
        lines = nodes_of(rough_world(SEED).lines)
        began = [line for line in lines if line["node"] == "n1" and line["incarnation"] == 1]
        begin = next(line for line in began if line["event"] == "node_ready")
        table = Table(
            members=tuple(began[0]["members"]),
            instances=frozenset({1}),
            begins={"n1": (1, begin["seq"])},
            settings={"n1": began[0]["settings"]},
        )
        rest = began[begin["seq"] - 1 :]
        found = conform(rest, table)
        assert (found.verdict, found.reasons) == (OK, ())
        assert conform(began, table) == found
        unknown = conform(rest, Table(table.members, table.instances, table.begins, settings={}))
        assert unknown.verdict == UNKNOWN
        assert unknown.reasons == (f"nothing says with which settings n1 ran at {line_id(begin)}",)

    def test_a_change_of_settings_is_followed(self) -> None:
        """From its line on, for its instances: another range of the patience timer."""
        lines = nodes_of(rough_world(SEED).lines)
        start = next(line for line in lines if line["node"] == "n1")
        change = {
            **{name: start[name] for name in ("v", "node", "incarnation", "seq", "at_ns")},
            "event": "settings_changed",
            "first_instance": 1,
            "last_instance": 9,
            "settings": {"patience_ms": 7},
        }
        place = lines.index(start) + 1
        found = conform(renumbered([*lines[:place], change, *lines[place:]]))
        assert found.verdict == DEPARTED
        assert all("the core gave 7 to 7" in one.sentence for one in found.departures)
