"""What a step of the core looks like in the log, in every world.

A driver calls :func:`record` once per step and writes the lines that it gets
at the right moments: the input's before the first effect, a ``Send``'s before
the message leaves, a synced ``Persist``'s after the sync. Because nothing but
this module turns steps into lines, the log is complete by construction and
the same in every driver.
"""

from dataclasses import dataclass
from typing import Any

from paxos.events import Line, logged_value
from paxos.protocol import (
    Accept,
    Accepted,
    Acceptor,
    AcceptorRecord,
    Answer,
    CancelTimer,
    Effect,
    Ignore,
    Input,
    Instance,
    Learn,
    Learned,
    LearnedRecord,
    Learner,
    LinkUp,
    Message,
    Nack,
    NodeId,
    Outcome,
    Persist,
    Phase,
    Prepare,
    Promise,
    Proposal,
    Proposer,
    ProposeRequested,
    Received,
    Record,
    RoundRecord,
    Send,
    SetTimer,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
    node_name,
)

_KINDS: dict[type, str] = {
    Prepare: "prepare",
    Promise: "promise",
    Accept: "accept",
    Accepted: "accepted",
    Nack: "nack",
    Learn: "learn",
    Learned: "learned",
    Status: "status",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The lines of one step, without their header, which the writer adds.

    Attributes:
        given: the line of the input.
        effects: for each effect, in order, its line, or ``None`` where there
            is nothing to write. What only the driver knows is left out:
            ``number`` of a ``state_persisted``, ``after_ms`` of a ``timer_set``.
    """

    given: Line
    effects: tuple[Line | None, ...]


def record(
    given: Input,
    before: Instance,
    effects: tuple[Effect, ...],
    after: Instance,
    cause: str | None = None,
) -> Recorded:
    """Turn one step of the core into lines.

    Args:
        given: the input of the step.
        before: the state that it met.
        effects: what the step returned, in order.
        after: the state that it returned.
        cause: the name of the line that sent what was received, if known.
    """
    line = _input_line(given, before, after)
    reasons = [effect.reason for effect in effects if isinstance(effect, Ignore)]
    if reasons:
        line["ignored"] = reasons[0]
    if cause is not None:
        line["cause"] = cause
    old, new = _changed(before, after)
    if new:
        line["before"], line["after"] = old, new
    return Recorded(line, tuple(_effect_line(effect, given, after) for effect in effects))


def recovered_line(number: int, stored: Stored) -> Line:
    """The ``state_recovered`` line of one instance, without its header."""
    return {"event": "state_recovered", **stored_fields(number, stored)}


def stored_fields(number: int, stored: Stored) -> Line:
    """What a disk holds of one instance, in the log's form (also an item of ``disk_read``)."""
    return {
        "instance": number,
        "promised": str(stored.promised),
        "accepted": _proposal(stored.accepted),
        "round": stored.round,
        "learned": None if stored.learned is None else _learned(stored.learned),
    }


def message_kind(message: Message) -> str:
    """The lower-case name of a message, as in ``prepare_sent`` and in the gate's rules."""
    return _KINDS[type(message)]


def _input_line(given: Input, before: Instance, after: Instance) -> Line:
    match given:
        case Received(source, message, answer):
            line = {
                "event": f"{message_kind(message)}_received",
                "instance": message.instance,
                "source": node_name(source),
                **_message_fields(message),
                **_counted(message, after),
            }
            if answer:
                line["answer"] = True
            return line
        case ProposeRequested(instance, request, value, timeout_ms):
            return {
                "event": "propose_received",
                "instance": instance,
                "request": request,
                "value": logged_value(value),
                "timeout_ms": timeout_ms,
            }
        case TimeoutFired(instance, timer, token, reachable):
            return {
                "event": "timeout_fired",
                "instance": instance,
                "timer": str(timer),
                "token": token,
                "reachable": _names(reachable),
                **(_stuck(before, token) if timer is Timer.PATIENCE else {}),
            }
        case LinkUp(instance, peer):
            return {"event": "link_up", "peer": node_name(peer), "instance": instance}
        case Started(instance):
            return {"event": "instance_resumed", "instance": instance}


def _message_fields(message: Message) -> Line:
    match message:
        case Prepare(_, ballot):
            return {"ballot": str(ballot)}
        case Promise(_, ballot, accepted):
            return {"ballot": str(ballot), "accepted": _proposal(accepted)}
        case Accept(_, ballot, value) | Accepted(_, ballot, value):
            return {"ballot": str(ballot), "value": logged_value(value)}
        case Nack(_, ballot, promised):
            return {"ballot": str(ballot), "promised": str(promised)}
        case Learn(_, ballot, value, acceptors):
            return {
                "ballot": str(ballot),
                "value": logged_value(value),
                # Evidence that the learner refuses must still be a list of the schema.
                "acceptors": _names(sorted(set(acceptors))),
            }
        case Learned() | Status():
            return {}


def _counted(message: Message, after: Instance) -> Line:
    """How far a quorum has come with this reply: what a meter shows."""
    proposer, quorum = after.proposer, after.config.quorum
    match message:
        case Promise(_, ballot) if ballot == proposer.ballot:
            have = [report.node for report in proposer.promises]
            return {"have": _names(have), "quorum": quorum}
        case Accepted(_, ballot, value):
            known = after.learner.learned
            if known is not None and (known.ballot, known.value) == (ballot, value):
                return {"have": _names(known.acceptors), "quorum": quorum}
            counted = after.learner.counted(Proposal(ballot, value))
            return {"have": _names(counted), "quorum": quorum} if counted else {}
        case Nack(_, ballot) if ballot == proposer.ballot:
            line: Line = {"refused_by": _names(proposer.refused_by)}
            if len(after.config.members) - len(proposer.refused_by) < quorum:
                line["hopeless"] = True
            return line
        case _:
            return {}


def _stuck(before: Instance, token: int) -> Line:
    """Who has answered the ballot whose patience ran out, and who has not."""
    proposer, config = before.proposer, before.config
    if token != proposer.ballot.round:
        return {}
    if proposer.phase is Phase.ACCEPTING and proposer.pushing is not None:
        have = before.learner.counted(proposer.pushing)
    else:
        have = tuple(report.node for report in proposer.promises)
    return {
        "ballot": str(proposer.ballot),
        "phase": str(proposer.phase),
        "have": _names(have),
        "missing": _names([member for member in config.members if member not in have]),
        "quorum": config.quorum,
    }


def _effect_line(effect: Effect, given: Input, after: Instance) -> Line | None:
    match effect:
        case Send(to, message):
            return _sent_line(to, message, given, after)
        case Persist(written):
            return _persist_line(written)
        case SetTimer(instance, timer, token):
            return {
                "event": "timer_set",
                "instance": instance,
                "timer": str(timer),
                "token": token,
            }
        case CancelTimer(instance, timer, token):
            return {
                "event": "timer_cancelled",
                "instance": instance,
                "timer": str(timer),
                "token": token,
            }
        case Answer(instance, request, outcome, wanted, learned, reason):
            return {
                "event": "propose_answered",
                "instance": instance,
                "request": request,
                "outcome": str(outcome),
                "wanted": logged_value(wanted),
                "value": None if learned is None else logged_value(learned.value),
                "ballot": None if learned is None else str(learned.ballot),
                "yours": outcome is Outcome.CHOSEN
                and learned is not None
                and learned.value == wanted,
                "reason": reason,
            }
        case Ignore():
            return None


def _persist_line(written: Record) -> Line:
    match written:
        case LearnedRecord():
            return {"event": "value_learned", "instance": written.instance, **_learned(written)}
        case RoundRecord(instance, round_):
            return {
                "event": "state_persisted",
                "instance": instance,
                "record": "round",
                "round": round_,
            }
        case AcceptorRecord(instance, promised, accepted):
            return {
                "event": "state_persisted",
                "instance": instance,
                "record": "acceptor",
                "promised": str(promised),
                "accepted": _proposal(accepted),
            }


def _sent_line(to: NodeId, message: Message, given: Input, after: Instance) -> Line:
    line = {
        "event": f"{message_kind(message)}_sent",
        "instance": message.instance,
        "to": node_name(to),
        **_message_fields(message),
    }
    if isinstance(message, Nack) and isinstance(given, Received):
        line["request"] = message_kind(given.message)
    proposer = after.proposer
    if isinstance(message, Accept) and proposer.reported is not None:
        report = proposer.reported
        assert report.accepted is not None, "a report that dictates a value reports one"
        line["reported_by"] = node_name(report.node)
        line["reported_ballot"] = str(report.accepted.ballot)
        if proposer.wishes and proposer.wishes[0].value != message.value:
            line["wanted"] = logged_value(proposer.wishes[0].value)
    return line


def _changed(before: Instance, after: Instance) -> tuple[Line, Line]:
    old: Line = {}
    new: Line = {}
    pairs: tuple[tuple[str, Any, Any, Any], ...] = (
        ("acceptor", before.acceptor, after.acceptor, _acceptor),
        ("proposer", before.proposer, after.proposer, _proposer),
        ("learner", before.learner, after.learner, _learner),
    )
    for role, was, now, shown in pairs:
        if was is now or was == now:
            continue
        old_state, new_state = shown(was), shown(now)
        # What only plans a timer has lines of its own.
        if old_state != new_state:
            old[role], new[role] = old_state, new_state
    return old, new


def _acceptor(acceptor: Acceptor) -> Line:
    return {"promised": str(acceptor.promised), "accepted": _proposal(acceptor.accepted)}


def _proposer(proposer: Proposer) -> Line:
    return {
        "phase": str(proposer.phase),
        "ballot": str(proposer.ballot),
        "last_round": proposer.last_round,
        "highest": str(proposer.highest),
        "attempt": proposer.attempt,
        "promises": [
            {"node": node_name(report.node), "accepted": _proposal(report.accepted)}
            for report in proposer.promises
        ],
        "refused_by": _names(proposer.refused_by),
        "wishes": [
            {
                "request": wish.request,
                "value": logged_value(wish.value),
                "sent": wish.sent,
                "answered": wish.answered,
            }
            for wish in proposer.wishes
        ],
        "pushing": _proposal(proposer.pushing),
    }


def _learner(learner: Learner) -> Line:
    return {
        "learned": None if learner.learned is None else _learned(learner.learned),
        "tallies": [
            {
                "ballot": str(tally.proposal.ballot),
                "value": logged_value(tally.proposal.value),
                "acceptors": _names(tally.acceptors),
            }
            for tally in learner.tallies
        ],
        "unanswered": _names(learner.unanswered),
    }


def _proposal(proposal: Proposal | None) -> Line | None:
    if proposal is None:
        return None
    return {"ballot": str(proposal.ballot), "value": logged_value(proposal.value)}


def _learned(known: LearnedRecord) -> Line:
    return {
        "ballot": str(known.ballot),
        "value": logged_value(known.value),
        "acceptors": _names(known.acceptors),
    }


def _names(nodes: list[NodeId] | tuple[NodeId, ...]) -> list[str]:
    return [node_name(node) for node in nodes]
