"""From plain data, as YAML or JSON give it, to a checked scenario."""

from paxos.scenario.model import (
    FIGURES,
    OUTCOMES,
    VERSION,
    Answer,
    Expectation,
    Knows,
    Measure,
    Measured,
    MustHappen,
    Propose,
    Scenario,
)
from paxos.scenario.patterns import read_sight
from paxos.scenario.reading import Fields, Node
from paxos.scenario.steps import Names, read_settings, read_steps

_TOP = (
    "version",
    "title",
    "predict",
    "nodes",
    "instances",
    "settings",
    "steps",
    "expectations",
    "must_happen",
    "notice",
    "broken_by",
    "variant",
    "breaks",
    "manual",
)
NODE_COUNTS = (3, 4, 5, 7, 9)
"""The sizes of cluster; 4 shows what is wrong with even ones, and has no containers."""
RULES = ("R1", "R2", "R3", "R4", "R5", "R6", "agreement", "validity", "liveness")
"""What a scenario with a broken variant may break first."""


def parse(name: str, data: object) -> Scenario:
    """Read and check a scenario.

    Args:
        name: what it is called: the file's name without its suffix.
        data: mappings, lists, texts, numbers and truths, as read from the file.

    Raises:
        ScenarioError: the first thing that is wrong, with its place.
    """
    top = Node(data).fields(*_TOP)
    top["version"].whole(VERSION, VERSION)
    counts = _node_counts(top["nodes"])
    instances = top.texts("instances") or ("fruit",)
    if len(set(instances)) != len(instances):
        raise top["instances"].error("two instances have one name")
    members = tuple(f"n{number}" for number in range(1, min(counts) + 1))
    manual = top.truth("manual", default=False)
    names = Names(members, instances, manual=manual)
    steps = read_steps(top["steps"], names)
    operations = {s.action.name for s in steps if isinstance(s.action, Propose)}
    rows = {s.action.row for s in steps if isinstance(s.action, Measure)}
    variant, breaks = top.text("variant") or None, None
    if variant is not None:
        breaks = top["breaks"].text(among=RULES)
    elif "breaks" in top:
        raise top["breaks"].error("only a scenario with a `variant` breaks a rule")
    scenario = Scenario(
        name=name,
        title=top["title"].text(),
        predict=top.text("predict"),
        node_counts=counts,
        instances=instances,
        settings=read_settings(top["settings"]) if "settings" in top else (),
        steps=steps,
        expectations=tuple(
            _expectation(entry, names, operations, rows) for entry in top["expectations"].items()
        ),
        must_happen=tuple(_must_happen(entry, instances) for entry in top["must_happen"].items()),
        notice=top["notice"].text(),
        broken_by=top.texts("broken_by"),
        variant=variant,
        breaks=breaks,
        manual=manual,
    )
    if not scenario.must_happen:
        raise top["must_happen"].error(
            "say what must happen for a run to have shown anything: a run without it fails"
        )
    return scenario


def _node_counts(node: Node) -> tuple[int, ...]:
    entries = list(node.items()) if isinstance(node.data, list) else [node]
    counts = tuple(entry.whole(min(NODE_COUNTS), max(NODE_COUNTS)) for entry in entries)
    for entry, count in zip(entries, counts, strict=True):
        if count not in NODE_COUNTS:
            raise entry.error(f"a cluster has 3, 4, 5, 7 or 9 nodes, not {count}")
    if not counts or len(set(counts)) != len(counts):
        raise node.error("this must name one number of nodes, or several different ones")
    return counts


def _expectation(node: Node, names: Names, operations: set[str], rows: set[str]) -> Expectation:
    fields = node.fields("answer", "learned", "measured", "fact")
    if sum(kind in fields for kind in ("answer", "learned", "measured")) != 1:
        raise node.error("an expectation is one of answer, learned, measured")
    if "answer" in fields:
        what: Answer | Knows | Measured = _answer(fields["answer"], operations)
    elif "learned" in fields:
        what = _knows(fields["learned"], names)
    else:
        what = _measured(fields["measured"], rows)
    return Expectation(what, fields.text("fact") or describe(what))


def _answer(node: Node, operations: set[str]) -> Answer:
    fields = node.fields("of", "outcome", "value", "yours", "reason")
    of = fields["of"].text()
    if of not in operations:
        raise fields["of"].error(f"no step begins an operation {of!r}")
    return Answer(
        of,
        fields["outcome"].texts(among=OUTCOMES),
        fields.text("value") or None,
        fields["yours"].truth() if "yours" in fields else None,
        fields.text("reason") or None,
    )


def _knows(node: Node, names: Names) -> Knows:
    fields = node.fields("by", "value", "instance")
    return Knows(names.nodes(fields, "by"), names.instance(fields), fields["value"].text())


def _measured(node: Node, rows: set[str]) -> Measured:
    fields = node.fields("row", "figure", "least", "most")
    row = fields["row"].text()
    if row not in rows:
        raise fields["row"].error(f"no step measures a row {row!r}")
    figure = fields["figure"].text(among=FIGURES)
    if "least" not in fields and "most" not in fields:
        raise node.error("give `least`, `most` or both")
    return Measured(row, figure, _number(fields, "least"), _number(fields, "most"))


def _number(fields: Fields, name: str) -> float | None:
    if name not in fields:
        return None
    data = fields[name].data
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise fields[name].error(f"this must be a number, not {data!r}")
    return float(data)


def describe(what: Answer | Knows | Measured) -> str:
    """The sentence of an expectation that brings none of its own."""
    match what:
        case Answer(of, outcomes, value, yours):
            text = f"the client of {of} is answered {' or '.join(outcomes)}"
            if value is not None:
                text += f" with {value}"
            if yours is not None:
                text += ", its own value" if yours else ", another's value"
            return text
        case Knows(by, _, value):
            return f"{', '.join(by) if by else 'every node'} learned {value}"
        case Measured(row, figure, least, most):
            bounds = [
                *([] if least is None else [f"at least {least:g}"]),
                *([] if most is None else [f"at most {most:g}"]),
            ]
            return f"{row}: {figure} is {' and '.join(bounds)}"


def _must_happen(node: Node, instances: tuple[str, ...]) -> MustHappen:
    fields = node.fields("fact", "lines")
    return MustHappen(read_sight(fields["lines"], instances), fields["fact"].text())
