"""The page's share, compare and find rooms: run in Node, and visited in a browser."""

import contextlib
import json
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from paxos.checker import check_lines
from paxos.events import Line
from paxos.simulator import World
from paxos.simulator.conditions import Conditions
from tests.web_node import ask_node
from tests.web_server import recorded, scripted, serving, write_run

PARTITION: Final = "20260101-partition"
BROKEN: Final = "20260102-broken"
CRASH: Final = "20260103-crash"
LATE: Final = "20260104-late"


def ask(what: str, **about: Any) -> Any:
    """What the page's modules answer, run in Node."""
    return ask_node("web_rooms.mjs", {"ask": what, **about})


def judged(lines: list[Line]) -> Any:
    """The content of ``verdict.json``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verdict.json"
        check_lines(lines).write(path)
        return json.loads(path.read_text("utf-8"))


def simulated(seed: int) -> list[Line]:
    """Two rivals in virtual time on a lossy network, with a wall, a kill and a restart."""
    world = World(seed, conditions=Conditions(loss_percent=10, duplicate_percent=10))
    world.propose(1, 1, "apple")
    world.propose(3 + seed % 7, 5, "pear")
    world.kill(8 + seed % 5, 2)
    world.partition(20, [1, 2, 3], [4, 5])
    world.start(40, 2)
    world.heal(60 + seed % 11)
    world.run(3_000)
    return world.lines


def on_a_real_day(lines: Iterable[Line]) -> list[Line]:
    """Virtual times made those of a day: in nanoseconds, no browser's number holds them."""
    dated: list[Line] = [{**line, "at_ns": line["at_ns"] + 2**60 + 1} for line in lines]
    assert any(int(float(line["at_ns"])) != line["at_ns"] for line in dated)
    return dated


def write_three_runs(logs: Path) -> None:
    """A good run, a violated one, and one with crashes and two instances."""
    write_run(logs, PARTITION, recorded("local-partition"), title="Three here, two there")
    write_run(logs, BROKEN, scripted("R4-ignores-reported-values"), title="It ignores reports")
    write_run(logs, CRASH, recorded("local-crash-after-promise"), title="A node is killed")


def write_runs(logs: Path) -> None:
    """The three, and one with reports."""
    write_three_runs(logs)
    write_run(logs, LATE, recorded("local-late-proposer"), title="Wanted pear, pushes apple")


@contextlib.contextmanager
def served(logs: Path) -> Iterator[str]:
    """Serve runs, the stories played already: the first who asks for them waits long."""
    with serving(logs) as url:
        with urllib.request.urlopen(f"{url}stories.json", timeout=120) as answer:  # noqa: S310
            assert answer.status == 200
        yield url


def words(text: str | None) -> str:
    """A text as it reads, whatever white space its markup has."""
    return " ".join((text or "").split())
