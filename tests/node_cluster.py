"""Real nodes for tests: processes on loopback whose log lines can be waited for."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import grpc

from node.wire import control_pb2, control_pb2_grpc, paxos_pb2, paxos_pb2_grpc
from paxos.events import Line, problems

PATIENCE_S: Final = 60.0
"""How long anything may take here before a test fails; nothing ever waits it out."""

UNHURRIED: Final = {
    "PAXOS_PATIENCE_MS": "10000",
    "PAXOS_CALL_TIMEOUT_MS": "10000",
    "PAXOS_KEEPALIVE_TIMEOUT_MS": "20000",
}
"""No node gives up what is only slow: on a busy machine a ballot would be begun anew, or a
link be called down, where a test counts messages and names ballots."""


class Node:
    """One node: its address, its directory, and its process while it runs."""

    def __init__(self, name: str, cluster: "Cluster", ports: tuple[int, int]) -> None:
        self.name = name
        self.id = int(name[1:])
        self.state_dir = cluster.root / name
        self.address = f"127.0.0.1:{ports[0]}"
        self.control_address = f"127.0.0.1:{ports[1]}"
        self.lines: list[Line] = []
        self.errors = ""
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None
        self._news = threading.Condition()
        self._reader: threading.Thread | None = None
        self._channels: list[grpc.Channel] = []

    @property
    def environment(self) -> dict[str, str]:
        """The settings that every node needs."""
        nodes = self._cluster.nodes.values()
        return {
            "PAXOS_NODE": self.name,
            "PAXOS_MEMBERS": ",".join(node.name for node in nodes),
            "PAXOS_CLUSTER": "test",
            "PAXOS_STATE_DIR": str(self.state_dir),
            "PAXOS_LISTEN": self.address,
            "PAXOS_CONTROL_LISTEN": self.control_address,
            "PAXOS_PEERS": ",".join(
                f"{node.name}={node.address}" for node in nodes if node is not self
            ),
            **UNHURRIED,
            **self._cluster.settings,
        }

    def start(self, *flags: str, ready: bool = True, **settings: str) -> Self:
        """Start the process; by default wait until it serves."""
        self.lines = []
        self.errors = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "node", "serve", *flags],
            env={**os.environ, **self.environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        if ready:
            self.wait_for("node_ready")
            # The line is written before the ports serve.
            self.control.Info(control_pb2.InfoRequest(), wait_for_ready=True, timeout=PATIENCE_S)
        return self

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for data in process.stdout:
            with self._news:
                self.lines.append(json.loads(data))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(
        self, event: str, *, where: Callable[[Line], bool] | None = None, **fields: Any
    ) -> Line:
        """Wait for a line of this incarnation; fail when it doesn't come."""

        def found() -> Line | None:
            for line in self.lines:
                if (
                    line["event"] == event
                    and all(line.get(name) == value for name, value in fields.items())
                    and (where is None or where(line))
                ):
                    return line
            return None

        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while (line := found()) is None:
                alive = self._reader is not None and self._reader.is_alive()
                left_s = deadline - time.monotonic()
                if not alive or left_s <= 0:
                    tail = "\n".join(str(line) for line in self.lines[-10:])
                    raise AssertionError(
                        f"{self.name} wrote no {event} with {fields}; it "
                        f"{'runs' if alive else 'has ended'}; its last lines:\n{tail}"
                    )
                self._news.wait(left_s)
        return line

    def read_on(self) -> None:
        """Read every line that the node has written until now: an answer may be here before them."""
        if self._process is None:
            return
        info = self.control.Info(control_pb2.InfoRequest(), timeout=PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while not self.lines or self.lines[-1]["seq"] < info.seq:
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"line {info.seq} of {self.name} does not come"
                self._news.wait(left_s)

    def events(self, event: str, **fields: Any) -> list[Line]:
        """The lines of an event that the node has written until now."""
        self.read_on()
        return self._read_so_far(event, **fields)

    def _read_so_far(self, event: str, **fields: Any) -> list[Line]:
        return [
            line
            for line in self.lines
            if line["event"] == event and all(line.get(k) == v for k, v in fields.items())
        ]

    @property
    def paxos(self) -> paxos_pb2_grpc.PaxosStub:
        """The Paxos service, on the address that peers use."""
        return paxos_pb2_grpc.PaxosStub(self.channel(self.address))

    @property
    def control(self) -> control_pb2_grpc.ControlStub:
        """The Control service."""
        return control_pb2_grpc.ControlStub(self.channel(self.control_address))

    def channel(self, address: str) -> grpc.Channel:
        """A new channel, closed with the cluster."""
        options = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(address, options=options)
        self._channels.append(channel)
        return channel

    def status(self, instance: int) -> paxos_pb2.InstanceStatus | None:
        """What the node's memory holds of an instance."""
        request = paxos_pb2.StatusRequest(instance=instance)
        reply = self.paxos.Status(request, timeout=PATIENCE_S, wait_for_ready=True)
        return reply.instances[0] if reply.instances else None

    def propose(
        self, instance: int, value: str, timeout_ms: int = 30_000
    ) -> paxos_pb2.ProposeReply:
        """A client's wish, with its outcome."""
        return self.paxos.Propose(
            paxos_pb2.ProposeRequest(
                instance=instance, value=value.encode(), timeout_ms=timeout_ms
            ),
            timeout=PATIENCE_S,
            wait_for_ready=True,
        )

    def gate(self, *rules: control_pb2.GateRule) -> None:
        """Replace the rules of the gate."""
        self.control.SetGate(control_pb2.SetGateRequest(rules=rules), timeout=PATIENCE_S)

    def wait_for_links(self) -> None:
        """Wait until the links to all other nodes are up."""
        self.read_on()
        for peer in self._cluster.nodes.values():
            if peer is not self:
                self.wait_for(
                    "link_up",
                    where=lambda up, name=peer.name: (  # type: ignore[misc]
                        up["peer"] == name and self._last_of_link(name) == "link_up"
                    ),
                )

    def _last_of_link(self, peer: str) -> str:
        told = [
            line["event"]
            for line in self.lines
            if line["event"] in {"link_up", "link_down"} and line["peer"] == peer
        ]
        return str(told[-1])

    def held(self, instance: int, count: int) -> Sequence[control_pb2.HeldMessage]:
        """What the gate holds of an instance once it holds that many."""
        self.wait_for(
            "message_held",
            where=lambda _: len(self._read_so_far("message_held", instance=instance)) >= count,
        )
        held = self.control.Held(control_pb2.HeldRequest(), timeout=PATIENCE_S).messages
        return [message for message in held if message.instance == instance]

    def release(self, *numbers: int) -> None:
        """Let held messages go on."""
        self.control.Release(control_pb2.ReleaseRequest(numbers=numbers), timeout=PATIENCE_S)

    def arm(
        self,
        failpoint: control_pb2.ArmFailpointRequest.Failpoint.ValueType,
        kind: str = "",
        instance: int = 0,
        *,
        power: bool = False,
    ) -> None:
        """Arm a failpoint, for once."""
        request = control_pb2.ArmFailpointRequest(
            failpoint=failpoint, kind=kind, instance=instance, power=power
        )
        self.control.ArmFailpoint(request, timeout=PATIENCE_S)

    def kill(self) -> int:
        """SIGKILL; the exit code."""
        assert self._process is not None
        self._process.kill()
        return self.ended()

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for the end of the process, check all its lines; the exit code."""
        assert self._process is not None
        assert self._reader is not None
        assert self._process.stderr is not None
        code = self._process.wait(PATIENCE_S)
        self.errors = self._process.stderr.read().decode()
        self._reader.join(PATIENCE_S)
        self._process.stderr.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        self.check_lines()
        return code

    def check_lines(self) -> None:
        """Every line is of the schema, and none is missing before the last."""
        for line in self.lines:
            assert problems(line) == [], line
        assert [line["seq"] for line in self.lines] == list(range(1, len(self.lines) + 1))

    def close(self) -> None:
        """End what still runs."""
        for channel in self._channels:
            channel.close()
        self._channels.clear()
        if self._process is not None:
            self.kill()


class Cluster:
    """Nodes on loopback, each with a formatted directory; none is started."""

    def __init__(self, root: Path, count: int, settings: dict[str, str]) -> None:
        self.root = root
        self.settings = settings
        self.nodes: dict[str, Node] = {}
        ports = free_ports(2 * count)
        for number in range(1, count + 1):
            name = f"n{number}"
            self.nodes[name] = Node(name, self, (ports[2 * number - 2], ports[2 * number - 1]))
        run_node(
            "format-all",
            *("--cluster", "test", "--members", ",".join(self.nodes), "--root", str(root)),
        )

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def start(self, *names: str) -> None:
        """Start nodes, all by default, and wait until all links among them are up."""
        started = [self.nodes[name] for name in names or self.nodes]
        for node in started:
            node.start(ready=False)
        for node in started:
            for peer in started:
                if peer is not node:
                    node.wait_for("link_up", peer=peer.name)


@contextmanager
def cluster(root: Path, count: int = 3, **settings: str) -> Iterator[Cluster]:
    """A cluster that is gone when the test is over, with every line checked."""
    made = Cluster(root, count, settings)
    try:
        yield made
    finally:
        for node in made.nodes.values():
            node.close()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def run_node(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of the node to its end."""
    return subprocess.run(
        [sys.executable, "-m", "node", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=check,
    )


def prepare(node: Node, instance: int, round_: int, source: int = 101) -> paxos_pb2.PrepareReply:
    """Phase 1 as a guest."""
    return node.paxos.Prepare(
        paxos_pb2.PrepareRequest(
            instance=instance,
            source=source,
            ballot=paxos_pb2.Ballot(round=round_, node_id=source),
        ),
        timeout=PATIENCE_S,
        wait_for_ready=True,
    )


def accept(
    node: Node, instance: int, round_: int, value: str, source: int = 101
) -> paxos_pb2.AcceptReply:
    """Phase 2 as a guest."""
    return node.paxos.Accept(
        paxos_pb2.AcceptRequest(
            instance=instance,
            source=source,
            ballot=paxos_pb2.Ballot(round=round_, node_id=source),
            value=value.encode(),
        ),
        timeout=PATIENCE_S,
        wait_for_ready=True,
    )
