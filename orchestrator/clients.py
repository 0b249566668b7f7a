"""Asking nodes: the control service, and the public one as a client would.

Calls are synchronous; whoever wants several at once uses threads, which is
what :func:`at_once` is for.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from node.wire import control_pb2, control_pb2_grpc, paxos_pb2, paxos_pb2_grpc
from orchestrator.cluster import Cluster
from paxos.events import node_key

_Given = TypeVar("_Given")
_Got = TypeVar("_Got")

CALL_TIMEOUT_S: Final = 5.0
_WIRE_GRACE_S: Final = 3.0

# A node that was started again answers at the same address: look for it often.
# What gRPC calls the least back-off is also how long it lets a connection be
# made, and a busy machine takes its time.
_CHANNEL_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.enable_http_proxy", 0),
)


class NodeSilent(Exception):
    """A node did not answer a control call; the text says which and how it ended."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a client's operation ended.

    Attributes:
        outcome: ``ok``, ``failed`` (it never will be chosen) or ``unknown``.
        value: the chosen value, if one is known.
        yours: whether it is the client's own.
        reason: a sentence, for those that are not ok.
    """

    outcome: str
    value: str | None
    yours: bool
    reason: str


def at_once(do: Callable[[_Given], _Got], each: Iterable[_Given]) -> list[_Got]:
    """Do something for each of several, all at once; the results in their order.

    Raises:
        Exception: the first of those that were raised, once all are done.
    """
    given = list(each)
    if len(given) <= 1:
        return [do(one) for one in given]
    with ThreadPoolExecutor(max_workers=min(len(given), 32)) as pool:
        return list(pool.map(do, given))


class Clients:
    """Channels to every node of a cluster, opened when first needed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._channels: dict[str, grpc.Channel] = {}

    def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def info(self, node: str, timeout_s: float = CALL_TIMEOUT_S) -> control_pb2.InfoReply:
        """Who a node is, how far its log has come, and what is in force.

        Raises:
            NodeSilent: it did not answer in time.
        """
        reply: control_pb2.InfoReply = self._control(
            node, "Info", control_pb2.InfoRequest(), timeout_s, wait=True
        )
        return reply

    def connect(self, node: str, timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Connect to the public service, so that a client's first call finds it ready.

        Raises:
            NodeSilent: it could not be reached in time.
        """
        # The health service, and not gRPC's own watch of a channel: its thread may
        # ask a channel for its state after it was closed.
        stub: Any = health_pb2_grpc.HealthStub(self._channel(self._cluster.endpoints(node).paxos))
        check = self._call(stub.Check)
        try:
            check(health_pb2.HealthCheckRequest(), timeout=timeout_s, wait_for_ready=True)
        except grpc.RpcError as error:
            raise NodeSilent(
                f"{node}'s public service cannot be reached: {_code(error)}, {_details(error)}"
            ) from error

    def set_gate(self, node: str, rules: Sequence[control_pb2.GateRule]) -> None:
        """Replace all rules of a node's gate."""
        self._control(node, "SetGate", control_pb2.SetGateRequest(rules=rules))

    def held(self, node: str) -> list[control_pb2.HeldMessage]:
        """The messages that a node's gate holds, oldest first."""
        return list(self._control(node, "Held", control_pb2.HeldRequest()).messages)

    def release(self, node: str, numbers: Sequence[int]) -> int:
        """Let held messages go on, in this order; how many."""
        request = control_pb2.ReleaseRequest(numbers=numbers)
        return int(self._control(node, "Release", request).released)

    def arm_failpoint(
        self, node: str, point: str, instance: int, kind: str, *, power: bool = False
    ) -> None:
        """Arm a failpoint, for once; with ``power`` it is a power loss."""
        failpoint = control_pb2.ArmFailpointRequest.Failpoint.Value(point.upper())
        request = control_pb2.ArmFailpointRequest(
            failpoint=failpoint, instance=instance, kind=kind, power=power
        )
        self._control(node, "ArmFailpoint", request)

    def disarm_failpoints(self, node: str) -> None:
        """Disarm every failpoint."""
        self._control(node, "DisarmFailpoints", control_pb2.DisarmFailpointsRequest())

    def lose_power(self, node: str) -> None:
        """Let a node lose power. It can give no reply: see whether its process ends."""
        with contextlib.suppress(NodeSilent):
            self._control(node, "LosePower", control_pb2.LosePowerRequest())

    def fail_disk(self, node: str, fault: str) -> None:
        """Let the disk of a node fail once; the node is marked unsafe.

        Args:
            node: which node.
            fault: ``fail_sync`` or ``tear``.
        """
        number = control_pb2.FailDiskRequest.Fault.Value(fault.upper())
        self._control(node, "FailDisk", control_pb2.FailDiskRequest(fault=number))

    def settle(self, node: str, taken: int, timeout_s: float) -> control_pb2.SettleReply:
        """In manual mode: what a node has sent since the message of this number.

        Raises:
            NodeSilent: it has ended, or sent nothing and did not come to rest either.
        """
        request = control_pb2.SettleRequest(taken=taken)
        reply: control_pb2.SettleReply = self._control(node, "Settle", request, timeout_s)
        return reply

    def deliver(self, node: str, message: control_pb2.HandedMessage) -> None:
        """In manual mode: give a message to a node."""
        self._control(node, "Deliver", control_pb2.DeliverRequest(message=message))

    def fire(self, node: str, timer: control_pb2.HandedTimer) -> None:
        """In manual mode: let a timer of a node run out."""
        self._control(node, "Fire", control_pb2.FireRequest(timer=timer))

    def configure(self, node: str, first: int, last: int, settings: dict[str, Any]) -> None:
        """Set settings of a range of instances."""
        request = control_pb2.ConfigureRequest(
            first_instance=first,
            last_instance=last,
            settings=control_pb2.Settings(**settings),
        )
        self._control(node, "Configure", request)

    def probe(self, node: str, to: str, timeout_ms: int) -> control_pb2.ProbeReply:
        """Make one call over a link and see how it ends."""
        request = control_pb2.ProbeRequest(to=node_key(to), timeout_ms=timeout_ms)
        reply: control_pb2.ProbeReply = self._control(node, "Probe", request)
        return reply

    def propose(
        self, node: str, instance: int, value: str, timeout_ms: int, line: tuple[int, int] | None
    ) -> Told:
        """Ask a node to have a value chosen, and wait for the answer.

        Args:
            node: which node is asked.
            instance: in which instance.
            value: what this client wants.
            timeout_ms: how long it waits for an answer.
            line: incarnation and seq of the log line that announced it, if one did.
        """
        request = paxos_pb2.ProposeRequest(
            instance=instance,
            value=value.encode("utf-8"),
            timeout_ms=timeout_ms,
            line=None if line is None else paxos_pb2.LogLine(incarnation=line[0], seq=line[1]),
        )
        call = self._call(self._paxos_stub(node).Propose)
        try:
            reply: paxos_pb2.ProposeReply = call(request, timeout=timeout_ms / 1000 + _WIRE_GRACE_S)
        except grpc.RpcError as error:
            return _told_by_error(error)
        outcomes = paxos_pb2.ProposeReply
        if reply.outcome == outcomes.CHOSEN:
            return Told("ok", reply.value.decode("utf-8"), reply.yours, reply.reason)
        outcome = "failed" if reply.outcome == outcomes.FAILED else "unknown"
        return Told(outcome, None, yours=False, reason=reply.reason)

    def status(self, node: str, instance: int = 0) -> list[paxos_pb2.InstanceStatus]:
        """What a node has in memory, of one instance or of all, page by page.

        Raises:
            NodeSilent: it did not answer in time.
        """
        found: list[paxos_pb2.InstanceStatus] = []
        call = self._call(self._paxos_stub(node).Status)
        after = 0
        while True:
            request = paxos_pb2.StatusRequest(instance=instance, after=after)
            try:
                reply: paxos_pb2.StatusReply = call(request, timeout=CALL_TIMEOUT_S)
            except grpc.RpcError as error:
                raise NodeSilent(f"{node} did not answer Status: {_code(error)}") from error
            found.extend(reply.instances)
            if not reply.more or not reply.instances:
                return found
            after = reply.instances[-1].instance

    def _control(
        self,
        node: str,
        method: str,
        request: Any,
        timeout_s: float = CALL_TIMEOUT_S,
        *,
        wait: bool = False,
    ) -> Any:
        stub = control_pb2_grpc.ControlStub(self._channel(self._cluster.endpoints(node).control))
        call = self._call(getattr(stub, method))
        try:
            return call(request, timeout=timeout_s, wait_for_ready=wait)
        except grpc.RpcError as error:
            raise NodeSilent(
                f"{node} did not answer {method}: {_code(error)}, {_details(error)}"
            ) from error

    @staticmethod
    def _call(method: Any) -> Callable[..., Any]:
        # The generated stubs serve both kinds of channel, and their types the other kind.
        call: Callable[..., Any] = method
        return call

    def _paxos_stub(self, node: str) -> Any:
        return paxos_pb2_grpc.PaxosStub(self._channel(self._cluster.endpoints(node).paxos))

    def _channel(self, address: str) -> grpc.Channel:
        if address not in self._channels:
            self._channels[address] = grpc.insecure_channel(address, options=_CHANNEL_OPTIONS)
        return self._channels[address]


def _told_by_error(error: grpc.RpcError) -> Told:
    code = _code(error)
    # Refused at the wire: nothing changed, and nothing will. All else may
    # have got through before the call broke.
    definite = code in {"INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED"}
    outcome = "failed" if definite else "unknown"
    return Told(outcome, None, yours=False, reason=f"{code}: {_details(error)}"[:200])


def _code(error: grpc.RpcError) -> str:
    with contextlib.suppress(AttributeError):
        return str(error.code().name)
    return "no status"


def _details(error: grpc.RpcError) -> str:
    with contextlib.suppress(AttributeError):
        return str(error.details()).replace("\n", " ")[:160]
    return str(error)
