"""R1 and R2: what an acceptor says in its replies."""

from collections.abc import Mapping

from paxos.checker.facts import Refused, Reported, Tell
from paxos.checker.history import (
    BallotKey,
    Durable,
    History,
    InstanceHistory,
    ValueKey,
    ballot_name,
    order_of,
    pair_of,
    quoted,
    shown_value,
    value_key,
)
from paxos.checker.rules.findings import (
    NO_BALLOT,
    Findings,
    acceptors_of,
    proposal_text,
    reply_name,
)
from paxos.events import Line, line_id


def promise_kept(history: History, tell: Tell | None = None) -> Findings:
    """R1: once an acceptor has promised b, it sends no Promise and no Accepted below b.

    It has promised b once it has *sent* a Promise or an Accepted at b, in
    whatever incarnation. Equal is allowed: a lost reply may be asked for again.
    What a crash took before any reply left binds nobody.
    """
    found = Findings("R1", history, tell)
    for instance, node, steps in acceptors_of(history):
        highest: Line | None = None
        disk: Durable | None = None
        for line in steps:
            if isinstance(line, Durable):
                disk = line
                continue
            if line["event"] not in {"promise_sent", "accepted_sent"}:
                if tell is not None and line["event"] == "nack_sent":
                    found.told(instance, line, Refused(highest, disk))
                continue
            found.judged += 1
            if highest is None or order_of(line["ballot"]) >= order_of(highest["ballot"]):
                highest = line
                continue
            found.broken(
                instance,
                line,
                f"{node} had promised {highest['ballot']} ({line_id(highest)}), then sent "
                f"{reply_name(line)} at {line['ballot']} ({line_id(line)}), which is lower",
                [highest],
            )
            if tell is None:
                break
    return found


def honest_promise(history: History, tell: Tell | None = None) -> Findings:
    """R2: a Promise carries the highest-numbered pair that its acceptor has accepted.

    It has accepted a pair once that is on disk or an Accepted for it has been
    sent, whichever is first. Where a broken proposer used one ballot for two
    values, either is an honest answer: an acceptor has no defence against that.
    """
    found = Findings("R2", history, tell)
    for instance, node, steps in acceptors_of(history):
        highest = NO_BALLOT
        # The values accepted at the highest ballot, with the line that proves each.
        accepted: dict[ValueKey, Line] = {}
        for step in steps:
            if isinstance(step, Durable):
                pair, line = step.accepted, step.line
            elif step["event"] == "accepted_sent":
                pair, line = step, step
            elif step["event"] == "promise_sent":
                found.judged += 1
                is_broken = _judge_report(found, instance, node, step, highest, accepted)
                if is_broken and tell is None:
                    break
                continue
            else:
                continue
            if pair is None:
                continue
            ballot, value = pair_of(pair)
            if ballot > highest:
                highest, accepted = ballot, {value: line}
            elif ballot == highest:
                accepted.setdefault(value, line)
    return found


def _judge_report(
    found: Findings,
    instance: InstanceHistory,
    node: str,
    promise: Line,
    highest: BallotKey,
    accepted: Mapping[ValueKey, Line],
) -> bool:
    """Whether a Promise's report is not what its acceptor had accepted (R2)."""
    report = promise["accepted"]
    ballot = order_of(report["ballot"]) if report is not None else NO_BALLOT
    said = proposal_text(report) if report is not None else "nothing"
    subject = f"{node}'s Promise of {promise['ballot']} ({line_id(promise)}) reports {said}"
    if report is None:
        is_honest = not accepted
    else:
        is_honest = ballot == highest and value_key(report["value"]) in accepted
    if is_honest:
        if found.tell is not None:
            line = accepted[value_key(report["value"])] if report is not None else None
            found.told(instance, promise, Reported(line))
        return False
    evidence = list(accepted.values())
    if ballot < highest:
        value, proof = next(iter(accepted.items()))
        known = f"{quoted(shown_value(value))} at {ballot_name(highest)}"
        found.broken(
            instance,
            promise,
            f"{subject}, but {node} had accepted {known} ({line_id(proof)})",
            evidence,
        )
        return True
    # Lines that are missing could show that it accepted this after all.
    if found.history.is_whole_until(promise):
        found.broken(instance, promise, f"{subject}, which {node} had not accepted", evidence)
        return True
    return False
