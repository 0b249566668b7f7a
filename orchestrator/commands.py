"""What the commands that play scenarios do."""

import contextlib
import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import click

from orchestrator.cluster import LabError
from orchestrator.interrupts import interruptible
from orchestrator.parts import new_seed
from orchestrator.places import Places
from orchestrator.play import Session, counts_for, show_end
from orchestrator.show import show_caught
from orchestrator.worlds import choose_world, engine_answers
from orchestrator.yaml_file import broken_names, find_scenario, read_scenario, scenario_names

_FILES: Final = (".yaml", ".yml")


def run_demo(names: Sequence[str], node_count: int, detail: int) -> int:
    """The headline scenarios on local processes; the exit code."""
    session = Session(Places.from_environment(), detail)
    session.say(
        f"Paxos on {node_count} processes of this machine: gRPC on loopback, a disk each, "
        "real signals. Each sentence below is a line of a node's log, told as it arrives."
    )
    with interruptible(), contextlib.closing(session):
        for name in names:
            session.play(read_scenario(find_scenario(name)), "local", node_count)
        code = show_end(session)
        if engine_answers():
            session.say(
                "A Docker engine answers here: `make up` and then `make scenario-partition` "
                "do the same on containers."
            )
    return code


def run_scenarios(
    names: Sequence[str],
    world: str | None,
    counts: Sequence[int],
    variant: str | None,
    detail: int,
    seed: int | None,
    *,
    as_json: bool,
) -> int:
    """Play scenarios one after another; the exit code.

    Raises:
        LabError: a seed is given for a world of real processes, or a scenario
            or its world is not as it must be.
    """
    if seed is not None and world != "sim":
        raise LabError("only virtual time has a seed: --world sim")
    places = Places.from_environment()
    if world == "sim" and seed is None:
        seed = new_seed()
    found = [read_scenario(find_scenario(name)) for name in names]
    if variant is not None:
        found = [replace(one, variant=variant, breaks=one.breaks or "a rule") for one in found]
    session = Session(places, detail, silent=as_json, in_full=len(found) == 1, seed=seed or 0)
    if seed is not None:
        session.say(f"Seed {seed}.")
    with interruptible(), contextlib.closing(session):
        for scenario in found:
            chosen = choose_world(world, scenario, counts)
            session.say(chosen.why)
            for count in counts_for(scenario, chosen.counts):
                session.play(scenario, chosen.world, count)
        code = show_end(session)
    if seed is not None:
        session.say(f"Again: {_replay(names, counts, variant, seed)}")
    if as_json:
        entries: list[dict[str, Any]] = [
            {
                **result.verdict.as_json(),
                "folder": str(result.folder),
                "figures": result.figures,
                "elapsed_s": round(result.elapsed_s, 3),
                **({} if seed is None else {"seed": seed}),
                "exit_code": result.exit_code,
            }
            for result in session.results
        ]
        click.echo(json.dumps(entries, ensure_ascii=False, indent=1))
    return code


def _replay(names: Sequence[str], counts: Sequence[int], variant: str | None, seed: int) -> str:
    """The command that plays the same bytes again."""
    words = ["paxos-lab", "scenarios"]
    if len(names) == 1:
        # `logs/latest` is another folder after the next run.
        given = names[0]
        named = os.path.relpath(os.path.realpath(given)) if given.endswith(_FILES) else given
        words = ["paxos-lab", "scenario", shlex.quote(named)]
    words += ["--world", "sim", *(f"--nodes {count}" for count in counts)]
    if variant is not None:
        words += ["--variant", variant]
    return " ".join([*words, "--seed", str(seed)])


def run_broken(detail: int, *, as_json: bool) -> int:
    """Every scenario that breaks the protocol on purpose; 0 when each breach was caught."""
    session = Session(Places.from_environment(), detail, silent=as_json)
    with interruptible(), contextlib.closing(session):
        scenarios = [read_scenario(find_scenario(name)) for name in broken_names()]
        for scenario in sorted(scenarios, key=lambda one: (one.breaks or "", one.name)):
            session.play(scenario, "local", scenario.node_counts[0])
        caught = [
            {
                "scenario": result.scenario,
                "breaks": result.breaks,
                "first": result.first_broken,
                "caught": result.caught,
                "folder": str(result.folder),
            }
            for result in session.results
        ]
        if not as_json:
            show_caught(session.console, session.results)
    if as_json:
        click.echo(json.dumps(caught, ensure_ascii=False, indent=1))
    return 0 if all(entry["caught"] for entry in caught) else 1


def print_scenarios(*, as_json: bool) -> None:
    """Every scenario with its title; those that break the protocol apart."""
    entries: list[dict[str, Any]] = []
    for name in [*scenario_names(), *broken_names()]:
        try:
            scenario = read_scenario(find_scenario(name))
        except LabError as error:
            raise LabError(f"{name} cannot be listed: {error}") from error
        entries.append(
            {
                "name": name,
                "title": scenario.title,
                "nodes": list(scenario.node_counts),
                "variant": scenario.variant,
                "breaks": scenario.breaks,
            }
        )
    if as_json:
        click.echo(json.dumps(entries, ensure_ascii=False, indent=1))
        return
    width = max(len(entry["name"]) for entry in entries)
    for entry in entries:
        if entry["variant"] is None:
            click.echo(f"{entry['name']:<20} {entry['title']}")
    if any(entry["variant"] for entry in entries):
        click.echo("\nBroken on purpose:\n")
    for entry in entries:
        if entry["variant"] is not None:
            # The title of a recorded counterexample says no more than its name.
            shortest = entry["name"].endswith("-shortest")
            title = "the shortest way" if shortest else entry["title"]
            click.echo(f"{entry['name']:<{width}}  {entry['breaks']}  {title}")
