"""The network of a world: links, cuts, travel, gates, and delivery by hand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from paxos.protocol import NodeId
from paxos.scenario.model import GateRule
from paxos.simulator.gate import Held, Passage, Rule, rules_of
from paxos.simulator.steps import Given

if TYPE_CHECKING:
    from paxos.simulator.node import Node
    from paxos.simulator.world import World

Way = tuple[NodeId, NodeId]
"""From one node to another."""

_TO_SELF_NS: Final = 10_000


@dataclass(slots=True, eq=False)
class Sent:
    """By hand: a message that waits for ever, and may be handed over more than once."""

    given: Given
    to: NodeId
    name: str
    delivered: bool = False


class Network:
    """Carries messages between the nodes of a world.

    Args:
        world: whose network.

    Attributes:
        cuts: the ways that are cut, by the name of what cut them; they overlap.
        rules: the rules of the gates, by the name of the scenario's rule.
        sent: in manual mode, every message that was ever sent.
        awaited: by name of a message: whom it is for, and what happens once
            it was received, or is lost.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.cuts: dict[str, frozenset[Way]] = {}
        self.rules: dict[str, list[Rule]] = {}
        self.sent: list[Sent] = []
        self.awaited: dict[str, tuple[NodeId, Callable[[], None]]] = {}
        self._cut: frozenset[Way] = frozenset()
        self._flat: list[Rule] = []
        self._unplugged: frozenset[Way] = frozenset()

    # --- travel -----------------------------------------------------------------

    def transmit(self, sender: "Node", given: Given, to: NodeId, name: str) -> None:
        """Take a message for its addressee; nothing is promised."""
        if self._world.manual:
            self.sent.append(Sent(given, to, name))
        elif self._flat and not given.is_reply:
            # Behind the step that sends it, as on a node: its gate is no part of the step.
            self._world.after(0, self._leave, sender, sender.incarnation, given, to, name)
        else:
            self._travel(sender.node_id, given, to, name)

    def _leave(self, sender: "Node", incarnation: int, given: Given, to: NodeId, name: str) -> None:
        if not sender.up or sender.incarnation != incarnation:
            self._lost(name)
            return
        passage = Passage(sender.node_id, to, given.kind, given.instance, name)
        go = partial(self._travel, sender.node_id, given, to, name)
        if sender.gate.judge(self._flat, passage, go):
            self._lost(name)

    def _travel(self, source: NodeId, given: Given, to: NodeId, name: str) -> None:
        if source == to:
            self._depart(given, to, name, _TO_SELF_NS)
            return
        world = self._world
        conditions = world.conditions
        if (source, to) in self._cut or (
            conditions.loss_percent and world.chance.percent(conditions.loss_percent)
        ):
            self._lost(name)
            return
        if conditions.duplicate_percent and world.chance.percent(conditions.duplicate_percent):
            self._depart(given, to, name, world.latency_ns())
        self._depart(given, to, name, world.latency_ns())

    def _depart(self, given: Given, to: NodeId, name: str, after_ns: int) -> None:
        world = self._world
        node = world.nodes[to]
        # A connection does not outlive the process at its end.
        world.push(world.now_ns + after_ns, self._arrive, (node, node.incarnation, given, name))

    def _arrive(self, node: "Node", incarnation: int, given: Given, name: str) -> None:
        if (
            not node.up
            or node.incarnation != incarnation
            or (given.source, node.node_id) in self._cut
        ):
            self._lost(name)
        elif self._flat and given.is_reply:
            if node.paused:
                # Its gate stands still, too.
                node.later(0, self._arrive, (node, incarnation, given, name))
                return
            passage = Passage(given.source, node.node_id, given.kind, given.instance, name)
            if node.gate.judge(self._flat, passage, partial(node.give, given, name)):
                self._lost(name)
        else:
            node.give(given, name)

    def _lost(self, name: str) -> None:
        if self.awaited:
            self.received(name)

    def received(self, name: str) -> None:
        """A message's addressee has done with it; or it is lost."""
        _, then = self.awaited.pop(name, (0, None))
        if then is not None:
            then()

    def addressee_ended(self, node: NodeId) -> None:
        """A process is gone, and with it all that it was to do with what it received."""
        for name in [name for name, (to, _) in self.awaited.items() if to == node]:
            self.received(name)

    # --- links --------------------------------------------------------------------

    def passes(self, source: NodeId, to: NodeId) -> bool:
        """Whether a message may pass now, by cuts and unplugged ways."""
        return (source, to) not in self._cut and (source, to) not in self._unplugged

    def linked(self, a: NodeId, b: NodeId) -> bool:
        """Whether ``a`` finds ``b`` at the other end of its link."""
        nodes = self._world.nodes
        return (
            nodes[a].up
            and nodes[b].up
            and (a, b) not in self._cut
            and (a, b) not in self._unplugged
            and (b, a) not in self._unplugged
        )

    def reachable(self, node: NodeId) -> tuple[NodeId, ...]:
        """The peers that a node's links are up to, in order; by hand, all of them."""
        peers = [peer for peer in self._world.members if peer != node]
        if self._world.manual:
            return tuple(peers)
        return tuple(peer for peer in peers if self.linked(node, peer))

    def cut(self, name: str, ways: Iterable[Way]) -> None:
        """Cut some ways, beside whatever other cuts there are; one of this name is replaced."""
        before = self._links()
        self.cuts[name] = frozenset(ways)
        self._links_changed(before)

    def mend(self, name: str) -> frozenset[Way]:
        """End a cut; the ways that were cut by it."""
        before = self._links()
        mended = self.cuts.pop(name)
        self._links_changed(before)
        return mended

    def set_rule(self, rule: GateRule, instance: int) -> None:
        """Put a rule in force at every gate; ``instance`` 0 for every one."""
        before = self._links()
        self.rules[rule.name] = rules_of(rule, instance)
        self._links_changed(before)
        self._tell_gates()

    def end_rule(self, name: str) -> int:
        """End a rule, and let go what it holds; how many messages that were."""
        before = self._links()
        ended = {rule.name for rule in self.rules.pop(name)}
        self._links_changed(before)
        self._tell_gates()
        released = 0
        for node in self._world.running():
            for held in [held for held in node.gate.held if held.rule in ended]:
                # To let one go may end the node that holds the next.
                if held in node.gate.held:
                    node.gate.release(held)
                    released += 1
        return released

    def held_by(self, name: str) -> list[tuple["Node", Held]]:
        """What the gates hold under a rule: node by node, oldest first."""
        ruled = {rule.name for rule in self.rules.get(name, ())}
        return [
            (node, held)
            for node in self._world.running()
            for held in node.gate.held
            if held.rule in ruled
        ]

    def greet(self, node: "Node") -> None:
        """A node has started: it gets the rules in force, and links come up at both ends."""
        if self._flat:
            self._tell_gate(node)
        for peer in self._world.members:
            if peer != node.node_id and self.linked(node.node_id, peer):
                self._found(node.node_id, peer)
                self._found(peer, node.node_id)

    def _tell_gates(self) -> None:
        for node in self._world.running():
            self._tell_gate(node)

    def _tell_gate(self, node: "Node") -> None:
        rules = [rule.fields() for rule in self._flat]
        node.write({"event": "gate_changed", "rules": rules})

    def _links(self) -> set[Way]:
        members = self._world.members
        return {(a, b) for a in members for b in members if a != b and self.linked(a, b)}

    def _links_changed(self, before: set[Way]) -> None:
        self._cut = frozenset(way for ways in self.cuts.values() for way in ways)
        self._flat = [rule for rules in self.rules.values() for rule in rules]
        members = self._world.members
        self._unplugged = frozenset(
            (a, b)
            for a in members
            for b in members
            if a != b and any(rule.unplugs(a, b) for rule in self._flat)
        )
        after = self._links()
        for a, b in sorted(before - after):
            self._world.nodes[a].link_lost(b)
        for a, b in sorted(after - before):
            self._found(a, b)

    def _found(self, at: NodeId, peer: NodeId) -> None:
        """A link came up: what was missed is told, and asked for."""
        if self._world.manual:
            # By hand nothing moves by itself.
            return
        node = self._world.nodes[at]
        question = node.link_found(peer)
        learned = {number for number, state in node.states.items() if state.learned}
        ask = partial(self._ask, at, peer, self._world.nodes[peer].incarnation, learned, question)
        go = partial(self._world.after, self._world.conditions.latency_least_us * 1_000, ask)
        if self._flat:
            node.gate.judge(self._flat, Passage(at, peer, "status", 0, question), go)
        else:
            go()

    def _ask(
        self, at: NodeId, peer: NodeId, incarnation: int, learned: set[int], question: str
    ) -> None:
        asked = self._world.nodes[peer]
        if asked.up and asked.incarnation == incarnation and (at, peer) not in self._cut:
            asked.answer_all(at, learned, question)
