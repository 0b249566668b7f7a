"""Whole clusters in virtual time: golden transcripts, equal bytes, a verdict for each.

A golden transcript is re-recorded with ``GOLDEN=record make test``, and only
committed if one can say why each line of it changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paxos.checker import check_lines
from paxos.events import Line, problems
from paxos.protocol import NumberScheme, Settings
from paxos.simulator import Conditions, World

GOLDEN = Path(__file__).parent / "golden"


def basic(seed: int) -> World:
    """One proposer, nothing goes wrong."""
    world = World(seed)
    world.propose(0, 1, "apple")
    world.run()
    return world


def competing(seed: int) -> World:
    """Two proposers at the same moment."""
    world = World(seed)
    world.propose(0, 1, "apple")
    world.propose(0, 5, "pear")
    world.run()
    return world


def late_proposer(seed: int) -> World:
    """A majority has accepted apple and nobody knows; a late proposer wanted pear."""
    world = World(seed)
    world.propose(0, 1, "apple")
    on_disk: set[str] = set()

    def chosen(line: Line) -> bool:
        if line["event"] == "state_persisted" and line.get("accepted"):
            on_disk.add(line["node"])
        return len(on_disk) >= 3

    world.run_until(chosen)
    world.kill(0, 1)
    world.propose(0, 5, "pear")
    world.start(2_000, 1)
    world.run()
    return world


def crash_after_promise(seed: int) -> World:
    """An acceptor is killed right after its promise, and keeps it."""
    world = World(seed)
    world.propose(0, 1, "apple")
    world.kill(5, 3)
    world.start(300, 3)
    world.run()
    return world


def crash_majority(seed: int) -> World:
    """No progress without a majority; then three come back."""
    world = World(seed)
    world.kill(1, 3, 4, 5)
    world.propose(2, 1, "apple", timeout_ms=20_000)
    world.start(5_000, 3, 4, 5)
    world.run()
    return world


def partition(seed: int) -> World:
    """Three nodes on one side, two on the other; both propose; the wall falls."""
    world = World(seed)
    world.partition(1, [1, 2, 3], [4, 5])
    world.propose(2, 1, "apple")
    world.propose(2, 5, "pear", timeout_ms=2_000)
    world.heal(4_000)
    world.run()
    return world


STORIES: dict[str, Callable[[int], World]] = {
    story.__name__: story
    for story in (
        basic,
        competing,
        late_proposer,
        crash_after_promise,
        crash_majority,
        partition,
    )
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_reads_as_its_golden_transcript(name: str) -> None:
    """Every line of a change to the protocol shows here, in words."""
    transcript = STORIES[name](7).transcript(("story", "detail"))
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "record":
        file.parent.mkdir(exist_ok=True)
        file.write_text(transcript, encoding="utf-8")
    assert transcript == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STORIES)
def test_every_story_is_safe_chooses_a_value_and_everyone_learns_it(name: str) -> None:
    """*Always*: safety holds. *Sometimes*, here every time: a value is chosen, and all learn it."""
    for seed in range(20):
        world = STORIES[name](seed)
        verdict = check_lines(world.lines)
        assert verdict.verdict == "ok", (seed, verdict)
        learned = {world.chosen_by(node) for node in world.members}
        assert len(learned) == 1, seed
        assert learned <= {"apple", "pear"}, seed


def test_every_line_of_every_story_is_of_the_schema() -> None:
    """The simulator writes the one format."""
    for story in STORIES.values():
        for line in story(1).lines:
            assert problems(line) == []


PARTITION_3 = "5acf85f5537f644a"
"""The beginning of the SHA-256 of the log of the partition with seed 3.

Pinned: whatever changes it changes what every seed ever told of means. Say why.
"""


def digest(executable: str, hash_seed: str) -> str:
    """The SHA-256 of the partition with seed 3, by some Python; empty if it is none of ours."""
    program = (
        "import hashlib, sys\n"
        "if sys.version_info < (3, 11): sys.exit()\n"
        "from paxos.simulator import World\n"
        "world = World(3)\n"
        "world.partition(1, [1, 2, 3], [4, 5])\n"
        "world.propose(2, 1, 'apple')\n"
        "world.propose(2, 5, 'pear', timeout_ms=2_000)\n"
        "world.heal(4_000)\n"
        "world.run()\n"
        "print(hashlib.sha256(world.log()).hexdigest())"
    )
    found = subprocess.run(
        [executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def test_equal_seeds_give_equal_bytes_on_every_python_with_any_hash_seed() -> None:
    """Nothing depends on the order of sets, on ``hash()``, or on the version of Python."""
    others = [shutil.which(f"python3.{minor}") for minor in range(11, 16)]
    digests = {digest(sys.executable, hash_seed) for hash_seed in ("0", "1", "12345")}
    digests |= {digest(executable, "7") for executable in others if executable}
    # A Python that is only a name, or too old, says nothing.
    assert digests - {""} == {hashlib.sha256(partition(3).log()).hexdigest()}


def test_a_seed_means_what_it_always_meant() -> None:
    """A log that is replayed from a seed of last year must be last year's log."""
    assert hashlib.sha256(partition(3).log()).hexdigest().startswith(PARTITION_3)


def test_the_late_proposer_wanted_pear_and_must_push_apple() -> None:
    """A chosen value binds every later proposal (§2.2, P2c)."""
    told = late_proposer(7)
    assert "wanted 'pear' but must push 'apple'" in told.transcript()
    assert told.chosen_by(5) == "apple"


def test_a_minority_cannot_decide_and_a_majority_can() -> None:
    """N ≥ 2F + 1: with F failures there is progress, with F + 1 there is none."""
    for dead, decided in (((4, 5), True), ((3, 4, 5), False)):
        world = World(11)
        world.kill(1, *dead)
        world.propose(5, 1, "apple")
        world.run(20_000)
        assert (world.chosen_by(1) == "apple") is decided


def test_a_power_loss_before_the_sync_forgets_only_what_nobody_was_told() -> None:
    """What no reply relied on binds nobody; what one did has been synced (§2.5)."""
    chosen = 0
    for seed in range(60):
        world = World(seed, 3, conditions=Conditions(sync_least_us=3_000, sync_most_us=9_000))
        world.propose(0, 1, "apple")
        world.power_loss(4 + seed % 40, 2)
        world.start(80, 2)
        world.propose(90, 2, "pear")
        world.run()
        assert check_lines(world.lines).verdict == "ok", seed
        chosen += world.chosen_by(2) is not None
    assert chosen == 60


def test_loss_and_repetition_delay_a_decision_and_change_nothing_else() -> None:
    """§2: messages "can take arbitrarily long to be delivered, can be duplicated, and can be lost"."""
    rough = Conditions(loss_percent=20, duplicate_percent=20)
    nacks = 0
    for seed in range(30):
        world = World(seed, conditions=rough)
        for node, value in ((1, "apple"), (3, "pear"), (5, "plum")):
            world.propose(0, node, value, timeout_ms=30_000)
        world.run(120_000)
        assert check_lines(world.lines).verdict == "ok", seed
        assert len({world.chosen_by(node) for node in world.members}) == 1, seed
        nacks += sum(line["event"] == "nack_received" for line in world.lines)
    assert nacks > 0


def test_ranges_are_safe_and_starve() -> None:
    """Once a majority has promised a number of the highest block, nobody else can win."""
    world = World(5, settings=Settings(scheme=NumberScheme.RANGES))
    world.propose(0, 5, "pear")
    promises: set[str] = set()

    def promised_by_all(line: Line) -> bool:
        if line["event"] == "promise_sent":
            promises.add(line["node"])
        return len(promises) >= 4

    world.run_until(promised_by_all)
    world.kill(0, 5)
    for node in (1, 2, 3, 4):
        world.propose(50, node, "apple")
    world.run()
    answers = [line for line in world.lines if line["event"] == "propose_answered"]
    assert [answer["outcome"] for answer in answers] == ["failed"] * 4
    assert all("4000.n5" in answer["reason"] for answer in answers)
    world.read_disks()
    assert check_lines(world.lines).verdict == "ok"
