"""Which world a scenario is played in, and whether there are containers at all."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.cluster import Unsafe
from paxos.scenario import Scenario

_SOCKET: Final = "/var/run/docker.sock"
_ANSWER_LIMIT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A world, the sizes of cluster that were asked for there, and a sentence that says why."""

    world: str
    counts: Sequence[int]
    why: str


def choose_world(world: str | None, scenario: Scenario, counts: Sequence[int]) -> Choice:
    """The world that was asked for, else docker where a fitting cluster is up, else local."""
    if Unsafe.of(scenario) and world is None:
        return Choice("local", counts, "World: local processes, as for all that is unsafe.")
    if world is not None:
        return Choice(world, counts, f"World: {world}, as asked for.")
    up = [count for count in clusters_up() if count in (counts or scenario.node_counts)]
    if not up:
        return Choice(
            "local", counts, "World: local processes (no cluster of containers is up; `make up`)."
        )
    return Choice("docker", up, f"World: docker (a cluster of {', '.join(map(str, up))} is up).")


def engine_answers() -> bool:
    """Whether a Docker engine can be asked at all; takes no time where there is none."""
    host = os.environ.get("DOCKER_HOST") or f"unix://{_SOCKET}"
    if not host.startswith("unix://"):
        return _ping()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_ANSWER_LIMIT_S)
            probe.connect(host.removeprefix("unix://"))
            probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b"200" in probe.recv(64)
    except OSError:
        return False


def clusters_up() -> list[int]:
    """The sizes of the clusters of containers that are up."""
    if not engine_answers():
        return []
    from orchestrator.docker_world import clusters_up as found  # noqa: PLC0415 - slow to load

    return found()


def _ping() -> bool:
    import docker  # noqa: PLC0415 - slow to load, and seldom needed
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        return bool(docker.from_env(timeout=int(_ANSWER_LIMIT_S)).ping())
    except DockerException:
        return False
