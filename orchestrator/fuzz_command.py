"""``paxos-lab fuzz``: random faults over many seeds, and the least of what breaks a rule."""

import math
import os
import sys

import click

from orchestrator.cluster import LabError


@click.command("fuzz")
@click.option("--seeds", metavar="A..B", help="Which seeds, or how many from a random one on.")
@click.option("--nodes", type=click.Choice(["3", "4", "5", "7", "9"]), help="How many nodes.")
@click.option("--variant", help="UNSAFE: fuzz this broken protocol instead.")
@click.option("--time", "seconds", type=click.FloatRange(min=0), help="Stop after these seconds.")
@click.option("--jobs", type=click.IntRange(1, 256), help="How many processes; one a core.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
def fuzz_command(
    seeds: str | None,
    nodes: str | None,
    variant: str | None,
    seconds: float | None,
    jobs: int | None,
    *,
    as_json: bool,
) -> None:
    """Run random clients and faults in virtual time, seed by seed, and judge each.

    The first seed that breaks a rule, or does not decide in time, is reduced to
    what its violation needs, and saved as a scenario that plays it again.
    """
    from orchestrator.fuzz_run import run_fuzz, seed_range  # noqa: PLC0415 - fast --help
    from orchestrator.fuzzing import Wish  # noqa: PLC0415
    from orchestrator.places import Places  # noqa: PLC0415

    if seconds is not None and not math.isfinite(seconds):
        raise LabError(f"--time is {seconds}, and must be a number of seconds")
    first, count = seed_range(seeds, bounded=seconds is not None)
    wish = Wish(
        first,
        count,
        () if nodes is None else (int(nodes),),
        variant,
        seconds,
        jobs or len(os.sched_getaffinity(0)),
    )
    sys.exit(run_fuzz(wish, Places.from_environment(), as_json=as_json))
