"""The steps of a scenario, carried out one at a time."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.by_hand import ByHand
from orchestrator.clients import Clients, NodeSilent
from orchestrator.cluster import Cluster, Exit, LabError
from orchestrator.faults import REFUSED, Faults
from orchestrator.measure import propose_many
from orchestrator.played import Played, row_names
from paxos.events import line_id
from paxos.scenario import Lines, Step, learners, sentence
from paxos.scenario import model as do


class StepFailed(Exception):
    """A step did not come to its end; the text says what it lacked."""


class Stage:
    """Carries out the steps of one run.

    Args:
        cluster: where.
        played: the run; its figures are filled in.
        faults: what steps apply and undo.
        clients: asks the nodes.
        configure: changes settings of the run's instances.
    """

    def __init__(
        self,
        cluster: Cluster,
        played: Played,
        faults: Faults,
        clients: Clients,
        configure: Callable[[dict[str, Any]], None],
    ) -> None:
        self._cluster = cluster
        self._played = played
        self._faults = faults
        self._configure = configure
        self._by_hand = ByHand(cluster, clients, played.instances)
        # How many lines there were when the last command began.
        self._commanded_at = 0

    def perform(self, number: int, step: Step) -> None:
        """Carry out one step.

        Raises:
            StepFailed: it did not come to its end within its limit.
            LabError: a fault could not be applied, confirmed or undone.
        """
        if not isinstance(step.action, do.Wait | do.Await | do.Learned):
            self._commanded_at = len(self._played.watch.lines.all)
        with _named(number):
            self._do(step.action, step.limit_s)

    def _do(self, action: do.Action, limit_s: float) -> None:
        match action:
            case do.Propose():
                self._propose(action, limit_s)
            case do.Await(names):
                self._await(names, limit_s)
            case do.Wait():
                self._wait(action, limit_s)
            case do.Learned():
                self._learned(action, limit_s)
            case do.Deliver():
                self._by_hand.deliver(action, limit_s)
            case do.Fire():
                self._by_hand.fire(action, limit_s)
            case do.Command(verb, nodes):
                self._command(verb, list(nodes or self._cluster.members), limit_s)
            case do.Exits():
                self._exits(action, limit_s)
            case do.Refuses(node):
                self._refuses(node, limit_s)
            case do.Configure(settings):
                self._configure(dict(settings))
            case do.Measure():
                self._measure(action, limit_s)
            case _:
                self._apply(action)

    def _apply(
        self,
        fault: do.GateRule | do.Release | do.Cut | do.Heal | do.Failpoint | do.DiskFault,
    ) -> None:
        faults, network = self._faults, self._faults.network
        match fault:
            case do.GateRule():
                network.rule(fault)
            case do.Release():
                network.release(fault)
            case do.Cut():
                network.cut(fault)
            case do.Heal(names):
                network.heal(names)
            case do.Failpoint():
                faults.failpoint(fault)
            case do.DiskFault():
                faults.disk_fault(fault)

    def _wait(self, wait: do.Wait, limit_s: float) -> None:
        start = self._commanded_at if wait.new else 0
        seen = self._played.watch.wait_for(lambda lines: lines.find(wait.sight, start), limit_s)
        if seen is None:
            raise StepFailed(f"waited {limit_s:g} s in vain for {sentence(wait.sight)}")

    def _propose(self, propose: do.Propose, limit_s: float) -> None:
        number = self._played.instances[propose.instance]
        self._played.operations.begin(
            propose.name, propose.at, number, propose.value, propose.timeout_ms
        )
        if self._played.scenario.manual:
            self._settle_propose(propose, limit_s)
        if not propose.background:
            self._await((propose.name,), max(limit_s, propose.timeout_ms / 1000))

    def _await(self, names: tuple[str, ...], limit_s: float) -> None:
        late = self._played.operations.await_all(names, limit_s)
        if late:
            named = ", ".join(operation.name for operation in late)
            raise StepFailed(f"after {limit_s:g} s no answer had come to the client of {named}")

    def _learned(self, learned: do.Learned, limit_s: float) -> None:
        wanted = set(learned.by or self._cluster.members)
        instances = [learned.instance]
        if learned.row is not None:
            row = next(m for m in self._played.scenario.measurements() if m.row == learned.row)
            instances = row_names(row)

        def all_know(lines: Lines) -> bool | None:
            for instance in instances:
                known = learners(lines, instance)
                if any(learned.value not in {None, known.get(node)} for node in wanted):
                    return None
                if not wanted <= known.keys():
                    return None
            return True

        if self._played.watch.wait_for(all_know, limit_s) is None:
            known = learners(self._played.watch.lines, instances[0])
            told = ", ".join(f"{node} {value}" for node, value in sorted(known.items()))
            raise StepFailed(
                f"after {limit_s:g} s not all of {', '.join(sorted(wanted))} had learned"
                f" {learned.value or 'a value'}; known: {told or 'nothing'}"
            )

    def _settle_propose(self, propose: do.Propose, limit_s: float) -> None:
        """Wait until the node has done all that it does about a client's wish by itself."""
        operation = self._played.operations.named(propose.name)

        def taken(lines: Lines) -> bool | None:
            asked = [
                line_id(line)
                for line in lines.of("propose_invoked")
                if line["operation"] == operation.number
            ]
            received = [line.get("cause") for line in lines.of("propose_received")]
            ended = operation.told is not None
            return True if ended or any(line in received for line in asked) else None

        if self._played.watch.wait_for(taken, limit_s) is None:
            raise StepFailed(f"{propose.at} did not take the wish of {propose.name}")
        self._by_hand.settle(propose.at, limit_s)

    def _command(self, verb: str, nodes: list[str], limit_s: float) -> None:
        getattr(self._faults, verb)(nodes)
        if verb == "start" and self._played.scenario.manual:
            for node in nodes:
                self._by_hand.started(node, limit_s)

    def _exits(self, exits: do.Exits, limit_s: float) -> None:
        node = exits.node
        exit_ = self._faults.exits(node, limit_s)
        if exit_ is None:
            raise StepFailed(f"{node} was to end and went on for {limit_s:g} s")
        self._check_code(node, exit_, exits.code)

    def _refuses(self, node: str, limit_s: float) -> None:
        exit_ = self._faults.refuses(node, limit_s)
        if exit_ is None:
            raise StepFailed(f"{node} was to refuse its disk and went on for {limit_s:g} s")
        self._check_code(node, exit_, REFUSED)

    def _check_code(self, node: str, exit_: Exit, code: int) -> None:
        if exit_.code != code:
            raise StepFailed(
                f"{node} was to end with exit code {code} and ended with {exit_.code}"
                f" ({exit_.reason}): {self._cluster.complaint(node)}"
            )

    def _measure(self, measure: do.Measure, limit_s: float) -> None:
        numbers = [self._played.instances[name] for name in row_names(measure)]
        self._played.rows[measure.row] = propose_many(
            self._played.operations, measure, numbers, max(limit_s, measure.timeout_ms / 1000)
        )


@contextlib.contextmanager
def _named(number: int) -> Iterator[None]:
    """Say in which step something failed."""
    try:
        yield
    except (StepFailed, LabError, NodeSilent) as failed:
        raise StepFailed(f"step {number}: {failed}") from failed
