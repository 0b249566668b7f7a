"""One node from its start to its end: how the parts are put together.

In the order in which a message travels: ``services`` (or ``peers``, for a
reply) → ``codec`` → ``gate`` → ``driver`` → the core → ``disk`` → ``log`` →
``gate`` → ``peers``.
"""

import asyncio
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from node.catchup import Catchup
from node.codec import Codec
from node.config import Address, BadConfiguration, Config
from node.control import CONTROL, ControlService
from node.disk import Disk
from node.driver import Driver
from node.ending import EXIT_STOPPED, Tasks
from node.failpoints import Failpoints
from node.files import RealFiles
from node.gate import Gate
from node.hand import Hand
from node.log import STANDARD_OUTPUT, Log, Output
from node.peers import Carrier, Links, Peer
from node.refusals import Refusals
from node.services import PAXOS, PaxosService, handlers
from node.unsafe import CORRECT, Played
from paxos.chance import Chance
from paxos.events import Line
from paxos.protocol import Roles, node_name
from paxos.recorder import recovered_line
from paxos.storage import Keeping, NotFormatted, Recovered, Storage, StorageFailed


def server_options(config: Config) -> list[tuple[str, int]]:
    """How the servers of a node treat connections."""
    return [
        # Peers ping a silent link to find out that it is gone; let them.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_receive_message_length", config.message_limit_bytes),
        # A port in use must be an error, not two nodes that share calls.
        ("grpc.so_reuseport", 0),
    ]


async def serve(config: Config, played: Played = CORRECT) -> int:
    """Run a node until it is told to stop.

    Args:
        config: all settings.
        played: the roles and the storage; a broken variant's, maybe.

    Returns:
        The exit code.

    Raises:
        BadConfiguration: an address can't be listened on, or the health file has no
            directory. Nothing was touched.
        StorageError: the state directory is refused.
    """
    if config.health_file and not Path(config.health_file).parent.is_dir():
        raise BadConfiguration(
            f"PAXOS_HEALTH_FILE must be in a directory that exists, and is {config.health_file!r}"
        )
    # Bound before the disk is touched: an address in use costs no incarnation.
    public = _server(config, config.listen, "PAXOS_LISTEN")
    control = _server(config, (config.control_listen,), "PAXOS_CONTROL_LISTEN")
    files = RealFiles(Path(config.state_dir))
    storage, recovered = _open(files, config, played.keeping)
    node = Node(config, played.roles, files, storage, recovered)
    try:
        await node.start(public, control)
        reason = await node.stop_reason
        await node.stop(reason, (public, control))
    except Exception as error:  # A task root; the log must say how this ended.
        node.end_for(error)
    files.close()
    return EXIT_STOPPED


class Node:
    """The parts of a running node.

    Args:
        config: all settings.
        roles: what plays the roles.
        files: the directory under the storage, which may lose power.
        storage: the open state directory.
        recovered: what it held.
    """

    def __init__(
        self,
        config: Config,
        roles: Roles,
        files: RealFiles,
        storage: Storage,
        recovered: Recovered,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.stop_reason: asyncio.Future[str] = loop.create_future()
        self._config = config
        self._recovered = recovered
        self._roles = roles
        seed = config.seed
        if seed is None:
            seed = int.from_bytes(os.urandom(8), "big")
        chance = Chance(seed)

        self._log = Log(config.node, recovered.incarnation, Output(STANDARD_OUTPUT))
        self._tasks = Tasks(self._log)
        loop.set_exception_handler(self._tasks.on_loop_error)
        self._disk = Disk(storage)
        self._gate = Gate(self._log.write, chance, config.held_limit_count)
        self._files = files
        self._failpoints = Failpoints(self._log.write, self._log.write_last, files)
        self._refusals = Refusals(self._log, config.refusal_interval_ms)
        self._codec = Codec(config.node, config.members)
        self._peers = {peer: Peer(peer, address, config) for peer, address in config.peers}
        self._links = Links(config.node, self._peers, self._gate, self._log.write)
        self._carrier = Carrier(
            config.node,
            self._peers,
            self._codec,
            self._gate,
            self._links,
            self._log,
            self._tasks,
        )
        self._hand = Hand(config.node, config.members) if config.unsafe_manual else None
        self._driver = Driver(
            config.node,
            config.members,
            config.core(),
            self._log,
            self._disk,
            self._failpoints,
            chance,
            self._hand or self._carrier,
            config.batch_limit_count,
            config.queue_limit_count,
            roles,
            timers_run=self._hand is None,
        )
        self._carrier.serve(self._driver)
        if self._hand is not None:
            self._hand.serve(self._driver)
        self._catchup = Catchup(
            self._driver,
            self._carrier,
            self._log,
            self._tasks,
            config.learn_interval_ms,
        )
        # The hand reaches everybody at any time: a link that comes up says nothing.
        if self._hand is None:
            self._links.on_up = self._on_link_up
        self._health = health.aio.HealthServicer()
        self._driving: asyncio.Task[None] | None = None

    async def start(self, public: grpc.aio.Server, control: grpc.aio.Server) -> None:
        """Tell what was recovered, then serve."""
        config, log = self._config, self._log
        started: Line = {
            "event": "node_started",
            "cluster": config.cluster,
            "members": [node_name(member) for member in config.members],
            "settings": config.shown(),
            "variant": config.unsafe_variant or None,
        }
        log.write(started)
        torn = self._recovered.torn
        if torn is not None:
            log.write(
                {
                    "event": "tail_cut",
                    "segment": torn.segment,
                    "number": torn.number,
                    "bytes": torn.byte_count,
                }
            )
        # What a broken variant makes of the disk is what it goes on with.
        instances = {
            number: self._roles.recover(stored)
            for number, stored in self._recovered.instances.items()
        }
        for number, stored in instances.items():
            log.write(recovered_line(number, stored))
        log.write({"event": "node_ready", "instance_count": len(instances)})
        self._driver.recover(instances)

        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(
                name, self._ask_to_stop, f"received {name.name}"
            )
        self._driving = self._tasks.begin(self._driver.run())
        self._add_services(public, with_control=False)
        self._add_services(control, with_control=True)
        await public.start()
        await control.start()
        for service in ("", PAXOS.full_name, CONTROL.full_name):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        for peer in self._peers.values():
            self._tasks.spawn(self._links.watch(peer))
        if config.health_file:
            self._tasks.spawn(self._touch(Path(config.health_file)))

    async def stop(self, reason: str, servers: Iterable[grpc.aio.Server]) -> None:
        """Finish the batch in hand, answer who waits, and write the last line."""
        await self._health.enter_graceful_shutdown()
        self._driver.stop()
        assert self._driving is not None, "what stops has started"
        await self._driving
        grace_s = self._config.stop_grace_ms / 1000
        await asyncio.gather(*(server.stop(grace_s) for server in servers))
        await self._tasks.cancel_all()
        for peer in self._peers.values():
            await peer.close()
        self._refusals.flush()
        self._disk.close()
        if self._config.health_file:
            Path(self._config.health_file).unlink(missing_ok=True)  # noqa: ASYNC240 - on tmpfs
        self._log.write_last({"event": "node_stopped", "reason": reason})

    def end_for(self, error: Exception) -> NoReturn:
        """End the process at once, for an error that nobody expected."""
        self._tasks.end_for(error)

    def _ask_to_stop(self, reason: str) -> None:
        if not self.stop_reason.done():
            self.stop_reason.set_result(reason)

    def _on_link_up(self, peer: int) -> None:
        self._driver.link_up(peer)
        self._catchup.on_link_up(peer)

    def _add_services(self, server: grpc.aio.Server, *, with_control: bool) -> None:
        paxos = PaxosService(self._config, self._codec, self._driver, self._log)
        served = [handlers(PAXOS, paxos.behaviours(), self._refusals, self._tasks)]
        names = [PAXOS.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME]
        if with_control:
            control = ControlService(
                self._config,
                self._log,
                self._driver,
                self._gate,
                self._links,
                self._peers,
                self._failpoints,
                self._files,
                self._hand,
                self._ask_to_stop,
            )
            served.append(handlers(CONTROL, control.behaviours(), self._refusals, self._tasks))
            names.append(CONTROL.full_name)
        server.add_generic_rpc_handlers(served)
        add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(names, server)

    async def _touch(self, file: Path) -> None:
        # On the loop on purpose: a loop that hangs lets the file grow stale.
        while True:
            file.touch()  # noqa: ASYNC240 - on tmpfs
            await asyncio.sleep(self._config.health_interval_ms / 1000)


def _server(config: Config, addresses: tuple[Address, ...], setting: str) -> grpc.aio.Server:
    server = grpc.aio.server(
        options=server_options(config),
        maximum_concurrent_rpcs=config.call_limit_count,
    )
    for address in addresses:
        try:
            server.add_insecure_port(str(address))
        except RuntimeError as error:
            raise BadConfiguration(
                f"{setting} names {address}, which can't be listened on: it is in use, or "
                "no address of this machine"
            ) from error
    return server


def _open(files: RealFiles, config: Config, keeping: Keeping) -> tuple[Storage, Recovered]:
    try:
        files.lock()
    except FileNotFoundError as error:
        raise NotFormatted(
            f"{files}: there is no such directory. A new cluster is formatted once, all nodes "
            "together (node format); if this node had a state, it is lost: leave it down"
        ) from error
    except OSError as error:
        raise StorageFailed(f"{files} can't be used: {error.strerror}") from error
    return keeping.open(files, config.cluster, config.node, config.members)
