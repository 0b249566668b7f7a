"""Whole steps leave nothing out: where every node is at rest, both models have the same states.

``whole_steps`` carries the effects of a step out together. That is sound when
what lies between is of no consequence to anybody: no node sees another's
pending effects, and a message that is sent earlier can arrive as late. So the
states in which nobody has effects pending must be the same, state by state.

But for one thing: a ballot that is begun and dies with its node before its
first effect has used up a ballot and done nothing. Whole steps leave that out,
for the same nodes with more ballots to spare can do all that these can. (And a
broken storage that goes on after a failed sync is cut short once a step, not
twice: it is compared without crashes.)
"""

from collections.abc import Hashable
from dataclasses import replace

import pytest

from paxos.explorer import Model
from paxos.explorer.plain import PlainSearch
from tests.explorer_cases import visited

Nodes = tuple[Hashable, ...]
Used = tuple[int, ...]


def at_rest(search: PlainSearch) -> set[tuple[Nodes, Used]]:
    """The states without pending effects, in terms that no search's numbers are part of."""
    count = search.model.nodes
    told: list[dict[int, Hashable]] = []
    for table in search.tables.nodes:
        told.append({})
        for number, part in enumerate(table.parts.items):
            local = table.locals.items[part.local]
            if not local.pending:
                told[-1][number] = local.key(), frozenset(table.sent_envelopes(part.sent))
    return {
        (tuple(known[part] for known, part in zip(told, state, strict=False)), state[count:])
        for state in search.reached
        if all(part in known for known, part in zip(told, state, strict=False))
    }


def thriftiest(states: set[tuple[Nodes, Used]]) -> set[tuple[Nodes, Used]]:
    """Without those that have the same nodes as another, and have used up more."""
    ways: dict[Nodes, set[Used]] = {}
    for nodes, used in states:
        ways.setdefault(nodes, set()).add(used)
    return {
        (nodes, used)
        for nodes, all_used in ways.items()
        for used in all_used
        if not any(less != used and all(map(int.__le__, less, used)) for less in all_used)
    }


MODELS = [
    Model(3, 1, 1, 1),
    Model(2, 2, 1, 1),
    Model(1, 1, 2, 3),
    Model(2, 1, 2, 1, crashes=1),
    Model(1, 1, 2, 2, crashes=1),
    Model(1, 1, 1, 1, crashes=2),
    Model(2, 1, 1, 1, crashes=1, disk_faults=1),
    Model(1, 1, 1, 2, crashes=2, disk_faults=2),
    Model(2, 1, 1, 1, disk_faults=2),
]
BROKEN = [
    (Model(3, 1, 1, 1), "promise-omits-accepted"),
    (Model(1, 1, 2, 2, crashes=1), "number-reused"),
    (Model(2, 1, 1, 1, crashes=1), "reply-before-write"),
    (Model(2, 1, 1, 1, crashes=1), "sync-lies"),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1), "promises-copied"),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1), "corrupt-skipped"),
    (Model(2, 1, 1, 1, crashes=1, disk_faults=1), "written-in-place"),
    (Model(2, 1, 1, 1, disk_faults=2), "sync-retried"),
]


@pytest.mark.parametrize(
    ("model", "variant"), [*((model, None) for model in MODELS), *BROKEN], ids=str
)
def test_states_at_rest_are_the_same(model: Model, variant: str | None) -> None:
    """Neither has one that the other has not, and a rule that breaks in one breaks in both."""
    single = visited(model, variant)
    whole = visited(replace(model, whole_steps=True), variant)
    expected, found = at_rest(single), at_rest(whole)
    assert len(found) == whole.distinct, "with whole steps every state is one at rest"
    assert len(expected) < single.distinct, "single effects lie between them"
    assert not found - expected, f"{len(found - expected)} too many"
    missing = thriftiest(expected) - thriftiest(found)
    assert not missing, f"{len(missing)} too few"
    assert single.traces.keys() == whole.traces.keys()
