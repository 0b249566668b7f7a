"""Clusters of containers as a whole: brought up, taken down, and removed with all they left."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import APIError

from orchestrator.base_image import (
    IMAGE_OF_TARGET,
    ImageError,
    build_images,
    has_image,
    remove_images,
)
from orchestrator.clients import Clients, at_once
from orchestrator.cluster import LabError, Unsafe
from orchestrator.compose import (
    PORT_BASE_VARIABLE,
    SUBNET_PREFIX_VARIABLE,
    Layout,
    compose_file,
    path_of,
)
from orchestrator.docker_world import DockerCluster, disk_folder, own
from orchestrator.engine import (
    LABEL,
    connect,
    containers_of,
    doing,
    layout_of,
    layouts_of,
    networks_of,
    unsafe_layout_of,
    volumes_of,
)
from orchestrator.inside import in_use
from orchestrator.places import PROJECT, Places
from orchestrator.runner import make_whole

_COMPOSE_LIMIT_S: Final = 300.0
_ASK_LIMIT_S: Final = 20.0
_HEALTHY_LIMIT_S: Final = 90.0
_LOOK_EVERY_S: Final = 0.1
_STOP_LIMIT_S: Final = 5

# What Docker says, and what it takes to get on.
_HINTS: Final = {
    "port is already allocated": f"choose other ports: {PORT_BASE_VARIABLE}=9000 make up",
    "address already in use": f"choose other ports: {PORT_BASE_VARIABLE}=9000 make up",
    "Pool overlaps": f"choose other addresses: {SUBNET_PREFIX_VARIABLE}=10.214 make up",
    "needs to be recreated": "it was made under other settings: `make down` first",
}

Say = Callable[[str], None]
"""Takes a sentence for the person who waits."""


def bring_up(places: Places, node_count: int, say: Say) -> Layout:
    """Bring a cluster up; returns when every node is healthy and every link is ready.

    Args:
        places: where the lock is kept.
        node_count: how many nodes.
        say: told one sentence about each step, as it begins.

    Raises:
        LabError: there is no engine or no image, a disk is lost, or a node
            does not come up. What is there stays, to be looked at.
    """
    layout = layout_of(node_count)
    with contextlib.closing(connect()) as api, contextlib.closing(own(places, layout)):
        try:
            build_images(PROJECT, say)
        except ImageError as error:
            raise LabError(str(error)) from error
        # Compose can start what has ended, but not what is frozen.
        for name, container in containers_of(api, layout).items():
            if container["State"] == "paused":
                say(f"{name} was paused and goes on")
                with doing(f"resuming {name}"):
                    api.unpause(name)
        _start(api, layout, say)
        say("waiting until every link is ready")
        cluster = DockerCluster(places, node_count, only_look=True)
        with contextlib.closing(cluster), contextlib.closing(Clients(cluster)) as clients:
            for done in make_whole(cluster, clients):
                say(done)
    return layout


def _start(api: docker.APIClient, layout: Layout, say: Say) -> None:
    say(f"starting {layout.node_count} nodes, {len(layout.cables)} cables and a control network")
    _compose_up(api, layout)
    say("waiting until Docker calls every node healthy")
    _await_healthy(api, layout)


class UnsafeDockerCluster(DockerCluster):
    """Containers that are unfit for data, made for one lab and removed with all they wrote.

    Their image, names, addresses and disks are others than those of `make up`.

    Args:
        places: where the lock is kept.
        node_count: how many nodes.
        unsafe: what makes them so.
        say: told one sentence about each step, as it begins.

    Raises:
        LabError: there is no engine or no image, or a node does not come up;
            what was made is removed.
    """

    outlives_run = False

    def __init__(self, places: Places, node_count: int, unsafe: Unsafe, say: Say) -> None:
        layout = unsafe_layout_of(node_count, unsafe)
        self._held = own(places, layout)
        try:
            try:
                build_images(PROJECT, say, [layout.target])
            except ImageError as error:
                raise LabError(str(error)) from error
            with contextlib.closing(connect()) as api:
                _remove_with_disks(api, layout)
                _start(api, layout, say)
            super().__init__(places, node_count, only_look=True, layout=layout)
        except BaseException:
            # Also after Ctrl-C: nothing of it may stay.
            self._let_go(layout)
            raise
        self.state_place = "volumes of their own, which are gone"

    def close(self) -> None:
        """Remove containers, networks and volumes."""
        super().close()
        self._let_go(self._layout)

    def _let_go(self, layout: Layout) -> None:
        with contextlib.closing(self._held), contextlib.closing(connect()) as api:
            _remove_with_disks(api, layout)


def _remove_with_disks(api: docker.APIClient, layout: Layout) -> None:
    _take_down(api, layout, lambda _sentence: None)
    for name in volumes_of(api, layout):
        with doing(f"removing the volume {name}"):
            api.remove_volume(name)


def _compose_up(api: docker.APIClient, layout: Layout) -> None:
    file = compose_file(PROJECT, layout)
    command = [*_compose_command(), "-p", layout.project, "-f", str(file)]
    command += ["up", "--detach", "--no-build"]
    done = _run(command, _COMPOSE_LIMIT_S)
    if done.returncode == 0:
        return
    refusal = _refusal(api, f"{layout.project}_format")
    if refusal:
        raise LabError(f"{refusal}. `make clean` gives up all of them")
    said = (done.stderr + done.stdout).strip()
    hint = next((hint for words, hint in _HINTS.items() if words in said), "`make down` tidies up")
    last = "\n".join(said.splitlines()[-8:])
    raise LabError(
        f"`{' '.join(command[:2])} … up` ended with code {done.returncode}; {hint}:\n{last}"
    )


def _refusal(api: docker.APIClient, container: str) -> str:
    """Why the service that makes the disks would not; empty when it did, or never ran."""
    try:
        state = api.inspect_container(container)["State"]
        if state["Status"] != "exited" or state["ExitCode"] == 0:
            return ""
        said = api.logs(container, stdout=False, stderr=True, tail=1)
    except APIError:
        return ""
    return said.decode("utf-8", errors="replace").strip().removeprefix("error: ").rstrip(".")


def _compose_command() -> list[str]:
    """Compose as Docker's plugin, or as the program that it was before.

    Raises:
        LabError: there is neither.
    """
    if shutil.which("docker") is not None:
        plugin = ["docker", "compose"]
        if _run([*plugin, "version"], _ASK_LIMIT_S).returncode == 0:
            return plugin
    if shutil.which("docker-compose") is not None:
        return ["docker-compose"]
    raise LabError(
        "neither `docker compose` nor `docker-compose` is installed: install one of them, "
        "or play on local processes (WORLD=local)"
    )


def _run(command: Sequence[str], limit_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(
            f"`{' '.join(command[:2])}` was not done within {limit_s:g} s: "
            "is the engine overloaded? `make down` tidies up"
        ) from None


def _await_healthy(api: docker.APIClient, layout: Layout) -> None:
    deadline = time.monotonic() + _HEALTHY_LIMIT_S
    names = [layout.container_name(number) for number in layout.node_ids]

    def health(name: str) -> str:
        with doing(f"looking at {name}"):
            state = api.inspect_container(name)["State"]
        if state["Status"] == "exited":
            said = api.logs(name, stdout=False, stderr=True, tail=3).decode(errors="replace")
            raise LabError(f"{name} ended, exit code {state['ExitCode']}: {said.strip()}")
        return str(state.get("Health", {}).get("Status", state["Status"]))

    while True:
        found = dict(zip(names, at_once(health, names), strict=True))
        late = {name: state for name, state in found.items() if state != "healthy"}
        if not late:
            return
        if time.monotonic() > deadline:
            told = ", ".join(f"{name} is {state}" for name, state in late.items())
            raise LabError(f"after {_HEALTHY_LIMIT_S:g} s not every node is healthy: {told}")
        time.sleep(_LOOK_EVERY_S)


@dataclass(frozen=True, slots=True)
class Belongings:
    """What the lab has made and not yet removed.

    Attributes:
        containers: those of nodes and of the service that makes disks.
        networks: cables and control networks.
        volumes: the disks.
        images: of nodes.
        folders: below ``state/``.
    """

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return any((self.containers, self.networks, self.volumes, self.images, self.folders))

    def rows(self) -> list[str]:
        """What there is, a row a kind."""
        kinds = {
            "containers": self.containers,
            "networks": self.networks,
            "volumes": self.volumes,
            "images": self.images,
            "folders": [Places.shown(folder) for folder in self.folders],
        }
        return [
            f"{len(names)} {kind if len(names) > 1 else kind[:-1]}: {_shortened(names)}"
            for kind, names in kinds.items()
            if names
        ]


def take_down(node_counts: Sequence[int], say: Say) -> Belongings:
    """Remove containers and networks of these clusters, whatever state they are in.

    Returns:
        What was removed, and the volumes that are kept.

    Raises:
        LabError: something could not be removed; all else is.
    """
    containers: list[str] = []
    networks: list[str] = []
    volumes: list[str] = []
    with contextlib.closing(connect()) as api:
        for layout in (layout for count in node_counts for layout in layouts_of(count)):
            found, cables = _take_down(api, layout, say)
            containers += found
            networks += cables
            volumes += volumes_of(api, layout)
    return Belongings(tuple(containers), tuple(networks), tuple(volumes))


def _take_down(api: docker.APIClient, layout: Layout, say: Say) -> tuple[list[str], list[str]]:
    """Remove containers and networks; their names."""
    found = containers_of(api, layout)
    if found:
        say(f"{layout.project}: stopping and removing {len(found)} containers")
    at_once(lambda name: _remove_container(api, name), found)
    cables = networks_of(api, layout)
    if cables:
        say(f"{layout.project}: removing {len(cables)} networks")
    at_once(lambda name: _remove_network(api, name), cables)
    return list(found), list(cables)


def _remove_container(api: docker.APIClient, name: str) -> None:
    with doing(f"removing {name}"):
        state = api.inspect_container(name)["State"]
        if state["Paused"]:
            # A frozen process hears no signal.
            api.unpause(name)
        if state["Running"]:
            api.stop(name, timeout=_STOP_LIMIT_S)
        api.remove_container(name, force=True)


def _remove_network(api: docker.APIClient, name: str) -> None:
    with doing(f"removing the network {name}"):
        api.remove_network(name)


def everything(
    places: Places, node_counts: Sequence[int], *, engine: bool, images: bool
) -> Belongings:
    """What :func:`remove` would remove.

    Args:
        places: where ``state/`` is.
        node_counts: of which clusters.
        engine: whether to ask one.
        images: whether those of the nodes belong to it.
    """
    containers: list[str] = []
    networks: list[str] = []
    volumes: list[str] = []
    layouts = [layout for count in node_counts for layout in layouts_of(count)]
    if engine:
        with contextlib.closing(connect()) as api:
            for layout in layouts:
                containers += sorted(containers_of(api, layout))
                networks += sorted(networks_of(api, layout))
                volumes += volumes_of(api, layout)
            images = images and not _others_live(api, containers)
    names = [image for image in IMAGE_OF_TARGET.values() if engine and images and has_image(image)]
    return Belongings(
        tuple(containers),
        tuple(networks),
        tuple(volumes),
        tuple(names),
        tuple(_folders(places, layouts)),
    )


def _others_live(api: docker.APIClient, ours: Sequence[str]) -> bool:
    """Whether another project of the lab on this machine runs from the same images."""
    with doing("listing the lab's containers"):
        found = api.containers(all=True, filters={"label": f"{LABEL}=1"})
    return any(entry["Names"][0].removeprefix("/") not in ours for entry in found)


def _folders(places: Places, layouts: Sequence[Layout]) -> list[Path]:
    found: list[Path] = []
    for layout in layouts:
        count = layout.node_count
        # Broken variants keep theirs beside: 5-promise-forgotten.
        found += sorted((places.state / "local").glob(f"{count}*"))
        found.append(disk_folder(places, layout))
        found.append(path_of(PROJECT, layout))
    committed = PROJECT / "docker-compose.yml"
    return [path for path in dict.fromkeys(found) if path.exists() and path != committed]


def remove(places: Places, node_counts: Sequence[int], found: Belongings, say: Say) -> None:
    """Remove what :func:`everything` found.

    Raises:
        LabError: a run uses a local disk, or something could not be removed.
    """
    for folder in found.folders:
        if in_use(folder):
            raise LabError(
                f"a run uses {Places.shown(folder)}: wait until it is done, "
                "or end it with Ctrl-C in its terminal"
            )
    if found.containers or found.networks or found.volumes:
        take_down(node_counts, say)
        say(f"removing {len(found.volumes)} volumes")
        with contextlib.closing(connect()) as api:
            for name in found.volumes:
                with doing(f"removing the volume {name}"):
                    api.remove_volume(name)
    if found.images:
        say(f"removing {len(found.images)} images, and what their builds left")
        try:
            remove_images()
        except ImageError as error:
            raise LabError(str(error)) from error
    if found.folders:
        say(f"removing {len(found.folders)} folders below {Places.shown(places.state)}")
    for path in found.folders:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise LabError(f"{Places.shown(path)} cannot be removed: {error.strerror}") from error


def _shortened(names: Sequence[Any]) -> str:
    if len(names) <= 4:
        return ", ".join(map(str, names))
    return f"{names[0]}, {names[1]}, … {names[-1]}"
