"""From a moment on by hand: what moved by itself until then waits for a person.

The run up to the moment stays as it was. A step under way is carried out to
its end, as a process would; nothing else happens of its own accord.
"""

import heapq
from collections import deque
from typing import Any

from paxos.protocol import Received, TimeoutFired
from paxos.simulator.faults import Faults, NotPossible
from paxos.simulator.network import Network, Sent
from paxos.simulator.node import Node
from paxos.simulator.steps import Given
from paxos.simulator.world import World

Entry = tuple[int, int, Any, tuple[Any, ...]]


class RememberingNetwork(Network):
    """A network that remembers what was sent, so that it can be handed over later."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._all: list[Sent] = []

    def transmit(self, sender: Node, given: Given, to: int, name: str) -> None:
        """Take a message for its addressee; nothing is promised."""
        if not self._world.manual:
            self._all.append(Sent(given, to, name))
        super().transmit(sender, given, to, name)

    def remembered(self, arrived: set[str]) -> list[Sent]:
        """Every message that was sent, those that have arrived marked as delivered.

        Args:
            arrived: the names of messages that a node has received.
        """
        return [Sent(one.given, one.to, one.name, one.name in arrived) for one in self._all]


def take_over(world: World, network: RememberingNetwork, faults: Faults) -> None:
    """Let every message and every timer wait for a hand from now on.

    Every message that was ever sent can be delivered then: what is under way,
    what was lost, and again what has arrived. Cuts and rules of gates end,
    for they have nothing left to act on.

    Raises:
        NotPossible: it is so already.
    """
    if world.manual:
        raise NotPossible("every message and every timer waits for a hand already")
    world.manual = True
    for name in list(network.awaited):
        # A process that was to end once a message has arrived ends behind it, as by hand.
        network.received(name)
    arrived = {
        line["cause"]
        for line in world.lines
        if "cause" in line and line["event"].endswith("_received")
    }
    network.sent = network.remembered(arrived)
    for node in world.nodes.values():
        _put_back(node)
    # What is left: writes whose sync is still running.
    world._agenda[:] = [
        (max(entry[0], world.now_ns), *entry[1:]) for entry in world._agenda if _is_sync(entry)
    ]
    heapq.heapify(world._agenda)
    faults.heal()


def _put_back(node: Node) -> None:
    """Take out of a node's queue what has come to it and was not looked at."""
    # A message may still arrive; a timer may still run out; a client has asked.
    kept: deque[tuple[Given, str | None]] = deque()
    for given, cause in node._inbox:
        match given.input:
            case Received():
                continue
            case TimeoutFired(instance, timer, token):
                node._timer_count += 1
                node._timers[instance, timer, token] = node._timer_count
            case _:
                kept.append((given, cause))
    node._inbox = kept
    node._deferred = [args for args in node._deferred if _syncs(args)]
    node.gate.clear()


def _is_sync(entry: Entry) -> bool:
    return getattr(entry[2], "__func__", None) is Node._act and _syncs(entry[3])


def _syncs(args: tuple[Any, ...]) -> bool:
    """Whether this is what a process does once its disk has answered."""
    return getattr(args[1], "__func__", None) is Node._synced
