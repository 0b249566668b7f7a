"""The whole cluster in one process, in virtual time: a seed decides everything.

It drives the same core, storage and recorder as ``node/`` does, so what it
logs is what a real cluster would log, and the same checker judges it. Nothing
waits: time jumps from one event to the next. Latency, jitter and loss come
from the seed (``paxos.chance``), so equal seeds and equal commands give equal
bytes on every Python.

The world is the driver of ``style.md`` in small: a node takes one input at a
time, writes the input's line, adopts the state, carries the effects out in
order, and does not touch its next input while a sync is under way. A kill may
fall into such a sync: what was written stays (the page cache outlives the
process), what was not said was not heard. A power loss takes it.

    world = World(seed=7, node_count=5)
    world.propose(0, node=1, value="apple")
    world.run()
    print(world.transcript())
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from paxos.chance import Chance
from paxos.events import SCHEMA_VERSION, Line, bundled, encode, level_of, line_id
from paxos.protocol import (
    ROLES,
    CancelTimer,
    Effect,
    Ignore,
    Input,
    Instance,
    LinkUp,
    NodeId,
    Persist,
    ProposeRequested,
    Received,
    Roles,
    Send,
    SetTimer,
    Settings,
    Started,
    Status,
    TimeoutFired,
    Timer,
    node_name,
)
from paxos.recorder import record, recovered_line, stored_fields
from paxos.storage import Storage, format_directory, open_storage, read_storage
from paxos.storage.virtual import VirtualFiles

_MS: Final = 1_000_000
CLUSTER: Final = "simulated"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the network and the disk of a world are like.

    Attributes:
        latency_least_us, latency_most_us: how long a message travels.
        sync_least_us, sync_most_us: how long a sync takes.
        loss_percent: how many of 100 messages are lost.
        duplicate_percent: how many of 100 messages arrive twice.
    """

    latency_least_us: int = 400
    latency_most_us: int = 4_000
    sync_least_us: int = 200
    sync_most_us: int = 2_000
    loss_percent: int = 0
    duplicate_percent: int = 0


@dataclass(slots=True)
class _Pending:
    """An input on its way into the core, with the name of the line that caused it."""

    given: Input
    cause: str | None = None


@dataclass(slots=True)
class _Node:
    """One simulated process and the disk that outlives it."""

    node_id: NodeId
    files: VirtualFiles
    storage: Storage | None = None
    incarnation: int = 0
    seq: int = 0
    requests: int = 0
    instances: dict[int, Instance] = field(default_factory=dict)
    inbox: deque[_Pending] = field(default_factory=deque)
    busy: bool = False
    paused: bool = False
    # A timer's number tells a running one from one that was set anew.
    timers: dict[tuple[int, Timer, int], int] = field(default_factory=dict)
    # What would have happened while it was paused.
    deferred: list[Callable[[], None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return node_name(self.node_id)

    @property
    def up(self) -> bool:
        return self.storage is not None


class World:
    """A simulated cluster. Commands are given with their time; :meth:`run` lets time pass.

    Attributes:
        lines: the log so far, in the order in which the lines were written.
    """

    def __init__(
        self,
        seed: int,
        node_count: int = 5,
        settings: Settings | None = None,
        conditions: Conditions | None = None,
        roles: Roles = ROLES,
    ) -> None:
        """Format the disks of ``node_count`` nodes and start them at time 0."""
        self.chance = Chance(seed)
        self.members = tuple(range(1, node_count + 1))
        self.settings = settings or Settings()
        self.conditions = conditions or Conditions()
        self.roles = roles
        self.lines: list[Line] = []
        self.now_ns = 0
        self._seq = 0
        self._timer_count = 0
        self._event_count = 0
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._cut: set[tuple[NodeId, NodeId]] = set()
        self._operations = 0
        self._nodes = {member: _Node(member, VirtualFiles()) for member in self.members}
        for member in self.members:
            format_directory(self._nodes[member].files, CLUSTER, member, self.members)
        for member in self.members:
            self.start(0, member)

    # Commands. Times are in milliseconds of virtual time.

    def propose(
        self, at_ms: int, node: NodeId, value: str, *, instance: int = 1, timeout_ms: int = 5_000
    ) -> None:
        """A client asks ``node`` to have ``value`` chosen."""
        self._at(at_ms, lambda: self._on_propose(node, value, instance, timeout_ms))

    def kill(self, at_ms: int, *nodes: NodeId) -> None:
        """Memory is lost; what was written to the disk stays, synced or not."""
        for node in nodes:
            self._at(at_ms, lambda node=node: self._on_kill(node, "kill"))  # type: ignore[misc]

    def power_loss(self, at_ms: int, *nodes: NodeId) -> None:
        """Memory is lost, and so is whatever was not synced."""
        for node in nodes:
            self._at(at_ms, lambda node=node: self._on_kill(node, "power_loss"))  # type: ignore[misc]

    def start(self, at_ms: int, *nodes: NodeId) -> None:
        """A node starts from its disk."""
        for node in nodes:
            self._at(at_ms, lambda node=node: self._on_start(node))  # type: ignore[misc]

    def pause(self, at_ms: int, node: NodeId) -> None:
        """A node stands still; messages and timers wait for it. It is no crash."""
        self._at(at_ms, lambda: self._on_pause(node))

    def resume(self, at_ms: int, node: NodeId) -> None:
        """A paused node goes on."""
        self._at(at_ms, lambda: self._on_resume(node))

    def partition(self, at_ms: int, *sides: Iterable[NodeId]) -> None:
        """Cut every pair of nodes that are on different sides."""
        shape = [sorted(side) for side in sides]
        self._at(at_ms, lambda: self._on_partition(shape))

    def heal(self, at_ms: int) -> None:
        """Mend every cut."""
        self._at(at_ms, self._on_heal)

    def run(self, until_ms: int = 60_000) -> None:
        """Let time pass until nothing is left to happen, or until ``until_ms``.

        A node that cannot find out what is chosen never stops asking, so a
        run without a limit might not end.
        """
        while self._agenda and self._agenda[0][0] <= until_ms * _MS:
            self.now_ns, _, action = heapq.heappop(self._agenda)
            action()

    def run_until(self, seen: Callable[[Line], bool], until_ms: int = 60_000) -> Line:
        """Let time pass until a line is written that ``seen`` accepts; return that line.

        Commands given next with a time that has passed are carried out at once.

        Raises:
            TimeoutError: no such line was written in time.
        """
        looked = 0
        while self._agenda and self._agenda[0][0] <= until_ms * _MS:
            self.now_ns, _, action = heapq.heappop(self._agenda)
            action()
            for line in self.lines[looked:]:
                if seen(line):
                    return line
            looked = len(self.lines)
        raise TimeoutError(f"no such line within {until_ms} ms of virtual time")

    def read_disks(self) -> None:
        """Log what the disks of nodes that are down hold, so that their logs count as complete."""
        for node in self._nodes.values():
            if node.up:
                continue
            recovered = read_storage(node.files)
            self._orchestrator(
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

    # What one can see.

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

    def instance(self, node: NodeId, number: int = 1) -> Instance | None:
        """A node's memory of an instance; ``None`` if it is down or never heard of it."""
        return self._nodes[node].instances.get(number)

    def chosen_by(self, node: NodeId, number: int = 1) -> str | None:
        """The value that a node has learned, if it has."""
        instance = self.instance(node, number)
        if instance is None or instance.learner.learned is None:
            return None
        return instance.learner.learned.value

    # Commands, carried out.

    def _on_propose(self, to: NodeId, value: str, instance: int, timeout_ms: int) -> None:
        self._operations += 1
        operation = self._operations
        cause = self._orchestrator(
            {
                "event": "propose_invoked",
                "instance": instance,
                "operation": operation,
                "to": node_name(to),
                "value": value,
            }
        )
        node = self._nodes[to]
        if not node.up:
            self._orchestrator(
                {
                    "event": "propose_completed",
                    "instance": instance,
                    "operation": operation,
                    "outcome": "failed",
                    "value": None,
                    "yours": False,
                    "reason": f"{node.name} is down",
                }
            )
            return
        node.requests += 1
        self._give(node, ProposeRequested(instance, node.requests, value, timeout_ms), cause)

    def _on_kill(self, target: NodeId, fault: str) -> None:
        node = self._nodes[target]
        if not node.up:
            return
        if fault == "power_loss":
            node.files.power_loss()
        node.storage = None
        node.instances, node.timers = {}, {}
        node.inbox.clear()
        node.deferred.clear()
        node.busy = node.paused = False
        self._fault("fault_applied", fault, [target], {}, "its process is gone")
        for peer in self.members:
            if peer != target:
                self._link_lost(peer, target)

    def _on_start(self, target: NodeId) -> None:
        node = self._nodes[target]
        if node.up:
            return
        node.storage, recovered = open_storage(node.files, CLUSTER, target, self.members)
        node.incarnation, node.seq = recovered.incarnation, 0
        self._write(
            node,
            {
                "event": "node_started",
                "cluster": CLUSTER,
                "members": [node_name(member) for member in self.members],
                "settings": {"number_scheme": str(self.settings.scheme)},
                "variant": None,
            },
        )
        for number, on_disk in sorted(recovered.instances.items()):
            stored = self.roles.recover(on_disk)
            self._write(node, recovered_line(number, stored))
            node.instances[number] = Instance.recovered(
                number, target, self.members, self.settings, stored, self.roles
            )
        self._write(node, {"event": "node_ready", "instance_count": len(recovered.instances)})
        for number in sorted(node.instances):
            self._give(node, Started(number))
        for peer in self.members:
            if peer != target and self._linked(target, peer):
                self._link_found(target, peer)
                self._link_found(peer, target)

    def _on_pause(self, target: NodeId) -> None:
        if self._nodes[target].up:
            self._nodes[target].paused = True
            self._fault("fault_applied", "pause", [target], {}, "it stands still")

    def _on_resume(self, target: NodeId) -> None:
        node = self._nodes[target]
        if node.paused:
            node.paused = False
            self._fault("fault_undone", "pause", [target], {}, "it goes on")
            deferred, node.deferred = node.deferred, []
            for action in deferred:
                self._schedule(0, action)
            self._next(node)

    def _on_partition(self, sides: list[list[NodeId]]) -> None:
        cut = {
            (a, b)
            for side in sides
            for other in sides
            if side is not other
            for a in side
            for b in other
        }
        self._cut |= cut
        names = [[node_name(node) for node in side] for side in sides]
        shown = " | ".join(" ".join(side) for side in names)
        everyone = sorted(node for side in sides for node in side)
        self._fault(
            "fault_applied", "partition", everyone, {"sides": names}, f"no message crosses {shown}"
        )
        for a, b in sorted(cut):
            if self._nodes[a].up:
                self._link_lost(a, b)

    def _on_heal(self) -> None:
        mended, self._cut = sorted(self._cut), set()
        if not mended:
            return
        targets = sorted({node for pair in mended for node in pair})
        self._fault("fault_undone", "partition", targets, {}, "every link is back")
        for a, b in mended:
            if self._nodes[a].up and self._nodes[b].up:
                self._link_found(a, b)

    # The driver.

    def _give(self, node: _Node, given: Input, cause: str | None = None) -> None:
        node.inbox.append(_Pending(given, cause))
        self._next(node)

    def _next(self, node: _Node) -> None:
        """Take the next input, unless the node is at work, paused or down."""
        while node.inbox and node.up and not node.busy and not node.paused:
            pending = node.inbox.popleft()
            given, cause = pending.given, pending.cause
            number = given.message.instance if isinstance(given, Received) else given.instance
            before = node.instances.get(number) or Instance.new(
                number, node.node_id, self.members, self.settings, self.roles
            )
            after, effects = before.step(given)
            recorded = record(given, before, effects, after, cause)
            self._write(node, recorded.given)
            node.instances[number] = after
            node.busy = True
            answers = isinstance(given, Received) and isinstance(given.message, Status)
            self._carry_out(
                node, list(zip(effects, recorded.effects, strict=True)), answers=answers
            )

    def _carry_out(
        self, node: _Node, effects: list[tuple[Effect, Line | None]], *, answers: bool
    ) -> None:
        """Carry effects out in order; a sync takes its time and the rest waits for it.

        ``answers`` tells that what is sent answers a ``Status``.
        """
        storage = node.storage
        assert storage is not None, "only a node that is up carries out effects"
        for position, (effect, line) in enumerate(effects):
            match effect:
                case Persist(record_, True):
                    numbers = storage.append([record_])
                    assert line is not None, "what is persisted is logged"
                    line["number"] = numbers[0]
                    rest = effects[position + 1 :]
                    self._later(
                        node,
                        self._sync_ns(),
                        lambda line=line, rest=rest: self._synced(node, line, rest, answers),  # type: ignore[misc]
                    )
                    return
                case Persist(record_, _):
                    self._write(node, line)
                    storage.append([record_])
                case Send(to, message):
                    self._transmit(
                        node, Received(node.node_id, message, answers), to, self._write(node, line)
                    )
                case SetTimer():
                    self._set_timer(node, effect, line)
                case CancelTimer(instance, timer, token):
                    node.timers.pop((instance, timer, token), None)
                    self._write(node, line)
                case Ignore():
                    pass
                case _:
                    # A client's answer: its line is all that there is to it here.
                    self._write(node, line)
        node.busy = False

    def _synced(
        self, node: _Node, line: Line, rest: list[tuple[Effect, Line | None]], answers: bool
    ) -> None:
        assert node.storage is not None, "a node that is down syncs nothing"
        node.storage.sync()
        self._write(node, line)
        self._carry_out(node, rest, answers=answers)
        self._next(node)

    def _transmit(self, sender: _Node, given: Received, to: NodeId, name: str) -> None:
        if to != sender.node_id:
            if self._lost(sender.node_id, to):
                return
            if self._chance_percent(self.conditions.duplicate_percent):
                self._deliver_later(given, to, name)
        self._deliver_later(given, to, name)

    def _lost(self, source: NodeId, to: NodeId) -> bool:
        return (source, to) in self._cut or self._chance_percent(self.conditions.loss_percent)

    def _chance_percent(self, percent: int) -> bool:
        return percent > 0 and self.chance.percent(percent)

    def _deliver_later(self, given: Received, to: NodeId, name: str) -> None:
        source = given.source
        latency_us = (
            self.chance.between(self.conditions.latency_least_us, self.conditions.latency_most_us)
            if source != to
            else 10
        )
        incarnation = self._nodes[to].incarnation

        def deliver() -> None:
            node = self._nodes[to]
            # A connection does not outlive the process at its end.
            if node.up and node.incarnation == incarnation and (source, to) not in self._cut:
                self._give(node, given, name)

        self._schedule(latency_us * 1_000, deliver)

    def _set_timer(self, node: _Node, effect: SetTimer, line: Line | None) -> None:
        assert line is not None, "a timer that is set is logged"
        after_ms = self.chance.between(effect.least_ms, effect.most_ms)
        line["after_ms"] = after_ms
        self._write(node, line)
        key = (effect.instance, effect.timer, effect.token)
        self._timer_count += 1
        number = self._timer_count
        node.timers[key] = number

        def fire() -> None:
            if node.timers.get(key) == number:
                del node.timers[key]
                reachable = tuple(
                    peer
                    for peer in self.members
                    if peer != node.node_id and self._linked(node.node_id, peer)
                )
                self._give(node, TimeoutFired(*key, reachable))

        self._later(node, after_ms * _MS, fire)

    # Links.

    def _linked(self, a: NodeId, b: NodeId) -> bool:
        return self._nodes[a].up and self._nodes[b].up and (a, b) not in self._cut

    def _link_lost(self, at: NodeId, peer: NodeId) -> None:
        node = self._nodes[at]
        if node.up:
            self._write(
                node, {"event": "link_down", "peer": node_name(peer), "reason": "no answer"}
            )

    def _link_found(self, at: NodeId, peer: NodeId) -> None:
        """A link came up: tell what the peer missed, and ask it for what was missed here."""
        node = self._nodes[at]
        self._write(node, {"event": "link_up", "peer": node_name(peer)})
        for number in sorted(node.instances):
            if not node.instances[number].settled:
                self._give(node, LinkUp(number, peer))
        question = self._write(node, {"event": "status_sent", "to": node_name(peer)})
        learned = {n for n, i in node.instances.items() if i.learner.learned is not None}
        incarnation = self._nodes[peer].incarnation

        def ask() -> None:
            asked = self._nodes[peer]
            if not asked.up or asked.incarnation != incarnation or (at, peer) in self._cut:
                return
            self._write(asked, {"event": "status_received", "source": node.name, "cause": question})
            for number, instance in sorted(asked.instances.items()):
                if number not in learned and instance.learner.learned is not None:
                    self._give(asked, Received(at, Status(number)), question)

        self._schedule(self.conditions.latency_least_us * 1_000, ask)

    # Time and lines.

    def _sync_ns(self) -> int:
        return (
            self.chance.between(self.conditions.sync_least_us, self.conditions.sync_most_us) * 1000
        )

    def _at(self, at_ms: int, action: Callable[[], None]) -> None:
        self._push(max(at_ms * _MS, self.now_ns), action)

    def _schedule(self, after_ns: int, action: Callable[[], None]) -> None:
        self._push(self.now_ns + after_ns, action)

    def _later(self, node: _Node, after_ns: int, action: Callable[[], None]) -> None:
        """Schedule what a process does itself: a kill takes it along, a pause delays it."""
        incarnation = node.incarnation

        def act() -> None:
            if not node.up or node.incarnation != incarnation:
                return
            if node.paused:
                node.deferred.append(act)
                return
            action()

        self._schedule(after_ns, act)

    def _push(self, at_ns: int, action: Callable[[], None]) -> None:
        self._event_count += 1
        heapq.heappush(self._agenda, (at_ns, self._event_count, action))

    def _fault(
        self, event: str, fault: str, targets: list[NodeId], detail: dict[str, Any], evidence: str
    ) -> None:
        self._orchestrator(
            {
                "event": event,
                "fault": fault,
                "targets": [node_name(node) for node in targets],
                "mechanism": "simulator",
                "detail": detail,
                "evidence": evidence,
                "elapsed_ms": 0,
            }
        )

    def _orchestrator(self, line: Line) -> str:
        self._seq += 1
        header = {"v": SCHEMA_VERSION, "node": "orchestrator", "incarnation": 1, "seq": self._seq}
        return self._append({**header, "at_ns": self.now_ns, **line})

    def _write(self, node: _Node, line: Line | None) -> str:
        assert line is not None, "this effect is logged"
        node.seq += 1
        header = {
            "v": SCHEMA_VERSION,
            "node": node.name,
            "incarnation": node.incarnation,
            "seq": node.seq,
        }
        return self._append({**header, "at_ns": self.now_ns, **line})

    def _append(self, line: Line) -> str:
        self.lines.append(line)
        return line_id(line)
