"""Random walks of real objects stay inside what was explored, and its traces lead where they say.

The explorer asks the core once for each (state, message) and then believes its
tables. The cluster here believes nothing: it keeps each node's whole
``Instance``, as a process would, and feeds it also what the model leaves out
(``Started``, ``Learned``, timers that ask and tell again). What is left out of
the model must make no difference to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
import pytest

from paxos.explorer import Accused, Model, Trace, search
from paxos.explorer.arrays import ArraySearch
from paxos.explorer.plain import PlainSearch
from paxos.explorer.tables import Tables
from paxos.protocol import (
    Accepted,
    AcceptorRecord,
    Effect,
    Input,
    Instance,
    Learned,
    LinkUp,
    Message,
    Persist,
    Phase,
    Proposal,
    ProposeRequested,
    Received,
    RoundRecord,
    Send,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)
from tests.explorer_cases import accused_of, visited
from tests.paxos_cases import written

INSTANCE = 1
Told = tuple[object, ...]


@dataclass
class RealNode:
    """One node as a process would have it: nothing is projected, nothing is shared."""

    node_id: int
    model: Model
    accused: Accused
    durable: Stored = field(default_factory=Stored)
    cached: Stored = field(default_factory=Stored)
    pending: list[Persist | Send] = field(default_factory=list)
    sent: set[tuple[int, Message]] = field(default_factory=set)
    small_talk: set[tuple[int, Message]] = field(default_factory=set)
    was_durable: set[Proposal] = field(default_factory=set)
    memory: Instance | None = None
    refused: bool = False

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """From the disk, as a driver does: what was read is durable before it serves."""
        roles = self.accused.roles
        self.memory = Instance.recovered(
            INSTANCE,
            self.node_id,
            self.model.members,
            self.accused.settings,
            roles.recover(self.cached),
            roles,
        )
        self.is_durable(self.cached)
        self.feed(Started(INSTANCE))

    def feed(self, *given: Input) -> None:
        """One input after the other, and their effects behind each other."""
        assert self.memory is not None
        for one in given:
            self.memory, effects = self.memory.step(one)
            self.pending += self.of_the_model(effects)
        self.drop_repeated()

    def of_the_model(self, effects: tuple[Effect, ...]) -> Iterator[Persist | Send]:
        """Records and messages; the model leaves out some messages, and a walk does not."""
        for effect in effects:
            match effect:
                case Send(to, Learned() | Status() as message):
                    self.small_talk.add((to, message))
                case Persist() | Send():
                    yield effect
                case _:
                    pass

    def drop_repeated(self) -> None:
        """What was sent before is in the network, and sending it is no step."""
        if not self.model.whole_steps:
            while self.pending and self.is_repeated(self.pending[0]):
                self.pending.pop(0)

    def is_repeated(self, effect: Persist | Send) -> bool:
        """Whether it is a message that was sent before."""
        return isinstance(effect, Send) and (effect.to, effect.message) in self.sent

    def is_durable(self, stored: Stored) -> None:
        """All of this is on the disk now."""
        self.durable = stored
        if stored.accepted is not None:
            self.was_durable.add(stored.accepted)

    def carry_out(self) -> None:
        """The next effect."""
        effect = self.pending.pop(0)
        if isinstance(effect, Send):
            self.sent.add((effect.to, effect.message))
        else:
            self.cached = written(self.cached, effect.record)
            if effect.sync:
                self.is_durable(self.cached)
        self.drop_repeated()

    def dies(self, verb: str) -> None:
        """In one of the ways in which a correct node can."""
        if verb == "fail_sync":
            effect = self.pending[0]
            assert isinstance(effect, Persist)
            self.cached = written(self.cached, effect.record)
        elif verb in {"power_loss", "torn_write"}:
            self.cached = self.durable
        self.memory, self.pending = None, []

    def told(self) -> Told:
        """The node as the model has it."""
        on_disk = set() if self.durable.accepted is None else {self.durable.accepted}
        said = {
            Proposal(message.ballot, message.value)
            for _, message in self.sent
            if isinstance(message, Accepted)
        }
        gone = frozenset((p.ballot, p.value) for p in self.was_durable - on_disk - said)
        memory = None if self.memory is None else without_small_talk(self.memory)
        network = frozenset((self.node_id, to, message) for to, message in self.sent)
        return memory, tuple(self.pending), self.durable, self.cached, gone, self.refused, network


def without_small_talk(instance: Instance) -> Instance:
    """The same without the fields that the model leaves out."""
    wishes = tuple(replace(wish, sent=False, answered=False) for wish in instance.proposer.wishes)
    attempt = min(instance.proposer.attempt, 1)
    return replace(
        instance,
        proposer=replace(instance.proposer, wishes=wishes, attempt=attempt),
        learner=replace(instance.learner, unanswered=(), ask_ms=0, own_ballot_planned=False),
    )


class Cluster:
    """All nodes, what was used up, and the actions of the model upon them."""

    def __init__(self, model: Model, accused: Accused) -> None:
        self.model = model
        self.nodes = [RealNode(member, model, accused) for member in model.members]
        self.used = [0, 0, 0]

    def network(self, node: RealNode) -> list[tuple[int, Message]]:
        """What can arrive at a node, from whom."""
        return [
            (other.node_id, message)
            for other in self.nodes
            for to, message in sorted(other.sent, key=repr)
            if to == node.node_id
        ]

    def actions(self, node: RealNode) -> Iterator[tuple[str, object]]:
        """What the model lets happen to a node, apart from deliveries."""
        ballots, crashes, faults = (
            bound - used
            for bound, used in zip(
                (self.model.ballots, self.model.crashes, self.model.disk_faults),
                self.used,
                strict=True,
            )
        )
        if node.memory is None:
            if not node.refused:
                yield "start", None
                if faults:
                    yield from (("corrupt", None), ("lose_disk", None))
            return
        if crashes:
            yield from (("kill", None), ("power_loss", None))
        if node.pending:
            yield "effect", None
            effect = node.pending[0]
            if faults and isinstance(effect, Persist):
                if effect.sync:
                    yield "fail_sync", None
                if crashes:
                    yield "torn_write", None
        elif (
            ballots and node.node_id <= self.model.proposing and node.memory.learner.learned is None
        ):
            phase = node.memory.proposer.phase
            if phase is Phase.IDLE:
                yield from (("start_ballot", value) for value in self.model.wishes)
            elif phase is not Phase.DONE:
                yield "start_ballot", None

    def act(self, node: RealNode, verb: str, given: object = None) -> None:
        """Carry an action out, and count what it uses up."""
        match verb:
            case "effect":
                node.carry_out()
            case "deliver":
                assert isinstance(given, tuple)
                node.feed(Received(*given))
            case "start":
                node.start()
            case "start_ballot":
                self.used[0] += 1
                node.feed(*beginning(node, given))
            case "corrupt" | "lose_disk":
                self.used[2] += 1
                node.refused = True
            case _:
                self.used[1] += verb != "fail_sync"
                self.used[2] += verb in {"fail_sync", "torn_write"}
                node.dies(verb)

    def talk(self, node: RealNode, chance: Random) -> None:
        """Something that happens to a real node, and makes no difference to the model."""
        others = tuple(n for n in self.model.members if n != node.node_id)
        heard = [
            Received(other.node_id, message)
            for other in self.nodes
            for to, message in sorted(other.small_talk, key=repr)
            if to == node.node_id and not isinstance(message, Status)
        ]
        timers = [TimeoutFired(INSTANCE, timer, 0, others) for timer in (Timer.ASK, Timer.RESEND)]
        links = [LinkUp(INSTANCE, other) for other in others]
        given: list[Input] = [*heard, *timers, *links]
        node.feed(chance.choice(given))

    def told(self) -> tuple[tuple[Told, ...], tuple[int, ...]]:
        """The whole state as the model has it."""
        return tuple(node.told() for node in self.nodes), tuple(self.used)


def beginning(node: RealNode, value: object) -> Iterator[Input]:
    """What makes a proposer begin a ballot, for a client or once more."""
    assert node.memory is not None
    proposer = node.memory.proposer
    if isinstance(value, str):
        yield ProposeRequested(INSTANCE, 1, value, 5_000)
        return
    if proposer.phase is not Phase.BACKING_OFF:
        yield TimeoutFired(INSTANCE, Timer.PATIENCE, proposer.ballot.round, ())
    yield TimeoutFired(INSTANCE, Timer.RETRY, 0, ())


class Inside:
    """What was explored, to be asked by the state of a cluster."""

    def __init__(self, found: ArraySearch) -> None:
        self.found = found
        self.parts = [
            {
                told_part(found.tables, position, number): number
                for number in range(len(table.parts))
            }
            for position, table in enumerate(found.tables.nodes)
        ]
        for known, table in zip(self.parts, found.tables.nodes, strict=True):
            assert len(known) == len(table.parts), "no two parts are told alike"

    def word(self, cluster: Cluster) -> int | None:
        """The state as the engine has it; ``None`` if it has met no such node."""
        told, used = cluster.told()
        parts = [known.get(node) for known, node in zip(self.parts, told, strict=True)]
        met = [part for part in parts if part is not None]
        if len(met) < len(parts):
            return None
        word = self.found._arrays.layout.pack(met, used)
        unseen = self.found._seen.without(np.array([word], np.uint64))
        return None if len(unseen) else word


def told_part(tables: Tables, position: int, number: int) -> Told:
    """A node of the explorer in the terms of :meth:`RealNode.told`."""
    table = tables.nodes[position]
    part = table.parts.items[number]
    local = table.locals.items[part.local]
    assert not local.ghost.unheeded, "what arrives is counted"
    assert not local.ghost.unheard, "what is counted has arrived"
    network = frozenset((e.source, e.to, e.message) for e in table.sent_envelopes(part.sent))
    disk, gone = local.disk, local.ghost.accepted
    return local.memory, local.pending, disk.durable, disk.cached, gone, local.refused, network


def walk(model: Model, accused: Accused, chance: Random, steps: int) -> Iterator[Cluster]:
    """A cluster after each of so many steps, chosen by chance; news arrives rather than not."""
    cluster = Cluster(model, accused)
    arrived: set[tuple[int, int, Message]] = set()
    yield cluster
    for _ in range(steps):
        node = chance.choice(cluster.nodes)
        choices = list(cluster.actions(node))
        if node.memory is not None and not node.pending:
            letters = cluster.network(node)
            news = [one for one in letters if (node.node_id, *one) not in arrived]
            choices += [("deliver", one) for one in 3 * news or letters]
            if chance.random() < 0.1 and model.nodes > 1:
                cluster.talk(node, chance)
                yield cluster
                continue
        # Crashes and faults are few: were each as likely as all else, walks would be short.
        calm = [one for one in choices if one[0] in {"effect", "deliver", "start", "start_ballot"}]
        if chance.random() < 0.95:
            choices = calm
        if not choices:
            continue
        verb, given = chance.choice(choices)
        if verb == "deliver":
            assert isinstance(given, tuple)
            arrived.add((node.node_id, *given))
        cluster.act(node, verb, given)
        yield cluster


WALKED = [
    (Model(3, 1, 1, 1), None),
    (Model(2, 2, 2, 2), None),
    (Model(3, 1, 1, 1, crashes=1, disk_faults=1), None),
    (Model(1, 1, 2, 2, crashes=2, disk_faults=1), None),
    (Model(2, 1, 1, 1, crashes=1), "reply-before-write"),
    (Model(1, 1, 2, 2, crashes=1), "number-reused"),
    (Model(2, 1, 1, 1, crashes=1), "accepted-forgotten"),
    (Model(3, 1, 1, 1), "promise-omits-accepted"),
]


@pytest.mark.parametrize(("model", "variant"), WALKED, ids=str)
def test_walks_of_real_objects_stay_inside(model: Model, variant: str | None) -> None:
    """Whatever real nodes come to by actions of the model, the explorer has been there."""
    accused = accused_of(variant)
    found = search(model, accused, "arrays")
    assert isinstance(found, ArraySearch)
    assert found.run((), 10**7, None).complete
    inside = Inside(found)
    visited_words, learned, used = set[int](), 0, [0, 0, 0]
    for seed in range(40):
        cluster = None
        for cluster in walk(model, accused, Random(seed), 150):
            word = inside.word(cluster)
            assert word is not None, f"seed {seed}: {cluster.told()} was not explored"
            visited_words.add(word)
        assert cluster is not None
        learned += any(node.durable.learned or node.cached.learned for node in cluster.nodes)
        used = [max(pair) for pair in zip(used, cluster.used, strict=True)]
    # The walks went somewhere.
    assert len(visited_words) > min(300, found.distinct // 5)
    assert learned >= 3
    assert used == [model.ballots, model.crashes, model.disk_faults]


def played(trace: Trace, model: Model, accused: Accused) -> Cluster:
    """A cluster of real objects after the moves of a trace."""
    cluster = Cluster(model, accused)
    for move in trace:
        node, action = cluster.nodes[move.node - 1], move.action
        given: object = action.value
        if action.envelope is not None:
            given = action.envelope.source, action.envelope.message
        cluster.act(node, action.verb, given)
        if action.after is not None:
            verb, count = action.after
            for _ in range(count):
                node.carry_out()
            cluster.act(node, verb)
        if model.whole_steps:
            while node.pending:
                node.carry_out()
    return cluster


@pytest.mark.parametrize(
    "model",
    [
        Model(3, 1, 1, 1),
        Model(2, 1, 2, 1, crashes=1, disk_faults=1),
        Model(1, 1, 2, 2, crashes=2, disk_faults=1),
        Model(3, 1, 1, 1, crashes=1, whole_steps=True),
        Model(2, 1, 1, 1, crashes=1, disk_faults=1, whole_steps=True),
    ],
    ids=str,
)
def test_the_shortest_way_to_a_state_leads_there(model: Model) -> None:
    """Played on real objects, a trace ends in the very state that it was told of."""
    found: PlainSearch = visited(model)
    states = list(found.reached)
    for state in Random(1).sample(states, 150) + states[-1:]:
        cluster = played(found.trace(state), model, Accused())
        parts = state[: model.nodes]
        told = tuple(told_part(found.tables, place, part) for place, part in enumerate(parts))
        assert cluster.told() == (told, state[model.nodes :])


def test_a_walk_that_leaves_the_model_is_told() -> None:
    """The audit can fail: an acceptor that writes more than it should is outside."""
    model = Model(2, 1, 1, 1)
    found = search(model, engine="arrays")
    assert isinstance(found, ArraySearch)
    found.run((), 10**6, None)
    inside, cluster = Inside(found), Cluster(model, Accused())
    assert inside.word(cluster) is not None
    cluster.used[0] = 1
    assert inside.word(cluster) is None
    cluster.used[0] = 0
    assert cluster.nodes[1].memory is not None
    ballot = replace(cluster.nodes[1].memory.acceptor.promised, round=9)
    cluster.nodes[1].cached = written(Stored(), AcceptorRecord(INSTANCE, ballot, None))
    assert inside.word(cluster) is None
    cluster.nodes[1].cached = written(Stored(), RoundRecord(INSTANCE, 4))
    assert inside.word(cluster) is None
