"""Playing scenarios from the command line: which world, which cluster, and what is shown."""

from collections.abc import Sequence
from typing import Any

from orchestrator.clients import Clients
from orchestrator.cluster import Cluster, LabError, Unsafe
from orchestrator.collect import Result, collect, new_run_name
from orchestrator.narrate import Narrator, make_console
from orchestrator.places import Places
from orchestrator.runner import Runner, make_whole
from orchestrator.show import (
    paragraph,
    show_closing,
    show_opening,
    show_places,
    show_results,
    show_sum,
)
from paxos.scenario import Scenario


class Session:
    """One cluster at a time, kept while scenarios want the same.

    Args:
        places: where state and logs are kept.
        detail: how much is told: 0, 1 or 2.
        silent: nothing is told at all.
        in_full: every verdict is told rule by rule, not only in the table at the end.
        seed: decides all chance in the world ``sim``; no other world takes one.
    """

    def __init__(
        self,
        places: Places,
        detail: int = 0,
        *,
        silent: bool = False,
        in_full: bool = False,
        seed: int = 0,
    ) -> None:
        self.places = places
        self.silent = silent
        self._in_full = in_full
        self._seed = seed
        self.console = make_console(stderr=silent)
        self.results: list[Result] = []
        self.state_places: list[str] = []
        self._narrator = None if silent else Narrator(self.console, detail)
        self._key: tuple[str, int, Unsafe] | None = None
        self._cluster: Cluster | None = None
        self._clients: Clients | None = None

    def say(self, text: str, style: str = "") -> None:
        """Print a sentence, unless only a program listens."""
        if not self.silent:
            paragraph(self.console, text, style)

    def play(self, scenario: Scenario, world: str, node_count: int) -> Result:
        """Play one scenario, and judge it.

        Raises:
            LabError: the world is not as it must be.
            KeyboardInterrupt: it was interrupted; what had happened has a folder like any run.
        """
        if not self.silent:
            show_opening(self.console, scenario, world, node_count)
        run = new_run_name(self.places, scenario.name)
        if world == "sim":
            result = self._play_sim(scenario, node_count, run)
        else:
            cluster, clients = self._open(world, node_count, Unsafe.of(scenario))
            runner = Runner(cluster, clients, self._tell)
            played = runner.play(scenario, run, self._begin)
            result = collect(self.places, cluster, played)
            if played.is_interrupted:
                if self._narrator is not None:
                    self._narrator.flush()
                self.say(f"Interrupted. What had happened is in {Places.shown(result.folder)}.")
                raise KeyboardInterrupt
            self.state_places.append(cluster.state_place)
        if self._narrator is not None:
            self._narrator.flush()
            show_closing(self.console, scenario, result, in_full=self._in_full)
        self.results.append(result)
        return result

    def close(self) -> None:
        """Let go of the cluster."""
        if self._narrator is not None:
            self._narrator.flush()
        if self._clients is not None:
            self._clients.close()
        if self._cluster is not None:
            self._cluster.close()
        self._key = self._cluster = self._clients = None

    def _play_sim(self, scenario: Scenario, node_count: int, run: str) -> Result:
        from orchestrator.sim import play_sim  # noqa: PLC0415 - one world is loaded

        place, played = play_sim(scenario, node_count, self._seed, run)
        result = collect(self.places, place, played)
        if self._narrator is not None:
            # At once, and in the order of the world's own clock.
            lines = [line for node in played.watch.nodes() for line in played.watch.of_node(node)]
            named = [played.instances[name] for name in scenario.instances]
            self._narrator.begin(named, began_ns=min(line["at_ns"] for line in lines))
            self._narrator.put(lines)
        return result

    def _tell(self, lines: list[dict[str, Any]]) -> None:
        if self._narrator is not None:
            self._narrator.put(lines)

    def _begin(self, instances: Sequence[int]) -> None:
        if self._narrator is not None:
            self._narrator.begin(instances)

    def _open(self, world: str, node_count: int, unsafe: Unsafe) -> tuple[Cluster, Clients]:
        key = (world, node_count, unsafe)
        # A cluster whose disks were hurt serves one run.
        if self._key != key or unsafe.apart:
            self.close()
            if world == "local":
                self.say(f"Starting {node_count} processes.", "dim")
            self._cluster = self._make(world, node_count, unsafe)
            self._clients = Clients(self._cluster)
            self._key = key
        assert self._cluster is not None, "a cluster was made above"
        assert self._clients is not None, "and so were its clients"
        for done in make_whole(self._cluster, self._clients):
            self.say(f"Before it begins: {done}.")
        return self._cluster, self._clients

    def _make(self, world: str, node_count: int, unsafe: Unsafe) -> Cluster:
        if world == "local":
            from orchestrator.local import LocalCluster  # noqa: PLC0415 - one world is loaded

            cluster = LocalCluster(self.places, node_count, unsafe)
            # Before it is opened: a start that fails half-way ends what has begun.
            self._cluster = cluster
            cluster.open()
            return cluster
        if unsafe:
            from orchestrator.clusters import UnsafeDockerCluster  # noqa: PLC0415

            self.say(f"Starting {node_count} containers that are unfit for data, for this alone.")
            return UnsafeDockerCluster(self.places, node_count, unsafe, _say_nothing)
        from orchestrator.docker_world import DockerCluster  # noqa: PLC0415

        return DockerCluster(self.places, node_count)


def _say_nothing(_sentence: str) -> None:
    pass


def show_end(session: Session) -> int:
    """The table, the sum and the places; the exit code of all runs together."""
    results = session.results
    if not session.silent and results:
        if len(results) > 1:
            show_results(session.console, results)
            show_sum(session.console, results)
        show_places(session.console, results, session.state_places)
    codes = {result.exit_code for result in results}
    return next((code for code in (1, 3) if code in codes), 0)


def counts_for(scenario: Scenario, wanted: Sequence[int]) -> list[int]:
    """The sizes of cluster on which a scenario is to be played.

    Raises:
        LabError: it is for none of those that are wanted.
    """
    if not wanted:
        return list(scenario.node_counts)
    found = [count for count in wanted if count in scenario.node_counts]
    if not found:
        sizes = " or ".join(str(count) for count in scenario.node_counts)
        raise LabError(
            f"{scenario.name} is written for {sizes} nodes, not for {', '.join(map(str, wanted))}"
        )
    return found
