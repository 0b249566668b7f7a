"""The rules of Paxos, each a function from a history to what breaks it.

R1 to R6 are about one node at a time, so each needs only the order of lines
at that node and their causes. Agreement and validity are about the cluster.
All of them read what nodes *did*: replies sent, records on disk, requests
received. That a line is absent counts as a fact only where the log is whole
(:attr:`NodeLog.gaps`); what breaks a rule by lines that are there, breaks it
whatever else is missing.

Each rule reports the first breach of each kind per node, or per ballot, and
instance: what follows from the same bug at the same place adds nothing.

Whoever asks why hands a rule somebody to tell (:mod:`paxos.checker.facts`).
Then it tells what it judges by as it goes, and goes on behind a breach; what
it reports to a verdict, which tells nobody, is the same with and without.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from paxos.checker.facts import (
    Begun,
    Fact,
    Found,
    Justified,
    Learnt,
    OnDisk,
    OneChosen,
    Outbid,
    Recovered,
    Refused,
    Reported,
    Tell,
    Wished,
)
from paxos.checker.history import (
    BallotKey,
    Doubt,
    Durable,
    History,
    InstanceHistory,
    Pair,
    ValueKey,
    ballot_name,
    is_guest,
    order_of,
    pair_of,
    quoted,
    shown_value,
    value_key,
)
from paxos.checker.order import named
from paxos.events import Line, line_id, show

_NONE: Final[BallotKey] = (0, 0)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule was broken.

    Attributes:
        rule: its short name; ``part`` is ``a`` or ``b`` for R6, else empty.
        instance: where.
        sentence: what is wrong, with the names of the lines that show it.
        lines: the lines that prove it, in merged order.
        at: the line with which the rule was broken, one of ``lines``.
        place: where that line stands in the merged sequence.
    """

    rule: str
    part: str
    instance: int
    sentence: str
    lines: tuple[Line, ...]
    at: Line
    place: int


@dataclass(slots=True)
class Findings:
    """What one rule found: ``judged`` counts what it looked at, ``tell`` is who asks why."""

    rule: str
    history: History
    tell: Tell | None = None
    judged: int = 0
    violations: list[Violation] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def broken(
        self,
        instance: InstanceHistory,
        at: Line,
        sentence: str,
        evidence: Iterable[Line] = (),
        part: str = "",
    ) -> None:
        """Report a breach at a line, with the lines that prove it beside that one."""
        place = self.history.order.place
        lines = {id(line): line for line in (*evidence, at)}
        ordered = tuple(sorted(lines.values(), key=place))
        self.violations.append(
            Violation(self.rule, part, instance.number, sentence, ordered, at, place(at))
        )

    def told(self, instance: InstanceHistory, line: Line, found: Found) -> None:
        """Tell whoever asks why; for callers that have seen that somebody does."""
        assert self.tell is not None, "somebody asks"
        self.tell(Fact(self.rule, instance.number, line, found))

    def lacks_what_led_to(
        self, instance: InstanceHistory, line: Line, unseen_from: Iterable[str] = ()
    ) -> bool:
        """Whether lines are gone that may have led to a line; then no absence breaks a rule at it.

        That is a doubt where the runner saw the line, and hearsay where it did not.

        Args:
            instance: where.
            line: what would break the rule.
            unseen_from: nodes from which messages without a cause may have led to it.
        """
        history = self.history
        node = history.lost_before(line)
        reason = f"{line_id(line)} follows from lines of {node} that its log no longer holds"
        if node is None:
            hiding = (known for known in unseen_from if history.may_hide_before(known, line))
            node = next(hiding, None)
            reason = (
                f"{line_id(line)} may follow from lines of {node} behind the end that is named: "
                "a message without a cause shows no way"
            )
        if node is not None and history.was_seen_by_runner(line):
            self.doubtful(instance, reason, node)
        return node is not None

    def doubtful(self, instance: InstanceHistory, reason: str, node: str | None = None) -> None:
        """Report that a case cannot be decided."""
        self.doubts.append(Doubt((self.rule,), reason, node, instance.number))


class Rule(Protocol):
    """A rule as a function; with ``tell`` it tells why as it goes."""

    def __call__(self, history: History, tell: Tell | None = None) -> Findings:
        """Apply the rule."""


def promise_kept(history: History, tell: Tell | None = None) -> Findings:
    """R1: once an acceptor has promised b, it sends no Promise and no Accepted below b.

    It has promised b once it has *sent* a Promise or an Accepted at b, in
    whatever incarnation. Equal is allowed: a lost reply may be asked for again.
    What a crash took before any reply left binds nobody.
    """
    found = Findings("R1", history, tell)
    for instance, node, steps in _acceptors(history):
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
                f"{_reply(line)} at {line['ballot']} ({line_id(line)}), which is lower",
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
    for instance, node, steps in _acceptors(history):
        highest = _NONE
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
    ballot = order_of(report["ballot"]) if report is not None else _NONE
    said = _proposal(report) if report is not None else "nothing"
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


def one_value_per_ballot(history: History, tell: Tell | None = None) -> Findings:
    """R3: all Accept requests of a ballot carry one value; a ballot is begun once.

    Requests are taken from their senders' lines and from those of the
    acceptors that received them, so that a guest, which keeps no log, is
    judged too. Sending a request again is no second use. A ballot is begun
    again when another start of its proposer asks for promises at it, when its
    proposer comes back to it from another ballot, or when a node uses a ballot
    that is not its own.
    """
    found = Findings("R3", history, tell)
    for instance in history.instances.values():
        values: dict[BallotKey, dict[ValueKey, Line]] = {}
        for line in _requests_by_value(instance):
            values.setdefault(order_of(line["ballot"]), {}).setdefault(
                value_key(line["value"]), line
            )
        begun: dict[BallotKey, Line] = {}
        for node, lines in instance.proposers.items():
            begun |= _judge_begins(found, instance, node, lines)
        found.judged += len(begun.keys() | values.keys())
        if tell is not None:
            _tell_outbid(found, instance, begun)
        for ballot, by_value in values.items():
            if len(by_value) > 1:
                first, second = sorted(by_value.values(), key=history.order.place)[:2]
                found.broken(
                    instance,
                    second,
                    f"the Accept requests at {ballot_name(ballot)} carry two values: "
                    f"{quoted(first['value'])} ({line_id(first)}) and "
                    f"{quoted(second['value'])} ({line_id(second)})",
                    [first],
                )
    return found


def _requests_by_value(instance: InstanceHistory) -> Iterator[Line]:
    for lines in instance.proposers.values():
        yield from _lines(lines, "accept_sent")
    for _, line in instance.accept_requests:
        yield line


def _tell_outbid(
    found: Findings, instance: InstanceHistory, begun: Mapping[BallotKey, Line]
) -> None:
    """At each refusal that arrives: whose the higher ballot is."""
    for lines in instance.proposers.values():
        for line in _lines(lines, "nack_received"):
            found.told(instance, line, Outbid(begun.get(order_of(line["promised"]))))


def _judge_begins(
    found: Findings, instance: InstanceHistory, node: str, lines: Iterable[Line]
) -> dict[BallotKey, Line]:
    """Report a ballot that a node begins twice, or that is another's.

    Returns:
        All that it began, each with its first use.
    """
    first_use: dict[BallotKey, Line] = {}
    reported: set[BallotKey] = set()
    current: tuple[BallotKey, int] | None = None
    for line in _lines(lines, "prepare_sent", "accept_sent"):
        ballot = order_of(line["ballot"])
        use = ballot, line["incarnation"]
        if found.tell is not None and ballot not in first_use:
            before = first_use[max(first_use)] if first_use else None
            found.told(instance, line, Begun(before))
        earlier = first_use.setdefault(ballot, line)
        if ballot in reported:
            continue
        if line["event"] == "prepare_sent" and earlier is not line and use != current:
            reported.add(ballot)
            again = (
                "after a restart"
                if earlier["incarnation"] != line["incarnation"]
                else f"after {ballot_name(current[0]) if current else 'another ballot'}"
            )
            found.broken(
                instance,
                line,
                f"{node} began ballot {line['ballot']} ({line_id(earlier)}) and begins it "
                f"again {again} ({line_id(line)})",
                [earlier],
            )
        elif line["ballot"].rpartition(".")[2] != node:
            reported.add(ballot)
            found.broken(
                instance,
                line,
                f"{node} uses ballot {line['ballot']} ({line_id(line)}), which is another's",
            )
        current = use
    return first_use


def justified_accept(history: History, tell: Tell | None = None) -> Findings:
    """R4: a quorum's Promises, and the highest pair that they report, justify an Accept.

    Judged at the *first* Accept request of a ballot, from the Promises of that
    ballot that its proposer had received by then. If they are more than a
    quorum, it is enough that some quorum among them justifies the value. A
    Promise counts only if its acceptor sent it: its cause, or where it has
    none some line of the acceptor, must say the same.

    A ballot whose proposer has no line of it (a guest; a log that is missing)
    is judged from the Promises that acceptors sent it, without their order.
    """
    found = Findings("R4", history, tell)
    if not history.quorum:
        return found
    for instance in history.instances.values():
        judged: set[BallotKey] = set()
        for node, lines in instance.proposers.items():
            promises: dict[BallotKey, list[Line]] = {}
            for line in _lines(lines, "promise_received", "accept_sent"):
                ballot = order_of(line["ballot"])
                if line["event"] == "promise_received":
                    promises.setdefault(ballot, []).append(line)
                elif ballot not in judged:
                    judged.add(ballot)
                    found.judged += 1
                    _judge_accept(found, instance, node, line, promises.get(ballot, []))
        for ballot, request in _unsent_requests(instance, judged):
            found.judged += 1
            _judge_from_acceptors(found, instance, ballot, request)
    return found


def _judge_accept(
    found: Findings, instance: InstanceHistory, node: str, accept: Line, received: list[Line]
) -> None:
    history = found.history
    genuine = [line for line in received if _is_genuine(history, instance, line)]
    reports: dict[str, list[Line | None]] = {}
    for line in genuine:
        if line["source"] in history.members:
            reports.setdefault(line["source"], []).append(line["accepted"])
    wrong = _unjustified(history, instance, accept["value"], reports)
    # A Promise may stand on a line that is missing.
    if wrong is None or not history.is_whole_until(accept):
        if wrong is None and found.tell is not None:
            found.told(instance, accept, _justified(history, node, "source", genuine))
        return
    forged = [line for line in received if line not in genuine]
    if forged:
        names = ", ".join(line_id(line) for line in forged)
        wrong += f" (not counted, because no acceptor sent it so: {names})"
    found.broken(
        instance,
        accept,
        f"{node} asks to accept {quoted(accept['value'])} at {accept['ballot']} "
        f"({line_id(accept)}), but {wrong}",
        [*received, *_causes(history, received)],
    )


def _causes(history: History, received: Iterable[Line]) -> Iterator[Line]:
    """The lines that sent what was received, as far as they are there."""
    for line in received:
        sent = history.find(line["cause"]) if "cause" in line else None
        if sent is not None:
            yield sent


def _is_genuine(history: History, instance: InstanceHistory, received: Line) -> bool:
    """Whether a Promise is one that its acceptor sent, as far as its log tells."""
    source = received["source"]
    cause = received.get("cause")
    own = history.nodes.get(source)
    if own is None:
        return True
    if cause is None:
        return not own.is_whole or any(
            _is_same_promise(line, received)
            for line in _lines(instance.acceptors.get(source, []), "promise_sent")
        )
    sender, key = named(cause)
    sent = history.find(cause)
    if sent is not None:
        return sender == source and _is_same_promise(sent, received)
    # A line that is not there, in a log that reaches so far and lacks nothing, never was.
    return not own.is_whole or key > own.ends_at


def _is_same_promise(sent: Line, received: Line) -> bool:
    if sent["event"] != "promise_sent" or sent["to"] != received["node"]:
        return False
    return all(sent[name] == received[name] for name in ("instance", "ballot", "accepted"))


def _unsent_requests(
    instance: InstanceHistory, sent: set[BallotKey]
) -> Iterator[tuple[BallotKey, Line]]:
    """The first request of each ballot that acceptors know of, and no proposer's line."""
    met = set(sent)
    for _, line in instance.accept_requests:
        ballot = order_of(line["ballot"])
        if ballot not in met:
            met.add(ballot)
            yield ballot, line


def _judge_from_acceptors(
    found: Findings, instance: InstanceHistory, ballot: BallotKey, request: Line
) -> None:
    history = found.history
    # An absent Promise proves nothing while some acceptor's log lacks lines.
    if not history.all_whole:
        return
    owner = request["ballot"].rpartition(".")[2]
    promises = [
        line
        for node in history.members
        for line in _lines(instance.acceptors.get(node, []), "promise_sent")
        if order_of(line["ballot"]) == ballot and line["to"] == owner
    ]
    reports: dict[str, list[Line | None]] = {}
    for line in promises:
        reports.setdefault(line["node"], []).append(line["accepted"])
    wrong = _unjustified(history, instance, request["value"], reports)
    if wrong is None and found.tell is not None:
        found.told(instance, request, _justified(history, owner, "node", promises))
    # Its proposer, or who promised, may have been seen for a shorter time than who received it.
    unseen = history.members if "cause" not in request else ()
    if wrong is not None and not found.lacks_what_led_to(instance, request, unseen):
        found.broken(
            instance,
            request,
            f"{owner} asked {request['node']} to accept {quoted(request['value'])} at "
            f"{request['ballot']} ({line_id(request)}), but {wrong}",
            promises,
        )


def _unjustified(
    history: History,
    instance: InstanceHistory,
    value: str | Line,
    reports: Mapping[str, list[Line | None]],
) -> str | None:
    """Why no quorum among these acceptors' Promises justifies a value; ``None`` if one does."""
    quorum = history.quorum
    if len(reports) < quorum:
        who = show("have", sorted(reports, key=_node_order))
        return f"it had Promises of that ballot from {who}, and a quorum is {quorum}"
    wanted = value_key(value)
    pairs = _reported_pairs(reports)
    for ballot in sorted(ballot for ballot, key in pairs if key == wanted):
        if len(_who_reported_at_most(reports, ballot)) >= quorum:
            return None
    silent = len(_who_reported_at_most(reports, _NONE))
    if silent >= quorum:
        if wanted in instance.client_values or not history.all_whole:
            return None
        return f"{silent} Promises reported no value, and no client proposed that one"
    ballot, key = max(pairs, key=lambda pair: pair[0])
    return (
        f"the highest pair that the Promises of {show('have', sorted(reports, key=_node_order))} "
        f"reported is {quoted(shown_value(key))} at {ballot_name(ballot)}"
    )


def _reported_pairs(reports: Mapping[str, Sequence[Line | None]]) -> set[Pair]:
    return {
        pair_of(report) for answers in reports.values() for report in answers if report is not None
    }


def _who_reported_at_most(
    reports: Mapping[str, Sequence[Line | None]], ballot: BallotKey
) -> list[str]:
    """The acceptors with a Promise that reports nothing above a ballot."""
    return [
        node
        for node, answers in reports.items()
        if any(report is None or order_of(report["ballot"]) <= ballot for report in answers)
    ]


def _justified(history: History, node: str, sender: str, promises: Iterable[Line]) -> Justified:
    """What these Promises leave a proposer to push, by every quorum that they hold."""
    by_sender: dict[str, list[Line]] = {}
    for line in promises:
        if line[sender] in history.members:
            by_sender.setdefault(line[sender], []).append(line)
    reports = {name: [line["accepted"] for line in lines] for name, lines in by_sender.items()}
    allowed: dict[Pair, tuple[str, ...]] = {}
    for pair in sorted(_reported_pairs(reports), key=lambda pair: pair[0], reverse=True):
        supporters = _who_reported_at_most(reports, pair[0])
        if len(supporters) >= history.quorum:
            allowed[pair] = tuple(sorted(supporters, key=_node_order))
    silent = sorted(_who_reported_at_most(reports, _NONE), key=_node_order)
    free = tuple(silent) if len(silent) >= history.quorum else ()
    return Justified(node, by_sender, allowed, free)


def justified_learning(history: History, tell: Tell | None = None) -> Findings:
    """R5: before a node learns v, a quorum of distinct acceptors has accepted v at one ballot.

    The acceptors that the learner names must be such a quorum: each must have
    accepted that pair, by its own lines. *Before* is happened-before: the news
    must have had a way to the learner. Where some learner heard of the instance
    from a stranger, whose messages have no cause, the way cannot be seen; then
    an acceptance breaks the rule only if it came after the learning.
    """
    found = Findings("R5", history, tell)
    if not history.quorum:
        return found
    for instance in history.instances.values():
        told: dict[str, set[Pair]] = {}
        for line in _lines(instance.learned, "value_learned", "state_recovered"):
            known = line if line["event"] == "value_learned" else line["learned"]
            own = told.setdefault(line["node"], set())
            # What a node recovers, it has learned and logged before.
            if line["event"] == "state_recovered" and pair_of(known) in own:
                continue
            own.add(pair_of(known))
            found.judged += 1
            _judge_learning(found, instance, line, known)
    return found


def _judge_learning(found: Findings, instance: InstanceHistory, line: Line, known: Line) -> None:
    history = found.history
    named_acceptors = known["acceptors"]
    what = (
        f"{line['node']} takes {_proposal(known)} as chosen ({line_id(line)}), "
        f"accepted by {show('acceptors', named_acceptors)}"
    )
    strangers = [node for node in named_acceptors if node not in history.members]
    if strangers:
        found.broken(instance, line, f"{what}; {show('acceptors', strangers)} is no acceptor here")
        return
    by_node = instance.acceptances.get(pair_of(known), {})
    acceptances = [by_node[node] for node in named_acceptors if node in by_node]
    if len(named_acceptors) < history.quorum:
        found.broken(instance, line, f"{what}; a quorum is {history.quorum}", acceptances)
        return
    for node in named_acceptors:
        wrong = _not_accepted_before(found, instance, line, node, by_node.get(node))
        if wrong is not None:
            found.broken(instance, line, f"{what}; {wrong}", acceptances)
            return
    if found.tell is not None:
        seen = {node: by_node[node] for node in named_acceptors if node in by_node}
        found.told(instance, line, Learnt(known, seen))


def _not_accepted_before(
    found: Findings,
    instance: InstanceHistory,
    learned: Line,
    node: str,
    acceptance: Line | None,
) -> str | None:
    """Why an acceptor had not accepted when a learner learned; ``None`` if that is not proven."""
    history = found.history
    order, own = history.order, history.nodes[node]
    if acceptance is None:
        if not own.is_whole:
            return None
        if own.open_end is not None and node in instance.asked_to_accept:
            found.doubtful(
                instance,
                f"whether {node} had accepted what {line_id(learned)} learned is not known: "
                f"{own.open_end}",
                node,
            )
            return None
        # The runner may have seen the learner for longer than the acceptor.
        unseen = [node] if instance.hearsay_without_cause else ()
        if found.lacks_what_led_to(instance, learned, unseen):
            return None
        return f"{node} had not accepted it"
    if acceptance is not learned and order.before(learned, acceptance):
        # It may have accepted before, on a line that is missing.
        if not own.is_whole:
            return None
        return f"{node} accepted it only afterwards ({line_id(acceptance)})"
    is_order_known = (
        not instance.hearsay_without_cause
        and history.all_whole
        # A disk that the runner read was written at some time before.
        and acceptance["event"] != "disk_read"
    )
    if is_order_known and not order.before(acceptance, learned):
        # The news may have come by a node that was seen for a shorter time.
        if found.lacks_what_led_to(instance, learned):
            return None
        return f"it cannot have heard by then that {node} accepted it ({line_id(acceptance)})"
    return None


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
    for instance, node, steps in _acceptors(history):
        disk: Durable | None = None
        pairs: dict[Pair, Line] = {}
        requested: set[Pair] = set()
        replied = _NONE
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
                f"{node} sent {_reply(step)} at {step['ballot']} ({line_id(step)}) before "
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
        return f"its disk did not hold {_proposal(reply)}"
    held = _NONE
    if disk is not None:
        held = order_of(disk.promised)
        if disk.accepted is not None:
            # An accepted pair is a promise of its ballot too.
            held = max(held, order_of(disk.accepted["ballot"]))
    if held < order_of(reply["ballot"]):
        return (
            f"its disk held {'no promise' if held == _NONE else f'the promise {ballot_name(held)}'}"
        )
    report = reply["accepted"]
    if report is not None and pair_of(report) in requested and pair_of(report) not in pairs:
        return f"its disk did not hold {_proposal(report)}, which it reports"
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
    for instance, node, steps in _acceptors(history):
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
    had_promised = order_of(disk.promised) if disk is not None else _NONE
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
    if promised not in {had_promised, _NONE} and promised not in ballots:
        unexplained.append(f"a request at {back.promised}")
    if back.accepted is not None and accepted != had_accepted and accepted not in requested:
        unexplained.append(f"a request to accept {_proposal(back.accepted)}")
    if unexplained:
        found.broken(
            instance,
            line,
            f"{subject}, but it had never received {' or '.join(unexplained)}",
            [disk.line] if disk is not None else [],
            "b",
        )


def agreement(history: History, tell: Tell | None = None) -> Findings:
    """At most one value is chosen per instance, and every learned value is that value.

    What a client is told counts as learned: it is a learner too. A value that
    was learned while nothing is chosen breaks R5, not this, until another is
    chosen or learned.
    """
    found = Findings("agreement", history, tell)
    for instance in history.instances.values():
        found.judged += 1
        known = len(found.violations)
        _judge_choices(found, instance)
        if tell is not None and len(found.violations) == known and instance.chosen:
            first = instance.chosen[0]
            found.told(instance, first.moment, OneChosen(first))
        _judge_learned(found, instance)
    return found


def _judge_choices(found: Findings, instance: InstanceHistory) -> None:
    if not instance.chosen:
        return
    first = instance.chosen[0]
    for other in instance.chosen[1:]:
        if value_key(other.value) == value_key(first.value):
            continue
        found.broken(
            instance,
            other.moment,
            f"two values are chosen: {_choice(first.ballot, first.value, first.acceptances)}, "
            f"and {_choice(other.ballot, other.value, other.acceptances)}",
            [*first.acceptances.values(), *other.acceptances.values()],
        )
        return


def _judge_learned(found: Findings, instance: InstanceHistory) -> None:
    stated = [
        (value_key(value), value, line)
        for line in instance.learned
        if (value := _stated(line)) is not None
    ]
    place = found.history.order.place
    chosen = instance.chosen[0] if instance.chosen else None
    if chosen is not None:
        # To learn the second of two chosen values is no further breach.
        choices = {value_key(other.value) for other in instance.chosen}
        for key, value, line in stated:
            if key not in choices:
                # Broken with whichever of the two came last.
                found.broken(
                    instance,
                    max(line, chosen.moment, key=place),
                    f"{_told(line, value)}, but chosen is "
                    f"{_choice(chosen.ballot, chosen.value, chosen.acceptances)}",
                    [line, *chosen.acceptances.values()],
                )
                return
        return
    for key, value, line in stated[1:]:
        if key != stated[0][0]:
            found.broken(
                instance,
                line,
                f"two values are learned: {_told(stated[0][2], stated[0][1])}, and "
                f"{_told(line, value)}",
                [stated[0][2]],
            )
            return


def _stated(line: Line) -> str | Line | None:
    """The value that a line says is chosen, if it says so."""
    value: str | Line | None = None
    match line["event"]:
        case "value_learned":
            value = line["value"]
        case "state_recovered":
            value = line["learned"]["value"]
        case "propose_answered" if line["outcome"] == "chosen":
            value = line["value"]
        case "propose_completed" if line["outcome"] == "ok":
            value = line["value"]
    return value


def _told(line: Line, value: str | Line) -> str:
    event = line["event"]
    if event == "propose_completed":
        return f"a client was told {quoted(value)} ({line_id(line)})"
    verb = "told a client" if event == "propose_answered" else "learned"
    return f"{line['node']} {verb} {quoted(value)} ({line_id(line)})"


def validity(history: History, tell: Tell | None = None) -> Findings:
    """A chosen value was proposed by a client before.

    Clients' wishes are ``propose_received`` at a node and ``propose_invoked``
    by the runner. A guest proposes without either, and keeps no log: whether
    a client wished for its value cannot be known.
    """
    found = Findings("validity", history, tell)
    for instance in history.instances.values():
        met: set[ValueKey] = set()
        for chosen in instance.chosen:
            key = value_key(chosen.value)
            if key in met:
                continue
            met.add(key)
            found.judged += 1
            _judge_origin(found, instance, key)
    return found


def _judge_origin(found: Findings, instance: InstanceHistory, key: ValueKey) -> None:
    history, order = found.history, found.history.order
    value = quoted(shown_value(key))
    acceptances = [
        line
        for (_, accepted), by_node in instance.acceptances.items()
        if accepted == key
        for line in by_node.values()
    ]
    requests = [line for _, line in instance.accept_requests if value_key(line["value"]) == key]
    # A disk that the runner read was written at some time before.
    dated = [line for line in acceptances if line["event"] != "disk_read"]
    first = min(dated or requests or acceptances, key=order.place)
    wishes = [line for line in instance.wishes if value_key(line["value"]) == key]
    for wish in wishes:
        if order.before(wish, first):
            if found.tell is not None:
                found.told(instance, first, Wished(wish, shown_value(key)))
            return
    guest = next((line for line in requests if is_guest(order_of(line["ballot"]))), None)
    if guest is not None:
        owner = guest["ballot"].rpartition(".")[2]
        found.doubtful(
            instance,
            f"{value} came from {owner} ({line_id(guest)}), a guest, which keeps no log of "
            "its clients",
            owner,
        )
        return
    # A wish may stand on a line that is missing, or may have come by an unseen way.
    is_order_known = all("cause" in line for line in requests)
    is_after = all(order.before(first, wish) for wish in wishes)
    if not history.all_whole or not (is_order_known or is_after):
        return
    # Or on one of a node that was seen for a shorter time than the acceptor.
    if found.lacks_what_led_to(instance, first, () if is_order_known else history.nodes):
        return
    known = f"an acceptor knew of it ({line_id(first)})"
    found.broken(
        instance,
        first,
        f"{value} is chosen, but no client had proposed it when {known}"
        if wishes
        else f"{value} is chosen and no client proposed it; {known}",
        [first, *wishes[:1]],
    )


RULES: Final[Mapping[str, tuple[str, Rule]]] = {
    "R1": ("promise kept", promise_kept),
    "R2": ("honest promise", honest_promise),
    "R3": ("one value per ballot", one_value_per_ballot),
    "R4": ("justified accept", justified_accept),
    "R5": ("justified learning", justified_learning),
    "R6": ("durable before reply", durable_before_reply),
    "agreement": ("at most one value is chosen", agreement),
    "validity": ("a chosen value was proposed", validity),
}
"""The rules by their short names, in the order in which they are told."""


def _acceptors(
    history: History,
) -> Iterator[tuple[InstanceHistory, str, list[Line | Durable]]]:
    for instance in history.instances.values():
        for node, steps in instance.acceptors.items():
            yield instance, node, steps


def _lines(steps: Iterable[Line | Durable], *events: str) -> Iterator[Line]:
    for step in steps:
        if not isinstance(step, Durable) and step["event"] in events:
            yield step


def _node_order(node: str) -> tuple[int, str]:
    return len(node), node


def _reply(line: Line) -> str:
    return "a Promise" if line["event"] == "promise_sent" else "an Accepted"


def _proposal(proposal: Line) -> str:
    return f"{quoted(proposal['value'])} at {proposal['ballot']}"


def _state(promised: str, accepted: Line | None) -> str:
    promise = "no promise" if order_of(promised) == _NONE else f"the promise {promised}"
    return f"{promise} and {_proposal(accepted) if accepted else 'no accepted value'}"


def _choice(ballot: str, value: str | Line, acceptances: Mapping[str, Line]) -> str:
    lines = ", ".join(line_id(line) for line in acceptances.values())
    return f"{quoted(value)} at {ballot} by {show('acceptors', list(acceptances))} ({lines})"
