"""A search that forgets messages which can do nothing any more.

A message is *dead* when its delivery changes nothing that matters, now and
ever: a Promise of a ballot whose proposer is past phase 1, an Accepted for a
learner that has learned, a Prepare of a ballot that is over at its proposer,
to an acceptor that has promised as much. A state without its dead messages
behaves like the state with them, so the two are searched as one.

That is an argument, and arguments are wrong for broken protocols first (it is
how a study hid a planted bug). So it is put to the test while the search goes
on, and :class:`NotReducible` ends the search when a test fails:

1. each message that is dropped is delivered to the real object once, which
   must stay as it is, and may only answer what is dead itself;
2. no step of a node makes a dead message alive again.

Counts of a reduced search are its own, and never told as those of the model.
It uses the plain engine, for what is left is small.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from paxos.explorer import node as nodes
from paxos.explorer.node import Local, Pair
from paxos.explorer.plain import PlainSearch, State
from paxos.explorer.tables import Envelope, NodeTable, Row, Sent, Tables, bits_of
from paxos.protocol import (
    Accept,
    Accepted,
    Ballot,
    Learn,
    Nack,
    Phase,
    Prepare,
    Promise,
    Proposal,
    Report,
    Send,
)


class NotReducible(Exception):
    """A message that counts as dead did something: search this protocol without the reduction."""


@dataclass(slots=True)
class _Masks:
    """What is known of a part, as bits of the messages that arrive somewhere.

    Attributes:
        seen: how many of the messages are accounted for.
        bits: those for which it holds.
    """

    seen: int = 0
    bits: int = 0


class ReducedSearch(PlainSearch):
    """A breadth-first search over states without their dead messages.

    With whole steps only: a node at work cannot be asked what a message would
    do to it.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._crashes = self.model.crashes > 0
        # By node and part: with which messages to it the node is done.
        self._done: list[dict[int, _Masks]] = [{} for _ in self.model.members]
        # By sender, its part and addressee: which requests are over at the sender.
        self._over: dict[tuple[int, int, int], _Masks] = {}
        self._requests = [_Masks() for _ in self.model.members]
        self._stripped: dict[tuple[int, int, tuple[int, ...]], int] = {}
        self._tested_steps: set[tuple[int, int, int]] = set()

    def rows(self, state: State) -> Iterator[tuple[int, Row, State]]:
        """What can happen in a state; the next state without its dead messages."""
        for position, row, after in super().rows(state):
            self._test_step(position, state[position], row.target)
            bare = self.without_dead(after)
            # What is sent and dead at once leads nowhere, but may break a rule.
            if bare != state or row.broken:
                yield position, row, bare

    def without_dead(self, state: State) -> State:
        """The state that stands for this one."""
        count = self.model.nodes
        parts = state[:count]
        bare = list(state)
        done = [self._done_with(position, part) for position, part in enumerate(parts)]
        requests = [self._requests_to(position) for position in range(count)]
        for sender, part in enumerate(parts):
            outgoing = self.tables.nodes[sender].outgoing(part)
            dead = tuple(
                outgoing.get(to + 1, 0)
                & done[to]
                & (~requests[to] | self._over_at(sender, part, to))
                for to in range(count)
            )
            if any(dead):
                bare[sender] = self._strip(sender, part, dead)
        return tuple(bare)

    def _strip(self, sender: int, part: int, dead: tuple[int, ...]) -> int:
        key = sender, part, dead
        found = self._stripped.get(key)
        if found is None:
            table = self.tables.nodes[sender]
            drop = 0
            for to, bits in enumerate(dead):
                for bit in bits_of(bits):
                    drop |= 1 << table.leaving.number(self.tables.nodes[to].arriving[bit])
            local, sent = table.parts.items[part]
            bits, outbox = table.sents.items[sent]
            found = self.tables.part(table, local, table.sents.number(Sent(bits & ~drop, outbox)))
            self._stripped[key] = found
        return found

    # What is dead, in bits.

    def _requests_to(self, position: int) -> int:
        masks, arriving = self._requests[position], self.tables.nodes[position].arriving
        for bit in range(masks.seen, len(arriving)):
            masks.bits |= isinstance(arriving[bit].message, Prepare | Accept) << bit
        masks.seen = len(arriving)
        return masks.bits

    def _done_with(self, position: int, part: int) -> int:
        table = self.tables.nodes[position]
        masks = self._done[position].get(part)
        if masks is None:
            masks = self._done[position][part] = _Masks()
        if masks.seen < len(table.arriving):
            local, told = self._local(table, part)
            for bit in range(masks.seen, len(table.arriving)):
                envelope = table.arriving[bit]
                if _is_done_with(local, envelope, told, crashes=self._crashes):
                    self._test_delivery(envelope, local, told)
                    masks.bits |= 1 << bit
            masks.seen = len(table.arriving)
        return masks.bits

    def _over_at(self, sender: int, part: int, to: int) -> int:
        arriving = self.tables.nodes[to].arriving
        masks = self._over.get((sender, part, to))
        if masks is None:
            masks = self._over[sender, part, to] = _Masks()
        if masks.seen < len(arriving):
            local, _ = self._local(self.tables.nodes[sender], part)
            for bit in range(masks.seen, len(arriving)):
                envelope = arriving[bit]
                message = envelope.message
                if envelope.source == sender + 1 and isinstance(message, Prepare | Accept):
                    masks.bits |= _is_over(local, message.ballot) << bit
            masks.seen = len(arriving)
        return masks.bits

    def _local(self, table: NodeTable, part: int) -> tuple[Local, frozenset[Pair]]:
        local, sent = table.parts.items[part]
        return table.locals.items[local], table.sents.items[sent].outbox.accepted

    # The tests.

    def _test_delivery(self, envelope: Envelope, local: Local, told: frozenset[Pair]) -> None:
        """Deliver a message that a node is done with to the real object.

        The node must stay as it is. What it may still do is answer a request,
        about that request's ballot, which must be over before it is dropped;
        or tell again what it has told.
        """
        if local.memory is None:
            return
        message = envelope.message
        after = nodes.deliver(local, envelope.source, message)
        harmless = nodes.at_rest(after).key() == local.key()
        for effect in after.pending:
            answer = effect.message if isinstance(effect, Send) else None
            match answer:
                case Promise(_, ballot) | Nack(_, ballot):
                    about = isinstance(message, Prepare | Accept) and message.ballot == ballot
                    harmless = harmless and about
                case Accepted(_, ballot, value):
                    harmless = harmless and (ballot, value) in told
                case _:
                    harmless = False
        if not harmless:
            raise NotReducible(
                f"{message} to n{envelope.to} counts as dead, and does something: search this "
                "protocol without the reduction"
            )

    def _test_step(self, position: int, before: int, after: int) -> None:
        """See that a node's step makes no dead message alive again."""
        table = self.tables.nodes[position]
        key = position, before, after
        if key in self._tested_steps:
            return
        self._tested_steps.add(key)
        again = self._done_with(position, before) & ~self._done_with(position, after)
        for to in range(self.model.nodes):
            again |= self._over_at(position, before, to) & ~self._over_at(position, after, to)
        if again:
            raise NotReducible(
                f"a step of n{table.node_id} makes a message matter again that counted as dead: "
                "search this protocol without the reduction"
            )


def _is_done_with(
    local: Local, envelope: Envelope, told: frozenset[Pair], *, crashes: bool
) -> bool:
    """Whether a node itself stays as it is, whenever the message comes.

    Args:
        local: the node.
        envelope: the message to it.
        told: what it has told to have accepted.
        crashes: whether a node of the model may forget.
    """
    source, message = envelope.source, envelope.message
    promised = local.disk.durable.promised
    match message:
        case Prepare(_, ballot):
            return promised >= ballot
        case Accept(_, ballot, value):
            if promised == ballot:
                accepted = local.disk.durable.accepted == Proposal(ballot, value)
                return accepted and (ballot, value) in told
            return promised > ballot
        case Promise(_, ballot, accepted_pair):
            if _is_past(local, ballot):
                return True
            proposer = local.memory.proposer if local.memory is not None else None
            return (
                proposer is not None
                and proposer.ballot == ballot
                and (
                    proposer.phase is not Phase.PREPARING
                    or Report(source, accepted_pair) in proposer.promises
                )
            )
        case Nack(_, ballot, higher):
            if _is_over(local, ballot):
                return True
            proposer = local.memory.proposer if local.memory is not None else None
            return (
                proposer is not None
                and proposer.ballot == ballot
                and source in proposer.refused_by
                and proposer.highest >= higher
            )
        case Accepted(_, ballot, value):
            if _knows(local, crashes=crashes):
                return True
            learner = local.memory.learner if local.memory is not None else None
            return (
                learner is not None
                and not crashes
                and source in learner.counted(Proposal(ballot, value))
            )
        case Learn():
            return _knows(local, crashes=crashes)
        case _:
            return True


def _knows(local: Local, *, crashes: bool) -> bool:
    """Whether a node has learned, and will not forget it."""
    if local.disk.durable.learned is not None:
        return True
    return not crashes and local.memory is not None and local.memory.learner.learned is not None


def _is_past(local: Local, ballot: Ballot) -> bool:
    """Whether a proposer will never again be at a ballot of its own."""
    last = local.disk.durable.round
    at = local.memory.proposer.ballot if local.memory is not None else Ballot.ZERO
    return ballot.round < last or (ballot.round == last and at != ballot)


def _is_over(local: Local, ballot: Ballot) -> bool:
    """Whether a proposer has no use for an answer to a request of this ballot."""
    if _is_past(local, ballot):
        return True
    memory = local.memory
    return (
        memory is not None
        and memory.proposer.ballot == ballot
        and memory.proposer.phase not in {Phase.PREPARING, Phase.ACCEPTING}
    )
