"""The world of local processes: gRPC on loopback, real files, real signals."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from node.directories import format_all
from orchestrator.cluster import (
    SAFE,
    Cables,
    Condition,
    Endpoints,
    Exit,
    LabError,
    Sink,
    Unsafe,
)
from orchestrator.places import PROJECT, Places
from orchestrator.state_directory import read_state_directory
from orchestrator.tail import FileFollower
from paxos.events import node_key
from paxos.storage import StorageError

# Below the range from which the kernel takes ports of its own accord: a node
# that is down for a while must find its port free.
_PORTS: Final = range(20_000, 32_000)
_STOP_LIMIT_S: Final = 10.0
_PAUSE_LIMIT_S: Final = 20.0
_LOG_LIMIT_BYTES: Final = 32_000_000


class LocalCluster:
    """Nodes as child processes; they end with the lab. Implements ``Cluster``.

    Args:
        places: where state and logs are kept.
        node_count: how many nodes.
        unsafe: what makes its nodes unfit for data, if anything does.
    """

    world = "local"
    outlives_run = False
    cables: Cables | None = None
    process_mechanism = "signal"

    def __init__(self, places: Places, node_count: int, unsafe: Unsafe = SAFE) -> None:
        self.members = tuple(f"n{number}" for number in range(1, node_count + 1))
        self._unsafe = unsafe
        # Such nodes keep their disks apart: what a broken variant wrote must
        # never become the past of a correct node.
        name = f"{node_count}-{unsafe.name}" if unsafe else str(node_count)
        self._folder = places.state / "local" / name
        # A cluster's name has its limit, and a scenario's has none.
        self._cluster = f"paxos-lab-local-{node_count}{'-unsafe' if unsafe else ''}"
        self.state_place = places.shown(self._folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._endpoints: dict[str, Endpoints] = {}
        self._lock: IO[bytes] | None = None

    def open(self) -> None:
        """Make the disks when there are none, and start every node.

        Returns once the processes are started; ask them to see when they serve.

        Raises:
            LabError: another lab uses the disks, or some are missing.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._own_folder()
        if self._unsafe:
            for node in self.members:
                shutil.rmtree(self._folder / node, ignore_errors=True)
        self._format()
        self._choose_ports()
        for node in self.members:
            self._roll_log(node)
        self.start(self.members)

    def endpoints(self, node: str) -> Endpoints:
        """Where a node is asked."""
        return self._endpoints[node]

    def condition(self, node: str) -> Condition:
        """How a node's process is now."""
        process = self._processes[node]
        if process.poll() is not None:
            return Condition.EXITED
        return Condition.PAUSED if _state(process.pid) == "T" else Condition.RUNNING

    def kill(self, node: str) -> Exit:
        """SIGKILL, and wait for the end."""
        process = self._processes[node]
        process.kill()
        process.wait()
        return _exit_of(process.returncode)

    def stop(self, node: str) -> Exit:
        """SIGTERM, and wait for the end."""
        process = self._processes[node]
        process.terminate()
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise LabError(
                f"{node} did not stop within {_STOP_LIMIT_S:g} s after SIGTERM"
            ) from None
        return _exit_of(process.returncode)

    def start(self, nodes: Sequence[str]) -> None:
        """Start processes that have ended, or never were."""
        # The kernel ties a child to the thread that started it (see tether).
        assert threading.current_thread() is threading.main_thread(), (
            "a local node is started from the main thread, to which its life is tied"
        )
        for node in nodes:
            self._start(node)

    def _start(self, node: str) -> None:
        with (
            self._log_path(node).open("ab") as out,
            self._complaints_path(node).open("wb") as complaints,
        ):
            self._processes[node] = subprocess.Popen(
                [sys.executable, "-m", "orchestrator.tether", str(os.getpid()), "node", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=complaints,
                # The first place in which Python looks: this very project.
                cwd=PROJECT,
                env=self._environment(node),
                # A Ctrl-C in the terminal is the lab's: it undoes its faults
                # first, and ends the nodes then.
                start_new_session=True,
            )

    def pause(self, node: str) -> str:
        """SIGSTOP, and wait until the kernel says that it is stopped."""
        self._processes[node].send_signal(signal.SIGSTOP)
        self._await_state(node, paused=True)
        return "SIGSTOP, the kernel shows it stopped (state T)"

    def resume(self, node: str) -> str:
        """SIGCONT, and wait until the kernel says that it is not stopped."""
        self._processes[node].send_signal(signal.SIGCONT)
        self._await_state(node, paused=False)
        return "SIGCONT, the kernel shows it running"

    def wait_exit(self, node: str, limit_s: float) -> Exit | None:
        """Wait until the process has ended by itself."""
        try:
            return _exit_of(self._processes[node].wait(limit_s))
        except subprocess.TimeoutExpired:
            return None

    def complaint(self, node: str) -> str:
        """The end of its standard error."""
        with contextlib.suppress(OSError):
            text = self._complaints_path(node).read_text(encoding="utf-8", errors="replace")
            return text.strip()[-500:]
        return ""

    def follow(self, sink: Sink) -> FileFollower:
        """Bring every line that is written from now on."""
        return FileFollower({node: self._log_path(node) for node in self.members}, sink)

    def read_disk(self, node: str) -> dict[str, Any]:
        """What the state directory of a node holds."""
        return read_state_directory(self._folder / node)

    def hurt_disk(self, node: str, hurt: Callable[[Path], str]) -> str:
        """Do something to the state directory of a node that is down."""
        if self.condition(node) is not Condition.EXITED:
            raise LabError(f"{node} runs: what is done to its disk is for a node that is down")
        return hurt(self._folder / node)

    def close(self) -> None:
        """End every node, and give the disks free."""
        for process in self._processes.values():
            if process.poll() is None:
                # A paused process hears SIGTERM only once it runs again.
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _own_folder(self) -> None:
        # Held as long as the file is open, so by a lab that lives.
        lock = (self._folder / "lab.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise LabError(
                f"another run uses {self.state_place}: wait until it is done, "
                "or end it with Ctrl-C in its terminal"
            ) from None
        self._lock = lock

    def _format(self) -> None:
        members = tuple(node_key(node) for node in self.members)
        try:
            format_all(self._folder, self._cluster, members)
        except StorageError as error:
            raise LabError(f"{error}. `make clean` removes all of them") from error

    def _choose_ports(self) -> None:
        free = _free_ports()
        for node in self.members:
            self._endpoints[node] = Endpoints(f"127.0.0.1:{next(free)}", f"127.0.0.1:{next(free)}")

    def _environment(self, node: str) -> dict[str, str]:
        peers = (f"{peer}={self._endpoints[peer].paxos}" for peer in self.members if peer != node)
        # Settings of the lab's own surroundings must not leak into one world only.
        kept = {key: text for key, text in os.environ.items() if not key.startswith("PAXOS_")}
        given = {
            "PAXOS_NODE": node,
            "PAXOS_MEMBERS": ",".join(self.members),
            "PAXOS_CLUSTER": self._cluster,
            "PAXOS_STATE_DIR": str(self._folder / node),
            "PAXOS_LISTEN": self._endpoints[node].paxos,
            "PAXOS_CONTROL_LISTEN": self._endpoints[node].control,
            "PAXOS_PEERS": ",".join(peers),
        }
        return {**kept, **given, **self._unsafe.environment}

    def _log_path(self, node: str) -> Path:
        return self._folder / f"{node}.log"

    def _complaints_path(self, node: str) -> Path:
        return self._folder / f"{node}.stderr"

    def _roll_log(self, node: str) -> None:
        path = self._log_path(node)
        if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.old"))
        path.touch()

    def _await_state(self, node: str, *, paused: bool) -> None:
        deadline = time.monotonic() + _PAUSE_LIMIT_S
        wanted = Condition.PAUSED if paused else Condition.RUNNING
        while self.condition(node) is not wanted:
            if time.monotonic() > deadline:
                raise LabError(f"{node} is {self.condition(node)} and not {wanted}")
            time.sleep(0.002)


def _free_ports() -> Iterator[int]:
    ports = list(_PORTS)
    # No secret: two labs should only seldom try the same.
    random.shuffle(ports)
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port
    raise LabError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free on 127.0.0.1")


def _state(pid: int) -> str:
    """The kernel's letter for the state of a process: T is stopped."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        # The name in parentheses may hold blanks and parentheses itself.
        return stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    done = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:1]


def _exit_of(code: int) -> Exit:
    if code >= 0:
        return Exit(code, "it ended by itself")
    return Exit(128 - code, signal.Signals(-code).name)
