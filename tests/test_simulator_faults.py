"""What may go wrong in a simulated world, and that it goes wrong as in a real one."""

from collections import Counter

import pytest

from paxos.chance import Chance
from paxos.checker import check_lines
from paxos.conformance import conform
from paxos.events import Line, problems
from paxos.protocol import AcceptorRecord, RoundRecord, Settings
from paxos.scenario import model as do
from paxos.simulator import Conditions, World
from paxos.simulator.disk import Disk
from paxos.simulator.failpoints import Armed
from paxos.simulator.faults import Faults, NotPossible
from paxos.simulator.node import (
    EXIT_DISK_FAILED,
    EXIT_KILLED,
    EXIT_STATE_REFUSED,
    EXIT_STOPPED,
)
from paxos.storage import KEEPING, Keeping

SLOW_SYNCS = Conditions(sync_least_us=5_000, sync_most_us=5_000)


def events(world: World, node: str = "") -> list[str]:
    """The events of a world's lines, or of one node's."""
    return [line["event"] for line in world.lines if node in ("", line["node"])]


def of(world: World, event: str) -> list[Line]:
    """A world's lines of one event."""
    return [line for line in world.lines if line["event"] == event]


def assert_sound(world: World) -> None:
    """Every line is of the schema, the rules hold, and every step is the core's."""
    for line in world.lines:
        assert problems(line) == []
    world.read_disks()
    assert check_lines(world.lines).verdict == "ok", check_lines(world.lines).as_text()
    assert not conform(world.lines).departures


def ready(node_count: int = 3, conditions: Conditions | None = None, seed: int = 1) -> World:
    """A world whose nodes serve and whose links are up."""
    world = World(seed, node_count, conditions=conditions or Conditions())
    world.run()
    return world


def with_faults(world: World) -> Faults:
    """The faults of a world with one instance."""
    return Faults(world, {"fruit": 1})


def gate(action: str, **fields: object) -> do.GateRule:
    """A rule of the gates."""
    return do.GateRule(action, str(fields.pop("name", action)), **fields)  # type: ignore[arg-type]


# --- the network --------------------------------------------------------------------------


def test_a_cut_of_one_way_leaves_the_other() -> None:
    """n2's requests reach n1, whose answers are lost: n2 hears itself and n3 only."""
    world = ready()
    world.cut(0, "deaf", (1, 2))
    world.propose(1, 2, "apple")
    world.run_until(lambda line: line["event"] == "value_learned" and line["node"] == "n2")
    assert {line["source"] for line in of(world, "promise_received")} == {"n2", "n3"}
    assert any(
        line["node"] == "n1" and line["source"] == "n2" for line in of(world, "prepare_received")
    )
    world.heal(world.now_ns // 1_000_000)
    world.run()
    assert world.chosen_by(1) == "apple"
    assert_sound(world)


def test_cuts_overlap_and_each_is_mended_by_itself() -> None:
    """A way that two cuts share is open only when both are over."""
    world = ready()
    world.network.cut("first", [(1, 2), (2, 1)])
    world.network.cut("second", [(1, 2), (1, 3)])
    world.network.mend("first")
    assert not world.network.passes(1, 2)
    assert world.network.passes(2, 1)
    world.network.mend("second")
    assert all(world.network.passes(a, b) for a in (1, 2, 3) for b in (1, 2, 3) if a != b)
    assert Counter(events(world))["link_down"] == Counter(events(world))["link_up"] - 6


def test_a_gate_loses_a_share_and_no_more() -> None:
    """`drop` with 100 percent of a kind loses all of it and nothing else."""
    world = ready()
    with_faults(world).rule(gate("drop", kinds=("accept",), percent=100))
    world.propose(0, 1, "apple", timeout_ms=500)
    world.run(2_000)
    assert {line["kind"] for line in of(world, "message_dropped")} == {"accept"}
    assert not of(world, "accept_received")
    assert of(world, "promise_received")
    assert_sound(world)


def test_a_held_message_passes_when_it_is_released_and_not_before() -> None:
    """Messages of a node to itself are held like any others; the oldest go first."""
    world = ready()
    faults = with_faults(world)
    faults.rule(gate("hold", name="accepts", kinds=("accept",)))
    world.propose(0, 1, "apple", timeout_ms=60_000)
    world.run_until(lambda _: len(of(world, "message_held")) == 3)
    assert not of(world, "accept_received")
    faults.release(do.Release("accepts", first=1, to=("n3",)))
    world.run_until(lambda line: line["event"] == "accept_received")
    assert [line["node"] for line in of(world, "accept_received")] == ["n3"]
    with pytest.raises(NotPossible, match="1 of them are not held"):
        faults.release(do.Release("accepts", first=3))
    faults.heal()
    world.run()
    assert world.chosen_by(2) == "apple"
    assert_sound(world)


def test_what_a_node_holds_is_lost_with_it() -> None:
    """A gate is a part of its process."""
    world = ready()
    faults = with_faults(world)
    faults.rule(gate("hold", name="accepts", kinds=("accept",)))
    world.propose(0, 1, "apple")
    world.run_until(lambda _: len(of(world, "message_held")) == 3)
    faults.kill(["n1"])
    faults.heal(["accepts"])
    world.run(1_000)
    assert not of(world, "accept_received")


def test_a_duplicate_is_answered_again_and_counted_once() -> None:
    """Quorums are sets of acceptors, not numbers of messages."""
    world = ready()
    with_faults(world).rule(gate("duplicate", kinds=("prepare",), percent=100, copies=2))
    world.propose(0, 1, "apple")
    world.run()
    received = Counter(line["node"] for line in of(world, "prepare_received"))
    assert received == {"n1": 3, "n2": 3, "n3": 3}
    assert_sound(world)


def test_a_reordered_message_follows_the_one_that_overtook_it() -> None:
    """n3 meets n1's Accept before its Prepare, and promises what it has accepted already."""
    for seed in range(10):
        world = ready(seed=seed)
        rule = gate("reorder", sources=("n1",), to=("n3",), percent=100, delay_most_ms=300)
        with_faults(world).rule(rule)
        world.propose(0, 1, "apple")
        world.run()
        told = of(world, "message_reordered")
        assert told, seed
        assert told[0]["behind"] is not None, seed
        at_n3 = [event for event in events(world, "n3") if event.endswith("_received")]
        assert at_n3.index("accept_received") < at_n3.index("prepare_received"), seed
        assert_sound(world)


def test_a_message_that_nobody_overtakes_goes_on_in_the_end() -> None:
    """`delay_most_ms` is the longest that it waits."""
    world = ready()
    with_faults(world).rule(gate("reorder", kinds=("promise",), percent=100, delay_most_ms=50))
    world.propose(0, 1, "apple")
    world.run()
    assert {line["behind"] for line in of(world, "message_reordered")} == {None}
    assert world.chosen_by(1) == "apple"


# --- processes ------------------------------------------------------------------------------


def test_a_node_that_is_asked_to_stop_ends_its_step_and_says_so() -> None:
    """SIGTERM in the middle of a sync: the sync is done, the reply leaves, then the last line."""
    world = ready(conditions=SLOW_SYNCS)
    world.propose(0, 1, "apple")
    world.run_until(lambda line: line["event"] == "prepare_received" and line["node"] == "n2")
    world.stop(0, 2)
    world.run(1_000)
    assert events(world, "n2")[-3:] == ["promise_sent", "timer_set", "node_stopped"]
    assert world.nodes[2].exit == (EXIT_STOPPED, "it was asked to stop")
    world.start(0, 2)
    world.run()
    assert_sound(world)


def test_a_kill_leaves_what_was_written_and_a_power_loss_takes_it() -> None:
    """The page cache outlives a process, not a power loss (§2.5 asks for stable storage)."""
    promised = {}
    for verb in ("kill", "power_loss"):
        world = ready(conditions=SLOW_SYNCS)
        world.propose(0, 1, "apple")
        world.run_until(lambda line: line["event"] == "prepare_received" and line["node"] == "n2")
        getattr(world, verb)(0, 2)
        world.start(0, 2)
        line = world.run_until(lambda line: line["event"] == "node_ready")
        promised[verb] = line["instance_count"]
        world.run()
        assert_sound(world)
    assert promised == {"kill": 1, "power_loss": 0}


def test_a_tear_leaves_some_first_part_of_a_record_which_is_cut_off() -> None:
    """A torn record was never told to anybody: a start cuts it and goes on."""
    torn = whole = 0
    for seed in range(40):
        world = ready(conditions=SLOW_SYNCS, seed=seed)
        world.propose(0, 1, "apple")
        world.run_until(lambda line: line["event"] == "prepare_received" and line["node"] == "n2")
        world.power_loss(0, 2, tears=True)
        world.start(0, 2)
        world.run()
        torn += "tail_cut" in events(world, "n2")
        whole += "state_recovered" in events(world, "n2")
        assert_sound(world)
    assert torn > 20


# --- failpoints -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "power", "recovered", "replied"),
    [
        ("before_write", False, False, False),
        ("before_sync", False, True, False),
        ("before_sync", True, False, False),
        ("after_sync", False, True, False),
        ("after_sync", True, True, False),
        ("after_reply", True, True, True),
    ],
)
def test_a_failpoint_ends_a_process_exactly_there(
    point: str, power: bool, recovered: bool, replied: bool
) -> None:
    """What is on disk and what has left tell where a process ended, and how."""
    world = ready()
    world.nodes[2].arm(Armed(point, 1, "prepare", power))
    world.propose(0, 1, "apple")
    hit = world.run_until(lambda line: line["event"] == "failpoint_hit")
    assert hit.get("power", False) is power
    assert events(world, "n2")[-1] == "failpoint_hit"
    assert world.nodes[2].exit == (EXIT_KILLED, "power loss" if power else "SIGKILL")
    assert ("promise_sent" in events(world, "n2")) is replied
    world.start(0, 2)
    world.run()
    assert ("state_recovered" in events(world, "n2")) is recovered
    assert_sound(world)


def test_between_two_sends_the_first_arrives_and_the_second_is_never_sent() -> None:
    """The first Accept is to the node itself: it is answered before the process ends."""
    world = ready()
    world.nodes[1].arm(Armed("between_sends", 1, "accept"))
    world.propose(0, 1, "apple")
    world.run_until(lambda line: line["event"] == "failpoint_hit")
    assert [line["to"] for line in of(world, "accept_sent")] == ["n1"]
    assert [line["node"] for line in of(world, "accepted_sent")] == ["n1"]
    world.start(0, 1)
    world.run()
    assert_sound(world)


# --- disks ------------------------------------------------------------------------------------


def test_a_node_whose_sync_fails_ends_and_is_never_heard() -> None:
    """A failed sync is not tried again: the kernel may have dropped the page."""
    world = ready()
    world.nodes[2].disk.fail_sync()
    world.propose(0, 1, "apple")
    world.run()
    assert events(world, "n2")[-1] == "node_stopped"
    assert not {"promise_sent", "accepted_sent"} & set(events(world, "n2"))
    code, reason = world.nodes[2].exit or (0, "")
    assert code == EXIT_DISK_FAILED
    assert "Nothing is tried again" in reason
    world.start(0, 2)
    world.run()
    assert world.chosen_by(2) == "apple"
    assert_sound(world)


@pytest.mark.parametrize("fault", ["corrupt", "lose"])
def test_a_node_refuses_a_disk_that_is_not_its_own_any_more(fault: str) -> None:
    """An acceptor that forgets a promise can let two values be chosen: it stays down."""
    world = ready()
    faults = with_faults(world)
    world.propose(0, 1, "apple")
    world.run()
    faults.kill(["n3"])
    faults.disk_fault(do.DiskFault("n3", fault))
    assert faults.refuse("n3")
    assert world.nodes[3].exit is not None
    assert world.nodes[3].exit[0] == EXIT_STATE_REFUSED
    assert [line["exit_code"] for line in of(world, "node_exited")] == [137, 3]
    world.propose(0, 1, "pear", instance=2)
    world.run()
    assert world.chosen_by(2, 2) == "pear"
    assert_sound(world)


def test_a_fault_that_cannot_be_says_why() -> None:
    """Nothing is claimed that was not done."""
    world = ready()
    faults = with_faults(world)
    with pytest.raises(NotPossible, match="n1 runs, and its disk cannot lose"):
        faults.disk_fault(do.DiskFault("n1", "lose"))
    faults.kill(["n1"])
    with pytest.raises(NotPossible, match="n1 is down"):
        faults.kill(["n1"])
    with pytest.raises(NotPossible, match="not paused"):
        faults.resume(["n2"])
    assert [line["fault"] for line in of(world, "fault_applied")] == ["kill"]


def test_a_pause_ends_with_the_process() -> None:
    """Undoing the pause of a node that was killed meanwhile is nothing to do."""
    world = ready()
    faults = with_faults(world)
    faults.pause(["n2"])
    faults.kill(["n2"])
    faults.start(["n2"])
    faults.undo_all()
    assert world.nodes[2].up
    assert not world.nodes[2].paused


# --- memory -----------------------------------------------------------------------------------


def test_a_change_of_settings_reaches_what_is_under_way() -> None:
    """As the control service of a node does it."""
    world = World(1, 3, Settings(patience_ms=50_000))
    world.run()
    world.partition(0, [1], [2, 3])
    world.propose(0, 1, "apple", timeout_ms=60_000)
    world.run(1_000)
    world.configure(Settings(patience_ms=70))
    instance = world.instance(1)
    assert instance is not None
    assert instance.config.settings.patience_ms == 70


def test_a_step_is_computed_once_and_carried_out_often() -> None:
    """A handler is a function of (state, input): what it did once it does again."""
    first, second = World(3), World(3)
    for world in (first, second):
        world.propose(0, 1, "apple")
        world.run()
    assert first.log() == second.log()
    assert first.nodes[1].states[1] is second.nodes[1].states[1]


def test_a_world_without_a_log_goes_the_same_way() -> None:
    """Lines are kept or not; they decide nothing."""
    told, silent = World(9), World(9, keeps_log=False)
    for world in (told, silent):
        world.propose(0, 1, "apple")
        world.propose(0, 4, "pear")
        world.run()
    assert silent.lines == []
    assert silent.line_count == told.line_count - 0
    assert silent.now_ns == told.now_ns
    assert [silent.chosen_by(node) for node in silent.members] == [
        told.chosen_by(node) for node in told.members
    ]


def test_records_are_those_of_the_real_storage() -> None:
    """The simulated disk holds what a node's own would hold, byte for byte of its format."""
    world = ready()
    world.propose(0, 1, "apple")
    world.run()
    recovered = world.nodes[2].disk.read()
    assert recovered.instances[1].accepted is not None
    record = AcceptorRecord(1, recovered.instances[1].promised, recovered.instances[1].accepted)
    assert record.accepted is not None
    assert b'"value":"apple"' in world.nodes[2].disk.files.read("segment-000001.jsonl")


def test_a_first_start_that_was_remembered_is_what_the_storage_would_do() -> None:
    """The bytes on the disk, and what is appended to them."""
    disks = [Disk(keeping, 2, (1, 2, 3), Chance(1)) for keeping in (KEEPING, Keeping())]
    for disk in disks:
        storage, recovered = disk.open(list)
        assert recovered.incarnation == 1
        storage.append([RoundRecord(1, 7)])
        storage.sync()
    remembered, fresh = ({n: d.files.read(n) for n in d.files.names()} for d in disks)
    assert remembered == fresh
    for disk in disks:
        disk.lose_power()
        assert disk.read().instances[1].round == 7
        assert disk.open(list)[1].incarnation == 2
