"""The bounds of a question, and words that both searches use."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from paxos.events import node_key
from paxos.explorer import VALUES
from paxos.protocol import NodeId, Phase
from paxos.whatif.present import NodeNow, Now

SAFE: Final = "safe within bounds"
WRONG: Final = "can go wrong"
ALREADY: Final = "already wrong"
UNKNOWN: Final = "unknown"

ABSTRACTS: Final = (
    "every message that was sent may still arrive: once, again or never",
    "timers fire whenever that matters, and clients wait for ever",
    "whoever is paused or down may come back at any time",
    "a step under way at that moment is carried out to its end",
)

_BEGINNERS: Final = 2

Watch = Callable[[int], bool]
"""Called now and then with the count of states; the search stops when it returns false."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far to look.

    Attributes:
        ballots, crashes, disk_faults: how many of each may still happen, in all.
        limit: how many states are visited at most.
        beginners: the nodes that may begin ballots.
        fresh: values for new clients, which nobody has wished for before.
    """

    ballots: int
    crashes: int
    disk_faults: int
    limit: int
    beginners: tuple[NodeId, ...]
    fresh: tuple[str, ...]


def fresh_values(known: tuple[str, ...]) -> tuple[str, ...]:
    """Values that no client has wished for: so many that there are two at least, and one is new."""
    unused = [value for value in VALUES if value not in known]
    unused += [f"value {number}" for number in range(1, 3)]
    return tuple(unused[: max(1, 2 - len(known))])


def with_known(values: Iterable[str], now: Now) -> list[str]:
    """Values that can be chosen, where a new client's can be.

    Then so can any that a client has wished for before: it may ask again, or its
    wish may still be on its way to a node, and to the node it is as good as new.
    Only new values are searched, for they stand for these as well.
    """
    return list(dict.fromkeys((*values, *now.values)))


def can_begin(node: NodeNow) -> bool:
    """Whether a node may begin a ballot: not if it has learned, or if its disk is lost."""
    local = node.start.local
    memory = local.memory
    learned = local.disk.cached.learned
    if memory is not None:
        learned = memory.learner.learned or learned
    return learned is None and not local.refused


def beginners(now: Now) -> tuple[NodeId, ...]:
    """Who may begin ballots: whoever has one under way, and others up to two in all."""
    able = [node for node in now.nodes if can_begin(node)]
    busy = [
        node_key(node.name)
        for node in able
        if node.start.local.memory is not None
        and node.start.local.memory.proposer.phase not in {Phase.IDLE, Phase.DONE}
    ]
    idle = [node_key(node.name) for node in able if node_key(node.name) not in busy]
    # The lowest and the highest: ballots of equal rounds are ordered by node.
    others = dict.fromkeys((*([] if busy else idle[:1]), *reversed(idle)))
    more = max(_BEGINNERS - len(busy), 0)
    return tuple(sorted({*busy, *list(others)[:more]}))


def counted(number: int, word: str) -> str:
    """A number with its word: ``no further ballot``, ``2 further ballots``."""
    return f"{number or 'no'} {word}{'s' if number > 1 else ''}"
