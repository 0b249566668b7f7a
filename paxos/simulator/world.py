"""A simulated cluster: its clock, its agenda, its nodes and its log."""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from paxos.chance import Chance
from paxos.events import SCHEMA_VERSION, Line, bundled, encode, level_of
from paxos.protocol import (
    ROLES,
    Answer,
    Instance,
    NodeId,
    ProposeRequested,
    Roles,
    Settings,
    Stored,
    node_name,
)
from paxos.recorder import stored_fields
from paxos.simulator.conditions import CALM, Conditions
from paxos.simulator.disk import CLUSTER, Disk
from paxos.simulator.network import Network, Way
from paxos.simulator.node import EXIT_KILLED, Node
from paxos.simulator.steps import TABLE, State
from paxos.storage import KEEPING, Keeping, StorageError

_MS: Final = 1_000_000

assert SCHEMA_VERSION == 1, "Node.write puts the version of the schema on every line"

__all__ = ["CLUSTER", "World"]


class World:
    """A simulated cluster. Commands are given with their time; :meth:`run` lets time pass.

    Args:
        seed: decides whatever chance decides.
        node_count: how many nodes.
        settings: of every instance, until they are changed.
        conditions: what network and disk are like.
        roles: what plays the roles; a broken variant's, maybe.
        keeping: how state is kept; a broken variant's, maybe.
        variant: the name of what is broken, for the log.
        manual: whether every message and timer waits until it is handed over.
        keeps_log: whether lines are kept. Without, there is nothing to judge.

    Attributes:
        lines: the log so far, in the order in which the lines were written.
        line_count: how many lines the nodes have written, kept or not.
        now_ns: the time.
        nodes: by number.
    """

    def __init__(
        self,
        seed: int,
        node_count: int = 5,
        settings: Settings | None = None,
        conditions: Conditions = CALM,
        roles: Roles = ROLES,
        *,
        keeping: Keeping = KEEPING,
        variant: str | None = None,
        manual: bool = False,
        keeps_log: bool = True,
    ) -> None:
        """Format the disks of the nodes and start them at time 0."""
        self.chance = Chance(seed)
        self.members = tuple(range(1, node_count + 1))
        self.settings = settings or Settings()
        self.conditions = conditions
        self.roles = roles
        self.variant = variant
        self.manual = manual
        self.keeps_log = keeps_log
        self.lines: list[Line] = []
        self.line_count = 0
        self.now_ns = 0
        self.on_answer: Callable[[Node, Answer], None] | None = None
        self.on_end: Callable[[Node], None] | None = None
        self.network = Network(self)
        self._seq = 0
        self._operations = 0
        self._event_count = 0
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._unheard_of: dict[tuple[int, NodeId], State] = {}
        self.nodes = {
            member: Node(self, member, Disk(keeping, member, self.members, self.chance))
            for member in self.members
        }
        for member in self.members:
            self.start(0, member)

    # --- commands: times are in milliseconds of virtual time ------------------------

    def propose(
        self, at_ms: int, node: NodeId, value: str, *, instance: int = 1, timeout_ms: int = 5_000
    ) -> None:
        """A client asks ``node`` to have ``value`` chosen."""
        self._at(at_ms, self._propose, node, value, instance, timeout_ms)

    def kill(self, at_ms: int, *nodes: NodeId) -> None:
        """Memory is lost; what was written to the disk stays, synced or not."""
        for node in nodes:
            self._at(at_ms, self._kill, node)

    def power_loss(self, at_ms: int, *nodes: NodeId, tears: bool = False) -> None:
        """Memory is lost, and so is whatever was not synced; some first part may survive a tear."""
        for node in nodes:
            self._at(at_ms, self._power_loss, node, tears)

    def stop(self, at_ms: int, *nodes: NodeId) -> None:
        """SIGTERM: a node finishes what it does and ends."""
        for node in nodes:
            self._at(at_ms, self._stop, node)

    def start(self, at_ms: int, *nodes: NodeId) -> None:
        """A node starts from its disk."""
        for node in nodes:
            self._at(at_ms, self.start_now, node)

    def pause(self, at_ms: int, node: NodeId) -> None:
        """A node stands still; messages and timers wait for it. It is no crash."""
        self._at(at_ms, self._pause, node)

    def resume(self, at_ms: int, node: NodeId) -> None:
        """A paused node goes on."""
        self._at(at_ms, self._resume, node)

    def partition(self, at_ms: int, *sides: Iterable[NodeId]) -> None:
        """Cut every pair of nodes that are on different sides."""
        shape = [sorted(side) for side in sides]
        self._at(at_ms, self._partition, shape)

    def cut(self, at_ms: int, name: str, *ways: Way) -> None:
        """Cut some ways: one way of a link, or both if both are named."""
        self._at(at_ms, self._cut, name, ways)

    def heal(self, at_ms: int) -> None:
        """Mend every cut."""
        self._at(at_ms, self._heal)

    # --- time ---------------------------------------------------------------------

    def run(self, until_ms: int = 60_000) -> None:
        """Let time pass until nothing is left to happen, or until ``until_ms``.

        A node that cannot find out what is chosen never stops asking, so a
        run without a limit might not end.
        """
        agenda, until_ns, pop = self._agenda, until_ms * _MS, heapq.heappop
        while agenda and agenda[0][0] <= until_ns:
            self.now_ns, _, action, args = pop(agenda)
            action(*args)

    def advance(self, until_ns: int) -> bool:
        """Let the next thing happen; ``False`` if there is none until then.

        The time is then ``until_ns``: waiting in vain takes all of it.
        """
        agenda = self._agenda
        if not agenda or agenda[0][0] > until_ns:
            self.now_ns = max(self.now_ns, until_ns)
            return False
        self.now_ns, _, action, args = heapq.heappop(agenda)
        action(*args)
        return True

    def tick(self) -> None:
        """Let a microsecond pass: what a runner says comes after what it saw."""
        until_ns = self.now_ns + 1_000
        while self.advance(until_ns):
            pass

    def next_ns(self) -> int | None:
        """When the next thing happens; ``None`` if nothing will."""
        return self._agenda[0][0] if self._agenda else None

    def run_until(self, seen: Callable[[Line], bool], until_ms: int = 60_000) -> Line:
        """Let time pass until a line is written that ``seen`` accepts; return that line.

        Commands given next with a time that has passed are carried out at once.

        Raises:
            TimeoutError: no such line was written in time.
        """
        looked = len(self.lines)
        while self.advance(until_ms * _MS):
            for line in self.lines[looked:]:
                if seen(line):
                    return line
            looked = len(self.lines)
        raise TimeoutError(f"no such line within {until_ms} ms of virtual time")

    def push(self, at_ns: int, action: Callable[..., None], args: tuple[Any, ...]) -> None:
        """Put something on the agenda. What has the same time happens in the order of its coming."""
        self._event_count += 1
        heapq.heappush(self._agenda, (at_ns, self._event_count, action, args))

    def after(self, after_ns: int, action: Callable[..., None], *args: object) -> None:
        """Put something on the agenda, so many nanoseconds from now."""
        self.push(self.now_ns + after_ns, action, args)

    def _at(self, at_ms: int, action: Callable[..., object], *args: object) -> None:
        self.push(max(at_ms * _MS, self.now_ns), action, args)  # type: ignore[arg-type]

    def sync_ns(self) -> int:
        """How long the next sync takes."""
        conditions = self.conditions
        return self.chance.between(conditions.sync_least_us, conditions.sync_most_us) * 1_000

    def latency_ns(self) -> int:
        """How long the next message travels."""
        conditions = self.conditions
        return self.chance.between(conditions.latency_least_us, conditions.latency_most_us) * 1_000

    # --- what one can see -----------------------------------------------------------

    def log(self) -> bytes:
        """All lines in their canonical bytes."""
        return b"".join(encode(line) for line in self.lines)

    def transcript(self, levels: Sequence[str] = ("story",)) -> str:
        """The run in sentences, one a line, each with its virtual time in milliseconds."""
        told = [line for line in self.lines if level_of(line) in levels]
        return "".join(
            f"{bundle.lines[0]['at_ns'] // 1000 / 1000:9.3f}  {bundle.text}\n"
            for bundle in bundled(told)
        )

    def running(self) -> list[Node]:
        """The nodes whose processes run, paused ones left out, in order."""
        return [node for node in self.nodes.values() if node.up and not node.paused]

    def instance(self, node: NodeId, number: int = 1) -> Instance | None:
        """A node's memory of an instance; ``None`` if it is down or never heard of it."""
        state = self.nodes[node].states.get(number)
        return None if state is None else state.instance

    def chosen_by(self, node: NodeId, number: int = 1) -> str | None:
        """The value that a node has learned, if it has."""
        instance = self.instance(node, number)
        if instance is None or instance.learner.learned is None:
            return None
        return instance.learner.learned.value

    def read_disks(self) -> None:
        """Log what the disks of nodes that are down hold, so that their logs count as complete.

        A disk that cannot be read is left out.
        """
        for node in self.nodes.values():
            if not node.up:
                self.read_disk(node)

    def read_disk(self, node: Node) -> None:
        """Log what the disk of a node that is down holds, if it can be read."""
        try:
            recovered = node.disk.read()
        except StorageError:
            return
        self.tell(
            {
                "event": "disk_read",
                "of": node.name,
                "incarnation_read": recovered.incarnation,
                "instances": [
                    stored_fields(number, stored)
                    for number, stored in sorted(recovered.instances.items())
                ],
            }
        )

    # --- commands, carried out ------------------------------------------------------

    def _propose(self, to: NodeId, value: str, instance: int, timeout_ms: int) -> None:
        self._operations += 1
        operation = {"instance": instance, "operation": self._operations}
        node = self.nodes[to]
        cause = self.tell(
            {"event": "propose_invoked", **operation, "to": node.name, "value": value}
        )
        if node.up:
            self.ask(node, instance, value, timeout_ms, cause)
            return
        self.tell(
            {
                "event": "propose_completed",
                **operation,
                "outcome": "failed",
                "value": None,
                "yours": False,
                "reason": f"{node.name} is down",
            }
        )

    def ask(self, node: Node, instance: int, value: str, timeout_ms: int, cause: str) -> int:
        """Give a client's wish to a node; the number of the request."""
        request = node.next_request()
        node.give(TABLE.given(ProposeRequested(instance, request, value, timeout_ms)), cause)
        return request

    def _kill(self, target: NodeId) -> None:
        node = self.nodes[target]
        if node.up:
            self._fault("fault_applied", "kill", [target], {}, "its process is gone")
            node.end(EXIT_KILLED, "SIGKILL")

    def _power_loss(self, target: NodeId, tears: bool) -> None:
        node = self.nodes[target]
        if node.up:
            node.disk.tears = tears
            self._fault("fault_applied", "power_loss", [target], {}, "its process is gone")
            node.lose_power()

    def _stop(self, target: NodeId) -> None:
        if self.nodes[target].up:
            self.nodes[target].ask_to_stop()

    def start_now(self, target: NodeId) -> bool:
        """Start a node that is down; whether it is up then."""
        node = self.nodes[target]
        if node.up:
            return True
        if not node.start():
            return False
        self.network.greet(node)
        return True

    def _pause(self, target: NodeId) -> None:
        if self.nodes[target].up:
            self.nodes[target].pause()
            self._fault("fault_applied", "pause", [target], {}, "it stands still")

    def _resume(self, target: NodeId) -> None:
        node = self.nodes[target]
        if node.paused:
            self._fault("fault_undone", "pause", [target], {}, "it goes on")
            node.resume()

    def _partition(self, sides: list[list[NodeId]]) -> None:
        names = [[node_name(node) for node in side] for side in sides]
        shape = " | ".join(" ".join(side) for side in names)
        ways = [
            (a, b)
            for side in sides
            for other in sides
            if side is not other
            for a in side
            for b in other
        ]
        everyone = sorted(node for side in sides for node in side)
        told = f"no message crosses {shape}"
        self._fault("fault_applied", "partition", everyone, {"sides": names}, told)
        self.network.cut("partition", {*ways, *self.network.cuts.get("partition", ())})

    def _cut(self, name: str, ways: tuple[Way, ...]) -> None:
        pairs = [[node_name(a), node_name(b)] for a, b in ways]
        shape = ", ".join(f"{a} to {b}" for a, b in pairs)
        ends = sorted({node for way in ways for node in way})
        told = f"no message passes from {shape}"
        self._fault("fault_applied", "cut one way", ends, {"ways": pairs}, told)
        self.network.cut(name, ways)

    def _heal(self) -> None:
        for name, ways in list(self.network.cuts.items()):
            fault = "partition" if name == "partition" else "cut one way"
            targets = sorted({node for way in ways for node in way})
            self._fault("fault_undone", fault, targets, {}, "every link is back")
            self.network.mend(name)

    # --- what nodes ask of their world ------------------------------------------------

    def unheard_of(self, number: int, node: NodeId) -> State:
        """The state of an instance that a node has not heard of yet."""
        found = self._unheard_of.get((number, node))
        if found is None:
            instance = Instance.new(number, node, self.members, self.settings, self.roles)
            found = self._unheard_of[number, node] = TABLE.state(instance)
        return found

    def configure(self, settings: Settings) -> None:
        """Change the settings of every instance at every node, of those to come, too."""
        self.settings = settings
        self._unheard_of.clear()
        for node in self.nodes.values():
            for number, state in node.states.items():
                node.states[number] = TABLE.state(state.instance.with_settings(settings))

    def peers_hold(self, node: NodeId) -> list[Mapping[int, Stored]]:
        """What the disks of a node's peers hold, of those that can be reached."""
        return [
            self.nodes[peer].disk.read().instances
            for peer in self.members
            if peer != node and self.nodes[peer].up and self.network.passes(node, peer)
        ]

    def answered(self, node: Node, answer: Answer) -> None:
        """A node has answered a client."""
        if self.on_answer is not None:
            self.on_answer(node, answer)

    def ended(self, node: Node) -> None:
        """A node's process is gone: its peers lose their links, its clients their calls."""
        if not self.manual:
            for peer in self.members:
                if peer != node.node_id:
                    self.nodes[peer].link_lost(node.node_id)
        if self.on_end is not None:
            self.on_end(node)
        self.network.addressee_ended(node.node_id)

    # --- lines ------------------------------------------------------------------------

    def _fault(
        self, event: str, fault: str, targets: list[NodeId], detail: dict[str, Any], evidence: str
    ) -> None:
        names = [node_name(node) for node in targets]
        self.fault(event, fault, names, "simulator", detail, evidence)

    def fault(
        self,
        event: str,
        fault: str,
        targets: Sequence[str],
        mechanism: str,
        detail: Mapping[str, Any],
        evidence: str,
    ) -> None:
        """Log that a fault is in force, or over."""
        self.tell(
            {
                "event": event,
                "fault": fault,
                "targets": list(targets),
                "mechanism": mechanism,
                "detail": dict(detail),
                "evidence": evidence,
                "elapsed_ms": 0,
            }
        )

    def tell(self, fields: Line) -> str:
        """Write a line of the runner's; return its name."""
        self._seq += 1
        if self.keeps_log:
            self.lines.append(
                {
                    "v": SCHEMA_VERSION,
                    "node": "orchestrator",
                    "incarnation": 1,
                    "seq": self._seq,
                    "at_ns": self.now_ns,
                    **fields,
                }
            )
        return f"orchestrator/1/{self._seq}"
