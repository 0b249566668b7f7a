"""up, down, clean, state, status and logs on containers, as a user types them."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest

from orchestrator.base_image import NODE_IMAGE
from orchestrator.clients import Clients
from orchestrator.cluster import LabError
from orchestrator.clusters import bring_up
from orchestrator.collect import Result
from orchestrator.docker_world import DockerCluster
from orchestrator.engine import containers_of, networks_of, volumes_of
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.runner import make_whole
from orchestrator.yaml_file import FOLDER, read_scenario
from paxos.checker import OK
from paxos.events import decode, problems
from tests.docker_lab import PROJECT, Lab, lab_of

SIZE: Final = ("--nodes", "3")

docker_needed = pytest.mark.docker
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three nodes, which each test finds up or brings up."""
    with lab_of(3, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def up(lab: Lab) -> Lab:
    """The cluster is up and sound; brought up anew only where a test has left it otherwise."""
    try:
        with (
            contextlib.closing(DockerCluster(Places(lab.home), 3)) as cluster,
            contextlib.closing(Clients(cluster)) as clients,
        ):
            make_whole(cluster, clients)
    except LabError:
        bring_up(Places(lab.home), 3, print)
    return lab


def play(lab: Lab, name: str) -> Result:
    """Play a scenario on the three nodes."""
    with contextlib.closing(Session(Places(lab.home), silent=True)) as session:
        return session.play(read_scenario(FOLDER / f"{name}.yaml"), "docker", 3)


@docker_needed
def test_up_returns_when_all_is_ready_and_says_what_to_try(lab: Lab) -> None:
    """Docker calls each node healthy, each node its links ready, and the ports are told."""
    said = lab.done("up", *SIZE)
    status = lab.json("status")
    assert [node["health"] for node in status["nodes"]] == ["healthy"] * 3
    assert sorted(status["links"]["ready"]) == ["n1-n2", "n1-n3", "n2-n3"]
    assert status["faults"] == []
    assert f"127.0.0.1:{lab.layout.paxos_port(1)}" in said
    assert "make state NODES=3" in said
    assert "make scenario-" in said
    again = lab.done("up", *SIZE)
    assert "3 links are ready" in again
    # Nothing was made anew for it.
    assert [node["incarnation"] for node in lab.json("status")["nodes"]] == [1, 1, 1]


@docker_needed
def test_a_node_has_no_more_rights_than_it_needs(up: Lab) -> None:
    """Not root, no capability, a root that is read-only, and ports on 127.0.0.1 alone."""
    found = up.inspect(1)
    assert found["Config"]["User"] == "10001:10001"
    host = found["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["RestartPolicy"]["Name"] in {"no", ""}
    places = [place for bound in host["PortBindings"].values() for place in bound]
    assert {place["HostIp"] for place in places} == {"127.0.0.1"}


@docker_needed
@pytest.mark.usefixtures("up")
def test_a_node_finds_all_that_it_imports_compiled() -> None:
    """Its root is read-only: it would compile the same modules again at every start."""
    run = ["docker", "run", "--rm", "--network=none", "--entrypoint=python", NODE_IMAGE]
    done = subprocess.run(
        [*run, "-v", "-c", "import node.serve, node.__main__"],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    loaded = re.findall(r"^# code object from '?(.*?)'?$", done.stderr, re.MULTILINE)
    assert any(path.endswith("serve.cpython-311.pyc") for path in loaded)
    assert [path for path in loaded if path.endswith(".py")] == []


@docker_needed
def test_sizes_runs_on_three_containers(up: Lab) -> None:
    """The scenario that is for every size; the five-node ones are played elsewhere."""
    result = play(up, "sizes")
    assert result.verdict.verdict == OK, result.verdict.as_text()
    assert not result.unmet, [finding.evidence for finding in result.unmet]


def disks(state: dict[str, Any]) -> dict[str, Any]:
    """Of a printed state, what each disk holds of its last instance."""
    nodes: dict[str, Any] = state["instances"][-1]["nodes"]
    return {node: entry["disk"] for node, entry in nodes.items()}


@docker_needed
def test_state_shows_disks_beside_memories_whether_a_node_runs_or_not(up: Lab) -> None:
    """Copies lie in state/, of the killed, too; and when no container is left, of the volumes."""
    play(up, "sizes")
    whole = up.json("state")
    for entry in whole["instances"][-1]["nodes"].values():
        assert entry["memory"] is not None
        assert {key: entry["disk"][key] for key in entry["memory"]} == entry["memory"]
        assert entry["disk"]["accepted"]["ballot"] == entry["disk"]["promised"]
    up.api.kill(up.layout.container_name(2))
    killed = up.json("state")
    assert disks(killed) == disks(whole)
    assert killed["instances"][-1]["nodes"]["n2"]["memory"] is None
    copy = up.home / "state" / "docker" / f"{PROJECT}-3" / "n2"
    records = [
        json.loads(row) for row in (copy / "segment-000001.jsonl").read_text().split("\n")[:2]
    ]
    assert records[0]["record"]["kind"] == "format"
    assert "memory is gone" in up.done("state", *SIZE, "--world", "docker")
    up.done("down", *SIZE)
    left = up.json("state")
    assert disks(left) == disks(whole)
    assert [node["condition"] for node in left["nodes"]] == ["no container"] * 3
    # The container through which the volumes were read is gone.
    assert containers_of(up.api, up.layout) == {}


@docker_needed
def test_logs_are_merged_and_raw_lines_are_lines_of_the_log(up: Lab) -> None:
    """For a program: as they were written, in order; for a person: in words."""
    play(up, "sizes")
    with (
        contextlib.closing(DockerCluster(Places(up.home), 3)) as cluster,
        contextlib.closing(Clients(cluster)) as clients,
    ):
        # Each node's gate is cleared, and says so: whichever had little to do, each has
        # written one of the last lines.
        make_whole(cluster, clients)
    words = ("logs", *SIZE, "--world", "docker", "--no-follow", "--last", "50")
    lines = [decode(row.encode()) for row in up.done(*words, "--json").splitlines()]
    assert len(lines) == 50
    assert [problems(line) for line in lines] == [[] for _ in lines]
    assert {line["node"] for line in lines} == {"n1", "n2", "n3"}
    times = [line["at_ns"] for line in lines]
    assert times == sorted(times)
    assert "'" in up.done(*words)


@docker_needed
def test_down_works_in_any_state_and_keeps_what_was_promised(up: Lab) -> None:
    """One paused, one killed, one cable out; then a half; then nothing at all."""
    play(up, "sizes")
    before = disks(up.json("state", "--last", "1"))
    names = [up.layout.container_name(number) for number in (1, 2, 3)]
    cable = up.layout.network_name(up.layout.cables[0])
    up.api.disconnect_container_from_network(names[0], cable)
    up.api.pause(names[1])
    up.api.kill(names[2])
    assert "3 volumes are kept" in up.done("down", *SIZE)
    assert containers_of(up.api, up.layout) == {}
    assert networks_of(up.api, up.layout) == {}
    up.done("up", *SIZE)
    assert disks(up.json("state", "--last", "1")) == before
    up.api.remove_container(names[0], force=True)
    up.done("down", *SIZE)
    assert containers_of(up.api, up.layout) == {}
    assert "Nothing was up." in up.done("down", *SIZE)


@docker_needed
def test_up_mends_what_is_half_there(up: Lab) -> None:
    """A node removed, one paused, one killed and its cable out: all is made whole."""
    names = [up.layout.container_name(number) for number in (1, 2, 3)]
    addresses = up.addresses()
    up.api.disconnect_container_from_network(names[2], up.layout.network_name(up.layout.cables[2]))
    up.api.kill(names[2])
    up.api.pause(names[1])
    up.api.remove_container(names[0], force=True)
    up.done("up", *SIZE)
    assert up.addresses() == addresses
    assert len(up.json("status")["links"]["ready"]) == 3


@docker_needed
def test_a_lost_disk_is_named_and_nothing_is_made_anew(up: Lab) -> None:
    """A mixture of volumes: an acceptor that forgot must not come back empty."""
    up.done("down", *SIZE)
    volume = up.layout.volume_name(2)
    up.api.remove_volume(volume)
    refused = up.run("up", *SIZE)
    assert refused.returncode == 2
    assert "n2 lost the disk, and n1 and n3 still have one" in refused.stderr
    assert "make clean" in refused.stderr
    assert "Traceback" not in refused.stderr
    # As it stands now, half made, it is shown and taken down.
    assert "n2" in up.done("status", *SIZE, "--world", "docker")
    up.done("clean", *SIZE, "--force")


@docker_needed
def test_clean_asks_says_what_it_removes_and_touches_nothing_else(up: Lab) -> None:
    """Things that only look like the lab's, by name or by label, are not its own."""
    foreign_name, foreign_label = f"{PROJECT}-3_foreign", f"{PROJECT}-33_n1"
    up.api.create_container(NODE_IMAGE, ["read", "/state"], name=foreign_name)
    up.api.create_volume(foreign_name)
    up.api.create_network(foreign_name, driver="bridge")
    up.api.create_volume(foreign_label, labels={"lab.paxos": "1"})
    try:
        asked = up.run("clean", *SIZE, answer="n\n")
        assert asked.returncode == 0
        assert "4 containers" in asked.stdout
        assert "4 networks" in asked.stdout
        assert "3 volumes" in asked.stdout
        assert "Nothing was removed." in asked.stdout
        assert len(volumes_of(up.api, up.layout)) == 3
        up.done("clean", *SIZE, "--force")
        assert containers_of(up.api, up.layout) == {}
        assert networks_of(up.api, up.layout) == {}
        assert volumes_of(up.api, up.layout) == []
        assert "There is nothing to remove." in up.done("clean", *SIZE, "--force")
        assert up.run("status", *SIZE, "--world", "docker").returncode == 2
        # These raise when they are gone.
        up.api.inspect_container(foreign_name)
        up.api.inspect_network(foreign_name)
        up.api.inspect_volume(foreign_name)
        up.api.inspect_volume(foreign_label)
    finally:
        up.api.remove_container(foreign_name)
        up.api.remove_network(foreign_name)
        up.api.remove_volume(foreign_name)
        up.api.remove_volume(foreign_label)


@docker_needed
def test_a_port_that_is_taken_is_told_with_what_to_do(
    up: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the setting; no traceback is shown."""
    monkeypatch.setenv("PAXOS_LAB_SUBNET_PREFIX", "10.220")
    monkeypatch.setenv("PAXOS_LAB_PROJECT", f"{PROJECT}-b")
    try:
        refused = up.run("up", *SIZE)
        assert refused.returncode == 2
        assert "PAXOS_LAB_PORT_BASE" in refused.stderr
        assert "Traceback" not in refused.stderr
    finally:
        up.done("clean", *SIZE, "--force")


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_without_an_engine_a_sentence_says_what_to_do(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback; and the other world is named."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    words = [command, *(["--world", "docker"] if command == "status" else [])]
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 2
    assert "no Docker engine answers" in done.stderr
    assert "WORLD=local" in done.stderr
    assert "Traceback" not in done.stderr
