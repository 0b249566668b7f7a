"""Waiting until nodes serve and links are ready, by asking the nodes themselves."""

import time
from collections.abc import Collection, Iterable
from typing import Final

from orchestrator.clients import Clients, NodeSilent, at_once
from orchestrator.cluster import Cluster, Condition, LabError, Pair
from paxos.events import node_key

_ASK_EVERY_S: Final = 0.01
_ASK_LIMIT_S: Final = 0.5


def running(cluster: Cluster) -> list[str]:
    """The nodes that run, in order."""
    return [node for node in cluster.members if cluster.condition(node) is Condition.RUNNING]


def await_serving(cluster: Cluster, clients: Clients, nodes: Iterable[str], limit_s: float) -> None:
    """Wait until each of these nodes answers its control service and takes clients.

    Raises:
        LabError: one ended instead, or did not answer in time.
    """
    deadline = time.monotonic() + limit_s

    def wait(node: str) -> None:
        while True:
            try:
                clients.info(node, _ASK_LIMIT_S)
                clients.connect(node)
            except NodeSilent as silent:
                if cluster.condition(node) is Condition.EXITED:
                    raise _ended(cluster, node) from silent
                if time.monotonic() > deadline:
                    raise LabError(
                        f"{node} did not serve within {limit_s:g} s: {silent}"
                    ) from silent
            else:
                return

    at_once(wait, nodes)


def await_links(cluster: Cluster, clients: Clients, cut: Collection[Pair], limit_s: float) -> int:
    """Wait until every link between running nodes is ready, but for those that are cut.

    Returns:
        How many links that are, each counted once.

    Raises:
        LabError: some were not ready in time; the text names them.
    """
    deadline = time.monotonic() + limit_s
    nodes = running(cluster)
    while True:
        missing = at_once(lambda node: _missing(clients, node, nodes, cut), nodes)
        lacking = [
            f"{node} to {peer}"
            for node, peers in zip(nodes, missing, strict=True)
            for peer in peers
        ]
        if not lacking:
            pairs = len(nodes) * (len(nodes) - 1) // 2
            return pairs - sum(low in nodes and high in nodes for low, high in cut)
        for node in nodes:
            if cluster.condition(node) is Condition.EXITED:
                raise _ended(cluster, node)
        if time.monotonic() > deadline:
            raise LabError(f"not ready within {limit_s:g} s: the links {', '.join(lacking)}")
        time.sleep(_ASK_EVERY_S)


def _missing(clients: Clients, node: str, nodes: list[str], cut: Collection[Pair]) -> list[str]:
    try:
        up = set(clients.info(node, _ASK_LIMIT_S).links_up)
    except NodeSilent:
        up = set()
    return [
        peer
        for peer in nodes
        if peer != node and pair_of(node, peer) not in cut and node_key(peer) not in up
    ]


def pair_of(one: str, other: str) -> Pair:
    """The two ends of a link, lower node first."""
    return (one, other) if node_key(one) < node_key(other) else (other, one)


def _ended(cluster: Cluster, node: str) -> LabError:
    exit_ = cluster.wait_exit(node, 1.0)
    code = "no exit code" if exit_ is None else f"exit code {exit_.code} ({exit_.reason})"
    complaint = cluster.complaint(node)
    return LabError(f"{node} ended, {code}" + (f": {complaint}" if complaint else ""))
