"""What waits for a hand: messages and timers, each ready as a step."""

from typing import Any

from paxos.protocol import (
    Accept,
    Accepted,
    Learn,
    Nack,
    Prepare,
    Promise,
    Received,
    node_name,
)
from paxos.sandbox.play import Play
from paxos.scenario.model import CARRIED, NO_PAIR
from paxos.simulator.gate import Held
from paxos.simulator.network import Sent
from paxos.simulator.node import Node


def waiting(play: Play) -> list[dict[str, Any]]:
    """What waits at the end of a run, oldest first: messages, then timers.

    By hand, every message that was not delivered, and every timer that is set.
    Else what gates hold, each with the ``release`` that lets it go, though a
    release takes the oldest that fits.
    """
    names = {number: name for name, number in play.instances.items()}
    nodes = play.world.nodes.values()
    if play.recipe.manual:
        messages = [_message(sent, names) for sent in play.world.network.sent if not sent.delivered]
        return messages + [timer for node in nodes for timer in _timers(node, names)]
    return [_held(node, held, names) for node in nodes for held in node.gate.held]


def _message(sent: Sent, names: dict[int, str]) -> dict[str, Any]:
    given = sent.given.input
    assert isinstance(given, Received), "only a message is sent"
    told: dict[str, Any] = {"ballot": None, "value": None, "promised": None, "accepted": None}
    match given.message:
        case Prepare(_, ballot):
            told["ballot"] = str(ballot)
        case Promise(_, ballot, accepted):
            pair = NO_PAIR if accepted is None else str(accepted.ballot)
            told |= {"ballot": str(ballot), "accepted": pair}
            told["value"] = None if accepted is None else accepted.value
        case Accept(_, ballot, value) | Accepted(_, ballot, value) | Learn(_, ballot, value):
            told |= {"ballot": str(ballot), "value": value}
        case Nack(_, ballot, promised):
            told |= {"ballot": str(ballot), "promised": str(promised)}
        case _:
            pass
    kind = sent.given.kind
    ends = {
        "kind": kind,
        "from": node_name(given.source),
        "to": node_name(sent.to),
        "instance": names[sent.given.instance],
    }
    carried = {name: told[name] for name in CARRIED[kind] if told[name] is not None}
    return {
        "what": "message",
        "line": sent.name,
        **ends,
        **told,
        "rule": None,
        "step": {"deliver": {**ends, **carried}},
    }


def _timers(node: Node, names: dict[int, str]) -> list[dict[str, Any]]:
    kinds = {(instance, str(timer)) for instance, timer, _ in node._timers}
    return [
        {
            "what": "timer",
            "node": node.name,
            "timer": timer,
            "instance": names[instance],
            "step": {"fire": {"node": node.name, "timer": timer, "instance": names[instance]}},
        }
        for instance, timer in sorted(kinds)
    ]


def _held(node: Node, held: Held, names: dict[int, str]) -> dict[str, Any]:
    passage = held.passage
    source, to = node_name(passage.source), node_name(passage.to)
    rule = _rule_name(node, held.rule)
    return {
        "what": "message",
        "line": passage.message,
        "kind": passage.kind,
        "from": source,
        "to": to,
        "instance": names.get(passage.instance),
        "ballot": None,
        "value": None,
        "promised": None,
        "accepted": None,
        "rule": rule,
        "step": {
            "release": {
                "name": rule,
                "first": 1,
                "kinds": [passage.kind],
                "from": [source],
                "to": [to],
            }
        },
    }


def _rule_name(node: Node, part: str) -> str:
    """The name of the rule as it was given; a gate's parts of one bear numbers behind it."""
    for name, parts in node.world.network.rules.items():
        if any(one.name == part for one in parts):
            return name
    return part
