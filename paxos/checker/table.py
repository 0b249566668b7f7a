"""What a run says of itself: the runner's table, in a file or in lines of the log.

``run.json`` is written when a run has ended. A log that is handed on alone says
the same in two of its lines: ``run_started``, which cannot know where the logs
of the nodes end, and ``log_closed``, which can. What both say must agree. Where
the logs end ``log_closed`` alone says, so that is as good as whoever handed it on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from paxos.checker.order import Key, key_at, name_at
from paxos.events import Line, LogFormatError, line_id, node_key, problems

TABLE: Final = "run.json"
STARTED: Final = "run_started"
CLOSED: Final = "log_closed"

TOO_LARGE: Final = 1 << 40
"""Numbers of incarnations and lines from this one on are no log's."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one incarnation's lines; ``last`` is ``None`` if it ended meanwhile."""

    incarnation: int
    first: int
    last: int | None

    @property
    def begin(self) -> Key:
        """Where its first line stands."""
        return key_at(self.incarnation, self.first)


@dataclass(frozen=True, slots=True)
class Told:
    """What the log's own lines say beside the table.

    Attributes:
        started: the line that says where the logs begin.
        closed: the line that says where they end; ``None`` where none does.
        pieces: by the latter, the lines of each node by incarnation, all with their last.
        complaints: a sentence for each thing in which the two disagree.
    """

    started: str
    closed: str | None
    pieces: Mapping[str, tuple[Piece, ...]]
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The runner's table, ``run.json``.

    Attributes:
        run, scenario, title, world: what was played, and where.
        members: the acceptors.
        instances: the run's instances, by the scenario's names.
        pieces: the stretches of each node's log that belong to the run.
        settings: with which settings each node began it; no rule uses them.
        variant: the broken variant that ran; no rule uses it.
        told: where lines of the log say all this, and no file: what else they say.
            Then each node has one piece, where its log begins, without an end.
    """

    run: str
    scenario: str
    title: str
    world: str
    members: tuple[str, ...]
    instances: Mapping[str, int]
    pieces: Mapping[str, tuple[Piece, ...]]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variant: str | None = None
    told: Told | None = None

    @property
    def is_told(self) -> bool:
        """Whether lines of the log say all this, and no file."""
        return self.told is not None

    @classmethod
    def parse(cls, table: object, where: str = TABLE) -> "Run":
        """Read a table.

        Raises:
            LogFormatError: something is missing or of the wrong kind.
        """
        try:
            return cls._parse(table)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise LogFormatError(f"{where} is no runner's table: {what}") from error

    @classmethod
    def _parse(cls, table: Any) -> "Run":
        members = table["members"]
        if not isinstance(members, list | tuple):
            raise TypeError("its members are no list")
        for node in members:
            if not isinstance(node, str) or not node_key(node):
                raise ValueError(f"{node!r:.80} is no member")
        variant = table.get("variant")
        return cls(
            run=str(table.get("run", "")),
            scenario=str(table.get("scenario", "")),
            title=str(table.get("title", "")),
            world=str(table.get("world", "")),
            members=tuple(sorted(members, key=node_key)),
            instances=_instances(table["instances"]),
            pieces={node: _pieces(node, listed) for node, listed in table["pieces"].items()},
            settings={node: dict(known) for node, known in table.get("settings", {}).items()},
            variant=None if variant is None else str(variant),
        )


def run_told(lines: Iterable[Any]) -> Run | None:
    """The table of the run as the log's own lines say it.

    Args:
        lines: whatever may be lines of a log; ``run_started`` and ``log_closed`` are looked at.

    Returns:
        ``None`` where no line says where the nodes' logs begin, as in older
        logs, or where several runs began.

    Raises:
        LogFormatError: a line says it wrongly.
    """
    found: dict[str, list[Line]] = {STARTED: [], CLOSED: []}
    for line in lines:
        if not isinstance(line, dict) or not isinstance(line.get("event"), str):
            continue
        known = found.get(line["event"])
        if known is not None and line not in known and not problems(line):
            known.append(line)
    if len(found[STARTED]) != 1 or "begins" not in found[STARTED][0]:
        return None
    return _run_of(found[STARTED][0], found[CLOSED])


def _run_of(started: Line, closings: list[Line]) -> Run:
    begins, where = started["begins"], line_id(started)
    try:
        pieces = {node: [_begin(node, name)] for node, name in begins.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise LogFormatError(f"{where} names no lines by which logs begin") from error
    run = Run.parse({**started, "pieces": pieces}, where)
    if not closings:
        return replace(run, told=Told(where, None, {}, ()))
    closed = line_id(closings[0])
    if len(closings) > 1:
        what = f"{closed} and {line_id(closings[1])} both close this log"
        return replace(run, told=Told(where, None, {}, (what,)))
    try:
        instances = _instances(closings[0]["instances"])
        ended = {node: _with_ends(node, its) for node, its in closings[0]["pieces"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LogFormatError(f"{closed} names no lines by which logs end: {error}") from error
    complaints = tuple(_complaints(run, where, closed, instances, ended))
    # A run may begin further instances, which the first line cannot know.
    known = {**run.instances, **instances}
    return replace(run, instances=known, told=Told(where, closed, ended, complaints))


def _complaints(
    run: Run,
    where: str,
    closed: str,
    instances: Mapping[str, int],
    ended: Mapping[str, tuple[Piece, ...]],
) -> Iterator[str]:
    """In what the first line and the closing one disagree."""
    if not run.instances.items() <= instances.items():
        yield f"{where} and {closed} name different instances"
    if not set(ended) == set(run.members) == set(run.pieces):
        yield f"{where} and {closed} name different nodes"
    for node, (first, *_) in ended.items():
        begin = next(iter(run.pieces.get(node, ())), None)
        if begin is not None and begin.begin != first.begin:
            yield (
                f"{where} says that the log of {node} begins with "
                f"{name_at(node, begin.begin)}, and {closed} that it begins with "
                f"{name_at(node, first.begin)}"
            )


def _instances(listed: Any) -> dict[str, int]:
    for name, number in listed.items():
        if not _is_count(number):
            raise ValueError(f"instance {name} is no number from 1: {number!r}")
    return dict(listed)


def _pieces(node: str, listed: Any) -> tuple[Piece, ...]:
    """The pieces of a node's log, as a table has them, in order."""
    found = []
    for piece in listed:
        numbers = [piece["incarnation"], piece["first"]]
        if piece["last"] is not None:
            numbers.append(piece["last"])
        if not all(_is_count(number) for number in numbers):
            raise ValueError(f"no piece of {node}'s log: {piece!r}")
        found.append(Piece(piece["incarnation"], piece["first"], piece["last"]))
    return tuple(sorted(found, key=lambda piece: piece.incarnation))


def _with_ends(node: str, listed: Any) -> tuple[Piece, ...]:
    """At least one piece, and each with its last line."""
    pieces = _pieces(node, listed)
    if not pieces or any(piece.last is None for piece in pieces):
        raise ValueError(f"{node}'s log has no end")
    return pieces


def _begin(node: str, name: str) -> dict[str, int | None]:
    """A piece, as a table has it, that begins with the line of this name."""
    node_key(node)
    writer, incarnation, first = name.split("/")
    numbers = int(incarnation), int(first)
    if writer != node or max(numbers) >= TOO_LARGE:
        raise ValueError(f"no line of {node}: {name}")
    return {"incarnation": numbers[0], "first": numbers[1], "last": None}


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number < TOO_LARGE
