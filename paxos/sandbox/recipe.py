"""A recipe: all that a sandbox run is made of, in plain data, small enough for a link.

A recipe may come from a stranger's link, so everything in it has a bound and
is checked before anything runs; whatever is wrong is said in a sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from paxos.parts import parts_of
from paxos.scenario import Names, Path, Scenario, ScenarioError, Step, dotted, parse, read_step
from paxos.scenario import model as do
from paxos.scenario.reading import Fields, Node
from paxos.scenario.steps import read_settings
from paxos.simulator.parts import CORRECT, Parts
from paxos.simulator.player import row_names
from paxos.variants import UnknownVariant

VERSION: Final = 1
MOST_NODES: Final = 9
MOST_COMMANDS: Final = 500
MOST_LINES: Final = 200_000
MOST_SEED: Final = 2**53 - 1
"""The largest integer that JavaScript and Python both hold exactly."""
MOST_MS: Final = 3_600_000
MOST_TEXT: Final = 200
"""How many characters a value, or any other text of a recipe, may have."""
MOST_PARTS: Final = 60_000
"""How many texts, numbers, lists and mappings a recipe may hold in all."""
_MOST_DEPTH: Final = 12
_LONGEST_QUOTE: Final = 60

DEFAULT_LINES: Final = 20_000
DEFAULT_MS: Final = 120_000
INSTANCE: Final = "fruit"
"""The name of the instance where a recipe names none, as in a scenario."""

WAITS: Final = ("await", "wait", "learned", "exits", "refuses", "measure")
"""Steps that command nothing, or that take time: a recipe's time passes by itself."""
MESSAGE_VERBS: Final = ("drop_message", "delay_message", "duplicate_message", "deliver_message")
"""What the sandbox alone can do to one message in flight, named by the line that sent it."""
RESTART: Final = "restart"
BY_HAND: Final = "by_hand"
"""From this command on every message and every timer waits for a hand.

Where a scenario is by hand from its beginning it only ends that scenario.
"""

Stories = Mapping[str, Any]
"""Scenarios as plain data, by name (``partition``, ``broken/number-reused-shortest``)."""


Told = Mapping[str, Any]
"""What :func:`paxos.sandbox.running.run` tells of a run."""


class SandboxError(Exception):
    """What is asked for cannot be done; the text is a sentence for a person."""


def quoted(value: object) -> str:
    """A value as a sentence quotes it, however long it is."""
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


@dataclass(frozen=True, slots=True)
class OnMessage:
    """Do something to one message in flight.

    Attributes:
        verb: one of :data:`MESSAGE_VERBS`.
        message: the name of the line that sent it, ``n1/1/20``.
        delay_ms: how much later it is to arrive, for ``delay_message``.
    """

    verb: str
    message: str
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do once the log has so many lines.

    Attributes:
        after: that number of lines.
        steps: what it comes to, each with its plain data: one step, or two
            where it restarts a node.
        on_message: instead of steps, what is to happen to a message.
        takes_over: instead of steps, from now on everything waits for a hand.
    """

    after: int
    steps: tuple[tuple[Step, Mapping[str, Any]], ...] = ()
    on_message: OnMessage | None = None
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe.

    Attributes:
        seed: decides whatever chance decides.
        node_count: how many nodes there are.
        manual: whether every message and timer waits for a hand, from the beginning.
        instances: their names; their numbers count from 1 in this order.
        settings: of the instances, by name.
        commands: what is done, in order.
        story: the name of the scenario that is played first; ``None`` for none.
        scenario: that scenario.
        parts: the protocol that runs.
        most_lines: how long the log may get.
        most_ms: how much virtual time may pass behind the last command.
    """

    seed: int
    node_count: int
    manual: bool
    instances: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...] = ()
    commands: tuple[Command, ...] = ()
    story: str | None = None
    scenario: Scenario | None = None
    parts: Parts = field(default=CORRECT)
    most_lines: int = DEFAULT_LINES
    most_ms: int = DEFAULT_MS

    @property
    def members(self) -> tuple[str, ...]:
        """The nodes, by name."""
        return tuple(f"n{number}" for number in range(1, self.node_count + 1))

    @property
    def rows(self) -> dict[str, list[str]]:
        """The names of the instances of each row that the scenario measures."""
        return _rows(self.scenario)


def read_recipe(data: object, stories: Stories) -> Recipe:
    """Read and check a recipe.

    Args:
        data: the recipe in plain data, as ``docs/sandbox.md`` describes it.
        stories: the scenarios that it may name.

    Raises:
        SandboxError: the first thing that is wrong, with its place.
    """
    _measure(data)
    try:
        return _read(Node(data), stories)
    except ScenarioError as error:
        raise SandboxError(_told(error)) from error


def kept(recipe: Mapping[str, Any], told: Told, at: int) -> list[dict[str, Any]]:
    """The commands of which the first lines of a log show something, in plain data.

    Args:
        recipe: whose log it is, in plain data.
        told: what its run tells: ``given`` and ``stood``, each with a number for
            each command that was given.
        at: how many lines of the log are looked at.

    Returns:
        Each where it was given, whatever it waited for in vain. Played again, they
        give the same first lines, whatever comes behind those.
    """
    commands = zip(recipe.get("commands", ()), told["given"], told["stood"], strict=False)
    return [
        {**command, "after": min(command["after"], given)}
        for command, given, stood in commands
        if stood < at
    ]


def forked(
    recipe: Mapping[str, Any], told: Told, at: int, step: Mapping[str, Any]
) -> dict[str, Any]:
    """The recipe of a fork: what was done up to a line, then one thing more.

    Args:
        recipe: whose run is forked, in plain data.
        told: what its run tells, as for :func:`kept`.
        at: how many lines of its log stay.
        step: what is done then.
    """
    commands = [*kept(recipe, told, at), {"after": at, "do": dict(step)}]
    return {**recipe, "commands": commands}


def rewound(recipe: Mapping[str, Any], told: Told, at: int, *, is_manual: bool) -> dict[str, Any]:
    """The recipe of a run up to a line; from there on everything waits for a hand.

    Args:
        recipe: in plain data.
        told: what its run tells, as for :func:`kept`.
        at: how many lines of its log stay.
        is_manual: whether everything waits from the beginning.
    """
    commands = kept(recipe, told, at)
    # By hand nothing moves behind the line but a scenario, which the first command ends.
    goes_on = recipe.get("scenario") is not None and not commands
    waits = is_manual or any(command["do"].get(BY_HAND) is True for command in commands)
    if goes_on or not waits:
        commands.append({"after": at, "do": {BY_HAND: True}})
    return {**recipe, "commands": commands}


def _rows(scenario: Scenario | None) -> dict[str, list[str]]:
    measurements = () if scenario is None else scenario.measurements()
    return {measure.row: row_names(measure) for measure in measurements}


def _told(error: ScenarioError) -> str:
    if not error.path:
        return f"the recipe: {error.reason}"
    return f"{dotted(error.path)}: {error.reason}"


def _measure(data: object) -> None:
    """Refuse what is too large or too deep, before anything reads it."""
    count = 0
    level = [data]
    for _ in range(_MOST_DEPTH):
        following: list[object] = []
        for part in level:
            if isinstance(part, str) and len(part) > MOST_TEXT:
                raise SandboxError(
                    f"the recipe holds a text of {len(part)} characters; {MOST_TEXT} is the most"
                )
            if isinstance(part, Mapping):
                following += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                following += part
        count += len(following)
        if count > MOST_PARTS:
            raise SandboxError(f"the recipe is too large: it has more than {MOST_PARTS:,} parts")
        level = following
        if not level:
            return
    raise SandboxError(f"the recipe is nested more than {_MOST_DEPTH} levels deep")


def _read(node: Node, stories: Stories) -> Recipe:
    fields = node.fields(
        "v",
        "seed",
        "nodes",
        "variant",
        "manual",
        "scenario",
        "settings",
        "instances",
        "limits",
        "commands",
    )
    _version(fields["v"])
    node_count = fields["nodes"].whole(1, MOST_NODES)
    variant = _text_or_none(fields, "variant")
    manual = fields.truth("manual", default=False)
    story = _text_or_none(fields, "scenario")
    scenario = None
    if story is None:
        instances = fields.texts("instances") or (INSTANCE,)
        if len(set(instances)) != len(instances) or len(instances) > MOST_NODES:
            raise fields["instances"].error(f"these are up to {MOST_NODES} different names")
    else:
        scenario = _story(fields["scenario"], story, stories)
        if node_count not in scenario.node_counts:
            sizes = " or ".join(map(str, scenario.node_counts))
            raise fields["nodes"].error(f"{story} is written for {sizes} nodes, not {node_count}")
        for name in ("instances", "settings"):
            if fields.data.get(name):
                raise fields[name].error(f"{story} has its own")
        if "manual" in fields and manual is not scenario.manual:
            raise fields["manual"].error(f"{story} says {str(scenario.manual).lower()}")
        variant = variant or scenario.variant
        manual, instances = scenario.manual, scenario.instances
    most_lines, most_ms = _limits(fields)
    measured = (name for row in _rows(scenario).values() for name in row)
    members = tuple(f"n{number}" for number in range(1, node_count + 1))
    names = Names(members, (*instances, *measured), manual=manual)
    return Recipe(
        seed=fields["seed"].whole(0, MOST_SEED),
        node_count=node_count,
        manual=manual,
        instances=instances,
        settings=read_settings(fields["settings"]) if fields.data.get("settings") else (),
        commands=_commands(fields, names, scenario),
        story=story,
        scenario=scenario,
        parts=_parts(fields, variant),
        most_lines=most_lines,
        most_ms=most_ms,
    )


def _version(node: Node) -> None:
    if node.data != VERSION or isinstance(node.data, bool):
        raise node.error(f"this page reads recipes of version {VERSION}, not {node.data!r}")


def _text_or_none(fields: Fields, name: str) -> str | None:
    return None if fields.data.get(name) is None else fields[name].text()


def _story(node: Node, name: str, stories: Stories) -> Scenario:
    data = stories.get(name)
    if data is None:
        raise node.error(f"there is no scenario {name!r}")
    try:
        return parse(name.rsplit("/", 1)[-1], data)
    except ScenarioError as error:
        raise node.error(f"{name} cannot be read: {error}") from error


def _parts(fields: Fields, variant: str | None) -> Parts:
    try:
        return parts_of(variant)
    except UnknownVariant as error:
        raise fields["variant"].error(str(error)) from error


def _limits(fields: Fields) -> tuple[int, int]:
    if fields.data.get("limits") is None:
        return DEFAULT_LINES, DEFAULT_MS
    limits = fields["limits"].fields("lines", "ms")
    return (
        limits.whole("lines", DEFAULT_LINES, 1, MOST_LINES),
        limits.whole("ms", DEFAULT_MS, 1, MOST_MS),
    )


def _commands(fields: Fields, names: Names, scenario: Scenario | None) -> tuple[Command, ...]:
    if "commands" not in fields:
        return ()
    entries = list(fields["commands"].items())
    if len(entries) > MOST_COMMANDS:
        raise fields["commands"].error(
            f"a recipe has at most {MOST_COMMANDS} commands, not {len(entries)}"
        )
    found: list[Command] = []
    steps = () if scenario is None else scenario.steps
    operations = {step.action.name for step in steps if isinstance(step.action, do.Propose)}
    for entry in entries:
        ends_story = scenario is not None and not found
        command = _command(entry, names, ends_story=ends_story)
        names = replace(names, manual=names.manual or command.takes_over)
        if found and command.after < found[-1].after:
            raise entry.error(
                f"it comes after line {command.after}, and the one before it after "
                f"{found[-1].after}: commands stand in the order in which they are given"
            )
        named = tuple(_named(step, data, operations) for step, data in command.steps)
        found.append(replace(command, steps=named))
    return tuple(found)


def _named(
    step: Step, data: Mapping[str, Any], operations: set[str]
) -> tuple[Step, Mapping[str, Any]]:
    """A client's wish under a name that no other has; the page need not think of one."""
    action = step.action
    if not isinstance(action, do.Propose):
        return step, data
    name, count = action.name, 1
    while name in operations:
        count += 1
        name = f"{action.name}-{count}"
    operations.add(name)
    # The page waits for nothing: whatever the answer brings is a later line.
    told = {**data["propose"], "name": name, "background": True}
    return replace(step, action=replace(action, name=name, background=True)), {"propose": told}


def _command(entry: Node, names: Names, *, ends_story: bool) -> Command:
    fields = entry.fields("after", "do")
    after = fields["after"].whole(0, MOST_LINES)
    node = fields["do"]
    data = node.data
    if not isinstance(data, Mapping):
        raise node.error("a command is one step of a scenario")
    if len(data) == 1:
        verb = next(iter(data))
        if verb == BY_HAND:
            return _takes_over(node, after, names, ends_story=ends_story)
        if verb in MESSAGE_VERBS:
            return Command(after, on_message=_on_message(node, verb, names))
        if verb == RESTART:
            ways = [{way: data[verb]} for way in ("stop", "start")]
            return Command(after, tuple((_step(way, node.path, names), way) for way in ways))
    for verb in WAITS:
        if verb in data:
            raise node.error(f"a recipe has commands only, and {verb} waits for something")
    return Command(after, ((_step(data, node.path, names), data),))


def _step(data: Mapping[str, Any], path: Path, names: Names) -> Step:
    try:
        return read_step(data, names)
    except ScenarioError as error:
        within = () if error.path == ("the step",) else error.path
        raise ScenarioError((*path, *within), error.reason) from error


def _takes_over(node: Node, after: int, names: Names, *, ends_story: bool) -> Command:
    if node.fields(BY_HAND)[BY_HAND].data is not True:
        raise node.error(f"it is written `{BY_HAND}: true`")
    if names.manual and not ends_story:
        raise node.error("every message and every timer waits for a hand already")
    return Command(after, takes_over=True)


def _on_message(node: Node, verb: str, names: Names) -> OnMessage:
    if names.manual:
        raise node.error(f"where every message waits for a hand, deliver one; there is no {verb}")
    fields = node.fields(verb)
    if verb == "delay_message":
        delay = fields[verb].fields("message", "delay_ms")
        return OnMessage(verb, delay["message"].text(), delay["delay_ms"].whole(1, 600_000))
    return OnMessage(verb, fields[verb].text())
