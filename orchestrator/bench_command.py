"""``paxos-lab bench``: the figures of one cluster, for people or for a program."""

import contextlib
import json

import click

from orchestrator.cluster import Cluster
from orchestrator.places import Places


@click.command()
@click.option(
    "--world", type=click.Choice(["docker", "local", "sim"]), default="local", show_default=True
)
@click.option("--nodes", type=click.Choice(["3", "5", "7", "9"]), default="5", show_default=True)
@click.option("--decisions", default=300, show_default=True, help="Values, one after another.")
@click.option("--rounds", default=5, show_default=True, help="How often each fault; 0: none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
def bench(world: str, nodes: str, decisions: int, rounds: int, *, as_json: bool) -> None:
    """Measure decisions beside their limit, and how fast faults come and go.

    In the world sim: how fast virtual time passes, for as many seeds as decisions.
    """
    if world == "sim":
        _bench_sim(decisions, as_json=as_json)
        return
    from orchestrator.bench import decision_times, fault_times  # noqa: PLC0415 - fast --help
    from orchestrator.clients import Clients  # noqa: PLC0415

    places = Places.from_environment()
    with contextlib.ExitStack() as stack:
        cluster = _open(stack, places, world, int(nodes))
        clients = Clients(cluster)
        stack.callback(clients.close)
        with click.progressbar(
            length=decisions, label="decisions", hidden=as_json, show_pos=True
        ) as bar:
            times = decision_times(cluster, clients, places.state, decisions, bar.update)
        with click.progressbar(length=rounds, label="faults", hidden=as_json, show_pos=True) as bar:
            faults = fault_times(cluster, clients, rounds, bar.update) if rounds else []
    if as_json:
        click.echo(json.dumps({"decisions": times.as_json(), "faults": faults}, indent=1))
        return
    click.echo(
        f"\n{world}, {nodes} nodes, {decisions} decisions one after another\n"
        f"  limit: 3 syncs ({times.sync_p50_us} us) and 2 round trips "
        f"({times.round_trip_p50_us} us): {times.limit_us / 1000:.2f} ms\n"
        f"  p50 {times.p50_us / 1000:6.2f} ms   {times.p50_ratio:5.2f} times the limit\n"
        f"  p99 {times.p99_us / 1000:6.2f} ms   {times.p99_ratio:5.2f} times the limit"
    )
    if faults:
        click.echo(f"\n  median of {rounds}        apply      undo, until every link is ready")
    for fault in faults:
        click.echo(
            f"  {fault['fault']!s:<14} {fault['apply_p50_ms']!s:>6} ms {fault['undo_p50_ms']!s:>6} ms"
        )


def _bench_sim(seed_count: int, *, as_json: bool) -> None:
    from orchestrator.sim_bench import measure  # noqa: PLC0415

    length = 4 * seed_count
    with click.progressbar(length=length, label="seeds", hidden=as_json, show_pos=True) as bar:
        rates = measure(seed_count, bar.update)
    if as_json:
        click.echo(json.dumps([rate.as_json() for rate in rates], indent=1))
        return
    click.echo(f"\nsim, one core, {seed_count} seeds of each, time of the process")
    for rate in rates:
        click.echo(
            f"  {rate.work:<24} {rate.events_per_s:>9,} events/s {rate.seeds_per_s:>7,} seeds/s"
        )


def _open(stack: contextlib.ExitStack, places: Places, world: str, node_count: int) -> Cluster:
    if world == "docker":
        from orchestrator.docker_world import DockerCluster  # noqa: PLC0415

        containers = DockerCluster(places, node_count)
        stack.callback(containers.close)
        return containers
    from orchestrator.local import LocalCluster  # noqa: PLC0415

    processes = LocalCluster(places, node_count)
    stack.callback(processes.close)
    processes.open()
    return processes
