"""Figures of a row of proposals: success, latency, availability, messages and syncs."""

import time
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Final

from orchestrator.operations import Operation, Operations
from paxos.events import Line
from paxos.scenario.model import Measure

WINDOW_NS: Final = 100_000_000
"""The windows of availability: 100 ms each."""

MESSAGES: Final = frozenset(
    {
        "prepare_sent",
        "promise_sent",
        "accept_sent",
        "accepted_sent",
        "nack_sent",
        "learn_sent",
        "learned_sent",
        "status_sent",
    }
)
"""What counts as a message of the protocol, those of a node to itself included."""

Figures = dict[str, float | None]
"""A row: each figure's name and number; ``None`` where there is nothing to measure."""


def propose_many(
    operations: Operations, measure: Measure, instances: Sequence[int], limit_s: float
) -> list[Operation]:
    """Propose one value in each instance; returns when all have ended or the limit is reached.

    With ``every_ms`` clients come at that pace whatever becomes of those
    before them, as real ones do; without, each waits for the one before it.
    """
    deadline = time.monotonic() + limit_s
    begun: list[Operation] = []
    for number, instance in enumerate(instances, start=1):
        at = time.monotonic()
        operation = operations.begin(
            f"{measure.row} {number}",
            measure.at,
            instance,
            f"{measure.row} {number}",
            measure.timeout_ms,
        )
        begun.append(operation)
        if measure.every_ms:
            time.sleep(max(0.0, at + measure.every_ms / 1000 - time.monotonic()))
        else:
            _await(operation, deadline)
    for operation in begun:
        _await(operation, deadline)
    return begun


def _await(operation: Operation, deadline: float) -> None:
    try:
        operation.ended.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return


def figures(operations: Sequence[Operation], lines: Sequence[Line]) -> Figures:
    """The figures of one row.

    Args:
        operations: the row's, in the order in which they began.
        lines: the run's, of whatever instance.
    """
    outcomes = Counter(o.told.outcome if o.told else "unknown" for o in operations)
    ok = [o for o in operations if o.told is not None and o.told.outcome == "ok"]
    latencies = [o.latency_ms for o in ok if o.latency_ms is not None]
    instances = {o.instance for o in operations}
    events = Counter(line["event"] for line in lines if line.get("instance") in instances)
    messages = sum(count for event, count in events.items() if event in MESSAGES)
    decided = len(ok)
    return {
        "ok": decided,
        "failed": outcomes["failed"],
        "unknown": outcomes["unknown"],
        "success_percent": round(100 * decided / len(operations), 1),
        "p50_ms": round(median(latencies), 2) if latencies else None,
        "windows_percent": _windows_percent(operations, ok),
        "messages_per_decision": round(messages / decided, 1) if decided else None,
        "syncs_per_decision": round(events["state_persisted"] / decided, 1) if decided else None,
    }


def _windows_percent(operations: Sequence[Operation], ok: Sequence[Operation]) -> float:
    """The share of 100 ms windows, from the first call to the last answer, with a decision."""
    first_ns = operations[0].invoked_ns
    last_ns = max(o.ended_ns or o.invoked_ns for o in operations)
    windows = (last_ns - first_ns) // WINDOW_NS + 1
    hit = {(o.ended_ns - first_ns) // WINDOW_NS for o in ok if o.ended_ns is not None}
    return round(100 * len(hit) / windows, 1)
