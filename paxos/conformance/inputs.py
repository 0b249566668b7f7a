"""From a line back to the input of the core that it records."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from paxos.events import HEADER, Line, ballot_key, node_key
from paxos.protocol import (
    Accept,
    Accepted,
    Ballot,
    Input,
    Learn,
    Learned,
    LearnedRecord,
    LinkUp,
    Message,
    Nack,
    NodeId,
    NumberScheme,
    Prepare,
    Promise,
    Proposal,
    ProposeRequested,
    Received,
    Settings,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)

RECEIVED: Final = frozenset(
    f"{kind}_received"
    for kind in (
        "prepare",
        "promise",
        "accept",
        "accepted",
        "nack",
        "learn",
        "learned",
        "status",
    )
)
INPUTS: Final = RECEIVED | {"propose_received", "timeout_fired", "link_up", "instance_resumed"}
"""Events that record an input of the core, if they name an instance."""

EFFECTS: Final = frozenset(event.replace("received", "sent") for event in RECEIVED) | {
    "state_persisted",
    "value_learned",
    "timer_set",
    "timer_cancelled",
    "propose_answered",
}
"""Events that record an effect of the core, if they name an instance."""

_HEADER: Final = frozenset(HEADER) - {"event"}
# The core's names of settings that a log calls otherwise.
_SETTINGS: Final = {"number_scheme": "scheme", "attempt_limit_count": "attempt_limit"}
_KNOWN_SETTINGS: Final = frozenset(Settings.__dataclass_fields__)
_DEFAULTS: Final = Settings()
_DIGEST: Final = re.compile("\0([0-9a-f]{64})/([0-9]+)")


def body_of(line: Line) -> Line:
    """A line without its header, in the form in which lines are compared."""
    return {name: comparable(part) for name, part in line.items() if name not in _HEADER}


def input_of(body: Line) -> Input:
    """The input that a line records.

    Args:
        body: what :func:`body_of` made of a line with an instance.

    Raises:
        ValueError: it names a timer that the core does not have.
    """
    number, event = body["instance"], body["event"]
    match event:
        case "propose_received":
            return ProposeRequested(number, body["request"], body["value"], body["timeout_ms"])
        case "timeout_fired":
            reachable = tuple(node_key(node) for node in body["reachable"])
            return TimeoutFired(number, Timer(body["timer"]), body["token"], reachable)
        case "link_up":
            return LinkUp(number, node_key(body["peer"]))
        case "instance_resumed":
            return Started(number)
        case _:
            assert event in RECEIVED, f"no input of the core: {event}"
            return Received(
                node_key(body["source"]), message_of(body), answer=body.get("answer", False)
            )


def stored_of(body: Line) -> Stored:
    """What a ``state_recovered`` line says of one instance."""
    learned = body["learned"]
    return Stored(
        _ballot(body["promised"]),
        _proposal(body["accepted"]),
        body["round"],
        None
        if learned is None
        else LearnedRecord(
            body["instance"],
            _ballot(learned["ballot"]),
            learned["value"],
            _nodes(learned["acceptors"]),
        ),
    )


def settings_of(named: Mapping[str, Any]) -> dict[str, Any]:
    """The core's settings among those that a log names; others do not concern it.

    Raises:
        ValueError: one of them is nothing that the core could be set to.
    """
    found: dict[str, Any] = {}
    for name, value in named.items():
        field = _SETTINGS.get(name, name)
        if field not in _KNOWN_SETTINGS:
            continue
        default = getattr(_DEFAULTS, field)
        # `NumberScheme` is a str, and a bool is no int here.
        if type(value) is not (str if field == "scheme" else type(default)):
            raise ValueError(f"{name} is {value!r}")
        found[field] = NumberScheme(value) if field == "scheme" else value
    return found


def message_of(body: Line) -> Message:
    """The message that a line sends or receives.

    Args:
        body: what :func:`body_of` made of a line with an instance, whose event
            ends in ``_received`` or ``_sent``.
    """
    number = body["instance"]
    match body["event"].replace("_sent", "_received"):
        case "prepare_received":
            return Prepare(number, _ballot(body["ballot"]))
        case "promise_received":
            return Promise(number, _ballot(body["ballot"]), _proposal(body["accepted"]))
        case "accept_received":
            return Accept(number, _ballot(body["ballot"]), body["value"])
        case "accepted_received":
            return Accepted(number, _ballot(body["ballot"]), body["value"])
        case "nack_received":
            return Nack(number, _ballot(body["ballot"]), _ballot(body["promised"]))
        case "learn_received":
            return Learn(number, _ballot(body["ballot"]), body["value"], _nodes(body["acceptors"]))
        case "learned_received":
            return Learned(number)
        case _:
            return Status(number)


def _ballot(text: str) -> Ballot:
    return Ballot(*ballot_key(text))


def _proposal(pair: Line | None) -> Proposal | None:
    return None if pair is None else Proposal(_ballot(pair["ballot"]), pair["value"])


def _nodes(names: list[str]) -> tuple[NodeId, ...]:
    return tuple(node_key(name) for name in names)


def comparable(part: Any) -> Any:
    """The same with every digest as a short text, which the core can take for a value.

    Tallies of one ballot stand in the order of their values, and a digest has
    another place in it than its value had: they are put in an order of their own.
    """
    if isinstance(part, dict):
        if part.keys() == {"bytes", "sha256"}:
            return f"\0{part['sha256']}/{part['bytes']}"
        known = {name: comparable(inner) for name, inner in part.items()}
        if isinstance(known.get("tallies"), list) and len(known["tallies"]) > 1:
            known["tallies"].sort(key=lambda tally: json.dumps(tally, sort_keys=True))
        return known
    if isinstance(part, list):
        return [comparable(inner) for inner in part]
    return part


def restored(part: Any) -> Any:
    """The reverse of :func:`comparable`: a line as it stands in a log, but for its header."""
    if isinstance(part, str):
        digest = _DIGEST.fullmatch(part)
        return part if digest is None else {"bytes": int(digest[2]), "sha256": digest[1]}
    if isinstance(part, dict):
        return {name: restored(inner) for name, inner in part.items()}
    return [restored(inner) for inner in part] if isinstance(part, list) else part
