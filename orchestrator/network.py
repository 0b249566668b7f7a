"""Faults of the network: cuts of links, and rules of the gates."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from orchestrator.clients import Clients, at_once
from orchestrator.cluster import Cluster, LabError, Pair
from orchestrator.gate import GateTable, rules_of, rules_of_cut
from orchestrator.ledger import Ledger
from orchestrator.ready import await_links, pair_of, running
from paxos.events import node_key
from paxos.scenario.model import Cut, GateRule, Release

_Entry = TypeVar("_Entry")

LINKS_LIMIT_S: Final = 60.0
_CONFIRM_LIMIT_S: Final = 20.0
_PROBE_MS: Final = 150


@dataclass(frozen=True, slots=True)
class _CutInForce:
    """A cut as it is told when it begins and when it ends."""

    fault: str
    pairs: tuple[Pair, ...]
    targets: tuple[str, ...]
    detail: dict[str, Any]

    @classmethod
    def of(cls, cut: Cut, pairs: tuple[Pair, ...]) -> "_CutInForce":
        targets = cut.groups[0] if cut.fault == "isolate" else tuple(_ends(pairs))
        detail = {"groups": [list(g) for g in cut.groups], "pairs": [list(p) for p in pairs]}
        return cls(cut.fault, pairs, targets, detail)


class Network:
    """Cuts links and rules over messages; confirms each by asking the nodes.

    Args:
        cluster: the world.
        clients: asks the nodes.
        ledger: keeps what is in force.
        instances: the scenario's names of instances.
    """

    def __init__(
        self,
        cluster: Cluster,
        clients: Clients,
        ledger: Ledger,
        instances: Mapping[str, int],
    ) -> None:
        self._cluster = cluster
        self._clients = clients
        self._ledger = ledger
        self._instances = instances
        self._gates = GateTable(clients)
        self._cuts: dict[str, _CutInForce] = {}
        self._rules: dict[str, GateRule] = {}

    def cut(self, cut: Cut) -> None:
        """Cut links: their cables where the world has some, else by the gates at both ends."""
        started = time.monotonic()
        pairs = cut.pairs(self._cluster.members)
        in_force = _CutInForce.of(cut, pairs)
        self._ledger.enter(_key(cut.name), lambda: self.heal([cut.name]))
        self._cuts[cut.name] = in_force
        if self._cluster.cables is None:
            self._gates.rules[cut.name] = rules_of_cut(cut.name, pairs)
            self._gates.set_at(running(self._cluster))
        else:
            self._cluster.cables.unplug(pairs)
        evidence = self._probe_until(pairs, answered=False)
        shape = " | ".join(", ".join(group) for group in cut.groups)
        self._ledger.claim(
            in_force.fault,
            in_force.targets,
            self._cut_mechanism,
            f"{shape}; {evidence}",
            started,
            in_force.detail,
        )

    def rule(self, rule: GateRule) -> None:
        """Put a rule of the gate in force at every node."""
        started = time.monotonic()
        # First of all: what no gate can be told is never in force.
        found = rules_of(rule, self._instances)
        self._ledger.enter(_key(rule.name), lambda: self.heal([rule.name]))
        self._rules[rule.name] = rule
        self._gates.rules[rule.name] = found
        nodes = running(self._cluster)
        self._gates.set_at(nodes)
        if _is_blind_cut(rule):
            sources = rule.sources or self._cluster.members
            targets = rule.to or self._cluster.members
            ways = [(source, to) for source in sources for to in targets if source != to]
            evidence = self._probe_until(ways, answered=False, both_ways=False)
        else:
            wanted = self._gate_names(rule.name)
            infos = at_once(self._clients.info, nodes)
            for node, info in zip(nodes, infos, strict=True):
                if not wanted <= {found.name for found in info.gate}:
                    raise LabError(f"{node} has taken no rule {rule.name} for its gate")
            evidence = f"{as_text(rule)}; {len(nodes)} gates confirm it"
        self._ledger.claim(
            _verb(rule), self._targets(rule), "gate", evidence, started, _as_object(rule)
        )

    def heal(self, names: Iterable[str] = ()) -> None:
        """End faults by name, or all; returns when every link that is no longer cut is ready."""
        for name in list(names) or [*self._cuts, *self._rules]:
            if name in self._cuts:
                self._heal_cut(name)
            elif name in self._rules:
                self._end_rule(name)

    def release(self, release: Release) -> None:
        """Let held messages go on.

        Raises:
            LabError: fewer are held than were to be released.
        """
        if release.first is None:
            self._end_rule(release.name)
            return
        left = release.first
        for node in running(self._cluster):
            numbers = [
                message.number
                for message in self._clients.held(node)
                if message.rule in self._gate_names(release.name)
                and (not release.kinds or message.kind in release.kinds)
                and (not release.sources or f"n{message.source}" in release.sources)
                and (not release.to or f"n{message.to}" in release.to)
            ]
            if numbers[:left]:
                left -= self._clients.release(node, numbers[:left])
        if left:
            raise LabError(
                f"{release.first} messages were to be released, but {left} of them are not held"
            )

    def bring_up_to_date(self, nodes: Iterable[str]) -> None:
        """Give nodes that could not hear, or have forgotten, the rules in force."""
        self._gates.set_at(nodes)

    def await_links(self) -> int:
        """Wait until every link that is not cut is ready; how many these are."""
        cut = self._cut_now() | self._cut_one_way_now()
        return await_links(self._cluster, self._clients, cut, LINKS_LIMIT_S)

    def _gate_names(self, name: str) -> set[str]:
        return {rule.name for rule in self._gates.rules.get(name, ())}

    def _release(self, node: str, rules: set[str]) -> int:
        numbers = [m.number for m in self._clients.held(node) if m.rule in rules]
        return self._clients.release(node, numbers) if numbers else 0

    @property
    def _cut_mechanism(self) -> str:
        return "gate" if self._cluster.cables is None else "cable"

    def _cut_now(self) -> set[Pair]:
        return {pair for cut in self._cuts.values() for pair in cut.pairs}

    def _cut_one_way_now(self) -> set[Pair]:
        """The links of which gates lose one direction: neither end calls such a link ready."""
        members = self._cluster.members
        return {
            pair_of(source, to)
            for rule in self._rules.values()
            if _is_blind_cut(rule)
            for source in rule.sources or members
            for to in rule.to or members
            if source != to
        }

    def _heal_cut(self, name: str) -> None:
        started = time.monotonic()
        with _taken_out(self._cuts, name) as cut:
            still = self._cut_now()
            free = [pair for pair in cut.pairs if pair not in still]
            if self._cluster.cables is None:
                self._gates.rules.pop(name, None)
                self._gates.set_at(running(self._cluster))
            else:
                self._cluster.cables.plug(free)
            self.await_links()
            lost = self._cut_one_way_now()
            evidence = self._probe_until([p for p in free if p not in lost], answered=True)
        self._ledger.strike(_key(name))
        self._ledger.claim_undone(
            cut.fault, cut.targets, self._cut_mechanism, evidence, started, cut.detail
        )

    def _end_rule(self, name: str) -> None:
        started = time.monotonic()
        ended = self._gate_names(name)
        # An interrupt may have come before the gates' table had it.
        self._gates.rules.setdefault(name, [])
        with _taken_out(self._rules, name) as rule, _taken_out(self._gates.rules, name):
            nodes = running(self._cluster)
            self._gates.set_at(nodes)
            # Also what was held under the rule before: its end lets nothing go by itself.
            released = 0
            if rule.action == "hold":
                released = sum(at_once(lambda node: self._release(node, ended), nodes))
            evidence = f"{as_text(rule)} may pass again"
            if rule.action == "hold":
                evidence = f"{released} held messages go on"
            if rule.action == "cut":
                self.await_links()
        self._ledger.strike(_key(name))
        self._ledger.claim_undone(
            _verb(rule), self._targets(rule), "gate", evidence, started, _as_object(rule)
        )

    def _targets(self, rule: GateRule) -> Sequence[str]:
        return rule.sources or rule.to or self._cluster.members

    def _probe_until(self, pairs: Iterable[Pair], *, answered: bool, both_ways: bool = True) -> str:
        """Probe until every probe ends as it should; what to say of it.

        Raises:
            LabError: one goes on ending otherwise.
        """
        up = set(running(self._cluster))
        ways = [way for pair in pairs for way in ((pair, pair[::-1]) if both_ways else (pair,))]
        ways = [way for way in ways if way[0] in up and way[1] in up]
        deadline = time.monotonic() + _CONFIRM_LIMIT_S
        left = ways
        while left:
            replies = at_once(lambda way: self._clients.probe(way[0], way[1], _PROBE_MS), left)
            left = [
                way
                for way, reply in zip(left, replies, strict=True)
                if reply.answered is not answered
            ]
            if left and time.monotonic() > deadline:
                named = ", ".join(f"{source} to {to}" for source, to in left)
                state = "is still lost" if answered else "still passes"
                raise LabError(f"the network is not as it should be: a probe {state} from {named}")
        return f"all {len(ways)} probes over it {'answered' if answered else 'failed'}"


@contextlib.contextmanager
def _taken_out(table: dict[str, _Entry], name: str) -> Iterator[_Entry]:
    """Take an entry out; it is back when what is done meanwhile breaks off.

    A heal that fails half-way, or meets Ctrl-C, is done again by the ledger,
    which must find what there is to heal.
    """
    entry = table.pop(name)
    table_is_right = False
    try:
        yield entry
        table_is_right = True
    finally:
        if not table_is_right:
            table[name] = entry


def _is_blind_cut(rule: GateRule) -> bool:
    """Whether a rule loses everything, and so the probes and the signs of life of its links."""
    return rule.action == "cut" and not rule.kinds and rule.instance is None


def as_text(rule: GateRule) -> str:
    """A rule in words: ``accept from n1``."""
    text = " and ".join(rule.kinds) if rule.kinds else "everything"
    if rule.sources:
        text += f" from {', '.join(rule.sources)}"
    if rule.to:
        text += f" to {', '.join(rule.to)}"
    if rule.action in {"drop", "duplicate", "reorder"} and (
        rule.action == "drop" or rule.percent < 100
    ):
        text = f"{rule.percent} % of {text}"
    if rule.action == "duplicate":
        return f"{text}, {rule.copies + 1} times each"
    if rule.action == "reorder":
        return f"{text}, each behind the next, after {rule.delay_most_ms} ms at most"
    if rule.action == "delay":
        least, most = rule.delay_ms, rule.delay_most_ms
        return f"{text} by {least} ms" if least == most else f"{text} by {least} to {most} ms"
    return text


def _as_object(rule: GateRule) -> dict[str, Any]:
    fields = {
        "rule": rule.name,
        "action": rule.action,
        "from": list(rule.sources),
        "to": list(rule.to),
        "kinds": list(rule.kinds),
        "percent": rule.percent,
        "delay_ms": rule.delay_ms,
        "delay_most_ms": rule.delay_most_ms,
        "copies": rule.copies,
    }
    return {name: found for name, found in fields.items() if found}


def _key(name: str) -> str:
    # A name is anybody's choice: no name can be another fault's entry of the ledger.
    return f"the fault {name!r}"


def _verb(rule: GateRule) -> str:
    return "cut one way" if rule.action == "cut" else rule.action


def _ends(pairs: Iterable[Pair]) -> list[str]:
    return sorted({node for pair in pairs for node in pair}, key=node_key)
