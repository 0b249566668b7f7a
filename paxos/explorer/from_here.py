"""A search that begins in the middle: what can still happen from a given state on.

Whoever knows the nodes as they are hands each in as a
:class:`~paxos.explorer.tables.Start`. The bounds count what happens from there
on. Beside the properties of every search this one notes which values can be
chosen, for that is what a state decides: before a choice several can, after it
one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paxos.explorer.model import Accused, Model
from paxos.explorer.plain import PlainSearch
from paxos.explorer.reduced import ReducedSearch
from paxos.explorer.rules import Facts, chosen_pairs
from paxos.explorer.tables import Start, Tables
from paxos.protocol import NodeId

CHOSEN = "chosen: "
"""In front of a value: the name under which a search notes that it can be chosen."""


@dataclass(frozen=True, slots=True)
class Onward(Model):
    """Bounds of what may happen from a given state on.

    Attributes:
        client_values: what clients may wish for, besides what was wished for.
        known_values: what clients have wished for before.
        beginners: the nodes that may begin ballots.
    """

    client_values: tuple[str, ...] = ()
    known_values: tuple[str, ...] = ()
    beginners: tuple[NodeId, ...] = ()

    @property
    def wishes(self) -> tuple[str, ...]:
        """The values that a client may wish for."""
        return self.client_values

    @property
    def wished(self) -> tuple[str, ...]:
        """Every value that a client has wished for, or may."""
        return self.known_values + self.client_values

    def may_begin(self, node_id: NodeId) -> bool:
        """Whether a node may begin ballots."""
        return node_id in self.beginners


class _Notes(PlainSearch):
    def names_of(self, facts: Sequence[Facts]) -> tuple[str, ...]:
        """The properties of a state, and the values that are chosen in it."""
        found = super().names_of(facts)
        values = sorted({value for _, value in chosen_pairs(facts)})
        return found + tuple(CHOSEN + value for value in values)


class OnwardSearch(_Notes):
    """Every state from here on."""


class ReducedOnwardSearch(_Notes, ReducedSearch):
    """The same without dead messages."""


def search_from(
    starts: Sequence[Start], model: Onward, accused: Accused
) -> OnwardSearch | ReducedOnwardSearch:
    """A search that has not begun yet.

    Args:
        starts: the nodes, by position.
        model: the bounds; with ``reduced`` dead messages are dropped.
        accused: the protocol.
    """
    tables = Tables(model, accused, starts)
    return ReducedOnwardSearch(tables) if model.reduced else OnwardSearch(tables)
