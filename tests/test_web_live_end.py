"""What the end of a live run leaves behind, and that what is said of it is so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.judging import judge_path
from orchestrator.yaml_file import read_scenario
from paxos.checker import OK
from paxos.events import Line
from tests.web_server import Listener, Page, lab_web, live_run

pytestmark = pytest.mark.timeout(600)
UNDONE = "every fault was undone in the end"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where state and logs of these tests are."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[Page]:
    """The page's server, with three local processes to be live on."""
    with lab_web(home, "--world", "local", "--nodes", "3") as (found, _):
        yield found


@pytest.fixture
def run(site: Page) -> Iterator[str]:
    """A live run, which is ended after the test unless the test did."""
    with live_run(site) as name:
        yield name


def ended(site: Page, home: Path) -> tuple[str, Path]:
    """End the run; the sentence, and its folder."""
    status, told = site.post("live/end", {})
    assert status == 200, told
    assert told["is_undone"] is True
    return told["sentence"], home / "logs" / told["run"]


def expectation(folder: Path) -> tuple[bool, str]:
    """Whether every fault was undone, and by what that is seen."""
    found = json.loads((folder / "verdict.json").read_bytes())["expectations"][0]
    assert found["expectation"] == UNDONE
    return found["met"], found["evidence"]


def lines_of(folder: Path) -> list[Line]:
    """The run's merged log."""
    return [json.loads(row) for row in (folder / "events.jsonl").read_text("utf-8").splitlines()]


def begin_and_learn(site: Page) -> None:
    """Have a value chosen, so that each disk holds something."""
    with Listener(site) as listener:
        site.command(propose={"at": "n1", "value": "pear"})
        listener.until_all(
            *({"event": "value_learned", "node": node} for node in ("n1", "n2", "n3"))
        )


def still_down(lines: list[Line]) -> set[str]:
    """The nodes whose last end no start follows."""
    down: set[str] = set()
    for line in lines:
        if line["event"] == "node_exited":
            down.add(line["of"])
        elif line["event"] == "fault_undone":
            down.difference_update(line["targets"])
    return down


def test_a_node_that_was_killed_is_started_in_the_end(site: Page, home: Path, run: str) -> None:
    """In the log, and in the scenario that does it again: 'every fault was undone' is so."""
    assert run
    begin_and_learn(site)
    site.command(kill="n2")
    site.command(pause="n3")
    site.command(isolate="n1")
    _, folder = ended(site, home)
    assert expectation(folder) == (True, "4 commands")
    lines = lines_of(folder)
    undone = [line["fault"] for line in lines if line["event"] == "fault_undone"]
    assert sorted(undone) == ["isolate", "kill", "pause"]
    starts = [line for line in lines if line["event"] == "node_started" and line["node"] == "n2"]
    assert [line["incarnation"] for line in starts][-1] == 2
    assert still_down(lines) == set()
    assert judge_path(folder).verdict == OK
    scenario = read_scenario(folder / "scenario.yaml")
    steps: list[Any] = [step.action for step in scenario.steps]
    assert (steps[-1].verb, steps[-1].nodes) == ("start", ("n2",))


def test_a_node_whose_disk_was_damaged_stays_down_and_that_is_said(
    site: Page, home: Path, run: str
) -> None:
    """It would refuse to start: not every fault was undone, and no sentence says so."""
    assert run
    begin_and_learn(site)
    site.command(kill="n2")
    site.command(disk_fault={"node": "n2", "fault": "corrupt"})
    site.command(kill="n3")
    sentence, folder = ended(site, home)
    assert sentence.endswith("n2 stays down: its disk was damaged.")
    assert expectation(folder) == (False, "n2 stays down: its disk was damaged")
    # What could be undone was.
    assert still_down(lines_of(folder)) == {"n2"}


def test_a_start_that_was_refused_is_not_tried_again(site: Page, home: Path, run: str) -> None:
    """Its disk is lost: it stays down, whoever asks, and the folder says so."""
    assert run
    begin_and_learn(site)
    site.command(kill="n3")
    site.command(disk_fault={"node": "n3", "fault": "lose"})
    assert site.post("live/commands", {"start": "n3"})[0] == 500
    _, folder = ended(site, home)
    assert expectation(folder) == (False, "n3 stays down: its disk was emptied")
    assert still_down(lines_of(folder)) == {"n3"}


def test_a_disk_that_is_still_to_fail_is_no_fault_undone(site: Page, home: Path, run: str) -> None:
    """It was armed and did not strike."""
    assert run
    begin_and_learn(site)
    site.command(disk_fault={"node": "n3", "fault": "fail_sync"})
    _, folder = ended(site, home)
    assert expectation(folder) == (False, "n3 runs, and its next sync still fails")


def test_a_disk_that_has_failed_lets_its_node_come_back(site: Page, home: Path, run: str) -> None:
    """The node ended by its own decision, and its disk holds what it had synced."""
    assert run
    begin_and_learn(site)
    site.command(disk_fault={"node": "n3", "fault": "fail_sync"})
    with Listener(site) as listener:
        site.command(propose={"at": "n1", "value": "fig", "instance": "new"})
        listener.until("node_exited", of="n3")
    _, folder = ended(site, home)
    assert expectation(folder)[0] is True
    assert still_down(lines_of(folder)) == set()
    assert judge_path(folder).verdict == OK
