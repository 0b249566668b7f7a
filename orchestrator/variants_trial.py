"""A cluster in trouble, by seed: what the simulator finds a broken variant with.

Three to five nodes, several clients, and for half a second whatever may go
wrong: kills, power losses, pauses, cuts, messages lost and doubled, disks
that fail. Then it is calm: all is mended, and whoever can start starts. A log
of all that goes to the checker; and once it is calm, what a client still
waits for must be chosen within :data:`BOUND_MS` of virtual time.
"""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from paxos.chance import Chance
from paxos.checker import VIOLATED, Verdict, check_lines
from paxos.protocol import NodeId, Phase, Settings, majority
from paxos.simulator import Conditions, World
from paxos.storage import StorageError
from paxos.variants import LIVENESS, Variant

CALM_MS: Final = 700
BOUND_MS: Final = 10_000
"""How long after the troubles a value may take: the correct core needs less in every seed tried."""

_PATIENT_MS: Final = 120_000
_VALUES: Final = ("apple", "pear", "plum")


class Kind(Enum):
    """What goes wrong in a seed."""

    WRECK = "crashes, cuts and disks that fail"
    STORM = "a network that loses and overtakes, and rivals"
    DUEL = "rivals that all take the same time for everything"


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one seed.

    Attributes:
        seed, node_count: which it was; the same two give the same log.
        rule: the first rule broken; ``liveness`` if safety held, and what a
            client waits for was not chosen in time; ``None`` if all was well.
        verdict: what the checker says.
        world: the cluster at its end, with its log.
    """

    seed: int
    node_count: int
    rule: str | None
    verdict: Verdict
    world: World


@dataclass(slots=True)
class _Troubles:
    """One world on its way through its troubles."""

    chance: Chance
    world: World
    gone: set[NodeId] = field(default_factory=set)

    def any_node(self) -> NodeId:
        return self.chance.among(self.world.members)

    def do(self, at_ms: int, action: Callable[[], object]) -> None:
        self.world.push(at_ms * 1_000_000, action, ())

    def add_all(self, kind: Kind) -> None:
        members = self.world.members
        if kind is Kind.DUEL:
            for node in members:
                self._ask(self.chance.between(0, 10), node, 1)
            return
        latest_ms = 100 if kind is Kind.STORM else 250
        for _ in range(self.chance.between(2, 8)):
            instance = 1 if kind is Kind.STORM else self.chance.between(1, 2)
            self._ask(self.chance.between(0, latest_ms), self.any_node(), instance)
        for _ in range(self.chance.between(0, 2 if kind is Kind.STORM else 7)):
            at_ms = self.chance.between(0, CALM_MS - 200)
            self.chance.among((self._crash, self._crash, self._cut, self._pause))(at_ms)
        # A minority may be gone for good: the others must do without it.
        if self.chance.percent(30):
            for node in members[majority(len(members)) :]:
                self.gone.add(node)
                self.world.kill(self.chance.between(0, CALM_MS), node)

    def _ask(self, at_ms: int, node: NodeId, instance: int) -> None:
        value = self.chance.among(_VALUES)
        self.world.propose(at_ms, node, value, instance=instance, timeout_ms=_PATIENT_MS)

    def _crash(self, at_ms: int) -> None:
        node, world = self.any_node(), self.world
        if self.chance.percent(20):
            self.do(max(0, at_ms - 60), lambda: self._fail_sync(node))
        if self.chance.percent(50):
            world.kill(at_ms, node)
        else:
            world.power_loss(at_ms, node, tears=self.chance.percent(50))
        if self.chance.percent(20):
            self.do(at_ms, lambda: self._spoil(node))
        world.start(at_ms + self.chance.between(1, 120), node)

    def _fail_sync(self, node: NodeId) -> None:
        if self.world.nodes[node].up:
            self.world.nodes[node].disk.fail_sync()

    def _spoil(self, node: NodeId) -> None:
        """The disk of a node that is down is lost, or a record of it turns corrupt."""
        if self.world.nodes[node].up:
            return
        disk = self.world.nodes[node].disk
        if self.chance.percent(50):
            disk.lose()
        else:
            with contextlib.suppress(LookupError, StorageError):
                disk.corrupt()

    def _cut(self, at_ms: int) -> None:
        world = self.world
        a, b = self.any_node(), self.any_node()
        if a != b and self.chance.percent(30):
            world.cut(at_ms, f"cut {at_ms}", (a, b))
        else:
            side = {a, b} if len(world.members) > 3 else {a}
            world.partition(at_ms, side, set(world.members) - side)
        world.heal(at_ms + self.chance.between(20, 200))

    def _pause(self, at_ms: int) -> None:
        node = self.any_node()
        self.world.pause(at_ms, node)
        self.world.resume(at_ms + self.chance.between(20, 300), node)

    def calm(self) -> None:
        """Mend everything; whoever is not gone starts, if its disk allows."""
        world = self.world
        world.heal(CALM_MS)
        for node in world.members:
            world.resume(CALM_MS, node)
            if node not in self.gone:
                world.start(CALM_MS, node)
        world.run(CALM_MS)
        world.conditions = _calmed(world.conditions)
        if self.chance.percent(50):
            self._ask(CALM_MS, self.chance.among(world.running()).node_id, 1)
        world.run(CALM_MS + 1)

    def awaited(self) -> list[int]:
        """The instances in which a client of a running node waits for a value."""
        return [
            number
            for number in (1, 2)
            if any(
                (held := self.world.instance(node, number)) is not None
                and held.proposer.wishes
                and held.proposer.phase is not Phase.DONE
                for node in self.world.members
            )
        ]


def try_seed(seed: int, node_count: int, variant: Variant | None = None) -> Trial:
    """One seed of a cluster in trouble; without a variant, of the correct one."""
    chance = Chance(seed)
    kind = chance.among((Kind.WRECK, Kind.WRECK, Kind.STORM, Kind.STORM, Kind.DUEL))
    world = World(
        chance.word(),
        node_count,
        _settings(chance, variant),
        _conditions(kind, chance),
        **({} if variant is None else _parts(variant)),
    )
    troubles = _Troubles(chance, world)
    troubles.add_all(kind)
    troubles.calm()
    awaited = troubles.awaited()
    enough = len(world.running()) >= majority(node_count)
    for waited_ms in range(0, BOUND_MS, 250):
        # What follows may break safety still: a second is given to that in any case.
        if waited_ms >= 1_000 and not (enough and any(_is_unknown(world, n) for n in awaited)):
            break
        world.run(CALM_MS + waited_ms + 250)
    world.read_disks()
    verdict = check_lines(world.lines)
    rule = None
    if verdict.verdict == VIOLATED:
        rule = verdict.violations[0].rule
    elif enough and any(_is_unknown(world, number) for number in awaited):
        rule = LIVENESS
    return Trial(seed, node_count, rule, verdict, world)


def first_caught(
    variant: Variant | None, seeds: Iterable[int], node_counts: tuple[int, ...] = (3, 5)
) -> Trial | None:
    """The first seed that finds something, or ``None``; seeds take turns at the node counts."""
    for seed in seeds:
        trial = try_seed(seed, node_counts[seed % len(node_counts)], variant)
        if trial.rule is not None:
            return trial
    return None


def _parts(variant: Variant) -> dict[str, object]:
    return {"roles": variant.roles, "keeping": variant.keeping, "variant": variant.name}


def _settings(chance: Chance, variant: Variant | None) -> Settings:
    settings = Settings(
        patience_ms=chance.among((20, 50, 400)),
        learn_timeout_ms=500,
        own_ballots=chance.percent(50),
    )
    return settings if variant is None else replace(settings, **variant.settings)


def _conditions(kind: Kind, chance: Chance) -> Conditions:
    if kind is Kind.DUEL:
        return Conditions(2_000, 2_000, 500, 500)
    is_storm = kind is Kind.STORM
    return Conditions(
        latency_least_us=400,
        latency_most_us=60_000 if is_storm else chance.among((4_000, 30_000)),
        sync_least_us=500,
        sync_most_us=chance.among((500, 20_000)),
        loss_percent=40 if is_storm else chance.among((0, 20)),
        duplicate_percent=chance.among((0, 30)),
    )


def _calmed(rough: Conditions) -> Conditions:
    """Nothing is lost, and every phase fits into every patience."""
    most_us = min(rough.latency_most_us, 4_000)
    return replace(
        rough, latency_most_us=most_us, sync_most_us=500, loss_percent=0, duplicate_percent=0
    )


def _is_unknown(world: World, number: int) -> bool:
    """Whether no node that runs has learned what is chosen."""
    return all(world.chosen_by(node.node_id, number) is None for node in world.running())
