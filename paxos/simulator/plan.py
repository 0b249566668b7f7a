"""A plan of commands, made of a seed: what goes wrong, and when.

A command comes when so many lines have been written since the one before it:
so it falls into the midst of what happens, wherever that is, and what it does
can be told as a scenario, which waits for that very line. The ranges:

=====================  =========================================================
nodes                  those asked for (3, 3 or 5)
instances              1, sometimes 2
clients                2 to 6, at any node, each with a value of its own
number scheme          rounds, interleaved or ranges
own ballots            on; off in a quarter of the plans
patience               50, 150 or 400 ms
commands               up to 16 beside the clients'
lines between two      0 to 40
processes              kill, power loss, stop, pause; and start, resume
failpoints             every point and kind, as a kill or a power loss
links                  partition, isolation, one link, one way; overlapping
messages               hold and release, lose 5 to 60 %, delay up to 200 ms,
                       duplicate up to 3 times, overtake
disks                  a torn write; a sync that fails; a corrupt last record or
                       a lost disk, on no more nodes than may fail
weather                in a quarter of the plans Accepts take 100 to 300 ms
                       from the first line to the last
=====================  =========================================================
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from paxos.chance import Chance
from paxos.protocol import node_name
from paxos.scenario import model as do

NODE_COUNTS: Final = (3, 3, 5)
INSTANCES: Final = ("fruit", "drink")
VALUES: Final = ("apple", "pear", "kiwi", "lemon", "mango", "olive")
WEATHER: Final = "weather"
"""The name of the rule that stays in force to the end."""

_MOST_COMMANDS: Final = 16
_MOST_LINES: Final = 40
_KINDS: Final = ("prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status")
_HELD_KINDS: Final = ("prepare", "promise", "accept", "accept", "accepted", "learn")
_TIMEOUTS_MS: Final = (300, 2_000, 20_000)


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do.

    Attributes:
        after: so many lines after the command before it.
        action: what to do; it is left out where it cannot be done.
    """

    after: int
    action: do.Action


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done in one run.

    Attributes:
        seed: decides whatever chance decides in the world.
        node_count: how many nodes.
        instances: the names of the instances.
        settings: of the instances, by name.
        commands: in order. When they are done, what is wrong is put right.
    """

    seed: int
    node_count: int
    instances: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...]
    commands: tuple[Command, ...]

    @property
    def members(self) -> tuple[str, ...]:
        """The nodes, by name."""
        return tuple(node_name(number) for number in range(1, self.node_count + 1))


def make_plan(
    seed: int, node_counts: Sequence[int] = NODE_COUNTS, settings: Mapping[str, Any] | None = None
) -> Plan:
    """The plan of a seed.

    Args:
        seed: decides the plan, and by another stream what happens in it.
        node_counts: how many nodes it may be for.
        settings: settings that are given, and left alone.
    """
    # Its own stream: the world's chance begins with the seed itself.
    chance = Chance(~seed)
    node_count = chance.among(node_counts)
    instances = INSTANCES[: chance.among((1, 1, 1, 2))]
    own: dict[str, Any] = {
        "number_scheme": chance.among(("rounds", "rounds", "interleaved", "ranges")),
        "own_ballots": chance.among((True, True, True, False)),
        "patience_ms": chance.among((50, 150, 400)),
    }
    given = {"number_scheme" if name == "scheme" else name for name in settings or {}}
    maker = _Maker(chance, node_count, instances)
    commands = maker.commands()
    return Plan(
        seed,
        node_count,
        instances,
        tuple((name, value) for name, value in own.items() if name not in given),
        tuple(commands),
    )


@dataclass(slots=True)
class _Maker:
    """Draws commands, and remembers what it meant to bring about."""

    chance: Chance
    node_count: int
    instances: tuple[str, ...]
    down: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    rules: list[do.GateRule] = field(default_factory=list)
    cuts: list[str] = field(default_factory=list)
    hurt: list[str] = field(default_factory=list)
    rule_count: int = 0

    def commands(self) -> list[Command]:
        """All of them."""
        chance = self.chance
        actions: list[do.Action] = []
        if chance.percent(25):
            actions.append(self._weather())
        values = list(VALUES)
        clients = chance.between(2, 6)
        actions.append(self._propose(values.pop(0)))
        for _ in range(chance.between(2, _MOST_COMMANDS)):
            if chance.percent(25) and len(values) > len(VALUES) - clients:
                actions.append(self._propose(values.pop(0)))
            action = self._draw()
            if action is not None:
                actions.append(action)
        while len(values) > len(VALUES) - clients:
            actions.append(self._propose(values.pop(0)))
        return [Command(self._lines(), action) for action in actions]

    def _lines(self) -> int:
        # Near ones more often: the first lines of a step are where it can be cut.
        return self.chance.between(0, self.chance.among((0, 6, 15, _MOST_LINES)))

    def _draw(self) -> do.Action | None:
        makers = (
            *([self._kill] * 4),
            *([self._start] * 6),
            *([self._failpoint] * 3),
            *([self._pause] * 2),
            *([self._resume] * 2),
            *([self._cut] * 3),
            *([self._hold] * 3),
            *([self._release] * 3),
            *([self._rule] * 3),
            *([self._heal] * 3),
            *([self._disk] * 2),
        )
        return self.chance.among(makers)()

    # --- clients ----------------------------------------------------------------------

    def _propose(self, value: str) -> do.Action:
        return do.Propose(
            name=value,
            at=self._node(),
            value=value,
            instance=self.chance.among(self.instances),
            background=True,
            timeout_ms=self.chance.among(_TIMEOUTS_MS),
        )

    # --- processes --------------------------------------------------------------------

    def _kill(self) -> do.Action:
        verb = self.chance.among(("kill", "kill", "power_loss", "power_loss", "power_loss", "stop"))
        node = self._node()
        self.down.append(node)
        return do.Command(verb, (node,))

    def _start(self) -> do.Action | None:
        if not self.down:
            return None
        return do.Command("start", (self._taken(self.down),))

    def _pause(self) -> do.Action:
        node = self._node()
        self.paused.append(node)
        return do.Command("pause", (node,))

    def _resume(self) -> do.Action | None:
        if not self.paused:
            return None
        return do.Command("resume", (self._taken(self.paused),))

    def _failpoint(self) -> do.Action:
        node = self._node()
        point = self.chance.among(do.FAILPOINTS)
        kinds = ("prepare", "accept") if point == "between_sends" else ("", "prepare", "accept")
        self.down.append(node)
        return do.Failpoint(
            node=node,
            point=point,
            kind=self.chance.among(kinds),
            instance=self.chance.among(self.instances),
            power=self.chance.percent(50),
        )

    # --- the network ------------------------------------------------------------------

    def _cut(self) -> do.Action:
        members = self._members()
        match self.chance.among(("partition", "isolate", "cut", "one_way")):
            case "partition":
                side = [node for node in members if self.chance.percent(50)]
                other = [node for node in members if node not in side]
                if not side or not other:
                    side, other = members[:1], members[1:]
                cut = do.Cut("partition", "partition", (tuple(side), tuple(other)))
            case "isolate":
                cut = do.Cut.isolation("isolate", self._node(), tuple(members))
            case "cut":
                low, high = self._two()
                cut = do.Cut.link("cut", low, high, tuple(members))
            case _:
                source, to = self._two()
                rule = do.GateRule("cut", self._name("one-way"), (source,), (to,))
                self.rules.append(rule)
                return rule
        self.cuts.append(cut.name)
        return cut

    def _hold(self) -> do.Action:
        rule = do.GateRule(
            "hold",
            self._name("held"),
            sources=self._some(),
            to=self._some(),
            kinds=(self.chance.among(_HELD_KINDS),),
        )
        self.rules.append(rule)
        return rule

    def _release(self) -> do.Action | None:
        holding = [rule for rule in self.rules if rule.action == "hold"]
        if not holding:
            return None
        rule = self.chance.among(holding)
        if self.chance.percent(50):
            return do.Release(rule.name, first=1)
        self.rules.remove(rule)
        return do.Release(rule.name)

    def _rule(self) -> do.Action:
        action = self.chance.among(("drop", "delay", "duplicate", "reorder"))
        kinds = (self.chance.among(_KINDS),) if self.chance.percent(50) else ()
        rule = do.GateRule(
            action,
            self._name(action),
            sources=self._some(),
            to=self._some(),
            kinds=kinds,
            percent=0 if action == "delay" else self.chance.between(5, 60),
            delay_ms=1 if action == "delay" else 0,
            delay_most_ms=self.chance.between(2, 200) if action in {"delay", "reorder"} else 0,
            copies=self.chance.between(1, 2) if action == "duplicate" else 0,
        )
        self.rules.append(rule)
        return rule

    def _heal(self) -> do.Action | None:
        names = [rule.name for rule in self.rules] + sorted(set(self.cuts))
        if not names:
            return None
        name = self.chance.among(names)
        self.rules = [rule for rule in self.rules if rule.name != name]
        self.cuts = [cut for cut in self.cuts if cut != name]
        return do.Heal((name,))

    def _weather(self) -> do.Action:
        least_ms = self.chance.between(100, 300)
        return do.GateRule(
            "delay", WEATHER, kinds=("accept",), delay_ms=least_ms, delay_most_ms=least_ms
        )

    # --- disks ------------------------------------------------------------------------

    def _disk(self) -> do.Action | None:
        fault = self.chance.among(("tear", "tear", "fail_sync", "corrupt", "lose"))
        if fault in {"tear", "fail_sync"}:
            node = self._node()
            if fault == "fail_sync":
                self.down.append(node)
            return do.DiskFault(node, fault)
        # No more disks than nodes that may fail: with more of them nothing need be decided.
        node = self.chance.among(self.down) if self.down else self._node()
        if node not in self.hurt:
            if len(self.hurt) >= (self.node_count - 1) // 2:
                return None
            self.hurt.append(node)
        return do.DiskFault(node, fault)

    # --- names ------------------------------------------------------------------------

    def _members(self) -> list[str]:
        return [node_name(number) for number in range(1, self.node_count + 1)]

    def _node(self) -> str:
        return node_name(self.chance.between(1, self.node_count))

    def _two(self) -> tuple[str, str]:
        members = self._members()
        first = members.pop(self.chance.between(0, len(members) - 1))
        return first, self.chance.among(members)

    def _some(self) -> tuple[str, ...]:
        """Anybody, or some of the nodes."""
        if self.chance.percent(40):
            return ()
        return tuple(node for node in self._members() if self.chance.percent(50))

    def _taken(self, nodes: list[str]) -> str:
        return nodes.pop(self.chance.between(0, len(nodes) - 1))

    def _name(self, word: str) -> str:
        self.rule_count += 1
        return f"{word}-{self.rule_count}"
