"""``columns.bin``: the index of a long run, from which the page opens at once.

The JSON lines stay the source: the index holds numbers, names and where every
line begins, and the page fetches the lines that it shows. ``web/log/columns.js``
documents the format and writes the same bytes for a log that is dropped on the
page.
"""

import json
import os
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from orchestrator.column_index import Indexer
from orchestrator.column_tables import EVENTS, TABLES, TooLarge
from paxos.events import Line, problems
from paxos.events.lines import CATALOGUE, INT_LIMIT, KINDS, SCHEMA_VERSION

NAME: Final = "columns.bin"
LOG: Final = "events.jsonl"

_MAGIC: Final = b"PXLCOL01"
_SAMPLE_BYTES: Final = 4096
_SAMPLE_COUNT: Final = 16
_REMEMBERED: Final = 10_000
_SUMMARY_LIMIT_BYTES: Final = 10_000_000


class ColumnsError(Exception):
    """A log that cannot be indexed; the text says where and why."""


def write_columns(folder: Path) -> Path:
    """Write the index of a run's merged log beside it; return its path.

    It is written under another name and renamed, so that nobody reads half of
    it. One pass, about ten microseconds a line.

    Raises:
        ColumnsError: there is no log, or one that is not of this format; the
            text names the line.
    """
    log = folder / LOG
    try:
        data = log.read_bytes()
    except OSError as error:
        raise ColumnsError(f"{LOG} cannot be read: {error.strerror}") from error
    index = encode_columns(data, _members(folder), LOG)
    handle, part = tempfile.mkstemp(prefix=".columns-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(index)
        Path(part).chmod(0o644)
        path = folder / NAME
        Path(part).replace(path)
    except OSError as error:
        Path(part).unlink(missing_ok=True)
        raise ColumnsError(f"{NAME} cannot be written: {error.strerror}") from error
    return path


def is_current(folder: Path) -> bool:
    """Whether the index beside a log is of this version and of that very log."""
    try:
        with (folder / NAME).open("rb") as index:
            head = index.read(16)
            if head[:8] != _MAGIC:
                return False
            small = json.loads(index.read(int.from_bytes(head[8:12], "little")))
        log = folder / LOG
        size = log.stat().st_size
        if small["size"] != size:
            return False
        with log.open("rb") as lines:
            return bool(small["digest"] == _digest(size, lambda at: _read(lines, at)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def encode_columns(data: bytes, members: list[str], name: str) -> bytes:
    """The index of a log.

    Args:
        data: the log.
        members: the acceptors, where ``run.json`` names them.
        name: how the log is called in a sentence about it.

    Raises:
        ColumnsError: a line is not of this format.
    """
    indexer = Indexer(members)
    passes = _checker()
    shared: list[bytes] = []
    begin, number = 0, 0
    end = data.rfind(b"\n") + 1
    while begin < end:
        stop = data.index(b"\n", begin) + 1
        number += 1
        row = data[begin:stop]
        line, wrong = _parsed(row, passes)
        if wrong is not None:
            raise ColumnsError(f"{name}, line {number}: {wrong}")
        _add(indexer, line, row, shared, f"{name}, line {number}")
        begin = stop
    torn = False
    if end < len(data):
        # A line ends in a newline: what follows the last one was never finished.
        rest = data[end:]
        line, wrong = _parsed(rest, passes)
        if wrong is None:
            _add(indexer, line, rest, shared, f"{name}, line {number + 1}")
        elif number == 0:
            raise ColumnsError(f"{name}, line 1: {wrong}")
        else:
            torn = True
    if indexer.count == 0:
        raise ColumnsError(f"{name} holds no line")
    indexer.tables["sharedText"].columns["byte"].frombytes(b"".join(shared))
    return _file(indexer, len(data), _digest(len(data), lambda at: data[at[0] : at[1]]), torn=torn)


def _add(indexer: Indexer, line: Line, row: bytes, shared: list[bytes], where: str) -> None:
    try:
        if indexer.add(line, len(row)):
            shared.append(row if row.endswith(b"\n") else row + b"\n")
            indexer.tables["shared"].add(indexer.count - 1)
    except TooLarge as error:
        raise ColumnsError(f"{where}: {error}") from error
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise ColumnsError(
            f"{where}: this line contradicts the ones before it, so the log cannot be shown."
        ) from error


def _file(indexer: Indexer, size: int, digest: str, *, torn: bool) -> bytes:
    columns = []
    parts = []
    end = 0
    for table, types in TABLES.items():
        for name, kind in types.items():
            numbers = indexer.tables[table].columns[name]
            columns.append([f"{table}.{name}", kind, len(numbers), end])
            part = _padded(numbers.tobytes(), b"\0")
            parts.append(part)
            end += len(part)
    small = {
        "size": size,
        "digest": digest,
        "torn": torn,
        "events": EVENTS,
        "nodes": indexer.nodes,
        "ballots": indexer.ballots,
        "values": indexer.values,
        "quorums": indexer.quorums,
        "members": indexer.world["members"],
        "nodeSpans": indexer.node_spans,
        "walls": indexer.walls,
        "steps": indexer.steps,
        "columns": columns,
    }
    text = _padded(json.dumps(small, separators=(",", ":")).encode("ascii"), b" ")
    head = _MAGIC + len(text).to_bytes(4, "little") + bytes(4)
    return b"".join([head, text, *parts])


def _padded(data: bytes, filler: bytes) -> bytes:
    return data + filler * (-len(data) % 8)


def _read(lines: Any, at: tuple[int, int]) -> bytes:
    lines.seek(at[0])
    read: bytes = lines.read(at[1] - at[0])
    return read


def _digest(size: int, read: Callable[[tuple[int, int]], bytes]) -> str:
    """CRC-32 of some places of a log, the first and the last among them."""
    places = [(0, size)]
    if size > _SAMPLE_BYTES * _SAMPLE_COUNT:
        begins = [
            (size - _SAMPLE_BYTES) * index // (_SAMPLE_COUNT - 1) for index in range(_SAMPLE_COUNT)
        ]
        places = [(begin, begin + _SAMPLE_BYTES) for begin in begins]
    rest = 0
    for place in places:
        rest = zlib.crc32(read(place), rest)
    return f"{rest:08x}"


def _members(folder: Path) -> list[str]:
    """The acceptors, as far as ``run.json`` names them."""
    path = folder / "run.json"
    try:
        if path.stat().st_size > _SUMMARY_LIMIT_BYTES:
            return []
        run = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    members = run.get("members") if isinstance(run, dict) else None
    # Somebody else's table may name anything: then the log is shown by its own lines.
    if not isinstance(members, list) or not all(map(KINDS["node"], members)):
        return []
    return [] if "orchestrator" in members else members


def _parsed(row: bytes, passes: Callable[[Any], bool]) -> tuple[Line, str | None]:
    try:
        line = json.loads(row)
    except (ValueError, RecursionError):
        return {}, "it is no JSON"
    if passes(line):
        return line, None
    found = problems(line)
    return line, found[0] if found else None


def _checker() -> Callable[[Any], bool]:
    """A quick check that a line is of this format; what fails it is looked at closely."""
    nodes: set[Any] = set()
    ballots: set[Any] = set()

    def remembering(known: set[Any], kind: str) -> Callable[[Any], bool]:
        check = KINDS[kind]

        def fits(field: Any) -> bool:
            if isinstance(field, str) and field in known:
                return True
            if not check(field):
                return False
            if len(known) < _REMEMBERED:
                known.add(field)
            return True

        return fits

    quick: dict[str, Callable[[Any], bool]] = {
        **KINDS,
        "node": remembering(nodes, "node"),
        "ballot": remembering(ballots, "ballot"),
        "int": lambda field: type(field) is int and -INT_LIMIT < field < INT_LIMIT,
        "instance": lambda field: type(field) is int and 1 <= field < INT_LIMIT,
        "text": lambda field: type(field) is str,
    }

    def of(kind: str) -> Callable[[Any], bool]:
        plain: Callable[[Any], bool] = quick[kind.removesuffix("?")]
        if not kind.endswith("?"):
            return plain
        return lambda field: field is None or plain(field)

    kinds = {
        event: {
            **{name: of(kind) for name, kind in CATALOGUE["header"].items()},
            **{name.removesuffix("?"): of(kind) for name, kind in entry["fields"].items()},
        }
        for event, entry in CATALOGUE["events"].items()
    }
    needed = {
        event: frozenset(
            [*CATALOGUE["header"], *(name for name in entry["fields"] if not name.endswith("?"))]
        )
        for event, entry in CATALOGUE["events"].items()
    }

    def passes(line: Any) -> bool:
        try:
            event = line["event"]
            fields = kinds[event]
            return (
                line["v"] == SCHEMA_VERSION
                and line["incarnation"] >= 1
                and line["seq"] >= 1
                and needed[event] <= line.keys()
                and all(fields[name](field) for name, field in line.items())
            )
        except (KeyError, TypeError):
            return False

    return passes
