"""The tables that both engines search: nodes as numbers, their steps as rows.

A state of the model is a tuple of small numbers, one a node, with the counts
of what was used up (ballots, crashes, faults of a disk). A node's number
stands for a :class:`Part`: its :class:`~paxos.explorer.node.Local` and the set
of all that it has sent. The network is the union of these sets, so it needs
nothing of its own ("collapse compression", Holzmann).

A :class:`Row` is one thing that can happen to a node in such a state: what it
needs, what it costs, and the node's next number. Rows are made when a search
first meets the node with the message: the core is called once for each
(local state, message), however many states share the pair.

Rows that change nothing are no rows. Everything that a message may do to a
node is tried, so this is found out on the real object, and never guessed.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Final, Generic, NamedTuple, TypeVar

from paxos.explorer import node as nodes
from paxos.explorer.model import Accused, Model
from paxos.explorer.node import Local, Pair
from paxos.explorer.rules import (
    Facts,
    Outbox,
    broken_by_sending,
    broken_by_starting,
)
from paxos.protocol import Message, NodeId, Persist, Send, Stored
from paxos.storage import LostDisk

T = TypeVar("T")


class Cost(IntFlag):
    """What an action uses up."""

    NOTHING = 0
    BALLOT = 1
    CRASH = 2
    DISK_FAULT = 4

    @property
    def price(self) -> tuple[int, int, int]:
        """The same as counts of ballots, crashes and faults of a disk."""
        return self & 1, self >> 1 & 1, self >> 2 & 1


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message of the network, with its sender and its addressee."""

    source: NodeId
    to: NodeId
    message: Message


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens at a node.

    Attributes:
        verb: ``start_ballot``, ``deliver``, ``effect``, ``kill``,
            ``power_loss``, ``start``, or a fault of the disk: ``fail_sync``,
            ``torn_write``, ``corrupt``, ``lose_disk``, ``copy``.
        value: what a client wishes for; ``None`` where a ballot is begun again.
        envelope: what is delivered, or whose promise is copied.
        after: with whole steps: what cuts this action's effects short
            (``kill``, ``power_loss``, ``fail_sync``, ``torn_write``), and
            after how many of them; ``None`` when all are carried out.
    """

    verb: str
    value: str | None = None
    envelope: Envelope | None = None
    after: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A node as a search finds it, where that does not begin with new nodes.

    Attributes:
        local: its local state.
        network: what it has sent and may still arrive, in the order of sending.
        told: all that it has ever sent, for the rules.
    """

    local: Local
    network: tuple[Envelope, ...] = ()
    told: tuple[Envelope, ...] = ()


class Part(NamedTuple):
    """A node in a state: its local state, and its :class:`Sent`, both by number."""

    local: int
    sent: int


class Sent(NamedTuple):
    """What a node has sent.

    Attributes:
        bits: the messages that the network holds of it.
        outbox: all that it ever sent, as the rules see it. It follows from
            ``bits`` but where dead messages are dropped.
    """

    bits: int
    outbox: Outbox


class Row(NamedTuple):
    """One thing that can happen to a node.

    Attributes:
        action: the number of the :class:`Action`.
        need: the bit, among those for this node, of the message that it
            takes; -1 for none.
        cost: what it uses up.
        target: the node's next number.
        broken: the rules that it breaks, as bits in the order of ``RULES``.
    """

    action: int
    need: int
    cost: Cost
    target: int
    broken: int


RULES: Final = ("R1", "R2", "R3", "R4", "R6", "validity")
"""The rules that a single step can break, in the order of the bits of a row."""


ALL: Final = -1
NOT_EVEN_OWN: Final = -2


class Interned(Generic[T]):
    """Things as numbers, in the order in which they were met.

    Args:
        key: what tells two of them apart; by default the thing itself.
    """

    def __init__(self, key: Callable[[T], Hashable] | None = None) -> None:
        self.items: list[T] = []
        self._key = key
        self._numbers: dict[Hashable, int] = {}

    def number(self, item: T) -> int:
        """The number of a thing, new or old."""
        key = item if self._key is None else self._key(item)
        known = self._numbers.setdefault(key, len(self.items))
        if known == len(self.items):
            self.items.append(item)
        return known

    def __len__(self) -> int:
        return len(self.items)


class NodeTable:
    """All that is known of one node: its parts, and the rows of each.

    Attributes:
        locals: its local states, by number.
        parts: by number. Number 0 is the node as it begins.
        rows: by part; filled by :meth:`Tables.fill`.
        known: by part: the bits of the messages that its rows take account
            of; ``ALL`` where no message can do anything, ``NOT_EVEN_OWN``
            before the part was met.
        facts: by part: the number of its :class:`Facts`.
        arriving: the messages to this node, in the order of their bits.
        deliveries: by the same bits: the numbers of their actions.
        leaving: the messages of this node, in the order of theirs.
        call_count: how often the core was called for it.
    """

    def __init__(self, node_id: NodeId) -> None:
        self.node_id = node_id
        self.locals: Interned[Local] = Interned(Local.key)
        self.parts: Interned[Part] = Interned()
        self.rows: list[list[Row]] = []
        self.known: list[int] = []
        self.facts: list[int] = []
        self.arriving: list[Envelope] = []
        self.arriving_bit: dict[Envelope, int] = {}
        self.deliveries: list[int] = []
        self.leaving: Interned[Envelope] = Interned()
        self.call_count = 0
        # What follows from a set of sent messages alone, and from a local
        # state alone, is found once.
        self.sents: Interned[Sent] = Interned()
        self.nothing_sent = self.sents.number(Sent(0, Outbox()))
        self.outgoing_of: dict[int, dict[NodeId, int]] = {}
        self.more_sent: dict[tuple[int, int], int] = {}
        self.delivered: dict[tuple[int, int], int] = {}
        self.own_facts: dict[int, int] = {}
        self.own_steps: dict[int, tuple[Step, ...]] = {}
        self.effects: dict[int, Effected] = {}

    def sent_envelopes(self, sent: int) -> Iterator[Envelope]:
        """The messages that the network holds, in the order in which the search met them."""
        return (self.leaving.items[bit] for bit in bits_of(self.sents.items[sent].bits))

    def outgoing(self, part: int) -> dict[NodeId, int]:
        """What a part has sent to each node, as bits of those arriving there."""
        return self.outgoing_of[self.parts.items[part].sent]


class Step(NamedTuple):
    """What a node can do by itself in a local state, whatever it has sent."""

    action: int
    cost: Cost
    after: int
    broken: int


class Effected(NamedTuple):
    """What becomes of a local state when its next effect is carried out.

    ``bit`` is that of the message that leaves, -1 for a record.
    """

    after: int
    bit: int


def bits_of(word: int) -> Iterator[int]:
    """The places of the bits of a number, lowest first."""
    while word:
        low = word & -word
        yield low.bit_length() - 1
        word ^= low


class Tables:
    """The tables of all nodes of a model.

    Args:
        model: the bounds.
        accused: the protocol.
        starts: how each node begins, by position; by default new, with nothing sent.

    Attributes:
        nodes: by position; node id 1 is at 0.
        broken_at_start: the rules that a step breaks which was under way when a
            search from somewhere began, as bits.
        actions: by number.
        facts: by number.
    """

    def __init__(self, model: Model, accused: Accused, starts: Sequence[Start] = ()) -> None:
        self.model = model
        self.accused = accused
        self.actions: Interned[Action] = Interned()
        self.facts: Interned[Facts] = Interned()
        self._told: dict[tuple[int, frozenset[Pair]], int] = {}
        self.nodes = [NodeTable(member) for member in model.members]
        self.broken_at_start = 0
        for position, table in enumerate(self.nodes):
            if not starts:
                first = table.locals.number(nodes.newborn(model, accused, table.node_id))
                self.part(table, first, table.nothing_sent)
                continue
            start = starts[position]
            # A step under way is carried out to its end where steps are whole.
            first, sent = table.locals.number(start.local), self._sent(table, start)
            self.broken_at_start |= self._settled(table, first, sent)[1]

    def _sent(self, table: NodeTable, start: Start) -> int:
        """The number of what a node has sent before a search began."""
        bits, outbox = 0, Outbox()
        for envelope in start.network:
            bits |= 1 << self._leaving_bit(table, Send(envelope.to, envelope.message))
        for envelope in start.told:
            outbox = outbox.plus(envelope.to, envelope.message)
        return table.sents.number(Sent(bits, outbox))

    @property
    def call_count(self) -> int:
        """How often the core was called."""
        return sum(table.call_count for table in self.nodes)

    def available(self, position: int, parts: Sequence[int]) -> int:
        """The bits of the messages that the network holds for a node."""
        to = self.model.members[position]
        found = 0
        for table, part in zip(self.nodes, parts, strict=True):
            found |= table.outgoing(part).get(to, 0)
        return found

    def fill(self, position: int, part: int, available: int) -> bool:
        """See that a part's rows take account of these messages, by their bits.

        Returns:
            Whether anything was new.
        """
        table = self.nodes[position]
        known, rows = table.known[part], table.rows[part]
        if known == NOT_EVEN_OWN:
            rows += self._own_rows(table, part)
            known = ALL if self._is_closed(table, part) else 0
            table.known[part] = known
        elif not available & ~known:
            return False
        if known != ALL:
            for bit in bits_of(available & ~known):
                rows += self._message_rows(table, part, bit)
            table.known[part] = known | available
        return True

    def _is_closed(self, table: NodeTable, part: int) -> bool:
        """Whether no message can do anything to a node, for it is down or at work."""
        local = table.locals.items[table.parts.items[part].local]
        if local.memory is None:
            copies = self.accused.faults.lost is LostDisk.COPIES and not local.refused
            return not (copies and self.model.disk_faults)
        return bool(local.pending)

    # Rows.

    def _own_rows(self, table: NodeTable, part: int) -> Iterator[Row]:
        """What can happen to a node without a message."""
        local, sent = table.parts.items[part]
        steps = table.own_steps.get(local)
        if steps is None:
            steps = table.own_steps[local] = tuple(self._own_steps(table, local))
        for step in steps:
            yield from self._rows(table, part, sent, step, -1)
        if not self.model.whole_steps and table.locals.items[local].pending:
            after, leaves, broken = self._carried_out(table, local, sent)
            step = Step(self.actions.number(Action("effect")), Cost.NOTHING, after, broken)
            yield from self._rows(table, part, leaves, step, -1)

    def _message_rows(self, table: NodeTable, part: int, bit: int) -> Iterator[Row]:
        number, sent = table.parts.items[part]
        after = table.delivered.get((number, bit))
        if after is None:
            after = table.delivered[number, bit] = self._delivered(table, number, bit)
        if after == number:
            return
        local = table.locals.items[number]
        if local.memory is not None:
            step = Step(table.deliveries[bit], Cost.NOTHING, after, 0)
        else:
            envelope = table.arriving[bit]
            copied = Stored(promised=envelope.message.ballot)  # type: ignore[union-attr]
            broken = _bits(broken_by_starting(local, copied))
            action = self.actions.number(Action("copy", envelope=envelope))
            step = Step(action, Cost.DISK_FAULT, after, broken)
        yield from self._rows(table, part, sent, step, bit)

    def _rows(self, table: NodeTable, part: int, sent: int, step: Step, bit: int) -> Iterator[Row]:
        target, broken = self._settled(table, step.after, sent)
        if target != part:
            yield Row(step.action, bit, step.cost, target, broken | step.broken)
        if self.model.whole_steps and (self.model.crashes or self.model.disk_faults):
            yield from self._cut_rows(table, sent, step, bit)

    def _cut_rows(self, table: NodeTable, sent: int, step: Step, bit: int) -> Iterator[Row]:
        """A step whose effects something cuts short, or disturbs."""
        local, broken, done = step.after, step.broken, 0
        while table.locals.items[local].pending:
            for verb, cost, after in self._cuts(table, local, done):
                target, more = self._settled(table, after, sent)
                action = replace(self.actions.items[step.action], after=(verb, done))
                yield Row(self.actions.number(action), bit, step.cost | cost, target, broken | more)
            local, sent, more = self._carried_out(table, local, sent)
            broken |= more
            done += 1

    def _cuts(self, table: NodeTable, number: int, done: int) -> Iterator[tuple[str, Cost, int]]:
        local = table.locals.items[number]
        # Before the first effect a crash is one before the step.
        crashes = self._crashes(local) if done else ()
        for action, cost, after in (*crashes, *self._disturbed(local)):
            yield action.verb, cost, table.locals.number(after)

    # Steps of a node, whatever it has sent.

    def _own_steps(self, table: NodeTable, number: int) -> Iterator[Step]:
        model, accused = self.model, self.accused
        local = table.locals.items[number]
        if local.refused:
            return
        if local.memory is None:
            table.call_count += 1
            recovered = accused.roles.recover(local.disk.cached)
            after = nodes.start(local, accused, model, table.node_id)
            broken = _bits(broken_by_starting(local, recovered))
            action = self.actions.number(Action("start"))
            yield Step(action, Cost.NOTHING, table.locals.number(after), broken)
            if model.disk_faults:
                for verb, left in (
                    ("corrupt", nodes.corrupt(local, accused)),
                    ("lose_disk", nodes.lose_disk(local, accused)),
                ):
                    action = self.actions.number(Action(verb))
                    yield Step(action, Cost.DISK_FAULT, table.locals.number(left), 0)
            return
        if not local.pending and model.may_begin(table.node_id):
            for value in (*model.wishes, None):
                table.call_count += 1
                begun = nodes.start_ballot(local, value)
                if begun is not None:
                    action = self.actions.number(Action("start_ballot", value))
                    yield Step(action, Cost.BALLOT, table.locals.number(begun), 0)
        disturbed = () if model.whole_steps else self._disturbed(local)
        for crash, cost, left in (*self._crashes(local), *disturbed):
            yield Step(self.actions.number(crash), cost, table.locals.number(left), 0)

    def _crashes(self, local: Local) -> Iterator[tuple[Action, Cost, Local]]:
        if self.model.crashes:
            yield Action("kill"), Cost.CRASH, nodes.kill(local)
            yield Action("power_loss"), Cost.CRASH, nodes.power_loss(local)

    def _disturbed(self, local: Local) -> Iterator[tuple[Action, Cost, Local]]:
        """What a fault of the disk makes of the next effect."""
        if not self.model.disk_faults:
            return
        failed = nodes.failed_sync(local, self.accused)
        if failed is not None:
            yield Action("fail_sync"), Cost.DISK_FAULT, failed
        torn = nodes.torn_write(local, self.accused) if self.model.crashes else None
        if torn is not None:
            yield Action("torn_write"), Cost.CRASH | Cost.DISK_FAULT, torn

    def _delivered(self, table: NodeTable, number: int, bit: int) -> int:
        """A local state after a message; the same number when nothing changes."""
        local, envelope = table.locals.items[number], table.arriving[bit]
        if local.memory is None:
            return self._copied(table, number, envelope.message)
        if local.pending:
            return number
        table.call_count += 1
        return table.locals.number(nodes.deliver(local, envelope.source, envelope.message))

    def _copied(self, table: NodeTable, number: int, message: Message) -> int:
        """A node whose disk is lost takes over what a peer has promised to it."""
        if not self.model.disk_faults or self.accused.faults.lost is not LostDisk.COPIES:
            return number
        local = table.locals.items[number]
        copied = nodes.start_as_copy(local, self.accused, self.model, table.node_id, message)
        return number if copied is None else table.locals.number(copied)

    # Effects.

    def _carried_out(self, table: NodeTable, number: int, sent: int) -> tuple[int, int, int]:
        """Carry the next effect out: the local state, what was sent, and the rules broken."""
        effected = table.effects.get(number)
        if effected is None:
            effected = table.effects[number] = self._effected(table, number)
        after, bit = effected
        if bit < 0:
            return after, sent, 0
        local = table.locals.items[number]
        send = local.pending[0]
        assert isinstance(send, Send), f"{send} has no bit"
        bits, outbox = table.sents.items[sent]
        broken = broken_by_sending(local, outbox, send, table.node_id, self.model.members)
        leaves = table.more_sent.get((sent, bit))
        if leaves is None:
            more = Sent(bits | 1 << bit, outbox.plus(send.to, send.message))
            leaves = table.more_sent[sent, bit] = table.sents.number(more)
        return after, leaves, _bits(broken) if broken else 0

    def _effected(self, table: NodeTable, number: int) -> Effected:
        local = table.locals.items[number]
        effect = local.pending[0]
        if isinstance(effect, Persist):
            return Effected(table.locals.number(nodes.persist(local, self.accused)), -1)
        after = table.locals.number(nodes.sent(local))
        return Effected(after, self._leaving_bit(table, effect))

    def _leaving_bit(self, table: NodeTable, send: Send) -> int:
        envelope = Envelope(table.node_id, send.to, send.message)
        addressee = self.nodes[send.to - 1]
        if envelope not in addressee.arriving_bit:
            addressee.arriving_bit[envelope] = len(addressee.arriving)
            addressee.arriving.append(envelope)
            action = Action("deliver", envelope=envelope)
            addressee.deliveries.append(self.actions.number(action))
        return table.leaving.number(envelope)

    def _settled(self, table: NodeTable, local: int, sent: int) -> tuple[int, int]:
        """The number of a node in this state, and the rules broken on the way to it.

        What is sent again changes nothing, so it takes no step of its own.
        """
        broken = 0
        while table.locals.items[local].pending:
            after, leaves, more = self._carried_out(table, local, sent)
            if not self.model.whole_steps and (leaves != sent or table.effects[local].bit < 0):
                break
            local, sent = after, leaves
            broken |= more
        return self.part(table, local, sent), broken

    def part(self, table: NodeTable, number: int, sent: int) -> int:
        """The number of a node in this local state that has sent this, new or old."""
        local, outbox = table.locals.items[number], table.sents.items[sent].outbox
        if local.ghost.accepted & outbox.accepted:
            # It follows from what was sent.
            accepted = local.ghost.accepted - outbox.accepted
            local = replace(local, ghost=replace(local.ghost, accepted=accepted))
            number = table.locals.number(local)
        part = table.parts.number(Part(number, sent))
        if part == len(table.rows):
            table.rows.append([])
            table.known.append(NOT_EVEN_OWN)
            table.facts.append(self._facts(table, number, outbox))
            if sent not in table.outgoing_of:
                table.outgoing_of[sent] = self._by_addressee(table, sent)
        return part

    def _facts(self, table: NodeTable, number: int, outbox: Outbox) -> int:
        own = table.own_facts.get(number)
        if own is None:
            own = self.facts.number(Facts.of(table.locals.items[number]))
            table.own_facts[number] = own
        key = own, outbox.accepted
        found = self._told.get(key)
        if found is None:
            found = self._told[key] = self.facts.number(self.facts.items[own].told(outbox))
        return found

    def _by_addressee(self, table: NodeTable, sent: int) -> dict[NodeId, int]:
        found: dict[NodeId, int] = {}
        for envelope in table.sent_envelopes(sent):
            bit = self.nodes[envelope.to - 1].arriving_bit[envelope]
            found[envelope.to] = found.get(envelope.to, 0) | 1 << bit
        return found


def _bits(broken: Iterable[str]) -> int:
    word = 0
    for rule in broken:
        word |= 1 << RULES.index(rule)
    return word


def rules_of(word: int) -> tuple[str, ...]:
    """The names of the rules whose bits are set."""
    return tuple(RULES[bit] for bit in bits_of(word))
