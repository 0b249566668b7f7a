"""A step from the page: read by the scenario's own reader, and checked against what is.

A live run is a scenario that is made up as it goes. So a command is a step of
a scenario; what a scenario's author knows by having written it (is there such
a fault? is the node down?) is looked up here, and answered in a sentence.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from orchestrator.cluster import Condition, Pair
from orchestrator.network import as_text
from orchestrator.web.safety import Refusal, sentence
from paxos.scenario import Names, ScenarioError, Step, read_step
from paxos.scenario import model as do

_ALWAYS: Final = (
    "propose",
    "kill",
    "stop",
    "start",
    "restart",
    "pause",
    "resume",
    "power_loss",
    "partition",
    "isolate",
    "cut",
    "cut_one_way",
    "heal",
    "hold",
    "release",
    "drop",
    "delay",
    "duplicate",
    "reorder",
    "failpoint",
    "configure",
)
_WAITS: Final = ("wait", "await", "learned", "exits", "refuses", "measure")
_BY_HAND: Final = ("deliver", "fire")
BESIDE: Final = frozenset({"say", "limit_s"})
"""What may stand beside the verb of a step."""
_NEW: Final = "new"
_INSTANCE: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_WANTED: Final = {
    "kill": Condition.RUNNING,
    "stop": Condition.RUNNING,
    "power_loss": Condition.RUNNING,
    "pause": Condition.RUNNING,
    "resume": Condition.PAUSED,
    "start": Condition.EXITED,
}
_INSTEAD: Final = {
    Condition.RUNNING: "it runs",
    Condition.PAUSED: "it is paused: resume it first",
    Condition.EXITED: "it is down: start it first",
}
_NOTHING_TO: Final = {
    Condition.RUNNING: "No node runs.",
    Condition.PAUSED: "No node is paused.",
    Condition.EXITED: "No node is down.",
}


@dataclass(frozen=True, slots=True)
class InForce:
    """A fault of the network that is in force.

    Attributes:
        action: what made it.
        file_names: what a scenario file calls it: several where a file can say
            it by several rules only.
    """

    action: do.Cut | do.GateRule
    file_names: tuple[str, ...]

    def as_json(self) -> dict[str, str]:
        """How the page is told."""
        action = self.action
        if isinstance(action, do.Cut):
            shape = " | ".join(", ".join(group) for group in action.groups)
            if action.fault == "cut":
                shape = action.name.removeprefix("cut ")
            return {"name": action.name, "verb": action.fault, "text": shape}
        verb = "cut_one_way" if action.action == "cut" else action.action
        return {"name": action.name, "verb": verb, "text": as_text(action)}


@dataclass(slots=True)
class Situation:
    """What a command is checked against; the live run keeps it up to date.

    Attributes:
        members: the nodes.
        instances: names and numbers; the last one is the current.
        hurts_disks: whether disks may be hurt: they are made for this run alone.
        operations: the names of the clients' wishes so far.
        in_force: faults of the network, by name.
    """

    members: tuple[str, ...]
    instances: dict[str, int]
    hurts_disks: bool
    operations: set[str] = field(default_factory=set)
    in_force: dict[str, InForce] = field(default_factory=dict)

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be commanded."""
        return (*_ALWAYS, "disk_fault") if self.hurts_disks else _ALWAYS

    @property
    def current(self) -> str:
        """The instance that a wish goes to which names none."""
        return next(reversed(self.instances))

    def new_instance(self) -> str:
        """A name that no instance has."""
        number = len(self.instances) + 1
        while f"live-{number}" in self.instances:
            number += 1
        return f"live-{number}"


@dataclass(frozen=True, slots=True)
class Order:
    """A command that is read and checked.

    Attributes:
        step: for the stage.
        file: the same as steps of a scenario file, as plain data.
        new_instance: has to be made first; empty: none.
    """

    step: Step
    file: tuple[Mapping[str, Any], ...]
    new_instance: str = ""


def read_orders(
    data: Mapping[str, Any], situation: Situation, conditions: Mapping[str, Condition]
) -> list[Order]:
    """What a command asks for, in order; most ask for one thing.

    Args:
        data: one step, as plain data.
        situation: what is.
        conditions: how each node is now.

    Raises:
        Refusal: it is none, or not possible now.
    """
    verb = _verb(data, situation)
    if verb == "restart":
        first = read_orders({"stop": data[verb]}, situation, conditions)
        assert isinstance(first[0].step.action, do.Command), "a stop is a command"
        nodes = list(first[0].step.action.nodes)
        ended = {**conditions, **dict.fromkeys(nodes, Condition.EXITED)}
        return [*first, *read_orders({"start": nodes}, situation, ended)]
    data, new_instance = _completed(data, verb, situation)
    instances = (*situation.instances, *([new_instance] if new_instance else []))
    try:
        # The last one first: a step that names none means the current one.
        step = read_step(data, Names(situation.members, tuple(reversed(instances))))
    except ScenarioError as error:
        raise Refusal(400, sentence(str(error))) from error
    order = Order(step, (data,), new_instance)
    match step.action:
        case do.Command():
            return [_command(order, step.action, conditions)]
        case do.Cut():
            return _cut(order, step.action, situation)
        case do.GateRule(name=name) if name in situation.in_force:
            raise Refusal(409, f"A fault named {name!r} is in force: heal it, or choose a name.")
        case do.Heal():
            return [_heal(order, step.action, situation)]
        case do.Release(name=name):
            held = situation.in_force.get(name)
            if held is None or not isinstance(held.action, do.GateRule):
                raise Refusal(409, f"No rule named {name!r} is in force.")
        case do.Failpoint(node=node):
            _check(node, "arm a failpoint at", Condition.RUNNING, conditions)
        case do.DiskFault(node=node, fault=fault):
            down = fault in {"corrupt", "lose"}
            wanted = Condition.EXITED if down else Condition.RUNNING
            _check(node, "hurt the disk of", wanted, conditions)
        case do.Configure(settings) if not settings:
            raise Refusal(400, "To configure is to name a setting, at least one.")
        case _:
            pass
    return [order]


def said_of(action: do.Action) -> str:
    """What was done, where no line of the log says it."""
    match action:
        case do.Propose(at=at, value=value, instance=instance):
            return f"A client asked {at} for {value!r} in {instance}."
        case do.Failpoint(node=node, point=point, power=power):
            what = "loses power" if power else "kills itself"
            return f"{node} {what} when it next comes to {point.replace('_', ' ')}."
        case do.Release(first=first):
            return f"{first} held messages go on."
        case do.Configure(settings):
            told = ", ".join(f"{name} {value}" for name, value in settings)
            return f"Every node that runs has new settings: {told}."
        case _:
            return "Done."


def _verb(data: Mapping[str, Any], situation: Situation) -> str:
    verbs = [name for name in data if name not in BESIDE]
    if len(verbs) != 1:
        raise Refusal(400, f"A command has one verb of {', '.join(situation.verbs)}.")
    verb = str(verbs[0])
    if verb in _WAITS:
        raise Refusal(400, f"A live run waits for nothing, so there is no {verb}: watch the lines.")
    if verb in _BY_HAND:
        instead = {
            "deliver": "hold messages, and release the first of them",
            "fire": "hold or drop messages until a node's patience runs out",
        }[verb]
        raise Refusal(
            400,
            f"Messages and timers of a live run move by themselves, so none can be handed over: "
            f"{instead}. By hand is the sandbox's, and that of a scenario with `manual: true`.",
        )
    if verb == "disk_fault" and not situation.hurts_disks:
        raise Refusal(
            400,
            "The disks of this cluster outlive the run, and what is done to them cannot be undone. "
            "End the page's server and start it as `make web DISK_FAULTS=1`, which makes containers "
            "for each live run, or as `make web WORLD=local`; or use the sandbox.",
        )
    if verb not in situation.verbs:
        raise Refusal(400, f"There is no verb {verb!r}; there are {', '.join(situation.verbs)}.")
    return verb


def _completed(
    data: Mapping[str, Any], verb: str, situation: Situation
) -> tuple[dict[str, Any], str]:
    """The step with what a live run adds, and the instance that has to be made for it."""
    found = {name: content for name, content in data.items() if name not in BESIDE}
    content = found[verb]
    if not isinstance(content, Mapping) or verb not in {"propose", "failpoint"}:
        return found, ""
    content = dict(content)
    name, new = content.get("instance", situation.current), ""
    if name == _NEW:
        name = new = situation.new_instance()
    elif isinstance(name, str) and name not in situation.instances and verb == "propose":
        if not _INSTANCE.fullmatch(name):
            raise Refusal(400, "An instance is named by small letters, digits and hyphens.")
        new = name
    content["instance"] = name
    if verb == "propose":
        # The next command must not wait for this one's answer.
        content["background"] = True
        wish = content.get("name", content.get("value"))
        # What is no text the reader refuses.
        if "name" in content and isinstance(wish, str) and wish in situation.operations:
            raise Refusal(409, f"There is a wish named {wish!r} already: name each once.")
        content["name"] = _unique(wish, situation.operations)
    found[verb] = content
    return found, new


def _unique(name: Any, taken: set[str]) -> Any:
    if not isinstance(name, str):
        # The reader says what is wrong with it.
        return name
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name} {count}"
    return found


def _command(order: Order, action: do.Command, conditions: Mapping[str, Condition]) -> Order:
    wanted = _WANTED[action.verb]
    if not action.nodes:
        nodes = tuple(node for node, condition in conditions.items() if condition is wanted)
        if not nodes:
            raise Refusal(409, _NOTHING_TO[wanted])
    else:
        nodes = tuple(dict.fromkeys(action.nodes))
        for node in nodes:
            _check(node, action.verb.replace("_", " "), wanted, conditions)
    step = replace(order.step, action=do.Command(action.verb, nodes))
    return Order(step, ({action.verb: list(nodes)},))


def _check(node: str, what: str, wanted: Condition, conditions: Mapping[str, Condition]) -> None:
    found = conditions[node]
    if found is not wanted:
        raise Refusal(409, f"Cannot {what} {node}: {_INSTEAD[found]}.")


def _cut(order: Order, cut: do.Cut, situation: Situation) -> list[Order]:
    """A cut under a name of its own, so that several can be in force."""
    if cut.fault == "partition":
        if cut.name not in situation.in_force:
            return [order]
        # A new wall takes the place of the old one.
        healed = Step(do.Heal((cut.name,)))
        return [_heal(Order(healed, ()), do.Heal((cut.name,)), situation), order]
    ends = cut.groups[0] if cut.fault == "isolate" else _link(cut, situation.members)
    name = f"{cut.fault} {'-'.join(ends)}"
    if name in situation.in_force:
        told = "is isolated" if cut.fault == "isolate" else "is cut"
        raise Refusal(409, f"{'-'.join(ends)} {told} already.")
    step = replace(order.step, action=replace(cut, name=name))
    # A file can have one such cut at a time; a second one is said by rules of the gates.
    alone = all(cut.fault not in fault.file_names for fault in situation.in_force.values())
    return [Order(step, order.file if alone else _as_rules(name, ends))]


def _link(cut: do.Cut, members: tuple[str, ...]) -> Pair:
    (pair,) = cut.pairs(members)
    return pair


def _as_rules(name: str, ends: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    out: dict[str, Any] = {"name": name, "from": ends[0]}
    back: dict[str, Any] = {"name": f"{name} back", "to": ends[0]}
    if len(ends) == 2:
        out["to"], back["from"] = ends[1], ends[1]
    return ({"cut_one_way": out}, {"cut_one_way": back})


def _heal(order: Order, heal: do.Heal, situation: Situation) -> Order:
    unknown = [name for name in heal.names if name not in situation.in_force]
    if unknown:
        raise Refusal(409, f"No fault named {unknown[0]!r} is in force.")
    if not situation.in_force:
        raise Refusal(409, "No fault of the network is in force.")
    if not heal.names:
        return Order(order.step, ({"heal": "all"},))
    file_names = [name for fault in heal.names for name in situation.in_force[fault].file_names]
    return Order(order.step, ({"heal": file_names},))
