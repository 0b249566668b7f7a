"""Strategies for lines of the log, from the catalogue itself: whatever it allows, they make."""

from typing import Any

from hypothesis import strategies as st

from paxos.events import CATALOGUE, SCHEMA_VERSION, Line

EVENTS: tuple[str, ...] = tuple(CATALOGUE["events"])

NODES = ("n1", "n2", "n3", "n10", "g1", "g9")
HOSTILE = (
    "'",
    "\\",
    "\\'",
    "' is chosen. n2 learns: 'x",
    "a\nb",
    "\r\x1b[2J",
    "<script>alert(1)</script>",
    "\u202eelppa",
    "\u2028",
    "\x00",
    "{node}",
    "",
)
"""Values of those who would like a sentence to say something else."""

_nodes = st.sampled_from(NODES)
_node_lists = st.sets(_nodes).map(lambda names: sorted(names, key=NODES.index))
_ballots = st.sampled_from(("0.n0", "0.n1", "1.n1", "3.n5", "1000.n2", "9007199254740991.g1"))
_texts = st.sampled_from(("a reason", "apple", "retry")) | st.text("abcé\n\x1b\u2028", max_size=8)
_values = st.one_of(
    st.sampled_from(("apple", "pear", *HOSTILE)),
    st.text(max_size=8),
    st.just({"bytes": 300, "sha256": "ab" * 32}),
)
_proposals = st.fixed_dictionaries({"ballot": _ballots, "value": _values})
_learned = st.fixed_dictionaries({"ballot": _ballots, "value": _values, "acceptors": _node_lists})
_ways = st.lists(st.lists(_nodes, min_size=2, max_size=2), max_size=3)
_sides = st.lists(st.lists(_nodes, max_size=3), max_size=3)
_names = st.lists(_nodes, max_size=3)
_faults = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("pairs", "ways"), _ways),
        **dict.fromkeys(("groups", "sides"), _sides),
        **dict.fromkeys(("from", "to"), _names),
        "kinds": st.lists(st.sampled_from(("prepare", "accept"))),
        "fault": st.sampled_from(("tear", "lose")),
        "rule": st.just("slow"),
    },
)
_ends = st.none() | st.integers(0, 3) | _nodes
_rules = st.fixed_dictionaries(
    {"name": st.just("slow"), "action": st.sampled_from(("cut", "hold"))},
    optional={
        "source": _ends,
        "to": _ends,
        "kinds": st.lists(st.sampled_from(("prepare", "accept"))),
        "first_instance": st.integers(0, 3),
    },
)
_acceptors = st.fixed_dictionaries({"promised": _ballots, "accepted": st.none() | _proposals})

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-1, 3) | st.just(2**53),
    "instance": st.integers(1, 3),
    "bool": st.booleans(),
    "text": _texts,
    "node": _nodes | st.just("orchestrator"),
    "nodes": _node_lists,
    "ballot": _ballots,
    "value": _values,
    "proposal": _proposals,
    "learned": _learned,
    "line": st.sampled_from(("n1/1/1", "g2/3/417", "orchestrator/1/9")),
    "state": st.fixed_dictionaries({}, optional={"acceptor": _acceptors}),
    "fault": _faults,
    "rules": st.lists(_rules, max_size=3),
    "numbers": st.dictionaries(st.sampled_from(("fruit", "")), st.integers(1, 3)),
    "object": st.just({"sides": [["n1"], ["n2"]]}) | st.just([]),
}

# What a condition of a sentence asks for must turn up, or the sentence never does.
_WANTED: dict[str, dict[str, list[Any]]] = {
    event: {
        path: [choice["when"][path] for choice in entry["say"] if path in choice.get("when", {})]
        for path in entry["fields"]
    }
    for event, entry in CATALOGUE["events"].items()
}


def _field(event: str, name: str, kind: str) -> st.SearchStrategy[Any]:
    strategy = KINDS[kind.removesuffix("?")]
    if kind.endswith("?"):
        strategy = st.none() | strategy
    asked = [value for value in _WANTED[event].get(name, []) if value not in {"*", None}]
    return strategy | st.sampled_from(asked) if asked else strategy


def lines_of(event: str) -> st.SearchStrategy[Line]:
    """Any line of one event that the catalogue allows."""
    fields = CATALOGUE["events"][event]["fields"]
    header: dict[str, st.SearchStrategy[Any]] = {
        "v": st.just(SCHEMA_VERSION),
        "node": KINDS["node"],
        "incarnation": st.integers(1, 3),
        "seq": st.integers(1, 500),
        "at_ns": st.integers(0, 2**62),
        "event": st.just(event),
    }
    return st.fixed_dictionaries(
        header
        | {name: _field(event, name, kind) for name, kind in fields.items() if name[-1] != "?"},
        optional={
            name[:-1]: _field(event, name[:-1], kind)
            for name, kind in fields.items()
            if name[-1] == "?"
        },
    )


lines: st.SearchStrategy[Line] = st.sampled_from(EVENTS).flatmap(lines_of)
"""Any line that the catalogue allows."""
