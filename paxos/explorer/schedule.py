"""A counterexample as a scenario that any world can play, message by message.

The explorer's moves become steps of ``docs/scenarios.md``: who proposes,
which message is handed over, which timer fires, where a process dies. Played
by hand like that, the real objects of the simulator, real processes and real
containers come to the same violation, and the log's checker says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from paxos.explorer import node as nodes
from paxos.explorer.model import INSTANCE, Accused, Model
from paxos.explorer.node import Local
from paxos.explorer.result import Move, Trace
from paxos.explorer.tables import Action, Envelope, Start
from paxos.protocol import (
    Accept,
    Accepted,
    Learn,
    Message,
    Nack,
    NodeId,
    Persist,
    Phase,
    Prepare,
    Promise,
    Send,
    Timer,
    node_name,
)
from paxos.storage import FailedSync, Synced

INSTANCE_NAME: Final = "fruit"
NO_PAIR: Final = "none"
Step = dict[str, Any]

_KINDS: Final[dict[type[Message], str]] = {
    Prepare: "prepare",
    Promise: "promise",
    Accept: "accept",
    Accepted: "accepted",
    Nack: "nack",
    Learn: "learn",
}
_CUTS: Final = ("kill", "power_loss", "fail_sync", "torn_write")


class NotPlayable(Exception):
    """No world can play this move; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A move with what a node made of it.

    Attributes:
        node: at which node.
        action: what happened; all effects of its step belong to it, but for
            those that ``action.after`` cut off.
        before: the node before it.
        pending: the effects of its step.
    """

    node: NodeId
    action: Action
    before: Local
    pending: tuple[Persist | Send, ...]


def turns(trace: Trace, model: Model, accused: Accused, starts: Sequence[Start] = ()) -> list[Turn]:
    """The moves with their effects in them, carried out on the real objects again.

    In a trace of single effects they are gathered at the input that they
    belong to: to carry an effect out earlier takes nothing from anybody, and
    what no effect followed may as well be done at once.

    Args:
        trace: the moves.
        model: the bounds that were searched.
        accused: the protocol.
        starts: how the nodes began, by position; by default new. What is
            pending there is no turn's.
    """
    found: list[Turn] = []
    if starts:
        local = {member: starts[member - 1].local for member in model.members}
    else:
        local = {member: nodes.newborn(model, accused, member) for member in model.members}
    # Of the step that each node is at: its place among the turns, and how
    # many of its effects are done.
    current: dict[NodeId, tuple[int, int]] = {}
    sent: dict[NodeId, set[tuple[NodeId, Message]]] = {member: set() for member in model.members}
    for start in starts:
        for envelope in start.told:
            sent[envelope.source].add((envelope.to, envelope.message))

    def carry_out(member: NodeId, count: int) -> None:
        for _ in range(count):
            effect = local[member].pending[0]
            if isinstance(effect, Send):
                sent[member].add((effect.to, effect.message))
                local[member] = nodes.sent(local[member])
            else:
                local[member] = nodes.persist(local[member], accused)
            if member in current:
                place, done = current[member]
                current[member] = place, done + 1

    def drop_repeated(member: NodeId) -> None:
        while local[member].pending:
            effect = local[member].pending[0]
            if isinstance(effect, Persist) or (effect.to, effect.message) not in sent[member]:
                break
            carry_out(member, 1)

    if model.whole_steps:
        for member in model.members:
            carry_out(member, len(local[member].pending))
    for move in trace:
        member, action = move.node, move.action
        before = local[member]
        if action.verb == "effect":
            carry_out(member, 1)
        elif action.verb in _CUTS and before.pending:
            place, done = current[member]
            turn = found[place]
            found[place] = replace(turn, action=replace(turn.action, after=(action.verb, done)))
            local[member] = _cut(before, action.verb, accused)
        else:
            local[member] = _acted(before, move, model, accused)
            found.append(Turn(member, action, before, local[member].pending))
            current[member] = len(found) - 1, 0
            if action.after is not None:
                carry_out(member, action.after[1])
                local[member] = _cut(local[member], action.after[0], accused)
            if model.whole_steps:
                carry_out(member, len(local[member].pending))
        drop_repeated(member)
    return found


def _acted(local: Local, move: Move, model: Model, accused: Accused) -> Local:
    action, envelope = move.action, move.action.envelope
    match action.verb:
        case "start_ballot":
            begun = nodes.start_ballot(local, action.value)
            assert begun is not None, "a move of a trace is possible"
            return begun
        case "deliver":
            assert envelope is not None, "a delivery has a message"
            return nodes.deliver(local, envelope.source, envelope.message)
        case "kill":
            return nodes.kill(local)
        case "power_loss":
            return nodes.power_loss(local)
        case "start":
            return nodes.start(local, accused, model, move.node)
        case "corrupt":
            return nodes.corrupt(local, accused)
        case "lose_disk":
            return nodes.lose_disk(local, accused)
        case "copy":
            assert envelope is not None, "a promise is copied"
            copied = nodes.start_as_copy(local, accused, model, move.node, envelope.message)
            assert copied is not None, "a move of a trace is possible"
            return copied
        case _:
            raise AssertionError(f"no move is called {action.verb}")


def _cut(local: Local, verb: str, accused: Accused) -> Local:
    after: Local | None
    match verb:
        case "kill":
            after = nodes.kill(local)
        case "power_loss":
            after = nodes.power_loss(local)
        case "fail_sync":
            after = nodes.failed_sync(local, accused)
        case _:
            after = nodes.torn_write(local, accused)
    assert after is not None, "a move of a trace is possible"
    return after


# Scenario steps.


def steps(
    trace: Trace,
    model: Model,
    accused: Accused,
    *,
    starts: Sequence[Start] = (),
    received: Iterable[Envelope] = (),
    wish: str = "wish",
    copies: bool = False,
) -> list[Step]:
    """The steps of a scenario that plays a trace.

    Args:
        trace: the moves.
        model: the bounds that were searched.
        accused: the protocol.
        starts: how the nodes began, by position; by default new.
        received: the messages that had arrived before.
        wish: the first part of the names of clients' wishes.
        copies: whether a node that starts with a copy of a promise is told as one that
            lost its disk and starts. A world copies the highest promise that peers
            hold, which may be another one: whether the rule breaks there as well is
            seen when it is played.

    Raises:
        NotPlayable: a world cannot do what the model did.
    """
    found: list[Step] = []
    wishes = 0
    delivered = set(received)
    for turn in turns(trace, model, accused, starts):
        name = node_name(turn.node)
        cut = turn.action.after
        if cut is not None:
            found += _before_cut(turn, name)
        match turn.action.verb:
            case "start_ballot" if turn.action.value is not None:
                wishes += 1
                found.append(
                    {
                        "propose": {
                            "name": f"{wish}{wishes}",
                            "at": name,
                            "value": turn.action.value,
                        }
                    }
                )
            case "start_ballot":
                found += _fires(turn, name)
            case "deliver":
                envelope = turn.action.envelope
                assert envelope is not None, "a delivery has a message"
                again = envelope in delivered
                delivered.add(envelope)
                found.append({"deliver": described(envelope, again=again)})
            case "kill" | "power_loss" | "start" as verb:
                found.append({verb: name})
            case "corrupt":
                found.append({"disk_fault": {"node": name, "fault": "corrupt"}})
            case "lose_disk":
                found.append({"disk_fault": {"node": name, "fault": "lose"}})
            case "copy" if copies:
                found.append({"disk_fault": {"node": name, "fault": "lose"}})
                found.append({"start": name})
            case verb:
                raise NotPlayable(f"no world can do this by hand: {verb} at {name}")
        if cut is not None:
            found += _after_cut(turn, name, accused)
    return found


def _fires(turn: Turn, name: str) -> Iterator[Step]:
    assert turn.before.memory is not None, "only a node that is up begins a ballot"
    if turn.before.memory.proposer.phase is not Phase.BACKING_OFF:
        yield {"fire": {"node": name, "timer": str(Timer.PATIENCE)}}
    yield {"fire": {"node": name, "timer": str(Timer.RETRY)}}


def described(envelope: Envelope, *, again: bool) -> Step:
    """A message as the step ``deliver`` names it; ``again`` if it was delivered before."""
    message = envelope.message
    found: Step = {
        "kind": _KINDS[type(message)],
        "from": node_name(envelope.source),
        "to": node_name(envelope.to),
    }
    match message:
        case Prepare(_, ballot):
            found["ballot"] = str(ballot)
        case Promise(_, ballot, accepted):
            found["ballot"] = str(ballot)
            found["accepted"] = NO_PAIR if accepted is None else str(accepted.ballot)
        case Accept(_, ballot, value) | Accepted(_, ballot, value):
            found |= {"ballot": str(ballot), "value": value}
        case Nack(_, ballot, promised):
            found |= {"ballot": str(ballot), "promised": str(promised)}
        case Learn(_, ballot, value):
            found |= {"ballot": str(ballot), "value": value}
        case _:
            raise AssertionError(f"{message} is not of the model")
    if again:
        found["again"] = True
    return found


def _kind(turn: Turn) -> str | None:
    """The kind of input that a failpoint is to strike at; ``None`` for a timer, which has none."""
    envelope = turn.action.envelope
    if envelope is None:
        return "propose" if turn.action.value is not None else None
    return _KINDS[type(envelope.message)]


def _before_cut(turn: Turn, name: str) -> Iterator[Step]:
    """What must be armed so that a step ends where it ended in the model."""
    assert turn.action.after is not None, "this turn is cut"
    verb, done = turn.action.after
    if verb == "fail_sync":
        yield {"disk_fault": {"node": name, "fault": "fail_sync"}}
        return
    if verb == "torn_write":
        torn = turn.pending[done]
        if isinstance(torn, Persist) and not torn.sync:
            raise NotPlayable("power cannot be made to fail within a write that is not synced")
        yield {"disk_fault": {"node": name, "fault": "tear"}}
        point = "before_sync"
    else:
        point = _point(turn.pending, done)
    failpoint: Step = {"node": name, "point": point}
    kind = _kind(turn)
    if kind is not None:
        failpoint["kind"] = kind
    if point == "between_sends":
        send = next(effect for effect in turn.pending[done - 1 :] if isinstance(effect, Send))
        failpoint["kind"] = _KINDS[type(send.message)]
    if verb != "kill":
        failpoint["power"] = True
    yield {"failpoint": failpoint}


def _point(pending: Sequence[Persist | Send], done: int) -> str:
    """The failpoint that strikes after so many effects.

    Between messages of one kind it makes no difference to anybody whether
    those behind the cut were sent and never arrived, so that all sent is as
    good as some.
    """
    if done == 0:
        return "before_write"
    rest, last = pending[done:], pending[done - 1]
    if isinstance(last, Persist):
        # Behind a record that is not synced there is no point but the next
        # message: one that is out and never arrives.
        if not last.sync and any(isinstance(effect, Send) for effect in rest):
            return "between_sends"
        return "after_sync" if not any(isinstance(e, Persist) for e in rest) else "between_sends"
    if any(isinstance(effect, Persist) for effect in rest):
        return "after_reply"
    first = isinstance(pending[done - 2], Persist) if done > 1 else True
    return "between_sends" if first and rest else "after_reply"


def _after_cut(turn: Turn, name: str, accused: Accused) -> Iterator[Step]:
    assert turn.action.after is not None, "this turn is cut"
    verb, _ = turn.action.after
    if verb == "fail_sync":
        if accused.faults.failed_sync == "ends":
            yield {"exits": {"node": name, "code": 4}}
        return
    yield {"exits": name}


def told_move(move: Move) -> str:
    """A move in words."""
    name, action = node_name(move.node), move.action
    envelope = action.envelope
    match action.verb:
        case "start_ballot" if action.value is not None:
            text = f"a client asks {name} for {action.value}, and it begins a ballot"
        case "start_ballot":
            text = f"{name} gives its ballot up and begins the next"
        case "deliver" | "copy" as verb:
            assert envelope is not None, "a message is taken"
            about = described(envelope, again=False)
            kind = about.pop("kind")
            source, _ = about.pop("from"), about.pop("to")
            fields = " ".join(f"{key} {value}" for key, value in about.items())
            does = "takes" if verb == "deliver" else "starts with a copy of"
            text = f"{name} {does} {source}'s {kind} ({fields})"
        case "effect":
            text = f"{name} carries its next effect out"
        case verb:
            text = f"{name}: {verb.replace('_', ' ')}"
    if action.after is not None:
        verb, done = action.after
        text += f"; {verb.replace('_', ' ')} after {done} of its effects"
    return text


def scenario(
    trace: Trace, model: Model, accused: Accused, *, title: str, breaks: str | None
) -> dict[str, Any]:
    """A whole scenario, as it stands in a file.

    Args:
        trace: the way to the violation.
        model: what was explored.
        accused: the protocol.
        title: one line.
        breaks: the property that is broken; ``None`` for a *sometimes* that is shown.

    Raises:
        NotPlayable: a world cannot do what the model did.
    """
    data: dict[str, Any] = {"version": 1, "title": title}
    if accused.name:
        data["variant"] = accused.name
    if breaks is not None:
        data["breaks"] = breaks
    data |= {
        "manual": True,
        "predict": f"The shortest way that there is within {model.bounds}. Where does it go wrong?",
        "nodes": model.nodes,
        "instances": [INSTANCE_NAME],
        "settings": {"own_ballots": False},
        "steps": [*steps(trace, model, accused), *told_by_a_log(trace, accused)],
        "expectations": [],
        "must_happen": [_last(turns(trace, model, accused))],
        "notice": "Every step is needed: no schedule within these bounds gets there with fewer.",
    }
    return data


def told_by_a_log(trace: Trace, accused: Accused) -> Iterator[Step]:
    """What a log needs beyond the trace: a disk that lied is found out when the power fails.

    The model knows at once that what was said is not durable. A node, and so
    its log, believes its disk until it starts again.
    """
    last = trace[-1]
    if last.action.verb in {"deliver", "effect"}:
        yield from told_at_a_start(last.node, accused)


def told_at_a_start(node: NodeId, accused: Accused) -> Iterator[Step]:
    """Let a node find out, and its log say, that its disk lied; nothing if the disk is honest."""
    faults = accused.faults
    if faults.synced is Synced.CACHED or faults.failed_sync is FailedSync.GOES_ON:
        yield {"power_loss": node_name(node)}
        yield {"start": node_name(node)}


def _last(played: Sequence[Turn]) -> Step:
    """The sight of the last step, without which the run has shown nothing."""
    lines = [_sight(turn) for turn in played]
    line = lines[-1]
    if lines.count(line) > 1:
        line = {**line, "count": lines.count(line)}
    return {"fact": "the schedule came to its last step", "lines": [line]}


def _sight(turn: Turn) -> Step:
    """What the log shows of a turn."""
    line: Step = {"node": node_name(turn.node)}
    envelope, verb = turn.action.envelope, turn.action.verb
    if envelope is not None:
        line["event"] = f"{_KINDS[type(envelope.message)]}_received"
        line["source"] = node_name(envelope.source)
    elif verb == "start_ballot":
        line["event"] = "propose_received" if turn.action.value else "timeout_fired"
    elif verb == "start":
        line["event"] = "node_started"
    else:
        line = {"event": "fault_applied", "targets": [[node_name(turn.node)]]}
    return line


assert INSTANCE == 1, "the one instance of the model is the scenario's first"
