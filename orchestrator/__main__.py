"""The command line: ``paxos-lab``."""

import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from orchestrator.bench_command import bench
from orchestrator.cluster import LabError
from orchestrator.containers import COMMANDS
from orchestrator.explore import explore_command
from orchestrator.explore_bench import bench_explorer
from orchestrator.fuzz_command import fuzz_command
from orchestrator.lazy_command import LazyCommand
from orchestrator.places import Places
from orchestrator.variants import variant_command, variants_command

DEMO: Final = (
    "basic",
    "competing",
    "late-proposer",
    "crash-after-promise",
    "crash-majority",
    "partition",
)
"""The headline scenarios, in the order in which they are best watched."""

_WORLD = click.option(
    "--world",
    type=click.Choice(["docker", "local", "sim"]),
    envvar="WORLD",
    help="Containers, local processes, or virtual time; without it, docker where a cluster is up.",
)
_SEED = click.option("--seed", type=int, help="Decides all chance in the world sim.")
_NODES = click.option(
    "--nodes", type=click.Choice(["3", "5", "7", "9"]), help="How many nodes the cluster has."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
_DETAIL = click.option(
    "-v", "--verbose", "detail", count=True, help="Tell details, too; twice: everything."
)


def _complete_scenario(_context: Any, _parameter: Any, incomplete: str) -> list[str]:
    from orchestrator.yaml_file import broken_names, scenario_names  # noqa: PLC0415

    names = [*scenario_names(), *broken_names()]
    return [name for name in names if name.startswith(incomplete)]


_HELP: Final = """A real Paxos cluster that you can break, and a verdict you can trust.

\b
Exit codes: 0 safety held and every expectation was met
            1 a rule was violated, an expectation was not met, or the log
              departs from the core
            2 the call or the machine is not as it must be
            3 whether safety held is unknown
"""


@click.group(
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(package_name="paxos-lab", prog_name="paxos-lab")
def app() -> None:
    """All commands hang from here."""


@app.command()
@_NODES
@_DETAIL
def demo(nodes: str | None, detail: int) -> None:
    """Run the headline scenarios on local processes, and judge them."""
    from orchestrator.commands import run_demo  # noqa: PLC0415 - fast --help

    sys.exit(run_demo(DEMO, int(nodes or 5), detail))


@app.command()
@click.argument("name", shell_complete=_complete_scenario)
@_WORLD
@_NODES
@_SEED
@click.option("--variant", help="UNSAFE: run this broken protocol instead, on local or sim.")
@_DETAIL
@_JSON
def scenario(
    name: str,
    world: str | None,
    nodes: str | None,
    seed: int | None,
    variant: str | None,
    detail: int,
    *,
    as_json: bool,
) -> None:
    """Run one scenario, by name or from a .yaml file."""
    from orchestrator.commands import run_scenarios  # noqa: PLC0415

    sys.exit(run_scenarios([name], world, _counts(nodes), variant, detail, seed, as_json=as_json))


@app.command()
@_WORLD
@_NODES
@_SEED
@_DETAIL
@_JSON
def scenarios(
    world: str | None, nodes: str | None, seed: int | None, detail: int, *, as_json: bool
) -> None:
    """Run all scenarios, one after another."""
    from orchestrator.commands import run_scenarios  # noqa: PLC0415
    from orchestrator.yaml_file import scenario_names  # noqa: PLC0415

    names = scenario_names()
    sys.exit(run_scenarios(names, world, _counts(nodes), None, detail, seed, as_json=as_json))


@app.command("list")
@_JSON
def list_scenarios(*, as_json: bool) -> None:
    """List the scenarios, and those that break the protocol."""
    from orchestrator.commands import print_scenarios  # noqa: PLC0415

    print_scenarios(as_json=as_json)


@app.command()
@_DETAIL
@_JSON
def broken(detail: int, *, as_json: bool) -> None:
    """Run every scenario that breaks the protocol, and see each caught.

    Ends with 0 when each broke the rule that it was to break, and that first.
    """
    from orchestrator.commands import run_broken  # noqa: PLC0415

    sys.exit(run_broken(detail, as_json=as_json))


@app.command()
@click.argument("path", nargs=-1, type=click.Path(path_type=Path))
@click.option("--why", metavar="LINE", help="Say why of one line of the log (n1/1/20), or of all.")
@_JSON
def check(path: tuple[Path, ...], why: str | None, *, as_json: bool) -> None:
    """Judge a run's folder or log files, whoever wrote them."""
    from orchestrator.judging import judge_path  # noqa: PLC0415
    from paxos.checker import OK, VIOLATED, LogFormatError  # noqa: PLC0415

    paths = path or (Places.from_environment().logs / "latest",)
    try:
        verdict = judge_path(*paths)
    except LogFormatError as error:
        raise LabError(str(error)) from error
    if as_json:
        click.echo(json.dumps(verdict.as_json(), ensure_ascii=False, indent=1))
    else:
        click.echo(verdict.as_text())
        if why is not None:
            from orchestrator.why_told import why_text  # noqa: PLC0415 - seldom asked for

            click.echo(why_text(paths, why))
    unmet = any(not one["met"] for one in verdict.expectations)
    if verdict.verdict == VIOLATED or verdict.departed or unmet:
        sys.exit(1)
    sys.exit(0 if verdict.verdict == OK else 3)


@app.command()
@click.option("--port", default=8642, show_default=True, help="Where to listen; 0: anywhere.")
@click.option(
    "--world",
    type=click.Choice(["docker", "local"]),
    envvar="WORLD",
    help="What is live: the containers that are up (the default), or local processes.",
)
@click.option(
    "--disk-faults",
    is_flag=True,
    help="Make containers for each live run, so that their disks may be hurt.",
)
@_NODES
def web(port: int, world: str | None, nodes: str | None, *, disk_faults: bool) -> None:
    """Serve the page on 127.0.0.1: runs, a live cluster, stories, a sandbox.

    The address that is printed holds a token: who has it may command the cluster.
    """
    from orchestrator.web import PageError  # noqa: PLC0415
    from orchestrator.web.command import run_web  # noqa: PLC0415

    count = None if nodes is None else int(nodes)
    try:
        run_web(Places.from_environment(), port, world, count, disk_faults=disk_faults)
    except PageError as error:
        raise LabError(str(error)) from error


@app.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete this command line.

    For bash: paxos-lab completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    found = get_completion_class(shell)
    assert found is not None, "click knows each shell that may be chosen"
    click.echo(found(app, {}, "paxos-lab", "_PAXOS_LAB_COMPLETE").source())


_LATER: Final = (
    LazyCommand(
        "site",
        "orchestrator.site:site_command",
        "Make the page a folder that any web server can publish.",
    ),
    LazyCommand(
        "whatif",
        "orchestrator.whatif:whatif_command",
        "Ask whether a run can still go wrong from some moment on.",
    ),
)

for _command in (
    *COMMANDS,
    *_LATER,
    bench,
    bench_explorer,
    explore_command,
    fuzz_command,
    variants_command,
    variant_command,
):
    app.add_command(_command)


def _counts(nodes: str | None) -> Sequence[int]:
    return [] if nodes is None else [int(nodes)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end with its exit code."""
    try:
        app.main(args=arguments, prog_name="paxos-lab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; every fault was undone.", err=True)
        sys.exit(130)
    except LabError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        click.echo(f"error: {where}{error.strerror or error}; make it writable, or free", err=True)
        sys.exit(2)
    except Exception:  # The root of the process: without this it would end with 1, a verdict.
        traceback.print_exc()
        sys.exit(2)


if __name__ == "__main__":
    main()
