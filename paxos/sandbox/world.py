"""A world that can be stopped at a line, and whose messages in flight can be reached."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any, Final

from paxos.protocol import Received
from paxos.sandbox.recipe import OnMessage, Recipe
from paxos.sandbox.takeover import RememberingNetwork
from paxos.scenario import model as do
from paxos.simulator.faults import NotPossible
from paxos.simulator.gate import Passage
from paxos.simulator.network import Network
from paxos.simulator.node import Node
from paxos.simulator.stage import Stage
from paxos.simulator.steps import Given
from paxos.simulator.world import World

_MS: Final = 1_000_000
_TICK_NS: Final = 1_000
_EVENTS_A_LINE: Final = 20
"""An event that writes no line costs time, too: so many of them count as one line."""

_SETTLE_NS: Final = 15_000_000_000

BY_HAND: Final = "by hand"
"""Stands where a line of a gate names its rule, when it was the sandbox's own doing."""

Entry = tuple[int, int, Callable[..., None], tuple[Any, ...]]
"""Something on a world's agenda: when, its number, what, and with what."""


class Cut(Exception):
    """The scenario goes no further: the log has as many lines as the first command wants."""


class Full(Exception):
    """The log has as many lines as it may have."""


class SandboxWorld(World):
    """A world with a limit, which a scenario's waiting can be cut at a line.

    Args:
        recipe: what is to run in it.

    Attributes:
        first: how many lines there were before the run's first.
        cut_at: at how many lines of the run a scenario that waits is cut.
        remembering: the network.
        wait_count: how often something was let happen by who waited for it.
        end_count: how often a process has ended.
    """

    def __init__(self, recipe: Recipe) -> None:
        parts = recipe.parts
        super().__init__(
            recipe.seed,
            recipe.node_count,
            parts.core_settings(),
            roles=parts.roles,
            keeping=parts.keeping,
            variant=parts.name,
            manual=recipe.manual,
        )
        # None of the nodes, which are only about to start, has seen the other one.
        self.network = self.remembering = RememberingNetwork(self)
        self.first = 0
        self.cut_at: int | None = None
        self.wait_count = 0
        self.end_count = 0
        self._uncut = 0
        self._owed_ns: int | None = None
        self._left = recipe.most_lines * _EVENTS_A_LINE
        self._most_lines = recipe.most_lines
        # The run begins when every node serves and every link is ready, as in any world.
        self.run()
        self.first = len(self.lines)

    @property
    def log_count(self) -> int:
        """How many lines the run has so far."""
        return len(self.lines) - self.first

    @property
    def is_cut(self) -> bool:
        """Whether the scenario is to go no further."""
        return self.cut_at is not None and self._uncut == 0 and self.log_count >= self.cut_at

    def advance(self, until_ns: int) -> bool:
        """Let the next thing happen; ``False`` if there is none until then.

        Where that time is now, it is not cut: what a scenario does at this very moment
        may come first in the merged log.

        Raises:
            Cut: the scenario that waits for it goes no further.
            Full: the log may have no more lines.
        """
        if self.is_cut and self.now_ns < until_ns:
            raise Cut
        self._left -= 1
        if self.log_count >= self._most_lines or self._left < 0:
            raise Full
        self.wait_count += self._uncut == 0
        return super().advance(until_ns)

    def ended(self, node: Node) -> None:
        """A node's process is gone."""
        self.end_count += 1
        super().ended(node)

    @property
    def is_cut_between(self) -> bool:
        """Whether what is done to several nodes at once is to go no further than to those so far.

        Not where a node has written at this very moment: in the merged log such a
        line stands behind what is still to be said of the other nodes.
        """
        if not self.is_cut:
            return False
        now = takewhile(lambda line: line["at_ns"] == self.now_ns, reversed(self.lines))
        return all(line["node"] == "orchestrator" for line in now)

    def begin_step(self) -> None:
        """Let the microsecond pass that lies before every step of a scenario.

        Raises:
            Cut: the scenario goes no further. What is left of the microsecond passes
                with the next :meth:`tick`, as it would with the step.
        """
        until_ns = self._owed_ns = self.now_ns + _TICK_NS
        waited = self.wait_count
        while self.advance(until_ns):
            pass
        self._owed_ns = None
        self.wait_count = waited

    def tick(self) -> None:
        """Let a microsecond pass. It belongs to what a command says, so it is never cut."""
        until_ns = self.now_ns + _TICK_NS if self._owed_ns is None else self._owed_ns
        self._owed_ns = None
        while self.uncut(self.advance, until_ns):
            pass

    def uncut(self, action: Callable[..., Any], *args: object) -> Any:
        """Do something to its end, wherever the scenario is to be cut."""
        self._uncut += 1
        try:
            return action(*args)
        finally:
            self._uncut -= 1

    # --- messages in flight ---------------------------------------------------------

    def on_message(self, command: OnMessage) -> None:
        """Do something to a message in flight.

        Raises:
            NotPossible: it is not in flight.
        """
        flights = [entry for entry in self._agenda if _carries(entry, command.message)]
        if not flights:
            raise NotPossible(f"no message {command.message} is in flight now")
        first = min(flights)
        node, _, given, name = first[3]
        if command.verb in {"drop_message", "delay_message", "deliver_message"}:
            moved = flights if command.verb == "drop_message" else [first]
            self._agenda[:] = [entry for entry in self._agenda if entry not in moved]
            heapq.heapify(self._agenda)
        match command.verb:
            case "drop_message":
                self._note("message_dropped", node, given, name)
                self.network._lost(name)
            case "delay_message":
                self._note("message_delayed", node, given, name, delay_ms=command.delay_ms)
                self.push(first[0] + command.delay_ms * _MS, first[2], first[3])
            case "duplicate_message":
                self._note("message_duplicated", node, given, name, copies=1)
                self.push(first[0] + self.latency_ns(), first[2], first[3])
            case _:
                # Now, but behind the command: its line comes as that of any message that arrives.
                self.push(self.now_ns, first[2], first[3])

    def _note(self, event: str, node: Node, given: Given, name: str, **more: Any) -> None:
        """Say at the addressee, whose message it is now, what became of it."""
        if not node.up:
            raise NotPossible(f"{node.name} is down, and {name} is lost anyway")
        passage = Passage(given.source, node.node_id, given.kind, given.instance, name)
        node.write({"event": event, **passage.fields(), "rule": BY_HAND, **more})


def _carries(entry: Entry, name: str) -> bool:
    """Whether this is the arrival of the message of that name."""
    action = entry[2]
    if getattr(action, "__func__", None) is not Network._arrive:
        return False
    given = entry[3][2]
    return entry[3][3] == name and isinstance(given.input, Received)


class SandboxStage(Stage):
    """A stage whose waiting can be cut, and whose commands cannot.

    Args:
        world: where.
        instances: the names of instances, and their numbers.
        rows: the names of the instances of each measured row.

    Attributes:
        done_to: the nodes to which the last command was done.
    """

    def __init__(
        self, world: SandboxWorld, instances: Mapping[str, int], rows: Mapping[str, list[str]]
    ) -> None:
        super().__init__(world, instances, rows)
        self.done_to: tuple[str, ...] = ()
        self._sandbox = world
        self._uncut = world.uncut

    def command(self, action: do.Action) -> None:
        """Carry out what is done at once; to several nodes, one after the other.

        Raises:
            Cut: the scenario goes no further than to the nodes :attr:`done_to`.
            NotPossible: things are not as they must be for it.
        """
        self.done_to = ()
        if not isinstance(action, do.Command):
            super().command(action)
            return
        for name in action.nodes or self._everyone():
            if self.done_to and self._sandbox.is_cut_between:
                raise Cut
            super().command(replace(action, nodes=(name,)))
            self.done_to += (name,)

    def _let_end(self, node: Node) -> bool:
        return bool(self._uncut(super()._let_end, node))

    def _settle(self, node: Node, until_ns: int) -> None:
        # A delivery that waits for nothing still lets its effects be carried out.
        until_ns = max(until_ns, self._world.now_ns + _SETTLE_NS)
        self._uncut(super()._settle, node, until_ns)
