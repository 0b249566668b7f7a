"""Looking at a cluster without touching it: which one, and through what."""

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import APIError

from orchestrator.base_image import NODE_IMAGE
from orchestrator.cluster import Condition, LabError
from orchestrator.compose import DEFAULT_NODE_COUNT, NODE_COUNTS, Layout
from orchestrator.engine import (
    COUNT_LABEL,
    LABEL,
    connect,
    containers_of,
    doing,
    layout_of,
    volumes_of,
)
from orchestrator.places import Places
from orchestrator.worlds import engine_answers
from paxos.events import node_key

NO_CONTAINER: Final = "no container"
NO_PROCESS: Final = "no process"
IN_A_RUN: Final = "in a run"


@dataclass(frozen=True, slots=True)
class Found:
    """A cluster that was found.

    Attributes:
        world: ``docker`` or ``local``.
        node_count: its size.
        why: a sentence that says why this one.
    """

    world: str
    node_count: int
    why: str


def find(places: Places, world: str | None, node_count: int | None) -> Found:
    """The cluster that is meant: docker where there is one, else local.

    Raises:
        LabError: there is none.
    """
    # Five first, for that is what everything takes when nothing is said.
    all_counts = sorted(NODE_COUNTS, key=lambda count: (count != DEFAULT_NODE_COUNT, count))
    counts = all_counts if node_count is None else [node_count]
    if world != "local" and (world == "docker" or engine_answers()):
        for count in _in_docker(counts):
            return Found("docker", count, f"World: docker, {count} nodes.")
        if world == "docker":
            raise LabError("there is no cluster of containers: `make up` makes one")
    for count in counts:
        if any((places.state / "local" / str(count)).glob("n*/segment-*")):
            return Found("local", count, f"World: local processes, {count} nodes.")
    size = "" if node_count is None else f" of {node_count} nodes"
    raise LabError(
        f"there is no cluster{size}, and none has left its disks: "
        "`make demo` runs local processes, `make up` containers"
    )


def _in_docker(counts: Sequence[int]) -> list[int]:
    """The sizes of which there is something, those that run first."""
    with contextlib.closing(connect()) as api:
        running, left = [], []
        for layout in map(layout_of, counts):
            there = containers_of(api, layout).values()
            if any(container["State"] in {"running", "paused"} for container in there):
                running.append(layout.node_count)
            elif there or volumes_of(api, layout):
                left.append(layout.node_count)
    return running + left


def in_use(folder: Path) -> bool:
    """Whether a run that goes on now has locked these disks."""
    path = folder / "lab.lock"
    if not path.is_file():
        return False
    with path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@dataclass(slots=True)
class Inside:
    """The containers and volumes of one cluster, as they are: half up, down, frozen or whole.

    Attributes:
        api: the engine.
        layout: the cluster.
        members: its nodes, in order.
        containers: what the engine says of each node's container, if it has one.
    """

    api: docker.APIClient
    layout: Layout
    members: tuple[str, ...]
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def condition(self, node: str) -> str:
        """How a node is: as :class:`Condition` says, or that it has no container."""
        if node not in self.containers:
            return NO_CONTAINER
        state = self.containers[node]["State"]
        if state["Paused"]:
            return Condition.PAUSED
        return Condition.RUNNING if state["Running"] else Condition.EXITED

    @property
    def runs(self) -> bool:
        """Whether every node has a container, so that the cluster can be asked."""
        return len(self.containers) == len(self.members)

    @contextlib.contextmanager
    def reader(self, node: str) -> Iterator[tuple[str, str] | None]:
        """Where the disk of a node can be copied from: a container, and a folder in it.

        The disk of a node without a container is looked at through one that
        never runs; the engine hands out its volumes all the same.
        """
        if node in self.containers:
            yield self.layout.container_name(node_key(node)), "/state"
            return
        volume = self.layout.volume_name(node_key(node))
        if volume not in volumes_of(self.api, self.layout):
            yield None
            return
        name = f"{self.layout.project}_reader-{node}"
        with doing(f"looking into the volume {volume}"):
            self._remove_reader(name)
            self.api.create_container(
                NODE_IMAGE,
                command=["read", "/state"],
                name=name,
                labels={LABEL: "1", COUNT_LABEL: str(self.layout.node_count)},
                host_config=self.api.create_host_config(
                    binds={volume: {"bind": "/state", "mode": "ro"}}, network_mode="none"
                ),
            )
        try:
            yield name, "/state"
        finally:
            self._remove_reader(name)

    def _remove_reader(self, name: str) -> None:
        with contextlib.suppress(APIError):
            self.api.remove_container(name, force=True)


@contextlib.contextmanager
def inside(node_count: int) -> Iterator[Inside]:
    """Look at a cluster of containers.

    Raises:
        LabError: the engine does not answer.
    """
    layout = layout_of(node_count)
    with contextlib.closing(connect()) as api:
        there = containers_of(api, layout)
        members = tuple(f"n{number}" for number in layout.node_ids)
        found = Inside(api, layout, members)
        for node in members:
            name = layout.container_name(node_key(node))
            if name in there:
                with doing(f"looking at {name}"):
                    found.containers[node] = api.inspect_container(name)
        yield found
