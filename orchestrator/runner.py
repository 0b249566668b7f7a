"""Plays a scenario on a cluster: step by step, waiting for events and never for time."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from orchestrator.clients import Clients, NodeSilent, at_once
from orchestrator.cluster import Cluster, Condition, LabError, Sink
from orchestrator.faults import SERVE_LIMIT_S, Faults, write_disk_read
from orchestrator.journal import Journal
from orchestrator.operations import Operations
from orchestrator.played import Played, number_instances
from orchestrator.ready import await_links, await_serving, running
from orchestrator.stage import Stage, StepFailed
from orchestrator.watch import Start, Watch
from paxos.events import Line, closing_fields, ends_together
from paxos.scenario import Scenario
from paxos.scenario.model import DiskFault

_DRAIN_LIMIT_S: Final = 10.0


def make_whole(cluster: Cluster, clients: Clients) -> list[str]:
    """End what an earlier lab may have left behind; what was done, in words.

    A lab that was killed could undo nothing: its faults are still in force on
    a cluster that outlives it.

    Raises:
        LabError: a node does not come back.
    """
    done = []
    for node in cluster.members:
        condition = cluster.condition(node)
        if condition is Condition.PAUSED:
            cluster.resume(node)
            done.append(f"{node} was paused and runs again")
        elif condition is Condition.EXITED:
            cluster.start([node])
            done.append(f"{node} was down and is started")
    if cluster.cables is not None:
        done.extend(
            f"the cable {low}-{high} is plugged in" for low, high in cluster.cables.replug()
        )
    await_serving(cluster, clients, cluster.members, SERVE_LIMIT_S)

    def clear(node: str) -> None:
        clients.set_gate(node, [])
        numbers = [message.number for message in clients.held(node)]
        if numbers:
            clients.release(node, numbers)
        clients.disarm_failpoints(node)

    at_once(clear, cluster.members)
    await_links(cluster, clients, (), SERVE_LIMIT_S)
    return done


class Runner:
    """Plays scenarios on one cluster, one after another.

    Args:
        cluster: where.
        clients: asks its nodes.
        tell: gets every line of a run as it arrives.
    """

    def __init__(self, cluster: Cluster, clients: Clients, tell: Sink | None = None) -> None:
        self._cluster = cluster
        self._clients = clients
        self._tell = tell

    def play(
        self,
        scenario: Scenario,
        run: str,
        on_begin: Callable[[Sequence[int]], None] = lambda _instances: None,
    ) -> Played:
        """Play one scenario; faults are undone when this returns, and when it raises.

        The first interrupt ends the steps, and the run is what had happened
        (``is_interrupted``). The second one ends this, too.

        Args:
            scenario: what to play; the cluster has a number of nodes that it is for.
            run: the name of the run.
            on_begin: called once with the numbers of the instances that the
                scenario names, before their first line.

        Raises:
            LabError: the cluster is not as it must be, or a fault could not be undone.
        """
        infos = at_once(self._clients.info, self._cluster.members)
        instances = number_instances(scenario, max(info.highest_instance for info in infos) + 1)
        on_begin([instances[name] for name in scenario.instances])
        watch = Watch(instances, self._tell)
        journal = Journal(watch.put)
        operations = Operations(self._clients, journal)
        played = Played(scenario, run, instances, watch, journal, operations)
        follower = self._cluster.follow(watch.put)
        started = time.monotonic()
        try:
            self._begin(played)
            self._perform(played)
            played.elapsed_s = time.monotonic() - started
            self._end(played, follower.drain)
        except NodeSilent as silent:
            if played.is_interrupted:
                raise KeyboardInterrupt from silent
            raise LabError(f"the run broke off: {silent}{self._ends()}") from silent
        finally:
            follower.close()
        return played

    def _begin(self, played: Played) -> None:
        # A line of this node must be written after the follower began to look:
        # the piece of its log begins with it.
        at_once(lambda node: self._clients.set_gate(node, []), self._cluster.members)
        infos = at_once(self._clients.info, self._cluster.members)
        # Inside the piece, so that a replay through the core knows of it.
        settings = dict(played.scenario.settings)
        if settings:
            at_once(lambda node: self._configure(node, played, settings), self._cluster.members)
        starts = {
            node: Start(info.incarnation, info.seq)
            for node, info in zip(self._cluster.members, infos, strict=True)
        }
        for node, start in starts.items():
            played.pieces[node] = [
                {"incarnation": start.incarnation, "first": start.seq, "last": None}
            ]
        # A replay must know them, and the piece may lack the line that names them.
        played.settings = {
            node: {field.name: value for field, value in info.settings.ListFields()}
            for node, info in zip(self._cluster.members, infos, strict=True)
        }
        played.watch.begin(starts)
        scenario = played.scenario
        played.journal.write(
            "run_started",
            run=played.run,
            scenario=scenario.name,
            title=scenario.title,
            world=self._cluster.world,
            members=list(self._cluster.members),
            instances=played.instances,
            predict=scenario.predict,
            # So that the merged log is whole by itself, without the run's table.
            begins={
                node: f"{node}/{start.incarnation}/{start.seq}" for node, start in starts.items()
            },
            settings=played.settings,
            **({} if scenario.variant is None else {"variant": scenario.variant}),
        )

    def _perform(self, played: Played) -> None:
        settings = dict(played.scenario.settings)

        def settle(node: str) -> None:
            if settings:
                self._configure(node, played, settings)

        def configure(changed: dict[str, Any]) -> None:
            settings.update(changed)
            at_once(lambda node: self._configure(node, played, changed), running(self._cluster))

        faults = Faults(self._cluster, self._clients, played.journal, played.instances, settle)
        try:
            with faults:
                try:
                    self._perform_steps(played, faults, configure)
                except StepFailed as failed:
                    played.failure = f"{failed}{self._ends(faults.down)}"
        except KeyboardInterrupt:
            # Every fault is undone: what is left to do is to write down what happened.
            played.is_interrupted = True
            played.failure = "it was interrupted"
        played.operations.give_up()
        played.journal.write(
            "run_finished", completed=played.failure is None, reason=played.failure or ""
        )

    def _perform_steps(
        self, played: Played, faults: Faults, configure: Callable[[dict[str, Any]], None]
    ) -> None:
        stage = Stage(self._cluster, played, faults, self._clients, configure)
        for number, step in enumerate(played.scenario.steps, start=1):
            if step.say:
                played.journal.write("step_started", step=number, say=step.say)
            stage.perform(number, step)

    def _end(self, played: Played, drain: Callable[[str, float], bool]) -> None:
        """Name the last line of each node, wait for it, and read the disks of those down."""
        # Their disks were read before they were hurt.
        hurt = {
            step.action.node
            for step in played.scenario.steps
            if isinstance(step.action, DiskFault) and step.action.fault != "fail_sync"
        }
        for node in self._cluster.members:
            pieces = played.pieces[node]
            last: int | None = None
            if self._cluster.condition(node) is Condition.RUNNING:
                info = self._clients.info(node)
                last = info.seq
                played.watch.wait_until_at(node, info.incarnation, info.seq, _DRAIN_LIMIT_S)
            # Its disk says how its last batch ended, but nothing of lines
            # that never came: without them its log must not count as whole.
            elif drain(node, _DRAIN_LIMIT_S) and node not in hurt:
                write_disk_read(self._cluster, played.journal, node)
            for line in played.watch.of_node(node):
                if line["incarnation"] != pieces[-1]["incarnation"]:
                    pieces.append({"incarnation": line["incarnation"], "first": 1, "last": None})
            pieces[-1]["last"] = last
        self._let_ends_meet(played)
        self._close_log(played)

    def _let_ends_meet(self, played: Played) -> None:
        """Move the ends that nodes named to where no line within them quotes one behind them.

        A cluster may run on meanwhile: another client's wish, a proposer that goes on.
        """
        ends: dict[str, tuple[int, int]] = {}
        for node in self._cluster.members:
            piece = played.pieces[node][-1]
            if piece["last"] is not None:
                ends[node] = int(piece["incarnation"] or 0), piece["last"]
        while True:
            lines = {node: played.watch.of_node(node) for node in self._cluster.members}
            later = ends_together(lines, ends)
            moved = {node: end for node, end in later.items() if end != ends[node]}
            # What is quoted was written before; a line that does not come leaves a doubt.
            if not moved or not all(
                played.watch.wait_until_at(node, *end, _DRAIN_LIMIT_S)
                for node, end in moved.items()
            ):
                break
            ends |= moved
            for node, (_, last) in moved.items():
                played.pieces[node][-1]["last"] = last

    def _close_log(self, played: Played) -> None:
        """Say in the log itself what the run's table says, for whoever has the log alone."""
        starts: dict[str, tuple[int, int]] = {}
        lines: list[Line] = []
        for node in self._cluster.members:
            pieces = played.pieces[node]
            own = played.watch.of_node(node)
            # Where it begins and ends, whether those lines have come or not. What came
            # from behind its end is hearsay.
            first, last = pieces[0]["first"], pieces[-1]["last"]
            assert first is not None, "every piece has a first line"
            starts[node] = (int(pieces[0]["incarnation"] or 0), first)
            if last is not None:
                end = int(pieces[-1]["incarnation"] or 0), last
                own = [line for line in own if (line["incarnation"], line["seq"]) < end]
                own.append({"node": node, "incarnation": end[0], "seq": last})
            lines += own
        played.journal.write(**closing_fields(lines, starts, played.instances))

    def _configure(self, node: str, played: Played, settings: Mapping[str, Any]) -> None:
        numbers = played.instances.values()
        self._clients.configure(node, min(numbers), max(numbers), dict(settings))

    def _ends(self, expected: tuple[str, ...] = ()) -> str:
        """Which nodes have ended though nobody meant them to, as a part of a sentence."""
        text = ""
        for node in self._cluster.members:
            if node not in expected and self._cluster.condition(node) is Condition.EXITED:
                complaint = self._cluster.complaint(node)
                text += f"; {node} has ended" + (f": {complaint}" if complaint else "")
        return text
