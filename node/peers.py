"""The way to the other nodes: one channel each, watched, and the calls over it.

A message of the core becomes a call; what the call returns becomes inputs of
the core. Both ends of that pass the gate (``node/gate.py``). A message to the
node itself takes the same way without a call. Nothing is sent twice here: the
core is what tries again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import grpc
from google.protobuf.message import Message as Protobuf

from node.codec import Answered, Codec, WireError
from node.config import Address, Config
from node.driver import Arrival, Driver
from node.ending import Tasks
from node.gate import Gate, Passage
from node.log import LineName, Log
from node.wire import paxos_pb2 as wire
from node.wire import paxos_pb2_grpc
from paxos.events import Line
from paxos.protocol import Message, NodeId, Received, Status, node_name
from paxos.recorder import message_kind

UNREACHABLE: Final = "UNAVAILABLE"
READY: Final = grpc.ChannelConnectivity.READY


class CallFailed(Exception):
    """A call without a reply. The text is its gRPC status, or what was wrong with the reply."""


def channel_options(config: Config) -> list[tuple[str, int]]:
    """How a channel finds out soon that a link is gone, and soon that it is back.

    Back-off alone does not help after a silent drop of packets: keepalive does.
    """
    return [
        ("grpc.initial_reconnect_backoff_ms", config.reconnect_least_ms),
        ("grpc.min_reconnect_backoff_ms", config.reconnect_least_ms),
        ("grpc.max_reconnect_backoff_ms", config.reconnect_most_ms),
        ("grpc.keepalive_time_ms", config.keepalive_time_ms),
        ("grpc.keepalive_timeout_ms", config.keepalive_timeout_ms),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_receive_message_length", config.message_limit_bytes),
        ("grpc.enable_http_proxy", 0),
        # One message is one call: gRPC must not send it again in silence.
        ("grpc.enable_retries", 0),
        # A channel of its own to each peer shares no fate with another's.
        ("grpc.use_local_subchannel_pool", 1),
    ]


class Peer:
    """One other member, and the channel to it."""

    def __init__(self, node_id: NodeId, address: Address, config: Config) -> None:
        self.node_id = node_id
        self._call_timeout_ms = config.call_timeout_ms
        self._channel = grpc.aio.insecure_channel(str(address), options=channel_options(config))
        self._stub = paxos_pb2_grpc.PaxosStub(self._channel)

    @property
    def state(self) -> grpc.ChannelConnectivity:
        """The state of the channel. Asking makes an idle one connect."""
        return self._channel.get_state(try_to_connect=True)

    async def changed(self, seen: grpc.ChannelConnectivity) -> None:
        """Wait until the channel's state is another than the one seen."""
        await self._channel.wait_for_state_change(seen)

    async def call(self, request: Protobuf, timeout_ms: int | None = None) -> Protobuf:
        """Make one call.

        Args:
            request: decides the method.
            timeout_ms: its deadline; that of the settings if ``None``.

        Raises:
            CallFailed: no reply came back.
        """
        # A call on a channel that is not connected would wait for it, and
        # arrive when nobody expects it any more.
        if self.state is not READY:
            raise CallFailed(UNREACHABLE)
        timeout_s = (timeout_ms or self._call_timeout_ms) / 1000
        reply: Protobuf
        try:
            match request:
                case wire.PrepareRequest():
                    reply = await self._stub.Prepare(request, timeout=timeout_s)
                case wire.AcceptRequest():
                    reply = await self._stub.Accept(request, timeout=timeout_s)
                case wire.LearnRequest():
                    reply = await self._stub.Learn(request, timeout=timeout_s)
                case wire.StatusRequest():
                    reply = await self._stub.Status(request, timeout=timeout_s)
                case _:
                    raise AssertionError(f"no request of the protocol: {type(request)}")
        except grpc.aio.AioRpcError as error:
            raise CallFailed(error.code().name) from error
        return reply

    async def close(self) -> None:
        """Close the channel; calls under way end without a reply."""
        await self._channel.close()


class Links:
    """Which peers can be reached.

    A link is up while its channel is connected and the gate doesn't cut it
    whole, in either direction. Nothing is kept from being sent over a link
    that is down by the gate; but nobody is told again, and nobody asked,
    until it is up.

    Args:
        node_id: this node.
        peers: the other members.
        gate: may cut a link.
        write: takes a line without its header.
    """

    def __init__(
        self,
        node_id: NodeId,
        peers: Mapping[NodeId, Peer],
        gate: Gate,
        write: Callable[[Line], object],
    ) -> None:
        self._node_id = node_id
        self._peers = peers
        self._gate = gate
        self._write = write
        self._up: set[NodeId] = set()
        self.on_up: Callable[[NodeId], None] = lambda _peer: None

    def up(self) -> tuple[NodeId, ...]:
        """The peers whose link is up, in order."""
        return tuple(sorted(self._up))

    async def watch(self, peer: Peer) -> None:
        """Follow one channel for ever."""
        while True:
            # What is waited for is a change from this very state: one between
            # a look and a second reading of the state would go unseen.
            state = peer.state
            self._look_at(peer, state)
            await peer.changed(state)

    def look_again(self) -> None:
        """The gate's rules have changed."""
        for peer in self._peers.values():
            self._look_at(peer, peer.state)

    def _look_at(self, peer: Peer, state: grpc.ChannelConnectivity) -> None:
        rule = self._gate.unplugged(self._node_id, peer.node_id) or self._gate.unplugged(
            peer.node_id, self._node_id
        )
        is_up = state is READY and rule is None
        if is_up == (peer.node_id in self._up):
            return
        name = node_name(peer.node_id)
        if is_up:
            self._up.add(peer.node_id)
            self._write({"event": "link_up", "peer": name})
            self.on_up(peer.node_id)
        else:
            self._up.discard(peer.node_id)
            reason = f"the gate's rule {rule} cuts it"
            if rule is None:
                reason = f"the connection is {state.name.lower().replace('_', ' ')}"
            self._write({"event": "link_down", "peer": name, "reason": reason})


class Carrier:
    """Carries the core's messages, and brings back what they bring.

    Implements :class:`node.driver.Transport`.

    Args:
        node_id: this node.
        peers: the other members.
        codec: reads and writes what goes over the wire.
        gate: passed by every message.
        links: which peers can be reached.
        log: takes ``call_failed``.
        tasks: runs the calls.
    """

    def __init__(
        self,
        node_id: NodeId,
        peers: Mapping[NodeId, Peer],
        codec: Codec,
        gate: Gate,
        links: Links,
        log: Log,
        tasks: Tasks,
    ) -> None:
        self._node_id = node_id
        self._peers = peers
        self._codec = codec
        self._gate = gate
        self._links = links
        self._log = log
        self._tasks = tasks
        self._driver: Driver | None = None

    def serve(self, driver: Driver) -> None:
        """Say who takes what comes back."""
        self._driver = driver

    def reachable(self) -> tuple[NodeId, ...]:
        """The peers whose link is up, in order."""
        return self._links.up()

    async def settled(self) -> None:
        """Return at once: who waits for a message to have left waits for its end."""

    def send(self, to: NodeId, message: Message, line: LineName) -> asyncio.Future[None]:
        """Take a message for its addressee; nothing is promised.

        Returns:
            Done when its call has ended, or the message was lost.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks.spawn(self._carry(to, message, line, ended))
        return ended

    async def ask_all(
        self,
        to: NodeId,
        line: LineName,
        *,
        after: int,
        skip: Iterable[tuple[int, int]],
    ) -> wire.StatusReply | None:
        """Ask a peer for all that it has learned, and give what it says to the core.

        Returns:
            The peer's reply; ``None`` when none came.
        """
        passage = Passage(self._node_id, to, "status", 0, str(line))
        if not await self._gate.admits(passage):
            return None
        request = self._codec.status_request(line, after=after, skip=skip)
        try:
            reply = await self._peers[to].call(request)
            assert isinstance(reply, wire.StatusReply), "Status is answered by its reply"
            answers = self._codec.learned_answers(to, reply)
        except (CallFailed, WireError) as error:
            self._failed(passage, error)
            return None
        for answered in answers:
            self._tasks.spawn(self._bring(to, answered, answers_status=True))
        return reply

    async def _carry(
        self, to: NodeId, message: Message, line: LineName, ended: asyncio.Future[None]
    ) -> None:
        passage = Passage(self._node_id, to, message_kind(message), message.instance, str(line))
        times = await self._gate.admits(passage)
        if to == self._node_id:
            calls = [self._to_self(message, line) for _ in range(times)]
        else:
            calls = [self._call(to, message, line, passage) for _ in range(times)]
        answers = [answered for found in await asyncio.gather(*calls) for answered in found]
        ended.set_result(None)
        for answered in answers:
            # A peer may tell several; none waits for another at the gate.
            bring = self._bring(to, answered, answers_status=isinstance(message, Status))
            if len(answers) == 1:
                await bring
            else:
                self._tasks.spawn(bring)

    async def _to_self(self, message: Message, line: LineName) -> list[Answered]:
        assert self._driver is not None, "the driver is there before any message"
        reply = await self._driver.ask(self._node_id, message, line)
        return [] if reply.message is None else [Answered(reply.message, reply.line)]

    async def _call(
        self, to: NodeId, message: Message, line: LineName, passage: Passage
    ) -> list[Answered]:
        try:
            reply = await self._peers[to].call(self._codec.request(message, line))
            return self._codec.answers(message, to, reply)
        except (CallFailed, WireError) as error:
            self._failed(passage, error)
            return []

    def _failed(self, passage: Passage, error: Exception) -> None:
        status = str(error)
        if isinstance(error, WireError):
            status = f"a reply that no correct peer sends: {error}"
        line: Line = {
            "event": "call_failed",
            "message": passage.message,
            "to": node_name(passage.to),
            "kind": passage.kind,
            "status": status,
        }
        if passage.instance:
            line["instance"] = passage.instance
        self._log.write(line)

    async def _bring(self, source: NodeId, answered: Answered, *, answers_status: bool) -> None:
        assert self._driver is not None, "the driver is there before any message"
        message = answered.message
        passage = Passage(
            source,
            self._node_id,
            message_kind(message),
            message.instance,
            None if answered.cause is None else str(answered.cause),
        )
        given = Received(source, message, answer=answers_status)
        for _ in range(await self._gate.admits(passage)):
            self._driver.put(Arrival(given, answered.cause))
