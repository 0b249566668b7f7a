"""Recipes for the tests of the sandbox, in CPython and in the browser."""

import os
from typing import Any

import pytest

from orchestrator.core_archive import scenario_data
from orchestrator.pyodide import pyodide_files
from paxos import sandbox
from paxos.sandbox import run

PEAR = {"propose": {"at": "n2", "value": "pear"}}
APPLE = {"propose": {"at": "n5", "value": "apple"}}


def recipe(*commands: tuple[int, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A recipe of five nodes with seed 7, and commands as (after, do)."""
    given = [{"after": after, "do": do} for after, do in commands]
    return {"v": 1, "seed": 7, "nodes": 5, "commands": given, **more}


def played(*commands: tuple[int, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """What a run of such a recipe gives."""
    return run(recipe(*commands, **more), scenario_data())


def fork(made: dict[str, Any], at: int, do: dict[str, Any]) -> dict[str, Any]:
    """The recipe of a fork: what the run shows up to a line, then one thing more."""
    return sandbox.fork(made, at, do, scenario_data())


MANY: dict[str, dict[str, Any]] = {
    "rest": recipe(),
    "duel": recipe((6, PEAR), (9, APPLE), seed=3),
    "crash": recipe((6, PEAR), (40, {"kill": "n2"}), (60, {"start": "all"}), seed=11, nodes=3),
    "wall": recipe(
        (6, PEAR), (20, {"partition": [["n1", "n2"], ["n3", "n4", "n5"]]}), (90, {"heal": "all"})
    ),
    "gates": recipe(
        (6, {"drop": {"name": "loss", "percent": 40}}),
        (6, {"reorder": {"name": "mix", "percent": 50, "delay_most_ms": 20}}),
        (8, PEAR),
        (8, APPLE),
        limits={"lines": 1500},
    ),
    "by hand": recipe((6, PEAR), (17, {"fire": {"node": "n2", "timer": "patience"}}), manual=True),
    "by hand from there": recipe(
        (6, PEAR), (30, {"by_hand": True}), (40, {"fire": {"node": "n2", "timer": "patience"}})
    ),
    "lying disks": recipe(
        (6, PEAR), (60, {"power_loss": "all"}), (60, {"start": "all"}), variant="sync-lies"
    ),
    "failpoint": recipe(
        (6, {"failpoint": {"node": "n1", "point": "after_sync", "power": True}}),
        (6, {"failpoint": {"node": "n2", "point": "between_sends", "kind": "accept"}}),
        (8, PEAR),
        (60, {"start": "all"}),
    ),
    "one message": recipe((6, PEAR), (26, {"drop_message": "n1/1/18"})),
    "fork of a scenario": recipe((100, {"isolate": "n3"}), scenario="partition"),
    "counterexample": recipe(scenario="broken/number-reused-shortest", nodes=3),
    "nine": recipe((10, PEAR), (30, {"restart": "n2"}), nodes=9, settings={"backoff": False}),
    "one": recipe((1, {"propose": {"at": "n1", "value": "fig"}}), nodes=1),
}
"""One of each kind, by name."""


def need_pyodide() -> None:
    """Skip where Pyodide is missing, and fail there under CI=true."""
    found = pyodide_files()
    if isinstance(found, str):
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true, and {found}", pytrace=False)
        pytest.skip(found)
