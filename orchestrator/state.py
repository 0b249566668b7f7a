"""What each acceptor has on disk, beside what it has in memory."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.wire import paxos_pb2
from orchestrator.clients import Clients, NodeSilent, at_once
from orchestrator.cluster import Condition, LabError
from orchestrator.docker_world import DockerCluster, copy_steadily, disk_folder
from orchestrator.inside import IN_A_RUN, NO_PROCESS, Found, in_use, inside
from orchestrator.narrate import WIDTH
from orchestrator.places import Places
from orchestrator.show import paragraph
from orchestrator.state_directory import read_state_directory
from paxos.events import logged_value, node_key, show

_VALUE_WIDTH: Final = 18
_COMPARED: Final = ("promised", "accepted", "learned")


@dataclass(slots=True)
class NodeState:
    """One node's disk and memory.

    Attributes:
        node: which.
        condition: how it is.
        place: where its disk, or the copy of it, lies; ``None`` when it has none.
        incarnation: the last start that the disk knows.
        disk: what it holds of each instance, in the log's form.
        memory: the same of a node that could be asked; ``None`` of all others.
        remark: what is to be said of it; may be empty.
    """

    node: str
    condition: str
    place: Path | None = None
    incarnation: int | None = None
    disk: dict[int, dict[str, Any]] = field(default_factory=dict)
    memory: dict[int, dict[str, Any]] | None = None
    remark: str = ""

    def take_disk(self, found: Mapping[str, Any]) -> None:
        """Keep what was read from its disk."""
        self.incarnation = found["incarnation"]
        self.disk = {entry["instance"]: entry for entry in found["instances"]}


@dataclass(slots=True)
class ClusterState:
    """All nodes of a cluster.

    Attributes:
        found: which cluster.
        name: what it is called.
        nodes: each node.
    """

    found: Found
    name: str
    nodes: list[NodeState]

    def instances(self) -> list[int]:
        """Every instance that any node knows."""
        known = {number for node in self.nodes for number in node.disk}
        for node in self.nodes:
            known |= set(node.memory or ())
        return sorted(known)

    def as_json(self, instances: list[int]) -> dict[str, Any]:
        """For a program: the nodes, then each of these instances node by node."""
        return {
            "world": self.found.world,
            "cluster": self.name,
            "nodes": [
                {
                    "node": node.node,
                    "condition": node.condition,
                    "incarnation": node.incarnation,
                    "disk": None if node.place is None else str(node.place),
                    "remark": node.remark,
                }
                for node in self.nodes
            ],
            "instances": [
                {
                    "instance": number,
                    "nodes": {
                        node.node: {
                            "disk": node.disk.get(number),
                            "memory": None if node.memory is None else node.memory.get(number),
                        }
                        for node in self.nodes
                    },
                }
                for number in instances
            ],
        }


def read_cluster(places: Places, found: Found) -> ClusterState:
    """Read all disks, those of containers through copies, and ask the nodes that run.

    Raises:
        LabError: the engine does not answer, or a copy cannot be written.
    """
    return _of_docker(places, found) if found.world == "docker" else _of_local(places, found)


def _of_local(places: Places, found: Found) -> ClusterState:
    folder = places.state / "local" / str(found.node_count)
    # Local nodes live as long as the run that started them, which alone knows their ports.
    condition = IN_A_RUN if in_use(folder) else NO_PROCESS
    nodes = []
    for number in range(1, found.node_count + 1):
        node = NodeState(f"n{number}", condition, folder / f"n{number}")
        _take_disk(node, lambda place=node.place: read_state_directory(place))
        nodes.append(node)
    return ClusterState(found, f"paxos-lab-local-{found.node_count}", nodes)


def _of_docker(places: Places, found: Found) -> ClusterState:
    with inside(found.node_count) as cluster:
        folder = disk_folder(places, cluster.layout)

        def look(name: str) -> NodeState:
            node = NodeState(name, cluster.condition(name))
            with cluster.reader(name) as source:
                if source is None:
                    node.remark = "it has no volume"
                    return node
                container, place = source
                node.place = folder / name
                _take_disk(
                    node, lambda: copy_steadily(cluster.api, container, place, folder / name)
                )
            return node

        nodes = at_once(look, cluster.members)
        name = cluster.layout.project
        whole = cluster.runs
    if whole:
        _ask(places, found, nodes)
    return ClusterState(found, name, nodes)


def _take_disk(node: NodeState, read: Any) -> None:
    try:
        node.take_disk(read())
    except LabError as error:
        node.remark = str(error)


def _ask(places: Places, found: Found, nodes: list[NodeState]) -> None:
    cluster = DockerCluster(places, found.node_count, only_look=True)
    with contextlib.closing(cluster), contextlib.closing(Clients(cluster)) as clients:

        def ask(node: NodeState) -> None:
            if node.condition != Condition.RUNNING:
                return
            try:
                told = clients.status(node.node)
            except NodeSilent as silent:
                node.remark = str(silent)
                return
            node.memory = {entry.instance: _in_memory(entry) for entry in told}

        at_once(ask, nodes)


def _in_memory(entry: paxos_pb2.InstanceStatus) -> dict[str, Any]:
    learned = None
    if entry.HasField("learned"):
        learned = {
            **_proposal(entry.learned),
            "acceptors": [f"n{acceptor}" for acceptor in entry.learned.acceptors],
        }
    return {
        "instance": entry.instance,
        "promised": _ballot(entry.promised),
        "accepted": _proposal(entry.accepted) if entry.HasField("accepted") else None,
        "learned": learned,
    }


def _proposal(found: Any) -> dict[str, Any]:
    return {
        "ballot": _ballot(found.ballot),
        "value": logged_value(found.value.decode("utf-8", errors="replace")),
    }


def _ballot(ballot: paxos_pb2.Ballot) -> str:
    return f"{ballot.round}.{_name(ballot.node_id)}"


def _name(number: int) -> str:
    return f"g{number - 100}" if number > 100 else f"n{number}"


def show_state(console: Console, state: ClusterState, instances: list[int]) -> None:
    """Print the nodes, then a table for each of these instances."""
    folders = [node.place.parent for node in state.nodes if node.place is not None]
    if folders:
        place = f"{Places.shown(folders[0])}/n1 … n{len(state.nodes)}"
        copied = "copied to" if state.found.world == "docker" else "in"
        paragraph(console, f"{state.name}: the disks are {copied} {place}.")
    remarks: dict[str, list[str]] = {}
    for node in state.nodes:
        remarks.setdefault(node.remark or _remark(node), []).append(node.node)
    for remark, nodes in remarks.items():
        if remark:
            paragraph(console, f"{', '.join(nodes)}: {remark}.", "yellow")
    for number in instances:
        console.print()
        console.print(Text(f"instance {number}", "bold") + Text(_learned_of(state, number), "dim"))
        console.print(_table(state, number))


def _remark(node: NodeState) -> str:
    match node.condition:
        case Condition.RUNNING:
            return ""
        case Condition.PAUSED:
            return "paused; memory is kept, but cannot be asked for"
        case _ if node.condition == IN_A_RUN:
            return "in a run that goes on; only the run can ask for memory"
    return f"{node.condition}; memory is gone, and the disk is what a start begins with"


def _table(state: ClusterState, number: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=WIDTH)
    table.add_column("")
    table.add_column("on disk: promised")
    table.add_column("accepted")
    table.add_column("round", justify="right")
    table.add_column("learned")
    table.add_column("in memory")
    for node in state.nodes:
        disk = node.disk.get(number)
        shown = _cells(disk) if disk else ["-", "-", "-", "-"]
        table.add_row(node.node, *shown, _memory_cell(node, number))
    return table


def _cells(disk: Mapping[str, Any]) -> list[str]:
    return [
        _promised(disk["promised"]),
        _pair(disk["accepted"]),
        # A proposer that never used a number, under any scheme, is below all of them.
        str(disk["round"]) if disk["round"] >= 0 else "-",
        "-" if disk["learned"] is None else _value(disk["learned"]["value"]),
    ]


def _memory_cell(node: NodeState, number: int) -> Text:
    if node.memory is None:
        return Text("-", "dim")
    disk, memory = node.disk.get(number), node.memory.get(number)
    if memory is None:
        return Text("nothing", "dim" if disk is None else "yellow")
    differing = list(_differing(disk or {}, memory))
    return Text("the same", "green") if not differing else Text(", ".join(differing), "yellow")


def _differing(disk: Mapping[str, Any], memory: Mapping[str, Any]) -> Iterator[str]:
    for name in _COMPARED:
        theirs = memory[name]
        ours = disk.get(name, "0.n0" if name == "promised" else None)
        if ours != theirs:
            told = _promised(theirs) if name == "promised" else _pair(theirs)
            yield f"{name} {told}"


def _promised(ballot: str) -> str:
    return "-" if ballot == "0.n0" else ballot


def _pair(proposal: Mapping[str, Any] | None) -> str:
    return "-" if proposal is None else f"{proposal['ballot']} {_value(proposal['value'])}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['bytes']} bytes"
    text = show("value", value)
    return text if len(text) <= _VALUE_WIDTH else text[: _VALUE_WIDTH - 2] + "…'"


def _learned_of(state: ClusterState, number: int) -> str:
    knowing = sorted(
        (n.node for n in state.nodes if (n.disk.get(number) or {}).get("learned")), key=node_key
    )
    if not knowing:
        return "  nobody has learned a value"
    return f"  learned by {len(knowing)} of {len(state.nodes)}"
