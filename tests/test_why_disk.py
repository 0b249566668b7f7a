"""What is read from the disk of a node that is down is said of its disk: nobody is back."""

from typing import Any

from tests.sandbox_recipes import played


def recovered(*steps: dict[str, Any]) -> list[str]:
    """The answers about what was found on disks, of a run that rests after each step."""
    result = played(*((9_999, step) for step in steps), nodes=3)
    assert result["refused"] == []
    return [why["sentence"] for why in result["why"]["whys"] if why["kind"] == "recovered"]


PROPOSE = {"propose": {"at": "n1", "value": "pear", "background": True}}


def test_of_a_node_that_is_down_the_disk_is_spoken_of() -> None:
    """It has nothing back, for it was not started."""
    (found,) = recovered(PROPOSE, {"kill": "n3"})
    assert found.startswith("the disk of n3 holds what n3 had made durable (n3/1/")


def test_a_node_that_was_started_has_it_back() -> None:
    """The same record, read by the node itself."""
    (found,) = recovered(PROPOSE, {"kill": "n3"}, {"start": "n3"})
    assert found.startswith("n3 has back what it had made durable (n3/1/")
