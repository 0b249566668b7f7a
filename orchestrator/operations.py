"""What clients of the run asked for, and what they were told."""

import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from orchestrator.clients import Clients, Told
from orchestrator.journal import INCARNATION, Journal


@dataclass(slots=True)
class Operation:
    """One client operation.

    Attributes:
        number: counts the run's operations, from 1.
        name: the scenario's word for it.
        node: which node is asked.
        instance: in which instance, by number.
        value: what the client wants.
        invoked_ns: when it began, wall time.
        ended: becomes what the client was told.
        ended_ns: when that was.
    """

    number: int
    name: str
    node: str
    instance: int
    value: str
    invoked_ns: int
    ended: "Future[Told]"
    ended_ns: int | None = None

    @property
    def latency_ms(self) -> float | None:
        """From the call to its answer; ``None`` while it waits."""
        return None if self.ended_ns is None else (self.ended_ns - self.invoked_ns) / 1e6

    @property
    def told(self) -> Told | None:
        """What the client was told; ``None`` while it waits."""
        return self.ended.result() if self.ended.done() else None


class Operations:
    """Begins client operations, each on a thread of its own, and records both its ends."""

    def __init__(self, clients: Clients, journal: Journal) -> None:
        self._clients = clients
        self._journal = journal
        self._lock = threading.Lock()
        self.all: list[Operation] = []

    def begin(self, name: str, node: str, instance: int, value: str, timeout_ms: int) -> Operation:
        """Ask a node to have a value chosen; returns at once."""
        with self._lock:
            operation = Operation(
                number=len(self.all) + 1,
                name=name,
                node=node,
                instance=instance,
                value=value,
                invoked_ns=time.time_ns(),
                ended=Future(),
            )
            self.all.append(operation)
        line = self._journal.write(
            "propose_invoked",
            instance=instance,
            operation=operation.number,
            to=node,
            value=value,
        )
        threading.Thread(
            target=self._run,
            args=(operation, timeout_ms, line["seq"]),
            name=f"client {operation.number}",
            # A lab that is interrupted does not wait for its clients' answers.
            daemon=True,
        ).start()
        return operation

    def _run(self, operation: Operation, timeout_ms: int, seq: int) -> None:
        told = self._clients.propose(
            operation.node, operation.instance, operation.value, timeout_ms, (INCARNATION, seq)
        )
        self._end(operation, told)

    def _end(self, operation: Operation, told: Told) -> None:
        with self._lock:
            if operation.ended_ns is not None:
                return
            operation.ended_ns = time.time_ns()
        self._journal.write(
            "propose_completed",
            instance=operation.instance,
            operation=operation.number,
            outcome=told.outcome,
            value=told.value,
            yours=told.yours,
            reason=told.reason,
        )
        operation.ended.set_result(told)

    def named(self, name: str) -> Operation:
        """The operation of a name that the scenario gave."""
        return next(operation for operation in self.all if operation.name == name)

    def await_all(self, names: tuple[str, ...], limit_s: float) -> list[Operation]:
        """Wait until these have ended; those that have not in time."""
        operations = [self.named(name) for name in names]
        wait([operation.ended for operation in operations], limit_s)
        return [operation for operation in operations if not operation.ended.done()]

    def give_up(self) -> None:
        """Record what still waits as unknown: the run ends before its answer."""
        for operation in list(self.all):
            self._end(
                operation,
                Told("unknown", None, yours=False, reason="the run ended before the answer"),
            )

    def history(self) -> list[dict[str, Any]]:
        """The lines of ``history.jsonl``: each operation as invoked, then as it ended."""
        entries: list[dict[str, Any]] = []
        for operation in self.all:
            told = operation.told
            common = {"operation": operation.number, "name": operation.name}
            entries.append(
                {
                    **common,
                    "type": "invoked",
                    "at_ns": operation.invoked_ns,
                    "instance": operation.instance,
                    "to": operation.node,
                    "value": operation.value,
                }
            )
            if told is not None and operation.ended_ns is not None:
                entries.append(
                    {
                        **common,
                        "type": told.outcome,
                        "at_ns": operation.ended_ns,
                        "instance": operation.instance,
                        "value": told.value,
                        "yours": told.yours,
                        "reason": told.reason,
                    }
                )
        entries.sort(key=lambda entry: (entry["at_ns"], entry["operation"]))
        return entries
