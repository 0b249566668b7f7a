"""A cluster of containers of the tests' own, which hurts no cluster of the user's.

Its names, addresses and ports are others, and what an earlier run of the tests
has left is removed before and after.
"""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import pytest

from orchestrator.clusters import bring_up, everything, remove
from orchestrator.compose import Layout
from orchestrator.engine import connect, layout_of
from orchestrator.places import HOME_VARIABLE, Places

PROJECT: Final = "paxos-test"
COMMAND_LIMIT_S: Final = 400


@dataclass(frozen=True, slots=True)
class Lab:
    """The command line, and the engine beside it.

    Attributes:
        home: where state and logs of these tests are.
        layout: the cluster of these tests.
        api: the engine, to see what was really done.
    """

    home: Path
    layout: Layout
    api: docker.APIClient

    def run(self, *words: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        """Run ``paxos-lab`` as a user would."""
        return subprocess.run(
            [sys.executable, "-m", "orchestrator", *words],
            input=answer,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )

    def done(self, *words: str) -> str:
        """Run a command that must end well; what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        """What a command prints for programs, about this cluster."""
        count = str(self.layout.node_count)
        return json.loads(self.done(*words, "--json", "--world", "docker", "--nodes", count))

    def inspect(self, number: int) -> dict[str, Any]:
        """What the engine says of a node's container."""
        found: dict[str, Any] = self.api.inspect_container(self.layout.container_name(number))
        return found

    def addresses(self) -> dict[str, dict[str, tuple[str, bool]]]:
        """Of each node, its address in each network, and whether it has its own name there."""
        return {
            f"n{number}": {
                network: (place["IPAddress"], f"n{number}" in place["Aliases"])
                for network, place in self.inspect(number)["NetworkSettings"]["Networks"].items()
            }
            for number in self.layout.node_ids
        }


@contextlib.contextmanager
def lab_of(node_count: int, home: Path) -> Iterator[Lab]:
    """A lab with no cluster yet; all that it makes is removed in the end.

    Another run of the tests on this machine is waited for: names, addresses
    and ports are the same.
    """
    lock = Path(tempfile.gettempdir()) / f"{PROJECT}-{node_count}.lock"
    with lock.open("ab") as held, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(held, fcntl.LOCK_EX)
        patch.setenv("PAXOS_LAB_PROJECT", PROJECT)
        patch.setenv("PAXOS_LAB_SUBNET_PREFIX", "10.219")
        patch.setenv("PAXOS_LAB_PORT_BASE", str(18_000 + 200 * node_count))
        patch.setenv(HOME_VARIABLE, str(home))
        patch.delenv("WORLD", raising=False)
        patch.setitem(os.environ, "NO_COLOR", "1")
        _remove(node_count)
        with contextlib.closing(connect()) as api:
            yield Lab(home, layout_of(node_count), api)
        _remove(node_count)


@contextlib.contextmanager
def lab_that_is_up(node_count: int, home: Path) -> Iterator[Lab]:
    """A lab whose nodes serve."""
    with lab_of(node_count, home) as lab:
        bring_up(Places(lab.home), node_count, print)
        yield lab


def _remove(node_count: int) -> None:
    places = Places.from_environment()
    found = everything(places, [node_count], engine=True, images=False)
    remove(places, [node_count], found, lambda _sentence: None)
