"""Whether a run did what its scenario expects, judged from the run's lines."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paxos.events import Line, line_id
from paxos.scenario.model import (
    Answer,
    Expectation,
    Knows,
    Measured,
    MustHappen,
    Scenario,
)
from paxos.scenario.pattern import Lines, sentence


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation, or one thing that must happen, with what the log says of it."""

    expectation: str
    met: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run when its steps are done.

    Attributes:
        members: the nodes of the cluster, by name.
        lines: the run's lines, merged.
        operations: the scenario's names of client operations and their numbers.
        figures: the measured rows, by name: figure and number.
    """

    members: tuple[str, ...]
    lines: Lines
    operations: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


def judge(scenario: Scenario, run: Run) -> list[Finding]:
    """Every expectation, then everything that must have happened, in the file's order."""
    return [
        *(_expectation(expectation, run) for expectation in scenario.expectations),
        *(_happened(must, run.lines) for must in scenario.must_happen),
    ]


def learners(lines: Lines, instance: str) -> dict[str, str]:
    """Which nodes know a chosen value of an instance, and which value.

    A node knows it when it has learned it, or has read it from its disk again.
    """
    number = lines.instances[instance]
    known: dict[str, str] = {}
    for line in lines.of("value_learned", "state_recovered"):
        if line["instance"] != number:
            continue
        if line["event"] == "value_learned":
            known[line["node"]] = _text(line["value"])
        else:
            # A learned value is recorded without waiting for a sync: a crash
            # may take it, and the node must learn it again.
            known.pop(line["node"], None)
            if line.get("learned") is not None:
                known[line["node"]] = _text(line["learned"]["value"])
    return known


def _text(value: object) -> str:
    if isinstance(value, dict):
        return f"a value of {value['bytes']} bytes"
    return str(value)


def _happened(must: MustHappen, lines: Lines) -> Finding:
    found = lines.find(must.sight)
    if found is None:
        return Finding(must.fact, met=False, evidence=f"the log lacks {sentence(must.sight)}")
    return Finding(must.fact, met=True, evidence=_cite(found))


def _cite(lines: tuple[Line, ...]) -> str:
    names = [line_id(line) for line in lines]
    if len(names) > 4:
        return f"{len(names)} lines, {names[0]} to {names[-1]}"
    return ", ".join(names)


def _expectation(expectation: Expectation, run: Run) -> Finding:
    what = expectation.what
    if isinstance(what, Answer):
        met, evidence = _answered(what, run)
    elif isinstance(what, Knows):
        met, evidence = _known(what, run)
    else:
        met, evidence = _measured(what, run)
    return Finding(expectation.fact, met, evidence)


def _answered(answer: Answer, run: Run) -> tuple[bool, str]:
    number = run.operations.get(answer.of)
    if number is None:
        return False, f"no client ever asked for {answer.of}"
    for line in run.lines.of("propose_completed"):
        if line["operation"] != number:
            continue
        value = line.get("value")
        evidence = line["outcome"]
        if value is not None:
            evidence += f" with {_text(value)}"
        if line["reason"]:
            evidence += f": {line['reason']}"
        met = (
            line["outcome"] in answer.outcomes
            and (answer.value is None or value == answer.value)
            and (answer.yours is None or line["yours"] == answer.yours)
            and (answer.reason is None or answer.reason in line["reason"])
        )
        return met, evidence
    return False, "its client had no answer when the run ended"


def _known(knows: Knows, run: Run) -> tuple[bool, str]:
    known = learners(run.lines, knows.instance)
    wanted = knows.by or run.members
    lacking = [node for node in wanted if node not in known]
    other = [
        f"{node} learned {known[node]}"
        for node in wanted
        if known.get(node, knows.value) != knows.value
    ]
    if other:
        return False, "; ".join(other)
    if lacking:
        return False, f"{', '.join(lacking)} did not learn anything"
    return True, f"{', '.join(wanted)}"


def _measured(measured: Measured, run: Run) -> tuple[bool, str]:
    figure = run.figures.get(measured.row, {}).get(measured.figure)
    if figure is None:
        return False, "it was not measured"
    met = (measured.least is None or figure >= measured.least) and (
        measured.most is None or figure <= measured.most
    )
    return met, f"{figure:g}"
