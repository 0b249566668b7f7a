"""Traces become scenarios that real objects play, move by move, to where the model says.

That the shortest ones break the rule that the gallery names is said in
``test_gallery``; here it is those of single effects, and the correct protocol.
"""

from dataclasses import replace
from random import Random

import pytest

from orchestrator.parts import parts_of
from paxos.checker import check_lines
from paxos.explorer import ALWAYS, Accused, Action, Envelope, Model, Move, Trace, explore
from paxos.explorer.node import Local
from paxos.explorer.plain import PlainSearch
from paxos.explorer.schedule import NotPlayable, scenario, steps, turns
from paxos.protocol import Accepted, Instance, Persist, Send, Stored
from paxos.scenario import parse
from paxos.simulator.player import Played, play
from paxos.variants import VARIANTS
from tests.explorer_cases import accused_of, model_of, visited

GRANULAR = (
    "accept-below-promise",
    "accepted-counted-twice",
    "accepted-forgotten",
    "corrupt-skipped",
    "disk-reformatted",
    "half-quorum",
    "number-reused",
    "number-shared",
    "one-promise",
    "promise-forgotten",
    "promise-omits-accepted",
    "reply-before-write",
    "skips-phase-1",
    "small-quorum",
    "stale-promises",
    "sync-lies",
    "sync-retried",
    "written-in-place",
)


def played(trace: Trace, model: Model, variant: str | None, seed: int = 1) -> Played:
    """The run of a trace in the simulator; every step of it came to its end."""
    accused = accused_of(variant)
    breaks = None if variant is None else VARIANTS[variant].breaks
    data = scenario(trace, model, accused, title="As the explorer has it", breaks=breaks)
    found = play(parse("as-explored", data), model.nodes, seed, parts_of(variant))
    assert found.failure is None
    return found


@pytest.mark.parametrize("name", GRANULAR)
def test_a_trace_of_single_effects_is_played_as_well(name: str) -> None:
    """Its effects are gathered at their inputs; the log convicts it, whatever the seed."""
    variant = VARIANTS[name]
    assert variant.exposed_by is not None
    model = model_of(variant.exposed_by, whole_steps=False)
    found = explore(model, accused_of(name), until=ALWAYS)
    assert found.first_broken == variant.breaks
    assert variant.steps is not None
    trace = found.traces[variant.breaks]
    assert len(trace) > variant.steps, "an effect is a step here"
    for seed in (1, 2):
        violations = check_lines(played(trace, model, name, seed).world.lines).violations
        assert violations[0].rule == variant.breaks


# The correct protocol: wherever the model comes to, the simulator comes to as well.


def told(memory: Instance | None, disk: Stored) -> object:
    """A node as both the model and the simulator have it.

    Without the evidence for what was learned: a learner that died and learned
    anew may have sent the same Learn with other evidence, and a scenario's
    ``deliver`` cannot tell the two apart.
    """
    known, disk = disk.learned, replace(disk, learned=None)
    written = None if known is None else (known.ballot, known.value)
    if memory is None:
        return None, disk, written
    proposer, learner = memory.proposer, memory.learner
    chosen = learner.learned and (learner.learned.ballot, learner.learned.value)
    return (
        memory.acceptor,
        (proposer.phase, proposer.ballot, proposer.last_round, proposer.highest),
        (proposer.promises, proposer.refused_by, proposer.pushing),
        tuple(wish.value for wish in proposer.wishes),
        (chosen, learner.tallies),
        disk,
        written,
    )


def assert_in_the_same_state(found: Played, locals_: list[Local]) -> None:
    """Memory and disk of every node of the simulator are those of the model."""
    for node, local in zip(found.world.nodes.values(), locals_, strict=True):
        held = node.states.get(1)
        memory = None if held is None else held.instance
        if node.up and memory is None:
            # It has not heard of the instance, or forgot all of it.
            memory = Instance.new(1, node.node_id, (1, 2, 3), found.world.settings)
        disk = node.disk.read().instances.get(1, Stored())
        assert told(memory, disk) == told(local.memory, local.disk.cached)
        assert node.up == (local.memory is not None)


def locals_of(found: PlainSearch, state: tuple[int, ...]) -> list[Local]:
    """The nodes of a state."""
    return [
        table.locals.items[table.parts.items[part].local]
        for table, part in zip(found.tables.nodes, state, strict=False)
    ]


@pytest.mark.parametrize(
    "model",
    [
        Model(3, 1, 1, 1, whole_steps=True),
        Model(3, 2, 1, 1, whole_steps=True),
        Model(3, 1, 1, 1, crashes=1, whole_steps=True),
        Model(3, 1, 1, 1),
    ],
    ids=str,
)
def test_the_simulator_comes_to_the_same_state(model: Model) -> None:
    """By the shortest way to it; no rule is broken on it, and each step is needed."""
    found = visited(model)
    at_rest = [
        state
        for state in found.reached
        if not any(local.pending for local in locals_of(found, state))
    ]
    for state in Random(7).sample(at_rest[1:], 60):
        run = played(found.trace(state), model, None)
        assert_in_the_same_state(run, locals_of(found, state))
        assert not check_lines(run.world.lines).violations


def is_cut_while_learning(action: Action) -> bool:
    """Whether a node is killed behind the first effect of what an Accepted makes it do."""
    envelope = action.envelope
    is_accepted = envelope is not None and isinstance(envelope.message, Accepted)
    return is_accepted and action.after == ("kill", 1)


class TestSteps:
    MODEL = Model(3, 1, 1, 1, crashes=1, whole_steps=True)
    BEGIN = Move(1, Action("start_ballot", value="apple"))

    def test_a_message_that_arrives_twice_is_asked_for_again(self) -> None:
        """Else the player would wait for another one like it."""
        first = self.first_prepare()
        trace = (self.BEGIN, first, first)
        assert [
            step["deliver"].get("again") for step in steps(trace, self.MODEL, Accused())[1:]
        ] == [
            None,
            True,
        ]

    def test_a_ballot_begun_again_fires_its_timers(self) -> None:
        """Patience first, unless it is backing off already."""
        model = Model(3, 1, 1, 2, whole_steps=True)
        again = Move(1, Action("start_ballot"))
        timers = [step for step in steps((self.BEGIN, again), model, Accused()) if "fire" in step]
        assert [step["fire"] for step in timers] == [
            {"node": "n1", "timer": "patience"},
            {"node": "n1", "timer": "retry"},
        ]

    @pytest.mark.parametrize(
        ("verb", "done", "expected"),
        [
            ("power_loss", 1, {"point": "after_sync", "kind": "propose", "power": True}),
            ("kill", 1, {"point": "after_sync", "kind": "propose"}),
            ("kill", 2, {"point": "between_sends", "kind": "prepare"}),
        ],
    )
    def test_a_crash_within_a_step_is_a_failpoint(
        self, verb: str, done: int, expected: dict[str, object]
    ) -> None:
        """Armed before the input, and waited for behind it."""
        cut = Move(1, Action("start_ballot", value="apple", after=(verb, done)))
        armed, begun, gone = steps((cut,), self.MODEL, Accused())
        assert armed == {"failpoint": {"node": "n1", **expected}}
        assert begun["propose"]["value"] == "apple"
        assert gone == {"exits": "n1"}

    def test_a_crash_behind_a_learned_value_strikes_at_the_next_message(self) -> None:
        """Its record is not synced, so there is no sync to strike at."""
        found = visited(self.MODEL)
        trace = next(
            found.trace(state)
            for state, step in found.reached.items()
            if step and is_cut_while_learning(found.tables.actions.items[step[2].action])
        )
        armed, _, _ = steps(trace, self.MODEL, Accused())[-3:]
        assert armed == {"failpoint": {"node": "n1", "point": "between_sends", "kind": "learn"}}
        assert played(trace, self.MODEL, None).failure is None

    def test_effects_are_gathered_at_their_input(self) -> None:
        """A crash between two of them cuts the input's step there."""
        effect, kill = Move(1, Action("effect")), Move(1, Action("kill"))
        model = Model(3, 1, 1, 1, crashes=1)
        (turn,) = turns((self.BEGIN, effect, effect, kill), model, Accused())
        assert turn.action.after == ("kill", 2)
        assert [type(one) for one in turn.pending] == [Persist, Send, Send, Send]

    def test_what_no_world_can_do_is_refused_in_words(self) -> None:
        """A copy of a promise is taken at a start, and cannot be asked for by hand."""
        model = Model(2, 1, 1, 1, crashes=1, disk_faults=1, whole_steps=True)
        accused = accused_of("promises-copied")
        found = visited(model, "promises-copied")
        copied = next(
            found.trace(state)
            for state, step in found.reached.items()
            if step and found.tables.actions.items[step[2].action].verb == "copy"
        )
        with pytest.raises(NotPlayable, match="no world can do this by hand: copy at n"):
            steps(copied, model, accused)

    def first_prepare(self) -> Move:
        """The delivery of n1's first Prepare to n2."""
        (turn,) = turns((self.BEGIN,), self.MODEL, Accused())
        send = next(e for e in turn.pending if isinstance(e, Send) and e.to == 2)
        return Move(2, Action("deliver", envelope=Envelope(1, 2, send.message)))
