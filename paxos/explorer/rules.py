"""The rules, judged where a node of the model acts, and the properties of whole states.

R1 to R4 and R6 are about what one node does, so they are judged once per
step when a table is filled. Agreement, validity and R5 need several nodes;
for them a node is summed up as :class:`Facts`. Nothing is shared with
:mod:`paxos.checker`, which judges the counterexample's log once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from paxos.explorer.node import Local, Pair
from paxos.protocol import (
    Accept,
    Accepted,
    Ballot,
    Message,
    NodeId,
    Phase,
    Prepare,
    Promise,
    Proposal,
    Report,
    Send,
    Stored,
    majority,
)

ALWAYS: Final = ("R1", "R2", "R3", "R4", "R5", "R6", "agreement", "validity")
"""What must hold in every state, in the order in which it is told."""
TITLES: Final = {
    "R1": "promise kept",
    "R2": "honest promise",
    "R3": "one value per ballot",
    "R4": "justified accept",
    "R5": "justified learning",
    "R6": "durable before reply",
    "agreement": "at most one value is chosen, and learned",
    "validity": "a chosen value was wished for",
    "chosen": "a value can be chosen",
    "learned": "every node can learn it",
    "duel": "two proposers can duel",
}


@dataclass(frozen=True, slots=True)
class Outbox:
    """What a node has sent, summed up for the rules."""

    replied: Ballot = Ballot.ZERO
    prepares: frozenset[tuple[NodeId, Ballot]] = frozenset()
    accepts: frozenset[Pair] = frozenset()
    accepted: frozenset[Pair] = frozenset()

    def plus(self, to: NodeId, message: Message) -> "Outbox":
        """The same with one message more."""
        match message:
            case Prepare(_, ballot):
                return replace(self, prepares=self.prepares | {(to, ballot)})
            case Promise(_, ballot):
                return replace(self, replied=max(self.replied, ballot))
            case Accept(_, ballot, value):
                return replace(self, accepts=self.accepts | {(ballot, value)})
            case Accepted(_, ballot, value):
                accepted = self.accepted | {(ballot, value)}
                return replace(self, replied=max(self.replied, ballot), accepted=accepted)
            case _:
                return self


def broken_by_sending(
    local: Local, outbox: Outbox, send: Send, node_id: NodeId, members: Sequence[NodeId]
) -> tuple[str, ...]:
    """The rules that a node breaks by sending a message in this state, in order.

    Args:
        local: the sender before it sends.
        outbox: what it has sent before.
        send: what it sends now.
        node_id: who it is.
        members: the acceptors.
    """
    broken = []
    match send.message:
        case Promise(_, ballot, accepted):
            if ballot < outbox.replied:
                broken.append("R1")
            if not _is_honest(local, outbox, accepted):
                broken.append("R2")
            if not _is_durable(local, ballot, accepted):
                broken.append("R6")
        case Accepted(_, ballot, value):
            if ballot < outbox.replied:
                broken.append("R1")
            elif (ballot, value) not in accepted_on_disk(local):
                broken.append("R6")
        case Prepare(_, ballot):
            # The core sends each Prepare of a ballot once, so the same again
            # is a ballot begun again.
            if (send.to, ballot) in outbox.prepares or ballot.node_id != node_id:
                broken.append("R3")
        case Accept(_, ballot, value):
            if ballot.node_id != node_id or any(
                (ballot, other) in outbox.accepts for other in _values(outbox, ballot) - {value}
            ):
                broken.append("R3")
            if not _values(outbox, ballot):
                broken += _broken_by_first_accept(local, value, len(members))
        case _:
            pass
    return tuple(broken)


def broken_by_starting(before: Local, recovered: Stored) -> tuple[str, ...]:
    """R6 (b): what a node recovers is at least as new as what it last made durable."""
    last = before.ghost.kept or before.disk.durable
    older = recovered.promised < last.promised or _number(recovered.accepted) < _number(
        last.accepted
    )
    return ("R6",) if older else ()


def accepted_on_disk(local: Local) -> frozenset[Pair]:
    """The pairs that are durable at a node, or were once."""
    accepted = local.disk.durable.accepted
    if accepted is None:
        return local.ghost.accepted
    return local.ghost.accepted | {(accepted.ballot, accepted.value)}


def heard(local: Local) -> frozenset[Report]:
    """The Promises of the ballot under way that arrived since it was begun."""
    if local.memory is None:
        return frozenset()
    counted = frozenset(local.memory.proposer.promises)
    return (counted - local.ghost.unheard) | local.ghost.unheeded


def _values(outbox: Outbox, ballot: Ballot) -> set[str]:
    return {value for at, value in outbox.accepts if at == ballot}


def _is_honest(local: Local, outbox: Outbox, reported: Proposal | None) -> bool:
    accepted = accepted_on_disk(local) | outbox.accepted
    if not accepted:
        return reported is None
    highest = max(ballot for ballot, _ in accepted)
    return (
        reported is not None
        and reported.ballot == highest
        and (reported.ballot, reported.value) in accepted
    )


def _is_durable(local: Local, ballot: Ballot, reported: Proposal | None) -> bool:
    durable = local.disk.durable
    if max(durable.promised, _number(durable.accepted)) < ballot:
        return False
    # A report of what it never had is R2's affair.
    memory = local.memory
    if reported is None or memory is None or memory.acceptor.accepted != reported:
        return True
    return (reported.ballot, reported.value) in accepted_on_disk(local)


def _broken_by_first_accept(local: Local, value: str, members: int) -> list[str]:
    assert local.memory is not None, "only a node that is up sends"
    quorum = majority(members)
    reports = heard(local)
    by_node: dict[NodeId, list[Proposal | None]] = {}
    for report in reports:
        by_node.setdefault(report.node, []).append(report.accepted)
    wished = value in {wish.value for wish in local.memory.proposer.wishes}
    reported = {report.accepted.value for report in reports if report.accepted is not None}
    broken = [] if wished or value in reported else ["validity"]
    if len(by_node) < quorum:
        return ["R4", *broken]
    # Some quorum among those heard must justify the value: for each report of
    # it, those that reported nothing higher.
    for report in reports:
        if report.accepted is not None and report.accepted.value == value:
            below = [
                node
                for node, answers in by_node.items()
                if any(_number(answer) <= report.accepted.ballot for answer in answers)
            ]
            if len(below) >= quorum:
                return broken
    silent = [node for node, answers in by_node.items() if None in answers]
    if len(silent) >= quorum and wished:
        return broken
    return ["R4", *broken]


def _number(proposal: Proposal | None) -> Ballot:
    return Ballot.ZERO if proposal is None else proposal.ballot


@dataclass(frozen=True, slots=True)
class Facts:
    """What the properties of a whole state need to know of one node.

    Attributes:
        accepted: what it has accepted: durable once, or told in an ``Accepted``.
        learned: what its memory or its disk takes as chosen.
        refused: whether its present ballot has been refused by somebody.
    """

    accepted: frozenset[Pair]
    learned: frozenset[Pair]
    refused: bool

    @classmethod
    def of(cls, local: Local) -> "Facts":
        """Sum a node up, but for what it has sent."""
        learned = set()
        for known in (local.disk.durable.learned, local.disk.cached.learned):
            if known is not None:
                learned.add((known.ballot, known.value))
        memory = local.memory
        if memory is not None and memory.learner.learned is not None:
            known = memory.learner.learned
            learned.add((known.ballot, known.value))
        refused = (
            memory is not None
            and bool(memory.proposer.refused_by)
            and memory.proposer.phase is not Phase.DONE
        )
        return cls(accepted_on_disk(local), frozenset(learned), refused)

    def told(self, outbox: Outbox) -> "Facts":
        """The same with what it has sent."""
        return replace(self, accepted=self.accepted | outbox.accepted)


def chosen_pairs(facts: Sequence[Facts]) -> set[Pair]:
    """The pairs that a quorum has accepted."""
    quorum = majority(len(facts))
    counts: dict[Pair, int] = {}
    for one in facts:
        for pair in one.accepted:
            counts[pair] = counts.get(pair, 0) + 1
    return {pair for pair, count in counts.items() if count >= quorum}


def judge(facts: Sequence[Facts], wishes: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The *always* properties that a state breaks, and the *sometimes* ones that it shows.

    Args:
        facts: of each node.
        wishes: what clients may wish for at all. That a value was wished for
            *before* is judged where a proposer pushes it.
    """
    pairs = chosen_pairs(facts)
    chosen = {value for _, value in pairs}
    learned = {pair for one in facts for pair in one.learned}
    values = {value for _, value in learned}
    broken = []
    if learned - pairs:
        broken.append("R5")
    if len(chosen | values) > 1:
        broken.append("agreement")
    if chosen - set(wishes):
        broken.append("validity")
    shown = []
    if chosen:
        shown.append("chosen")
    if all(one.learned for one in facts):
        shown.append("learned")
    if any(one.refused for one in facts) and not chosen:
        shown.append("duel")
    return tuple(broken), tuple(shown)
