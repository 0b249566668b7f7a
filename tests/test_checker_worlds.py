"""The judge before real runs: correct worlds are never flagged.

The worlds are simulated, so each is told again by its seed. What they do is
left to chance: rivals, kills, power losses, pauses, cuts, loss, duplicates.
"""

import random

import pytest

from paxos.checker import check_lines
from paxos.protocol import ROLES, Roles
from paxos.simulator import Conditions, World


def rough_world(seed: int, roles: Roles = ROLES) -> World:
    """Three to five nodes, several clients, and whatever may go wrong."""
    chance = random.Random(seed)
    count = chance.choice([3, 3, 4, 5])
    nodes = range(1, count + 1)
    world = World(
        seed=seed,
        node_count=count,
        roles=roles,
        conditions=Conditions(
            loss_percent=chance.choice([0, 0, 20]), duplicate_percent=chance.choice([0, 20])
        ),
    )
    for _ in range(chance.randint(1, 6)):
        value = chance.choice(["apple", "pear", "x" * 300])
        world.propose(
            chance.randint(0, 600), chance.choice(nodes), value, instance=chance.choice([1, 1, 2])
        )
    for _ in range(chance.randint(0, 6)):
        at_ms, node = chance.randint(0, 800), chance.choice(nodes)
        match chance.choice(["kill", "power_loss", "pause", "partition"]):
            case "kill":
                world.kill(at_ms, node)
                world.start(at_ms + chance.randint(1, 300), node)
            case "power_loss":
                world.power_loss(at_ms, node)
                world.start(at_ms + chance.randint(1, 300), node)
            case "pause":
                world.pause(at_ms, node)
                world.resume(at_ms + chance.randint(1, 400), node)
            case _:
                side = chance.sample(nodes, chance.randint(1, count - 1))
                world.partition(at_ms, side, set(nodes) - set(side))
                world.heal(at_ms + chance.randint(1, 500))
    world.run(6_000)
    return world


@pytest.mark.parametrize("seed", range(30))
def test_a_correct_world_is_not_flagged(seed: int) -> None:
    """A correct run that is flagged is as grave as a wrong run that isn't."""
    verdict = check_lines(rough_world(seed).lines)
    assert verdict.verdict == "ok", verdict.as_text()
