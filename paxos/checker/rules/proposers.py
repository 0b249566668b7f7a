"""R3 and R4: what a proposer asks for, and what its Promises let it ask for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from paxos.checker.facts import Begun, Justified, Outbid, Tell
from paxos.checker.history import (
    BallotKey,
    History,
    InstanceHistory,
    Pair,
    ValueKey,
    ballot_name,
    order_of,
    pair_of,
    quoted,
    shown_value,
    value_key,
)
from paxos.checker.order import named
from paxos.checker.rules.findings import NO_BALLOT, Findings, lines_of
from paxos.events import Line, line_id, show


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
        yield from lines_of(lines, "accept_sent")
    for _, line in instance.accept_requests:
        yield line


def _tell_outbid(
    found: Findings, instance: InstanceHistory, begun: Mapping[BallotKey, Line]
) -> None:
    """At each refusal that arrives: whose the higher ballot is."""
    for lines in instance.proposers.values():
        for line in lines_of(lines, "nack_received"):
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
    for line in lines_of(lines, "prepare_sent", "accept_sent"):
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
            for line in lines_of(lines, "promise_received", "accept_sent"):
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
            for line in lines_of(instance.acceptors.get(source, []), "promise_sent")
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
        for line in lines_of(instance.acceptors.get(node, []), "promise_sent")
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
    silent = len(_who_reported_at_most(reports, NO_BALLOT))
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
    silent = sorted(_who_reported_at_most(reports, NO_BALLOT), key=_node_order)
    free = tuple(silent) if len(silent) >= history.quorum else ()
    return Justified(node, by_sender, allowed, free)


def _node_order(node: str) -> tuple[int, str]:
    return len(node), node
