"""What is told of a broken variant: what changed, where it was seen, and docs/variants.md."""

import ast
import difflib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Final

from paxos.protocol import ROLES, Roles, Settings
from paxos.variants import GROUPS, LIVENESS, TOLD, VARIANTS, InMessages, Size, Variant

_CONTEXT: Final = 100
"""Rows of a diff around a change: all that a handler has."""
_COMMAND: Final = "paxos-lab variants --docs > docs/variants.md"

Handler = Callable[..., object] | property

_NONE: Final = "-"

_OPENING: Final = """\
{count} protocols that are wrong, each by one small change, with the real bug behind it.
They show what each rule prevents, and that checker, explorer and simulator find it.
`make variants` tries all of them and fails if one survives.
`paxos-lab variant NAME` tells the story of one, and plays its shortest schedule.

*Breaks first* is the rule that the checker reports first from a log.
*Whole nodes* is the smallest model of the explorer that shows it (nodes / that propose / values / ballots, and where there are any / crashes / faults of a disk), and the steps to it: an input with all of its effects is one step, and so is a crash.
*Two values* is one in which it finds two values chosen, or learned, and the steps to that; a dash where that is not within its reach.
*Messages* is its other model, that of `Paxos.tla`: acceptors / values / ballots, the rule that breaks first there and the steps to it, and the steps to two values chosen, or learned.
It has no disk, so what forgets at a restart breaks R6 over a log, and the rule named there later.
*Safe at* is how many ballots still keep agreement there.
*Seeds* is within how many seeds of `paxos-lab fuzz` it is found.
What is marked *{told}* was not looked up where it happened.
"""


def diff(variant: Variant) -> list[str]:
    """What changed, as lines of a unified diff of the handler, without docstrings and comments."""
    rows: list[str] = []
    for change in changes(variant):
        rows += _diff(*change.rows)
    return rows


def bounds(size: Size) -> str:
    """A size in words."""
    parts = [
        f"{size.nodes} nodes",
        f"{size.proposing} proposing",
        _count(size.values, "value"),
        _count(size.ballots, "ballot"),
    ]
    if size.crashes:
        parts.append(_count(size.crashes, "crash", "es"))
    if size.disk_faults:
        parts.append(f"{_count(size.disk_faults, 'fault')} of a disk")
    return ", ".join(parts)


def smallest(variant: Variant) -> list[str]:
    """Sentences: where it shows, and where it does not show yet."""
    told = []
    if variant.exposed_by is None:
        told.append(
            "No finite schedule shows it: something good stays away for ever."
            if variant.breaks == LIVENESS
            else "Whole nodes: not within reach of the explorer, the shortest schedule is too long."
        )
    elif variant.breaks == LIVENESS:
        told.append(f"Whole nodes: {bounds(variant.exposed_by)}: no schedule chooses a value.")
    else:
        told.append(f"Whole nodes: {bounds(variant.exposed_by)}; {_count(variant.steps, 'step')}.")
    if variant.two_values_at is not None:
        told.append(
            f"Two values: {bounds(variant.two_values_at)}; "
            f"{_count(variant.two_values_steps, 'step')}."
        )
    found = variant.in_messages
    if found is not None:
        told.append(
            f"Messages alone: {_bounds_of_messages(found)}; "
            f"{found.rule} after {_count(found.steps, 'step')}"
            + (
                "."
                if found.two_values_steps is None
                else f", two values after {found.two_values_steps}."
            )
        )
        if found.safe_ballots > 1:
            told.append(
                f"With {found.safe_ballots} ballots, whatever the schedule, at most one value is "
                "chosen: a bound is a bound."
            )
    return told


def _bounds_of_messages(found: InMessages) -> str:
    ballots = _count(found.ballots, "ballot")
    return f"{found.acceptors} acceptors, {found.values} values, {ballots}"


def markdown() -> str:
    """docs/variants.md."""
    rows = [
        "# Broken variants",
        "",
        f"<!-- Made by `{_COMMAND}`; a test keeps it true. -->",
        "",
        _OPENING.format(count=len(VARIANTS), told=TOLD[1:-1]),
        "| Variant | Breaks first | Whole nodes | Two values | Messages | Safe at | Seeds | Seen in |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(variant) for variant in VARIANTS.values()),
    ]
    for title, group in GROUPS.items():
        rows += ["", f"## Broken {title}"]
        for variant in group:
            rows += ["", *_section(variant)]
    return "\n".join(rows) + "\n"


def _row(variant: Variant) -> str:
    nodes = messages = safe = _NONE
    if variant.exposed_by is not None:
        steps = "never chosen" if variant.breaks == LIVENESS else variant.steps
        nodes = f"{_figures(variant.exposed_by)}: {steps}"
    two = _NONE
    if variant.two_values_at is not None:
        two = f"{_figures(variant.two_values_at)}: {variant.two_values_steps}"
    found = variant.in_messages
    if found is not None:
        size = f"{found.acceptors}/{found.values}/{found.ballots}"
        messages = f"{size}: {found.rule} {found.steps}, {found.two_values_steps or _NONE}"
        safe = str(found.safe_ballots or _NONE)
    return (
        f"| [{variant.name}](#{variant.name}) | {variant.breaks} | {nodes} | {two} | {messages} "
        f"| {safe} | {variant.seeds} | {variant.seen_in} |"
    )


def _section(variant: Variant) -> list[str]:
    return [
        f"### {variant.name}",
        "",
        variant.change,
        f"It takes away: *{variant.insight}*.",
        "",
        f"Seen in {variant.seen_in}. {variant.story}",
        "",
        *smallest(variant),
        "",
        "```diff",
        *diff(variant),
        "```",
    ]


def _figures(size: Size) -> str:
    figures = [size.nodes, size.proposing, size.values, size.ballots]
    if size.crashes or size.disk_faults:
        figures += [size.crashes, size.disk_faults]
    return "/".join(map(str, figures))


def _count(number: int | None, word: str, ending: str = "s") -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}{ending}"


# --- the diff -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a variant changes, and what stands there in the correct protocol.

    Attributes:
        name: the handler's, or the setting's.
        owner: the class that the broken handler stands in; ``None`` for a plain function
            and for a setting.
        broken: the handler; ``None`` for a setting.
        correct: what it replaces; ``None`` where there is nothing, or only a default.
        rows: what was there and what is there instead, as lines of source without
            docstrings and comments.
    """

    name: str
    owner: type | None
    broken: Handler | None
    correct: Handler | None
    rows: tuple[list[str], list[str]]


def changes(variant: Variant) -> Iterator[Change]:
    """All that a variant changes, in the order in which it is told."""
    for part in fields(Roles):
        broken, correct = getattr(variant.roles, part.name), getattr(ROLES, part.name)
        if broken is correct:
            continue
        if isinstance(broken, type):
            for name, member in vars(broken).items():
                if callable(member) or isinstance(member, property):
                    was = inspect.getattr_static(correct, name)
                    yield Change(name, broken, member, was, (_source(was), _source(member)))
        else:
            rows = _source_of_default(part.name), _source(broken)
            yield Change(part.name, None, broken, None, rows)
    if variant.shown is not None:
        before, now = variant.shown
        rows = ([] if before is None else _source(before)), _source(now)
        yield Change(now.__name__, _owner(now), now, before, rows)
    for name, value in variant.settings.items():
        rows = [f"{name} = {getattr(Settings(), name)}"], [f"{name} = {value}"]
        yield Change(name, None, None, None, rows)


def _owner(function: Callable[..., object]) -> type | None:
    """The class that a function stands in, if it stands in one."""
    name, _, inner = function.__qualname__.rpartition(".")
    found = vars(sys.modules[function.__module__]).get(name) if inner and name else None
    return found if isinstance(found, type) else None


def _source(thing: Handler) -> list[str]:
    """The source of a function, without its docstring and comments."""
    function = thing.fget if isinstance(thing, property) else thing
    assert function is not None, "a property can be read"
    rows = textwrap.dedent(inspect.getsource(function)).splitlines()
    definition = ast.parse("\n".join(rows)).body[0]
    assert isinstance(definition, ast.FunctionDef), "a handler is a function"
    first = definition.body[0]
    if ast.get_docstring(definition) is not None:
        del rows[first.lineno - 1 : first.end_lineno]
    rows = [row for row in rows if not row.lstrip().startswith("#")]
    # A role's own module must quote its name where it stands for a type.
    return [re.sub(r'tuple\["(\w+)"', r"tuple[\1", row) for row in rows]


def _source_of_default(name: str) -> list[str]:
    """The line of ``Roles`` that says what happens if nothing is broken."""
    rows = inspect.getsource(Roles).splitlines()
    return [row.strip() for row in rows if row.strip().startswith(f"{name}:")][-1:]


def _diff(correct: list[str], broken: list[str]) -> list[str]:
    if any("super()." in row for row in broken):
        # It stands around the correct one, and takes nothing away from it.
        correct = []
    rows = list(difflib.unified_diff(correct, broken, lineterm="", n=_CONTEXT))[2:]
    return [row for row in rows if not row.startswith("@@")]
