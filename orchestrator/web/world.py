"""What a live run is played on.

The containers of ``make up``; or local processes, or containers, that are made
for it: these have disks that may be hurt.
"""

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
_INSTEAD: Final = "`make up` starts one, `make web WORLD=local` takes local processes"
_HURT: Final = Unsafe(faults=True, apart="live")
"""Disks that are made for the run, and may be hurt."""


class LabWorld:
    """Containers that are up, or local processes where these are asked for. Implements ``World``.

    Args:
        places: where state and logs are kept.
        world: ``docker``, ``local``, or ``None`` for containers where there are some.
        node_count: how many nodes; ``None`` for 5, or as many as are up.
        disk_faults: containers are made for each run, so that their disks may be
            hurt. Those of local processes always may.
    """

    def __init__(
        self,
        places: Places,
        world: str | None,
        node_count: int | None,
        *,
        disk_faults: bool = False,
    ) -> None:
        self._places = places
        self._world = world
        self._count = node_count
        self._disk_faults = disk_faults

    def offer(self) -> Offer:
        """What there is."""
        if self._world == "local":
            count = self._count or _USUAL_COUNT
            why = f"A live run starts {count} local processes, and ends them."
            return Offer(True, why, "local", _members(count))
        if self._disk_faults:
            return self._offer_made()
        try:
            count = self._up()
        except LabError as error:
            return Offer(False, f"{error}.".replace("..", "."))
        why = f"A cluster of {count} containers is up."
        return Offer(True, why, "docker", _members(count))

    def begin(self, bells: Bells) -> AtWork:
        """Begin a live run."""
        if self._world == "local":
            return self._begin_local(bells)
        return self._begin_made(bells) if self._disk_faults else self._begin_docker(bells)

    def _offer_made(self) -> Offer:
        if not engine_answers():
            return Offer(False, f"No Docker engine answers: start it ({_INSTEAD}).")
        count = self._count or _USUAL_COUNT
        why = (
            f"A live run starts {count} containers whose disks may be hurt, and removes them. "
            "That takes a while."
        )
        return Offer(True, why, "docker", _members(count))

    def _up(self) -> int:
        """How many nodes the cluster has that is up.

        Raises:
            LabError: none is, or none of the size that is wanted.
        """
        if not engine_answers():
            raise LabError(f"No Docker engine answers: start it ({_INSTEAD})")
        found: Sequence[int] = clusters_up()
        fitting = [count for count in found if self._count in {None, count}]
        if not fitting:
            sized = "" if self._count is None else f"{self._count} "
            raise LabError(f"No cluster of {sized}containers is up: {_INSTEAD}")
        return _USUAL_COUNT if _USUAL_COUNT in fitting else fitting[0]

    def _begin_local(self, bells: Bells) -> AtWork:
        from orchestrator.clients import Clients
        from orchestrator.local import LocalCluster
        from orchestrator.web.live_run import LiveRun

        cluster = LocalCluster(self._places, self._count or _USUAL_COUNT, _HURT)
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

    def _begin_made(self, bells: Bells) -> AtWork:
        from orchestrator.clients import Clients
        from orchestrator.web.live_run import LiveRun
        from orchestrator.web.own_containers import MadeContainers

        cluster = MadeContainers(self._places, self._count or _USUAL_COUNT, _HURT)
        return LiveRun(self._places, cluster, Clients(cluster), bells, hurts_disks=True)


def _members(count: int) -> tuple[str, ...]:
    return tuple(f"n{number}" for number in range(1, count + 1))
