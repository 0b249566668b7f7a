"""What clients of a world ask for, and what they are told."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from paxos.events import logged_value
from paxos.protocol import Answer, Outcome

if TYPE_CHECKING:
    from paxos.simulator.node import Node
    from paxos.simulator.world import World

_MS: Final = 1_000_000
_GRACE_MS: Final = 1_000
"""How much longer than its time-out a client waits, for the answer is on its way."""


@dataclass(slots=True, eq=False)
class Operation:
    """One client operation.

    Attributes:
        number: counts the operations of a run, from 1.
        name: the scenario's word for it.
        node: which node is asked.
        instance: in which instance, by number.
        value: what the client wants.
        invoked_ns: when it began.
        ended_ns: when it ended; ``None`` while it waits.
        outcome: ``ok``, ``failed`` or ``unknown``; empty while it waits.
        told: the chosen value, if the client was told one.
        yours: whether that is the client's own.
        reason: why, if there is something to say.
    """

    number: int
    name: str
    node: str
    instance: int
    value: str
    invoked_ns: int
    ended_ns: int | None = None
    outcome: str = ""
    told: str | None = None
    yours: bool = False
    reason: str = ""


class Clients:
    """Begins client operations in a world and records both their ends.

    Args:
        world: where.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self._waiting: dict[tuple[str, int, int], Operation] = {}
        self.all: list[Operation] = []
        world.on_answer = self._answered
        world.on_end = self._ended

    def begin(
        self, name: str, node: "Node", instance: int, value: str, timeout_ms: int
    ) -> Operation:
        """Ask a node to have a value chosen."""
        world = self._world
        operation = Operation(len(self.all) + 1, name, node.name, instance, value, world.now_ns)
        self.all.append(operation)
        cause = world.tell(
            {
                "event": "propose_invoked",
                "instance": instance,
                "operation": operation.number,
                "to": node.name,
                "value": logged_value(value),
            }
        )
        if not node.up:
            self._end(operation, "failed", reason=f"{node.name} is down")
            return operation
        # Before the node may take it: its answer may come at once.
        self._waiting[node.name, node.incarnation, node.request_count + 1] = operation
        world.ask(node, instance, value, timeout_ms, cause)
        if not world.manual:
            late = partial(self._end, operation, "unknown", reason="no answer came in time")
            world.after((timeout_ms + _GRACE_MS) * _MS, late)
        return operation

    def give_up(self) -> None:
        """Record what still waits as unknown: the run ends before its answer."""
        for operation in self.all:
            self._end(operation, "unknown", reason="the run ended before the answer")

    def _answered(self, node: "Node", answer: Answer) -> None:
        operation = self._waiting.pop((node.name, node.incarnation, answer.request), None)
        if operation is None:
            return
        if answer.outcome is Outcome.CHOSEN:
            assert answer.learned is not None, "a chosen value is told"
            value = answer.learned.value
            self._end(
                operation, "ok", told=value, yours=value == operation.value, reason=answer.reason
            )
        else:
            self._end(operation, str(answer.outcome), reason=answer.reason)

    def _ended(self, node: "Node") -> None:
        for key, operation in list(self._waiting.items()):
            if key[0] == node.name:
                del self._waiting[key]
                self._end(operation, "unknown", reason=f"{node.name} ended before it answered")

    def _end(
        self,
        operation: Operation,
        outcome: str,
        told: str | None = None,
        *,
        yours: bool = False,
        reason: str,
    ) -> None:
        if operation.ended_ns is not None:
            return
        operation.ended_ns = self._world.now_ns
        operation.outcome, operation.told = outcome, told
        operation.yours, operation.reason = yours, reason
        self._world.tell(
            {
                "event": "propose_completed",
                "instance": operation.instance,
                "operation": operation.number,
                "outcome": outcome,
                "value": None if told is None else logged_value(told),
                "yours": yours,
                "reason": reason,
            }
        )
