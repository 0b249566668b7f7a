"""The world of containers: real networks, real volumes, driven over the Docker SDK."""

import contextlib
import fcntl
import io
import shutil
import signal
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import docker
import requests
from docker.errors import APIError

from node.files import LOCK
from orchestrator.cables import DockerCables
from orchestrator.clients import at_once
from orchestrator.cluster import Cables, Condition, Endpoints, Exit, LabError, Sink
from orchestrator.compose import CONTROL_PORT, DEFAULT_PROJECT, PAXOS_PORT, Layout
from orchestrator.container_logs import ContainerFollower
from orchestrator.engine import all_layouts, connect, containers_of, doing, layout_of
from orchestrator.places import Places
from orchestrator.state_directory import read_state_directory
from paxos.events import node_key

STATE_FOLDER: Final = "/state"
"""Where a node's container has its volume."""

NODE_USER: Final = 10_001
"""Whom the files of a node belong to, in its container."""

_STOP_LIMIT_S: Final = 10.0
_KILL_LIMIT_S: Final = 10.0
_COPY_COUNT: Final = 3
_CONFLICT: Final = 409


def clusters_up() -> list[int]:
    """The sizes of the clusters that are up: each node has a container, and one at least runs."""
    api = connect()
    with contextlib.closing(api):
        return [layout.node_count for layout in all_layouts() if _is_up(api, layout)]


def _is_up(api: docker.APIClient, layout: Layout) -> bool:
    found = containers_of(api, layout)
    nodes = [found.get(layout.container_name(number)) for number in layout.node_ids]
    return all(nodes) and any(node and node["State"] in {"running", "paused"} for node in nodes)


class DockerCluster:
    """The containers of one cluster, which `make up` has made. Implements ``Cluster``.

    Args:
        places: where the lock is kept, so that no two runs hurt one cluster.
        node_count: how many nodes.
        only_look: take no lock; for those that change nothing.
        layout: its names and addresses; those of `make up` if ``None``.

    Raises:
        LabError: there is no such cluster, or another run uses it.
    """

    world = "docker"
    outlives_run = True
    process_mechanism = "docker"

    def __init__(
        self,
        places: Places,
        node_count: int,
        *,
        only_look: bool = False,
        layout: Layout | None = None,
    ) -> None:
        self._layout = layout or layout_of(node_count)
        self.members = tuple(f"n{number}" for number in self._layout.node_ids)
        self.state_place = (
            f"the volumes {self._layout.volume_name(1)} to {self._layout.volume_name(node_count)}"
        )
        self._lock = None if only_look else own(places, self._layout)
        try:
            self._api = connect()
            self._endpoints = self._find_endpoints()
        except LabError:
            self._give_up_lock()
            raise
        self.cables: Cables | None = DockerCables(self._api, self._layout)

    def endpoints(self, node: str) -> Endpoints:
        """Where a node is asked: at the ports that its container publishes."""
        return self._endpoints[node]

    def condition(self, node: str) -> Condition:
        """How a node's container is now."""
        state = self._state(node)
        if state["Paused"]:
            return Condition.PAUSED
        return Condition.RUNNING if state["Running"] else Condition.EXITED

    def kill(self, node: str) -> Exit:
        """SIGKILL, and wait for the end."""
        self._signal(node, "SIGKILL")
        exit_ = self.wait_exit(node, _KILL_LIMIT_S)
        if exit_ is None:
            raise LabError(f"{node} did not end within {_KILL_LIMIT_S:g} s after SIGKILL")
        return exit_

    def stop(self, node: str) -> Exit:
        """SIGTERM, and wait for the end."""
        self._signal(node, "SIGTERM")
        exit_ = self.wait_exit(node, _STOP_LIMIT_S)
        if exit_ is None:
            raise LabError(f"{node} did not stop within {_STOP_LIMIT_S:g} s after SIGTERM")
        return exit_

    def start(self, nodes: Sequence[str]) -> None:
        """Start containers that have ended."""
        at_once(self._start, nodes)

    def _start(self, node: str) -> None:
        with doing(f"starting {node}"):
            self._api.start(self._container(node))

    def pause(self, node: str) -> str:
        """Freeze a container, and ask the engine whether it is frozen."""
        with doing(f"pausing {node}"):
            self._api.pause(self._container(node))
        return self._confirm(node, Condition.PAUSED, "docker pause, Docker shows it paused")

    def resume(self, node: str) -> str:
        """Let a container go on, and ask the engine whether it does."""
        with doing(f"resuming {node}"):
            self._api.unpause(self._container(node))
        return self._confirm(node, Condition.RUNNING, "docker unpause, Docker shows it running")

    def wait_exit(self, node: str, limit_s: float) -> Exit | None:
        """Wait until the container has ended."""
        deadline = time.monotonic() + limit_s
        try:
            with doing(f"waiting for the end of {node}"):
                # Whole seconds would be rounded by the SDK; requests takes parts of one.
                code = self._wait(node, max(0.05, deadline - time.monotonic()))
        except _NotYet:
            return None
        return Exit(code, self._reason(node, code))

    def complaint(self, node: str) -> str:
        """The end of its standard error since its last start."""
        with contextlib.suppress(LabError), doing(f"reading what {node} has said"):
            since = datetime.fromisoformat(self._state(node)["StartedAt"][:19] + "+00:00")
            data = self._api.logs(
                self._container(node), stdout=False, stderr=True, since=since.timestamp()
            )
            return data.decode("utf-8", errors="replace").strip()[-500:]
        return ""

    def follow(self, sink: Sink) -> ContainerFollower:
        """Bring every line that is written from now on."""
        return ContainerFollower(
            self._api, {node: self._container(node) for node in self.members}, sink
        )

    def read_disk(self, node: str) -> dict[str, Any]:
        """What the volume of a node holds."""
        with tempfile.TemporaryDirectory(prefix="paxos-lab-") as folder:
            place = Path(folder) / node
            return copy_steadily(self._api, self._container(node), STATE_FOLDER, place)

    def hurt_disk(self, node: str, hurt: Callable[[Path], str]) -> str:
        """Do something to the volume of a node that is down, by way of a copy."""
        if self.condition(node) is not Condition.EXITED:
            raise LabError(f"{node} runs: what is done to its disk is for a node that is down")
        with tempfile.TemporaryDirectory(prefix="paxos-lab-") as folder:
            place = Path(folder) / node
            copy_state(self._api, self._container(node), STATE_FOLDER, place)
            names = {path.name for path in place.iterdir()}
            done = hurt(place)
            gone = names - {path.name for path in place.iterdir()}
            if gone:
                self._remove_from_volume(node, sorted(gone))
            write_state(self._api, self._container(node), STATE_FOLDER, place)
        return done

    def _remove_from_volume(self, node: str, names: Sequence[str]) -> None:
        """Remove files by a process of the node's image; the engine itself never removes any."""
        with doing(f"removing {', '.join(names)} from the volume of {node}"):
            image = self._api.inspect_container(self._container(node))["Image"]
            volume = self._layout.volume_name(node_key(node))
            made = self._api.create_container(
                image,
                entrypoint=["rm", "--"],
                command=[f"{STATE_FOLDER}/{name}" for name in names],
                user=f"{NODE_USER}:{NODE_USER}",
                host_config=self._api.create_host_config(
                    binds=[f"{volume}:{STATE_FOLDER}"], network_mode="none"
                ),
            )
            try:
                self._api.start(made)
                code = int(self._api.wait(made)["StatusCode"])
            finally:
                self._api.remove_container(made, force=True)
        if code != 0:
            raise LabError(f"removing files from the volume of {node} ended with code {code}")

    def close(self) -> None:
        """Let go of the cluster, which runs on."""
        self._api.close()
        self._give_up_lock()

    def _container(self, node: str) -> str:
        return self._layout.container_name(node_key(node))

    def _state(self, node: str) -> dict[str, Any]:
        with doing(f"looking at {node}"):
            state: dict[str, Any] = self._api.inspect_container(self._container(node))["State"]
        return state

    def _signal(self, node: str, name: str) -> None:
        try:
            with doing(f"sending {name} to {node}"):
                self._api.kill(self._container(node), name)
        except LabError as error:
            # One that has just ended by itself is what was wanted.
            cause = error.__cause__
            conflict = isinstance(cause, APIError) and cause.status_code == _CONFLICT
            if not conflict or self.condition(node) is not Condition.EXITED:
                raise

    def _wait(self, node: str, limit_s: float) -> int:
        try:
            answer = self._api.wait(self._container(node), timeout=limit_s)  # type: ignore[arg-type]
        except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError) as error:
            # requests calls a read that timed out now the one and now the other.
            if "timed out" in str(error):
                raise _NotYet from error
            raise
        return int(answer["StatusCode"])

    def _reason(self, node: str, code: int) -> str:
        if self._state(node)["OOMKilled"]:
            return "SIGKILL of the kernel: it used up its memory limit"
        with contextlib.suppress(ValueError):
            return signal.Signals(code - 128).name
        return "it ended by itself"

    def _confirm(self, node: str, wanted: Condition, evidence: str) -> str:
        found = self.condition(node)
        if found is not wanted:
            raise LabError(f"{node} is {found} and not {wanted}")
        return evidence

    def _find_endpoints(self) -> dict[str, Endpoints]:
        there = containers_of(self._api, self._layout)
        missing = [node for node in self.members if self._container(node) not in there]
        if missing:
            raise LabError(
                f"the cluster {self._layout.project} has no container for {', '.join(missing)}: "
                f"`make up NODES={self._layout.node_count}` makes what is missing"
            )
        return {node: self._endpoints_of(node) for node in self.members}

    def _endpoints_of(self, node: str) -> Endpoints:
        container = self._container(node)
        with doing(f"looking at {container}"):
            bindings = self._api.inspect_container(container)["HostConfig"]["PortBindings"]

        def published(port: int) -> str:
            place = bindings[f"{port}/tcp"][0]
            return f"{place['HostIp']}:{place['HostPort']}"

        return Endpoints(published(PAXOS_PORT), published(CONTROL_PORT))

    def _give_up_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class _NotYet(Exception):
    """The container has not ended within the time."""


def disk_folder(places: Places, layout: Layout) -> Path:
    """Where copies of the disks of a cluster of containers are kept."""
    default = layout.settings.project == DEFAULT_PROJECT and not layout.unsafe
    return places.state / "docker" / (str(layout.node_count) if default else layout.project)


def own(places: Places, layout: Layout) -> IO[bytes]:
    """Keep other runs off a cluster, as long as what is returned is open.

    Raises:
        LabError: another run uses it.
    """
    folder = disk_folder(places, layout)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lab.lock").open("ab")
    except OSError as error:
        raise LabError(f"{Places.shown(folder)} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise LabError(
            f"another run uses the cluster {layout.project}: wait until it is done, "
            "or end it with Ctrl-C in its terminal"
        ) from None
    return lock


def copy_state(api: docker.APIClient, container: str, folder: str, target: Path) -> None:
    """Copy a state directory out of a container, which may have ended or never have run.

    Args:
        api: the engine.
        container: whose.
        folder: where it is in the container.
        target: becomes a folder with its files; one that is there is replaced.

    Raises:
        LabError: the engine refused, or the copy cannot be written.
    """
    with doing(f"copying {folder} of {container}"):
        stream, _ = api.get_archive(container, folder)
        data = io.BytesIO(b"".join(stream))
    fresh = target.with_name(f".{target.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        with tarfile.open(fileobj=data) as archive:
            for member in archive:
                # A state directory is flat and holds plain files alone.
                name = Path(member.name).name
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and name != LOCK:
                    (fresh / name).write_bytes(content.read())
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    except OSError as error:
        raise LabError(f"{Places.shown(target)} cannot be written: {error.strerror}") from error


def write_state(api: docker.APIClient, container: str, folder: str, source: Path) -> None:
    """Write files into the state directory of a container that has ended.

    Args:
        api: the engine.
        container: whose.
        folder: where it is in the container.
        source: a folder with the files.

    Raises:
        LabError: the engine refused.
    """
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path in sorted(source.iterdir()):
            member = archive.gettarinfo(path, arcname=path.name)
            member.uid = member.gid = NODE_USER
            member.mode = 0o644
            with path.open("rb") as content:
                archive.addfile(member, content)
    with doing(f"writing {folder} of {container}"):
        api.put_archive(container, folder, data.getvalue())


def copy_steadily(
    api: docker.APIClient, container: str, folder: str, target: Path
) -> dict[str, Any]:
    """Copy a state directory and read the copy, again if need be: a node that runs may be writing.

    Raises:
        LabError: the engine refused, or what was copied is damaged.
    """
    for _ in range(_COPY_COUNT - 1):
        copy_state(api, container, folder, target)
        with contextlib.suppress(LabError):
            return read_state_directory(target)
    copy_state(api, container, folder, target)
    return read_state_directory(target)
