"""The rules in force, for all gates together.

A node's gate knows one list of rules, which is replaced as a whole. Here is
the table that those lists are made from: it outlives the restart of a node,
which comes back with an empty gate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from node.wire import control_pb2
from orchestrator.clients import Clients, at_once
from orchestrator.cluster import Pair
from paxos.events import node_key
from paxos.scenario.model import GateRule

_ACTIONS = {
    "cut": control_pb2.GateRule.CUT,
    "drop": control_pb2.GateRule.DROP,
    "delay": control_pb2.GateRule.DELAY,
    "hold": control_pb2.GateRule.HOLD,
    "duplicate": control_pb2.GateRule.DUPLICATE,
    "reorder": control_pb2.GateRule.REORDER,
}


def rules_of(rule: GateRule, instances: Mapping[str, int]) -> list[control_pb2.GateRule]:
    """The wire rules of one rule of a scenario: one for each pair of source and addressee.

    Every node gets all of them: a request is judged at its sender and a reply
    at its addressee, so each message still meets each rule once. A gate wants
    a name of its own for each.
    """
    instance = 0 if rule.instance is None else instances[rule.instance]
    sources = [node_key(node) for node in rule.sources] or [0]
    targets = [node_key(node) for node in rule.to] or [0]
    ways = list(product(sources, targets))
    names = [rule.name] if len(ways) == 1 else [f"{rule.name}-{n + 1}" for n in range(len(ways))]
    return [
        control_pb2.GateRule(
            name=name,
            action=_ACTIONS[rule.action],
            source=source,
            to=to,
            kinds=rule.kinds,
            first_instance=instance,
            last_instance=instance,
            percent=rule.percent,
            delay_ms=rule.delay_ms,
            delay_most_ms=rule.delay_most_ms,
            copies=rule.copies,
        )
        for name, (source, to) in zip(names, ways, strict=True)
    ]


def rules_of_cut(name: str, pairs: Iterable[Pair]) -> list[control_pb2.GateRule]:
    """The wire rules that lose everything between these pairs, both ways."""
    return [
        control_pb2.GateRule(
            name=f"{name} {source}-{to}",
            action=control_pb2.GateRule.CUT,
            source=node_key(source),
            to=node_key(to),
        )
        for low, high in pairs
        for source, to in ((low, high), (high, low))
    ]


@dataclass(slots=True)
class GateTable:
    """Every rule in force, by its name."""

    clients: Clients
    rules: dict[str, list[control_pb2.GateRule]] = field(default_factory=dict)

    def flat(self) -> list[control_pb2.GateRule]:
        """The list that each node gets."""
        return [rule for rules in self.rules.values() for rule in rules]

    def set_at(self, nodes: Iterable[str]) -> None:
        """Bring these nodes up to date.

        Raises:
            NodeSilent: one of them did not answer.
        """
        rules = self.flat()
        at_once(lambda node: self.clients.set_gate(node, rules), nodes)
