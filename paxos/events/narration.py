"""Sentences for lines, from the catalogue that the page reads too.

A template is chosen by the first ``when`` whose every entry fits the line: a
path of field names joined by dots against a literal, against ``null`` (the
field is null or absent) or against ``"*"`` (it is neither). In the text,
``{path}`` stands for a field. ``web/log/narration.js`` does the same; one set of
fixtures in ``tests/`` holds both to the same sentences.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from paxos.events.lines import CATALOGUE, Line, node_key

_HOLE: Final = re.compile(r"\{([a-z_.]+)\}")
# Values are quoted wherever they appear: they come from strangers, and a
# sentence must not be able to pass for one of ours.
_QUOTED: Final = frozenset({"value", "wanted"})


def level_of(line: Line) -> str:
    """How much a line matters to someone who watches: ``story``, ``detail`` or ``quiet``.

    It is the event's, unless the chosen sentence has one of its own.
    """
    level: str = _choice(line).get("level", CATALOGUE["events"][line["event"]]["level"])
    return level


def narrate(line: Line) -> str:
    """The sentence of one line, in plain words and without markup."""
    return _HOLE.sub(lambda hole: show(hole[1], _at(line, hole[1])), _choice(line)["text"])


def show(path: str, field: Any) -> str:
    """A field as it stands in a sentence; ``path`` tells whether it is a value."""
    if field is None:
        return "nothing"
    if path.rsplit(".", 1)[-1] in _QUOTED:
        if isinstance(field, dict) and {"bytes", "sha256"} <= field.keys():
            return f"a value of {field['bytes']} bytes (sha256 {str(field['sha256'])[:8]}…)"
        # A quote within must not be able to end the quotation. A log that anybody may
        # have written can hold anything here, as deep in a state as no schema reaches.
        return "'" + _printable(str(field).replace("\\", "\\\\").replace("'", "\\'")) + "'"
    if field == []:
        return "nobody"
    if isinstance(field, list):
        names = [str(name) for name in field]
        return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return _printable(str(field))


def _printable(text: str) -> str:
    """The text on one line, and harmless to a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Neighbouring lines that differ only in whom they speak of, as one sentence.

    ``lines`` are in the order of the log. ``text`` is :func:`narrate` with
    the differing field (the catalogue's ``bundle``) joined.
    """

    lines: tuple[Line, ...]
    text: str


def bundled(lines: Iterable[Line]) -> Iterator[Bundle]:
    """Join neighbouring lines of one fan-out (five ``prepare_sent``) to one sentence."""
    run: list[Line] = []
    for line in lines:
        if run and not _same_fan_out(run[-1], line):
            yield _bundle(run)
            run = []
        run.append(line)
    if run:
        yield _bundle(run)


def _same_fan_out(one: Line, other: Line) -> bool:
    field = CATALOGUE["events"][one["event"]].get("bundle")
    if field is None or one["event"] != other["event"]:
        return False
    # A fan-out goes up the node ids; whoever comes again begins another one.
    if node_key(one[field]) >= node_key(other[field]):
        return False
    # `message` names the single line that each of them is about.
    own = {field, "seq", "at_ns", "message"}
    return {k: v for k, v in one.items() if k not in own} == {
        k: v for k, v in other.items() if k not in own
    }


def _choice(line: Line) -> dict[str, Any]:
    choices: list[dict[str, Any]] = CATALOGUE["events"][line["event"]]["say"]
    for choice in choices:
        if all(_fits(_at(line, path), want) for path, want in choice.get("when", {}).items()):
            return choice
    raise AssertionError(f"{line['event']} has no sentence without a condition")


def _bundle(run: list[Line]) -> Bundle:
    if len(run) == 1:
        return Bundle((run[0],), narrate(run[0]))
    field = CATALOGUE["events"][run[0]["event"]]["bundle"]
    joined = dict(run[0])
    joined[field] = [line[field] for line in run]
    return Bundle(tuple(run), narrate(joined))


def _at(line: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(line, dict) or name not in line:
            return None
        line = line[name]
    return line


def _fits(field: Any, want: Any) -> bool:
    if want == "*":
        return field is not None
    return type(field) is type(want) and field == want
