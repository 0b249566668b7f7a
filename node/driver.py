"""The driver: one task that takes inputs, steps the core, and carries out its effects.

One turn takes a batch, at most one input of each instance, and then:

1. Each input is given to the core, its line is written, its state adopted,
   and its records are collected.
2. All records go to disk with one sync.
3. The ``state_persisted`` lines are written, and then the other effects of
   each input are carried out in their order, each line before its effect.

Two rules lie in that order. *A Persist is never overlapped with the next
input of its instance*: a repeated Prepare yields a bare ``Send``, which would
publish a promise whose sync is still running, and a Promise made before an
Accept of the same batch would leave after that pair is on disk (R2). *No
reply of a batch leaves before its sync*, re-answers and refusals included,
for they speak of states that an earlier input of the batch may have made.

Whoever has a message for the core puts it in with :meth:`Driver.put` and
waits for the answer behind a shield; grpc.aio cancels the handler of a call
whose client has gone, and a step that died with it would lose a ``Persist``
and keep the state.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

from node.disk import Disk
from node.failpoints import Armed, Failpoint, Failpoints
from node.log import LineName, Log
from paxos.chance import Chance
from paxos.events import Line
from paxos.protocol import (
    ROLES,
    Accept,
    Accepted,
    Answer,
    CancelTimer,
    Effect,
    Ignore,
    Input,
    Instance,
    Learn,
    Learned,
    LinkUp,
    Message,
    Nack,
    NodeId,
    Persist,
    Prepare,
    Promise,
    ProposeRequested,
    Received,
    Roles,
    Send,
    SetTimer,
    Settings,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)
from paxos.recorder import message_kind, record

EARLY_LIMIT_S: Final = 1.0
"""How long a broken variant's early messages may take to leave before its write begins."""

_REPLIES: Final[Mapping[type, tuple[type, ...]]] = {
    Prepare: (Promise, Nack),
    Accept: (Accepted, Nack),
    Learn: (Learned,),
    Status: (Learn,),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """How the core answered a request.

    Attributes:
        message: the answer; ``None`` when there is none.
        line: the line that sent it.
        reason: why there is no answer.
        stopping: whether that is because the node stops.
    """

    message: Message | None
    line: LineName | None
    reason: str = ""
    stopping: bool = False


@dataclass(slots=True, eq=False)
class Arrival:
    """An input on its way to the core.

    Attributes:
        given: the input.
        cause: the line that sent it, if it is a message and that is known.
        reply: for a request: where the answer goes.
        left: for a request: done once the answer has been given to the wire.
    """

    given: Input
    cause: LineName | None = None
    reply: asyncio.Future[Reply] | None = None
    left: asyncio.Future[None] | None = None

    @property
    def instance(self) -> int:
        """The instance that it is for."""
        if isinstance(self.given, Received):
            return self.given.message.instance
        return self.given.instance

    @property
    def kind(self) -> str:
        """The input's name, as failpoints know it."""
        match self.given:
            case Received(_, message):
                return message_kind(message)
            case ProposeRequested():
                return "propose"
            case TimeoutFired():
                return "timeout"
            case LinkUp():
                return "link_up"
            case Started():
                return "started"


class Transport(Protocol):
    """What carries messages away."""

    def send(self, to: NodeId, message: Message, line: LineName) -> asyncio.Future[None]:
        """Take a message for its addressee; nothing is promised.

        Returns:
            Done when its call has ended, or the message was lost.
        """
        ...

    def reachable(self) -> tuple[NodeId, ...]:
        """The peers whose link is up, in order."""
        ...

    async def settled(self) -> None:
        """Return once nothing that was sent would be lost with this process before it left."""
        ...


@dataclass(slots=True, eq=False)
class _Step:
    """What the core made of one input; the first ``done`` effects are carried out.

    ``leaving`` are the ends of the messages among them, where there is one to wait for.
    """

    arrival: Arrival
    effects: tuple[Effect, ...]
    lines: tuple[Line | None, ...]
    done: int = 0
    leaving: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return self.done == len(self.effects)

    @property
    def next(self) -> Effect:
        return self.effects[self.done]

    @property
    def replied(self) -> bool:
        """Whether it sends or answers something, and all of that is on its way."""
        told = [isinstance(effect, Send | Answer) for effect in self.effects]
        return any(told) and not any(told[self.done :])

    def awaits_sync(self) -> bool:
        """Whether a record that must be synced is still to be written."""
        return any(
            isinstance(effect, Persist) and effect.sync for effect in self.effects[self.done :]
        )


@dataclass(frozen=True, slots=True)
class _Written:
    """A record on its way to the disk."""

    step: _Step
    persist: Persist
    line: Line


class Driver:
    """Drives all instances of one node.

    Args:
        node_id: which node.
        members: the acceptors of the cluster.
        settings: of instances that have none of their own.
        log: takes every line.
        disk: takes every record.
        failpoints: asked at each of their points.
        chance: draws the length of timers.
        transport: carries messages away.
        batch_limit_count: how many instances share one sync at most.
        queue_limit_count: how many inputs wait before :attr:`full`.
        roles: what plays the roles; a broken variant's, maybe.
        timers_run: whether timers run out by themselves; else :meth:`fire` does it.
    """

    def __init__(
        self,
        node_id: NodeId,
        members: tuple[NodeId, ...],
        settings: Settings,
        log: Log,
        disk: Disk,
        failpoints: Failpoints,
        chance: Chance,
        transport: Transport,
        batch_limit_count: int,
        queue_limit_count: int,
        roles: Roles = ROLES,
        *,
        timers_run: bool = True,
    ) -> None:
        self._node_id = node_id
        self._members = members
        self._settings = settings
        self._own_settings: list[tuple[int, int, Callable[[Settings], Settings]]] = []
        self._log = log
        self._disk = disk
        self._failpoints = failpoints
        self._chance = chance
        self._transport = transport
        self._batch_limit_count = batch_limit_count
        self._queue_limit_count = queue_limit_count
        self._roles = roles
        self._timers_run = timers_run

        self.instances: dict[int, Instance] = {}
        self._highest_instance = 0
        self._unsettled: set[int] = set()
        self._queues: dict[int, deque[Arrival]] = {}
        self._queued_count = 0
        self._wake = asyncio.Event()
        self._resting = asyncio.Event()
        self._stopping = False
        self._dying = False
        # A timer is its handle while it runs, and its input once it has fired
        # and waits in the queue: there it can still be cancelled. One that a
        # hand is to let run out has no handle.
        self._timers: dict[tuple[int, Timer, int], asyncio.TimerHandle | Arrival | None] = {}
        self._request_count = 0
        self._requests: dict[int, asyncio.Future[Answer | None]] = {}

    # --- what goes in ---------------------------------------------------------

    def recover(self, stored: Mapping[int, Stored]) -> None:
        """Take over what the disk holds, before :meth:`run`."""
        for number, what in stored.items():
            instance = Instance.recovered(
                number,
                self._node_id,
                self._members,
                self.settings_of(number),
                what,
                self._roles,
            )
            self._adopt(number, instance)
            if not instance.settled:
                self.put(Arrival(Started(number)))

    def put(self, arrival: Arrival) -> None:
        """Queue an input. Inputs of one instance are taken in the order they came."""
        if self._stopping:
            self._refuse(arrival)
            return
        number = arrival.instance
        queue = self._queues.get(number)
        if queue is None:
            queue = self._queues[number] = deque()
        queue.append(arrival)
        self._queued_count += 1
        self._resting.clear()
        self._wake.set()

    async def ask(
        self,
        source: NodeId,
        message: Message,
        cause: LineName | None,
        left: asyncio.Future[None] | None = None,
    ) -> Reply:
        """Give a request to the core and wait for its answer.

        Args:
            source: who asks.
            message: what it asks.
            cause: the line that sent it.
            left: the caller says here that the answer has left.
        """
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.put(Arrival(Received(source, message), cause, reply, left))
        return await asyncio.shield(reply)

    async def propose(
        self, instance: int, value: str, timeout_ms: int, cause: LineName | None
    ) -> Answer | None:
        """Give a client's wish to the core and wait for its outcome.

        Returns:
            ``None`` when the node stops first: then nobody knows.
        """
        self._request_count += 1
        request = self._request_count
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        if self._stopping:
            return None
        self._requests[request] = answer
        self.put(Arrival(ProposeRequested(instance, request, value, timeout_ms), cause))
        return await asyncio.shield(answer)

    def fire(self, instance: int, timer: Timer, token: int) -> bool:
        """Let a timer run out that is set and doesn't run; whether there is such a one."""
        key = (instance, timer, token)
        if key not in self._timers or self._timers[key] is not None:
            return False
        self._fire(*key)
        return True

    def link_up(self, peer: NodeId) -> None:
        """Tell every instance that may care that a peer can be reached again."""
        for number in sorted(self._unsettled):
            self.put(Arrival(LinkUp(number, peer)))

    def configure(self, first: int, last: int, change: Callable[[Settings], Settings]) -> None:
        """Change the settings of a range of instances, those to come included."""
        self._own_settings.append((first, last, change))
        for number, instance in self.instances.items():
            if first <= number <= last:
                settings = self.settings_of(number)
                self.instances[number] = instance.with_settings(settings)

    # --- what can be asked ----------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether so many inputs wait that no request should be taken."""
        return self._queued_count >= self._queue_limit_count

    @property
    def waiting_client_count(self) -> int:
        """How many clients have no answer yet."""
        return len(self._requests)

    @property
    def own_settings_count(self) -> int:
        """How many ranges of instances have settings of their own."""
        return len(self._own_settings)

    @property
    def highest_instance(self) -> int:
        """The highest instance that the node has heard of; 0 for none."""
        return self._highest_instance

    def learned(self) -> list[int]:
        """The instances whose chosen value is known here, in order."""
        return sorted(
            number
            for number, instance in self.instances.items()
            if instance.learner.learned is not None
        )

    @property
    def settings(self) -> Settings:
        """The settings of instances that have none of their own."""
        return self._settings

    @property
    def waiting_timers(self) -> list[tuple[int, Timer, int]]:
        """The timers that are set and don't run, in the order in which they were set."""
        return [key for key, running in self._timers.items() if running is None]

    @property
    def at_rest(self) -> bool:
        """Whether every input was taken and all its effects are carried out."""
        return self._resting.is_set()

    async def rest(self) -> None:
        """Wait until that is so."""
        await self._resting.wait()

    def settings_of(self, number: int) -> Settings:
        """The settings of an instance."""
        settings = self._settings
        for first, last, change in self._own_settings:
            if first <= number <= last:
                settings = change(settings)
        return settings

    # --- the loop -------------------------------------------------------------

    async def run(self) -> None:
        """Drive until :meth:`stop`; the batch in hand is finished.

        Raises:
            StorageFailed: the disk failed. The process must end.
            LogBroken: the log failed. The process must end.
        """
        while not self._stopping:
            batch = self._take_batch()
            if batch:
                await self._carry_out([self._step(arrival) for arrival in batch])
            elif not self._queues:
                self._wake.clear()
                if not self._dying:
                    self._resting.set()
                await self._wake.wait()
        self._refuse_all()

    def stop(self) -> None:
        """Take no further batch."""
        self._stopping = True
        self._wake.set()

    def _take_batch(self) -> list[Arrival]:
        batch: list[Arrival] = []
        for number in list(islice(self._queues, self._batch_limit_count)):
            queue = self._queues.pop(number)
            while queue:
                arrival = queue.popleft()
                self._queued_count -= 1
                if self._still_wanted(arrival):
                    batch.append(arrival)
                    break
            if queue:
                # An instance that has more goes to the end of the line.
                self._queues[number] = queue
        return batch

    def _still_wanted(self, arrival: Arrival) -> bool:
        """Whether a timer that fired was neither cancelled nor set anew meanwhile."""
        if not isinstance(arrival.given, TimeoutFired):
            return True
        key = (arrival.given.instance, arrival.given.timer, arrival.given.token)
        if self._timers.get(key) is not arrival:
            return False
        del self._timers[key]
        return True

    def _step(self, arrival: Arrival) -> _Step:
        number, given = arrival.instance, arrival.given
        before = self.instances.get(number) or Instance.new(
            number,
            self._node_id,
            self._members,
            self.settings_of(number),
            self._roles,
        )
        after, effects = before.step(given)
        cause = None if arrival.cause is None else str(arrival.cause)
        recorded = record(given, before, effects, after, cause)
        self._log.write(recorded.given)
        # An instance of which nothing but a question was heard takes no memory.
        if after != before:
            self._adopt(number, after)
        return _Step(arrival, effects, recorded.effects)

    def _adopt(self, number: int, instance: Instance) -> None:
        self.instances[number] = instance
        self._highest_instance = max(self._highest_instance, number)
        if instance.settled:
            self._unsettled.discard(number)
        else:
            self._unsettled.add(number)

    async def _carry_out(self, steps: list[_Step]) -> None:
        # The correct core's lists hold their records ahead of every Send, and
        # one turn of this loop does it all.
        while steps:
            written = await self._up_to_sync(steps)
            if written:
                await self._to_disk(written)
            else:
                # Others must have their turn, whatever comes in.
                await asyncio.sleep(0)
            steps = [step for step in steps if not self._up_to_record(step)]

    async def _up_to_sync(self, steps: list[_Step]) -> list[_Written]:
        """Carry out what comes before the sync; collect the records."""
        written: list[_Written] = []
        early: list[asyncio.Future[None]] = []
        for step in steps:
            while not step.finished:
                effect = step.next
                if isinstance(effect, Persist):
                    written.append(self._collect(step, effect))
                    if effect.sync:
                        break
                elif not isinstance(effect, Send | Answer):
                    self._perform(step)
                elif step.awaits_sync():
                    # Only a broken variant sends ahead of its record. Then it
                    # must really be out before the write: that is the bug.
                    left = self._perform(step)
                    if left is not None and not self._to_self(effect):
                        early.append(left)
                else:
                    break
        if early:
            await asyncio.wait(early, timeout=EARLY_LIMIT_S)
        if self._failpoints.armed:
            early_repliers = [step.arrival for step in steps if step.replied]
            await self._strike_if_due(Failpoint.AFTER_REPLY, early_repliers)
        return written

    def _collect(self, step: _Step, persist: Persist) -> _Written:
        line = step.lines[step.done]
        assert line is not None, f"a record without a line: {persist}"
        if not persist.sync:
            self._log.write(line)
        step.done += 1
        return _Written(step, persist, line)

    async def _to_disk(self, written: list[_Written]) -> None:
        records = [one.persist.record for one in written]
        synced = [one.step.arrival for one in written if one.persist.sync]
        if not synced:
            await self._disk.append(records)
            return
        await self._strike_if_due(Failpoint.BEFORE_WRITE, synced)
        if self._due(Failpoint.BEFORE_SYNC, synced) is not None:
            await self._disk.append(records)
            await self._strike_if_due(Failpoint.BEFORE_SYNC, synced)
        numbers = await self._disk.append_durably(records)
        for one, number in zip(written, numbers, strict=True):
            if one.persist.sync:
                self._log.write({**one.line, "number": number})
        await self._strike_if_due(Failpoint.AFTER_SYNC, synced)

    def _up_to_record(self, step: _Step) -> bool:
        """Carry out what comes after the sync, up to a further record; whether that was all."""
        dying = self._sends_before_dying(step)
        while not step.finished:
            effect = step.next
            if isinstance(effect, Persist):
                return False
            ended = self._perform(step)
            if isinstance(effect, Send) and dying and message_kind(effect.message) == dying[0]:
                assert ended is not None, "a message between nodes has an end"
                self._die_after(dying[1], step, [ended])
                return True
        if self._failpoints.armed and step.replied:
            due = self._due(Failpoint.AFTER_REPLY, [step.arrival])
            if due is not None:
                self._die_after(due[0], step, step.leaving)
        reply = step.arrival.reply
        if reply is not None and not reply.done():
            reasons = [e.reason for e in step.effects if isinstance(e, Ignore)]
            reply.set_result(Reply(None, None, "; ".join(reasons)))
        return True

    # --- effects --------------------------------------------------------------

    def _perform(self, step: _Step) -> asyncio.Future[None] | None:
        """Carry out the next effect, its line first.

        Returns:
            For a ``Send`` to another node: done once it has left (a reply) or
            its call has ended (a request).
        """
        effect, line = step.next, step.lines[step.done]
        step.done += 1
        match effect:
            case Send(to, message):
                assert line is not None, f"a message without a line: {message}"
                ended = self._send(step.arrival, to, message, self._log.write(line))
                if ended is not None:
                    step.leaving.append(ended)
                return ended
            case SetTimer():
                assert line is not None, f"a timer without a line: {effect}"
                self._set_timer(effect, line)
            case CancelTimer(instance, timer, token):
                assert line is not None, f"a timer without a line: {effect}"
                self._log.write(line)
                self._cancel_timer((instance, timer, token))
            case Answer():
                assert line is not None, f"an answer without a line: {effect}"
                self._log.write(line)
                self._requests.pop(effect.request).set_result(effect)
            case Persist() | Ignore():
                assert not isinstance(effect, Persist), "records go by way of the disk"
        return None

    def _send(
        self, arrival: Arrival, to: NodeId, message: Message, line: LineName
    ) -> asyncio.Future[None] | None:
        given, reply = arrival.given, arrival.reply
        if (
            isinstance(given, Received)
            and given.source == to
            and isinstance(message, _REPLIES.get(type(given.message), ()))
        ):
            if reply is None or reply.done():
                raise AssertionError(f"{message} answers nothing that waits")
            reply.set_result(Reply(message, line))
            return arrival.left
        return self._transport.send(to, message, line)

    def _to_self(self, effect: Effect) -> bool:
        return isinstance(effect, Send) and effect.to == self._node_id

    def _set_timer(self, effect: SetTimer, line: Line) -> None:
        after_ms = self._chance.between(effect.least_ms, effect.most_ms)
        self._log.write({**line, "after_ms": after_ms})
        key = (effect.instance, effect.timer, effect.token)
        self._cancel_timer(key)
        self._timers[key] = None
        if self._timers_run:
            loop = asyncio.get_running_loop()
            self._timers[key] = loop.call_later(after_ms / 1000, self._fire, *key)

    def _cancel_timer(self, key: tuple[int, Timer, int]) -> None:
        running = self._timers.pop(key, None)
        if isinstance(running, asyncio.TimerHandle):
            running.cancel()

    def _fire(self, instance: int, timer: Timer, token: int) -> None:
        reachable = self._transport.reachable()
        arrival = Arrival(TimeoutFired(instance, timer, token, reachable))
        self._timers[instance, timer, token] = arrival
        self.put(arrival)

    # --- failpoints -----------------------------------------------------------

    def _due(self, failpoint: Failpoint, arrivals: list[Arrival]) -> tuple[Armed, int] | None:
        for arrival in arrivals:
            armed = self._failpoints.due(failpoint, arrival.instance, arrival.kind)
            if armed is not None:
                return armed, arrival.instance
        return None

    async def _strike_if_due(self, failpoint: Failpoint, arrivals: list[Arrival]) -> None:
        due = self._due(failpoint, arrivals)
        if due is not None:
            await self._transport.settled()
            self._failpoints.strike(*due)

    def _sends_before_dying(self, step: _Step) -> tuple[str, Armed] | None:
        """The kind of message between two of which the process must end, if it must."""
        if not self._failpoints.armed:
            return None
        kinds = [
            message_kind(effect.message)
            for effect in step.effects[step.done :]
            if isinstance(effect, Send)
        ]
        for kind in kinds:
            armed = self._failpoints.due(Failpoint.BETWEEN_SENDS, step.arrival.instance, kind)
            if armed is not None and kinds.count(kind) > 1:
                return kind, armed
        return None

    def _die_after(self, armed: Armed, step: _Step, ends: list[asyncio.Future[None]]) -> None:
        # The loop goes on meanwhile: a message may be to this very node.
        self._dying = True
        number = step.arrival.instance
        asyncio.gather(*ends).add_done_callback(lambda _: self._failpoints.strike(armed, number))

    # --- the end --------------------------------------------------------------

    def _refuse_all(self) -> None:
        for queue in self._queues.values():
            for arrival in queue:
                self._refuse(arrival)
        self._queues.clear()
        for key in list(self._timers):
            self._cancel_timer(key)
        for answer in self._requests.values():
            answer.set_result(None)
        self._requests.clear()

    @staticmethod
    def _refuse(arrival: Arrival) -> None:
        if arrival.reply is not None:
            arrival.reply.set_result(Reply(None, None, "the node stops", stopping=True))
