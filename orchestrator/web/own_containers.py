"""The containers of a live run, held to what they were when it began.

Whoever works on containers names them, and a name may pass to another one: a
live run goes on for hours, and meanwhile its containers may be removed and
somebody else's take their names. So here the names are looked up once, among
what carries the lab's label, and from then on each container is called by its
id, which is never given twice. What is done to one that is gone fails; no
other one is ever touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import docker

from orchestrator.cables import DockerCables
from orchestrator.cluster import LabError, Unsafe
from orchestrator.clusters import UnsafeDockerCluster
from orchestrator.compose import Layout
from orchestrator.docker_world import DockerCluster
from orchestrator.engine import containers_of
from orchestrator.places import Places


@dataclass(frozen=True)
class _Pinned(Layout):
    """A layout that calls its containers by their ids."""

    ids: Mapping[int, str] = field(default_factory=dict)

    def container_name(self, node_id: int) -> str:
        """The id of a node's container, which Docker takes for its name."""
        return self.ids[node_id]


class OwnContainers(DockerCluster):
    """A cluster whose containers are the labelled ones that were there at first.

    Args:
        places: where the lock is kept.
        node_count: how many nodes.

    Raises:
        LabError: there is no such cluster, or another run uses it.
    """

    def __init__(self, places: Places, node_count: int) -> None:
        super().__init__(places, node_count)
        try:
            self._layout = _pinned(self._api, self._layout)
        except LabError:
            self.close()
            raise
        self.cables = DockerCables(self._api, self._layout)


class MadeContainers(UnsafeDockerCluster):
    """Containers that are made for one live run, unfit for data, and removed with their disks.

    Args:
        places: where the lock is kept.
        node_count: how many nodes.
        unsafe: what makes them so.

    Raises:
        LabError: there is no engine or no image, or a node does not come up;
            what was made is removed.
    """

    def __init__(self, places: Places, node_count: int, unsafe: Unsafe) -> None:
        super().__init__(places, node_count, unsafe, lambda _sentence: None)
        self._made = self._layout
        try:
            self._layout = _pinned(self._api, self._layout)
        except BaseException:
            self.close()
            raise
        self.cables = DockerCables(self._api, self._layout)

    def close(self) -> None:
        """Remove containers, networks and volumes."""
        # What is left of them is found by their names and their label.
        self._layout = self._made
        super().close()


def _pinned(api: docker.APIClient, layout: Layout) -> Layout:
    """A layout that calls its containers by the ids that they have now.

    Raises:
        LabError: one of them is not there.
    """
    try:
        found = containers_of(api, layout)
        ids = {number: found[layout.container_name(number)]["Id"] for number in layout.node_ids}
    except (LabError, KeyError) as error:
        raise LabError(f"a container of {layout.project} has just gone: {error}") from error
    return _Pinned(layout.node_count, layout.settings, layout.unsafe, ids)
