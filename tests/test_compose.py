"""The compose files: one per number of nodes, all from one pure function."""

import itertools
import shutil
import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from orchestrator.compose import (
    DEFAULT_SETTINGS,
    NODE_COUNTS,
    PAXOS_PORT,
    ComposeError,
    ComposeSettings,
    Layout,
    compose_document,
    compose_file,
)

# What Compose v1.29 refuses or ignores, or Compose v2 warns of.
FORBIDDEN_KEYS = {"version", "name", "include", "start_interval", "create_host_path"}


def parse(text: str) -> dict[str, Any]:
    """The document as plain dicts and lists, with merge keys resolved."""
    document = YAML(typ="safe", pure=True).load(text)
    assert isinstance(document, dict)
    return document


@pytest.fixture(params=NODE_COUNTS)
def layout(request: pytest.FixtureRequest) -> Layout:
    """The layout of each number of nodes in turn."""
    return Layout(request.param)


@pytest.fixture
def document(layout: Layout) -> dict[str, Any]:
    """What a YAML reader sees in the file of that number of nodes."""
    return parse(compose_document(layout.node_count))


def test_the_committed_file_is_what_the_generator_writes(root: Path) -> None:
    """A change by hand, or of the generator alone, is found (`make compose` mends it)."""
    committed = (root / "docker-compose.yml").read_text(encoding="utf-8")
    assert committed == compose_document(5)


def test_each_pair_has_a_cable_with_its_two_ends_on_it(
    layout: Layout, document: dict[str, Any]
) -> None:
    """A pair's network holds the two nodes of the pair and nobody else."""
    ends: dict[str, set[str]] = {}
    for service, body in document["services"].items():
        for network in body.get("networks", {}):
            ends.setdefault(network, set()).add(service)
    pairs = itertools.combinations([f"n{i}" for i in layout.node_ids], 2)
    assert ends.pop("control") == {f"n{i}" for i in layout.node_ids}
    assert ends == {f"cable-{low}-{high}": {low, high} for low, high in pairs}


def test_cables_are_internal_and_control_is_not(document: dict[str, Any]) -> None:
    """A cable leads nowhere else; ports can only be published through a network that isn't internal."""
    internal = {name: body.get("internal", False) for name, body in document["networks"].items()}
    assert internal.pop("control") is False
    assert all(internal.values())
    assert internal


def test_no_two_networks_of_all_clusters_overlap() -> None:
    """Clusters of every size can be up at once."""
    layouts = [Layout(count) for count in NODE_COUNTS]
    subnets = [cable.subnet for layout in layouts for cable in layout.cables]
    subnets += [layout.control_subnet for layout in layouts]
    for one, other in itertools.combinations(subnets, 2):
        assert not one.overlaps(other), f"{one} overlaps {other}"


def test_no_two_nodes_of_all_clusters_share_a_port() -> None:
    """Clusters of every size can be up at once."""
    layouts = [Layout(count) for count in NODE_COUNTS]
    ports = [
        port
        for layout in layouts
        for node_id in layout.node_ids
        for port in (layout.control_port(node_id), layout.paxos_port(node_id))
    ]
    assert len(ports) == len(set(ports))


def test_every_address_is_a_host_of_its_network(document: dict[str, Any]) -> None:
    """The bridge keeps the first host, and no address is given twice."""
    subnets = {
        name: IPv4Network(body["ipam"]["config"][0]["subnet"])
        for name, body in document["networks"].items()
    }
    given: set[IPv4Address] = set()
    for body in document["services"].values():
        for network, place in body.get("networks", {}).items():
            address = IPv4Address(place["ipv4_address"])
            assert address in list(subnets[network].hosts())[1:]
            assert address not in given
            given.add(address)
    assert given


def test_peers_are_found_at_their_own_end_of_the_shared_cable(
    layout: Layout, document: dict[str, Any]
) -> None:
    """n1 asks n2 at n2's address on the cable n1-n2, where n2 listens."""
    for node_id in layout.node_ids:
        body = document["services"][f"n{node_id}"]
        peers = dict(peer.split("=") for peer in body["environment"]["PAXOS_PEERS"].split(","))
        assert set(peers) == {f"n{i}" for i in layout.node_ids if i != node_id}
        for peer, place in peers.items():
            cable = f"cable-n{min(node_id, int(peer[1:]))}-n{max(node_id, int(peer[1:]))}"
            other = document["services"][peer]
            assert place == f"{other['networks'][cable]['ipv4_address']}:{PAXOS_PORT}"
            assert place in other["environment"]["PAXOS_LISTEN"].split(",")


def test_the_control_service_listens_on_the_control_network_only(
    document: dict[str, Any],
) -> None:
    """On a cable, any peer could command any node."""
    for name, body in document["services"].items():
        if name != "format":
            address = body["networks"]["control"]["ipv4_address"]
            assert body["environment"]["PAXOS_CONTROL_LISTEN"] == f"{address}:7000"


def test_ports_are_published_on_loopback_only(document: dict[str, Any]) -> None:
    """Nothing of the lab is reachable from another machine."""
    ports = [port for body in document["services"].values() for port in body.get("ports", [])]
    assert len(ports) == 2 * (len(document["services"]) - 1)
    for port in ports:
        assert port.startswith("127.0.0.1:")


def test_five_nodes_have_the_ports_that_are_easy_to_say() -> None:
    """Node 3's control port is 7003 and its public port 7103."""
    ports = parse(compose_document(5))["services"]["n3"]["ports"]
    assert ports == ["127.0.0.1:7003:7000", "127.0.0.1:7103:7100"]


def test_every_container_is_confined(document: dict[str, Any]) -> None:
    """No root, no capability, no writable root, no restart, a limit on everything."""
    for name, body in document["services"].items():
        assert body["user"] == "10001:10001", name
        assert body["read_only"] is True, name
        assert body["cap_drop"] == ["ALL"], name
        assert body["security_opt"] == ["no-new-privileges:true"], name
        assert body["restart"] == "no", name
        assert body["init"] is True, name
        assert {"pids_limit", "mem_limit", "cpus"} <= set(body), name
        assert "privileged" not in body, name
        assert "cap_add" not in body, name


def test_nodes_wait_until_all_directories_are_made(
    layout: Layout, document: dict[str, Any]
) -> None:
    """One service mounts every volume and makes all of them, or refuses."""
    condition = {"format": {"condition": "service_completed_successfully"}}
    nodes = [f"n{i}" for i in layout.node_ids]
    assert all(document["services"][node]["depends_on"] == condition for node in nodes)
    maker = document["services"]["format"]
    assert maker["volumes"] == [f"{node}:/states/{node}" for node in nodes]
    assert maker["command"][maker["command"].index("--members") + 1] == ",".join(nodes)


def test_everything_carries_the_labels_of_its_cluster(
    layout: Layout, document: dict[str, Any]
) -> None:
    """The lab touches only what carries its label, so it labels all that it makes."""
    for kind in ("services", "networks", "volumes"):
        for name, body in document[kind].items():
            labels = body["labels"]
            assert labels["lab.paxos"] == "1", name
            assert labels["lab.paxos.nodes"] == str(layout.node_count), name
    for cable in layout.cables:
        labels = document["networks"][f"cable-{cable.name}"]["labels"]
        assert labels["lab.paxos.cable"] == cable.name


def test_the_count_is_part_of_every_name(layout: Layout, document: dict[str, Any]) -> None:
    """A cluster of five started as seven can choose twice, so seven has volumes of its own."""
    prefix = f"paxos-lab-{layout.node_count}_"
    for kind in ("networks", "volumes"):
        for body in document[kind].values():
            assert body["name"].startswith(prefix)
    for body in document["services"].values():
        assert body["container_name"].startswith(prefix)


def test_no_key_that_one_of_the_two_composes_lacks(document: dict[str, Any]) -> None:
    """The same file serves Compose v1.29 and v2."""
    assert not FORBIDDEN_KEYS & set(document)
    for body in document["services"].values():
        assert "start_interval" not in body.get("healthcheck", {})
        assert all("restart" not in value for value in body.get("depends_on", {}).values())


def test_settings_move_addresses_and_ports() -> None:
    """Where 10.213 or port 7001 is taken, others can be named."""
    settings = ComposeSettings(subnet_prefix="10.99", port_base=17000)
    document = parse(compose_document(3, settings))
    body = document["services"]["n2"]
    assert body["ports"] == ["127.0.0.1:17002:7000", "127.0.0.1:17102:7100"]
    assert body["networks"]["control"]["ipv4_address"] == "10.99.39.3"
    assert "10.213" not in compose_document(3, settings)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PAXOS_LAB_SUBNET_PREFIX": "10"}, "PAXOS_LAB_SUBNET_PREFIX is '10'"),
        ({"PAXOS_LAB_SUBNET_PREFIX": "8.8"}, "private range"),
        ({"PAXOS_LAB_PORT_BASE": "many"}, "PAXOS_LAB_PORT_BASE is 'many'"),
        ({"PAXOS_LAB_PORT_BASE": "80"}, "from 1024 to"),
        ({"PAXOS_LAB_PORT_BASE": "65500"}, "from 1024 to"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], sentence: str) -> None:
    """One sentence says which variable is wrong and what it must be."""
    with pytest.raises(ComposeError, match=sentence):
        ComposeSettings.from_environment(environment)


def test_an_empty_environment_gives_the_defaults() -> None:
    """A variable that is set to nothing counts as not set."""
    assert ComposeSettings.from_environment({}) == DEFAULT_SETTINGS
    assert ComposeSettings.from_environment({"PAXOS_LAB_PORT_BASE": ""}) == DEFAULT_SETTINGS


@pytest.mark.parametrize("node_count", [0, 1, 2, 4, 6, 11])
def test_other_numbers_of_nodes_are_refused(node_count: int) -> None:
    """An even cluster tolerates no more failures than the odd one below it."""
    with pytest.raises(ComposeError, match="3, 5, 7 or 9 nodes"):
        compose_document(node_count)


def test_only_the_default_cluster_has_a_committed_file(tmp_path: Path) -> None:
    """All others go to a folder that git ignores, and build from the tree's root."""
    assert compose_file(tmp_path, Layout(5)) == tmp_path / "docker-compose.yml"
    assert list(tmp_path.iterdir()) == []
    path = compose_file(tmp_path, Layout(7))
    assert path == tmp_path / "state" / "compose" / "docker-compose.7.yml"
    context = parse(path.read_text(encoding="utf-8"))["services"]["n7"]["build"]["context"]
    assert (path.parent / context).resolve() == tmp_path


@pytest.mark.docker
def test_compose_itself_accepts_the_file(layout: Layout, root: Path) -> None:
    """Whichever Compose this machine has reads the file without a complaint."""
    path = compose_file(root, layout)
    plugin = subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False, timeout=120
    )
    command = ["docker", "compose"] if plugin.returncode == 0 else ["docker-compose"]
    assert shutil.which(command[0]), "no Compose is installed"
    done = subprocess.run(
        [*command, "--project-name", layout.project, "--file", str(path), "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        timeout=160,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
