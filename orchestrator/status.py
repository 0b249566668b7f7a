"""How nodes and links are, and which faults are in force."""

import contextlib
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.wire import control_pb2
from orchestrator.cables import DockerCables
from orchestrator.clients import Clients, NodeSilent, at_once
from orchestrator.cluster import Condition, LabError
from orchestrator.docker_world import DockerCluster
from orchestrator.inside import IN_A_RUN, NO_PROCESS, Found, Inside, in_use, inside
from orchestrator.narrate import WIDTH
from orchestrator.places import Places
from orchestrator.ready import pair_of
from orchestrator.show import paragraph
from orchestrator.state_directory import read_state_directory
from paxos.events import node_key

_STYLES = {Condition.RUNNING: "green", Condition.PAUSED: "magenta", Condition.EXITED: "red"}


def read_status(places: Places, found: Found) -> dict[str, Any]:
    """Nodes, links and faults, ready for JSON.

    Raises:
        LabError: the engine does not answer.
    """
    return _of_docker(places, found) if found.world == "docker" else _of_local(places, found)


def _of_local(places: Places, found: Found) -> dict[str, Any]:
    """Local nodes live only as long as the run that started them: there are disks alone."""
    folder = places.state / "local" / str(found.node_count)
    condition = IN_A_RUN if in_use(folder) else NO_PROCESS
    nodes = []
    for number in range(1, found.node_count + 1):
        node: dict[str, Any] = {"node": f"n{number}", "condition": condition}
        with contextlib.suppress(LabError):
            disk = read_state_directory(folder / f"n{number}")
            node["incarnation"] = disk["incarnation"]
            node["highest_instance"] = max((i["instance"] for i in disk["instances"]), default=0)
        nodes.append(node)
    return {"world": "local", "nodes": nodes, "links": {"ready": [], "missing": []}, "faults": []}


def _of_docker(places: Places, found: Found) -> dict[str, Any]:
    with inside(found.node_count) as cluster:
        nodes = [_outside(cluster, node) for node in cluster.members]
        if not cluster.runs:
            return {
                "world": "docker",
                "cluster": cluster.layout.project,
                "nodes": nodes,
                "links": {"ready": [], "missing": []},
                "faults": [],
            }
        unplugged = DockerCables(cluster.api, cluster.layout).unplugged()
        name = cluster.layout.project
    infos = _ask(places, found, nodes)
    up = {node: {f"n{peer}" for peer in info.links_up} for node, info in infos.items()}
    pairs = [pair_of(one, other) for one in up for other in up if node_key(one) < node_key(other)]
    ready = [pair for pair in pairs if pair[1] in up[pair[0]] and pair[0] in up[pair[1]]]
    return {
        "world": "docker",
        "cluster": name,
        "nodes": nodes,
        "links": {
            "ready": ["-".join(pair) for pair in ready],
            "missing": ["-".join(pair) for pair in pairs if pair not in ready],
        },
        "faults": [
            *({"fault": "unplugged", "cable": "-".join(pair)} for pair in unplugged),
            *_of_conditions(nodes),
            *_of_gates(infos),
        ],
    }


def _outside(cluster: Inside, node: str) -> dict[str, Any]:
    found: dict[str, Any] = {"node": node, "condition": str(cluster.condition(node))}
    if node in cluster.containers:
        state = cluster.containers[node]["State"]
        found["health"] = state.get("Health", {}).get("Status")
        found["exit_code"] = None if state["Running"] else state["ExitCode"]
    return found


def _ask(
    places: Places, found: Found, nodes: list[dict[str, Any]]
) -> dict[str, control_pb2.InfoReply]:
    cluster = DockerCluster(places, found.node_count, only_look=True)
    infos: dict[str, control_pb2.InfoReply] = {}
    with contextlib.closing(cluster), contextlib.closing(Clients(cluster)) as clients:

        def ask(node: dict[str, Any]) -> None:
            name = node["node"]
            places_of = cluster.endpoints(name)
            node["paxos"], node["control"] = places_of.paxos, places_of.control
            if node["condition"] != Condition.RUNNING:
                return
            try:
                info = clients.info(name)
            except NodeSilent as silent:
                node["remark"] = str(silent)
                return
            infos[name] = info
            node["incarnation"] = info.incarnation
            node["highest_instance"] = info.highest_instance
            node["links_up"] = [f"n{peer}" for peer in sorted(info.links_up)]
            node["failpoints"] = list(info.failpoints)

        at_once(ask, nodes)
    return infos


def _of_conditions(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if node["condition"] == Condition.PAUSED:
            yield {"fault": "paused", "node": node["node"]}
        if node["condition"] == Condition.EXITED:
            yield {"fault": "down", "node": node["node"], "exit_code": node["exit_code"]}
        for failpoint in node.get("failpoints", ()):
            yield {"fault": "failpoint", "node": node["node"], "point": failpoint.lower()}


def _of_gates(infos: dict[str, control_pb2.InfoReply]) -> Iterator[dict[str, Any]]:
    at: dict[tuple[str, str], list[str]] = {}
    for node, info in infos.items():
        for rule in info.gate:
            at.setdefault((rule.name, rule_in_words(rule)), []).append(node)
    for (name, words), nodes in at.items():
        yield {"fault": "gate", "rule": name, "does": words, "at": nodes}


def rule_in_words(rule: control_pb2.GateRule) -> str:
    """A rule of a gate: ``hold accept from n1``."""
    text = control_pb2.GateRule.Action.Name(rule.action).lower()
    if rule.percent:
        text += f" {rule.percent} % of"
    text += " " + (" and ".join(rule.kinds) or "everything")
    if rule.source:
        text += f" from n{rule.source}"
    if rule.to:
        text += f" to n{rule.to}"
    if rule.delay_most_ms:
        text += f" by {rule.delay_ms} to {rule.delay_most_ms} ms"
    if rule.first_instance:
        text += f" of instance {rule.first_instance}"
        if rule.last_instance != rule.first_instance:
            text += f" to {rule.last_instance}"
    return text


def show_status(console: Console, status: dict[str, Any]) -> None:
    """Print the nodes, the links and the faults."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=WIDTH)
    for heading in ("", "condition", "incarnation", "highest instance", "links ready", "ports"):
        table.add_column(heading)
    for node in status["nodes"]:
        table.add_row(*_row(node))
    console.print(table)
    if status["world"] == "local":
        paragraph(
            console,
            "Local nodes live only as long as the run that started them; "
            "what stands here is on their disks.",
        )
        return
    links = status["links"]
    count = len(links["ready"]) + len(links["missing"])
    missing = f"; not ready: {', '.join(links['missing'])}" if links["missing"] else ""
    paragraph(console, f"Links: {len(links['ready'])} of {count} are ready{missing}.")
    if not status["faults"]:
        paragraph(console, "Faults: none.")
    for fault in status["faults"]:
        paragraph(console, f"Fault: {_fault_in_words(fault)}.", "yellow")
    for node in status["nodes"]:
        if "remark" in node:
            paragraph(console, f"{node['node']}: {node['remark']}.", "red")


def _row(node: dict[str, Any]) -> list[Text]:
    condition = node["condition"]
    told = condition
    if node.get("health") not in {None, "healthy"} and condition == Condition.RUNNING:
        told += f", {node['health']}"
    if node.get("exit_code") is not None:
        told += f" ({node['exit_code']})"
    links = node.get("links_up")
    ports = [node[kind].partition(":")[2] for kind in ("paxos", "control") if kind in node]
    cells = [
        str(node.get("incarnation", "-")),
        str(node.get("highest_instance", "-")),
        "-" if links is None else " ".join(links) or "none",
        " ".join(ports) or "-",
    ]
    return [Text(node["node"]), Text(told, _STYLES.get(condition, "")), *map(Text, cells)]


def _fault_in_words(fault: dict[str, Any]) -> str:
    match fault["fault"]:
        case "unplugged":
            return f"the cable {fault['cable']} is unplugged"
        case "paused":
            return f"{fault['node']} is paused"
        case "down":
            return f"{fault['node']} is down, exit code {fault['exit_code']}"
        case "failpoint":
            return f"{fault['node']} will kill itself at the failpoint {fault['point']}"
        case _:
            at = ", ".join(fault["at"])
            return f"the gates of {at} {fault['does']} ({fault['rule']})"
