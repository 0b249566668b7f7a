"""What was done in a run, as a scenario that does it again: plain data, ready for YAML or JSON."""

from collections.abc import Mapping
from typing import Any, Final

from paxos.scenario import Step
from paxos.scenario import model as do
from paxos.scenario.pattern import Is, Pattern
from paxos.simulator.fuzz import LIVENESS, Outcome
from paxos.simulator.parts import Parts

_GATE_VERBS: Final = {"cut": "cut_one_way"}


def as_scenario(outcome: Outcome, parts: Parts) -> dict[str, Any]:
    """A scenario that does what was done, and must end as that ended.

    It is to be played with the seed of the plan, in virtual time: there each
    command comes at the very line that it came at.
    """
    plan = outcome.plan
    what = "decides too late" if outcome.rule == LIVENESS else f"breaks {outcome.rule}"
    who = "The protocol" if parts.name is None else parts.name
    data: dict[str, Any] = {
        "version": do.VERSION,
        "title": f"{who} {what} (found by fuzz with seed {plan.seed})",
        "predict": "Which line is the first that should not be there?",
        "nodes": plan.node_count,
        "instances": list(plan.instances),
    }
    if parts.name is not None:
        data["variant"] = parts.name
        data["breaks"] = outcome.rule
    if plan.settings:
        data["settings"] = dict(plan.settings)
    data["steps"] = [_step(step) for step in outcome.steps]
    data["expectations"] = []
    data["must_happen"] = [
        {"fact": "a client asked", "lines": {"event": "propose_invoked"}},
    ]
    data["notice"] = (
        f"Play it with --world sim --seed {plan.seed}: each command waits for one line."
    )
    return data


def _step(step: Step) -> dict[str, Any]:
    verb, data = _action(step.action)
    entry: dict[str, Any] = {verb: data}
    if step.limit_s != Step(step.action).limit_s:
        entry["limit_s"] = int(step.limit_s)
    return entry


def _action(action: do.Action) -> tuple[str, Any]:
    match action:
        case do.Propose():
            return "propose", _without_defaults(
                {
                    "name": action.name,
                    "at": action.at,
                    "value": action.value,
                    "instance": action.instance,
                    "background": action.background,
                    "timeout_ms": action.timeout_ms,
                }
            )
        case do.Wait((Pattern() as pattern,)):
            return "wait", {"event": pattern.event, **_conditions(pattern)}
        case do.Learned(by, instance):
            return "learned", {"by": list(by), "instance": instance}
        case do.GateRule():
            return _GATE_VERBS.get(action.action, action.action), _gate_rule(action)
        case do.Release():
            return "release", _without_defaults(
                {
                    "name": action.name,
                    "first": action.first,
                    "kinds": list(action.kinds),
                    "from": list(action.sources),
                    "to": list(action.to),
                }
            )
        case do.Cut():
            return _cut(action)
        case do.Heal(names):
            return "heal", list(names) or "all"
        case do.Command(verb, nodes):
            return verb, list(nodes) or "all"
        case do.Failpoint():
            return "failpoint", _without_defaults(
                {
                    "node": action.node,
                    "point": action.point,
                    "kind": action.kind,
                    "instance": action.instance,
                    "power": action.power,
                }
            )
        case do.DiskFault(node, fault):
            return "disk_fault", {"node": node, "fault": fault}
        case do.Refuses(node):
            return "refuses", node
        case do.Exits(node):
            return "exits", node
        case _:
            raise AssertionError(f"no plan does this: {action}")


def _conditions(pattern: Pattern) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, condition in pattern.conditions:
        assert isinstance(condition, Is), "a plan waits for lines by their names"
        found[path] = condition.values[0]
    return found


def _gate_rule(rule: do.GateRule) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": rule.name,
        "from": list(rule.sources),
        "to": list(rule.to),
        "kinds": list(rule.kinds),
        "instance": rule.instance,
    }
    if rule.action in {"drop", "duplicate", "reorder"}:
        fields["percent"] = rule.percent
    if rule.action == "duplicate":
        fields["copies"] = rule.copies
    if rule.action == "delay":
        fields["delay_ms"] = rule.delay_ms
    if rule.action in {"delay", "reorder"}:
        fields["delay_most_ms"] = rule.delay_most_ms
    return _without_defaults(fields)


def _cut(cut: do.Cut) -> tuple[str, Any]:
    match cut.fault:
        case "isolate":
            return "isolate", cut.groups[0][0]
        case "cut":
            return "cut", [cut.groups[0][0], cut.groups[1][0]]
        case _:
            return "partition", [list(group) for group in cut.groups]


def _without_defaults(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader would take for granted is left out."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], False)}
