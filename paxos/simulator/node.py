"""One simulated process: the driver in virtual time, and what ends it."""

from collections import deque
from typing import TYPE_CHECKING, Final

from paxos.events import Line
from paxos.protocol import (
    Instance,
    LinkUp,
    NodeId,
    Received,
    Started,
    Status,
    TimeoutFired,
    Timer,
    node_name,
)
from paxos.recorder import recovered_line
from paxos.simulator.conditions import shown
from paxos.simulator.disk import CLUSTER, Disk
from paxos.simulator.failpoints import FAILPOINTS, Armed
from paxos.simulator.gate import Gate
from paxos.simulator.steps import (
    TABLE,
    AnswerAct,
    Given,
    PersistAct,
    SendAct,
    SetTimerAct,
    State,
    Step,
)
from paxos.storage import Storage, StorageError

if TYPE_CHECKING:
    from paxos.simulator.world import World

_MS: Final = 1_000_000
EXIT_STOPPED: Final = 0
EXIT_STATE_REFUSED: Final = 3
EXIT_DISK_FAILED: Final = 4
EXIT_KILLED: Final = 137


class Node:
    """One process and the disk that outlives it.

    It takes one input at a time, writes the input's line, adopts the state,
    carries the effects out in order, and does not touch its next input while
    a sync is under way.

    Args:
        world: where it lives.
        node_id: which node.
        disk: its disk.

    Attributes:
        incarnation: how often it was started.
        states: what it remembers of each instance.
        up: whether its process is there.
        paused: whether its process stands still.
        exit: how it ended last: code and reason, as seen from outside.
        request_count: how many wishes of clients it was given, over all its starts.
        armed: its failpoints.
        dying: whether one has struck and waits for the message that it lets arrive.
        gate: judges messages.
    """

    def __init__(self, world: "World", node_id: NodeId, disk: Disk) -> None:
        self.world = world
        self.node_id = node_id
        self.name = node_name(node_id)
        self.disk = disk
        self.incarnation = 0
        self.seq = 0
        self.prefix = ""
        self.states: dict[int, State] = {}
        self.up = False
        self.paused = False
        self.busy = False
        self.stopping = False
        self.exit: tuple[int, str] | None = None
        self.armed: list[Armed] = []
        self.dying = False
        self.gate = Gate(self, world.chance, self.later)
        self._storage: Storage | None = None
        self.request_count = 0
        self._inbox: deque[tuple[Given, str | None]] = deque()
        # A timer's number tells a running one from one that was set anew.
        self._timers: dict[tuple[int, Timer, int], int] = {}
        self._timer_count = 0
        # What would have happened while it was paused.
        self._deferred: list[tuple[object, ...]] = []

    # --- what goes in ---------------------------------------------------------

    def give(self, given: Given, cause: str | None = None) -> None:
        """Queue an input, with the name of the line that caused it."""
        self._inbox.append((given, cause))
        if not self.busy:
            self.work()

    def next_request(self) -> int:
        """A number for a client's wish."""
        self.request_count += 1
        return self.request_count

    def work(self) -> None:
        """Take the next inputs, unless the node is at work, paused or down."""
        inbox = self._inbox
        world = self.world
        while inbox and self.up and not self.busy and not self.paused:
            given, cause = inbox.popleft()
            number = given.instance
            before = self.states.get(number)
            if before is None:
                before = world.unheard_of(number, self.node_id)
            step = before.steps.get(given)
            if step is None:
                step = TABLE.step(before, given)
            self.write(step.line, cause)
            self.states[number] = step.after
            self.busy = True
            self._carry_out(step, 0, cause)

    # --- effects --------------------------------------------------------------

    def _carry_out(self, step: Step, at: int, cause: str | None) -> None:
        """Carry out the effects from ``at`` on; a sync takes its time and the rest waits for it."""
        world = self.world
        for place in range(at, len(step.acts)):
            act = step.acts[place]
            kind = type(act)
            if kind is SendAct:
                self.write(act.line)
                world.network.transmit(self, act.given, act.to, f"{self.prefix}{self.seq}")  # type: ignore[union-attr]
                if self.armed and self._dies_sending(step, place):
                    return
            elif kind is PersistAct:
                if self._persist(step, place, cause):
                    return
            elif kind is SetTimerAct:
                self._set_timer(act)  # type: ignore[arg-type]
            elif kind is AnswerAct:
                self.write(act.line)
                world.answered(self, act.answer)  # type: ignore[union-attr]
            else:
                self.write(act.line)
                self._timers.pop(act.key, None)  # type: ignore[union-attr]
        self._finish(cause)

    def _finish(self, cause: str | None) -> None:
        self.busy = False
        if cause is not None and self.world.network.awaited:
            self.world.network.received(cause)
        if self.stopping and self.up:
            self._stop()

    def _persist(self, step: Step, place: int, cause: str | None) -> bool:
        """Write a record; whether the rest has to wait, or there is none."""
        act = step.acts[place]
        assert isinstance(act, PersistAct), "only a record is written"
        storage = self._storage
        assert storage is not None, "only a node that is up carries out effects"
        if not act.sync:
            self.write(act.line)
            try:
                storage.append(act.records)
            except StorageError as error:
                self._fail(error)
            return not self.up
        if self.armed and self._dies_at("before_write", step):
            return True
        try:
            number = storage.append(act.records)[0]
        except StorageError as error:
            self._fail(error)
            return True
        if self.armed and self._dies_at("before_sync", step):
            return True
        self.later(self.world.sync_ns(), self._synced, (step, place, number, cause))
        return True

    def _synced(self, step: Step, place: int, number: int, cause: str | None) -> None:
        storage = self._storage
        assert storage is not None, "a node that is down syncs nothing"
        try:
            storage.sync()
        except StorageError as error:
            self._fail(error)
            return
        self.write({**step.acts[place].line, "number": number})
        if self.armed and self._dies_at("after_sync", step):
            return
        self._carry_out(step, place + 1, cause)
        if not self.busy:
            self.work()

    def _set_timer(self, act: SetTimerAct) -> None:
        after_ms = self.world.chance.between(act.least_ms, act.most_ms)
        self.write({**act.line, "after_ms": after_ms})
        self._timer_count += 1
        number = self._timers[act.key] = self._timer_count
        if not self.world.manual:
            self.later(after_ms * _MS, self._time_out, (act.key, number))

    def _time_out(self, key: tuple[int, Timer, int], number: int) -> None:
        if self._timers.get(key) == number:
            del self._timers[key]
            reachable = self.world.network.reachable(self.node_id)
            self.give(TABLE.given(TimeoutFired(*key, reachable)))

    def fire(self, timer: Timer, instance: int) -> bool:
        """Let the newest timer of a kind run out by hand; whether there is one."""
        keys = [key for key in self._timers if key[0] == instance and key[1] is timer]
        if not keys:
            return False
        key = max(keys, key=self._timers.__getitem__)
        self._time_out(key, self._timers[key])
        return True

    # --- start and end ----------------------------------------------------------

    def start(self) -> bool:
        """Start from the disk; whether that was not refused."""
        world = self.world
        try:
            self._storage, recovered = self.disk.open(lambda: world.peers_hold(self.node_id))
        except StorageError as error:
            self.exit = EXIT_STATE_REFUSED, str(error)
            return False
        self.up, self.exit = True, None
        self.incarnation, self.seq = recovered.incarnation, 0
        self.prefix = f"{self.name}/{self.incarnation}/"
        self.write(
            {
                "event": "node_started",
                "cluster": CLUSTER,
                "members": [node_name(member) for member in world.members],
                "settings": shown(world.settings),
                "variant": world.variant,
            }
        )
        if recovered.torn is not None:
            torn = recovered.torn
            self.write(
                {
                    "event": "tail_cut",
                    "segment": torn.segment,
                    "number": torn.number,
                    "bytes": torn.byte_count,
                }
            )
        for number, on_disk in sorted(recovered.instances.items()):
            stored = world.roles.recover(on_disk)
            self.write(recovered_line(number, stored))
            self.states[number] = TABLE.state(
                Instance.recovered(
                    number, self.node_id, world.members, world.settings, stored, world.roles
                )
            )
        self.write({"event": "node_ready", "instance_count": len(recovered.instances)})
        for number in sorted(self.states):
            self.give(TABLE.given(Started(number)))
        return True

    def ask_to_stop(self) -> None:
        """SIGTERM: it finishes what it does, writes its last line and ends."""
        self.stopping = True
        if not self.busy:
            self._stop()

    def _stop(self) -> None:
        self.write({"event": "node_stopped", "reason": "it was asked to stop"})
        self.end(EXIT_STOPPED, "it was asked to stop")

    def _fail(self, error: StorageError) -> None:
        """A failed write or sync ends the process: it is never tried again."""
        self.write({"event": "node_stopped", "reason": str(error)})
        self.end(EXIT_DISK_FAILED, str(error))

    def lose_power(self) -> None:
        """What was not synced is undone, and the process ends."""
        self.write({"event": "power_lost", "bytes": self.disk.lose_power(), "names": 0})
        self.end(EXIT_KILLED, "power loss")

    def end(self, code: int, reason: str) -> None:
        """The process is gone: memory, queue, timers and what its gate held."""
        self.disk.end_process()
        self._storage = None
        self.states = {}
        self._timers = {}
        self._inbox.clear()
        self._deferred.clear()
        self.armed.clear()
        self.gate.clear()
        self.up = self.busy = self.paused = self.stopping = self.dying = False
        self.exit = code, reason
        self.world.ended(self)

    # --- failpoints -----------------------------------------------------------

    def arm(self, armed: Armed) -> None:
        """Arm a failpoint, for once."""
        self.armed.append(armed)
        line: Line = {"event": "failpoint_armed", "failpoint": FAILPOINTS[armed.point]}
        if armed.instance:
            line["instance"] = armed.instance
        if armed.kind:
            line["message_kind"] = armed.kind
        if armed.power:
            line["power"] = True
        self.write(line)

    def _due(self, point: str, instance: int, kind: str) -> Armed | None:
        return next((armed for armed in self.armed if armed.fits(point, instance, kind)), None)

    def _dies_at(self, point: str, step: Step) -> bool:
        armed = self._due(point, step.given.instance, step.given.kind)
        if armed is not None:
            self._strike(armed, step.given.instance)
        return armed is not None

    def _dies_sending(self, step: Step, place: int) -> bool:
        """Whether the process ends behind this message: at once, or when it has arrived."""
        act = step.acts[place]
        assert isinstance(act, SendAct), "only a message is sent"
        instance, kind = step.given.instance, act.given.kind
        if act.is_last and self._dies_at("after_reply", step):
            return True
        armed = self._due("between_sends", instance, kind)
        more = any(
            isinstance(later, SendAct) and later.given.kind == kind
            for later in step.acts[place + 1 :]
        )
        if armed is None or not more:
            return False
        if self.world.manual:
            self._strike(armed, instance)
            return True
        # It goes on meanwhile, for the message may be to this very node; the
        # rest of the step is never done.
        self.armed.remove(armed)
        self.dying = True
        incarnation = self.incarnation

        def strike() -> None:
            if self.up and self.incarnation == incarnation:
                self._strike(armed, instance)

        self.world.network.awaited[f"{self.prefix}{self.seq}"] = act.to, strike
        self.busy = False
        return True

    def _strike(self, armed: Armed, instance: int) -> None:
        line: Line = {
            "event": "failpoint_hit",
            "failpoint": FAILPOINTS[armed.point],
            "instance": instance,
        }
        if armed.power:
            self.disk.lose_power()
            line["power"] = True
        self.write(line)
        self.end(EXIT_KILLED, "power loss" if armed.power else "SIGKILL")

    # --- pause ------------------------------------------------------------------

    def pause(self) -> None:
        """Stand still; messages and timers wait. It is no crash."""
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        deferred, self._deferred = self._deferred, []
        for args in deferred:
            self.world.push(self.world.now_ns, self._act, args)
        self.work()

    def later(self, after_ns: int, action: object, args: tuple[object, ...]) -> None:
        """Schedule what the process does itself: its end takes it along, a pause delays it."""
        world = self.world
        world.push(world.now_ns + after_ns, self._act, (self.incarnation, action, args))

    def _act(self, incarnation: int, action: object, args: tuple[object, ...]) -> None:
        if not self.up or self.incarnation != incarnation:
            return
        if self.paused:
            self._deferred.append((incarnation, action, args))
            return
        action(*args)  # type: ignore[operator]

    # --- links and lines ----------------------------------------------------------

    def link_lost(self, peer: NodeId) -> None:
        """The link to a peer is gone."""
        if self.up:
            self.write({"event": "link_down", "peer": node_name(peer), "reason": "no answer"})

    def link_found(self, peer: NodeId) -> str:
        """A link came up: tell what the peer missed; the line that asks it what was missed here."""
        self.write({"event": "link_up", "peer": node_name(peer)})
        for number in sorted(self.states):
            if not self.states[number].settled:
                self.give(TABLE.given(LinkUp(number, peer)))
        self.write({"event": "status_sent", "to": node_name(peer)})
        return f"{self.prefix}{self.seq}"

    def answer_all(self, source: NodeId, learned: set[int], question: str) -> None:
        """Answer a question about all instances: what is learned here and not there."""
        self.write({"event": "status_received", "source": node_name(source), "cause": question})
        for number, state in sorted(self.states.items()):
            if number not in learned and state.learned:
                self.give(TABLE.given(Received(source, Status(number))), question)

    def write(self, fields: Line, cause: str | None = None) -> None:
        """Write a line of this node; its name is then ``prefix`` and ``seq``."""
        self.seq += 1
        world = self.world
        world.line_count += 1
        if not world.keeps_log:
            return
        line = {
            "v": 1,
            "node": self.name,
            "incarnation": self.incarnation,
            "seq": self.seq,
            "at_ns": world.now_ns,
            **fields,
        }
        if cause is not None:
            line["cause"] = cause
        world.lines.append(line)
