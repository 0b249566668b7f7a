"""Patterns over the lines of a log: what a step waits for and what must have happened.

A pattern names an event and conditions on its fields. A *sight* is a list of
patterns whose lines stand in this order; names bound by one are compared by
the next, so that "the ballot after the restart is above the one before it"
can be said in two lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paxos.events import Line, LogFormatError, ballot_key

Bindings = Mapping[str, Any]
"""What ``$names`` stand for, once a line has bound them."""


@dataclass(frozen=True, slots=True)
class Is:
    """The field is one of these. ``None`` fits one that is null or absent."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """The field is there and not null."""


@dataclass(frozen=True, slots=True)
class Named:
    """The field is what ``$name`` stands for; the first line that fits binds it."""

    name: str


@dataclass(frozen=True, slots=True)
class Above:
    """The field, a ballot or an integer, is above what ``$name`` stands for."""

    name: str


@dataclass(frozen=True, slots=True)
class Contains:
    """The field, a list or a text, contains this."""

    part: str


Condition = Is | Given | Named | Above | Contains


@dataclass(frozen=True, slots=True)
class Pattern:
    """Lines of one event whose fields meet every condition.

    Attributes:
        event: the event's name.
        conditions: by path (``accepted.value``), in the order of the file.
        count: how many such lines it takes.
        each: when given, they must differ in this field: "from three nodes".
        absent: the pattern is turned round: no such line may stand between
            the sight's line before it and the one behind it.
    """

    event: str
    conditions: tuple[tuple[str, Condition], ...] = ()
    count: int = 1
    each: str | None = None
    absent: bool = False


Sight = tuple[Pattern, ...]
"""Patterns whose lines follow one another; other lines may stand between them."""


@dataclass(slots=True)
class Lines:
    """The lines that a run has seen, in order, and quick to search by event.

    Only lines that speak of one of ``instances``, or of none, are kept:
    another run's may arrive late on a cluster that runs on.

    Attributes:
        instances: the scenario's names of instances and their numbers.
        all: every line kept.
    """

    instances: Mapping[str, int]
    all: list[Line] = field(default_factory=list)
    _by_event: dict[str, list[int]] = field(default_factory=dict)
    _numbers: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self._numbers = frozenset(self.instances.values())

    def extend(self, lines: Iterable[Line]) -> None:
        """Add lines behind those that are there."""
        for line in lines:
            instance = line.get("instance")
            if instance is None or instance in self._numbers:
                self._by_event.setdefault(line["event"], []).append(len(self.all))
                self.all.append(line)

    def find(self, sight: Sight, start: int = 0) -> tuple[Line, ...] | None:
        """The earliest lines that fit a sight, or ``None``.

        Args:
            sight: what is to be seen.
            start: how many lines, from the first, are not looked at.

        Returns:
            The lines of all its patterns in order; patterns that must be
            absent contribute none.
        """
        places = self._find(tuple(sight), start - 1, {}, set())
        return None if places is None else tuple(self.all[place] for place in places)

    def of(self, *events: str) -> list[Line]:
        """Every line of these events, in order."""
        places = [place for event in events for place in self._by_event.get(event, ())]
        return [self.all[place] for place in sorted(places)]

    def _find(
        self, sight: Sight, after: int, bound: Bindings, tried: set[Any]
    ) -> tuple[int, ...] | None:
        absent = _leading_absent(sight)
        rest = sight[len(absent) :]
        if not rest:
            unseen = not any(self._seen(p, after, len(self.all), bound) for p in absent)
            return () if unseen else None
        # Two ways to the same place with the same names bound end alike: this
        # bounds the search, which else could try every combination.
        key = (len(sight), after, tuple(sorted((k, str(v)) for k, v in bound.items())))
        if key in tried:
            return None
        tried.add(key)
        for places, names in self._matches(rest[0], after, bound):
            if any(self._seen(p, after, places[0], bound) for p in absent):
                return None
            further = self._find(rest[1:], places[-1], names, tried)
            if further is not None:
                return places + further
        return None

    def _matches(
        self, pattern: Pattern, after: int, bound: Bindings
    ) -> Iterator[tuple[tuple[int, ...], Bindings]]:
        candidates = [p for p in self._by_event.get(pattern.event, ()) if p > after]
        for start, place in enumerate(candidates):
            names = self._bind(pattern, self.all[place], bound)
            if names is None:
                continue
            places = [place]
            seen = {_key(self.all[place], pattern.each)}
            for other in candidates[start + 1 :]:
                if len(places) == pattern.count:
                    break
                more = self._bind(pattern, self.all[other], names)
                key = _key(self.all[other], pattern.each)
                if more is None or (pattern.each is not None and key in seen):
                    continue
                seen.add(key)
                places.append(other)
                names = more
            if len(places) == pattern.count:
                yield tuple(places), names

    def _seen(self, pattern: Pattern, after: int, before: int, bound: Bindings) -> bool:
        return any(
            after < place < before and self._bind(pattern, self.all[place], bound) is not None
            for place in self._by_event.get(pattern.event, ())
        )

    def _bind(self, pattern: Pattern, line: Line, bound: Bindings) -> Bindings | None:
        """The names bound once the line is taken, or ``None`` when it doesn't fit."""
        names = bound
        for path, condition in pattern.conditions:
            found = look(line, path)
            if path == "instance" and isinstance(condition, Is):
                # A file speaks of instances by name; the run knows their numbers.
                if found not in {self.instances.get(value, value) for value in condition.values}:
                    return None
            elif isinstance(condition, Named) and condition.name not in names:
                if found is None:
                    return None
                names = {**names, condition.name: found}
            elif not _meets(condition, found, names):
                return None
        return names


def look(line: Any, path: str) -> Any:
    """The field at a path of names joined by dots; ``None`` when it is not there."""
    for name in path.split("."):
        if not isinstance(line, dict) or name not in line:
            return None
        line = line[name]
    return line


def _leading_absent(sight: Sight) -> Sight:
    count = next((i for i, pattern in enumerate(sight) if not pattern.absent), len(sight))
    return sight[:count]


def _key(line: Line, path: str | None) -> str:
    return "" if path is None else str(look(line, path))


def _meets(condition: Condition, found: Any, names: Bindings) -> bool:
    match condition:
        case Is(values):
            return any(type(found) is type(value) and found == value for value in values)
        case Given():
            return found is not None
        case Named(name):
            return bool(found == names[name])
        case Above(name):
            return name in names and _above(found, names[name])
        case Contains(part):
            return isinstance(found, str | list) and part in found


def _above(found: Any, other: Any) -> bool:
    if isinstance(found, int) and isinstance(other, int):
        return found > other
    try:
        return ballot_key(found) > ballot_key(other)
    except (LogFormatError, TypeError):
        return False


def sentence(sight: Sequence[Pattern]) -> str:
    """A sight in words, for a step that waited in vain: ``nack_sent (node n2) x 3``."""
    parts = []
    for pattern in sight:
        fields = ", ".join(f"{path} {_words(condition)}" for path, condition in pattern.conditions)
        text = pattern.event + (f" ({fields})" if fields else "")
        if pattern.count > 1:
            text += f" x {pattern.count}"
        parts.append("no " + text if pattern.absent else text)
    return ", then ".join(parts)


def _words(condition: Condition) -> str:
    match condition:
        case Is(values):
            return " or ".join("none" if value is None else str(value) for value in values)
        case Given():
            return "given"
        case Named(name):
            return f"${name}"
        case Above(name):
            return f"above ${name}"
        case Contains(part):
            return f"with {part}"
