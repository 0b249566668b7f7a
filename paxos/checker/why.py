"""Why: what the rules found, in sentences, for each line that somebody may ask about.

Why was this refused, why may this value be pushed, by which quorum was this
learned, what is this proposal waiting for? The answers are the rules' own
evidence (:mod:`paxos.checker.facts`), and a breach is told in the words of its
violation. What no rule looks at is told from the lines: a message that was
ignored, a proposal that is stuck (:mod:`paxos.checker.stuck`).

The time is linear in the lines. The answers are bounded: when there are more
than a limit, the least telling kinds are left out, and counted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paxos.checker.facts import (
    Begun,
    Fact,
    Justified,
    Learnt,
    OnDisk,
    OneChosen,
    Outbid,
    Recovered,
    Refused,
    Reported,
    Wished,
)
from paxos.checker.history import (
    Durable,
    History,
    ballot_name,
    order_of,
    pair_of,
    quoted,
    value_key,
)
from paxos.checker.reader import Log, collect, load
from paxos.checker.rules import RULES, Violation
from paxos.checker.stuck import find_stuck
from paxos.checker.table import Run
from paxos.events import Line, line_id, show

LIMIT: Final = 20_000
"""How many answers are given at most, unless the caller says otherwise."""

SCHEMA_VERSION: Final = 1
_EVENT_LIMIT: Final = 24
"""How many lines an answer quotes at most."""

ALSO: Final = frozenset(
    {
        "timeout_fired",
        "fault_undone",
        "gate_changed",
        "message_dropped",
        "message_held",
        "message_released",
    }
)
"""Events that no rule uses, and that tell why something is stuck: a log for :func:`explain_log`
is read with these."""

KINDS: Final = (
    "stuck",
    "accept",
    "refusal",
    "chosen",
    "learned",
    "nack",
    "ballot",
    "promise",
    "accepted",
    "recovered",
    "ignored",
    "durable",
)
"""All kinds, the most telling first: in this order they are kept where there are too many."""

_KIND_OF_FACT: Final = {
    Refused: "refusal",
    Reported: "promise",
    Begun: "ballot",
    Outbid: "nack",
    Justified: "accept",
    Learnt: "learned",
    OnDisk: "durable",
    Recovered: "recovered",
    OneChosen: "chosen",
    Wished: "chosen",
}
_KIND_OF_RULE: Final = {
    "R4": "accept",
    "R5": "learned",
    "agreement": "chosen",
    "validity": "chosen",
}
_KIND_OF_EVENT: Final = {
    "promise_sent": "promise",
    "accepted_sent": "accepted",
    "prepare_sent": "ballot",
    "accept_sent": "accept",
    "accept_received": "accept",
}
_MESSAGE_NAMES: Final = {
    "prepare_received": "Prepare",
    "promise_received": "Promise",
    "accept_received": "Accept",
    "accepted_received": "Accepted",
    "nack_received": "Nack",
    "learn_received": "Learn",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that can still be left out.

    Attributes:
        place: of its line, in merged order.
        kind, rule, instance, line: as in the result; the rule is ``None`` for none.
        is_ok: whether no rule is broken there.
        tell: makes the sentence and the lines that show it.
    """

    place: int
    kind: str
    rule: str | None
    instance: int
    line: Line
    is_ok: bool
    tell: Callable[[], tuple[str, Iterable[Line]]]


def explain(
    lines: Iterable[Line],
    run: Mapping[str, Any] | None = None,
    *,
    trusted: bool = False,
    limit: int = LIMIT,
) -> dict[str, Any]:
    """Say why, for every line of a log that there is something to say about.

    Args:
        lines: of all nodes and the runner, in any order; none is changed.
        run: the content of ``run.json``, if there is one.
        trusted: the lines are known to be of this format.
        limit: how many answers there may be; see :data:`KINDS`.

    Returns:
        ``{"v", "whys", "left_out"}``: the answers in the order of their lines,
        and by kind how many were left out. An answer is ``{"line", "also",
        "kind", "rule", "instance", "sentence", "events", "ok"}``: ``also``
        names further lines that it holds for (the rest of a broadcast),
        ``events`` the lines that show it; ``ok`` is false exactly where a rule
        is broken.

    Raises:
        LogFormatError: a line or the table is not of this format.
    """
    table = None if run is None else Run.parse(run)
    return explain_log(collect(lines, table, trusted=trusted, also=ALSO), limit)


def explain_path(*paths: str | Path, limit: int = LIMIT) -> dict[str, Any]:
    """The same for a run's folder, or for one or more files of lines.

    Raises:
        LogFormatError: it is no log; the text says which file and line.
    """
    return explain_log(load(*paths, also=ALSO), limit)


def explain_log(log: Log, limit: int = LIMIT) -> dict[str, Any]:
    """The same for a log that was read with :data:`ALSO`, and may be judged, too."""
    history = History(log)
    facts: list[Fact] = []
    violations: list[Violation] = []
    for _, rule in RULES.values():
        violations += rule(history, facts.append).violations
    answers = [
        *(_of_violation(violation) for violation in violations),
        *(_of_fact(history, fact) for fact in facts),
        *_ignored(history),
        *_stuck(history),
    ]
    kept, left_out = _bounded(answers, limit)
    broadcasts = _broadcasts(history)
    return {
        "v": SCHEMA_VERSION,
        "whys": [_as_json(answer, broadcasts) for answer in kept],
        "left_out": left_out,
    }


def _bounded(answers: list[_Answer], limit: int) -> tuple[list[_Answer], dict[str, int]]:
    """As many answers as there may be, in the order of their lines; and what is missing."""
    rank = {kind: number for number, kind in enumerate(KINDS)}
    # Stable: of one kind the first ones are kept, and at one line the rules' order.
    ranked = sorted(answers, key=lambda answer: (answer.is_ok, rank[answer.kind]))
    left_out: dict[str, int] = {}
    for answer in ranked[limit:]:
        left_out[answer.kind] = left_out.get(answer.kind, 0) + 1
    return sorted(ranked[:limit], key=lambda answer: answer.place), left_out


Broadcast = tuple[int, str, str, int, str]


def _broadcast_of(line: Line) -> Broadcast | None:
    if line["event"] not in {"prepare_sent", "accept_sent"}:
        return None
    return line["instance"], line["node"], line["event"], line["incarnation"], line["ballot"]


def _broadcasts(history: History) -> dict[Broadcast, list[str]]:
    """The names of the requests of each ballot, by whoever sent them."""
    found: dict[Broadcast, list[str]] = {}
    for instance in history.instances.values():
        for lines in instance.proposers.values():
            for line in lines:
                key = _broadcast_of(line)
                if key is not None:
                    found.setdefault(key, []).append(line_id(line))
    return found


def _as_json(answer: _Answer, broadcasts: Mapping[Broadcast, list[str]]) -> dict[str, Any]:
    sentence, events = answer.tell()
    name = line_id(answer.line)
    key = _broadcast_of(answer.line)
    also = broadcasts.get(key, []) if key is not None else []
    names = dict.fromkeys(line_id(line) for line in events)
    return {
        "line": name,
        # Of a request that is sent again, what follows is the same.
        "also": also[also.index(name) + 1 :] if name in also else [],
        "kind": answer.kind,
        "rule": answer.rule,
        "instance": answer.instance,
        "sentence": sentence,
        "events": [other for other in names if other != name][:_EVENT_LIMIT],
        "ok": answer.is_ok,
    }


def _of_violation(violation: Violation) -> _Answer:
    if violation.rule == "R6":
        kind = "durable" if violation.part == "a" else "recovered"
    else:
        kind = _KIND_OF_RULE.get(violation.rule) or _KIND_OF_EVENT[violation.at["event"]]
    return _Answer(
        violation.place,
        kind,
        violation.rule,
        violation.instance,
        violation.at,
        is_ok=False,
        tell=lambda: (violation.sentence, violation.lines),
    )


def _of_fact(history: History, fact: Fact) -> _Answer:
    return _Answer(
        history.order.place(fact.line),
        _KIND_OF_FACT[type(fact.found)],
        fact.rule,
        fact.instance,
        fact.line,
        is_ok=True,
        tell=lambda: _told(history, fact),
    )


def _ignored(history: History) -> Iterator[_Answer]:
    for place, line in enumerate(history.order.lines):
        if "ignored" in line and line["event"] in _MESSAGE_NAMES:
            yield _Answer(
                place,
                "ignored",
                None,
                line["instance"],
                line,
                is_ok=True,
                tell=lambda line=line: _told_ignored(history, line),  # type: ignore[misc]
            )


def _stuck(history: History) -> Iterator[_Answer]:
    for one in find_stuck(history):
        yield _Answer(
            history.order.place(one.line),
            "stuck",
            None,
            one.instance,
            one.line,
            is_ok=True,
            tell=lambda one=one: (one.sentence, one.events),  # type: ignore[misc]
        )


# --- sentences ------------------------------------------------------------------------------


def _told(history: History, fact: Fact) -> tuple[str, Iterable[Line]]:
    line, found = fact.line, fact.found
    match found:
        case Refused():
            return _told_refused(history, line, found)
        case Reported(accepted):
            return _told_reported(line, accepted)
        case Begun(before):
            if before is None:
                return f"{line['node']} begins {line['ballot']}, the first ballot that it uses", ()
            used = f"{before['ballot']}, which it used before ({line_id(before)})"
            return f"{line['node']} begins {line['ballot']}, above {used}", [before]
        case Outbid(begun):
            return _told_outbid(line, begun)
        case Justified():
            return _told_justified(history, line, found)
        case Learnt(known, acceptances):
            return _told_learnt(line, known, acceptances)
        case OnDisk(record):
            what = "Promise" if line["event"] == "promise_sent" else "Accepted"
            told = f"what {line['node']}'s {what} of {line['ballot']} states was on its disk before"
            return (told, ()) if record is None else (f"{told} ({line_id(record)})", [record])
        case Recovered(back, record):
            return _told_recovered(line, back, record)
        case OneChosen(chosen):
            who = show("acceptors", list(chosen.acceptances))
            told = f"with this line {quoted(chosen.value)} is chosen at {chosen.ballot}"
            return f"{told}: {who} have accepted it", chosen.acceptances.values()
        case Wished(wish, value):
            return f"a client had wished for {quoted(value)} before ({line_id(wish)})", [wish]


def _told_refused(history: History, nack: Line, found: Refused) -> tuple[str, Iterable[Line]]:
    node, ballot = nack["node"], nack["ballot"]
    asked = f"to accept at {ballot}" if nack.get("request") == "accept" else ballot
    subject = f"{node} refuses {asked}"
    reply, disk = found.reply, found.disk
    if reply is not None and order_of(reply["ballot"]) > order_of(ballot):
        verb = "promised" if reply["event"] == "promise_sent" else "accepted at"
        return f"{subject}: it has {verb} {reply['ballot']} ({line_id(reply)})", [reply]
    if disk is not None and order_of(disk.promised) > order_of(ballot):
        held = f"its disk holds the promise {disk.promised} ({line_id(disk.line)})"
        return f"{subject}: {held}, though nobody was told", [disk.line]
    if not history.is_whole_until(nack):
        return f"{subject}, and what it is bound by stands on lines that are missing", ()
    highest = "it has promised nothing" if reply is None else f"it has promised {reply['ballot']}"
    shown = [reply] if reply is not None else []
    return f"{subject}, though {highest}: that breaks no rule, and may stall for ever", shown


def _told_reported(promise: Line, accepted: Line | None) -> tuple[str, Iterable[Line]]:
    node, ballot = promise["node"], promise["ballot"]
    if accepted is None:
        return f"with its promise of {ballot} {node} reports nothing: it has accepted nothing", ()
    report = promise["accepted"]
    pair = f"{quoted(report['value'])} at {report['ballot']}"
    told = f"with its promise of {ballot} {node} reports {pair}: it has accepted that"
    return f"{told} ({line_id(accepted)}), and nothing higher", [accepted]


def _told_outbid(nack: Line, begun: Line | None) -> tuple[str, Iterable[Line]]:
    source, promised = nack["source"], nack["promised"]
    owner = promised.rpartition(".")[2]
    told = f"{source} refused {nack['node']}'s {nack['ballot']} for {promised}"
    if begun is None:
        return f"{told}, a ballot of {owner}", ()
    return f"{told}, which {begun['node']} began ({line_id(begun)})", [begun]


def _told_justified(history: History, accept: Line, found: Justified) -> tuple[str, Iterable[Line]]:
    node, value = found.node, quoted(accept["value"])
    wanted = value_key(accept["value"])
    pair = next((pair for pair in found.allowed if pair[1] == wanted), None)
    if pair is None:
        who = show("nodes", list(found.free))
        sentence = (
            f"{node} may push any client's value: {who} promised {accept['ballot']} "
            "and reported nothing"
        )
        lines = [line for name in found.free for line in found.promises[name]]
        return sentence, [*lines, *_sent(history, lines)]
    ballot = ballot_name(pair[0])
    lines = [line for name in found.allowed[pair] for line in found.promises[name]]
    reported = [line for line in lines if line["accepted"] and pair_of(line["accepted"]) == pair]
    names = dict.fromkeys(_sender(line) for line in reported)
    sentence = f"{value}: {show('nodes', list(names))} reported it at {ballot}"
    if len({other for other, _ in found.allowed}) > 1 or any(
        line["accepted"] and pair_of(line["accepted"]) != pair for line in lines
    ):
        sentence += ", the highest ballot that was reported"
    is_only = not found.free and all(key == wanted for _, key in found.allowed)
    if "wanted" in accept:
        sentence += f"; its own {quoted(accept['wanted'])} must yield"
    if not is_only:
        sentence += " (another quorum of its Promises would have left it another choice)"
    prefix = f"{node} may push only" if is_only else f"{node} may push"
    ordered = [*reported, *lines]
    return f"{prefix} {sentence}", [*ordered, *_sent(history, ordered)]


def _sender(promise: Line) -> str:
    name: str = promise["source"] if promise["event"] == "promise_received" else promise["node"]
    return name


def _sent(history: History, received: Iterable[Line]) -> Iterator[Line]:
    """The lines that sent what was received, as far as they are there."""
    for line in received:
        sent = history.find(line["cause"]) if "cause" in line else None
        if sent is not None:
            yield sent


def _told_learnt(
    line: Line, known: Line, acceptances: Mapping[str, Line]
) -> tuple[str, Iterable[Line]]:
    pair = f"{quoted(known['value'])} as chosen"
    verb = "had learned" if line["event"] == "state_recovered" else "may take"
    who = show("acceptors", known["acceptors"])
    told = f"{line['node']} {verb} {pair}: {who} have accepted it at {known['ballot']}"
    unseen = [node for node in known["acceptors"] if node not in acceptances]
    if unseen:
        told += f" (of {show('acceptors', unseen)} the log does not show it)"
    return told, acceptances.values()


def _told_recovered(
    line: Line, back: Durable, record: Durable | None
) -> tuple[str, Iterable[Line]]:
    # Who is down has nothing back: its disk was read by the lab.
    is_read = line["event"] == "disk_read"
    node = line["of"] if is_read else line["node"]
    if record is None:
        found = f"its disk holds was written by {node}" if is_read else "it found was written"
        return f"nothing was durable at {node} before: what {found} and not said", ()
    holds = f"the disk of {node} holds" if is_read else f"{node} has back"
    its = node if is_read else "it"
    same = (back.promised, back.accepted) == (record.promised, record.accepted)
    told = (
        f"{holds} what {its} had made durable ({line_id(record.line)})"
        if same
        else f"{holds} more than what {its} had said to be durable "
        f"({line_id(record.line)}): what was written before a kill stays"
    )
    return told, [record.line]


def _told_ignored(history: History, line: Line) -> tuple[str, Iterable[Line]]:
    what = _MESSAGE_NAMES[line["event"]]
    about = f" of {line['ballot']}" if "ballot" in line else ""
    told = f"{line['node']} ignores {line['source']}'s {what}{about}: {line['ignored']}"
    return told, _sent(history, [line])
