"""The rules over messages, as in the gate of a real node.

A request is judged at its sender, before it travels; a reply at its
addressee, once it has arrived. The lines of a judgment are those of the node
that judges, and what it holds is lost when it ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from paxos.chance import Chance
from paxos.events import Line, node_key
from paxos.protocol import NodeId, node_name
from paxos.scenario.model import GateRule

if TYPE_CHECKING:
    from paxos.simulator.node import Node

_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Passage:
    """What a gate sees of a message.

    Attributes:
        source: who sent it.
        to: whom it is for.
        kind: the message's.
        instance: 0 for a message of none.
        message: the line that sent it.
    """

    source: NodeId
    to: NodeId
    kind: str
    instance: int
    message: str

    def fields(self) -> Line:
        """The fields that tell of it on a line."""
        fields: Line = {
            "message": self.message,
            "source": node_name(self.source),
            "to": node_name(self.to),
            "kind": self.kind,
        }
        if self.instance:
            fields["instance"] = self.instance
        return fields


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the gate: of a scenario's rule, the part for one source and one addressee.

    Attributes:
        name: stands in the log.
        rule: what becomes of a message that it fits, and which kinds it fits.
        source: whose messages; 0 for anybody's.
        to: messages for whom; 0 for anybody.
        instance: of which instance; 0 for every one.
    """

    name: str
    rule: GateRule
    source: NodeId
    to: NodeId
    instance: int

    def fits(self, passage: Passage) -> bool:
        """Whether it is about this message."""
        return (
            self.source in (0, passage.source)
            and self.to in (0, passage.to)
            and (not self.rule.kinds or passage.kind in self.rule.kinds)
            and self.instance in (0, passage.instance)
        )

    def unplugs(self, source: NodeId, to: NodeId) -> bool:
        """Whether it loses all that goes this way, as an unplugged cable does."""
        return (
            self.rule.action == "cut"
            and not self.rule.kinds
            and not self.instance
            and self.source in (0, source)
            and self.to in (0, to)
        )

    def fields(self) -> Line:
        """As it stands in ``gate_changed``."""
        fields: Line = {"name": self.name, "action": self.rule.action}
        if self.source:
            fields["source"] = node_name(self.source)
        if self.to:
            fields["to"] = node_name(self.to)
        if self.rule.kinds:
            fields["kinds"] = list(self.rule.kinds)
        if self.instance:
            fields["first_instance"] = fields["last_instance"] = self.instance
        for name in ("percent", "delay_ms", "delay_most_ms", "copies"):
            if getattr(self.rule, name):
                fields[name] = getattr(self.rule, name)
        return fields


def rules_of(rule: GateRule, instance: int) -> list[Rule]:
    """The rules of the gates that make up one rule of a scenario, named as on real nodes."""
    sources = [node_key(node) for node in rule.sources] or [0]
    targets = [node_key(node) for node in rule.to] or [0]
    ways = list(product(sources, targets))
    names = [rule.name] if len(ways) == 1 else [f"{rule.name}-{n + 1}" for n in range(len(ways))]
    return [
        Rule(name, rule, source, to, instance)
        for name, (source, to) in zip(names, ways, strict=True)
    ]


Go = Callable[[], None]
"""Lets a message go on."""


@dataclass(slots=True, eq=False)
class Held:
    """A message that waits in a gate: under which rule, and how it goes on."""

    passage: Passage
    rule: str
    go: Go


@dataclass(slots=True)
class _Fate:
    """What the rules together want of one message."""

    loser: Rule | None = None
    holder: Rule | None = None
    delays: list[tuple[Rule, int]] = field(default_factory=list)
    mixer: Rule | None = None
    repeats: list[Rule] = field(default_factory=list)


class Gate:
    """The gate of one node.

    Args:
        node: whose gate; it writes the lines.
        chance: decides drops, delays, copies and order.
        later: lets something happen at the node after so many nanoseconds.
    """

    def __init__(
        self, node: "Node", chance: Chance, later: Callable[[int, Callable[..., None], Any], None]
    ) -> None:
        self._node = node
        self._chance = chance
        self._later = later
        self._overtaken: dict[tuple[str, NodeId, NodeId], Held] = {}
        self.held: list[Held] = []
        """What waits under a rule that holds, oldest first."""

    def clear(self) -> None:
        """Lose all that waits: the process has ended."""
        self.held.clear()
        self._overtaken.clear()

    def judge(self, rules: Sequence[Rule], passage: Passage, go: Go) -> bool:
        """Let a message go on at once, later, several times or never.

        Every rule that fits is asked, in order. A message that one of them
        loses is lost; else it is held if one of them holds it; else it waits
        for all delays together, and then for the one that is to overtake it.

        Returns:
            Whether it is lost.
        """
        fate = self._fate(rules, passage)
        if fate.loser is not None:
            self._write("message_dropped", passage, fate.loser.name)
            return True
        for rule in fate.repeats:
            self._write("message_duplicated", passage, rule.name, copies=rule.rule.copies)
        count = 1 + sum(rule.rule.copies for rule in fate.repeats)

        def go_on() -> None:
            for _ in range(count):
                go()

        if fate.holder is not None:
            self.held.append(Held(passage, fate.holder.name, go_on))
            self._write("message_held", passage, fate.holder.name)
            return False
        for rule, delay_ms in fate.delays:
            self._write("message_delayed", passage, rule.name, delay_ms=delay_ms)
        mixed = go_on if fate.mixer is None else self._mixed(fate.mixer, passage, go_on)
        if fate.delays:
            self._later(sum(delay_ms for _, delay_ms in fate.delays) * _MS, mixed, ())
        else:
            mixed()
        return False

    def release(self, held: Held) -> None:
        """Let a held message go on."""
        self.held.remove(held)
        self._write("message_released", held.passage, held.rule)
        held.go()

    def _fate(self, rules: Sequence[Rule], passage: Passage) -> _Fate:
        fate = _Fate()
        for rule in rules:
            if not rule.fits(passage):
                continue
            match rule.rule.action:
                case "cut":
                    fate.loser = rule
                case "drop":
                    fate.loser = rule if self._chance.percent(rule.rule.percent) else None
                case "hold":
                    fate.holder = fate.holder or rule
                case "delay":
                    least_ms, most_ms = rule.rule.delay_ms, rule.rule.delay_most_ms
                    fate.delays.append((rule, self._chance.between(least_ms, most_ms)))
                case "duplicate":
                    if self._chance.percent(rule.rule.percent):
                        fate.repeats.append(rule)
                case "reorder":
                    fate.mixer = fate.mixer or rule
                case unknown:
                    raise AssertionError(f"a gate does not know how to {unknown}")
            if fate.loser is not None:
                break
        return fate

    def _mixed(self, rule: Rule, passage: Passage, go: Go) -> Go:
        """What lets a message overtake the one that waits for it, or wait for one itself."""
        way = rule.name, passage.source, passage.to

        def arrive() -> None:
            waiting = self._overtaken.pop(way, None)
            if waiting is not None:
                go()
                self._follow(waiting, passage.message)
            elif self._chance.percent(rule.rule.percent):
                held = Held(passage, rule.name, go)
                self._overtaken[way] = held
                self._later(rule.rule.delay_most_ms * _MS, give_up, (held,))
            else:
                go()

        def give_up(held: Held) -> None:
            if self._overtaken.get(way) is held:
                del self._overtaken[way]
                self._follow(held, None)

        return arrive

    def _follow(self, held: Held, behind: str | None) -> None:
        self._write("message_reordered", held.passage, held.rule, behind=behind)
        if behind is None:
            held.go()
        else:
            # Each message travels for a time of its own: it must not overtake again.
            conditions = self._node.world.conditions
            spread_us = conditions.latency_most_us - conditions.latency_least_us + 1
            self._later(spread_us * 1_000, held.go, ())

    def _write(self, event: str, passage: Passage, rule: str, **more: Any) -> None:
        self._node.write({"event": event, **passage.fields(), "rule": rule, **more})
