"""Containers that are unfit for data: message by message to a violation, and gone afterwards."""

import contextlib
from collections.abc import Iterator

import pytest

from orchestrator.cluster import LabError, Unsafe
from orchestrator.clusters import UnsafeDockerCluster
from orchestrator.engine import containers_of, networks_of, unsafe_layout_of, volumes_of
from orchestrator.places import Places
from orchestrator.play import Session
from orchestrator.yaml_file import BROKEN, read_scenario
from paxos.checker import VIOLATED
from tests.docker_lab import Lab, lab_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A place for clusters of three; none is there."""
    with lab_of(3, tmp_path_factory.mktemp("home")) as found:
        yield found


def left_behind(lab: Lab) -> list[str]:
    """What there is of an unsafe cluster."""
    layout = unsafe_layout_of(3, Unsafe(manual=True))
    return [
        *containers_of(lab.api, layout),
        *networks_of(lab.api, layout),
        *volumes_of(lab.api, layout),
    ]


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("reply-before-write-by-hand", {"R2", "R6", "agreement"}),
        ("number-reused-by-hand", {"R3", "agreement"}),
        ("ignore-accepted-by-hand", {"R4", "agreement"}),
        ("ignore-accepted-shortest", {"R4"}),
    ],
)
def test_a_schedule_is_played_by_hand_on_containers_to_its_violation(
    lab: Lab, name: str, rules: set[str]
) -> None:
    """The nodes' own logs prove it; the cluster was made for this, and is removed."""
    scenario = read_scenario(BROKEN / f"{name}.yaml")
    with contextlib.closing(Session(Places(lab.home), silent=True)) as session:
        result = session.play(scenario, "docker", 3)
        assert len(containers_of(lab.api, unsafe_layout_of(3, Unsafe(manual=True)))) == 4
    assert result.verdict.verdict == VIOLATED
    assert result.first_broken == scenario.breaks
    assert {violation.rule for violation in result.verdict.violations} == rules
    assert not result.unmet, [finding.expectation for finding in result.unmet]
    assert left_behind(lab) == []


def test_a_cluster_that_does_not_come_up_leaves_nothing(lab: Lab) -> None:
    """A node ends at once, for there is no such variant; what was made is removed."""
    with pytest.raises(LabError, match="known are"):
        UnsafeDockerCluster(Places(lab.home), 3, Unsafe("no-such-variant"), print)
    assert left_behind(lab) == []


def test_an_unsafe_cluster_shares_nothing_with_the_one_that_make_up_starts(lab: Lab) -> None:
    """Names, addresses and ports differ, so that both can be up at once."""
    safe, unsafe = lab.layout, unsafe_layout_of(3, Unsafe("small-quorum"))
    assert safe.project != unsafe.project
    assert not unsafe.project.startswith(safe.project)
    networks = [safe.control_subnet, *(cable.subnet for cable in safe.cables)]
    others = [unsafe.control_subnet, *(cable.subnet for cable in unsafe.cables)]
    assert not any(one.overlaps(other) for one in networks for other in others)
    assert safe.control_port(1) != unsafe.control_port(1)
