"""What a decision costs, beside what it cannot go below, measured in one run.

The limit: one decision needs three syncs in a row (the round at the proposer,
a promise and an acceptance at an acceptor) and two round trips between nodes.
Both are measured on the same machine in the same minute, so that the ratio
means something where the figures do not. What the client sees is compared,
its own hop to the node included.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from orchestrator.clients import Clients
from orchestrator.cluster import Cluster, LabError
from orchestrator.faults import Faults
from orchestrator.journal import Journal
from orchestrator.ready import await_links, await_serving
from paxos.events import Line
from paxos.scenario.model import Cut

RECORD_BYTES: Final = 100
"""What is appended before each measured sync, about as much as a promise."""
_LINKS_LIMIT_S: Final = 30.0
_PROBE_TIMEOUT_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class DecisionTimes:
    """One cluster's figures; times in microseconds.

    Attributes:
        world: ``local`` or ``docker``.
        node_count: how many nodes.
        decision_count: how many values were proposed, one after another.
        sync_p50_us: fdatasync after an append into a preallocated file, on
            the file system of ``state/``.
        round_trip_p50_us: a unary call from n1 to its peers.
        limit_us: three syncs and two round trips.
        p50_us, p99_us: a decision as its client sees it.
        p50_ratio, p99_ratio: the same, as multiples of the limit.
    """

    world: str
    node_count: int
    decision_count: int
    sync_p50_us: int
    round_trip_p50_us: int
    limit_us: int
    p50_us: int
    p99_us: int
    p50_ratio: float
    p99_ratio: float

    def as_json(self) -> dict[str, object]:
        """All figures, for a program."""
        return asdict(self)


def decision_times(
    cluster: Cluster,
    clients: Clients,
    folder: Path,
    decision_count: int,
    progress: Callable[[int], None],
) -> DecisionTimes:
    """Measure a cluster that nothing else uses.

    Limit and decisions take turns in ten parts, so that a noisy minute of the
    machine falls on both. A decision begins when every node has learned the
    one before it: what is measured is one decision, not how many fit a second.

    Raises:
        LabError: the cluster is not whole, or a proposal did not succeed.
    """
    await_serving(cluster, clients, cluster.members, _LINKS_LIMIT_S)
    await_links(cluster, clients, (), _LINKS_LIMIT_S)
    asked = cluster.members[0]
    instance = 1 + max(clients.info(node).highest_instance for node in cluster.members)
    parts = min(10, decision_count)
    syncs: list[int] = []
    round_trips: list[int] = []
    decisions: list[int] = []
    for part in range(parts):
        syncs += _syncs(folder, 20)
        round_trips += _round_trips(clients, asked, cluster.members[1:], 20)
        count = decision_count * (part + 1) // parts - len(decisions)
        for _ in range(count):
            began = time.perf_counter_ns()
            told = clients.propose(asked, instance, "bench", 10_000, None)
            decisions.append(time.perf_counter_ns() - began)
            if told.outcome != "ok":
                raise LabError(
                    f"a proposal ended {told.outcome} ({told.reason}): see `make status`"
                )
            instance += 1
        progress(count)
    limit_ns = 3 * median(syncs) + 2 * median(round_trips)
    p50_ns, p99_ns = median(decisions), quantiles(decisions, n=100)[98]
    return DecisionTimes(
        cluster.world,
        len(cluster.members),
        decision_count,
        _us(median(syncs)),
        _us(median(round_trips)),
        _us(limit_ns),
        _us(p50_ns),
        _us(p99_ns),
        round(p50_ns / limit_ns, 2),
        round(p99_ns / limit_ns, 2),
    )


def _await_rest(clients: Clients, nodes: Sequence[str], instance: int) -> None:
    deadline = time.monotonic() + _LINKS_LIMIT_S
    for node in nodes:
        while not any(one.HasField("learned") for one in clients.status(node, instance)):
            if time.monotonic() > deadline:
                raise LabError(f"{node} has not learned instance {instance}: see `make status`")


def _us(ns: float) -> int:
    return round(ns / 1_000)


def _syncs(folder: Path, count: int) -> list[int]:
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        fd = file.fileno()
        os.pwrite(fd, b" " * RECORD_BYTES * count, 0)
        os.fsync(fd)
        taken = []
        for number in range(count):
            began = time.perf_counter_ns()
            os.pwrite(fd, b"x" * RECORD_BYTES, number * RECORD_BYTES)
            os.fdatasync(fd)
            taken.append(time.perf_counter_ns() - began)
        return taken


def _round_trips(clients: Clients, asked: str, peers: Sequence[str], count: int) -> list[int]:
    taken = []
    for number in range(count):
        peer = peers[number % len(peers)]
        reply = clients.probe(asked, peer, _PROBE_TIMEOUT_MS)
        if not reply.answered:
            raise LabError(f"{asked} has no link to {peer} ({reply.status}): see `make status`")
        taken.append(reply.elapsed_us * 1_000)
    return taken


def fault_times(
    cluster: Cluster, clients: Clients, rounds: int, progress: Callable[[int], None]
) -> list[dict[str, object]]:
    """Median times to apply and to undo each kind of fault, confirmation included.

    ``undo`` ends when every link is ready again. In milliseconds.
    """
    lines: list[Line] = []
    nodes = cluster.members
    last, half = nodes[-1], len(nodes) // 2 + 1
    pair = Cut("cut", "cut", ((*nodes[:-1],), (*nodes[1:],)))
    sides = Cut("partition", "partition", (tuple(nodes[:half]), tuple(nodes[half:])))
    alone = Cut("isolate", "isolate", (tuple(nodes[:-1]), (last,)))
    with Faults(cluster, clients, Journal(lines.extend), {}, lambda _node: None) as faults:
        for _ in range(rounds):
            faults.pause([last])
            faults.resume([last])
            faults.kill([last])
            faults.start([last])
            for cut in (pair, alone, sides):
                faults.network.cut(cut)
                faults.network.heal([cut.name])
            progress(1)
    return [
        {
            "fault": fault,
            "rounds": rounds,
            "apply_p50_ms": _median_ms(lines, "fault_applied", fault),
            "undo_p50_ms": _median_ms(lines, "fault_undone", fault),
        }
        for fault in ("pause", "kill", "cut", "isolate", "partition")
    ]


def _median_ms(lines: Sequence[Line], event: str, fault: str) -> int:
    times: list[int] = [
        line["elapsed_ms"] for line in lines if line["event"] == event and line["fault"] == fault
    ]
    return round(median(times))
