"""Which moment of which run is meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from paxos.checker import Run, Verdict, check_lines, merge, run_told
from paxos.events import Line, LogFormatError, line_id, node_key
from paxos.whatif.missing import missing_lines

END: Final = "end"
CHOSEN: Final = "chosen"
_MOST_DIGITS: Final = 18


class WhatIfError(Exception):
    """The question cannot be asked; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of a run, with all that happened up to it.

    Attributes:
        at: the line.
        before: the merged lines up to it, it included.
        after: those behind it; only what they tell of the past is looked at.
        run: the runner's table, or what the log says of itself, if there is one.
        instance: the number of the instance in question.
        members: the acceptors, by name.
        verdict: what the rules say of the lines up to it.
        missing: sentences: which lines of what happened up to it are not there.
    """

    at: Line
    before: tuple[Line, ...]
    after: tuple[Line, ...]
    run: Run | None
    instance: int
    members: tuple[str, ...]
    verdict: Verdict
    missing: tuple[str, ...]

    @property
    def name(self) -> str:
        """The line's name."""
        return line_id(self.at)


def find_moment(
    lines: Iterable[Line],
    at: str | int,
    run: Mapping[str, Any] | None = None,
    instance: int | str | None = None,
) -> Moment:
    """Find the moment that is meant.

    Args:
        lines: of all nodes and the runner, in any order.
        at: a line's name; how many lines of the merged log have happened; ``chosen``
            for the moment of the first choice; ``end``.
        run: the content of ``run.json``, if there is one.
        instance: its number, or its name in the scenario; needed only where
            the line itself is of none and the run has several.

    Raises:
        WhatIfError: there is no such moment.
    """
    try:
        given = None if run is None else Run.parse(run)
    except LogFormatError as error:
        raise WhatIfError(str(error)) from error
    try:
        merged = merge(lines)
        table = run_told(merged) if given is None else given
        known = check_lines(merged, run)
    except (LogFormatError, KeyError, TypeError, ValueError) as error:
        raise WhatIfError(f"that is no log: {error}") from error
    if not merged:
        raise WhatIfError("the log is empty")
    if not known.members:
        raise WhatIfError("no line says who the members are, so nobody knows what a quorum is")
    number = _instance(known, table, instance)
    place = _place(merged, at, known, number)
    if number is None:
        number = merged[place].get("instance", 0)
        if number not in known.chosen:
            raise WhatIfError(f"say which instance: the run has {_listed(known)}")
    assert number is not None, "it was given, or the line is of one"
    before = tuple(merged[: place + 1])
    return Moment(
        at=merged[place],
        before=before,
        after=tuple(merged[place + 1 :]),
        run=table,
        instance=number,
        members=tuple(sorted(known.members, key=node_key)),
        verdict=check_lines(before, run, trusted=True),
        missing=missing_lines(merged, place, table, known),
    )


def variant_of(lines: Iterable[Line], run: Mapping[str, Any] | None) -> str | None:
    """The broken variant that ran, as the table, the runner or the nodes say; ``None`` for none."""
    if run is not None and run.get("variant"):
        return str(run["variant"])
    for line in lines:
        if line["event"] in {"run_started", "node_started"} and line.get("variant") is not None:
            return str(line["variant"])
    return None


def _listed(known: Verdict) -> str:
    names = known.names or {}
    shown = [f"{number} ({names[number]})" if number in names else str(number)
             for number in known.chosen]  # fmt: skip
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")


def _instance(known: Verdict, run: Run | None, wanted: int | str | None) -> int | None:
    """The number that is meant; ``None`` where only the line can tell."""
    if wanted is None:
        return next(iter(known.chosen)) if len(known.chosen) == 1 else None
    number = wanted
    if isinstance(wanted, str):
        names = run.instances if run is not None else {}
        number = names.get(wanted, int(wanted) if _is_number(wanted) else 0)
    if number not in known.chosen:
        raise WhatIfError(f"there is no instance {wanted}; the run has {_listed(known)}")
    return int(number)


def _is_number(text: str) -> bool:
    """Whether this is a number of a size that a log can hold."""
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def _place(merged: list[Line], at: str | int, known: Verdict, instance: int | None) -> int:
    if at == END:
        return len(merged) - 1
    if at == CHOSEN:
        return _place_of_choice(merged, known, instance)
    if isinstance(at, int) or _is_number(at):
        count = int(at)
        if not 1 <= count <= len(merged):
            raise WhatIfError(f"there is no line {count}: the log has {len(merged):,}")
        return count - 1
    for place, line in enumerate(merged):
        if line_id(line) == at:
            return place
    raise WhatIfError(
        f"there is no line {at!r} in the log; give a line's name (n1/1/20), its number, "
        f"`{CHOSEN}` or `{END}`"
    )


def _place_of_choice(merged: list[Line], known: Verdict, instance: int | None) -> int:
    moments = [
        line_id(chosen.moment)
        for number, chosen in known.chosen.items()
        if chosen is not None and instance in {None, number}
    ]
    if not moments:
        raise WhatIfError("no value is chosen in this log")
    return min(place for place, line in enumerate(merged) if line_id(line) in moments)
