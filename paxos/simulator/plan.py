"""A plan of commands, made of a seed: what goes wrong, and when.

There are three styles. *Free*: things go wrong while messages move by
themselves. *One by one*: the gates hold every message and let each go in an
order that chance makes, which latencies alone would hardly ever bring about.
*Rivals*: several clients at once on a network that is slow, loses Accepts and
repeats itself, so that old answers meet new ballots.

A command comes when so many lines have been written since the one before it:
so it falls into the midst of what happens, wherever that is, and what it does
can be told as a scenario, which waits for that very line. The ranges:

=====================  =========================================================
nodes                  those asked for, or 3, 4 or 5
instances              1, sometimes 2
clients                2 to 6, at any node, each with a value of its own; in
                       most plans two more when nothing is wrong any more
number scheme          rounds, interleaved or ranges
own ballots            on; off in a third of the plans
patience               50, 150 or 400 ms; of rivals 30, 60 or 120 ms
commands               up to 16 beside the clients', or one by one up to 90
lines between two      0 to 40, or one by one 0 to 3
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

NODE_COUNTS: Final = (3, 3, 4, 5)
INSTANCES: Final = ("fruit", "drink")
VALUES: Final = ("apple", "pear", "kiwi", "lemon", "mango", "olive")
WEATHER: Final = "weather"
"""The name of the rule that stays in force to the end."""

ONE_BY_ONE: Final = "one-by-one"
"""The name of the rule that holds every message, where they go one by one."""

_STYLES: Final = ("free", "one by one", "rivals")
_MOST_COMMANDS: Final = 16
_LEAST_ONE_BY_ONE: Final = 20
_MOST_ONE_BY_ONE: Final = 90
_MOST_LINES: Final = 40
_KINDS: Final = ("prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status")
_HELD_KINDS: Final = ("prepare", "promise", "accept", "accept", "accepted", "learn")
_PHASES: Final = ("prepare", "promise", "accept", "accepted", "nack")
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
        fresh: whether clients ask anew when nothing is wrong any more. Without
            them the old ones' values must be chosen that are still pursued.
    """

    seed: int
    node_count: int
    instances: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...]
    commands: tuple[Command, ...]
    fresh: bool = True

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
    style = chance.among(_STYLES)
    fresh = chance.percent(80)
    if style != "free":
        instances = instances[:1]
    if style == "rivals" and chance.percent(50):
        # In a larger cluster two ballots can each leave a value that the other did not meet.
        node_count = max(node_counts)
    own: dict[str, Any] = {
        "number_scheme": chance.among(("rounds", "rounds", "interleaved", "ranges")),
        "own_ballots": chance.percent(80 if fresh else 25),
        "patience_ms": chance.among((30, 60, 120) if style == "rivals" else (50, 150, 400)),
    }
    given = {"number_scheme" if name == "scheme" else name for name in settings or {}}
    maker = _Maker(chance, node_count, instances)
    match style:
        case "rivals":
            commands = maker.rivals(alone=not fresh)
        case "one by one":
            commands = maker.one_by_one()
        case _:
            commands = maker.free()
    return Plan(
        seed,
        node_count,
        instances,
        tuple((name, value) for name, value in own.items() if name not in given),
        tuple(commands),
        fresh=fresh,
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

    def free(self) -> list[Command]:
        """All commands, where messages move by themselves."""
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
            actions += self._draw()
        while len(values) > len(VALUES) - clients:
            actions.append(self._propose(values.pop(0)))
        return [Command(self._lines(), action) for action in actions]

    def rivals(self, *, alone: bool) -> list[Command]:
        """All commands, where several clients ask at once on a bad network.

        When nobody asks anew, few are left ``alone`` with refusals that come
        late: what they make of those decides whether they ever get anywhere.
        """
        chance = self.chance
        actions: list[do.Action] = []
        most_ms = chance.among((4, 15, 60))
        actions.append(do.GateRule("delay", "slow", delay_ms=1, delay_most_ms=most_ms))
        if alone or chance.percent(80):
            percent = chance.between(70, 95) if alone else chance.between(50, 85)
            actions.append(do.GateRule("drop", "loss", kinds=("accept",), percent=percent))
        if chance.percent(50):
            actions.append(do.GateRule("duplicate", "echo", percent=30, copies=1))
        if alone or chance.percent(40):
            late_ms = chance.between(30, 150)
            late = do.GateRule(
                "delay", "late", kinds=("nack",), delay_ms=late_ms, delay_most_ms=late_ms
            )
            actions.append(late)
        if chance.percent(30):
            kinds = (chance.among(("promise", "accepted", "nack")),)
            actions.append(do.GateRule("drop", "deaf", kinds=kinds, percent=chance.between(20, 60)))
        self.rules += [action for action in actions if isinstance(action, do.GateRule)]
        clients = chance.between(2, 3 if alone else len(VALUES))
        commands = [Command(0, action) for action in actions]
        commands += [
            Command(chance.between(0, 4), self._propose(value)) for value in VALUES[:clients]
        ]
        for _ in range(chance.between(0, 8)):
            makers = (self._kill, self._start, self._start, self._failpoint, self._pause)
            action = chance.among((*makers, self._resume, self._heal))()
            group = self._disk_trouble() if chance.percent(10) else [action]
            commands += [
                Command(chance.between(5, 60), action) for action in group if action is not None
            ]
        # Long enough for several ballots of each.
        commands.append(Command(chance.between(50, 400), do.Heal(("slow",))))
        return commands

    def one_by_one(self) -> list[Command]:
        """All commands, where messages are let go one by one."""
        chance = self.chance
        kinds = (*_PHASES, "learn", "learned", "status") if chance.percent(60) else _PHASES
        values = list(VALUES)
        commands = [Command(0, do.GateRule("hold", ONE_BY_ONE, kinds=kinds))]
        if chance.percent(30):
            loss = do.GateRule("drop", "loss", kinds=("accept",), percent=chance.between(40, 80))
            commands.insert(0, Command(0, loss))
        commands += [Command(0, self._propose(values.pop(0))) for _ in range(chance.between(2, 3))]
        for _ in range(chance.between(_LEAST_ONE_BY_ONE, _MOST_ONE_BY_ONE)):
            actions: list[do.Action | None] = [self._let_one_go()]
            if chance.percent(12):
                makers = (self._kill, self._start, self._start, self._failpoint)
                actions = [chance.among(makers)()]
            elif chance.percent(2):
                actions = [*self._disk_trouble()]
            elif chance.percent(4) and values:
                actions = [self._propose(values.pop(0))]
            elif chance.percent(2):
                actions = [self._rule()]
            commands += [
                Command(chance.between(0, 3), action) for action in actions if action is not None
            ]
        return commands

    def _let_one_go(self) -> do.Action:
        chance = self.chance
        return do.Release(
            ONE_BY_ONE,
            first=1,
            kinds=(chance.among(_PHASES),) if chance.percent(50) else (),
            sources=(self._node(),) if chance.percent(40) else (),
            to=(self._node(),) if chance.percent(60) else (),
        )

    def _lines(self) -> int:
        # Near ones more often: the first lines of a step are where it can be cut.
        return self.chance.between(0, self.chance.among((0, 6, 15, _MOST_LINES)))

    def _draw(self) -> list[do.Action]:
        """Something that goes wrong or is put right; or what only together does harm."""
        if self.chance.percent(10):
            return self._disk_trouble()
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
            self._tear,
        )
        action = self.chance.among(makers)()
        return [] if action is None else [action]

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

    def _tear(self) -> do.Action:
        return do.DiskFault(self._node(), "tear")

    def _disk_trouble(self) -> list[do.Action]:
        """A fault of a disk with what it takes to meet it, and a start behind it."""
        fault = self.chance.among(("tear", "fail_sync", "fail_sync", "corrupt", "lose"))
        node = self._node()
        start = do.Command("start", (node,))
        if fault in {"tear", "fail_sync"}:
            # What was not written only a power loss can take.
            return [do.DiskFault(node, fault), do.Command("power_loss", (node,)), start]
        # No more disks than nodes that may fail: with more of them nothing need be decided.
        if node not in self.hurt:
            if len(self.hurt) >= (self.node_count - 1) // 2:
                return []
            self.hurt.append(node)
        return [do.Command("kill", (node,)), do.DiskFault(node, fault), start]

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
