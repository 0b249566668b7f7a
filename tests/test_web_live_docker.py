"""A live run on real containers: what the page commands is done to them, and to no others."""

import contextlib
import json
import signal
from collections.abc import Iterator
from typing import Final

import pytest

from orchestrator.cluster import Unsafe
from orchestrator.clusters import bring_up
from orchestrator.engine import containers_of, unsafe_layout_of, volumes_of
from orchestrator.judging import judge_path
from orchestrator.places import Places
from paxos.checker import OK
from tests.docker_lab import Lab, lab_that_is_up
from tests.web_server import Listener, Page, lab_web, live_run

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

NODE_COUNT: Final = 3


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three nodes in containers."""
    with lab_that_is_up(NODE_COUNT, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def site(lab: Lab) -> Iterator[Page]:
    """``make web`` beside the cluster."""
    with lab_web(lab.home, "--nodes", str(NODE_COUNT)) as (found, _):
        yield found


@pytest.fixture
def run(site: Page) -> Iterator[str]:
    """A live run, which is ended after the test unless the test did."""
    with live_run(site) as name:
        yield name


@contextlib.contextmanager
def stranger(lab: Lab, name: str) -> Iterator[str]:
    """A container that is not the lab's, whatever it is called; its id."""
    image = lab.inspect(1)["Image"]
    made = lab.api.create_container(image, entrypoint=["sleep", "600"], name=name)["Id"]
    try:
        lab.api.start(made)
        yield made
    finally:
        lab.api.remove_container(made, force=True)


def is_running(lab: Lab, container: str) -> bool:
    """Whether a container runs, and has since it was started."""
    state = lab.api.inspect_container(container)["State"]
    return bool(state["Running"]) and not state["Paused"]


def test_the_cluster_that_is_up_is_offered(site: Page) -> None:
    """Before a run begins: which world, and which nodes."""
    live = site.live()
    assert (live["available"], live["world"], live["run"]) == (True, "docker", None)
    assert live["members"] == ["n1", "n2", "n3"]


def test_kill_kills_the_container_and_the_page_hears_of_it(lab: Lab, site: Page, run: str) -> None:
    """A real SIGKILL; the node comes back by *start*, and the run is an ordinary one in the end."""
    with Listener(site) as listener:
        told = site.command(kill="n1")
        assert "exit code 137" in told["sentence"]
        state = lab.inspect(1)["State"]
        assert (state["Running"], state["ExitCode"]) == (False, 137)
        exited = listener.until("node_exited", of="n1")
        assert (exited["exit_code"], exited["reason"]) == (137, "SIGKILL")
        site.command(propose={"at": "n2", "value": "pear"})
        assert listener.until("propose_completed")["value"] == "pear"
        site.command(start="n1")
        assert lab.inspect(1)["State"]["Running"]
        assert listener.until("node_started", node="n1")["incarnation"] > exited["incarnation"]
        assert listener.until("fault_undone")["targets"] == ["n1"]
    status, told = site.post("live/end", {})
    assert (status, told["run"], told["verdict"]) == (200, run, "ok")
    folder = lab.home / "logs" / run
    assert judge_path(folder).verdict == OK
    assert json.loads((folder / "run.json").read_bytes())["world"] == "docker"


def test_a_wall_unplugs_cables_and_the_end_of_the_run_plugs_them_in(
    lab: Lab, site: Page, run: str
) -> None:
    """Whatever was hurt is given back, a pause and a node that is down included."""
    assert run
    with Listener(site) as listener:
        site.command(propose={"at": "n2", "value": "pear"})
        listener.until("propose_completed")
    before = lab.addresses()
    assert "all 4 probes" in site.command(isolate="n3")["sentence"]
    assert len(lab.addresses()["n3"]) < len(before["n3"])
    site.command(pause="n2")
    assert lab.inspect(2)["State"]["Paused"]
    site.command(kill="n1")
    status, told = site.post("live/end", {})
    assert (status, told["verdict"]) == (200, "ok"), told
    assert lab.addresses() == before
    assert lab.json("status")["faults"] == []


def test_what_another_hand_kills_is_noticed(lab: Lab, site: Page, run: str) -> None:
    """``docker kill`` in some terminal: the page says so, and the run's end starts it again."""
    assert run
    with Listener(site) as listener:
        lab.api.kill(lab.layout.container_name(2))
        assert listener.until("node_exited")["of"] == "n2"
    assert site.post("live/end", {})[0] == 200
    assert lab.inspect(2)["State"]["Running"]


def test_a_disk_that_outlives_the_run_is_not_hurt(site: Page, run: str) -> None:
    """What cannot be undone is refused, with where it can be done."""
    assert run
    status, told = site.post("live/commands", {"disk_fault": {"node": "n1", "fault": "lose"}})
    assert status == 400
    assert "cannot be undone" in told["sentence"]
    assert "`make web DISK_FAULTS=1`" in told["sentence"]


def test_containers_that_are_made_for_the_run_may_have_their_disks_hurt(lab: Lab) -> None:
    """Beside the cluster that is up, by the page's commands; gone with the run, whoever ends it."""
    layout = unsafe_layout_of(NODE_COUNT, Unsafe(manual=True))
    words = ("--nodes", str(NODE_COUNT), "--disk-faults")
    with lab_web(lab.home, *words) as (site, process):
        assert "removes them" in site.live()["why"]
        status, told = site.post("live/begin", {})
        assert status == 200, told
        run = told["run"]
        with Listener(site) as listener:
            assert "disk_fault" in site.live()["commands"]
            site.command(propose={"at": "n2", "value": "fig"})
            listener.until("propose_completed", value="fig")
            site.command(disk_fault={"node": "n1", "fault": "fail_sync"})
            site.command(propose={"at": "n1", "value": "pear", "instance": "new"})
            assert listener.until("node_exited", of="n1")["exit_code"] == 4
            site.command(power_loss="n3")
            site.command(disk_fault={"node": "n3", "fault": "corrupt"})
        status, told = site.post("live/commands", {"start": "n3"})
        assert status == 500
        assert "its checksum is" in told["sentence"]
        assert containers_of(lab.api, layout)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=240)
    assert (process.returncode, complaint) == (0, "")
    assert [*containers_of(lab.api, layout), *volumes_of(lab.api, layout)] == []
    assert lab.inspect(3)["State"]["Running"], "the cluster that is up was not touched"
    folder = lab.home / "logs" / run
    assert json.loads((folder / "verdict.json").read_bytes())["verdict"] == "ok"
    assert "fail_sync" in (folder / "scenario.yaml").read_text("utf-8")


def test_a_container_that_is_not_ours_is_refused_and_left_alone(
    lab: Lab, site: Page, run: str
) -> None:
    """Its name looks like one of ours; it has no label, and no command reaches it."""
    assert run
    with stranger(lab, f"{lab.layout.project}_n9") as foreign:
        for name in ("n9", f"{lab.layout.project}_n9", foreign):
            status, told = site.post("live/commands", {"kill": name})
            assert status == 400
            assert "is none of n1, n2, n3" in told["sentence"]
        site.command(kill="all")
        site.command(start="all")
        assert is_running(lab, foreign)


def test_a_container_that_took_the_name_of_ours_is_left_alone(
    lab: Lab, site: Page, run: str
) -> None:
    """Ours is removed during the run and another one gets its very name: it is never touched."""
    assert run
    name = lab.layout.container_name(3)
    site.command(kill="n3")
    lab.api.remove_container(name, force=True)
    with stranger(lab, name) as foreign:
        for step in ({"start": "n3"}, {"kill": "n3"}, {"pause": "n3"}, {"isolate": "n3"}):
            status, told = site.post("live/commands", step)
            assert status == 503, told
            assert "No such container" in told["sentence"]
        # Undoing must not start it, plug it in, or end it either.
        status, told = site.post("live/end", {})
        assert (status, told["ok"]) == (500, False)
        assert is_running(lab, foreign)
        assert list(lab.api.inspect_container(foreign)["NetworkSettings"]["Networks"]) == ["bridge"]
        # A run that begins now does not take it for one of ours.
        status, told = site.post("live/begin", {})
        assert status == 503
        assert is_running(lab, foreign)
    # What had come is kept, as a run that can be opened.
    assert (lab.home / "logs" / run / "events.jsonl").stat().st_size > 0
    bring_up(Places(lab.home), NODE_COUNT, print)


def test_a_cluster_that_is_gone_is_not_offered(lab: Lab, site: Page) -> None:
    """The page says what to do."""
    lab.done("down", "--nodes", str(NODE_COUNT))
    live = next(found for _ in range(1_000) if not (found := site.live())["available"])
    assert "`make up" in live["why"]
