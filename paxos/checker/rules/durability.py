"""R6: what a reply states is on disk before it, and comes back from there."""

from collections.abc import Iterable, Mapping

from paxos.checker.facts import OnDisk, Recovered, Tell
from paxos.checker.history import (
    BallotKey,
    Durable,
    History,
    InstanceHistory,
    Pair,
    ballot_name,
    order_of,
    pair_of,
)
from paxos.checker.rules.findings import (
    NO_BALLOT,
    Findings,
    acceptors_of,
    proposal_text,
    reply_name,
)
from paxos.events import Line, line_id


def durable_before_reply(history: History, tell: Tell | None = None) -> Findings:
    """R6 (a) and (b): what is said is on disk first, and a restart gives it back."""
    said, recovered = reply_was_durable(history, tell), recovery_is_honest(history, tell)
    said.judged += recovered.judged
    said.violations += recovered.violations
    said.doubts += recovered.doubts
    return said


def reply_was_durable(history: History, tell: Tell | None = None) -> Findings:
    """R6 (a): what a Promise or an Accepted states was durable when it was sent.

    A Promise states its ballot and the pair that it reports, an Accepted its
    pair. A report of a pair that the acceptor never had is R2's affair, an
    Accepted below a higher pair that was promised R1's.
    """
    found = Findings("R6", history, tell)
    for instance, node, steps in acceptors_of(history):
        disk: Durable | None = None
        pairs: dict[Pair, Line] = {}
        requested: set[Pair] = set()
        replied = NO_BALLOT
        for at, step in enumerate(steps):
            if isinstance(step, Durable):
                if step.is_recovery:
                    pairs.clear()
                disk = step
                if step.accepted is not None:
                    pairs.setdefault(pair_of(step.accepted), step.line)
                continue
            if step["event"] == "accept_received":
                requested.add(pair_of(step))
            if step["event"] not in {"promise_sent", "accepted_sent"}:
                continue
            found.judged += 1
            ballot = order_of(step["ballot"])
            lacking = _not_on_disk(step, disk, pairs, requested, is_below=ballot < replied)
            replied = max(replied, ballot)
            # The record may be among the lines that are missing.
            if lacking is None or not history.is_whole_until(step):
                if lacking is None and tell is not None:
                    found.told(instance, step, OnDisk(_record_of(step, disk, pairs)))
                continue
            evidence = [disk.line] if disk is not None else []
            late = _written_later(steps[at + 1 :], step)
            if late is not None:
                evidence.append(late)
                lacking += f" until {line_id(late)}"
            found.broken(
                instance,
                step,
                f"{node} sent {reply_name(step)} at {step['ballot']} ({line_id(step)}) before "
                f"it was durable: {lacking}",
                evidence,
                "a",
            )
            if tell is None:
                break
    return found


def _record_of(reply: Line, disk: Durable | None, pairs: Mapping[Pair, Line]) -> Line | None:
    """The line that shows what a reply states to be on the disk."""
    if reply["event"] == "accepted_sent":
        return pairs.get(pair_of(reply))
    return None if disk is None else disk.line


def _not_on_disk(
    reply: Line,
    disk: Durable | None,
    pairs: Mapping[Pair, Line],
    requested: set[Pair],
    *,
    is_below: bool,
) -> str | None:
    """What a reply states and the disk does not hold; ``None`` if it holds it."""
    if reply["event"] == "accepted_sent":
        if pair_of(reply) in pairs or is_below:
            return None
        return f"its disk did not hold {proposal_text(reply)}"
    held = NO_BALLOT
    if disk is not None:
        held = order_of(disk.promised)
        if disk.accepted is not None:
            # An accepted pair is a promise of its ballot too.
            held = max(held, order_of(disk.accepted["ballot"]))
    if held < order_of(reply["ballot"]):
        return f"its disk held {'no promise' if held == NO_BALLOT else f'the promise {ballot_name(held)}'}"
    report = reply["accepted"]
    if report is not None and pair_of(report) in requested and pair_of(report) not in pairs:
        return f"its disk did not hold {proposal_text(report)}, which it reports"
    return None


def _written_later(steps: Iterable[Line | Durable], reply: Line) -> Line | None:
    """The record that came too late, if it came in the same incarnation."""
    for step in steps:
        if isinstance(step, Durable):
            if step.is_recovery:
                return None
            if reply["event"] == "promise_sent":
                if order_of(step.promised) >= order_of(reply["ballot"]):
                    return step.line
            elif step.accepted is not None and pair_of(step.accepted) == pair_of(reply):
                return step.line
    return None


def recovery_is_honest(history: History, tell: Tell | None = None) -> Findings:
    """R6 (b): a restart gives back what was durable, or newer, and nothing made up.

    Newer is legal, because a kill keeps the page cache, when a message that
    the acceptor had received explains it. An instance that is not among those
    recovered when ``node_ready`` is written had nothing on disk; a
    ``disk_read`` by the runner counts as the recovery of a node that stayed down.
    """
    found = Findings("R6", history, tell)
    for instance, node, steps in acceptors_of(history):
        disk: Durable | None = None
        ballots: dict[BallotKey, Line] = {}
        requested: set[Pair] = set()
        for step in steps:
            if not isinstance(step, Durable):
                if step["event"] in {"prepare_received", "accept_received"}:
                    ballots.setdefault(order_of(step["ballot"]), step)
                if step["event"] == "accept_received":
                    requested.add(pair_of(step))
                continue
            # What a node brings along from before the log began is no recovery.
            if step.is_recovery and (disk is not None or ballots):
                found.judged += 1
                known = len(found.violations)
                _judge_recovery(found, instance, node, disk, step, ballots, requested)
                if tell is not None and len(found.violations) == known:
                    found.told(instance, step.line, Recovered(step, disk))
            disk = step
    return found


def _judge_recovery(
    found: Findings,
    instance: InstanceHistory,
    node: str,
    disk: Durable | None,
    back: Durable,
    ballots: Mapping[BallotKey, Line],
    requested: set[Pair],
) -> None:
    line = back.line
    verb = "has on its disk" if line["event"] == "disk_read" else "recovered"
    subject = f"{node} {verb} {_state(back.promised, back.accepted)} ({line_id(line)})"
    had_promised = order_of(disk.promised) if disk is not None else NO_BALLOT
    had_accepted = pair_of(disk.accepted) if disk is not None and disk.accepted else None
    promised = order_of(back.promised)
    accepted = pair_of(back.accepted) if back.accepted is not None else None
    if disk is not None and (
        promised < had_promised
        or (had_accepted is not None and (accepted is None or accepted[0] < had_accepted[0]))
    ):
        held = _state(disk.promised, disk.accepted)
        found.broken(
            instance,
            line,
            f"{subject}, but its disk had held {held} ({line_id(disk.line)})",
            [disk.line],
            "b",
        )
        return
    is_whole = (
        found.history.nodes[node].is_whole
        if line["event"] == "disk_read"
        else found.history.is_whole_until(line)
    )
    if not is_whole:
        return
    unexplained = []
    if promised not in {had_promised, NO_BALLOT} and promised not in ballots:
        unexplained.append(f"a request at {back.promised}")
    if back.accepted is not None and accepted != had_accepted and accepted not in requested:
        unexplained.append(f"a request to accept {proposal_text(back.accepted)}")
    if unexplained:
        found.broken(
            instance,
            line,
            f"{subject}, but it had never received {' or '.join(unexplained)}",
            [disk.line] if disk is not None else [],
            "b",
        )


def _state(promised: str, accepted: Line | None) -> str:
    promise = "no promise" if order_of(promised) == NO_BALLOT else f"the promise {promised}"
    return f"{promise} and {proposal_text(accepted) if accepted else 'no accepted value'}"
