"""The lines of a state directory: what a record says, and its one spelling.

A line is ``{"number":N,"crc":"C","record":R}`` and a newline: R is the record
in canonical JSON (fields in the order below, no spaces, UTF-8, escaped only
where JSON demands it) and C the CRC-32 of R's bytes in eight hex digits.
Every record has exactly one spelling, and any other is refused: what is read
was written by this program and has not changed since.
"""

import codecs
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from paxos.protocol.ballot import GUESTS, Ballot, NodeId, Proposal, node_name
from paxos.protocol.effects import AcceptorRecord, LearnedRecord, Record, RoundRecord

VERSION: Final = 1
"""The version of the format that this program writes, and the only one that it reads."""


@dataclass(frozen=True, slots=True)
class FormatRecord:
    """Record 1: whose state this is. ``members`` are sorted."""

    cluster: str
    node_id: NodeId
    members: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class IncarnationRecord:
    """A start of the node. They count 1, 2, 3, ..."""

    incarnation: int


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """The last record of a segment: those that follow are in ``next``, which exists."""

    next: str


Entry = FormatRecord | IncarnationRecord | SealedRecord | Record


class BadRecord(ValueError):
    """What no record of this format can be. The text completes "record 7: ..."."""


class UnknownRecord(BadRecord):
    """A sound record of a version or kind that this program does not know."""


def encode_line(number: int, entry: Entry) -> bytes:
    """The one spelling of a record, newline included.

    Raises:
        BadRecord: it could not be read back: the record is none that a node
            may have, or a text of it is none (a lone surrogate).
    """
    body = _encode(entry)
    decoded = _decode(body)
    assert decoded == entry, f"{entry} would be read back as {decoded}"
    return b'{"number":%d,"crc":"%08x","record":%b}\n' % (number, zlib.crc32(body), body)


def decode_line(line: bytes, number: int) -> Entry:
    """Read a line, given without its newline.

    Raises:
        BadRecord: it is not, byte for byte, what :func:`encode_line` makes
            of a record of this number. The text says what is wrong.
        UnknownRecord: it may be so to a program of another version.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise BadRecord("it is not of the form of a record")
    if int(match["number"]) != number:
        raise BadRecord(f"it has the number {int(match['number'])}, and {number} is due")
    if (crc := zlib.crc32(match["body"])) != int(match["crc"], 16):
        raise BadRecord(f"its checksum is {crc:08x}, not {match['crc'].decode()} as it says")
    return _decode(match["body"])


def may_be_torn(data: bytes, number: int) -> bool:
    """Whether these bytes can begin the line of record ``number``, short of its last brace.

    The answer matters most for what is *not* a beginning: an acknowledged
    record, say, whose newline turned into a letter. So the first 30 bytes or
    so must be as they would be written, what follows must be the beginning of
    JSON text, and the braces must not have closed.
    """
    head = b'{"number":%d,"crc":"' % number
    crc, middle, body = len(head), len(head) + 8, len(head) + 8 + len(_MIDDLE)
    if not (
        head.startswith(data[:crc])
        and re.fullmatch(b"[0-9a-f]*", data[crc:middle])
        and _MIDDLE.startswith(data[middle:body])
        and _KIND.startswith(data[body : body + len(_KIND)])
    ):
        return False
    try:
        # An incremental decoder forgives a character that was cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    if re.search(r"[\x00-\x1f]", text):
        return False
    braces = re.findall(r"[{}]", _STRING.sub("", text))
    return all(accumulate(1 if brace == "{" else -1 for brace in braces))


_LINE: Final = re.compile(
    rb'\{"number":(?P<number>[1-9][0-9]{0,17}),"crc":"(?P<crc>[0-9a-f]{8})","record":(?P<body>.+)\}',
    re.DOTALL,
)
_MIDDLE: Final = b'","record":'
_KIND: Final = b'{"kind":"'
# A string of JSON, or what is there of one at the end of the text.
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)')
_BALLOT: Final = re.compile(r"(0|[1-9][0-9]*)\.([ng](?:0|[1-9][0-9]?))")
_NODES: Final[dict[str, NodeId]] = {node_name(node): node for node in (*range(1, 100), *GUESTS)}
_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _encode(entry: Entry) -> bytes:
    fields: dict[str, Any]
    match entry:
        case FormatRecord():
            fields = {
                "kind": "format",
                "version": VERSION,
                "cluster": entry.cluster,
                "node": node_name(entry.node_id),
                "members": [node_name(member) for member in entry.members],
            }
        case IncarnationRecord():
            fields = {"kind": "incarnation", "incarnation": entry.incarnation}
        case SealedRecord():
            fields = {"kind": "sealed", "next": entry.next}
        case AcceptorRecord():
            fields = {
                "kind": "acceptor",
                "instance": entry.instance,
                "promised": str(entry.promised),
                "accepted": None,
            }
            if entry.accepted is not None:
                ballot, value = str(entry.accepted.ballot), entry.accepted.value
                fields["accepted"] = {"ballot": ballot, "value": value}
        case RoundRecord():
            fields = {"kind": "round", "instance": entry.instance, "round": entry.round}
        case LearnedRecord():
            fields = {
                "kind": "learned",
                "instance": entry.instance,
                "ballot": str(entry.ballot),
                "value": entry.value,
                "acceptors": [node_name(acceptor) for acceptor in entry.acceptors],
            }
    try:
        return _encoder.encode(fields).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRecord("a text of it has half a character (a lone surrogate)") from error


def _decode(body: bytes) -> Entry:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"it is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadRecord("it is no JSON object")
    kind = _text(fields, "kind")
    if kind not in _DECODERS:
        raise UnknownRecord(f"this program knows no record of kind {kind!r}")
    entry = _DECODERS[kind](fields)
    # Catches what the decoders let pass: fields too many, in another order,
    # named twice, or written otherwise.
    if _encode(entry) != body:
        raise BadRecord("it is not in its canonical form")
    return entry


def _decode_format(fields: dict[str, Any]) -> FormatRecord:
    # Before all else: another version may have other fields.
    if (version := _integer(fields, "version", 1)) != VERSION:
        raise UnknownRecord(f"it is of version {version}, this program reads version {VERSION}")
    node_id, members = _node(_text(fields, "node")), _nodes(fields, "members")
    if node_id not in members or members != tuple(sorted(set(members))):
        raise BadRecord("its members are not a sorted list of nodes with its own in it")
    return FormatRecord(_text(fields, "cluster"), node_id, members)


def _decode_acceptor(fields: dict[str, Any]) -> AcceptorRecord:
    instance, promised = _integer(fields, "instance", 1), _ballot(fields, "promised")
    accepted = _field(fields, "accepted")
    if accepted is None:
        return AcceptorRecord(instance, promised, None)
    if not isinstance(accepted, dict):
        raise BadRecord("its accepted is no proposal")
    proposal = Proposal(_ballot(accepted, "ballot"), _text(accepted, "value"))
    return AcceptorRecord(instance, promised, proposal)


def _decode_learned(fields: dict[str, Any]) -> LearnedRecord:
    return LearnedRecord(
        _integer(fields, "instance", 1),
        _ballot(fields, "ballot"),
        _text(fields, "value"),
        _nodes(fields, "acceptors"),
    )


_DECODERS: Final[dict[str, Callable[[dict[str, Any]], Entry]]] = {
    "format": _decode_format,
    "incarnation": lambda fields: IncarnationRecord(_integer(fields, "incarnation", 1)),
    "acceptor": _decode_acceptor,
    "round": lambda fields: RoundRecord(
        _integer(fields, "instance", 1), _integer(fields, "round", 0)
    ),
    "learned": _decode_learned,
    "sealed": lambda fields: SealedRecord(_text(fields, "next")),
}


def _field(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise BadRecord(f"it lacks {name}")
    return fields[name]


def _text(fields: dict[str, Any], name: str) -> str:
    if not isinstance(value := _field(fields, name), str):
        raise BadRecord(f"its {name} is no text")
    return value


def _integer(fields: dict[str, Any], name: str, least: int) -> int:
    # To Python True is an integer, to JSON it is none.
    if type(value := _field(fields, name)) is not int or value < least:
        raise BadRecord(f"its {name} is no integer from {least} on")
    return value


def _ballot(fields: dict[str, Any], name: str) -> Ballot:
    match = _BALLOT.fullmatch(text := _text(fields, name))
    if match is None:
        raise BadRecord(f"its {name} is no ballot: {text!r:.40}")
    if text == str(Ballot.ZERO):
        return Ballot.ZERO
    return Ballot(int(match[1]), _node(match[2]))


def _nodes(fields: dict[str, Any], name: str) -> tuple[NodeId, ...]:
    names = _field(fields, name)
    if not isinstance(names, list) or not all(isinstance(node, str) for node in names):
        raise BadRecord(f"its {name} are no list of nodes")
    return tuple(_node(node) for node in names)


def _node(name: str) -> NodeId:
    if name not in _NODES:
        raise BadRecord(f"it names a node that there cannot be: {name!r:.40}")
    return _NODES[name]
