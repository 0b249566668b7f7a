"""The steps of a scenario as they stand in a file: one verb each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from paxos.events import LogFormatError, ballot_key
from paxos.scenario.model import (
    CARRIED,
    DISK_FAULTS,
    FAILPOINTS,
    MESSAGE_KINDS,
    NO_PAIR,
    TIMERS,
    Action,
    Await,
    Command,
    Configure,
    Cut,
    Deliver,
    DiskFault,
    Exits,
    Failpoint,
    Fire,
    GateRule,
    Heal,
    Learned,
    Measure,
    Propose,
    Refuses,
    Release,
    Step,
    Wait,
)
from paxos.scenario.patterns import read_sight
from paxos.scenario.reading import Fields, Node, ScenarioError

SCHEMES: Final = ("rounds", "interleaved", "ranges")
_MOST_MS: Final = 600_000
_MOST_COPIES: Final = 9
_BY_HAND: Final = ("deliver", "fire")
_BY_ITSELF: Final = (
    "hold",
    "release",
    "drop",
    "delay",
    "duplicate",
    "reorder",
    "cut_one_way",
    "partition",
    "isolate",
    "cut",
    "heal",
    "measure",
)
"""What has nothing to act on where every message waits for a hand."""


@dataclass(frozen=True, slots=True)
class Names:
    """The nodes and instances that a file may speak of, and whether it delivers by hand."""

    members: tuple[str, ...]
    instances: tuple[str, ...]
    manual: bool = False

    def node(self, node: Node) -> str:
        """The name of one node.

        Raises:
            ScenarioError: there is no such node.
        """
        return node.text(among=self.members)

    def nodes(self, fields: Fields, name: str) -> tuple[str, ...]:
        """The names of several nodes; ``all`` and a missing field are no names."""
        if name not in fields or fields[name].data == "all":
            return ()
        return fields[name].texts(among=self.members)

    def instance(self, fields: Fields) -> str:
        """The instance that is named, or the first one."""
        if "instance" not in fields:
            return self.instances[0]
        return fields["instance"].text(among=self.instances)


@dataclass(slots=True)
class _Seen:
    """What the steps so far have begun, so that later ones may speak of it."""

    operations: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)


def read_steps(node: Node, names: Names) -> tuple[Step, ...]:
    """Read a list of steps; one that repeats others becomes that many of them.

    Raises:
        ScenarioError: a step has no verb or two, uses it wrongly, or speaks of
            what no step before it began.
    """
    steps = tuple(_read_list(node, names, _Seen()))
    if not steps:
        raise node.error("a scenario has at least one step")
    return steps


def read_step(data: object, names: Names) -> Step:
    """Read one step by itself: a command given by hand.

    Whether a fault or an operation that it names exists is not looked at: who
    carries it out knows what is in force.

    Args:
        data: the step as plain data, ``{"kill": "n1"}``.
        names: what it may speak of.

    Raises:
        ScenarioError: it has no verb or two, or uses it wrongly.
    """
    try:
        return _read_step(Node(data), names)
    except ScenarioError as error:
        raise ScenarioError(error.path or ("the step",), error.reason) from error


def _read_list(node: Node, names: Names, seen: _Seen) -> Iterator[Step]:
    for entry in node.items():
        if isinstance(entry.data, Mapping) and "repeat" in entry.data:
            yield from _read_repeat(entry, names, seen)
            continue
        step = _read_step(entry, names)
        _check_references(entry, step.action, seen)
        yield step


def _read_repeat(node: Node, names: Names, seen: _Seen) -> Iterator[Step]:
    fields = node.fields("say", "repeat")
    repeat = fields["repeat"].fields("times", "steps")
    say = fields.text("say")
    for _ in range(repeat["times"].whole(1, 1_000)):
        for step in _read_list(repeat["steps"], names, seen):
            yield replace(step, say=step.say or say)
            say = ""


def _read_step(node: Node, names: Names) -> Step:
    fields = node.fields("say", "limit_s", "new", *VERBS)
    verbs = [verb for verb in VERBS if verb in fields]
    if len(verbs) != 1:
        found = f"not {' and '.join(verbs)}" if verbs else "and here is none"
        raise node.error(f"a step has one verb of {', '.join(VERBS)}, {found}")
    verb = verbs[0]
    if verb in _BY_HAND and not names.manual:
        raise fields[verb].error(f"only a scenario with `manual: true` can {verb} by hand")
    if verb in _BY_ITSELF and names.manual:
        raise fields[verb].error(
            f"with `manual: true` no message moves by itself, and {verb} has nothing to act on"
        )
    action = VERBS[verb](fields[verb], names, verb)
    if "new" in fields:
        if not isinstance(action, Wait):
            raise fields["new"].error("only a `wait` can ask for new lines")
        action = replace(action, new=fields["new"].truth())
    return Step(action, fields.text("say"), float(fields.whole("limit_s", 15, 1, 600)))


def _check_references(entry: Node, action: Action, seen: _Seen) -> None:
    match action:
        case Propose(name=name):
            if name in seen.operations:
                raise entry.error(f"there is an operation {name!r} already: name each once")
            seen.operations.add(name)
        case Await(names=names):
            for name in names:
                if name not in seen.operations:
                    raise entry.error(f"no step before this one begins an operation {name!r}")
        case Release(name=name):
            if name not in seen.faults:
                raise entry.error(f"no step before this one makes a rule {name!r}")
        case Heal(names=names):
            for name in names:
                if name not in seen.faults:
                    raise entry.error(f"no step before this one makes a fault {name!r}")
        case GateRule(name=name) | Cut(name=name):
            seen.faults.add(name)
        case _:
            pass


def read_settings(node: Node) -> tuple[tuple[str, Any], ...]:
    """Settings of instances, by name.

    Raises:
        ScenarioError: there is no such setting, or its value is impossible.
    """
    fields = node.fields(
        "number_scheme",
        "backoff",
        "backoff_base_ms",
        "backoff_most_ms",
        "patience_ms",
        "own_ballots",
    )
    found: list[tuple[str, Any]] = []
    for name in fields.data:
        if name == "number_scheme":
            found.append((name, fields[name].text(among=SCHEMES)))
        elif name in {"backoff", "own_ballots"}:
            found.append((name, fields[name].truth()))
        else:
            found.append((name, fields[name].whole(1, _MOST_MS)))
    return tuple(found)


def _propose(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("name", "at", "value", "instance", "background", "timeout_ms")
    value = fields["value"].text()
    return Propose(
        name=fields.text("name", value),
        at=names.node(fields["at"]),
        value=value,
        instance=names.instance(fields),
        # No answer comes before the steps that bring it about.
        background=fields.truth("background", default=names.manual),
        timeout_ms=fields.whole("timeout_ms", 30_000, 1, _MOST_MS),
    )


def _await(node: Node, _names: Names, _verb: str) -> Action:
    return Await(node.texts())


def _wait(node: Node, names: Names, _verb: str) -> Action:
    return Wait(read_sight(node, names.instances))


def _learned(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("by", "value", "instance", "row")
    return Learned(
        names.nodes(fields, "by"),
        names.instance(fields),
        fields.text("value") or None,
        fields.text("row") or None,
    )


def _gate_rule(node: Node, names: Names, verb: str) -> Action:
    own = {
        "hold": (),
        "cut_one_way": (),
        "drop": ("percent",),
        "delay": ("delay_ms", "delay_most_ms"),
        "duplicate": ("percent", "copies"),
        "reorder": ("percent", "delay_most_ms"),
    }[verb]
    fields = node.fields("name", "from", "to", "kinds", "instance", *own)
    delay_ms = fields["delay_ms"].whole(1, _MOST_MS) if verb == "delay" else 0
    if verb == "reorder":
        delay_most_ms = fields["delay_most_ms"].whole(1, _MOST_MS)
    else:
        delay_most_ms = fields.whole("delay_most_ms", delay_ms, delay_ms, _MOST_MS)
    if verb == "drop":
        percent = fields["percent"].whole(1, 100)
    else:
        percent = fields.whole("percent", 100 if "percent" in own else 0, 1, 100)
    return GateRule(
        action="cut" if verb == "cut_one_way" else verb,
        name=fields["name"].text(),
        sources=names.nodes(fields, "from"),
        to=names.nodes(fields, "to"),
        kinds=fields.texts("kinds", among=MESSAGE_KINDS),
        instance=names.instance(fields) if "instance" in fields else None,
        percent=percent,
        delay_ms=delay_ms,
        delay_most_ms=delay_most_ms,
        copies=fields.whole("copies", 1, 1, _MOST_COPIES) if verb == "duplicate" else 0,
    )


def _deliver(node: Node, names: Names, _verb: str) -> Action:
    data = node.data if isinstance(node.data, Mapping) else {}
    kind = Node(data.get("kind"), (*node.path, "kind")).text(among=tuple(CARRIED))
    carried = CARRIED[kind]
    fields = node.fields("kind", "from", "to", "instance", "again", *carried)
    accepted = None
    if "accepted" in fields:
        accepted = fields["accepted"].text()
        if accepted != NO_PAIR:
            accepted = _ballot(fields["accepted"])
    return Deliver(
        kind=kind,
        source=names.node(fields["from"]),
        to=names.node(fields["to"]),
        ballot=_ballot(fields["ballot"]) if "ballot" in carried else None,
        value=fields.text("value") or None,
        promised=_ballot(fields["promised"]) if "promised" in fields else None,
        accepted=accepted,
        again=fields.truth("again", default=False),
        instance=names.instance(fields),
    )


def _ballot(node: Node) -> str:
    text = node.text()
    try:
        ballot_key(text)
    except LogFormatError as error:
        raise node.error(f"a ballot is a round and a node, 2.n1 say, and no {text!r}") from error
    return text


def _fire(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("node", "timer", "instance")
    return Fire(
        names.node(fields["node"]), fields["timer"].text(among=TIMERS), names.instance(fields)
    )


def _release(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("name", "first", "kinds", "from", "to")
    first = fields["first"].whole(1, 10_000) if "first" in fields else None
    if first is None and any(choice in fields for choice in ("kinds", "from", "to")):
        raise node.error("`kinds`, `from` and `to` choose the `first` so many: give `first`, too")
    return Release(
        fields["name"].text(),
        first,
        fields.texts("kinds", among=MESSAGE_KINDS),
        names.nodes(fields, "from"),
        names.nodes(fields, "to"),
    )


def _partition(node: Node, names: Names, verb: str) -> Action:
    groups = tuple(entry.texts(among=names.members) for entry in node.items())
    if len(groups) < 2:
        raise node.error("a partition has at least two groups of nodes")
    return Cut(verb, verb, groups)


def _isolate(node: Node, names: Names, verb: str) -> Action:
    return Cut.isolation(verb, names.node(node), names.members)


def _cut(node: Node, names: Names, verb: str) -> Action:
    ends = node.texts(among=names.members)
    if len(set(ends)) != 2 or len(ends) != 2:
        raise node.error("a link has two ends: name two different nodes")
    return Cut.link(verb, ends[0], ends[1], names.members)


def _heal(node: Node, _names: Names, _verb: str) -> Action:
    return Heal() if node.data == "all" else Heal(node.texts())


def _command(node: Node, names: Names, verb: str) -> Action:
    if node.data == "all":
        return Command(verb, ())
    return Command(verb, node.texts(among=names.members))


def _failpoint(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("node", "point", "kind", "instance", "power")
    return Failpoint(
        names.node(fields["node"]),
        fields["point"].text(among=FAILPOINTS),
        fields.text("kind"),
        names.instance(fields),
        power=fields.truth("power", default=False),
    )


def _disk_fault(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("node", "fault")
    return DiskFault(names.node(fields["node"]), fields["fault"].text(among=DISK_FAULTS))


def _exits(node: Node, names: Names, _verb: str) -> Action:
    if not isinstance(node.data, Mapping):
        return Exits(names.node(node))
    fields = node.fields("node", "code")
    return Exits(names.node(fields["node"]), fields.whole("code", 137, 1, 255))


def _refuses(node: Node, names: Names, _verb: str) -> Action:
    return Refuses(names.node(node))


def _configure(node: Node, _names: Names, _verb: str) -> Action:
    return Configure(read_settings(node))


def _measure(node: Node, names: Names, _verb: str) -> Action:
    fields = node.fields("row", "at", "proposals", "every_ms", "timeout_ms")
    return Measure(
        row=fields["row"].text(),
        at=names.node(fields["at"]),
        proposals=fields["proposals"].whole(1, 1_000),
        every_ms=fields.whole("every_ms", 0, 0, 10_000),
        timeout_ms=fields.whole("timeout_ms", 5_000, 1, _MOST_MS),
    )


VERBS: Final[dict[str, Callable[[Node, Names, str], Action]]] = {
    "propose": _propose,
    "await": _await,
    "wait": _wait,
    "learned": _learned,
    "hold": _gate_rule,
    "release": _release,
    "drop": _gate_rule,
    "delay": _gate_rule,
    "duplicate": _gate_rule,
    "reorder": _gate_rule,
    "cut_one_way": _gate_rule,
    "partition": _partition,
    "isolate": _isolate,
    "cut": _cut,
    "heal": _heal,
    "deliver": _deliver,
    "fire": _fire,
    "kill": _command,
    "power_loss": _command,
    "stop": _command,
    "start": _command,
    "pause": _command,
    "resume": _command,
    "failpoint": _failpoint,
    "disk_fault": _disk_fault,
    "exits": _exits,
    "refuses": _refuses,
    "configure": _configure,
    "measure": _measure,
}
"""What a step can do, and how each is read."""
