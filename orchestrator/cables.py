"""The cables of a cluster of containers: a network for each pair, unplugged and plugged for real."""

from collections.abc import Iterable
from functools import cached_property
from ipaddress import IPv4Network

import docker

from orchestrator.clients import at_once
from orchestrator.cluster import LabError, Pair
from orchestrator.compose import Cable, Layout
from orchestrator.engine import doing
from paxos.events import node_key


class DockerCables:
    """Unplugs a cable at its higher end, and plugs it in with the address that it had.

    That one end is enough: a cable leads nowhere but to its other end.
    Implements ``Cables``.

    Args:
        api: the engine.
        layout: the cluster.
    """

    def __init__(self, api: docker.APIClient, layout: Layout) -> None:
        self._api = api
        self._layout = layout

    def unplug(self, pairs: Iterable[Pair]) -> None:
        """Take these links away; one that is away stays away."""
        at_once(self._disconnect, pairs)

    def plug(self, pairs: Iterable[Pair]) -> None:
        """Give these links back, with the addresses that they had; one that is there stays."""
        wanted = set(pairs)
        at_once(self._connect, [(pair, end) for pair, end in self._loose_ends() if pair in wanted])

    def replug(self) -> list[Pair]:
        """Give back every link that is not there; which ones these were."""
        loose = self._loose_ends()
        at_once(self._connect, loose)
        return _pairs(loose)

    def unplugged(self) -> list[Pair]:
        """The links that are not there."""
        return _pairs(self._loose_ends())

    @cached_property
    def _cables(self) -> dict[Pair, Cable]:
        """Each pair's cable, with the subnet that its network really has.

        A cluster that was made under other settings keeps its addresses.
        """
        return {
            (f"n{cable.low}", f"n{cable.high}"): cable
            for cable in at_once(self._as_made, self._layout.cables)
        }

    def _as_made(self, cable: Cable) -> Cable:
        name = self._layout.network_name(cable)
        with doing(f"looking at the network {name}"):
            found = self._api.inspect_network(name)
        return Cable(cable.low, cable.high, IPv4Network(found["IPAM"]["Config"][0]["Subnet"]))

    def _loose_ends(self) -> list[tuple[Pair, str]]:
        """Every end of a cable at which its node is not plugged in, whether it runs or not."""
        nodes = [f"n{number}" for number in self._layout.node_ids]
        plugged = dict(zip(nodes, at_once(self._networks_of, nodes), strict=True))
        return [
            (pair, end)
            for pair, cable in self._cables.items()
            for end in pair
            if self._layout.network_name(cable) not in plugged[end]
        ]

    def _networks_of(self, node: str) -> set[str]:
        container = self._layout.container_name(node_key(node))
        with doing(f"looking at {container}"):
            found = self._api.inspect_container(container)
        return set(found["NetworkSettings"]["Networks"])

    def _disconnect(self, pair: Pair) -> None:
        cable, end = self._cables[pair], pair[1]
        container = self._layout.container_name(node_key(end))
        network = self._layout.network_name(cable)
        try:
            with doing(f"unplugging the cable {cable.name} at {end}"):
                self._api.disconnect_container_from_network(container, network)
        except LabError:
            # What is out already is refused, in words that differ from engine to engine.
            if network in self._networks_of(end):
                raise

    def _connect(self, loose: tuple[Pair, str]) -> None:
        pair, end = loose
        cable = self._cables[pair]
        container = self._layout.container_name(node_key(end))
        with doing(f"plugging in the cable {cable.name} at {end}"):
            # By itself Docker would give another address and no name.
            self._api.connect_container_to_network(
                container,
                self._layout.network_name(cable),
                ipv4_address=str(cable.address(node_key(end))),
                aliases=[end],
            )


def _pairs(loose: Iterable[tuple[Pair, str]]) -> list[Pair]:
    return list(dict.fromkeys(pair for pair, _ in loose))
