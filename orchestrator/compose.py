"""The compose file of a cluster, as text.

`compose_document` is a pure function: the same number of nodes and the same
settings give the same bytes, so the file in the root of the tree can be held
equal to what is written here.

Every pair of nodes has a network of its own, its *cable*.  A partition unplugs
exactly the cables that cross it, so any shape can be cut, also one in which A
reaches B and B reaches C but A does not reach C.  The cables are internal and
lead nowhere else.  A further network, *control*, is touched by no fault: on it
the lab commands the nodes, and its ports are published on 127.0.0.1 only.

The text uses what Compose v1.29 and v2 both read.  It is written by hand and
not by a YAML library, because it is meant to be read.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Final, Self

NODE_COUNTS: Final = (3, 5, 7, 9)
DEFAULT_NODE_COUNT: Final = 5

CONTROL_PORT: Final = 7000
"""Where a node's control service listens, on its control address only."""

PAXOS_PORT: Final = 7100
"""Where a node's public service listens, on all its cables and on control."""

DEFAULT_PROJECT: Final = "paxos-lab"
"""What begins the name of every project; the number of nodes ends it."""

DEFAULT_SUBNET_PREFIX: Final = "10.213"
"""The first two octets of every address; the third begins with the count."""

CONTROL_NETWORK: Final = "control"

PROJECT_VARIABLE: Final = "PAXOS_LAB_PROJECT"
SUBNET_PREFIX_VARIABLE: Final = "PAXOS_LAB_SUBNET_PREFIX"
PORT_BASE_VARIABLE: Final = "PAXOS_LAB_PORT_BASE"

HEALTH_FILE: Final = "/run/paxos/healthy"

_PROJECT: Final = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
_CABLE_PREFIX_BITS: Final = 29
_CONTROL_PREFIX_BITS: Final = 28
_PORT_LIMIT: Final = 65_535
_UNSAFE_PORTS_ABOVE: Final = 10_000
_UNSAFE_THIRD_OCTET: Final = 100
# The host keeps the first address of a network for its bridge.
_FIRST_HOST: Final = 2


class ComposeError(Exception):
    """A setting of the cluster cannot be used; the text names it."""


@dataclass(frozen=True, slots=True)
class ComposeSettings:
    """What of a cluster may have to differ from one machine to another.

    Attributes:
        subnet_prefix: The first two octets of all subnets, as ``10.213``.
        port_base: Node *i*'s control port is published as ``port_base + i``
            and its public port as ``port_base + 100 + i``; ``None`` takes a
            base that no other number of nodes uses.
        project: What begins the names of all that is made. Two clusters of
            one size can be on a machine when all three differ.
    """

    subnet_prefix: str = DEFAULT_SUBNET_PREFIX
    port_base: int | None = None
    project: str = DEFAULT_PROJECT

    def __post_init__(self) -> None:
        """Refuse what Docker would refuse later, in the words of the setting."""
        if not _PROJECT.fullmatch(self.project):
            raise ComposeError(
                f"{PROJECT_VARIABLE} is {self.project!r}: it must be 2 to 32 small letters, "
                "digits and hyphens, such as paxos-lab"
            )
        try:
            network = IPv4Network(f"{self.subnet_prefix}.0.0/16")
        except ValueError as exc:
            raise ComposeError(
                f"{SUBNET_PREFIX_VARIABLE} is {self.subnet_prefix!r}: it must be the "
                "first two octets of a private network, such as 10.213"
            ) from exc
        if not network.is_private:
            raise ComposeError(
                f"{SUBNET_PREFIX_VARIABLE} is {self.subnet_prefix!r}: it must lie in a "
                "private range, such as 10.213, so that no public address is hidden"
            )
        base = self.port_base
        highest = _PORT_LIMIT - _UNSAFE_PORTS_ABOVE - 100 - max(NODE_COUNTS)
        if base is not None and not 1024 <= base <= highest:
            raise ComposeError(f"{PORT_BASE_VARIABLE} is {base}: it must be from 1024 to {highest}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings that the environment gives.

        Raises:
            ComposeError: A variable holds what cannot be used.
        """
        prefix = environment.get(SUBNET_PREFIX_VARIABLE) or DEFAULT_SUBNET_PREFIX
        project = environment.get(PROJECT_VARIABLE) or DEFAULT_PROJECT
        text = environment.get(PORT_BASE_VARIABLE)
        if not text:
            return cls(prefix, project=project)
        try:
            return cls(prefix, int(text), project)
        except ValueError as exc:
            raise ComposeError(
                f"{PORT_BASE_VARIABLE} is {text!r}: it must be a whole number"
            ) from exc


DEFAULT_SETTINGS: Final = ComposeSettings()


@dataclass(frozen=True, slots=True)
class Cable:
    """The network of one pair of nodes.

    Attributes:
        low: The lower node id.
        high: The higher node id.
        subnet: Its addresses; the lower node has the lower one.
    """

    low: int
    high: int
    subnet: IPv4Network

    @property
    def name(self) -> str:
        """The cable's name within its project, as ``n1-n2``."""
        return f"n{self.low}-n{self.high}"

    def address(self, node_id: int) -> IPv4Address:
        """The address of one of its two nodes."""
        assert node_id in {self.low, self.high}, f"n{node_id} is not on {self.name}"
        return self.subnet[_FIRST_HOST + (node_id == self.high)]

    def peer(self, node_id: int) -> int:
        """The node at the other end."""
        assert node_id in {self.low, self.high}, f"n{node_id} is not on {self.name}"
        return self.low + self.high - node_id


@dataclass(frozen=True, slots=True)
class Layout:
    """Names, addresses and ports of one cluster of containers.

    Attributes:
        node_count: 3, 5, 7 or 9.
        settings: What may differ from one machine to another.
        unsafe: What tells its nodes to be unfit for data, by variable. Such a
            cluster has names, addresses and ports of its own: it may be up
            beside the one that `make up` starts.
    """

    node_count: int
    settings: ComposeSettings = DEFAULT_SETTINGS
    unsafe: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a number of nodes that no layout is made for."""
        if self.node_count not in NODE_COUNTS:
            raise ComposeError(f"a cluster has 3, 5, 7 or 9 nodes, not {self.node_count}")

    @property
    def project(self) -> str:
        """The name of the project, which begins the name of all that it makes."""
        kind = "unsafe-" if self.unsafe else ""
        return f"{self.settings.project}-{kind}{self.node_count}"

    @property
    def target(self) -> str:
        """The stage of the Dockerfile that makes its image."""
        return "unsafe" if self.unsafe else "node"

    @property
    def image(self) -> str:
        """The name of that image."""
        return f"paxos-lab/node:{'unsafe' if self.unsafe else 'latest'}"

    @property
    def node_ids(self) -> range:
        """The ids of the nodes, from 1."""
        return range(1, self.node_count + 1)

    @property
    def cables(self) -> tuple[Cable, ...]:
        """All cables, ordered by their pair."""
        pairs = combinations(self.node_ids, 2)
        return tuple(
            Cable(low, high, self._cable_subnet(index)) for index, (low, high) in enumerate(pairs)
        )

    @property
    def control_subnet(self) -> IPv4Network:
        """The addresses of the control network."""
        prefix = self.settings.subnet_prefix
        return IPv4Network(f"{prefix}.{self._third_octet + 9}.0/{_CONTROL_PREFIX_BITS}")

    @property
    def _third_octet(self) -> int:
        return 10 * self.node_count + (_UNSAFE_THIRD_OCTET if self.unsafe else 0)

    def control_address(self, node_id: int) -> IPv4Address:
        """Where a node is on the control network."""
        return self.control_subnet[_FIRST_HOST + node_id - 1]

    def control_port(self, node_id: int) -> int:
        """The port of the host that leads to a node's control service."""
        return self._port_base + node_id

    def paxos_port(self, node_id: int) -> int:
        """The port of the host that leads to a node's public service."""
        return self._port_base + 100 + node_id

    def cables_of(self, node_id: int) -> tuple[Cable, ...]:
        """The cables that end at a node, ordered by the peer's id."""
        ours = [cable for cable in self.cables if node_id in {cable.low, cable.high}]
        return tuple(sorted(ours, key=lambda cable: cable.peer(node_id)))

    def container_name(self, node_id: int) -> str:
        """The name of a node's container."""
        return f"{self.project}_n{node_id}"

    def volume_name(self, node_id: int) -> str:
        """The name of the volume with a node's state directory."""
        return f"{self.project}_n{node_id}"

    def network_name(self, cable: Cable) -> str:
        """The name of a cable's network."""
        return f"{self.project}_cable-{cable.name}"

    @property
    def control_network_name(self) -> str:
        """The name of the control network."""
        return f"{self.project}_{CONTROL_NETWORK}"

    @property
    def _port_base(self) -> int:
        return self._safe_port_base + (_UNSAFE_PORTS_ABOVE if self.unsafe else 0)

    @property
    def _safe_port_base(self) -> int:
        if self.settings.port_base is not None:
            return self.settings.port_base
        # The default cluster has the numbers that are easy to say.  The other
        # counts keep clear of them and of each other, so that two clusters can
        # be up at once.
        if self.node_count == DEFAULT_NODE_COUNT:
            return CONTROL_PORT
        return CONTROL_PORT + 100 * self.node_count

    def _cable_subnet(self, index: int) -> IPv4Network:
        prefix = self.settings.subnet_prefix
        first = IPv4Address(f"{prefix}.{self._third_octet}.0")
        size = 2 ** (32 - _CABLE_PREFIX_BITS)
        return IPv4Network((first + index * size, _CABLE_PREFIX_BITS))


def compose_document(
    node_count: int,
    settings: ComposeSettings = DEFAULT_SETTINGS,
    *,
    context: str = ".",
) -> str:
    """Write the compose file of a cluster.

    Args:
        node_count: 3, 5, 7 or 9.
        settings: What may differ from one machine to another.
        context: The project's folder, seen from where the file will lie.

    Returns:
        The text of a YAML document.

    Raises:
        ComposeError: There is no such cluster.
    """
    return document_of(Layout(node_count, settings), context)


def document_of(layout: Layout, context: str = ".") -> str:
    """Write the compose file of a layout, as :func:`compose_document` does.

    Args:
        layout: the cluster.
        context: The project's folder, seen from where the file will lie.
    """
    return "\n".join(_document(layout, context)) + "\n"


def compose_path(root: Path, node_count: int, settings: ComposeSettings) -> Path:
    """Where the compose file of a cluster lies.

    Args:
        root: The project's folder.
        node_count: 3, 5, 7 or 9.
        settings: What may differ from one machine to another.

    Returns:
        ``docker-compose.yml`` for five nodes with the default settings, else a
        file below ``state/compose/``, which is ignored by git.
    """
    return path_of(root, Layout(node_count, settings))


def path_of(root: Path, layout: Layout) -> Path:
    """Where the compose file of a layout lies, as :func:`compose_path` says."""
    settings, count = layout.settings, layout.node_count
    if layout == Layout(DEFAULT_NODE_COUNT):
        return root / "docker-compose.yml"
    default = settings.project == DEFAULT_PROJECT and not layout.unsafe
    own_name = count if default else layout.project
    return root / "state" / "compose" / f"docker-compose.{own_name}.yml"


def compose_file(root: Path, layout: Layout) -> Path:
    """The compose file of a cluster, written where it is not the committed one.

    Args:
        root: The project's folder.
        layout: the cluster.

    Returns:
        The path of :func:`compose_path`.
    """
    path = path_of(root, layout)
    text = document_of(layout, context="../..")
    if path.parent != root:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def _document(layout: Layout, context: str) -> Iterator[str]:
    command = f"docker-compose -p {layout.project}"
    count = layout.node_count
    yield f"# A cluster of {count} nodes.  Written by `make compose`; edit"
    yield "# orchestrator/compose.py instead."
    yield "#"
    yield f"# `make up NODES={count}` builds the image and starts it; by hand it is"
    yield f"# `{command} up --detach`.  The project's name must be given,"
    yield "# because Compose v1 reads none from the file."
    yield ""
    yield from _common(layout, context)
    yield ""
    yield "services:"
    yield from _format_service(layout)
    for node_id in layout.node_ids:
        yield ""
        yield from _node_service(layout, node_id)
    yield ""
    yield "networks:"
    yield from _control_network(layout)
    for cable in layout.cables:
        yield from _cable_network(layout, cable)
    yield ""
    yield "volumes:"
    for node_id in layout.node_ids:
        yield f"  n{node_id}:"
        yield f"    name: {layout.volume_name(node_id)}"
        yield f"    labels: {_labels(layout, node=node_id)}"


def _common(layout: Layout, context: str) -> Iterator[str]:
    """What the node services and the format service have in common."""
    yield from f"""\
x-common: &common
  image: {layout.image}
  build:
    context: {context}
    target: {layout.target}
    args:
      # `make up` gives the image that it found or made.
      BASE_IMAGE: ${{PAXOS_LAB_BASE_IMAGE:-python:3.11-slim-bookworm}}
  # What a fault stopped stays stopped until the lab starts it again.
  restart: "no"
  # Process 1 ignores a SIGKILL that it sends itself, so it is not the node.
  init: true
  read_only: true
  user: "10001:10001"
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  pids_limit: 256
  mem_limit: 512m
  cpus: 1.0
  logging:
    driver: json-file
    options: {{max-size: 50m, max-file: "3"}}

x-node: &node
  <<: *common
  command: [serve]
  depends_on:
    format: {{condition: service_completed_successfully}}
  tmpfs: ["/run/paxos:size=1m,mode=1777"]
  # A node that starts while a cable is unplugged listens on it all the same,
  # and is heard there as soon as it is plugged in.
  sysctls: {{net.ipv4.ip_nonlocal_bind: "1"}}
  stop_grace_period: 5s
  # The node touches the file while it serves.  A check that started Python each
  # second in every container would cost a core.
  healthcheck:
    test:
      - CMD-SHELL
      - test $$(( $$(date +%s) - $$(stat -c %Y {HEALTH_FILE}) )) -le 3
    interval: 1s
    timeout: 2s
    retries: 3
    start_period: 30s""".splitlines()


def _format_service(layout: Layout) -> Iterator[str]:
    members = ",".join(f"n{node_id}" for node_id in layout.node_ids)
    yield "  # Makes all state directories together, once: a node never makes its own."
    yield "  format:"
    yield "    <<: *common"
    yield f"    container_name: {layout.project}_format"
    yield f"    labels: {_labels(layout)}"
    yield "    network_mode: none"
    yield "    command:"
    yield "      - format-all"
    yield "      - --cluster"
    yield f"      - {layout.project}"
    yield "      - --members"
    yield f"      - {members}"
    yield "      - --root"
    yield "      - /states"
    yield "    volumes:"
    for node_id in layout.node_ids:
        yield f'      - "n{node_id}:/states/n{node_id}"'


def _node_service(layout: Layout, node_id: int) -> Iterator[str]:
    cables = layout.cables_of(node_id)
    control = layout.control_address(node_id)
    members = ",".join(f"n{member}" for member in layout.node_ids)
    addresses = [*(cable.address(node_id) for cable in cables), control]
    listen = ",".join(f"{address}:{PAXOS_PORT}" for address in addresses)
    peers = ",".join(
        f"n{peer}={cable.address(peer)}:{PAXOS_PORT}"
        for cable in cables
        for peer in [cable.peer(node_id)]
    )
    yield f"  n{node_id}:"
    yield "    <<: *node"
    yield f"    container_name: {layout.container_name(node_id)}"
    yield f"    hostname: n{node_id}"
    yield f"    labels: {_labels(layout, node=node_id)}"
    yield "    environment:"
    yield f"      PAXOS_NODE: n{node_id}"
    yield f"      PAXOS_MEMBERS: {members}"
    yield f"      PAXOS_CLUSTER: {layout.project}"
    yield "      PAXOS_STATE_DIR: /state"
    yield f"      PAXOS_LISTEN: {listen}"
    yield f"      PAXOS_CONTROL_LISTEN: {control}:{CONTROL_PORT}"
    yield f"      PAXOS_PEERS: {peers}"
    yield f"      PAXOS_HEALTH_FILE: {HEALTH_FILE}"
    for name, text in layout.unsafe:
        yield f'      {name}: "{text}"'
    yield f'    volumes: ["n{node_id}:/state"]'
    yield "    ports:"
    yield f'      - "127.0.0.1:{layout.control_port(node_id)}:{CONTROL_PORT}"'
    yield f'      - "127.0.0.1:{layout.paxos_port(node_id)}:{PAXOS_PORT}"'
    yield "    networks:"
    yield f"      {CONTROL_NETWORK}: {{ipv4_address: {control}}}"
    for cable in cables:
        address = cable.address(node_id)
        yield f"      cable-{cable.name}: {{ipv4_address: {address}}}"


def _control_network(layout: Layout) -> Iterator[str]:
    yield f"  {CONTROL_NETWORK}:"
    yield f"    name: {layout.control_network_name}"
    yield "    driver: bridge"
    yield "    # Ports are published through it, so it cannot be internal; without"
    yield "    # masquerading no answer from outside finds its way back."
    yield "    driver_opts:"
    yield '      com.docker.network.bridge.enable_ip_masquerade: "false"'
    yield f"    ipam: {{config: [{{subnet: {layout.control_subnet}}}]}}"
    yield f"    labels: {_labels(layout)}"


def _cable_network(layout: Layout, cable: Cable) -> Iterator[str]:
    yield f"  cable-{cable.name}:"
    yield f"    name: {layout.network_name(cable)}"
    yield "    driver: bridge"
    yield "    internal: true"
    yield f"    ipam: {{config: [{{subnet: {cable.subnet}}}]}}"
    yield f"    labels: {_labels(layout, cable=cable)}"


def _labels(layout: Layout, *, node: int | None = None, cable: Cable | None = None) -> str:
    """What the lab knows its own things by, and touches nothing else."""
    labels = ['lab.paxos: "1"', f'lab.paxos.nodes: "{layout.node_count}"']
    if node is not None:
        labels.append(f"lab.paxos.node: n{node}")
    if cable is not None:
        labels.append(f"lab.paxos.cable: {cable.name}")
    return f"{{{', '.join(labels)}}}"
