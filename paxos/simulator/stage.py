"""The steps of a scenario in virtual time, carried out one at a time.

A wait is a wait for lines, and a limit is virtual time: to wait in vain costs
nothing but the time on the world's clock.
"""

from collections.abc import Callable, Mapping

from paxos.events import Line, node_key
from paxos.protocol import (
    Accept,
    Accepted,
    Learn,
    Message,
    Nack,
    Prepare,
    Promise,
    Received,
    Timer,
    node_name,
)
from paxos.scenario import Lines, learners, sentence
from paxos.scenario import model as do
from paxos.simulator.clients import Clients, Operation
from paxos.simulator.conditions import changed
from paxos.simulator.faults import Faults, NotPossible
from paxos.simulator.network import Sent
from paxos.simulator.node import Node
from paxos.simulator.world import World

_MS = 1_000_000
_S = 1_000_000_000


class StepFailed(Exception):
    """A step did not come to its end; the text says what it lacked."""


class Stage:
    """Carries out the steps of one run.

    Args:
        world: where.
        instances: the scenario's names of instances, and their numbers.
        rows: the names of the instances of each measured row.

    Attributes:
        lines: the run's lines so far, to be searched.
        clients: what clients asked for.
        faults: what is in force.
        measured: the operations of each measured row.
    """

    def __init__(
        self, world: World, instances: Mapping[str, int], rows: Mapping[str, list[str]]
    ) -> None:
        self.lines = Lines(instances)
        self.clients = Clients(world)
        self.faults = Faults(world, instances)
        self.measured: dict[str, list[Operation]] = {}
        self._world = world
        self._instances = instances
        self._rows = rows
        self._taken = len(world.lines)
        # How many lines there were when the last command began.
        self._commanded_at = 0

    def perform(self, number: int, step: do.Step) -> None:
        """Carry out one step.

        Raises:
            StepFailed: it did not come to its end within its limit.
        """
        self._world.tick()
        self.carry_out(number, step)

    def carry_out(self, number: int, step: do.Step) -> None:
        """The same, for one who has let the tick pass that lies before every step.

        Raises:
            StepFailed: as :meth:`perform`.
        """
        self._take_lines()
        if not isinstance(step.action, do.Wait | do.Await | do.Learned):
            self._commanded_at = len(self.lines.all)
        try:
            self._do(step.action, step.limit_s)
        except (StepFailed, NotPossible) as failed:
            raise StepFailed(f"step {number}: {failed}") from failed

    def _do(self, action: do.Action, limit_s: float) -> None:
        until_ns = self._world.now_ns + round(limit_s * _S)
        match action:
            case do.Propose():
                self._propose(action, until_ns)
            case do.Await(names):
                self._await(names, until_ns)
            case do.Wait():
                self._wait(action, until_ns)
            case do.Learned():
                self._learned(action, until_ns)
            case do.Exits():
                self._exits(action, until_ns)
            case do.Measure():
                self._measure(action, until_ns)
            case do.Deliver():
                self._deliver(action, until_ns)
            case do.Fire():
                self._fire(action, until_ns)
            case do.Refuses(node):
                if not self.faults.refuse(node):
                    raise StepFailed(f"{node} was to refuse its disk, and serves")
            case _:
                self.command(action)

    def command(self, action: do.Action) -> None:
        """Carry out what is done at once.

        Raises:
            NotPossible: things are not as they must be for it.
        """
        faults = self.faults
        match action:
            case do.GateRule():
                faults.rule(action)
            case do.Release():
                faults.release(action)
            case do.Cut():
                faults.cut(action)
            case do.Heal(names):
                faults.heal(names)
            case do.Command("stop", nodes):
                faults.stop(nodes or self._everyone(), self._let_end)
            case do.Command(verb, nodes):
                getattr(faults, verb)(nodes or self._everyone())
            case do.Failpoint():
                faults.failpoint(action)
            case do.DiskFault():
                faults.disk_fault(action)
            case do.Configure(settings):
                self.configure(dict(settings))
            case _:
                raise AssertionError(f"this takes time: {action}")

    def configure(self, changes: Mapping[str, object]) -> None:
        """Change settings of the run's instances at every node that runs."""
        self._world.configure(changed(self._world.settings, changes))
        numbers = self._instances.values()
        for node in self._world.running():
            node.write(
                {
                    "event": "settings_changed",
                    "first_instance": min(numbers),
                    "last_instance": max(numbers),
                    "settings": dict(changes),
                }
            )

    def begin(self, propose: do.Propose) -> Operation:
        """A client asks."""
        return self.clients.begin(
            propose.name,
            self._node(propose.at),
            self._instances[propose.instance],
            propose.value,
            propose.timeout_ms,
        )

    # --- waiting --------------------------------------------------------------------

    def _until(self, done: Callable[[], bool], until_ns: int) -> bool:
        """Let time pass until something is so; whether it came to be."""
        while not done():
            if not self._world.advance(until_ns):
                return False
        return True

    def _until_lines(self, seen: Callable[[Lines], bool], until_ns: int) -> bool:
        """Let time pass until lines are there; looks only when new ones are."""
        self._take_lines()
        if seen(self.lines):
            return True
        while self._world.advance(until_ns):
            if self._take_lines() and seen(self.lines):
                return True
        return False

    def _take_lines(self) -> bool:
        fresh: list[Line] = self._world.lines[self._taken :]
        self._taken += len(fresh)
        self.lines.extend(fresh)
        return bool(fresh)

    def _wait(self, wait: do.Wait, until_ns: int) -> None:
        start = self._commanded_at if wait.new else 0
        began_ns = self._world.now_ns
        if not self._until_lines(lambda lines: lines.find(wait.sight, start) is not None, until_ns):
            raise StepFailed(
                f"waited {(until_ns - began_ns) / _S:g} s in vain for {sentence(wait.sight)}"
            )

    def _await(self, names: tuple[str, ...], until_ns: int) -> None:
        operations = [one for one in self.clients.all if one.name in names]
        began_ns = self._world.now_ns
        if not self._until(lambda: all(map(_has_ended, operations)), until_ns):
            late = ", ".join(one.name for one in operations if not _has_ended(one))
            limit_s = (until_ns - began_ns) / _S
            raise StepFailed(f"after {limit_s:g} s no answer had come to the client of {late}")

    def _learned(self, learned: do.Learned, until_ns: int) -> None:
        wanted = set(learned.by or self._everyone())
        instances = [learned.instance] if learned.row is None else self._rows[learned.row]
        began_ns = self._world.now_ns

        def all_know(lines: Lines) -> bool:
            for instance in instances:
                known = learners(lines, instance)
                if any(learned.value not in {None, known.get(node)} for node in wanted):
                    return False
                if not wanted <= known.keys():
                    return False
            return True

        if not self._until_lines(all_know, until_ns):
            known = learners(self.lines, instances[0])
            told = ", ".join(f"{node} {value}" for node, value in sorted(known.items()))
            raise StepFailed(
                f"after {(until_ns - began_ns) / _S:g} s not all of "
                f"{', '.join(sorted(wanted, key=node_key))} had learned "
                f"{learned.value or 'a value'}; known: {told or 'nothing'}"
            )

    def _exits(self, exits: do.Exits, until_ns: int) -> None:
        node = self._node(exits.node)
        began_ns = self._world.now_ns
        if not self._until(lambda: not node.up, until_ns):
            limit_s = (until_ns - began_ns) / _S
            raise StepFailed(f"{node.name} went on for {limit_s:g} s and never ended")
        self.faults.exits(exits.node, exits.code)

    def _let_end(self, node: Node) -> bool:
        return self._until(lambda: not node.up, self._world.now_ns + _S)

    # --- clients ----------------------------------------------------------------------

    def _propose(self, propose: do.Propose, until_ns: int) -> None:
        operation = self.begin(propose)
        if self._world.manual:
            self._settle(self._node(propose.at), until_ns)
        if not propose.background:
            longest_ns = max(until_ns, self._world.now_ns + propose.timeout_ms * _MS)
            self._await((operation.name,), longest_ns)

    def _measure(self, measure: do.Measure, until_ns: int) -> None:
        world = self._world
        until_ns = max(until_ns, world.now_ns + measure.timeout_ms * _MS)
        begun: list[Operation] = []
        for name in self._rows[measure.row]:
            at_ns = world.now_ns
            begun.append(
                self.clients.begin(
                    name, self._node(measure.at), self._instances[name], name, measure.timeout_ms
                )
            )
            if measure.every_ms:
                while world.advance(at_ns + measure.every_ms * _MS):
                    pass
            else:
                self._until(lambda: _has_ended(begun[-1]), until_ns)
        self._until(lambda: all(map(_has_ended, begun)), until_ns)
        self.measured[measure.row] = begun

    # --- by hand ----------------------------------------------------------------------

    def _deliver(self, deliver: do.Deliver, until_ns: int) -> None:
        found: list[Sent] = []

        def there() -> bool:
            number = self._instances[deliver.instance]
            found[:] = [s for s in self._world.network.sent if _fits(deliver, number, s)][:1]
            return bool(found)

        if not self._until(there, until_ns):
            again = "was delivered before" if deliver.again else "waits to be delivered"
            raise StepFailed(f"no {_describe(deliver)} {again}")
        node = self._node(deliver.to)
        if not node.up:
            raise StepFailed(f"{deliver.to} is down, and nothing can be delivered to it")
        found[0].delivered = True
        node.give(found[0].given, found[0].name)
        self._settle(node, until_ns)

    def _fire(self, fire: do.Fire, until_ns: int) -> None:
        node = self._node(fire.node)
        if not node.fire(Timer(fire.timer), self._instances[fire.instance]):
            raise StepFailed(f"{fire.node} has set no timer {fire.timer}")
        self._settle(node, until_ns)

    def _settle(self, node: Node, until_ns: int) -> None:
        """Let time pass until a node has carried out all effects, or has ended."""
        if not self._until(lambda: not node.busy, until_ns):
            raise StepFailed(f"{node.name} did not come to the end of its effects")

    def _node(self, name: str) -> Node:
        return self._world.nodes[node_key(name)]

    def _everyone(self) -> tuple[str, ...]:
        return tuple(node.name for node in self._world.nodes.values())


def _has_ended(operation: Operation) -> bool:
    return operation.ended_ns is not None


def _fits(deliver: do.Deliver, number: int, sent: Sent) -> bool:
    given = sent.given.input
    assert isinstance(given, Received), "only a message is sent"
    message = given.message
    if (
        sent.delivered is not deliver.again
        or message.instance != number
        or sent.given.kind != deliver.kind
        or node_name(given.source) != deliver.source
        or node_name(sent.to) != deliver.to
    ):
        return False
    carried = carried_by(message)
    wanted = {
        "ballot": deliver.ballot,
        "value": deliver.value,
        "promised": deliver.promised,
        "accepted": deliver.accepted,
    }
    return all(text is None or carried.get(name) == text for name, text in wanted.items())


def carried_by(message: Message) -> dict[str, str]:
    """What a message carries, under the names by which the step ``deliver`` tells it."""
    match message:
        case Prepare(_, ballot):
            return {"ballot": str(ballot)}
        case Promise(_, ballot, accepted):
            pair = do.NO_PAIR if accepted is None else str(accepted.ballot)
            return {"ballot": str(ballot), "accepted": pair}
        case Accept(_, ballot, value) | Accepted(_, ballot, value) | Learn(_, ballot, value):
            return {"ballot": str(ballot), "value": value}
        case Nack(_, ballot, promised):
            return {"ballot": str(ballot), "promised": str(promised)}
        case _:
            return {}


def _describe(deliver: do.Deliver) -> str:
    at = "" if deliver.ballot is None else f" at {deliver.ballot}"
    return f"{deliver.kind}{at} from {deliver.source} to {deliver.to}"
