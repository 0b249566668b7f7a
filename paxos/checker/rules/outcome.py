"""Agreement and validity: what the cluster has chosen in the end."""

from collections.abc import Mapping

from paxos.checker.facts import OneChosen, Tell, Wished
from paxos.checker.history import (
    History,
    InstanceHistory,
    ValueKey,
    is_guest,
    order_of,
    quoted,
    shown_value,
    value_key,
)
from paxos.checker.rules.findings import Findings
from paxos.events import Line, line_id, show


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


def _choice(ballot: str, value: str | Line, acceptances: Mapping[str, Line]) -> str:
    lines = ", ".join(line_id(line) for line in acceptances.values())
    return f"{quoted(value)} at {ballot} by {show('acceptors', list(acceptances))} ({lines})"
