"""The Docker engine, and what on it is the lab's.

Whatever the lab makes carries its label and begins with its project's name.
Only what does both is found here, so nothing else can be touched.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env

from orchestrator.cluster import LabError, Unsafe
from orchestrator.compose import NODE_COUNTS, ComposeError, ComposeSettings, Layout

LABEL: Final = "lab.paxos"
COUNT_LABEL: Final = "lab.paxos.nodes"

_CALL_LIMIT_S: Final = 60
# Nine nodes are followed, each over a connection of its own, while others are asked.
_CONNECTION_COUNT: Final = 64


def connect() -> docker.APIClient:
    """A client of the engine, which speaks the newest version that both know.

    Raises:
        LabError: no engine answers, or not to this user.
    """
    try:
        return docker.APIClient(
            **kwargs_from_env(),
            version="auto",
            timeout=_CALL_LIMIT_S,
            max_pool_size=_CONNECTION_COUNT,
        )
    except (DockerException, requests.RequestException) as error:
        if "Permission denied" in str(error):
            raise LabError(
                "the Docker engine does not let this user in: run as a user of the group docker, "
                "or play on local processes (WORLD=local)"
            ) from error
        raise LabError(
            "no Docker engine answers: start it (DOCKER_HOST names one elsewhere), "
            "or play on local processes (WORLD=local)"
        ) from error


@contextlib.contextmanager
def doing(what: str) -> Iterator[None]:
    """Turn what the engine says against something into a sentence.

    Args:
        what: what is being done to what, as ``pausing paxos-lab-5_n1``.

    Raises:
        LabError: the engine refused, or does not answer any more.
    """
    try:
        yield
    except NotFound as error:
        raise LabError(
            f"{what}: {_reason(error)}. `make status` shows what there is, `make up` makes it whole"
        ) from error
    except APIError as error:
        raise LabError(f"{what}: Docker refused: {_reason(error)}") from error
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"{what}: the Docker engine does not answer any more: {error}") from error


def _reason(error: APIError) -> str:
    return str(error.explanation or error).strip().rstrip(".")


def layout_of(node_count: int) -> Layout:
    """The layout of a cluster under the settings of the environment.

    Raises:
        LabError: a setting cannot be used.
    """
    try:
        return Layout(node_count, ComposeSettings.from_environment())
    except ComposeError as error:
        raise LabError(str(error)) from error


def unsafe_layout_of(node_count: int, unsafe: Unsafe) -> Layout:
    """The layout of a cluster beside, whose nodes are unfit for data.

    Raises:
        LabError: a setting cannot be used.
    """
    return replace(layout_of(node_count), unsafe=tuple(sorted(unsafe.environment.items())))


def layouts_of(node_count: int) -> list[Layout]:
    """The layout of a cluster, and of the unsafe one of its size: all that the lab may have made.

    Raises:
        LabError: a setting cannot be used.
    """
    return [layout_of(node_count), unsafe_layout_of(node_count, Unsafe(manual=True))]


def all_layouts() -> list[Layout]:
    """The layouts of all sizes."""
    return [layout_of(count) for count in NODE_COUNTS]


def containers_of(api: docker.APIClient, layout: Layout) -> dict[str, dict[str, Any]]:
    """The containers of a cluster by name, those that ended included, as the engine lists them."""
    with doing(f"listing the containers of {layout.project}"):
        found = api.containers(all=True, filters={"label": f"{LABEL}=1"})
    named = {name.removeprefix("/"): entry for entry in found for name in entry["Names"]}
    return {name: entry for name, entry in named.items() if _is_of(layout, name, entry)}


def networks_of(api: docker.APIClient, layout: Layout) -> dict[str, dict[str, Any]]:
    """The networks of a cluster by name."""
    with doing(f"listing the networks of {layout.project}"):
        found = api.networks(filters={"label": f"{LABEL}=1"})
    return {entry["Name"]: entry for entry in found if _is_of(layout, entry["Name"], entry)}


def volumes_of(api: docker.APIClient, layout: Layout) -> list[str]:
    """The names of the volumes of a cluster."""
    with doing(f"listing the volumes of {layout.project}"):
        found = api.volumes(filters={"label": f"{LABEL}=1"})["Volumes"] or []
    return sorted(entry["Name"] for entry in found if _is_of(layout, entry["Name"], entry))


def _is_of(layout: Layout, name: str, entry: Mapping[str, Any]) -> bool:
    labels = entry.get("Labels") or {}
    # Whoever runs the lab's image by hand has its first label from there. And a
    # project's name holds no underscore, so no other one begins like this.
    ours = labels.get(LABEL) == "1" and labels.get(COUNT_LABEL) == str(layout.node_count)
    return ours and name.startswith(f"{layout.project}_")
