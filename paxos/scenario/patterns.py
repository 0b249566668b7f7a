"""Patterns as they stand in a file, held against the catalogue of events."""

from typing import Any

from paxos.events import CATALOGUE, HEADER
from paxos.scenario.pattern import (
    Above,
    Condition,
    Contains,
    Given,
    Is,
    Named,
    Pattern,
    Sight,
)
from paxos.scenario.reading import Node, ScenarioError

_OWN = ("event", "count", "each")


def read_sight(node: Node, instances: tuple[str, ...]) -> Sight:
    """One pattern, or a list of patterns whose lines follow one another.

    Raises:
        ScenarioError: it is none; the path leads to what is wrong.
    """
    entries = list(node.items()) if isinstance(node.data, list) else [node]
    patterns = tuple(_read_entry(entry, instances) for entry in entries)
    if not any(not pattern.absent for pattern in patterns):
        raise node.error("this needs at least one line that is to be seen")
    bound: set[str] = set()
    for entry, pattern in zip(entries, patterns, strict=True):
        names = {c.name for _, c in pattern.conditions if isinstance(c, Named)}
        for path, condition in pattern.conditions:
            if isinstance(condition, Above) and condition.name not in bound:
                raise ScenarioError((*entry.path, path), f"no earlier line binds ${condition.name}")
        bound |= names
    return patterns


def _read_entry(node: Node, instances: tuple[str, ...]) -> Pattern:
    if isinstance(node.data, dict) and "absent" in node.data:
        fields = node.fields("absent")
        return _read_pattern(fields["absent"], instances, absent=True)
    return _read_pattern(node, instances, absent=False)


def _read_pattern(node: Node, instances: tuple[str, ...], *, absent: bool) -> Pattern:
    if not isinstance(node.data, dict):
        raise node.error("a line is described by a mapping with `event` and its fields")
    event = Node(node.data.get("event"), (*node.path, "event")).text()
    entry = CATALOGUE["events"].get(event)
    if entry is None:
        raise ScenarioError((*node.path, "event"), f"no such event: {event!r}")
    known = {name.removesuffix("?") for name in entry["fields"]} | set(HEADER)
    conditions: list[tuple[str, Condition]] = []
    for path, data in node.data.items():
        if path in _OWN:
            continue
        place = Node(data, (*node.path, str(path)))
        if str(path).split(".", 1)[0] not in known:
            raise place.error(f"{event} has no field {path!r}; it has {', '.join(sorted(known))}")
        if path == "instance" and data not in instances:
            raise place.error(f"{data!r} is none of the instances: {', '.join(instances)}")
        conditions.append((str(path), _read_condition(place)))
    count, each = 1, None
    if "count" in node.data:
        count = Node(node.data["count"], (*node.path, "count")).whole(1, 10_000)
    if "each" in node.data:
        each = Node(node.data["each"], (*node.path, "each")).text()
        if each.split(".", 1)[0] not in known:
            raise ScenarioError((*node.path, "each"), f"{event} has no field {each!r}")
    return Pattern(event, tuple(conditions), count, each, absent)


def _read_condition(node: Node) -> Condition:
    data: Any = node.data
    if isinstance(data, dict):
        fields = node.fields("above", "contains")
        if "above" in fields:
            return Above(_variable(fields["above"]))
        return Contains(fields["contains"].text())
    if isinstance(data, list):
        values = tuple(entry.data for entry in node.items())
        if not values or any(isinstance(value, dict) for value in values):
            raise node.error("a list here names the values that fit")
        return Is(values)
    if data == "*":
        return Given()
    if isinstance(data, str) and data.startswith("$"):
        return Named(_variable(node))
    return Is((data,))


def _variable(node: Node) -> str:
    text = node.text()
    if not text.startswith("$") or not text[1:].isidentifier():
        raise node.error(f"{text!r} is no $name")
    return text[1:]
