"""The gate: what stands between the core and the wire.

It can cut, drop, delay, hold, duplicate and reorder messages.

A request is gated at its sender, before its call starts; a reply is gated at
its addressee, after its call has returned. So no call is open while a message
waits here, and a deadline covers the wire only. Packets can't show any of
this: a one-way cut of a TCP connection kills both ways, and a lost packet is
only a delay.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from paxos.chance import Chance
from paxos.events import Line
from paxos.protocol.ballot import NodeId, node_name

KINDS: Final = frozenset(
    {
        "prepare",
        "promise",
        "accept",
        "accepted",
        "nack",
        "learn",
        "learned",
        "status",
        "probe",
    }
)


PROBE: Final = "probe"
"""The kind of what is no message of the protocol: it asks whether a link carries."""


class Action(StrEnum):
    """What a rule does to the messages that it fits."""

    CUT = "cut"
    DROP = "drop"
    DELAY = "delay"
    HOLD = "hold"
    DUPLICATE = "duplicate"
    REORDER = "reorder"


SHARED: Final = frozenset({Action.DROP, Action.DUPLICATE, Action.REORDER})
"""What a rule does to a share of the messages that it fits."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the gate sees of a message.

    Attributes:
        source: who sent it.
        to: whom it is for.
        kind: one of :data:`KINDS`.
        instance: 0 for a message of none.
        message: the line that sent it; ``None`` for one without (a probe).
    """

    source: NodeId
    to: NodeId
    kind: str
    instance: int
    message: str | None

    def fields(self) -> Line:
        """The fields that tell of this message on a line."""
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
    """One rule of the gate.

    Attributes:
        name: stands in the log.
        action: what becomes of a message that it fits.
        source: whose messages; 0 for anybody's.
        to: messages for whom; 0 for anybody.
        kinds: of which kinds; empty for all.
        first_instance: 0 for every instance, and messages of none.
        last_instance: the last of the range that ``first_instance`` begins.
        percent: for ``DROP``, ``DUPLICATE`` and ``REORDER``: in how many cases
            of 100.
        delay_ms: for ``DELAY``: the least wait.
        delay_most_ms: for ``DELAY`` and ``REORDER``: the longest wait.
        copies: for ``DUPLICATE``: how many times more the message passes.
    """

    name: str
    action: Action
    source: NodeId = 0
    to: NodeId = 0
    kinds: tuple[str, ...] = ()
    first_instance: int = 0
    last_instance: int = 0
    percent: int = 0
    delay_ms: int = 0
    delay_most_ms: int = 0
    copies: int = 0

    def fits(self, passage: Passage) -> bool:
        """Whether the rule is about this message."""
        return (
            self.source in (0, passage.source)
            and self.to in (0, passage.to)
            and (not self.kinds or passage.kind in self.kinds)
            and (
                not self.first_instance
                or self.first_instance <= passage.instance <= self.last_instance
            )
        )

    def unplugs(self, one: NodeId, other: NodeId) -> bool:
        """Whether it loses all that ``one`` sends to ``other``, as an unplugged cable does."""
        return (
            self.action is Action.CUT
            and self.source in (0, one)
            and self.to in (0, other)
            and not self.kinds
            and not self.first_instance
        )

    def fields(self) -> Line:
        """The rule as it stands in ``gate_changed``."""
        fields: Line = {"name": self.name, "action": str(self.action)}
        if self.source:
            fields["source"] = node_name(self.source)
        if self.to:
            fields["to"] = node_name(self.to)
        if self.kinds:
            fields["kinds"] = list(self.kinds)
        if self.first_instance:
            fields["first_instance"] = self.first_instance
            fields["last_instance"] = self.last_instance
        if self.action in SHARED:
            fields["percent"] = self.percent
        if self.action is Action.DELAY:
            fields["delay_ms"] = self.delay_ms
        if self.action in {Action.DELAY, Action.REORDER}:
            fields["delay_most_ms"] = self.delay_most_ms
        if self.action is Action.DUPLICATE:
            fields["copies"] = self.copies
        return fields


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits, and the rule that holds it."""

    number: int
    passage: Passage
    rule: str
    let_go: asyncio.Future[None] = field(compare=False, repr=False)


@dataclass(slots=True)
class _Fate:
    """What the rules together want of one message."""

    lost_by: Rule | None = None
    holder: Rule | None = None
    delays: list[tuple[Rule, int]] = field(default_factory=list)
    mixer: Rule | None = None
    repeats: list[Rule] = field(default_factory=list)


class Gate:
    """The rules in force, and the messages that they hold.

    Args:
        write: takes a line without its header.
        chance: decides whom a share befalls, and how long a delay is.
        held_limit_count: how many messages may wait; one more is dropped.
    """

    def __init__(
        self, write: Callable[[Line], object], chance: Chance, held_limit_count: int
    ) -> None:
        self._write = write
        self._chance = chance
        self._held_limit_count = held_limit_count
        self._rules: tuple[Rule, ...] = ()
        self._held: dict[int, Held] = {}
        self._held_count = 0
        # Who waits to be overtaken, by rule, source and addressee: one each.
        self._overtaken: dict[tuple[str, NodeId, NodeId], asyncio.Future[str | None]] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force, in the order in which they are asked."""
        return self._rules

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Replace all rules. What a removed rule held stays held."""
        self._rules = tuple(rules)
        self._write({"event": "gate_changed", "rules": [rule.fields() for rule in rules]})

    def unplugged(self, one: NodeId, other: NodeId) -> str | None:
        """The rule that loses all that ``one`` sends to ``other``, if there is one."""
        for rule in self._rules:
            if rule.unplugs(one, other):
                return rule.name
        return None

    async def admits(self, passage: Passage) -> int:
        """Wait as long as the rules say; how many times the message goes on after that.

        Every rule that fits is asked, in order. A message that one of them
        loses is lost; else it is held if one of them holds it; else it waits
        for all delays together, and then for the one that is to overtake it.
        """
        fate = self._fate(passage)
        if fate.lost_by is not None:
            return self._drop(passage, fate.lost_by.name)
        for rule in fate.repeats:
            self._tell("message_duplicated", passage, rule, copies=rule.copies)
        count = 1 + sum(rule.copies for rule in fate.repeats)
        if fate.holder is not None:
            return count if await self._hold(passage, fate.holder) else 0
        for rule, delay_ms in fate.delays:
            self._tell("message_delayed", passage, rule, delay_ms=delay_ms)
        if fate.delays:
            await asyncio.sleep(sum(delay_ms for _, delay_ms in fate.delays) / 1000)
        if fate.mixer is not None:
            await self._mix(passage, fate.mixer)
        return count

    def _fate(self, passage: Passage) -> _Fate:
        fate = _Fate()
        for rule in self._rules:
            if not rule.fits(passage):
                continue
            match rule.action:
                case Action.CUT:
                    fate.lost_by = rule
                case Action.DROP:
                    fate.lost_by = rule if self._chance.percent(rule.percent) else None
                case Action.DELAY:
                    delay_ms = self._chance.between(rule.delay_ms, rule.delay_most_ms)
                    fate.delays.append((rule, delay_ms))
                case Action.HOLD:
                    fate.holder = fate.holder or rule
                case Action.DUPLICATE:
                    if passage.kind != PROBE and self._chance.percent(rule.percent):
                        fate.repeats.append(rule)
                case Action.REORDER:
                    if passage.kind != PROBE:
                        fate.mixer = fate.mixer or rule
            if fate.lost_by is not None:
                break
        return fate

    def held(self) -> tuple[Held, ...]:
        """The messages that wait now, oldest first."""
        return tuple(self._held.values())

    def release(self, numbers: Sequence[int]) -> None:
        """Let held messages go on, in this order.

        Args:
            numbers: of messages that are held, each once.
        """
        for number in numbers:
            held = self._held.pop(number)
            self._write(
                {
                    "event": "message_released",
                    **held.passage.fields(),
                    "rule": held.rule,
                }
            )
            # Whoever waited may be gone: a node that stops.
            if not held.let_go.done():
                held.let_go.set_result(None)

    async def _hold(self, passage: Passage, rule: Rule) -> bool:
        if len(self._held) >= self._held_limit_count:
            self._drop(passage, f"{rule.name} (it holds no more messages)")
            return False
        self._held_count += 1
        number = self._held_count
        let_go = asyncio.get_running_loop().create_future()
        self._held[number] = Held(number, passage, rule.name, let_go)
        self._tell("message_held", passage, rule)
        await let_go
        return True

    async def _mix(self, passage: Passage, rule: Rule) -> None:
        """Overtake the message that waits for one, or wait for one to overtake this."""
        way = (rule.name, passage.source, passage.to)
        waiting = self._overtaken.pop(way, None)
        if waiting is not None:
            # It wakes in a later turn of the loop: this one is on its way by then.
            waiting.set_result(passage.message)
            return
        if not self._chance.percent(rule.percent):
            return
        loop = asyncio.get_running_loop()
        overtaken: asyncio.Future[str | None] = loop.create_future()
        self._overtaken[way] = overtaken
        alarm = loop.call_later(rule.delay_most_ms / 1000, self._give_up_waiting, way, overtaken)
        behind = await overtaken
        alarm.cancel()
        self._tell("message_reordered", passage, rule, behind=behind)

    def _give_up_waiting(
        self, way: tuple[str, NodeId, NodeId], overtaken: asyncio.Future[str | None]
    ) -> None:
        if self._overtaken.get(way) is overtaken:
            del self._overtaken[way]
            overtaken.set_result(None)

    def _tell(self, event: str, passage: Passage, rule: Rule, **more: int | str | None) -> None:
        self._write({"event": event, **passage.fields(), "rule": rule.name, **more})

    def _drop(self, passage: Passage, rule: str) -> int:
        self._write({"event": "message_dropped", **passage.fields(), "rule": rule})
        return 0
