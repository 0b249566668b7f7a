"""The network and the clock of a run in manual mode: what waits, and who gets it when.

Nodes that are marked unsafe hand over every message and every timer
(``node/hand.py``). Here the messages are kept, also those whose sender has
ended since, and a step of the scenario gives one to its addressee. After each
step every node that it touched has come to rest and has handed over what it
sent; so which message is the oldest does not depend on how fast anybody is.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.wire import control_pb2, paxos_pb2
from orchestrator.clients import CALL_TIMEOUT_S, Clients, NodeSilent
from orchestrator.cluster import Cluster, Condition, LabError
from paxos.events import node_key
from paxos.scenario.model import NO_PAIR, Deliver, Fire

_END_LIMIT_S: Final = 5.0


@dataclass(slots=True)
class _Waiting:
    """A message that was sent, and whether somebody got it."""

    message: control_pb2.HandedMessage
    delivered: bool = False


class ByHand:
    """Delivers messages and lets timers run out, one at a time.

    Args:
        cluster: where.
        clients: asks its nodes.
        instances: the scenario's names of instances.
    """

    def __init__(self, cluster: Cluster, clients: Clients, instances: Mapping[str, int]) -> None:
        self._cluster = cluster
        self._clients = clients
        self._instances = instances
        self._waiting: list[_Waiting] = []
        self._taken: dict[str, int] = {}
        self._timers: dict[str, list[control_pb2.HandedTimer]] = {}

    def started(self, node: str, limit_s: float) -> None:
        """A node began another incarnation, which counts its messages anew."""
        self._taken.pop(node, None)
        self.settle(node, limit_s)

    def settle(self, node: str, limit_s: float) -> None:
        """Take what a node has sent until it has nothing more to do, or has ended.

        Raises:
            LabError: it does neither.
        """
        deadline = time.monotonic() + limit_s
        while True:
            left_s = max(0.1, deadline - time.monotonic())
            try:
                reply = self._clients.settle(node, self._taken.get(node, 0), left_s)
            except NodeSilent as silent:
                if self._ended(node):
                    return
                raise LabError(f"{node} did not come to rest: {silent}") from silent
            self._timers[node] = list(reply.timers)
            for message in reply.messages:
                self._waiting.append(_Waiting(message))
                self._taken[node] = message.number
            if reply.at_rest:
                return

    def deliver(self, deliver: Deliver, limit_s: float) -> None:
        """Give a message to its addressee; returns when all its effects are done, or it has ended.

        Raises:
            LabError: no message fits, or the addressee is down.
        """
        found = next((one for one in self._waiting if self._fits(one, deliver)), None)
        if found is None:
            raise LabError(self._nothing_fits(deliver))
        self._check_up(deliver.to)
        self._clients.deliver(deliver.to, found.message)
        found.delivered = True
        self.settle(deliver.to, limit_s)

    def fire(self, fire: Fire, limit_s: float) -> None:
        """Let a timer run out; returns when all effects are done, or the node has ended.

        Raises:
            LabError: no such timer is set, or the node is down.
        """
        self._check_up(fire.node)
        self.settle(fire.node, limit_s)
        instance = self._instances[fire.instance]
        own = [timer for timer in self._timers[fire.node] if timer.instance == instance]
        fitting = [timer for timer in own if timer.timer == fire.timer]
        if not fitting:
            there = ", ".join(timer.timer for timer in own) or "none"
            raise LabError(f"no timer {fire.timer} is set at {fire.node}; set are: {there}")
        self._clients.fire(fire.node, fitting[-1])
        self.settle(fire.node, limit_s)

    def _fits(self, waiting: _Waiting, deliver: Deliver) -> bool:
        message = waiting.message
        reports = NO_PAIR
        if message.HasField("accepted"):
            reports = _ballot(message.accepted.ballot)
        return (
            waiting.delivered is deliver.again
            and message.kind == deliver.kind
            and message.source == node_key(deliver.source)
            and message.to == node_key(deliver.to)
            and message.instance == self._instances[deliver.instance]
            and deliver.ballot in {None, _ballot(message.ballot)}
            and deliver.value in {None, message.value.decode("utf-8")}
            and deliver.promised in {None, _ballot(message.promised)}
            and deliver.accepted in {None, reports}
        )

    def _nothing_fits(self, deliver: Deliver) -> str:
        what = "was delivered before" if deliver.again else "waits"
        there = [
            in_words(one.message)
            for one in self._waiting
            if one.delivered is deliver.again
            and one.message.instance == self._instances[deliver.instance]
        ]
        listed = "; ".join(there) or "nothing"
        wanted = f"{deliver.kind} {deliver.ballot or ''}".strip()
        return (
            f"no {wanted} from {deliver.source} to {deliver.to} {what} that fits; "
            f"there is: {listed}"
        )

    def _check_up(self, node: str) -> None:
        condition = self._cluster.condition(node)
        if condition is not Condition.RUNNING:
            raise LabError(f"{node} is {condition}: nothing can be handed to it")

    def _ended(self, node: str) -> bool:
        return self._cluster.wait_exit(node, _END_LIMIT_S) is not None


def in_words(message: control_pb2.HandedMessage) -> str:
    """A message in words: ``promise 2.n2 (accepted 1.n1) from n1 to n2``."""
    words = [message.kind]
    if message.HasField("ballot"):
        words.append(_ballot(message.ballot))
    if message.value:
        words.append(message.value.decode("utf-8"))
    if message.HasField("accepted"):
        words.append(f"(accepted {_ballot(message.accepted.ballot)})")
    return " ".join([*words, f"from n{message.source} to n{message.to}"])


def _ballot(ballot: paxos_pb2.Ballot) -> str:
    return f"{ballot.round}.n{ballot.node_id}"


SETTLE_LIMIT_S: Final = CALL_TIMEOUT_S
"""How long a node may take to come to rest where no step says how long."""
