"""Reading logs: a run's folder, or any files of lines, whoever wrote them.

A :class:`Log` is what the rules are given: each writer's lines in its own
order, and what is known of how whole they are. Only lines that a rule can use
are kept, without the states (``before`` and ``after``) that a node claims:
the rules judge what nodes did. :meth:`Log.full` brings whole lines back.
"""

import json
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from sys import intern
from typing import Any, Final

from paxos.checker.order import Key, key_at, key_of, name_at, named
from paxos.checker.table import CLOSED, STARTED, TABLE, TOO_LARGE, Piece, Run, run_told
from paxos.events import (
    CATALOGUE,
    HEADER,
    SCHEMA_VERSION,
    Line,
    LogFormatError,
    decode,
    has_half_character,
    line_id,
    problems,
)
from paxos.events.lines import KINDS

ORCHESTRATOR: Final = "orchestrator"
MERGED: Final = "events.jsonl"
# Client operations in a form of their own; they are lines of the orchestrator too.
HISTORY: Final = "history.jsonl"

USED: Final = frozenset(
    {
        "node_started",
        "node_ready",
        "node_stopped",
        "state_recovered",
        "state_persisted",
        "propose_received",
        "propose_answered",
        "prepare_sent",
        "prepare_received",
        "promise_sent",
        "promise_received",
        "accept_sent",
        "accept_received",
        "accepted_sent",
        "accepted_received",
        "nack_sent",
        "nack_received",
        "learn_sent",
        "learn_received",
        "value_learned",
        "failpoint_hit",
        "power_lost",
        "run_started",
        "propose_invoked",
        "propose_completed",
        "fault_applied",
        "node_exited",
        "disk_read",
        "expectation_checked",
    }
)
"""The events that some rule, or the question how whole a log is, depends on."""

_NAMES: Final = ("cause", "message", "ballot", "promised", "reported_ballot")
_PAIRS: Final = ("accepted", "learned")
_NO_PAIR: Final = {"ballot": ""}
_INTERNED: Final = ("node", "event", "ballot", "source", "to")
_NODE_FILE: Final = re.compile(r"(n[1-9][0-9]*|g[1-9]|orchestrator)\.jsonl")
# Numbers and names of more characters than these are no log's: rounds, seqs and
# incarnations have at most 18 digits.
_NAME_CHARACTERS: Final = 48
# Of the usual names a look-up is enough; others are checked in full.
_WRITERS: Final = frozenset({ORCHESTRATOR, *(f"n{number}" for number in range(1, 100))})
_decoder: Final = json.JSONDecoder()


@dataclass(slots=True)
class Span:
    """Which lines of one incarnation are there: the numbers of all, used or not."""

    numbers: "array[int]" = field(default_factory=lambda: array("Q"))

    def holes(self, first: int) -> Iterator[tuple[int, int]]:
        """The stretches that are missing from ``first`` on, up to the last that is there."""
        expected = first
        for number in self.numbers:
            if number > expected:
                yield expected, number - 1
            expected = max(expected, number + 1)

    @property
    def last(self) -> int:
        """The last line that is there."""
        return self.numbers[-1]


@dataclass(slots=True)
class Log:
    """The lines of a run, by writer, and how whole they are.

    Attributes:
        lines: the used lines of each writer, in its order, inside its piece.
        spans: for each writer, by incarnation, which of all its lines are there.
        torn: a sentence for each writer whose file ends in half a line;
            the key ``""`` stands for a file of several writers.
        clashes: (where, a sentence) for each pair of different lines of one name.
        strays: a sentence for each file named for a node that holds another's lines.
        early: where the log itself says how it begins: for each node the first line
            that stands before that, and yet is of an instance that is judged.
        unnamed: where the log itself says how it ends: the runner's first line that is
            of an instance that is not judged.
        line_count: how many lines were read, used or not.
        run: the runner's table, if there is one.
        files: where the lines came from.
    """

    lines: dict[str, list[Line]] = field(default_factory=dict)
    spans: dict[str, dict[int, Span]] = field(default_factory=dict)
    torn: dict[str, str] = field(default_factory=dict)
    clashes: list[tuple[str, Key, str]] = field(default_factory=list)
    strays: dict[str, str] = field(default_factory=dict)
    early: dict[str, str] = field(default_factory=dict)
    unnamed: Line | None = None
    line_count: int = 0
    run: Run | None = None
    files: tuple[Path, ...] = ()

    def without(self, events: Collection[str]) -> "Log":
        """The same log as if it had not been read with these events ``also``."""
        kept = {
            node: [line for line in lines if line["event"] not in events]
            for node, lines in self.lines.items()
        }
        clashes = [
            (node, key, reason)
            for node, key, reason in self.clashes
            if any(key_of(line) == key for line in kept.get(node, ()))
        ]
        lines = {node: own for node, own in kept.items() if own}
        return replace(self, lines=lines, clashes=clashes)

    def full(self, names: Iterable[str]) -> dict[str, Line]:
        """Whole lines by name, from the files again, if they came from files."""
        wanted = set(names)
        found: dict[str, Line] = {}
        for path in self.files if wanted else ():
            for _, raw in _raw_lines(path):
                # The cheap test first: most lines are of no interest here.
                try:
                    line = json.loads(raw)
                    name = line_id(line)
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue  # the torn last line, which load() has reported
                if name in wanted:
                    found.setdefault(name, line)
        return found


def load(*paths: str | Path, also: Collection[str] = ()) -> Log:
    """Read a run's folder, or one or more files of lines, merged or of one node each.

    Of a folder, every node's own file is read; ``events.jsonl`` only where
    there is none. ``run.json`` is taken from beside the lines.

    Args:
        paths: where.
        also: events of which lines are kept beside those that a rule can use.

    Raises:
        LogFormatError: a path is not there or holds no log; the text says
            which file and line, and what is wrong with it.
    """
    files = log_files(*paths)
    collector = _Collector(load_run(files), also)
    for file in files:
        collector.take_file(file)
    return collector.finish(tuple(files))


def collect(
    lines: Iterable[Line],
    run: Run | None = None,
    *,
    trusted: bool = False,
    also: Collection[str] = (),
) -> Log:
    """The log of lines that are in memory, in any order; none of them is changed.

    Args:
        lines: of all nodes and the runner.
        run: the runner's table, if there is one; else what the log says of itself.
        trusted: they are known to be of this format, and are not looked at.
        also: as for :func:`load`.

    Raises:
        LogFormatError: one of them is no line of this format.
    """
    known = list(lines)
    collector = _Collector(run or run_told(known), also)
    for number, line in enumerate(known, 1):
        try:
            collector.take(line if trusted else _checked(line))
        except ValueError as error:
            raise LogFormatError(f"line {number} of those given: {error}") from error
    return collector.finish(())


def whole_lines(files: Iterable[Path]) -> Iterator[Line]:
    """Every line of some files as it stands there, states included; a torn last one is left out.

    Raises:
        LogFormatError: the text says which file and line, and what is wrong with it.
    """
    for path in files:
        for number, raw in _raw_lines(path):
            try:
                yield decode(raw)
            except LogFormatError as error:
                if number > 1 and not raw.endswith(b"\n"):
                    continue
                raise LogFormatError(f"{path}:{number} is no line of a log: {error}") from error


def torn_ends(files: Iterable[Path]) -> dict[str, str]:
    """The files whose last line is torn: by the node whose own file it is, else by ``""``."""
    found: dict[str, str] = {}
    for path in files:
        number, raw = 0, b"\n"
        for number, raw in _raw_lines(path):  # noqa: B007 - the last one is what counts
            pass
        if number > 1 and not raw.endswith(b"\n"):
            try:
                decode(raw)
            except LogFormatError:
                owner = _NODE_FILE.fullmatch(path.name)
                found[owner[1] if owner else ""] = path.name
    return found


def log_files(*paths: str | Path) -> list[Path]:
    """The files that :func:`load` reads for these paths.

    Raises:
        LogFormatError: a path is not there or holds no log.
    """
    return [file for path in paths for file in _log_files(Path(path))]


def _log_files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.glob("*.jsonl"))
        own = [file for file in files if file.name not in {MERGED, HISTORY}]
        # The runner's lines alone are no log of nodes.
        if any(file.name != f"{ORCHESTRATOR}.jsonl" for file in own):
            return own
        chosen = [file for file in files if file.name == MERGED] or own
        if chosen:
            return chosen
        inner = sorted({found.parent.name for found in path.glob("*/*.jsonl")})
        hint = f"; choose one of the folders in it: {', '.join(inner[:5])}" if inner else ""
        raise LogFormatError(f"{path} holds no log (no .jsonl file){hint}")
    if not path.exists():
        raise LogFormatError(f"{path}: there is no such file or folder")
    return [path]


def load_run(files: Sequence[Path]) -> Run | None:
    """The runner's table beside some files, if there is one.

    Without one, what the log itself says (:func:`run_told`).

    Raises:
        LogFormatError: it is none, or there are several.
    """
    tables = {file.parent / TABLE for file in files}
    found = sorted(table for table in tables if table.is_file())
    if len(found) > 1:
        raise LogFormatError(
            f"these are logs of several runs ({found[0]} and {found[1]}): check them one by one"
        )
    for table in found:
        try:
            return Run.parse(json.loads(table.read_bytes()), str(table))
        except (ValueError, RecursionError) as error:
            if isinstance(error, LogFormatError):
                raise
            raise LogFormatError(f"{table} is no runner's table: {_why_no_json(error)}") from error
    return run_told(_lines_with(files, (STARTED.encode(), CLOSED.encode())))


def _why_no_json(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _lines_with(files: Iterable[Path], words: Collection[bytes]) -> Iterator[Line]:
    """The lines that may hold one of some words; what is no line is for the reader to find."""
    # JSON may spell any character so; most lines hold neither.
    parts = (*words, b"\\u00")
    for file in files:
        for _, raw in _raw_lines(file):
            if any(part in raw for part in parts):
                try:
                    yield decode(raw)
                except LogFormatError:
                    continue


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from enumerate(file, 1)


def _parse(raw: bytes, used: Collection[str]) -> Line:
    """Read a line; of one that is not used only the header is checked.

    Raises:
        LogFormatError: it is no line of this format.
    """
    try:
        line = _decoder.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return decode(raw)  # which says what is wrong
    if has_half_character(raw, line):
        return decode(raw)
    if isinstance(line, dict) and isinstance(line.get("event"), str):
        event = line["event"]
        if event in used:
            line.pop("before", None)
            line.pop("after", None)
        elif event in CATALOGUE["events"] and _has_header(line):
            return line
    return _checked(line)


def _checked(line: Any) -> Line:
    found = problems(line) or _more_problems(line)
    if found:
        raise LogFormatError("; ".join(found))
    checked: Line = line
    return checked


def _has_header(line: Line) -> bool:
    """Whether the header is as it must be; for the many lines that are only counted."""
    counts = (line.get("incarnation"), line.get("seq"))
    return (
        line.get("v") == SCHEMA_VERSION
        and isinstance(line.get("node"), str)
        and line["node"] in _WRITERS
        and KINDS["int"](line.get("at_ns"))
        and all(type(count) is int and 0 < count < TOO_LARGE for count in counts)
    )


class _Collector:
    """Sorts lines to their writers as they come."""

    def __init__(self, run: Run | None, also: Collection[str]) -> None:
        self._log = Log(run=run)
        self._used = USED.union(also)
        # Lines of no instance are used too.
        self._judged = None if run is None else {None, *run.instances.values()}
        self._first: dict[str, Key] = {}
        for node, pieces in run.pieces.items() if run is not None else ():
            # A node that was down all the time has no line in this run.
            self._first[node] = (
                key_at(pieces[0].incarnation, pieces[0].first) if pieces else key_at(1 << 40, 0)
            )

    def take_file(self, path: Path) -> None:
        owner = _NODE_FILE.fullmatch(path.name)
        for number, raw in _raw_lines(path):
            try:
                line = _parse(raw, self._used)
            except ValueError as error:
                # Half a line and nothing before it is another kind of file.
                if number > 1 and not raw.endswith(b"\n"):
                    self._take_torn(path, owner[1] if owner else "")
                    continue
                raise LogFormatError(f"{path}:{number} is no line of a log: {error}") from error
            if owner and line["node"] != owner[1]:
                self._log.strays.setdefault(
                    owner[1],
                    f"{path.name}:{number} is a line of {line['node']}, not of {owner[1]}",
                )
            for name in _INTERNED:
                if isinstance(line.get(name), str):
                    line[name] = intern(line[name])
            self.take(line)

    def _take_torn(self, path: Path, owner: str) -> None:
        self._log.torn[owner] = f"the last line of {path.name} is torn"

    def take(self, line: Line) -> None:
        node = intern(line["node"])
        if key_of(line) < self._first.get(node, 0):
            self._leave_out(line)
            return
        log = self._log
        log.line_count += 1
        spans = log.spans.setdefault(node, {})
        span = spans.get(line["incarnation"])
        if span is None:
            span = spans[line["incarnation"]] = Span()
        span.numbers.append(line["seq"])
        if not self._is_used(line):
            self._look_for_instance(line)
            return
        log.lines.setdefault(node, []).append(line)

    def _leave_out(self, line: Line) -> None:
        """A line from before the run; one of its own instances is not from before."""
        run = self._log.run
        if run is not None and run.is_told and line.get("instance") in run.instances.values():
            self._log.early.setdefault(line["node"], line_id(line))

    def _look_for_instance(self, line: Line) -> None:
        """A client's wish, or its answer, in an instance that the runner does not name."""
        run = self._log.run
        if run is None or run.told is None or run.told.closed is None:
            return
        if line["node"] != ORCHESTRATOR or line["event"] not in self._used:
            return
        known = self._log.unnamed
        begin = named(run.told.started)[1]
        if key_of(line) > begin and (known is None or key_of(line) < key_of(known)):
            self._log.unnamed = line

    def _is_used(self, line: Line) -> bool:
        if line["event"] not in self._used or line.get("record", "acceptor") != "acceptor":
            return False
        return self._judged is None or line.get("instance") in self._judged

    def finish(self, files: tuple[Path, ...]) -> Log:
        log = self._log
        log.files = files
        for node, lines in log.lines.items():
            lines.sort(key=key_of)
            log.lines[node] = self._distinct(node, lines)
        for spans in log.spans.values():
            for span in spans.values():
                span.numbers = array("Q", sorted(span.numbers))
        if log.run is not None and not log.run.is_told:
            for node, pieces in log.run.pieces.items():
                if pieces and node in log.spans:
                    self._trim(node, pieces[-1])
        return log

    def _trim(self, node: str, final: Piece) -> None:
        """Take away what a later run left in the same file.

        What stands unbroken behind the end that the runner named is kept: other
        nodes may have been seen for longer, and quote it. Of a start that
        followed an incarnation's end, what it recovered is kept.
        """
        log = self._log
        spans = log.spans[node]
        last = key_at(final.incarnation + 1, 0)
        if final.last is not None:
            span = spans.get(final.incarnation, Span())
            beyond = next((hole for hole, _ in span.holes(final.last + 1)), None)
            last = key_at(final.incarnation, beyond - 1) if beyond is not None else last
        else:
            following = min((number for number in spans if number > final.incarnation), default=0)
            for line in log.lines.get(node, []):
                if line["incarnation"] == following and line["event"] == "node_ready":
                    last = key_of(line)
        log.lines[node] = [line for line in log.lines.get(node, []) if key_of(line) <= last]
        for incarnation in list(spans):
            kept = [seq for seq in spans[incarnation].numbers if key_at(incarnation, seq) <= last]
            spans[incarnation].numbers = array("Q", kept)
            if not kept:
                del spans[incarnation]

    def _distinct(self, node: str, lines: list[Line]) -> list[Line]:
        """Without repeats; two different lines of one name are a clash."""
        kept: list[Line] = []
        for line in lines:
            if not kept or key_of(kept[-1]) != key_of(line):
                kept.append(line)
            elif kept[-1] != line:
                key = key_of(line)
                self._log.clashes.append(
                    (node, key, f"two different lines are named {name_at(node, key)}")
                )
        return kept


def _more_problems(line: Line) -> list[str]:
    """What the catalogue leaves open: sizes, and the items of a ``disk_read``."""
    if max(line["incarnation"], line["seq"]) >= TOO_LARGE:
        return ["incarnation or seq is too large to be a count"]
    for name in _NAMES:
        if len(line.get(name) or "") > _NAME_CHARACTERS:
            return [f"{line['event']}.{name} is too long to be a name or a ballot"]
    for name in _PAIRS:
        if len((line.get(name) or _NO_PAIR)["ballot"]) > _NAME_CHARACTERS:
            return [f"{line['event']}.{name}.ballot is too long to be a ballot"]
    return _disk_problems(line) if line["event"] == "disk_read" else []


def _disk_problems(line: Line) -> list[str]:
    """Each item of a ``disk_read`` must be a ``state_recovered`` without its header."""
    header = {name: line[name] for name in HEADER}
    for item in line["instances"]:
        if not isinstance(item, dict):
            return ["disk_read.instances is no list of objects"]
        recovered = {**item, **header, "event": "state_recovered"}
        found = problems(recovered) or _more_problems(recovered)
        if found:
            return [f"disk_read.instances: {'; '.join(found)}"]
    return []
