"""Delivery by hand: every message and every timer waits until a step hands it over."""

import pytest

from paxos.checker import check_lines
from paxos.scenario import Step
from paxos.scenario import model as do
from paxos.simulator.stage import Stage, StepFailed
from paxos.simulator.world import World

APPLE = do.Propose("apple", "n1", "apple", "fruit", background=True)


def stage_of(world: World) -> Stage:
    """The stage of a world with one instance."""
    world.run()
    return Stage(world, {"fruit": 1}, {})


def by_hand(node_count: int = 3) -> tuple[World, Stage]:
    """A world in which nothing moves by itself."""
    world = World(1, node_count, manual=True)
    return world, stage_of(world)


def do_all(stage: Stage, *actions: do.Action) -> None:
    """Carry out steps."""
    for number, action in enumerate(actions, start=1):
        stage.perform(number, Step(action))


def deliver(kind: str, source: str, to: str, ballot: str = "1.n1", **more: object) -> do.Deliver:
    """One message of instance fruit."""
    return do.Deliver(kind, source, to, ballot, instance="fruit", **more)  # type: ignore[arg-type]


def events(world: World) -> list[str]:
    """The events of the nodes' lines."""
    return [line["event"] for line in world.lines]


def test_nothing_moves_and_no_timer_runs_by_itself() -> None:
    """An hour of virtual time changes nothing."""
    world, stage = by_hand()
    do_all(stage, APPLE)
    before = len(world.lines)
    world.run(3_600_000)
    assert len(world.lines) == before
    assert events(world).count("prepare_sent") == 3
    assert "prepare_received" not in events(world)
    assert "timer_set" in events(world)


def test_a_decision_can_be_delivered_message_by_message() -> None:
    """Two acceptors of three are enough, the proposer's own among them."""
    world, stage = by_hand()
    do_all(
        stage,
        APPLE,
        deliver("prepare", "n1", "n1"),
        deliver("prepare", "n1", "n3"),
        deliver("promise", "n3", "n1", accepted=do.NO_PAIR),
        deliver("promise", "n1", "n1"),
        deliver("accept", "n1", "n3", value="apple"),
        deliver("accept", "n1", "n1"),
        deliver("accepted", "n1", "n1", value="apple"),
        deliver("accepted", "n3", "n1"),
    )
    assert world.chosen_by(1) == "apple"
    assert world.chosen_by(2) is None
    world.read_disks()
    assert check_lines(world.lines).verdict == "ok"


def test_a_message_is_delivered_once_and_then_only_again() -> None:
    """`again` hands over what was handed over before."""
    _, stage = by_hand()
    do_all(stage, APPLE, deliver("prepare", "n1", "n2"))
    with pytest.raises(StepFailed, match=r"no prepare at 1.n1 from n1 to n2 waits"):
        do_all(stage, deliver("prepare", "n1", "n2"))
    do_all(stage, deliver("prepare", "n1", "n2", again=True))
    with pytest.raises(StepFailed, match="was delivered before"):
        do_all(stage, deliver("prepare", "n1", "n3", again=True))


def test_what_a_message_carries_tells_it_from_others() -> None:
    """A promise that reports nothing is none that reports a pair."""
    world, stage = by_hand()
    do_all(stage, APPLE, deliver("prepare", "n1", "n2"))
    with pytest.raises(StepFailed, match="no promise"):
        do_all(stage, deliver("promise", "n2", "n1", accepted="1.n1"))
    do_all(stage, deliver("promise", "n2", "n1", accepted="none"))
    assert events(world)[-1] == "promise_received"


def test_a_message_outlives_the_process_that_sent_it() -> None:
    """The network is whoever delivers."""
    world, stage = by_hand()
    do_all(stage, APPLE, do.Command("kill", ("n1",)), deliver("prepare", "n1", "n2"))
    assert world.nodes[2].states[1].instance.acceptor.promised.node_id == 1
    with pytest.raises(StepFailed, match="n1 is down"):
        do_all(stage, deliver("promise", "n2", "n1"))


def test_a_timer_runs_out_when_it_is_fired() -> None:
    """Patience ends by hand: a higher ballot begins after the back-off, by hand too."""
    world, stage = by_hand()
    do_all(stage, APPLE, do.Fire("n1", "patience", "fruit"), do.Fire("n1", "retry", "fruit"))
    prepares = [line["ballot"] for line in world.lines if line["event"] == "prepare_sent"]
    assert prepares == ["1.n1"] * 3 + ["2.n1"] * 3
    with pytest.raises(StepFailed, match="n1 has set no timer resend"):
        do_all(stage, do.Fire("n1", "resend", "fruit"))


def test_a_power_loss_by_failpoint_takes_what_was_written_and_not_synced() -> None:
    """Persist before you reply: nothing had left, and nothing is there afterwards."""
    world, stage = by_hand()
    do_all(
        stage,
        APPLE,
        do.Failpoint("n2", "before_sync", "prepare", "fruit", power=True),
        deliver("prepare", "n1", "n2"),
        do.Exits("n2"),
        do.Command("start", ("n2",)),
    )
    assert world.nodes[2].states == {}
    faults = [line["fault"] for line in world.lines if line["event"] == "fault_applied"]
    assert faults == ["power_loss"]
