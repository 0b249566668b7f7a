"""The faults of a scenario, applied to a world and undone; each leaves the lines of a real one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from paxos.events import node_key
from paxos.scenario.model import (
    Action,
    Command,
    Cut,
    DiskFault,
    Failpoint,
    GateRule,
    Heal,
    Release,
)
from paxos.simulator.failpoints import Armed
from paxos.simulator.gate import Held
from paxos.simulator.network import Way
from paxos.simulator.node import EXIT_KILLED, Node
from paxos.simulator.world import World

_SIMULATOR: Final = "simulator"


class NotPossible(Exception):
    """What is asked for cannot be done as things are; the text says why."""


class Faults:
    """What is wrong with a world on purpose.

    Args:
        world: the world.
        instances: the scenario's names of instances, and their numbers.
    """

    def __init__(self, world: World, instances: Mapping[str, int]) -> None:
        self._world = world
        self._instances = instances
        self._cuts: dict[str, Cut] = {}
        self._rules: dict[str, GateRule] = {}
        self._down: dict[str, str] = {}
        # What is in force, and how it is undone, in the order of its coming.
        self._undo: dict[str, Callable[[], object]] = {}

    def undo_all(self) -> None:
        """End every fault but the end of a process, the last one first."""
        while self._undo:
            self._undo.pop(next(reversed(self._undo)))()

    @property
    def in_force(self) -> tuple[str, ...]:
        """The names of the cuts and rules in force."""
        return (*self._cuts, *self._rules)

    def allows(self, action: Action) -> bool:
        """Whether a command can be carried out as things are."""
        match action:
            case Command(verb, nodes):
                return all(_allows(verb, self._node(name)) for name in nodes)
            case Failpoint():
                return self._node(action.node).up
            case DiskFault():
                node = self._node(action.node)
                if action.fault in {"fail_sync", "tear"}:
                    return node.up
                return not node.up and node.disk.is_sound(with_promise=action.fault == "corrupt")
            case Heal(names):
                return all(name in self.in_force for name in names)
            case Release():
                return action.name in self._rules and (
                    action.first is None or len(self._fitting(action)) >= action.first
                )
            case _:
                return True

    # --- processes ------------------------------------------------------------------

    def kill(self, nodes: Iterable[str]) -> None:
        """SIGKILL: memory is lost; what was written stays in the page cache."""
        for name in nodes:
            node = self._up(name)
            node.end(EXIT_KILLED, "SIGKILL")
            self._claim_exit(node, "kill", _SIMULATOR)

    def power_loss(self, nodes: Iterable[str]) -> None:
        """Memory is lost, and whatever was not synced."""
        for name in nodes:
            node = self._up(name)
            node.lose_power()
            self._claim_exit(node, "power_loss", _SIMULATOR)

    def stop(self, nodes: Iterable[str], let_end: Callable[[Node], bool]) -> None:
        """SIGTERM; ``let_end`` lets time pass until the node has ended, and says whether it has.

        Raises:
            NotPossible: one is down, paused, or did not end.
        """
        for name in nodes:
            node = self._up(name)
            if node.paused:
                raise NotPossible(f"{name} is paused, and hears no signal")
            node.ask_to_stop()
            if not let_end(node):
                raise NotPossible(f"{name} did not stop")
            self._claim_exit(node, "stop", _SIMULATOR)

    def start(self, nodes: Sequence[str]) -> None:
        """Start nodes that are down.

        Raises:
            NotPossible: one is up, or refuses its disk.
        """
        for name in nodes:
            node = self._node(name)
            if node.up:
                raise NotPossible(f"{name} runs already")
            if not self._world.start_now(node.node_id):
                self._write_exit(node)
                raise NotPossible(f"{name} did not start: {_reason(node)}")
            self._world.tick()
            self._world.fault(
                "fault_undone",
                self._down.pop(name, "kill"),
                [name],
                _SIMULATOR,
                {},
                f"it serves as incarnation {node.incarnation}",
            )

    def refuse(self, name: str) -> bool:
        """Start a node that is to refuse its disk; whether it did."""
        node = self._node(name)
        if node.up:
            raise NotPossible(f"{name} runs already")
        if self._world.start_now(node.node_id):
            return False
        self._write_exit(node)
        return True

    def exits(self, name: str, code: int) -> None:
        """Tell how a node has ended by itself.

        Raises:
            NotPossible: it ended in another way.
        """
        node = self._node(name)
        assert node.exit is not None, f"{name} has ended"
        fault = "power_loss" if node.exit[1] == "power loss" else "kill"
        self._undo.pop(f"the failpoint at {name}", None)
        if node.exit[0] == code == EXIT_KILLED:
            self._claim_exit(node, fault, "failpoint")
            return
        self._write_exit(node)
        if node.exit[0] != code:
            raise NotPossible(
                f"{name} was to end with exit code {code} and ended with {node.exit[0]}: "
                f"{_reason(node)}"
            )

    def pause(self, nodes: Iterable[str]) -> None:
        """Let nodes stand still. It is no crash: they forget nothing."""
        for name in nodes:
            node = self._up(name)
            if node.paused:
                raise NotPossible(f"{name} is paused already")
            node.pause()
            self._undo[f"the pause of {name}"] = partial(self._resume_if_paused, node)
            self._world.fault("fault_applied", "pause", [name], _SIMULATOR, {}, "it stands still")

    def resume(self, nodes: Iterable[str]) -> None:
        """End a pause."""
        for name in nodes:
            node = self._node(name)
            self._undo.pop(f"the pause of {name}", None)
            if not node.paused:
                raise NotPossible(f"{name} is not paused")
            self._world.fault("fault_undone", "pause", [name], _SIMULATOR, {}, "it goes on")
            node.resume()

    def _resume_if_paused(self, node: Node) -> None:
        # It may have been killed meanwhile, which ends a pause, too.
        if node.paused:
            self.resume([node.name])

    # --- failpoints and disks ---------------------------------------------------------

    def failpoint(self, failpoint: Failpoint) -> None:
        """Arm a failpoint."""
        node = self._up(failpoint.node)
        self._undo[f"the failpoint at {node.name}"] = node.armed.clear
        instance = self._instances[failpoint.instance]
        node.arm(Armed(failpoint.point, instance, failpoint.kind, failpoint.power))

    def disk_fault(self, fault: DiskFault) -> None:
        """Let a disk do what disks do.

        Raises:
            NotPossible: the node is not down, or not up, as it must be.
        """
        node = self._node(fault.node)
        if node.up != (fault.fault in {"fail_sync", "tear"}):
            state = "runs" if node.up else "is down"
            raise NotPossible(f"{node.name} {state}, and its disk cannot {fault.fault}")
        match fault.fault:
            case "fail_sync":
                node.disk.fail_sync()
                evidence = "its next sync fails"
            case "tear":
                node.disk.tears = True
                evidence = "its next power loss leaves some first part of what is not synced"
            case "corrupt":
                self._world.read_disk(node)
                evidence = f"{self._corrupt(node)} is another byte"
            case "lose":
                self._world.read_disk(node)
                node.disk.lose()
                evidence = "its directory is empty"
            case unknown:
                raise AssertionError(f"no disk can {unknown}")
        self._world.fault(
            "fault_applied",
            "disk_fault",
            [node.name],
            _SIMULATOR,
            {"fault": fault.fault},
            evidence,
        )

    @staticmethod
    def _corrupt(node: Node) -> str:
        try:
            return node.disk.corrupt()
        except LookupError as error:
            raise NotPossible(str(error)) from error

    # --- the network ------------------------------------------------------------------

    def cut(self, cut: Cut) -> None:
        """Cut links, both ways."""
        pairs = cut.pairs(self._names(self._world.members))
        self._cuts[cut.name] = cut
        self._undo[cut.name] = lambda: self.heal([cut.name])
        self._world.network.cut(cut.name, _both_ways(pairs))
        shape = " | ".join(", ".join(group) for group in cut.groups)
        evidence = f"{shape}; {self._probed(_both_ways(pairs), 'failed')}"
        self._claim_cut("fault_applied", cut, evidence)

    def rule(self, rule: GateRule) -> None:
        """Put a rule of the gate in force."""
        self._rules[rule.name] = rule
        self._undo[rule.name] = lambda: self.heal([rule.name])
        instance = 0 if rule.instance is None else self._instances[rule.instance]
        self._world.network.set_rule(rule, instance)
        if rule.action == "cut" and not rule.kinds and rule.instance is None:
            evidence = self._probed(self._ways(rule), "failed")
        else:
            evidence = f"{as_text(rule)}; {len(self._world.running())} gates confirm it"
        self._claim_rule("fault_applied", rule, evidence)

    def heal(self, names: Iterable[str] = ()) -> None:
        """End faults of the network by name, or all."""
        for name in list(names) or list(self.in_force):
            self._undo.pop(name, None)
            if name in self._cuts:
                cut = self._cuts.pop(name)
                ways = self._world.network.mend(name)
                free = [way for way in sorted(ways) if self._world.network.passes(*way)]
                self._claim_cut("fault_undone", cut, self._probed(free, "answered"))
            elif name in self._rules:
                self._end_rule(name)

    def release(self, release: Release) -> None:
        """Let held messages go on.

        Raises:
            NotPossible: fewer are held than were to be released.
        """
        if release.first is None:
            if release.name in self._rules:
                self._undo.pop(release.name, None)
                self._end_rule(release.name)
            return
        fitting = self._fitting(release)
        for node, held in fitting[: release.first]:
            node.gate.release(held)
        if len(fitting) < release.first:
            raise NotPossible(
                f"{release.first} messages were to be released, "
                f"but {release.first - len(fitting)} of them are not held"
            )

    def _fitting(self, release: Release) -> list[tuple[Node, Held]]:
        """The held messages that a release chooses from."""
        names = self._names
        return [
            (node, held)
            for node, held in self._world.network.held_by(release.name)
            if (not release.kinds or held.passage.kind in release.kinds)
            and (not release.sources or names([held.passage.source])[0] in release.sources)
            and (not release.to or names([held.passage.to])[0] in release.to)
        ]

    def _end_rule(self, name: str) -> None:
        rule = self._rules.pop(name)
        released = self._world.network.end_rule(name)
        evidence = f"{as_text(rule)} may pass again"
        if rule.action == "hold":
            evidence = f"{released} held messages go on"
        self._claim_rule("fault_undone", rule, evidence)

    # --- lines ------------------------------------------------------------------------

    def _claim_exit(self, node: Node, fault: str, mechanism: str) -> None:
        self._down[node.name] = fault
        self._write_exit(node)
        evidence = f"exit code {node.exit[0]} ({node.exit[1]})" if node.exit else ""
        self._world.fault("fault_applied", fault, [node.name], mechanism, {}, evidence)

    def _write_exit(self, node: Node) -> None:
        assert node.exit is not None, f"{node.name} has ended"
        code, reason = node.exit
        self._world.tick()
        self._world.tell(
            {"event": "node_exited", "of": node.name, "exit_code": code, "reason": reason}
        )

    def _claim_cut(self, event: str, cut: Cut, evidence: str) -> None:
        pairs = cut.pairs(self._names(self._world.members))
        ends = sorted({node for pair in pairs for node in pair}, key=node_key)
        detail = {"groups": [list(g) for g in cut.groups], "pairs": [list(p) for p in pairs]}
        targets = sorted(cut.groups[0], key=node_key) if cut.fault == "isolate" else ends
        self._world.fault(event, cut.fault, targets, _SIMULATOR, detail, evidence)

    def _claim_rule(self, event: str, rule: GateRule, evidence: str) -> None:
        fields: dict[str, Any] = {
            "rule": rule.name,
            "action": rule.action,
            "from": list(rule.sources),
            "to": list(rule.to),
            "kinds": list(rule.kinds),
            "percent": rule.percent,
            "delay_ms": rule.delay_ms,
            "delay_most_ms": rule.delay_most_ms,
            "copies": rule.copies,
        }
        targets = rule.sources or rule.to or self._names(self._world.members)
        fault = "cut one way" if rule.action == "cut" else rule.action
        detail = {name: found for name, found in fields.items() if found}
        self._world.fault(event, fault, sorted(targets, key=node_key), "gate", detail, evidence)

    def _probed(self, ways: Iterable[Way], ended: str) -> str:
        """Ask of each way between nodes that run whether a message passes, and tell it."""
        nodes = self._world.nodes
        asked = [(a, b) for a, b in ways if nodes[a].up and nodes[b].up]
        passing = ended == "answered"
        assert all(self._world.network.passes(*way) is passing for way in asked), (
            f"not every probe over {asked} {ended}"
        )
        return f"all {len(asked)} probes over it {ended}"

    def _ways(self, rule: GateRule) -> list[Way]:
        everyone = self._names(self._world.members)
        return [
            (node_key(source), node_key(to))
            for source in rule.sources or everyone
            for to in rule.to or everyone
            if source != to
        ]

    def _names(self, nodes: Iterable[int]) -> tuple[str, ...]:
        return tuple(self._world.nodes[node].name for node in nodes)

    def _node(self, name: str) -> Node:
        return self._world.nodes[node_key(name)]

    def _up(self, name: str) -> Node:
        node = self._node(name)
        if not node.up:
            raise NotPossible(f"{name} is down")
        return node


def _allows(verb: str, node: Node) -> bool:
    match verb:
        case "start":
            return not node.up
        case "resume":
            return node.paused
        case "pause":
            return node.up and not node.paused
        case "stop":
            return node.up and not node.paused and not node.dying
        case _:
            # One that is about to end is left to it: its log must tell of that end.
            return node.up and not node.dying


def _reason(node: Node) -> str:
    return "" if node.exit is None else node.exit[1]


def _both_ways(pairs: Iterable[tuple[str, str]]) -> list[Way]:
    keys = [(node_key(low), node_key(high)) for low, high in pairs]
    return [way for low, high in keys for way in ((low, high), (high, low))]


def as_text(rule: GateRule) -> str:
    """A rule in words: ``accept from n1``."""
    text = " and ".join(rule.kinds) if rule.kinds else "everything"
    if rule.sources:
        text += f" from {', '.join(rule.sources)}"
    if rule.to:
        text += f" to {', '.join(rule.to)}"
    if rule.action in {"drop", "duplicate", "reorder"}:
        return f"{rule.percent} % of {text}"
    if rule.action == "delay":
        least, most = rule.delay_ms, rule.delay_most_ms
        return f"{text} by {least} ms" if least == most else f"{text} by {least} to {most} ms"
    return text
