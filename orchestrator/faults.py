"""Faults: each is a pair (apply, undo), claimed only once confirmed, undone on every exit.

A world kills, pauses and unplugs; here its verbs become lines of the log with
their evidence, and entries of the ledger from which everything is undone.
Faults of the network are in :mod:`orchestrator.network`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Self

from orchestrator.clients import Clients, at_once
from orchestrator.cluster import Cluster, Condition, Exit, LabError
from orchestrator.interrupts import undisturbed
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.network import Network
from orchestrator.ready import await_serving
from orchestrator.state_directory import corrupt_directory, empty_directory
from paxos.scenario.model import DiskFault, Failpoint

SERVE_LIMIT_S: Final = 60.0
POWER_LIMIT_S: Final = 10.0
UNDONE: Final = "what was not synced is undone"
KILLED: Final = 137
REFUSED: Final = 3


class Faults:
    """What is wrong with a cluster on purpose; leaving the context undoes all of it.

    Args:
        cluster: the world.
        clients: asks the nodes.
        journal: takes ``fault_applied``, ``fault_undone`` and ``node_exited``.
        instances: the scenario's names of instances.
        settle: brings a node that was started again to the run's settings.
    """

    def __init__(
        self,
        cluster: Cluster,
        clients: Clients,
        journal: Journal,
        instances: Mapping[str, int],
        settle: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._clients = clients
        self._journal = journal
        self._instances = instances
        self._settle = settle
        self._ledger = Ledger(journal)
        self._down: dict[str, str] = {}
        self._armed_power: dict[str, bool] = {}
        self.network = Network(cluster, clients, self._ledger, instances)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with undisturbed():
            self._ledger.undo_all()

    @property
    def down(self) -> tuple[str, ...]:
        """The nodes that were ended and not started again."""
        return tuple(self._down)

    def kill(self, nodes: Sequence[str]) -> None:
        """SIGKILL: memory is lost; what was written stays in the page cache."""
        self._end("kill", nodes, self._cluster.kill)

    def power_loss(self, nodes: Sequence[str]) -> None:
        """What was written and not synced is undone, then the process ends.

        Raises:
            LabError: a node went on, or ended otherwise.
        """
        self._end("power_loss", nodes, self._lose_power)

    def _lose_power(self, node: str) -> Exit:
        self._clients.lose_power(node)
        exit_ = self._cluster.wait_exit(node, POWER_LIMIT_S)
        if exit_ is None:
            raise LabError(f"{node} was to lose power and went on for {POWER_LIMIT_S:g} s")
        if exit_.code != KILLED:
            raise LabError(
                f"{node} was to lose power and ended with {_as_text(exit_)}: "
                f"{self._cluster.complaint(node)}"
            )
        return exit_

    def stop(self, nodes: Sequence[str]) -> None:
        """SIGTERM: the node finishes its batch and writes its last line."""
        self._end("stop", nodes, self._cluster.stop)

    def _end(self, verb: str, nodes: Sequence[str], end: Callable[[str], Exit]) -> None:
        started = time.monotonic()
        for node in nodes:
            self._enter_down(node, verb)
        exits = at_once(end, nodes)
        # A fault for each node: each is undone by itself.
        for node, exit_ in zip(nodes, exits, strict=True):
            self._write_exit(node, exit_)
            mechanism, evidence = self._cluster.process_mechanism, _as_text(exit_)
            if verb == "power_loss":
                mechanism, evidence = "control", f"{evidence}, {UNDONE}"
            self._ledger.claim(verb, [node], mechanism, evidence, started)

    def start(self, nodes: Sequence[str]) -> None:
        """Start nodes that ended; returns when they serve and their links are ready.

        Raises:
            LabError: one ended again, or was not ready in time.
        """
        started = time.monotonic()
        self._cluster.start(nodes)
        at_once(self._welcome, nodes)
        infos = at_once(self._clients.info, nodes)
        self.network.await_links()
        for node, info in zip(nodes, infos, strict=True):
            self._ledger.strike(_process(node))
            self._ledger.claim_undone(
                self._down.pop(node, "kill"),
                [node],
                self._cluster.process_mechanism,
                f"it serves as incarnation {info.incarnation}",
                started,
            )

    def _welcome(self, node: str) -> None:
        # Each as soon as it serves: one that is back must act under the run's
        # rules, however long the others take.
        await_serving(self._cluster, self._clients, [node], SERVE_LIMIT_S)
        self.network.bring_up_to_date([node])
        self._settle(node)

    def pause(self, nodes: Sequence[str]) -> None:
        """Let no instruction of these nodes run. It is no crash: they forget nothing."""
        started = time.monotonic()
        for node in nodes:
            self._ledger.enter(_pause(node), partial(self.resume, [node]))
        for node, evidence in zip(nodes, at_once(self._cluster.pause, nodes), strict=True):
            mechanism = self._cluster.process_mechanism
            self._ledger.claim("pause", [node], mechanism, evidence, started)

    def resume(self, nodes: Sequence[str]) -> None:
        """End a pause; returns when the links are ready again."""
        started = time.monotonic()
        evidence = at_once(self._cluster.resume, nodes)
        self.network.bring_up_to_date(nodes)
        self.network.await_links()
        for node, found in zip(nodes, evidence, strict=True):
            self._ledger.strike(_pause(node))
            mechanism = self._cluster.process_mechanism
            self._ledger.claim_undone("pause", [node], mechanism, found, started)

    def failpoint(self, failpoint: Failpoint) -> None:
        """Arm a failpoint. It is claimed as a fault once it has struck: see :meth:`exits`."""
        node = failpoint.node

        def disarm() -> None:
            if self._cluster.condition(node) is Condition.RUNNING:
                self._clients.disarm_failpoints(node)

        self._ledger.enter(_failpoint(node), disarm)
        instance = self._instances[failpoint.instance]
        self._armed_power[node] = failpoint.power
        self._clients.arm_failpoint(
            node, failpoint.point, instance, failpoint.kind, power=failpoint.power
        )

    def exits(self, node: str, limit_s: float) -> Exit | None:
        """Wait until a node has ended without a command; ``None`` when its process goes on.

        By a failpoint, which is claimed as a kill or a power loss now; or by
        its own decision, because its disk failed.
        """
        started = time.monotonic()
        exit_ = self._cluster.wait_exit(node, limit_s)
        if exit_ is None:
            return None
        power = self._armed_power.pop(node, False)
        verb = "power_loss" if power else "kill"
        self._enter_down(node, verb if exit_.code == KILLED else "disk_fault")
        self._ledger.strike(_failpoint(node))
        self._write_exit(node, exit_)
        if exit_.code == KILLED:
            evidence = f"{_as_text(exit_)}, {UNDONE}" if power else _as_text(exit_)
            self._ledger.claim(verb, [node], "failpoint", evidence, started)
        return exit_

    def refuses(self, node: str, limit_s: float) -> Exit | None:
        """Start a node that is down and see it end again; ``None`` when its process goes on."""
        self._cluster.start([node])
        exit_ = self._cluster.wait_exit(node, limit_s)
        if exit_ is not None:
            self._write_exit(node, exit_)
        return exit_

    def disk_fault(self, fault: DiskFault) -> None:
        """Let the disk of a node fail, or change it while the node is down.

        Raises:
            LabError: this world cannot do it, or not now.
        """
        started = time.monotonic()
        evidence, mechanism = self._hurt(fault)
        self._ledger.claim(
            "disk_fault", [fault.node], mechanism, evidence, started, {"fault": fault.fault}
        )

    def _hurt(self, fault: DiskFault) -> tuple[str, str]:
        """What was done, and by what."""
        match fault.fault:
            case "fail_sync":
                self._clients.fail_disk(fault.node, fault.fault)
                return "its next sync fails", "control"
            case "tear":
                self._clients.fail_disk(fault.node, fault.fault)
                return "of what its next power loss takes, the first byte stays", "control"
            case "corrupt":
                return self._hurt_disk(fault.node, corrupt_directory), "disk"
            case "lose":
                return self._hurt_disk(fault.node, empty_directory), "disk"
            case other:
                raise AssertionError(f"no fault of a disk is called {other}")

    def _hurt_disk(self, node: str, hurt: Callable[[Path], str]) -> str:
        if self._cluster.condition(node) is not Condition.EXITED:
            raise LabError(f"{node} runs: what is done to its disk is for a node that is down")
        # How the incarnation ended that was killed can't be read afterwards.
        write_disk_read(self._cluster, self._journal, node)
        return self._cluster.hurt_disk(node, hurt)

    def _enter_down(self, node: str, verb: str) -> None:
        self._down[node] = verb

        def bring_back() -> None:
            # A cluster that ends with the lab needs no node back; and one
            # that another scenario uses first is made whole there.
            if self._cluster.outlives_run:
                self.start([node])

        self._ledger.enter(_process(node), bring_back)

    def _write_exit(self, node: str, exit_: Exit) -> None:
        self._journal.write("node_exited", of=node, exit_code=exit_.code, reason=exit_.reason)


def write_disk_read(cluster: Cluster, journal: Journal, node: str) -> None:
    """Say in the log what the disk of a node that is down holds.

    Raises:
        LabError: it cannot be read.
    """
    found = cluster.read_disk(node)
    journal.write(
        "disk_read",
        of=node,
        incarnation_read=found["incarnation"],
        instances=found["instances"],
    )


def _process(node: str) -> str:
    return f"the end of {node}"


def _pause(node: str) -> str:
    return f"the pause of {node}"


def _failpoint(node: str) -> str:
    return f"the failpoint at {node}"


def _as_text(exit_: Exit) -> str:
    return f"exit code {exit_.code} ({exit_.reason})"
