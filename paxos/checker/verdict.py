"""The verdict: what the rules say about a log, for people and for programs.

``ok`` means that no rule was broken *and* that nothing is missing that could
hide a breach; ``violated`` comes with the lines that prove it; ``unknown``
with what is missing. Beside the rules stand the *sometimes* facts: what the
log shows to have happened, because rules hold in any log in which nothing did.
"""

import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from paxos.checker.history import ALL_RULES, Chosen, Doubt, History
from paxos.checker.reader import Log, collect, load
from paxos.checker.rules import RULES, Violation
from paxos.checker.table import Run
from paxos.events import Line, line_id, narrate, show

OK: Final = "ok"
VIOLATED: Final = "violated"
UNKNOWN: Final = "unknown"
DEPARTED: Final = "departed"

SCHEMA_VERSION: Final = 1
_WIDTH: Final = 80
# A reader who needs more finds all of them in verdict.json.
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What became of one rule.

    Attributes:
        verdict: ``ok``, ``violated`` or ``unknown``.
        title: the rule in a few words.
        judged: how many replies, ballots, learned values ... it looked at.
    """

    verdict: str
    title: str
    judged: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about a log.

    Attributes:
        verdict: ``violated`` if some rule is broken, else ``unknown`` if some
            rule could not be judged to the end, else ``ok``.
        rules: by short name, in the order in which they are told.
        chosen: the first choice in each judged instance, ``None`` where there
            was none.
        violations: in the order in which they happened, as merged.
        unknown: what is missing, and for which rules.
        coverage: how often each *sometimes* fact is seen in the log.
        expectations: what the runner says of the scenario's expectations;
            ``verdict`` does not speak of them.
        conformance: what a replay through the core found, from who has one;
            ``verdict`` does not speak of it, for the rules judge any program.
        line_count: how many lines were read.
        event_count: how many of them are of judged instances.
    """

    verdict: str
    rules: Mapping[str, RuleVerdict]
    chosen: Mapping[int, Chosen | None]
    violations: tuple[Violation, ...]
    unknown: tuple[Doubt, ...]
    coverage: Mapping[str, int]
    members: tuple[str, ...]
    quorum: int
    line_count: int
    event_count: int
    run: str = ""
    scenario: str = ""
    title: str = ""
    world: str = ""
    names: Mapping[int, str] | None = None
    expectations: tuple[Mapping[str, Any], ...] = ()
    conformance: Mapping[str, Any] | None = None

    @property
    def departed(self) -> bool:
        """Whether the log departs from the core."""
        return self.conformance is not None and self.conformance["verdict"] == DEPARTED

    def with_conformance(self, found: Mapping[str, Any]) -> "Verdict":
        """The same verdict with what a replay through the core found.

        Args:
            found: its ``verdict``, a ``sentence``, and ``departures`` with a
                ``line`` and a ``sentence`` each.
        """
        return replace(self, conformance=found)

    def with_expectations(self, expectations: Iterable[Mapping[str, Any]]) -> "Verdict":
        """The same verdict with what the runner found: objects with ``met``."""
        return replace(self, expectations=tuple(expectations))

    def as_json(self) -> dict[str, Any]:
        """The content of ``verdict.json``."""
        names = self.names or {}
        return {
            "v": SCHEMA_VERSION,
            "verdict": self.verdict,
            "run": self.run,
            "scenario": self.scenario,
            "title": self.title,
            "world": self.world,
            "members": list(self.members),
            "quorum": self.quorum,
            "lines": self.line_count,
            "events": self.event_count,
            "rules": {
                name: {"verdict": rule.verdict, "title": rule.title, "judged": rule.judged}
                for name, rule in self.rules.items()
            },
            "chosen": {
                str(number): _chosen_json(chosen, names.get(number))
                for number, chosen in self.chosen.items()
            },
            "violations": [_violation_json(violation) for violation in self.violations],
            "unknown": [_doubt_json(doubt) for doubt in self.unknown],
            "coverage": dict(self.coverage),
            "conformance": None if self.conformance is None else dict(self.conformance),
            "expectations": [dict(expectation) for expectation in self.expectations],
        }

    def write(self, path: Path) -> None:
        """Write ``verdict.json``."""
        text = json.dumps(self.as_json(), ensure_ascii=False, indent=1)
        path.write_text(text + "\n", encoding="utf-8")

    def as_text(self) -> str:
        """The verdict for a terminal of 80 columns, without colour."""
        parts = [self._table()]
        parts += [_violation_text(violation) for violation in self.violations[:_SHOWN]]
        hidden = len(self.violations) - _SHOWN
        if hidden > 0:
            parts.append(f"{hidden} more in verdict.json.")
        parts.append(self.conformance_text())
        parts.append(self._chosen_text())
        parts.append(self._coverage_text())
        return "\n\n".join(part for part in parts if part)

    def summary(self) -> str:
        """One sentence: whether safety held, over how much."""
        events = f"{self.event_count:,} event{'s' if self.event_count != 1 else ''}"
        if self.verdict == OK:
            return f"safety held: {len(self.rules)} rules over {events}"
        if self.verdict == VIOLATED:
            broken = [name for name, rule in self.rules.items() if rule.verdict == VIOLATED]
            first = self.violations[0]
            return (
                f"safety was violated: {show('rules', broken)} broken, first "
                f"{first.rule} at {line_id(first.at)}, over {events}"
            )
        doubted = [name for name, rule in self.rules.items() if rule.verdict == UNKNOWN]
        which = (
            "no rule could"
            if len(doubted) == len(self.rules)
            else f"{show('rules', doubted)} could not"
        )
        return f"safety is unknown: {which} be judged to the end, over {events}"

    def _table(self) -> str:
        rows = []
        for name, rule in self.rules.items():
            judged = f"{rule.judged:,} judged" if rule.judged else "nothing to judge"
            rows.append(f"{name:<10} {rule.title:<28} {rule.verdict:<9} {judged:>16}")
        text = self.summary()
        text = text[0].upper() + text[1:] + "."
        rows += ["", _wrapped(text)]
        for doubt in self.unknown[:_SHOWN]:
            rows.append(_wrapped(f"- {doubt.reason} ({', '.join(doubt.rules)})", "  "))
        if len(self.unknown) > _SHOWN:
            rows.append(f"- and {len(self.unknown) - _SHOWN} more in verdict.json")
        return "\n".join(rows)

    def conformance_text(self) -> str:
        """What the replay through the core found, in sentences; empty if there was none."""
        found = self.conformance
        if found is None:
            return ""
        rows = [_wrapped(f"Conformance: {found['sentence']}.", "  ")]
        rows += [
            _wrapped(f"  {departure['line']:<10} {departure['sentence']}", " " * 13)
            for departure in found["departures"][:_SHOWN]
        ]
        return "\n".join(rows)

    def _chosen_text(self) -> str:
        names = self.names or {}
        rows = []
        for number, chosen in list(self.chosen.items())[:_SHOWN]:
            label = f"instance {number}" + (f" ({names[number]})" if number in names else "")
            if chosen is None:
                rows.append(f"{label}: no value is chosen")
                continue
            acceptors = show("acceptors", sorted(chosen.acceptances, key=_node_order))
            rows.append(
                _wrapped(
                    f"{label}: {show('value', chosen.value)} is chosen at {chosen.ballot}, "
                    f"accepted by {acceptors} ({line_id(chosen.moment)})",
                    "  ",
                )
            )
        if len(self.chosen) > _SHOWN:
            count = sum(chosen is not None for chosen in self.chosen.values())
            rows.append(f"in all: a value is chosen in {count} of {len(self.chosen)} instances")
        return "\n".join(rows)

    def _coverage_text(self) -> str:
        seen = [f"{fact} ({count:,})" for fact, count in self.coverage.items() if count]
        unseen = [fact for fact, count in self.coverage.items() if not count]
        parts = []
        if seen:
            parts.append(_wrapped(f"Seen: {'; '.join(seen)}.", "  "))
        if unseen:
            parts.append(_wrapped(f"Not seen: {'; '.join(unseen)}.", "  "))
        return "\n".join(parts)


def check_path(*paths: str | Path) -> Verdict:
    """Judge a run's folder, or one or more files of lines.

    Raises:
        LogFormatError: it is no log; the text says which file and line.
    """
    return judge(load(*paths))


def check_lines(
    lines: Iterable[Line], run: Mapping[str, Any] | None = None, *, trusted: bool = False
) -> Verdict:
    """Judge lines that are in memory, in any order.

    Args:
        lines: of all nodes and the runner.
        run: the content of ``run.json``; without it, the logs must begin with
            the first line ever.
        trusted: the lines are known to be of this format: a simulator that
            makes them by the thousand holds its templates to it once.

    Raises:
        LogFormatError: a line or the table is not of this format.
    """
    return judge(collect(lines, None if run is None else Run.parse(run), trusted=trusted))


def judge(log: Log) -> Verdict:
    """Apply every rule to a log."""
    history = History(log)
    findings = [rule(history) for _, rule in RULES.values()]
    violations = [violation for found in findings for violation in found.violations]
    # Stable: breaches at one line stand in the order of the rules.
    violations.sort(key=lambda violation: violation.place)
    doubts = history.doubts + [doubt for found in findings for doubt in found.doubts]
    event_count = sum(instance.line_count for instance in history.instances.values())
    if not event_count:
        doubts.insert(0, Doubt(ALL_RULES, _NOTHING if log.line_count else _EMPTY))
    broken = {violation.rule for violation in violations}
    doubted = {rule for doubt in doubts for rule in doubt.rules}
    rules = {
        name: RuleVerdict(
            VIOLATED if name in broken else UNKNOWN if name in doubted else OK,
            RULES[name][0],
            found.judged,
        )
        for name, found in zip(RULES, findings, strict=True)
    }
    started = _run_started(history)
    return Verdict(
        verdict=VIOLATED if broken else UNKNOWN if doubted else OK,
        rules=rules,
        chosen={
            number: instance.chosen[0] if instance.chosen else None
            for number, instance in history.instances.items()
        },
        violations=tuple(_with_whole_lines(log, violations)),
        unknown=tuple(doubts),
        coverage={fact: count(history) for fact, count in SOMETIMES.items()},
        members=history.members,
        quorum=history.quorum,
        line_count=log.line_count,
        event_count=event_count,
        run=started["run"],
        scenario=started["scenario"],
        title=started["title"],
        world=started["world"],
        names={number: name for name, number in started["instances"].items()},
        expectations=tuple(
            {name: line[name] for name in ("expectation", "met", "evidence")}
            for line in history.order.lines
            if line["event"] == "expectation_checked"
        ),
    )


_EMPTY: Final = "the log is empty"
_NOTHING: Final = "the log holds no line of any instance that is to be judged"


def _run_started(history: History) -> Mapping[str, Any]:
    """The names of the run, from its table or from the line that says the same."""
    run = history.run
    if run is not None:
        return {
            "run": run.run,
            "scenario": run.scenario,
            "title": run.title,
            "world": run.world,
            "instances": run.instances,
        }
    for line in history.order.lines:
        if line["event"] == "run_started":
            return line
    return {"run": "", "scenario": "", "title": "", "world": "", "instances": {}}


def _with_whole_lines(log: Log, violations: Sequence[Violation]) -> list[Violation]:
    """The evidence as it stands in the files, states included."""
    whole = log.full(line_id(line) for violation in violations for line in violation.lines)
    return [
        replace(
            violation,
            lines=tuple(whole.get(line_id(line), line) for line in violation.lines),
            at=whole.get(line_id(violation.at), violation.at),
        )
        for violation in violations
    ]


# --- what sometimes happens --------------------------------------------------------------


def _count_lines(*events: str) -> Callable[[History], int]:
    return lambda history: sum(
        line["event"] in events and line.get("instance", 0) in history.instances
        for line in history.order.lines
    )


def _chosen_count(history: History) -> int:
    return sum(bool(instance.chosen) for instance in history.instances.values())


def _duel_count(history: History) -> int:
    """Instances in which acceptors were asked for promises at two ballots."""
    return sum(
        len(
            {
                line["ballot"]
                for steps in instance.acceptors.values()
                for line in steps
                if isinstance(line, dict) and line["event"] == "prepare_received"
            }
        )
        > 1
        for instance in history.instances.values()
    )


def _report_count(history: History) -> int:
    return sum(
        line["event"] == "promise_sent"
        and line["accepted"] is not None
        and line["instance"] in history.instances
        for line in history.order.lines
    )


def _yield_count(history: History) -> int:
    return sum(
        line["event"] == "accept_sent"
        and "wanted" in line
        and line["instance"] in history.instances
        for line in history.order.lines
    )


def _restart_count(history: History) -> int:
    return sum(
        line["event"] == "node_started" and line["incarnation"] > 1 for line in history.order.lines
    )


SOMETIMES: Final[Mapping[str, Callable[[History], int]]] = {
    "a value was chosen": _chosen_count,
    "a node learned": _count_lines("value_learned"),
    "an acceptor refused": _count_lines("nack_sent"),
    "two ballots met": _duel_count,
    "a promise reported a value": _report_count,
    "a proposer gave way to a reported value": _yield_count,
    "a node started again": _restart_count,
}
"""Facts that make a verdict worth something, with how often a log shows each."""


# --- how it is told ----------------------------------------------------------------------


def _chosen_json(chosen: Chosen | None, name: str | None) -> dict[str, Any] | None:
    if chosen is None:
        return None
    told = {
        "value": chosen.value,
        "ballot": chosen.ballot,
        "acceptors": sorted(chosen.acceptances, key=_node_order),
        "line": line_id(chosen.moment),
        "at_ns": chosen.moment["at_ns"],
    }
    return told if name is None else {"name": name, **told}


def _violation_json(violation: Violation) -> dict[str, Any]:
    return {
        "rule": violation.rule,
        "part": violation.part,
        "instance": violation.instance,
        "sentence": violation.sentence,
        "at": line_id(violation.at),
        "lines": [line_id(line) for line in violation.lines],
        "events": list(violation.lines),
    }


def _doubt_json(doubt: Doubt) -> dict[str, Any]:
    return {
        "rules": list(doubt.rules),
        "reason": doubt.reason,
        "node": doubt.node,
        "instance": doubt.instance,
    }


def _violation_text(violation: Violation) -> str:
    rule = violation.rule + (f" ({violation.part})" if violation.part else "")
    title = RULES[violation.rule][0]
    rows = [_wrapped(f"{rule} {title}, instance {violation.instance}: {violation.sentence}.", "  ")]
    rows += [
        _wrapped(f"  {line_id(line):<10} {narrate(line)}", " " * 13) for line in violation.lines
    ]
    return "\n".join(rows)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        subsequent_indent=indent,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _node_order(node: str) -> tuple[int, str]:
    return len(node), node
