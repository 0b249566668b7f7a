"""What a live run is played on: the containers of ``make up``, or local processes of its own."""

from collections.abc import Sequence
from typing import Final

from orchestrator.cluster import LabError, Unsafe
from orchestrator.places import Places
from orchestrator.web.desk import AtWork, Offer
from orchestrator.web.feed import Bells
from orchestrator.worlds import clusters_up, engine_answers

# What is slow to load is loaded when a run begins.
# ruff: noqa: PLC0415

_USUAL_COUNT: Final = 5
_LOCAL: Final = Unsafe(faults=True, apart="live")
"""Disks that are made for the run, and may be hurt."""


class LabWorld:
    """Containers that are up, or local processes where these are asked for. Implements ``World``.

    Args:
        places: where state and logs are kept.
        world: ``docker``, ``local``, or ``None`` for containers where there are some.
        node_count: how many nodes; ``None`` for 5, or as many as are up.
    """

    def __init__(self, places: Places, world: str | None, node_count: int | None) -> None:
        self._places = places
        self._world = world
        self._count = node_count

    def offer(self) -> Offer:
        """What there is."""
        if self._world == "local":
            count = self._count or _USUAL_COUNT
            why = f"A live run starts {count} local processes, and ends them."
            return Offer(True, why, "local", _members(count))
        try:
            count = self._up()
        except LabError as error:
            return Offer(False, f"{error}.".replace("..", "."))
        why = f"A cluster of {count} containers is up."
        return Offer(True, why, "docker", _members(count))

    def begin(self, bells: Bells) -> AtWork:
        """Begin a live run."""
        return self._begin_local(bells) if self._world == "local" else self._begin_docker(bells)

    def _up(self) -> int:
        """How many nodes the cluster has that is up.

        Raises:
            LabError: none is, or none of the size that is wanted.
        """
        instead = "`make up` starts one, `make web WORLD=local` takes local processes"
        if not engine_answers():
            raise LabError(f"No Docker engine answers: start it ({instead})")
        found: Sequence[int] = clusters_up()
        fitting = [count for count in found if self._count in {None, count}]
        if not fitting:
            sized = "" if self._count is None else f"{self._count} "
            raise LabError(f"No cluster of {sized}containers is up: {instead}")
        return _USUAL_COUNT if _USUAL_COUNT in fitting else fitting[0]

    def _begin_local(self, bells: Bells) -> AtWork:
        from orchestrator.clients import Clients
        from orchestrator.local import LocalCluster
        from orchestrator.web.live_run import LiveRun

        cluster = LocalCluster(self._places, self._count or _USUAL_COUNT, _LOCAL)
        try:
            cluster.open()
        except BaseException:
            cluster.close()
            raise
        return LiveRun(self._places, cluster, Clients(cluster), bells, hurts_disks=True)

    def _begin_docker(self, bells: Bells) -> AtWork:
        from orchestrator.clients import Clients
        from orchestrator.web.live_run import LiveRun
        from orchestrator.web.own_containers import OwnContainers

        cluster = OwnContainers(self._places, self._up())
        return LiveRun(self._places, cluster, Clients(cluster), bells, hurts_disks=False)


def _members(count: int) -> tuple[str, ...]:
    return tuple(f"n{number}" for number in range(1, count + 1))
