"""Lines of the log: their schema, their canonical bytes, and their names."""

import hashlib
import json
import re
from collections.abc import Callable
from importlib import resources
from typing import Any, Final

Line = dict[str, Any]
"""One line of the log: the header's fields, then those of its event."""

CATALOGUE: Final[dict[str, Any]] = json.loads(
    resources.files("paxos.events").joinpath("catalogue.json").read_text(encoding="utf-8")
)
"""``catalogue.json``: every event with its fields, its meaning and its sentences."""

SCHEMA_VERSION: Final[int] = CATALOGUE["version"]
HEADER: Final[tuple[str, ...]] = tuple(CATALOGUE["header"])

LONG_VALUE_BYTES: Final = 256
"""A value of more UTF-8 bytes than this stands in the log as length and digest."""

# From here on a double, which is what the page reads an integer as, is 2^63 or
# more: so both halves of the project refuse the same integers.
INT_LIMIT: Final = 2**63 - 512

# Digits are bounded: Python refuses to read an integer of thousands of them.
_NODE = re.compile(r"n[1-9][0-9]{0,15}|g[1-9]|orchestrator")
_BALLOT = re.compile(r"(0|[1-9][0-9]{0,15})\.(n(?:0|[1-9][0-9]{0,15})|g[1-9])")
_LINE = re.compile(rf"({_NODE.pattern})/[1-9][0-9]{{0,15}}/[1-9][0-9]{{0,15}}")

# The order of an event's fields on a line. Optional ones keep their place.
_FIELDS: Final[dict[str, dict[str, str]]] = {
    event: {name.removesuffix("?"): kind for name, kind in entry["fields"].items()}
    for event, entry in CATALOGUE["events"].items()
}
_REQUIRED: Final[dict[str, frozenset[str]]] = {
    event: frozenset(name for name in entry["fields"] if not name.endswith("?"))
    for event, entry in CATALOGUE["events"].items()
}
_ORDER: Final[dict[str, tuple[str, ...]]] = {
    event: HEADER + tuple(fields) for event, fields in _FIELDS.items()
}
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class LogFormatError(ValueError):
    """A line that is not of this format; the text says what is wrong with it."""


def encode(line: Line) -> bytes:
    """The canonical bytes of a line, newline included.

    Fields stand in the catalogue's order, without spaces, in UTF-8: equal
    lines are equal bytes, on every Python.

    Raises:
        LogFormatError: the event or a field is not in the catalogue, or holds
            what canonical JSON cannot say (half a character, no number).
    """
    try:
        order = _ORDER[line["event"]]
    except KeyError:
        raise LogFormatError(f"no such event: {line.get('event')!r}") from None
    ordered = {name: line[name] for name in order if name in line}
    if len(ordered) != len(line):
        extra = sorted(set(line) - set(order))
        raise LogFormatError(f"{line['event']} has no field {', '.join(extra)}")
    try:
        return _encoder.encode(ordered).encode("utf-8") + b"\n"
    except ValueError as error:
        raise LogFormatError(f"{line['event']} cannot be written: {error}") from error


def decode(data: bytes | str) -> Line:
    """Read one line and check it against the catalogue.

    Raises:
        LogFormatError: it is no JSON object, or not of this schema; the text
            names every problem.
    """
    try:
        line = json.loads(data)
    except (ValueError, RecursionError) as error:
        what = f"not JSON: {error}" if data.strip() else "it is blank"
        raise LogFormatError(what) from error
    if has_half_character(data, line):
        raise LogFormatError("it holds half a character (a lone surrogate), which no text can")
    found = problems(line)
    if found:
        raise LogFormatError("; ".join(found))
    checked: Line = line
    return checked


def has_half_character(data: bytes | str, line: object) -> bool:
    """Whether what was read from some JSON holds a lone surrogate.

    JSON can spell one, and nothing can print it; only an escape makes one.
    """
    if isinstance(data, str):
        spelt = "\\ud" in data or "\\uD" in data
    else:
        spelt = b"\\ud" in data or b"\\uD" in data
    if not spelt:
        return False
    try:
        json.dumps(line, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def problems(line: object) -> list[str]:
    """What is wrong with a line by the catalogue; empty when nothing is."""
    if not isinstance(line, dict):
        return ["a line must be a JSON object"]
    event = line.get("event")
    if not isinstance(event, str) or event not in _FIELDS:
        return [f"no such event: {_shown(event)}"]
    fields = _FIELDS[event]
    found = []
    for name, kind in CATALOGUE["header"].items():
        if name not in line:
            found.append(f"{event} lacks {name}")
        elif not _is(kind, line[name]):
            found.append(f"{event}.{name} is no {kind}: {_shown(line[name])}")
    if line.get("v") != SCHEMA_VERSION and not found:
        found.append(f"version {line['v']} is not {SCHEMA_VERSION}, the one read here")
    if not found and (line["incarnation"] < 1 or line["seq"] < 1):
        found.append(f"{event}: incarnation and seq count from 1")
    found.extend(f"{event} lacks {name}" for name in sorted(_REQUIRED[event] - line.keys()))
    for name, value in line.items():
        if name in fields:
            if not _is(fields[name], value):
                found.append(f"{event}.{name} is no {fields[name]}: {_shown(value)}")
        elif name not in CATALOGUE["header"]:
            found.append(f"{event} has no field {name}")
    return found


def line_id(line: Line) -> str:
    """The name of a line, as other lines quote it in ``cause``: ``n1/2/417``."""
    return f"{line['node']}/{line['incarnation']}/{line['seq']}"


def logged_value(value: str) -> str | dict[str, Any]:
    """How a value stands in the log: itself, or its length and SHA-256 when it is long."""
    data = value.encode("utf-8")
    if len(data) <= LONG_VALUE_BYTES:
        return value
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def node_key(name: str) -> int:
    """The integer behind a node's name, by which nodes are ordered: n5 is 5, g1 is 101.

    Raises:
        LogFormatError: it is no node's name.
    """
    if not _NODE.fullmatch(name) and name != "n0":
        raise LogFormatError(f"no node's name: {name!r:.80}")
    if name == "orchestrator":
        return 0
    return int(name[1:]) + (100 if name[0] == "g" else 0)


def ballot_key(ballot: str) -> tuple[int, int]:
    """A ballot in the form by which ballots are ordered: round, then node.

    Raises:
        LogFormatError: it is no ballot.
    """
    match = _BALLOT.fullmatch(ballot)
    if match is None:
        raise LogFormatError(f"no ballot: {ballot!r:.80}")
    return int(match[1]), node_key(match[2])


def _shown(value: object) -> str:
    """What stands where something else should, in a few words."""
    try:
        return f"{value!r:.80}"
    except RecursionError:
        return "something nested too deeply"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -INT_LIMIT < value < INT_LIMIT


def _is_instance(value: object) -> bool:
    return isinstance(value, int) and _is_int(value) and value >= 1


def _is_ballot(value: object) -> bool:
    return isinstance(value, str) and _BALLOT.fullmatch(value) is not None


def _is_node(value: object) -> bool:
    return isinstance(value, str) and _NODE.fullmatch(value) is not None


def _is_nodes(value: object) -> bool:
    if not isinstance(value, list) or not all(_is_node(name) for name in value):
        return False
    keys = [node_key(name) for name in value]
    return keys == sorted(set(keys))


def _is_value(value: object) -> bool:
    if isinstance(value, str):
        return True
    return (
        isinstance(value, dict)
        and value.keys() == {"bytes", "sha256"}
        and _is_int(value["bytes"])
        and isinstance(value["sha256"], str)
        and re.fullmatch("[0-9a-f]{64}", value["sha256"]) is not None
    )


def _is_proposal(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"ballot", "value"}
        and _is_ballot(value["ballot"])
        and _is_value(value["value"])
    )


def _is_learned(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"ballot", "value", "acceptors"}
        and _is_ballot(value["ballot"])
        and _is_value(value["value"])
        and _is_nodes(value["acceptors"])
    )


def _is_state(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"acceptor", "proposer", "learner"}:
        return False
    acceptor = value.get("acceptor")
    return acceptor is None or (
        isinstance(acceptor, dict)
        and acceptor.keys() == {"promised", "accepted"}
        and _is_ballot(acceptor["promised"])
        and _is("proposal?", acceptor["accepted"])
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _lists(fits: Callable[[Any], bool]) -> Callable[[object], bool]:
    """Whether something is a list of what fits."""
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_way(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_node, value))


def _is_end(value: object) -> bool:
    """Whom a rule of a gate is about: a node by its name or number, or anybody."""
    return value is None or _is_int(value) or _is_node(value)


_OF_A_FAULT: Final[dict[str, Callable[[Any], bool]]] = {
    "pairs": _lists(_is_way),
    "ways": _lists(_is_way),
    "groups": _lists(_lists(_is_node)),
    "sides": _lists(_lists(_is_node)),
    "from": _lists(_is_node),
    "to": _lists(_is_node),
    "kinds": _lists(_is_text),
    "fault": _is_text,
}
_OF_A_RULE: Final[dict[str, Callable[[Any], bool]]] = {
    "action": _is_text,
    "source": _is_end,
    "to": _is_end,
    "kinds": _lists(_is_text),
    "first_instance": _is_int,
}


def _has(parts: dict[str, Callable[[Any], bool]], value: object) -> bool:
    """Whether this is an object whose parts, as far as it has them, are as readers expect."""
    return isinstance(value, dict) and all(
        fits(value[name]) for name, fits in parts.items() if name in value
    )


KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    "int": _is_int,
    "instance": _is_instance,
    "bool": lambda value: isinstance(value, bool),
    "text": _is_text,
    "node": _is_node,
    "nodes": _is_nodes,
    "ballot": _is_ballot,
    "value": _is_value,
    "proposal": _is_proposal,
    "learned": _is_learned,
    "state": _is_state,
    "line": lambda value: isinstance(value, str) and _LINE.fullmatch(value) is not None,
    "fault": lambda value: _has(_OF_A_FAULT, value),
    "rules": _lists(lambda rule: _has(_OF_A_RULE, rule)),
    "numbers": lambda value: isinstance(value, dict) and all(map(_is_instance, value.values())),
    "object": lambda value: isinstance(value, dict | list),
}
"""Whether a field is of a kind that the catalogue names; a ``?`` behind it also allows null."""


def _is(kind: str, value: object) -> bool:
    if kind.endswith("?"):
        return value is None or KINDS[kind[:-1]](value)
    return KINDS[kind](value)
